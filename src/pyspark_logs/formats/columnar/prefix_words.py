"""Operations on the first eight bytes of each field, loaded as one 64-bit word: for short fields and small integers.

Words are little-endian on all machines, so the first byte of a field is the lowest byte of its word. The eight bytes
are processed together, see S. E. Anderson, "Bit Twiddling Hacks", "Determine if a word has a zero byte". In the combined
log format this is 1.1 times as fast as searching for each delimiter (scan of 48 MiB, one core).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pyspark_logs.formats.columnar.spans import (
    Bool,
    Bytes,
    Int32,
    Int64,
)

Words = npt.NDArray[np.uint64]

WORD_BYTES = 8
PREFIX_BYTES = 2 * WORD_BYTES  # that find_byte_in_prefix searches

_ONES = 0x0101010101010101
_HIGH_BITS = 0x8080808080808080


def load_words(view: Bytes, offsets: Int32) -> Words:
    """Loads the eight bytes from each offset; bytes past the end of ``view`` are zero.

    >>> import numpy as np
    >>> [hex(word) for word in load_words(np.frombuffer(b"123456789", np.uint8), np.array([1, 7, 9], np.int32)).tolist()]
    ['0x3938373635343332', '0x3938', '0x0']
    """
    if len(view) < WORD_BYTES:
        view = np.concatenate((view, np.zeros(WORD_BYTES - len(view), np.uint8)))
    last = len(view) - WORD_BYTES
    # A view with one word for each byte of the block; the words overlap, and nothing is copied.
    table: Words = np.ndarray(last + 1, np.dtype("<u8"), buffer=view, strides=(1,))
    if len(offsets) == 0 or offsets.max() <= last:
        return table[offsets].astype(np.uint64, copy=False)
    words = table[np.minimum(offsets, last)].astype(np.uint64, copy=False)
    for row in np.flatnonzero(offsets > last).tolist():
        words[row] = int.from_bytes(view[offsets[row] :].tobytes(), "little")
    return words


def _find_byte_in_words(words: Words, byte: int) -> Int32:
    """Returns the index of the first byte of each word that equals ``byte``; 8 if there is none."""
    ones = np.uint64(_ONES)
    marks = words ^ np.uint64(_ONES * byte)  # zero bytes where the word equals the byte
    words = marks - ones
    np.invert(marks, out=marks)
    marks &= words
    marks &= np.uint64(_HIGH_BITS)
    # The lowest mark is exact, the marks above it may be wrong. The bytes below it become 1 each, and their sum, which the
    # multiplication computes in the highest byte, is the index.
    np.negative(marks, out=words)
    marks &= words
    marks >>= np.uint64(7)
    marks -= np.uint64(1)
    marks &= ones
    marks *= ones
    marks >>= np.uint64(56)
    return marks.astype(np.int32)


def find_byte_in_prefix(view: Bytes, starts: Int32, words: Words, byte: int) -> Int32:
    """Finds the first occurrence of a byte among the 16 bytes from each offset.

    Args:
        view: bytes of the block.
        starts: offsets to search from.
        words: words at these offsets, from :func:`load_words`.
        byte: byte to find.

    Returns:
        Offsets of the byte; ``starts + PREFIX_BYTES`` where it does not occur.

    >>> import numpy as np
    >>> view, starts = np.frombuffer(b"-,a value that is long,", np.uint8), np.array([0, 2], np.int32)
    >>> find_byte_in_prefix(view, starts, load_words(view, starts), ord(",")).tolist()
    [1, 18]
    """
    index = _find_byte_in_words(words, byte)
    found = starts + index
    missing = np.flatnonzero(index == WORD_BYTES)
    if len(missing) == len(found):
        found += _find_byte_in_words(load_words(view, found), byte)
    elif len(missing):
        second = found[missing]
        found[missing] = second + _find_byte_in_words(load_words(view, second), byte)
    return found


def parse_small_integers(words: Words, widths: Int32, null: Bool | None = None) -> Int64 | None:
    """Parses integers of one to eight digits without a sign.

    Args:
        words: words at the starts of the integers, from :func:`load_words`.
        widths: length of each integer in bytes.
        null: mask of the fields that are not parsed; their number is 0. None: no field.

    Returns:
        The numbers; None if a field is not an integer of this form.

    >>> import numpy as np
    >>> words = load_words(np.frombuffer(b"7,08,", np.uint8), np.array([0, 2], np.int32))
    >>> parse_small_integers(words, np.array([1, 2], np.int32)).tolist()
    [7, 8]
    """
    if null is not None:
        widths = np.where(null, np.int32(1), widths)
    if len(widths) == 0 or widths.min() < 1 or widths.max() > WORD_BYTES:
        return None
    # 32-bit words take half the time of 64-bit words.
    size = WORD_BYTES if widths.max() > WORD_BYTES // 2 else WORD_BYTES // 2
    number = np.uint64 if size == WORD_BYTES else np.uint32
    all_bits = (1 << 8 * size) - 1
    # Shift the digits to the highest bytes. The zeros below them are leading zeros in little-endian order.
    unused = ((size - widths) << 3).astype(number)
    digits = words.astype(number) << unused
    digits ^= number(0x3030303030303030 & all_bits) << unused
    if null is not None:
        digits[null] = 0
    # Adding 0x76 sets the high bit of each byte greater than 9; a byte whose high bit was set keeps it by the OR.
    not_digits = digits + number(0x7676767676767676 & all_bits)
    not_digits |= digits
    not_digits &= number(_HIGH_BITS & all_bits)
    if not_digits.any():
        return None
    # Combine neighbours: to four numbers of two digits, two numbers of four digits, one number of eight digits.
    for factor, shift, mask in ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10_000, 32, 0xFFFFFFFF)):
        if shift == 8 * size:
            break
        lower = digits >> number(shift)
        digits *= number(factor)
        digits += lower
        digits &= number(mask & all_bits)
    return digits.astype(np.int64)
