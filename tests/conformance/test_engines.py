"""The engine and the line parser of templates decode as the reference parser does: same values, same corrupt lines.

One suite, inherited for the line parser alone and for the engine. ``TEST_EFFORT`` is the number of examples
(tests/support/effort.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pyspark_logs.formats.compiled.availability import machines
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.template.compiled_engine import CompiledTemplateEngine
from pyspark_logs.formats.template.engine import TemplateEngine
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines, read_lines, sanitise
from tests.reference.templates import named_fields, parse_template, reference_lines, reference_parse, same
from tests.support import strategies
from tests.support.effort import examples
from tests.support.formats import compile_decoder

EXAMPLES = examples(150)
thorough = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
INSTANT, WALL, DAY = pa.timestamp("us", "UTC"), pa.timestamp("us"), pa.date32()
STRING = pa.string()

ARROW: dict[str, pa.DataType] = {
    "string": STRING, "quoted": STRING, "uuid": STRING, "json": STRING, "int": pa.int32(), "long": pa.int64(),
    "double": pa.float64(), "boolean": pa.bool_(), "date": DAY, "timestamp": INSTANT, "epoch": INSTANT,
    "decimal(5,2)": pa.decimal128(5, 2), "decimal(38,18)": pa.decimal128(38, 18),
    "list": pa.list_(pa.field("element", STRING)), "map": pa.map_(STRING, STRING),
    **dict.fromkeys((*strategies.VALIDATED, "enum"), STRING),
}  # fmt: skip
NUMBERS = ["int", "long", "double", "decimal(5,2)", "decimal(38,18)"]
# What a schema may read a field as, beside its own type and string.
RETYPES = {
    **{name: [*NUMBERS, "boolean", "date", "timestamp"] for name in ("string", "quoted")},
    **dict.fromkeys(("int", "long", "double", "decimal"), NUMBERS),
    **{name: ["wall", "day"] for name in ("timestamp", "epoch")},
}


# Where a year that is not written must be chosen with care: its ends, leap days, their absence.
BOUNDS = [
    datetime(*parts, tzinfo=timezone.utc)
    for parts in [(2024, 2, 29), (2025, 3, 1), (2026, 12, 31, 23, 45), (2027, 1, 1), (2100, 3, 1), (1970, 1, 1)]
]


class RequestedColumn(NamedTuple):
    """One column of a query: ``retyped`` is None, a type of the notation, ``wall`` or ``day``."""

    name: str
    arrow: pa.DataType
    retyped: str | None = None


class Query(NamedTuple):
    """Lines, a template, and the requested columns."""

    case: strategies.Case
    asked: list[RequestedColumn]
    hidden: list[RequestedColumn]
    judge_whole: bool
    block_bytes: int

    @property
    def context(self) -> TimestampContext:
        bound = (self.case.options["year_bound"] - EPOCH).total_seconds()
        return TimestampContext(self.case.options["zone"], round(bound * 1_000_000))

    def decoder(self) -> Decoder:
        options = {name: self.case.options[name] for name in ("null_value", "escape", "allow_trailing")}
        wanted = pa.schema([pa.field(one.name, one.arrow) for one in self.asked])
        hidden = pa.schema([pa.field(one.name, one.arrow) for one in self.hidden])
        return compile_decoder(
            FormatOptions("template", self.case.template, **options),
            wanted,
            hidden=hidden,
            judge_whole=self.judge_whole,
        )

    def expected(self, line: bytes) -> tuple[list[object], bool]:
        """The values of the columns and whether the line is corrupt, by the reference parser."""
        names = [one.name for one in self.asked]
        types = {one.name: one.retyped for one in self.asked if one.retyped not in (None, "wall", "day")}
        options: dict[str, Any] = {**self.case.options, "judge_whole": self.judge_whole}
        row = reference_parse(self.case.template, line, columns=names, types=types, **options)
        values = [self._finished(one, row.values[one.name]) for one in self.asked]
        for one in self.hidden:
            # A hidden column never makes a line corrupt, but it is there only where a shown one would be.
            columns = [*dict.fromkeys([*names, *(other.name for other in self.hidden)])]
            others = {name: retyped for name, retyped in types.items() if name != one.name}
            values.append(
                reference_parse(self.case.template, line, columns=columns, types=others, **options).values[one.name]
            )
        return values, row.corrupt

    def _finished(self, one: RequestedColumn, value: Any) -> object:
        if value is None or one.retyped not in ("wall", "day"):
            return value
        try:
            wall = value.astimezone(ZoneInfo(self.case.options["zone"])).replace(tzinfo=None)
        except OverflowError:
            assume(False)
        return wall if one.retyped == "wall" else wall.date()


def column_type(notation: str) -> pa.DataType:
    name, _, argument = notation.partition("(")
    if name == "decimal":
        precision, scale = argument.removesuffix(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return ARROW[name]


@st.composite
def queries(draw: st.DrawFn, cases: st.SearchStrategy[strategies.Case]) -> Query:
    case = draw(cases)
    fields = [field for field in named_fields(parse_template(case.template)) if field.name]
    assume(fields)
    own = {f.name: RequestedColumn(f.name, column_type(f"{f.type.name}({f.type.argument})")) for f in fields if f.name}
    names = list(own) if draw(st.booleans()) else draw(st.lists(st.sampled_from(list(own)), unique=True))
    asked = []
    for field in fields:
        if field.name not in names:
            continue
        target = None
        if draw(st.integers(0, 2)) == 0:
            target = draw(st.sampled_from(["string", *RETYPES.get(field.type.name, [])]))
        if target in (None, field.type.name) or (target == "string" and ARROW.get(field.type.name) == STRING):
            asked.append(own[field.name])
        elif target in ("wall", "day"):
            asked.append(RequestedColumn(field.name, WALL if target == "wall" else DAY, target))
        elif column_type(target) != own[field.name].arrow:
            asked.append(RequestedColumn(field.name, column_type(target), target))
        else:
            asked.append(own[field.name])
    asked = draw(st.permutations(asked))
    shown = {one.name for one in asked if one.retyped is None}
    stamps = [own[f.name] for f in fields if f.name and f.type.name in ("timestamp", "epoch") and f.name not in shown]
    hidden = [draw(st.sampled_from(stamps))] if stamps and draw(st.booleans()) else []
    # The same lines again and again, in any order: engines learn from one line and apply it to others.
    if case.lines and draw(st.booleans()):
        lines = draw(st.lists(st.sampled_from(case.lines), min_size=1, max_size=40))
        case = case._replace(lines=lines, data=draw(strategies.files(lines)))
    bound = draw(st.sampled_from([case.options["year_bound"], *BOUNDS]))
    case = case._replace(options={**case.options, "year_bound": bound})
    return Query(case, asked, hidden, draw(st.booleans()), draw(st.sampled_from([1, 20, 100, 1 << 20])))


def rows_of(
    decoder: Decoder, blocks: Iterator[Lines], context: TimestampContext
) -> tuple[list[list[object]], list[bool]]:
    """Values row by row, and which rows are corrupt."""
    rows: list[list[object]] = []
    corrupt: list[bool] = []
    for lines in map(sanitise, blocks):
        decoded = decoder.decode(lines, context)
        if decoder.engines:
            assert dict(decoded.reasons) == dict(
                decoder.parse_one_by_one(lines, np.arange(len(lines)), context).reasons
            )
        for array, dtype in zip(decoded.columns, decoder.target, strict=True):
            assert array.type == dtype
            assert len(array) == len(lines)
            array.validate(full=True)
        corrupt += [False] * len(lines) if decoded.corrupt is None else decoded.corrupt.tolist()
        columns = [plain(array) for array in decoded.columns]
        rows += [[column[row] for column in columns] for row in range(len(lines))]
    return rows, corrupt


def plain(array: pa.Array) -> list[object]:
    values: list[object] = array.to_pylist()
    if pa.types.is_map(array.type):
        return [None if value is None else dict(value) for value in values]  # type: ignore[call-overload]
    return values


class Conformance:
    """Agreement of a decoder with the reference parser; a subclass names the engines of the decoder."""

    engines: tuple[type, ...] = ()

    def decoder(self, query: Query) -> Decoder:
        whole = query.decoder()
        chosen = [engine for engine in whole.engines if isinstance(engine, self.engines)]
        return Decoder(chosen, whole.line_parser, whole.native, whole.target)

    def check(self, query: Query) -> None:
        decoder = self.decoder(query)
        blocks = read_lines(iter([query.case.data]), block_bytes=query.block_bytes)
        rows, corrupt = rows_of(decoder, blocks, query.context)
        lines = [line for _, line in reference_lines(query.case.data)]
        assert len(rows) == len(lines)
        for line, row, bad in zip(lines, rows, corrupt, strict=True):
            values, expected_bad = query.expected(line)
            assert all(map(same, row, values)), (line, row, values)
            assert bad == expected_bad, (line, bad)

    def check_drawn(self, query: Query) -> None:
        # Without a newline, a carriage return ends a line, which the reference does not know.
        assume(b"\n" in query.case.data or b"\r" not in query.case.data)
        self.check(query)

    @given(queries(strategies.cases()))
    @thorough
    def test_any_template(self, query: Query) -> None:
        self.check_drawn(query)

    @given(queries(strategies.cases(shape=strategies.delimited)))
    @thorough
    def test_delimited_template(self, query: Query) -> None:
        self.check_drawn(query)


class TestLineParser(Conformance):
    """The line parser alone."""


class TestEngine(Conformance):
    """The template engine, and the line parser for the lines that it leaves."""

    engines = (TemplateEngine,)


@pytest.mark.skipif(machines() is None, reason="the machines are not compiled")
class TestCompiledEngine(Conformance):
    """The compiled engine, and the line parser for the lines that it leaves."""

    engines = (CompiledTemplateEngine,)


# ------------------------------------------------------- lines that the engine must not leave to the line parser

COMMON = {
    "{ts:timestamp} {level} [{service}] req={request_id} {message}": "2026-11-22T10:00:{s:02}.{n:03}Z INFO [pay] req=r{n} took {n} ms, ok",
    "{ts:timestamp} {level}{~}{logger} - {message}": "2026-11-22 10:00:{s:02},{n:03} WARN  com.acme.Pay - it's slow \\o/ {n}",
    "[{ts:timestamp(%d/%b/%Y:%H:%M:%S %z)}] {user?} {request:quoted?} {status:int?}": '[22/Nov/2026:10:00:{s:02} +0100] - "GET /{n} HTTP/1.1" 200',
    "{ts:timestamp(%b %d %H:%M:%S)} {host} {program}: {message}": "Nov  {d} 10:00:{s:02} box sshd[{n}]: accepted: yes",
    "{ts:timestamp(%a %b %d %H:%M:%S %Y)} {n:int}": "Sun Nov 22 10:00:{s:02} 2026 {n}",
    "{a}|{b:int}|{c:timestamp}|{d:double?}": "x{n}|{n}|2026-11-22T10:00:{s:02}Z|-",
    "{a},{b:timestamp?},{c:boolean},{d:decimal(10,2)}": "x,,true,{n}.25",
    "{t:epoch(s)} {d:date} {u:uuid} {l:list(,)}": "1795305600.{n:03} 2026-11-{d:02} 123e4567-e89b-12d3-a456-4266141740{s:02} a,b,{n}",
    "{q:quoted?} {t:timestamp?} {r:quoted?}": '- - "a \\"b\\" {n}"',
    "{a:int}{? {b:quoted?}{? c={c:timestamp}?}?}": '{n} "x" c=2026-11-22T10:00:00Z',
    "{a:int}{? {b:int}?}": "{n}",
    "{message}": "anything {n}",
    "{ts:timestamp(%b %d %H:%M:%S)} {host} {program}{?[{pid:int}]?}: {message}": "Nov  {d} 10:00:{s:02} box sshd{pid}: accepted: [yes]",
    "{?<{pri:int}>?}{ts:timestamp} {a}{? b={b:quoted?}?}{? c={c}{?;{d:int}?}?} - {e}": "{pri}2026-11-22T10:00:{s:02}Z x{b}{c} - c={n}",
    "{ts:timestamp(%Y%m%d-%H:%M:%S:%L)}|{c}|{p:int}|{m}": "20261122-{d}:{s}:{s}:{n}|Step|30002312| x|{n}",
    "{a}{?[{b:int}]?} {c}{?: {d}?}": "x[{n}] y: z",
    "{a}{?[{b}{? {c:int?}?}]?}{~}{d:timestamp}{?!?}": "x   2026-11-22T10:00:{s:02}Z",
}  # fmt: skip


def common(template: str, n: int) -> bytes:
    """Returns a valid line by its number; some lines have the groups."""
    groups = {"pid": f"[{n}]" if n % 3 else "", "pri": "<13>" if n % 2 else "", "b": ' b="[x] c="' if n % 5 else ""}
    groups["c"] = (" c=-", "", f" c={n};{n}")[n % 3]
    return COMMON[template].format(n=n, s=n % 60, d=n % 9 + 1, **groups).encode()


@pytest.mark.parametrize("judge_whole", [False, True])
@pytest.mark.parametrize("template", COMMON)
def test_the_engine_decodes_all_valid_lines(template: str, judge_whole: bool) -> None:
    lines = [common(template, n) for n in range(300)]
    query = whole_query(template, lines, judge_whole=judge_whole)
    decoder = query.decoder()
    engine = next(engine for engine in decoder.engines if isinstance(engine, TemplateEngine))
    block = next(read_lines(iter([query.case.data])))
    decoded = engine.parse(block.block, block.starts, block.ends, query.context)
    assert decoded.rows is None
    assert [list(row) for row in zip(*(plain(column) for column in decoded.columns), strict=True)] == [
        query.expected(line)[0] for line in lines
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_engine_parses_separated_lines_with_any_line_end(end: bytes) -> None:
    lines = [b"x%d|%d|2026-11-22T10:00:00Z|-" % (n, n) for n in range(300)]
    query = whole_query("{a}|{b:int}|{c:timestamp}|{d:double?}", lines)
    engine = next(engine for engine in query.decoder().engines if isinstance(engine, TemplateEngine))
    block = next(read_lines(iter([end.join(lines)])))
    assert engine.parse(block.block, block.starts, block.ends, query.context).rows is None


def test_the_engine_gives_the_reason_of_a_line_with_a_bad_value() -> None:
    lines = [b"x|1|y" if n % 100 else b"x|1z|y\x00" for n in range(1000)]
    query = whole_query("{a}|{b:int}|{c}", lines)
    engine = next(engine for engine in query.decoder().engines if isinstance(engine, TemplateEngine))
    block = next(read_lines(iter([query.case.data])))
    decoded = engine.parse(block.block, block.starts, block.ends, query.context)
    assert decoded.rows is None
    assert decoded.reasons.counts() == [("field 'b': not a whole number", 10, 0)]
    TestEngine().check(query)


def whole_query(template: str, lines: list[bytes], *, judge_whole: bool = False, block_bytes: int = 1 << 20) -> Query:
    """All columns of a template."""
    options = {
        "null_value": "-",
        "escape": "none",
        "allow_trailing": False,
        "zone": "UTC",
        "year_bound": strategies.YEAR_BOUND,
    }
    asked = [
        RequestedColumn(f.name, column_type(f"{f.type.name}({f.type.argument})"))
        for f in named_fields(parse_template(template))
        if f.name
    ]
    case = strategies.Case(template, lines, b"\n".join(lines) + b"\n", options)
    return Query(case, asked, [], judge_whole, block_bytes)


# --------------------------------------------------------------------- results do not depend on the block size


@pytest.mark.parametrize("template", COMMON)
def test_any_block_size_gives_the_same_rows(template: str) -> None:
    good = [common(template, n) for n in range(7)]
    lines = [
        line
        for one in good
        for line in (one, one[: len(one) // 2], one + b" \xff\xe2\x86", b'"', b"\\", b"- -", one.replace(b"1", b""))
    ]
    query = whole_query(template, lines)
    data, decoder = query.case.data.replace(b"\n", b"\r\n", 9), query.decoder()
    whole = rows_of(decoder, read_lines(iter([data])), query.context)
    for block_bytes in [1, 2, 3, 5, 8, 13, 50, 99, 100, 101, 150, 300]:
        assert rows_of(decoder, read_lines(iter([data]), block_bytes=block_bytes), query.context) == whole
    one_by_one = [rows_of(decoder, read_lines(iter([line])), query.context) for line in lines]
    assert ([row for rows, _ in one_by_one for row in rows], [bad for _, bads in one_by_one for bad in bads]) == whole


@pytest.mark.parametrize(
    ("pattern", "first", "other"),
    [
        ("%y%m%d", b"261 2", b"26112"),
        ("%H%d %b %Y", b"1 2 Nov 2026", b"112 Nov 2026"),
        ("%m%e", b"1 2", b"112"),
        ("%Y %f%d %b", b"2026 12310 Nov", b"2026 12312 Nov"),
        ("%Y %L%m %d", b"2026 110 1", b"2026 111 1"),
    ],
)
def test_how_a_timestamp_is_divided_does_not_depend_on_other_lines(pattern: str, first: bytes, other: bytes) -> None:
    TestEngine().check(whole_query(f"{{t:timestamp({pattern})}}|{{b}}", [first + b"|x", other + b"|x"]))


# -------------------------------------------------------------------------------------------- difficult lines


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("{a}{~}{b}", b"x" + b" " * 5000 + b"y"),
        ("{q:quoted} {b}", b'"' + b"\\" * 5001 + b'" y" z'),
        ("{q:quoted} {b}", b'"' + b"\\" * 5000 + b'" y'),
        ("{n:int} {b}", b"0" * 4000 + b"7 y"),
        ("{n:decimal(38,0)} {b}", b"1" * 400 + b" y"),
        ("{n:decimal(5,2)} {b}", b"1e99999999999999999999 y"),
        ("{e:epoch(s)} {b}", b"9" * 400 + b".5 y"),
        ("{a}|{b}|{c}", b"||"),
        ("{a}|{b}|{c}", b'x"|"y|z"'),
        ("{a}|{b}|{c}", b"x\ry|\x00|z"),
        ("{a}\t{t:timestamp(%d %b %Y)}\t{c}", b"x\t22\tNov 2026\tz"),
        ("{t:timestamp(%d1)}1{b}", b"1111x"),
        ("{t:timestamp},{b}", b"2026-11-22T10:00:00,5z,x"),
        ("{q:quoted?}{b}", b"-x"),
        ("{a}{~}{b:int?} {c}", b"x  y"),
        ("{a}|{b}|{c:date}", b"x|y|2000-01-01 "),
        ("{q:quoted?}-{b}", b"--"),
        ("{a}{?[{b}]?}: {c}", b"x[" * 5000 + b": " * 5000),
        ("{a}{? {b}?}{?\t{c}?}{?::{d}?}:{e}", b"x:" + b"\t" * 5000),
        ("{a}{?::{b}?}:{c}{?:::{d}?}", b":" * 5000),
        ("{m:map}", b"a=" + b"x" * 100_000 + b' b="' + b"\\n" * 50_000 + b'"'),
        ("{a>}  {b}", b"x   y"),
        ("{a>}:-:{b}@{c}", b"x:-:-:y@z"),
        ("{a>}:{b}@{c}", b"x:y"),
        ("{a>}:{b}@{c}", b"x@y:z"),
    ],
)
@pytest.mark.parametrize("count", [1, 40])
def test_difficult_lines(template: str, line: bytes, count: int) -> None:
    query = whole_query(template, [line] * count)
    as_text = query._replace(
        asked=[
            RequestedColumn(one.name, STRING, "string") if one.arrow in (DAY, INSTANT) else one for one in query.asked
        ]
    )
    for asked in (query, as_text, query._replace(asked=query.asked[:1])):
        TestEngine().check(asked)
