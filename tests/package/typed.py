"""A program of a user, checked by mypy and pyright against the types of the installed wheel.

Each ``type: ignore`` marks a mistake that the types must reveal; a comment that is not needed is an error.
"""

from __future__ import annotations

from typing import Any

from pyspark_logs import CheckReport, LoadPlan, LogDataset, OptionError, ScanSummary, check, dataset, plan, scan, write

FORMAT: dict[str, Any] = {"template": "{ts:timestamp} {level} {message}"}


def read(path: str) -> int:
    """Reads a file, and returns its number of corrupt records."""
    summary = ScanSummary()
    reader = scan(path, summary=summary, threads=1, **FORMAT)
    write(reader, f"{path}.copy", schema=reader.schema, **FORMAT)
    corrupt: int = summary.corrupt
    wrong: str = summary.corrupt  # type: ignore[assignment]
    return corrupt + len(wrong)


def report(path: str) -> list[str]:
    """Returns the reasons of corrupt records."""
    logs: LogDataset = dataset(path, **FORMAT)
    found: CheckReport = check(path, **FORMAT)
    load: LoadPlan = plan(path, columns=["ts"], **FORMAT)
    load.tasks = 2  # type: ignore[misc]
    logs.scan(colums=["ts"])  # type: ignore[call-arg]
    return [sample.reason for sample in found.samples]


def is_refused(path: str) -> bool:
    """Returns True if an option is wrong."""
    try:
        read(path)
    except OptionError as error:
        return bool(error.args)
    return False
