r"""Globs as Hadoop and Spark read them: ``*``, ``?``, ``[ab]``, ``[a-c]``, ``[^a]``, ``{a,b}``, ``\``. No I/O.

Nothing here matches across a ``/``, but an alternative in braces may hold one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pyspark_logs.errors import OptionError
from pyspark_logs.layout import is_hidden

_SPECIAL = re.compile(r"[*?\[{}\\]")


@dataclass(frozen=True)
class Glob:
    """A glob over one name.

    Attributes:
        text: as written.
        prefix: what every match starts with, for the list request.
        literal: the one name that matches, where nothing in the glob is special.
    """

    text: str
    prefix: str = field(init=False)
    literal: str | None = field(init=False)
    pattern: re.Pattern[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        pieces = list(_pieces(self.text))
        prefix = ""
        for char, _ in pieces:
            if char is None:
                break
            prefix += char
        literal = prefix if all(char is not None for char, _ in pieces) else None
        object.__setattr__(self, "prefix", prefix)
        object.__setattr__(self, "literal", literal)
        object.__setattr__(self, "pattern", re.compile("".join(regex for _, regex in pieces), re.DOTALL))

    def matches(self, name: str) -> bool:
        """Whether the whole name fits.

        Example:
            >>> glob = Glob("app-[0-9]*.{log,gz}")
            >>> [glob.matches(name) for name in ("app-1.log", "app-12.gz", "app-x.gz")]
            [True, True, False]
        """
        return self.pattern.fullmatch(name) is not None

    def finds(self, name: str) -> bool:
        """Like :meth:`matches`, but a hidden name must have its first character written literally."""
        return self.matches(name) and (not is_hidden(name) or bool(self.prefix))


def is_glob(path: str) -> bool:
    """Whether a load path holds any character that is special in a glob.

    Example:
        >>> is_glob("s3://bucket/2026-*"), is_glob("s3://bucket/2026")
        (True, False)
    """
    return _SPECIAL.search(path) is not None


def split_glob(path: str) -> list[list[Glob]]:
    """The globs of each name of a path, once for every alternative in braces that holds a ``/``.

    Example:
        >>> [[glob.text for glob in names] for names in split_glob("a/{b/c,d}/{e,f}")]
        [['a', 'b', 'c', '{e,f}'], ['a', 'd', '{e,f}']]

    Raises:
        OptionError: a bracket or brace is not closed, or a backslash ends the path.
    """
    return [[Glob(name) for name in expanded.split("/")] for expanded in _expand_slashes(path)]


def _expand_slashes(path: str) -> list[str]:
    """Expand brace groups, from the left, as long as one of their alternatives holds a ``/``."""
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
                choices = [path[one + 1 : other] for one, other in zip(commas, ends, strict=True)]
                return [
                    text for choice in choices for text in _expand_slashes(path[:start] + choice + path[index + 1 :])
                ]
    return [path]


def _unescaped(text: str) -> list[tuple[int, str]]:
    """Index and character of what no backslash precedes."""
    return [(m.start(), m[0]) for m in re.finditer(r"\\.|.", text, re.DOTALL) if len(m[0]) == 1]


def _pieces(glob: str) -> list[tuple[str | None, str]]:
    """Each piece's one literal character (None for what may be several), and its regular expression."""
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
    """The regular expression of ``[...]``, whose content begins at ``index``, and the index after it."""
    negated = glob[index : index + 1] in ("^", "!")
    end = index + negated
    regex = ""
    # A "]" that comes first is a member.
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
