cdef (int, bint) escaped_end(const unsigned char *p, int at, int end, bint apostrophe) noexcept nogil
cdef (int, bint) quoted_end(const unsigned char *p, int at, int end, int total, bint apostrophe) noexcept nogil
