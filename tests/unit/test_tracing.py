"""The end of tracing where no coverage is measured."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from tests.support.tracing import untraced


@pytest.mark.no_cover
def test_a_test_without_coverage_and_its_threads_have_no_tracer() -> None:
    found: list[Any] = [sys.gettrace()]
    thread = threading.Thread(target=lambda: found.append(sys.gettrace()))
    thread.start()
    thread.join()
    assert found == [None, None]


def test_the_tracer_is_restored() -> None:
    def tracer(*_: object) -> None:
        """Traces nothing."""

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        with untraced() as ended:
            inside = sys.gettrace()
        after = sys.gettrace()
    finally:
        sys.settrace(before)
    assert (inside, ended, after) == (None, tracer, tracer)
