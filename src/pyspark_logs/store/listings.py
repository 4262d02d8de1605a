"""Descriptions of files and uploads, and the pages in which a store lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as described by a list or HEAD request.

    Attributes:
        path: full path; the scheme is the one of the request (``s3a`` stays ``s3a``).
        size: bytes.
        modified_ms: modification time, milliseconds since the epoch, UTC.
        etag: opaque identity of this version of the content; empty if the store has none.
        token: token given to :meth:`Store.start_upload` when this file was staged. Only HEAD requests to a store with
            object metadata (S3) return it; empty in listings, for files that were not staged, and on other stores.
    """

    path: str
    size: int
    modified_ms: int
    etag: str
    token: str = ""


@dataclass(frozen=True)
class Page:
    """Response to one list request.

    Attributes:
        files: files in the order of their paths.
        directories: full paths ending in ``/``; empty for a recursive listing.
        next_token: opaque continuation token of the next request; ``None`` on the last page.
        skipped_links: paths of symbolic links that were not followed, because they have no target or lead to a directory
            above them.
    """

    files: tuple[StoredFile, ...]
    directories: tuple[str, ...]
    next_token: str | None
    skipped_links: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpenUpload:
    """An upload that has been neither completed nor aborted.

    Attributes:
        path: path of the file once the upload is completed.
        upload_id: id returned by :meth:`Store.start_upload`.
        started_ms: time of the start, milliseconds since the epoch, UTC. For stores that stage uploads as files, the
            time of the last part.
    """

    path: str
    upload_id: str
    started_ms: int


@dataclass(frozen=True)
class UploadPage:
    """Response to one request for open uploads.

    Attributes:
        uploads: open uploads, in no defined order.
        next_token: opaque continuation token of the next request; ``None`` on the last page.
    """

    uploads: tuple[OpenUpload, ...]
    next_token: str | None


def paginate_uploads(uploads: Iterable[OpenUpload], token: str | None, page_size: int) -> UploadPage:
    """Returns the page after ``token`` of a complete list of uploads; pages are ordered by upload id."""
    remaining = sorted(
        (upload for upload in uploads if upload.upload_id > (token or "")), key=lambda upload: upload.upload_id
    )
    page = tuple(remaining[:page_size])
    return UploadPage(page, page[-1].upload_id if len(remaining) > len(page) else None)
