"""What every engine is and gives."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar.spans import Bool, Int32, Int64
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.escape_styles import EscapeStyle


@dataclass
class DecodedRows:
    """The lines an engine vouches for (None: all of them) and their columns."""

    rows: Int64 | None
    columns: list[pa.Array]


def drop_uncertain_rows(
    rows: Int64 | None, arrays: list[pa.Array], judged: Iterable[Bool | None], count: int
) -> DecodedRows:
    """The first ``count`` columns of the lines in which all columns are surely right.

    Args:
        rows: which lines of the block the columns are of; None: all.
        arrays: the columns wanted, and behind them those that are only judged.
        judged: of each column, in which of its rows it is surely right; None: in all.
        count: how many columns are wanted.
    """
    doubted = [sure for sure in judged if sure is not None]
    good = functools.reduce(np.logical_and, doubted) if doubted else None
    if good is not None and not good.all():
        keep = np.flatnonzero(good)
        arrays = [array.take(keep) for array in arrays[:count]]
        rows = keep if rows is None else rows[keep]
    return DecodedRows(rows, arrays[:count])


class Engine(Protocol):
    """Turns the lines it is sure of into columns; None where it cannot help with this block."""

    def parse(self, block: bytes, starts: Int32, ends: Int32, context: TimestampContext) -> DecodedRows | None:
        """The columns of the lines ``block[starts[i]:ends[i]]``, which are valid UTF-8 and ascending."""


def scatter(array: pa.Array, null: Bool) -> pa.Array:
    """Spread the values of ``array`` over the lines that are not null."""
    if not pa.types.is_string(array.type) or array.null_count:
        return array.take(pa.array(np.cumsum(~null) - 1, pa.int64(), mask=null))
    # A gap is an empty text: only the offsets change.
    before = np.zeros(len(null) + 1, np.intp)
    np.cumsum(~null, out=before[1:])
    _, offsets, data = array.buffers()
    places = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1].take(before)
    validity = pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.StringArray.from_buffers(len(null), pa.py_buffer(places), data, validity)


def with_nulls(array: pa.Array, null: Bool) -> pa.Array:
    """The same values, null where ``null`` is set."""
    return pc.if_else(pa.array(null), pa.scalar(None, array.type), array)


def unescape_strings(array: pa.Array, spelling: EscapeStyle) -> pa.Array:
    """The texts with their escapes undone."""
    escaped = pc.match_substring(array, "\\")
    if not pc.any(escaped).as_py():
        return array
    plain = [spelling.unescape(text) for text in array.filter(escaped).to_pylist()]
    return pc.replace_with_mask(array, escaped, pa.array(plain, pa.string()))
