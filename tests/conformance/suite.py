"""Conformance suite that the tests of every line format inherit.

A subclass gives the options of the format, some of its lines and their rows. The tests use the public functions, so that they
include files, splits, codecs and headers.
"""

from __future__ import annotations

import gzip
import os
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.errors import FormatError, RecordError, SchemaError
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.json.concatenated import value_spans
from pyspark_logs.formats.json.format import JsonFormat
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import parse_read_options
from pyspark_logs.records import find_lines, read_lines, sanitise
from tests.support.conditions import quote
from tests.support.effort import examples, length
from tests.support.formats import line_format

LONG = length(1 << 20)
NOON = 1_795_348_800  # 2026-11-22T12:00:00Z
EXAMPLES = examples(30)  # for each format
# Cases that `make test-all` adds to each format: about sixty formats run the suite.
SLOW = pytest.mark.slow
# Line ends, the presence of the last one, and byte order marks: all pairs of these in `make test`.
QUICK_ENDS = {("crlf", True, "\ufeff"), ("crlf", False, ""), ("lf", False, "\ufeff"), ("lf", True, "")}
ENDS = [
    pytest.param(
        end,
        ended,
        mark,
        id=f"{'bom' if mark else 'plain'}-{'ended' if ended else 'unended'}-{name}",
        marks=[] if (name, ended, mark) in QUICK_ENDS else [SLOW],
    )
    for mark in ("", "\ufeff")
    for ended in (True, False)
    for name, end in (("crlf", "\r\n"), ("lf", "\n"))
]
HOSTILE = ['"', "[", "\\"]
UNFRIENDLY = [
    "]",
    "{",
    "}",
    "(",
    "=",
    ":",
    " ",
    "-",
    "|",
    ",",
    "%",
    "\t",
    "a",
    '\\"',
    '" ',
    '="',
    "a=",
    '{"',
    "[{",
    '""',
    "1.",
]


def utc_text(seconds: int) -> str:
    """Returns a time in seconds since 1970 as text."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


class FormatConformance:
    """Properties that users expect of every line format.

    Attributes:
        options: options of the format, with ``schema`` if the format needs one.
        lines: some lines that match; in one of them all values that can be null are null.
        rows: values of these lines. A row may omit columns.
        head: text at the beginning of each file, line ends included.
        broken: line that does not match; None: every line matches.
        writes: True if the format can be written.
    """

    options: ClassVar[dict[str, Any]]
    lines: ClassVar[list[str]]
    rows: ClassVar[list[dict[str, Any]]]
    head: ClassVar[str] = ""
    broken: ClassVar[str | None] = "\x01 no such line"
    writes: ClassVar[bool] = True

    # --- helpers ----------------------------------------------------------------------------------------------

    def read(self, folder: Path, text: str | bytes, name: str = "a.log", **options: Any) -> list[dict[str, Any]]:
        """Returns the rows of one file."""
        folder.mkdir(exist_ok=True)
        raw = text if isinstance(text, bytes) else text.encode()
        (folder / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return pyspark_logs.scan(str(folder / name), **{**self.options, **options}).read_all().to_pylist()

    def file(self, lines: list[str] | None = None, end: str = "\n") -> str:
        """Returns the text of a file with the given lines; without an argument, with all lines of the format."""
        return self.head.replace("\n", end) + "".join(line + end for line in (self.lines if lines is None else lines))

    def schema(self) -> pa.Schema:
        """Returns the columns of the rows: those of the option ``schema``, otherwise those of the format."""
        options = {**self.options, "path": "/nowhere"}
        known = line_format(parse_read_options({**options, "schema": None}).format).schema()
        if "schema" in self.options:
            parsed = parse_read_options(options).schema
            from pyspark_logs.schema import parse_ddl

            return parse_ddl(parsed or "")
        assert known is not None, "a format whose columns are inferred needs the option schema"
        return known

    def format(self) -> LineFormat:
        """Returns the format of the options."""
        return line_format(parse_read_options({**self.options, "path": "/nowhere", "schema": None}).format)

    def decoder(self, schema: pa.Schema, *, judge_whole: bool = True) -> Decoder:
        """Returns a decoder of the columns of a schema."""
        return self.format().decoder(Projection(schema, judge_whole=judge_whole))

    # --- values -----------------------------------------------------------------------------------------------

    def test_the_lines_are_the_rows(self, tmp_path: Path) -> None:
        found = self.read(tmp_path, self.file())
        assert [
            {key: row[key] for key in expected} for row, expected in zip(found, self.rows, strict=True)
        ] == self.rows

    def test_not_one_good_line_is_corrupt(self, tmp_path: Path) -> None:
        assert len(self.read(tmp_path, self.file(), mode="FAILFAST")) == len(self.lines)

    def test_each_column_alone_is_what_it_is_among_all(self, tmp_path: Path) -> None:
        all_rows = self.read(tmp_path, self.file())
        schema = self.schema()
        for field in schema:
            alone = self.read(tmp_path, self.file(), schema=pa.schema([field]))
            assert alone == [{field.name: row[field.name]} for row in all_rows], field.name

    def test_columns_in_the_other_order(self, tmp_path: Path) -> None:
        other = pa.schema(list(reversed(list(self.schema()))))
        found = self.read(tmp_path, self.file(), schema=other)
        assert found == [{name: row[name] for name in other.names} for row in self.read(tmp_path, self.file())]

    def test_filters_by_each_column(self, tmp_path: Path) -> None:
        """The rows are those of a read without the filter that satisfy it, whatever is decoded first."""
        # Parts of lines are corrupt, but not for a decoder whose columns end before.
        parts = [line[: len(line) * part // 4] for line in self.lines for part in (1, 2, 3)] if self.has_lines() else []
        text = self.file([*self.lines, *parts, *self.lines])
        rows = self.read(tmp_path, text, schema=self.judged())
        fields = list(self.schema())
        for field in fields[:: -(-len(fields) // 6)]:
            values = [row[field.name] for row in rows]
            kept = {value for value in values if isinstance(value, (int, str)) and not isinstance(value, bool)}
            for value in [*sorted(kept)[:1], None]:
                test = "IS NULL" if value is None else f"= {quote(value) if isinstance(value, str) else value}"
                where = f"`{field.name}` {test}"
                expected = [row for row in rows if row[field.name] == value]
                assert self.read(tmp_path, text, schema=self.judged(), where=where) == expected, where

    def test_small_files_are_read_as_each_by_itself(self, tmp_path: Path) -> None:
        """Files that are decoded together give the rows of each file, whose time is that of its rows without one."""
        if not self.has_lines():
            pytest.skip("documents are not decoded together")
        for number, line in enumerate([*self.lines, self.lines[0], self.lines[0][: len(self.lines[0]) // 2]]):
            path = tmp_path / f"{number}.log"
            path.write_text(self.file([line]))
            os.utime(path, (NOON - 3600 * number,) * 2)
        schema = self.judged()
        by_file = schema.append(
            pa.field("_metadata", pa.struct([("file_name", pa.string())]))
        )  # so that files are not joined
        name = next((field.name for field in schema if pa.types.is_string(field.type)), "bad")
        given = {
            **self.options,
            "where": f"`{name}` IS NOT NULL OR bad IS NOT NULL",
            "startTime": utc_text(NOON - 5400),
        }
        found, expected = (
            pyspark_logs.scan(tmp_path, **{**given, "schema": one}).read_all() for one in (schema, by_file)
        )
        assert found.to_pylist() == expected.select(schema.names).to_pylist()

    def has_lines(self) -> bool:
        """Returns True if a record is a line, so that a part of a line has no effect on other records."""
        return not self.format().reads_documents

    # --- files ------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(("end", "ended", "mark"), ENDS)
    def test_line_ends_and_byte_order_marks(self, tmp_path: Path, end: str, ended: bool, mark: str) -> None:
        text = mark + self.file(end=end)
        assert self.read(tmp_path, text if ended else text.removesuffix(end)) == self.read(tmp_path, self.file(), "b")

    def test_blank_lines_are_no_records(self, tmp_path: Path) -> None:
        text = self.head + "\n\r\n" + "\n\n".join(self.lines) + "\n\n"
        assert self.read(tmp_path, text) == self.read(tmp_path, self.file(), "b")

    def test_lines_of_spaces_and_tabs_are_no_records(self, tmp_path: Path) -> None:
        if not self.format().blanks:
            pytest.skip("such lines may be records of the format")
        text = self.head + " \n\t\r\n" + "\n  \t\n".join(self.lines) + "\n \n\t"
        assert self.read(tmp_path, text) == self.read(tmp_path, self.file(), "b")

    def test_padding_of_preallocated_and_truncated_files_is_no_record(self, tmp_path: Path) -> None:
        whole = self.read(tmp_path, self.file(), "b")
        limit = max(200, len(self.head))  # a header above the limit is an error
        padding = "\0" * (limit + 100)
        for end in ("", "\n"):
            assert self.read(tmp_path, self.file() + padding + end, maxRecordBytes=limit) == self.read(
                tmp_path, self.file(), "b", maxRecordBytes=limit
            )
            assert self.read(tmp_path, self.file() + padding + end) == whole
        assert self.read(tmp_path, padding + self.file()) == whole
        assert self.read(tmp_path, self.file().removesuffix("\n") + padding) == whole

    def test_compressed(self, tmp_path: Path) -> None:
        assert self.read(tmp_path, self.file(), "a.log.gz") == self.read(tmp_path, self.file(), "b")

    @pytest.mark.parametrize("size", [1, pytest.param(7, marks=SLOW), 64, pytest.param(1000, marks=SLOW)])
    def test_blocks_of_any_size(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
        # Bytes that are not UTF-8 follow blocks of ASCII, also within a value of several lines.
        last = self.file(self.lines * 2).removeprefix(self.head).encode().replace(b"\n", b"\xe9\n")
        text = self.file(self.lines * 3).encode() + last
        whole = [self.read(tmp_path, text), self.read(tmp_path, text, encoding="latin-1")]
        monkeypatch.setattr("pyspark_logs.text_lines.read_lines", partial(read_lines, block_bytes=size))
        assert [self.read(tmp_path, text), self.read(tmp_path, text, encoding="latin-1")] == whole

    @pytest.mark.parametrize("size", [pytest.param(7, marks=SLOW), 30, pytest.param(100, marks=SLOW)])
    def test_splits_of_any_size(self, tmp_path: Path, size: int) -> None:
        whole = self.read(tmp_path, self.file(self.lines * 3))
        assert self.read(tmp_path, self.file(self.lines * 3), maxPartitionBytes=size, openCostInBytes=1) == whole

    def test_files_without_a_record(self, tmp_path: Path) -> None:
        for mark in ("", "\ufeff"):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
                assert self.read(tmp_path, mark.encode(encoding), schema=self.schema()) == []
        assert self.read(tmp_path, self.head, schema=self.schema()) == []
        assert self.read(tmp_path, self.head + "\n\n", schema=self.schema()) == []

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        """They become U+FFFD in a value or in the text of a corrupt row. Other rows do not change."""
        good = self.read(tmp_path, self.file(), schema=self.judged())
        for place in {0, len(self.lines[0]) // 2, len(self.lines[0])}:
            line = self.lines[0].encode()
            text = (
                self.file([]).encode()
                + line[:place]
                + b"\xff\xfe"
                + line[place:]
                + b"\n"
                + self.file().encode()[len(self.head.encode()) :]
            )
            found = self.read(tmp_path, text, "b", schema=self.judged())
            assert found[1:] == good
            assert found[0]["bad"] is None or "\ufffd" in found[0]["bad"]

    # --- lines that do not match --------------------------------------------------------------------------------

    def judged(self) -> pa.Schema:
        """Returns all columns and the column of corrupt records."""
        return self.schema().append(pa.field("bad", pa.string()))

    @pytest.fixture(autouse=True)
    def _corrupt_column(self) -> None:
        self.options = {**type(self).options, "columnNameOfCorruptRecord": "bad"}

    def test_a_broken_line(self, tmp_path: Path) -> None:
        if self.broken is None:  # every line matches
            assert len(self.read(tmp_path, self.file(["\x01", "x y"]), mode="FAILFAST")) == 2
            return
        text = self.file([*self.lines, self.broken, *self.lines])
        found = self.read(tmp_path, text, schema=self.judged())
        good = self.read(tmp_path, self.file(), "b", schema=self.judged())
        assert found[: len(good)] == found[-len(good) :] == good
        assert found[len(good)] == {**dict.fromkeys(self.schema().names), "bad": self.broken}
        assert self.read(tmp_path, text, schema=self.judged(), mode="DROPMALFORMED") == good * 2
        offset = len(self.file().encode())
        with pytest.raises(RecordError, match=rf"a\.log: record at byte {offset} ") as caught:
            self.read(tmp_path, text, schema=self.judged(), mode="FAILFAST")
        assert self.broken[:50] in str(caught.value) or repr(self.broken)[1:50] in str(caught.value)

    def test_a_truncated_last_record(self, tmp_path: Path) -> None:
        """Wherever a file ends, each of its lines is a row, and the rows of complete lines do not change."""
        good = self.read(tmp_path, self.file(), schema=self.judged())
        last = self.lines[0]
        for size in sorted({1, len(last) // 3, len(last) // 2, len(last) - 1}):
            found = self.read(tmp_path, self.file() + last[:size], "b", schema=self.judged())
            assert len(found) == len(good) + (1 if last[:size].strip("\r") else 0)
            assert found[: len(good)] == good

    def test_a_line_of_a_megabyte(self, tmp_path: Path) -> None:
        for long in (self.lines[0] + "x" * LONG, "x" * LONG, '"' + "x" * LONG):
            found = self.read(tmp_path, self.file([long, *self.lines]), schema=self.judged())
            assert found[1:] == self.read(tmp_path, self.file(), "b", schema=self.judged())
            assert found[0]["bad"] in (None, long)

    def test_a_record_that_is_too_long_is_one_corrupt_row(self, tmp_path: Path) -> None:
        most = max(len(line.encode()) for line in [*self.lines, *self.head.splitlines()])
        long = self.lines[0] + "x" * most
        found = self.read(tmp_path, self.file([long, *self.lines]), schema=self.judged(), maxRecordBytes=most)
        assert found[1:] == self.read(tmp_path, self.file(), "b", schema=self.judged())
        assert {**found[0], "bad": None} == dict.fromkeys(self.judged().names)
        assert long.startswith(found[0]["bad"])
        assert found[0]["bad"]

    def records_in(self, line: str) -> int:
        """Returns the number of records in a line: one, or one for each JSON value that follows another."""
        spans = value_spans(line.encode()) if isinstance(self.format(), JsonFormat) else None
        is_several = spans is not None and ("}{" in line or line.startswith("["))
        return len(spans) if spans is not None and is_several else 1

    def test_a_million_of_anything_takes_no_longer_than_a_million(self, tmp_path: Path) -> None:
        """A parser that is not linear would not return in the time of the whole test run."""
        hostile = [
            unit * (size // len(unit)) for units, size in ((HOSTILE, LONG), (UNFRIENDLY, LONG // 16)) for unit in units
        ]
        first = self.lines[0]
        lines = [line for text in hostile for line in (text, first + text, first[: len(first) // 2] + text)]
        found = self.read(tmp_path, self.file([*lines, *self.lines]), schema=self.judged())
        blanks = "\r" + self.format().blanks
        assert len(found) == sum(self.records_in(line) for line in lines if line.strip(blanks)) + len(self.lines)
        assert found[-len(self.lines) :] == self.read(tmp_path, self.file(), "b", schema=self.judged())

    # --- the engines ------------------------------------------------------------------------------------------

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.data())
    def test_the_engines_say_what_the_exact_parser_says(self, data: st.DataObject) -> None:
        self.check_engines(data)

    def check_engines(self, data: st.DataObject) -> None:
        """The lines are those of the format, unchanged and with random changes."""
        lines = [data.draw(mutated(st.sampled_from(self.lines))) for _ in range(data.draw(st.integers(1, 8)))]
        block = sanitise(find_lines("\n".join([*self.lines, *lines]).encode(), 0))
        for judge_whole in (True, False):
            fast = self.decoder(self.schema(), judge_whole=judge_whole)
            fast.min_searched = 1
            slow = Decoder([], fast.line_parser, fast.native, fast.target)
            one, other = fast.decode(block, TimestampContext()), slow.decode(block, TimestampContext())
            bad = [None if part.corrupt is None else part.corrupt.tolist() for part in (one, other)]
            assert bad[0] == bad[1]
            assert dict(one.reasons) == dict(other.reasons), lines
            for mine, theirs, name in zip(one.columns, other.columns, self.schema().names, strict=True):
                assert same(mine, theirs), (name, mine.to_pylist(), theirs.to_pylist(), lines)

    # --- writing ----------------------------------------------------------------------------------------------

    def test_what_is_written_reads_back(self, tmp_path: Path) -> None:
        """A format that can only be read is refused by the writer, which creates no file."""
        table = self.table(tmp_path)
        written = tmp_path / "written"
        if not self.writes:
            with pytest.raises((FormatError, SchemaError), match="read"):
                pyspark_logs.write(table.to_batches(), str(written), **self.described(), schema=table.schema)
            assert not written.exists()
            return
        pyspark_logs.write(table.to_batches(), str(written), **self.described(), schema=table.schema)
        asked = {**self.options, "schema": table.schema, "mode": "FAILFAST"}
        assert pyspark_logs.scan(str(written), **asked).read_all().to_pylist() == table.to_pylist()

    def table(self, folder: Path) -> pa.Table:
        """Returns the rows as a table."""
        folder.mkdir(exist_ok=True)
        (folder / "a.log").write_text(self.file(), encoding="utf-8", newline="")
        return pyspark_logs.scan(str(folder / "a.log"), **{**self.options, "schema": self.schema()}).read_all()

    def described(self) -> dict[str, Any]:
        """Returns the options without the schema."""
        return {name: value for name, value in self.options.items() if name != "schema"}


def same(one: pa.Array, other: pa.Array) -> bool:
    """Returns True if two arrays are equal; NaN equals NaN."""
    return one.type == other.type and repr(one.to_pylist()) == repr(other.to_pylist())


@st.composite
def mutated(draw: st.DrawFn, lines: st.SearchStrategy[str]) -> str:
    """Lines with up to three parts replaced, removed or inserted."""
    line = draw(lines)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(line)))
        size = draw(st.integers(0, 3))
        text = draw(
            st.one_of(st.text('"\\ -:=[]{}|,\t0a.%~ü', max_size=3), st.sampled_from(['""', '\\"', "-", "null"]))
        )
        line = line[:place] + text + line[place + size :]
    return line.replace("\n", " ").replace("\r", " ") or "x"
