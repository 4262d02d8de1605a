"""The interface of the writers of lines."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from pyspark_logs.formats.columnar.spans import Bool, string_bytes
from pyspark_logs.formats.compiled.render_program import LineRules
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.writing.render_plan import RenderPlan

FindUnencodable = Callable[[Iterable[str]], "set[str]"]  # from characters to those that an encoding lacks


@dataclass(frozen=True)
class UnwritableValues:
    """Rows of a batch without a line that reads back, and the column whose value is the cause.

    Attributes:
        column: index of the column among the writer's columns.
        rows: mask of the rows of the batch.
        why: the rest of a sentence that begins with the value, for messages.
    """

    column: int
    rows: Bool
    why: str


class LineWriter(Protocol):
    """Renders columns as lines, and finds the rows that it cannot render.

    Attributes:
        names: names of the columns.
        nullable: True for each column in which null can be written.
        first: index of the column at the beginning of a line.
    """

    names: tuple[str, ...]
    nullable: tuple[bool, ...]
    first: int

    def cast_lossless(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], list[UnwritableValues]]:
        """Returns the columns of a batch as the types from which they are rendered, and the values that a cast changes."""

    def render_lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        """Returns a line with its line end for each row, and the values that do not read back, whose lines mean nothing."""

    def plan_rendering(
        self, columns: Sequence[pa.Array], avoided: frozenset[Hashable], rules: LineRules
    ) -> RenderPlan | None:
        """Returns the plan by which the machine renders the lines of :meth:`render_lines`.

        Args:
            columns: columns to render.
            avoided: keys of the values that the machine shall not render itself; the plan renders their whole columns.
            rules: rules of lines.

        Returns:
            The plan; None: the machine cannot render the lines of this writer.
        """

    def uncertain_rows(self, columns: Sequence[pa.Array]) -> Bool | None:
        """Returns a mask of the rows whose lines must be parsed to know that they read back; None: no row."""

    def comparable_texts(self, column: int, array: pa.Array) -> list[str]:
        """Returns a string for each value of a column; two strings are equal if the values are written alike."""

    def replace_by_spaces(self, column: int, values: pa.Array) -> pa.Array | None:
        """Returns values with spaces instead of unwritable characters; None if the type does not allow spaces."""


@dataclass(frozen=True)
class FormatWriter:
    """The parts of a line format's writer.

    Attributes:
        line_writer: writer of the lines.
        decoder: decoder of the lines of uncertain rows; None: no row is uncertain.
        head: text at the beginning of each file, with its line end; not a record.
    """

    line_writer: LineWriter
    decoder: Decoder | None = None
    head: str = ""


def unwritable_values(column: int, rows: Bool | None, why: str) -> list[UnwritableValues]:
    """Returns a list of the unwritable values of a column, empty if there are none."""
    return [UnwritableValues(column, rows, why)] if rows is not None and rows.any() else []


def characters_of(texts: pa.Array) -> set[str]:
    """Returns all characters that occur in the strings."""
    return set(string_bytes(texts).tobytes().decode("utf-8", "replace"))
