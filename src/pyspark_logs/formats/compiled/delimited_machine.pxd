from pyspark_logs.formats.compiled.output cimport Output

cdef struct Program:
    const int *values
    const int *flags
    const unsigned char *pool
    int separator
    int separator_size
    int quote
    int null_text
    int null_size
    int value_count
    int last_value
    bint allow_trailing
    int *rests

cpdef int run(
    const unsigned char[::1] block, const int[::1] starts, const int[::1] ends, const int[::1] values,
    const int[::1] flags, const int[::1] outs, const unsigned char[::1] pool, long long[::1] ints, double[::1] doubles,
    int[::1] begins, int[::1] offsets, unsigned char[::1] strings, const int[::1] areas,
    unsigned char[::1] valid, int[::1] seen, long long[::1] state, int[::1] rejects, int[::1] rows,
    int separator, int separator_size, int quote, int null_text, int null_size, int value_count, int last_value,
    bint allow_trailing, int[::1] rests
) except -1
cdef int walk(
    const unsigned char *p, int total, const int *starts, const int *ends, int count, const Program *program,
    Output *out, int *rows
) noexcept nogil
cdef bint parse_line(
    const unsigned char *p, int total, int at, int end, const Program *program, Output *out, int row
) noexcept nogil
cdef bint write_values(
    const unsigned char *p, int begin, int stop, const Program *program, Output *out, int index, int row, bint quoted,
    bint doubled
) noexcept nogil
