"""Seconds that the splits of a task spend in each phase of reading, for the option ``profileTasks``.

Phases nest: the time of a phase is without that of the phases within it. Each thread measures its own phases. Without the
option, a phase costs one lookup.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

T = TypeVar("T")

VARIABLE = "PYSPARK_LOGS_PROFILE"
FETCH, INFLATE, LINES, PARSE, CONVERT, BUILD = "fetch", "inflate", "lines", "parse", "convert", "build"
PHASES = (FETCH, INFLATE, LINES, PARSE, CONVERT, BUILD)

_OFF: AbstractContextManager[None] = nullcontext()
_threads = threading.local()


class Profile:
    """Seconds by phase.

    Args:
        seconds: dictionary to which the seconds are added, of every phase from the beginning.

    >>> profile = Profile({})
    >>> with profile.phase(BUILD), phase(CONVERT):
    ...     pass
    >>> list(profile.seconds)
    ['fetch', 'inflate', 'lines', 'parse', 'convert', 'build']
    """

    def __init__(self, seconds: dict[str, float]) -> None:
        for name in PHASES:
            seconds.setdefault(name, 0.0)
        self.seconds = seconds
        self._lock = threading.Lock()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measures a phase, in which no generator may yield to code outside of it."""
        stack: list[_Measurement] = _threads.__dict__.setdefault("stack", [])
        measurement = _Measurement(self)
        stack.append(measurement)
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = time.perf_counter() - start
            stack.pop()
            with self._lock:
                self.seconds[name] += elapsed - measurement.inner
            if stack:
                stack[-1].inner += elapsed

    def timed(self, items: Iterator[T], name: str) -> Generator[T, None, None]:
        """Yields the items of an iterator, whose production is a phase; a generator is closed with it."""
        try:
            while True:
                with self.phase(name):
                    try:
                        item = next(items)
                    except StopIteration:
                        return
                yield item
        finally:
            if isinstance(items, Generator):
                items.close()


class _Measurement:
    """A phase that is being measured.

    Attributes:
        profile: profile of the phase.
        inner: seconds of the phases within it.
    """

    __slots__ = ("inner", "profile")

    def __init__(self, profile: Profile) -> None:
        self.profile, self.inner = profile, 0.0


def phase(name: str) -> AbstractContextManager[None]:
    """Measures a phase within one that this thread measures; nothing if there is none."""
    stack: list[_Measurement] | None = getattr(_threads, "stack", None)
    return stack[-1].profile.phase(name) if stack else _OFF


def is_requested() -> bool:
    """Returns True if the environment asks for profiles."""
    return os.environ.get(VARIABLE) == "1"


def describe(seconds: dict[str, float]) -> str:
    """Returns the seconds of the phases as text.

    >>> describe({"fetch": 0.25, "parse": 1.5})
    'fetch 0.250 s, parse 1.500 s'
    """
    return ", ".join(f"{name} {seconds[name]:.3f} s" for name in PHASES if name in seconds)
