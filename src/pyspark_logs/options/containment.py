"""Comparison of a directory with a load path, which may be a glob, by their names alone."""

from __future__ import annotations

import os
import re

_SAME_SCHEME = {"s3a": "s3", "s3n": "s3"}
_GLOB_TOKEN = re.compile(r"\\(?P<literal>.)|\[(?P<negated>[!^]?)(?P<set>\]?[^\]]*)\]|.", re.DOTALL)
_SPECIAL = {"*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")"}


def is_inside(directory: str, load_path: str) -> bool:
    """Returns True if a directory is a load path or lies below one.

    Args:
        directory: path of the directory; its wildcards have no meaning.
        load_path: path or glob; a malformed glob contains no directory.

    >>> is_inside("s3a://logs/app/old", "s3://logs/*"), is_inside("s3://logs/app-old", "s3://logs/app")
    (True, False)
    """
    inner, outer = _canonical(directory), _canonical(load_path)
    if inner == outer or inner.startswith(outer.rstrip("/") + "/"):
        return True
    try:
        return re.fullmatch(_regex(outer.rstrip("/")) + "(?:/.*)?", inner, re.DOTALL) is not None
    except (re.error, RecursionError):
        return False


def _canonical(path: str) -> str:
    """Returns one form of a path: the scheme in lower case, local paths absolute, no slash at the end."""
    scheme, separator, rest = path.partition("://")
    scheme = scheme.lower()
    if separator and scheme != "file":
        return f"{_SAME_SCHEME.get(scheme, scheme)}://{rest.rstrip('/')}"
    local = path[5:].removeprefix("//").removeprefix("localhost") if path[:5].lower() == "file:" else path
    return os.path.abspath(local)  # noqa: PTH100 - resolve() would follow symbolic links


def _regex(glob: str) -> str:
    text, depth = "", 0
    for token in _GLOB_TOKEN.finditer(glob):
        if token["literal"] is not None:
            text += re.escape(token["literal"])
        elif token["set"] is not None:
            text += f"[{'^' if token['negated'] else ''}{re.escape(token['set']).replace(chr(92) + '-', '-')}]"
        elif token[0] == "," and depth:
            text += "|"
        else:
            depth += (token[0] == "{") - (token[0] == "}")
            text += _SPECIAL.get(token[0]) or re.escape(token[0])
    return text
