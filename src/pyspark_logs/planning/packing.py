"""Cutting files into splits, and packing splits into tasks. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pyspark_logs.layout import LayoutMatch
from pyspark_logs.store import StoredFile


@dataclass(frozen=True)
class FileSplit:
    """Bytes ``[start, start + length)`` of one version of a file, as sent to an executor.

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


@dataclass(frozen=True)
class Task:
    """The splits that one Spark task reads."""

    splits: tuple[FileSplit, ...]

    @property
    def bytes(self) -> int:
        """Number of bytes to fetch."""
        return sum(split.length for split in self.splits)


def split_files(
    files: Iterable[tuple[StoredFile, LayoutMatch]], *, max_bytes: int, splittable: Callable[[str], bool]
) -> list[FileSplit]:
    """Cuts files that are larger than ``max_bytes`` and for whose path ``splittable`` is true; keeps the others whole.

    Example:
        >>> file = StoredFile("a.log", 250, 0, "")
        >>> splits = split_files([(file, LayoutMatch())], max_bytes=100, splittable=lambda path: True)
        >>> [(split.start, split.length) for split in splits]
        [(0, 100), (100, 100), (200, 50)]
    """
    return [
        FileSplit(
            path=file.path,
            start=start,
            length=min(step, file.size - start),
            size=file.size,
            modified_ms=file.modified_ms,
            etag=file.etag,
            layout_start_us=match.start_us,
            layout_end_us=match.end_us,
            partition_values=match.values,
        )
        for file, match in files
        for step in [max_bytes if file.size > max_bytes and splittable(file.path) else max(file.size, 1)]
        for start in range(0, file.size, step)
    ]


def pack(splits: Sequence[FileSplit], *, max_bytes: int, open_cost_bytes: int) -> tuple[Task, ...]:
    """Packs splits into tasks of at most ``max_bytes``, as Spark does: the largest first, each into the current task.

    Each split counts ``open_cost_bytes`` more than its length, so that a task does not open thousands of tiny files. A
    split above ``max_bytes`` makes a task by itself. The order of ``splits`` does not matter.

    Example:
        >>> files = [(StoredFile(name, 40, 0, ""), LayoutMatch()) for name in "abc"]
        >>> splits = split_files(files, max_bytes=100, splittable=lambda path: False)
        >>> [task.bytes for task in pack(splits, max_bytes=100, open_cost_bytes=4)]
        [80, 40]
    """
    tasks: list[Task] = []
    current: list[FileSplit] = []
    weight = 0
    for split in sorted(splits, key=lambda split: (-split.length, split.path, split.start)):
        if current and weight + split.length > max_bytes:
            tasks.append(Task(tuple(current)))
            current, weight = [], 0
        current.append(split)
        weight += split.length + open_cost_bytes
    if current:
        tasks.append(Task(tuple(current)))
    return tuple(tasks)
