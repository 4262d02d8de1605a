"""Lines of the variants of syslog, and of CEF."""

from __future__ import annotations

from typing import Any

import pytest

from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines, sanitise
from tests.support.formats import compile_decoder, format_schema
from tests.support.preset_lines import at, is_corrupt, row


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
            {
                "facility": 4, "severity": 2, "timestamp": at(2026, 10, 11, 22, 14, 15), "hostname": "mymachine",
                "tag": "su", "message": "'su root' failed for lonvick on /dev/pts/8",
            },
        ),
        (
            "<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!",
            {
                "facility": 1, "severity": 5, "timestamp": at(2026, 2, 5, 17, 32, 18), "hostname": "10.0.0.99",
                "message": "Use the BFG!",
            },
        ),
        (
            "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0",
            {
                "timestamp": at(2026, 6, 14, 15, 16, 1), "hostname": "combo", "tag": "sshd(pam_unix)", "pid": 19939,
                "message": "authentication failure; logname= uid=0",
            },
        ),
        (
            "<30>2026-11-22T01:00:11.045123+01:00 host systemd[1]: Started.",
            {
                "facility": 3, "severity": 6, "timestamp": at(2026, 11, 22, 0, 0, 11, 45123), "hostname": "host",
                "tag": "systemd", "pid": 1, "message": "Started.",
            },
        ),
        (
            "Apr 24 2013 16:00:28 INT-FW01 %ASA-6-106100: access-list inside denied",
            {
                "timestamp": at(2013, 4, 24, 16, 0, 28), "hostname": "INT-FW01", "tag": "%ASA-6-106100",
                "message": "access-list inside denied",
            },
        ),
        (
            "<166>Jun 29 2022 12:51:14: %ASA-6-302013: Built inbound",
            {
                "facility": 20, "severity": 6, "timestamp": at(2022, 6, 29, 12, 51, 14), "tag": "%ASA-6-302013",
                "message": "Built inbound",
            },
        ),
        (
            "Nov 22 01:00:11.123456 host app: x",
            {"timestamp": at(2026, 11, 22, 1, 0, 11, 123456), "hostname": "host", "tag": "app", "message": "x"},
        ),
        ("Nov 22 01:00:11 su: hello", {"timestamp": at(2026, 11, 22, 1, 0, 11), "tag": "su", "message": "hello"}),
        (
            "Nov 22 01:00:11 fe80::1 last message repeated 2 times",
            {
                "timestamp": at(2026, 11, 22, 1, 0, 11), "hostname": "fe80::1",
                "message": "last message repeated 2 times",
            },
        ),
        (
            "Nov 22 01:00:11 host app[x]: y",
            {"timestamp": at(2026, 11, 22, 1, 0, 11), "hostname": "host", "tag": "app[x]", "message": "y"},
        ),
        (
            "<14> Nov 22 01:00:11 host  app[012]: a blank behind PRI, two behind the host",
            {
                "facility": 1, "severity": 6, "timestamp": at(2026, 11, 22, 1, 0, 11), "hostname": "host", "tag": "app",
                "pid": 12, "message": "a blank behind PRI, two behind the host",
            },
        ),
        (
            "Nov 22 01:00:11 asa-7 : %ASA-4-106023: Deny",
            {
                "timestamp": at(2026, 11, 22, 1, 0, 11), "hostname": "asa-7", "tag": "%ASA-4-106023", "message": "Deny",
            },
        ),
        ("Nov 22 01:00:11 db-2", {"timestamp": at(2026, 11, 22, 1, 0, 11), "hostname": "db-2"}),
        ("<14>Nov 22 01:00:11", {"facility": 1, "severity": 6, "timestamp": at(2026, 11, 22, 1, 0, 11)}),
        ("Nov 22 01:00:11 ", {"timestamp": at(2026, 11, 22, 1, 0, 11)}),
        ("Nov 22 01:00:11 db-2 :", {"timestamp": at(2026, 11, 22, 1, 0, 11), "hostname": "db-2"}),
        ("Nov 22 01:00:11 : nobody", {"timestamp": at(2026, 11, 22, 1, 0, 11), "message": "nobody"}),
    ],
)  # fmt: skip
def test_rfc3164(line: str, expected: dict[str, Any]) -> None:
    assert row("syslog_rfc3164", line) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("643: *Jan  8 19:46:03.295: ", {"message_counter": 643, "timestamp": at(2026, 1, 8, 19, 46, 3, 295000)}),
        ("643: .Jan  8 19:46:03: ", {"message_counter": 643, "timestamp": at(2026, 1, 8, 19, 46, 3)}),
        (
            "643: 000104: *Jan 31 01:00:11.123: ",
            {"message_counter": 643, "sequence_number": 104, "timestamp": at(2026, 1, 31, 1, 0, 11, 123000)},
        ),
        ("000104: Jan 31 01:00:11: ", {"sequence_number": 104, "timestamp": at(2026, 1, 31, 1, 0, 11)}),
        (": *Jan 31 01:00:11: ", {"timestamp": at(2026, 1, 31, 1, 0, 11)}),
        ("*Jan 31 01:00:11: ", {"timestamp": at(2026, 1, 31, 1, 0, 11)}),
        (": 104: Jan 31 01:00:11: ", {"sequence_number": 104, "timestamp": at(2026, 1, 31, 1, 0, 11)}),
        (
            "643: router-1: *Jan 31 01:00:11.5: ",
            {"message_counter": 643, "origin_id": "router-1", "timestamp": at(2026, 1, 31, 1, 0, 11, 500000)},
        ),
        (
            "643: 104: 10.0.0.1: Jan 31 2025 01:00:11: ",
            {
                "message_counter": 643, "sequence_number": 104, "origin_id": "10.0.0.1",
                "timestamp": at(2025, 1, 31, 1, 0, 11),
            },
        ),
        ("643: Jan 31 2025 01:00:11.5 UTC: ", {"message_counter": 643, "timestamp": at(2025, 1, 31, 1, 0, 11, 500000)}),
        ("643: Jan 31 01:00:11 GMT: ", {"message_counter": 643, "timestamp": at(2026, 1, 31, 1, 0, 11)}),
        (
            "643: *Jan 31 01:00:11.5 CET: ",
            {"message_counter": 643, "timestamp": at(2026, 1, 31, 0, 0, 11, 500000), "time_zone": "CET"},
        ),
        (": 2025 Jul 31 01:00:11.123 PDT: ", {"timestamp": at(2025, 7, 31, 8, 0, 11, 123000), "time_zone": "PDT"}),
        (": 2025 Jan 31 01:00:11 UTC : ", {"timestamp": at(2025, 1, 31, 1, 0, 11)}),
        (": 2025 Jan 31 01:00:11.123 UTC: ", {"timestamp": at(2025, 1, 31, 1, 0, 11, 123000)}),
        ("643: 2025-01-31T01:00:11Z: ", {"message_counter": 643, "timestamp": at(2025, 1, 31, 1, 0, 11)}),
    ],
)  # fmt: skip
def test_rfc3164_cisco(head: str, expected: dict[str, Any]) -> None:
    found = row("syslog_rfc3164", f"<189>{head}%SYS-5-CONFIG_I: Configured from console")
    body = {"tag": "%SYS-5-CONFIG_I", "message": "Configured from console"}
    assert found == {"facility": 23, "severity": 5, **expected, **body}


@pytest.mark.parametrize(
    "zone",
    [
        " UTC:",
        " gmt:",
        "  UTC:",
        "\tGMT:",
        ".5 UTC:",
        " CEST:",
        " IST:",
        " EDT :",
        " UTC :",
        " CRON:",
        " UTCx:",
        " GM",
        " ",
        "  ",
    ],
)
@pytest.mark.parametrize("date", ["Nov 22", "Nov 22 2026", "2026 Nov 22"])
@pytest.mark.parametrize("fraction", ["", ".5"])
def test_time_does_not_depend_on_the_patterns_of_other_lines(zone: str, date: str, fraction: str) -> None:
    options = FormatOptions("preset", "syslog_rfc3164")
    schema = format_schema(options)
    assert schema is not None
    fast = compile_decoder(options, schema)
    others = [f"<189>{date} 01:00:{second:02}{fraction} host app: x" for second in range(9)]
    text = "\n".join([*others, f"<189>{date} 01:00:11{fraction}{zone} %SYS-5-CONFIG_I: x"])
    lines, context = sanitise(find_lines(text.encode(), 0)), TimestampContext(zone="Europe/Berlin")
    mine, meant = (
        fast.decode(lines, context),
        Decoder([], fast.line_parser, fast.native, fast.target).decode(lines, context),
    )
    assert [column.to_pylist() for column in mine.columns] == [column.to_pylist() for column in meant.columns]


def test_rfc3164_host_with_the_name_of_a_zone() -> None:
    found = row("syslog_rfc3164", "Nov 22 01:00:11 utc app: x")
    assert found == {"timestamp": at(2026, 11, 22, 1, 0, 11), "hostname": "utc", "tag": "app", "message": "x"}


@pytest.mark.parametrize("zone", ["CST", "IST", "XYZ"])
def test_rfc3164_ambiguous_zone(zone: str) -> None:
    assert is_corrupt("syslog_rfc3164", f"<189>Nov 22 01:00:11 {zone}: %SYS-5-CONFIG_I: x")


@pytest.mark.parametrize("word", ["CEST", "CST", "UTC", "2024"])
def test_rfc3164_zone_or_year_in_place_of_the_host(word: str) -> None:
    """It would be the host, with a time of another zone or year, and the host would be in the message."""
    assert is_corrupt("syslog_rfc3164", f"<34>Oct 11 22:14:15 {word} web-1 app: x")


@pytest.mark.parametrize(
    ("after_host", "expected"),
    [
        ("CET: %SYS-5-CONFIG_I: x", {"tag": "CET", "message": "%SYS-5-CONFIG_I: x"}),
        ("CET: text", {"tag": "CET", "message": "text"}),
        ("app:text: more", {"tag": "app", "message": "text: more"}),
        ("app[7]:5 left", {"tag": "app", "pid": 7, "message": "5 left"}),
        ("app[7]:", {"tag": "app", "pid": 7}),
        ("10:23 text", {"message": "10:23 text"}),
        ("10: text", {"tag": "10", "message": "text"}),
        ("fe80::1 text", {"message": "fe80::1 text"}),
        ("http://x/ text", {"message": "http://x/ text"}),
        ("two words: text", {"message": "two words: text"}),
        ("  text", {"message": "  text"}),
        # In rsyslog and syslog-ng the colon after a process number is optional; RFC 3164 ends a tag at the bracket
        ("chronyd[1119] [warn] no source", {"tag": "chronyd", "pid": 1119, "message": "[warn] no source"}),
        ("chronyd[main] no source", {"message": "chronyd[main] no source"}),
        ("chronyd[1119]no source", {"message": "chronyd[1119]no source"}),
        ("no source[12] found", {"message": "no source[12] found"}),
    ],
)
def test_rfc3164_tags(after_host: str, expected: dict[str, Any]) -> None:
    found = row("syslog_rfc3164", f"Nov 22 01:00:11 host {after_host}")
    assert found == {"timestamp": at(2026, 11, 22, 1, 0, 11), "hostname": "host", **expected}


@pytest.mark.parametrize(
    "line",
    [
        "<192>Nov 22 01:00:11 h a: b", "<01>Nov 22 01:00:11 h a: b", "Nov 32 01:00:11 h a: b",
        "<189>643 Nov 22 01:00:11 h a: b", "<189>643: Configured", "<189>router-1: Nov 22 01:00:11: a: b",
    ],
)  # fmt: skip
def test_line_that_is_not_rfc3164(line: str) -> None:
    assert is_corrupt("syslog_rfc3164", line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed",
            {
                "facility": 4, "severity": 2, "version": 1, "timestamp": at(2003, 10, 11, 22, 14, 15, 3000),
                "hostname": "mymachine.example.com", "app_name": "su", "msgid": "ID47", "message": "'su root' failed",
            },
        ),
        (
            "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time",
            {
                "facility": 20, "severity": 5, "version": 1, "timestamp": at(2003, 8, 24, 12, 14, 15, 3),
                "hostname": "192.0.2.1", "app_name": "myproc", "procid": "8710", "message": "%% It's time",
            },
        ),
        (
            ('<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [exampleSDID@32473 iut="3" eventID="1011"]'
            '[examplePriority@32473 class="high"]'),
            {
                "facility": 20, "severity": 5, "version": 1, "timestamp": at(2003, 10, 11, 22, 14, 15, 3000),
                "hostname": "h", "app_name": "evntslog", "msgid": "ID47",
                "structured_data": [
                    ("exampleSDID@32473.iut", "3"), ("exampleSDID@32473.eventID", "1011"),
                    ("examplePriority@32473.class", "high"),
                ],
            },
        ),
        ("<0>1 - - - - - -", {"facility": 0, "severity": 0, "version": 1}),
        (
            r'<165>1 - - - - - [a x="q\"]\\ \] \n"][b] msg',
            {
                "facility": 20, "severity": 5, "version": 1, "message": "msg",
                "structured_data": [("a.x", 'q"]\\ ] \\n'), ("b", "")],
            },
        ),
        (
            '<165>1 - - - - - [a x="1" y= "a b" z=  ""] msg',
            {
                "facility": 20, "severity": 5, "version": 1, "message": "msg",
                "structured_data": [("a.x", "1"), ("a.y", "a b"), ("a.z", "")],
            },
        ),
    ],
)  # fmt: skip
def test_rfc5424(line: str, expected: dict[str, Any]) -> None:
    assert row("syslog_rfc5424", line) == expected


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("State changed from starting to up", {"message": "State changed from starting to up"}),
        ("-5 degrees", {"message": "-5 degrees"}),
        ("- -", {"message": "-"}),
        ("- ", {"message": ""}),
        (" two blanks", {"message": " two blanks"}),
        ('[a x="1"]', {"structured_data": [("a.x", "1")]}),
        ('[a x="1"] ', {"structured_data": [("a.x", "1")], "message": ""}),
        ("- [a is no data] but text", {"message": "[a is no data] but text"}),
    ],
)
def test_rfc5424_without_structured_data(rest: str, expected: dict[str, Any]) -> None:
    """Heroku's drains write the message without structured data before it."""
    found = row("syslog_rfc5424", f"<40>1 2026-11-22T01:00:11+00:00 host app web.3 - {rest}")
    head = {"version": 1, "timestamp": at(2026, 11, 22, 1, 0, 11), "hostname": "host", "app_name": "app"}
    assert found == {"facility": 5, "severity": 0, **head, "procid": "web.3", **expected}


@pytest.mark.parametrize("data", ["[a", '[a x="1]', "[]", "[a x=1]", "[a]b", "[text]s"])
def test_rfc5424_with_invalid_structured_data(data: str) -> None:
    assert is_corrupt("syslog_rfc5424", f"<34>1 - h a - - {data} message")


CEF = r"CEF:0|security|threatmanager|1.0|100|detected a \| in message|10|src=10.0.0.1 act=blocked a \= dst=1.1.1.1"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("", {}),
        ("Sep 19 08:26:10 host ", {"time": at(2026, 9, 19, 8, 26, 10), "host": "host"}),
        ("<13>Sep 19 2024 08:26:10 host ", {"pri": 13, "time": at(2024, 9, 19, 8, 26, 10), "host": "host"}),
        ("2026-09-19T08:26:10Z host ", {"time": at(2026, 9, 19, 8, 26, 10), "host": "host"}),
        ("<13>1 2026-09-19T08:26:10Z host ", {"pri": 13, "time": at(2026, 9, 19, 8, 26, 10), "host": "host"}),
    ],
)
def test_cef_after_any_header(before: str, expected: dict[str, Any]) -> None:
    assert row("cef", before + CEF) == {
        **expected, "version": 0, "device_vendor": "security", "device_product": "threatmanager", "device_version": "1.0",
        "device_event_class_id": "100", "name": "detected a | in message", "severity": "10",
        "extension": [("src", "10.0.0.1"), ("act", "blocked a ="), ("dst", "1.1.1.1")],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "hour", "host"),
    [("UTC fw", 1, "fw"), ("PDT fw", 8, "fw"), ("UTC", 1, "UTC"), ("FWA", 1, "FWA"), ("IST fw", None, "fw")],
)
def test_cef_after_a_time_with_a_zone(zone: str, hour: int | None, host: str) -> None:
    line = f"<134>Nov 22 2026 01:00:11 {zone} {CEF}"
    assert is_corrupt("cef", line) == (hour is None)
    if hour is not None:
        assert (found := row("cef", line))["host"] == host
        assert found["time"] == at(2026, 11, 22, hour, 0, 11)


def test_cef_without_one_of_the_header_fields() -> None:
    for line in ("CEF:0|v|p|1|2|5|src=1", "CEF:0|v|p|1|2|5|src=1 msg=a b", "CEF:0|v|p|1|2|n|m|5|src=1"):
        assert is_corrupt("cef", line)
    assert row("cef", r"CEF:0|v|p|1|2|n=m|Info\|1|src=1")["severity"] == "Info|1"


def test_cef_extension() -> None:
    line = r"CEF:1|v|p\\|-||name|Very-High|cs1Label=rule cs1=a b  c request=http://x/?q=1&r=2 msg=one\ntwo empty="
    found = row("cef", line)
    assert (found["device_product"], found["device_version"], found["device_event_class_id"]) == ("p\\", "-", "")
    assert found["extension"] == [
        ("cs1Label", "rule"), ("cs1", "a b  c"), ("request", "http://x/?q=1&r=2"), ("msg", "one\ntwo"), ("empty", "")
    ]  # fmt: skip
    assert row("cef", "CEF:0|v|p|1|2|n|5|")["extension"] == []
    assert row("cef", "CEF:0|v|p|1|2|n|5").get("extension") is None
    assert row("cef", "CEF: 1|v|p|1|2|n|5|a=b")["version"] == 1
    assert is_corrupt("cef", "CEF:0|v|p|1|2|n|5|no pairs")


@pytest.mark.parametrize(
    "message",
    [
        "--- last message repeated 2 times ---", "CEF:0|Vendor Name|product|1|100|name|3|src=192.0.2.1", "LEEF:1.0|a b|c|1|d|",
        '{"a":1} b', "<notice> b", "-- b", "a/b c", "",
    ],
)  # fmt: skip
def test_text_that_is_no_host_is_the_message(message: str) -> None:
    """RFC 3164, 4.1.2: the HOSTNAME is a name or an address."""
    found = row("syslog_rfc3164", f"<13>Nov 22 01:00:11 {message}")
    assert found.get("message", "") == message
    assert not {"hostname", "tag"} & found.keys()


@pytest.mark.parametrize("host", ["web-1", "192.0.2.7", "2001:db8::1", "[2001:db8::1]", "a_b.example", "é"])
def test_host_is_a_name_or_an_address(host: str) -> None:
    found = row("syslog_rfc3164", f"<13>Nov 22 01:00:11 {host} CEF:0|a|b|1|2|c|3|")
    assert (found["hostname"], found["message"]) == (host, "CEF:0|a|b|1|2|c|3|")
    assert row("syslog_rfc3164", f"<13>Nov 22 01:00:11 {host} su[1]: x")["hostname"] == host


def test_rfc5424_octet_count() -> None:
    found = row("syslog_rfc5424", "83 <40>1 2026-11-30T06:45:29+00:00 host app web.3 - State changed")
    assert (found["octet_count"], found["hostname"], found["procid"]) == (83, "host", "web.3")
    assert found["message"] == "State changed"
    assert is_corrupt("syslog_rfc5424", "x <40>1 2026-11-30T06:45:29+00:00 host app web.3 - State changed")


@pytest.mark.parametrize(
    "head", ["<134> Nov 22 2026 01:00:11", "<134>1 2026-11-22T01:00:11Z", "<134>Nov 22 2026 01:00:11"]
)
def test_cef_after_a_priority(head: str) -> None:
    found = row("cef", f"{head} fw-1 CEF:0|a|b|c|d|e|5|src=1")
    assert (found["pri"], found["time"], found["host"]) == (134, at(2026, 11, 22, 1, 0, 11), "fw-1")


@pytest.mark.parametrize(
    ("levels", "numbers"),
    [
        ("mail.notice", (2, 5)),
        ("2.5", (2, 5)),
        ("local7.debug", (23, 7)),
        ("security.err", (13, 3)),
        ("kern.warn", (0, 4)),
    ],
)
def test_facility_and_severity_after_the_time(levels: str, numbers: tuple[int, int]) -> None:
    found = row("syslog_rfc3164", f"Jun 17 14:37:39 <{levels}> robin sm-mta[2794]: x")
    assert (found["facility"], found["severity"]) == numbers
    assert (found["hostname"], found["tag"], found["pid"], found["message"]) == ("robin", "sm-mta", 2794, "x")


@pytest.mark.parametrize("text", ["<info>", "<mail.>", "<mailx.notice>", "<mail.notice>x"])
def test_other_text_in_angle_brackets_is_the_message(text: str) -> None:
    found = row("syslog_rfc3164", f"Jun 17 14:37:39 {text} robin sm-mta: x")
    assert found["message"] == f"{text} robin sm-mta: x"
    assert "facility" not in found


def test_priority_before_the_time_takes_precedence() -> None:
    found = row("syslog_rfc3164", "<13>Jun 17 14:37:39 <mail.notice> robin su: x")
    assert (found["facility"], found["severity"], found["hostname"]) == (1, 5, "robin")
    assert is_corrupt("syslog_rfc3164", "Jun 17 14:37:39 <24.5> robin su: x")


def test_octet_count_before_rfc3164() -> None:
    found = row("syslog_rfc3164", "57 <34>Nov 22 01:00:11 web-1 su: failed")
    assert (found["octet_count"], found["facility"], found["hostname"], found["tag"]) == (57, 4, "web-1", "su")
    for line in (
        "57 Nov 22 01:00:11 web-1 su: x",
        "057 <34>Nov 22 01:00:11 web-1 su: x",
        "57<34>Nov 22 01:00:11 a b: x",
    ):
        assert is_corrupt("syslog_rfc3164", line)
    assert "octet_count" not in row("syslog_rfc3164", "2026-11-22T01:00:13Z web-1 su: <34> x")


def test_octet_count_before_cef() -> None:
    found = row("cef", "77 <134>Nov 22 01:00:11 fw-1 CEF:0|a|b|c|d|e|5|src=1")
    assert (found["octet_count"], found["pri"], found["host"], "header" in found) == (77, 134, "fw-1", False)
    assert row("cef", "77 CEF:0|a|b|c|d|e|5|src=1")["header"] == "77 "
