"""All errors of this package, in one tree.

::

    LogSourceError
    ├── OptionError(ValueError)          an option is unknown, missing, contradictory or has a bad value
    ├── FormatError(ValueError)          the description of a line format cannot be compiled
    ├── LayoutError(ValueError)          the description of a path layout cannot be compiled
    ├── SchemaError(ValueError)          a schema has a column or a type that the format cannot give
    ├── RecordError(ValueError)          a record does not match its format (mode=FAILFAST)
    ├── CorruptFileError                 a file's bytes cannot be decompressed or decoded
    ├── SnapshotChangedError             a file was replaced or deleted between planning and reading
    ├── CommitConflictError              another writer or a recovery was faster: no file of the job is visible
    ├── CommitStateUnknownError          it is unknown if a job is committed
    └── StoreError(OSError)              the object store or the file system refused or failed
        ├── PathNotFoundError(FileNotFoundError)
        ├── AccessDeniedError(PermissionError)
        ├── TruncatedBodyError           fewer bytes arrived than the store announced
        ├── ReadOnlyStoreError           the store cannot be written to, or cannot commit safely
        └── CircuitOpenError             too many consecutive failures: the task stops

Each message names the problem, its location, and a remedy. Errors keep their attributes when pickled, because Spark
sends them from executors to the driver.
"""

from __future__ import annotations

import re
from typing import Any

# Tabs stay, and line ends before indented lines: messages about pasted configuration show it below. Other line ends are those of
# names, which must not forge a line of a log.
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|\n(?!    )")


def _rebuild(cls: type[LogSourceError], message: str, state: dict[str, Any]) -> LogSourceError:
    error = cls(message)
    error.__dict__.update(state)
    return error


class LogSourceError(Exception):
    """Base class of all errors of this package; ``str(error)`` is the message.

    Control characters and line ends of paths and records are escaped in the message: they could control a terminal, and
    forge lines of a log.
    """

    def __init__(self, message: str) -> None:
        message = _CONTROL_CHARACTERS.sub(lambda match: f"\\x{ord(match[0]):02x}", message)
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # OSError.__reduce__ passes positional arguments to the constructor and loses attributes.
        return _rebuild, (type(self), self.message, dict(self.__dict__))


class OptionError(LogSourceError, ValueError):
    """Unknown, missing or contradictory option, or option with a bad value."""


class FormatError(LogSourceError, ValueError):
    """Invalid description of a line format (template, preset, ...)."""


class LayoutError(LogSourceError, ValueError):
    """Invalid description of a path layout."""


class SchemaError(LogSourceError, ValueError):
    """Column or type of a schema that the format cannot give."""


class RecordError(LogSourceError, ValueError):
    """Record that does not match its format, with ``mode=FAILFAST``.

    Attributes:
        path: path of the file.
        offset: offset of the record in the uncompressed file, in bytes.
        record: text of the record, truncated to 200 characters.
    """

    def __init__(self, message: str, path: str = "", offset: int = -1, record: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.offset = offset
        self.record = record


class CorruptFileError(LogSourceError):
    """File that cannot be decompressed or decoded."""


class SnapshotChangedError(LogSourceError):
    """File that was overwritten or deleted after the query was planned."""


class CommitConflictError(LogSourceError):
    """Conflict with another writer or a recovery; no file of the job is visible.

    Attributes:
        job: id of the job that was not committed.
    """

    def __init__(self, message: str, job: str = "") -> None:
        super().__init__(message)
        self.job = job


class CommitStateUnknownError(LogSourceError):
    """Commit with an unknown result; the files of the job must not be deleted.

    Attributes:
        job: id of the job.
    """

    def __init__(self, message: str, job: str = "") -> None:
        super().__init__(message)
        self.job = job


class StoreError(LogSourceError, OSError):
    """Refusal or failure of the object store or the file system."""


class PathNotFoundError(StoreError, FileNotFoundError):
    """Path, bucket or key that does not exist."""


class AccessDeniedError(StoreError, PermissionError):
    """Missing or wrong credentials, or missing permissions."""


class TruncatedBodyError(StoreError):
    """Response with fewer bytes than the store announced."""


class ReadOnlyStoreError(StoreError):
    """A read-only store, or a store without the create-only write on which commits depend."""


class CircuitOpenError(StoreError):
    """Failure of ``maxConsecutiveFailures`` consecutive requests, which ends the task; the cause is the last failure."""
