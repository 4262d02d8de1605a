"""Staging: what one task writes, compressed and uploaded, and seen by nobody before the job commits.

A task has at most ``maxOpenFiles`` files open, one a directory. A file ends at ``maxRecordsPerFile`` or
``maxFileBytes``; when another directory needs its place; or when memory is needed and no buffer is large enough
to be a part of an upload. The next row of its directory then begins the next file.

Memory does not depend on the data: what waits to be sent has a bound, and so has what is on its way, and what the
compressors of so many open files hold.

Inside, imports run one way: ``TaskFiles`` -> ``files`` -> ``uploads``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.codecs import codec_for
from pyspark_logs.errors import OptionError
from pyspark_logs.jobs import Job, StagedFile, part_name
from pyspark_logs.options import WriteRules
from pyspark_logs.staging.files import OpenFile
from pyspark_logs.staging.uploads import UploadQueue
from pyspark_logs.store import Store

MIB = 1 << 20
WAITING_BYTES = 96 * MIB  # compressed, not yet handed over
SLICE_BYTES = 1 * MIB  # of text at once: after each slice it is asked whether the file is large enough
SMALLEST_SLICE_BYTES = 16 << 10
MOST_PARTS = 10_000  # of one upload to S3


class TaskFiles:
    """The files that one attempt of a task writes.

    Args:
        store: where ``job.root`` is.
        job: whose files they are.
        task: number of the task.
        attempt: what no other attempt at the task has.
        rules: sizes, and the codec.
        suffix: of the files' names, without its first dot: ``log.gz``.
        to_bytes: lines, or rows, as the bytes that a file holds of them.
        head: what each file begins with; no row.

    Raises:
        OptionError: ``partSize`` is below what the store takes, or the codec has no such level.

    After an error, and if nothing is to come of it, :meth:`discard` drops what was staged.
    """

    def __init__(
        self,
        store: Store,
        *,
        job: Job,
        task: int,
        attempt: int,
        rules: WriteRules,
        suffix: str,
        to_bytes: Callable[[Any], Any],
        head: bytes = b"",
    ) -> None:
        check_part_size(store, rules)
        self._store = store
        self._job = job
        self._task, self._attempt, self._suffix = task, attempt, suffix
        self._rules = rules
        self._codec = codec_for("", rules.compression)
        self._codec.compressor(rules.compression_level)  # refused now, not with the first row
        self._to_bytes, self._head = to_bytes, head
        self._queue = UploadQueue(store)
        self._open: dict[str, OpenFile] = {}  # the least recently written first
        self._files: list[OpenFile] = []

    def write(self, directory: str, lines: pa.StringArray | pa.RecordBatch) -> None:
        """Add lines, or rows, to the file of a directory, or to several one after the other.

        Args:
            directory: relative to the root, without a slash at its end; ``""`` is the root itself.
            lines: each ends with its line end; without nulls. Or rows, which are as large as they are in memory.

        Raises:
            StoreError: the store refused or failed, here or for what was written before.
        """
        self._queue.check()
        ends = np.cumsum(_sizes(lines), dtype=np.int64)
        start, sent = 0, 0
        while start < len(lines):
            file = self._file(directory)
            # The line that reaches the size is the last one in.
            end = min(int(np.searchsorted(ends, sent + self._slice_bytes(file))) + 1, len(lines))
            if self._rules.max_records_per_file is not None:
                end = min(end, start + self._rules.max_records_per_file - file.rows)
            file.add(self._to_bytes(lines.slice(start, end - start)), end - start)
            start, sent = end, int(ends[end - 1])
            self._send(file)

    def close(self) -> tuple[StagedFile, ...]:
        """End all files, wait until they are staged, and say what they are, in order of their numbers.

        Raises:
            StoreError: the store refused or failed.
        """
        for file in list(self._open.values()):
            self._end(file)
        self._queue.close()
        return tuple(file.upload.staged(file.rows) for file in self._files)

    def discard(self) -> None:
        """Drop all that was staged, also after :meth:`close`. What cannot be dropped is logged, and left to ``vacuum``."""
        self._open.clear()
        self._queue.abort(file.upload for file in self._files)

    # --- files ----------------------------------------------------------------------------------------------

    def _file(self, directory: str) -> OpenFile:
        """The open file of a directory, which now is the most recently written one."""
        file = self._open.pop(directory, None)
        if file is None:
            if len(self._open) >= self._rules.max_open_files:
                self._end(next(iter(self._open.values())))
            name = part_name(self._task, self._attempt, self._job.id, len(self._files), self._suffix)
            key = f"{directory}/{name}" if directory else name
            compressor = self._codec.compressor(self._rules.compression_level)
            file = OpenFile(directory, self._job, key, compressor, self._head)
            self._files.append(file)
        self._open[directory] = file
        return file

    def _slice_bytes(self, file: OpenFile) -> int:
        """Text that is compressed at once: less where the file is nearly full, since it may not shrink."""
        most = self._rules.max_file_bytes
        if most is None:
            return SLICE_BYTES
        # What is compressed comes in crumbs otherwise.
        least = 1 if self._codec.name == "none" else SMALLEST_SLICE_BYTES
        return max(least, min(most - file.size, SLICE_BYTES))

    def _send(self, file: OpenFile) -> None:
        """End the file, or send a part of it, if it is time to; and make room if memory is short."""
        rules = self._rules
        full = file.rows == rules.max_records_per_file or file.upload.parts == MOST_PARTS - 1
        if full or (rules.max_file_bytes is not None and file.size >= rules.max_file_bytes):
            self._end(file)
        elif file.waiting >= rules.part_bytes:
            self._queue.send(file.upload, file.take())
        while sum(file.waiting for file in self._open.values()) > WAITING_BYTES:
            self._make_room()

    def _make_room(self) -> None:
        """Send the largest part that is allowed to go, else end a file: large, and not written for a while."""
        files = list(self._open.values())
        largest = max(files, key=lambda file: file.waiting)
        if largest.waiting >= self._store.smallest_part:
            self._queue.send(largest.upload, largest.take())
        else:
            self._end(max(files[: (len(files) + 1) // 2], key=lambda file: file.waiting))

    def _end(self, file: OpenFile) -> None:
        del self._open[file.directory]
        rest = file.finish()
        if rest or not file.upload.parts:
            self._queue.send(file.upload, rest)


def _sizes(lines: pa.StringArray | pa.RecordBatch) -> Any:
    """Bytes of each line, or row."""
    if isinstance(lines, pa.RecordBatch):
        return np.full(len(lines), max(lines.nbytes // max(len(lines), 1), 1))
    return pc.binary_length(lines).to_numpy()


def check_part_size(store: Store, rules: WriteRules) -> None:
    """Raises OptionError if parts of ``partSize`` are too small for the store."""
    if rules.part_bytes < store.smallest_part:
        raise OptionError(
            f"option 'partSize': {rules.part_bytes} bytes are too few, {store.scheme}:// takes parts of {store.smallest_part}"
            f" bytes or more; leave it out, or say {-(-store.smallest_part // MIB)}m"
        )
