"""Line parser of regular expressions: RE2 matches lines, and the text of their groups is converted to columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, from_numpy, from_texts, from_values, to_scalar
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult, scatter_result
from pyspark_logs.formats.columnar.reasons import CorruptReason, Reasons
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.decoding.parsed_line import ParsedLine
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.regex.expression import Expression
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.options import FormatOptions

RegexColumn = RequestedColumn[tuple[int, ...]]  # the source: indices of the groups that capture the column

_NO_MATCH = CorruptReason("the line does not match", "the line does not match")


class MatchResult(NamedTuple):
    """Result of matching lines.

    Attributes:
        columns: requested columns, one value for each line.
        reasons: index of each corrupt line -> the reason.
    """

    columns: list[pa.Array]
    reasons: Reasons


class RegexLineParser:
    """Matches lines, in blocks or one at a time.

    In a column that is not a string, the empty string and the null token are null; a string column keeps both.

    Attributes:
        columns: requested columns.
        validated: further columns whose values make a line corrupt if they are not of their type.
        captured: indices of the groups that capture, ascending.
    """

    def __init__(
        self, expression: Expression, options: FormatOptions, columns: tuple[RegexColumn, ...],
        validated: tuple[RegexColumn, ...], *, judge_whole: bool,
    ) -> None:  # fmt: skip
        self.columns, self.validated, self.null_value = columns, validated, options.null_value
        self.is_judged = judge_whole or any(column.judged for column in columns)
        self.captured = sorted({index for column in (*columns, *validated) for index in column.source})
        self.optional = {index for index in self.captured if expression.groups[index].optional}
        self.pattern = expression.pattern(self.captured, multi_line=options.multi_line is not None)

    def match(self, lines: pa.StringArray, context: TimestampContext) -> MatchResult:
        """Returns the columns of lines, and the reasons of those that are corrupt."""
        if not self.columns and not self.is_judged:
            return MatchResult([], Reasons.none())
        groups, matched = self._match_groups(lines)
        converted = self._convert_columns(groups, len(lines), context)
        reasons = Reasons.none()
        if self.is_judged:
            unmatched = np.flatnonzero(~matched)
            reasons = Reasons.by_code(unmatched, np.zeros(len(unmatched), np.int32), [_NO_MATCH])
            invalid: dict[int, CorruptReason] = {}  # only lines that match have values
            for column, (_, valid) in zip((*self.columns, *self.validated), converted, strict=True):
                if column.judged and valid is not None:
                    texts = self._column_text(column.source, groups, len(lines))
                    for row in np.flatnonzero(~valid).tolist():
                        if row not in invalid:
                            invalid[row] = _reason(column, texts[row].as_py(), context)
            rows = sorted(invalid)
            reasons = reasons.union(Reasons.of(rows, [invalid[row] for row in rows]))
        return MatchResult([array for array, _ in converted[: len(self.columns)]], reasons)

    def convert_groups(
        self, groups: Mapping[int, pa.StringArray], count: int, context: TimestampContext
    ) -> tuple[list[pa.Array], Bool | None]:
        """Returns the columns of lines that match, and a mask of the lines whose values are all of their types.

        Args:
            groups: text of each group, null where the group took no part in the match. Groups that took part in no
                match may be missing.
            count: number of lines.
            context: zone and year bound of the file.

        Returns:
            The requested columns; the mask, or None if all lines are valid.
        """
        converted = self._convert_columns(groups, count, context)
        valid = None
        for _, column_valid in converted:
            if column_valid is not None:
                valid = column_valid if valid is None else valid & column_valid
        return [array for array, _ in converted[: len(self.columns)]], valid

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """Returns the values of one line, and the reason if it is corrupt."""
        result = self.match(from_texts([line]), context)
        values = [column.cast(pa.int64())[0].as_py() if pa.types.is_timestamp(column.type) else column[0].as_py()
                  for column in result.columns]  # fmt: skip
        return ParsedLine(values, *result.reasons.get(0, ("", "")))

    def _match_groups(self, lines: pa.StringArray) -> tuple[dict[int, pa.StringArray], Bool]:
        """Returns the text of each captured group, null for lines that do not match, and a mask of the matching lines."""
        if not self.captured:
            return {}, as_bool(pc.match_substring_regex(lines, self.pattern))
        extracted = pc.extract_regex(lines, pattern=self.pattern)
        matched = as_bool(extracted.is_valid())
        groups = [extracted.field(field) for field in range(len(self.captured))]
        if not matched.all():
            groups = [spans.mask_strings(group, ~matched) for group in groups]
        return dict(zip(self.captured, groups, strict=True)), matched

    def _convert_columns(
        self, groups: Mapping[int, pa.StringArray], count: int, context: TimestampContext
    ) -> list[ConversionResult]:
        return [
            self._convert(column, self._column_text(column.source, groups, count), context)
            for column in (*self.columns, *self.validated)
        ]

    def _column_text(self, indices: Sequence[int], groups: Mapping[int, pa.StringArray], count: int) -> pa.StringArray:
        """Returns the text of the first group that took part in the match, null where none did."""
        texts = []
        for index in indices:
            if index not in groups:
                continue
            array = groups[index]
            if index in self.optional:
                empty = as_bool(pc.equal(pc.binary_length(array), to_scalar(0, pa.int32())))
                array = spans.mask_strings(array, empty | as_bool(array.is_null())) if empty.any() else array
            texts.append(array)
        if not texts:
            return pa.nulls(count, pa.string())
        return texts[0] if len(texts) == 1 else pc.coalesce(*texts)

    def _convert(self, column: RegexColumn, texts: pa.StringArray, context: TimestampContext) -> ConversionResult:
        if column.type.keeps_text:
            return texts, None
        null = as_bool(pc.is_in(texts, value_set=from_texts(["", self.null_value, None])))
        if null.all():
            return pa.nulls(len(texts), column.type.arrow()), None
        if not null.any():
            return _convert_exactly(column.type, texts, context)
        return scatter_result(*_convert_exactly(column.type, texts.filter(from_numpy(~null)), context), null)


def _convert_exactly(field_type: FieldType, texts: pa.StringArray, context: TimestampContext) -> ConversionResult:
    """Converts strings; strings that the vectorized conversion leaves uncertain are parsed one at a time.

    Returns:
        The values, null for strings that are not of the type; a mask of the others, or None if all are of the type.
    """
    array, certain = field_type.convert(texts, context)
    if certain is None:
        return array, None
    uncertain = np.flatnonzero(~certain)
    parsed = []
    valid = np.ones(len(texts), np.bool_)
    for row in uncertain.tolist():
        try:
            parsed.append(field_type.parse(texts[row].as_py(), context))
        except ValueError:
            parsed.append(None)
            valid[row] = False
    order = np.arange(len(texts))
    order[uncertain] = len(texts) + np.arange(len(uncertain))
    merged = pa.concat_arrays([array, from_values(parsed, field_type.arrow())]).take(from_numpy(order))
    return merged, None if valid.all() else valid


def _reason(column: RegexColumn, text: str, context: TimestampContext) -> CorruptReason:
    """Returns the reason why a text is not of its column's type."""
    problem = ""
    try:
        column.type.parse(text, context)
    except ValueError as error:
        problem = str(error)
    field = f"field {column.name!r}"
    return CorruptReason(f"{field}: {text[:80]!r}: {problem}", f"{field}: {problem.partition(': ')[0]}")
