cdef struct Renderer:
    const int *ops
    const int *literals
    const int *steps
    const unsigned char *pool
    const long long *inputs
    unsigned char *out
    long long *state
    int first_prefix
    int last_prefix
    int max_bytes
    bint drops_blank

cdef int render_integer(unsigned char *out, int at, long long value) noexcept nogil
cdef int render_double(unsigned char *out, int at, double value) noexcept nogil
cdef void set_day(long long *state, long long day) noexcept nogil
cdef int render_iso(Renderer *renderer, int at, long long value) noexcept nogil
cdef int render_pattern(Renderer *renderer, int op, int at, long long value) noexcept nogil
cdef int render_day(Renderer *renderer, int at, long long day) noexcept nogil
