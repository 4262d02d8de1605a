"""Evaluation of predicates on Arrow arrays with exactly Spark's semantics."""

from __future__ import annotations

import datetime as dt
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from pyspark_logs.arrow_values import FALSE, TRUE, from_values, to_scalar
from pyspark_logs.errors import SchemaError
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
    Value,
    epoch_us,
    utf8,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def supported(predicate: Predicate, column_type: pa.DataType) -> bool:
    """Returns True if :func:`evaluate` gives exactly Spark's result on a column of this type.

    True for strings, booleans, integers, dates and timestamps in microseconds, compared with values of the same type.
    Strings are compared by bytes: callers must refuse strings of another Spark collation. Floats (NaN, -0.0), decimals,
    binary and nested types are left to Spark, and so are literals that Spark would cast.

    >>> import pyarrow as pa
    >>> supported(Compare("n", "<", 5), pa.int8()), supported(Compare("n", "<", 500), pa.int8())
    (True, False)
    """
    if isinstance(predicate, Not):
        return supported(predicate.child, column_type)
    if isinstance(predicate, (And, Or)):
        return all(supported(child, column_type) for child in predicate.children)
    if not _is_exact(column_type):
        return False
    if isinstance(predicate, IsNull):
        return True
    if isinstance(predicate, In):
        # The result for an empty list depends on spark.sql.legacy.nullInEmptyListBehavior.
        return bool(predicate.values) and all(value is None or _fits(value, column_type) for value in predicate.values)
    if isinstance(predicate, Compare):
        return predicate.value is None or _fits(predicate.value, column_type)
    return t.is_string(column_type) and _fits(predicate.value, column_type)


def evaluate(predicates: Iterable[Predicate], columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
    """Evaluates the conjunction of predicates.

    Args:
        predicates: predicates that :func:`supported` accepts for the types of their columns.
        columns: arrays of equal length by column name; at least the columns of the predicates.

    Returns:
        A value for each row: true, false, or null for unknown. A filter selects the rows that are true.

    >>> import pyarrow as pa
    >>> levels = pa.array(["ERROR", "INFO", None])
    >>> evaluate([Not(Compare("level", "=", "INFO"))], {"level": levels}).to_pylist()
    [True, False, None]
    """
    result = None
    for predicate in predicates:
        truth = _evaluate(predicate, columns)
        result = truth if result is None else pc.and_kleene(result, truth)
    if result is None:
        length = len(next(iter(columns.values()))) if columns else 0
        return pa.repeat(to_scalar(True, pa.bool_()), length)
    return result


def _evaluate(predicate: Predicate, columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
    if isinstance(predicate, Not):
        return pc.invert(_evaluate(predicate.child, columns))
    if isinstance(predicate, (And, Or)):
        kernel = pc.and_kleene if isinstance(predicate, And) else pc.or_kleene
        return reduce(kernel, (_evaluate(child, columns) for child in predicate.children))
    column = columns[predicate.column]
    if isinstance(predicate, IsNull):
        return pc.is_null(column)
    if isinstance(predicate, In):
        return _evaluate_in(predicate, column)
    if isinstance(predicate, Compare):
        value = None if predicate.value is None else _arrow_value(predicate.value, column.type)
        scalar = to_scalar(value, column.type)
        if predicate.op == "<=>":
            if value is None:
                return pc.is_null(column)
            return pc.fill_null(pc.equal(column, scalar), FALSE)
        kernels = {"=": pc.equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal}
        return kernels[predicate.op](column, scalar)
    # Spark's LIKE 'x%' compares bytes, as these kernels do.
    if isinstance(predicate, StartsWith):
        return pc.starts_with(column, predicate.value)
    if isinstance(predicate, EndsWith):
        return pc.ends_with(column, predicate.value)
    return pc.match_substring(column, predicate.value)


def _evaluate_in(predicate: In, column: pa.Array) -> pa.BooleanArray:
    if not predicate.values:
        return pa.repeat(to_scalar(False, pa.bool_()), len(column))
    values = [_arrow_value(value, column.type) for value in predicate.values if value is not None]
    return is_in(column, from_values(values, column.type), has_null=len(values) < len(predicate.values))


def is_in(column: pa.Array, values: pa.Array, *, has_null: bool) -> pa.BooleanArray:
    """Returns for each value whether a list has it, by three-valued logic.

    Args:
        column: values to search for.
        values: the list without nulls, of the column's type.
        has_null: True if the list also has a null, so that a value that is not found is unknown.
    """
    is_equal = pc.is_in(column, value_set=values)
    unknown = to_scalar(None, pa.bool_())
    if has_null:
        return pc.if_else(is_equal, TRUE, unknown)
    return pc.if_else(pc.is_valid(column), is_equal, unknown)


def _is_exact(column_type: pa.DataType) -> bool:
    if t.is_timestamp(column_type):
        return column_type in (pa.timestamp("us"), pa.timestamp("us", tz="UTC"))
    return any(is_type(column_type) for is_type in (t.is_string, t.is_boolean, t.is_signed_integer, t.is_date32))


def _fits(value: Value, column_type: pa.DataType) -> bool:
    """Returns True if the value has exactly this type, so that Spark would compare it without a cast."""
    if t.is_string(column_type):
        return isinstance(value, str) and utf8(value) is not None
    if t.is_boolean(column_type):
        return isinstance(value, bool)
    if t.is_date32(column_type):
        return isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    if t.is_timestamp(column_type):
        return isinstance(value, dt.datetime) and (value.tzinfo is None) == (column_type.tz is None)
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    half: int = 1 << (column_type.bit_width - 1)
    return -half <= value < half


def _arrow_value(value: Value, column_type: pa.DataType) -> str | bool | int | dt.date:
    """Returns the value that Arrow takes for a type: microseconds for a datetime, so that the conversion is exact."""
    if value is None or not _fits(value, column_type):
        raise SchemaError(f"a filter compares a column of type {column_type} with {value!r}; cast the literal to it")
    return epoch_us(value) if isinstance(value, dt.datetime) else value
