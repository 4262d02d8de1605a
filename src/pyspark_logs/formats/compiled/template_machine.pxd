from pyspark_logs.formats.compiled.output cimport Output
from pyspark_logs.formats.compiled.template_ends cimport Program

cpdef int run(
    const unsigned char[::1] block, const int[::1] starts, const int[::1] ends, const int[::1] ops,
    const int[::1] delimiters, const int[::1] patterns, const int[::1] steps, const int[::1] outs,
    const unsigned char[::1] pool, long long[::1] ints, double[::1] doubles, int[::1] begins, int[::1] offsets,
    unsigned char[::1] strings, const int[::1] areas,
    unsigned char[::1] valid, int[::1] seen, long long[::1] state, int[::1] rejects, int[::1] rows,
    int[::1] rests, bint finds_rests, long long year_bound, int newest
) except -1
cdef int walk(
    const unsigned char *p, int total, const int *starts, const int *ends, int count, const Program *program,
    Output *out, int *rows
) noexcept nogil
cdef bint parse_line(
    const unsigned char *p, int total, int at, int end, const Program *program, Output *out, int row
) noexcept nogil
cdef void skip_group(const Program *program, Output *out, int op, int row) noexcept nogil
cdef bint is_null(const unsigned char *p, int begin, int size, const Program *program, int op) noexcept nogil
cdef bint write_field(
    const unsigned char *p, int total, int begin, int stop, long long value, int zone, const Program *program,
    Output *out, int op, int row, bint inside, bint escaped
) noexcept nogil
