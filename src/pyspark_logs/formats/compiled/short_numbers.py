"""Numbers of a few digits in one step. ``short_numbers.pxd`` has the same functions for the compiler, which reads eight digits at once."""

from __future__ import annotations

import re

# Up to 15 digits, or up to 8 before the point and 7 after it.
_NUMBER = re.compile(rb"(?:(-?(?:0|[1-9][0-9]{0,7}))\.([0-9]{1,7})|(-?(?:0|[1-9][0-9]{0,14})))(?![0-9.eE])")


def short_number(p, at, end, total):
    """Returns the end of a number, its digits as an integer, and the number of digits after its point.

    The end is -1 for a number of another form, which may be valid, and for negative zero.

    Args:
        p: the block.
        at: offset of the number.
        end: end of the line.
        total: length of the block; numbers at its end are left to other functions.
    """
    found = None if at + 26 > total else _NUMBER.match(p, at)
    if found is None or found.end() > end:
        return (-1, 0, 0)
    whole, fraction, integer = found.groups()
    number = int(integer or whole + fraction)
    if number == 0 and found[0].startswith(b"-"):
        return (-1, 0, 0)
    return (found.end(), number, len(fraction or b""))


def fits(number, bits):
    """Returns True if an integer fits in this many bits."""
    return (number if number >= 0 else ~number) >> (bits - 1) == 0
