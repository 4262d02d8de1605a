"""The doors for upkeep: finishing what died half-way, and clearing away what nobody needs."""

from __future__ import annotations

import logging
import os
from typing import Any

from pyspark_logs import commit
from pyspark_logs.commit import CommitSettings, RecoverReport, VacuumReport
from pyspark_logs.errors import OptionError
from pyspark_logs.jobs import read_commits
from pyspark_logs.options import WriteOptions, parse_duration_us, parse_write_options
from pyspark_logs.store import Store, normalise, open_store

_log = logging.getLogger(__name__)


def recover(
    root: str | os.PathLike[str],
    older_than: Any = "1d",
    *,
    job: str | None = None,
    dry_run: bool = False,
    **options: Any,
) -> RecoverReport:
    """Decide the jobs that died before they were done: what has no decision is rolled back, the rest is finished.

    Where there is nothing at all, not even a file, a warning says so in the log.

    Args:
        root: the directory that was written to.
        older_than: a duration (``"1d"``, ``"0s"``, a timedelta); younger jobs may still be running and are left alone.
        job: this job only, at once, whatever its age.
        dry_run: say what would be done.
        **options: how to reach the store (``endpoint``, ``accessKey``...), and ``commitThreads``.

    Raises:
        OptionError: a bad option, or there is no such job.
        PathNotFoundError: there is no such bucket.
        StoreError: the store refused or failed; run it again.
    """
    store, directory, settings = _place(root, options)
    age_us = parse_duration_us("older_than", older_than)
    _warn_of_nothing(store, directory)
    if job is not None and not read_commits(store, directory).knows(job):
        raise OptionError(
            f"there is no job {job} at {directory}: check both; a job that was undone leaves at most its record"
        )
    return commit.recover(store, directory, older_than_us=age_us, job=job, dry_run=dry_run, settings=settings)


def vacuum(
    root: str | os.PathLike[str], older_than: Any = "1d", *, dry_run: bool = False, **options: Any
) -> VacuumReport:
    """Remove staged leftovers of dead jobs, and records and claims that nobody needs any more. No visible file goes.

    Args:
        root: the directory that was written to.
        older_than: a duration; younger leftovers may belong to a job that is running. Longer than any job runs.
        dry_run: say what would be removed.
        **options: as for :func:`recover`, ``recordRetention`` and ``txnRetention``.

    Raises:
        OptionError: a bad option.
        StoreError: the store refused or failed; run it again.
    """
    store, directory, settings = _place(root, options)
    age_us = parse_duration_us("older_than", older_than)
    _warn_of_nothing(store, directory)
    return commit.vacuum(store, directory, older_than_us=age_us, dry_run=dry_run, settings=settings)


def _warn_of_nothing(store: Store, directory: str) -> None:
    """A timer may come before the first job, so it is no error; but most who see it misspelt the path."""
    page = store.page(directory, recursive=False)
    if not (page.files or page.directories or page.next_token):
        _log.warning("there is nothing at %s: no file and no job. Check the path, if somebody wrote there", directory)


def _place(root: str | os.PathLike[str], options: dict[str, Any]) -> tuple[Store, str, CommitSettings]:
    # The format does not matter here; whoever has the writer's options at hand may give them all.
    given = {"template", "preset", "json"} & {name.lower() for name in options}
    parsed: WriteOptions = parse_write_options({**({} if given else {"json": "true"}), **options, "path": root})
    path = normalise(parsed.path)
    rules = parsed.rules
    settings = CommitSettings(
        threads=rules.commit_threads,
        record_retention_us=rules.record_retention_us,
        txn_retention_us=rules.txn_retention_us,
        snapshot_retries=rules.snapshot_retries,
    )
    return open_store(path, parsed.store), path if path.endswith("/") else path + "/", settings
