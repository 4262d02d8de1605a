"""Names and encoding of the documents of an audit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyspark_logs.auditing.documents import (
    AuditedFile,
    AuditTask,
    PlannedSplit,
    PlanRecord,
    SplitReport,
    TaskOrigin,
    TaskRecord,
    task_key,
)
from pyspark_logs.auditing.encoding import (
    compress,
    decode_files,
    decode_plan,
    decode_task,
    encode_plan,
    encode_task,
    lines_of,
)
from pyspark_logs.errors import CorruptFileError

PLAN = PlanRecord("q", "read", "p", 1, ("/a", "/b"), "n int", "n > 1", 2, 3, 4, 5, {"files_listed": 3})
FILES = [
    AuditedFile("/logs/\udcff\u2028 é", "v", 9, 8, (PlannedSplit(0, 4, 0), PlannedSplit(4, 5, 1))),
    AuditedFile("/logs/b", "", 1, 0, (), listed=False),
]
TASK = TaskRecord(3, "failed", (SplitReport("/logs/\udcff", "v", 9, 0, 4, "failed", 3, 1, 1, 1, 2, {"r": 2}, 1, 0.5, "x"),), TaskOrigin("run", 7))  # fmt: skip


def test_documents_read_back_equal() -> None:
    assert decode_plan(encode_plan(PLAN), "p") == PLAN
    (lines,) = lines_of(FILES, 2)
    assert list(decode_files(compress(lines), "f")) == FILES
    assert len(list(lines_of(FILES * 2, 3))) == 2
    assert decode_task(encode_task(TASK), "t") == TASK


@pytest.mark.parametrize("origin", [TaskOrigin(), TaskOrigin("run", 7)])
@pytest.mark.parametrize("state", ["complete", "stopped", "failed"])
def test_a_report_without_splits(state: str, origin: TaskOrigin) -> None:
    record = replace(TASK, splits=(), state=state)
    path = "/audit/" + task_key(AuditTask("q", "0123456789abcdef-0123456789abcdef", 100_003), state, origin)
    assert decode_task(encode_task(record), path) == TaskRecord(100_003, state, ())
    with pytest.raises(CorruptFileError, match="another name"):
        decode_task(encode_task(record), "/audit/tasks/a.json.gz")


def test_the_name_of_a_report_depends_on_its_outcome_alone() -> None:
    task = AuditTask("q", "read-p", 3)
    names = [task_key(task, state, TaskOrigin()) for state in ("complete", "complete", "stopped", "failed")]
    assert names[0] == names[1] == "tasks/query=q/read-p-00003.json.gz"
    assert len(set(names)) == 3
    assert task_key(task, "complete", TaskOrigin("one")) != task_key(task, "complete", TaskOrigin("two"))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"v": 9}', b'{"v": 1}'])
def test_a_damaged_plan(data: bytes) -> None:
    with pytest.raises(CorruptFileError, match=r"^/audit/p"):
        decode_plan(data, "/audit/p")


@pytest.mark.parametrize("data", [b"", b"text", compress(b"{"), compress(b'{"path": "/a"}'), compress(b"x" * 99)[:-9]])
def test_damaged_lines(data: bytes) -> None:
    with pytest.raises(CorruptFileError, match="/audit/f is not a document of an audit"):
        list(decode_files(data, "/audit/f"))
    with pytest.raises(CorruptFileError, match="/audit/f is not a document of an audit"):
        decode_task(data, "/audit/f")
