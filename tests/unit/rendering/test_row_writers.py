"""Rows of batches as JSON lines and CSV."""

from __future__ import annotations

import io
import json
import math

import pyarrow as pa
import pytest

from pyspark_logs.rendering.row_writers import ROW_WRITERS

NUMBERS = [math.nan, math.inf, -math.inf, -0.0, 1.5]


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_numbers_that_json_lacks(kind: str) -> None:
    number = pa.float64()
    nested = pa.list_(pa.struct([("m", pa.map_(pa.string(), number)), ("x", number)]))
    values = [[{"m": [("k", one)], "x": one}] for one in NUMBERS]
    batch = pa.record_batch([pa.array(NUMBERS, number), pa.array(values, nested)], names=["n", "v"])
    output = io.StringIO()
    ROW_WRITERS[kind](output, batch.schema.names)(batch)
    texts = ["NaN", "Infinity", "-Infinity", -0.0, 1.5]
    if kind == "json":
        lines = [json.loads(line, parse_constant=refuse_constant) for line in output.getvalue().splitlines()]
        assert [line["n"] for line in lines] == texts
        found = [line["v"] for line in lines]
    else:
        rows = output.getvalue().splitlines()[1:]
        cells = [row.split(",", 1)[1].strip('"').replace('""', '"') for row in rows]
        found = [json.loads(cell, parse_constant=refuse_constant) for cell in cells]
    assert found == [[{"m": {"k": one}, "x": one}] for one in texts]
