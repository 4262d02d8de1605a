"""A store in memory with the listing order, the conditional requests and the clock of S3, for counted requests."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import md5

from pyspark_logs.errors import PathNotFoundError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import OpenUpload, Page, Store, StoredFile, UploadPage

LAST = chr(0x10FFFF)
NOW_MS = 1_800_000_000_000


class SimulatedStore(Store):
    """Objects at ``s3://`` paths; a page of a listing costs what the page holds.

    Attributes:
        counted: number of requests by kind.
        sent: bytes of the bodies that were sent, by kind of request.
        now_ms: clock of the store, milliseconds since the epoch.
    """

    writable = True
    lists_in_order = True

    def __init__(self, files: Iterable[StoredFile] = ()) -> None:
        super().__init__("s3", StoreOptions())
        self.files = {file.path: file for file in files}
        self.paths = sorted(self.files)
        self.bodies: dict[str, bytes] = {}
        self.uploads: dict[str, tuple[str, str, int]] = {}
        self.counted: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.now_ms = NOW_MS
        self._guard = threading.RLock()

    @property
    def request_counts(self) -> Counter[str]:
        return self.counted

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        with self._guard:
            self.counted["LIST"] += 1
            return self._page(prefix, recursive, bisect_left(self.paths, prefix) if token is None else int(token))

    def list_after(self, prefix: str, after: str) -> Page:
        with self._guard:
            self.counted["LIST"] += 1
            return self._page(prefix, True, max(bisect_left(self.paths, prefix), bisect_right(self.paths, after)))

    def _page(self, prefix: str, recursive: bool, start: int) -> Page:
        end = bisect_left(self.paths, prefix + LAST)
        files: list[StoredFile] = []
        directories: list[str] = []
        while start < end and len(files) + len(directories) < self.page_size:
            path = self.paths[start]
            name, slash, _ = path[len(prefix) :].partition("/")
            if slash and not recursive:
                directories.append(prefix + name + "/")
                start = bisect_left(self.paths, prefix + name + "/" + LAST)
            else:
                files.append(self.files[path])
                start += 1
        return Page(tuple(files), tuple(directories), str(start) if start < end else None)

    def head(self, path: str) -> StoredFile | None:
        with self._guard:
            self.counted["HEAD"] += 1
            return self.files.get(path)

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        with self._guard:
            self.counted["GET"] += 1
            if path not in self.files:
                raise PathNotFoundError(path)
            data = self.bodies.get(path, b"")
        yield data[start:end]

    def put(self, path: str, data: bytes) -> None:
        with self._guard:
            self.counted["PUT"] += 1
            self.sent["PUT"] += len(data)
            self.bodies[path] = data
            self._add(path, len(data), md5(data).hexdigest())

    def create(self, path: str, data: bytes) -> bool:
        with self._guard:
            if path not in self.files:
                self.put(path, data)
                return True
            self.counted["PUT"] += 1
            self.sent["PUT"] += len(data)
            return False

    def replace(self, path: str, data: bytes, *, etag: str) -> bool:
        with self._guard:
            if path in self.files and self.files[path].etag == etag:
                self.put(path, data)
                return True
            self.counted["PUT"] += 1
            return False

    def _add(self, path: str, size: int, etag: str, token: str = "") -> None:
        if path not in self.files:
            self.paths.insert(bisect_left(self.paths, path), path)
        self.files[path] = StoredFile(path, size, self.now_ms, etag, token)

    def remove(self, path: str, *, etag: str = "") -> bool:
        with self._guard:
            self.counted["DELETE"] += 1
            if path in self.files and etag and self.files[path].etag != etag:
                return False
            self._forget({path})
        return True

    def remove_all(self, paths: Sequence[str]) -> None:
        with self._guard:
            self.counted["DELETE"] += 1
            self._forget(set(paths))

    def _forget(self, paths: set[str]) -> None:
        for path in paths & self.files.keys():
            del self.files[path]
            self.bodies.pop(path, None)
            del self.paths[bisect_left(self.paths, path)]

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        with self._guard:
            self.counted["CREATE"] += 1
            # As long and as random as the ids of S3.
            upload_id = "".join(md5(f"{path}{n}".encode()).hexdigest() for n in range(4))
            self.uploads[upload_id] = (path, token, 0)
        return upload_id

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        with self._guard:
            self.counted["PART"] += 1
            _, token, size = self.uploads[upload_id]
            self.uploads[upload_id] = (path, token, size + len(data))
        return md5(data).hexdigest()

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        with self._guard:
            self.counted["COMPLETE"] += 1
            if upload_id not in self.uploads:
                return False
            _, token, found = self.uploads.pop(upload_id)
            self._add(path, found, f"{upload_id[:32]}-1", token)
        return True

    def abort_upload(self, path: str, upload_id: str) -> None:
        with self._guard:
            self.counted["ABORT"] += 1
            self.uploads.pop(upload_id, None)

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        with self._guard:
            self.counted["UPLOADS"] += 1
            found = [OpenUpload(path, upload, self.now_ms) for upload, (path, _, _) in self.uploads.items()]
        return UploadPage(tuple(upload for upload in found if upload.path.startswith(prefix)), None)
