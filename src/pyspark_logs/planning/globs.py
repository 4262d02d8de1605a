r"""Globs as Hadoop and Spark read them: ``*``, ``?``, ``[ab]``, ``[a-c]``, ``[^a]``, ``{a,b}``, ``\``. No I/O.

No element matches across a ``/``, but an alternative in braces may contain a ``/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pyspark_logs.errors import OptionError
from pyspark_logs.layout import is_hidden

_SPECIAL = re.compile(r"[*?\[{}\\]")


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
        elements = list(_elements(self.text))
        prefix = ""
        for char, _ in elements:
            if char is None:
                break
            prefix += char
        literal = prefix if all(char is not None for char, _ in elements) else None
        object.__setattr__(self, "prefix", prefix)
        object.__setattr__(self, "literal", literal)
        object.__setattr__(self, "pattern", re.compile("".join(regex for _, regex in elements), re.DOTALL))

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
    """Expands, from the left, the brace groups of which an alternative contains a ``/``."""
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
                choices = [path[comma + 1 : end] for comma, end in zip(commas, ends, strict=True)]
                return [
                    text for choice in choices for text in _expand_slashes(path[:start] + choice + path[index + 1 :])
                ]
    return [path]


def _unescaped(text: str) -> list[tuple[int, str]]:
    """Returns index and character of each character that is not escaped by a backslash."""
    return [(m.start(), m[0]) for m in re.finditer(r"\\.|.", text, re.DOTALL) if len(m[0]) == 1]


def _elements(glob: str) -> list[tuple[str | None, str]]:
    """Returns literal character (None if several characters match) and regular expression of each element of a glob."""
    found: list[tuple[str | None, str]] = []
    index = depth = 0
    while index < len(glob):
        char = glob[index]
        index += 1
        literal, regex = None, ""
        if char == "\\":
            if index == len(glob):
                raise OptionError(f"glob {glob!r}: ends in a backslash; write \\\\ for the character itself")
            literal = glob[index]
            index += 1
        elif char == "*":
            regex = ".*"
        elif char == "?":
            regex = "."
        elif char == "[":
            regex, index = _character_class(glob, index)
        elif char == "{":
            depth += 1
            regex = "(?:"
        elif char == "," and depth:
            regex = "|"
        elif char == "}" and depth:
            depth -= 1
            regex = ")"
        else:
            literal = char
        if literal is not None:
            regex = re.escape(literal)
        found.append((literal if depth == 0 else None, regex))
    if depth:
        raise OptionError(f"glob {glob!r}: a brace is not closed; write \\{{ for the character itself")
    return found


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
