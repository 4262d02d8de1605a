"""The grammar of JSON: the end of each kind of value, for the JSON machine."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.pyspark_logs.formats.compiled.opcodes import MAX_DEPTH
    from cython.cimports.pyspark_logs.formats.compiled.primitives import is_digit
    from cython.cimports.pyspark_logs.formats.compiled.strings import quoted_end
else:
    from .opcodes import *
    from .primitives import is_digit
    from .strings import quoted_end


def skip_space(p, at, end):
    """Returns the offset after the white space that JSON allows."""
    while at < end and (p[at] == 32 or p[at] == 9 or p[at] == 10 or p[at] == 13):
        at += 1
    return at


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
    _escaped: cython.bint
    if at >= end:
        return -1
    if p[at] == 34:
        (stop, _escaped) = quoted_end(p, at + 1, end, total, False)
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
