"""Machine that renders lines: runs a program over the rows of Arrow columns.

A program is a table of instructions, in the order of the line; see ``render_opcodes`` and
:mod:`pyspark_logs.formats.compiled.render_program`. The lines are those of the writers of the formats. A row in which anything
is in doubt is left to them: a value that must be escaped in a way the machine does not know, or that cannot be written.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.primitives import at_literal
    from cython.cimports.pyspark_logs.formats.compiled.render_opcodes import (
        ARGUMENT,
        BACKSLASHES,
        BOOLEAN,
        CONTROLS,
        DAY,
        DOUBLE,
        END,
        FIRST_EQUAL,
        FIRST_HEAD,
        FIRST_STOP,
        FIRST_TAIL,
        FLAGS,
        INTEGER,
        ISO_TIME,
        JSON_STRING,
        KIND,
        LAST_EQUAL,
        LAST_HEAD,
        LAST_STOP,
        LAST_TAIL,
        MODE,
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
        SIZE,
        SLOT,
        SPARE_STATE,
        STOP,
        STOP_2,
        STOP_3,
        TEXT,
        TEXTS,
        WIDTH,
    )
    from cython.cimports.pyspark_logs.formats.compiled.render_primitives import (
        boolean_at,
        double_at,
        find_special,
        integer_at,
        is_valid,
        put_literal,
        put_text,
        text_bytes,
        text_offset,
        text_total,
    )
    from cython.cimports.pyspark_logs.formats.compiled.render_values import (
        Renderer,
        render_day,
        render_double,
        render_integer,
        render_iso,
        render_pattern,
    )
else:
    from . import interpreted
    from .primitives import at_literal
    from .render_opcodes import *
    from .render_primitives import (
        boolean_at,
        double_at,
        find_special,
        integer_at,
        is_valid,
        put_literal,
        put_text,
        text_bytes,
        text_offset,
        text_total,
    )
    from .render_values import render_day, render_double, render_integer, render_iso, render_pattern


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
        drops_blank: True if a line that begins and ends with a blank may not be a record.
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
    """Returns the end of the line of a row (-1: the line is not certain) and the offset of the last instruction."""
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
    """Writes a value that is not null; returns the offset after the value, -1 if the value is not certain."""
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
    """Writes a text with the quotes and escapes of its mode; returns the offset after it, -1 if the text is not certain."""
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
