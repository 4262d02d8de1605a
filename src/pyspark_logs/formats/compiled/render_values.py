"""Numbers, days and times of the machine that renders lines: each function writes a value, if its text certainly means the value."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.primitives import DAY_US, HIGHEST_US, LOWEST_US, MANY, POWERS
    from cython.cimports.pyspark_logs.formats.compiled.render_opcodes import (
        ARGUMENT,
        DAY_OF_MONTH_STATE,
        DAY_STATE,
        FIRST_STEP,
        FLAGS,
        LACKS_DAY,
        LACKS_HALF,
        LACKS_HOUR,
        LACKS_MINUTE,
        LACKS_MONTH,
        LACKS_SECOND,
        LAST_STEP,
        MONTH_STATE,
        SHORT_YEAR,
        STEP_WIDTH,
        YEAR_STATE,
        YEARDAY_STATE,
    )
    from cython.cimports.pyspark_logs.formats.compiled.render_primitives import (
        is_zero,
        put_digits,
        put_literal,
        put_number,
    )
else:
    from .primitives import DAY_US, HIGHEST_US, LOWEST_US, MANY, POWERS
    from .render_opcodes import *
    from .render_primitives import is_zero, put_digits, put_literal, put_number


# --- numbers ----------------------------------------------------------------------------------------------


def render_integer(out, at, value):
    """Writes an integer; returns the offset after it, -1 for the least ones, one of which has no absolute value."""
    if value < -MANY:
        return -1
    if value < 0:
        out[at] = 45
        at += 1
        value = -value
    return put_number(out, at, value)


def render_double(out, at, value):
    """Writes the shortest digits of a number; returns the offset after it, -1 if it may need more than 15, or an exponent.

    A number of 15 digits is the only one of so few digits that is read as its double.
    """
    fraction: cython.int
    size: cython.double = -value if value < 0 else value
    digits: cython.longlong
    whole: cython.longlong
    unit: cython.longlong = 1
    if is_zero(value):
        out[at] = 48
        return at + 1
    if not (0.00001 <= size < 10_000_000_000.0):
        return -1
    for fraction in range(15):
        if size * POWERS[fraction] >= 999_999_999_999_999.0:
            return -1
        digits = cython.cast(cython.longlong, size * POWERS[fraction] + 0.5)
        if digits / POWERS[fraction] == size:
            if value < 0:
                out[at] = 45
                at += 1
            whole = digits // unit
            at = put_number(out, at, whole)
            if fraction:
                out[at] = 46
                at = put_digits(out, at + 1, digits - whole * unit, fraction)
            return at
        unit *= 10
    return -1


# --- times ------------------------------------------------------------------------------------------------


def set_day(state, day):
    """Computes the date of a day, counted from 0001-01-01 on, unless it is that of the last call.

    The months are counted from March on, so that a leap day is the last of a year.
    """
    shifted: cython.longlong = day + 306
    era: cython.longlong
    year: cython.longlong
    of_era: cython.longlong
    of_year: cython.longlong
    month: cython.longlong
    if state[DAY_STATE] == day:
        return
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    state[DAY_STATE] = day
    state[DAY_OF_MONTH_STATE] = of_year - (153 * month + 2) // 5 + 1
    state[MONTH_STATE] = month + 3 if month < 10 else month - 9
    year += era * 400
    # January and February are the last months of the year that began in March.
    if month >= 10:
        state[YEAR_STATE] = year + 1
        state[YEARDAY_STATE] = of_year - 305
    else:
        state[YEAR_STATE] = year
        state[YEARDAY_STATE] = of_year + (60 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 59) + 1


def render_day(renderer, at, day):
    """Writes ``2026-11-22``; returns the offset after it, -1 for a day out of the calendar."""
    day -= LOWEST_US // DAY_US
    if day < 0 or day > (HIGHEST_US - LOWEST_US) // DAY_US:
        return -1
    set_day(renderer.state, day)
    at = put_digits(renderer.out, at, renderer.state[YEAR_STATE], 4)
    renderer.out[at] = 45
    at = put_digits(renderer.out, at + 1, renderer.state[MONTH_STATE], 2)
    renderer.out[at] = 45
    return put_digits(renderer.out, at + 1, renderer.state[DAY_OF_MONTH_STATE], 2)


def render_iso(renderer, at, value):
    """Writes ``2026-11-22T10:00:00.000000Z``; returns the offset after it, -1 for a time out of the calendar."""
    day: cython.longlong
    micros: cython.longlong
    seconds: cython.longlong
    out = renderer.out
    if value < LOWEST_US or value > HIGHEST_US:
        return -1
    value -= LOWEST_US
    day = value // DAY_US
    micros = value - day * DAY_US
    seconds = micros // 1_000_000
    at = render_day(renderer, at, day + LOWEST_US // DAY_US)
    out[at] = 84
    at = put_digits(out, at + 1, seconds // 3600, 2)
    out[at] = 58
    at = put_digits(out, at + 1, seconds // 60 % 60, 2)
    out[at] = 58
    at = put_digits(out, at + 1, seconds % 60, 2)
    out[at] = 46
    at = put_digits(out, at + 1, micros - seconds * 1_000_000, 6)
    out[at] = 90
    return at + 1


def render_pattern(renderer, op, at, value):
    """Writes a time by the steps of a pattern; returns the offset after it, -1 if the text would not mean the time.

    Each step has the character of a strftime directive, such as ``b`` for an abbreviated month.
    """
    k: cython.int
    letter: cython.int
    text: cython.int
    size: cython.int
    month: cython.int
    number: cython.longlong
    day: cython.longlong
    micros: cython.longlong
    seconds: cython.longlong
    flags: cython.int = renderer.ops[op + FLAGS]
    state = renderer.state
    if value < LOWEST_US or value > HIGHEST_US:
        return -1
    value -= LOWEST_US
    day = value // DAY_US
    micros = value - day * DAY_US
    seconds = micros // 1_000_000
    micros -= seconds * 1_000_000
    set_day(state, day)
    if micros % renderer.ops[op + ARGUMENT] != 0:
        return -1
    if (flags & LACKS_SECOND and seconds % 60 != 0) or (flags & LACKS_MINUTE and seconds // 60 % 60 != 0):
        return -1
    if (flags & LACKS_HOUR and seconds >= 3600) or (flags & LACKS_HALF and seconds >= 43_200):
        return -1
    if (flags & LACKS_DAY and state[DAY_OF_MONTH_STATE] != 1) or (flags & LACKS_MONTH and state[MONTH_STATE] != 1):
        return -1
    if flags & SHORT_YEAR and (state[YEAR_STATE] < 1969 or state[YEAR_STATE] > 2068):
        return -1
    for k in range(renderer.ops[op + FIRST_STEP], renderer.ops[op + LAST_STEP]):
        letter = renderer.steps[STEP_WIDTH * k]
        text = renderer.steps[STEP_WIDTH * k + 1]
        size = renderer.steps[STEP_WIDTH * k + 2]
        if letter == 39:  # ' constant text
            at = put_literal(renderer.out, at, renderer.pool, text, size)
            continue
        if letter == 98:  # b, one of names of equal size
            month = cython.cast(cython.int, state[MONTH_STATE])
            at = put_literal(renderer.out, at, renderer.pool, text + size * (month - 1), size)
            continue
        if letter == 97:  # a
            at = put_literal(renderer.out, at, renderer.pool, text + size * cython.cast(cython.int, day % 7), size)
            continue
        if letter == 112:  # p
            at = put_literal(renderer.out, at, renderer.pool, text + (size if seconds >= 43_200 else 0), size)
            continue
        if letter == 102:  # f
            number = micros
            while size > 6:
                number *= 10
                size -= 1
            while size < 6:
                number //= 10
                size += 1
            at = put_digits(renderer.out, at, number, renderer.steps[STEP_WIDTH * k + 2])
            continue
        if letter == 100:  # d
            number = state[DAY_OF_MONTH_STATE]
        elif letter == 101:  # e
            number = state[DAY_OF_MONTH_STATE]
            if number < 10:
                renderer.out[at] = 32
                at += 1
                size = 1
        elif letter == 109:  # m
            number = state[MONTH_STATE]
        elif letter == 121 or letter == 89:  # y Y
            number = state[YEAR_STATE]
        elif letter == 106:  # j
            number = state[YEARDAY_STATE]
        elif letter == 72:  # H
            number = seconds // 3600
        elif letter == 73:  # I
            number = (seconds // 3600 + 11) % 12 + 1
        elif letter == 77:  # M
            number = seconds // 60 % 60
        elif letter == 83:  # S
            number = seconds % 60
        else:  # L
            number = micros // 1000
        at = put_digits(renderer.out, at, number, size)
    return at
