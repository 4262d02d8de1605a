"""Selection of raw lines by the literals of a filter, before lines are parsed.

A column can equal ``'ERROR'`` only if its line contains these bytes. Searching a block for them is faster than parsing
it, so lines without them are dropped first. The remaining lines are parsed and filtered exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark_logs.predicates.algebra import (
    And,
    Contains,
    EndsWith,
    Or,
    Predicate,
    StartsWith,
    Value,
    enumerated_values,
    utf8,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def search_literals(
    predicates: Iterable[Predicate], plain: Collection[str], escaped: Collection[str] = (), max_alternatives: int = 4
) -> tuple[tuple[bytes, ...], ...]:
    """Returns the byte strings that the lines of selected rows must contain.

    Args:
        predicates: all predicates of a query.
        plain: names of string columns whose values are in the line verbatim.
        escaped: names of string columns whose values are in the line verbatim unless it has a backslash (JSON, quoted
            fields). A backslash is added to their alternatives, so that such lines are always kept.
        max_alternatives: limit of alternatives. Each costs a pass over the block: 0.06 to 0.15 ns a byte by compiled
            code, 0.5 to 0.6 without.

    Returns:
        Tuples of alternatives: the line of a selected row contains at least one string of each tuple. The most selective
        tuple is the first (see :func:`lines_containing`).

    >>> from pyspark_logs.predicates import In
    >>> search_literals([In("level", ("ERROR", "FATAL")), Contains("message", "timed out")], ["level", "message"])
    ((b'timed out',), (b'ERROR', b'FATAL'))
    """
    groups = [group for predicate in predicates for group in _groups(predicate, plain, escaped)]
    return _ranked(group for group in groups if len(group) <= max_alternatives)


def _groups(predicate: Predicate, plain: Collection[str], escaped: Collection[str]) -> list[tuple[bytes, ...]]:
    """Returns tuples of alternatives, each of which the line of a selected row contains; none if none is known."""
    if isinstance(predicate, And):
        return [group for child in predicate.children for group in _groups(child, plain, escaped)]
    if isinstance(predicate, Or):
        # A row satisfies one of the children, and has an alternative of its most selective tuple.
        best = [_ranked(_groups(child, plain, escaped))[:1] for child in predicate.children]
        return [_with_backslash_last(literal for (group,) in best for literal in group)] if all(best) else []
    if predicate.column not in plain and predicate.column not in escaped:
        return []
    literals = [_literal_bytes(value) for value in _literals(predicate)]
    if not literals or None in literals:
        return []
    known = [literal for literal in literals if literal is not None]
    return [_with_backslash_last([*known, b"\\"]) if predicate.column in escaped else tuple(dict.fromkeys(known))]


def _with_backslash_last(literals: Iterable[bytes]) -> tuple[bytes, ...]:
    distinct = dict.fromkeys(literals)
    backslash = [b"\\"] if b"\\" in distinct else []
    return (*(literal for literal in distinct if literal != b"\\"), *backslash)


def _ranked(groups: Iterable[tuple[bytes, ...]]) -> tuple[tuple[bytes, ...], ...]:
    # Long literals are rare in lines and fast to search for. At equal length, fewer alternatives mean fewer passes.
    return tuple(sorted(groups, key=lambda alternatives: (-_min_length(alternatives), len(alternatives))))


def _min_length(alternatives: tuple[bytes, ...]) -> int:
    return min((len(literal) for literal in alternatives if literal != b"\\"), default=1)


def _literals(predicate: Predicate) -> tuple[Value, ...]:
    """Returns values such that the column contains at least one of them if the predicate is true; empty if unknown."""
    if isinstance(predicate, (StartsWith, EndsWith, Contains)):
        return (predicate.value,)
    return enumerated_values(predicate) or ()


def _literal_bytes(value: Value) -> bytes | None:
    # U+FFFD may replace any invalid byte, and line breaks are added or removed when lines are joined to records.
    if not isinstance(value, str) or not value or not {"\ufffd", "\n", "\r"}.isdisjoint(value):
        return None
    return utf8(value)
