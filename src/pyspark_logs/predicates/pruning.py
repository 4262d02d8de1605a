"""Conditions on times and partition values, derived from predicates, that prune files before they are read."""

from __future__ import annotations

import datetime as dt
import operator
from typing import TYPE_CHECKING

from pyspark_logs.predicates.algebra import (
    And,
    Compare,
    EndsWith,
    In,
    IsNull,
    Not,
    Or,
    Predicate,
    StartsWith,
    enumerated_values,
    epoch_us,
    restrict,
    utf8,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_COMPARISONS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}

Bounds = tuple[int | None, int | None]  # start and exclusive end in microseconds; None for a side without a bound


def time_bounds(predicates: Iterable[Predicate], column: str, zone: str = "UTC") -> tuple[int | None, int | None]:
    """Returns the half-open range of instants that a conjunction allows a timestamp column.

    Args:
        predicates: all predicates of a query; predicates that do not bound the column are ignored.
        column: name of the timestamp column. Naive values (``timestamp_ntz``) are wall-clock times in ``zone``; at a
            change of the zone's offset the range covers every instant that the wall-clock time can denote.
        zone: name of an IANA time zone.

    Returns:
        Start and end in microseconds since the epoch; None for a side without a bound. If the start is not before the
        end, no row satisfies the conjunction.

    >>> from datetime import datetime, timezone
    >>> hour = datetime(2026, 11, 22, 7, tzinfo=timezone.utc)
    >>> time_bounds([Compare("ts", ">", hour), Compare("level", "=", "ERROR")], "ts")
    (1795330800000001, None)
    """
    restricted = [restrict(predicate, column) for predicate in predicates]
    return _intersection([_bounds(predicate, zone) for predicate in restricted if predicate is not None])


def _intersection(bounds: list[Bounds]) -> Bounds:
    starts = [start for start, _ in bounds if start is not None]
    ends = [end for _, end in bounds if end is not None]
    return max(starts, default=None), min(ends, default=None)


def _hull(bounds: list[Bounds]) -> Bounds:
    starts = [start for start, _ in bounds if start is not None]
    ends = [end for _, end in bounds if end is not None]
    return min(starts) if len(starts) == len(bounds) else None, max(ends) if len(ends) == len(bounds) else None


def _bounds(predicate: Predicate, zone: str) -> Bounds:
    if isinstance(predicate, (And, Or)):
        children = [_bounds(child, zone) for child in predicate.children]
        return _intersection(children) if isinstance(predicate, And) else _hull(children)
    if isinstance(predicate, Not):
        child = predicate.child
        if isinstance(child, Compare) and child.op in _NEGATED:
            return _bounds(Compare(child.column, _NEGATED[child.op], child.value), zone)
        return _bounds(child.child, zone) if isinstance(child, Not) else (None, None)
    if isinstance(predicate, In):
        instants = [_instants(value, zone) for value in predicate.values if isinstance(value, dt.datetime)]
        if not instants or any(value is not None and not isinstance(value, dt.datetime) for value in predicate.values):
            return None, None
        return min(first for first, _ in instants), max(last for _, last in instants) + 1
    if not isinstance(predicate, Compare) or not isinstance(predicate.value, dt.datetime):
        return None, None
    first, last = _instants(predicate.value, zone)
    bounds: dict[str, Bounds] = {
        "=": (first, last + 1),
        "<=>": (first, last + 1),
        "<": (None, last),
        "<=": (None, last + 1),
        ">": (first + 1, None),
        ">=": (first, None),
    }
    return bounds[predicate.op]


def _instants(time: dt.datetime, zone: str) -> tuple[int, int]:
    """Returns the first and the last instant that a time can denote. They differ only at a change of the zone's offset."""
    if time.tzinfo is not None:
        return epoch_us(time), epoch_us(time)
    from zoneinfo import ZoneInfo

    wall = time.replace(tzinfo=ZoneInfo(zone))
    # fold=1 gives the earlier instant in a gap and the later one in an overlap (PEP 495).
    first, last = sorted((epoch_us(wall.replace(fold=0)), epoch_us(wall.replace(fold=1))))
    return first, last


def value_filter(predicates: Iterable[Predicate], column: str) -> Callable[[str | None], bool]:
    """Returns a function that is False for a value of a string (partition) column if no row with it satisfies the predicates.

    >>> can_match = value_filter([Not(Compare("team", "=", "web")), StartsWith("team", "w")], "team")
    >>> can_match("worker"), can_match("web"), can_match(None)
    (True, False, False)
    """
    restricted = (restrict(predicate, column) for predicate in predicates)
    relevant = [predicate for predicate in restricted if predicate is not None and _has_string_literals(predicate)]

    def can_match(value: str | None) -> bool:
        return all(_holds(predicate, value) for predicate in relevant)

    return can_match


def possible_values(predicates: Iterable[Predicate], column: str) -> tuple[str, ...] | None:
    """Returns the only values of a string (partition) column that satisfy the predicates; None if their number is not finite.

    >>> possible_values([In("team", ("web", "ops", None)), Not(Compare("team", "=", "ops"))], "team")
    ('web',)
    """
    conjunction = [restrict(predicate, column) for predicate in predicates]
    relevant = [predicate for predicate in conjunction if predicate is not None and _has_string_literals(predicate)]
    can_match = value_filter(relevant, column)
    for predicate in relevant:
        values = enumerated_values(predicate)
        if values is not None:
            # One list is enough, since `can_match` applies all predicates.
            return tuple(value for value in values if isinstance(value, str) and can_match(value))
    return None


def _has_string_literals(predicate: Predicate) -> bool:
    """Returns True if all literals are strings. For other types the text in the path would have to be cast first."""
    if isinstance(predicate, Not):
        return _has_string_literals(predicate.child)
    if isinstance(predicate, (And, Or)):
        return all(_has_string_literals(child) for child in predicate.children)
    if isinstance(predicate, IsNull):
        return True
    values = predicate.values if isinstance(predicate, In) else (predicate.value,)
    return all(value is None or (isinstance(value, str) and utf8(value) is not None) for value in values)


def _holds(predicate: Predicate, value: str | None) -> bool | None:
    if isinstance(predicate, Not):
        truth = _holds(predicate.child, value)
        return None if truth is None else not truth
    if isinstance(predicate, (And, Or)):
        # Negations are below: a child that is unknown is as good as false.
        truths = (_holds(child, value) is True for child in predicate.children)
        return all(truths) if isinstance(predicate, And) else any(truths)
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
        # Spark compares strings by their UTF-8 bytes.
        left, right = value.encode(errors="surrogatepass"), predicate.value.encode()
        return bool(_COMPARISONS[predicate.op](left, right))
    if isinstance(predicate, StartsWith):
        return value.startswith(predicate.value)
    if isinstance(predicate, EndsWith):
        return value.endswith(predicate.value)
    return predicate.value in value
