"""The state of write jobs in a store, shared by readers and writers: names, documents, and visibility of files.

A *job* is one attempt to write. Two documents below ``_commits/`` of the root decide whether its files are visible::

    _commits/<job>.json           its record: the decision, committed or aborted
    _commits/<job>~intent.json    its intent: the files it writes, and the list of work that is still to be done for it

Only writers read ``_claims/<chain>/<number>``, which order jobs that must not run twice or at the same time.

Imports within the package run one way: ``snapshots`` -> ``visibility``, ``document_checks`` -> ``documents`` ->
``document_compression``, ``names``; ``roots`` -> ``names``.
"""

from __future__ import annotations

from pyspark_logs.jobs.documents import Claim, Intent, Job, Record, Replaced, StagedFile, StagedUpload, Transaction
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
from pyspark_logs.jobs.roots import find_commit_root, find_roots_below, holds_commits, holds_job_files
from pyspark_logs.jobs.snapshots import (
    CommitRoots,
    SingleRoot,
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
    "CommitRoots",
    "CommitsAfter",
    "CommitsBefore",
    "Intent",
    "Job",
    "Record",
    "Replaced",
    "SingleRoot",
    "Snapshot",
    "StagedFile",
    "StagedUpload",
    "Transaction",
    "find_commit_root",
    "find_roots_below",
    "holds_commits",
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
