"""Recovery: rolls back undecided jobs whose driver died, and finishes jobs that were decided but not cleaned up."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyspark_logs.commit.decisions import abort_stray_uploads, decide_aborted, remove_replaced, undo
from pyspark_logs.commit.retention import StoreClock
from pyspark_logs.commit.settings import DAY_US, CommitSettings
from pyspark_logs.errors import LogSourceError
from pyspark_logs.jobs import CommitListing, intent_key, read_commits, read_record
from pyspark_logs.store import Store

_DEFAULTS = CommitSettings()

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecoverReport:
    """Result of a recovery, or of its dry run. Job ids are in the order of their creation time.

    Attributes:
        rolled_back: ids of jobs that had no decision, or were aborted and not undone.
        rolled_forward: ids of committed jobs that were not cleaned up.
        young: ids of jobs that are younger than ``older_than_us`` and may still be running.
        failed: pairs of job id and error message for jobs that could not be recovered.
        uploads: number of aborted uploads of task attempts that lost.
    """

    rolled_back: tuple[str, ...] = ()
    rolled_forward: tuple[str, ...] = ()
    young: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    uploads: int = 0


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
        StoreError: the store refused or failed to list. A failure for a single job is part of the report.
    """
    listing = read_commits(store, root)
    chosen, young = _choose(store, root, listing, older_than_us, job, dry_run)
    back: list[str] = []
    forward: list[str] = []
    failed: list[tuple[str, str]] = []
    for candidate in chosen:
        try:
            committed = _preview(store, root, candidate) if dry_run else _settle(store, root, candidate, settings)
        except (LogSourceError, OSError) as error:
            _log.warning("cannot recover job %s at %s: %s", candidate, root, error)
            failed.append((candidate, str(error)))
        else:
            (forward if committed else back).append(candidate)
    uploads = 0
    settled = {*back, *forward}
    if settled and not dry_run:
        try:
            uploads = abort_stray_uploads(store, root, settled.__contains__, (), settings)
        except (LogSourceError, OSError) as error:
            _log.warning(
                "cannot abort the uploads of lost task attempts at %s; `pyspark-logs vacuum` does: %s", root, error
            )
    return RecoverReport(tuple(back), tuple(forward), tuple(young), tuple(failed), uploads)


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


def _preview(store: Store, root: str, job: str) -> bool:
    record = read_record(store, root, job)
    return record is not None and record.committed


def _settle(store: Store, root: str, job: str, settings: CommitSettings) -> bool:
    """Decides an undecided job as aborted, then finishes or undoes the job; True if the job is committed."""
    record = read_record(store, root, job) or decide_aborted(store, root, job)
    if not record.committed:
        undo(store, root, job, settings)
        return False
    remove_replaced(store, root, record.replaces, settings)
    store.remove(root + intent_key(job))
    return True
