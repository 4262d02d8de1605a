"""Files and batches of a stream."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamFile:
    """A file of a stream.

    Attributes:
        key: key relative to the stream's root.
        size: stored size in bytes.
        modified_ms: modification time in milliseconds since the epoch, or the time of the decision on the write job that
            wrote the file if that is later.
        etag: version of the file; ``""`` if the store has none.
        layout_start_us: start of the time interval in the file's path, in microseconds since the epoch; None if the path
            has no time.
        layout_end_us: exclusive end of that interval.
        values: values of the partition columns in the path.
    """

    key: str
    size: int
    modified_ms: int
    etag: str
    layout_start_us: int | None = None
    layout_end_us: int | None = None
    values: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class BatchPlan:
    """The files of one batch, with everything needed to read them without listing.

    Attributes:
        columns: names of the partition columns whose values the files hold.
        slack_us: maximum distance of a record's time from the time in its path, in microseconds.
        files: files in the order of (modified_ms, key).
    """

    columns: tuple[str, ...] = ()
    slack_us: int = 0
    files: tuple[StreamFile, ...] = ()


EMPTY_BATCH = BatchPlan()


@dataclass(frozen=True)
class FullListing:
    """A completed listing of all prefixes.

    Attributes:
        started_ms: time at which the listing began, milliseconds since the epoch.
        took_ms: duration in milliseconds.
    """

    started_ms: int
    took_ms: int


def file_order(file: StreamFile) -> tuple[int, str, str]:
    """Returns the position of a file in the order in which batches take files."""
    return file.modified_ms, file.key, file.etag


def identity_hash(file: StreamFile, identity: str) -> int:
    """Returns a hash of 64 bits of the identity of a file: its key, or its key and etag.

    Args:
        file: the file.
        identity: ``key`` or ``key+etag``.
    """
    # File names that are not UTF-8 hold surrogates in Python (PEP 383).
    name = file.key if identity == "key" else f"{file.key}\0{file.etag}"
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def same_version_until_ms(second: int, lateness_ms: int) -> int:
    """Returns the latest modification time of versions that count as the one modified in a second."""
    return second * 1000 + 999 + lateness_ms
