"""The format string of nginx's ``log_format`` directive, without the configuration around it.

Source: nginx.org, "Module ngx_http_log_module" (``log_format``); nginx's ``ngx_conf_read_token()`` in
src/core/ngx_conf_file.c (quotes, escapes and comments).
"""

from __future__ import annotations

import re

from pyspark_logs.formats.dialects.config_text import ConfigText, error_at, suggestion
from pyspark_logs.formats.types.escape_styles import JSON, NGINX, EscapeStyle

ESCAPE_STYLES: dict[str, EscapeStyle | None] = {"default": NGINX, "json": JSON, "none": None}

_DIRECTIVE = re.compile(r"\s*log_format\s")
_DIRECTIVE_WITHIN = re.compile(r"[\n;{}]\s*(log_format)\s")
_ESCAPE = re.compile(r"\s*escape=(\w+)\s+")
_CONTROL_CHARACTERS = {"t": "\t", "r": "\r", "n": "\n"}

Token = tuple[str, list[int]]  # a token of the configuration, and the offset of each of its characters


def read_log_format(source: str) -> tuple[ConfigText, str]:
    """Returns the format string of a directive, or of its bare arguments, and the value of ``escape``.

    Raises:
        FormatError: the directive is not complete, or text follows it.
    """
    directive = _DIRECTIVE.match(source)
    if directive is None:
        if (within := _DIRECTIVE_WITHIN.search(source)) is not None:
            problem = "is within other configuration; paste this directive alone, up to its ';'"
            raise error_at("nginx", source, within.start(1), within[1], problem)
        return _read_arguments(source)
    tokens = _read_tokens(source, directive.end())
    if len(tokens) < 2:
        problem = "log_format needs a name and a format: log_format main '...';"
        raise error_at("nginx", source, len(source), "", problem)
    strings, escape = tokens[1:], "default"
    given = _ESCAPE.match(strings[0][0] + " ")
    if given is not None:
        escape = given[1]
        _check_escape(source, escape, strings[0][1][0])
        strings = strings[1:]
    return ConfigText.concatenate("nginx", source, strings), escape


def _read_arguments(source: str) -> tuple[ConfigText, str]:
    """Returns the format string of a value without ``log_format`` and the name of the format."""
    escape, start = "default", 0
    given = _ESCAPE.match(source)
    if given is not None:
        escape, start = given[1], given.end()
        _check_escape(source, escape, given.start(1) - len("escape="))
    if source[start : start + 1] == "'":
        return ConfigText.concatenate("nginx", source, _read_tokens(source, start)), escape
    return ConfigText.verbatim("nginx", source, start), escape


def _check_escape(source: str, escape: str, offset: int) -> None:
    if escape not in ESCAPE_STYLES:
        known = ", ".join(f"escape={name}" for name in ESCAPE_STYLES)
        problem = f"is not known{suggestion(escape, ESCAPE_STYLES)}; known are {known}"
        raise error_at("nginx", source, offset, f"escape={escape}", problem)


def _read_tokens(source: str, offset: int) -> list[Token]:
    r"""Returns the tokens of a directive up to its ``;``.

    ``\\ \" \'`` are literal characters and ``\t \r \n`` control characters; any other backslash is literal. ``#`` begins
    a comment where a token could begin.
    """
    tokens: list[Token] = []
    while offset < len(source):
        if source[offset].isspace():
            offset += 1
        elif source[offset] == "#":
            end = source.find("\n", offset)
            offset = len(source) if end < 0 else end
        elif source[offset] == ";":
            _check_end(source, offset + 1)
            break
        else:
            quote = source[offset] if source[offset] in "\"'" else ""
            token, offset = _read_token(source, offset, quote)
            tokens.append(token)
    return tokens


def _check_end(source: str, offset: int) -> None:
    """Raises FormatError if something other than comments follows the directive."""
    rest = re.sub(r"#[^\n]*", lambda comment: " " * len(comment[0]), source[offset:])
    if rest.strip():
        start = offset + len(rest) - len(rest.lstrip())
        raise error_at("nginx", source, start, rest.split()[0], "follows the directive; paste one log_format alone")


def _read_token(source: str, start: int, quote: str) -> tuple[Token, int]:
    """Returns the token at an offset, and the offset after the token and its closing quote."""
    text, offsets = "", list[int]()
    offset = start + len(quote)
    while offset < len(source):
        character, escaped = source[offset], source[offset + 1 : offset + 2]
        if character == quote or (not quote and (character.isspace() or character == ";")):
            return (text, offsets), offset + len(quote)
        offsets.append(offset)
        if character == "\\" and escaped and escaped in "\\\"'trn":
            text += _CONTROL_CHARACTERS.get(escaped, escaped)
            offset += 2
        else:
            text += character
            offset += 1
    if quote:
        raise error_at("nginx", source, start, quote, "opens a string that is not closed")
    return (text, offsets), offset
