"""What readers and writers agree on: the names and documents of write jobs, and which files are visible.

A *job* is one attempt to write. While it runs, its files are hidden by what stands in ``_commits/`` of the root::

    _commits/<job>.json           its record: the decision, committed or aborted
    _commits/<job>~intent.json    its intent: what it writes, and the list of what is still to be done for it

Writers alone read ``_claims/<chain>/<number>``, which order the jobs that must not happen twice or at once.

Inside, imports run one way: ``snapshots`` -> ``looks`` -> ``documents`` -> ``names``; ``roots`` -> ``names``.
"""

from __future__ import annotations

from pyspark_logs.jobs.documents import Claim, Intent, Job, Record, Replaced, StagedFile, Transaction
from pyspark_logs.jobs.names import (
    CLAIMS,
    COMMITS,
    OVERWRITE_CHAIN,
    STAGING,
    intent_key,
    job_of,
    new_job_id,
    part_name,
    record_key,
)
from pyspark_logs.jobs.roots import find_commit_root, holds_job_files
from pyspark_logs.jobs.snapshots import (
    Snapshot,
    read_commits,
    read_commits_after,
    read_commits_before,
    read_record,
    take_snapshot,
)
from pyspark_logs.jobs.visibility import CommitListing, CommitsAfter, CommitsBefore, visible_files

__all__ = [
    "CLAIMS",
    "COMMITS",
    "OVERWRITE_CHAIN",
    "STAGING",
    "Claim",
    "CommitListing",
    "CommitsAfter",
    "CommitsBefore",
    "Intent",
    "Job",
    "Record",
    "Replaced",
    "Snapshot",
    "StagedFile",
    "Transaction",
    "find_commit_root",
    "holds_job_files",
    "intent_key",
    "job_of",
    "new_job_id",
    "part_name",
    "read_commits",
    "read_commits_after",
    "read_commits_before",
    "read_record",
    "record_key",
    "take_snapshot",
    "visible_files",
]
