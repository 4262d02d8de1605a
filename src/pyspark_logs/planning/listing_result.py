"""The result of listing load paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pyspark_logs.planning.file_table import FileTable, Origin


class ListedFile(NamedTuple):
    """A selected file, as the rule of visibility takes it.

    Attributes:
        path: path of the file.
        etag: version of the file.
        origin: load path and directory below which the file was listed.
        row: row of the file in :attr:`ListingResult.files`.
    """

    path: str
    etag: str
    origin: Origin
    row: int


@dataclass
class ListingResult:
    """Files and counts of one listing, or of a part of it.

    Attributes:
        files: selected files.
        counts: counts by their names in a ``PlanReport``.
        prefixes: listed prefixes.
        load_paths: indexes of the load paths below which any file or directory was seen.
        unmatched_path: path of a file that does not fit the layout, the first in order; empty if all fit.
        skipped_link: path of a symbolic link that was not followed, the first in order; empty if there is none.
        nested_roots: listed directories, load paths included, that have a ``_commits/``.
    """

    files: FileTable = field(default_factory=FileTable)
    counts: Counter[str] = field(default_factory=Counter)
    prefixes: list[str] = field(default_factory=list)
    load_paths: set[int] = field(default_factory=set)
    unmatched_path: str = ""
    skipped_link: str = ""
    nested_roots: set[str] = field(default_factory=set)

    def merge(self, other: ListingResult) -> None:
        """Adds the result of another part of the listing."""
        self.files.extend(other.files)
        self.counts += other.counts
        self.prefixes += other.prefixes
        self.load_paths |= other.load_paths
        self.nested_roots |= other.nested_roots
        self.unmatched_path = min(filter(None, (self.unmatched_path, other.unmatched_path)), default="")
        self.skipped_link = min(filter(None, (self.skipped_link, other.skipped_link)), default="")

    def add_skipped_links(self, paths: Sequence[str]) -> None:
        """Counts symbolic links that were not followed."""
        if paths:
            self.counts["skipped_links"] += len(paths)
            self.skipped_link = min(filter(None, (self.skipped_link, *paths)))

    def listed(self) -> Iterator[ListedFile]:
        """Yields the selected files in the order of their rows."""
        columns = zip(self.files.paths, self.files.etags, self.files.origins, range(len(self.files)), strict=True)
        return map(ListedFile._make, columns)
