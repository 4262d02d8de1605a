"""Conversion of Spark's filters to predicates."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pyspark_logs.predicates import Compare, Contains, EndsWith, In, IsNull, Not, Predicate, StartsWith


def from_spark(spark_filter: Any) -> Predicate | None:
    """Returns a Spark filter as a predicate; None for nested columns and unsupported filters and literals.

    The classes of filters are distinguished by name, because Spark 4.0 does not have them.

    >>> from pyspark.sql.datasource import EqualTo, IsNotNull
    >>> from_spark(EqualTo(("level",), "ERROR"))
    Compare(column='level', op='=', value='ERROR')
    >>> from_spark(IsNotNull(("level",)))
    Not(child=IsNull(column='level'))
    >>> from_spark(EqualTo(("_metadata", "file_size"), 5)) is None
    True
    """
    name = type(spark_filter).__name__
    if name == "Not":
        child = from_spark(spark_filter.child)
        return None if child is None else Not(child)
    if len(spark_filter.attribute) != 1:
        return None
    column = spark_filter.attribute[0]
    if name in ("IsNull", "IsNotNull"):
        return IsNull(column) if name == "IsNull" else Not(IsNull(column))
    values = list(spark_filter.value) if name == "In" else [spark_filter.value]
    if not all(value is None or isinstance(value, (str, bool, int, dt.date)) for value in values):
        return None
    if name == "In":
        return In(column, tuple(values))
    if name in _OPERATORS:
        return Compare(column, _OPERATORS[name], values[0])
    if name in _MATCHES and isinstance(values[0], str):
        return _MATCHES[name](column, values[0])
    return None


_OPERATORS: dict[str, str] = {
    "EqualTo": "=",
    "EqualNullSafe": "<=>",
    "LessThan": "<",
    "LessThanOrEqual": "<=",
    "GreaterThan": ">",
    "GreaterThanOrEqual": ">=",
}
_MATCHES: dict[str, type[StartsWith | EndsWith | Contains]] = {
    "StringStartsWith": StartsWith,
    "StringEndsWith": EndsWith,
    "StringContains": Contains,
}
