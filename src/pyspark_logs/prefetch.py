"""Prefetching: an iterator that is consumed in a thread of its own, up to a bounded number of items ahead."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True)
class _End:
    error: BaseException | None


def prefetch(
    source: Iterator[T], *, max_items: int, name: str = "pyspark-logs-prefetch", patience_s: float = 5.0
) -> Generator[T, None, None]:
    """Yields the items of an iterator that runs ahead of its consumer in a thread of its own.

    The thread starts when the first item is requested. It ends with the source, or when the consumer stops: closes the
    generator, raises, or drops its last reference. A source that is a generator is then closed in the thread that ran it. An
    error of the source is raised with the thread's traceback after all items before it.

    Args:
        source: iterator to consume. No other code may use it afterwards.
        max_items: maximum number of items held in addition to the one that the consumer has.
        name: name of the thread.
        patience_s: maximum time in seconds that closing waits for the thread. A thread in a slow read ends when the read
            returns.

    >>> list(prefetch(iter("abc"), max_items=2))
    ['a', 'b', 'c']
    """
    # Two queues and no lock. The garbage collector may close the generator at any point of any thread, and the put of a
    # SimpleQueue is an operation that is safe there (it is reentrant).
    permits: SimpleQueue[None] = SimpleQueue()
    items: SimpleQueue[_Item[T] | _End] = SimpleQueue()
    stopped = _Flag()
    for _ in range(max(max_items, 1)):
        permits.put(None)
    thread = threading.Thread(target=_produce, args=(source, permits, items, stopped), name=name, daemon=True)
    thread.start()
    try:
        while True:
            item = items.get()
            if isinstance(item, _End):
                break
            permits.put(None)
            yield item.value
            del item  # would be kept alive while the consumer waits for the next item
        if item.error is not None:
            try:
                raise item.error
            finally:
                del item  # the error refers to this frame; a reference back would be a cycle
    finally:
        stopped.is_set = True
        permits.put(None)
        # A daemon thread makes no progress once the interpreter is finalizing.
        if thread is not threading.current_thread() and not sys.is_finalizing():
            thread.join(patience_s)


class _Flag:
    """A flag that the consumer sets once, without the lock of a threading.Event."""

    is_set = False


def _produce(
    source: Iterator[T], permits: SimpleQueue[None], items: SimpleQueue[_Item[T] | _End], stopped: _Flag
) -> None:
    error: BaseException | None = None
    try:
        while True:
            permits.get()
            if stopped.is_set:
                break
            try:
                value = next(source)
            except StopIteration:
                break
            items.put(_Item(value))
            del value
    except BaseException as raised:  # noqa: BLE001 (raised in the consumer's thread)
        error = raised
    try:
        if isinstance(source, Generator):
            source.close()
    except Exception:  # noqa: BLE001 (logged with its traceback)
        # Happens only if the consumer stopped early and waits for no further item.
        _log.warning("closing a source that was not read to its end failed", exc_info=True)
    items.put(_End(error))
    error = None  # its traceback refers to this frame; a reference back would be a cycle
