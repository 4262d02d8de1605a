"""Strings, as outputs of the machines. ``text_output.pxd`` has the same functions for the compiler.

A string is copied while its line is in the cache of the processor, as long as the memory of its output suffices; see
:class:`~.interpreted.OutputArguments`.
"""

from __future__ import annotations

from .opcodes import OUT_ESCAPED, OUT_SLOT, OUT_VALID, OUT_WIDTH, SEEN_ESCAPE, SEEN_NULL, SEEN_WIDTH


def write_text(p, begin, stop, out, k, row, mark, escaped):
    """Writes a text to output ``k``, whose values are texts.

    Args:
        p: the block.
        begin: offset of the text.
        stop: end offset of the text.
        out: tables of the block.
        k: index of the output.
        row: index of the line in the tables.
        mark: number that is written to the table of valid values.
        escaped: True if the text may have escapes.
    """
    slot, valid = out.outs[OUT_WIDTH * k + OUT_SLOT], out.outs[OUT_WIDTH * k + OUT_VALID]
    row_of_offset = slot * (out.capacity + 1) + row
    offset = out.offsets[row_of_offset]
    end = offset + stop - begin
    out.offsets[row_of_offset + 1] = end
    if end <= out.areas[2 * slot + 1]:
        start = out.areas[2 * slot]
        out.strings[start + offset : start + end] = list(p[begin:stop])
    else:
        out.begins[slot * out.capacity + row] = begin
    if valid >= 0:
        out.valid[valid * out.capacity + row] = mark
    if escaped and out.outs[OUT_WIDTH * k + OUT_ESCAPED]:
        out.seen[SEEN_WIDTH * k + SEEN_ESCAPE] = 1


def write_null_text(out, k, row):
    """Writes null to output ``k``, whose values are texts."""
    slot, valid = out.outs[OUT_WIDTH * k + OUT_SLOT], out.outs[OUT_WIDTH * k + OUT_VALID]
    row_of_offset = slot * (out.capacity + 1) + row
    out.offsets[row_of_offset + 1] = out.offsets[row_of_offset]
    if out.offsets[row_of_offset] > out.areas[2 * slot + 1]:
        out.begins[slot * out.capacity + row] = 0
    if valid >= 0:
        out.valid[valid * out.capacity + row] = 0
    out.seen[SEEN_WIDTH * k + SEEN_NULL] = 1
