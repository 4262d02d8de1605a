"""The grok patterns that ship with the package, read from ``grok_patterns.txt``."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True)
class GrokPattern:
    """A named pattern of the library or of the option ``grokPatterns``.

    Attributes:
        name: name used in references.
        regex: regular expression in RE2's syntax, with references to other patterns.
        not_after: characters, as the content of a character class, that a ``.*`` directly before the pattern must not
            end with; "" for none.
        group: title of the group of patterns in the documentation; "" for a user's pattern.
        description: description for the documentation; "" for a user's pattern.
    """

    name: str
    regex: str
    not_after: str = ""
    group: str = ""
    description: str = ""


@functools.cache
def grok_library() -> Mapping[str, GrokPattern]:
    """Returns the patterns of the library by name, in the order of the file.

    >>> grok_library()["NUMBER"].regex
    '%{BASE10NUM}'
    """
    text = files("pyspark_logs.formats.regex").joinpath("grok_patterns.txt").read_text(encoding="utf-8")
    return MappingProxyType({pattern.name: pattern for pattern in parse_library(text)})


def parse_library(text: str) -> Iterator[GrokPattern]:
    """Yields the patterns of a library file; the comment at the top of ``grok_patterns.txt`` describes its syntax."""
    group = description = not_after = ""
    for line in text.split("\n"):
        if line.startswith("## "):
            group = line.removeprefix("## ")
        elif line.startswith("#! not_after "):
            not_after = line.removeprefix("#! not_after ")
        elif line.startswith("#"):
            description = line.removeprefix("# ")
        else:
            if line:
                name, _, regex = line.partition(" ")
                yield GrokPattern(name, regex, not_after, group, description)
            description = not_after = ""
