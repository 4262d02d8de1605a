"""Parser of Spark's DDL, which returns Arrow schemas."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NoReturn

import pyarrow as pa

from pyspark_logs.errors import OptionError
from pyspark_logs.schema.types import MAX_DEPTH, atomic_types, check_names, not_null, too_deep, unsupported

_ALIASES = {"byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint", "real": "float"}
_ALIASES |= {"dec": "decimal", "numeric": "decimal", "timestamp_ltz": "timestamp", "character": "char"}

_TOKEN = re.compile(
    r"\s*(?:(?P<name>`(?:[^`]|``)*`)|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")|(?P<word>\w+)|(?P<sign>[<>(),:-]))",
    re.DOTALL,
)


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
        check_names((field.name for field in fields), path)
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
        if self._depth > MAX_DEPTH:
            raise too_deep(path)
        data_type = self._bare_type(path)
        self._depth -= 1
        if self.peek().lower() == "not":
            raise not_null(path)
        return data_type

    def _bare_type(self, path: str) -> pa.DataType:
        word = self.peek().lower()
        name = _ALIASES.get(word, word)
        self.skip()
        if name in atomic_types():
            return self._string(path) if name == "string" else atomic_types()[name]
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
        raise unsupported(path, word)

    def _string(self, path: str) -> pa.DataType:
        if self.peek().lower() == "collate":
            self.skip()
            if self.peek().upper() != "UTF8_BINARY":
                raise unsupported(path, f"string collate {self.peek()}", "string")
            self.skip()
        return atomic_types()["string"]

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


def _shown(token: str) -> str:
    return repr(token) if token else "no further text"
