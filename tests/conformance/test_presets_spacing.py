"""Presets whose values stand between single spaces: a space too many must not shift the values behind it."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.encoder import compile_encoder
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.registry import compile_decoder
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines, sanitise
from tests.conformance.suite import same
from tests.conformance.test_presets_laws import MOMENT, decoded, few, records_of, rows_to_write, schema_of, written
from tests.support.preset_lines import is_corrupt, row

SPACED = (
    "aws_alb", "aws_nlb", "aws_elb_classic", "aws_s3_access", "haproxy_http", "haproxy_tcp", "apache_common",
    "apache_combined", "nginx_combined", "cri", "syslog_rfc5424",
)  # fmt: skip
# What may hold spaces: quoted texts, syslog's header before HAProxy's lines, and what takes the rest of a line.
_LOOSE = {
    "haproxy_http": re.compile(r"^[A-Z].*?(?= haproxy)|\"[^\"]*\""),
    "haproxy_tcp": re.compile(r"^[A-Z].*?(?= haproxy)"),
    "cri": re.compile(r"(?<= [FP]).*"),
    "syslog_rfc5424": re.compile(r"(?<= ID47).*|(?<= 4721 -).*|(?<= web.3 -).*"),
}
_QUOTED = re.compile('"[^"]*"')


def between_values(name: str, line: str) -> list[int]:
    """Where the spaces are that separate values."""
    loose = [match.span() for match in _LOOSE.get(name, _QUOTED).finditer(line)]
    spaces = [place for place, character in enumerate(line) if character == " "]
    return [place for place in spaces if not any(start <= place < end for start, end in loose)]


@pytest.mark.parametrize("name", SPACED)
def test_a_line_with_two_spaces_in_a_row_is_corrupt_or_means_the_same(name: str) -> None:
    """The patterns of times take any number of blanks for one."""
    corrupt = 0
    for line in PRESETS[name].sample:
        for place in between_values(name, line):
            wider = line[:place] + " " + line[place:]
            if is_corrupt(name, wider):
                corrupt += 1
            elif not line[place:].startswith(" haproxy["):  # before it is syslog's header, as it stands
                assert row(name, wider) == row(name, line), line[:place]
    assert corrupt >= 2 * len(PRESETS[name].sample)


@pytest.mark.parametrize(("name", "column"), [("aws_elb_classic", "ssl_cipher"), ("aws_s3_access", "host_header")])
def test_the_one_column_asked_for_is_never_a_neighbour(name: str, column: str) -> None:
    schema = pa.schema([schema_of(name).field(column)])
    decoder = compile_decoder(FormatOptions("preset", name), schema, judge_whole=False)
    (line,) = PRESETS[name].sample
    right = row(name, line)[column]
    found = []
    for place in between_values(name, line):
        rows, corrupt = decoded(decoder, name, (line[:place] + " " + line[place:]).encode(), schema)
        found.append((rows[0][column], corrupt[0]))
    assert set(found) == {(right, False), (None, True)}
    assert found.count((None, True)) >= 10


@pytest.mark.parametrize("name", ["aws_alb", "aws_nlb", "aws_elb_classic", "aws_s3_access"])
def test_a_line_with_a_space_too_few_is_corrupt(name: str) -> None:
    """What is glued together is one value, so that all behind it are shifted; their forms show it."""
    (line,) = PRESETS[name].sample
    for place in between_values(name, line):
        for between in ("", "\t"):
            glued = line[:place] + between + line[place + 1 :]
            assert is_corrupt(name, glued) or row(name, glued) == row(name, line), (line[:place], between)


def test_the_protocols_that_a_client_offers_are_quoted_and_listed() -> None:
    (line,) = PRESETS["aws_nlb"].sample
    offered = '"h2","http/1.1"'
    for fine in ('"h2"', '"http/1.0","h2"', '"%68"', '"h2",', '"h2","', '"h2","htt'):
        assert row("aws_nlb", line.replace(offered, fine))["alpn_client_preference_list"] == fine
    assert "alpn_client_preference_list" not in row("aws_nlb", line.replace(offered, "-"))
    for wrong in ("h2", ',"h2"', '"h2" "http/1.1"', '"h2"x', '"h2",x'):
        assert is_corrupt("aws_nlb", line.replace(offered, wrong))


def test_spaces_at_the_end_of_a_line_are_none_of_its_values() -> None:
    for name in ("aws_alb", "aws_nlb", "aws_elb_classic", "aws_s3_access"):
        (line,) = PRESETS[name].sample
        at = line.rindex(" ")
        for text in (line, line[:at]):
            assert row(name, text + " ") == row(name, text + "  ") == row(name, text)


def test_a_classic_load_balancer_with_two_spaces_before_its_user_agent() -> None:
    (line,) = PRESETS["aws_elb_classic"].sample
    assert is_corrupt("aws_elb_classic", line.replace(' "curl', '  "curl'))
    assert is_corrupt("aws_elb_classic", line.replace(' "curl', '"curl'))
    assert row("aws_elb_classic", line + " ") == row("aws_elb_classic", line)


@pytest.mark.parametrize("name", SPACED)
@few
@given(data=st.data())
def test_engines_and_exact_parser_agree_on_spaces_too_many_and_too_few(name: str, data: st.DataObject) -> None:
    good = [*PRESETS[name].sample]
    lines = [*good]
    for _ in range(data.draw(st.integers(1, 8))):
        line = data.draw(st.sampled_from(good))
        place = data.draw(st.sampled_from([at for at, one in enumerate(line) if one == " "]))
        lines.append(
            line[:place] + data.draw(st.sampled_from(["", "  ", "   ", "\t", " - ", ' "" '])) + line[place + 1 :]
        )
    block = sanitise(find_lines("\n".join(data.draw(st.permutations(lines * 3))).encode(), 0))
    names = data.draw(st.lists(st.sampled_from(schema_of(name).names), unique=True, min_size=1))
    asked = pa.schema([schema_of(name).field(one) for one in names])
    fast = compile_decoder(FormatOptions("preset", name), asked, judge_whole=data.draw(st.booleans()))
    slow = Decoder([], fast.exact, fast.native, fast.target)
    one, other = fast.decode(block, MOMENT), slow.decode(block, MOMENT)
    bad = [None if part.corrupt is None else part.corrupt.tolist() for part in (one, other)]
    assert bad[0] == bad[1], lines
    for mine, theirs, column in zip(one.columns, other.columns, names, strict=True):
        assert same(mine, theirs), (column, mine.to_pylist(), theirs.to_pylist(), lines)


@pytest.mark.parametrize("value", ["", " x", "x ", " "])
def test_what_would_be_a_space_too_many_is_not_written(value: str) -> None:
    (good,) = rows_to_write("aws_elb_classic")
    for column in ("elb", "ssl_cipher"):
        assert written("aws_elb_classic", [{**good, column: value}], "fail") is None
    (good,) = rows_to_write("aws_s3_access")
    assert written("aws_s3_access", [{**good, "bucket": value}], "fail") is None
    assert written("aws_s3_access", [{**good, "bucket": value}], "null") == written(
        "aws_s3_access", [{**good, "bucket": None}], "fail"
    )


def test_null_is_written_as_what_is_read_as_null() -> None:
    (good,) = rows_to_write("aws_s3_access")
    schema = schema_of("aws_s3_access")
    options = FormatOptions("preset", "aws_s3_access", null_value="NULL")
    encoder = compile_encoder(options, schema)
    raw = bytes(encoder.to_bytes(encoder.encode(pa.RecordBatch.from_pylist([{**good, "bucket": None}], schema=schema))))
    assert b" NULL [22/Nov" in raw
    decoder = compile_decoder(options, schema, judge_whole=True)
    assert decoded(decoder, "aws_s3_access", raw) == ([{**good, "bucket": None}], [False])


# ------------------------------------------------------------------------------------------ files with headers


@pytest.mark.parametrize("name", ["aws_vpc_flow", "w3c_iis"])
def test_a_space_too_many_or_too_few_is_corrupt_whichever_column_is_asked_for(name: str) -> None:
    *head, line = PRESETS[name].sample
    head = [one for one in head if one.startswith(("#", "version "))]
    last = line.rindex(" ")
    spaces = [place for place, character in enumerate(line) if character == " "]
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
def test_engine_and_exact_parser_agree_on_how_many_values_there_are(name: str, data: st.DataObject) -> None:
    block = records_of(name, "\n".join(PRESETS[name].sample).encode())[-1]
    good = block.record(0).decode()
    spaces = [place for place, character in enumerate(good) if character == " "]
    between = st.sampled_from(["", "  ", "\t", " - ", " "])
    places = data.draw(st.lists(st.tuples(st.sampled_from(spaces), between), min_size=1, max_size=6))
    lines = [good, *(good[:at] + text + good[at + 1 :] for at, text in places), good + " ", good[: spaces[3]]]
    raw = "\n".join([*(one for one in PRESETS[name].sample if one.startswith(("#", "version "))), *lines]).encode()
    names = data.draw(st.lists(st.sampled_from(schema_of(name).names), unique=True, min_size=1))
    asked = pa.schema([schema_of(name).field(one) for one in names])
    decoder = compile_decoder(FormatOptions("preset", name), asked, judge_whole=data.draw(st.booleans()))
    lines_of = records_of(name, raw)[-1]
    fast = decoder.for_header(lines_of.header)
    one, other = (
        fast.decode(lines_of, MOMENT),
        Decoder([], fast.exact, fast.native, fast.target).decode(lines_of, MOMENT),
    )
    bad = [None if part.corrupt is None else part.corrupt.tolist() for part in (one, other)]
    assert bad[0] == bad[1], lines
    for mine, theirs in zip(one.columns, other.columns, strict=True):
        assert same(mine, theirs), (mine.to_pylist(), theirs.to_pylist(), lines)
