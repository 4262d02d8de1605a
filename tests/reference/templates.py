"""Reference parser of the template notation, which defines the meaning of a template.

It implements the rules of the notation, one per function, without regard to speed. Engines must return the same rows.
The parts, in reading order:

1. `parse_template`: from the notation to segments (literal, blanks, field, group).
2. `reference_lines`: from a file to records.
3. `match`: from a line and segments to texts of fields, in one pass from left to right, without backtracking.
4. `convert`: from the text of a field to a value of its type.
5. `reference_parse`: from a line to a row, of which only some texts are validated.
"""

from __future__ import annotations

import json
import math
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import NamedTuple, NoReturn

UTC = timezone.utc

# ---------------------------------------------------------------------------------------------- 1. notation


class Type(NamedTuple):
    """Type of a field: `decimal(10,2)` is `Type("decimal", "10,2")`; a type without argument has `""`."""

    name: str
    argument: str = ""


@dataclass(frozen=True)
class Literal:
    """Text that the line must contain unchanged."""

    text: str


@dataclass(frozen=True)
class Blanks:
    """`{~}`: one or more spaces or tabs, as many as there are."""


@dataclass(frozen=True)
class Field:
    """`{name:type?}`; the name of `{}` is None."""

    name: str | None
    type: Type
    nullable: bool = False
    last: bool = False  # `{name>}`: the last occurrence of the text after it ends it


@dataclass(frozen=True)
class Group:
    """`{? ... ?}`: segments that are present or absent together."""

    start: Literal | Blanks  # the group is present if the line has it; also the first of the segments
    segments: list[Segment]


Segment = Literal | Blanks | Field | Group

TOKEN = re.compile(
    r"(?P<brace>\{\{|\}\})"
    r"|(?P<blanks>\{~\})"
    r"|(?P<open>\{\?)"
    r"|(?P<close>\?\}(?!\}(?:\}\})*(?!\})))"  # `?}}` is a question mark and a brace, `?}}}` ends a group before a brace
    r"|(?P<field>\{(?:(?P<name>[^\W\d]\w*)(?::(?P<type>[a-z]+(?:\(.*?\))?))?(?P<last>>)?(?P<nullable>\?)?|(?P<skip_last>>))?\})"
    r"|(?P<text>[^{}])",
    re.DOTALL,
)
TYPE = re.compile(r"(?P<name>[a-z]+)(?:\((?P<argument>.*)\))?", re.DOTALL)
ARGUMENTS = {  # types that take an argument, and its syntax
    "decimal": r"\s*[0-9]+\s*,\s*[0-9]+\s*",
    "enum": r"(?s:[^|]+(\|[^|]+)*)",
    "epoch": r"s|ms|us|ns",
    "list": r"(?s:.+)",
    "timestamp": r"(?s:.+)",
}
PLAIN = {"string", "quoted", "int", "long", "double", "boolean", "date", "timestamp", "uuid", "json", "map"}
ALIASES = {
    "integer": "int",
    "bigint": "long",
    "float": "double",
    "real": "double",
    "dec": "decimal",
    "numeric": "decimal",
}
PLAIN |= {"word", "ip", "host", "address", "class"}


def parse_type(text: str) -> Type:
    """Parses `int`, `decimal(10,2)`, `timestamp(%d %b)`; raises ValueError for texts that are not types."""
    parts = TYPE.fullmatch(text)
    if parts is None:
        raise ValueError(f"not a type: {text!r}")
    name, argument = ALIASES.get(parts["name"], parts["name"]), parts["argument"]
    if argument is None:
        if name not in PLAIN:
            raise ValueError(f"no type without an argument is called {text!r}")
        return Type(name)
    if name not in ARGUMENTS or not re.fullmatch(ARGUMENTS[name], argument):
        raise ValueError(f"not a type: {text!r}")
    kind = Type(name, argument)
    if name == "decimal":
        precision, scale = decimal_size(kind)
        if not 1 <= precision <= 38 or scale > precision:
            raise ValueError(f"decimal(p,s) needs 1 <= p <= 38 and s <= p: {text!r}")
    own_syntax(kind)  # raises ValueError for a pattern with an unknown directive
    return kind


def parse_template(text: str) -> list[Segment]:
    """Parses the template notation; raises ValueError for an invalid template.

    >>> parse_template("{a:int?} {{{~}")
    [Field(name='a', type=Type(name='int', argument=''), nullable=True, last=False), Literal(text=' {'), Blanks()]
    """
    segments: list[Segment] = []
    outer: list[list[Segment]] = []  # the segments around each open group
    at = 0
    while at < len(text):
        token = TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"a brace or a field that cannot be read, at {at}: {text[at:]!r}")
        at = token.end()
        if token["brace"] or token["text"]:
            character = token["text"] or token["brace"][0]
            if segments and isinstance(segments[-1], Literal):
                segments[-1] = Literal(segments[-1].text + character)
            else:
                segments.append(Literal(character))
        elif token["blanks"]:
            segments.append(Blanks())
        elif token["open"]:
            outer.append(segments)
            segments = []
        elif token["close"]:
            if not outer:
                raise ValueError("?} without {?")
            if not segments or not isinstance(segments[0], (Literal, Blanks)):
                raise ValueError("a group must start with a literal or {~}")
            segments = [*outer.pop(), Group(segments[0], segments)]
        else:
            last = bool(token["last"] or token["skip_last"])
            segments.append(Field(token["name"], parse_type(token["type"] or "string"), bool(token["nullable"]), last))
    if outer:
        raise ValueError("{? without ?}")
    check_ends(segments)
    names = [field.name.lower() for field in named_fields(segments) if field.name]
    if len(set(names)) < len(names):  # columns are matched without case
        raise ValueError(f"a field name stands twice: {names}")
    return segments


class Next(NamedTuple):
    """Elements that may come next in a line."""

    stops: list[Literal | Blanks]  # first segments of the groups and texts that may come next
    field: bool  # True if a field may come next, which has no text of its own
    line_end: bool  # True if the line may end


def coming(segments: list[Segment]) -> Next:
    """Returns the elements that may come next before segments: each of the leading groups, and the segment after them."""
    stops = []
    for segment in segments:
        if isinstance(segment, Field):
            return Next(stops, field=True, line_end=False)
        stops.append(segment.start if isinstance(segment, Group) else segment)
        if not isinstance(segment, Group):
            return Next(stops, field=False, line_end=False)
    return Next(stops, field=False, line_end=True)


def check_ends(segments: list[Segment]) -> None:
    """Raises ValueError if a field may follow a field that does not delimit itself.

    The last segment of a group is followed by the segment after the group.
    """
    for index, segment in enumerate(segments, start=1):
        if isinstance(segment, Group):
            check_ends([*segment.segments, *segments[index:]])
        elif isinstance(segment, Field) and segment.last:
            check_last(segment, segments[index:])
        elif isinstance(segment, Field) and own_syntax(segment.type) is None and coming(segments[index:]).field:
            raise ValueError(f"no literal between {segment.name!r} and the field after it")
        elif isinstance(segment, Field) and segment.type.name == "enum":
            for value in segment.type.argument.split("|"):
                check_value(value, coming(segments[index:]).stops)


def check_value(value: str, stops: list[Literal | Blanks]) -> None:
    """Raises ValueError if a field that ends at the first of some delimiters ends within the value."""
    for stop in stops:
        for delimiter in (" ", "\t") if isinstance(stop, Blanks) else (stop.text,):
            if (value + delimiter).split(delimiter)[0] != value:
                raise ValueError(f"{value!r} is never read before {delimiter!r}")


def check_last(field: Field, later: list[Segment]) -> None:
    """Raises ValueError if what determines the end of a `{name>}` is more than literals and fields between them."""
    if own_syntax(field.type) is not None:
        raise ValueError(f"{field.name} delimits itself")
    if not later or not isinstance(later[0], Literal):
        raise ValueError(f"no literal after {field.name}")
    if len(later) == 1 or (isinstance(later[1], Field) and len(later) == 2):
        return
    if not isinstance(later[1], Field) or not isinstance(later[2], Literal):
        raise ValueError(f"no field and literal after the literal after {field.name}")
    if later[1].last:
        check_last(later[1], later[2:])


def flatten(segments: list[Segment]) -> list[Segment]:
    """Returns all segments, those of groups included."""
    return [s for segment in segments for s in (flatten(segment.segments) if isinstance(segment, Group) else [segment])]


def named_fields(segments: list[Segment]) -> list[Field]:
    """Returns the columns of a template in their order."""
    return [segment for segment in flatten(segments) if isinstance(segment, Field) and segment.name is not None]


# ----------------------------------------------------------------------------------------------- 2. records


def reference_lines(data: bytes) -> list[tuple[int, bytes]]:
    r"""Returns the records of a file: (byte offset, line without its end). Blank lines are not records, nor is NUL padding.

    >>> reference_lines(b"a\r\n \n\0b")
    [(0, b'a'), (6, b'b')]
    """
    records = []
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    while at < len(data):
        newline = data.find(b"\n", at)
        line = data[at:] if newline < 0 else data[at:newline].removesuffix(b"\r")
        if newline < 0:
            line = line.rstrip(b"\0")
        text = line.lstrip(b"\0")
        if text.strip(b" \t"):
            records.append((at + len(line) - len(text), text))
        at = len(data) if newline < 0 else newline + 1
    return records


# --------------------------------------------------------------------------------------------- 3. structure


class MismatchError(Exception):
    """A line that does not have the structure of the template."""


class Found(NamedTuple):
    """Text of a field; `own` is True if the syntax of its type delimited it."""

    field: Field
    text: str
    own: bool


BLANK = re.compile(r"[ \t]+")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
DATE = re.compile(r"(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})")
ISO = re.compile(
    DATE.pattern + r"[T ](?P<H>[0-9]{2}):(?P<M>[0-9]{2})"
    r"(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
    r"(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
REST = {"string", "map", "json"}  # as the last field, these take the rest of the line


def own_syntax(kind: Type) -> re.Pattern[str] | None:
    """Returns the syntax of a type that delimits itself, None for other types."""
    if kind.name == "timestamp" and kind.argument:
        return pattern_syntax(kind.argument)
    return {"quoted": QUOTED, "date": DATE, "timestamp": ISO}.get(kind.name)


def find(segment: Literal | Blanks, text: str, at: int) -> int:
    """Returns the index of the first occurrence of the segment at or after `at`, -1 if there is none."""
    if isinstance(segment, Literal):
        return text.find(segment.text, at)
    blank = BLANK.search(text, at)
    return blank.start() if blank else -1


def take(segment: Literal | Blanks, text: str, at: int) -> int:
    """Returns the end of the segment if it is at `at`, -1 if it is not."""
    if isinstance(segment, Literal):
        return at + len(segment.text) if text.startswith(segment.text, at) else -1
    blank = BLANK.match(text, at)
    return blank.end() if blank else -1


def field_end(field: Field, following: Next, text: str, at: int, allow_trailing: bool) -> tuple[int, bool]:
    """Returns the end of the field that starts at `at`, and True if the syntax of its type delimits it."""
    syntax = own_syntax(field.type)
    own = syntax.match(text, at) if syntax else None
    if following.field:  # the notation allows this only after a field that delimits itself
        if own is None:
            raise MismatchError(f"{field.name}: nothing of its type before the next field")
        return own.end(), True

    if own and any(take(stop, text, own.end()) >= 0 for stop in following.stops):
        return own.end(), True
    if own and following.line_end and own.end() == len(text):
        return own.end(), True
    ends = [end for stop in following.stops if (end := find(stop, text, at)) >= 0]
    if ends:
        return min(ends), False
    if not following.line_end:
        raise MismatchError(f"{field.name}: the text after it is not found")
    # The last field, or a field before groups that are all absent.
    if own and allow_trailing:
        return own.end(), True
    if own:
        raise MismatchError(f"{field.name}: text after the last field")
    blank = BLANK.search(text, at)
    if allow_trailing and blank and syntax is None and field.type.name not in REST:
        return blank.start(), False
    return len(text), False


def last_end(following: list[Segment], text: str, at: int) -> int:
    """Returns the end of a `{name>}` at `at`: the last occurrence of its literal before the end of the next field."""
    literal, *rest = following
    first = find(literal, text, at)
    if first < 0:
        raise MismatchError("the text after it is not found")
    after = take(literal, text, first)
    field, *later = rest or [None]
    end = len(text)
    if field is not None and later and isinstance(field, Field):
        if field.last:
            end = last_end(later, text, after)
        elif len(later) == 1:
            end = text.rfind(later[0].text, after)
        else:
            end = text.find(later[0].text, after)
    found = text.rfind(literal.text, at, end) if end >= 0 else -1
    if found < 0:
        raise MismatchError("the text after the next field is not found")
    return found


def match(segments: list[Segment], text: str, allow_trailing: bool, last: str | None) -> list[Found]:
    """Returns the fields of a line up to and including `last`, or all fields and the end of the line if `last` is None.

    A field is matched together with the text that ends it. The absence of a field with its group is confirmed by the
    text that follows instead of the group. Raises MismatchError if the line has another structure.
    """
    found = []
    at = 0
    passed = False  # True if `last` is in a group that is absent
    while segments:
        segment, segments = segments[0], segments[1:]
        if isinstance(segment, Group):
            if take(segment.start, text, at) < 0:
                passed = passed or last in [field.name for field in named_fields(segment.segments)]
                continue
            segments = [*segment.segments, *segments]
        elif isinstance(segment, Field):
            if passed:
                return found
            if segment.last:
                end, own = last_end(segments, text, at), False
            else:
                end, own = field_end(segment, coming(segments), text, at, allow_trailing)
            found.append(Found(segment, text[at:end], own))
            at = end
            if last is not None and segment.name == last:
                return found
        else:
            at = take(segment, text, at)
            if at < 0:
                raise MismatchError(f"{segment} is not found at its index")
        if passed:
            return found
    if at < len(text) and not allow_trailing:
        raise MismatchError("text after the last field")
    return found


# ------------------------------------------------------------------------------------------------ 4. values


@dataclass(frozen=True)
class Clock:
    """Zone and latest time of timestamps that lack a zone or a year."""

    zone: tzinfo
    year_bound: datetime | None


ESCAPE = re.compile(rb'\\(?:x([0-9a-fA-F]{2})|([\\"nrt]))')
INTEGER = re.compile(r"[+-]?[0-9]+")
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
SPECIAL = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE | re.ASCII)
EPOCH = re.compile(r"(-?)([0-9]+)(?:\.([0-9]*))?")
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
PAIR = re.compile(r' *(?P<key>[^ ="]+)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>(?:[^ "][^ ]*)?))(?= |\Z)', re.DOTALL)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
SHORT_MONTHS = re.sub(r"([A-Z]..)[a-z]*", r"\1", MONTHS)
SHORT_DAYS = re.sub(r"([A-Z]..)[a-z]*", r"\1", DAYS)
DAY = r"3[01]|[12][0-9]|0[1-9]|[1-9]| [1-9]"
DIRECTIVES = {  # as Python's strptime reads them, with English names
    "d": DAY,
    "e": DAY,
    "m": r"1[0-2]|0[1-9]|[1-9]",
    "y": r"[0-9]{2}",
    "Y": r"[0-9]{4}",
    "j": r"36[0-6]|3[0-5][0-9]|[12][0-9]{2}|0[1-9][0-9]|00[1-9]|[1-9][0-9]|0[1-9]|[1-9]",
    "H": r"2[0-3]|[01][0-9]|[0-9]",
    "I": r"1[0-2]|0[1-9]|[1-9]",
    "M": r"[0-5][0-9]|[0-9]",
    "S": r"6[01]|[0-5][0-9]|[0-9]",
    "f": r"[0-9]{1,9}",
    "L": r"[0-9]{1,3}",
    "z": r"Z|[+-][0-9]{2}:?[0-5][0-9]",
    "b": f"(?ai:{SHORT_MONTHS})",
    "B": f"(?ai:{MONTHS})",
    "a": f"(?ai:{SHORT_DAYS})",
    "A": f"(?ai:{DAYS})",
    "p": "(?ai:am|pm)",
    "Z": r"[A-Za-z]{1,6}|[+-][0-9]{2}(?::?[0-5][0-9])?",
}


ZONES = {
    "UTC": 0, "GMT": 0, "UT": 0, "UCT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "EET": 120,
    "EEST": 180, "MSK": 180, "WAT": 60, "CAT": 120, "SAST": 120, "EAT": 180, "IDT": 180, "PKT": 300, "WIB": 420,
    "WITA": 480, "WIT": 540, "SGT": 480, "HKT": 480, "JST": 540, "KST": 540, "AWST": 480, "ACST": 570, "ACDT": 630,
    "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780, "NST": -210, "NDT": -150, "AST": -240, "ADT": -180, "EST": -300,
    "EDT": -240, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480,
    "HST": -600, "HDT": -540,
}  # fmt: skip


def unescape(text: str) -> str:
    r"""Resolves `\\ \" \n \r \t \xHH`; other backslashes are kept. Bytes of `\xHH` are decoded as UTF-8 with the text."""

    def replaced(escape: re.Match[bytes]) -> bytes:
        if escape[1]:
            return bytes.fromhex(escape[1].decode())
        return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(escape[2], escape[2])

    return ESCAPE.sub(replaced, text.encode()).decode(errors="replace")


def pattern_syntax(pattern: str) -> re.Pattern[str]:
    """Returns the regular expression of a strptime pattern; raises ValueError for an unsupported directive."""
    expression = ""
    for part in re.finditer(
        r"%(?P<digits>[1-9])f|%:?(?P<directive>.?)|(?P<blanks>[ \t]+)|(?P<text>[^%])", pattern, re.DOTALL
    ):
        directive = part["directive"]
        if part["digits"] and "(?P<f>" not in expression:
            expression += f"(?P<f>[0-9]{{{part['digits']}}})"
        elif part["digits"]:
            raise ValueError(f"a fraction stands twice in {pattern!r}")
        elif directive is None:
            expression += "[ \\t]+" if part["blanks"] else re.escape(part["text"])
        elif directive == "%":
            expression += "%"
        elif directive in DIRECTIVES and f"(?P<{directive}>" not in expression:
            expression += f"(?P<{directive}>{DIRECTIVES[directive]})"
        else:
            raise ValueError(f"%{directive} is unknown or stands twice in {pattern!r}")
    if "(?P<f>" in expression and "(?P<L>" in expression:
        raise ValueError(f"both %f and %L in {pattern!r}")
    return re.compile(expression)


def to_timestamp(text: str, kind: Type, clock: Clock) -> datetime:
    """Returns the instant of a text in ISO 8601 or of a pattern."""
    syntax = own_syntax(kind)
    parts = syntax.fullmatch(text) if syntax else None
    if parts is None:
        raise ValueError("not a timestamp")
    part = {name: value for name, value in parts.groupdict().items() if value is not None}

    month, day = int(part.get("m", 1)), int(part.get("d", part.get("e", 1)))
    name = part.get("b", part.get("B", "")).lower()
    if name:
        month = SHORT_MONTHS.lower().split("|").index(name[:3]) + 1
    hour = int(part.get("H", 0))
    if "I" in part:
        hour = int(part["I"]) % 12 + (12 if part.get("p", "").lower() == "pm" else 0)
    minute, second = int(part.get("M", 0)), int(part.get("S", 0))
    micros = int(part["L"]) * 1000 if "L" in part else int(part.get("f", "")[:6].ljust(6, "0"))

    def in_year(year: int) -> datetime:
        on = date(year, month, day)
        if "j" in part:
            on = date(year, 1, 1) + timedelta(days=int(part["j"]) - 1)
            if on.year != year:
                raise ValueError("the year has no such day")
        local = datetime(year, on.month, on.day, hour, minute, second, micros)
        zone = zone_of(part["z"]) if "z" in part else named_zone(part["Z"], local, clock) if "Z" in part else clock.zone
        return local.replace(tzinfo=zone).astimezone(UTC)

    if "Y" in part:
        return in_year(int(part["Y"]))
    if "y" in part:
        return in_year(int(part["y"]) + (1900 if int(part["y"]) >= 69 else 2000))
    if clock.year_bound is None:
        raise TypeError("a timestamp without a year needs year_bound")
    for year in range(clock.year_bound.year + 1, clock.year_bound.year - 10, -1):  # 29 February: 8 years at most
        try:
            instant = in_year(year)
        except (ValueError, OverflowError):
            continue
        if instant <= clock.year_bound:
            return instant
    raise ValueError("no year has such a day")


def named_zone(name: str, local: datetime, clock: Clock) -> timezone:
    """Returns the zone that `%Z` names: a name of the clock's zone, or a name with one meaning; the case is ignored."""
    name = name.upper()
    if name[0] in "+-":
        return zone_of(name if len(name) > 3 else f"{name}00")
    if clock.zone != UTC:
        days = [datetime(1990, 1, 15) + timedelta(days=28 * count) for count in range(48 * 13)]
        uses = [day.replace(tzinfo=clock.zone) for day in days]
        at_time = [local.replace(tzinfo=clock.zone, fold=fold) for fold in (1, 0)]
        offsets = [use.utcoffset() for use in [*uses, *at_time] if (use.tzname() or "").upper() == name]
        exact = [use.utcoffset() for use in at_time if (use.tzname() or "").upper() == name]
        if offsets and offsets[0] is not None and (exact or len(offsets) > len(exact)):
            found = (exact or offsets)[-1]
            return timezone(found if found is not None else timedelta(0))
    if name not in ZONES or (name == "MSK" and local < datetime(2014, 10, 26, 2)):
        raise ValueError(f"{name} may be several zones")
    return timezone(timedelta(minutes=ZONES[name]))


def zone_of(text: str) -> timezone:
    """Returns the zone of `Z`, `±HH:MM` or `±HHMM`."""
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if minutes > 59:
        raise ValueError("an offset has at most 59 minutes")
    return timezone((-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))


def to_date(text: str, kind: Type, clock: Clock) -> date:
    parts = checked(DATE, text)
    return date(int(parts["Y"]), int(parts["m"]), int(parts["d"]))


def to_epoch(text: str, kind: Type, clock: Clock) -> datetime:
    """Returns the instant of a number of units since 1970, truncated toward zero to microseconds."""
    sign, whole, fraction = checked(EPOCH, text).groups()
    billionths = int(whole + (fraction or "")[:9].ljust(9, "0"))  # of the unit
    micros = billionths * {"s": 10**6, "ms": 10**3, "us": 1, "ns": 1}[kind.argument] // 10**9
    if kind.argument == "ns":
        micros //= 1000
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=-micros if sign else micros)


def to_integer(bits: int) -> Callable[[str, Type, Clock], int]:
    def to_int(text: str, kind: Type, clock: Clock) -> int:
        value = int(checked(INTEGER, text)[0])
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise ValueError(f"beyond {bits} bits")
        return value

    return to_int


def to_double(text: str, kind: Type, clock: Clock) -> float:
    return float(text if SPECIAL.fullmatch(text) else checked(NUMBER, text)[0])


def decimal_size(kind: Type) -> tuple[int, int]:
    precision, scale = kind.argument.split(",")
    return int(precision), int(scale)


def to_decimal(text: str, kind: Type, clock: Clock) -> Decimal:
    """Returns a decimal that fits without rounding; digits beyond the scale must be zeros."""
    precision, scale = decimal_size(kind)
    exact = Context(prec=precision, traps=[Inexact, InvalidOperation])
    return Decimal(checked(NUMBER, text)[0]).quantize(Decimal(1).scaleb(-scale), context=exact)


def to_boolean(text: str, kind: Type, clock: Clock) -> bool:
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise ValueError("not a boolean")
    return values[text.lower()]


def to_json(text: str, kind: Type, clock: Clock) -> str:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    json.loads(text, parse_constant=refuse, parse_int=str, parse_float=str)
    return text


def to_map(text: str, kind: Type, clock: Clock) -> dict[str, str]:
    """Returns the `k=v` pairs between spaces, the last one of equal keys."""
    pairs, at = {}, 0
    while text[at:].strip(" "):
        pair = PAIR.match(text, at)
        if pair is None:
            raise ValueError("not a list of k=v")
        pairs[pair["key"]] = pair["bare"] if pair["quoted"] is None else unescape(pair["quoted"])
        at = pair.end()
    return pairs


def checked(syntax: re.Pattern[str], text: str) -> re.Match[str]:
    whole = syntax.fullmatch(text)
    if whole is None:
        raise ValueError("not of its type")
    return whole


def is_ipv4(text: str) -> bool:
    """Returns True for four numbers up to 255, without leading zeros, that are separated by dots."""
    numbers = text.split(".")
    return len(numbers) == 4 and all(number in map(str, range(256)) for number in numbers)


def is_ipv6(text: str) -> bool:
    """Returns True for eight groups of hexadecimal digits, or for at most seven groups beside `::`; a zone may follow."""
    address, percent, zone = text.partition("%")
    left, gap, right = address.partition("::")
    groups = [group for side in (left, right) if side for group in side.split(":")]
    if "." in (right if gap else left).rpartition(":")[2]:
        if not is_ipv4(groups.pop()):
            return False
        groups += ["0", "0"]
    is_complete = len(groups) < 8 if gap else len(groups) == 8
    is_hexadecimal = all(re.fullmatch("[0-9A-Fa-f]{1,4}", group) for group in groups)
    return is_complete and is_hexadecimal and (not percent or bool(re.fullmatch("[0-9A-Za-z._~-]+", zone)))


def is_host(text: str) -> bool:
    """Returns True for a name, and for an IPv6 address, in brackets or not; an IPv4 address is a name."""
    inner = text[1:-1] if text[:1] == "[" and text[-1:] == "]" else None
    if inner is not None:
        return is_ipv6(inner)
    of_name = all((c.isascii() and (c.isalnum() or c in "_.-")) or not c.isascii() for c in text)
    return is_ipv6(text) or (of_name and text[:1] not in ("", ".", "-"))


def is_address(text: str) -> bool:
    """Returns True for a host, and for a name or a bracketed address with a colon and a port."""
    host, colon, port = text.rpartition(":")
    with_port = colon and re.fullmatch("[0-9]{1,5}", port) and is_host(host) and (":" not in host or host[0] == "[")
    return is_host(text) or bool(with_port)


def only(accepts: Callable[[str], bool]) -> Callable[[str, Type, Clock], str]:
    """Returns the conversion of strings that are validated."""

    def convert(text: str, kind: Type, clock: Clock) -> str:
        if not accepts(text):
            raise ValueError("not of its type")
        return text

    return convert


def to_choice(text: str, kind: Type, clock: Clock) -> str:
    if text not in kind.argument.split("|"):
        raise ValueError("none of the texts")
    return text


CONVERT: dict[str, Callable[[str, Type, Clock], object]] = {
    "string": lambda text, kind, clock: text,
    "quoted": lambda text, kind, clock: unescape(checked(QUOTED, text)[0][1:-1]),
    "int": to_integer(32),
    "long": to_integer(64),
    "double": to_double,
    "decimal": to_decimal,
    "boolean": to_boolean,
    "date": to_date,
    "timestamp": to_timestamp,
    "epoch": to_epoch,
    "uuid": lambda text, kind, clock: checked(UUID, text)[0],
    "json": to_json,
    "list": lambda text, kind, clock: text.split(kind.argument) if text else [],
    "map": to_map,
    "word": only(lambda text: text != "" and all(c > " " for c in text)),
    "ip": only(lambda text: is_ipv4(text) or is_ipv6(text)),
    "host": only(is_host),
    "address": only(is_address),
    "class": only(lambda text: text != "" and all(c > " " and c not in "\"'(),:;<>=@{|}" for c in text)),
    "enum": to_choice,
}


def convert(found: Found, kind: Type, null_value: str, escape: str, clock: Clock) -> object:
    """Returns the value of a field's text as `kind`: the field's type, or the one that a schema names."""
    field, text, own = found
    inner = text[1:-1] if own and field.type.name == "quoted" else text
    if field.nullable and inner in ("", null_value):
        return None
    if not own and own_syntax(field.type) and (kind == field.type or field.type.name == "quoted"):
        raise ValueError("its own syntax does not reach to what follows")
    if kind != field.type and field.type.name == "quoted":
        text = unescape(inner)
    elif field.type.name == "string" and escape == "backslash":
        text = unescape(text)
    return CONVERT[kind.name](text, kind, clock)


# --------------------------------------------------------------------------------------------------- 5. rows


class Row(NamedTuple):
    """A parsed line: values of the selected columns, True if the line is corrupt, and the reason."""

    values: dict[str, object]
    corrupt: bool = False
    reason: str = ""


def reference_parse(
    template: str,
    line: bytes,
    *,
    columns: list[str] | None = None,
    judge_whole: bool = False,
    null_value: str = "-",
    escape: str = "none",
    allow_trailing: bool = False,
    zone: str = "UTC",
    year_bound: datetime | None = None,
    types: dict[str, str] | None = None,
) -> Row:
    """Parses one line without its end.

    A line is validated by the selected columns (None: all), and by the structure up to the text that ends the last of
    them. It is validated as a whole if `judge_whole` is set, or if the last column of the template is selected.

    >>> reference_parse("{level} {n:int}", b"INFO 7")
    Row(values={'level': 'INFO', 'n': 7}, corrupt=False, reason='')
    """
    segments = parse_template(template)
    if escape not in ("none", "backslash"):
        raise ValueError(f"escape is none or backslash: {escape!r}")
    if escape == "backslash" and any(isinstance(s, Literal) and "\\" in s.text for s in flatten(segments)):
        raise ValueError("a literal with a backslash cannot be told from an escape")
    names = [field.name for field in named_fields(segments) if field.name]
    selected = names if columns is None else columns
    if not set(selected) <= set(names):
        raise ValueError(f"the template has no {sorted(set(selected) - set(names))}")
    judged = names if judge_whole else selected
    nothing: dict[str, object] = dict.fromkeys(selected)
    if not judged and not judge_whole:
        return Row(nothing)

    clock = Clock(UTC if zone == "UTC" else zoneinfo.ZoneInfo(zone), year_bound)
    last = max(judged, key=names.index, default=None)
    whole = judge_whole or last == names[-1]
    try:
        found = match(segments, line.decode(errors="replace"), allow_trailing, None if whole else last)
    except MismatchError as mismatch:
        return Row(nothing, True, str(mismatch))

    values, reasons = dict(nothing), []
    for one in found:
        name = one.field.name
        if name is None or name not in judged:
            continue
        kind = parse_type(types[name]) if types and name in types else one.field.type
        try:
            value = convert(one, kind, null_value, escape, clock)
        except (ValueError, ArithmeticError) as error:
            reasons.append(f"{name}: {error}")
        else:
            if name in values:
                values[name] = value
    return Row(values, bool(reasons), "; ".join(reasons))


def same(one: object, other: object) -> bool:
    """Returns True for equal values of equal types; NaN equals NaN."""
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return type(one) is type(other) and one == other
