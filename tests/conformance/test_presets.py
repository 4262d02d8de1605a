"""Presets in the suite that all formats inherit: structured data, composite fields, CEF extensions, headers."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.conformance.suite import FormatConformance
from tests.support.preset_lines import at


class TestStructuredData(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"preset": "syslog_rfc5424"}
    lines: ClassVar[list[str]] = [
        '<165>1 2026-11-22T01:00:11.003Z h app 17 ID47 [a@1 x="q\\"]\\\\" y="é"][b] all fine',
        "<34>1 - - - - - -",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "facility": 20, "severity": 5, "version": 1, "timestamp": at(2026, 11, 22, 1, 0, 11, 3000), "hostname": "h",
            "app_name": "app", "procid": "17", "msgid": "ID47",
            "structured_data": [("a@1.x", 'q"]\\'), ("a@1.y", "é"), ("b", "")], "message": "all fine",
        },
        {
            "facility": 4, "severity": 2, "version": 1, "timestamp": None, "hostname": None, "app_name": None,
            "procid": None, "msgid": None, "structured_data": None, "message": None,
        },
    ]  # fmt: skip


class TestCompositeFields(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"preset": "postgres"}
    lines: ClassVar[list[str]] = [
        "2026-11-22 01:00:11.045 UTC [123-7] ana@shop ERROR:  relation does not exist",
        "2026-11-22 01:00:12.000 UTC [123] LOG:  ready",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "log_time": at(2026, 11, 22, 1, 0, 11, 45000), "time_zone": "UTC", "process_id": 123, "session_line_num": 7,
            "user_name": "ana", "database_name": "shop", "error_severity": "ERROR", "message": "relation does not exist",
        },
        {
            "log_time": at(2026, 11, 22, 1, 0, 12), "time_zone": "UTC", "process_id": 123, "session_line_num": None,
            "user_name": None, "database_name": None, "error_severity": "LOG", "message": "ready",
        },
    ]  # fmt: skip


class TestZoneNames(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"preset": "postgres", "timeZone": "Asia/Kolkata"}
    lines: ClassVar[list[str]] = [
        "2026-07-17 13:36:42.585 CEST [835] LOG:  a",
        "2026-01-17 13:36:42.000 PST [835] LOG:  b",
        "2026-01-17 13:36:42.000 IST [835] LOG:  c",
        "2026-01-17 13:36:42.000 -03 [835] LOG:  d",
        "2026-01-17 13:36:42.000 [835] LOG:  e",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"log_time": at(2026, 7, 17, 11, 36, 42, 585000), "time_zone": "CEST", "process_id": 835, "message": "a"},
        {"log_time": at(2026, 1, 17, 21, 36, 42), "time_zone": "PST", "process_id": 835, "message": "b"},
        {"log_time": at(2026, 1, 17, 8, 6, 42), "time_zone": "IST", "process_id": 835, "message": "c"},
        {"log_time": at(2026, 1, 17, 16, 36, 42), "time_zone": "-03", "process_id": 835, "message": "d"},
        {"log_time": at(2026, 1, 17, 8, 6, 42), "time_zone": None, "process_id": 835, "message": "e"},
    ]


class TestCiscoZoneNames(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"preset": "syslog_rfc3164", "timeZone": "America/Chicago"}
    broken: ClassVar[str | None] = "\x01"
    lines: ClassVar[list[str]] = [
        "<189>Jul 17 2026 13:36:42.500 PDT: %SYS-5-CONFIG_I: a",
        "<189>Jan 17 2026 13:36:42.000 CST: %SYS-5-CONFIG_I: b",
        "<189>2026 Jan 17 13:36:42 UTC : %UCSM-6-AUDIT: c",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "timestamp": at(2026, 7, 17, 20, 36, 42, 500000),
            "time_zone": "PDT",
            "tag": "%SYS-5-CONFIG_I",
            "message": "a",
        },
        {"timestamp": at(2026, 1, 17, 19, 36, 42), "time_zone": "CST", "tag": "%SYS-5-CONFIG_I", "message": "b"},
        {"timestamp": at(2026, 1, 17, 13, 36, 42), "time_zone": None, "tag": "%UCSM-6-AUDIT", "message": "c"},
    ]


class TestCefExtension(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"preset": "cef"}
    lines: ClassVar[list[str]] = [
        r"<13>2026-11-22T01:00:11Z h CEF:0|v|p|1|100|a \| b|10|src=10.0.0.1 msg=a \= b",
        "CEF:0||||||",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "pri": 13, "time": at(2026, 11, 22, 1, 0, 11), "host": "h", "header": None, "version": 0,
            "device_vendor": "v", "name": "a | b", "severity": "10",
            "extension": [("src", "10.0.0.1"), ("msg", "a = b")],
        },
        {
            "pri": None, "time": None, "host": None, "header": None, "version": 0, "device_vendor": "", "name": "",
            "severity": "", "extension": None,
        },
    ]  # fmt: skip


class TestHeader(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "preset": "w3c_iis",
        "schema": "timestamp timestamp, c_ip string, sc_status int, cs_user_agent string",
    }
    head: ClassVar[str] = "#Version: 1.0\n#Fields: date time c-ip cs(User-Agent) sc-status\n"
    lines: ClassVar[list[str]] = ["2026-11-22 01:00:11 192.0.2.7 Mozilla/5.0+(X11) 200", "2026-11-22 01:00:12 - - -"]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"timestamp": at(2026, 11, 22, 1, 0, 11), "c_ip": "192.0.2.7", "sc_status": 200, "cs_user_agent": "Mozilla/5.0+(X11)"},
        {"timestamp": at(2026, 11, 22, 1, 0, 12), "c_ip": None, "sc_status": None, "cs_user_agent": None},
    ]  # fmt: skip
