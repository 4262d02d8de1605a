r"""Joins the lines of a record whose quoted values contain line ends, as RFC 4180 says (section 2, rule 6).

A value is quoted if it begins with the quote. It ends at the next quote that is not doubled, and a separator or a line end
follows. A line that ends within a quoted value is joined with the lines after it if the resulting record is correct to its end
and is not longer than the limit. Otherwise the line is a record by itself, and the lines after it are read as if it were not
there: a stray quote never consumes other records.

https://www.rfc-editor.org/rfc/rfc4180
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from pyspark_logs.records.blocks import LARGEST_RECORD_BYTES
from pyspark_logs.records.byte_search import byte_offsets
from pyspark_logs.records.joining import OnJoin
from pyspark_logs.records.lines import Lines, begins_with, concatenate_lines, cut_lines, in_blocks

BACKSLASH = b"\\"
_MALFORMED = -1  # instead of the end of a record: text follows a closing quote
_OPEN = -2  # instead of the end of a record: the text ends within a quoted value


@dataclass(frozen=True)
class QuoteRule:
    """The rule by which values are quoted.

    Attributes:
        separator: one character or more between values.
        quote: one character around quoted values.
        escapes: True if a backslash escapes a quote or a backslash within quotes. False: a record is read with
            escapes only if it is not correct without them.
        unquoted_start: prefix of the first line of texts in which nothing is quoted; empty: there are none.
    """

    separator: str
    quote: str
    escapes: bool = False
    unquoted_start: str = ""


class _Syntax:
    """A rule in the encoding of a text.

    Args:
        rule: the rule.
        encoding: encoding of the text.
        comment_prefix: prefix of lines that have no values, unless they begin within quotes; None: there are none.
    """

    def __init__(self, rule: QuoteRule, encoding: str, comment_prefix: bytes | None) -> None:
        self.separator, self.quote = rule.separator.encode(encoding), rule.quote.encode(encoding)
        self.escapes, self.comment = rule.escapes, comment_prefix or b""
        self.is_simple = len(self.quote) == 1 and len(self.separator) == 1


def join_quoted(
    blocks: Iterator[Lines], rule: QuoteRule, *, encoding: str = "utf-8", comment_prefix: bytes | None = None,
    max_record_bytes: int = 16 << 20, on_join: OnJoin | None = None, to_join: bool = False,
) -> Iterator[Lines]:  # fmt: skip
    r"""Yields the records in the lines of a whole text; blocks without quoted line ends are yielded unchanged.

    Memory is bounded by three times ``max_record_bytes`` and a few blocks.

    Args:
        blocks: blocks from :func:`read_lines` with ``all_blocks``.
        rule: rule by which values are quoted.
        encoding: encoding of the lines, one for which :func:`preserves_ascii` is true.
        comment_prefix: prefix of lines that have no values, unless they begin within quotes; None: there are none.
        max_record_bytes: length of the longest record that lines are joined to; at most 512 MiB.
        on_join: function that is called with the number of lines of a block that are joined to the line before them, and the
            offset of the first record with such lines.
        to_join: True to yield blocks without records, too, as :func:`read_lines` does.

    >>> from pyspark_logs.records.lines import read_lines
    >>> blocks = read_lines(iter([b'1,"one\ntwo"\n3,"open\n4,x\n']))
    >>> [lines.record(i) for lines in join_quoted(blocks, QuoteRule(",", '"')) for i in range(len(lines))]
    [b'1,"one\ntwo"', b'3,"open', b'4,x']
    """
    joiner = _QuoteJoiner(_Syntax(rule, encoding, comment_prefix), min(max_record_bytes, LARGEST_RECORD_BYTES), on_join)
    unquoted_start = rule.unquoted_start.encode(encoding)
    is_quoted: bool | None = None  # unknown before the first record
    for lines in blocks:
        if is_quoted is None and len(lines):
            is_quoted = not unquoted_start or not lines.record(0).startswith(unquoted_start)
        for records in joiner.add(lines) if is_quoted else [lines]:
            if len(records) or to_join:
                yield records
    yield from joiner.close()


class _QuoteJoiner:
    """Joins lines across blocks, holding those of a record that has not ended."""

    def __init__(self, syntax: _Syntax, limit: int, on_join: OnJoin | None) -> None:
        self.syntax, self.limit, self.on_join = syntax, limit, on_join
        self.held: list[Lines] = []  # the lines from the beginning of an open record on, and later blocks
        self.needed = 0  # bytes to add to the held ones before they are searched again
        self.has_quote = False  # True if a block was added that may end the open record

    def add(self, lines: Lines) -> Iterator[Lines]:
        """Yields the records that are complete with a block."""
        if lines.full_length is not None:  # an open record that contains this line would exceed the limit, too
            yield from self.close()
            yield lines
            return
        if not self.held:
            yield from self._join(lines, is_last=False)
            return
        self.held.append(lines)
        self.has_quote = self.has_quote or self.syntax.quote in lines.block
        added = sum(len(held.block) for held in self.held[1:])
        # The text is searched again when it has doubled, so that each byte is searched a few times at most.
        is_full = added + len(self.held[0].block) > self.limit
        if is_full or (added >= self.needed and self.has_quote):
            yield from self._join(self._take_held(), is_last=False)

    def close(self) -> Iterator[Lines]:
        """Yields the records of the held lines, to which no line can be added."""
        if self.held:
            yield from self._join(self._take_held(), is_last=True)

    def _take_held(self) -> Lines:
        held, self.held = self.held, []
        return concatenate_lines(held)

    def _join(self, lines: Lines, *, is_last: bool) -> Iterator[Lines]:
        candidates = _find_candidates(lines, self.syntax)
        if not len(candidates):
            yield from in_blocks(lines)
            return
        scanner = _Scanner(self.syntax, lines.block)
        starts, ends = lines.starts, lines.ends.copy()
        keep = np.ones(len(lines), np.bool_)
        done, open_row, joined, first_joined = 0, len(lines), 0, -1
        for row in candidates.tolist():
            start = int(starts[row])
            if start < done:
                continue
            may_grow = not is_last and len(lines.block) - start <= self.limit
            end = scanner.record_end(start, int(ends[row]), self.limit, may_grow=may_grow)
            if end == _OPEN and may_grow:
                open_row = row
                break
            if end > ends[row]:
                following = int(np.searchsorted(starts, end))
                keep[row + 1 : following] = False
                ends[row], done = end, end
                first_joined = row if not joined else first_joined
                joined += max(following - row - 1, 1)
        if self.on_join is not None and joined:
            self.on_join(joined, int(lines.offsets[first_joined]))
        if joined:
            rows = np.flatnonzero(keep[:open_row])
            yield from in_blocks(replace(lines, ends=ends).select(rows))
        elif open_row:
            yield from in_blocks(lines if open_row == len(lines) else cut_lines(lines, 0, open_row))
        if open_row < len(lines):
            self.held = [cut_lines(lines, open_row, len(lines))]
            self.needed, self.has_quote = len(self.held[0].block), False


class QuotedText:
    """Test whether a line may be within the quotes of a record.

    Args:
        rule: rule by which values are quoted.
        encoding: encoding of the text.
    """

    def __init__(self, rule: QuoteRule, encoding: str) -> None:
        self.syntax = _Syntax(rule, encoding, None)
        self.quote = self.syntax.quote

    def may_continue(self, text: bytes, start: int, limit: int, *, is_last: bool = False) -> bool | None:
        """Returns True if a record may end in a text that begins within quotes; None if the text is too short to decide.

        Args:
            text: whole lines, and the beginning of a line.
            start: offset in the text.
            limit: length of the longest record.
            is_last: True if the text ends with the file.
        """
        # Whole lines are scanned: doubled quotes and separators do not extend beyond them.
        stop = len(text) if is_last else text.rfind(b"\n") + 1
        readings = (True,) if self.syntax.escapes else (False,) if self.syntax.quote == BACKSLASH else (False, True)
        scanner = _Scanner(self.syntax, text)
        ends = [scanner.end_within_quotes(start, max(stop, start), escapes=escapes) for escapes in readings]
        if any(0 <= end <= start + limit for end in ends):
            return True
        return None if _OPEN in ends and not is_last and stop - start <= limit else False


@dataclass
class _OpenSpans:
    """The quoted parts of a record that is not correct: any other record that is open there has the same end.

    Attributes:
        begins: ascending offsets of the opening quotes.
        ends: offsets after the closing quotes.
        end: end of the record, or the reason why there is none.
    """

    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    end: int = _MALFORMED

    def contains(self, offset: int) -> bool:
        """Returns True if an offset is within quotes."""
        index = bisect.bisect_right(self.begins, offset) - 1
        return index >= 0 and offset < self.ends[index]


class _Scanner:
    """Finds the ends of records in a text of whole lines."""

    def __init__(self, syntax: _Syntax, text: bytes) -> None:
        self.separator, self.quote, self.text, self.escapes = syntax.separator, syntax.quote, text, syntax.escapes
        self._failed: dict[bool, _OpenSpans] = {}
        self._stop = 0  # offset at which the last scan stopped
        self._next_escape = -1  # offset of the next escaped quote

    def record_end(self, start: int, line_end: int, limit: int, *, may_grow: bool = False) -> int:
        """Returns the end of the record that begins at an offset, without its line end; or why it has none.

        Args:
            start: offset of the record, not before that of an earlier call.
            line_end: end of its first line.
            limit: length of the longest record.
            may_grow: True if more text follows, which decides whether a record that is open is correct without escapes.
        """
        end = self._end(start, line_end, escapes=self.escapes)
        if 0 <= end <= start + limit or (end == _OPEN and may_grow):
            return end
        escaped = _MALFORMED
        if not self.escapes and self.quote != BACKSLASH and self._has_escape(start, self._stop):
            escaped = self._end(start, line_end, escapes=True)
            if 0 <= escaped <= start + limit:
                return escaped
        return _OPEN if _OPEN in (end, escaped) else _MALFORMED

    def end_within_quotes(self, start: int, stop: int, *, escapes: bool) -> int:
        """Returns the end of a record whose quoted value continues at an offset; or the reason why no end is before ``stop``."""
        return self._scan(start, stop, escapes=escapes, within_quotes=True)

    def _has_escape(self, start: int, end: int) -> bool:
        if self._next_escape < start:
            found = self.text.find(BACKSLASH + self.quote, start)
            self._next_escape = found if found >= 0 else len(self.text)
        return self._next_escape < end

    def _end(self, start: int, line_end: int, *, escapes: bool) -> int:
        failed = self._failed.get(escapes)
        if failed is not None and failed.begins and start < failed.ends[-1]:
            # The record may be within the quotes of an earlier one whose end is known.
            end = self._scan(start, line_end, escapes=escapes)
            if end != _OPEN:
                return end
            if failed.contains(line_end):
                self._stop = failed.ends[-1]
                return failed.end
        spans = _OpenSpans()
        end = self._scan(start, len(self.text), escapes=escapes, spans=spans)
        spans.end = end
        if spans.begins:
            self._failed[escapes] = spans
        return end

    def _scan(
        self, start: int, stop: int, *, escapes: bool, spans: _OpenSpans | None = None, within_quotes: bool = False
    ) -> int:
        """Scans the values of a record in the text before ``stop``."""
        text, quote, separator = self.text, self.quote, self.separator
        offset, self._stop = start, stop
        while True:
            if within_quotes or (offset < stop and text.startswith(quote, offset)):
                opening = 0 if within_quotes else len(quote)
                within_quotes = False
                end = self._closing_end(offset + opening, stop, escapes=escapes)
                if spans is not None:
                    spans.begins.append(offset)
                    spans.ends.append(stop + 1 if end == _OPEN else end)
                if end == _OPEN:
                    return _OPEN
                if end == stop or text[end : end + 1] == b"\n" or text[end : end + 2] in (b"\r\n", b"\r"):
                    return end
                if not text.startswith(separator, end):
                    self._stop = end
                    return _MALFORMED
            else:
                line_end = text.find(b"\n", offset, stop)
                line_end = stop if line_end < 0 else line_end
                end = text.find(separator, offset, line_end)
                if end < 0 or text.find(quote, end, line_end) < 0:
                    return line_end - (line_end > offset and text[line_end - 1 : line_end] == b"\r")
            offset = end + len(separator)

    def _closing_end(self, offset: int, stop: int, *, escapes: bool) -> int:
        """Returns the offset after the quote that closes a value; ``_OPEN`` if there is none."""
        text, quote = self.text, self.quote
        size = len(quote)
        while True:
            end = text.find(quote, offset, stop)
            if end < 0:
                return _OPEN
            if escapes:
                backslashes = end - len(text[offset:end].rstrip(BACKSLASH)) - offset
                if backslashes % 2:
                    offset = end + size
                    continue
            if not text.startswith(quote, end + size):
                return end + size
            offset = end + 2 * size


def _find_candidates(lines: Lines, syntax: _Syntax) -> npt.NDArray[np.intp]:
    """Returns the indices of lines that may end within quotes, among them all lines that do.

    In a line without stray quotes, the quotes with even indices open values or follow another quote.
    """
    block, starts, ends = lines.block, lines.starts, lines.ends
    quote, separator = syntax.quote, syntax.separator
    none = np.zeros(0, np.intp)
    if quote not in block or not len(lines):
        return none
    raw = np.frombuffer(block, np.uint8)
    quotes = byte_offsets(raw, quote[0])
    if len(quotes) < len(starts) // 4:
        # Only lines with quotes are examined: arrays for millions of lines of a few bytes take memory.
        quoted = np.unique(_rows(starts, quotes))
        quoted = quoted[quoted >= 0]
        starts, ends = starts[quoted], ends[quoted]
    else:
        quoted = None
    first = np.searchsorted(quotes, starts)
    has_comments = bool(syntax.comment) and syntax.comment in block
    if syntax.is_simple and not has_comments and not len(quotes) & 1 and not (first & 1).any():
        opening, lone = quotes[::2], none
    else:
        counts = np.searchsorted(quotes, ends) - first
        lone = np.flatnonzero(counts if not syntax.is_simple else counts & 1)
        within = np.flatnonzero(counts > 0)
        order = np.repeat(first[within], counts[within])
        indices = np.arange(len(order)) - np.repeat(np.cumsum(counts[within]) - counts[within], counts[within])
        opening = quotes[(order + indices)[indices % 2 == 0]]
    found = [lone]
    if syntax.is_simple:
        found.append(_rows(starts, _misplaced(raw, opening, -1, separator + quote + b"\n")))
    if BACKSLASH in block and BACKSLASH + quote in block:  # the search for one byte is the faster one
        if syntax.escapes or not syntax.is_simple:
            backslashes = byte_offsets(raw, BACKSLASH[0])
            following = np.minimum(backslashes + 1, len(raw) - 1)
            found.append(_rows(starts, backslashes[raw[following] == quote[0]]))
        else:
            found.append(_rows(starts, _misplaced(raw, quotes, 1, separator + quote + b"\r\n")))
    rows = np.unique(np.concatenate(found)).astype(np.intp)
    rows = rows[rows >= 0]
    if syntax.comment and len(rows):
        rows = rows[~begins_with(block, starts[rows], ends[rows], syntax.comment)]
    return rows if quoted is None else quoted[rows]


def _misplaced(
    raw: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32], step: int, allowed: bytes
) -> npt.NDArray[np.int32]:
    """Returns the offsets whose neighbours are other bytes than those allowed, and that are not at the ends of the block."""
    is_allowed = np.zeros(256, np.bool_)
    is_allowed[list(allowed)] = True
    misplaced = ~is_allowed.take(raw.take(offsets + np.int32(step), mode="clip"))
    misplaced &= offsets + step >= 0
    misplaced &= offsets + step < len(raw)
    return offsets[misplaced]


def _rows(starts: npt.NDArray[np.int32], offsets: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
    """Returns the indices of the lines in which the offsets are; -1 before the first line."""
    return np.searchsorted(starts, offsets, side="right") - 1
