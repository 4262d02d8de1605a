"""Tests whose coverage is measured: it doubles the duration of code that is plain Python."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest


def measure_first_cases(items: list[pytest.Item], directory: Path, cases: int) -> None:
    """Marks the tests of a directory as not covered, except the first cases of each parametrised function."""
    seen: Counter[str] = Counter()
    prefix = f"{directory}{os.sep}"
    for item in items:
        if str(item.path).startswith(prefix):
            function = item.nodeid.partition("[")[0]
            seen[function] += 1
            if seen[function] > cases:
                item.add_marker(pytest.mark.no_cover)
