"""Specificity of a format: the more of a line is covered by typed columns, the less likely is a match by chance."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import FALSE, to_scalar
from pyspark_logs.detection.value_patterns import LEVEL
from pyspark_logs.formats.timestamps.zone_names import NAMES

# Weight of a value by its type; a word has weight 1.
_TIME, _NUMBER, _NESTED, _WORD, _PROSE = 4.0, 2.0, 1.5, 1.0, 0.3
# Additional weight of a value that fits the name of its column.
_EXPECTED = 1.0
_MIN_EXPECTED = 0.7
# A word after a time, such as the zone in the logs of Amazon RDS, is not the program that RFC 3164 has there.
_ZONE_NAMES = rf"(?:{'|'.join(NAMES)})"
# Values that columns of these names contain if the format is right. Severities can also be a letter, number or mark.
_EXPECTED_VALUES = {
    **dict.fromkeys(
        ("level", "severity", "loglevel", "log_level", "levelname"),
        re.compile(
            rf"{LEVEL.pattern}|[A-Z]\d?|[.*#-]|\d{{1,2}}|(?i:unknown|low|medium|high|very-high|log|statement|metadata"
            r"|request|requestresponse)",
            re.I,
        ),
    ),
    **dict.fromkeys(("host", "hostname"), re.compile(rf"(?!(?i:{LEVEL.pattern}))[\w.:-]+")),
    **dict.fromkeys(("program", "app_name", "tag", "process"), re.compile(rf"(?!{_ZONE_NAMES}$)[^\s\[\]]+")),
    # Loggers of Tomcat's containers have brackets: `o.a.c.c.C.[Tomcat].[localhost]`.
    "logger": re.compile(rf"(?!{_ZONE_NAMES}$)[^\s\[\]][^\s]*"),
    "stream": re.compile("stdout|stderr"),
}


def specificity(rows: pa.Table) -> float:
    """Returns the average weight of a row's values; nulls and empty strings have no weight.

    >>> import pyarrow as pa
    >>> specificity(pa.table({"n": [1, 2], "level": ["INFO", "WARN"], "text": ["a b", None]}))
    4.15
    """
    if rows.num_rows == 0:
        return 0.0
    return sum(_column_weight(name, rows.column(name), rows.num_rows) for name in rows.column_names)


def is_plausible(rows: pa.Table) -> bool:
    """Returns True if most values of each column fit the column's name, where the name implies certain values.

    >>> import pyarrow as pa
    >>> is_plausible(pa.table({"level": ["INFO"]})), is_plausible(pa.table({"level": ["com.acme.Cart"]}))
    (True, False)
    """
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        expected = _EXPECTED_VALUES.get(name.lower())
        if expected is not None and _matching_share(column, expected) < _MIN_EXPECTED:
            return False
    return True


def _matching_share(column: pa.ChunkedArray, regex: re.Pattern[str]) -> float:
    """Returns the share of a column's strings that match; 1 if it has no strings."""
    strings = column.drop_null()
    if not pa.types.is_string(strings.type) or not len(strings):
        return 1.0
    counts = pc.value_counts(strings).to_pylist()
    return float(sum(each["counts"] for each in counts if regex.fullmatch(each["values"])) / len(strings))


def _column_weight(name: str, column: pa.ChunkedArray, rows: int) -> float:
    """Returns the weight of a column's values divided by the number of rows."""
    dtype = column.type
    if not pa.types.is_string(dtype):
        weight = _TIME if pa.types.is_temporal(dtype) else _NESTED if pa.types.is_nested(dtype) else _NUMBER
        return (rows - column.null_count) / rows * weight
    column = column.filter(pc.greater(pc.binary_length(column), to_scalar(0, pa.int32())).fill_null(FALSE))
    if len(column) == 0:
        return 0.0
    filled = len(column) / rows
    expected = _EXPECTED_VALUES.get(name.lower())
    if expected is not None:
        return filled * (_matching_share(column, expected) * _EXPECTED + _WORD)
    prose = pc.mean(pc.match_substring(column, " ").cast("int8")).as_py()
    return float(filled * (prose * _PROSE + (1 - prose) * _WORD))
