"""Costs that must follow what is asked, not what is stored: requests, seconds and bytes on simulated stores.

Each module of measurements exposes a tuple ``LIMITS``. A measurement receives a number of entries, prepares a
:class:`~benchmarks.simulated_store.SimulatedStore`, and returns the cost of one operation on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks import limits_commits, limits_streams
from benchmarks.costs import FIGURES, Cost, Limit, format_number

ENTRIES = [10_000, 100_000, 1_000_000]


def run(entries: Sequence[int]) -> None:
    """Prints the table: each figure beside the one that is asked for."""
    print(f"  {'operation':<64}{'entries':>9}{'s':>8}  {'requests':<44}figures (asked: verdict)")
    for limit in (limit for module in (limits_commits, limits_streams) for limit in module.LIMITS):
        figures = []
        for count in limit.counts or sorted({min(count, limit.most_entries) for count in entries}):
            cost = limit.measure(count)
            print(_format(limit, count, cost), flush=True)
            figures.append(FIGURES[limit.same](cost, count) if limit.same else 0)
        if max(figures) > 0 or limit.same:
            spread = max(figures) - min(figures)
            verdict = "ok" if spread <= 2 else "MISSED"
            print(f"  {'':<64}{'all':>9}{'':>8}  {'':<44}{format_number(spread)} {limit.same} apart (<= 2: {verdict})")


def _format(limit: Limit, count: int, cost: Cost) -> str:
    requests = " ".join(f"{kind}:{number}" for kind, number in sorted(cost.requests.items())) or "-"
    figures = ", ".join(bound.format(cost, count) for bound in limit.asked)
    return f"  {limit.what:<64}{count:>9}{cost.seconds:>8.2f}  {requests:<44}{figures}"
