"""Java's patterns of dates and times as ours.

Source: Java SE, ``java.time.format.DateTimeFormatter`` and ``java.text.SimpleDateFormat``, which agree on the letters
that logs use.
"""

from __future__ import annotations

import re

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.timestamps.parsing import compile_pattern

# letters -> our directive; None: by the table below
_RUNS = {
    "yyyy": "%Y", "uuuu": "%Y", "y": "%Y", "u": "%Y", "yy": "%y", "uu": "%y",
    "M": "%m", "MM": "%m", "MMM": "%b", "MMMM": "%B", "L": "%m", "LL": "%m", "LLL": "%b", "LLLL": "%B",
    "d": "%d", "dd": "%d", "DDD": "%j", "D": "%j",
    "H": "%H", "HH": "%H", "h": "%I", "hh": "%I", "a": "%p", "m": "%M", "mm": "%M", "s": "%S", "ss": "%S",
    "E": "%a", "EE": "%a", "EEE": "%a", "EEEE": "%A",
    "Z": "%z", "ZZ": "%z", "ZZZ": "%z", "ZZZZZ": "%:z", "XX": "%z", "XXX": "%:z", "xx": "%z", "xxx": "%:z",
    "z": "%Z", "zz": "%Z", "zzz": "%Z",
}  # fmt: skip
_FRACTIONS = "Sn"  # n: as Log4j takes it, digits of a fraction
_MOST_DIGITS = 9
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z'])", re.DOTALL)
_WIDTHS = {
    "Y": 4,
    "y": 2,
    "m": 2,
    "d": 2,
    "H": 2,
    "I": 2,
    "M": 2,
    "S": 2,
    "j": 3,
    "f": 6,
    "b": 3,
    "a": 3,
    "p": 2,
    "Z": 3,
}
_HOURS_ALONE = "writes an offset of hours alone, which nothing here reads; use XX or XXX"


def to_strptime(java: str) -> str:
    """The pattern in Python's directives.

    Raises:
        FormatError: letters that have no directive, by name.

    >>> to_strptime("yyyy-MM-dd'T'HH:mm:ss.SSSXXX")
    '%Y-%m-%dT%H:%M:%S.%3f%:z'
    """
    out, place = "", 0
    while place < len(java):
        token = _TOKEN.match(java, place)
        if token is None:
            raise FormatError(f"Java pattern {java!r}: a quote is not closed")
        place = token.end()
        if token[1] is not None:
            out += (token[1].replace("''", "'") or "'").replace("%", "%%")
        elif token[2] is not None:
            out += _directive(java, token[0])
        elif token[0] in "[]{}#":
            raise FormatError(
                f"Java pattern {java!r}: {token[0]!r} is reserved; put it in quotes, or outside of the date"
            )
        else:
            out += token[0].replace("%", "%%")
    compile_pattern(out)
    return out


def _directive(java: str, run: str) -> str:
    if run[0] in _FRACTIONS and len(run) <= _MOST_DIGITS:
        return f"%{len(run)}f"
    if run in _RUNS:
        return _RUNS[run]
    why = _HOURS_ALONE if run in ("X", "x") else "has no meaning here"
    known = " ".join(["yyyy MM dd HH mm ss SSS", "MMM EEE a Z XXX z"])
    raise FormatError(f"Java pattern {java!r}: {run!r} {why}; known are {known} and their like")


def has_day(pattern: str) -> bool:
    """Whether a pattern of ours says which day it was; else it is no instant, but a time of some day."""
    return bool({"d", "e", "j"} & set(compile_pattern(pattern).directives))


def width(pattern: str) -> int | None:
    """The characters that a pattern of ours writes; None: not always the same."""
    total = 0
    for piece in compile_pattern(pattern).pieces:
        if piece == "%%":
            total += 1
        elif piece in ("%z", "%:z"):
            total += 5 if piece == "%z" else 6
        elif re.fullmatch("%[1-9]f", piece):
            total += int(piece[1])
        elif piece[0] == "%":
            if piece[1:] not in _WIDTHS:
                return None
            total += _WIDTHS[piece[1:]]
        else:
            total += len(piece)
    return total
