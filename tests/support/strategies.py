"""Hypothesis strategies for log formats: templates, lines that fit them, and lines that do not.

`cases()` is for "engine == reference": a template, lines (most of them good, some broken in every way that
logs break), a file of them, and options. `rendered()` is for "parse of render is identity": one good line and
the values it was made of. The renderer here is the tests' own; it shares no code with what it tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import assume
from hypothesis import strategies as st

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR_BOUND = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)
REST = {"string", "map", "json"}  # the last field of such a type takes the rest of the line
SELF_DELIMITING = {"quoted", "date", "timestamp"}
BOM = b"\xef\xbb\xbf"

# Characters that have a meaning somewhere, and some that have none. No line ends: those are drawn where they fit.
ALPHABET = "abcxyzTZN01279 \t\"'\\-+=,;:.|/?!#%[](){}<>_~@éß→日😀\x00\x1f\x85\u2028"
LITERALS = [" ", " ", " ", " | ", "] [", "\t", ", ", " - ", "→", " · ", "=", ";", "::", '" "', "{", "}", "?", "x", "Z"]
texts = st.text(ALPHABET, max_size=12)
words = st.text("abcdefgh.0129_é/", min_size=1, max_size=8)
# Types of the columns that a query requests; a third are strings.
arrow_types = st.sampled_from(
    [
        *(pa.string(),) * 5, pa.int8(), pa.int32(), pa.int64(), pa.float64(), pa.bool_(), pa.decimal128(5, 2), pa.date32(),
        pa.timestamp("us", tz="UTC"), pa.timestamp("us"),
    ]
)  # fmt: skip


class Options(NamedTuple):
    """Options of the reader, by the names of the reference parser's arguments."""

    null_value: str
    escape: str
    allow_trailing: bool
    zone: str
    year_bound: datetime

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


options = st.builds(
    Options,
    null_value=st.sampled_from(["-", "-", "-", "NULL", ""]),
    escape=st.sampled_from(["none", "none", "backslash"]),
    allow_trailing=st.booleans(),
    zone=st.sampled_from(["UTC", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    year_bound=st.just(YEAR_BOUND),
)

# ---------------------------------------------------------------------------------------- a text for each type

Typed = tuple[str, object]  # the text in the line, the value it stands for


def backslashed(draw: st.DrawFn, text: str, must: str) -> str:
    r"""Texts in which `\`, the characters of `must` and some other characters are escaped."""
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
    out = []
    for character in text:
        how = draw(st.integers(0, 9))
        if character in must + "\\" or how > 7:
            hex_escape = "".join(f"\\x{byte:02x}" for byte in character.encode())
            out.append(short[character] if character in short and how < 9 else hex_escape)
        else:
            out.append(character)
    return "".join(out)


def string_text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
    if opts.escape == "none":
        text = draw(texts)
        return text, text
    text = draw(st.text(ALPHABET + "\n\r", max_size=12))
    return backslashed(draw, text, "\n\r"), text


def quoted_text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
    text = draw(st.text(ALPHABET + "\n\r", max_size=12))
    return '"' + backslashed(draw, text, '"\n\r') + '"', text


def integer_text(bits: int) -> Callable[[st.DrawFn, str, Options], Typed]:
    def text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
        value = draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
        return draw(st.sampled_from([f"{value}", f"{value:+}", f"{value:025}"])), value

    return text


def double_text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
    value = draw(st.floats(allow_nan=False))
    forms = [repr(value), repr(value).upper(), f"{value:+.17e}"]
    return draw(st.sampled_from([(form, value) for form in forms] + [("NaN", float("nan")), ("-1e999", float("-inf"))]))


def decimal_text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
    precision, scale = map(int, argument.split(","))
    unscaled = draw(st.integers(-(10**precision) + 1, 10**precision - 1))
    value = Decimal((int(unscaled < 0), tuple(map(int, str(abs(unscaled)))), -scale))
    zeros = "0" * draw(st.integers(0, 2)) if scale else ""
    return f"{value:f}{zeros}", value


def boolean_text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
    return draw(st.sampled_from([("true", True), ("False", False), ("TRUE", True), ("1", True), ("0", False)]))


def date_text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
    value = draw(st.dates(date(1, 1, 1)))
    return value.isoformat(), value


instants = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1))
offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def iso_text(draw: st.DrawFn, opts: Options) -> Typed:
    wall = draw(instants)
    text = wall.strftime(draw(st.sampled_from(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])))
    digits = draw(st.integers(-1, 9))  # of the fraction; -1: no seconds either
    if digits < 0:
        wall = wall.replace(second=0)
    if digits > 0:
        fraction = f"{wall.microsecond:06}{draw(st.integers(0, 999)):03}"[:digits]
        text += f"{wall:%S}" if digits < 0 else f":{wall:%S}{draw(st.sampled_from('.,'))}{fraction}"
        wall = wall.replace(microsecond=int(fraction[:6].ljust(6, "0")))
    else:
        text += f":{wall:%S}" if digits == 0 else ""
        wall = wall.replace(microsecond=0)
    zone = draw(st.sampled_from(["none", "Z", "+HH:MM", "+HHMM"]))
    if zone == "none":
        return text, wall.replace(tzinfo=opts.tz).astimezone(UTC)
    if zone == "Z":
        return text + "Z", wall.replace(tzinfo=UTC)
    wall = wall.replace(tzinfo=draw(offsets))
    offset = f"{wall:%z}"
    return text + (offset if zone == "+HHMM" else f"{offset[:3]}:{offset[3:]}"), wall.astimezone(UTC)


PATTERNS: dict[str, dict[str, Any]] = {  # pattern: the parts of a datetime that it lacks
    "%d/%b/%Y:%H:%M:%S %z": {"microsecond": 0},
    "%Y-%m-%d %H:%M:%S.%f": {},
    "%Y/%m/%d-%H:%M:%S,%f": {},
    "%Y%m%d-%H:%M:%S:%L": {"microsecond": 74_000},
    "%b %d %H:%M:%S": {"microsecond": 0},
    "%a %b %e %H:%M:%S %Y": {"microsecond": 0},
    "%A, %d %B %Y %I:%M:%S %p": {"microsecond": 0},
    "%y%m%d %H%M": {"second": 0, "microsecond": 0},
    "%Y-%j": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    "%m/%d/%Y %H:%M %Z": {"second": 0, "microsecond": 0},
    "%Y-%m-%d %H:%M:%S,%3f": {"microsecond": 123_000},
    "%Y%m%d%H%M%S%7f": {},
    "%Y-%m-%dT%H:%M:%S%:z": {"microsecond": 0},
}


def timestamp_text(draw: st.DrawFn, pattern: str, opts: Options) -> Typed:
    if not pattern:
        return iso_text(draw, opts)
    wall = draw(instants).replace(**PATTERNS[pattern])
    if "%Y" not in pattern and "%y" not in pattern:
        bound = YEAR_BOUND.replace(tzinfo=None)
        wall = draw(st.datetimes(bound - timedelta(days=363), bound - timedelta(days=1))).replace(microsecond=0)
    if "%y" in pattern:
        wall = wall.replace(year=1970 + wall.year % 98, day=min(wall.day, 28))
    zone = draw(offsets) if "%z" in pattern or "%:z" in pattern else UTC if "%Z" in pattern else opts.tz
    on = wall.replace(tzinfo=zone)
    pattern = pattern.replace("%L", str(wall.microsecond // 1000)).replace("%:z", "%z")
    digits = re.sub(r"%([1-9])f", lambda match: f"{wall.microsecond:06}000"[: int(match[1])], pattern)
    return wall.replace(tzinfo=zone).strftime(digits), on.astimezone(UTC)


def epoch_text(draw: st.DrawFn, unit: str, opts: Options) -> Typed:
    micros = draw(st.integers(-(10**15), 4 * 10**15))
    sign, size = ("-" if micros < 0 else ""), abs(micros)
    value = EPOCH + timedelta(microseconds=micros)
    if unit == "ns":
        return f"{sign}{size * 1000 + draw(st.integers(0, 999))}", value
    per = {"s": 10**6, "ms": 10**3, "us": 1}[unit]
    digits = len(str(per)) - 1
    fraction = (f"{size % per:0{digits}}" if digits else "") + draw(st.sampled_from(["", "0", "9"]))
    if draw(st.booleans()):
        whole = size - size % per
        return f"{sign}{size // per}", EPOCH + timedelta(microseconds=-whole if sign else whole)
    return f"{sign}{size // per}.{fraction}", value


def uuid_text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
    value = str(draw(st.uuids()))
    return draw(st.sampled_from([(value, value), (value.upper(), value.upper())]))


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=4,
)


def json_text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
    separators = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    text = json.dumps(draw(documents), separators=separators, ensure_ascii=draw(st.booleans()))
    return text, text


def list_text(draw: st.DrawFn, separator: str, opts: Options) -> Typed:
    elements = draw(st.lists(st.just("") | words, max_size=4))
    text = separator.join(elements)
    return text, elements if text else []


def map_text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
    value = draw(st.dictionaries(words, st.text(ALPHABET + "\n\r", max_size=6), max_size=3))
    pairs = []
    for key, text in value.items():
        bare = not set(text) & set(" \n\r") and not text.startswith('"') and draw(st.booleans())
        pairs.append(f"{key}={text}" if bare else f'{key}="' + backslashed(draw, text, '"\n\r') + '"')
    return draw(st.sampled_from([" ", " ", "  "])).join(pairs), value


def one_of(*values: str) -> Callable[[st.DrawFn, str, Options], Typed]:
    """Returns the drawing of one of some texts, which are their values."""

    def text(draw: st.DrawFn, argument: str, opts: Options) -> Typed:
        value = draw(st.sampled_from(values))
        return value, value

    return text


HOSTS = ["web-1", "192.0.2.7", "2001:db8::1", "::", "fe80::1%eth0", "[::1]", "é.example"]
VALIDATED = {
    "word": ["GET", "-", "a:b", "é→", "a\u2028b"],
    "ip": ["192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7", "1:2:3:4:5:6:7:8", "fe80::1%eth0"],
    "host": HOSTS,
    "address": [*HOSTS, "web-1:80", "[::1]:8080"],
    "class": ["org.example.Main", "Main$Inner", "a.b.[c].[/]", "-", "Main$$Lambda$14/0x08"],
}


class Kind(NamedTuple):
    """A type with its argument, as it stands in a template."""

    name: str
    argument: str
    text: Callable[[st.DrawFn, str, Options], Typed]

    @property
    def notation(self) -> str:
        return f"{self.name}({self.argument})" if self.argument else self.name


KINDS = [
    Kind("string", "", string_text),
    Kind("quoted", "", quoted_text),
    Kind("int", "", integer_text(32)),
    Kind("long", "", integer_text(64)),
    Kind("double", "", double_text),
    *(Kind("decimal", argument, decimal_text) for argument in ["5,2", "38,0", "38,18", "3,3"]),
    Kind("boolean", "", boolean_text),
    Kind("date", "", date_text),
    Kind("timestamp", "", timestamp_text),
    *(Kind("timestamp", pattern, timestamp_text) for pattern in PATTERNS),
    *(Kind("epoch", unit, epoch_text) for unit in ["s", "ms", "us", "ns"]),
    Kind("uuid", "", uuid_text),
    Kind("json", "", json_text),
    *(Kind("list", separator, list_text) for separator in [",", ";", "|", "<>"]),
    Kind("map", "", map_text),
    *(Kind(name, "", one_of(*texts)) for name, texts in VALIDATED.items()),
    # No text contains one of the literals that follow fields: such a template is refused.
    Kind("enum", "stdout|stderr|a.b", one_of("stdout", "stderr", "a.b")),
]
by_name = {kind.name: [k for k in KINDS if k.name == kind.name] for kind in KINDS}
kinds = st.sampled_from(["string", "string", *by_name]).flatmap(lambda name: st.sampled_from(by_name[name]))

# -------------------------------------------------------------------------------------------------- templates


@dataclass(frozen=True)
class Part:
    """One segment: literal `text`, a run of `blanks`, a field of a `kind`, or a group of `parts`."""

    text: str = ""
    blanks: bool = False
    name: str = ""
    kind: Kind | None = None
    nullable: bool = False
    parts: list[Part] = field(default_factory=list)
    last: bool = False

    @property
    def notation(self) -> str:
        if self.parts:
            return "{?" + "".join(part.notation for part in self.parts) + "?}"
        if self.blanks:
            return "{~}"
        if self.kind is None:
            return self.text.replace("{", "{{").replace("}", "}}")
        if not self.name:
            return "{>}" if self.last else "{}"
        plain = self.kind.notation == "string" and not self.nullable
        return (
            "{" + self.name + ("" if plain else f":{self.kind.notation}") + ">" * self.last + "?" * self.nullable + "}"
        )

    @property
    def self_delimiting(self) -> bool:
        return self.kind is not None and self.kind.name in SELF_DELIMITING


@st.composite
def templates(draw: st.DrawFn, opts: Options, *, depth: int = 2, first: int = -1) -> list[Part]:
    """The segments of a template; names are f0, f1, ... in order. With `first`, those of a group, named from there."""
    literals = st.sampled_from(LITERALS if opts.escape == "backslash" else [*LITERALS, "\\"])
    separators = literals.map(Part) | literals.map(Part) | st.just(Part(blanks=True))
    parts: list[Part] = []
    inside, number = first >= 0, max(first, 0)

    def groups(one_in: int) -> None:
        nonlocal number
        while depth and draw(st.integers(1, one_in)) == one_in:
            parts.append(Part(parts=draw(templates(opts, depth=depth - 1, first=number))))
            number += sum(part.kind is not None for part in all_parts(parts[-1:]))

    if inside or draw(st.integers(0, 2)) == 0:
        parts.append(draw(separators))
    if not inside:
        groups(8)
        if unseparated(parts):
            parts.append(draw(separators))
    last = draw(st.integers(0, 3 if depth == 2 else 1))
    for index in range(last + 1):
        skipped = draw(st.integers(0, 9)) == 9
        kind = KINDS[0] if skipped else draw(kinds)
        name = "" if skipped else f"f{number}"
        parts.append(Part(name=name, kind=kind, nullable=not skipped and draw(st.booleans())))
        number += 1
        if index < last:
            groups(5)
            if unseparated(parts) or draw(st.integers(0, 4)) < 4:
                parts.append(draw(separators))
                groups(12)
                if unseparated(parts):
                    parts.append(draw(separators))
    if draw(st.integers(0, 3)) == 3:
        parts.append(draw(separators))
    groups(3)
    if inside:
        return parts
    assume(lists_are_readable(parts))
    return bounded_from_the_right(draw, parts)


def lists_are_readable(parts: list[Part]) -> bool:
    """True if no separator of a list contains literal text of the template, which would end the list after its first element."""
    literals = [part.text for part in all_parts(parts) if part.text]
    lists = [part.kind.argument for part in all_parts(parts) if part.kind is not None and part.kind.name == "list"]
    return not any(text in separator for text in literals for separator in lists)


def bounded_from_the_right(draw: st.DrawFn, parts: list[Part]) -> list[Part]:
    """Returns the segments; some fields now end at the last occurrence of the literal after them."""
    for index in reversed(range(len(parts))):
        if can_end_last(parts[index:]) and draw(st.booleans()):
            parts = [*parts[:index], replace(parts[index], last=True), *parts[index + 1 :]]
    return parts


def can_end_last(parts: list[Part]) -> bool:
    """True if the first segment is a field whose end, at the last occurrence of the next literal, no optional segment affects."""
    field, *later = parts
    if field.kind is None or field.self_delimiting or not later or not later[0].text:
        return False
    if len(later) <= 2:
        return len(later) == 1 or later[1].kind is not None
    return later[1].kind is not None and bool(later[2].text) and (not later[1].last or can_end_last(later[1:]))


def unseparated(parts: list[Part]) -> bool:
    """True if the segments end with a field that needs a delimiter, so that no field may follow directly."""
    for part in reversed(parts):
        if part.parts and unseparated(part.parts):
            return True
        if not part.parts:
            return part.kind is not None and not part.self_delimiting
    return False


@st.composite
def delimited(draw: st.DrawFn, opts: Options) -> list[Part]:
    """Segments of a template whose fields are separated by one character, with rare exceptions."""
    separator = Part(draw(st.sampled_from([" ", "|", "|", "\t", ",", ";", "x", "-", "0"])))
    fields = []
    for number in range(draw(st.integers(3, 6))):
        skipped = draw(st.integers(0, 9)) == 9
        kind = KINDS[0] if skipped else draw(kinds.filter(lambda kind: kind.name != "quoted"))
        fields.append(
            Part(name="" if skipped else f"f{number}", kind=kind, nullable=not skipped and draw(st.booleans()))
        )
    assume(any(part.name for part in fields))
    between = [draw(st.sampled_from([separator] * 15 + [Part(blanks=True), Part(" | ")])) for _ in fields]
    parts = [part for one, before in zip(fields, between, strict=True) for part in (before, one)][1:]
    assume(lists_are_readable(parts))
    return bounded_from_the_right(draw, parts) if draw(st.integers(0, 3)) == 0 else parts


def notation(parts: list[Part]) -> str:
    return "".join(part.notation for part in parts)


def all_parts(parts: list[Part]) -> list[Part]:
    return [one for part in parts for one in (all_parts(part.parts) if part.parts else [part])]


# ------------------------------------------------------------------------------------------------------ lines


@dataclass(frozen=True)
class Line:
    """A line made of values; `sure` if it certainly reads back as these values."""

    text: str
    values: dict[str, object]
    sure: bool


@st.composite
def good_lines(draw: st.DrawFn, parts: list[Part], opts: Options) -> Line:
    """Lines of random values, as a writer makes them that does not check for ambiguity."""
    values: dict[str, object] = {part.name: None for part in all_parts(parts) if part.name}
    present = []  # the segments that this line has, and the groups that it lacks, each with what may follow
    while parts:
        part, parts = parts[0], parts[1:]
        if part.parts and draw(st.integers(0, 2)) > 0:
            parts = [*part.parts, *parts]
        else:
            present.append((part, parts))

    pieces: list[tuple[Part, list[Part], str]] = []
    for part, following in present:
        if part.kind is None:
            blanks = draw(st.sampled_from([" ", "\t", "  \t "])) if part.blanks else ""
            pieces.append((part, following, blanks or part.text))
            continue
        text, value = part.kind.text(draw, part.kind.argument, opts)
        if part.kind.name == "string" and opts.escape == "none" and not part.last:  # leave out what would end it
            ends = "".join(" \t" if stop.blanks else stop.text for stop in stops(following))
            text = value = "".join(c for c in text if c not in ends)
        quoted = part.kind.name == "quoted"
        if part.nullable and draw(st.integers(0, 2)) == 0:
            text, value = draw(st.sampled_from(["", opts.null_value])), None
            if quoted and draw(st.booleans()):
                text = f'"{text}"'
        if part.nullable and (text[1:-1] if quoted and len(text) > 1 else text) in ("", opts.null_value):
            value = None
        pieces.append((part, following, text))
        if part.name:
            values[part.name] = value
    line = "".join(text for _, _, text in pieces)
    at, sure = 0, True
    for part, following, text in pieces:
        at += len(text)
        sure = sure and ends_for_sure(part, following, text, line[at:], opts)
    return Line(line, values, sure)


def stops(following: list[Part]) -> list[Part]:
    """Returns the first segment of each leading group, and the literal or blanks after these groups."""
    found = []
    for part in following:
        if part.kind is not None:
            break
        found.append(part.parts[0] if part.parts else part)
        if not part.parts:
            break
    return found


def begins(part: Part, text: str) -> bool:
    return text.startswith((" ", "\t") if part.blanks else part.text)


def ends_for_sure(part: Part, following: list[Part], text: str, rest: str, opts: Options) -> bool:
    """True if `text`, followed by `rest` in a line, can only be read as ending there."""
    if part.parts:
        return not begins(part.parts[0], rest)  # it is not there
    if part.blanks:
        return not rest.startswith((" ", "\t"))
    if part.kind is None:
        return True
    if part.last:
        return False
    if part.self_delimiting and not text and (rest[:1].isalnum() or rest.startswith('"')):
        return False  # an empty null, and what comes may be of its syntax
    if part.self_delimiting and text not in ("", opts.null_value):
        definite = text.endswith("Z") or part.kind.name != "timestamp"
        return definite or not rest or rest[0] not in "0123456789.,:Z+-"
    if next((one.kind for one in following if not one.parts), None) is not None:
        return False  # a field comes next
    if any(
        {*" \t"} & {*text} if stop.blanks else (text + rest).find(stop.text) in range(len(text))
        for stop in stops(following)
    ):
        return False
    last = not rest and all(one.parts for one in following)
    ends = part.self_delimiting or part.kind.name in REST or not {*" \t"} & {*text}
    return not last or not opts.allow_trailing or ends


@st.composite
def broken(draw: st.DrawFn, line: bytes, literals: list[bytes]) -> bytes:
    """Damaged lines: truncated, or with bytes removed, inserted, replaced or repeated."""
    a, b = sorted([draw(st.integers(0, len(line))), draw(st.integers(0, len(line)))])
    happened = draw(st.sampled_from(["cut", "delete", "insert", "replace", "repeat", "unliteral", "append", "bytes"]))
    if happened == "cut":
        return line[:a]
    if happened == "delete":
        return line[:a] + line[b:]
    if happened == "insert":
        return line[:a] + draw(st.sampled_from([*literals, b" ", b'"', b"\\", b"-", b"0", b"\t", b"\r"])) + line[a:]
    if happened == "replace":
        return line[:a] + draw(st.binary(min_size=1, max_size=1)) + line[a + 1 :]
    if happened == "repeat":
        return line[:b] + line[a:]
    if happened == "unliteral" and literals:
        return line.replace(draw(st.sampled_from(literals)), b"", 1)
    if happened == "append":
        return line + draw(st.sampled_from([b" ", b" more", b"more", b"\tmore", b' "more"']))
    return line[:a] + draw(st.sampled_from([b"\xff", b"\xc3", b"\xe2\x86", b"\xed\xa0\x80", b"\x00"])) + line[a:]


class Case(NamedTuple):
    """A template, lines without their ends (none of them blank or padded with NUL), a file of these lines, and options."""

    template: str
    lines: list[bytes]
    data: bytes
    options: dict[str, Any]


@st.composite
def cases(
    draw: st.DrawFn, *, max_lines: int = 6, shape: Callable[[Options], st.SearchStrategy[list[Part]]] = templates
) -> Case:
    """Lines of all sorts for one template; about a third of them are broken. Columns are left to the caller."""
    opts = draw(options)
    parts = draw(shape(opts))
    literals = [part.text.encode() for part in all_parts(parts) if part.text]
    lines = []
    for _ in range(draw(st.integers(0, max_lines))):
        line = draw(good_lines(parts, opts)).text.encode()
        for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 2]))):
            line = draw(broken(line, literals))
        line = line.replace(b"\n", b"?").rstrip(b"\r\0")
        if line.strip(b" \t\0") and not line.startswith((BOM, b"\0")):
            lines.append(line)
    return Case(notation(parts), lines, draw(files(lines)), opts._asdict())


@st.composite
def files(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    r"""A file of these lines: `\n` and `\r\n` mixed, blank lines between, perhaps a byte order mark, perhaps cut."""
    ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r\n", b"\n\n", b"\r\n\n"])
    data = draw(st.sampled_from([b"", b"", b"", BOM, b"\n"])) + b"".join(line + draw(ends) for line in lines)
    return data.rstrip(b"\r\n") if draw(st.booleans()) else data


class Rendered(NamedTuple):
    """A template, one line, the values it was made of, and options."""

    template: str
    line: bytes
    values: dict[str, object]
    options: dict[str, Any]


@st.composite
def rendered(draw: st.DrawFn) -> Rendered:
    """A line that reads back as its values."""
    opts = draw(options)
    parts = draw(templates(opts))
    line = draw(good_lines(parts, opts))
    assume(line.sure)
    return Rendered(notation(parts), line.text.encode(), line.values, opts._asdict())
