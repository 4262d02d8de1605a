"""From the records of one split to batches of exactly the schema asked for.

One order of things: search the raw bytes for what the filters need, decode, judge, filter by time and
predicates, add the columns that are not in the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pyspark_logs.bad_records import BadRecordWriter
from pyspark_logs.column_sources import FROM_LINE, FROM_PATH, RAW_TEXT, Columns
from pyspark_logs.errors import RecordError
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.decoder import Decoded, Decoder
from pyspark_logs.formats.interface import SearchableFields
from pyspark_logs.formats.parsed_line import CorruptReason
from pyspark_logs.formats.registry import compile_decoder, resolve_line_format
from pyspark_logs.formats.timestamps.parsing import DAY_US, TimestampContext
from pyspark_logs.formats.timestamps.zones import utc_to_local
from pyspark_logs.formats.types.registry import for_arrow
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning import FileSplit
from pyspark_logs.predicates import Predicate, evaluate, lines_containing, search_literals, supported
from pyspark_logs.records import Lines, sanitise

Bool = npt.NDArray[np.bool_]

# Blocks after one in which too many lines survived: filters rarely become selective half-way.
_BLOCKS_WITHOUT_SEARCH = 15


_UNKNOWN = CorruptReason("it does not match the format", "does not match the format")


class RowBuilder:
    """Builds the rows of splits for one query. Compiled once a task.

    Attributes:
        rejects: gets the records that do not match; None: nobody asked for them.
        metrics: counts what becomes of records.
        example: file and offset of the first record that does not match.
    """

    def __init__(
        self, options: ReadOptions, columns: Columns, path_columns: tuple[str, ...],
        predicates: tuple[Predicate, ...], window: tuple[int | None, int | None], slack_us: int,
        rejects: BadRecordWriter | None = None,
    ) -> None:  # fmt: skip
        self.options, self.columns, self.slack_us = options, columns, slack_us
        self.path_columns = {name.lower(): index for index, name in enumerate(path_columns)}
        self.start_us, self.end_us = window
        instant = pa.timestamp("us", "UTC")
        hidden = pa.schema([pa.field(columns.time, instant)]) if columns.hidden_time and columns.time else None
        whole = columns.judge_whole or options.records.bad_path is not None
        self.decoder: Decoder = compile_decoder(options.format, columns.wanted, hidden=hidden, judge_whole=whole)
        types = {field.name: field.type for field in columns.target}
        self.predicates = tuple(p for p in predicates if p.column in types and supported(p, types[p.column]))
        verbatim = resolve_line_format(options.format).verbatim()
        plain, escaped = _searchable(verbatim, columns)
        unfit = set(verbatim.not_with.encode())
        found = search_literals(self.predicates, plain, escaped)
        self.literals = tuple(one for one in found if not verbatim.not_with or _fit(one, unfit))
        self.pause = 0
        self.rejects, self.metrics = rejects, RecordMetrics()
        self.example: tuple[str, int] | None = None

    def batches(self, split: FileSplit, blocks: Iterator[Lines]) -> Iterator[pa.RecordBatch]:
        """The rows of one split, a batch a block; empty ones are left out."""
        context = self.context(split)
        self.metrics.files += split.start == 0
        if self.rejects is not None:
            self.rejects.begin(split)
        for lines in blocks:
            if not len(lines):  # no more than a header
                continue
            self.metrics.records += len(lines)
            batch = self._batch(split, lines, context)
            if batch is not None and batch.num_rows:
                self.metrics.rows += batch.num_rows
                yield batch
        if self.rejects is not None:
            self.rejects.finish()

    def context(self, split: FileSplit) -> TimestampContext:
        """What a file says about its records' times."""
        return TimestampContext(self.options.time.zone, year_bound_us(split, self.slack_us))

    def _batch(self, split: FileSplit, lines: Lines, context: TimestampContext) -> pa.RecordBatch | None:
        count = len(lines)
        lines = self._search(lines)
        if len(lines) == 0:
            self.metrics.filtered += count
            return None
        lines = sanitise(lines)
        decoded = self._decode(lines, context)
        corrupt = decoded.corrupt
        keep = self._in_time(decoded, split, len(lines))
        arrays = self._arrays(split, lines, decoded)
        if self.predicates:
            names = {field.name: array for field, array in zip(self.columns.target, arrays, strict=True)}
            fits = evaluate(self.predicates, names).fill_null(False).to_numpy(zero_copy_only=False)
            keep = fits if keep is None else keep & fits
        if corrupt is not None and keep is not None:
            corrupt = corrupt & keep
        self.metrics.filtered += count - (len(lines) if keep is None else int(np.count_nonzero(keep)))
        if corrupt is not None and corrupt.any():
            keep = self._judge(split, lines, decoded.reasons, corrupt, keep)
        return assembled(arrays, self.columns.target, keep, len(lines))

    # --- which lines --------------------------------------------------------------------------------------

    def _search(self, lines: Lines) -> Lines:
        """Leave out the lines that cannot satisfy the filters, by looking for literals in the raw bytes."""
        if not self.literals or lines.full_length is not None:
            return lines
        if self.pause:
            self.pause -= 1
            return lines
        found = lines_containing(lines.block, lines.starts, lines.ends, self.literals[0])
        if found is None:
            self.pause = _BLOCKS_WITHOUT_SEARCH
            return lines
        return _compacted(lines.select(found))

    def _decode(self, lines: Lines, context: TimestampContext) -> Decoded:
        if lines.full_length is None:
            return self.decoder.for_header(lines.header).decode(lines, context)
        # The head of a record that is too long to be held: one corrupt row.
        most = self.options.format.max_record_bytes
        reason = f"the record has {lines.full_length} bytes, more than maxRecordBytes={most}"
        columns = [pa.nulls(1, dtype) for dtype in self.decoder.target]
        return Decoded(columns, np.ones(1, np.bool_), {0: CorruptReason(reason, "longer than maxRecordBytes")})

    def _in_time(self, decoded: Decoded, split: FileSplit, count: int) -> Bool | None:
        """Which rows lie in the half-open time range; a row without a time counts at its file's."""
        if (self.start_us is None and self.end_us is None) or self.columns.time is None:
            return None  # without a time column whole files were chosen
        file_us = split.layout_start_us if split.layout_start_us is not None else split.modified_ms * 1000
        times = decoded.columns[self._time_index()].cast(pa.int64()).fill_null(file_us).to_numpy()
        keep = np.ones(count, np.bool_)
        if self.start_us is not None:
            keep &= times >= self.start_us
        if self.end_us is not None:
            keep &= times < self.end_us
        return None if keep.all() else keep

    def _time_index(self) -> int:
        if self.columns.hidden_time:
            return -1
        return int(self.columns.wanted.get_field_index(self.columns.shown_time))

    def _judge(
        self, split: FileSplit, lines: Lines, reasons: Mapping[int, CorruptReason], corrupt: Bool, keep: Bool | None
    ) -> Bool | None:
        """Count the corrupt rows and pass them on; then what ``mode`` says of them."""
        mode, rows = self.options.records.mode, corrupt.nonzero()[0].tolist()
        for row in rows:
            reason = reasons.get(row, _UNKNOWN)
            self.metrics.blame(reason.category)
            if mode == "FAILFAST":
                raise self._error(split, lines, row, reason)
            if self.rejects is not None:
                text = lines.record(row).decode("utf-8", "replace")
                self.rejects.add(split.path, int(lines.offsets[row]), text, reason.text)
        if self.example is None:
            self.example = (split.path, int(lines.offsets[rows[0]]))
        if mode == "PERMISSIVE":
            return keep
        self.metrics.dropped += len(rows)
        return ~corrupt if keep is None else keep & ~corrupt

    def _error(self, split: FileSplit, lines: Lines, row: int, reason: CorruptReason) -> RecordError:
        text = lines.record(row).decode("utf-8", "replace")
        shown = text[:200] + ("..." if len(text) > 200 or lines.full_length is not None else "")
        offset = int(lines.offsets[row])
        return RecordError(
            f"{split.path}: record at byte {offset} does not match the format: {reason.text}. Record: {shown!r}."
            " Mend the format, or read with mode=PERMISSIVE (nulls) or DROPMALFORMED",
            path=split.path, offset=offset, record=text[:200],
        )  # fmt: skip

    # --- columns --------------------------------------------------------------------------------------------

    def _arrays(self, split: FileSplit, lines: Lines, decoded: Decoded) -> list[pa.Array]:
        from_line = iter(decoded.columns)
        arrays: list[pa.Array] = []
        for field, source in zip(self.columns.target, self.columns.sources, strict=True):
            if source == FROM_LINE:
                arrays.append(next(from_line))
            elif source == FROM_PATH:
                arrays.append(self._path_column(field, split, len(lines)))
            elif source == RAW_TEXT:
                arrays.append(_raw_texts(lines, decoded.corrupt))
            else:
                arrays.append(metadata_column(field.type, split, pa.array(lines.offsets, pa.int64())))
        return arrays

    def _path_column(self, field: pa.Field, split: FileSplit, count: int) -> pa.Array:
        text = split.partition_values[self.path_columns[field.name.lower()]]
        return pa.repeat(path_value(text, field.type, self.options.time.zone), count)


def assembled(arrays: list[pa.Array], target: pa.Schema, keep: Bool | None, count: int) -> pa.RecordBatch | None:
    """The batch of the rows that are kept (None: all); None: not one is."""
    rows = count if keep is None else int(np.count_nonzero(keep))
    if rows == 0:
        return None
    if not arrays:
        # Arrow keeps no row count without a column; a struct array does.
        return pa.RecordBatch.from_struct_array(pa.StructArray.from_buffers(pa.struct([]), rows, [None]))
    if keep is not None and rows < count:
        places = pa.array(np.flatnonzero(keep))
        arrays = [array.take(places) for array in arrays]
    return pa.RecordBatch.from_arrays(arrays, schema=target)


def year_bound_us(split: FileSplit, slack_us: int) -> int:
    """A timestamp without a year belongs to the latest year that puts it no later than this."""
    return split.layout_end_us + slack_us if split.layout_end_us is not None else split.modified_ms * 1000 + DAY_US


def _compacted(lines: Lines) -> Lines:
    """The surviving lines over a block of their own, where they are few: less to check and to scan."""
    total = int((lines.ends - lines.starts).sum())
    if len(lines) == 0 or 2 * total > len(lines.block):
        return lines
    block = b"\n".join([lines.block[s:e] for s, e in zip(lines.starts.tolist(), lines.ends.tolist(), strict=True)])
    lengths = lines.ends - lines.starts
    ends = (np.cumsum(lengths) + np.arange(len(lengths))).astype(np.int32)
    return Lines(block, (ends - lengths).astype(np.int32), ends, lines.offset, None, lines.offsets, lines.header)


def _fit(alternatives: tuple[bytes, ...], unfit: set[int]) -> bool:
    """Whether no literal has one of some characters; a backslash alone stands for all lines that have one."""
    literals = [text for text in alternatives if text != b"\\"]
    return bool(literals) and not any(set(text) & unfit for text in literals)


def _searchable(verbatim: SearchableFields, columns: Columns) -> tuple[list[str], list[str]]:
    """String columns whose values stand in the raw line: as they are, and unless there is a backslash."""
    strings = [f.name for f in columns.wanted if pa.types.is_string(f.type)]
    plain = [name for name in strings if name.lower() in verbatim.plain]
    escaped = verbatim.unless_escaped
    return plain, [name for name in strings if name not in plain and (escaped is None or name.lower() in escaped)]


def path_value(text: str | None, dtype: pa.DataType, zone: str) -> pa.Scalar:
    """The value of a partition column, read as a line's field of this type would be; null where it is none.

    >>> import pyarrow as pa
    >>> path_value("007", pa.int16(), "UTC"), path_value("ops", pa.int16(), "UTC")
    (<pyarrow.Int16Scalar: 7>, <pyarrow.Int16Scalar: None>)
    """
    field_type = for_arrow(dtype)
    if text is None or field_type is None:
        return pa.scalar(None, dtype)
    try:
        array = pa.array([field_type.parse(text, TimestampContext(zone))], field_type.arrow())
    except (ValueError, OverflowError):
        return pa.scalar(None, dtype)  # as Spark does with a directory that is not of the column's type
    return (array if array.type == dtype else utc_to_local(array, zone))[0]


def _raw_texts(lines: Lines, corrupt: Bool | None) -> pa.Array:
    if corrupt is None:
        return pa.nulls(len(lines), pa.string())
    bad = np.flatnonzero(corrupt)
    places = np.zeros(len(lines), np.int64)
    places[bad] = np.arange(len(bad))
    texts = spans.field_strings(lines.block, lines.starts[bad], lines.ends[bad])
    return texts.take(pa.array(places, mask=~corrupt))


def metadata_column(dtype: pa.StructType, split: FileSplit, offsets: pa.Array) -> pa.Array:
    """The column ``_metadata`` of rows whose records begin at these offsets in the file."""
    path = split.path if "://" in split.path else "file://" + split.path
    constants = {
        "file_path": path, "file_name": path.rpartition("/")[2], "file_size": split.size,
        "file_block_start": split.start, "file_block_length": split.length,
        "file_modification_time": split.modified_ms * 1000,
    }  # fmt: skip
    children = [
        offsets
        if field.name.lower() == "record_offset"
        else pa.repeat(pa.scalar(constants[field.name.lower()], field.type), len(offsets))
        for field in dtype
    ]
    return pa.StructArray.from_arrays(children, fields=list(dtype))
