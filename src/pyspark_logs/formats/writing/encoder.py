"""Encodes columns as lines: the inverse of the decoder.

A written line reads back as its row. Values that prevent that are handled by ``onUnwritable``: a writer renders a batch
and reports the values that it cannot write; the encoder replaces them (first what cannot be written by spaces, then the
whole value by null) and renders their rows again, and raises an error if no replacement is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_numpy
from pyspark_logs.errors import FormatError, RecordError
from pyspark_logs.formats.columnar.spans import Int64, string_bytes
from pyspark_logs.formats.writing.compiled_renderer import CompiledRenderer, RenderedLines
from pyspark_logs.formats.writing.line_writer import FindUnencodable, LineWriter, UnwritableValues
from pyspark_logs.formats.writing.roundtrip_checks import RoundtripChecks
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import preserves_lines

_BOM = "\ufeff"
_UNCHANGED, _SPACES, _NULL = range(3)  # replacements of a value
_SHOWN_CHARACTERS = 80  # of a value in a message

Replacements = npt.NDArray[np.int8]  # columns x rows


class Encoder:
    """Encodes batches of one schema as lines of one format; see :class:`~pyspark_logs.formats.interface.RowEncoder`.

    Args:
        writer: writer of the lines.
        checks: checks of whole lines.
        encoding: encoding of the files.
        on_unwritable: ``fail``, ``null`` or ``space``.
        head: text at the beginning of each file.
        renderer: renderer of most lines; None: the writer renders all lines.
    """

    def __init__(
        self, writer: LineWriter, checks: RoundtripChecks, encoding: str, on_unwritable: str, head: str = "",
        renderer: CompiledRenderer | None = None,
    ) -> None:  # fmt: skip
        self.writer, self.checks, self.encoding, self.on_unwritable = writer, checks, encoding, on_unwritable
        self.renderer = renderer
        self.head = head.encode(encoding)

    def encode(self, batch: pa.RecordBatch, first_row: int = 0) -> pa.StringArray:
        r"""Returns a line for each row, ending in ``\n`` and without any other line end.

        Args:
            batch: rows with the columns of the schema, found by name; other columns are ignored.
            first_row: index of the batch's first row in the task, for messages.

        Raises:
            RecordError: a row has no line that reads back, and ``onUnwritable`` allows no replacement; names row and column.
        """
        if batch.num_rows == 0:
            return pa.nulls(0, pa.string())
        columns, unwritable = self.writer.cast_lossless(batch)
        rows = np.arange(first_row, first_row + batch.num_rows)
        return self._render(columns, unwritable, rows, np.zeros((len(columns), batch.num_rows), np.int8))

    def to_bytes(self, lines: pa.StringArray) -> memoryview | bytes:
        """Returns the bytes of lines in the format's encoding; UTF-8 is not copied."""
        raw = string_bytes(lines)
        return raw.data if self.encoding == "utf-8" else raw.tobytes().decode().encode(self.encoding)

    def _render(
        self, columns: list[pa.Array], unwritable: list[UnwritableValues], rows: Int64, replacements: Replacements
    ) -> pa.Array:
        """Returns the lines of rows, after as many replacements as necessary.

        Args:
            columns: columns of the rows; replaced values are set in the list.
            unwritable: unwritable values that are known already.
            rows: indices of the rows in the task, for messages.
            replacements: the replacement of each value so far; updated.
        """
        if self.renderer is None:
            lines, more, certain = RenderedLines(*self.writer.render_lines(columns))
        else:
            lines, more, certain = self.renderer.render(columns)
        unwritable = [*unwritable, *more]
        affected = np.zeros(len(rows), np.bool_)
        for problem in unwritable:
            affected |= problem.rows
        for problem in self.checks.find_unwritable(lines, columns, ~affected, certain):
            unwritable.append(problem)
            affected = affected | problem.rows
        if not unwritable:
            return lines
        if self.on_unwritable == "fail":
            raise self._error(columns, unwritable, rows)
        final: list[UnwritableValues] = []
        for column in range(len(columns)):
            problems = [problem for problem in unwritable if problem.column == column]
            if problems:
                columns[column], final_here = self._replace(columns[column], column, problems, replacements[column])
                final += final_here
        if final:
            raise self._error(columns, final, rows)
        again = np.flatnonzero(affected)
        picked = [column.take(from_numpy(again)) for column in columns]
        rendered = self._render(picked, [], rows[again], replacements[:, again])
        return pc.replace_with_mask(lines, from_numpy(affected), rendered)

    def _replace(
        self, array: pa.Array, column: int, problems: Sequence[UnwritableValues], replacements: npt.NDArray[np.int8]
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        """Returns a column with the next replacement of its unwritable values, and the values without a replacement."""
        mask = np.logical_or.reduce([problem.rows for problem in problems])
        if self.on_unwritable == "space":
            unchanged = np.flatnonzero(mask & (replacements == _UNCHANGED))
            values = array.take(from_numpy(unchanged))
            with_spaces = self.writer.replace_by_spaces(column, values) if len(unchanged) else None
            if with_spaces is not None:
                indices = np.arange(len(array))
                indices[unchanged] = len(array) + np.arange(len(unchanged))
                array = pa.concat_arrays([array, with_spaces]).take(from_numpy(indices))
                replacements[unchanged] = _SPACES
                mask[unchanged] = False
        final = mask if not self.writer.nullable[column] else mask & (replacements == _NULL)
        if final.any():
            return array, [UnwritableValues(column, problem.rows & final, problem.why) for problem in problems]
        replacements[mask] = _NULL
        return array.take(from_numpy(np.arange(len(array)), mask)) if mask.any() else array, []

    def _error(self, columns: Sequence[pa.Array], problems: Sequence[UnwritableValues], rows: Int64) -> RecordError:
        """Returns the error for the first unwritable value, by row and column."""
        firsts = [(int(np.flatnonzero(problem.rows)[0]), problem) for problem in problems if problem.rows.any()]
        row, problem = min(firsts, key=lambda pair: (pair[0], pair[1].column))
        value = _truncated_repr(columns[problem.column][row])
        advice = (
            "change the value or the format (quoted fields, escape=backslash and json hold any text), or set"
            " onUnwritable to null or space"
            if self.on_unwritable == "fail"
            else f"onUnwritable={self.on_unwritable} finds no other value to write; change the value or the format"
        )
        return RecordError(
            f"row {rows[row]} (from 0), column {self.writer.names[problem.column]!r}: {value} {problem.why}; {advice}"
        )


def _truncated_repr(scalar: pa.Scalar) -> str:
    try:
        value = repr(scalar.as_py())
    except (ValueError, OverflowError):  # a time out of Python's range, or a string of invalid bytes
        return f"a value of type {scalar.type}"
    return value[:_SHOWN_CHARACTERS] + ("..." if len(value) > _SHOWN_CHARACTERS else "")


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
    """Returns the strings that no line may begin with: comment prefix, banners, padding, and the byte order mark."""
    mark = _BOM
    if options.encoding != "utf-8" and preserves_lines(options.encoding):
        mark = _BOM.encode().decode(options.encoding, "replace")
    return (mark, "\0", *((options.comment_prefix,) if options.comment_prefix else ()), *options.banners)
