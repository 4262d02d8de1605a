cdef extern from *:
    """
    #if defined(__SSE2__)
      #include <emmintrin.h>
    #endif
    static inline int find_all(const unsigned char *p, Py_ssize_t size, int byte, int *offsets, Py_ssize_t capacity) {
        Py_ssize_t k = 0, found = 0;
    #if defined(__SSE2__)
        const __m128i wanted = _mm_set1_epi8((char)byte);
        for (; k + 16 <= size && found + 16 <= capacity; k += 16) {
            unsigned hits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + k)), wanted));
            while (hits) {
                offsets[found++] = (int)k + __builtin_ctz(hits);
                hits &= hits - 1;
            }
        }
    #endif
        for (; k < size; k++) {
            if (p[k] != byte) continue;
            if (found == capacity) return -1;
            offsets[found++] = (int)k;
        }
        return (int)found;
    }
    static inline int find_pair(const unsigned char *p, Py_ssize_t size, int first, int second) {
        Py_ssize_t k = 0;
    #if defined(__SSE2__)
        const __m128i one = _mm_set1_epi8((char)first), other = _mm_set1_epi8((char)second);
        for (; k + 17 <= size; k += 16) {
            __m128i hits = _mm_and_si128(
                _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + k)), one),
                _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + k + 1)), other));
            if (_mm_movemask_epi8(hits)) return 1;
        }
    #endif
        for (; k + 1 < size; k++) if (p[k] == first && p[k + 1] == second) return 1;
        return 0;
    }
    """
    int find_all(
        const unsigned char *p, Py_ssize_t size, int byte, int *offsets, Py_ssize_t capacity
    ) noexcept nogil
    bint find_pair(const unsigned char *p, Py_ssize_t size, int first, int second) noexcept nogil

cpdef int find_offsets(const unsigned char[::1] block, int byte, int[::1] offsets) except? -1
cpdef bint has_pair(const unsigned char[::1] block, int first, int second) except -1
