# The functions of ``primitives.py``, for the compiler, which copies them into each machine.

cdef extern from *:
    """
    #include <string.h>
    #if defined(__SSE2__)
      #include <emmintrin.h>
    #endif
    /* All of the ``total`` bytes of p may be read, so that 16 bytes are compared at once. */
    static inline int find_byte(const unsigned char *p, int start, int end, int byte, int total) {
    #if defined(__SSE2__)
        const __m128i wanted = _mm_set1_epi8((char)byte);
        while (start < end && start + 16 <= total) {
            int hits = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + start)), wanted));
            if (hits) { start += __builtin_ctz((unsigned)hits); return start < end ? start : -1; }
            start += 16;
        }
    #else
        if (end - start > 16) {
            const unsigned char *found = (const unsigned char *)memchr(p + start, byte, (size_t)(end - start));
            return found ? (int)(found - p) : -1;
        }
    #endif
        for (; start < end; start++) if (p[start] == byte) return start;
        return -1;
    }
    static inline int find_either(const unsigned char *p, int start, int end, int byte, int other, int total) {
    #if defined(__SSE2__)
        const __m128i wanted = _mm_set1_epi8((char)byte), also = _mm_set1_epi8((char)other);
        while (start < end && start + 16 <= total) {
            const __m128i text = _mm_loadu_si128((const __m128i *)(p + start));
            int hits = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(text, wanted), _mm_cmpeq_epi8(text, also)));
            if (hits) { start += __builtin_ctz((unsigned)hits); return start < end ? start : -1; }
            start += 16;
        }
    #endif
        for (; start < end; start++) if (p[start] == byte || p[start] == other) return start;
        return -1;
    }
    /* The end of a value without quotes: a blank or a control character, a quote, or a backslash. */
    static inline int find_value_end(const unsigned char *p, int start, int end, int total) {
    #if defined(__SSE2__)
        const __m128i blank = _mm_set1_epi8(32), quote = _mm_set1_epi8(34), backslash = _mm_set1_epi8(92);
        while (start < end && start + 16 <= total) {
            const __m128i text = _mm_loadu_si128((const __m128i *)(p + start));
            int hits = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(text, blank), text),
                _mm_or_si128(_mm_cmpeq_epi8(text, quote), _mm_cmpeq_epi8(text, backslash))));
            if (hits) { start += __builtin_ctz((unsigned)hits); return start < end ? start : end; }
            start += 16;
        }
    #endif
        while (start < end && p[start] > 32 && p[start] != 34 && p[start] != 92) start++;
        return start < end ? start : end;
    }
    /* Two words that overlap cover all bytes of a text of up to two words. */
    static inline int equal_16(const unsigned char *p, const unsigned char *q) {
        unsigned long long a, b, c, d;
        memcpy(&a, p, 8); memcpy(&b, q, 8); memcpy(&c, p + 8, 8); memcpy(&d, q + 8, 8);
        return !((a ^ b) | (c ^ d));
    }
    static inline int equal(const unsigned char *p, int offset, const unsigned char *q, int other, int size) {
        p += offset;
        q += other;
        if (size > 32) return memcmp(p, q, (size_t)size) == 0;
        if (size > 16) return equal_16(p, q) && equal_16(p + size - 16, q + size - 16);
        if (size >= 8) {
            unsigned long long a, b, c, d;
            memcpy(&a, p, 8); memcpy(&b, q, 8); memcpy(&c, p + size - 8, 8); memcpy(&d, q + size - 8, 8);
            return !((a ^ b) | (c ^ d));
        }
        if (size >= 4) {
            unsigned int a, b, c, d;
            memcpy(&a, p, 4); memcpy(&b, q, 4); memcpy(&c, p + size - 4, 4); memcpy(&d, q + size - 4, 4);
            return !((a ^ b) | (c ^ d));
        }
        for (; size > 0; size--, p++, q++) if (*p != *q) return 0;
        return 1;
    }
    /* Asks for the memory that is read a few texts later. */
    static inline void prefetch(const unsigned char *p) {
    #if defined(__GNUC__)
        __builtin_prefetch(p);
    #endif
    }
    /* Copies chunks of 32 bytes: up to 32 bytes too many, which both texts must have. Most texts have no more than 32. */
    #define MAX_CHUNKED 256
    #define CHUNK 32
    static inline void copy_chunks(unsigned char *to, const unsigned char *from, int size) {
        memcpy(to, from, CHUNK);
        while (size > CHUNK) { to += CHUNK; from += CHUNK; size -= CHUNK; memcpy(to, from, CHUNK); }
    }
    #define DAY_US 86400000000LL
    #define LOWEST_US (-62135596800000000LL)
    #define HIGHEST_US 253402300799999999LL
    #define MANY 100000000000000000LL
    #define HIGHEST_TENTH 922337203685477580LL
    #define EXACT 9007199254740992LL
    static const double POWERS[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
                                    1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    """
    const long long DAY_US, LOWEST_US, HIGHEST_US, MANY, HIGHEST_TENTH, EXACT
    const double POWERS[23]
    const int MAX_CHUNKED, CHUNK
    void copy_chunks(unsigned char *to, const unsigned char *from_, int size) noexcept nogil
    int find_byte(const unsigned char *p, int start, int end, int byte, int total) noexcept nogil
    int find_value_end(const unsigned char *p, int start, int end, int total) noexcept nogil
    int find_either(const unsigned char *p, int start, int end, int byte, int other, int total) noexcept nogil
    void prefetch(const unsigned char *p) noexcept nogil
    bint equal(const unsigned char *p, int offset, const unsigned char *q, int other, int size) noexcept nogil


cdef inline bint is_digit(int byte) noexcept nogil:
    return 48 <= byte <= 57


cdef inline int two_digits(const unsigned char *p, int offset) noexcept nogil:
    cdef int first = p[offset] - 48
    cdef int second = p[offset + 1] - 48
    if first < 0 or first > 9 or second < 0 or second > 9:
        return -100_000
    return first * 10 + second


cdef inline bint at_literal(
    const unsigned char *p, int offset, int end, const unsigned char *pool, int text, int size
) noexcept nogil:
    if size == 0:
        return offset < end and (p[offset] == 32 or p[offset] == 9)
    return offset + size <= end and equal(p, offset, pool, text, size)


cdef inline int find_literal(
    const unsigned char *p, int start, int end, const unsigned char *pool, int text, int size, int total
) noexcept nogil:
    cdef int last
    if size == 0:
        while start < end:
            if p[start] == 32 or p[start] == 9:
                return start
            start += 1
        return -1
    last = end - size + 1
    while start < last:
        start = find_byte(p, start, last, pool[text], total)
        if start < 0:
            return -1
        if size == 1 or equal(p, start + 1, pool, text + 1, size - 1):
            return start
        start += 1
    return -1


cdef inline int find_last_literal(
    const unsigned char *p, int start, int end, const unsigned char *pool, int text, int size
) noexcept nogil:
    cdef int offset = end - size
    while offset >= start:
        if equal(p, offset, pool, text, size):
            return offset
        offset -= 1
    return -1
