"""Retention of records and claims. Ages are measured by the store's clock.

Retention belongs to the root, because readers and other writers rely on it: every root keeps at least the defaults of the
options, and the longest retentions that a writer ever asked for, which a marker in ``_commits/`` tells by its name.

A record whose intent was deleted may be deleted after ``recordRetention``. The record of the job that holds the newest claim
of a chain tells whether the chain's last transaction is committed; claim and record are therefore kept: for streaming queries
and overwrites without limit, for a ``txnId`` until ``txnRetention``. Where records fill more than a page of a listing, the
decision is copied to the claim and the record is deleted, because readers list all records and no claim.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.errors import StoreError
from pyspark_logs.jobs import CLAIMS, CommitListing, Job, record_key
from pyspark_logs.jobs.names import NO_TAG, OVERWRITE_CHAIN, chain_tag, mode_of, tag_of
from pyspark_logs.store import Store, StoredFile

_MOST_CLAIMS = 100  # of a chain, below the newest one


def is_old(modified_ms: int, now_ms: int, retention_us: int) -> bool:
    """True if a file has reached the end of a retention.

    Args:
        modified_ms: modification time of the file, in milliseconds since the epoch.
        now_ms: current time by the clock that gave ``modified_ms``.
        retention_us: retention in microseconds.
    """
    return (now_ms - modified_ms) * 1000 >= retention_us


class StoreClock:
    """The current time of a store: the modification time of a small file that is written and listed on first use.

    A HEAD request would tell the time as well; the listing also shows whether listings are strongly consistent.

    A dry run writes nothing and uses the clock of this machine.
    """

    def __init__(self, store: Store, root: str, *, dry_run: bool = False) -> None:
        self._store = store
        self._root = root
        self._now_ms: int | None = time.time_ns() // 1_000_000 if dry_run else None

    def is_old(self, modified_ms: int, retention_us: int) -> bool:
        """True if a file is at least as old as a retention; always true for a retention of zero."""
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
                found = self._store.list_page(path, recursive=True).files
            except StoreError:
                self._store.remove(path)
                raise
            self._store.remove(path)
            if not found:
                raise StoreError(
                    f"cannot read the store's time at {self._root}: {path} was written, and a listing does not show it. Commits"
                    " need a store whose listings are strongly consistent; use another store, or another configuration of this one."
                )
            self._now_ms = found[0].modified_ms
        return self._now_ms


@dataclass(frozen=True)
class ChainKnowledge:
    """Chains whose newest claim a committed job holds. Other chains are undecided or unknown.

    Attributes:
        tag: tag of the job's chain; ``NO_TAG`` without one.
        overwrite: True if the job is the newest overwrite.
    """

    tag: str
    overwrite: bool

    @classmethod
    def of(cls, job: Job) -> ChainKnowledge:
        """Returns the knowledge of a job that has committed, and therefore holds the newest claims of its chains."""
        return cls(chain_tag(job.chain), job.mode == "overwrite")

    def may_delete(self, record_job: str, modified_ms: int, now_ms: int, settings: CommitSettings) -> bool:
        """True if the record of another job without an intent is old and certainly not needed by a chain's newest claim."""
        return is_old(modified_ms, now_ms, settings.record_retention_us) and not self.unknown_chains(
            record_job, modified_ms, now_ms, settings
        )

    def unknown_chains(
        self, record_job: str, modified_ms: int, now_ms: int, settings: CommitSettings
    ) -> tuple[str, ...]:
        """Returns the chains, ``OVERWRITE_CHAIN`` or a tag, whose newest claim another job may hold and need its record."""
        chains = (OVERWRITE_CHAIN,) if mode_of(record_job) == "overwrite" and not self.overwrite else ()
        tag = tag_of(record_job)
        # A chain of a txnId may be deleted by now, too. Its claims, which readers never list, are left to vacuum.
        if tag in (NO_TAG, self.tag) or (
            tag.startswith("t") and is_old(modified_ms, now_ms, settings.txn_retention_us)
        ):
            return chains
        return (*chains, tag)


def expired_records(
    job: Job, listing: CommitListing, complete: Collection[str], now_ms: int, settings: CommitSettings
) -> list[str]:
    """Returns the keys of the records that a committed job may delete, oldest job first.

    Args:
        job: committed job that holds its claims.
        listing: some pages of a listing of ``_commits/``.
        complete: jobs whose intent is in these pages if it exists.
        now_ms: the store's time, milliseconds since the epoch.
        settings: retentions.
    """
    knowledge = ChainKnowledge.of(job)
    return [
        record_key(other)
        for other, modified_ms in sorted(listing.records.items())
        if other != job.id
        and other in complete
        and other not in listing.intents
        and knowledge.may_delete(other, modified_ms, now_ms, settings)
    ]


def find_idle_chain(
    job: Job, listing: CommitListing, complete: Collection[str], now_ms: int, settings: CommitSettings
) -> tuple[str, list[str]]:
    """Returns the chain of other jobs with most superfluous records, and the jobs of these records.

    Only the newest claim of a chain needs a record, so of two records at least one is superfluous. Writers drop the old
    records of their own chains: records of twice the retention belong to a query that ended, or to overwrites.

    Returns:
        ``OVERWRITE_CHAIN`` or the tag of a query, and its jobs; an empty list if no chain has two such records.
    """
    knowledge = ChainKnowledge.of(job)
    chains: dict[str, list[str]] = {}
    for other, modified_ms in sorted(listing.records.items()):
        if other in complete and other not in listing.intents:
            unknown = knowledge.unknown_chains(other, modified_ms, now_ms, settings)
            if len(unknown) == 1 and is_old(modified_ms, now_ms, 2 * settings.record_retention_us):
                chains.setdefault(unknown[0], []).append(other)
    idle = [chain for chain, jobs in chains.items() if len(jobs) > 1 and not chain.startswith("t")]
    most = max(idle, key=lambda chain: len(chains[chain]), default="")
    return most, chains.get(most, [])


def expired_claims(older: Sequence[StoredFile], now_ms: int, settings: CommitSettings) -> list[str]:
    """Returns the paths of claims that are old or have many newer ones, given those below the newest one in order.

    The protocol needs no claim below the newest; the others are kept for people, as long as a listing of the chain is short.
    """
    last = len(older) - _MOST_CLAIMS
    return [
        file.path
        for index, file in enumerate(older)
        if index < last or is_old(file.modified_ms, now_ms, settings.record_retention_us)
    ]


def claimed_records(
    job: Job, listing: CommitListing, complete: Collection[str], now_ms: int, settings: CommitSettings
) -> list[str]:
    """Returns the sorted jobs of old records that the newest claim of a chain may need; arguments as above."""
    knowledge = ChainKnowledge.of(job)
    return [
        other
        for other, modified_ms in sorted(listing.records.items())
        if other in complete
        and other not in listing.intents
        and is_old(modified_ms, now_ms, settings.record_retention_us)
        and knowledge.unknown_chains(other, modified_ms, now_ms, settings)
    ]
