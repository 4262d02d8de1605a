"""The decision on a job, which is made exactly once, and undoing or finishing the work that its intent lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.errors import (
    AccessDeniedError,
    CommitConflictError,
    CommitStateUnknownError,
    CorruptFileError,
    LogSourceError,
    ReadOnlyStoreError,
    StoreError,
)
from pyspark_logs.jobs import (
    CLAIMS,
    COMMITS,
    Intent,
    Record,
    Replaced,
    StagedFile,
    StagedUpload,
    documents,
    intent_key,
    job_of,
    read_record,
    record_key,
)
from pyspark_logs.jobs.document_checks import check_intent, refused_document
from pyspark_logs.jobs.document_compression import expanded_size
from pyspark_logs.jobs.documents import ABORTED
from pyspark_logs.store import Store
from pyspark_logs.store.parallel import in_parallel
from pyspark_logs.terminal_text import get_logger

MOST_REMOVED = 1000
_TRIES = 5
_THROUGH_LINK = "it is reached through a symbolic link below the root"

_log = get_logger(__name__)


def commit_record(store: Store, root: str, job: str, record: Record) -> None:
    """Writes the record of a committed job, create-only. This single write is the commit.

    After a lost response the record is read back: a record that says committed is success. A request that failed may still
    reach the store: where there is no record yet, one that says aborted is written, and the first of the two decides. This holds
    for failures of any class: a driver that cannot read a response may raise a TypeError.

    Raises:
        CommitConflictError: the record says aborted.
        CommitStateUnknownError: the write failed, and the record could neither be read back nor written.
        CorruptFileError: the record exists and is damaged.
        Exception: the failure of the write, if the record says aborted; usually a StoreError.
    """
    path, data = root + record_key(job), record.to_json()
    check_size(data, path, f"record of job {job}, with {len(record.replaces)} replaced files,")
    for _ in range(_TRIES):
        try:
            if store.create(path, data):
                return
            found = read_record(store, root, job)
        except CorruptFileError:
            raise
        except Exception as error:  # noqa: BLE001 - raised again unless the record says committed
            found = _settle_failed_commit(error, store, root, job)
        if found is not None:
            if found.committed:
                return
            raise CommitConflictError(
                f"job {job} at {root} was rolled back by a recovery or a later writer before it could commit; none of its files "
                "are visible. Run the job again if its rows are still needed.",
                job,
            )
    raise _unknown(root, job, f"its record could neither be created nor read in {_TRIES} attempts")


def check_size(data: bytes, path: str, what: str) -> None:
    """Checks before a document is written that it can be read.

    Raises:
        StoreError: the document is too large.
    """
    size = expanded_size(data)
    if size > documents.MAX_DOCUMENT_BYTES:
        raise StoreError(
            f"cannot write {path}: the {what} has {size} bytes, and is larger than {documents.MAX_DOCUMENT_BYTES} bytes, the"
            " largest document that is read. Write larger files (maxFileBytes), or fewer at a time."
        )


def _settle_failed_commit(error: Exception, store: Store, root: str, job: str) -> Record:
    """Returns the record of a committed or rolled back job after the request for its record failed.

    Raises:
        CommitStateUnknownError: the record could neither be read nor written.
        Exception: ``error``, if the request can no longer reach the store.
    """
    try:
        found = read_record(store, root, job)
        if found is not None:
            return found
        if isinstance(error, (AccessDeniedError, ReadOnlyStoreError)):
            raise error  # the store refused the request
        decided = decide_aborted(store, root, job)
        has_intent = decided.committed or store.head(root + intent_key(job)) is not None
    except Exception as failure:
        if failure is error:
            raise
        raise _unknown(root, job, _describe(error)) from error
    if decided.committed:
        return decided
    if not has_intent:  # the record of the decision was dropped since
        raise _unknown(root, job, "another process decided it earlier") from error
    raise error


def check_files(store: Store, root: str, job: str, files: Iterable[StagedFile], settings: CommitSettings) -> None:
    """Checks that all files of a job are published, after the decision found the job's intent deleted.

    A deleted intent means that another process decided the job earlier; only the files tell what it decided.

    Raises:
        CommitStateUnknownError: a file does not exist.
    """
    published = in_parallel(lambda file: is_published(store, root, job, file), files, settings.threads)
    if not all(published):
        raise _unknown(root, job, "another process decided it earlier, and not all of its files exist")


def is_published(store: Store, root: str, job: str, file: StagedFile) -> bool:
    """True if the file exists with the size that was staged, and with the job's token where the store keeps tokens."""
    found = store.head(root + file.key)
    return found is not None and found.size == file.size and found.token in ("", job)


def unknown_after_decision(root: str, job: str, error: Exception) -> CommitStateUnknownError:
    """Returns the error for a failure after the decision and before its confirmation."""
    return _unknown(root, job, _describe(error))


def _unknown(root: str, job: str, reason: str) -> CommitStateUnknownError:
    return CommitStateUnknownError(
        f"it is not known whether job {job} at {root} is committed: {reason}. Check whether its rows are visible before you run "
        f"it again (a second run with the same txnId is safe), and run: pyspark-logs recover {root}",
        job,
    )


def _describe(error: Exception) -> str:
    """Returns the message of an error, after the name of its class unless it is an error of this package."""
    return str(error) if isinstance(error, LogSourceError) else f"{type(error).__name__}: {error}"


def check_own_directories(store: Store, root: str) -> None:
    """Checks before anything is written or deleted that the documents of a root are its own.

    Raises:
        StoreError: ``_commits/`` or ``_claims/`` is a symbolic link: the documents there may belong to another root.
    """
    for directory in (COMMITS, CLAIMS):
        if not store.is_inside(root, f"{root}{directory}x"):
            raise StoreError(
                f"{root}{directory} is a symbolic link, and nothing is written or deleted through links below {root}. Find out who"
                " made the link; replace it by a directory with the documents of this root."
            )


# --- rolling back -----------------------------------------------------------------------------------------------------


def decide_aborted(store: Store, root: str, job: str) -> Record:
    """Writes the record of an aborted job, create-only, and returns the record that exists afterwards.

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
    raise StoreError(
        f"cannot roll back job {job} at {root}: its record could neither be created nor read in {_TRIES} attempts. Try again."
    )


def roll_back(store: Store, root: str, job: str, settings: CommitSettings) -> bool:
    """Decides a job as aborted and undoes it, unless it is committed. Only for jobs that had an intent.

    Returns:
        True if the job is aborted; False if it is committed, and nothing was changed.

    Raises:
        StoreError: the store refused or failed; the intent still lists the remaining work.
    """
    if decide_aborted(store, root, job).committed:
        return False
    undo(store, root, job, settings)
    return True


def undo(store: Store, root: str, job: str, settings: CommitSettings) -> tuple[StagedUpload, ...]:
    """Aborts the uploads of an aborted job, then deletes its files, then its intent.

    The intent is read after the decision: if it does not exist, another process has done this work. Uploads are aborted
    before files are deleted; otherwise a slow driver could complete an upload after its file was deleted.

    Returns:
        The files of the intent; none if another process has done this work.

    Raises:
        CorruptFileError: the intent is damaged, or lists files that are not the job's. Nothing is deleted.
        StoreError: the store refused or failed.
    """
    intent = read_intent(store, root, job)
    if intent is None:
        return ()
    abort_uploads(store, root, intent.files, settings)
    remove_files(store, [root + file.key for file in intent.files])
    store.remove(root + intent_key(job))
    return intent.files


def read_intent(store: Store, root: str, job: str) -> Intent | None:
    """Returns the intent of a job with one GET, or ``None`` if it does not exist.

    The only function that reads intents: an intent that it returns lists files of the job below the root, and nothing else.

    Raises:
        CorruptFileError: the intent is damaged, or lists files that are not the job's.
        StoreError: the store refused or failed.
    """
    path = root + intent_key(job)
    data = store.get(path, max_bytes=documents.MAX_DOCUMENT_BYTES)
    if data is None:
        return None
    intent = Intent.from_json(data, path)
    check_intent(intent, job, path)
    for file in intent.files:
        if not store.is_inside(root, root + file.key):
            raise refused_document(path, "the file", file.key, _THROUGH_LINK)
        if not store.is_upload_inside(root, root + file.key, file.upload_id):
            raise refused_document(path, "the upload", file.upload_id, f"it is not an upload of {file.key}")
    return intent


def abort_uploads(store: Store, root: str, files: Iterable[StagedUpload], settings: CommitSettings) -> None:
    """Aborts the uploads of staged files, ignoring uploads that do not exist."""
    in_parallel(lambda file: store.abort_upload(root + file.key, file.upload_id), files, settings.threads)


def remove_files(store: Store, paths: list[str]) -> None:
    """Deletes files in order, whatever their version."""
    for start in range(0, len(paths), MOST_REMOVED):
        store.remove_all(paths[start : start + MOST_REMOVED])


# --- finishing --------------------------------------------------------------------------------------------------------


def remove_replaced(
    store: Store, root: str, job: str, replaced: Sequence[Replaced], settings: CommitSettings
) -> list[str]:
    """Deletes the versions of files that an overwrite replaces; newer versions stay.

    Files of jobs are deleted in requests of up to 1000 keys, whatever their version: the name of the job is random, so no
    process writes another version. For other files, the store compares the version. AWS does so in requests of up to 1000 files.
    Other servers may ignore the etags of such a request and delete newer versions, so each file costs a HEAD and a DELETE there.

    Returns:
        The paths of the files that do not exist any more.

    Raises:
        CorruptFileError: a file is reached through a symbolic link. Nothing is deleted.
        StoreError: the store refused or failed.
    """
    check_replaced(store, root, job, replaced)
    paths = [root + file.key for file in replaced if has_one_version(file)]
    batches = [paths[start : start + MOST_REMOVED] for start in range(0, len(paths), MOST_REMOVED)]
    in_parallel(store.remove_all, batches, settings.threads)
    others = [(root + file.key, file.etag) for file in replaced if not has_one_version(file)]
    others = [version for version in others if version[1] or _lacks_etag(store, version[0])]
    removed = remove_versions(store, others, settings)
    return paths + [path for (path, _), is_gone in zip(others, removed, strict=True) if is_gone]


def _lacks_etag(store: Store, path: str) -> bool:
    """True if a file has no etag either; a deletion with an empty etag would compare no version."""
    found = store.head(path)
    return found is not None and not found.etag


def remove_versions(store: Store, versions: Sequence[tuple[str, str]], settings: CommitSettings) -> list[bool]:
    """Deletes versions of files, given as path and etag; for each, returns False if another version is there."""
    size = min(store.removable_versions, MOST_REMOVED) if len(versions) > 1 else 1
    batches = [versions[start : start + size] for start in range(0, len(versions), size)]
    return [is_gone for found in in_parallel(store.remove_versions, batches, settings.threads) for is_gone in found]


def has_one_version(replaced: Replaced) -> bool:
    """True if the version of a replaced file needs no comparison: a job wrote the file, and nothing else writes its path."""
    return job_of(replaced.key) is not None


def check_replaced(store: Store, root: str, job: str, replaced: Iterable[Replaced]) -> None:
    """Checks that deleting the files that an overwrite replaces affects nothing outside its root.

    :func:`~pyspark_logs.jobs.read_record` has checked the keys; this checks the directories of the store.

    Raises:
        CorruptFileError: a file is reached through a symbolic link.
    """
    for file in replaced:
        if not store.is_inside(root, root + file.key):
            raise refused_document(root + record_key(job), "the replaced file", file.key, _THROUGH_LINK)


def leave_to_recovery(step: str, root: str, job: str, work: Callable[[], object]) -> bool:
    """Runs a step that ``recover`` can repeat: a failure of any class is logged, not raised.

    An error would be taken for a failure of the commit, and rows that are visible would be written again.

    Args:
        step: verb phrase for the log message, such as "delete its intent".
        root: root of the job.
        job: id of the job.
        work: function that makes the requests.

    Returns:
        True if the step succeeded.
    """
    try:
        work()
    except Exception as error:  # noqa: BLE001 - a defect does not change the decision either
        _log.warning(
            "job %s at %s: could not %s; run `pyspark-logs recover` to finish it: %s", job, root, step, _describe(error),
            exc_info=not isinstance(error, (LogSourceError, OSError)),
        )  # fmt: skip
        return False
    return True
