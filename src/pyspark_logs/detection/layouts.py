"""Proposal of a layout for the keys of files: time and partition columns in their directories.

The directories of ``AWSLogs`` are those of https://docs.aws.amazon.com/AmazonS3/latest/userguide/ and of the pages on the logs of
each service: ``AWSLogs/account/service/region/year/month/day``, with the organisation before the account in trails of an
organisation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark_logs.errors import LayoutError
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.layout import TIME_TOKENS, Layout

# Directories of several units, in one token; the first element is the last unit.
_COMBINED = (
    ("HH", "{yyyy-MM-dd-HH}", re.compile(r"20\d\d-[01]\d-[0-3]\d-[0-2]\d")),
    ("dd", "{yyyy-MM-dd}", re.compile(r"20\d\d-[01]\d-[0-3]\d")),
    ("MM", "{yyyy-MM}", re.compile(r"20\d\d-[01]\d")),
    ("HH", "{yyyyMMddHH}", re.compile(r"20\d\d[01]\d[0-3]\d[0-2]\d")),
    ("dd", "{yyyyMMdd}", re.compile(r"20\d\d[01]\d[0-3]\d")),
)
_UNITS = ("yyyy", "MM", "dd", "HH", "mm")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LARGEST = {"MM": 12, "dd": 31, "HH": 23, "mm": 59}
# Keys of Hive directories that hold a unit.
_UNIT_KEYS = {
    "yyyy": ("year", "yyyy", "yr", "y"),
    "MM": ("month", "mon", "mm", "m"),
    "dd": ("day", "dd", "d"),
    "HH": ("hour", "hh", "hr", "h"),
    "mm": ("minute", "min", "mi"),
}
# Directories below AWSLogs whose values are columns.
_AWS_COLUMNS = (
    ("account", re.compile(r"\d{12}")),
    ("organization", re.compile(r"o-[a-z0-9]{10,32}")),
    ("region", re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-\d")),
)


@dataclass
class _Draft:
    """The segments of a layout under construction.

    Attributes:
        segments: segments in the notation of layouts.
        unit: last unit of time; None before the first.
        timed: number of segments up to the last one that has a time.
        below_aws_logs: True if a segment is ``AWSLogs``.
    """

    segments: list[str]
    unit: str | None = None
    timed: int = 0
    below_aws_logs: bool = False


def propose_layout(keys: Sequence[str], zone: str = "UTC") -> str | None:
    """Returns a layout that matches all keys and has a time; None if there is none.

    Hive directories without a time need no layout: readers recognise them.

    >>> propose_layout(["dt=2026-11-22/hr=06/a.gz", "dt=2026-11-23/hr=17/b.gz"])
    'dt={yyyy-MM-dd}/hr={HH}'
    >>> propose_layout(["AWSLogs/123456789012/elasticloadbalancing/eu-central-1/2026/11/22/a.log.gz"])
    'AWSLogs/{account}/elasticloadbalancing/{region}/{yyyy}/{MM}/{dd}'
    """
    paths = [key.split("/")[:-1] for key in keys]
    depth = min(map(len, paths), default=0)
    draft = _Draft([])
    for level in range(depth):
        values = sorted({path[level] for path in paths})
        hive_keys = {value.partition("=")[0] for value in values if "=" in value}
        if len(hive_keys) == 1 and all("=" in value for value in values):
            _append_hive(draft, hive_keys.pop(), [value.partition("=")[2] for value in values])
        else:
            _append_directory(draft, values)
    layout = "/".join(draft.segments[: draft.timed])
    return layout if layout and _matches_all(layout, keys, zone) else None


def layout_options(
    format_options: Mapping[str, str], proposed: str | None, keys: Sequence[str], zone: str = "UTC"
) -> dict[str, str]:
    """Returns the option ``layout``: the documented layout of a preset if all keys match it, else the proposed one."""
    preset = PRESETS.get(format_options.get("preset", ""))
    documented = preset.layout if preset is not None else None
    if documented and _matches_all(documented, keys, zone):
        return {"layout": documented}
    return {"layout": proposed} if proposed else {}


def _matches_all(layout: str, keys: Sequence[str], zone: str = "UTC") -> bool:
    """Returns True if a layout is valid and all keys match it."""
    try:
        compiled = Layout.parse(layout, zone)
    except LayoutError:
        return False
    return bool(keys) and all(map(compiled.matches, keys))


def _append_hive(draft: _Draft, key: str, values: Sequence[str]) -> None:
    prefix = f"{_escape(key)}="
    if _append_combined(draft, prefix, values):
        return
    following = _following_unit(draft)
    if following and key.lower() in _UNIT_KEYS[following] and _is_unit(following, values):
        _append_time(draft, f"{prefix}{{{following}}}", following)
    elif key.isidentifier() and key not in TIME_TOKENS:
        draft.segments.append(f"{prefix}{{{key}}}")
    else:
        draft.segments.append(f"{prefix}*")


def _append_directory(draft: _Draft, values: Sequence[str]) -> None:
    if _append_combined(draft, "", values):
        return
    following = _following_unit(draft)
    # A unit follows directly after the one before it; other numbers between them would be anything.
    adjacent = draft.unit is None or draft.timed == len(draft.segments)
    two_digits = following in ("yyyy", "MM", "dd") or all(len(value) == 2 for value in values)
    if following and adjacent and two_digits and _is_unit(following, values):
        _append_time(draft, f"{{{following}}}", following)
        return
    if draft.below_aws_logs:
        for name, regex in _AWS_COLUMNS:
            if all(map(regex.fullmatch, values)) and f"{{{name}}}" not in draft.segments:
                draft.segments.append(f"{{{name}}}")
                return
    draft.below_aws_logs |= list(values) == ["AWSLogs"]
    draft.segments.append(_escape(values[0]) if len(values) == 1 else "*")


def _append_combined(draft: _Draft, prefix: str, values: Sequence[str]) -> bool:
    """Appends a directory of several units, such as ``2026-11-22``."""
    if draft.unit is not None:
        return False
    for unit, token, regex in _COMBINED:
        if all(map(regex.fullmatch, values)):
            _append_time(draft, prefix + token, unit)
            return True
    return False


def _append_time(draft: _Draft, segment: str, unit: str) -> None:
    draft.segments.append(segment)
    draft.unit, draft.timed = unit, len(draft.segments)


def _following_unit(draft: _Draft) -> str | None:
    """Returns the unit below the last one; None after the minute."""
    if draft.unit is None:
        return _UNITS[0]
    return next(iter(_UNITS[_UNITS.index(draft.unit) + 1 :]), None)


def _is_unit(unit: str, values: Sequence[str]) -> bool:
    if unit == "yyyy":
        return all(map(_YEAR.fullmatch, values))
    numbers = [int(value) for value in values if re.fullmatch(r"[0-9]{1,2}", value)]
    lowest = 1 if unit in ("MM", "dd") else 0
    return len(numbers) == len(values) and lowest <= min(numbers) and max(numbers) <= _LARGEST[unit]


def _escape(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
