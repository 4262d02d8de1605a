"""Plan of the rendering of a batch by the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.formats.columnar.spans import Bool, Int32
from pyspark_logs.formats.compiled.render_program import LineProgram


@dataclass(frozen=True)
class RenderPlan:
    """A program, and its input from the columns of a batch.

    Attributes:
        program: program of the lines.
        inputs: column of each slot.
        layouts: index of the layout of each row.
        doubtful: mask of rows that the machine shall not render; None: no row.
    """

    program: LineProgram
    inputs: Sequence[pa.Array]
    layouts: Int32
    doubtful: Bool | None = None
