"""Machine for templates: runs the program of a template over the lines of a block.

A program is a table of instructions, in the order of the template; see ``opcodes`` and
:mod:`~pyspark_logs.formats.template.compiled_program`. The rules are those of
:mod:`~pyspark_logs.formats.template.line_parser`. A line with any doubtful value is left to it.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        BAD,
        BLANKS,
        CHECKED,
        DATE,
        END,
        ENDED,
        ESCAPED,
        FIRST_OUT,
        FLAGS,
        GROUP,
        HAS_LAST,
        ISO,
        JUMP,
        KIND,
        LAST_OUT,
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
        QUOTED,
        QUOTES_OPTIONAL,
        RAW_QUOTES,
        REJECTS,
        SIZE,
        SKIPS,
        STOP,
        TAKES_APPENDED,
        TEXT,
        TRAILING,
        UNCERTAIN,
        UPSTREAM,
        WIDTH,
    )
    from cython.cimports.pyspark_logs.formats.compiled.output import (
        Output,
        reject,
        tables_of,
        write_null,
        write_value,
    )
    from cython.cimports.pyspark_logs.formats.compiled.primitives import at_literal, equal, find_byte, find_literal
    from cython.cimports.pyspark_logs.formats.compiled.scalars import integer
    from cython.cimports.pyspark_logs.formats.compiled.template_ends import (
        Program,
        field_end,
        has_value,
        other_syntax,
        quoted,
        repeated_pattern,
        skip_padding,
    )
    from cython.cimports.pyspark_logs.formats.compiled.text_output import write_null_text, write_text
    from cython.cimports.pyspark_logs.formats.compiled.times import iso, iso_day
else:
    from . import interpreted
    from .opcodes import *
    from .output import reject, tables_of, write_null, write_value
    from .primitives import at_literal, equal, find_byte, find_literal
    from .scalars import integer
    from .template_ends import field_end, has_value, other_syntax, quoted, repeated_pattern, skip_padding
    from .text_output import write_null_text, write_text
    from .times import iso, iso_day


def run(
    block, starts, ends, ops, delimiters, patterns, steps, outs, pool, ints, doubles, begins, offsets, strings, areas,
    valid, seen, state, rejects,
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
        rejects: see :class:`~.interpreted.OutputArguments`.
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
            len(block), count, outs, pool, ints, doubles, begins, offsets, strings, areas, valid, seen, state,
            rejects,
        )  # fmt: skip
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
            len(block), count, outs, pool, ints, doubles, begins, offsets, strings, areas, valid, seen, state,
            rejects,
        )  # fmt: skip
        return walk(bytes(block), len(block), starts.tolist(), ends.tolist(), count, plan, tables, rows)


def walk(p, total, starts, ends, count, program, out, rows):
    """Parses lines; see :func:`run`."""
    row: cython.int = 0
    line: cython.int
    rejected: cython.int
    for line in range(count):
        rejected = out.rejects[0]
        if parse_line(p, total, starts[line], ends[line], program, out, row):
            rows[row] = line
            row += 1
        else:
            out.rejects[0] = rejected
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
    """Writes the value of a field to its outputs, or rejects the value; returns False to leave the line to the line parser."""
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
            if escaped or not flags & REJECTS:
                return False
            for k in range(program.ops[op + FIRST_OUT], program.ops[op + LAST_OUT]):
                if not reject(begin, stop, out, k, row, False):
                    return False
            return True
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
                if escaped or not reject(begin, stop, out, k, row, True):
                    return False
                continue
            valid = out.outs[o + OUT_VALID]
            out.ints[out.outs[o + OUT_SLOT] * out.capacity + row] = number
            if valid >= 0:
                out.valid[valid * out.capacity + row] = 1
        elif not write_value(p, begin, stop, value, zone, out, k, row, escaped):
            if escaped or not reject(begin, stop, out, k, row, True):
                return False
    return True
