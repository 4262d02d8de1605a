"""Conversion of schemas between Spark's DDL and Arrow.

Spark accepts a batch only if its schema equals ``to_arrow_schema(schema, timezone="UTC")`` in every detail: the name of a
list's element, nullability, the zone of a timestamp. Schemas are DDL text in options and on their way to executors. This
module is the only implementation of the correspondence.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NoReturn

import pyarrow as pa
import pyarrow.types as t

from pyspark_logs.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALIASES = {"byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint", "real": "float"}
_ALIASES |= {"dec": "decimal", "numeric": "decimal", "timestamp_ltz": "timestamp", "character": "char"}

# Spark types that columns of logs cannot have -> the types to declare instead.
_SUBSTITUTES = {
    "interval": "bigint (a count of units) or string",
    "time": "string",
    "variant": "string (and parse_json in a query)",
    "void": "string",
    "geometry": "string",
    "geography": "string",
    **dict.fromkeys(("text", "str", "object", "json", "uuid", "ip", "word"), "string"),
    **dict.fromkeys(("datetime", "datetime64", "timestamptz", "instant"), "timestamp"),
    **dict.fromkeys(("int64", "uint32", "uint64"), "bigint"),
    **dict.fromkeys(("int32", "uint16"), "int"),
    **dict.fromkeys(("float64", "number"), "double"),
    "float32": "float",
    "bool": "boolean",
}

_TOKEN = re.compile(
    r"\s*(?:(?P<name>`(?:[^`]|``)*`)|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")|(?P<word>\w+)|(?P<sign>[<>(),:-]))",
    re.DOTALL,
)


@cache
def _atomic_types() -> dict[str, pa.DataType]:
    return {
        "string": pa.string(),
        "boolean": pa.bool_(),
        "tinyint": pa.int8(),
        "smallint": pa.int16(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "timestamp_ntz": pa.timestamp("us"),
        "binary": pa.binary(),
    }


# The detection of a format parses the schemas of all presets, each about forty times.
@lru_cache(maxsize=256)
def parse_ddl(text: str) -> pa.Schema:
    """Parses a Spark DDL schema into the Arrow schema that Spark expects for it.

    A space or a colon separates name and type. Names may be quoted with backticks, which are doubled inside. A type may
    be followed by ``COMMENT '...'``, which is ignored. Types match without case; ``char(n)`` and ``varchar(n)`` are
    strings.

    Args:
        text: DDL such as ``"level string, ts timestamp, m map<string,string>"``.

    Raises:
        OptionError: the text is not DDL, has no column, two columns of the same name (ignoring case), NOT NULL, or
            a type that columns of logs cannot have.

    >>> print(parse_ddl("level string, `the user` struct<id:bigint>"))
    level: string
    the user: struct<id: int64>
      child 0, id: int64
    """
    parser = _Parser(text)
    # PySpark accepts `struct<...>` as a schema, too.
    wrapped = parser.peek().lower() == "struct" and parser.peek(1) == "<"
    if wrapped:
        parser.skip(2)
    fields = parser.fields("", end=">" if wrapped else "")
    if wrapped:
        parser.expect(">")
    parser.expect("")
    if not fields:
        raise OptionError("schema names no column; give at least one, such as 'message string'")
    return pa.schema(fields)


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
    _check_names((field.name for field in schema), "")
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


def metadata_type() -> pa.StructType:
    """Returns the type of the column ``_metadata``. Its fields have the names of Spark's file sources; ``path_time`` and
    ``record_offset`` are further ones.

    >>> [field.name for field in metadata_type()][:2]
    ['file_path', 'file_name']
    """
    schema = parse_ddl(
        "_metadata struct<file_path:string, file_name:string, file_size:bigint, file_block_start:bigint,"
        " file_block_length:bigint, file_modification_time:timestamp, path_time:timestamp, record_offset:bigint>"
    )
    data_type: pa.StructType = schema.field(0).type
    return data_type


# Nested types are parsed, rendered and filled recursively.
_MAX_DEPTH = 128


class _Parser:
    """Recursive descent parser of DDL. The argument ``path`` of its methods names the column in errors."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        offset = 0
        end = len(text.rstrip())
        while offset < end:
            match = _TOKEN.match(text, offset)
            if match is None:
                self._fail(f"cannot be read from {text[offset:].strip()[:20]!r} on")
            self._tokens.append(match[0].lstrip())
            offset = match.end()
        self._index = 0
        self._depth = 0  # number of types that are being parsed

    def peek(self, distance: int = 0) -> str:
        """Returns the token at a distance from the next one; "" after the end."""
        index = self._index + distance
        return self._tokens[index] if index < len(self._tokens) else ""

    def skip(self, count: int = 1) -> None:
        """Skips tokens."""
        self._index += count

    def expect(self, token: str) -> None:
        """Skips a token that must be the given one; "" stands for the end of the text."""
        if self.peek().lower() != token:
            self._fail(f"has {_shown(self.peek())} where {_shown(token)} belongs")
        self._index += 1

    def fields(self, path: str, end: str) -> list[pa.Field]:
        """Parses ``name type, name type`` up to the token ``end``, which is not skipped."""
        fields: list[pa.Field] = []
        while self.peek() != end:
            if fields:
                self.expect(",")
            fields.append(self._field(path))
        _check_names((field.name for field in fields), path)
        return fields

    def _field(self, path: str) -> pa.Field:
        word = self.peek()
        if not re.match(r"[\w`]", word):
            self._fail(f"has {_shown(word)} where a column name belongs (quote odd names with backticks)")
        self.skip()
        name = word[1:-1].replace("``", "`") if word[0] == "`" else word
        path = f"{path}.{name}" if path else name
        if self.peek() == ":":
            self.skip()
        data_type = self._type(path)
        if self.peek().lower() == "comment":
            self.skip()
            if self.peek()[:1] not in ("'", '"'):
                self._fail(f"has {_shown(self.peek())} where the quoted comment of {path!r} belongs")
            self.skip()
        if self.peek() not in (",", ">", ""):
            self._fail(f"has {self.peek()!r} after the type of column {path!r}; a comma or the end belongs there")
        return pa.field(name, data_type)

    def _type(self, path: str) -> pa.DataType:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _too_deep(path)
        data_type = self._bare_type(path)
        self._depth -= 1
        if self.peek().lower() == "not":
            raise _not_null(path)
        return data_type

    def _bare_type(self, path: str) -> pa.DataType:
        word = self.peek().lower()
        name = _ALIASES.get(word, word)
        self.skip()
        if name in _atomic_types():
            return self._string(path) if name == "string" else _atomic_types()[name]
        if name in ("char", "varchar"):
            self._numbers(path, minimum=1, maximum=1)
            return pa.string()
        if name == "decimal":
            return self._decimal(path)
        if name == "array":
            self.expect("<")
            element = self._type(path)
            self.expect(">")
            return pa.list_(pa.field("element", element))
        if name == "map":
            self.expect("<")
            key = self._type(path)
            self.expect(",")
            value = self._type(path)
            self.expect(">")
            return pa.map_(key, value)
        if name == "struct":
            self.expect("<")
            fields = self.fields(path, end=">")
            self.expect(">")
            return pa.struct(fields)
        if not name:
            self._fail(f"ends where the type of column {path!r} belongs")
        if name in (",", ">"):
            self._fail(f"has no type for column {path!r}; write a type after each name")
        raise _unsupported(path, word)

    def _string(self, path: str) -> pa.DataType:
        if self.peek().lower() == "collate":
            self.skip()
            if self.peek().upper() != "UTF8_BINARY":
                raise _unsupported(path, f"string collate {self.peek()}", "string")
            self.skip()
        return _atomic_types()["string"]

    def _decimal(self, path: str) -> pa.DataType:
        numbers = self._numbers(path, minimum=1, maximum=2) if self.peek() == "(" else [10]
        precision, scale = [*numbers, 0][:2]
        if not 1 <= precision <= 38 or scale > precision:
            raise OptionError(
                f"schema: column {path!r} is decimal({precision},{scale}); the precision is 1 to 38 digits, and"
                " the scale not larger"
            )
        return pa.decimal128(precision, scale)

    def _numbers(self, path: str, minimum: int, maximum: int) -> list[int]:
        self.expect("(")
        numbers: list[int] = []
        while self.peek() != ")":
            if numbers:
                self.expect(",")
            if not re.fullmatch(r"[0-9]{1,9}", self.peek()):
                self._fail(f"has {_shown(self.peek())} where a length of column {path!r} belongs")
            numbers.append(int(self.peek()))
            self.skip()
        if not minimum <= len(numbers) <= maximum:
            self._fail(f"gives the type of column {path!r} {len(numbers)} lengths; it takes {minimum} to {maximum}")
        self.expect(")")
        return numbers

    def _fail(self, problem: str) -> NoReturn:
        raise OptionError(
            f"schema {problem}; it should be Spark DDL such as 'level string, ts timestamp': {self._text!r}"
        )


def _render_field(field: pa.Field, path: str, depth: int = 0) -> str:
    if not field.nullable:
        raise _not_null(path)
    return _render(field.type, path, depth)


def _render(data_type: pa.DataType, path: str, depth: int = 0) -> str:
    if depth == _MAX_DEPTH:
        raise _too_deep(path)
    if t.is_dictionary(data_type) or t.is_run_end_encoded(data_type):
        return _render(data_type.value_type, path, depth)
    if t.is_struct(data_type):
        fields = [data_type.field(i) for i in range(data_type.num_fields)]
        _check_names((field.name for field in fields), path)
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
        raise _unsupported(path, f"Arrow type {data_type}", "bigint" if t.is_duration(data_type) else "string")
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
    return {data_type: name for name, data_type in _atomic_types().items()} | wider


def _too_deep(path: str) -> OptionError:
    return OptionError(
        f"schema: column {path[:100]!r} has types nested deeper than {_MAX_DEPTH}; declare the inner ones as string"
    )


def _check_names(names: Iterable[str], path: str) -> None:
    seen: dict[str, str] = {}
    where = f" in {path!r}" if path else ""
    for name in names:
        if name.lower() in seen:
            raise OptionError(
                f"schema: columns {seen[name.lower()]!r} and {name!r}{where} have the same name (names match without"
                " case); rename or drop one"
            )
        seen[name.lower()] = name


def _shown(token: str) -> str:
    return repr(token) if token else "no further text"


def _not_null(path: str) -> OptionError:
    return OptionError(
        f"schema: column {path!r} is NOT NULL, but a line that does not match has no value;"
        " leave NOT NULL out, and filter with IS NOT NULL or set mode=DROPMALFORMED"
    )


def _unsupported(path: str, type_name: str, substitute: str = "") -> OptionError:
    supported = ", ".join((*_atomic_types(), "decimal(p,s)", "array<>", "map<,>", "struct<>"))
    hint = substitute or _SUBSTITUTES.get(type_name) or f"one of {supported}"
    return OptionError(f"schema: column {path!r} has the unsupported type {type_name}; use {hint}")
