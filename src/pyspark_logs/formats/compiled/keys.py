"""Keys of records: the table of the requested keys, for the machines of JSON and logfmt."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import (
        KEY_FIRST_OUT,
        KEY_LAST_OUT,
        KEY_PRESENT,
        KEY_SIZE,
        KEY_TEXT,
        KEY_WIDTH,
        UNCERTAIN,
    )
    from cython.cimports.pyspark_logs.formats.compiled.output import write_null
    from cython.cimports.pyspark_logs.formats.compiled.primitives import equal
else:
    from .opcodes import *
    from .output import write_null
    from .primitives import equal


def find_key(p, at, size, keys, first, last, pool):
    """Returns the index of a key; -1: it is not requested; UNCERTAIN: it has accents, or case matters."""
    k: cython.int
    j: cython.int
    letter: cython.int
    other: cython.int
    alike: cython.bint
    for k in range(first, last):
        if keys[KEY_WIDTH * k + KEY_SIZE] == size:
            if equal(p, at, pool, keys[KEY_WIDTH * k + KEY_TEXT], size):
                return k
    for j in range(size):
        if p[at + j] >= 128:
            return UNCERTAIN
    for k in range(first, last):
        if keys[KEY_WIDTH * k + KEY_SIZE] == size:
            alike = True
            for j in range(size):
                letter = p[at + j]
                other = pool[keys[KEY_WIDTH * k + KEY_TEXT] + j]
                if 65 <= letter <= 90:
                    letter += 32
                if 65 <= other <= 90:
                    other += 32
                if letter != other:
                    alike = False
                    break
            if alike:
                return UNCERTAIN
    return -1


def write_missing(keys, count, stamps, line, out, row):
    """Writes null to the outputs of the keys that a line lacks."""
    key: cython.int
    k: cython.int
    for key in range(count):
        if stamps[key] != line:
            for k in range(keys[KEY_WIDTH * key + KEY_FIRST_OUT], keys[KEY_WIDTH * key + KEY_LAST_OUT]):
                write_null(out, k, row)
            k = keys[KEY_WIDTH * key + KEY_PRESENT]
            if k >= 0:
                write_null(out, k, row)
