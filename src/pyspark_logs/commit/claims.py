"""Claims: numbered, create-only files that order the jobs of a chain, with at most one undecided job at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pyspark_logs.commit.decisions import decide_aborted, leave_to_recovery, undo
from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.errors import CommitConflictError, ReadOnlyStoreError
from pyspark_logs.jobs import CLAIMS, OVERWRITE_CHAIN, Claim, Job, intent_key, read_record
from pyspark_logs.jobs.document_checks import check_claim, refused_document
from pyspark_logs.jobs.documents import MAX_CLAIM_BYTES
from pyspark_logs.jobs.names import NO_TAG, chain_tag, claim_key, mode_of, split_claim_key, tag_of
from pyspark_logs.jobs.snapshots import list_all
from pyspark_logs.store import Store, StoredFile

# Each unsuccessful round observes that another job was decided or that a claim was deleted.
_ROUNDS = 20

Number = tuple[int, ...]


@dataclass(frozen=True)
class ClaimResult:
    """Result of a claim that succeeded, or that found the transaction committed.

    Attributes:
        committed: id of the job that had already committed this transaction; empty if the claim was won.
        proven: True if an earlier job of the chain is committed. Then the store is known to honour create-only writes.
        older: claims of the chain with lower numbers, as listed.
        key: key of the claim that the job holds.
    """

    committed: str = ""
    proven: bool = False
    older: tuple[StoredFile, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class _Predecessor:
    """The newest claim before that of a job, as it was listed and read."""

    number: Number
    holder: str
    etag: str


def claim(store: Store, job: Job, chain: str, settings: CommitSettings) -> ClaimResult:
    """Makes the job the newest of a chain, after deciding the chain's undecided job if there is one.

    Raises:
        CommitConflictError: a newer batch has a claim, or another job claimed the same number first.
        ReadOnlyStoreError: listings of the store are not strongly consistent.
        StoreError: the store refused or failed.
    """
    proven = False
    for _ in range(_ROUNDS):
        claims = list_chain(store, job.root, chain)
        newest = max(claims, default=None)
        before: _Predecessor | None = None
        if newest is None:
            number = _next(job, chain, None)
        else:
            found = read_claim(store, job.root, chain, newest)
            if found is None:
                continue  # deleted after the listing, which happens only below a newer claim
            holder = found.job
            if holder == job.id:
                return _confirm(store, job, chain, newest, proven, None)
            if _batch(job, chain) is not None and newest[0] > _batch(job, chain):  # type: ignore[operator]
                raise _lost(
                    job, chain, f"batch {newest[0]} was claimed by job {holder}, and this is batch {_batch(job, chain)}"
                )
            committed = found.committed or _read_decision(store, job.root, chain, newest, holder)
            if committed is None:
                _fence(store, job, holder, settings)
                continue
            if committed and _same_transaction(job, chain, newest):
                return ClaimResult(committed=holder)
            proven = proven or committed
            number = _next(job, chain, newest)
            before = _Predecessor(newest, holder, claims[newest].etag)
        if not store.create(job.root + claim_key(chain, number), Claim(job.id).to_json()):
            winner = read_holder(store, job.root, chain, number)
            if winner != job.id:  # otherwise the response to this job's own request was lost
                raise _lost(
                    job, chain, f"job {winner or 'another'} claimed {claim_key(chain, number)} at the same moment"
                )
        return _confirm(store, job, chain, number, proven, before)
    raise _lost(job, chain, f"{_ROUNDS} other jobs were decided while it waited")


def _read_decision(store: Store, root: str, chain: str, number: Number, holder: str) -> bool | None:
    """Returns True if the job that holds a claim is committed, ``None`` if it is undecided."""
    record = read_record(store, root, holder)
    if record is None and store.head(root + intent_key(holder)) is not None:
        return None
    # Without an intent the holder is decided, because the intent is deleted last: the decision may have been written after the
    # record was read, or the record was dropped since. A record that is written now would give the holder's files a new time,
    # at which streams would read them again.
    record = record or read_record(store, root, holder)
    if record is not None:
        return record.committed
    # A record is dropped after the decision is in its claim, so the claim is read last.
    found = read_claim(store, root, chain, number)
    return found is not None and found.job == holder and found.committed


def list_chain(store: Store, root: str, chain: str) -> dict[Number, StoredFile]:
    """Returns the claims of a chain by number.

    Raises:
        CorruptFileError: the directory of the chain is a symbolic link.
        StoreError: the store refused or failed.
    """
    check_chain(store, root, chain)
    return group_claims(root, list_all(store, f"{root}{CLAIMS}{chain}/")).get(chain, {})


def chain_of_record(store: Store, root: str, job: str, tag: str) -> str | None:
    """Returns the chain with a tag that the record of a job names; costs one GET."""
    record = read_record(store, root, job)
    chains = [name.partition("/")[0] for name in record.claims] if record is not None else []
    return next((chain for chain in chains if chain != OVERWRITE_CHAIN and chain_tag(chain) == tag), None)


def find_query_chain(store: Store, root: str, tag: str) -> str | None:
    """Returns the name of the streaming query's chain that has a tag, among the first page of them; costs one LIST."""
    start = root + CLAIMS
    names = (path[len(start) : -1] for path in store.list_page(f"{start}query-", recursive=False).directories)
    return next((name for name in names if chain_tag(name) == tag), None)


def read_newest_holder(store: Store, root: str, chain: str) -> str | None:
    """Returns the job that holds the newest claim of a chain, or ``None`` without a claim; costs one LIST and one GET."""
    newest = max(list_chain(store, root, chain), default=None)
    return None if newest is None else read_holder(store, root, chain, newest)


def check_chain(store: Store, root: str, chain: str) -> None:
    """Checks that the claims of a chain are those of its root.

    Raises:
        CorruptFileError: the directory of the chain is a symbolic link.
    """
    directory = f"{root}{CLAIMS}{chain}/"
    if not store.is_inside(root, f"{directory}x"):
        raise refused_document(directory, "the chain", chain, "it is a symbolic link")


def group_claims(root: str, files: Iterable[StoredFile]) -> dict[str, dict[Number, StoredFile]]:
    """Groups listed claims by chain and number, ignoring files with other names."""
    chains: dict[str, dict[Number, StoredFile]] = {}
    for file in files:
        found = split_claim_key(file.path.removeprefix(root))
        if found is not None:
            chains.setdefault(found[0], {})[found[1]] = file
    return chains


def read_holder(store: Store, root: str, chain: str, number: Number) -> str | None:
    """Returns the job that holds a claim, or ``None`` if the claim does not exist.

    Raises:
        CorruptFileError: the claim is damaged, or its job belongs to another chain.
        StoreError: the store refused or failed.
    """
    found = read_claim(store, root, chain, number)
    return None if found is None else found.job


def read_claim(store: Store, root: str, chain: str, number: Number) -> Claim | None:
    """Returns a claim, or ``None`` if it does not exist; raises as :func:`read_holder` does."""
    path = root + claim_key(chain, number)
    data = store.get(path, max_bytes=MAX_CLAIM_BYTES)
    if data is None:
        return None
    claim = Claim.from_json(data, path)
    check_claim(claim, chain, path)
    return claim


def settle_claims(store: Store, root: str, job: str) -> bool:
    """Makes the record of a cleaned up job superfluous: the claims that a committed job holds tell of its decision.

    Does nothing without a record, or if the record of a committed job does not name its claims.

    Returns:
        True if the record may be deleted: the job is aborted, or each of its claims is gone, superseded or settled. False if
        a claim could not be settled, so that only the record tells of the decision.

    Raises:
        CorruptFileError: the record or a claim is damaged, or the directory of a chain is a symbolic link.
        StoreError: the store refused or failed.
    """
    record = read_record(store, root, job)
    if record is None:
        return False
    if not record.committed:
        return True
    if len(record.claims) < (tag_of(job) != NO_TAG) + (mode_of(job) == "overwrite"):
        return False
    claims = [split_claim_key(CLAIMS + name) or ("", ()) for name in record.claims]
    return all(settle_claim(store, root, chain, number, job) for chain, number in claims)


def settle_claim(store: Store, root: str, chain: str, number: Number, job: str) -> bool:
    """Marks a claim as committed if the given job holds it; leaves the claim of another job unchanged.

    Only the version that was read is replaced: the chain of a ``txnId`` may end meanwhile, and begin anew with the same
    number. If the store finds another version, the claim is read again: another process may have settled it, another job may
    hold it, or the etags of the store are not those that it compares.
    Settling starts the age of the claim anew. This happens once for each claim, so the chain of a ``txnId`` lasts longer by
    at most the age that the claim had.

    Returns:
        False if the job still holds the claim, unsettled.
    """
    check_chain(store, root, chain)
    path = root + claim_key(chain, number)
    file = store.head(path)
    if file is None or read_claim(store, root, chain, number) != Claim(job):
        return True
    settled = store.replace(path, Claim(job, committed=True).to_json(), etag=file.etag)
    return settled or read_claim(store, root, chain, number) != Claim(job)


def _confirm(
    store: Store, job: Job, chain: str, number: Number, proven: bool, before: _Predecessor | None
) -> ClaimResult:
    """Lists the chain again, because a deleted number below the newest claim can be created a second time.

    If the chain of a ``txnId`` is deleted after the job read its last claim, another job may begin the chain anew below the
    number of this job, and finds no claim above its own. In this case the predecessor of the job's claim is missing, or
    belongs to another job.

    Raises:
        CommitConflictError: the chain has a newer claim.
        ReadOnlyStoreError: the listing does not show the claim, so that claims of others may be missing from it, too.
    """
    claims = list_chain(store, job.root, chain)
    if max(claims, default=()) < number:
        raise ReadOnlyStoreError(
            f"cannot write to {job.root}: {claim_key(chain, number)} exists, and a listing that began later does not show it."
            " Commits need a store whose listings are strongly consistent. None of the job's files are visible; use another"
            " store, or another configuration of this one."
        )
    if max(claims) != number:
        raise _lost(job, chain, "a newer claim exists")
    if before is not None and chain.startswith("txn-") and not _is_unchanged(store, job.root, chain, claims, before):
        # Once this claim is removed, the newest claim is that of the other job, if any, and leads to its decision.
        store.remove(job.root + claim_key(chain, number))
        raise _lost(job, chain, "its last claim was dropped at the same moment, because txnRetention is over")
    older = tuple(file for other, file in sorted(claims.items()) if other != number)
    return ClaimResult("", proven, older, claim_key(chain, number))


def _is_unchanged(
    store: Store, root: str, chain: str, claims: Mapping[Number, StoredFile], before: _Predecessor
) -> bool:
    """True if the listed claim before that of a job is the one that the job read, possibly settled since."""
    file = claims.get(before.number)
    return file is not None and (
        file.etag == before.etag or read_holder(store, root, chain, before.number) == before.holder
    )


def _fence(store: Store, job: Job, holder: str, settings: CommitSettings) -> None:
    """Decides the chain's undecided job as aborted, so that it cannot commit after this job."""
    if not decide_aborted(store, job.root, holder).committed:
        leave_to_recovery("undo", job.root, holder, lambda: undo(store, job.root, holder, settings))


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
        f"job {job.id} at {job.root} cannot commit: {reason} (chain {chain}). None of its files are visible. Run one writer of "
        "this transaction at a time; run the job again if its rows are still needed.",
        job.id,
    )
