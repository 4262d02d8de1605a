"""How much a format says about lines: the more of a line it has a type for, the less likely it fits by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark_logs.detection.shapes import is_level

if TYPE_CHECKING:
    import pyarrow as pa

# What a value of a type tells, against a word.
_TIME, _NUMBER, _NESTED, _WORD, _PROSE = 4.0, 2.0, 1.5, 1.0, 0.3
_LEVELS = ("level", "severity", "loglevel", "log_level", "levelname")
_LEVEL, _NO_LEVEL = 2.0, -4.0


def specificity(rows: pa.Table) -> float:
    """The average of what the values of a row tell; nulls and empty texts tell nothing.

    >>> import pyarrow as pa
    >>> specificity(pa.table({"n": [1, 2], "level": ["INFO", "WARN"], "text": ["a b", None]}))
    5.15
    """
    if rows.num_rows == 0:
        return 0.0
    return sum(_column(name, rows.column(name), rows.num_rows) for name in rows.column_names)


def _column(name: str, column: pa.ChunkedArray, rows: int) -> float:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_string(kind):
        column = column.filter(pc.greater(pc.binary_length(column), 0).fill_null(False))
        there = len(column) / rows
    else:
        there = (rows - column.null_count) / rows
    if not pa.types.is_string(kind):
        temporal = pa.types.is_temporal(kind)
        return there * (_TIME if temporal else _NESTED if pa.types.is_nested(kind) else _NUMBER)
    if len(column) == 0:
        return 0.0
    if name.lower() in _LEVELS:
        counts = pc.value_counts(column).to_pylist()
        known = sum(one["counts"] for one in counts if is_level(one["values"])) / len(column)
        return there * (known * _LEVEL + (1 - known) * _NO_LEVEL + _WORD)
    prose = pc.mean(pc.match_substring(column, " ").cast("int8")).as_py()
    return float(there * (prose * _PROSE + (1 - prose) * _WORD))
