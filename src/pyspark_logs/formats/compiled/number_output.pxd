# The functions of ``number_output.py``, for the compiler, which copies them into the machine.

from pyspark_logs.formats.compiled.opcodes cimport OUT_SLOT, OUT_VALID, OUT_WIDTH
from pyspark_logs.formats.compiled.output cimport Output
from pyspark_logs.formats.compiled.primitives cimport POWERS


cdef inline void write_integer(Output *out, int k, int row, long long number) noexcept nogil:
    cdef int valid = out.outs[OUT_WIDTH * k + OUT_VALID]
    out.ints[out.outs[OUT_WIDTH * k + OUT_SLOT] * out.capacity + row] = number
    if valid >= 0:
        out.valid[valid * out.capacity + row] = 1


cdef inline void write_double(Output *out, int k, int row, long long number, int scale) noexcept nogil:
    cdef int valid = out.outs[OUT_WIDTH * k + OUT_VALID]
    cdef double value = <double> number
    out.doubles[out.outs[OUT_WIDTH * k + OUT_SLOT] * out.capacity + row] = value / POWERS[scale]
    if valid >= 0:
        out.valid[valid * out.capacity + row] = 1
