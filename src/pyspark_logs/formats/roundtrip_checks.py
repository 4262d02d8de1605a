"""What is wrong with lines as wholes, when each of their fields is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Int32
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.line_writer import LineWriter, UnwritableValues, unwritable
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines


class RoundtripChecks:
    """Finds lines that are no records, do not survive the encoding, or must be parsed to be sure of them.

    Attributes:
        forbidden_prefixes: what no line may begin with.
        decoder: parses the lines that a writer is not sure of; None: it is sure of all.
    """

    def __init__(
        self,
        writer: LineWriter,
        options: FormatOptions,
        forbidden_prefixes: tuple[str, ...],
        decoder: Decoder | None,
        zone: str,
    ) -> None:
        self.writer, self.options, self.forbidden_prefixes, self.decoder, self.zone = (
            writer,
            options,
            forbidden_prefixes,
            decoder,
            zone,
        )

    def unwritable(self, lines: pa.Array, columns: Sequence[pa.Array], rows: Bool) -> list[UnwritableValues]:
        """What is wrong with lines that end in a line end, among ``rows``."""
        first = self.writer.first
        sizes = np.diff(_offsets(lines)) - 1
        found = unwritable(first, (sizes == 0) & rows, "makes an empty line, which is no record")
        for head in self.forbidden_prefixes:
            begun = spans.as_bool(pc.starts_with(lines, head)) & rows
            found += unwritable(first, begun, f"makes a line that begins with {head!r}, which is no record")
        if self.options.encoding != "utf-8":
            found += self._encoded(lines, rows)
        elif sizes.max() > self.options.max_record_bytes:
            found += self._too_long(columns, (sizes > self.options.max_record_bytes) & rows)
        unsure = self.writer.checked(columns)
        return found if unsure is None else found + self._parsed(lines, columns, unsure & rows)

    def _too_long(self, columns: Sequence[pa.Array], rows: Bool) -> list[UnwritableValues]:
        """Lines that are more than a reader takes; the longest text is to blame."""
        sizes = [
            pc.binary_length(column).fill_null(0).to_numpy()
            if pa.types.is_string(column.type)
            else np.zeros(len(rows), np.int32)
            for column in columns
        ]
        longest = np.argmax(np.stack(sizes), axis=0)
        why = f"makes a line longer than maxRecordBytes={self.options.max_record_bytes}"
        return [one for column in range(len(columns)) for one in unwritable(column, rows & (longest == column), why)]

    def _encoded(self, lines: pa.Array, rows: Bool) -> list[UnwritableValues]:
        """Lines that are others after a way through the encoding, or too long there.

        All lines at once; where that fails, one at a time.
        """
        encoding, most = self.options.encoding, self.options.max_record_bytes
        text = spans.string_bytes(lines).tobytes().decode("utf-8", "replace")
        if len(text) * 4 <= most and text.encode(encoding, "replace").decode(encoding, "replace") == text:
            return []
        other: Bool = np.zeros(len(lines), np.bool_)
        for row in np.flatnonzero(rows).tolist():
            line = lines[row].as_py()
            raw = line.encode(encoding, "replace")
            size = max(len(raw), len(line.encode())) - 1
            other[row] = raw.decode(encoding, "replace") != line or size > most
        why = f"makes a line that changes in {encoding}, or is longer there than maxRecordBytes={most}"
        return unwritable(self.writer.first, other, why)

    def _parsed(self, lines: pa.Array, columns: Sequence[pa.Array], rows: Bool) -> list[UnwritableValues]:
        """Lines that are parsed as another row; the first column that differs is to blame. A value at a time."""
        places = np.flatnonzero(rows)
        if self.decoder is None or len(places) == 0:
            return []
        lines = lines.take(pa.array(places))
        offsets = _offsets(lines) - _offsets(lines)[0]
        block = Lines(spans.string_bytes(lines).tobytes(), offsets[:-1], offsets[1:] - np.int32(1), 0)
        read = self.decoder.decode(block, TimestampContext(self.zone, 0))
        left: Bool = np.ones(len(places), np.bool_)
        found: list[UnwritableValues] = []

        def blame(column: int, differs: Bool) -> None:
            marked = np.zeros(len(rows), np.bool_)
            marked[places[differs & left]] = True
            found.extend(unwritable(column, marked, "would not be read back with what stands around it"))
            left[differs] = False

        for column, theirs in enumerate(read.columns):
            mine = self.writer.comparable(column, columns[column].take(pa.array(places)))
            pairs = zip(mine, self.writer.comparable(column, theirs), strict=True)
            blame(column, np.array([one != other for one, other in pairs], np.bool_))
        if read.corrupt is not None:
            blame(self.writer.first, read.corrupt)
        return found


def _offsets(lines: pa.Array) -> Int32:
    return np.frombuffer(lines.buffers()[1], np.int32)[lines.offset : lines.offset + len(lines) + 1]
