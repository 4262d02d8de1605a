"""Measured costs of an operation on a simulated store, and the bounds that they are compared with."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.simulated_store import SimulatedStore


@dataclass(frozen=True)
class Cost:
    """Cost of one operation.

    Attributes:
        requests: number of requests by kind.
        seconds: processor time of the code between the requests, or elapsed time where requests take time.
        size: bytes that the operation keeps or sends; ``None`` if it is not measured.
        kept: number of entries that the operation keeps; ``None`` if it is not measured.
        parallel: largest number of requests at the same time; ``None`` if it is not measured.
    """

    requests: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    size: int | None = None
    kept: int | None = None
    parallel: int | None = None


# Figures of a cost and a number of entries, by their unit.
FIGURES: Mapping[str, Callable[[Cost, int], float]] = {
    "LIST": lambda cost, _: cost.requests.get("LIST", 0),
    "DELETE per 1,000": lambda cost, count: cost.requests.get("DELETE", 0) / -(-count // 1000),
    "MB": lambda cost, _: (cost.size or 0) / 1e6,
    "B/entry": lambda cost, count: (cost.size or 0) / count,
    "B/kept": lambda cost, _: (cost.size or 0) / max(1, cost.kept or 0),
    "kept": lambda cost, _: cost.kept or 0,
    "us/entry": lambda cost, count: 1e6 * cost.seconds / count,
    "s": lambda cost, _: cost.seconds,
    "at a time": lambda cost, _: cost.parallel or 0,
}


@dataclass(frozen=True)
class Bound:
    """A figure that is asked for: at most ``most``, and at least ``least``."""

    unit: str
    most: float = float("inf")
    least: float = 0.0

    def format(self, cost: Cost, count: int) -> str:
        """Returns the figure and its bound, with a verdict; without a bound, only the figure."""
        figure = FIGURES[self.unit](cost, count)
        text = f"{format_number(figure)} {self.unit}"
        if self.least:
            asked = f"= {format_number(self.most)}" if self.most == self.least else f">= {format_number(self.least)}"
        elif self.most < float("inf"):
            asked = f"<= {format_number(self.most)}"
        else:
            return text
        return f"{text} ({asked}: {'ok' if self.least <= figure <= self.most else 'MISSED'})"


@dataclass(frozen=True)
class Limit:
    """A row of the table: an operation, its bounds, and the function that measures it.

    Attributes:
        what: operation, with the meaning of its entries.
        asked: bounds of its figures.
        measure: function from a number of entries to the cost of the operation.
        most_entries: largest number of entries that the operation is asked for.
        counts: numbers of entries that the operation is asked for, whatever the command asks for.
        same: unit of a figure that must be the same for all numbers of entries, up to two.
    """

    what: str
    asked: tuple[Bound, ...]
    measure: Callable[[int], Cost]
    most_entries: int = 1_000_000
    counts: tuple[int, ...] = ()
    same: str = ""


def measure(
    operation: Callable[[], object],
    store: SimulatedStore | None = None,
    clock: Callable[[], float] = time.process_time,
) -> Cost:
    """Returns requests and seconds of one call of an operation."""
    before = Counter(store.counted) if store else Counter()
    gc.collect()
    started = clock()
    operation()
    seconds = clock() - started
    return Cost(Counter(store.counted) - before if store else {}, seconds)


def kept_bytes(operation: Callable[[], object]) -> int:
    """Returns the bytes of the objects that the result of an operation keeps alive."""
    gc.collect()
    tracemalloc.start()
    result = operation()
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del result
    return size


def format_number(value: float) -> str:
    """Returns a figure with two decimals, or none if it is large or whole."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
