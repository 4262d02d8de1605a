"""Job ids for tests."""

from __future__ import annotations

from pyspark_logs.jobs import new_job_id


def job_id(number: int, mode: str = "append", chain: str = "") -> str:
    """Returns a job id; ids with higher numbers are later."""
    return new_job_id(mode, 1_800_000_000_000_000 + number, f"seed{number}", chain)
