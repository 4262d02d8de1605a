cdef (long long, bint) integer(const unsigned char *p, int at, int end, int bits) noexcept nogil
cdef (double, bint) double_of(const unsigned char *p, int at, int end) noexcept nogil
cdef (long long, bint) epoch(const unsigned char *p, int at, int end, int power) noexcept nogil
cdef int boolean(const unsigned char *p, int at, int size) noexcept nogil
cdef bint is_ipv4(const unsigned char *p, int at, int end) noexcept nogil
