"""Abbreviations of time zones."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pyspark_logs.formats.timestamps.parsing import TimestampContext, compile_pattern
from pyspark_logs.formats.timestamps.zone_names import NAMES, offset_of_local, offset_of_utc
from pyspark_logs.formats.types.temporal import Timestamp

ZONES = ["UTC", "Europe/Berlin", "Europe/Moscow", "Asia/Shanghai", "Asia/Manila", "Asia/Kolkata", "America/Chicago"]
OTHERS = ["CST", "IST", "MSD", "ABC", "-03", "+0530", "+05:45", "GMT-05:30"]


def hours(name: str, time: dt.datetime, zone: str = "UTC") -> float | None:
    offset = offset_of_local(name, time, zone)
    return None if offset is None else offset / dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("CEST", 2), ("CET", 1), ("PDT", -7), ("pst", -8), ("BST", 1), ("AEDT", 11), ("ACST", 9.5), ("UTC", 0), ("Z", 0),
     ("-03", -3), ("+0530", 5.5), ("CST", None), ("IST", None), ("XYZ", None), ("+99", None),
     ("GMT+05:30", 5.5), ("utc-3:00", -3), ("GMT+25:00", None), ("CET+01:00", None)],
)  # fmt: skip
def test_names_without_a_zone(name: str, expected: float | None) -> None:
    assert hours(name, dt.datetime(2026, 7, 17)) == expected


@pytest.mark.parametrize(
    ("name", "zone", "expected"),
    [("CST", "Asia/Shanghai", 8), ("CST", "America/Chicago", -6), ("IST", "Asia/Kolkata", 5.5), ("PST", "Asia/Manila", 8),
     ("CET", "Europe/Berlin", 1), ("BST", "Europe/Berlin", 1), ("IST", "Asia/Jerusalem", 2), ("IST", "Europe/Berlin", None)],
)  # fmt: skip
def test_names_of_the_zone_of_the_file(name: str, zone: str, expected: float | None) -> None:
    assert hours(name, dt.datetime(2026, 7, 17), zone) == expected


def test_names_tell_the_hour_that_occurs_twice() -> None:
    time = dt.datetime(2026, 10, 25, 2, 30)
    assert [hours(name, time, "Europe/Berlin") for name in ("CEST", "CET")] == [2, 1]


def test_the_zone_knows_the_history_of_a_name() -> None:
    time = dt.datetime(2012, 7, 17)
    assert [hours("MSK", time, zone) for zone in ("UTC", "Europe/Moscow")] == [None, 4]
    assert hours("MSK", dt.datetime(2026, 7, 17)) == 3


def test_the_table_has_the_offsets_of_the_database() -> None:
    """Every name of the table has its offset in all zones that use it today, except for those of another country."""
    found: dict[str, set[float]] = {}
    for zone in sorted(zoneinfo.available_timezones() - {"Factory", "Asia/Manila", "America/Havana", "Cuba"}):
        for month in (1, 7):
            time = dt.datetime(2026, month, 15, tzinfo=zoneinfo.ZoneInfo(zone))
            offset = time.utcoffset()
            found.setdefault((time.tzname() or "").upper(), set()).add(
                (offset or dt.timedelta(0)) / dt.timedelta(hours=1)
            )
    shared = {name for name in NAMES if name in found}
    assert {name: {hours(name, dt.datetime(2026, 7, 15))} for name in shared} == {name: found[name] for name in shared}
    assert len(shared) > 40


@given(
    st.sampled_from([*NAMES, *OTHERS]),
    st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2037, 1, 1)),
    st.sampled_from(ZONES),
)
def test_offsets_of_instants_lead_back(name: str, time: dt.datetime, zone: str) -> None:
    offset = offset_of_utc(name, time, zone)
    if offset is None:
        return
    local, info = time + offset, zoneinfo.ZoneInfo(zone)
    assume(local.replace(tzinfo=info).utcoffset() == local.replace(tzinfo=info, fold=1).utcoffset())
    assert offset_of_local(name, local, zone) == offset


@given(st.data())
def test_columns_equal_single_times(data: Any) -> None:
    names = st.sampled_from([*NAMES, *map(str.lower, NAMES), *OTHERS])
    times = st.datetimes(dt.datetime(2009, 1, 1), dt.datetime(2037, 1, 1)).map(lambda time: time.replace(microsecond=0))
    chosen = data.draw(st.lists(names, min_size=1, max_size=3))
    texts = [
        f"{time} {name}" for time, name in data.draw(st.lists(st.tuples(times, st.sampled_from(chosen)), max_size=9))
    ]
    field_type = Timestamp("%Y-%m-%d %H:%M:%S %Z")
    context = TimestampContext(zone=data.draw(st.sampled_from(ZONES)))
    values, valid = field_type.convert(pa.array(texts, pa.string()), context)
    mask = np.ones(len(texts), np.bool_) if valid is None else valid
    for text, value, is_valid in zip(texts, values.cast(pa.int64()).to_pylist(), mask, strict=True):
        if is_valid:
            assert value == field_type.parse(text, context)
        else:
            with pytest.raises(ValueError, match="zone"):
                field_type.parse(text, context)


def test_a_name_goes_as_far_as_its_letters() -> None:
    pattern = compile_pattern("%H:%M %Z")
    assert pattern.regex.match("10:00 CEST foo").end() == len("10:00 CEST")  # type: ignore[union-attr]
