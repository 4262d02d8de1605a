"""Listing so that each write job is seen whole or not at all: a look at ``_commits/`` before the listing, one after.

Each load path is looked at by itself. One below the directory that was written to has no ``_commits/`` of its own;
then its files, which carry a job in their names, say that an ancestor has to be looked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from pyspark_logs.errors import SnapshotChangedError
from pyspark_logs.jobs import (
    CommitsAfter,
    CommitsBefore,
    find_commit_root,
    holds_job_files,
    job_of,
    read_commits_after,
    read_commits_before,
    visible_files,
)
from pyspark_logs.options import PlanOptions
from pyspark_logs.planning.listing import Found, FoundFile, work_through
from pyspark_logs.planning.roots import Root
from pyspark_logs.store import Store

HIDDEN_BY_COMMITS = "skipped_uncommitted"


def visible_found(
    store: Store,
    options: PlanOptions,
    roots: Sequence[Root],
    list_files: Callable[[], Found],
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """What a listing finds, without the files of jobs that are not committed and those that an overwrite replaced.

    Args:
        store: where the roots are.
        options: ``snapshot_retries``, ``record_retention_us``.
        roots: the directories and files that are listed.
        list_files: lists them, anew with each call.
        clock: seconds.

    Raises:
        SnapshotChangedError: each time, something was overwritten meanwhile or the listing took too long.
        StoreError: the store refused or failed.
    """
    # Where the commits about a load path are: in it, as long as nothing says otherwise.
    places = {_directory(root): _directory(root) for root in roots if root.file is None or job_of(root.path)}
    climbed: set[str] = set()
    nested: set[str] = set()
    longest_s, slowest_s = options.record_retention_us / 2e6, 0.0
    attempts = options.snapshot_retries + 1
    while attempts > 0:
        attempts -= 1
        started, calls = clock(), store.calls["LIST"]
        firsts = _first_looks(store, {*places.values(), *nested})
        calls = store.calls["LIST"] - calls
        if firsts is None:
            continue
        found = list_files()
        before = store.calls["LIST"]
        seconds = _second_looks(store, firsts)
        took_s = clock() - started
        if took_s > longest_s:
            slowest_s = took_s
            continue
        if not found.nested <= nested:
            nested |= found.nested
            attempts += 1  # nothing was disturbed: we had not known where to look
            continue
        below = _by_directory(found.files, places, nested)
        lost = [
            directory
            for directory, files in below.items()
            if directory in places
            and directory not in climbed
            and _says_nothing(places[directory], firsts, seconds)
            and _written_by_jobs(files)
        ]
        if lost:
            climbed.update(lost)
            higher = dict(work_through(lambda path: ((path, find_commit_root(store, path)), ()), lost))
            moved = {path: root for path, root in higher.items() if root is not None}
            if moved:
                places |= moved
                attempts += 1
                continue
        found.counts["list_calls"] += calls + store.calls["LIST"] - before
        if _keep_visible(found, below, places, firsts, seconds):
            for first in firsts.values():
                found.decided_ms |= first.listing.records
            return found
    paths = ", ".join(sorted(places)) or "the load paths"
    if slowest_s:
        raise SnapshotChangedError(
            f"cannot list {paths}: it took {slowest_s:.0f} s, and after {longest_s:.0f} s (half of recordRetention) what was"
            " decided meanwhile could be missed. Raise recordRetention where this is written and read, or read a smaller range."
        )
    raise SnapshotChangedError(
        f"cannot list {paths}: it was overwritten during each of {options.snapshot_retries + 1} listings. Run it again when"
        " fewer overwrites run, raise snapshotRetries, or read a smaller range."
    )


def _directory(root: Root) -> str:
    return root.path if root.file is None else root.path.rpartition("/")[0] + "/"


def _first_looks(store: Store, places: Iterable[str]) -> dict[str, CommitsBefore] | None:
    """The looks before the listing; None: a record went away while it was read."""
    looks = work_through(lambda place: ((place, read_commits_before(store, place)), ()), places)
    found = {place: look for place, look in looks if look is not None}
    return found if len(found) == len(looks) else None


def _second_looks(store: Store, firsts: Mapping[str, CommitsBefore]) -> dict[str, CommitsAfter]:
    return dict(
        work_through(lambda item: ((item[0], read_commits_after(store, item[0], item[1])), ()), list(firsts.items()))
    )


def _by_directory(
    files: Iterable[FoundFile], places: Mapping[str, str], nested: Iterable[str]
) -> dict[str, list[FoundFile]]:
    """The files below each directory that is looked at by itself, the innermost one; those of no job that were named one
    by one are in none.
    """
    inner = sorted(nested, key=len, reverse=True)
    below: dict[str, list[FoundFile]] = {}
    for item in files:
        directory = next((root for root in inner if item[0].path.startswith(root)), None)
        if directory is None:
            directory = item[2][1] if item[2][1].endswith("/") else item[2][1] + "/"
            if directory not in places:
                continue
        below.setdefault(directory, []).append(item)
    return below


def _says_nothing(place: str, firsts: Mapping[str, CommitsBefore], seconds: Mapping[str, CommitsAfter]) -> bool:
    looks = (firsts[place].listing, seconds[place].listing)
    return not any(look.records or look.intents for look in looks)


def _written_by_jobs(files: Iterable[FoundFile]) -> bool:
    return holds_job_files(file.path for file, _, _ in files)


def _keep_visible(
    found: Found,
    below: Mapping[str, list[FoundFile]],
    places: Mapping[str, str],
    firsts: Mapping[str, CommitsBefore],
    seconds: Mapping[str, CommitsAfter],
) -> bool:
    """Drop from ``found`` what is not visible; False: start again."""
    dropped: set[int] = set()
    for directory, files in below.items():
        place = places.get(directory, directory)
        visible = visible_files(firsts[place], files, seconds[place], place, lambda item: item[0])
        if visible is None:
            return False
        kept = {id(item) for item in visible}
        dropped |= {id(item) for item in files if id(item) not in kept}
    if any(look.overwritten for look in seconds.values()):
        return False
    if dropped:
        found.files = [item for item in found.files if id(item) not in dropped]
        found.counts[HIDDEN_BY_COMMITS] += len(dropped)
    return True
