"""Machine for lines that are JSON objects: reads the values of the requested keys, and validates the rest.

The keys of a program are a tree: a *node* has the keys that are requested of one object, and a key the node of the object
that is its value. The rules are those of :mod:`~pyspark_logs.formats.json.line_parser`. Lines are left to it in which a
requested value is an array, or an object of which no keys are requested, or in which the case of a key matters.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.keys import find_key, write_missing
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        BAD,
        BOOLEANS,
        GUESS_KEY,
        GUESS_NODE,
        GUESS_OFFSET,
        GUESS_SIZE,
        GUESS_WIDTH,
        KEY_CHILD,
        KEY_FIRST_OUT,
        KEY_LAST_OUT,
        KEY_PRESENT,
        KEY_WIDTH,
        MAX_DEPTH,
        NUMBERS,
        NUMERALS,
        O_INT,
        O_TEXT,
        OUT_ARGUMENT,
        OUT_KIND,
        OUT_SLOT,
        OUT_VALID,
        OUT_WIDTH,
        STRINGS,
        UNCERTAIN,
    )
    from cython.cimports.pyspark_logs.formats.compiled.output import Output, tables_of, write_value
    from cython.cimports.pyspark_logs.formats.compiled.primitives import equal, find_either, is_digit
    from cython.cimports.pyspark_logs.formats.compiled.strings import escaped_end
    from cython.cimports.pyspark_logs.formats.compiled.text_output import write_text
else:
    from . import interpreted
    from .keys import find_key, write_missing
    from .opcodes import *
    from .output import tables_of, write_value
    from .primitives import equal, find_either, is_digit
    from .strings import escaped_end
    from .text_output import write_text


def run(
    block, starts, ends, nodes, keys, accepts, outs, pool, ints, doubles, begins, offsets, strings, areas,
    valid, seen, state, rows, stamps,
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
            len(block), count, outs, pool, ints, doubles, begins, offsets, strings, areas, valid, seen, state
        )
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
            len(block), count, outs, pool, ints, doubles, begins, offsets, strings, areas, valid, seen, state
        )
        return walk(bytes(block), len(block), starts.tolist(), ends.tolist(), count, plan, tables, rows)


def walk(p, total, starts, ends, count, program, out, rows):
    """Parses lines; see :func:`run`."""
    row: cython.int = 0
    line: cython.int
    k: cython.int
    for k in range(program.key_count):
        program.stamps[k] = -1
    for k in range(program.guess_count):
        program.guesses[GUESS_WIDTH * k + GUESS_SIZE] = -1
    for line in range(count):
        if parse_line(p, total, starts[line], ends[line], line, program, out, row):
            rows[row] = line
            row += 1
    return row


def parse_line(p, total, at, end, line, program, out, row):
    """Parses one line; returns True if it is certain."""
    node: cython.int = 0
    depth: cython.int = 0
    turn: cython.int = -1
    key: cython.int
    first: cython.int
    last: cython.int
    child: cython.int
    k: cython.int
    at = skip_space(p, at, end)
    if at >= end or p[at] != 123:
        return False
    at = skip_space(p, at + 1, end)
    if at < end and p[at] == 125:
        at = skip_space(p, at + 1, end)
        if at != end:
            return False
        write_missing(program.keys, program.key_count, program.stamps, line, out, row)
        return True
    while True:
        # --- key --------------------------------------------------------------------------------------------
        turn += 1
        if at >= end or p[at] != 34 or turn >= program.guess_count:
            return False
        at += 1
        k = program.guesses[GUESS_WIDTH * turn + GUESS_SIZE]
        if (
            k >= 0
            and at + k < end
            and p[at + k] == 34
            and program.guesses[GUESS_WIDTH * turn + GUESS_NODE] == node
            and equal(p, at, p, program.guesses[GUESS_WIDTH * turn + GUESS_OFFSET], k)
        ):
            key = program.guesses[GUESS_WIDTH * turn + GUESS_KEY]
        else:
            k = find_either(p, at, end, 34, 92, total)
            if k < 0 or p[k] == 92:
                return False
            k -= at
            key = find_key(p, at, k, program.keys, program.nodes[node], program.nodes[node + 1], program.pool)
            if key == UNCERTAIN:
                return False
            program.guesses[GUESS_WIDTH * turn + GUESS_OFFSET] = at
            program.guesses[GUESS_WIDTH * turn + GUESS_SIZE] = k
            program.guesses[GUESS_WIDTH * turn + GUESS_KEY] = key
            program.guesses[GUESS_WIDTH * turn + GUESS_NODE] = node
        at += k + 1
        if at < end and p[at] != 58:
            at = skip_space(p, at, end)
        if at >= end or p[at] != 58:
            return False
        at += 1
        if at < end and p[at] <= 32:
            at = skip_space(p, at, end)
        if at >= end:
            return False
        # --- value ------------------------------------------------------------------------------------------
        first = 0
        last = 0
        child = -1
        if key >= 0:
            if program.stamps[key] == line or program.stamps[key] == -2 - line:
                return False  # the key is there twice
            program.stamps[key] = line
            first = program.keys[KEY_WIDTH * key + KEY_FIRST_OUT]
            last = program.keys[KEY_WIDTH * key + KEY_LAST_OUT]
            child = program.keys[KEY_WIDTH * key + KEY_CHILD]
        if p[at] == 123 and child >= 0 and first == last:
            if depth >= MAX_DEPTH:
                return False
            k = program.keys[KEY_WIDTH * key + KEY_PRESENT]
            if k >= 0:
                out.ints[out.outs[OUT_WIDTH * k + OUT_SLOT] * out.capacity + row] = 1
                out.valid[out.outs[OUT_WIDTH * k + OUT_VALID] * out.capacity + row] = 1
            program.stack[depth] = node
            depth += 1
            node = child
            at = skip_space(p, at + 1, end)
            if at >= end or p[at] != 125:
                continue
        elif p[at] == 123 or p[at] == 91:
            if key >= 0:
                return False
            at = skip_container(p, at, end, total)
        elif key >= 0 and p[at] == 110:
            at = word_end(p, at, end)
            program.stamps[key] = -2 - line  # as a key that is missing, but that may not be there twice
        elif child >= 0:
            return False
        elif key < 0:
            at = scalar_end(p, at, end, total)
        else:
            at = write_scalar(p, at, end, total, program, out, first, last, row)
        if at < 0:
            return False
        # --- after the value --------------------------------------------------------------------------------
        while True:
            if at < end and p[at] <= 32:
                at = skip_space(p, at, end)
            if at >= end:
                return False
            if p[at] == 44:
                at += 1
                if at < end and p[at] <= 32:
                    at = skip_space(p, at, end)
                break
            if p[at] != 125:
                return False
            at += 1
            if depth == 0:
                if at < end and skip_space(p, at, end) != end:
                    return False
                write_missing(program.keys, program.key_count, program.stamps, line, out, row)
                return True
            depth -= 1
            node = program.stack[depth]


def write_scalar(p, at, end, total, program, out, first, last, row):
    """Writes a string, number or boolean to outputs; returns its end, or -1 if it is not certain."""
    begin: cython.int = at
    stop: cython.int
    kind: cython.int
    escaped: cython.bint = False
    whole: cython.bint = False
    number: cython.longlong = 0
    most: cython.longlong = 1
    k: cython.int
    o: cython.int
    if p[at] == 34:
        begin += 1
        (stop, escaped) = string_end(p, begin, end, total)
        if stop < 0:
            return -1
        at = stop + 1
        kind = STRINGS
    elif p[at] == 45 or is_digit(p[at]):
        (stop, number) = whole_number(p, at, end)
        whole = stop >= 0
        if not whole:
            stop = number_end(p, at, end)
            if stop < 0:
                return -1
        at = stop
        kind = NUMBERS
    else:
        stop = word_end(p, at, end)
        if stop < 0:
            return -1
        at = stop
        kind = BOOLEANS
    for k in range(first, last):
        if not program.accepts[k] & kind:
            # The text of a number as a string
            if kind != STRINGS or not program.accepts[k] & NUMERALS or number_end(p, begin, stop) != stop:
                return -1
        o = OUT_WIDTH * k
        if out.outs[o + OUT_KIND] == O_INT and whole:
            if out.outs[o + OUT_ARGUMENT] < 64:
                most = 1
                most <<= out.outs[o + OUT_ARGUMENT] - 1
                if number < -most or number >= most:
                    return -1
            out.ints[out.outs[o + OUT_SLOT] * out.capacity + row] = number
            if out.outs[o + OUT_VALID] >= 0:
                out.valid[out.outs[o + OUT_VALID] * out.capacity + row] = 1
        elif out.outs[o + OUT_KIND] == O_TEXT:
            write_text(p, begin, stop, out, k, row, 1, escaped)
        elif not write_value(p, begin, stop, 0, BAD, out, k, row, escaped):
            return -1
    return at


# --- the grammar of JSON ----------------------------------------------------------------------------------


def skip_space(p, at, end):
    """Returns the offset after the white space that JSON allows."""
    while at < end and (p[at] == 32 or p[at] == 9 or p[at] == 10 or p[at] == 13):
        at += 1
    return at


def string_end(p, at, end, total):
    """Returns the offset of the closing quote of a string (-1: it has none, or an invalid escape), and True for escapes.

    Args:
        p: the block.
        at: offset after the opening quote.
        end: end of the line.
        total: length of the block.
    """
    stop: cython.int = find_either(p, at, end, 34, 92, total)
    if stop < 0 or p[stop] == 34:
        return (stop, False)
    return escaped_end(p, stop, end, False)


def whole_number(p, at, end):
    """Returns the end of a number of up to 18 digits without fraction and exponent, and the number; -1 for another value."""
    value: cython.longlong = 0
    negative: cython.bint = p[at] == 45
    at += negative
    begin: cython.int = at
    while at < end and is_digit(p[at]):
        if at - begin == 18:
            return (-1, 0)
        value = value * 10 + (p[at] - 48)
        at += 1
    if at == begin or (at - begin > 1 and p[begin] == 48):
        return (-1, 0)
    if at < end and (p[at] == 46 or p[at] == 101 or p[at] == 69):
        return (-1, 0)
    return (at, -value if negative else value)


def number_end(p, at, end):
    """Returns the end of a number; -1 if there is none."""
    begin: cython.int
    if at < end and p[at] == 45:
        at += 1
    begin = at
    while at < end and is_digit(p[at]):
        at += 1
    if at == begin or (at - begin > 1 and p[begin] == 48):
        return -1
    if at < end and p[at] == 46:
        at += 1
        begin = at
        while at < end and is_digit(p[at]):
            at += 1
        if at == begin:
            return -1
    if at < end and (p[at] == 101 or p[at] == 69):
        at += 1
        if at < end and (p[at] == 45 or p[at] == 43):
            at += 1
        begin = at
        while at < end and is_digit(p[at]):
            at += 1
        if at == begin:
            return -1
    return at


def word_end(p, at, end):
    """Returns the end of ``null``, ``true`` or ``false``; -1 if there is none of them."""
    if at + 4 <= end:
        if p[at] == 110 and p[at + 1] == 117 and p[at + 2] == 108 and p[at + 3] == 108:
            return at + 4
        if p[at] == 116 and p[at + 1] == 114 and p[at + 2] == 117 and p[at + 3] == 101:
            return at + 4
    if (
        at + 5 <= end
        and p[at] == 102
        and p[at + 1] == 97
        and p[at + 2] == 108
        and p[at + 3] == 115
        and p[at + 4] == 101
    ):
        return at + 5
    return -1


def scalar_end(p, at, end, total):
    """Returns the end of a string, number or word; -1 if there is none."""
    stop: cython.int
    escaped: cython.bint
    if at >= end:
        return -1
    if p[at] == 34:
        (stop, escaped) = string_end(p, at + 1, end, total)
        return stop + 1 if stop >= 0 else -1
    if p[at] == 45 or is_digit(p[at]):
        return number_end(p, at, end)
    return word_end(p, at, end)


def skip_container(p, at, end, total):
    """Returns the end of an object or array; -1 if it is not valid, or nested too deeply."""
    kinds: cython.longlong = 0  # a bit for each open container: 1 for an object
    depth: cython.int = 0
    first: cython.bint = False  # the container may end here
    after: cython.bint = False  # a value has ended
    while True:
        at = skip_space(p, at, end)
        if at >= end:
            return -1
        if (first or after) and ((p[at] == 125 and kinds & 1) or (p[at] == 93 and not kinds & 1)):
            at += 1
            kinds >>= 1
            depth -= 1
            if depth == 0:
                return at
            first = False
            after = True
            continue
        if after:
            if p[at] != 44:
                return -1
            at = skip_space(p, at + 1, end)
            after = False
        first = False
        if kinds & 1 and depth > 0:  # a key
            if at >= end or p[at] != 34:
                return -1
            at = scalar_end(p, at, end, total)
            if at < 0:
                return -1
            at = skip_space(p, at, end)
            if at >= end or p[at] != 58:
                return -1
            at = skip_space(p, at + 1, end)
        if at >= end:
            return -1
        if p[at] == 123 or p[at] == 91:
            if depth >= MAX_DEPTH:
                return -1
            kinds = (kinds << 1) | (1 if p[at] == 123 else 0)
            depth += 1
            at += 1
            first = True
            continue
        at = scalar_end(p, at, end, total)
        if at < 0:
            return -1
        after = True
