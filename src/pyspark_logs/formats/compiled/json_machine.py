"""Machine for lines that are JSON objects: reads the values of the requested keys, and validates the rest.

The keys of a program are a tree: a *node* has the keys that are requested of one object, and a key the node of the object
that is its value. The rules are those of :mod:`~pyspark_logs.formats.json.line_parser`. Lines are left to it in which a
requested value is an array, an object without requested keys, or an object in which the case of a key matters.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.json_grammar import (
        number_end,
        scalar_end,
        skip_container,
        skip_space,
        word_end,
    )
    from cython.cimports.pyspark_logs.formats.compiled.json_keys import read_key
    from cython.cimports.pyspark_logs.formats.compiled.keys import write_missing
    from cython.cimports.pyspark_logs.formats.compiled.number_output import write_double, write_integer
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        BAD,
        BOOLEANS,
        GUESS_FORM,
        GUESS_KEY,
        GUESS_OFFSET,
        GUESS_SIZE,
        GUESS_STATE,
        GUESS_WIDTH,
        KEY_CHILD,
        KEY_FIRST_OUT,
        KEY_LAST_OUT,
        KEY_PRESENT,
        KEY_WIDTH,
        MAX_DEPTH,
        NUMBERS,
        NUMERALS,
        O_EPOCH,
        O_TEXT,
        OUT_ARGUMENT,
        OUT_KIND,
        OUT_WIDTH,
        STRINGS,
        V_INTEGER,
        V_NUMBER,
        V_OTHER,
        V_STRING,
        V_TEXT,
        V_UNWANTED,
    )
    from cython.cimports.pyspark_logs.formats.compiled.output import Output, reject, tables_of, write_value
    from cython.cimports.pyspark_logs.formats.compiled.primitives import equal, find_either
    from cython.cimports.pyspark_logs.formats.compiled.short_numbers import fits, short_number
    from cython.cimports.pyspark_logs.formats.compiled.strings import escaped_end
    from cython.cimports.pyspark_logs.formats.compiled.text_output import write_text
else:
    from . import interpreted
    from .json_grammar import number_end, scalar_end, skip_container, skip_space, word_end
    from .json_keys import read_key
    from .keys import write_missing
    from .number_output import write_double, write_integer
    from .opcodes import *
    from .output import reject, tables_of, write_value
    from .primitives import equal, find_either
    from .short_numbers import fits, short_number
    from .strings import escaped_end
    from .text_output import write_text


def run(
    block, starts, ends, nodes, keys, accepts, outs, pool, ints, doubles, begins, offsets, strings, areas,
    valid, seen, state, rejects, rows, stamps,
    guesses, stack,
):  # fmt: skip
    """Parses lines; returns the number of lines that are certain, whose indices are then in ``rows``.

    Args:
        block: the lines.
        starts: start offset of each line.
        ends: end offset of each line.
        nodes: index of the first key of each node; at last, the number of keys.
        keys: table of keys; see ``opcodes``.
        accepts: kinds of values that each output accepts.
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
        stack: memory for ``MAX_DEPTH`` numbers.
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
        program.nodes = cython.address(nodes[0])
        program.keys = cython.address(keys[0])
        program.accepts = cython.address(accepts[0])
        program.pool = cython.address(pool[0])
        program.key_count = stamps.shape[0]
        program.stamps = cython.address(stamps[0])
        program.guesses = cython.address(guesses[0])
        program.guess_count = guesses.shape[0] // GUESS_WIDTH
        program.stack = cython.address(stack[0])
        with cython.nogil:
            done = walk(
                cython.address(block[0]), block.shape[0], cython.address(starts[0]), cython.address(ends[0]), count,
                cython.address(program), cython.address(out), cython.address(rows[0]),
            )  # fmt: skip
        return done
    else:
        plan = interpreted.JsonArguments(
            nodes.tolist(), keys.tolist(), accepts.tolist(), bytes(pool), len(stamps), stamps.tolist(), guesses.tolist(),
            len(guesses) // GUESS_WIDTH, stack.tolist(),
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
        program.guesses[GUESS_WIDTH * k + GUESS_STATE] = -1
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
    node: cython.int = 0
    depth: cython.int = 0
    follows: cython.int = 0  # 1 after a value, where a comma is before the next key
    turn: cython.int = 0
    found: cython.int = 0
    guess: cython.int
    form: cython.int
    key: cython.int
    first: cython.int
    last: cython.int
    child: cython.int
    size: cython.int
    begin: cython.int
    stop: cython.int
    scale: cython.int
    number: cython.longlong
    escaped: cython.bint
    guesses: cython.p_int = program.guesses
    stamps: cython.p_int = program.stamps
    if at < end and p[at] <= 32:
        at = skip_space(p, at, end)
    if at >= end or p[at] != 123:
        return False
    at += 1
    if at < end and p[at] <= 32:
        at = skip_space(p, at, end)
    if at < end and p[at] == 125:
        at = skip_space(p, at + 1, end)
        if at != end:
            return False
        write_missing(program.keys, program.key_count, stamps, line, out, row)
        return True
    while True:
        # --- key --------------------------------------------------------------------------------------------
        if turn >= program.guess_count:
            return False
        guess = GUESS_WIDTH * turn
        turn += 1
        size = guesses[guess + GUESS_SIZE]
        if not (
            at + size < end
            and guesses[guess + GUESS_STATE] == 2 * node + follows
            and equal(p, at, p, guesses[guess + GUESS_OFFSET], size)
            and (guesses[guess + GUESS_FORM] >= V_STRING or p[at + size] != 34)
        ):
            size = read_key(p, at, end, total, program, out, node, follows, guess)
            if size < 0:
                return False
        at += size
        key = guesses[guess + GUESS_KEY]
        form = guesses[guess + GUESS_FORM]
        # --- value ------------------------------------------------------------------------------------------
        first = 0
        last = 0
        child = -1
        if key >= 0:
            if stamps[key] == line or stamps[key] == -2 - line:
                return False  # the key is there twice
            stamps[key] = line
            found += 1
            first = program.keys[KEY_WIDTH * key + KEY_FIRST_OUT]
            last = program.keys[KEY_WIDTH * key + KEY_LAST_OUT]
            child = program.keys[KEY_WIDTH * key + KEY_CHILD]
        if form >= V_STRING:
            stop = find_either(p, at, end, 34, 92, total)
            if stop < 0:
                return False
            escaped = False
            if p[stop] == 92:
                (stop, escaped) = escaped_end(p, stop, end, False)
                if stop < 0:
                    return False
            if form == V_TEXT:
                write_text(p, at, stop, out, first, row, 1, escaped)
            elif form == V_STRING and not write_scalar(p, at, stop, STRINGS, escaped, program, out, first, last, row):
                return False
            at = stop + 1
        else:
            stop = -1
            number = 0
            scale = 0
            if form != V_OTHER:
                (stop, number, scale) = short_number(p, at, end, total)
            if stop >= 0 and form == V_UNWANTED:
                at = stop
            elif stop >= 0 and form == V_INTEGER and scale == 0:
                if fits(number, out.outs[OUT_WIDTH * first + OUT_ARGUMENT]):
                    write_integer(out, first, row, number)
                elif not reject(at, stop, out, first, row, True):
                    return False
                at = stop
            elif stop >= 0 and form == V_NUMBER:
                write_double(out, first, row, number, scale)
                at = stop
            elif p[at] == 123 and child >= 0 and first == last:
                if depth >= MAX_DEPTH:
                    return False
                if program.keys[KEY_WIDTH * key + KEY_PRESENT] >= 0:
                    write_integer(out, program.keys[KEY_WIDTH * key + KEY_PRESENT], row, 1)
                program.stack[depth] = node
                depth += 1
                node = child
                at = skip_space(p, at + 1, end)
                if at >= end or p[at] != 125:
                    follows = 0
                    continue
            elif p[at] == 123 or p[at] == 91:
                if key >= 0:
                    return False
                at = skip_container(p, at, end, total)
            elif key >= 0 and p[at] == 110:
                at = word_end(p, at, end)
                stamps[key] = -2 - line  # as a key that is missing, but that may not be there twice
                found -= 1
            elif child >= 0:
                return False
            else:
                begin = at
                at = scalar_end(p, at, end, total)
                if (
                    at >= 0
                    and key >= 0
                    and not write_scalar(
                        p, begin, at, BOOLEANS if p[begin] >= 65 else NUMBERS, False, program, out, first, last, row
                    )
                ):
                    return False
            if at < 0:
                return False
        # --- after the value --------------------------------------------------------------------------------
        follows = 1
        while True:
            if at < end and p[at] <= 32:
                at = skip_space(p, at, end)
            if at >= end:
                return False
            if p[at] == 44:
                break
            if p[at] != 125:
                return False
            at += 1
            if depth == 0:
                if at < end and skip_space(p, at, end) != end:
                    return False
                if found < program.key_count:
                    write_missing(program.keys, program.key_count, stamps, line, out, row)
                return True
            depth -= 1
            node = program.stack[depth]


def write_scalar(p, begin, stop, kind, escaped, program, out, first, last, row):
    """Writes a string, number or boolean to outputs, or rejects it, a string with its quotes.

    Returns:
        False if the value is not certain.
    """
    k: cython.int
    numerals: cython.bint
    quotes: cython.int = 1 if kind == STRINGS else 0
    for k in range(first, last):
        numerals = quotes and program.accepts[k] & NUMERALS  # the text of a number as a string
        if not program.accepts[k] & kind and not (numerals and number_end(p, begin, stop) == stop):
            if (numerals and escaped) or not reject(begin - quotes, stop + quotes, out, k, row, False):
                return False
        elif out.outs[OUT_WIDTH * k + OUT_KIND] == O_TEXT:
            write_text(p, begin, stop, out, k, row, 1, escaped)
        elif not write_value(p, begin, stop, 0, BAD, out, k, row, escaped):
            if out.outs[OUT_WIDTH * k + OUT_KIND] == O_EPOCH and find_either(p, begin, stop, 69, 101, out.total) >= 0:
                return False  # a number with an exponent, which may be a time
            if not reject(begin, stop, out, k, row, True):
                return False
    return True
