"""The path of the records in a JSON document of an unknown service."""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\]:]')
# Part of a document's text that its records take; a list within a record takes less.
_MIN_PART = 0.5
_MAX_CHARS = 256 << 10


def find_records_path(text: str) -> str | None:
    """Returns the value of ``recordsPath`` for the first document of a text; None if its records are in no array.

    The document may be cut off. The array is the longest array of objects that no other array encloses, and
    takes most of the text.

    >>> find_records_path('{"id": 7, "run": {"events": [{"ms": 5}, {"ms": 9}, {"ms": 4}, {"m')
    'run.events'
    >>> find_records_path('{"host": "web-1", "message": "a longer text than the list", "n": [{"a": 1}]}')
    """
    text = text[:_MAX_CHARS].lstrip("\ufeff \t\r\n")
    if not text.startswith("{"):
        return None
    keys: list[str | None] = []  # key of each open object; None: within an array
    arrays: dict[int, tuple[str, int]] = {}  # depth of open arrays -> path and start
    best, longest, end = None, 0, len(text)
    last = ""
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign == "{":
            keys.append("")
        elif sign == "[":
            if keys and "" not in keys and None not in keys and text[token.end() :].lstrip()[:1] == "{":
                arrays[len(keys)] = (".".join(key or "" for key in keys), token.start())
            keys.append(None)
        elif sign in "}]":
            if not keys:
                break
            keys.pop()
            if (found := arrays.pop(len(keys), None)) is not None and token.end() - found[1] > longest:
                best, longest = found[0], token.end() - found[1]
            if not keys:
                end = token.end()
                break
        elif sign == ":" and keys and keys[-1] is not None:
            keys[-1] = _name(last)
        last = sign
    for path, start in arrays.values():
        if end - start > longest:
            best, longest = path, end - start
    return best if longest >= _MIN_PART * end else None


def _name(token: str) -> str | None:
    """Returns the key of a token; None if it cannot be part of the option."""
    try:
        name = json.loads(token)
    except ValueError:
        return None
    return name if isinstance(name, str) and name and "." not in name else None
