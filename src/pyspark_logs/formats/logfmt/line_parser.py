r"""Line parser of ``key=value`` pairs.

Lines are parsed as the decoder of go-logfmt parses them (https://github.com/go-logfmt/logfmt): pairs are separated by
blanks, which are all characters up to the space. A key contains neither a blank nor ``=`` nor ``"``. An unquoted value
contains neither a blank nor ``"``; that it may contain ``=``, as in ``tag=task=mock``, is an extension: the key ends at the
first ``=``. A quoted value has the escape sequences of JSON strings. A key without ``=`` is a flag.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyspark_logs.formats.column_names import KeyIndex, find_name
from pyspark_logs.formats.columnar.reasons import CorruptReason
from pyspark_logs.formats.decoding.parsed_line import ParsedLine
from pyspark_logs.formats.decoding.rejections import RejectionForm
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.timestamps.parsing import TimestampContext

_PAIR = re.compile(r'[\x00-\x20]*([^\x00-\x20="]+)(?:=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\x00-\x20"]*)))?', re.DOTALL)
_BLANKS = re.compile(r"[\x00-\x20]*")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.?))", re.DOTALL)
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "'": "'", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Pair(NamedTuple):
    """A key and its value.

    Attributes:
        key: the key.
        text: the value without quotes and escapes; "" for a flag.
        quoted: True if the value is quoted.
        flag: True if the key has no ``=``.
        start: index of the value in the line, after its quote.
        end: index of the end of the value, before its quote.
    """

    key: str
    text: str
    quoted: bool
    flag: bool
    start: int
    end: int


def pairs(line: str) -> Iterator[Pair]:
    r"""Yields the pairs of a line.

    Raises:
        ValueError: the rest of the line does not begin with a pair.

    >>> [(pair.key, pair.text) for pair in pairs('a=1 b="x \\"y\\"" c')]
    [('a', '1'), ('b', 'x "y"'), ('c', '')]
    """
    index, word = 0, None
    while match := _PAIR.match(line, index):
        index = match.end()
        key, quoted, word = match.groups()
        text = word or "" if quoted is None else unescape(quoted)
        flag = quoted is None and word is None
        yield Pair(key, text, quoted is not None, flag, *match.span(match.lastindex or 1))
    blanks = _BLANKS.match(line, index)
    index = blanks.end() if blanks else index
    if index < len(line):
        byte = len(line[:index].encode())
        if line[index] == '"' and word == "":
            raise ValueError(f"a quote is not closed, at byte {byte}")
        raise ValueError(f"unexpected {line[index]!r} at byte {byte}")


def unescape(text: str) -> str:
    r"""Replaces the escape sequences of a quoted value. An unpaired surrogate becomes U+FFFD.

    Raises:
        ValueError: an unknown escape sequence.

    >>> unescape(r"a\tb\u00e9\ud83d\ude00")
    'a\tbé😀'
    """
    if "\\" not in text:
        return text

    def replacement(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2] not in _ESCAPED:
            raise ValueError(f"{match[0]!r} is not an escape sequence")
        return _ESCAPED[match[2]]

    unescaped = _ESCAPE.sub(replacement, text)
    if "\\u" not in text:
        return unescaped
    return unescaped.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@dataclass(frozen=True)
class LogfmtLineParser:
    """Parses lines one at a time.

    Attributes:
        columns: requested columns; the source of a column is its key.
        rescued: name of the column for rescued data; None: there is no such column.
        null_value: unquoted text that is null.
    """

    columns: tuple[RequestedColumn[str], ...]
    rescued: str | None = None
    null_value: str = "-"

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """Returns the values of the columns."""
        found: dict[str, Pair] = {}
        try:
            for pair in pairs(line):
                found.pop(pair.key, None)  # the last pair of a key counts, and rescued data has it in its position
                found[pair.key] = pair
        except ValueError as error:
            return ParsedLine([None] * len(self.columns), str(error))
        if all(pair.flag for pair in found.values()):
            return ParsedLine([None] * len(self.columns), "it has no key=value")
        values: list[Any] = [None] * len(self.columns)
        reason: CorruptReason | None = None
        for index in self._keys.find(found):
            column = self.columns[index]
            if column.is_named(self.rescued):
                values[index] = self._rescue(found)
                continue
            values[index], rejection = self._value(found, column, context)
            reason = reason or rejection
        return ParsedLine(values, *(reason or ("", "")))

    @functools.cached_property
    def _keys(self) -> KeyIndex:
        return KeyIndex([None if column.is_named(self.rescued) else column.source for column in self.columns])

    @functools.cached_property
    def claiming_columns(self) -> list[RequestedColumn[str]]:
        """Columns whose keys are not rescued."""
        return [column for column in self.columns if column.judged and not column.is_named(self.rescued)]

    def _value(
        self, found: dict[str, Pair], column: RequestedColumn[str], context: TimestampContext
    ) -> tuple[Any, CorruptReason | None]:
        """Returns the value of a column, and the reason why the line is corrupt; None: the column does not make it so."""
        name = find_name(found, column.source)
        if name is None:
            return None, None
        pair = found[name]
        if pair.flag:
            return column.type.bare_key_value, None
        if pair.text == self.null_value and not pair.quoted:
            return None, None
        if pair.text == "" and not column.type.keeps_text:
            return None, None
        try:
            return column.type.parse(pair.text, context), None
        except ValueError as error:
            return None, rejection_form(column).reason(pair.text, str(error)) if column.judged else None

    def _rescue(self, found: dict[str, Pair]) -> str | None:
        """Returns the pairs that no column claims, as JSON; None if there are none."""
        claimed = {find_name(found, column.source) for column in self.claiming_columns}
        rescued = {name: pair.text for name, pair in found.items() if name not in claimed}
        return json.dumps(rescued, ensure_ascii=False, separators=(",", ":")) if rescued else None


def rejection_form(column: RequestedColumn[str]) -> RejectionForm:
    """Returns the form of the reasons of lines with a rejected value of a column."""
    head = f"key {column.name!r}"
    return RejectionForm(head, category=f"{head}: not of its type", judged=column.judged)
