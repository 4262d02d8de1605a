"""Scanning of the timestamps that begin at given offsets of all lines: their ends and their instants.

The timestamps are grouped by shape; :mod:`~pyspark_logs.formats.timestamps.vectorized` parses the timestamps of one shape.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.timestamps.shapes import ShapeDetector, TimestampShape
from pyspark_logs.formats.timestamps.vectorized import parse_fields_us

# Hours, minutes, seconds and milliseconds without padding have 24 shapes. Lines of further shapes are parsed one at a time.
_MAX_SHAPES = 24
_MAX_LENGTH = 80  # bytes of a line in which a timestamp is looked for


def _may_extend(view: Bytes, offsets: Int32, limits: Int32, shape: TimestampShape) -> Bool | None:
    """Returns a mask of the end offsets after which a longer timestamp may continue; None: no offset."""
    extended = _may_extend_part(view, offsets, limits, shape)
    for text in shape.continuations:
        continued = _may_continue(view, offsets, text)
        extended = continued if extended is None else extended | continued
    if shape.zone_may_follow:
        continued = _may_be_zone(view, offsets)
        extended = continued if extended is None else extended | continued
    return extended


def _may_be_zone(view: Bytes, offsets: Int32) -> Bool:
    """Returns a mask of the offsets at which blanks, two or more letters and a colon may be."""
    mask = _is_blank(view, offsets)
    following = offsets + np.int32(1)
    first = spans.bytes_at(view, following)
    # A zone is in upper case, except for utc and gmt; a host or tag seldom is.
    rows = np.flatnonzero(mask & (((first - 65) <= 25) | (first == ord("u")) | (first == ord("g")) | (first <= 32)))
    mask[:] = False
    following = following[rows]
    colon: Bool = np.zeros(len(rows), np.bool_)
    for index in range(2, 8):
        colon |= spans.bytes_at(view, following + np.int32(index)) == ord(":")
    mask[rows] = colon | (first[rows] <= 32)
    return mask


def _may_continue(view: Bytes, offsets: Int32, text: bytes) -> Bool:
    """Returns a mask of the offsets at which one of :attr:`TimestampShape.continuations` may occur."""
    if text[:1] != b" ":
        return _equals_ignoring_case(view, offsets, text)
    mask = _is_blank(view, offsets)
    rows = np.flatnonzero(mask)
    following = offsets[rows] + np.int32(1)
    mask[rows] = _is_blank(view, following) | _equals_ignoring_case(view, following, text[1:])
    return mask


def _is_blank(view: Bytes, offsets: Int32) -> Bool:
    byte = spans.bytes_at(view, offsets)
    return (byte == ord(" ")) | (byte == ord("\t"))


def _equals_ignoring_case(view: Bytes, offsets: Int32, text: bytes) -> Bool:
    mask: Bool = np.ones(len(offsets), np.bool_)
    for index, letter in enumerate(text):
        mask &= (spans.bytes_at(view, offsets + np.int32(index)) | 32) == letter | 32
    return mask


def _may_extend_part(view: Bytes, offsets: Int32, limits: Int32, shape: TimestampShape) -> Bool | None:
    """Returns a mask of the end offsets after which the last part may continue; None: no offset."""
    if shape.parts[-1][0] == "Z" and _last_width(shape):
        byte = spans.bytes_at(view, offsets)
        letter = ((byte | 32) - 97) <= 25  # uint8 wraps around below "a"
        return (letter | (((byte - 48) <= 10) & shape.example[-1:].isdigit())) & (offsets < limits)
    if shape.parts[-1][0] == "z" or (
        not shape.iso and shape.parts[-1][0] not in ("f", "L") and _last_width(shape) != 1
    ):
        return None
    last = max(len(view) - 1, 0)
    first, second = view[np.minimum(offsets, last)], view[np.minimum(offsets + 1, last)]
    digit = (first - 48) <= 9
    if shape.iso:
        digit |= (first == ord("Z")) | (np.isin(first, np.frombuffer(b":.,+-", np.uint8)) & ((second - 48) <= 9))
    return digit & (offsets < limits)


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
    is_followed: Callable[[Int32], Bool],
) -> tuple[Int32, Int64, Bool]:
    """Finds and parses the timestamps that begin at ``starts`` and extend as far as their syntax allows.

    Args:
        block: the lines, valid UTF-8.
        view: bytes of the block, from :func:`spans.terminated_view`.
        starts: start offset of the timestamp in each line.
        limits: end offset of each line.
        detect_shape: returns the shape of the timestamp at the start of a text.
        context: the zone and the year bound of the file.
        is_followed: tells for an end offset in each line if a timestamp may end there.

    Returns:
        End offsets, instants and a mask of the lines whose timestamp was parsed, each as long as ``starts``.
    """
    count = len(starts)
    common = _find_common_shape(block, view, starts, limits, detect_shape, is_followed)
    if common is not None:
        ends, common_shape = common
        instants, valid = parse_fields_us(block, view, starts, common_shape, context)
        if valid.all():
            return ends, instants, valid
    ends, instants, valid = starts.copy(), np.zeros(count, np.int64), np.zeros(count, np.bool_)
    remaining = np.flatnonzero(starts < limits)
    for _ in range(_MAX_SHAPES):
        if len(remaining) == 0:
            break
        first = remaining[0]
        shape = _detect_shape_at(block, starts[first], limits[first], detect_shape)
        if shape is None:
            # Skip an eighth of the lines, so that a file without timestamps is not searched line by line.
            remaining = remaining[1:] if len(remaining) < 4 else remaining[len(remaining) // 8 + 1 :]
            continue
        shape_ends = starts[remaining] + np.int32(shape.width)
        matching = (shape_ends <= limits[remaining]) & _followed_rows(is_followed, shape_ends, count, remaining)
        extended = _may_extend(view, shape_ends, limits[remaining], shape)
        if extended is not None:
            matching &= ~extended
        rows = remaining[matching]
        if len(rows):
            values, parsed = parse_fields_us(block, view, starts[rows], shape, context)
            found = rows[parsed]
            ends[found], instants[found], valid[found] = shape_ends[matching][parsed], values[parsed], True
        remaining = remaining[~valid[remaining]]
        if len(remaining) and remaining[0] == first:
            remaining = remaining[1:]
    return ends, instants, valid


def _detect_shape_at(
    block: bytes, start: np.int32, limit: np.int32, detect_shape: ShapeDetector
) -> TimestampShape | None:
    return detect_shape(block[start : min(limit, start + _MAX_LENGTH)].decode("utf-8", "replace"))


def _find_common_shape(
    block: bytes,
    view: Bytes,
    starts: Int32,
    limits: Int32,
    detect_shape: ShapeDetector,
    is_followed: Callable[[Int32], Bool],
) -> tuple[Int32, TimestampShape] | None:
    """Returns end offsets and shape if all timestamps may have the shape of the first, which is usual; else None."""
    if len(starts) == 0 or not (starts < limits).all():
        return None
    shape = _detect_shape_at(block, starts[0], limits[0], detect_shape)
    if shape is None:
        return None
    ends = starts + starts.dtype.type(shape.width)
    if not ((ends <= limits).all() and is_followed(ends).all()):
        return None
    extended = _may_extend(view, ends, limits, shape)
    return None if extended is not None and extended.any() else (ends, shape)


def _followed_rows(is_followed: Callable[[Int32], Bool], ends: Int32, count: int, rows: Int64) -> Bool:
    """Returns ``is_followed`` for some rows; the function itself takes an offset for every line."""
    if len(rows) == count:
        return is_followed(ends)
    offsets = np.zeros(count, np.int32)
    offsets[rows] = ends
    return is_followed(offsets)[rows]
