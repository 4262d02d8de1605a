"""Compiled engine of JSON lines."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_numpy
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, intersect_masks
from pyspark_logs.formats.columnar.spans import Int32
from pyspark_logs.formats.compiled import opcodes as op
from pyspark_logs.formats.compiled.availability import Machines, log_unsupported, machines
from pyspark_logs.formats.compiled.columns import BlockColumns, BlockTables
from pyspark_logs.formats.compiled.outputs import UnsupportedError
from pyspark_logs.formats.json.compiled_program import ColumnPlan, JsonProgram, compile_json
from pyspark_logs.formats.json.line_parser import JsonLineParser
from pyspark_logs.formats.json.scalars import unescape_json
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.profiling import CONVERT, phase

_MAX_KEYS = 500  # of a line
# After a block in which less than 1 / _MIN_SHARE of the lines are certain, the engine skips _PAUSE blocks.
_MIN_SHARE, _PAUSE = 8, 16


class CompiledJsonEngine:
    """Decodes blocks of JSON lines by the JSON machine.

    Args:
        machines: the machines.
        program: program of the columns.
        count: number of requested columns.
    """

    name: ClassVar[str] = "compiled"

    def __init__(self, machines: Machines, program: JsonProgram, count: int) -> None:
        self.machines, self.program, self.count = machines, program, count
        self._pause = 0

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """Decodes lines; see :meth:`Engine.parse <pyspark_logs.formats.decoding.decoder.Engine.parse>`. None if no line is certain."""
        count, program = len(starts), self.program
        if not 0 < count <= program.outputs.max_lines or self._pause:
            self._pause = max(self._pause - 1, 0)
            return None
        view = np.frombuffer(block, np.uint8)
        tables = BlockTables.for_lines(program.outputs, count, rejects=True)
        done = self.machines.json.run(
            view, starts, ends, *program.tables, *tables.filled(), np.empty(program.key_count, np.int32),
            np.empty(op.GUESS_WIDTH * _MAX_KEYS, np.int32), np.empty(op.MAX_DEPTH, np.int32),
        )  # fmt: skip
        if _MIN_SHARE * done < count:
            self._pause = _PAUSE
        if done == 0:
            return None
        columns = BlockColumns(self.machines, tables, view, done, context, program.rejections, unescape_json)
        with phase(CONVERT):
            results = [_build(columns, plan) for plan in program.columns]
        arrays, masks = [array for array, _ in results], [mask for _, mask in results]
        return columns.certain_rows(arrays, masks, self.count)


def _build(columns: BlockColumns, plan: ColumnPlan) -> ConversionResult:
    """Returns a column, and a mask of its certain values."""
    if plan.dtype is None:
        return columns.column(plan.output, unescape_json)
    children = [_build(columns, child) for child in plan.children]
    present, _ = columns.column(plan.output)
    mask = present.is_null() if present.null_count else None
    rejected = columns.rejected_rows(plan.leaves())
    if rejected is not None:  # a struct with a rejected value is null
        mask = from_numpy(rejected) if mask is None else pc.or_(mask, from_numpy(rejected))
    array = pa.StructArray.from_arrays([child for child, _ in children], fields=list(plan.dtype), mask=mask)
    return array, intersect_masks(certain for _, certain in children)


def json_engines(line_parser: JsonLineParser) -> list[CompiledJsonEngine]:
    """Returns the compiled engine of a line parser, if it is compiled and has outputs for all columns."""
    available = machines()
    if available is None or not line_parser.columns:
        return []
    try:
        return [make_json_engine(available, line_parser)]
    except UnsupportedError as error:
        log_unsupported("JSON lines", str(error))
        return []


def make_json_engine(machines: Machines, line_parser: JsonLineParser) -> CompiledJsonEngine:
    """Returns the engine of a line parser.

    Raises:
        UnsupportedError: a column has no output in the machine.
    """
    return CompiledJsonEngine(machines, compile_json(line_parser), len(line_parser.requested))
