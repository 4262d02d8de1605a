r"""The records of a JSON document: the elements of one array in it, a line each.

The text keeps its length and its records their places, so offsets in it are offsets in the document: what is
between two elements becomes line ends, and line ends within an element, which can only be white space, blanks.

A document that has no such array is one record, and so is what follows the array where it is not the rest of
an object. A document that ends within the array is the elements so far, and a record of what began another one; if
nothing did, of the document's head. None of these records is a JSON object: a reader finds them corrupt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator

import numpy as np
import numpy.typing as npt

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
_QUOTE, _COMMA, _SLASH = b'",\\'
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\]:]', re.DOTALL)


def document_lines(chunks: Iterator[bytes], key: str, *, max_record_bytes: int = 16 << 20) -> Iterator[bytes]:
    r"""A document as text of which each line is an element of the array, or blank.

    Args:
        chunks: the document, UTF-8, in pieces of any size; a generator is closed at the end.
        key: of the document, under which the array is; "": the document is the array.
        max_record_bytes: how much of what is before and behind the array is held to judge it.

    >>> b"".join(document_lines(iter([b'{"Records": [{"a":\n1},', b' {"a":2}]}']), "Records"))
    b'\n\n\n\n\n\n\n\n\n\n\n\n\n{"a": 1}\n\n{"a":2}\n'
    """
    try:
        head, start = yield from _before(chunks, key, max_record_bytes)
        if start is None:
            return
        yield b"\n" * start
        array = _Array()
        text = head[start:]
        while True:
            lines, end = array.feed(text)
            yield lines
            if end is not None:
                if not lines.endswith(b"\n"):
                    yield b"\n"  # a brace where the bracket should be
                yield from _behind(text[end:], chunks, key, max_record_bytes)
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


def _before(chunks: Iterator[bytes], key: str, most: int) -> Generator[bytes, None, tuple[bytes, int | None]]:
    """The text up to the array, with what else was read; and where the array's elements begin, None: nowhere."""
    parts: list[bytes] = []
    size = looked = 0
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size < 2 * looked:  # so that all the looking is linear in the text
            continue
        text, looked = b"".join(parts), size
        parts = [text]
        start = _array_start(text, key)
        if start is not None:
            return text, start
        if size > most:
            yield from _passed(text, chunks)
            return b"", None
    text = b"".join(parts)
    start = _array_start(text, key)
    if start is None:
        yield _no_object(text)
    return text, start


def _behind(text: bytes, chunks: Iterator[bytes], key: str, most: int) -> Iterator[bytes]:
    """Nothing, if the text behind the array ends the document as it should; else that text as a record."""
    parts, size = [text], len(text)
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            yield from _passed(b"".join(parts), chunks)
            return
    text = b"".join(parts)
    fine = _is_object(b'{"":0' + text) if key else not text.strip(_BLANK)
    if not fine:
        yield _no_object(text) if text.strip(_BLANK) else b"]"  # the document was not closed


def _passed(text: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What is too long to be held, as one line."""
    yield _one_line(text)
    for chunk in chunks:
        yield chunk.translate(_LINE_ENDS)


def _one_line(text: bytes) -> bytes:
    blank = len(text) - len(text.lstrip(_BLANK))
    return b"\n" * blank + text[blank:].rstrip(_BLANK).translate(_LINE_ENDS)


def _no_object(text: bytes) -> bytes:
    """A line of the text, without its last bytes if it would be an object: that is not what it should have been."""
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
    """Where the elements of the array begin, behind its bracket; None: not in this text."""
    tokens = _TOKEN.finditer(text)
    place = len(_BOM) if text.startswith(_BOM) else 0
    depth = 0
    name, named = b"", False  # the last string; whether a colon stands behind it
    for token in tokens:
        apart = not text[place : token.start()].strip(_BLANK)
        place, what = token.end(), token[0]
        if depth == 0 and (not apart or what != (b"{" if key else b"[")):
            return None
        if what == b"[" and apart and (not key or (depth == 1 and named and _is_text(name, key))):
            return place
        if what in (b"{", b"["):
            depth += 1
        elif what in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return None
        named = what == b":" and apart
        if what[:1] == b'"':
            name = what
    return None


def _is_text(token: bytes, text: str) -> bool:
    try:
        return bool(json.loads(token) == text)
    except ValueError:
        return False


class _Array:
    """Where in the array the text is, from one piece to the next."""

    def __init__(self) -> None:
        self._depth = 0  # brackets that are open within the array
        self._in_string = False
        self._odd = False  # whether an odd number of backslashes was last

    @property
    def between(self) -> bool:
        """Whether no object or string is open."""
        return self._depth == 0 and not self._in_string

    def feed(self, text: bytes) -> tuple[bytes, int | None]:
        """The next piece of text as lines; and, if the array ends in it, where: behind its bracket."""
        raw = np.frombuffer(text, np.uint8)
        # Brackets and braces are the same in these bits, and so are Y, _, y and DEL, which have no part in anything.
        places = np.flatnonzero((raw == _QUOTE) | (raw == _COMMA) | ((raw & 0xD9) == 0x59))
        signs = raw[places]
        quotes = signs == _QUOTE
        escaped = self._escaped(raw, places[quotes])
        if escaped.any():
            quotes[quotes] = ~escaped
        inside = (np.bitwise_xor.accumulate(quotes) ^ self._in_string) if len(quotes) else quotes
        kind = signs & 0xDF  # [ and { alike, ] and } alike
        steps = (kind == ord("[")).view(np.int8) - (kind == ord("]")).view(np.int8)
        steps[inside] = 0
        depths = np.cumsum(steps, dtype=np.int32) + self._depth
        ends = np.flatnonzero(depths < 0)
        length, end = len(raw), None
        if len(ends):
            last = int(ends[0])
            length = int(places[last])
            # A brace ends no array: it belongs to what stands behind.
            end = length + 1 if signs[last] == ord("]") else length
            places, signs, inside = places[:last], signs[:last], inside[:last]
            steps, depths = steps[:last], depths[:last]
            raw = raw[:length]
        lines = self._lines(raw, places, signs, inside, steps, depths)
        if len(places):
            self._depth = int(depths[-1])
            self._in_string = bool(inside[-1])
        return lines + b"\n" * ((end or length) - length), end

    def _lines(
        self, raw: npt.NDArray[np.uint8], places: npt.NDArray[np.int64], signs: npt.NDArray[np.uint8],
        inside: npt.NDArray[np.bool_], steps: npt.NDArray[np.int8], depths: npt.NDArray[np.int32],
    ) -> bytes:  # fmt: skip
        lines = raw.copy()
        ends = (raw == 0x0A) | (raw == 0x0D)
        if ends.any():
            lines[ends] = ord(" ")
        commas = places[(signs == _COMMA) & ~inside & (depths == 0)]
        lines[commas] = ord("\n")
        begins = places[(steps < 0) & (depths == 0)] + 1
        stops = places[(steps > 0) & (depths == 1)]
        if self._depth == 0:
            begins = np.concatenate([[0], begins])
        if (int(depths[-1]) if len(depths) else self._depth) == 0:
            stops = np.concatenate([stops, [len(raw)]])
        sizes = stops - begins
        if int(sizes.sum()) > len(commas):  # more than commas between elements
            between = np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))
            signs = raw[between]
            blank = (signs == 0x20) | (signs == 0x0A) | (signs == 0x0D) | (signs == 0x09)
            lines[between[blank]] = ord("\n")
        return lines.tobytes()

    def _escaped(self, raw: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which quotes come right behind an odd number of backslashes."""
        odd, self._odd = self._odd, False
        escaped: npt.NDArray[np.bool_] = raw[quotes - 1] == _SLASH
        if len(quotes) and quotes[0] == 0:
            escaped[0] = odd
        if len(raw) and raw[-1] == _SLASH:
            self._odd = self._ends_odd(raw, odd)
        behind = np.flatnonzero(escaped & (quotes > 0))
        if len(behind) == 0:
            return escaped
        slashes = np.flatnonzero(raw == _SLASH)
        begins = np.concatenate([[True], np.diff(slashes) > 1])
        first = slashes[begins][np.cumsum(begins) - 1]  # of the run that a backslash is in
        counts = slashes - first + 1 + (odd & (first == 0))
        last = np.searchsorted(slashes, quotes[behind]) - 1  # the backslash before each of these quotes
        escaped[behind] = counts[last] % 2 == 1
        return escaped

    def _ends_odd(self, raw: npt.NDArray[np.uint8], odd: bool) -> bool:
        others = np.flatnonzero(raw != _SLASH)
        count = len(raw) - 1 - int(others[-1]) if len(others) else len(raw) + odd
        return bool(count % 2)
