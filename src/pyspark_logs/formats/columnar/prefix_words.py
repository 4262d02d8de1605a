"""Eight bytes of each text as one number, for what is over soon: short fields and small numbers.

The numbers are little-endian whatever the machine is, so the first byte of a text is the lowest of its number.
All bytes of a number are worked on together, as in "Bit Twiddling Hacks" (S. E. Anderson), "Determine if a word has
a zero byte".
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32, Int64

Words = npt.NDArray[np.uint64]

WORD_BYTES = 8  # of a number
PREFIX_BYTES = 2 * WORD_BYTES

_ONES = 0x0101010101010101
_HIGH_BITS = 0x8080808080808080


def load_words(view: Bytes, places: Int32) -> Words:
    """The eight bytes at each place; zeros past the end of ``view``.

    >>> import numpy as np
    >>> [hex(word) for word in load_words(np.frombuffer(b"123456789", np.uint8), np.array([1, 7, 9], np.int32)).tolist()]
    ['0x3938373635343332', '0x3938', '0x0']
    """
    if len(view) < WORD_BYTES:
        view = np.concatenate((view, np.zeros(WORD_BYTES - len(view), np.uint8)))
    last = len(view) - WORD_BYTES
    # One number for each byte of the view: they overlap, and nothing is copied.
    table: Words = np.ndarray(last + 1, np.dtype("<u8"), buffer=view, strides=(1,))
    if len(places) == 0 or places.max() <= last:
        return table[places].astype(np.uint64, copy=False)
    words = table[np.minimum(places, last)].astype(np.uint64, copy=False)
    for row in np.flatnonzero(places > last).tolist():
        words[row] = int.from_bytes(view[places[row] :].tobytes(), "little")
    return words


def _first_in(words: Words, byte: int) -> Int32:
    """Which of its eight bytes is the first that equals ``byte``; 8: none."""
    ones = np.uint64(_ONES)
    marks = words ^ np.uint64(_ONES * byte)  # zero where the byte is
    words = marks - ones
    np.invert(marks, out=marks)
    marks &= words
    marks &= np.uint64(_HIGH_BITS)
    # The lowest mark is right, those above it may not be. The bytes below it, each made a one, are counted by adding them up.
    np.negative(marks, out=words)
    marks &= words
    marks >>= np.uint64(7)
    marks -= np.uint64(1)
    marks &= ones
    marks *= ones
    marks >>= np.uint64(56)
    return marks.astype(np.int32)


def find_byte_in_prefix(view: Bytes, starts: Int32, words: Words, byte: int) -> Int32:
    """Where ``byte`` first stands among the 16 bytes from each place; ``starts + PREFIX_BYTES``: nowhere there.

    Args:
        view: the text's bytes.
        starts: the places.
        words: :func:`load_words` these.
        byte: what to look for.

    >>> import numpy as np
    >>> view, starts = np.frombuffer(b"-,a value that is long,", np.uint8), np.array([0, 2], np.int32)
    >>> find_byte_in_prefix(view, starts, load_words(view, starts), ord(",")).tolist()
    [1, 18]
    """
    first = _first_in(words, byte)
    at = starts + first
    missing = np.flatnonzero(first == WORD_BYTES)
    if len(missing) == len(at):
        at += _first_in(load_words(view, at), byte)
    elif len(missing):
        behind = at[missing]
        at[missing] = behind + _first_in(load_words(view, behind), byte)
    return at


def parse_small_integers(words: Words, widths: Int32, null: Bool | None = None) -> Int64 | None:
    """Numbers of one to eight digits and nothing else; None: one of them is not.

    Args:
        words: what stands where the numbers begin.
        widths: the bytes of each.
        null: texts that are no numbers and make a zero; None: all are.

    >>> import numpy as np
    >>> words = load_words(np.frombuffer(b"7,08,", np.uint8), np.array([0, 2], np.int32))
    >>> parse_small_integers(words, np.array([1, 2], np.int32)).tolist()
    [7, 8]
    """
    if null is not None:
        widths = np.where(null, np.int32(1), widths)
    if len(widths) == 0 or widths.min() < 1 or widths.max() > WORD_BYTES:
        return None
    # Half the bytes take half the time.
    size = WORD_BYTES if widths.max() > WORD_BYTES // 2 else WORD_BYTES // 2
    number = np.uint64 if size == WORD_BYTES else np.uint32
    every = (1 << 8 * size) - 1
    # The digits as the highest bytes, and zeros below them: in this order of bytes these are leading zeros.
    unused = ((size - widths) << 3).astype(number)
    digits = words.astype(number) << unused
    digits ^= number(0x3030303030303030 & every) << unused
    if null is not None:
        digits[null] = 0
    above_nine = digits + number(0x7676767676767676 & every)
    above_nine |= digits
    above_nine &= number(_HIGH_BITS & every)
    if above_nine.any():
        return None
    # Neighbours are joined: to four numbers of two digits, two of four, one of eight.
    for factor, shift, mask in ((10, 8, 0x00FF00FF00FF00FF), (100, 16, 0x0000FFFF0000FFFF), (10_000, 32, 0xFFFFFFFF)):
        if shift == 8 * size:
            break
        lower = digits >> number(shift)
        digits *= number(factor)
        digits += lower
        digits &= number(mask & every)
    return digits.astype(np.int64)
