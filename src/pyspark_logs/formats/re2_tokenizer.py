r"""Tokens of a regular expression: groups, quantifiers, alternation, and references to grok patterns.

RE2 defines the meaning of an expression (https://github.com/google/re2/wiki/Syntax). The tokenizer exists for three
things that RE2 does not do: it turns groups that are not needed into non-capturing groups, it reports constructs that
RE2 lacks by name and position, and it rewrites Oniguruma's syntax, in which grok patterns are written
(https://github.com/kkos/oniguruma/blob/master/doc/RE), as RE2's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyspark_logs.errors import FormatError

_MAX_SHOWN = 200

_NAMED_GROUP = re.compile(r"\(\?(?:P?<(?P<angle>[^<>=!]*)>|'(?P<quote>[^']*)')")
_FLAGS = re.compile(r"\(\?([a-zA-Z]*)(-[a-zA-Z]*)?([:)])")
_QUANTIFIER = re.compile(r"(?P<op>[*+?]|\{(?P<min>\d*)(?P<comma>,?)(?P<max>\d*)\})(?P<lazy>\??)(?P<possessive>\+?)")
_POSIX_CLASS = re.compile(r"\[:\^?\w*:\]")
_REFERENCE = re.compile(r"%\{([^{}]*)\}")
# Matches the whole escape, so that its braces and brackets are not read as quantifiers or classes.
ESCAPE = re.compile(r"\\(?:x\{[^{}]*\}|x[0-9A-Fa-f]{2}|[pP]\{[^{}]*\}|[pP].|[0-7]{2,3}|.)", re.DOTALL)

_UNSUPPORTED_GROUPS = (
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
_SUBROUTINE_CALL = re.compile(r"\(\?[+-]?\d+\)")
_UNSUPPORTED_ESCAPES = {"k": "back-reference", "g": "subroutine call", "G": "anchor at the last match (\\G)", "K": "\\K",
                        "X": "grapheme (\\X)", "C": "single byte (\\C)"}  # fmt: skip
_HEX = "0-9a-fA-F"


@dataclass(frozen=True)
class Token:
    """A token of a regular expression.

    Attributes:
        kind: ``atom`` (also flags, and quoted text), ``open``, ``named_group``, ``close``, ``alternation``,
            ``quantifier`` or ``reference``.
        value: text in RE2's syntax; the name of a named group, or the content of the braces of a reference.
        offset: index of the token's first character in the expression.
        allows_zero: True if a quantifier accepts zero repetitions.
    """

    kind: str
    value: str
    offset: int
    allows_zero: bool = False


def syntax_error(source: str, offset: int, construct: str, hint: str) -> FormatError:
    """Returns the error for a construct of an expression; the message counts characters from 1.

    Args:
        source: name of the expression, such as the option that holds it.
        offset: index of the construct's first character.
        construct: the construct that is wrong.
        hint: cause and remedy.
    """
    return FormatError(f"{source}: {construct} at character {offset + 1}: {hint}")


def _unsupported(source: str, offset: int, construct: str) -> FormatError:
    hint = "RE2, which takes linear time on any input, does not support it; rewrite the expression"
    return syntax_error(source, offset, construct, hint)


def tokenize(text: str, source: str, *, grok: bool = False) -> Iterator[Token]:
    r"""Yields the tokens of a regular expression.

    Args:
        text: the regular expression.
        source: name of the expression, for messages.
        grok: True for Oniguruma's syntax with references ``%{...}``; False for RE2's syntax.

    Raises:
        FormatError: a construct that RE2 does not support, or a class that is not closed.

    >>> [token.kind for token in tokenize(r"(?<x>\d+)?", "regex")]
    ['named_group', 'atom', 'quantifier', 'close', 'quantifier']
    """
    offset = 0
    while offset < len(text):
        token, offset = _next_token(text, offset, source, grok)
        if token is not None:
            yield token


def _next_token(text: str, offset: int, source: str, grok: bool) -> tuple[Token | None, int]:
    """Returns the token at an offset, None for a comment, and the offset of the next token."""
    char = text[offset]
    if char == "\\":
        return _read_escape(text, offset, source, grok)
    if char == "[":
        return _read_class(text, offset, source, grok)
    if char == "(":
        return _read_group(text, offset, source, grok)
    if char in ")|":
        return Token("close" if char == ")" else "alternation", char, offset), offset + 1
    reference = _REFERENCE.match(text, offset) if grok else None
    if reference is not None:
        return Token("reference", reference[1], offset), reference.end()
    if grok and text.startswith("%{", offset):
        raise syntax_error(source, offset, "'%{'", "it is not closed by '}'")
    quantifier = _QUANTIFIER.match(text, offset)
    if quantifier is not None:
        return _read_quantifier(quantifier, offset, source, grok)
    return Token("atom", char, offset), offset + 1


def _read_quantifier(quantifier: re.Match[str], offset: int, source: str, grok: bool) -> tuple[Token, int]:
    op, least = quantifier["op"], quantifier["min"]
    if op[0] == "{" and not least:
        if not (grok and quantifier["comma"] and quantifier["max"]):
            return Token("atom", "{", offset), offset + 1  # RE2 reads such a brace as a literal character
        op = f"{{0,{quantifier['max']}}}"
    if quantifier["possessive"]:
        raise _unsupported(source, offset, "possessive quantifier")
    allows_zero = op in ("*", "?") or (op[0] == "{" and not (least or "").strip("0"))
    return Token("quantifier", op + quantifier["lazy"], offset, allows_zero), quantifier.end()


def _read_escape(text: str, offset: int, source: str, grok: bool) -> tuple[Token, int]:
    match = ESCAPE.match(text, offset)
    if match is None:
        raise syntax_error(source, offset, "backslash", "nothing follows it; write \\\\ for a backslash")
    if match[0] == "\\Q":
        end = text.find("\\E", match.end())
        end = len(text) if end < 0 else end
        quoted = "".join(_quote(char) for char in text[match.end() : end])
        return Token("atom", quoted, offset), min(end + 2, len(text))
    return Token("atom", _to_re2_escape(match[0], offset, source, grok), offset), match.end()


def _quote(char: str) -> str:
    """Returns a regular expression for a literal character."""
    if char.isalnum() or not char.isascii():
        return char
    return f"\\x{ord(char):02x}" if char < " " or char == "_" else "\\" + char


def _to_re2_escape(escape: str, offset: int, source: str, grok: bool, *, in_class: bool = False) -> str:
    """Returns an escape in RE2's syntax."""
    letter = escape[1]
    if letter in _UNSUPPORTED_ESCAPES:
        raise _unsupported(source, offset, _UNSUPPORTED_ESCAPES[letter])
    if letter in "123456789" and (len(escape) == 2 or grok) and not in_class:
        raise _unsupported(source, offset, "back-reference")
    if not grok:
        return escape
    if letter == "H" and in_class:
        raise syntax_error(source, offset, "\\H within a class", f"write the class as [^{_HEX}...]")
    if letter == "h":
        return _HEX if in_class else f"[{_HEX}]"
    rewritten = {"H": f"[^{_HEX}]", "Z": "\\z", "R": "(?:\\r\\n|[\\n\\x0b\\f\\r])", "e": "\\x1b", "_": "_"}
    return rewritten.get(letter, escape)


def _read_class(text: str, offset: int, source: str, grok: bool) -> tuple[Token, int]:
    """Returns the character class at an offset, and the offset of the next token."""
    index = offset + (2 if text.startswith("[^", offset) else 1)
    rewritten = text[offset:index]
    first = index  # a bracket here is a member of the class
    while index < len(text):
        char = text[index]
        posix = _POSIX_CLASS.match(text, index)
        escape = ESCAPE.match(text, index) if char == "\\" else None
        if char == "]" and index > first:
            return Token("atom", rewritten + "]", offset), index + 1
        if posix is not None:
            member, index = posix[0], posix.end()
        elif escape is not None:
            member, index = _to_re2_escape(escape[0], index, source, grok, in_class=True), escape.end()
        elif grok and char == "[":
            hint = "write \\[ for a bracket, or one class with all members"
            raise syntax_error(source, index, "character class within a class", hint)
        elif grok and text.startswith("&&", index):
            hint = "RE2 does not support it; write the resulting class"
            raise syntax_error(source, index, "intersection of classes (&&)", hint)
        else:
            member, index = char, index + 1
        rewritten += member
    raise syntax_error(source, offset, "'['", "the class is not closed by ']'; write \\[ for a bracket")


def _read_group(text: str, offset: int, source: str, grok: bool) -> tuple[Token | None, int]:
    """Returns the token that an opening parenthesis begins, None for a comment, and the offset of the next token."""
    for start, construct in _UNSUPPORTED_GROUPS:
        if text.startswith(start, offset):
            raise _unsupported(source, offset, construct)
    if _SUBROUTINE_CALL.match(text, offset):
        raise _unsupported(source, offset, "subroutine call")
    if text.startswith("(?#", offset):
        end = text.find(")", offset)
        if not grok or end < 0:
            raise syntax_error(source, offset, "comment", "RE2 does not support comments; remove it")
        return None, end + 1
    named = _NAMED_GROUP.match(text, offset)
    if named is not None and (grok or named["quote"] is None):
        name = named["angle"] if named["quote"] is None else named["quote"]
        return Token("named_group", name, offset), named.end()
    flags = _FLAGS.match(text, offset)
    if flags is not None:
        value = _to_re2_flags(flags, offset, source) if grok else flags[0]
        return Token("atom" if flags[3] == ")" else "open", value, offset), flags.end()
    if text.startswith("(?", offset):
        return Token("open", "(?", offset), offset + 2  # RE2 reports the error
    return Token("open", "(?:", offset), offset + 1


def _to_re2_flags(flags: re.Match[str], offset: int, source: str) -> str:
    """Returns Oniguruma's flags in RE2's syntax: Oniguruma's ``m``, "the dot matches newline", is RE2's ``s``."""
    if "x" in flags[1]:
        raise _unsupported(source, offset, "extended syntax (?x)")
    off = (flags[2] or "").replace("x", "").replace("m", "s")
    on = flags[1].replace("m", "s")
    if not on and off in ("", "-"):
        return "(?:" if flags[3] == ":" else "(?:)"
    return f"(?{on}{off if off != '-' else ''}{flags[3]}"


def truncate(text: str) -> str:
    """Returns at most 200 characters of a text, for messages."""
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."
