"""Listed files as columns: a query may list millions of files, and an object for each attribute would triple their size."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from pyspark_logs.layout import LayoutMatch
from pyspark_logs.store import StoredFile

PlannedFile = tuple[StoredFile, LayoutMatch]

# Index of the load path below which a file was listed, and the listed directory: the load path, or a match of its glob.
Origin = tuple[int, str]


class FileTable(Sequence[PlannedFile]):
    """A sequence of files with their layout matches; each access creates the objects of one file.

    A file costs 48 bytes in the columns, and the strings of its path and etag. Files of one directory share the match.

    Attributes:
        paths: path of each file.
        etags: etag of each file.
        sizes: size of each file in bytes.
        modified_ms: modification time of each file in milliseconds since the epoch.
        matches: time and partition values that the layout reads from each key.
        origins: load path and directory of each file.
    """

    __slots__ = ("etags", "matches", "modified_ms", "origins", "paths", "sizes")

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.etags: list[str] = []
        self.sizes = array("q")
        self.modified_ms = array("q")
        self.matches: list[LayoutMatch] = []
        self.origins: list[Origin] = []

    def add(self, files: Sequence[StoredFile], matches: Sequence[LayoutMatch], origin: Origin) -> None:
        """Adds files of one origin."""
        self.paths += [file.path for file in files]
        self.etags += [file.etag for file in files]
        self.sizes.extend([file.size for file in files])
        self.modified_ms.extend([file.modified_ms for file in files])
        self.matches += matches
        self.origins += [origin] * len(files)

    def extend(self, other: FileTable) -> None:
        """Adds all files of another table."""
        self.paths += other.paths
        self.etags += other.etags
        self.sizes += other.sizes
        self.modified_ms += other.modified_ms
        self.matches += other.matches
        self.origins += other.origins

    def select(self, rows: Iterable[int]) -> FileTable:
        """Returns a table of some files, in the given order."""
        rows = list(rows)
        table = FileTable()
        table.paths = [self.paths[row] for row in rows]
        table.etags = [self.etags[row] for row in rows]
        table.sizes = array("q", [self.sizes[row] for row in rows])
        table.modified_ms = array("q", [self.modified_ms[row] for row in rows])
        table.matches = [self.matches[row] for row in rows]
        table.origins = [self.origins[row] for row in rows]
        return table

    def distinct(self, rows: Iterable[int]) -> FileTable:
        """Returns the files of some rows sorted by path, each path once; of several load paths the first decides."""
        ordered = list(rows)
        # Both sorts are stable. Most listings have one origin.
        if len(set(self.origins)) > 1:
            ordered.sort(key=self.origins.__getitem__)
        paths = self.paths
        ordered.sort(key=paths.__getitem__)
        return self.select(
            row for index, row in enumerate(ordered) if index == 0 or paths[row] != paths[ordered[index - 1]]
        )

    def file(self, row: int) -> StoredFile:
        """Returns the file of a row."""
        return StoredFile(self.paths[row], self.sizes[row], self.modified_ms[row], self.etags[row])

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> PlannedFile: ...

    @overload
    def __getitem__(self, index: slice) -> FileTable: ...

    def __getitem__(self, index: int | slice) -> PlannedFile | FileTable:
        if isinstance(index, slice):
            return self.select(range(*index.indices(len(self))))
        return self.file(index), self.matches[index]

    def __iter__(self) -> Iterator[PlannedFile]:
        columns = zip(self.paths, self.sizes, self.modified_ms, self.etags, strict=True)
        return zip((StoredFile(*values) for values in columns), self.matches, strict=True)
