"""Template engine: decodes all lines of a block at once.

The scanner searches the delimiter after a field in all lines together; fields with a syntax (quoted text, timestamps)
are found by that. Lines whose structure is not certain are left to the line parser as a whole. The scan ends at the
last requested column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_numpy
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult, with_nulls
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, intersect_masks
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)
from pyspark_logs.formats.decoding.rejections import RejectionForm, Rejections
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.template.field_scanner import FieldScanner
from pyspark_logs.formats.template.line_parser import ParsingRules, ParsingScope, rejection_form
from pyspark_logs.formats.template.scan_state import FieldSpans, GroupState
from pyspark_logs.formats.template.segments import Field, Group, Template, named_fields
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.conversion import convert_fields


class TemplateEngine:
    """Decodes blocks of lines of one template.

    Args:
        template: template of the lines.
        columns: requested columns.
        rules: options of the format.
        rejects_values: False if lines with a value that is not of its type are left to the line parser.
    """

    name: ClassVar[str] = "numpy"

    def __init__(
        self, template: Template, columns: Sequence[RequestedColumn[str]], rules: ParsingRules, *,
        rejects_values: bool = True,
    ) -> None:  # fmt: skip
        self.template, self.columns, self.rules = template, tuple(columns), rules
        self.scope = ParsingScope(template, columns, rules)
        self.extra = tuple(column for column in rules.unrequested if column.type.is_validated)
        self.fields = {field.name: field for field in template.fields if field.name is not None}
        self.judged = (*self.columns, *self.extra)
        self.forms: list[RejectionForm | None] = []
        self.form_of: dict[tuple[int, int], int] = {}  # index of a column and of a location -> of the form
        for field in self.fields.values():
            for index, column in enumerate(self.judged):
                for location, one in enumerate(column.locations):
                    if one.source == field.name:
                        self.form_of[index, location] = len(self.forms)
                        form = rejection_form(field)._replace(judged=one.judged, rank=len(self.forms))
                        # Types check a part of their syntax only in the conversion.
                        is_exact = field.type.syntax is None or field.type.quoted
                        self.forms.append(form if rejects_values and is_exact else None)

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows:
        """Returns the columns of the lines ``block[starts[i]:ends[i]]`` that are certain.

        Args:
            block: lines, valid UTF-8.
            starts: start offset of each line, ascending.
            ends: end offset of each line.
            context: zone and year bound of the file.
        """
        scanner = FieldScanner(block, starts, ends, context, self.rules)
        found, rests = ({}, None) if self.scope.nothing else self._scan(scanner)
        certain = scanner.cursor.certain
        if certain is not None and not certain.any():
            return DecodedRows(np.zeros(0, np.int64), [pa.nulls(0, column.type.arrow()) for column in self.columns])
        rows = None if certain is None else np.flatnonzero(certain)
        extracted: dict[tuple[str, str], Any] = {}
        rejections = Rejections(len(starts) if rows is None else len(rows), self.forms, context)
        results = [
            self._convert_locations(scanner, index, found, rows, extracted, rejections)
            for index in range(len(self.judged))
        ]
        arrays, valid = [array for array, _ in results], [mask for _, mask in results]
        if rests is not None:
            rests = None if not self.rules.finds_appended else rests if rows is None else rests[rows]
        return rejections.decoded_rows(rows, arrays, valid, len(self.columns), rests, ends)

    def _scan(self, scanner: FieldScanner) -> tuple[dict[str, FieldSpans], Int32 | None]:
        """Returns the spans of the named fields, up to the last one that is needed, and the offsets after the last one.

        The offsets are None if lines are not scanned to their end.
        """
        steps, found, rests = self.template.steps, dict[str, FieldSpans](), None
        groups: list[
            tuple[int, GroupState]
        ] = []  # step after each group that is being scanned, and the state before it
        index = 0
        while index < len(steps):
            while groups and groups[-1][0] == index:
                scanner.leave_group(groups.pop()[1])
            step = steps[index]
            index += 1
            if scanner.cursor.certain is not None and not scanner.cursor.certain.any():
                return found, None
            if isinstance(step.segment, Group):
                if step.takes_appended:
                    rests = scanner.cursor.offsets
                state = scanner.enter_group(step.segment.segments[0], step.following)
                is_absent = scanner.cursor.is_group_absent
                if is_absent:
                    index += step.size
                    for field in named_fields(step.segment.segments):
                        found[field.name or ""] = scanner.absent_field()
                        if field.name == self.scope.last:
                            return found, None
                if step.following.delimiters or step.following.field is not None:  # else the template ends here
                    groups.append((index + (0 if is_absent else step.size), state))
            elif isinstance(step.segment, Field):
                field_spans, name = scanner.scan_field(step.segment, step.following), step.segment.name
                if name is not None:
                    found[name] = field_spans
                    if name == self.scope.last:
                        return found, None
            else:
                scanner.skip(step.segment)
        scanner.finish()
        return found, scanner.cursor.offsets if rests is None else rests

    def _convert_locations(
        self,
        scanner: FieldScanner,
        index: int,
        found: Mapping[str, FieldSpans],
        rows: Int64 | None,
        extracted: dict[tuple[str, str], Any],
        rejections: Rejections,
    ) -> ConversionResult:
        """Returns a column as :meth:`_convert` does, from the first of its fields that has a value."""
        results = []
        for location, one in enumerate(self.judged[index].locations):
            reject = partial(rejections.add, self.form_of[index, location], one.type)
            results.append(self._convert(scanner, one, found[one.source], rows, extracted, reject))
        array, valid = results[0]
        for other, other_valid in results[1:]:
            array = array if other.null_count == len(other) else pc.coalesce(array, other)
            valid = intersect_masks([valid, other_valid])
        return array, valid

    def _convert(
        self,
        scanner: FieldScanner,
        column: RequestedColumn[str],
        found: FieldSpans,
        rows: Int64 | None,
        extracted: dict[tuple[str, str], Any],
        reject: Callable[[Int64, pa.StringArray], None],
    ) -> ConversionResult:
        """Returns a column, and a mask of its valid values (None: all are valid).

        Args:
            scanner: scanner of the block.
            column: requested column.
            found: spans of the column's field in all lines.
            rows: indices of the certain lines; None: all lines.
            extracted: results that columns share, by the name of their field and of the extraction.
            reject: takes the indices of the values that are not certain, and their texts; the column is null there.
        """
        field = self.fields[column.source]
        pick = slice(None) if rows is None else rows
        starts, ends = found.starts[pick], found.ends[pick]
        null = None if found.null is None else found.null[pick]
        if field.nullable:
            tokens = [text.encode() for text in field.null_texts(self.rules.null_value)]
            absent = _find_tokens(scanner.view, starts, ends, tokens)
            null = absent if null is None else null if absent is None else null | absent
        if null is not None and not null.any():
            null = None
        if found.instants is not None:
            array = column.type.convert_instants(found.instants[pick])
            if array is not None:
                return (array if null is None else with_nulls(array, null)), None
        style = field.type.resolve_escape_style(self.rules.escape) if scanner.has_backslash else None

        def convert(strings: pa.Array) -> ConversionResult:
            key = (column.source, column.type.extraction)
            if key not in extracted:
                extracted[key] = column.type.extract(strings)
            return column.type.convert_extracted(strings, extracted[key], scanner.context)

        array, valid = convert_fields(
            scanner.block, scanner.view, starts, ends, null, column.type, scanner.context,
            words=None if found.words is None else found.words[pick],
            unescape=None if style is None else style.unescape_strings,
            convert=convert,
        )  # fmt: skip
        if valid is None or valid.all():
            return array, None
        uncertain = np.flatnonzero(~valid)
        texts = spans.field_strings(scanner.block, starts[uncertain], ends[uncertain])
        reject(uncertain, texts if style is None else style.unescape_strings(texts))
        return array.take(from_numpy(np.arange(len(array)), ~valid)), None


def _find_tokens(view: Bytes, starts: Int32, ends: Int32, tokens: Sequence[bytes]) -> Bool | None:
    """Returns a mask of the texts that are a null token; None if no text is as short as a token."""
    lengths = ends - starts
    if len(lengths) == 0 or lengths.min() > max(map(len, tokens)):
        return None
    mask: Bool = np.zeros(len(lengths), np.bool_)
    for token in tokens:
        rows = np.flatnonzero(lengths == len(token))
        if len(rows):
            mask[rows] |= spans.literal_at(view, starts[rows], token)
    return mask
