"""Writer of separated values and their header."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, as_numbers, concat_texts, from_numpy, null_mask, text_scalar
from pyspark_logs.formats.columnar.conversion import scatter_result
from pyspark_logs.formats.compiled import render_opcodes as op
from pyspark_logs.formats.compiled.render_program import LineRules, ValueForm
from pyspark_logs.formats.delimited.header import column_name
from pyspark_logs.formats.delimited.splitter import ValueSplitter
from pyspark_logs.formats.delimited.written_values import CombinedColumn, ValuePlan
from pyspark_logs.formats.line_format import duplicate_names
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import parse_distinct
from pyspark_logs.formats.writing.column_program import ColumnProgram, PlannedValue, compile_values
from pyspark_logs.formats.writing.field_context import LINE_ENDS
from pyspark_logs.formats.writing.line_writer import FindUnencodable, UnwritableValues, unwritable_values
from pyspark_logs.formats.writing.render_plan import RenderPlan
from pyspark_logs.formats.writing.scalar_writer import ScalarWriter, holds_any_of, is_any_of, replace_masked
from pyspark_logs.formats.writing.value_forms import PLAIN_TEXT, is_value, scalar_form
from pyspark_logs.records import BLOCK_BYTES


class DelimitedWriter(ScalarWriter):
    """Renders columns as separated values; see :class:`pyspark_logs.formats.writing.line_writer.LineWriter`.

    A quoted value is never null and may contain line ends, so a value that would be read as null, as two values, as two
    lines or as a comment is quoted. Zero bytes at the beginning of a line are not text for readers, also within quotes.

    Args:
        plan: values of a line.
        schema: columns to write.
        splitter: separator and quote.
        null_value: unquoted text that is null.
        zone: time zone of timestamps without a zone.
        unencodable: function that finds characters that the encoding lacks; None: the encoding has all characters.
        forbidden_prefixes: texts that no line may begin with.
        has_header: True if the first line of a file has the names of the values: a line of unquoted names is not a record.
    """

    def __init__(
        self, plan: ValuePlan, schema: pa.Schema, splitter: ValueSplitter, null_value: str, *, zone: str,
        unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...], has_header: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(schema, plan.types, zone, unencodable)
        self.header_names = tuple(value.name for value in plan.values) if has_header else ()
        self.plan, self.splitter, self.null_value = plan, splitter, null_value
        self.forbidden_prefixes = forbidden_prefixes
        self._programs: dict[Hashable, ColumnProgram] = {}
        self.first = next(value.column for value in plan.values if value.column >= 0)

    def render_lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        """Joins the values with separators."""
        pieces: list[pa.Array | str] = []
        problems: list[UnwritableValues] = []
        rendered: dict[int, pa.Array] = {}
        written: dict[str, pa.Array] = {}
        for index, value in enumerate(self.plan.values):
            null = self._null_text(index)
            if value.column < 0:
                pieces.append(null)
            else:
                if value.column not in rendered:
                    rendered[value.column], unwritable_texts = self.texts(columns, value.column)
                    problems += unwritable_texts
                written[value.name] = _slice_part(rendered[value.column], value.part)
                texts, unwritable_texts = self._quote(written[value.name], value.column, index)
                problems += unwritable_texts
                pieces.append(texts.fill_null(text_scalar(null)))
            pieces.append(self.splitter.separator if index + 1 < len(self.plan.values) else "\n")
        for combined in self.plan.combined:
            values = [written[name] for name in combined.values]
            problems += self._find_contradictions(combined, columns[combined.column], values)
        lines = concat_texts(*pieces)
        problems += self._find_ambiguous_ends(lines)
        return lines, problems

    def plan_rendering(
        self, columns: Sequence[pa.Array], avoided: frozenset[Hashable], rules: LineRules
    ) -> RenderPlan | None:
        """Returns a plan in which the machine renders strings, numbers, booleans, times and days.

        None: there is one value in a line, which is quoted by further rules, or a column must agree with several values.
        """
        if len(self.plan.values) == 1 or self.plan.combined:
            return None
        key = (avoided, rules)
        if key not in self._programs:
            self._programs[key] = self._compile(avoided, rules)

        def render_value(position: int) -> tuple[pa.Array, list[UnwritableValues]]:
            index = self._written_indices[position]
            value = self.plan.values[index]
            rendered, unwritable_texts = self.texts(columns, value.column)
            texts, unwritable_quoted = self._quote(_slice_part(rendered, value.part), value.column, index)
            return texts.fill_null(text_scalar(self._null_text(index))), unwritable_texts + unwritable_quoted

        return self._programs[key].plan(columns, render_value)

    def _compile(self, avoided: frozenset[Hashable], rules: LineRules) -> ColumnProgram:
        values: list[PlannedValue] = []
        before = ""
        for index, value in enumerate(self.plan.values):
            before += self.splitter.separator if index else ""
            if value.column < 0:
                before += self._null_text(index)
                continue
            form = None if len(values) in avoided else self._form(index)
            values.append(PlannedValue(before, value.column, form))
            before = ""
        return compile_values(values, before + "\n", rules)

    @cached_property
    def _written_indices(self) -> tuple[int, ...]:
        """Indices of the values that have a column."""
        return tuple(index for index, value in enumerate(self.plan.values) if value.column >= 0)

    def _form(self, index: int) -> ValueForm | None:
        """Returns the form in which the machine renders a value; None: it does not."""
        value, quote, separator = self.plan.values[index], self.splitter.quote, self.splitter.separator
        field_type, null = self.kinds[value.column], self._null_text(index).encode()
        marks = separator[0] + (quote or "")
        nulls = ("", self.null_value, *(self.header_names if index == 0 else ()))
        prefixes = self.forbidden_prefixes if index == 0 else ()
        if field_type.rendered_form == PLAIN_TEXT and value.part is None and marks.isascii():
            mode = op.SEPARATED_BACKSLASHES if self.splitter.escapes else op.SEPARATED_VALUE
            return ValueForm(
                op.TEXTS,
                null,
                op.PLAIN if quote is None else mode,
                stops=tuple(mark.encode() for mark in marks),
                heads=tuple(prefix.encode() for prefix in prefixes),
                equals=tuple(text.encode() for text in nulls),
                argument=ord(quote or "\0"),
            )
        form = scalar_form(field_type, self.zone)
        may_need_quotes = any(mark.isalnum() or mark in "+-.:" for mark in marks) or is_value(field_type, nulls)
        may_need_quotes |= any(prefix[0].isalnum() or prefix[0] in "+-" for prefix in prefixes)
        if form is None or form.pattern is not None or value.part is not None or may_need_quotes:
            return None
        return replace(form, null=null)

    def _find_ambiguous_ends(self, lines: pa.Array) -> list[UnwritableValues]:
        r"""Finds the lines with a ``\r`` that are so long that readers may find no ``\n`` in the first block of a file."""
        ambiguous = holds_any_of(lines, ("\r",))
        ambiguous &= as_numbers(pc.binary_length(lines)) > BLOCK_BYTES
        return unwritable_values(self.first, ambiguous, "makes a long line with a carriage return, which would end it")

    def _find_contradictions(
        self, combined: CombinedColumn, column: pa.Array, values: Sequence[pa.Array]
    ) -> list[UnwritableValues]:
        """Finds the rows in which the written values do not read back as the combined column."""
        texts = concat_texts(concat_texts(*values, separator=" "), combined.suffix)
        null = null_mask(texts)
        field_type, present = self.kinds[combined.column], texts.drop_null()
        read, valid = field_type.convert(present, TimestampContext(self.zone))
        if valid is not None:
            read, valid = parse_distinct(field_type, present, TimestampContext(self.zone))
        read, valid = scatter_result(read, valid, null)
        same = as_bool(pc.equal(read, column)) | (null & as_bool(column.is_null()))
        different = ~same if valid is None else ~(same & valid)
        return unwritable_values(combined.column, different, f"differs from {' and '.join(map(repr, combined.values))}")

    def forbidden_texts(self) -> tuple[str, ...]:
        r"""Returns what no value may contain: padding and ``\r`` within quotes; without quotes, what ends a value."""
        return ("\0", "\r") if self.splitter.quote is not None else (*LINE_ENDS, self.splitter.separator[0])

    def _null_text(self, index: int) -> str:
        """Returns the text of null: the null token, or "" if the token would be split, or would begin a comment."""
        token = self.null_value
        is_split = contains_any(token, (self.splitter.separator[0], self.splitter.quote or "\n", *LINE_ENDS))
        return "" if is_split or (index == 0 and token.startswith(self.forbidden_prefixes)) else token

    def _quote(self, texts: pa.Array, column: int, index: int) -> tuple[pa.Array, list[UnwritableValues]]:
        """Quotes the texts that need quotes, and finds the texts that cannot be written.

        Args:
            texts: texts of a value.
            column: index of the column that the value is rendered from.
            index: index of the value.
        """
        quote, separator = self.splitter.quote, self.splitter.separator
        line_ends = holds_any_of(texts, LINE_ENDS)
        problems = unwritable_values(
            column, holds_any_of(texts, sorted(self.find_unencodable(texts))), "has a character that the encoding lacks"
        )
        # A text that ends in the beginning of a longer separator would be split too early.
        is_split = holds_any_of(texts, (separator[0],))
        is_null = is_any_of(texts, ("", self.null_value))
        is_forbidden = is_split & False
        if index == 0 and self.header_names:
            is_forbidden |= is_any_of(texts, self.header_names)
        if len(self.plan.values) == 1:  # a line of blanks is not a record
            is_forbidden |= as_bool(pc.match_substring_regex(texts, r"^[ \t]*\z"))
        for prefix in self.forbidden_prefixes if index == 0 else ():
            is_forbidden |= as_bool(pc.starts_with(texts, prefix))
        if quote is None:
            problems += unwritable_values(column, line_ends, "holds a line end, and there are no quotes")
            problems += unwritable_values(
                column, is_split, f"holds {separator[0]!r} of the separator, and there are no quotes"
            )
            problems += unwritable_values(column, is_null, "would be read as null, as there are no quotes")
            return texts, problems
        if line_ends.any():
            why = "has a zero byte at the beginning of a line, which is not text for readers"
            problems += unwritable_values(column, holds_any_of(texts, ("\n\0",)), why)
        quoted = is_split | is_null | is_forbidden | line_ends | holds_any_of(texts, (quote,))
        if quoted.any():
            escaped = texts.filter(from_numpy(quoted))
            for special, replacement in self.splitter.escapes_of_quoted():
                escaped = pc.replace_substring(escaped, special, replacement)
            texts = replace_masked(texts, quoted, concat_texts(quote, escaped, quote))
        return texts, problems


def render_header(
    names: Sequence[str],
    splitter: ValueSplitter,
    *,
    by_fields: bool,
    forbidden_prefixes: tuple[str, ...],
    unencodable: FindUnencodable | None,
) -> tuple[str, list[str]]:
    """Renders the header that gives names to the values of a file.

    Args:
        names: names of the values.
        splitter: separator and quote.
        by_fields: True for a ``#Fields:`` line, False for a first line of separated names.
        forbidden_prefixes: texts that no line may begin with.
        unencodable: function that finds characters that the encoding lacks; None: the encoding has all characters.

    Returns:
        The header with its line ends, and the reasons why it would not be read as these names.
    """
    problems = [f"{name!r} holds a line end" for name in names if contains_any(name, LINE_ENDS)]
    missing = unencodable("".join(names)) if unencodable is not None else set()
    problems += [f"the encoding lacks {character!r} of the names" for character in sorted(missing)]
    if by_fields:
        problems += [
            f"{name!r} is not a single word" for name in names if name.split() != [name] or not column_name(name)
        ]
        problems += duplicate_names([column_name(name) for name in names])
        return f"#Version: 1.0\n#Fields: {' '.join(names)}\n", problems
    problems += duplicate_names([name.lower() for name in names])
    quote = splitter.quote
    rendered = []
    for index, name in enumerate(names):
        quoted = name != name.strip() or not name or contains_any(name, (splitter.separator[0], quote or "\n"))
        quoted = quoted or (index == 0 and name.startswith(forbidden_prefixes))
        rendered.append(quote + splitter.escaped(name) + quote if quoted and quote is not None else name)
    line = splitter.separator.join(rendered)
    if not problems and (splitter.header_names(line) != list(names) or line.startswith(forbidden_prefixes)):
        problems.append(f"the header {line!r} does not read back as these names; rename the columns")
    return line + "\n", problems


def contains_any(text: str, parts: Sequence[str]) -> bool:
    """Returns True if a text contains any of the parts."""
    return any(part in text for part in parts)


def _slice_part(texts: pa.Array, part: tuple[int, int] | None) -> pa.Array:
    """Returns a range of characters of timestamps, without a fraction of zero; None: the whole text."""
    if part is None:
        return texts
    return pc.replace_substring_regex(pc.utf8_slice_codeunits(texts, *part), r"\.000000\z", "")
