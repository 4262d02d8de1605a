"""The public functions ``recover`` and ``vacuum``, which decide dead jobs and delete their leftovers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pyspark_logs import commit
from pyspark_logs.commit import CommitSettings, RecoverReport, VacuumReport
from pyspark_logs.errors import OptionError, PathNotFoundError
from pyspark_logs.jobs import find_commit_root, holds_commits, read_commits
from pyspark_logs.options import FORMATS, WriteOptions, parse_duration_us, parse_write_options
from pyspark_logs.store import Store, normalise, open_store, split_scheme
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)


def recover(
    root: str | os.PathLike[str],
    older_than: Any = "1d",
    *,
    job: str | None = None,
    dry_run: bool = False,
    **options: Any,
) -> RecoverReport:
    """Decides jobs that died: rolls back the jobs without a decision, and finishes the jobs with one.

    Logs a warning if the directory is empty, or has no ``_commits/`` because jobs write to another one.

    Args:
        root: directory that jobs write to.
        older_than: minimum age (``"1d"``, ``"0s"``, a timedelta); younger jobs may still be running and are skipped.
        job: id of the only job to decide, whatever its age.
        dry_run: True to report the changes without making them.
        **options: options of the store (``endpoint``, ``accessKey``...), and ``commitThreads``.

    Returns:
        The ids of the jobs by outcome, and the paths of the removed files. Jobs with damaged documents are
        listed as failed, and stop no other job.

    Raises:
        OptionError: a bad option, or an unknown job.
        PathNotFoundError: a local directory or a bucket does not exist.
        StoreError: the store refused or failed; run the function again.
    """
    store, directory, settings = open_root(root, options)
    age_us = parse_duration_us("older_than", older_than)
    check_root(store, directory)
    if job is not None and not read_commits(store, directory).knows(job):
        raise OptionError(
            f"there is no job {job} at {directory}: check the id and the directory; a job that was rolled back leaves at most its record"
        )
    return commit.recover(store, directory, older_than_us=age_us, job=job, dry_run=dry_run, settings=settings)


def vacuum(
    root: str | os.PathLike[str], older_than: Any = "1d", *, dry_run: bool = False, **options: Any
) -> VacuumReport:
    """Removes staged leftovers of dead jobs, and records and claims that are no longer needed. Visible files stay.

    Args:
        root: directory that jobs write to.
        older_than: minimum age of leftovers. It must be longer than any job runs, since younger leftovers may belong to
            a running job.
        dry_run: True to report the removals without making them.
        **options: options of :func:`recover`, ``recordRetention`` and ``txnRetention``.

    Returns:
        The removed uploads, records and claims, and the claims that cannot be read.

    Raises:
        OptionError: a bad option.
        PathNotFoundError: a local directory or a bucket does not exist.
        StoreError: the store refused or failed; run the function again.
    """
    store, directory, settings = open_root(root, options)
    age_us = parse_duration_us("older_than", older_than)
    check_root(store, directory)
    return commit.vacuum(store, directory, older_than_us=age_us, dry_run=dry_run, settings=settings)


def check_root(store: Store, directory: str) -> None:
    """Checks that a directory exists, and logs a warning if it has no jobs, since the first job may not have started.

    Object stores have no empty directories: a path without objects may be misspelt, or hold uploads of jobs that died before
    their first file, which are to be removed.

    Raises:
        PathNotFoundError: a local directory does not exist.
    """
    page = store.list_page(directory, recursive=False)
    if page.files or page.directories or page.next_token:
        if not holds_commits(store, directory):
            above = find_commit_root(store, directory)
            _log.warning(
                "no job is known at %s, which has no _commits/. %s", directory,
                f"Jobs of {above} may have written its files: run this command there" if above
                else "Check the path: it must be the directory that was written to, not one above it",
            )  # fmt: skip
        return
    is_local = split_scheme(directory)[0] == ""
    if is_local and not store.has_directory(directory):
        if Path(directory.rstrip("/")).is_file():
            raise PathNotFoundError(f"{directory.rstrip('/')} is a file; give the directory that jobs write to")
        raise PathNotFoundError(
            f"there is nothing at {directory}: no file and no job. Check the path; a directory that no job has written to needs"
            " no maintenance"
        )
    _log.warning("there is nothing at %s: no file and no job. Check the path if files were written", directory)


def open_root(root: str | os.PathLike[str], options: dict[str, Any]) -> tuple[Store, str, CommitSettings]:
    """Returns the store of a directory that jobs write to, the directory with a final ``/``, and the settings of commits."""
    # The format is irrelevant here, but the parser demands one. Callers may pass all options of the writer, too.
    formats = {name.lower() for name in FORMATS}
    given = {name: value for name, value in options.items() if value is not None}
    has_format = any(name.lower() in formats for name in given)
    parsed: WriteOptions = parse_write_options({**({} if has_format else {"json": "true"}), **given, "path": root})
    path = normalise(parsed.path)
    rules = parsed.rules
    settings = CommitSettings(
        threads=rules.commit_threads,
        record_retention_us=rules.record_retention_us,
        txn_retention_us=rules.txn_retention_us,
        snapshot_retries=rules.snapshot_retries,
    ).with_minimum()
    return open_store(path, parsed.store), path if path.endswith("/") else path + "/", settings
