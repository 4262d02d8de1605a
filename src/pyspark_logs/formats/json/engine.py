"""Columnar engine for JSON lines.

JSON lines are parsed by their shapes (:mod:`pyspark_logs.formats.columnar.line_shapes`), however deeply nested the
objects are. Escape sequences are masked before lines are compared with a shape, so that an escaped quote is not
counted as a quote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pyspark_logs.formats.columnar.decoded_rows import DecodedRows, drop_uncertain_rows
from pyspark_logs.formats.columnar.line_shapes import LineShape, ShapeBlockParser, ValueSpans
from pyspark_logs.formats.columnar.spans import Bool, Int32, Int64
from pyspark_logs.formats.json.columns import ShapeColumns, ShapeValue
from pyspark_logs.formats.json.line_parser import JsonLineParser
from pyspark_logs.formats.json.values import Number, parse_json
from pyspark_logs.formats.timestamps.parsing import TimestampContext

_TOKEN = re.compile(r'"[^"]*"(?P<key>\s*:)?|[^\s"{}\[\],:]+', re.DOTALL)
_BACKSLASH = ord("\\")
_SHORT_ESCAPES = b'"\\\\/bfnrt'  # second characters of the escape sequences that stand for one character
_MASK = "\x7f"  # replaces the characters of escape sequences
_MAX_VALUES = 300  # of a shape: each value costs some time, however few lines there are
_MAX_BRACKETS = 200


@dataclass(frozen=True)
class JsonShape(LineShape):
    """Shape of JSON lines. The quotes of strings are part of the literals.

    Attributes:
        values: the values in the order in which they appear in the line.
        record: the object, with its values replaced by their :class:`ShapeValue`.
    """

    values: tuple[ShapeValue, ...]
    record: dict[str, Any]


def learn_shape(line: str) -> JsonShape | None:
    """Returns the shape of a line; None if the line repeats a key, has too many values, or is not valid JSON."""
    if line.count("{") + line.count("[") > _MAX_BRACKETS:
        return None
    literals: list[str] = []
    values: list[ShapeValue] = []
    literal_start = 0
    for token in _TOKEN.finditer(line):
        if token["key"] is not None:
            continue
        if len(values) == _MAX_VALUES:
            return None
        quoted = line[token.start()] == '"'
        literals.append(line[literal_start : token.start() + quoted])
        values.append(ShapeValue(len(values), quoted))
        literal_start = token.end() - quoted
    literals.append(line[literal_start:])
    if not values or any(len(literal) == 0 or _MASK in literal or "\\" in literal for literal in literals):
        return None
    # A line of the same literals with the index of each value as the value. If it is JSON with exactly these values,
    # the literals alone decide the structure of a line.
    indexed = "".join(f"{literal}{value.index}" for literal, value in zip(literals[:-1], values, strict=True))
    try:
        record = parse_json(indexed + literals[-1])
    except ValueError:
        return None
    found: list[ShapeValue] = []
    shaped = _replace_values(record, found)
    if not isinstance(record, dict) or found != values:
        return None
    return JsonShape(tuple(literals), tuple(values), shaped)


def _replace_values(node: Any, found: list[ShapeValue]) -> Any:
    """Returns a JSON value with each scalar, which is the index of a value, replaced by its :class:`ShapeValue`.

    Args:
        node: the JSON value.
        found: list to which the values are appended in the order of the text.
    """
    if isinstance(node, dict):
        return {key: _replace_values(item, found) for key, item in node.items()}
    if isinstance(node, list):
        return [_replace_values(item, found) for item in node]
    found.append(ShapeValue(int(node), not isinstance(node, Number)))
    return found[-1]


class JsonEngine:
    """Parses JSON lines by their shapes; see :class:`~pyspark_logs.formats.columnar.decoded_rows.Engine`."""

    name: ClassVar[str] = "numpy"

    def __init__(self, line_parser: JsonLineParser) -> None:
        self.line_parser = line_parser

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """Returns the columns of the lines whose shape was learnt from a line of the block; None if there are none."""
        if len(starts) == 0 or not self.line_parser.columns:
            return None
        text, rows = block, np.arange(len(starts))
        if b"\\" in block:
            text, uncertain = _mask_escapes(block, starts, ends)
            rows = rows[~uncertain]
        return _JsonBlockParser(self.line_parser, block, text, starts, ends, context).parse(rows)


class _JsonBlockParser(ShapeBlockParser[JsonShape]):
    """Parses the lines of one block by their shapes."""

    max_shapes = 24

    def __init__(
        self,
        line_parser: JsonLineParser,
        block: bytes,
        text: bytes,
        starts: Int32,
        ends: Int32,
        context: TimestampContext,
    ) -> None:
        super().__init__(block, text, starts, ends)
        self.line_parser, self.context = line_parser, context

    def learn(self, line: str) -> JsonShape | None:
        """Returns the shape of a line; see :func:`learn_shape`."""
        return learn_shape(line)

    def convert(self, shape: JsonShape, values: ValueSpans, rows: Int64) -> DecodedRows | None:
        """Returns the columns of the lines in which all unquoted values are JSON and all columns are certain."""
        columns = ShapeColumns(self.block, self.view, values, len(rows), self.context)
        masks: list[Bool | None] = [columns.is_scalar(value) for value in shape.values if not value.quoted]
        arrays = []
        for column in self.line_parser.columns:
            if column.is_named(self.line_parser.rescued):
                rescued = self.line_parser.rescue(shape.record, column.type.arrow())
                converted = columns.column(rescued, column.type.arrow())
            else:
                source = column.source
                converted = columns.column_at(shape.record, source.path, column.type.arrow(), source.time)
            if converted is None:
                return None
            arrays.append(converted[0])
            masks.append(converted[1])
        return drop_uncertain_rows(rows, arrays, masks, len(self.line_parser.requested))


def _mask_escapes(block: bytes, starts: Int32, ends: Int32) -> tuple[bytes, Bool]:
    r"""Replaces escape sequences by a character that needs no attention.

    Returns:
        The masked block, and a mask of the lines that the engine leaves to the line parser: lines with ``\u`` or an
        unknown escape sequence, and lines that contain the masking character themselves, whose keys could be confused.
    """
    raw = np.frombuffer(block, np.uint8)
    masked = raw.copy()
    backslashes = np.flatnonzero(raw == _BACKSLASH)
    run_starts = np.concatenate([[True], np.diff(backslashes) > 1])
    run_start = backslashes[run_starts][np.cumsum(run_starts) - 1]  # of the run that each backslash is in
    escapes = backslashes[(backslashes - run_start) % 2 == 0]
    escaped = raw[np.minimum(escapes + 1, len(raw) - 1)]
    short = np.isin(escaped, np.frombuffer(_SHORT_ESCAPES, np.uint8)) & (escapes + 1 < len(raw))
    masked[escapes[short]] = masked[escapes[short] + 1] = ord(_MASK)
    uncertain = np.concatenate([escapes[~short], np.flatnonzero(raw == ord(_MASK))])
    uncertain.sort()
    return masked.tobytes(), np.searchsorted(uncertain, starts) < np.searchsorted(uncertain, ends)
