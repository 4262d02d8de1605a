"""Reasons of lines with a value that is not of its type, by column.

The line parsers reject values one at a time, engines those of a block. Both take the words of a reason from a
:class:`RejectionForm`, and the problem of a text from :meth:`.FieldType.parse`, of which a block needs one call for each class
of texts with the same problem (:meth:`.FieldType.problem_classes`), or for each distinct text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, concat_texts, from_numpy, from_texts
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, drop_uncertain_rows, intersect_masks
from pyspark_logs.formats.columnar.reasons import CorruptReason, Reasons
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Int32,
    Int64,
    max_byte_length,
    string_bytes,
)
from pyspark_logs.formats.decoding.mismatches import first_of_each
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.problem_classes import UNCLASSED

NOT_QUOTED = "not a quoted text"
TEXT_MISSING = "the text that must follow is missing"
NO_PROBLEM = -1
_MAX_SHOWN = 80  # characters of a value in a message
_FEW = 16  # texts that are parsed one by one sooner than searched by an expression

# The bytes that `repr` leaves as they are in a text between single quotes.
_PLAIN = np.zeros(256, np.bool_)
_PLAIN[32:127] = True
_PLAIN[[ord("'"), ord("\\")]] = False
_PLAIN_TEXT = r"^[ -&(-\[\]-~]*\z"


class RejectionForm(NamedTuple):
    """Form of the reasons of lines with a rejected value of a column.

    Attributes:
        head: words before the value, which name the field or the column.
        category: category of all reasons; "": the head, and the problem up to its first colon.
        judged: True if the column makes a line corrupt.
        unmatched: problem of a text without the syntax of its field.
        rank: position of the column in the order in which the line parser converts values.
        null_texts: texts that are null: one with the syntax of its field, and one without it; None: there are none.
    """

    head: str
    category: str = ""
    judged: bool = True
    unmatched: str = TEXT_MISSING
    rank: int = 0
    null_texts: tuple[str, str] | None = None

    def normalise(self, texts: pa.StringArray) -> pa.StringArray:
        """Returns texts without the syntax of their field in the form in which reasons have them."""
        return texts

    def reason(self, text: str, problem: str) -> CorruptReason:
        """Returns the reason of a line.

        >>> RejectionForm("field 'n'").reason("x", "not a whole number").text
        "field 'n': 'x': not a whole number"
        """
        return CorruptReason(f"{self.head}: {text[:_MAX_SHOWN]!r}: {problem}", self.category_of(problem))

    def category_of(self, problem: str) -> str:
        """Returns the category of a problem."""
        return self.category or f"{self.head}: {problem.partition(': ')[0]}"

    def reasons(self, rows: Int64, indices: Int32, problems: Problems) -> Reasons:
        """Returns the reasons of lines.

        Args:
            rows: ascending indices of the lines.
            indices: index of the text of each of them.
            problems: problems of these texts.
        """
        categories: dict[str, int] = {}
        of_message = [categories.setdefault(self.category_of(text), len(categories)) for text in problems.messages]
        codes = np.maximum(problems.codes, 0)
        shown, quote = represent(problems.texts)
        words = [f"{quote}: {message}" for message in problems.messages]
        ends = words[0] if len(words) == 1 else from_texts(words).take(from_numpy(codes))
        messages = concat_texts(f"{self.head}: {quote}", shown, ends)
        return Reasons(rows, indices, messages, tuple(categories), np.array(of_message, np.int32)[codes])


class Problems(NamedTuple):
    """Problems of texts.

    Attributes:
        texts: the texts.
        codes: index of the message of each text; ``NO_PROBLEM``: it has none, or none is known.
        messages: distinct messages.
        matched: True if the texts have the syntax of their field.
    """

    texts: pa.StringArray
    codes: Int32
    messages: tuple[str, ...]
    matched: bool = True


def find_problems(field_type: FieldType, texts: pa.StringArray, context: TimestampContext) -> Problems:
    """Returns the problems with which :meth:`.FieldType.parse` rejects texts.

    Args:
        field_type: the type.
        texts: distinct texts without nulls.
        context: zone and year bound of the file.
    """
    codes = np.full(len(texts), NO_PROBLEM, np.int32)
    messages: dict[str, int] = {}

    def code_of(index: int) -> int:
        try:
            field_type.parse(texts[index].as_py(), context)
        except ValueError as error:
            return messages.setdefault(str(error), len(messages))
        return NO_PROBLEM

    classes = field_type.problem_classes(texts) if len(texts) > _FEW else None
    if classes is None:
        classes = np.full(len(texts), UNCLASSED, np.int32)
    classed = np.flatnonzero(classes != UNCLASSED)
    if len(classed):
        first, of_class = first_of_each(classes[classed].astype(np.int64))
        codes[classed] = np.array([code_of(index) for index in classed[first].tolist()], np.int32)[of_class]
    for index in np.flatnonzero(classes == UNCLASSED).tolist():
        codes[index] = code_of(index)
    return Problems(texts, codes, tuple(messages))


def represent(texts: pa.StringArray) -> tuple[pa.StringArray, str]:
    r"""Returns the ``repr`` of the shown beginning of each text, and the quote that these lack on both sides; "": they lack none.

    >>> represent(from_texts(["ab", "a\\b"]))[0].to_pylist(), represent(from_texts(["ab"]))[1]
    (["'ab'", "'a\\\\b'"], "'")
    """
    if max_byte_length(texts) > _MAX_SHOWN:
        texts = pc.utf8_slice_codeunits(texts, 0, _MAX_SHOWN)
    if _PLAIN[string_bytes(texts)].all():
        return texts, "'"
    shown = concat_texts("'", texts, "'")
    special = ~as_bool(pc.match_substring_regex(texts, _PLAIN_TEXT))
    replaced = [repr(text) for text in texts.take(from_numpy(np.flatnonzero(special))).to_pylist()]
    return pc.replace_with_mask(shown, from_numpy(special), from_texts(replaced)), ""


@dataclass(frozen=True)
class _Rejected:
    """Rejected values of a column.

    Attributes:
        form: form of their reasons.
        rows: ascending indices of the lines.
        indices: index of the text of each of them.
        problems: problems of these texts.
    """

    form: RejectionForm
    rows: Int64
    indices: Int32
    problems: Problems


class Rejections:
    """Collects the rejected values of the lines of a block. The first rejected value of a line is its reason.

    Args:
        count: number of lines.
        forms: form of each output of an engine; None: lines with a rejected value of the output are left to the line parser.
        context: zone and year bound of the file.

    Attributes:
        uncertain: mask of the lines that are left to the line parser.
    """

    def __init__(self, count: int, forms: Sequence[RejectionForm | None], context: TimestampContext) -> None:
        self.forms, self.context = tuple(forms), context
        self.uncertain: Bool = np.zeros(count, np.bool_)
        self._found: list[_Rejected] = []
        self._rejected: dict[int, list[Int64]] = {}

    def add(self, index: int, field_type: FieldType, rows: Int64, texts: pa.StringArray) -> None:
        """Adds values that an engine could not convert with certainty. A line whose value the type accepts is uncertain.

        Args:
            index: index of the output.
            field_type: type of the column.
            rows: ascending indices of the lines.
            texts: text of each value, without escapes.
        """
        form = self.forms[index]
        if form is None:
            self.uncertain[rows] = True
            return
        certain = ~self.uncertain[rows]
        if form.null_texts is not None:
            certain &= _differ(texts, form.null_texts[0])
        if not certain.all():
            rows, texts = rows[certain], texts.filter(from_numpy(certain))
        if len(rows) == 0:
            return
        encoded = texts.dictionary_encode()
        self._add(index, rows, encoded.indices, find_problems(field_type, encoded.dictionary, self.context))

    def add_unmatched(self, index: int, rows: Int64, texts: pa.StringArray) -> None:
        """Adds values without the syntax of their field; see :meth:`add`."""
        form = self.forms[index]
        if form is None:
            self.uncertain[rows] = True
            return
        texts = form.normalise(texts)
        if form.null_texts is not None:
            present = _differ(texts, form.null_texts[1])
            rows, texts = rows[present], texts.filter(from_numpy(present))
        if len(rows):
            encoded = texts.dictionary_encode()
            codes = np.zeros(len(encoded.dictionary), np.int32)
            problems = Problems(encoded.dictionary, codes, (form.unmatched,), matched=False)
            self._add(index, rows, encoded.indices, problems)

    def _add(self, index: int, rows: Int64, encoded: pa.Int32Array, problems: Problems) -> None:
        form = self.forms[index]
        indices = np.frombuffer(encoded.buffers()[1], np.int32)[encoded.offset : encoded.offset + len(encoded)]
        accepted = problems.codes[indices] == NO_PROBLEM
        self.uncertain[rows[accepted]] = True
        if form is None or accepted.all():
            return
        self._rejected.setdefault(index, []).append(rows[~accepted])
        if form.judged:
            self._found.append(_Rejected(form, rows[~accepted], indices[~accepted], problems))

    def rows_of(self, index: int) -> list[Int64]:
        """Returns the lines with a rejected value of an output, in several parts."""
        return self._rejected.get(index, [])

    def decoded_rows(
        self, rows: Int64 | None, arrays: list[pa.Array], masks: Sequence[Bool | None], count: int,
        rests: Int32 | None, ends: Int32 | None,
    ) -> DecodedRows:  # fmt: skip
        """Returns the lines whose columns are all certain, and the reasons of the lines with a rejected value.

        Args:
            rows: indices of the lines in the block; None: all lines.
            arrays: the requested columns, null where a value is rejected, followed by columns that are only validated.
            masks: mask of the certain values of each column; None: all values.
            count: number of requested columns.
            rests: offset after the last field of each line; None: it was not sought.
            ends: end offset of each line of the block; None: ``rests`` is None, too.
        """
        if self.uncertain.any():
            masks = [*masks, ~self.uncertain]
        decoded, certain, reasons = (
            drop_uncertain_rows(rows, arrays, masks, count),
            intersect_masks(masks),
            self.reasons(),
        )
        if rests is not None:
            decoded.rests = rests if certain is None else rests[certain]
        if len(reasons):
            decoded.reasons = reasons if certain is None else reasons.select(np.flatnonzero(certain))
            if decoded.rests is not None and ends is not None:  # only lines that match have appended fields
                corrupt = decoded.reasons.rows
                decoded.rests[corrupt] = ends[corrupt if decoded.rows is None else decoded.rows[corrupt]]
        return decoded

    def reasons(self) -> Reasons:
        """Returns the reason of each line that is certain and has a rejected value of a judged column."""
        reasons = Reasons.none()
        taken = self.uncertain.copy()
        for found in sorted(self._found, key=lambda one: one.form.rank):
            is_first = ~taken[found.rows]
            if is_first.any():
                taken[found.rows] = True
                reasons = reasons.union(
                    found.form.reasons(found.rows[is_first], found.indices[is_first], found.problems)
                )
        return reasons


def _differ(texts: pa.StringArray, text: str) -> Bool:
    """Returns a mask of the texts that differ from a text."""
    return as_bool(pc.not_equal(texts, from_texts([text])[0]))
