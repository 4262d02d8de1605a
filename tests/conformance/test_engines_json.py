"""JSON lines of one or many shapes, valid or corrupt, are decoded as by the reference."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.errors import LogSourceError
from pyspark_logs.formats.compiled.availability import machines
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.json.compiled_engine import CompiledJsonEngine
from pyspark_logs.formats.json.engine import JsonEngine
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import read_lines
from pyspark_logs.schema import parse_ddl
from tests.conformance.test_engines import ARROW, DAY, INSTANT, STRING, WALL, rows_of, thorough
from tests.reference import templates as reference
from tests.reference.json_lines import reference_json
from tests.support import strategies
from tests.support.formats import compile_decoder

NAMES = ["a", "A", "b", "level", "ts", "n", "é", "d.e", "f g"]
TYPES = [
    STRING, STRING, pa.int32(), pa.int64(), pa.int8(), pa.float64(), pa.bool_(), DAY, INSTANT, WALL, pa.decimal128(5, 2),
    pa.decimal128(38, 18), ARROW["list"], pa.list_(pa.field("element", pa.int64())), pa.map_(STRING, pa.float64()),
    pa.list_(pa.field("element", pa.struct([("a", pa.int64()), ("l", STRING)]))), pa.map_(STRING, pa.struct([("b", STRING)])),
    pa.struct([("a", pa.struct([("b", pa.float64())])), ("B", STRING)]), pa.map_(STRING, STRING),
    pa.struct([("a", pa.int64()), ("b", STRING)]), pa.struct([("ts", INSTANT), ("l", pa.list_(pa.field("element", STRING)))]),
]  # fmt: skip

NUMBERS = ["0", "-0", "1", "42", "-7", "007", "1.50", "1e2", "1E+2", "0.0", "-0.5", ".5", "5.", "+1", "1e999", "128", "2147483648",
           "9223372036854775808", "1" * 45, "0e999", "123.45", "1234.567", "1_0", "0x1", "NaN", "Infinity", "-"]  # fmt: skip
TIMES = ["2026-11-22T10:00:00Z", "2026-11-22 10:00:00.123", "2026-11-22T10:00:00+01:00", "2026-11-22", "2026-02-30",
         "2026-03-29T02:30:00", "2026-10-25T02:30", "0001-01-01T00:00:00+01:00", "2026-11-22T10:00:00,5z"]  # fmt: skip
WORDS = [
    "",
    "x",
    "INFO",
    "null",
    "true",
    "a b",
    "1",
    "é→😀",
    'say "hi"',
    "back\\slash",
    "tab\t",
    "\x00",
    "\ud800",
    "\U0001f600",
    "{}",
    "[1]",
    ",",
    ":",
]

strings = st.sampled_from(WORDS).map(json.dumps) | st.sampled_from(WORDS[:10]).map(
    lambda w: json.dumps(w, ensure_ascii=False)
)
raw_strings = st.text("ab \t\x01é,:{}", max_size=5).map(lambda text: f'"{text}"')
scalars = (
    st.sampled_from(NUMBERS)
    | strings
    | raw_strings
    | st.sampled_from(["null", "true", "false"])
    | st.sampled_from(TIMES).map(json.dumps)
)


def objects(values: st.SearchStrategy[str], names: list[str] = NAMES) -> st.SearchStrategy[str]:
    pairs = st.tuples(st.sampled_from(names).map(lambda name: json.dumps(name, ensure_ascii=False)), values)
    spaces = st.sampled_from(["", "", " ", "\t", "\u2003"])
    return st.builds(
        lambda items, s: "{" + f",{s}".join(f"{key}:{s}{value}" for key, value in items) + "}",
        st.lists(pairs, max_size=5),
        spaces,
    )


values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")
        | objects(inner, ["a", "b", "B", "ts", "l"])
    ),
    max_leaves=4,
)


leaves = st.sampled_from(
    [
        st.sampled_from(NUMBERS[:10]),
        st.sampled_from(["null", "true", "1", "7"]),
        st.text("ab é,:{}", max_size=4).map(lambda text: f'"{text}"'),
        st.text('ab"\\/\n\t', max_size=4).map(json.dumps),
        st.sampled_from(
            [r'"\/"', r'"\\\""', r'"\u00e9"', r'"\q"', '"\x7f"', r'"\\\\"', r'"\\\n"', "\\", r'"\ud83d\ude00"']
        ),
        st.sampled_from(TIMES).map(json.dumps),
        scalars,
    ]
)


def skeletons(inner: st.SearchStrategy[st.SearchStrategy[str]]) -> st.SearchStrategy[st.SearchStrategy[str]]:
    """Strategies of nested values that always have the same keys and numbers of elements."""

    def array(items: list[st.SearchStrategy[str]]) -> st.SearchStrategy[str]:
        return st.tuples(*items).map(lambda texts: "[" + ",".join(texts) + "]")

    def record(items: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[str]:
        pairs = st.tuples(*items.values())
        return pairs.map(
            lambda texts: "{" + ",".join(f'"{key}": {text}' for key, text in zip(items, texts, strict=True)) + "}"
        )

    keys = st.sampled_from(["a", "b", "B", "ts", "l", "d.e"])
    return st.lists(inner, max_size=3).map(array) | st.dictionaries(keys, inner, max_size=3).map(record)


nested = skeletons(st.recursive(leaves, skeletons, max_leaves=6))


@st.composite
def shaped(draw: st.DrawFn) -> list[str]:
    """Lines with the same keys in the same order, as one program writes them."""
    keys = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=draw(st.integers(0, 3)) > 0))
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]))
    kinds = [
        draw(
            st.sampled_from(
                [st.sampled_from(NUMBERS), raw_strings, st.sampled_from(TIMES).map(json.dumps), scalars, values]
            )
            | nested
        )
        for _ in keys
    ]
    rows = draw(st.lists(st.tuples(*kinds), min_size=1, max_size=25))
    return [
        "{" + comma.join(f'"{key}"{colon}{value}' for key, value in zip(keys, row, strict=True)) + "}" for row in rows
    ]


class Query(NamedTuple):
    lines: list[bytes]
    data: bytes
    schema: pa.Schema
    hidden: pa.Schema
    rescued: str | None
    zone: str
    block_bytes: int

    def decoder(self) -> Decoder:
        options = FormatOptions("json", "true", rescued_column=self.rescued)
        return compile_decoder(options, self.schema, hidden=self.hidden)

    def expected(self, line: bytes) -> tuple[list[Any], bool]:
        values, corrupt = reference_json(line, self.schema, self.zone, self.rescued)
        aside, _ = reference_json(line, self.hidden, self.zone)
        return [*values.values(), *aside.values()], corrupt


@st.composite
def queries(draw: st.DrawFn) -> Query:
    texts = draw(shaped()) + draw(st.lists(objects(values) | values, max_size=4))
    lines = []
    for text in draw(st.permutations(texts)):
        line = text.encode("utf-8", "surrogatepass")
        for _ in range(draw(st.sampled_from([0, 0, 0, 0, 0, 1]))):
            line = draw(strategies.broken(line, [b'"', b",", b"{", b":"]))
        line = line.replace(b"\n", b"?").rstrip(b"\r\0")
        if line and not line.startswith((strategies.BOM, b"\0")):
            lines.append(line)
    names = draw(st.lists(st.sampled_from([*NAMES, "MSG", "É"]), min_size=1, max_size=4, unique_by=str.lower))
    fields = [pa.field(name, draw(st.sampled_from(TYPES))) for name in names]
    rescued = draw(st.sampled_from([None, None, "_rescued"]))
    if rescued:
        fields.append(pa.field(rescued, STRING))
    hidden = pa.schema([pa.field("ts", INSTANT)] if draw(st.integers(0, 3)) == 0 else [])
    zone = draw(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]))
    block_bytes = draw(st.sampled_from([1, 200, 1 << 20]))
    return Query(lines, draw(strategies.files(lines)), pa.schema(fields), hidden, rescued, zone, block_bytes)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, list) and isinstance(other, dict):  # Arrow gives a map as pairs
        return same(dict(one), other)
    return reference.same(one, other)


ENGINES = {"line parser": (), "numpy": (JsonEngine,), "compiled": (CompiledJsonEngine,), "all": (object,)}


@pytest.mark.parametrize("engines", ENGINES)
@given(query=queries())
@thorough
def test_lines_are_decoded_as_by_the_reference(engines: str, query: Query) -> None:
    if engines == "compiled" and machines() is None:
        pytest.skip("the machines are not compiled")
    whole = query.decoder()
    chosen = [engine for engine in whole.engines if isinstance(engine, ENGINES[engines])]
    decoder = Decoder(chosen, whole.line_parser, whole.native, whole.target)
    blocks = read_lines(iter([query.data]), block_bytes=query.block_bytes)
    rows, corrupt = rows_of(decoder, blocks, TimestampContext(query.zone))
    assert len(rows) == len(query.lines)
    for line, row, bad in zip(query.lines, rows, corrupt, strict=True):
        values, expected_bad = query.expected(line)
        assert same(row, values), (line, row, values)
        assert bad == expected_bad, line


@pytest.mark.parametrize(
    "line",
    [
        '{"ts": "2026-11-22T10:00:%02d.5Z", "level": "INFO", "n": %d, "ok": true, "x": 1.50, "msg": "a, b: {c}"}',
        '{"ts":"2026-11-22 10:00:%02d","n":%d,"msg":"","nothing":null}',
        '{ "n" : -%d.0e%d }',
    ],
)
def test_the_engine_decodes_all_lines_of_one_shape(line: str) -> None:
    lines = [line % (row % 60, row) for row in range(500)]
    schema = pa.schema(
        [("ts", INSTANT), ("msg", STRING), ("n", pa.float64()), ("nothing", STRING), ("absent", pa.int32())]
    )
    engine = JsonEngine(compile_decoder(FormatOptions("json", "true"), schema).line_parser)
    block = next(read_lines(iter(["\n".join(lines).encode()])))
    decoded = engine.parse(block.block, block.starts, block.ends, TimestampContext())
    assert decoded is not None
    assert decoded.rows is None


@pytest.mark.parametrize(
    ("line", "dtype", "value"),
    [
        ('{"c": {"t": {"$date": "x"}, "n": %d}}', pa.struct([("n", pa.int64())]), {"n": 7}),
        ('{"c": {"t": {"$date": "x"}, "n": %d}}', STRING, '{"t":{"$date":"x"},"n":7}'),
        ('{"c": [ {"n": %d}, {"n": 1} ], "d": {}}', pa.list_(pa.field("element", pa.map_(STRING, pa.int8()))), None),
        ('{"c": [1, %d]}', pa.list_(pa.field("element", pa.int32())), [1, 7]),
        ('{"c": {"x": null, "y": %d}}', pa.map_(STRING, pa.float64()), [("x", None), ("y", 7.0)]),
        ('{"c": {}, "d": [[], %d]}', STRING, "{}"),
    ],
)
def test_the_engine_decodes_all_nested_lines_of_one_shape(line: str, dtype: pa.DataType, value: Any) -> None:
    engine = JsonEngine(
        compile_decoder(FormatOptions("json", "true"), pa.schema([pa.field("c", dtype), ("no", STRING)])).line_parser
    )
    block = next(read_lines(iter(["\n".join(line % row for row in range(100)).encode()])))
    decoded = engine.parse(block.block, block.starts, block.ends, TimestampContext())
    assert decoded is not None
    assert decoded.rows is None
    assert decoded.columns[0][7].as_py() == ([[("n", 7)], [("n", 1)]] if value is None else value)


def test_the_engine_decodes_all_lines_of_a_few_shapes() -> None:
    shapes = ['{"a":%d}', '{"a":%d,"b":"x"}', '{"b":null,"a":%d}', '{"a": %d}']
    block = next(read_lines(iter(["\n".join(shapes[row % 4] % row for row in range(400)).encode()])))
    engine = JsonEngine(compile_decoder(FormatOptions("json", "true"), pa.schema([("a", pa.int64())])).line_parser)
    decoded = engine.parse(block.block, block.starts, block.ends, TimestampContext())
    assert decoded is not None
    assert decoded.rows is None or len(decoded.rows) == 400
    assert decoded.columns[0].to_pylist() == list(range(400))


@pytest.mark.parametrize(
    ("dtype", "says"),
    [
        (pa.binary(), "JSON has no values of type binary"),
        (pa.map_(pa.int32(), STRING), "keys of JSON objects are strings"),
        (pa.list_(pa.struct([("x", pa.binary())])), r"'c\.x'"),
    ],
)
def test_types_that_json_lacks_are_refused(dtype: pa.DataType, says: str) -> None:
    with pytest.raises(LogSourceError, match=says):
        compile_decoder(FormatOptions("json", "true"), pa.schema([pa.field("c", dtype)]))


def test_the_rescued_column_must_be_a_string_or_map() -> None:
    with pytest.raises(LogSourceError, match="rescuedDataColumn"):
        compile_decoder(
            FormatOptions("json", "true", rescued_column="r"), pa.schema([("a", STRING), ("r", pa.int32())])
        )


RESCUED = [
    ("a struct<x:int>, r {}", '{"a": {"x": 1, "y": 2.50, "z": {"w": null}}}', {"a": {"y": "2.50", "z": {"w": None}}},
     {"a.y": "2.50", "a.z": '{"w":null}'}),
    ("a struct<x:int>, r {}", '{"A": {"X": 1}, "b": "text"}', {"b": "text"}, {"b": "text"}),
    ("a struct<x:int>, r {}", '{"a": {"X": 1}}', None, None),
    ("a array<struct<x:int>>, r {}", '{"a": [{"x": 1}, {"x": 2, "y": [3]}, {}]}', {"a": [{}, {"y": ["3"]}]}, {"a[1].y": "[3]"}),
    ("a map<string,struct<x:int>>, r {}", '{"a": {"k": {"y": true}}, "b": null}', {"a": {"k": {"y": True}}, "b": None},
     {"a.k.y": "true", "b": None}),
    ("a struct<x:struct<y:int>>, r {}", '{"a.x.z": 1, "a": {"x": {"z": 2}}}', {"a.x.z": "1", "a": {"x": {"z": "2"}}},
     {"a.x.z": "1", "`a`.`x`.`z`": "2"}),
    ("a string, r {}", '{"a": {"x": 1}}', None, None),
    ("r {}", '{"a": {"x": "s"}}', {"a": {"x": "s"}}, {"a": '{"x":"s"}'}),
]  # fmt: skip


@pytest.mark.parametrize("times", [1, 40], ids=["one line", "many lines"])
@pytest.mark.parametrize(("ddl", "line", "as_text", "as_map"), RESCUED)
def test_values_without_a_column_are_rescued(
    ddl: str, line: str, as_text: Any, as_map: dict[str, str | None] | None, times: int
) -> None:
    options = FormatOptions("json", "true", rescued_column="R")

    def rescued(dtype: str) -> list[Any]:
        decoder = compile_decoder(options, parse_ddl(ddl.format(dtype)))
        rows, corrupt = rows_of(decoder, read_lines(iter([f"{line}\n".encode() * times])), TimestampContext())
        assert not any(corrupt)
        return [row[-1] for row in rows]

    texts = rescued("string")
    assert [None if text is None else json.loads(text, parse_int=str, parse_float=str) for text in texts] == [
        as_text
    ] * times
    maps = rescued("map<string,string>")
    assert [None if pairs is None else dict(pairs) for pairs in maps] == [as_map] * times


def test_a_value_nested_too_deeply_is_corrupt() -> None:
    deep = ("[" * 700 + "]" * 700).encode()
    far_too_deep = ("[" * 100_000 + "]" * 100_000).encode()
    data = b'{"a":1,"b":' + deep + b'}\n{"a":2,"b":' + far_too_deep + b'}\n{"a":3}\n'
    decoder = compile_decoder(FormatOptions("json", "true"), pa.schema([("a", pa.int32()), ("b", STRING)]))
    rows, corrupt = rows_of(decoder, read_lines(iter([data])), TimestampContext())
    assert rows[2] == [3, None]
    assert corrupt[1:] == [True, False]


UNUSUAL = [
    '{"a":0,"a":[]}', '{"a":1,"a":2}', '{"A":1,"a":2}', '{"a":1,"A":{}}', '{"a":null,"a":1}', '{"a":1}x', '{"a":1}}', '{"a":1', '{"a":1,}',
    ' {"a":1} ', '\t{"a" : 1 }\r\t', '{"a":tru}', '{"a":01}', '{"a":-}', '{"a":1 2}', '{"a":1\u00a0}', '{"a":"x" "y"}', '{"a":"x"y"}', '{a:1}',
    '{"a":"\x01"}', '{"a":"x", "b":"\\""}', '{"a":"\\ud83d\\ude00"}', '{"a":"\\ud83d"}', '{"\\ud83d":1,"a":2}', '{"a":{"a":"\\udc00"}}',
    '{"a":{"b":1}}', '{"b":{"a":1}}', '{"b":[],"a":1}', '{"a":1,"b":[{"a":2}]}', '{"a":NaN}', '{"a":1,"b":Infinity}', '[{"a":1}]', '"a"', "{}",
    '{"a":""}', '{"":1,"a":1}', '{"a":"null"}', '{"a":"}"}', '{"a":",\\"b\\":"}', '{"b":"a:1,","a":"b"}', "null", '{"a":1.0}', '{"a":1e400}',
]  # fmt: skip


@pytest.mark.parametrize("dtype", [STRING, pa.int64(), pa.float64(), ARROW["list"]], ids=str)
@pytest.mark.parametrize("line", UNUSUAL)
def test_unusual_lines(line: str, dtype: pa.DataType) -> None:
    schema = pa.schema([("a", dtype), ("rest", STRING)])
    decoder = compile_decoder(FormatOptions("json", "true", rescued_column="rest"), schema)
    for lines in ([line], [line] * 30, ['{"a":1}'] * 20 + [line], [line, *['{"a":"x","b":2}'] * 20, line]):
        rows, corrupt = rows_of(decoder, read_lines(iter(["\n".join(lines).encode()])), TimestampContext())
        for one, row, bad in zip(lines, rows, corrupt, strict=True):
            values, expected_bad = reference_json(one.encode(), schema, rescued="rest")
            assert same(row, list(values.values())), one
            assert bad == expected_bad
