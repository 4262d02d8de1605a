"""The table of presets, and lines of apache_combined, aws_alb and glog in all versions."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import FormatError
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.presets import (
    PRESETS,
    applications,
    aws,
    aws_json,
    cloud_json,
    containers,
    databases,
    delimited,
    mysql_slow,
    proxies,
    servers_json,
    syslog,
    web,
)
from pyspark_logs.formats.template.engine import TemplateEngine
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import read_lines
from tests.conformance.test_engines import plain, rows_of
from tests.support.formats import compile_decoder, format_schema


def rows(preset: str, lines: list[str], schema: pa.Schema | None = None) -> tuple[list[dict[str, Any]], list[bool]]:
    """Returns the rows of lines in one block, and a flag for each that is true if the row is corrupt."""
    options = FormatOptions("preset", preset)
    wanted = schema if schema is not None else format_schema(options)
    assert wanted is not None
    decoder = compile_decoder(options, wanted)
    found, corrupt = rows_of(decoder, read_lines(iter(["\n".join(lines).encode()])), TimestampContext())
    return [dict(zip(wanted.names, row, strict=True)) for row in found], corrupt


@pytest.mark.parametrize("name", ["apache_combined", "aws_alb"])
def test_preset_has_a_schema_and_a_source(name: str) -> None:
    schema = format_schema(FormatOptions("preset", name))
    assert schema is not None
    assert len(schema) > 5
    assert PRESETS[name].source


def test_each_preset_has_a_description_of_its_own() -> None:
    descriptions = {name: preset.about for name, preset in PRESETS.items()}
    assert len(set(descriptions.values())) == len(PRESETS)
    for name, text in descriptions.items():
        assert re.fullmatch(r"[^\n.](?:.*[^\n.])", text), name
        assert 10 < len(text) <= 80, name


def test_names_of_presets_are_unique() -> None:
    families = (
        web, aws, aws_json, delimited, cloud_json, syslog, proxies, servers_json, databases, mysql_slow, applications,
        containers,
    )  # fmt: skip
    assert list(PRESETS) == [preset.name for family in families for preset in family.PRESETS]


def test_error_about_an_unknown_preset_suggests_the_nearest() -> None:
    with pytest.raises(FormatError, match=r"'apache_combine' is not a preset; did you mean 'apache_combined'\?"):
        format_schema(FormatOptions("preset", "apache_combine"))


def test_template_preset_whose_last_field_takes_the_rest_has_no_further_columns() -> None:
    options = FormatOptions("preset", "log4j", rescued_column="rest")
    with pytest.raises(
        FormatError, match="'rescuedDataColumn': the last field of preset 'log4j' takes the rest of the line"
    ):
        compile_decoder(options, pa.schema([("level", pa.string())]))


# --- apache_combined ---

COMBINED = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"'


def test_apache_combined() -> None:
    found, corrupt = rows(
        "apache_combined",
        [
            COMBINED,
            '::1 - - [10/Oct/2000:13:55:36 -0700] "-" 408 - "-" "-"',
            '10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a\\"b HTTP/1.1" 404 0 "-" "\\x22evil\\x22 agent"',
            '10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.1" 200 5 "-" "curl" extra',
        ],
    )
    assert found[0] == {
        "remote_host": "127.0.0.1", "remote_logname": None, "remote_user": "frank",
        "time": datetime(2000, 10, 10, 20, 55, 36, tzinfo=timezone.utc), "request": "GET /apache_pb.gif HTTP/1.0",
        "status": 200, "bytes": 2326, "referer": "http://www.example.com/start.html",
        "user_agent": "Mozilla/4.08 [en] (Win98; I ;Nav)",
    }  # fmt: skip
    assert [found[1][name] for name in ("request", "status", "bytes", "referer", "user_agent")] == [
        None,
        408,
        None,
        None,
        None,
    ]
    assert found[2]["request"] == 'GET /a"b HTTP/1.1'
    assert found[2]["user_agent"] == '"evil" agent'
    assert corrupt == [False, False, False, True], "this format is closed: text after it is not of it"


# --- aws_alb ---

# As in AWS's documentation, in the order in which AWS added fields.
ALB = [
    "https", "2018-07-02T22:23:00.186641Z", "app/my-loadbalancer/50dc6c495c0c9188", "192.168.131.39:2817", "10.0.0.1:80",
    "0.086", "0.048", "0.037", "200", "200", "0", "57", '"GET https://www.example.com:443/ HTTP/1.1"', '"curl/7.46.0"',
    "ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2", "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067",
    '"Root=1-58337281-1d84f3d73c47ec4e58577259"', '"www.example.com"', '"arn:aws:acm:us-east-2:123456789012:certificate/1"',
    "1", "2018-07-02T22:22:48.364000Z", '"authenticate,forward"', '"-"', '"-"',
    '"10.0.0.1:80"', '"200"', '"-"', '"-"', "TID_1234abcd5678ef90",
    '"transformed.example.com"', '"/transformed"', "TransformSuccess", "10.0.0.9", '"not documented yet"',
]  # fmt: skip


def alb(count: int) -> str:
    return " ".join(ALB[:count])


def test_aws_alb_all_versions_in_one_file() -> None:
    counts = [25, 29, 30, 33, 34, 35]
    found, corrupt = rows("aws_alb", [alb(count) for count in counts] * 40)
    assert corrupt == [False] * 240
    for count, row in zip(counts * 40, found, strict=True):
        assert row["type"] == "https"
        assert row["time"] == datetime(2018, 7, 2, 22, 23, 0, 186641, tzinfo=timezone.utc)
        assert (row["client_ip"], row["client_port"], row["target_ip"], row["target_port"]) == (
            "192.168.131.39",
            2817,
            "10.0.0.1",
            80,
        )
        assert row["target_processing_time"] == 0.048
        assert row["request"] == "GET https://www.example.com:443/ HTTP/1.1"
        assert row["request_creation_time"] == datetime(2018, 7, 2, 22, 22, 48, 364000, tzinfo=timezone.utc)
        assert row["actions_executed"] == "authenticate,forward"
        assert row["error_reason"] is None
        assert row["target_port_list"] == ("10.0.0.1:80" if count >= 29 else None)
        assert row["conn_trace_id"] == ("TID_1234abcd5678ef90" if count >= 30 else None)
        assert row["transformed_host"] == ("transformed.example.com" if count >= 33 else None)
        assert row["request_transform_status"] == ("TransformSuccess" if count >= 33 else None)
        assert row["alb_node_ip"] == ("10.0.0.9" if count >= 34 else None)


def test_aws_alb_without_an_answer_of_a_target() -> None:
    fields = ALB[:29]
    fields[4:8], fields[8:10] = ["-", "-1", "-1", "-1"], ["460", "-"]
    fields[12], fields[21] = '"- http://x:80- -"', "-"
    found, corrupt = rows("aws_alb", [" ".join(fields)])
    assert corrupt == [False]
    assert (found[0]["target_ip"], found[0]["target_port"], found[0]["target_status_code"]) == (None, None, None)
    assert (found[0]["request"], found[0]["request_creation_time"]) == ("- http://x:80- -", None)


def test_aws_alb_first_versions() -> None:
    """The format had 18 fields in 2016 and 25 in 2018; buckets still contain these files."""
    counts = list(range(18, 23))
    found, corrupt = rows("aws_alb", [alb(count) for count in counts] * 40)
    assert corrupt == [False] * 200
    for count, row in zip(counts * 40, found, strict=True):
        assert row["trace_id"] == "Root=1-58337281-1d84f3d73c47ec4e58577259"
        assert row["domain_name"] == ("www.example.com" if count >= 19 else None)
        assert row["chosen_cert_arn"] == ("arn:aws:acm:us-east-2:123456789012:certificate/1" if count >= 20 else None)
        assert row["matched_rule_priority"] == (1 if count >= 21 else None)
        assert (row["request_creation_time"] is None) == (count < 22)
        assert row["actions_executed"] is None


def test_aws_alb_with_too_few_fields_is_corrupt() -> None:
    found, corrupt = rows("aws_alb", [alb(16), alb(17), alb(19)[:-1]])
    assert corrupt == [True, True, True]
    assert found[0]["type"] is None


def test_aws_alb_with_any_number_of_later_fields() -> None:
    counts = list(range(18, 36))
    found, corrupt = rows("aws_alb", [alb(count) for count in counts])
    assert corrupt == [False] * len(counts)
    present = [sum(value is not None for value in row.values()) for row in found]
    # The fields 24, 25, 28 and 29 are "-" here, and the fields after 34 have no column.
    assert [b - a for a, b in pairwise(present)] == [1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0]


def test_address_is_read_in_any_notation() -> None:
    fields = ALB[:25]
    lines = []
    for client in ("[2001:db8::1]:443", "2001:db8::1:443", "192.0.2.1:443", "-"):
        fields[3] = client
        lines.append(" ".join(fields))
    found, corrupt = rows("aws_alb", lines)
    assert corrupt == [False] * 4
    assert [row["client_ip"] for row in found] == ["2001:db8::1", "2001:db8::1", "192.0.2.1", None]
    assert [row["client_port"] for row in found] == [443, 443, 443, None]


def test_subfield_can_be_widened_and_requested_alone() -> None:
    schema = pa.schema([("target_port", pa.int64()), ("client_ip", pa.string())])
    assert rows("aws_alb", [alb(29)], schema)[0] == [{"target_port": 80, "client_ip": "192.168.131.39"}]


@pytest.mark.parametrize("engines", [True, False])
def test_whole_line_is_judged_by_its_subfields(engines: bool) -> None:
    options = FormatOptions("preset", "aws_alb")
    wanted = pa.schema([("elb", pa.string())])
    good, bad = alb(29), alb(29).replace(":2817", ":none")
    for judge_whole in (True, False):
        whole = compile_decoder(options, wanted, judge_whole=judge_whole)
        decoder = whole if engines else Decoder([], whole.line_parser, whole.native, whole.target)
        assert rows_of(decoder, read_lines(iter([f"{good}\n{bad}".encode()])), TimestampContext())[1] == [
            False,
            judge_whole,
        ]


@pytest.mark.parametrize(
    ("name", "lines"), [("apache_combined", [COMBINED] * 100), ("aws_alb", [alb(29)] * 50 + [alb(30)] * 50)]
)
def test_template_engine_parses_all_valid_lines(name: str, lines: list[str]) -> None:
    options = FormatOptions("preset", name)
    decoder = compile_decoder(options, format_schema(options) or pa.schema([]))
    chain = next(engine for engine in decoder.engines if isinstance(engine, TemplateEngine))
    block = next(read_lines(iter(["\n".join(lines).encode()])))
    sure = chain.parse(block.block, block.starts, block.ends, TimestampContext())
    assert sure.rows is None
    assert all(len(plain(column)) == 100 for column in sure.columns)


def test_banner_of_a_glog_file_is_not_a_record(tmp_path: Path) -> None:
    banner = [
        "Log file created at: 2026/11/22 01:00:11",
        "Running on machine: web-1",
        "Running duration (h:mm:ss): 0:00:00",
        "Log line format: [IWEF]yyyymmdd hh:mm:ss.uuuuuu threadid file:line] msg",
    ]
    lines = ["I20261122 01:00:11.045123 12345 cart.cc:1] Running on machine: none", "E1122 01:00:12.000001 7 a.cc:2] x"]
    (tmp_path / "a.log").write_text("\n".join([*banner, *lines]) + "\n")
    for options in ({}, {"multiLine": True}):
        rows = pyspark_logs.scan(str(tmp_path), preset="glog", mode="FAILFAST", **options).read_all()
        assert rows["message"].to_pylist() == ["Running on machine: none", "x"]
