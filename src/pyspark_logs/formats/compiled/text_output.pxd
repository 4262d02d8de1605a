# The functions of ``text_output.py``, for the compiler, which copies them into each machine.

from libc.string cimport memcpy
from pyspark_logs.formats.compiled.opcodes cimport (
    OUT_ESCAPED, OUT_SLOT, OUT_VALID, OUT_WIDTH, SEEN_ESCAPE, SEEN_NULL, SEEN_WIDTH
)
from pyspark_logs.formats.compiled.output cimport Output
from pyspark_logs.formats.compiled.primitives cimport CHUNK, MAX_CHUNKED, copy_chunks


cdef inline void write_text(
    const unsigned char *p, int begin, int stop, Output *out, int k, int row, int mark, bint escaped
) noexcept nogil:
    cdef int slot = out.outs[OUT_WIDTH * k + OUT_SLOT]
    cdef int valid = out.outs[OUT_WIDTH * k + OUT_VALID]
    cdef int *offset = out.offsets + slot * (out.capacity + 1) + row
    cdef int at = offset[0]
    cdef int size = stop - begin
    offset[1] = at + size
    if at + size <= out.areas[2 * slot + 1]:
        if size <= MAX_CHUNKED and stop + CHUNK <= out.total:
            copy_chunks(out.strings + out.areas[2 * slot] + at, p + begin, size)
        else:
            memcpy(out.strings + out.areas[2 * slot] + at, p + begin, size)
    else:
        out.begins[slot * out.capacity + row] = begin
    if valid >= 0:
        out.valid[valid * out.capacity + row] = mark
    if escaped and out.outs[OUT_WIDTH * k + OUT_ESCAPED]:
        out.seen[SEEN_WIDTH * k + SEEN_ESCAPE] = 1


cdef inline void write_null_text(Output *out, int k, int row) noexcept nogil:
    cdef int slot = out.outs[OUT_WIDTH * k + OUT_SLOT]
    cdef int valid = out.outs[OUT_WIDTH * k + OUT_VALID]
    cdef int *offset = out.offsets + slot * (out.capacity + 1) + row
    offset[1] = offset[0]
    if offset[0] > out.areas[2 * slot + 1]:
        out.begins[slot * out.capacity + row] = 0
    if valid >= 0:
        out.valid[valid * out.capacity + row] = 0
    out.seen[SEEN_WIDTH * k + SEEN_NULL] = 1
