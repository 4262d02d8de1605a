"""Classes of texts that types reject with equal messages; see :meth:`.FieldType.problem_classes`."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar.spans import Int32, as_bool, from_numpy

UNCLASSED = -1
OTHER_FORM = 0  # class of the texts that are not of a type's form


def classes_by_form(texts: pa.StringArray, form: str) -> Int32:
    """Returns the class ``OTHER_FORM`` for texts that a regular expression (RE2) does not match as a whole.

    >>> classes_by_form(pa.array(["1", "a", "12"]), "[0-9]+").tolist()
    [-1, 0, -1]
    """
    matched = as_bool(pc.match_substring_regex(texts, rf"^(?:{form})\z"))
    return np.where(matched, np.int32(UNCLASSED), np.int32(OTHER_FORM))


def classes_of_integers(texts: pa.StringArray, bits: int) -> Int32:
    """Returns the classes of integers: 0 for other texts, and 1 for integers of up to 18 characters that do not fit in ``bits``."""
    classes = classes_by_form(texts, "[+-]?[0-9]+")
    sizes = pc.binary_length(texts)
    short = np.flatnonzero((classes == UNCLASSED) & as_bool(pc.less_equal(sizes, 18)))
    if len(short):
        digits = pc.ascii_ltrim(texts.take(from_numpy(short)), "+")
        numbers = np.frombuffer(digits.cast(pa.int64()).buffers()[1], np.int64)[: len(short)]
        least = -(1 << (bits - 1))
        classes[short[(numbers < least) | (numbers >= -least)]] = 1
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
    classes[times] = of_day[days.indices.to_numpy()]
    return classes
