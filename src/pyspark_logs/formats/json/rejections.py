"""Reasons of JSON lines of which a value is not of its type, by column."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, concat_texts, from_numpy, from_texts
from pyspark_logs.formats.columnar.reasons import CorruptReason, Reasons
from pyspark_logs.formats.columnar.spans import (
    Int32,
    Int64,
    max_byte_length,
    string_bytes,
)
from pyspark_logs.formats.decoding.rejections import Problems, RejectionForm
from pyspark_logs.formats.json.values import MAX_SHOWN, dump_json, parse_json

_FIRST_PRINTABLE = 0x20
_BACKSLASH = ord("\\")


class JsonRejectionForm(RejectionForm):
    """Form of the reasons of JSON lines: the words of :func:`~pyspark_logs.formats.json.values.convert`.

    A text without the syntax of its field is a JSON value of another kind, which the words begin with. The words of other
    problems do not have the value.
    """

    def normalise(self, texts: pa.StringArray) -> pa.StringArray:
        r"""Returns JSON values as they are rendered.

        >>> JsonRejectionForm("field 'n'").normalise(from_texts(['"a"', '"\\u0061"', "true"])).to_pylist()
        ['"a"', '"a"', 'true']
        """
        data = string_bytes(texts)
        if len(data) == 0 or (data.min() >= _FIRST_PRINTABLE and not (data == _BACKSLASH).any()):
            return texts
        special = as_bool(pc.match_substring_regex(texts, r"[\x00-\x1f\\]"))
        rendered = [dump_json(parse_json(text)) for text in texts.filter(from_numpy(special)).to_pylist()]
        return pc.replace_with_mask(texts, from_numpy(special), from_texts(rendered))

    def reasons(self, rows: Int64, indices: Int32, problems: Problems) -> Reasons:
        """Returns the reasons of lines; see :meth:`.RejectionForm.reasons`."""
        if problems.matched:
            reasons = [CorruptReason(f"{self.head}: {message}", self.category) for message in problems.messages]
            return Reasons.by_code(rows, problems.codes[indices], reasons)
        shown = problems.texts
        if max_byte_length(shown) > MAX_SHOWN:
            shown = pc.utf8_slice_codeunits(shown, 0, MAX_SHOWN)
        messages = concat_texts(f"{self.head}: ", shown, f" {problems.messages[0]}")
        return Reasons(rows, indices, messages, (self.category,), np.zeros(len(messages), np.int32))
