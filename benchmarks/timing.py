"""Timing by rounds: each round runs every contender once, so that a slow phase of the machine affects all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def in_turns(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Returns the seconds of each contender in each round, without a first round that warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Returns the median over the rounds of ``theirs / ours``."""
    return statistics.median(b / a for a, b in zip(ours, theirs, strict=True))


def table(title: str, seconds: Mapping[str, list[float]], size: int, against: str) -> str:
    """Returns a table with a line per contender: MB/s (10^6 bytes of text per second) at the median, and ratio to ``against``."""
    lines = [title, f"  {'':<44}{'MB/s':>8}{'s':>8}{'ratio':>9}"]
    for name, times in seconds.items():
        middle = statistics.median(times)
        versus = ratio(seconds[against], times)
        shown = "1" if name == against else f"{versus:.2f} x"
        lines.append(f"  {name:<44}{size / middle / 1e6:>8.0f}{middle:>8.2f}{shown:>9}")
    return (
        "\n".join(lines)
        + f"\n  (ratio: how many times longer than {against!r} it takes, median of the paired rounds)\n"
    )
