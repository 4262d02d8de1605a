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

_PAUSE_S = 0.4
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


def watch(query: Any, files: int) -> None:
    """Reports each batch of a query until a number of files has been read, those of its earlier runs included.

    The offset of a batch knows these, so that a batch of which a stopped query did not report the progress counts.
    """
    last_batch, files_read, deadline = -1, 0, time.monotonic() + _TIMEOUT_S
    while files_read < files and time.monotonic() < deadline and query.isActive:
        time.sleep(0.1)
        for progress in query.recentProgress:
            (source,) = progress["sources"]
            if source["endOffset"] is None:
                continue
            offset = _offset(source["endOffset"])
            files_read = len(offset.seen)
            if progress["batchId"] > last_batch and progress["numInputRows"]:
                last_batch = progress["batchId"]
                print(  # noqa: T201 - output of the snippet
                    f"  batch {last_batch}  {len(offset.batch.files)} files  {progress['numInputRows']:4} rows, the newest file"
                    f" {_age_s(progress, offset.ts_ms):.1f} s old when the batch began"
                )
    if query.exception() is not None:
        raise query.exception()


def _offset(text: Any) -> Any:
    from pyspark_logs.offsets import Offset

    value = _dict(text)
    return Offset.from_dict(value, root=value["root"], identity=value["identity"])


def _dict(offset: Any) -> dict[str, Any]:
    """Returns an offset of a progress report as a dict. Spark versions differ in reporting a dict or JSON."""
    return offset if isinstance(offset, dict) else json.loads(offset)


def _age_s(progress: Any, modified_ms: int) -> float:
    start = dt.datetime.fromisoformat(progress["timestamp"].replace("Z", "+00:00")).timestamp()
    return max(0.0, start - modified_ms / 1000)


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
