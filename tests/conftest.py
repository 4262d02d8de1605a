"""Fixtures and settings of all tests."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import settings

from tests.support.effort import examples
from tests.support.s3_server import s3, s3_server
from tests.support.tracing import (
    pytest_collection,
    pytest_make_collect_report,
    pytest_runtest_call,
    pytest_runtest_setup,
    pytest_runtest_teardown,
)

__all__ = [
    "pytest_collection",
    "pytest_make_collect_report",
    "pytest_runtest_call",
    "pytest_runtest_setup",
    "pytest_runtest_teardown",
    "s3",  # fixtures
    "s3_server",
]

# Until the collection has finished: it creates millions of objects, all of which live as long as the session.
gc.disable()

# Here, because several directories of tests import them.
pytest.register_assert_rewrite("tests.unit.store.read_suite", "tests.unit.store.write_suite")

# No deadline, because the first example of a property often imports Arrow. The profile of hypothesis for CI draws the same
# examples in every run and has no deadline either.
_PARENT = settings.get_profile("ci" if os.environ.get("CI") else "default")
settings.register_profile("pyspark-logs", _PARENT, deadline=None, max_examples=examples(100))
settings.load_profile("pyspark-logs")


def pytest_xdist_auto_num_workers() -> int:
    """Returns the number of processes for ``-n auto``: one more than processors, as many tests wait for servers and disks."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return available + 1


def pytest_collection_finish() -> None:
    """Leaves the collected tests out of garbage collections, which would visit their millions of objects each time."""
    gc.collect()
    gc.freeze()
    gc.enable()
