"""Every line format in the suite that they all inherit."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, ClassVar

from tests.conformance.suite import FormatConformance


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type, misc]


class TestTemplate(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "template": "{ts:timestamp} {level} [{service}] user={user:long?} cost={cost:decimal(9,2)?} on={on:date?}"
        " tags={tags:list(;)} agent={agent:quoted?} {message}{? trace={trace}?}"
    }
    lines: ClassVar[list[str]] = [
        '2026-11-22T01:00:11.045Z INFO [checkout] user=17 cost=3.50 on=2026-11-22 tags=a;b agent="a \\"b\\"" order 1 done trace=7f',
        '2026-11-22 01:00:12,5 WARN [cart] user=- cost=- on=- tags= agent="-" slöw = "very"',
        '2026-11-22T01:00:13+01:00 ERROR [] user= cost= on= tags=; agent="" x',
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "ts": at(2026, 11, 22, 1, 0, 11, 45000), "level": "INFO", "service": "checkout", "user": 17,
            "cost": Decimal("3.50"), "on": date(2026, 11, 22), "tags": ["a", "b"], "agent": 'a "b"',
            "message": "order 1 done", "trace": "7f",
        },
        {
            "ts": at(2026, 11, 22, 1, 0, 12, 500000), "level": "WARN", "service": "cart", "user": None, "cost": None,
            "on": None, "tags": [], "agent": None, "message": 'slöw = "very"', "trace": None,
        },
        {
            "ts": at(2026, 11, 22, 0, 0, 13), "level": "ERROR", "service": "", "user": None, "cost": None, "on": None,
            "tags": ["", ""], "agent": None, "message": "x", "trace": None,
        },
    ]  # fmt: skip


class TestPreset(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"preset": "apache_combined"}
    lines: ClassVar[list[str]] = [
        '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a\\"b HTTP/1.0" 200 2326 "http://x.example/" "Mozilla/4.08 [en] (Win98)"',
        '::1 - - [10/Oct/2000:13:55:37 -0700] "-" 408 - "-" "-"',
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "remote_host": "127.0.0.1", "remote_logname": None, "remote_user": "frank",
            "time": at(2000, 10, 10, 20, 55, 36), "request": 'GET /a"b HTTP/1.0', "status": 200, "bytes": 2326,
            "referer": "http://x.example/", "user_agent": "Mozilla/4.08 [en] (Win98)",
        },
        {
            "remote_host": "::1", "remote_logname": None, "remote_user": None, "time": at(2000, 10, 10, 20, 55, 37),
            "request": None, "status": 408, "bytes": None, "referer": None, "user_agent": None,
        },
    ]  # fmt: skip


class TestJson(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "json": "true",
        "schema": "ts timestamp, level string, n bigint, ok boolean, x double, tags array<string>, m map<string,string>, s struct<a:bigint,b:string>",
    }
    lines: ClassVar[list[str]] = [
        '{"ts":"2026-11-22T01:00:11Z","level":"INFO","n":17,"ok":true,"x":1.5,"tags":["a","b"],"m":{"k":"v"},"s":{"a":1,"b":"x\\n"}}',
        '{"level": "WÄRN", "ts": null}',
        '{"s": {"b": null}, "n": -3}',
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "ts": at(2026, 11, 22, 1, 0, 11), "level": "INFO", "n": 17, "ok": True, "x": 1.5, "tags": ["a", "b"],
            "m": [("k", "v")], "s": {"a": 1, "b": "x\n"},
        },
        {"ts": None, "level": "WÄRN", "n": None, "ok": None, "x": None, "tags": None, "m": None, "s": None},
        {
            "ts": None, "level": None, "n": -3, "ok": None, "x": None, "tags": None, "m": None,
            "s": {"a": None, "b": None},
        },
    ]  # fmt: skip
