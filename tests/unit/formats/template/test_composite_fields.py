"""Composite fields: rows that have columns of some of the parts only."""

from __future__ import annotations

import pyarrow as pa

from pyspark_logs.options import FormatOptions
from tests.support.formats import compile_encoder, format_schema


def test_a_missing_part_of_a_composite_field_is_written_as_null() -> None:
    options = FormatOptions("preset", "apache_error")
    schema = format_schema(options)
    assert schema is not None
    names = [name for name in schema.names if name != "module"]
    schema = pa.schema([schema.field(name) for name in names])
    values = {"level": "error", "message": "no such file"}
    rows = [{field.name: values.get(field.name) for field in schema}]
    rows[0]["time"] = 1_795_305_600_000_000  # type: ignore[assignment]
    batch = pa.RecordBatch.from_pylist(rows, schema)
    assert "[error]" in compile_encoder(options, schema, zone="UTC").encode(batch)[0].as_py()
