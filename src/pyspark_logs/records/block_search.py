"""Lines, and occurrences of bytes, in a block. Interpreted, the module gives the same results slowly, for tests.

``scripts/build_compiled.py`` compiles it with the types and the loop of ``block_search.pxd``.
"""

from __future__ import annotations

import cython

NOT_ASCII, UNUSUAL, SEVERAL = 1, 2, 4  # traits of blocks; block_search.pxd has the same numbers


def find_offsets(block, byte, offsets):
    """Writes the offset of each occurrence of a byte; returns their number, or -1 if there are more than ``offsets`` holds.

    Args:
        block: the block.
        byte: the byte.
        offsets: memory for at least one offset.
    """
    count: cython.int = 0
    if len(block) == 0:
        return 0
    if cython.compiled:
        with cython.nogil:
            count = find_all(
                cython.address(block[0]), block.shape[0], byte, cython.address(offsets[0]), offsets.shape[0]
            )
        return count
    else:
        found = [offset for offset, other in enumerate(bytes(block)) if other == byte]
        if len(found) > len(offsets):
            return -1
        offsets[: len(found)] = found
        return len(found)


def find_lines(block, starts, ends, values):
    """Writes the start and end offset of each line, excluding its line end.

    Args:
        block: the block.
        starts: memory for at least one offset.
        ends: memory for as many offsets.
        values: True to seek lines that may hold several JSON values.

    Returns:
        The number of lines (-1: more than the arrays hold), and a sum: ``NOT_ASCII`` if a byte is not ASCII, ``UNUSUAL`` if a
        line is empty or begins with a space or a control character; with ``values``, ``SEVERAL`` if a line begins with ``[`` or a
        ``}`` is directly before a ``{``.
    """
    count: cython.int = 0
    traits: cython.int = 0
    if len(block) == 0:
        return (0, 0)
    if cython.compiled:
        with cython.nogil:
            count = find_all_lines(
                cython.address(block[0]), block.shape[0], cython.address(starts[0]), cython.address(ends[0]),
                starts.shape[0], values, cython.address(traits),
            )  # fmt: skip
        return (count, traits)
    else:
        text = bytes(block)
        lines = text.removesuffix(b"\n").split(b"\n")
        if len(lines) > len(starts):
            return (-1, 0)
        start = 0
        for count, line in enumerate(lines):
            starts[count] = start
            ends[count] = start + len(line.removesuffix(b"\r"))
            if ends[count] == start or text[start] <= 32:
                traits |= UNUSUAL
            if values and text[start : start + 1] == b"[":
                traits |= SEVERAL
            start += len(line) + 1
        if values and b"}{" in text:
            traits |= SEVERAL
        return (len(lines), traits if text.isascii() else traits | NOT_ASCII)


def rows_beginning_with(block, starts, byte, rows):
    """Writes the indices of the offsets at which a block has a byte; returns their number.

    Args:
        block: the block.
        starts: offsets in the block.
        byte: the byte.
        rows: memory for as many indices as offsets.
    """
    if len(starts) == 0:
        return 0
    if cython.compiled:
        count: cython.int
        with cython.nogil:
            count = find_rows(
                cython.address(block[0]), cython.address(starts[0]), starts.shape[0], byte, cython.address(rows[0])
            )
        return count
    else:
        found = [row for row, start in enumerate(starts.tolist()) if block[start] == byte]
        rows[: len(found)] = found
        return len(found)


def has_pair(block, first, second):
    """Returns True if a block has two bytes, one directly after the other."""
    if len(block) < 2:
        return False
    if cython.compiled:
        found: cython.bint
        with cython.nogil:
            found = find_pair(cython.address(block[0]), block.shape[0], first, second)
        return found
    else:
        return bytes([first, second]) in bytes(block)


def mark_records(block, starts, ends, literal, allowance, rate, marks):
    """Marks the records that contain a literal with 1; returns the number of hits, or -1 if there are too many.

    The search goes on after a record that contains the literal, and one byte after a hit that is not within a record.

    Args:
        block: the block.
        starts: offsets of the records, ascending.
        ends: end offsets of the records, each at most the start of the next record.
        literal: bytes to find, one or more.
        allowance: number of hits at the beginning of the block that are not too many.
        rate: number of further hits for each byte that are not too many.
        marks: a byte for each record.
    """
    if len(starts) == 0:
        return 0
    if cython.compiled:
        count: cython.int
        with cython.nogil:
            count = mark_all(
                cython.address(block[0]), cython.address(starts[0]), cython.address(ends[0]), starts.shape[0],
                cython.address(literal[0]), literal.shape[0], allowance, rate, cython.address(marks[0]),
            )  # fmt: skip
        return count
    else:
        text, wanted, last = bytes(block), bytes(literal), ends[-1]
        found = 0
        offset = text.find(wanted, starts[0], last)
        while offset >= 0:
            found += 1
            if found > allowance + (offset - starts[0]) * rate:
                return -1
            row = starts.searchsorted(offset, side="right") - 1
            is_inside = offset + len(wanted) <= ends[row]
            if is_inside:
                marks[row] = 1
            offset = text.find(wanted, ends[row] if is_inside else offset + 1, last)
        return found
