"""Log files for tests of the reader: functions that write files in any codec and read them with ``scan`` or a reader."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from pyspark_logs import scan
from pyspark_logs.metrics import RecordMetrics
from pyspark_logs.options import parse_read_options
from pyspark_logs.planning import in_path_order
from pyspark_logs.predicates import Predicate
from pyspark_logs.reader import LogReader
from pyspark_logs.schema_inference import infer_schema

Rows = list[dict[str, Any]]


def arrow_compress(codec: str, text: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(text)
    return bytes(sink.getvalue())


# Codec -> suffix of its files and function that compresses.
CODECS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "none": ("", bytes),
    "gzip": (".gz", gzip.compress),
    "zstd": (".zst", lambda text: arrow_compress("zstd", text)),
    "bzip2": (".bz2", bz2.compress),
    "lz4": (".lz4", lambda text: arrow_compress("lz4", text)),
    "xz": (".xz", lzma.compress),
}


def write(directory: Path, files: dict[str, bytes | str], modified_ms: int | None = None) -> str:
    """Writes files below a directory, compressed according to their suffixes; returns the directory as a load path."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = text.encode() if isinstance(text, str) else text
        compress = next((make for suffix, make in CODECS.values() if suffix and name.endswith(suffix)), bytes)
        path.write_bytes(compress(data))
        if modified_ms is not None:
            os.utime(path, ns=(modified_ms * 1_000_000, modified_ms * 1_000_000))
    return str(directory)


def read(path: object, **options: Any) -> Rows:
    """Returns the rows of ``scan``, with maps as dictionaries."""
    table = scan(path, **options).read_all()
    table.validate(full=True)
    return to_rows(table)


def to_rows(table: pa.Table) -> Rows:
    return table.to_pylist(maps_as_pydicts="lossy")  # type: ignore[no-any-return]


def read_pushed(
    path: str, predicates: Sequence[Predicate] = (), *, together: bool = True, **options: Any
) -> tuple[Rows, RecordMetrics, list[bool], LogReader]:
    """Reads files with filters that are pushed into a reader, in the order of ``scan``; not ``together``: task by task.

    Returns:
        The rows, the metrics, for each filter whether the reader accepted it, and the reader.
    """
    parsed = parse_read_options({"path": path, **options})
    reader = LogReader(parsed, parsed.schema if parsed.schema is not None else infer_schema(parsed))
    accepted = reader.push(predicates)
    metrics = RecordMetrics()
    tasks = reader.plan().tasks
    if together and tasks:
        tasks = (replace(tasks[0], splits=in_path_order([task.splits for task in tasks])),)
    batches = [batch for task in tasks for batch in reader.read_task(task, metrics)]
    for batch in batches:
        assert batch.schema == reader.target()
        batch.validate(full=True)
    return to_rows(pa.Table.from_batches(batches, reader.target())), metrics, accepted, reader
