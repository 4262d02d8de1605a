"""Where a load path is below the root that was written to: the looks must be taken there."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark_logs.jobs.names import COMMITS, job_of
from pyspark_logs.store import Store, split_bucket, split_scheme


def holds_job_files(paths: Iterable[str]) -> bool:
    """Whether any of these files was written by a job of ours."""
    return any(job_of(path) is not None for path in paths)


def find_commit_root(store: Store, path: str) -> str | None:
    """The nearest directory above ``path`` that holds a ``_commits/``, ending in ``/``; ``None``: there is none.

    For a load path without ``_commits/`` whose files carry a job: a sub-directory of a root was given. One LIST for
    each directory above it.
    """
    for parent in parents(path):
        if store.page(parent + COMMITS, recursive=True).files:
            return parent
    return None


def parents(path: str) -> list[str]:
    """The directories above a path within its bucket, the nearest first; each ends in ``/``.

    Example:
        >>> parents("s3://b/app/2026/11/")
        ['s3://b/app/2026/', 's3://b/app/', 's3://b/']
    """
    scheme, rest = split_scheme(path)
    if scheme in ("", "memory"):
        top, key = path[: len(path) - len(rest.lstrip("/"))], rest.lstrip("/")
    else:
        top, _, key = split_bucket(path)
    names = key.rstrip("/").split("/") if key else []
    return [top + "".join(name + "/" for name in names[:count]) for count in range(len(names) - 1, -1, -1)]
