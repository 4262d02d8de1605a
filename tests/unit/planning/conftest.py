"""Coverage of the first cases of each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.coverage_cases import measure_first_cases


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    measure_first_cases(items, Path(__file__).parent, cases=8)
