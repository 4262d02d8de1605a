"""Records of several lines: any cut of a file gives each once; what a line is depends on the line alone."""

from __future__ import annotations

import functools
import itertools
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import pyspark_logs.file_content
import pyspark_logs.reader
import pyspark_logs.text_lines
from pyspark_logs import ScanSummary, scan
from pyspark_logs.errors import FormatError, RecordError
from pyspark_logs.formats.compiled.availability import is_compiled
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.matcher import compile_line_start, ends_with_text
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions, parse_read_options
from pyspark_logs.predicates import Contains
from pyspark_logs.reader import LogReader
from pyspark_logs.records import Lines, join_lines, read_lines, sanitise
from pyspark_logs.store.local import LocalStore
from tests.conformance import test_engines_json
from tests.conformance.test_engines import Query, queries, rows_of, thorough
from tests.reference.delimited import reference_delimited
from tests.reference.logfmt import reference_logfmt
from tests.reference.templates import named_fields, parse_template, reference_lines, reference_parse, same
from tests.support import strategies
from tests.support.effort import examples
from tests.support.formats import compile_decoder, line_format
from tests.support.log_files import CODECS, read, read_pushed, write
from tests.unit.formats.delimited import test_engine as test_delimited_engine
from tests.unit.formats.logfmt import test_logfmt

EXAMPLES = examples(60)
BOM = b"\xef\xbb\xbf"

pieces_of_text = st.sampled_from(
    [b"\n", b"\n", b"\r\n", b"\r", b"A", b"B log", b" at x", b"caused", b"#", b"# note", b"\xff", "é€".encode(), BOM]
)
contents = st.lists(pieces_of_text, max_size=40).map(b"".join)
sizes = st.lists(st.integers(1, 30), min_size=1, max_size=8)


def starts(lines: Lines) -> Any:
    """A record starts with a capital letter."""
    return np.array([lines.record(i)[:1].isupper() for i in range(len(lines))], np.bool_)


def reference(content: bytes, prefix: bytes | None, most: int) -> list[tuple[int, bytes, int]]:
    """(offset, text, size in the file) of every record, the plain way; of one that is too long the text's beginning."""
    lines, at = [], 0
    for line in content.split(b"\n"):
        offset, text = at, line.removesuffix(b"\r")
        at += len(line) + 1
        line_end = line[len(text) :] + b"\n"
        if offset == 0 and text.startswith(BOM):
            offset, text = 3, text[3:]
        lines.append((offset, text, line_end))
    found: list[list[Any]] = []  # offset, text, end in the file, whether its first line is too long
    gap, begun = b"", False
    for offset, text, line_end in lines:
        if prefix and text.startswith(prefix):
            continue
        if not text:
            gap += line_end
            continue
        begins = text[:1].isupper() or len(text) > most
        begun = begun or begins
        if begins or not begun:
            found.append([offset, text, offset + len(text), len(text) > most])
        else:
            if not found[-1][3]:
                found[-1][1] += gap + text
            found[-1][2] = offset + len(text)
        gap = line_end
    return [(offset, text, end - offset) for offset, text, end, _ in found]


def cut(content: bytes, pieces: list[int]) -> Iterator[bytes]:
    position, index = 0, 0
    while position < len(content):
        size = pieces[index % len(pieces)]
        yield content[position : position + size]
        position, index = position + size, index + 1


def records_of(
    content: bytes, start: int, length: int | None, pieces: list[int], most: int, on_join: Any = None, **options: Any
) -> Any:
    lines = read_lines(
        cut(content[max(start - 1, 0) :], pieces),
        start=start,
        length=length,
        max_record_bytes=most,
        to_join=True,
        **options,
    )
    for records in join_lines(lines, starts, start=start, length=length, max_record_bytes=most, on_join=on_join):
        assert records.full_length is None or len(records) == 1
        for index, offset in enumerate(records.offsets.tolist()):
            record = records.record(index)
            yield offset, record, records.full_length or len(record), records.full_length is not None


class TestJoining:
    @given(
        contents,
        st.lists(st.integers(0, 300), max_size=6),
        sizes,
        st.integers(1, 60),
        st.sampled_from([None, b"#"]),
        st.sampled_from([3, 10, 1 << 20]),
    )
    @example(BOM + b"\nx\nA", [1, 2, 3, 4], [2], 5, None, 100)
    @example(b"\n\nx\nA\n\n", [1, 2, 3, 4], [2], 1, None, 100)
    @example(b"A\n#\nx\n#\n#\n y\r\n", [2, 4], [2], 1, b"#", 100)
    @example(b"a\nb\nc\nA\nd\n", [2, 4, 6], [2], 1, None, 100)
    @example(b"a\nb\nc\nd\n", [2, 4, 6], [2], 3, None, 100)
    def test_splits_give_each_record_once(
        self, content: bytes, cuts: list[int], pieces: list[int], block_bytes: int, prefix: bytes | None, most: int
    ) -> None:
        bounds = sorted({0, len(content), *(c for c in cuts if c < len(content))})
        joined: list[tuple[int, int]] = []
        options: dict[str, Any] = {"block_bytes": block_bytes, "comment_prefix": prefix}
        found = [
            record
            for a, b in itertools.pairwise(bounds)
            for record in records_of(content, a, b - a, pieces, most, lambda *args: joined.append(args), **options)
        ]
        expected = reference(content, prefix, most)
        line_offsets = {
            at
            for lines in read_lines(iter([content]), comment_prefix=prefix, max_record_bytes=most)
            for at in lines.offsets.tolist()
        }
        assert sum(count for count, _ in joined) == len(line_offsets) - len(expected)
        assert [at for _, at in joined[:1]] == sorted(line_offsets - {offset for offset, _, _ in expected})[:1]
        for (at, text, size, too_long), (offset, whole, span) in zip(found, expected, strict=True):
            assert (at, too_long) == (offset, span > most)
            if too_long:
                assert size == span
                assert whole.startswith(text)
                assert min(len(whole), most) - 3 < len(text) <= most
            else:
                assert text == whole


# ------------------------------------------------------------------------------------------ which lines match a format


def template_format(case: strategies.Case) -> TemplateFormat:
    options = {name: case.options[name] for name in ("null_value", "escape", "allow_trailing")}
    described = line_format(FormatOptions("template", case.template, **options))
    assert isinstance(described, TemplateFormat)
    return described


def moment_of(case: strategies.Case) -> TimestampContext:
    return TimestampContext(
        case.options["zone"], round((case.options["year_bound"] - strategies.EPOCH).total_seconds() * 1e6)
    )


def matches(case: strategies.Case, line: bytes) -> bool:
    return not reference_parse(case.template, line, judge_whole=True, **case.options).corrupt


class TestMatcher:
    @thorough
    @given(strategies.cases(max_lines=12) | strategies.cases(max_lines=12, shape=strategies.delimited))
    def test_a_line_matches_if_the_reference_finds_nothing_wrong(self, case: strategies.Case) -> None:
        assume(named_fields(parse_template(case.template)))
        described = template_format(case)
        start = compile_line_start(described.template)
        matcher = Matcher(described.decoder(Projection(judge_whole=True)), start)
        for lines in read_lines(iter([case.data])):
            found = matcher.matching(sanitise(lines), moment_of(case))
            assert found.tolist() == [matches(case, lines.record(i)) for i in range(len(lines))]

    @pytest.mark.parametrize(("compiled", "left"), [("0", 1), ("", 0)])
    def test_what_cannot_match_is_not_parsed_exactly(
        self, compiled: str, left: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if compiled != "0" and not is_compiled():
            pytest.skip("the machines are not compiled")
        monkeypatch.setenv("PYSPARK_LOGS_COMPILED", compiled)
        described = line_format(FormatOptions("template", "{ts:timestamp} {level} [{thread}] {n:int} {message}"))
        matcher = described.matcher()
        parsed: list[str] = []
        exact = matcher.decoder.line_parser.parse
        monkeypatch.setattr(
            type(matcher.decoder.line_parser), "parse", lambda _, line, m: parsed.append(line) or exact(line, m)
        )
        traces = b"\tat x.Y\nCaused by: z\n2026 files\n2026-11-22 INFO [x] 1 y\n2026-11-22T10:00:00Z INFO [x] y\n"
        good = b"2026-11-22T10:00:00Z INFO [main] 1 text\n"
        (lines,) = read_lines(iter([good + traces + good]))
        assert matcher.matching(lines, TimestampContext()).tolist() == [True, False, False, False, False, False, True]
        assert parsed == []
        (lines,) = read_lines(iter([b"2026-11-99T10:00:00Z INFO [main] 1 no such day\n"]))
        assert matcher.matching(lines, TimestampContext()).tolist() == [False]
        assert len(parsed) == left  # the compiled engine decides also about values

    def test_an_expression_looks_at_all_lines_of_a_block_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        matcher = line_format(FormatOptions("regex", r"^(?<n>\d+) (?s:(?<m>.*))", multi_line="true")).matcher()

        def refused(*_: Any) -> None:
            raise AssertionError("a line was parsed by itself")

        monkeypatch.setattr(type(matcher.decoder.line_parser), "parse", refused)
        (lines,) = read_lines(iter([b"1 a\n at x\n\n2 b\n3\n"]))
        assert matcher.matching(lines, TimestampContext()).tolist() == [True, False, True, False]


# --------------------------------------------------------------------------------- engines on records of several lines


@st.composite
def joined(draw: st.DrawFn, data: bytes) -> Lines:
    """The lines of a file, some of them joined."""
    lines = [(at, at + len(line)) for at, line in reference_lines(data)]
    spans: list[tuple[int, int]] = []
    for start, stop in lines:
        if spans and draw(st.integers(0, 2)) == 0:
            spans[-1] = (spans[-1][0], stop)
        else:
            spans.append((start, stop))
    first, last = (np.array(places, np.int32) for places in zip(*spans, strict=True))
    return Lines(data, first, last, 0)


@st.composite
def broken_up(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """A file of lines, some of them broken where they may mean something else then."""
    assume(lines)
    places = st.sampled_from([b" ", b"=", b'"', b",", b"a"])
    text = []
    for line in lines:
        place, count = draw(places), draw(st.sampled_from([0, 1, 1, 100]))
        text.append(line.replace(place, draw(st.sampled_from([b"\n", place + b"\n", b"\n" + place])), count))
    data = b"\n".join(text)
    assume(reference_lines(data) and not data.startswith(BOM))
    return data


class TestEngines:
    @thorough
    @given(st.data(), queries(strategies.cases()) | queries(strategies.cases(shape=strategies.delimited)))
    def test_a_record_of_several_lines_is_parsed_as_one_text(self, data: st.DataObject, query: Query) -> None:
        assume(query.case.lines)
        lines = data.draw(joined(query.case.data))
        rows, corrupt = rows_of(query.decoder(), iter([lines]), query.context)
        for index, (row, bad) in enumerate(zip(rows, corrupt, strict=True)):
            values, expected_bad = query.expected(lines.record(index))
            assert all(map(same, row, values)), (lines.record(index), row, values)
            assert bad == expected_bad, lines.record(index)

    @thorough
    @given(st.data(), test_engines_json.queries())
    def test_a_json_object_over_several_lines(self, data: st.DataObject, query: test_engines_json.Query) -> None:
        assume(query.lines)
        # Between tokens, mostly: an object may be broken there.
        text = b"\n".join(line.replace(b",", b",\n") if data.draw(st.booleans()) else line for line in query.lines)
        lines = data.draw(joined(text))
        rows, corrupt = rows_of(query.decoder(), iter([lines]), TimestampContext(query.zone))
        for index, (row, bad) in enumerate(zip(rows, corrupt, strict=True)):
            values, expected_bad = query.expected(lines.record(index))
            assert all(map(same, row, values)), (lines.record(index), row, values)
            assert bad == expected_bad, lines.record(index)

    @thorough
    @given(st.data(), test_delimited_engine.queries())
    def test_values_between_separators(self, data: st.DataObject, query: test_delimited_engine.Query) -> None:
        lines = data.draw(joined(data.draw(broken_up(query.lines))))
        rows, corrupt = rows_of(test_delimited_engine.decoder_of(query), iter([lines]), TimestampContext(query.zone))
        for index, (row, bad) in enumerate(zip(rows, corrupt, strict=True)):
            values, expected_bad = reference_delimited(
                lines.record(index),
                query.names,
                query.schema,
                judge_whole=query.judge_whole,
                zone=query.zone,
                **query.options,
            )
            assert all(map(same, row, values.values())), (lines.record(index), row, values)
            assert bad == expected_bad, lines.record(index)

    @thorough
    @given(st.data(), test_logfmt.queries())
    def test_pairs(self, data: st.DataObject, query: test_logfmt.Query) -> None:
        lines = data.draw(joined(data.draw(broken_up(query.lines))))
        options = FormatOptions("logfmt", "", query.null_value, rescued_column=query.rescued)
        rows, corrupt = rows_of(compile_decoder(options, query.schema), iter([lines]), TimestampContext(query.zone))
        for index, (row, bad) in enumerate(zip(rows, corrupt, strict=True)):
            values, expected_bad = reference_logfmt(
                lines.record(index), query.schema, query.zone, query.rescued, query.null_value
            )
            assert all(map(same, row, values.values())), (lines.record(index), row, values)
            assert bad == expected_bad, lines.record(index)

    def test_a_shape_with_line_ends_does_not_reach_over_a_record(self) -> None:
        decoder = compile_decoder(FormatOptions("json", ""), pa.schema([("a", pa.int32())]))
        text = b'{\n "a": 1}\n{\n "a": 2}'
        lines = Lines(text, np.array([0, 11, 13], np.int32), np.array([10, 12, len(text)], np.int32), 0)
        rows, corrupt = rows_of(decoder, iter([lines]), TimestampContext())
        assert (rows, corrupt) == ([[1], [None], [None]], [False, True, True])


# --------------------------------------------------------------------------------------------- through the front door


JAVA = """\
2026-11-22 10:00:00,123 ERROR [http-1] c.a.Pay - charge failed
java.lang.IllegalStateException: no such card
\tat com.acme.Pay.charge(Pay.java:17)
\tat com.acme.Pay.main(Pay.java:3)
Caused by: java.io.IOException: closed

\t... 2 more
"""
PYTHON = """\
2026-11-22 10:00:01,000 ERROR [worker] jobs - task 17 failed
Traceback (most recent call last):
  File "jobs.py", line 3, in run
    1 / 0
    ~~^~~
ZeroDivisionError: division by zero
"""
GO = """\
2026-11-22 10:00:02,500 FATAL [main] srv - panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.main()
\t/src/main.go:8 +0x1d
exit status 2
"""
SHORT = "2026-11-22 10:00:03,000 INFO [main] srv - fine\n"
TEMPLATE = "{ts:timestamp} {level} [{thread}] {logger} - {message}"
BY_REGEX = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ "


class TestReading:
    @pytest.mark.parametrize("form", ["true", BY_REGEX])
    @pytest.mark.parametrize("suffix", [suffix for suffix, _ in CODECS.values()])
    def test_stack_traces_join_the_message(self, form: str, suffix: str, tmp_path: Path) -> None:
        records = [JAVA, PYTHON, SHORT, GO, SHORT]
        write(tmp_path, {f"a.log{suffix}": "\n\n".join(records)})
        rows = read(tmp_path, template=TEMPLATE, multiLine=form, metadata=True, maxPartitionBytes=100, mode="FAILFAST")
        rows.sort(key=lambda row: row["_metadata"]["record_offset"])
        assert [row["message"] for row in rows] == [record.split(" - ", 1)[1].rstrip("\n") for record in records]
        assert [row["level"] for row in rows] == ["ERROR", "ERROR", "INFO", "FATAL", "INFO"]

    @pytest.mark.parametrize("form", ["true", BY_REGEX])
    def test_blank_lines_comments_and_line_ends(self, form: str, tmp_path: Path) -> None:
        text = "\n\n  orphan\n# no\r\n\r\n" + SHORT + "#\n\r\n  more\r\n# x\n  and more\n\n\n" + SHORT + "\n#"
        write(tmp_path, {"a.log": text, "b.log.gz": text})
        for size in (1, 7, 1000):
            options = {"metadata": True, "columnNameOfCorruptRecord": "raw", "maxPartitionBytes": size}
            rows = read(tmp_path, template=TEMPLATE, multiLine=form, commentPrefix="#", **options)
            for name in ("a.log", "b.log.gz"):
                mine = [row for row in rows if row["_metadata"]["file_name"] == name]
                mine.sort(key=lambda row: row["_metadata"]["record_offset"])
                assert [(row["message"], row["raw"]) for row in mine] == [
                    (None, "  orphan"),
                    ("fine\n\r\n  more\r\n  and more", None),
                    ("fine", None),
                ]
                assert [row["_metadata"]["record_offset"] for row in mine] == [
                    2, text.index("2026"), text.rindex("2026"),
                ]  # fmt: skip

    @pytest.mark.parametrize("form", ["true", BY_REGEX])
    def test_a_file_of_another_format_is_not_joined(self, form: str, tmp_path: Path) -> None:
        lines = [f"22.11.2026 01:00:{second:02} ERROR other format" for second in range(12)]
        write(tmp_path, {"a.log": "\n\n".join(lines), "b.log": "\n".join([*lines, SHORT + "  more", "  and more"])})
        for size in (20, 100, 10_000):
            rows = read(
                tmp_path, template=TEMPLATE, multiLine=form, metadata=True, columnNameOfCorruptRecord="raw",
                maxPartitionBytes=size,
            )  # fmt: skip
            for name, expected in (("a.log", lines), ("b.log", [*lines, None])):
                mine = [row for row in rows if row["_metadata"]["file_name"] == name]
                mine.sort(key=lambda row: row["_metadata"]["record_offset"])
                assert [row["raw"] for row in mine] == expected
            assert mine[-1]["message"] == "fine\n  more\n  and more"

    def test_lines_before_the_first_record_are_judged_by_themselves(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.json": '{"a": 1}\nx\n{"a": 2}\n[\n{"b": 3,\n "a": 3}\n'})
        rows = read(tmp_path, json=True, multiLine=r'^\{"b"', schema="a int, _corrupt_record string")
        assert [tuple(row.values()) for row in rows] == [(1, None), (None, "x"), (2, None), (None, "["), (3, None)]

    def test_joined_lines_are_counted(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        text = "no record\n" + SHORT + JAVA + SHORT + PYTHON
        write(tmp_path, {"a.log": text, "b.log.gz": text})
        first = text.index("java.lang.Illegal")
        for size in (60, 10_000):
            summary = ScanSummary()
            caplog.clear()
            with caplog.at_level("INFO", "pyspark_logs"):
                reader = scan(tmp_path, summary=summary, template=TEMPLATE, multiLine=True, maxPartitionBytes=size)
                reader.read_all()
            assert (summary.records, summary.corrupt, summary.joined) == (10, 2, 20)
            (message,) = [r.getMessage() for r in caplog.records if "belongs to the record before it" in r.getMessage()]
            assert f": the line at byte {first}, " in message

    def test_what_is_selected_moves_no_boundary(self, tmp_path: Path) -> None:
        # The second line has the structure and a level, but no time: it continues the first.
        write(tmp_path, {"a.log": SHORT + "2026-11-99 10:00:00,000 WARN [x] y - z\n" + SHORT})
        for schema in ("level string", "message string", "ts timestamp", pa.schema([])):
            assert scan(tmp_path, template=TEMPLATE, multiLine=True, schema=schema).read_all().num_rows == 2

    def test_json_over_several_lines(self, tmp_path: Path) -> None:
        objects = [{"a": 1, "b": {"c": ["x", "y"]}, "m": "{"}, {"a": 2, "b": {"c": []}, "m": "\\"}]
        write(tmp_path, {"a.json": "\n".join(json.dumps(one, indent=2) for one in objects * 20)})
        for size in (50, 10_000):
            rows = read(tmp_path, json=True, multiLine=r"^\{", maxPartitionBytes=size)
            assert [(row["a"], row["b"], row["m"]) for row in rows] == [(o["a"], o["b"], o["m"]) for o in objects * 20]
        with pytest.raises(FormatError, match=r"^json: multiLine=true .* regular expression"):
            scan(tmp_path, json=True, multiLine=True)

    @pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "cp1252"])
    def test_encodings(self, encoding: str, tmp_path: Path) -> None:
        text = (SHORT.replace("fine", "größer") + "  à la ligne\n\n  ça\n") * 30
        write(tmp_path, {"a.log": text.encode(encoding), "b.log.gz": text.encode(encoding)})
        for form in ("true", BY_REGEX):
            rows = read(tmp_path, template=TEMPLATE, multiLine=form, encoding=encoding, maxPartitionBytes=64)
            assert [row["message"] for row in rows] == ["größer\n  à la ligne\n\n  ça"] * 60

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        text = (SHORT.encode() + b"  \xff\xc3\n") * 3
        write(tmp_path, {"a.log": text})
        for form in ("true", BY_REGEX):
            rows = read(tmp_path, template=TEMPLATE, multiLine=form, metadata=True)
            assert [row["message"] for row in rows] == ["fine\n  \ufffd\ufffd"] * 3
            assert [row["_metadata"]["record_offset"] for row in rows] == [n * len(text) // 3 for n in range(3)]

    def test_a_record_that_is_too_long(self, tmp_path: Path) -> None:
        trace = "\tat x.Y\n" * 20_000
        write(tmp_path, {"a.log": SHORT + SHORT + trace + SHORT + "x" * 200_000 + "\n\tat z\n" + SHORT})
        options: dict[str, Any] = {"template": TEMPLATE, "multiLine": True, "maxRecordBytes": "100k"}
        for size in ("10k", "1m"):
            rows = read(tmp_path, columnNameOfCorruptRecord="raw", maxPartitionBytes=size, **options)
            assert [row["message"] for row in rows] == ["fine", None, "fine", None, "fine"]
            assert [row["raw"] for row in rows] == [
                None, (SHORT + trace)[:65_536], None, "x" * 65_536, None,
            ]  # fmt: skip
        with pytest.raises(RecordError, match=f"the record has {len(SHORT + trace) - 1} bytes, more than"):
            read(tmp_path, mode="FAILFAST", **options)

    def test_filters_see_whole_records(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": (SHORT * 50 + JAVA) * 3})
        for predicate in (Contains("message", "Pay.java:17"), Contains("message", "2 more")):
            rows, metrics, _, _ = read_pushed(str(tmp_path), [predicate], template=TEMPLATE, multiLine="true")
            assert [row["message"] for row in rows] == [JAVA.split(" - ", 1)[1].rstrip("\n")] * 3
            assert (metrics.records, metrics.filtered) == (153, 150)

    @pytest.mark.parametrize(
        ("line", "start", "expected"),
        [(SHORT + "\tat x\n", 0, -(-1_000_000 // len(SHORT + "\tat x\n"))), ("22.11.2026 other\n", 2_000_000, 0)],
    )
    def test_no_more_is_fetched_than_a_split_needs(self, line: str, start: int, expected: int, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": line * (22_000_000 // len(line))})
        reader = LogReader(
            parse_read_options({"path": str(tmp_path), "template": TEMPLATE, "multiLine": "true"}), "level string"
        )
        (task,) = reader.plan().tasks
        (split,) = task.splits
        first = replace(task, splits=(replace(split, start=start, length=1_000_000),))
        read_bytes = []
        store_read = LocalStore.read

        def counted(self: Any, *args: Any, **kwargs: Any) -> Iterator[bytes]:
            for chunk in store_read(self, *args, **kwargs):
                read_bytes.append(len(chunk))
                yield chunk

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LocalStore, "read", counted)
            rows = sum(batch.num_rows for batch in reader.read_task(first))
        assert rows == expected
        assert sum(read_bytes) < 2_500_000

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"template": TEMPLATE, "multiLine": "(?=x)"},
                r"option 'multiLine': '\(\?=x\)': look-ahead at character 1",
            ),
            ({"template": TEMPLATE, "multiLine": r"(a)\1"}, r"'multiLine': .*: back-reference at character 4"),
            ({"template": TEMPLATE, "multiLine": "("}, "option 'multiLine': '\\(' is not a regular expression of RE2"),
            ({"template": "{a} {b:int}", "multiLine": "true"}, "template '{a} {b:int}': multiLine=true"),
            ({"template": "{a} [{b}]", "multiLine": "true"}, "multiLine=true"),
            ({"template": "{a} {b:quoted}", "multiLine": "true"}, "multiLine=true"),
            ({"template": "{a} {b}{? c={c:int}?}", "multiLine": "true"}, "multiLine=true"),
        ],
    )
    def test_what_cannot_work_is_refused(self, options: dict[str, Any], message: str, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": SHORT})
        with pytest.raises(FormatError, match=message):
            scan(tmp_path, **options)

    def test_the_deepest_last_field_counts(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "1 a\n2 b :: c\n  more\n3 d\n  rest\n"})
        rows = read(tmp_path, template="{n:int} {m}{? :: {rest}?}", multiLine=True)
        assert [tuple(row.values()) for row in rows] == [(1, "a", None), (2, "b", "c\n  more"), (3, "d\n  rest", None)]


@st.composite
def any_file(draw: st.DrawFn) -> dict[str, Any]:
    """A file of records of several lines, and how it is to be read."""
    case = draw(strategies.cases(max_lines=8))
    assume(named_fields(parse_template(case.template)) and case.lines)
    lines = draw(st.permutations(case.lines * 2))
    lines += draw(st.lists(st.sampled_from([b"#~ a comment", b"\tat x", b"x" * 90]), max_size=4))
    return {
        "case": case,
        "data": draw(strategies.files(draw(st.permutations(lines)))),
        "suffix": CODECS[draw(st.sampled_from(["none", "none", *CODECS]))][0],
        "partition_bytes": draw(st.sampled_from([5, 17, 60, 1 << 20])),
        "block_bytes": draw(st.sampled_from([1, 16, 100, 1 << 20])),
        "form": draw(st.sampled_from(["true", "^[0-9a-z]", "[1]"])),
    }


class TestNothingIsLost:
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(drawn=any_file())
    def test_every_record_is_one_row(self, drawn: dict[str, Any]) -> None:
        case, form = drawn["case"], drawn["form"]
        described = template_format(case)
        assume(form != "true" or ends_with_text(described.template))

        def begins(line: bytes) -> bool:
            if form == "true":
                return matches(case, line)
            return re.search(form, line.decode("utf-8", "replace"), re.ASCII) is not None

        expected: list[tuple[int, bytes]] = []
        spans: list[list[int]] = []
        begun = False
        for at, line in reference_lines(drawn["data"]):
            if line.startswith(b"#~"):
                continue
            begun = begun or begins(line)
            if not begun or begins(line):
                spans.append([at, at + len(line)])
            spans[-1][1] = at + len(line)
        for start, stop in spans:
            expected.append((start, drawn["data"][start:stop]))
        assume(not any(b"#~" in text for _, text in expected))  # comments within records have tests of their own
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                pyspark_logs.text_lines, "read_lines", functools.partial(read_lines, block_bytes=drawn["block_bytes"])
            )
            patch.setattr(pyspark_logs.file_content, "_PAST_END_BYTES", 7)
            bound_ms = round((case.options["year_bound"] - strategies.EPOCH).total_seconds() * 1000) - 86_400_000
            path = write(Path(folder), {f"a.log{drawn['suffix']}": drawn["data"]}, bound_ms)
            rows = read(
                path, template=case.template, nullValue=case.options["null_value"], escape=case.options["escape"],
                allowTrailing=case.options["allow_trailing"], timeZone=case.options["zone"], metadata=True,
                columnNameOfCorruptRecord="raw", commentPrefix="#~", multiLine=form,
                maxPartitionBytes=drawn["partition_bytes"], openCostInBytes=1,
            )  # fmt: skip
        rows.sort(key=lambda row: row["_metadata"]["record_offset"])
        assert [row["_metadata"]["record_offset"] for row in rows] == [at for at, _ in expected]
        for row, (_, text) in zip(rows, expected, strict=True):
            parsed = reference_parse(case.template, text, judge_whole=True, **case.options)
            assert (row["raw"] is not None) == parsed.corrupt, (text, row)
            assert all(same(row[name], value) for name, value in parsed.values.items()), (text, row, parsed.values)
