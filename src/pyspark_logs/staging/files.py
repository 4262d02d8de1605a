"""A file that is being written: its compressor, what waits to be sent, and its upload."""

from __future__ import annotations

from typing import Any

from pyspark_logs.codecs import Compressor
from pyspark_logs.jobs import Job
from pyspark_logs.staging.uploads import Upload


class OpenFile:
    """One file of one directory.

    Attributes:
        directory: that it is in.
        upload: what was sent of it.
        rows: in it so far.
        size: bytes of it so far, compressed, without what the compressor still holds.
        waiting: those of them that were not sent.

    ``head`` is what the file begins with, before any row.
    """

    def __init__(self, directory: str, job: Job, key: str, compressor: Compressor, head: bytes = b"") -> None:
        self.directory = directory
        self.upload = Upload(job, key)
        self.rows = 0
        self.size = 0
        self.waiting = 0
        self._compressor = compressor
        self._pieces: list[bytes] = []
        if head:
            self.add(head, 0)

    def add(self, data: Any, rows: int) -> None:
        """Compress text."""
        self._keep(self._compressor.feed(data))
        self.rows += rows

    def take(self) -> bytes:
        """What waits, as one part. It waits no longer."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.waiting = 0
        return data

    def finish(self) -> bytes:
        """The last part; nothing can be added from then on."""
        self._keep(self._compressor.finish())
        del self._compressor  # what it holds is much, and the file is remembered until the task ends
        return self.take()

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self.size += len(piece)
            self.waiting += len(piece)
