r"""Lines of ``key=value`` pairs: the exact parser.

As the decoder of go-logfmt reads them: pairs stand between blanks (any character up to the space); a key is of other
characters than these, ``=`` and ``"``, and so is a value without quotes; a value in quotes has the escapes of JSON
strings. A key without ``=`` is a flag.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pyspark_logs.formats.json.values import lookup
from pyspark_logs.formats.parsed_line import ParsedLine
from pyspark_logs.formats.requested_column import RequestedColumn
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.numeric import Boolean

_WORD = r'[^\x00-\x20="]'
_PAIR = re.compile(rf'[\x00-\x20]*({_WORD}+)(?:=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|({_WORD}*)))?', re.DOTALL)
_BLANKS = re.compile(r"[\x00-\x20]*")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.?))", re.DOTALL)
_PLAIN = {'"': '"', "\\": "\\", "/": "/", "'": "'", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Pair(NamedTuple):
    """A key and its value.

    Attributes:
        text: of the value, its escapes undone; "" of a flag.
        quoted: whether it stood in quotes.
        flag: whether there is no ``=``.
        start: where the value stands in the line, without its quotes.
        end: one past it.
    """

    key: str
    text: str
    quoted: bool
    flag: bool
    start: int
    end: int


def pairs(line: str) -> Iterator[Pair]:
    r"""The pairs of a line in order.

    Raises:
        ValueError: the line is not made of pairs; those before have been given.

    >>> [(pair.key, pair.text) for pair in pairs('a=1 b="x \\"y\\"" c')]
    [('a', '1'), ('b', 'x "y"'), ('c', '')]
    """
    place = 0
    while match := _PAIR.match(line, place):
        place = match.end()
        key, inside, word = match.groups()
        text = word or "" if inside is None else unescape(inside)
        flag = inside is None and word is None
        yield Pair(key, text, inside is not None, flag, *match.span(match.lastindex or 1))
    blanks = _BLANKS.match(line, place)
    place = blanks.end() if blanks else place
    if place < len(line):
        byte = len(line[:place].encode())
        if line[place] == '"' and line[:place].endswith("="):
            raise ValueError(f"a quote is not closed, at byte {byte}")
        raise ValueError(f"{line[place]!r} is in the way at byte {byte}")


def unescape(text: str) -> str:
    r"""A quoted text with its escapes undone; half of a surrogate pair is U+FFFD.

    Raises:
        ValueError: an escape that there is not.

    >>> unescape(r"a\tb\u00e9\ud83d\ude00")
    'a\tbé😀'
    """
    if "\\" not in text:
        return text

    def plain(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2] not in _PLAIN:
            raise ValueError(f"{match[0]!r} is no escape")
        return _PLAIN[match[2]]

    found = _ESCAPE.sub(plain, text)
    if "\\u" not in text:
        return found
    return found.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@dataclass(frozen=True)
class LogfmtLineParser:
    """The exact parser.

    Attributes:
        rescued: name of the column that gets what the schema lacks, as JSON.
        null_value: what means null where it stands without quotes.
    """

    columns: tuple[RequestedColumn[str], ...]
    rescued: str | None = None
    null_value: str = "-"

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """The values of the columns."""
        found: dict[str, Pair] = {}
        try:
            for pair in pairs(line):
                found.pop(pair.key, None)  # the last one counts, and stands where it stood
                found[pair.key] = pair
        except ValueError as error:
            return ParsedLine([None] * len(self.columns), str(error))
        if all(pair.flag for pair in found.values()):
            return ParsedLine([None] * len(self.columns), "it has no key=value")
        values: list[Any] = []
        reason = general = ""
        for column in self.columns:
            try:
                values.append(self._rest(found) if self.is_rescue(column) else self._value(found, column, context))
            except ValueError as error:
                values.append(None)
                if column.judged and not reason:
                    reason, general = f"key {column.name!r}: {error}", f"key {column.name!r}: not of its type"
        return ParsedLine(values, reason, general)

    def is_rescue(self, column: RequestedColumn[str]) -> bool:
        """Whether this column gets what the schema lacks."""
        return self.rescued is not None and column.name.lower() == self.rescued.lower()

    def shown(self) -> list[RequestedColumn[str]]:
        """The columns of the schema that have a key of their own."""
        return [column for column in self.columns if column.judged and not self.is_rescue(column)]

    def _value(self, found: dict[str, Pair], column: RequestedColumn[str], context: TimestampContext) -> Any:
        name = column.source if column.source in found else lookup(found, column.source)
        pair = found[name] if name is not None else None
        if pair is None:
            return None
        if pair.flag:
            return True if isinstance(column.type, Boolean) else None
        if pair.text == self.null_value and not pair.quoted:
            return None
        if pair.text == "" and not column.type.keeps_text:
            return None
        try:
            return column.type.parse(pair.text, context)
        except ValueError as error:
            raise ValueError(f"{pair.text[:80]!r}: {error}") from error

    def _rest(self, found: dict[str, Pair]) -> str | None:
        taken = {lookup(found, column.source) for column in self.shown()}
        rest = {name: pair.text for name, pair in found.items() if name not in taken}
        return json.dumps(rest, ensure_ascii=False, separators=(",", ":")) if rest else None
