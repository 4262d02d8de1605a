"""Staging of a task's files: compressed, uploaded, and invisible until the job commits.

A task has at most ``maxOpenFiles`` open files, one per directory. A file ends at ``maxRecordsPerFile`` or ``maxFileBytes``,
when a file of another directory must be opened, or when memory is short and no buffer is large enough for a part of an
upload. The next row of the directory then starts the next file.

Memory does not depend on the data: the bytes that wait to be sent, the bytes being sent, and the buffers of the compressors
are bounded.

Import direction: ``TaskFiles`` -> ``files`` -> ``uploads``; ``background`` runs ``TaskFiles`` in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_numbers
from pyspark_logs.codecs import codec_for
from pyspark_logs.errors import OptionError
from pyspark_logs.jobs import Job, StagedFile, part_name
from pyspark_logs.options import WriteRules
from pyspark_logs.staging.files import OpenFile
from pyspark_logs.staging.uploads import UploadQueue
from pyspark_logs.store import Store

MIB = 1 << 20
MAX_WAITING_BYTES = 96 * MIB  # compressed bytes of all open files that were not sent
SLICE_BYTES = 1 * MIB  # text compressed at once; the size of the file is checked after each slice
MIN_SLICE_BYTES = 16 << 10
MAX_PARTS = 10_000  # limit of S3 for one multipart upload


class TaskFiles:
    """The files that one attempt of a task writes.

    Args:
        store: store of ``job.root``.
        job: job that the files belong to.
        task: number of the task.
        attempt: number of the attempt, unique for the task.
        rules: size limits and codec.
        suffix: suffix of the file names without the leading dot, such as ``log.gz``.
        to_bytes: function that converts lines or rows to the bytes of a file.
        head: bytes at the start of each file that are not a row, such as a header.

    Raises:
        OptionError: ``partSize`` is below the store's minimum, or the codec does not have the compression level.

    After an error, :meth:`discard` drops everything that was staged.
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
        self._codec.compressor(rules.compression_level)  # validates the level before the first row
        self._to_bytes, self._head = to_bytes, head
        self._queue = UploadQueue(store)
        self._open: dict[str, OpenFile] = {}  # in the order of the last write, oldest first
        self._files: list[OpenFile] = []

    def write(self, directory: str, lines: pa.StringArray | pa.RecordBatch) -> None:
        """Adds lines or rows to the current file of a directory, and to further files when it is full.

        Args:
            directory: directory relative to the root without a trailing slash; ``""`` for the root itself.
            lines: lines with their line ends and without nulls; or rows, whose size is their size in memory.

        Raises:
            StoreError: the store refused or failed, now or for an earlier part.
        """
        self._queue.check()
        ends = np.cumsum(_sizes(lines), dtype=np.int64)
        start, sent = 0, 0
        while start < len(lines):
            file = self._file(directory)
            # The line that reaches the size is the last one of the slice.
            end = min(int(np.searchsorted(ends, sent + self._slice_bytes(file))) + 1, len(lines))
            if self._rules.max_records_per_file is not None:
                end = min(end, start + self._rules.max_records_per_file - file.rows)
            file.add(self._to_bytes(lines.slice(start, end - start)), end - start)
            start, sent = end, int(ends[end - 1])
            self._send(file)

    def close(self) -> tuple[StagedFile, ...]:
        """Ends all files, waits until they are staged, and returns them in the order of their numbers.

        Raises:
            StoreError: the store refused or failed.
        """
        for file in list(self._open.values()):
            self._end(file)
        self._queue.close()
        return tuple(file.upload.staged(file.rows) for file in self._files)

    def discard(self) -> None:
        """Aborts all uploads, also after :meth:`close`. Failures are logged; ``vacuum`` removes the remaining uploads."""
        self._open.clear()
        self._queue.abort(file.upload for file in self._files)

    # --- files ----------------------------------------------------------------------------------------------

    def _file(self, directory: str) -> OpenFile:
        """Returns the open file of a directory and marks it as the most recently written one."""
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
        """Returns the size of the next slice of text: smaller if the file is nearly full, because text may be incompressible."""
        limit = self._rules.max_file_bytes
        if limit is None:
            return SLICE_BYTES
        # Compressing very small slices is slow.
        minimum = 1 if self._codec.name == "none" else MIN_SLICE_BYTES
        return max(minimum, min(limit - file.size, SLICE_BYTES))

    def _send(self, file: OpenFile) -> None:
        """Ends the file if it is full, or sends a part of it; frees memory if too many bytes wait."""
        rules = self._rules
        full = file.rows == rules.max_records_per_file or file.upload.parts == MAX_PARTS - 1
        if full or (rules.max_file_bytes is not None and file.size >= rules.max_file_bytes):
            self._end(file)
        elif file.waiting >= rules.part_bytes:
            self._queue.send(file.upload, file.take())
        while sum(file.waiting for file in self._open.values()) > MAX_WAITING_BYTES:
            self._free_memory()

    def _free_memory(self) -> None:
        """Sends the largest part that the store accepts; if there is none, ends a large file of the older half."""
        files = list(self._open.values())
        largest = max(files, key=lambda file: file.waiting)
        if largest.waiting >= self._store.min_part_bytes:
            self._queue.send(largest.upload, largest.take())
        else:
            self._end(max(files[: (len(files) + 1) // 2], key=lambda file: file.waiting))

    def _end(self, file: OpenFile) -> None:
        del self._open[file.directory]
        last = file.finish()
        if last or not file.upload.parts:
            self._queue.send(file.upload, last)


def _sizes(lines: pa.StringArray | pa.RecordBatch) -> Any:
    """Returns the size of each line or row in bytes."""
    if isinstance(lines, pa.RecordBatch):
        return np.full(len(lines), max(lines.nbytes // max(len(lines), 1), 1))
    return as_numbers(pc.binary_length(lines))


def check_part_size(store: Store, rules: WriteRules) -> None:
    """Raises OptionError if ``partSize`` is below the store's minimum."""
    if rules.part_bytes < store.min_part_bytes:
        raise OptionError(
            f"option 'partSize': {rules.part_bytes} bytes are too few, {store.scheme}:// requires parts of at least"
            f" {store.min_part_bytes} bytes; remove the option, or set it to {-(-store.min_part_bytes // MIB)}m"
        )
