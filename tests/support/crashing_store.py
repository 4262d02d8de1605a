"""A store that simulates a process crash at one of its requests, before or after the request is applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pyspark_logs.store import Page, Store, StoredFile, UploadPage


class Crash(BaseException):
    """The end of the process; no code of the package catches it."""


class CrashingStore(Store):
    """Passes requests on to another store until the crash.

    Args:
        inner: store that applies the requests.
        at: number of the request at which the process crashes, from 1; 0 for no crash.
        applied: True if that request is applied and only its response is lost.

    Attributes:
        requests: number of requests so far.
    """

    def __init__(self, inner: Store, at: int = 0, *, applied: bool = False) -> None:
        super().__init__(inner.scheme, inner.options)
        self.inner = inner
        self.at = at
        self.applied = applied
        self.requests = 0
        self.writable = inner.writable  # type: ignore[misc]
        self.lists_in_order = inner.lists_in_order  # type: ignore[misc]
        self.min_part_bytes = inner.min_part_bytes  # type: ignore[misc]

    def _pass(self, name: str, *args: Any, **keywords: Any) -> Any:
        self.requests += 1
        if self.requests == self.at and not self.applied:
            raise Crash
        response = getattr(self.inner, name)(*args, **keywords)
        if self.requests == self.at:
            raise Crash
        return response

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        return self._pass("list_page", prefix, recursive=recursive, token=token)

    def head(self, path: str) -> StoredFile | None:
        return self._pass("head", path)

    def get(self, path: str, *, max_bytes: int | None = None) -> bytes | None:
        return self._pass("get", path, max_bytes=max_bytes)

    def is_inside(self, root: str, path: str) -> bool:
        return self.inner.is_inside(root, path)

    def is_upload_inside(self, root: str, path: str, upload_id: str) -> bool:
        return self.inner.is_upload_inside(root, path, upload_id)

    def staged_path(self, path: str, upload_id: str) -> str:
        return self.inner.staged_path(path, upload_id)

    def read(self, path: str, *args: Any, **keywords: Any) -> Iterator[bytes]:
        return self._pass("read", path, *args, **keywords)

    def put(self, path: str, data: bytes) -> None:
        self._pass("put", path, data)

    def replace(self, path: str, data: bytes, *, etag: str) -> bool:
        return self._pass("replace", path, data, etag=etag)

    def create(self, path: str, data: bytes) -> bool:
        return self._pass("create", path, data)

    def remove(self, path: str, *, etag: str = "") -> bool:
        return self._pass("remove", path, etag=etag)

    def remove_all(self, paths: Sequence[str]) -> None:
        # The process may crash between any two deletions.
        for path in paths:
            self._pass("remove_all", [path])

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        return self._pass("start_upload", path, token=token, staging=staging)

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        return self._pass("upload_part", path, upload_id, number, data)

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        return self._pass("complete_upload", path, upload_id, parts, size=size)

    def abort_upload(self, path: str, upload_id: str) -> None:
        self._pass("abort_upload", path, upload_id)

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        return self._pass("list_uploads", prefix, token)
