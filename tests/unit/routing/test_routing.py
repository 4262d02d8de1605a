"""Routing: every row to the directory that its layout says, and back; what cannot be written is refused by name."""

from __future__ import annotations

import datetime as dt
import decimal
import pickle
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.errors import OptionError, RecordError, SchemaError
from pyspark_logs.layout import Layout, hive_layout, is_hidden_key
from pyspark_logs.path_columns import path_value
from pyspark_logs.routing import Router

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", tz="UTC")


def us(time: dt.datetime) -> int:
    return (time.replace(tzinfo=time.tzinfo or UTC) - EPOCH) // dt.timedelta(microseconds=1)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def routed(layout: Layout | str, batch: pa.RecordBatch, *args: Any, **kwargs: Any) -> dict[str, list[int]]:
    """Directory to its rows; each directory may come once only."""
    layout = Layout.parse(layout) if isinstance(layout, str) else layout
    found: dict[str, list[int]] = {}
    for directory, rows in Router(layout, batch.schema, *args, **kwargs).route(batch):
        assert directory not in found
        found[directory] = list(range(batch.num_rows)) if rows is None else rows.to_pylist()
    return found


def times(*texts: str, dtype: pa.DataType = INSTANT) -> pa.Array:
    return pa.array([utc(text) for text in texts], INSTANT).cast(dtype)


class TestGroups:
    def test_no_layout_is_one_directory(self) -> None:
        batch = pa.record_batch({"m": ["a", "b"]})
        assert list(Router(hive_layout([]), batch.schema).route(batch)) == [("", None)]

    def test_one_directory_takes_all_rows_as_they_are(self) -> None:
        batch = pa.record_batch({"ts": times("2026-11-22T06:00", "2026-11-22T06:59:59.999999"), "m": ["a", "b"]})
        assert list(Router(Layout.parse("{yyyy}/{MM}/{dd}/{HH}"), batch.schema).route(batch)) == [
            ("2026/11/22/06", None)
        ]

    def test_no_rows_no_directory(self) -> None:
        batch = pa.record_batch({"m": pa.array([], pa.string())})
        assert list(Router(Layout.parse("{m}"), batch.schema).route(batch)) == []

    def test_directories_come_in_order_of_their_first_rows_and_rows_stay_in_order(self) -> None:
        batch = pa.record_batch(
            {
                "ts": times("2026-11-22T07:00", "2026-11-22T06:59", "2026-11-22T07:30", "2026-11-22T06:00"),
                "team": ["web", "ops", "web", "web"],
            }
        )
        found = routed("{team}/{yyyy-MM-dd}/{HH}", batch)
        assert list(found.items()) == [
            ("web/2026-11-22/07", [0, 2]),
            ("ops/2026-11-22/06", [1]),
            ("web/2026-11-22/06", [3]),
        ]

    def test_a_slice_of_a_batch_counts_from_its_own_first_row(self) -> None:
        batch = pa.record_batch({"k": ["a", "b", "a", "c"]}).slice(1)
        assert routed("{k}", batch) == {"b": [0], "a": [1], "c": [2]}

    def test_many_values_of_many_columns(self) -> None:
        # Five columns of 1,500 values each: more combinations than 64 bits count.
        names = ["a", "b", "c", "d", "e", "f"]
        rows = 1_500
        batch = pa.record_batch({name: [str(row) for row in range(rows)] for name in names})
        assert routed(hive_layout(names), batch) == {
            "/".join(f"{name}={row}" for name in names): [row] for row in range(rows)
        }

    def test_more_directories_than_are_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pyspark_logs.routing.MAX_CACHED_DIRECTORIES", 2)
        batch = pa.record_batch({"k": ["a", "b", "c", "d", "e", "a"]})
        router = Router(Layout.parse("{k}"), batch.schema)
        for _ in range(2):
            assert [directory for directory, _ in router.route(batch)] == ["a", "b", "c", "d", "e"]
        assert len(router._directories) <= 2

    def test_a_directory_of_the_batch_before(self) -> None:
        batch = pa.record_batch({"k": ["a", "b"]})
        router = Router(Layout.parse("{k}"), batch.schema)
        for part in (batch, batch.slice(1), batch):
            found = [(name, rows and rows.to_pylist()) for name, rows in router.route(part)]
            assert found == ([("b", None)] if len(part) == 1 else [("a", [0]), ("b", [1])])

    def test_it_travels(self) -> None:
        batch = pa.record_batch({"k": ["a", "b"], "ts": times("2026-11-22T06:00", "2026-11-22T06:01")})
        router = pickle.loads(pickle.dumps(Router(Layout.parse("{k}/{yyyy}"), batch.schema)))
        assert [directory for directory, _ in router.route(batch)] == ["a/2026", "b/2026"]


class TestColumns:
    SCHEMA = pa.schema([("Team", pa.string()), ("m", pa.string()), ("at", INSTANT), ("ts", INSTANT)])

    def test_what_the_path_has(self) -> None:
        router = Router(Layout.parse("{team}/{yyyy}"), self.SCHEMA)
        assert router.columns_in_path == ("Team",)
        assert router.time_column == "at"
        assert Router(Layout.parse("{yyyy}"), self.SCHEMA, "TS").time_column == "ts"
        assert Router(Layout.parse("{team}"), self.SCHEMA, "nothing").time_column is None

    def test_the_very_name_goes_before_one_in_another_case(self) -> None:
        batch = pa.record_batch([pa.array(["1"]), pa.array(["2"])], names=["K", "k"])
        assert routed("{k}", batch) == {"2": [0]}

    @pytest.mark.parametrize(
        ("layout", "time_column", "error", "says"),
        [
            ("{team}/*/{yyyy}", None, OptionError, "cannot be written: '\\*' has no value"),
            ("{team}.{yyyy-MM-dd}", None, OptionError, "cannot be written: its last segment is a file name"),
            ("{team}/app.{yyyy}.log", None, OptionError, "cannot be written"),
            ("{service}/{yyyy}", None, SchemaError, "column 'service' is not in the data; its columns are Team, m, at, ts"),
            ("{yyyy}", "when", OptionError, r"column 'when' is not in the data \(timestamps are: at, ts\)"),
            ("{yyyy}", "m", OptionError, r"'timeColumn': 'm' is of type string, not a timestamp \(timestamps are: at, ts\)"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_written_is_said_before_any_row(
        self, layout: str, time_column: str | None, error: type[Exception], says: str
    ) -> None:
        with pytest.raises(error, match=says):
            Router(Layout.parse(layout), self.SCHEMA, time_column)

    def test_time_needs_a_timestamp(self) -> None:
        with pytest.raises(OptionError, match="has time tokens, but no column is a timestamp"):
            Router(Layout.parse("{yyyy}"), pa.schema([("m", pa.string())]))

    @pytest.mark.parametrize(
        "dtype",
        [
            pa.list_(pa.string()),
            pa.binary(),
            pa.struct([("a", pa.string())]),
            pa.map_(pa.string(), pa.string()),
            pa.timestamp("us"),
            pa.timestamp("ns", tz="UTC"),
        ],
    )
    def test_a_type_without_a_text(self, dtype: pa.DataType) -> None:
        with pytest.raises(SchemaError, match=r"'k' of type .* cannot be written to a path; cast it to string"):
            Router(Layout.parse("{k}"), pa.schema([("k", dtype)]))

    def test_a_name_with_a_dot_that_is_no_field_is_a_directory(self) -> None:
        assert routed("{k}/v1.d", pa.record_batch({"k": ["a"]})) == {"a/v1.d": [0]}


class TestClocks:
    @pytest.mark.parametrize(
        ("zone", "instant", "directory"),
        [
            ("UTC", "2026-11-22T06:00", "2026-11-22/06"),
            ("Asia/Kolkata", "2026-11-22T18:29:59", "2026-11-22/23"),
            ("Asia/Kolkata", "2026-11-22T18:30", "2026-11-23/00"),
            ("Europe/Berlin", "2026-03-29T00:59:59", "2026-03-29/01"),
            ("Europe/Berlin", "2026-03-29T01:00", "2026-03-29/03"),
            ("Europe/Berlin", "2026-10-25T00:30", "2026-10-25/02"),
            ("Europe/Berlin", "2026-10-25T01:30", "2026-10-25/02"),
            # Clocks that were changed at one minute past midnight, back into the day before.
            ("America/St_Johns", "2009-11-01T02:30:30", "2009-11-01/00"),
            ("America/St_Johns", "2009-11-01T02:31:30", "2009-10-31/23"),
            # Until 1972 the clock was 44 minutes and 30 seconds behind.
            ("Africa/Monrovia", "1971-06-01T00:44:29", "1971-05-31/23"),
            ("Africa/Monrovia", "1971-06-01T00:44:30", "1971-06-01/00"),
            ("UTC", "0001-01-02T00:00", "0001-01-02/00"),
            ("UTC", "9998-12-30T23:59", "9998-12-30/23"),
        ],
    )
    def test_time_is_read_by_a_clock_in_the_zone(self, zone: str, instant: str, directory: str) -> None:
        batch = pa.record_batch({"ts": times(instant)})
        assert routed(Layout.parse("{yyyy-MM-dd}/{HH}", zone), batch) == {directory: [0]}

    def test_a_minute_in_which_the_clock_moves_on(self) -> None:
        batch = pa.record_batch({"ts": times("1971-06-01T00:44:31", "1971-06-01T00:44:29", "1971-06-01T00:44:30")})
        assert routed(Layout.parse("{yyyyMMdd}", "Africa/Monrovia"), batch) == {"19710601": [0, 2], "19710531": [1]}

    def test_a_time_without_a_zone_is_on_the_clock_already(self) -> None:
        # 02:30 was skipped in Berlin.
        walls = times("2026-03-29T02:30", "2026-03-29T03:30", dtype=pa.timestamp("us"))
        batch = pa.record_batch({"ts": walls})
        assert routed(Layout.parse("{yyyy-MM-dd}/{HH}", "Europe/Berlin"), batch) == {
            "2026-03-29/02": [0],
            "2026-03-29/03": [1],
        }

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_every_unit(self, unit: str) -> None:
        batch = pa.record_batch(
            {"ts": times("1969-12-31T23:59:59", "1970-01-01T00:00", dtype=pa.timestamp(unit, "UTC"))}
        )
        assert routed("{yyyy}", batch) == {"1969": [0], "1970": [1]}

    def test_a_nanosecond_before_is_before(self) -> None:
        batch = pa.record_batch({"ts": pa.array([-1, 0], pa.timestamp("ns", "UTC"))})
        assert routed("{yyyy}", batch) == {"1969": [0], "1970": [1]}

    def test_a_row_without_a_time_is_refused(self) -> None:
        batch = pa.record_batch({"ts": pa.array([0, 1, None, 2, None], INSTANT)})
        for way in ("fail", "null", "space"):
            with pytest.raises(
                RecordError, match=r"'ts' is null in 2 of 5 rows \(first in row 2\), and layout .* needs a time"
            ):
                routed("{yyyy}", batch, on_unwritable=way)

    @pytest.mark.parametrize(
        ("number", "unit"), [(2**62, "s"), (-(2**62), "ms"), (2**62, "us"), (253_370_764_800, "s")]
    )
    def test_a_time_beyond_the_calendar_is_refused(self, number: int, unit: str) -> None:
        batch = pa.record_batch({"ts": pa.array([0, number], pa.timestamp(unit, "UTC"))})
        with pytest.raises(RecordError, match="'ts', row 1: the time is not between the years 1 and 9998"):
            routed("{yyyy}", batch)


class TestValues:
    @pytest.mark.parametrize(
        ("value", "directory"),
        [
            ("ops", "k=ops"),
            ("..", "k=.."),
            ("a/../b", "k=a%2F..%2Fb"),
            (None, "k=__HIVE_DEFAULT_PARTITION__"),
            ("__HIVE_DEFAULT_PARTITION__", "k=%5F_HIVE_DEFAULT_PARTITION__"),
            ("x._COPYING_", "k=x._COPYING%5F"),
            ("é日 😀", "k=é日 😀"),
            ("50%", "k=50%25"),
        ],
    )
    def test_what_is_written(self, value: str | None, directory: str) -> None:
        assert routed("k={k}", pa.record_batch({"k": pa.array([value], pa.string())})) == {directory: [0]}

    @pytest.mark.parametrize(
        "value", ["..", ".", ".x", "_commits", "_claims", "_staging", "__HIVE_DEFAULT_PARTITION__"]
    )
    def test_no_value_leaves_the_root_or_hides(self, value: str) -> None:
        (directory,) = routed("{k}", pa.record_batch({"k": [value]}))
        assert directory.startswith("%")
        assert not is_hidden_key(directory)

    def test_the_empty_string_has_no_directory(self) -> None:
        batch = pa.record_batch({"a": ["x", "x"], "k": ["b", ""]})
        with pytest.raises(
            RecordError, match=r"column 'k', row 1: '' cannot be in a path .* set onUnwritable=null or space"
        ):
            routed("{a}/{k}", batch)
        assert routed("{a}/{k}", batch, on_unwritable="null") == {"x/b": [0], "x/__HIVE_DEFAULT_PARTITION__": [1]}
        assert routed("{a}/{k}", batch, on_unwritable="space") == {"x/b": [0], "x/ ": [1]}

    def test_what_ends_a_value_and_cannot_be_escaped(self) -> None:
        batch = pa.record_batch({"a": ["1→2", "3"], "b": ["x", "→"]})
        with pytest.raises(RecordError, match="column 'a', row 0: '1→2' cannot be in a path"):
            routed("{a}→{b}", batch)
        assert routed("{a}→{b}", batch, on_unwritable="space") == {" →x": [0], "3→→": [1]}

    def test_a_null_that_cannot_be_written_is_refused_whatever_is_asked_for(self) -> None:
        # The null's name begins with what ends the value.
        batch = pa.record_batch({"a": pa.array([None], pa.string()), "b": ["x"]})
        assert "__" in routed("{a}-{b}", batch).popitem()[0]
        with pytest.raises(RecordError, match="column 'a', row 0: None cannot be in a path"):
            routed("{a}_{b}", batch, on_unwritable="null")
        assert routed("{a}_{b}", batch, on_unwritable="space") == {" _x": [0]}

    @pytest.mark.parametrize(
        ("dtype", "values"),
        [
            (pa.int8(), [-128, 0, 127, None]),
            (pa.int64(), [-(2**63), 2**63 - 1]),
            (pa.bool_(), [True, False, None]),
            (pa.date32(), [dt.date(1, 1, 1), dt.date(2026, 11, 22), dt.date(9999, 12, 31)]),
            (pa.float64(), [0.1, -5e-324, 1e300, float("inf"), float("-inf")]),
            (pa.float32(), [0.10000000149011612, 3.4028234663852886e38]),
            (pa.decimal128(10, 8), [decimal.Decimal("0.00000001"), decimal.Decimal("-1.5")]),
            (INSTANT, [utc("2026-11-22T06:00:00.000001"), utc("0001-01-01"), utc("9999-12-31")]),
        ],
    )
    def test_what_is_no_text_reads_back(self, dtype: pa.DataType, values: list[Any]) -> None:
        batch = pa.record_batch({"k": pa.array(values, dtype)})
        layout = Layout.parse("k={k}", "Europe/Berlin")
        found = routed(layout, batch)
        assert len(found) == len(values)
        for directory, (row,) in found.items():
            match = layout.match(directory + "/f")
            assert match is not None
            assert path_value(match.values[0], dtype, "Europe/Berlin").equals(batch["k"][row])

    @pytest.mark.parametrize(
        "column",
        [
            pa.array(["a", None, "a"]).dictionary_encode(),
            pa.array(["a", None, "a"], pa.large_string()),
            pa.array(["a", None, "a"]),
        ],
        ids=["dictionary", "large", "plain"],
    )
    def test_strings_of_every_kind(self, column: pa.Array) -> None:
        assert routed("{k}", pa.record_batch({"k": column})) == {"a": [0, 2], "__HIVE_DEFAULT_PARTITION__": [1]}

    def test_nulls_without_a_type(self) -> None:
        assert routed("{k}", pa.record_batch({"k": pa.nulls(2)})) == {"__HIVE_DEFAULT_PARTITION__": [0, 1]}

    def test_a_date_beyond_the_calendar(self) -> None:
        batch = pa.record_batch({"k": pa.array([2**31 - 1], pa.int32()).cast(pa.date32())})
        with pytest.raises(RecordError, match="column 'k': a value of type date32"):
            routed("{k}", batch)


# --- the law --------------------------------------------------------------------------------------

LAYOUTS = [
    "{a}/{yyyy}/{MM}/{dd}/{HH}/{mm}",
    "a={a}/b={b}/dt={yyyy-MM-dd}",
    "{a}-{b}/{yyyyMMddHH}",
    "{b}/x/{a}",
    "{yyyy}",
]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Monrovia"]
TEXTS = st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
TEXTS |= st.sampled_from(
    ["..", ".", "_", "a/b", "/", "//", "__HIVE_DEFAULT_PARTITION__", "a._COPYING_", "%2F", "x=y", "-"]
)
AROUND = [dt.datetime(1900, 1, 1), dt.datetime(1972, 1, 7), dt.datetime(2026, 3, 29), dt.datetime(2026, 10, 25, 1)]
TIMES = st.datetimes(dt.datetime(1, 1, 3), dt.datetime(9998, 1, 1)) | st.builds(
    lambda start, seconds: start + dt.timedelta(seconds=seconds), st.sampled_from(AROUND), st.integers(0, 7200)
)
ROWS = st.lists(st.tuples(TIMES, TEXTS, TEXTS), min_size=1, max_size=12)


@given(st.sampled_from(LAYOUTS), st.sampled_from(ZONES), ROWS)
def test_a_directory_gives_back_its_rows_values_and_time(text: str, zone: str, rows: list[Any]) -> None:
    layout = Layout.parse(text, zone)
    instants, ones, others = ([row[place] for row in rows] for place in range(3))
    batch = pa.record_batch(
        {"ts": pa.array(instants, pa.timestamp("us")).cast(INSTANT), "a": pa.array(ones, pa.string()), "b": pa.array(others, pa.string())}
    )  # fmt: skip
    found = routed(layout, batch)
    assert sorted(row for group in found.values() for row in group) == list(range(len(rows)))
    for directory, group in found.items():
        names = directory.split("/")
        assert ".." not in names
        assert "." not in names
        assert "" not in names
        assert not is_hidden_key(directory)
        assert group == sorted(group)
        match = layout.match(directory + "/part-0.gz")
        assert match is not None
        for row in group:
            values = {"a": ones[row], "b": others[row]}
            assert match.values == tuple(values[name] for name in layout.columns)
            if match.start_us is not None and match.end_us is not None:
                assert match.start_us <= us(instants[row]) < match.end_us
            # Row by row, the layout says the same.
            assert layout.render(us(instants[row]), match.values) == directory


@given(st.sampled_from(ZONES), st.lists(TIMES, min_size=1, max_size=12))
def test_a_wall_clock_goes_where_the_clock_shows_it(zone: str, walls: list[dt.datetime]) -> None:
    batch = pa.record_batch({"ts": pa.array(walls, pa.timestamp("us"))})
    layout = Layout.parse("{yyyy-MM-dd-HH-mm}", zone)
    for directory, group in routed(layout, batch).items():
        match = layout.match(directory + "/f")
        assert match is not None
        assert match.start_us is not None
        assert match.end_us is not None
        for row in group:
            assert directory == f"{walls[row].isoformat()[:16]}".replace("T", "-").replace(":", "-")
            instant = us(walls[row].replace(tzinfo=ZoneInfo(zone)))
            assert match.start_us <= instant < match.end_us
