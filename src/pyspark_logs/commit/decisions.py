"""Deciding a job, once, whoever tries; and undoing or finishing what its intent lists."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from pyspark_logs.commit.parallel import in_parallel
from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.errors import CommitConflictError, CommitStateUnknownError, LogSourceError, StoreError
from pyspark_logs.jobs import Intent, Record, Replaced, StagedFile, intent_key, job_of, read_record, record_key
from pyspark_logs.jobs.documents import ABORTED
from pyspark_logs.store import Store

MOST_REMOVED = 1000
_TRIES = 5

_log = logging.getLogger(__name__)


def commit_record(store: Store, root: str, job: str, record: Record) -> None:
    """Write the record that says committed, or find that it is written: this single write is the commit.

    Raises:
        CommitConflictError: the record says aborted.
        CommitStateUnknownError: the store failed, and failed again when it was asked whether the record is there.
        StoreError: the store failed; the record was not there after that.
    """
    path, data = root + record_key(job), record.to_json()
    for _ in range(_TRIES):
        try:
            if store.create(path, data):
                return
            found = read_record(store, root, job)
        except StoreError as error:
            found = _read_after(error, store, root, job)
            if found is None:
                raise
        if found is not None:
            if found.committed:
                return
            raise CommitConflictError(
                f"job {job} at {root} was rolled back by a recovery or a later writer before it could commit; nothing of it is "
                "visible. Run it again if it is still wanted.",
                job,
            )
    raise _unknown(root, job, "its record comes and goes")


def _read_after(error: StoreError, store: Store, root: str, job: str) -> Record | None:
    try:
        return read_record(store, root, job)
    except StoreError:
        raise _unknown(root, job, error.message) from error


def check_files(store: Store, root: str, job: str, files: Iterable[StagedFile], settings: CommitSettings) -> None:
    """After the decision, with the intent gone: others decided long ago, and the files tell how.

    Raises:
        CommitStateUnknownError: a file is not there.
    """
    there = in_parallel(lambda file: is_published(store, root, job, file), files, settings.threads)
    if not all(there):
        raise _unknown(root, job, "it was decided by others long ago, and not all of its files are there")


def is_published(store: Store, root: str, job: str, file: StagedFile) -> bool:
    """Whether the file is visible, by one HEAD. Its name holds the job; where a token is kept it must be the job's, too."""
    found = store.head(root + file.key)
    return found is not None and found.size == file.size and found.token in ("", job)


def unknown_after_decision(root: str, job: str, error: LogSourceError) -> CommitStateUnknownError:
    """The store failed between the decision and the look that confirms it."""
    return _unknown(root, job, error.message)


def _unknown(root: str, job: str, reason: str) -> CommitStateUnknownError:
    return CommitStateUnknownError(
        f"whether job {job} at {root} is committed is not known: {reason}. Look whether its rows are there before you run it "
        f"again (with txnId a second run is safe), and run: pyspark-logs recover {root}",
        job,
    )


# --- rolling back -----------------------------------------------------------------------------------------------------


def decide_aborted(store: Store, root: str, job: str) -> Record:
    """Write the record that says aborted, unless there is one; whichever then stands.

    Raises:
        StoreError: the store refused or failed.
    """
    aborted = Record(ABORTED)
    for _ in range(_TRIES):
        if store.create(root + record_key(job), aborted.to_json()):
            return aborted
        found = read_record(store, root, job)
        if found is not None:
            return found
    raise StoreError(f"cannot roll back job {job} at {root}: its record comes and goes. Try again.")


def roll_back(store: Store, root: str, job: str, settings: CommitSettings) -> bool:
    """Decide that a job is aborted, and undo it. Only for jobs that had an intent.

    Returns:
        Whether it is aborted; ``False``: it is committed, and was left alone.

    Raises:
        StoreError: the store refused or failed; what is left stays in the intent.
    """
    if decide_aborted(store, root, job).committed:
        return False
    undo(store, root, job, settings)
    return True


def undo(store: Store, root: str, job: str, settings: CommitSettings) -> None:
    """Do what the intent of an aborted job lists: uploads, then files, then the intent itself.

    The intent is looked at after the decision: without it others have done all this, and it may be long ago. Uploads go
    before files, or a slow driver could complete one whose file was just looked for.

    Raises:
        StoreError: the store refused or failed.
    """
    intent = read_intent(store, root, job)
    if intent is None:
        return
    abort_uploads(store, root, intent.files, settings)
    remove_files(store, [root + file.key for file in intent.files])
    store.remove(root + intent_key(job))


def read_intent(store: Store, root: str, job: str) -> Intent | None:
    """The intent of a job by one GET; ``None``: there is none (any more)."""
    path = root + intent_key(job)
    data = store.get(path)
    return None if data is None else Intent.from_json(data, path)


def abort_uploads(store: Store, root: str, files: Iterable[StagedFile], settings: CommitSettings) -> None:
    """Abort the uploads of staged files; those that are gone are fine."""
    in_parallel(lambda file: store.abort_upload(root + file.key, file.upload_id), files, settings.threads)


def remove_files(store: Store, paths: list[str]) -> None:
    """Delete files, whichever version is there, in order."""
    for start in range(0, len(paths), MOST_REMOVED):
        store.remove_all(paths[start : start + MOST_REMOVED])


# --- finishing --------------------------------------------------------------------------------------------------------


def remove_replaced(store: Store, root: str, replaced: Iterable[Replaced], settings: CommitSettings) -> None:
    """Delete what an overwrite took the place of; a version that came later stays."""
    in_parallel(lambda file: store.remove(root + file.key, etag=file.etag), replaced, settings.threads)


def abort_strays(
    store: Store,
    root: str,
    wanted: Callable[[str], bool],
    keep: Iterable[StagedFile],
    settings: CommitSettings,
) -> int:
    """Abort the open uploads of jobs that are over: those of task attempts which lost, or whose answer did.

    Args:
        store: of the root.
        root: where to look, everywhere below.
        wanted: which jobs.
        keep: files whose uploads are not strays.
        settings: for the number of threads.

    Returns:
        How many there were.
    """
    kept = {(root + file.key, file.upload_id) for file in keep}
    strays = []
    token: str | None = None
    while True:
        page = store.open_uploads(root, token)
        for upload in page.uploads:
            job = job_of(upload.path)
            if job is not None and (upload.path, upload.upload_id) not in kept and wanted(job):
                strays.append(upload)
        token = page.next_token
        if token is None:
            break
    in_parallel(lambda upload: store.abort_upload(upload.path, upload.upload_id), strays, settings.threads)
    return len(strays)


def tolerate(doing: str, root: str, job: str, work: Callable[[], object]) -> bool:
    """Do what a recovery can do later as well: failures are logged. Whether it was done."""
    try:
        work()
    except (LogSourceError, OSError) as error:
        _log.warning("job %s at %s: could not %s, which is left to `pyspark-logs recover`: %s", job, root, doing, error)
        return False
    return True
