"""Globs of file names."""

from __future__ import annotations

import pytest

from pyspark_logs.errors import OptionError
from pyspark_logs.planning.globs import Glob, is_glob, split_glob


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*", ["", "a", "a.b"], []),
        ("a?c", ["abc", "a.c"], ["ac", "abbc"]),
        ("[abc]x", ["ax", "cx"], ["dx", "x"]),
        ("[a-c]x", ["bx"], ["dx", "-x"]),
        ("[^a]x", ["bx"], ["ax"]),
        ("[!a]x", ["bx"], ["ax"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[a-]", ["-", "a"], ["b"]),
        ("[\\]]", ["]"], ["\\"]),
        ("{a,b}.log", ["a.log", "b.log"], ["c.log", "a,b.log"]),
        ("{a,b{c,d}}", ["a", "bc", "bd"], ["b", "c"]),
        ("{a*,}x", ["x", "a12x"], ["bx"]),
        ("a\\*", ["a*"], ["ab"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a}b,c", ["a}b,c"], ["a"]),
        ("(a|b)+$", ["(a|b)+$"], ["a"]),
    ],
)
def test_globs(glob: str, yes: list[str], no: list[str]) -> None:
    compiled = Glob(glob)
    assert [name for name in yes + no if compiled.matches(name)] == yes
    assert all(name.startswith(compiled.prefix) for name in yes)


@pytest.mark.parametrize("glob", ["[a", "{a", "{a,{b}", "a\\", "[z-a]", "["])
def test_malformed_globs_are_errors(glob: str) -> None:
    with pytest.raises(OptionError, match="glob"):
        Glob(glob)


def test_literal_parts_of_globs() -> None:
    assert Glob("a\\*b").literal == "a*b"
    assert Glob("ab*").literal is None
    assert Glob("ab*").prefix == "ab"
    assert Glob("a{b}").literal is None
    assert not Glob("*").finds("_x")
    assert Glob("_*").finds("_x")
    assert not is_glob("a/b.c")


def test_only_braces_with_a_slash_are_expanded() -> None:
    paths = ["/".join(glob.text for glob in names) for names in split_glob("x{a,{b/c,d}}/{e,f}\\{/")]
    assert paths == ["xa/{e,f}\\{/", "xb/c/{e,f}\\{/", "xd/{e,f}\\{/"]
