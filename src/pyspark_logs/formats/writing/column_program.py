"""Programs of lines that all have the same values: JSON, pairs and separated values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.compiled.render_program import (
    RENDERED_TEXT,
    LineProgram,
    LineRules,
    ProgramBuilder,
    ValueForm,
)
from pyspark_logs.formats.writing.line_writer import UnwritableValues
from pyspark_logs.formats.writing.render_plan import RenderPlan

# Texts of a value, given its index, and the values that do not read back.
RenderValue = Callable[[int], "tuple[pa.Array, Sequence[UnwritableValues]]"]


@dataclass(frozen=True)
class PlannedValue:
    """A value of each line.

    Attributes:
        before: constant text before the value.
        column: index of the column.
        form: form in which the machine renders the value; None: the value is rendered with its whole column.
        flags: flags of a value that is rendered with its whole column.
    """

    before: str
    column: int
    form: ValueForm | None
    flags: int = 0


@dataclass(frozen=True)
class ColumnProgram:
    """A program and its inputs.

    Attributes:
        program: the program.
        slots: index of the column of each slot, or the index of the value whose texts it has.
    """

    program: LineProgram
    slots: tuple[tuple[str, int], ...]

    def plan(self, columns: Sequence[pa.Array], render_value: RenderValue) -> RenderPlan:
        """Returns the plan of a batch.

        Args:
            columns: columns of the batch.
            render_value: function that renders the whole column of a value.
        """
        inputs: list[pa.Array] = []
        doubtful: Bool | None = None
        for source, index in self.slots:
            if source == "column":
                inputs.append(columns[index])
                continue
            texts, unwritable = render_value(index)
            inputs.append(texts)
            for problem in unwritable:
                doubtful = problem.rows if doubtful is None else doubtful | problem.rows
        return RenderPlan(self.program, inputs, np.zeros(len(columns[0]), np.int32), doubtful)


def compile_values(values: Sequence[PlannedValue], after: str, rules: LineRules) -> ColumnProgram:
    """Compiles lines.

    Args:
        values: values of a line.
        after: constant text after the last value, with the line end.
        rules: rules of lines.
    """
    builder = ProgramBuilder(rules)
    builder.begin_layout()
    slots: list[tuple[str, int]] = []
    for index, value in enumerate(values):
        slot = ("value", index) if value.form is None else ("column", value.column)
        slots.append(slot)
        form = value.form or ValueForm(RENDERED_TEXT.kind, flags=value.flags)
        builder.add_value(value.before.encode(), form, slot, index)
    builder.end_layout(after.encode())
    return ColumnProgram(builder.program(), tuple(dict.fromkeys(slots)))
