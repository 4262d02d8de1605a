"""Conditions compared with a reference, their errors, and the predicates that they imply."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.conditions import BoundCondition, parse_condition, parse_where
from pyspark_logs.errors import OptionError
from pyspark_logs.predicates import (
    And,
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
    restrict,
    search_literals,
    supported,
    time_bounds,
    value_filter,
)
from tests.reference.conditions import rows, truth
from tests.support.conditions import COLUMNS, condition, sql, table

TABLE = table(rows=150).combine_chunks()
ROWS = rows(TABLE)
NAMED = {name: TABLE[name].combine_chunks() for name in TABLE.column_names}
ZONES = ["UTC", "Asia/Beirut", "America/Sao_Paulo"]
SCHEMA = pa.schema([("level", pa.string()), ("n", pa.int32()), ("ts", pa.timestamp("us", "UTC")), ("ok", pa.bool_()),
                    ("day", pa.date32()), ("w", pa.timestamp("us")), ("x", pa.float64()), ("a.b", pa.string()),
                    ("r", pa.struct([("Status", pa.int64()), ("who", pa.struct([("id", pa.string())]))])),
                    ("tags", pa.list_(pa.string())), ("e", pa.decimal128(38, 0))])  # fmt: skip


def bind(text: str, zone: str = "UTC") -> BoundCondition:
    return parse_condition(text, zone).bind(SCHEMA)


@given(st.integers(0, 1 << 40), st.sampled_from(ZONES))
def test_the_truth_of_each_row_is_that_of_the_reference(seed: int, zone: str) -> None:
    tree = condition(Random(seed))
    bound = parse_condition(sql(tree), zone).bind(TABLE.schema)
    found = bound.evaluate(NAMED, len(ROWS)).to_pylist()
    assert found == [truth(tree, row, zone) for row in ROWS], sql(tree)


@given(st.integers(0, 1 << 40), st.sampled_from(ZONES))
def test_implied_predicates_hold_wherever_the_condition_is_true(seed: int, zone: str) -> None:
    bound = parse_condition(sql(condition(Random(seed))), zone).bind(TABLE.schema)
    implied = bound.implied()
    if implied is None:
        return
    selected = [found is True for found in bound.evaluate(NAMED, len(ROWS)).to_pylist()]
    holds = evaluate([implied], NAMED).to_pylist()
    assert all(held is True for held, is_selected in zip(holds, selected, strict=True) if is_selected)
    start, end = time_bounds([implied], "ts", zone)
    can_match, values = value_filter([implied], "s"), possible_values([implied], "s")
    groups = search_literals([implied], ["s", "t"])
    for row, is_selected in zip(ROWS, selected, strict=True):
        if not is_selected:
            continue
        if row["ts"] is not None:
            instant = (row["ts"] - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)) // dt.timedelta(microseconds=1)
            assert start is None or instant >= start
            assert end is None or instant < end
        assert can_match(row["s"])
        assert values is None or row["s"] in values
        line = ((row["s"] or "") + "\0" + (row["t"] or "")).encode()
        assert all(any(text in line for text in alternatives) for alternatives in groups)
    for name, (dtype, _) in COLUMNS.items():
        one = restrict(implied, name)
        assert one is None or supported(one, dtype)


@pytest.mark.parametrize(
    ("text", "implied"),
    [
        ("level = 'E' AND 5 < n", And((Compare("level", "=", "E"), Compare("n", ">", 5)))),
        ("NOT (level = 'E' OR n IS NULL)", And((Not(Compare("level", "=", "E")), Not(IsNull("n"))))),
        ("level LIKE 'a%b_c%'", And((StartsWith("level", "a"), Contains("level", "b"), Contains("level", "c")))),
        ("level LIKE 'a%b'", And((StartsWith("level", "a"), EndsWith("level", "b")))),
        ("level NOT LIKE '%a%'", Not(Contains("level", "a"))),
        ("level NOT LIKE 'a%b'", None),
        ("ok", Compare("ok", "=", True)),
        ("NOT ok", Compare("ok", "=", False)),
        ("n = '5'", Compare("n", "=", 5)),
        ("n > 5.5", None),
        ("n = 3000000000", None),
        ("x = 1D OR level = 'E'", None),
        ("r.status = 5 AND level IN ('a', NULL)", And((In("level", ("a", None)),))),
    ],
)
def test_predicates_that_conditions_imply(text: str, implied: Predicate | None) -> None:
    assert bind(text).implied() == implied


def test_an_or_prunes_by_what_all_its_sides_have() -> None:
    text = "(level = 'ERROR' AND ts < TIMESTAMP '2026-01-02') OR (level LIKE 'FATAL%' AND ts BETWEEN '2026-01-03' AND '2026-01-04')"
    implied = bind(text).implied()
    start, end = time_bounds([implied], "ts")
    assert start is None
    assert end == int(dt.datetime(2026, 1, 4, tzinfo=dt.timezone.utc).timestamp()) * 1_000_000 + 1
    assert search_literals([implied], ["level"]) == ((b"ERROR", b"FATAL"),)
    can_match = value_filter([implied], "level")
    assert [can_match(value) for value in ("ERROR", "FATAL1", "INFO", None)] == [True, True, False, False]
    assert possible_values([bind("level = 'a' OR level IN ('b', NULL)").implied()], "level") == ("a", "b")


VALUES = {
    "level": "Error", "n": 5, "ts": dt.datetime(2026, 1, 2, tzinfo=dt.timezone.utc), "ok": None, "day": dt.date(2026, 1, 2),
    "w": dt.datetime(2026, 1, 2), "x": 0.5, "a.b": "q", "r": {"Status": 404, "who": {"id": "u"}}, "tags": ["t"], "e": Decimal(7),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LEVEL == 'Error'", True),
        ("level = 'ERROR'", False),
        ("`a.b` = 'q' and `level` <> 'x'", True),
        ("r.status >= 400 AND r.who.ID = 'u'", True),
        ("r.who IS NULL OR tags IS NULL", False),
        ("not not n = 5", True),
        ("! n = 5", False),
        ("n NOT IN (1, 2)", True),
        ("n NOT IN (1, NULL)", None),
        ("n NOT BETWEEN 6 AND 7", True),
        ("n IN ('5', '6')", True),
        ("n > '-1'", True),
        ("x = '0.5'", True),
        ("n = 5L AND n = 5S AND n = 5Y AND n = 5.0BD AND n = 5F", True),
        ("n = -(5)", "expected"),
        ("ok", None),
        ("NOT ok", None),
        ("ok IS UNKNOWN AND ok IS NOT TRUE", True),
        ("ok IS DISTINCT FROM true", True),
        ("ok = 'yes'", None),
        ("level LIKE 'Err%' AND level NOT LIKE '%E'", True),
        ("level LIKE 'E_r!or' ESCAPE '!'", "escape"),
        ("level LIKE '%rr__'", True),
        ("level RLIKE r'^E\\w+$' AND level REGEXP 'rr'", True),
        ("level LIKE NULL", None),
        ("level = NULL", None),
        (r"level < '\uD83D\uDE00' AND level < '\U0001F600' AND '\uD83D\uDE00' = '\U0001F600'", True),
        (r"level = 'x\uD83D'", "surrogate pair"),
        (r"level LIKE '\uDE00\uD83D'", "surrogate pair"),
        (r"level = '\U00110000'", "is not a character"),
        (r"level = '\UFFFFFFFF'", "is not a character"),
        ("NULL IS NULL", True),
        ("level <=> NULL", False),
        ("NULL", None),
        ("1 = 1", True),
        ("'a' 'b' = 'ab'", True),
        ('level = "Error"', True),
        ("ts = '2026-01-02' AND ts > DATE '2026-01-01' AND ts <= '2026-01-02 00:00:00.0000009'", True),
        ("ts = TIMESTAMP '2026-01-02 02:00:00+02:00' AND ts = TIMESTAMP_LTZ '2026-01-02T01:00:00 Europe/Berlin'", True),
        ("day = '2026-1-2' AND day < TIMESTAMP '2026-01-02 00:00:01'", True),
        ("w = TIMESTAMP_NTZ '2026-01-02' AND w = '2026-01-02' AND w = DATE '2026-01-02' AND w = TIMESTAMP '2026-01-02'", True),
        ("e = 7 AND e < 7.0D + 1", "AND, OR or the end"),
        ("e = 0.5", "38 digits"),
        ("e > 6.5D", True),
        ("level = 5", "Quote the literal"),
        ("level > DATE '2026-01-01'", "Quote the literal"),
        ("n = 'five'", "not of type bigint"),
        ("n = '1.5'", "not of type bigint"),
        ("n = true", "int cannot be compared with boolean"),
        ("ts > 5", "timestamp cannot be compared with int"),
        ("tags = 'x'", "only IS NULL"),
        ("r = 'x'", "only IS NULL"),
        ("r.nothing = 'x'", "there is no column 'r.nothing' (there are: Status, who)"),
        ("n", "is not a condition"),
        ("'x'", "is not a condition"),
        ("n LIKE '5'", "string column"),
        ("level LIKE 'a\\\\'", "ends the pattern"),
        ("level LIKE 'a\\\\bc'", "needs no escape"),
        ("level LIKE other", "quoted pattern"),
        ("level LIKE 'a' ESCAPE 'xy'", "one quoted character"),
        ("level RLIKE '(?=x)'", "RE2"),
        ("DATE '2026-02-30' = day", "expected a date"),
        ("ts > TIMESTAMP 'now'", "expected a time"),
        ("w > TIMESTAMP_NTZ '2026-01-01Z'", "expected a time"),
        ("n IN ()", "expected a column or a literal"),
        ("n = 5 level = 'x'", "at position 7, \"level = 'x'\": expected AND, OR or the end"),
        ("n = 5 AND", "at position 10, the end: expected a column"),
        ("(n = 5", "expected ')'"),
        ("(n = 5) = true", "cannot be compared"),
        ("n = 5 = 5", "cannot be compared"),
        ("n NOT = 5", "expected IN, BETWEEN, LIKE or RLIKE"),
        ("n IS 5", "expected NULL, TRUE"),
        ("upper(level) = 'X'", "upper is a function"),
        ("level = 'x", "the string is not closed"),
        ("n = 5; DROP TABLE x", "cannot be read"),
        ("n = 300Y", "too large for its suffix"),
        ("n = 1.5L", "whole number"),
        ("n = 1" + "0" * 40, "38 digits"),
        ("(" * 2000 + "n = 5" + ")" * 2000, "nested too deeply"),
    ],
)  # fmt: skip
def test_a_condition_is_true_false_unknown_or_an_error(text: str, expected: bool | str | None) -> None:
    if isinstance(expected, str):
        with pytest.raises(OptionError) as caught:
            bind(text)
        assert expected in str(caught.value)
        assert "option 'where'" in str(caught.value)
        return
    columns = {field.name: pa.array([VALUES[field.name]], field.type) for field in SCHEMA}
    assert bind(text).evaluate(columns, 1).to_pylist() == [expected]


def test_wall_clock_and_instant_are_compared_in_utc_only() -> None:
    with pytest.raises(OptionError, match="write TIMESTAMP_NTZ"):
        bind("w > ts", "Europe/Berlin")


def test_the_types_of_unknown_columns_follow_the_literals() -> None:
    text = "a = 1 AND b > 1.5 AND c IN ('x', NULL) AND d >= DATE '2026-01-01' AND e AND f IS NULL AND g = 1 AND G = 'x' AND h.i = 1 AND H = 1"
    assert parse_condition(text, "UTC").column_types() == {
        "a": pa.float64(), "b": pa.float64(), "c": pa.string(), "d": pa.date32(), "e": pa.bool_(), "f": pa.string(), "g": None, "h": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("n > 9007199254740991", pa.float64()),
        ("n > -9007199254740992", pa.int64()),
        ("n IN (1, 9007199254740993)", pa.int64()),
        ("n > 5 AND n < 9007199254740993", pa.int64()),
        ("n > 1 AND n < 1.5", pa.float64()),
        ("n IN (1, 1.5, NULL)", pa.float64()),
        ("n > 1.5 AND n < 9007199254740993", None),
    ],
)
def test_an_unknown_column_of_numbers_is_double_where_this_is_exact(text: str, dtype: pa.DataType | None) -> None:
    assert parse_condition(text, "UTC").column_types() == {"n": dtype}


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("level = NULL", 9),
        ("level != NULL", 10),
        ("NOT (n > 1 AND null <> level)", 16),
        ("n < 1 OR level IN ('a', NULL)", 25),
        ("level NOT IN (NULL)", 15),
        ("n BETWEEN NULL AND 5", 11),
        ("level LIKE NULL", 12),
        ("level RLIKE (NULL)", 14),
        ("level <=> NULL AND level IS NOT NULL OR NULL", None),
        ("level IS DISTINCT FROM NULL", None),
    ],
)
def test_the_option_refuses_comparisons_with_null(text: str, position: int | None) -> None:
    if position is None:
        assert parse_where(text, "UTC").text == text
        return
    with pytest.raises(
        OptionError, match=rf"at position {position}, '(?i:null).*: in SQL, a comparison with NULL is true of no row"
    ):
        parse_where(text, "UTC")
