"""Sizes of batches: short rows are concatenated, long rows are returned before they are many."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from pyspark_logs.batch_sizes import (
    MAX_BATCH_ROWS,
    MIN_BATCH_BYTES,
    MIN_BATCH_ROWS,
    fixed_row_bytes,
    held_bytes,
    resize,
)

SCHEMA = pa.schema([("message", pa.string())])


def batch(rows: int, length: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(["x" * length] * rows)], schema=SCHEMA)


@pytest.mark.parametrize(
    ("rows", "length", "count", "sizes"),
    [
        (1, MIN_BATCH_BYTES, 3, [1, 1, 1]),
        (1, MIN_BATCH_BYTES // 2, 3, [2, 1]),
        (MIN_BATCH_ROWS // 2, 1, 3, [MIN_BATCH_ROWS, MIN_BATCH_ROWS // 2]),
        (MAX_BATCH_ROWS + 1, 0, 1, [MAX_BATCH_ROWS, 1]),
    ],
)
def test_batches_are_bounded_by_rows_and_bytes(rows: int, length: int, count: int, sizes: list[int]) -> None:
    found = list(resize((batch(rows, length) for _ in range(count)), SCHEMA))
    assert [one.num_rows for one in found] == sizes


def test_a_large_batch_is_not_copied() -> None:
    large = batch(MIN_BATCH_ROWS, 1)
    found = list(resize(iter([batch(1, 1), batch(2, 1), large, batch(1, 1), large]), SCHEMA))
    assert [one.num_rows for one in found] == [3, MIN_BATCH_ROWS, 1, MIN_BATCH_ROWS]
    assert found[1] is large
    assert found[3] is large


def test_no_batch_is_taken_before_a_large_one_is_returned() -> None:
    taken: list[int] = []

    def source() -> Iterator[pa.RecordBatch]:
        for number in range(3):
            taken.append(number)
            yield batch(1, MIN_BATCH_BYTES)

    next(resize(source(), SCHEMA))
    assert taken == [0]


@pytest.mark.parametrize(
    "dtype",
    [
        pa.int8(),
        pa.string(),
        pa.timestamp("us"),
        pa.decimal128(9, 2),
        pa.list_(pa.int8()),
        pa.map_(pa.string(), pa.string()),
        pa.struct([("a", pa.string()), ("b", pa.struct([("c", pa.int64())]))]),
    ],
)
def test_the_size_of_nulls_is_that_of_their_buffers(dtype: pa.DataType) -> None:
    """Arrow counts one of the buffers of nulls, which share their memory."""
    schema = pa.schema([(f"c{index}", dtype) for index in range(40)])
    rows = 10_000
    before = pa.total_allocated_bytes()
    held = pa.RecordBatch.from_arrays([pa.nulls(rows, dtype) for _ in range(40)], schema=schema)
    allocated = pa.total_allocated_bytes() - before
    assert held_bytes(held, fixed_row_bytes(schema)) >= 0.9 * allocated
    part = held.slice(16, 1600)
    assert held_bytes(part, fixed_row_bytes(schema)) >= part.nbytes
