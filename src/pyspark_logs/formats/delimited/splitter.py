"""Splitting of a line into values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple


class SplitValue(NamedTuple):
    """A value of a line.

    Attributes:
        text: the value without quotes.
        quoted: True if the value is quoted.
        last: True if the value is the last one of the line.
    """

    text: str
    quoted: bool
    last: bool


@dataclass(frozen=True)
class ValueSplitter:
    """Splits lines into values as RFC 4180 says, with any separator and quote.

    A value that begins with the quote extends to the next quote that is not doubled, and may contain the separator. A
    separator or the end of the line follows the closing quote. A quote within an unquoted value is text.

    Attributes:
        separator: one character or more.
        quote: one character; None: values are not quoted.
    """

    separator: str
    quote: str | None

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
            yield SplitValue(text, quoted, end == len(line))
            if end == len(line):
                return
            start = end + len(self.separator)

    def _quoted_value(self, line: str, start: int) -> tuple[str, int]:
        """Returns the value whose opening quote is at ``start``, and the index after its closing quote."""
        quote = self.quote or ""
        end = line.find(quote, start + 1)
        while end >= 0 and line.startswith(quote, end + 1):
            end = line.find(quote, end + 2)
        if end < 0:
            raise ValueError(f"a quote is not closed, at byte {_byte_offset(line, start)}")
        text = line[start + 1 : end].replace(quote + quote, quote)
        if end + 1 < len(line) and not line.startswith(self.separator, end + 1):
            raise ValueError(f"there is text after a closing quote, at byte {_byte_offset(line, end + 1)}")
        return text, end + 1

    def header_names(self, header: str) -> list[str]:
        """Returns the names in a header line. Blanks around unquoted names are removed."""
        try:
            return [value.text if value.quoted else value.text.strip() for value in self.split(header)]
        except ValueError:  # a header with stray quotes still names the columns
            quote = self.quote or ""
            return [name.strip().strip(quote) for name in header.split(self.separator)]


def _byte_offset(line: str, index: int) -> int:
    return len(line[:index].encode())
