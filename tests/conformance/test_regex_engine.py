"""The vectorized engine of regular expressions gives the same rows as RE2."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.formats.regex.decomposition import Subexpression, decompose
from pyspark_logs.formats.regex.expression import Expression
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines, sanitise
from tests.reference.expressions import Pattern, lines, patterns
from tests.support import grok_examples as examples
from tests.support.decoding import split_every_line
from tests.support.formats import compile_decoder, line_format

APP = r"^%{TIMESTAMP_ISO8601:ts} %{LOGLEVEL:level} \[%{DATA:service}\] user=%{INT:user:int} %{GREEDYDATA:message}$"


def decoded(decoder: Any, block: Lines) -> tuple[list[list[Any]], list[bool]]:
    found = decoder.decode(block, TimestampContext())
    corrupt = [False] * len(block) if found.corrupt is None else found.corrupt.tolist()
    return [column.to_pylist() for column in found.columns], corrupt


def assert_same_as_re2(options: FormatOptions, names: list[str], texts: list[str]) -> int:
    """Asserts that the columns are those of RE2 alone; returns the number of lines that the engine decoded."""
    known = line_format(options).schema()
    schema = pa.schema([known.field(name) for name in names])
    decoder = compile_decoder(options, schema)
    plain = compile_decoder(options, schema)
    plain.engines = ()
    block = sanitise(split_every_line("\n".join(texts).encode()))
    assert decoded(decoder, block) == decoded(plain, block)
    _, left = decoder.run_engines(block, TimestampContext())
    return 0 if left is None else len(block) - len(left)


def decoded_lines(spec: str, texts: list[str], kind: str = "grok") -> int:
    options = FormatOptions(kind, spec)
    return assert_same_as_re2(options, line_format(options).schema().names, texts)


@given(patterns(), st.lists(lines, min_size=1, max_size=6), st.data())
def test_engine_agrees_with_re2_on_random_expressions(pattern: Pattern, texts: list[str], data: st.DataObject) -> None:
    if pattern.names:
        names = data.draw(st.lists(st.sampled_from(pattern.names), min_size=1, unique=True))
        assert_same_as_re2(FormatOptions("regex", pattern.text), names, texts)


PARTS = (
    "%{WORD:#}", "%{NOTSPACE:#}", "%{DATA:#}", "%{GREEDYDATA:#}", "%{INT:#:int}", "%{NUMBER:#}", "%{QS:#}", "%{LOGLEVEL:#}",
    "%{TIMESTAMP_ISO8601:#}", "%{SYSLOGTIMESTAMP:#}", "%{IPORHOST:#}", "(?:%{INT:#}|-)", "(?:-|%{DATA:#})", "(?:-|%{WORD:#})",
    "(?:%{NOTSPACE:#}|-)", r"(?<#>[^\]\"]*)", "(?<#>a|ab)", "(?<#>a|ab|.b?)", r"(?<#>\d+?)", "(?: %{WORD:#})?", "(?:%{WORD:#} )?",
    "(?:x%{WORD:#})?", "(?:x%{INT:#}|%{DATA:#})", "%{WORD}", "%{DATA}", "%{NOTSPACE}", "%{QS}", r"(?<#>\w+b)", "(?:a%{WORD:#}b)*",
    r"(?: \[%{INT:#}\])?", "(?:%{DATA:#}-)", r"\s+", " +", r"(?<#>\Qab\E)", r"(?<#>(?:\Qa\E|[^\w])*)", r"(?<#>\Qa]\E+)",
    r"(?<#>(?:\b\w+\b){2})", r"(?<#>(?:\b\w+\b)?)", r"(?<#>\b\w+\b)",
)  # fmt: skip
TEXTS = (" ", " ", " ", "-", "] ", " [", '"', '" ', ":", "x", "a", "")
VALUES = (
    "a", "ab", "b7", "-", "17", "-3.5", "INFO", "err", '"a b"', '"a\\" b"', '""', "x", "2026-11-22T01:00:11Z", "2026-11-22 01:00",
    "Oct 11 22:14:15", "Oct  1 22:14:15", "192.0.2.1", "a.example.", "[a]", "[7]", "é", " ", "", "\t", "a b", '"', "\\", "xab", "x7",
)  # fmt: skip


@st.composite
def patterns_with_lines(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draws a grok pattern and lines that resemble it."""
    parts = draw(st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from(TEXTS)), min_size=1, max_size=5))
    spec, likely = draw(st.sampled_from(["^", "", ""])), []
    for index, (part, text) in enumerate(parts):
        spec += part.replace("#", f"f{index}") + text.replace("[", r"\[")
        likely.append(text)
    spec += draw(st.sampled_from(["$", ""]))
    line = st.tuples(*(st.tuples(st.sampled_from(VALUES), st.sampled_from([text, text, text, " "])) for text in likely))
    texts = ["".join(value + text for value, text in pieces) for pieces in draw(st.lists(line, min_size=1, max_size=8))]
    return spec, texts


@given(patterns_with_lines(), st.data())
def test_engine_agrees_with_re2_on_random_grok_patterns(case: tuple[str, list[str]], data: st.DataObject) -> None:
    spec, texts = case
    if ":f" in spec or "<f" in spec:
        options = FormatOptions("grok", spec)
        known = line_format(options).schema().names
        names = data.draw(st.lists(st.sampled_from(known), min_size=1, unique=True))
        assert_same_as_re2(options, names, texts)


SERVERS = ("COMBINEDAPACHELOG", "ECS_COMBINEDAPACHELOG", "SYSLOGLINE", "ECS_SYSLOGLINE", "SQUID3", "S3_ACCESS_LOG",
           "ELB_ACCESS_LOG", "HAPROXYHTTP", "HTTPD_ERRORLOG", "CLOUDFRONT_ACCESS_LOG", "CATALINALOG", "TOMCATLOG",
           "SYSLOG5424LINE", "BIND9", "MONGO3_LOG", "REDISMONLOG", "CRONLOG")  # fmt: skip


@given(st.sampled_from(SERVERS), st.data())
def test_engine_agrees_with_re2_on_damaged_server_logs(name: str, data: st.DataObject) -> None:
    options = FormatOptions("grok", f"%{{{name}}}")
    known = line_format(options).schema().names
    names = known if data.draw(st.booleans()) else data.draw(st.lists(st.sampled_from(known), min_size=1, unique=True))
    good = examples.examples(name)[0]
    texts = []
    for _ in range(data.draw(st.integers(1, 5))):
        line = data.draw(st.sampled_from(good))
        at = data.draw(st.integers(0, len(line)))
        width = data.draw(st.sampled_from([0, 0, 1, 1, 5]))
        texts.append(
            line[:at]
            + data.draw(st.sampled_from(["", "", "-", " ", '"', "\\", "]", "x", "7", '" "']))
            + line[at + width :]
        )
    assert_same_as_re2(options, names, texts + good)


@pytest.mark.parametrize("quantifier", ["", "{2}", "+", "?", "*"])
def test_a_quantified_word_is_not_taken_for_a_word(quantifier: str) -> None:
    for line in ("x ab y", "x  y", "x a-b y"):
        decoded_lines(rf"^x (?<a>(?:\b\w+\b){quantifier}) y$", [line], "regex")


# --- coverage of the engine ---


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (APP, "2026-11-22T01:00:11.045Z INFO [pay] user=17 order accepted"),
        (APP, "2026-11-22 01:00:11,045 INFO [pay] user=17 order accepted"),
        ("%{COMBINEDAPACHELOG}", examples.COMBINED),
        ("%{ECS_COMBINEDAPACHELOG}", examples.COMBINED),
        ("%{COMMONAPACHELOG}$", examples.COMMON),
        ("%{SYSLOGTIMESTAMP:ts} %{HOST:host} %{WORD:prog}: %{GREEDYDATA:text}", "Oct 11 22:14:15 box su: failed"),
        ("%{SYSLOGTIMESTAMP:ts} %{HOST:host} %{WORD:prog}: %{GREEDYDATA:text}", "Oct  1 22:14:15 box su: failed"),
    ],
)
def test_engine_decodes_typical_lines(spec: str, line: str) -> None:
    assert decoded_lines(spec, [line] * 3) == 3


def test_engine_decodes_lines_with_and_without_optional_groups() -> None:
    with_pid, without = "Oct 11 22:14:15 box su[230]: failed", "Oct 11 22:14:15 box su: failed"
    assert decoded_lines("%{SYSLOGLINE}", [with_pid] * 3) == 3
    assert decoded_lines("%{SYSLOGLINE}", [without] * 3) == 3
    assert decoded_lines("%{SYSLOGLINE}", [with_pid, without, without]) == 3
    assert decoded_lines("(?:x%{WORD:a})?%{WORD:b}:", ["xy:"] * 3) == 0  # could be either


def test_a_subexpression_ends_at_a_literal_with_any_character_it_cannot_match() -> None:
    assert decoded_lines("%{NOTSPACE:a}:x: %{GREEDYDATA:b}", ["x:x:x: z"] * 3) == 3


def test_engine_decodes_the_format_regex() -> None:
    assert decoded_lines(r"^(?<a>\w+) \[(?<b>[^\]]*)\] (?<c>.*)", ["x [y z] rest"], "regex") == 1


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("%{QS:a} %{QS:b}", '"a"b" "c"'),
        ("%{QS:a} %{QS:b}", r'"a\" "b"'),
        (r"%{NOTSPACE:a}\]%{GREEDYDATA:b}", "x]y] z"),
        ("%{GREEDYDATA:a} %{WORD:b}", "x y z"),
        (r"%{WORD:a}é %{WORD:b}", "xé y"),
        ("(?i)%{LOGLEVEL:a} x%{WORD:b}", "iNfO xy"),
        (r"%{TIMESTAMP_ISO8601:a} %{GREEDYDATA:b}", "x 2026-11-22T01:00:11Z y"),
        ("%{WORD:a} %{NUMBER:n:int} %{GREEDYDATA:b}", "x 1.5 y"),
    ],
)
def test_engine_leaves_uncertain_lines_to_re2(spec: str, line: str) -> None:
    assert decoded_lines(spec, [line] * 3) == 0


def test_a_decomposition_alternates_literals_and_subexpressions() -> None:
    expression: Expression = line_format(
        FormatOptions("grok", r"^%{WORD:a} \[(?:%{INT:b}|-)\] %{GREEDYDATA:c}")
    ).expression
    (decomposition,) = decompose(expression, frozenset([0, 1]))
    word = "".join(char for char in map(chr, range(128)) if char.isalnum() or char == "_")
    number = Subexpression(r"(?:(?:[+-]?[0-9]+)|-)", 1, null_text="-")
    assert decomposition.components == (
        Subexpression(r"(?:\b\w+\b)", 0, alphabet=word),
        " [",
        number,
        "] ",
        Subexpression(None),
    )
    assert not decomposition.anchored_at_end


def test_engine_selects_another_decomposition_if_blocks_differ() -> None:
    options = FormatOptions("grok", APP)
    decoder = compile_decoder(options, line_format(options).schema())
    for stamp in ("2026-11-22T01:00:11Z", "2026-11-22 01:00:11", "none", "2026-11-22T01:00:11Z"):
        block = split_every_line("\n".join([f"{stamp} INFO [pay] user=17 x"] * 100).encode())
        columns, corrupt = decoded(decoder, block)
        assert corrupt == [stamp == "none"] * 100
        assert columns[0] == [None if stamp == "none" else stamp] * 100
