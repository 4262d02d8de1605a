"""Conversion between local times and instants, by column, with Python's time zones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import as_numbers, from_numpy, null_mask
from pyspark_logs.formats.columnar.spans import Bool, Int64
from pyspark_logs.formats.timestamps.parsing import DAY_US, HIGHEST_US, LOWEST_US
from pyspark_logs.formats.timestamps.zone_names import offset_of_local, offset_of_utc, zone_info

_UNKNOWN = dt.timedelta(days=2)  # longer than any offset


def local_to_utc_us(local_us: Int64, zone: str) -> Int64:
    """Converts local times to instants, by the rules of :func:`.parsing.datetime_to_utc_us`.

    Args:
        local_us: local times as microseconds, as if they were in UTC.
        zone: IANA name of their zone.
    """
    if zone == "UTC" or len(local_us) == 0:
        return local_us
    info = zone_info(zone)
    return local_us - _offsets(local_us, info.utcoffset)


def offsets_of_name(name: str, times_us: Int64, zone: str, *, local: bool) -> tuple[Int64, Bool]:
    """Returns the offsets that the abbreviation of a zone gives to times, and a mask of the times to which it gives one.

    Args:
        name: abbreviation.
        times_us: times in microseconds.
        zone: IANA name of the zone of the file.
        local: True for local times, False for instants.
    """
    look_up = offset_of_local if local else offset_of_utc

    def offset_at(time: dt.datetime) -> dt.timedelta:
        offset = look_up(name, time, zone)
        return _UNKNOWN if offset is None else offset

    offsets = _offsets(times_us, offset_at)
    return offsets, offsets != _UNKNOWN // dt.timedelta(microseconds=1)


def _offsets(times_us: Int64, offset_at: Callable[[dt.datetime], dt.timedelta | None]) -> Int64:
    """Returns the offset of a zone at each time, which is looked up once for each quarter of an hour."""
    quarter = 900_000_000
    slots, inverse = np.unique(times_us // quarter, return_inverse=True)
    inverse = inverse.reshape(-1)

    def look_up(time_us: int) -> int:
        # At least a day from the ends of the calendar: adding an offset must not leave the range of datetime.
        time_us = min(max(time_us, LOWEST_US + DAY_US), HIGHEST_US - DAY_US)
        time = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=time_us)
        return (offset_at(time) or dt.timedelta(0)) // dt.timedelta(microseconds=1)

    firsts = np.array([look_up(slot * quarter) for slot in slots.tolist()], np.int64)
    lasts = np.array([look_up((slot + 1) * quarter - 1) for slot in slots.tolist()], np.int64)
    offsets: Int64 = firsts[inverse]
    # Historic changes of the offset may be within a quarter of an hour.
    for row in np.flatnonzero((firsts != lasts)[inverse]).tolist():
        offsets[row] = look_up(int(times_us[row]))
    return offsets


def utc_to_local(array: pa.Array, zone: str) -> pa.Array:
    """Converts instants (``timestamp[us, UTC]``) to local times in a zone (``timestamp[us]``).

    Arrow's zones differ from Python's for historic times and after 2037, so that they are not used.
    """
    instants = array.cast(pa.int64())
    if zone != "UTC" and len(array):
        info = zone_info(zone)
        known = as_numbers(instants, null=0)
        local_us = known + _offsets(known, lambda time: info.fromutc(time.replace(tzinfo=info)).utcoffset())
        instants = from_numpy(local_us, null_mask(array))
    return instants.cast(pa.timestamp("us"))
