"""Vectorized engine of regular expressions: splits all lines of a block at the literals of a decomposition.

The engine decodes the lines that the decomposition splits and whose parts match their subexpressions; RE2 alone decodes the
others. RE2 also checks the parts, but without capturing groups, on shorter texts, and once for equal texts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, as_numbers, concat_texts
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, drop_uncertain_rows
from pyspark_logs.formats.columnar.spans import Bool, Int32
from pyspark_logs.formats.decoding.requested_column import RequestedColumn
from pyspark_logs.formats.regex.decomposition import Decomposition, Subexpression
from pyspark_logs.formats.regex.line_parser import RegexLineParser
from pyspark_logs.formats.template.engine import TemplateEngine
from pyspark_logs.formats.template.line_parser import ParsingRules
from pyspark_logs.formats.template.notation import parse_template
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.text import Text

_SAMPLE_LINES = 64
# Below this share of decoded lines the engine costs more than it saves.
_MIN_DECODED = 0.5


class RegexEngine:
    """Decodes blocks with the decomposition that decodes most lines of a sample."""

    name: ClassVar[str] = "numpy"

    def __init__(self, line_parser: RegexLineParser, decompositions: Sequence[Decomposition]) -> None:
        self.candidates = [
            _DecompositionEngine(line_parser, decomposition, counts)
            for decomposition in decompositions
            for counts in _space_counts(decomposition)
        ]
        self.selected: _DecompositionEngine | None = None

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """Decodes the lines ``block[starts[i]:ends[i]]``, which are valid UTF-8 and in ascending order."""
        if len(starts) == 0:
            return None
        if self.selected is None:
            self.selected = self._select(block, starts, ends, context)
        if self.selected is None:
            return None
        decoded = self.selected.parse(block, starts, ends, context)
        if decoded.rows is not None and len(decoded.rows) < _MIN_DECODED * len(starts):
            self.selected = None  # select again for the next block
        return decoded

    def _select(
        self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext
    ) -> _DecompositionEngine | None:
        """Returns the candidate that decodes most lines of a sample from the middle; None if all decode too few."""
        first = max(len(starts) // 2 - _SAMPLE_LINES // 2, 0)
        starts, ends = starts[first : first + _SAMPLE_LINES], ends[first : first + _SAMPLE_LINES]
        best, most = None, _MIN_DECODED * len(starts)
        for candidate in self.candidates:
            rows = candidate.parse(block, starts, ends, context).rows
            count = len(starts) if rows is None else len(rows)
            if count >= most and count:
                best, most = candidate, count
        return best


def _space_counts(decomposition: Decomposition) -> Iterator[tuple[int, ...]]:
    """Yields the combinations of the numbers of spaces that the subexpressions can contain."""
    return itertools.product(
        *(each.space_counts for each in decomposition.components if isinstance(each, Subexpression))
    )


class _DecompositionEngine:
    """A decomposition with a fixed number of spaces in each subexpression, compiled to a template."""

    name: ClassVar[str] = "numpy"

    def __init__(self, line_parser: RegexLineParser, decomposition: Decomposition, space_counts: Sequence[int]) -> None:
        self.line_parser = line_parser
        self.subexpressions: list[tuple[Subexpression, range]] = []  # with the indices of their template columns
        notation, columns = "", 0
        counts = iter(space_counts)
        for component in decomposition.components:
            if isinstance(component, str):
                notation += component.replace("{", "{{").replace("}", "}}")
                continue
            words = next(counts) + 1
            if component.regex is None and component.group is None and not component.quoted:
                notation += "{}" * words
                continue
            indices = range(columns, columns + words)
            columns += words
            notation += " ".join(f"{{r{index}}}" for index in indices)
            self.subexpressions.append((component, indices))
        rules = ParsingRules(allow_trailing=not decomposition.anchored_at_end, judge_whole=True)
        names = [f"r{index}" for index in range(columns)]
        template_columns = [RequestedColumn(name, Text(), name) for name in names]
        self.template_engine = TemplateEngine(parse_template(notation), template_columns, rules)

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows:
        """Decodes the lines that the decomposition splits and whose parts match."""
        split = self.template_engine.parse(block, starts, ends, context)
        count = len(starts) if split.rows is None else len(split.rows)
        texts: dict[int, pa.StringArray] = {}
        matched: Bool = np.ones(count, np.bool_)
        for subexpression, indices in self.subexpressions:
            array = _join_words([split.columns[index] for index in indices])
            _clear_mismatches(subexpression, array, matched)
            if subexpression.group is not None:
                texts[subexpression.group] = _group_text(subexpression, array)
        columns, valid = self.line_parser.convert_groups(texts, count, context)
        return drop_uncertain_rows(split.rows, columns, [matched, valid], len(columns))


def _join_words(words: list[pa.StringArray]) -> pa.StringArray:
    return words[0] if len(words) == 1 else concat_texts(*words, separator=" ")


def _clear_mismatches(subexpression: Subexpression, array: pa.StringArray, matched: Bool) -> None:
    """Clears the rows of ``matched`` whose text does not match the subexpression."""
    if subexpression.quoted:
        # The template ends the text at a quote that the following literal follows; it must be the first quote.
        for char in ('"', "\\"):
            if (spans.string_bytes(array) == ord(char)).any():
                matched &= ~as_bool(pc.match_substring(array, char))
    elif subexpression.regex is not None and not _matches_by_alphabet(subexpression, array):
        anchored = f"^(?:{subexpression.regex})$"
        dictionary = _encode_if_repetitive(array)
        if dictionary is None:
            matched &= as_bool(pc.match_substring_regex(array, anchored))
        else:
            values = as_bool(pc.match_substring_regex(dictionary.dictionary, anchored))
            matched &= values[as_numbers(dictionary.indices)]


def _matches_by_alphabet(subexpression: Subexpression, array: pa.StringArray) -> bool:
    """Returns True if all texts match because they consist of characters of the subexpression's alphabet."""
    alphabet = subexpression.alphabet
    return bool(alphabet) and spans.min_byte_length(array) > 0 and spans.contains_only(array, alphabet.encode())


def _encode_if_repetitive(array: pa.StringArray) -> pa.DictionaryArray | None:
    """Returns the texts as a dictionary if at most a quarter of a sample is distinct, so that encoding pays."""
    sample = array.slice(len(array) // 2, _SAMPLE_LINES)
    return array.dictionary_encode() if len(sample.unique()) * 4 <= len(sample) else None


def _group_text(subexpression: Subexpression, array: pa.StringArray) -> pa.StringArray:
    """Returns the text of the subexpression's group, null where the group took no part in the match."""
    if subexpression.quoted:
        return concat_texts('"', array, '"')
    if subexpression.null_text is None:
        return array
    null = as_bool(pc.equal(array, subexpression.null_text))
    return spans.mask_strings(array, null) if null.any() else array
