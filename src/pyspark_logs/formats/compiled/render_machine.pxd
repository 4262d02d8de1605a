from pyspark_logs.formats.compiled.render_values cimport Renderer

cpdef int run(
    const int[::1] ops, const int[::1] literals, const int[::1] steps, const unsigned char[::1] pool,
    const long long[::1] inputs, views, const int[::1] programs, int count, unsigned char[::1] out, int[::1] offsets,
    int[::1] failed, long long[::1] state, int first_prefix, int last_prefix, int max_bytes, bint drops_blank
) except -1
cdef int walk(Renderer *renderer, const int *programs, int count, int *offsets, int *failed) noexcept nogil
cdef (int, int) render_line(Renderer *renderer, int op, int row, int start) noexcept nogil
cdef bint is_line(const Renderer *renderer, int start, int end) noexcept nogil
cdef int render_value(Renderer *renderer, int op, int row, int at) noexcept nogil
cdef int render_text(Renderer *renderer, int op, int row, int at) noexcept nogil
cdef bint is_plain(
    const Renderer *renderer, int op, const unsigned char *p, int begin, int end
) noexcept nogil
cdef int find_unwritable(
    const Renderer *renderer, int op, const unsigned char *p, int begin, int end, int total
) noexcept nogil
cdef int escape_text(
    Renderer *renderer, int op, int at, const unsigned char *p, int begin, int end, int total
) noexcept nogil
cdef int escape_byte(Renderer *renderer, int mode, int at, int byte, int quote) noexcept nogil
