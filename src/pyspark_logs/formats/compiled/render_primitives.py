"""Values of Arrow columns, and bytes of lines, for the machine that renders. ``render_primitives.pxd`` has the same
functions for the compiler.

An input is a column: interpreted, a tuple of the validity bitmap or None, the values or offsets of texts, and the bytes of
texts, followed by the offset of the first row; compiled, a row of numbers, see ``render_opcodes``.
"""

from __future__ import annotations

import math


def is_valid(inputs, slot, row):
    """Returns True if a value is not null."""
    valid, _, _, first = inputs[slot]
    row += first
    return valid is None or bool(valid[row >> 3] >> (row & 7) & 1)


def integer_at(inputs, slot, row, bits):
    """Returns an integer of a column of integers of 8, 16, 32 or 64 bits."""
    _, values, _, first = inputs[slot]
    return int(values[first + row])


def double_at(inputs, slot, row):
    """Returns a number of a column of doubles."""
    _, values, _, first = inputs[slot]
    return float(values[first + row])


def is_zero(value):
    """Returns True for zero without a minus sign."""
    return value == 0 and math.copysign(1, value) > 0


def boolean_at(inputs, slot, row):
    """Returns a value of a column of booleans."""
    _, values, _, first = inputs[slot]
    row += first
    return bool(values[row >> 3] >> (row & 7) & 1)


def text_bytes(inputs, slot):
    """Returns the bytes of the texts of a column."""
    return inputs[slot][2]


def text_total(inputs, slot):
    """Returns the number of bytes of the texts of a column."""
    return len(inputs[slot][2])


def text_offset(inputs, slot, row):
    """Returns the offset of a text, which is the end of the text before."""
    _, offsets, _, first = inputs[slot]
    return int(offsets[first + row])


def find_special(p, start, end, a, b, c, high, total):
    """Returns the offset of the first control character or byte ``a``, ``b`` or ``c``; ``end`` if there is none.

    Args:
        p: bytes.
        start: first offset.
        end: end offset.
        a: a byte.
        b: a byte.
        c: a byte.
        high: True to find also bytes that are not ASCII.
        total: number of bytes that may be read.
    """
    wanted = (a, b, c)
    return next((k for k in range(start, end) if p[k] < 32 or p[k] in wanted or (high and p[k] > 127)), end)


def put_text(out, at, p, begin, size, total):
    """Writes bytes; returns the offset after them. ``out`` has 32 bytes more than are written."""
    out[at : at + size] = bytes(p[begin : begin + size])
    return at + size


def put_literal(out, at, pool, text, size):
    """Writes a text of the pool, which has 32 bytes more; returns the offset after it."""
    out[at : at + size] = pool[text : text + size]
    return at + size


def put_number(out, at, value):
    """Writes a number without a sign; returns the offset after it."""
    text = b"%d" % value
    return put_text(out, at, text, 0, len(text), len(text))


def put_digits(out, at, value, width):
    """Writes the last digits of a number; returns the offset after them."""
    for index in range(width):
        out[at + width - 1 - index] = 48 + value % 10
        value //= 10
    return at + width
