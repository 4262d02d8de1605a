"""Columns inferred from a sample of JSON, and decoding of the sample by these columns."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.json.inference import infer_json_schema
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import read_lines
from tests.conformance.test_engines import rows_of, thorough
from tests.support.formats import compile_decoder

INSTANT = pa.timestamp("us", "UTC")
LONG, DOUBLE, STRING, BOOLEAN = pa.int64(), pa.float64(), pa.string(), pa.bool_()
INTEGER = pa.decimal128(38, 0)


def array(element: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", element))


def infer(*lines: str) -> dict[str, pa.DataType]:
    schema = infer_json_schema(read_lines(iter(["\n".join(lines).encode()])), FormatOptions("json", ""))
    return dict(zip(schema.names, schema.types, strict=True))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (["1", "-7"], LONG),
        (["1", "1.5"], DOUBLE),
        (["1.5", "1"], DOUBLE),
        (["1e3"], DOUBLE),
        (["9223372036854775807"], LONG),
        (["9223372036854775808"], INTEGER),
        (["9007199254740993", "18446744073709551615"], INTEGER),
        (["-1", "9" * 38], INTEGER),
        (["9007199254740992", "0.5"], DOUBLE),
        (["9007199254740993", "0.5"], STRING),
        (["18446744073709551615", "0.5"], STRING),
        (["1" * 39], STRING),
        (["1" * 5000], STRING),
        (["1.10", "12345e6", "-0.30000000000000004"], DOUBLE),
        (["0.1234567890123456789"], STRING),
        (["1e400"], STRING),
        (["1e" + "9" * 30], STRING),
        (["[18446744073709551615, 1]"], array(INTEGER)),
        (["true", "false"], BOOLEAN),
        (["true", "1"], STRING),
        (['"x"', "1"], STRING),
        (["null", "1"], LONG),
        (["1", "null"], LONG),
        (["null"], STRING),
        (['"2026-11-22T10:00:00Z"', '"2026-11-22 10:00"'], INSTANT),
        (['"2026-11-22T10:00:00Z"', '"yesterday"'], STRING),
        (['"2026-02-30T10:00:00Z"'], STRING),
        (['"2026-11-22"'], STRING),
        (["[1, 2.5]"], array(DOUBLE)),
        (["[]", "[1]"], array(LONG)),
        (["[]"], array(STRING)),
        (["[1]", '["x"]'], array(STRING)),
        (["[1]", "1"], STRING),
        (["[[true]]"], array(array(BOOLEAN))),
        (['{"x": 1}', '{"y": "z"}'], pa.struct([("x", LONG), ("y", STRING)])),
        (['{"x": 1}', '{"X": 2.5}'], pa.struct([("x", DOUBLE)])),
        (['{"x": {"y": [1]}}'], pa.struct([("x", pa.struct([("y", array(LONG))]))])),
        (["{}"], STRING),
        (["{}", '{"x": 1}'], pa.struct([("x", LONG)])),
        (['{"x": 1}', "[1]"], STRING),
    ],
)
def test_the_type_of_values(values: list[str], dtype: pa.DataType) -> None:
    assert infer(*(f'{{"c": {value}}}' for value in values)) == {"c": dtype}


def test_columns_come_in_the_order_of_their_first_appearance() -> None:
    assert list(infer('{"b": 1}', '{"a": 1, "b": 2}', '{"c": 1}')) == ["b", "a", "c"]


@pytest.mark.parametrize("nested", [False, True])
def test_columns_match_without_case_with_a_warning(nested: bool, caplog: pytest.LogCaptureFixture) -> None:
    record = '{"Level": 1, "level": 2.5}'
    found = infer(f'{{"inner": {record}}}' if nested else record)
    assert found == ({"inner": pa.struct([("Level", DOUBLE)])} if nested else {"Level": DOUBLE})
    assert "of a record that has both, only the value of 'Level' is read" in caplog.text


def test_lines_that_are_not_objects_are_skipped() -> None:
    assert infer("[1]", "nonsense", '"x"', '{"a": NaN}', "[" * 100_000, '{"a": 1}') == {"a": LONG}


def test_a_deeply_nested_value_is_accepted() -> None:
    assert infer('{"a": ' + "[" * 900 + "]" * 900 + "}", '{"a": 1}')


def test_the_sample_is_limited() -> None:
    options = FormatOptions("json", "", sampling_bytes=9)
    assert infer_json_schema(read_lines(iter([b'{"a": 1}\n{"b": 1}'])), options).names == ["a"]


def test_the_empty_key_is_a_column() -> None:
    assert infer('{"": 4, "a": {"": 1}}') == {"": LONG, "a": pa.struct([("", LONG)])}


def test_the_number_of_columns_is_limited() -> None:
    options = FormatOptions("json", "", max_inferred_columns=4)
    lines = b'{"a": 1, "b": {"c": 1}}\n{"A": 1, "b": {"d": [{"%s": 1}]}}'
    assert infer_json_schema(read_lines(iter([lines.replace(b"%s", b"")[:24]])), options).names == ["a", "b"]
    with pytest.raises(
        FormatError, match=r"has 5 different keys, .*, more than maxInferredColumns=4: .*map<string,string>"
    ):
        infer_json_schema(read_lines(iter([lines])), options)


def test_the_error_names_the_first_line_that_is_no_object() -> None:
    with pytest.raises(
        FormatError, match=r"no line of the sample is a JSON object with a key; the first one, at byte 3, is 'xyz'"
    ):
        infer("{}", "xyz", "[]")


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
times = st.datetimes().map(lambda time: time.isoformat())
values = st.recursive(
    scalars | times,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abAB"), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", ""]), values), min_size=1, max_size=6).filter(any))
@thorough
def test_the_sample_is_valid_by_the_inferred_schema(records: list[dict[str, object]]) -> None:
    text = "\n".join(json.dumps(record) for record in records).encode()
    schema = infer_json_schema(read_lines(iter([text])), FormatOptions("json", ""))
    decoder = compile_decoder(FormatOptions("json", "true"), schema)
    rows, corrupt = rows_of(decoder, read_lines(iter([text])), TimestampContext())
    assert not any(corrupt)
    for record, row in zip(records, rows, strict=True):
        named = dict(zip(schema.names, row, strict=True))
        assert all((named[key] is None) == (value is None) for key, value in record.items())
        numbers = {key: value for key, value in record.items() if type(value) in (int, float)}
        assert {key: float_or_exact(named[key], value) for key, value in numbers.items()} == numbers


def float_or_exact(read: object, written: object) -> object:
    """Returns a number as it is read, in the type in which it is written."""
    return type(written)(read) if not isinstance(read, str) else json.loads(read)
