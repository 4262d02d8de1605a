r"""The way that RE2 takes first through an expression, as texts to find and what stands between them.

``^%{WORD:level} \[%{DATA:thread}\] %{GREEDYDATA:text}`` is: a word, `` [``, something, ``] ``, the rest. Where a line
can be cut so, and each piece is what its part of the expression matches, the cut is RE2's, for one of two reasons:

- *There is no other.* A part that cannot hold one of the characters of the text behind it ends where that text first
  stands. (A few more cannot be cut otherwise for a reason of their own, see ``_UNIQUE``.)
- *RE2 tries it first* and takes it, since all that follows fits: the nearest end of ``.*?``, the rest of the line for a
  ``.*`` at the end, an optional group that is there, the first of several alternatives. The match begins at the line's
  first character, and no other can begin before. An optional group is not there, where what follows it cannot begin as
  it does; so there may be several paths.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, replace

from pyspark_logs.formats.regex.expression import Expression
from pyspark_logs.formats.regex.tree import (
    Atom,
    Branches,
    Node,
    atoms,
    captures,
    full_match,
    literal,
    may_hold,
    parse_pieces,
    render,
)


@dataclass(frozen=True)
class Run:
    """What stands between two texts.

    Attributes:
        regex: what it must match from end to end; None: it may be anything.
        group: the group whose text it is; None: nobody asks for it.
        null: where it is this text, the group took no part.
        spaces: how many spaces it may hold, before the one behind it.
        made_of: any text of these characters, but the empty one, matches; "" where that is not known.
        quotes: it stands between double quotes, which belong to the group's text, and holds no backslash.
    """

    regex: str | None
    group: int | None = None
    null: str | None = None
    spaces: tuple[int, ...] = (0,)
    made_of: str = ""
    quotes: bool = False


@dataclass(frozen=True)
class Path:
    """Texts (``str``) and runs in turn; ``whole``: up to the end of the line."""

    steps: tuple[str | Run, ...]
    whole: bool


_EVERYTHING = (Atom(".", "*?"), Atom(".", "*"))


_MOST_WAYS = 32


class _NoPathError(Exception):
    """The expression is not of that kind."""


@functools.lru_cache(maxsize=64)
def find_paths(expression: Expression, keep: frozenset[int]) -> tuple[Path, ...]:
    """The paths of an expression of which these groups are asked for, with its optional groups and without them."""
    tree = parse_pieces(expression.pieces)
    found: dict[Path, None] = {}
    if tree is None:
        return ()
    todo = [frozenset[int]()]
    for without in todo:  # grows meanwhile
        finder = _Finder(keep, without)
        with contextlib.suppress(_NoPathError):  # it may have one without another group
            found[finder.path(tree)] = None
        further = [without | {group} for group in finder.optional if group not in without]
        todo += [one for one in further if one not in todo][: max(_MOST_WAYS - len(todo), 0)]
    return tuple(found)


# Times that hold spaces and are followed by one, and how many they hold: none of them, with a space behind it, begins
# a longer one, because all their parts are there in both.
_UNIQUE = {"TIMESTAMP_ISO8601": (0, 1), "SYSLOGTIMESTAMP": (2, 3)}


@functools.lru_cache(maxsize=16)
def _regex_of(name: str) -> str:
    """The regular expression of a pattern of the library, without the groups around it."""
    from pyspark_logs.formats.regex.grok import parse_grok

    tree = parse_pieces(parse_grok(f"%{{{name}:x}}").pieces)
    return "" if tree is None else render((_unwrapped((tree,)),))


class _Finder:
    """Finds the path from the end of the expression to its beginning: what follows decides how a run ends."""

    def __init__(self, keep: frozenset[int], without: frozenset[int]) -> None:
        self.keep, self.without = keep, without
        self.steps: list[str | Run] = []  # the last first
        self.nodes: list[Node | None] = []  # what each run matches; None: no run, or it may match anything
        self.optional: list[int] = []  # the groups that may be left out, by identity
        self.whole = False

    def path(self, tree: Branches) -> Path:
        """The path."""
        nodes = self._only_branch(tree)
        if nodes and nodes[-1] == Atom("$"):
            self.whole, nodes = True, nodes[:-1]
        if nodes and nodes[0] == Atom("^"):
            nodes = nodes[1:]
        self._put_all(nodes)
        steps = tuple(reversed(self.steps))
        self._check(steps)
        return Path(steps, self.whole)

    def _only_branch(self, tree: Branches) -> tuple[Node, ...]:
        """The nodes of a sequence that may be within groups."""
        while len(tree.branches) == 1 and len(tree.branches[0]) == 1 and not tree.repeat:
            inner = tree.branches[0][0]
            if isinstance(inner, Atom) or inner.index in self.keep or inner.repeat:
                break
            tree = inner
        return self._preferred(tree)

    def _preferred(self, group: Branches) -> tuple[Node, ...]:
        """The alternative that is tried first; what is asked for of the others takes no part."""
        if not group.branches[0]:
            raise _NoPathError
        return group.branches[0]

    def _put_all(self, nodes: tuple[Node, ...]) -> None:
        for node in reversed(nodes):
            self._put(node)

    def _put(self, node: Node) -> None:
        char = node.char if isinstance(node, Atom) else None
        if char is not None:
            if char in "\n\r":
                raise _NoPathError
            self._put_text(char)
            return
        asked = self.keep.intersection(captures([node]))
        if isinstance(node, Atom):
            self._put_run(Run(None), node)
        elif node.index is not None and asked == {node.index} and not node.repeat:
            self._put_run(Run(None, node.index), Branches(None, node.branches))
        elif asked:
            self._put_asked(node, asked)
        elif node.repeat == "?":
            self._put_optional(node)
        elif not self._put_whole(node):
            self._put_inside(node)

    def _put_whole(self, node: Branches) -> bool:
        """Put a group that nobody asks for as one run; whether that could be."""
        try:
            self._put_run(Run(None), node)
        except _NoPathError:
            return False
        return True

    def _put_text(self, text: str) -> None:
        if self.steps and isinstance(self.steps[-1], str):
            self.steps[-1] = text + self.steps[-1]
        else:
            self._append(text, None)

    def _append(self, step: str | Run, node: Node | None) -> None:
        self.steps.append(step)
        self.nodes.append(node)

    def _put_asked(self, node: Branches, asked: frozenset[int]) -> None:
        """A group around what is asked for."""
        if node.index in asked or node.repeat not in ("", "?"):
            raise _NoPathError
        if node.repeat:
            self._put_optional(node)
        elif not self._put_or_text(node):
            self._put_inside(node)

    def _put_optional(self, node: Branches) -> None:
        """A group that RE2 tries first, and leaves out where it cannot be."""
        self.optional.append(id(node))
        if id(node) not in self.without:
            self._put_inside(node)
            return
        first: Node = replace(node, repeat="")
        while isinstance(first, Branches):
            if len(first.branches) != 1 or not first.branches[0] or first.repeat:
                raise _NoPathError
            first = first.branches[0][0]
        if first.char is None or self._may_begin(first.char):
            raise _NoPathError

    def _may_begin(self, char: str) -> bool:
        """Whether what follows may begin with a character."""
        for step, node in zip(reversed(self.steps), reversed(self.nodes), strict=True):
            if isinstance(step, str):
                return step[0] == char
            if node is None or may_hold((node,), char):
                return True
        return not self.whole

    def _put_or_text(self, node: Branches) -> bool:
        """Put a group or a text in its place as one run: ``(?:%{INT:bytes}|-)``; whether it is that."""
        if len(node.branches) != 2:
            return False
        for one, other in (node.branches, node.branches[::-1]):
            text = literal(other)
            inner = one[0] if len(one) == 1 else None
            if not text or not isinstance(inner, Branches) or inner.index not in self.keep or inner.repeat:
                continue
            if any(self.keep.intersection(captures(branch)) for branch in inner.branches):
                continue
            behind = self.steps[-1] if self.steps else ""
            text_first = other is node.branches[0]
            if text_first and _unwrapped((inner,)) == Atom(".", "*?") and isinstance(behind, str) and behind:
                # Either is over where the text behind first stands, if that is not before the end of this text.
                if (text + behind).find(behind) < len(text):
                    return False
                self._append(Run(None, inner.index, null=text), None)
                return True
            if text_first or not full_match(render((inner,)), text):
                self._put_run(Run(None, inner.index, null=text), node)
                return True
        return False

    def _put_inside(self, node: Branches) -> None:
        """What is in a group that is not asked for, the way it is tried first."""
        if node.repeat not in ("", "?") or node.index in self.keep:
            raise _NoPathError
        self._put_all(self._preferred(node))

    # --- how runs end ---------------------------------------------------------------------------------------

    def _put_run(self, run: Run, node: Node) -> None:
        """Put what matches a node, if it is clear where that ends.

        Raises:
            _NoPathError: it is not.
        """
        behind = self.steps[-1] if self.steps else ""
        if isinstance(behind, Run) or any(atom.text in ("^", "$") for atom in atoms((node,))):
            raise _NoPathError
        plain = _unwrapped((node,))
        regex = render((plain,))
        if run.null is None and plain in _EVERYTHING:
            nearest = plain == Atom(".", "*?")
            if nearest != bool(behind) and not (nearest and self.whole):
                raise _NoPathError
            self._append(run, None)
        elif run.null is None and regex == _regex_of("QUOTEDSTRING"):
            self._put_text('"')
            self._append(replace(run, quotes=True), None)
            self._put_text('"')
        elif self.whole if not behind else _is_over(node, behind):
            self._append(replace(run, regex=regex, made_of=self._made_of(plain, regex)), node)
        else:
            counts = [spaces for name, spaces in _UNIQUE.items() if regex == _regex_of(name)]
            if not counts or behind[:1] != " " or run.null is not None:
                raise _NoPathError
            self._append(replace(run, regex=regex, spaces=counts[0]), node)

    def _made_of(self, plain: Node, regex: str) -> str:
        """See :class:`Run`."""
        if isinstance(plain, Branches) and len(plain.branches) == 1:
            inside = plain.branches[0]
            if inside == (Atom("\\b"), Atom("\\w", "+"), Atom("\\b")):
                plain = inside[1]
        if isinstance(plain, Atom) and plain.repeat == "+":
            return "".join(filter(lambda char: may_hold((plain,), char), map(chr, range(128))))
        return "0123456789" if regex in map(_regex_of, ("INT", "NUMBER", "NONNEGINT")) else ""

    def _check(self, steps: tuple[str | Run, ...]) -> None:
        """Raises _NoPathError where there is no run, or whether a word ends depends on what is around one."""
        if not any(isinstance(step, Run) and (step.regex or step.group is not None) for step in steps):
            raise _NoPathError  # nothing of it is asked for
        for place, step in enumerate(steps):
            if isinstance(step, str) or "\\b" not in (step.regex or ""):
                continue
            around = [_text(steps, place - 1)[-1:], _text(steps, place + 1)[:1]]
            if any(one.isalnum() or one == "_" for one in around):
                raise _NoPathError


def _is_over(node: Node, behind: str) -> bool:
    """Whether what matches the node is over where the text behind it first stands.

    It is, if it cannot hold one of the text's characters. It ends before the first of these, where the text first
    stands; and were it to end between the text's beginning and that, the text would stand there again, with a character
    that the node can hold in that one's place.
    """
    return any(not may_hold((node,), char) for char in behind)


def _text(steps: tuple[str | Run, ...], place: int) -> str:
    """The text at a place; "" beyond both ends."""
    step = steps[place] if 0 <= place < len(steps) else ""
    return step if isinstance(step, str) else ""


def _unwrapped(nodes: tuple[Node, ...]) -> Node:
    """The only node, out of the groups around it."""
    node = nodes[0]
    while isinstance(node, Branches) and len(node.branches) == 1 and len(node.branches[0]) == 1 and not node.repeat:
        node = node.branches[0][0]
    return replace(node, index=None) if isinstance(node, Branches) else node
