"""``badRecordsPath``: records that do not match the format, written as JSON lines.

Each split with bad records writes objects of its own. Their name is a hash of everything that determines the bad records: the
file and its version, the split, the format, the schema, the filters and the time range. A retried or speculative task, or a
second action of a query, therefore overwrites the same objects, and no record is written twice.

An object is written when it is full, and when its split has been read to the end. A split whose reading fails, or is stopped
early (``LIMIT``), leaves only the objects that were full; the same names get the same content when the split is read to the
end.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import concat_texts, from_numpy, from_texts
from pyspark_logs.errors import ReadOnlyStoreError
from pyspark_logs.formats.columnar.reasons import Reasons
from pyspark_logs.formats.columnar.spans import Int64, string_bytes
from pyspark_logs.formats.compiled import render_opcodes as op
from pyspark_logs.formats.compiled.availability import machines
from pyspark_logs.formats.compiled.render_program import LineProgram, LineRules, ProgramBuilder, ValueForm
from pyspark_logs.formats.json.render_plan import STRING
from pyspark_logs.planning import FileSplit
from pyspark_logs.store import Store, join

OBJECT_BYTES = 8 << 20
_RENDERED = 16_384  # records that are rendered at once
_SPACE = ord(" ")  # characters below it are escaped by JSON
_RECORD, _REASON = ', "record": ', ', "reason": '
_OFFSET = ValueForm(op.INTEGER, argument=64)
_MAX_LINE = (1 << 31) - 1


@dataclass(frozen=True)
class BadRecords:
    """Bad records of one file, by column.

    Attributes:
        path: path of the file.
        offsets: offset of each record's first byte in the uncompressed file, ascending.
        texts: text of each record, or its beginning if it is longer than ``maxRecordBytes``.
        reasons: index of each record -> the reason for which it does not match.
    """

    path: str
    offsets: Int64
    texts: pa.StringArray
    reasons: Reasons


class BadRecordSink(Protocol):
    """Receiver of the bad records of a task."""

    def begin(self, split: FileSplit) -> None:
        """Starts a split."""

    def add(self, records: BadRecords) -> None:
        """Receives bad records of the split."""

    def finish(self) -> None:
        """Ends a split that was read to its end."""


class BadRecordWriter:
    """Writes the bad records of a task, split by split.

    Args:
        directory: directory of the objects, as :func:`~pyspark_logs.store.normalise` returns it.
        store: store of the directory.
        query: text that identifies everything besides the split that determines its bad records; without secrets.

    Raises:
        ReadOnlyStoreError: the store cannot be written to.
    """

    def __init__(self, directory: str, store: Store, query: str) -> None:
        if not store.writable:
            raise ReadOnlyStoreError(
                f"option 'badRecordsPath': cannot write to {directory}: {store.scheme}:// is read-only here. Give a directory"
                " on S3 (s3://, s3a://), a local directory, or one of memory://"
            )
        self.directory, self.store, self.query = directory, store, query
        self._name, self._number, self._size = "", 0, 0
        self._parts: list[memoryview] = []

    def begin(self, split: FileSplit) -> None:
        """Starts a split and discards the records of an unfinished one."""
        self._name = hashlib.sha256(repr((self.query, split)).encode()).hexdigest()[:32]
        self._number, self._size, self._parts = 0, 0, []

    def add(self, records: BadRecords) -> None:
        """Adds bad records.

        Raises:
            StoreError: the object was full and could not be written.
        """
        for first in range(0, len(records.offsets), _RENDERED):
            part = slice(first, first + _RENDERED)
            reasons = records.reasons.texts.take(from_numpy(records.reasons.codes[part]))
            self._add_lines(_render(records.path, records.offsets[part], records.texts[part], reasons))

    def _add_lines(self, lines: pa.StringArray) -> None:
        _, offsets, text = lines.buffers()
        ends, start = np.frombuffer(offsets, np.int32)[1 : len(lines) + 1], 0
        while start < ends[-1]:
            # An object ends with the record by which it is full.
            full = int(np.searchsorted(ends, start + OBJECT_BYTES - self._size))
            end = int(ends[min(full, len(ends) - 1)])
            self._parts.append(memoryview(text)[start:end])
            self._size, start = self._size + end - start, end
            if self._size >= OBJECT_BYTES:
                self._put()

    def finish(self) -> None:
        """Ends a split that was read to its end, and writes its last object.

        Raises:
            StoreError: the object could not be written.
        """
        if self._parts:
            self._put()

    def _put(self) -> None:
        self.store.put(join(self.directory, f"{self._name}-{self._number}.json"), b"".join(self._parts))
        self._number, self._size, self._parts = self._number + 1, 0, []


def _render(path: str, offsets: Int64, texts: pa.StringArray, reasons: pa.StringArray) -> pa.StringArray:
    """Returns a line of JSON for each record, with its line end: by the machine that renders lines, where it is certain.

    Args:
        path: path of the file.
        offsets: offset of each record.
        texts: text of each record.
        reasons: reason of each record.
    """
    available = machines()
    columns = from_numpy(offsets), texts, reasons
    layouts = np.zeros(len(offsets), np.int32)
    rendered = None if available is None else _line_program(path).render(available, columns, layouts)
    if rendered is None:
        return _render_by_column(path, *columns)
    lines, failed = rendered
    uncertain = np.flatnonzero(failed)
    if len(uncertain) == 0:
        return lines
    others = _render_by_column(path, *(column.take(from_numpy(uncertain)) for column in columns))
    return pc.replace_with_mask(lines, from_numpy(failed != 0), others)


def _head(path: str) -> str:
    """Returns the beginning of the lines of a file, before the offset."""
    head = json.dumps({"path": path, "offset": 0}, ensure_ascii=False).encode("utf-8", "replace").decode()
    return head.removesuffix("0}")


@functools.lru_cache(maxsize=8)
def _line_program(path: str) -> LineProgram:
    """Returns the program by which the machine renders lines."""
    builder = ProgramBuilder(LineRules((), drops_blank=False, max_bytes=_MAX_LINE))
    builder.begin_layout()
    for before, form in ((_head(path), _OFFSET), (_RECORD, STRING), (_REASON, STRING)):
        builder.add_value(before.encode(), form, before, before)
    builder.end_layout(b"}\n")
    return builder.program()


def _render_by_column(
    path: str, offsets: pa.Int64Array, texts: pa.StringArray, reasons: pa.StringArray
) -> pa.StringArray:
    """Returns the lines of :func:`_render`."""
    numbers = offsets.cast(pa.string())
    return concat_texts(_head(path), numbers, _RECORD, _json_strings(texts), _REASON, _json_strings(reasons), "}\n")


def _json_strings(texts: pa.StringArray) -> pa.StringArray:
    """Returns strings as JSON strings with their quotes."""
    text = string_bytes(texts)
    if (text < _SPACE).any():
        return from_texts([json.dumps(one, ensure_ascii=False) for one in texts.to_pylist()])
    for character in ("\\", '"'):
        if (text == ord(character)).any():
            texts = pc.replace_substring(texts, character, "\\" + character)
    return concat_texts('"', texts, '"')
