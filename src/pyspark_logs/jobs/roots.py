"""The root of a load path that is a directory below the root: its commits are in the ``_commits/`` of an ancestor."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark_logs.jobs.names import COMMITS, job_of
from pyspark_logs.store import Store, split_bucket, split_scheme


def holds_job_files(paths: Iterable[str]) -> bool:
    """True if a job wrote any of the files, by their names."""
    return any(job_of(path) is not None for path in paths)


def holds_commits(store: Store, directory: str) -> bool:
    """True if a directory, which ends in ``/``, has a file below ``_commits/``. Costs one LIST."""
    return bool(store.list_page(directory + COMMITS, recursive=True).files)


def find_commit_root(store: Store, path: str) -> str | None:
    """Returns the nearest directory above a path that has a ``_commits/``; ``None`` if there is none.

    Costs one LIST for each directory above the path, up to the one that is returned.
    """
    return next((directory for directory in parent_directories(path) if holds_commits(store, directory)), None)


def parent_directories(path: str) -> list[str]:
    """Returns the directories above a path within its bucket, the nearest first; each ends in ``/``.

    Example:
        >>> parent_directories("s3://b/app/2026/11/")
        ['s3://b/app/2026/', 's3://b/app/', 's3://b/']
    """
    scheme, rest = split_scheme(path)
    if scheme in ("", "memory"):
        top, key = path[: len(path) - len(rest.lstrip("/"))], rest.lstrip("/")
    else:
        top, _, key = split_bucket(path)
    names = key.rstrip("/").split("/") if key else []
    return [top + "".join(name + "/" for name in names[:count]) for count in range(len(names) - 1, -1, -1)]
