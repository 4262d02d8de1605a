"""Where each column of a schema comes from: the line, the path, or the reading itself.

A column that both the format and the layout have comes from the line. A JSON line has any columns at all,
so of those that its format does not list it is the other way round: what the layout names comes from the path.
Then a filter on such a column may choose directories without looking into files, and never loses a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.errors import OptionError, SchemaError
from pyspark_logs.formats.registry import format_schema, takes_any_column
from pyspark_logs.formats.types.registry import for_arrow
from pyspark_logs.options import ReadOptions
from pyspark_logs.schema import metadata_type

METADATA = "_metadata"

FROM_LINE = "line"
FROM_PATH = "path"
RAW_TEXT = "corrupt"
ABOUT_FILE = "metadata"


@dataclass(frozen=True)
class Columns:
    """The columns of a query, sorted by where they come from.

    Attributes:
        target: the schema that every batch has.
        sources: for each column of ``target`` one of the four sources above.
        wanted: those from the line, in order.
        time: the column that a time range applies to; None: the format has none.
        hidden_time: whether it must be parsed although the schema leaves it out.
    """

    target: pa.Schema
    sources: tuple[str, ...]
    wanted: pa.Schema
    time: str | None
    hidden_time: bool

    @property
    def judge_whole(self) -> bool:
        """Whether lines are judged by all of their fields: the raw text of bad ones is asked for."""
        return RAW_TEXT in self.sources

    @property
    def shown_time(self) -> str | None:
        """``time`` as ``target`` spells it; None where that leaves it out."""
        time = (self.time or "").lower()
        return next((field.name for field in self.wanted if field.name.lower() == time), None)


def resolve_columns(options: ReadOptions, target: pa.Schema, path_columns: Sequence[str]) -> Columns:
    """Sort the columns of a schema by their source.

    Args:
        options: the reader's.
        target: what the user or :func:`full_schema` asks for.
        path_columns: partition columns of the layout.

    Raises:
        SchemaError: a column that neither the format nor the path has, or of an impossible type.
        OptionError: ``timeColumn`` is not a timestamp of the format.
    """
    known = format_schema(options.format)
    in_line = set() if known is None else {name.lower() for name in known.names}
    is_open = takes_any_column(options.format)
    in_path = {name.lower() for name in path_columns}
    sources = []
    for field in target:
        name = field.name.lower()
        if name in in_line:
            sources.append(FROM_LINE)
        elif name == options.records.corrupt_column.lower():
            _check_string(field, "the text of corrupt records")
            sources.append(RAW_TEXT)
        elif name == METADATA and pa.types.is_struct(field.type):
            _check_metadata(field.type)
            sources.append(ABOUT_FILE)
        elif name in in_path:
            _check_castable(field)
            sources.append(FROM_PATH)
        elif is_open:
            sources.append(FROM_LINE)
        else:
            there = [*(known.names if known else ()), *path_columns]
            raise SchemaError(f"column {field.name!r} is not there; format and layout give {', '.join(there)}")
    wanted = pa.schema([f for f, source in zip(target, sources, strict=True) if source == FROM_LINE])
    time = _time_column(options, known, wanted)
    bounded = options.time.start_us is not None or options.time.end_us is not None
    # An instant is compared, so a wall clock, a day or a text that was asked for does not serve.
    shown = time is not None and any(f.name.lower() == time.lower() and _is_instant(f.type) for f in wanted)
    return Columns(target, tuple(sources), wanted, time, bounded and time is not None and not shown)


def full_schema(options: ReadOptions, in_line: pa.Schema, path_columns: Sequence[str]) -> pa.Schema:
    """``schema()``: the format's columns, the path's, then ``_metadata`` and the corrupt column if asked for."""
    fields = list(in_line)
    if options.format.rescued_column is not None:
        fields.append(pa.field(options.format.rescued_column, pa.string()))
    taken = {field.name.lower() for field in fields}
    fields += [pa.field(name, pa.string()) for name in path_columns if name.lower() not in taken]
    if options.records.metadata:
        fields.append(pa.field(METADATA, metadata_type()))
    if options.records.corrupt_column_given:
        fields.append(pa.field(options.records.corrupt_column, pa.string()))
    names = [field.name.lower() for field in fields]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError(
            f"column {twice[0]!r} would appear twice: rename the field, or the column that an option adds"
        )
    return pa.schema(fields)


def _is_instant(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(dtype) and dtype.tz is not None)


def _time_column(options: ReadOptions, known: pa.Schema | None, wanted: pa.Schema) -> str | None:
    name = options.time.column
    if name is None:
        # What the format gives as text may be a timestamp by the schema.
        candidates = [*(known or ()), *wanted]
        return next((field.name for field in candidates if pa.types.is_timestamp(field.type)), None)
    retyped = {f.name.lower(): f for f in wanted if pa.types.is_timestamp(f.type)}
    if name.lower() in retyped:
        return name
    for field in known or ():
        if field.name.lower() == name.lower() and pa.types.is_timestamp(field.type):
            return field.name
    if takes_any_column(options.format):
        return name  # JSON: parsed as a timestamp whether the schema has it or not
    stamps = [field.name for field in known or () if pa.types.is_timestamp(field.type)]
    raise OptionError(
        f"option 'timeColumn': {name!r} is not a timestamp of the format (there are: {', '.join(stamps) or 'none'})"
    )


def _check_metadata(dtype: pa.StructType) -> None:
    known = {field.name: field.type for field in metadata_type()}
    for field in dtype:
        name = field.name.lower()
        if known.get(name) != field.type:
            wants = f"{known[name]}" if name in known else f"one of {', '.join(known)}"
            raise SchemaError(f"column '_metadata': field {field.name!r} {field.type} is not there; it is {wants}")


def _check_string(field: pa.Field, what: str) -> None:
    if not pa.types.is_string(field.type):
        raise SchemaError(f"column {field.name!r} holds {what}: declare it a string, not {field.type}")


def _check_castable(field: pa.Field) -> None:
    if for_arrow(field.type) is None:
        raise SchemaError(
            f"column {field.name!r} comes from the path, which cannot be read as {field.type}; declare it a string"
        )
