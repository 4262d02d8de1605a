"""Formats from the configuration of servers in the suite that all formats inherit."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

from tests.conformance.suite import FormatConformance

UTC = timezone.utc
AT = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
SPRING_BOOT = (
    "%clr(%d{${LOG_DATEFORMAT_PATTERN:-yyyy-MM-dd'T'HH:mm:ss.SSSXXX}}){faint} %clr(${LOG_LEVEL_PATTERN:-%5p})"
    " %clr(${PID:- }){magenta} %clr(---){faint} %clr([%15.15t]){faint} %clr(%-40.40logger{39}){cyan} %clr(:){faint}"
    " %m%n${LOG_EXCEPTION_CONVERSION_WORD:-%wEx}"
)
INGRESS = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
    " $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr"
    " $upstream_response_length $upstream_response_time $upstream_status $req_id"
)


class TestNginxMain(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "nginx": """log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                                    '$status $body_bytes_sent "$http_referer" '
                                    '"$http_user_agent" "$http_x_forwarded_for"';"""
    }
    lines: ClassVar[list[str]] = [
        (
            '192.0.2.7 - ann lee [22/Nov/2026:10:00:00 +0000] "GET /a\\x22b\\x5Cc HTTP/1.1" 200 612 "https://x.example/"'
            ' "\\xD0\\x96 1.0" "198.51.100.1, 192.0.2.9"'
        ),
        '2001:db8::1 - - [22/Nov/2026:11:00:00 +0100] "" 400 0 "-" "-" "-"',
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "remote_addr": "192.0.2.7", "remote_user": "ann lee", "time_local": AT, "request": 'GET /a"b\\c HTTP/1.1',
            "status": 200, "body_bytes_sent": 612, "http_referer": "https://x.example/", "http_user_agent": "Ж 1.0",
            "http_x_forwarded_for": "198.51.100.1, 192.0.2.9",
        },
        {
            "remote_addr": "2001:db8::1", "remote_user": None, "time_local": AT, "request": None, "status": 400,
            "body_bytes_sent": 0, "http_referer": None, "http_user_agent": None, "http_x_forwarded_for": None,
        },
    ]  # fmt: skip


class TestNginxIngress(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"nginx": INGRESS}
    lines: ClassVar[list[str]] = [
        (
            '192.0.2.7 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8" 79 0.005 [shop-web-80] []'
            " 10.1.0.1:8080 612 0.004 200 d3f8"
        ),
        (
            '192.0.2.7 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8" 79 1.250 [shop-web-80] [b]'
            " 10.1.0.1:8080, 10.1.0.2:8080 : 10.1.0.3:80 0, 612 : 3 0.001, 0.004 : 1.245 502, 200 : 200 d3f8"
        ),
        '192.0.2.7 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 503 - "-" "curl/8" 79 - [] [] - - - - -',
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"request_time": 0.005, "proxy_upstream_name": "shop-web-80", "proxy_alternative_upstream_name": None,
         "upstream_addr": "10.1.0.1:8080", "upstream_response_length": "612", "upstream_response_time": "0.004",
         "upstream_status": "200", "req_id": "d3f8"},
        {"request_time": 1.25, "proxy_upstream_name": "shop-web-80", "proxy_alternative_upstream_name": "b",
         "upstream_addr": "10.1.0.1:8080, 10.1.0.2:8080 : 10.1.0.3:80", "upstream_response_length": "0, 612 : 3",
         "upstream_response_time": "0.001, 0.004 : 1.245", "upstream_status": "502, 200 : 200", "req_id": "d3f8"},
        {"request_time": None, "body_bytes_sent": None, "proxy_upstream_name": None, "upstream_addr": None,
         "upstream_response_length": None, "upstream_response_time": None, "upstream_status": None, "req_id": None},
    ]  # fmt: skip


class TestNginxJson(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "nginx": """log_format json escape=json '{"time": "$time_iso8601", "msec": $msec, "status": $status,'
            ' "request": "$request_method $uri", "took": "$request_time", "agent": "$http_user_agent", "v": 1}';"""
    }
    lines: ClassVar[list[str]] = [
        (
            '{"time": "2026-11-22T10:00:00+00:00", "msec": 1795341600.123, "status": 200, "request": "GET /a\\"b", "took":'
            ' "0.005", "agent": "\\u0416 \\\\ \\u0007", "v": 1}'
        ),
        '{"time": "", "msec": -, "status": , "request": "", "took": "-", "agent": "", "v": 1}',
        '{"v":1,"agent":null,"time":"2026-11-22T10:00:00+00:00","msec":"1795341600.123","status":"200","took":0.005}',
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"time": AT, "msec": AT + timedelta(milliseconds=123), "status": 200, "request": 'GET /a"b', "took": 0.005,
         "agent": "Ж \\ \a", "v": "1"},
        {"time": None, "msec": None, "status": None, "request": None, "took": None, "agent": None, "v": "1"},
        {"time": AT, "msec": AT + timedelta(milliseconds=123), "status": 200, "request": None, "took": 0.005,
         "agent": None, "v": "1"},
    ]  # fmt: skip


class TestNginxRaw(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"nginx": 'escape=none $msec|"$request"|${status}|$upstream_cache_status'}
    lines: ClassVar[list[str]] = ['1795341600.000|"GET /"x" HTTP/1.0"|304|HIT', '-|"-"||']
    rows: ClassVar[list[dict[str, Any]]] = [
        {"msec": AT, "request": 'GET /"x" HTTP/1.0', "status": 304, "upstream_cache_status": "HIT"},
        {"msec": None, "request": None, "status": None, "upstream_cache_status": None},
    ]


class TestApacheVhostCombined(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "apache": r'LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vhost_combined'
    }
    lines: ClassVar[list[str]] = [
        (
            r'www.example.com:443 192.0.2.7 - ann [22/Nov/2026:10:00:00 +0000] "GET /a\"b\\ HTTP/1.1" 200 612'
            r' "https://x.example/" "\xd0\x96\t1.0"'
        ),
        'www.example.com:80 ::1 - - [22/Nov/2026:10:00:00 +0000] "-" 408 - "-" "-"',
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"server_name": "www.example.com", "server_port": 443, "remote_host": "192.0.2.7", "remote_logname": None,
         "remote_user": "ann", "time": AT, "request": 'GET /a"b\\ HTTP/1.1', "status": 200, "bytes_sent": 612,
         "referer": "https://x.example/", "user_agent": "Ж\t1.0"},
        {"server_name": "www.example.com", "server_port": 80, "remote_host": "::1", "remote_logname": None,
         "remote_user": None, "time": AT, "request": None, "status": 408, "bytes_sent": None, "referer": None,
         "user_agent": None},
    ]  # fmt: skip


class TestApacheManyDirectives(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "apache": "%{X-Forwarded-For}i %a %{%Y-%m-%d %H:%M:%S}t.%{usec_frac}t %s %>s %D %b %{sec}t.%{msec_frac}t"
        ' %!200,304{User-agent}i %X "%m %U%q %H" %{Foo}C'
    }
    lines: ClassVar[list[str]] = [
        (
            '198.51.100.1, 192.0.2.9 192.0.2.7 2026-11-22 10:00:00.000123 301 200 345 612 1795341600.123 curl + "GET /x?q=1'
            ' HTTP/1.1" a\\"b c'
        ),
        '- 192.0.2.7 2026-11-22 10:00:00.000123 - - - - 1795341600.123 - - "- - -" -',
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"x_forwarded_for": "198.51.100.1, 192.0.2.9", "client_ip": "192.0.2.7",
         "time": AT + timedelta(microseconds=123), "original_status": 301, "status": 200, "duration_us": 345,
         "bytes": 612, "time_2": AT + timedelta(milliseconds=123), "user_agent": "curl", "connection_status": "+",
         "request_method": "GET", "url": "/x?q=1", "request_protocol": "HTTP/1.1", "cookie_foo": 'a"b c'},
        {"x_forwarded_for": None, "client_ip": "192.0.2.7", "time": AT + timedelta(microseconds=123), "status": None,
         "original_status": None, "duration_us": None, "bytes": None, "time_2": AT + timedelta(milliseconds=123),
         "user_agent": None, "connection_status": None, "request_method": None, "url": None, "request_protocol": None,
         "cookie_foo": None},
    ]  # fmt: skip


class TestLogbackSpringBoot(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"logback": SPRING_BOOT}
    lines: ClassVar[list[str]] = [
        (
            "2026-11-22T10:00:00.123+00:00  INFO 4242 --- [           main] com.example.shop.ShopApplication         :"
            " Started"
        ),
        (
            "2026-11-22T11:00:00.123+01:00 DEBUG 4242 --- [nio-8080-exec-1] o.s.web.servlet.DispatcherServlet        :"
            "   Ж : deep"
        ),
        "2026-11-22T10:00:00.123Z ERROR - --- [] a.B : ",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"timestamp": AT + timedelta(milliseconds=123), "level": "INFO", "pid": 4242, "thread": "main",
         "logger": "com.example.shop.ShopApplication", "message": "Started"},
        {"timestamp": AT + timedelta(milliseconds=123), "level": "DEBUG", "pid": 4242, "thread": "nio-8080-exec-1",
         "logger": "o.s.web.servlet.DispatcherServlet", "message": "  Ж : deep"},
        {"timestamp": AT + timedelta(milliseconds=123), "level": "ERROR", "pid": None, "thread": "", "logger": "a.B",
         "message": ""},
    ]  # fmt: skip


class TestLogbackPadded(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "logback": "%d{HH:mm:ss.SSS} [%-8thread] %-5level %8X{id} %logger{36} - %msg%n%ex"
    }
    lines: ClassVar[list[str]] = [
        "10:00:00.123 [main    ] INFO      a1b2 com.example.Shop -  a - b",
        "10:00:00.123 [pool 1 t] WÄRN           x - ",
        "10:00:00.123 [] ERROR long-identity x - y ",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"time": "10:00:00.123", "thread": "main", "level": "INFO", "id": "a1b2", "logger": "com.example.Shop",
         "message": " a - b"},
        {"time": "10:00:00.123", "thread": "pool 1 t", "level": "WÄRN", "id": None, "logger": "x", "message": ""},
        {"time": "10:00:00.123", "thread": "", "level": "ERROR", "id": "long-identity", "logger": "x",
         "message": "y "},
    ]  # fmt: skip


class TestLog4j(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"logback": "%d %-5p [%t] %c{1}:%L - %m%n"}
    lines: ClassVar[list[str]] = [
        "2026-11-22 10:00:00,123 INFO  [main] Shop:42 - order [7] accepted",
        "2026-11-22T10:00:00.123 FATAL [a b] x:? - ",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"timestamp": AT + timedelta(milliseconds=123), "level": "INFO", "thread": "main", "logger": "Shop", "line": 42,
         "message": "order [7] accepted"},
        {"timestamp": AT + timedelta(milliseconds=123), "level": "FATAL", "thread": "a b", "logger": "x", "line": None,
         "message": ""},
    ]  # fmt: skip
