"""Lines of web servers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.preset_lines import at, is_corrupt, row


def test_apache_common() -> None:
    line = '127.0.0.1 user-identifier frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'
    assert row("apache_common", line) == {
        "remote_host": "127.0.0.1", "remote_logname": "user-identifier", "remote_user": "frank",
        "time": at(2000, 10, 10, 20, 55, 36), "request": "GET /apache_pb.gif HTTP/1.0", "status": 200, "bytes": 2326,
    }  # fmt: skip
    assert is_corrupt("apache_common", line + ' "-" "curl/8"')


def test_unavailable_values_are_dashes() -> None:
    assert row("apache_common", '- - - [-] "-" - -') == {}
    assert row("apache_common", "- - - [-] - - -") == {}
    assert row("apache_combined", '- - - [-] "-" - - "-" "-"') == {}
    assert row("apache_combined", '::1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.0" 200 1 - -') == {
        "remote_host": "::1", "time": at(2000, 10, 10, 13, 55, 36), "request": "GET / HTTP/1.0", "status": 200, "bytes": 1
    }  # fmt: skip
    for time in ("[1234]", "[- ]", "[--]"):
        assert is_corrupt("apache_common", f'- - - {time} "-" - -')


def test_virtual_host_before_the_client_is_another_format() -> None:
    line = '10.0.0.1 - {} [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.0" 200 1 "-" "-"'
    assert row("apache_combined", line.format("-x y"))["remote_user"] == "-x y"
    for user in ("-", "ana"):
        assert is_corrupt("apache_combined", "shop.example:80 " + line.format(user))


def test_apache_escapes_control_characters_as_in_c() -> None:
    line = r'::1 - - [10/Oct/2000:13:55:36 +0000] "GET /\b\v\\b HTTP/1.0" 200 1 "\x66\t" "a \"b\""'
    found = row("apache_combined", line)
    assert (found["request"], found["referer"], found["user_agent"]) == ("GET /\b\v\\b HTTP/1.0", "f\t", 'a "b"')
    assert row("apache_common", line[: line.index(' "\\x66')])["request"] == found["request"]


def test_user_name_may_contain_blanks() -> None:
    line = '::1 - John Doe [10/Oct/2000:13:55:36 +0000] "-" 408 -'
    assert row("apache_common", line) == {
        "remote_host": "::1", "remote_user": "John Doe", "time": at(2000, 10, 10, 13, 55, 36), "status": 408
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            ("[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187]"
            " File does not exist: /usr/local/apache2/htdocs/favicon.ico"),
            {
                "time": at(2011, 9, 9, 10, 42, 29, 902022), "module": "core", "level": "error", "pid": 35708,
                "tid": 4328636416, "client": "72.15.99.187",
                "message": "File does not exist: /usr/local/apache2/htdocs/favicon.ico",
            },
        ),
        (
            "[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied by server configuration: /export",
            {
                "time": at(2000, 10, 11, 14, 32, 52), "level": "error", "client": "127.0.0.1",
                "message": "client denied by server configuration: /export",
            },
        ),
        (
            "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok /etc/httpd/conf/workers2.properties",
            {
                "time": at(2005, 12, 4, 4, 47, 44), "level": "notice",
                "message": "workerEnv.init() ok /etc/httpd/conf/workers2.properties",
            },
        ),
        (
            "[Thu Nov 26 08:04:03.100003 2026] [mpm_prefork:notice] [pid 17] AH00163: resuming normal operations",
            {
                "time": at(2026, 11, 26, 8, 4, 3, 100003), "module": "mpm_prefork", "level": "notice", "pid": 17,
                "message": "AH00163: resuming normal operations",
            },
        ),
        (
            "[Thu Nov 26 08:04:03.100003 2026] [:error] [pid 17] [client 10.0.0.1:54321] PHP Notice: x",
            {
                "time": at(2026, 11, 26, 8, 4, 3, 100003), "level": "error", "pid": 17, "client": "10.0.0.1:54321",
                "message": "PHP Notice: x",
            },
        ),
        (
            ("[Thu Nov 26 08:04:03.100003 2026] [proxy_http:debug] [pid 17:tid 9] mod_proxy_http.c(1361): (70007)The timeout"
            " has expired: [client 10.0.0.1:5432] AH01110: no answer: [x], referer: http://y/"),
            {
                "time": at(2026, 11, 26, 8, 4, 3, 100003), "module": "proxy_http", "level": "debug", "pid": 17, "tid": 9,
                "source": "mod_proxy_http.c(1361)", "error_status": "(70007)The timeout has expired",
                "client": "10.0.0.1:5432", "message": "AH01110: no answer: [x], referer: http://y/",
            },
        ),
        (
            "[Thu Nov 26 08:04:03.100003 2026] [core:error] [pid 17] (13)Permission denied: AH00091: cannot open [client x] y",
            {
                "time": at(2026, 11, 26, 8, 4, 3, 100003), "module": "core", "level": "error", "pid": 17,
                "message": "(13)Permission denied: AH00091: cannot open [client x] y",
            },
        ),
        (
            "[2026-11-26 08:04:03.100003] [ssl:info] [pid 17] [remote 10.0.0.1:443] AH02008: handshake failed",
            {
                "time": at(2026, 11, 26, 8, 4, 3, 100003), "module": "ssl", "level": "info", "pid": 17,
                "client": "10.0.0.1:443", "message": "AH02008: handshake failed",
            },
        ),
        (
            "[26/Nov/2026:09:04:03 +0100] [core:warn] [pid 17] AH00111: not defined",
            {
                "time": at(2026, 11, 26, 8, 4, 3), "module": "core", "level": "warn", "pid": 17,
                "message": "AH00111: not defined",
            },
        ),
    ],
)  # fmt: skip
def test_apache_error(line: str, expected: dict[str, Any]) -> None:
    assert row("apache_error", line) == expected


def test_nginx_combined() -> None:
    line = '93.180.71.3 - - [17/May/2015:08:05:32 +0000] "GET /downloads/product_1 HTTP/1.1" 304 0 "-" "Debian APT-HTTP/1.3"'
    assert row("nginx_combined", line) == {
        "remote_addr": "93.180.71.3", "time_local": at(2015, 5, 17, 8, 5, 32), "request": "GET /downloads/product_1 HTTP/1.1",
        "status": 304, "body_bytes_sent": 0, "http_user_agent": "Debian APT-HTTP/1.3",
    }  # fmt: skip
    garbage = r'10.0.0.1 - ana [17/May/2015:08:05:32 +0000] "\x16\x03\x01" 400 157 "-" "-"'
    assert row("nginx_combined", garbage)["request"] == "\x16\x03\x01"
    assert row("nginx_combined", garbage.replace(r"\x16\x03\x01", "")).get("request") is None


def test_nginx_combined_with_x_forwarded_for() -> None:
    line = '10.0.0.1 - - [17/May/2015:08:05:32 +0000] "GET / HTTP/1.1" 200 612 "https://example.com/" "curl/8.5.0"'
    found = row("nginx_combined", line)
    assert "http_x_forwarded_for" not in found
    assert row("nginx_combined", line + ' "-"') == found
    assert row("nginx_combined", line + ' "192.0.2.7, 10.0.0.9"') == {
        **found, "http_x_forwarded_for": "192.0.2.7, 10.0.0.9"
    }  # fmt: skip
    for more in (' "192.0.2.7" 0.005', " 0.005", ' "192.0.2.7'):
        assert is_corrupt("nginx_combined", line + more)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            ('2026/11/22 01:00:11 [error] 123#456: *789 message, client: 1.2.3.4, server: x, request: "GET / HTTP/1.1",'
            ' host: "y"'),
            {
                "time": at(2026, 11, 22, 1, 0, 11), "level": "error", "pid": 123, "tid": 456, "connection": 789,
                "message": "message", "client": "1.2.3.4", "server": "x", "request": "GET / HTTP/1.1", "host": "y",
            },
        ),
        (
            ("2026/11/22 01:00:11 [error] 1#1: *2 connect() failed (111: Connection refused) while connecting to upstream,"
            ' client: ::1, server: , request: "GET /a"b HTTP/1.1", upstream: "http://10.0.0.1:80/", host: "y",'
            ' referrer: "http://z/"'),
            {
                "time": at(2026, 11, 22, 1, 0, 11), "level": "error", "pid": 1, "tid": 1, "connection": 2,
                "message": "connect() failed (111: Connection refused) while connecting to upstream", "client": "::1",
                "request": 'GET /a"b HTTP/1.1', "upstream": "http://10.0.0.1:80/", "host": "y", "referrer": "http://z/",
            },
        ),
        (
            "2026/11/22 01:00:11 [emerg] 1#1: bind() to 0.0.0.0:80 failed (98: Address already in use)",
            {
                "time": at(2026, 11, 22, 1, 0, 11), "level": "emerg", "pid": 1, "tid": 1,
                "message": "bind() to 0.0.0.0:80 failed (98: Address already in use)",
            },
        ),
        (
            '2026/11/22 01:00:11 [info] 1#1: *3 client logged in, client: 10.0.0.1, server: 0.0.0.0:143, login: "ana"',
            {
                "time": at(2026, 11, 22, 1, 0, 11), "level": "info", "pid": 1, "tid": 1, "connection": 3,
                "message": "client logged in", "client": "10.0.0.1", "server": "0.0.0.0:143", "context": 'login: "ana"',
            },
        ),
    ],
)  # fmt: skip
def test_nginx_error(line: str, expected: dict[str, Any]) -> None:
    assert row("nginx_error", line) == expected


def test_remote_address_of_nginx_is_one_word() -> None:
    line = '{} - {} [22/Nov/2026:01:00:11 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/8"'
    assert row("nginx_combined", line.format("192.0.2.7", "ann lee"))["remote_user"] == "ann lee"
    assert row("nginx_combined", line.format("unix:", "-"))["remote_addr"] == "unix:"
    assert is_corrupt("nginx_combined", line.format("www.shop.example 192.0.2.7", "-"))
    assert is_corrupt("nginx_combined", line.format("192.0.2.7", "- ana"))


def test_level_of_the_error_log_of_nginx() -> None:
    line = "2026/11/22 01:00:11 [{}] 1#1: bind() failed"
    assert row("nginx_error", line.format("emerg"))["level"] == "emerg"
    assert is_corrupt("nginx_error", line.format("bind"))
