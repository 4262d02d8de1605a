"""Reference for regular expressions: Python's ``re``, which tries alternatives in the same order as RE2.

The expressions are restricted to those with the same meaning for both: a quantified subexpression cannot match the empty
string, and ``$`` does not match before a line end.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True)
class Pattern:
    """A regular expression, its named groups, the optional ones, and True if it can match the empty string."""

    text: str
    names: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    may_be_empty: bool = False


def reference_match(pattern: Pattern, line: str, *, multi_line: bool = False) -> dict[str, str | None] | None:
    """Returns the text of each named group, None for groups without part in the match; None if there is no match.

    An optional group that matches the empty string counts as one without part.
    """
    flags = re.ASCII | (re.DOTALL if multi_line else 0)
    found = re.search(pattern.text.replace("(?<", "(?P<").replace("$", r"\Z"), line, flags)
    if found is None:
        return None
    return {name: None if name in pattern.optional and not text else text for name, text in found.groupdict().items()}


ATOMS = ("a", "b", "é", " ", "-", r"\d", r"\w", r"\S", ".", "[ab]", "[^a ]", r"[\]a]", r"\.", r"[\[]", "^", "$", r"\b")
ANCHORS = ("^", "$", r"\b")


@st.composite
def patterns(draw: st.DrawFn, depth: int = 3) -> Pattern:
    """Draws regular expressions; named groups are numbered in the order in which they close."""
    return draw(_alternatives(depth, itertools.count()))


@st.composite
def _alternatives(draw: st.DrawFn, depth: int, numbers: Iterator[int]) -> Pattern:
    branches = [draw(_sequence(depth, numbers)) for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3])))]
    names = tuple(name for branch in branches for name in branch.names)
    optional = frozenset(names) if len(branches) > 1 else branches[0].optional
    return Pattern(
        "|".join(branch.text for branch in branches), names, optional, any(branch.may_be_empty for branch in branches)
    )


@st.composite
def _sequence(draw: st.DrawFn, depth: int, numbers: Iterator[int]) -> Pattern:
    parts = [draw(_part(depth, numbers)) for _ in range(draw(st.integers(1, 4)))]
    return Pattern(
        "".join(part.text for part in parts),
        tuple(name for part in parts for name in part.names),
        frozenset(name for part in parts for name in part.optional),
        all(part.may_be_empty for part in parts),
    )


@st.composite
def _part(draw: st.DrawFn, depth: int, numbers: Iterator[int]) -> Pattern:
    kind = draw(st.sampled_from(["atom", "atom", "atom", "named", "plain"])) if depth else "atom"
    if kind == "atom":
        atom = draw(st.sampled_from(ATOMS))
        if atom in ANCHORS:
            return Pattern(atom, may_be_empty=True)
        part = Pattern(atom)
    else:
        inner = draw(_alternatives(depth - 1, numbers))
        if kind == "plain":
            opening = draw(st.sampled_from(["(", "(?:"]))
            part = Pattern(opening + inner.text + ")", inner.names, inner.optional, inner.may_be_empty)
        else:
            name = f"n{next(numbers)}"
            part = Pattern(f"(?<{name}>{inner.text})", (name, *inner.names), inner.optional, inner.may_be_empty)
    quantifier = (
        ""
        if part.may_be_empty
        else draw(st.sampled_from(["", "", "", "?", "*", "+", "??", "*?", "+?", "{2}", "{0,2}", "{1,3}?"]))
    )
    allows_zero = quantifier.startswith(("?", "*", "{0"))
    optional = frozenset(part.names) if allows_zero else part.optional
    return Pattern(part.text + quantifier, part.names, optional, part.may_be_empty or allows_zero)


lines = st.text(st.sampled_from("aab bé-.0[]\t"), max_size=12)
