"""Prefetching: several iterators that are consumed by threads ahead of their reader, in order and within bounds.

The iterators of a task are its files. Up to ``threads`` of them run at the same time, the first ones first, while the reader
takes the items of one after another.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from pyspark_logs.terminal_text import get_logger

T = TypeVar("T")

_log = get_logger(__name__)

# A wait that is missed ends after this time. Only a generator that the garbage collector closes in a thread that is about to
# wait can cause one.
_LONGEST_WAIT_S = 1.0


class Prefetcher:
    """Threads that consume iterators ahead of their reader.

    The threads are started as iterators are added, and end when the prefetcher is closed. An iterator that is a generator is
    closed in the thread that ran it.

    Args:
        threads: number of iterators that run at the same time.
        max_bytes: total size of the items that wait for the reader, in units of the sizes given to :meth:`add`. The iterator
            that is being read may always have one item.
        item_bytes: expected size of an item, which is reserved before the item exists, of iterators that name no other.
        max_items: number of items of one iterator that wait for the reader; None for no limit.
        name: name of the threads.
        patience_s: maximum time in seconds that closing waits for the threads. A thread in a slow read ends when the read
            returns.

    >>> from contextlib import closing
    >>> with closing(Prefetcher(threads=2, max_bytes=10, item_bytes=1)) as prefetcher:
    ...     added = [prefetcher.add(iter(text), len) for text in ("abc", "de")]
    ...     [list(items) for items in added]
    [['a', 'b', 'c'], ['d', 'e']]
    """

    def __init__(
        self,
        *,
        threads: int,
        max_bytes: int,
        item_bytes: int,
        max_items: int | None = 2,
        name: str = "pyspark-logs-prefetch",
        patience_s: float = 5.0,
    ) -> None:
        self._max_threads, self._max_bytes, self._item_bytes = threads, max_bytes, item_bytes
        self._max_items = sys.maxsize if max_items is None else max(max_items, 1)
        self._name, self._patience_s = name, patience_s
        # Reentrant, because the garbage collector may close a reader at any point of any thread, also in one that holds it.
        self._room = threading.Condition(threading.RLock())
        self._added: SimpleQueue[Prefetched[Any] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._held_bytes = 0
        self._current: Prefetched[Any] | None = None
        self._is_closed = False

    def add(self, source: Iterator[T], size: Callable[[T], int], item_bytes: int | None = None) -> Prefetched[T]:
        """Adds an iterator, which begins to run when those before it leave a thread free.

        Args:
            source: iterator to consume. No other code may use it afterwards.
            size: function that returns the size of an item.
            item_bytes: expected size of an item of this iterator; None: that of the prefetcher.

        Returns:
            The items. Iterators must be read in the order in which they were added. An error of the iterator is raised with
            its traceback after all items before it.
        """
        if self._is_closed:
            raise RuntimeError("the prefetcher is closed")
        prefetched = Prefetched(self, source, size, self._item_bytes if item_bytes is None else item_bytes)
        self._added.put(prefetched)
        if len(self._threads) < self._max_threads:
            # Daemons: a thread in a slow read must not keep the interpreter alive.
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return prefetched

    def close(self) -> None:
        """Ends the threads and closes all iterators that have begun."""
        with self._room:
            self._is_closed = True
            self._room.notify_all()
        for _ in self._threads:
            self._added.put(None)
        # A daemon thread makes no progress once the interpreter is finalizing.
        if threading.current_thread() in self._threads or sys.is_finalizing():
            return
        deadline = time.monotonic() + self._patience_s
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))

    # --- in the threads -------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (prefetched := self._added.get()) is not None:
            prefetched.run()

    def reserve(self, prefetched: Prefetched[Any]) -> bool:
        """Waits until an iterator may produce its next item, whose expected size is then held.

        Returns:
            False if no further item is wanted.
        """
        with self._room:
            while not (self._is_closed or prefetched.is_closed):
                if prefetched.waiting < self._max_items and (
                    self._held_bytes + prefetched.item_bytes <= self._max_bytes
                    or (prefetched is self._current and not prefetched.waiting)
                ):
                    self._held_bytes += prefetched.item_bytes
                    return True
                self._room.wait(_LONGEST_WAIT_S)
        return False

    def settle(self, prefetched: Prefetched[Any], size: int | None) -> None:
        """Replaces the expected size of an item by its size; None: there was no item."""
        with self._room:
            self._held_bytes -= prefetched.item_bytes
            if size is not None and not prefetched.is_closed:
                self._held_bytes += size
                prefetched.waiting += 1
                prefetched.waiting_bytes += size
            if (size or 0) < prefetched.item_bytes:
                self._room.notify_all()

    # --- in the reader --------------------------------------------------------------------------------------

    def begin(self, prefetched: Prefetched[Any]) -> None:
        """Marks an iterator as the one that is being read, which may always produce an item."""
        with self._room:
            self._current = prefetched
            self._room.notify_all()

    def release(self, prefetched: Prefetched[Any], size: int) -> None:
        """Records that the reader has taken an item."""
        with self._room:
            self._held_bytes -= size
            prefetched.waiting -= 1
            prefetched.waiting_bytes -= size
            self._room.notify_all()

    def abandon(self, prefetched: Prefetched[Any]) -> None:
        """Marks an iterator whose further items are not wanted."""
        with self._room:
            prefetched.is_closed = True
            self._held_bytes -= prefetched.waiting_bytes
            prefetched.waiting_bytes = 0
            self._room.notify_all()


class _Item(Generic[T]):
    """An item of an iterator, or its end."""

    __slots__ = ("error", "is_end", "size", "value")

    def __init__(
        self, value: T | None = None, size: int = 0, *, is_end: bool = False, error: BaseException | None = None
    ) -> None:
        self.value, self.size, self.is_end, self.error = value, size, is_end, error


class Prefetched(Iterator[T]):
    """The items of one iterator of a :class:`Prefetcher`.

    Attributes:
        item_bytes: expected size of an item.
        waiting: number of items that wait for the reader.
        waiting_bytes: their size.
        is_closed: True if the reader wants no further item.
    """

    def __init__(self, owner: Prefetcher, source: Iterator[T], size: Callable[[T], int], item_bytes: int) -> None:
        self._owner, self._size, self.item_bytes = owner, size, item_bytes
        self._source: Iterator[T] | None = source
        # Its put is an operation that is safe wherever the garbage collector runs (it is reentrant).
        self._items: SimpleQueue[_Item[T]] = SimpleQueue()
        self._has_begun = self._has_ended = False
        self.waiting = self.waiting_bytes = 0
        self.is_closed = False

    def __iter__(self) -> Prefetched[T]:
        return self

    def __next__(self) -> T:
        if self._has_ended or self.is_closed:
            raise StopIteration
        if not self._has_begun:
            self._has_begun = True
            self._owner.begin(self)
        item = self._items.get()
        if not item.is_end:
            self._owner.release(self, item.size)
            return item.value  # type: ignore[return-value]  # None may be an item
        self._has_ended = True
        if item.error is None:
            raise StopIteration
        try:
            raise item.error
        finally:
            del item  # the error refers to this frame; a reference back would be a cycle

    def close(self) -> None:
        """Ends the iterator early, without waiting for its thread."""
        self._owner.abandon(self)
        self._items = SimpleQueue()  # frees the items that wait

    def run(self) -> None:
        """Consumes the iterator, in a thread of the prefetcher."""
        source, self._source = self._source, None
        if source is None:
            return
        error: BaseException | None = None
        try:
            while self._owner.reserve(self):
                size: int | None = None
                try:
                    value = next(source)
                    size = self._size(value)
                except StopIteration:
                    break
                finally:
                    self._owner.settle(self, size)
                self._items.put(_Item(value, size))
                del value
            else:
                error = RuntimeError("the prefetcher was closed before all items were read")
        except BaseException as raised:  # noqa: BLE001 (raised in the reader's thread)
            error = raised
        try:
            if isinstance(source, Generator):
                source.close()
        except Exception:  # noqa: BLE001 (logged with its traceback)
            # Happens only if the reader stopped early and waits for no further item.
            _log.warning("closing a source that was not read to its end failed", exc_info=True)
        self._items.put(_Item(is_end=True, error=error))
        error = None  # its traceback refers to this frame; a reference back would be a cycle
