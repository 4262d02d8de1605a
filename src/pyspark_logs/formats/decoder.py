"""From a format's description and the columns wanted to a decoder of blocks of lines.

A decoder asks its engines in turn, the fastest first; each vouches for some lines, and what is left is
parsed one line at a time by the exact parser. No line is ever silently wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.chain import ChainEngine
from pyspark_logs.formats.delimited import DelimitedEngine
from pyspark_logs.formats.engine import Engine, Sure
from pyspark_logs.formats.exact import Column, Parsed, Rules, TemplateLines
from pyspark_logs.formats.fieldtypes import retype
from pyspark_logs.formats.jsonlines import JsonLines
from pyspark_logs.formats.jsonshapes import JsonShapeEngine
from pyspark_logs.formats.presets import preset
from pyspark_logs.formats.template import Template, parse_template
from pyspark_logs.formats.timestamps import Moment
from pyspark_logs.formats.zones import utc_to_walls_us
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

if TYPE_CHECKING:
    import pyarrow as pa

    from pyspark_logs.formats.kernels import Bool, Int64


@dataclass(frozen=True)
class Decoded:
    """One block's columns, a value for each line, and which lines are corrupt (None: not one)."""

    columns: list[pa.Array]
    corrupt: Bool | None


class LineParser(Protocol):
    """The exact meaning of one line, for :class:`Decoder`."""

    def parse(self, line: str, moment: Moment) -> Parsed:
        """The values of the columns."""


class Decoder:
    """Decodes blocks of lines into columns of ``target``'s types."""

    def __init__(
        self, engines: Sequence[Engine], exact: LineParser, native: Sequence[pa.DataType], target: Sequence[pa.DataType]
    ) -> None:
        self.engines, self.exact = tuple(engines), exact
        self.native, self.target = tuple(native), tuple(target)

    def decode(self, lines: Lines, moment: Moment) -> Decoded:
        """Every line of a block, in order.

        Args:
            lines: records of valid UTF-8 (see ``records.sanitise``).
            moment: the zone and the year bound of the file.
        """
        parts: list[Sure] = []
        todo: Int64 | None = None  # None: all lines
        for engine in self.engines:
            if todo is not None and len(todo) == 0:
                break
            starts = lines.starts if todo is None else lines.starts[todo]
            ends = lines.ends if todo is None else lines.ends[todo]
            sure = engine.parse(lines.block, starts, ends, moment)
            if sure is None:
                continue
            parts.append(Sure(_within(todo, sure.rows), sure.columns))
            todo = _left(todo, sure.rows, len(lines))
        corrupt = None
        if todo is None or len(todo):
            exact, corrupt = self._exactly(lines, todo, moment)
            parts.append(exact)
        columns = _merged(parts, len(lines), self.native)
        return Decoded(
            [self._finished(*pair, moment) for pair in zip(columns, self.native, self.target, strict=True)], corrupt
        )

    def reason(self, line: bytes, moment: Moment) -> str:
        """Why a line is corrupt; "" where it is not."""
        return self.exact.parse(line.decode("utf-8", "replace"), moment).reason

    def _exactly(self, lines: Lines, todo: Int64 | None, moment: Moment) -> tuple[Sure, Bool | None]:
        import numpy as np
        import pyarrow as pa

        rows = np.arange(len(lines)) if todo is None else todo
        values: list[list[Any]] = [[] for _ in self.native]
        corrupt = np.zeros(len(lines), np.bool_)
        for row in rows.tolist():
            text = lines.block[lines.starts[row] : lines.ends[row]].decode("utf-8", "replace")
            parsed = self.exact.parse(text, moment)
            for column, value in zip(values, parsed.values, strict=True):
                column.append(value)
            corrupt[row] = bool(parsed.reason)
        arrays = [pa.array(column, dtype) for column, dtype in zip(values, self.native, strict=True)]
        return Sure(rows, arrays), corrupt if corrupt.any() else None

    def _finished(self, array: pa.Array, native: pa.DataType, target: pa.DataType, moment: Moment) -> pa.Array:
        """From what the format gives to what the schema wants: instants to wall clocks and days."""
        import pyarrow as pa

        if native == target:
            return array
        if pa.types.is_timestamp(native) and (pa.types.is_timestamp(target) or pa.types.is_date32(target)):
            walls = utc_to_walls_us(array, moment.zone)
            return walls if pa.types.is_timestamp(target) else walls.cast(pa.date32(), safe=False)
        return array.cast(target)


def _within(todo: Int64 | None, rows: Int64 | None) -> Int64 | None:
    if todo is None:
        return rows
    return todo if rows is None else todo[rows]


def _left(todo: Int64 | None, rows: Int64 | None, count: int) -> Int64:
    import numpy as np

    if rows is None:
        return np.zeros(0, np.int64)
    left = np.ones(count if todo is None else len(todo), np.bool_)
    left[rows] = False
    places = np.flatnonzero(left)
    return places if todo is None else todo[places]


def _merged(parts: list[Sure], count: int, types: Sequence[pa.DataType]) -> list[pa.Array]:
    """The parts' columns, put back into the order of the lines."""
    import numpy as np
    import pyarrow as pa

    full = [part for part in parts if part.rows is None or len(part.rows)]
    if len(full) == 1 and (full[0].rows is None or len(full[0].rows) == count):
        return full[0].columns
    if not full:
        return [pa.array([], dtype) for dtype in types]
    order = np.empty(count, np.int64)
    order[np.concatenate([part.rows for part in full])] = np.arange(count)
    return [pa.concat_arrays([part.columns[i] for part in full]).take(pa.array(order)) for i in range(len(types))]


# --- what a format gives ----------------------------------------------------------------------------------


def template_of(options: FormatOptions) -> tuple[Template, dict[str, tuple[Any, ...]], FormatOptions]:
    """A template or preset, the parts of its fields that are columns, and the options with those of the preset."""
    if options.kind == "template":
        return parse_template(options.spec, escape=options.escape), {}, options
    found = preset(options.spec)
    return (
        parse_template(found.template),
        found.parts,
        replace(options, allow_trailing=options.allow_trailing or found.allow_trailing),
    )


def _columns(template: Template, parts: dict[str, tuple[Any, ...]]) -> list[Column]:
    columns = []
    for field in template.fields:
        name = field.name or ""
        if name in parts:
            columns += [Column(part, part_type, part_of=name) for part, part_type in parts[name]]
        else:
            columns.append(Column(name, field.type))
    return columns


def format_schema(options: FormatOptions) -> pa.Schema | None:
    """The columns a format gives; None where only the data can tell (JSON).

    Raises:
        FormatError: the description is wrong.
    """
    import pyarrow as pa

    if options.kind == "json":
        return None
    template, parts, _ = template_of(options)
    return pa.schema([pa.field(column.name, column.type.arrow()) for column in _columns(template, parts)])


def compile_decoder(
    options: FormatOptions, wanted: pa.Schema, *, hidden: pa.Schema | None = None, judge_whole: bool = False
) -> Decoder:
    """Choose the engines for a format and the columns wanted of it.

    Args:
        options: the format.
        wanted: the columns, named as the format names them (without regard to case).
        hidden: further columns that are parsed but never make a line corrupt; they come last.
        judge_whole: a line is corrupt by any of its fields, not only by those wanted.

    Raises:
        FormatError: the format's description is wrong.
        SchemaError: a column that the format does not have, or a type it cannot give.
    """
    fields = [(field, True) for field in wanted] + [(field, False) for field in hidden or ()]
    if options.kind == "json":
        exact = JsonLines(
            tuple(field for field, _ in fields), tuple(judged for _, judged in fields), options.rescued_column
        )
        exact.check()
        native = [field.type for field, _ in fields]
        return Decoder([JsonShapeEngine(exact)], exact, native, native)
    template, parts, options = template_of(options)
    known = {column.name.lower(): column for column in _columns(template, parts)}
    columns = []
    for field, judged in fields:
        column = known.get(field.name.lower())
        if column is None:
            names = ", ".join(column.name for column in known.values())
            raise SchemaError(f"column {field.name!r} is not in the format, which gives {names}")
        columns.append(replace(column, type=retype(column.type, field.type, field.name), judged=judged))
    if options.rescued_column is not None:
        raise FormatError("option 'rescuedDataColumn' belongs to json; a template has no further columns")
    shown = {column.name for column in columns if column.judged}
    unasked = tuple(column for column in known.values() if judge_whole and column.name not in shown)
    rules = Rules(options.null_value, options.escape == "backslash", options.allow_trailing, judge_whole, unasked)
    engines: list[Engine] = [ChainEngine(template, columns, rules)]
    delimited = DelimitedEngine.for_template(template, columns, rules)
    if delimited is not None:
        engines.insert(0, delimited)
    native = [column.type.arrow() for column in columns]
    return Decoder(engines, TemplateLines(template, columns, rules), native, [field.type for field, _ in fields])


def verbatim_fields(options: FormatOptions) -> tuple[set[str], set[str] | None]:
    """Fields (in lower case) whose string values stand in the raw line as they are.

    Returns:
        (always, unless the line has a backslash); the second is None for JSON: all of them.
    """
    if options.kind == "json":
        return set(), None
    template, _, options = template_of(options)
    plain: set[str] = set()
    escaped: set[str] = set()
    for field in template.fields:
        name = (field.name or "").lower()
        (escaped if field.type.quoted or options.escape != "none" else plain).add(name)
    return plain, escaped
