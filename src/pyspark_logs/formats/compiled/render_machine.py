"""Machine that renders lines: runs a program over the rows of Arrow columns.

A program is a table of instructions, in the order of the line; see ``render_opcodes`` and
:mod:`pyspark_logs.formats.writing.render_program`. The lines are those of the writers of the formats. A row of which anything
is in doubt is left to them: a value that must be escaped in a way the machine does not know, or that cannot be written.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.primitives import (
        DAY_US,
        HIGHEST_US,
        LOWEST_US,
        MANY,
        POWERS,
        at_literal,
    )
    from cython.cimports.pyspark_logs.formats.compiled.render_opcodes import (
        ARGUMENT,
        BACKSLASHES,
        BOOLEAN,
        CONTROLS,
        DAY,
        DAY_OF_MONTH_STATE,
        DAY_STATE,
        DOUBLE,
        END,
        FIRST_EQUAL,
        FIRST_HEAD,
        FIRST_STEP,
        FIRST_STOP,
        FIRST_TAIL,
        FLAGS,
        INTEGER,
        ISO_TIME,
        JSON_STRING,
        KIND,
        LACKS_DAY,
        LACKS_HALF,
        LACKS_HOUR,
        LACKS_MINUTE,
        LACKS_MONTH,
        LACKS_SECOND,
        LAST_EQUAL,
        LAST_HEAD,
        LAST_STEP,
        LAST_STOP,
        LAST_TAIL,
        MODE,
        MONTH_STATE,
        NO_BLANK_FIRST,
        NO_SPACE_AT_ENDS,
        NOT_ASCII,
        NOT_EMPTY,
        NULL_SIZE,
        NULL_TEXT,
        OMITTED_IF_NULL,
        PAIR_VALUE,
        PLAIN,
        QUOTED,
        RENDERED,
        SEPARATED_BACKSLASHES,
        SEPARATED_VALUE,
        SHORT_YEAR,
        SIZE,
        SLOT,
        SPARE_STATE,
        STEP_WIDTH,
        STOP,
        STOP_2,
        STOP_3,
        TEXT,
        TEXTS,
        WIDTH,
        YEAR_STATE,
        YEARDAY_STATE,
    )
    from cython.cimports.pyspark_logs.formats.compiled.render_primitives import (
        boolean_at,
        double_at,
        find_special,
        integer_at,
        is_valid,
        is_zero,
        put_digits,
        put_literal,
        put_number,
        put_text,
        text_bytes,
        text_offset,
        text_total,
    )
else:
    from . import interpreted
    from .primitives import DAY_US, HIGHEST_US, LOWEST_US, MANY, POWERS, at_literal
    from .render_opcodes import *
    from .render_primitives import (
        boolean_at,
        double_at,
        find_special,
        integer_at,
        is_valid,
        is_zero,
        put_digits,
        put_literal,
        put_number,
        put_text,
        text_bytes,
        text_offset,
        text_total,
    )


def run(
    ops, literals, steps, pool, inputs, views, programs, count, out, offsets, failed, state,
    first_prefix, last_prefix, max_bytes, drops_blank,
):  # fmt: skip
    """Renders rows; returns the number of rows that are not certain, whose lines are empty.

    Args:
        ops: instructions.
        literals: offsets in the pool and sizes of the texts that instructions name.
        steps: steps of times.
        pool: texts.
        inputs: the columns, compiled.
        views: the columns, interpreted.
        programs: first instruction of the program of each row.
        count: number of rows.
        out: memory for the lines.
        offsets: offset of each line, and the end of the last one; filled.
        failed: number of the instruction in doubt, from 1 on, of each row; 0 for certain rows; filled.
        state: see ``render_opcodes``.
        first_prefix: index of the first literal that no line may begin with.
        last_prefix: index after the last of them.
        max_bytes: length of the longest line.
        drops_blank: True if a line that begins and ends with a blank may be no record.
    """
    found: cython.int = 0
    if cython.compiled:
        renderer: Renderer
        renderer.ops = cython.address(ops[0])
        renderer.literals = cython.address(literals[0])
        renderer.steps = cython.address(steps[0])
        renderer.pool = cython.address(pool[0])
        renderer.inputs = cython.address(inputs[0])
        renderer.out = cython.address(out[0])
        renderer.state = cython.address(state[0])
        renderer.first_prefix = first_prefix
        renderer.last_prefix = last_prefix
        renderer.max_bytes = max_bytes
        renderer.drops_blank = drops_blank
        with cython.nogil:
            found = walk(
                cython.address(renderer), cython.address(programs[0]), count, cython.address(offsets[0]),
                cython.address(failed[0]),
            )  # fmt: skip
        return found
    else:
        renderer = interpreted.RenderArguments(
            ops.tolist(), literals.tolist(), steps.tolist(), bytes(pool), views, memoryview(out), state.tolist(), first_prefix,
            last_prefix, max_bytes, drops_blank,
        )  # fmt: skip
        found = walk(renderer, programs.tolist(), count, offsets, failed)
        return found


def walk(renderer, programs, count, offsets, failed):
    """Renders rows; see :func:`run`."""
    row: cython.int
    at: cython.int = 0
    end: cython.int
    op: cython.int
    found: cython.int = 0
    offsets[0] = 0
    for row in range(count):
        (end, op) = render_line(renderer, programs[row], row, at)
        if end < 0:
            failed[row] = op // WIDTH + 1
            found += 1
        else:
            failed[row] = 0
            at = end
        offsets[row + 1] = at
    return found


def render_line(renderer, op, row, start):
    """Returns the end of the line of a row, -1 if it is not certain, and the offset of the last instruction."""
    at: cython.int = start
    kind: cython.int
    flags: cython.int
    skipped: cython.int
    while True:
        kind = renderer.ops[op + KIND]
        flags = renderer.ops[op + FLAGS]
        if flags & OMITTED_IF_NULL:
            if not is_valid(renderer.inputs, renderer.ops[op + SLOT], row):
                op += WIDTH
                continue
            skipped = 1 if at == start else 0  # the space before the first pair
            at = put_literal(
                renderer.out, at, renderer.pool, renderer.ops[op + TEXT] + skipped, renderer.ops[op + SIZE] - skipped
            )
        else:
            at = put_literal(renderer.out, at, renderer.pool, renderer.ops[op + TEXT], renderer.ops[op + SIZE])
            if kind == END:
                return (at if is_line(renderer, start, at) else -1, op)
            if kind != RENDERED and not is_valid(renderer.inputs, renderer.ops[op + SLOT], row):
                if renderer.ops[op + NULL_SIZE] < 0:
                    return (-1, op)
                at = put_literal(
                    renderer.out, at, renderer.pool, renderer.ops[op + NULL_TEXT], renderer.ops[op + NULL_SIZE]
                )
                op += WIDTH
                continue
        if flags & QUOTED:
            renderer.out[at] = 34
            at += 1
        at = render_value(renderer, op, row, at)
        if at < 0:
            return (-1, op)
        if flags & QUOTED:
            renderer.out[at] = 34
            at += 1
        op += WIDTH


def is_line(renderer, start, end):
    r"""Returns True if a line, which ends with ``\n``, is certainly a record for readers."""
    k: cython.int
    size: cython.int = end - start - 1
    if size == 0 or size > renderer.max_bytes:
        return False
    if renderer.drops_blank and renderer.out[start] <= 32 and renderer.out[end - 2] <= 32:
        return False
    for k in range(renderer.first_prefix, renderer.last_prefix):
        if at_literal(renderer.out, start, end, renderer.pool, renderer.literals[2 * k], renderer.literals[2 * k + 1]):
            return False
    return True


def render_value(renderer, op, row, at):
    """Writes a value that is not null; returns the offset after it, -1 if it is not certain."""
    kind: cython.int = renderer.ops[op + KIND]
    slot: cython.int = renderer.ops[op + SLOT]
    begin: cython.int
    k: cython.int
    if kind == TEXTS:
        return render_text(renderer, op, row, at)
    if kind == RENDERED:
        begin = text_offset(renderer.inputs, slot, row)
        return put_text(
            renderer.out, at, text_bytes(renderer.inputs, slot), begin,
            text_offset(renderer.inputs, slot, row + 1) - begin, text_total(renderer.inputs, slot),
        )  # fmt: skip
    if kind == INTEGER:
        k = renderer.ops[op + ARGUMENT]
        return render_integer(renderer.out, at, integer_at(renderer.inputs, slot, row, k))
    if kind == DOUBLE:
        return render_double(renderer.out, at, double_at(renderer.inputs, slot, row))
    if kind == BOOLEAN:
        k = renderer.ops[op + ARGUMENT] + (0 if boolean_at(renderer.inputs, slot, row) else 1)
        return put_literal(renderer.out, at, renderer.pool, renderer.literals[2 * k], renderer.literals[2 * k + 1])
    if kind == DAY:
        return render_day(renderer, at, integer_at(renderer.inputs, slot, row, 32))
    if kind == ISO_TIME:
        return render_iso(renderer, at, integer_at(renderer.inputs, slot, row, 64))
    return render_pattern(renderer, op, at, integer_at(renderer.inputs, slot, row, 64))


# --- texts ------------------------------------------------------------------------------------------------


def render_text(renderer, op, row, at):
    """Writes a text, with the quotes and escapes of its mode; returns the offset after it, -1 if it is not certain."""
    slot: cython.int = renderer.ops[op + SLOT]
    mode: cython.int = renderer.ops[op + MODE]
    begin: cython.int = text_offset(renderer.inputs, slot, row)
    end: cython.int = text_offset(renderer.inputs, slot, row + 1)
    total: cython.int = text_total(renderer.inputs, slot)
    plain: cython.bint
    p = text_bytes(renderer.inputs, slot)
    plain = is_plain(renderer, op, p, begin, end)
    if plain and find_unwritable(renderer, op, p, begin, end, total) == end:
        return put_text(renderer.out, at, p, begin, end - begin, total)
    if mode == PLAIN or (not plain and (mode == BACKSLASHES or mode == JSON_STRING)):
        return -1
    return escape_text(renderer, op, at, p, begin, end, total)


def is_plain(renderer, op, p, begin, end):
    """Returns True if the beginning and the end of a text, and the text as a whole, allow to write it as it is."""
    flags: cython.int = renderer.ops[op + FLAGS]
    size: cython.int = end - begin
    k: cython.int
    text: cython.int
    width: cython.int
    if size == 0:
        if flags & (NOT_EMPTY | NO_SPACE_AT_ENDS):
            return False
    elif flags & (NO_SPACE_AT_ENDS | NO_BLANK_FIRST):
        if flags & NO_SPACE_AT_ENDS and (p[begin] == 32 or p[end - 1] == 32):
            return False
        if flags & NO_BLANK_FIRST and (p[begin] == 32 or p[begin] == 9):
            return False
    for k in range(renderer.ops[op + FIRST_HEAD], renderer.ops[op + LAST_HEAD]):
        if at_literal(p, begin, end, renderer.pool, renderer.literals[2 * k], renderer.literals[2 * k + 1]):
            return False
    for k in range(renderer.ops[op + FIRST_TAIL], renderer.ops[op + LAST_TAIL]):
        text = renderer.literals[2 * k]
        width = renderer.literals[2 * k + 1]
        if width <= size and at_literal(p, end - width, end, renderer.pool, text, width):
            return False
    for k in range(renderer.ops[op + FIRST_EQUAL], renderer.ops[op + LAST_EQUAL]):
        text = renderer.literals[2 * k]
        width = renderer.literals[2 * k + 1]
        if width == size and (size == 0 or at_literal(p, begin, end, renderer.pool, text, width)):
            return False
    return True


def find_unwritable(renderer, op, p, begin, end, total):
    """Returns the offset of the first text that a text may not contain as it is; ``end`` if there is none."""
    flags: cython.int = renderer.ops[op + FLAGS]
    a: cython.int = renderer.ops[op + STOP]
    b: cython.int = renderer.ops[op + STOP_2]
    c: cython.int = renderer.ops[op + STOP_3]
    high: cython.bint = flags & NOT_ASCII != 0
    k: cython.int
    at: cython.int = find_special(p, begin, end, a, b, c, high, total)
    while at < end:
        if p[at] == 10 or p[at] == 13 or (p[at] < 32 and flags & CONTROLS) or (high and p[at] > 126):
            return at
        for k in range(renderer.ops[op + FIRST_STOP], renderer.ops[op + LAST_STOP]):
            if at_literal(p, at, end, renderer.pool, renderer.literals[2 * k], renderer.literals[2 * k + 1]):
                return at
        at = find_special(p, at + 1, end, a, b, c, high, total)
    return end


def escape_text(renderer, op, at, p, begin, end, total):
    """Writes a text with escapes, and with the quotes that pairs and separated values have only then."""
    mode: cython.int = renderer.ops[op + MODE]
    quote: cython.int = renderer.ops[op + ARGUMENT] if mode >= PAIR_VALUE else 0
    size: cython.int = end - begin
    start: cython.int = at
    stop: cython.int
    b: cython.int = quote if mode == SEPARATED_VALUE else 92
    a: cython.int = quote if mode >= SEPARATED_VALUE else 34
    if 6 * size + 2 > renderer.state[SPARE_STATE]:
        return -1
    if quote:
        renderer.out[at] = quote
        at += 1
    while begin < end:
        stop = find_special(p, begin, end, a, b, a, False, total)
        at = put_text(renderer.out, at, p, begin, stop - begin, total)
        if stop == end:
            break
        at = escape_byte(renderer, mode, at, p[stop], quote)
        if at < 0:
            return -1
        begin = stop + 1
    if quote:
        renderer.out[at] = quote
        at += 1
    renderer.state[SPARE_STATE] -= at - start - size  # memory for the text itself is not spare
    return at


def escape_byte(renderer, mode, at, byte, quote):
    """Writes a quote, backslash or control character; returns the offset after it, -1 if there is no escape."""
    letter: cython.int = 0
    if mode >= SEPARATED_VALUE:
        if byte == 10 or byte == 13 or byte == 0:
            return -1
        if byte == quote:
            renderer.out[at] = 92 if mode == SEPARATED_BACKSLASHES else byte
            at += 1
        elif byte == 92 and mode == SEPARATED_BACKSLASHES:
            renderer.out[at] = 92
            at += 1
        renderer.out[at] = byte
        return at + 1
    if byte == 34 or byte == 92:
        letter = byte
    elif byte == 10:
        letter = 110
    elif byte == 13:
        letter = 114
    elif mode == BACKSLASHES:
        renderer.out[at] = byte
        return at + 1
    elif byte == 9:
        letter = 116
    elif byte == 8:
        letter = 98
    elif byte == 12:
        letter = 102
    renderer.out[at] = 92
    if letter:
        renderer.out[at + 1] = letter
        return at + 2
    renderer.out[at + 1] = 117
    renderer.out[at + 2] = 48
    renderer.out[at + 3] = 48
    renderer.out[at + 4] = 48 + (byte >> 4)
    letter = byte & 15
    renderer.out[at + 5] = 48 + letter if letter < 10 else 87 + letter
    return at + 6


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
    """Writes a time by the steps of a pattern; returns the offset after it, -1 if the text would not mean the time."""
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
