"""Likely mistakes in options and arguments: each message says what to write instead."""

from __future__ import annotations

import datetime as dt
import logging
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import pyspark_logs
from pyspark_logs.errors import LogSourceError, PathNotFoundError
from pyspark_logs.offsets import Offset, StreamFile, is_changed

TEMPLATE = "{ts:timestamp} {level} {message}"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "app.log"
    path.write_text("2026-11-22T01:00:11Z INFO started\n")
    return str(path)


OPTION_MISTAKES: list[tuple[dict[str, Any], str]] = [
    # conditions
    ({"where": "level = 'A' && level = 'B'"}, "write AND."),
    ({"where": "level = 'A' || level = 'B'"}, "write OR."),
    ({"where": "ts > 2026-11-22"}, "'-11-22': expected AND, OR or the end; a time is written TIMESTAMP '2026-11-22'"),
    ({"where": "level ilike 'e%'"}, "write RLIKE '(?i)text'"),
    ({"where": "message contains 'x'"}, "write LIKE '%text%'"),
    ({"where": "WHERE level = 'A'"}, "write the condition alone, without WHERE"),
    ({"where": "SELECT * FROM logs"}, "write the condition alone, without SELECT"),
    ({"where": "level = 'A' LIMIT 5"}, "the option takes the condition alone"),
    ({"where": "level = 'A';"}, "leave the semicolon out"),
    ({"where": "level = ’A’"}, "write straight quotes"),
    ({"where": "level = ?"}, "write the value itself"),
    ({"where": "message ~ 'x'"}, "write RLIKE"),
    ({"where": "rlike(message, 'x')"}, "RLIKE is an operator; write column RLIKE 'pattern'"),
    ({"where": "level = 'A' OR"}, "at position 15, the end: expected a column or a literal"),
    ({"where": "level.x = 1"}, "column 'level' is of type string, and has no field 'x'; a column whose name has dots"),
    ({"where": "ts > now() - interval 1 hour"}, "now is a function; write the time itself, such as TIMESTAMP '"),
    ({"where": "date(ts) = '2026-11-22'"}, "write a range of the column: ts >= '2026-11-22' AND"),
    ({"where": "ts > '1 hour ago'"}, "with which it is compared; write a time such as '2026-11-22 07:30:00'"),
    ({"where": "ts > 1700000000"}, "timestamp cannot be compared with int; write a time such as '2026-11-22 07:30:00'"),
    ({"where": "ts > 2026-11-22T00:00:00Z"}, "a time is written TIMESTAMP '2026-11-22T00:00:00'"),
    ({"where": "ts::date = '2026-11-22'"}, "leave the cast out"),
    ({"where": "level IN 'A'"}, "write IN ('A')"),
    ({"where": "level IN ['A']"}, "write a list in parentheses"),
    ({"where": "level = ('A', 'B')"}, "write IN (...) for several values"),
    ({"where": "level LIKE '*A*'"}, "in LIKE, '*' is text; write %"),
    ({"where": "message = 'it's'"}, "the string is not closed; a quote in a string is doubled: 'it''s'"),
    ({"where": "level IS 'A'"}, "write = 'A'"),
    ({"where": "level IS A"}, "write = 'A'"),
    ({"where": "level IS NOT None"}, "write IS NULL or IS NOT NULL"),
    ({"where": "level = None"}, "; write IS NULL or IS NOT NULL."),
    ({"where": "level === 'A'"}, "write =, once"),
    ({"where": "level.contains('A')"}, "level.contains is a function; write LIKE '%text%'"),
    ({"where": "col('level') = 'A'"}, "write the name of the column alone"),
    ({"where": "message NOT CONTAINS 'x'"}, "write NOT LIKE '%text%'"),
    ({"where": "count(*) > 1"}, "count the rows of the result"),
    ({"where": "level = 'A' -- errors"}, "leave the comment out"),
    ({"where": "level = NULL"}, "write IS NULL or IS NOT NULL"),
    ({"where": 5}, "option 'where': 5 is not a string, such as \"level = 'ERROR'"),
    ({"where": pc.field("level") == "A"}, "is not a string, such as"),
    # templates
    ({"template": "{ts:timestamp:%Y} {x}"}, "in parentheses: timestamp(%Y)"),
    ({"template": "{ts:timestamp('%Y')} {x}"}, "has no quotes: timestamp(%Y)"),
    ({"template": "{ts:timestamp(yyyy-MM)} {x}"}, "write those of strptime, such as %Y-%m-%d"),
    ({"template": "{d:date(%d/%m/%Y)} {x}"}, "write timestamp(%d/%m/%Y)"),
    ({"template": "{a?:int} {b}"}, "the '?' of field 'a' follows its type: {a:int?}"),
    ({"template": "{a:enum(x, y)} {b}"}, "has its texts between '|': enum(x|y)"),
    ({"template": "{a:epoch} {b}"}, "epoch(us) or epoch(ns)"),
    ({"template": "{a:iso8601} {b}"}, "did you mean timestamp?"),
    ({"template": "{a:URL} {b}"}, "did you mean string?"),
    ({"template": "%{IP:client} {b}"}, "%{...} is grok; write grok="),
    ({"template": "%{ts} %{level}"}, "'%' is text. Write {ts} {level}"),
    ({"template": "%{TIMESTAMP_ISO8601:ts} %{WORD:level}"}, "write grok= for it, or {ts} {level} here"),
    ({"template": "%{IP:ip} %{WORD:word} %{NUMBER:n:int}"}, "write grok= for it, or {ip} {word} {n} here"),
    ({"template": "${ts} ${level}"}, "'$' is text. Write {ts} {level}"),
    ({"template": "$ts [$level] $message"}, "Write {ts} [{level}] {message}"),
    ({"template": "$remote_addr - $remote_user [$time_local]"}, "write nginx= for a log_format of nginx"),
    ({"template": "<ts> <level> <message>"}, "Write {ts} {level} {message}"),
    ({"template": "{{ts}} {{level}}"}, "Write {ts} {level}"),
    ({"template": "%(asctime)s %(levelname)-8s %(message)s"}, "Write {asctime} {levelname} {message}"),
    ({"template": r"(?P<ts>\S+) (?P<level>\w{4,5}) (?P<m>.*)"}, "is a regular expression; write regex= for it"),
    ({"template": r"(?<ts>\d{4}) (?<m>.*)"}, "is a regular expression; write regex= for it"),
    ({"template": '%h %l %u %t "%r" %>s %b'}, "write apache= for a LogFormat of Apache"),
    ({"template": '%h %u "%{Referer}i" "%{User-Agent}i"'}, "write apache= for a LogFormat of Apache"),
    ({"template": "%d{ISO8601} [%t] %-5level %logger{36} - %msg%n"}, "or logback= for a pattern of Logback"),
    ({"template": "%d %-5p %c - %m%n"}, "or logback= for a pattern of Logback"),
    ({"template": "%Y-%m-%d %H:%M:%S {level} {message}"}, "write {ts:timestamp(%Y-%m-%d %H:%M:%S)} for a time"),
    ({"template": "yyyy-MM-dd HH:mm:ss {level} {message}"}, "write {ts:timestamp(%Y-%m-%d %H:%M:%S)} for a time"),
    ({"template": "template.txt"}, "is the name of a file, and the option takes the text"),
    ({"template": "aws_alb"}, "is the name of a preset; write preset=aws_alb"),
    ({"template": "2026-11-22 INFO started"}, "`pyspark-logs detect FILE` proposes a template"),
    # layouts
    ({"layout": "YYYY/MM/DD"}, "fields are in braces: {yyyy}/{MM}/{dd}"),
    ({"layout": "{YYYY}/{MM}"}, "did you mean {yyyy}?"),
    ({"layout": "{yyyy}/{MM}/{DD}"}, "did you mean {dd}?"),
    ({"layout": "s3://logs/{yyyy}"}, "is a path; a layout begins below the load path"),
    ({"layout": "hive"}, "leave the option out: without it, directories such as team=search are columns"),
    ({"layout": "$team/{yyyy}"}, "'$team' is text; fields are in braces: {team}"),
    ({"layout": "<team>/%{yyyy}"}, "'<team>' is text; fields are in braces: {team}"),
    ({"pathGlobFilter": ".log"}, "write *.log"),
    ({"pathGlobFilter": r".*\.log$"}, "write a glob such as *.log"),
    # presets
    ({"preset": "alb"}, "did you mean 'aws_alb' or"),
    ({"preset": "aws-alb"}, "did you mean 'aws_alb'? "),
    ({"preset": "nginx"}, "did you mean 'nginx_combined' or 'nginx_error'?"),
    ({"preset": "kubernetes"}, "did you mean 'cri' or 'klog' or"),
    ({"preset": "s3"}, "did you mean 'aws_s3_access'?"),
    ({"preset": "json"}, "json is an option of its own"),
    ({"anyOf": [{"preset": "haproxy"}]}, "did you mean 'haproxy_http' or 'haproxy_tcp'?"),
    # schemas
    ({"schema": ["ts", "level"]}, "is a list of names; write Spark DDL"),
    ({"schema": "ts, level"}, "has no type for column 'ts'"),
    ({"schema": "ts datetime"}, "unsupported type datetime; use timestamp"),
    ({"schema": "level text"}, "unsupported type text; use string"),
    ({"schema": "ts timestamp,"}, "has no further text where a column name belongs"),
    ({"schema": "message array<string>"}, "; ask for string and cast in the query"),
    # values
    ({"compression": "gz"}, "did you mean gzip?"),
    ({"compression": "infer"}, "leave it out: readers go by the first bytes"),
    ({"mode": "skip"}, "write DROPMALFORMED"),
    ({"mode": "strict"}, "write FAILFAST"),
    ({"multiLine": "yes"}, "'yes' is not true, false or a regular expression"),
    ({"multiLine": 1}, "1 is not true, false or a regular expression"),
    ({"delimited": "tab"}, r"write delimited='\t'"),
    ({"delimited": True}, "True is not a separator such as ','"),
    ({"json": True, "recordsPath": "$.Records[*]"}, "without $ and [*]; write Records"),
    ({"json": True, "recordsPath": "Records"}, "no line of the sample has an array of JSON objects at recordsPath 'Records'"),
    ({"nginx": "nginx.conf"}, "is the name of a file, and the option takes its content"),
    ({"nginx": "main"}, "is the name of a format"),
    ({"apache": "combined"}, "or write preset=apache_combined"),
    ({"apache": "LogFormat %h %u common"}, "put the whole format into quotes"),
    ({"logback": "/etc/logback.xml"}, "is the name of a file"),
    ({"regex": "{ts} {level}"}, "It is the notation of another option; write template="),
    ({"grok": "{ts} {level}"}, "It is the notation of another option; write template="),
    ({"nginx": "{remote_addr}"}, "It is the notation of another option; write template="),
    ({"nginx": "%h %l %u"}, "It is the notation of another option; write apache="),
    ({"apache": "$remote_addr"}, "It is the notation of another option; write nginx="),
    ({"logback": "{level} {message}"}, "It is the notation of another option; write template="),
    ({"delimited": "\\|"}, "it is not a regular expression: write delimited='|'"),
    ({"preset": "csv"}, "write delimited="),
    ({"preset": "alb_logs"}, "did you mean 'aws_alb' or"),
    ({"preset": "custom"}, "`pyspark-logs detect FILE` finds the format of a file"),
    ({"startTime": "1h"}, "times are absolute: compute it"),
    ({"startTime": dt.timedelta(hours=1)}, "times are absolute: compute it"),
    ({"startTime": 1763769600}, "write 2025-11-22T00:00:00Z for this number of seconds"),
    ({"endTime": "1763769600000"}, "write 2025-11-22T00:00:00Z for this number of milliseconds"),
    ({"timeZone": "Berlin"}, "did you mean Europe/Berlin?"),
    ({"timeZone": "UTC+1"}, "write Etc/GMT-1"),
    # options and arguments of other readers
    ({"since": "1h"}, "write startTime"),
    ({"on_bad_lines": "skip"}, "write mode=DROPMALFORMED"),
    ({"dtype": "str"}, "name the columns in a schema"),
    ({"date_format": "x"}, "write the pattern in the template"),
    ({"head": 5}, "use limit(n)"),
    ({"query": "x"}, "write where"),
    ({"ssl": True}, "caBundle"),
    ({"bucket": "b"}, "write it in the path"),
    ({"n_jobs": 4}, "threads=4"),
    ({"ndjson": True}, "write json=true"),
    ({"n": 5}, "use limit(n)"),
    ({"progress": True}, "progress: True is not a function of a ReadProgress; write progress=print"),
    ({"json": False}, "none is given; `pyspark-logs detect PATH` or pyspark_logs.detect(path) finds that of files"),
    ({"partition_cols": ["level"]}, "name the directories in layout"),
    ({"threads": "four"}, "'four' is not a whole number of one or more"),
    ({"summary": pyspark_logs.ScanSummary}, "write summary=pyspark_logs.ScanSummary()"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), OPTION_MISTAKES, ids=lambda value: str(value)[:50])
def test_a_mistake_in_an_option(options: dict[str, Any], message: str, file: str) -> None:
    names_format = options.keys() & {
        "preset",
        "anyOf",
        "delimited",
        "json",
        "nginx",
        "apache",
        "logback",
        "template",
        "regex",
        "grok",
    }
    with pytest.raises(LogSourceError, match=re.escape(message)):
        pyspark_logs.scan(file, **options, **({} if names_format else {"template": TEMPLATE})).read_all()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("$HOME/app.log", "variables are not expanded"),
        ("arn:aws:s3:::logs/app", "is an ARN; write s3://logs/app"),
        ("https://logs.s3.eu-central-1.amazonaws.com/app/a.log", "write s3://logs/app/a.log"),
        ("https://s3.amazonaws.com/logs/app", "write s3://logs/app"),
        ("a.log,b.log", "several paths are a list"),
        ("**/*.none", "'**' matches within one directory"),
    ],
)
def test_a_mistake_in_a_path(path: str, message: str) -> None:
    with pytest.raises(LogSourceError, match=re.escape(message)):
        pyspark_logs.scan(path, template=TEMPLATE)


def test_mistakes_in_arguments(file: str, tmp_path: Path) -> None:
    logs = pyspark_logs.dataset(file, template=TEMPLATE)
    rows: Any
    with pytest.raises(LogSourceError, match="columns: 0 is not the name of a column"):
        logs.to_table(columns=[0])
    with pytest.raises(LogSourceError, match="option 'rows': -1 is not a whole number of zero or more"):
        logs.head(-1)
    for rows, message in (
        ({"level": ["A"]}, "makes a table of a dict of columns"),
        (pa.table({"level": ["A"], "z": ["x"]}), "'z' is not in the format; drop it; .*the format has level, message"),
    ):
        with pytest.raises(LogSourceError, match=message):
            pyspark_logs.write(rows, tmp_path / "out", template="{level} {message}")
    with pytest.raises(LogSourceError, match="they are the first argument, and the path is the second"):
        pyspark_logs.write(tmp_path / "out", rows, template="{level} {message}")
    for mode, message in (
        ("w", "write mode='overwrite'"),
        ("ignore", "txnId happens once"),
        ("FAILFAST", "one of readers"),
    ):
        with pytest.raises(LogSourceError, match=f"mode '{mode}' is not 'append' or 'overwrite'.*{message}"):
            pyspark_logs.write(rows, tmp_path / "out", mode=mode, template="{level} {message}")
    with pytest.raises(LogSourceError, match="progress: 5 is not a function"):
        pyspark_logs.check(file, progress=5, template=TEMPLATE)  # type: ignore[arg-type]
    with pytest.raises(LogSourceError, match="the argument is older_than"):
        pyspark_logs.vacuum(tmp_path, olderThan="1d")
    with pytest.raises(LogSourceError, match=r"option 'path': 5 is not a string or an os\.PathLike"):
        pyspark_logs.detect(5)  # type: ignore[arg-type]
    with pytest.raises(LogSourceError, match="it is a file; give a directory"):
        pyspark_logs.write(pa.table({"level": ["A"], "message": ["b"]}), file, template="{level} {message}")
    with pytest.raises(PathNotFoundError, match="is a file; give the directory that jobs write to"):
        pyspark_logs.list_jobs(file)


def test_reasons_name_internal_types_in_words(file: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        pyspark_logs.scan(file, preset="klog").read_all()
    assert "field 'severity' is not a glog severity" in caplog.text


def test_a_layout_whose_columns_are_a_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "2026" / "11" / "22" / "app.log"
    path.parent.mkdir(parents=True)
    path.write_text("2026-11-22T01:00:11Z INFO started\n")
    options = {"template": TEMPLATE, "layout": "{year}/{month}/{day}"}
    with caplog.at_level(logging.WARNING):
        pyspark_logs.plan(tmp_path, **options)
        assert caplog.text == ""
        pyspark_logs.plan(tmp_path, **options, startTime="2026-11-22")
    assert "no directories: year, month, day of the layout '{year}/{month}/{day}'" in caplog.text
    assert "such as {yyyy}, {MM}, {dd}" in caplog.text


def test_files_that_change_after_they_were_read() -> None:
    listing = [StreamFile("a.log", 1, 5_000, "")]
    before = Offset.initial("/logs", "key", starting="latest", listing=listing, now_ms=9_000, window_ms=3_600_000)
    assert is_changed(before, StreamFile("a.log", 2, 7_000, ""))
    assert not is_changed(before, StreamFile("a.log", 1, 5_000, ""))
    assert not is_changed(before, StreamFile("b.log", 1, 7_000, ""))
