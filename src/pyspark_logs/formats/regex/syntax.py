"""The syntax of regular expressions, as far as we must know it: groups, what RE2 lacks, what grok spells otherwise.

RE2 decides what a regular expression means. Before it does, groups that nobody named, or nobody wants, stop
capturing, and what it lacks is refused by its name and place; for that a text is cut into tokens here.
See https://github.com/google/re2/wiki/Syntax; grok's patterns are written for Oniguruma
(https://github.com/kkos/oniguruma/blob/master/doc/RE), whose spellings are put into RE2's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyspark_logs.errors import FormatError

_NAMED = re.compile(r"\(\?(?:P?<(?P<angle>[^<>=!]*)>|'(?P<quote>[^']*)')")
_FLAGS = re.compile(r"\(\?([a-zA-Z]*)(-[a-zA-Z]*)?([:)])")
_REPEAT = re.compile(r"(?P<op>[*+?]|\{(?P<least>\d*)(?P<comma>,?)(?P<most>\d*)\})(?P<lazy>\??)(?P<possessive>\+?)")
_POSIX = re.compile(r"\[:\^?\w*:\]")
_REFERENCE = re.compile(r"%\{([^{}]*)\}")
# An escape, as long as it is: what follows must not be taken for a quantifier or a bracket.
ESCAPE = re.compile(r"\\(?:x\{[^{}]*\}|x[0-9A-Fa-f]{2}|[pP]\{[^{}]*\}|[pP].|[0-7]{2,3}|.)", re.DOTALL)

_LACKS = (
    ("(?=", "look-ahead"),
    ("(?!", "negative look-ahead"),
    ("(?<=", "look-behind"),
    ("(?<!", "negative look-behind"),
    ("(?>", "atomic group"),
    ("(?P=", "back-reference"),
    ("(?P>", "subroutine call"),
    ("(?&", "subroutine call"),
    ("(?|", "branch reset"),
    ("(?(", "conditional"),
    ("(?~", "absent operator"),
    ("(?R", "recursion"),
)
_CALL = re.compile(r"\(\?[+-]?\d+\)")
_ESCAPES_LACKING = {"k": "back-reference", "g": "subroutine call", "G": "anchor at the last match (\\G)", "K": "\\K",
                    "X": "grapheme (\\X)", "C": "single byte (\\C)"}  # fmt: skip
_HEX = "0-9a-fA-F"


@dataclass(frozen=True)
class Token:
    """A piece of a regular expression.

    Attributes:
        kind: ``text`` (an atom, or anything without further meaning here), ``open``, ``named``, ``close``,
            ``or``, ``repeat``, ``reference``.
        value: as RE2 has it; of ``named`` the name, of ``reference`` what stands between the braces.
        place: the character of the text at which it begins, from 0.
        may_lack: of ``repeat``: whether what it repeats may be there zero times.
    """

    kind: str
    value: str
    place: int
    may_lack: bool = False


def wrong(where: str, place: int, what: str, hint: str) -> FormatError:
    """The error about a place in the text; ``place`` counts from 0."""
    return FormatError(f"{where}: {what} at character {place + 1}: {hint}")


def _lacking(where: str, place: int, what: str) -> FormatError:
    return wrong(where, place, what, "the engine is RE2, which takes linear time on any input and has none; rewrite it")


def tokens(text: str, where: str, *, grok: bool = False) -> Iterator[Token]:
    r"""Cut a regular expression into tokens.

    Args:
        text: the regular expression.
        where: what it is, for messages.
        grok: ``%{...}`` is a reference, and the syntax is Oniguruma's.

    Raises:
        FormatError: what RE2 lacks, or a bracket that is not closed, with its place.

    >>> [token.kind for token in tokens(r"(?<x>\d+)?", "regex")]
    ['named', 'text', 'repeat', 'close', 'repeat']
    """
    place = 0
    while place < len(text):
        token, place = _next(text, place, where, grok)
        if token is not None:
            yield token


def _next(text: str, place: int, where: str, grok: bool) -> tuple[Token | None, int]:
    """The token that begins at a place (None: one without meaning, a comment), and where the next one does."""
    char = text[place]
    if char == "\\":
        return _escape(text, place, where, grok)
    if char == "[":
        return _class(text, place, where, grok)
    if char == "(":
        return _group(text, place, where, grok)
    if char in ")|":
        return Token("close" if char == ")" else "or", char, place), place + 1
    reference = _REFERENCE.match(text, place) if grok else None
    if reference is not None:
        return Token("reference", reference[1], place), reference.end()
    if grok and text.startswith("%{", place):
        raise wrong(where, place, "'%{'", "it is not closed by '}'")
    repeat = _REPEAT.match(text, place)
    if repeat is not None:
        return _repeat(repeat, place, where, grok)
    return Token("text", char, place), place + 1


def _repeat(repeat: re.Match[str], place: int, where: str, grok: bool) -> tuple[Token, int]:
    op, least = repeat["op"], repeat["least"]
    if op[0] == "{" and not least:
        if not (grok and repeat["comma"] and repeat["most"]):
            return Token("text", "{", place), place + 1  # a brace like any other
        op = f"{{0,{repeat['most']}}}"
    if repeat["possessive"]:
        raise _lacking(where, place, "possessive quantifier")
    may_lack = op in ("*", "?") or (op[0] == "{" and int(least or "0") == 0)
    return Token("repeat", op + repeat["lazy"], place, may_lack), repeat.end()


def _escape(text: str, place: int, where: str, grok: bool) -> tuple[Token, int]:
    match = ESCAPE.match(text, place)
    if match is None:
        raise wrong(where, place, "backslash", "nothing follows it; write \\\\ for a backslash")
    if match[0] == "\\Q":
        end = text.find("\\E", match.end())
        end = len(text) if end < 0 else end
        quoted = "".join(c if c.isalnum() or not c.isascii() else _plain(c) for c in text[match.end() : end])
        return Token("text", quoted, place), min(end + 2, len(text))
    return Token("text", _spelled(match[0], place, where, grok), place), match.end()


def _plain(char: str) -> str:
    """A character that is no letter, digit or beyond ASCII, so that it means itself."""
    return f"\\x{ord(char):02x}" if char < " " or char == "_" else "\\" + char


def _spelled(escape: str, place: int, where: str, grok: bool, *, in_class: bool = False) -> str:
    """An escape as RE2 spells it."""
    letter = escape[1]
    if letter in _ESCAPES_LACKING:
        raise _lacking(where, place, _ESCAPES_LACKING[letter])
    if letter in "123456789" and (len(escape) == 2 or grok) and not in_class:
        raise _lacking(where, place, "back-reference")
    if not grok:
        return escape
    if letter == "H" and in_class:
        raise wrong(where, place, "\\H within a class", f"write the class as [^{_HEX}...]")
    if letter == "h":
        return _HEX if in_class else f"[{_HEX}]"
    others = {"H": f"[^{_HEX}]", "Z": "\\z", "R": "(?:\\r\\n|[\\n\\x0b\\f\\r])", "e": "\\x1b", "_": "_"}
    return others.get(letter, escape)


def _class(text: str, place: int, where: str, grok: bool) -> tuple[Token, int]:
    """A character class, to its closing bracket."""
    at = place + (2 if text.startswith("[^", place) else 1)
    spelled = text[place:at]
    first = at
    while at < len(text):
        char = text[at]
        posix = _POSIX.match(text, at)
        escape = ESCAPE.match(text, at) if char == "\\" else None
        if char == "]" and at > first:
            return Token("text", spelled + "]", place), at + 1
        if posix is not None:
            piece, at = posix[0], posix.end()
        elif escape is not None:
            piece, at = _spelled(escape[0], at, where, grok, in_class=True), escape.end()
        elif grok and char == "[":
            raise wrong(where, at, "character class within a class", "write \\[ for a bracket, or one class of all")
        elif grok and text.startswith("&&", at):
            raise wrong(where, at, "intersection of classes (&&)", "RE2 has none; write the class that is meant")
        else:
            piece, at = char, at + 1
        spelled += piece
    raise wrong(where, place, "'['", "the class is not closed by ']'; write \\[ for a bracket")


def _group(text: str, place: int, where: str, grok: bool) -> tuple[Token | None, int]:
    """What opens at a parenthesis."""
    for start, what in _LACKS:
        if text.startswith(start, place):
            raise _lacking(where, place, what)
    if _CALL.match(text, place):
        raise _lacking(where, place, "subroutine call")
    if text.startswith("(?#", place):
        end = text.find(")", place)
        if not grok or end < 0:
            raise wrong(where, place, "comment", "RE2 has none; leave it out")
        return None, end + 1
    named = _NAMED.match(text, place)
    if named is not None and (grok or named["quote"] is None):
        return Token("named", named["angle"] if named["quote"] is None else named["quote"], place), named.end()
    flags = _FLAGS.match(text, place)
    if flags is not None:
        value = _flags(flags, place, where) if grok else flags[0]
        return Token("text" if flags[3] == ")" else "open", value, place), flags.end()
    if text.startswith("(?", place):
        return Token("open", "(?", place), place + 2  # RE2 says what is wrong with it
    return Token("open", "(?:", place), place + 1


def _flags(flags: re.Match[str], place: int, where: str) -> str:
    """Oniguruma's flags: its ``m`` lets the dot match line ends, which is RE2's ``s``."""
    if "x" in flags[1]:
        raise _lacking(where, place, "extended syntax (?x)")
    off = (flags[2] or "").replace("x", "").replace("m", "s")
    on = flags[1].replace("m", "s")
    if not on and off in ("", "-"):
        return "(?:" if flags[3] == ":" else "(?:)"
    return f"(?{on}{off if off != '-' else ''}{flags[3]}"
