"""Numbers and booleans between two offsets of a block, by the rules of the field types.

Each function returns the value, and True if it is certain; other texts are left to the line parser.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.libc.stdlib import strtod
    from cython.cimports.libc.string import memcpy
    from cython.cimports.pyspark_logs.formats.compiled.primitives import (
        EXACT,
        HIGHEST_TENTH,
        HIGHEST_US,
        LOWEST_US,
        MANY,
        POWERS,
        is_digit,
    )
else:
    from .primitives import EXACT, HIGHEST_TENTH, HIGHEST_US, LOWEST_US, MANY, POWERS, is_digit


def integer(p, at, end, bits):
    """Parses an integer of up to 19 digits.

    Returns:
        The value, and True if the text is certainly an integer that fits in ``bits`` bits, signed. The least integer of 64
        bits is not certain.
    """
    value: cython.longlong = 0
    last: cython.int
    digit: cython.int
    negative: cython.bint = False
    if at < end and (p[at] == 45 or p[at] == 43):
        negative = p[at] == 45
        at += 1
    if at >= end or end - at > 19:
        return (0, False)
    last = end - 1 if end - at == 19 else end  # of nanoseconds since the epoch; the last digit may exceed 64 bits
    while at < last:
        digit = p[at] - 48
        if digit < 0 or digit > 9:
            return (0, False)
        value = value * 10 + digit
        at += 1
    if last < end:
        digit = p[last] - 48
        if digit < 0 or digit > 9 or value > HIGHEST_TENTH or (value == HIGHEST_TENTH and digit > 7):
            return (0, False)
        value = value * 10 + digit
    value = -value if negative else value
    if bits == 64:
        return (value, True)
    most: cython.longlong = 1
    most <<= bits - 1
    return (value, -most <= value < most)


def double_of(p, at, end):
    """Parses a number of up to 63 characters.

    Up to 2**53 and 22 powers of ten, one division or multiplication is exact (W. D. Clinger, "How to Read Floating
    Point Numbers Accurately"); other numbers are parsed by the C library.

    Returns:
        The value, and True if the text is a finite number of this length.
    """
    start: cython.int = at
    negative: cython.bint = False
    if at < end and (p[at] == 45 or p[at] == 43):
        negative = p[at] == 45
        at += 1
    first: cython.int = at
    mantissa: cython.longlong = 0
    digits: cython.int = 0
    power: cython.int = 0
    while at < end and is_digit(p[at]):
        if digits < 18:
            mantissa = mantissa * 10 + (p[at] - 48)
        digits += mantissa > 0
        at += 1
    whole: cython.int = at - first
    fraction: cython.int = 0
    if at < end and p[at] == 46:
        at += 1
        while at < end and is_digit(p[at]):
            if digits < 18:
                mantissa = mantissa * 10 + (p[at] - 48)
                power -= 1
            digits += mantissa > 0
            at += 1
            fraction += 1
    if whole + fraction == 0:
        return (0.0, False)
    minus: cython.bint = False
    exponent: cython.int = 0
    after: cython.int
    if at < end and (p[at] | 32) == 101:
        at += 1
        if at < end and (p[at] == 45 or p[at] == 43):
            minus = p[at] == 45
            at += 1
        after = at
        while at < end and is_digit(p[at]):
            if exponent < 100_000:
                exponent = exponent * 10 + (p[at] - 48)
            at += 1
        if at == after:
            return (0.0, False)
        power += -exponent if minus else exponent
    if at != end:
        return (0.0, False)
    value: cython.double
    if digits <= 18 and mantissa <= EXACT and -22 <= power <= 22:
        value = mantissa
        value = value / POWERS[-power] if power < 0 else value * POWERS[power]
        return (-value if negative else value, True)
    if end - start > 63:
        return (0.0, False)
    if cython.compiled:
        text: cython.char[64]
        rest: cython.p_char = cython.NULL
        memcpy(text, p + start, end - start)
        text[end - start] = 0
        value = strtod(text, cython.address(rest))
        return (value, rest == text + (end - start) and value - value == 0)
    else:
        value = float(bytes(p[start:end]))
        return (value, value - value == 0)


def epoch(p, at, end, power):
    """Parses a time since the epoch.

    Args:
        p: the block.
        at: first offset.
        end: end offset.
        power: power of ten from the unit of the text to microseconds: 6 for seconds, -3 for nanoseconds.

    Returns:
        Microseconds since the epoch, and True if the text is such a time.
    """
    negative: cython.bint = at < end and p[at] == 45
    if negative:
        at += 1
    value: cython.longlong = 0
    first: cython.int = at
    most: cython.int = 19 if power < 0 else 17
    while at < end and is_digit(p[at]) and at - first < most and value < HIGHEST_TENTH:
        value = value * 10 + (p[at] - 48)
        at += 1
    if at == first:
        return (0, False)
    left: cython.int = power if power > 0 else 0
    if at < end and p[at] == 46:
        at += 1
        while at < end and is_digit(p[at]):
            if left > 0:
                if value >= MANY:
                    return (0, False)
                value = value * 10 + (p[at] - 48)
                left -= 1
            at += 1
    if at != end:
        return (0, False)
    while left > 0:
        if value >= MANY:
            return (0, False)
        value *= 10
        left -= 1
    if power < 0:
        value //= 1000
    if negative:
        value = -value
    return (value, LOWEST_US <= value <= HIGHEST_US)


def boolean(p, at, size):
    """Returns 1 or 0; -1 if the text is neither true nor false, in upper or lower case, nor 1 or 0."""
    k: cython.int
    word: cython.int = 0
    if size == 1 and (p[at] == 48 or p[at] == 49):
        return p[at] - 48
    if size != 4 and size != 5:
        return -1
    for k in range(size):
        if p[at + k] < 65:
            return -1
    for k in range(4):
        word = word * 256 + (p[at + k] | 32)
    if size == 4 and word == 0x74727565:
        return 1
    return 0 if size == 5 and word == 0x66616C73 and (p[at + 4] | 32) == 101 else -1


def is_ipv4(p, at, end):
    """Returns True if the text is four numbers up to 255 without leading zeros, with dots between them."""
    part: cython.int = 0
    value: cython.int
    first: cython.int
    while True:
        value = 0
        first = at
        while at < end and is_digit(p[at]) and at - first < 3:
            value = value * 10 + (p[at] - 48)
            at += 1
        if at == first or value > 255 or (at - first > 1 and p[first] == 48):
            return False
        part += 1
        if part == 4:
            return at == end
        if at >= end or p[at] != 46:
            return False
        at += 1
