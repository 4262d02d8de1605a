"""Fields that are the same in most lines are found by that, and mean what the exact parser says all the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.registry import compile_decoder, format_schema
from pyspark_logs.formats.template.constant_fields import runs
from pyspark_logs.formats.template.engine import TemplateEngine
from pyspark_logs.formats.template.field_scanner import Walk
from pyspark_logs.formats.template.notation import parse_template
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines, sanitise

TEMPLATES = [
    "{a} {b?} {c?} [{t}] {n:int?} {rest?}",
    "{b?} {c?} {n:int}",
    "{a}|{b?}|{c?}|{n:long?}|{d?}",
    "{t:timestamp(%H:%M:%S)} {b?} - {c?} {rest}",
    "{a} {b?} {c?}{? <{d}>?}: {rest}",
]
WORDS = ["-", "", "x", "7", "ab c", "longer than eight", "[", "|", "ü"]


def decoder(template: str) -> Decoder:
    options = FormatOptions("template", template)
    schema = format_schema(options)
    assert schema is not None
    return compile_decoder(options, schema)


def chain(of: Decoder) -> TemplateEngine:
    return next(engine for engine in of.engines if isinstance(engine, TemplateEngine))


def check(of: Decoder, lines: list[str]) -> None:
    block = sanitise(find_lines("\n".join(lines).encode(), 0))
    slow = Decoder([], of.exact, of.native, of.target)
    one, other = of.decode(block, TimestampContext()), slow.decode(block, TimestampContext())
    bad = [[] if part.corrupt is None else part.corrupt.tolist() for part in (one, other)]
    assert bad[0] == bad[1]
    for mine, theirs in zip(one.columns, other.columns, strict=True):
        assert mine.type == theirs.type
        assert mine.to_pylist() == theirs.to_pylist()


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_most_lines_alike_and_a_few_of_any_kind(data: st.DataObject) -> None:
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
    of = decoder(template)
    check(of, lines)
    check(of, lines[::-1])  # the engine remembers which runs were not worth it


TEXT = "many words " * 20  # with fewer all blanks of a block would be looked up at once


def usual_lines(others: list[str]) -> list[str]:
    """A hundred lines whose ident and user are dashes, some others among them."""
    lines = [f"192.0.2.{number} - - [10:11:12] {number} {TEXT}" for number in range(100)]
    for place, other in enumerate(others):
        lines.insert(10 * place + 3, other)
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
def test_one_line_that_is_not_like_the_others(other: str) -> None:
    of = decoder("{host} {ident?} {user?} [{time}] {n:int} {text}")
    check(of, usual_lines([other]))
    assert 2 in chain(of).runs, "the run is looked at again in the next block"


def test_the_fields_are_not_searched_for_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str | None] = []
    find = Walk.field

    def spy(self: Walk, field, after):  # type: ignore[no-untyped-def]
        searched.append(field.name)
        return find(self, field, after)

    monkeypatch.setattr(Walk, "field", spy)
    of = decoder("{host} {ident?} {user?} [{time}] {n:int} {text}")
    check(of, usual_lines(["h - ana [10:11:12] 1 text"]))
    assert searched == ["host", "time", "n", "text"]


def test_where_many_lines_differ_nobody_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    of = decoder("{host} {ident?} {user?} [{time}] {n:int} {text}")
    check(of, usual_lines([]) + [f"h - user{number} [10:11:12] 1 {TEXT}" for number in range(30)])
    assert chain(of).runs == {}


def test_where_all_places_of_a_separator_are_known_that_is_used() -> None:
    of = decoder("{a}|{b?}|{c?}|{n:long}|{d}")
    check(of, ["x|-|-|1|d"] * 50)
    assert set(chain(of).runs) == {0, 2, 4}


def test_runs_end_at_whatever_else_may_come() -> None:
    assert runs(parse_template("{a} {b} {c}")) == {0: (("a", b" "), ("b", b" "))}
    assert runs(parse_template("{a} {b}{? <{c}>?}: {d:quoted} {e} {f} {g}")) == {10: (("e", b" "), ("f", b" "))}
    assert runs(parse_template("{a}{~}{b} {c}")) == {}
