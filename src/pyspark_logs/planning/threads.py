"""The processors of this machine, and a walk of a tree whose nodes are visited by a pool of threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

# List requests at the same time.
LIST_THREADS = 16

Node = TypeVar("Node")
Result = TypeVar("Result")


def processors() -> int:
    """Returns the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_in_threads(
    visit: Callable[[Node], tuple[Result, Iterable[Node]]], nodes: Iterable[Node], threads: int = LIST_THREADS
) -> list[Result]:
    """Visits nodes, and the nodes that visits return, in parallel; returns the results of the visits in any order.

    After an error no further visit starts; the first error is raised once the running visits have ended. With one
    thread the nodes are visited in the calling thread, in the order in which they were found; so is a node while no other
    one waits for a visit.

    Args:
        visit: function from a node to its result and further nodes.
        nodes: nodes to begin with.
        threads: number of visits at the same time.
    """
    results: list[Result] = []
    queue = deque(nodes)
    while queue and (threads <= 1 or len(queue) == 1):
        result, more = visit(queue.popleft())
        results.append(result)
        queue.extend(more)
    if not queue:
        return results
    executor = ThreadPoolExecutor(threads, thread_name_prefix="pyspark-logs-list")
    try:
        pending: set[Future[tuple[Result, Iterable[Node]]]] = {executor.submit(visit, node) for node in queue}
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                result, more = future.result()
                results.append(result)
                pending |= {executor.submit(visit, node) for node in more}
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    return results
