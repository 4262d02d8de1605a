"""Where timestamps end that begin somewhere in all lines, and their instants: ``columns`` reads those of one shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32, Int64
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.timestamps.shapes import ShapeDetector, TimestampShape
from pyspark_logs.formats.timestamps.vectorized import parse_fields_us

# Hours, minutes, seconds and milliseconds that are not padded are 24 shapes; files with more are not worth it here.
_MOST_SHAPES = 24


def _may_extend(view: Bytes, places: Int32, ends: Int32, shape: TimestampShape) -> Bool | None:
    """Whether what stands right behind could belong to a longer timestamp; None: never."""
    longer = _more_digits(view, places, ends, shape)
    for text in shape.longer:
        here = _goes_on(view, places, text)
        longer = here if longer is None else longer | here
    return longer


def _goes_on(view: Bytes, places: Int32, text: bytes) -> Bool:
    """Where one of :attr:`TimestampShape.longer` stands, and perhaps where it does not."""
    if text[:1] != b" ":
        return _stands_in_any_case(view, places, text)
    there = _blank(view, places)
    rows = np.flatnonzero(there)
    behind = places[rows] + np.int32(1)
    there[rows] = _blank(view, behind) | _stands_in_any_case(view, behind, text[1:])
    return there


def _blank(view: Bytes, places: Int32) -> Bool:
    byte = spans.bytes_at(view, places)
    return (byte == ord(" ")) | (byte == ord("\t"))


def _stands_in_any_case(view: Bytes, places: Int32, text: bytes) -> Bool:
    there: Bool = np.ones(len(places), np.bool_)
    for offset, letter in enumerate(text):
        there &= (spans.bytes_at(view, places + np.int32(offset)) | 32) == letter | 32
    return there


def _more_digits(view: Bytes, places: Int32, ends: Int32, shape: TimestampShape) -> Bool | None:
    """Whether what stands right behind could go on a part of the shape; None: never."""
    if shape.parts[-1][0] == "z" or (
        not shape.iso and shape.parts[-1][0] not in ("f", "L") and _last_width(shape) != 1
    ):
        return None
    last = max(len(view) - 1, 0)
    first, second = view[np.minimum(places, last)], view[np.minimum(places + 1, last)]
    digit = (first - 48) <= 9
    if shape.iso:
        digit |= (first == 90) | (np.isin(first, np.frombuffer(b":.,+-", np.uint8)) & ((second - 48) <= 9))
    return digit & (places < ends)


def _last_width(shape: TimestampShape) -> int:
    _, start, width = shape.parts[-1]
    return width if start + width == shape.width else 0


def scan_timestamps(
    block: bytes,
    view: Bytes,
    starts: Int32,
    limits: Int32,
    detect_shape: ShapeDetector,
    context: TimestampContext,
    followed: Callable[[Int32], Bool],
) -> tuple[Int32, Int64, Bool]:
    """Timestamps that begin at ``starts`` and reach as far as their syntax does, at most to ``limits``.

    Args:
        block: the text.
        view: its bytes.
        starts: where a timestamp is to begin.
        limits: the ends of the lines.
        context: the zone and the year bound.
        detect_shape: gives the shape of the timestamp at the start of a text.
        followed: tells of the places right behind whether what must follow stands there.

    Returns:
        (ends, instants, sure), each as long as ``starts``; what is not sure is for the exact parser.
    """
    count = len(starts)
    alike = _all_alike(block, view, starts, limits, detect_shape, followed)
    if alike is not None:
        ends, one = alike
        instants, sure = parse_fields_us(block, view, starts, one, context)
        if sure.all():
            return ends, instants, sure
    ends, instants, sure = starts.copy(), np.zeros(count, np.int64), np.zeros(count, np.bool_)
    todo = np.flatnonzero(starts < limits)
    for _ in range(_MOST_SHAPES):
        if len(todo) == 0:
            break
        first = todo[0]
        shape = detect_shape(block[starts[first] : min(limits[first], starts[first] + 80)].decode("utf-8", "replace"))
        if shape is None:
            todo = todo[1:] if len(todo) < 4 else todo[len(todo) // 8 + 1 :]
            continue
        reach = starts[todo] + np.int32(shape.width)
        alike = (reach <= limits[todo]) & _followed_rows(followed, reach, count, todo)
        longer = _may_extend(view, reach, limits[todo], shape)
        if longer is not None:
            alike &= ~longer
        rows = todo[alike]
        if len(rows):
            values, fine = parse_fields_us(block, view, starts[rows], shape, context)
            good = rows[fine]
            ends[good], instants[good], sure[good] = reach[alike][fine], values[fine], True
        remaining = todo[~sure[todo]]
        todo = remaining[1:] if len(remaining) and remaining[0] == first else remaining
    return ends, instants, sure


def _all_alike(
    block: bytes,
    view: Bytes,
    starts: Int32,
    limits: Int32,
    detect_shape: ShapeDetector,
    followed: Callable[[Int32], Bool],
) -> tuple[Int32, TimestampShape] | None:
    """Where the timestamps end, and their shape, if all may be of one, as they nearly always are."""
    if len(starts) == 0 or not (starts < limits).all():
        return None
    shape = detect_shape(block[starts[0] : min(limits[0], starts[0] + 80)].decode("utf-8", "replace"))
    if shape is None:
        return None
    reach = starts + starts.dtype.type(shape.width)
    if not ((reach <= limits).all() and followed(reach).all()):
        return None
    longer = _may_extend(view, reach, limits, shape)
    return None if longer is not None and longer.any() else (reach, shape)


def _followed_rows(followed: Callable[[Int32], Bool], reach: Int32, count: int, rows: Int64) -> Bool:
    """Ask ``followed``, which wants a place for every line, about some lines only."""
    if len(rows) == count:
        return followed(reach)
    places = np.zeros(count, np.int32)
    places[rows] = reach
    return followed(places)[rows]
