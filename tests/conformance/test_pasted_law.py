"""Formats from configuration against a reference parser that is written from the servers' documentation.

The reference reads back the lines that a format writes, and both read any other line with the same result.
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyspark_logs.errors import RecordError
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.server import UpstreamList
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines, sanitise
from tests.conformance.suite import mutated
from tests.reference.pasted import Part, Value, parse
from tests.support.effort import examples
from tests.support.formats import compile_decoder, compile_encoder, format_schema

EXAMPLES = examples(40)
thorough = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
UTC = timezone.utc


class Format(NamedTuple):
    """A format string and its parts; with ``any_text`` every string value except an empty one can be written."""

    option: str
    spec: str
    parts: list[Part]
    any_text: bool = False

    @property
    def options(self) -> FormatOptions:
        return FormatOptions(self.option, self.spec)

    @property
    def values(self) -> list[Value]:
        return [part for part in self.parts if isinstance(part, Value)]


END = "\n"  # the end of the line, before which the last occurrence of a text is searched
WORD, USER, CLASS = "[^\\x00- ]+", "(?!- ).*(?<! -)", "[^\\x00- \"'(),:;<>=@{|}]+"


def hexed(name: str, *, quoted: bool = False, listed: bool = False, form: str = "") -> Value:
    return Value(name, spelling="hex", quoted=quoted, listed=listed, form=form)


def c_style(name: str, *, quoted: bool = False, listed: bool = False, form: str = "") -> Value:
    return Value(name, spelling="c", quoted=quoted, listed=listed, form=form)


def plain(
    name: str,
    pad: tuple[int, bool] | None = None,
    nulls: tuple[str, ...] = (),
    form: str = "",
    last: tuple[str, str] = ("", ""),
) -> Value:
    return Value(name, pad=pad, nulls=nulls, form=form, last=last)


CLF = "%d/%b/%Y:%H:%M:%S %z"
FORMATS = {
    "nginx combined": Format(
        "nginx",
        '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
        [
            hexed("remote_addr", form=WORD), " - ", hexed("remote_user", form=USER), " [", Value("time_local", CLF), "] ",
            hexed("request", quoted=True), " ", Value("status", "int"), " ", Value("body_bytes_sent", "long"), " ",
            hexed("http_referer", quoted=True), " ", hexed("http_user_agent", quoted=True),
        ],
        any_text=True,
    ),
    "nginx upstream": Format(
        "nginx",
        '[$upstream_addr] $upstream_status $http_x_forwarded_for $foo rt="$request_time" uct="$upstream_connect_time"',
        [
            "[", hexed("upstream_addr"), "] ", hexed("upstream_status", listed=True), " ",
            hexed("http_x_forwarded_for", listed=True), " ", hexed("foo"), ' rt="', Value("request_time", "double"),
            '" uct=', hexed("upstream_connect_time", quoted=True),
        ],
        any_text=True,
    ),
    "nginx composite": Format(
        "nginx",
        '"$request_method $uri $server_protocol" $msec',
        ['"', hexed("request_method", form=WORD), " ", hexed("uri"), " ", hexed("server_protocol", form=WORD), '" ', Value("msec", "epoch")],
        any_text=True,
    ),
    "nginx json escapes": Format(
        "nginx",
        'escape=json $a|"$b"|$c',
        [Value("a", spelling="json"), "|", Value("b", spelling="json", quoted=True), "|", Value("c", spelling="json")],
        any_text=True,
    ),
    "nginx raw": Format("nginx", 'escape=none $a "$b" $c', [Value("a"), ' "', Value("b"), '" ', Value("c")]),
    "apache combined": Format(
        "apache",
        r'LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined',
        [
            c_style("remote_host", form=WORD), " ", c_style("remote_logname"), " ", c_style("remote_user", form=USER), " [",
            Value("time", CLF), "] ", c_style("request", quoted=True), " ", Value("status", "int"), " ",
            Value("bytes", "long"), " ", c_style("referer", quoted=True), " ", c_style("user_agent", quoted=True),
        ],
        any_text=True,
    ),
    "apache list": Format(
        "apache",
        "%{X-Forwarded-For}i %h %{%Y-%m-%d %H:%M:%S}t.%{usec_frac}t %U",
        [
            c_style("x_forwarded_for", listed=True), " ", c_style("remote_host", form=WORD), " ",
            Value("time", "%Y-%m-%d %H:%M:%S.%6f"), " ", c_style("url_path"),
        ],
        any_text=True,
    ),
    "logback": Format(
        "logback",
        "%d{yyyy-MM-dd HH:mm:ss.SSS} [%-8thread] %-5level %6X{id} %-10.20logger - %msg%n",
        [
            Value("timestamp", "%Y-%m-%d %H:%M:%S.%3f", nulls=()), " [", plain("thread", (8, False), last=("] ", " ")), "] ",
            plain("level", (5, False), form=WORD), " ", plain("id", (6, True), ("", "-")), " ",
            plain("logger", (10, False), ("", "-"), CLASS),
            " - ", plain("message"),
        ],
    ),
    "logback last": Format(
        "logback", "%p [%t:%C@%L] - %m (%c)%n",
        [plain("level", form=WORD), " [", plain("thread", last=(":", "@")), ":", plain("class", form=CLASS), "@",
         Value("line", "int", nulls=("?", "-", "")), "] - ", plain("message", last=(" (", END)), " (",
         plain("logger", (0, False), ("", "-"), CLASS), ")"],
    ),
    "logback right": Format(
        "logback", "%5p|%-4r  %8c:%m", [plain("level", (5, True), form=WORD), "|", Value("relative_ms", "long", pad=(4, False), nulls=()),
        "  ", plain("logger", (8, True), ("", "-"), CLASS), ":", plain("message")],
    ),
}  # fmt: skip

HOSTILE_TEXT = st.lists(
    st.sampled_from([" ", '"', "\\", "-", "|", ":", ",", "[", "]", "a", "Ж", "\n", "\r", "\t", "\x07", " - ", ", ", " : ", "x",
                     "n", "7", "é😀", "\ufeff"]),
    max_size=5,
).map("".join)  # fmt: skip


def values_of(value: Value) -> st.SearchStrategy[Any]:
    if value.type == "string":
        made: st.SearchStrategy[Any] = st.one_of(
            st.sampled_from(["10.0.0.1", "GET / HTTP/1.1", "INFO", "a, b : c", "a (b) c:d", "e@f"]), HOSTILE_TEXT
        )
    elif value.type in ("int", "long"):
        made = (
            st.sampled_from([0, 200, -1, 2**31 - 1])
            if value.type == "int"
            else st.sampled_from([0, 612, 2**60, -(2**40)])
        )
    elif value.type == "double":
        made = st.sampled_from([0.005, 0.0, -1.5, 1e300, 1e-9, math.inf])
    else:
        step = 1000 if "%3f" in value.type or value.type == "epoch" else 1 if "%6f" in value.type else 1_000_000
        made = st.integers(0, 4 * 10**15).map(
            lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros - micros % step)
        )
    return st.one_of(made, st.none()) if value.nulls else made


@st.composite
def rows_of(draw: st.DrawFn, form: Format) -> list[dict[str, Any]]:
    return draw(
        st.lists(st.fixed_dictionaries({one.name: values_of(one) for one in form.values}), min_size=1, max_size=4)
    )


def encoded(form: Format, rows: list[dict[str, Any]], on_unwritable: str = "fail") -> list[str] | None:
    """Returns the lines, or None if a value cannot be written."""
    schema = format_schema(form.options)
    assert schema is not None
    batch = pa.RecordBatch.from_pylist(rows, schema=schema)
    try:
        lines = compile_encoder(form.options, schema, on_unwritable=on_unwritable).encode(batch).to_pylist()
    except RecordError:
        return None
    for line in lines:
        assert line.endswith("\n")
        assert "\n" not in line[:-1]
        assert "\r" not in line
    return [line[:-1] for line in lines]


@thorough
@given(
    st.lists(
        st.tuples(HOSTILE_TEXT | st.none(), HOSTILE_TEXT | st.none(), st.integers(0, 999) | st.none()),
        min_size=1,
        max_size=4,
    )
)
def test_written_json_has_the_values(drawn: list[tuple[str | None, str | None, int | None]]) -> None:
    form = Format("nginx", 'escape=json {"a": "$a", "b":"$b$c", "n":$status}', [])
    rows = [dict(zip("abn", values, strict=True)) for values in drawn]
    for row in rows:
        lines = encoded(form, [row])
        if lines is None:
            assert {"", "-"} & {row["a"], row["b"]}, "only texts that mean null cannot be written"
            continue
        expected = {"a": row["a"] or "", "b": row["b"] or "", "n": row["n"]}
        assert json.loads(lines[0]) == expected
        schema = format_schema(form.options)
        assert schema is not None
        found = compile_decoder(form.options, schema).decode(find_lines(lines[0].encode(), 0), TimestampContext())
        assert {name: column[0].as_py() for name, column in zip("abn", found.columns, strict=True)} == row


def in_utc(value: Any) -> Any:
    """Returns a value with its times in UTC, so that equal times have equal representations."""
    if isinstance(value, dict):
        return {key: in_utc(item) for key, item in value.items()}
    return value.astimezone(UTC) if isinstance(value, datetime) else value


@settings(max_examples=examples(300))
@given(st.text(" ,:a", max_size=8))
def test_list_check_agrees_with_the_end_of_a_list_field(text: str) -> None:
    found = UpstreamList().syntax.match(text + " b")
    ends_there = found is not None and text != "" and found.end() == len(text)
    mask, _ = UpstreamList().check_rendered(pa.array([text]))
    assert mask[0] == (not ends_there), text


@pytest.mark.parametrize("name", FORMATS)
class TestLaw:
    @thorough
    @given(st.data())
    def test_written_rows_are_read_back(self, name: str, data: st.DataObject) -> None:
        form = FORMATS[name]
        for row in data.draw(rows_of(form)):
            lines = encoded(form, [row])
            if lines is not None:
                assert parse(form.parts, lines[0]) == (row, False), lines[0]
            elif form.any_text:
                strings = [(one.form, row[one.name]) for one in form.values if isinstance(row[one.name], str)]
                forms = [re.fullmatch(pattern or ".+", text, re.DOTALL) for pattern, text in strings]
                assert "" in row.values() or None in forms, (
                    "only an empty text and one of another form cannot be written"
                )

    @thorough
    @given(st.data())
    def test_unwritable_values_become_null_or_an_error(self, name: str, data: st.DataObject) -> None:
        form = FORMATS[name]
        for row in data.draw(rows_of(form)):
            strict, lines = encoded(form, [row]), encoded(form, [row], "null")
            assert strict is None or strict == lines
            if lines is not None:
                found, corrupt = parse(form.parts, lines[0])
                assert not corrupt
                assert all(found[key] in (None, value) for key, value in row.items())

    @thorough
    @given(st.data())
    def test_format_and_reference_agree_on_any_line(self, name: str, data: st.DataObject) -> None:
        form = FORMATS[name]
        written = [lines[0] for row in data.draw(rows_of(form)) if (lines := encoded(form, [row], "space"))]
        drawn = data.draw(st.lists(mutated(st.sampled_from(written)), max_size=4)) if written else []
        lines = [line for line in [*written, *drawn] if line]
        schema = format_schema(form.options)
        assert schema is not None
        block = sanitise(find_lines("\n".join(lines).encode(), 0))
        if "\ufeff" in "".join(line[:1] for line in lines[:1]):
            return
        decoded = compile_decoder(form.options, schema, judge_whole=True).decode(block, TimestampContext())
        corrupt = decoded.corrupt.tolist() if decoded.corrupt is not None else [False] * len(lines)
        columns = [column.to_pylist() for column in decoded.columns]
        for line, bad, *values in zip(lines, corrupt, *columns, strict=True):
            expected = parse(form.parts, line)
            found = {key: in_utc(value) for key, value in zip(schema.names, values, strict=True)}
            assert (repr(found), bad) == (repr(in_utc(expected[0])), expected[1]), line
