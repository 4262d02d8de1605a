"""Cutting files into splits, and packing splits into tasks. No I/O."""

from __future__ import annotations

import pickle
import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import overload

from pyspark_logs.layout import LayoutMatch
from pyspark_logs.options import PlanOptions
from pyspark_logs.planning.file_table import PlannedFile

_NUMBERS = 4  # numbers of a split in Splits.numbers
_DEFAULT_TASK_BYTES = 128 << 20
_MIN_TASK_BYTES = 8 << 20  # including the costs of opening files; smaller tasks cost more than another processor saves


def task_bytes(options: PlanOptions, *, size: int, files: int, parallelism: int = 1) -> int:
    """Returns the size of the tasks of a load in bytes.

    As in Spark, a load that would be fewer tasks than can run at the same time is divided among these. Without an option,
    no task is made smaller than 8 MiB.

    Args:
        options: sizes of tasks.
        size: stored bytes of all files.
        files: number of files.
        parallelism: number of tasks that run at the same time.

    >>> task_bytes(PlanOptions(), size=100 << 20, files=1, parallelism=8) >> 10
    12928
    >>> task_bytes(PlanOptions(max_partition_bytes=64 << 20), size=100 << 20, files=1, parallelism=8) >> 20
    64
    """
    limit = options.max_partition_bytes or _DEFAULT_TASK_BYTES
    if options.min_partitions is not None:
        count, least = options.min_partitions, 1
    elif options.max_partition_bytes is None:
        count, least = parallelism, _MIN_TASK_BYTES
    else:
        return limit
    share = -(-(size + files * options.open_cost_bytes) // count)
    return min(limit, max(share, options.open_cost_bytes, least))


@dataclass(frozen=True, slots=True)
class FileSplit:
    """Bytes ``[start, start + length)`` of one version of a file, read by an executor.

    Attributes:
        path: path of the file.
        start: offset of the first byte in the stored file.
        length: number of bytes. The splits of a file cover each byte once.
        size: size of the whole file in bytes.
        modified_ms: modification time, milliseconds since the epoch.
        etag: etag of the planned version; ``""`` if the store has none.
        layout_start_us: start of the path's layout interval; None if the path has no time.
        layout_end_us: exclusive end of the path's layout interval.
        partition_values: one value per partition column of the layout.
    """

    path: str
    start: int
    length: int
    size: int
    modified_ms: int
    etag: str
    layout_start_us: int | None
    layout_end_us: int | None
    partition_values: tuple[str | None, ...]

    @property
    def is_whole(self) -> bool:
        """True if no other split has bytes of the file."""
        return self.length >= self.size


@dataclass(frozen=True, slots=True)
class Splits(Sequence[FileSplit]):
    """A sequence of splits as columns; each access creates one split.

    A split costs 56 bytes, and the strings of its path and etag: a plan of millions of files remains small on the driver. It
    is pickled in compressed form, because paths and times of a task's files resemble one another.

    Attributes:
        paths: path of each split.
        etags: etag of each split.
        matches: layout interval and partition values of each split.
        numbers: start, length, file size and modification time of each split, one split after another.
    """

    paths: tuple[str, ...]
    etags: tuple[str, ...]
    matches: tuple[LayoutMatch, ...]
    numbers: array[int]

    @property
    def starts(self) -> array[int]:
        """Offset of the first byte of each split."""
        return self.numbers[::_NUMBERS]

    @property
    def lengths(self) -> array[int]:
        """Number of bytes of each split."""
        return self.numbers[1::_NUMBERS]

    def select(self, rows: Sequence[int]) -> Splits:
        """Returns some splits, in the given order."""
        numbers = array("q")
        for row in rows:
            numbers += self.numbers[row * _NUMBERS : (row + 1) * _NUMBERS]
        return Splits(
            tuple([self.paths[row] for row in rows]),
            tuple([self.etags[row] for row in rows]),
            tuple([self.matches[row] for row in rows]),
            numbers,
        )

    def __reduce__(self) -> tuple[Callable[[bytes], Splits], tuple[bytes]]:
        columns = (self.paths, self.etags, self.matches, self.numbers)
        return _unpickle_splits, (zlib.compress(pickle.dumps(columns, protocol=pickle.HIGHEST_PROTOCOL), 1),)

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> FileSplit: ...

    @overload
    def __getitem__(self, index: slice) -> Splits: ...

    def __getitem__(self, index: int | slice) -> FileSplit | Splits:
        rows = range(len(self))[index]
        if isinstance(rows, range):
            return self.select(rows)
        start, length, size, modified_ms = self.numbers[rows * _NUMBERS : (rows + 1) * _NUMBERS]
        match = self.matches[rows]
        return FileSplit(
            path=self.paths[rows],
            start=start,
            length=length,
            size=size,
            modified_ms=modified_ms,
            etag=self.etags[rows],
            layout_start_us=match.start_us,
            layout_end_us=match.end_us,
            partition_values=match.values,
        )


def _unpickle_splits(compressed: bytes) -> Splits:
    return Splits(*pickle.loads(zlib.decompress(compressed)))  # noqa: S301 (part of a pickle that is being loaded)


@dataclass(frozen=True, slots=True)
class Task:
    """The splits that one Spark task reads."""

    splits: Splits

    @property
    def bytes(self) -> int:
        """Number of bytes to fetch."""
        return sum(self.splits.lengths)


def in_path_order(parts: Sequence[Splits]) -> Splits:
    """Returns the splits of several tasks, ordered by path and offset."""
    numbers = array("q")
    for part in parts:
        numbers += part.numbers
    together = Splits(
        tuple(path for part in parts for path in part.paths),
        tuple(etag for part in parts for etag in part.etags),
        tuple(match for part in parts for match in part.matches),
        numbers,
    )
    paths, starts = together.paths, together.starts
    return together.select(sorted(range(len(paths)), key=lambda row: (paths[row], starts[row])))


def split_files(files: Iterable[PlannedFile], *, max_bytes: int, splittable: Callable[[str], bool]) -> Splits:
    """Cuts files that are larger than ``max_bytes`` and for whose path ``splittable`` is true; keeps the others whole.

    Example:
        >>> from pyspark_logs.store import StoredFile
        >>> file = StoredFile("a.log", 250, 0, "")
        >>> splits = split_files([(file, LayoutMatch())], max_bytes=100, splittable=lambda path: True)
        >>> [(split.start, split.length) for split in splits]
        [(0, 100), (100, 100), (200, 50)]
    """
    paths: list[str] = []
    etags: list[str] = []
    matches: list[LayoutMatch] = []
    numbers = array("q")
    for file, match in files:
        step = max_bytes if file.size > max_bytes and splittable(file.path) else max(file.size, 1)
        for start in range(0, file.size, step):
            paths.append(file.path)
            etags.append(file.etag)
            matches.append(match)
            numbers.extend((start, min(step, file.size - start), file.size, file.modified_ms))
    return Splits(tuple(paths), tuple(etags), tuple(matches), numbers)


def pack(splits: Splits, *, max_bytes: int, open_cost_bytes: int) -> tuple[Task, ...]:
    """Packs splits into tasks of at most ``max_bytes``, as Spark does: the largest first, each into the current task.

    Each split counts ``open_cost_bytes`` more than its length, so that a task does not open thousands of tiny files. A
    split above ``max_bytes`` makes a task by itself. The order of ``splits`` does not matter.

    Example:
        >>> from pyspark_logs.store import StoredFile
        >>> files = [(StoredFile(name, 40, 0, ""), LayoutMatch()) for name in "abc"]
        >>> splits = split_files(files, max_bytes=100, splittable=lambda path: False)
        >>> [task.bytes for task in pack(splits, max_bytes=100, open_cost_bytes=4)]
        [80, 40]
    """
    tasks: list[Task] = []
    current: list[int] = []
    weight = 0
    paths, starts, lengths = splits.paths, splits.starts, splits.lengths
    for row in sorted(range(len(splits)), key=lambda row: (-lengths[row], paths[row], starts[row])):
        if current and weight + lengths[row] > max_bytes:
            tasks.append(Task(splits.select(current)))
            current, weight = [], 0
        current.append(row)
        weight += lengths[row] + open_cost_bytes
    if current:
        tasks.append(Task(splits.select(current)))
    return tuple(tasks)
