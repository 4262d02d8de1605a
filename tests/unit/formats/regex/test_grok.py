"""The format ``grok``: references, types, definitions, and the pattern library."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.regex.grok_library import grok_library
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from tests.support import grok_examples as lines
from tests.support.decoding import DecodedText
from tests.support.formats import compile_decoder, line_format
from tests.support.growth import assert_linear_time


def options(spec: str, own: str | None = None, **more: Any) -> FormatOptions:
    return FormatOptions("grok", spec, grok_patterns=own, **more)


def read(spec: str, data: str, own: str | None = None, schema: pa.Schema | None = None, **more: Any) -> DecodedText:
    return DecodedText(options(spec, own, **more), data.encode(), schema)


def row(spec: str, line: str, own: str | None = None) -> dict[str, Any] | None:
    """Returns the values of a line that are not null; None if the line does not match."""
    found = read(spec, line + "\n", own)
    assert len(found.rows) == 1
    return None if found.corrupt[0] else {name: value for name, value in found.rows[0].items() if value is not None}


def matches(name: str, text: str) -> bool:
    decoder = compile_decoder(options(f"^%{{{name}:whole}}$"), pa.schema([("whole", pa.string())]))
    return not decoder.line_parser.parse(text, TimestampContext()).reason


# --- syntax ---


def test_each_name_is_a_column_with_an_optional_type() -> None:
    spec = (
        "%{WORD:verb} %{URIPATH:path} took %{NUMBER:ms:float} %{INT:n:int} %{INT:big:long} %{WORD:ok:boolean}%{SPACE}"
    )
    assert line_format(options(spec)).schema() == pa.schema([
        ("verb", pa.string()), ("path", pa.string()), ("ms", pa.float64()), ("n", pa.int32()), ("big", pa.int64()),
        ("ok", pa.bool_()),
    ])  # fmt: skip
    assert row(spec, "x GET /a took 1.5 -3 5000000000 true") == {
        "verb": "GET", "path": "/a", "ms": 1.5, "n": -3, "big": 5_000_000_000, "ok": True,
    }  # fmt: skip


def test_the_pattern_is_searched_for_in_the_line() -> None:
    assert row("%{IP:ip}", "from 192.0.2.1 to") == {"ip": "192.0.2.1"}
    assert row("^%{IP:ip}", "from 192.0.2.1 to") is None


def test_named_groups_are_columns_and_others_are_not() -> None:
    assert row(r"(?<id>[a-f]\d+) (\w+) (?<[http][version]>1.\d) (?'q'x)", "a17 b 1.1 x") == {
        "id": "a17", "http.version": "1.1", "q": "x",
    }  # fmt: skip


def test_names_in_brackets_are_dotted() -> None:
    assert row("%{INT:[http][response][status_code]:int} %{WORD:@tag}", "200 x") == {
        "http.response.status_code": 200, "@tag": "x",
    }  # fmt: skip


def test_a_name_in_several_alternatives_is_one_column() -> None:
    spec = r"^(?:\[%{HTTPDATE:time}\]|%{TIMESTAMP_ISO8601:time}) %{GREEDYDATA:text}"
    assert row(spec, "[02/Jan/2006:15:04:05 +0100] a") == {"time": "02/Jan/2006:15:04:05 +0100", "text": "a"}
    assert row(spec, "2006-01-02T15:04:05Z a") == {"time": "2006-01-02T15:04:05Z", "text": "a"}
    assert row("%{WORD:a} %{WORD:a}", "x y") == {"a": "x"}
    assert row("^(?:%{INT:n:int}|%{WORD:n})$", "17") == {"n": 17}


def test_a_group_that_matches_the_empty_string_is_null() -> None:
    assert row(r"^\[%{DATA:a}\](?: %{WORD:b})?$", "[]") == {}


def test_an_invalid_value_makes_the_row_corrupt() -> None:
    found = read(r"%{WORD:a} %{NOTSPACE:n:int}", "x 1\nx y\nx -\n")
    assert found.rows == [{"a": "x", "n": 1}, {"a": "x", "n": None}, {"a": "x", "n": None}]
    assert found.corrupt == [False, True, False]
    assert found.reasons[1] == "field 'n': 'y': not a whole number"


def test_definitions_override_the_library_everywhere() -> None:
    own = "# queue ids of postfix\nQUEUEID [0-9A-F]{10,11}\n\nHAPROXYCAPTUREDREQUESTHEADERS %{DATA:host}\\|%{DATA:agent}\n"
    assert row("%{QUEUEID:id}: %{GREEDYDATA}", "x BEF25A72965: y", own) == {"id": "BEF25A72965"}
    found = row("%{HAPROXYHTTPBASE}", lines.HAPROXY_BASE.replace("{1wt.eu}", "{1wt.eu|curl}"), own)
    assert found is not None
    assert (found["host"], found["agent"]) == ("1wt.eu", "curl")


def test_alternatives_of_a_pattern_do_not_extend_beyond_it() -> None:
    assert row("^a%{X:x}c$", "abc", "X b|d") == {"x": "b"}
    assert row("^a%{X}(?<c>c)$", "ad", "X b|d") is None


@pytest.mark.parametrize(
    ("spec", "line", "expected"),
    [
        (r"^(?<h>\h+) (?<t>.)\Z", "0Af x", {"h": "0Af", "t": "x"}),
        (r"^(?<h>[\h:]+)$", "0A:f", {"h": "0A:f"}),
        (r"(?<h>\H)(?#a comment)\d", "f9 x1", {"h": "x"}),
        (r"(?i)^(?<a>abc)(?-i:D)$", "ABCD", {"a": "ABC"}),
        (r"(?m)^(?<a>a.*)", "ab", {"a": "ab"}),
        (r"(?<a>a{,2})b", "xaab", {"a": "aa"}),
        (r"(?<a>\_\-\/\ \")", 'x_-/ "', {"a": '_-/ "'}),
        (r"%{WORD:a}\{%{INT:n}\}", "b{3}", {"a": "b", "n": "3"}),
        (r"(?<a>\R?x)", "x", {"a": "x"}),
        (r"100% %{WORD:a}", "100% b", {"a": "b"}),
    ],
)  # fmt: skip
def test_oniguruma_syntax_is_rewritten(spec: str, line: str, expected: dict[str, str]) -> None:
    assert row(spec, line) == expected


@pytest.mark.parametrize(
    ("spec", "line", "expected"),
    [
        ("%{GREEDYDATA:a}%{NUMBER:n}ms", "took 123ms", {"a": "took ", "n": "123"}),
        (".*%{NUMBER:n}ms", "took -12.5ms", {"n": "-12.5"}),
        (".*%{NUMBER:n}", "12", {"n": "12"}),
        (".+%{NUMBER:n}", "a12", {"n": "12"}),
        ("%{GREEDYDATA}%{IPV4:ip}", "x 192.0.2.1", {"ip": "192.0.2.1"}),
        ("%{GREEDYDATA}%{BASE16NUM:n}$", "x ffee", {"n": "ffee"}),
        ("%{GREEDYDATA:a}%{INT:n}$", "took 123", {"a": "took 12", "n": "3"}),  # as in Logstash, too
        ("%{DATA:a}%{NUMBER:n}", "took 123", {"a": "took ", "n": "123"}),
        (".*(?:%{NUMBER:n}|--)$", "a --", {}),
    ],
)  # fmt: skip
def test_numbers_are_whole_after_greedy_text(spec: str, line: str, expected: dict[str, str]) -> None:
    assert row(spec, line) == expected


def test_a_record_of_several_lines_is_matched_as_a_whole() -> None:
    spec = "^%{TIMESTAMP_ISO8601:at} %{LOGLEVEL:level} %{GREEDYDATA:text}"
    decoder = compile_decoder(options(spec, multi_line="true"), line_format(options(spec)).schema())
    record = "2026-11-22T01:00:11Z ERROR boom\n  at x\n  at y"
    assert decoder.line_parser.parse(record, TimestampContext()).values == [
        "2026-11-22T01:00:11Z",
        "ERROR",
        "boom\n  at x\n  at y",
    ]


# --- errors ---


@pytest.mark.parametrize(
    ("spec", "definitions", "message"),
    [
        ("%{WORD:a} (?=x)", None, "grok: look-ahead at character 11:"),
        ("%{WORD:a}%{B}", "A x\nB a(?<!y)b", "grokPatterns, B: negative look-behind at character 2:"),
        (r"(?<a>x)\k<a>", None, r"grok: back-reference at character 8:"),
        (r"(?<a>x)\12", None, r"grok: back-reference at character 8:"),
        ("%{B:a}", "B (?>x)", "grokPatterns, B: atomic group at character 1:"),
        ("%{WORD:a}x*+", None, "grok: possessive quantifier at character 11:"),
        ("(?x) %{WORD:a}", None, "grok: extended syntax (?x) at character 1:"),
        ("%{WORD:a}[a[b]]", None, "grok: character class within a class at character 12:"),
        ("%{WORD:a}[a&&b]", None, "grok: intersection of classes (&&) at character 12:"),
        (r"%{WORD:a}\g<b>", None, "grok: subroutine call at character 10:"),
        ("%{WORD:a}(", None, "grok: '(' at character 10: the group is not closed"),
        ("(%{B:a}", "B x)", "grokPatterns, B: ')' at character 2: no group is open"),
        ("%{WROD:a}", None, "grok: unknown pattern 'WROD' at character 1: did you mean WORD?"),
        ("%{WORD:a} %{ZZZZZZZZ}", None, "unknown pattern 'ZZZZZZZZ' at character 11: define it in grokPatterns"),
        ("%{WORD:a:whole}", None, "unknown type 'whole' at character 1: known are string, int, long"),
        ("%{WORD:}", None, "column '' at character 1"),
        ("%{WORD:a b}", None, "column 'a b' at character 1"),
        ("%{WORD a}", None, "'%{WORD a}' at character 1: write %{PATTERN}"),
        ("x %{WORD:a", None, "'%{' at character 3: it is not closed by '}'"),
        ("%{WORD} x", None, "names no column"),
        ("%{WORD:a} %{WORD:A}", None, "'a' and 'A' are one column"),
        ("%{INT:a:int} %{INT:a:long}", None, "column 'a' is named with two types"),
        ("%{A:a}", "A x%{B}\nB y%{A}", "grokPatterns, B: pattern 'A' at character 2: it refers to itself: A -> B -> A"),
        ("%{NUMBER:a}", "NUMBER %{NUMBER}", "it refers to itself: NUMBER -> NUMBER"),
        ("%{A:a}", "A x\nA y", "grokPatterns, line 2: A is defined twice"),
        ("%{A:a}", "A", "grokPatterns, line 1: 'A' is not 'NAME pattern'"),
        (r"%{WORD:a}\y", None, "RE2 refuses it: invalid escape sequence"),
        ("%{E:a}", "A x%{WORD}y\n" + "\n".join(f"{b} " + f"%{{{a}}}" * 40 for a, b in ("AB", "BC", "CD", "DE")), "too long"),
    ],
)  # fmt: skip
def test_invalid_patterns_are_errors_with_name_and_position(spec: str, definitions: str | None, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        line_format(options(spec, definitions))
    assert message in str(caught.value)


def test_an_unused_definition_is_not_parsed() -> None:
    assert row("%{WORD:a}", "x", "UNUSED (?<=a)b") == {"a": "x"}


def test_writing_is_an_error() -> None:
    with pytest.raises(FormatError, match=r"grok '%\{WORD:a\}' can be read only"):
        line_format(options("%{WORD:a}")).writer(
            pa.schema([("a", pa.string())]), zone="UTC", unencodable=None, forbidden_prefixes=()
        )


# --- the library ---


def test_every_pattern_has_examples() -> None:
    assert lines.without_examples() == []
    assert all(good and bad for good, bad in map(lines.examples, grok_library()))


@pytest.mark.parametrize("name", grok_library())
def test_a_pattern_matches_its_examples_and_not_its_counterexamples(name: str) -> None:
    good, bad = lines.examples(name)
    assert [text for text in good if not matches(name, text)] == []
    assert [text for text in bad if matches(name, text)] == []


@pytest.mark.parametrize(
    ("spec", "line", "expected"),
    [
        ("%{COMBINEDAPACHELOG}", lines.COMBINED, {
            "clientip": "192.0.2.7", "ident": "-", "auth": "frank", "timestamp": "10/Oct/2000:13:55:36 -0700",
            "verb": "GET", "request": "/apache_pb.gif", "httpversion": "1.0", "response": "200", "bytes": "2326",
            "referrer": '"http://www.example.com/start.html"', "agent": '"Mozilla/4.08 [en] (Win98; I ;Nav)"'}),
        ("%{HTTPD_COMMONLOG}", '::1 - jane@example.com [10/Oct/2000:13:55:36 -0700] "\\x16\\x03" 400 -', {
            "clientip": "::1", "ident": "-", "auth": "jane@example.com", "timestamp": "10/Oct/2000:13:55:36 -0700",
            "rawrequest": "\\x16\\x03", "response": "400"}),
        ("%{ECS_COMBINEDAPACHELOG}", lines.COMBINED.replace("frank", "-"), {
            "source.address": "192.0.2.7", "timestamp": "10/Oct/2000:13:55:36 -0700",
            "http.request.method": "GET", "url.original": "/apache_pb.gif", "http.version": "1.0",
            "http.response.status_code": 200, "http.response.body.bytes": 2326,
            "http.request.referrer": "http://www.example.com/start.html",
            "user_agent.original": "Mozilla/4.08 [en] (Win98; I ;Nav)"}),
        ("%{HTTPD_ERRORLOG}", lines.ERROR_20, {
            "timestamp": "Wed Oct 11 14:32:52 2000", "loglevel": "error", "clientip": "127.0.0.1",
            "message": "client denied by server configuration: /export/home"}),
        ("%{HTTPD_ERRORLOG}", lines.ERROR_24, {
            "timestamp": "Fri Sep 09 10:42:29.902022 2011", "module": "core", "loglevel": "error", "pid": "35708",
            "tid": "4328636416", "clientip": "72.15.99.187", "clientport": "4711", "errorcode": "AH00128",
            "message": "File does not exist: /usr/local/apache2/htdocs/favicon.ico"}),
        ("%{HTTPD_ERRORLOG}", "[Tue Apr 14 14:27:52.605084 2020] [:error] [pid 5688] [client 192.0.2.110:8196] script 'x' not found", {
            "timestamp": "Tue Apr 14 14:27:52.605084 2020", "loglevel": "error", "pid": "5688",
            "clientip": "192.0.2.110", "clientport": "8196", "message": "script 'x' not found"}),
        ("%{ECS_HTTPD_ERRORLOG}", lines.ERROR_24, {
            "timestamp": "Fri Sep 09 10:42:29.902022 2011", "apache.error.module": "core", "log.level": "error",
            "process.pid": 35708, "process.thread.id": 4328636416, "source.address": "72.15.99.187", "source.port": 4711,
            "error.code": "AH00128", "message": "File does not exist: /usr/local/apache2/htdocs/favicon.ico"}),
        ("%{S3_ACCESS_LOG}", lines.S3, {
            "owner": "79a59df900b949e5", "bucket": "DOC-EXAMPLE-BUCKET1", "timestamp": "06/Feb/2019:00:00:38 +0000",
            "clientip": "192.0.2.3", "requester": "79a59df900b949e5", "request_id": "3E57427F3EXAMPLE",
            "operation": "REST.GET.VERSIONING", "key": "-", "verb": "GET", "request": "/DOC-EXAMPLE-BUCKET1?versioning",
            "httpversion": "1.1", "response": 200, "bytes": 113, "request_time_ms": 7, "referrer": '"-"',
            "agent": '"S3Console/0.4"'}),
        ("%{ECS_S3_ACCESS_LOG}", lines.S3, {
            "aws.s3access.bucket_owner": "79a59df900b949e5", "aws.s3access.bucket": "DOC-EXAMPLE-BUCKET1",
            "timestamp": "06/Feb/2019:00:00:38 +0000", "client.ip": "192.0.2.3", "client.user.id": "79a59df900b949e5",
            "aws.s3access.request_id": "3E57427F3EXAMPLE", "aws.s3access.operation": "REST.GET.VERSIONING",
            "aws.s3access.request_uri": "GET /DOC-EXAMPLE-BUCKET1?versioning HTTP/1.1", "http.request.method": "GET",
            "url.original": "/DOC-EXAMPLE-BUCKET1?versioning", "http.version": "1.1", "http.response.status_code": 200,
            "aws.s3access.bytes_sent": 113, "event.duration": 7, "user_agent.original": "S3Console/0.4"}),
        ("%{ELB_ACCESS_LOG}", lines.ELB, {
            "timestamp": "2015-05-13T23:39:43.945958Z", "elb": "my-loadbalancer", "clientip": "192.168.131.39",
            "clientport": 2817, "backendip": "10.0.0.1", "backendport": 80, "request_processing_time": 0.000073,
            "backend_processing_time": 0.001048, "response_processing_time": 0.000057, "response": 200,
            "backend_response": 200, "received_bytes": 0, "bytes": 29, "verb": "GET",
            "request": "http://www.example.com:80/a/b?c=d", "proto": "http", "urihost": "www.example.com:80",
            "port": "80", "path": "/a/b", "params": "?c=d", "httpversion": "1.1"}),
        ("%{ELB_ACCESS_LOG}", '2015-04-10T08:11:09.865823Z lb 192.0.2.133:55128 - -1 -1 -1 408 - 1294336 0 "PUT https://x.example:443/v HTTP/1.1"', {
            "timestamp": "2015-04-10T08:11:09.865823Z", "elb": "lb", "clientip": "192.0.2.133", "clientport": 55128,
            "request_processing_time": -1.0, "backend_processing_time": -1.0, "response_processing_time": -1.0,
            "response": 408, "received_bytes": 1294336, "bytes": 0, "verb": "PUT", "request": "https://x.example:443/v",
            "proto": "https", "urihost": "x.example:443", "port": "443", "path": "/v", "httpversion": "1.1"}),
        ("%{ECS_ELB_ACCESS_LOG}", lines.ELB + ' "curl/7.38.0" DHE-RSA-AES128-SHA TLSv1.2', {
            "timestamp": "2015-05-13T23:39:43.945958Z", "aws.elb.name": "my-loadbalancer", "source.ip": "192.168.131.39",
            "source.port": 2817, "aws.elb.backend.ip": "10.0.0.1", "aws.elb.backend.port": 80,
            "aws.elb.request_processing_time.sec": 0.000073, "aws.elb.backend_processing_time.sec": 0.001048,
            "aws.elb.response_processing_time.sec": 0.000057, "http.response.status_code": 200,
            "aws.elb.backend.http.response.status_code": 200, "http.request.body.bytes": 0,
            "http.response.body.bytes": 29, "http.request.method": "GET",
            "url.original": "http://www.example.com:80/a/b?c=d", "url.scheme": "http", "url.domain": "www.example.com",
            "url.port": 80, "url.path": "/a/b", "url.query": "c=d", "http.version": "1.1",
            "user_agent.original": "curl/7.38.0", "tls.cipher": "DHE-RSA-AES128-SHA", "aws.elb.ssl_protocol": "TLSv1.2"}),
        ("%{CLOUDFRONT_ACCESS_LOG}", lines.CLOUDFRONT, {
            "timestamp": "2019-12-04\t21:02:31", "x_edge_location": "LAX1", "sc_bytes": 392, "clientip": "192.0.2.100",
            "cs_method": "GET", "cs_host": "d111111abcdef8.cloudfront.net", "cs_uri_stem": "/index.html", "sc_status": 200,
            "referrer": "-", "agent": "Mozilla/5.0%20(Windows)", "cs_uri_query": "a=b", "cookies": "-",
            "x_edge_result_type": "Hit", "x_edge_request_id": "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==",
            "x_host_header": "d111111abcdef8.cloudfront.net", "cs_protocol": "https", "cs_bytes": 23, "time_taken": 0.001,
            "x_forwarded_for": "-", "ssl_protocol": "TLSv1.2", "ssl_cipher": "ECDHE-RSA-AES128-GCM-SHA256",
            "x_edge_response_result_type": "Hit"}),
        ("%{HAPROXYHTTP}", lines.HAPROXY, {
            "syslog_timestamp": "Feb  6 12:14:14", "syslog_server": "localhost", "program": "haproxy", "pid": "14389",
            "client_ip": "10.0.1.2", "client_port": "33317", "accept_date": "06/Feb/2009:12:14:14.655",
            "haproxy_monthday": "06", "haproxy_month": "Feb", "haproxy_year": "2009", "haproxy_time": "12:14:14",
            "haproxy_hour": "12", "haproxy_minute": "14", "haproxy_second": "14", "haproxy_milliseconds": "655",
            "frontend_name": "http-in", "backend_name": "static", "server_name": "srv1", "time_request": "10",
            "time_queue": "0", "time_backend_connect": "30", "time_backend_response": "69", "time_duration": "109",
            "http_status_code": "200", "bytes_read": "2750", "captured_request_cookie": "-",
            "captured_response_cookie": "-", "termination_state": "----", "actconn": "1", "feconn": "1", "beconn": "1",
            "srvconn": "1", "retries": "0", "srv_queue": "0", "backend_queue": "0", "captured_request_headers": "1wt.eu",
            "http_verb": "GET", "http_request": "/index.html", "http_version": "1.1"}),
        ("%{ECS_HAPROXYHTTPBASE}", lines.HAPROXY_BASE.replace("GET /index.html HTTP/1.1", "<BADREQ>").replace("static/srv1 10/0/30/69", "http-in/<NOSRV> -1/-1/-1/-1"), {
            "source.address": "10.0.1.2", "source.port": 33317, "haproxy.request_date": "06/Feb/2009:12:14:14.655",
            "haproxy.frontend_name": "http-in", "haproxy.backend_name": "http-in", "haproxy.total_time_ms": "109",
            "http.response.status_code": 200, "haproxy.bytes_read": 2750, "haproxy.termination_state": "----",
            "haproxy.connections.active": 1, "haproxy.connections.frontend": 1, "haproxy.connections.backend": 1,
            "haproxy.connections.server": 1, "haproxy.connections.retries": 0, "haproxy.server_queue": 0,
            "haproxy.backend_queue": 0, "haproxy.http.request.captured_headers": "1wt.eu"}),
        ("%{HAPROXYTCP}", lines.HAPROXY_TCP, {
            "syslog_timestamp": "Feb  6 12:12:56", "syslog_server": "localhost", "program": "haproxy", "pid": "14387",
            "client_ip": "10.0.1.2", "client_port": "33313", "accept_date": "06/Feb/2009:12:12:51.443",
            "haproxy_monthday": "06", "haproxy_month": "Feb", "haproxy_year": "2009", "haproxy_time": "12:12:51",
            "haproxy_hour": "12", "haproxy_minute": "12", "haproxy_second": "51", "haproxy_milliseconds": "443",
            "frontend_name": "fnt", "backend_name": "bck", "server_name": "srv1", "time_queue": "0",
            "time_backend_connect": "0", "time_duration": "5007", "bytes_read": "212", "termination_state": "--",
            "actconn": "0", "feconn": "0", "beconn": "0", "srvconn": "0", "retries": "3", "srv_queue": "0",
            "backend_queue": "0"}),
        ("%{SQUID3}", lines.SQUID, {
            "timestamp": "1286536309.586", "duration": "921", "client_address": "192.168.0.68", "cache_result": "TCP_MISS",
            "status_code": "200", "bytes": "507", "request_method": "POST", "url": "http://rcv-srv37.inplay.example/rcv",
            "user": "inge", "hierarchy_code": "HIER_DIRECT", "server": "192.0.2.61", "content_type": "application/xml"}),
        ("%{SYSLOGLINE}", lines.SYSLOG, {
            "timestamp": "Oct 11 22:14:15", "logsource": "mymachine", "program": "su", "pid": "230",
            "message": "'su root' failed for lonvick on /dev/pts/8"}),
        ("%{SYSLOGLINE}", "<14>Jun 24 10:32:02 win-host WinFileService Event: read, Path: /x", {
            "timestamp": "Jun 24 10:32:02", "logsource": "win-host", "message": "WinFileService Event: read, Path: /x"}),
        ("%{ECS_SYSLOGLINE}", "Jan 11 22:33:44 su: 'su root' failed", {
            "timestamp": "Jan 11 22:33:44", "process.name": "su", "message": "'su root' failed"}),
        ("%{SYSLOGPAMSESSION}", lines.PAM, {
            "timestamp": "Oct 11 22:14:15", "logsource": "mymachine", "program": "sshd", "pid": "230",
            "message": "pam_unix(sshd:session): session opened for user root by (uid=0)", "pam_module": "pam_unix",
            "pam_caller": "sshd:session", "pam_session_state": "opened", "username": "root", "pam_by": "(uid=0)"}),
        ("%{CRONLOG}", lines.CRON, {
            "timestamp": "Oct 11 22:17:01", "logsource": "mymachine", "program": "CRON", "pid": "231", "user": "root",
            "action": "CMD", "message": "   cd / && run-parts /etc/cron.hourly"}),
        ("%{SYSLOG5424LINE}", lines.SYSLOG_5424, {
            "syslog5424_pri": "165", "syslog5424_ver": "1", "syslog5424_ts": "2003-10-11T22:14:15.003Z",
            "syslog5424_host": "mymachine.example.com", "syslog5424_app": "evntslog", "syslog5424_proc": "8710",
            "syslog5424_msgid": "ID47", "syslog5424_sd": '[exampleSDID@32473 iut="3"]', "syslog5424_msg": "An event"}),
        ("%{SYSLOG5424LINE}", "<174>1 1995-04-12T23:20:50.52Z 2000:6a0:b:315:10:23:4:13 named 2255 - -  info: client", {
            "syslog5424_pri": "174", "syslog5424_ver": "1", "syslog5424_ts": "1995-04-12T23:20:50.52Z",
            "syslog5424_host": "2000:6a0:b:315:10:23:4:13", "syslog5424_app": "named", "syslog5424_proc": "2255",
            "syslog5424_msg": "info: client"}),
        ("%{SYSLOG5424LINE}", '<34>1 2012-12-19T01:45:54Z rufus - - - [a@1 b="3"][c@1 d="high"] [down]', {
            "syslog5424_pri": "34", "syslog5424_ver": "1", "syslog5424_ts": "2012-12-19T01:45:54Z",
            "syslog5424_host": "rufus", "syslog5424_sd": '[a@1 b="3"][c@1 d="high"]', "syslog5424_msg": "[down]"}),
        ("%{JAVASTACKTRACEPART}", lines.TRACE, {
            "class": "org.example.Main$Inner", "method": "run", "file": "Main.java", "line": "42"}),
        ("%{CATALINALOG}", lines.CATALINA, {
            "timestamp": "Jan 9, 2014 7:13:13 AM", "class": "org.apache.catalina.startup.HostConfig",
            "logmessage": "deployWAR INFO: Deploying"}),
        ("%{TOMCATLOG}", lines.TOMCAT, {
            "timestamp": "2014-01-09 20:03:28,269 -0800", "level": "ERROR", "class": "com.example.service.ExampleService",
            "logmessage": "something went wrong"}),
        ("%{ECS_CATALINALOG}", lines.CATALINA_8, {
            "timestamp": "31-Jul-2020 16:40:38.505", "log.level": "INFO", "java.log.origin.thread.name": "main",
            "java.log.origin.class.name": "org.apache.catalina.startup.HostConfig", "log.origin.function": "deployDirectory",
            "message": "Deployment took [40] ms"}),
        ("%{REDISLOG}", "[4018] 14 Nov 07:01:22.119 * Background saving terminated with success", {
            "pid": "4018", "timestamp": "14 Nov 07:01:22.119"}),
        ("%{REDISMONLOG}", lines.REDIS_MONITOR, {
            "timestamp": "1339518083.107412", "database": "0", "client": "127.0.0.1", "port": "60866", "command": "keys",
            "params": '"*"'}),
        ("%{MONGO_LOG}", lines.MONGO, {
            "timestamp": "Nov  6 21:18:54", "component": "conn12", "message": "end connection 10.0.0.7:51024"}),
        ("%{MONGO_SLOWQUERY}", lines.MONGO_SLOW, {
            "database": "test", "collection": "users", "query": "{ age: { $gt: 3.0 } }", "ntoreturn": "10",
            "ntoskip": "0", "nscanned": "30", "nreturned": "10", "duration": "120"}),
        ("%{ECS_MONGO_SLOWQUERY}", lines.MONGO_SLOW, {
            "mongodb.profile.op": "query", "mongodb.database": "test", "mongodb.collection": "users",
            "mongodb.query.original": "{ age: { $gt: 3.0 } }", "mongodb.profile.ntoreturn": 10,
            "mongodb.profile.ntoskip": 0, "mongodb.profile.nscanned": 30, "mongodb.profile.nreturned": 10,
            "mongodb.profile.duration": 120}),
        ("%{MONGO3_LOG}", lines.MONGO_3, {
            "timestamp": "2014-11-03T18:28:32.450-0500", "severity": "I", "component": "NETWORK",
            "context": "initandlisten", "message": "waiting for connections on port 27017"}),
        ("%{BIND9}", lines.BIND, {
            "timestamp": "17-Feb-2018 23:06:56.326", "loglevel": "info", "clientip": "172.26.0.1", "clientport": "12345",
            "query": "test.example.com", "querytype": "A +E(0)K", "dns": "172.26.0.3"}),
        ("%{ECS_BIND9}", lines.BIND, {
            "timestamp": "17-Feb-2018 23:06:56.326", "log.level": "info", "client.ip": "172.26.0.1", "client.port": 12345,
            "bind.log.question.name": "test.example.com", "dns.question.name": "test.example.com",
            "dns.question.class": "IN", "dns.question.type": "A", "bind.log.question.flags": "+E(0)K",
            "server.ip": "172.26.0.3"}),
    ],
)  # fmt: skip
def test_columns_of_server_logs(spec: str, line: str, expected: dict[str, Any]) -> None:
    assert row(spec, line) == expected


def test_lines_that_almost_match_are_corrupt() -> None:
    found = read("%{COMBINEDAPACHELOG}", lines.COMBINED + "\n" + lines.COMBINED.replace("Oct", "Oot") + "\n")
    assert found.corrupt == [False, True]
    assert set(found.rows[1].values()) == {None}


def test_records_of_several_lines_in_a_tomcat_log() -> None:
    record = "Jul 31, 2020 4:40:20 PM org.apache.catalina.core.ApplicationContext log\nINFO: contextDestroyed()\n\tat x"
    form = line_format(options("%{ECS_CATALINALOG}", multi_line="true"))
    decoder = compile_decoder(form.options, form.schema())
    values = dict(zip(form.schema().names, decoder.line_parser.parse(record, TimestampContext()).values, strict=True))
    assert values["log.level"] == "INFO"
    assert values["message"] == "contextDestroyed()\n\tat x"


@pytest.mark.parametrize("spec", ["%{COMBINEDAPACHELOG}", "%{SYSLOGLINE}", "%{URI:u} %{IPV6:i}$", "%{HAPROXYHTTP}"])
@pytest.mark.parametrize("char", ["a", '"', "[", "\\", ":", "1.", "/a"])
def test_hostile_lines_take_linear_time(spec: str, char: str) -> None:
    assert_linear_time(lambda size: read(spec, f"192.0.2.7 - - {char * (size // len(char))}\n"), 400_000)
