"""The result of parsing a block by an engine.

An engine leaves out each line that it may not decode correctly. The line parser of the format parses these lines one at
a time.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from pyspark_logs.arrow_values import from_numpy
from pyspark_logs.formats.columnar.reasons import Reasons
from pyspark_logs.formats.columnar.spans import Bool, Int32, Int64


@dataclass
class DecodedRows:
    """Lines that an engine has decoded.

    Attributes:
        rows: indices of the decoded lines in the block; None: all lines.
        columns: columns of these lines.
        rests: offset in the block after the last field of the format, in each of these lines; None: it was not sought.
        engine: name of the engine; "": not known.
        reasons: index among ``rows`` of each line that the engine knows to be corrupt by a value -> the reason.
    """

    rows: Int64 | None
    columns: list[pa.Array]
    rests: Int32 | None = None
    engine: str = ""
    reasons: Reasons = field(default_factory=Reasons.none)

    def block_reasons(self) -> Reasons:
        """Returns the reasons by the indices of the lines in the block."""
        return self.reasons if self.rows is None else self.reasons.moved(self.rows)

    def matching(self, count: int) -> DecodedRows:
        """Returns the lines without a reason.

        Args:
            count: number of lines in the block.
        """
        if len(self.reasons) == 0:
            return self
        mask = np.ones(count if self.rows is None else len(self.rows), np.bool_)
        mask[self.reasons.rows] = False
        rests = None if self.rests is None else self.rests[mask]
        decoded = drop_uncertain_rows(self.rows, self.columns, [mask], len(self.columns))
        return DecodedRows(decoded.rows, decoded.columns, rests, self.engine)


def drop_uncertain_rows(
    rows: Int64 | None, arrays: list[pa.Array], valid: Iterable[Bool | None], count: int
) -> DecodedRows:
    """Drops the lines in which the value of any column may be wrong.

    Args:
        rows: indices of the lines in the block; None: all lines.
        arrays: the requested columns, followed by columns that are only validated.
        valid: mask of the lines with a correct value, for each column; None: all lines.
        count: number of requested columns.

    Returns:
        The requested columns of the remaining lines.
    """
    mask = intersect_masks(valid)
    arrays = arrays[:count]
    if mask is None or mask.all():
        return DecodedRows(rows, arrays)
    kept = np.flatnonzero(mask)
    return DecodedRows(kept if rows is None else rows[kept], [array.take(from_numpy(kept)) for array in arrays])


def intersect_masks(masks: Iterable[Bool | None]) -> Bool | None:
    """Returns the intersection of masks; None stands for a mask of all rows.

    >>> intersect_masks([None, np.array([True, True, False]), np.array([False, True, True])]).tolist()
    [False, True, False]
    """
    known = [mask for mask in masks if mask is not None]
    return functools.reduce(np.logical_and, known) if known else None
