"""Compiled engine of templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pyarrow.compute as pc

from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, intersect_masks
from pyspark_logs.formats.columnar.spans import Int32
from pyspark_logs.formats.compiled.availability import Machines, log_unsupported, machines
from pyspark_logs.formats.compiled.columns import BlockColumns, BlockTables, Unescape
from pyspark_logs.formats.compiled.outputs import UnsupportedError
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.template.compiled_program import TemplateProgram, compile_template
from pyspark_logs.formats.template.line_parser import ParsingRules, ParsingScope
from pyspark_logs.formats.template.segments import Template
from pyspark_logs.formats.timestamps.parsing import TimestampContext, utc_year
from pyspark_logs.profiling import CONVERT, phase


class CompiledTemplateEngine:
    """Decodes blocks of lines of one template by the template machine.

    Args:
        machines: the machines.
        program: program of the template.
        unescapes: function of each output that removes escapes from strings; None: there are no escapes.
        count: number of requested columns.
        rejects_values: True if the engine decodes lines with a value that is not of its type.
    """

    name: ClassVar[str] = "compiled"

    def __init__(
        self, machines: Machines, program: TemplateProgram, unescapes: Sequence[Unescape | None], count: int,
        *, rejects_values: bool = True,
    ) -> None:  # fmt: skip
        self.machines, self.program, self.unescapes, self.count = machines, program, tuple(unescapes), count
        self.rejects_values = rejects_values

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """Decodes lines; see :meth:`Engine.parse <pyspark_logs.formats.decoding.decoder.Engine.parse>`. None if no line is certain."""
        program = self.program
        if not 0 < len(starts) <= program.outputs.max_lines or (program.needs_year and context.zone != "UTC"):
            return None
        view = np.frombuffer(block, np.uint8)
        tables = BlockTables.for_lines(program.outputs, len(starts), rejects=self.rejects_values)
        bound = context.year_bound_us if program.needs_year else 0
        rests = np.empty(len(starts) if program.finds_rests else 1, np.int32)
        done = self.machines.template.run(
            view,
            starts,
            ends,
            *program.tables,
            *tables.filled(),
            rests,
            program.finds_rests,
            bound,
            utc_year(bound) + 1,
        )
        if done == 0:
            return None
        forms = program.rejections if self.rejects_values else ()
        columns = BlockColumns(self.machines, tables, view, done, context, forms)
        with phase(CONVERT):
            results = [self._column(columns, indices) for indices in program.order]
        arrays, masks = [array for array, _ in results], [mask for _, mask in results]
        return columns.certain_rows(arrays, masks, self.count, rests[:done] if program.finds_rests else None, ends)

    def _column(self, columns: BlockColumns, indices: Sequence[int]) -> ConversionResult:
        """Returns a column, from the first of its outputs that has a value."""
        array, certain = columns.column(indices[0], self.unescapes[indices[0]])
        for index in indices[1:]:
            other, also_certain = columns.column(index, self.unescapes[index])
            array = array if other.null_count == len(other) else pc.coalesce(array, other)
            certain = intersect_masks([certain, also_certain])
        return array, certain


def template_engines(
    template: Template, columns: Sequence[RequestedColumn[str]], rules: ParsingRules, *, rejects_values: bool = True
) -> list[CompiledTemplateEngine]:
    """Returns the compiled engine of a template, if it is compiled and has instructions for all of the template.

    Args:
        template: template of the lines.
        columns: requested columns.
        rules: options of the format.
        rejects_values: False if lines with a value that is not of its type are left to the line parser.
    """
    available = machines()
    if available is None or ParsingScope(template, columns, rules).nothing:
        return []
    try:
        return [make_engine(available, template, columns, rules, rejects_values=rejects_values)]
    except UnsupportedError as error:
        log_unsupported(f"lines of {template.text!r}", str(error))
        return []


def make_engine(
    machines: Machines, template: Template, columns: Sequence[RequestedColumn[str]], rules: ParsingRules,
    *, rejects_values: bool = True,
) -> CompiledTemplateEngine:  # fmt: skip
    """Returns the engine of a template; see :func:`template_engines`.

    Raises:
        UnsupportedError: the machine has no instruction for a part of the template.
    """
    # A field that is only validated, and whose type accepts every text, is valid if its end is found.
    extra = tuple(column for column in rules.unrequested if column.type.is_validated)
    program = compile_template(template, columns, extra, rules)
    fields = {field.name: field for field in template.fields}
    styles = [fields[out.source].type.resolve_escape_style(rules.escape) for out in program.outputs.outs]
    unescapes = [None if style is None else style.unescape_strings for style in styles]
    return CompiledTemplateEngine(machines, program, unescapes, len(columns), rejects_values=rejects_values)
