from pyspark_logs.formats.compiled.output cimport Output

cdef struct Program:
    const int *keys
    const int *flags
    const unsigned char *pool
    int null_text
    int null_size
    int key_count
    int *stamps
    int *guesses
    int guess_count

cpdef int run(
    const unsigned char[::1] block, const int[::1] starts, const int[::1] ends, const int[::1] keys,
    const int[::1] flags, const int[::1] outs, const unsigned char[::1] pool, long long[::1] ints, double[::1] doubles,
    int[::1] begins, int[::1] offsets, unsigned char[::1] strings, const int[::1] areas,
    unsigned char[::1] valid, int[::1] seen, long long[::1] state, int[::1] rejects, int[::1] rows,
    int[::1] stamps, int[::1] guesses, int null_text, int null_size
) except -1
cdef int walk(
    const unsigned char *p, int total, const int *starts, const int *ends, int count, Program *program, Output *out,
    int *rows
) noexcept nogil
cdef bint parse_line(
    const unsigned char *p, int total, int at, int end, int line, Program *program, Output *out, int row
) noexcept nogil
cdef bint write_flag(Program *program, Output *out, int key, int row) noexcept nogil
cdef bint write_pair(
    const unsigned char *p, int begin, int stop, Program *program, Output *out, int key, int row, bint quoted,
    bint escaped
) noexcept nogil
