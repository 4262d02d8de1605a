"""The format ``regex``: RE2's syntax, with a column for each named group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.errors import FormatError, OptionError, SchemaError
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from tests.reference.expressions import Pattern, lines, patterns, reference_match
from tests.support.decoding import DecodedText, split_every_line
from tests.support.formats import compile_decoder, line_format
from tests.support.growth import assert_linear_time

STRING = pa.string()


def read(spec: str, data: str | bytes, schema: pa.Schema | None = None, **more: Any) -> DecodedText:
    options = {name: more.pop(name) for name in ("null_value", "multi_line") if name in more}
    raw = data.encode() if isinstance(data, str) else data
    return DecodedText(FormatOptions("regex", spec, **options), raw, schema, **more)


# --- matching ---


def test_a_column_for_each_named_group_in_order() -> None:
    found = read(r"^(?P<level>\w+) \[(?<service>[^\]]*)\] (took|in) (?P<ms>\d+)", "INFO [pay] took 12 ms\n")
    assert found.rows == [{"level": "INFO", "service": "pay", "ms": "12"}]
    assert found.corrupt == [False]


def test_the_expression_is_searched_for_in_the_line() -> None:
    assert read(r"id=(?<id>\d+)", "2026 x id=17 y\n").rows == [{"id": "17"}]


def test_anchors_match_at_the_ends_of_the_line() -> None:
    found = read(r"^(?<word>\w+)$", "one\none two\ntwo\r\n")
    assert [row["word"] for row in found.rows] == ["one", None, "two"]
    assert found.corrupt == [False, True, False]
    assert found.reasons == ["", "the line does not match", ""]


def test_an_optional_group_is_null_and_a_mandatory_group_may_be_empty() -> None:
    found = read(r"^a(?<x>x)?b(?<y>y*)", "ab\naxbyy\n")
    assert found.rows == [{"x": None, "y": ""}, {"x": "x", "y": "yy"}]


@pytest.mark.parametrize("spec", [r"^(?<n>x*)?$", r"^(?:(?<n>x*)|y)$", r"^(?:(?<n>x*)){0,1}$", r"^(?<n>x*)$|^y"])
def test_an_optional_group_without_text_is_null(spec: str) -> None:
    assert read(spec, b"\nxx\n\n").rows == [{"n": "xx"}]  # blank lines are no records
    decoder = compile_decoder(FormatOptions("regex", spec), pa.schema([("n", STRING)]))
    assert decoder.line_parser.parse("", TimestampContext()).values == [None]


def test_a_group_around_alternatives_is_not_optional_itself() -> None:
    assert read(r"^k=(?<v>|a|b)$", "k=\nk=a\n").rows == [{"v": ""}, {"v": "a"}]


def test_a_schema_selects_orders_and_types_columns() -> None:
    schema = pa.schema([("MS", pa.int64()), ("at", pa.timestamp("us", "UTC"))])
    found = read(
        r"(?<at>\S+) (?<level>\S+) (?<ms>\S+)$", "2026-11-22T01:00:00Z INFO 12\n2026-11-22T01:00:00Z I -\n", schema
    )
    assert [row["MS"] for row in found.rows] == [12, None]
    assert found.rows[0]["at"].isoformat() == "2026-11-22T01:00:00+00:00"
    assert found.corrupt == [False, False]


def test_an_invalid_value_is_null_and_makes_the_row_corrupt_and_other_columns_keep_theirs() -> None:
    schema = pa.schema([("a", pa.int32()), ("b", STRING)])
    found = read(r"^(?<a>\S+) (?<b>\S+)", "1 x\nno y\n99999999999 z\n", schema)
    assert found.rows == [{"a": 1, "b": "x"}, {"a": None, "b": "y"}, {"a": None, "b": "z"}]
    assert found.corrupt == [False, True, True]
    assert found.reasons[1:] == [
        "field 'a': 'no': not a whole number",
        "field 'a': '99999999999': does not fit in 32 bits",
    ]


def test_the_null_token_is_null_in_typed_columns_and_text_in_strings() -> None:
    schema = pa.schema([("a", pa.int32()), ("b", STRING)])
    found = read("^(?<a>[^ ]*) (?<b>.*)", "? ?\n - \n", schema, null_value="?")
    assert found.rows == [{"a": None, "b": "?"}, {"a": None, "b": "- "}]
    assert found.corrupt == [False, False]


def test_a_hidden_column_never_makes_a_line_corrupt() -> None:
    hidden = pa.schema([("n", pa.int32())])
    found = read(r"(?<w>\w+) (?<n>\w+)", "a b\n", pa.schema([("w", STRING)]), hidden=hidden)
    assert found.rows == [{"w": "a", "n": None}]
    assert found.corrupt == [False]


def test_without_columns_lines_are_not_judged_unless_as_wholes() -> None:
    nothing = pa.schema([])
    assert read("^(?<n>a)$", "a\nb\n", nothing).corrupt == [False, False]
    assert read("^(?<n>a)$", "a\nb\n", nothing, judge_whole=True).corrupt == [False, True]


def test_requested_columns_are_judged_by_the_whole_match() -> None:
    found = read(r"^(?<a>\w) (?<b>\d)$", "x 1\nx y\n", pa.schema([("a", STRING)]))
    assert found.rows == [{"a": "x"}, {"a": None}]
    assert found.corrupt == [False, True]


def test_only_groups_of_requested_columns_capture() -> None:
    form = line_format(FormatOptions("regex", r"(?<a>.)(?:(?P<b>.)|(.))(?i:c)"))
    assert form.expression.pattern([1]) == "(?:.)(?:(?P<g1>.)|(?:.))(?i:c)"


def test_a_record_of_several_lines_is_matched_as_a_whole() -> None:
    options = FormatOptions("regex", r"^(?<level>\w+) (?<text>.*)$", multi_line="true")
    decoder = compile_decoder(options, pa.schema([("level", STRING), ("text", STRING)]))
    assert decoder.line_parser.parse("E boom\n  at x\n  at y", TimestampContext()).values == [
        "E",
        "boom\n  at x\n  at y",
    ]


def test_invalid_utf_8_becomes_replacement_characters() -> None:
    found = read(rb"(?<a>.+)".decode(), b"x\xffy\n\xf0\x9f\n")
    assert [row["a"] for row in found.rows] == ["x�y", "�"]


@given(patterns(), st.lists(lines, min_size=1, max_size=5), st.data())
def test_regex_agrees_with_the_reference(pattern: Pattern, texts: list[str], data: st.DataObject) -> None:
    assume(pattern.names)
    options = FormatOptions("regex", pattern.text)
    names = data.draw(st.lists(st.sampled_from(pattern.names), min_size=1, unique=True))
    decoder = compile_decoder(options, pa.schema([(name, STRING) for name in names]))
    block = "\n".join(texts).encode()
    (found,) = [decoder.decode(split_every_line(block), TimestampContext())]
    corrupt = [False] * len(texts) if found.corrupt is None else found.corrupt.tolist()
    for row, text in enumerate(texts):
        expected = reference_match(pattern, text)
        assert corrupt[row] == (expected is None), text
        got = {name: column[row].as_py() for name, column in zip(names, found.columns, strict=True)}
        assert got == {name: None if expected is None else expected[name] for name in names}, text
        parsed = decoder.line_parser.parse(text, TimestampContext())
        assert dict(zip(names, parsed.values, strict=True)) == got
        assert bool(parsed.reason) == corrupt[row]


# --- errors ---


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (r"^(?<a>\w+) (?:x|y)(?=z)", "look-ahead at character 19:"),
        (r"(?!z)(?<a>a)", "negative look-ahead at character 1:"),
        (r"(?<a>a)(?<=z)", "look-behind at character 8:"),
        (r"[(?=](?<a>a)(?<!z)", "negative look-behind at character 13:"),
        (r"(?<a>a)\1", "back-reference at character 8:"),
        (r"(?<a>a)\k<a>", "back-reference at character 8:"),
        (r"(?P<a>a)(?P=a)", "back-reference at character 9:"),
        (r"(?<a>a)\g<a>", "subroutine call at character 8:"),
        (r"(?<a>a)(?1)", "subroutine call at character 8:"),
        (r"(?<a>a)(?&a)", "subroutine call at character 8:"),
        (r"(?<a>a)(?R)", "recursion at character 8:"),
        (r"(?<a>a*+)", "possessive quantifier at character 7:"),
        (r"(?<a>a{1,2}+)", "possessive quantifier at character 7:"),
        (r"(?<a>(?>a))", "atomic group at character 6:"),
        (r"(?<a>a)(?(1)b|c)", "conditional at character 8:"),
        (r"(?|(?<a>a))", "branch reset at character 1:"),
        (r"(?<a>a)(?#why)", "comment at character 8:"),
        (r"(?<a>\C)", "single byte"),
        (r"(?<a>a)(?<A>b)", "group named 'A' at character 8: there is one already"),
        (r"(?<1>a)", "group named '1' at character 1:"),
        (r"(?<a>a))", "')' at character 8: no group is open"),
        (r"((?<a>a)", "'(' at character 1: the group is not closed"),
        (r"(?<a>[a)", "'[' at character 6: the class is not closed"),
        ("(?<a>a)\\", "backslash at character 8:"),
        (r"(\d+) x", "has no named group"),
        (r"(?<a>\y)", r"RE2 refuses it: invalid escape sequence: \\y|RE2 refuses it: invalid escape sequence: \y"),
        (r"(?<a>a{2000})", "RE2 refuses it: invalid repetition size: {2000}"),
        (r"(?<a>*)", "RE2 refuses it: no argument for repetition operator: *"),
    ],
)
def test_constructs_that_re2_lacks_are_errors_with_name_and_position(spec: str, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        line_format(FormatOptions("regex", spec))
    assert any(one in str(caught.value) for one in message.split("|"))


def test_parentheses_in_classes_and_escapes_are_not_groups() -> None:
    found = read(r"^[(?=)\]]+\(\?=(?<a>[^]a])[[:digit:])]\Q(?=\E\x{28}\12?$", "(]=(?=x9(?=(\n)(?=y)(?=(\n")
    assert [row["a"] for row in found.rows] == ["x", "y"]


def test_writing_is_an_error(tmp_path: Any) -> None:
    batch = pa.table({"a": ["x"]})
    with pytest.raises(FormatError, match="can be read only: a regular expression matches many lines"):
        pyspark_logs.write(batch.to_batches(), str(tmp_path / "out"), regex="(?<a>.)")


def test_options_of_other_formats_and_unknown_columns_are_errors() -> None:
    with pytest.raises(OptionError, match="'escape' belongs to"):
        pyspark_logs.scan("x", regex="(?<a>.)", escape="backslash")
    with pytest.raises(SchemaError, match="column 'b' is not in the format, which gives a"):
        read("(?<a>.)", "x\n", pa.schema([("b", STRING)]))
    with pytest.raises(SchemaError, match="cannot be read as"):
        read("(?<a>.)", "x\n", pa.schema([("a", pa.list_(STRING))]))


def test_scan(tmp_path: Any) -> None:
    (tmp_path / "a.log").write_bytes(b"\xef\xbb\xbfx 1\r\n\r\nx 2\nz")
    table = pyspark_logs.scan(
        str(tmp_path), regex=r"^(?<k>x) (?<n>\d)$", schema="n INT, _corrupt_record STRING"
    ).read_all()
    assert table.to_pylist() == [
        {"n": 1, "_corrupt_record": None}, {"n": 2, "_corrupt_record": None}, {"n": None, "_corrupt_record": "z"},
    ]  # fmt: skip


@pytest.mark.parametrize("char", ["a", '"', "[", "(", "\\", " "])
def test_hostile_lines_take_linear_time(char: str) -> None:
    spec = r'^(?<a>(?:a|"|\[)*)*(?<b>(?:a*)*)\[(?<c>"[^"]*"|\S+)* (?<d>.*)x$'

    def read_line(size: int) -> None:
        assert read(spec, char * size + "\n").corrupt == [True]

    assert_linear_time(read_line, 400_000)


def test_lines_of_blanks_are_no_records(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n  \n\t\r\n y\n")
    found = pyspark_logs.scan(str(tmp_path), regex="(?P<n>.*)", mode="FAILFAST").read_all()
    assert found.to_pylist() == [{"n": "x"}, {"n": " y"}]
