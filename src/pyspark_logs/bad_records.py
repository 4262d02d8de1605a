"""``badRecordsPath``: the records that do not match, as JSON lines.

Each split that has any writes objects of its own, named by a hash of all that decides which records these are: the file
and its version, the split, the format, the schema, the filters and the range of time. So whoever reads the same again
(a retried task, a speculative one, a second action of a query) writes the same objects over, and nothing is doubled.

An object is written when it is full, or when its split has been read to the end. A split whose reading fails or is given
up (``LIMIT``) leaves what was full by then, and nothing else; the same names get the same content when it is read to the
end.
"""

from __future__ import annotations

import hashlib
import json

from pyspark_logs.errors import ReadOnlyStoreError
from pyspark_logs.planning import FileSplit
from pyspark_logs.store import Store, join

OBJECT_BYTES = 8 << 20


class BadRecordWriter:
    """Writes the rejects of one task, split by split.

    Args:
        directory: that gets the objects, in the form that :func:`~pyspark_logs.store.normalise` returns.
        store: that the directory is in.
        query: all that decides which records of a split are rejects, as text without secrets.

    Raises:
        ReadOnlyStoreError: the store cannot be written to.
    """

    def __init__(self, directory: str, store: Store, query: str) -> None:
        if not store.writable:
            raise ReadOnlyStoreError(
                f"option 'badRecordsPath': cannot write to {directory}: {store.scheme}:// is read-only here. Give a directory"
                " on S3 (s3://, s3a://), of local files, or of memory://"
            )
        self.directory, self.store, self.query = directory, store, query
        self._name, self._number, self._size = "", 0, 0
        self._lines: list[bytes] = []

    def begin(self, split: FileSplit) -> None:
        """What follows is of this split; what another one left unfinished is forgotten."""
        self._name = hashlib.sha256(repr((self.query, split)).encode()).hexdigest()[:32]
        self._number, self._size, self._lines = 0, 0, []

    def add(self, path: str, offset: int, record: str, reason: str) -> None:
        """One reject.

        Args:
            path: the file.
            offset: of the record's first byte, in the uncompressed file.
            record: its text; of one longer than ``maxRecordBytes`` the beginning.
            reason: what is wrong with it.

        Raises:
            StoreError: an object was full and could not be written.
        """
        row = {"path": path, "offset": offset, "record": record, "reason": reason}
        line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        self._lines.append(line)
        self._size += len(line)
        if self._size >= OBJECT_BYTES:
            self._put()

    def finish(self) -> None:
        """The split has been read to its end.

        Raises:
            StoreError: what is left could not be written.
        """
        if self._lines:
            self._put()

    def _put(self) -> None:
        self.store.put(join(self.directory, f"{self._name}-{self._number}.json"), b"".join(self._lines))
        self._number, self._size, self._lines = self._number + 1, 0, []
