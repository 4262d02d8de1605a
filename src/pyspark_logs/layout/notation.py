"""Parser of the layout notation: segments, their parts, and the regular expression of a segment."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
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
# Times without braces: a token as a whole word, or a directive of strptime.
# Values that stand for an inferred layout in other tools.
_AUTOMATIC = ("auto", "hive", "infer", "detect", "default", "none", "true")
_PLACEHOLDER = re.compile(r"\$\{\w+\}|%\{\w+\}|\$[A-Za-z_]\w*|<\w+>")
_OTHER_NOTATION = re.compile(r"(?<![^\W_])(?:yyyy|YYYY|MM|dd|DD|HH|hh|mm)(?![^\W_])|%[YmdHM]")
_OTHER_TOKENS = {
    "%Y": "yyyy", "%m": "MM", "%d": "dd", "%H": "HH", "%M": "mm", "YYYY": "yyyy", "DD": "dd", "hh": "HH",
}  # fmt: skip
_CASE_OF_TOKENS = re.compile("YYYY|DD|hh")
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
    """A directory or file name in a layout.

    Attributes:
        parts: parts from left to right.
        dotted: True if the text outside braces holds a dot, which is taken as the mark of a file name.
        fields: parts that ``regex`` captures.
        regex: regular expression that matches a name. A month, day, hour or minute that no digit and no field of variable
            length adjoins may have one digit, as in ``month=1``: Spark's ``partitionBy`` writes integers so.
    """

    parts: tuple[Part, ...]
    dotted: bool = False
    fields: tuple[Part, ...] = field(init=False, compare=False)
    regex: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", tuple(part for part in self.parts if part.kind in (TIME, COLUMN)))
        object.__setattr__(self, "regex", self._build_regex())

    def _build_regex(self) -> str:
        """Returns the regular expression, which needs linear time for a name.

        A column or ``*`` takes the shortest text before the first match of the literals and time tokens that follow it, up to
        the next column or ``*``. Only the last column or ``*`` of a segment may take more. Otherwise all combinations of
        lengths would be tried: a hostile name of 250 characters would take seconds.
        """
        gaps = [index for index, part in enumerate(self.parts) if part.kind in (COLUMN, WILDCARD)]
        following = dict(pairwise(gaps))
        regex = ""
        for index, part in enumerate(self.parts):
            if part.kind in (TEXT, TIME):
                regex += self._fixed_regex(index)
                continue
            first = "[^/]" if part.kind == COLUMN else ""
            if index in following:
                end = "".join(self._fixed_regex(i, "(?:") for i in range(index + 1, following[index]))
                text = f"{first}(?:(?!{end})[^/])*"
            else:
                text = f"{first or '[^/]'}{'+' if first else '*'}?"
            regex += f"({text})" if first else text
        return regex

    def _fixed_regex(self, index: int, opening: str = "(") -> str:
        """Returns the regular expression of a literal, or of a time token in a group with this opening."""
        part = self.parts[index]
        if part.kind == TEXT:
            return re.escape(part.value)
        return f"{opening}[0-9]{{1,2}})" if self.is_separated(index) else f"{opening}[0-9]{{{len(part.value)}}})"

    def read(self, name: str) -> list[tuple[Part, str]] | None:
        """Returns the text of each field in a directory or file name, or None if the name does not match."""
        found = re.fullmatch(self.regex, name)
        return None if found is None else list(zip(self.fields, found.groups(), strict=True))

    def is_separated(self, index: int) -> bool:
        """True if the part at an index is a time token whose end is certain when its leading zero is missing."""
        if self.parts[index].kind != TIME or self.parts[index].value == "yyyy":
            return False
        before = self.parts[index - 1] if index else None
        after = self.parts[index + 1] if index + 1 < len(self.parts) else None
        return (before is None or (before.kind == TEXT and not before.value[-1].isdigit())) and (
            after is None or (after.kind == TEXT and not after.value[0].isdigit())
        )

    def spellings(self, index: int, value: int) -> tuple[str, ...]:
        """Returns the texts that the time token at an index reads as a value; the text that writers write is the first.

        Example:
            >>> (segment,) = parse_segments("{yyyyMM}-{dd}")
            >>> segment.spellings(1, 5), segment.spellings(3, 5), segment.spellings(3, 15)
            (('05',), ('05', '5'), ('15',))
        """
        written = f"{value:0{len(self.parts[index].value)}}"
        return (written, str(value)) if self.is_separated(index) and value < 10 else (written,)

    def names(self, name: str) -> tuple[str, ...]:
        """Returns all names with the values of a name, which is the first; only the name itself if it does not match.

        Example:
            >>> (segment,) = parse_segments("dt={yyyy-MM-dd}")
            >>> segment.names("dt=2026-11-05"), segment.names("dt=2026-01-05")
            (('dt=2026-11-05', 'dt=2026-11-5'), ('dt=2026-01-05', 'dt=2026-01-5', 'dt=2026-1-05', 'dt=2026-1-5'))
        """
        fields = self.read(name)
        if fields is None or self.has(WILDCARD):
            return (name,)
        texts = iter(text for _, text in fields)
        choices: list[tuple[str, ...]] = []
        for index, part in enumerate(self.parts):
            text = part.value if part.kind == TEXT else next(texts)
            choices.append(self.spellings(index, int(text)) if part.kind == TIME else (text,))
        return tuple(dict.fromkeys([name, *map("".join, itertools.product(*choices))]))

    def has(self, *kinds: str) -> bool:
        """True if any part is of one of these kinds."""
        return any(part.kind in kinds for part in self.parts)


def add_tokens(tokens: Tokens, fields: Iterable[tuple[Part, str]]) -> Tokens:
    """Returns the tokens with the time fields of a segment filled in."""
    found = {part.value: int(text) for part, text in fields if part.kind == TIME}
    return tuple(found.get(name, known) for name, known in zip(TIME_TOKENS, tokens, strict=True)) if found else tokens


def stop_characters(following: Part | None) -> str:
    """Returns the characters to escape in a column's value because the part after it begins with one of them."""
    if following is None:
        return ""
    return "0123456789" if following.kind == TIME else following.value[:1]


def parse_segments(text: str) -> tuple[Segment, ...]:
    """Parses the segments of a layout's text.

    Raises:
        LayoutError: see :meth:`pyspark_logs.layout.Layout.parse`.

    Example:
        >>> [str(part) for part in parse_segments("dt={yyyy-MM}/*")[0].parts]
        ['dt=', '{yyyy}', '-', '{MM}']
    """
    if "://" in text:
        raise LayoutError(
            f"layout {text!r}: is a path; a layout begins below the load path, and names its directories, as {{team}}/{{yyyy}}/{{MM}}"
        )
    segments = tuple(_parse_segment(text, name) for name in text.strip("/").split("/"))
    _check_fields(text, segments)
    return segments


def _parse_field(layout: str, body: str) -> list[Part]:
    pieces = list(_TIME_PIECE.finditer(body))
    if "".join(m[0] for m in pieces) == body and any(m["token"] for m in pieces):
        return [Part(TIME, m["token"]) if m["token"] else Part(TEXT, m["quoted"] or m["text"]) for m in pieces]
    if _LOOKS_LIKE_TIME.fullmatch(body):
        meant = _CASE_OF_TOKENS.sub(lambda found: _OTHER_TOKENS[found[0]], body)
        hint = f"; did you mean {{{meant}}}?" if meant != body else ""
        raise LayoutError(
            f"layout {layout!r}: {{{body}}} is not a time token; the time tokens are: {_ALL_TOKENS}{hint}"
        )
    if not _COLUMN_NAME.fullmatch(body):
        hint = f"a column is a name such as {{team}}; the time tokens are {_ALL_TOKENS}; * skips text"
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
            hint = "a field must end in the segment where it begins; a literal brace is written {{ or }}"
            raise LayoutError(f"layout {layout!r}: unbalanced brace in segment {text!r}; {hint}")
        elif piece[0].startswith("*"):
            if len(piece[0]) > 1:
                raise LayoutError(
                    f"layout {layout!r}: '**' is not supported; '*' matches within one segment, and deeper keys always match"
                )
            parts.append(Part(WILDCARD))
        else:
            dotted = dotted or "." in piece[0]
            parts.append(Part(TEXT, piece[0][0] if piece[0] in ("{{", "}}") else piece[0]))
    # The boundary between two adjacent fields of variable length would be ambiguous.
    for one, other in pairwise(parts):
        if {one.kind, other.kind} <= {COLUMN, WILDCARD}:
            raise LayoutError(f"layout {layout!r}: no text separates {one} from {other}; put text between them")
    if parts[0].kind == TEXT and is_hidden(text):
        raise LayoutError(
            f"layout {layout!r}: segment {text!r} has a hidden name, which is never read as data; move it into the load path"
        )
    return Segment(tuple(parts), dotted)


def _check_fields(layout: str, segments: tuple[Segment, ...]) -> None:
    tokens: set[str] = set()
    columns: set[str] = set()
    for part in (part for segment in segments for part in segment.fields):
        # Spark's column names are case-insensitive.
        seen, name = (tokens, part.value) if part.kind == TIME else (columns, part.value.lower())
        if name in seen:
            raise LayoutError(f"layout {layout!r}: {part} occurs twice; write * for the second occurrence")
        seen.add(name)
    if layout.strip().lower() in _AUTOMATIC:
        raise LayoutError(
            f"layout {layout!r}: only the directory of this name would be read; leave the option out: without it, directories such as"
            " team=search are columns"
        )
    if (placeholder := _PLACEHOLDER.search(layout)) is not None:
        raise LayoutError(
            f"layout {layout!r}: {placeholder[0]!r} is text; fields are in braces: {{{placeholder[0].strip('$%<>{}')}}}"
        )
    if not any(segment.has(TIME, COLUMN, WILDCARD) for segment in segments) and _OTHER_NOTATION.search(layout):
        braces = _OTHER_NOTATION.sub(lambda found: "{" + _OTHER_TOKENS.get(found[0], found[0]) + "}", layout)
        raise LayoutError(
            f"layout {layout!r}: has no field, so that only directories of these very names are read; fields are in braces:"
            f" {braces}"
        )
    missing = [token for token in TIME_TOKENS[: len(tokens)] if token not in tokens]
    if missing:
        finest = max(tokens, key=TIME_TOKENS.index)
        hint = "MM is the month, mm the minute" if missing == ["MM"] else f"time tokens are {_ALL_TOKENS}"
        raise LayoutError(f"layout {layout!r}: {{{finest}}} without {{{missing[0]}}} does not define a time; {hint}")
