"""Samples: the beginnings of files, written to disk so that formats read them like any other files."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pyspark_logs.detection.heads import FileHead
from pyspark_logs.errors import LogSourceError
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.options import FormatOptions, ReadOptions, parse_read_options
from pyspark_logs.reader import LogReader
from pyspark_logs.schema_inference import load_schema

_SAMPLE, _FIRST = "sample", "first"  # directories
_FIRST_LINES = 40  # of all files
_CORRUPT_COLUMN = "corrupt record of this sample"


@dataclass(frozen=True)
class Sample:
    """The beginnings of files, on disk.

    Attributes:
        directory: directory of the sample.
        options: options that decode text in every format: ``timeZone``, ``nullValue``.
        lines: lines of the sample without blank lines, by turns of each file.
        modified_ms: latest modification time of the files in milliseconds since the epoch.
    """

    directory: Path
    options: Mapping[str, Any]
    lines: tuple[str, ...]
    modified_ms: int = 0

    def read(self, format_options: Mapping[str, str]) -> tuple[pa.Table, int] | None:
        """Reads the sample in a format.

        Returns:
            The rows of matching records and the number of all records; None if no record matches.
        """
        # Lines that do not match are the slowest to read. If none of the first lines match, the others are not tried. The
        # first lines of a document can end within its first record, so documents are always read whole.
        if not _is_document(format_options):
            first = self._read(self.directory / _FIRST, format_options)
            if first is None or not first[0].num_rows:
                return None
        return self._read(self.directory / _SAMPLE, format_options)

    def _read(self, directory: Path, format_options: Mapping[str, str]) -> tuple[pa.Table, int] | None:
        options = {**self.options, **format_options, "columnNameOfCorruptRecord": _CORRUPT_COLUMN, "path": directory}
        try:
            rows = _read_without_warnings(parse_read_options(options))
        except LogSourceError:
            return None
        matching = rows.filter(rows.column(_CORRUPT_COLUMN).is_null()).drop_columns([_CORRUPT_COLUMN])
        return matching, rows.num_rows


def _is_document(format_options: Mapping[str, str]) -> bool:
    name = format_options.get("preset")
    return "recordsPath" in format_options or (
        name is not None and resolve_format(FormatOptions("preset", name)).reads_documents
    )


def _read_without_warnings(options: ReadOptions) -> pa.Table:
    """Reads files as ``scan()`` does, without a warning if no record matches."""
    reader = LogReader(options, load_schema(options))
    batches = (batch for task in reader.plan().tasks for batch in reader.read_task(task, report=lambda _: None))
    return pa.Table.from_batches(batches, reader.target())


@contextmanager
def write_sample(heads: Sequence[FileHead], options: Mapping[str, Any]) -> Iterator[Sample]:
    """Writes a sample to a temporary directory, as UTF-8, with the modification times of the files."""
    encoding = str(options.get("encoding") or "utf-8")
    with tempfile.TemporaryDirectory(prefix="pyspark-logs-") as name:
        directory = Path(name)
        for part in (_SAMPLE, _FIRST):
            (directory / part).mkdir()
        lines = []
        for index, head in enumerate(heads):
            raw = head.text.decode(encoding, "replace").encode("utf-8", "replace") if encoding != "utf-8" else head.text
            first_lines = raw.splitlines(keepends=True)[: max(1, _FIRST_LINES // len(heads))]
            for part, text in ((_SAMPLE, raw), (_FIRST, b"".join(first_lines))):
                file = directory / part / f"{index}.log"
                file.write_bytes(text)
                os.utime(file, (head.modified_ms / 1000,) * 2)
            lines.append(_lines_of(raw))
        by_turns = (line for each in itertools.zip_longest(*lines) for line in each if line is not None)
        decoding = {name: value for name, value in options.items() if name.lower() != "encoding"}
        yield Sample(directory, decoding, tuple(by_turns), max((head.modified_ms for head in heads), default=0))


def _lines_of(raw: bytes) -> list[str]:
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
    return [line for piece in text.split("\n") if (line := piece.removesuffix("\r")).strip()]
