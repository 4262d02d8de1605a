"""Conversion of schemas between Spark, DDL and Arrow."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from pyspark_logs.conditions import Condition
from pyspark_logs.errors import OptionError
from pyspark_logs.schema import quote_name


def to_ddl(schema: StructType, *, strict: bool = True) -> str:
    """Returns a Spark schema as DDL, without collations, which change comparisons but not values.

    Args:
        schema: Spark schema.
        strict: True to write NOT NULL, which :func:`~pyspark_logs.schema.parse_ddl` refuses with the name of the column.
            Writers accept columns that are NOT NULL.

    >>> to_ddl(StructType.fromJson({"type": "struct", "fields": [
    ...     {"name": "user-agent", "type": "string", "nullable": True, "metadata": {}}]}))
    '`user-agent` string'
    """
    return ", ".join(f"{quote_name(f.name)} {_type_ddl(f.dataType, f.nullable, strict)}" for f in schema.fields)


def _type_ddl(data_type: DataType, nullable: bool, strict: bool) -> str:
    end = "" if nullable or not strict else " NOT NULL"
    if isinstance(data_type, StructType):
        inner = (f"{quote_name(f.name)}:{_type_ddl(f.dataType, f.nullable, strict)}" for f in data_type.fields)
        return f"struct<{','.join(inner)}>{end}"
    if isinstance(data_type, ArrayType):
        return f"array<{_type_ddl(data_type.elementType, data_type.containsNull, strict)}>{end}"
    if isinstance(data_type, MapType):
        value = _type_ddl(data_type.valueType, data_type.valueContainsNull, strict)
        return f"map<{_type_ddl(data_type.keyType, True, strict)},{value}>{end}"
    return data_type.simpleString().partition(" collate ")[0] + end


def to_spark_schema(schema: pa.Schema) -> StructType:
    """Returns an Arrow schema as a Spark schema.

    Spark also accepts DDL, but its settings change the meaning: ``timestamp`` can mean ``timestamp_ntz``, and a column
    named ``user`` can be a syntax error.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema, prefer_timestamp_ntz=True)


def is_collated(field: StructField) -> bool:
    """Returns True if Spark does not compare a string by its bytes: collated strings, and ``char(n)``, which is padded."""
    return " collate " in field.dataType.simpleString() or "__CHAR_VARCHAR_TYPE_STRING" in (field.metadata or {})


def check_condition(condition: Condition | None, schema: StructType) -> None:
    """Raises OptionError if a condition names a column that Spark does not compare by its bytes."""
    names = {} if condition is None else condition.column_types()
    for field in schema.fields:
        if is_collated(field) and field.name.lower() in (name.lower() for name in names):
            raise OptionError(
                f"option 'where': column {field.name!r} is {field.dataType.simpleString()}, and the option compares strings by their"
                " bytes, without collation or padding; declare the column a string, or filter in Spark"
            )
