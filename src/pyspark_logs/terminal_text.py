"""Text for people: characters that a terminal or a viewer of logs would interpret are escaped.

Names of files, keys and values come from others. A line end in a name would forge a line of the log, and an escape sequence
would control the terminal that shows it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

_MIN_PREFIX = 3  # letters


def printable(text: str) -> str:
    r"""Returns a text in one line in which the characters that a terminal would interpret are escaped.

    >>> print(printable("a\x1b[31m\nb"))
    a\x1b[31m\nb
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def format_count(count: int, noun: str, plural: str | None = None) -> str:
    """Returns a number with the form of its noun.

    Args:
        count: the number.
        noun: the singular.
        plural: the plural; None: the singular with an ``s``.

    >>> format_count(1, "file"), format_count(0, "file"), format_count(2, "query", "queries")
    ('1 file', '0 files', '2 queries')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {plural or f'{noun}s'}"


def with_article(noun: str) -> str:
    """Returns a noun with its indefinite article.

    >>> with_article("timestamp"), with_article("octet count"), with_article("uuid")
    ('a timestamp', 'an octet count', 'a uuid')
    """
    return f"{'an' if noun[:1] in ('a', 'e', 'i', 'o') else 'a'} {noun}"


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that an unknown one was probably meant to be, without regard to case; None if none is similar.

    The name that the unknown one begins has precedence over names with a few other letters.

    >>> nearest_name("anon", ["anyOf", "anonymous"]), nearest_name("levle", ["ts", "level"]), nearest_name("x", ["level"])
    ('anonymous', 'level', None)
    """
    import difflib

    names, lower = {one.lower(): one for one in known}, name.lower()
    begun = [one for one in names if len(lower) >= _MIN_PREFIX and one.startswith(lower)]
    near = [min(begun, key=len)] if begun else difflib.get_close_matches(lower, names, n=1)
    return names[near[0]] if near else None


def get_logger(name: str) -> logging.Logger:
    """Returns the logger of a module, whose messages are escaped by :func:`printable`. Tracebacks are not changed."""
    logger = logging.getLogger(name)
    logger.addFilter(_FILTER)
    return logger


class _PrintableFilter(logging.Filter):
    """Escapes the messages of log records; all loggers share the filter, which a logger holds once."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if not message.isprintable():
            record.msg, record.args = printable(message), None
        return True


_FILTER = _PrintableFilter()
