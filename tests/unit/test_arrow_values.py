"""Conversions without pandas, against those of pyarrow."""

from __future__ import annotations

import datetime as dt
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.arrow_values import as_bool, as_numbers, from_numpy, from_texts, from_values, null_mask, to_scalar
from pyspark_logs.compilation import is_compiled

VALUES = {
    pa.string(): st.text(),
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-128, 127),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(allow_nan=False),
    pa.float64(): st.floats(allow_nan=False),
    pa.date32(): st.dates(),
    pa.timestamp("us"): st.integers(-(2**63), 2**63 - 1),
    pa.timestamp("us", "UTC"): st.integers(-(2**63), 2**63 - 1),
    pa.decimal128(10, 2): st.decimals(-999, 999, places=2),
    pa.list_(pa.string()): st.lists(st.none() | st.text()),
    pa.list_(pa.list_(pa.int8())): st.lists(st.none() | st.lists(st.integers(-128, 127))),
    pa.map_(pa.string(), pa.int64()): st.lists(st.tuples(st.text(), st.none() | st.integers(-9, 9))),
    pa.struct([("a", pa.int8()), ("b", pa.list_(pa.bool_()))]): st.fixed_dictionaries(
        {"a": st.none() | st.integers(-9, 9)}, optional={"b": st.none() | st.lists(st.booleans())}
    ),
}
WRONG: list[tuple[pa.DataType, Any]] = [
    (pa.int8(), 128),
    (pa.int64(), 2**63),
    (pa.int32(), "7"),
    (pa.int16(), True),
    (pa.bool_(), 1),
    (pa.string(), 7),
    (pa.string(), "\ud800"),
    (pa.date32(), "2026-11-22"),
    (pa.timestamp("us"), 2**63),
    (pa.list_(pa.int8()), [128]),
    (pa.list_(pa.int8()), "text"),
    (pa.struct([("a", pa.int8())]), [1]),
    (pa.struct([("a", pa.int8())]), {"a": 128}),
    (pa.map_(pa.string(), pa.int8()), [("a", 1, 2)]),
    (pa.map_(pa.string(), pa.int8()), [(None, 1)]),
]
ACCEPTED: list[tuple[pa.DataType, Any]] = [
    (pa.int32(), 1.5),
    (pa.int32(), np.int16(7)),
    (pa.float64(), 7),
    (pa.string(), b"bytes"),
    (pa.date32(), dt.datetime(2026, 11, 22, 13, 0)),
    (pa.timestamp("us"), dt.datetime(2026, 11, 22, 13, 0)),
    (pa.float64(), math.nan),
    (pa.list_(pa.int8()), (1, 2)),
    (pa.struct([("a", pa.int8())]), {"b": 1}),
    (pa.map_(pa.string(), pa.int8()), {"a": 1}),
]


@given(st.data(), st.sampled_from(list(VALUES)))
def test_arrays_are_those_of_pyarrow(data: st.DataObject, dtype: pa.DataType) -> None:
    values = data.draw(st.lists(st.none() | VALUES[dtype]))
    expected = pa.array(values, dtype)
    array = from_values(values, dtype)
    array.validate(full=True)
    assert array.type == dtype
    assert array.equals(expected)
    assert array.null_count == expected.null_count
    assert null_mask(array).tolist() == [value is None for value in values]
    assert all(to_scalar(value, dtype) == pa.scalar(value, dtype) for value in values[:3])


@pytest.mark.parametrize(("dtype", "value"), WRONG)
def test_values_of_another_type_raise_as_by_pyarrow(dtype: pa.DataType, value: Any) -> None:
    try:
        array: Any = pa.array([value], dtype)
    except (TypeError, ValueError, OverflowError) as error:
        with pytest.raises(type(error), match=f"^{re.escape(str(error))}$"):
            from_values([value], dtype)
    else:
        pytest.fail(f"pyarrow accepts the value: {array}")


@pytest.mark.parametrize(("dtype", "value"), ACCEPTED)
def test_values_that_pyarrow_converts(dtype: pa.DataType, value: Any) -> None:
    array = from_values([None, value], dtype)
    assert array.type == dtype
    assert repr(array.to_pylist()) == repr(pa.array([None, value], dtype).to_pylist())


@pytest.mark.parametrize("start", range(10))
@pytest.mark.parametrize("dtype", [pa.bool_(), pa.int8(), pa.uint16(), pa.int64(), pa.float32(), pa.date32()])
def test_slices_become_numpy(dtype: pa.DataType, start: int) -> None:
    whole = pa.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0], pa.int32()).cast(dtype)
    array = whole.slice(start, 9)
    converted = as_bool(array) if dtype == pa.bool_() else as_numbers(array)
    storage = array.cast(pa.int32()) if dtype == pa.date32() else array
    assert converted.tolist() == storage.to_pylist()
    assert from_numpy(converted).equals(storage)
    assert len(as_numbers(pa.nulls(0, pa.int64()))) == 0


def test_nulls_are_false() -> None:
    assert as_bool(pa.array([True, None, False])).tolist() == [True, False, False]


def test_too_long_strings() -> None:
    class Endless(bytes):
        def __len__(self) -> int:
            return 2**31

    class Text(str):
        __slots__ = ()

        def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
            return Endless()

    with pytest.raises(OverflowError, match="an array of strings cannot hold 2147483648 bytes"):
        from_texts([Text("x")])


@pytest.mark.parametrize("compiled", ["0", "1"])
def test_reading_and_writing_do_not_import_pandas(compiled: str) -> None:
    """Each new worker of Spark would spend more time on that import than on the one of this package."""
    pytest.importorskip("pandas")
    if compiled == "1" and not is_compiled("pyspark_logs.records.block_search"):
        pytest.skip("no compiled engines")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.without_pandas"],
        capture_output=True, text=True, check=False, timeout=120, cwd=Path(__file__).parents[2],
        env={**os.environ, "PYSPARK_LOGS_COMPILED": compiled},
    )  # fmt: skip
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
