"""Hooks that end the tracing of coverage where it measures nothing: it doubles the duration of Python code, or more.

pytest-cov starts two measurements in a process of pytest-xdist. Its mark ``no_cover`` ends one of them only, for the call of a
test; the other one then traces the test.

``tests/conftest.py`` registers this module as a plugin. Hooks of a ``conftest`` are not called for a directory whose own
``conftest`` is still to be imported.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest

Wrapper = Generator[None, object, object]


@contextlib.contextmanager
def untraced() -> Iterator[Any]:
    """Ends the tracing of this thread and of those that it starts, until the end of the block; yields the tracer."""
    tracer, of_threads = sys.gettrace(), threading.gettrace()
    if tracer is None:
        yield None
        return
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        yield tracer
    finally:
        threading.settrace(of_threads)  # type: ignore[arg-type]
        sys.settrace(tracer)


_of_imports: list[Any] = []  # tracer of the imports during the collection


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Wrapper:
    """Traces only the imports of a collection."""
    with untraced() as tracer:
        _of_imports.append(tracer)
        try:
            return (yield)
        finally:
            _of_imports.pop()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Wrapper:
    """Imports modules with the tracer: those of a directory are its ``conftest``."""
    if not _of_imports or _of_imports[-1] is None or isinstance(collector, pytest.Class):
        return (yield)
    before = sys.gettrace()  # not None within the collection of a directory
    sys.settrace(_of_imports[-1])
    try:
        if not isinstance(collector, pytest.Module):
            return (yield)
        # An error is raised again, and reported, when the module is collected.
        with contextlib.suppress(Exception, pytest.Collector.CollectError, pytest.skip.Exception):
            _ = collector.obj
        sys.settrace(None)
        return (yield)
    finally:
        sys.settrace(before)


def _without_coverage(item: pytest.Item) -> Wrapper:
    if item.get_closest_marker("no_cover") is None:
        return (yield)
    with untraced():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Wrapper:
    """Sets a test up without a tracer if it measures no coverage."""
    return (yield from _without_coverage(item))


# The last wrapper is the innermost: it begins after that of pytest-cov, which starts a measurement.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Wrapper:
    """Runs a test without a tracer if it measures no coverage."""
    return (yield from _without_coverage(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Wrapper:
    """Tears a test down without a tracer if it measures no coverage."""
    return (yield from _without_coverage(item))
