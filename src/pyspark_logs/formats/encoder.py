"""From columns to lines: the inverse of the decoder.

A line that is written reads back as its row, and as nothing else. What cannot be written so follows
``onUnwritable``. A writer renders a batch and names the values that stood in the way; these are mended one
step (a space for what offends, then null), rendered again, and an error where no step is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.errors import FormatError, RecordError
from pyspark_logs.formats.columnar.spans import Int64, string_bytes
from pyspark_logs.formats.line_writer import FindUnencodable, LineWriter, UnwritableValues
from pyspark_logs.formats.roundtrip_checks import RoundtripChecks
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import preserves_lines

_BOM = "\ufeff"
_AS_IT_IS, _SPACED, _NULL = range(3)  # what has been done to a value
_SHOWN = 80  # characters of a value in a message


class Encoder:
    """Renders batches of one schema as lines of one format."""

    def __init__(
        self, writer: LineWriter, checks: RoundtripChecks, encoding: str, on_unwritable: str, head: str = ""
    ) -> None:
        self.writer, self.checks, self.encoding, self.on_unwritable = writer, checks, encoding, on_unwritable
        self.head = head.encode(encoding)  # what each file begins with

    def encode(self, batch: pa.RecordBatch, first_row: int = 0) -> pa.StringArray:
        r"""One line a row, in order, each ending in ``\n`` and with no other line end in it.

        Args:
            batch: the columns of the schema, by name; others are left alone.
            first_row: number of the batch's first row, for messages.

        Raises:
            RecordError: a row cannot be written so that it reads back, and ``onUnwritable`` knows no way; names
                the row and the column.
        """
        if batch.num_rows == 0:
            return pa.array([], pa.string())
        columns, lost = self.writer.cast_lossless(batch)
        rows = np.arange(first_row, first_row + batch.num_rows)
        return self._written(columns, lost, rows, np.zeros((len(columns), batch.num_rows), np.int8))

    def to_bytes(self, lines: pa.StringArray) -> memoryview | bytes:
        """The text of lines that :meth:`encode` gave, in the format's encoding; UTF-8 without copying."""
        raw = string_bytes(lines)
        return raw.data if self.encoding == "utf-8" else raw.tobytes().decode().encode(self.encoding)

    def _written(self, columns: list[pa.Array], lost: list[UnwritableValues], rows: Int64, done: Any) -> pa.Array:
        """Lines of the columns; ``done`` says for each column and row what has been done to the value."""
        lines, found = self.writer.lines(columns)
        found = [*lost, *found]
        bad = np.zeros(len(rows), np.bool_)
        for trouble in found:
            bad |= trouble.rows
        for trouble in self.checks.unwritable(lines, columns, ~bad):
            found.append(trouble)
            bad = bad | trouble.rows
        if not found:
            return lines
        if self.on_unwritable == "fail":
            raise self._error(columns, found, rows)
        stuck: list[UnwritableValues] = []
        for column in range(len(columns)):
            inside = [trouble for trouble in found if trouble.column == column]
            if inside:
                columns[column], stuck_here = self._mended(columns[column], column, inside, done[column])
                stuck += stuck_here
        if stuck:
            raise self._error(columns, stuck, rows)
        again = np.flatnonzero(bad)
        picked = [column.take(pa.array(again)) for column in columns]
        return pc.replace_with_mask(lines, pa.array(bad), self._written(picked, [], rows[again], done[:, again]))

    def _mended(
        self, array: pa.Array, column: int, found: Sequence[UnwritableValues], done: Any
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        """The column with the next step taken where there is trouble; and the trouble that no step is left for."""
        which = np.logical_or.reduce([trouble.rows for trouble in found])
        if self.on_unwritable == "space":
            fresh = np.flatnonzero(which & (done == _AS_IT_IS))
            spaced = self.writer.spaced(column, array.take(pa.array(fresh))) if len(fresh) else None
            if spaced is not None:
                places = np.arange(len(array))
                places[fresh] = len(array) + np.arange(len(fresh))
                array = pa.concat_arrays([array, spaced]).take(pa.array(places))
                done[fresh] = _SPACED
                which[fresh] = False
        final = which if not self.writer.nullable[column] else which & (done == _NULL)
        if final.any():
            return array, [UnwritableValues(column, trouble.rows & final, trouble.why) for trouble in found]
        done[which] = _NULL
        return array.take(pa.array(np.arange(len(array)), mask=which)) if which.any() else array, []

    def _error(self, columns: Sequence[pa.Array], found: Sequence[UnwritableValues], rows: Int64) -> RecordError:
        firsts = [(int(np.flatnonzero(trouble.rows)[0]), trouble) for trouble in found if trouble.rows.any()]
        row, trouble = min(firsts, key=lambda pair: (pair[0], pair[1].column))
        shown = _shown(columns[trouble.column][row])
        help_ = (
            "change the value or the format (quoted fields, escape=backslash and json hold any text), or set"
            " onUnwritable to null or space"
            if self.on_unwritable == "fail"
            else f"onUnwritable={self.on_unwritable} finds nothing to write in its place; change the value or the format"
        )
        return RecordError(
            f"row {rows[row]} (from 0), column {self.writer.names[trouble.column]!r}: {shown} {trouble.why}; {help_}"
        )


def _shown(scalar: pa.Scalar) -> str:
    """A value for a message, cut."""
    try:
        value = repr(scalar.as_py())
    except (ValueError, OverflowError):  # a time that Python has not, bytes that are no text
        return f"a value of type {scalar.type}"
    return value[:_SHOWN] + ("..." if len(value) > _SHOWN else "")


def find_unencodable(encoding: str) -> FindUnencodable | None:
    """Returns a function that finds the characters which an encoding lacks; None: it has all characters.

    Raises:
        FormatError: the encoding begins each encoded text with a mark, so that lines cannot be concatenated.
    """
    if encoding == "utf-8":
        return None
    if "a\n".encode(encoding) * 2 != "a\na\n".encode(encoding):
        raise FormatError(
            f"encoding={encoding} begins each text with a mark of its own, so lines cannot be put together;"
            " write with one that does not, such as utf-8 or utf-16-le"
        )

    def unencodable(characters: Iterable[str]) -> set[str]:
        return {c for c in characters if c.encode(encoding, "replace").decode(encoding, "replace") != c}

    return unencodable


def forbidden_prefixes(options: FormatOptions) -> tuple[str, ...]:
    """Returns the strings that no line may begin with: comment prefix, banners, and text read as a byte order mark."""
    mark = _BOM
    if options.encoding != "utf-8" and preserves_lines(options.encoding):
        mark = _BOM.encode().decode(options.encoding, "replace")
    return (mark, *((options.comment_prefix,) if options.comment_prefix else ()), *options.banners)
