"""Machine for lines of ``key=value`` pairs. The rules are those of :mod:`~pyspark_logs.formats.logfmt.line_parser`."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.keys import find_key, write_missing
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        BAD,
        FLAG_IS_TRUE,
        GUESS_KEY,
        GUESS_OFFSET,
        GUESS_SIZE,
        GUESS_WIDTH,
        KEEPS_EMPTY,
        KEY_FIRST_OUT,
        KEY_LAST_OUT,
        KEY_WIDTH,
        O_TEXT,
        OUT_KIND,
        OUT_SLOT,
        OUT_VALID,
        OUT_WIDTH,
        UNCERTAIN,
    )
    from cython.cimports.pyspark_logs.formats.compiled.output import (
        Output,
        reject,
        tables_of,
        write_null,
        write_value,
    )
    from cython.cimports.pyspark_logs.formats.compiled.primitives import equal, find_value_end
    from cython.cimports.pyspark_logs.formats.compiled.strings import quoted_end
    from cython.cimports.pyspark_logs.formats.compiled.text_output import write_text
else:
    from . import interpreted
    from .keys import find_key, write_missing
    from .opcodes import *
    from .output import reject, tables_of, write_null, write_value
    from .primitives import equal, find_value_end
    from .strings import quoted_end
    from .text_output import write_text


def run(
    block, starts, ends, keys, flags, outs, pool, ints, doubles, begins, offsets, strings, areas,
    valid, seen, state, rejects, rows, stamps, guesses,
    null_text, null_size,
):  # fmt: skip
    """Parses lines; returns the number of lines that are certain, whose indices are then in ``rows``.

    Args:
        block: the lines.
        starts: start offset of each line.
        ends: end offset of each line.
        keys: table of keys; see ``opcodes``.
        flags: rules of each output for keys without a value, and for empty values.
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
        stamps: memory for a number for each key.
        guesses: memory for a row for each key of a line; longer lines are left to the line parser.
        null_text: offset of the null token in the pool.
        null_size: size of the null token.
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
        program.keys = cython.address(keys[0])
        program.flags = cython.address(flags[0])
        program.pool = cython.address(pool[0])
        program.null_text = null_text
        program.null_size = null_size
        program.key_count = stamps.shape[0] - 1
        program.stamps = cython.address(stamps[0])
        program.guesses = cython.address(guesses[0])
        program.guess_count = guesses.shape[0] // GUESS_WIDTH
        with cython.nogil:
            done = walk(
                cython.address(block[0]), block.shape[0], cython.address(starts[0]), cython.address(ends[0]), count,
                cython.address(program), cython.address(out), cython.address(rows[0]),
            )  # fmt: skip
        return done
    else:
        plan = interpreted.LogfmtArguments(
            keys.tolist(), flags.tolist(), bytes(pool), null_text, null_size, len(stamps) - 1, stamps.tolist(),
            guesses.tolist(), len(guesses) // GUESS_WIDTH,
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
    k: cython.int
    for k in range(program.key_count):
        program.stamps[k] = -1
    for k in range(program.guess_count):
        program.guesses[GUESS_WIDTH * k + GUESS_SIZE] = -1
    for line in range(count):
        rejected = out.rejects[0]
        if parse_line(p, total, starts[line], ends[line], line, program, out, row):
            rows[row] = line
            row += 1
        else:
            out.rejects[0] = rejected
    return row


def parse_line(p, total, at, end, line, program, out, row):
    """Parses one line; returns True if it is certain."""
    turn: cython.int = -1
    key: cython.int
    k: cython.int
    begin: cython.int
    quoted: cython.bint
    escaped: cython.bint
    has_value: cython.bint = False  # a line of keys without values is corrupt
    value_at: cython.int = 0  # the last key with a value
    value_size: cython.int = 0
    while True:
        while at < end and p[at] <= 32:
            at += 1
        if at == end:
            break
        turn += 1
        if turn >= program.guess_count:
            return False
        # --- key, which is mostly that of the line before ----------------------------------------------------
        k = program.guesses[GUESS_WIDTH * turn + GUESS_SIZE]
        if (
            k > 0
            and at + k < end
            and p[at + k] == 61
            and equal(p, at, p, program.guesses[GUESS_WIDTH * turn + GUESS_OFFSET], k)
        ):
            key = program.guesses[GUESS_WIDTH * turn + GUESS_KEY]
        else:
            k = 0
            while at + k < end and p[at + k] > 32 and p[at + k] != 61 and p[at + k] != 34:
                k += 1
            if k == 0:
                return False
            key = find_key(p, at, k, program.keys, 0, program.key_count, program.pool)
            if key == UNCERTAIN:
                return False
            program.guesses[GUESS_WIDTH * turn + GUESS_OFFSET] = at
            program.guesses[GUESS_WIDTH * turn + GUESS_SIZE] = k
            program.guesses[GUESS_WIDTH * turn + GUESS_KEY] = key
        at += k
        if key >= 0:
            if program.stamps[key] == line or program.stamps[key] == -2 - line:
                return False  # the key is there twice
            program.stamps[key] = line
        if at >= end or p[at] != 61:
            if has_value and k == value_size and equal(p, at - k, p, value_at, k):
                return False  # the last pair of a key counts, so that the line may have no value
            if key >= 0 and not write_flag(program, out, key, row):
                program.stamps[key] = -2 - line
            continue
        # --- value ------------------------------------------------------------------------------------------
        value_at = at - k
        value_size = k
        at += 1
        has_value = True
        quoted = at < end and p[at] == 34
        escaped = False
        begin = at
        if quoted:
            begin += 1
            (at, escaped) = quoted_end(p, begin, end, total, True)
            if at < 0:
                return False
        else:
            at = find_value_end(p, at, end, total)
            while at < end and p[at] == 92:
                if key >= 0:
                    return False  # the escapes of a column are replaced together, and a value without quotes has none
                at = find_value_end(p, at + 1, end, total)
            if at < end and p[at] == 34:
                return False
        if key >= 0 and not write_pair(p, begin, at, program, out, key, row, quoted, escaped):
            return False
        at += quoted
    if not has_value:
        return False
    write_missing(program.keys, program.key_count, program.stamps, line, out, row)
    return True


def write_flag(program, out, key, row):
    """Writes the values of a key without ``=``; returns False if it is null for all columns."""
    first: cython.int = program.keys[KEY_WIDTH * key + KEY_FIRST_OUT]
    last: cython.int = program.keys[KEY_WIDTH * key + KEY_LAST_OUT]
    k: cython.int
    any_true: cython.bint = False
    for k in range(first, last):
        any_true = any_true or program.flags[k] & FLAG_IS_TRUE != 0
    if not any_true:
        return False
    for k in range(first, last):
        if program.flags[k] & FLAG_IS_TRUE:
            out.ints[out.outs[OUT_WIDTH * k + OUT_SLOT] * out.capacity + row] = 1
            out.valid[out.outs[OUT_WIDTH * k + OUT_VALID] * out.capacity + row] = 1
        else:
            write_null(out, k, row)
    return True


def write_pair(p, begin, stop, program, out, key, row, quoted, escaped):
    """Writes the value of a key, or rejects the value; returns False if it is not certain."""
    k: cython.int
    size: cython.int = stop - begin
    null: cython.bint = (
        not quoted and size == program.null_size and equal(p, begin, program.pool, program.null_text, size)
    )
    for k in range(program.keys[KEY_WIDTH * key + KEY_FIRST_OUT], program.keys[KEY_WIDTH * key + KEY_LAST_OUT]):
        if null or (size == 0 and not program.flags[k] & KEEPS_EMPTY):
            write_null(out, k, row)
        elif out.outs[OUT_WIDTH * k + OUT_KIND] == O_TEXT:
            write_text(p, begin, stop, out, k, row, 1, escaped)
        elif (escaped or not write_value(p, begin, stop, 0, BAD, out, k, row, escaped)) and not reject(
            begin, stop, out, k, row, True
        ):
            return False
    return True
