"""Local files, seen as an object store: prefixes instead of directories, versions instead of inodes.

What is visible is whole: content is written under another name, forced to the disk, and then linked (``create``)
or renamed (``put``, ``complete_upload``) to where it belongs. The temporary names begin with a dot, so that
readers take what a crash may leave for no data.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pyspark_logs.errors import ReadOnlyStoreError, StoreError, TruncatedBodyError
from pyspark_logs.store.interface import OpenUpload, Page, Store, StoredFile, UploadPage
from pyspark_logs.store.local_paths import STAGING as _STAGING
from pyspark_logs.store.local_paths import is_inside, is_staged_file, root_of_staged_file
from pyspark_logs.store.paths import split_scheme

_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP)
_LOOK_BACK = 4096  # bytes, in which a line that is read has nearly always begun
_TRIES = 100  # directories are taken away when empty, at the very moment perhaps when another thread wants one


class LocalStore(Store):
    """Plain paths and ``file:`` URLs. A listing is one page; symbolic links are followed."""

    writable = True

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
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
        """The open file is checked against ``etag`` before the first byte and after the last one.

        A chunk ends with a line where one ends near, so that who cuts lines need not join what two chunks share.
        """
        self._gate.count("GET")
        _, local = split_scheme(path)
        with self._errors("read", path), Path(local).open("rb", buffering=0) as file:
            self._check(file.fileno(), path, etag)
            size = os.fstat(file.fileno()).st_size
            end = size if end is None else min(end, size)
            file.seek(start)
            position = start
            while position < end:
                size = min(chunk_bytes, end - position)
                if position + size < end:
                    size -= _begun(file, position + size, min(size, _LOOK_BACK))
                    file.seek(position)
                chunk = file.read(size)
                if not chunk:
                    self._check(file.fileno(), path, etag)
                    raise TruncatedBodyError(
                        f"cannot read {path}: it ended at byte {position}, {end} were there when it was opened. "
                        "Something truncated it meanwhile: load it again."
                    )
                position += len(chunk)
                yield chunk
            self._check(file.fileno(), path, etag)

    def put(self, path: str, data: bytes) -> None:
        """A temporary file beside it, renamed."""
        self._gate.count("PUT")
        _, local = split_scheme(path)
        with self._errors("write", path, writing=True), _written_beside(local, data) as temporary:
            Path(temporary).replace(local)
            _sync_directory(local)

    def create(self, path: str, data: bytes) -> bool:
        """A temporary file beside it, linked, which fails if the name is taken. Directories are made."""
        self._gate.count("PUT")
        _, local = split_scheme(path)
        with self._errors("create", path, writing=True), _written_beside(local, data) as temporary:
            try:
                os.link(temporary, local)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                raise ReadOnlyStoreError(
                    f"cannot create {path}: its file system has no hard links ({error.strerror}), so two writers could not be "
                    "told apart. Write to another file system, or to S3."
                ) from error
            _sync_directory(local)
        return True

    def remove(self, path: str, *, etag: str = "") -> bool:
        """``stat``, then ``unlink``: a file that replaces it in between goes with it, since systems have no better."""
        self._gate.count("DELETE")
        _, local = split_scheme(path)
        with self._errors("delete", path, writing=True):
            return _unlink(local, etag)

    def remove_all(self, paths: Sequence[str]) -> None:
        """One after another, counted as one request."""
        if paths:
            self._gate.count("DELETE")
        for path in paths:
            with self._errors("delete", path, writing=True):
                _unlink(split_scheme(path)[1], "")

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        """An empty file ``<staging>/<random>/<path below the root>``; its path is the upload's id. ``token`` is not kept."""
        self._gate.count("CREATE")
        _, local = split_scheme(path)
        _, directory = split_scheme(staging.rstrip("/"))
        root, found, _ = directory.rpartition(f"/{_STAGING}/")
        if not found or not local.startswith(f"{root}/"):
            raise ValueError(f"{staging} is not <root>/{_STAGING}/<job> of a root that {path} is below")
        # Refused before anything is staged: a file behind a link could be published and never be rolled back.
        if not (is_inside(root, local) and is_inside(root, f"{directory}/x")):
            raise StoreError(
                f"cannot write {path}: a directory between {root} and the file, or {root}/{_STAGING}, is a symbolic link, and"
                f" nothing is written or deleted behind links below the directory that is written to. Write to the target of"
                " the link, or replace the link by a directory."
            )
        with self._errors("start an upload to", path, writing=True):
            return _new_staged_file(directory, local.removeprefix(f"{root}/"))

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        """Appended. The etag says where the part ends."""
        self._gate.count("PART")
        with self._errors("upload to", path, writing=True), Path(upload_id).open("r+b", buffering=0) as staged:
            begin = staged.seek(0, os.SEEK_END)
            try:
                _write(staged, data)
            except OSError:
                staged.truncate(begin)  # a part is there or not
                raise
            return _part_etag(number, staged.tell())

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        """Forced to the disk, then renamed."""
        self._gate.count("COMPLETE")
        _, local = split_scheme(path)
        _check_staged_file(path, upload_id)
        with self._errors("complete the upload to", path, writing=True):
            try:
                with Path(upload_id).open("rb") as staged:
                    os.fsync(staged.fileno())
                    found = os.fstat(staged.fileno()).st_size
            except FileNotFoundError:
                return False
            if found != size or list(parts[-1:]) != [_part_etag(len(parts), size)]:
                raise StoreError(
                    f"cannot complete the upload to {path}: {len(parts)} parts of {size} bytes were expected, {found} bytes are "
                    f"staged in {upload_id}. Write the file again."
                )
            Path(local).parent.mkdir(parents=True, exist_ok=True)
            try:
                Path(upload_id).replace(local)
            except FileNotFoundError:
                if Path(upload_id).exists():
                    raise
                return False  # another process completed or aborted it just now
            _sync_directory(local)
        _clear_away(upload_id)
        return True

    def abort_upload(self, path: str, upload_id: str) -> None:
        """The staged file is deleted, and its directories where empty."""
        self._gate.count("ABORT")
        _check_staged_file(path, upload_id)
        with self._errors("abort the upload to", path, writing=True), suppress(FileNotFoundError):
            Path(upload_id).unlink()
        _clear_away(upload_id)

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        """The files below ``<prefix>/_staging/``."""
        self._gate.count("UPLOADS")
        root = split_scheme(prefix)[1].rstrip("/")
        staging = f"{root}/{_STAGING}"
        files: list[StoredFile] = []
        with self._errors("look for uploads below", prefix, writing=True):
            if is_inside(root, f"{staging}/x"):
                _scan(staging, "", True, files, [], frozenset(), follow_links=False)
        below = ((file, file.path.removeprefix(f"{staging}/").split("/", 2)) for file in files)
        # A job, an upload, and the path of the file to be; anything else that lies there is not ours.
        uploads = (OpenUpload(f"{root}/{names[2]}", file.path, file.modified_ms) for file, names in below if names[2:])
        return self._upload_page(uploads, token)

    def is_inside(self, root: str, path: str) -> bool:
        """Checks the names between root and file, and that no directory between them is a symbolic link."""
        return is_inside(split_scheme(root)[1], split_scheme(path)[1])

    def is_upload_inside(self, root: str, path: str, upload_id: str) -> bool:
        """Checks that the upload id is the path of a staged file of the root, without a symbolic link on its way."""
        return is_staged_file(split_scheme(root)[1], split_scheme(path)[1], upload_id)

    def staged_path(self, path: str, upload_id: str) -> str:
        """Returns the upload id, which is the path of the staged file."""
        return upload_id

    def _check(self, descriptor: int, path: str, etag: str) -> None:
        found = _etag(os.fstat(descriptor))
        if etag and found != etag:
            raise self._changed(path, etag, found)


def _check_staged_file(path: str, upload_id: str) -> None:
    """Raises StoreError unless the upload id is a staged file of the path, below the same root and not behind a link."""
    if not is_staged_file(root_of_staged_file(upload_id), split_scheme(path)[1], upload_id):
        raise StoreError(
            f"{upload_id!r} is not the staged file of {path}: expected <root>/{_STAGING}/<job>/<random>/<path below the root>,"
            " without symbolic links below the root. Nothing was changed. Look where the upload id comes from."
        )


@contextmanager
def _written_beside(path: str, data: bytes) -> Iterator[str]:
    """A file on the disk with this content, in the directory of ``path``; afterwards it is gone, unless renamed."""
    directory = Path(path).parent
    directory.mkdir(parents=True, exist_ok=True)
    temporary = directory / f".tmp-{uuid.uuid4().hex}"
    try:
        with temporary.open("xb", buffering=0) as file:
            _write(file, data)
            os.fsync(file.fileno())
        yield str(temporary)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _write(file: io.FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _sync_directory(path: str) -> None:
    """Force the name of a file to the disk, too."""
    descriptor = os.open(Path(path).parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unlink(path: str, etag: str) -> bool:
    try:
        found = Path(path).stat()
        if not stat.S_ISREG(found.st_mode):
            return True  # to an object store, a directory is nothing
        if etag and _etag(found) != etag:
            return False
        Path(path).unlink()
    except (FileNotFoundError, NotADirectoryError):
        pass
    return True


def _new_staged_file(staging: str, name: str) -> str:
    staged = Path(staging, uuid.uuid4().hex, name)
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            staged.parent.mkdir(parents=True, exist_ok=True)
            staged.touch(exist_ok=False)
            return str(staged)
    raise FileNotFoundError(errno.ENOENT, f"{staging} is taken away again and again")


def _clear_away(upload_id: str) -> None:
    """Remove the directories of an upload that has ended, up to ``_staging`` itself, as far as they are empty."""
    with suppress(OSError):
        directory = Path(upload_id)
        while directory.name != _STAGING:
            directory = directory.parent
            directory.rmdir()


def _part_etag(number: int, end: int) -> str:
    return f"{number}-{end:x}"


def _etag(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"


def _begun(file: io.FileIO, place: int, most: int) -> int:
    """How many of the ``most`` bytes before ``place`` are of a line that goes on there; 0 where all may be."""
    file.seek(place - most)
    tail = file.read(most)
    return len(tail) - (tail.rfind(b"\n") + 1) if b"\n" in tail else 0


def _stored(path: str, found: os.stat_result) -> StoredFile:
    return StoredFile(path, found.st_size, found.st_mtime_ns // 1_000_000, _etag(found))


def _scan(
    directory: str,
    name: str,
    recursive: bool,
    files: list[StoredFile],
    directories: list[str],
    above: frozenset[tuple[int, int]],
    *,
    follow_links: bool = True,
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
            found = entry.stat(follow_symlinks=follow_links)
        except FileNotFoundError:
            continue  # a broken link, or gone since the scan
        if stat.S_ISREG(found.st_mode):
            files.append(_stored(entry.path, found))
        elif stat.S_ISDIR(found.st_mode) and recursive:
            _scan(entry.path, "", True, files, directories, above, follow_links=follow_links)
        elif stat.S_ISDIR(found.st_mode):
            directories.append(entry.path + "/")
