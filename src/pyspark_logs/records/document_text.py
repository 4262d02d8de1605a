"""The text of a file of JSON documents, held as far as a reader of documents needs it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pyspark_logs.errors import CorruptFileError
from pyspark_logs.records.brackets import Brackets

_BOM = b"\xef\xbb\xbf"
_BLANKS = re.compile(rb"[ \t\r\n\0]*")  # zero bytes are the padding of preallocated and truncated files
_LINE_END = re.compile(rb"[\r\n]")
_STRING = re.compile(rb'"[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"')
_LITERAL = re.compile(rb"(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![\w.+-])")
# Line ends are the only control characters that strings may not contain; the others are accepted in lines, too.
_CONTROLS = bytes.maketrans(bytes({*range(0x20)} - set(b"\r\n")), b" " * 30)
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_FIRST_BYTES = 4096  # of a value that are validated first, so that an error near its beginning is found quickly


class DocumentText:
    """Text that is read forwards.

    Args:
        chunks: text in UTF-8, in chunks of any size.
        limit: number of bytes after ``mark`` up to which the text is read ahead.
        read_bytes: minimum number of bytes to read at once.

    Attributes:
        text: the text that is held.
        offset: offset of ``text`` in the file.
        position: index of the next byte in ``text``.
        mark: index from which on the text is kept.
        run: index from which on the text is kept, too; None: there is none.
        damage: error that ended the text; None: there is none so far.
    """

    def __init__(self, chunks: Iterator[bytes], limit: int, read_bytes: int) -> None:
        self.chunks, self.limit, self.read_bytes = chunks, limit, read_bytes
        self.text, self.offset, self.position, self.mark = b"", 0, 0, 0
        self.run: int | None = None
        self.damage: CorruptFileError | None = None
        self._is_complete = False
        self._brackets: Brackets | None = None
        self.read_more()
        if self.text.startswith(_BOM):
            self.position = self.mark = len(_BOM)

    def read_more(self) -> bool:
        """Reads further text; returns False at the end of the file, or if the limit is reached."""
        if self._is_complete or len(self.text) - self.mark > self.limit:
            return False
        start = self.mark if self.run is None else min(self.mark, self.run)
        parts, size = [self.text[start:]], 0
        least = max(self.read_bytes, len(_BOM), len(self.text) - start)  # doubling keeps the total cost linear
        try:
            while size < least:
                chunk = next(self.chunks, None)
                if chunk is None:
                    self._is_complete = True
                    break
                parts.append(chunk)
                size += len(chunk)
        except CorruptFileError as error:
            self.damage, self._is_complete = error, True
        self.text, self._brackets = b"".join(parts), None
        self.offset += start
        self.position -= start
        self.mark -= start
        self.run = None if self.run is None else self.run - start
        return size > 0

    def drop_read_text(self) -> None:
        """Drops the text before the position, which begins within a string or ends within one."""
        self.text, self._brackets = self.text[self.position :], None
        self.offset += self.position
        self.position = self.mark = 0

    def next_sign(self) -> int | None:
        """Moves to the next byte that is not blank and returns it; None at the end."""
        while True:
            blanks = _BLANKS.match(self.text, self.position)
            self.position = blanks.end() if blanks else self.position
            if self.position < len(self.text):
                return self.text[self.position]
            if not self.read_more():
                return None

    def closing_bracket(self) -> int | None:
        """Returns the index of the bracket that closes the one at the position; None if there is none within the limit."""
        while True:
            if self._brackets is None:
                self._brackets = Brackets(self.text)
            found = self._brackets.close_of(self.position)
            if found is not None or not self.read_more():
                return found

    def scalar(self) -> bytes | None:
        """Moves past the string, number or literal at the position and returns it; None if there is no such value."""
        while True:
            pattern = _STRING if self.text[self.position : self.position + 1] == b'"' else _LITERAL
            found = pattern.match(self.text, self.position)
            if found is not None and (pattern is _STRING or found.end() < len(self.text) or not self.read_more()):
                self.position = found.end()
                return found[0]
            if found is None and (_LINE_END.search(self.text, self.position) or not self.read_more()):
                return None

    def line_end(self) -> int | None:
        """Returns the index of the end of the line at the mark; None if the line exceeds the limit."""
        searched = self.mark
        while True:
            found = _LINE_END.search(self.text, searched)
            if found is not None:
                return found.start()
            length = len(self.text) - self.mark
            if not self.read_more():
                return len(self.text) if self._is_complete else None
            searched = self.mark + length

    def has_line_end(self, start: int, end: int) -> bool:
        """Returns True if there is a line end in a range."""
        return self.text.find(b"\n", start, end) >= 0 or self.text.find(b"\r", start, end) >= 0

    def find_error(self, start: int, end: int) -> int | None:
        """Returns the index of the first error of the value in a range; None if it is valid JSON.

        The cost is that of the text before the error: first a few lines are parsed, then more and more of them.
        """
        size = _FIRST_BYTES
        while True:
            stop = end if start + size >= end else max(self.text.rfind(b"\n", start, start + size), start)
            piece = self.text[start:stop].translate(_CONTROLS).decode("latin-1")  # one character a byte
            size *= 8
            try:
                _, length = _DECODER.raw_decode(piece)
                if stop == end:
                    return None if length == len(piece) else start + length
                return start + length
            except json.JSONDecodeError as error:
                # An error at the end of some of the lines may be none of the whole value.
                if stop == end or piece[error.pos + 1 :].strip():
                    return start + error.pos
            except RecursionError:
                brackets = self._brackets or Brackets(self.text)
                return brackets.deepest(start, end)
