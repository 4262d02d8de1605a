"""The value of the option ``where``: a condition that can select rows."""

from __future__ import annotations

from pyspark_logs.conditions.nodes import Condition, condition_error
from pyspark_logs.conditions.parser import parse_condition


def parse_where(text: str, zone: str) -> Condition:
    """Parses a condition, and refuses comparisons with NULL, which Spark evaluates as unknown for all rows.

    Args:
        text: text of the option.
        zone: time zone of timestamps without a zone.

    Raises:
        OptionError: the text is not a condition, or compares a value with NULL by another operator than ``<=>``.

    >>> parse_where("level IS NULL OR level <=> NULL", "UTC").zone
    'UTC'
    >>> parse_where("level = NULL", "UTC")
    Traceback (most recent call last):
    ...
    pyspark_logs.errors.OptionError: option 'where': at position 9, 'NULL': ...
    """
    condition = parse_condition(text, zone)
    for literal in condition.root.null_comparisons():
        raise condition_error(
            text,
            literal.position,
            "in SQL, a comparison with NULL is true of no row, also within IN and after NOT; write IS NULL or IS NOT NULL, as in"
            " (level IN ('ERROR') OR level IS NULL)",
        )
    return condition
