"""``memory://`` paths: fsspec's file system in the memory of this process, for tests and notebooks."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pyspark_logs.errors import StoreError
from pyspark_logs.store.generic import GenericStore, _key
from pyspark_logs.store.listings import OpenUpload, Page, StoredFile, UploadPage, paginate_uploads


@dataclass
class MemoryUpload:
    """An open upload.

    Attributes:
        path: path of the file once the upload is completed.
        started_ms: time of the start, milliseconds since the epoch, UTC.
        parts: content of each part.
    """

    path: str
    started_ms: int
    parts: list[bytes] = field(default_factory=list)


# Shared by all stores of the process, as fsspec's files are: one store completes the uploads of another.
_UPLOADS: dict[str, MemoryUpload] = {}
_LOCK = threading.Lock()

if hasattr(os, "register_at_fork"):
    # A forked child copies the uploads and the files; holding the lock prevents a copy in the middle of a change.
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)


class MemoryStore(GenericStore):
    """Files at ``memory://`` paths. There are no buckets and no options, and only this process sees the files."""

    writable = True

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        with _LOCK:
            return super().list_page(prefix, recursive=recursive, token=token)

    def head(self, path: str) -> StoredFile | None:
        with _LOCK:
            return super().head(path)

    def get(self, path: str, *, max_bytes: int | None = None) -> bytes | None:
        """Reads the file in one request."""
        with self._locked_request("GET", "read", path) as (filesystem, key):
            data: bytes | None = filesystem.cat_file(key) if filesystem.isfile(key) else None
        if data is not None and max_bytes is not None and len(data) > max_bytes:
            raise self._errors.too_large(path, max_bytes)
        return data

    def put(self, path: str, data: bytes) -> None:
        with self._locked_request("PUT", "write", path) as (filesystem, key):
            filesystem.pipe_file(key, data)

    def create(self, path: str, data: bytes) -> bool:
        with self._locked_request("PUT", "create", path) as (filesystem, key):
            if filesystem.exists(key):
                return False
            filesystem.pipe_file(key, data)
        return True

    def replace(self, path: str, data: bytes, *, etag: str) -> bool:
        with self._locked_request("PUT", "write", path) as (filesystem, key):
            if not filesystem.isfile(key) or self._to_stored_file(path, filesystem.info(key)).etag != etag:
                return False
            filesystem.pipe_file(key, data)
        return True

    def remove(self, path: str, *, etag: str = "") -> bool:
        with self._locked_request("DELETE", "delete", path) as (filesystem, key):
            if not filesystem.isfile(key):
                return True
            if etag and self._to_stored_file(path, filesystem.info(key)).etag != etag:
                return False
            filesystem.rm_file(key)
        return True

    def remove_all(self, paths: Sequence[str]) -> None:
        if paths:
            with self._locked_request("DELETE", "delete", paths[0]) as (filesystem, _):
                for key in {_key(filesystem, path) for path in paths}:
                    if filesystem.isfile(key):
                        filesystem.rm_file(key)

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        """Stages the upload outside the file system; ``token`` and ``staging`` are not used."""
        upload_id = uuid.uuid4().hex
        with self._locked_request("CREATE", "start an upload to", path):
            _UPLOADS[upload_id] = MemoryUpload(path, time.time_ns() // 1_000_000)
        return upload_id

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        with self._locked_request("PART", "upload to", path):
            upload = _UPLOADS.get(upload_id)
            if upload is None:
                raise FileNotFoundError(f"there is no upload {upload_id}")
            upload.parts[number - 1 :] = [data]
            return _part_etag(number, data)

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        with self._locked_request("COMPLETE", "complete the upload to", path) as (filesystem, key):
            upload = _UPLOADS.get(upload_id)
            if upload is None:
                return False
            staged = [_part_etag(number, part) for number, part in enumerate(upload.parts, 1)]
            data = b"".join(upload.parts)
            if not parts or list(parts) != staged or len(data) != size:
                raise StoreError(
                    f"cannot complete the upload to {path}: {len(parts)} parts of {size} bytes were expected, {len(staged)} of "
                    f"{len(data)} bytes are staged, or their etags differ. Write the file again."
                )
            filesystem.pipe_file(key, data)
            del _UPLOADS[upload_id]
        return True

    def abort_upload(self, path: str, upload_id: str) -> None:
        with self._locked_request("ABORT", "abort the upload to", path):
            _UPLOADS.pop(upload_id, None)

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        with self._locked_request("UPLOADS", "list the uploads below", prefix):
            uploads = [OpenUpload(item.path, upload_id, item.started_ms) for upload_id, item in _UPLOADS.items()]
        return paginate_uploads([item for item in uploads if item.path.startswith(prefix)], token, self.page_size)

    @contextmanager
    def _locked_request(self, kind: str, action: str, path: str) -> Iterator[tuple[Any, str]]:
        """Counts a request and yields the file system and the key of the path, holding the lock of the process."""
        self._breaker.count_request(kind)
        filesystem = self._filesystem(path)
        with self._request_context(action, path, writing=kind != "GET"), _LOCK:
            yield filesystem, _key(filesystem, path)

    def _driver_arguments(self) -> dict[str, Any]:
        return {}

    def _split(self, prefix: str) -> tuple[str, str]:
        parent, slash, name = prefix.rpartition("/")
        return parent + slash, name

    def _check_bucket(self, parent: str) -> None:
        """Does nothing, because there are no buckets."""

    def _to_stored_file(self, path: str, entry: Mapping[str, Any]) -> StoredFile:
        modified: dt.datetime = self._filesystem(path).modified(entry["name"])
        since_epoch = modified - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
        etag = f"{since_epoch // dt.timedelta(microseconds=1):x}-{entry['size']:x}"
        return StoredFile(path, entry["size"], since_epoch // dt.timedelta(milliseconds=1), etag)


def _part_etag(number: int, data: bytes) -> str:
    return f"{number}-{zlib.crc32(data):08x}"
