"""Patterns of LIKE, as sequences of literal text and wildcards.

Source: ``StringUtils.escapeLikeRegex`` of Spark, and https://spark.apache.org/docs/latest/sql-ref-syntax-qry-select-like.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

ANY, ONE = "%", "_"
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")


@dataclass(frozen=True)
class LikePattern:
    """A pattern of LIKE.

    Attributes:
        pieces: literal text as ("text", text), and the wildcards as (``ANY``, "") and (``ONE``, "").
    """

    pieces: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str, escape: str) -> LikePattern:
        r"""Parses a pattern.

        Raises:
            ValueError: the escape character is at the end, or before a character that needs no escape.

        >>> LikePattern.parse(r"10\%_%", "\\").pieces
        (('text', '10%'), ('_', ''), ('%', ''))
        """
        pieces: list[tuple[str, str]] = []
        index = 0
        while index < len(text):
            char = text[index]
            index += 1
            if char == escape:
                if index == len(text):
                    raise ValueError(f"the escape character {escape!r} ends the pattern")
                char = text[index]
                if char not in (ANY, ONE, escape):
                    raise ValueError(f"the escape character {escape!r} is before {char!r}, which needs no escape")
                index += 1
            elif char in (ANY, ONE):
                if char == ONE or not pieces or pieces[-1][0] != ANY:
                    pieces.append((char, ""))
                continue
            if pieces and pieces[-1][0] == "text":
                pieces[-1] = ("text", pieces[-1][1] + char)
            else:
                pieces.append(("text", char))
        return cls(tuple(pieces))

    @cached_property
    def simple(self) -> tuple[str, str] | None:
        """Kernel (``equals``, ``starts``, ``ends``, ``contains``) and text of a pattern that is one of these; else None."""
        kinds = tuple(kind for kind, _ in self.pieces)
        texts = [text for kind, text in self.pieces if kind == "text"]
        names = {(): "equals", ("text",): "equals", ("text", ANY): "starts", (ANY, "text"): "ends"}
        names |= {(ANY, "text", ANY): "contains", (ANY,): "contains"}
        return (names[kinds], texts[0] if texts else "") if kinds in names else None

    @cached_property
    def regex(self) -> str:
        """Regular expression (RE2) for a whole string."""
        forms = {ANY: ".*", ONE: "."}
        return (
            r"(?s)\A" + "".join(forms.get(kind) or _SPECIAL.sub(r"\\\g<0>", text) for kind, text in self.pieces) + r"\z"
        )
