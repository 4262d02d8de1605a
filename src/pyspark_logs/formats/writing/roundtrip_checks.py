"""Checks that rendered lines read back as the rows from which they were rendered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, as_numbers, from_numpy
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Int32
from pyspark_logs.formats.compiled.render_program import LineRules
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.writing.line_writer import LineWriter, UnwritableValues, unwritable_values
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import HeaderRule, Lines, PartRule

_SPACE = 0x20


class RoundtripChecks:
    """Checks of whole lines, whose fields are valid: each line must be a record that survives encoding and parsing.

    Args:
        writer: writer of the lines.
        options: options of the format.
        forbidden_prefixes: strings that no line may begin with.
        decoder: decoder of the lines of uncertain rows; None: no row is uncertain.
        zone: time zone of wall clocks.
        blanks: characters of a blank line, which is not a record.
        header_rule: rule that finds headers; None: there are none.
        part_rule: rule that finds parts, which a reader joins; None: there are none.
        head: text at the beginning of each file.
    """

    def __init__(
        self, writer: LineWriter, options: FormatOptions, forbidden_prefixes: tuple[str, ...], decoder: Decoder | None,
        zone: str, blanks: str = "", header_rule: HeaderRule | None = None, part_rule: PartRule | None = None,
        head: str = "",
    ) -> None:  # fmt: skip
        self.writer, self.options, self.forbidden_prefixes = writer, options, forbidden_prefixes
        self.decoder, self.zone, self.blanks, self.header_rule = decoder, zone, blanks, header_rule
        self.part_rule, self.head = part_rule, head

    @property
    def rules(self) -> LineRules:
        """Rules of lines for the machine that renders them; see :attr:`are_simple`."""
        prefixes = tuple(prefix.encode() for prefix in self.forbidden_prefixes)
        return LineRules(prefixes, bool(self.blanks), self.options.max_record_bytes)

    @property
    def are_simple(self) -> bool:
        """True if readers take a line for which :attr:`rules` hold for a record."""
        return self.header_rule is None and self.part_rule is None and self.options.encoding == "utf-8"

    def find_unwritable(
        self, lines: pa.Array, columns: Sequence[pa.Array], rows: Bool, certain: Bool | None = None
    ) -> list[UnwritableValues]:
        """Returns the rows whose lines do not read back.

        Args:
            lines: lines with their line ends, one for each row.
            columns: columns from which the lines were rendered.
            rows: mask of the rows to check.
            certain: mask of the rows whose lines are known to be records; None: no row.
        """
        unknown = rows if certain is None else rows & ~certain
        problems = self._find_no_records(lines, columns, unknown) if certain is None or unknown.any() else []
        uncertain = self.writer.uncertain_rows(columns)
        return problems if uncertain is None else problems + self._check_parsed(lines, columns, uncertain & rows)

    def _find_no_records(self, lines: pa.Array, columns: Sequence[pa.Array], rows: Bool) -> list[UnwritableValues]:
        """Returns the rows whose lines readers do not take for records, or whose lines change when they are encoded."""
        first = self.writer.first
        sizes = np.diff(_offsets(lines)) - 1
        problems = unwritable_values(
            first, self._blank_lines(lines) & rows, "makes a blank line, which is not a record"
        )
        for prefix in self.forbidden_prefixes:
            forbidden = as_bool(pc.starts_with(lines, prefix)) & rows
            problems += unwritable_values(
                first, forbidden, f"makes a line that begins with {prefix!r}, which is not a record"
            )
        if self.header_rule is not None and len(lines):
            known = np.zeros(len(lines), np.bool_)
            records = _as_records(lines)
            known[list(self.header_rule.find_known(records, "utf-8"))] = True
            known[list(self.header_rule.find_same(records, self.head.removesuffix("\n"), "utf-8"))] = True
            problems += unwritable_values(first, known & rows, "makes a line of names, which is a header")
        if self.part_rule is not None and len(lines):
            problems += self._check_parts(_as_records(lines), self.part_rule, rows)
        if self.options.encoding != "utf-8":
            problems += self._check_encoding(lines, rows)
        elif sizes.max() > self.options.max_record_bytes:
            problems += self._blame_longest(columns, (sizes > self.options.max_record_bytes) & rows)
        return problems

    def _blank_lines(self, lines: pa.Array) -> Bool:
        """Returns a mask of the lines that are empty, or that consist of the format's blanks."""
        offsets = _offsets(lines)
        blank: Bool = np.diff(offsets) == 1
        if self.blanks:
            text = np.frombuffer(lines.buffers()[2], np.uint8)
            for row in np.flatnonzero(~blank & (text[offsets[:-1]] <= _SPACE) & (text[offsets[1:] - 2] <= _SPACE)):
                blank[row] = not lines[row].as_py()[:-1].strip(self.blanks)
        return blank

    def _check_parts(self, lines: Lines, rule: PartRule, rows: Bool) -> list[UnwritableValues]:
        """Returns the rows whose lines a reader joins to the next line."""
        continued = np.zeros(len(lines), np.bool_)
        for row in rule.candidates(lines).tolist():
            part = rule.parse(lines.record(row))
            continued[row] = part is not None and not part.is_last
        names = [name.lower() for name in self.writer.names]
        column = names.index(rule.column) if rule.column in names else self.writer.first
        why = "makes a part of a line, which readers join to the next one"
        return unwritable_values(column, continued & rows, why)

    def _blame_longest(self, columns: Sequence[pa.Array], rows: Bool) -> list[UnwritableValues]:
        """Returns rows whose lines are longer than a reader accepts, with the column of the longest text as the cause."""
        sizes = [
            as_numbers(pc.binary_length(column), null=0)
            if pa.types.is_string(column.type)
            else np.zeros(len(rows), np.int32)
            for column in columns
        ]
        longest = np.argmax(np.stack(sizes), axis=0)
        why = f"makes a line longer than maxRecordBytes={self.options.max_record_bytes}"
        return [
            problem
            for column in range(len(columns))
            for problem in unwritable_values(column, rows & (longest == column), why)
        ]

    def _check_encoding(self, lines: pa.Array, rows: Bool) -> list[UnwritableValues]:
        """Returns the rows whose lines are changed by encoding and decoding, or too long when encoded.

        Checks all lines at once and, if that fails, each line.
        """
        encoding, max_bytes = self.options.encoding, self.options.max_record_bytes
        text = spans.string_bytes(lines).tobytes().decode("utf-8", "replace")
        if len(text) * 4 <= max_bytes and text.encode(encoding, "replace").decode(encoding, "replace") == text:
            return []
        changed: Bool = np.zeros(len(lines), np.bool_)
        for row in np.flatnonzero(rows).tolist():
            line = lines[row].as_py()
            raw = line.encode(encoding, "replace")
            size = max(len(raw), len(line.encode())) - 1
            changed[row] = raw.decode(encoding, "replace") != line or size > max_bytes
        why = f"makes a line that changes in {encoding}, or is longer there than maxRecordBytes={max_bytes}"
        return unwritable_values(self.writer.first, changed, why)

    def _check_parsed(self, lines: pa.Array, columns: Sequence[pa.Array], rows: Bool) -> list[UnwritableValues]:
        """Returns the rows whose lines are parsed as other values, with the first different column as the cause."""
        indices = np.flatnonzero(rows)
        if self.decoder is None or len(indices) == 0:
            return []
        lines = lines.take(from_numpy(indices))
        read = self.decoder.decode(_as_records(lines), TimestampContext(self.zone, 0))
        unblamed: Bool = np.ones(len(indices), np.bool_)
        problems: list[UnwritableValues] = []

        def blame(column: int, differs: Bool) -> None:
            mask = np.zeros(len(rows), np.bool_)
            mask[indices[differs & unblamed]] = True
            problems.extend(unwritable_values(column, mask, "would not be read back with what stands around it"))
            unblamed[differs] = False

        for column, parsed in enumerate(read.columns):
            written = self.writer.comparable_texts(column, columns[column].take(from_numpy(indices)))
            pairs = zip(written, self.writer.comparable_texts(column, parsed), strict=True)
            blame(column, np.array([one != other for one, other in pairs], np.bool_))
        if read.corrupt is not None:
            blame(self.writer.first, read.corrupt)
        return problems


def _as_records(lines: pa.Array) -> Lines:
    """Returns lines with their line ends as the records of a block."""
    offsets = _offsets(lines) - _offsets(lines)[0]
    return Lines(spans.string_bytes(lines).tobytes(), offsets[:-1], offsets[1:] - np.int32(1), 0)


def _offsets(lines: pa.Array) -> Int32:
    return np.frombuffer(lines.buffers()[1], np.int32)[lines.offset : lines.offset + len(lines) + 1]
