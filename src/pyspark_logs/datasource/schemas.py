"""Schemas, between Spark's types and ours."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql.types import ArrayType, DataType, MapType, StructField, StructType

from pyspark_logs.schema import quote_name


def to_ddl(schema: StructType, *, strict: bool = True) -> str:
    """A Spark schema as DDL. Collations are dropped: they change comparisons, not values.

    Args:
        schema: of Spark.
        strict: write down what is NOT NULL, so that the one place which refuses it can name the column. A writer
            does not mind.

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
    """An Arrow schema of Spark's types as a Spark schema.

    Spark would take DDL too, but reads it by its settings: ``timestamp`` can mean ``timestamp_ntz``, and a column
    named ``user`` can be a syntax error.
    """
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema, prefer_timestamp_ntz=True)


def is_collated(field: StructField) -> bool:
    """Whether Spark compares this string other than by its bytes (``char(n)`` is padded, and recorded aside)."""
    return " collate " in field.dataType.simpleString() or "__CHAR_VARCHAR_TYPE_STRING" in (field.metadata or {})
