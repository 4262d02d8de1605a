"""Recovery: rolls back undecided jobs whose driver died, and finishes jobs that were decided but not cleaned up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark_logs.commit.decisions import (
    check_own_directories,
    check_replaced,
    decide_aborted,
    has_one_version,
    read_intent,
    remove_replaced,
    undo,
)
from pyspark_logs.commit.retention import StoreClock
from pyspark_logs.commit.settings import DAY_US, CommitSettings
from pyspark_logs.commit.stray_uploads import abort_stray_uploads, search_uploads, select_strays
from pyspark_logs.errors import LogSourceError
from pyspark_logs.jobs import CommitListing, StagedUpload, intent_key, read_commits, read_record
from pyspark_logs.store import Store
from pyspark_logs.store.parallel import in_parallel
from pyspark_logs.terminal_text import get_logger

_DEFAULTS = CommitSettings()

_log = get_logger(__name__)


@dataclass(frozen=True)
class RecoverReport:
    """Result of a recovery, or of its dry run. Job ids are in the order of their creation time.

    Attributes:
        rolled_back: ids of jobs that had no decision, or were aborted and not undone.
        rolled_forward: ids of committed jobs that were not cleaned up.
        young: ids of jobs that are younger than ``older_than_us`` and may still be running.
        failed: pairs of job id and error message for jobs that could not be recovered.
        uploads: number of aborted uploads of task attempts that lost.
        files: sorted paths of the files and staged uploads that were removed, as far as they existed. A dry run names those
            that would be removed; it looks for files, and takes the uploads of an intent as open.
    """

    rolled_back: tuple[str, ...] = ()
    rolled_forward: tuple[str, ...] = ()
    young: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    uploads: int = 0
    files: tuple[str, ...] = ()


def recover(
    store: Store,
    root: str,
    *,
    older_than_us: int = DAY_US,
    job: str | None = None,
    dry_run: bool = False,
    settings: CommitSettings = _DEFAULTS,
) -> RecoverReport:
    """Rolls back the undecided jobs of a root and finishes the committed ones.

    Args:
        store: store of the root.
        root: directory that was written to, ending in ``/``.
        older_than_us: minimum age of an intent, by the store's clock. Younger jobs may be running and are left alone.
        job: id of the only job to recover, whatever its age; ``None`` selects jobs by age.
        dry_run: reports without writing anything; ages are then measured by the clock of this machine.
        settings: number of threads.

    Raises:
        StoreError: the store refused or failed to list. A failure for a single job is part of the report, and stops no
            other job.
    """
    check_own_directories(store, root)
    listing = read_commits(store, root)
    chosen, young = _choose(store, root, listing, older_than_us, job, dry_run)
    settle = _preview if dry_run else _settle
    settled: dict[str, _SettledJob] = {}
    failed: list[tuple[str, str]] = []
    for candidate in chosen:
        try:
            settled[candidate] = settle(store, root, candidate, settings)
        except (LogSourceError, OSError) as error:
            _log.warning("cannot recover job %s at %s: %s", candidate, root, error)
            failed.append((candidate, str(error)))
    strays = _end_strays(store, root, settled, settings, dry_run)
    return RecoverReport(
        tuple(candidate for candidate, result in settled.items() if not result.committed),
        tuple(candidate for candidate, result in settled.items() if result.committed),
        tuple(young),
        tuple(failed),
        len(strays),
        tuple(sorted({*strays, *(path for result in settled.values() for path in result.paths)})),
    )


@dataclass(frozen=True)
class _SettledJob:
    """A job that was decided and finished or undone, or that would be.

    Attributes:
        committed: True if the job is committed.
        paths: paths of its files and uploads that are removed.
        files: staged files of its intent; none for a committed job.
    """

    committed: bool
    paths: Sequence[str]
    files: Sequence[StagedUpload] = ()


def _end_strays(
    store: Store, root: str, settled: Mapping[str, _SettledJob], settings: CommitSettings, dry_run: bool
) -> list[str]:
    """Aborts the uploads of lost task attempts of settled jobs, unless in a dry run; returns the paths of the uploads."""
    if not settled:
        return []
    try:
        listed = [file for result in settled.values() for file in result.files]
        keys = {file.key for file in listed}
        if not dry_run:
            return abort_stray_uploads(store, root, settled.__contains__, settings, search=keys)
        uploads = search_uploads(store, root, keys, settings, dry_run=True)
        strays = select_strays(root, uploads, settled.__contains__, listed)
        return [store.staged_path(upload.path, upload.upload_id) for upload in strays]
    except (LogSourceError, OSError) as error:
        _log.warning(
            "cannot abort the uploads of lost task attempts at %s; `pyspark-logs vacuum` does: %s", root, error
        )
        return []


def _choose(
    store: Store, root: str, listing: CommitListing, older_than_us: int, job: str | None, dry_run: bool
) -> tuple[list[str], list[str]]:
    """Returns the jobs to recover and the jobs that are too young."""
    if job is not None:
        return ([job] if job in listing.intents else []), []
    clock = StoreClock(store, root, dry_run=dry_run)
    chosen: list[str] = []
    young: list[str] = []
    for candidate, modified_ms in sorted(listing.intents.items()):
        (chosen if clock.is_old(modified_ms, older_than_us) else young).append(candidate)
    return chosen, young


def _settle(store: Store, root: str, job: str, settings: CommitSettings) -> _SettledJob:
    """Decides an undecided job as aborted, then finishes or undoes the job."""
    record = read_record(store, root, job) or decide_aborted(store, root, job)
    if record.committed:
        removed = remove_replaced(store, root, job, record.replaces, settings)
        store.remove(root + intent_key(job))
        return _SettledJob(True, removed)
    files = undo(store, root, job, settings)
    published, staged = _paths_of(store, root, files)
    return _SettledJob(False, [*(published | staged)], files)


def _preview(store: Store, root: str, job: str, settings: CommitSettings) -> _SettledJob:
    """Returns the result of :func:`_settle` without changing anything, with the paths that exist."""
    record = read_record(store, root, job)
    if record is not None and record.committed:
        check_replaced(store, root, job, record.replaces)
        found = in_parallel(lambda file: store.head(root + file.key), record.replaces, settings.threads)
        pairs = zip(record.replaces, found, strict=True)
        removed = [file.path for old, file in pairs if file and (has_one_version(old) or file.etag == old.etag)]
        return _SettledJob(True, removed)
    intent = read_intent(store, root, job)
    files = intent.files if intent is not None else ()
    published, staged = _paths_of(store, root, files)
    # Where uploads are not files, the path of a file stands for its upload, too: there is nothing to look for.
    candidates = sorted(published ^ staged)
    found = in_parallel(store.head, candidates, settings.threads)
    existing = [path for path, file in zip(candidates, found, strict=True) if file is not None]
    return _SettledJob(False, [*existing, *(published & staged)], files)


def _paths_of(store: Store, root: str, files: Sequence[StagedUpload]) -> tuple[set[str], set[str]]:
    """Returns the paths that the files of a job have when they are published, and while they are staged."""
    return (
        {root + file.key for file in files},
        {store.staged_path(root + file.key, file.upload_id) for file in files},
    )
