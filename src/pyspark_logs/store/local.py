"""Local files with the interface of an object store: prefixes instead of directories, and versions by etag.

Visible files are complete: content is written under another name, synchronised to the disk, and then linked (``create``) or
renamed (``put``, ``complete_upload``) to its path.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from pyspark_logs.errors import ReadOnlyStoreError, StoreError, TruncatedBodyError
from pyspark_logs.store.interface import Store
from pyspark_logs.store.listings import OpenUpload, Page, StoredFile, UploadPage, paginate_uploads
from pyspark_logs.store.local_files import (
    create_staged_file,
    delete_file,
    etag_of,
    has_version,
    is_cached,
    open_file,
    partial_line_bytes,
    remove_empty_directories,
    scan,
    sync_directory,
    temporary_file,
    to_stored_file,
    write_all,
)
from pyspark_logs.store.local_paths import STAGING, is_inside, is_staged_file, root_of_staged_file
from pyspark_logs.store.paths import split_scheme

_NO_HARD_LINKS = (errno.EPERM, errno.ENOSYS, errno.EMLINK, errno.ENOTSUP, errno.EOPNOTSUPP)
# Parts of at least this size are written to the disk while the next ones are rendered. Of smaller files, which are many, the
# synchronisation of complete_upload() alone is cheaper.
_SYNCHRONISED_BYTES = 1 << 20
_SYNCHRONISE = getattr(os, "fdatasync", os.fsync)
_MAX_LINE_SEARCH_BYTES = 4096  # longer than nearly all lines


class LocalStore(Store):
    """Files at local paths and ``file:`` URLs. A listing is one page and follows symbolic links."""

    writable = True
    is_local = True

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """Lists everything in one page, walking the directories if recursive."""
        self._breaker.count_request("LIST")
        _, path = split_scheme(prefix)
        directory, name = os.path.split(path)
        with self._request_context("list", prefix):
            found = scan(directory or "/", name, recursive=recursive)
        files = sorted(found.files, key=lambda file: file.path)
        return Page(tuple(files), tuple(sorted(found.directories)), None, tuple(found.skipped_links))

    def has_directory(self, path: str) -> bool:
        """True if a directory, or a link to one, is at a path."""
        return Path(split_scheme(path)[1]).is_dir()

    def is_cached(self, path: str, offset: int) -> bool:
        """True if the page cache of the operating system has the byte at an offset; False if the system cannot tell."""
        return is_cached(split_scheme(path)[1], offset)

    def head(self, path: str) -> StoredFile | None:
        """Makes one ``stat`` call."""
        self._breaker.count_request("HEAD")
        _, local = split_scheme(path)
        with self._request_context("describe", path):
            try:
                status = Path(local).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return to_stored_file(local, status) if stat.S_ISREG(status.st_mode) and not local.endswith("/") else None

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """Reads the file, and checks its version before the first byte and after the last.

        A chunk ends at a line end if there is one among its last 4096 bytes, so that readers of lines rarely join two chunks.
        """
        self._breaker.count_request("GET")
        _, local = split_scheme(path)
        with self._request_context("read", path), open_file(local) as file:
            size = self._check_version(file.fileno(), path, etag)
            end = size if end is None else min(end, size)
            if start:
                file.seek(start)
            position = start
            while position < end:
                size = min(chunk_bytes, end - position)
                if position + size < end:
                    size -= partial_line_bytes(file, position + size, min(size, _MAX_LINE_SEARCH_BYTES))
                    file.seek(position)
                chunk = file.read(size)
                if not chunk:
                    self._check_version(file.fileno(), path, etag)
                    raise TruncatedBodyError(
                        f"cannot read {path}: it ended at byte {position}, {end} were there when it was opened. "
                        "Another process truncated it: load it again."
                    )
                position += len(chunk)
                yield chunk
            self._check_version(file.fileno(), path, etag)

    def put(self, path: str, data: bytes) -> None:
        """Writes a temporary file in the same directory and renames it."""
        self._breaker.count_request("PUT")
        _, local = split_scheme(path)
        with self._request_context("write", path, writing=True), temporary_file(local, data) as temporary:
            Path(temporary).replace(local)
            sync_directory(local)

    def replace(self, path: str, data: bytes, *, etag: str) -> bool:
        """Writes a temporary file, compares the version, and renames the temporary file.

        Another version that is written between the calls is replaced, because the system has no conditional rename.
        """
        self._breaker.count_request("PUT")
        _, local = split_scheme(path)
        with self._request_context("write", path, writing=True):
            if not has_version(local, etag):
                return False  # without a file, its directory is not created either
            with temporary_file(local, data) as temporary:
                if not has_version(local, etag):
                    return False
                Path(temporary).replace(local)
                sync_directory(local)
        return True

    def create(self, path: str, data: bytes) -> bool:
        """Writes a temporary file in the same directory and links it, which fails if the path exists. Creates directories."""
        self._breaker.count_request("PUT")
        _, local = split_scheme(path)
        with self._request_context("create", path, writing=True), temporary_file(local, data) as temporary:
            try:
                os.link(temporary, local)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_HARD_LINKS:
                    raise
                raise ReadOnlyStoreError(
                    f"cannot create {path}: its file system has no hard links ({error.strerror}), so several writers could create "
                    "the same file. Write to another file system, or to S3."
                ) from error
            sync_directory(local)
        return True

    def remove(self, path: str, *, etag: str = "") -> bool:
        """Makes a ``stat`` and an ``unlink`` call.

        A file that replaces the checked version between the calls is deleted, because the system has no conditional delete.
        """
        self._breaker.count_request("DELETE")
        _, local = split_scheme(path)
        with self._request_context("delete", path, writing=True):
            return delete_file(local, etag)

    def remove_all(self, paths: Sequence[str]) -> None:
        """Deletes the files one after another; counted as one request."""
        if paths:
            self._breaker.count_request("DELETE")
        for path in paths:
            with self._request_context("delete", path, writing=True):
                delete_file(split_scheme(path)[1], "")

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        """Creates an empty file ``<staging>/<random>/<path below the root>``, whose path is the upload id. Ignores ``token``."""
        self._breaker.count_request("CREATE")
        _, local = split_scheme(path)
        _, directory = split_scheme(staging.rstrip("/"))
        root, found, _ = directory.rpartition(f"/{STAGING}/")
        if not found or not local.startswith(f"{root}/"):
            raise ValueError(f"{staging} is not <root>/{STAGING}/<job> of a root above {path}")
        # Checked before anything is staged, because a file below a link could be published and never be rolled back.
        if not (is_inside(root, local) and is_inside(root, f"{directory}/x")):
            raise StoreError(
                f"cannot write {path}: a directory between {root} and the file, or {root}/{STAGING}, is a symbolic link. Files"
                " below such links are neither written nor deleted. Write to the target of the link, or replace the link by a"
                " directory."
            )
        with self._request_context("start an upload to", path, writing=True):
            return create_staged_file(directory, local.removeprefix(f"{root}/"))

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        """Appends the part to the staged file; synchronises a large part. The etag contains the offset of its end."""
        self._breaker.count_request("PART")
        with self._request_context("upload to", path, writing=True), Path(upload_id).open("r+b", buffering=0) as staged:
            start = staged.seek(0, os.SEEK_END)
            try:
                write_all(staged, data)
            except OSError:
                staged.truncate(start)  # an incomplete part must not remain
                raise
            if len(data) >= _SYNCHRONISED_BYTES:
                _SYNCHRONISE(staged.fileno())
            return _part_etag(number, staged.tell())

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        """Synchronises the staged file to the disk and renames it."""
        self._breaker.count_request("COMPLETE")
        _, local = split_scheme(path)
        _check_staged_file(path, upload_id)
        with self._request_context("complete the upload to", path, writing=True):
            try:
                with Path(upload_id).open("rb") as staged:
                    os.fsync(staged.fileno())
                    staged_size = os.fstat(staged.fileno()).st_size
            except FileNotFoundError:
                return False
            if staged_size != size or list(parts[-1:]) != [_part_etag(len(parts), size)]:
                raise StoreError(
                    f"cannot complete the upload to {path}: {len(parts)} parts of {size} bytes were expected, {staged_size} bytes are "
                    f"staged in {upload_id}. Write the file again."
                )
            Path(local).parent.mkdir(parents=True, exist_ok=True)
            try:
                Path(upload_id).replace(local)
            except FileNotFoundError:
                if Path(upload_id).exists():
                    raise
                return False  # another process completed or aborted the upload after the check
            sync_directory(local)
        remove_empty_directories(upload_id)
        return True

    def abort_upload(self, path: str, upload_id: str) -> None:
        """Deletes the staged file and the directories that become empty."""
        self._breaker.count_request("ABORT")
        _check_staged_file(path, upload_id)
        with self._request_context("abort the upload to", path, writing=True), suppress(FileNotFoundError):
            Path(upload_id).unlink()
        remove_empty_directories(upload_id)

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        """Lists the files below ``<prefix>/_staging/``."""
        self._breaker.count_request("UPLOADS")
        root = split_scheme(prefix)[1].rstrip("/")
        staging = f"{root}/{STAGING}"
        files: list[StoredFile] = []
        with self._request_context("list the uploads below", prefix, writing=True):
            if is_inside(root, f"{staging}/x"):
                files = scan(staging, "", recursive=True, follow_links=False).files
        split = ((file, file.path.removeprefix(f"{staging}/").split("/", 2)) for file in files)
        # <job>/<random>/<path below the root>; files with shorter names, or below another "_staging", are not uploads.
        uploads = (
            OpenUpload(f"{root}/{names[2]}", file.path, file.modified_ms)
            for file, names in split
            if names[2:] and root_of_staged_file(file.path) == root
        )
        return paginate_uploads(uploads, token, self.page_size)

    def is_inside(self, root: str, path: str) -> bool:
        """True if the path has no relative segments and no directory between root and file is a symbolic link."""
        return is_inside(split_scheme(root)[1], split_scheme(path)[1])

    def is_upload_inside(self, root: str, path: str, upload_id: str) -> bool:
        """True if the upload id is the path of a staged file of the root, and no directory on this path is a symbolic link."""
        return is_staged_file(split_scheme(root)[1], split_scheme(path)[1], upload_id)

    def staged_path(self, path: str, upload_id: str) -> str:
        """Returns the upload id, which is the path of the staged file."""
        return upload_id

    def _check_version(self, descriptor: int, path: str, etag: str) -> int:
        """Returns the size of a file, if it is the version ``etag``, or of any version if ``etag`` is empty."""
        status = os.fstat(descriptor)
        found = etag_of(status) if etag else ""
        if found != etag:
            raise self._errors.version_changed(path, etag, found)
        return status.st_size


def _part_etag(number: int, end: int) -> str:
    return f"{number}-{end:x}"


def _check_staged_file(path: str, upload_id: str) -> None:
    """Raises StoreError unless the upload id is a staged file of the path, below the same root and not below a link."""
    if not is_staged_file(root_of_staged_file(upload_id), split_scheme(path)[1], upload_id):
        raise StoreError(
            f"{upload_id!r} is not the staged file of {path}: expected <root>/{STAGING}/<job>/<random>/<path below the root>,"
            " without symbolic links below the root. Nothing was changed. Check the origin of the upload id."
        )
