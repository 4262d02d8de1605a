"""Whether one place lies inside another, which may be a glob, by their names alone."""

from __future__ import annotations

import os
import re

_SAME_SCHEME = {"s3a": "s3", "s3n": "s3"}
_GLOB_PIECE = re.compile(r"\\(?P<literal>.)|\[(?P<negated>[!^]?)(?P<set>\]?[^\]]*)\]|.", re.DOTALL)
_SPECIAL = {"*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}


def is_inside(directory: str, load_path: str) -> bool:
    """Whether a directory is a load path, or below one.

    Args:
        directory: taken as it is written.
        load_path: a path or glob; a malformed one holds nothing.

    >>> is_inside("s3a://logs/app/old", "s3://logs/*"), is_inside("s3://logs/app-old", "s3://logs/app")
    (True, False)
    """
    place, outer = _canonical(directory), _canonical(load_path)
    if place == outer or place.startswith(outer.rstrip("/") + "/"):
        return True
    try:
        return re.fullmatch(_regex(outer.rstrip("/")) + "(?:/.*)?", place, re.DOTALL) is not None
    except re.error:
        return False


def _canonical(path: str) -> str:
    """Without what may be spelled in several ways: scheme, relative local paths, slashes at the end."""
    scheme, found, rest = path.partition("://")
    scheme = scheme.lower()
    if found and scheme != "file":
        return f"{_SAME_SCHEME.get(scheme, scheme)}://{rest.rstrip('/')}"
    local = path[5:].removeprefix("//").removeprefix("localhost") if path[:5].lower() == "file:" else path
    return os.path.abspath(local)  # noqa: PTH100 - links stay as they are written


def _regex(glob: str) -> str:
    text, depth = "", 0
    for piece in _GLOB_PIECE.finditer(glob):
        if piece["literal"] is not None:
            text += re.escape(piece["literal"])
        elif piece["set"] is not None:
            text += f"[{'^' if piece['negated'] else ''}{re.escape(piece['set']).replace(chr(92) + '-', '-')}]"
        elif piece[0] == "," and depth:
            text += "|"
        else:
            depth += (piece[0] == "{") - (piece[0] == "}")
            text += _SPECIAL.get(piece[0]) or re.escape(piece[0])
    return text
