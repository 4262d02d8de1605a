"""Reference parser of logfmt lines, one character at a time; engines must agree with it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pyarrow as pa

from tests.reference.delimited import value_of
from tests.reference.json_lines import key_of, text_of


class Value(NamedTuple):
    """Text of a value, and its syntax: ``flag``, ``word`` or ``quoted``."""

    text: str
    kind: str


ESCAPES = {'"': '"', "\\": "\\", "/": "/", "'": "'", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def quoted_text(line: str, at: int) -> tuple[str, int]:
    """Returns the text after an opening quote, and the index after the closing one.

    Raises:
        ValueError: the closing quote is missing, or an escape is invalid.
    """
    text = ""
    while line[at : at + 1] != '"':
        if at >= len(line):
            raise ValueError("not closed")
        if line[at] != "\\":
            text += line[at]
            at += 1
        elif line[at + 1 : at + 2] == "u":
            digits = line[at + 2 : at + 6]
            if len(digits) < 4 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
                raise ValueError("not four digits")
            text += chr(int(digits, 16))
            at += 6
        else:
            text += ESCAPES.get(line[at + 1 : at + 2]) or refuse()
            at += 2
    # json joins surrogate pairs; text_of replaces unpaired surrogates.
    return text_of(json.loads(json.dumps(text))), at + 1


def refuse() -> str:
    raise ValueError("no such escape")


def pairs_of(line: str) -> dict[str, Value]:
    """Returns values by key, the last one for equal keys; raises ValueError if the line has anything else."""
    found: dict[str, Value] = {}
    at = 0
    while True:
        while at < len(line) and line[at] <= " ":
            at += 1
        if at == len(line):
            return found
        key = ""
        while at < len(line) and line[at] > " " and line[at] not in '="':
            key += line[at]
            at += 1
        if not key or line[at : at + 1] == '"':
            raise ValueError("no key")
        value = Value("", "flag")
        if line[at : at + 1] == "=":
            at += 1
            if line[at : at + 1] == '"':
                text, at = quoted_text(line, at + 1)
                value = Value(text, "quoted")
            else:
                text = ""
                while at < len(line) and line[at] > " ":
                    if line[at] == '"':
                        raise ValueError("not a word")
                    text += line[at]
                    at += 1
                value = Value(text, "word")
        found.pop(key, None)
        found[key] = value


def reference_logfmt(
    line: bytes, schema: pa.Schema, zone: str = "UTC", rescued: str | None = None, null_value: str = "-"
) -> tuple[dict[str, Any], bool]:
    r"""Returns the values of the columns, and True if the line is corrupt.

    >>> reference_logfmt(b'a=1 b="x\\ty" c', pa.schema([("a", "int32"), ("b", "string"), ("c", "bool")]))
    ({'a': 1, 'b': 'x\ty', 'c': True}, False)
    """
    values: dict[str, Any] = dict.fromkeys(schema.names)
    try:
        found = pairs_of(line.decode(errors="replace"))
    except ValueError:
        return values, True
    if all(value.kind == "flag" for value in found.values()):
        return values, True
    corrupt = False
    for field in schema:
        key = key_of(found, field.name)
        if field.name == rescued or key is None:
            continue
        text, kind = found[key]
        if kind == "flag":
            values[field.name] = True if pa.types.is_boolean(field.type) else None
        elif (kind == "word" and text == null_value) or (text == "" and not pa.types.is_string(field.type)):
            continue
        else:
            try:
                values[field.name] = value_of(text, field.type, zone)
            except (ValueError, ArithmeticError):
                corrupt = True
    rest = {name: value.text for name, value in found.items()}
    for name in schema.names:
        if name != rescued and (key := key_of(found, name)) is not None:
            rest.pop(key, None)
    if rescued in values and rest:
        values[str(rescued)] = json.dumps(rest, ensure_ascii=False, separators=(",", ":"))
    return values, corrupt
