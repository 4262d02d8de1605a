from __future__ import annotations

import gc
import importlib.machinery
import sys
import types
import weakref
from collections.abc import Iterator

import pytest

pytest.importorskip("pyspark")

from pyspark_logs.datasource.worker_process import exclude_modules_from_collections


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    """Lets the collections of the test visit all objects, as in a new process, and freezes those of the session again."""
    gc.unfreeze()
    yield
    gc.freeze()


def start_by(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    main.__spec__ = importlib.machinery.ModuleSpec(name, None)
    monkeypatch.setitem(sys.modules, "__main__", main)


class Node:
    """Object of a reference cycle."""

    def __init__(self) -> None:
        self.itself = self


def test_a_worker_collects_only_what_its_tasks_made(monkeypatch: pytest.MonkeyPatch) -> None:
    start_by("pyspark.daemon", monkeypatch)
    before = weakref.ref(Node())
    exclude_modules_from_collections()
    assert gc.get_freeze_count() > 10_000
    assert before() is None  # garbage is collected before, not kept for ever
    assert len(gc.get_objects()) < 1000
    later = Node()
    exclude_modules_from_collections()
    assert any(visited is later for visited in gc.get_objects())


@pytest.mark.parametrize("name", ["pytest", "pyspark.worker", "my_job"])
def test_other_processes_are_left_as_they_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    start_by(name, monkeypatch)
    exclude_modules_from_collections()
    assert gc.get_freeze_count() == 0


def test_an_interactive_process_has_no_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    main.__spec__ = None
    monkeypatch.setitem(sys.modules, "__main__", main)
    exclude_modules_from_collections()
    assert gc.get_freeze_count() == 0
