"""Lines of several formats: each line is a row of the first member that matches it alone."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions, parse_read_options
from pyspark_logs.records import find_lines
from pyspark_logs.schema import parse_ddl
from tests.conformance.suite import FormatConformance, mutated
from tests.support.decoding import DecodedText
from tests.support.formats import compile_decoder, line_format

NAME = "format"
APP = {"template": "{ts:timestamp} {level} [{service}] took={took:double?} {message}", "name": "app"}


class TestAnyOf(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "anyOf": [{"preset": "nginx_combined"}, APP, {"json": True}],
        "formatColumn": NAME,
        "schema": "format string, remote_addr string, status long, ts timestamp, level string, took double, n int, message string",
    }
    lines: ClassVar[list[str]] = [
        '127.0.0.1 - bob [22/Nov/2026:01:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "curl"',
        "2026-11-22T01:00:11.045Z INFO [checkout] took=3.5 order accepted",
        '{"ts": "2026-11-22T01:00:12Z", "level": "WARN", "n": 7, "message": "slow"}',
        "2026-11-22T01:00:13Z INFO [checkout] took=- order 7",
        "{}",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"format": "nginx_combined", "remote_addr": "127.0.0.1", "status": 200, "ts": None, "level": None, "n": None},
        {"format": "app", "remote_addr": None, "level": "INFO", "took": 3.5, "message": "order accepted", "n": None},
        {"format": "json", "remote_addr": None, "level": "WARN", "took": None, "message": "slow", "n": 7},
        {"format": "app", "remote_addr": None, "level": "INFO", "took": None, "message": "order 7"},
        {"format": "json", "remote_addr": None, "ts": None, "level": None, "n": None},
    ]
    writes = False


MEMBERS: list[dict[str, Any]] = [
    *({"preset": name} for name in ("nginx_combined", "klog", "docker_json", "syslog_rfc3164")),
    APP,
    {"json": True},
    {"regex": r"(?P<code>\d+) (?P<message>.*)"},
    {"delimited": "|", "schema": "ts timestamp, code int, message string"},
    {"logfmt": True},
]
OTHER_LINES = {
    "app": TestAnyOf.lines[1::2],
    "json": ['{"level": "INFO", "status": 7}', "{}", '{"stream": "stdout"}'],
    "regex": ["17 seventeen", "8 "],
    "delimited": ["2026-11-22T01:00:11Z|7|none", "-|-|-", "2026-11-22|x|"],
    "logfmt": ["level=INFO code=7 flag", 'message="a b" status=x'],
}
PAIRS = list(itertools.permutations(MEMBERS, 2))


def options_of(members: list[dict[str, Any]]) -> FormatOptions:
    return parse_read_options({"path": "/nowhere", "anyOf": members, "formatColumn": NAME}).format


def lines_of(name: str) -> list[str]:
    lines = PRESETS[name].sample if name in PRESETS else OTHER_LINES[name]
    return [line for line in lines if line]


class LineAlone(NamedTuple):
    """A line as the first member that matches it reads it alone.

    Attributes:
        name: name of the member; None if no member matches.
        values: values by column in lower case.
        is_corrupt: True if no member matches, or a value of an open member is not of the requested type.
    """

    name: str | None
    values: dict[str, pa.Scalar]
    is_corrupt: bool


def read_alone(members: FormatOptions, line: str, schema: pa.Schema) -> LineAlone:
    """Reads a line by each member in turn, as a load of this format alone would; an open member has the columns of the schema."""
    for member in members.members:
        if member.schema is not None:  # the schema names all values
            known = parse_ddl(member.schema)
        else:
            known = line_format(member.options).schema() or pa.schema([])
        if decode(member.options, known, line)[1]:
            continue
        # Only JSON has maps.
        readable = [field for field in schema if member.name != "logfmt" or not pa.types.is_map(field.type)]
        columns = known if len(known) else pa.schema(readable)
        values, is_corrupt = decode(member.options, columns, line)
        return LineAlone(member.name, {name.lower(): value for name, value in values.items()}, is_corrupt)
    return LineAlone(None, {}, True)


def decode(options: FormatOptions, schema: pa.Schema, line: str) -> tuple[dict[str, pa.Scalar], bool]:
    """Returns the values of a line in a format, and True if it is corrupt."""
    decoder = compile_decoder(options, schema, judge_whole=True)
    decoded = decoder.decode(find_lines(line.encode(), 0), TimestampContext())
    values = {name: column[0] for name, column in zip(schema.names, decoded.columns, strict=True)}
    return values, decoded.corrupt is not None and bool(decoded.corrupt.any())


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_each_line_is_of_the_first_member_that_matches_it_alone(data: st.DataObject) -> None:
    """Holds for any requested columns and for lines in one block."""
    options = options_of(list(data.draw(st.sampled_from(PAIRS))))
    samples = [line for member in options.members for line in lines_of(member.name)]
    chosen = st.sampled_from(samples)
    lines = data.draw(st.lists(st.one_of(chosen, mutated(chosen)).filter(str.strip), min_size=1, max_size=5))
    merged = line_format(options).schema()
    assert merged is not None
    columns = pa.schema([field for field in merged if field.name not in ("severity", NAME)])  # types that differ
    requested = data.draw(st.sampled_from([columns, pa.schema([]), data.draw(some_columns(columns))]))
    schema = requested.append(pa.field(NAME, pa.string()))
    decoded = compile_decoder(options, schema).decode(find_lines("\n".join(lines).encode(), 0), TimestampContext())
    for row, line in enumerate(lines):
        expected = read_alone(options, line, requested)
        assert (decoded.corrupt is not None and bool(decoded.corrupt[row])) == expected.is_corrupt, line
        found = {name.lower(): array[row].as_py() for name, array in zip(schema.names, decoded.columns, strict=True)}
        assert found.pop(NAME) == expected.name, line
        for name, value in found.items():
            other = expected.values.get(name)
            assert repr(value) == repr(None if other is None else other.cast(columns.field(name).type).as_py()), (
                name,
                line,
            )


@st.composite
def some_columns(draw: st.DrawFn, schema: pa.Schema) -> pa.Schema:
    if not len(schema):
        return schema
    return pa.schema(draw(st.lists(st.sampled_from(list(schema)), unique_by=lambda field: field.name, max_size=3)))


@pytest.mark.parametrize("size", [1, 40, 300])
def test_the_members_do_not_depend_on_blocks(size: int) -> None:
    options = options_of([{"preset": "klog"}, APP, {"logfmt": True}])
    text = "\n".join([*lines_of("klog"), *lines_of("app"), "a=b", *lines_of("klog"), "x"] * 3).encode()
    schema = pa.schema([pa.field(NAME, pa.string())])
    assert DecodedText(options, text, schema, block_bytes=size).rows == DecodedText(options, text, schema).rows
