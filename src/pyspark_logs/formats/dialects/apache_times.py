"""Apache's ``%{...}t``: strftime, ``sec`` and its relatives, and several of them that are one time.

Source: Apache HTTP Server 2.4, "Apache Module mod_log_config", ``%{format}t``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.dialects.error_positions import nearest
from pyspark_logs.formats.dialects.java_dates import has_day
from pyspark_logs.formats.types.escape_styles import APACHE
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.temporal import Epoch, Timestamp
from pyspark_logs.formats.types.text import Text

_DEFAULT = "%d/%b/%Y:%H:%M:%S %z"
_COUNTED = {"sec": Epoch("s", digits=0), "msec": Epoch("ms", digits=0), "usec": Epoch("us", digits=0)}
_FRACTIONS = {"msec_frac": 3, "usec_frac": 6}
# What the C library's strftime has beside our directives.
_OF_C = {
    "c": "%a %b %e %H:%M:%S %Y",
    "r": "%I:%M:%S %p",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
    "n": " ",
    "t": " ",
    "P": "%p",
}
_BETWEEN = re.compile(r"[ .,:T/_-]{0,3}")


@dataclass(frozen=True)
class ClockPart:
    """What one directive tells of a time: all of it, some of it, or its fraction.

    Attributes:
        column: ``time`` when the request began, ``end_time`` when the response ended.
        pattern: in our notation; None for a count or a fraction.
        digits: of a fraction; 0: it is none.
    """

    column: str
    type: FieldType
    pattern: str | None = None
    digits: int = 0


def clock_part(inside: str | None) -> ClockPart:
    """What ``%{inside}t`` is; None for ``%t``.

    Raises:
        FormatError: a directive that is not known.
    """
    prefix, colon, rest = (inside or "").partition(":")
    column = "time"
    if colon and prefix in ("begin", "end"):
        column, inside = ("end_time" if prefix == "end" else "time"), rest
    if not inside:
        return ClockPart(column, Timestamp(_DEFAULT), _DEFAULT)
    if inside in _COUNTED or inside == "%s":
        return ClockPart(column, _COUNTED[inside.replace("%s", "sec")])
    if inside in _FRACTIONS:
        name = f"{column}_{inside.removesuffix('_frac')}"
        return ClockPart(name, Integer(32), digits=_FRACTIONS[inside])
    if "%" not in inside:
        known = (*_COUNTED, *_FRACTIONS)
        raise FormatError(
            f"{inside!r} is no time{nearest(inside, known)}; there are {', '.join(known)} and strftime's %Y, %m ..."
        )
    pattern = re.sub(r"%[EO]?([a-zA-Z])", lambda match: _OF_C.get(match[1], "%" + match[1]), inside)
    return ClockPart(column, clock_type(pattern), pattern)


def clock_type(pattern: str) -> FieldType:
    """A time; a string where the pattern does not say of which day, as that is no instant."""
    return Timestamp(pattern) if has_day(pattern) else Text(APACHE)


def joined(one: ClockPart, between: str, other: ClockPart) -> ClockPart | None:
    """Two parts of one time with some text between them as one; None: they are none."""
    if not _BETWEEN.fullmatch(between):
        return None
    if other.digits and other.column.rpartition("_")[0] != one.column:
        return None
    if not other.digits and other.column != one.column:
        return None
    if isinstance(one.type, Epoch):
        whole = one.type == _COUNTED["sec"] and other.digits and between == "."
        return replace(one, type=Epoch("s", digits=other.digits)) if whole else None
    more = f"%{other.digits}f" if other.digits else other.pattern
    if one.pattern is None or more is None:
        return None
    pattern = one.pattern + between + more
    try:
        return replace(one, type=clock_type(pattern), pattern=pattern)
    except FormatError:  # a directive stands in both: two times
        return None
