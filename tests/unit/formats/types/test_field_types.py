"""Field types: conversion of columns equals parsing of single texts, and both equal the reference parser."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyspark_logs.errors import LogSourceError, SchemaError
from pyspark_logs.formats.timestamps.parsing import (
    HIGHEST_US,
    LOWEST_US,
    TimestampContext,
    datetime_to_utc_us,
    parse_iso_us,
)
from pyspark_logs.formats.timestamps.zones import local_to_utc_us, utc_to_local
from pyspark_logs.formats.types.address import Host, Port
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.nested import ListOf, MapOf
from pyspark_logs.formats.types.numeric import Boolean, DecimalNumber, Floating, Integer
from pyspark_logs.formats.types.registry import retype
from pyspark_logs.formats.types.temporal import Date, Epoch, Timestamp
from pyspark_logs.formats.types.text import JsonText, Quoted, Text, Uuid
from pyspark_logs.formats.types.validated_text import VALIDATED_TEXTS, ValidatedText, enumeration
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import read_lines
from tests.conformance.test_engines import BOUNDS, EPOCH, thorough
from tests.reference import templates as reference
from tests.support import strategies
from tests.support.effort import examples
from tests.support.formats import compile_decoder

UUID = "123e4567-e89b-12d3-a456-426614174000"
ODD = [
    *["", "-", "+", "5", "+5", "-5", "007", "-007", "-0", "0x1F", "1_000", " 1", "1 ", "\x001", "1\x00", "١٢", "２", "1,5", "--5", "5-", "5-3"],
    *["1e400", "-1e400", "1e-400", ".5", "5.", ".", "-.5", "+.5", "1e2", "1E+2", "1.5e1", "0e999", "1e999999999", "1e99999999999999999999"],
    *["0e99999999999999999999", "nan", "NaN", "inf", "-Infinity", "+inf", "1e", "e5", "1e5.5", "1.2.3", "2147483647", "2147483648"],
    *["-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809"],
    *["127", "128", "32768", "9" * 26, "0" * 30 + "7", "0" * 500 + "7", "1" * 400, "1" * 39, "1" * 38, "123.45", "123.456", "123.450"],
    *["1234.5", "99999", "999.99", "1000", "0.001", "0.000", "0" * 10 + ".10", "1" * 30 + "." + "1" * 30],
    *["1700000000", "1700000000.123", "1700000000.123456789", "-1700000000.5", "-1.9", "-0.5", "-0.0000005", "1.", "1." + "0" * 60],
    *["9223372036854.775807", "9223372036854.775808", "253402300799", "253402300800", "253402300799.999999", "253402300799.9999999"],
    *["-62135596800", "-62135596801", "-62135596800.5", "253402300799999", "253402300800000", "253402300799999999", "253402300800000000"],
    *["true", "True", "FALSE", "1", "0", "yes", "t", UUID, UUID.upper(), UUID[:-1] + "g", "é" * 18, UUID[:8] + "_" + UUID[9:], UUID[1:]],
    *["a,b", "a", ",", "a,,b", ",a", "1,2", "1,x", "2026-11-22", "2026-02-30", "2026-2-3", "0000-01-01", "0001-01-01", "9999-12-31"],
    *["2024-02-29", "2023-02-29", "1900-02-29", "2026-11-22 ", "2026_11-22", "2026-13-01", "2026-00-10", "2026-01-00"],
    *["2026-11-22T10:00:00" + end for end in ("Z", "z", "", ".1", ",1", ".123456789", ".1234567", ",1234567Z", ",123z", "+0100", "+01:00")],
    *["2026-11-22T10:00:00" + end for end in ("-23:59", "+24:00", "+01x00", "+01:60", " Z", ".Z", ".", "+01", ".1234567891")],
    *["2026-11-22 10:00", "2026-11-22T10:00Z", "2026-11-22T24:00:00", "2026-11-22T23:59:60", "2026-11-22T10:60:00", "2026-11-22x10:00:00"],
    *["0000-12-31T23:00:00-05:00", "0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-01:00"],
    *["9999-12-31T23:59:59.999999", "0001-01-01T00:00:00", "1883-11-18T12:03:00", "1893-03-31T23:30:00", "2050-07-01T00:00:00"],
    *["2026-03-29T02:30:00", "2026-10-25T02:30:00", "2026-11-22T10-00:00", "20261122T100000Z", "2026-11-22T10", "+2026-11-22T10:00:00"],
    *['{"a":1}', "[NaN]", '{"a":', " 12 ", '"x"', "nul", "[1,]", "[" * 100_000],
    *['a=1 b="x y"', "a=1 b", "=1", "  ", 'a="x', "a=1 a=2", "a==", 'a="\\""'],
    *["10.0.0.1:80", "::1:80", "10.0.0.1", "10.0.0.1:-", "10.0.0.1:x", ":80", "a:", "[::1]:443", "10.0.0.1:99999999999", "10.0.0.1:+80"],
    *["www.example.com 192.0.2.7", "CEF:0|a", "<mail.notice>", "---", "-a", "a_b", "fe80::1%eth0", "[::1]:80", "[::1", "[a]", "1:2:3:4:5:6:7:8", "1:2"],
    *["256.1.1.1", "01.2.3.4", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::2:", ":1::2", "1::2::3", "::256.0.0.1", "::192.0.2.7:1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:192.0.2.7"],
    *["::ffff:10.0.0.1", "1:2:3:4::5:6:7:8", "[1:2:3:4::5:6:7:8]:80", "1:2:3:4:5:6::192.0.2.7", ":::", "a.[b].[c]", "Main$Inner", "a(b)", "a\tb", "é.example", "a:80:81", "stdout", "F", "a\n", "12345::"],
]  # fmt: skip
TYPES: list[FieldType] = [
    *(Integer(bits) for bits in (8, 16, 32, 64)), Floating(), Floating(32), Boolean(), Date(), Timestamp(), Uuid(), JsonText(), Text(), Quoted(),
    *(DecimalNumber(*size) for size in ((5, 2), (38, 0), (38, 18), (3, 3), (10, 0))), *(Epoch(unit) for unit in ("s", "ms", "us", "ns")),
    ListOf(","), ListOf(",", Integer(32)), MapOf(), Host(), Port(), Port(64),
    *VALIDATED_TEXTS.values(), enumeration("stdout", "stderr", "a.b"),
    Timestamp("%d/%b/%Y:%H:%M:%S %z"), Timestamp("%Y-%m-%dT%H:%M:%S"), Timestamp("%Y-%m-%d"),
]  # fmt: skip
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]
moments = st.sampled_from(ZONES).map(lambda zone: TimestampContext(zone, 1_795_350_896_000_000))


def scalar(field_type: FieldType, text: str, context: TimestampContext) -> Any:
    """The value of one text; None where it is not of the type."""
    try:
        return pa.array([field_type.parse(text, context)], field_type.arrow())[0]
    except ValueError:
        return None


def check(field_type: FieldType, texts: list[str], context: TimestampContext) -> None:
    column, sure = field_type.convert(pa.array(texts, pa.string()), context)
    assert column.type == field_type.arrow()
    assert len(column) == len(texts)
    for row, text in enumerate(texts):
        if sure is None or sure[row]:
            value = scalar(field_type, text, context)
            assert value is not None, text
            assert column[row].equals(value) or str(column[row]) == str(value) == "nan", text


@pytest.mark.parametrize("field_type", TYPES, ids=repr)
@pytest.mark.parametrize("zone", ZONES)
def test_convert_of_one_text_equals_parse(field_type: FieldType, zone: str) -> None:
    for text in ODD:
        check(field_type, [text], TimestampContext(zone))
        check(field_type, [text] * 3, TimestampContext(zone))


@pytest.mark.parametrize("field_type", TYPES, ids=repr)
@given(texts=st.lists(st.sampled_from(ODD), max_size=12), context=moments, only_good=st.booleans())
@settings(max_examples=examples(60))
def test_convert_of_several_texts_equals_parse(
    field_type: FieldType, texts: list[str], context: TimestampContext, only_good: bool
) -> None:
    if only_good:
        texts = [text for text in texts if scalar(field_type, text, context) is not None]
    check(field_type, texts, context)


# ------------------------------------------------------------------------------------------------- by example


@pytest.mark.parametrize(
    ("field_type", "text", "value"),
    [
        (DecimalNumber(5, 2), "1e2", Decimal("100.00")),
        (DecimalNumber(5, 2), "0e999", Decimal("0.00")),
        (DecimalNumber(5, 2), "-0.1", Decimal("-0.10")),
        (DecimalNumber(38, 0), "9" * 38, Decimal("9" * 38)),
        (Integer(32), "+5", 5),
        (Floating(), ".5", 0.5),
        (Floating(), "1e400", float("inf")),
        (ListOf(","), "", []),
        (ListOf(";", Integer(32)), "1;2", [1, 2]),
        (MapOf(), 'a=1 b="x y"', [("a", "1"), ("b", "x y")]),
        (Uuid(), UUID, UUID),
        (Epoch("ns"), "-1999", -1),
        (Port(), "10.0.0.1:80", 80),
        (Port(), "10.0.0.1", None),
        (Host(), "::1:80", "::1"),
    ],
)
def test_parse_returns_the_value(field_type: FieldType, text: str, value: object) -> None:
    assert field_type.parse(text, TimestampContext()) == value
    column, sure = field_type.convert(pa.array([text, text]), TimestampContext())
    assert sure is None
    assert column.to_pylist()[0] == pa.array([value], field_type.arrow())[0].as_py()


@pytest.mark.parametrize(
    ("field_type", "text"),
    [
        (DecimalNumber(38, 0), "1" * 39),
        (DecimalNumber(38, 0), "1" * 400),
        (DecimalNumber(5, 2), "1e99999999999999999999"),
        (DecimalNumber(3, 2), "1.005"),
        (Uuid(), "é" * 18),
        (Integer(64), "9" * 5000),
        (Epoch("s"), "253402300800"),
        (JsonText(), "[" * 100_000),
        (ListOf(",", Integer(32)), "1,x"),
    ],
)
def test_parse_refuses_other_texts(field_type: FieldType, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        field_type.parse(text, TimestampContext())
    _, sure = field_type.convert(pa.array([text, text]), TimestampContext())
    assert sure is not None
    assert not sure.any()


# ------------------------------------------------------------------------------------------------- patterns


@st.composite
def stamps(draw: st.DrawFn) -> tuple[str, list[str], strategies.Options]:
    """A pattern and texts of it, some not quite; times without a year lie around the end of the time known."""
    pattern = draw(
        st.sampled_from(
            [*strategies.PATTERNS, "%b %d %H:%M:%S.%f", "%m-%d %I%p", "%j", "%d %B", "%H%M%S", "%y%m%d%H%M%S"]
        )
    )
    options = draw(strategies.options)._replace(year_bound=draw(st.sampled_from(BOUNDS)))
    walls = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2100, 1, 1))
    texts = [
        wall.strftime(pattern.replace("%z", "+0130").replace("%Z", "GMT")) for wall in draw(st.lists(walls, max_size=6))
    ]
    swap = st.sampled_from(
        [("0", ""), ("1", "3"), ("2", "9"), (" ", "  "), ("-", "/"), ("Feb", "FEB"), ("0", " "), (":", ""), ("5", "61")]
    )
    return pattern, [text.replace(*draw(swap), 1) if draw(st.booleans()) else text for text in texts], options


@given(stamps())
@thorough
def test_patterns_equal_the_reference_parser(case: tuple[str, list[str], strategies.Options]) -> None:
    pattern, texts, options = case
    bound_us = (options.year_bound - EPOCH) // dt.timedelta(microseconds=1)
    context, clock = TimestampContext(options.zone, bound_us), reference.Clock(options.tz, options.year_bound)
    for text in texts:
        try:
            expected = (
                reference.to_timestamp(text, reference.Type("timestamp", pattern), clock) - EPOCH
            ) // dt.timedelta(microseconds=1)
        except (ValueError, ArithmeticError):
            with pytest.raises(ValueError, match=r"\w"):
                Timestamp(pattern).parse(text, context)
        else:
            assert Timestamp(pattern).parse(text, context) == expected
    check(Timestamp(pattern), texts * 2, context)


# --------------------------------------------------------------------------------------------------- zones

times = st.integers(LOWEST_US, HIGHEST_US) | st.integers(-3_000_000_000_000_000, 4_000_000_000_000_000)


@given(st.lists(times, max_size=20), st.sampled_from(ZONES))
def test_local_to_utc_us_equals_python(walls: list[int], zone: str) -> None:
    expected = [datetime_to_utc_us(dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=wall), zone) for wall in walls]
    day = 86_400_000_000
    inner = [LOWEST_US + day <= wall <= HIGHEST_US - day for wall in walls]
    given_back = local_to_utc_us(np.array(walls, np.int64), zone).tolist()
    assert [one for one, keep in zip(given_back, inner, strict=True) if keep] == [
        one for one, keep in zip(expected, inner, strict=True) if keep
    ]


@given(
    st.lists(times.filter(lambda t: LOWEST_US + 2 * 86_400_000_000 < t < HIGHEST_US - 2 * 86_400_000_000) | st.none()),
    st.sampled_from(ZONES),
)
def test_utc_to_local_equals_python(instants: list[int | None], zone: str) -> None:
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    walls = utc_to_local(pa.array(instants, pa.timestamp("us", "UTC")), zone).to_pylist()
    assert walls == [
        None
        if one is None
        else (epoch + dt.timedelta(microseconds=one)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        for one in instants
    ]


def test_iso_timestamps_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        parse_iso_us("9999-12-31T23:59:59-01:00", "UTC")


# ------------------------------------------------------------------------------------------------- a schema's types


@pytest.mark.parametrize(
    ("own", "dtype", "becomes"),
    [
        (Text(), pa.int64(), Integer(64)),
        (Text(), pa.float32(), Floating(32)),
        (Text(), pa.timestamp("us", "UTC"), Timestamp()),
        (Text(), pa.decimal128(7, 3), DecimalNumber(7, 3)),
        (Quoted(), pa.bool_(), Boolean()),
        (Quoted(), pa.string(), Quoted()),
        (Integer(64), pa.int16(), Integer(16)),
        (Integer(32), pa.string(), Text()),
        (Floating(), pa.decimal128(5, 2), DecimalNumber(5, 2)),
        (Timestamp("%Y"), pa.timestamp("us"), Timestamp("%Y")),
        (Timestamp("%Y"), pa.date32(), Timestamp("%Y")),
        (Timestamp("%Y"), pa.string(), Text()),
        (Epoch("s"), pa.date32(), Epoch("s")),
        (ListOf(";"), pa.list_(pa.field("element", pa.int32())), ListOf(";", Integer(32))),
        (Port(), pa.int64(), Port(64)),
    ],
    ids=repr,
)
def test_retype_returns_the_type_for_a_schema(own: FieldType, dtype: pa.DataType, becomes: FieldType) -> None:
    assert retype(own, dtype, "c") == becomes


@pytest.mark.parametrize(
    ("own", "dtype"),
    [
        (Integer(32), pa.timestamp("us", "UTC")),
        (Timestamp(), pa.int64()),
        (Date(), pa.timestamp("us", "UTC")),
        (Boolean(), pa.int32()),
        (MapOf(), pa.map_(pa.string(), pa.int32())),
        (Text(), pa.binary()),
        (Text(), pa.list_(pa.field("element", pa.string()))),
        (ListOf(","), pa.list_(pa.field("element", pa.timestamp("us", "UTC")))),
        (Host(), pa.int32()),
        (Port(), pa.string()),
        (Port(), pa.float64()),
    ],
    ids=repr,
)
def test_retype_refuses_types_that_do_not_fit(own: FieldType, dtype: pa.DataType) -> None:
    with pytest.raises(SchemaError, match="'c'"):
        retype(own, dtype, "c")


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (pa.int8(), [7, None, 127, None]),
        (pa.int16(), [7, 300, 127, None]),
        (pa.float32(), [7.0, 300.0, 127.0, 0.5]),
        (pa.decimal128(4, 1), [Decimal("7.0"), Decimal("300.0"), Decimal("127.0"), Decimal("0.5")]),
    ],
)
def test_types_that_only_schemas_have(dtype: pa.DataType, values: list[object]) -> None:
    decoder = compile_decoder(FormatOptions("template", "{n} {m}"), pa.schema([pa.field("N", dtype)]))
    lines = next(read_lines(iter([b"7 x\n300 x\n127 x\n.5 x\n"])))
    decoded = decoder.decode(lines, TimestampContext())
    assert decoded.columns[0].to_pylist() == values
    corrupt = decoded.corrupt.tolist() if decoded.corrupt is not None else [False] * 4
    assert corrupt == [value is None for value in values]


@pytest.mark.parametrize(
    ("field_type", "json_kind", "bare_key_value"),
    [
        (Text(), "any", None),
        (Integer(32), "number", None),
        (Floating(), "number", None),
        (DecimalNumber(5, 2), "number", None),
        (Epoch("ms"), "number", None),
        (Boolean(), "boolean", True),
        (Date(), "string", None),
        (Timestamp(), "string", None),
    ],
)
def test_json_kind_and_value_of_a_bare_key(field_type: FieldType, json_kind: str, bare_key_value: bool | None) -> None:
    assert (field_type.json_kind, field_type.bare_key_value) == (json_kind, bare_key_value)


def test_descriptions_and_rendered_patterns() -> None:
    types = (Epoch("ms"), Timestamp(), Timestamp(None, None, "%Y"), Timestamp("%d"), Boolean())
    assert [(field_type.description, field_type.rendered_pattern) for field_type in types] == [
        ("a number of ms since the epoch", None),
        ("a time", None),
        ("a time", "%Y"),
        ("a time", "%d"),
        ("a value of type boolean", None),
    ]


def test_an_unknown_column_is_named_in_the_error() -> None:
    with pytest.raises(LogSourceError, match=r"'nope' is not in the format, which gives a, b"):
        compile_decoder(FormatOptions("template", "{a} {b}"), pa.schema([pa.field("nope", pa.string())]))


# --- validated text ---


@pytest.mark.parametrize("name", VALIDATED_TEXTS)
def test_validated_text_equals_the_reference(name: str) -> None:
    for text in [*ODD, *strategies.VALIDATED[name]]:
        try:
            expected = reference.CONVERT[name](text, reference.Type(name), reference.Clock(dt.timezone.utc, None))
        except ValueError:
            expected = None
        found = scalar(VALIDATED_TEXTS[name], text, TimestampContext())
        assert (None if found is None else found.as_py()) == expected, text


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("host", ["www.example.com 192.0.2.7", "CEF:0|Trend", '{"a":1}', "---", "<mail.notice>", "web:", "-", ""]),
        (
            "ip",
            [
                "www.example.com",
                "192.0.2",
                "192.0.2.7:80",
                "10:23:45",
                "[::1]",
                "256.1.1.1",
                "01.2.3.4",
                "1::2:",
            ],
        ),
        ("address", ["www.example.com 192.0.2.7:80", "::1:x", "[1::2:]:80", "a:123456", "[a]:80"]),
        ("class", ["org.example.Main: x", "(Main", "Main@1"]),
        ("word", ["a b", "a\tb", ""]),
    ],
)
def test_text_of_another_form_is_not_of_the_type(name: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(ValueError, match=f"not a value of type {name}"):
            VALIDATED_TEXTS[name].parse(text, TimestampContext())


@pytest.mark.parametrize("field_type", [*VALIDATED_TEXTS.values(), enumeration("P", "F")], ids=lambda one: one.notation)
@given(text=st.text("a0.:-_%[]~ \t(é→P", max_size=6))
def test_text_of_the_type_has_no_excluded_character(field_type: ValidatedText, text: str) -> None:
    if scalar(field_type, text, TimestampContext()) is not None:
        assert not any(field_type.excludes(character) for character in text)


@pytest.mark.parametrize(
    ("field_type", "text"),
    [
        (DecimalNumber(38, 18), "340282366920938463804"),
        (DecimalNumber(38, 18), "34028236692093846346.5"),
        (DecimalNumber(38, 30), "-3402823669"),
        (Epoch("s"), "3402823669209384634633746074317.5"),
    ],
)
def test_a_number_whose_scaled_digits_exceed_128_bits(field_type: FieldType, text: str) -> None:
    """Arrow's cast wraps around without an error."""
    try:
        expected = field_type.parse(text, TimestampContext())
    except ValueError:
        expected = None
    array, valid = field_type.convert(pa.array(["1", text]), TimestampContext())
    assert (valid is None or bool(valid[1])) == (expected is not None)
    if expected is not None:
        assert array[1].as_py() == expected
