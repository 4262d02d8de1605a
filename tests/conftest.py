"""Fixtures and settings of all tests."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import settings

from tests.support.effort import examples
from tests.support.s3_server import s3, s3_server

__all__ = ["s3", "s3_server"]  # fixtures

# Here, because several directories of tests import them.
pytest.register_assert_rewrite("tests.unit.store.read_suite", "tests.unit.store.write_suite")

# No deadline, because the first example of a property often imports Arrow. The profile of hypothesis for CI draws the same
# examples in every run and has no deadline either.
_PARENT = settings.get_profile("ci" if os.environ.get("CI") else "default")
settings.register_profile("pyspark-logs", _PARENT, deadline=None, max_examples=examples(100))
settings.load_profile("pyspark-logs")


def pytest_collection_finish() -> None:
    """Leaves the collected tests out of garbage collections, which would visit their millions of objects each time."""
    gc.collect()
    gc.freeze()
