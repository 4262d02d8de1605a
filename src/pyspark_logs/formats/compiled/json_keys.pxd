from pyspark_logs.formats.compiled.output cimport Output

cdef struct Program:
    const int *nodes
    const int *keys
    const int *accepts
    const unsigned char *pool
    int key_count
    int *stamps
    int *guesses
    int guess_count
    int *stack

cdef int read_key(
    const unsigned char *p, int at, int end, int total, Program *program, Output *out, int node, int follows, int guess
) noexcept nogil
cdef int form_of(Program *program, Output *out, int key, bint quoted) noexcept nogil
