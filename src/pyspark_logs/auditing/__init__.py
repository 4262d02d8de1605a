"""``auditPath``: the plan of a query, the reports of its tasks, and the comparison of both.

The driver writes the listed files and their splits before the first task runs. Each task writes one object when it has read its
splits. :func:`compare` then proves that the reports cover each byte of each listed file exactly once.

Imports between the modules: ``plan_writer``, ``task_recorder``, ``plan_reader`` -> ``encoding`` -> ``documents``; ``checkpoint``,
``stream_comparison`` -> ``comparison`` -> ``documents``.
"""

from __future__ import annotations

from pyspark_logs.auditing.checkpoint import compare_checkpoint, read_checkpoint
from pyspark_logs.auditing.comparison import Finding, PlanComparison, compare
from pyspark_logs.auditing.documents import (
    AuditedFile,
    AuditTask,
    PlannedSplit,
    PlanRecord,
    SplitReport,
    StreamBatch,
    TaskOrigin,
    TaskRecord,
    offset_digest,
    stream_id,
    stream_identity,
)
from pyspark_logs.auditing.plan_reader import PlanDocuments, find_plans, read_documents, read_plan, read_task_records
from pyspark_logs.auditing.plan_writer import write_plan
from pyspark_logs.auditing.stream_comparison import compare_batches
from pyspark_logs.auditing.task_recorder import TaskRecorder

__all__ = [
    "AuditTask",
    "AuditedFile",
    "Finding",
    "PlanComparison",
    "PlanDocuments",
    "PlanRecord",
    "PlannedSplit",
    "SplitReport",
    "StreamBatch",
    "TaskOrigin",
    "TaskRecord",
    "TaskRecorder",
    "compare",
    "compare_batches",
    "compare_checkpoint",
    "find_plans",
    "offset_digest",
    "read_checkpoint",
    "read_documents",
    "read_plan",
    "read_task_records",
    "stream_id",
    "stream_identity",
    "write_plan",
]
