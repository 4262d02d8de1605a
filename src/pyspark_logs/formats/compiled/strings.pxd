cdef (int, bint) escaped_end(const unsigned char *p, int at, int end, bint apostrophe) noexcept nogil
