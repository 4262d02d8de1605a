"""Lines of key=value pairs: parsing, inference of columns, and writing."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.errors import OptionError, RecordError, SchemaError
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.logfmt.engine import LogfmtEngine, learn_shape
from pyspark_logs.formats.logfmt.inference import infer_logfmt_schema
from pyspark_logs.formats.logfmt.line_parser import LogfmtLineParser, pairs
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.temporal import Timestamp
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines, read_lines, sanitise
from tests.conformance.suite import FormatConformance
from tests.conformance.test_engines import DAY, INSTANT, STRING, rows_of
from tests.reference.logfmt import reference_logfmt
from tests.reference.templates import same
from tests.support import strategies
from tests.support.effort import examples
from tests.support.formats import compile_decoder, compile_encoder
from tests.support.records import multiline_records, scan_rows, utc

thorough = settings(max_examples=examples(150), suppress_health_check=list(HealthCheck), deadline=None)


class TestLogfmt(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "logfmt": True,
        "schema": "ts timestamp, level string, n int, cost decimal(9,2), ok boolean, on date, msg string",
    }
    lines: ClassVar[list[str]] = [
        'ts=2026-11-22T01:00:00Z level=info n=17 cost=3.50 ok=true on=2026-11-22 msg="say \\"hi\\"\\tbob = \\u00e9"',
        'ok level=wärn n= cost="" ts=- msg=""',
        '  msg="-"   level=-  n=-3\tok=false other',
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "ts": utc(2026, 11, 22, 1), "level": "info", "n": 17, "cost": Decimal("3.50"), "ok": True, "on": date(2026, 11, 22),
            "msg": 'say "hi"\tbob = é',
        },
        {"ts": None, "level": "wärn", "n": None, "cost": None, "ok": True, "on": None, "msg": ""},
        {"ts": None, "level": None, "n": -3, "cost": None, "ok": False, "on": None, "msg": "-"},
    ]  # fmt: skip
    broken: ClassVar[str | None] = 'level=info msg="open'


# Cases of the tests of go-logfmt.


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x= ", [("x", "")]),
        ("y=", [("y", "")]),
        ("y", [("y", None)]),
        ("y=f", [("y", "f")]),
        (r'y="\tf"', [("y", "\tf")]),
        (r"y='t\tf'", [("y", r"'t\tf'")]),
        (
            r'a=1 b="bar" ƒ=2h3s r="esc\t" d x=sf   ',
            [("a", "1"), ("b", "bar"), ("ƒ", "2h3s"), ("r", "esc\t"), ("d", None), ("x", "sf")],
        ),
        ("\x1e y=g", [("y", "g")]),
        ("y= d y=g", [("y", ""), ("d", None), ("y", "g")]),
        (r'y="f\n"y=g', [("y", "f\n"), ("y", "g")]),
        ("", []),
        ("  ", []),
        (r'a="\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83d"', [("a", '"\\/\b\f\n\r\té😀\ufffd')]),
        (r"a=\x b=c:\d", [("a", r"\x"), ("b", r"c:\d")]),
        ("a=x=y b== c=d=", [("a", "x=y"), ("b", "="), ("c", "d=")]),
    ],
)
def test_pairs(line: str, expected: list[tuple[str, str | None]]) -> None:
    assert [(pair.key, None if pair.flag else pair.text) for pair in pairs(line)] == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("=bar", "unexpected '=' at byte 0"),
        ('"k"=bar', "unexpected '\"' at byte 0"),
        ('k"ey=bar', "unexpected '\"' at byte 1"),
        ('k=b"ar', "unexpected '\"' at byte 3"),
        ("k=b =ar", "unexpected '=' at byte 4"),
        ("é= =", "unexpected '=' at byte 4"),
        ('k=b="ar"', "unexpected '\"' at byte 4"),
        ('k=b a="x', "a quote is not closed, at byte 6"),
        ('a="1', "a quote is not closed, at byte 2"),
        ('a="1\\', "a quote is not closed, at byte 2"),
        (r'a="\u1"', "is not an escape sequence"),
        (r'a="\x41"', "is not an escape sequence"),
        ("just some words", "it has no key=value"),
        ("   ", "it has no key=value"),
        ("n=x", "key 'n': 'x': not a whole number"),
    ],
)
def test_reasons_for_corrupt_lines(line: str, reason: str) -> None:
    parsed = LogfmtLineParser((RequestedColumn("n", Integer(32), "n"),)).parse(line, TimestampContext())
    assert reason in parsed.reason
    assert parsed.values == [None]


def test_keys_match_without_case() -> None:
    schema = pa.schema([("Level", STRING), ("a.b", STRING), ("n", pa.int32())])
    decoder = compile_decoder(FormatOptions("logfmt", ""), schema)
    text = b"level=x LEVEL=y a.b=1 n=1 n=2\nLevel=z level=x n=3\n"
    assert rows_of(decoder, read_lines(iter([text])), TimestampContext())[0] == [["y", "1", 2], ["z", None, 3]]


NAMES = ["a", "A", "b", "level", "ts", "n", "é", "d.e"]
WORDS = ["", "-", "x", "INFO", "0", "-1", "12", "300", "1.5", "1e3", "true", "1", "2h3s", "é→", "2026-11-22", "2026-11-22T10:00:00Z", "f(x)", "a=b", "=", "1=="]  # fmt: skip
words = st.sampled_from(WORDS) | st.text("a1é-.=", max_size=4)
quoted = (st.sampled_from([*WORDS, "a b", "a=b", " b=", "a\tb"]) | st.text("a =b,\té", max_size=8)).map(
    lambda text: f'"{text}"'
)
escaped = st.sampled_from([r'"a\"b"', r'"\n"', r'"\u00e9"', r'"\ud83d\ude00"', r'"\ud83d"', r'"\q"', r'"\\"'])


@st.composite
def shaped(draw: st.DrawFn) -> list[str]:
    """Lines with the same keys in the same order, as one program writes them."""
    keys = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=draw(st.integers(0, 3)) > 0))
    blank = draw(st.sampled_from([" ", " ", "  ", "\t"]))
    kinds = [draw(st.sampled_from([words, quoted, words | quoted, quoted | escaped, st.none()])) for _ in keys]
    rows = draw(st.lists(st.tuples(*kinds), min_size=1, max_size=25))
    start, end = draw(st.sampled_from(["", "", " "])), draw(st.sampled_from(["", "", " ", " z"]))
    return [
        start
        + blank.join(key if value is None else f"{key}={value}" for key, value in zip(keys, row, strict=True))
        + end
        for row in rows
    ]


class Query(NamedTuple):
    lines: list[bytes]
    schema: pa.Schema
    hidden: pa.Schema
    rescued: str | None
    null_value: str
    zone: str
    block_bytes: int


@st.composite
def queries(draw: st.DrawFn) -> Query:
    lines = []
    for text in draw(st.permutations(draw(shaped()) + draw(shaped()))):
        line = text.encode()
        for _ in range(draw(st.sampled_from([0, 0, 0, 0, 0, 1]))):
            line = draw(strategies.broken(line, [b'"', b"=", b" ", b'="', b"\\"]))
        line = line.replace(b"\n", b"?").rstrip(b"\r\0")
        if line and not line.startswith((strategies.BOM, b"\0")):
            lines.append(line)
    names = draw(st.lists(st.sampled_from([*NAMES, "LEVEL", "z"]), min_size=1, max_size=4, unique_by=str.lower))
    fields = [pa.field(name, draw(strategies.arrow_types)) for name in names]
    rescued = draw(st.sampled_from([None, None, "_rescued"]))
    if rescued and draw(st.booleans()):
        fields.append(pa.field(rescued, STRING))
    hidden = pa.schema([pa.field("ts", INSTANT)] if draw(st.booleans()) else [])
    return Query(
        lines, pa.schema(fields), hidden, rescued, draw(st.sampled_from(["-", "-", "", "x"])),
        draw(st.sampled_from(["UTC", "Europe/Berlin"])), draw(st.sampled_from([1, 100, 10_000])),
    )  # fmt: skip


@thorough
@given(queries())
def test_lines_are_decoded_as_by_the_reference(query: Query) -> None:
    options = FormatOptions("logfmt", "", query.null_value, rescued_column=query.rescued)
    decoder = compile_decoder(options, query.schema, hidden=query.hidden)
    found = map(sanitise, read_lines(iter([b"\n".join(query.lines)]), block_bytes=query.block_bytes))
    rows, corrupt = rows_of(decoder, found, TimestampContext(query.zone))
    assert len(rows) == len(query.lines)
    for line, row, bad in zip(query.lines, rows, corrupt, strict=True):
        values, expected = reference_logfmt(line, query.schema, query.zone, query.rescued, query.null_value)
        aside, _ = reference_logfmt(line, query.hidden, query.zone, None, query.null_value)
        assert all(map(same, row, [*values.values(), *aside.values()])), (line, row, values)
        assert bad == expected, line


@thorough
@given(
    st.lists(
        st.sampled_from(
            ["a=1", "\na=1", "f\na=1", "f", "a=1\n", "a=1\nf", "f\n", "\n", 'a="\n"', "a=1 b=2", "f\na=1 b=2"]
        ),
        min_size=1,
        max_size=9,
    )
)
def test_records_of_several_lines(records: list[str]) -> None:
    schema = pa.schema([("a", pa.int32()), ("b", pa.int32())])
    rows, corrupt = rows_of(
        compile_decoder(FormatOptions("logfmt", ""), schema),
        iter([multiline_records([r.encode() for r in records])]),
        TimestampContext(),
    )
    for record, row, bad in zip(records, rows, corrupt, strict=True):
        values, expected = reference_logfmt(record.encode(), schema)
        assert (row, bad) == (list(values.values()), expected), record


def test_the_engine_decodes_all_valid_lines() -> None:
    """Lines of several shapes are decoded, and so are the lines next to a corrupt line."""
    line_parser = LogfmtLineParser(
        (
            RequestedColumn("ts", Timestamp(), "ts"),
            RequestedColumn("n", Integer(32), "n"),
            RequestedColumn("msg", Timestamp(), "msg"),
        )
    )
    lines = []
    for n in range(100):
        lines += [
            f'ts=2026-11-22T10:00:{n % 60:02}.{n:03}Z level=info n={n} url="/a?b={n}" debug',
            f'level=warn n={n} ts="2026-11-22T10:00:{n % 60:02}Z"',
            f'n={n} m="x',
        ]
    block = find_lines("\n".join(lines).encode(), 0)
    decoded = LogfmtEngine(line_parser).parse(block.block, block.starts, block.ends, TimestampContext())
    assert decoded is not None
    assert decoded.rows is not None
    assert decoded.rows.tolist() == [row for row in range(300) if row % 3 != 2]
    assert decoded.columns[1].to_pylist() == [n for n in range(100) for _ in range(2)]


def test_shapes_of_lines() -> None:
    shape = learn_shape('a=1 b="x y"  c d=')
    assert shape is not None
    assert shape.literals == ("a=", ' b="', '"  c d=', "")
    assert shape.values == (("a", False), ("b", True), ("d", False))
    assert shape.flags == ("c",)
    assert [learn_shape(line) for line in ("a", 'a="', "a=1 A=2", r'a="\n"', "a=1 a")] == [None] * 5


def test_columns_are_inferred_from_a_sample() -> None:
    records = [
        b'ts=2026-11-22T10:00:00Z level=info n=1 x=1 ok=true dur=2h3s zip=007 id=12 q="5" nul=- e= words',
        b'ts="2026-11-22 10:00:01" level=info n=-2 x=1.5 ok Level=1 zip=1 id=x v=1.10 c=12345e6 big=99999999999999999999',
        b"n tiny=1e-7 large=1e+22 v=1.9 small=0.00001 zero=-0 words and=no end",
        b"just words",
        b"=broken",
    ]
    options = FormatOptions("logfmt", "")
    lines = find_lines(b"\n".join(records), 0)
    found = infer_logfmt_schema(iter([lines]), options)
    assert dict(zip(found.names, found.types, strict=True)) == {
        "ts": INSTANT, "level": STRING, "n": pa.int64(), "x": pa.float64(), "ok": pa.bool_(), "dur": STRING, "zip": STRING,
        "id": STRING, "q": STRING, "nul": STRING, "e": STRING, "v": STRING, "c": STRING, "big": pa.decimal128(38, 0),
        "tiny": pa.float64(), "large": pa.float64(), "small": pa.float64(), "zero": STRING, "and": STRING,
    }  # fmt: skip
    first = infer_logfmt_schema(iter([lines]), replace(options, sampling_bytes=10))
    assert first.names == found.names[: found.names.index("v")], "the first record only"


def test_a_key_that_never_has_a_value_is_no_column() -> None:
    records = find_lines(b"starting server port=80\nport=81 retry= \nretry port=2\ntls=- port=1\ntls a=1", 0)
    found = infer_logfmt_schema(iter([records]), FormatOptions("logfmt", ""))
    assert dict(zip(found.names, found.types, strict=True)) == {
        "port": pa.int64(), "retry": pa.bool_(), "tls": pa.bool_(), "a": pa.int64(),
    }  # fmt: skip


doubles = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4)
integers = st.lists(st.integers(-(10**38) + 1, 10**38 - 1).map(Decimal), min_size=1, max_size=4)


@given(doubles.map(pa.array) | integers.map(lambda numbers: pa.array(numbers, pa.decimal128(38, 0))))
@thorough
def test_written_numbers_are_inferred_as_numbers(numbers: pa.Array) -> None:
    encoder = compile_encoder(FormatOptions("logfmt", ""), pa.schema([("n", numbers.type)]))
    written = encoder.to_bytes(encoder.encode(pa.RecordBatch.from_arrays([numbers], ["n"])))
    schema = infer_logfmt_schema(read_lines(iter([bytes(written)])), FormatOptions("logfmt", ""))
    assert pa.types.is_string(schema.field("n").type) is (b"n=-0\n" in bytes(written))


def test_files_are_sampled_and_keys_without_a_column_are_rescued(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text('ts=2026-11-22T10:00:00Z n=1 msg="a b"\nn=2 retry\n')
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(b'n=3 msg=x other="\xc3\xa9" flag\n'))
    assert scan_rows(tmp_path / "a.log", logfmt=True) == [
        {"ts": utc(2026, 11, 22, 10), "n": 1, "msg": "a b"},
        {"ts": None, "n": 2, "msg": None},
    ]
    found = scan_rows(tmp_path, logfmt=True, schema="n int, rest string", rescuedDataColumn="rest")
    assert sorted(found, key=lambda row: row["n"]) == [
        {"n": 1, "rest": '{"ts":"2026-11-22T10:00:00Z","msg":"a b"}'},
        {"n": 2, "rest": '{"retry":""}'},
        {"n": 3, "rest": '{"msg":"x","other":"é","flag":""}'},
    ]
    (tmp_path / "a.log").write_text("no pairs here\n")
    with pytest.raises(OptionError, match=r"a.log: no line of the sample has .*at byte 0, is 'no pairs here'"):
        scan_rows(tmp_path / "a.log", logfmt=True)


def test_columns_of_unsupported_types_are_refused() -> None:
    with pytest.raises(SchemaError, match="'tags'"):
        compile_decoder(FormatOptions("logfmt", ""), pa.schema([("tags", pa.list_(STRING))]))
    with pytest.raises(SchemaError, match=r"'rest' .*holds JSON text: declare it a string"):
        compile_decoder(FormatOptions("logfmt", "", rescued_column="rest"), pa.schema([("rest", pa.int32())]))


def test_a_filter_finds_values_with_escapes(tmp_path: Path) -> None:
    """Filters search raw lines first, and keep lines with escapes."""
    from pyspark_logs.options import parse_read_options
    from pyspark_logs.predicates import In
    from pyspark_logs.reader import LogReader

    (tmp_path / "a.log").write_text('n=1 m="say \\"hi\\""\nn=2 m=plain\n' + "n=3 m=x\n" * 500)
    options = parse_read_options({"path": str(tmp_path), "logfmt": "true"})
    for value, expected in (('say "hi"', [1]), ("plain", [2]), ("gone", [])):
        reader = LogReader(options, "m string, n int", [In("m", (value,))])
        rows = [row for task in reader.plan().tasks for batch in reader.read_task(task) for row in batch.to_pylist()]
        assert [row["n"] for row in rows] == expected


COLUMNS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (STRING, st.text('a"\\= \t\n\r\x01é😀-\ufeff', max_size=6) | st.sampled_from(["", "-", "null", "true"])),
    (STRING, st.text(max_size=4)), (pa.int32(), st.integers(-(2**31), 2**31 - 1)), (pa.float64(), st.floats(allow_nan=False)),
    (pa.bool_(), st.booleans()), (DAY, st.dates()), (INSTANT, st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(timezone.utc))),
    (pa.decimal128(9, 2), st.decimals(-999, 999, places=2)),
]  # fmt: skip


@thorough
@given(st.data(), st.sampled_from(["-", "", "true", "1", "a b"]), st.sampled_from(["utf-8", "latin-1", "utf-16-le"]))
def test_written_lines_read_back(data: st.DataObject, null_value: str, encoding: str) -> None:
    columns = data.draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4))
    count = data.draw(st.integers(1, 6))
    arrays = [
        pa.array(data.draw(st.lists(st.none() | values, min_size=count, max_size=count)), dtype)
        for dtype, values in columns
    ]
    rows = pa.RecordBatch.from_arrays(arrays, [f"c{index}" for index in range(len(columns))])
    options = FormatOptions("logfmt", "", null_value, encoding=encoding)
    encoder = compile_encoder(options, rows.schema)
    if null_value == "a b" and any(set(row.values()) == {None} for row in rows.to_pylist()):
        with pytest.raises(RecordError, match="because all values are null"):
            encoder.encode(rows)
        return
    text = bytes(encoder.to_bytes(encoder.encode(rows))).decode(encoding)
    lines = text.split("\n")[:-1]
    assert len(lines) == rows.num_rows
    for line, row in zip(lines, rows.to_pylist(), strict=True):
        values, corrupt = reference_logfmt(line.encode(), rows.schema, null_value=null_value)
        assert not corrupt
        assert all(map(same, values.values(), row.values())), (line, row)


def test_written_lines_have_the_usual_form(tmp_path: Path) -> None:
    rows = pa.table({
        "ts": pa.array([1_795_341_600_000_000, None, None], INSTANT), "level": ["info", None, None], "n": [1, 2, None],
        "msg": ['a "b"\n', "", None], "url": ["/x?y=1", "-", None],
    })  # fmt: skip
    pyspark_logs.write(rows, str(tmp_path), logfmt=True, compression="none")
    (path,) = tmp_path.glob("*.log")
    assert path.read_text() == (
        'ts=2026-11-22T10:00:00.000000Z level=info n=1 msg="a \\"b\\"\\n" url="/x?y=1"\nn=2 msg="" url="-"\nts=-\n'
    )
    assert scan_rows(tmp_path, logfmt=True, schema=rows.schema, mode="FAILFAST") == rows.to_pylist()


def test_columns_that_cannot_be_written_are_refused_before_writing(tmp_path: Path) -> None:
    bad = pa.table({"a b": ["x"], 'c"': ["x"], "d=": ["x"], "l": [["x"]], "rest": ["x"]})
    with pytest.raises(SchemaError) as caught:
        pyspark_logs.write(bad, str(tmp_path / "x"), logfmt=True)
    for part in ("'a b' holds ' '", "'c\"' holds '\"'", "'d=' holds '='", "'l' is array<string>"):
        assert part in str(caught.value)
    assert not (tmp_path / "x").exists()
