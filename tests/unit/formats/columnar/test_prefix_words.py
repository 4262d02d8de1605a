"""Operations on eight bytes at a time equal those on single bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyspark_logs.formats.columnar import prefix_words
from pyspark_logs.records import byte_offsets
from pyspark_logs.records.byte_search import _SEARCH_BYTES

# Bytes that differ from the one searched for by little, which is where arithmetic on whole words may go wrong.
texts = st.text(st.sampled_from(",-+.0123456789:/ \x00\x01\x7f\x80\xac\xff"), max_size=60).map(
    lambda text: text.encode("latin-1")
)


def view_and_offsets(text, data):
    offsets = data.draw(st.lists(st.integers(0, len(text)), max_size=6).map(sorted))
    return np.frombuffer(text, np.uint8), np.array(offsets, np.int32)


@given(texts, st.data())
def test_load_words_pads_with_zeros_past_the_end(text, data):
    view, offsets = view_and_offsets(text, data)
    found = prefix_words.load_words(view, offsets)
    assert found.dtype == np.uint64
    assert [word.tobytes() for word in found.astype("<u8")] == [
        text[offset : offset + 8].ljust(8, b"\0") for offset in offsets.tolist()
    ]


@given(texts, st.sampled_from(b",-\x01\x7f\x80\xff"), st.data())
def test_find_byte_in_prefix_finds_the_first_occurrence(text, byte, data):
    view, starts = view_and_offsets(text, data)
    found = prefix_words.find_byte_in_prefix(view, starts, prefix_words.load_words(view, starts), byte)
    assert found.dtype == np.int32
    for start, at in zip(starts.tolist(), found.tolist(), strict=True):
        offset = text[start : start + prefix_words.PREFIX_BYTES].find(bytes([byte]))
        assert at == start + (offset if offset >= 0 else prefix_words.PREFIX_BYTES)


numbers = st.one_of(
    st.integers(0, 10**9).map(str), st.from_regex(r"\A[0-9]{1,8}\Z"), st.sampled_from(["", "-", "+1", "1a", "1:", "/"])
)


@given(st.lists(st.tuples(numbers, st.booleans()), max_size=6), st.booleans())
@example([("99999999", False), ("00000000", False)], False)
@example([("7", False)], False)
def test_parse_small_integers_equals_int(rows, masked):
    text = ",".join(number for number, _ in rows).encode()
    widths = np.array([len(number) for number, _ in rows], np.int32)
    ends = (np.cumsum(widths + 1) - 1).astype(np.int32)
    starts = ends - widths
    null = np.array([skip for _, skip in rows], np.bool_) if masked else None
    found = prefix_words.parse_small_integers(
        prefix_words.load_words(np.frombuffer(text, np.uint8), starts), widths, null
    )
    wanted = ["0" if masked and skip else number for number, skip in rows]
    if not rows or not all(number.isdigit() and len(number) <= 8 for number in wanted):
        assert found is None
    else:
        assert found.tolist() == [int(number) for number in wanted]


@given(texts, st.sampled_from(b",-\x00\xff"))
def test_byte_offsets(text, byte):
    found = byte_offsets(np.frombuffer(text, np.uint8), byte)
    assert found.dtype == np.int32
    assert found.tolist() == [offset for offset, other in enumerate(text) if other == byte]


@pytest.mark.parametrize("size", [_SEARCH_BYTES - 1, _SEARCH_BYTES, _SEARCH_BYTES + 9, 2 * _SEARCH_BYTES + 3])
def test_byte_offsets_across_stretches(size):
    raw = np.random.default_rng(size).integers(0, 9, size).astype(np.uint8)
    raw[[0, _SEARCH_BYTES - 2, -1]] = 3
    assert byte_offsets(raw, 3).tolist() == np.flatnonzero(raw == 3).tolist()
