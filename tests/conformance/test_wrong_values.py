"""Lines with a value that is not of its type: engines give the values and reasons of the line parser, by any mode."""

from __future__ import annotations

import functools
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import RecordError
from pyspark_logs.formats.compiled.availability import machines
from pyspark_logs.formats.decoding.decoder import Decoder, Engine
from pyspark_logs.formats.decoding.rejections import NO_PROBLEM, find_problems
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.delimited.compiled_engine import CompiledDelimitedEngine
from pyspark_logs.formats.json.compiled_engine import make_json_engine
from pyspark_logs.formats.logfmt.compiled_engine import CompiledLogfmtEngine
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.template.compiled_engine import CompiledTemplateEngine, make_engine
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.registry import find_type
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines
from pyspark_logs.schema import parse_ddl
from tests.conformance.suite import same
from tests.conformance.test_mismatches import block_of
from tests.conformance.test_presets_laws import MOMENT, decoder_of, records_of, sample_of, schema_of
from tests.support.formats import compile_decoder, format_schema, line_format
from tests.support.growth import assert_linear_time
from tests.support.interpreted import interpreted_machines

# Texts that are no value of some type, or only just a value of it.
WRONG = [
    "abc", "99999999999", "3000000000", "-1", "+5", "1e5", "1.2.3", "1_0", "0x1", "nan", "9" * 45, "２", "é", "it's", "x" * 100,
    "", "-", "300.1.1.1", "1.2.3.4.5", "::1::2", "a:b", "1.2.3.4:99999999999", "12:00", "\\x41", "2024-02-30", "2024-13-01T00:00:00Z",
    "2024-02-30T10:00:00Z", "2024-02-28T25:00:00Z", "2024-02-28 10:00", "30/Feb/2024:10:00:00 +0000", "32/Jan/2024:10:00:00 +0000",
    "3/Jan/2024:24:00:60 +0000", "Feb 30 10:00:00", '"q"', "tru", "TRUE", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "999999999999999999:",
]  # fmt: skip
TEMPLATES = {
    "types": (
        "{t:timestamp} {i:int?} {f:double} {d:decimal(5,2)} {b:boolean} {e:epoch(s)} {u:uuid?} {a:ip} {w:word}",
        "2026-11-22T01:00:11Z 1 2.5 3.25 true 1795305600 123e4567-e89b-12d3-a456-426614174000 192.0.2.7 w",
    ),
    "quoted": ('[{t:timestamp(%d/%b/%Y:%H:%M:%S %z)}] "{n:int}" {q:quoted} {s:quoted?}|{x:date}|{h:host}', '[22/Nov/2026:01:00:11 +0000] "7" "a b" "c"|2026-11-22|h'),
    "groups": ("{a:int}{? b={b:long}?}{?;{c:enum(x|y)}?} {t:timestamp(%b %d %H:%M:%S)} {~}{n:int}", "1 b=2;x Nov 22 01:00:11  5"),
    "rest": ("{a:int} {b>} - {c:json}", "1 2 - 3 - {}"),
    "nanoseconds": ("{t:epoch(ns)} {n:long} {u:epoch(us)}", "1795305600123456789 -1795305600123456789 1795305600123456"),
}  # fmt: skip
MORE = ("1", "2.5", "x", "false", "2026-11-23", "10.0.0.1")


def mutated(line: str, chosen: random.Random, count: int) -> Iterator[str]:
    """Yields a line with one or two words replaced, some of them by another valid value."""
    words = [match.span() for match in re.finditer(r'[^ \[\]",|=;]+', line)] or [(0, len(line))]
    for index in range(count):
        text = line
        for start, end in sorted(chosen.sample(words, min(len(words), 1 + (index % 4 == 0))), reverse=True):
            text = text[:start] + chosen.choice(WRONG if index % 5 else MORE) + text[end:]
        yield text


def assert_same(decoder: Decoder, lines: Lines, engines: tuple[Engine, ...] | None = None) -> int:
    """Compares the decoder, or some engines of it, with its line parser; returns the number of corrupt lines that engines decode."""
    chosen = decoder.engines if engines is None else engines
    mine = Decoder(chosen, decoder.line_parser, decoder.native, decoder.native, decoder.search).decode(lines, MOMENT)
    exact = Decoder((), decoder.line_parser, decoder.native, decoder.native)
    theirs = exact.decode(lines, MOMENT)
    assert dict(mine.reasons) == dict(theirs.reasons)
    assert mine.reasons.counts() == theirs.reasons.counts()
    assert np.array_equal(np.flatnonzero(mine.corrupt), np.flatnonzero(theirs.corrupt))
    for one, other in zip(mine.columns, theirs.columns, strict=True):
        one.validate(full=True)
        assert same(one, other)
    for one, other in ((mine.appended, theirs.appended),):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert (one.rows.tolist(), one.starts.tolist()) == (other.rows.tolist(), other.starts.tolist())
    parts, _ = Decoder(chosen, decoder.line_parser, decoder.native, decoder.native).run_engines(lines, MOMENT)
    return sum(len(part.reasons) for part in parts)


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name: str) -> None:
    chosen = random.Random(name)
    samples = records_of(name, sample_of(name))
    texts = [block.record(0).decode().replace("\n", " ") for block in samples]
    lines = block_of([*mutated(texts[0], chosen, 14), *texts[:1], "garbage", *mutated(texts[-1], chosen, 3)])
    backwards = compile_decoder(FormatOptions("preset", name), pa.schema(list(schema_of(name))[::-2]))
    for decoder in (decoder_of(name), backwards):
        of_header = decoder.for_header(samples[0].header)
        if type(of_header) is Decoder:
            assert_same(of_header, lines)
            for engine in of_header.engines if decoder is not backwards else ():
                assert_same(of_header, lines, (engine,))


@pytest.mark.parametrize("trailing", [False, True])
@pytest.mark.parametrize("name", TEMPLATES)
def test_templates(name: str, trailing: bool) -> None:
    template, line = TEMPLATES[name]
    lines = block_of(
        [*mutated(line, random.Random(name), 60), line, *mutated(line + " more", random.Random(1), 9), "x"]
    )
    options = FormatOptions("template", template, allow_trailing=trailing)
    schema = compile_decoder_schema(template)
    found = 0
    for columns in (schema, pa.schema([schema.field(1), schema.field(0)]), pa.schema([schema.field(len(schema) - 1)])):
        for whole in (False, True):
            decoder = compile_decoder(options, columns, hidden=pa.schema([schema.field(0)]), judge_whole=whole)
            found += assert_same(decoder, lines)
            parser: Any = decoder.line_parser
            interpreted = make_engine(interpreted_machines(), parser.template, parser.columns, parser.rules)
            for engines in ((interpreted,), decoder.engines[-1:]):
                found += assert_same(decoder, lines, engines)
    assert found > 100


DELIMITED = {
    "csv": (FormatOptions("delimited", ","), "a int, b timestamp, c string, d double, e boolean", '1,2026-11-22T01:00:11Z,"a ""b",2.5,true'),
    "unquoted": (FormatOptions("delimited", ";", quote=None), "a long, b date, c decimal(5,2)", "1;2026-11-22;3.25"),
    "further": (FormatOptions("delimited", ",", allow_trailing=True), "a int, b string, c int", '1,"x",3,4'),
}  # fmt: skip


@pytest.mark.parametrize("name", DELIMITED)
def test_delimited_values(name: str) -> None:
    options, ddl, line = DELIMITED[name]
    schema, chosen = parse_ddl(ddl), random.Random(name)
    lines = block_of(
        [*mutated(line, chosen, 60), line, *(one.replace('"', "") for one in mutated(line, chosen, 20)), "1"]
    )
    found = 0
    for whole in (False, True):
        decoder = compile_decoder(options, schema, judge_whole=whole)
        assert_same(decoder, lines)
        parser: Any = decoder.line_parser
        interpreted = CompiledDelimitedEngine(interpreted_machines(), parser.splitter, parser.columns, parser.rules)
        found += assert_same(decoder, lines, (interpreted,))
    assert found > 60


# JSON values: of each kind, of the wrong kind for most types, only just of a type, escaped, and not JSON.
VALUES = [
    "1", "-7", "0", "-0", "2.5", "1e5", "1.5e9", "1E400", "99999999999", "3000000000", "123.456", "1795305600123", "9" * 45, "007",
    "1234567890123456789", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "true", "false", "null", "tru", "nan",
    "{}", '{"x": 1}', "[1]", '""', '"x"', '"7"', '"-"', '"\\u002d"', '"\\u0037"', '"1e5"', '"it\'s \\"q\\" \\\\ \\/"', '"a\tb"',
    '"\\ud83d\\ude00 \\ud83d"', '"\\x"', '"2026-02-30T10:00:00Z"', '"2026-02-30"', '"2026-11-22"', '"2026-11-22T01:00:11Z"',
    '"2026-11-22T01:00:11"', '"2026\\u002d11-22T01:00:11Z"', '"2026\\u002d02-30"', '"0001-01-01T00:00:00+01:00"', f'"{"é" * 100}"', f'"{"x" * 78}"',
]  # fmt: skip
OBJECTS = {
    "flat": "a tinyint, b int, c bigint, d double, e float, f decimal(5,2), g boolean, h date, i timestamp, j string",
    "few": "c bigint, i timestamp, a int",
    "nested": "a int, r struct<a:int,b:string,q:struct<d:double,i:timestamp>>, d double",
}


def objects(schema: pa.Schema, chosen: random.Random, count: int) -> Iterator[str]:
    """Yields JSON objects, most of them with a value for each column, some of them with a key twice or cut off."""

    def value_of(dtype: pa.DataType) -> str:
        if pa.types.is_struct(dtype) and chosen.random() < 0.9:
            return object_of(dtype)
        right = {"b": "true", "t": '"2026-11-22T01:00:11Z"', "d": "1.5", "s": '"text"'}.get(str(dtype)[0], "1")
        return right if chosen.random() < 0.8 else chosen.choice(VALUES)

    def object_of(fields: Any) -> str:
        pairs = [f'"{field.name}": {value_of(field.type)}' for field in fields if chosen.random() < 0.95]
        pairs += [f'"{key}": {chosen.choice(VALUES)}' for key in ("k", "a", "J") if chosen.random() < 0.05]
        return "{" + ", ".join(pairs) + "}"

    for index in range(count):
        text = object_of(schema)
        yield text[: chosen.randrange(len(text))] if index % 20 == 0 else text


@pytest.mark.parametrize("name", OBJECTS)
def test_json_objects(name: str) -> None:
    schema, found = parse_ddl(OBJECTS[name]), 0
    lines = block_of([*objects(schema, random.Random(name), 400), *objects(schema, random.Random(1), 1)])
    for columns, hidden in ((schema, None), (pa.schema(list(schema)[1:]), pa.schema([schema.field(0)]))):
        decoder = compile_decoder(FormatOptions("json", "true"), columns, hidden=hidden)
        assert_same(decoder, lines)
        parser: Any = decoder.line_parser
        found += assert_same(decoder, lines, (make_json_engine(interpreted_machines(), parser),))
    assert found > 80


# Columns of presets of which the machine reads all values of the samples; "": all columns.
DOCUMENTED = {
    "cloudfront_json": "", "gelf": "", "traefik": "", "mongodb_json": "t s c id ctx msg", "caddy": "ts level bytes_read duration status",
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_json_fields(name: str) -> None:
    """Fields with notations of times, strings that hold numbers, strings for no value, and keys of objects."""
    chosen, found = random.Random(name), 0
    sample = records_of(name, sample_of(name))[0].record(0).decode()

    def mutate(pair: re.Match[str]) -> str:
        return pair[1] + (chosen.choice(VALUES) if chosen.random() < 0.06 else pair[2])

    lines = block_of([*(re.sub(r'(: ?)("[^"]*"|[0-9.]+)', mutate, sample) for _ in range(250)), sample])
    names = DOCUMENTED[name].split() or schema_of(name).names
    fields = [schema_of(name).field(one) for one in names]
    for columns in (fields, [pa.field(field.name, pa.timestamp("us", "UTC")) for field in fields]):
        for whole in (False, True)[: 2 if DOCUMENTED[name] == "" else 1]:
            decoder = compile_decoder(FormatOptions("preset", name), pa.schema(columns), judge_whole=whole)
            assert_same(decoder, lines)
            parser: Any = decoder.line_parser
            found += assert_same(decoder, lines, (make_json_engine(interpreted_machines(), parser),))
    assert found > 60


PAIRS = {
    "types": ("a int, b long, c double, d decimal(5,2), e boolean, f date, g timestamp, h string", 'a=1 b=2 c=2.5 d=3.25 e=true f=2026-11-22 g="2026-11-22T01:00:11Z" h=x k="q r"'),
    "few": ("k string, c double, g timestamp", 'a=1 c="2.5" g=2026-11-22T01:00:11Z flag k=-'),
    "flags": ("e boolean, a int, zz int", "e a=1 zz t=2026"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_logfmt_pairs(name: str) -> None:
    ddl, line = PAIRS[name]
    schema, chosen, found = parse_ddl(ddl), random.Random(name), 0
    quoted = [re.sub(r"=(\S+)", r'="\1"', one) for one in mutated(line.replace('"', ""), chosen, 60)]
    quoted += [one.replace("1", "\\u0031").replace("-", "\\u002d", 1) for one in quoted]
    twice = [f"{one} a=x c=y" for one in mutated(line, chosen, 20)]
    lines = block_of([*mutated(line, chosen, 200), line, *quoted, *twice, line[:-2], "a=x b=y c=z d=1 k=1"])
    for columns, hidden in ((schema, None), (pa.schema(list(schema)[::-1][:-1]), pa.schema([schema.field(0)]))):
        decoder = compile_decoder(FormatOptions("logfmt", "true"), columns, hidden=hidden)
        assert_same(decoder, lines)
        parser: Any = decoder.line_parser
        found += assert_same(decoder, lines, (CompiledLogfmtEngine(interpreted_machines(), parser),))
    assert found > 40


def test_objects_of_another_layout_are_not_rejected_by_the_template() -> None:
    options = FormatOptions("nginx", 'escape=json {"status": $status, "size": $body_bytes_sent, "uri": "$uri"}')
    lines = block_of(
        [
            '{"status": abc, "size": 1, "uri": "/"}',
            '{"status": "7", "size": 99999999999, "uri": "/"}',
            '{"status": 1e2, "size": 1, "uri": "/"}',
        ]
        + [f'{{"status": {n}, "size": "x{n}", "uri": "/"}}' for n in range(20)]
    )
    decoder = line_format(options).decoder(Projection(line_format(options).schema()))
    for engines in (decoder.engines, decoder.engines[-1:]):
        assert assert_same(decoder, lines, engines) == 0


@functools.cache
def compile_decoder_schema(template: str) -> pa.Schema:
    schema = format_schema(FormatOptions("template", template))
    assert schema is not None
    return schema


@pytest.mark.skipif(machines() is None, reason="the machines are not compiled")
def test_the_compiled_engine_decodes_nearly_all_lines_with_a_wrong_value() -> None:
    line = '192.0.2.7 - - [{}] "GET / HTTP/1.1" {} {} "-" "x"'
    time = "22/Nov/2026:01:00:11 +0000"
    lines = block_of(
        [line.format(time, f"v{n}", n) for n in range(30)]
        + [line.format(f"30/Feb/2026:01:00:{n:02} +0000", 200, n) for n in range(30)]
        + [line.format(f"32/Jan/2026:01:00:{n:02} +0000", 200, n) for n in range(30)]
        + [line.format(time, 10**9 * n, "x") for n in range(30)]
    )
    decoder = decoder_of("apache_combined")
    assert_same(decoder, lines)
    assert isinstance(decoder.engines[0], CompiledTemplateEngine)
    decoded = decoder.decode(lines, MOMENT)
    assert decoded.engines == {"compiled": 120}
    assert [text for text, _, _ in decoded.reasons.counts()] == [
        "field 'status': not a whole number",
        "field 'time': day is out of range for month",
        "field 'time': the text that must follow is missing",
        "field 'bytes': not a whole number",
        "field 'status': does not fit in 32 bits",
    ]


@pytest.mark.skipif(machines() is None, reason="the machines are not compiled")
@pytest.mark.parametrize("name", ["json", "logfmt"])
def test_the_compiled_engine_decodes_pairs_with_a_wrong_value(name: str) -> None:
    values = [
        *(("x{n}", 1, "2026-11-22T01:00:11Z") for _ in range(30)),
        *(("7", 10**11, "2026-11-22T01:00:11Z") for _ in range(30)),
        *(("7", 1234567890123456789, "2026-02-30T01:00:{n:02}Z") for _ in range(30)),
        *(("x{n}", 10**20, "today") for _ in range(10)),
    ]
    form = '{{"n": {2}, "i": {1}, "t": "{0}", "o": {{"s": "a"}}}}' if name == "json" else 'n={2} i={1} t="{0}" o=a'
    texts = [
        form.format(time.format(n=n), number, (f'"{word}"' if name == "json" and word != "7" else word).format(n=n))
        for n, (word, number, time) in enumerate(values)
    ]
    lines = block_of(texts)
    decoder = compile_decoder(FormatOptions(name, "true"), parse_ddl("t timestamp, n int, i bigint, i32 int"))
    assert_same(decoder, lines)
    decoded = decoder.decode(lines, MOMENT)
    assert decoded.engines == {"compiled": 100}
    assert len(decoded.reasons) == 70


TYPES: dict[str, FieldType] = {
    name: find_type(name.partition("(")[0])(name.partition("(")[0], name.partition("(")[2].rstrip(")") or None)
    for name in (
        "int", "long", "double", "decimal(5,2)", "boolean", "date", "timestamp", "timestamp(%b %d %H:%M:%S)",
        "timestamp(%d/%b/%Y:%H:%M:%S %z)", "epoch(s)", "epoch(ns)", "uuid", "word", "ip", "host", "address", "class", "enum(tru|x)",
        "json",
    )
}  # fmt: skip


@pytest.mark.parametrize("name", TYPES)
def test_the_problems_of_texts_are_those_of_parsing(name: str) -> None:
    field_type = TYPES[name]
    chosen = random.Random(name)
    texts = {
        *WRONG,
        *(
            one[:index] + chosen.choice("1a. -\n'") + one[index + 1 :]
            for one in WRONG
            for index in range(0, len(one), 5)
        ),
        *(f"{sign}{(1 << bits) + (sign == '-')}" for sign in ("", "+", "-") for bits in (7, 15, 31, 63, 64)),
        *(f"{sign}{1 << bits}" for sign in ("", "+", "-") for bits in (7, 15, 31, 63, 64)),
        *(str(10**digits - 1).zfill(width) for digits in (18, 19, 20, 40, 41) for width in (0, 60)),
    }
    ordered = pa.array(sorted(texts), pa.string())
    problems = find_problems(field_type, ordered, TimestampContext())
    expected = [_problem(field_type, text) for text in ordered.to_pylist()]
    assert [None if code == NO_PROBLEM else problems.messages[code] for code in problems.codes] == expected


def _problem(field_type: FieldType, text: str) -> str | None:
    try:
        field_type.parse(text, TimestampContext())
    except ValueError as error:
        return str(error)
    return None


# Options, the schema, and a line with number, time, size, and text that no line has.
FORMATS: dict[str, tuple[dict[str, str], str, str]] = {
    "template": ({"template": "{n:int} {t:timestamp} {size:int}"}, "{n} {t} {size}{more}", ""),
    "json": ({"json": "true"}, '{{"n": {n}, "t": "{t}", "size": {size}, "o": [1]}}{more}', '"'),
    "logfmt": ({"logfmt": "true"}, 'n={n} t={t} k="a b" size={size}{more}', '"'),
}


def write_logs(folder: Path, line: str, quote: str) -> None:
    """Writes two files of 400 lines with wrong numbers and times; the last line of a file is cut."""
    texts = [
        line.format(
            n=n if n % 11 else 10**11 + n,
            t=f"2026-{'11-22' if n % 13 else '02-30'}T01:00:{n % 60:02}Z",
            size=f"{quote}{'x' * (n % 7)}{quote}" if n % 3 else n,
            more=" more=" * (n % 50 == 0),
        )
        for n in range(400)
    ]
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.log").write_text("\n".join(texts)[:-4])


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "options",
    [
        {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "bad", "schema": "n int, size long, bad string"},
        {"mode": "DROPMALFORMED", "metadata": "true", "maxPartitionBytes": "2k"},
        {"mode": "PERMISSIVE", "schema": "size string, n int", "where": "n < 300"},
        {
            "mode": "PERMISSIVE",
            "schema": "n int, size int, t timestamp",
            "where": "t < '2026-11-22T01:00:30Z' OR size > 9",
        },
        {"mode": "FAILFAST"},
    ],
    ids=str,
)
def test_modes_and_bad_records(
    name: str, options: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, line, quote = FORMATS[name]
    write_logs(tmp_path / "logs", line, quote)
    given = {"schema": "n int, t timestamp, size int", **own, **options}

    def read(bad: Path) -> tuple[Any, ...]:
        summary = pyspark_logs.ScanSummary()
        try:
            table = pyspark_logs.scan(
                str(tmp_path / "logs"), badRecordsPath=str(bad), summary=summary, **given
            ).read_all()
        except RecordError as error:
            return (str(error),)
        written = [json.loads(line) for path in sorted(bad.glob("*")) for line in path.read_text().splitlines()]
        records = sorted((one["path"], one["offset"], one["record"], one["reason"]) for one in written)
        return table.to_pylist(), summary.corrupt, summary.reasons, summary.dropped, summary.filtered, records

    found = read(tmp_path / "bad")
    monkeypatch.setattr(Decoder, "run_engines", lambda self, lines, context: ([], None))
    monkeypatch.setattr(Decoder, "min_searched", 1 << 30)
    assert found == read(tmp_path / "exact")


def test_the_time_for_many_classes_of_texts_is_linear() -> None:
    """Each day that does not exist is a class of its own."""
    days = [f"{1 + n // 80:04}-{13 + n % 80}-01T10:00:00Z" for n in range(160_000)]
    texts = pa.array(days)
    field_type = find_type("timestamp")("timestamp", None)
    assert_linear_time(lambda size: find_problems(field_type, texts[:size], TimestampContext()), len(texts))
