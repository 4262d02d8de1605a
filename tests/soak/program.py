"""The programs of the soak test: one writes jobs, one streams them from the source to a sink. Neither uses Spark.

A program keeps its progress in a file and may be killed at any moment. The next one goes on where it was, and repeats the
job or the batch that was not reported as committed, with the same ``txnId``. Errors of the package are counted by class
and followed by a repetition; any other error ends the program.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

import pyspark_logs
from pyspark_logs.errors import LogSourceError, OptionError, SchemaError
from pyspark_logs.options import parse_read_options
from pyspark_logs.stream import LogStream

ROWS = 40  # in a job
FORMAT = {"template": "{ts:timestamp} {writer} {n:long} {message}", "layout": "{yyyy}/{MM}/{dd}/{HH}/{mm}"}
COLUMNS = "ts timestamp, writer string, n bigint, message string"
# Longer than any job is retried, and than a killed program needs to return.
STREAM = {"lateness": "2m", "fullListingInterval": "30s"}


@dataclass
class Progress:
    """Progress in a file, which is replaced by each change.

    Attributes:
        path: the file.
        values: progress of the program.
        errors: number of errors by class.
    """

    path: Path
    values: dict[str, Any]
    errors: Counter[str] = field(default_factory=Counter)

    @classmethod
    def read(cls, path: Path, **initial: Any) -> Progress:
        kept = json.loads(path.read_text()) if path.exists() else {**initial, "errors": {}}
        return cls(path, kept, Counter(kept.pop("errors")))

    def save(self, **values: Any) -> None:
        self.values.update(values)
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps({**self.values, "errors": self.errors}))
        temporary.replace(self.path)

    def repeat(self, work: Callable[[], Any]) -> Any:
        """Returns the result of work, which is repeated after errors of the package."""
        while True:
            try:
                return work()
            except (OptionError, SchemaError):
                raise  # a mistake of this program
            except LogSourceError as error:
                self.errors[type(error).__name__] += 1
                self.save()
                time.sleep(0.2)


def rows_of_job(writer: str, job: int, now: dt.datetime) -> pa.Table:
    """Returns the rows of a job, whose numbers are different from those of all other jobs."""
    numbers = range(job * ROWS, (job + 1) * ROWS)
    return pa.table({
        "ts": pa.array([now] * ROWS, pa.timestamp("us", "UTC")), "writer": [writer] * ROWS, "n": numbers,
        "message": [f"row {n} of job {job}" for n in numbers],
    })  # fmt: skip


def write_jobs(given: dict[str, Any], is_stopped: Callable[[], bool]) -> None:
    """Writes jobs until the stop."""
    progress = Progress.read(Path(given["progress"]), jobs=0)
    while not is_stopped():
        job = progress.values["jobs"]
        table = rows_of_job(given["name"], job, dt.datetime.now(dt.timezone.utc))
        options = {**given["options"], **FORMAT, "txnId": f"{given['name']}-{job}"}
        progress.repeat(lambda table=table, options=options: pyspark_logs.write(table, given["source"], **options))
        progress.save(jobs=job + 1)
        time.sleep(given["pause_s"])


def copy_batches(given: dict[str, Any], is_stopped: Callable[[], bool]) -> None:
    """Streams batches until the stop and all files are copied. The end of a batch is kept before its rows are written."""
    options = {"path": given["source"], **given["options"], **FORMAT, **STREAM}
    stream = LogStream(parse_read_options(options), COLUMNS)
    progress = Progress.read(Path(given["progress"]), batch=0, start=None, end=None)
    if progress.values["start"] is None:
        progress.save(start=progress.repeat(stream.initial_offset))
    schema = stream.reader.target()

    def copy(start: dict[str, Any], end: dict[str, Any], batch: int) -> None:
        tasks = stream.plan_batch(start, end)
        rows = (part for task in tasks for part in stream.reader.read_task(task))
        sink = {**given["options"], "template": FORMAT["template"], "txnId": f"batch-{batch}"}
        pyspark_logs.write(rows, given["sink"], schema=schema, **sink)

    while True:
        stopped = is_stopped()
        values = progress.values
        if values["end"] is None:
            start = values["start"]
            end = progress.repeat(lambda start=start: stream.latest_offset(start, max_files=50, max_bytes=None))
            if end == start:
                if stopped:
                    return
                time.sleep(given["pause_s"])
                continue
            progress.save(end=end)
        progress.repeat(lambda values=values: copy(values["start"], values["end"], values["batch"]))
        progress.save(batch=values["batch"] + 1, start=values["end"], end=None)


def main() -> None:
    given = json.loads(sys.argv[1])
    {"write": write_jobs, "copy": copy_batches}[given["work"]](given, Path(given["stop"]).exists)


if __name__ == "__main__":
    main()
