"""Threads that run ahead: all items in order, no item too many, and no thread left behind."""

from __future__ import annotations

import contextlib
import gc
import logging
import random
import subprocess
import sys
import threading
import time
import traceback
import weakref

import pytest

from pyspark_logs.prefetch import Prefetcher


def prefetch(source, *, max_items, patience_s=5.0):
    """Yields the items of one iterator, of which up to ``max_items`` wait."""
    prefetcher = Prefetcher(threads=1, max_bytes=max_items, item_bytes=1, max_items=max_items, patience_s=patience_s)
    with contextlib.closing(prefetcher):
        yield from prefetcher.add(source, lambda _: 1)


@pytest.fixture(scope="module", autouse=True)
def only_what_is_made_here():
    """Some tests collect garbage hundreds of times: what the tests before them left behind is not looked at again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def threads(name):
    return [thread for thread in threading.enumerate() if thread.name == name]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    deadline = time.monotonic() + 5
    while threads("pyspark-logs-prefetch") and time.monotonic() < deadline:
        time.sleep(0.001)
    assert threads("pyspark-logs-prefetch") == []


class Source:
    """Counts up; remembers the threads it ran in and how many items it has given."""

    def __init__(self, count=10**9, pause=lambda: None, error_at=None):
        self.count, self.pause, self.error_at = count, pause, error_at
        self.given = 0
        self.ran_in = set()
        self.closed_in = None

    def items(self):
        try:
            for number in range(self.count):
                self.ran_in.add(threading.current_thread())
                self.pause()
                if number == self.error_at:
                    raise LookupError(f"item {number}")
                self.given += 1
                yield number
        finally:
            self.closed_in = threading.current_thread()


def settle(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)
    return condition()


@pytest.mark.parametrize("max_items", [0, 1, 2, 100])
def test_all_items_in_order(max_items):
    assert list(prefetch(iter(range(1000)), max_items=max_items)) == list(range(1000))
    assert list(prefetch(iter([]), max_items=max_items)) == []
    assert list(prefetch(iter([None, None]), max_items=max_items)) == [None, None]


def test_it_runs_ahead_but_not_further_than_allowed():
    source = Source()
    reading = prefetch(source.items(), max_items=3)
    assert source.given == 0
    assert next(reading) == 0
    assert settle(lambda: source.given == 4)
    time.sleep(0.02)
    assert source.given == 4  # one with the consumer, three waiting
    reading.close()
    assert source.given == 4


def test_iterators_whose_items_are_large_run_one_after_another():
    """The expected size of their items is reserved, so that the second iterator waits although a thread is free."""
    first, second = Source(2), Source(2)
    with contextlib.closing(Prefetcher(threads=2, max_bytes=10, item_bytes=1)) as prefetcher:
        one = prefetcher.add(first.items(), lambda _: 3, 6)
        assert settle(lambda: first.given == 2)
        other = prefetcher.add(second.items(), lambda _: 3, 6)
        time.sleep(0.05)
        assert second.given == 0
        assert list(one) == [0, 1]
        assert settle(lambda: second.given == 2)
        assert list(other) == [0, 1]


def test_the_source_runs_and_ends_in_one_other_thread():
    source = Source(5)
    assert list(prefetch(source.items(), max_items=2)) == [0, 1, 2, 3, 4]
    (thread,) = source.ran_in
    assert source.closed_in is thread is not threading.current_thread()


def test_closing_early_closes_the_source_in_its_thread():
    source = Source()
    reading = prefetch(source.items(), max_items=2)
    assert [next(reading), next(reading)] == [0, 1]
    reading.close()
    assert source.closed_in in source.ran_in
    assert not source.closed_in.is_alive()
    assert list(reading) == []


def test_a_forgotten_consumer_stops_the_thread():
    source = Source()
    for number in prefetch(source.items(), max_items=2):
        if number == 3:
            break
    gc.collect()
    assert settle(lambda: source.closed_in is not None)


def test_an_error_of_the_consumer_stops_the_thread():
    source = Source()
    with pytest.raises(ZeroDivisionError), contextlib.closing(prefetch(source.items(), max_items=2)) as reading:  # noqa: PT012
        for number in reading:
            1 / (5 - number)
    assert source.closed_in is not None


def test_an_error_of_the_source_comes_after_the_items_before_it():
    source = Source(error_at=3)
    with pytest.raises(LookupError, match="item 3") as caught:
        list(prefetch(source.items(), max_items=10))
    assert "items" in [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    reading = prefetch(Source(error_at=2).items(), max_items=10)
    assert [next(reading), next(reading)] == [0, 1]
    with pytest.raises(LookupError):
        next(reading)
    with pytest.raises(StopIteration):
        next(reading)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, MemoryError])
def test_whatever_is_raised_is_the_consumers(kind):
    def source():
        yield 1
        raise kind

    reading = prefetch(source(), max_items=1)
    assert next(reading) == 1
    with pytest.raises(kind):
        next(reading)


def test_one_that_was_never_started_starts_nothing():
    source = Source()
    prefetch(source.items(), max_items=2).close()
    assert source.given == 0
    assert threads("pyspark-logs-prefetch") == []


def test_closing_does_not_wait_for_a_slow_read_longer_than_its_patience():
    go_on = threading.Event()
    source = Source(pause=lambda: source.given and go_on.wait(600))
    reading = prefetch(source.items(), max_items=2, patience_s=0.05)
    assert next(reading) == 0
    before = time.monotonic()
    reading.close()
    assert time.monotonic() - before < 60  # less than a second on an idle machine
    assert source.closed_in is None
    go_on.set()
    assert settle(lambda: source.closed_in is not None)
    assert source.given <= 2


def test_a_source_that_fails_while_it_is_closed_is_logged(caplog):
    def source():
        try:
            while True:
                yield 1
        finally:
            raise OSError("connection reset")

    reading = prefetch(source(), max_items=1)
    next(reading)
    with caplog.at_level(logging.WARNING, "pyspark_logs.prefetch"):
        reading.close()
    assert "connection reset" in caplog.text


def test_items_and_errors_are_not_kept():
    class Item:
        pass

    alive = []

    def source():
        for _ in range(3):
            item = Item()
            alive.append(weakref.ref(item))
            yield item
            del item
        raise LookupError

    gc.disable()
    try:
        reading = prefetch(source(), max_items=1)
        for index in range(3):
            item = next(reading)
            assert item is alive[index]()
            del item
        with contextlib.suppress(LookupError):
            next(reading)
        assert settle(lambda: threads("pyspark-logs-prefetch") == [])
        assert [one() for one in alive] == [None, None, None]
    finally:
        gc.enable()


def test_one_within_another():
    inner = prefetch(iter(range(500)), max_items=2)
    assert list(prefetch((number * 2 for number in inner), max_items=3)) == list(range(0, 1000, 2))
    source = Source()
    outer = prefetch((number for number in prefetch(source.items(), max_items=2)), max_items=2)
    next(outer)
    outer.close()
    assert settle(lambda: source.closed_in is not None)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_events_ends(seed):
    """Random pauses on both sides; the consumer leaves, fails or finishes, the source fails or finishes."""
    dice = random.Random(seed)

    def pause():
        if dice.random() < 0.3:
            time.sleep(dice.choice([0, 0, 0.0001, 0.0005]))

    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(60):
            count, stop_at = dice.randrange(12), dice.randrange(14)
            error_at = dice.choice([None, dice.randrange(12)])
            how = dice.choice(["close", "raise", "forget"])
            source = Source(count, pause, error_at)
            found = []
            reading = prefetch(source.items(), max_items=dice.randrange(1, 5))
            try:
                for number in reading:
                    pause()
                    found.append(number)
                    if number == stop_at:
                        if how == "raise":
                            raise ZeroDivisionError
                        break
                if how == "close":
                    reading.close()
            except LookupError:
                assert error_at == len(found)
            except ZeroDivisionError:
                pass
            last = min(count, stop_at + 1, count if error_at is None else error_at)
            assert found == list(range(last))
            del reading
            gc.collect()
            assert settle(lambda source=source: source.closed_in is not None)
    finally:
        sys.setswitchinterval(old)


def test_collected_as_garbage_while_its_thread_runs():
    """The collector may close the consumer anywhere, in the producing thread too."""
    threshold = gc.get_threshold()
    gc.set_threshold(5)
    try:
        for _ in range(40):
            source = Source(pause=lambda: [[] for _ in range(10)])
            cycle = [prefetch(source.items(), max_items=2)]
            cycle.append(cycle)
            next(cycle[0])
            del cycle
            assert settle(lambda source=source: (gc.collect(), source.closed_in)[1] is not None)
    finally:
        gc.set_threshold(*threshold)


@pytest.mark.parametrize("held", ["reading", "blocked"])
def test_an_interpreter_ends_although_a_consumer_was_left_open(held):
    code = f"""
import time
from pyspark_logs.prefetch import Prefetcher
def source():
    number = 0
    while True:
        if number == 2 and {held!r} == "blocked":
            time.sleep(600)
        number += 1
        yield number
reading = Prefetcher(threads=1, max_bytes=3, item_bytes=1, max_items=3).add(source(), lambda _: 1)
print(next(reading))
"""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "1\n", "")


class TestSeveral:
    """Several iterators of one prefetcher."""

    def test_they_run_at_the_same_time_and_are_read_in_order(self):
        together = threading.Barrier(4)
        sources = [Source(3) for _ in range(4)]
        for source in sources:
            source.pause = lambda source=source: source.given or together.wait(5)
        with contextlib.closing(Prefetcher(threads=4, max_bytes=100, item_bytes=1)) as prefetcher:
            added = [prefetcher.add(source.items(), lambda _: 1) for source in sources]
            assert [list(items) for items in added] == [[0, 1, 2]] * 4
        assert len(set.union(*(source.ran_in for source in sources))) == 4

    def test_many_iterators_share_few_threads(self):
        sources = [Source(2) for _ in range(50)]
        with contextlib.closing(Prefetcher(threads=3, max_bytes=10, item_bytes=1)) as prefetcher:
            added = [prefetcher.add(source.items(), lambda _: 1) for source in sources]
            assert len(threads("pyspark-logs-prefetch")) == 3
            assert [list(items) for items in added] == [[0, 1]] * 50

    def test_the_size_of_what_waits_is_bounded_and_the_first_one_goes_on(self):
        """The iterators after the first fill the bound; it nevertheless gets its items one by one."""
        release = threading.Event()
        first = Source(20, pause=lambda: release.wait(5))
        others = [Source(20) for _ in range(5)]
        with contextlib.closing(Prefetcher(threads=6, max_bytes=40, item_bytes=10, max_items=9)) as prefetcher:
            added = [prefetcher.add(source.items(), lambda _: 10) for source in (first, *others)]
            assert settle(lambda: sum(source.given for source in others) == 3)  # and one is reserved by the first
            release.set()
            assert settle(lambda: first.given == 1)
            time.sleep(0.02)
            assert sum(source.given for source in (first, *others)) == 4
            assert [list(items) for items in added] == [list(range(20))] * 6

    def test_small_items_leave_room_for_others(self):
        sources = [Source(1) for _ in range(12)]
        with contextlib.closing(Prefetcher(threads=1, max_bytes=40, item_bytes=10)) as prefetcher:
            added = [prefetcher.add(source.items(), lambda _: 1) for source in sources]
            assert settle(lambda: sources[-1].closed_in is not None)  # nothing was read: 12 items of size 1 wait
            assert [list(items) for items in added] == [[0]] * 12

    def test_one_that_is_closed_gives_its_room_to_others(self):
        sources = [Source(), Source(), Source(5)]
        with contextlib.closing(Prefetcher(threads=2, max_bytes=4, item_bytes=1)) as prefetcher:
            added = [prefetcher.add(source.items(), lambda _: 1) for source in sources]
            assert settle(lambda: sources[0].given == sources[1].given == 2)
            for items in added[:2]:
                assert next(items) == 0
                items.close()
                assert list(items) == []
            assert list(added[2]) == [0, 1, 2, 3, 4]
            assert settle(lambda: None not in {source.closed_in for source in sources})

    def test_errors_are_raised_in_order(self):
        sources = [Source(3), Source(3, error_at=1), Source(3, error_at=0)]
        with contextlib.closing(Prefetcher(threads=3, max_bytes=100, item_bytes=1)) as prefetcher:
            added = [prefetcher.add(source.items(), lambda _: 1) for source in sources]
            assert settle(lambda: sources[2].closed_in is not None)
            assert list(added[0]) == [0, 1, 2]
            assert next(added[1]) == 0
            with pytest.raises(LookupError, match="item 1"):
                next(added[1])

    def test_nothing_ends_silently_when_the_prefetcher_is_closed(self):
        source = Source()
        prefetcher = Prefetcher(threads=1, max_bytes=1, item_bytes=1)
        items = prefetcher.add(source.items(), lambda _: 1)
        assert next(items) == 0
        prefetcher.close()
        with pytest.raises(RuntimeError, match="closed before all items were read"):
            list(items)
        with pytest.raises(RuntimeError, match="is closed"):
            prefetcher.add(iter([]), lambda _: 1)
        assert source.closed_in is not None
