"""What filters allow a time or a partition to be: the conditions that prune files before anything is read."""

from __future__ import annotations

import datetime as dt
import operator
from typing import TYPE_CHECKING

from pyspark_logs.predicates.algebra import (
    Compare,
    EndsWith,
    In,
    IsNull,
    Not,
    Predicate,
    StartsWith,
    encoded,
    listed_values,
    micros,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_COMPARISONS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def time_bounds(predicates: Iterable[Predicate], column: str, zone: str = "UTC") -> tuple[int | None, int | None]:
    """The half-open range of instants, in microseconds since the epoch, that the conjunction allows a timestamp.

    ``None`` leaves a side open; a start that is not before the end says that no row can be wanted.

    Args:
        predicates: all of a query's; those on other columns, or that bound nothing, are passed over.
        column: the timestamp column. Naive values (``timestamp_ntz``) are wall-clock times in ``zone``; where the
            clock is turned back or forth the range covers every instant that could be meant.
        zone: an IANA time zone.

    >>> from datetime import datetime, timezone
    >>> hour = datetime(2026, 11, 22, 7, tzinfo=timezone.utc)
    >>> time_bounds([Compare("ts", ">", hour), Compare("level", "=", "ERROR")], "ts")
    (1795330800000001, None)
    """
    starts: list[int] = []
    ends: list[int] = []
    for predicate in predicates:
        if predicate.column == column:
            start, end = _bounds(predicate, zone)
            starts += [] if start is None else [start]
            ends += [] if end is None else [end]
    return max(starts, default=None), min(ends, default=None)


def _bounds(predicate: Predicate, zone: str) -> tuple[int | None, int | None]:
    if isinstance(predicate, Not):
        child = predicate.child
        if isinstance(child, Compare) and child.op in _NEGATED:
            return _bounds(Compare(child.column, _NEGATED[child.op], child.value), zone)
        return _bounds(child.child, zone) if isinstance(child, Not) else (None, None)
    if isinstance(predicate, In):
        moments = [_instants(value, zone) for value in predicate.values if isinstance(value, dt.datetime)]
        if not moments or any(value is not None and not isinstance(value, dt.datetime) for value in predicate.values):
            return None, None
        return min(first for first, _ in moments), max(last for _, last in moments) + 1
    if not isinstance(predicate, Compare) or not isinstance(predicate.value, dt.datetime):
        return None, None
    first, last = _instants(predicate.value, zone)
    bounds: dict[str, tuple[int | None, int | None]] = {
        "=": (first, last + 1),
        "<=>": (first, last + 1),
        "<": (None, last),
        "<=": (None, last + 1),
        ">": (first + 1, None),
        ">=": (first, None),
    }
    return bounds[predicate.op]


def _instants(context: dt.datetime, zone: str) -> tuple[int, int]:
    """The first and the last instant at which a clock could show this (one and the same unless it was turned)."""
    if context.tzinfo is not None:
        return micros(context), micros(context)
    from zoneinfo import ZoneInfo

    wall = context.replace(tzinfo=ZoneInfo(zone))
    # In a gap fold=1 gives the earlier instant, in an overlap the later one: both are needed.
    first, last = sorted((micros(wall.replace(fold=0)), micros(wall.replace(fold=1))))
    return first, last


def allowed_values(predicates: Iterable[Predicate], column: str) -> Callable[[str | None], bool]:
    """A test of one value of a string (partition) column: can a row that has it be wanted?

    >>> wanted = allowed_values([Not(Compare("team", "=", "web")), StartsWith("team", "w")], "team")
    >>> wanted("worker"), wanted("web"), wanted(None)
    (True, False, False)
    """
    textual = [predicate for predicate in predicates if predicate.column == column and _is_textual(predicate)]

    def allowed(value: str | None) -> bool:
        return all(_holds(predicate, value) for predicate in textual)

    return allowed


def finite_values(predicates: Iterable[Predicate], column: str) -> tuple[str, ...] | None:
    """The only values a string (partition) column can have in wanted rows, or None where there is no such list.

    >>> finite_values([In("team", ("web", "ops", None)), Not(Compare("team", "=", "ops"))], "team")
    ('web',)
    """
    conjunction = tuple(predicates)
    allowed = allowed_values(conjunction, column)
    for predicate in conjunction:
        listed = listed_values(predicate) if predicate.column == column and _is_textual(predicate) else None
        if listed is not None:
            # One list is enough: the others are part of `allowed`.
            return tuple(value for value in listed if isinstance(value, str) and allowed(value))
    return None


def _is_textual(predicate: Predicate) -> bool:
    """Whether all its literals are strings: on another type the path's text would have to be cast first."""
    if isinstance(predicate, Not):
        return _is_textual(predicate.child)
    if isinstance(predicate, IsNull):
        return True
    values = predicate.values if isinstance(predicate, In) else (predicate.value,)
    return all(value is None or (isinstance(value, str) and encoded(value) is not None) for value in values)


def _holds(predicate: Predicate, value: str | None) -> bool | None:
    if isinstance(predicate, Not):
        truth = _holds(predicate.child, value)
        return None if truth is None else not truth
    if isinstance(predicate, IsNull):
        return value is None
    if isinstance(predicate, Compare) and predicate.op == "<=>":
        return value == predicate.value
    if isinstance(predicate, In) and not predicate.values:
        return False
    if value is None:
        return None
    if isinstance(predicate, In):
        return True if value in predicate.values else (None if None in predicate.values else False)
    if isinstance(predicate, Compare):
        if not isinstance(predicate.value, str):
            return None
        # As UTF-8, as Spark compares them.
        left, right = value.encode(errors="surrogatepass"), predicate.value.encode()
        return bool(_COMPARISONS[predicate.op](left, right))
    if isinstance(predicate, StartsWith):
        return value.startswith(predicate.value)
    if isinstance(predicate, EndsWith):
        return value.endswith(predicate.value)
    return predicate.value in value
