"""Quoted strings with escapes, for the machines of JSON and logfmt."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.primitives import find_either, is_digit
else:
    from .primitives import find_either, is_digit


def escaped_end(p, at, end, apostrophe):
    r"""Returns the offset of the closing quote (-1: there is none, or an unknown escape), and True if there are escapes.

    Args:
        p: the block.
        at: offset after the opening quote.
        end: end of the line.
        apostrophe: True if ``\'`` is an escape.
    """
    j: cython.int
    letter: cython.int
    escaped: cython.bint = False
    while at < end and p[at] != 34:
        if p[at] == 92:
            escaped = True
            at += 1
            if at >= end:
                return (-1, False)
            letter = p[at]
            if letter == 117:  # u
                if at + 4 >= end:
                    return (-1, False)
                for j in range(1, 5):
                    letter = p[at + j] | 32
                    if not (is_digit(p[at + j]) or (97 <= letter <= 102 and p[at + j] >= 65)):
                        return (-1, False)
            elif not (
                letter == 34 or letter == 92 or letter == 47 or letter == 98 or letter == 102 or letter == 110
                or letter == 114 or letter == 116 or (apostrophe and letter == 39)
            ):  # fmt: skip
                return (-1, False)
        at += 1
    return (at if at < end else -1, escaped)


def quoted_end(p, at, end, total, apostrophe):
    r"""Returns the offset of a closing quote (-1: there is none, or an unknown escape), and True if there are escapes.

    Args:
        p: the block.
        at: offset after the opening quote.
        end: end of the line.
        total: length of the block.
        apostrophe: True if ``\'`` is an escape.
    """
    stop: cython.int = find_either(p, at, end, 34, 92, total)
    if stop < 0 or p[stop] == 34:
        return (stop, False)
    return escaped_end(p, stop, end, apostrophe)
