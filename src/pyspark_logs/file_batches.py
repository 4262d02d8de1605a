"""From a file of a format of one's own to batches of exactly the schema asked for.

Beside ``rows``, which is about lines: here the format gives batches, of which the columns are chosen, retyped and
completed, and the rows filtered by time and predicates.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pyspark_logs.batch_builder import assembled, metadata_column, path_value
from pyspark_logs.column_sources import FROM_LINE, FROM_PATH, RAW_TEXT, Columns
from pyspark_logs.errors import RecordError
from pyspark_logs.formats.custom import CustomFormat, own_retyped
from pyspark_logs.formats.types.casts import cast_if_possible, to_instants
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning import FileSplit
from pyspark_logs.predicates import Predicate, evaluate, supported

Bool = npt.NDArray[np.bool_]

_MOST_ROWS = 65_536  # worked on at once


class FileRowBuilder:
    """Builds the rows of whole files for one query. Made once a task.

    Attributes:
        metrics: counts what becomes of rows.
        example: of a record that does not match: there is none.
    """

    def __init__(
        self, own: CustomFormat, options: ReadOptions, columns: Columns, path_columns: tuple[str, ...],
        predicates: tuple[Predicate, ...], window: tuple[int | None, int | None],
    ) -> None:  # fmt: skip
        self.own, self.options, self.columns = own, options, columns
        self.path_columns = {name.lower(): index for index, name in enumerate(path_columns)}
        self.start_us, self.end_us = window
        own.made("decode")
        self.given = {field.name.lower(): index for index, field in enumerate(own.schema())}
        for field in columns.wanted:
            own_retyped(field.name, own.schema().field(self.given[field.name.lower()]).type, field.type)
        types = {field.name: field.type for field in columns.target}
        self.predicates = tuple(p for p in predicates if p.column in types and supported(p, types[p.column]))
        self.metrics, self.example = RecordMetrics(), None

    def batches(self, split: FileSplit, blocks: Iterator[bytes]) -> Iterator[pa.RecordBatch]:
        """The rows of one file; empty batches are left out.

        Args:
            split: the whole file.
            blocks: its bytes, decompressed.

        Raises:
            CorruptFileError: the format could not decode the file.
            FormatError: it gave other batches than its schema says.
            RecordError: a value does not fit in the type that the schema asks for.
        """
        self.metrics.files += 1
        for whole in self.own.batches(blocks, split.path):
            for start in range(0, whole.num_rows, _MOST_ROWS):
                piece = whole.slice(start, _MOST_ROWS)
                self.metrics.records += piece.num_rows
                batch = self._batch(split, piece)
                rows = 0 if batch is None else batch.num_rows
                self.metrics.rows += rows
                self.metrics.filtered += piece.num_rows - rows
                if batch is not None and rows:
                    yield batch

    def _batch(self, split: FileSplit, given: pa.RecordBatch) -> pa.RecordBatch | None:
        keep = self._in_time(split, given)
        arrays = self._arrays(split, given)
        if self.predicates:
            names = {field.name: array for field, array in zip(self.columns.target, arrays, strict=True)}
            fits = evaluate(self.predicates, names).fill_null(False).to_numpy(zero_copy_only=False)
            keep = fits if keep is None else keep & fits
        return assembled(arrays, self.columns.target, keep, given.num_rows)

    def _in_time(self, split: FileSplit, given: pa.RecordBatch) -> Bool | None:
        """Which rows lie in the half-open time range; a row without a time counts at its file's."""
        if (self.start_us is None and self.end_us is None) or self.columns.time is None:
            return None  # without a time column whole files were chosen
        file_us = split.layout_start_us if split.layout_start_us is not None else split.modified_ms * 1000
        found, _ = to_instants(given.column(self.given[self.columns.time.lower()]), self.options.time.zone)
        times = found.cast(pa.int64()).fill_null(file_us).to_numpy()
        keep = np.ones(len(times), np.bool_)
        if self.start_us is not None:
            keep &= times >= self.start_us
        if self.end_us is not None:
            keep &= times < self.end_us
        return keep

    def _arrays(self, split: FileSplit, given: pa.RecordBatch) -> list[pa.Array]:
        count, zone = given.num_rows, self.options.time.zone
        arrays: list[pa.Array] = []
        for field, source in zip(self.columns.target, self.columns.sources, strict=True):
            if source == FROM_LINE:
                arrays.append(self._own_column(split, field, given.column(self.given[field.name.lower()])))
            elif source == FROM_PATH:
                text = split.partition_values[self.path_columns[field.name.lower()]]
                arrays.append(pa.repeat(path_value(text, field.type, zone), count))
            elif source == RAW_TEXT:
                arrays.append(pa.nulls(count, field.type))  # no row is corrupt: a file is, or none of it
            else:
                arrays.append(metadata_column(field.type, split, pa.nulls(count, pa.int64())))
        return arrays

    def _own_column(self, split: FileSplit, field: pa.Field, given: pa.Array) -> pa.Array:
        array = cast_if_possible(given, field.type, self.options.time.zone)
        if array is None:
            raise RecordError(
                f"{split.path}: column {field.name!r} has a value that {field.type} does not hold; ask for {given.type}",
                path=split.path,
            )
        return array
