"""Rendering by the compiled machine; rows that are not certain are rendered by the writer of the format."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_numpy
from pyspark_logs.formats.columnar.spans import Bool, Int32, Int64
from pyspark_logs.formats.compiled.availability import Machines
from pyspark_logs.formats.compiled.render_program import LineProgram, LineRules
from pyspark_logs.formats.writing.line_writer import LineWriter, UnwritableValues

_MIN_ROWS = 256  # of batches that tell which values are often uncertain
_MAX_UNCERTAIN = (
    8  # a value that is uncertain in more than 1 / _MAX_UNCERTAIN of the rows is rendered with its whole column
)


class RenderedLines(NamedTuple):
    """Lines of rows.

    Attributes:
        lines: a line with its line end for each row.
        unwritable: values that do not read back, whose lines mean nothing.
        certain: mask of the rows whose lines are known to be records; None: no row.
    """

    lines: pa.Array
    unwritable: list[UnwritableValues]
    certain: Bool | None = None


class CompiledRenderer:
    """Renders lines by the machine, and the rows that are not certain by a writer. The lines are those of the writer.

    Args:
        machines: the machines.
        writer: writer of the lines.
        rules: rules of lines.
        proves_records: True if ``rules`` are all rules of lines; False: lines are checked by :class:`.RoundtripChecks`.

    Attributes:
        avoided: keys of the values that are rendered with their whole columns, because they were often uncertain.
    """

    def __init__(self, machines: Machines, writer: LineWriter, rules: LineRules, *, proves_records: bool) -> None:
        self.machines, self.writer, self.rules = machines, writer, rules
        self.proves_records = proves_records
        self.avoided: frozenset[Hashable] = frozenset()

    def render(self, columns: Sequence[pa.Array]) -> RenderedLines:
        """Returns the lines of a batch, and the values that cannot be written."""
        plan = self.writer.plan_rendering(columns, self.avoided, self.rules)
        rendered = None if plan is None else plan.program.render(self.machines, plan.inputs, plan.layouts)
        if plan is None or rendered is None:
            return RenderedLines(*self.writer.render_lines(columns))
        lines, failed = rendered
        uncertain: Bool = failed != 0
        if plan.doubtful is not None:
            uncertain |= plan.doubtful
        if not uncertain.any():
            return RenderedLines(lines, [], ~uncertain if self.proves_records else None)
        self._observe(plan.program, failed)
        rows = np.flatnonzero(uncertain)
        picked, found = self.writer.render_lines([column.take(from_numpy(rows)) for column in columns])
        lines = pc.replace_with_mask(lines, from_numpy(uncertain), picked)
        return RenderedLines(lines, _at_rows(found, rows, len(uncertain)), ~uncertain if self.proves_records else None)

    def _observe(self, program: LineProgram, failed: Int32) -> None:
        """Avoids the values that were uncertain in many rows from the next batch on."""
        if len(failed) < _MIN_ROWS:
            return
        counts = np.bincount(failed, minlength=len(program.keys) + 1)[1:]
        often = np.flatnonzero(counts * _MAX_UNCERTAIN > len(failed))
        keys = {program.keys[index] for index in often.tolist()} - {None}
        self.avoided |= keys


def _at_rows(found: Sequence[UnwritableValues], rows: Int64, count: int) -> list[UnwritableValues]:
    """Returns unwritable values of some rows of a batch with masks of all of its rows."""
    spread = []
    for one in found:
        mask = np.zeros(count, np.bool_)
        mask[rows[one.rows]] = True
        spread.append(UnwritableValues(one.column, mask, one.why))
    return spread
