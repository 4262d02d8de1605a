"""The search for lines that do not match finds only such lines, with the reasons of the line parser."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines, sanitise
from pyspark_logs.schema import parse_ddl
from tests.conformance.suite import same
from tests.conformance.test_presets_laws import MOMENT, decoder_of, records_of, sample_of
from tests.support.decoding import split_every_line
from tests.support.formats import compile_decoder

# Lines of other formats, and texts at which one of the searches might misjudge a line.
OTHERS = """
garbage line 123|2026-11-22 01:00:11 ERROR something failed|[ERROR] no|{'a': 1}|{ "a": 1|{"a": 1|{}|[]|[1, 2]|[|{|"text"
12|12.5|12.|0123|1e5|1e|-1|-|-x|null|nul|true|NaN|Infinity|-Infinity|  null x| x|\t"a"|127.0.0.1 - - [|1.2.3|"a" b|é|é=1|"
=|=a|a=|a =b|a= b|a="b|a="b" c|a"b|a "b"|a b c|a,b|a,b,c|a,b,c,d|a,"b,c|,,|,,,|a;b|a | a|a  b|- - -|-|\x01|\x7f|a\xa0b|'|\\
<13>Nov 22 01:00:11 host app: text|1764378000 x|{"a":"\\u00"}|[{"a":1}]|[x]|[ ]|[ x|{ x|{ }|a\\=b|   |0|00|0x1|9999999999999999999999 x
""".replace("\n", "|").split("|")
FORMATS = {
    "groups": (FormatOptions("template", "{? <{pri:int}>?}{a:date}{~}{b:quoted?} [{c}]{? ({d:int})?}: {e}"), "a date, c string, d int"),
    "adjacent": (FormatOptions("template", "{a:timestamp}{b:quoted} {c} | {d:int}"), "a timestamp, c string, d int"),
    "ended": (FormatOptions("template", "{a}, {b:int};"), "a string, b int"),
    "blanks": (FormatOptions("template", "{~}{a} {b:json}{~}{c}"), "a string, b string, c string"),
    "trailing": (FormatOptions("template", "{a} {b:quoted}", allow_trailing=True), "a string, b string"),
    "json": (FormatOptions("json", ""), "a int, b string"),
    "logfmt": (FormatOptions("logfmt", ""), "a int, b string"),
    "csv": (FormatOptions("delimited", ","), "a int, b string, c string"),
    "unquoted": (FormatOptions("delimited", ";", quote=None), "a int, b string"),
    "further": (FormatOptions("delimited", ",", allow_trailing=True), "a int, b string"),
    "regex": (FormatOptions("regex", r"(?P<a>\d+) (?P<b>.*)"), "a int, b string"),
}  # fmt: skip


def broken(line: str) -> Iterator[str]:
    """Yields a line cut at some positions, without some characters, and with others in their place."""
    step = max(len(line) // 12, 1)
    for index in range(0, len(line), step):
        yield line[:index]
        yield line[:index] + line[index + 1 :]
        yield line[:index] + ' "x='[index // step % 4] + line[index + 1 :]


def assert_same_reasons(decoder: Decoder, lines: Lines) -> int:
    """Compares both ways to parse lines; returns the number of lines that the search found."""
    searched = decoder.parse_lines(lines, None, MOMENT)
    single = decoder.parse_one_by_one(lines, np.arange(len(lines)), MOMENT)
    assert dict(searched.reasons) == dict(single.reasons)
    for one, other in ((searched.corrupt, single.corrupt), (searched.decoded.rests, single.decoded.rests)):
        assert np.array_equal([] if one is None else one, [] if other is None else other)
    for mine, theirs in zip(searched.decoded.columns, single.decoded.columns, strict=True):
        assert same(mine, theirs)
    return searched.searched


def block_of(texts: list[str]) -> Lines:
    lines = split_every_line("\n".join(texts).encode())
    return sanitise(lines.select(lines.ends > lines.starts))


@pytest.mark.parametrize("name", PRESETS)
def test_the_reasons_of_presets(name: str) -> None:
    samples = records_of(name, sample_of(name))
    header, texts = samples[0].header, [block.record(0).decode() for block in samples]
    lines = block_of([*OTHERS[:60:2], *(line for text in texts[:1] for line in broken(text.replace("\n", " ")))])
    found = assert_same_reasons(decoder_of(name).for_header(header), lines)
    assert (found > 0) == (name not in ("syslog_rfc3164", "mysql_slow"))  # these accept nearly any line
    assert_same_reasons(decoder_of(name, judge_whole=False).for_header(header), lines)


@pytest.mark.parametrize("name", FORMATS)
def test_the_reasons_of_other_formats(name: str) -> None:
    options, ddl = FORMATS[name]
    schema = parse_ddl(ddl)
    lines = block_of(
        [*OTHERS, *(f"{first}{second}" for first in OTHERS[:40] for second in (",x", ' "y" z', "|", ": ["))]
    )
    for columns in (schema, pa.schema([schema.field(0)])):
        found = assert_same_reasons(compile_decoder(options, columns), lines)
        assert (found > 20) == (name != "regex") or len(columns) == 1
