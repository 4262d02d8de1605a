"""Checks of the content of documents: the keys and jobs that a document names must be its own.

Whoever may write below ``_commits/`` and ``_claims/`` can write any JSON there. A key is appended to the root, and the file of
that path is deleted or hidden; a document that names files it cannot be about is therefore refused as a whole, before
anything of it is acted on. The functions are pure; :meth:`~pyspark_logs.store.Store.is_inside` adds the checks that need the
file system.
"""

from __future__ import annotations

from pyspark_logs.errors import CorruptFileError
from pyspark_logs.jobs.documents import Claim, Intent, Record
from pyspark_logs.jobs.names import CLAIMS, OVERWRITE_CHAIN, job_of, may_claim, mode_of, split_claim_key
from pyspark_logs.layout.names import is_hidden_key

_SHOWN = 200  # characters of a key in a message
_LONGEST_CLAIM = 250  # of any writer; int() refuses numbers of thousands of digits
_CHAINS = (OVERWRITE_CHAIN + "/", "txn-", "query-")


def check_intent(intent: Intent, job: str, path: str) -> None:
    """Checks that an intent is that of a job and lists only files of this job.

    Args:
        intent: content of the document.
        job: id of the job, from the name of the document.
        path: path of the document, for messages.

    Raises:
        CorruptFileError: the mode is that of another job; or a key is not relative and normalised, has a hidden segment, or
            does not end in the name of a file of the job.
    """
    if intent.mode != mode_of(job):
        raise refused_document(path, "the mode", intent.mode, f"job {job} is of mode {mode_of(job)!r}")
    for file in intent.files:
        fault = _fault_of(file.key)
        if fault is None and "" in file.key.split("/"):
            fault = "it is absolute, or has an empty segment"
        if fault is None and job_of(file.key) != job:
            fault = f"it is not the name of a file of job {job}"
        if fault is not None:
            raise refused_document(path, "the file", file.key, fault)


def check_record(record: Record, job: str, path: str) -> None:
    """Checks that a record replaces only files that an overwrite of its root can replace, and names only claims of its job.

    Keys with empty segments are accepted: object stores have them.

    Args:
        record: content of the document.
        job: id of the job, from the name of the document.
        path: path of the document, for messages.

    Raises:
        CorruptFileError: an append replaces a file; or a key has a hidden segment, is a directory, or is a file of the job; or
            a claim that the job may not hold.
    """
    for file in record.replaces:
        fault = "an append replaces nothing" if mode_of(job) != "overwrite" else _fault_of(file.key)
        if fault is None and job_of(file.key) == job:
            fault = "a job does not replace its own files"
        if fault is not None:
            raise refused_document(path, "the replaced file", file.key, fault)
    for claim in record.claims:
        found = split_claim_key(CLAIMS + claim) if len(claim) < _LONGEST_CLAIM and claim.startswith(_CHAINS) else None
        if found is None or not may_claim(job, found[0]):
            raise refused_document(path, "the claim", claim, f"it is not a claim of job {job}")


def check_claim(claim: Claim, chain: str, path: str) -> None:
    """Checks that the job that holds a claim belongs to the chain of the claim.

    Args:
        claim: content of the document.
        chain: chain of the claim, from the path of the document.
        path: path of the document, for messages.

    Raises:
        CorruptFileError: the job belongs to another chain.
    """
    if not may_claim(claim.job, chain):
        raise refused_document(path, "the job", claim.job, f"it does not belong to chain {chain}")


def refused_document(path: str, what: str, name: str, reason: str) -> CorruptFileError:
    """Returns the error for a document that names something it cannot be about."""
    return CorruptFileError(
        f"{path} names {what} {name[:_SHOWN]!r}: {reason}; nothing of it was acted on. Only pyspark-logs may write below _commits/ and"
        " _claims/; look at the file, find out who wrote it, and delete it if pyspark-logs did not write it."
    )


def _fault_of(key: str) -> str | None:
    """Returns the reason why a key cannot be that of a data file; ``None`` if it can."""
    if not key or key.endswith("/"):
        return "it is not a file"
    if "\0" in key:
        return "it has a NUL character"
    if is_hidden_key(key):
        return "it has a hidden segment ('..' and names that begin with '_' or '.')"
    try:
        key.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return "it has a character that no file name has"
    return None
