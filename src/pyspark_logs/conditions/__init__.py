"""Conditions of the option ``where``: a subset of Spark's SQL, evaluated while reading.

::

    condition = parse_condition("level = 'ERROR' AND ts >= TIMESTAMP '2026-01-01'", "UTC")
    bound = condition.bind(schema)          # literals are coerced as Spark does, or OptionError
    bound.evaluate(columns, rows)           # three-valued: true, false, null
    bound.implied()                         # predicates for pruning: a necessary condition of a selected row

``option`` refuses comparisons with NULL, which select no row. ``parser`` makes ``nodes``; ``nodes`` are bound to the types of
columns, which makes ``bound`` nodes of ``operands``; ``coercion`` has the rules of types; ``literals`` and ``patterns`` read the
texts of literals.
"""

from __future__ import annotations

from pyspark_logs.conditions.bound import BoundCondition
from pyspark_logs.conditions.nodes import Condition
from pyspark_logs.conditions.option import parse_where
from pyspark_logs.conditions.parser import parse_condition

__all__ = ["BoundCondition", "Condition", "parse_condition", "parse_where"]
