"""Keys of JSON objects, for the machine of JSON lines: reads a key, and keeps it as a guess for the next lines."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.json_grammar import skip_space
    from cython.cimports.pyspark_logs.formats.compiled.keys import find_key
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        GUESS_FORM,
        GUESS_KEY,
        GUESS_OFFSET,
        GUESS_SIZE,
        GUESS_STATE,
        KEY_CHILD,
        KEY_FIRST_OUT,
        KEY_LAST_OUT,
        KEY_WIDTH,
        NUMBERS,
        O_DOUBLE,
        O_INT,
        O_TEXT,
        OUT_KIND,
        OUT_WIDTH,
        STRINGS,
        UNCERTAIN,
        V_INTEGER,
        V_NUMBER,
        V_OTHER,
        V_STRING,
        V_TEXT,
        V_UNWANTED,
        V_UNWANTED_STRING,
    )
    from cython.cimports.pyspark_logs.formats.compiled.primitives import find_either
else:
    from .json_grammar import skip_space
    from .keys import find_key
    from .opcodes import *
    from .primitives import find_either


def read_key(p, at, end, total, program, out, node, follows, guess):
    """Reads a key, from the comma before it to the first byte of its value or the quote before that; keeps it as a guess.

    The next lines often have the same bytes at the same position, which then need not be read again.

    Args:
        p: the block.
        at: offset after the value before the key, or of the first key of an object.
        end: end of the line.
        total: length of the block.
        program: tables of the program.
        out: tables of the block.
        node: node of the object.
        follows: 1 after a value.
        guess: index of the row of guesses that is filled.

    Returns:
        The number of bytes; -1 if the bytes are not certain.
    """
    begin: cython.int = at
    stop: cython.int
    key: cython.int
    if follows:  # p[at] is a comma
        at = skip_space(p, at + 1, end)
    if at >= end or p[at] != 34:
        return -1
    at += 1
    stop = find_either(p, at, end, 34, 92, total)
    if stop < 0 or p[stop] == 92:
        return -1
    key = find_key(p, at, stop - at, program.keys, program.nodes[node], program.nodes[node + 1], program.pool)
    if key == UNCERTAIN:
        return -1
    at = skip_space(p, stop + 1, end)
    if at >= end or p[at] != 58:
        return -1
    at = skip_space(p, at + 1, end)
    if at >= end:
        return -1
    if key >= 0 and p[at] == 34 and program.keys[KEY_WIDTH * key + KEY_CHILD] >= 0:
        return -1  # a string, although values of its keys are requested
    program.guesses[guess + GUESS_FORM] = form_of(program, out, key, p[at] == 34)
    at += p[at] == 34
    program.guesses[guess + GUESS_OFFSET] = begin
    program.guesses[guess + GUESS_SIZE] = at - begin
    program.guesses[guess + GUESS_KEY] = key
    program.guesses[guess + GUESS_STATE] = 2 * node + follows
    return at - begin


def form_of(program, out, key, quoted):
    """Returns the form of the value of a key."""
    k: cython.int
    kind: cython.int
    if key < 0:
        return V_UNWANTED_STRING if quoted else V_UNWANTED
    k = program.keys[KEY_WIDTH * key + KEY_FIRST_OUT]
    kind = -1  # several outputs, or keys of an object
    if program.keys[KEY_WIDTH * key + KEY_LAST_OUT] == k + 1 and program.keys[KEY_WIDTH * key + KEY_CHILD] < 0:
        kind = out.outs[OUT_WIDTH * k + OUT_KIND]
    if quoted:
        return V_TEXT if kind == O_TEXT and program.accepts[k] & STRINGS else V_STRING
    if kind < 0 or not program.accepts[k] & NUMBERS:
        return V_OTHER
    return V_INTEGER if kind == O_INT else V_NUMBER if kind == O_DOUBLE else V_OTHER
