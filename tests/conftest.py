"""Fixtures and settings of all tests."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import tracing
from tests.support.effort import examples
from tests.support.s3_server import s3, s3_server

__all__ = ["s3", "s3_server"]  # fixtures

# Until the collection has finished: it creates millions of objects, all of which live as long as the session.
gc.disable()

# A shell starts jobs in the background with SIGINT ignored. Programs that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Here, because several directories of tests import them.
pytest.register_assert_rewrite("tests.unit.store.read_suite", "tests.unit.store.write_suite")

# No deadline, because the first example of a property often imports Arrow. The profile of hypothesis for CI draws the same
# examples in every run and has no deadline either.
_PARENT = settings.get_profile("ci" if os.environ.get("CI") else "default")
settings.register_profile("pyspark-logs", _PARENT, deadline=None, max_examples=examples(100))
settings.load_profile("pyspark-logs")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(tracing, "tracing")


def pytest_xdist_auto_num_workers() -> int:
    """Returns the number of processes for ``-n auto``: one more than processors, as many tests wait for servers and disks."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return available + 1


# Files of few and long tests, longest first. Two processes run the tests of Spark by the file, and would otherwise wait for
# one of these at the end.
_LONG_FILES = (
    "test_stream_source.py",
    "test_pages.py",
    "test_secrets.py",
    "test_stream_crashes.py",
    "test_cluster_faults.py",
    "test_writing.py",
    "test_demo.py",
    "test_stream_sink.py",
    "test_versions.py",
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves files without tests of Spark out of a run of only these tests, to which two processes would collect them."""
    if not str(config.option.markexpr).startswith("spark") or not collection_path.name.startswith("test_"):
        return None
    is_needed = collection_path.parent.name == "spark" or "mark.spark" in collection_path.read_text(encoding="utf-8")
    return None if is_needed else True


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(_LONG_FILES)}
    if any(item.get_closest_marker("spark") for item in items):
        items.sort(key=lambda item: ranks.get(item.path.name, len(_LONG_FILES)))


def pytest_collection_finish() -> None:
    """Leaves the collected tests out of garbage collections, which would visit their millions of objects each time."""
    gc.freeze()
    gc.enable()
