"""Fetching and decompressing ahead of parsing, in one bounded thread."""

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
    source: Iterator[T], *, max_items: int, name: str = "pyspark-logs-ahead", patience_s: float = 5.0
) -> Generator[T, None, None]:
    """The items of ``source``, which runs ahead of its consumer in a thread of its own.

    The thread starts when the first item is asked for. It ends with the source, and when the consumer
    stops asking (closes the generator, raises, or forgets it); then the source, if it is a generator, is
    closed in the thread that ran it. An error of the source is raised where the consumer would get the
    next item, after all items before it, with the traceback of the thread.

    Args:
        source: what to iterate. Nobody else may touch it from then on.
        max_items: how many items are held at most, beside the one that the consumer has.
        name: of the thread.
        patience_s: closing waits this long for the thread to end. One that is busy in a slow read
            ends by itself when that read returns.

    >>> list(prefetch(iter("abc"), max_items=2))
    ['a', 'b', 'c']
    """
    # Two queues and no lock of our own. Closing may happen at any point of any thread, as the garbage
    # collector likes it, and the put of a SimpleQueue is the one operation made to be safe there.
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
            del item  # or it would be held while the consumer waits for the next one
        if item.error is not None:
            try:
                raise item.error
            finally:
                del item  # the error holds this frame, which must not hold the error
    finally:
        stopped.up = True
        permits.put(None)
        # A daemon thread makes no progress once the interpreter is finalizing.
        if thread is not threading.current_thread() and not sys.is_finalizing():
            thread.join(patience_s)


class _Flag:
    """Set once, by the consumer. A threading.Event would take a lock."""

    up = False


def _produce(
    source: Iterator[T], permits: SimpleQueue[None], items: SimpleQueue[_Item[T] | _End], stopped: _Flag
) -> None:
    error: BaseException | None = None
    try:
        while True:
            permits.get()
            if stopped.up:
                break
            try:
                value = next(source)
            except StopIteration:
                break
            items.put(_Item(value))
            del value
    except BaseException as raised:  # noqa: BLE001 (whatever it is, it is the consumer's)
        error = raised
    try:
        if isinstance(source, Generator):
            source.close()
    except Exception:  # noqa: BLE001 (logged with its traceback)
        # Only of a source that was left early: nobody waits for what it says.
        _log.warning("closing a source that was not read to its end failed", exc_info=True)
    items.put(_End(error))
    error = None  # its traceback holds this frame, which must not hold it
