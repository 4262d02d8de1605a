"""Growth of the duration of a function with the size of its input, independent of the speed of the machine."""

from __future__ import annotations

import time
from collections.abc import Callable

_FACTOR = 4
# A linear function takes 4 times as long for the larger input, a quadratic one 16 times.
_MOST = 9.0
# Shorter durations are dominated by the resolution of the clock and by caches.
_LEAST_S = 0.02
_ATTEMPTS = 3


def assert_linear_time(function: Callable[[int], object], size: int) -> None:
    """Asserts that the processor time of ``function(size)`` is at most 9 times that of ``function(size // 4)``.

    Only the ratio of two durations in one process is compared. The fastest of up to three calls counts for each size.

    >>> assert_linear_time(lambda size: b"x" * size, 1_000)
    """
    small = large = float("inf")
    for _ in range(_ATTEMPTS):
        small = min(small, _processor_s(function, size // _FACTOR))
        large = min(large, _processor_s(function, size))
        if large <= max(_LEAST_S, _MOST * small):
            return
    raise AssertionError(f"{small:.3f} s for size {size // _FACTOR}, {large:.3f} s for size {size}: not linear")


def _processor_s(function: Callable[[int], object], size: int) -> float:
    started = time.process_time()
    function(size)
    return time.process_time() - started
