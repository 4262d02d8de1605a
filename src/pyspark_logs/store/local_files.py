"""Operations on local files: atomic writes, staged files, and scans of directories."""

from __future__ import annotations

import errno
import io
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pyspark_logs.store.listings import StoredFile
from pyspark_logs.store.local_paths import STAGING

_WITHOUT_TARGET = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_MAX_ATTEMPTS = 100  # another thread may remove an empty directory between its creation and its use


def open_file(path: str) -> io.FileIO:
    """Opens a regular file for reading.

    Raises:
        FileNotFoundError: the path is a pipe or a device, which listings omit. Opening a pipe would wait for a writer.
    """
    mode = os.stat(path).st_mode  # noqa: PTH116 - a Path costs as much as the call
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise FileNotFoundError(errno.ENOENT, "not a regular file", path)
    return io.FileIO(path)


def is_cached(path: str, offset: int) -> bool:
    """True if the system has the byte at an offset in its page cache; False if it has not, or cannot tell.

    Linux reads from memory or not at all with RWF_NOWAIT (preadv2(2)). Network file systems often do not support it.
    """
    no_wait = getattr(os, "RWF_NOWAIT", None)
    if no_wait is None or offset < 0:  # -1 is the position of the file
        return False
    try:
        with open_file(path) as file:
            return os.preadv(file.fileno(), [bytearray(1)], offset, no_wait) == 1
    except OSError:
        return False


@contextmanager
def temporary_file(path: str, data: bytes) -> Iterator[str]:
    """Creates a synchronised file with this content in the directory of a path, and deletes it unless it was renamed.

    The directory is created if it does not exist. The temporary name begins with a dot, so that readers ignore a file that
    remains after a crash.

    Yields:
        Path of the temporary file.
    """
    directory = Path(path).parent
    directory.mkdir(parents=True, exist_ok=True)
    temporary = directory / f".tmp-{uuid.uuid4().hex}"
    try:
        with temporary.open("xb", buffering=0) as file:
            write_all(file, data)
            os.fsync(file.fileno())
        yield str(temporary)
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_all(file: io.FileIO, data: bytes) -> None:
    """Writes all bytes to an unbuffered file, whose ``write`` may write fewer."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def sync_directory(path: str) -> None:
    """Synchronises the directory entry of a file to the disk."""
    descriptor = os.open(Path(path).parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def has_version(path: str, etag: str) -> bool:
    """True if a regular file is at a path and is the version ``etag``."""
    try:
        status = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(status.st_mode) and etag_of(status) == etag


def delete_file(path: str, etag: str) -> bool:
    """Deletes a file if it is the version ``etag``, or any version if ``etag`` is empty.

    Returns:
        True if there is no file at this path, or no longer. False if another version is there.
    """
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            return True  # an object store has no directories
        if etag and etag_of(status) != etag:
            return False
        Path(path).unlink()
    except (FileNotFoundError, NotADirectoryError):
        pass
    return True


def create_staged_file(staging: str, name: str) -> str:
    """Creates the empty file ``<staging>/<random>/<name>`` and its directories; returns its path."""
    staged = Path(staging, uuid.uuid4().hex, name)
    for _ in range(_MAX_ATTEMPTS):
        with suppress(FileNotFoundError):
            staged.parent.mkdir(parents=True, exist_ok=True)
            staged.touch(exist_ok=False)
            return str(staged)
    raise FileNotFoundError(
        errno.ENOENT, f"{staging} was deleted {_MAX_ATTEMPTS} times during the creation of a file in it"
    )


def remove_empty_directories(staged: str) -> None:
    """Removes the empty directories above a staged file that was renamed or deleted, up to ``_staging`` itself."""
    with suppress(OSError):
        directory = Path(staged)
        while directory.name != STAGING:
            directory = directory.parent
            directory.rmdir()


def partial_line_bytes(file: io.FileIO, offset: int, search_bytes: int) -> int:
    """Returns the number of bytes between the last line end before an offset and the offset; 0 if there is no line end.

    Args:
        file: file, whose position changes.
        offset: offset in the file.
        search_bytes: number of bytes before the offset to search.
    """
    file.seek(offset - search_bytes)
    tail = file.read(search_bytes)
    return len(tail) - (tail.rfind(b"\n") + 1) if b"\n" in tail else 0


def etag_of(status: os.stat_result) -> str:
    """Returns an etag made of modification time, time of the last change of the status, size and inode.

    Programs can set the modification time back after an overwrite, but not the time of the status change.
    """
    return f"{status.st_mtime_ns:x}-{status.st_ctime_ns:x}-{status.st_size:x}-{status.st_ino:x}"


def to_stored_file(path: str, status: os.stat_result) -> StoredFile:
    """Returns the description of a file from its status."""
    return StoredFile(path, status.st_size, status.st_mtime_ns // 1_000_000, etag_of(status))


@dataclass
class DirectoryScan:
    """Entries of a directory.

    Attributes:
        files: descriptions of the files found.
        directories: paths of the subdirectories found, each ending in ``/``; empty for a recursive scan.
        skipped_links: paths of symbolic links without a target, and of links to a directory above them.
    """

    files: list[StoredFile] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    skipped_links: list[str] = field(default_factory=list)


def scan(directory: str, name_prefix: str, *, recursive: bool, follow_links: bool = True) -> DirectoryScan:
    """Returns the entries of a directory. A missing directory has none.

    Args:
        directory: path of the directory.
        name_prefix: prefix of the names of its entries.
        recursive: True to scan subdirectories, however deep, instead of returning them.
        follow_links: False to ignore symbolic links.
    """
    found = DirectoryScan()
    pending = [(directory, name_prefix, frozenset[tuple[int, int]]())]
    while pending:
        directory, name_prefix, above = pending.pop()
        try:
            status = Path(directory).stat()
            entries = list(os.scandir(directory))
        except (FileNotFoundError, NotADirectoryError):
            continue
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            found.skipped_links.append(directory)
            continue
        above |= {identity}
        for entry in entries:
            if not entry.name.startswith(name_prefix):
                continue
            try:
                status = entry.stat(follow_symlinks=follow_links)
            except OSError as error:
                if error.errno not in _WITHOUT_TARGET:
                    raise
                if entry.is_symlink():  # otherwise deleted after the scan
                    found.skipped_links.append(entry.path)
                continue
            if stat.S_ISREG(status.st_mode):
                found.files.append(to_stored_file(entry.path, status))
            elif stat.S_ISDIR(status.st_mode) and recursive:
                pending.append((entry.path, "", above))
            elif stat.S_ISDIR(status.st_mode):
                found.directories.append(entry.path + "/")
    return found
