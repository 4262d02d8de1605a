"""Logs that arrive during a streaming query: a process that puts files, and the progress of the query.

Run as ``python live.py ENDPOINT FILES``, it is the process that puts the files.
"""

from __future__ import annotations

import datetime as dt
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bucket import BUCKET, Bucket

_PAUSE_S = 0.8
_TIMEOUT_S = 60.0
_LATE_FILE = 3  # its directory is of an hour of the day before


def landing(bucket: Bucket) -> Callable[[int], Any]:
    """Returns a context manager that starts a process which puts a number of files, and at its end waits for that process."""

    @contextmanager
    def land(files: int) -> Iterator[None]:
        command = [sys.executable, str(Path(__file__).resolve()), bucket.endpoint, str(files)]
        with subprocess.Popen(command) as process:  # noqa: S603 - a fixed program
            yield
            process.wait(timeout=_TIMEOUT_S)

    return land


def say_now(text: str) -> None:
    """Writes a line at once. The standard output of a snippet is shown when the snippet has ended."""
    if sys.__stdout__ is not None:
        sys.__stdout__.write(text + "\n")
        sys.__stdout__.flush()


def watch(query: Any, files: int) -> None:
    """Reports each batch of a query until the query has read a number of files."""
    last_batch, files_read, deadline = -1, 0, time.monotonic() + _TIMEOUT_S
    while files_read < files and time.monotonic() < deadline and query.isActive:
        time.sleep(0.1)
        for progress in query.recentProgress:
            if progress["batchId"] <= last_batch or not progress["numInputRows"]:
                continue
            last_batch = progress["batchId"]
            (source,) = progress["sources"]
            files_read += _file_count(source["endOffset"])
            say_now(
                f"  batch {last_batch}   {_file_count(source['endOffset'])} files   {progress['numInputRows']:4} rows   newest file"
                f" {_age_s(progress, source):.1f} s old when the batch began"
            )
    if query.exception() is not None:
        raise query.exception()


def _file_count(offset: Any) -> int:
    """Returns the number of files of the batch that ends at an offset."""
    from pyspark_logs.offsets import Offset

    value = _dict(offset)
    return len(Offset.from_dict(value, root=value["root"], identity=value["identity"]).batch.files)


def _dict(offset: Any) -> dict[str, Any]:
    """Returns an offset of a progress report as a dict. Spark versions differ in reporting a dict or JSON."""
    return offset if isinstance(offset, dict) else json.loads(offset)


def _age_s(progress: Any, source: Any) -> float:
    start = dt.datetime.fromisoformat(progress["timestamp"].replace("Z", "+00:00")).timestamp()
    return max(0.0, start - int(_dict(source["endOffset"])["ts"]) / 1000)


def main(endpoint: str, files: int) -> None:
    """Puts a file every ``_PAUSE_S`` seconds into the directory of the current hour, one of them into an hour of the day before."""
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=30)
    now = dt.datetime.now(dt.timezone.utc)
    for number in range(files):
        hour = now - dt.timedelta(hours=30) if number == _LATE_FILE else now
        lines = "".join(
            f"{now:%Y-%m-%dT%H:%M:%S}.{row:03}Z INFO [checkout] req={number:04x}{row:04x} user=- took=1.5ms file {number}\n"
            for row in range(100)
        )
        connection.request(
            "PUT", f"/{BUCKET}/{quote(f'live/payments/{hour:%Y/%m/%d/%H}/app-{number}.log')}", body=lines
        )
        connection.getresponse().read()
        time.sleep(_PAUSE_S)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
