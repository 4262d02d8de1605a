"""Conditions bound to the types of columns: their evaluation, and the predicates that they imply."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from pyspark_logs.arrow_values import FALSE, from_values, to_scalar
from pyspark_logs.conditions.coercion import convert_column
from pyspark_logs.conditions.patterns import LikePattern
from pyspark_logs.predicates import (
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
    supported,
)
from pyspark_logs.predicates.algebra import epoch_us
from pyspark_logs.predicates.evaluation import is_in

# Arrays or scalars of one type; a scalar stands for a constant column.
Datum = Any
Columns = Mapping[str, pa.Array]

_KERNELS: dict[str, Callable[[Datum, Datum], Datum]] = {
    "=": pc.equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal,
}  # fmt: skip
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class ColumnOperand:
    """A column, or a field of structs in it.

    Attributes:
        name: name of the column.
        fields: names of the nested fields, from outside.
        dtype: type of the value.
    """

    name: str
    fields: tuple[str, ...]
    dtype: pa.DataType

    def raw(self, columns: Columns) -> pa.Array:
        """Returns the values in the type of the column."""
        column = columns[self.name]
        return pc.struct_field(column, list(self.fields)) if self.fields else column

    def values(self, columns: Columns, dtype: pa.DataType, zone: str) -> Datum:
        """Returns the values in another type."""
        return convert_column(self.raw(columns), dtype, zone)


@dataclass(frozen=True)
class ConstantOperand:
    """A literal, already in the type of its comparison."""

    value: Any

    def values(self, columns: Columns, dtype: pa.DataType, zone: str) -> Datum:
        """Returns the literal as a scalar."""
        del columns, zone
        # Arrow converts a datetime exactly only from microseconds.
        return to_scalar(
            epoch_us(self.value) if t.is_timestamp(dtype) and self.value is not None else self.value, dtype
        )


Operand = ColumnOperand | ConstantOperand


class BoundCondition(abc.ABC):
    """A condition on columns of known types."""

    @abc.abstractmethod
    def truth(self, columns: Columns) -> Datum:
        """Returns a boolean array or scalar; null is unknown."""

    @abc.abstractmethod
    def implied(self, *, negated: bool = False) -> Predicate | None:
        """Returns a predicate that is true wherever the condition is true (false if ``negated``); None if none is known."""

    def conjuncts(self) -> tuple[BoundCondition, ...]:
        """Returns conditions that are all true where this condition is true, and only there."""
        return (self,)

    def evaluate(self, columns: Columns, rows: int) -> pa.BooleanArray:
        """Returns true, false or null for each of a number of rows."""
        truth = self.truth(columns)
        return pa.repeat(truth, rows) if isinstance(truth, pa.Scalar) else truth


@dataclass(frozen=True)
class Junction(BoundCondition):
    """Conjunction or disjunction."""

    is_and: bool
    children: tuple[BoundCondition, ...]

    def conjuncts(self) -> tuple[BoundCondition, ...]:
        """Returns the conjuncts of the children of an AND."""
        return tuple(one for child in self.children for one in child.conjuncts()) if self.is_and else (self,)

    def truth(self, columns: Columns) -> Datum:
        """Combines the children by Kleene's logic."""
        return reduce(pc.and_kleene if self.is_and else pc.or_kleene, (child.truth(columns) for child in self.children))

    def implied(self, *, negated: bool = False) -> Predicate | None:
        """Negation exchanges AND and OR. Of an AND, one known child suffices; of an OR, all must be known."""
        found = [child.implied(negated=negated) for child in self.children]
        known = tuple(predicate for predicate in found if predicate is not None)
        if self.is_and != negated:
            return And(known) if known else None
        return Or(known) if len(known) == len(found) else None


@dataclass(frozen=True)
class Negation(BoundCondition):
    """Negation of a condition."""

    child: BoundCondition

    def truth(self, columns: Columns) -> Datum:
        """Inverts the child; unknown stays unknown."""
        return pc.invert(self.child.truth(columns))

    def implied(self, *, negated: bool = False) -> Predicate | None:
        """Negates the child."""
        return self.child.implied(negated=not negated)


@dataclass(frozen=True)
class Comparison(BoundCondition):
    """``left op right``, both in the common type.

    Attributes:
        op: one of ``= <=> < <= > >=``.
        left: left operand.
        right: right operand.
        dtype: common type.
        zone: time zone of dates that are compared with times.
    """

    op: str
    left: Operand
    right: Operand
    dtype: pa.DataType
    zone: str

    def truth(self, columns: Columns) -> Datum:
        """Compares as Spark does: NaN equals NaN and is greater than any other number; -0.0 equals 0.0."""
        left, right = (operand.values(columns, self.dtype, self.zone) for operand in (self.left, self.right))
        if t.is_null(self.dtype):
            return to_scalar(True if self.op == "<=>" else None, pa.bool_())
        if self.op == "<=>":
            same = pc.fill_null(_compare("=", left, right, self.dtype), FALSE)
            return pc.or_(same, pc.and_(pc.is_null(left), pc.is_null(right)))
        return _compare(self.op, left, right, self.dtype)

    def implied(self, *, negated: bool = False) -> Predicate | None:
        """Returns the comparison if it is one of a column with a literal of its own type."""
        left, op, right = self.left, self.op, self.right
        if isinstance(left, ConstantOperand):
            left, op, right = right, _MIRRORED.get(op, op), left
        if not isinstance(left, ColumnOperand) or not isinstance(right, ConstantOperand):
            return None
        return _certain(Compare(left.name, op, right.value), left, self.dtype, negated=negated)


def _compare(op: str, left: Datum, right: Datum, dtype: pa.DataType) -> Datum:
    if op in (">", ">="):
        op, left, right = _MIRRORED[op], right, left
    truth = _KERNELS[op](left, right)
    if not t.is_floating(dtype):
        return truth
    left_nan, right_nan = pc.is_nan(left), pc.is_nan(right)
    if op == "=":
        return pc.or_(truth, pc.and_(left_nan, right_nan))
    # Less than NaN is every number; less or equal is also NaN itself.
    return pc.or_(truth, right_nan if op == "<=" else pc.and_(right_nan, pc.invert(left_nan)))


def _certain(predicate: Predicate, column: ColumnOperand, dtype: pa.DataType, *, negated: bool) -> Predicate | None:
    """Returns a predicate on a column if its evaluation is exact, else None."""
    same_type = dtype == column.dtype or (t.is_integer(dtype) and t.is_integer(column.dtype))
    if column.fields or not same_type or not supported(predicate, column.dtype):
        return None
    return Not(predicate) if negated else predicate


@dataclass(frozen=True)
class Membership(BoundCondition):
    """``operand IN (values)`` for a column and literals, all in the common type. Floats are an OR of comparisons."""

    operand: ColumnOperand
    values: tuple[Any, ...]
    dtype: pa.DataType
    zone: str

    def truth(self, columns: Columns) -> Datum:
        """Searches the values."""
        column = self.operand.values(columns, self.dtype, self.zone)
        known = [value for value in self.values if value is not None]
        if t.is_timestamp(self.dtype):
            known = [epoch_us(value) for value in known]
        return is_in(column, from_values(known, self.dtype), has_null=len(known) < len(self.values))

    def implied(self, *, negated: bool = False) -> Predicate | None:
        """Returns the list of values."""
        return _certain(In(self.operand.name, self.values), self.operand, self.dtype, negated=negated)


@dataclass(frozen=True)
class NullTest(BoundCondition):
    """``operand IS NULL``."""

    operand: Operand

    def truth(self, columns: Columns) -> Datum:
        """Returns true for nulls; never unknown."""
        if isinstance(self.operand, ConstantOperand):
            return to_scalar(self.operand.value is None, pa.bool_())
        return pc.is_null(self.operand.raw(columns))

    def implied(self, *, negated: bool = False) -> Predicate | None:
        """Returns the test of a column."""
        if not isinstance(self.operand, ColumnOperand):
            return None
        return _certain(IsNull(self.operand.name), self.operand, self.operand.dtype, negated=negated)


@dataclass(frozen=True)
class LikeTest(BoundCondition):
    """``operand LIKE pattern``, for strings."""

    operand: ColumnOperand
    pattern: LikePattern

    def truth(self, columns: Columns) -> Datum:
        """Matches each whole string."""
        column = self.operand.raw(columns)
        if self.pattern.simple is None:
            return pc.match_substring_regex(column, self.pattern.regex)
        kind, text = self.pattern.simple
        kernels = {"equals": pc.equal, "starts": pc.starts_with, "ends": pc.ends_with, "contains": pc.match_substring}
        return kernels[kind](column, text)

    def implied(self, *, negated: bool = False) -> Predicate | None:
        """Returns the pattern's literal texts: at the start, inside, and at the end."""
        name = self.operand.name
        if self.pattern.simple is not None:
            kind, text = self.pattern.simple
            tests: dict[str, Predicate] = {
                "equals": Compare(name, "=", text),
                "starts": StartsWith(name, text),
                "ends": EndsWith(name, text),
            }
            return _certain(tests.get(kind, Contains(name, text)), self.operand, pa.string(), negated=negated)
        if negated:
            return None
        found: list[Predicate] = []
        last = len(self.pattern.pieces) - 1
        for index, (kind, text) in enumerate(self.pattern.pieces):
            if kind == "text":
                at = StartsWith if index == 0 else EndsWith if index == last else Contains
                found.append(at(name, text))
        certain = [_certain(predicate, self.operand, pa.string(), negated=False) for predicate in found]
        known = tuple(predicate for predicate in certain if predicate is not None)
        return And(known) if known else None


@dataclass(frozen=True)
class RegexTest(BoundCondition):
    """``operand RLIKE pattern``: RE2 finds the expression anywhere in the string."""

    operand: ColumnOperand
    pattern: str

    def truth(self, columns: Columns) -> Datum:
        """Searches each string."""
        return pc.match_substring_regex(self.operand.raw(columns), self.pattern)

    def implied(self, *, negated: bool = False) -> Predicate | None:
        """Returns that the column is not null."""
        del negated
        return _certain(Not(IsNull(self.operand.name)), self.operand, self.operand.dtype, negated=False)


@dataclass(frozen=True)
class Truth(BoundCondition):
    """A boolean column or constant."""

    operand: Operand

    def truth(self, columns: Columns) -> Datum:
        """Returns the values."""
        return self.operand.values(columns, pa.bool_(), "UTC")

    def implied(self, *, negated: bool = False) -> Predicate | None:
        """Returns the comparison of the column with true."""
        if not isinstance(self.operand, ColumnOperand):
            return None
        return _certain(Compare(self.operand.name, "=", not negated), self.operand, pa.bool_(), negated=False)


def junction(children: Sequence[BoundCondition], *, is_and: bool) -> BoundCondition:
    """Returns the AND or OR of conditions; of one, the condition itself."""
    return children[0] if len(children) == 1 else Junction(is_and, tuple(children))
