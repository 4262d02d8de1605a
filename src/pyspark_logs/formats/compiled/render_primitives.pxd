# The functions of ``render_primitives.py``, for the compiler, which copies them into the machine.

cdef extern from *:
    """
    #include <string.h>
    #include <stdint.h>
    #if defined(__SSE2__)
      #include <emmintrin.h>
    #endif
    #define INPUT(k) (inputs[5 * slot + (k)])
    static inline int render_is_valid(const long long *inputs, int slot, long long row) {
        const unsigned char *bits = (const unsigned char *)(uintptr_t)INPUT(0);
        row += INPUT(3);
        return !bits || (bits[row >> 3] >> (row & 7) & 1);
    }
    static inline long long render_integer_at(const long long *inputs, int slot, long long row, int bits) {
        const char *values = (const char *)(uintptr_t)INPUT(1);
        row += INPUT(3);
        switch (bits) {
            case 8: return ((const int8_t *)values)[row];
            case 16: return ((const int16_t *)values)[row];
            case 32: return ((const int32_t *)values)[row];
            default: return ((const int64_t *)values)[row];
        }
    }
    static inline double render_double_at(const long long *inputs, int slot, long long row) {
        return ((const double *)(uintptr_t)INPUT(1))[row + INPUT(3)];
    }
    static inline int render_is_zero(double value) {
        unsigned long long bits;
        memcpy(&bits, &value, sizeof bits);
        return !bits;
    }
    static inline int render_boolean_at(const long long *inputs, int slot, long long row) {
        row += INPUT(3);
        return ((const unsigned char *)(uintptr_t)INPUT(1))[row >> 3] >> (row & 7) & 1;
    }
    static inline const unsigned char *render_text_bytes(const long long *inputs, int slot) {
        return (const unsigned char *)(uintptr_t)INPUT(2);
    }
    static inline int render_text_total(const long long *inputs, int slot) { return (int)INPUT(4); }
    static inline int render_text_offset(const long long *inputs, int slot, long long row) {
        return ((const int32_t *)(uintptr_t)INPUT(1))[row + INPUT(3)];
    }
    #undef INPUT
    static inline int render_find_special(
        const unsigned char *p, int start, int end, int a, int b, int c, int high, int total
    ) {
    #if defined(__SSE2__)
        const __m128i control = _mm_set1_epi8(31);
        const __m128i first = _mm_set1_epi8((char)a), second = _mm_set1_epi8((char)b), third = _mm_set1_epi8((char)c);
        while (start < end && start + 16 <= total) {
            const __m128i text = _mm_loadu_si128((const __m128i *)(p + start));
            __m128i found = _mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(text, control), text), _mm_cmpeq_epi8(text, first)),
                _mm_or_si128(_mm_cmpeq_epi8(text, second), _mm_cmpeq_epi8(text, third)));
            int hits = _mm_movemask_epi8(found);
            if (high) hits |= _mm_movemask_epi8(text);
            if (hits) { start += __builtin_ctz((unsigned)hits); return start < end ? start : end; }
            start += 16;
        }
    #endif
        for (; start < end; start++) {
            const int byte = p[start];
            if (byte < 32 || byte == a || byte == b || byte == c || (high && byte > 127)) return start;
        }
        return end;
    }
    #define RENDER_CHUNK 32
    static inline int render_put_text(
        unsigned char *out, int at, const unsigned char *p, int begin, int size, int total
    ) {
        unsigned char *to = out + at;
        const unsigned char *from = p + begin;
        if (size <= 256 && begin <= total - ((size + 31) & ~31)) {
            int left = size;
            for (; left > 0; left -= RENDER_CHUNK, to += RENDER_CHUNK, from += RENDER_CHUNK) memcpy(to, from, RENDER_CHUNK);
        } else if (size) memcpy(to, from, (size_t)size);
        return at + size;
    }
    static inline int render_put_literal(unsigned char *out, int at, const unsigned char *pool, int text, int size) {
        unsigned char *to = out + at;
        const unsigned char *from = pool + text;
        int left = size;
        for (; left > 0; left -= RENDER_CHUNK, to += RENDER_CHUNK, from += RENDER_CHUNK) memcpy(to, from, RENDER_CHUNK);
        return at + size;
    }
    static const char RENDER_PAIRS[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960"
        "616263646566676869707172737475767778798081828384858687888990919293949596979899";
    static inline int render_put_digits(unsigned char *out, int at, long long number, int width) {
        unsigned long long value = (unsigned long long)number;
        int k = width;
        while (k >= 2) {
            unsigned pair = (unsigned)(value % 100);
            value /= 100;
            k -= 2;
            memcpy(out + at + k, RENDER_PAIRS + 2 * pair, 2);
        }
        if (k) out[at] = (unsigned char)(48 + value % 10);
        return at + width;
    }
    static inline int render_put_number(unsigned char *out, int at, unsigned long long value) {
        int width = 1;
        unsigned long long rest = value;
        while (rest >= 10) { rest /= 10; width++; }
        return render_put_digits(out, at, (long long)value, width);
    }
    """
    bint is_valid "render_is_valid"(const long long *inputs, int slot, long long row) noexcept nogil
    long long integer_at "render_integer_at"(const long long *inputs, int slot, long long row, int bits) noexcept nogil
    double double_at "render_double_at"(const long long *inputs, int slot, long long row) noexcept nogil
    bint is_zero "render_is_zero"(double value) noexcept nogil
    bint boolean_at "render_boolean_at"(const long long *inputs, int slot, long long row) noexcept nogil
    const unsigned char *text_bytes "render_text_bytes"(const long long *inputs, int slot) noexcept nogil
    int text_total "render_text_total"(const long long *inputs, int slot) noexcept nogil
    int text_offset "render_text_offset"(const long long *inputs, int slot, long long row) noexcept nogil
    int find_special "render_find_special"(
        const unsigned char *p, int start, int end, int a, int b, int c, bint high, int total
    ) noexcept nogil
    int put_text "render_put_text"(
        unsigned char *out, int at, const unsigned char *p, int begin, int size, int total
    ) noexcept nogil
    int put_literal "render_put_literal"(
        unsigned char *out, int at, const unsigned char *pool, int text, int size
    ) noexcept nogil
    int put_digits "render_put_digits"(unsigned char *out, int at, long long value, int width) noexcept nogil
    int put_number "render_put_number"(unsigned char *out, int at, unsigned long long value) noexcept nogil
