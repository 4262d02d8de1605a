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
    """
    int find_all(
        const unsigned char *p, Py_ssize_t size, int byte, int *offsets, Py_ssize_t capacity
    ) noexcept nogil

cpdef int find_offsets(const unsigned char[::1] block, int byte, int[::1] offsets) except? -1
