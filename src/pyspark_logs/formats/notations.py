"""Recognition of the notation of a format that was given by another option."""

from __future__ import annotations

import re

# Option -> a text that only its notation has, the more particular ones first.
_NOTATIONS = {
    "regex": re.compile(r"\(\?P?<[^\W\d]\w*>"),
    "grok": re.compile(r"%\{[A-Z][A-Z0-9_]+(:|\})"),
    "logback": re.compile(r"%-?[\d.]*(d\{|msg|message|level|logger|thread|m%n|p\b|c\b)"),
    "nginx": re.compile(r"\$\{?[a-z]"),
    "apache": re.compile(r"%[<>]?[a-zA-Z]|%\{[\w-]+\}[a-z]"),
    "template": re.compile(r"(?<![\\}\])*+?.\w%$])\{[^\W\d]\w*(:[a-z]+(\([^)]*\))?)?\??\}"),
}


def notation_advice(text: str, option: str) -> str:
    """Returns the end of an error about a text without columns: the option whose notation it is; empty if none.

    >>> notation_advice("{ts} {level}", "regex"), notation_advice("x", "grok")
    ('. It is the notation of another option; write template=', '')
    """
    found = next((name for name, pattern in _NOTATIONS.items() if name != option and pattern.search(text)), None)
    return f". It is the notation of another option; write {found}=" if found else ""
