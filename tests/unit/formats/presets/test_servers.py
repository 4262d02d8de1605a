"""Lines of proxies, databases, logging libraries and container runtimes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest

from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines
from tests.support.formats import compile_decoder
from tests.support.preset_lines import at, is_corrupt, row

# --- HAProxy ---

HTTP = (
    "Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1"
    ' 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"'
)
CLEAN = {
    "client_ip": "10.0.1.2", "client_port": 33317, "accept_date": at(2009, 2, 6, 12, 14, 14, 655000),
    "frontend_name": "http-in", "backend_name": "static", "server_name": "srv1", "time_request": 10, "time_queue": 0,
    "time_backend_connect": 30, "time_backend_response": 69, "time_duration": 109, "status_code": 200,
    "bytes_read": 2750, "termination_state": "----", "actconn": 1, "feconn": 1, "beconn": 1, "srv_conn": 1, "retries": 0,
    "srv_queue": 0, "backend_queue": 0, "http_request": "GET /index.html HTTP/1.1",
}  # fmt: skip
SYSLOG = {"syslog_header": "Feb  6 12:14:14 localhost", "process_name": "haproxy", "pid": 14389}
HEADERS = {"captured_request_headers": "1wt.eu", "captured_response_headers": ""}


def test_haproxy_http() -> None:
    assert row("haproxy_http", HTTP) == {**SYSLOG, **CLEAN, **HEADERS}


def test_haproxy_http_without_syslog_header_and_captures() -> None:
    line = HTTP.partition("]: ")[2].replace("{1wt.eu} {} ", "")
    assert row("haproxy_http", line) == CLEAN
    assert row("haproxy_http", "haproxy: " + line) == {**CLEAN, "process_name": "haproxy"}


def test_haproxy_http_with_logasap_over_tls_and_redispatched() -> None:
    line = (
        HTTP.replace("/109", "/+109").replace("2750", "+2750").replace("http-in", "https~").replace("1/1/0 ", "1/1/+3 ")
    )
    assert row("haproxy_http", line) == {**SYSLOG, **CLEAN, **HEADERS, "frontend_name": "https~", "retries": 3}


def test_haproxy_http_without_a_valid_request() -> None:
    line = (
        "haproxy[18113]: 127.0.0.1:34549 [15/Oct/2003:15:19:06.103] px-http px-http/<NOSRV> -1/-1/-1/-1/8490 -1 0"
        ' sid=1 - CR-- 2/2/2/0/0 0/0 "<BADREQ>"'
    )
    found = row("haproxy_http", line)
    assert (found["time_request"], found["time_backend_response"], found["status_code"]) == (-1, -1, -1)
    assert (found["server_name"], found["http_request"]) == ("<NOSRV>", "<BADREQ>")
    assert (found["captured_request_cookie"], found.get("captured_response_cookie")) == ("sid=1", None)


def test_haproxy_http_with_a_truncated_request() -> None:
    assert row("haproxy_http", HTTP[:-20])["http_request"] == HTTP[:-20].rpartition('"')[2]


def test_haproxy_https() -> None:
    found = row("haproxy_http", HTTP)
    assert row("haproxy_http", HTTP + " 0/000A/1/2/1 www.example.com/TLSv1.3/TLS_AES_256_GCM_SHA384") == {
        **found, "fc_err": 0, "ssl_fc_err": "000A", "ssl_c_err": 1, "ssl_c_ca_err": 2, "ssl_fc_is_resumed": 1,
        "ssl_fc_sni": "www.example.com", "ssl_version": "TLSv1.3", "ssl_ciphers": "TLS_AES_256_GCM_SHA384",
    }  # fmt: skip
    assert row("haproxy_http", HTTP + " -/-/-/-/- -/-/-") == found
    assert row("haproxy_http", HTTP + " 0/0/0/0/0 -/TLSv1.3/-")["ssl_version"] == "TLSv1.3"
    for appended in (" 0/0/0/0/0", " x/0/0/0/0 -/-/-", ' more"'):
        assert is_corrupt("haproxy_http", HTTP + appended)


def test_haproxy_tcp() -> None:
    line = "haproxy[14387]: 10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/+5007 212 -- 0/0/0/0/3 0/0"
    assert row("haproxy_tcp", line) == {
        "process_name": "haproxy", "pid": 14387, "client_ip": "10.0.1.2", "client_port": 33313,
        "accept_date": at(2009, 2, 6, 12, 12, 51, 443000), "frontend_name": "fnt", "backend_name": "bck",
        "server_name": "srv1", "time_queue": 0, "time_backend_connect": 0, "time_duration": 5007, "bytes_read": 212,
        "termination_state": "--", "actconn": 0, "feconn": 0, "beconn": 0, "srv_conn": 0, "retries": 3, "srv_queue": 0,
        "backend_queue": 0,
    }  # fmt: skip
    assert is_corrupt("haproxy_tcp", HTTP)


# --- PostgreSQL ---


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "2026-11-22 01:00:11.045 UTC [123] LOG:  database system is ready",
            {
                "log_time": at(2026, 11, 22, 1, 0, 11, 45000), "time_zone": "UTC", "process_id": 123,
                "error_severity": "LOG", "message": "database system is ready",
            },
        ),
        (
            "2026-11-22 01:00:11 GMT [123-7] ana@shop STATEMENT:  select ':  '",
            {
                "log_time": at(2026, 11, 22, 1, 0, 11), "time_zone": "GMT", "process_id": 123, "session_line_num": 7,
                "user_name": "ana", "database_name": "shop", "error_severity": "STATEMENT", "message": "select ':  '",
            },
        ),
        (
            "2026-11-22 01:00:13 UTC [456]: [7-1] user=ana,db=shop,app=psql, x,client=192.0.2.7 LOG:  duration: 0.6 ms",
            {
                "log_time": at(2026, 11, 22, 1, 0, 13), "time_zone": "UTC", "process_id": 456, "session_line_num": 7,
                "user_name": "ana", "database_name": "shop", "application_name": "psql, x", "error_severity": "LOG",
                "connection_from": "192.0.2.7", "message": "duration: 0.6 ms",
            },
        ),
        (
            "2026-11-22 01:00:13.045 UTC [456]: user=ana,db=shop ERROR:  no",
            {
                "log_time": at(2026, 11, 22, 1, 0, 13, 45000), "time_zone": "UTC", "process_id": 456, "user_name": "ana",
                "database_name": "shop", "error_severity": "ERROR", "message": "no",
            },
        ),
        (
            "2026-11-22 01:00:13 UTC [456]: [1-1] user=,db=,app=,client= LOG:  checkpoint starting",
            {
                "log_time": at(2026, 11, 22, 1, 0, 13), "time_zone": "UTC", "process_id": 456, "session_line_num": 1,
                "error_severity": "LOG", "message": "checkpoint starting",
            },
        ),
        (
            "2026-11-22 01:00:11.045 -03 [123] [unknown]@[unknown] FATAL:  no pg_hba.conf entry",
            {
                "log_time": at(2026, 11, 22, 4, 0, 11, 45000), "time_zone": "-03", "process_id": 123,
                "user_name": "[unknown]", "database_name": "[unknown]", "error_severity": "FATAL",
                "message": "no pg_hba.conf entry",
            },
        ),
    ],
)  # fmt: skip
def test_postgres(line: str, expected: dict[str, Any]) -> None:
    assert row("postgres", line) == expected


def test_postgres_time_with_another_zone_uses_the_option() -> None:
    decoder = compile_decoder(FormatOptions("preset", "postgres"), pa.schema([("log_time", pa.timestamp("us", "UTC"))]))
    lines = find_lines(b"2026-11-22 01:00:11 CET [1] LOG:  a\n2026-11-22 01:00:11 UTC [1] LOG:  b", 0)
    (times,) = decoder.decode(lines, TimestampContext("Europe/Berlin", 0)).columns
    assert times.to_pylist() == [at(2026, 11, 22, 0, 0, 11), at(2026, 11, 22, 1, 0, 11)]


@pytest.mark.parametrize("line", ["[456]: [7] LOG:  x", "[456]; LOG:  x", "[]: LOG:  x", "[456]: user=ana LOG:  x"])
def test_line_that_is_not_postgres(line: str) -> None:
    assert is_corrupt("postgres", f"2026-11-22 01:00:13 UTC {line}")


@pytest.mark.parametrize("number", ['"six"', '""', '"6.5"', '"06"', '" 6"', '"NaN"', "true"])
def test_gelf_with_a_level_that_is_no_number(number: str) -> None:
    assert is_corrupt("gelf", f'{{"version":"1.1","host":"h","short_message":"s","level":{number}}}')


# --- others, line by line ---


@pytest.mark.parametrize(
    ("preset", "line", "expected"),
    [
        (
            "redis", "[4018] 14 Nov 07:01:22.119 * Background saving terminated with success",
            {
                "pid": 4018, "time": at(2026, 11, 14, 7, 1, 22, 119000), "level": "*",
                "message": "Background saving terminated with success",
            },
        ),
        (
            "redis", "1:C 22 Nov 2026 01:00:11.045 - x",
            {"pid": 1, "role": "C", "time": at(2026, 11, 22, 1, 0, 11, 45000), "level": "-", "message": "x"},
        ),
        (
            "log4j", "2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Created: x",
            {
                "timestamp": at(2015, 10, 18, 18, 1, 47, 978000), "level": "INFO", "thread": "main",
                "logger": "org.apache.hadoop.mapreduce.v2.app.MRAppMaster", "message": "Created: x",
            },
        ),
        (
            "log4j", "17/06/09 20:10:40 INFO executor.CoarseGrainedExecutorBackend: Registered",
            {
                "timestamp": at(2017, 6, 9, 20, 10, 40), "level": "INFO",
                "logger": "executor.CoarseGrainedExecutorBackend", "message": "Registered",
            },
        ),
        (
            "log4j", "2026-11-22 01:00:11,045 INFO  [Peer[id=3]/10.0.0.7:2181] o.e.Quorum: [x] in",
            {
                "timestamp": at(2026, 11, 22, 1, 0, 11, 45000), "level": "INFO", "thread": "Peer[id=3]/10.0.0.7:2181",
                "logger": "o.e.Quorum", "message": "[x] in",
            },
        ),
        (
            "log4j", "2026-11-22T01:00:11.045Z [http-1] WARN  o.e.Shop - slow - very",
            {
                "timestamp": at(2026, 11, 22, 1, 0, 11, 45000), "level": "WARN", "thread": "http-1",
                "logger": "o.e.Shop", "message": "slow - very",
            },
        ),
        (
            "python_logging", "2026-11-22 01:00:11,045 - shop - WARNING - a - b",
            {
                "asctime": at(2026, 11, 22, 1, 0, 11, 45000), "name": "shop", "levelname": "WARNING",
                "message": "a - b",
            },
        ),
        (
            "klog", 'E1025 00:15:15.525108       1 controller_utils.go:116] "Pod status updated" pod="kube-system/dns"',
            {
                "severity": "E", "time": at(2026, 10, 25, 0, 15, 15, 525108), "thread_id": 1,
                "file": "controller_utils.go", "line": 116,
                "message": '"Pod status updated" pod="kube-system/dns"',
            },
        ),
        (
            "glog", "F20150319 12:00:01.000002 140735 a.cc:7] Check failed",
            {
                "severity": "F", "time": at(2015, 3, 19, 12, 0, 1, 2), "thread_id": 140735, "file": "a.cc", "line": 7,
                "message": "Check failed",
            },
        ),
        (
            "cri", "2016-10-06T00:17:09.669794202Z stdout P ",
            {"timestamp": at(2016, 10, 6, 0, 17, 9, 669794), "stream": "stdout", "tags": "P", "log": ""},
        ),
        (
            "docker_json", r'{"log":"a\n","stream":"stderr","time":"2026-11-22T01:00:11.045123456Z"}',
            {"log": "a\n", "stream": "stderr", "time": at(2026, 11, 22, 1, 0, 11, 45123)},
        ),
        (
            "gelf", '{"version":"1.1","host":"h","short_message":"s","timestamp":"1385053862.5","level":"6","line":"356"}',
            {
                "version": "1.1", "host": "h", "short_message": "s", "timestamp": at(2013, 11, 21, 17, 11, 2, 500000),
                "level": 6, "line": 356,
            },
        ),
        (
            "redis", "1234:signal-handler (1795309211) Received SIGTERM scheduling shutdown...",
            {
                "pid": 1234, "role": "signal-handler", "time": at(2026, 11, 22, 1, 0, 11),
                "message": "Received SIGTERM scheduling shutdown...",
            },
        ),
        (
            "gelf", '{"version":"1.1","host":"h","short_message":"s","timestamp":1385053862.3072,"level":1,"_some":"x"}',
            {
                "version": "1.1", "host": "h", "short_message": "s", "level": 1,
                "timestamp": datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=1385053862307200),
            },
        ),
        (
            "mongodb_json",
            ('{"t":{"$date":"2026-11-22T01:00:11.045+01:00"},"s":"I","c":"-","id":7,"ctx":"x","msg":"m","attr":{"a":[1]},'
            '"tags":["t"]}'),
            {
                "t": at(2026, 11, 22, 0, 0, 11, 45000), "s": "I", "c": "-", "id": 7, "ctx": "x", "msg": "m",
                "attr": '{"a":[1]}', "tags": ["t"],
            },
        ),
    ],
)  # fmt: skip
def test_line(preset: str, line: str, expected: dict[str, Any]) -> None:
    assert row(preset, line) == expected


@pytest.mark.parametrize(
    ("preset", "line"),
    [
        ("klog", "i1122 01:00:11.045123 1 a.go:1] lower case"),
        ("klog", "D1122 01:00:11.045123 1 a.go:1] a severity that klog has not"),
        ("klog", "I20261122 01:00:11.045123 1 a.go:1] a year"),
        ("glog", "goroutine 1 [running]:"),
        ("redis", "x:M 22 Nov 2026 01:00:11.045 # x"),
        ("log4j", "java.lang.IllegalStateException: x"),
        ("python_logging", "Traceback (most recent call last):"),
    ],
)
def test_invalid_line(preset: str, line: str) -> None:
    assert is_corrupt(preset, line)


def test_haproxy_client_without_an_address() -> None:
    line = (
        "May 22 02:22:22 s1 haproxy[5089]: {} [22/May/2026:02:22:22.222] www~ myapp/node2 0/0/0/18/18 200 200 - - ----"
        ' 222/222/2/0/0 0/0 "GET / HTTP/1.1"'
    )
    found = row("haproxy_http", line.format("-:22222"))
    assert ("client_ip" in found, found["client_port"]) == (False, 22222)
    for client, address in (("::1:80", "::1"), ("unix:1", "unix")):
        assert row("haproxy_http", line.format(client))["client_ip"] == address
    assert is_corrupt("haproxy_http", line.format("<a>:1"))


def test_session_of_postgres_has_no_other_values() -> None:
    line = "2026-11-22 01:00:11.045 UTC [123] {} {}:  x"
    for session in ("[queryid=1] ana@shop", "ana@shop 192.0.2.7", "192.0.2.7 ana@shop", "[1] ana@shop"):
        assert is_corrupt("postgres", line.format(session, "LOG"))
    assert row("postgres", line.format("[unknown]@[unknown]", "FATAL"))["user_name"] == "[unknown]"
    assert row("postgres", line.format("ana@shop", "BACKTRACE"))["error_severity"] == "BACKTRACE"
    assert is_corrupt("postgres", line.format("ana@shop", "SHOP"))


def test_container_line_has_a_known_stream_and_tag() -> None:
    line = "2026-11-22T01:00:11.045123456Z {} order"
    assert row("cri", line.format("stdout F:x"))["tags"] == "F:x"
    for fields in ("stdout The", "stdin F", "stdout FP", "F stdout", "stdout"):
        assert is_corrupt("cri", line.format(fields))


def test_level_of_logging_libraries_is_a_known_one() -> None:
    assert row("python_logging", "2026-11-22 01:00:11,045 - shop - Level 15 - x")["levelname"] == "Level 15"
    assert is_corrupt("python_logging", "2026-11-22 01:00:11,045 - shop - cart - INFO - x")
    assert row("log4j", "2026-11-22 01:00:11,045 VERBOSE a.B: x")["level"] == "VERBOSE"
    assert is_corrupt("log4j", "2026-11-22 01:00:11,045 SHOP INFO a.B: x")


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("UTC:10.0.0.1(48808):u@d:[18762]:", {"user_name": "u", "database_name": "d", "connection_from": "10.0.0.1(48808)", "process_id": 18762}),
        ("UTC::@:[18762]:", {"process_id": 18762}),
        ("UTC:[local]:rdsadmin@[unknown]:[7]:", {"user_name": "rdsadmin", "database_name": "[unknown]", "connection_from": "[local]", "process_id": 7}),
        ("UTC:2001:db8::1(5432):a b@d:[7]:", {"user_name": "a b", "database_name": "d", "connection_from": "2001:db8::1(5432)", "process_id": 7}),
        ("UTC-65604d0f.1ba5-", {"session_id": "65604d0f.1ba5"}),
        ("UTC [7]: [3-1] db=shop,user=ana ", {"process_id": 7, "session_line_num": 3, "user_name": "ana", "database_name": "shop"}),
        ("UTC [7] [user=ana,db=shop,app=psql [1]] ", {"process_id": 7, "user_name": "ana", "database_name": "shop", "application_name": "psql [1]"}),
        ("UTC [7] ana@example.com@shop ", {"process_id": 7, "user_name": "ana@example.com", "database_name": "shop"}),
    ],
)  # fmt: skip
def test_postgres_prefixes_of_cloud_services(prefix: str, expected: dict[str, Any]) -> None:
    found = row("postgres", f"2026-08-22 16:00:04 {prefix}LOG:  duration: 3.685 ms")
    common = {"log_time": at(2026, 8, 22, 16, 0, 4), "time_zone": "UTC", "error_severity": "LOG"}
    assert found == {**common, **expected, "message": "duration: 3.685 ms"}


@pytest.mark.parametrize(
    "prefix",
    [
        "UTC:10.0.0.1(1):u@d:[7]:1:00000:2026-08-22 16:00:04 UTC:2/3:0:65604d0f.1ba5:app:",
        "UTC:10.0.0.1:u@d:[7]:", "UTC:10.0.0.1(1):u:v@d:[7]:", "UTC:10.0.0.1(1):u@d@e:[7]", "UTC-65604d0f.1ba5-ana-", "UTC-x-",
        "ABCDEFGHIJ [7] ", "UTC [7]: [1-1] user=a,db=b,host=c ",
    ],
)  # fmt: skip
def test_other_postgres_prefixes_are_corrupt(prefix: str) -> None:
    assert is_corrupt("postgres", f"2026-08-22 16:00:04 {prefix}LOG:  x")


@pytest.mark.parametrize("preset", ["haproxy_http", "haproxy_tcp"])
def test_haproxy_connection_errors(preset: str) -> None:
    head = "Nov 22 01:00:14 lb haproxy[14389]: 192.0.2.4:50033 [22/Nov/2026:01:00:14.123] "
    found = row(preset, head + "fe/192.0.2.1:443: SSL handshake failure (error:0A0000C1: no shared cipher)")
    assert (found["frontend_name"], found["bind_name"], found["client_ip"]) == ("fe", "192.0.2.1:443", "192.0.2.4")
    assert found["message"] == "SSL handshake failure (error:0A0000C1: no shared cipher)"
    for end in ("fe", "fe/1", "fe/1:", "fe/1: ", "fe/1:  x", "fe: x", "fe/1/2: x", "fe SSL handshake failure", "/1: x"):
        assert is_corrupt(preset, head + end), end
