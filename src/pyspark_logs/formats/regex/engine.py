"""The fast engine of regular expressions: a path of texts and runs, walked in all lines at once.

It vouches for the lines that the path fits and whose runs are what they must be; RE2 does the others. Whether a run is
what it must be is still said by RE2, but without captures, on less text, and for equal texts once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.decoded_rows import DecodedRows
from pyspark_logs.formats.columnar.spans import Bool, Int32
from pyspark_logs.formats.regex.matching import RegexLineParser
from pyspark_logs.formats.regex.path import Path, Run
from pyspark_logs.formats.template.engine import TemplateEngine
from pyspark_logs.formats.template.line_parser import Column, Rules
from pyspark_logs.formats.template.notation import parse_template
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import contains_only
from pyspark_logs.formats.types.text import Text

_SAMPLE = 64  # lines by which it is found out how many spaces the times of a file hold
_ENOUGH = 0.5  # of the lines; where a path fits fewer, walking it costs more than it saves


class RegexEngine:
    """The lines that go one of the ways which RE2 tries first; which one is found out from the lines."""

    def __init__(self, lines: RegexLineParser, paths: Sequence[Path]) -> None:
        self.variants = [_Variant(lines, path, spaces) for path in paths for spaces in _spaces(path)]
        self.chosen: _Variant | None = None

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """The columns of the lines ``block[starts[i]:ends[i]]`` (valid UTF-8, ascending)."""
        if len(starts) == 0:
            return None
        if self.chosen is None:
            self.chosen = self._choose(block, starts, ends, context)
        if self.chosen is None:
            return None
        sure = self.chosen.parse(block, starts, ends, context)
        if sure.rows is not None and len(sure.rows) < _ENOUGH * len(starts):
            self.chosen = None  # the next block may be otherwise
        return sure

    def _choose(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> _Variant | None:
        """The variant that fits most lines of a sample from the middle; None: none fits enough of them."""
        first = max(len(starts) // 2 - _SAMPLE // 2, 0)
        starts, ends = starts[first : first + _SAMPLE], ends[first : first + _SAMPLE]
        best, most = None, _ENOUGH * len(starts)
        for variant in self.variants:
            rows = variant.parse(block, starts, ends, context).rows
            fitting = len(starts) if rows is None else len(rows)
            if fitting >= most and fitting:
                best, most = variant, fitting
        return best


def _spaces(path: Path) -> list[tuple[int, ...]]:
    """How many spaces the runs may hold, in all combinations."""
    found: list[tuple[int, ...]] = [()]
    for step in path.steps:
        if isinstance(step, Run):
            found = [(*one, count) for one in found for count in step.spaces]
    return found


class _Variant:
    """A path in which it is known how many spaces each run holds: a template."""

    def __init__(self, lines: RegexLineParser, path: Path, spaces: Sequence[int]) -> None:
        self.lines = lines
        self.runs: list[tuple[Run, list[int]]] = []  # with the columns of the chain that make up its text
        text, columns = "", 0
        counts = iter(spaces)
        for step in path.steps:
            if isinstance(step, str):
                text += step.replace("{", "{{").replace("}", "}}")
                continue
            pieces = next(counts) + 1
            if step.regex is None and step.group is None and not step.quotes:
                text += "{}" * pieces
                continue
            places = list(range(columns, columns + pieces))
            columns += pieces
            text += " ".join(f"{{r{place}}}" for place in places)
            self.runs.append((step, places))
        template = parse_template(text)
        rules = Rules(allow_trailing=not path.whole, judge_whole=True)
        self.chain = TemplateEngine(template, [Column(f"r{place}", Text()) for place in range(columns)], rules)

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows:
        """The columns of the lines that it is sure of."""
        cut = self.chain.parse(block, starts, ends, context)
        count = len(starts) if cut.rows is None else len(cut.rows)
        texts: dict[int, pa.StringArray] = {}
        fine: Bool = np.ones(count, np.bool_)
        for run, places in self.runs:
            array = _joined([cut.columns[place] for place in places])
            _check(run, array, fine)
            if run.group is not None:
                texts[run.group] = _group(run, array)
        columns, bad = self.lines.columns(texts, count, context)
        if bad is not None:
            fine &= ~bad
        if fine.all():
            return DecodedRows(cut.rows, columns)
        keep = np.flatnonzero(fine)
        return DecodedRows(
            keep if cut.rows is None else cut.rows[keep], [column.take(pa.array(keep)) for column in columns]
        )


def _joined(pieces: list[pa.StringArray]) -> pa.StringArray:
    return pieces[0] if len(pieces) == 1 else pc.binary_join_element_wise(*pieces, " ")


def _check(run: Run, array: pa.StringArray, fine: Bool) -> None:
    """Clear in ``fine`` the rows whose text is not what the run must be."""
    if run.quotes:
        for char in ('"', "\\"):  # the chain ends it at a quote with more behind it; the first quote must be that
            if (spans.string_bytes(array) == ord(char)).any():
                fine &= ~spans.as_bool(pc.match_substring(array, char))
    elif run.regex is not None and not _surely(run, array):
        few = _repeated(array)
        if few is None:
            fine &= spans.as_bool(pc.match_substring_regex(array, f"^(?:{run.regex})$"))
        else:
            matching = pc.match_substring_regex(few.dictionary, f"^(?:{run.regex})$")
            fine &= spans.as_bool(matching)[few.indices.to_numpy()]


def _surely(run: Run, array: pa.StringArray) -> bool:
    """Whether all texts are of characters of which they may be."""
    return bool(run.made_of) and spans.min_byte_length(array) > 0 and contains_only(array, run.made_of.encode())


def _repeated(array: pa.StringArray) -> pa.DictionaryArray | None:
    """The texts as a dictionary, where they are so few that looking them up is cheaper than matching them."""
    sample = array.slice(len(array) // 2, _SAMPLE)
    return array.dictionary_encode() if len(sample.unique()) * 4 <= len(sample) else None


def _group(run: Run, array: pa.StringArray) -> pa.StringArray:
    """The text of the run's group, null where it took no part."""
    if run.quotes:
        return pc.binary_join_element_wise('"', array, '"', "")
    if run.null is None:
        return array
    null = spans.as_bool(pc.equal(array, run.null))
    return spans.mask_strings(array, null) if null.any() else array
