"""The documents of a job as plain data, and as JSON.

======== ======================================================================================================
record   ``{"state": "committed", "replaces": [{"key": ..., "etag": ...}]}`` or ``{"state": "aborted"}``
intent   ``{"version": 1, "created": ..., "mode": ..., "transaction": ..., "files": [...]}``
claim    ``{"job": ...}``
======== ======================================================================================================

A document without ``version`` is of version 1. One of a later version is refused: what it means is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pyspark_logs.errors import CorruptFileError, OptionError
from pyspark_logs.jobs.names import (
    OVERWRITE_CHAIN,
    STAGING,
    chain_of,
    chain_tag,
    created_us_of,
    is_job_id,
    mode_of,
    new_job_id,
    tag_of,
)

VERSION = 1


@dataclass(frozen=True)
class StagedFile:
    """A file that a task wrote and that nobody sees yet: all that is needed to publish it.

    Attributes:
        key: the file it is to become, relative to the root.
        upload_id: of the upload that is open.
        parts: etags of its parts, in order.
        size: bytes.
        rows: records in it.
    """

    key: str
    upload_id: str
    parts: tuple[str, ...]
    size: int
    rows: int


@dataclass(frozen=True)
class Transaction:
    """What must happen once, however many jobs try.

    Attributes:
        chain: the chain of claims: ``txn-<txnId>`` or ``query-<id>``, escaped; make it with the class methods.
        batch: the batch of a streaming query; ``None`` for a ``txnId``.
    """

    chain: str
    batch: int | None = None

    @classmethod
    def of_id(cls, txn_id: str) -> Transaction:
        """The transaction that option ``txnId`` names."""
        return cls(chain_of("txn", txn_id))

    @classmethod
    def of_batch(cls, query_id: str, batch: int) -> Transaction:
        """One batch of a streaming query."""
        return cls(chain_of("query", query_id), batch)


@dataclass(frozen=True)
class Job:
    """One attempt to write.

    Attributes:
        id: see :mod:`pyspark_logs.jobs.names`.
        root: the directory written to, ending in ``/``.
        mode: ``append`` or ``overwrite``.
        scope: what an overwrite replaces: the ``table``, or the ``partitions`` (directories) that its files are in.
        transaction: what the job is an attempt at; ``None``: nothing that must happen once.
        created_us: microseconds since the epoch, by the driver's clock.

    Raises:
        OptionError: the id is malformed, or made for another mode or transaction.
    """

    id: str
    root: str
    mode: str = "append"
    scope: str = "table"
    transaction: Transaction | None = None
    created_us: int = 0

    def __post_init__(self) -> None:
        if not is_job_id(self.id):
            raise OptionError(f"{self.id!r} is not a job id; make it with new_job_id")
        if mode_of(self.id) != self.mode or tag_of(self.id) != chain_tag(self.chain):
            raise OptionError(
                f"job id {self.id} was not made for mode {self.mode!r} and chain {self.chain!r}; make it with new_job_id"
            )
        if not self.root.endswith("/"):
            raise OptionError(f"the root {self.root!r} of job {self.id} must end in a slash")

    @classmethod
    def start(
        cls,
        root: str,
        *,
        random: bytes | str,
        now_us: int,
        mode: str = "append",
        scope: str = "table",
        transaction: Transaction | None = None,
    ) -> Job:
        """A new job; for ``random`` see :func:`~pyspark_logs.jobs.names.new_job_id`."""
        job = new_job_id(mode, now_us, random, transaction.chain if transaction else "")
        return cls(job, root, mode, scope, transaction, created_us_of(job))

    @property
    def chain(self) -> str:
        """The chain of the transaction; empty without one."""
        return self.transaction.chain if self.transaction else ""

    @property
    def chains(self) -> tuple[str, ...]:
        """The chains the job must be the newest of, in the order of their claims."""
        own = (self.chain,) if self.chain else ()
        return (*own, OVERWRITE_CHAIN) if self.mode == "overwrite" else own

    @property
    def staging(self) -> str:
        """Where stores without invisible uploads keep the job's staged files."""
        return f"{self.root}{STAGING}{self.id}"


@dataclass(frozen=True)
class Intent:
    """What a job is about to publish; who finds it knows all that is to be undone or finished.

    Attributes:
        created_us: microseconds since the epoch, by the driver's clock.
        mode: ``append`` or ``overwrite``.
        transaction: of the job.
        files: all files of the job.
    """

    created_us: int
    mode: str
    transaction: Transaction | None
    files: tuple[StagedFile, ...]

    def to_json(self) -> bytes:
        """As bytes; equal intents give equal bytes."""
        return _dump(
            {
                "version": VERSION,
                "created": self.created_us,
                "mode": self.mode,
                "transaction": asdict(self.transaction) if self.transaction else None,
                "files": [asdict(file) for file in self.files],
            }
        )

    @classmethod
    def from_json(cls, data: bytes, path: str) -> Intent:
        """Raises CorruptFileError, which names ``path``, where it is none."""
        with _reading(path):
            values = _load(data, path)
            transaction = values["transaction"]
            return cls(
                int(values["created"]),
                str(values["mode"]),
                None if transaction is None else Transaction(str(transaction["chain"]), transaction["batch"]),
                tuple(_staged(file) for file in values["files"]),
            )


@dataclass(frozen=True, order=True)
class Replaced:
    """A version of a file that an overwrite takes the place of: its key relative to the root, and its etag."""

    key: str
    etag: str


COMMITTED = "committed"
ABORTED = "aborted"


@dataclass(frozen=True)
class Record:
    """The decision on a job.

    Attributes:
        state: ``committed`` or ``aborted``.
        replaces: what a committed overwrite replaces.
    """

    state: str
    replaces: tuple[Replaced, ...] = ()

    @property
    def committed(self) -> bool:
        """Whether the job's files are to be seen."""
        return self.state == COMMITTED

    def to_json(self) -> bytes:
        """As bytes."""
        if not self.committed:
            return _dump({"state": self.state})
        return _dump({"state": self.state, "replaces": [asdict(file) for file in self.replaces]})

    @classmethod
    def from_json(cls, data: bytes, path: str) -> Record:
        """Raises CorruptFileError, which names ``path``, where it is none."""
        with _reading(path):
            values = _load(data, path)
            state = values["state"]
            if state not in (COMMITTED, ABORTED):
                raise ValueError(f"state {state!r}")
            replaces = values["replaces"] if state == COMMITTED else ()
            return cls(state, tuple(Replaced(str(file["key"]), str(file["etag"])) for file in replaces))


@dataclass(frozen=True)
class Claim:
    """The job that took a number of a chain."""

    job: str

    def to_json(self) -> bytes:
        """As bytes."""
        return _dump({"job": self.job})

    @classmethod
    def from_json(cls, data: bytes, path: str) -> Claim:
        """Raises CorruptFileError, which names ``path``, where it is none."""
        with _reading(path):
            job = _load(data, path)["job"]
            if not is_job_id(job):
                raise ValueError(f"job {job!r}")
            return cls(job)


class _reading:  # noqa: N801 - reads as the statement it is
    """What is wrong with a document inside becomes a CorruptFileError."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (ValueError, KeyError, TypeError, AttributeError)) and not isinstance(
            error, CorruptFileError
        ):
            raise CorruptFileError(
                f"{self._path} is not a document of a write job ({type(error).__name__}: {error}). Nothing but pyspark-logs may "
                "write below _commits/ and _claims/; look at the file, and delete it if it is not of ours."
            ) from error


def _load(data: bytes, path: str) -> Mapping[str, Any]:
    values = json.loads(data)
    version = values.get("version", VERSION)
    if version != VERSION:
        raise CorruptFileError(
            f"{path} is of version {version!r}; this pyspark-logs knows version {VERSION}. Upgrade what reads and writes here."
        )
    return values


def _dump(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode()


def _staged(values: Mapping[str, Any]) -> StagedFile:
    return StagedFile(
        str(values["key"]),
        str(values["upload_id"]),
        tuple(map(str, values["parts"])),
        int(values["size"]),
        int(values["rows"]),
    )
