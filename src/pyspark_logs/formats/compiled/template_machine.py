"""Machine for templates: runs the program of a template over the lines of a block.

A program is a table of instructions, in the order of the template; see ``opcodes`` and
:mod:`~pyspark_logs.formats.template.compiled_program`. The rules are those of
:mod:`~pyspark_logs.formats.template.line_parser`. A line of which anything is in doubt is left to it.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        BAD,
        BEFORE_FIELD,
        BLANKS,
        CHECKED,
        COUNT,
        DATE,
        END,
        ENDED,
        ENDS_LAST,
        ESCAPED,
        FIRST_DELIMITER,
        FIRST_OUT,
        FIRST_PATTERN,
        FLAGS,
        FRONTEND,
        GROUP,
        HALF_QUOTED,
        HAS_LAST,
        HEADER,
        ISO,
        JUMP,
        KIND,
        LAST_BOUND,
        LAST_DELIMITER,
        LAST_OUT,
        LAST_PATTERN,
        LIMIT_SIZE,
        LIMIT_TEXT,
        LINE_END,
        LITERAL,
        NEVER_BLANK,
        NO_MATCH,
        NULL_SIZE,
        NULL_TEXT,
        NULLABLE,
        O_INT,
        O_TEXT,
        ONE_BYTE,
        ONE_LITERAL,
        ONE_TEXT,
        OTHER_SIZE,
        OTHER_TEXT,
        OUT_ARGUMENT,
        OUT_KIND,
        OUT_SLOT,
        OUT_VALID,
        OUT_WIDTH,
        PAD_AFTER,
        PAD_BEFORE,
        PADDING,
        PATTERNS,
        PLAIN,
        PREFIX,
        QUOTED,
        QUOTES_OPTIONAL,
        RAW_QUOTES,
        REQUESTER,
        REST,
        SIZE,
        SKIPS,
        STAMP,
        STATE_FIELD,
        STATE_OFFSET,
        STATE_VALUE,
        STATE_WIDTH,
        STATE_ZONE,
        STOP,
        TAKES_APPENDED,
        TAKES_REST,
        TEXT,
        TRAILING,
        UNCERTAIN,
        UPSTREAM,
        VERBOSE,
        WIDTH,
    )
    from cython.cimports.pyspark_logs.formats.compiled.output import Output, tables_of, write_null, write_value
    from cython.cimports.pyspark_logs.formats.compiled.primitives import (
        at_literal,
        equal,
        find_byte,
        find_either,
        find_last_literal,
        find_literal,
        is_digit,
    )
    from cython.cimports.pyspark_logs.formats.compiled.scalars import integer
    from cython.cimports.pyspark_logs.formats.compiled.text_output import write_null_text, write_text
    from cython.cimports.pyspark_logs.formats.compiled.times import first_pattern, iso, iso_day
else:
    from . import interpreted
    from .opcodes import *
    from .output import tables_of, write_null, write_value
    from .primitives import at_literal, equal, find_byte, find_either, find_last_literal, find_literal, is_digit
    from .scalars import integer
    from .text_output import write_null_text, write_text
    from .times import first_pattern, iso, iso_day


def run(
    block, starts, ends, ops, delimiters, patterns, steps, outs, pool, ints, doubles, begins, offsets, strings, areas,
    valid, seen, state,
    rows, rests, finds_rests, year_bound, newest,
):  # fmt: skip
    """Parses lines; returns the number of lines that are certain, whose indices are then in ``rows``.

    Args:
        block: the lines.
        starts: start offset of each line.
        ends: end offset of each line.
        ops: instructions.
        delimiters: see :class:`~.interpreted.TemplateArguments`.
        patterns: see :class:`~.interpreted.TemplateArguments`.
        steps: see :class:`~.interpreted.TemplateArguments`.
        outs: table of outputs.
        pool: literals.
        ints: see :class:`~.interpreted.OutputArguments`; this and the next arguments are filled.
        doubles: see :class:`~.interpreted.OutputArguments`.
        begins: see :class:`~.interpreted.OutputArguments`.
        offsets: see :class:`~.interpreted.OutputArguments`.
        strings: see :class:`~.interpreted.OutputArguments`.
        areas: see :class:`~.interpreted.OutputArguments`.
        valid: see :class:`~.interpreted.OutputArguments`.
        seen: see :class:`~.interpreted.OutputArguments`.
        state: see ``opcodes``.
        rows: memory for the index of each line.
        rests: memory for the offset after the last field of each line.
        finds_rests: True if ``rests`` is filled.
        year_bound: latest instant of a time without a year.
        newest: first year that is tried for a time without a year.
    """
    count: cython.int = len(starts)
    if count == 0 or len(block) == 0:
        return 0
    if cython.compiled:
        done: cython.int
        program: Program
        out: Output = tables_of(
            len(block), count, outs, pool, ints, doubles, begins, offsets, strings, areas, valid, seen, state
        )
        program.ops = cython.address(ops[0])
        program.delimiters = cython.address(delimiters[0])
        program.patterns = cython.address(patterns[0])
        program.steps = cython.address(steps[0])
        program.pool = cython.address(pool[0])
        program.year_bound = year_bound
        program.newest = newest
        program.rests = cython.address(rests[0])
        program.finds_rests = finds_rests
        with cython.nogil:
            done = walk(
                cython.address(block[0]), block.shape[0], cython.address(starts[0]), cython.address(ends[0]), count,
                cython.address(program), cython.address(out), cython.address(rows[0]),
            )  # fmt: skip
        return done
    else:
        plan = interpreted.TemplateArguments(
            ops.tolist(), delimiters.tolist(), patterns.tolist(), steps.tolist(), bytes(pool), year_bound, newest, rests,
            finds_rests,
        )  # fmt: skip
        tables = tables_of(
            len(block), count, outs, pool, ints, doubles, begins, offsets, strings, areas, valid, seen, state
        )
        return walk(bytes(block), len(block), starts.tolist(), ends.tolist(), count, plan, tables, rows)


def walk(p, total, starts, ends, count, program, out, rows):
    """Parses lines; see :func:`run`."""
    row: cython.int = 0
    line: cython.int
    for line in range(count):
        if parse_line(p, total, starts[line], ends[line], program, out, row):
            rows[row] = line
            row += 1
    return row


def parse_line(p, total, at, end, program, out, row):
    """Parses one line; returns True if it is certain."""
    op: cython.int = -WIDTH
    rest: cython.int = -1  # offset after the last field, where a group takes appended fields
    passed: cython.bint = False  # the last requested field is in a group that the line lacks
    flags: cython.int
    kind: cython.int
    begin: cython.int
    stop: cython.int
    syntax_end: cython.int
    value: cython.longlong
    zone: cython.int
    inside: cython.bint
    escaped: cython.bint
    while True:
        op += WIDTH
        kind = program.ops[op + KIND]
        flags = program.ops[op + FLAGS]
        if kind < PLAIN:
            if kind == LITERAL:
                if not at_literal(p, at, end, program.pool, program.ops[op + TEXT], program.ops[op + SIZE]):
                    return False
                if passed:
                    return True
                at += program.ops[op + SIZE]
                continue
            elif kind == STOP:
                return True
            elif kind == END:
                if program.finds_rests:
                    program.rests[row] = at if rest < 0 else rest
                return at == end or flags & TRAILING != 0
            elif kind == BLANKS:
                if not at_literal(p, at, end, program.pool, 0, 0):
                    return False
                if passed:
                    return True
                while at < end and (p[at] == 32 or p[at] == 9):
                    at += 1
                continue
            elif kind == GROUP:
                if flags & TAKES_APPENDED:
                    rest = at
                if not at_literal(p, at, end, program.pool, program.ops[op + TEXT], program.ops[op + SIZE]):
                    skip_group(program, out, op, row)
                    passed = passed or flags & HAS_LAST != 0
                    op = program.ops[op + JUMP] - WIDTH
                elif passed:
                    return True
                continue
        if passed:
            return True
        if flags & PAD_BEFORE:
            stop = at + program.ops[op + PADDING]
            while at < end and at < stop and p[at] == 32:
                at += 1
        begin = at
        value = 0
        zone = BAD
        inside = False
        escaped = False
        if flags & ONE_BYTE:
            stop = find_byte(p, at, end, program.ops[op + TEXT], total)
            if stop < 0:
                stop = field_end(p, at, end, total, program, op, NO_MATCH) if flags & LINE_END else -1
                if stop < 0:
                    return False
        elif flags & ONE_LITERAL:
            stop = find_literal(p, at, end, program.pool, program.ops[op + TEXT], program.ops[op + SIZE], total)
            if stop < 0:
                return False
        else:
            if kind == PLAIN:
                syntax_end = NO_MATCH
            elif kind == QUOTED:
                syntax_end = quoted(p, at, end, total, flags & RAW_QUOTES != 0)
                if syntax_end < UNCERTAIN:
                    syntax_end = -3 - syntax_end
                    escaped = True
            elif kind == ISO:
                (syntax_end, value, zone) = iso(p, at, end, out.state)
            elif kind == PATTERNS:
                (syntax_end, value, zone) = repeated_pattern(p, at, end, program, out.state, op)
            elif kind == DATE:
                (syntax_end, value, zone) = iso_day(p, at, end)
            else:
                syntax_end = other_syntax(p, at, end, total, program, op)
            if syntax_end == UNCERTAIN:
                return False
            if syntax_end >= 0 and (
                (flags & ENDED and at_literal(p, syntax_end, end, program.pool, program.ops[op + TEXT], program.ops[op + SIZE]))
                or (flags & LINE_END and syntax_end == end)
            ):  # fmt: skip
                stop = syntax_end
                inside = True
            else:
                stop = field_end(p, at, end, total, program, op, syntax_end)
                if stop == -1:
                    return False
                if stop < 0:
                    stop = -2 - stop
                    inside = True
        if flags & NEVER_BLANK:
            # Nearly all values need no closer look.
            if (
                stop == begin
                or p[begin] == 32
                or p[stop - 1] == 32
                or (kind == QUOTED and not inside)
                or (flags & LINE_END and stop != end and p[stop] != 32)
            ) and not has_value(p, begin, stop, end, program, op, inside):
                return False
        at = stop
        if flags & PAD_AFTER:
            while stop > begin and p[stop - 1] == 32:
                stop -= 1
            at = skip_padding(p, begin, stop, at, end, program, op)
        if flags & CHECKED:
            if kind == QUOTED and inside:
                begin += 1
                stop -= 1
            elif flags & ESCAPED:
                escaped = find_byte(p, begin, stop, 92, total) >= 0
            if flags & ONE_TEXT and (inside or kind == PLAIN):
                if flags & NULLABLE and is_null(p, begin, stop - begin, program, op):
                    write_null_text(out, program.ops[op + FIRST_OUT], row)
                else:
                    write_text(p, begin, stop, out, program.ops[op + FIRST_OUT], row, 1, escaped)
            elif not write_field(p, total, begin, stop, value, zone, program, out, op, row, inside, escaped):
                return False
        if flags & SKIPS:
            op += WIDTH
            at += program.ops[op + SIZE]


def skip_group(program, out, op, row):
    """Writes null to the outputs of a group that the line lacks."""
    k: cython.int
    for k in range(program.ops[op + FIRST_OUT], program.ops[op + LAST_OUT]):
        write_null(out, k, row)


def is_null(p, begin, size, program, op):
    """Returns True if a text is empty or a null token of its field."""
    if size == 0:
        return True
    if size == program.ops[op + NULL_SIZE] and equal(p, begin, program.pool, program.ops[op + NULL_TEXT], size):
        return True
    return size == program.ops[op + OTHER_SIZE] and equal(p, begin, program.pool, program.ops[op + OTHER_TEXT], size)


def write_field(p, total, begin, stop, value, zone, program, out, op, row, inside, escaped):
    """Writes the value of a field to its outputs; returns False if it is not certain."""
    flags: cython.int = program.ops[op + FLAGS]
    kind: cython.int = program.ops[op + KIND]
    size: cython.int = stop - begin
    fine: cython.bint
    k: cython.int
    o: cython.int
    valid: cython.int
    number: cython.longlong
    if flags & NULLABLE and is_null(p, begin, size, program, op):
        for k in range(program.ops[op + FIRST_OUT], program.ops[op + LAST_OUT]):
            write_null(out, k, row)
        return True
    if kind != PLAIN and not inside and kind != UPSTREAM:
        # Only a quoted text may come without its syntax, namely without quotes, and then has no escapes.
        if kind != QUOTED or not flags & QUOTES_OPTIONAL or (size > 0 and p[begin] == 34):
            return False
        if find_byte(p, begin, stop, 92, total) >= 0:
            return False
    if kind == UPSTREAM and size == 0:
        return False
    for k in range(program.ops[op + FIRST_OUT], program.ops[op + LAST_OUT]):
        o = OUT_WIDTH * k
        if out.outs[o + OUT_KIND] == O_TEXT:
            write_text(p, begin, stop, out, k, row, 1, escaped)
        elif out.outs[o + OUT_KIND] == O_INT:
            (number, fine) = integer(p, begin, stop, out.outs[o + OUT_ARGUMENT])
            if not fine:
                return False
            valid = out.outs[o + OUT_VALID]
            out.ints[out.outs[o + OUT_SLOT] * out.capacity + row] = number
            if valid >= 0:
                out.valid[valid * out.capacity + row] = 1
        elif not write_value(p, begin, stop, value, zone, out, k, row, escaped):
            return False
    return True


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
            # A year is no prefix.
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
    """Returns False if a field that is never blank seems to be, or has text directly after it."""
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
