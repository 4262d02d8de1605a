"""What may go: records and claims that are old and that nobody needs. Ages are by the store's clock.

A record whose intent is gone is old after ``recordRetention``. The newest claim of a chain says by its job's record
whether the chain's last transaction is committed, so the two stay together: for a stream or for overwrites for ever, for a
``txnId`` until ``txnRetention``.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.errors import StoreError
from pyspark_logs.jobs import CLAIMS, CommitListing, Job, record_key
from pyspark_logs.jobs.names import NO_TAG, chain_tag, mode_of, tag_of
from pyspark_logs.store import Store, StoredFile


def is_old(modified_ms: int, now_ms: int, retention_us: int) -> bool:
    """Whether something is at least as old as a retention."""
    return (now_ms - modified_ms) * 1000 >= retention_us


class StoreClock:
    """The store's time, asked for once and only if it matters: what is written now is modified now.

    A dry run writes nothing and takes this machine's time.
    """

    def __init__(self, store: Store, root: str, *, dry_run: bool = False) -> None:
        self._store = store
        self._root = root
        self._now_ms: int | None = time.time_ns() // 1_000_000 if dry_run else None

    def is_old(self, modified_ms: int, retention_us: int) -> bool:
        """Whether something is at least as old as a retention; anything is as old as zero."""
        return retention_us <= 0 or is_old(modified_ms, self.now_ms, retention_us)

    @property
    def now_ms(self) -> int:
        """Milliseconds since the epoch.

        Raises:
            StoreError: the store refused or failed.
        """
        if self._now_ms is None:
            path = f"{self._root}{CLAIMS}~clock-{uuid.uuid4().hex}"
            self._store.put(path, b"")
            try:
                found = self._store.head(path)
            finally:
                self._store.remove(path)
            if found is None:
                raise StoreError(
                    f"cannot tell the time of {self._root}: {path} was written and is not there. Try again."
                )
            self._now_ms = found.modified_ms
        return self._now_ms


@dataclass(frozen=True)
class Kept:
    """What a commit knows of the chains: that its own job is the newest of its own.

    Attributes:
        tag: of the job's chain; the empty tag for none.
        overwrite: whether the job is the newest overwrite.
    """

    tag: str
    overwrite: bool

    @classmethod
    def by(cls, job: Job) -> Kept:
        """As a job that holds its claims knows it."""
        return cls(chain_tag(job.chain), job.mode == "overwrite")

    def may_go(self, record_job: str, modified_ms: int, now_ms: int, settings: CommitSettings) -> bool:
        """Whether the record of another job, whose intent is gone, is old and surely not of a chain's newest claim."""
        if not is_old(modified_ms, now_ms, settings.record_retention_us):
            return False
        if mode_of(record_job) == "overwrite" and not self.overwrite:
            return False
        tag = tag_of(record_job)
        if tag in (NO_TAG, self.tag):
            return True
        # Of a txnId: by now its chain may go as well. Its claims are left to vacuum, which readers never list.
        return tag.startswith("t") and is_old(modified_ms, now_ms, settings.txn_retention_us)


def droppable_records(
    job: Job, listing: CommitListing, complete: Collection[str], now_ms: int, settings: CommitSettings
) -> list[str]:
    """Keys of the records that a committed job may drop, oldest job first.

    Args:
        job: holds its claims.
        listing: a part of ``_commits/``.
        complete: jobs of which that part surely shows the intent, if there is one.
        now_ms: the store's time.
        settings: the retentions.
    """
    kept = Kept.by(job)
    return [
        record_key(other)
        for other, modified_ms in sorted(listing.records.items())
        if other != job.id
        and other in complete
        and other not in listing.intents
        and kept.may_go(other, modified_ms, now_ms, settings)
    ]


def droppable_claims(older: Iterable[StoredFile], now_ms: int, settings: CommitSettings) -> list[str]:
    """Paths of the claims below the newest that are old."""
    return [file.path for file in older if is_old(file.modified_ms, now_ms, settings.record_retention_us)]
