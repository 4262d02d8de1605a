"""Following a path without Spark: new files as a stream reads them, with the offset in a local file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pyspark_logs.api.loads import resolve_load
from pyspark_logs.errors import OptionError
from pyspark_logs.stream import LogStream

_MAX_FILES = 1000


class Follower:
    """Reads the new files of a path, poll by poll.

    :meth:`commit` keeps the offset after the rows of a poll were processed. If the process dies before, the next one returns
    the rows of that poll again, and no row is lost.

    Args:
        path: directory, file or glob, or a list of them.
        checkpoint: file that keeps the offset; None to start at ``startingPosition`` each time.
        **options: options of ``spark.readStream.format("logs")``.

    Raises:
        OptionError: a bad option, or the checkpoint belongs to another path.
        LogSourceError: as :func:`pyspark_logs.scan`.
    """

    def __init__(self, path: str | list[str], checkpoint: str | os.PathLike[str] | None = None, **options: Any) -> None:
        self._stream = LogStream(*resolve_load(path, options))
        self._checkpoint = None if checkpoint is None else Path(checkpoint)
        self._offset = self._read_checkpoint() or self._stream.initial_offset()
        self._end = self._offset

    @property
    def schema(self) -> pa.Schema:
        """Columns of the rows."""
        return self._stream.reader.target()

    def poll(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows of the files that came since the last commit, of at most 1,000 files.

        Raises:
            StoreError: the store refused or failed; the next poll returns the rows again.
        """
        end = self._stream.latest_offset(self._offset, max_files=_MAX_FILES, max_bytes=None)
        for task in self._stream.plan_batch(self._offset, end):
            yield from self._stream.reader.read_task(task)
        self._end = end

    def commit(self) -> bool:
        """Keeps the offset after the last complete poll, in the checkpoint too; False if it did not move.

        Raises:
            OSError: the checkpoint cannot be written.
        """
        moved, self._offset = self._end != self._offset, self._end
        if moved or (self._checkpoint is not None and not self._checkpoint.exists()):
            self._write_checkpoint()
        return moved

    def _read_checkpoint(self) -> dict[str, Any] | None:
        if self._checkpoint is None or not self._checkpoint.exists():
            return None
        try:
            offset = json.loads(self._checkpoint.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OptionError(
                f"cannot read the checkpoint {self._checkpoint}: {error}. Name the file of an earlier run, or one that is not"
                " there yet"
            ) from error
        if not isinstance(offset, dict):
            raise OptionError(f"{self._checkpoint} is not a checkpoint: expected a JSON object")
        return offset

    def _write_checkpoint(self) -> None:
        if self._checkpoint is None:
            return
        temporary = self._checkpoint.with_name(f"{self._checkpoint.name}.tmp-{os.getpid()}")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(self._offset, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._checkpoint)
