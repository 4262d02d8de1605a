"""Surroundings of a field in written lines, which determine the texts that the field can have.

The rules by which a parser finds the end of a field are reversed here: a text may not contain a delimiter of the field,
nor end with the beginning of one that the text after the field completes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BLANKS = (" ", "\t")
# Our reader ends a line at \n and \r\n only. Other readers also end it at a lone \r, which would forge a line for them.
LINE_ENDS = ("\n", "\r")


@dataclass(frozen=True)
class FieldContext:
    """Surroundings of a field in the lines that have the same groups.

    Attributes:
        delimiters: literals that end the field: the literal after it, and the first literals of absent groups.
        text_after: constant text after the field, up to the next field or the end of the line.
        is_open: True if a field follows ``text_after``.
        ends_at_blank: True if any space or tab ends the field.
        needs_syntax: True if the field ends only by the syntax of its type, because no delimiter follows.
        follows_blanks: True if ``{~}`` is before the field.
        forbidden_prefixes: texts that no line may begin with; () unless the field is at the beginning of the line.
        group_prefixes: texts that would be read as the beginning of an absent group if the field began with them.
        continuation: text that would continue the field before this one; "": there is none.
    """

    delimiters: tuple[str, ...] = ()
    text_after: str = ""
    is_open: bool = False
    ends_at_blank: bool = False
    needs_syntax: bool = False
    follows_blanks: bool = False
    forbidden_prefixes: tuple[str, ...] = ()
    group_prefixes: tuple[str, ...] = ()
    continuation: str = ""

    @property
    def is_before_blank(self) -> bool:
        """True if a space or tab is directly after the field."""
        return self.text_after.startswith(BLANKS)

    @property
    def terminators(self) -> tuple[str, ...]:
        """Texts that end the field at their first occurrence."""
        return (*self.delimiters, *(BLANKS if self.ends_at_blank else ()))

    @property
    def early_tails(self) -> tuple[str, ...]:
        """Tails of a text that form a delimiter together with the text after it: ``" |"`` before ``" | "``."""
        return tuple(head for head, rest in self._split_delimiters() if self.text_after.startswith(rest))

    @property
    def uncertain_tails(self) -> tuple[str, ...]:
        """Tails of a text that form a delimiter together with the text after it and the beginning of the next field."""
        pairs = self._split_delimiters() if self.is_open else ()
        return tuple(head for head, rest in pairs if rest.startswith(self.text_after) and rest != self.text_after)

    def _split_delimiters(self) -> Iterable[tuple[str, str]]:
        return ((one[:size], one[size:]) for one in self.delimiters for size in range(1, len(one)))

    def accepts(self, text: str) -> bool:
        """Returns True if a text of a field without a syntax is read back as it is."""
        if self.needs_syntax or any(end in text for end in (*self.terminators, *LINE_ENDS)):
            return False
        if self.follows_blanks and (text.startswith(BLANKS) or (not text and self.is_before_blank)):
            return False
        if self.continuation and text.startswith(self.continuation):
            return False
        return not text.endswith(self.early_tails) and not text.startswith(
            (*self.forbidden_prefixes, *self.group_prefixes)
        )
