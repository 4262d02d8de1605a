r"""Records of a JSON document: the elements of one of its arrays, each as a line.

The text keeps its length, so offsets in it are offsets in the document: the text between two elements becomes line ends, and
line ends within an element, which can only be white space, become spaces.

A document without the array is one record, and so is the text after the array unless it is the rest of an object. A document
that ends within the array yields the complete elements, and a record of the text of an incomplete element; if there is none,
a record of the text before the array. None of these records is a JSON object, so that a reader reports them as corrupt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator

import numpy as np
import numpy.typing as npt

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n\0"  # zero bytes are the padding of preallocated and truncated files
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
_QUOTE, _COMMA, _SLASH = b'",\\'
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\]:]', re.DOTALL)


def document_lines(chunks: Iterator[bytes], key: str, *, max_record_bytes: int = 16 << 20) -> Iterator[bytes]:
    r"""Yields a document as text in which each line is an element of the array, or blank.

    Args:
        chunks: document in UTF-8, in chunks of any size; a generator is closed at the end.
        key: key of the array in the document; "" if the document is the array.
        max_record_bytes: maximum number of bytes held before and after the array to validate the document.

    >>> b"".join(document_lines(iter([b'{"Records": [{"a":\n1},', b' {"a":2}]}']), "Records"))
    b'\n\n\n\n\n\n\n\n\n\n\n\n\n{"a": 1}\n\n{"a":2}\n'
    """
    try:
        head, start = yield from _read_to_array(chunks, key, max_record_bytes)
        if start is None:
            return
        yield b"\n" * start
        array = _ArrayScanner()
        text = head[start:]
        while True:
            lines, end = array.feed(text)
            yield lines
            if end is not None:
                if not lines.endswith(b"\n"):
                    yield b"\n"  # a brace instead of the closing bracket
                yield from _check_rest(text[end:], chunks, key, max_record_bytes)
                return
            following = next(chunks, None)
            if following is None:
                break
            text = following
        if array.between:
            yield b"\n" + _one_line(head[:start].removeprefix(_BOM))
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


def _read_to_array(chunks: Iterator[bytes], key: str, limit: int) -> Generator[bytes, None, tuple[bytes, int | None]]:
    """Returns the text read so far and the offset of the array's first element; None without the array.

    Yields the document as one record if no array is found within the limit.
    """
    parts: list[bytes] = []
    size = searched = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size < 2 * searched:  # doubling keeps the total cost of the searches linear
            continue
        text, searched = b"".join(parts), size
        parts = [text]
        start = _array_start(text, key)
        if start is not None:
            return text, start
        if size > limit:
            yield from _as_one_line(text, chunks)
            return b"", None
    text = b"".join(parts)
    start = _array_start(text, key)
    if start is None:
        yield _corrupt_line(text)
    return text, start


def _check_rest(text: bytes, chunks: Iterator[bytes], key: str, limit: int) -> Iterator[bytes]:
    """Yields nothing if the text after the array completes the document; else that text as a record."""
    parts, size = [text], len(text)
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            yield from _as_one_line(b"".join(parts), chunks)
            return
    text = b"".join(parts)
    is_complete = _is_object(b'{"":0' + text.rstrip(_BLANK)) if key else not text.strip(_BLANK)
    if not is_complete:
        yield _corrupt_line(text) if text.strip(_BLANK) else b"]"  # the closing brace is missing


def _as_one_line(text: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yields text that exceeds the limit as one line."""
    yield _one_line(text)
    for chunk in chunks:
        yield chunk.translate(_LINE_ENDS)


def _one_line(text: bytes) -> bytes:
    blank = len(text) - len(text.lstrip(_BLANK))
    return b"\n" * blank + text[blank:].rstrip(_BLANK).translate(_LINE_ENDS)


def _corrupt_line(text: bytes) -> bytes:
    """Returns the text as a line that is not a JSON object: last bytes are removed as long as it would be one."""
    line = _one_line(text)
    while line and _is_object(line.removeprefix(_BOM)):
        line = line[:-1].rstrip(_BLANK)
    return line


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text.decode("utf-8", "replace")), dict)
    except (ValueError, RecursionError):
        return False


def _array_start(text: bytes, key: str) -> int | None:
    """Returns the offset after the array's opening bracket; None if the text does not hold it."""
    tokens = _TOKEN.finditer(text)
    offset = len(_BOM) if text.startswith(_BOM) else 0
    depth = 0
    name, has_colon = b"", False  # the last string, and True if a colon follows it
    for token in tokens:
        adjacent = not text[offset : token.start()].strip(_BLANK)
        offset, symbol = token.end(), token[0]
        if depth == 0 and (not adjacent or symbol != (b"{" if key else b"[")):
            return None
        if symbol == b"[" and adjacent and (not key or (depth == 1 and has_colon and _is_text(name, key))):
            return offset
        if symbol in (b"{", b"["):
            depth += 1
        elif symbol in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return None
        has_colon = symbol == b":" and adjacent
        if symbol[:1] == b'"':
            name = symbol
    return None


def _is_text(token: bytes, text: str) -> bool:
    try:
        return bool(json.loads(token) == text)
    except ValueError:
        return False


class _ArrayScanner:
    """Scanner of the array's text that keeps its state between chunks."""

    def __init__(self) -> None:
        self._depth = 0  # number of open brackets within the array
        self._in_string = False
        self._odd = False  # True if the last chunk ended with an odd number of backslashes

    @property
    def between(self) -> bool:
        """True if no object, array or string is open."""
        return self._depth == 0 and not self._in_string

    def feed(self, text: bytes) -> tuple[bytes, int | None]:
        """Returns the next chunk as lines, and the offset after the array's closing bracket if the chunk holds it."""
        raw = np.frombuffer(text, np.uint8)
        # The mask selects brackets and braces, and also Y, _, y and DEL, which are ignored below.
        offsets = np.flatnonzero((raw == _QUOTE) | (raw == _COMMA) | ((raw & 0xD9) == 0x59))
        signs = raw[offsets]
        quotes = signs == _QUOTE
        escaped = self._escaped(raw, offsets[quotes])
        if escaped.any():
            quotes[quotes] = ~escaped
        inside = (np.bitwise_xor.accumulate(quotes) ^ self._in_string) if len(quotes) else quotes
        kind = signs & 0xDF  # maps { to [ and } to ]
        steps = (kind == ord("[")).view(np.int8) - (kind == ord("]")).view(np.int8)
        steps[inside] = 0
        depths = np.cumsum(steps, dtype=np.int32) + self._depth
        ends = np.flatnonzero(depths < 0)
        length, end = len(raw), None
        if len(ends):
            last = int(ends[0])
            length = int(offsets[last])
            # A brace does not end an array; it belongs to the text after it.
            end = length + 1 if signs[last] == ord("]") else length
            offsets, signs, inside = offsets[:last], signs[:last], inside[:last]
            steps, depths = steps[:last], depths[:last]
            raw = raw[:length]
        lines = self._lines(raw, offsets, signs, inside, steps, depths)
        if len(offsets):
            self._depth = int(depths[-1])
            self._in_string = bool(inside[-1])
        return lines + b"\n" * ((end or length) - length), end

    def _lines(
        self, raw: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], signs: npt.NDArray[np.uint8],
        inside: npt.NDArray[np.bool_], steps: npt.NDArray[np.int8], depths: npt.NDArray[np.int32],
    ) -> bytes:  # fmt: skip
        lines = raw.copy()
        ends = (raw == 0x0A) | (raw == 0x0D)
        if ends.any():
            lines[ends] = ord(" ")
        commas = offsets[(signs == _COMMA) & ~inside & (depths == 0)]
        lines[commas] = ord("\n")
        begins = offsets[(steps < 0) & (depths == 0)] + 1
        stops = offsets[(steps > 0) & (depths == 1)]
        if self._depth == 0:
            begins = np.concatenate([[0], begins])
        if (int(depths[-1]) if len(depths) else self._depth) == 0:
            stops = np.concatenate([stops, [len(raw)]])
        sizes = stops - begins
        if int(sizes.sum()) > len(commas):  # there is white space between elements
            between = np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))
            signs = raw[between]
            blank = (signs == 0x20) | (signs == 0x0A) | (signs == 0x0D) | (signs == 0x09)
            lines[between[blank]] = ord("\n")
        return lines.tobytes()

    def _escaped(self, raw: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Returns a mask of the quotes that directly follow an odd number of backslashes."""
        odd, self._odd = self._odd, False
        escaped: npt.NDArray[np.bool_] = raw[quotes - 1] == _SLASH
        if len(quotes) and quotes[0] == 0:
            escaped[0] = odd
        if len(raw) and raw[-1] == _SLASH:
            self._odd = self._ends_odd(raw, odd)
        candidates = np.flatnonzero(escaped & (quotes > 0))
        if len(candidates) == 0:
            return escaped
        slashes = np.flatnonzero(raw == _SLASH)
        begins = np.concatenate([[True], np.diff(slashes) > 1])
        first = slashes[begins][np.cumsum(begins) - 1]  # first backslash of the run that contains each backslash
        counts = slashes - first + 1 + (odd & (first == 0))
        last = np.searchsorted(slashes, quotes[candidates]) - 1  # the backslash before each of these quotes
        escaped[candidates] = counts[last] % 2 == 1
        return escaped

    def _ends_odd(self, raw: npt.NDArray[np.uint8], odd: bool) -> bool:
        others = np.flatnonzero(raw != _SLASH)
        count = len(raw) - 1 - int(others[-1]) if len(others) else len(raw) + odd
        return bool(count % 2)
