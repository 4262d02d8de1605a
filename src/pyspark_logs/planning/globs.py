r"""Globs as Hadoop and Spark read them: ``*``, ``?``, ``[ab]``, ``[a-c]``, ``[^a]``, ``{a,b}``, ``\``. No I/O.

No element matches across a ``/``, but an alternative in braces may contain a ``/``.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

from pyspark_logs.errors import OptionError
from pyspark_logs.layout import is_hidden

_SPECIAL = re.compile(r"[*?\[{}\\]")
_ANY_TEXT = ".*"
_MAX_DEPTH = 50
# Names and paths that the braces of one glob may stand for.
MAX_ALTERNATIVES = 10_000


@dataclass(frozen=True)
class _Element:
    """An element of a glob.

    Attributes:
        regex: regular expression; empty for a mark.
        literal: the only character that matches; None if several match, and for a mark.
        mark: ``{``, ``,`` or ``}`` of a group of alternatives; empty for other elements.
    """

    regex: str
    literal: str | None = None
    mark: str = ""


@dataclass(frozen=True)
class Glob:
    """A glob for one name.

    Attributes:
        text: text of the glob.
        prefix: literal prefix of all matches, for list requests.
        literal: the only name that matches; ``None`` if the glob has special characters.
        pattern: regular expression for a whole name.
    """

    text: str
    prefix: str = field(init=False)
    literal: str | None = field(init=False)
    pattern: re.Pattern[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        elements = _elements(self.text)
        literals = [element.literal for element in elements]
        prefix = "".join(itertools.takewhile(lambda char: char is not None, literals))  # type: ignore[arg-type]
        sequences = _alternatives(self.text, elements)
        object.__setattr__(self, "prefix", prefix)
        object.__setattr__(self, "literal", None if None in literals else prefix)
        regex = "|".join(map(_without_backtracking, sequences))
        object.__setattr__(self, "pattern", re.compile(regex, re.DOTALL))

    def matches(self, name: str) -> bool:
        """True if the whole name matches.

        Example:
            >>> glob = Glob("app-[0-9]*.{log,gz}")
            >>> [glob.matches(name) for name in ("app-1.log", "app-12.gz", "app-x.gz")]
            [True, True, False]
        """
        return self.pattern.fullmatch(name) is not None

    def finds(self, name: str) -> bool:
        """True if the name matches and, for a hidden name, the glob begins with a literal character."""
        return self.matches(name) and (not is_hidden(name) or bool(self.prefix))


def is_glob(path: str) -> bool:
    """True if a load path has a character that is special in a glob.

    Example:
        >>> is_glob("s3://bucket/2026-*"), is_glob("s3://bucket/2026")
        (True, False)
    """
    return _SPECIAL.search(path) is not None


def split_glob(path: str) -> list[list[Glob]]:
    """Returns the globs of each name of a path, once for each alternative in braces that contains a ``/``.

    Example:
        >>> [[glob.text for glob in names] for names in split_glob("a/{b/c,d}/{e,f}")]
        [['a', 'b', 'c', '{e,f}'], ['a', 'd', '{e,f}']]

    Raises:
        OptionError: a bracket or brace is not closed, or a backslash ends the path.
    """
    return [[Glob(name) for name in expanded.split("/")] for expanded in _expand_slashes(path)]


def _expand_slashes(path: str) -> list[str]:
    """Expands, from the left, the brace groups that have a ``/`` in an alternative."""
    expanded: list[str] = []
    pending = [path]
    while pending:
        text = pending.pop()
        group = _group_with_slash(text)
        if group is None:
            expanded.append(text)
        else:
            start, end, choices = group
            pending += [text[:start] + choice + text[end + 1 :] for choice in reversed(choices)]
        if len(expanded) + len(pending) > MAX_ALTERNATIVES:
            raise _too_many(path)
    return expanded


def _group_with_slash(path: str) -> tuple[int, int, list[str]] | None:
    """Returns the first brace group with a ``/`` in an alternative: offsets of its braces, and the alternatives."""
    depth, start, commas = 0, 0, []
    for index, char in _unescaped(path):
        if char == "{":
            depth += 1
            if depth == 1:
                start, commas = index, [index]
        elif char == "," and depth == 1:
            commas.append(index)
        elif char == "}" and depth:
            depth -= 1
            if depth == 0 and "/" in path[start:index]:
                ends = [*commas[1:], index]
                return start, index, [path[comma + 1 : end] for comma, end in zip(commas, ends, strict=True)]
    return None


def _unescaped(text: str) -> list[tuple[int, str]]:
    """Returns index and character of each character that is not escaped by a backslash."""
    return [(m.start(), m[0]) for m in re.finditer(r"\\.|.", text, re.DOTALL) if len(m[0]) == 1]


def _elements(glob: str) -> list[_Element]:
    """Returns the elements of a glob.

    Raises:
        OptionError: a bracket or brace is not closed, braces are nested too deeply, or a backslash ends the glob.
    """
    found: list[_Element] = []
    index = depth = 0
    while index < len(glob):
        char = glob[index]
        index += 1
        element = _Element(re.escape(char), char)
        if char == "\\":
            if index == len(glob):
                raise OptionError(f"glob {glob!r}: ends in a backslash; write \\\\ for the character itself")
            element = _Element(re.escape(glob[index]), glob[index])
            index += 1
        elif char == "*":
            element = _Element(_ANY_TEXT)
        elif char == "?":
            element = _Element(".")
        elif char == "[":
            regex, index = _character_class(glob, index)
            element = _Element(regex)
        elif char == "{" or (char in ",}" and depth):
            element = _Element("", mark=char)
            depth += (char == "{") - (char == "}")
        if depth > _MAX_DEPTH:
            raise OptionError(f"glob {glob[:100]!r}: braces are nested deeper than {_MAX_DEPTH}; write fewer of them")
        found.append(element)
    if depth:
        raise OptionError(f"glob {glob!r}: a brace is not closed; write \\{{ for the character itself")
    return found


def _alternatives(glob: str, elements: list[_Element]) -> list[list[str]]:
    """Returns the sequences of regular expressions that the braces of a glob stand for, each without braces.

    Raises:
        OptionError: there are more than ``MAX_ALTERNATIVES``.
    """
    sequences: list[list[str]] = [[]]
    finished: list[list[str]] = []  # the alternatives of the current group before the current one
    outer: list[tuple[list[list[str]], list[list[str]]]] = []
    for element in elements:
        if element.mark == "{":
            outer.append((sequences, finished))
            sequences, finished = [[]], []
        elif element.mark == ",":
            finished, sequences = finished + sequences, [[]]
        elif element.mark == "}":
            choices = finished + sequences
            before, finished = outer.pop()
            if len(before) * len(choices) > MAX_ALTERNATIVES:
                raise _too_many(glob)
            sequences = [one + other for one in before for other in choices]
        else:
            for sequence in sequences:
                sequence.append(element.regex)
    return sequences


def _without_backtracking(sequence: list[str]) -> str:
    """Returns the regular expression of a sequence, which needs linear time for a name.

    The text of a ``*`` ends at the first match of the elements up to the next ``*``, which have a fixed length. Only the last
    ``*`` may take more. With several ``.*``, all combinations of lengths would be tried: 250 characters would take seconds.
    """
    first, *runs = _split(sequence)
    if not runs:
        return first
    middle = "".join(f"(?:(?!{run}).)*{run}" for run in runs[:-1] if run)
    return f"{first}{middle}{_ANY_TEXT}{runs[-1]}"


def _split(sequence: list[str]) -> list[str]:
    """Returns the joined elements between the ``*`` of a sequence."""
    runs = [""]
    for regex in sequence:
        if regex == _ANY_TEXT:
            runs.append("")
        else:
            runs[-1] += regex
    return runs


def _too_many(glob: str) -> OptionError:
    return OptionError(
        f"glob {glob[:100]!r}: its braces stand for more than {MAX_ALTERNATIVES} names; write * for some of them, or"
        " give several paths"
    )


def _character_class(glob: str, index: int) -> tuple[str, int]:
    """Returns the regular expression of the ``[...]`` whose content begins at ``index``, and the index after it."""
    negated = glob[index : index + 1] in ("^", "!")
    end = index + negated
    regex = ""
    # A "]" in the first position is a member of the class.
    while end < len(glob) and (glob[end] != "]" or not regex):
        char = glob[end]
        if char == "\\" and end + 1 < len(glob):
            end += 1
            char = glob[end]
            regex += re.escape(char)
        else:
            regex += char if char == "-" else re.escape(char)
        end += 1
    if end >= len(glob):
        raise OptionError(f"glob {glob!r}: a bracket is not closed; write \\[ for the character itself")
    try:
        re.compile(text := f"[{'^' * negated}{regex}]")
    except re.error as error:
        raise OptionError(f"glob {glob!r}: bad characters in brackets: {error}") from error
    return text, end + 1
