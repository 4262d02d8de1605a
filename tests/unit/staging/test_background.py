"""The thread that compresses beside rendering: order, bounds, errors, and no thread left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from pyspark_logs.errors import StoreError
from pyspark_logs.staging import background
from pyspark_logs.staging.background import BackgroundFiles


class Files:
    """Files that record the calls; ``gate`` holds the writing thread, ``fails`` names a directory that cannot be written."""

    def __init__(self, fails: str = "") -> None:
        self.calls: list[tuple[str, Any]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fails = fails

    def write(self, directory: str, lines: Any) -> None:
        assert self.gate.wait(10)
        if directory == self.fails:
            raise StoreError(f"{directory} failed")
        self.calls.append((directory, lines.to_pylist()))

    def close(self) -> tuple[str, ...]:
        return ("staged",)

    def discard(self) -> None:
        self.calls.append(("discarded", None))


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pyspark-logs-compress")]


def lines(number: int) -> pa.StringArray:
    return pa.array([f"{number}\n"])


def writing(files: Files) -> BackgroundFiles:
    return BackgroundFiles(files)  # type: ignore[arg-type]


def test_rows_are_written_in_order() -> None:
    files = Files()
    written = writing(files)
    for number in range(50):
        written.write(f"{number % 3}", lines(number))
    assert written.close() == ("staged",)
    assert files.calls == [(f"{number % 3}", [f"{number}\n"]) for number in range(50)]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "MAX_WAITING_BYTES", 3 * lines(0).nbytes)
    files = Files()
    files.gate.clear()
    written = writing(files)
    given = []

    def render() -> None:
        for number in range(5):
            written.write("a", lines(number))
            given.append(number)

    renderer = threading.Thread(target=render)
    renderer.start()
    deadline = time.monotonic() + 5
    while len(given) < 3 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)
    assert given == [0, 1, 2]
    files.gate.set()
    renderer.join(10)
    written.close()
    assert len(files.calls) == 5


def test_an_error_stops_what_waits_and_is_raised_once_more() -> None:
    files = Files(fails="b")
    files.gate.clear()
    written = writing(files)
    for directory in ("a", "b", "c"):
        written.write(directory, lines(0))
    files.gate.set()
    with pytest.raises(StoreError, match="b failed"):
        written.close()
    with pytest.raises(StoreError, match="b failed"):
        written.write("d", lines(0))
    written.discard()
    assert [directory for directory, _ in files.calls] == ["a", "discarded"]
