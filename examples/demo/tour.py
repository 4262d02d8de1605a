"""The steps of the demo: each prints a snippet, runs the same text, and checks the result."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bucket import Bucket
from screen import SnippetOutput, heading, say, show_code, waiting


class DemoError(Exception):
    """The demo cannot continue, or a figure differs from the expected one."""


@dataclass
class Tour:
    """State that the steps share.

    Attributes:
        bucket: bucket with the sample.
        expected: contents of the sample's ``expected.json``.
        names: variables of the snippets, shared between them like those of notebook cells.
        seconds: duration of the last snippet.
    """

    bucket: Bucket
    expected: Mapping[str, Any]
    names: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class TourStep:
    """A step of the demo.

    Attributes:
        title: heading.
        about: explanation in a sentence or two.
        code: code of a user, with ``ENDPOINT`` for the server's URL; may be empty.
        check: function that compares the results with the sample and yields lines to print.
    """

    title: str
    about: str
    code: str
    check: Callable[[Tour], Iterator[str]]


def run_steps(tour: Tour, steps: Sequence[TourStep], first: int = 1) -> None:
    """Runs steps in order.

    Args:
        tour: state of the demo.
        steps: steps to run.
        first: number of the first of them.

    Raises:
        DemoError: a figure differs from the sample's.
    """
    for number, step in enumerate(steps, first):
        heading(number, step.title)
        say(step.about)
        say()
        if step.code:
            code = step.code.replace("ENDPOINT", tour.bucket.endpoint)
            show_code(code)
            tour.bucket.clear_requests()
            start = time.perf_counter()
            run_snippet(code, f"<step {number} of the demo>", tour.names)
            tour.seconds = time.perf_counter() - start
        with waiting():
            lines = list(step.check(tour))
        say("\n".join(lines))


def run_snippet(code: str, name: str, names: dict[str, Any]) -> None:
    """Runs a snippet and shows its output."""
    output = SnippetOutput()
    try:
        with waiting(), contextlib.redirect_stdout(output):
            exec(compile(code, name, "exec"), names)  # noqa: S102 - fixed snippets
    finally:
        output.end()


def require(what: str, found: object, expected: object) -> None:
    """Compares a figure with the expected one.

    Raises:
        DemoError: the figures differ.
    """
    if found != expected:
        raise DemoError(f"{what}: found {found}, but it should be {expected}")
