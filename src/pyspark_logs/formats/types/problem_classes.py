"""Classes of texts that types reject with equal messages; see :meth:`.FieldType.problem_classes`."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, as_numbers, from_numpy, text_scalar
from pyspark_logs.formats.columnar.spans import Int32

UNCLASSED = -1
OTHER_FORM = 0  # class of the texts that are not of a type's form
MAX_DIGITS = 40  # of an integer that is parsed, without leading zeros
_DIGITS_OF_CALENDAR = 18  # of the microseconds from 1970 to the end of the year 9999
_DIGITS_OF_64_BITS = 20  # of which every integer without leading zeros is larger than a signed one of 64 bits


def classes_by_form(texts: pa.StringArray, form: str) -> Int32:
    """Returns the class ``OTHER_FORM`` for texts that a regular expression (RE2) does not match as a whole.

    >>> classes_by_form(pa.array(["1", "a", "12"]), "[0-9]+").tolist()
    [-1, 0, -1]
    """
    matched = as_bool(pc.match_substring_regex(texts, rf"^(?:{form})\z"))
    return np.where(matched, np.int32(UNCLASSED), np.int32(OTHER_FORM))


def classes_of_integers(texts: pa.StringArray, bits: int) -> Int32:
    """Returns the classes of integers: 0 for other texts, 1 for integers that do not fit in ``bits``, 2 for those of many digits."""
    classes = classes_by_form(texts, "[+-]?[0-9]+")
    integers = np.flatnonzero(classes == UNCLASSED)
    if len(integers) == 0:
        return classes
    texts = texts.take(from_numpy(integers))
    negative = as_bool(pc.starts_with(texts, "-"))
    digits = pc.ascii_ltrim(texts, "+-0")
    sizes = np.frombuffer(pc.binary_length(digits).buffers()[1], np.int32)[: len(digits)]
    digits = pc.if_else(from_numpy((sizes > 0) & (sizes < _DIGITS_OF_64_BITS)), digits, text_scalar("0"))
    magnitudes = np.frombuffer(digits.cast(pa.uint64()).buffers()[1], np.uint64)[: len(digits)]
    limit = np.where(negative, np.uint64(1 << (bits - 1)), np.uint64((1 << (bits - 1)) - 1))
    large = (magnitudes > limit) | (sizes >= _DIGITS_OF_64_BITS)
    classes[integers[large]] = np.where(sizes[large] > MAX_DIGITS, np.int32(2), np.int32(1))
    return classes


def classes_of_epochs(texts: pa.StringArray, form: str, power: int) -> Int32:
    """Returns the classes of times since the epoch: 0 for other texts, 1 for far years, 2 for times of many digits.

    Args:
        texts: strings without nulls.
        form: regular expression of the times: digits, which a minus may precede and a fraction follow.
        power: power of ten of a microsecond that is the unit.
    """
    classes = classes_by_form(texts, form)
    times = np.flatnonzero(classes == UNCLASSED)
    digits = pc.ascii_ltrim(texts.take(from_numpy(times)), "-0")
    points, lengths = (
        np.frombuffer(column.buffers()[1], np.int32)[: len(digits)]
        for column in (pc.find_substring(digits, "."), pc.binary_length(digits))
    )
    sizes = np.where(points < 0, lengths, points)
    far = sizes + power > _DIGITS_OF_CALENDAR
    classes[times[far]] = np.where(sizes[far] + max(power, 0) > MAX_DIGITS, np.int32(2), np.int32(1))
    return classes


def classes_of_times(texts: pa.StringArray, form: str) -> Int32:
    """Returns the classes of times that begin with a date: 0 for other texts, and one for each date that does not exist.

    The date of a time is checked before its other parts.
    """
    classes = classes_by_form(texts, form)
    times = np.flatnonzero(classes == UNCLASSED)
    days = pc.utf8_slice_codeunits(texts.take(from_numpy(times)), 0, 10).dictionary_encode()
    of_day = np.full(len(days.dictionary), UNCLASSED, np.int32)
    for index, day in enumerate(days.dictionary.to_pylist()):
        try:
            dt.date.fromisoformat(day)
        except ValueError:
            of_day[index] = index + 1
    classes[times] = of_day[as_numbers(days.indices)]
    return classes
