from pyspark_logs.formats.compiled.output cimport Output

cdef struct Program:
    const int *ops
    const int *delimiters
    const int *patterns
    const int *steps
    const unsigned char *pool
    long long year_bound
    int newest
    int *rests
    bint finds_rests

cpdef int run(
    const unsigned char[::1] block, const int[::1] starts, const int[::1] ends, const int[::1] ops,
    const int[::1] delimiters, const int[::1] patterns, const int[::1] steps, const int[::1] outs,
    const unsigned char[::1] pool, long long[::1] ints, double[::1] doubles, int[::1] begins, int[::1] offsets,
    unsigned char[::1] strings, const int[::1] areas,
    unsigned char[::1] valid, int[::1] seen, long long[::1] state, int[::1] rows,
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
cdef int quoted(const unsigned char *p, int at, int end, int total, bint raw) noexcept nogil
cdef (int, long long, int) repeated_pattern(
    const unsigned char *p, int at, int end, const Program *program, long long *state, int op
) noexcept nogil
cdef int other_syntax(
    const unsigned char *p, int at, int end, int total, const Program *program, int op
) noexcept nogil
cdef int stamp_end(const unsigned char *p, int at, int end) noexcept nogil
cdef int field_end(
    const unsigned char *p, int at, int end, int total, const Program *program, int op, int syntax_end
) noexcept nogil
cdef int last_end(const unsigned char *p, int at, int end, int total, const Program *program, int op) noexcept nogil
cdef bint has_value(
    const unsigned char *p, int begin, int stop, int end, const Program *program, int op, bint inside
) noexcept nogil
cdef int skip_padding(
    const unsigned char *p, int begin, int stop, int at, int end, const Program *program, int op
) noexcept nogil
