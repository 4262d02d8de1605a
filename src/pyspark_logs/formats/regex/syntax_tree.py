"""Syntax trees of regular expressions, from which the decomposition into literals and subexpressions is made."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow.compute as pc

from pyspark_logs.arrow_values import from_texts
from pyspark_logs.formats.re2_tokenizer import ESCAPE

_ESCAPED_CHAR = re.compile(r"\\([^\w\s])")
_NAMED_CHARS = {"\\t": "\t"}
_METACHARACTERS = frozenset("^$.*+?()[]{}|\\")
_ZERO_WIDTH = frozenset(("\\b", "^", "$", ""))
_UNSUPPORTED_ASSERTIONS = frozenset(("\\B", "\\A", "\\z"))


@dataclass(frozen=True)
class Atom:
    """A character, class or assertion.

    Attributes:
        regex: the atom in RE2's syntax.
        quantifier: the quantifier of the atom; "" for none.
    """

    regex: str
    quantifier: str = ""

    @property
    def char(self) -> str | None:
        """Character that the atom matches exactly once; None if it can match anything else."""
        if self.quantifier:
            return None
        if len(self.regex) == 1:
            return None if self.regex in _METACHARACTERS - {"{", "}", "]"} else self.regex
        escaped = _ESCAPED_CHAR.fullmatch(self.regex)
        return escaped[1] if escaped is not None else _NAMED_CHARS.get(self.regex)


@dataclass(frozen=True)
class GroupNode:
    """A group.

    Attributes:
        index: index of the capturing group in the expression; None if the group does not capture.
        alternatives: sequences of nodes, of which one must match.
        quantifier: the quantifier of the group; "" for none.
    """

    index: int | None
    alternatives: tuple[tuple[Node, ...], ...]
    quantifier: str = ""


Node = Atom | GroupNode


def parse_pieces(pieces: Sequence[str | int]) -> GroupNode | None:
    """Returns the syntax tree of an expression's pieces; None if it has flags or other unsupported constructs."""
    stack: list[tuple[int | None, list[list[Node]]]] = [(None, [[]])]
    for piece in pieces:
        if isinstance(piece, int) or piece == "(?:":
            stack.append((piece if isinstance(piece, int) else None, [[]]))
        elif piece == "|":
            stack[-1][1].append([])
        elif piece == ")":
            index, alternatives = stack.pop()
            stack[-1][1][-1].append(GroupNode(index, tuple(map(tuple, alternatives))))
        elif piece[:1] in ("*", "+", "?") or (piece[:1] == "{" and len(piece) > 1):
            sequence = stack[-1][1][-1]
            if not sequence or sequence[-1].quantifier:
                return None
            sequence[-1] = replace(sequence[-1], quantifier=piece)
        elif piece in _UNSUPPORTED_ASSERTIONS or not _is_atom(piece):
            return None
        else:
            stack[-1][1][-1].append(Atom(piece))
    return GroupNode(None, tuple(map(tuple, stack[0][1])))


def _is_atom(piece: str) -> bool:
    """Returns True if a piece is one atom, rather than flags or quoted text."""
    return len(piece) <= 1 or piece[0] == "[" or ESCAPE.fullmatch(piece) is not None


def render(nodes: Sequence[Node]) -> str:
    """Returns the regular expression of a sequence, without capturing groups."""
    regex = ""
    for node in nodes:
        if isinstance(node, Atom):
            regex += node.regex + node.quantifier
        else:
            regex += f"(?:{'|'.join(map(render, node.alternatives))}){node.quantifier}"
    return regex


def atoms(nodes: Sequence[Node]) -> Iterator[Atom]:
    """Yields all atoms of a sequence."""
    for node in nodes:
        if isinstance(node, Atom):
            yield node
        else:
            for alternative in node.alternatives:
                yield from atoms(alternative)


def capturing_groups(nodes: Sequence[Node]) -> Iterator[int]:
    """Yields the indices of the capturing groups in a sequence."""
    for node in nodes:
        if isinstance(node, GroupNode):
            if node.index is not None:
                yield node.index
            for alternative in node.alternatives:
                yield from capturing_groups(alternative)


def literal(nodes: Sequence[Node]) -> str | None:
    """Returns the only text that a sequence matches; None if it can match others."""
    text = ""
    for node in nodes:
        char = node.char if isinstance(node, Atom) else None
        if char is None:
            return None
        text += char
    return text


def strip_groups(node: Node) -> Node:
    """Returns the node without the groups that contain nothing but it, and without capturing."""
    while (
        isinstance(node, GroupNode)
        and len(node.alternatives) == 1
        and len(node.alternatives[0]) == 1
        and not node.quantifier
    ):
        node = node.alternatives[0][0]
    return replace(node, index=None) if isinstance(node, GroupNode) else node


def may_contain(node: Node, char: str) -> bool:
    """Returns True if a text that the node matches can contain a character."""
    return any(_may_match(atom, char) for atom in atoms((node,)))


def _may_match(atom: Atom, char: str) -> bool:
    if atom.regex in _ZERO_WIDTH:
        return False
    if atom.regex.isalnum():
        return atom.regex == char
    return _matches_char(atom.regex, char)


@functools.lru_cache(maxsize=4096)
def _matches_char(atom: str, char: str) -> bool:
    return full_match(atom, char)


def full_match(pattern: str, text: str) -> bool:
    """Returns True if RE2 matches the pattern against the whole text."""
    return bool(pc.match_substring_regex(from_texts([text]), f"^(?:{pattern})$")[0].as_py())
