"""The tables that a machine has filled, as Arrow columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pyspark_logs.arrow_values import from_numpy
from pyspark_logs.formats.columnar.conversion import ConversionResult, scatter_result
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, drop_uncertain_rows, intersect_masks
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)
from pyspark_logs.formats.compiled import opcodes as op
from pyspark_logs.formats.compiled.availability import Machines
from pyspark_logs.formats.compiled.outputs import TEXTS, Out, OutputTable
from pyspark_logs.formats.compiled.primitives import CHUNK
from pyspark_logs.formats.decoding.rejections import RejectionForm, Rejections
from pyspark_logs.formats.timestamps.parsing import HIGHEST_US, LOWEST_US, TimestampContext
from pyspark_logs.formats.timestamps.zones import local_to_utc_us
from pyspark_logs.formats.types.field_type import FieldType

Unescape = Callable[[pa.Array], pa.Array]
_REJECTS_OF_LINE = 2  # on average


@dataclass
class BlockTables:
    """Tables for the lines of one block; see :class:`~pyspark_logs.formats.compiled.interpreted.OutputArguments`.

    Attributes:
        outputs: the outputs.
        capacity: number of lines.
        ints: integers, booleans, instants and days.
        doubles: numbers.
        begins: offsets of the texts that do not fit in ``areas``.
        offsets: sums of the lengths of texts.
        strings: bytes of texts.
        areas: part of ``strings`` of each output of texts.
        valid: valid values.
        seen: observations.
        state: last times.
        rejects: texts that may not be of their type.
        rows: indices of the certain lines.
    """

    outputs: OutputTable
    capacity: int
    ints: Int64
    doubles: npt.NDArray[np.float64]
    begins: Int32
    offsets: Int32
    strings: Bytes
    areas: Int32
    valid: Bytes
    seen: Int32
    state: Int64
    rejects: Int32
    rows: Int32

    @classmethod
    def for_lines(cls, table: OutputTable, capacity: int, *, rejects: bool = False) -> BlockTables:
        """Returns tables for a number of lines.

        Args:
            table: the outputs.
            capacity: number of lines.
            rejects: True if there is memory for texts that are not of their type; without it, their lines are uncertain.
        """
        ints, doubles, texts, valid = table.slots
        areas = table.areas(capacity)
        max_rejects = _REJECTS_OF_LINE * capacity if rejects else 0
        tables = cls(
            table,
            capacity,
            np.empty(ints * capacity + 1, np.int64),
            np.empty(doubles * capacity + 1, np.float64),
            np.empty(texts * capacity + 1, np.int32),
            np.empty(texts * (capacity + 1) + 1, np.int32),
            np.empty(int(areas[-2]) + CHUNK, np.uint8),
            areas,
            np.empty(valid * capacity + 1, np.uint8),
            np.zeros(len(table.outs) * op.SEEN_WIDTH + 1, np.int32),
            np.full(op.STATE_SIZE, -1, np.int64),
            np.empty(2 + op.REJECT_WIDTH * max_rejects, np.int32),
            np.empty(capacity, np.int32),
        )
        tables.offsets[:: capacity + 1] = 0
        tables.rejects[:2] = 0, max_rejects
        return tables

    def filled(self) -> tuple[Any, ...]:
        """Returns the tables in the order in which machines take them."""
        return (
            self.ints,
            self.doubles,
            self.begins,
            self.offsets,
            self.strings,
            self.areas,
            self.valid,
            self.seen,
            self.state,
            self.rejects,
            self.rows,
        )


class BlockColumns:
    """Builds the columns of the certain lines of a block.

    Args:
        machines: the machines.
        tables: tables that a machine has filled.
        view: bytes of the block.
        count: number of certain lines.
        context: the zone and the year bound of the file.
        forms: form of the reasons of each output; see :class:`~pyspark_logs.formats.decoding.rejections.Rejections`. (): lines
            with a value that is not of its type are uncertain.
        unescape: removes the escapes from texts that the machine has rejected; None: they have none.
    """

    def __init__(
        self, machines: Machines, tables: BlockTables, view: Bytes, count: int, context: TimestampContext,
        forms: Sequence[RejectionForm | None] = (), unescape: Unescape | None = None,
    ) -> None:  # fmt: skip
        self.machines, self.tables, self.view, self.count, self.context = machines, tables, view, count, context
        self.outs = tables.outputs.outs
        tables.outputs.observe(tables.offsets, count, tables.capacity)
        self._observed: list[int] = tables.seen.tolist()
        self._areas: list[int] = tables.areas.tolist()
        self._extracted: dict[tuple[str, str], Any] = {}
        self.rejections = Rejections(count, forms, context) if forms else None
        self._rejected_rows: dict[int, Int64] = {}
        if self.rejections is not None and tables.rejects[0]:
            self._add_rejects(self.rejections, unescape)

    @property
    def rows(self) -> Int64 | None:
        """Indices of the certain lines; None: all lines."""
        return None if self.count == self.tables.capacity else self.tables.rows[: self.count].astype(np.int64)

    def _add_rejects(self, rejections: Rejections, unescape: Unescape | None) -> None:
        """Adds the texts that the machine has rejected."""
        table = self.tables.rejects[2:][: op.REJECT_WIDTH * self.tables.rejects[0]].reshape(-1, op.REJECT_WIDTH)
        for index in np.flatnonzero(np.bincount(table[:, op.REJECT_OUT])).tolist():
            of_output = table[table[:, op.REJECT_OUT] == index]
            self._rejected_rows[index] = of_output[:, op.REJECT_ROW].astype(np.int64)
            matched = of_output[:, op.REJECT_MATCHED] == 1
            for part, is_matched in ((of_output[matched], True), (of_output[~matched], False)):
                if len(part) == 0:
                    continue
                rows = part[:, op.REJECT_ROW].astype(np.int64)
                texts = self._copy_texts(part[:, op.REJECT_BEGIN], part[:, op.REJECT_STOP])
                if is_matched:
                    plain = texts if unescape is None else unescape(texts)
                    rejections.add(index, self.outs[index].type, rows, plain)
                else:
                    rejections.add_unmatched(index, rows, texts)

    def _copy_texts(self, begins: Int32, ends: Int32) -> pa.StringArray:
        """Returns texts of the block."""
        offsets = np.zeros(len(begins) + 1, np.int32)
        np.cumsum(ends - begins, out=offsets[1:])
        data = np.empty(int(offsets[-1]) + CHUNK, np.uint8)
        self.machines.output.gather(self.view, np.ascontiguousarray(begins), offsets, len(begins), data)
        return pa.StringArray.from_buffers(len(begins), pa.py_buffer(offsets), pa.py_buffer(data))

    def rejected_rows(self, indices: Iterable[int]) -> Bool | None:
        """Returns a mask of the lines with a rejected value of some outputs, whose columns were built; None: there are none."""
        parts = (
            [] if self.rejections is None else [part for index in indices for part in self.rejections.rows_of(index)]
        )
        if not parts:
            return None
        rejected: Bool = np.zeros(self.count, np.bool_)
        rejected[np.concatenate(parts)] = True
        return rejected

    def certain_rows(
        self, arrays: list[pa.Array], masks: list[Bool | None], count: int, rests: Int32 | None = None,
        ends: Int32 | None = None,
    ) -> DecodedRows:  # fmt: skip
        """Returns the rows in which all columns are certain, and the reasons of those with a rejected value.

        Args:
            arrays: the requested columns, followed by columns that are only validated.
            masks: mask of the certain values of each column; None: all values.
            count: number of requested columns.
            rests: offset after the last field of each line; None: it was not sought.
            ends: end offset of each line of the block; None: rests are not sought.
        """
        if self.rejections is not None:
            return self.rejections.decoded_rows(self.rows, arrays, masks, count, rests, ends)
        decoded = drop_uncertain_rows(self.rows, arrays, masks, count)
        if rests is not None:
            certain = intersect_masks(masks)
            decoded.rests = rests if certain is None else rests[certain]
        return decoded

    def column(self, index: int, unescape: Unescape | None = None) -> ConversionResult:
        """Returns the column of an output, and a mask of the rows with a correct value (None: all rows).

        Args:
            index: index of the output.
            unescape: removes the escapes from strings.
        """
        out, count = self.outs[index], self.count
        if out.kind in TEXTS:
            return self._texts(index, out, unescape)
        if out.kind == op.O_DOUBLE:
            numbers = self.tables.doubles[out.slot * self.tables.capacity :][:count]
            return pa.Array.from_buffers(pa.float64(), count, [self._validity(index, out), pa.py_buffer(numbers)]), None
        values = self.tables.ints[out.slot * self.tables.capacity :][:count]
        certain = None
        if out.kind in (op.O_INSTANT, op.O_ISO) and self._seen(index, op.SEEN_LOCAL):
            certain = self._to_instants(values, self._valid(out), getattr(out.type, "zone", None) or self.context.zone)
        validity = self._validity(index, out)
        dtype = out.type.arrow()
        if out.kind == op.O_BOOLEAN:
            bits = pa.py_buffer(np.packbits(values != 0, bitorder="little"))
            return pa.Array.from_buffers(dtype, count, [validity, bits]), None
        if dtype.bit_width != 64:
            values = values.astype(f"i{dtype.bit_width // 8}")
        return pa.Array.from_buffers(dtype, count, [validity, pa.py_buffer(values)]), certain

    def _seen(self, index: int, observation: int) -> bool:
        return self._observed[op.SEEN_WIDTH * index + observation] != 0

    def _valid(self, out: Out) -> Bytes:
        return self.tables.valid[out.valid * self.tables.capacity :][: self.count]

    def _null(self, index: int, out: Out) -> Bool | None:
        """Returns a mask of the null values; None if there are none."""
        if out.valid < 0 and index in self._rejected_rows:
            rejected: Bool = np.zeros(self.count, np.bool_)
            rejected[self._rejected_rows[index]] = True
            return rejected
        if out.valid < 0 or not self._seen(index, op.SEEN_NULL):
            return None
        null: Bool = self._valid(out) == 0
        return null if null.any() else None

    def _validity(self, index: int, out: Out) -> Any:
        null = self._null(index, out)
        return None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))

    def _to_instants(self, values: Int64, valid: Bytes, zone: str) -> Bool | None:
        """Replaces local times by instants in the same array.

        Args:
            values: times of the certain lines.
            valid: 2 for each local time.
            zone: zone of the local times.

        Returns:
            Mask of the times in the calendar; None if all are.
        """
        if zone == "UTC":
            return None
        rows = np.flatnonzero(valid == 2)
        values[rows] = local_to_utc_us(values[rows], zone)
        in_calendar: Bool = (values >= LOWEST_US) & (values <= HIGHEST_US)
        return None if in_calendar.all() else in_calendar

    def _texts(self, index: int, out: Out, unescape: Unescape | None) -> ConversionResult:
        tables, count = self.tables, self.count
        offsets = tables.offsets[out.slot * (tables.capacity + 1) :][: count + 1]
        start, area = self._areas[2 * out.slot : 2 * out.slot + 2]
        size = int(offsets[-1])
        if size <= area:
            data = tables.strings[start : start + size]
        else:
            fitting = int(np.searchsorted(offsets[1:], area, side="right"))
            copied = int(offsets[fitting])
            data = np.empty(size + CHUNK, np.uint8)
            data[:copied] = tables.strings[start : start + copied]
            begins = tables.begins[out.slot * tables.capacity :][fitting:count]
            self.machines.output.gather(self.view, begins, offsets[fitting:], count - fitting, data)
        null = self._null(index, out)
        validity = None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))
        array = pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data), validity)
        if unescape is not None and self._seen(index, op.SEEN_ESCAPE):
            array = unescape(array)
        if not out.converts or (out.kind != op.O_TEXT and not self._seen(index, op.SEEN_UNCHECKED)):
            return array, None
        if null is None:
            return self._convert(index, out, array)
        if null.all():
            return pa.nulls(count, out.type.arrow()), None
        return scatter_result(*self._convert(index, out, array.drop_null(), null), null)

    def _convert(self, index: int, out: Out, strings: pa.Array, null: Bool | None = None) -> ConversionResult:
        """Converts the strings of the rows that are not null, and rejects those that are not of the type."""
        if not out.source:
            array, valid = out.type.convert(strings, self.context)
        else:
            key = (out.source, out.type.extraction)
            if key not in self._extracted:
                self._extracted[key] = out.type.extract(strings)
            array, valid = out.type.convert_extracted(strings, self._extracted[key], self.context)
        return self.reject_invalid(index, out.type, array, valid, strings, null)

    def reject_invalid(
        self, index: int, column_type: FieldType, array: pa.Array, valid: Bool | None, strings: pa.Array,
        null: Bool | None = None,
    ) -> ConversionResult:  # fmt: skip
        """Rejects the strings that a conversion marks as invalid, and returns the column with nulls instead of them.

        Args:
            index: index of the output.
            column_type: type that converted the strings.
            array: the column.
            valid: mask of its valid values; None: all are valid.
            strings: the strings.
            null: mask of the rows without a string; None: every row has one.
        """
        if self.rejections is None or valid is None or valid.all():
            return array, valid
        invalid = np.flatnonzero(~valid)
        rows = invalid if null is None else np.flatnonzero(~null)[invalid]
        self.rejections.add(index, column_type, rows, strings.take(from_numpy(invalid)))
        return array.take(from_numpy(np.arange(len(array)), ~valid)), None
