"""Concurrent requests on a pool of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(function: Callable[[Item], Result], items: Iterable[Item], threads: int) -> list[Result]:
    """Calls a function on each item with up to ``threads`` threads and returns the results in the order of the items.

    After an error no further call starts; the first error is raised once the running calls have ended.
    """
    items = list(items)
    if threads <= 1 or len(items) <= 1:
        return [function(item) for item in items]
    executor = ThreadPoolExecutor(min(threads, len(items)), thread_name_prefix="pyspark-logs-requests")
    try:
        return list(executor.map(function, items))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
