"""Claims: create-only, numbered files that put the jobs of one chain in order, one undecided job at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark_logs.commit.decisions import decide_aborted, tolerate, undo
from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.errors import CommitConflictError
from pyspark_logs.jobs import CLAIMS, OVERWRITE_CHAIN, Claim, Job, read_record
from pyspark_logs.jobs.names import claim_key, split_claim_key
from pyspark_logs.jobs.snapshots import list_all
from pyspark_logs.store import Store, StoredFile

# Each round but the last sees another job decided, or a claim dropped.
_ROUNDS = 20

Number = tuple[int, ...]


@dataclass(frozen=True)
class Claimed:
    """How a claim ended, if it did not raise.

    Attributes:
        committed: the job that had already committed this transaction; empty: the claim is ours.
        proven: an earlier job of the chain is committed, so that the root is known to commit atomically.
        older: claims below ours, as listed.
    """

    committed: str = ""
    proven: bool = False
    older: tuple[StoredFile, ...] = ()


def claim(store: Store, job: Job, chain: str, settings: CommitSettings) -> Claimed:
    """Make the job the newest of a chain, once every earlier job of it is decided.

    Raises:
        CommitConflictError: a newer batch, or another job at the same moment, was there first.
        StoreError: the store refused or failed.
    """
    proven = False
    for _ in range(_ROUNDS):
        newest = max(list_chain(store, job.root, chain), default=None)
        if newest is None:
            number = _next(job, chain, None)
        else:
            holder = _read_claim(store, job.root, chain, newest)
            if holder is None:
                continue  # dropped since, so there is a newer one
            if holder == job.id:
                return _confirm(store, job, chain, newest, proven)
            if _batch(job, chain) is not None and newest[0] > _batch(job, chain):  # type: ignore[operator]
                raise _lost(
                    job, chain, f"batch {newest[0]} was claimed by job {holder}, and this is batch {_batch(job, chain)}"
                )
            record = read_record(store, job.root, holder)
            if record is None:
                _fence(store, job, holder, settings)
                continue
            proven = proven or record.committed
            if record.committed and _same_transaction(job, chain, newest):
                return Claimed(committed=holder)
            number = _next(job, chain, newest)
        if not store.create(job.root + claim_key(chain, number), Claim(job.id).to_json()):
            holder = _read_claim(store, job.root, chain, number)
            if holder != job.id:  # else the answer to our own try was lost
                raise _lost(
                    job, chain, f"job {holder or 'another'} claimed {claim_key(chain, number)} at the same moment"
                )
        return _confirm(store, job, chain, number, proven)
    raise _lost(job, chain, f"{_ROUNDS} other jobs were decided while it waited")


def list_chain(store: Store, root: str, chain: str) -> dict[Number, StoredFile]:
    """The claims of a chain by number."""
    return group_claims(root, list_all(store, f"{root}{CLAIMS}{chain}/")).get(chain, {})


def group_claims(root: str, files: Iterable[StoredFile]) -> dict[str, dict[Number, StoredFile]]:
    """Claims as listed, by chain and number; other names are not ours."""
    chains: dict[str, dict[Number, StoredFile]] = {}
    for file in files:
        found = split_claim_key(file.path.removeprefix(root))
        if found is not None:
            chains.setdefault(found[0], {})[found[1]] = file
    return chains


def read_holder(store: Store, path: str) -> str | None:
    """The job that made the claim at a path; ``None``: there is none (any more)."""
    data = store.get(path)
    return None if data is None else Claim.from_json(data, path).job


def _read_claim(store: Store, root: str, chain: str, number: Number) -> str | None:
    return read_holder(store, root + claim_key(chain, number))


def _confirm(store: Store, job: Job, chain: str, number: Number, proven: bool) -> Claimed:
    """List again: old numbers are dropped, so one below the newest could be won a second time."""
    claims = list_chain(store, job.root, chain)
    if max(claims, default=None) != number:
        raise _lost(job, chain, "a newer claim was there already")
    return Claimed("", proven, tuple(file for other, file in sorted(claims.items()) if other != number))


def _fence(store: Store, job: Job, holder: str, settings: CommitSettings) -> None:
    """Decide the chain's undecided job, so that it can never commit after us."""
    if not decide_aborted(store, job.root, holder).committed:
        tolerate("undo", job.root, holder, lambda: undo(store, job.root, holder, settings))


def _batch(job: Job, chain: str) -> int | None:
    return job.transaction.batch if job.transaction and chain == job.chain else None


def _same_transaction(job: Job, chain: str, newest: Number) -> bool:
    if chain == OVERWRITE_CHAIN:
        return False
    batch = _batch(job, chain)
    return batch is None or newest[0] == batch


def _next(job: Job, chain: str, newest: Number | None) -> Number:
    batch = _batch(job, chain)
    if batch is None:
        return (newest[0] + 1 if newest else 1,)
    return (batch, newest[1] + 1 if newest and newest[0] == batch else 1)


def _lost(job: Job, chain: str, reason: str) -> CommitConflictError:
    return CommitConflictError(
        f"job {job.id} at {job.root} cannot commit: {reason} (chain {chain}). Nothing of it is visible. Let one writer at a time "
        "write this; run it again if it is still wanted.",
        job.id,
    )
