"""Records of lines that hold several JSON values: values one after another, as Firehose writes them, and arrays.

Amazon Data Firehose puts a line end between the records of an object only if the processor ``AppendDelimiterToRecord`` is
configured: https://docs.aws.amazon.com/firehose/latest/APIReference/API_Processor.html
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pyspark_logs.records import Lines, byte_offsets, has_pair, rows_beginning_with, sanitise

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\],]', re.DOTALL)
_BLANK = b" \t\r\n"
_ARRAY = ord("[")
_CLOSING, _OPENING, _QUOTE, _BACKSLASH = b'}{"\\'


def split_values(lines: Lines) -> Lines:
    r"""Returns the records of a block with a record for each value of a line, and for each element of an array.

    A line that is damaged after some values gives these values and a record of the rest. A damaged array stays a record.
    A line in which blanks separate all objects stays a record, too: a search for such lines would slow down all others.

    >>> from pyspark_logs.records import find_lines
    >>> lines = split_values(find_lines(b'{"a":1}{"a":"}{"} {\n[{"a":2}, {}]\n', 0))
    >>> [lines.record(row) for row in range(len(lines))]
    [b'{"a":1}', b'{"a":"}{"}', b'{', b'{"a":2}', b'{}']
    """
    if lines.is_single or lines.full_length is not None or lines.is_whole or len(lines) == 0:
        return lines
    rows = rows_beginning_with(lines.block, lines.starts, _ARRAY) + _rows_of_several(lines)
    found = {row: spans for row in rows if (spans := value_spans(lines.record(row))) is not None}
    if not found:
        return lines
    # Invalid UTF-8 is replaced line by line, so it is replaced before records begin within lines. The spans stay as many: only
    # ASCII delimits values, and no ASCII is replaced.
    clean = sanitise(lines)
    counts = np.ones(len(lines), np.int64)
    counts[list(found)] = [len(spans) for spans in found.values()]
    source = np.repeat(np.arange(len(lines)), counts)
    starts, ends, offsets = clean.starts[source], clean.ends[source], lines.offsets[source]
    firsts = np.cumsum(counts) - counts
    for row, spans in found.items():
        first, last = firsts[row], firsts[row] + counts[row]
        offsets[first:last] += np.array([start for start, _ in spans], offsets.dtype)
        clean_spans = spans if clean is lines else value_spans(clean.record(row)) or spans
        starts[first:last] = [clean.starts[row] + start for start, _ in clean_spans]
        ends[first:last] = [clean.starts[row] + end for _, end in clean_spans]
    origins = None if clean.origins is None else offsets
    files = None if clean.files is None else clean.files[source]
    return replace(clean, starts=starts, ends=ends, origins=origins, files=files)


def value_spans(text: bytes) -> list[tuple[int, int]] | None:
    """Returns start and end of each value of a line, or of each element of its arrays; None: the line is one record."""
    spans: list[tuple[int, int]] = []
    depth = begin = 0
    in_array = is_array = False
    for token in _TOKEN.finditer(text):
        symbol, start = token[0], token.start()
        if symbol == b"[" and depth == 0 and not text[begin:start].strip(_BLANK):
            depth, begin, in_array, is_array = 1, token.end(), True, True
        elif symbol in (b"{", b"["):
            depth += 1
        elif symbol in (b"}", b"]"):
            depth -= 1
            if depth < 0:
                return None
            if depth == 0:
                # The brackets of an array are not part of its elements.
                end = start if in_array else token.end()
                is_empty = in_array and text[begin - 1 : begin] == b"[" and not text[begin:end].strip(_BLANK)
                if (in_array and symbol != b"]") or not (is_empty or _append(spans, text, begin, end)):
                    return None
                begin, in_array = token.end(), False
        elif symbol == b"," and in_array and depth == 1:
            if not _append(spans, text, begin, start):
                return None
            begin = token.end()
    if in_array:
        return None
    _append(spans, text, begin, len(text))
    # A line without a value, such as "[]", stays a record, which is corrupt: no line vanishes.
    return spans if len(spans) > 1 or (spans and is_array) else None


def _append(spans: list[tuple[int, int]], text: bytes, begin: int, end: int) -> bool:
    """Appends a span without the blanks around it; returns False if there is nothing else."""
    value = text[begin:end].lstrip(_BLANK)
    start, stop = end - len(value), end - len(value) + len(value.rstrip(_BLANK))
    if start < stop:
        spans.append((start, stop))
    return start < stop


def _rows_of_several(lines: Lines) -> list[int]:
    """Returns the indices of the lines that may hold several objects."""
    if not has_pair(lines.block, _CLOSING, _OPENING):
        return []
    raw = np.frombuffer(lines.block, np.uint8)
    closing = byte_offsets(raw[:-1], _CLOSING)
    offsets = closing[raw[closing + 1] == _OPENING]
    rows = np.searchsorted(lines.starts, offsets, side="right") - 1
    is_in_record = (rows >= 0) & (offsets < lines.ends[rows])
    # Messages contain such text, too. If no backslash is before it in its line, the number of quotes tells.
    starts = lines.starts[rows]
    quotes, escapes = (_count_between(raw, byte, starts, offsets) for byte in (_QUOTE, _BACKSLASH))
    is_in_string = (quotes % 2 == 1) & (escapes == 0)
    return np.unique(rows[is_in_record & ~is_in_string]).tolist()


def _count_between(
    raw: npt.NDArray[np.uint8], byte: int, starts: npt.NDArray[np.int32], ends: npt.NDArray[np.int32]
) -> npt.NDArray[np.intp]:
    """Returns the number of occurrences of a byte in each ``raw[starts[i]:ends[i]]``."""
    found = byte_offsets(raw, byte)
    return np.searchsorted(found, ends) - np.searchsorted(found, starts)
