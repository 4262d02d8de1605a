"""The search of records that contain byte strings, compiled and by Python."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.compilation import VARIABLE
from pyspark_logs.records import lines_containing


@pytest.fixture(params=["", "0"], ids=["default", "interpreted"], autouse=True, scope="module")
def _search(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, request.param)
        yield


def lines_of(block: bytes) -> tuple[np.ndarray, np.ndarray]:
    starts, ends, at = [], [], 0
    for line in block.splitlines(keepends=True):
        starts.append(at)
        at += len(line)
        ends.append(at - len(line) + len(line.rstrip(b"\r\n")))
    return np.array(starts, np.int32), np.array(ends, np.int32)


alternatives_of_ab = st.lists(st.text("ab", min_size=1, max_size=3).map(str.encode), min_size=1, max_size=3).map(tuple)


@given(st.lists(st.text("ab#", max_size=6)), st.data(), alternatives_of_ab)
def test_lines_containing_finds_the_records_with_a_literal(
    lines: list[str], data: st.DataObject, alternatives: tuple[bytes, ...]
) -> None:
    """Hits in comment lines between records, and in prefixes and suffixes cut off a record, do not count."""
    block, records = b"", []
    for line in lines:
        cut, left = sorted(data.draw(st.tuples(st.integers(0, len(line)), st.integers(0, len(line)))))
        if not line.startswith("#"):
            records.append((len(block) + cut, len(block) + left))
        block += line.encode() + data.draw(st.sampled_from([b"\n", b"\r\n"]))
    starts = np.array([start for start, _ in records], np.int32)
    ends = np.array([end for _, end in records], np.int32)
    got = lines_containing(block, starts, ends, alternatives)
    assert got is not None
    assert got.dtype == np.bool_
    assert got.tolist() == [any(one in block[start:end] for one in alternatives) for start, end in records]


def test_lines_containing_in_records_of_several_lines() -> None:
    block = b"one\n at ERROR\n at ERROR\ntwo\nthree\n at ERROR"
    starts, ends = np.array([0, 24, 28], np.int32), np.array([23, 27, 43], np.int32)
    assert lines_containing(block, starts, ends, (b"ERROR",)).tolist() == [True, False, True]


def test_lines_containing_in_an_empty_block() -> None:
    nothing = np.array([], np.int32)
    assert lines_containing(b"", nothing, nothing, (b"a",)).tolist() == []


@pytest.mark.parametrize("share", [0, 2, 20, 30, 80, 100])
def test_a_search_with_too_many_hits_is_given_up(share: int) -> None:
    block = b"".join(b"line of level %s\n" % (b"GOOD" if i * 37 % 100 < share else b"BAD") for i in range(5000))
    starts, ends = lines_of(block)
    got = lines_containing(block, starts, ends, (b"GOOD",))
    assert (got is None) == (share > 25)
    assert got is None or got.sum() == 50 * share
    # The hits of all alternatives count together.
    both = lines_containing(block, starts, ends, (b"GOOD", b"level"))
    assert both is None


@pytest.mark.parametrize("length", [1, 2, 5, 70])
def test_a_literal_is_found_wherever_it_is(length: int) -> None:
    """At any offset in the 64 bytes that the compiled search compares at once, and at the end of the block."""
    literal = b"b" * (length - 1) + b"c"
    for before in range(0, 140, 3):
        block = b"b" * before + literal + b"\n" + b"b" * 80
        starts, ends = np.array([0, before + length + 1], np.int32), np.array([before + length, len(block)], np.int32)
        assert lines_containing(block, starts, ends, (literal,)).tolist() == [True, False]
        cut = np.array([before + length - 1, len(block)], np.int32)
        assert lines_containing(block, starts, cut, (literal,)).tolist() == [False, False]
