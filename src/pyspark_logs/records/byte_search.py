"""Occurrences of bytes in a block, found in one pass. Interpreted, the module gives the same results slowly, for tests.

``scripts/build_compiled.py`` compiles it with the types and the loop of ``byte_search.pxd``.
"""

from __future__ import annotations

import cython


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
