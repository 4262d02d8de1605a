"""Renderer of Arrow schemas as Spark's DDL."""

from __future__ import annotations

import re
from functools import cache

import pyarrow as pa
import pyarrow.types as t

from pyspark_logs.errors import OptionError
from pyspark_logs.schema.types import MAX_DEPTH, atomic_types, check_names, not_null, too_deep, unsupported


def to_ddl(schema: pa.Schema) -> str:
    """Returns an Arrow schema as Spark DDL; the inverse of :func:`parse_ddl` for the Arrow types of Spark's types.

    Other Arrow types become the Spark type that holds all their values: ``large_string`` a string, ``uint32`` a bigint,
    a timestamp of any unit a timestamp (``timestamp_ntz`` without a zone).

    Raises:
        OptionError: the argument is not a schema, or it has a type without a Spark counterpart, a non-nullable field, no
            field, or two fields of the same name (ignoring case).

    >>> import pyarrow as pa
    >>> to_ddl(pa.schema([("id", pa.uint16()), ("odd `name`", pa.list_(pa.large_string()))]))
    'id int, `odd ``name``` array<string>'
    """
    if isinstance(schema, (list, tuple)) and schema and all(isinstance(name, str) for name in schema):
        raise OptionError(
            f"schema: {schema!r} is a list of names; write Spark DDL with their types, such as 'level string', or select them with"
            " dataset(...).to_table(columns=[...])"
        )
    if not isinstance(schema, pa.Schema):
        raise OptionError(f"schema: {schema!r} is neither Spark DDL such as 'level string' nor a pyarrow.Schema")
    if len(schema) == 0:
        raise OptionError("schema names no column; give at least one")
    check_names((field.name for field in schema), "")
    return ", ".join(f"{quote_name(field.name)} {_render_field(field, field.name)}" for field in schema)


def type_name(data_type: pa.DataType) -> str:
    """Returns the DDL of a type for messages; Arrow's name of a type without a Spark counterpart.

    >>> import pyarrow as pa
    >>> type_name(pa.timestamp("us", "UTC")), type_name(pa.time32("s"))
    ('timestamp', 'time32[s]')
    """
    try:
        return _render(data_type, "")
    except OptionError:
        return str(data_type)


def all_nullable(schema: pa.Schema) -> pa.Schema:
    """Returns a schema with all fields nullable, nested fields included. Nullability is irrelevant to writers.

    >>> import pyarrow as pa
    >>> to_ddl(all_nullable(pa.schema([pa.field("id", pa.int64(), nullable=False)])))
    'id bigint'
    """
    return pa.schema([_nullable(field) for field in schema])


def _nullable(field: pa.Field) -> pa.Field:
    inner = field.type
    if t.is_struct(inner):
        inner = pa.struct([_nullable(inner.field(i)) for i in range(inner.num_fields)])
    elif t.is_map(inner):
        inner = pa.map_(_nullable(inner.key_field).type, _nullable(inner.item_field))
    elif t.is_list(inner) or t.is_large_list(inner) or t.is_fixed_size_list(inner):
        inner = pa.list_(_nullable(inner.value_field))
    return pa.field(field.name, inner)


def quote_name(name: str) -> str:
    """Returns a column name as DDL: quoted with backticks unless it has only ASCII letters, digits and underscores.

    >>> quote_name("status"), quote_name("user-agent")
    ('status', '`user-agent`')
    """
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return name
    return "`" + name.replace("`", "``") + "`"


def _render_field(field: pa.Field, path: str, depth: int = 0) -> str:
    if not field.nullable:
        raise not_null(path)
    return _render(field.type, path, depth)


def _render(data_type: pa.DataType, path: str, depth: int = 0) -> str:
    if depth == MAX_DEPTH:
        raise too_deep(path)
    if t.is_dictionary(data_type) or t.is_run_end_encoded(data_type):
        return _render(data_type.value_type, path, depth)
    if t.is_struct(data_type):
        fields = [data_type.field(i) for i in range(data_type.num_fields)]
        check_names((field.name for field in fields), path)
        inner = (
            f"{quote_name(field.name)}:{_render_field(field, f'{path}.{field.name}', depth + 1)}" for field in fields
        )
        return f"struct<{','.join(inner)}>"
    if t.is_map(data_type):
        return f"map<{_render(data_type.key_type, path, depth + 1)},{_render_field(data_type.item_field, path, depth + 1)}>"
    if t.is_list(data_type) or t.is_large_list(data_type) or t.is_fixed_size_list(data_type):
        return f"array<{_render_field(data_type.value_field, path, depth + 1)}>"
    if t.is_decimal(data_type) and 0 <= data_type.scale <= data_type.precision <= 38:
        return f"decimal({data_type.precision},{data_type.scale})"
    if t.is_timestamp(data_type):
        return "timestamp_ntz" if data_type.tz is None else "timestamp"
    name = _atomic_names().get(data_type)
    if name is None and (t.is_fixed_size_binary(data_type) or t.is_date64(data_type)):
        name = "date" if t.is_date64(data_type) else "binary"
    if name is None:
        raise unsupported(path, f"Arrow type {data_type}", "bigint" if t.is_duration(data_type) else "string")
    return name


@cache
def _atomic_names() -> dict[pa.DataType, str]:
    wider: dict[pa.DataType, str] = {
        pa.uint8(): "smallint",
        pa.uint16(): "int",
        pa.uint32(): "bigint",
        pa.uint64(): "decimal(20,0)",
    }
    wider.update({pa.float16(): "float", pa.large_string(): "string", pa.string_view(): "string"})
    wider.update({pa.large_binary(): "binary", pa.binary_view(): "binary"})
    return {data_type: name for name, data_type in atomic_types().items()} | wider
