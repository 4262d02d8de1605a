"""The roots of files whose load path has no ``_commits/``: the root is an ancestor of the load path, or below it."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark_logs.errors import AccessDeniedError
from pyspark_logs.jobs.names import COMMITS, job_of
from pyspark_logs.store import Store, split_bucket, split_scheme
from pyspark_logs.store.parallel import in_parallel


def holds_job_files(paths: Iterable[str]) -> bool:
    """True if a job wrote any of the files, by their names."""
    return any(job_of(path) is not None for path in paths)


def holds_commits(store: Store, directory: str) -> bool:
    """True if a directory, which ends in ``/``, has a file below ``_commits/``.

    Costs one LIST; two on stores that do not list in key order, if the first finds nothing. A listing in another order can
    miss a job that is decided while it runs: it may pass the record before this is created, and the intent after this is
    deleted. The second listing sees the record.
    """
    passes = 1 if store.lists_in_order else 2
    return any(store.list_page(directory + COMMITS, recursive=True).files for _ in range(passes))


def find_commit_root(store: Store, path: str) -> str | None:
    """Returns the nearest directory above a path that has a ``_commits/``; ``None`` if there is none.

    Costs one LIST for each directory above the path, up to the one that is returned. The search ends at a directory that
    may not be listed, as at the bucket: rights often end at a prefix.
    """
    try:
        return next((directory for directory in parent_directories(path) if holds_commits(store, directory)), None)
    except AccessDeniedError:
        return None


def find_roots_below(store: Store, top: str, directories: Iterable[str], threads: int = 1) -> set[str]:
    """Returns the directories below ``top`` that have a ``_commits/`` and explain the files of some directories.

    A directory is explained by the nearest directory, itself included, that has a ``_commits/``. One directory below each
    child of ``top`` is searched first, from the bottom up: its root usually explains all its neighbours. Each candidate
    costs one LIST, once a call.

    Args:
        store: store of the directories.
        top: directory that is not searched itself; ends in ``/``.
        directories: directories below ``top`` that hold files of jobs; each ends in ``/``.
        threads: number of concurrent requests.
    """
    remaining = sorted(directory for directory in set(directories) if directory != top)
    first = {directory[len(top) :].partition("/")[0]: directory for directory in reversed(remaining)}
    checked: set[str] = set()

    def search(directory: str) -> tuple[str | None, list[str]]:
        tried = []
        for candidate in _candidates(top, directory):
            tried.append(candidate)
            if holds_commits(store, candidate):
                return candidate, tried
        return None, tried

    roots: set[str] = set()
    for root, tried in in_parallel(search, sorted(first.values()), threads):
        checked.update(tried)
        if root is not None:
            roots.add(root)
    remaining = [directory for directory in remaining if not directory.startswith(tuple(roots))]
    candidates = sorted({c for directory in remaining for c in _candidates(top, directory)} - checked)
    found = in_parallel(lambda candidate: holds_commits(store, candidate), candidates, threads)
    return roots.union(candidate for candidate, holds in zip(candidates, found, strict=True) if holds)


def _candidates(top: str, directory: str) -> list[str]:
    """Returns a directory and the directories between it and ``top``, the nearest first."""
    return [parent for parent in (directory, *parent_directories(directory)) if len(parent) > len(top)]


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
