"""Recovery: deciding the jobs that their drivers left undecided, and finishing those that were decided."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyspark_logs.commit.decisions import abort_strays, decide_aborted, remove_replaced, undo
from pyspark_logs.commit.retention import StoreClock
from pyspark_logs.commit.settings import DAY_US, CommitSettings
from pyspark_logs.errors import LogSourceError
from pyspark_logs.jobs import CommitListing, intent_key, read_commits, read_record
from pyspark_logs.store import Store

_DEFAULTS = CommitSettings()

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecoverReport:
    """What a recovery did, or would do. Job ids, in order of their time.

    Attributes:
        rolled_back: jobs without a decision, or aborted ones that were not undone yet.
        rolled_forward: committed jobs that were not cleaned up.
        young: jobs that are not as old as was asked for, and may be running.
        failed: jobs that could not be dealt with, and why.
        uploads: open uploads of those jobs, of task attempts that lost, that were aborted.
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
    """Roll back the jobs of a root that nobody decided, roll forward those that are committed.

    Args:
        store: of the root.
        root: a directory, ending in ``/``.
        older_than_us: leave jobs alone whose intent is younger than this, by the store's clock: they may be running.
        job: only this job, whatever its age.
        dry_run: only say what would be done; nothing is written, and ages are by this machine's clock.
        settings: threads.

    Raises:
        StoreError: the store refused or failed to list. What fails for one job is in the report.
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
            uploads = abort_strays(store, root, settled.__contains__, (), settings)
        except (LogSourceError, OSError) as error:
            _log.warning("cannot abort the uploads of lost attempts at %s, which is left to vacuum: %s", root, error)
    return RecoverReport(tuple(back), tuple(forward), tuple(young), tuple(failed), uploads)


def _choose(
    store: Store, root: str, listing: CommitListing, older_than_us: int, job: str | None, dry_run: bool
) -> tuple[list[str], list[str]]:
    """Jobs to decide, and jobs that are too young."""
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
    """Decide a job if nobody has, then finish or undo it; whether it is committed."""
    record = read_record(store, root, job) or decide_aborted(store, root, job)
    if not record.committed:
        undo(store, root, job, settings)
        return False
    remove_replaced(store, root, record.replaces, settings)
    store.remove(root + intent_key(job))
    return True
