"""Comparison and search of bytes, for the machines. ``primitives.pxd`` has the same functions for the compiler.

A text is given by the block and two offsets, a literal by the pool of the program, an offset and a size.
"""

from __future__ import annotations

DAY_US = 86_400_000_000
LOWEST_US, HIGHEST_US = -62_135_596_800_000_000, 253_402_300_799_999_999
EXACT = 2**53  # integers up to here are doubles
CHUNK = 32  # bytes that are copied at once
MANY = 10**17  # times ten fits in 64 bits
HIGHEST_TENTH = 922_337_203_685_477_580  # of the largest integer of 64 bits, without its last digit
POWERS = [float(10**power) for power in range(23)]


def is_digit(byte):
    """Returns True for ``0`` to ``9``."""
    return 48 <= byte <= 57


def find_byte(p, start, end, byte, total):
    """Returns the offset of the first byte in [start, end); -1 if there is none.

    Args:
        p: the block.
        start: first offset.
        end: end offset.
        byte: the byte.
        total: length of the block; all bytes before it may be read.
    """
    return p.find(byte, start, end)


def find_either(p, start, end, byte, other, total):
    """Returns the offset of the first of two bytes in [start, end); -1 if there is none. See :func:`find_byte`."""
    found = [offset for offset in (p.find(byte, start, end), p.find(other, start, end)) if offset >= 0]
    return min(found, default=-1)


def find_value_end(p, start, end, total):
    """Returns the offset of the first blank, control character, quote or backslash; ``end`` if there is none."""
    return next((offset for offset in range(start, end) if p[offset] <= 32 or p[offset] in (34, 92)), end)


def equal(p, offset, q, other, size):
    """Returns True if ``size`` bytes are equal."""
    return p[offset : offset + size] == q[other : other + size]


def at_literal(p, offset, end, pool, text, size):
    """Returns True if a literal is at the offset; a literal of size 0 is a space or a tab."""
    if size == 0:
        return offset < end and (p[offset] == 32 or p[offset] == 9)
    return offset + size <= end and p[offset : offset + size] == pool[text : text + size]


def find_literal(p, start, end, pool, text, size, total):
    """Returns the offset of the first literal, or blank, in [start, end); -1 if there is none."""
    if size == 0:
        return next((offset for offset in range(start, end) if p[offset] in (32, 9)), -1)
    return p.find(pool[text : text + size], start, end)


def find_last_literal(p, start, end, pool, text, size):
    """Returns the offset of the last literal in [start, end); -1 if there is none."""
    return p.rfind(pool[text : text + size], start, end)


def two_digits(p, offset):
    """Returns the number of two digits; a large negative number if a byte is not a digit."""
    first = p[offset] - 48
    second = p[offset + 1] - 48
    if first < 0 or first > 9 or second < 0 or second > 9:
        return -100_000
    return first * 10 + second
