"""The rule of visibility: the files of a listing that a reader sees, given the commits listed before and after it.

A file of a job is visible in three cases:

- before the data were listed, the job had an intent and a record, and the record says committed;
- before, it had a record and no intent: its driver finished, and an aborted job has no files by then;
- before, it had neither, and after the data were listed it still had neither: the job ended long ago.

Files that no job wrote are always visible, except those that a committed record replaces. The functions here are pure;
:mod:`pyspark_logs.jobs.snapshots` makes the requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pyspark_logs.jobs.documents import Record
from pyspark_logs.jobs.names import job_of, mode_of, split_cursor_key, split_document_key, split_retention_key
from pyspark_logs.store import StoredFile


class FileVersion(Protocol):
    """The attributes of a listed file on which its visibility depends."""

    @property
    def path(self) -> str:
        """Full path."""

    @property
    def etag(self) -> str:
        """Version of the file; empty if the store has none."""


File = TypeVar("File", bound=FileVersion)


@dataclass(frozen=True)
class CommitListing:
    """Records and intents in a listing of ``_commits/``.

    Attributes:
        records: modification time of each job's record, by job id, in milliseconds since the epoch by the store's clock.
        intents: modification time of each job's intent, likewise.
        retention_us: longest retentions of records and of ``txnId`` chains that writers asked for at the root, in
            microseconds; zero without a marker.
        cursors: sorted ids of the jobs at which a search for expired records continues; usually at most one.
    """

    records: Mapping[str, int] = field(default_factory=dict)
    intents: Mapping[str, int] = field(default_factory=dict)
    retention_us: tuple[int, int] = (0, 0)
    cursors: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if there is neither a record, nor an intent, nor a marker of retentions."""
        return not self.records and not self.intents and not any(self.retention_us)

    @property
    def jobs_to_read(self) -> list[str]:
        """Sorted ids of the jobs with both record and intent: only the content of these records matters to readers."""
        return sorted(self.records.keys() & self.intents.keys())

    def knows(self, job: str) -> bool:
        """True if the job has a record or an intent."""
        return job in self.records or job in self.intents


@dataclass(frozen=True)
class CommitsBefore:
    """Commits of a root, read before its data were listed.

    Attributes:
        listing: listing of ``_commits/``.
        decided: record of each job that had both record and intent.
    """

    listing: CommitListing = field(default_factory=CommitListing)
    decided: Mapping[str, Record] = field(default_factory=dict)


@dataclass(frozen=True)
class CommitsAfter:
    """Commits of a root, read after its data were listed.

    Attributes:
        listing: listing of ``_commits/``.
        overwritten: True if an overwrite was committed whose record was not among the commits read before.
    """

    listing: CommitListing = field(default_factory=CommitListing)
    overwritten: bool = False


def split_listing(root: str, files: Iterable[StoredFile]) -> CommitListing:
    """Returns records, intents and retentions by the files below ``<root>_commits/``; other files are ignored."""
    records: dict[str, int] = {}
    intents: dict[str, int] = {}
    cursors: list[str] = []
    record_us = txn_us = 0
    for file in files:
        key = file.path.removeprefix(root)
        retention = split_retention_key(key)
        if retention is not None:
            record_us, txn_us = max(record_us, retention[0]), max(txn_us, retention[1])
        cursor = split_cursor_key(key)
        if cursor is not None:
            cursors.append(cursor)
        document = split_document_key(key)
        if document is not None:
            job, is_intent = document
            (intents if is_intent else records)[job] = file.modified_ms
    return CommitListing(records, intents, (record_us, txn_us), tuple(sorted(cursors)))


def new_overwrites(before: CommitsBefore, after: CommitListing) -> list[str]:
    """Returns the sorted ids of overwrites whose record appeared while the data were listed."""
    return sorted(job for job in after.records.keys() - before.listing.records.keys() if mode_of(job) == "overwrite")


def is_visible(before: CommitsBefore, after: CommitsAfter, job: str) -> bool:
    """True if the files of a job are visible."""
    if job in before.listing.intents:
        # A record that appeared later does not count: the job's files may have appeared during the listing.
        return job in before.decided and before.decided[job].committed
    return job in before.listing.records or not after.listing.knows(job)


def visible_files(
    files: Mapping[tuple[str, ...], Iterable[File]],
    before: Mapping[str, CommitsBefore],
    after: Mapping[str, CommitsAfter],
) -> list[File] | None:
    """Returns the visible files of a listing; ``None`` if an overwrite was committed during the listing.

    Args:
        files: listed files by the roots whose commits decide on them: a file is visible if each of its roots shows it. A
            root shows the files of jobs that it does not know, so only the root of the job, and an overwrite that replaces
            the file, can hide it. The key ``()`` holds files that no commit decides on.
        before: commits of each root, read before the listing began.
        after: commits of each root, read after the listing ended.
    """
    if any(commits.overwritten for commits in after.values()):
        return None
    visible: list[File] = []
    for roots, items in files.items():
        shown = items
        for root in roots:
            shown = _visible_below(root, shown, before[root], after[root])
        visible += shown
    return visible


def _visible_below(root: str, files: Iterable[File], before: CommitsBefore, after: CommitsAfter) -> list[File]:
    """Returns the visible files of one root."""
    if before.listing.is_empty and after.listing.is_empty:
        return list(files)  # each job ended long ago
    replaced = {(root + file.key, file.etag) for record in before.decided.values() for file in record.replaces}
    job_is_visible: dict[str | None, bool] = {None: True}
    visible = []
    for file in files:
        job = job_of(file.path)
        if job not in job_is_visible:
            job_is_visible[job] = is_visible(before, after, job or "")
        if job_is_visible[job] and (file.path, file.etag) not in replaced:
            visible.append(file)
    return visible
