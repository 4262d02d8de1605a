"""The slow query log of MySQL, MariaDB and Percona Server."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import pyspark_logs
from pyspark_logs.errors import FormatError
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import read_lines
from tests.support.formats import line_format
from tests.support.preset_lines import at

HEAD = (
    "/usr/sbin/mysqld, Version: 8.0.36 (MySQL Community Server - GPL). started with:\n"
    "Tcp port: 3306  Unix socket: /run/mysqld.sock\nTime                 Id Command    Argument\n"
)
TIME = "# Time: 261122  1:00:13\n"
USER = "# User@Host: ana[ana] @ localhost []  Id:     5\n"
COSTS = "# Query_time: 0.1  Lock_time: 0 Rows_sent: 1  Rows_examined: 0"
RECORD = f"{USER}{COSTS}\nSET timestamp=1795309213;\nSELECT 1;\n"


def scanned(path: Path, text: str, **options: Any) -> list[dict[str, Any]]:
    (path / "slow.log").write_bytes(text.encode())
    options = {"preset": "mysql_slow", "columnNameOfCorruptRecord": "_c", **options}
    rows = pyspark_logs.scan(str(path), **options).read_all().to_pylist()
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_sample(end: str, tmp_path: Path) -> None:
    text = HEAD + "\n".join(PRESETS["mysql_slow"].sample) + "\n"
    first, second = scanned(tmp_path, text.replace("\n", end))
    assert first == {
        "time": at(2026, 11, 22, 1, 0, 11, 45123), "user": "ana", "priv_user": "ana", "host": "localhost", "ip": "127.0.0.1",
        "id": 12, "query_time": 2.000123, "lock_time": 0.000045, "rows_sent": 1, "rows_examined": 1000, "database": "shop",
        "timestamp": at(2026, 11, 22, 1, 0, 9), "statement": f"SELECT *{end}  FROM orders;",
    }  # fmt: skip
    assert second == {
        "user": "ana", "priv_user": "ana", "ip": "192.0.2.7", "session": "Thread_id: 13  Schema: shop  QC_hit: No",
        "query_time": 3.5, "lock_time": 0.000062, "rows_sent": 5, "rows_examined": 42,
        "attributes": "Rows_affected: 0  Bytes_sent: 120", "timestamp": at(2026, 11, 22, 1, 0, 11), "statement": "SELECT 1;",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (TIME + RECORD, [at(2026, 11, 22, 1, 0, 13)]),
        (TIME + RECORD + RECORD, [at(2026, 11, 22, 1, 0, 13), None]),
        (RECORD + TIME + RECORD + RECORD, [None, at(2026, 11, 22, 1, 0, 13), None]),
    ],
)
def test_records_with_and_without_a_time(text: str, times: list[datetime | None], tmp_path: Path) -> None:
    rows = scanned(tmp_path, text, maxPartitionBytes=30)
    assert [row.get("time") for row in rows] == times
    assert {row["statement"] for row in rows} == {"SELECT 1;"}


def test_blocks_that_end_between_time_and_user() -> None:
    starts = line_format(FormatOptions("preset", "mysql_slow")).record_starts()
    assert starts is not None
    data = ((TIME + RECORD) * 2 + RECORD).encode()
    expected = [TIME + RECORD] * 2 + [RECORD]
    for size in (1, 30, 70, 1000):
        blocks = read_lines(iter([data]), block_bytes=size, to_join=True)
        found = [
            lines.record(row) for lines in starts.join(blocks, TimestampContext(), 0, None) for row in range(len(lines))
        ]
        assert found == [one.rstrip("\n").encode() for one in expected]


def test_statements(tmp_path: Path) -> None:
    head = f"{TIME}{USER}{COSTS} Thread_id: 5 Errno: 0\n"
    text = "".join(
        f"{head}SET timestamp=1;\n{one}\n"
        for one in ("# administrator command: Quit;", "SELECT '# Time: 1';", "/* a\n\n*/ b")
    )
    rows = scanned(tmp_path, text)
    assert [row["statement"] for row in rows] == [
        "# administrator command: Quit;",
        "SELECT '# Time: 1';",
        "/* a\n\n*/ b",
    ]
    assert {row["attributes"] for row in rows} == {"Thread_id: 5 Errno: 0"}


def test_other_text_is_corrupt(tmp_path: Path) -> None:
    rows = scanned(tmp_path, f"{TIME}garbage\n{RECORD}{TIME}{USER}SELECT 1;\n")
    assert [row.get("_c") for row in rows] == [f"{TIME}garbage", None, f"{TIME}{USER}SELECT 1;"]
    with pytest.raises(FormatError, match="'multiLine' has no effect on preset 'mysql_slow'"):
        scanned(tmp_path, RECORD, multiLine=True)
