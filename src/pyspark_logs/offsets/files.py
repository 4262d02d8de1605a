"""Files as streams know them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StreamFile:
    """A file as a stream knows it.

    Attributes:
        key: names it below the stream's root.
        size: bytes, as stored.
        modified_ms: the time that counts, in milliseconds since the epoch: of its modification, or of the decision of
            the write job it belongs to, where that is later.
        etag: its version; ``""`` where the store has none.
        layout_start_us: start of the interval that its path stands for, in microseconds since the epoch; None: the
            path has no time.
        layout_end_us: end of that interval, exclusive.
        values: of the partition columns in its path.
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
    """The files of one batch, and what is needed to read them without listing anything.

    Attributes:
        columns: the names of the partition columns, of which the files have the values.
        slack_us: how far records drift from their path's time, in microseconds.
        files: in order of (modified, key).
    """

    columns: tuple[str, ...] = ()
    slack_us: int = 0
    files: tuple[StreamFile, ...] = ()


NOTHING = BatchPlan()
