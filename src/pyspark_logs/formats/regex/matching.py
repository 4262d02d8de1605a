"""Matching lines: RE2 over all lines of a block at once, and over single lines for their reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import scatter_result
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.regex.expression import Expression
from pyspark_logs.formats.requested_column import RequestedColumn
from pyspark_logs.formats.template.line_parser import Parsed, Reason
from pyspark_logs.formats.template.matcher import Matcher
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.text import Text
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

RegexColumn = RequestedColumn[tuple[int, ...]]  # the source: indices of the groups that capture the column

_NO_MATCH = Reason("the line does not match", "the line does not match")


class Matched(NamedTuple):
    """All lines of a block: their columns, and why some are corrupt."""

    columns: list[pa.Array]
    reasons: dict[int, Reason]


class Values(NamedTuple):
    """A column, and in which rows the text is not of its type (None: in none)."""

    array: pa.Array
    bad: Bool | None


class RegexLineParser:
    """Matches lines, in blocks or one at a time.

    A text of a column that is no string is null where it is empty or the null token; a string stands as it is.

    Attributes:
        wanted: the columns to give.
        rest: further columns by whose types lines are judged.
        keep: the groups that capture.
    """

    def __init__(
        self, expression: Expression, options: FormatOptions, wanted: tuple[RegexColumn, ...],
        rest: tuple[RegexColumn, ...], *, judge_whole: bool,
    ) -> None:  # fmt: skip
        self.wanted, self.rest, self.null_value = wanted, rest, options.null_value
        self.is_judged = judge_whole or any(one.judged for one in wanted)
        self.keep = sorted({index for one in (*wanted, *rest) for index in one.source})
        self.optional = {index for index in self.keep if expression.groups[index].optional}
        self.pattern = expression.pattern(self.keep, multi_line=options.multi_line is not None)

    def match(self, lines: pa.StringArray, context: TimestampContext) -> Matched:
        """The columns of these lines."""
        if not self.wanted and not self.is_judged:
            return Matched([], {})
        groups, matched = self._groups(lines)
        found = self._columns(groups, len(lines), context)
        reasons = {}
        if self.is_judged:
            reasons = dict.fromkeys(np.flatnonzero(~matched).tolist(), _NO_MATCH)
            for one, values in zip((*self.wanted, *self.rest), found, strict=True):
                if one.judged and values.bad is not None:
                    texts = self._text(one.source, groups, len(lines))
                    for row in np.flatnonzero(values.bad).tolist():
                        reasons.setdefault(row, _blame(one, texts[row].as_py(), context))
        return Matched([values.array for values in found[: len(self.wanted)]], reasons)

    def columns(
        self, groups: Mapping[int, pa.StringArray], count: int, context: TimestampContext
    ) -> tuple[list[pa.Array], Bool | None]:
        """The columns of lines that match, and which lines have a text that is not of its type (None: none).

        Args:
            groups: the text of each group, null where it took no part; groups that took part nowhere may be left out.
            count: of lines.
            context: what the file says of times.
        """
        found = self._columns(groups, count, context)
        corrupt = None
        for values in found:
            if values.bad is not None:
                corrupt = values.bad if corrupt is None else corrupt | values.bad
        return [values.array for values in found[: len(self.wanted)]], corrupt

    def _columns(self, groups: Mapping[int, pa.StringArray], count: int, context: TimestampContext) -> list[Values]:
        return [self._values(one, self._text(one.source, groups, count), context) for one in (*self.wanted, *self.rest)]

    def parse(self, line: str, context: TimestampContext) -> Parsed:
        """One line, and what is wrong with it."""
        found = self.match(pa.array([line], pa.string()), context)
        values = [column.cast(pa.int64())[0].as_py() if pa.types.is_timestamp(column.type) else column[0].as_py()
                  for column in found.columns]  # fmt: skip
        return Parsed(values, *found.reasons.get(0, ("", "")))

    def _groups(self, lines: pa.StringArray) -> tuple[dict[int, pa.StringArray], Bool]:
        """The text of each group, null where there is no match, and which lines match."""
        if not self.keep:
            return {}, spans.as_bool(pc.match_substring_regex(lines, self.pattern))
        found = pc.extract_regex(lines, pattern=self.pattern)
        matched = spans.as_bool(found.is_valid())
        groups = [found.field(place) for place in range(len(self.keep))]
        if not matched.all():
            groups = [spans.mask_strings(group, ~matched) for group in groups]
        return dict(zip(self.keep, groups, strict=True)), matched

    def _text(self, indices: Sequence[int], groups: Mapping[int, pa.StringArray], count: int) -> pa.StringArray:
        """The text of a column, null where none of its groups took part."""
        texts = []
        for index in indices:
            if index not in groups:
                continue
            array = groups[index]
            if index in self.optional:
                empty = spans.as_bool(pc.equal(pc.binary_length(array), 0))
                array = spans.mask_strings(array, empty | spans.as_bool(array.is_null())) if empty.any() else array
            texts.append(array)
        if not texts:
            return pa.nulls(count, pa.string())
        return texts[0] if len(texts) == 1 else pc.coalesce(*texts)

    def _values(self, one: RegexColumn, texts: pa.StringArray, context: TimestampContext) -> Values:
        """The column of these texts."""
        if type(one.type) is Text:
            return Values(texts, None)
        absent = pc.is_in(texts, value_set=pa.array(["", self.null_value, None], pa.string()))
        null = spans.as_bool(absent)
        if null.all():
            return Values(pa.nulls(len(texts), one.type.arrow()), None)
        present = texts.filter(pa.array(~null)) if null.any() else texts
        array, wrong = _converted(one.type, present, context)
        array, valid = scatter_result(array, None if wrong is None else ~wrong, null)
        return Values(array, None if valid is None else ~valid)


def _converted(kind: FieldType, texts: pa.StringArray, context: TimestampContext) -> tuple[pa.Array, Bool | None]:
    """Texts as values; where the column's conversion is not sure, one at a time, null for what is not of the type."""
    array, sure = kind.convert(texts, context)
    if sure is None:
        return array, None
    doubtful = np.flatnonzero(~sure)
    values = []
    wrong = np.zeros(len(texts), np.bool_)
    for row in doubtful.tolist():
        try:
            values.append(kind.parse(texts[row].as_py(), context))
        except ValueError:
            values.append(None)
            wrong[row] = True
    places = np.arange(len(texts))
    places[doubtful] = len(texts) + np.arange(len(doubtful))
    exact = pa.array(values, kind.arrow())
    return pa.concat_arrays([array, exact]).take(pa.array(places)), wrong if wrong.any() else None


def _blame(one: RegexColumn, text: str, context: TimestampContext) -> Reason:
    """Why a text is not of its column's type."""
    problem = ""
    try:
        one.type.parse(text, context)
    except ValueError as error:
        problem = str(error)
    return Reason(f"field {one.name!r}: {text[:80]!r}: {problem}", f"field {one.name!r}: {problem.partition(': ')[0]}")


class RegexDecoder(Decoder):
    """A decoder whose exact parser takes blocks of lines, too."""

    exact: RegexLineParser

    def matched(self, lines: Lines, context: TimestampContext) -> Matched:
        """What the exact parser says of these lines."""
        return self.exact.match(spans.field_strings(lines.block, lines.starts, lines.ends), context)

    def exactly(
        self, lines: Lines, todo: Int64 | None, context: TimestampContext
    ) -> tuple[DecodedRows, Bool | None, dict[int, Reason]]:
        """As :meth:`Decoder.exactly`, all lines at once."""
        rows = np.arange(len(lines)) if todo is None else todo
        found = self.matched(lines if todo is None else lines.select(todo), context)
        reasons = {int(rows[row]): reason for row, reason in found.reasons.items()}
        corrupt = np.zeros(len(lines), np.bool_)
        corrupt[list(reasons)] = True
        return DecodedRows(rows, found.columns), corrupt if reasons else None, reasons


@dataclass(frozen=True)
class RegexMatcher(Matcher):
    """Tells which lines an expression matches, with texts of the columns' types."""

    decoder: RegexDecoder

    def matching(self, lines: Lines, context: TimestampContext) -> Bool:
        """Which lines of a block match; they are valid UTF-8 and not empty."""
        matches: Bool = np.ones(len(lines), np.bool_)
        matches[list(self.decoder.matched(lines, context).reasons)] = False
        return matches
