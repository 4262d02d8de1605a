"""Segments of a proposed template: the draft that they are appended to, and a step for each kind of segment."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pyspark_logs.detection import value_patterns
from pyspark_logs.detection.value_patterns import TimestampSyntax

# Share of the remaining lines that must have a segment; the other lines are dropped.
MIN_STEP_SHARE = 0.97
PUNCTUATION = "[](){}<>|,;:-=/#*+@~!'"

_CLOSING = {"[": "]", "(": ")", "<": ">", "{": "}", "'": "'"}
_LOOKAHEAD_WORDS = 5
_MAX_BRACKETED_CHARS = 300
_MAX_FIELD_CHARS = 60
# Share of lines with a number from which a dash in its position is null.
_MIN_NUMBERS = 0.2
# Share of lines with a dot in the name from which the name is a logger's.
_MIN_DOTTED = 0.3

# Keys of times, whose values may be numbers.
_TIME_KEYS = frozenset(("ts", "time", "timestamp", "at", "date", "eventtime", "t"))
_WORD = re.compile(r"\S+")
_WORD_AND_SPACE = re.compile(r"\S+[ \t]")
_ADDRESS_AND_SPACE = re.compile(rf"(?:{value_patterns.ADDRESS.pattern})(?:\s|$)", re.ASCII)
_WORD_AND_COLON = re.compile(r"\S*:(?!\S)")
_LABEL = re.compile(r"[^ ]+: ")
_PROGRAM = re.compile(r"[^\s\[\]:]+\[\d+\]:? ")
_NULL = re.compile(r"-(?=[ \t]|$)")

# Forms of words that indicate fields.
_STRUCTURE = (
    value_patterns.LEVEL,
    value_patterns.INTEGER,
    value_patterns.DECIMAL,
    value_patterns.QUOTED,
    value_patterns.UUID,
    value_patterns.ADDRESS,
    _PROGRAM,
    _WORD_AND_COLON,
)

# Returns the end of a segment at the beginning of a text; None if the text does not begin with the segment.
FindEnd = Callable[[str], "int | None"]


@dataclass
class TemplateDraft:
    """A template under construction and the lines that fit it.

    Attributes:
        rests: text of each remaining line after the template so far.
        line_count: number of lines at the beginning.
        segments: segments of the template, in its notation.
        names: number of fields by name.
        cuts: numbers of segments after which a message could begin.
        field_count: number of fields.
        open_bracket: the bracket that was opened last and is not closed; "" for none.
    """

    rests: list[str]
    line_count: int
    segments: list[str] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    cuts: list[int] = field(default_factory=list)
    field_count: int = 0
    open_bracket: str = ""

    def share(self, predicate: Callable[[str], object]) -> float:
        """Returns the share of the remaining lines whose rest fulfils a predicate."""
        return sum(1 for rest in self.rests if predicate(rest)) / len(self.rests) if self.rests else 0.0

    def has(self, predicate: Callable[[str], object]) -> bool:
        """Returns True if enough of the remaining lines fulfil a predicate; ends with the line after which they cannot."""
        count, misses = len(self.rests), 0
        for rest in self.rests:
            if not predicate(rest):
                misses += 1
                if (count - misses) / count < MIN_STEP_SHARE:
                    return False
        return count > 0

    def append(self, segment: str, find_end: FindEnd) -> None:
        """Appends a segment and drops the lines that do not have it."""
        self.segments.append(segment)
        ends = [(rest, find_end(rest)) for rest in self.rests]
        self.rests = [rest[end:] for rest, end in ends if end is not None]

    def append_field(self, name: str, field_type: str, find_end: FindEnd) -> None:
        """Appends a field; a name that is taken gets a number."""
        self.names[name] += 1
        unique = name if self.names[name] == 1 else f"{name}_{self.names[name]}"
        self.field_count += 1
        self.append("{" + unique + (f":{field_type}" if field_type else "") + "}", find_end)


def _append_whitespace(draft: TemplateDraft) -> bool:
    """Appends one space, or ``{~}`` if some lines have other white space."""
    if not draft.has(lambda rest: rest[:1] in (" ", "\t") and rest[:1]):
        return False
    if draft.share(lambda rest: rest[:1] == " " and rest[1:2] not in (" ", "\t")) == 1:
        draft.append(" ", _end_of_literal(" "))
    else:
        draft.append("{~}", lambda rest: len(rest) - len(rest.lstrip(" \t")) or None)
    return True


def _append_timestamp(draft: TemplateDraft, name: str = "") -> bool:
    """Appends a timestamp in the syntax that covers most of the lines' text."""
    best, longest = None, 0.0
    for syntax in value_patterns.timestamp_syntaxes():
        ends = _timestamp_ends(draft, syntax)
        # The first of equally long ones is kept: the table has ISO 8601 first and common patterns before rare ones.
        if ends and sum(ends) / len(ends) > longest:
            best, longest = syntax, sum(ends) / len(ends)
    if best is None:
        return False
    guess = "ts" if not draft.names["ts"] else "time"
    draft.append_field(name or guess, best.notation, _end_of_timestamp(best))
    return True


def _timestamp_ends(draft: TemplateDraft, syntax: TimestampSyntax) -> list[int]:
    """Returns the end of the timestamp of each line that has one in a syntax; an empty list if too few lines have one."""
    ends: list[int] = []
    possible = len(draft.rests)
    for rest in draft.rests:
        if end := syntax.end(rest):
            ends.append(end)
            continue
        possible -= 1
        if possible < MIN_STEP_SHARE * len(draft.rests):
            return []
    return ends


def _append_quoted(draft: TemplateDraft) -> bool:
    if not draft.has(value_patterns.QUOTED.match):
        return False
    name = "request" if draft.share(value_patterns.REQUEST.match) > 0.5 else "text"
    draft.append_field(name, "quoted", _end_of_match(value_patterns.QUOTED))
    return True


def _append_level(draft: TemplateDraft) -> bool:
    if not draft.has(value_patterns.LEVEL.match):
        return False
    if not _has_common_delimiter(draft, value_patterns.LEVEL):
        return False
    draft.append_field("level", "", _end_of_match(value_patterns.LEVEL))
    return True


def _append_key(draft: TemplateDraft) -> bool:
    """Appends ``key=`` and a field for its value."""
    key = _common_value(draft, lambda rest: match[1] if (match := value_patterns.KEY.match(rest)) else None)
    if key is None:
        return False
    draft.append(f"{key}=", _end_of_literal(f"{key}="))
    if draft.has(value_patterns.QUOTED.match):
        draft.append_field(key, "quoted", _end_of_match(value_patterns.QUOTED))
    elif key in _TIME_KEYS and _append_timestamp(draft, key):
        pass
    elif not _append_number(draft, key) and not _append_quantity(draft, key):
        draft.append_field(key, "", lambda rest: len(re.split(r"[ \t]", rest, maxsplit=1)[0]))
    return True


def _append_number(draft: TemplateDraft, name: str = "") -> bool:
    """Appends a number, named for its position or its values unless a name is given."""
    for regex, field_type in ((value_patterns.INTEGER, "long"), (value_patterns.DECIMAL, "double")):
        nulls = draft.share(_NULL.match) if draft.share(regex.match) >= _MIN_NUMBERS else 0.0
        if draft.share(regex.match) + nulls < MIN_STEP_SHARE or not _has_common_delimiter(draft, regex):
            continue
        numbers = [match[0] for match in map(regex.match, draft.rests) if match]
        is_status = field_type == "long" and all(len(text) == 3 and text[0] in "12345" for text in numbers)
        is_port = draft.open_bracket == "(" and draft.segments[-2:] == ["{client_ip:ip}", "("]
        guess = "port" if is_port else "pid" if draft.open_bracket else "status" if is_status else "number"
        nullable = re.compile(f"(?:{regex.pattern})|{_NULL.pattern}") if nulls else regex
        draft.append_field(name or guess, field_type + ("?" if nulls else ""), _end_of_match(nullable))
        return True
    return False


def _append_quantity(draft: TemplateDraft, name: str) -> bool:
    """Appends a number with its unit, such as ``682.2ms``."""
    unit = _common_value(draft, lambda rest: match["unit"] if (match := value_patterns.QUANTITY.match(rest)) else None)
    if unit is None:
        return False
    null = "?" if draft.share(lambda rest: rest.startswith(f"-{unit}")) else ""
    draft.append_field(name, "double" + null, _end_of_match(value_patterns.QUANTITY, 1))
    draft.append(unit, _end_of_literal(unit))
    return True


def _append_bracketed(draft: TemplateDraft) -> bool:
    """Appends the text within an open bracket and the closing bracket; the text may contain other brackets."""
    if not draft.open_bracket:
        return False
    for tail in (" - ", ": ", " ", ":", ""):
        delimiter = _CLOSING[draft.open_bracket] + tail
        if not draft.has(_is_within(delimiter, 0, _MAX_BRACKETED_CHARS)):
            continue
        if draft.has(re.compile(rf"\d+{re.escape(delimiter)}").match):
            draft.append_field("pid", "int", _start_of(delimiter))
        else:
            draft.append_field("thread", "", _start_of(delimiter))
        draft.open_bracket = ""
        draft.append(_escape(delimiter), _end_of_literal(delimiter))
        return True
    return False


def _append_address(draft: TemplateDraft) -> bool:
    """Appends an address with a delimiter other than white space; :func:`_append_word` appends the others."""
    if not draft.has(value_patterns.ADDRESS.match):
        return False
    if draft.share(_ADDRESS_AND_SPACE.match) > 1 - MIN_STEP_SHARE or not _has_common_delimiter(
        draft, value_patterns.ADDRESS
    ):
        return False
    draft.append_field("client_ip", "ip", _end_of_match(value_patterns.ADDRESS))
    return True


def _append_punctuation(draft: TemplateDraft) -> bool:
    mark = _common_value(draft, lambda rest: rest[:1])
    if not mark or mark not in PUNCTUATION:
        return False
    draft.append(_escape(mark), _end_of_literal(mark))
    if mark in _CLOSING and mark != "'":
        draft.open_bracket = mark
    elif mark in _CLOSING.values():
        draft.open_bracket = ""
    return True


def _append_word(draft: TemplateDraft) -> bool:
    """Appends a word that ends at a bracketed number, a bar, tab or semicolon, a colon, or white space before structure."""
    if draft.has(_PROGRAM.match):
        draft.append_field("program", "", _start_of("["))
        return True
    for delimiter in ("|", "\t", ";"):
        if draft.has(_is_within(delimiter, 1, _MAX_FIELD_CHARS)):
            draft.append_field("field", "", _start_of(delimiter))
            return True
    if draft.has(_LABEL.match):
        dotted = draft.share(lambda rest: "." in rest.partition(": ")[0]) > _MIN_DOTTED
        draft.append_field("logger" if dotted or draft.names["level"] else "source", "", _start_of(": "))
        draft.append(": ", _end_of_literal(": "))
        return True
    if draft.has(_WORD_AND_SPACE.match) and _structure_follows(draft):
        is_address = draft.share(value_patterns.ADDRESS.match) > 0.5
        follows_timestamp = draft.field_count == 1 and draft.names["ts"] == 1
        name = "client_ip" if is_address else "host" if follows_timestamp else "field"
        draft.append_field(name, "", _end_of_match(_WORD))
        return True
    return False


# In order of specificity: the first step that appends a segment is taken.
STEPS: tuple[Callable[[TemplateDraft], bool], ...] = (
    _append_whitespace,
    _append_timestamp,
    _append_quoted,
    _append_level,
    _append_key,
    _append_number,
    _append_address,
    _append_punctuation,
    _append_bracketed,
    _append_word,
)


def _end_of_match(regex: re.Pattern[str], group: int = 0) -> FindEnd:
    return lambda rest: match.end(group) if (match := regex.match(rest)) else None


def _end_of_timestamp(syntax: TimestampSyntax) -> FindEnd:
    return lambda rest: syntax.end(rest) or None


def _end_of_literal(text: str) -> FindEnd:
    return lambda rest: len(text) if rest.startswith(text) else None


def _start_of(delimiter: str) -> FindEnd:
    return lambda rest: offset if (offset := rest.find(delimiter)) >= 0 else None


def _is_within(delimiter: str, first: int, last: int) -> Callable[[str], bool]:
    """Returns a predicate: the delimiter first occurs at an offset from ``first`` to ``last``."""
    return lambda rest: first <= rest.find(delimiter) <= last


def _escape(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _common_value(draft: TemplateDraft, value_of: Callable[[str], str | None]) -> str | None:
    """Returns the value that enough of the remaining lines have; None if there is none."""
    counts: Counter[str] = Counter()
    required, most, remaining = MIN_STEP_SHARE * len(draft.rests), 0, len(draft.rests)
    for rest in draft.rests:
        remaining -= 1
        value = value_of(rest)
        if value is not None:
            counts[value] += 1
            most = max(most, counts[value])
        if most + remaining < required:
            return None
    return counts.most_common(1)[0][0] if counts else None


def _has_common_delimiter(draft: TemplateDraft, regex: re.Pattern[str]) -> bool:
    """Returns True if nearly all matches are followed by the same mark, by white space, or by the end of the line."""
    following: Counter[str] = Counter()
    for rest in draft.rests:
        if match := regex.match(rest):
            char = rest[match.end() : match.end() + 1]
            following[" " if char == "\t" else char] += 1
    if not following:
        return False
    delimiter, count = following.most_common(1)[0]
    return count >= MIN_STEP_SHARE * sum(following.values()) and not delimiter.isalnum()


def _structure_follows(draft: TemplateDraft) -> bool:
    """Returns True if one of the next words has, in nearly all lines, a form that words of messages do not have."""
    for index in range(1, _LOOKAHEAD_WORDS + 1):
        rests = [rest.split(maxsplit=index)[index:] for rest in draft.rests]
        texts = [rest[0] for rest in rests if rest]
        required = MIN_STEP_SHARE * len(texts)
        if len(texts) < MIN_STEP_SHARE * len(draft.rests):
            return False
        if any(_holds(regex.match, texts, required) for regex in _STRUCTURE):
            return True
        mark, count = Counter(text[0] for text in texts).most_common(1)[0]
        if mark in PUNCTUATION and count >= required:
            return True
        syntaxes = value_patterns.timestamp_syntaxes()
        if any(_holds(syntax.end, texts, required) for syntax in syntaxes):
            return True
    return False


def _holds(predicate: Callable[[str], object], texts: Sequence[str], required: float) -> bool:
    """Returns True if a number of texts fulfils a predicate; ends with the text after which the number cannot be reached."""
    possible = len(texts)
    for text in texts:
        if not predicate(text):
            possible -= 1
            if possible < required:
                return False
    return possible >= required
