"""The requests behind a look, and the loop of a reader: look, list, look again, until nothing was overwritten meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic

from pyspark_logs.errors import SnapshotChangedError
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


@dataclass(frozen=True)
class Snapshot(Generic[File]):
    """What a reader sees.

    Attributes:
        files: the visible ones, as the listing gave them.
        listed: how many the listing gave.
        first: the look before the listing.
        second: the look after it.
    """

    files: tuple[File, ...]
    listed: int
    first: CommitsBefore
    second: CommitsAfter


def list_all(store: Store, prefix: str) -> list[StoredFile]:
    """All files below a prefix, page by page."""
    files: list[StoredFile] = []
    token: str | None = None
    while True:
        page = store.page(prefix, recursive=True, token=token)
        files += page.files
        token = page.next_token
        if token is None:
            return files


def read_record(store: Store, root: str, job: str) -> Record | None:
    """The decision on a job by one GET; ``None``: there is none (any more)."""
    path = root + record_key(job)
    data = store.get(path)
    return None if data is None else Record.from_json(data, path)


def read_commits(store: Store, root: str, *, intents_first: bool = False) -> CommitListing:
    """List ``_commits/`` so that the record of each job is seen before its intent, or the other way round.

    A listing in key order sees the record first, and never a moment between the two that would matter; where keys
    come in no order, the listing is made twice.
    """
    listing = split_listing(root, list_all(store, root + COMMITS))
    if store.lists_in_order:
        return listing
    if not intents_first and not listing.records and not listing.intents:
        # As it was when the listing began: nothing. A job that was decided since is not seen yet, which is as good.
        # (In the second look that would not do: there, not to be known makes a job visible.)
        return listing
    again = split_listing(root, list_all(store, root + COMMITS))
    return (
        CommitListing(again.records, listing.intents)
        if intents_first
        else CommitListing(listing.records, again.intents)
    )


def read_commits_before(store: Store, root: str) -> CommitsBefore | None:
    """The look before the data are listed; ``None``: a record went away meanwhile, start again.

    Costs one LIST (two where a store does not list in order) for each thousand jobs, and a GET for each job that is
    decided and not cleaned up.
    """
    listing = read_commits(store, root)
    decided = {}
    for job in listing.unread:
        record = read_record(store, root, job)
        if record is None:
            return None
        decided[job] = record
    return CommitsBefore(listing, decided)


def read_commits_after(store: Store, root: str, first: CommitsBefore) -> CommitsAfter:
    """The look after the data were listed. Costs a listing, and a GET for each overwrite decided meanwhile."""
    listing = read_commits(store, root, intents_first=True)
    for job in new_overwrites(first, listing):
        record = read_record(store, root, job)
        # Gone already: what it said is not known, so the careful answer.
        if record is None or record.committed:
            return CommitsAfter(listing, True)
    return CommitsAfter(listing, False)


def take_snapshot(
    store: Store,
    root: str,
    list_files: Callable[[], Iterable[File]],
    *,
    retries: int = 3,
    longest_s: float = 43_200.0,
    stored: Callable[[File], StoredFile] = lambda file: file,  # type: ignore[assignment,return-value]
    clock: Callable[[], float] = time.monotonic,
) -> Snapshot[File]:
    """What a reader sees now: all files of each job or none of them.

    Args:
        store: of the root.
        root: where ``_commits/`` is, ending in ``/``.
        list_files: lists the data, anew with each call.
        retries: how often to start again after the first time.
        longest_s: no look, listing and look may take longer, or records could have come and gone unseen meanwhile: half
            of ``recordRetention``.
        stored: the file of an item of the listing, if items are more than that.
        clock: seconds.

    Raises:
        SnapshotChangedError: each time, something was overwritten meanwhile or the listing took too long.
        StoreError: the store refused or failed.
    """
    slowest = 0.0
    for _ in range(retries + 1):
        started = clock()
        first = read_commits_before(store, root)
        if first is None:
            continue
        files: Sequence[File] = tuple(list_files())
        second = read_commits_after(store, root, first)
        took = clock() - started
        if took > longest_s:
            slowest = took
            continue
        visible = visible_files(first, files, second, root, stored)
        if visible is not None:
            return Snapshot(tuple(visible), len(files), first, second)
    if slowest:
        raise SnapshotChangedError(
            f"cannot list {root}: it took {slowest:.0f} s, and after {longest_s:.0f} s (half of recordRetention) what was decided "
            "meanwhile could be missed. Raise recordRetention where this is written and read, or read a smaller range."
        )
    raise SnapshotChangedError(
        f"cannot list {root}: it was overwritten during each of {retries + 1} listings. Run it again when fewer overwrites "
        "run, raise snapshotRetries, or read a smaller range."
    )
