"""The roots whose commits decide on the files below load paths.

A load path need not be the root that was written to. If it is a directory below that root, the names of its files carry
job ids although it has no ``_commits/``; the root is then the nearest ancestor with one. If the load path is above roots,
the listing shows their ``_commits/``, except where the prefixes below a root are constructed from the layout. In this case, a file
of a job that no known root knows makes the reader search the directories above the file. Whenever a listing shows further roots,
the snapshot starts over with them.

A root can be inside another root, and jobs of both can write to the same directory. All known roots above a file decide on it:
only the root of its job knows the job, and the others show the files of jobs that they do not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pyspark_logs.errors import AccessDeniedError
from pyspark_logs.jobs import (
    CommitsAfter,
    CommitsBefore,
    find_commit_root,
    find_roots_below,
    holds_commits,
    holds_job_files,
    job_of,
)
from pyspark_logs.jobs.roots import parent_directories
from pyspark_logs.planning.listing_result import ListedFile, ListingResult
from pyspark_logs.planning.load_paths import LoadPath
from pyspark_logs.store import Store
from pyspark_logs.store.parallel import in_parallel


class LoadPathRoots:
    """The roots of load paths, extended by those that listings reveal: a ``CommitRoots`` of :mod:`pyspark_logs.jobs`.

    Args:
        store: store of the load paths.
        load_paths: directories and files that are listed.
        threads: number of load paths whose ancestors are searched at the same time.
    """

    def __init__(self, store: Store, load_paths: Iterable[LoadPath], threads: int = 1) -> None:
        self._store = store
        self._threads = threads
        # Directory of a load path -> its root: the directory itself until a listing reveals another one. The files of
        # others that are load paths have no root: they are visible whatever the commits around them say.
        self._root_of = {
            path.directory: path.directory for path in load_paths if path.file is None or job_of(path.path)
        }
        self._nested: set[str] = set()

    @property
    def paths(self) -> set[str]:
        """Roots known so far."""
        return {*self._root_of.values(), *self._nested}

    @property
    def label(self) -> str:
        """The listed directories."""
        return ", ".join(sorted(self._root_of)) or "the load paths"

    def group(self, listing: ListingResult) -> dict[tuple[str, ...], list[ListedFile]]:
        """Returns the listed files by the known roots above them, the innermost first."""
        innermost_first = sorted(self.paths, key=len, reverse=True)
        if len(innermost_first) == 1:  # nearly always, and the load paths decide alone
            shared = {self._roots_above(directory, "", innermost_first) for _, directory in set(listing.files.origins)}
            if len(shared) == 1:
                return {shared.pop(): list(listing.listed())}
        # Roots by load path and directory of a file.
        roots_of: dict[tuple[str, str], tuple[str, ...]] = {}
        groups: dict[tuple[str, ...], list[ListedFile]] = {}
        for listed in listing.listed():
            key = (listed.origin[1], listed.path.rpartition("/")[0] + "/")
            roots = roots_of.get(key)
            if roots is None:
                roots = roots_of[key] = self._roots_above(*key, innermost_first)
            groups.setdefault(roots, []).append(listed)
        return groups

    def _roots_above(self, load_directory: str, directory: str, roots: Sequence[str]) -> tuple[str, ...]:
        """Returns those of ``roots`` that decide on the files of a directory below a load path."""
        own = self._root_of.get(load_directory)
        if own is None:
            # A load path that names a file of others: only a root that another load path revealed may replace it.
            return tuple(root for root in roots if root in self._nested and directory.startswith(root))
        return tuple(root for root in roots if root == own or directory.startswith(root))

    def extend(
        self,
        listing: ListingResult,
        files: Mapping[tuple[str, ...], Sequence[ListedFile]],
        before: Mapping[str, CommitsBefore],
        after: Mapping[str, CommitsAfter],
    ) -> bool:
        """Adds the roots that a listing revealed, nested ones first; True if there were any."""
        # A load path that had no `_commits/`, and whose root is above, can have become a root since.
        if not listing.nested_roots <= self.paths:
            self._nested |= listing.nested_roots
            return True
        if self._search_between(listing, files, before, after):
            return True
        without_commits = [
            directory
            for directory in self._root_of.values()
            if before[directory].listing.is_empty and after[directory].listing.is_empty
        ]
        if not without_commits:
            return False
        by_innermost: dict[str, list[ListedFile]] = {}
        for roots, group in files.items():
            if roots:
                by_innermost.setdefault(roots[0], []).extend(group)
        unexplained = [
            directory
            for directory in dict.fromkeys(without_commits)
            if holds_job_files(listed.path for listed in by_innermost.get(directory, ()))
        ]
        if not unexplained:
            return False
        # A root below a load path is nearer to the files than a root above.
        below = [self._search_below(directory, by_innermost[directory]) for directory in unexplained]
        return any(below) or self._search_above(unexplained)

    def _search_between(
        self,
        listing: ListingResult,
        files: Mapping[tuple[str, ...], Sequence[ListedFile]],
        before: Mapping[str, CommitsBefore],
        after: Mapping[str, CommitsAfter],
    ) -> bool:
        """Searches for roots between a root with commits and the listed prefixes; True if there were any.

        A constructed prefix does not show the ``_commits/`` of the directories above it. Costs one LIST for each of these
        directories, and only if there are files of jobs whose record is not at a known root: it may have expired.
        """
        prefixes = set(listing.prefixes)
        lengths = sorted({len(prefix) for prefix in prefixes}, reverse=True)
        candidates: set[str] = set()
        for roots, group in files.items():
            known = [commits.listing for root in roots for commits in (before[root], after[root])]
            if all(commits.is_empty for commits in known):
                continue
            unknown = {
                listed.path.rpartition("/")[0] + "/": listed.path
                for listed in group
                if (job := job_of(listed.path)) is not None and not any(commits.knows(job) for commits in known)
            }
            for path in unknown.values():
                listed_prefix = next((path[:length] for length in lengths if path[:length] in prefixes), roots[0])
                candidates.update(
                    directory for directory in parent_directories(listed_prefix) if len(directory) > len(roots[0])
                )
        ordered = sorted(candidates - self.paths)
        found = in_parallel(self._holds_commits, ordered, self._threads)
        self._nested.update(directory for directory, holds in zip(ordered, found, strict=True) if holds)
        return any(found)

    def _holds_commits(self, directory: str) -> bool:
        """True if a directory has a ``_commits/``; False if it may not be listed: permissions may be limited to deeper prefixes."""
        try:
            return holds_commits(self._store, directory)
        except AccessDeniedError:
            return False

    def _search_below(self, top: str, files: Iterable[ListedFile]) -> bool:
        """Searches for roots between a directory without commits and the files of jobs in it; True if there were any."""
        directories = {listed.path.rpartition("/")[0] + "/" for listed in files if job_of(listed.path) is not None}
        found = find_roots_below(self._store, top, directories, self._threads)
        self._nested |= found
        return bool(found)

    def _search_above(self, directories: Sequence[str]) -> bool:
        """Searches for roots above directories that hold files of jobs and no commits; True if there were any.

        A directory above which nothing was found is searched again in the next attempt, because a job may have written its
        intent since. Each success moves a root upwards, so there are few attempts that do not count.
        """
        found = in_parallel(lambda path: find_commit_root(self._store, path), directories, self._threads)
        roots = {path: root for path, root in zip(directories, found, strict=True) if root is not None}
        self._root_of = {path: roots.get(root, root) for path, root in self._root_of.items()}
        return bool(roots)
