"""Consistent listings: every job's files are seen completely or not at all.

:func:`take_snapshot` reads the commits, lists the data, reads the commits again, and starts over if an overwrite was
committed meanwhile. Readers, streams and overwrites all use it; they differ only in the :class:`CommitRoots` they pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pyspark_logs.errors import SnapshotChangedError
from pyspark_logs.jobs import documents
from pyspark_logs.jobs.document_checks import check_record
from pyspark_logs.jobs.documents import Record
from pyspark_logs.jobs.names import COMMITS, record_key
from pyspark_logs.jobs.visibility import (
    CommitListing,
    CommitsAfter,
    CommitsBefore,
    File,
    new_overwrites,
    split_listing,
    visible_files,
)
from pyspark_logs.store import Store, StoredFile
from pyspark_logs.store.parallel import in_parallel

# The result of a caller's function that lists the data.
DataListing = TypeVar("DataListing")
DataListing_contra = TypeVar("DataListing_contra", contravariant=True)


class CommitRoots(Protocol[DataListing_contra, File]):
    """The roots whose commits decide on the files of a listing."""

    @property
    def paths(self) -> Collection[str]:
        """Roots whose ``_commits/`` is read before and after the listing; each ends in ``/``."""

    @property
    def label(self) -> str:
        """Description of the listed paths for error messages."""

    def group(self, listing: DataListing_contra) -> Mapping[tuple[str, ...], Sequence[File]]:
        """Returns the listed files by the roots whose commits decide on them, as :func:`visible_files` takes them."""

    def extend(
        self,
        listing: DataListing_contra,
        files: Mapping[tuple[str, ...], Sequence[File]],
        before: Mapping[str, CommitsBefore],
        after: Mapping[str, CommitsAfter],
    ) -> bool:
        """Adds roots that a listing revealed; True if there were any, so that the snapshot starts over."""


@dataclass(frozen=True)
class SingleRoot:
    """A root that is known beforehand and decides on all files.

    Attributes:
        path: root, ending in ``/``.
    """

    path: str

    @property
    def paths(self) -> tuple[str]:
        """The root."""
        return (self.path,)

    @property
    def label(self) -> str:
        """The root."""
        return self.path

    def group(self, listing: Sequence[File]) -> dict[tuple[str, ...], Sequence[File]]:
        """Returns all files under the root."""
        return {(self.path,): listing}

    def extend(self, *_: object) -> bool:
        """Returns False: there are no other roots."""
        return False


@dataclass(frozen=True)
class Snapshot(Generic[DataListing, File]):
    """Visible files at one moment.

    Attributes:
        files: visible files, in the order of the listing below each root.
        hidden: number of listed files that are not visible.
        listing: result of the last call of ``list_data``.
        commits: commits of each root, read before the listing.
        list_calls: number of list requests of the last attempt, without those of ``list_data``.
    """

    files: tuple[File, ...]
    hidden: int
    listing: DataListing
    commits: Mapping[str, CommitsBefore]
    list_calls: int


def list_all(store: Store, prefix: str) -> list[StoredFile]:
    """Returns all files below a prefix, from as many pages as there are."""
    files: list[StoredFile] = []
    token: str | None = None
    while True:
        page = store.list_page(prefix, recursive=True, token=token)
        files += page.files
        token = page.next_token
        if token is None:
            return files


def read_record(store: Store, root: str, job: str) -> Record | None:
    """Returns the decision on a job, by one GET; ``None`` if it has no record.

    Raises:
        CorruptFileError: the record is damaged, or replaces files that it cannot replace; the decision is not known.
        StoreError: the store refused or failed.
    """
    path = root + record_key(job)
    data = store.get(path, max_bytes=documents.MAX_DOCUMENT_BYTES)
    if data is None:
        return None
    record = Record.from_json(data, path)
    check_record(record, job, path)
    return record


def read_commits(store: Store, root: str, *, intents_first: bool = False) -> CommitListing:
    """Lists ``_commits/`` so that each job's record is seen before its intent, or after it.

    A listing in key order sees the record immediately before the intent, which serves both cases. A store that does
    not list in key order is listed twice.
    """
    first = split_listing(root, list_all(store, root + COMMITS))
    if store.lists_in_order:
        return first
    if not intents_first and first.is_empty:
        # Valid as of the start of this pass: a job decided since is not seen yet. With ``intents_first`` an empty
        # pass would not do, because there an unknown job is visible.
        return first
    second = split_listing(root, list_all(store, root + COMMITS))
    if intents_first:
        return CommitListing(second.records, first.intents, second.retention_us)
    return CommitListing(first.records, second.intents, second.retention_us)


def read_commits_before(store: Store, root: str) -> CommitsBefore | None:
    """Reads the commits of a root before its data are listed; ``None`` if a record disappeared meanwhile.

    Costs one LIST per thousand keys (twice that if the store does not list in key order) and one GET for each job that
    is decided and not cleaned up.
    """
    listing = read_commits(store, root)
    decided = {}
    for job in listing.jobs_to_read:
        record = read_record(store, root, job)
        if record is None:
            return None
        decided[job] = record
    return CommitsBefore(listing, decided)


def read_commits_after(store: Store, root: str, before: CommitsBefore) -> CommitsAfter:
    """Reads the commits of a root after its data were listed: one listing, and a GET for each new overwrite."""
    listing = read_commits(store, root, intents_first=True)
    for job in new_overwrites(before, listing):
        record = read_record(store, root, job)
        # A record that is gone again may have said committed.
        if record is None or record.committed:
            return CommitsAfter(listing, True)
    return CommitsAfter(listing, False)


def take_snapshot(
    store: Store,
    roots: CommitRoots[DataListing, File],
    list_data: Callable[[], DataListing],
    *,
    retries: int = 3,
    longest_s: float = 43_200.0,
    threads: int = 1,
    clock: Callable[[], float] = time.monotonic,
) -> Snapshot[DataListing, File]:
    """Lists data so that each job's files are all in the snapshot, or none of them.

    Args:
        store: store of the roots.
        roots: roots whose commits decide on the files.
        list_data: function that lists the data, called once per attempt.
        retries: number of attempts after the first. Attempts that only reveal further roots do not count.
        longest_s: limit in seconds for one attempt, half of ``recordRetention``: in a longer one, records could appear
            and be dropped unseen.
        threads: number of roots whose commits are read at the same time.
        clock: monotonic clock in seconds.

    Raises:
        SnapshotChangedError: in each attempt an overwrite was committed, or the attempt took too long.
        StoreError: the store refused or failed.
    """
    slowest_s = 0.0
    attempts = retries + 1
    while attempts > 0:
        attempts -= 1
        started, calls = clock(), store.request_counts["LIST"]
        before = _read_all_before(store, roots.paths, threads)
        calls = store.request_counts["LIST"] - calls
        if before is None:
            continue
        listing = list_data()
        calls -= store.request_counts["LIST"]
        after = _read_all_after(store, before, threads)
        took_s = clock() - started
        if took_s > longest_s:
            slowest_s = took_s
            continue
        files = roots.group(listing)
        if roots.extend(listing, files, before, after):
            attempts += 1
            continue
        visible = visible_files(files, before, after)
        if visible is not None:
            hidden = sum(map(len, files.values())) - len(visible)
            return Snapshot(tuple(visible), hidden, listing, before, calls + store.request_counts["LIST"])
    if slowest_s:
        raise SnapshotChangedError(
            f"cannot list {roots.label}: it took {slowest_s:.0f} s, and after {longest_s:.0f} s (half of recordRetention) what"
            " was decided meanwhile could be missed. Raise recordRetention where this is written and read, or read a smaller"
            " range."
        )
    raise SnapshotChangedError(
        f"cannot list {roots.label}: it was overwritten during each of {retries + 1} listings. Run it again when fewer"
        " overwrites run, raise snapshotRetries, or read a smaller range."
    )


def _read_all_before(store: Store, roots: Collection[str], threads: int) -> dict[str, CommitsBefore] | None:
    """Reads the commits of each root; ``None`` if a record disappeared meanwhile."""
    ordered = sorted(roots)
    commits = in_parallel(lambda root: read_commits_before(store, root), ordered, threads)
    found = {root: one for root, one in zip(ordered, commits, strict=True) if one is not None}
    return found if len(found) == len(ordered) else None


def _read_all_after(store: Store, before: Mapping[str, CommitsBefore], threads: int) -> dict[str, CommitsAfter]:
    """Reads the commits of each root once more."""
    commits = in_parallel(lambda item: read_commits_after(store, *item), before.items(), threads)
    return dict(zip(before, commits, strict=True))
