"""Reads and writes log files in object stores with Spark, in any line format.

>>> import pyspark_logs
>>> pyspark_logs.__version__
'0.1.0'

An import of this package takes milliseconds and needs only the standard library, because Spark imports every module
whose name starts with ``pyspark_`` when it looks for data sources. Public names that need Spark or Arrow are loaded at
their first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pyspark_logs.errors import (
    AccessDeniedError,
    CircuitOpenError,
    CommitConflictError,
    CommitStateUnknownError,
    CorruptFileError,
    FormatError,
    LayoutError,
    LogSourceError,
    OptionError,
    PathNotFoundError,
    ReadOnlyStoreError,
    RecordError,
    SchemaError,
    SnapshotChangedError,
    StoreError,
    TruncatedBodyError,
)

if TYPE_CHECKING:
    from pyspark_logs.api.audit import audit
    from pyspark_logs.api.audit_report import AuditReport, QueryAudit
    from pyspark_logs.api.check import check
    from pyspark_logs.api.check_report import CheckReport
    from pyspark_logs.api.dataset import LogDataset, dataset
    from pyspark_logs.api.detect import Candidate, detect
    from pyspark_logs.api.job_list import JobStatus, list_jobs
    from pyspark_logs.api.maintenance import recover, vacuum
    from pyspark_logs.api.plan import LoadPlan, plan
    from pyspark_logs.api.preview import Preview, preview
    from pyspark_logs.api.scan import ScanSummary, scan
    from pyspark_logs.api.write import WriteResult, write
    from pyspark_logs.datasource import DefaultSource, LogDataSource, register
    from pyspark_logs.tuning import recommended_conf

__version__ = "0.1.0"

__all__ = [
    "AccessDeniedError",
    "AuditReport",
    "Candidate",
    "CheckReport",
    "CircuitOpenError",
    "CommitConflictError",
    "CommitStateUnknownError",
    "CorruptFileError",
    "DefaultSource",
    "FormatError",
    "JobStatus",
    "LayoutError",
    "LoadPlan",
    "LogDataSource",
    "LogDataset",
    "LogSourceError",
    "OptionError",
    "PathNotFoundError",
    "Preview",
    "QueryAudit",
    "ReadOnlyStoreError",
    "RecordError",
    "ScanSummary",
    "SchemaError",
    "SnapshotChangedError",
    "StoreError",
    "TruncatedBodyError",
    "WriteResult",
    "__version__",
    "audit",
    "check",
    "dataset",
    "detect",
    "list_jobs",
    "plan",
    "preview",
    "recommended_conf",
    "recover",
    "register",
    "scan",
    "vacuum",
    "write",
]

# Public name -> its module. Spark looks for DefaultSource with hasattr(), which calls __getattr__() below.
_LAZY = {
    "AuditReport": "api.audit_report",
    "Candidate": "api.detect",
    "CheckReport": "api.check_report",
    "DefaultSource": "datasource",
    "JobStatus": "api.job_list",
    "LoadPlan": "api.plan",
    "LogDataSource": "datasource",
    "LogDataset": "api.dataset",
    "Preview": "api.preview",
    "QueryAudit": "api.audit_report",
    "ScanSummary": "api.scan",
    "WriteResult": "api.write",
    "audit": "api.audit",
    "check": "api.check",
    "dataset": "api.dataset",
    "detect": "api.detect",
    "list_jobs": "api.job_list",
    "plan": "api.plan",
    "preview": "api.preview",
    "recommended_conf": "tuning",
    "recover": "api.maintenance",
    "register": "datasource",
    "scan": "api.scan",
    "vacuum": "api.maintenance",
    "write": "api.write",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    except ImportError as error:
        missing = error.name or ""
        if missing.partition(".")[0] != "pyspark":
            raise
        if missing == "pyspark":
            found = "Spark, which this Python does not have: pip install 'pyspark-logs[spark]'"
        else:  # Spark 3 has no Python data sources
            version = getattr(import_module("pyspark"), "__version__", "of an unknown version")
            found = (
                f"Spark 4.0 or later, and this Python has pyspark {version}, without {missing}:"
                " pip install --upgrade 'pyspark-logs[spark]'"
            )
        raise ModuleNotFoundError(
            f"pyspark_logs.{name} needs {found}. Without Spark, pyspark_logs.scan() and dataset() read the same files",
            name="pyspark",
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
