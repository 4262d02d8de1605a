"""The helper that distinguishes linear from quadratic functions."""

from __future__ import annotations

import pytest

from tests.support.growth import assert_linear_time


def test_a_linear_function_passes() -> None:
    assert_linear_time(lambda size: sum(range(size)), 2_000_000)


def test_a_quadratic_function_fails() -> None:
    with pytest.raises(AssertionError, match="not linear"):
        assert_linear_time(lambda size: [sum(range(size)) for _ in range(size)], 2_000)
