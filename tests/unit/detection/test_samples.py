"""Samples: the records that formats share, and the formats that are not tried."""

from __future__ import annotations

import pytest

from pyspark_logs.detection.heads import FileHead
from pyspark_logs.detection.samples import make_sample
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.records import read_lines

LINES = b"2026-11-22T01:00:11Z INFO started\n2026-11-22T01:00:12Z WARN stopped\n"


def test_formats_share_records_of_all_files(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(chunks, **options):
        read.append(1)
        return read_lines(chunks, **options)

    monkeypatch.setattr("pyspark_logs.text_lines.read_lines", counted)
    sample = make_sample([FileHead("a.log", 30 * LINES, 0), FileHead("b.log", 30 * LINES, 0)], {})
    for template in ("{ts:timestamp} {level} {message}", "{ts:timestamp} {message}", "{line}"):
        rows, records = sample.read({"template": template}) or (None, 0)
        assert rows is not None
        assert (rows.num_rows, records) == (120, 120)
    assert len(read) == 4, "the first lines and all lines of two files"


def test_a_format_of_which_no_line_has_the_beginning_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = make_sample([FileHead("a.log", LINES, 0)], {})
    monkeypatch.setattr(TemplateFormat, "decoder", lambda *_: pytest.fail("compiled"))
    assert sample.read({"preset": "nginx_combined"}) is None
    assert sample.read({"template": "{n:int} {line}"}) is None


def test_the_time_of_each_file_decides_on_the_year() -> None:
    text = b"Dec 31 23:00:00 web-1 su: a\n"
    years = [1_767_312_000_000, 1_798_848_000_000]  # 2026-01-02 and 2027-01-02
    sample = make_sample([FileHead(f"{ms}.log", text, ms) for ms in years], {})
    rows, _ = sample.read({"preset": "syslog_rfc3164"}) or (None, 0)
    assert rows is not None
    assert [time.year for time in rows["timestamp"].to_pylist()] == [2025, 2026]
