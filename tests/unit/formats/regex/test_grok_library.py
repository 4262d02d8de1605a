"""The pattern library as a data file: its syntax, and its integrity."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import pytest

from pyspark_logs.formats.regex.grok_library import GrokPattern, grok_library, parse_library


def test_the_data_file_is_a_resource_of_the_package() -> None:
    resource = files("pyspark_logs.formats.regex").joinpath("grok_patterns.txt")
    assert resource.is_file()
    assert len(list(parse_library(resource.read_text(encoding="utf-8")))) == len(grok_library())


def test_library_syntax() -> None:
    text = (
        "# A comment on the file.\n#\n# More of it.\n\n## Numbers\n\n# digits\nINT [0-9]+\n\n"
        "# a number\n#! not_after 0-9.\nNUM %{INT} \n## Words\nWORD \\w+ #x"
    )
    assert list(parse_library(text)) == [
        GrokPattern("INT", "[0-9]+", group="Numbers", description="digits"),
        GrokPattern("NUM", "%{INT} ", not_after="0-9.", group="Numbers", description="a number"),
        GrokPattern("WORD", "\\w+ #x", group="Words"),
    ]


def test_every_pattern_has_a_group_a_description_and_a_unique_name() -> None:
    text = files("pyspark_logs.formats.regex").joinpath("grok_patterns.txt").read_text(encoding="utf-8")
    names = [pattern.name for pattern in parse_library(text)]
    assert len(names) == len(set(names))
    assert all(pattern.group and pattern.description for pattern in grok_library().values())


@pytest.mark.parametrize("pattern", grok_library().values(), ids=lambda pattern: pattern.name)
def test_references_of_the_library_resolve(pattern: GrokPattern) -> None:
    assert set(re.findall(r"%\{(\w+)", pattern.regex)) <= set(grok_library())


def test_the_patterns_are_unchanged() -> None:
    # Guards the file against editors that strip trailing spaces (REDISLOG ends with one) or change the encoding.
    # A deliberate change of a pattern updates the digest.
    library = "\n".join(f"{pattern.name} {pattern.regex} {pattern.not_after}" for pattern in grok_library().values())
    digest = hashlib.sha256(library.encode()).hexdigest()
    assert digest == "811f83fafca56b3df862461989f027ed787d87a337e3eaaf97b51874ecf3a8a6"
