"""A store of keys without content that records its list requests, for tests of planning."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha1

from pyspark_logs.options import StoreOptions
from pyspark_logs.store import Page, Store, StoredFile


class KeyStore(Store):
    """A read-only store of file descriptions.

    Args:
        files: files of the store.
        page_size: number of entries in a page.
        ordered: True to list keys in order, as S3 does; False to list them in a shuffled order.
        fail: prefix whose listing raises PermissionError.

    Attributes:
        requests: prefix, ``recursive`` and token of each list request, except those of commits.
        counted: number of requests by kind.
    """

    def __init__(
        self, files: Iterable[StoredFile], *, page_size: int = 1000, ordered: bool = True, fail: str | None = None
    ) -> None:
        super().__init__("s3", StoreOptions())
        self.files = {file.path: file for file in sorted(files, key=lambda file: file.path)}
        self.paths = list(self.files)
        self.page_size = page_size
        self.ordered = ordered
        self.lists_in_order = ordered  # type: ignore[misc]
        self.fail = fail
        self.requests: list[tuple[str, bool, str | None]] = []
        self.counted: Counter[str] = Counter()
        self.guard = threading.Lock()

    @classmethod
    def from_keys(
        cls, keys: Iterable[str] | Mapping[str, int], root: str = "s3://b/app/", **arguments: object
    ) -> KeyStore:
        """Creates a store of files below a root, from their keys (1024 bytes each) or from a mapping of keys to sizes."""
        sizes = keys if isinstance(keys, Mapping) else dict.fromkeys(keys, 1024)
        return cls([StoredFile(root + key, size, 1_000, f"e{size}") for key, size in sizes.items()], **arguments)

    @property
    def request_counts(self) -> Counter[str]:
        return self.counted

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        with self.guard:
            self.counted["LIST"] += 1
            if not prefix.endswith("/_commits/"):  # listings of commits are counted but not recorded
                self.requests.append((prefix, recursive, token))
        if prefix == self.fail:
            raise PermissionError(prefix)
        names = self.names(prefix, recursive)
        start = int(token or 0)
        selected = sorted(names[start : start + self.page_size])
        files = tuple(self.files[name] for name in selected if name in self.files)
        directories = tuple(name for name in selected if name not in self.files)
        more = start + self.page_size < len(names)
        return Page(files, directories, str(start + self.page_size) if more else None)

    def list_after(self, prefix: str, after: str) -> Page:
        with self.guard:
            self.counted["LIST"] += 1
        names = [name for name in self.names(prefix, recursive=True) if name > after]
        more = len(names) > self.page_size
        return Page(tuple(self.files[name] for name in names[: self.page_size]), (), "more" if more else None)

    def names(self, prefix: str, recursive: bool) -> list[str]:
        """Returns all paths of a listing in the order of its pages."""
        paths = self.paths[bisect_left(self.paths, prefix) : bisect_left(self.paths, prefix + chr(0x10FFFF))]
        if not recursive:
            rests = ((path, path[len(prefix) :].partition("/")) for path in paths)
            paths = sorted({prefix + name + "/" if slash else path for path, (name, slash, _) in rests})
        return paths if self.ordered else sorted(paths, key=lambda name: sha1(name.encode()).digest())

    def head(self, path: str) -> StoredFile | None:
        with self.guard:
            self.counted["HEAD"] += 1
        return self.files.get(path)

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        raise NotImplementedError
