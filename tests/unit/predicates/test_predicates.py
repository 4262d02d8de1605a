"""Predicates: evaluation follows three-valued logic, and pruning never loses a row that evaluation selects."""

from __future__ import annotations

import datetime as dt
import operator
import pickle
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.errors import SchemaError
from pyspark_logs.predicates import (
    Compare,
    Contains,
    EndsWith,
    In,
    IsNull,
    Not,
    Predicate,
    StartsWith,
    evaluate,
    possible_values,
    search_literals,
    supported,
    time_bounds,
    value_filter,
)

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
OPERATORS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def reference(predicate: Predicate, value: object) -> bool | None:
    """Evaluates a predicate in plain Python with SQL's logic; None is unknown."""
    if isinstance(predicate, Not):
        truth = reference(predicate.child, value)
        return None if truth is None else not truth
    if isinstance(predicate, IsNull):
        return value is None
    if isinstance(predicate, In):
        truths = [reference(Compare("", "=", one), value) for one in predicate.values]
        return True if True in truths else None if None in truths else False
    if isinstance(predicate, Compare) and predicate.op == "<=>":
        return value == predicate.value
    if value is None or predicate.value is None:
        return None
    left, right = (one.encode() if isinstance(one, str) else one for one in (value, predicate.value))
    if isinstance(predicate, Compare):
        return OPERATORS[predicate.op](left, right)
    if isinstance(predicate, Contains):
        return right in left
    return left.startswith(right) if isinstance(predicate, StartsWith) else left.endswith(right)


# A small alphabet makes equal values likely. Two of its characters sort differently in UTF-8 and UTF-16.
texts = st.text(alphabet="abé\uffff\U0001f600", max_size=3)
naive = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))
VALUES = {
    pa.string(): texts,
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-128, 127),
    pa.int16(): st.integers(-3, 3),
    pa.int32(): st.integers(-3, 3),
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
    pa.date32(): st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)) | st.just(dt.date(2026, 1, 1)),
    pa.timestamp("us", tz="UTC"): naive.map(lambda time: time.replace(tzinfo=UTC)) | st.just(EPOCH),
    pa.timestamp("us"): naive | st.just(dt.datetime(1969, 12, 31, 23, 59, 59, 999999)),
}


def predicates_on(column: str, values: st.SearchStrategy[object], matches: bool) -> st.SearchStrategy[Predicate]:
    nullable = values | st.none()
    leaves = [
        st.builds(Compare, st.just(column), st.sampled_from([*OPERATORS, "<=>"]), nullable),
        st.builds(In, st.just(column), st.lists(nullable, min_size=1, max_size=3).map(tuple)),
        st.builds(IsNull, st.just(column)),
    ]
    if matches:
        leaves += [st.builds(kind, st.just(column), values) for kind in (StartsWith, EndsWith, Contains)]
    leaf = st.one_of(leaves)
    return leaf | leaf.map(Not) | leaf.map(lambda child: Not(Not(child)))


@st.composite
def columns_and_predicates(draw: st.DrawFn) -> tuple[dict[str, tuple[pa.DataType, list]], list[Predicate]]:
    rows = draw(st.integers(0, 5))
    columns, conjunction = {}, []
    for name in "xy":
        column_type = draw(st.sampled_from(list(VALUES)))
        pool = draw(st.lists(VALUES[column_type], min_size=1, max_size=3))
        values = st.sampled_from(pool) | VALUES[column_type]
        columns[name] = column_type, draw(st.lists(values | st.none(), min_size=rows, max_size=rows))
        conjunction += draw(st.lists(predicates_on(name, values, pa.types.is_string(column_type)), max_size=2))
    return columns, conjunction


@given(columns_and_predicates(), st.integers(0, 2))
def test_evaluate_is_three_valued_logic(drawn: tuple[dict, list[Predicate]], offset: int) -> None:
    columns, conjunction = drawn
    # Sliced arrays: Arrow kernels have had bugs with offsets.
    arrays = {
        name: pa.array([None] * offset + values, column_type).slice(offset)
        for name, (column_type, values) in columns.items()
    }
    assert all(supported(predicate, columns[predicate.column][0]) for predicate in conjunction)
    got = evaluate(conjunction, arrays)
    assert got.type == pa.bool_()
    expected = []
    for row in range(len(arrays["x"])):
        truths = [reference(predicate, columns[predicate.column][1][row]) for predicate in conjunction]
        expected.append(False if False in truths else None if None in truths else True)
    assert got.to_pylist() == expected
    assert pickle.loads(pickle.dumps(conjunction)) == conjunction


def test_without_predicates_every_row_is_selected() -> None:
    assert evaluate([], {"x": pa.array([1, None])}).to_pylist() == [True, True]
    assert evaluate([], {}).to_pylist() == []


def test_an_empty_in_is_false() -> None:
    assert evaluate([In("x", ())], {"x": pa.array(["a", None])}).to_pylist() == [False, False]
    assert value_filter([In("x", ())], "x")(None) is False


@pytest.mark.parametrize(
    ("predicate", "column_type"),
    [
        (Compare("x", "=", 1.5), pa.float64()),
        (IsNull("x"), pa.float32()),
        (Compare("x", "=", 1), pa.decimal128(10, 0)),
        (Compare("x", "=", b"a"), pa.binary()),
        (IsNull("x"), pa.list_(pa.string())),
        (IsNull("x"), pa.struct([("a", pa.string())])),
        (Compare("x", "=", "a"), pa.large_string()),
        (Compare("x", "=", 1), pa.uint8()),
        (Compare("x", "=", EPOCH), pa.timestamp("ms", tz="UTC")),
        (Compare("x", "=", EPOCH), pa.timestamp("us", tz="Europe/Berlin")),
        (Compare("x", "=", EPOCH), pa.timestamp("us")),
        (Compare("x", "=", dt.datetime(2026, 1, 1)), pa.timestamp("us", tz="UTC")),
        (Compare("x", "=", dt.datetime(2026, 1, 1)), pa.date32()),
        (Compare("x", "=", dt.date(2026, 1, 1)), pa.timestamp("us")),
        (Compare("x", "=", True), pa.int8()),
        (Compare("x", "=", 1), pa.bool_()),
        (Compare("x", "=", 128), pa.int8()),
        (Compare("x", "=", 1), pa.string()),
        (Compare("x", "=", "\ud800"), pa.string()),
        (In("x", ("a", 1)), pa.string()),
        (In("x", ()), pa.string()),
        (StartsWith("x", "a"), pa.int8()),
        (Not(Contains("x", "a")), pa.date32()),
    ],
)
def test_unsupported_types_and_literals(predicate: Predicate, column_type: pa.DataType) -> None:
    assert not supported(predicate, column_type)


def test_a_literal_of_another_type_is_an_error() -> None:
    with pytest.raises(SchemaError, match="column of type int8 with 'a'"):
        evaluate([Compare("x", "=", "a")], {"x": pa.array([1], pa.int8())})


# Time ranges.


def epoch_us(text: str) -> int:
    return (dt.datetime.fromisoformat(text) - EPOCH) // dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("predicates", "bounds"),
    [
        ([], (None, None)),
        ([IsNull("ts"), Not(IsNull("ts"))], (None, None)),
        ([Compare("ts", "=", None), In("ts", (None,))], (None, None)),
        ([Compare("ts", ">=", EPOCH)], (0, None)),
        ([Compare("ts", ">", EPOCH)], (1, None)),
        ([Compare("ts", "<", EPOCH)], (None, 0)),
        ([Compare("ts", "<=", EPOCH)], (None, 1)),
        ([Compare("ts", "=", EPOCH)], (0, 1)),
        ([Compare("ts", "<=>", EPOCH)], (0, 1)),
        ([Not(Compare("ts", "=", EPOCH))], (None, None)),
        ([Not(Compare("ts", "<", EPOCH)), Not(Compare("ts", ">", EPOCH))], (0, 1)),
        ([Not(Not(Compare("ts", "<", EPOCH)))], (None, 0)),
        ([In("ts", (EPOCH.replace(year=1971), None, EPOCH))], (0, 365 * 86400 * 10**6 + 1)),
        ([Compare("ts", ">", EPOCH.replace(year=1971)), Compare("ts", "<", EPOCH)], (365 * 86400 * 10**6 + 1, 0)),
        ([Compare("other", ">", EPOCH), Compare("ts", "=", "text"), In("ts", (EPOCH, 1))], (None, None)),
    ],
)
def test_time_bounds(predicates: list[Predicate], bounds: tuple[int | None, int | None]) -> None:
    assert time_bounds(predicates, "ts") == bounds


def test_wall_clock_bounds_cover_both_instants_of_an_ambiguous_time() -> None:
    twice = [Compare("ts", "=", dt.datetime(2026, 10, 25, 2, 30))]
    assert time_bounds(twice, "ts", "Europe/Berlin") == (
        epoch_us("2026-10-25T02:30:00+02:00"),
        epoch_us("2026-10-25T02:30:00+01:00") + 1,
    )
    once = [Compare("ts", "=", dt.datetime(2026, 7, 1))]
    assert time_bounds(once, "ts", "Europe/Berlin") == (
        epoch_us("2026-07-01T00:00:00+02:00"),
        epoch_us("2026-07-01T00:00:00+02:00") + 1,
    )


# Zones whose offset changes by an hour, by half an hour, by a day, and never.
ZONES = ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "UTC"]
OFFSET_CHANGES = [
    dt.datetime(2026, 3, 29, 1),
    dt.datetime(2026, 10, 25, 1),
    dt.datetime(2011, 12, 30, 10),
    dt.datetime(2026, 4, 4, 15),
]
near_offset_changes = st.builds(
    lambda change, minutes: change + dt.timedelta(minutes=minutes),
    st.sampled_from(OFFSET_CHANGES),
    st.integers(-2000, 2000),
)


@given(
    st.sampled_from(ZONES),
    near_offset_changes,
    near_offset_changes,
    st.sampled_from([*OPERATORS, "<=>"]),
    st.booleans(),
)
def test_wall_clock_bounds_contain_every_selected_instant(
    zone: str, literal: dt.datetime, time: dt.datetime, op: str, negated: bool
) -> None:
    instant = time.replace(tzinfo=UTC)
    wall = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    predicate: Predicate = Compare("ts", op, literal)
    predicate = Not(predicate) if negated else predicate
    start, end = time_bounds([predicate], "ts", zone)
    instant_us = (instant - EPOCH) // dt.timedelta(microseconds=1)
    if reference(predicate, wall):
        assert start is None or start <= instant_us
        assert end is None or instant_us < end


# Partition values.


@given(st.lists(predicates_on("x", texts, True), max_size=3), texts | st.none())
def test_value_filter_accepts_the_values_that_evaluate_selects(conjunction: list[Predicate], value: str | None) -> None:
    (kept,) = evaluate(conjunction, {"x": pa.array([value], pa.string())}).to_pylist()
    assert value_filter(conjunction, "x")(value) is bool(kept)
    possible = possible_values(conjunction, "x")
    if kept and possible is not None:
        assert value in possible
    assert all(value_filter(conjunction, "x")(one) for one in possible or ())


def test_possible_values() -> None:
    assert possible_values([], "x") is None
    assert possible_values([Compare("y", "=", "a"), StartsWith("x", "a"), Compare("x", "<=>", None)], "x") is None
    assert possible_values([Compare("x", "<=>", "a")], "x") == ("a",)
    assert possible_values([Compare("x", "=", None)], "x") == ()
    assert possible_values([In("x", ("b", "a", "b")), Compare("x", "<", "b")], "x") == ("a",)


def test_literals_that_are_not_strings_prune_no_path() -> None:
    # The column may be a cast of the text in the path: `part=007` is 7.
    predicates = [Compare("x", "=", 7), Not(In("x", (1, None)))]
    assert value_filter(predicates, "x")("007")
    assert possible_values(predicates, "x") is None


# Raw search.


def test_search_literals() -> None:
    predicates = [
        Not(IsNull("level")),
        In("level", ("ERROR", "FATAL", None, "ERROR")),
        Compare("path", "<=>", "/é"),
        Contains("message", "timed out"),
        Compare("message", "=", "a\\b"),
    ]
    assert search_literals(predicates, ["level", "path"], ["message"]) == (
        (b"timed out", b"\\"),
        (b"ERROR", b"FATAL"),
        ("/é".encode(),),
        (b"a\\b", b"\\"),
    )
    assert search_literals(predicates, ["level"], max_alternatives=1) == ()


@pytest.mark.parametrize(
    "predicate",
    [
        Compare("x", "=", ""),
        Compare("x", "=", None),
        Compare("x", "<=>", None),
        Compare("x", "=", 5),
        Compare("x", "<", "a"),
        In("x", ("a", "")),
        In("x", (None,)),
        In("x", tuple("abcde")),
        IsNull("x"),
        Not(Compare("x", "=", "a")),
        Contains("x", "a\nb"),
        Contains("x", "a\r"),
        Contains("x", "a\ufffd"),
        Contains("x", "\ud800"),
        Contains("hidden", "a"),
    ],
)
def test_predicates_without_search_literals(predicate: Predicate) -> None:
    assert search_literals([predicate], ["x"]) == ()
    assert search_literals([predicate], [], ["x"]) == ()


@given(st.lists(predicates_on("x", texts, True), max_size=3), texts)
def test_every_selected_row_contains_a_literal(conjunction: list[Predicate], value: str) -> None:
    (kept,) = evaluate(conjunction, {"x": pa.array([value], pa.string())}).to_pylist()
    if kept:
        line = f"2026 [{value}] tail".encode()
        for alternatives in search_literals(conjunction, ["x"]):
            assert any(literal in line for literal in alternatives)


def test_strings_compare_by_their_utf8_bytes() -> None:
    # The order in UTF-16 is the reverse.
    assert pc.less(pa.array(["\uffff"]), pa.scalar("\U0001f600")).to_pylist() == [True]
