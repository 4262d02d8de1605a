"""Encoding of the documents below ``auditPath`` as JSON."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

from pyspark_logs.auditing.documents import (
    COMPLETE,
    FAILED,
    STOPPED,
    AuditedFile,
    PlannedSplit,
    PlanRecord,
    SplitReport,
    TaskOrigin,
    TaskRecord,
)
from pyspark_logs.errors import CorruptFileError

VERSION = 1

_TASK_NAME = re.compile(rf"-(?P<task>\d+)(?:-[0-9a-f]{{16}})?(?:-(?P<state>{STOPPED}|{FAILED}))?\.json\.gz$")
_SPLIT_NAMES = tuple(each.name for each in fields(SplitReport))


def encode_plan(plan: PlanRecord) -> bytes:
    """Returns a plan as one JSON object."""
    return _json({"v": VERSION, **asdict(plan)})


def decode_plan(data: bytes, path: str) -> PlanRecord:
    """Returns the plan that :func:`encode_plan` encoded.

    Raises:
        CorruptFileError: the object is not a plan, or one of a later release.
    """
    value = _loads(data, path)
    if value.get("v") != VERSION:
        raise CorruptFileError(
            f"{path}: the plan has version {value.get('v')!r:.40}, this release reads version {VERSION}; read it with the release"
            " that wrote it"
        )
    try:
        given = {each.name: value[each.name] for each in fields(PlanRecord)}
        return PlanRecord(**{**given, "paths": tuple(given["paths"])})
    except (KeyError, TypeError) as error:
        raise _damaged(path, error) from error


def encode_file(file: AuditedFile) -> bytes:
    """Returns a file as a JSON line."""
    row = {
        "path": file.path, "version": file.version, "size": file.size, "modified_ms": file.modified_ms, "listed": file.listed,
        "splits": [split._asdict() for split in file.splits],
    }  # fmt: skip
    return _json(row) + b"\n"


def decode_files(data: bytes, path: str) -> Iterator[AuditedFile]:
    """Yields the files of an object.

    Raises:
        CorruptFileError: the object is damaged.
    """
    for row in _rows(data, path):
        try:
            splits = tuple(PlannedSplit(each["start"], each["length"], each["task"]) for each in row["splits"])
            yield AuditedFile(row["path"], row["version"], row["size"], row["modified_ms"], splits, row["listed"])
        except (KeyError, TypeError) as error:
            raise _damaged(path, error) from error


def encode_task(record: TaskRecord) -> bytes:
    """Returns the report of an attempt as compressed JSON lines, each with the ids of the task."""
    origin = record.origin
    ids = {"task": record.number, "task_state": record.state, "run": origin.run, "batch": origin.batch}
    # asdict() would copy the values, which takes longer than their encoding.
    rows = ({**ids, **{name: getattr(split, name) for name in _SPLIT_NAMES}} for split in record.splits)
    return compress(b"".join(_json(row) + b"\n" for row in rows))


def decode_task(data: bytes, path: str) -> TaskRecord:
    """Returns the report that :func:`encode_task` encoded. One without splits has its task and outcome in the name only.

    Raises:
        CorruptFileError: the object is damaged.
    """
    rows = list(_rows(data, path))
    if not rows:
        return _empty_record(path)
    try:
        splits = tuple(SplitReport(**{name: row[name] for name in _SPLIT_NAMES}) for row in rows)
        first = rows[0]
        return TaskRecord(first["task"], first["task_state"], splits, TaskOrigin(first["run"], first["batch"]))
    except (KeyError, TypeError) as error:
        raise _damaged(path, error) from error


def _empty_record(path: str) -> TaskRecord:
    name = _TASK_NAME.search(path)
    if name is None:
        raise _damaged(path, "it has no rows, and another name")
    return TaskRecord(int(name["task"]), name["state"] or COMPLETE, ())


def compress(data: bytes) -> bytes:
    """Returns gzip data; equal input gives equal bytes."""
    return gzip.compress(data, 6, mtime=0)


def lines_of(files: Iterable[AuditedFile], per_part: int) -> Iterator[bytes]:
    """Yields the lines of files, those of a number of files at a time."""
    lines: list[bytes] = []
    for file in files:
        lines.append(encode_file(file))
        if len(lines) == per_part:
            yield b"".join(lines)
            lines = []
    if lines:
        yield b"".join(lines)


def _rows(data: bytes, path: str) -> Iterator[dict[str, Any]]:
    if not data:
        raise _damaged(path, "it is empty")
    try:
        text = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, error) from error
    for line in text.splitlines():
        yield _loads(line, path)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _loads(data: bytes, path: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise _damaged(path, error) from error
    if not isinstance(value, dict):
        raise _damaged(path, "not a JSON object")
    return value


def _damaged(path: str, problem: object) -> CorruptFileError:
    return CorruptFileError(
        f"{path} is not a document of an audit, or is damaged: {problem}. Give the directory of auditPath"
    )
