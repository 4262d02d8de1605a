"""Compiler of requested columns of JSON lines: a program of the JSON machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.columnar.spans import Bytes, Int32
from pyspark_logs.formats.compiled import opcodes as op
from pyspark_logs.formats.compiled.outputs import OutputTable, UnsupportedError
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.json.line_parser import JsonLineParser, JsonSource, rejection_form
from pyspark_logs.formats.json.rejections import JsonRejectionForm
from pyspark_logs.formats.json.values import dump_json, expected_value
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Boolean
from pyspark_logs.formats.types.registry import for_arrow

_ACCEPTS = {"string": op.STRINGS, "number": op.NUMBERS, "boolean": op.BOOLEANS}
_ANY = op.STRINGS | op.NUMBERS | op.BOOLEANS
_MAX_STRUCTS = 20  # nested in one another


@dataclass
class ColumnPlan:
    """Outputs from which a column is built.

    Attributes:
        output: index of the output with the values, or of a struct, with True for each value that is an object.
        dtype: Arrow type of a struct; None: the column is the output.
        children: columns of the fields of a struct.
    """

    output: int = -1
    dtype: pa.StructType | None = None
    children: list[ColumnPlan] = field(default_factory=list)

    def leaves(self) -> Iterator[int]:
        """Yields the outputs of the scalars within the column."""
        if self.dtype is None:
            yield self.output
        for child in self.children:
            yield from child.leaves()


@dataclass(frozen=True)
class JsonProgram:
    """A program; see ``opcodes``.

    Attributes:
        nodes: index of the first key of each node, and the number of keys.
        keys: keys.
        accepts: kinds of values that each output accepts.
        outs: table of outputs.
        pool: literals.
        outputs: the outputs.
        rejections: form of the reasons of each output; None: the machine rejects no value of it.
        columns: outputs from which each column is built.
        key_count: number of keys.
    """

    nodes: Int32
    keys: Int32
    accepts: Int32
    outs: Int32
    pool: Bytes
    outputs: OutputTable
    rejections: tuple[JsonRejectionForm | None, ...]
    columns: tuple[ColumnPlan, ...]
    key_count: int

    @property
    def tables(self) -> tuple[Int32 | Bytes, ...]:
        """Tables in the order in which the machine takes them."""
        return self.nodes, self.keys, self.accepts, self.outs, self.pool


@dataclass
class _ScalarColumn:
    plan: ColumnPlan
    type: FieldType
    accepts: int
    rejection: JsonRejectionForm


@dataclass
class _RequestedKey:
    leaves: list[_ScalarColumn] = field(default_factory=list)
    child: _KeyNode | None = None
    structs: list[ColumnPlan] = field(default_factory=list)


@dataclass
class _KeyNode:
    keys: dict[str, _RequestedKey] = field(default_factory=dict)

    def key(self, name: str) -> _RequestedKey:
        """Returns the entry of a key, which is added if it is missing.

        Raises:
            UnsupportedError: the key has accents, or differs from another requested key only in case.
        """
        if not name.isascii() or any(name != other and name.lower() == other.lower() for other in self.keys):
            raise UnsupportedError(f"the key {name!r}")
        return self.keys.setdefault(name, _RequestedKey())

    def descend(self, name: str) -> _KeyNode:
        """Returns the node of the object that is the value of a key."""
        key = self.key(name)
        key.child = key.child or _KeyNode()
        return key.child


def compile_json(line_parser: JsonLineParser) -> JsonProgram:
    """Returns the program by which the JSON machine finds and writes the columns of a line parser.

    Raises:
        UnsupportedError: a column has no output in the machine.
    """
    root = _KeyNode()
    columns = tuple(_plan(root, column, line_parser.rescued) for column in line_parser.columns)
    return _layout(root, columns)


def _plan(root: _KeyNode, column: RequestedColumn[JsonSource], rescued: str | None) -> ColumnPlan:
    source, dtype = column.source, column.type.arrow()
    if column.is_named(rescued):
        raise UnsupportedError("rescued data")
    node = root
    for name in source.path[:-1]:
        node = node.descend(name)
    plan = ColumnPlan()
    if source.time is not None:
        _add_leaf(node, source.path[-1], plan, column, source.time, dtype)
    else:
        _add_value(node, source.path[-1], plan, column, dtype)
    return plan


def _add_value(
    node: _KeyNode, name: str, plan: ColumnPlan, column: RequestedColumn[JsonSource], dtype: pa.DataType, depth: int = 0
) -> None:
    """Adds the outputs of a column, or of a field of it, whose value has a key of a node."""
    if pa.types.is_struct(dtype) and depth < _MAX_STRUCTS and dtype.num_fields:
        child = node.descend(name)
        node.key(name).structs.append(plan)
        plan.dtype = dtype
        plain = replace(column, source=JsonSource(()))  # fields of a struct have no other notations
        for member in dtype:
            plan.children.append(ColumnPlan())
            _add_value(child, member.name, plan.children[-1], plain, member.type, depth + 1)
        return
    field_type = None if pa.types.is_nested(dtype) else for_arrow(dtype)
    if field_type is None:
        raise UnsupportedError(f"values of type {dtype}")
    _add_leaf(node, name, plan, column, field_type, dtype)


def _add_leaf(
    node: _KeyNode, name: str, plan: ColumnPlan, column: RequestedColumn[JsonSource], field_type: FieldType,
    dtype: pa.DataType,
) -> None:  # fmt: skip
    if field_type.arrow() != dtype:
        raise UnsupportedError(f"values of type {dtype}")
    source = column.source
    accepts = _ANY if field_type.json_kind == "any" else _ACCEPTS[field_type.json_kind]
    null_texts = None if source.null_text is None else (source.null_text, dump_json(source.null_text))
    rejection = rejection_form(column)._replace(
        unmatched=f"is not {expected_value(dtype, source.time)}", null_texts=null_texts
    )
    node.key(name).leaves.append(_ScalarColumn(plan, field_type, accepts | op.NUMERALS * source.numerals, rejection))


def _layout(root: _KeyNode, columns: Sequence[ColumnPlan]) -> JsonProgram:
    """Numbers nodes, keys and outputs."""
    outputs = OutputTable()
    accepts: list[int] = []
    rejections: list[JsonRejectionForm | None] = []

    def add(plan: ColumnPlan, field_type: FieldType, kinds: int, rejection: JsonRejectionForm | None) -> None:
        plan.output = len(outputs.outs)
        outputs.add(field_type, field_type, may_lack=True, escaped=True, found=False)
        accepts.append(kinds)
        rejections.append(rejection)

    nodes, keys, firsts = [root], list[tuple[int, ...]](), list[int]()
    for node in nodes:  # which grows
        firsts.append(len(keys))
        for name, key in node.keys.items():
            first = len(outputs.outs)
            for leaf in key.leaves:
                add(leaf.plan, leaf.type, leaf.accepts, leaf.rejection)
            last, child, present = len(outputs.outs), -1, -1
            if key.child is not None:
                child = len(nodes)
                nodes.append(key.child)
            if key.structs:
                add(key.structs[0], Boolean(), 0, None)
                present = key.structs[0].output
                for plan in key.structs[1:]:
                    plan.output = present
            keys.append((*outputs.literal(name.encode()), child, first, last, present))
    for rank, output in enumerate(leaf for plan in columns for leaf in plan.leaves()):
        form = rejections[output]
        rejections[output] = form and form._replace(rank=rank)
    return JsonProgram(
        np.array([*firsts, len(keys)], np.int32),
        np.array([*keys, (0,) * op.KEY_WIDTH], np.int32).reshape(-1),
        np.array([*accepts, 0], np.int32),
        outputs.array(),
        outputs.pool_array(),
        outputs,
        tuple(rejections),
        tuple(columns),
        len(keys),
    )
