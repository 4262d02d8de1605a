"""The predicates: frozen dataclasses of plain values, which Spark sends to executors."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

# An aware datetime is an instant (timestamp), a naive datetime is a wall-clock time (timestamp_ntz).
Value = str | bool | int | dt.datetime | dt.date | None


@dataclass(frozen=True)
class Compare:
    """``column op value``; ``op`` is one of ``= <=> < <= > >=`` (``<=>`` is equality for which null equals null)."""

    column: str
    op: str
    value: Value


@dataclass(frozen=True)
class In:
    """``column IN (values)``; unknown, as in SQL, if no value is equal and one of them is null."""

    column: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class IsNull:
    """``column IS NULL``."""

    column: str


@dataclass(frozen=True)
class StartsWith:
    """``startswith(column, value)``, for strings."""

    column: str
    value: str


@dataclass(frozen=True)
class EndsWith:
    """``endswith(column, value)``, for strings."""

    column: str
    value: str


@dataclass(frozen=True)
class Contains:
    """``contains(column, value)``, for strings."""

    column: str
    value: str


@dataclass(frozen=True)
class Not:
    """Negation of a predicate; unknown if the child is unknown."""

    child: Predicate

    @property
    def column(self) -> str:
        """Column of the child."""
        return self.child.column


@dataclass(frozen=True)
class And:
    """Conjunction of one or more predicates, on any columns."""

    children: tuple[Predicate, ...]

    @property
    def column(self) -> str:
        """Column of the first child. All children have it after :func:`restrict`."""
        return self.children[0].column


@dataclass(frozen=True)
class Or:
    """Disjunction of one or more predicates, on any columns."""

    children: tuple[Predicate, ...]

    @property
    def column(self) -> str:
        """Column of the first child. All children have it after :func:`restrict`."""
        return self.children[0].column


Predicate = Compare | In | IsNull | StartsWith | EndsWith | Contains | Not | And | Or


def restrict(predicate: Predicate, column: str) -> Predicate | None:
    """Returns a necessary condition of a predicate on one column only; None if the predicate does not restrict the column.

    >>> errors = Compare("level", "=", "ERROR")
    >>> restrict(And((errors, Compare("n", ">", 5))), "level") == And((errors,))
    True
    >>> restrict(Or((errors, Compare("n", ">", 5))), "level") is None
    True
    """
    if not isinstance(predicate, (And, Or)):
        return predicate if predicate.column == column else None
    found = [restrict(child, column) for child in predicate.children]
    known = tuple(child for child in found if child is not None)
    if isinstance(predicate, And):
        return And(known) if known else None
    return Or(known) if len(known) == len(found) else None


_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)


def enumerated_values(predicate: Predicate) -> tuple[Value, ...] | None:
    """Returns the finite list of values that a predicate allows; None if a predicate allows other values, too.

    >>> enumerated_values(In("level", ("ERROR", None))), enumerated_values(Compare("n", "<", 5))
    (('ERROR',), None)
    """
    values: tuple[Value, ...]
    if isinstance(predicate, (And, Or)):
        lists = [enumerated_values(child) for child in predicate.children]
        known = [each for each in lists if each is not None]
        if isinstance(predicate, And):
            return min(known, key=len, default=None)
        return tuple(dict.fromkeys(value for each in known for value in each)) if len(known) == len(lists) else None
    if isinstance(predicate, In):
        values = predicate.values
    elif isinstance(predicate, Compare) and (
        predicate.op == "=" or (predicate.op == "<=>" and predicate.value is not None)
    ):
        values = (predicate.value,)
    else:
        return None
    return tuple(value for value in dict.fromkeys(values) if value is not None)


def epoch_us(time: dt.datetime) -> int:
    """Returns microseconds since 1970-01-01T00:00:00, in UTC for an instant, without a zone for a wall-clock time."""
    epoch = _EPOCH if time.tzinfo is None else _EPOCH.replace(tzinfo=dt.timezone.utc)
    return (time - epoch) // _MICROSECOND


def utf8(text: str) -> bytes | None:
    r"""Returns a string as UTF-8; None for a lone surrogate, to which no string in a file or in Spark is equal.

    >>> utf8("é"), utf8("\ud800")
    (b'\xc3\xa9', None)
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None
