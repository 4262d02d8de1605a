"""Apache's ``%t`` and ``%{format}t``: strftime patterns, counts since the epoch, fractions, and their combinations.

Source: Apache HTTP Server 2.4, "Apache Module mod_log_config", ``%{format}t``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.dialects.config_text import suggestion
from pyspark_logs.formats.dialects.java_dates import has_day
from pyspark_logs.formats.types.escape_styles import APACHE
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.temporal import Epoch, Timestamp
from pyspark_logs.formats.types.text import Text

_DEFAULT = "%d/%b/%Y:%H:%M:%S %z"
_EPOCHS = {"sec": Epoch("s", digits=0), "msec": Epoch("ms", digits=0), "usec": Epoch("us", digits=0)}
_FRACTIONS = {"msec_frac": 3, "usec_frac": 6}
# Directives of the C library's strftime that timestamp patterns do not have.
_C_DIRECTIVES = {
    "c": "%a %b %e %H:%M:%S %Y",
    "r": "%I:%M:%S %p",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
    "n": " ",
    "t": " ",
    "P": "%p",
}
_SEPARATOR = re.compile(r"[ .,:T/_-]{0,3}")


@dataclass(frozen=True)
class TimeDirective:
    """A time directive: a whole time, a part of a time, or the fraction of its second.

    Attributes:
        column: ``time`` for the beginning of the request, ``end_time`` for the end of the response, or one of these with
            ``_msec`` or ``_usec`` appended for a fraction.
        type: type of the column.
        pattern: timestamp pattern; None for an epoch or a fraction.
        digits: number of digits of a fraction; 0 for other directives.
    """

    column: str
    type: FieldType
    pattern: str | None = None
    digits: int = 0


def time_directive(argument: str | None) -> TimeDirective:
    """Returns the meaning of ``%{argument}t``.

    Args:
        argument: text in the braces; None for ``%t``.

    Raises:
        FormatError: the argument is not known, or a strftime directive is not.
    """
    prefix, colon, rest = (argument or "").partition(":")
    column = "time"
    if colon and prefix in ("begin", "end"):
        column, argument = ("end_time" if prefix == "end" else "time"), rest
    if not argument:
        return TimeDirective(column, Timestamp(_DEFAULT), _DEFAULT)
    if argument in _EPOCHS or argument == "%s":
        return TimeDirective(column, _EPOCHS[argument.replace("%s", "sec")])
    if argument in _FRACTIONS:
        name = f"{column}_{argument.removesuffix('_frac')}"
        return TimeDirective(name, Integer(32), digits=_FRACTIONS[argument])
    if "%" not in argument:
        known = (*_EPOCHS, *_FRACTIONS)
        raise FormatError(
            f"{argument!r} is not a time{suggestion(argument, known)}; known are {', '.join(known)}"
            " and strftime's %Y, %m ..."
        )
    pattern = re.sub(r"%[EO]?([a-zA-Z])", lambda match: _C_DIRECTIVES.get(match[1], "%" + match[1]), argument)
    return TimeDirective(column, time_type(pattern), pattern)


def time_type(pattern: str) -> FieldType:
    """Returns the type of a time: a string if the pattern has no day, because such a time is not an instant."""
    return Timestamp(pattern) if has_day(pattern) else Text(APACHE)


def combine_times(first: TimeDirective, separator: str, second: TimeDirective) -> TimeDirective | None:
    """Returns two parts of one time, and the text between them, as one directive.

    Returns:
        Combined directive, or None if the two directives write different times.
    """
    if not _SEPARATOR.fullmatch(separator):
        return None
    if second.digits and second.column.rpartition("_")[0] != first.column:
        return None
    if not second.digits and second.column != first.column:
        return None
    if first.type == _EPOCHS["sec"] and second.digits and separator == ".":
        return replace(first, type=Epoch("s", digits=second.digits))
    second_pattern = f"%{second.digits}f" if second.digits else second.pattern
    if first.pattern is None or second_pattern is None:
        return None
    pattern = first.pattern + separator + second_pattern
    try:
        return replace(first, type=time_type(pattern), pattern=pattern)
    except FormatError:  # both patterns have the same directive, so they write two times
        return None
