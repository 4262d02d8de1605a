"""The state of a read, and the requests of a process, for progress bars."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark_logs.errors import OptionError
from pyspark_logs.store import count_requests

__all__ = ["ReadProgress", "count_requests"]


@dataclass(frozen=True)
class ReadProgress:
    """The state of a running check or scan.

    Attributes:
        done: stored bytes of the splits that are complete.
        total: stored bytes of all splits.
        records: records so far.
        corrupt: records so far that do not match.
        seconds: time since the start.
    """

    done: int
    total: int
    records: int
    corrupt: int
    seconds: float

    @property
    def remaining_s(self) -> float | None:
        """Estimate of the remaining seconds; None before the first split is complete."""
        return (self.total - self.done) * self.seconds / self.done if self.done else None


def check_progress(progress: object) -> None:
    """Checks the argument ``progress`` before anything is read.

    Raises:
        OptionError: it is neither a function nor None.
    """
    if progress is not None and not callable(progress):
        raise OptionError(
            f"progress: {progress!r} is not a function of a ReadProgress; write progress=print, for example"
        )
