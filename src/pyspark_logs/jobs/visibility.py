"""Which files are visible: a pure function of what was seen before the data were listed, the data, and after.

All functions here are pure; :mod:`pyspark_logs.jobs.snapshots` makes the requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pyspark_logs.jobs.documents import Record
from pyspark_logs.jobs.names import job_of, mode_of, split_document_key
from pyspark_logs.store import StoredFile

File = TypeVar("File")


@dataclass(frozen=True)
class CommitListing:
    """What a listing of ``_commits/`` showed.

    Attributes:
        records: job id -> when its record was written, milliseconds since the epoch by the store's clock.
        intents: job id -> when its intent was written, likewise.
    """

    records: Mapping[str, int] = field(default_factory=dict)
    intents: Mapping[str, int] = field(default_factory=dict)

    @property
    def unread(self) -> list[str]:
        """Jobs whose record a first look must read, in order: those with record and intent."""
        return sorted(self.records.keys() & self.intents.keys())

    def knows(self, job: str) -> bool:
        """Whether anything of the job is there."""
        return job in self.records or job in self.intents


@dataclass(frozen=True)
class CommitsBefore:
    """What was seen before the data were listed.

    Attributes:
        listing: of ``_commits/``.
        decided: the record of each job that had record and intent.
    """

    listing: CommitListing = field(default_factory=CommitListing)
    decided: Mapping[str, Record] = field(default_factory=dict)


@dataclass(frozen=True)
class CommitsAfter:
    """What was seen after the data were listed.

    Attributes:
        listing: of ``_commits/``.
        overwritten: whether an overwrite is committed whose record the first look did not have.
    """

    listing: CommitListing = field(default_factory=CommitListing)
    overwritten: bool = False


def split_listing(root: str, files: Iterable[StoredFile]) -> CommitListing:
    """A listing of ``<root>_commits/`` as records and intents; names that are neither are not ours."""
    records: dict[str, int] = {}
    intents: dict[str, int] = {}
    for file in files:
        found = split_document_key(file.path.removeprefix(root))
        if found is not None:
            job, is_intent = found
            (intents if is_intent else records)[job] = file.modified_ms
    return CommitListing(records, intents)


def new_overwrites(first: CommitsBefore, second: CommitListing) -> list[str]:
    """Jobs whose record a second look must read: overwrites that had none in the first."""
    return sorted(job for job in second.records.keys() - first.listing.records.keys() if mode_of(job) == "overwrite")


def is_visible(first: CommitsBefore, second: CommitsAfter, job: str) -> bool:
    """Whether the files of a job are visible."""
    if job in first.listing.intents:
        # A record that comes later does not count: its files may have come in the middle of the listing.
        return job in first.decided and first.decided[job].committed
    # The intent goes last. With a record alone all is done: committed and published, or aborted and deleted.
    return job in first.listing.records or not second.listing.knows(job)


def visible_files(
    first: CommitsBefore,
    files: Iterable[File],
    second: CommitsAfter,
    root: str,
    stored: Callable[[File], StoredFile] = lambda file: file,  # type: ignore[assignment,return-value]
) -> list[File] | None:
    """The files, of those listed between two looks, that a reader sees; ``None``: start again with a first look.

    Args:
        first: taken before the listing began.
        files: the listing, in any order.
        second: taken after the listing ended.
        root: where ``_commits/`` is, ending in ``/``.
        stored: the file of an item of ``files``, if items are more than that.
    """
    if second.overwritten:
        return None
    hidden = {(root + file.key, file.etag) for record in first.decided.values() for file in record.replaces}
    shown: dict[str | None, bool] = {None: True}
    visible = []
    for item in files:
        file = stored(item)
        job = job_of(file.path)
        if job not in shown:
            shown[job] = is_visible(first, second, job or "")
        if shown[job] and (file.path, file.etag) not in hidden:
            visible.append(item)
    return visible
