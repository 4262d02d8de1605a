"""Uploads in the background: requests to the store take their time, which rendering and compressing can use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from pyspark_logs.jobs import Job, StagedFile
from pyspark_logs.store import Store

THREADS = 4
MOST_BYTES = 32 << 20  # on their way to the store; one part may be more, alone

_log = logging.getLogger(__name__)


class Upload:
    """One file that nobody sees yet. What changes it runs in one thread at a time.

    Attributes:
        key: the file, relative to the root.
        parts: how many were handed over so far.
        size: bytes in them.
    """

    def __init__(self, job: Job, key: str) -> None:
        self.key = key
        self.parts = 0
        self.size = 0
        self._job = job
        self._id = ""
        self._etags: list[str] = []

    def add(self, store: Store, data: bytes) -> None:
        """Send the next part; the first one starts the upload."""
        path = self._job.root + self.key
        if not self._id:
            self._id = store.start_upload(path, token=self._job.id, staging=self._job.staging)
        self._etags.append(store.upload_part(path, self._id, len(self._etags) + 1, data))

    def abort(self, store: Store) -> None:
        """Drop what was sent."""
        if self._id:
            store.abort_upload(self._job.root + self.key, self._id)

    def staged(self, rows: int) -> StagedFile:
        """What a commit needs to know, once all parts are there."""
        return StagedFile(self.key, self._id, tuple(self._etags), self.size, rows)


class UploadQueue:
    """Sends the parts of many files: those of one file in order, those of several side by side.

    What is on its way is bounded, in number and in bytes: :meth:`send` waits for room. An error ends it all: the
    next call raises it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(THREADS, "pyspark-logs-upload")
        self._changed = threading.Condition()
        self._sending: dict[Upload, int] = {}
        self._error: BaseException | None = None

    def check(self) -> None:
        """Raise what went wrong in the background, if anything has."""
        if self._error is not None:
            raise self._error

    def send(self, upload: Upload, data: bytes) -> None:
        """Hand over the next part of an upload.

        Raises:
            StoreError: the store refused or failed, for this part or an earlier one of any upload.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._error is not None or self._has_room(upload, len(data)))
            self.check()
            self._sending[upload] = len(data)
        upload.parts += 1
        upload.size += len(data)
        self._pool.submit(self._run, upload, data)

    def close(self) -> None:
        """Wait for all parts to be there.

        Raises:
            StoreError: one could not be sent.
        """
        self._pool.shutdown()
        self.check()

    def abort(self, uploads: Iterable[Upload]) -> None:
        """Drop uploads, each one whatever becomes of the others. What cannot be dropped is logged, not raised."""
        with self._changed:
            self._error = self._error or RuntimeError("these uploads were dropped")
        # Not before: a part that arrives late would start the upload that nobody drops.
        self._pool.shutdown()

        def abort(upload: Upload) -> None:
            try:
                upload.abort(self._store)
            except Exception:  # noqa: BLE001 (an error on the way out must not hide the one that led there)
                _log.warning("%s: its upload could not be dropped; vacuum will find it", upload.key, exc_info=True)

        with ThreadPoolExecutor(THREADS, "pyspark-logs-abort") as pool:
            list(pool.map(abort, uploads))

    def _has_room(self, upload: Upload, size: int) -> bool:
        if not self._sending:
            return True
        fits = len(self._sending) < THREADS and sum(self._sending.values()) + size <= MOST_BYTES
        return fits and upload not in self._sending

    def _run(self, upload: Upload, data: bytes) -> None:
        try:
            if self._error is None:
                upload.add(self._store, data)
        except BaseException as error:  # noqa: BLE001 (whatever it is, it is raised in the thread that writes)
            self._error = self._error or error
        finally:
            with self._changed:
                del self._sending[upload]
                self._changed.notify_all()
