"""The truth of a condition by definition: one row of Python values at a time, without Arrow."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.conditions import COLUMNS

Row = Mapping[str, Any]


def truth(tree: tuple[Any, ...], row: Row, zone: str) -> bool | None:
    """Returns true, false, or None for unknown."""
    word = tree[0]
    if word in ("and", "or"):
        truths = [truth(child, row, zone) for child in tree[1:]]
        decisive = word == "or"
        return decisive if decisive in truths else None if None in truths else not decisive
    if word == "not":
        child = truth(tree[1], row, zone)
        return None if child is None else not child
    if word == "null":
        return row[tree[1]] is None
    value = row[tree[2]] if word in ("compare", "columns") else row[tree[1]]
    if word == "truth":
        return bool(value) if value is not None else None
    if word in ("like", "rlike"):
        return None if value is None else _like(value, tree[2]) if word == "like" else bool(re.search(tree[2], value))
    if word == "compare":
        return _compare(tree[1], [value, tree[3][1]], [tree[2]], zone)
    if word == "columns":
        return _compare(tree[1], [value, row[tree[3]]], [tree[2], tree[3]], zone)
    if word == "between":
        bounds = [
            _compare(op, [value, bound], [tree[1]], zone) for op, (_, bound) in zip((">=", "<="), tree[2:], strict=True)
        ]
        return False if False in bounds else None if None in bounds else True
    literals = [literal for _, literal in tree[2]]
    is_float = any(isinstance(literal, float) for literal in literals)
    equal = [_compare("=", [value, literal], [tree[1]], zone, is_float=is_float) for literal in literals]
    return True if True in equal else None if None in equal else False


def _compare(op: str, pair: list[Any], columns: list[str], zone: str, *, is_float: bool = False) -> bool | None:
    if op == "<=>" and None in pair:
        return pair == [None, None]
    if None in pair:
        return None
    is_wall = "wall" in columns or any(isinstance(v, dt.datetime) and v.tzinfo is None for v in pair)
    one, other = (_time(value, zone, is_wall=is_wall) for value in pair)
    if is_float or {"f", "d"} & set(columns) or any(isinstance(value, float) for value in pair):
        return _ordered(op, *(_float_key(value) for value in (one, other)))
    if isinstance(one, str):
        one, other = one.encode(), other.encode()
    return _ordered(op, one, other)


def _ordered(op: str, one: Any, other: Any) -> bool:
    below, equal = one < other, one == other
    return {
        "=": equal, "==": equal, "<=>": equal, "<>": not equal, "!=": not equal,
        "<": below, "<=": below or equal, ">": not below and not equal, ">=": not below,
    }[op]  # fmt: skip


def _float_key(value: float | Decimal) -> tuple[bool, float]:
    """Orders NaN above all other numbers, and equal to itself."""
    number = float(value)
    return (True, 0.0) if math.isnan(number) else (False, number)


def _time(value: Any, zone: str, *, is_wall: bool) -> Any:
    if isinstance(value, tuple):  # a literal without a zone
        return value[1].replace(tzinfo=ZoneInfo(zone)).astimezone(dt.timezone.utc)
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        midnight = dt.datetime(value.year, value.month, value.day)
        return midnight if is_wall else midnight.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.timezone.utc)
    return value


def _like(value: str, pattern: str) -> bool:
    """Compares character by character, with backtracking."""
    if not pattern:
        return not value
    if pattern[0] == "%":
        return any(_like(value[index:], pattern[1:]) for index in range(len(value) + 1))
    if pattern[0] == "_":
        return bool(value) and _like(value[1:], pattern[1:])
    if pattern[0] == "\\":
        return value[:1] == pattern[1] and _like(value[1:], pattern[2:])
    return value[:1] == pattern[0] and _like(value[1:], pattern[1:])


def rows(table: Any) -> list[Row]:
    """Returns the rows of a table of :data:`~tests.support.conditions.COLUMNS`."""
    assert set(table.column_names) == set(COLUMNS)
    return table.to_pylist()  # type: ignore[no-any-return]
