"""What every store offers, and what all of them do the same way: errors, secrets, forks, pickling.

Each method is one request, retries of the transport aside. An answer can be lost after the request was applied,
and the retry then meets what it did itself: where that leaves a question, the method says so and the caller
reads back.
"""

from __future__ import annotations

import abc
import json
import os
import re
import threading
import weakref
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from pyspark_logs.errors import (
    CircuitOpenError,
    CorruptFileError,
    LogSourceError,
    PathNotFoundError,
    ReadOnlyStoreError,
    SnapshotChangedError,
)
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.faults import find_fault, find_text
from pyspark_logs.store.gate import Gate


@dataclass(frozen=True)
class StoredFile:
    """One file, as a listing or a HEAD described it.

    Attributes:
        path: the full path as the user writes it; the scheme stays as given (``s3a`` stays ``s3a``).
        size: bytes.
        modified_ms: modification time, milliseconds since the epoch, UTC.
        etag: opaque identity of this version of the content; ``""`` where the store has none.
        token: what :meth:`Store.start_upload` was given when this file was staged. Only a HEAD of a store that
            keeps it tells (S3); ``""`` in listings, for other files, and on other stores.
    """

    path: str
    size: int
    modified_ms: int
    etag: str
    token: str = ""


@dataclass(frozen=True)
class Page:
    """One answer to a list request.

    Attributes:
        files: files, in order of path.
        directories: full paths that end in ``/``; empty when the listing is recursive.
        next_token: opaque, for the next request; ``None`` on the last page.
    """

    files: tuple[StoredFile, ...]
    directories: tuple[str, ...]
    next_token: str | None


@dataclass(frozen=True)
class OpenUpload:
    """An upload that was started and neither completed nor aborted.

    Attributes:
        path: the file it is to become.
        upload_id: what :meth:`Store.start_upload` returned.
        started_ms: milliseconds since the epoch, UTC; where uploads are files, when the last part came.
    """

    path: str
    upload_id: str
    started_ms: int


@dataclass(frozen=True)
class UploadPage:
    """One answer to a request for open uploads.

    Attributes:
        uploads: open uploads, in no order that a caller may rely on.
        next_token: opaque, for the next request; ``None`` on the last page.
    """

    uploads: tuple[OpenUpload, ...]
    next_token: str | None


class Store(abc.ABC):
    """A place that holds files. Made by :func:`pyspark_logs.store.open_store`.

    Cheap to make, safe to use from threads, usable on both sides of a fork (each process makes a
    connection of its own), and picklable: what travels is scheme and options.

    Attributes:
        writable: whether the writing methods work; where not, they raise :class:`ReadOnlyStoreError`.
        lists_in_order: whether a listing sees keys one after another in their order, as S3 does. Where not, a look that
            must see one key before another lists twice.
        min_part_bytes: bytes; no part of an upload but the last may be smaller.
    """

    writable: ClassVar[bool] = False
    lists_in_order: ClassVar[bool] = False
    min_part_bytes: ClassVar[int] = 1
    page_size = 1000
    """Entries asked for in one answer, where answers come in pages."""

    def __init__(self, scheme: str, options: StoreOptions) -> None:
        self.scheme = scheme
        self.options = options
        self._reset()
        _STORES.add(self)

    def _reset(self) -> None:
        """State of this process: nothing of it is valid in another one."""
        self._lock = threading.Lock()
        self._gate = Gate(self.options.max_consecutive_failures)
        self._handles: dict[str, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.scheme, self.options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.scheme!r}, {self.options!r})"

    @property
    def request_counts(self) -> Counter[str]:
        """Requests made by this process so far, retries included, by kind.

        ``LIST``, ``GET``, ``HEAD``, ``PUT``, ``DELETE``, and of uploads ``CREATE``, ``PART``, ``COMPLETE``,
        ``ABORT``, ``UPLOADS``.
        """
        return self._gate.request_counts

    @abc.abstractmethod
    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """Files and directories whose path starts with ``prefix``, by one list request.

        Args:
            prefix: a raw prefix: ``s3://b/app/2026/`` or ``s3://b/app/dt=2026`` (any path that starts so).
            recursive: everything below; otherwise what follows the next ``/`` is grouped into directories.
            token: ``next_token`` of the page before.

        Returns:
            A page; an empty one if nothing is there. Names that end in ``/`` are never files.

        Raises:
            PathNotFoundError: the bucket does not exist.
            StoreError: the store refused or failed.
        """

    @abc.abstractmethod
    def head(self, path: str) -> StoredFile | None:
        """Describe one file; ``None`` if there is none at this path.

        Raises:
            StoreError: the store refused or failed.
        """

    @abc.abstractmethod
    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """Bytes ``[start, end)`` in chunks as they arrive; nothing is fetched ahead of the consumer.

        Args:
            path: the file.
            start: first byte.
            end: the byte after the last one; ``None``, or beyond the end of the file: to its end.
            etag: the version that is expected; ``""``: the one that is there now.
            chunk_bytes: no chunk is larger; memory is bounded by it.

        Raises:
            SnapshotChangedError: the file is not, or no longer, the version ``etag``.
            PathNotFoundError: there is no such file.
            TruncatedBodyError: fewer bytes came than the store had promised, after all retries.
            StoreError: the store refused or failed.
        """

    # --- small files, whole ---------------------------------------------------------------------

    def get(self, path: str, *, max_bytes: int | None = None) -> bytes | None:
        """A small file, whole; ``None`` if there is none at this path. ``GET``. Works on every store.

        Args:
            path: the file.
            max_bytes: largest size that is accepted; reading stops beyond it.

        Raises:
            CorruptFileError: the file is larger than ``max_bytes``.
            SnapshotChangedError: it was overwritten while it was read.
            StoreError: the store refused or failed.
        """
        parts: list[bytes] = []
        size = 0
        try:
            # Closed here and not by the garbage collector, so that the rest of a large body is not left on a connection.
            with closing(cast("Generator[bytes, None, None]", self.read(path))) as chunks:
                for chunk in chunks:
                    parts.append(chunk)
                    size += len(chunk)
                    if max_bytes is not None and size > max_bytes:
                        raise self._too_large(path, max_bytes)
        except PathNotFoundError:
            return None
        return b"".join(parts)

    def put(self, path: str, data: bytes) -> None:
        """Write a small file, whole, over what is there. Readers see all of it or what was there before. ``PUT``.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed; the file may be written all the same.
        """
        raise self._read_only("write", path)

    def create(self, path: str, data: bytes) -> bool:
        """Write a small file, whole, only if nothing is at this path: of all who try, one wins. ``PUT``.

        Returns:
            True: this call wrote it. False: something is there, possibly written by a try of this very call whose
            answer was lost. The caller reads it back to tell.

        Raises:
            ReadOnlyStoreError: this store cannot be written to; the server has no create-only write counts as that.
            StoreError: the store refused or failed; the file may be written all the same.
        """
        raise self._read_only("create", path)

    def remove(self, path: str, *, etag: str = "") -> bool:
        """Delete a file if it is the version ``etag``; ``""``: whichever version is there. ``DELETE``.

        Returns:
            True: there is no file at this path, or not any more. False: another version is there, untouched.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed; the file may be gone all the same.
        """
        raise self._read_only("delete", path)

    def remove_all(self, paths: Sequence[str]) -> None:
        """Delete files of one bucket, at most 1000; those that are not there are fine. ``DELETE``.

        One request where the store can delete many at once.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: at least one could not be deleted; it is named, and the others may be gone.
        """
        if paths:
            raise self._read_only("delete", paths[0])

    # --- uploads: staged by one process, completed by another -----------------------------------

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        """Begin a file that nobody sees before :meth:`complete_upload`. ``CREATE``.

        Args:
            path: the file it will be.
            token: ASCII; where the store keeps metadata (S3), the completed file's ``StoredFile.token``.
            staging: the directory ``<root>/_staging/<job>``, below which stores without invisible uploads keep the
                staged file, and make the directories it needs.

        Returns:
            The upload's id. With ``path`` it is all that any process needs for the other methods. A lost answer
            can leave an upload that nobody knows of: :meth:`list_uploads` finds it.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed.
        """
        raise self._read_only("start an upload to", path)

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        """Add a part. ``PART``.

        Args:
            path: as given to :meth:`start_upload`.
            upload_id: what that returned.
            number: 1, 2, 3, ... in this order, each once, by one caller at a time.
            data: at least ``min_part_bytes`` bytes, unless it is the last part; that one may be empty.

        Returns:
            The part's etag, for :meth:`complete_upload`.

        Raises:
            PathNotFoundError: there is no such upload (any more).
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed.
        """
        raise self._read_only("upload to", path)

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        """Make the file visible: all of it, at once, over what is there. ``COMPLETE``.

        The names of staged files hold a random job id, so what is there can only be the same file.

        Args:
            path: as given to :meth:`start_upload`.
            upload_id: what that returned.
            parts: the etag of each part, in order of their numbers; at least one, if an empty one.
            size: bytes in all; checked where the store can.

        Returns:
            True: done. False: there is no such upload (any more); it was aborted, or completed before, possibly by
            a try of this very call whose answer was lost. The caller looks at ``path`` to tell. Some servers
            answer True to a second completion.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed; the file may be visible all the same.
        """
        raise self._read_only("complete the upload to", path)

    def abort_upload(self, path: str, upload_id: str) -> None:
        """Drop an upload and its parts; one that is not there is fine. ``ABORT``.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed; the upload may be gone all the same.
        """
        raise self._read_only("abort the upload to", path)

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        """Uploads that are open, by one request. ``UPLOADS``.

        Args:
            prefix: the root, ending in ``/``, that the files are to be below; staged files are looked for in its
                ``_staging/``.
            token: ``next_token`` of the page before.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed.
        """
        raise self._read_only("look for uploads below", prefix)

    # --- paths that a document names ------------------------------------------------------------

    def is_inside(self, root: str, path: str) -> bool:
        """True if deleting the file at a path cannot affect anything outside a root. No request.

        Keys of object stores are not resolved: there the prefix decides, which callers make from the root. Stores with
        directories check for relative segments and symbolic links below the root.
        """
        return path.startswith(root)

    def is_upload_inside(self, root: str, path: str, upload_id: str) -> bool:
        """True if an upload id cannot name anything but an upload to a path below a root. No request.

        Object stores check the pair of path and id themselves.
        """
        return path.startswith(root)

    def staged_path(self, path: str, upload_id: str) -> str:
        """Returns the path of the staged file of an upload; its published path in stores whose uploads are not files."""
        return path

    # --- for the stores -------------------------------------------------------------------------

    @contextmanager
    def _errors(self, doing: str, path: str, *, writing: bool = False) -> Iterator[None]:
        """Requests run inside: the circuit is checked before, and what they raise becomes ours."""
        if self._gate.is_open:
            raise CircuitOpenError(self._circuit_message(doing, path))
        try:
            yield
        except LogSourceError:
            raise
        except Exception as error:  # noqa: BLE001 - drivers raise anything; all of it is raised again
            translated = self._translate(doing, path, error, writing=writing)
            leaks = _leaks(error, self._secrets())
            raise translated from (None if leaks else error)

    def _upload_page(self, uploads: Iterable[OpenUpload], token: str | None) -> UploadPage:
        """A page of uploads that are all known at once."""
        left = sorted(
            (upload for upload in uploads if upload.upload_id > (token or "")), key=lambda upload: upload.upload_id
        )
        page = tuple(left[: self.page_size])
        return UploadPage(page, page[-1].upload_id if len(left) > len(page) else None)

    def _translate(self, doing: str, path: str, error: Exception, *, writing: bool) -> LogSourceError:
        code, fault = find_fault(error, writing=writing)
        if fault.transient and self._gate.is_open:
            return CircuitOpenError(self._circuit_message(doing, path))
        text = find_text(error)
        reason = self._mask(text if code in text else f"{code}: {text}")
        return fault.error(f"cannot {doing} {path}{self._where()}: {reason}. {fault.advice}")

    def _read_only(self, doing: str, path: str) -> ReadOnlyStoreError:
        return ReadOnlyStoreError(
            f"cannot {doing} {path}: {self.scheme}:// is read-only here. Write to S3 (s3://, s3a://), to local files, or to memory://."
        )

    def _too_large(self, path: str, max_bytes: int) -> CorruptFileError:
        return CorruptFileError(
            f"{path} is larger than {max_bytes} bytes, the limit for a document of its kind; nothing of it was acted on. Look"
            " at the file, and delete it if pyspark-logs did not write it."
        )

    def _circuit_message(self, doing: str, path: str) -> str:
        last = self._mask(self._gate.last_failure)
        return (
            f"gave up trying to {doing} {path}{self._where()}: {self.options.max_consecutive_failures} requests in a row "
            f"failed, the last with {last}. Try again when the store is well, or raise maxConsecutiveFailures."
        )

    def _changed(self, path: str, expected: str, found: str) -> SnapshotChangedError:
        return SnapshotChangedError(
            f"cannot read {path}{self._where()}: it changed after the query was planned (version {expected!r} expected, "
            f"{found!r} found). Load it again, since a Spark frame keeps its plan; log files that are read must not be rewritten."
        )

    def _where(self) -> str:
        return f" (endpoint {self.options.endpoint})" if self.options.endpoint and self.scheme else ""

    def _secrets(self) -> list[str]:
        values = [self.options.secret_key, self.options.session_token]
        values += _texts(json.loads(self.options.storage_options or "{}"))
        return [value for value in values if value]

    def _mask(self, text: str) -> str:
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text


_STORES: weakref.WeakSet[Store] = weakref.WeakSet()
_INHERITED: list[Any] = []


def _leave_handles_to_parent() -> None:
    # The child shares the parent's sockets and its epoll instance. Closing an inherited connection,
    # by garbage collection too, would unhook the parent's: so nothing of it is ever collected here.
    for store in list(_STORES):
        _INHERITED.append(store._handles)  # noqa: SLF001
        store._reset()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_handles_to_parent)


_SECRET_NAME = re.compile(r"key|secret|token|pass|credential|account|sas|conn", re.IGNORECASE)


def _texts(value: Any, secret: bool = False) -> list[str]:
    """Strings of a JSON value that stand under a name that sounds secret."""
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in _texts(item, secret or bool(_SECRET_NAME.search(key)))]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item, secret)]
    return [value] if secret and isinstance(value, str) else []


def _leaks(error: BaseException | None, secrets: list[str]) -> bool:
    """Whether the text of an exception, or of one it is chained to, holds a secret."""
    for _ in range(10):
        if error is None:
            return False
        text = f"{error} {error!r}"
        if any(secret in text for secret in secrets):
            return True
        error = error.__cause__ or error.__context__
    return True
