"""Samples: the beginnings of files in memory, which formats read as they read files.

All formats that find the same records in a file share the records, and formats of which no record can have the beginning are
not tried: most of the formats that detection tries do not match at all.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

import pyarrow as pa

from pyspark_logs.batch_builder import BatchBuilder, year_bound_us
from pyspark_logs.block_files import join_blocks
from pyspark_logs.column_sources import full_schema, resolve_columns
from pyspark_logs.detection.heads import FileHead
from pyspark_logs.errors import LogSourceError
from pyspark_logs.formats.record_rules import RecordRules
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions, ReadOptions, parse_read_options
from pyspark_logs.planning import FileSplit
from pyspark_logs.records import Lines, sanitise
from pyspark_logs.schema import parse_ddl, to_ddl
from pyspark_logs.split_reader import SplitReader
from pyspark_logs.store import Store

_FIRST_LINES = 40  # of all files
_MAX_VALUES = 2_000_000  # in the rows of a format; objects of other keys each have as many columns as rows
_CORRUPT_COLUMN = "corrupt record of this sample"


@dataclass(frozen=True)
class Sample:
    """The beginnings of files, as UTF-8.

    Attributes:
        whole: beginnings of the files.
        first: first lines of the files.
        options: options that decode text in every format: ``timeZone``, ``nullValue``.
        lines: lines of the sample without blank lines, by turns of each file.
        modified_ms: latest modification time of the files in milliseconds since the epoch.
    """

    whole: SampleFiles
    first: SampleFiles
    options: Mapping[str, Any]
    lines: tuple[str, ...]
    modified_ms: int = 0

    def read(self, format_options: Mapping[str, str]) -> tuple[pa.Table, int] | None:
        """Reads the sample in a format.

        Returns:
            The rows of matching records and the number of all records; None if no record matches.
        """
        try:
            reading = _Reading(_parse_options((*self.options.items(), *format_options.items())))
            # Lines that do not match are the slowest to read. If none of the first lines match, the others are not tried.
            # The first lines of a document can end within its first record, so documents are always read whole.
            if not reading.form.reads_documents:
                first = reading.rows(self.first)
                if first is None or not first[0].num_rows:
                    return None
                if self.first.texts == self.whole.texts:
                    return first
            return reading.rows(self.whole)
        except LogSourceError:
            return None


@dataclass(frozen=True)
class SampleFiles:
    """Texts of files that formats read.

    Attributes:
        texts: text of each file.
        modified_ms: modification time of each file in milliseconds since the epoch.
        found: cache of the records of all files, by the options and rules that divide texts into records.
    """

    is_local: ClassVar[bool] = False  # as of a store: the texts are not read from a disk
    texts: tuple[bytes, ...]
    modified_ms: tuple[int, ...]
    found: dict[object, list[Lines]] = field(default_factory=dict, repr=False, compare=False)

    def splits(self) -> Iterator[FileSplit]:
        """Yields a split for each file that is not empty."""
        for index, (text, modified_ms) in enumerate(zip(self.texts, self.modified_ms, strict=True)):
            if text:
                yield FileSplit(f"/{index}.log", 0, len(text), len(text), modified_ms, "", None, None, ())

    def read(self, path: str, start: int, end: int, *, etag: str = "", chunk_bytes: int = 0) -> Iterator[bytes]:
        """Reads a file as :meth:`Store.read <pyspark_logs.store.Store.read>`."""
        text = self.texts[int(path[1:].partition(".")[0])]
        return iter([text[start:end]])


@dataclass(frozen=True)
class _SharedRecords:
    """The :class:`~pyspark_logs.formats.interface.SplitSource` of a sample, which finds the same records only once."""

    files: SampleFiles
    reader: SplitReader

    def lines(self, options: FormatOptions, rules: RecordRules) -> Generator[Lines, None, None]:
        """Returns the records of the split as :meth:`SplitReader.lines` does."""
        # These options decide on values only.
        without_values = replace(options, kind="", spec="", null_value="", escape="", allow_trailing=False)
        form, path = self.reader.form, self.reader.split.path
        key = (path, form.is_splittable, form.reads_documents, without_values, rules)
        if key not in self.files.found:
            self.files.found[key] = list(map(sanitise, self.reader.lines(options, rules)))
        yield from self.files.found[key]

    def batches(
        self, decode: Callable[[Iterator[bytes], str], Iterator[pa.RecordBatch]]
    ) -> Generator[tuple[pa.RecordBatch, str], None, None]:
        """Returns the batches of a user-defined format as :meth:`SplitReader.batches` does."""
        return self.reader.batches(decode)


class _Reading:
    """Reads the files of a sample in one format.

    Args:
        options: options of a reader.
    """

    def __init__(self, options: ReadOptions) -> None:
        self.options, self.form = options, resolve_format(options.format)
        self._prepared: tuple[pa.Schema, BatchBuilder] | None = None

    def rows(self, files: SampleFiles) -> tuple[pa.Table, int] | None:
        """Returns the matching rows and the number of all records; None if no record can match.

        Raises:
            LogSourceError: the files cannot be read in the format.
        """
        self.form.check_records()
        splits = tuple(files.splits())
        found = [(split, lines) for split in splits for lines in self._records(files, split)]
        if not any(self.form.line_start.is_in(lines) for _, lines in found):
            return None
        schema, builder = self._prepare(lines for _, lines in found)
        # A record that is known to be corrupt is a block of its own, and would divide the other records into many blocks.
        undamaged = [(split, lines) for split, lines in found if lines.damage is None and lines.full_length is None]
        if sum(len(lines) for _, lines in undamaged) * len(schema.names) > _MAX_VALUES:
            undamaged = found = list(_first_records(undamaged, max(1, _MAX_VALUES // len(schema.names))))
        rows = pa.Table.from_batches(builder.batches_of_run(splits, join_blocks(undamaged)), schema)
        matching = rows.filter(rows.column(_CORRUPT_COLUMN).is_null()).drop_columns([_CORRUPT_COLUMN])
        return matching, rows.num_rows + len(found) - len(undamaged)

    def _records(self, files: SampleFiles, split: FileSplit) -> Iterator[Lines]:
        context = TimestampContext(self.options.time.zone, year_bound_us(split, 0))
        reader = SplitReader(self.form, self.options, cast("Store", files), split, context)
        return self.form.read(_SharedRecords(files, reader))

    def _prepare(self, records: Iterator[Lines]) -> tuple[pa.Schema, BatchBuilder]:
        """Returns the columns that a load without a schema has, and a builder of batches of them."""
        in_record = self.form.schema()
        if in_record is None or self.form.infers_schema:
            in_record = parse_ddl(to_ddl(self.form.infer(records)))
        schema = parse_ddl(to_ddl(full_schema(self.form, self.options, in_record, ())))
        if self._prepared is None or self._prepared[0] != schema:
            columns = resolve_columns(self.form, self.options, schema, ())
            self._prepared = (schema, BatchBuilder(self.form, self.options, columns, (), ()))
        return self._prepared


def _first_records(found: Iterable[tuple[FileSplit, Lines]], count: int) -> Iterator[tuple[FileSplit, Lines]]:
    """Yields the first records of blocks."""
    for split, lines in found:
        if count <= 0:
            return
        yield split, lines.first(count)
        count -= len(lines)


@functools.lru_cache(maxsize=256)
def _parse_options(options: tuple[tuple[str, Any], ...]) -> ReadOptions:
    """Returns the options of a reader of a sample. Each detection tries the same formats, with the same options."""
    return parse_read_options({**dict(options), "columnNameOfCorruptRecord": _CORRUPT_COLUMN, "path": "/"})


def make_sample(heads: Sequence[FileHead], options: Mapping[str, Any]) -> Sample:
    """Returns a sample of the beginnings of files, as UTF-8, with the modification times of the files."""
    encoding = str(options.get("encoding") or "utf-8")
    texts, first, lines = [], [], []
    for head in heads:
        text = head.text.decode(encoding, "replace").encode("utf-8", "replace") if encoding != "utf-8" else head.text
        texts.append(text)
        first.append(b"".join(text.splitlines(keepends=True)[: max(1, _FIRST_LINES // len(heads))]))
        lines.append(_lines_of(text))
    by_turns = tuple(line for each in itertools.zip_longest(*lines) for line in each if line is not None)
    decoding = {name: value for name, value in options.items() if name.lower() != "encoding"}
    times = tuple(head.modified_ms for head in heads)
    whole, beginnings = SampleFiles(tuple(texts), times), SampleFiles(tuple(first), times)
    return Sample(whole, beginnings, decoding, by_turns, max(times, default=0))


def _lines_of(raw: bytes) -> list[str]:
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    return [line for piece in text.split("\n") if (line := piece.removesuffix("\r")).strip()]
