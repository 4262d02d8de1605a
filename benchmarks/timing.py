"""Timing by rounds: each round runs every contender once, so that a slow phase of the machine affects all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """The result of contenders that did the same work.

    Attributes:
        title: title of the comparison.
        against: name of the contender that the others are compared with.
        seconds: seconds of each contender in each round.
        size: bytes of text that each contender processed.
    """

    title: str
    against: str
    seconds: Mapping[str, list[float]]
    size: int

    def ratios(self) -> dict[str, float]:
        """Returns how many times longer than ``against`` each other contender takes, the median of the paired rounds."""
        return {
            name: ratio(self.seconds[self.against], times)
            for name, times in self.seconds.items()
            if name != self.against
        }

    def markdown(self) -> str:
        """Returns a table with a row for each contender; MB/s are 10^6 bytes of text a second at the median."""
        lines = [f"**{self.title}**", "", "| | MB/s | s | ratio |", "| --- | ---: | ---: | ---: |"]
        ratios = self.ratios()
        for name, times in self.seconds.items():
            middle = statistics.median(times)
            shown = "1" if name == self.against else f"{ratios[name]:.2f} x"
            lines.append(f"| {name} | {self.size / middle / 1e6:.0f} | {middle:.2f} | {shown} |")
        return "\n".join(lines) + "\n"


CLOCKS = ("elapsed", "processor time")
"""Clocks of :func:`by_both_clocks`."""

COMPARISONS: list[Comparison] = []
"""All comparisons of this run, for the report."""


def in_turns(
    contenders: Mapping[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Returns the seconds of each contender in each round, without a first round that warms up.

    Args:
        contenders: functions by name.
        rounds: number of rounds.
        clock: clock of the seconds; ``time.process_time`` for the processor time of this process.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, run in contenders.items():
            started = clock()
            run()
            if turn:
                seconds[name].append(clock() - started)
    return seconds


def once(contenders: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Returns the seconds of one call of each contender, for runs that are too long for rounds."""
    seconds = {}
    for name, run in contenders.items():
        started = time.perf_counter()
        run()
        seconds[name] = [time.perf_counter() - started]
    return seconds


def by_both_clocks(
    contenders: Mapping[str, Callable[[], object]], rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Returns elapsed seconds and processor seconds of each contender in each round, see :func:`in_turns`."""
    processor: dict[str, list[float]] = {name: [] for name in contenders}

    def measured(name: str, run: Callable[[], object]) -> Callable[[], object]:
        def timed() -> None:
            started = time.process_time()
            run()
            processor[name].append(time.process_time() - started)

        return timed

    elapsed = in_turns({name: measured(name, run) for name, run in contenders.items()}, rounds)
    return elapsed, {name: seconds[1:] for name, seconds in processor.items()}


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Returns the median over the rounds of ``theirs / ours``."""
    return statistics.median(b / a for a, b in zip(ours, theirs, strict=True))


def table(title: str, seconds: Mapping[str, list[float]], size: int, against: str) -> str:
    """Records a comparison and returns it as Markdown; the ratio says how many times longer than ``against`` it takes."""
    comparison = Comparison(title, against, seconds, size)
    COMPARISONS.append(comparison)
    return comparison.markdown()
