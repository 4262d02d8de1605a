"""``cleanSource``: what becomes of files whose batch is done. Best effort: a file that stays behind is not read again."""

from __future__ import annotations

import logging
import secrets
from collections import deque

from pyspark_logs.errors import LogSourceError
from pyspark_logs.offsets import BatchPlan, StreamFile
from pyspark_logs.options import StreamOptions
from pyspark_logs.store import Store, join, normalise, open_store
from pyspark_logs.stream.listings import Root

_log = logging.getLogger(__name__)
_PART_BYTES = 8 << 20


class Cleaner:
    """Deletes or archives files of batches that are done, once they are old enough.

    What waits for ``cleanSourceRetention`` is kept in memory: files of batches before a restart stay where they are.

    Args:
        store: of the stream's load paths.
        root: names their files.
        options: ``cleanSource``, ``sourceArchiveDir``, ``cleanSourceRetention``.
    """

    def __init__(self, store: Store, root: Root, options: StreamOptions) -> None:
        self.store, self.root, self.options = store, root, options
        self._waiting: deque[tuple[int, StreamFile]] = deque()

    def committed(self, batch: BatchPlan, now_ms: int) -> None:
        """Take note of a batch that is done, and clean what is due. Never raises; what went wrong is logged."""
        self._waiting.extend((now_ms, mark) for mark in batch.files)
        retention_ms = self.options.clean_retention_us // 1000
        while self._waiting and now_ms - self._waiting[0][0] >= retention_ms:
            _, mark = self._waiting.popleft()
            path = self.root.path_of(mark.key)
            try:
                self._clean(path, mark)
            except LogSourceError:
                _log.warning("%s: was read and cannot be cleaned (cleanSource); it stays", path, exc_info=True)

    def _clean(self, path: str, mark: StreamFile) -> None:
        if self.options.clean_source == "archive" and not self._archive(path, mark):
            return
        # With the etag: what was put there since it was read has not been read.
        if not self.store.remove(path, etag=mark.etag):
            _log.warning("%s: was overwritten after it was read, and stays (cleanSource)", path)

    def _archive(self, path: str, mark: StreamFile) -> bool:
        """Copy a file below ``sourceArchiveDir``, by the way it had below its load path; False: it is not there."""
        directory = normalise(self.options.archive_dir or "")
        target = join(directory, mark.key.lstrip("\0/").replace("://", "/"))
        archive = open_store(directory, self.store.options)
        if self.store.head(path) is None:
            return False
        name = f"archive-{secrets.token_hex(8)}"
        upload = archive.start_upload(target, token=name, staging=f"{directory.rstrip('/')}/_staging/{name}")
        parts: list[str] = []
        size, waiting = 0, b""
        try:
            for chunk in self.store.read(path, etag=mark.etag):
                waiting += chunk
                size += len(chunk)
                if len(waiting) >= _PART_BYTES:
                    parts.append(archive.upload_part(target, upload, len(parts) + 1, waiting))
                    waiting = b""
            if waiting or not parts:
                parts.append(archive.upload_part(target, upload, len(parts) + 1, waiting))
            return archive.complete_upload(target, upload, parts, size=size)
        except LogSourceError:
            archive.abort_upload(target, upload)
            raise
