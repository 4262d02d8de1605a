cdef long long days_of(long long year, long long month, long long day) noexcept nogil
cdef bint exists(int year, int month, int day) noexcept nogil
cdef (int, bint) date(const unsigned char *p, int offset, int end) noexcept nogil
cdef (int, long long, int) iso_day(const unsigned char *p, int offset, int end) noexcept nogil
cdef (int, int, long long) utc_offset(const unsigned char *p, int offset, int end) noexcept nogil
cdef (int, long long, int) iso(const unsigned char *p, int offset, int end, long long *state) noexcept nogil
cdef (int, int) number_of(const unsigned char *p, int offset, int end, int most) noexcept nogil
cdef (int, int) name_of(
    const unsigned char *p, int offset, int end, const unsigned char *pool, int text, int count, int most
) noexcept nogil
cdef int zone_name(const unsigned char *p, int offset, int end) noexcept nogil
cdef bint may_begin_with_digit(const int *steps, int k, const unsigned char *pool) noexcept nogil
cdef (int, long long, int) pattern(
    const unsigned char *p, int offset, int end, const int *steps, int first, int count, const unsigned char *pool,
    long long year_bound, int newest
) noexcept nogil
cdef (int, long long, int) first_pattern(
    const unsigned char *p, int offset, int end, const int *patterns, int first, int last, const int *steps,
    const unsigned char *pool, long long *state, long long year_bound, int newest
) noexcept nogil
