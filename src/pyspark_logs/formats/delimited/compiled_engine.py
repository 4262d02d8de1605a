"""Compiled engine of delimited values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import concat_texts, null_mask, text_scalar
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.spans import Int32
from pyspark_logs.formats.compiled import opcodes as op
from pyspark_logs.formats.compiled.availability import Machines, log_unsupported, machines
from pyspark_logs.formats.compiled.columns import BlockColumns, BlockTables
from pyspark_logs.formats.compiled.outputs import OutputTable, UnsupportedError
from pyspark_logs.formats.decoding.rejections import RejectionForm
from pyspark_logs.formats.delimited.line_parser import DelimitedColumn, DelimitedRules, rejection_form
from pyspark_logs.formats.delimited.splitter import ValueSplitter
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.conversion import convert_valid
from pyspark_logs.formats.types.text import Text
from pyspark_logs.profiling import CONVERT, phase

_MAX_VALUES = 10_000  # of a line


class CompiledDelimitedEngine:
    """Decodes blocks of lines of delimited values by their machine.

    Args:
        machines: the machines.
        splitter: separator and quote.
        columns: requested columns.
        rules: rules of the lines.

    Raises:
        UnsupportedError: the machine does not read such lines.
    """

    name: ClassVar[str] = "compiled"

    def __init__(
        self, machines: Machines, splitter: ValueSplitter, columns: Sequence[DelimitedColumn], rules: DelimitedRules
    ) -> None:
        self.machines, self.count, self.quote = machines, len(columns), splitter.quote
        self.columns = (*columns, *rules.validated_only)
        quote = (splitter.quote or "").encode()
        if splitter.escapes or len(quote) > 1 or quote == b"\\":
            raise UnsupportedError("this quote, or escapes within quotes")
        indices = [index for column in columns for index in column.source.indices]
        last_value = max([rules.last_validated(columns), *indices])
        if last_value < 0 or last_value > _MAX_VALUES:
            raise UnsupportedError("lines of which no value is read")
        self.outputs, flags, values = OutputTable(), list[int](), list[int]()
        self.rejections: list[RejectionForm] = []  # of each output
        self.sources: dict[int, list[int]] = {index: [] for index in range(len(self.columns))}  # outputs of each column
        for value in range(last_value + 1):
            values.append(len(self.outputs.outs))
            for index, column in enumerate(self.columns):
                for _ in range(column.source.indices.count(value)):
                    self.sources[index].append(len(self.outputs.outs))
                    field_type = Text() if self._is_joined(column) else column.type
                    self.outputs.add(field_type, field_type, may_lack=True, escaped=True, found=False)
                    flags.append(op.KEEPS_EMPTY * column.type.keeps_text)
                    self.rejections.append(rejection_form(column)._replace(rank=index))
        self.finds_rests = rules.allow_trailing and last_value == rules.value_count - 1
        null = self.outputs.literal(rules.null_value.encode())
        separator = self.outputs.literal(splitter.separator.encode())
        self.tables = (
            np.array([*values, len(self.outputs.outs)], np.int32),
            np.array([*flags, 0], np.int32),
            self.outputs.array(),
            self.outputs.pool_array(),
        )
        self.settings = (
            *separator, quote[0] if quote else -1, *null, rules.value_count, last_value, rules.allow_trailing,
        )  # fmt: skip

    @staticmethod
    def _is_joined(column: DelimitedColumn) -> bool:
        """Returns True if the text of a column consists of several values, or has a suffix."""
        return len(column.source.indices) != 1 or bool(column.source.suffix)

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """Decodes lines; see :meth:`Engine.parse <pyspark_logs.formats.decoding.decoder.Engine.parse>`. None if no line is certain."""
        count = len(starts)
        if not 0 < count <= self.outputs.max_lines:
            return None
        view = np.frombuffer(block, np.uint8)
        tables = BlockTables.for_lines(self.outputs, count, rejects=True)
        rests = np.empty(count, np.int32)
        done = self.machines.delimited.run(view, starts, ends, *self.tables, *tables.filled(), *self.settings, rests)
        if done == 0:
            return None
        columns = BlockColumns(self.machines, tables, view, done, context, self.rejections)
        with phase(CONVERT):
            results = [self._column(columns, index, context) for index in range(len(self.columns))]
        arrays, masks = [array for array, _ in results], [mask for _, mask in results]
        return columns.certain_rows(arrays, masks, self.count, rests[:done] if self.finds_rests else None, ends)

    def _column(self, columns: BlockColumns, index: int, context: TimestampContext) -> ConversionResult:
        column, sources = self.columns[index], self.sources[index]
        if not sources:
            return pa.nulls(columns.count, column.type.arrow()), None
        if not self._is_joined(column):
            return columns.column(sources[0], self._collapse_doubled)
        in_order = sorted(sources, key=lambda source: column.source.indices.index(self._value_of(source)))
        parts = [columns.column(source, self._collapse_doubled)[0] for source in in_order]
        joined = concat_texts(*parts, separator=" ")
        texts = concat_texts(joined, column.source.suffix)
        null = null_mask(texts)
        array, valid = convert_valid(column.type, texts.fill_null(text_scalar("")), null, context)
        return columns.reject_invalid(sources[0], column.type, array, valid, texts)

    def _value_of(self, output: int) -> int:
        """Returns the index of the value of an output."""
        return int(np.searchsorted(self.tables[0], output, side="right")) - 1

    def _collapse_doubled(self, strings: pa.Array) -> pa.Array:
        """Replaces each doubled quote by one quote."""
        quote = self.quote or ""
        return pc.replace_substring(strings, 2 * quote, quote)


def delimited_engines(
    splitter: ValueSplitter, columns: Sequence[DelimitedColumn], rules: DelimitedRules
) -> list[CompiledDelimitedEngine]:
    """Returns the compiled engine of delimited values, if it is compiled and reads such lines."""
    available = machines()
    if available is None or not columns:
        return []
    try:
        return [CompiledDelimitedEngine(available, splitter, columns, rules)]
    except UnsupportedError as error:
        log_unsupported("delimited values", str(error))
        return []
