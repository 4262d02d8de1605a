"""Planning on local files."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from pathlib import Path


def run() -> None:
    """Prints the figures of planning."""
    with tempfile.TemporaryDirectory() as scratch:
        _plan(Path(scratch))


def _plan(scratch: Path) -> None:
    from pyspark_logs.options import parse_read_options
    from pyspark_logs.reader import LogReader

    first = dt.datetime(2026, 1, 1)
    for hour in range(10_000):
        folder = scratch / "logs" / f"{first + dt.timedelta(hours=hour):%Y/%m/%d/%H}"
        folder.mkdir(parents=True)
        (folder / "app.log").write_text("2026-01-01T00:00:00Z INFO x\n")
    options = {
        "path": str(scratch / "logs"),
        "template": "{ts:timestamp} {level} {message}",
        "layout": "{yyyy}/{MM}/{dd}/{HH}",
    }
    one_hour = {"startTime": "2026-06-01T10:00:00Z", "endTime": "2026-06-01T11:00:00Z"}
    for title, more in (("all of 10,000 files", {}), ("one hour of 10,000 hourly prefixes", one_hour)):
        started = time.perf_counter()
        report = LogReader(parse_read_options({**options, **more}), "message string").plan().report
        seconds = time.perf_counter() - started
        print(
            f"plan {title} (local files): {seconds:.2f} s, {report.list_calls} LIST calls, {report.files_planned} files"
        )
