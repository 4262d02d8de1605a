cdef struct Output:
    int total
    int capacity
    const int *outs
    const unsigned char *pool
    long long *ints
    double *doubles
    int *begins
    int *offsets
    unsigned char *strings
    const int *areas
    unsigned char *valid
    int *seen
    long long *state
    int *rejects

cdef Output tables_of(
    int total, int count, const int[::1] outs, const unsigned char[::1] pool, long long[::1] ints, double[::1] doubles,
    int[::1] begins, int[::1] offsets, unsigned char[::1] strings, const int[::1] areas,
    unsigned char[::1] valid, int[::1] seen, long long[::1] state, int[::1] rejects
) except *
cdef void write_null(Output *out, int k, int row) noexcept nogil
cdef bint reject(int begin, int stop, Output *out, int k, int row, bint matched) noexcept nogil
cdef bint write_value(
    const unsigned char *p, int begin, int stop, long long value, int zone, Output *out, int k, int row, bint escaped
) noexcept nogil
cpdef int gather(
    const unsigned char[::1] block, const int[::1] begins, const int[::1] offsets, int count, unsigned char[::1] strings
) except -1
cdef void copy_texts(
    const unsigned char *p, int total, const int *begins, const int *offsets, int count, unsigned char *strings
) noexcept nogil
