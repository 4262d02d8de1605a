"""Formats that are a regular expression: ``regex``, and ``grok`` once its patterns are put in. They are read only.

RE2 alone says what matches: it runs over all lines of a block at once, and over single lines for their reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats import kernels
from pyspark_logs.formats.basetypes import FieldType, Text
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.engine import Engine, Sure, with_gaps
from pyspark_logs.formats.exact import Parsed
from pyspark_logs.formats.expression import Expression, parse_regex, shortened
from pyspark_logs.formats.fieldtypes import retype
from pyspark_logs.formats.grok.expansion import parse_grok
from pyspark_logs.formats.lineformat import Asked, Verbatim, Written
from pyspark_logs.formats.linewriter import Lacks
from pyspark_logs.formats.timestamps import Moment
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

if TYPE_CHECKING:
    import pyarrow as pa

    from pyspark_logs.formats.kernels import Bool, Int64


@dataclass(frozen=True)
class ExpressionFormat:
    """A regular expression; see :class:`~pyspark_logs.formats.lineformat.LineFormat`.

    Attributes:
        empty_is_null: whether a group that matched nothing is null though it took part.
    """

    expression: Expression
    options: FormatOptions
    empty_is_null: bool = False

    suffix = "log"
    is_open = False

    def schema(self) -> pa.Schema:
        """The named groups, in order."""
        import pyarrow as pa

        return pa.schema([pa.field(name, kind.arrow()) for name, kind in self._columns().items()])

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """The same whatever the sample."""
        return self.schema()

    def _columns(self) -> dict[str, FieldType]:
        return {name: self.expression.groups[self.expression.of(name)[0]].type for name in self.expression.names()}

    def decoder(self, asked: Sequence[Asked], *, judge_whole: bool) -> Decoder:
        """RE2 over the block, capturing what is asked for."""
        known = {name.lower(): (name, kind) for name, kind in self._columns().items()}
        wanted = []
        for one in asked:
            found = known.get(one.field.name.lower())
            if found is None:
                names = ", ".join(name for name, _ in known.values())
                raise SchemaError(f"column {one.field.name!r} is not in the format, which gives {names}")
            wanted.append(Wanted(found[0], retype(found[1], one.field.type, one.field.name), one.judged))
        shown = {one.name for one in wanted if one.judged}
        rest = [pair for pair in known.values() if judge_whole and pair[0] not in shown and type(pair[1]) is not Text]
        matcher = Matcher(self, tuple(wanted), tuple(Wanted(*pair) for pair in rest), judge_whole=judge_whole)
        native = [one.type.arrow() for one in wanted]
        return MatchDecoder(self.engines(matcher), matcher, native, [one.field.type for one in asked])

    def engines(self, matcher: Matcher) -> list[Engine]:
        """What is faster than RE2 for some lines."""
        return []

    def verbatim(self) -> Verbatim:
        """All: a group's text is a part of the line."""
        return Verbatim(frozenset(name.lower() for name in self.expression.names()))

    def writer(self, schema: pa.Schema, *, zone: str, lacks: Lacks | None, heads: tuple[str, ...]) -> Written:
        """Raises FormatError: which of the lines that match would be the one to write?"""
        raise FormatError(
            f"{self.options.kind} {shortened(self.expression.text)!r} can be read only: a regular expression matches"
            " many lines and does not say which to write; write with a template"
        )


def regex_format(options: FormatOptions) -> ExpressionFormat:
    """The format of the option ``regex``."""
    return ExpressionFormat(parse_regex(options.spec), options)


def grok_format(options: FormatOptions) -> ExpressionFormat:
    """The format of the option ``grok``; as in Logstash, a group without text gives no value."""
    return ExpressionFormat(parse_grok(options.spec, options.grok_patterns), options, empty_is_null=True)


@dataclass(frozen=True)
class Wanted:
    """A column to give, or only to judge by: its name in the format, how to read it, whether it counts."""

    name: str
    type: FieldType
    judged: bool = True


@dataclass(frozen=True)
class Matched:
    """All lines of a block: their columns, and which lines are corrupt."""

    columns: list[pa.Array]
    corrupt: Bool


class Matcher:
    """Matches lines, in blocks or one at a time.

    A text of a column that is no string is null where it is empty or the null token; a string stands as it is.
    """

    def __init__(
        self, form: ExpressionFormat, wanted: tuple[Wanted, ...], rest: tuple[Wanted, ...], *, judge_whole: bool
    ) -> None:
        self.wanted, self.rest, self.null_value = wanted, rest, form.options.null_value
        self.is_judged = judge_whole or any(one.judged for one in wanted)
        expression = form.expression
        self.of = {one.name: expression.of(one.name) for one in (*wanted, *rest)}
        self.keep = sorted({index for indices in self.of.values() for index in indices})
        self.optional = {index for index in self.keep if form.empty_is_null or expression.groups[index].optional}
        self.pattern = expression.pattern(self.keep, multi_line=form.options.multi_line is not None)

    def match(self, lines: pa.StringArray, moment: Moment) -> Matched:
        """The columns of these lines."""
        import numpy as np

        if not self.wanted and not self.is_judged:
            return Matched([], np.zeros(len(lines), np.bool_))
        texts, matched = self._texts(lines)
        corrupt = ~matched
        arrays = []
        for one in (*self.wanted, *self.rest):
            array, bad = self._values(one, texts[one.name], moment)
            arrays.append(array)
            if one.judged and bad is not None:
                corrupt |= bad
        return Matched(arrays[: len(self.wanted)], corrupt if self.is_judged else np.zeros(len(lines), np.bool_))

    def parse(self, line: str, moment: Moment) -> Parsed:
        """One line, and what is wrong with it."""
        import pyarrow as pa

        found = self.match(pa.array([line], pa.string()), moment)
        values = [column.cast(pa.int64())[0].as_py() if pa.types.is_timestamp(column.type) else column[0].as_py()
                  for column in found.columns]  # fmt: skip
        return Parsed(values, self._reason(line, moment) if found.corrupt[0] else "")

    def _reason(self, line: str, moment: Moment) -> str:
        """Why a line that is corrupt is so."""
        import pyarrow as pa

        texts, matched = self._texts(pa.array([line], pa.string()))
        if not matched[0]:
            return "the line does not match"
        for one in (*self.wanted, *self.rest):
            text = texts[one.name][0].as_py()
            if not one.judged or text is None or type(one.type) is Text or text in ("", self.null_value):
                continue
            try:
                one.type.parse(text, moment)
            except ValueError as error:
                return f"field {one.name!r} is {shortened(text)!r}: {error}"
        return "the line does not match"

    def _texts(self, lines: pa.StringArray) -> tuple[dict[str, pa.StringArray], Bool]:
        """The text of each column, null where its groups took no part, and which lines match."""
        import pyarrow.compute as pc

        if not self.keep:
            return {}, kernels.as_bool(pc.match_substring_regex(lines, self.pattern))
        found = pc.extract_regex(lines, pattern=self.pattern)
        matched = kernels.as_bool(found.is_valid())
        texts = {}
        for name, indices in self.of.items():
            groups = [self._group(found, index, matched) for index in indices]
            texts[name] = groups[0] if len(groups) == 1 else pc.coalesce(*groups)
        return texts, matched

    def _group(self, found: pa.StructArray, index: int, matched: Bool) -> pa.StringArray:
        import pyarrow.compute as pc

        array = found.field(self.keep.index(index))
        null = ~matched
        if index in self.optional:
            null |= kernels.as_bool(pc.equal(array, ""))
        return kernels.masked(array, null) if null.any() else array

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

    def _exactly(self, lines: Lines, todo: Int64 | None, moment: Moment) -> tuple[Sure, Bool | None]:
        import numpy as np

        starts = lines.starts if todo is None else lines.starts[todo]
        ends = lines.ends if todo is None else lines.ends[todo]
        found = self.exact.match(kernels.texts(lines.block, starts, ends), moment)
        rows = np.arange(len(lines)) if todo is None else todo
        corrupt = np.zeros(len(lines), np.bool_)
        corrupt[rows] = found.corrupt
        return Sure(rows, found.columns), corrupt if corrupt.any() else None
