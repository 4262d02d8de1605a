"""Documents of a job as dataclasses, and their JSON.

======== ======================================================================================================
record   ``{"state": "committed", "replaces": [{"key": ..., "etag": ...}]}`` or ``{"state": "aborted"}``; the record of
         a committed job that holds claims names them: ``"claims": ["txn-x/1"]``
intent   ``{"version": 1, "created": ..., "mode": ..., "transaction": ..., "files": [...]}``
claim    ``{"job": ...}``; with ``"state": "committed"`` once the claim replaces the record of its job
======== ======================================================================================================

The files of an intent have ``key`` and ``upload_id``; intents of earlier builds have more values, which nothing reads. A
document of more than 64 KiB is compressed with gzip, and is subject to the same limits when it is read.

A document without ``version`` has version 1. Documents of other versions are refused, and so are values of other types than
a document is written with. :mod:`pyspark_logs.jobs.document_checks` checks the keys that a document names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from pyspark_logs.errors import CorruptFileError, OptionError
from pyspark_logs.jobs.document_compression import compress_document, expand_document
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

# Limits for reading and writing, before compression. An intent has about 250 to 500 bytes a file, a record about 150 bytes a
# replaced file.
MAX_DOCUMENT_BYTES = 256 << 20
MAX_CLAIM_BYTES = 64 << 10


@dataclass(frozen=True)
class StagedUpload:
    """A file that a task wrote and that is not visible yet, with all data needed to undo it.

    Attributes:
        key: key of the published file, relative to the root.
        upload_id: id of the open upload.
    """

    key: str
    upload_id: str


@dataclass(frozen=True)
class StagedFile(StagedUpload):
    """A file that a task wrote and that is not visible yet, with all data needed to publish it.

    Attributes:
        key: key of the published file, relative to the root.
        upload_id: id of the open upload.
        parts: etags of the upload's parts, in order.
        size: size in bytes.
        rows: number of records.
    """

    parts: tuple[str, ...]
    size: int
    rows: int


@dataclass(frozen=True)
class Transaction:
    """A write that takes effect once, however many jobs attempt it.

    Attributes:
        chain: chain of claims, ``txn-<txnId>`` or ``query-<id>``, escaped by the class methods.
        batch: batch of a streaming query; ``None`` for a ``txnId``.
    """

    chain: str
    batch: int | None = None

    @classmethod
    def of_id(cls, txn_id: str) -> Transaction:
        """Returns the transaction of the option ``txnId``."""
        return cls(chain_of("txn", txn_id))

    @classmethod
    def of_batch(cls, query_id: str, batch: int) -> Transaction:
        """Returns the transaction of one batch of a streaming query."""
        return cls(chain_of("query", query_id), batch)


@dataclass(frozen=True)
class Job:
    """One attempt to write.

    Attributes:
        id: job id; :mod:`pyspark_logs.jobs.names` describes its form.
        root: directory written to, ending in ``/``.
        mode: ``append`` or ``overwrite``.
        scope: scope of an overwrite: ``table``, or ``partitions``, the directories that its files are in.
        transaction: transaction that the job attempts; ``None`` for a write that may take effect twice.
        created_us: creation time by the driver's clock, microseconds since the epoch.

    Raises:
        OptionError: the id is malformed, or belongs to another mode or transaction.
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
        """Returns a new job; :func:`~pyspark_logs.jobs.names.new_job_id` describes ``random``."""
        job = new_job_id(mode, now_us, random, transaction.chain if transaction else "")
        return cls(job, root, mode, scope, transaction, created_us_of(job))

    @property
    def chain(self) -> str:
        """Chain of the transaction; empty without a transaction."""
        return self.transaction.chain if self.transaction else ""

    @property
    def chains(self) -> tuple[str, ...]:
        """Chains in which the job must hold the newest claim, in the order in which it claims them."""
        transaction = (self.chain,) if self.chain else ()
        return (*transaction, OVERWRITE_CHAIN) if self.mode == "overwrite" else transaction

    @property
    def staging(self) -> str:
        """Directory of the job's staged files, in stores without invisible uploads."""
        return f"{self.root}{STAGING}{self.id}"


@dataclass(frozen=True)
class Intent:
    """The files that a job is about to publish: a recovery needs nothing else to undo the job.

    Attributes:
        created_us: creation time of the job by the driver's clock, microseconds since the epoch.
        mode: ``append`` or ``overwrite``.
        transaction: transaction of the job.
        files: all files of the job.
    """

    created_us: int
    mode: str
    transaction: Transaction | None
    files: tuple[StagedUpload, ...]

    def to_json(self) -> bytes:
        """Returns the document; equal intents give equal bytes."""
        return _dump(
            {
                "version": VERSION,
                "created": self.created_us,
                "mode": self.mode,
                "transaction": asdict(self.transaction) if self.transaction else None,
                "files": [{"key": file.key, "upload_id": file.upload_id} for file in self.files],
            }
        )

    @classmethod
    def from_json(cls, data: bytes, path: str) -> Intent:
        """Returns the document in ``data``; raises CorruptFileError, which names ``path``, if it is malformed."""
        with _corrupt_file_errors(path):
            values = _load(data, path)
            return cls(
                _integer(values, "created"),
                _text(values, "mode"),
                _transaction(values["transaction"]),
                tuple(StagedUpload(_text(file, "key"), _text(file, "upload_id")) for file in _list(values, "files")),
            )


@dataclass(frozen=True, order=True)
class Replaced:
    """A file version that an overwrite replaces.

    Attributes:
        key: key relative to the root.
        etag: etag of the version.
    """

    key: str
    etag: str


COMMITTED = "committed"
ABORTED = "aborted"


@dataclass(frozen=True)
class Record:
    """The decision on a job.

    Attributes:
        state: ``committed`` or ``aborted``.
        replaces: file versions that a committed overwrite replaces.
        claims: claims that a committed job holds, as ``<chain>/<number>``.
    """

    state: str
    replaces: tuple[Replaced, ...] = ()
    claims: tuple[str, ...] = ()

    @property
    def committed(self) -> bool:
        """True if the job is committed."""
        return self.state == COMMITTED

    def to_json(self) -> bytes:
        """Returns the JSON document."""
        if not self.committed:
            return _dump({"state": self.state})
        # A comprehension over the attributes: asdict() takes ten times as long.
        replaces = [{"key": file.key, "etag": file.etag} for file in self.replaces]
        claims = {"claims": list(self.claims)} if self.claims else {}
        return _dump({"state": self.state, "replaces": replaces, **claims})

    @classmethod
    def from_json(cls, data: bytes, path: str) -> Record:
        """Returns the document in ``data``; raises CorruptFileError, which names ``path``, if it is malformed."""
        with _corrupt_file_errors(path):
            values = _load(data, path)
            state = _text(values, "state")
            if state not in (COMMITTED, ABORTED):
                raise ValueError(f"state {state!r:.40}")
            replaces = _list(values, "replaces") if state == COMMITTED else []
            claims = _texts(values, "claims") if state == COMMITTED and "claims" in values else ()
            return cls(state, tuple(Replaced(_text(file, "key"), _text(file, "etag")) for file in replaces), claims)


@dataclass(frozen=True)
class Claim:
    """A number of a chain, taken by a job.

    Attributes:
        job: id of the job.
        committed: True if the job is committed and its record may be gone. False says nothing: the record decides.
    """

    job: str
    committed: bool = False

    def to_json(self) -> bytes:
        """Returns the JSON document."""
        return _dump({"job": self.job, "state": COMMITTED} if self.committed else {"job": self.job})

    @classmethod
    def from_json(cls, data: bytes, path: str) -> Claim:
        """Returns the document in ``data``; raises CorruptFileError, which names ``path``, if it is malformed."""
        with _corrupt_file_errors(path):
            values = _load(data, path, MAX_CLAIM_BYTES)
            job = _text(values, "job")
            if not is_job_id(job):
                raise ValueError(f"job {job!r:.40}")
            state = _text(values, "state") if "state" in values else None
            if state not in (COMMITTED, None):
                raise ValueError(f"state {state!r:.40}")
            return cls(job, state == COMMITTED)


@contextmanager
def _corrupt_file_errors(path: str) -> Iterator[None]:
    """Turns errors in the content of a document into a CorruptFileError that names its path."""
    try:
        yield
    except CorruptFileError:
        raise
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise CorruptFileError(
            f"{path} is not a document of a write job ({type(error).__name__}: {error}); nothing of it was acted on. Only"
            " pyspark-logs may write below _commits/ and _claims/; look at the file, and delete it if pyspark-logs did not write"
            " it."
        ) from error


def _load(data: bytes, path: str, max_bytes: int | None = None) -> Mapping[str, Any]:
    values = json.loads(expand_document(data, MAX_DOCUMENT_BYTES if max_bytes is None else max_bytes))
    if type(values) is not dict:
        raise _wrong_type("document", values, "an object")
    version = values.get("version", VERSION)
    if type(version) is not int or version != VERSION:
        raise CorruptFileError(
            f"{path} has version {version!s:.40}; this pyspark-logs reads version {VERSION}. Upgrade pyspark-logs in every job"
            " that reads or writes here."
        )
    return values


def _dump(values: Mapping[str, Any]) -> bytes:
    return compress_document(json.dumps(values, ensure_ascii=True, separators=(",", ":")).encode())


def _transaction(values: Mapping[str, Any] | None) -> Transaction | None:
    if values is None:
        return None
    return Transaction(_text(values, "chain"), None if values["batch"] is None else _integer(values, "batch"))


# Values are not converted: int(1e999) is an OverflowError, str({}) a key, and True an integer.


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values[name]
    if type(value) is not str:
        raise _wrong_type(name, value, "a string")
    return value


def _integer(values: Mapping[str, Any], name: str) -> int:
    value = values[name]
    if type(value) is not int:
        raise _wrong_type(name, value, "an integer")
    return value


def _list(values: Mapping[str, Any], name: str) -> list[Any]:
    value = values[name]
    if type(value) is not list:
        raise _wrong_type(name, value, "a list")
    return value


def _texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    texts = _list(values, name)
    for text in texts:
        if type(text) is not str:
            raise _wrong_type(name, text, "strings")
    return tuple(texts)


def _wrong_type(name: str, value: object, expected: str) -> TypeError:
    return TypeError(f"{name}: expected {expected}, got {type(value).__name__}")
