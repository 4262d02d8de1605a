"""Builds batches of the requested schema from the blocks of a split.

The steps: decode a block, select rows by the time range and the filters, handle corrupt records, and add the columns
that do not come from the record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, as_numbers, from_numpy, from_texts
from pyspark_logs.bad_records import BadRecords, BadRecordSink
from pyspark_logs.batch_sizes import batch_of_columns
from pyspark_logs.block_files import BlockFiles, divide
from pyspark_logs.column_sources import FILE_METADATA, FROM_PATH, FROM_RECORD, RAW_TEXT, ColumnSources
from pyspark_logs.errors import RecordError
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.reasons import CorruptReason, Reasons
from pyspark_logs.formats.decoding.decoder import DecodedBlock
from pyspark_logs.formats.interface import Format
from pyspark_logs.formats.timestamps.parsing import DAY_US, SharedContext, TimestampContext, YearBoundError
from pyspark_logs.late_materialization import LateMaterialization
from pyspark_logs.literal_search import LiteralSearch
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import ReadOptions
from pyspark_logs.path_columns import metadata_column, path_value
from pyspark_logs.planning import FileSplit
from pyspark_logs.predicates import Predicate, evaluate, supported
from pyspark_logs.profiling import BUILD, PARSE, Profile
from pyspark_logs.records import Lines, cut_lines

Bool = npt.NDArray[np.bool_]

# Values that are decoded at once, the nulls among them: a value takes up to 24 bytes while a column is made. It is exceeded by
# lines of few bytes with many columns.
_MAX_VALUES = 4 << 20
_MIN_ROWS = 1024  # whatever the number of columns

_UNKNOWN = CorruptReason("it does not match the format", "does not match the format")


class BatchBuilder:
    """Builds the batches of splits for one query, in one thread.

    Args:
        form: format of the files.
        options: options of the reader.
        columns: columns of the batches and their sources.
        path_columns: names of the splits' ``partition_values``.
        predicates: filters of the query; those that cannot be evaluated exactly are ignored.
        slack_us: the longest time by which records are later than the time of their path.
        bad_records: receiver of the records that do not match, which are then judged as a whole; None: there is none.
        profile: seconds by phase; None: they are not measured.

    Attributes:
        metrics: counts of records.
        example: path and offset of the first record that does not match; None: all records match.
        appended_example: path and offset of the first record with text after its last field; None: there is none.
    """

    def __init__(
        self, form: Format, options: ReadOptions, columns: ColumnSources, path_columns: Sequence[str],
        predicates: Sequence[Predicate], *, slack_us: int = 0, bad_records: BadRecordSink | None = None,
        profile: Profile | None = None,
    ) -> None:  # fmt: skip
        self.options, self.columns, self.slack_us = options, columns, slack_us
        self.path_columns = {name.lower(): index for index, name in enumerate(path_columns)}
        types = {field.name: field.type for field in columns.target}
        self.predicates = tuple(p for p in predicates if p.column in types and supported(p, types[p.column]))
        self.search = LiteralSearch(
            (*self.predicates, *columns.implied), form.searchable_fields(), columns.record_columns
        )
        projection = columns.projection(judge_whole=bad_records is not None)
        self.late = LateMaterialization.of_query(form, columns, self.predicates, options.format.rescued_column)
        self.decoder = form.block_decoder(projection, self._select)
        self.bad_records, self.profile = bad_records, profile
        self.begin_task(RecordMetrics())

    def begin_task(self, metrics: RecordMetrics) -> None:
        """Starts a task: counts its records in ``metrics``, without an example of a record yet."""
        self.metrics = metrics
        self.example: tuple[str, int] | None = None
        self.appended_example: tuple[str, int] | None = None

    def batches(self, split: FileSplit, blocks: Iterator[Any]) -> Iterator[pa.RecordBatch]:
        """Yields the rows of one split, a batch for each block that has any.

        Args:
            split: the split.
            blocks: blocks of the split, as its format reads them.

        Raises:
            RecordError: a record does not match and ``mode`` is ``FAILFAST``, or a value does not fit in its column.
        """
        context, files = self.context(split), BlockFiles((split,))
        self.metrics.files += split.start == 0
        if self.bad_records is not None:
            self.bad_records.begin(split)
        for block in blocks:
            for part in self._parts(block):
                yield from self._batches_of(files, self._decode(part, context))
        if self.bad_records is not None:
            self.bad_records.finish()

    @property
    def joins_files(self) -> bool:
        """True if a batch may have the records of several files: no column and no receiver needs to know the file."""
        return self.bad_records is None and FILE_METADATA not in self.columns.sources

    def batches_of_run(
        self, run: Sequence[FileSplit], blocks: Iterator[tuple[BlockFiles, Lines]]
    ) -> Iterator[pa.RecordBatch]:
        """Yields the rows of small files, as :meth:`batches` does for one split.

        Args:
            run: splits of the files.
            blocks: their records, in blocks of several files each.
        """
        self.metrics.files += len(run)
        for files, lines in blocks:
            # The parts share the block, in which the offsets of the files are known.
            for rows in _ranges(len(lines), self._max_rows):
                yield from self._run_batches(files, lines if len(rows) == len(lines) else lines.select(np.array(rows)))

    def _run_batches(self, files: BlockFiles, lines: Lines) -> Iterator[pa.RecordBatch]:
        """Yields the rows of a block: decoded at once, or by file if times lack a year, which the time of a file decides."""
        bounds = {self.context(split) for split in files.splits}
        context = bounds.pop() if len(bounds) == 1 else SharedContext(self.options.time.zone)
        try:
            decoded = self._decode(lines, context)
        except YearBoundError:
            for part, part_lines in divide(files, lines):
                yield from self._batches_of(part, self._decode(part_lines, self.context(part.first)))
            return
        yield from self._batches_of(files, decoded)

    @property
    def _max_rows(self) -> int:
        """Number of records that are decoded at once."""
        return max(_MAX_VALUES // max(len(self.columns.record_columns), 1), _MIN_ROWS)

    def _parts(self, block: Any) -> Iterator[Any]:
        """Yields a block in parts whose columns do not have too many values."""
        if not isinstance(block, Lines) or len(block) <= self._max_rows:
            yield block
            return
        yield from (cut_lines(block, rows.start, rows.stop) for rows in _ranges(len(block), self._max_rows))

    def _decode(self, block: Any, context: TimestampContext) -> DecodedBlock:
        with nullcontext() if self.profile is None else self.profile.phase(PARSE):
            return self.decoder.decode(block, context)

    def _batches_of(self, files: BlockFiles, decoded: DecodedBlock) -> Iterator[pa.RecordBatch]:
        self.metrics.records += decoded.records
        self._count_appended(files, decoded)
        self.metrics.count_engines(decoded.engines)
        with nullcontext() if self.profile is None else self.profile.phase(BUILD):
            batch = self._batch(files, decoded)
        if batch is not None:
            self.metrics.rows += batch.num_rows
            yield batch

    def _count_appended(self, files: BlockFiles, decoded: DecodedBlock) -> None:
        """Counts the records with text after the last field of the format."""
        if decoded.appended is None or decoded.lines is None:
            return
        rows = decoded.appended.rows
        self.metrics.appended += len(rows)
        if self.appended_example is None:
            path = files.of(decoded.lines, int(rows[0])).path
            self.appended_example = (path, int(decoded.lines.offsets[rows[0]]))

    def record_damage(self, path: str, offset: int, reason: str) -> None:
        """Counts a damaged file, and writes its damage as a bad record.

        Args:
            path: path of the file, whose split is the current one.
            offset: offset in the uncompressed file up to which the file was read.
            reason: description of the damage.
        """
        self.metrics.damaged += 1
        if self.bad_records is not None:
            damage = CorruptReason(reason.encode("utf-8", "replace").decode(), "damaged file")
            self.bad_records.add(
                BadRecords(path, np.array([offset], np.int64), from_texts([""]), Reasons.of([0], [damage]))
            )

    def context(self, split: FileSplit) -> TimestampContext:
        """Returns the time zone and the year bound of a file's records."""
        return TimestampContext(self.options.time.zone, year_bound_us(split, self.slack_us))

    def _batch(self, files: BlockFiles, decoded: DecodedBlock) -> pa.RecordBatch | None:
        """Returns the selected rows of a block; None: no row is selected."""
        rows = decoded.rows
        if rows == 0:
            self.metrics.filtered += decoded.records
            return None
        selected = self._in_time_range(decoded, files)
        arrays = self._arrays(files, decoded)
        for truth in self._truths(arrays, rows):
            matching = as_bool(truth)
            selected = matching if selected is None else selected & matching
        self.metrics.filtered += decoded.records - (rows if selected is None else int(np.count_nonzero(selected)))
        if decoded.corrupt is not None and decoded.lines is not None:
            corrupt = decoded.corrupt if selected is None else decoded.corrupt & selected
            if corrupt.any():
                selected = self._handle_corrupt(files, decoded, decoded.lines, corrupt, selected)
        output = self.columns.output
        return select_rows(arrays[: len(output)], output, selected, rows)

    # --- selection ------------------------------------------------------------------------------------------

    def _select(self, lines: Lines, context: TimestampContext) -> Lines:
        """Returns the lines that may satisfy the filters: found by a search, or else by the columns of the filters."""
        found = self.search.select(lines)
        return found if self.late is None or len(found) < len(lines) else self.late.select(lines, context)

    def _truths(self, arrays: list[pa.Array], rows: int) -> Iterator[pa.BooleanArray]:
        """Yields true, false or null for each row: of the filters and of the condition."""
        condition = self.columns.condition
        if not self.predicates and condition is None:
            return
        named = {field.name: array for field, array in zip(self.columns.target, arrays, strict=True)}
        if self.predicates:
            yield evaluate(self.predicates, named)
        if condition is not None:
            yield condition.evaluate(named, rows)

    def _in_time_range(self, decoded: DecodedBlock, files: BlockFiles) -> Bool | None:
        """Returns a mask of the rows in the half-open time range; a row without a time has the time of its file."""
        start_us, end_us = self.options.time.start_us, self.options.time.end_us
        if (start_us is None and end_us is None) or self.columns.time is None:
            return None  # without a time column the planner has selected whole files
        micros = decoded.columns[self._time_index()].cast(pa.int64())
        micros = pc.coalesce(micros, _file_times(files, decoded)) if micros.null_count else micros
        times = as_numbers(micros)
        selected = np.ones(len(times), np.bool_)
        if start_us is not None:
            selected &= times >= start_us
        if end_us is not None:
            selected &= times < end_us
        return None if selected.all() else selected

    def _time_index(self) -> int:
        if self.columns.hidden_time:
            return -1
        return int(self.columns.record_columns.get_field_index(self.columns.shown_time))

    def _handle_corrupt(
        self, files: BlockFiles, decoded: DecodedBlock, lines: Lines, corrupt: Bool, selected: Bool | None
    ) -> Bool | None:
        """Counts and writes the corrupt records, and returns the selected rows that ``mode`` keeps."""
        mode, rows = self.options.records.mode, np.flatnonzero(corrupt)
        split = files.of(lines, int(rows[0]))
        if mode == "FAILFAST":
            reason = decoded.reasons.get(int(rows[0]), _UNKNOWN)
            self.metrics.count_corrupt(reason.category)
            raise _mismatch_error(split, lines, int(rows[0]), reason)
        reasons = decoded.reasons.select(rows, _UNKNOWN)
        for category, count, _ in reasons.counts():
            self.metrics.count_corrupt(category, count)
        if self.bad_records is not None:
            texts = spans.field_strings(lines.block, lines.starts[rows], lines.ends[rows])
            self.bad_records.add(BadRecords(split.path, lines.offsets[rows], texts, reasons))
        if self.example is None:
            self.example = (split.path, int(lines.offsets[rows[0]]))
        if mode == "PERMISSIVE":
            return selected
        self.metrics.dropped += len(rows)
        return ~corrupt if selected is None else selected & ~corrupt

    # --- columns --------------------------------------------------------------------------------------------

    def _arrays(self, files: BlockFiles, decoded: DecodedBlock) -> list[pa.Array]:
        """Returns the columns of the target schema, with a value for each row of the block."""
        from_record = iter(decoded.columns)
        arrays: list[pa.Array] = []
        for field, source in zip(self.columns.target, self.columns.sources, strict=True):
            if source == FROM_RECORD:
                arrays.append(next(from_record))
            elif source == FROM_PATH:
                text = files.first.partition_values[self.path_columns[field.name.lower()]]
                arrays.append(pa.repeat(path_value(text, field.type, self.options.time.zone), decoded.rows))
            elif source == RAW_TEXT:
                arrays.append(_corrupt_texts(decoded))
            else:
                arrays.append(metadata_column(field.type, _only_file(files, decoded), decoded.offsets()))
        return arrays


def _ranges(count: int, most: int) -> Iterator[range]:
    """Yields ranges of at most ``most`` that together have each index below ``count``, all of about the same length."""
    parts = max(-(-count // most), 1)
    yield from (range(count * part // parts, count * (part + 1) // parts) for part in range(parts))


def _only_file(files: BlockFiles, decoded: DecodedBlock) -> FileSplit:
    return files.first if decoded.lines is None else files.of(decoded.lines, 0)


def _file_times(files: BlockFiles, decoded: DecodedBlock) -> pa.Array:
    """Returns the time of the file of each record, in microseconds: that of its path, or of its last change."""
    times = [one.modified_ms * 1000 if one.layout_start_us is None else one.layout_start_us for one in files.splits]
    if decoded.lines is None or len(times) == 1:
        return from_numpy(np.full(decoded.rows, times[0], np.int64))
    return from_numpy(np.array(times, np.int64)[files.indices(decoded.lines)])


def select_rows(arrays: list[pa.Array], target: pa.Schema, selected: Bool | None, rows: int) -> pa.RecordBatch | None:
    """Returns the batch of the selected rows (None: all rows); None if no row is selected."""
    count = rows if selected is None else int(np.count_nonzero(selected))
    if count == 0:
        return None
    if arrays and selected is not None and count < rows:
        indices = from_numpy(np.flatnonzero(selected))
        arrays = [array.take(indices) for array in arrays]
    return batch_of_columns(arrays, target, count)


def year_bound_us(split: FileSplit, slack_us: int) -> int:
    """Returns the latest time of a file's records; a timestamp without a year is of the latest year not after it."""
    return split.layout_end_us + slack_us if split.layout_end_us is not None else split.modified_ms * 1000 + DAY_US


def _corrupt_texts(decoded: DecodedBlock) -> pa.Array:
    """Returns the text of each corrupt record, null for all others."""
    lines, corrupt = decoded.lines, decoded.corrupt
    if lines is None or corrupt is None:
        return pa.nulls(decoded.rows, pa.string())
    rows = np.flatnonzero(corrupt)
    indices = np.zeros(len(lines), np.int64)
    indices[rows] = np.arange(len(rows))
    texts = spans.field_strings(lines.block, lines.starts[rows], lines.ends[rows])
    return texts.take(from_numpy(indices, ~corrupt))


def _mismatch_error(split: FileSplit, lines: Lines, row: int, reason: CorruptReason) -> RecordError:
    text = lines.record(row).decode("utf-8", "replace")
    shown = text[:200] + ("..." if len(text) > 200 or lines.full_length is not None else "")
    offset = int(lines.offsets[row])
    return RecordError(
        f"{split.path}: record at byte {offset} does not match the format: {reason.text}. Record: {shown!r}."
        " Mend the format, or read with mode=PERMISSIVE (nulls) or DROPMALFORMED",
        path=split.path, offset=offset, record=text[:200],
    )  # fmt: skip
