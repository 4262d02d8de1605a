"""Lines of ``key=value`` pairs, by the column."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.json.writer import escaped_texts
from pyspark_logs.formats.line_writer import FindUnencodable, UnwritableValues, unwritable
from pyspark_logs.formats.scalar_writer import ScalarWriter, among, holding, replaced
from pyspark_logs.formats.types.field_type import FieldType

_ENDS_WORD = re.compile(r'[\x00-\x20="]')  # what neither a key nor a value without quotes may hold
_SPECIAL = r'[\x00-\x20="]'  # the same for RE2


def key_problem(name: str) -> str:
    """Why a column's name is no key; "" if it is one."""
    found = _ENDS_WORD.search(name)
    return f"{name!r} holds {found[0]!r}, and a key cannot; rename it" if found else ""


class LogfmtWriter(ScalarWriter):
    """Renders columns as pairs; see :class:`pyspark_logs.formats.line_writer.LineWriter`.

    Null is left out. A row of nothing else is the first key with the null token, as an empty line is no record. Values
    are quoted where they need it.
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
        self.null_is_a_word = not _ENDS_WORD.search(null_value)

    def lines(self, columns: Sequence[pa.Array]) -> tuple[pa.Array, list[UnwritableValues]]:
        """Pairs with a blank between them."""
        pieces: list[pa.Array | str] = []
        found: list[UnwritableValues] = []
        led = columns[0].null_count == 0  # then each line begins with the first key
        for place, name in enumerate(self.names):
            texts, wrong = self.texts(columns, place)
            found += wrong
            lead = "" if led and place == 0 else " "
            pieces.append(pc.binary_join_element_wise(f"{lead}{name}=", self._safe(texts), "").fill_null(""))
        lines = pc.binary_join_element_wise(*pieces, "\n", "")
        return (lines, found) if led else self._begun(lines, found)

    def _begun(self, lines: pa.Array, found: list[UnwritableValues]) -> tuple[pa.Array, list[UnwritableValues]]:
        """The lines without the blank before their first pair; what has none gets one that is null."""
        lines = pc.if_else(pc.starts_with(lines, " "), pc.utf8_slice_codeunits(lines, 1), lines)
        empty = spans.as_bool(pc.equal(lines, "\n"))
        if not empty.any():
            return lines, found
        if not self.null_is_a_word:
            found = [*found, *unwritable(0, empty, "makes an empty line, which is no record, as all values are null")]
        nulls = pa.repeat(f"{self.names[0]}={self.null_value}\n", int(empty.sum()))
        return replaced(lines, empty, nulls), found

    def unwritable(self) -> tuple[str, ...]:
        """Nothing: there is an escape for each character."""
        return ()

    def _safe(self, texts: pa.Array) -> pa.Array:
        """The texts in quotes, with escapes, where they need them."""
        lacking = sorted(self.lacking(texts))
        needs = self._special(texts) | among(texts, ("", self.null_value)) | holding(texts, lacking)
        if not needs.any():
            return texts
        inside = escaped_texts(texts.filter(pa.array(needs)))
        for character in lacking:
            inside = pc.replace_substring(inside, character, json.dumps(character)[1:-1])
        return replaced(texts, needs, pc.binary_join_element_wise('"', inside, '"', ""))

    def _special(self, texts: pa.Array) -> Bool:
        data = spans.string_bytes(texts)
        special = (data <= ord(" ")) | (data == ord("=")) | (data == ord('"'))
        none: Bool = np.zeros(len(texts), np.bool_)
        return spans.as_bool(pc.match_substring_regex(texts, _SPECIAL)) if special.any() else none
