"""Wall clocks and instants, by the column, as Python's zones have them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar.spans import Int64
from pyspark_logs.formats.timestamps.parsing import DAY_US, HIGHEST_US, LOWEST_US, zone_info


def local_to_utc_us(walls: Int64, zone: str) -> Int64:
    """Wall-clock times (microseconds as if UTC) to instants, by the rule of :func:`datetime_to_utc_us`."""
    if zone == "UTC" or len(walls) == 0:
        return walls
    info = zone_info(zone)
    return walls - _offsets_of(walls, info.utcoffset)


def _offsets_of(times: Int64, offset_of: Callable[[dt.datetime], dt.timedelta | None]) -> Int64:
    """The zone's offset at each time. Offsets change rarely: they are looked up once for each quarter of an hour."""
    quarter = 900_000_000
    slots, inverse = np.unique(times // quarter, return_inverse=True)
    inverse = inverse.reshape(-1)

    def look_up(time_us: int) -> int:
        # A day off the ends of the calendar, so that no zone leads beyond them.
        time_us = min(max(time_us, LOWEST_US + DAY_US), HIGHEST_US - DAY_US)
        time = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=time_us)
        return (offset_of(time) or dt.timedelta(0)) // dt.timedelta(microseconds=1)

    firsts = np.array([look_up(slot * quarter) for slot in slots.tolist()], np.int64)
    lasts = np.array([look_up((slot + 1) * quarter - 1) for slot in slots.tolist()], np.int64)
    offsets: Int64 = firsts[inverse]
    # Long ago clocks were changed at odd times, within a quarter.
    for row in np.flatnonzero((firsts != lasts)[inverse]).tolist():
        offsets[row] = look_up(int(times[row]))
    return offsets


def utc_to_local(array: pa.Array, zone: str) -> pa.Array:
    """Instants (``timestamp[us, UTC]``) to what a clock in ``zone`` showed (``timestamp[us]``).

    By Python's zones, not Arrow's, which differ where they are old and beyond 2037.
    """
    instants = array.cast(pa.int64())
    if zone != "UTC" and len(array):
        info = zone_info(zone)
        known = instants.fill_null(0).to_numpy()
        walls = known + _offsets_of(known, lambda time: info.fromutc(time.replace(tzinfo=info)).utcoffset())
        instants = pa.array(walls, pa.int64(), mask=array.is_null().to_numpy(zero_copy_only=False))
    return instants.cast(pa.timestamp("us"))
