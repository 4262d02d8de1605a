"""Times at an offset of a block: ISO 8601, dates, and strptime patterns.

The rules are those of :mod:`~pyspark_logs.formats.timestamps.parsing`. A function returns where a time ends;
``NO_MATCH`` only if its syntax surely does not match, and ``UNCERTAIN`` if that is left to the line parser.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        BAD,
        LOCAL,
        NO_MATCH,
        PATTERN_ISO,
        PATTERN_KIND,
        PATTERN_SECONDS,
        PATTERN_STEP,
        PATTERN_STEPS,
        PATTERN_WIDTH,
        STATE_MINUTE,
        STATE_MINUTES,
        UNCERTAIN,
        ZONED,
    )
    from cython.cimports.pyspark_logs.formats.compiled.primitives import (
        DAY_US,
        HIGHEST_US,
        LOWEST_US,
        at_literal,
        equal,
        is_digit,
        two_digits,
    )
else:
    from .opcodes import *
    from .primitives import DAY_US, HIGHEST_US, LOWEST_US, at_literal, equal, is_digit, two_digits


def days_of(year, month, day):
    """Returns the days since the epoch, in the proleptic Gregorian calendar, of a date in the years 1 to 9999."""
    if month <= 2:
        year -= 1
        month += 12
    era: cython.longlong = year // 400
    of_era: cython.longlong = year - era * 400
    of_year: cython.longlong = (153 * (month - 3) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def exists(year, month, day):
    """Returns True if there is such a date."""
    if year < 1 or month < 1 or month > 12 or day < 1:
        return False
    if month == 2:
        leap: cython.bint = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return day <= (29 if leap else 28)
    return day <= (30 if month == 4 or month == 6 or month == 9 or month == 11 else 31)


def date(p, offset, end):
    """Returns the number yyyymmdd, or -1 if no date YYYY-MM-DD is at the offset; and True if the date exists."""
    if offset + 10 > end or p[offset + 4] != 45 or p[offset + 7] != 45:
        return (-1, False)
    century: cython.int = two_digits(p, offset)
    year: cython.int = two_digits(p, offset + 2)
    month: cython.int = two_digits(p, offset + 5)
    day: cython.int = two_digits(p, offset + 8)
    if century < 0 or year < 0 or month < 0 or day < 0:
        return (-1, False)
    year += century * 100
    return (year * 10_000 + month * 100 + day, exists(year, month, day))


def iso_day(p, offset, end):
    """Returns the end of a date, its days since the epoch, and ZONED, or BAD if the date does not exist."""
    number: cython.int
    real: cython.bint
    (number, real) = date(p, offset, end)
    if number < 0:
        return (NO_MATCH, 0, BAD)
    if not real:
        return (offset + 10, 0, BAD)
    return (offset + 10, days_of(number // 10_000, number // 100 % 100, number % 100), ZONED)


def utc_offset(p, offset, end):
    """Returns the end of ``Z`` or ``+hh:mm``; ZONED, BAD, or LOCAL if there is none; and the microseconds."""
    if offset >= end:
        return (offset, LOCAL, 0)
    if p[offset] == 90:
        return (offset + 1, ZONED, 0)
    if (p[offset] != 43 and p[offset] != 45) or offset + 5 > end:
        return (offset, LOCAL, 0)
    colon: cython.int = 1 if p[offset + 3] == 58 else 0
    if offset + 5 + colon > end:
        return (offset, LOCAL, 0)
    hours: cython.int = two_digits(p, offset + 1)
    minutes: cython.int = two_digits(p, offset + 3 + colon)
    if hours < 0 or minutes < 0:
        return (offset, LOCAL, 0)
    if hours > 23 or minutes > 59:
        return (offset + 5 + colon, BAD, 0)
    micros: cython.longlong = hours * 60 + minutes
    micros *= 60_000_000
    return (offset + 5 + colon, ZONED, -micros if p[offset] == 45 else micros)


def iso(p, offset, end, state):
    """Returns the end of a time in ISO 8601, its microseconds, and its zone.

    The date, the hour and the minute of sorted logs are mostly those of the time before, which ``state`` holds.
    """
    number: cython.int
    real: cython.bint
    hour: cython.int
    minute: cython.int
    if offset + 16 > end:
        return (NO_MATCH, 0, BAD)
    known: cython.longlong = state[STATE_MINUTE]
    if known < 0 or not equal(p, offset, p, known, 16):
        (number, real) = date(p, offset, end)
        if number < 0 or (p[offset + 10] != 84 and p[offset + 10] != 32) or p[offset + 13] != 58:
            return (NO_MATCH, 0, BAD)
        hour = two_digits(p, offset + 11)
        minute = two_digits(p, offset + 14)
        if hour < 0 or minute < 0:
            return (NO_MATCH, 0, BAD)
        known = -1
        if real and hour <= 23 and minute <= 59:
            known = offset
            state[STATE_MINUTES] = (
                days_of(number // 10_000, number // 100 % 100, number % 100) * 1440 + hour * 60 + minute
            )
        state[STATE_MINUTE] = known
    second: cython.int = 0
    micro: cython.int = 0
    digits: cython.int = 0
    at: cython.int = offset + 16
    if at + 3 <= end and p[at] == 58:
        second = two_digits(p, at + 1)
        if second < 0:
            second = 0
        else:
            at += 3
            if at + 1 < end and (p[at] == 46 or p[at] == 44) and is_digit(p[at + 1]):
                at += 1
                while digits < 9 and at < end and is_digit(p[at]):
                    if digits < 6:
                        micro = micro * 10 + (p[at] - 48)
                    digits += 1
                    at += 1
                while digits < 6:
                    micro *= 10
                    digits += 1
    zone: cython.int
    shift: cython.longlong
    (at, zone, shift) = utc_offset(p, at, end)
    if known < 0 or second > 59 or zone == BAD:
        return (at, 0, BAD)
    value: cython.longlong = (state[STATE_MINUTES] * 60 + second) * 1_000_000 + micro - shift
    if value < LOWEST_US or value > HIGHEST_US:
        zone = BAD
    return (at, value, zone)


def number_of(p, offset, end, most):
    """Returns the number of up to ``most`` digits, and its end."""
    value: cython.int = 0
    limit: cython.int = offset + most if offset + most < end else end
    while offset < limit and is_digit(p[offset]):
        value = value * 10 + (p[offset] - 48)
        offset += 1
    return (value, offset)


def name_of(p, offset, end, pool, text, count, most):
    """Returns the number, from 1 on, of the name at the offset (0: none), and its end.

    Args:
        p: the block.
        offset: offset of the name.
        end: end of the line.
        pool: pool of the program.
        text: offset in the pool of the names, each as its length and its letters in lower case.
        count: number of names.
        most: number of letters that are compared; 0: all letters.
    """
    number: cython.int
    size: cython.int
    width: cython.int
    k: cython.int
    for number in range(1, count + 1):
        size = pool[text]
        width = most if 0 < most < size else size
        if offset + width <= end:
            k = 0
            while k < width and (p[offset + k] | 32) == pool[text + 1 + k] and p[offset + k] >= 65:
                k += 1
            if k == width:
                return (number, offset + width)
        text += 1 + size
    return (0, offset)


def zone_name(p, offset, end):
    """Returns UNCERTAIN if the abbreviation of a zone may be at the offset, else NO_MATCH.

    An abbreviation is a time zone only before a colon, which blanks may precede.
    """
    at: cython.int = offset
    while at < end and 65 <= (p[at] & 0xDF) <= 90:
        at += 1
    if at == offset:
        return UNCERTAIN if offset < end and (p[offset] == 43 or p[offset] == 45) else NO_MATCH
    while at < end and (p[at] == 32 or p[at] == 9):
        at += 1
    return UNCERTAIN if at < end and p[at] == 58 else NO_MATCH


def pattern(p, offset, end, steps, first, count, pool, year_bound, newest):
    """Returns the end of a time in the notation of a strptime pattern, its microseconds, and its zone.

    Each step takes what the pattern's regular expression takes first.

    Args:
        p: the block.
        offset: offset of the time.
        end: end of the line.
        steps: table of steps, four numbers each: a letter, an offset in the pool, a size, and a further number.
        first: index of the first step.
        count: number of steps.
        pool: pool of the program.
        year_bound: latest instant of a time without a year.
        newest: first year that is tried for a time without a year.
    """
    k: cython.int
    back: cython.int
    letter: cython.int
    text: cython.int
    size: cython.int
    extra: cython.int
    value: cython.int
    after: cython.int
    failed: cython.int = NO_MATCH  # UNCERTAIN once an earlier step could have taken less
    year: cython.int = -1
    month: cython.int = 1
    day: cython.int = 1
    hour: cython.int = 0
    minute: cython.int = 0
    second: cython.int = 0
    micro: cython.int = 0
    digits: cython.int
    zone: cython.int = LOCAL
    shift: cython.longlong = 0
    fine: cython.bint
    is_last: cython.bint
    for k in range(first, first + count):
        letter = steps[4 * k]
        text = steps[4 * k + 1]
        size = steps[4 * k + 2]
        extra = steps[4 * k + 3]
        if letter == 39:  # ' a literal
            if not at_literal(p, offset, end, pool, text, size):
                return (failed, 0, BAD)
            offset += size
        elif letter == 32:  # blanks
            after = offset
            while after < end and (p[after] == 32 or p[after] == 9):
                after += 1
            if after == offset:
                return (failed, 0, BAD)
            offset = after
        elif letter == 89 or letter == 121:  # Y y
            (year, after) = number_of(p, offset, end, 4 if letter == 89 else 2)
            if after - offset != (4 if letter == 89 else 2):
                return (failed, 0, BAD)
            if letter == 121:
                year += 1900 if year > 68 else 2000
            offset = after
        elif letter == 98 or letter == 66:  # b B
            (month, offset) = name_of(p, offset, end, pool, text, 12, 3 if letter == 98 else 0)
            if month == 0:
                return (failed, 0, BAD)
        elif letter == 97 or letter == 65:  # a A
            (value, offset) = name_of(p, offset, end, pool, text, 7, 3 if letter == 97 else 0)
            if value == 0:
                return (failed, 0, BAD)
        elif letter == 102 or letter == 76:  # f L
            (micro, after) = number_of(p, offset, end, size)
            if after == offset or (extra == 1 and after - offset != size):
                return (failed, 0, BAD)
            if letter == 76:
                micro *= 1000
            else:
                digits = after - offset
                while digits > 6:
                    micro //= 10
                    digits -= 1
                while digits < 6:
                    micro *= 10
                    digits += 1
            offset = after
            if extra == 2:
                failed = UNCERTAIN
        elif letter == 122:  # z
            (after, zone, shift) = utc_offset(p, offset, end)
            if zone == BAD:
                return (UNCERTAIN, 0, BAD)
            if after == offset:
                return (failed, 0, BAD)
            offset = after
        elif letter == 90:  # Z
            after = zone_name(p, offset, end)
            return (UNCERTAIN if after == UNCERTAIN else failed, 0, BAD)
        else:  # d m H M S
            if letter == 100 and offset + 1 < end and p[offset] == 32 and 49 <= p[offset + 1] <= 57:
                value = p[offset + 1] - 48
                after = offset + 2
            else:
                (value, after) = number_of(p, offset, end, 2)
            if after == offset:
                return (failed, 0, BAD)
            if extra == 2:
                failed = UNCERTAIN
            if letter == 100:
                day = value
                fine = 1 <= value <= 31
            elif letter == 109:
                month = value
                fine = 1 <= value <= 12
            elif letter == 72:
                hour = value
                fine = value <= 23
            elif letter == 77:
                minute = value
                fine = value <= 59
            else:
                second = value
                fine = value <= 59
            if not fine:
                # The expression takes the first digit, or a leap second, so that the second digit must be what follows.
                is_last = k + 1 == first + count or (letter == 83 and 60 <= value <= 61)
                return (UNCERTAIN if is_last or may_begin_with_digit(steps, k + 1, pool) else failed, 0, BAD)
            offset = after
    clock: cython.longlong = (hour * 60 + minute) * 60 + second
    clock = clock * 1_000_000 + micro - shift
    instant: cython.longlong
    if year >= 0:
        if not exists(year, month, day):
            return (offset, 0, BAD)
        instant = days_of(year, month, day) * DAY_US + clock
        if instant < LOWEST_US or instant > HIGHEST_US:
            return (offset, 0, BAD)
        return (offset, instant, zone)
    for back in range(14):
        year = newest - back
        if exists(year, month, day):
            instant = days_of(year, month, day) * DAY_US + clock
            if LOWEST_US <= instant <= year_bound:
                return (offset, instant, zone)
    return (offset, 0, BAD)


def may_begin_with_digit(steps, k, pool):
    """Returns False if the text of a step of a pattern certainly does not begin with a digit."""
    letter: cython.int = steps[4 * k]
    return letter != 32 and (letter != 39 or is_digit(pool[steps[4 * k + 1]]))


def first_pattern(p, offset, end, patterns, first, last, steps, pool, state, year_bound, newest):
    """Returns the end of a time in the first of several notations that matches, its microseconds, and its zone."""
    k: cython.int
    at: cython.int
    number: cython.int
    value: cython.longlong
    zone: cython.int
    for k in range(first, last):
        if patterns[PATTERN_WIDTH * k + PATTERN_KIND] == PATTERN_ISO:
            (at, value, zone) = iso(p, offset, end, state)
        elif patterns[PATTERN_WIDTH * k + PATTERN_KIND] == PATTERN_SECONDS:  # "(1795309211)"
            if offset + 2 >= end or p[offset] != 40 or not is_digit(p[offset + 1]):
                continue
            (number, at) = number_of(p, offset + 1, end, 9)
            value = number
            if at < end and is_digit(p[at]):
                value = value * 10 + (p[at] - 48)
                at += 1
            if at >= end or p[at] != 41:
                continue
            return (at + 1, value * 1_000_000, ZONED)
        else:
            (at, value, zone) = pattern(
                p, offset, end, steps, patterns[PATTERN_WIDTH * k + PATTERN_STEP],
                patterns[PATTERN_WIDTH * k + PATTERN_STEPS], pool, year_bound, newest,
            )  # fmt: skip
        if at != NO_MATCH:
            return (at, value, zone)
    return (NO_MATCH, 0, BAD)
