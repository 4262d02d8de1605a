from pyspark_logs.formats.compiled.output cimport Output

cdef int find_key(
    const unsigned char *p, int at, int size, const int *keys, int first, int last, const unsigned char *pool
) noexcept nogil
cdef void write_missing(const int *keys, int count, const int *stamps, int line, Output *out, int row) noexcept nogil
