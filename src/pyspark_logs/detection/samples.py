"""Samples: the beginning of a file, written to disk so that formats read it like any other file."""

from __future__ import annotations

import codecs
import os
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from pyspark_logs.errors import CorruptFileError, FormatError, LogSourceError
from pyspark_logs.file_content import ignore_notice, read_texts
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.options import FormatOptions, ReadOptions, parse_read_options
from pyspark_logs.reader import LogReader, infer_schema
from pyspark_logs.records import preserves_lines
from pyspark_logs.store import open_store

_FIRST_LINES_FILE, _FIRST_LINES = "first.log", 40
_CORRUPT_COLUMN = "corrupt record of this sample"

# All control characters but tabs, line ends, and the escapes of terminal colours.
_CONTROL_CHARACTERS = bytes({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\b\x1b"))
_MIN_BYTES_PER_CONTROL = 20


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, on disk.

    Attributes:
        file: path of the sample.
        options: options that decode text in every format: ``timeZone``, ``nullValue``.
        lines: lines of the sample without blank lines.
    """

    file: Path
    options: Mapping[str, Any]
    lines: tuple[str, ...]

    def read(self, format_options: Mapping[str, str]) -> tuple[pa.Table, int] | None:
        """Reads the sample in a format.

        Returns:
            The rows of matching records and the number of all records; None if no record matches.
        """
        # Lines that do not match are the slowest to read. If none of the first lines match, the others are not tried. The
        # first lines of a document can end within its first record, so documents are always read whole.
        if not _is_document(format_options):
            first = self._read(self.file.with_name(_FIRST_LINES_FILE), format_options)
            if first is None or not first[0].num_rows:
                return None
        return self._read(self.file, format_options)

    def _read(self, file: Path, format_options: Mapping[str, str]) -> tuple[pa.Table, int] | None:
        options = {**self.options, **format_options, "columnNameOfCorruptRecord": _CORRUPT_COLUMN, "path": file}
        try:
            rows = _read_without_warnings(parse_read_options(options))
        except LogSourceError:
            return None
        matching = rows.filter(rows.column(_CORRUPT_COLUMN).is_null()).drop_columns([_CORRUPT_COLUMN])
        return matching, rows.num_rows


def _is_document(format_options: Mapping[str, str]) -> bool:
    name = format_options.get("preset")
    return name is not None and resolve_format(FormatOptions("preset", name)).options.document is not None


def _read_without_warnings(options: ReadOptions) -> pa.Table:
    """Reads files as ``scan()`` does, without a warning if no record matches."""
    reader = LogReader(options, options.schema if options.schema is not None else infer_schema(options))
    batches = (batch for task in reader.plan().tasks for batch in reader.read_task(task, warn=False))
    return pa.Table.from_batches(batches, reader.target())


@dataclass(frozen=True)
class FileHead:
    """The beginning of a file, decompressed.

    Attributes:
        path: path of the file.
        text: whole lines, or a part of the first line if that is too long; b"" for an empty file.
        modified_ms: modification time of the file in milliseconds since the epoch.
    """

    path: str
    text: bytes
    modified_ms: int


def read_head(options: ReadOptions, max_bytes: int) -> FileHead:
    """Reads the beginning of the first non-empty file by path; of the first file if all are empty.

    Args:
        options: options of a reader; the line format is not used.
        max_bytes: maximum size of the text in bytes.

    Raises:
        PathNotFoundError: there is no file.
        StoreError: the store refused or failed.
    """
    planned = LogReader(options, "").plan()
    splits = sorted(
        (split for task in planned.tasks for split in task.splits), key=lambda each: (each.path, each.start)
    )
    if not splits:
        return FileHead(options.plan.paths[0], b"", 0)
    first = next((split for split in splits if split.size), splits[0])
    store = open_store(first.path, options.store)
    whole = replace(first, start=0, length=first.size)
    texts = read_texts(store, whole, options.plan.compression, splittable=True, has_marks=False, notice=ignore_notice)
    chunks = (chunk for each in texts for chunk in each.chunks)
    text = b""
    try:
        for chunk in chunks:
            text += chunk
            if len(text) >= max_bytes:
                break
    except CorruptFileError:
        if not text:  # otherwise the text before the damage is the sample
            raise
    finally:
        if isinstance(chunks, Generator):
            chunks.close()
    return FileHead(first.path, _drop_partial_line(text, max_bytes, options.format.encoding), first.modified_ms)


def _drop_partial_line(text: bytes, max_bytes: int, encoding: str) -> bytes:
    """Returns the whole lines within the limit; all of the text if it is within the limit or is one line."""
    if len(text) <= max_bytes:
        return text
    if preserves_lines(encoding):
        end = text.rfind(b"\n", 0, max_bytes) + 1
        return text[:end] if end else text
    decoded = text[:max_bytes].decode(encoding, "replace")
    return decoded[: decoded.rfind("\n") + 1].encode(encoding) if "\n" in decoded else text


def detect_encoding(head: FileHead) -> str | None:
    """Returns the encoding that a byte order mark declares; None for the default encoding.

    Raises:
        FormatError: the file does not look like text.

    >>> detect_encoding(FileHead("a.log", "a line".encode("utf-16"), 0))
    'utf-16'
    """
    if head.text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    controls = len(head.text) - len(head.text.translate(None, _CONTROL_CHARACTERS))
    if controls * _MIN_BYTES_PER_CONTROL > len(head.text):
        raise FormatError(
            f"{head.path} does not look like text: {controls} of the {len(head.text)} bytes at its beginning are control"
            " characters. If it is text in another encoding, give the encoding (encoding=utf-16-le); if it is compressed"
            " and its name does not say so, give the compression (compression=gzip); other files need a class (formatClass)"
        )
    return None


@contextmanager
def write_sample(head: FileHead, options: Mapping[str, Any]) -> Iterator[Sample]:
    """Writes a sample to a temporary directory, as UTF-8, with the modification time of the file."""
    with tempfile.TemporaryDirectory(prefix="pyspark-logs-") as directory:
        encoding = str(options.get("encoding") or "utf-8")
        raw = head.text.decode(encoding, "replace").encode("utf-8", "replace") if encoding != "utf-8" else head.text
        file = Path(directory) / "sample.log"
        file.write_bytes(raw)
        first = file.with_name(_FIRST_LINES_FILE)
        first.write_bytes(b"".join(raw.splitlines(keepends=True)[:_FIRST_LINES]))
        for path in (file, first):
            os.utime(path, (head.modified_ms / 1000,) * 2)
        text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
        lines = tuple(line for piece in text.split("\n") if (line := piece.removesuffix("\r")).strip())
        yield Sample(file, {name: value for name, value in options.items() if name.lower() != "encoding"}, lines)
