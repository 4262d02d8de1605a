"""How much a format says about lines: the more of a line it has a type for, the less likely it fits by chance."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.detection import shapes

# What a value of a type tells, against a word.
_TIME, _NUMBER, _NESTED, _WORD, _PROSE = 4.0, 2.0, 1.5, 1.0, 0.3
# What columns of these names hold if the format is the right one.
_KINDS = {
    # Some spell levels with a letter, a number or a mark.
    **dict.fromkeys(
        ("level", "severity", "loglevel", "log_level", "levelname"),
        re.compile(
            rf"{shapes.LEVEL.pattern}|[A-Z]|[.*#-]|\d{{1,2}}|(?i:unknown|low|medium|high|very-high|log|statement)", re.I
        ),
    ),
    **dict.fromkeys(("host", "hostname"), re.compile(rf"(?!(?i:{shapes.LEVEL.pattern}))[\w.:-]+")),
    **dict.fromkeys(("program", "app_name", "tag", "process", "logger"), re.compile(r"[^\s\[\]]+")),
    "stream": re.compile("stdout|stderr"),
}
_OF_ITS_KIND = 1.0  # what a value of its kind tells beside being a word
_MOSTLY = 0.7


def specificity(rows: pa.Table) -> float:
    """The average of what the values of a row tell; nulls and empty texts tell nothing.

    >>> import pyarrow as pa
    >>> specificity(pa.table({"n": [1, 2], "level": ["INFO", "WARN"], "text": ["a b", None]}))
    4.15
    """
    if rows.num_rows == 0:
        return 0.0
    return sum(_column(name, rows.column(name), rows.num_rows) for name in rows.column_names)


def is_plausible(rows: pa.Table) -> bool:
    """Whether columns that hold a certain kind of value, to judge by their names, mostly do.

    >>> import pyarrow as pa
    >>> is_plausible(pa.table({"level": ["INFO"]})), is_plausible(pa.table({"level": ["com.acme.Cart"]}))
    (True, False)
    """
    kinds = ((column, _KINDS.get(name.lower())) for name, column in zip(rows.column_names, rows.columns, strict=True))
    return all(kind is None or _share(column, kind) >= _MOSTLY for column, kind in kinds)


def _share(column: pa.ChunkedArray, kind: re.Pattern[str]) -> float:
    """How many of the texts are of a kind; 1 if there are none, or no texts."""
    texts = column.drop_null()
    if not pa.types.is_string(texts.type) or not len(texts):
        return 1.0
    counts = pc.value_counts(texts).to_pylist()
    return float(sum(one["counts"] for one in counts if kind.fullmatch(one["values"])) / len(texts))


def _column(name: str, column: pa.ChunkedArray, rows: int) -> float:
    dtype = column.type
    if pa.types.is_string(dtype):
        column = column.filter(pc.greater(pc.binary_length(column), 0).fill_null(False))
        there = len(column) / rows
    else:
        there = (rows - column.null_count) / rows
    if not pa.types.is_string(dtype):
        temporal = pa.types.is_temporal(dtype)
        return there * (_TIME if temporal else _NESTED if pa.types.is_nested(dtype) else _NUMBER)
    if len(column) == 0:
        return 0.0
    kind = _KINDS.get(name.lower())
    if kind is not None:
        return there * (_share(column, kind) * _OF_ITS_KIND + _WORD)
    prose = pc.mean(pc.match_substring(column, " ").cast("int8")).as_py()
    return float(there * (prose * _PROSE + (1 - prose) * _WORD))
