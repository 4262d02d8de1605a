r"""Backslash escapes (``\\ \" \n \r \t \xHH``), quoted texts and ``k=v`` pairs."""

from __future__ import annotations

import re

# Runs of plain characters in one go: character by character a long text would take a hundred times its size.
_INSIDE = r'[^"\\]*(?:\\.[^"\\]*)*'
QUOTED = re.compile(f'"({_INSIDE})"', re.DOTALL)
_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|([\\"nrt]))', re.ASCII)
_PLAIN = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
_PAIR = re.compile(r' *([^ ="]+)=(?:"(' + _INSIDE + r')"(?= |$)|(?!")([^ ]*))(?: +|$)', re.DOTALL)


def unescape(text: str) -> str:
    r"""Undo the escapes; one that is not known stays as it is written.

    >>> unescape(r"a\tb\x21\q")
    'a\tb!\\q'
    """
    if "\\" not in text:
        return text
    if "\\x" not in text:
        return _ESCAPE.sub(lambda match: _PLAIN[match[2]], text)
    # \xHH are bytes: several of them may make up one character.
    raw = bytearray()
    place = 0
    for match in _ESCAPE.finditer(text):
        raw += text[place : match.start()].encode()
        raw += bytes([int(match[1], 16)]) if match[1] else _PLAIN[match[2]].encode()
        place = match.end()
    raw += text[place:].encode()
    return raw.decode("utf-8", "replace")


def parse_pairs(text: str) -> dict[str, str]:
    """``k=v`` pairs between spaces; the last of equal keys wins. ValueError where there is anything else.

    >>> parse_pairs('a=1 b="x y"')
    {'a': '1', 'b': 'x y'}
    """
    pairs: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _PAIR.match(text, place)
        if match is None:
            if text[place:].strip(" ") == "":
                break
            raise ValueError("not a list of k=v pairs")
        pairs[match[1]] = unescape(match[2]) if match[2] is not None else match[3]
        place = match.end()
    return pairs
