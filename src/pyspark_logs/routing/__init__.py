"""Routing of rows to directories by the layout. No I/O.

The time tokens of a layout come from one timestamp column, in the layout's time zone; its other fields come from the columns
of the same names. Rows are grouped batch by batch: times are converted once per minute and values once per distinct value,
not once per row.

Import direction: ``Router`` -> ``keys`` -> ``clocks``, ``partition_text``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import as_numbers, from_numpy, null_mask
from pyspark_logs.errors import LayoutError, OptionError, RecordError, SchemaError
from pyspark_logs.layout import COLUMN, TIME, Layout
from pyspark_logs.layout.notation import WILDCARD
from pyspark_logs.routing.clocks import HIGHEST_US, LOWEST_US, Int64
from pyspark_logs.routing.keys import group_numbers, time_key, value_key
from pyspark_logs.routing.partition_text import is_partition_type
from pyspark_logs.terminal_text import format_count

MAX_CACHED_DIRECTORIES = 1 << 16

# onUnwritable -> replacement for a value that cannot be part of a directory name.
_REPLACEMENTS: dict[str, str | None] = {"null": None, "space": " "}


class Router:
    """Assigns the rows of batches to the directories of a layout.

    The constructor makes all checks that do not depend on rows, so creating a router on the driver validates the options.

    Args:
        layout: layout of the directories; ``hive_layout([])`` for the root itself.
        schema: schema of every batch.
        time_column: name of a timestamp column, case-insensitive; None selects the first timestamp of ``schema``. Used
            only if the layout has time tokens.
        on_unwritable: ``fail``, ``null`` or ``space``: treatment of a value, such as the empty string, that cannot be
            part of a directory name and read back. ``space`` replaces the value by one space.

    Attributes:
        columns_in_path: names of the partition columns, as ``schema`` spells them. A reader takes them from the path, so
            a line needs them only if its format names them, too.
        time_column: name of the column that supplies the layout's time, as ``schema`` spells it; None without time tokens.

    Raises:
        OptionError: the layout cannot be written because it holds ``*`` or names files; or ``time_column`` is not a
            timestamp of ``schema``.
        SchemaError: a partition column is not in ``schema``, or its values cannot be written to a path.
    """

    def __init__(
        self, layout: Layout, schema: pa.Schema, time_column: str | None = None, *, on_unwritable: str = "fail"
    ) -> None:
        _check_writable(layout)
        self.layout = layout
        self.on_unwritable = on_unwritable
        self._columns = [_partition_column(layout, schema, name) for name in layout.columns]
        self.columns_in_path = tuple(schema.names[index] for index in self._columns)
        # The number of leading fields of (year, month, day, hour, minute) that the layout's tokens hold.
        self._size = sum(part.kind == TIME for segment in layout.segments for part in segment.fields)
        self._time: int | None = _time_column(layout, schema, time_column) if self._size else None
        self.time_column: str | None = None
        self._rendered_layout = layout
        if self._time is not None:
            self.time_column = schema.names[self._time]
            if schema.types[self._time].tz is None:
                # The column holds local times already: rendering them in UTC leaves them unchanged.
                self._rendered_layout = replace(layout, zone="UTC")
        self._directories: dict[tuple[Any, ...], str] = {}

    def route(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Int64Array | None]]:
        """Yields the directories of a batch's rows, in the order of their first rows.

        Yields:
            Directory relative to the root, without a trailing slash (``""`` for the root itself), and the indices of its
            rows in ascending order; None instead of indices for all rows.

        Raises:
            RecordError: a row has no time, or a time outside the calendar; or a value cannot be part of a directory name.
                The message names the column, the index of the row in the batch, and the value.

        >>> import pyarrow as pa
        >>> batch = pa.record_batch({"team": ["ops", "web", "ops"], "message": ["a", "b", "c"]})
        >>> for directory, rows in Router(Layout.parse("team={team}"), batch.schema).route(batch):
        ...     print(directory, rows.to_pylist())
        team=ops [0, 2]
        team=web [1]
        """
        if batch.num_rows == 0:
            return
        times = self._times_us(batch)
        keys = [] if times is None else [time_key(times, self._rendered_layout.zone, self._size)]
        keys += [value_key(batch.column(index), batch.schema.names[index]) for index in self._columns]
        groups = group_numbers(keys, batch.num_rows)
        # The sort is stable, so that rows of a group keep their order.
        order = np.argsort(groups, kind="stable")
        starts = np.searchsorted(groups[order], np.arange(int(groups.max()) + 2))
        for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            row = int(order[start])
            known = tuple(key.values[key.codes[row]] for key in keys)
            directory = self._directory(known, row, None if times is None else int(times[row]))
            yield directory, None if end - start == batch.num_rows else from_numpy(order[start:end])

    def _times_us(self, batch: pa.RecordBatch) -> Int64 | None:
        """Returns the time of each row in microseconds; local times are treated as UTC."""
        if self._time is None:
            return None
        column = batch.column(self._time)
        if column.null_count:
            row = int(null_mask(column).argmax())
            raise RecordError(
                f"column {self.time_column!r} is null in {column.null_count} of {format_count(batch.num_rows, 'row')} (first in row {row}), and"
                f" layout {self.layout.text!r} needs a time; leave such rows out, give them a time, or name another timeColumn"
            )
        numbers = as_numbers(column.cast(pa.int64()))
        if column.type.unit == "ns":
            return numbers // 1_000
        factor = {"s": 1_000_000, "ms": 1_000, "us": 1}[column.type.unit]
        beyond = (numbers < LOWEST_US // factor) | (numbers > HIGHEST_US // factor)
        if beyond.any():
            raise RecordError(
                f"column {self.time_column!r}, row {int(beyond.argmax())}: the time is not between the years 1 and 9998, so layout"
                f" {self.layout.text!r} cannot hold it; leave such rows out"
            )
        return numbers * factor

    def _directory(self, known: tuple[Any, ...], row: int, time_us: int | None) -> str:
        directory = self._directories.get(known)
        if directory is None:
            if len(self._directories) >= MAX_CACHED_DIRECTORIES:
                self._directories.clear()
            values = known if time_us is None else known[1:]
            directory = self._directories[known] = self._render(time_us, values, row)
        return directory

    def _render(self, time_us: int | None, values: Sequence[str | None], row: int) -> str:
        try:
            return self._rendered_layout.render(time_us, values)
        except LayoutError as error:
            index = self._unwritable_index(time_us, values)
            replacement = _REPLACEMENTS.get(self.on_unwritable, values[index])
            if replacement != values[index]:
                return self._render(time_us, [*values[:index], replacement, *values[index + 1 :]], row)
            raise RecordError(
                f"column {self.columns_in_path[index]!r}, row {row}: {values[index]!r} cannot be in a path of layout"
                f" {self.layout.text!r}, as it would not read back; change such values, leave their rows out, or set"
                " onUnwritable=null or space"
            ) from error

    def _unwritable_index(self, time_us: int | None, values: Sequence[str | None]) -> int:
        """Returns the index of the first value that cannot be rendered."""

        def can_be_rendered(index: int) -> bool:
            others = ["x"] * (len(values) - 1)
            try:
                self._rendered_layout.render(time_us, [*others[:index], values[index], *others[index:]])
            except LayoutError:
                return False
            return True

        return next((index for index in range(len(values)) if not can_be_rendered(index)), 0)


# --- checks -----------------------------------------------------------------------------------------------


def _check_writable(layout: Layout) -> None:
    if any(segment.has(WILDCARD) for segment in layout.segments):
        raise OptionError(
            f"layout {layout.text!r} cannot be written: '*' has no value; name a column in place of '*', or remove it"
        )
    if layout.in_file_name and layout.segments[-1].has(TIME, COLUMN):
        raise OptionError(
            f"layout {layout.text!r} cannot be written: its last segment is a file name, and the writer names the files; end the"
            " layout with a directory"
        )


def _find(schema: pa.Schema, name: str) -> int | None:
    """Returns the index of a column: the one of exactly this name, else the first that differs only in case."""
    names = [column.lower() for column in schema.names]
    if name in schema.names:
        return int(schema.names.index(name))
    return names.index(name.lower()) if name.lower() in names else None


def _partition_column(layout: Layout, schema: pa.Schema, name: str) -> int:
    found = _find(schema, name)
    if found is None:
        raise SchemaError(
            f"layout {layout.text!r}: column {name!r} is not in the data; its columns are {', '.join(schema.names) or 'none'}"
        )
    if not is_partition_type(schema.types[found]):
        raise SchemaError(
            f"layout {layout.text!r}: column {name!r} of type {schema.types[found]} cannot be written to a path; cast it to string"
        )
    return found


def _time_column(layout: Layout, schema: pa.Schema, name: str | None) -> int:
    timestamps = [index for index, dtype in enumerate(schema.types) if pa.types.is_timestamp(dtype)]
    choices = f"timestamps are: {', '.join(schema.names[index] for index in timestamps) or 'none'}"
    if name is None:
        if not timestamps:
            raise OptionError(
                f"layout {layout.text!r} has time tokens, but no column is a timestamp; cast one, or remove the tokens from the"
                " layout"
            )
        return timestamps[0]
    found = _find(schema, name)
    if found is None:
        raise OptionError(f"option 'timeColumn': column {name!r} is not in the data ({choices})")
    if found not in timestamps:
        raise OptionError(
            f"option 'timeColumn': {name!r} is of type {schema.types[found]}, not a timestamp ({choices})"
        )
    return found
