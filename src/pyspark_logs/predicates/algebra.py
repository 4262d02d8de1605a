"""The filters themselves: frozen dataclasses of plain values, which travel to executors."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

# An aware datetime is an instant (timestamp), a naive one a wall clock (timestamp_ntz).
Value = str | bool | int | dt.datetime | dt.date | None


@dataclass(frozen=True)
class Compare:
    """``column op value``; ``op`` is one of ``= <=> < <= > >=`` (``<=>`` is equality for which null equals null)."""

    column: str
    op: str
    value: Value


@dataclass(frozen=True)
class In:
    """The column is one of the values; unknown where only a null among them could make it so."""

    column: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class IsNull:
    """The column is null."""

    column: str


@dataclass(frozen=True)
class StartsWith:
    """The string starts with ``value``."""

    column: str
    value: str


@dataclass(frozen=True)
class EndsWith:
    """The string ends with ``value``."""

    column: str
    value: str


@dataclass(frozen=True)
class Contains:
    """The string contains ``value``."""

    column: str
    value: str


@dataclass(frozen=True)
class Not:
    """The negation; unknown stays unknown."""

    child: Predicate

    @property
    def column(self) -> str:
        """The column that the child is about."""
        return self.child.column


Predicate = Compare | In | IsNull | StartsWith | EndsWith | Contains | Not

_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)


def listed_values(predicate: Predicate) -> tuple[Value, ...] | None:
    """The values of which the column has one wherever the predicate is true; None where there is no such list.

    >>> listed_values(In("level", ("ERROR", None))), listed_values(Compare("n", "<", 5))
    (('ERROR',), None)
    """
    values: tuple[Value, ...]
    if isinstance(predicate, In):
        values = predicate.values
    elif isinstance(predicate, Compare) and (
        predicate.op == "=" or (predicate.op == "<=>" and predicate.value is not None)
    ):
        values = (predicate.value,)
    else:
        return None
    return tuple(value for value in dict.fromkeys(values) if value is not None)


def micros(context: dt.datetime) -> int:
    """Microseconds since the epoch: of an instant in UTC, of a wall clock by the wall."""
    epoch = _EPOCH if context.tzinfo is None else _EPOCH.replace(tzinfo=dt.timezone.utc)
    return (context - epoch) // _MICROSECOND


def encoded(text: str) -> bytes | None:
    r"""The text as UTF-8; None for a lone surrogate, which no text in a file or in Spark can equal.

    >>> encoded("é"), encoded("\ud800")
    (b'\xc3\xa9', None)
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None
