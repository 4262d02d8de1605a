"""Costs that must follow what is asked, not what is stored: requests, seconds and bytes on simulated stores.

Each module of measurements exposes a tuple ``LIMITS``. A measurement receives a number of entries, prepares a
:class:`~benchmarks.simulated_store.SimulatedStore`, and returns the cost of one operation on it.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.simulated_store import SimulatedStore

ENTRIES = [10_000, 100_000, 1_000_000]


@dataclass(frozen=True)
class Cost:
    """Cost of one operation.

    Attributes:
        requests: number of requests by kind.
        seconds: duration of the code between the requests; a simulated request takes microseconds.
        size: bytes that the operation keeps or sends; ``None`` if it is not measured.
    """

    requests: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    size: int | None = None


@dataclass(frozen=True)
class Limit:
    """A row of the table: an operation, its limit, and the function that measures it.

    Attributes:
        what: operation, with the meaning of its entries.
        asked: limit, such as ``<= 4 LIST``.
        measure: function from a number of entries to the cost of the operation.
        most_entries: largest number of entries that the operation is asked for.
    """

    what: str
    asked: str
    measure: Callable[[int], Cost]
    most_entries: int = 1_000_000


def measure(operation: Callable[[], object], store: SimulatedStore | None = None) -> Cost:
    """Returns requests and seconds of one call of an operation."""
    before = Counter(store.counted) if store else Counter()
    gc.collect()
    started = time.perf_counter()
    operation()
    seconds = time.perf_counter() - started
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


def run(entries: Sequence[int]) -> None:
    """Prints the table."""
    from benchmarks import limits_commits, limits_streams

    modules = [limits_commits, limits_streams]
    print(f"  {'operation':<58}{'entries':>9}  {'requests':<40}{'s':>8}{'us/entry':>10}{'bytes/entry':>13}  asked")
    for limit in (limit for module in modules for limit in module.LIMITS):
        for count in sorted({min(count, limit.most_entries) for count in entries}):
            print(_format(limit, count, limit.measure(count)), flush=True)


def _format(limit: Limit, count: int, cost: Cost) -> str:
    requests = " ".join(f"{kind}:{number}" for kind, number in sorted(cost.requests.items())) or "-"
    size = "-" if cost.size is None else f"{cost.size / count:.1f}"
    micros = 1e6 * cost.seconds / count
    return f"  {limit.what:<58}{count:>9}  {requests:<40}{cost.seconds:>8.2f}{micros:>10.2f}{size:>13}  {limit.asked}"
