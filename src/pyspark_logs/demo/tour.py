"""How the demo goes: a snippet is printed, that very text is run, and its outcome is checked."""

from __future__ import annotations

import contextlib
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark_logs.demo.bucket import Bucket
from pyspark_logs.demo.screen import heading, say, show_code


class DemoError(Exception):
    """The demo cannot go on, or a figure is not what it must be."""


@dataclass
class Tour:
    """What the steps work with.

    Attributes:
        bucket: the sample, served.
        expected: ``expected.json`` of the sample.
        names: the variables of the snippets, which share them as the cells of a notebook do.
        seconds: how long the last snippet ran.
    """

    bucket: Bucket
    expected: Mapping[str, Any]
    names: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Step:
    """One thing to show.

    Attributes:
        title: the heading.
        about: what to look at, in a sentence or two.
        code: what a user would write, with ``ENDPOINT`` for the server's URL; may be empty.
        check: compares the outcome with the sample, and yields what to say about it.
    """

    title: str
    about: str
    code: str
    check: Callable[[Tour], Iterator[str]]


def take(tour: Tour, steps: Sequence[Step]) -> None:
    """Take the steps, one after the other.

    Raises:
        DemoError: a figure is not that of the sample.
    """
    for number, step in enumerate(steps, 1):
        heading(number, step.title)
        say(step.about)
        say()
        if step.code:
            code = step.code.replace("ENDPOINT", tour.bucket.endpoint)
            show_code(code)
            tour.bucket.forget()
            start = time.perf_counter()
            show_output(code, f"<step {number} of the demo>", tour.names)
            tour.seconds = time.perf_counter() - start
        for line in step.check(tour):
            say(line)


def show_output(code: str, name: str, names: dict[str, Any]) -> None:
    """Run a snippet, and show what it printed, with one blank line where Spark writes none or several."""
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            exec(compile(code, name, "exec"), names)  # noqa: S102 - the snippets are our own
    finally:
        text = re.sub(r"(only showing .*\n)", r"\1\n", output.getvalue())
        shown = re.sub(r"\n{3,}", "\n\n", text).rstrip("\n")
        say(f"{shown}\n" if shown else "")


def require(what: str, found: object, expected: object) -> None:
    """Compare a figure with the one it must be.

    Raises:
        DemoError: they differ.
    """
    if found != expected:
        raise DemoError(f"{what}: found {found}, but it should be {expected}")
