"""What is written reads back: by the reference parser, for any template, any values and each ``onUnwritable``."""

from __future__ import annotations

import json
import math
import re
import zoneinfo
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pyspark_logs.errors import FormatError, OptionError, RecordError, SchemaError
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.writing.encoder import Encoder
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines
from pyspark_logs.schema import type_name
from tests.reference import rendering as reference_render
from tests.reference.json_lines import reference_json
from tests.reference.templates import Clock, parse_template, reference_lines, reference_parse, same
from tests.support import strategies
from tests.support.effort import examples, extent
from tests.support.formats import compile_decoder, compile_encoder, format_schema

EXAMPLES = examples(150)
thorough = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)

UTC = timezone.utc
INSTANT, WALL = pa.timestamp("us", "UTC"), pa.timestamp("us")
BOM = "\ufeff"


# ------------------------------------------------------------------------------- batches that mean harm


class Case(NamedTuple):
    """A template, rows for it, and options; ``literals`` are what values are made of, too."""

    template: str
    rows: list[dict[str, Any]]
    types: dict[str, Any]
    options: strategies.Options
    comment: str | None
    encoding: str
    nullable: dict[str, bool]

    def encoder(self, on_unwritable: str) -> Encoder:
        opts = self.options
        described = FormatOptions(
            "template", self.template, null_value=opts.null_value, encoding=self.encoding, comment_prefix=self.comment,
            escape=opts.escape, allow_trailing=opts.allow_trailing,
        )  # fmt: skip
        return compile_encoder(described, format_schema(described), zone=opts.zone, on_unwritable=on_unwritable)

    def batch(self, rows: list[dict[str, Any]]) -> pa.RecordBatch:
        schema = format_schema(FormatOptions("template", self.template, escape=self.options.escape))
        plain = [{name: list(v.items()) if isinstance(v, dict) else v for name, v in row.items()} for row in rows]
        return pa.RecordBatch.from_pylist(plain, schema=schema)

    def read(self, raw: bytes) -> list[dict[str, Any] | None]:
        """What the reference parser makes of a file; None for a corrupt row."""
        text = raw if self.encoding == "utf-8" else raw.decode(self.encoding).encode()
        lines = [line for _, line in reference_lines(text)]
        if self.comment is not None:
            lines = [line for line in lines if not line.startswith(self.comment.encode())]
        rows = [reference_parse(self.template, line, judge_whole=True, **self.options._asdict()) for line in lines]
        return [None if row.corrupt else row.values for row in rows]


# Patterns whose texts may be read as longer ones, with what they lack.
LOOSE: dict[str, dict[str, Any]] = {
    "%Y%m%d%H%M%S%f": {},
    "%y%m%d%H%M%S%L": {"microsecond": 74_000},
    "%Y-%b %e%H%M": {"second": 0, "microsecond": 0},
    "%e %Y-%b": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    "%H%M %y%m %e": {"second": 0, "microsecond": 0},
    "-%Y-%j ": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    "%z%Y%m%dT%H%M%S.%f": {},
}
PATTERNS = {**strategies.PATTERNS, **LOOSE}


@st.composite
def colliding(draw: st.DrawFn, opts: strategies.Options, *, first: int = -1, depth: int = 1) -> list[strategies.Part]:
    """Templates of few characters: what ends a field, begins a group or is null looks like what fields hold."""
    kinds = [strategies.KINDS[0]] * 4 + strategies.by_name["list"] + strategies.by_name["map"]
    kinds += [strategies.Kind("timestamp", pattern, strategies.timestamp_text) for pattern in LOOSE]
    kinds += strategies.by_name["date"] + strategies.by_name["int"]
    literals = st.sampled_from(["-", "--", " - ", " | ", "aa", "a", "1", "2026", " ", "# "])
    separators = mostly(literals.map(strategies.Part), st.just(strategies.Part(blanks=True)), 3)
    parts = [draw(separators)] if first >= 0 or draw(st.integers(0, 3)) == 0 else []
    inside, number = first >= 0, max(first, 0)

    def groups(one_in: int) -> None:
        nonlocal number
        while depth and draw(st.integers(1, one_in)) == one_in:
            parts.append(strategies.Part(parts=draw(colliding(opts, first=number, depth=depth - 1))))
            number += len(strategies.all_parts(parts[-1:]))

    if not inside:
        groups(8)
        if strategies.unseparated(parts):
            parts.append(draw(separators))
    last = draw(st.integers(0, 2))
    for place in range(last + 1):
        kind = draw(st.sampled_from(kinds))
        parts.append(strategies.Part(name=f"f{number}", kind=kind, nullable=draw(st.booleans())))
        number += 1
        if place < last:
            groups(3)
            if strategies.unseparated(parts) or draw(st.booleans()):
                parts.append(draw(separators))
                groups(8)
                if strategies.unseparated(parts):
                    parts.append(draw(separators))
    if inside and draw(st.booleans()):
        parts.append(draw(separators))
    groups(2)
    assume(inside or strategies.lists_are_readable(parts))
    return parts


def mean_texts(literals: list[str]) -> st.SearchStrategy[str]:
    """Texts made of what has a meaning in the template."""
    special = [*literals, *(part for literal in literals for part in literal), "\n", "\r", "-", "", "a=b", BOM, "#"]
    pieces = st.sampled_from(special) | st.text(strategies.ALPHABET, max_size=3)
    return strategies.words | st.lists(pieces, max_size=4).map("".join)


def instants(pattern: str) -> st.SearchStrategy[datetime]:
    bound = strategies.YEAR_BOUND.replace(tzinfo=None)
    if pattern and "%Y" not in pattern and "%y" not in pattern:
        near = st.datetimes(bound - timedelta(days=363), bound - timedelta(days=1))
    else:
        near = st.datetimes(datetime(1971, 1, 1), datetime(2060, 1, 1)) | st.datetimes(
            datetime(1000, 1, 2), datetime(9999, 12, 30)
        )
    lost = PATTERNS.get(pattern, {})
    fit = near.map(lambda wall: wall.replace(**lost))
    return st.one_of(fit, fit, near).map(lambda wall: wall.replace(tzinfo=UTC))


def mostly(often: st.SearchStrategy[Any], seldom: st.SearchStrategy[Any], one_in: int = 10) -> st.SearchStrategy[Any]:
    return st.integers(1, one_in).flatmap(lambda number: seldom if number == one_in else often)


def values_of(part: strategies.Part, literals: list[str]) -> st.SearchStrategy[Any]:
    name, argument = part.kind.name, part.kind.argument  # type: ignore[union-attr]
    mean = mean_texts([*literals, argument] if name == "list" else literals)
    if name == "decimal":
        precision, scale = map(int, argument.split(","))
        unscaled = st.integers(-(10**precision) + 1, 10**precision - 1)
        return unscaled.map(lambda n: Decimal((int(n < 0), tuple(map(int, str(abs(n)))), -scale)))
    simple: dict[str, st.SearchStrategy[Any]] = {
        "string": mean,
        "quoted": mean,
        "int": st.integers(-(2**31), 2**31 - 1) | st.sampled_from([0, 1, 2, 22, 2026]),
        "long": st.integers(-(2**63), 2**63 - 1),
        "double": st.floats(),
        "boolean": st.booleans(),
        "date": st.dates(date(1, 1, 1)),
        "uuid": mostly(st.uuids().map(str) | st.uuids().map(str).map(str.upper), mean),
        "json": mostly(strategies.documents.map(lambda document: json.dumps(document, ensure_ascii=False)), mean),
        "list": st.lists(mean, max_size=3),
        "map": st.dictionaries(mostly(st.from_regex("[a-z.|-]{1,3}", fullmatch=True), mean), mean, max_size=3),
    }
    if name == "enum":
        return mostly(st.sampled_from(argument.split("|")), mean)
    if name in strategies.VALIDATED:
        return mostly(st.sampled_from(strategies.VALIDATED[name]), mean)
    return simple[name] if name in simple else instants(argument if name == "timestamp" else "")


@st.composite
def cases(draw: st.DrawFn, *, encodings: tuple[str, ...] = ("utf-8",), shape: Any = strategies.templates) -> Case:
    opts = draw(strategies.options)
    parts = draw(shape(opts))
    fields = [part for part in strategies.all_parts(parts) if part.name]
    assume(fields)
    literals = [part.text for part in strategies.all_parts(parts) if part.text] + [opts.null_value, " "]
    encoding = draw(st.sampled_from(encodings))
    assume(strategies.notation(parts).encode(encoding, "replace").decode(encoding) == strategies.notation(parts))
    columns = {part.name: mostly(values_of(part, literals), st.none(), 3 if part.nullable else 30) for part in fields}
    rows = draw(st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=4))
    for group in groups_in(parts):  # some rows without a group
        for row in rows:
            if draw(st.booleans()):
                row.update({part.name: None for part in strategies.all_parts([group]) if part.name})
    comment = draw(st.sampled_from([None, None, None, "#", "-", '"', "20", "a"]))
    nullable = {part.name: part.nullable for part in fields}
    return Case(strategies.notation(parts), rows, {}, opts, comment, encoding, nullable)


def groups_in(parts: list[strategies.Part]) -> list[strategies.Part]:
    return [group for part in parts if part.parts for group in (part, *groups_in(part.parts))]


def equal(one: dict[str, Any] | None, other: dict[str, Any]) -> bool:
    return one is not None and all(same(one[name], value) for name, value in other.items())


def written(case: Case, rows: list[dict[str, Any]], on_unwritable: str) -> list[dict[str, Any] | None] | None:
    """What reads back of some rows; None where they were refused."""
    encoder = case.encoder(on_unwritable)
    try:
        lines = encoder.encode(case.batch(rows))
    except RecordError as error:
        assert re.match(r"row \d+ \(from 0\), column 'f\d+': ", str(error))  # noqa: PT017
        return None
    assert len(lines) == len(rows)
    for line in lines.to_pylist():
        assert line.endswith("\n")
        assert "\n" not in line[:-1]
        assert "\r" not in line
    raw = bytes(encoder.to_bytes(lines))
    found = case.read(raw)
    assert len(found) == len(rows), raw
    return found


class TestLaw:
    """Parsing what was rendered gives what was rendered."""

    @given(cases())
    @thorough
    def test_a_line_reads_back_or_is_refused(self, case: Case) -> None:
        self.check_fail(case)

    @given(cases(shape=strategies.delimited))
    @thorough
    def test_between_one_character(self, case: Case) -> None:
        self.check_fail(case)

    @pytest.mark.no_cover  # it takes half as long, and the tests above cover the same code
    @given(cases(shape=colliding))
    @settings(thorough, max_examples=2 * EXAMPLES)
    def test_where_all_looks_alike(self, case: Case) -> None:
        self.check_fail(case)

    @given(cases(encodings=("iso8859-1", "cp1252", "shift_jis", "ascii", "utf-16-le", "gb18030")))
    @thorough
    def test_in_another_encoding(self, case: Case) -> None:
        self.check_fail(case)

    def check_fail(self, case: Case) -> None:
        refused = []
        for row in case.rows:
            found = written(case, [row], "fail")
            refused.append(found is None)
            if found is not None:
                assert equal(found[0], row), (found, row)
            else:
                self.must_be_refused(case, row)
        together = written(case, case.rows, "fail")
        assert (together is None) == any(refused)
        for found_row, row in zip(together or [], case.rows, strict=False):
            assert equal(found_row, row)

    def must_be_refused(self, case: Case, row: dict[str, Any]) -> None:
        """The plain spelling of a row that is refused does not read back."""
        opts = case.options
        clock = Clock(zoneinfo.ZoneInfo(opts.zone), opts.year_bound)
        line = reference_render.render(parse_template(case.template), row, null_value=opts.null_value, clock=clock)
        if "\n" in line or "\r" in line or line.startswith(BOM) or not line:
            return
        if case.encoding != "utf-8":
            return  # what an encoding takes for a mark or lacks is tested by example
        found = case.read(line.encode())
        assert not (len(found) == 1 and equal(found[0], row)), line

    @given(cases() | cases(shape=colliding), st.sampled_from(["null", "space"]))
    @thorough
    def test_what_is_mended_is_null_or_spaced(self, case: Case, on_unwritable: str) -> None:
        for row in case.rows:
            plainly = written(case, [row], "fail")
            found = written(case, [row], on_unwritable)
            if plainly is not None:
                assert found is not None
                assert equal(found[0], row)
            elif found is not None:
                assert found[0] is not None
                changed = {name for name, value in row.items() if not same(found[0][name], value)}
                assert changed
                for name in changed:
                    self.is_mended(
                        found[0][name], row[name], nullable=case.nullable[name], spaced=on_unwritable == "space"
                    )

    def is_mended(self, now: Any, before: Any, *, nullable: bool, spaced: bool) -> None:
        if now is None:
            assert nullable
            return
        assert spaced
        if isinstance(before, list):
            assert len(now) == len(before)
            pairs = list(zip(now, before, strict=True))
        else:
            pairs = [(now, before)]
        for text, original in pairs:
            assert isinstance(text, str)
            # Each space stands for a text that offended; nothing else is new.
            assert re.fullmatch("(?s:.+)".join(map(re.escape, text.split(" "))), original)

    @given(cases(), st.sampled_from(["null", "space"]))
    @thorough
    def test_rows_do_not_depend_on_each_other(self, case: Case, on_unwritable: str) -> None:
        alone = [written(case, [row], on_unwritable) for row in case.rows]
        together = written(case, case.rows, on_unwritable)
        if None in alone:
            assert together is None
        else:
            assert together is not None
            for one, found in zip(alone, together, strict=True):
                assert one is not None
                assert equal(one[0], found or {})


# ------------------------------------------------------------------------------- what each thing looks like


def encoder(template: str, schema: pa.Schema | None = None, *, zone: str = "UTC", **options: Any) -> Encoder:
    """An encoder of a template, by default for the schema that the template gives."""
    policy = options.pop("on_unwritable", "fail")
    described = FormatOptions("template", template, **options)
    return compile_encoder(
        described, format_schema(described) if schema is None else schema, zone=zone, on_unwritable=policy
    )


def line(template: str, *values: Any, **options: Any) -> str:
    """The one line of a template's columns with these values."""
    described = FormatOptions("template", template, escape=options.get("escape", "none"))
    schema = format_schema(described)
    arrays = [pa.array([value], field.type) for value, field in zip(values, schema, strict=True)]
    return str(encoder(template, **options).encode(pa.RecordBatch.from_arrays(arrays, schema=schema))[0]).removesuffix(
        "\n"
    )


NOON = datetime(2026, 3, 5, 12, 34, 56, 789_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("timestamp", NOON, "2026-03-05T12:34:56.789000Z"),
        ("timestamp", NOON.replace(microsecond=0), "2026-03-05T12:34:56.000000Z"),
        ("timestamp", datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
        ("timestamp(%d/%b/%Y:%H:%M:%S.%f %z)", NOON, "05/Mar/2026:12:34:56.789000 +0000"),
        ("timestamp(%Y%m%d-%H:%M:%S:%L)", NOON.replace(microsecond=74_000), "20260305-12:34:56:074"),
        ("timestamp(%A %e %B %y, %j, %I %p %M%%%S%f %Z)", NOON, "Thursday  5 March 26, 064, 12 PM 34%56789000 UTC"),
        ("epoch(s)", NOON, "1772714096.789000"),
        ("epoch(ms)", NOON, "1772714096789"),
        ("epoch(us)", NOON, "1772714096789000"),
        ("epoch(ns)", NOON, "1772714096789000000"),
        ("epoch(s)", datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC), "-0.500000"),
        ("double", 1e22, "1e+22"),
        ("double", 0.1, "0.1"),
        ("double", float("-inf"), "-inf"),
        ("decimal(38,18)", Decimal("0E-18"), "0.000000000000000000"),
        ("boolean", True, "true"),
        ("list(;)", ["a", "", "b"], "a;;b"),
        ("list(;)", [], ""),
        ("map", [("a", "1"), ("b", 'x "y"'), ("c", "")], 'a=1 b="x \\"y\\"" c='),
        ("quoted", 'a\\"b"\n', '"a\\\\\\"b\\"\\n"'),
        ("quoted?", None, '"-"'),
        ("quoted?", "-", '"\\x2d"'),
        ("string?", None, "-"),
    ],
)
def test_how_values_are_spelled(kind: str, value: Any, text: str) -> None:
    assert line("{v:" + kind + "}→", value) == text + "→"


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("{a} {b:int?}", "x y", r"x\x20y"),
        ("{a} | {b:int?}", "x |", r"x\x20|"),
        ("{a?}|{b:int?}", "-", r"\x2d"),
        ("{a}--{b:int?}", "----", r"\x2d-\x2d\x2d"),
        ("{a}→{b:int?}", "→\r\n\\", r"\xe2\x86\x92\r\n\\"),
        ("{a}nn{b:int?}", "\nn", r"\n\x6e"),
        ("{a}22{b:int?}", "2222", None),
        ("{a}x{b:int?}", "x", None),
        ("{a}n{b:int?}", "\n", None),
    ],
)
def test_escapes_go_as_far_as_they_can(template: str, value: str, text: str | None) -> None:
    if text is None:
        with pytest.raises(RecordError, match="ends the field"):
            line(template, value, None, escape="backslash")
    else:
        written_line = line(template, value, None, escape="backslash")
        assert written_line == text + template.partition("}")[2].partition("{")[0] + "-"
        assert reference_parse(template, written_line.encode(), escape="backslash").values["a"] == value


def test_a_blank_may_be_where_the_rest_begins() -> None:
    assert line("{u:uuid?}{? {}?}", None, allow_trailing=True) == "-"
    assert line("{l:list(;)}", ["a b"]) == "a b"
    with pytest.raises(RecordError, match="holds ' ', which ends the field"):
        line("{l:list(;)}", ["a b"], allow_trailing=True)


def test_an_empty_null_before_what_looks_like_a_date() -> None:
    assert line("{d:date?}1{b}", None, "x", null_value="") == "1x"
    with pytest.raises(RecordError, match="what stands around"):
        line("{d:date?}1{b}", None, "234-01-011x", null_value="")


BETWEEN = "{a}{?, b={b:int?}?}{?, c={c}?}, {d}"


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("{a}{?[{p:int}]?}: {m}", ["cron", 7, "x"], "cron[7]: x"),
        ("{a}{?[{p:int}]?}: {m}", ["cron", None, "x [7]"], "cron: x [7]"),
        (BETWEEN, ["x", None, None, "y"], "x, y"),
        (BETWEEN, ["x", 1, None, "y"], "x, b=1, y"),
        (BETWEEN, ["x", None, "", "y"], "x, c=, y"),
        (BETWEEN, ["x", 1, "z", "y"], "x, b=1, c=z, y"),
        ("{a}{?{~}{b}?}{?:{c}?}{?{~}end?}", ["x", None, "y"], "x:y"),
        ("{?<{p:int}>?}{m}", [3, "<5>x"], "<3><5>x"),
        ("{?<{p:int}>?}{m}", [None, "5> x"], "5> x"),
        ("{{{a}{?, {b?}?}}}", ["x", "y"], "{x, y}"),
        ("{a}{?[{b}{?:{c}?}]?} {d}", ["x", None, "y", "z"], None),
        ("{a}{?[{b?}{?:{c}?}]?} {d}", ["x", None, "y", "z"], "x[-:y] z"),
    ],
)
def test_a_group_is_written_if_anything_in_it_is_not_null(template: str, values: list[Any], text: str | None) -> None:
    if text is None:
        with pytest.raises(RecordError, match="the field has no"):
            line(template, *values)
    else:
        assert line(template, *values) == text
        read = reference_parse(template, text.encode())
        assert list(read.values.values()) == values
        assert not read.corrupt


@pytest.mark.parametrize(
    ("template", "values", "why", "escaped", "spaced"),
    [
        ("{a}{?[{p:int}]?}: {m}", ["x[y", None, "z"], "'x.y' holds '.', which ends the field", r"x\x5by: z", "x y: z"),
        ("{a}{?[{p:int}]?}: {m}", ["x:", 7, ": "], None, "x:[7]: : ", "x:[7]: : "),
        ("{a}{?|;#{b}?}{?;{c}?}: {d}", ["x|", None, "y", "z"], None, r"x\x7c;y: z", "x|;y: z"),
        ("{a}{?|;#{b}?}{?;{c}?}: {d}", ["x|", None, "#", "z"], "would not be read back", r"x\x7c;#: z", None),
        ("{a}{?|;{b}?};{d}", ["x|", None, "y"], "hold twice what ends the field", r"x\x7c;y", "x ;y"),
        (BETWEEN, ["x", None, None, "c=y"], "'c=y' would be read as the beginning of a part", r"x, \x63=y", "x,  =y"),
        ("{?<{p:int}>?}{m}", [None, "<5>x"], "'<5>x' would be read as the beginning", r"\x3c5>x", " 5>x"),
        ("{?<{p:int}>?}{m:quoted}", [None, "<5>x"], None, '"<5>x"', '"<5>x"'),
        ('{?"<{p:int}>?}{m:quoted}', [None, "<5>x"], None, r'"\x3c5>x"', r'"\x3c5>x"'),
        ("{?0?}{m:double}", [0.5], None, "0.5", "0.5"),
        ("{?-{p:int}:?}{m:int}", [None, -5], "would not be read back", None, None),
        ("{a}{? x{b}?}{? x{c}?};{d}", ["q", None, "1", "z"], "would not be read back", None, None),
    ],
)
def test_what_looks_like_a_group(
    template: str, values: list[Any], why: str | None, escaped: str | None, spaced: str | None
) -> None:
    if why is not None:
        with pytest.raises(RecordError, match=why):
            line(template, *values)
    if spaced is not None:
        assert line(template, *values, on_unwritable="space") == spaced
    if escaped is not None:
        assert line(template, *values, escape="backslash") == escaped
        read = reference_parse(template, escaped.encode(), escape="backslash")
        assert list(read.values.values()) == values


def test_many_groups() -> None:
    names = [f"b{number}" for number in range(130)]
    template = "{a}" + "".join(f"{{? {name}={{{name}}}?}}" for name in names) + "; {c}"
    rows = [
        {"a": "x", "c": "z", **dict.fromkeys(names[row :: row + 1], f"y{row}")}
        for row in range(extent(bounded=20, full=100))
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=format_schema(FormatOptions("template", template)))
    lines = encoder(template).encode(batch).to_pylist()
    for text, row in zip(lines, rows, strict=True):
        shown = "".join(f" {name}={row[name]}" for name in names if name in row)
        assert text == f"x{shown}; z\n"


def test_what_begins_a_line_can_be_escaped() -> None:
    assert line("{a}", "#x", escape="backslash", comment_prefix="#") == r"\x23x"
    assert line("{a}", BOM, escape="backslash") == r"\xef\xbb\xbf"
    assert line("{n:int}{~}{a}", 1, " x", escape="backslash") == r"1 \x20x"


@pytest.mark.parametrize(
    ("template", "values", "why"),
    [
        ("{a} {b}", ["x y", "z"], "row 0 .* column 'a': 'x y' holds ' ', which ends the field"),
        ("{a} {b}", ["x", "y\nz"], "column 'b': 'y.nz' holds a line end"),
        ("{a} {b}", ["x", "y\rz"], "holds a line end"),
        ("{a} | {b}", ["x |", "y"], "hold twice what ends the field"),
        ("{a}{? x={b:int?}?}", ["1 x=2", None], "holds ' x=', which ends the field"),
        ("{a:int}", [None], "column 'a': None cannot be written: the field has no '.'"),
        ("{a?} {b}", ["-", "x"], "would be read as null"),
        ("{a?} {b}", ["", "x"], "would be read as null"),
        ("{a:quoted?}", [""], "would be read as null"),
        ("{a}", [""], "blank line"),
        ("{a}", [" \t"], "blank line"),
        ("{a}", ["\0a"], "or padding"),
        ("{a}", [BOM], "byte order mark"),
        ("{n:int}{~}{a}", [1, " x"], "would lose a blank"),
        ("{u:uuid}", ["x"], "is not a value that a field of type uuid can write"),
        ("{j:json}", ["{"], "of type json"),
        ("{h:host}", ["a b"], "of type host"),
        ("{s:enum(stdout|stderr)}", ["stdin"], r"of type enum\(stdout\|stderr\)"),
        ("{t:timestamp(%Y-%m-%d %H:%M)}", [NOON], "of type timestamp"),
        ("{t:timestamp(%y%m%d %H%M%S%f)}", [NOON.replace(year=1968)], "of type timestamp"),
        ("{t:timestamp(%Y-%m-%d %H:%M:%S.%L)}", [NOON.replace(microsecond=1)], "of type timestamp"),
        ("{t:timestamp(%H %f)}", [NOON], "of type timestamp"),
        ("{t:timestamp(%Y %I:%M:%S.%f)}", [NOON], "of type timestamp"),
        ("{l:list(;;)}", [["a;", "b"]], "of type list"),
        ("{l:list(;)}", [[""]], "of type list"),
        ("{l:list(;)}", [["a", None]], "of type list"),
        ("{m:map}", [[("a", None)]], "of type map"),
        ("{m:map}", [[("a", "1"), ("a", "2")]], "of type map"),
        ("{m:map}", [[("a b", "1")]], "of type map"),
        ("{d:date?}{b}", [None, "x"], "would not be read as null here"),
        (
            "{t:timestamp(%S%f)}{b}",
            [NOON.replace(year=1970, month=1, day=1, hour=0, minute=0), "1"],
            "what stands around",
        ),
        ("{a}{~} {b}", ["x", "y"], "what stands around"),
    ],
)
def test_what_is_refused(template: str, values: list[Any], why: str) -> None:
    with pytest.raises(RecordError, match=why):
        line(template, *values)


def test_an_error_names_the_row_of_the_task() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["x", "y", "z " * 100], "b": ["", "", "1"]})
    with pytest.raises(
        RecordError, match=r"row 1002 \(from 0\), column 'a': 'z z .*\.\.\. holds ' '.*onUnwritable"
    ) as failed:
        encoder("{a} {b}").encode(batch, first_row=1000)
    assert len(str(failed.value)) < 400
    with pytest.raises(RecordError, match="onUnwritable=null finds no other value to write"):
        encoder("{a} {b}", on_unwritable="null").encode(batch)


@pytest.mark.parametrize(
    ("template", "value", "null", "space"),
    [
        ("{v?} | {w}", "a\nb", "-", "a b"),
        ("{v?} | {w}", "a | b |", "-", "a b "),
        ("{v?} | {w}", "-", "-", " "),
        ("{v?} {w}", "a b", "-", "-"),
        ("{v?}{~}{w}", "a b", "-", "-"),
        ("{v?}#{w}", BOM + "a", "-", " a"),
        ("{v:list(;)?},{w}", ["a,", "b;\n"], "-", "a ;b  "),
        ("{v:json?};{w}", "[1,\n2]", "-", "[1, 2]"),
        ("{v:uuid?} {w}", "a", "-", "-"),
        ("{v:quoted?} {w}", "", '"-"', '"-"'),
    ],
)
def test_what_is_written_in_its_place(template: str, value: Any, null: str, space: str) -> None:
    for policy, text in (("null", null), ("space", space)):
        found = line(template, value, "w", on_unwritable=policy)
        assert found.startswith(text + template.partition("}")[2].partition("{")[0].replace("~", " "))
        assert reference_parse(template, found.encode()).values["w"] == "w"


def test_a_space_where_null_cannot_be() -> None:
    assert line("{a} | {b}", "x | y", "z", on_unwritable="space") == "x y | z"
    with pytest.raises(RecordError, match="onUnwritable=space finds no other value to write"):
        line("{a} {b}", "x y", "z", on_unwritable="space")
    with pytest.raises(RecordError, match="column 'b'"):
        line("{a:int?} {b:int}", None, None, on_unwritable="space")


# ------------------------------------------------------------------------------------ schemas


def test_all_that_is_wrong_with_a_schema_is_said_at_once() -> None:
    schema = pa.schema([("a", "int64"), ("more", "string"), ("C", "string"), ("c", "string")])
    with pytest.raises(SchemaError) as failed:
        encoder("{a:int} {b:quoted} {c} {d?}", schema)
    for part in (
        "'a' is bigint, the format writes int",
        "'b' is missing",
        "'c' is there twice",
        "'more' is not in the format",
    ):
        assert part in str(failed.value)


def test_columns_that_are_not_there_are_null() -> None:
    schema = pa.schema([("B", "string")])
    batch = pa.RecordBatch.from_pydict({"B": ["x"]}, schema=schema)
    template = "{a:int?} {} {q:quoted?} {b}{? {c:int}?}"
    assert encoder(template, schema).encode(batch).to_pylist() == ['- - "-" x\n']
    template = "{?<{a:int}>?}{}{? [{d?}{?:{e:int}?}]?} {b}"
    assert encoder(template, schema).encode(batch).to_pylist() == ["- x\n"]
    with pytest.raises(SchemaError, match="'a' is missing"):
        encoder("{b}{? {a:int} {c?}?}", pa.schema([("b", "string"), ("c", "string")]))
    with pytest.raises(SchemaError, match="nothing would be read as null there"):
        encoder("{a:date?}{b}", schema)
    with pytest.raises(SchemaError, match="no column to write"):
        encoder("{a?}", pa.schema([]))


def test_groups_are_as_deep_as_a_row_needs() -> None:
    rows = [{"a": "x"}, {"a": "x", "c": 2}, {"a": "x", "b": 1}, {"a": "x"}]
    template = "{a}{? b={b:int?}{? c={c:int?}?}?}"
    batch = pa.RecordBatch.from_pylist(rows, schema=format_schema(FormatOptions("template", template)))
    assert encoder(template).encode(batch).to_pylist() == ["x\n", "x b=- c=2\n", "x b=1\n", "x\n"]


@pytest.mark.parametrize(
    ("kind", "array"),
    [
        ("long", pa.array([7], pa.int16())),
        ("long", pa.array([7], pa.uint32())),
        ("double", pa.array([7], pa.int32())),
        ("double", pa.array([0.1], pa.float32())),
        ("decimal(38,2)", pa.array([7], pa.uint64())),
        ("decimal(10,4)", pa.array([Decimal("1.25")], pa.decimal128(5, 2))),
        ("string", pa.array(["7"], pa.large_string())),
        ("string", pa.array(["7"]).dictionary_encode()),
        ("timestamp", pa.array([7_000], pa.timestamp("ns", "Europe/Berlin"))),
        ("timestamp", pa.array([7], pa.timestamp("s"))),
        ("timestamp", pa.array([7], pa.date32())),
        ("epoch(s)", pa.array([7], pa.timestamp("ms"))),
        ("date", pa.array([7 * 86_400_000], pa.date64())),
        ("list(,)", pa.array([["7"]], pa.large_list(pa.large_string()))),
        ("map", pa.array([[("a", "7")]], pa.map_(pa.large_string(), pa.string()))),
        ("int?", pa.nulls(1)),
    ],
)
def test_types_that_lose_nothing_are_taken(kind: str, array: pa.Array) -> None:
    template = "{v:" + kind + "}"
    one = encoder(template, pa.schema([("v", array.type)]), zone="Europe/Berlin")
    text = one.encode(pa.RecordBatch.from_arrays([array], ["v"]))[0].as_py()
    read = reference_parse(template, text.encode()[:-1], zone="Europe/Berlin")
    assert not read.corrupt
    native = format_schema(FormatOptions("template", template)).field(0).type
    if isinstance(read.values["v"], datetime):
        wall = array.cast(pa.timestamp("us")) if array.type.id != pa.date32().id else array.cast(pa.timestamp("s"))
        expected = wall[0].as_py()
        zone = UTC if getattr(array.type, "tz", None) else zoneinfo.ZoneInfo("Europe/Berlin")
        assert read.values["v"] == expected.replace(tzinfo=zone)
    else:
        assert pa.array([pairs(read.values["v"], native)], native) == array.cast(native)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("int", pa.int64()), ("int", pa.uint32()), ("int", pa.string()), ("double", pa.int64()), ("double", pa.bool_()),
        ("decimal(5,2)", pa.decimal128(6, 2)), ("decimal(5,2)", pa.int16()), ("string", pa.int32()), ("string", pa.binary()),
        ("boolean", pa.int8()), ("date", INSTANT), ("timestamp", pa.int64()), ("list(,)", pa.list_(pa.int32())),
        ("map", pa.map_(pa.string(), pa.int32())), ("map", pa.struct([])), ("uuid", pa.binary(16)),
    ],
)  # fmt: skip
def test_types_that_may_lose_something_are_not(kind: str, dtype: pa.DataType) -> None:
    with pytest.raises(SchemaError, match=re.escape(f"'v' is {type_name(dtype)}, the format writes")):
        encoder("{v:" + kind + "}", pa.schema([("v", dtype)]))


@pytest.mark.parametrize(
    "array",
    [
        pa.array([7], pa.timestamp("ns", "UTC")),
        pa.array([2**62], pa.timestamp("s", "UTC")),
        pa.array([2**62], INSTANT),
        pa.array([datetime(2026, 3, 29, 2, 30)], WALL),  # skipped in Berlin
        pa.array([-(10**6)], pa.date32()),
    ],
)
def test_times_that_are_lost_are_refused_or_null(array: pa.Array) -> None:
    kind = "date" if pa.types.is_date(array.type) else "timestamp"
    schema, batch = pa.schema([("v", array.type)]), pa.RecordBatch.from_arrays([array], ["v"])
    with pytest.raises(RecordError, match="column 'v'"):
        encoder("{v:" + kind + "?}", schema, zone="Europe/Berlin").encode(batch)
    mended = encoder("{v:" + kind + "?}", schema, zone="Europe/Berlin", on_unwritable="space")
    assert mended.encode(batch).to_pylist() == ["-\n"]


def test_the_second_of_two_equal_wall_clocks_cannot_be_told() -> None:
    template = "{v:timestamp(%Y-%m-%d %H:%M)}"
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    assert line(template, first, zone="Europe/Berlin") == "2026-10-25 02:30"
    with pytest.raises(RecordError):
        line(template, second, zone="Europe/Berlin")


def test_bytes_that_are_no_text() -> None:
    bad = pa.array([b"a\xffb", b"ok"], pa.binary())
    broken = pa.StringArray.from_buffers(2, bad.buffers()[1], bad.buffers()[2])
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), broken)
    for template, column in (("{v?}", broken), ("{v:list(,)?}", lists)):
        batch = pa.RecordBatch.from_arrays([column], ["v"])
        with pytest.raises(RecordError, match="column 'v'"):
            encoder(template, batch.schema).encode(batch)
        assert encoder(template, batch.schema, on_unwritable="null").encode(batch).to_pylist() == ["-\n", "ok\n"]
    batch = pa.RecordBatch.from_arrays([broken], ["v"])
    spaced = encoder("{v}", batch.schema, on_unwritable="space").encode(batch)
    assert spaced.to_pylist() == ["a\ufffdb\n", "ok\n"]


# ----------------------------------------------------------------------------- lines and their bytes


def test_lines_are_as_long_as_records_may_be() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["x" * 5, "x"], "b": ["y", "y" * 9]})
    schema = batch.schema
    assert encoder("{a?} {b?}", schema, max_record_bytes=11).encode(batch).to_pylist() == ["xxxxx y\n", "x yyyyyyyyy\n"]
    with pytest.raises(
        RecordError, match=r"row 1 .*column 'b': 'yyyyyyyyy' makes a line longer than maxRecordBytes=10"
    ):
        encoder("{a?} {b?}", schema, max_record_bytes=10).encode(batch)
    mended = encoder("{a?} {b?}", schema, max_record_bytes=10, on_unwritable="null").encode(batch)
    assert mended.to_pylist() == ["xxxxx y\n", "x -\n"]


def test_comments_are_no_records() -> None:
    with pytest.raises(RecordError, match="line a comment"):
        line("{a}", "#x", comment_prefix="#")
    with pytest.raises(RecordError, match="begins with '#x'"):
        line("#{a}", "xy", comment_prefix="#x")
    assert line("{a}", "#x", comment_prefix="#", on_unwritable="space") == " x"


def test_another_encoding() -> None:
    for kind, text in (("string", "€x"), ("list(;)", ["€x"])):
        with pytest.raises(RecordError, match="a character that the encoding lacks"):
            line("{v:" + kind + "}", text, encoding="iso8859-1")
        assert line("{v:" + kind + "}", text, encoding="iso8859-1", on_unwritable="space") == " x"
    assert line("{v:quoted}", "é€", encoding="iso8859-1") == r'"é\xe2\x82\xac"'
    assert line("{v}", "é€", encoding="iso8859-1", escape="backslash") == r"é\xe2\x82\xac"
    with pytest.raises(RecordError, match="byte order mark"):
        line("{v}", "ï»¿x", encoding="iso8859-1")  # its bytes are those of a mark
    with pytest.raises(RecordError, match="longer there than maxRecordBytes=30"):
        line("{v}", "é" * 20, encoding="iso8859-1", max_record_bytes=30)
    with pytest.raises(FormatError, match="encoding=ascii has no '→'"):
        encoder("{a}→{b}", encoding="ascii")
    with pytest.raises(FormatError, match="utf-16-le"):
        encoder("{a}", encoding="utf-16")


def test_bytes_of_some_lines() -> None:
    batch = pa.RecordBatch.from_pydict({"a": ["x", "é", "z"]})
    for encoding in ("utf-8", "iso8859-1"):
        one = encoder("{a}", encoding=encoding)
        lines = one.encode(batch)
        assert bytes(one.to_bytes(lines)) == "x\né\nz\n".encode(encoding)
        assert bytes(one.to_bytes(lines.slice(1, 1))) == "é\n".encode(encoding)
        assert bytes(one.to_bytes(one.encode(batch.slice(0, 0)))) == b""


def test_what_cannot_be_written_at_all() -> None:
    with pytest.raises(OptionError, match="onUnwritable"):
        encoder("{a}", on_unwritable="maybe")
    with pytest.raises(FormatError, match="line end"):
        encoder("{t:timestamp(%d\n%m)}")
    with pytest.raises(SchemaError, match="filled by the reader"):
        compile_encoder(FormatOptions("json", "", rescued_column="r"), pa.schema([("r", "string")]))
    for dtype in (pa.binary(), pa.map_(pa.int32(), pa.string()), pa.list_(pa.binary()), pa.map_(pa.string(), pa.binary()),
                  pa.struct([pa.field("x", pa.binary())]), pa.struct([pa.field("x", pa.int8()), pa.field("x", pa.int8())])):  # fmt: skip
        with pytest.raises(SchemaError, match="'v"):
            compile_encoder(FormatOptions("json", ""), pa.schema([("v", dtype)]))
    with pytest.raises(SchemaError, match="twice"):
        compile_encoder(FormatOptions("json", ""), pa.schema([("v", "string"), ("v", "string")]))
    with pytest.raises(SchemaError, match="no column"):
        compile_encoder(FormatOptions("json", ""), pa.schema([]))


# ------------------------------------------------------------------------------------ presets


def read_back(described: FormatOptions, raw: bytes) -> pa.Table:
    """What the decoder makes of a file, no line of which may be corrupt."""
    schema = format_schema(described)
    decoded = compile_decoder(described, schema).decode(find_lines(raw, 0), TimestampContext())
    assert decoded.corrupt is None
    return pa.Table.from_arrays(decoded.columns, schema=schema)


@pytest.mark.parametrize("name", ["apache_combined", "aws_alb"])
def test_presets_are_written_as_they_are_read(name: str) -> None:
    described = FormatOptions("preset", name)
    schema = format_schema(described)
    number = {pa.int32(): 7, pa.int64(): 8, pa.float64(): 0.5, INSTANT: datetime(2026, 1, 1, tzinfo=UTC)}
    full = {field.name: number.get(field.type, "x") for field in schema}
    sparse = {name: value if not place % 3 else None for place, (name, value) in enumerate(full.items())}
    needed = {"remote_host": "h", "type": "h", "elb": "e", "time": number[INSTANT], "client_ip": "i", "target_ip": "i"}
    rows = [full, {**sparse, **{key: value for key, value in needed.items() if key in full}}]
    batch = pa.RecordBatch.from_pylist(rows, schema=schema)
    one = compile_encoder(described, schema)
    assert read_back(described, bytes(one.to_bytes(one.encode(batch)))) == pa.Table.from_batches([batch])


def test_addresses_and_ports() -> None:
    described = FormatOptions("preset", "aws_alb")
    hosts = ["10.0.0.1", "10.0.0.1", "2001:db8::1", "2001:db8::1", "[x]", "[x]", None, "a:b:c"]
    ports = [80, None, 80, None, 80, None, None, 1]
    fixed = {"type": "h", "time": datetime(2026, 1, 1, tzinfo=UTC), "elb": "e"}
    schema = pa.schema([f for f in format_schema(described) if f.name in ("client_ip", "client_port", *fixed)])
    rows = [{**fixed, "client_ip": host, "client_port": port} for host, port in zip(hosts, ports, strict=True)]
    one = compile_encoder(described, schema)
    lines = one.encode(pa.RecordBatch.from_pylist(rows, schema=schema))
    assert [text.split(" ")[3] for text in lines.to_pylist()][:4] == [
        "10.0.0.1:80",
        "10.0.0.1",
        "[2001:db8::1]:80",
        "[2001:db8::1]:-",
    ]
    back = read_back(described, bytes(one.to_bytes(lines)))
    assert back["client_ip"].to_pylist() == hosts
    assert back["client_port"].to_pylist() == ports
    batch = pa.RecordBatch.from_pylist([{**fixed, "client_ip": None, "client_port": 80}], schema=schema)
    with pytest.raises(RecordError, match="column 'client_port': 80 is a port without an address"):
        one.encode(batch)
    assert " - - " in compile_encoder(described, schema, on_unwritable="null").encode(batch)[0].as_py()


# ---------------------------------------------------------------------------------------- JSON


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (pa.array(['a"\\\n\x01é']), r'{"v":"a\"\\\n\u0001é"}'),
        (pa.array([None, "x"]), '{"v":null}'),
        (pa.array([0.1], pa.float32()), '{"v":0.1}'),
        (pa.array([Decimal("1E-18")], pa.decimal128(38, 18)), '{"v":0.000000000000000001}'),
        (pa.array([[1, None]]), '{"v":[1,null]}'),
        (pa.array([[("a", None)]], pa.map_(pa.string(), pa.bool_())), '{"v":{"a":null}}'),
        (pa.array([{"a": 1, "b": None}], pa.struct([("a", "int8"), ("b", "string")])), '{"v":{"a":1,"b":null}}'),
        (pa.array([{}], pa.struct([])), '{"v":{}}'),
        (pa.array([NOON], INSTANT), '{"v":"2026-03-05T12:34:56.789000Z"}'),
        (pa.array([date(2026, 1, 1)]), '{"v":"2026-01-01"}'),
        (pa.nulls(1), '{"v":null}'),
        (pa.array(["x"]).dictionary_encode(), '{"v":"x"}'),
        (pa.array([2**64 - 1], pa.uint64()), '{"v":18446744073709551615}'),
    ],
)
def test_how_json_is_spelled(array: pa.Array, text: str) -> None:
    one = compile_encoder(FormatOptions("json", ""), pa.schema([("v", array.type)]))
    assert one.encode(pa.RecordBatch.from_arrays([array], ["v"]))[0].as_py() == text + "\n"


def test_json_that_is_no_json() -> None:
    for array in (
        pa.array([float("nan")]),
        pa.array([[float("inf")]]),
        pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int8())),
        pa.array([{"x": datetime(2026, 3, 29, 2, 30)}], pa.struct([pa.field("x", WALL)])),
    ):
        batch = pa.RecordBatch.from_arrays([array], ["v"])
        with pytest.raises(RecordError, match=r"column 'v'.*has no JSON text that reads back"):
            compile_encoder(FormatOptions("json", ""), batch.schema, zone="Europe/Berlin").encode(batch)
        for policy in ("null", "space"):
            one = compile_encoder(FormatOptions("json", ""), batch.schema, zone="Europe/Berlin", on_unwritable=policy)
            assert one.encode(batch).to_pylist() == ['{"v":null}\n']
    bad = pa.array([b"a\xff"], pa.binary())
    batch = pa.RecordBatch.from_arrays([pa.StringArray.from_buffers(1, bad.buffers()[1], bad.buffers()[2])], ["v"])
    with pytest.raises(RecordError, match="not valid UTF-8"):
        compile_encoder(FormatOptions("json", ""), batch.schema).encode(batch)
    spaced = compile_encoder(FormatOptions("json", ""), batch.schema, on_unwritable="space")
    assert spaced.encode(batch).to_pylist() == ['{"v":"a\ufffd"}\n']


def test_json_spells_what_an_encoding_lacks() -> None:
    batch = pa.RecordBatch.from_pydict({"é€": ["é😀"]})
    one = compile_encoder(FormatOptions("json", "", encoding="iso8859-1"), batch.schema)
    assert bytes(one.to_bytes(one.encode(batch))) == '{"é\\u20ac":"é\\ud83d\\ude00"}\n'.encode("iso8859-1")


scalars = st.sampled_from(
    [pa.string(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.bool_(), pa.date32(),
     pa.decimal128(5, 2), pa.decimal128(38, 18), INSTANT, WALL]
)  # fmt: skip
types = st.recursive(
    scalars,
    lambda inner: st.one_of(
        inner.map(lambda dtype: pa.list_(pa.field("element", dtype))),
        inner.map(lambda dtype: pa.map_(pa.string(), dtype)),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda dtypes: pa.struct([pa.field(f"k{place}", dtype) for place, dtype in enumerate(dtypes)])
        ),
    ),
    max_leaves=4,
)
any_text = mean_texts(['"', "\\", "{", "}", ":", ",", "null", "\x00", "\x1f", "\x7f", "\\u0041", "😀"])


def json_values(dtype: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_list(dtype):
        return st.lists(mostly(json_values(dtype.value_type), st.none()), max_size=3)
    if pa.types.is_map(dtype):
        return st.dictionaries(any_text, mostly(json_values(dtype.item_type), st.none()), max_size=3)
    if pa.types.is_struct(dtype):
        return st.fixed_dictionaries({f.name: mostly(json_values(f.type), st.none()) for f in dtype})
    if pa.types.is_decimal(dtype):
        unscaled = st.integers(-(10**dtype.precision) + 1, 10**dtype.precision - 1)
        return unscaled.map(lambda n: Decimal((int(n < 0), tuple(map(int, str(abs(n)))), -dtype.scale)))
    if pa.types.is_integer(dtype):
        return st.integers(-(2 ** (dtype.bit_width - 1)), 2 ** (dtype.bit_width - 1) - 1)
    if pa.types.is_floating(dtype):
        return mostly(st.floats(width=dtype.bit_width, allow_nan=False, allow_infinity=False), st.floats(), 20)
    if pa.types.is_timestamp(dtype):
        return st.datetimes(
            datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC) if dtype.tz else st.none()
        )
    plain = {pa.string(): any_text, pa.bool_(): st.booleans(), pa.date32(): st.dates()}
    return plain[dtype]


@st.composite
def documents(draw: st.DrawFn) -> tuple[pa.RecordBatch, str]:
    names = draw(st.lists(any_text | st.sampled_from(["a", "A", "b"]), min_size=1, max_size=4, unique=True))
    schema = pa.schema([pa.field(name, draw(types)) for name in names])
    row = st.fixed_dictionaries({field.name: mostly(json_values(field.type), st.none(), 5) for field in schema})
    rows = draw(st.lists(row, min_size=1, max_size=4))
    columns = [pa.array([pairs(one[field.name], field.type) for one in rows], field.type) for field in schema]
    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    return batch.slice(draw(st.integers(0, 1))), draw(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]))


def pairs(value: Any, dtype: pa.DataType) -> Any:
    """A value with its maps as the pairs that Arrow makes maps of."""
    if value is None:
        return None
    if pa.types.is_map(dtype):
        return [(key, pairs(item, dtype.item_type)) for key, item in value.items()]
    if pa.types.is_struct(dtype):
        return {field.name: pairs(value[field.name], field.type) for field in dtype}
    return [pairs(item, dtype.value_type) for item in value] if pa.types.is_list(dtype) else value


def dictionaries(value: Any, dtype: pa.DataType) -> Any:
    """A value of ``to_pylist`` with its maps as dictionaries."""
    if value is None:
        return None
    if pa.types.is_map(dtype):
        return {key: dictionaries(item, dtype.item_type) for key, item in value}
    if pa.types.is_struct(dtype):
        return {field.name: dictionaries(value[field.name], field.type) for field in dtype}
    return [dictionaries(item, dtype.value_type) for item in value] if pa.types.is_list(dtype) else value


class TestJson:
    """One object a line, nested values and all."""

    @given(documents(), st.sampled_from(["utf-8", "ascii", "cp1252", "utf-16-le"]))
    @thorough
    def test_a_line_reads_back_or_is_refused(self, case: tuple[pa.RecordBatch, str], encoding: str) -> None:
        batch, zone = case
        encoder = compile_encoder(FormatOptions("json", "", encoding=encoding), batch.schema, zone=zone)
        for row in range(batch.num_rows):
            one = batch.slice(row, 1)
            expected = {f.name: dictionaries(one.column(i)[0].as_py(), f.type) for i, f in enumerate(one.schema)}
            try:
                lines = encoder.encode(one)
            except RecordError:
                assert self.has_no_json(expected, zone), expected
                continue
            text = bytes(encoder.to_bytes(lines)).decode(encoding)
            assert text.count("\n") == 1
            assert text.endswith("}\n")
            assert "\r" not in text
            values, corrupt = reference_json(text[:-1].encode(), batch.schema, zone)
            assert not corrupt
            assert narrowed(values, batch.schema) == expected

    def has_no_json(self, value: Any, zone: str) -> bool:
        """Numbers that are none, and wall clocks that no clock in the zone ever showed."""
        if isinstance(value, dict):
            return any(self.has_no_json(item, zone) for item in value.values())
        if isinstance(value, list):
            return any(self.has_no_json(item, zone) for item in value)
        if isinstance(value, datetime) and value.tzinfo is None:
            local = value.replace(tzinfo=zoneinfo.ZoneInfo(zone))
            return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != value
        return isinstance(value, float) and not math.isfinite(value)

    @given(documents())
    @thorough
    def test_nothing_stays_unwritable_where_null_will_do(self, case: tuple[pa.RecordBatch, str]) -> None:
        batch, zone = case
        encoder = compile_encoder(FormatOptions("json", ""), batch.schema, zone=zone, on_unwritable="null")
        lines = encoder.encode(batch).to_pylist()
        assert len(lines) == batch.num_rows
        for row, line in enumerate(lines):
            values, corrupt = reference_json(line.encode()[:-1], batch.schema, zone)
            assert not corrupt
            for field, value in zip(batch.schema, narrowed(values, batch.schema).values(), strict=True):
                before = dictionaries(batch.column(field.name)[row].as_py(), field.type)
                assert value == before or (value is None and self.has_no_json(before, zone))


def narrowed(values: dict[str, Any], schema: pa.Schema) -> dict[str, Any]:
    """Values as the columns' types hold them: the reference parser knows doubles only."""
    arrays = {field: pa.array([pairs(values[field.name], field.type)], field.type) for field in schema}
    return {field.name: dictionaries(array[0].as_py(), field.type) for field, array in arrays.items()}
