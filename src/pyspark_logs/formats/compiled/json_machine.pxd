from pyspark_logs.formats.compiled.json_keys cimport Program
from pyspark_logs.formats.compiled.output cimport Output

cpdef int run(
    const unsigned char[::1] block, const int[::1] starts, const int[::1] ends, const int[::1] nodes,
    const int[::1] keys, const int[::1] accepts, const int[::1] outs, const unsigned char[::1] pool,
    long long[::1] ints, double[::1] doubles, int[::1] begins, int[::1] offsets,
    unsigned char[::1] strings, const int[::1] areas, unsigned char[::1] valid,
    int[::1] seen, long long[::1] state, int[::1] rejects, int[::1] rows, int[::1] stamps, int[::1] guesses, int[::1] stack
) except -1
cdef int walk(
    const unsigned char *p, int total, const int *starts, const int *ends, int count, Program *program, Output *out,
    int *rows
) noexcept nogil
cdef bint parse_line(
    const unsigned char *p, int total, int at, int end, int line, Program *program, Output *out, int row
) noexcept nogil
cdef bint write_scalar(
    const unsigned char *p, int begin, int stop, int kind, bint escaped, Program *program, Output *out, int first, int last,
    int row
) noexcept nogil
