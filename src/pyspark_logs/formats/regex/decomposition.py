r"""Decomposition of regular expressions into literals and the subexpressions between them.

``^%{WORD:level} \[%{DATA:thread}\] %{GREEDYDATA:text}`` decomposes into a word, the literal `` [``, any text, the literal
``] ``, and the rest of the line. If a line can be split at the literals so that each part matches its subexpression, the
split is RE2's match, for one of two reasons:

- *The split is unique.* A subexpression that cannot match one of the characters of the following literal ends at the
  first occurrence of that literal. ``_UNIQUE_TIMESTAMPS`` lists further expressions with a unique end.
- *RE2 prefers the split*, and what follows matches: the nearest end for ``.*?``, the rest of the line for a final ``.*``,
  an optional group that is present, the first of several alternatives. The match begins at the first character of the
  line, and no match begins earlier.

An optional group is absent if the expression after it cannot begin with the group's first character. Therefore an
expression can have several decompositions.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, replace

from pyspark_logs.formats.regex.expression import Expression
from pyspark_logs.formats.regex.grok import parse_grok
from pyspark_logs.formats.regex.syntax_tree import (
    Atom,
    GroupNode,
    Node,
    atoms,
    capturing_groups,
    full_match,
    literal,
    may_contain,
    parse_pieces,
    render,
    strip_groups,
)

_LAZY_ANY, _GREEDY_ANY = Atom(".", "*?"), Atom(".", "*")
_WORD = (Atom("\\b"), Atom("\\w", "+"), Atom("\\b"))
_MAX_DECOMPOSITIONS = 32

# Grok timestamps that contain spaces and precede one, with the possible numbers of spaces. All their parts are mandatory,
# so a match that is followed by a space is not the beginning of a longer match.
_UNIQUE_TIMESTAMPS = {"TIMESTAMP_ISO8601": (0, 1), "SYSLOGTIMESTAMP": (2, 3)}


@dataclass(frozen=True)
class Subexpression:
    """The part of an expression between two literals.

    Attributes:
        regex: regular expression that the whole text must match; None if any text matches.
        group: index of the capturing group that the text belongs to; None if no requested group captures it.
        null_text: text for which the group takes no part in the match, such as ``-``; None for no such text.
        space_counts: possible numbers of spaces in the text, if a space delimits it.
        alphabet: ASCII characters of which every non-empty string matches; "" if unknown.
        quoted: True if the text is enclosed in double quotes, which belong to the group, and contains no backslash.
    """

    regex: str | None
    group: int | None = None
    null_text: str | None = None
    space_counts: tuple[int, ...] = (0,)
    alphabet: str = ""
    quoted: bool = False


@dataclass(frozen=True)
class Decomposition:
    """An expression as a sequence of literals and subexpressions.

    Attributes:
        components: literals (``str``) and subexpressions, alternating.
        anchored_at_end: True if the last component must end where the line ends.
    """

    components: tuple[str | Subexpression, ...]
    anchored_at_end: bool


class _NotDecomposableError(Exception):
    """The expression has no decomposition whose split is known to be RE2's match."""


@functools.lru_cache(maxsize=64)
def decompose(expression: Expression, captured: frozenset[int]) -> tuple[Decomposition, ...]:
    """Returns the decompositions of an expression, one for each combination of present optional groups.

    Args:
        expression: the regular expression.
        captured: indices of the groups of requested columns.
    """
    tree = parse_pieces(expression.pieces)
    if tree is None:
        return ()
    decompositions: dict[Decomposition, None] = {}
    combinations = [frozenset[int]()]
    for absent in combinations:  # the loop body appends to the list
        decomposer = _Decomposer(captured, absent)
        with contextlib.suppress(_NotDecomposableError):
            decompositions[decomposer.decompose(tree)] = None
        extended = [absent | {group} for group in decomposer.optional if group not in absent]
        room = max(_MAX_DECOMPOSITIONS - len(combinations), 0)
        combinations += [each for each in extended if each not in combinations][:room]
    return tuple(decompositions)


@functools.lru_cache(maxsize=16)
def _regex_of(name: str) -> str:
    """Returns the regular expression of a pattern of the grok library, without the groups around it."""
    tree = parse_pieces(parse_grok(f"%{{{name}:x}}").pieces)
    return "" if tree is None else render((strip_groups(tree),))


class _Decomposer:
    """Decomposes an expression from its end to its beginning, because the next literal ends a subexpression.

    Attributes:
        captured: indices of the groups of requested columns.
        absent: identities of the optional groups that take no part in the match.
        optional: identities of all optional groups that were visited.
        components: components so far, the last one first.
        nodes: the syntax tree of each component; None for a literal, or if any text matches.
    """

    def __init__(self, captured: frozenset[int], absent: frozenset[int]) -> None:
        self.captured, self.absent = captured, absent
        self.optional: list[int] = []
        self.components: list[str | Subexpression] = []
        self.nodes: list[Node | None] = []
        self.anchored_at_end = False

    def decompose(self, tree: GroupNode) -> Decomposition:
        """Returns the decomposition of a whole expression."""
        nodes = self._top_level_sequence(tree)
        if nodes and nodes[-1] == Atom("$"):
            self.anchored_at_end, nodes = True, nodes[:-1]
        if nodes and nodes[0] == Atom("^"):
            nodes = nodes[1:]
        self._add_sequence(nodes)
        components = tuple(reversed(self.components))
        _check_components(components)
        return Decomposition(components, self.anchored_at_end)

    def _top_level_sequence(self, tree: GroupNode) -> tuple[Node, ...]:
        """Returns the sequence of the expression, without non-capturing groups around all of it."""
        while len(tree.alternatives) == 1 and len(tree.alternatives[0]) == 1 and not tree.quantifier:
            inner = tree.alternatives[0][0]
            if isinstance(inner, Atom) or inner.index in self.captured or inner.quantifier:
                break
            tree = inner
        return _preferred_alternative(tree)

    def _add_sequence(self, nodes: tuple[Node, ...]) -> None:
        for node in reversed(nodes):
            if isinstance(node, Atom):
                self._add_atom(node)
            else:
                self._add_group(node)

    def _add_atom(self, atom: Atom) -> None:
        char = atom.char
        if char is None:
            self._add_subexpression(Subexpression(None), atom)
        elif char in "\n\r":
            raise _NotDecomposableError
        else:
            self._add_literal(char)

    def _add_group(self, group: GroupNode) -> None:
        captured = self.captured.intersection(capturing_groups([group]))
        if group.index is not None and captured == {group.index} and not group.quantifier:
            self._add_subexpression(Subexpression(None, group.index), GroupNode(None, group.alternatives))
        elif captured:
            self._add_capturing_group(group, captured)
        elif group.quantifier == "?":
            self._add_optional_group(group)
        elif not self._add_as_one_subexpression(group):
            self._add_group_content(group)

    def _add_as_one_subexpression(self, group: GroupNode) -> bool:
        """Adds a group that captures nothing as one subexpression, if its end is known; returns True if so."""
        try:
            self._add_subexpression(Subexpression(None), group)
        except _NotDecomposableError:
            return False
        return True

    def _add_capturing_group(self, group: GroupNode, captured: frozenset[int]) -> None:
        """Adds a group that contains captured groups."""
        if group.index in captured or group.quantifier not in ("", "?"):
            raise _NotDecomposableError
        if group.quantifier:
            self._add_optional_group(group)
        elif not self._add_group_or_literal(group):
            self._add_group_content(group)

    def _add_optional_group(self, group: GroupNode) -> None:
        """Adds a group that RE2 prefers to match, or proves that it is absent."""
        self.optional.append(id(group))
        if id(group) not in self.absent:
            self._add_group_content(group)
            return
        first: Node = replace(group, quantifier="")
        while isinstance(first, GroupNode):
            if len(first.alternatives) != 1 or not first.alternatives[0] or first.quantifier:
                raise _NotDecomposableError
            first = first.alternatives[0][0]
        if first.char is None or self._may_begin_with(first.char):
            raise _NotDecomposableError

    def _add_group_content(self, group: GroupNode) -> None:
        """Adds the alternative of a group that RE2 tries first."""
        if group.quantifier not in ("", "?") or group.index in self.captured:
            raise _NotDecomposableError
        self._add_sequence(_preferred_alternative(group))

    def _add_group_or_literal(self, node: GroupNode) -> bool:
        """Adds an alternation of a captured group and a literal, ``(?:%{INT:bytes}|-)``, as one subexpression.

        Returns:
            True if the node is such an alternation.
        """
        if len(node.alternatives) != 2:
            return False
        for sequence, other in (node.alternatives, node.alternatives[::-1]):
            text = literal(other)
            group = sequence[0] if len(sequence) == 1 else None
            if not text or not isinstance(group, GroupNode) or group.index not in self.captured or group.quantifier:
                continue
            if any(self.captured.intersection(capturing_groups(each)) for each in group.alternatives):
                continue
            delimiter = self.components[-1] if self.components else ""
            literal_first = other is node.alternatives[0]
            if literal_first and strip_groups(group) == _LAZY_ANY and isinstance(delimiter, str) and delimiter:
                # Both alternatives end at the first delimiter, unless that is found within the literal.
                if (text + delimiter).find(delimiter) < len(text):
                    return False
                self._append(Subexpression(None, group.index, null_text=text), None)
                return True
            if literal_first or not full_match(render((group,)), text):
                self._add_subexpression(Subexpression(None, group.index, null_text=text), node)
                return True
        return False

    def _add_literal(self, text: str) -> None:
        if self.components and isinstance(self.components[-1], str):
            self.components[-1] = text + self.components[-1]
        else:
            self._append(text, None)

    def _append(self, component: str | Subexpression, node: Node | None) -> None:
        self.components.append(component)
        self.nodes.append(node)

    def _add_subexpression(self, subexpression: Subexpression, node: Node) -> None:
        """Adds a subexpression that matches a node.

        Raises:
            _NotDecomposableError: the end of its match is not known.
        """
        delimiter = self.components[-1] if self.components else ""
        if isinstance(delimiter, Subexpression) or any(atom.regex in ("^", "$") for atom in atoms((node,))):
            raise _NotDecomposableError
        stripped = strip_groups(node)
        regex = render((stripped,))
        if subexpression.null_text is None and stripped in (_LAZY_ANY, _GREEDY_ANY):
            lazy = stripped == _LAZY_ANY
            if lazy != bool(delimiter) and not (lazy and self.anchored_at_end):
                raise _NotDecomposableError
            self._append(subexpression, None)
        elif subexpression.null_text is None and regex == _regex_of("QUOTEDSTRING"):
            self._add_literal('"')
            self._append(replace(subexpression, quoted=True), None)
            self._add_literal('"')
        elif _ends_at(node, delimiter) if delimiter else self.anchored_at_end:
            self._append(replace(subexpression, regex=regex, alphabet=_alphabet(stripped, regex)), node)
        else:
            counts = [spaces for name, spaces in _UNIQUE_TIMESTAMPS.items() if regex == _regex_of(name)]
            if not counts or delimiter[:1] != " " or subexpression.null_text is not None:
                raise _NotDecomposableError
            self._append(replace(subexpression, regex=regex, space_counts=counts[0]), node)

    def _may_begin_with(self, char: str) -> bool:
        """Returns True if the components so far can match a text that begins with a character."""
        for component, node in zip(reversed(self.components), reversed(self.nodes), strict=True):
            if isinstance(component, str):
                return component[0] == char
            if node is None or may_contain(node, char):
                return True
        return not self.anchored_at_end


def _preferred_alternative(group: GroupNode) -> tuple[Node, ...]:
    """Returns the alternative that RE2 tries first; captured groups of the others take no part in the match."""
    if not group.alternatives[0]:
        raise _NotDecomposableError
    return group.alternatives[0]


def _ends_at(node: Node, delimiter: str) -> bool:
    """Returns True if every match of a node that precedes the delimiter ends at the delimiter's first occurrence.

    That is so if the node cannot match one character of the delimiter. The match ends before the first such character,
    which is part of the first occurrence. If it ended within that occurrence, another occurrence would follow
    immediately, with a character that the node matches at the position of the character that it cannot match.
    """
    return any(not may_contain(node, char) for char in delimiter)


def _alphabet(node: Node, regex: str) -> str:
    """Returns the ``alphabet`` of a :class:`Subexpression`."""
    if isinstance(node, GroupNode) and node.alternatives == (_WORD,) and not node.quantifier:
        node = _WORD[1]
    if isinstance(node, Atom) and node.quantifier == "+":
        return "".join(char for char in map(chr, range(128)) if may_contain(node, char))
    return "0123456789" if regex in map(_regex_of, ("INT", "NUMBER", "NONNEGINT")) else ""


def _check_components(components: tuple[str | Subexpression, ...]) -> None:
    """Checks a decomposition as a whole.

    Raises:
        _NotDecomposableError: no subexpression is of use, or an adjacent literal decides a word boundary.
    """
    if not any(isinstance(each, Subexpression) and (each.regex or each.group is not None) for each in components):
        raise _NotDecomposableError
    for index, component in enumerate(components):
        if isinstance(component, str) or "\\b" not in (component.regex or ""):
            continue
        neighbours = [_literal_at(components, index - 1)[-1:], _literal_at(components, index + 1)[:1]]
        if any(char.isalnum() or char == "_" for char in neighbours):
            raise _NotDecomposableError


def _literal_at(components: tuple[str | Subexpression, ...], index: int) -> str:
    """Returns the literal at an index; "" for a subexpression, or an index out of range."""
    component = components[index] if 0 <= index < len(components) else ""
    return component if isinstance(component, str) else ""
