"""The machine that renders lines: its lines are those of the writers of the formats."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyspark_logs.formats.compiled import render_opcodes
from pyspark_logs.formats.compiled.availability import Machines, machines
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.writing.compiled_renderer import CompiledRenderer
from pyspark_logs.formats.writing.encoder import Encoder
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines, sanitise
from tests.support.effort import examples
from tests.support.formats import compile_decoder, compile_encoder, format_schema
from tests.support.interpreted import FOLDER, interpreted_machines

pytest.importorskip("cython")

DAY_US = 86_400_000_000
LOWEST_US, HIGHEST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
COLUMNS = pa.schema([
    ("text", pa.string()), ("more", pa.string()), ("byte", pa.int8()), ("number", pa.int64()), ("share", pa.float64()),
    ("flag", pa.bool_()), ("at", pa.timestamp("us", "UTC")), ("day", pa.date32()),
])  # fmt: skip
FORMS: dict[str, FormatOptions] = {
    text: FormatOptions("template", text)
    for text in (
        "{ts:timestamp} {level} [{service}] user={user:long} {message}",
        "{a}|{b:int?}|{c:double?}|{d:boolean?}|{e:date?}",
        "{a:quoted?} {b:quoted} {c}",
        "{t:timestamp(%d/%b/%Y:%H:%M:%S %z)?} {b?}",
        "{t:timestamp(%a %e %h %y %I:%M:%S.%f %p %j)} {x:word}",
        "{t:timestamp(%3f %S %L%% %:z)} - {x:class} {y:decimal(9,2)?}",
        "{a}{? b={b}?}{?;{c:int?}?}",
        "{~}{a}{~}{b} -- {c}",
    )
}
FORMS["escape"] = FormatOptions("template", "{a}{? {b}?}, {c?}", escape="backslash", comment_prefix="#")
FORMS |= {
    "json": FormatOptions("json", ""),
    "logfmt": FormatOptions("logfmt", "", null_value="0"),
    "csv": FormatOptions("delimited", ",", comment_prefix="#"),
    "csv with header": FormatOptions("delimited", "||", quote="'", header="first", null_value=""),
    "tsv": FormatOptions("delimited", "\t", quote=None),
}
FORMS |= {
    name: FormatOptions("preset", name)
    for name in ("apache_combined", "nginx_combined", "aws_alb", "log4j", "cloudflare")
}

TEXTS = st.text(st.sampled_from('aB0 -"\\\n\r\t\b|,=é→\x01\x7f\x00[;#'), max_size=6) | st.sampled_from(
    ["plain", "a - b", "-", "", " b=", "- x", "x -", "null", "GET / HTTP/1.1", "\ufeff", "#Fields"]
)
MICROS = st.one_of(
    st.integers(LOWEST_US // DAY_US, HIGHEST_US // DAY_US).map(lambda day: day * DAY_US),
    st.integers(LOWEST_US, HIGHEST_US),
    st.integers(0, 4 * 10**9).map(lambda second: second * 1_000_000),
    st.sampled_from([LOWEST_US - 1, LOWEST_US, -1, 0, HIGHEST_US, HIGHEST_US + 1, -(2**63), 2**63 - 1]),
)
DOUBLES = st.one_of(
    st.floats(),
    st.integers(-(10**6), 10**6).map(lambda number: number / 1000),
    st.floats(0, 1e11),
    st.sampled_from([0.0, -0.0, 1e10, 9_999_999_999.5, 1e-5, 9.9e-6, 0.1 + 0.2, 5e-324, 123_456_789_012_345.0]),
)


def values_of(dtype: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_integer(dtype):
        most = 2 ** (dtype.bit_width - 1)
        return st.sampled_from([0, -1, 7, 200 % most, most - 1, -most]) | st.integers(-most, most - 1)
    by_kind: list[tuple[Callable[[pa.DataType], bool], st.SearchStrategy[Any]]] = [
        (pa.types.is_string, TEXTS), (pa.types.is_boolean, st.booleans()), (pa.types.is_floating, DOUBLES),
        (pa.types.is_timestamp, MICROS), (pa.types.is_date, st.integers(-719_163, 2_932_897)),
        (pa.types.is_decimal, st.decimals(-99, 99, places=2)),
        (pa.types.is_list, st.lists(TEXTS | st.none(), max_size=2)),
    ]  # fmt: skip
    return next((values for is_kind, values in by_kind if is_kind(dtype)), st.none())


def array_of(values: list[Any], dtype: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(dtype):
        return pa.array(values, pa.int64()).cast(dtype)
    return pa.array(values, pa.int32()).cast(dtype) if pa.types.is_date(dtype) else pa.array(values, dtype)


@st.composite
def batches(draw: st.DrawFn, schema: pa.Schema) -> pa.RecordBatch:
    """Batches that are slices of longer ones, whose buffers begin before their first row."""
    count = draw(st.integers(1, 6))
    arrays = []
    for field in schema:
        one = values_of(field.type)
        nullable = st.one_of(one, one, one, st.none()) if draw(st.booleans()) else one
        arrays.append(array_of(draw(st.lists(nullable, min_size=count + 3, max_size=count + 3)), field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema).slice(draw(st.integers(0, 3)), count)


def renderer_of(encoder: Encoder, available: Machines) -> CompiledRenderer:
    checks = encoder.checks
    return CompiledRenderer(available, encoder.writer, checks.rules, proves_records=checks.are_simple)


def compare(encoder: Encoder, batch: pa.RecordBatch, available: Machines) -> int:
    """Compares the renderer with the writer; returns the number of lines that the machine rendered."""
    columns, _ = encoder.writer.cast_lossless(batch)
    expected, found = encoder.writer.render_lines(columns)
    renderer = renderer_of(encoder, available)
    lines, also_found, certain = renderer.render(columns)
    lines.validate(full=True)
    assert [(one.column, one.why, one.rows.tolist()) for one in also_found] == [
        (one.column, one.why, one.rows.tolist()) for one in found
    ]
    writable = ~np.logical_or.reduce([np.zeros(len(lines), np.bool_), *(one.rows for one in found)])
    assert lines.filter(pa.array(writable)).equals(expected.filter(pa.array(writable)))
    plan = encoder.writer.plan_rendering(columns, frozenset(), renderer.rules)
    assert plan is not None
    rendered = plan.program.render(available, plan.inputs, plan.layouts)
    assert rendered is not None
    rows = rendered[1] == 0
    assert writable[rows if plan.doubtful is None else rows & ~plan.doubtful].all()
    if certain is not None:
        assert (
            not encoder.checks.find_unwritable(expected, columns, certain)
            or encoder.writer.uncertain_rows(columns) is not None
        )
    return int(rows.sum())


@functools.cache
def compiled_form(name: str) -> tuple[pa.Schema, Encoder]:
    schema = format_schema(FORMS[name]) or COLUMNS
    return schema, compile_encoder(FORMS[name], schema)


def available_machines() -> list[Any]:
    return [pytest.param(interpreted_machines, id="interpreted"), pytest.param(machines, id="compiled")]


def require(available: Callable[[], Machines | None]) -> Machines:
    found = available()
    if found is None:
        pytest.skip("not compiled")
    return found


@pytest.mark.parametrize("available", available_machines())
@pytest.mark.parametrize("name", FORMS)
@given(data=st.data())
@settings(max_examples=examples(5), suppress_health_check=list(HealthCheck), deadline=None)
def test_the_machine_renders_what_the_writer_renders(
    available: Callable[[], Machines | None], name: str, data: st.DataObject
) -> None:
    schema, encoder = compiled_form(name)
    compare(encoder, data.draw(batches(schema)), require(available))


@pytest.mark.parametrize("available", available_machines())
@pytest.mark.parametrize("name", ["apache_combined", "nginx_combined", "aws_alb", "log4j", "gelf", "aws_vpc_flow"])
def test_the_machine_renders_the_lines_of_presets(available: Callable[[], Machines | None], name: str) -> None:
    options = FormatOptions("preset", name)
    schema = format_schema(options)
    lines = sanitise(find_lines("".join(line + "\n" for line in PRESETS[name].sample).encode(), 0))
    columns = compile_decoder(options, schema).decode(lines, TimestampContext("UTC", 1_795_305_600_000_000)).columns
    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    assert compare(compile_encoder(options, schema), batch, require(available)) > 0


def test_a_value_that_often_is_uncertain_is_rendered_by_the_column_machine() -> None:
    encoder = compile_encoder(FORMS["apache_combined"], format_schema(FORMS["apache_combined"]))
    schema = format_schema(FORMS["apache_combined"])
    rows = [{"remote_host": "h", "request": "GET /é", "user_agent": "é"}] * 300
    columns, _ = encoder.writer.cast_lossless(pa.RecordBatch.from_pylist(rows, schema=schema))
    renderer = renderer_of(encoder, interpreted_machines())
    expected = encoder.writer.render_lines(columns)[0]
    for avoided in (set(), {"request"}, {"request", "user_agent"}):
        assert renderer.avoided == avoided
        assert renderer.render(columns).lines.equals(expected)


def test_lines_that_may_not_fit_in_an_array_are_not_rendered_by_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyspark_logs.formats.compiled.render_program._MAX_BYTES", 1000)
    encoder = compile_encoder(FormatOptions("template", "{a} {b}"), pa.schema([("a", pa.string()), ("b", pa.string())]))
    lines = renderer_of(encoder, interpreted_machines()).render([pa.array(["x"]), pa.array(["y"])]).lines
    assert lines.to_pylist() == ["x y\n"]


def test_the_numbers_of_the_machine_are_those_of_the_compiler() -> None:
    text = (FOLDER / "render_opcodes.pxd").read_text(encoding="utf-8")
    compiled = {name: int(number) for name, number in re.findall(r"^    (\w+) = (\d+)$", text, re.MULTILINE)}
    assert compiled == {name: number for name, number in vars(render_opcodes).items() if name.isupper()}
