"""Planning on local files, and memory of a reader of one large file."""

from __future__ import annotations

import datetime as dt
import gzip
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import data


def run(root: Path, gib: float) -> None:
    """Prints the figures of planning and memory."""
    with tempfile.TemporaryDirectory() as scratch:
        _plan(Path(scratch))
        _memory(Path(scratch), root, gib)


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


def _memory(scratch: Path, root: Path, gib: float) -> None:
    text = (data.make("app", root, 64) / "part-0.log").read_bytes()
    member, target = gzip.compress(text, 1), int(gib * (1 << 30))
    path = scratch / "large.log.gz"
    with path.open("wb") as file:
        for _ in range(-(-target // len(text))):
            file.write(member)
    command = [sys.executable, "-m", "benchmarks", "--memory", str(path)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    print(
        f"one gzip file of {target / (1 << 30):.1f} GiB (uncompressed): {out[1]} rows, peak {int(out[0]) >> 10} MiB resident"
    )


def memory_child(path: str) -> None:
    """Reads one file as a worker of an executor does; prints the peak resident memory in KiB and the number of rows."""
    import pyspark.sql.datasource  # noqa: F401 - a worker has loaded it, too

    import pyspark_logs

    rows = sum(batch.num_rows for batch in pyspark_logs.scan(path, template=data.APP))
    # VmHWM instead of ru_maxrss, which a process inherits from its parent.
    status = Path("/proc/self/status").read_text()
    print(status.partition("VmHWM:")[2].split()[0], rows)
