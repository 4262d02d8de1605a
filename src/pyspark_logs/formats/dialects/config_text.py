"""Text of a server's configuration, and errors that point into it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.notations import notation_advice

# Usual names of formats in configurations -> the option that reads them.
PREDEFINED = {"combined": "preset=apache_combined", "common": "preset=apache_common", "main": "preset=nginx_combined"}

_CONTEXT = 36  # characters shown on each side of an error


@dataclass(frozen=True)
class ConfigText:
    """A format string, with the offset of each of its characters in the option's value.

    Attributes:
        option: name of the option: ``nginx``, ``apache``, ``logback``.
        source: value of the option, as the user wrote it.
        text: format string in the value, without the quotes and escapes of the configuration file.
        offsets: offset in ``source`` of each character of ``text``.
    """

    option: str
    source: str
    text: str
    offsets: tuple[int, ...]

    @classmethod
    def verbatim(cls, option: str, source: str, start: int = 0) -> ConfigText:
        """Returns the value from an offset on, without quotes or escapes to remove."""
        return cls(option, source, source[start:], tuple(range(start, len(source))))

    @classmethod
    def concatenate(cls, option: str, source: str, strings: Sequence[tuple[str, Sequence[int]]]) -> ConfigText:
        """Returns several strings of the value, each with the offsets of its characters, as one format string."""
        text = "".join(string for string, _ in strings)
        return cls(option, source, text, tuple(offset for _, offsets in strings for offset in offsets))

    def error(self, offset: int, excerpt: str, problem: str) -> FormatError:
        """Returns the error about an excerpt of ``text`` that begins at an offset of ``text``."""
        at = self.offsets[offset] if offset < len(self.offsets) else len(self.source)
        return error_at(self.option, self.source, at, excerpt, problem)

    def no_columns(self, problem: str) -> FormatError:
        """Returns the error about a text without directives, which may be the name of a file or of a format."""
        text = self.text.strip()
        if re.fullmatch(r"\S+\.(conf|cfg|xml|properties|ya?ml|json|txt)", text) or re.fullmatch(r"[.~]?/\S+", text):
            problem = f"is the name of a file, and the option takes its content; write open({text!r}).read(), or paste the format"
        elif text.lower() in PREDEFINED:
            problem = f"is the name of a format, which the configuration defines; paste its definition, or write {PREDEFINED[text.lower()]}"
        else:
            problem += notation_advice(text, self.option)
        return self.error(0, self.text, problem)

    def unseparated(self, offset: int, excerpt: str, following: str) -> FormatError:
        """Returns the error about a directive without text between it and the next."""
        problem = f"nothing separates it from {following!r}, so the end of its value cannot be found"
        return self.error(offset, excerpt, f"{problem}; put text between them")


def error_at(option: str, source: str, offset: int, excerpt: str, problem: str) -> FormatError:
    """Returns an error that names an excerpt and its position, and shows its line with carets below the excerpt.

    Args:
        option: name of the option.
        source: value of the option.
        offset: offset of the excerpt in the value.
        excerpt: directive or character that the error is about; may be empty.
        problem: problem, and the remedy.
    """
    line_start = source.rfind("\n", 0, offset) + 1
    line_end = source.find("\n", offset) if "\n" in source[offset:] else len(source)
    start, end = max(line_start, offset - _CONTEXT), min(line_end, offset + len(excerpt) + _CONTEXT)
    before = ("..." if start > line_start else "") + source[start:offset]
    after = source[offset:end] + ("..." if end < line_end else "")
    shown = (before + after).replace("\t", " ")
    carets = " " * len(before) + "^" * max(1, min(len(excerpt), len(after)))
    subject = f"{excerpt!r}: " if excerpt else ""
    return FormatError(f"option {option!r}: at character {offset + 1}: {subject}{problem}\n    {shown}\n    {carets}")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Returns ``; did you mean ...?`` with the nearest known name, or an empty string if no name is near.

    >>> suggestion("leval", ["level", "message"])
    "; did you mean 'level'?"
    """
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
