"""The driver of a job: commit() and abort()."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark_logs.commit.claims import claim
from pyspark_logs.commit.decisions import (
    MOST_REMOVED,
    abort_strays,
    abort_uploads,
    check_files,
    commit_record,
    read_intent,
    remove_replaced,
    roll_back,
    tolerate,
    unknown_after_decision,
)
from pyspark_logs.commit.publication import find_replaced, is_data, publish
from pyspark_logs.commit.retention import droppable_claims, droppable_records, is_old
from pyspark_logs.commit.settings import ALREADY_COMMITTED, COMMITTED, CommitResult, CommitSettings
from pyspark_logs.errors import CommitConflictError, ReadOnlyStoreError, SnapshotChangedError, StoreError
from pyspark_logs.jobs import COMMITS, CommitListing, Intent, Job, Record, Replaced, StagedFile, intent_key, read_record
from pyspark_logs.jobs.visibility import split_listing
from pyspark_logs.store import Store, StoredFile

_DEFAULTS = CommitSettings()
_MORE_PAGES = 10


def commit(
    store: Store,
    job: Job,
    files: Sequence[StagedFile],
    settings: CommitSettings = _DEFAULTS,
    *,
    of_table: Callable[[str], bool] = is_data,
) -> CommitResult:
    """Make the staged files of a job visible, all at once, or none of them.

    Args:
        store: of the job's root.
        job: the attempt.
        files: what its tasks staged; of each task the one attempt that counts.
        settings: threads and retentions.
        of_table: whether a key, relative to the root, is one that an overwrite of the table replaces; by default,
            every key without a hidden name.

    Raises:
        CommitConflictError: another writer or a recovery was first. The job is rolled back, nothing is visible.
        SnapshotChangedError: what an overwrite replaces kept changing. The job is rolled back.
        ReadOnlyStoreError: the store cannot write, or ignores create-only. The job is rolled back.
        CommitStateUnknownError: the store failed in the moment of the commit; or others decided the job long ago.
        StoreError: the store refused or failed. The job is undecided: call :func:`abort`, which decides it.
    """
    if not files and not job.chains:
        return CommitResult(COMMITTED, job.id, 0, 0)
    proven = _write_intent(store, job, files)
    older: list[StoredFile] = []
    replaces: tuple[Replaced, ...] = ()
    try:
        for chain in job.chains:
            claimed = claim(store, job, chain, settings)
            if claimed.committed:
                _roll_back_self(store, job, files, settings)
                return CommitResult(ALREADY_COMMITTED, claimed.committed, 0, 0)
            proven = proven or claimed.proven
            older += claimed.older
        if not proven:
            _probe(store, job, files)
        if job.mode == "overwrite":
            replaces = find_replaced(store, job, files, settings, of_table)
        publish(store, job, files, settings)
        commit_record(store, job.root, job.id, Record("committed", replaces))
    except (CommitConflictError, SnapshotChangedError, ReadOnlyStoreError):
        _roll_back_self(store, job, files, settings)
        raise
    _finish(store, job, files, replaces, older, settings)
    return CommitResult(COMMITTED, job.id, len(files), len(replaces))


def abort(store: Store, job: Job, files: Sequence[StagedFile], settings: CommitSettings = _DEFAULTS) -> None:
    """Make sure that a job does not commit, and undo it; a job that is committed is left alone. May be called again.

    Args:
        store: of the job's root.
        job: the attempt.
        files: what is known to be staged; other uploads of the job are found.
        settings: threads.

    Raises:
        StoreError: the store refused or failed; ``recover`` and ``vacuum`` finish it.
    """
    if read_intent(store, job.root, job.id) is None:
        # Nothing was published, or all is decided and done. No record: there is nobody whom it would have to stop.
        abort_uploads(store, job.root, files, settings)
    else:
        roll_back(store, job.root, job.id, settings)
    abort_strays(store, job.root, lambda other: other == job.id, (), settings)


# --- before the decision ----------------------------------------------------------------------------------------------


def _write_intent(store: Store, job: Job, files: Sequence[StagedFile]) -> bool:
    """Write the intent; whether the store was seen to refuse a second one."""
    path, data = job.root + intent_key(job.id), _intent(job, files)
    if store.create(path, data):
        return False
    found = store.get(path)
    if found is not None and found != data:
        raise StoreError(
            f"{path} is there already, with other content: two jobs share the id {job.id}. Make ids with new_job_id."
        )
    return True


def _intent(job: Job, files: Sequence[StagedFile]) -> bytes:
    return Intent(job.created_us, job.mode, job.transaction, tuple(files)).to_json()


def _probe(store: Store, job: Job, files: Sequence[StagedFile]) -> None:
    """Where no commit is known yet, see whether create-only is refused for what is there.

    Raises:
        CommitConflictError: the intent was gone: the job was rolled back by others.
        ReadOnlyStoreError: the store wrote it a second time.
    """
    if not store.create(job.root + intent_key(job.id), _intent(job, files)):
        return
    if read_record(store, job.root, job.id) is not None:
        raise CommitConflictError(
            f"job {job.id} at {job.root} was rolled back by a recovery before it could commit; nothing of it is visible. Run it "
            "again if it is still wanted.",
            job.id,
        )
    raise ReadOnlyStoreError(
        f"cannot write to {job.root}: this store ignores If-None-Match, so commits would not be atomic. Nothing was written. Use a "
        "store or a version of it that honours conditional writes."
    )


def _roll_back_self(store: Store, job: Job, files: Sequence[StagedFile], settings: CommitSettings) -> None:
    """Lost: what is left of it must not hide why."""
    if tolerate("roll back", job.root, job.id, lambda: roll_back(store, job.root, job.id, settings)):
        _abort_losers(store, job, files, settings)


# --- after the decision -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Confirmed:
    """What a look at ``_commits/`` after the decision showed.

    Attributes:
        intent: whether the job's intent is there.
        listing: the first pages.
        complete: jobs of which those pages surely show the intent, if there is one.
        more: token of the next page; ``None``: that was all.
        now_ms: the store's time.
    """

    intent: bool
    listing: CommitListing
    complete: frozenset[str]
    more: str | None
    now_ms: int


def _finish(
    store: Store,
    job: Job,
    files: Sequence[StagedFile],
    replaces: Sequence[Replaced],
    older: Sequence[StoredFile],
    settings: CommitSettings,
) -> None:
    try:
        seen = _confirm(store, job)
        if not seen.intent:
            check_files(store, job.root, job.id, files, settings)
            return
    except StoreError as error:
        raise unknown_after_decision(job.root, job.id, error) from error
    _clean(store, job, files, replaces, older, seen, settings)


def _confirm(store: Store, job: Job) -> _Confirmed:
    """Look whether the intent is there, after the decision: if not, it was not ours to make.

    One LIST answers this, tells the store's time and shows the oldest records; only where the jobs fill more than a page
    it takes a HEAD as well.
    """
    listing, complete, more = _list_page(store, job, None)
    if job.id in complete or more is None:
        return _Confirmed(job.id in listing.intents, listing, complete, more, listing.records.get(job.id, 0))
    intent = store.head(job.root + intent_key(job.id))
    return _Confirmed(intent is not None, listing, complete, more, intent.modified_ms if intent else 0)


def _list_page(store: Store, job: Job, token: str | None) -> tuple[CommitListing, frozenset[str], str | None]:
    """A page of ``_commits/``: records and intents, the jobs that are whole in it, and the next page's token."""
    page = store.page(job.root + COMMITS, recursive=True, token=token)
    listing = split_listing(job.root, page.files)
    known = sorted(listing.records.keys() | listing.intents.keys())
    # It may end between a job's record and its intent.
    return listing, frozenset(known if page.next_token is None else known[:-1]), page.next_token


def _clean(
    store: Store,
    job: Job,
    files: Sequence[StagedFile],
    replaces: Sequence[Replaced],
    older: Sequence[StoredFile],
    seen: _Confirmed,
    settings: CommitSettings,
) -> None:
    """The job is committed; what is left to do, a recovery can do as well, so nothing here raises."""
    _abort_losers(store, job, files, settings)
    if not tolerate(
        "delete what it replaces", job.root, job.id, lambda: remove_replaced(store, job.root, replaces, settings)
    ):
        return
    gone: list[str] = []
    tolerate(
        "find old records", job.root, job.id, lambda: gone.extend(_find_droppable(store, job, older, seen, settings))
    )
    gone = [*gone[: MOST_REMOVED - 1], job.root + intent_key(job.id)]
    tolerate("delete its intent", job.root, job.id, lambda: store.remove_all(gone))


def _find_droppable(
    store: Store, job: Job, older: Sequence[StoredFile], seen: _Confirmed, settings: CommitSettings
) -> list[str]:
    """Paths of claims and records that may go. The oldest jobs are listed first: the first page nearly always shows them."""
    claims = droppable_claims(older, seen.now_ms, settings)
    listing, complete, more = seen.listing, seen.complete, seen.more
    for _ in range(_MORE_PAGES):
        keys = droppable_records(job, listing, complete, seen.now_ms, settings)
        young = (ms for ms in listing.records.values() if not is_old(ms, seen.now_ms, settings.record_retention_us))
        if keys or more is None or next(young, None) is not None:
            break
        # A page full of records that are old, and kept for their chains.
        listing, complete, more = _list_page(store, job, more)
    return claims + [job.root + key for key in keys]


def _abort_losers(store: Store, job: Job, files: Sequence[StagedFile], settings: CommitSettings) -> None:
    """Abort the uploads of task attempts that lost to another one."""
    tolerate(
        "abort the uploads of lost attempts",
        job.root,
        job.id,
        lambda: abort_strays(store, job.root, lambda other: other == job.id, files, settings),
    )
