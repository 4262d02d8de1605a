r"""Splits of files whose quoted values may contain line ends.

A line either begins a record, or is within the quotes of a record that began before it. The quotes before the line decide, and
a split does not read these. The text after the line often suffices as a proof: it is scanned as if the line were within quotes.
If this scan finds a syntax error, or no end of the record within ``max_record_bytes``, then the line begins a record. The start
of a split is moved to the first line with such a proof. The split before it ends at the same line, because both scan the same
text.

The first line of a split nearly always has a proof. Where lines have quotes, the next quote opens a value, and the byte after it
cannot follow a closing quote. Where lines have no quotes, the scan reads ``max_record_bytes``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from pyspark_logs.records.quoting import QuotedText, QuoteRule

_SEARCH_BYTES = 64 << 10  # read at once to find the next quote
_MARGIN = 1 << 10  # read beyond the limit: more than a separator and a line end


def align_split(
    chunks: Iterator[bytes],
    start: int,
    length: int,
    rule: QuoteRule,
    *,
    encoding: str = "utf-8",
    max_record_bytes: int = 16 << 20,
) -> tuple[int, Generator[bytes, None, None]]:
    r"""Returns the offset to which a split is moved, and its text up to the beginning of the next split.

    Args:
        chunks: bytes of the file from ``max(start - 1, 0)`` on. A generator is closed at the end.
        start: offset of the split.
        length: length of the split.
        rule: rule by which values are quoted.
        encoding: encoding of the text.
        max_record_bytes: length of the longest record.

    Returns:
        The offset of the first line, and chunks from ``max(offset - 1, 0)`` on.

    >>> text = b'1,"a\nb"\n2,"c"\n'
    >>> offset, chunks = align_split(iter([text[3:]]), 4, 6, QuoteRule(",", '"'))
    >>> offset, b"".join(chunks)
    (8, b'\n2,"c"\n')
    """
    finder = _RecordFinder(chunks, QuotedText(rule, encoding), max_record_bytes)
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
    return finder.first_record(offset)


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
            chunk = next(finder.chunks, None)
            if chunk is None:
                return
            text = chunk
        before = max(end - 1 - offset, 0)
        yield text[:before]
        yield from finder.pieces_before_line_end(text[before:])
        last, _ = finder.first_record(0)
        yield finder.seen[:last]
    finally:
        if isinstance(finder.chunks, Generator):
            finder.chunks.close()


class _RecordFinder:
    """Finds lines that are proven to begin a record.

    Attributes:
        chunks: chunks that were not taken.
        seen: text from the offset of the last search on.
    """

    def __init__(self, chunks: Iterator[bytes], syntax: QuotedText, limit: int) -> None:
        self.chunks, self.syntax, self.limit = chunks, syntax, limit
        self.seen = b""

    def pieces_before_line_end(self, text: bytes) -> Iterator[bytes]:
        """Yields a text up to its first line end, in chunks, so that a long line is not held in memory.

        Afterwards, the attribute ``seen`` begins with the line end, or is empty at the end of the file.
        """
        while (newline := text.find(b"\n")) < 0:
            yield text
            chunk = next(self.chunks, None)
            if chunk is None:
                self.seen = b""
                return
            text = chunk
        self.seen = text[newline:]
        yield text[:newline]

    def first_record(self, offset: int) -> tuple[int, bytes]:
        """Returns the offset of the first line in ``seen`` that surely begins a record, and the text from there on.

        Args:
            offset: offset of ``seen``, which begins with a line end or is empty.
        """
        line = self._next_line(0)
        while line < len(self.seen) and not self._surely_begins(line):
            line = self._next_line(line)
        return offset + line, self.seen[line:]

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
            is_last = is_last or len(self.seen) - line > self.limit + _MARGIN
            result = self.syntax.may_continue(self.seen, line, self.limit, is_last=is_last)
        return not result

    def _read_quote(self, line: int, least: int) -> bool:
        """Adds chunks up to a quote, ``least`` bytes at least, or up to the limit after a line; False at the end of the file."""
        parts, size = [self.seen], len(self.seen)
        end, has_quote = size + least, False
        while size - line <= self.limit + _MARGIN and not (has_quote and size >= end):
            chunk = next(self.chunks, None)
            if chunk is None:
                self.seen = b"".join(parts)
                return False
            parts.append(chunk)
            size += len(chunk)
            has_quote = has_quote or self.syntax.quote in chunk
        self.seen = b"".join(parts)
        return True

    def _read(self) -> bool:
        """Adds a chunk to the text; False at the end of the file."""
        chunk = next(self.chunks, None)
        if chunk is None:
            return False
        self.seen += chunk
        return True
