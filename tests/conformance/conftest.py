"""Conformance tests measure no coverage: it takes a third of their time, and the unit tests cover the same code."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/conformance/" in item.path.as_posix():
            item.add_marker(pytest.mark.no_cover)
