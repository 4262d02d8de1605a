"""Presets with one space between values: an additional space must not move values into other columns."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines, sanitise
from tests.conformance.suite import same
from tests.conformance.test_presets_laws import MOMENT, decoded, few, records_of, rows_to_write, schema_of, written
from tests.support.formats import compile_decoder, compile_encoder
from tests.support.preset_lines import is_corrupt, row

SPACED = (
    "aws_alb", "aws_alb_connection", "aws_nlb", "aws_elb_classic", "aws_s3_access", "haproxy_http", "haproxy_tcp", "envoy",
    "apache_common", "apache_combined", "nginx_combined", "cri", "syslog_rfc5424",
)  # fmt: skip
# Text that may contain spaces: quoted values, the syslog header and the messages of HAProxy's lines, and the last field of a line.
_WITH_SPACES = {
    "haproxy_http": re.compile(r"^[A-Z].*?(?= haproxy)|\"[^\"]*\"|(?<=fe/1: ).*"),
    "haproxy_tcp": re.compile(r"^[A-Z].*?(?= haproxy)|(?<=fe/1: ).*"),
    "cri": re.compile(r"(?<= [FP]).*"),
    "syslog_rfc5424": re.compile(r"(?<= ID47).*|(?<= 4721 -).*|(?<= web.3 -).*"),
}
_QUOTED = re.compile('"[^"]*"')


def separators(name: str, line: str) -> list[int]:
    """Returns the offsets of the spaces that separate values."""
    with_spaces = [match.span() for match in _WITH_SPACES.get(name, _QUOTED).finditer(line)]
    spaces = [offset for offset, character in enumerate(line) if character == " "]
    return [offset for offset in spaces if not any(start <= offset < end for start, end in with_spaces)]


@pytest.mark.parametrize("name", SPACED)
def test_line_with_two_consecutive_spaces_is_corrupt_or_has_the_same_meaning(name: str) -> None:
    """Timestamp patterns accept several blanks for one, so a few lines keep their meaning."""
    corrupt = 0
    for line in PRESETS[name].sample:
        for offset in separators(name, line):
            wider = line[:offset] + " " + line[offset:]
            if is_corrupt(name, wider):
                corrupt += 1
            elif not line[offset:].startswith(" haproxy["):  # the syslog header includes all spaces before its end
                assert row(name, wider) == row(name, line), line[:offset]
    assert corrupt >= 2 * len(PRESETS[name].sample)


@pytest.mark.parametrize(("name", "column"), [("aws_elb_classic", "ssl_cipher"), ("aws_s3_access", "host_header")])
def test_single_requested_column_never_has_the_value_of_a_neighbour(name: str, column: str) -> None:
    schema = pa.schema([schema_of(name).field(column)])
    decoder = compile_decoder(FormatOptions("preset", name), schema, judge_whole=False)
    (line,) = PRESETS[name].sample
    right = row(name, line)[column]
    found = []
    for offset in separators(name, line):
        rows, corrupt = decoded(decoder, name, (line[:offset] + " " + line[offset:]).encode(), schema)
        found.append((rows[0][column], corrupt[0]))
    assert set(found) == {(right, False), (None, True)}
    assert found.count((None, True)) >= 10


@pytest.mark.parametrize("name", ["aws_alb", "aws_nlb", "aws_elb_classic", "aws_s3_access"])
def test_line_without_a_space_is_corrupt(name: str) -> None:
    """Two values without a space are one value; the forms of the values after them reveal it."""
    (line,) = PRESETS[name].sample
    for offset in separators(name, line):
        for between in ("", "\t"):
            joined = line[:offset] + between + line[offset + 1 :]
            assert is_corrupt(name, joined) or row(name, joined) == row(name, line), (line[:offset], between)


def test_protocol_list_of_a_client() -> None:
    (line,) = PRESETS["aws_nlb"].sample
    offered = '"h2","http/1.1"'
    for fine in ('"h2"', '"http/1.0","h2"', '"%68"', '"h2",', '"h2","', '"h2","htt'):
        assert row("aws_nlb", line.replace(offered, fine))["alpn_client_preference_list"] == fine
    assert "alpn_client_preference_list" not in row("aws_nlb", line.replace(offered, "-"))
    for wrong in ("h2", ',"h2"', '"h2" "http/1.1"', '"h2"x', '"h2",x'):
        assert is_corrupt("aws_nlb", line.replace(offered, wrong))


def test_spaces_at_the_end_of_a_line_are_not_values() -> None:
    for name in ("aws_alb", "aws_nlb", "aws_elb_classic", "aws_s3_access"):
        (line,) = PRESETS[name].sample
        at = line.rindex(" ")
        for text in (line, line[:at]):
            assert row(name, text + " ") == row(name, text + "  ") == row(name, text)


def test_classic_load_balancer_with_two_spaces_before_the_user_agent() -> None:
    (line,) = PRESETS["aws_elb_classic"].sample
    assert is_corrupt("aws_elb_classic", line.replace(' "curl', '  "curl'))
    assert is_corrupt("aws_elb_classic", line.replace(' "curl', '"curl'))
    assert row("aws_elb_classic", line + " ") == row("aws_elb_classic", line)


@pytest.mark.parametrize("name", SPACED)
@few
@given(data=st.data())
def test_engines_and_line_parser_agree_on_added_and_removed_spaces(name: str, data: st.DataObject) -> None:
    good = [*PRESETS[name].sample]
    lines = [*good]
    for _ in range(data.draw(st.integers(1, 8))):
        line = data.draw(st.sampled_from(good))
        offset = data.draw(st.sampled_from([at for at, one in enumerate(line) if one == " "]))
        lines.append(
            line[:offset] + data.draw(st.sampled_from(["", "  ", "   ", "\t", " - ", ' "" '])) + line[offset + 1 :]
        )
    block = sanitise(find_lines("\n".join(data.draw(st.permutations(lines * 3))).encode(), 0))
    names = data.draw(st.lists(st.sampled_from(schema_of(name).names), unique=True, min_size=1))
    asked = pa.schema([schema_of(name).field(one) for one in names])
    fast = compile_decoder(FormatOptions("preset", name), asked, judge_whole=data.draw(st.booleans()))
    slow = Decoder([], fast.line_parser, fast.native, fast.target)
    one, other = fast.decode(block, MOMENT), slow.decode(block, MOMENT)
    bad = [None if part.corrupt is None else part.corrupt.tolist() for part in (one, other)]
    assert bad[0] == bad[1], lines
    for mine, theirs, column in zip(one.columns, other.columns, names, strict=True):
        assert same(mine, theirs), (column, mine.to_pylist(), theirs.to_pylist(), lines)


@pytest.mark.parametrize("value", ["", " x", "x ", " "])
def test_value_that_adds_a_space_is_not_written(value: str) -> None:
    (good,) = rows_to_write("aws_elb_classic")
    for column in ("elb", "ssl_cipher"):
        assert written("aws_elb_classic", [{**good, column: value}], "fail") is None
    (good,) = rows_to_write("aws_s3_access")
    assert written("aws_s3_access", [{**good, "bucket": value}], "fail") is None
    assert written("aws_s3_access", [{**good, "bucket": value}], "null") == written(
        "aws_s3_access", [{**good, "bucket": None}], "fail"
    )


def test_null_is_written_as_the_null_value() -> None:
    (good,) = rows_to_write("aws_s3_access")
    schema = schema_of("aws_s3_access")
    options = FormatOptions("preset", "aws_s3_access", null_value="NULL")
    encoder = compile_encoder(options, schema)
    raw = bytes(encoder.to_bytes(encoder.encode(pa.RecordBatch.from_pylist([{**good, "bucket": None}], schema=schema))))
    assert b" NULL [22/Nov" in raw
    decoder = compile_decoder(options, schema, judge_whole=True)
    assert decoded(decoder, "aws_s3_access", raw) == ([{**good, "bucket": None}], [False])


# --- files with headers ---


@pytest.mark.parametrize("name", ["aws_vpc_flow", "w3c_iis"])
def test_added_or_removed_space_is_corrupt_for_any_requested_column(name: str) -> None:
    *head, line = PRESETS[name].sample
    head = [one for one in head if one.startswith(("#", "version "))]
    last = line.rindex(" ")
    spaces = [offset for offset, character in enumerate(line) if character == " "]
    asked = [schema_of(name).field(one) for one in schema_of(name).names[:4]]
    for schema in [schema_of(name), *(pa.schema([one]) for one in asked)]:
        decoder = compile_decoder(FormatOptions("preset", name), schema, judge_whole=False)
        assert decoded(decoder, name, "\n".join([*head, line]).encode(), schema)[1] == [False]
        shifted = [line[:at] + between + line[at + 1 :] for at in spaces for between in ("", "  ")]
        rows, corrupt = decoded(decoder, name, "\n".join([*head, *shifted, line[:last]]).encode(), schema)
        assert corrupt == [True] * (2 * len(spaces) + 1)
        assert rows == [dict.fromkeys(schema.names)] * len(corrupt)


@pytest.mark.parametrize("name", ["aws_vpc_flow", "w3c_iis"])
@few
@given(data=st.data())
def test_engine_and_line_parser_agree_on_the_number_of_values(name: str, data: st.DataObject) -> None:
    block = records_of(name, "\n".join(PRESETS[name].sample).encode())[-1]
    good = block.record(0).decode()
    spaces = [offset for offset, character in enumerate(good) if character == " "]
    between = st.sampled_from(["", "  ", "\t", " - ", " "])
    edits = data.draw(st.lists(st.tuples(st.sampled_from(spaces), between), min_size=1, max_size=6))
    lines = [good, *(good[:at] + text + good[at + 1 :] for at, text in edits), good + " ", good[: spaces[3]]]
    raw = "\n".join([*(one for one in PRESETS[name].sample if one.startswith(("#", "version "))), *lines]).encode()
    names = data.draw(st.lists(st.sampled_from(schema_of(name).names), unique=True, min_size=1))
    asked = pa.schema([schema_of(name).field(one) for one in names])
    decoder = compile_decoder(FormatOptions("preset", name), asked, judge_whole=data.draw(st.booleans()))
    lines_of = records_of(name, raw)[-1]
    fast = decoder.for_header(lines_of.header)
    one, other = (
        fast.decode(lines_of, MOMENT),
        Decoder([], fast.line_parser, fast.native, fast.target).decode(lines_of, MOMENT),
    )
    bad = [None if part.corrupt is None else part.corrupt.tolist() for part in (one, other)]
    assert bad[0] == bad[1], lines
    for mine, theirs in zip(one.columns, other.columns, strict=True):
        assert same(mine, theirs), (mine.to_pylist(), theirs.to_pylist(), lines)
