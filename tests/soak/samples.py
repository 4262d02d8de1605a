"""Memory and descriptors of processes, sampled from ``/proc``, and the bound of their growth."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass, field
from pathlib import Path

# Bounds of the growth from the third fifth of the samples to the last one: on a busy machine, programs need minutes to load
# their libraries and to reach their largest request. Allocators keep freed memory.
MAX_GROWTH_MB, MAX_GROWTH_DESCRIPTORS = 16.0, 8


@dataclass(frozen=True)
class Sample:
    """Resources of a process at one time.

    Attributes:
        resident_mb: resident memory.
        descriptors: number of open descriptors.
        threads: number of threads.
    """

    resident_mb: float
    descriptors: int
    threads: int

    @classmethod
    def of(cls, pid: int) -> Sample | None:
        """Returns the resources of a process; None if it has ended."""
        folder = Path(f"/proc/{pid}")
        try:
            pages = int((folder / "statm").read_text().split()[1])
            descriptors = len(list((folder / "fd").iterdir()))
            threads = len(list((folder / "task").iterdir()))
        except OSError:
            return None
        return cls(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, descriptors, threads)


@dataclass
class Series:
    """Samples of a process that runs all the time.

    Attributes:
        name: name of the process.
        samples: the samples so far.
    """

    name: str
    samples: list[Sample] = field(default_factory=list)

    def growth(self) -> tuple[float, float]:
        """Returns the growth of the medians of memory in MB and of descriptors, from the third fifth to the last one."""
        fifth = max(1, len(self.samples) // 5)
        early, late = self.samples[2 * fifth : 3 * fifth] or self.samples, self.samples[-fifth:]
        memory, descriptors = (
            statistics.median(getattr(sample, name) for sample in late)
            - statistics.median(getattr(sample, name) for sample in early)
            for name in ("resident_mb", "descriptors")
        )
        return memory, descriptors

    def grows(self) -> bool:
        """True if the growth exceeds a bound."""
        memory, descriptors = self.growth()
        return memory > MAX_GROWTH_MB or descriptors > MAX_GROWTH_DESCRIPTORS

    def row(self) -> str:
        """Returns the row of the table: the process at a fifth, two, three, four fifths, and at the end."""
        count = len(self.samples)
        shown = [self.samples[max(0, count * part // 5 - 1)] for part in range(1, 6)] if count else []
        memory, descriptors = self.growth()
        cells = [f"{sample.resident_mb:6.1f} {sample.descriptors:4d} {sample.threads:3d}" for sample in shown]
        return f"{self.name:12} | {' | '.join(cells)} | {memory:+6.1f} {descriptors:+5.1f}"


def table(series: list[Series]) -> str:
    """Returns the table of all processes: megabytes, descriptors and threads at each fifth, and the growth."""
    heads = " | ".join(f"{f'{part}/5: MB  fds thr':>15}" for part in range(1, 6))
    return "\n".join([f"{'process':12} | {heads} | growth MB, fds", *(one.row() for one in series if one.samples)])
