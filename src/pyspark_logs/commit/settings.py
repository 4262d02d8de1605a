"""What a commit can be told, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass

DAY_US = 86_400_000_000

COMMITTED = "committed"
ALREADY_COMMITTED = "already_committed"


@dataclass(frozen=True)
class CommitSettings:
    """Settings of the protocol; durations in microseconds.

    Attributes:
        threads: requests on data files made at once; 1: one after another, in the calling thread.
        record_retention_us: how long the record of a job is kept at least; no reader may list, and no driver stall, for
            longer than half of it.
        txn_retention_us: how long a second job with the same ``txnId`` does nothing.
        snapshot_retries: how often an overwrite lists again what it replaces, when another one interferes.
    """

    threads: int = 16
    record_retention_us: int = DAY_US
    txn_retention_us: int = 30 * DAY_US
    snapshot_retries: int = 3


@dataclass(frozen=True)
class CommitResult:
    """How a commit ended, if it did not raise.

    Attributes:
        outcome: ``committed``; or ``already_committed``: another job had done the same transaction, and what this one
            staged was dropped.
        job: id of the job that is committed: this one, or that other.
        files: how many files it made visible; 0 where another job did.
        replaced: how many files it took the place of.
    """

    outcome: str
    job: str
    files: int
    replaced: int
