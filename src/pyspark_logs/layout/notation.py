"""The notation of layouts: a segment's parts, the pattern they make, and what is wrong with bad ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from pyspark_logs.errors import LayoutError
from pyspark_logs.layout.names import is_hidden
from pyspark_logs.layout.times import TIME_TOKENS, Tokens

TEXT, TIME, COLUMN, WILDCARD = "text", "time", "column", "wildcard"

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}]*)\}|[*]+|[^{}*]+|[{}]")
_TIME_PIECE = re.compile(r"(?P<token>yyyy|MM|dd|HH|mm)|'(?P<quoted>[^']+)'|(?P<text>[^A-Za-z0-9']|T)")
_COLUMN_NAME = re.compile(r"[^\W\d][\w-]*")
_LOOKS_LIKE_TIME = re.compile(r"(?:([yYMdDHhmsS])\1+[^A-Za-z0-9]*)+")
_ALL_TOKENS = "{yyyy}, {MM}, {dd}, {HH}, {mm}, or combined as {yyyy-MM-dd}"


@dataclass(frozen=True)
class Part:
    """A piece of a segment: literal text, one time token, a column, or ``*``."""

    kind: str
    value: str = ""

    def __str__(self) -> str:
        if self.kind == WILDCARD:
            return "*"
        return self.value if self.kind == TEXT else "{" + self.value + "}"


@dataclass(frozen=True)
class Segment:
    """One directory or file name of a layout; ``fields`` are the parts that ``regex`` captures."""

    parts: tuple[Part, ...]
    dotted: bool = False  # a "." outside braces: a file name, as far as one can tell
    fields: tuple[Part, ...] = field(init=False, compare=False)
    regex: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", tuple(part for part in self.parts if part.kind in (TIME, COLUMN)))
        object.__setattr__(self, "regex", "".join(map(_regex, self.parts)))

    def read(self, name: str) -> list[tuple[Part, str]] | None:
        """The text of each field in a directory or file name, or None where the name does not fit."""
        found = re.fullmatch(self.regex, name)
        return None if found is None else list(zip(self.fields, found.groups(), strict=True))

    def has(self, *kinds: str) -> bool:
        """Whether any part is of one of these kinds."""
        return any(part.kind in kinds for part in self.parts)


def add_tokens(tokens: Tokens, fields: Iterable[tuple[Part, str]]) -> Tokens:
    """The tokens, with what a segment's fields say filled in."""
    found = {part.value: int(text) for part, text in fields if part.kind == TIME}
    return tuple(found.get(name, known) for name, known in zip(TIME_TOKENS, tokens, strict=True)) if found else tokens


def stop_characters(following: Part | None) -> str:
    """What a column's value must not hold unescaped, since the part after it begins so."""
    if following is None:
        return ""
    return "0123456789" if following.kind == TIME else following.value[:1]


def parse_segments(text: str) -> tuple[Segment, ...]:
    """The segments of a layout's text.

    Raises:
        LayoutError: what :meth:`pyspark_logs.layout.Layout.parse` lists.

    Example:
        >>> [str(part) for part in parse_segments("dt={yyyy-MM}/*")[0].parts]
        ['dt=', '{yyyy}', '-', '{MM}']
    """
    segments = tuple(_parse_segment(text, name) for name in text.strip("/").split("/"))
    _check_fields(text, segments)
    return segments


def _regex(part: Part) -> str:
    patterns: dict[str, Callable[[str], str]] = {
        TEXT: re.escape,
        TIME: lambda token: f"([0-9]{{{len(token)}}})",
        COLUMN: lambda _: "([^/]+?)",
        WILDCARD: lambda _: "[^/]*?",
    }
    return patterns[part.kind](part.value)


def _parse_field(layout: str, body: str) -> list[Part]:
    pieces = list(_TIME_PIECE.finditer(body))
    if "".join(m[0] for m in pieces) == body and any(m["token"] for m in pieces):
        return [Part(TIME, m["token"]) if m["token"] else Part(TEXT, m["quoted"] or m["text"]) for m in pieces]
    if _LOOKS_LIKE_TIME.fullmatch(body):
        raise LayoutError(f"layout {layout!r}: {{{body}}} is not a time token; these are: {_ALL_TOKENS}")
    if not _COLUMN_NAME.fullmatch(body):
        hint = f"a column is a name such as {{team}}, of type string; time is {_ALL_TOKENS}; text to skip is *"
        raise LayoutError(f"layout {layout!r}: {{{body}}} is neither a time token nor a column name; {hint}")
    return [Part(COLUMN, body)]


def _parse_segment(layout: str, text: str) -> Segment:
    if not text:
        raise LayoutError(f"layout {layout!r}: has an empty segment; write one '/' between two names")
    parts: list[Part] = []
    dotted = False
    for piece in _PIECE.finditer(text):
        if piece["field"] is not None:
            parts += _parse_field(layout, piece["field"])
        elif piece[0] in ("{", "}"):
            hint = "a field opens and closes within one segment; a literal brace is written {{ or }}"
            raise LayoutError(f"layout {layout!r}: brace not closed or not opened in segment {text!r}; {hint}")
        elif piece[0].startswith("*"):
            if len(piece[0]) > 1:
                raise LayoutError(
                    f"layout {layout!r}: '**' is not known; '*' matches within one segment, deeper keys match anyway"
                )
            parts.append(Part(WILDCARD))
        else:
            dotted = dotted or "." in piece[0]
            parts.append(Part(TEXT, piece[0][0] if piece[0] in ("{{", "}}") else piece[0]))
    # Two open-ended fields side by side could be told apart in many ways.
    for one, other in pairwise(parts):
        if {one.kind, other.kind} <= {COLUMN, WILDCARD}:
            raise LayoutError(
                f"layout {layout!r}: nothing tells where {one} ends and {other} begins; put text between them"
            )
    if parts[0].kind == TEXT and is_hidden(text):
        raise LayoutError(
            f"layout {layout!r}: segment {text!r} is hidden, such names are never data; move it into the load path"
        )
    return Segment(tuple(parts), dotted)


def _check_fields(layout: str, segments: tuple[Segment, ...]) -> None:
    tokens: set[str] = set()
    columns: set[str] = set()
    for part in (part for segment in segments for part in segment.fields):
        # Spark's column names know no case.
        seen, name = (tokens, part.value) if part.kind == TIME else (columns, part.value.lower())
        if name in seen:
            raise LayoutError(f"layout {layout!r}: {part} is there twice; write * where it is only repeated")
        seen.add(name)
    missing = [token for token in TIME_TOKENS[: len(tokens)] if token not in tokens]
    if missing:
        finest = max(tokens, key=TIME_TOKENS.index)
        hint = "MM is the month, mm the minute" if missing == ["MM"] else f"time tokens are {_ALL_TOKENS}"
        raise LayoutError(f"layout {layout!r}: {{{finest}}} without {{{missing[0]}}} is no point in time; {hint}")
