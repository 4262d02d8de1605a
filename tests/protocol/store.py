"""A store in memory with the semantics of S3, for tests of the commit protocol.

``World`` is the content of a store, with each request as one step; ``ProtocolStore`` is a store over a world.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import md5
from typing import Any, NamedTuple

from pyspark_logs.errors import PathNotFoundError, SnapshotChangedError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import OpenUpload, Page, Store, StoredFile, UploadPage

NOW_MS = 1_800_000_000_000


class Item(NamedTuple):
    """A file: its bytes; data files only have a size."""

    data: bytes
    size: int
    etag: str
    modified_ms: int = NOW_MS
    token: str = ""


def document(data: bytes, modified_ms: int = NOW_MS) -> Item:
    """Returns the file of a document."""
    return Item(data, len(data), md5(data).hexdigest()[:8], modified_ms)


class World:
    """The content of a store: files, open uploads with their size and token, and create requests that are on their way."""

    __slots__ = ("files", "late", "uploads")

    def __init__(
        self,
        files: dict[str, Item],
        uploads: dict[tuple[str, str], tuple[int, str]],
        late: frozenset[tuple[str, bytes]] = frozenset(),
    ) -> None:
        self.files = files
        self.uploads = uploads
        self.late = late

    def copy(self) -> World:
        return World(dict(self.files), dict(self.uploads), self.late)

    @property
    def key(self) -> tuple[Any, ...]:
        return frozenset(self.files.items()), frozenset(self.uploads.items()), self.late

    def do(self, name: str, *args: Any, page_size: int = 1000, now_ms: int = NOW_MS) -> Any:
        """Applies a request, given by the name of a method of Store, to this world and returns the answer."""
        return getattr(self, f"_{name}")(
            *args,
            **({"page_size": page_size} if name == "list_page" else {}),
            **({"now_ms": now_ms} if name in ("put", "replace", "create", "land", "complete_upload") else {}),
        )

    def _list_page(self, prefix: str, recursive: bool, token: str | None, *, page_size: int) -> Page:
        names: dict[str, StoredFile | None] = {}
        for path in self.files:
            if path.startswith(prefix):
                name, slash, _ = path[len(prefix) :].partition("/")
                if slash and not recursive:
                    names[prefix + name + "/"] = None
                else:
                    names[path] = self._stored(path)
        # As on S3, a page continues after the last key of the previous page.
        rest = sorted(name for name in names if token is None or name > token)
        chosen = rest[:page_size]
        return Page(
            tuple(names[name] for name in chosen if names[name] is not None),
            tuple(name for name in chosen if names[name] is None),
            chosen[-1] if len(rest) > page_size else None,
        )

    def _stored(self, path: str, token: str = "") -> StoredFile:
        item = self.files[path]
        return StoredFile(path, item.size, item.modified_ms, item.etag, token)

    def _head(self, path: str) -> StoredFile | None:
        return self._stored(path, self.files[path].token) if path in self.files else None

    def _get(self, path: str) -> bytes | None:
        return self.files[path].data if path in self.files else None

    def _read(self, path: str) -> tuple[bytes, str] | None:
        return (self.files[path].data, self.files[path].etag) if path in self.files else None

    def _put(self, path: str, data: bytes, *, now_ms: int) -> None:
        self.files[path] = document(data, now_ms)

    def _replace(self, path: str, data: bytes, etag: str, *, now_ms: int) -> bool:
        if path not in self.files or self.files[path].etag != etag:
            return False
        self.files[path] = document(data, now_ms)
        return True

    def _create(self, path: str, data: bytes, *, now_ms: int) -> bool:
        if path in self.files:
            return False
        self.files[path] = document(data, now_ms)
        return True

    def _delay(self, path: str, data: bytes) -> None:
        self.late |= {(path, data)}

    def _land(self, path: str, data: bytes, *, now_ms: int) -> bool:
        self.late -= {(path, data)}
        return self._create(path, data, now_ms=now_ms)

    def _remove(self, path: str, etag: str) -> bool:
        if path in self.files and etag and self.files[path].etag != etag:
            return False
        self.files.pop(path, None)
        return True

    def _complete_upload(self, path: str, upload_id: str, size: int, *, now_ms: int) -> bool:
        if (path, upload_id) not in self.uploads:
            return False
        found, token = self.uploads.pop((path, upload_id))
        assert found == size, "each part is uploaded exactly once"
        self.files[path] = Item(b"", size, "e-" + upload_id, now_ms, token)
        return True

    def _abort_upload(self, path: str, upload_id: str) -> None:
        self.uploads.pop((path, upload_id), None)

    def _list_uploads(self, prefix: str) -> UploadPage:
        found = sorted(upload for upload in self.uploads if upload[0].startswith(prefix))
        return UploadPage(tuple(OpenUpload(path, upload_id, NOW_MS) for path, upload_id in found), None)


class RequestStore(Store):
    """A store that passes each request to ``_request``, which subclasses implement."""

    writable = True
    lists_in_order = True
    min_part_bytes = 1

    def _request(self, name: str, *args: Any) -> Any:
        raise NotImplementedError

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        return self._request("list_page", prefix, recursive, token)

    def list_after(self, prefix: str, after: str) -> Page:
        return self._request("list_page", prefix, True, after)

    def head(self, path: str) -> StoredFile | None:
        return self._request("head", path)

    def get(self, path: str, *, max_bytes: int | None = None) -> bytes | None:
        return self._request("get", path)

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        item = self._request("read", path)
        if item is None:
            raise PathNotFoundError(path)
        data, found = item
        if etag not in ("", found):
            raise SnapshotChangedError(path)
        yield data[start:end]

    def put(self, path: str, data: bytes) -> None:
        self._request("put", path, data)

    def replace(self, path: str, data: bytes, *, etag: str) -> bool:
        return self._request("replace", path, data, etag)

    def create(self, path: str, data: bytes) -> bool:
        return self._request("create", path, data)

    def remove(self, path: str, *, etag: str = "") -> bool:
        return self._request("remove", path, etag)

    def remove_all(self, paths: Sequence[str]) -> None:
        # The process may die between any two deletions.
        for path in paths:
            self._request("remove", path, "")

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        return self._request("complete_upload", path, upload_id, size)

    def abort_upload(self, path: str, upload_id: str) -> None:
        self._request("abort_upload", path, upload_id)

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        return self._request("list_uploads", prefix)


KINDS = {
    "list_page": "LIST", "head": "HEAD", "get": "GET", "read": "GET", "put": "PUT", "replace": "PUT", "create": "PUT", "remove": "DELETE",
    "complete_upload": "COMPLETE", "abort_upload": "ABORT", "list_uploads": "UPLOADS",
}  # fmt: skip


class ProtocolStore(RequestStore):
    """A store over a world, which counts requests and into which faults can be injected.

    Attributes:
        world: content of the store.
        page_size: number of keys in a page.
        now_ms: clock of the store, milliseconds since the epoch.
        conditional: True if create-only writes are honoured.
        before: function called before each request with its name and arguments; may raise or change the world.
        after: function called after each request, likewise; if it raises, the answer is lost.
    """

    def __init__(self, world: World | None = None, *, page_size: int = 1000, in_order: bool = True) -> None:
        super().__init__("s3", StoreOptions())
        self.world = world or World({}, {})
        self.page_size = page_size
        self.now_ms = NOW_MS
        self.conditional = True
        self.lists_in_order = in_order  # type: ignore[misc]
        self.counted: Counter[str] = Counter()
        self.before = self.after = lambda name, *args: None
        self._batch = False
        self._uploads = 0

    @property
    def request_counts(self) -> Counter[str]:
        return self.counted

    def _request(self, name: str, *args: Any) -> Any:
        if not self._batch:
            self.counted[KINDS[name]] += 1
        self.before(name, *args)
        if name == "create" and not self.conditional:
            self.world.do("put", *args, now_ms=self.now_ms)
            answer = True
        else:
            answer = self.world.do(name, *args, page_size=self.page_size, now_ms=self.now_ms)
        self.after(name, *args)
        return answer

    def remove_all(self, paths: Sequence[str]) -> None:
        assert len(paths) <= 1000
        self.counted["DELETE"] += 1
        self._batch = True
        try:
            super().remove_all(paths)
        finally:
            self._batch = False

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        self.counted["CREATE"] += 1
        self._uploads += 1
        self.world.uploads[path, f"u{self._uploads}"] = (0, token)
        return f"u{self._uploads}"

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        self.counted["PART"] += 1
        size, token = self.world.uploads[path, upload_id]
        self.world.uploads[path, upload_id] = (size + len(data), token)
        return f"p{number}"

    # --- inspection ------------------------------------------------------------------------

    def json(self, path: str) -> Any:
        return json.loads(self.world.files[path].data)

    def paths(self, prefix: str = "") -> list[str]:
        return sorted(path for path in self.world.files if path.startswith(prefix))
