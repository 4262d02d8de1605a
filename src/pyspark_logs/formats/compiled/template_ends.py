"""Ends of the fields of a template: by quotes, by the syntax of a type, or by the text that follows."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        BEFORE_FIELD,
        COUNT,
        ENDS_LAST,
        FIRST_DELIMITER,
        FIRST_PATTERN,
        FLAGS,
        FRONTEND,
        HALF_QUOTED,
        HEADER,
        KIND,
        LAST_BOUND,
        LAST_DELIMITER,
        LAST_PATTERN,
        LIMIT_SIZE,
        LIMIT_TEXT,
        LINE_END,
        NO_MATCH,
        PADDING,
        PLAIN,
        PREFIX,
        QUOTED,
        REQUESTER,
        REST,
        SIZE,
        STAMP,
        STATE_FIELD,
        STATE_OFFSET,
        STATE_VALUE,
        STATE_WIDTH,
        STATE_ZONE,
        TAKES_REST,
        TEXT,
        TRAILING,
        UNCERTAIN,
        UPSTREAM,
        VERBOSE,
    )
    from cython.cimports.pyspark_logs.formats.compiled.primitives import (
        at_literal,
        equal,
        find_byte,
        find_either,
        find_last_literal,
        find_literal,
        is_digit,
    )
    from cython.cimports.pyspark_logs.formats.compiled.times import first_pattern
else:
    from .opcodes import *
    from .primitives import at_literal, equal, find_byte, find_either, find_last_literal, find_literal, is_digit
    from .times import first_pattern


def quoted(p, at, end, total, raw):
    """Returns the end of quoted text after its closing quote; -3 - end if it has escapes; NO_MATCH or UNCERTAIN.

    Args:
        p: the block.
        at: offset of the opening quote.
        end: end of the line.
        total: length of the block.
        raw: True if quotes in the text are not escaped. The first quote closes the text if a blank follows and the
            next quote comes after a blank, or if the line ends.
    """
    escaped: cython.bint = False
    close: cython.int
    following: cython.int
    if at >= end or p[at] != 34:
        return NO_MATCH
    close = find_either(p, at + 1, end, 34, 92, total)
    if close < 0:
        return NO_MATCH
    if p[close] == 92:
        while close < end and p[close] != 34:
            if p[close] == 92:
                escaped = True
                close += 1
            close += 1
        if close >= end:
            return NO_MATCH
    close += 1
    if raw and close < end:
        if p[close] != 32 or find_byte(p, at, end, 92, total) >= 0:
            return UNCERTAIN
        following = find_byte(p, close, end, 34, total)
        if following >= 0 and p[following - 1] != 32:
            return UNCERTAIN
    return -3 - close if escaped else close


def repeated_pattern(p, at, end, program, state, op):
    """Returns the end of a time in one of the notations of a field, its microseconds, and its zone.

    Sorted logs repeat their times: equal bytes are the same time, unless another digit follows.
    """
    width: cython.int
    stop: cython.int
    value: cython.longlong
    zone: cython.int
    if state[STATE_FIELD] == op:
        width = state[STATE_WIDTH]
        if (
            at + width <= end
            and equal(p, at, p, state[STATE_OFFSET], width)
            and (at + width == end or not is_digit(p[at + width]))
        ):
            return (at + width, state[STATE_VALUE], state[STATE_ZONE])
    (stop, value, zone) = first_pattern(
        p, at, end, program.patterns, program.ops[op + FIRST_PATTERN], program.ops[op + LAST_PATTERN], program.steps,
        program.pool, state, program.year_bound, program.newest,
    )  # fmt: skip
    if stop >= 0 and program.ops[op + LAST_PATTERN] == program.ops[op + FIRST_PATTERN] + 1:
        state[STATE_FIELD] = op
        state[STATE_OFFSET] = at
        state[STATE_WIDTH] = stop - at
        state[STATE_VALUE] = value
        state[STATE_ZONE] = zone
    return (stop, value, zone)


def other_syntax(p, at, end, total, program, op):
    """Returns the end of a text by one of the less common syntaxes; NO_MATCH; or UNCERTAIN."""
    kind: cython.int = program.ops[op + KIND]
    stop: cython.int
    k: cython.int
    if kind == UPSTREAM:  # its end is found by the delimiter
        return NO_MATCH
    if kind == REQUESTER:
        stop = find_byte(p, at, end, 32, total)
        stop = end if stop < 0 else stop
        if stop == at:
            return NO_MATCH
        # The identity of CloudFront contains blanks.
        k = stop - program.ops[op + LIMIT_SIZE]
        if k >= at and equal(p, k, program.pool, program.ops[op + LIMIT_TEXT], program.ops[op + LIMIT_SIZE]):
            return UNCERTAIN
        return stop
    if kind == HALF_QUOTED:
        if at >= end or p[at] != 34:
            return NO_MATCH
        stop = find_byte(p, at + 1, end, 34, total)
        return end if stop < 0 else stop + 1
    if kind == HEADER:
        if find_byte(p, at, end, 92, total) >= 0:
            return UNCERTAIN
        stop = find_byte(p, at, end, 124, total)
        return end if stop < 0 else stop
    if kind == PREFIX:
        if at < end and (p[at] == 58 or p[at] == 42 or p[at] == 46):
            return UNCERTAIN
        if at < end and is_digit(p[at]):
            # A year is not a prefix.
            if at + 4 < end and is_digit(p[at + 3]) and (p[at + 4] == 45 or p[at + 4] == 32):
                return at
            return UNCERTAIN
        return at
    if kind == COUNT:
        stop = at
        while stop < end and stop - at < 9 and is_digit(p[stop]):
            stop += 1
        if stop == at or p[at] == 48 or stop + 1 >= end or p[stop] != 32 or p[stop + 1] != 60:
            return at
        return stop + 1
    if kind == VERBOSE:
        return UNCERTAIN if at + 1 < end and p[at] == 32 and p[at + 1] == 60 else at
    if kind == FRONTEND:
        stop = find_byte(p, at, end, 32, total)
        if stop <= at or p[stop - 1] == 58 or find_byte(p, at, stop, 47, total) >= 0:
            return UNCERTAIN
        return stop
    if kind == REST:
        return end if at < end else NO_MATCH
    if kind == STAMP:
        return stamp_end(p, at, end)
    # LETTER
    if at < end:
        for k in range(program.ops[op + LIMIT_SIZE]):
            if p[at] == program.pool[program.ops[op + LIMIT_TEXT] + k]:
                return at + 1
    return NO_MATCH


def stamp_end(p, at, end):
    """Returns the end of a time, YYYY-MM-DD hh:mm:ss with a fraction, and letters after a blank; else UNCERTAIN."""
    k: cython.int
    if at + 19 > end:
        return UNCERTAIN
    for k in range(19):
        if k == 4 or k == 7:
            if p[at + k] != 45:
                return UNCERTAIN
        elif k == 13 or k == 16:
            if p[at + k] != 58:
                return UNCERTAIN
        elif k == 10:
            if p[at + k] != 32:
                return UNCERTAIN
        elif not is_digit(p[at + k]):
            return UNCERTAIN
    at += 19
    if at + 1 < end and p[at] == 46 and is_digit(p[at + 1]):
        k = at + 1
        while k < end and k - at <= 9 and is_digit(p[k]):
            k += 1
        at = k
    if at + 1 < end and p[at] == 32:
        if p[at + 1] == 43 or p[at + 1] == 45:
            return UNCERTAIN
        k = at + 1
        while k < end and 65 <= (p[k] & 0xDF) <= 90:
            k += 1
        if k > at + 1:
            at = k
    return at


def field_end(p, at, end, total, program, op, syntax_end):
    """Returns the end of a field; -1 if the line does not match; -2 - end if the syntax of the field determines the end."""
    flags: cython.int = program.ops[op + FLAGS]
    first: cython.int = program.ops[op + FIRST_DELIMITER]
    last: cython.int = program.ops[op + LAST_DELIMITER]
    k: cython.int
    stop: cython.int = -1
    found: cython.int
    limit: cython.int
    size: cython.int
    if syntax_end >= 0:
        if flags & BEFORE_FIELD or (flags & LINE_END and syntax_end == end):
            return -2 - syntax_end
        for k in range(first, last):
            if at_literal(p, syntax_end, end, program.pool, program.delimiters[2 * k], program.delimiters[2 * k + 1]):
                return -2 - syntax_end
    if flags & BEFORE_FIELD:
        return -1
    if flags & ENDS_LAST:
        return last_end(p, at, end, total, program, op)
    k = last - 1
    while k >= first:
        size = program.delimiters[2 * k + 1]
        limit = end
        if stop >= 0:
            limit = stop + (size - 1 if size > 0 else 0)
            limit = limit if limit < end else end
        found = find_literal(p, at, limit, program.pool, program.delimiters[2 * k], size, total)
        if found >= 0:
            stop = found
        k -= 1
    if program.ops[op + KIND] == UPSTREAM:
        # A list goes on after a comma, or a colon with blanks around it, and has no other blank.
        if stop < 0 or (stop > at and p[stop - 1] == 44) or find_byte(p, at, stop, 32, total) >= 0:
            return -1
        if stop + 2 < end and p[stop] == 32 and p[stop + 1] == 58 and p[stop + 2] == 32:
            return -1
        return stop
    if stop >= 0:
        return stop
    if not flags & LINE_END:
        return -1
    if syntax_end >= 0:
        return -2 - syntax_end if flags & TRAILING else -1
    if flags & TRAILING and program.ops[op + KIND] == PLAIN and not flags & TAKES_REST:
        stop = find_literal(p, at, end, program.pool, 0, 0, total)
        return end if stop < 0 else stop
    return end


def last_end(p, at, end, total, program, op):
    """Returns the end of a field that ends at the last occurrence of a literal; -1 if there is none."""
    first: cython.int = program.ops[op + FIRST_DELIMITER]
    last: cython.int = program.ops[op + LAST_BOUND]
    k: cython.int
    start: cython.int = at
    stop: cython.int = end
    if program.ops[op + LIMIT_SIZE] >= 0:
        for k in range(first, last):
            start = find_literal(
                p, start, end, program.pool, program.delimiters[2 * k], program.delimiters[2 * k + 1], total
            )
            if start < 0:
                return -1
            start += program.delimiters[2 * k + 1]
        stop = find_literal(
            p, start, end, program.pool, program.ops[op + LIMIT_TEXT], program.ops[op + LIMIT_SIZE], total
        )
    k = last - 1
    while k >= first and stop >= 0:
        stop = find_last_literal(p, at, stop, program.pool, program.delimiters[2 * k], program.delimiters[2 * k + 1])
        k -= 1
    return stop


def has_value(p, begin, stop, end, program, op, inside):
    """Returns False if a field that is never blank appears to be blank, or if text follows it directly."""
    k: cython.int
    if stop == begin:
        k = end
        while k > stop and p[k - 1] == 32:
            k -= 1
        if stop < k:
            return False
    elif p[begin] == 32 or p[stop - 1] == 32:
        return False
    elif program.ops[op + KIND] == QUOTED and not inside and p[begin] == 34:
        return False
    if not program.ops[op + FLAGS] & LINE_END or stop == end or p[stop] == 32:
        return True
    for k in range(program.ops[op + FIRST_DELIMITER], program.ops[op + LAST_DELIMITER]):
        if at_literal(p, stop, end, program.pool, program.delimiters[2 * k], program.delimiters[2 * k + 1]):
            return True
    return False


def skip_padding(p, begin, stop, at, end, program, op):
    """Returns the offset after the padding of a value, up to its width in characters.

    Only where the delimiter after the field consists of spaces, which is instruction data: then ``SIZE`` is its length.
    """
    size: cython.int = program.ops[op + SIZE]
    left: cython.int = program.ops[op + PADDING]
    k: cython.int
    if size == 0:
        return at
    for k in range(begin, stop):
        if p[k] & 0xC0 != 0x80:  # not within a character
            left -= 1
    while left > 0 and at_literal(p, at + 1, end, program.pool, program.ops[op + TEXT], size):
        at += 1
        left -= 1
    return at
