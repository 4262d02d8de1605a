"""The compiled engines: availability, metrics, and the machines where they are interpreted."""

from __future__ import annotations

import itertools
import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import OptionError
from pyspark_logs.formats.compiled import availability, opcodes
from pyspark_logs.formats.compiled.availability import Machines, machines
from pyspark_logs.formats.compiled.outputs import UnsupportedError
from pyspark_logs.formats.decoding.decoder import Decoder, Engine
from pyspark_logs.formats.decoding.requested_column import Projection, RequestedColumn
from pyspark_logs.formats.delimited.compiled_engine import CompiledDelimitedEngine
from pyspark_logs.formats.delimited.line_parser import DelimitedLineParser, DelimitedRules, DelimitedSource
from pyspark_logs.formats.delimited.splitter import ValueSplitter
from pyspark_logs.formats.json.compiled_engine import make_json_engine
from pyspark_logs.formats.logfmt.compiled_engine import CompiledLogfmtEngine
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.formats.template.compiled_engine import make_engine
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.registry import retype
from pyspark_logs.formats.types.temporal import Timestamp
from pyspark_logs.formats.types.text import Text
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines, sanitise
from tests.support.formats import line_format
from tests.support.interpreted import FOLDER, interpreted_machines

pytest.importorskip("cython")

CONTEXT = TimestampContext("UTC", 1_795_305_600_000_000)
TEMPLATES = [
    ("{a}|{b:int?}|{c:double?}|{d:boolean?}|{e:epoch(s)?}", ["x|1|2.5|TRUE|1795305600.25", "y|-||-|-", "z|+7|1e3|0|-1"]),
    ("{a:double} {b:double}", ["0.1 12345678901234567890", ".5 1e-30", "5. 123456.789e3", "1e400 x"]),
    ("{t:timestamp(%b %d %H:%M:%S)} {rest}", ["Nov  2 01:00:11 x", "Feb 29 23:59:59 y", "Foo 2 x"]),
    ("{t:timestamp(%y%m%d %H%M%S.%f)} {n:long}", ["261122 010011.5 1", "26112 010011.5 1", "26132 0100 1"]),
    ("{d:date} {t:timestamp}{? {q:quoted?}{? {e:enum(a|b)}?}?}", [
        '2026-11-22 2026-11-22T01:00:11,5+01:00 "x \\" y" b', "2026-02-30 2026-11-22 01:00", "2026-11-22 0001-01-01T00:00Z",
    ]),
    ("{t:timestamp(%a %d %B %Y %z)}{~}{w:word} {h:host} {i:ip} {c:class}", [
        "Sun 22 November 2026 -0130 \tw h.example 192.0.2.7 a.B", "Mon 1 May 1969 Z w [::1] ::1 a", "x",
    ]),
    ("{a>} ({b}) {c}", ["x (y) (z) w", "x y", "(a) (b) c"]),
    ("{a>} - {b>} - {c}", ["x - y - z - w", "x - y"]),
    ("{a}{? b={b}?}{?;{c}?}", ["x b=1;2", "x;2", "x", "x b=1"]),
]  # fmt: skip


def compare(form: TemplateFormat, lines: list[str], schema: pa.Schema, **options: bool) -> int:
    """Compares the interpreted machine with the line parser; returns the number of certain lines."""
    decoder = form.decoder(Projection(schema, judge_whole=options.get("judge_whole", False)))
    parser = decoder.line_parser
    engine = make_engine(interpreted_machines(), form.template, columns_of(parser), rules_of(parser))
    return check(engine, decoder, lines, CONTEXT)


def check(engine: Engine, decoder: Decoder, lines: list[str], context: TimestampContext) -> int:
    """Compares the lines that an engine decodes with those of the line parser; returns their number."""
    block = sanitise(find_lines("\n".join(lines).encode(), 0))
    decoded = engine.parse(block.block, block.starts, block.ends, context)
    if decoded is None:
        return 0
    exact = Decoder([], decoder.line_parser, decoder.native, decoder.native).decode(block, context)
    rows = np.arange(len(block)) if decoded.rows is None else decoded.rows
    reasons = {int(row): exact.reasons[row] for row in rows if row in exact.reasons}
    assert dict(decoded.block_reasons()) == reasons
    for mine, theirs in zip(decoded.columns, exact.columns, strict=True):
        mine.validate(full=True)
        assert mine.to_pylist() == theirs.take(pa.array(rows)).to_pylist()
    # The strings of a second block are copied while it is parsed.
    again = engine.parse(block.block, block.starts, block.ends, context) or decoded
    for first, second in zip(decoded.columns, again.columns, strict=True):
        second.validate(full=True)
        assert second.equals(first)
    return len(rows)


def columns_of(parser) -> list[RequestedColumn[str]]:
    return list(getattr(parser, "template_parser", parser).columns)


def rules_of(parser):
    return getattr(parser, "template_parser", parser).rules


@pytest.mark.parametrize("judge_whole", [False, True])
@pytest.mark.parametrize(("template", "lines"), TEMPLATES, ids=[template for template, _ in TEMPLATES])
def test_the_interpreted_machine_agrees_with_the_line_parser(
    template: str, lines: list[str], judge_whole: bool
) -> None:
    form = line_format(FormatOptions("template", template))
    assert compare(form, lines, form.schema(), judge_whole=judge_whole) > 0
    for field in form.schema():
        compare(form, lines, pa.schema([field]), judge_whole=judge_whole)


@pytest.mark.parametrize("sizes", [(1, 1, 2000), (100, 200, 230), (3, 0, 300, 60)], ids=str)
@pytest.mark.parametrize("available", [machines, interpreted_machines])
def test_strings_of_blocks_with_other_lengths(available: Callable[[], Machines | None], sizes: tuple[int, ...]) -> None:
    """Strings that do not fit in the memory of the block before are copied afterwards, also after lines that are uncertain."""
    found = available()
    if found is None:
        pytest.skip("not compiled")
    form = line_format(FormatOptions("template", "{a},{b:quoted},{c?}"))
    parser = form.decoder(Projection(form.schema())).line_parser
    engine = make_engine(found, form.template, columns_of(parser), rules_of(parser))
    for size in sizes:
        rows = [
            ("a" * (size + n % 7), "b" * (size // 2) + '"' * (n == 8), None if n in (2, 7) else "é" * size or None)
            for n in range(9)
        ]
        lines = [",".join((a, json.dumps(b), c or "-")) for a, b, c in rows]
        lines.insert(5, "a" * 5000 + ',"')
        block = find_lines("\n".join(lines).encode(), 0)
        decoded = engine.parse(block.block, block.starts, block.ends, CONTEXT)
        assert decoded is not None
        assert list(zip(*(column.to_pylist() for column in decoded.columns), strict=True)) == rows


PASTED = [
    (FormatOptions("logback", "%d{ISO8601} %-5level [%thread] %logger{36} - %msg%n"), [
        "2026-11-22 01:00:11,045 INFO  [main] a.b.C - hello", "2026-11-22 01:00:11,045 ERROR [ä b] a - y - z", "x",
        "2026-11-22 01:00:11,045 WARN   [main] a - b",
    ]),
    (FormatOptions("logback", "%5p %-8t %8c %m%n"), [" INFO main          a.B x", "ERROR äöü        aaaaaaaaa x", "INFO  a b c"]),
    (FormatOptions("nginx", '$remote_addr "$request" $upstream_addr [$time_local] $upstream_response_time $status'), [
        '192.0.2.7 "GET / HTTP/1.1" 10.0.0.1:80, 10.0.0.2:80 [22/Nov/2026:01:00:11 +0000] 0.1, 0.2 200',
        '192.0.2.7 "GET \\x22 HTTP/1.1" 10.0.0.1:80 [22/Nov/2026:01:00:11 +0000] 0.1 200',
        '192.0.2.7 "-" - [22/Nov/2026:01:00:11 +0000] - 200', '192.0.2.7 "a"  [22/Nov/2026:01:00:11 +0000] - 200',
    ]),
    (FormatOptions("template", "{a} {b:int?}", allow_trailing=True), ["x 1 rest", "x -", "x 1", "x  y", "x 1x"]),
    (FormatOptions("template", "{a} {q:quoted?}{? {}?}", allow_trailing=True), ['x "1" rest', 'x - y', 'x "1"z', "x"]),
    (FormatOptions("template", "{a}|{b:word}|{c}", escape="backslash"), [r"a\tb|c|\x41", r"a|b\|c|d", "a|b|c", r"a|b|\\"]),
    (FormatOptions("template", "{a:date?}{b:timestamp?} {c:timestamp}"), [
        "2026-11-222026-11-22T01:00Z 2026-11-22 01:00:11.123456789-23:59", "2026-02-30- 2026-11-22T25:00Z", "- 2026-11-22T01:60",
    ]),
    (FormatOptions("template", "{a}{~}{b?}{? x{c:epoch(ms)?}?}{?\ty{d:epoch(ns)}?}"), [
        "a \t b x1.5\ty-1", "a  - x-", "a b\ty99999999999999999", "a b xx", "a",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("options", "lines"), PASTED, ids=[options.spec for options, _ in PASTED])
def test_pasted_configurations_and_options(options: FormatOptions, lines: list[str]) -> None:
    form = line_format(options)
    assert compare(form, lines, form.schema()) > 0
    for field in form.schema():
        compare(form, lines, pa.schema([field]))
        compare(form, lines, pa.schema([pa.field(field.name, pa.string())]))


RETYPED = [
    pa.int8(), pa.int64(), pa.float64(), pa.float32(), pa.bool_(), pa.date32(), pa.timestamp("us", "UTC"), pa.decimal128(9, 2),
]  # fmt: skip


@pytest.mark.parametrize("dtype", RETYPED, ids=str)
def test_strings_that_are_read_as_other_types(dtype: pa.DataType) -> None:
    form = line_format(FormatOptions("template", "{a?};{b}"))
    values = [
        "1",
        "-128",
        "128",
        "1.5",
        "true",
        "FALSE",
        "2026-11-22",
        "2026-11-22T01:00:11",
        "-",
        "",
        "0x1",
        "1e5",
        "+",
    ]
    lines = [f"{value};{value}" for value in values]
    compare(form, lines, pa.schema([("a", dtype), ("b", pa.string())]))
    assert compare(form, lines, pa.schema([("a", dtype)])) > 1


@pytest.mark.parametrize("preset", [preset for preset in PRESETS.values() if isinstance(
    line_format(FormatOptions("preset", preset.name)), TemplateFormat)], ids=lambda preset: preset.name)  # fmt: skip
def test_the_machine_has_instructions_for_all_presets(preset) -> None:
    form = line_format(FormatOptions("preset", preset.name))
    damaged = [line.replace(":", "-", 3) for line in preset.sample]
    assert compare(form, [*preset.sample, *damaged], form.schema()) >= (preset.name != "cef")


STRUCT = pa.struct([("x", pa.int64()), ("y", pa.struct([("z", pa.bool_())]))])
JSON_SCHEMA = pa.schema([
    ("a", pa.int32()), ("b", pa.string()), ("f", pa.float64()), ("t", pa.timestamp("us", "UTC")), ("d", pa.date32()),
    ("s", STRUCT), ("p", pa.decimal128(5, 2)), ("o", pa.bool_()),
])  # fmt: skip
JSON_LINES = [
    '{"a":1,"b":"x","f":1.5e3,"t":"2026-11-22T01:00:11.5Z","d":"2026-11-22","s":{"x":1,"y":{"z":true}},"p":1.25,"o":false}',
    r'{"b": "\u00e9\ud83d\\\"\n", "a": 2, "c":{"d":[1,{"e":null},[]],"t":"\u12aB"}, "t":"2026-11-22 01:00" }',
    '{ "a" : null ,"c":{"t":null},"z":[],"s":{},"b":12.50}', "{}", '{"a":1,"a":2}', '{"A":1}', '{"s":5}', '{"s":null,"b":true}',
    '{"c":null,"q":[1,]}', '{"a":1} x', '{"a":01}', '{"a":"1"}', r'{"b":"\q"}', r'{"q":"\u12"}', '{"b":{"c":1}}', '{"a":1,}',
    '{"é":1}', '{"q":{"a":1,"a":2},"a":128}', '{"q":[[[{"a":[]}]]],"a":-5}', '{"q":nul}', '{"f":1e400}', "[1]", '{"a":1',
]  # fmt: skip


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_the_interpreted_json_machine_agrees_with_the_line_parser(zone: str) -> None:
    decoder = line_format(FormatOptions("json", "true")).decoder(Projection(JSON_SCHEMA))
    engine = make_json_engine(interpreted_machines(), decoder.line_parser)
    assert check(engine, decoder, JSON_LINES, replace(CONTEXT, zone=zone)) == 8
    assert check(engine, decoder, JSON_LINES[:3] * 3, CONTEXT) == 9


def test_columns_by_paths_and_numbers_in_strings() -> None:
    form = line_format(FormatOptions("preset", "mongodb_json"))
    schema = pa.schema([field for field in form.schema() if field.name in ("t", "s", "id")])
    decoder = form.decoder(Projection(schema))
    engine = make_json_engine(interpreted_machines(), decoder.line_parser)
    lines = ['{"t":{"$date":"2026-11-22T01:00:11.045+00:00"},"s":"I","id":7}', '{"t":null}', '{"t":{"x":1}}', '{"t":1}']
    assert check(engine, decoder, lines, CONTEXT) == 3
    decoder = line_format(FormatOptions("preset", "gelf")).decoder(
        Projection(pa.schema([("timestamp", pa.timestamp("us", "UTC")), ("level", pa.int32())]))
    )
    engine = make_json_engine(interpreted_machines(), decoder.line_parser)
    assert check(engine, decoder, ['{"timestamp":1.5,"level":"6"}', '{"timestamp":"1","level":"x"}'], CONTEXT) == 2


SIGNS, WHOLES = ("", "-"), ("0", "7", "12345678", "123456789", "1" * 15, "1" * 16, "1" * 19, "01", "")
FRACTIONS, EXPONENTS = ("", ".0", ".5", ".1234567", ".12345678", ".", ".5.5"), ("", "e2", "E-1", "x")
NUMBERS = ["".join(parts) for parts in itertools.product(SIGNS, WHOLES, FRACTIONS, EXPONENTS)]
# Each follows each other, so that each is read where the other was expected.
VALUES = [
    '"x"', '""', '"\\n"', '"x', "null", "true", "7", "-0.5", "[1]", "{}", '{"a":1}', '{"a":"x","b":2}', ' "x" ', '"7"', "2147483648",
]  # fmt: skip
SEQUENCES = [
    f"{{{comma}{key}:{value}}}"
    for pair in itertools.product(VALUES, VALUES)
    for comma, key, value in zip(('"z":1,', ' "z":{"a":2},'), ('"a"', ' "a" '), pair, strict=True)
]  # fmt: skip


@pytest.mark.parametrize(
    "dtype", [pa.string(), pa.int64(), pa.int32(), pa.float64(), pa.bool_(), pa.struct([("a", pa.int32())])], ids=str
)
@pytest.mark.parametrize("available", [machines, interpreted_machines])
def test_values_of_json_in_any_order(available: Callable[[], Machines | None], dtype: pa.DataType) -> None:
    found = available()
    if found is None:
        pytest.skip("not compiled")
    for keys in ({"a": dtype}, {"a": dtype, "z": pa.int64()}):
        decoder = line_format(FormatOptions("json", "true")).decoder(Projection(pa.schema(list(keys.items()))))
        assert check(make_json_engine(found, decoder.line_parser), decoder, SEQUENCES, CONTEXT) > 0


@pytest.mark.parametrize("available", [machines, interpreted_machines])
def test_numbers_of_json(available: Callable[[], Machines | None]) -> None:
    found = available()
    if found is None:
        pytest.skip("not compiled")
    numbers = [*NUMBERS, *NUMBERS[-8:]]
    lines = [
        f'{{"n":{number}{rest}}}' for number, rest in zip(numbers, [',"s":""'] * len(NUMBERS) + [""] * 8, strict=True)
    ]
    for dtype in (pa.int64(), pa.int8(), pa.float64(), None):
        schema = pa.schema([("s", pa.string())] if dtype is None else [("n", dtype)])
        decoder = line_format(FormatOptions("json", "true")).decoder(Projection(schema))
        engine = make_json_engine(found, decoder.line_parser)
        assert check(engine, decoder, lines, CONTEXT) > 0
        if dtype == pa.float64():
            block = find_lines("\n".join(lines).encode(), 0)
            decoded = engine.parse(block.block, block.starts, block.ends, CONTEXT)
            assert decoded is not None
            assert decoded.rows is not None
            exact = [float(numbers[row]) for row in decoded.rows.tolist()]
            assert list(map(repr, decoded.columns[0].to_pylist())) == list(map(repr, exact))


@pytest.mark.parametrize("dtype", [pa.list_(pa.int64()), pa.map_(pa.string(), pa.string()), pa.timestamp("us")])
def test_columns_that_the_json_machine_leaves_to_the_other_engines(dtype: pa.DataType) -> None:
    parser = line_format(FormatOptions("json", "true")).decoder(Projection(pa.schema([("a", dtype)]))).line_parser
    with pytest.raises(UnsupportedError):
        make_json_engine(interpreted_machines(), parser)


LOGFMT_SCHEMA = pa.schema([
    ("level", pa.string()), ("n", pa.int64()), ("ok", pa.bool_()), ("ts", pa.timestamp("us", "UTC")), ("f", pa.float64()),
])  # fmt: skip
LOGFMT_LINES = [
    "ts=2026-11-22T01:00:11Z level=info n=5 ok f=1.5 other=x=y", 'level="a b" n=- ok=false f= flag', 'level="x\\"y\\u00e9\\n" n="7"',
    'level="" n=""', "level= n=1", "level=-", 'a="1"level=x', "level", "level=a level=b", "LEVEL=a", 'level="a', 'a"b=1', 'level="\\q"',
    '="x"', "a=1\tlevel=b  n=x", "é=1 level=a", "  level=a  ", "a= a= a", "a=1 b=2 b c", "a=1 b=2 b", "a=1 a b=2",
    r"level=C:\Users", r"level=a\nb n=1", r"other=C:\Users level=x",
]  # fmt: skip


def test_the_interpreted_logfmt_machine_agrees_with_the_line_parser() -> None:
    decoder = line_format(FormatOptions("logfmt", "true")).decoder(Projection(LOGFMT_SCHEMA))
    engine = CompiledLogfmtEngine(interpreted_machines(), decoder.line_parser)
    assert check(engine, decoder, LOGFMT_LINES, CONTEXT) >= 8


DELIMITED_SCHEMA = pa.schema([("a", pa.string()), ("b", pa.int32()), ("c", pa.string()), ("d", pa.decimal128(5, 2))])
DELIMITED_LINES = [
    'x,1,"a ""b"", c",1.25', '"",,"",', "-,-,-,-", "x,1,y", "x,1,y,1,2", 'x,"7",y,"1.5"', 'a"b,1,c,2', '"a"b,1,c,2', '"a,1,c,2',
    r'"a\"",1,c,2', r"a\,1,c,2", "é,-2147483648,,9", "x,2147483648,y,1", '"x",1,"y","1000"',
]  # fmt: skip


@pytest.mark.parametrize("chosen", [["a", "b", "c", "d"], ["b"], ["d", "a"]])
@pytest.mark.parametrize("trailing", [False, True])
def test_the_interpreted_delimited_machine_agrees_with_the_line_parser(chosen: list[str], trailing: bool) -> None:
    splitter, rules = ValueSplitter(",", '"'), DelimitedRules(4, "-", trailing)
    columns = [
        RequestedColumn(name, retype(Text(), DELIMITED_SCHEMA.field(name).type, name), DelimitedSource((index,)))
        for index, name in enumerate(DELIMITED_SCHEMA.names)
        if name in chosen
    ]
    engine = CompiledDelimitedEngine(interpreted_machines(), splitter, columns, rules)
    types = [column.type.arrow() for column in columns]
    decoder = Decoder([], DelimitedLineParser(splitter, columns, rules), types, types)
    assert check(engine, decoder, DELIMITED_LINES, CONTEXT) >= 5


def test_columns_of_several_values_of_a_line() -> None:
    splitter, rules = ValueSplitter("||", None), DelimitedRules(3)
    columns = [
        RequestedColumn("t", Timestamp(), DelimitedSource((0, 1), "Z")), RequestedColumn("n", Text(), DelimitedSource(())),
        RequestedColumn("x", Text(), DelimitedSource((1, 0))),
    ]  # fmt: skip
    engine = CompiledDelimitedEngine(interpreted_machines(), splitter, columns, rules)
    types = [column.type.arrow() for column in columns]
    decoder = Decoder([], DelimitedLineParser(splitter, columns, rules), types, types)
    lines = ["2026-11-22||01:00:11||a", "2026-11-22||-||a", "-||||", "x||y||z", "2026-11-22|||01:00||a"]
    assert check(engine, decoder, lines, CONTEXT) == 5


def test_the_numbers_of_instructions_agree() -> None:
    """``opcodes.pxd`` is for the compiler, ``opcodes.py`` for the interpreter."""
    text = (FOLDER / "opcodes.pxd").read_text(encoding="utf-8")
    compiled = {name: int(number) for name, number in re.findall(r"^    (\w+) = (-?\d+)$", text, re.MULTILINE)}
    assert compiled == {name: number for name, number in vars(opcodes).items() if name.isupper()}


# --- availability -----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _uncached():
    availability._machines.cache_clear()
    yield
    availability._machines.cache_clear()


def test_the_environment_turns_the_machines_off(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PYSPARK_LOGS_COMPILED", "0")
    with caplog.at_level(logging.INFO, "pyspark_logs"):
        assert machines() is machines() is None
    assert [record.getMessage() for record in caplog.records] == [
        "lines are decoded without compiled engines: PYSPARK_LOGS_COMPILED=0"
    ]


def test_an_installation_without_machines(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(availability, "is_compiled", lambda: False)
    monkeypatch.delenv("PYSPARK_LOGS_COMPILED", raising=False)
    with caplog.at_level(logging.INFO, "pyspark_logs"):
        assert machines() is None
    assert "they are not part of this installation" in caplog.text
    monkeypatch.setenv("PYSPARK_LOGS_COMPILED", "1")
    with pytest.raises(
        OptionError, match=r"PYSPARK_LOGS_COMPILED=1 requires .* not part of this installation: install"
    ):
        machines()


def test_another_value_of_the_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_LOGS_COMPILED", "yes")
    with pytest.raises(OptionError, match=r"PYSPARK_LOGS_COMPILED='yes': expected 0, 1 or no value"):
        machines()


@pytest.mark.skipif(not availability.is_compiled(), reason="the machines are not compiled")
def test_metrics_name_the_engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYSPARK_LOGS_COMPILED", raising=False)
    (tmp_path / "a.log").write_text("1 a\n2 b\nx c\n")
    summary = pyspark_logs.ScanSummary()
    reader = pyspark_logs.scan(str(tmp_path), template="{n:int} {s}", summary=summary)
    assert reader.read_all().num_rows == 3
    assert summary.engines == {"compiled": 3}


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ('{n} "{text}"', {"template": "{n:int} {text:quoted}"}),
        ('n={n} text="{text}"', {"schema": "n int, text string", "logfmt": "true"}),
        ('{{"n":{n},"text":"{text}"}}', {"schema": "n int, text string", "json": "true"}),
    ],
    ids=["template", "logfmt", "json"],
)
def test_escapes_are_found_at_any_distance(
    line: str, option: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(7)
    escaped = set(np.cumsum(random.integers(1, 4, 40) ** 5).tolist())  # from one line to 243 lines, which are 15 KiB
    texts = [('say \\"hi\\" ' if n in escaped else "") + "x" * int(random.integers(0, 90)) for n in range(1500)]
    lines = [line.format(n=n, text=text) for n, text in enumerate(texts)]
    (tmp_path / "a.log").write_text("\n".join(lines))
    tables = []
    for setting in ("", "0"):
        monkeypatch.setenv("PYSPARK_LOGS_COMPILED", setting)
        resolve_format.cache_clear()
        tables.append(pyspark_logs.scan(str(tmp_path), threads=1, **option).read_all())
    resolve_format.cache_clear()
    assert tables[0].equals(tables[1])
    assert tables[0]["text"].to_pylist() == [text.replace("\\", "") for text in texts]
