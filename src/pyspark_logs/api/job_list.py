"""The public function ``list_jobs``: the write jobs of a directory, with their states."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from pyspark_logs.api.maintenance import check_root, open_root
from pyspark_logs.commit.decisions import read_intent
from pyspark_logs.errors import LogSourceError
from pyspark_logs.jobs import read_commits, read_record
from pyspark_logs.jobs.names import created_us_of, mode_of
from pyspark_logs.options.numbers import parse_positive_count
from pyspark_logs.store.parallel import in_parallel


@dataclass(frozen=True)
class JobStatus:
    """One write job that still has documents.

    Attributes:
        job: id of the job.
        mode: ``append`` or ``overwrite``.
        created_us: creation time by the driver's clock, microseconds since the epoch.
        age_s: seconds since then, by the clock of this machine.
        state: ``committed``; ``aborted``; ``cleaning up``, if the job is decided and its intent remains; ``undecided``, if
            it runs or died; or ``damaged``, if a document cannot be read.
        files: number of its files; None if its intent is gone.
        error: description of the damage; empty without damage.
    """

    job: str
    mode: str
    created_us: int
    age_s: float
    state: str
    files: int | None
    error: str = ""


def list_jobs(root: str | os.PathLike[str], *, limit: int = 100, **options: Any) -> list[JobStatus]:
    """Returns the write jobs of a directory, the newest first. Old jobs leave no documents; see ``recordRetention``.

    Logs a warning if the directory is empty, or has no ``_commits/`` because jobs write to another one.

    Args:
        root: directory that jobs write to.
        limit: maximum number of jobs; the documents of each are read.
        **options: options of the store (``endpoint``, ``accessKey``...), and ``commitThreads``.

    Raises:
        OptionError: a bad option.
        PathNotFoundError: a local directory or a bucket does not exist.
        StoreError: the store refused or failed.
    """
    most = parse_positive_count("limit", limit)
    store, directory, settings = open_root(root, options)
    listing = read_commits(store, directory)
    newest = sorted({*listing.records, *listing.intents}, reverse=True)[:most]
    if not newest:
        check_root(store, directory)
    now_us = time.time_ns() // 1000

    def status(job: str) -> JobStatus | None:
        files, error = None, ""
        try:
            intent = read_intent(store, directory, job) if job in listing.intents else None
            # An intent that went away since the listing is that of a job that was decided since.
            record = read_record(store, directory, job) if intent is None or job in listing.records else None
            if record is None and intent is None:
                return None
            files = None if intent is None else len(intent.files)
            state = "undecided" if record is None else record.state if intent is None else "cleaning up"
        except LogSourceError as damage:
            state, error = "damaged", str(damage)
        created_us = created_us_of(job)
        return JobStatus(job, mode_of(job), created_us, (now_us - created_us) / 1e6, state, files, error)

    found = in_parallel(status, newest, settings.threads)
    return [one for one in found if one is not None]
