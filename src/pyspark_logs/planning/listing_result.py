"""The result of listing load paths."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from pyspark_logs.layout import LayoutMatch
from pyspark_logs.store import StoredFile


class ListedFile(NamedTuple):
    """A selected file and the load path below which it was listed.

    Attributes:
        file: file in the store.
        match: time and partition values that the layout reads from its key.
        load_path: index of the load path.
        directory: directory that was listed: the load path, or a match of its glob.
    """

    file: StoredFile
    match: LayoutMatch
    load_path: int
    directory: str


@dataclass
class ListingResult:
    """Files and counts of one listing, or of a part of it.

    Attributes:
        files: selected files.
        counts: counts by their names in a ``PlanReport``.
        prefixes: listed prefixes.
        load_paths: indexes of the load paths below which any file or directory was seen.
        unmatched_path: path of a file that does not fit the layout, the first in order; empty if all fit.
        nested_roots: directories below a load path that have a ``_commits/`` themselves.
    """

    files: list[ListedFile] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    prefixes: list[str] = field(default_factory=list)
    load_paths: set[int] = field(default_factory=set)
    unmatched_path: str = ""
    nested_roots: set[str] = field(default_factory=set)

    def merge(self, other: ListingResult) -> None:
        """Adds the result of another part of the listing."""
        self.files += other.files
        self.counts += other.counts
        self.prefixes += other.prefixes
        self.load_paths |= other.load_paths
        self.nested_roots |= other.nested_roots
        self.unmatched_path = min(filter(None, (self.unmatched_path, other.unmatched_path)), default="")
