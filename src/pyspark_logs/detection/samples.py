"""The first lines of a file, and what a format makes of them."""

from __future__ import annotations

import codecs
import os
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pyspark_logs.codecs import codec_for
from pyspark_logs.errors import CorruptFileError, FormatError, LogSourceError
from pyspark_logs.formats.registry import resolve_line_format
from pyspark_logs.options import FormatOptions, ReadOptions, parse_read_options
from pyspark_logs.reader import LogReader, infer_schema
from pyspark_logs.records import keeps_lines
from pyspark_logs.store import open_store

_FIRST, _FIRST_LINES = "first.log", 40
_CORRUPT = "corrupt record of this sample"


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, on disk, so that it is read like any other file.

    Attributes:
        file: where.
        options: how its text is read, whatever the format: ``timeZone``, ``nullValue``.
        lines: its lines, without blank ones.
    """

    file: Path
    options: Mapping[str, Any]
    lines: tuple[str, ...]

    def read(self, described: Mapping[str, str]) -> tuple[pa.Table, int] | None:
        """The rows that match a format, and how many records there are by it; None where not one does."""
        # Lines that do not match take longest. If the first ones all do not, neither will the others. Of a document the
        # first lines may end within the first record.
        if not _is_document(described):
            first = self._read(self.file.with_name(_FIRST), described)
            if first is None or not first[0].num_rows:
                return None
        return self._read(self.file, described)

    def _read(self, file: Path, described: Mapping[str, str]) -> tuple[pa.Table, int] | None:
        options = {**self.options, **described, "columnNameOfCorruptRecord": _CORRUPT}
        try:
            rows = _read(parse_read_options({**options, "path": file}))
        except LogSourceError:
            return None
        good = rows.filter(rows.column(_CORRUPT).is_null()).drop_columns([_CORRUPT])
        return good, rows.num_rows


def _is_document(described: Mapping[str, str]) -> bool:
    name = described.get("preset")
    return name is not None and resolve_line_format(FormatOptions("preset", name)).options.document is not None


def _read(options: ReadOptions) -> pa.Table:
    """As ``scan()`` reads, but for the warnings: here it is no wonder if nothing matches."""
    reader = LogReader(options, options.schema if options.schema is not None else infer_schema(options))
    batches = (batch for task in reader.plan().tasks for batch in reader.read_task(task, warn=False))
    return pa.Table.from_batches(batches, reader.target())


# Tabs, line ends, and the escapes of colours stand in text.
_CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\b\x1b"))
_TEXT_FOR_ONE_CONTROL = 20


@dataclass(frozen=True)
class Head:
    """The beginning of a file, decompressed.

    Attributes:
        text: whole lines, if there is a line end in it; b"" of an empty file.
        modified_ms: of the file, since the epoch.
    """

    path: str
    text: bytes
    modified_ms: int


def read_head(options: ReadOptions, most_bytes: int) -> Head:
    """The beginning of the first file by key that is not empty, or of the first one.

    Args:
        options: of a reader; its line format does not matter.
        most_bytes: of text.

    Raises:
        PathNotFoundError: there is no file.
        StoreError: the store refused or failed.
    """
    planned = LogReader(options, "").plan()
    splits = sorted((split for task in planned.tasks for split in task.splits), key=lambda one: (one.path, one.start))
    if not splits:
        # Where there is nothing to look at there is nothing to be found out.
        return Head(options.plan.paths[0], b"", 0)
    first = next((split for split in splits if split.size), splits[0])
    store = open_store(first.path, options.store)
    chunks = codec_for(first.path, options.plan.compression).decompress(
        store.read(first.path, 0, first.size, etag=first.etag), path=first.path
    )
    text = b""
    try:
        for chunk in chunks:
            text += chunk
            if len(text) >= most_bytes:
                break
    except CorruptFileError:
        if not text:  # the beginning of a damaged file may tell enough
            raise
    finally:
        if isinstance(chunks, Generator):
            chunks.close()
    return Head(first.path, _whole_lines(text, most_bytes, options.format.encoding), first.modified_ms)


def _whole_lines(text: bytes, most_bytes: int, encoding: str) -> bytes:
    """Text without the line that it ends in, if it is cut there and has others."""
    if len(text) <= most_bytes:
        return text
    if keeps_lines(encoding):
        whole = text.rfind(b"\n", 0, most_bytes) + 1
        return text[:whole] if whole else text
    decoded = text[:most_bytes].decode(encoding, "replace")
    return decoded[: decoded.rfind("\n") + 1].encode(encoding) if "\n" in decoded else text


def encoding_of(head: Head) -> str | None:
    """The encoding that the beginning of a file tells; None: it tells of none, so that it is the usual one.

    Raises:
        FormatError: it does not look like text.

    >>> encoding_of(Head("a.log", "a line".encode("utf-16"), 0))
    'utf-16'
    """
    if head.text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    strange = len(head.text) - len(head.text.translate(None, _CONTROLS))
    if strange * _TEXT_FOR_ONE_CONTROL > len(head.text):
        raise FormatError(
            f"{head.path} does not look like text: {strange} of the {len(head.text)} bytes at its beginning are control"
            " characters. If it is text of another encoding, say which (encoding=utf-16-le); if it is compressed, and"
            " not named so, say how (compression=gzip); what is neither is read by a class of your own (formatClass)"
        )
    return None


@contextmanager
def on_disk(head: Head, options: Mapping[str, Any]) -> Iterator[Sample]:
    """The beginning of a file as a file of its own, of the same name and age."""
    with tempfile.TemporaryDirectory(prefix="pyspark-logs-") as folder:
        # Here it is UTF-8, whatever it was.
        encoding = str(options.get("encoding") or "utf-8")
        raw = head.text.decode(encoding, "replace").encode("utf-8", "replace") if encoding != "utf-8" else head.text
        file = Path(folder) / "sample.log"
        file.write_bytes(raw)
        first = file.with_name(_FIRST)
        first.write_bytes(b"".join(raw.splitlines(keepends=True)[:_FIRST_LINES]))
        for one in (file, first):
            os.utime(one, (head.modified_ms / 1000,) * 2)
        text = raw.decode("utf-8", "replace").removeprefix("\ufeff")
        lines = tuple(line for piece in text.split("\n") if (line := piece.removesuffix("\r")).strip())
        yield Sample(file, {name: value for name, value in options.items() if name.lower() != "encoding"}, lines)
