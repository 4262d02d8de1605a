"""The formats ``regex`` and ``grok`` in the suite that all formats inherit, and their records of several lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

import pyspark_logs
from pyspark_logs.errors import FormatError
from tests.conformance.suite import FormatConformance
from tests.support import grok_examples as examples

APP = (
    r"^%{TIMESTAMP_ISO8601:ts} %{LOGLEVEL:level} \[%{DATA:service}\] user=(?:%{INT:user:long}|-) %{GREEDYDATA:message}"
)


class TestRegex(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "regex": r"^(?<level>\w+) \[(?<service>[^\]]*)\](?: took=(?P<ms>\d+))? (?<text>.*)$"
    }
    lines: ClassVar[list[str]] = ["INFO [checkout] took=17 done", "WARN [] took=", "ERROR [ä] x"]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"level": "INFO", "service": "checkout", "ms": "17", "text": "done"},
        {"level": "WARN", "service": "", "ms": None, "text": "took="},
        {"level": "ERROR", "service": "ä", "ms": None, "text": "x"},
    ]
    writes = False


class TestRegexWithTypes(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "regex": r"(?<n>\S+) (?<x>\S+) (?<on>\S+) (?<word>\S+)$",
        "schema": "n bigint, word string, x double, on date",
    }
    lines: ClassVar[list[str]] = ["17 1.5 2026-11-22 a", "- - - -"]
    broken = "x y"
    rows: ClassVar[list[dict[str, Any]]] = [
        {"n": 17, "word": "a", "x": 1.5},
        {"n": None, "word": "-", "x": None, "on": None},
    ]
    writes = False


class TestGrok(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"grok": APP}
    lines: ClassVar[list[str]] = [
        "2026-11-22T01:00:11.045Z INFO [checkout] user=17 order 1 done",
        "2026-11-22 01:00:12,5 WARN [] user=- slöw",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "ts": "2026-11-22T01:00:11.045Z",
            "level": "INFO",
            "service": "checkout",
            "user": 17,
            "message": "order 1 done",
        },
        {"ts": "2026-11-22 01:00:12,5", "level": "WARN", "service": None, "user": None, "message": "slöw"},
    ]
    writes = False


class TestGrokCombined(FormatConformance):
    options: ClassVar[dict[str, Any]] = {"grok": "%{COMBINEDAPACHELOG}"}
    lines: ClassVar[list[str]] = [
        examples.COMBINED,
        examples.COMBINED.replace("2326", "-").replace("GET /apache_pb.gif HTTP/1.0", "-"),
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"clientip": "192.0.2.7", "auth": "frank", "verb": "GET", "bytes": "2326", "rawrequest": None},
        {"clientip": "192.0.2.7", "auth": "frank", "verb": None, "bytes": None, "rawrequest": "-"},
    ]
    writes = False


class TestGrokWithDefinitions(FormatConformance):
    options: ClassVar[dict[str, Any]] = {
        "grok": "%{SYSLOGBASE} %{QUEUEID:[queue][id]}: %{GREEDYDATA:message}", "grokPatterns": {"QUEUEID": "[0-9A-F]{10,11}"},
    }  # fmt: skip
    lines: ClassVar[list[str]] = [
        "Jan  1 06:25:43 mailserver14 postfix/cleanup[21403]: BEF25A72965: message-id=<20130101@mailserver14.example.com>",
        "Jan 12 06:25:43 mailserver14 postfix: 0EF25A7296: removed",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {"logsource": "mailserver14", "program": "postfix/cleanup", "pid": "21403", "queue.id": "BEF25A72965"},
        {
            "logsource": "mailserver14",
            "program": "postfix",
            "pid": None,
            "queue.id": "0EF25A7296",
            "message": "removed",
        },
    ]
    writes = False


# --- records of several lines ---

TRACE = "java.lang.IllegalStateException: boom\n\tat org.example.Main.run(Main.java:42)\n\t... 3 more"


@pytest.mark.parametrize(
    "options",
    [
        {"grok": APP},
        {"grok": APP + "$"},
        {"regex": r"^(?<ts>\S+) (?<level>\w+) \[(?<service>[^\]]*)\] user=(?<user>\S+) (?<message>.*)$"},
    ],
)
@pytest.mark.parametrize("size", [1, 50, 1 << 20])
@pytest.mark.parametrize("starts", ["true", r"^\d{4}-"])
def test_stack_traces_join_the_last_column(tmp_path: Path, options: dict[str, Any], size: int, starts: str) -> None:
    line = "2026-11-22T01:00:11Z ERROR [pay] user=17 failed"
    (tmp_path / "a.log").write_text(f"{line}\n{TRACE}\n{line}\n", encoding="utf-8")
    found = pyspark_logs.scan(
        str(tmp_path), **options, multiLine=starts, maxPartitionBytes=size, openCostInBytes=1, mode="FAILFAST"
    ).read_all()
    assert found["message"].to_pylist() == [f"failed\n{TRACE}", "failed"]
    assert found["level"].to_pylist() == ["ERROR", "ERROR"]


def test_lines_are_not_joined_if_the_expression_does_not_match_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x 17\n  at y\n", encoding="utf-8")
    with pytest.raises(FormatError, match="whose expression does not end in"):
        pyspark_logs.scan(str(tmp_path), regex=r"^(?<a>\w) (?<n>\d+)", multiLine="true").read_all()


def test_bad_records_are_written_with_their_reasons(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x 17\nx y\nx z\n?\n", encoding="utf-8")
    bad = tmp_path / "bad"
    reader = pyspark_logs.scan(
        str(tmp_path / "a.log"), regex=r"^(?<a>\w) (?<n>\w+)", schema="a string, n int", badRecordsPath=str(bad)
    )
    assert reader.read_all()["n"].to_pylist() == [17, None, None, None]
    written = "".join(path.read_text(encoding="utf-8") for path in bad.rglob("*") if path.is_file())
    assert "field 'n': 'y': not a whole number" in written
    assert "the line does not match" in written
