"""Local files, seen as an object store: prefixes instead of directories, versions instead of inodes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pyspark_logs.errors import TruncatedBodyError
from pyspark_logs.store.interface import Page, Store, StoredFile
from pyspark_logs.store.paths import split_scheme


class LocalStore(Store):
    """Plain paths and ``file:`` URLs. A listing is one page; symbolic links are followed."""

    def page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """All of it in one page; what lies below is walked."""
        self._gate.count("LIST")
        _, path = split_scheme(prefix)
        directory, name = os.path.split(path)
        files: list[StoredFile] = []
        directories: list[str] = []
        with self._errors("list", prefix):
            _scan(directory or "/", name, recursive, files, directories, frozenset())
        files.sort(key=lambda file: file.path)
        return Page(tuple(files), tuple(sorted(directories)), None)

    def head(self, path: str) -> StoredFile | None:
        """One ``stat``."""
        self._gate.count("HEAD")
        _, local = split_scheme(path)
        with self._errors("look at", path):
            try:
                found = Path(local).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return _stored(local, found) if stat.S_ISREG(found.st_mode) and not local.endswith("/") else None

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """The open file is checked against ``etag`` before the first byte and after the last one."""
        self._gate.count("GET")
        _, local = split_scheme(path)
        with self._errors("read", path), Path(local).open("rb", buffering=0) as file:
            self._check(file.fileno(), path, etag)
            size = os.fstat(file.fileno()).st_size
            end = size if end is None else min(end, size)
            file.seek(start)
            position = start
            while position < end:
                chunk = file.read(min(chunk_bytes, end - position))
                if not chunk:
                    self._check(file.fileno(), path, etag)
                    raise TruncatedBodyError(
                        f"cannot read {path}: it ended at byte {position}, {end} were there when it was opened. "
                        "Something truncated it meanwhile: load it again."
                    )
                position += len(chunk)
                yield chunk
            self._check(file.fileno(), path, etag)

    def _check(self, descriptor: int, path: str, etag: str) -> None:
        found = _etag(os.fstat(descriptor))
        if etag and found != etag:
            raise self._changed(path, etag, found)


def _etag(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"


def _stored(path: str, found: os.stat_result) -> StoredFile:
    return StoredFile(path, found.st_size, found.st_mtime_ns // 1_000_000, _etag(found))


def _scan(
    directory: str,
    name: str,
    recursive: bool,
    files: list[StoredFile],
    directories: list[str],
    above: frozenset[tuple[int, int]],
) -> None:
    """Collect what is in ``directory`` and starts with ``name``; ``above`` guards against link cycles."""
    try:
        here = Path(directory).stat()
        entries = list(os.scandir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return  # as in an object store: nothing there is an empty listing
    if (here.st_dev, here.st_ino) in above:
        return
    above |= {(here.st_dev, here.st_ino)}
    for entry in entries:
        if not entry.name.startswith(name):
            continue
        try:
            found = entry.stat()
        except FileNotFoundError:
            continue  # a broken link, or gone since the scan
        if stat.S_ISREG(found.st_mode):
            files.append(_stored(entry.path, found))
        elif stat.S_ISDIR(found.st_mode) and recursive:
            _scan(entry.path, "", True, files, directories, above)
        elif stat.S_ISDIR(found.st_mode):
            directories.append(entry.path + "/")
