"""Logs that land while somebody looks: a process that puts a file a second, and a query's progress as it goes."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from pyspark_logs.demo.bucket import BUCKET, Bucket

_PAUSE_S = 0.8
_LONGEST_S = 60.0
_LATE = 3  # the number of the file that comes late


def landing(bucket: Bucket) -> Callable[[int], Any]:
    """A function that starts a process which puts so many files, and waits for it when its block ends."""

    @contextmanager
    def land(files: int) -> Iterator[None]:
        command = [sys.executable, "-m", "pyspark_logs.demo.live", bucket.endpoint, str(files)]
        with subprocess.Popen(command) as process:  # noqa: S603 - our own
            yield
            process.wait(timeout=_LONGEST_S)

    return land


def say_now(text: str) -> None:
    """Write a line at once; what a snippet prints is shown when it has ended."""
    if sys.__stdout__ is not None:
        sys.__stdout__.write(text + "\n")
        sys.__stdout__.flush()


def watch(query: Any, files: int) -> None:
    """Say what each batch of a query did, until it has taken so many files."""
    shown, taken, deadline = -1, 0, time.monotonic() + _LONGEST_S
    while taken < files and time.monotonic() < deadline and query.isActive:
        time.sleep(0.1)
        for progress in query.recentProgress:
            if progress["batchId"] <= shown or not progress["numInputRows"]:
                continue
            shown = progress["batchId"]
            (source,) = progress["sources"]
            taken += _files_of(source["endOffset"])
            say_now(
                f"  batch {shown}   {_files_of(source['endOffset'])} files   {progress['numInputRows']:4} rows   newest file"
                f" {_age_s(progress, source):.1f} s old when the batch began"
            )
    if query.exception() is not None:
        raise query.exception()


def _files_of(offset: Any) -> int:
    """How many files a batch has, by its offset."""
    from pyspark_logs.offsets import Offset

    value = _dict(offset)
    return len(Offset.from_dict(value, root=value["root"], identity=value["identity"]).batch.files)


def _dict(offset: Any) -> dict[str, Any]:
    """An offset as the progress shows it: a dict, or its text."""
    return offset if isinstance(offset, dict) else json.loads(offset)


def _age_s(progress: Any, source: Any) -> float:
    began = dt.datetime.fromisoformat(progress["timestamp"].replace("Z", "+00:00")).timestamp()
    return max(0.0, began - int(_dict(source["endOffset"])["ts"]) / 1000)


def main(endpoint: str, files: int) -> None:
    """Put a file every ``_PAUSE_S`` seconds under the present hour; one of them under an hour long over."""
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=30)
    now = dt.datetime.now(dt.timezone.utc)
    for number in range(files):
        hour = now - dt.timedelta(hours=30) if number == _LATE else now
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
