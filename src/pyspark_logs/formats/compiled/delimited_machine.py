"""Machine for delimited values. The rules are those of :mod:`~pyspark_logs.formats.delimited.line_parser`.

Lines with a quote within an unquoted value, or with quotes and backslashes, are left to it.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        BAD,
        KEEPS_EMPTY,
        O_TEXT,
        OUT_KIND,
        OUT_WIDTH,
    )
    from cython.cimports.pyspark_logs.formats.compiled.output import (
        Output,
        reject,
        tables_of,
        write_null,
        write_value,
    )
    from cython.cimports.pyspark_logs.formats.compiled.primitives import at_literal, equal, find_byte, find_literal
    from cython.cimports.pyspark_logs.formats.compiled.text_output import write_text
else:
    from . import interpreted
    from .opcodes import *
    from .output import reject, tables_of, write_null, write_value
    from .primitives import at_literal, equal, find_byte, find_literal
    from .text_output import write_text


def run(
    block, starts, ends, values, flags, outs, pool, ints, doubles, begins, offsets, strings, areas,
    valid, seen, state, rejects, rows, separator,
    separator_size, quote, null_text, null_size, value_count, last_value, allow_trailing,
    rests,
):  # fmt: skip
    """Parses lines; returns the number of lines that are certain, whose indices are then in ``rows``.

    Args:
        block: the lines.
        starts: start offset of each line.
        ends: end offset of each line.
        values: see :class:`~.interpreted.DelimitedArguments`.
        flags: see :class:`~.interpreted.DelimitedArguments`.
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
        separator: see :class:`~.interpreted.DelimitedArguments`, as of the next arguments.
        separator_size: size of the separator.
        quote: the quote.
        null_text: offset of the null token.
        null_size: size of the null token.
        value_count: number of values of a line.
        last_value: index of the last value that is parsed.
        allow_trailing: True if a line may have further values.
        rests: memory for the offset after the last value of each line.
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
        program.values = cython.address(values[0])
        program.flags = cython.address(flags[0])
        program.pool = cython.address(pool[0])
        program.separator = separator
        program.separator_size = separator_size
        program.quote = quote
        program.null_text = null_text
        program.null_size = null_size
        program.value_count = value_count
        program.last_value = last_value
        program.allow_trailing = allow_trailing
        program.rests = cython.address(rests[0])
        with cython.nogil:
            done = walk(
                cython.address(block[0]), block.shape[0], cython.address(starts[0]), cython.address(ends[0]), count,
                cython.address(program), cython.address(out), cython.address(rows[0]),
            )  # fmt: skip
        return done
    else:
        plan = interpreted.DelimitedArguments(
            values.tolist(), flags.tolist(), bytes(pool), separator, separator_size, quote, null_text, null_size,
            value_count, last_value, allow_trailing, rests,
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
    index: cython.int = 0
    begin: cython.int
    stop: cython.int
    following: cython.int
    quoted: cython.bint
    doubled: cython.bint
    has_quotes: cython.bint = program.quote >= 0 and find_byte(p, at, end, program.quote, total) >= 0
    if has_quotes and find_byte(p, at, end, 92, total) >= 0:
        return False
    while True:
        begin = at
        doubled = False
        quoted = has_quotes and at < end and p[at] == program.quote
        if quoted:
            begin += 1
            stop = find_byte(p, begin, end, program.quote, total)
            while stop >= 0 and stop + 1 < end and p[stop + 1] == program.quote:
                doubled = True
                stop = find_byte(p, stop + 2, end, program.quote, total)
            if stop < 0:
                return False
            following = stop + 1
            if following < end and not at_literal(
                p, following, end, program.pool, program.separator, program.separator_size
            ):
                return False
        else:
            stop = find_literal(p, at, end, program.pool, program.separator, program.separator_size, total)
            stop = end if stop < 0 else stop
            following = stop
            if has_quotes and find_byte(p, begin, stop, program.quote, total) >= 0:
                return False
        if following == end:
            if index < program.value_count - 1:
                return False
        elif index == program.value_count - 1 and not program.allow_trailing:
            return False
        if not write_values(p, begin, stop, program, out, index, row, quoted, doubled):
            return False
        if index == program.last_value:
            if index == program.value_count - 1:
                program.rests[row] = end if following == end else following + program.separator_size
            return True
        if following == end:
            return False
        at = following + program.separator_size
        index += 1


def write_values(p, begin, stop, program, out, index, row, quoted, doubled):
    """Writes a value to its outputs, or rejects it; returns False if it is not certain."""
    first: cython.int = program.values[index]
    last: cython.int = program.values[index + 1]
    k: cython.int
    size: cython.int = stop - begin
    null: cython.bint
    if first == last:
        return True
    null = not quoted and size == program.null_size and equal(p, begin, program.pool, program.null_text, size)
    for k in range(first, last):
        if null or (size == 0 and (not quoted or not program.flags[k] & KEEPS_EMPTY)):
            write_null(out, k, row)
        elif out.outs[OUT_WIDTH * k + OUT_KIND] == O_TEXT:
            write_text(p, begin, stop, out, k, row, 1, doubled)
        elif doubled:
            return False
        elif not write_value(p, begin, stop, 0, BAD, out, k, row, doubled) and not reject(
            begin, stop, out, k, row, True
        ):
            return False
    return True
