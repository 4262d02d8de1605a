"""Splits and tasks."""

from __future__ import annotations

import pickle
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyspark_logs.layout import LayoutMatch
from pyspark_logs.options import PlanOptions
from pyspark_logs.planning.packing import FileSplit, pack, split_files, task_bytes
from pyspark_logs.store import StoredFile

sizes = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.integers(0, 1000), max_size=30)


@given(sizes, st.integers(1, 400), st.integers(1, 100))
@example({"a": 0}, 1, 1)
def test_splits_cover_each_byte_once_and_tasks_keep_the_limit(files: dict[str, int], limit: int, cost: int) -> None:
    stored = [(StoredFile(path, size, 5, "e"), LayoutMatch(1, 2, ("v",))) for path, size in files.items()]
    splits = split_files(stored, max_bytes=limit, splittable=lambda path: "a" in path)
    tasks = pack(splits, max_bytes=limit, open_cost_bytes=cost)
    assert sorted((s for task in tasks for s in task.splits), key=repr) == sorted(splits, key=repr)
    for path, size in files.items():
        bounds = sorted((s.start, s.start + s.length) for s in splits if s.path == path)
        assert [start for start, _ in bounds] + [size] == [0] + [end for _, end in bounds] if bounds else size == 0
        assert len(bounds) <= 1 or "a" in path
    for task in tasks:
        assert task.splits
        assert task.bytes <= limit or (len(task.splits) == 1 and "a" not in task.splits[0].path)
        assert cost * (len(task.splits) - 1) <= limit
    assert pack(splits[::-1], max_bytes=limit, open_cost_bytes=cost) == tasks


def test_tasks_are_sequences_of_splits() -> None:
    files = [(StoredFile(name, 10, 7, "e"), LayoutMatch(1, 2, (name,))) for name in "abc"]
    splits = split_files(files, max_bytes=4, splittable=lambda path: path == "b")
    assert [(split.path, split.start, split.length) for split in splits] == [
        ("a", 0, 10), ("b", 0, 4), ("b", 4, 4), ("b", 8, 2), ("c", 0, 10),
    ]  # fmt: skip
    assert splits[-1] == FileSplit("c", 0, 10, 10, 7, "e", 1, 2, ("c",))
    assert list(splits[1:4]) == [split for split in splits if split.path == "b"]
    with pytest.raises(IndexError):
        splits[5]
    assert pickle.loads(pickle.dumps(splits)) == splits


def test_a_hundred_thousand_small_objects() -> None:
    """Their tasks are hundreds, of hundreds of files, and travel in less than 100 bytes a file."""
    count, rng = 100_000, random.Random(1)
    stored = [
        (
            StoredFile(
                f"s3://acme-logs/app/web/2026/11/22/{n % 24:02}/i-{rng.randrange(16**12):012x}.{n:06}.log.gz",
                rng.randrange(50_000, 80_000), 1_795_330_800_000 + rng.randrange(86_400_000), f"{rng.randrange(16**32):032x}",
            ),
            LayoutMatch(n % 24, n % 24 + 1, ("web",)),
        )
        for n in range(count)
    ]  # fmt: skip
    sizes = PlanOptions()
    limit = task_bytes(sizes, size=sum(file.size for file, _ in stored), files=count, parallelism=100)
    splits = split_files(stored, max_bytes=limit, splittable=lambda _: False)
    tasks = pack(splits, max_bytes=limit, open_cost_bytes=sizes.open_cost_bytes)
    assert 200 <= len(tasks) <= 1_000
    assert sum(len(task.splits) for task in tasks) == count
    first = pickle.dumps(tasks[0].splits)
    assert len(first) <= 100 * len(tasks[0].splits)
    assert pickle.loads(first) == tasks[0].splits


@given(sizes, st.integers(1, 20), st.integers(0, 50))
def test_a_load_is_divided_among_the_tasks_that_run_at_once(files: dict[str, int], count: int, cost: int) -> None:
    options = PlanOptions(min_partitions=count, open_cost_bytes=cost)
    stored = [(StoredFile(path, size, 5, "e"), LayoutMatch()) for path, size in files.items() if size]
    total = sum(file.size for file, _ in stored)
    limit = task_bytes(options, size=total, files=len(stored))
    tasks = pack(split_files(stored, max_bytes=limit, splittable=lambda _: True), max_bytes=limit, open_cost_bytes=cost)
    assert all(task.bytes <= max((total + len(stored) * cost) / count + 1, cost, 1) for task in tasks)
    assert sum(task.bytes for task in tasks) == total


@pytest.mark.parametrize(
    ("options", "size", "files", "expected"),
    [
        ({}, 200 << 20, 1, (201 << 20) // 4),
        ({}, 5 << 20, 1, 8 << 20),
        ({"open_cost_bytes": 9 << 20}, 5 << 20, 1, 9 << 20),
        ({}, 100_000 * 65536, 100_000, 128 << 20),
        ({"max_partition_bytes": 64 << 20}, 100 << 20, 1, 64 << 20),
        ({"max_partition_bytes": 64 << 20, "min_partitions": 2}, 63 << 20, 1, 32 << 20),
        ({"min_partitions": 1}, 5 << 30, 1, 128 << 20),
        ({"min_partitions": 1000, "open_cost_bytes": 0}, 10_000, 3, 10),
        ({"min_partitions": 1000, "open_cost_bytes": 0}, 0, 0, 1),
    ],
)
def test_the_size_of_tasks(options: dict[str, int], size: int, files: int, expected: int) -> None:
    assert task_bytes(PlanOptions(**options), size=size, files=files, parallelism=4) == expected
