"""Splitting of a line into values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class SplitValue(NamedTuple):
    """A value of a line.

    Attributes:
        text: the value without quotes.
        quoted: True if the value is quoted.
        last: True if the value is the last one of the line.
        end: index in the line after the value and its quotes.
    """

    text: str
    quoted: bool
    last: bool
    end: int


@dataclass(frozen=True)
class ValueSplitter:
    """Splits lines into values as RFC 4180 says, with any separator and quote.

    A value that begins with the quote extends to the next quote that is not doubled, and may contain separators and line
    ends. A separator or the end of the line follows the closing quote. A quote within an unquoted value is text.

    Attributes:
        separator: one character or more.
        quote: one character; None: values are not quoted.
        escapes: True if a backslash within quotes escapes a quote or a backslash. Before any other character it is text.
    """

    separator: str
    quote: str | None
    escapes: bool = False

    def split(self, line: str) -> Iterator[SplitValue]:
        """Yields the values of a line.

        Raises:
            ValueError: the next value has no closing quote, or text follows its closing quote.

        >>> [value.text for value in ValueSplitter(",", "'").split("a,'b, ''c''',")]
        ['a', "b, 'c'", '']
        """
        start = 0
        while True:
            if self.quote is not None and line.startswith(self.quote, start):
                text, end = self._quoted_value(line, start)
                quoted = True
            else:
                end = line.find(self.separator, start)
                end = len(line) if end < 0 else end
                text, quoted = line[start:end], False
            yield SplitValue(text, quoted, end == len(line), end)
            if end == len(line):
                return
            start = end + len(self.separator)

    def _quoted_value(self, line: str, start: int) -> tuple[str, int]:
        """Returns the value whose opening quote is at ``start``, and the index after its closing quote."""
        quote = self.quote or ""
        end = line.find(quote, begin := start + 1)
        while end >= 0:
            if self.escapes and _backslashes_before(line, begin, end) % 2:
                begin = end + 1
            elif line.startswith(quote, end + 1):
                begin = end + 2
            else:
                break
            end = line.find(quote, begin)
        if end < 0:
            raise ValueError(f"a quote is not closed, at byte {_byte_offset(line, start)}")
        text = self._unescape(line[start + 1 : end])
        if end + 1 < len(line) and not line.startswith(self.separator, end + 1):
            raise ValueError(f"there is text after a closing quote, at byte {_byte_offset(line, end + 1)}")
        return text, end + 1

    def _unescape(self, text: str) -> str:
        quote = self.quote or ""
        if self.escapes and "\\" in text:
            return re.sub(rf"\\([\\{re.escape(quote)}])|{re.escape(quote)}{{2}}", lambda m: m[1] or quote, text)
        return text.replace(quote + quote, quote)

    def escaped(self, text: str) -> str:
        """Returns a text as it is written within quotes."""
        for special, replacement in self.escapes_of_quoted():
            text = text.replace(special, replacement)
        return text

    def escapes_of_quoted(self) -> tuple[tuple[str, str], ...]:
        """Returns the characters that are escaped within quotes and their escapes, in the order of their replacement."""
        quote = self.quote or ""
        return (("\\", "\\\\"), (quote, "\\" + quote)) if self.escapes else ((quote, 2 * quote),)

    def appended(self, text: str) -> list[str]:
        """Returns the values of the rest of a line; from a wrong quote on, the rest is one value."""
        found: list[str] = []
        start = 0
        try:
            for value in self.split(text):
                found.append(value.text)
                start = value.end + len(self.separator)
        except ValueError:
            found.append(text[start:])
        return found

    def count(self, line: str) -> int:
        """Returns the number of values of a line; -1 if its quotes are not correct."""
        try:
            return sum(1 for _ in self.split(line))
        except ValueError:
            return -1

    def header_names(self, header: str) -> list[str]:
        """Returns the names in a header line. Blanks around unquoted names are removed."""
        try:
            return [value.text if value.quoted else value.text.strip() for value in self.split(header)]
        except ValueError:  # a header with stray quotes still names the columns
            quote = self.quote or ""
            return [name.strip().strip(quote) for name in header.split(self.separator)]


def _backslashes_before(line: str, start: int, end: int) -> int:
    """Returns the number of backslashes directly before an index, none of them before ``start``."""
    index = end
    while index > start and line[index - 1] == "\\":
        index -= 1
    return end - index


def _byte_offset(line: str, index: int) -> int:
    return len(line[:index].encode())
