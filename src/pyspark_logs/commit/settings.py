"""Settings and result of a commit."""

from __future__ import annotations

from dataclasses import dataclass, replace

DAY_US = 86_400_000_000
# Other writers and readers of a root rely on the defaults of the options, and nothing in the root tells of them.
MIN_RECORD_RETENTION_US = DAY_US
MIN_TXN_RETENTION_US = 30 * DAY_US

COMMITTED = "committed"
ALREADY_COMMITTED = "already_committed"


@dataclass(frozen=True)
class CommitSettings:
    """Settings of the protocol; durations in microseconds.

    Attributes:
        threads: maximum number of concurrent requests on data files; 1 makes them one by one in the calling thread.
        record_retention_us: minimum lifetime of a job's record. A listing of a reader, or a pause of a driver, that
            takes longer than half of it can miss a decision.
        txn_retention_us: time during which a second job with the same ``txnId`` has no effect.
        snapshot_retries: number of times that an overwrite lists the files to replace again after another overwrite
            was decided during the listing.
    """

    threads: int = 16
    record_retention_us: int = MIN_RECORD_RETENTION_US
    txn_retention_us: int = MIN_TXN_RETENTION_US
    snapshot_retries: int = 3

    @property
    def exceed_minimum(self) -> bool:
        """True if a retention is longer than the one that every root keeps."""
        return self.record_retention_us > MIN_RECORD_RETENTION_US or self.txn_retention_us > MIN_TXN_RETENTION_US

    def with_minimum(self) -> CommitSettings:
        """Returns settings whose retentions are at least those that every root keeps."""
        return self.at_root((MIN_RECORD_RETENTION_US, MIN_TXN_RETENTION_US))

    def at_root(self, retention_us: tuple[int, int]) -> CommitSettings:
        """Returns settings whose retentions are at least those that writers asked for at a root."""
        return replace(
            self,
            record_retention_us=max(self.record_retention_us, retention_us[0]),
            txn_retention_us=max(self.txn_retention_us, retention_us[1]),
        )


@dataclass(frozen=True)
class CommitResult:
    """Result of a commit that succeeded.

    Attributes:
        outcome: ``committed``; or ``already_committed`` if another job had committed the same transaction, in which case
            the staged files of this job were discarded.
        job: id of the committed job: this job, or the other job of the transaction.
        files: number of files that became visible; 0 for ``already_committed``.
        replaced: number of files that an overwrite replaced.
    """

    outcome: str
    job: str
    files: int
    replaced: int
