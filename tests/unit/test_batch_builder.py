"""Rows: what becomes of bad ones, the time range, metadata, and filters that decide while reading."""

from __future__ import annotations

import datetime as dt
import pickle
import tempfile
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.errors import RecordError
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.path_columns import path_value
from pyspark_logs.predicates import Compare, Contains, EndsWith, In, IsNull, Not, Predicate, StartsWith
from tests.support.effort import examples
from tests.support.log_files import CODECS, read, read_pushed, write

UTC = timezone.utc
EXAMPLES = examples(60)
TEMPLATE = "{ts:timestamp?} {level?} {n:int?} {message}"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ms(text: str) -> int:
    return round(at(text).timestamp() * 1000)


# ----------------------------------------------------------------------------------------------- rows that do not match


class TestModes:
    TEXT = "2026-11-22T00:00:00Z INFO 1 ok\n#x\n2026-11-22T00:00:01Z WARN many not a number\nbroken\n\n- - - nothing\n"

    def test_permissive(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": self.TEXT})
        rows = read(tmp_path, template=TEMPLATE, columnNameOfCorruptRecord="raw", commentPrefix="#")
        assert [tuple(row.values()) for row in rows] == [
            (at("2026-11-22 00:00:00"), "INFO", 1, "ok", None),
            (at("2026-11-22 00:00:01"), "WARN", None, "not a number", "2026-11-22T00:00:01Z WARN many not a number"),
            (None, None, None, None, "broken"),
            (None, None, None, "nothing", None),
        ]

    def test_the_default_name_works_in_a_schema_of_ones_own(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": self.TEXT})
        rows = read(tmp_path, template=TEMPLATE, schema="level string, _Corrupt_Record string")
        assert [row["_Corrupt_Record"] for row in rows] == [
            None, "#x", "2026-11-22T00:00:01Z WARN many not a number", "broken", None,
        ]  # fmt: skip
        # Without it only what is asked for is judged.
        rows, metrics, _, _ = read_pushed(str(tmp_path), template=TEMPLATE, schema="level string")
        assert metrics == RecordMetrics(5, 5, 0, 0, 2)

    def test_dropmalformed(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": self.TEXT})
        rows, metrics, _, _ = read_pushed(str(tmp_path), template=TEMPLATE, mode="DropMalformed", commentPrefix="#")
        assert [row["message"] for row in rows] == ["ok", "nothing"]
        assert metrics == RecordMetrics(4, 2, 0, 2, 2)
        rows = read(
            tmp_path, template=TEMPLATE, mode="DROPMALFORMED", commentPrefix="#", schema="message string, level string"
        )
        assert [row["message"] for row in rows] == ["ok", "not a number", "nothing"]

    @pytest.mark.parametrize("suffix", ["", ".gz"])
    def test_failfast_says_where(self, suffix: str, tmp_path: Path) -> None:
        good = "2026-11-22T00:00:00Z INFO 1 ok\n" * 1000
        bad = "2026-11-22T00:00:00Z INFO 2147483648 " + "é" * 300
        write(tmp_path, {f"a.log{suffix}": f"\ufeff{good}{bad}\nbroken\n"})
        with pytest.raises(RecordError) as caught:
            read(tmp_path, template=TEMPLATE, mode="failfast", maxPartitionBytes=4000)
        offset = 3 + len(good)
        for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
            assert error.path == str(tmp_path / f"a.log{suffix}")
            assert error.offset == offset
            assert error.record == bad[:200]
            assert str(error).startswith(f"{error.path}: record at byte {offset} does not match the format: field 'n'")
            assert f"{bad[:200]}..." in str(error)
            assert "é" * 170 not in str(error)

    def test_failfast_is_content_with_good_lines(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": self.TEXT})
        options = {"template": TEMPLATE, "mode": "FAILFAST", "commentPrefix": "#"}
        assert len(read_pushed(str(tmp_path), [Compare("level", "=", "INFO")], **options)[0]) == 1
        with pytest.raises(RecordError, match=r"not match the format: .*'broken'"):
            read_pushed(str(tmp_path), [IsNull("level")], **options)

    def test_a_record_that_is_too_long(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "INFO " + "x" * 200_000 + "\r\nINFO short\n"})
        options: dict[str, Any] = {"template": "{level} {message}", "maxRecordBytes": "100k"}
        rows = read(tmp_path, columnNameOfCorruptRecord="raw", metadata=True, **options)
        assert [(row["level"], row["_metadata"]["record_offset"]) for row in rows] == [(None, 0), ("INFO", 200_007)]
        assert rows[0]["raw"] == "INFO " + "x" * (65_536 - 5)
        with pytest.raises(RecordError, match="the record has 200005 bytes, more than maxRecordBytes=102400"):
            read(tmp_path, mode="FAILFAST", **options)
        assert len(read(tmp_path, mode="DROPMALFORMED", **options)) == 1
        for predicates, count in [
            ([Compare("level", "=", "INFO")], 1),
            ([IsNull("level")], 1),
            ([Contains("message", "xx")], 0),
        ]:
            rows, metrics, _, _ = read_pushed(str(tmp_path), predicates, **options)
            assert (len(rows), metrics.records, metrics.rows + metrics.filtered) == (count, 2, 2)

    def test_partition_columns_and_metadata_stay_on_corrupt_rows(self, tmp_path: Path) -> None:
        write(tmp_path, {"team=web/a.log": "broken\n"})
        [row] = read(tmp_path, template=TEMPLATE, metadata=True)
        assert (row["message"], row["team"], row["_metadata"]["file_name"]) == (None, "web", "a.log")


# --------------------------------------------------------------------------------------------------------------- metadata


class TestMetadata:
    def test_all_fields(self, tmp_path: Path) -> None:
        text = "INFO one\r\nINFO two\nINFO three"
        write(tmp_path, {"a.log": text, "b.log.gz": text}, ms("2026-11-22 00:00:00") + 7)
        rows = read(tmp_path, template="{level} {message}", metadata="TRUE", maxPartitionBytes=19)
        plain = [row["_metadata"] for row in rows if row["_metadata"]["file_name"] == "a.log"]
        zipped = [row["_metadata"] for row in rows if row["_metadata"]["file_name"] == "b.log.gz"]
        modified = at("2026-11-22 00:00:00.007000")
        path = f"file://{tmp_path}/a.log"
        assert plain == [
            {"file_path": path, "file_name": "a.log", "file_size": 29, "file_block_start": start, "file_block_length": length,
             "file_modification_time": modified, "path_time": None, "record_offset": offset}
            for start, length, offset in [(0, 19, 0), (0, 19, 10), (19, 10, 19)]
        ]  # fmt: skip
        size = (tmp_path / "b.log.gz").stat().st_size
        assert [one["record_offset"] for one in zipped] == [0, 10, 19]
        assert {(one["file_size"], one["file_block_start"], one["file_block_length"]) for one in zipped} == {
            (size, 0, size)
        }

    def test_time_of_the_path(self, tmp_path: Path) -> None:
        write(tmp_path, {"ops/2026/11/22/07/a.log": "x\n"})
        times = {
            "{team}/{yyyy}/{MM}/{dd}/{HH}": at("2026-11-22 07:00:00"),
            "{team}/{yyyy}": at("2026-01-01 00:00:00"),
            "{team}": None,
        }
        for layout, time in times.items():
            [row] = read(tmp_path, template="{m}", layout=layout, metadata=True)
            assert row["_metadata"]["path_time"] == time
        [row] = read(tmp_path, template="{m}", layout="{team}/{yyyy}/{MM}/{dd}", timeZone="Asia/Tokyo", metadata=True)
        assert row["_metadata"]["path_time"] == at("2026-11-21 15:00:00")

    def test_some_fields_in_any_order(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "x\ny\n"})
        schema = "_Metadata struct<record_offset:bigint,FILE_NAME:string>, m string"
        assert read(tmp_path, template="{m}", schema=schema) == [
            {"_Metadata": {"record_offset": offset, "FILE_NAME": "a.log"}, "m": m} for offset, m in [(0, "x"), (2, "y")]
        ]


# ------------------------------------------------------------------------------------------------------------------- time


class TestTimeRange:
    @pytest.mark.parametrize("column", ["ts timestamp", "ts timestamp_ntz", "ts string", "ts date", "message string"])
    def test_half_open_to_the_microsecond(self, column: str, tmp_path: Path) -> None:
        start, end = at("2026-11-22 07:00:00.000001"), at("2026-11-22 08:00:00")
        one = timedelta(microseconds=1)
        moments = [start - one, start, start + one, end - one, end, end + one]
        write(
            tmp_path,
            {"a.log": "".join(f"{context:%Y-%m-%dT%H:%M:%S.%fZ} INFO 1 {n}\n" for n, context in enumerate(moments))},
        )
        schema = column if column.startswith("message") else f"{column}, message string"
        for bounds in (
            {"startTime": start, "endTime": end},
            {"startTime": start.isoformat(), "endTime": "2026-11-22T08:00:00Z"},
        ):
            rows, metrics, _, _ = read_pushed(str(tmp_path), template=TEMPLATE, schema=schema, **bounds)
            assert [row["message"] for row in rows] == ["1", "2", "3"]
            assert metrics == RecordMetrics(6, 3, 3, 0, 0)

    def test_a_row_without_a_time_counts_at_its_file(self, tmp_path: Path) -> None:
        text = "- INFO 1 none\nbroken\n2026-11-22T06:30:00Z INFO 1 timed\n"
        write(tmp_path, {"2026/11/22/06/a.log": text, "2026/11/22/07/b.log": text})
        options = {
            "template": TEMPLATE,
            "layout": "{yyyy}/{MM}/{dd}/{HH}",
            "metadata": True,
            "columnNameOfCorruptRecord": "raw",
        }
        rows = read(tmp_path, startTime="2026-11-22T06:00:00Z", endTime="2026-11-22T07:00:00Z", **options)
        assert [(row["_metadata"]["file_name"], row["message"], row["raw"]) for row in rows] == [
            ("a.log", "none", None), ("a.log", None, "broken"), ("a.log", "timed", None), ("b.log", "timed", None),
        ]  # fmt: skip
        # The interval's start counts, which is not in this range.
        rows = read(tmp_path, startTime="2026-11-22T06:00:00.000001Z", endTime="2026-11-22T07:00:00Z", **options)
        assert [row["message"] for row in rows] == ["timed", "timed"]

    def test_without_a_layout_it_counts_at_the_modification_time(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "- INFO 1 a\n"}, ms("2026-11-22 06:00:00"))
        write(tmp_path, {"b.log": "- INFO 1 b\n"}, ms("2026-11-22 05:59:59.999"))
        rows = read(tmp_path, template=TEMPLATE, startTime="2026-11-22T06:00:00Z")
        assert [row["message"] for row in rows] == ["a"]

    def test_a_format_without_time_has_whole_files(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            {f"2026/11/22/{hour}/a.log": f"{hour}\n" for hour in ("05", "06", "07")},
            ms("2026-01-01 00:00:00"),
        )
        bounds: dict[str, Any] = {
            "startTime": "2026-11-22T06:00:00Z",
            "endTime": "2026-11-22T07:00:00Z",
            "layoutSlack": "9h",
        }
        assert read(tmp_path, template="{m}", layout="{yyyy}/{MM}/{dd}/{HH}", **bounds) == [{"m": "06"}]
        assert read(tmp_path, template="{m}", **bounds) == []
        assert len(read(tmp_path, template="{m}", endTime="2026-01-01T00:00:00.001Z")) == 3
        # The schema can make a time of a text: then there is one.
        assert read(tmp_path, template="{m}", schema="m timestamp", layout="{yyyy}/{MM}/{dd}/{HH}", **bounds) == [
            {"m": None}
        ]

    def test_the_column_may_be_chosen(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            {"a.log": "2026-11-22T01:00:00Z 2026-11-22T05:00:00Z x\n2026-11-22T05:00:00Z 2026-11-22T01:00:00Z y\n"},
        )
        options: dict[str, Any] = {"template": "{a:timestamp} {b} {m}", "startTime": "2026-11-22T03:00:00Z"}
        assert [row["m"] for row in read(tmp_path, **options)] == ["y"]
        assert [row["m"] for row in read(tmp_path, timeColumn="A", schema="m string", **options)] == ["y"]
        assert [row["m"] for row in read(tmp_path, timeColumn="B", schema="b timestamp, m string", **options)] == ["x"]
        with pytest.raises(pyspark_logs.OptionError, match=r"'b' is not a timestamp of the format \(there are: a\)"):
            read(tmp_path, timeColumn="b", **options)
        with pytest.raises(pyspark_logs.OptionError, match="'timeColumn': 'c' is not a timestamp"):
            read(tmp_path, timeColumn="c", **options)

    def test_zones(self, tmp_path: Path) -> None:
        write(tmp_path, {"2026/11/22/07/a.log": "2026-11-22 07:30:00 INFO 1 x\n"})
        options: dict[str, Any] = {
            "template": "{ts:timestamp(%Y-%m-%d %H:%M:%S)} {level} {n:int} {m}",
            "timeZone": "Europe/Berlin",
        }
        options |= {"layout": "{yyyy}/{MM}/{dd}/{HH}", "layoutSlack": "0s"}
        for start, end in [
            ("2026-11-22T06:30:00Z", "2026-11-22T06:30:01Z"),
            ("2026-11-22 07:30:00", "2026-11-22 07:30:00.000001"),
        ]:
            assert read(tmp_path, startTime=start, endTime=end, **options)[0]["ts"] == at("2026-11-22 06:30:00")
        assert read(tmp_path, startTime="2026-11-22T07:30:00Z", **options) == []
        walls = read(tmp_path, schema="ts timestamp_ntz", startTime="2026-11-22T06:30:00Z", **options)
        assert walls == [{"ts": datetime(2026, 11, 22, 7, 30)}]

    def test_slack_decides_what_is_looked_at(self, tmp_path: Path) -> None:
        write(tmp_path, {f"2026-11-22-{hour:02}/a.log": f"2026-11-22T05:00:00Z {hour}\n" for hour in range(24)})
        options: dict[str, Any] = {"template": "{ts:timestamp} {n:int}", "layout": "{yyyy-MM-dd-HH}", "schema": "n int"}
        options |= {"startTime": "2026-11-22T05:00:00Z", "endTime": "2026-11-22T06:00:00Z"}
        for slack, hours in [
            (None, {4, 5, 6}),
            ("0s", {5}),
            (timedelta(hours=2), {3, 4, 5, 6, 7}),
            ("90m", {3, 4, 5, 6, 7}),
        ]:
            assert {row["n"] for row in read(tmp_path, layoutSlack=slack, **options)} == hours

    def test_years_are_those_of_the_file(self, tmp_path: Path) -> None:
        template = "{ts:timestamp(%b %d %H:%M:%S)} {m}"
        text = "Dec 31 23:59:59 old\nJan  1 00:30:00 new\n"
        write(tmp_path, {"2026/01/01/00/a.log": text, "plain/a.log": text}, ms("2024-12-31 00:30:00"))
        options: dict[str, Any] = {"layout": "{yyyy}/{MM}/{dd}/{HH}", "template": template}
        years = {row["m"]: row["ts"].year for row in read(tmp_path, **options)}
        assert years == {"old": 2025, "new": 2026}
        # Up to the end of the interval and the slack: half an hour into the next one.
        late = write(tmp_path / "late", {"2025/12/31/23/a.log": "Jan 1 00:30:00 new\n"})
        assert read(late, layoutSlack="29m59s", **options)[0]["ts"] == at("2025-01-01 00:30:00")
        assert read(late, layoutSlack="30m", **options)[0]["ts"] == at("2026-01-01 00:30:00")
        # Without a layout: up to a day after the modification.
        rows = read(tmp_path / "plain", template=template)
        assert [row["ts"] for row in rows] == [at("2024-12-31 23:59:59"), at("2025-01-01 00:30:00")]

    def test_pushed_bounds_choose_directories_whatever_the_case_of_the_column(self, tmp_path: Path) -> None:
        write(tmp_path, {f"2026-11-22-{hour:02}/a.log": f"2026-11-22T{hour:02}:30:00Z {hour}\n" for hour in range(24)})
        options: dict[str, Any] = {
            "template": "{ts:timestamp} {n:int}",
            "layout": "{yyyy-MM-dd-HH}",
            "timeZone": "Asia/Kolkata",
        }
        instant = [Compare("TS", ">=", at("2026-11-22 12:00:00")), Compare("TS", "<", at("2026-11-22 13:00:00"))]
        rows, _, taken, reader = read_pushed(str(tmp_path), instant, schema="TS timestamp, n int", **options)
        assert (taken, reader.plan().report.files_planned) == ([True, True], 4)  # half past in UTC; slack
        wall = [Compare("TS", ">=", datetime(2026, 11, 22, 12)), Compare("TS", "<", datetime(2026, 11, 22, 13))]
        rows, _, taken, reader = read_pushed(str(tmp_path), wall, schema="TS timestamp_ntz, n int", **options)
        assert (taken, reader.plan().report.files_planned) == ([True, True], 3)
        assert rows == []  # 12:00 there is 06:30Z, which is in none of the files from 11 to 13 there


# ---------------------------------------------------------------------------------------------------------------- filters

LEVELS = ["INFO", "WARN", "ERROR", "-", "", "é", "ERRORS"]
LITERALS = [*LEVELS, "a b", "time", "\ufffd", '"', "\\", "O", "zz", "web"]


@st.composite
def text_predicates(draw: st.DrawFn, column: str) -> Predicate:
    text = st.sampled_from(LITERALS)
    values = st.lists(st.none() | text, min_size=1, max_size=6).map(tuple)
    predicate = draw(st.one_of(
        st.builds(Compare, st.just(column), st.sampled_from(["=", "<=>", "<", "<=", ">", ">="]), st.none() | text),
        st.builds(In, st.just(column), values), st.just(IsNull(column)),
        *(st.builds(kind, st.just(column), text) for kind in (StartsWith, EndsWith, Contains)),
    ))  # fmt: skip
    return Not(predicate) if draw(st.integers(0, 3)) == 0 else predicate


number_predicates = st.builds(Compare, st.just("n"), st.sampled_from(["=", "<", ">"]), st.integers(-1, 3)) | st.just(
    IsNull("n")
)
time_predicates = st.builds(
    Compare, st.just("ts"), st.sampled_from(["=", "<", "<=", ">", ">="]),
    st.integers(0, 9).map(lambda second: datetime(2026, 11, 22, 0, 0, second, tzinfo=UTC)),
)  # fmt: skip
predicates = st.lists(
    st.one_of(*map(text_predicates, ["level", "q", "message", "team", "raw"]), number_predicates, time_predicates),
    min_size=1, max_size=3,
)  # fmt: skip

FILTERED: dict[str, dict[str, Any]] = {
    "template": {"template": "{ts:timestamp?} {level?} {q:quoted?} {n:int?} {message}"},
    "escapes": {"template": "{ts:timestamp?} {level?} {q:quoted?} {n:int?} {message}", "escape": "backslash"},
    "json": {"json": True},
}


def make_line(kind: str, row: dict[str, Any]) -> str:
    import json

    if kind == "json":
        return json.dumps(row | {"ts": f"2026-11-22T00:00:0{row['ts']}Z"}, ensure_ascii=row["n"] == 1)
    quoted = row["q"].replace("\\", "\\\\").replace('"', '\\"')
    return f'2026-11-22T00:00:0{row["ts"]}Z {row["level"]} "{quoted}" {row["n"]} {row["message"]}'


@st.composite
def lines(draw: st.DrawFn, kind: str) -> str:
    row = {
        "ts": draw(st.integers(0, 9)), "level": draw(st.sampled_from(LEVELS)), "q": draw(st.sampled_from(LITERALS)),
        "n": draw(st.integers(0, 3)), "message": draw(st.sampled_from(LITERALS)) + draw(st.sampled_from(LITERALS)),
    }  # fmt: skip
    line = make_line(kind, row)
    return draw(st.sampled_from([line] * 6 + ["broken ERROR", line[: len(line) // 2] or "x", "{}", line + "é"]))


def holds(predicate: Predicate, value: Any) -> bool | None:
    """Three-valued logic, by the book."""
    if isinstance(predicate, Not):
        truth = holds(predicate.child, value)
        return None if truth is None else not truth
    if isinstance(predicate, IsNull):
        return value is None
    if isinstance(predicate, In):
        if value is None:
            return None
        return True if value in predicate.values else (None if None in predicate.values else False)
    if isinstance(predicate, Compare) and predicate.op == "<=>":
        return bool(value == predicate.value)
    if value is None or predicate.value is None:
        return None
    if isinstance(predicate, StartsWith):
        return bool(value.startswith(predicate.value))
    if isinstance(predicate, EndsWith):
        return bool(value.endswith(predicate.value))
    if isinstance(predicate, Contains):
        return predicate.value in value
    left, right = (side.encode() if isinstance(side, str) else side for side in (value, predicate.value))
    return bool(
        {"=": left == right, "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[
            predicate.op
        ]
    )


class TestFilters:
    SCHEMA = "ts timestamp, level string, q string, n int, message string, team string, raw string"

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(data=st.data(), kind=st.sampled_from(sorted(FILTERED)))
    def test_pushed_is_as_filtered_afterwards(self, data: st.DataObject, kind: str) -> None:
        drawn = data.draw(st.lists(lines(kind), min_size=1, max_size=6))
        wanted = data.draw(predicates)
        filler = make_line(kind, {"ts": 5, "level": "DEBUG", "q": "filler", "n": 9, "message": "filler"})
        if data.draw(st.booleans()):
            # So few of the lines can be wanted that searching the raw bytes pays.
            drawn = [filler] * 60 + drawn + [filler] * 60
        text = "\n".join(drawn).encode().replace("é".encode(), data.draw(st.sampled_from(["é".encode(), b"\xff"])))
        options: dict[str, Any] = FILTERED[kind] | {"schema": self.SCHEMA, "columnNameOfCorruptRecord": "raw"}
        with tempfile.TemporaryDirectory() as folder:
            path = write(Path(folder), {"team=web/a.log": text, "team=__HIVE_DEFAULT_PARTITION__/b.log.gz": text})
            rows, metrics, taken, _ = read_pushed(path, wanted, **options)
            everything = read(path, **options)
        assert all(taken)
        assert rows == [row for row in everything if all(holds(p, row[p.column]) for p in wanted)]
        assert metrics.records == metrics.rows + metrics.filtered

    @pytest.mark.parametrize("kind", sorted(FILTERED))
    def test_rare_lines_are_searched_for_and_frequent_ones_are_not(
        self, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decoded: list[int] = []
        original = pyspark_logs.formats.decoding.decoder.Decoder.decode

        def count(self: Any, lines: Any, context: Any) -> Any:
            decoded.append(len(lines))
            return original(self, lines, context)

        monkeypatch.setattr(pyspark_logs.formats.decoding.decoder.Decoder, "decode", count)
        row = {"ts": 5, "level": "INFO", "q": "q", "n": 1, "message": "all is well"}
        many = [make_line(kind, row)] * 5000
        many[77] = many[4321] = make_line(kind, row | {"level": "ERROR"})
        write(tmp_path, {"a.log": "\n".join(many)})
        options: dict[str, Any] = FILTERED[kind] | {"schema": "level string, message string, q string"}
        for predicate, found, parsed in [
            (Compare("level", "=", "ERROR"), 2, 2), (Contains("message", "well"), 5000, 5000),
            (StartsWith("q", "no such"), 0, 0), (In("level", ("FATAL", "ERROR")), 2, 2),
        ]:  # fmt: skip
            decoded.clear()
            rows, metrics, _, _ = read_pushed(str(tmp_path), [predicate], **options)
            assert (len(rows), sum(decoded), metrics.records) == (found, parsed, 5000)

    @pytest.mark.parametrize(
        ("kind", "column", "spelt", "value"),
        [
            ("template", "q", r'say \"hi\"', 'say "hi"'), ("template", "q", r"C:\\new", "C:\\new"), ("template", "level", r"a\x41", r"a\x41"),
            ("escapes", "level", r"a\x41", "aA"), ("escapes", "message", r"tab\there", "tab\there"),
            ("json", "message", r"caf\u00e9", "café"), ("json", "level", r"a\/b", "a/b"), ("json", "q", r'say \"hi\"', 'say "hi"'),
        ],
    )  # fmt: skip
    def test_escapes_hide_no_value(self, kind: str, column: str, spelt: str, value: str, tmp_path: Path) -> None:
        row = {"ts": 5, "level": "INFO", "q": "q", "n": 1, "message": "m"}
        special = make_line(kind, row | {column: "SPECIAL"}).replace("SPECIAL", spelt)
        write(tmp_path, {"a.log": "\n".join([make_line(kind, row)] * 200 + [special] + [make_line(kind, row)] * 200)})
        options: dict[str, Any] = FILTERED[kind] | {"schema": f"{column} string"}
        for predicate in (
            Compare(column, "=", value),
            Contains(column, value),
            EndsWith(column, value),
            In(column, (value, "zz")),
        ):
            rows, metrics, _, _ = read_pushed(str(tmp_path), [predicate], **options)
            assert rows == [{column: value}]
            assert metrics == RecordMetrics(401, 1, 400, 0, 0)

    def test_what_is_not_taken_is_left_to_the_caller(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "1.5 x\n2.5 y\n"})
        rows, _, taken, _ = read_pushed(
            str(tmp_path),
            [Compare("d", "=", 2), Compare("nothing", "=", "x"), Contains("m", "y")],
            template="{d:double} {m}",
        )
        assert taken == [False, False, True]
        assert rows == [{"d": 2.5, "m": "y"}]

    def test_wall_clock_and_day_columns(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "".join(f"2026-11-22T{hour:02}:00:00Z {hour}\n" for hour in range(24))})
        options = {"template": "{ts:timestamp} {n:int}", "timeZone": "America/New_York"}
        rows, _, taken, _ = read_pushed(
            str(tmp_path),
            [Compare("ts", ">=", datetime(2026, 11, 22, 17))],
            schema="ts timestamp_ntz, n int",
            **options,
        )
        assert (taken, [row["n"] for row in rows]) == ([True], [22, 23])
        rows, _, taken, _ = read_pushed(
            str(tmp_path), [Compare("ts", "=", dt.date(2026, 11, 21))], schema="ts date, n int", **options
        )
        assert (taken, [row["n"] for row in rows]) == ([True], [0, 1, 2, 3, 4])


# ----------------------------------------------------------------------------------------------------- shapes of batches


class TestBatches:
    @pytest.mark.parametrize("codec", ["none", "gzip"])
    @pytest.mark.parametrize("bounds", [{}, {"startTime": "2026-11-22T00:00:01Z"}])
    def test_no_column_at_all_still_counts(self, codec: str, bounds: dict[str, str], tmp_path: Path) -> None:
        text = "2026-11-22T00:00:00Z INFO 1 x\n2026-11-22T00:00:01Z INFO 1 x\n" * 60_000
        write(tmp_path, {f"a.log{CODECS[codec][0]}": text})
        rows = 0
        for batch in pyspark_logs.scan(tmp_path, template=TEMPLATE, schema=pa.schema([]), **bounds):
            assert batch.num_columns == 0
            assert batch.num_rows <= 65_536
            rows += batch.num_rows
        assert rows == (60_000 if bounds else 120_000)

    def test_only_the_corrupt_column(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "2026-11-22T00:00:00Z INFO 1 x\nbroken\n"})
        assert read(tmp_path, template=TEMPLATE, schema="_corrupt_record string") == [
            {"_corrupt_record": None}, {"_corrupt_record": "broken"},
        ]  # fmt: skip

    def test_only_columns_that_are_not_in_the_line(self, tmp_path: Path) -> None:
        write(tmp_path, {"team=web/a.log": "broken\n"})
        schema = "team string, _metadata struct<file_size:bigint>"
        assert read(tmp_path, template=TEMPLATE, schema=schema) == [{"team": "web", "_metadata": {"file_size": 7}}]

    def test_many_small_files_come_in_few_batches(self, tmp_path: Path) -> None:
        write(tmp_path, {f"{number:03}.log": "INFO x\n" * 20 for number in range(200)})
        batches = list(pyspark_logs.scan(tmp_path, template="{level} {message}", openCostInBytes=1))
        assert sum(batch.num_rows for batch in batches) == 4000
        assert len(batches) == 1

    def test_short_lines_come_in_batches_of_bounded_size(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "x\n" * 500_000})
        sizes = [batch.num_rows for batch in pyspark_logs.scan(tmp_path, template="{m}")]
        assert sum(sizes) == 500_000
        assert max(sizes) <= 65_536


@pytest.mark.parametrize(
    ("text", "ddl", "value"),
    [
        ("007", pa.int16(), 7), ("x", pa.int16(), None), ("70000", pa.int16(), None), (None, pa.string(), None), ("", pa.string(), ""),
        ("1.50", pa.decimal128(5, 2), Decimal("1.50")), ("TRUE", pa.bool_(), True),
        ("2026-11-22", pa.date32(), dt.date(2026, 11, 22)), ("2026-02-30", pa.date32(), None),
        ("2026-07-01 02:00", pa.timestamp("us", "UTC"), datetime(2026, 7, 1, tzinfo=ZoneInfo("UTC"))),
        ("2026-07-01 02:00", pa.timestamp("us"), datetime(2026, 7, 1, 2)),
        ("0001-01-01T00:00:00+23:00", pa.timestamp("us"), None),
    ],
)  # fmt: skip
def test_values_of_paths(text: str | None, ddl: pa.DataType, value: object) -> None:
    found = path_value(text, ddl, "Europe/Berlin")
    assert (found.type, found.as_py()) == (ddl, value)
