"""Stray uploads: open uploads of task attempts that lost, and uploads whose creation got no response.

A listing of open uploads finds them. MinIO lists uploads only for the exact key of a file, or for a whole bucket
(https://github.com/minio/minio/issues/20989: "working as intended"), so a search for leftovers asks a server whose listing
is empty in these two ways as well. The commit of a job only lists: on such a server, its stray uploads remain until the
server deletes them, which MinIO does after 24 hours by default (``stale_uploads_expiry``), or until a vacuum finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.jobs import StagedUpload, job_of
from pyspark_logs.store import OpenUpload, Store, split_bucket
from pyspark_logs.store.parallel import in_parallel
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)


def abort_stray_uploads(
    store: Store,
    root: str,
    is_selected: Callable[[str], bool],
    settings: CommitSettings,
    *,
    keep: Iterable[StagedUpload] = (),
    search: Collection[str] | None = None,
) -> list[str]:
    """Aborts open uploads of ended jobs.

    Args:
        store: store of the root.
        root: directory below which uploads are listed, recursively.
        is_selected: predicate on job ids; uploads of other jobs are left alone.
        settings: number of threads.
        keep: staged files whose uploads are left alone.
        search: keys for :func:`search_uploads`; ``None`` to use only the listing.

    Returns:
        The paths of the staged files.
    """
    uploads = list_uploads(store, root) if search is None else search_uploads(store, root, search, settings)
    strays = select_strays(root, uploads, is_selected, keep)
    in_parallel(lambda upload: store.abort_upload(upload.path, upload.upload_id), strays, settings.threads)
    return [store.staged_path(upload.path, upload.upload_id) for upload in strays]


def select_strays(
    root: str, uploads: Iterable[OpenUpload], is_selected: Callable[[str], bool], keep: Iterable[StagedUpload] = ()
) -> list[OpenUpload]:
    """Returns the uploads that :func:`abort_stray_uploads` aborts."""
    kept = {(root + file.key, file.upload_id) for file in keep}
    return [
        upload
        for upload in uploads
        if (upload.path, upload.upload_id) not in kept and is_selected(job_of(upload.path) or "")
    ]


def list_uploads(store: Store, prefix: str) -> list[OpenUpload]:
    """Returns the listed open uploads of jobs below a prefix, from as many pages as there are."""
    found: list[OpenUpload] = []
    token: str | None = None
    while True:
        page = store.list_uploads(prefix, token)
        found += [upload for upload in page.uploads if job_of(upload.path) is not None]
        token = page.next_token
        if token is None:
            return found


def search_uploads(
    store: Store, root: str, keys: Collection[str], settings: CommitSettings, *, dry_run: bool = False
) -> list[OpenUpload]:
    """Returns the open uploads of jobs below a root, also on servers that do not list them by a prefix.

    If the listing is empty and the server does not list by prefixes, the uploads of the whole bucket are listed, and those of
    each key are asked for.

    Args:
        store: store of the root.
        root: directory that was written to, ending in ``/``.
        keys: keys of staged files, relative to the root, which may have open uploads.
        settings: number of threads.
        dry_run: True to write nothing: a server whose listing is empty is then asked in all ways.
    """
    found = list_uploads(store, root)
    if found or store.lists_uploads_by_prefix(root, probe=not dry_run):
        return found
    if not dry_run:
        _log.warning(
            "%s: this server lists open uploads only for exact keys, so that uploads of jobs without an intent may remain. Let"
            " the server delete old incomplete uploads; MinIO does so after 24 hours by default", root,
        )  # fmt: skip
    bucket, _, _ = split_bucket(root)
    in_bucket = [upload for upload in list_uploads(store, bucket) if upload.path.startswith(root)]
    of_keys = in_parallel(lambda key: list_uploads(store, root + key), sorted(set(keys)), settings.threads)
    return sorted({*in_bucket, *(upload for uploads in of_keys for upload in uploads)}, key=lambda one: one.path)
