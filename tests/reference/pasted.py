"""Reference parser of pasted formats.

It is independent of templates: a test describes a format as a list of literals and values, and each value describes its
syntax. The functions implement one rule each of the servers' documentation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Value:
    """A value of a format.

    Attributes:
        name: name of the column.
        type: ``string``, ``int``, ``double``, ``epoch`` or a strptime pattern.
        spelling: escapes of the text: ``hex`` (nginx), ``c`` (Apache) or ``json``; empty: none.
        quoted: True if double quotes around the text are part of the value.
        listed: True if further items after ``, `` or `` : `` belong to the value.
        pad: minimum width, and True if the text is padded on the left.
        nulls: texts that are null.
        form: regular expression of the strings that the value may be; empty: any.
        last: the text after the value, whose last occurrence before the second text ends the value; empty: the first
            occurrence does.
    """

    name: str
    type: str = "string"
    spelling: str = ""
    quoted: bool = False
    listed: bool = False
    pad: tuple[int, bool] | None = None
    nulls: tuple[str, ...] = ("", "-")
    form: str = ""
    last: tuple[str, str] = ("", "")


Part = str | Value


class MismatchError(Exception):
    """A line that does not match the format."""


def parse(parts: list[Part], line: str) -> tuple[dict[str, object], bool]:
    """Returns the values of a line, None for values that are not of their type, and True if the line is corrupt."""
    names = [part.name for part in parts if isinstance(part, Value)]
    values: dict[str, object] = dict.fromkeys(names)
    corrupt = False
    at = 0
    try:
        for part, stop in zip(parts, [*parts[1:], None], strict=True):
            if isinstance(part, str):
                if not line.startswith(part, at):
                    raise MismatchError(part)
                at += len(part)
                continue
            text, at, bad = take(part, stop, line, at)
            if text is None or text in part.nulls:
                corrupt |= bad and text is None
                continue
            try:
                if bad:
                    raise ValueError("its quotes are not closed")
                value = convert(unescape(text, part.spelling), part.type)
                if part.form and not re.fullmatch(part.form, str(value), re.DOTALL):
                    raise ValueError("not of the form")
                values[part.name] = value
            except (ValueError, OverflowError):
                corrupt = True
        if at < len(line):
            raise MismatchError("text after the last value")
    except MismatchError:
        return dict.fromkeys(names), True
    return values, corrupt


def take(part: Value, stop: Part | None, line: str, at: int) -> tuple[str | None, int, bool]:
    """Returns the text of a value, its end, and True if the text does not have the syntax of the value."""
    assert stop is None or isinstance(stop, str), "a value must end in these formats"
    width, before = part.pad or (0, False)
    if before:
        spaces = 0
        while spaces < width and line.startswith(" ", at + spaces):
            spaces += 1
        at += spaces
    if part.quoted or part.listed or "%" in part.type:
        end = (
            {True: quoted_end, False: listed_end}[part.quoted](line, at)
            if "%" not in part.type
            else time_end(part, line, at)
        )
        if end is not None and (line.startswith(stop, end) if stop is not None else end == len(line)):
            return (line[at + 1 : end - 1] if part.quoted else line[at:end]), end, False
        if end is not None and stop is None:
            raise MismatchError("text after the last value")
    end = len(line) if stop is None else line.find(stop, at)
    if stop is not None and part.last != ("", ""):
        separator, limit = part.last
        assert separator == stop
        bound = line.rfind(")") if limit == "\n" else line.find(limit, end + len(stop)) if end >= 0 else -1
        end = line.rfind(stop, at, bound) if bound >= 0 else -1
    if end < 0:
        raise MismatchError(str(stop))
    text = line[at:end]
    bad = part.quoted or part.listed or "%" in part.type
    if part.pad and not before:
        text = text.rstrip(" ")
        if stop is not None and not stop.strip(" "):
            left = width - len(text)
            while left > 0 and line.startswith(stop, end + 1):
                left, end = left - 1, end + 1
    return text, end, bad


def quoted_end(line: str, at: int) -> int | None:
    """Returns the index after the closing quote of the text that begins at an index, None if there is none."""
    if not line.startswith('"', at):
        return None
    at += 1
    while at < len(line):
        if line[at] == '"':
            return at + 1
        at += 2 if line[at] == "\\" else 1
    return None


def listed_end(line: str, at: int) -> int | None:
    """Returns the index after the last item of a list whose items are separated by ``, `` or `` : ``."""
    items = re.compile(r"[^ ]+")
    item = items.match(line, at)
    while item is not None:
        more = None
        if item[0].endswith(",") and line.startswith(" ", item.end()):
            more = items.match(line, item.end() + 1)
        if more is None and line.startswith(" : ", item.end()):
            more = items.match(line, item.end() + 3)
        if more is None:
            return item.end()
        item = more
    return None


def time_end(part: Value, line: str, at: int) -> int | None:
    """Returns the index after the time that begins at an index; times have 13 to 32 characters."""
    for end in range(min(len(line), at + 32), at + 12, -1):
        try:
            instant(line[at:end], part.type)
        except ValueError:
            continue
        return end
    return None


def instant(text: str, pattern: str) -> datetime:
    digits = {"%3f": 3, "%6f": 6}
    for directive, count in digits.items():
        if directive in pattern and not re.search(rf"[.,]\d{{{count}}}(?!\d)", text):
            raise ValueError("another fraction")
    plain = pattern.replace("%3f", "%f").replace("%6f", "%f").replace("%:z", "%z")
    if not text.isascii() or not re.fullmatch(r"[ -~]+", text) or re.search(r"[+-]\d\d(:?\d\d){2}", text[-9:]):
        raise ValueError("not a time")
    found = datetime.strptime(text, plain)
    return found if found.tzinfo is not None else found.replace(tzinfo=timezone.utc)


ESCAPES = {
    "hex": {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"},
    "c": {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "v": "\v", "f": "\f"},
    "json": {'"': '"', "\\": "\\", "/": "/", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"},
}


def unescape(text: str, spelling: str) -> str:
    """Returns the text with its escapes resolved; invalid escapes are kept."""
    if not spelling:
        return text
    raw, at = b"", 0
    while at < len(text):
        following = text[at + 1 : at + 2]
        code = re.compile(r"\\u([0-9a-fA-F]{4})" if spelling == "json" else r"\\x([0-9a-fA-F]{2})").match(text, at)
        if code is not None and spelling == "json":
            raw += chr(int(code[1], 16)).encode("utf-8", "surrogatepass")
        elif code is not None:
            raw += bytes.fromhex(code[1])
        elif text[at] == "\\" and following in ESCAPES[spelling] and following:
            raw += ESCAPES[spelling][following].encode()
            at += 2
            continue
        else:
            raw += text[at].encode("utf-8", "surrogatepass")
        at += 1 if code is None else len(code[0])
    if spelling == "json":
        units = raw.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
        return units.decode("utf-16-le", "replace")
    return raw.decode("utf-8", "replace")


def convert(text: str, kind: str) -> object:
    """Returns the value of a text; raises ValueError if it is not of the type."""
    if kind == "string":
        return text
    if kind in ("int", "long"):
        if not re.fullmatch(r"[+-]?[0-9]+", text) or not -(2**63) <= int(text) < 2**63:
            raise ValueError("not a whole number")
        if kind == "int" and not -(2**31) <= int(text) < 2**31:
            raise ValueError("too large")
        return int(text)
    if kind == "double":
        if not re.fullmatch(
            r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(?i:nan|inf|infinity)", text, re.ASCII
        ):
            raise ValueError("not a number")
        return float(text)
    if kind == "epoch":
        number = re.fullmatch(r"(-?)([0-9]+)(?:\.([0-9]*))?", text)
        if number is None:
            raise ValueError("not a count of seconds")
        micros = int(number[2] + (number[3] or "").ljust(6, "0")[:6])
        return EPOCH + timedelta(microseconds=-micros if number[1] else micros)
    return instant(text, kind)
