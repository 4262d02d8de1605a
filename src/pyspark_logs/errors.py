"""Every error this package raises, in one tree.

::

    LogSourceError
    ├── OptionError(ValueError)          an option is unknown, missing, contradictory or has a bad value
    ├── FormatError(ValueError)          the description of a line format cannot be compiled
    ├── LayoutError(ValueError)          the description of a path layout cannot be compiled
    ├── SchemaError(ValueError)          a schema asks for a column or a type that cannot be had
    ├── RecordError(ValueError)          a record does not match its format (mode=FAILFAST)
    ├── CorruptFileError                 a file's bytes cannot be decompressed or decoded
    ├── SnapshotChangedError             a file changed or went away between planning and reading
    ├── CommitConflictError              another writer, or a recovery, got there first: nothing of the job is visible
    ├── CommitStateUnknownError          a job was decided, and how cannot be found out
    └── StoreError(OSError)              the object store or file system said no
        ├── PathNotFoundError(FileNotFoundError)
        ├── AccessDeniedError(PermissionError)
        ├── TruncatedBodyError           fewer bytes arrived than were promised
        ├── ReadOnlyStoreError           the store cannot be written to, or not so that a commit is safe
        └── CircuitOpenError             too many failures in a row: the task stops asking

Each message says what was wrong, where, and what to do. All of them survive pickling with their
attributes, because Spark sends them from executors to the driver.
"""

from __future__ import annotations

from typing import Any


def _rebuild(cls: type[LogSourceError], message: str, state: dict[str, Any]) -> LogSourceError:
    error = cls(message)
    error.__dict__.update(state)
    return error


class LogSourceError(Exception):
    """Base of all errors of this package; ``str(error)`` is the whole message."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # OSError's own __reduce__ replays positional arguments and loses attributes.
        return _rebuild, (type(self), self.message, dict(self.__dict__))


class OptionError(LogSourceError, ValueError):
    """An option is unknown, missing, contradictory or has a bad value."""


class FormatError(LogSourceError, ValueError):
    """The description of a line format (template, preset, ...) cannot be compiled."""


class LayoutError(LogSourceError, ValueError):
    """The description of a path layout cannot be compiled."""


class SchemaError(LogSourceError, ValueError):
    """A schema asks for a column or a type that the format cannot give."""


class RecordError(LogSourceError, ValueError):
    """A record does not match its format, and ``mode`` is ``FAILFAST``.

    Attributes:
        path: the file.
        offset: byte offset of the record's first byte in the uncompressed file.
        record: the record's text, cut at 200 characters.
    """

    def __init__(self, message: str, path: str = "", offset: int = -1, record: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.offset = offset
        self.record = record


class CorruptFileError(LogSourceError):
    """A file's bytes cannot be decompressed or decoded."""


class SnapshotChangedError(LogSourceError):
    """A file was overwritten or deleted after the query was planned."""


class CommitConflictError(LogSourceError):
    """Another writer, or a recovery, got there first; nothing of this job is visible.

    Attributes:
        job: id of the job that was not committed.
    """

    def __init__(self, message: str, job: str = "") -> None:
        super().__init__(message)
        self.job = job


class CommitStateUnknownError(LogSourceError):
    """Whether the job is committed cannot be found out; its files must not be deleted.

    Attributes:
        job: id of the job.
    """

    def __init__(self, message: str, job: str = "") -> None:
        super().__init__(message)
        self.job = job


class StoreError(LogSourceError, OSError):
    """The object store or the file system refused or failed."""


class PathNotFoundError(StoreError, FileNotFoundError):
    """A path, bucket or key does not exist."""


class AccessDeniedError(StoreError, PermissionError):
    """Credentials are missing, wrong or not allowed to do this."""


class TruncatedBodyError(StoreError):
    """Fewer bytes arrived than the store had promised."""


class ReadOnlyStoreError(StoreError):
    """The store cannot be written to, or has no create-only write and so nothing that a commit could rest on."""


class CircuitOpenError(StoreError):
    """``maxConsecutiveFailures`` requests failed in a row; the cause is the last of them."""
