"""The template engine gives what the line parser gives where most lines of a block look alike and a few differ."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.template.notation import parse_template
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines, sanitise
from tests.support.effort import examples
from tests.support.formats import compile_decoder, format_schema

TEMPLATES = [
    "{a} {b?} {c?} [{t}] {n:int?} {rest?}",
    "{b?} {c?} {n:int}",
    "{a}|{b?}|{c?}|{n:long?}|{d?}",
    "{t:timestamp(%H:%M:%S)} {b?} - {c?} {rest}",
    "{a} {b?} {c?}{? <{d}>?}: {rest}",
]
WORDS = ["-", "", "x", "7", "ab c", "longer than eight", "[", "|", "ü"]


def decoder_of(template: str) -> Decoder:
    options = FormatOptions("template", template)
    schema = format_schema(options)
    assert schema is not None
    return compile_decoder(options, schema)


def assert_engine_agrees(decoder: Decoder, lines: list[str]) -> None:
    block = sanitise(find_lines("\n".join(lines).encode(), 0))
    slow = Decoder([], decoder.line_parser, decoder.native, decoder.target)
    one, other = decoder.decode(block, TimestampContext()), slow.decode(block, TimestampContext())
    bad = [[] if part.corrupt is None else part.corrupt.tolist() for part in (one, other)]
    assert bad[0] == bad[1]
    for mine, theirs in zip(one.columns, other.columns, strict=True):
        assert mine.type == theirs.type
        assert mine.to_pylist() == theirs.to_pylist()


@settings(max_examples=examples(200), suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_few_lines_differ_from_most(data: st.DataObject) -> None:
    template = data.draw(st.sampled_from(TEMPLATES))
    usual = {
        "a": data.draw(st.sampled_from(["-", "host", "10.0.0.1"])),
        "b": data.draw(st.sampled_from(WORDS)),
        "c": data.draw(st.sampled_from(WORDS)),
        "d": "d", "n": "5", "t": "10:11:12", "rest": "all the rest " * 20,
    }  # fmt: skip
    lines = []
    for _ in range(data.draw(st.integers(1, 60))):
        texts = dict(usual)
        if data.draw(st.integers(0, 12)) == 0:
            texts[data.draw(st.sampled_from(sorted(texts)))] = data.draw(st.sampled_from(WORDS))
        line = "".join(
            segment.text if hasattr(segment, "text") else texts[segment.name]
            for segment in (step.segment for step in parse_template(template).steps)
            if hasattr(segment, "text") or hasattr(segment, "name")
        )
        if data.draw(st.integers(0, 30)) == 0:
            line = line[: data.draw(st.integers(0, len(line)))]
        lines.append(line or "x")
    decoder = decoder_of(template)
    assert_engine_agrees(decoder, lines)
    assert_engine_agrees(decoder, lines[::-1])


TEXT = "many words " * 20


def usual_lines(others: list[str]) -> list[str]:
    """A hundred lines whose ident and user are dashes, some others among them."""
    lines = [f"192.0.2.{number} - - [10:11:12] {number} {TEXT}" for number in range(100)]
    for index, other in enumerate(others):
        lines.insert(10 * index + 3, other)
    return lines


@pytest.mark.parametrize(
    "other",
    [
        "h - ana [10:11:12] 1 text",
        "h ident ana [10:11:12] 1 text",
        "h - a name of several words [10:11:12] 1 text",
        "h  - [10:11:12] 1 text",
        "h - [10:11:12] 1 text",
        "h - -",
        "h ",
        "h - - [",
        "h - - ",
    ],
)
def test_one_line_differs_from_all_others(other: str) -> None:
    decoder = decoder_of("{host} {ident?} {user?} [{time}] {n:int} {text}")
    assert_engine_agrees(decoder, usual_lines([other]))
