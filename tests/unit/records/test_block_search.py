"""The search of bytes and of lines, compiled and interpreted."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pyspark_logs import compilation
from pyspark_logs.records.blocks import line_bounds
from pyspark_logs.records.byte_search import byte_offsets, has_pair
from pyspark_logs.records.lines import find_lines

pytest.importorskip("cython")


def interpreted() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "pyspark_logs.records.interpreted", Path(compilation.__file__).parent / "records/block_search.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def searches() -> list[ModuleType]:
    if not compilation.is_compiled("pyspark_logs.records.block_search"):
        return [interpreted()]
    from pyspark_logs.records import block_search

    return [interpreted(), block_search]


@pytest.mark.parametrize("search", searches(), ids=lambda module: module.__name__)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100, 1000])
def test_a_byte_is_found_wherever_it_is(search: ModuleType, size: int) -> None:
    raw = np.random.default_rng(size).integers(0, 4, size).astype(np.uint8)
    expected = np.flatnonzero(raw == 1)
    for capacity in {max(len(expected), 1), len(expected) + 1, size + 16}:
        offsets = np.full(capacity, -1, np.int32)
        assert search.find_offsets(raw, 1, offsets) == len(expected)
        assert offsets[: len(expected)].tolist() == expected.tolist()
    if len(expected) > 1:
        assert search.find_offsets(raw, 1, np.empty(len(expected) - 1, np.int32)) == -1


@pytest.mark.parametrize("search", searches(), ids=lambda module: module.__name__)
@pytest.mark.parametrize("size", [0, 1, 2, 16, 17, 18, 33, 100])
def test_a_pair_is_found_wherever_it_is(search: ModuleType, size: int) -> None:
    for offset in range(-1, size - 1):
        raw = np.full(size, ord("}"), np.uint8)
        if offset >= 0:
            raw[offset + 1] = ord("{")
        assert search.has_pair(raw, ord("}"), ord("{")) == (offset >= 0)


@pytest.mark.parametrize("search", searches(), ids=lambda module: module.__name__)
@pytest.mark.parametrize("size", [0, 1, 2, 63, 64, 65, 130, 1000])
def test_lines_are_those_of_the_search_without_compiled_code(
    search: ModuleType, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSPARK_LOGS_COMPILED", "0")
    for seed, letters in enumerate((b"ab\n", b"a\r\n", b" a\n", "aä\n".encode(), b"a" * 40 + b"\n", b"a")):
        raw = np.random.default_rng(seed).choice(np.frombuffer(letters, np.uint8), size)
        text = raw.tobytes()
        expected = line_bounds(text)
        count = len(expected.starts)
        for capacity in {max(count, 1), size + 64}:
            starts, ends = np.full((2, capacity), -1, np.int32)
            found, traits = search.find_lines(raw, starts, ends, False)
            assert found == count
            assert starts[:count].tolist() == expected.starts.tolist()
            assert ends[:count].tolist() == expected.ends.tolist()
            assert bool(traits & search.NOT_ASCII) == (not text.isascii())
            lines = [text[start:end] for start, end in zip(starts[:count], ends[:count], strict=True)]
            unusual = any(not line or line[0] <= 0x20 for line in lines)
            assert bool(traits & search.UNUSUAL) == unusual
        if count > 1:
            few = np.empty((2, count - 1), np.int32)
            assert search.find_lines(raw, *few, False)[0] == -1


@pytest.mark.parametrize("search", searches(), ids=lambda module: module.__name__)
@pytest.mark.parametrize("size", [2, 63, 64, 65, 66, 128, 129, 200])
def test_lines_of_several_values_are_found_wherever_they_are(search: ModuleType, size: int) -> None:
    plain = b"{" + b"x" * (size - 2) + b"\n"
    texts = [plain, b"{[}\n", b"} {\n"]
    for offset in range(size - 1):
        texts += [plain[:offset] + pair + plain[offset + 2 :] for pair in (b"}{", b"\n[")]
    for text in texts:
        starts, ends = np.empty((2, size + 64), np.int32)
        several = b"}{" in text or b"\n[" in text or text.startswith(b"[")
        for seeks in (True, False):
            _, traits = search.find_lines(np.frombuffer(text, np.uint8), starts, ends, seeks)
            assert bool(traits & search.SEVERAL) == (several and seeks)


@pytest.mark.parametrize(
    "text", [b"[1]\n", b"{}{}\n", b"\0[1]\n", b"\0\0[1]", b" {}{}", b"{}\r\n[]", "{}\u00e9{}".encode()]
)
def test_lines_are_known_to_be_single_only_if_they_are(text: bytes) -> None:
    lines = find_lines(text, 0, seeks_values=True)
    several = b"}{" in text or any(lines.record(row).startswith(b"[") for row in range(len(lines)))
    assert not (lines.is_single and several)
    assert not find_lines(text, 0).is_single


@pytest.mark.parametrize("search", searches(), ids=lambda module: module.__name__)
def test_rows_are_those_that_begin_with_a_byte(search: ModuleType) -> None:
    raw = np.frombuffer(b"[1]\n{}\n[\nx", np.uint8)
    starts, rows = np.array([0, 4, 7, 9], np.int32), np.full(4, -1, np.int32)
    assert search.rows_beginning_with(raw, starts, ord("["), rows) == 2
    assert rows[:2].tolist() == [0, 2]
    assert search.rows_beginning_with(raw, starts[:0], ord("["), rows[:0]) == 0


@pytest.mark.parametrize("search", searches(), ids=lambda module: module.__name__)
def test_records_with_a_literal_are_marked(search: ModuleType) -> None:
    block = np.frombuffer(b"ab b\n#ab\nb ab ab\nba", np.uint8)
    starts, ends = np.array([0, 9, 17], np.int32), np.array([4, 16, 19], np.int32)
    marks = np.zeros(3, np.uint8)
    assert search.mark_records(block, starts, ends, b"ab", 3, 0.0, marks) == 3  # one is between the records
    assert marks.tolist() == [1, 1, 0]
    assert search.mark_records(block, starts, ends, b"ab", 2, 0.0, marks) == -1
    assert search.mark_records(block, starts, ends, b"ab", 2, 0.1, marks) == 3
    assert search.mark_records(block[:0], starts[:0], ends[:0], b"ab", 2, 0.1, marks[:0]) == 0


def test_the_search_of_blocks_is_the_same_without_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = np.frombuffer(b"a\n" * 100 + b"x" * 1000 + b"\n", np.uint8)
    monkeypatch.setenv("PYSPARK_LOGS_COMPILED", "")
    found = byte_offsets(raw, 10).tolist()
    monkeypatch.setenv("PYSPARK_LOGS_COMPILED", "0")
    assert byte_offsets(raw, 10).tolist() == found
    assert [has_pair(text, 125, 123) for text in (b"", b"}", b"}{", b"x}{", b"{}")] == [False, False, True, True, False]
