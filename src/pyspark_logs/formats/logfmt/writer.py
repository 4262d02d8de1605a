"""Writer of lines of ``key=value`` pairs."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, concat_texts, from_numpy, text_scalar
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.compiled import render_opcodes as op
from pyspark_logs.formats.compiled.render_program import LineRules, ValueForm
from pyspark_logs.formats.json.rendering import escape_json
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.writing.column_program import ColumnProgram, PlannedValue, compile_values
from pyspark_logs.formats.writing.line_writer import FindUnencodable, UnwritableValues, unwritable_values
from pyspark_logs.formats.writing.render_plan import RenderPlan
from pyspark_logs.formats.writing.scalar_writer import ScalarWriter, holds_any_of, is_any_of, replace_masked
from pyspark_logs.formats.writing.value_forms import PLAIN_TEXT, is_value, scalar_form

_SPECIAL = r'[\x00-\x20="]'  # characters that keys and unquoted values cannot contain


def key_problem(name: str) -> str:
    """Returns the reason why a column's name cannot be a key; "" if it can."""
    if not name:
        return "a column has the name '', and a key cannot be empty; rename it"
    found = re.search(_SPECIAL, name)
    return f"{name!r} holds {found[0]!r}, and a key cannot; rename it" if found else ""


class LogfmtWriter(ScalarWriter):
    """Renders columns as pairs; see :class:`pyspark_logs.formats.writing.line_writer.LineWriter`.

    The key of a null value is left out. An empty line is not a record, so a row in which all values are null is written as
    the first key with the null token. Values are quoted if they need it.
    """

    first = 0

    def __init__(
        self,
        schema: pa.Schema,
        kinds: Sequence[FieldType],
        null_value: str,
        *,
        zone: str,
        unencodable: FindUnencodable | None,
    ) -> None:
        super().__init__(schema, kinds, zone, unencodable)
        self.null_value = null_value
        self._programs: dict[Hashable, ColumnProgram] = {}
        self.can_write_null = re.search(_SPECIAL, null_value) is None

    def render_lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        """Joins the pairs with spaces."""
        parts: list[pa.Array | str] = []
        problems: list[UnwritableValues] = []
        has_first_key = columns[0].null_count == 0
        for index, name in enumerate(self.names):
            texts, unwritable_texts = self.texts(columns, index)
            problems += unwritable_texts
            space = "" if has_first_key and index == 0 else " "
            parts.append(concat_texts(f"{space}{name}=", self._quote(texts)).fill_null(text_scalar("")))
        lines = concat_texts(*parts, "\n")
        return (lines, problems) if has_first_key else self._finish(lines, problems)

    def plan_rendering(self, columns: Sequence[pa.Array], avoided: frozenset[Hashable], rules: LineRules) -> RenderPlan:
        """Returns a plan in which the machine renders strings, numbers, booleans, times and days."""
        key = (avoided, rules)
        if key not in self._programs:
            values = [
                PlannedValue(f" {name}=", index, None if index in avoided else self._form(index), op.OMITTED_IF_NULL)
                for index, name in enumerate(self.names)
            ]
            self._programs[key] = compile_values(values, "\n", rules)

        def render_value(index: int) -> tuple[pa.Array, list[UnwritableValues]]:
            texts, unwritable_texts = self.texts(columns, index)
            return self._quote(texts), unwritable_texts

        return self._programs[key].plan(columns, render_value)

    def _form(self, index: int) -> ValueForm | None:
        """Returns the form in which the machine renders a value; None: it does not."""
        field_type, null = self.kinds[index], self.null_value.encode()
        if field_type.rendered_form == PLAIN_TEXT:
            flags = op.CONTROLS | op.OMITTED_IF_NULL
            quoted = (b" ", b"=", b'"')
            return ValueForm(op.TEXTS, None, op.PAIR_VALUE, flags, quoted, equals=(b"", null), argument=ord('"'))
        form = scalar_form(field_type, self.zone)
        if form is None or form.pattern is not None or is_value(field_type, (self.null_value,)):
            return None
        return replace(form, flags=form.flags | op.OMITTED_IF_NULL)

    def _finish(self, lines: pa.Array, problems: list[UnwritableValues]) -> tuple[pa.Array, list[UnwritableValues]]:
        """Removes the space before the first pair of each line, and writes a null pair to lines without pairs."""
        lines = pc.if_else(pc.starts_with(lines, " "), pc.utf8_slice_codeunits(lines, 1), lines)
        empty = as_bool(pc.equal(lines, text_scalar("\n")))
        if not empty.any():
            return lines, problems
        if not self.can_write_null:
            why = "makes an empty line, which is not a record, because all values are null"
            problems = [*problems, *unwritable_values(0, empty, why)]
        null_pairs = pa.repeat(f"{self.names[0]}={self.null_value}\n", int(empty.sum()))
        return replace_masked(lines, empty, null_pairs), problems

    def forbidden_texts(self) -> tuple[str, ...]:
        """Returns no text: quoted values have an escape for every character."""
        return ()

    def _quote(self, texts: pa.Array) -> pa.Array:
        """Quotes and escapes the texts that an unquoted value cannot be."""
        missing = sorted(self.find_unencodable(texts))
        quoted = self._has_special(texts) | is_any_of(texts, ("", self.null_value)) | holds_any_of(texts, missing)
        if not quoted.any():
            return texts
        escaped = escape_json(texts.filter(from_numpy(quoted)))
        for character in missing:
            escaped = pc.replace_substring(escaped, character, json.dumps(character)[1:-1])
        return replace_masked(texts, quoted, concat_texts('"', escaped, '"'))

    def _has_special(self, texts: pa.Array) -> Bool:
        data = spans.string_bytes(texts)
        special = (data <= ord(" ")) | (data == ord("=")) | (data == ord('"'))
        none: Bool = np.zeros(len(texts), np.bool_)
        return as_bool(pc.match_substring_regex(texts, _SPECIAL)) if special.any() else none
