"""Filters as plain data: their evaluation on Arrow arrays, and the weaker conditions that prune files and lines.

The filters of a query are a conjunction: a tuple of predicates, each on one column, or an AND or OR of such. Predicates follow SQL's
three-valued logic: a comparison with null is unknown, and a filter selects a row only if the conjunction is true.
For predicates that :func:`supported` accepts, :func:`evaluate` returns exactly Spark's result, so that Spark does not
have to evaluate them again. The other functions derive necessary conditions of a selected row (a time range, partition
values, bytes in the raw line). Pruning by these conditions never loses a row.

``evaluation``, ``pruning`` and ``raw_search`` import ``algebra`` and not each other.
"""

from __future__ import annotations

from pyspark_logs.predicates.algebra import (
    And,
    Compare,
    Contains,
    EndsWith,
    In,
    IsNull,
    Not,
    Or,
    Predicate,
    StartsWith,
    Value,
    restrict,
)
from pyspark_logs.predicates.evaluation import evaluate, supported
from pyspark_logs.predicates.pruning import possible_values, time_bounds, value_filter
from pyspark_logs.predicates.raw_search import search_literals

__all__ = [
    "And",
    "Compare",
    "Contains",
    "EndsWith",
    "In",
    "IsNull",
    "Not",
    "Or",
    "Predicate",
    "StartsWith",
    "Value",
    "evaluate",
    "possible_values",
    "restrict",
    "search_literals",
    "supported",
    "time_bounds",
    "value_filter",
]
