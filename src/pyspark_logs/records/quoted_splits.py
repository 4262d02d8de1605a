r"""Splits of files whose quoted values may contain line ends.

A line either begins a record, or is within the quotes of a record that began before it. The quotes before the line decide, and
a split does not read these. The text after the line often suffices as a proof: it is scanned as if the line were within quotes.
If this scan finds a syntax error, or no end of the record within ``max_record_bytes``, then the line begins a record. The start
of a split is moved to the first line with such a proof. The split before it ends at the same line, because both scan the same
text.

The first line of a split nearly always has a proof. Where lines have quotes, the next quote opens a value, and the byte after it
cannot follow a closing quote. Where lines have no quotes, the scan reads ``max_record_bytes``. These chunks are not joined, and
are released one by one as the split is read, because several splits are read at the same time. :class:`SearchedText` counts them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from pyspark_logs.records.quoting import QuotedText, QuoteRule

_SEARCH_BYTES = 64 << 10  # read at once to find the next quote
_MARGIN = 1 << 10  # read beyond the limit: more than a separator and a line end


@dataclass
class SearchedText:
    """The text that the search for the first record of a split has read, and that was not passed on.

    Attributes:
        size: its size in bytes.
    """

    size: int = 0


def align_split(
    chunks: Iterator[bytes],
    start: int,
    length: int,
    rule: QuoteRule,
    *,
    encoding: str = "utf-8",
    max_record_bytes: int = 16 << 20,
    searched: SearchedText | None = None,
) -> tuple[int, Generator[bytes, None, None]]:
    r"""Returns the offset to which a split is moved, and its text up to the beginning of the next split.

    Args:
        chunks: bytes of the file from ``max(start - 1, 0)`` on. A generator is closed at the end.
        start: offset of the split.
        length: length of the split.
        rule: rule by which values are quoted.
        encoding: encoding of the text.
        max_record_bytes: length of the longest record.
        searched: receiver of the size of the text that is held; None: it is of no interest.

    Returns:
        The offset of the first line, and chunks from ``max(offset - 1, 0)`` on.

    >>> text = b'1,"a\nb"\n2,"c"\n'
    >>> offset, chunks = align_split(iter([text[3:]]), 4, 6, QuoteRule(",", '"'))
    >>> offset, b"".join(chunks)
    (8, b'\n2,"c"\n')
    """
    finder = _RecordFinder(chunks, QuotedText(rule, encoding), max_record_bytes, searched or SearchedText())
    begin, text = (0, b"") if start == 0 else _first_record(finder, start, start + length)
    return begin, _until(finder, begin, text, start + length)


def _first_record(finder: _RecordFinder, start: int, end: int) -> tuple[int, bytes]:
    """Returns the offset of the first record of a split, and the text from there on; ``end`` if no line begins before it."""
    offset = start - 1
    pieces = finder.pieces_before_line_end(b"")
    for piece in pieces:
        offset += len(piece)
        if offset >= end - 1:  # the line goes on after the split
            return end, b""
    line = finder.first_record()
    return offset + line, finder.take_seen()[line:]


def _until(finder: _RecordFinder, begin: int, text: bytes, end: int) -> Generator[bytes, None, None]:
    """Yields the line end before ``begin`` and the text up to the first record that surely begins at or after ``end``."""
    offset = begin
    try:
        if begin >= end > 0:
            return
        if begin > 0:
            yield b"\n"
        while offset + len(text) < end:
            yield text
            offset += len(text)
            chunk = finder.take()
            if chunk is None:
                return
            text = chunk
        before = max(end - 1 - offset, 0)
        yield text[:before]
        yield from finder.pieces_before_line_end(text[before:])
        text = b""
        last = finder.first_record()
        yield finder.seen[:last]
    finally:
        if isinstance(finder.chunks, Generator):
            finder.chunks.close()


class _RecordFinder:
    """Finds lines that are proven to begin a record.

    Attributes:
        chunks: chunks that were not read.
        seen: text from the offset of the last search on.
    """

    def __init__(self, chunks: Iterator[bytes], syntax: QuotedText, limit: int, searched: SearchedText) -> None:
        self.chunks, self.syntax, self.limit, self._searched = chunks, syntax, limit, searched
        self.seen = b""
        self._ahead: deque[bytes] = deque()  # chunks after ``seen`` that were read

    def take(self) -> bytes | None:
        """Returns the next chunk; None at the end of the file."""
        if not self._ahead:
            return next(self.chunks, None)
        chunk = self._ahead.popleft()
        self._searched.size -= len(chunk)
        return chunk

    def take_seen(self) -> bytes:
        """Returns ``seen``, which is no longer held."""
        seen, self.seen = self.seen, b""
        return seen

    def pieces_before_line_end(self, text: bytes) -> Iterator[bytes]:
        """Yields a text up to its first line end, in chunks, so that a long line is not held in memory.

        Afterwards, the attribute ``seen`` begins with the line end, or is empty at the end of the file.
        """
        while (newline := text.find(b"\n")) < 0:
            yield text
            chunk = self.take()
            if chunk is None:
                self.seen = b""
                return
            text = chunk
        self.seen = text[newline:]
        yield text[:newline]

    def first_record(self) -> int:
        """Returns the index of the first line in ``seen``, which begins with a line end or is empty, that surely begins a record."""
        line = self._next_line(0)
        while line < len(self.seen) and not self._surely_begins(line):
            line = self._next_line(line)
        return line

    def _next_line(self, index: int) -> int:
        """Returns the index after the next line end; the end of the text if there is none."""
        searched = index
        while True:
            newline = self.seen.find(b"\n", searched)
            if newline >= 0:
                if newline + 1 == len(self.seen):
                    self._read()
                return newline + 1
            searched = len(self.seen)
            if not self._read():
                return len(self.seen)

    def _surely_begins(self, line: int) -> bool:
        """Returns True if no record goes on at a line: the text from there on is not correct if it begins within quotes."""
        result = self.syntax.may_continue(self.seen, line, self.limit)
        while result is None:
            # The text is doubled, so that each byte is searched a few times at most.
            is_last = not self._read_quote(line, max(_SEARCH_BYTES, len(self.seen) - line))
            is_last = is_last or self._size() - line > self.limit + _MARGIN
            if is_last and not self._has_quote(line):
                return True
            self.seen = b"".join([self.take_seen(), *self._ahead])
            self._ahead.clear()
            self._searched.size = 0
            result = self.syntax.may_continue(self.seen, line, self.limit, is_last=is_last)
        return not result

    def _size(self) -> int:
        return len(self.seen) + self._searched.size

    def _has_quote(self, line: int) -> bool:
        """Returns True if a quote may be in the text from a line on."""
        quote = self.syntax.quote
        # A quote of several bytes may extend over two chunks.
        return len(quote) > 1 or self.seen.find(quote, line) >= 0 or any(quote in chunk for chunk in self._ahead)

    def _read_quote(self, line: int, least: int) -> bool:
        """Reads chunks up to a quote, ``least`` bytes at least, or up to the limit after a line; False at the end of the file."""
        size = self._size()
        end, has_quote = size + least, False
        while size - line <= self.limit + _MARGIN and not (has_quote and size >= end):
            chunk = next(self.chunks, None)
            if chunk is None:
                return False
            self._ahead.append(chunk)
            self._searched.size += len(chunk)
            size += len(chunk)
            has_quote = has_quote or self.syntax.quote in chunk
        return True

    def _read(self) -> bool:
        """Adds a chunk to ``seen``; False at the end of the file."""
        chunk = self.take()
        if chunk is None:
            return False
        self.seen += chunk
        return True
