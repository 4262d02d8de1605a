"""Lines of values between separators, by the column, and the header that goes before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import scatter_result
from pyspark_logs.formats.delimited.header import column_name
from pyspark_logs.formats.delimited.line_parser import Cutter
from pyspark_logs.formats.interface import twice
from pyspark_logs.formats.line_writer import FindUnencodable, UnwritableValues, unwritable
from pyspark_logs.formats.scalar_writer import ScalarWriter, among, holding, replaced, scalar_type, type_problem
from pyspark_logs.formats.template.field_writer import LINE_ENDS
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType, parse_distinct
from pyspark_logs.formats.types.temporal import Timestamp
from pyspark_logs.formats.types.text import Text

_DATE, _TIME = (0, 10), (11, 26)  # in 2026-11-22T10:00:00.000000Z


@dataclass(frozen=True)
class WrittenValue:
    """One value of a line.

    Attributes:
        name: what a header calls it.
        column: that it is written from; -1: none, it is null.
        part: which characters of the column's text it is; None: all of them.
    """

    name: str
    column: int
    part: tuple[int, int] | None = None


@dataclass(frozen=True)
class Joined:
    """A column that reading makes of several values, some of which have columns of their own, too.

    Attributes:
        column: its place.
        values: names of the values.
        tail: text behind these.
    """

    column: int
    values: tuple[str, ...]
    tail: str


class DelimitedWriter(ScalarWriter):
    """Renders columns between separators; see :class:`pyspark_logs.formats.line_writer.LineWriter`.

    A text in quotes is never null and may hold anything but a line end, so whatever would be read otherwise is quoted.
    """

    def __init__(
        self, values: Sequence[WrittenValue], schema: pa.Schema, kinds: Sequence[FieldType], cutter: Cutter,
        null_value: str, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...], joined: Sequence[Joined] = (),
    ) -> None:  # fmt: skip
        super().__init__(schema, kinds, zone, unencodable)
        self.joined = tuple(joined)
        self.values, self.cutter, self.null_value, self.forbidden_prefixes = (
            tuple(values),
            cutter,
            null_value,
            forbidden_prefixes,
        )
        self.first = next(value.column for value in values if value.column >= 0)

    def lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        """Texts between separators."""
        pieces: list[pa.Array | str] = []
        found: list[UnwritableValues] = []
        rendered: dict[int, pa.Array] = {}
        parts: dict[str, pa.Array] = {}
        for place, value in enumerate(self.values):
            null = self._null_text(place)
            if value.column < 0:
                pieces.append(null)
            else:
                if value.column not in rendered:
                    rendered[value.column], wrong = self.texts(columns, value.column)
                    found += wrong
                parts[value.name] = _part(rendered[value.column], value.part)
                texts, wrong = self._safe(parts[value.name], value.column, place)
                found += wrong
                pieces.append(texts.fill_null(null))
            pieces.append(self.cutter.separator if place + 1 < len(self.values) else "\n")
        for one in self.joined:
            found += self._contradicted(one, columns[one.column], [parts[name] for name in one.values])
        return pc.binary_join_element_wise(*pieces, ""), found

    def _contradicted(self, joined: Joined, column: pa.Array, parts: Sequence[pa.Array]) -> list[UnwritableValues]:
        """Rows in which the values that are written do not make up the column that is read of them."""
        texts = pc.binary_join_element_wise(pc.binary_join_element_wise(*parts, " "), joined.tail, "")
        null = texts.is_null().to_numpy(zero_copy_only=False)
        kind, given = self.kinds[joined.column], texts.drop_null()
        read, sure = kind.convert(given, TimestampContext(self.zone))
        if sure is not None:
            read, sure = parse_distinct(kind, given, TimestampContext(self.zone))
        read, sure = scatter_result(read, sure, null)
        same = spans.as_bool(pc.equal(read, column)) | (null & spans.as_bool(column.is_null()))
        wrong = ~same if sure is None else ~(same & sure)
        return unwritable(joined.column, wrong, f"is not what {' and '.join(map(repr, joined.values))} say")

    def unwritable(self) -> tuple[str, ...]:
        """Line ends; without quotes the separator's first character, too."""
        return LINE_ENDS if self.cutter.quote is not None else (*LINE_ENDS, self.cutter.separator[0])

    def _null_text(self, place: int) -> str:
        """What null is written as: the null token, unless that would be cut or be something else."""
        token = self.null_value
        odd = holds_any(token, (self.cutter.separator[0], self.cutter.quote or "\n", *LINE_ENDS))
        return "" if odd or (place == 0 and token.startswith(self.forbidden_prefixes)) else token

    def _safe(self, texts: pa.Array, column: int, place: int) -> tuple[pa.Array, list[UnwritableValues]]:
        """The texts in quotes where they need them, and what no quotes help."""
        quote, separator = self.cutter.quote, self.cutter.separator
        found = unwritable(column, holding(texts, LINE_ENDS), "holds a line end")
        found += unwritable(
            column, holding(texts, sorted(self.lacking(texts))), "has a character that the encoding lacks"
        )
        # A text that ends in the beginning of a longer separator would have that found too early.
        cut = holding(texts, (separator[0],))
        null = among(texts, ("", self.null_value))
        headed = cut & False
        for head in self.forbidden_prefixes if place == 0 else ():
            headed |= spans.as_bool(pc.starts_with(texts, head))
        if quote is None:
            found += unwritable(column, cut, f"holds {separator[0]!r} of the separator, and there are no quotes")
            found += unwritable(column, null, "would be read as null, as there are no quotes")
            return texts, found
        needs = cut | null | headed | holding(texts, (quote,))
        if needs.any():
            inside = pc.replace_substring(texts.filter(pa.array(needs)), quote, 2 * quote)
            texts = replaced(texts, needs, pc.binary_join_element_wise(quote, inside, quote, ""))
        return texts, found


def holds_any(text: str, parts: Sequence[str]) -> bool:
    """Whether any of the parts is in the text."""
    return any(part in text for part in parts)


def _part(texts: pa.Array, part: tuple[int, int] | None) -> pa.Array:
    """The characters of a time that make up a value; a fraction only where there is one."""
    if part is None:
        return texts
    return pc.replace_substring_regex(pc.utf8_slice_codeunits(texts, *part), r"\.000000\z", "")


# --- from the description of the format -------------------------------------------------------------------------


class _Field(Protocol):
    """What is known of a column; see ``format``."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> FieldType: ...
    @property
    def sources(self) -> tuple[str, ...]: ...
    @property
    def tail(self) -> str: ...


def written_values(
    schema: pa.Schema, fields: Sequence[_Field], order: Sequence[str], *, all_of_them: bool
) -> tuple[list[WrittenValue], list[FieldType], list[Joined], list[str]]:
    """The values of a line, the types that the columns are written as, those to check, and what is wrong with them.

    A value that has a column of its own is written from that, though another column could give it, too.

    Args:
        schema: the columns.
        fields: that the format documents; none: the schema says it all.
        order: what the format calls its values, in their order.
        all_of_them: whether a line has all of these, whatever columns there are.

    Raises:
        FormatError: a column that cannot be taken apart again.
    """
    problems = twice([name.lower() for name in schema.names])
    kinds: list[FieldType] = []
    made: dict[str, WrittenValue] = {}
    joined: list[Joined] = []
    known = {field.name.lower(): field for field in fields}
    for column, one in enumerate(schema):
        field = known.get(one.name.lower())
        kind = field.type if field is not None else scalar_type(one.type) if not fields else Text()
        if fields and field is None:
            problems.append(f"{one.name!r} is not in the format; drop it")
        elif why := type_problem(one, kind):
            problems.append(why)
        kinds.append(kind or Text())
        values = _values_of(field, one.name, column)
        for value in values:
            other = made.get(value.name)
            if other is not None and other.part is None and value.part is None:
                problems.append(f"{one.name!r} and {schema.names[other.column]!r} are both {value.name!r}; drop one")
            if other is None or value.part is None:
                made[value.name] = value
        if field is not None and values[0].part is not None:
            joined.append(Joined(column, field.sources, field.tail))
    joined = [one for one in joined if any(made[name].column != one.column for name in one.values)]
    if not fields:
        return list(made.values()), kinds, [], problems
    ordered = [made.get(name) or WrittenValue(name, -1) for name in order]
    return [value for value in ordered if all_of_them or value.column >= 0], kinds, joined, problems


def _values_of(field: _Field | None, name: str, column: int) -> list[WrittenValue]:
    if field is None:
        return [WrittenValue(name, column)]
    if len(field.sources) == 1 and not field.tail:
        return [WrittenValue(field.sources[0], column)]
    if field.type != Timestamp() or len(field.sources) != len((_DATE, _TIME)) or field.tail != "Z":
        raise FormatError(f"the format is read only: column {field.name!r} cannot be taken apart again")
    date, time = field.sources
    return [WrittenValue(date, column, _DATE), WrittenValue(time, column, _TIME)]


def head_of(
    names: Sequence[str],
    cutter: Cutter,
    *,
    by_fields: bool,
    forbidden_prefixes: tuple[str, ...],
    unencodable: FindUnencodable | None,
) -> tuple[str, list[str]]:
    """The text that a file begins with so that its values have these names, and why it could not be read so."""
    problems = [f"{name!r} holds a line end" for name in names if holds_any(name, LINE_ENDS)]
    missing = unencodable("".join(names)) if unencodable is not None else set()
    problems += [f"the encoding lacks {character!r} of the names" for character in sorted(missing)]
    if by_fields:
        problems += [
            f"{name!r} is no name of one word" for name in names if name.split() != [name] or not column_name(name)
        ]
        problems += twice([column_name(name) for name in names])
        return f"#Version: 1.0\n#Fields: {' '.join(names)}\n", problems
    problems += twice([name.lower() for name in names])
    quote = cutter.quote
    spelled = []
    for place, name in enumerate(names):
        odd = name != name.strip() or not name or holds_any(name, (cutter.separator[0], quote or "\n"))
        odd = odd or (place == 0 and name.startswith(forbidden_prefixes))
        spelled.append(quote + name.replace(quote, 2 * quote) + quote if odd and quote is not None else name)
    line = cutter.separator.join(spelled)
    if not problems and (cutter.names(line) != list(names) or line.startswith(forbidden_prefixes)):
        problems.append(f"the header {line!r} would be read otherwise; rename the columns")
    return line + "\n", problems
