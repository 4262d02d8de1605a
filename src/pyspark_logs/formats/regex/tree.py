"""Regular expressions as trees, to see which are no more than texts and what stands between them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.regex.syntax import ESCAPE

# A piece that is one character, however it is spelled; others that stand for one of several.
_ESCAPED = re.compile(r"\\([^\w\s])")
_NAMED_CHARS = {"\\t": "\t"}
_SPECIAL = frozenset("^$.*+?()[]{}|\\")
_ZERO_WIDTH = frozenset(("\\b", "^", "$", ""))
_ASSERTIONS = frozenset(("\\B", "\\A", "\\z"))


@dataclass(frozen=True)
class Atom:
    """What is not made of anything: a character, a class, an assertion.

    Attributes:
        text: as RE2 has it.
        repeat: the quantifier behind it; "" for none.
    """

    text: str
    repeat: str = ""

    @property
    def char(self) -> str | None:
        """The character that it is; None where it may be another, or not be there."""
        if self.repeat:
            return None
        if len(self.text) == 1:
            return None if self.text in _SPECIAL - {"{", "}", "]"} else self.text
        escaped = _ESCAPED.fullmatch(self.text)
        return escaped[1] if escaped is not None else _NAMED_CHARS.get(self.text)


@dataclass(frozen=True)
class Branches:
    """A group: ``index`` of the expression's groups, None where it does not capture."""

    index: int | None
    branches: tuple[tuple[Node, ...], ...]
    repeat: str = ""


Node = Atom | Branches


def parse_pieces(pieces: Sequence[str | int]) -> Branches | None:
    """The tree of an expression's pieces; None where it has flags, or what would need more care."""
    stack: list[tuple[int | None, list[list[Node]]]] = [(None, [[]])]
    for piece in pieces:
        if isinstance(piece, int) or piece == "(?:":
            stack.append((piece if isinstance(piece, int) else None, [[]]))
        elif piece == "|":
            stack[-1][1].append([])
        elif piece == ")":
            index, branches = stack.pop()
            stack[-1][1][-1].append(Branches(index, tuple(map(tuple, branches))))
        elif piece[:1] in ("*", "+", "?") or (piece[:1] == "{" and len(piece) > 1):
            sequence = stack[-1][1][-1]
            if not sequence or sequence[-1].repeat:
                return None
            sequence[-1] = replace(sequence[-1], repeat=piece)
        elif piece in _ASSERTIONS or not _is_atom(piece):
            return None
        else:
            stack[-1][1][-1].append(Atom(piece))
    return Branches(None, tuple(map(tuple, stack[0][1])))


def _is_atom(piece: str) -> bool:
    """Whether a piece is one atom; flags, and texts that were quoted, are not."""
    return len(piece) <= 1 or piece[0] == "[" or ESCAPE.fullmatch(piece) is not None


def render(nodes: Sequence[Node]) -> str:
    """The regular expression of a sequence, nothing of which captures."""
    found = ""
    for node in nodes:
        if isinstance(node, Atom):
            found += node.text + node.repeat
        else:
            found += f"(?:{'|'.join(map(render, node.branches))}){node.repeat}"
    return found


def atoms(nodes: Sequence[Node]) -> Iterator[Atom]:
    """All atoms of a sequence."""
    for node in nodes:
        if isinstance(node, Atom):
            yield node
        else:
            for branch in node.branches:
                yield from atoms(branch)


def captures(nodes: Sequence[Node]) -> Iterator[int]:
    """The groups that a sequence captures."""
    for node in nodes:
        if isinstance(node, Branches):
            if node.index is not None:
                yield node.index
            for branch in node.branches:
                yield from captures(branch)


def literal(nodes: Sequence[Node]) -> str | None:
    """The text that a sequence is; None where it is more than that."""
    found = ""
    for node in nodes:
        char = node.char if isinstance(node, Atom) else None
        if char is None:
            return None
        found += char
    return found


def may_hold(nodes: Sequence[Node], char: str) -> bool:
    """Whether a text that the sequence matches may have the character in it."""
    return any(_may_be(atom, char) for atom in atoms(nodes))


def _may_be(atom: Atom, char: str) -> bool:
    if atom.text in _ZERO_WIDTH:
        return False
    if atom.text.isalnum():  # a letter or digit, as most are
        return atom.text == char
    return _matches_char(atom.text, char)


@functools.lru_cache(maxsize=4096)
def _matches_char(atom: str, char: str) -> bool:
    return full_match(atom, char)


def full_match(pattern: str, text: str) -> bool:
    """Whether the pattern matches the text from end to end."""
    return bool(pc.match_substring_regex(pa.array([text]), f"^(?:{pattern})$")[0].as_py())
