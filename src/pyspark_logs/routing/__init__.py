"""Routing: which directory each row is written to, by the layout. No I/O.

Time comes from one timestamp column, read by a clock in the layout's zone; the other fields of the layout come
from columns of their names. Rows are grouped a batch at a time: clocks and values are looked at once for each
minute and each distinct value, not for each row.

Inside, imports run one way: ``Router`` -> ``keys`` -> ``clocks``, ``texts``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from pyspark_logs.errors import LayoutError, OptionError, RecordError, SchemaError
from pyspark_logs.layout import COLUMN, TIME, Layout
from pyspark_logs.layout.notation import WILDCARD
from pyspark_logs.routing.clocks import HIGHEST_US, LOWEST_US, Int64
from pyspark_logs.routing.keys import clock_key, grouped, value_key
from pyspark_logs.routing.partition_text import has_text

MOST_DIRECTORIES = 1 << 16  # remembered; beyond, they are made anew

# onUnwritable: what is written in the place of a value that no directory can be named after.
_INSTEAD: dict[str, str | None] = {"null": None, "space": " "}


class Router:
    """Sorts the rows of batches into the directories of a layout.

    What can work for no row is refused here: to make one on the driver is to check all there is to check.

    Args:
        layout: where files go; ``hive_layout([])`` for the root itself.
        schema: of every batch.
        time_column: name of a timestamp column, in any case; None: the first timestamp of ``schema``. Used only
            where the layout has time.
        on_unwritable: ``fail``, ``null`` or ``space``: what becomes of a value that no directory can be named
            after so that it reads back, as the empty string. ``space`` writes one space in its place.

    Attributes:
        columns_in_path: names of the partition columns, as ``schema`` spells them. A reader has them from the
            path, so a line needs them only where its format names them too.
        time_column: where the layout's time comes from, as ``schema`` spells it; None without time.

    Raises:
        OptionError: the layout cannot be written to, as it holds ``*`` or names files; or ``time_column`` is not
            a timestamp of ``schema``.
        SchemaError: a partition column is not in ``schema``, or of a type that has no text in a path.
    """

    def __init__(
        self, layout: Layout, schema: pa.Schema, time_column: str | None = None, *, on_unwritable: str = "fail"
    ) -> None:
        _check_writable(layout)
        self.layout = layout
        self.on_unwritable = on_unwritable
        self._columns = [_partition_column(layout, schema, name) for name in layout.columns]
        self.columns_in_path = tuple(schema.names[index] for index in self._columns)
        # Its tokens are the first so many of year, month, day, hour, minute.
        self._size = sum(part.kind == TIME for segment in layout.segments for part in segment.fields)
        self._time: int | None = _time_column(layout, schema, time_column) if self._size else None
        self.time_column: str | None = None
        self._by_clock = layout
        if self._time is not None:
            self.time_column = schema.names[self._time]
            if schema.types[self._time].tz is None:
                # It is a wall clock already, so no clock is to be changed on its way to the path.
                self._by_clock = replace(layout, zone="UTC")
        self._directories: dict[tuple[Any, ...], str] = {}

    def route(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Int64Array | None]]:
        """The directories of a batch's rows, in order of their first rows.

        Yields:
            A directory relative to the root, without a slash at its end (``""``: the root itself), and which rows
            go there, in their order. None: all of them.

        Raises:
            RecordError: a row without a time, or with one beyond the calendar; or a value that no directory can be
                named after. The message names the column, the row of the batch, counted from 0, and the value.

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
        keys = [] if times is None else [clock_key(times, self._by_clock.zone, self._size)]
        keys += [value_key(batch.column(index), batch.schema.names[index]) for index in self._columns]
        groups = grouped(keys, batch.num_rows)
        # A stable sort: inside of a group rows stay in order.
        order = np.argsort(groups, kind="stable")
        starts = np.searchsorted(groups[order], np.arange(int(groups.max()) + 2))
        for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            row = int(order[start])
            known = tuple(key.values[key.codes[row]] for key in keys)
            directory = self._directory(known, row, None if times is None else int(times[row]))
            yield directory, None if end - start == batch.num_rows else pa.array(order[start:end])

    def _times_us(self, batch: pa.RecordBatch) -> Int64 | None:
        """The time of each row in microseconds; of a wall clock as if UTC."""
        if self._time is None:
            return None
        column = batch.column(self._time)
        if column.null_count:
            row = column.is_null().index(True).as_py()
            raise RecordError(
                f"column {self.time_column!r} is null in {column.null_count} of {batch.num_rows} rows (first in row {row}), and"
                f" layout {self.layout.text!r} needs a time; leave such rows out, give them a time, or name another timeColumn"
            )
        numbers = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
        if column.type.unit == "ns":
            return numbers // 1_000
        factor = {"s": 1_000_000, "ms": 1_000, "us": 1}[column.type.unit]
        beyond = (numbers < LOWEST_US // factor) | (numbers > HIGHEST_US // factor)
        if beyond.any():
            raise RecordError(
                f"column {self.time_column!r}, row {int(beyond.argmax())}: the time is not between the years 1 and 9998, and has no"
                f" place in layout {self.layout.text!r}; leave such rows out"
            )
        return numbers * factor

    def _directory(self, known: tuple[Any, ...], row: int, time_us: int | None) -> str:
        directory = self._directories.get(known)
        if directory is None:
            if len(self._directories) >= MOST_DIRECTORIES:
                self._directories.clear()
            values = known if time_us is None else known[1:]
            directory = self._directories[known] = self._render(time_us, values, row)
        return directory

    def _render(self, time_us: int | None, values: Sequence[str | None], row: int) -> str:
        try:
            return self._by_clock.render(time_us, values)
        except LayoutError as error:
            place = self._blame(time_us, values)
            instead = _INSTEAD.get(self.on_unwritable, values[place])
            if instead != values[place]:
                return self._render(time_us, [*values[:place], instead, *values[place + 1 :]], row)
            raise RecordError(
                f"column {self.columns_in_path[place]!r}, row {row}: {values[place]!r} cannot be in a path of layout"
                f" {self.layout.text!r} so that it reads back; change such values, leave their rows out, or say"
                " onUnwritable=null or space"
            ) from error

    def _blame(self, time_us: int | None, values: Sequence[str | None]) -> int:
        """The place of the first value that keeps the row from being written."""

        def alone(place: int) -> bool:
            others = ["x"] * (len(values) - 1)
            try:
                self._by_clock.render(time_us, [*others[:place], values[place], *others[place:]])
            except LayoutError:
                return False
            return True

        return next((place for place in range(len(values)) if not alone(place)), 0)


# --- checks -----------------------------------------------------------------------------------------------


def _check_writable(layout: Layout) -> None:
    if any(segment.has(WILDCARD) for segment in layout.segments):
        raise OptionError(
            f"layout {layout.text!r} reads only: nothing can be written for '*'; name a column in its place, or leave it out"
        )
    if layout.in_file_name and layout.segments[-1].has(TIME, COLUMN):
        raise OptionError(
            f"layout {layout.text!r} reads only: its last segment is a file's name, and files are named by the writer; end it"
            " with a directory"
        )


def _find(schema: pa.Schema, name: str) -> int | None:
    """The place of a column, in any case where no other has the very name."""
    names = [own.lower() for own in schema.names]
    if name in schema.names:
        return int(schema.names.index(name))
    return names.index(name.lower()) if name.lower() in names else None


def _partition_column(layout: Layout, schema: pa.Schema, name: str) -> int:
    found = _find(schema, name)
    if found is None:
        raise SchemaError(
            f"layout {layout.text!r}: there is no column {name!r} to write; there are {', '.join(schema.names) or 'none'}"
        )
    if not has_text(schema.types[found]):
        raise SchemaError(
            f"layout {layout.text!r}: column {name!r} of type {schema.types[found]} has no text in a path; cast it to string"
        )
    return found


def _time_column(layout: Layout, schema: pa.Schema, name: str | None) -> int:
    places = [place for place, dtype in enumerate(schema.types) if pa.types.is_timestamp(dtype)]
    choices = f"timestamps are: {', '.join(schema.names[place] for place in places) or 'none'}"
    if name is None:
        if not places:
            raise OptionError(
                f"layout {layout.text!r} has time, and no column is a timestamp; cast one, or take the time out of the layout"
            )
        return places[0]
    found = _find(schema, name)
    if found is None:
        raise OptionError(f"option 'timeColumn': there is no column {name!r} to write ({choices})")
    if found not in places:
        raise OptionError(f"option 'timeColumn': {name!r} is of type {schema.types[found]}, no timestamp ({choices})")
    return found
