"""What every writer of lines is and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from pyspark_logs.formats.columnar.spans import Bool, string_bytes
from pyspark_logs.formats.decoder import Decoder

FindUnencodable = Callable[[Iterable[str]], "set[str]"]  # which of some characters an encoding does not have


@dataclass(frozen=True)
class UnwritableValues:
    """Rows of a batch that have no line which reads back, and the column whose value is to blame.

    Attributes:
        column: its place among the writer's columns.
        rows: which rows of the batch.
        why: the end of a sentence that begins with the value.
    """

    column: int
    rows: Bool
    why: str


class LineWriter(Protocol):
    """Renders columns as lines without their ends, and says which rows it could not."""

    names: tuple[str, ...]
    nullable: tuple[bool, ...]
    first: int  # the column that stands first in a line

    def cast_lossless(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], list[UnwritableValues]]:
        """The columns as they are rendered from, and values that are lost on the way."""

    def lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        """A line for each row (anything in a row of trouble), and what of it does not read back."""

    def checked(self, columns: Sequence[pa.Array]) -> Bool | None:
        """Which rows' lines must be parsed to be sure of them; None: not one."""

    def comparable(self, column: int, array: pa.Array) -> list[str]:
        """Texts that are equal where the values of a column are, as far as they are written."""

    def spaced(self, column: int, values: pa.Array) -> pa.Array | None:
        """The values with a space for what cannot be written; None: no space makes a value of the type."""


@dataclass(frozen=True)
class FormatWriter:
    """The parts of a line format's writer.

    Attributes:
        lines: writer of the lines.
        decoder: decoder of the lines that ``lines`` does not vouch for; None: it vouches for all lines.
        head: text at the beginning of each file, with its line end, which is no record.
    """

    lines: LineWriter
    decoder: Decoder | None = None
    head: str = ""


def unwritable(column: int, rows: Bool | None, why: str) -> list[UnwritableValues]:
    """One trouble, where there is any."""
    return [UnwritableValues(column, rows, why)] if rows is not None and rows.any() else []


def characters_of(texts: pa.Array) -> set[str]:
    """All characters that the texts are made of."""
    return set(string_bytes(texts).tobytes().decode("utf-8", "replace"))
