"""Job ids, keys of records, intents and claims, and names of data files. All keys are relative to the root.

A job id has 35 characters of ``[0-9a-z]``; ids sort by time, and the keys of one job are neighbours in key order::

    0hq1ol1dkw0 kp1kmt3fy57l9 q3v8k2m9x0 a
    time        random        chain      mode

``chain`` identifies the chain of claims that may keep the job's record: ten zeros for none, else ``t`` (a ``txnId``) or
``q`` (a streaming query) and a hash of the chain's name. A commit so finds from a listing alone the old records that no
claim needs any more.
"""

from __future__ import annotations

import re
from hashlib import sha256

COMMITS = "_commits/"
CLAIMS = "_claims/"
STAGING = "_staging/"
OVERWRITE_CHAIN = "overwrite"
NO_TAG = "0" * 10

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TIME, _RANDOM, _HASH = 11, 13, 9
_MODES = {"append": "a", "overwrite": "o"}
_JOB = r"[0-9a-z]{24}(?:0{10}|[tq][0-9a-z]{9})[ao]"
_JOB_ID = re.compile(_JOB)
_PART = re.compile(rf"part-[0-9]{{5,}}-[0-9]+-({_JOB})-[0-9]+(?:\..*)?", re.DOTALL)
_DOCUMENT = re.compile(rf"({_JOB})(~intent)?\.json")
_RETENTION = re.compile(r"\.retention-([0-9]{1,18})-([0-9]{1,18})")
_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))?")
_KEPT_IN_CHAIN = re.compile(r"[0-9A-Za-z.\-]")
_LONGEST_CHAIN = 150


def new_job_id(mode: str, now_us: int, random: bytes | str, chain: str = "") -> str:
    """Returns the id of a new job.

    Args:
        mode: ``append`` or ``overwrite``.
        now_us: microseconds since the epoch; ids sort by it.
        random: text or bytes with at least 64 bits of randomness, which no other job uses. The same arguments give the
            same id, so that the tasks of a streaming batch agree on the id without communication.
        chain: ``Transaction.chain`` of the job's transaction; empty without a transaction.

    Example:
        >>> new_job_id("append", 1_800_000_000_000_000, "seed")
        '0hq1ol1dkw0kp1kmt3fy57l90000000000a'
    """
    digest = sha256(random.encode() if isinstance(random, str) else random).digest()
    return _base36(now_us, _TIME) + _base36(_number(digest), _RANDOM) + chain_tag(chain) + _MODES[mode]


def chain_tag(chain: str) -> str:
    """Returns the ten characters of a job id that identify its chain."""
    if not chain:
        return NO_TAG
    return ("t" if chain.startswith("txn-") else "q") + _base36(_number(sha256(chain.encode()).digest()), _HASH)


def tag_of(job: str) -> str:
    """Returns the characters of a job id that come from :func:`chain_tag`."""
    return job[_TIME + _RANDOM : -1]


def mode_of(job: str) -> str:
    """Returns the mode of a job, ``append`` or ``overwrite``."""
    return "overwrite" if job.endswith("o") else "append"


def may_claim(job: str, chain: str) -> bool:
    """True if a job may hold a claim of a chain: it is an overwrite, or its id has the tag of the chain."""
    return mode_of(job) == "overwrite" if chain == OVERWRITE_CHAIN else tag_of(job) == chain_tag(chain)


def created_us_of(job: str) -> int:
    """Returns the creation time of a job by its driver's clock, in microseconds since the epoch."""
    return int(job[:_TIME], 36)


def random_of(job: str) -> int:
    """Returns the random part of a job id as a number from 0 to ``36 ** _RANDOM - 1``, with equal probability for each."""
    return int(job[_TIME : _TIME + _RANDOM], 36)


def is_job_id(text: str) -> bool:
    """True if a text has the form of a job id."""
    return _JOB_ID.fullmatch(text) is not None


def record_key(job: str) -> str:
    """Returns the key of the job's record, whose creation is the commit."""
    return f"{COMMITS}{job}.json"


def intent_key(job: str) -> str:
    """Returns the key of the job's intent, which directly follows the record in key order."""
    return f"{COMMITS}{job}~intent.json"


def split_document_key(key: str) -> tuple[str, bool] | None:
    """Returns the job of a key below ``_commits/`` and True for an intent; ``None`` if it is neither record nor intent."""
    match = _DOCUMENT.fullmatch(key.removeprefix(COMMITS))
    return None if match is None else (match[1], match[2] is not None)


def retention_key(record_us: int, txn_us: int) -> str:
    """Returns the key of the marker of the retentions, in microseconds, that a writer asked for at the root.

    Listings show the values without a further request, and in key order the markers precede all records.

    Example:
        >>> retention_key(86_400_000_000, 0)
        '_commits/.retention-86400000000-0'
    """
    return f"{COMMITS}.retention-{record_us}-{txn_us}"


def split_retention_key(key: str) -> tuple[int, int] | None:
    """Returns the retentions of a marker's key; ``None`` for other keys."""
    match = _RETENTION.fullmatch(key.removeprefix(COMMITS))
    return None if match is None else (int(match[1]), int(match[2]))


def cursor_key(job: str) -> str:
    """Returns the key of the marker of the job at which a search for expired records continues."""
    return f"{COMMITS}.next-{job}"


def split_cursor_key(key: str) -> str | None:
    """Returns the job of a marker's key; ``None`` for other keys."""
    job = key.removeprefix(f"{COMMITS}.next-")
    return job if job != key and is_job_id(job) else None


def claim_key(chain: str, number: tuple[int, ...]) -> str:
    """Returns the key of a claim.

    Example:
        >>> claim_key("overwrite", (7,)), claim_key("query-8c1f", (12, 1))
        ('_claims/overwrite/7', '_claims/query-8c1f/12.1')
    """
    return f"{CLAIMS}{chain}/{'.'.join(map(str, number))}"


def split_claim_key(key: str) -> tuple[str, tuple[int, ...]] | None:
    """Returns chain and number of a key below ``_claims/``; ``None`` if :func:`claim_key` does not make the key."""
    chain, _, name = key.removeprefix(CLAIMS).partition("/")
    if not chain or _NUMBER.fullmatch(name) is None:
        return None
    number = tuple(map(int, name.split(".")))
    return (chain, number) if len(number) == (2 if chain.startswith("query-") else 1) else None


def chain_of(kind: str, name: str) -> str:
    """Returns the name of a chain, ``txn-<txnId>`` or ``query-<id>``, with other characters than ``[0-9A-Za-z.-]`` escaped.

    Example:
        >>> chain_of("txn", "2026-11-24/eu")
        'txn-2026-11-24_2feu'
    """
    escaped = "".join(
        char
        if _KEPT_IN_CHAIN.fullmatch(char)
        else "".join(f"_{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in name
    )
    if len(escaped) > _LONGEST_CHAIN:
        # A local file name has at most 255 bytes. No other escaped name contains "__".
        escaped = escaped[: _LONGEST_CHAIN - 66] + "__" + sha256(escaped.encode()).hexdigest()
    return f"{kind}-{escaped}"


def part_name(task: int, attempt: int, job: str, number: int, extension: str) -> str:
    """Returns the name of a data file.

    Args:
        task: index of the task.
        attempt: attempt of the task.
        job: job id.
        number: index of the file within the attempt.
        extension: extension without its leading dot; may be empty.

    Example:
        >>> part_name(3, 0, "<job>", 1, "log.gz")
        'part-00003-0-<job>-1.log.gz'
    """
    return f"part-{task:05d}-{attempt}-{job}-{number}" + (f".{extension}" if extension else "")


def job_of(path: str) -> str | None:
    """Returns the job in the name of a data file; ``None`` if no job wrote the file."""
    match = _PART.fullmatch(path, path.rfind("/") + 1)
    return None if match is None else match[1]


def _number(digest: bytes) -> int:
    return int.from_bytes(digest[:16], "big")


def _base36(number: int, width: int) -> str:
    """Returns the last ``width`` base-36 digits of a number."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
