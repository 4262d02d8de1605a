"""Sizes of batches: small batches are concatenated, large ones cut."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

MAX_BATCH_ROWS = 65_536  # Spark's Arrow reader gets slower with larger batches
# Smaller batches are concatenated, because a selective filter leaves few rows of each block. Concatenation costs 100 ns a
# row of 36 columns; another batch of them costs 40 us in Python and as much again in Spark.
MIN_BATCH_ROWS = 2_048
# Fewer rows are enough if they are long: 2,048 lines of 16 MiB would be 32 GiB.
MIN_BATCH_BYTES = 2 << 20
_VALIDITY, _OFFSET = 1 / 8, 4.0  # bytes of a value in a column


def resize(batches: Iterator[pa.RecordBatch], target: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Yields the same rows, with small batches concatenated and large ones cut.

    Args:
        batches: batches of the schema ``target``.
        target: their schema, which may have no columns.
    """
    pending: list[pa.RecordBatch] = []
    row_bytes = fixed_row_bytes(target)
    rows = size = 0
    for batch in batches:
        batch_rows, batch_bytes = batch.num_rows, held_bytes(batch, row_bytes)
        if pending and _is_large(batch_rows, batch_bytes):
            # Copying a large batch takes longer than another small one.
            yield from _cut(_concatenate(pending, target))
            pending, rows, size = [], 0, 0
        pending.append(batch)
        rows += batch_rows
        size += batch_bytes
        if _is_large(rows, size):
            joined = _concatenate(pending, target)
            pending, rows, size = [], 0, 0
            del batch  # the consumer holds the only reference to a large batch
            yield from _cut(joined)
            del joined
    if pending:
        yield from _cut(_concatenate(pending, target))


def held_bytes(batch: pa.RecordBatch, row_bytes: float) -> int:
    """Returns the size of the buffers of a batch, including the parts that a sliced batch does not show.

    ``RecordBatch.nbytes`` computes the shown part of each column, which takes 0.2 ms for 36 columns.

    Args:
        batch: the batch.
        row_bytes: :func:`fixed_row_bytes` of its schema. The buffers of a column of nulls begin at one address, and Arrow
            counts only one of them, which may be the shortest.
    """
    return max(int(batch.get_total_buffer_size()), int(batch.num_rows * row_bytes))


def fixed_row_bytes(schema: pa.Schema) -> float:
    """Returns the bytes of a row, without the text of strings and the elements of collections.

    >>> fixed_row_bytes(pa.schema([("a", pa.int64()), ("b", pa.string()), ("c", pa.bool_())]))
    12.5
    """
    return sum(_fixed_bytes(field.type) for field in schema)


def _fixed_bytes(dtype: pa.DataType) -> float:
    if pa.types.is_struct(dtype):
        return _VALIDITY + sum(_fixed_bytes(field.type) for field in dtype)
    try:
        return _VALIDITY + float(dtype.bit_width) / 8
    except ValueError:
        return _VALIDITY + _OFFSET


def batch_of_columns(columns: list[pa.Array], target: pa.Schema, rows: int) -> pa.RecordBatch:
    """Returns a batch, which has its number of rows even without a column."""
    if not columns:
        # Arrow keeps no row count without a column; a struct array does.
        return pa.RecordBatch.from_struct_array(pa.StructArray.from_buffers(pa.struct([]), rows, [None]))
    return pa.RecordBatch.from_arrays(columns, schema=target)


def _is_large(rows: int, size: int) -> bool:
    return rows >= MIN_BATCH_ROWS or size >= MIN_BATCH_BYTES


def _concatenate(batches: list[pa.RecordBatch], target: pa.Schema) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    columns = [pa.concat_arrays([batch.column(i) for batch in batches]) for i in range(len(target))]
    return batch_of_columns(columns, target, sum(batch.num_rows for batch in batches))


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, MAX_BATCH_ROWS):
        yield batch if batch.num_rows <= MAX_BATCH_ROWS else batch.slice(start, MAX_BATCH_ROWS)
