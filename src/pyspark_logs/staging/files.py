"""A file that is being written: its compressor, the bytes that wait to be sent, and its upload."""

from __future__ import annotations

from typing import Any

from pyspark_logs.codecs import Compressor
from pyspark_logs.jobs import Job
from pyspark_logs.staging.uploads import Upload


class OpenFile:
    """An open file of a directory.

    Attributes:
        directory: directory of the file, relative to the root.
        upload: upload of the file.
        rows: number of rows added so far.
        size: compressed bytes so far, without the bytes that the compressor still buffers.
        waiting: compressed bytes that were not sent.
    """

    def __init__(self, directory: str, job: Job, key: str, compressor: Compressor, head: bytes = b"") -> None:
        self.directory = directory
        self.upload = Upload(job, key)
        self.rows = 0
        self.size = 0
        self.waiting = 0
        self._compressor = compressor
        self._pieces: list[bytes | memoryview] = []
        if head:
            self.add(head, 0)

    def add(self, data: Any, rows: int) -> None:
        """Compresses text and adds it to the bytes that wait to be sent."""
        self._append(self._compressor.feed(data))
        self.rows += rows

    def take(self) -> bytes:
        """Removes the waiting bytes and returns them as one part."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.waiting = 0
        return data

    def finish(self) -> bytes:
        """Ends the compressed stream and returns the last part. Nothing can be added afterwards."""
        self._append(self._compressor.finish())
        del self._compressor  # frees its buffers: the file itself is kept until the task ends
        return self.take()

    def _append(self, piece: bytes | memoryview) -> None:
        if len(piece):
            self._pieces.append(piece)
            self.size += len(piece)
            self.waiting += len(piece)
