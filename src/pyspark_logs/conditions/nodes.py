"""Conditions as parsed: names of columns and literals, without types of columns."""

from __future__ import annotations

import abc
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as t

from pyspark_logs.arrow_values import from_texts
from pyspark_logs.conditions import advice, bound
from pyspark_logs.conditions.coercion import CoercionError, common_type, convert_constant, is_number
from pyspark_logs.conditions.patterns import LikePattern
from pyspark_logs.errors import OptionError
from pyspark_logs.schema import type_name

# Below this magnitude each integer is a double of its own, and rounding keeps other integers on the same side of it.
_DISTINCT_DOUBLES = 1 << 53


@dataclass(frozen=True)
class Scope:
    """Columns that a condition can name, and the text for errors."""

    text: str
    schema: pa.Schema
    zone: str

    def fail(self, position: int, problem: str) -> NoReturn:
        """Raises OptionError for a position of the text."""
        raise condition_error(self.text, position, problem)

    def column(self, node: ColumnNode) -> bound.ColumnOperand:
        """Returns a column by its name, which matches without case as in Spark."""
        dtype: pa.DataType = pa.struct(list(self.schema))
        names: list[str] = []
        for name in node.parts:
            fields = list(dtype) if t.is_struct(dtype) else []
            found = next((field for field in fields if field.name.lower() == name.lower()), None)
            if found is None and not t.is_struct(dtype):
                column = ".".join(names)
                self.fail(
                    node.position,
                    f"column {column!r} is of type {type_name(dtype)}, and has no field {name!r}; a column whose name has dots is"
                    f" written `{'.'.join(node.parts)}`",
                )
            if found is None:
                known = ", ".join(field.name for field in fields) or "none"
                if (hint := advice.of_word(node.parts[-1])) is not None:
                    known = f"{known}; {hint}"
                self.fail(node.position, f"there is no column {'.'.join(node.parts)!r} (there are: {known})")
            names.append(found.name)
            dtype = found.type
        return bound.ColumnOperand(names[0], tuple(names[1:]), dtype)


def condition_error(text: str, position: int, problem: str) -> OptionError:
    """Returns the error for a position of a condition's text."""
    near = repr(text[position : position + 20]) if text[position:].strip() else "the end"
    return OptionError(f"option 'where': at position {position + 1}, {near}: {problem}. The condition is: {text!r}")


@dataclass(frozen=True)
class ColumnNode:
    """A column by its name, with the names of nested fields."""

    parts: tuple[str, ...]
    position: int


@dataclass(frozen=True)
class LiteralNode:
    """A literal: its value as a Python value, and its type; ``pa.null()`` for NULL."""

    value: Any
    dtype: pa.DataType
    position: int


OperandNode = ColumnNode | LiteralNode


class Node(abc.ABC):
    """A part of a condition."""

    @abc.abstractmethod
    def bind(self, scope: Scope) -> bound.BoundCondition:
        """Returns the condition with coerced literals, or raises OptionError."""

    @abc.abstractmethod
    def operands(self) -> Iterator[tuple[OperandNode, ...]]:
        """Yields the operands of each comparison."""

    def null_comparisons(self) -> Iterator[LiteralNode]:
        """Yields each literal NULL with which a value is compared, which makes the comparison unknown for all rows."""
        yield from ()


@dataclass(frozen=True)
class Condition:
    """A parsed condition.

    Attributes:
        text: text of the option.
        root: parsed text.
        zone: time zone of literals without a zone.
    """

    text: str
    root: Node
    zone: str

    def bind(self, schema: pa.Schema) -> bound.BoundCondition:
        """Returns the condition on columns of a schema.

        Raises:
            OptionError: a column that the schema lacks, or operands that cannot be compared as Spark does.
        """
        return self.root.bind(Scope(self.text, schema, self.zone))

    def column_types(self) -> dict[str, pa.DataType | None]:
        """Returns the named columns and the type in which each is read if nothing else tells its type.

        The type is that of the literals with which the column is compared, and ``string`` if there is none. Numbers are
        ``double``, which also holds the fractions between integers; but ``bigint`` if all are integers and one is not below
        2^53 in magnitude, where doubles are not distinct. The type is None for a column of which a nested field is named, or
        that is compared with literals of several types.
        """
        names: dict[str, str] = {}
        literals: dict[str, list[LiteralNode]] = {}
        nested: set[str] = set()
        for operands in self.root.operands():
            compared = [each for each in operands if isinstance(each, LiteralNode) and not t.is_null(each.dtype)]
            for operand in operands:
                if isinstance(operand, ColumnNode):
                    name = names.setdefault(operand.parts[0].lower(), operand.parts[0])
                    literals.setdefault(name, []).extend(compared)
                    if len(operand.parts) > 1:
                        nested.add(name)
        return {name: None if name in nested else _column_type(compared) for name, compared in literals.items()}


def _column_type(literals: Sequence[LiteralNode]) -> pa.DataType | None:
    """Returns the type in which a column is read to be compared with literals; None if they are of several types."""
    types = {pa.float64() if is_number(literal.dtype) else literal.dtype for literal in literals}
    integers = [literal.value for literal in literals if t.is_integer(literal.dtype)]
    if len(types) < 2 and all(abs(value) < _DISTINCT_DOUBLES for value in integers):
        return next(iter(types), pa.string())
    return pa.int64() if len(integers) == len(literals) else None


@dataclass(frozen=True)
class JunctionNode(Node):
    """Conjunction or disjunction of conditions."""

    is_and: bool
    children: tuple[Node, ...]

    def bind(self, scope: Scope) -> bound.BoundCondition:
        """Binds the children."""
        return bound.junction([child.bind(scope) for child in self.children], is_and=self.is_and)

    def operands(self) -> Iterator[tuple[OperandNode, ...]]:
        """Yields those of the children."""
        for child in self.children:
            yield from child.operands()

    def null_comparisons(self) -> Iterator[LiteralNode]:
        """Yields those of the children."""
        for child in self.children:
            yield from child.null_comparisons()


@dataclass(frozen=True)
class NegationNode(Node):
    """Negation of a condition."""

    child: Node

    def bind(self, scope: Scope) -> bound.BoundCondition:
        """Binds the child."""
        return bound.Negation(self.child.bind(scope))

    def operands(self) -> Iterator[tuple[OperandNode, ...]]:
        """Yields those of the child."""
        return self.child.operands()

    def null_comparisons(self) -> Iterator[LiteralNode]:
        """Yields those of the child."""
        return self.child.null_comparisons()


@dataclass(frozen=True)
class ComparisonNode(Node):
    """``left op right``."""

    op: str
    left: OperandNode
    right: OperandNode

    def bind(self, scope: Scope) -> bound.BoundCondition:
        """Coerces both operands to their common type."""
        (left, right), dtype = _coerced((self.left, self.right), scope)
        return bound.Comparison(self.op, left, right, dtype, scope.zone)

    def operands(self) -> Iterator[tuple[OperandNode, ...]]:
        """Yields both operands."""
        yield (self.left, self.right)

    def null_comparisons(self) -> Iterator[LiteralNode]:
        """Yields NULL on either side; ``<=>`` compares it as a value."""
        if self.op != "<=>":
            yield from _nulls((self.left, self.right))


@dataclass(frozen=True)
class MembershipNode(Node):
    """``operand IN (values)``."""

    operand: OperandNode
    values: tuple[OperandNode, ...]

    def bind(self, scope: Scope) -> bound.BoundCondition:
        """Coerces all operands to one type; columns in the list, and floats, are compared one by one."""
        (operand, *values), dtype = _coerced((self.operand, *self.values), scope)
        constants = [value.value for value in values if isinstance(value, bound.ConstantOperand)]
        is_list = len(constants) == len(values) and not t.is_floating(dtype) and not t.is_null(dtype)
        if is_list and isinstance(operand, bound.ColumnOperand):
            return bound.Membership(operand, tuple(constants), dtype, scope.zone)
        equal = [bound.Comparison("=", operand, value, dtype, scope.zone) for value in values]
        return bound.junction(equal, is_and=False)

    def operands(self) -> Iterator[tuple[OperandNode, ...]]:
        """Yields operand and values."""
        yield (self.operand, *self.values)

    def null_comparisons(self) -> Iterator[LiteralNode]:
        """Yields NULL as the operand or in the list."""
        return _nulls((self.operand, *self.values))


@dataclass(frozen=True)
class NullTestNode(Node):
    """``operand IS NULL``."""

    operand: OperandNode

    def bind(self, scope: Scope) -> bound.BoundCondition:
        """Binds the operand."""
        if isinstance(self.operand, LiteralNode):
            return bound.NullTest(bound.ConstantOperand(self.operand.value))
        return bound.NullTest(scope.column(self.operand))

    def operands(self) -> Iterator[tuple[OperandNode, ...]]:
        """Yields the operand."""
        yield (self.operand,)


@dataclass(frozen=True)
class PatternNode(Node):
    """``operand LIKE pattern ESCAPE escape``, or ``operand RLIKE pattern`` if ``escape`` is None."""

    operand: OperandNode
    pattern: LiteralNode
    escape: str | None

    def bind(self, scope: Scope) -> bound.BoundCondition:
        """Compiles the pattern."""
        word = "RLIKE" if self.escape is None else "LIKE"
        if not isinstance(self.operand, ColumnNode):
            scope.fail(self.operand.position, f"{word} applies to a string column")
        column = scope.column(self.operand)
        if not t.is_string(column.dtype):
            scope.fail(self.operand.position, f"{word} applies to a string column, not to {type_name(column.dtype)}")
        if word == "LIKE" and re.fullmatch(r"[^%_]*\*[^%_]*", self.pattern.value or ""):
            scope.fail(self.pattern.position, "in LIKE, '*' is text; write % for any text, or = for this text")
        if self.pattern.value is None:
            return bound.Truth(bound.ConstantOperand(None))
        try:
            if self.escape is not None:
                return bound.LikeTest(column, LikePattern.parse(self.pattern.value, self.escape))
            pc.match_substring_regex(from_texts([""]), self.pattern.value)
        except ValueError as error:  # pa.ArrowInvalid is one
            scope.fail(self.pattern.position, f"is not a pattern of {word}{' (RE2)' * (self.escape is None)}: {error}")
        return bound.RegexTest(column, self.pattern.value)

    def operands(self) -> Iterator[tuple[OperandNode, ...]]:
        """Yields operand and pattern."""
        yield (self.operand, self.pattern)

    def null_comparisons(self) -> Iterator[LiteralNode]:
        """Yields NULL as the operand or the pattern."""
        return _nulls((self.operand, self.pattern))


@dataclass(frozen=True)
class TruthNode(Node):
    """A boolean column or literal as a condition."""

    operand: OperandNode

    def bind(self, scope: Scope) -> bound.BoundCondition:
        """Checks the type."""
        operand = self.operand
        if isinstance(operand, LiteralNode):
            if not (t.is_boolean(operand.dtype) or t.is_null(operand.dtype)):
                scope.fail(operand.position, "a literal is not a condition; compare it with a column")
            return bound.Truth(bound.ConstantOperand(operand.value))
        column = scope.column(operand)
        if not t.is_boolean(column.dtype):
            scope.fail(operand.position, f"a column of type {type_name(column.dtype)} is not a condition; compare it")
        return bound.Truth(column)

    def operands(self) -> Iterator[tuple[OperandNode, ...]]:
        """Yields the operand, and a boolean as the literal that it is compared with."""
        yield (self.operand, LiteralNode(True, pa.bool_(), 0))


def _nulls(nodes: Sequence[OperandNode]) -> Iterator[LiteralNode]:
    return (node for node in nodes if isinstance(node, LiteralNode) and t.is_null(node.dtype))


def _coerced(nodes: tuple[OperandNode, ...], scope: Scope) -> tuple[list[bound.Operand], pa.DataType]:
    """Returns operands in their common type, and this type."""
    columns = [scope.column(node) for node in nodes if isinstance(node, ColumnNode)]
    literals = [node.dtype for node in nodes if isinstance(node, LiteralNode)]
    position = nodes[0].position
    try:
        dtype = common_type([column.dtype for column in columns], literals, scope.zone)
        bound_columns = iter(columns)
        operands: list[bound.Operand] = []
        for node in nodes:
            if isinstance(node, LiteralNode):
                position = node.position
                operands.append(bound.ConstantOperand(convert_constant(node.value, dtype, scope.zone)))
            else:
                operands.append(next(bound_columns))
    except CoercionError as error:
        scope.fail(position, str(error))
    return operands, dtype
