"""The interface of all stores.

Each method is one request, apart from retries of the transport. A response can be lost after the request was applied, and
the retry then observes the effect of the first attempt. Where this makes the result ambiguous, the method says so and the
caller reads back.
"""

from __future__ import annotations

import abc
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import ClassVar, cast

from pyspark_logs.errors import PathNotFoundError
from pyspark_logs.store.base import StoreBase
from pyspark_logs.store.listings import Page, StoredFile, UploadPage


class Store(StoreBase, abc.ABC):
    """Files of one scheme, created by :func:`pyspark_logs.store.open_store`.

    Creating a store makes no connection. A store is safe to use from threads, can be used on both sides of a fork (each
    process opens its own connections), and pickles as its scheme and options.

    Attributes:
        writable: True if the writing methods work; otherwise they raise :class:`ReadOnlyStoreError`.
        lists_in_order: True if a listing reads keys one after another in their order, as S3 does. Otherwise a caller that
            must read one key before another lists twice.
        min_part_bytes: minimum size of all parts of an upload but the last.
    """

    writable: ClassVar[bool] = False
    lists_in_order: ClassVar[bool] = False
    is_local: ClassVar[bool] = False
    min_part_bytes: ClassVar[int] = 1
    page_size = 1000
    """Requested number of entries in a page, for stores that list in pages."""

    @abc.abstractmethod
    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """Lists files and directories whose path starts with a prefix.

        Args:
            prefix: prefix of paths, not necessarily a directory: ``s3://b/app/2026/`` or ``s3://b/app/dt=2026``.
            recursive: True to list all files below the prefix; False to group the files after the next ``/`` into
                directories.
            token: ``next_token`` of the previous page.

        Returns:
            A page; an empty page if no path matches. Names that end in ``/`` are never files.

        Raises:
            PathNotFoundError: the bucket does not exist.
            StoreError: the store refused or failed.
        """

    def list_after(self, prefix: str, after: str) -> Page:
        """Lists all files below a prefix whose path is greater than ``after``: the first page of them.

        S3 answers with one request; other stores read the pages before it, too.

        Raises:
            StoreError: the store refused or failed.
        """
        token: str | None = None
        while True:
            page = self.list_page(prefix, recursive=True, token=token)
            files = tuple(file for file in page.files if file.path > after)
            if files or page.next_token is None:
                return Page(files, (), page.next_token)
            token = page.next_token

    def has_directory(self, path: str) -> bool:
        """True if a directory exists although nothing is in it; never on object stores, which have none."""
        return False

    def is_cached(self, path: str, offset: int) -> bool:
        """True if reading a byte is known to need neither a disk nor a network: the system has it in memory."""
        return False

    @abc.abstractmethod
    def head(self, path: str) -> StoredFile | None:
        """Returns the description of a file; ``None`` if there is no file at this path.

        Raises:
            StoreError: the store refused or failed.
        """

    @abc.abstractmethod
    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """Yields the bytes ``[start, end)`` of a file in chunks as they arrive, without reading ahead of the consumer.

        Args:
            path: path of the file.
            start: offset of the first byte.
            end: offset after the last byte; ``None`` or an offset after the end of the file: the end of the file.
            etag: expected version; empty: the version at the time of the request.
            chunk_bytes: maximum size of a chunk, which bounds memory.

        Raises:
            SnapshotChangedError: the file is not, or no longer, the version ``etag``.
            PathNotFoundError: there is no such file.
            TruncatedBodyError: fewer bytes arrived than the store had announced, after all retries.
            StoreError: the store refused or failed.
        """

    # --- small files ----------------------------------------------------------------------------

    def get(self, path: str, *, max_bytes: int | None = None) -> bytes | None:
        """Returns the content of a small file; ``None`` if there is no file at this path. ``GET``. Works on every store.

        Args:
            path: path of the file.
            max_bytes: maximum size of the file; reading stops beyond it.

        Raises:
            CorruptFileError: the file is larger than ``max_bytes``.
            SnapshotChangedError: the file was overwritten during the read.
            StoreError: the store refused or failed.
        """
        parts: list[bytes] = []
        size = 0
        try:
            # Closed here rather than by the garbage collector, so that the rest of a large body does not stay on a connection.
            with closing(cast("Generator[bytes, None, None]", self.read(path))) as chunks:
                for chunk in chunks:
                    parts.append(chunk)
                    size += len(chunk)
                    if max_bytes is not None and size > max_bytes:
                        raise self._errors.too_large(path, max_bytes)
        except PathNotFoundError:
            return None
        return b"".join(parts)

    def put(self, path: str, data: bytes) -> None:
        """Writes a small file, replacing an existing file. ``PUT``.

        The replacement is atomic: readers see the complete old or the complete new content.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed; the file may have been written nevertheless.
        """
        raise self._errors.read_only("write", path)

    def create(self, path: str, data: bytes) -> bool:
        """Writes a small file only if the path does not exist. Exactly one of several concurrent calls succeeds. ``PUT``.

        Returns:
            True if this call wrote the file. False if the path exists, possibly because an earlier attempt of this call
            wrote the file and its response was lost. The caller reads the file back to find out.

        Raises:
            ReadOnlyStoreError: this store cannot be written to, or its server has no create-only writes.
            StoreError: the store refused or failed; the file may have been written nevertheless.
        """
        raise self._errors.read_only("create", path)

    def replace(self, path: str, data: bytes, *, etag: str) -> bool:
        """Writes a small file over the version ``etag``, atomically as :meth:`put` does. ``PUT``.

        Stores and servers without conditional writes of this kind compare the version before, or not at all.

        Returns:
            True if this call wrote the file. False if another version is there, or none; possibly because an earlier
            attempt of this call wrote the file and its response was lost.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed; the file may have been written nevertheless.
        """
        raise self._errors.read_only("write", path)

    def remove(self, path: str, *, etag: str = "") -> bool:
        """Deletes a file if it is the version ``etag``; any version if ``etag`` is empty. ``DELETE``.

        Returns:
            True if there is no file at this path, or no longer. False if another version is there; it is not deleted.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed; the file may have been deleted nevertheless.
        """
        raise self._errors.read_only("delete", path)

    def remove_all(self, paths: Sequence[str]) -> None:
        """Deletes at most 1000 files of one bucket; missing files are ignored. ``DELETE``.

        Makes one request if the store can delete several files at once.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: at least one file, which the message names, could not be deleted; others may have been deleted.
        """
        if paths:
            raise self._errors.read_only("delete", paths[0])

    @property
    def removable_versions(self) -> int:
        """Number of files that :meth:`remove_versions` can delete with one request."""
        return 1

    def remove_versions(self, versions: Sequence[tuple[str, str]]) -> list[bool]:
        """Deletes at most 1000 files of one bucket as :meth:`remove` does with an etag. ``DELETE``.

        Args:
            versions: pairs of path and etag, which is not empty.

        Returns:
            Results of :meth:`remove` in the order of the pairs: False if another version is there.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: at least one file, which the message names, could not be deleted; others may have been deleted.
        """
        return [self.remove(path, etag=etag) for path, etag in versions]

    # --- uploads, which one process stages and another process completes -------------------------

    def start_upload(self, path: str, *, token: str, staging: str) -> str:
        """Starts a file that is invisible until :meth:`complete_upload`. ``CREATE``.

        Args:
            path: path of the file once the upload is completed.
            token: ASCII string; on stores with object metadata (S3), the ``StoredFile.token`` of the completed file.
            staging: directory ``<root>/_staging/<job>``. Stores without invisible uploads keep the staged file below it,
                and create the directories.

        Returns:
            Id of the upload. Any process can call the other methods with this id and ``path``. If the response is lost,
            an upload with an unknown id remains, which :meth:`list_uploads` finds.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed.
        """
        raise self._errors.read_only("start an upload to", path)

    def upload_part(self, path: str, upload_id: str, number: int, data: bytes) -> str:
        """Adds a part to an upload. ``PART``.

        Args:
            path: path given to :meth:`start_upload`.
            upload_id: result of :meth:`start_upload`.
            number: 1, 2, 3, ... in this order, each once, and by one caller at a time.
            data: content of at least ``min_part_bytes`` bytes; the last part may be smaller, or empty.

        Returns:
            Etag of the part, for :meth:`complete_upload`.

        Raises:
            PathNotFoundError: the upload does not exist (any more).
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed.
        """
        raise self._errors.read_only("upload to", path)

    def complete_upload(self, path: str, upload_id: str, parts: Sequence[str], *, size: int) -> bool:
        """Makes the complete file visible atomically, replacing an existing file. ``COMPLETE``.

        The names of staged files contain a random job id, so an existing file can only be the same file.

        Args:
            path: path given to :meth:`start_upload`.
            upload_id: result of :meth:`start_upload`.
            parts: etags of the parts in the order of their numbers; at least one, which may be of an empty part.
            size: total number of bytes; verified if the store can.

        Returns:
            True if the upload was completed. False if the upload does not exist (any more): it was aborted, or completed
            before, possibly by an earlier attempt of this call whose response was lost. The caller looks at ``path`` to
            find out. Some servers answer True to a second completion.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed; the file may be visible nevertheless.
        """
        raise self._errors.read_only("complete the upload to", path)

    def abort_upload(self, path: str, upload_id: str) -> None:
        """Deletes an upload and its parts; a missing upload is ignored. ``ABORT``.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed; the upload may have been deleted nevertheless.
        """
        raise self._errors.read_only("abort the upload to", path)

    def list_uploads(self, prefix: str, token: str | None = None) -> UploadPage:
        """Lists the open uploads of files below a prefix. ``UPLOADS``.

        Args:
            prefix: root of the files, ending in ``/``. Stores that stage uploads as files search its ``_staging/``.
            token: ``next_token`` of the previous page.

        Raises:
            ReadOnlyStoreError: this store cannot be written to.
            StoreError: the store refused or failed.
        """
        raise self._errors.read_only("list the uploads below", prefix)

    def lists_uploads_by_prefix(self, root: str, *, probe: bool) -> bool:
        """True if :meth:`list_uploads` finds the uploads of all files below a root, as it does on most stores.

        Args:
            root: directory that was written to, ending in ``/``.
            probe: True to start an upload for the answer, and abort it: at least three requests on servers other than AWS.
                Without a probe, the answer is False on these servers.

        Raises:
            StoreError: the store refused or failed.
        """
        return True

    # --- paths in documents ----------------------------------------------------------------------

    def is_inside(self, root: str, path: str) -> bool:
        """True if deleting the file at a path cannot affect anything outside a root. Makes no request.

        Object stores do not resolve keys, so the prefix decides. Stores with directories check for relative segments and
        for symbolic links below the root.
        """
        return path.startswith(root)

    def is_upload_inside(self, root: str, path: str, upload_id: str) -> bool:
        """True if an upload id can only identify an upload to a path below a root. Makes no request.

        Object stores verify themselves that path and id belong together.
        """
        return path.startswith(root)

    def staged_path(self, path: str, upload_id: str) -> str:
        """Returns the path of the staged file of an upload; the published path on stores whose uploads are not files."""
        return path
