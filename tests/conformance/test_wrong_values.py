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
    "3/Jan/2024:24:00:60 +0000", "Feb 30 10:00:00", '"q"', "tru", "TRUE",
]  # fmt: skip
TEMPLATES = {
    "types": (
        "{t:timestamp} {i:int?} {f:double} {d:decimal(5,2)} {b:boolean} {e:epoch(s)} {u:uuid?} {a:ip} {w:word}",
        "2026-11-22T01:00:11Z 1 2.5 3.25 true 1795305600 123e4567-e89b-12d3-a456-426614174000 192.0.2.7 w",
    ),
    "quoted": ('[{t:timestamp(%d/%b/%Y:%H:%M:%S %z)}] "{n:int}" {q:quoted} {s:quoted?}|{x:date}|{h:host}', '[22/Nov/2026:01:00:11 +0000] "7" "a b" "c"|2026-11-22|h'),
    "groups": ("{a:int}{? b={b:long}?}{?;{c:enum(x|y)}?} {t:timestamp(%b %d %H:%M:%S)} {~}{n:int}", "1 b=2;x Nov 22 01:00:11  5"),
    "rest": ("{a:int} {b>} - {c:json}", "1 2 - 3 - {}"),
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
        [*mutated(line, chosen, 50), line, *(one.replace('"', "") for one in mutated(line, chosen, 20)), "1"]
    )
    found = 0
    for whole in (False, True):
        decoder = compile_decoder(options, schema, judge_whole=whole)
        assert_same(decoder, lines)
        parser: Any = decoder.line_parser
        interpreted = CompiledDelimitedEngine(interpreted_machines(), parser.splitter, parser.columns, parser.rules)
        found += assert_same(decoder, lines, (interpreted,))
    assert found > 60


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    lines = [
        f"{n} 2026-11-22T01:00:{n % 60:02}Z {'x' * (n % 7) if n % 3 else n}{' more' * (n % 50 == 0)}"
        for n in range(400)
    ]
    for name in ("a", "b"):
        (tmp_path / "logs" / f"{name}.log").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "bad", "schema": "n int, size long, bad string"},
        {"mode": "DROPMALFORMED", "metadata": "true", "maxPartitionBytes": "2k"},
        {"mode": "PERMISSIVE", "schema": "size string, n int", "where": "n < 300"},
        {"mode": "FAILFAST"},
    ],
    ids=str,
)
def test_modes_and_bad_records(options: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(bad: Path) -> tuple[Any, ...]:
        summary = pyspark_logs.ScanSummary()
        try:
            table = pyspark_logs.scan(
                str(folder / "logs"),
                template="{n:int} {t:timestamp} {size:int}",
                badRecordsPath=str(bad),
                summary=summary,
                **options,
            ).read_all()
        except RecordError as error:
            return (str(error),)
        written = [json.loads(line) for path in sorted(bad.glob("*")) for line in path.read_text().splitlines()]
        records = sorted((one["path"], one["offset"], one["record"], one["reason"]) for one in written)
        return table.to_pylist(), summary.corrupt, summary.reasons, summary.dropped, summary.filtered, records

    found = read(folder / "bad")
    monkeypatch.setattr(Decoder, "run_engines", lambda self, lines, context: ([], None))
    monkeypatch.setattr(Decoder, "min_searched", 1 << 30)
    assert found == read(folder / "exact")


def test_the_time_for_many_classes_of_texts_is_linear() -> None:
    """Each day that does not exist is a class of its own."""
    days = [f"{1 + n // 80:04}-{13 + n % 80}-01T10:00:00Z" for n in range(160_000)]
    texts = pa.array(days)
    field_type = find_type("timestamp")("timestamp", None)
    assert_linear_time(lambda size: find_problems(field_type, texts[:size], TimestampContext()), len(texts))
