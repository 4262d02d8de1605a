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
