"""Cleaning of processed files (``cleanSource``). A file that cannot be cleaned stays, and is not read again."""

from __future__ import annotations

import secrets
from collections import deque

from pyspark_logs.errors import LogSourceError, PathNotFoundError
from pyspark_logs.offsets import BatchPlan, StreamFile
from pyspark_logs.options import StreamOptions
from pyspark_logs.store import Store, join, normalise, open_store
from pyspark_logs.store.parallel import in_parallel
from pyspark_logs.stream.stream_root import StreamRoot
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)
_PART_BYTES = 8 << 20
# Files up to this size are archived with one PUT request; a thread holds one of them in memory.
SMALL_BYTES = 1 << 20
# Archiving a small file costs 4 requests: 1,000 files take 4.4 s if a request takes 100 ms.
CLEAN_THREADS = 96
LARGE_THREADS = 8  # each holds a part of a file in memory


class Cleaner:
    """Deletes or archives the files of completed batches after ``cleanSourceRetention``.

    Files that wait for their retention are kept in memory: files of batches completed before a restart are not cleaned.

    Args:
        store: store of the stream's load paths.
        root: mapping between keys and paths.
        options: ``cleanSource``, ``sourceArchiveDir``, ``cleanSourceRetention``.

    Raises:
        OptionError: ``sourceArchiveDir`` has an unknown scheme, or is in a directory bucket of S3.
    """

    def __init__(self, store: Store, root: StreamRoot, options: StreamOptions) -> None:
        self.store, self.root, self.options = store, root, options
        self._directory = normalise(options.archive_dir) if options.archive_dir else ""
        self._archive_store = open_store(self._directory, store.options) if self._directory else store
        self._waiting: deque[tuple[int, StreamFile]] = deque()

    def committed(self, batch: BatchPlan, now_ms: int) -> None:
        """Adds the files of a completed batch and cleans the files that are due. Failures are logged, not raised."""
        self._waiting.extend((now_ms, file) for file in batch.files)
        retention_ms = self.options.clean_retention_us // 1000
        due: list[StreamFile] = []
        while self._waiting and now_ms - self._waiting[0][0] >= retention_ms:
            due.append(self._waiting.popleft()[1])
        is_archived = self.options.clean_source == "archive"
        large = [file for file in due if is_archived and file.size > SMALL_BYTES]
        in_parallel(self._clean, [file for file in due if not is_archived or file.size <= SMALL_BYTES], CLEAN_THREADS)
        in_parallel(self._clean, large, LARGE_THREADS)

    def _clean(self, file: StreamFile) -> None:
        path = self.root.path_of(file.key)
        try:
            if self.options.clean_source == "archive" and not self._archive(path, file):
                return
            # The condition on the etag keeps a version that was written after the file was read.
            if not self.store.remove(path, etag=file.etag):
                _log.warning("%s: was overwritten after it was read, and stays (cleanSource)", path)
        except LogSourceError:
            _log.warning("%s: was read and cannot be cleaned (cleanSource); it stays", path, exc_info=True)

    def _archive(self, path: str, file: StreamFile) -> bool:
        """Copies a file to its key below ``sourceArchiveDir``; False if the file does not exist."""
        target = join(self._directory, file.key.lstrip("\0/").replace("://", "/"))
        archive = self._archive_store
        if file.size <= SMALL_BYTES:
            try:
                data = b"".join(self.store.read(path, etag=file.etag))
            except PathNotFoundError:
                return False
            archive.put(target, data)
            return True
        if self.store.head(path) is None:
            return False
        name = f"archive-{secrets.token_hex(8)}"
        upload = archive.start_upload(target, token=name, staging=f"{self._directory.rstrip('/')}/_staging/{name}")
        parts: list[str] = []
        size, waiting = 0, b""
        try:
            for chunk in self.store.read(path, etag=file.etag):
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
