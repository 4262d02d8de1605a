"""Brackets of JSON text: pairs of brackets outside strings, by offset.

A string ends at the end of its line at the latest, because JSON has no line ends within strings. A damaged line therefore does
not change the meaning of the lines after it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Bool = npt.NDArray[np.bool_]
Int32 = npt.NDArray[np.int32]

QUOTE, BACKSLASH = b'"\\'
_NEWLINE, _RETURN = b"\n\r"
_WINDOW = 4096  # pairs that are looked up at once
_MOST_PAIRS = 1 << 16
_MOST_LEVELS = 8  # levels whose pairs are found one level at a time


def escaped_quotes(raw: Bytes, quotes: npt.NDArray[np.intp]) -> Bool:
    """Returns a mask of the quotes that directly follow an odd number of backslashes."""
    escaped: Bool = (raw[quotes - 1] == BACKSLASH) & (quotes > 0)
    candidates = np.flatnonzero(escaped)
    if len(candidates) == 0:
        return escaped
    slashes = np.flatnonzero(raw == BACKSLASH)
    begins = np.concatenate([[True], np.diff(slashes) > 1])
    first = slashes[begins][np.cumsum(begins) - 1]  # first backslash of the run that contains each backslash
    last = np.searchsorted(slashes, quotes[candidates]) - 1  # the backslash before each of these quotes
    escaped[candidates] = (slashes - first + 1)[last] % 2 == 1
    return escaped


class Brackets:
    """The brackets and braces of a text that begins outside a string.

    Args:
        text: the text.

    Attributes:
        offsets: offsets of brackets outside strings.
        depths: number of open brackets after each of them.

    >>> brackets = Brackets(b'{"a": [1, "]"]}')
    >>> brackets.close_of(0), brackets.close_of(6), Brackets(b'{"a').close_of(0)
    (14, 13, None)
    """

    offsets: Int32
    depths: Int32

    def __init__(self, text: bytes) -> None:
        raw = np.frombuffer(text, np.uint8)
        # Maps { to [ and } to ], and also brackets and braces only.
        folded = raw & 0xDF
        is_bracket = (folded == ord("[")) | (folded == ord("]"))
        events = np.flatnonzero(is_bracket | (raw == QUOTE) | (raw == _NEWLINE) | (raw == _RETURN))
        signs = raw[events]
        is_quote = signs == QUOTE
        quotes = events[is_quote]
        if len(quotes) and b"\\" in text:
            is_quote[is_quote] = ~escaped_quotes(raw, quotes)
        count = np.cumsum(is_quote, dtype=np.int32)
        before_line = np.maximum.accumulate(np.where((signs == _NEWLINE) | (signs == _RETURN), count, 0))
        outside = ((count - before_line) & 1 == 0) & is_bracket[events]
        self.offsets = events[outside].astype(np.int32)
        self._opens: Bool = (signs[outside] & 0xDF) == ord("[")
        self.depths = np.cumsum(np.where(self._opens, 1, -1), dtype=np.int32)
        self._levels: Int32 = np.where(self._opens, self.depths, self.depths + 1)
        self._pairs: dict[int, int] = {}
        self._of_level: dict[int, tuple[Int32, Int32]] = {}
        self._of_all: tuple[Int32, Int32] | None = None

    def close_of(self, offset: int) -> int | None:
        """Returns the offset of the bracket that closes the one at an offset; None if no bracket does."""
        found = self._pairs.get(offset)
        if found is None:
            index = int(np.searchsorted(self.offsets, offset))
            if index == len(self.offsets):
                return None
            opens, closes = self._pairs_of(int(self._levels[index]))
            first = int(np.searchsorted(opens, offset))
            if first == len(opens) or opens[first] != offset:
                return None
            if len(self._pairs) > _MOST_PAIRS:
                self._pairs.clear()
            window = slice(first, first + _WINDOW)
            self._pairs.update(zip(opens[window].tolist(), closes[window].tolist(), strict=True))
            found = self._pairs[offset]
        return found

    def deepest(self, start: int, end: int) -> int:
        """Returns the offset of the deepest bracket in a range, which has one."""
        first, last = np.searchsorted(self.offsets, (start, end))
        return int(self.offsets[first + int(np.argmax(self.depths[first:last]))])

    def _pairs_of(self, level: int) -> tuple[Int32, Int32]:
        """Returns the offsets of opening and closing brackets among which are those of a level."""
        if self._of_all is not None:
            return self._of_all
        found = self._of_level.get(level)
        if found is None:
            if len(self._of_level) == _MOST_LEVELS:
                self._of_all = self._all_pairs()
                return self._of_all
            found = self._of_level[level] = _paired(np.flatnonzero(self._levels == level), self._opens, self.offsets)
        return found

    def _all_pairs(self) -> tuple[Int32, Int32]:
        order = np.argsort(self._levels, kind="stable")
        levels, opens = self._levels[order], self._opens[order]
        first = np.flatnonzero(opens[:-1] & (levels[:-1] == levels[1:]))
        begins, ends = self.offsets[order[first]], self.offsets[order[first + 1]]
        by_begin = np.argsort(begins)
        return begins[by_begin], ends[by_begin]


def _paired(indices: npt.NDArray[np.intp], opens: Bool, offsets: Int32) -> tuple[Int32, Int32]:
    """Returns the pairs of one level, at which opening and closing brackets alternate."""
    if len(indices) and not opens[indices[0]]:
        indices = indices[1:]
    count = len(indices) // 2
    return offsets[indices[0 : 2 * count : 2]], offsets[indices[1 : 2 * count : 2]]


def begins_value_of_several_lines(head: bytes) -> bool:
    r"""Returns True if a line of the beginning of a file begins a JSON value that goes on in the next line.

    A line that was cut off does not count unless the text after it can continue the value.

    >>> begins_value_of_several_lines(b'{"a":1}\n{\n"b":2}'), begins_value_of_several_lines(b'{"a":"x\n{"a":1}\n')
    (True, False)
    """
    lines = np.flatnonzero(np.frombuffer(head, np.uint8) == _NEWLINE)
    if len(lines) == 0:
        return False
    brackets = Brackets(head)
    depths = np.concatenate([[0], brackets.depths])
    at_ends = depths[np.searchsorted(brackets.offsets, lines)]
    at_starts = np.concatenate([[0], at_ends[:-1]])
    starts = np.concatenate([[0], lines[:-1] + 1])
    for row in np.flatnonzero(at_ends > at_starts).tolist():
        line, following = head[starts[row] : lines[row]].strip(), head[lines[row] :].lstrip()
        if line[:1] in (b"{", b"[") and (
            line[-1:] in (b"{", b"[", b",", b":") or following[:1] in (b"}", b"]", b",", b":")
        ):
            return True
        if line[:1] in (b"{", b"[") and following[:1] == b'"':
            return True
    return False
