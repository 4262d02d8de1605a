"""Matching lines: RE2 over all lines of a block at once, and over single lines for their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark_logs.formats import kernels
from pyspark_logs.formats.basetypes import FieldType, Text
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.engine import Sure, with_gaps
from pyspark_logs.formats.exact import Parsed, Reason
from pyspark_logs.formats.expressions.expression import Expression, shortened
from pyspark_logs.formats.timestamps import Moment
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

if TYPE_CHECKING:
    import pyarrow as pa

    from pyspark_logs.formats.kernels import Bool, Int64


_NO_MATCH = Reason("the line does not match", "the line does not match")


@dataclass(frozen=True)
class Wanted:
    """A column to give, or only to judge by: its name in the format, how to read it, whether it counts."""

    name: str
    type: FieldType
    judged: bool = True


@dataclass(frozen=True)
class Matched:
    """All lines of a block: their columns, which lines are corrupt, and which match at all."""

    columns: list[pa.Array]
    corrupt: Bool
    matched: Bool


class Matcher:
    """Matches lines, in blocks or one at a time.

    A text of a column that is no string is null where it is empty or the null token; a string stands as it is.

    Attributes:
        wanted: the columns to give.
        rest: further columns by whose types lines are judged.
        keep: the groups that capture.
    """

    def __init__(
        self, expression: Expression, options: FormatOptions, wanted: tuple[Wanted, ...], rest: tuple[Wanted, ...],
        *, judge_whole: bool,
    ) -> None:  # fmt: skip
        self.wanted, self.rest, self.null_value = wanted, rest, options.null_value
        self.is_judged = judge_whole or any(one.judged for one in wanted)
        self.of = {one.name: expression.of(one.name) for one in (*wanted, *rest)}
        self.keep = sorted({index for indices in self.of.values() for index in indices})
        self.optional = {index for index in self.keep if expression.groups[index].optional}
        self.pattern = expression.pattern(self.keep, multi_line=options.multi_line is not None)

    def match(self, lines: pa.StringArray, moment: Moment) -> Matched:
        """The columns of these lines."""
        import numpy as np

        if not self.wanted and not self.is_judged:
            return Matched([], np.zeros(len(lines), np.bool_), np.ones(len(lines), np.bool_))
        texts, matched = self._groups(lines)
        columns, bad = self.columns(texts, len(lines), moment)
        corrupt = np.zeros(len(lines), np.bool_)
        if self.is_judged:
            corrupt = ~matched if bad is None else ~matched | bad
        return Matched(columns, corrupt, matched)

    def columns(
        self, groups: Mapping[int, pa.StringArray], count: int, moment: Moment
    ) -> tuple[list[pa.Array], Bool | None]:
        """The columns of lines that match, and which lines are corrupt for what is in them (None: none).

        Args:
            groups: the text of each group, null where it took no part; groups that took part nowhere may be left out.
            count: of lines.
            moment: what the file says of times.
        """
        arrays, corrupt = [], None
        for one in (*self.wanted, *self.rest):
            array, bad = self._values(one, self._text(one.name, groups, count), moment)
            arrays.append(array)
            if one.judged and bad is not None:
                corrupt = bad if corrupt is None else corrupt | bad
        return arrays[: len(self.wanted)], corrupt

    def parse(self, line: str, moment: Moment) -> Parsed:
        """One line, and what is wrong with it."""
        import pyarrow as pa

        found = self.match(pa.array([line], pa.string()), moment)
        values = [column.cast(pa.int64())[0].as_py() if pa.types.is_timestamp(column.type) else column[0].as_py()
                  for column in found.columns]  # fmt: skip
        reason = self._reason(line, moment) if found.corrupt[0] else Reason("", "")
        return Parsed(values, reason.text, reason.general)

    def _reason(self, line: str, moment: Moment) -> Reason:
        """Why a line that is corrupt is so."""
        import pyarrow as pa

        groups, matched = self._groups(pa.array([line], pa.string()))
        if not matched[0]:
            return _NO_MATCH
        for one in (*self.wanted, *self.rest):
            text = self._text(one.name, groups, 1)[0].as_py()
            if not one.judged or text is None or type(one.type) is Text or text in ("", self.null_value):
                continue
            try:
                one.type.parse(text, moment)
            except ValueError as error:
                problem = str(error)
                general = f"field {one.name!r}: {problem.partition(': ')[0]}"
                return Reason(f"field {one.name!r} is {shortened(text)!r}: {problem}", general)
        return _NO_MATCH

    def _groups(self, lines: pa.StringArray) -> tuple[dict[int, pa.StringArray], Bool]:
        """The text of each group, null where there is no match, and which lines match."""
        import pyarrow.compute as pc

        if not self.keep:
            return {}, kernels.as_bool(pc.match_substring_regex(lines, self.pattern))
        found = pc.extract_regex(lines, pattern=self.pattern)
        matched = kernels.as_bool(found.is_valid())
        groups = [found.field(place) for place in range(len(self.keep))]
        if not matched.all():
            groups = [kernels.masked(group, ~matched) for group in groups]
        return dict(zip(self.keep, groups, strict=True)), matched

    def _text(self, name: str, groups: Mapping[int, pa.StringArray], count: int) -> pa.StringArray:
        """The text of a column, null where none of its groups took part."""
        import pyarrow as pa
        import pyarrow.compute as pc

        texts = []
        for index in self.of[name]:
            if index not in groups:
                continue
            array = groups[index]
            if index in self.optional:
                empty = kernels.as_bool(pc.equal(pc.binary_length(array), 0))
                array = kernels.masked(array, empty | kernels.as_bool(array.is_null())) if empty.any() else array
            texts.append(array)
        if not texts:
            return pa.nulls(count, pa.string())
        return texts[0] if len(texts) == 1 else pc.coalesce(*texts)

    def _values(self, one: Wanted, texts: pa.StringArray, moment: Moment) -> tuple[pa.Array, Bool | None]:
        """The column of these texts, and which of them are not of its type (None: all are)."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if type(one.type) is Text:
            return texts, None
        absent = pc.is_in(texts, value_set=pa.array(["", self.null_value, None], pa.string()))
        null = kernels.as_bool(absent)
        if null.all():
            return pa.nulls(len(texts), one.type.arrow()), None
        present = texts.filter(pa.array(~null)) if null.any() else texts
        array, wrong = _converted(one.type, present, moment)
        array = with_gaps(array, null) if null.any() else array
        if wrong is None:
            return array, None
        bad = np.zeros(len(texts), np.bool_)
        bad[np.flatnonzero(~null)[wrong]] = True
        return array, bad


def _converted(kind: FieldType, texts: pa.StringArray, moment: Moment) -> tuple[pa.Array, Bool | None]:
    """Texts as values; where the column's conversion is not sure, one at a time, null for what is not of the type."""
    import numpy as np
    import pyarrow as pa

    array, sure = kind.convert(texts, moment)
    if sure is None:
        return array, None
    doubtful = np.flatnonzero(~sure)
    values = []
    wrong = np.zeros(len(texts), np.bool_)
    for row in doubtful.tolist():
        try:
            values.append(kind.parse(texts[row].as_py(), moment))
        except ValueError:
            values.append(None)
            wrong[row] = True
    places = np.arange(len(texts))
    places[doubtful] = len(texts) + np.arange(len(doubtful))
    exact = pa.array(values, kind.arrow())
    return pa.concat_arrays([array, exact]).take(pa.array(places)), wrong if wrong.any() else None


class MatchDecoder(Decoder):
    """A decoder whose exact parser takes blocks of lines, too."""

    exact: Matcher

    def _exactly(self, lines: Lines, todo: Int64 | None, moment: Moment) -> tuple[Sure, Bool | None, dict[int, Reason]]:
        import numpy as np

        starts = lines.starts if todo is None else lines.starts[todo]
        ends = lines.ends if todo is None else lines.ends[todo]
        found = self.exact.match(kernels.texts(lines.block, starts, ends), moment)
        rows = np.arange(len(lines)) if todo is None else todo
        corrupt = np.zeros(len(lines), np.bool_)
        corrupt[rows] = found.corrupt
        bad = np.flatnonzero(found.corrupt)
        reasons = dict.fromkeys(rows[bad].tolist(), _NO_MATCH)
        for row in rows[bad[found.matched[bad]]].tolist():
            reasons[row] = self.exact.parse(lines.record(row).decode("utf-8", "replace"), moment).why
        return Sure(rows, found.columns), corrupt if len(bad) else None, reasons
