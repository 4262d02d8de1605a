"""Faults and hostile inputs that tests try, for the tables of docs/promises.md: ``python scripts/promises_page.py``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Trial:
    """A fault or an input that a test tries.

    Attributes:
        tried: the fault or the input, in Markdown.
        outcome: promised outcome, in Markdown.
        test: name of the test.
        cases: number of cases of the test.
    """

    tried: str
    outcome: str
    test: str
    cases: int


def tries(tried: str, outcome: str) -> Callable[[F], F]:
    """Marks a test with what it tries and the outcome that it asserts; a test may have several marks."""

    def mark(test: F) -> F:
        test.__dict__.setdefault("tries", []).insert(0, (tried, outcome))  # the innermost decorator runs first
        return test

    return mark


def trials(module: ModuleType) -> Iterator[Trial]:
    """Yields the trials of a module's tests, in the order of the source."""
    tests = [test for owner in (module, *_classes(module)) for test in vars(owner).values() if hasattr(test, "tries")]
    for test in sorted(tests, key=lambda test: test.__code__.co_firstlineno):
        for tried, outcome in test.tries:
            yield Trial(tried, outcome, test.__name__, cases_of(test))


def cases_of(test: Callable[..., Any]) -> int:
    """Returns the number of cases of a test by its marks ``parametrize``."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    return math.prod(len(mark.args[1]) for mark in marks)


def _classes(module: ModuleType) -> list[type]:
    return [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__]
