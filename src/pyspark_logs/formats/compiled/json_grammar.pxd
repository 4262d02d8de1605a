cdef int skip_space(const unsigned char *p, int at, int end) noexcept nogil
cdef int number_end(const unsigned char *p, int at, int end) noexcept nogil
cdef int word_end(const unsigned char *p, int at, int end) noexcept nogil
cdef int scalar_end(const unsigned char *p, int at, int end, int total) noexcept nogil
cdef int skip_container(const unsigned char *p, int at, int end, int total) noexcept nogil
