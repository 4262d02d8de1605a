"""The search of a byte, compiled and interpreted."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pyspark_logs import compilation
from pyspark_logs.records.blocks import byte_offsets, has_pair

pytest.importorskip("cython")


def interpreted() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "pyspark_logs.records.interpreted", Path(compilation.__file__).parent / "records/byte_search.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def searches() -> list[ModuleType]:
    if not compilation.is_compiled("pyspark_logs.records.byte_search"):
        return [interpreted()]
    from pyspark_logs.records import byte_search

    return [interpreted(), byte_search]


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


def test_the_search_of_blocks_is_the_same_without_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = np.frombuffer(b"a\n" * 100 + b"x" * 1000 + b"\n", np.uint8)
    monkeypatch.setenv("PYSPARK_LOGS_COMPILED", "")
    found = byte_offsets(raw, 10).tolist()
    monkeypatch.setenv("PYSPARK_LOGS_COMPILED", "0")
    assert byte_offsets(raw, 10).tolist() == found
    assert [has_pair(text, 125, 123) for text in (b"", b"}", b"}{", b"x}{", b"{}")] == [False, False, True, True, False]
