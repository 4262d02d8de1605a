"""Uploads in background threads, so that rendering and compression continue while requests run."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from pyspark_logs.jobs import Job, StagedFile
from pyspark_logs.store import Store
from pyspark_logs.terminal_text import get_logger

THREADS = 4
MAX_SENDING_BYTES = 32 << 20  # bytes being sent; a single larger part is sent alone

_log = get_logger(__name__)


class Upload:
    """The upload of one file, which stays invisible until it is completed. Only one thread changes it at a time.

    Attributes:
        key: key of the file, relative to the root.
        parts: number of parts handed to the queue so far.
        size: bytes in these parts.
    """

    def __init__(self, job: Job, key: str) -> None:
        self.key = key
        self.parts = 0
        self.size = 0
        self._job = job
        self._id = ""
        self._etags: list[str] = []

    def add(self, store: Store, data: bytes) -> None:
        """Sends the next part; the first part starts the upload."""
        path = self._job.root + self.key
        if not self._id:
            self._id = store.start_upload(path, token=self._job.id, staging=self._job.staging)
        self._etags.append(store.upload_part(path, self._id, len(self._etags) + 1, data))

    def abort(self, store: Store) -> None:
        """Aborts the upload."""
        if self._id:
            store.abort_upload(self._job.root + self.key, self._id)

    def staged(self, rows: int) -> StagedFile:
        """Returns the description that a commit needs, once all parts are sent."""
        return StagedFile(self.key, self._id, tuple(self._etags), self.size, rows)


class UploadQueue:
    """Sends the parts of many files: parts of one file in order, parts of different files concurrently.

    The parts being sent are bounded in number and in bytes; :meth:`send` waits. After an error nothing more is sent, and
    the next call raises the error.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(THREADS, "pyspark-logs-upload")
        self._changed = threading.Condition()
        self._sending: dict[Upload, int] = {}
        self._error: BaseException | None = None

    def check(self) -> None:
        """Raises the first error of a background thread, if there was one."""
        if self._error is not None:
            raise self._error

    def send(self, upload: Upload, data: bytes) -> None:
        """Queues the next part of an upload.

        Raises:
            StoreError: the store refused or failed for an earlier part of any upload.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or self._has_room(upload, len(data)))
            self.check()
            self._sending[upload] = len(data)
        upload.parts += 1
        upload.size += len(data)
        self._pool.submit(self._run, upload, data)

    def close(self) -> None:
        """Waits until all parts are sent.

        Raises:
            StoreError: a part could not be sent.
        """
        self._pool.shutdown()
        self.check()

    def abort(self, uploads: Iterable[Upload]) -> None:
        """Aborts uploads independently of one another. Failures are logged, not raised."""
        with self._changed:
            self._error = self._error or RuntimeError("these uploads were aborted")
        # Waits for running requests first: a late first part would start an upload after the abort.
        self._pool.shutdown()

        def abort(upload: Upload) -> None:
            try:
                upload.abort(self._store)
            except Exception:  # noqa: BLE001 (an error while aborting must not hide the original error)
                _log.warning(
                    "%s: its upload could not be aborted; `pyspark-logs vacuum` removes it", upload.key, exc_info=True
                )

        with ThreadPoolExecutor(THREADS, "pyspark-logs-abort") as pool:
            list(pool.map(abort, uploads))

    def _has_room(self, upload: Upload, size: int) -> bool:
        if not self._sending:
            return True
        fits = len(self._sending) < THREADS and sum(self._sending.values()) + size <= MAX_SENDING_BYTES
        return fits and upload not in self._sending

    def _run(self, upload: Upload, data: bytes) -> None:
        try:
            if self._error is None:
                upload.add(self._store, data)
        except BaseException as error:  # noqa: BLE001 (raised in the writing thread)
            self._error = self._error or error
        finally:
            with self._changed:
                del self._sending[upload]
                self._changed.notify_all()
