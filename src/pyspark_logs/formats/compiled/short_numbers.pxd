# The functions of ``short_numbers.py``, for the compiler, which copies them into the machine.

cdef extern from *:
    """
    #include <string.h>
    static const long long TENS[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    /* Number of digits at the beginning of 8 bytes, and the number that they are. */
    static inline int leading_digits(const unsigned char *p, long long *value) {
        int count = 0;
    #if defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        unsigned long long digits, other;
        memcpy(&digits, p, 8);
        digits ^= 0x3030303030303030ULL;
        /* The high bit of each byte that is no digit; those after the first may be wrong. */
        other = (digits | (digits + 0x7676767676767676ULL)) & 0x8080808080808080ULL;
        count = other ? __builtin_ctzll(other) >> 3 : 8;
        *value = 0;
        if (count == 0) return 0;
        /* Zeros before the digits, then the sums of neighbours: pairs, groups of four, all eight. */
        digits <<= 64 - 8 * count;
        digits = (digits * 2561 >> 8) & 0x00FF00FF00FF00FFULL;
        digits = (digits * 6553601 >> 16) & 0x0000FFFF0000FFFFULL;
        *value = (long long)(digits * 42949672960001ULL >> 32);
    #else
        *value = 0;
        for (; count < 8 && p[count] >= 48 && p[count] <= 57; count++) *value = *value * 10 + (p[count] - 48);
    #endif
        return count;
    }
    """
    const long long TENS[9]
    int leading_digits(const unsigned char *p, long long *value) noexcept nogil


cdef inline (int, long long, int) short_number(const unsigned char *p, int at, int end, int total) noexcept nogil:
    cdef long long value, more
    cdef bint negative = p[at] == 45
    cdef int scale = 0
    cdef int count
    if at + 26 > total:
        return (-1, 0, 0)
    at += negative
    count = leading_digits(p + at, &value)
    if count == 0 or (count > 1 and p[at] == 48):
        return (-1, 0, 0)
    at += count
    if count == 8:
        count = leading_digits(p + at, &more)
        value = value * TENS[count] + more
        at += count
        if count > 0 and (count == 8 or p[at] == 46):
            return (-1, 0, 0)
    if p[at] == 46:
        scale = leading_digits(p + at + 1, &more)
        value = value * TENS[scale] + more
        at += 1 + scale
        if scale == 0 or scale == 8:
            return (-1, 0, 0)
    if at > end or p[at] == 101 or p[at] == 69 or (negative and value == 0):
        return (-1, 0, 0)
    return (at, -value if negative else value, scale)


cdef inline bint fits(long long number, int bits) noexcept nogil:
    return (number if number >= 0 else ~number) >> (bits - 1) == 0
