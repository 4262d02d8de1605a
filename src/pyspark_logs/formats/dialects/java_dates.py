"""Java's date and time patterns, translated to timestamp patterns in the notation of strptime.

Source: Java SE, ``java.time.format.DateTimeFormatter`` and ``java.text.SimpleDateFormat``, which agree on the letters
used in logs.
"""

from __future__ import annotations

import re

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.timestamps.parsing import compile_pattern

# Run of letters -> strptime directive.
_RUNS = {
    "yyyy": "%Y", "uuuu": "%Y", "y": "%Y", "u": "%Y", "yy": "%y", "uu": "%y",
    "M": "%m", "MM": "%m", "MMM": "%b", "MMMM": "%B", "L": "%m", "LL": "%m", "LLL": "%b", "LLLL": "%B",
    "d": "%d", "dd": "%d", "DDD": "%j", "D": "%j",
    "H": "%H", "HH": "%H", "h": "%I", "hh": "%I", "a": "%p", "m": "%M", "mm": "%M", "s": "%S", "ss": "%S",
    "E": "%a", "EE": "%a", "EEE": "%a", "EEEE": "%A",
    "Z": "%z", "ZZ": "%z", "ZZZ": "%z", "ZZZZZ": "%:z", "XX": "%z", "XXX": "%:z", "xx": "%z", "xxx": "%:z",
    "z": "%Z", "zz": "%Z", "zzz": "%Z",
}  # fmt: skip
_FRACTION_LETTERS = "Sn"  # Log4j 2 takes n for digits of the fraction; in Java it is the nanosecond of the second
_MAX_FRACTION_DIGITS = 9
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'])", re.DOTALL)
# strptime directive -> number of characters that it writes.
_WIDTHS = {
    "%": 1, "Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3, "f": 6, "b": 3, "a": 3, "p": 2,
    "z": 5, ":z": 6, **{f"{digits}f": digits for digits in range(1, _MAX_FRACTION_DIGITS + 1)},
}  # fmt: skip


def to_strptime(java: str) -> str:
    """Returns a Java pattern in the notation of strptime.

    Raises:
        FormatError: the pattern has letters without a directive, or a quote that is not closed.

    >>> to_strptime("yyyy-MM-dd'T'HH:mm:ss.SSSXXX")
    '%Y-%m-%dT%H:%M:%S.%3f%:z'
    """
    pattern, offset = "", 0
    while offset < len(java):
        token = _TOKEN.match(java, offset)
        if token is None:
            raise FormatError(f"Java pattern {java!r}: a quote is not closed")
        offset = token.end()
        if token[1] is not None:
            pattern += (token[1].replace("''", "'") or "'").replace("%", "%%")
        elif token[2] is not None:
            pattern += _directive(java, token[0])
        elif token[0] in "[]{}#":
            raise FormatError(
                f"Java pattern {java!r}: {token[0]!r} is reserved; put it in quotes, or outside of the date"
            )
        else:
            pattern += token[0].replace("%", "%%")
    compile_pattern(pattern)
    return pattern


def _directive(java: str, run: str) -> str:
    """Returns the directive of a run of the same letter.

    Raises:
        FormatError: the run has no directive.
    """
    if run[0] in _FRACTION_LETTERS and len(run) <= _MAX_FRACTION_DIGITS:
        return f"%{len(run)}f"
    if run in _RUNS:
        return _RUNS[run]
    if run in ("X", "x"):
        problem = "writes an offset of hours without minutes, which cannot be read; use XX or XXX"
    else:
        problem = "has no meaning here"
    raise FormatError(
        f"Java pattern {java!r}: {run!r} {problem}; known are yyyy MM dd HH mm ss SSS MMM EEE a Z XXX z and similar runs"
    )


def has_day(pattern: str) -> bool:
    """Returns True if a timestamp pattern has the day of the month or of the year; without a day its values are not instants."""
    return bool({"d", "e", "j"} & set(compile_pattern(pattern).directives))


def fixed_width(pattern: str) -> int | None:
    """Returns the number of characters that a timestamp pattern writes, or None if the number varies.

    >>> fixed_width("%Y-%m-%d %H:%M:%S,%3f")
    23
    """
    total = 0
    for piece in compile_pattern(pattern).tokens:
        width = len(piece) if piece[0] != "%" else _WIDTHS.get(piece[1:])
        if width is None:
            return None
        total += width
    return total
