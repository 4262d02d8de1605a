"""The driver's side of the protocol: commit and abort of a job."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark_logs.commit.claims import claim, list_chain, read_holder
from pyspark_logs.commit.decisions import (
    MOST_REMOVED,
    abort_uploads,
    check_files,
    check_own_directories,
    check_size,
    commit_record,
    leave_to_recovery,
    read_intent,
    remove_replaced,
    roll_back,
    unknown_after_decision,
)
from pyspark_logs.commit.expiry import Confirmation, find_expired, read_page
from pyspark_logs.commit.publication import Table, find_replaced, publish
from pyspark_logs.commit.settings import ALREADY_COMMITTED, COMMITTED, CommitResult, CommitSettings
from pyspark_logs.commit.stray_uploads import abort_stray_uploads
from pyspark_logs.errors import (
    CommitConflictError,
    CommitStateUnknownError,
    ReadOnlyStoreError,
    SnapshotChangedError,
    StoreError,
)
from pyspark_logs.jobs import (
    CLAIMS,
    COMMITS,
    Intent,
    Job,
    Record,
    Replaced,
    StagedFile,
    documents,
    intent_key,
    read_record,
)
from pyspark_logs.jobs.names import claim_key, retention_key
from pyspark_logs.store import Store, StoredFile
from pyspark_logs.telemetry import Attributes, Span, start_span
from pyspark_logs.terminal_text import get_logger

_DEFAULTS = CommitSettings()
_ANY_DATA = Table()

_log = get_logger(__name__)


def commit(
    store: Store,
    job: Job,
    files: Sequence[StagedFile],
    settings: CommitSettings = _DEFAULTS,
    *,
    table: Table = _ANY_DATA,
) -> CommitResult:
    """Makes the staged files of a job visible, all at once.

    Args:
        store: store of the job's root.
        job: the job to commit.
        files: staged files of the successful attempt of each task.
        settings: number of threads and retentions.
        table: files that an overwrite replaces; by default those with no hidden name in their key.

    Raises:
        CommitConflictError: another writer or a recovery decided first. The job is rolled back; no file is visible.
        SnapshotChangedError: the files to be replaced changed during each listing. The job is rolled back.
        ReadOnlyStoreError: the store cannot write, ignores create-only conditions, or its listings are not strongly
            consistent. The job is rolled back.
        CommitStateUnknownError: the store failed while the record was written, or another process decided the job earlier.
        StoreError: the store refused or failed. The job is undecided: call :func:`abort`, which decides it.
    """
    if not files and not job.chains:
        return CommitResult(COMMITTED, job.id, 0, 0)
    attributes: Attributes = {
        "pyspark_logs.job": job.id,
        "pyspark_logs.root": job.root,
        "pyspark_logs.files": len(files),
    }
    with start_span("pyspark_logs.commit", attributes, current=True):
        return _commit(store, job, files, settings, table)


def _commit(
    store: Store, job: Job, files: Sequence[StagedFile], settings: CommitSettings, table: Table
) -> CommitResult:
    check_own_directories(store, job.root)
    with _phase("intent"):
        honoured = proven = _write_intent(store, job, files)
    older: list[StoredFile] = []
    replaces: tuple[Replaced, ...] = ()
    held: list[str] = []
    try:
        proven = _mark_retention(store, job, settings) or proven
        for chain in job.chains:
            with _phase("claim"):
                claimed = claim(store, job, chain, settings)
            if claimed.committed:
                _roll_back_self(store, job, files, settings)
                return CommitResult(ALREADY_COMMITTED, claimed.committed, 0, 0)
            proven = proven or claimed.proven
            older += claimed.older
            held.append(claimed.key.removeprefix(CLAIMS))
        honoured = proven or _probe(store, job)
        if honoured:
            with _phase("publish"):
                if job.mode == "overwrite":
                    replaces = find_replaced(store, job, files, settings, table)
                publish(store, job, files, settings)
            with _phase("decide"):
                commit_record(store, job.root, job.id, Record("committed", replaces, tuple(held)))
    except (CommitConflictError, SnapshotChangedError, ReadOnlyStoreError):
        _roll_back_self(store, job, files, settings)
        raise
    if not honoured:
        _withdraw(store, job, files, settings)
        raise ReadOnlyStoreError(
            f"cannot write to {job.root}: this store ignores If-None-Match, so commits would not be atomic. No data was written."
            " Use a store, or a version of it, that honours conditional writes."
        )
    with _phase("clean"):
        _finish(store, job, files, replaces, older, settings)
    return CommitResult(COMMITTED, job.id, len(files), len(replaces))


def _phase(name: str) -> Span:
    return start_span(f"pyspark_logs.commit.{name}", current=True)


def abort(store: Store, job: Job, files: Sequence[StagedFile], settings: CommitSettings = _DEFAULTS) -> bool:
    """Decides an undecided job as aborted and undoes it. A committed job is left alone. Repeated calls are allowed.

    Args:
        store: store of the job's root.
        job: the job to abort.
        files: known staged files; other uploads of the job are found by listing.
        settings: number of threads.

    Returns:
        True if the job is not committed; False if it is, which is also logged, because Spark reports the write as failed.

    Raises:
        StoreError: the store refused or failed; ``recover`` or ``vacuum`` finishes the abort.
    """
    aborted = True
    if read_intent(store, job.root, job.id) is None:
        # Either nothing was published, or the job is decided and cleaned up. Without an intent no other process can commit
        # the job, so no record is needed to stop one.
        abort_uploads(store, job.root, files, settings)
    else:
        aborted = roll_back(store, job.root, job.id, settings)
    if not aborted:
        _log.warning(
            "job %s at %s is committed and cannot be aborted: its rows are visible. Do not run it again; run `pyspark-logs"
            " recover %s` to clean up after it", job.id, job.root, job.root,
        )  # fmt: skip
    keys = {file.key for file in files}
    abort_stray_uploads(store, job.root, lambda other: other == job.id, settings, search=keys)
    return aborted


# --- before the decision ----------------------------------------------------------------------------------------------


def _write_intent(store: Store, job: Job, files: Sequence[StagedFile]) -> bool:
    """Writes the intent; True if the store refused a second write of it, which proves create-only support."""
    path, data = job.root + intent_key(job.id), _intent(job, files)
    check_size(data, path, f"intent of job {job.id}, with {len(files)} files,")
    if store.create(path, data):
        return False
    found = store.get(path, max_bytes=documents.MAX_DOCUMENT_BYTES)
    if found is not None and found != data:
        raise StoreError(
            f"{path} exists with other content: two jobs share the id {job.id}. Create ids with new_job_id."
        )
    return True


def _mark_retention(store: Store, job: Job, settings: CommitSettings) -> bool:
    """Leaves a marker of retentions that are longer than those of every root, before there is a record to keep.

    Returns:
        True if the store refused a second write of the marker, which proves create-only support.
    """
    if not settings.exceed_minimum:
        return False
    key = retention_key(settings.record_retention_us, settings.txn_retention_us)
    return not store.create(job.root + key, b"")


def _intent(job: Job, files: Sequence[StagedFile]) -> bytes:
    return Intent(job.created_us, job.mode, job.transaction, tuple(files)).to_json()


def _probe(store: Store, job: Job) -> bool:
    """Writes an intent without files over the job's, create-only; True if the store refuses that, as it must.

    An intent of many files is not sent twice. A store that accepts the second one gets no published file.

    Raises:
        CommitConflictError: the intent did not exist any more: another process rolled the job back.
    """
    if not store.create(job.root + intent_key(job.id), _intent(job, ())):
        return True
    if read_record(store, job.root, job.id) is not None:
        raise CommitConflictError(
            f"job {job.id} at {job.root} was rolled back by a recovery before it could commit; none of its files are visible. Run "
            "the job again if its rows are still needed.",
            job.id,
        )
    return False


def _withdraw(store: Store, job: Job, files: Sequence[StagedFile], settings: CommitSettings) -> None:
    """Removes everything that a job wrote to a store without create-only writes; a failure is logged.

    No record is written: nothing is published, and no other process can commit the job. The job's claims are deleted, too.
    """

    def work() -> None:
        abort_uploads(store, job.root, files, settings)
        for chain in job.chains:
            for number in list_chain(store, job.root, chain):
                if read_holder(store, job.root, chain, number) == job.id:
                    store.remove(job.root + claim_key(chain, number))
        store.remove(job.root + intent_key(job.id))
        marker = job.root + retention_key(settings.record_retention_us, settings.txn_retention_us)
        # If there are other documents, an earlier job may have written the marker, and its retention still applies.
        if [file.path for file in store.list_page(job.root + COMMITS, recursive=True).files] == [marker]:
            store.remove(marker)

    if leave_to_recovery("withdraw", job.root, job.id, work):
        _abort_losers(store, job, files, settings)


def _roll_back_self(store: Store, job: Job, files: Sequence[StagedFile], settings: CommitSettings) -> None:
    """Rolls back this job after a conflict; a failure is logged and does not hide the conflict."""
    if leave_to_recovery("roll back", job.root, job.id, lambda: roll_back(store, job.root, job.id, settings)):
        _abort_losers(store, job, files, settings)


# --- after the decision -----------------------------------------------------------------------------------------------


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
    except CommitStateUnknownError:
        raise
    except Exception as error:
        raise unknown_after_decision(job.root, job.id, error) from error
    # In key order, markers of retentions are in the first page.
    _clean(store, job, files, replaces, older, seen, settings.at_root(seen.listing.retention_us))


def _confirm(store: Store, job: Job) -> Confirmation:
    """Checks after the decision that the intent still exists; otherwise another process decided the job before.

    One LIST answers this, gives the store's time and shows the oldest records. A HEAD is added only if the jobs fill more
    than one page.
    """
    page = store.list_page(job.root + COMMITS, recursive=True)
    listing, complete = read_page(job, page)
    if job.id in listing.intents and job.id not in listing.records:
        # The record was written before the listing, and is kept as long as the intent. The commit itself is not in doubt.
        _log.error(
            "job %s is committed, but a listing of %s%s does not show its record: listings of this store are not strongly"
            " consistent, so that readers may see a part of a job. Use another store, or another configuration of this one",
            job.id, job.root, COMMITS,
        )  # fmt: skip
    more = page.next_token
    if job.id in complete or more is None:
        return Confirmation(job.id in listing.intents, listing, complete, more, listing.records.get(job.id, 0))
    intent = store.head(job.root + intent_key(job.id))
    return Confirmation(intent is not None, listing, complete, more, intent.modified_ms if intent else 0)


def _clean(
    store: Store,
    job: Job,
    files: Sequence[StagedFile],
    replaces: Sequence[Replaced],
    older: Sequence[StoredFile],
    seen: Confirmation,
    settings: CommitSettings,
) -> None:
    """Cleans up after the commit. A recovery can repeat every step, so failures are logged and not raised."""
    _abort_losers(store, job, files, settings)
    if not leave_to_recovery(
        "delete the files that it replaces",
        job.root,
        job.id,
        lambda: remove_replaced(store, job.root, job.id, replaces, settings),
    ):
        return
    expired: list[str] = []
    leave_to_recovery(
        "find expired records",
        job.root,
        job.id,
        lambda: expired.extend(find_expired(store, job, older, seen, settings)),
    )
    expired = [*expired[: MOST_REMOVED - 1], job.root + intent_key(job.id)]
    leave_to_recovery("delete its intent", job.root, job.id, lambda: store.remove_all(expired))


def _abort_losers(store: Store, job: Job, files: Sequence[StagedFile], settings: CommitSettings) -> None:
    """Aborts the uploads of task attempts that lost to another attempt."""
    leave_to_recovery(
        "abort the uploads of lost task attempts",
        job.root,
        job.id,
        lambda: abort_stray_uploads(store, job.root, lambda other: other == job.id, settings, keep=files),
    )
