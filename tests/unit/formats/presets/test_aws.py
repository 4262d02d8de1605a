"""Files of AWS services and IIS in all versions of their formats."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.errors import FormatError, RecordError
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.records import find_lines
from tests.conformance.suite import same
from tests.conformance.test_presets_laws import MOMENT, decoder_of
from tests.support.preset_lines import at, is_corrupt, row


def scanned(folder: Path, preset: str, text: str, **options: Any) -> list[dict[str, Any]]:
    """Returns the rows of a file, without their null values."""
    (folder / "a.log.gz").write_bytes(gzip.compress(text.encode()))
    rows = pyspark_logs.scan(str(folder), preset=preset, mode="FAILFAST", **options).read_all().to_pylist()
    return [{name: value for name, value in one.items() if value is not None} for one in rows]


# --- lines that grew by fields ---


@pytest.mark.parametrize(("preset", "first"), [("aws_nlb", 18), ("aws_elb_classic", 14), ("aws_s3_access", 19)])
def test_lines_of_all_versions(preset: str, first: int) -> None:
    """Removes fields from the end of the sample's line; blanks in quotes and brackets are not separators."""
    (line,) = PRESETS[preset].sample
    whole = row(preset, line)
    offsets = [
        offset for offset, character in enumerate(line) if character == " " and line[:offset].count('"') % 2 == 0
    ]
    for offset in offsets[first - 1 :]:
        found = row(preset, line[:offset])
        assert found == {name: value for name, value in whole.items() if name in found}
    assert row(preset, line + ' "more" than -') == whole
    assert is_corrupt(preset, line[: offsets[first - 5]])


def test_classic_elb_of_twelve_fields() -> None:
    line = '2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 - 0.000073 -1 -1 504 0 0 0 "- - - "'
    assert row("aws_elb_classic", line) == {
        "timestamp": at(2015, 5, 13, 23, 39, 43, 945958), "elb": "my-loadbalancer", "client_ip": "192.168.131.39",
        "client_port": 2817, "request_processing_time": 0.000073, "backend_processing_time": -1.0,
        "response_processing_time": -1.0, "elb_status_code": 504, "backend_status_code": 0, "received_bytes": 0,
        "sent_bytes": 0, "request": "- - - ",
    }  # fmt: skip


def test_s3_access_without_a_request() -> None:
    line = (
        "owner bucket [06/Feb/2019:00:01:57 +0000] - arn:aws:iam::1:user/x DD6CC733AEXAMPLE S3.EXPIRE.OBJECT a/b%20c"
        ' "-" - - - 41 - - "-" "-" -'
    )
    assert row("aws_s3_access", line) == {
        "owner": "owner", "bucket": "bucket", "time": at(2019, 2, 6, 0, 1, 57), "requester": "arn:aws:iam::1:user/x",
        "request_id": "DD6CC733AEXAMPLE", "operation": "S3.EXPIRE.OBJECT", "key": "a/b%20c", "object_size": 41,
    }  # fmt: skip


def test_times_of_nlb_are_utc_for_any_time_zone(tmp_path: Path) -> None:
    (line,) = PRESETS["aws_nlb"].sample
    (found,) = scanned(tmp_path, "aws_nlb", line, timeZone="Asia/Tokyo")
    assert found["time"] == at(2026, 11, 22, 1, 0, 11)
    assert found["tls_connection_creation_time"] == at(2026, 11, 22, 1, 0, 10)


@pytest.mark.parametrize("sizes", ["98 1 246", "98", "98 246 -"])
def test_nlb_with_a_value_too_many_or_too_few_and_without_protocols(sizes: str) -> None:
    line = PRESETS["aws_nlb"].sample[0].replace('h2 h2 "h2","http/1.1"', "- - -")
    assert row("aws_nlb", line)["sent_bytes"] == 246
    assert is_corrupt("aws_nlb", line.replace("98 246", sizes))


def test_s3_access_without_a_version_id() -> None:
    line = (
        "owner bucket [06/Mar/2009:23:13:28 +0000] 192.0.2.7 4711 C46E93FF2EXAMPLE REST.GET.OBJECT a/b.zip"
        ' "GET /a/b.zip HTTP/1.1" 206 - 43457 1003293 697 611 "-" "Wget/1.11"'
    )
    found = row("aws_s3_access", line)
    assert (found["turn_around_time"], found["user_agent"]) == (611, "Wget/1.11")
    assert row("aws_s3_access", line + " v7") == found | {"version_id": "v7"}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("10.0.0.1:80 200", {"target_port_list": "10.0.0.1:80", "target_status_code_list": "200"}),
        ('"10.0.0.1:80 10.0.0.2:80" -', {"target_port_list": "10.0.0.1:80 10.0.0.2:80"}),
        (r"a\x41 b\n", {"target_port_list": r"a\x41", "target_status_code_list": r"b\n"}),
    ],
)
def test_lists_of_alb_without_quotes(texts: str, expected: dict[str, str]) -> None:
    """Examples of AWS's documentation showed these fields without quotes when the fields were new."""
    (line,) = PRESETS["aws_alb"].sample
    before, found, after = line.partition(' "10.0.0.1:80" "200" ')
    assert found
    lists = {"target_port_list", "target_status_code_list"}
    whole = {name: value for name, value in row("aws_alb", line).items() if name not in lists}
    assert row("aws_alb", f"{before} {texts} {after}") == whole | expected
    assert is_corrupt("aws_alb", f'{before} "10.0.0.1:80"x 200 {after}')
    assert is_corrupt("aws_alb", f'{before} "10.0.0.1:80 200 {after}')


S3_LINE = (
    "owner bucket [22/Nov/2026:01:00:11 +0000] 192.0.2.7 - 3E57427F3 REST.GET.OBJECT key {request} 403 AccessDenied 243 -"
    " 8 - {referer} {agent} - host= - ECDHE-RSA-AES128-GCM-SHA256 - bucket.s3.amazonaws.com TLSv1.2"
)


@pytest.mark.parametrize(
    ("request_uri", "referer", "agent"),
    [
        ('GET /" HTTP/1.1', "https://example.com/", "curl/8.5.0"),
        ('GET /?a="b" HTTP/1.1', 'a "quoted" word', 'a "quoted" word'),
        ("GET / HTTP/1.1", '() { :;}; echo; echo "x"', '() { :;}; echo; echo "x"'),
        ("GET / HTTP/1.1", 'one"', '"two'),
        ('GET /a "b c" HTTP/1.1', '"', '"all of it"'),
        ("GET / HTTP/1.1", '""', 'Safari/604.1"'),
    ],
)
def test_quotes_that_s3_does_not_escape(request_uri: str, referer: str, agent: str) -> None:
    line = S3_LINE.format(request=f'"{request_uri}"', referer=f'"{referer}"', agent=f'"{agent}"')
    found = row("aws_s3_access", line)
    assert (found["request_uri"], found["referer"], found["user_agent"]) == (request_uri, referer, agent)
    assert (found["http_status"], found["host_id"], found["tls_version"]) == (403, "host=", "TLSv1.2")
    older = line.partition(" - host=")[0]
    assert row("aws_s3_access", older)["user_agent"] == agent
    newer = f'{line} - - - "what comes next" "year"'
    assert row("aws_s3_access", newer)["user_agent"] == agent


def test_requester_of_cloudfront_contains_blanks() -> None:
    line = S3_LINE.format(request='"GET / HTTP/1.1"', referer='"-"', agent='"curl/8.5.0"')
    plain = row("aws_s3_access", line)
    assert "requester" not in plain
    for who in (
        "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2EXAMPLE",
        "arn:aws-cn:iam::cloudfront:user/CloudFront Origin Access Identity E2EXAMPLE",
        "arn:aws:iam::123456789012:user/CloudFront",
    ):
        assert row("aws_s3_access", line.replace("192.0.2.7 - ", f"192.0.2.7 {who} ")) == {**plain, "requester": who}
    assert is_corrupt("aws_s3_access", line.replace("192.0.2.7 - ", "192.0.2.7 ana and bob "))


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(rows=st.lists(st.lists(st.text('" x\\\\-', max_size=8), min_size=3, max_size=3), min_size=1, max_size=6))
def test_engine_and_line_parser_agree_on_quotes_anywhere(rows: list[list[str]]) -> None:
    lines = [S3_LINE.format(request=f'"{a}"', referer=f'"{b}"', agent=f'"{c}"') for a, b, c in rows]
    block = find_lines("\n".join(lines).encode(), 0)
    fast = decoder_of("aws_s3_access")
    slow = Decoder([], fast.line_parser, fast.native, fast.target)
    one, other = fast.decode(block, MOMENT), slow.decode(block, MOMENT)
    bad = [None if part.corrupt is None else part.corrupt.tolist() for part in (one, other)]
    assert bad[0] == bad[1], lines
    for mine, theirs in zip(one.columns, other.columns, strict=True):
        assert same(mine, theirs), (mine.to_pylist(), theirs.to_pylist(), lines)


def test_quotes_in_lines_of_a_classic_load_balancer() -> None:
    (line,) = PRESETS["aws_elb_classic"].sample
    plain = row("aws_elb_classic", line)
    for agent in ('"nobody"', 'a "b" c'):
        found = row("aws_elb_classic", line.replace('"curl/8.5.0"', f'"{agent}"'))
        assert found == {**plain, "user_agent": agent}
        assert row("aws_elb_classic", line.replace('"curl/8.5.0"', '"' + agent.replace('"', r"\"") + '"')) == found
    request = 'GET https://www.example.com:443/?a="b" HTTP/1.1'
    assert (
        row("aws_elb_classic", line.replace("GET https://www.example.com:443/ HTTP/1.1", request))["request"] == request
    )


# --- files with headers ---

FLOW = "2 123456789010 eni-1 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK"
FLOW_ROW = {
    "version": 2, "account_id": "123456789010", "interface_id": "eni-1", "srcaddr": "172.31.16.139",
    "dstaddr": "172.31.16.21", "srcport": 20641, "dstport": 22, "protocol": 6, "packets": 20, "bytes": 4249,
    "start": at(2014, 12, 14, 4, 6, 50), "end": at(2014, 12, 14, 4, 7, 50), "action": "ACCEPT", "log_status": "OK",
}  # fmt: skip


def test_vpc_flow_with_and_without_a_header(tmp_path: Path) -> None:
    header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
    assert scanned(tmp_path, "aws_vpc_flow", f"{header}\n{FLOW}\n") == [FLOW_ROW]
    assert scanned(tmp_path, "aws_vpc_flow", f"{FLOW}\n{FLOW}\n") == [FLOW_ROW] * 2


def test_vpc_flow_with_fields_in_any_order(tmp_path: Path) -> None:
    text = (
        "vpc-id flow-direction start pkt-src-aws-service tcp-flags what-comes-next-year\n"
        "vpc-1 ingress 1418530010 S3 19 x\nvpc-1 egress 1418530011 - 2 -\n"
    )
    assert scanned(tmp_path, "aws_vpc_flow", text) == [
        {
            "vpc_id": "vpc-1", "flow_direction": "ingress", "start": at(2014, 12, 14, 4, 6, 50),
            "pkt_src_aws_service": "S3", "tcp_flags": 19,
        },
        {"vpc_id": "vpc-1", "flow_direction": "egress", "start": at(2014, 12, 14, 4, 6, 51), "tcp_flags": 2},
    ]  # fmt: skip


def test_cloudfront_with_selected_fields(tmp_path: Path) -> None:
    text = (
        "#Version: 1.0\n#Fields: date time cs(User-Agent) sc-status c-country timestamp(ms)\n"
        "2019-12-04\t21:02:31\tMozilla/5.0%20(X11)\t000\tDE\t1575493351000\n"
    )
    assert scanned(tmp_path, "aws_cloudfront", text) == [
        {
            "timestamp": at(2019, 12, 4, 21, 2, 31), "date": date(2019, 12, 4), "time": "21:02:31",
            "cs_user_agent": "Mozilla/5.0%20(X11)", "sc_status": 0, "c_country": "DE",
            "timestamp_ms": at(2019, 12, 4, 21, 2, 31),
        }
    ]  # fmt: skip


def test_iis_fields_that_change_within_a_file(tmp_path: Path) -> None:
    text = (
        "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip sc-status\n"
        "2026-11-22 01:00:11 10.0.0.1 200\n"
        "#Fields: time date cs-uri-stem sc-win32-status X-Forwarded-For\n01:00:12 2026-11-22 /a 2148074254 192.0.2.7\n"
    )
    first, second = scanned(tmp_path, "w3c_iis", text)
    assert first == {
        "timestamp": at(2026, 11, 22, 1, 0, 11), "date": date(2026, 11, 22), "time": "01:00:11", "s_ip": "10.0.0.1",
        "sc_status": 200,
    }  # fmt: skip
    assert second["timestamp"] == at(2026, 11, 22, 1, 0, 12)
    assert (second["sc_win32_status"], second["x_forwarded_for"]) == (2148074254, "192.0.2.7")


def test_vpc_flow_of_version_10(tmp_path: Path) -> None:
    text = "version resource-id encryption-status reject-reason\n10 nat-1 1 BPA\n10 - - -\n"
    first, second = scanned(tmp_path, "aws_vpc_flow", text)
    assert first == {"version": 10, "resource_id": "nat-1", "encryption_status": 1, "reject_reason": "BPA"}
    assert second == {"version": 10}


def test_iis_header_with_trailing_blank_and_another_spelling_of_the_referer(tmp_path: Path) -> None:
    text = "#Fields: time cs(Referrer) sc-status \n01:00:11 http://a.example/ 200\n"
    assert scanned(tmp_path, "w3c_iis", text) == [
        {"time": "01:00:11", "cs_referer": "http://a.example/", "sc_status": 200}
    ]


def test_headers_are_written_as_the_provider_writes_them(tmp_path: Path) -> None:
    rows = pyspark_logs.scan(
        _file(tmp_path, "w3c_iis"), preset="w3c_iis", schema="timestamp timestamp, cs_user_agent string"
    )
    pyspark_logs.write(rows, str(tmp_path / "out"), preset="w3c_iis", compression="none")
    (written,) = list((tmp_path / "out").glob("*.log"))
    assert "#Fields: date time cs(User-Agent)\n" in written.read_text()
    # A timestamp can be written together with its date and time of day.
    table = pyspark_logs.scan(_file(tmp_path, "w3c_iis"), preset="w3c_iis").read_all()
    pyspark_logs.write(table.to_batches(), str(tmp_path / "all"), preset="w3c_iis", schema=table.schema)
    assert pyspark_logs.scan(str(tmp_path / "all"), preset="w3c_iis").read_all().to_pylist() == table.to_pylist()


def _file(folder: Path, preset: str) -> str:
    path = folder / "sample.log"
    path.write_text("\n".join(PRESETS[preset].sample), encoding="utf-8")
    return str(path)


# --- JSON ---


def test_cloudtrail_file_is_a_document(tmp_path: Path) -> None:
    events = [
        {
            "eventTime": f"2026-11-22T01:00:{second:02}Z",
            "eventName": "StartInstances",
            "requestParameters": {"n": second},
        }
        for second in range(3)
    ]
    found = scanned(tmp_path, "aws_cloudtrail", json.dumps({"Records": events}, indent=1))
    assert [one["eventTime"] for one in found] == [at(2026, 11, 22, 1, 0, second) for second in range(3)]
    assert [json.loads(one["requestParameters"]) for one in found] == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_cloudtrail_identity_of_the_caller(tmp_path: Path) -> None:
    who = {
        "type": "AssumedRole",
        "sessionContext": {
            "webIdFederationData": {"federatedProvider": "accounts.example", "attributes": {"aud": "x"}},
            "sourceIdentity": "ana",
        },
        "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::1:identitystore/d-1"},
    }
    text = json.dumps({"Records": [{"userIdentity": who, "eventContext": {"tagContext": {}}}]})
    (found,) = scanned(tmp_path, "aws_cloudtrail", text)
    session = found["userIdentity"]["sessionContext"]
    assert dict(session["webIdFederationData"]["attributes"]) == {"aud": "x"}
    assert (session["sourceIdentity"], session["assumedRoot"]) == ("ana", None)
    assert found["userIdentity"]["onBehalfOf"]["userId"] == "u-1"
    assert found["eventContext"] == '{"tagContext":{}}'


def test_route53_query_through_an_endpoint(tmp_path: Path) -> None:
    text = (
        '{"query_name":"example.com.","srcids":{"resolver_endpoint":"rslvr-in-1","resolver_network_interface":"rni-1"}}'
    )
    (found,) = scanned(tmp_path, "aws_route53_resolver", text)
    expected = {"instance": None, "resolver_endpoint": "rslvr-in-1", "resolver_network_interface": "rni-1"}
    assert found["srcids"] == expected


def test_schema_may_name_further_keys_of_waf(tmp_path: Path) -> None:
    schema = "action string, newKey bigint, rest map<string,string>"
    text = '{"timestamp":1683355579981,"action":"BLOCK","newKey":7,"other":{"a":1}}\n'
    rows = scanned(tmp_path, "aws_waf", text, schema=schema, rescuedDataColumn="rest")
    assert rows[0]["action"] == "BLOCK"
    assert rows[0]["newKey"] == 7
    assert dict(rows[0]["rest"])["other"] == '{"a":1}'


@pytest.mark.parametrize(
    ("preset", "option", "value"),
    [
        ("aws_waf", "nullValue", "x"),
        ("aws_waf", "allowTrailing", "true"),
        ("aws_cloudfront", "escape", "backslash"),
        ("log4j", "rescuedDataColumn", "rest"),
        ("aws_cloudtrail", "commentPrefix", "#"),
    ],
)
def test_options_without_effect_are_errors(tmp_path: Path, preset: str, option: str, value: str) -> None:
    with pytest.raises(FormatError, match=f"option '{option}'"):
        pyspark_logs.scan(_file(tmp_path, preset), preset=preset, **{option: value}).read_all()


def test_transit_gateway_flow_logs(tmp_path: Path) -> None:
    text = (
        "version resource-type account-id tgw-id tgw-src-vpc-id tgw-pair-attachment-id start packets-lost-no-route"
        " packets-lost-ttl-expired\n6 TransitGateway 123456789012 tgw-1 - tgw-attach-2 1418530010 3 5000000000\n"
    )
    assert scanned(tmp_path, "aws_vpc_flow", text) == [
        {
            "version": 6, "resource_type": "TransitGateway", "account_id": "123456789012", "tgw_id": "tgw-1",
            "tgw_pair_attachment_id": "tgw-attach-2", "start": at(2014, 12, 14, 4, 6, 50), "packets_lost_no_route": 3,
            "packets_lost_ttl_expired": 5000000000,
        }
    ]  # fmt: skip


def test_requester_with_a_line_end_does_not_make_two_records(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("\n".join(PRESETS["aws_s3_access"].sample) + "\n")
    row = pyspark_logs.scan(tmp_path / "a.log", preset="aws_s3_access").read_all()
    index = row.schema.get_field_index("requester")
    for text in ("line\nend", "line\rend"):
        bad = row.set_column(index, "requester", pa.array([text]))
        with pytest.raises(RecordError, match=r"column 'requester': .*line end"):
            pyspark_logs.write(bad.to_batches(), str(tmp_path / "out"), preset="aws_s3_access", schema=bad.schema)


@pytest.mark.parametrize(
    ("status", "expected"),
    [('"TransformSuccess"', "TransformSuccess"), ("TransformSuccess", "TransformSuccess"), ('"-"', None)],
)
def test_alb_transform_status_with_and_without_quotes(status: str, expected: str | None) -> None:
    line = f'{PRESETS["aws_alb"].sample[0]} "a.example.com" "/new" {status}'
    assert row("aws_alb", line).get("request_transform_status") == expected
