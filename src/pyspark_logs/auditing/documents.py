"""The documents below ``auditPath``: their data and names. No I/O.

::

    plans/query=<query>/<batch>.json                          one object for each plan, written after its files
    files/query=<query>/<batch>-<plan>-<part>.json.gz         listed files with their splits, as JSON lines
    tasks/query=<query>/<batch>-<plan>-<task>.json.gz         splits of a task that has read all of them, as JSON lines
    tasks/query=<query>/<batch>-<plan>-<task>-stopped.json.gz, ...-failed.json.gz    those of an attempt that did not

Each name follows from the plan alone, so that a retried or speculative attempt and a replayed batch of a stream replace their
objects. The id of a plan is a hash of its files and splits: a batch that is replayed with other splits
gets another plan, and the objects of the tasks of its former plan no longer count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# Outcomes of a split. A split that no task reports is UNREAD.
READ, SKIPPED, DAMAGED, STOPPED, FAILED, UNREAD = "read", "skipped", "damaged", "stopped", "failed", "unread"
# Outcomes of an attempt at a task; STOPPED and FAILED are part of the names of their objects.
COMPLETE = "complete"

READ_BATCH = "read"  # the batch of a query that is not a stream
_ID_LENGTH = 16


class PlannedSplit(NamedTuple):
    """A byte range of a planned file, and the number of its task."""

    start: int
    length: int
    task: int


@dataclass(frozen=True, slots=True)
class AuditedFile:
    """A file that a query listed and reads.

    Attributes:
        path: path of the file.
        version: etag of the listed version; empty if the store has none.
        size: size in bytes.
        modified_ms: modification time, milliseconds since the epoch.
        splits: byte ranges that the tasks of the query read.
        listed: False for a file that has splits, but was not listed.
    """

    path: str
    version: str
    size: int
    modified_ms: int
    splits: tuple[PlannedSplit, ...] = ()
    listed: bool = True


@dataclass(frozen=True)
class PlanRecord:
    """The plan of a query, or of one batch of a stream.

    Attributes:
        query: id of the query; the same for all batches of a stream.
        batch: id of the batch, from its offsets; ``READ_BATCH`` for a query that is not a stream.
        plan: hash of the files and splits.
        created_ms: time of the planning by the driver's clock, milliseconds since the epoch.
        paths: load paths.
        columns: requested columns as Spark DDL.
        where: option ``where``; None without a condition.
        tasks: number of tasks.
        files: number of files to read.
        bytes: stored size of these files.
        parts: number of objects that hold the files.
        listing: counts of the listing by their names in a ``PlanReport``; empty for a stream, whose batches are not listed.
        start: digest of the offset before the batch of a stream; else empty.
        end: digest of the offset after the batch; else empty.
    """

    query: str
    batch: str
    plan: str
    created_ms: int
    paths: tuple[str, ...]
    columns: str
    where: str | None
    tasks: int
    files: int
    bytes: int
    parts: int
    listing: Mapping[str, int] = field(default_factory=dict)
    start: str = ""
    end: str = ""

    @property
    def is_stream(self) -> bool:
        """True for a batch of a stream."""
        return self.batch != READ_BATCH

    @property
    def name(self) -> str:
        """Beginning of the names of the plan's files and tasks."""
        return f"{self.batch}-{self.plan}"


@dataclass(frozen=True)
class StreamBatch:
    """The identity of a batch of a stream.

    Attributes:
        stream: identification of the stream's load paths.
        start: offset before the batch.
        end: offset after the batch.
    """

    stream: str
    start: Mapping[str, Any]
    end: Mapping[str, Any]


@dataclass(frozen=True)
class AuditTask:
    """The identity of a task in the names of its objects; travels to executors.

    Attributes:
        query: id of the query.
        plan_name: beginning of the names of the plan.
        number: number of the task in the plan.
    """

    query: str
    plan_name: str
    number: int


@dataclass(frozen=True)
class TaskOrigin:
    """Ids that Spark gives a streaming query and its batch.

    Attributes:
        run: id of the query, which is that of its checkpoint; None outside of streams.
        batch: number of the batch.
    """

    run: str | None = None
    batch: int | None = None


@dataclass(frozen=True)
class SplitReport:
    """The outcome of a split.

    Attributes:
        path: path of the file.
        version: etag of the version that was read.
        size: size of the whole file in bytes.
        start: offset of the first byte.
        length: number of bytes.
        state: ``READ``, ``SKIPPED``, ``DAMAGED``, ``STOPPED`` or ``FAILED``.
        records: number of records; the sum of ``rows``, ``filtered`` and ``dropped``.
        rows: number of rows returned.
        filtered: number of records excluded by a time range or a filter.
        dropped: number of records dropped by ``mode=DROPMALFORMED``.
        corrupt: number of records that do not match the format.
        reasons: number of corrupt records by reason.
        appended: number of records with fields after the last one of their format.
        seconds: time for parsing and for waiting for the file, without the time of the consumer.
        problem: reason for which the split was skipped or not read to its end; empty if it was read.
    """

    path: str
    version: str
    size: int
    start: int
    length: int
    state: str
    records: int = 0
    rows: int = 0
    filtered: int = 0
    dropped: int = 0
    corrupt: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    appended: int = 0
    seconds: float = 0.0
    problem: str = ""


@dataclass(frozen=True)
class TaskRecord:
    """The report of one attempt at a task.

    Attributes:
        number: number of the task in its plan.
        state: ``COMPLETE``, ``STOPPED`` or ``FAILED``.
        splits: outcomes of the splits that the attempt began.
        origin: ids of the streaming query and batch.
    """

    number: int
    state: str
    splits: tuple[SplitReport, ...]
    origin: TaskOrigin = TaskOrigin()


# --- ids ------------------------------------------------------------------------------------------------------------


def digest(text: str) -> str:
    """Returns a hash of a text, as it is part of names."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_LENGTH]


def offset_digest(offset: Mapping[str, Any]) -> str:
    """Returns the digest of an offset, whatever the order of its keys.

    >>> offset_digest({"ts": 1, "seen": ""}) == offset_digest({"seen": "", "ts": 1})
    True
    """
    return digest(json.dumps(offset, sort_keys=True, separators=(",", ":")))


def stream_identity(root: str, identity: str) -> str:
    """Returns the identification of a stream: of its load paths, and of the identity of its files."""
    return f"{root}\n{identity}"


def stream_id(stream: str) -> str:
    """Returns the id of the query of all batches of a stream."""
    return f"stream-{digest(stream)}"


# --- names ----------------------------------------------------------------------------------------------------------


def plan_key(query: str, batch: str) -> str:
    """Returns the name of a plan's object below ``auditPath``."""
    return f"plans/query={query}/{batch}.json"


def files_key(plan: PlanRecord, part: int) -> str:
    """Returns the name of an object with files of a plan."""
    return f"files/query={plan.query}/{plan.name}-{part:05d}.json.gz"


def task_key(task: AuditTask, state: str, origin: TaskOrigin) -> str:
    """Returns the name of the object of an attempt at a task: equal for all attempts with the same outcome.

    The id of the streaming query is part of the name, so that a second query over the same files is found.
    """
    run = f"-{digest(origin.run)}" if origin.run else ""
    outcome = "" if state == COMPLETE else f"-{state}"
    return f"{tasks_prefix(task.query, task.plan_name)}{task.number:05d}{run}{outcome}.json.gz"


def tasks_prefix(query: str, plan_name: str) -> str:
    """Returns the common beginning of the names of a plan's tasks."""
    return f"tasks/query={query}/{plan_name}-"
