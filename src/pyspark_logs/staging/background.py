"""Compression in a background thread, so that the next rows are rendered while the last ones are compressed and uploaded."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import pyarrow as pa

from pyspark_logs.jobs import StagedFile

MAX_WAITING_BYTES = 16 << 20  # rendered rows that wait to be compressed; a single larger batch waits alone


class Files(Protocol):
    """The files of a task; see :class:`~pyspark_logs.staging.TaskFiles`."""

    def write(self, directory: str, lines: Any) -> None: ...
    def close(self) -> tuple[StagedFile, ...]: ...
    def discard(self) -> None: ...


class BackgroundFiles:
    """The files of a task, written by one thread in the order of the calls.

    Args:
        files: files of the task. No other code may use them afterwards.

    After an error nothing more is written, and the next call raises the error. :meth:`discard` then drops everything that was
    staged.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._pool = ThreadPoolExecutor(1, "pyspark-logs-compress")
        self._changed = threading.Condition()
        self._waiting_bytes = 0
        self._error: BaseException | None = None

    def write(self, directory: str, lines: pa.StringArray | pa.RecordBatch) -> None:
        """Adds lines or rows to a directory, see :meth:`~pyspark_logs.staging.TaskFiles.write`; waits while too many bytes wait.

        Raises:
            StoreError: the store refused or failed for earlier rows.
        """
        size = lines.nbytes
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._error is not None
                    or not self._waiting_bytes
                    or self._waiting_bytes + size <= MAX_WAITING_BYTES
                )
            )
            self._check()
            self._waiting_bytes += size
        self._pool.submit(self._run, directory, lines, size)

    def close(self) -> tuple[StagedFile, ...]:
        """Ends all files, waits until they are staged, and returns them in the order of their numbers.

        Raises:
            StoreError: the store refused or failed.
        """
        self._pool.shutdown()
        self._check()
        return self._files.close()

    def discard(self) -> None:
        """Aborts all uploads, also after :meth:`close`."""
        self._pool.shutdown(cancel_futures=True)
        self._files.discard()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self, directory: str, lines: pa.StringArray | pa.RecordBatch, size: int) -> None:
        try:
            if self._error is None:
                self._files.write(directory, lines)
        except BaseException as error:  # noqa: BLE001 (raised in the writing thread)
            self._error = error
        finally:
            with self._changed:
                self._waiting_bytes -= size
                self._changed.notify_all()
