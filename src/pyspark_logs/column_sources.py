"""The source of each column of a schema: the record, the path, or the reader.

A column that both the format and the layout have comes from the record. An open format (JSON) takes any column, so for
columns that it does not list the layout has precedence: then a filter on such a column may choose directories without
looking into files, and never loses a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.conditions import BoundCondition, Condition
from pyspark_logs.errors import OptionError, SchemaError
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.interface import Format
from pyspark_logs.formats.types.registry import for_arrow
from pyspark_logs.options import ReadOptions
from pyspark_logs.predicates import Predicate
from pyspark_logs.schema import metadata_type, type_name
from pyspark_logs.terminal_text import nearest_name

METADATA = "_metadata"

FROM_RECORD = "record"
FROM_PATH = "path"
RAW_TEXT = "corrupt"
FILE_METADATA = "metadata"


@dataclass(frozen=True)
class ColumnSources:
    """The columns of a query and the source of each.

    Attributes:
        target: the requested columns, and after them those that only the condition names.
        sources: one of the four sources above for each column of ``target``.
        record_columns: the columns that come from the record, in order.
        time: name of the column that a time range applies to; None: the format has no such column.
        hidden_time: True if the time must be decoded although ``target`` lacks it, or has it as another type.
        output: schema of every batch: the requested columns.
        condition: condition on the rows; None for all rows.
    """

    target: pa.Schema
    sources: tuple[str, ...]
    record_columns: pa.Schema
    time: str | None
    hidden_time: bool
    output: pa.Schema
    condition: BoundCondition | None = None

    @property
    def shown_time(self) -> str | None:
        """Name of the time column as ``target`` spells it; None: ``target`` lacks it."""
        time = (self.time or "").lower()
        return next((field.name for field in self.record_columns if field.name.lower() == time), None)

    @property
    def implied(self) -> tuple[Predicate, ...]:
        """Predicates that the condition implies, for pruning."""
        implied = None if self.condition is None else self.condition.implied()
        return () if implied is None else (implied,)

    def projection(self, *, judge_whole: bool = False) -> Projection:
        """Returns the columns to request of the format.

        Args:
            judge_whole: True if every field of the format makes a record corrupt. The raw text of corrupt records always
                requires that.
        """
        hidden = [pa.field(self.time, pa.timestamp("us", "UTC"))] if self.hidden_time and self.time else []
        return Projection(self.record_columns, pa.schema(hidden), judge_whole or RAW_TEXT in self.sources)


def resolve_columns(
    form: Format,
    options: ReadOptions,
    output: pa.Schema,
    path_columns: Sequence[str],
    condition: Condition | None = None,
) -> ColumnSources:
    """Returns the source of each column of a schema.

    Args:
        form: format of the records.
        options: options of the reader.
        output: schema of the user, or of :func:`full_schema`.
        path_columns: partition columns of the layout.
        condition: condition on the rows. Columns that only the condition names are read for it.

    Raises:
        SchemaError: a column that neither the format nor the path has, or of an impossible type.
        OptionError: ``timeColumn`` is not a timestamp of the format, or the condition does not fit the columns.
    """
    known = form.schema()
    hidden = [] if condition is None else _condition_fields(form, options, output, path_columns, condition)
    target = pa.schema([*output, *hidden])
    in_record = set() if known is None else {name.lower() for name in known.names}
    in_path = {name.lower() for name in path_columns}
    sources = []
    for field in target:
        name = field.name.lower()
        if name in in_record or name == (options.format.rescued_column or "").lower():
            sources.append(FROM_RECORD)
        elif name == options.records.corrupt_column.lower():
            _check_string(field, "the text of corrupt records")
            sources.append(RAW_TEXT)
        elif name == METADATA and pa.types.is_struct(field.type):
            _check_metadata(field.type)
            sources.append(FILE_METADATA)
        elif name in in_path:
            _check_path_type(field)
            sources.append(FROM_PATH)
        elif form.takes_further_columns:
            sources.append(FROM_RECORD)
        else:
            names = [*(known.names if known else ()), *path_columns]
            raise _unknown_column(field.name, names, condition if field in hidden else None)
    record_columns = pa.schema([f for f, source in zip(target, sources, strict=True) if source == FROM_RECORD])
    time = _time_column(form, options, known, record_columns)
    # A time range compares instants, so a time requested as a wall clock, a day or a string must be decoded twice.
    shown = time is not None and any(f.name.lower() == time.lower() and _is_instant(f.type) for f in record_columns)
    hidden_time = options.time.is_bounded and time is not None and not (shown and form.has_one_time(time))
    bound = None if condition is None else condition.bind(target)
    return ColumnSources(target, tuple(sources), record_columns, time, hidden_time, output, bound)


def _unknown_column(name: str, known: Sequence[str], condition: Condition | None) -> SchemaError:
    """Returns the error of a column that neither the format nor the path has, of the schema or of a condition."""
    near = nearest_name(name, known)
    hint = f"; did you mean {near!r}?" if near else ""
    problem = f"column {name!r} is not there; format and layout give {', '.join(known)}{hint}"
    if condition is None:
        return SchemaError(problem)
    advice = "write IS NULL or IS NOT NULL" if name.lower() in ("none", "nil", "nan") else f"text is quoted: '{name}'"
    return SchemaError(
        f"option 'where': {problem}{'' if near else f'; {advice}.'} The condition is: {condition.text!r}"
    )


def _condition_fields(
    form: Format, options: ReadOptions, output: pa.Schema, path_columns: Sequence[str], condition: Condition
) -> list[pa.Field]:
    """Returns the columns that a condition names and ``output`` lacks.

    The types are those of the format; a column whose type neither the format nor the path knows has that of the
    literals with which the condition compares it.
    """
    requested = {name.lower() for name in output.names}
    known = {name.lower(): pa.field(name, pa.string()) for name in path_columns}
    known |= {options.records.corrupt_column.lower(): pa.field(options.records.corrupt_column, pa.string())}
    known |= {METADATA: pa.field(METADATA, metadata_type())}
    known |= {field.name.lower(): field for field in form.schema() or ()}
    fields = []
    for name, dtype in condition.column_types().items():
        if name.lower() in requested:
            continue
        if name.lower() in known:
            fields.append(known[name.lower()])
        elif form.has_positional_columns:
            raise OptionError(
                f"option 'where': no column {name!r}; the schema has {', '.join(output.names)}, one for each value of a line in"
                f" their order. The condition is: {condition.text!r}"
            )
        elif dtype is None and form.is_open:
            raise OptionError(
                f"option 'where': the type of column {name!r} is not known, since its records are of an open format; name the"
                f" column in the schema. The condition is: {condition.text!r}"
            )
        else:
            fields.append(pa.field(name, dtype or pa.string()))
    return fields


def full_schema(form: Format, options: ReadOptions, in_record: pa.Schema, path_columns: Sequence[str]) -> pa.Schema:
    """Returns the columns of a load without a schema, in this order: columns of the record, the column of rescued data,
    columns of the path, ``_metadata``, the corrupt column.

    Args:
        form: format of the records.
        options: options of the reader, which turn on the rescued data, ``_metadata`` and the corrupt column.
        in_record: columns of the record.
        path_columns: partition columns of the layout.

    Raises:
        OptionError: two columns have one name.
    """
    fields = list(in_record)
    if options.format.rescued_column is not None:
        fields.append(pa.field(options.format.rescued_column, form.rescued_type))
    taken = {field.name.lower() for field in fields}
    fields += [pa.field(name, pa.string()) for name in path_columns if name.lower() not in taken]
    if options.records.metadata:
        fields.append(pa.field(METADATA, metadata_type()))
    if options.records.corrupt_column_given:
        fields.append(pa.field(options.records.corrupt_column, pa.string()))
    counts = Counter(field.name.lower() for field in fields)
    duplicates = sorted(name for name, count in counts.items() if count > 1)
    if duplicates:
        raise OptionError(
            f"column {duplicates[0]!r} would appear twice: rename the field, or the column that an option adds"
        )
    return pa.schema(fields)


def _is_instant(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(dtype) and dtype.tz is not None)


def _time_column(form: Format, options: ReadOptions, known: pa.Schema | None, record_columns: pa.Schema) -> str | None:
    """Returns the name of the column that a time range applies to."""
    name = options.time.column
    if name is None:
        # The schema may request a string field of the format as a timestamp.
        candidates = [*(known or ()), *record_columns]
        return next((field.name for field in candidates if pa.types.is_timestamp(field.type)), None)
    if any(field.name.lower() == name.lower() and pa.types.is_timestamp(field.type) for field in record_columns):
        return name
    for field in known or ():
        if field.name.lower() == name.lower() and pa.types.is_timestamp(field.type):
            return field.name
    if form.is_open:
        return name  # decoded as a timestamp even if the schema lacks it
    timestamps = [field.name for field in known or () if pa.types.is_timestamp(field.type)]
    raise OptionError(
        f"option 'timeColumn': {name!r} is not a timestamp of the format (there are: {', '.join(timestamps) or 'none'})"
    )


def _check_metadata(dtype: pa.StructType) -> None:
    known = {field.name: field.type for field in metadata_type()}
    for field in dtype:
        name = field.name.lower()
        if known.get(name) != field.type:
            expected = type_name(known[name]) if name in known else f"one of {', '.join(known)}"
            raise SchemaError(
                f"column '_metadata': field {field.name!r} {type_name(field.type)} is not there; it is {expected}"
            )


def _check_string(field: pa.Field, what: str) -> None:
    if not pa.types.is_string(field.type):
        raise SchemaError(f"column {field.name!r} holds {what}: declare it a string, not {type_name(field.type)}")


def _check_path_type(field: pa.Field) -> None:
    if for_arrow(field.type) is None:
        raise SchemaError(
            f"column {field.name!r} comes from the path, which cannot be read as {type_name(field.type)}; declare it a string"
        )
