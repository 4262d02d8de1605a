"""Compiled engine of ``key=value`` pairs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import FALSE, from_texts
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.spans import Int32
from pyspark_logs.formats.compiled import opcodes as op
from pyspark_logs.formats.compiled.availability import Machines, log_unsupported, machines
from pyspark_logs.formats.compiled.columns import BlockColumns, BlockTables
from pyspark_logs.formats.compiled.outputs import OutputTable, UnsupportedError
from pyspark_logs.formats.decoding.rejections import RejectionForm
from pyspark_logs.formats.logfmt.line_parser import LogfmtLineParser, rejection_form, unescape
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.profiling import CONVERT, phase

_MAX_KEYS = 500  # of a line


class CompiledLogfmtEngine:
    """Decodes blocks of lines of pairs by the logfmt machine.

    Args:
        machines: the machines.
        line_parser: parser of the lines that the engine leaves.

    Raises:
        UnsupportedError: a column has no output in the machine.
    """

    name: ClassVar[str] = "compiled"

    def __init__(self, machines: Machines, line_parser: LogfmtLineParser) -> None:
        self.machines, self.count = machines, len(line_parser.columns)
        self.outputs = OutputTable()
        keys: dict[str, list[int]] = {}
        for index, column in enumerate(line_parser.columns):
            if column.is_named(line_parser.rescued):
                raise UnsupportedError("rescued data")
            keys.setdefault(column.source, []).append(index)
        if len({key.lower() for key in keys}) < len(keys) or not all(key.isascii() and key for key in keys):
            raise UnsupportedError("keys that differ only in case, or have accents")
        table, flags = list[tuple[int, ...]](), list[int]()
        self.order: dict[int, int] = {}  # index of a column -> of its output
        self.rejections: list[RejectionForm] = []  # of each output
        for key, indices in keys.items():
            first = len(self.outputs.outs)
            for index in indices:
                field_type = line_parser.columns[index].type
                self.order[index] = len(self.outputs.outs)
                self.outputs.add(field_type, field_type, may_lack=True, escaped=True, found=False)
                self.rejections.append(rejection_form(line_parser.columns[index])._replace(rank=index))
                is_true = field_type.bare_key_value is True
                if not is_true and field_type.bare_key_value is not None:
                    raise UnsupportedError(f"keys without a value of type {field_type.notation}")
                flags.append(op.FLAG_IS_TRUE * is_true | op.KEEPS_EMPTY * field_type.keeps_text)
            table.append((*self.outputs.literal(key.encode()), -1, first, len(self.outputs.outs), -1))
        self.null = self.outputs.literal(line_parser.null_value.encode())
        self.key_count = len(table)
        self.tables = (
            np.array([*table, (0,) * op.KEY_WIDTH], np.int32).reshape(-1),
            np.array([*flags, 0], np.int32),
            self.outputs.array(),
            self.outputs.pool_array(),
        )

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """Decodes lines; see :meth:`Engine.parse <pyspark_logs.formats.decoding.decoder.Engine.parse>`. None if no line is certain."""
        count = len(starts)
        if not 0 < count <= self.outputs.max_lines:
            return None
        view = np.frombuffer(block, np.uint8)
        tables = BlockTables.for_lines(self.outputs, count, rejects=True)
        done = self.machines.logfmt.run(
            view, starts, ends, *self.tables, *tables.filled(), np.empty(self.key_count + 1, np.int32),
            np.empty(op.GUESS_WIDTH * _MAX_KEYS, np.int32), *self.null,
        )  # fmt: skip
        if done == 0:
            return None
        columns = BlockColumns(self.machines, tables, view, done, context, self.rejections, unescape_strings)
        with phase(CONVERT):
            results = [columns.column(self.order[index], unescape_strings) for index in range(self.count)]
        arrays, masks = [array for array, _ in results], [mask for _, mask in results]
        return columns.certain_rows(arrays, masks, self.count)


def unescape_strings(strings: pa.Array) -> pa.Array:
    """Replaces the escape sequences of strings, which may be null."""
    escaped = pc.match_substring(strings, "\\").fill_null(FALSE)
    plain = [unescape(text) for text in strings.filter(escaped).to_pylist()]
    return pc.replace_with_mask(strings, escaped, from_texts(plain))


def logfmt_engines(line_parser: LogfmtLineParser) -> list[CompiledLogfmtEngine]:
    """Returns the compiled engine of a line parser, if it is compiled and has outputs for all columns."""
    available = machines()
    if available is None or not line_parser.columns:
        return []
    try:
        return [CompiledLogfmtEngine(available, line_parser)]
    except UnsupportedError as error:
        log_unsupported("lines of key=value pairs", str(error))
        return []
