"""Filters as plain data, and everything that can be asked of them.

A query's filters are a conjunction: a tuple of predicates, each about one column. Truth has three values, as in
SQL: a comparison with null is unknown, and a row stays only where the whole is true. Where :func:`supported` says
yes, :func:`evaluate` gives what Spark gives, so Spark need not look again. The other functions derive weaker
conditions that every wanted row meets: a time range, partition values, bytes in the raw line. They prune, and never
lose a row.

Inside, ``batches``, ``ranges`` and ``needles`` import ``algebra`` and not one another.
"""

from __future__ import annotations

from pyspark_logs.predicates.algebra import Compare, Contains, EndsWith, In, IsNull, Not, Predicate, StartsWith, Value
from pyspark_logs.predicates.batches import evaluate, supported
from pyspark_logs.predicates.ranges import allowed_values, finite_values, time_bounds
from pyspark_logs.predicates.raw_search import lines_containing, search_literals

__all__ = [
    "Compare",
    "Contains",
    "EndsWith",
    "In",
    "IsNull",
    "Not",
    "Predicate",
    "StartsWith",
    "Value",
    "allowed_values",
    "evaluate",
    "finite_values",
    "lines_containing",
    "search_literals",
    "supported",
    "time_bounds",
]
