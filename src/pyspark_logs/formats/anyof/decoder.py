"""Decoding of lines of several formats.

The first member decodes the lines of a block. The lines that do not match it go as a block to the next member, and so on.
A line matches a member if all fields of the member have values of their own types. The member of a line therefore does not
depend on the columns of a query. Lines that match no member are corrupt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import from_numpy, to_scalar
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.reasons import CorruptReason, Reasons
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.decoding.decoder import DecodedLines, Decoder, merge_rows
from pyspark_logs.formats.decoding.parsed_line import ParsedLine
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import Lines

_UNKNOWN = CorruptReason("the line does not match", "the line does not match")


@dataclass
class MatchedRows:
    """The lines of a block that match a member.

    Attributes:
        parts: columns of the lines, in pieces that have each line once.
        reasons: index of each line with a value that is not of its requested type -> the reason.
    """

    parts: list[DecodedRows] = field(default_factory=list)
    reasons: Reasons = field(default_factory=Reasons.none)


@dataclass(frozen=True)
class MemberDecoder:
    """Decoder of the lines of one member.

    Attributes:
        name: name of the member.
        decoder: decoder that judges whole lines.
        matcher: matcher of the member's lines.
        indices: index of each column of the decoder among all requested columns.
        is_retyped: True if a requested type is not the type of the format, so that a line may match and be corrupt.
    """

    name: str
    decoder: Decoder
    matcher: Matcher
    indices: tuple[int, ...]
    is_retyped: bool

    def decode(self, lines: Lines, context: TimestampContext, *, exactly: bool = False) -> MatchedRows:
        """Returns the lines that match, with the columns of the decoder.

        Args:
            lines: lines of valid UTF-8 that match no member before this one.
            context: time zone and year bound of the file.
            exactly: True to parse every line by the line parser, which defines the meaning of the format.
        """
        candidates = np.arange(len(lines)) if exactly else self.matcher.start.candidates(lines)
        if len(candidates) == 0:
            return MatchedRows()
        is_all = len(candidates) == len(lines)
        subset = lines if is_all else lines.select(candidates).compact()
        matched = self._decode(subset, context, exactly=exactly)
        if is_all:
            return matched
        parts = [
            DecodedRows(candidates if part.rows is None else candidates[part.rows], part.columns)
            for part in matched.parts
        ]
        return MatchedRows(parts, matched.reasons.moved(candidates))

    def _decode(self, lines: Lines, context: TimestampContext, *, exactly: bool) -> MatchedRows:
        parts, left = ([], None) if exactly else self.decoder.run_engines(lines, context)
        uncertain = np.arange(len(lines)) if left is None else left
        if self.is_retyped:  # the value may be of the format's type
            rejected = [part.block_reasons().rows for part in parts]
            uncertain = np.sort(np.concatenate([uncertain, *rejected]))
        parts = [part.matching(len(lines)) for part in parts]
        if len(uncertain) and not exactly:
            uncertain = uncertain[self.matcher.start.may_match(lines.select(uncertain))]
        reasons = Reasons.none()
        if len(uncertain):
            parse = self.decoder.parse_one_by_one if exactly else self.decoder.parse_lines
            parsed = parse(lines, uncertain, context)
            matches = np.ones(len(uncertain), np.bool_) if parsed.corrupt is None else ~parsed.corrupt[uncertain]
            if self.is_retyped and not matches.all():
                mismatches = np.flatnonzero(~matches)
                matches[mismatches] = self._match(lines.select(uncertain[mismatches]), context)
            reasons = parsed.reasons.select(uncertain[matches]).moved(uncertain[matches])
            kept = from_numpy(np.flatnonzero(matches))
            columns = [column.take(kept) for column in parsed.decoded.columns]
            parts = [*parts, DecodedRows(uncertain[matches], columns)]
        return MatchedRows(
            [DecodedRows(part.rows, self.decoder.cast(part.columns, context)) for part in parts], reasons
        )

    def _match(self, lines: Lines, context: TimestampContext) -> Bool:
        """Returns a mask of the lines that match by the types of the format."""
        corrupt = self.matcher.decoder.parse_lines(lines, None, context).corrupt
        return np.ones(len(lines), np.bool_) if corrupt is None else ~corrupt

    def mismatches(self, lines: Lines, context: TimestampContext, *, exactly: bool) -> Reasons:
        """Returns the reason why each of some lines does not match; see :meth:`decode`."""
        if exactly:
            return self.decoder.parse_one_by_one(lines, np.arange(len(lines)), context).reasons
        return self.decoder.decode(lines, context).reasons


class AnyOfDecoder(Decoder):
    """Decodes lines by the first member that they match.

    Args:
        members: decoders of the members, in order.
        target: types of the requested columns.
        format_index: index of the requested column for the name of the member; None if it is not requested.
    """

    def __init__(
        self, members: Sequence[MemberDecoder], target: Sequence[pa.DataType], format_index: int | None
    ) -> None:
        super().__init__((), AnyOfLineParser(self._decode_exactly), target, target)
        self.members, self.format_index = tuple(members), format_index

    def decode(self, lines: Lines, context: TimestampContext) -> DecodedLines:
        """Returns the columns of all lines of a block, in order."""
        return self._decode(lines, context, exactly=False)

    def _decode_exactly(self, lines: Lines, context: TimestampContext) -> DecodedLines:
        return self._decode(lines, context, exactly=True)

    def _decode(self, lines: Lines, context: TimestampContext, *, exactly: bool) -> DecodedLines:
        count = len(lines)
        parts: list[DecodedRows] = []
        reasons = Reasons.none()
        remaining, rest = np.arange(count), lines
        for member in self.members:
            matched = member.decode(rest, context, exactly=exactly)
            left = np.ones(len(rest), np.bool_)
            for part in matched.parts:
                rows = remaining if part.rows is None else remaining[part.rows]
                parts.append(DecodedRows(rows, self._all_columns(member, part.columns, len(rows))))
                left[slice(None) if part.rows is None else part.rows] = False
            reasons = reasons.union(matched.reasons.moved(remaining))
            if not left.any():
                remaining = remaining[:0]
                break
            if not left.all():
                remaining, rest = remaining[left], rest.select(left).compact()
        if len(remaining):
            parts.append(DecodedRows(remaining, [pa.nulls(len(remaining), dtype) for dtype in self.target]))
            reasons = reasons.union(self._mismatches(rest, context, exactly=exactly).moved(remaining))
        corrupt = None
        if reasons:
            corrupt = np.zeros(count, np.bool_)
            corrupt[reasons.rows] = True
        return DecodedLines(merge_rows(parts, count, self.target), corrupt, reasons)

    def _all_columns(self, member: MemberDecoder, columns: Sequence[pa.Array], count: int) -> list[pa.Array]:
        """Returns all requested columns of lines of a member; a column that the member lacks is null."""
        own = dict(zip(member.indices, columns, strict=True))
        if self.format_index is not None:
            own[self.format_index] = pa.repeat(to_scalar(member.name, self.target[self.format_index]), count)
        return [own[index] if index in own else pa.nulls(count, dtype) for index, dtype in enumerate(self.target)]

    def _mismatches(self, lines: Lines, context: TimestampContext, *, exactly: bool) -> Reasons:
        """Returns the reasons of lines that match no member: those of all members."""
        rows = np.arange(len(lines))
        found = [member.mismatches(lines, context, exactly=exactly).select(rows, _UNKNOWN) for member in self.members]
        combinations, first, codes = np.unique(
            np.stack([reasons.codes for reasons in found]), axis=1, return_index=True, return_inverse=True
        )
        distinct = []
        for line in first[: combinations.shape[1]].tolist():
            each = [(member.name, reasons[line]) for member, reasons in zip(self.members, found, strict=True)]
            distinct.append(
                CorruptReason(
                    "it matches no format of anyOf: " + "; ".join(f"{name}: {reason.text}" for name, reason in each),
                    "no format of anyOf: " + "; ".join(f"{name}: {reason.category}" for name, reason in each),
                )
            )
        return Reasons.by_code(rows, codes.reshape(-1).astype(np.int32), distinct)


class AnyOfLineParser:
    """Parses one line by the line parsers of the members.

    Args:
        decode: function that decodes lines by the line parsers of the members.
    """

    def __init__(self, decode: Callable[[Lines, TimestampContext], DecodedLines]) -> None:
        self._decode = decode

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """Returns the values of the columns, and the reason if the line is corrupt."""
        text = line.encode("utf-8", "replace")
        decoded = self._decode(Lines(text, np.zeros(1, np.int32), np.array([len(text)], np.int32), 0), context)
        return ParsedLine([_value(column) for column in decoded.columns], *decoded.reasons.get(0, ("", "")))


def _value(column: pa.Array) -> Any:
    """Returns the only value of a column; a timestamp as a number, which has values that ``datetime`` lacks."""
    return (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column)[0].as_py()
