cdef extern from *:
    """
    #if defined(__SSE2__)
      #include <emmintrin.h>
    #endif
    #include <string.h>
    #if defined(__SSE2__)
    /* One bit for each of 64 bytes. Most groups have no match, which one test of all of them tells. */
    static inline unsigned long long matches_of_64(const unsigned char *p, __m128i wanted) {
        const __m128i *q = (const __m128i *)p;
        const __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128(q), wanted), b = _mm_cmpeq_epi8(_mm_loadu_si128(q + 1), wanted);
        const __m128i c = _mm_cmpeq_epi8(_mm_loadu_si128(q + 2), wanted), d = _mm_cmpeq_epi8(_mm_loadu_si128(q + 3), wanted);
        if (!_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)))) return 0;
        return (unsigned long long)(unsigned)_mm_movemask_epi8(a) | (unsigned long long)(unsigned)_mm_movemask_epi8(b) << 16
            | (unsigned long long)(unsigned)_mm_movemask_epi8(c) << 32
            | (unsigned long long)(unsigned)_mm_movemask_epi8(d) << 48;
    }
    #endif
    static inline int find_all(const unsigned char *p, Py_ssize_t size, int byte, int *offsets, Py_ssize_t capacity) {
        Py_ssize_t k = 0, found = 0;
    #if defined(__SSE2__)
        const __m128i wanted = _mm_set1_epi8((char)byte);
        for (; k + 64 <= size && found + 64 <= capacity; k += 64) {
            unsigned long long hits = matches_of_64(p + k, wanted);
            for (; hits; hits &= hits - 1) offsets[found++] = (int)k + __builtin_ctzll(hits);
        }
    #endif
        for (; k < size; k++) {
            if (p[k] != byte) continue;
            if (found == capacity) return -1;
            offsets[found++] = (int)k;
        }
        return (int)found;
    }
    #define NOT_ASCII 1
    #define UNUSUAL 2
    #define SEVERAL 4
    /* Adds the line of [start, end). Returns UNUSUAL if it is empty, or begins with a space or a control character; SEVERAL if
       it begins with a bracket. */
    static inline int add_line(const unsigned char *p, Py_ssize_t start, Py_ssize_t end, int *first, int *last) {
        end -= end > start && p[end - 1] == 13;
        *first = (int)start;
        *last = (int)end;
        return end == start || p[start] <= 32 ? UNUSUAL : p[start] == 91 ? SEVERAL : 0;
    }
    static inline int find_all_lines(
        const unsigned char *p, Py_ssize_t size, int *starts, int *ends, Py_ssize_t capacity, int values, int *traits
    ) {
        Py_ssize_t k = 0, found = 0, start = 0;
        int high = 0, several = 0;
        *traits = 0;
    #if defined(__SSE2__)
        const __m128i newline = _mm_set1_epi8(10), opening = _mm_set1_epi8(123), closing = _mm_set1_epi8(125);
        __m128i every = _mm_setzero_si128();
        for (; k + 64 <= size && found + 64 <= capacity; k += 64) {
            const __m128i *q = (const __m128i *)(p + k);
            unsigned long long hits = matches_of_64(p + k, newline);
            every = _mm_or_si128(every, _mm_or_si128(
                _mm_or_si128(_mm_loadu_si128(q), _mm_loadu_si128(q + 1)),
                _mm_or_si128(_mm_loadu_si128(q + 2), _mm_loadu_si128(q + 3))));
            if (values) {
                const unsigned long long opened = matches_of_64(p + k, opening);
                if (opened && opened & (matches_of_64(p + k, closing) << 1 | (k && p[k - 1] == 125))) several = 1;
            }
            for (; hits; hits &= hits - 1) {
                Py_ssize_t end = k + __builtin_ctzll(hits);
                *traits |= add_line(p, start, end, starts + found, ends + found);
                found++;
                start = end + 1;
            }
        }
        high = _mm_movemask_epi8(every);
    #endif
        for (; k < size; k++) {
            high |= p[k] & 0x80;
            several |= p[k] == 123 && k && p[k - 1] == 125;
            if (p[k] != 10) continue;
            if (found == capacity) return -1;
            *traits |= add_line(p, start, k, starts + found, ends + found);
            found++;
            start = k + 1;
        }
        if (start < size) {
            if (found == capacity) return -1;
            *traits |= add_line(p, start, size, starts + found, ends + found);
            found++;
        }
        *traits |= (high ? NOT_ASCII : 0) | (several ? SEVERAL : 0);
        if (!values) *traits &= ~SEVERAL;
        return (int)found;
    }
    static inline int find_rows(
        const unsigned char *p, const int *starts, Py_ssize_t count, int byte, int *rows
    ) {
        Py_ssize_t k, found = 0;
        for (k = 0; k < count; k++) {
            rows[found] = (int)k;
            found += p[starts[k]] == byte;
        }
        return (int)found;
    }
    static inline int find_pair(const unsigned char *p, Py_ssize_t size, int first, int second) {
        Py_ssize_t k = 0;
    #if defined(__SSE2__)
        const __m128i one = _mm_set1_epi8((char)first), other = _mm_set1_epi8((char)second);
        for (; k + 65 <= size; k += 64) {
            const unsigned long long hits = matches_of_64(p + k, one);
            if (hits && hits & matches_of_64(p + k + 1, other)) return 1;
        }
    #endif
        for (; k + 1 < size; k++) if (p[k] == first && p[k + 1] == second) return 1;
        return 0;
    }
    /* Returns the offset of the first occurrence of a literal in [k, last), or -1. Its first and last byte are compared first. */
    static inline Py_ssize_t next_literal(
        const unsigned char *p, Py_ssize_t k, Py_ssize_t last, const unsigned char *literal, Py_ssize_t length
    ) {
    #if defined(__SSE2__)
        const __m128i begin = _mm_set1_epi8((char)literal[0]), end = _mm_set1_epi8((char)literal[length - 1]);
        for (; k + 64 + length - 1 <= last; k += 64) {
            unsigned long long hits = matches_of_64(p + k, begin);
            if (hits) hits &= matches_of_64(p + k + length - 1, end);
            for (; hits; hits &= hits - 1) {
                const Py_ssize_t found = k + __builtin_ctzll(hits);
                if (!memcmp(p + found, literal, length)) return found;
            }
        }
    #endif
        for (; k + length <= last; k++) if (p[k] == literal[0] && !memcmp(p + k, literal, length)) return k;
        return -1;
    }
    static inline int mark_all(
        const unsigned char *p, const int *starts, const int *ends, Py_ssize_t rows, const unsigned char *literal,
        Py_ssize_t length, int allowance, double rate, unsigned char *marks
    ) {
        const Py_ssize_t first = starts[0], last = ends[rows - 1];
        Py_ssize_t k = first, row = 0;
        int found = 0;
        while ((k = next_literal(p, k, last, literal, length)) >= 0) {
            if (++found > allowance + (k - first) * rate) return -1;
            while (row + 1 < rows && starts[row + 1] <= k) row++;
            if (k + length <= ends[row]) {
                marks[row] = 1;
                k = ends[row];
            } else k++;  /* between records, or across the end of one */
        }
        return found;
    }
    """
    int find_all(
        const unsigned char *p, Py_ssize_t size, int byte, int *offsets, Py_ssize_t capacity
    ) noexcept nogil
    int find_all_lines(
        const unsigned char *p, Py_ssize_t size, int *starts, int *ends, Py_ssize_t capacity, int values, int *traits
    ) noexcept nogil
    int find_rows(
        const unsigned char *p, const int *starts, Py_ssize_t count, int byte, int *rows
    ) noexcept nogil
    bint find_pair(const unsigned char *p, Py_ssize_t size, int first, int second) noexcept nogil
    int mark_all(
        const unsigned char *p, const int *starts, const int *ends, Py_ssize_t rows, const unsigned char *literal,
        Py_ssize_t length, int allowance, double rate, unsigned char *marks
    ) noexcept nogil

cpdef int find_offsets(const unsigned char[::1] block, int byte, int[::1] offsets) except? -1
cpdef (int, int) find_lines(const unsigned char[::1] block, int[::1] starts, int[::1] ends, bint values)
cpdef int rows_beginning_with(const unsigned char[::1] block, const int[::1] starts, int byte, int[::1] rows) except -1
cpdef bint has_pair(const unsigned char[::1] block, int first, int second) except -1
cpdef int mark_records(
    const unsigned char[::1] block, const int[::1] starts, const int[::1] ends, const unsigned char[::1] literal,
    int allowance, double rate, unsigned char[::1] marks
) except? -1
