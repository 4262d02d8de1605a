"""Numbers, as outputs of the machines. ``number_output.pxd`` has the same functions for the compiler."""

from __future__ import annotations

from .opcodes import OUT_SLOT, OUT_VALID, OUT_WIDTH
from .primitives import POWERS


def write_integer(out, k, row, number):
    """Writes an integer to output ``k``, whose values are integers or booleans."""
    out.ints[out.outs[OUT_WIDTH * k + OUT_SLOT] * out.capacity + row] = number
    if out.outs[OUT_WIDTH * k + OUT_VALID] >= 0:
        out.valid[out.outs[OUT_WIDTH * k + OUT_VALID] * out.capacity + row] = 1


def write_double(out, k, row, number, scale):
    """Writes a number of up to 15 digits, ``scale`` of them after the point, to output ``k``. One division is exact."""
    out.doubles[out.outs[OUT_WIDTH * k + OUT_SLOT] * out.capacity + row] = number / POWERS[scale]
    if out.outs[OUT_WIDTH * k + OUT_VALID] >= 0:
        out.valid[out.outs[OUT_WIDTH * k + OUT_VALID] * out.capacity + row] = 1
