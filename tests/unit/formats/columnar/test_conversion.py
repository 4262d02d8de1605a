"""Conversion of fields in a block equals conversion of the strings that are not null."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import scatter
from pyspark_logs.formats.columnar.decoded_rows import drop_uncertain_rows
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.address import Host, Port
from pyspark_logs.formats.types.conversion import convert_fields, convert_valid
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import DecimalNumber, Floating, Integer
from pyspark_logs.formats.types.temporal import Date, Timestamp
from pyspark_logs.formats.types.text import Text, Uuid
from tests.support.effort import examples

TYPES = [Text(), Uuid(), Host(), Port(), Integer(16), Integer(32), Integer(64), Floating(), DecimalNumber(), Date(), Timestamp()]  # fmt: skip
TEXTS = ["", "1", "12345678", "123456789", "-7", "1.5", "a:80", "80", "2026-11-22", "2026-11-22T10:00:00Z"]
CONTEXT = TimestampContext()


@pytest.mark.parametrize("field_type", TYPES, ids=repr)
@given(rows=st.lists(st.tuples(st.sampled_from(TEXTS), st.booleans()), max_size=8))
@settings(max_examples=examples(60))
def test_fields_are_converted_as_their_strings(field_type: FieldType, rows: list[tuple[str, bool]]) -> None:
    block = "".join(f"{text}\n" for text, _ in rows).encode()
    lengths = np.array([len(text) for text, _ in rows], np.int64)
    starts = (np.cumsum(lengths + 1) - lengths - 1).astype(np.int32)
    ends = (starts + lengths).astype(np.int32)
    null = np.array([is_null for _, is_null in rows], np.bool_)
    found, valid = convert_fields(block, spans.terminated_view(block), starts, ends, null, field_type, CONTEXT)
    assert found.type == field_type.arrow()
    for row, (text, is_null) in enumerate(rows):
        if is_null:
            assert not found[row].is_valid
            assert valid is None or valid[row]
            continue
        value, parsed = field_type.convert(pa.array([text]), CONTEXT)
        assert (valid is None or valid[row]) == (parsed is None or bool(parsed[0])), text
        if parsed is None:
            assert found[row].equals(value[0]), text


@given(st.lists(st.none() | st.sampled_from(TEXTS), max_size=8))
def test_strings_with_nulls_are_converted(texts: list[str | None]) -> None:
    null = np.array([text is None for text in texts], np.bool_)
    found, valid = convert_valid(Text(), pa.array(texts, pa.string()), null, CONTEXT)
    assert found.to_pylist() == texts
    assert valid is None


@pytest.mark.parametrize("dtype", [pa.string(), pa.int64()])
def test_scatter_leaves_null_rows_null(dtype: pa.DataType) -> None:
    found = scatter(pa.array(["0", "1", "2"]).cast(dtype).slice(1), np.array([True, False, True, False]))
    assert found.cast(pa.string()).to_pylist() == [None, "1", None, "2"]


def test_a_line_is_dropped_if_a_validated_column_is_uncertain() -> None:
    columns = [pa.array([1, 2, 3]), pa.array([4, 5, 6])]
    found = drop_uncertain_rows(np.array([5, 7, 9]), columns, [None, np.array([True, False, True])], 1)
    assert found.rows is not None
    assert found.rows.tolist() == [5, 9]
    assert [column.to_pylist() for column in found.columns] == [[1, 3]]
