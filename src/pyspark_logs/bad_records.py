"""``badRecordsPath``: records that do not match the format, written as JSON lines.

Each split with bad records writes objects of its own. Their name is a hash of everything that determines the bad records: the
file and its version, the split, the format, the schema, the filters and the time range. A retried or speculative task, or a
second action of a query, therefore overwrites the same objects, and no record is written twice.

An object is written when it is full, and when its split has been read to the end. A split whose reading fails, or is stopped
early (``LIMIT``), leaves only the objects that were full; the same names get the same content when the split is read to the
end.
"""

from __future__ import annotations

import hashlib
import json
from typing import Protocol

from pyspark_logs.errors import ReadOnlyStoreError
from pyspark_logs.planning import FileSplit
from pyspark_logs.store import Store, join

OBJECT_BYTES = 8 << 20


class BadRecordSink(Protocol):
    """Receiver of the bad records of a task."""

    def begin(self, split: FileSplit) -> None:
        """Starts a split."""

    def add(self, path: str, offset: int, record: str, reason: str, category: str) -> None:
        """Receives a bad record, as :meth:`BadRecordWriter.add`."""

    def finish(self) -> None:
        """Ends a split that was read to its end."""


class BadRecordWriter:
    """Writes the bad records of a task, split by split.

    Args:
        directory: directory of the objects, as :func:`~pyspark_logs.store.normalise` returns it.
        store: store of the directory.
        query: text that identifies everything besides the split that determines its bad records; without secrets.

    Raises:
        ReadOnlyStoreError: the store cannot be written to.
    """

    def __init__(self, directory: str, store: Store, query: str) -> None:
        if not store.writable:
            raise ReadOnlyStoreError(
                f"option 'badRecordsPath': cannot write to {directory}: {store.scheme}:// is read-only here. Give a directory"
                " on S3 (s3://, s3a://), a local directory, or one of memory://"
            )
        self.directory, self.store, self.query = directory, store, query
        self._name, self._number, self._size = "", 0, 0
        self._lines: list[bytes] = []

    def begin(self, split: FileSplit) -> None:
        """Starts a split and discards the records of an unfinished one."""
        self._name = hashlib.sha256(repr((self.query, split)).encode()).hexdigest()[:32]
        self._number, self._size, self._lines = 0, 0, []

    def add(self, path: str, offset: int, record: str, reason: str, category: str) -> None:
        """Adds a bad record.

        Args:
            path: path of the file.
            offset: offset of the record's first byte in the uncompressed file.
            record: text of the record, or its beginning if it is longer than ``maxRecordBytes``.
            reason: reason for which the record does not match.
            category: the reason without values of the record, as it is counted; it is not written.

        Raises:
            StoreError: the object was full and could not be written.
        """
        row = {"path": path, "offset": offset, "record": record, "reason": reason}
        line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        self._lines.append(line)
        self._size += len(line)
        if self._size >= OBJECT_BYTES:
            self._put()

    def finish(self) -> None:
        """Ends a split that was read to its end, and writes its last object.

        Raises:
            StoreError: the object could not be written.
        """
        if self._lines:
            self._put()

    def _put(self) -> None:
        self.store.put(join(self.directory, f"{self._name}-{self._number}.json"), b"".join(self._lines))
        self._number, self._size, self._lines = self._number + 1, 0, []
