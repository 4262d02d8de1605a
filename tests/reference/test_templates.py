"""Examples of the template notation: each case is a template, a line, its row, and the rule that it shows.

`CORRUPT` is the result for a line of another structure: all fields are null. `bad(...)` is a row in which the fields that
are not of their type are null, and the other fields have their values.
"""

from __future__ import annotations

import math
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given

from tests.reference.templates import (
    ARGUMENTS,
    PLAIN,
    Blanks,
    Field,
    Group,
    Literal,
    Row,
    Type,
    parse_template,
    reference_lines,
    reference_parse,
    same,
)
from tests.support import strategies


class bad(dict[str, object]):  # noqa: N801 - reads as a word in the tables
    """Returns the values of a corrupt row whose structure matches."""


CORRUPT = None


class Case(NamedTuple):
    template: str
    line: str | bytes
    values: dict[str, object] | None
    rule: str
    options: dict[str, Any] = {}  # noqa: RUF012 - never changed


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[misc,arg-type]


BOUND = at(2026, 11, 22, 12)
BACKSLASH = {"escape": "backslash"}
TRAILING = {"allow_trailing": True}
UUID = "123e4567-E89B-12d3-a456-426614174000"

LITERALS = [
    Case("{level} {message}", "INFO all is well", {"level": "INFO", "message": "all is well"}, "literals stand between fields; the last string takes the rest"),
    Case("[{a}] {b}", "[x] y", {"a": "x", "b": "y"}, "a literal may begin the line"),
    Case("[{a}] {b}", "(x] y", CORRUPT, "a literal that is not found makes the row corrupt, all fields null"),
    Case("{a} {b}", "alone", CORRUPT, "the literal after a field must be there"),
    Case("{{{a}}}", "{x}", {"a": "x"}, "{{ and }} are literal braces"),
    Case("{a} → {b}", "é → ü", {"a": "é", "b": "ü"}, "literals and values are any Unicode text"),
    Case("{a}, {b}", "x,y, z", {"a": "x,y", "b": "z"}, "a literal is looked for as a whole"),
    Case("{a}-{b}", "x-y-z", {"a": "x", "b": "y-z"}, "a field ends at the first occurrence of the literal that follows it"),
    Case("{a} end", "x y end", {"a": "x y"}, "the first occurrence of ' end', not of its first character"),
    Case("{a}:{b};", "x:;", {"a": "x", "b": ""}, "a text may be empty"),
    Case("{a};", "x;y;", CORRUPT, "there is no backtracking: the first ; ends the field, and text is left"),
    Case("{a} {} {b}", "x skipped y", {"a": "x", "b": "y"}, "{} skips a text"),
    Case("{a} {}", "x all the rest", {"a": "x"}, "{} at the end takes the rest"),
    Case("{a}{~}{b}", "x \t  y", {"a": "x", "b": "y"}, "{~} is a run of spaces and tabs, as many as there are"),
    Case("{a}{~}{b}", "xy", CORRUPT, "{~} is one or more"),
    Case("{a}{~}{b}", "x\xa0y", CORRUPT, "{~} is spaces and tabs, no other white space"),
    Case("{a}:{~}{b}", "x:  y", {"a": "x", "b": "y"}, "a literal and {~} beside it are two segments"),
    Case("{a}:{~}{b}", "x:y: z", CORRUPT, "... and the field ends at the first of them, whatever comes after"),
    Case("{~}{a}", "  x", {"a": "x"}, "{~} may begin the line"),
    Case("{a}?", "x?", {"a": "x"}, "? outside braces is a literal"),
    Case("end", "end", {}, "a template may have no field"),
]  # fmt: skip

LAST = [
    Case("{a}]", "x]", {"a": "x"}, "a literal may end the line"),
    Case("{a}]", "x] more", CORRUPT, "text after the last field makes the row corrupt"),
    Case("{a}]", "x] more", {"a": "x"}, "... unless allowTrailing", TRAILING),
    Case("{n:int}", "7 more", bad(n=None), "the last field of another type is the rest of the line, and that is judged"),
    Case("{n:int}", "7 more", {"n": 7}, "allowTrailing: it ends at the first space or tab", TRAILING),
    Case("{n:int}", "7\tmore", {"n": 7}, "... or tab", TRAILING),
    Case("{s}", "7 more", {"s": "7 more"}, "the last string takes the rest of the line, allowTrailing or not", TRAILING),
    Case("{m:map}", "a=1 b=2", {"m": {"a": "1", "b": "2"}}, "the last map takes the rest", TRAILING),
    Case("{j:json}", '{"a": [1, 2]}', {"j": '{"a": [1, 2]}'}, "the last json takes the rest", TRAILING),
    Case("{q:quoted}", '"a b" more', CORRUPT, "a last field that delimits itself must reach the end of the line"),
    Case("{q:quoted}", '"a b" more', {"q": "a b"}, "... unless allowTrailing: the rest is ignored", TRAILING),
    Case("{q:quoted?}", "- more", bad(q=None), "... but what is not its own syntax is the whole rest", TRAILING),
    Case("{q:quoted}", 'a "b"', bad(q=None), "where its own syntax does not match, the whole rest is its text"),
    Case("{t:date}", "2026-11-22T00", CORRUPT, "a last date must reach the end of the line too"),
]  # fmt: skip

NULLS = [
    Case("{a:string?} {b}", "- x", {"a": None, "b": "x"}, "?: the null token is null"),
    Case("{a:string?} {b}", " x", {"a": None, "b": "x"}, "?: empty text is null"),
    Case("{a} {b}", "- ", {"a": "-", "b": ""}, "without ? a - is the text -, and empty text is an empty string"),
    Case("{n:int?},{b}", "-,x", {"n": None, "b": "x"}, "? goes with every type"),
    Case("{n:int},{b}", "-,x", bad(n=None, b="x"), "without ? a - is no int"),
    Case("{n:int},{b}", ",x", bad(n=None, b="x"), "without ? nothing is no int"),
    Case("{q:quoted?}", '"-"', {"q": None}, "the null token counts inside quotes too"),
    Case("{q:quoted?}", '""', {"q": None}, "... and empty text inside quotes"),
    Case("{q:quoted?} {b}", "- x", {"q": None, "b": "x"}, "a bare null token where quotes are expected"),
    Case("{q:quoted?} {b}", " x", {"q": None, "b": "x"}, "nothing where quotes are expected"),
    Case("{q:quoted} {b}", '"-" x', {"q": "-", "b": "x"}, "without ? the quoted - is the text -"),
    Case("{q:quoted} {b}", "- x", bad(q=None, b="x"), "without ? a bare - is not quoted"),
    Case("{t:timestamp?} {b}", "- x", {"t": None, "b": "x"}, "a bare null token where a timestamp is expected"),
    Case("{a:string?}", "NULL", {"a": None}, "nullValue names another token", {"null_value": "NULL"}),
    Case("{a:string?}", "-", {"a": "-"}, "... and - is then a text", {"null_value": "NULL"}),
    Case("{a:string?}", r"\x2d", {"a": "-"}, "the token is compared before escapes are undone", BACKSLASH),
    Case("{l:list(,)?} {b}", "- x", {"l": None, "b": "x"}, "a list may be null"),
    Case("{m:map?}", "", {"m": None}, "an empty map with ? is null"),
]  # fmt: skip

TYPES = [
    Case("{n:int}", "+2147483647", {"n": 2147483647}, "int: 32 bits, with a sign"),
    Case("{n:int}", "2147483648", bad(n=None), "int: beyond 32 bits is not of its type"),
    Case("{n:int}", "-007", {"n": -7}, "int: leading zeros are digits"),
    Case("{n:int}", "1_000", bad(n=None), "int: digits only"),
    Case("{n:int}", "١٢", bad(n=None), "int: ASCII digits only"),
    Case("{n:int}", " 1", bad(n=None), "int: no blanks"),
    Case("{n:long}", "-9223372036854775808", {"n": -(2**63)}, "long: 64 bits"),
    Case("{n:long}", "9223372036854775808", bad(n=None), "long: beyond 64 bits is not of its type"),
    Case("{n:double}", "-1.5e3", {"n": -1500.0}, "double: sign, fraction, exponent"),
    Case("{n:double} {m:double}", ".5 5.", {"n": 0.5, "m": 5.0}, "double: digits on one side of the point suffice"),
    Case("{n:double}", ".", bad(n=None), "double: a point alone is none"),
    Case("{n:double}", "-Infinity", {"n": -math.inf}, "double: inf and infinity in any case"),
    Case("{n:double}", "NaN", {"n": math.nan}, "double: nan in any case"),
    Case("{n:double}", "1e999", {"n": math.inf}, "double: overflow is infinite"),
    Case("{n:double}", "0x10", bad(n=None), "double: decimal notation only"),
    Case("{n:decimal(5,2)}", "-123.45", {"n": Decimal("-123.45")}, "decimal: as written"),
    Case("{n:decimal(5,2)}", "1.5", {"n": Decimal("1.50")}, "decimal: fewer digits fit"),
    Case("{n:decimal(5,2)}", "1.230", {"n": Decimal("1.23")}, "decimal: zeros beyond the scale are fine"),
    Case("{n:decimal(5,2)}", "1.234", bad(n=None), "decimal: nothing is rounded"),
    Case("{n:decimal(5,2)}", "1234.5", bad(n=None), "decimal: too many digits are not of its type"),
    Case("{n:decimal(5,2)}", "12e1", {"n": Decimal("120.00")}, "decimal: an exponent is allowed"),
    Case("{n:decimal(5,2)}", "nan", bad(n=None), "decimal: nan is none"),
    Case("{a:boolean} {b:boolean}", "TRUE 0", {"a": True, "b": False}, "boolean: true and false in any case, 1 and 0"),
    Case("{a:boolean}", "yes", bad(a=None), "boolean: nothing else"),
    Case("{d:date} {b}", "2026-02-28 x", {"d": date(2026, 2, 28), "b": "x"}, "date: YYYY-MM-DD"),
    Case("{d:date} {b}", "2026-02-30 x", bad(d=None, b="x"), "date: an impossible day is not of its type"),
    Case("{d:date} {b}", "2026-2-3 x", bad(d=None, b="x"), "date: two digits each"),
    Case("{u:uuid}", UUID, {"u": UUID}, "uuid: kept as it is written"),
    Case("{u:uuid}", UUID.replace("-", ""), bad(u=None), "uuid: 8-4-4-4-12"),
    Case("{j:json} {b}", '{"a":1} x', {"j": '{"a":1}', "b": "x"}, "json: ends at the literal like any field"),
    Case("{j:json}", "[NaN]", bad(j=None), "json: strict"),
    Case("{j:json}", '{"a": 1', bad(j=None), "json: checked"),
    Case("{j:json}", " 12 ", {"j": " 12 "}, "json: any JSON text, kept as it is written"),
    Case("{l:list(;)} {b}", "a;;b x", {"l": ["a", "", "b"], "b": "x"}, "list: split at its separator"),
    Case("{l:list(,)} {b}", " x", {"l": [], "b": "x"}, "list: empty text is the empty list"),
    Case("{l:list(, )}|", "a, b|", {"l": ["a", "b"]}, "list: the separator is any text"),
    Case("{e:epoch(s)}", "1.5", {"e": at(1970, 1, 1, 0, 0, 1, 500_000)}, "epoch(s), a fraction is allowed"),
    Case("{e:epoch(ms)}", "1700000000123", {"e": at(2023, 11, 14, 22, 13, 20, 123_000)}, "epoch(ms)"),
    Case("{e:epoch(us)}", "1.9", {"e": at(1970, 1, 1, 0, 0, 0, 1)}, "epoch(us): cut to microseconds"),
    Case("{e:epoch(ns)}", "-1999", {"e": at(1969, 12, 31, 23, 59, 59, 999_999)}, "epoch(ns): cut toward zero"),
    Case("{e:epoch(s)}", "99999999999999", bad(e=None), "epoch: beyond the year 9999 is not of its type"),
    Case("{e:epoch(s)}", "+1", bad(e=None), "epoch: no plus sign"),
    Case("{m:map}", 'a=1 b="x y"  c=', {"m": {"a": "1", "b": "x y", "c": ""}}, "map: k=v, quoted or not, maybe empty"),
    Case("{m:map}", "a=b=c", {"m": {"a": "b=c"}}, "map: an unquoted value may hold ="),
    Case("{m:map}", "a=1 a=2", {"m": {"a": "2"}}, "map: of equal keys the last one counts"),
    Case("{m:map}", "  ", {"m": {}}, "map: blank text is the empty map"),
    Case("{m:map}", " a=1 ", {"m": {"a": "1"}}, "map: spaces around the pairs mean nothing"),
    Case("{m:map}", r'a="\"\n"', {"m": {"a": '"\n'}}, "map: escapes are undone in quoted values"),
    Case("{m:map}", r"a=\n", {"m": {"a": r"\n"}}, "map: ... and not in others"),
    Case("{m:map}", 'a="x"y', bad(m=None), "map: a quoted value ends at a space or the end"),
    Case("{m:map}", 'a="x"b="y"', bad(m=None), "map: pairs are separated by spaces"),
    Case("{m:map}", 'a="x', bad(m=None), "map: an open quote is not of its type"),
    Case("{m:map}", "a=1 b", bad(m=None), "map: every pair has a ="),
    Case("{m:map}", "=1", bad(m=None), "map: a key is not empty"),
    Case("{m:map}, {b}", "a=1 b=2, x", {"m": {"a": "1", "b": "2"}, "b": "x"}, "map: ends at the literal like any field"),
]  # fmt: skip

OWN_SYNTAX = [
    Case("{q:quoted} {b}", '"a b" x', {"q": "a b", "b": "x"}, "quoted reaches as far as its quotes do"),
    Case("{q:quoted} {b}", r'"a\" b" x', {"q": 'a" b', "b": "x"}, "an escaped quote does not end it"),
    Case("{q:quoted} {b}", r'"a\\" x', {"q": "a\\", "b": "x"}, "an escaped backslash does not escape the quote"),
    Case("{q:quoted} {b}", '"a b x', bad(q=None, b="b x"), "open quotes: ends at the literal like any field, not of its type"),
    Case("{q:quoted} {b}", '"a"b c" x', bad(q=None, b='c" x'), "quotes that the literal does not follow: the same"),
    Case("{q:quoted}{b}", '"a"b', {"q": "a", "b": "b"}, "a field that delimits itself needs no literal after it"),
    Case("{q:quoted}{b}", "ab", CORRUPT, "... but then its own syntax must match"),
    Case("{t:timestamp}{b}", "2026-11-22 10:00:00Zx", {"t": at(2026, 11, 22, 10), "b": "x"}, "a timestamp too"),
    Case("{q:quoted}{~}{b}", '"a b"  x', {"q": "a b", "b": "x"}, "{~} may be what follows"),
    Case("{t:timestamp} {b}", "2026-11-22 10:00:00 x", {"t": at(2026, 11, 22, 10), "b": "x"}, "a timestamp holds its own space"),
    Case("{t:timestamp} {b}", "2026-11-22T10:00 x", {"t": at(2026, 11, 22, 10), "b": "x"}, "T or a space; seconds may lack"),
    Case("{t:timestamp} {b}", "2026-11-22 10 x", bad(t=None, b="10 x"), "no timestamp: the text ends at the first literal"),
    Case("{t:timestamp},{b}", "2026-11-22 10:00:00,5,x", {"t": at(2026, 11, 22, 10, 0, 0, 500_000), "b": "x"}, "the longest ISO text is taken"),
    Case("{t:timestamp}Z", "2026-11-22T10:00:00Z", bad(t=None), "... so a literal that could be part of it is eaten"),
    Case("{t:timestamp}", "2026-11-22T10:00:00.1234567", {"t": at(2026, 11, 22, 10, 0, 0, 123_456)}, "a fraction is cut to microseconds"),
    Case("{t:timestamp}", "2026-11-22T10:00:00.1234567891", CORRUPT, "a fraction has at most 9 digits"),
    Case("{t:timestamp}", "2026-11-22T10:00:00+0530", {"t": at(2026, 11, 22, 4, 30)}, "±HHMM"),
    Case("{t:timestamp}", "2026-11-22T10:00:00-05:30", {"t": at(2026, 11, 22, 15, 30)}, "±HH:MM"),
    Case("{t:timestamp} {b}", "2026-02-30T10:00:00 x", bad(t=None, b="x"), "an impossible day: not of its type, the extent stands"),
    Case("{t:timestamp} {b}", "2026-02-28 10:00:60 x", bad(t=None, b="x"), "second 60 is not of its type"),
    Case("{t:timestamp} {b}", "2026-02-28 10:00:00+01:60 x", bad(t=None, b="x"), "an offset has at most 59 minutes"),
    Case("{t:timestamp} {b}", "2026-02-28 10:00:00+24:00 x", bad(t=None, b="x"), "... and at most 23 hours"),
    Case("{t:timestamp}", "2026-07-01T10:00:00", {"t": at(2026, 7, 1, 8)}, "zoneless: the wall clock of timeZone", {"zone": "Europe/Berlin"}),
    Case("{t:timestamp}", "2026-10-25T02:30:00", {"t": at(2026, 10, 25, 0, 30)}, "an hour that comes twice: the first", {"zone": "Europe/Berlin"}),
    Case("{t:timestamp}", "2026-03-29T02:30:00", {"t": at(2026, 3, 29, 1, 30)}, "an hour that lacks: with the offset before", {"zone": "Europe/Berlin"}),
    Case("{t:timestamp}", "2026-07-01T10:00:00Z", {"t": at(2026, 7, 1, 10)}, "a zone in the text goes before timeZone", {"zone": "Europe/Berlin"}),
    Case("{t:timestamp}", "0001-01-01T00:00:00+01:00", bad(t=None), "instants lie in the years 1 to 9999"),
]  # fmt: skip

PATTERNS = [
    Case("[{t:timestamp(%d/%b/%Y:%H:%M:%S %z)}] {b}", "[22/Nov/2026:10:00:00 +0100] x", {"t": at(2026, 11, 22, 9), "b": "x"}, "a pattern reaches over its own blanks"),
    Case("{t:timestamp(%Y-%m-%d)} {b}", "2026-1-2 x", {"t": at(2026, 1, 2), "b": "x"}, "one digit or two"),
    Case("{t:timestamp(%Y%m%d)}", "20260102", {"t": at(2026, 1, 2)}, "two preferred"),
    Case("{t:timestamp(%d %B %y)}", "1 MARCH 69", {"t": at(1969, 3, 1)}, "names in any case; %y from 69 on is 19xx"),
    Case("{t:timestamp(%a, %d %b %Y)}", "Mon, 22 Nov 2026", {"t": at(2026, 11, 22)}, "the day of the week is read and not compared"),
    Case("{t:timestamp(%Y %j)}", "2024 366", {"t": at(2024, 12, 31)}, "%j is the day of the year"),
    Case("{t:timestamp(%Y %j)}", "2026 366", bad(t=None), "... of a year that has it"),
    Case("{t:timestamp(%Y-%m-%d %I:%M %p)}", "2026-11-22 12:05 am", {"t": at(2026, 11, 22, 0, 5)}, "%I and %p"),
    Case("{t:timestamp(%Y-%m-%d %H:%M:%S.%f)}", "2026-11-22 10:00:00.1234567", {"t": at(2026, 11, 22, 10, 0, 0, 123_456)}, "%f has 1 to 9 digits, cut"),
    Case("{t:timestamp(%Y%m%d-%H:%M:%S:%L)}|{m}", "20261122-0:9:5:74|x", {"t": at(2026, 11, 22, 0, 9, 5, 74_000), "m": "x"}, "%L is a number of milliseconds"),
    Case("{t:timestamp(%Y-%m-%d %H:%M:%S.%L)}", "2026-11-22 10:00:00.0074", CORRUPT, "... of 1 to 3 digits"),
    Case("{t:timestamp(%Y-%m-%d %H:%M %Z)}", "2026-11-22 10:00 GMT", {"t": at(2026, 11, 22, 10)}, "%Z is a zone, not the wall clock", {"zone": "Asia/Tokyo"}),
    Case("{t:timestamp(%Y-%m-%d %H:%M %Z)} {m}", "2026-07-22 10:00 CEST x", {"t": at(2026, 7, 22, 8), "m": "x"}, "... with its summer time"),
    Case("{t:timestamp(%Y-%m-%d %H:%M %Z)}", "2026-07-22 10:00 CST", bad(t=None), "... unless there are several of the name"),
    Case("{t:timestamp(%Y-%m-%d %H:%M %Z)}", "2026-07-22 10:00 CST", {"t": at(2026, 7, 22, 2)}, "... and none in timeZone", {"zone": "Asia/Shanghai"}),
    Case("{t:timestamp(%Y-%m-%d %H:%M %Z)}", "2026-10-25 02:30 CET", {"t": at(2026, 10, 25, 1, 30)}, "... which tells the hour that occurs twice", {"zone": "Europe/Berlin"}),
    Case("{t:timestamp(%Y-%m-%d %H:%M %Z)}", "2026-07-22 10:00 +0530", {"t": at(2026, 7, 22, 4, 30)}, "... or is a number"),
    Case("{t:timestamp(%Y-%m-%d %H:%M%z)}", "2026-11-22 10:00Z", {"t": at(2026, 11, 22, 10)}, "%z may be Z"),
    Case("{t:timestamp(%Y-%m-%d %H:%M)}", "2026-11-22 10:00", {"t": at(2026, 11, 22, 1)}, "zoneless: the wall clock of timeZone", {"zone": "Asia/Tokyo"}),
    Case("{t:timestamp(%Y %%)}", "2026 %", {"t": at(2026, 1, 1)}, "%% is a percent sign"),
    Case("{t:timestamp(%Y-%m-%dT%H)}", "2026-11-22t10", bad(t=None), "the pattern's own letters are exact"),
    Case("{t:timestamp(%b %d %H:%M:%S)} {b}", "Nov  5 10:00:00 x", {"t": at(2026, 11, 5, 10), "b": "x"}, "a blank in a pattern is one or more", {"year_bound": BOUND}),
    Case("{t:timestamp(%d %b %Y)}", "22  NOV\t 2026", {"t": at(2026, 11, 22)}, "... spaces or tabs"),
    Case("{t:timestamp(%b%e)}", "Nov 5", {"t": at(2026, 11, 5)}, "%e and %d may begin with a space", {"year_bound": BOUND}),
    Case("{t:timestamp(%b %d %H:%M)}", "Nov 22 12:00", {"t": BOUND}, "without a year: the latest that is no later than the bound", {"year_bound": BOUND}),
    Case("{t:timestamp(%b %d %H:%M)}", "Nov 22 12:01", {"t": at(2025, 11, 22, 12, 1)}, "... so what is after it was last year", {"year_bound": BOUND}),
    Case("{t:timestamp(%b %d)}", "Feb 29", {"t": at(2024, 2, 29)}, "... in which there is such a day", {"year_bound": BOUND}),
    Case("{t:timestamp(%b %d)}", "Feb 30", bad(t=None), "... and there may be none", {"year_bound": BOUND}),
    Case("{t:timestamp(%b %d %H:%M)}", "Jan 1 00:30", {"t": at(2026, 12, 31, 23, 30)}, "the instant counts, not the wall clock", {"year_bound": at(2026, 12, 31, 23, 45), "zone": "Europe/Berlin"}),
    Case("{t:timestamp(%d %b)} {b}", "22 Foo x", bad(t=None, b="Foo x"), "no match: the text ends at the first literal", {"year_bound": BOUND}),
]  # fmt: skip

ESCAPES = [
    Case("{q:quoted}", r'"\\\"\n\r\t\x41"', {"q": '\\"\n\r\tA'}, r"quoted: \\ \" \n \r \t \xHH"),
    Case("{q:quoted}", r'"\q\x4"', {"q": r"\q\x4"}, "an unknown escape stays as it is"),
    Case("{q:quoted}", r'"\xc3\xa9"', {"q": "é"}, r"the bytes of \xHH are read as UTF-8"),
    Case("{q:quoted}", r'"\xff"', {"q": "\ufffd"}, "... and U+FFFD where they are none"),
    Case("{a} {b}", r"a\nb c\x20d", {"a": r"a\nb", "b": r"c\x20d"}, "strings have no escapes"),
    Case("{a} {b}", r"a\nb c\x20d", {"a": "a\nb", "b": "c d"}, "... unless escape=backslash", BACKSLASH),
    Case("{a}", "a\\", {"a": "a\\"}, "a backslash at the end stays", BACKSLASH),
    Case("{a} {b}", r"a\ b", {"a": "a\\", "b": "b"}, "a literal cannot be escaped: the first one ends the field", BACKSLASH),
    Case("{l:list(,)}", r"a\n", {"l": [r"a\n"]}, "only strings are unescaped", BACKSLASH),
]  # fmt: skip

GROUPS = [
    Case("{a}{? b={b}?}", "x b=y", {"a": "x", "b": "y"}, "a group that is there"),
    Case("{a}{? b={b}?}", "x", {"a": "x", "b": None}, "a group that is absent: its fields are null, which is no corruption"),
    Case("{a}{? b={b}?}", "x y", {"a": "x y", "b": None}, "a field before a group ends at its first literal if that is present, else with the line"),
    Case("[{a}]{? b={b}?}", "[x] b=y", {"a": "x", "b": "y"}, "after a literal the group stands right there"),
    Case("[{a}]{? b={b}?}", "[x]", {"a": "x", "b": None}, "... or the line ends"),
    Case("[{a}]{? b={b}?}", "[x]; b=y", CORRUPT, "... or there is text after the last field"),
    Case("[{a}]{? b={b}?}", "[x]; b=y", {"a": "x", "b": None}, "... which allowTrailing ignores", TRAILING),
    Case("{q:quoted}{? {b}?}", '"x y" z', {"q": "x y", "b": "z"}, "after a field that delimits itself, right there too"),
    Case("{q:quoted}{? {b}?}", '"x y"', {"q": "x y", "b": None}, "... or the line ends"),
    Case("{q:quoted}{? {b}?}", '"x"y z', bad(q=None, b="z"), "... or the field ends at the group's first literal, not of its type"),
    Case("{q:quoted}{? |{b}?}", '"x" y', CORRUPT, "... or, if the line lacks it, there is text after the last field"),
    Case("{n:int}{? |{b}?}", "7 more", {"n": 7, "b": None}, "before an absent group a field is the last one", TRAILING),
    Case("{a}{? b={b}; c={c}?}", "x b=y", CORRUPT, "once its first literal is taken, a group must match whole"),
    Case("{a}{? b={b}{? c={c}?}?}", "x b=y c=z", {"a": "x", "b": "y", "c": "z"}, "groups nest"),
    Case("{a}{? b={b}{? c={c}?}?}", "x b=y", {"a": "x", "b": "y", "c": None}, "... and the inner one may be absent alone"),
    Case("{a}{? b={b}{? c={c}?}?}", "x c=z", {"a": "x c=z", "b": None, "c": None}, "... but not the outer one"),
    Case("{a:quoted}{?{~}{b}?}", '"x"  y', {"a": "x", "b": "y"}, "a group may start with {~}"),
    Case("{a}{? {n:int?}?}", "x -", {"a": "x", "n": None}, "?} ends the group, also after a nullable field"),
]  # fmt: skip

GROUPS_WITHIN = [
    Case("{a}{?[{p:int}]?}: {m}", "cron[7]: x", {"a": "cron", "p": 7, "m": "x"}, "a group within a line that is there"),
    Case("{a}{?[{p:int}]?}: {m}", "cron: x [7]", {"a": "cron", "p": None, "m": "x [7]"}, "... and that is absent: the field before it ends at what follows the group, which is first"),
    Case("{a}{?[{p:int}]?}: {m}", "su(pam)[7]: x", {"a": "su(pam)", "p": 7, "m": "x"}, "... or at the first literal of the group, where that is first"),
    Case("{a}{?[{p:int}]?}: {m}", "cron[7] x: y", CORRUPT, "a group that begins must match, and be followed by the text after it: there is no backtracking"),
    Case("{a}{?[{p:int}]?}: {m}", "cron[x]: y", bad(a="cron", p=None, m="y"), "a field in a group is judged as any"),
    Case("{a}{?[{p:int}]?}: {m}", "cron", CORRUPT, "what follows a group must be there"),
    Case("[{a}]{? <{b}>?} {c}", "[x] <y> z", {"a": "x", "b": "y", "c": "z"}, "after a literal the group stands right there"),
    Case("[{a}]{? <{b}>?} {c}", "[x] z", {"a": "x", "b": None, "c": "z"}, "... or what follows it does"),
    Case("[{a}]{? <{b}>?} {c}", "[x]z <y> z", CORRUPT, "... or nothing does"),
    Case("{a}{? b={b}?} c={c}", "x b=1 c=2", {"a": "x", "b": "1", "c": "2"}, "the last field of a group ends at what follows the group"),
    Case("{a}{? b={b}?} c={c}", "x c=2", {"a": "x", "b": None, "c": "2"}, "... which may come at once"),
    Case("{a}{? b={b}?}{? c={c}?}", "x c=2", {"a": "x", "b": None, "c": "2"}, "groups in a row: each may be absent alone"),
    Case("{a}{? b={b}?}{? c={c}?}", "x b=1 c=2", {"a": "x", "b": "1", "c": "2"}, "... they come in the order of the template"),
    Case("{a}{? b={b}?}{? c={c}?}", "x c=2 b=1", {"a": "x", "b": None, "c": "2 b=1"}, "... and in no other"),
    Case("{a}{? b={b}?}{? c={c}?}", "x", {"a": "x", "b": None, "c": None}, "... all of them may be absent"),
    Case("{a}{? b={b}?}{? c={c}?}{~}{d}", "x  y", {"a": "x", "b": None, "c": None, "d": "y"}, "what follows the groups may be {~}"),
    Case("{a}{?;b{b}?}{?;{c}?}; {d}", "x; y", CORRUPT, "at the same index the earlier one of the template is taken, whatever comes later"),
    Case("{a}{?;b{b}?}{?;{c}?}; {d}", "x;z; y", {"a": "x", "b": None, "c": "z", "d": "y"}, "... which is the first that stands there"),
    Case("{a}{? [{b}{?:{c}?}]?} {d}", "x [y:1] z", {"a": "x", "b": "y", "c": "1", "d": "z"}, "groups nest within a line"),
    Case("{a}{? [{b}{?:{c}?}]?} {d}", "x [y] z:1", {"a": "x", "b": "y", "c": None, "d": "z:1"}, "... and b ends at the first of : and ]"),
    Case("{a}{? [{b}{?:{c}?}?}] {d}", "x] z", {"a": "x", "b": None, "c": None, "d": "z"}, "what follows a group in a group may be what follows both"),
    Case("{?<{p:int}>?}{m}", "<13>x", {"p": 13, "m": "x"}, "a field may follow a group where no field that needs an end comes before"),
    Case("{?<{p:int}>?}{m}", "x <13>", {"p": None, "m": "x <13>"}, "... it begins where the group would"),
    Case("{t:date}{?T?}{m}", "2026-11-22Tx", {"t": date(2026, 11, 22), "m": "x"}, "... a field that delimits itself needs none"),
    Case("{t:date}{?T?}{m}", "-x", CORRUPT, "... and must then match"),
    Case("{q:quoted}{? [{p}]?}: {m}", '"a: b" [1]: x', {"q": "a: b", "p": "1", "m": "x"}, "a field that delimits itself ends there if the group follows"),
    Case("{q:quoted}{? [{p}]?}: {m}", '"a: b": x', {"q": "a: b", "p": None, "m": "x"}, "... or what follows the group"),
    Case("{q:quoted}{? [{p}]?}: {m}", '"a b" c [1]: x', bad(q=None, p="1", m="x"), "... else at the first of them, not of its type"),
    Case("{n:int}{? b={b}?}{? c={c}?}", "7 more c=2", bad(n=None, b=None, c="2"), "allowTrailing: any group of the row ends the field", TRAILING),
    Case("{n:int}{? b={b}?}{? c={c}?}", "7 more", {"n": 7, "b": None, "c": None}, "... before absent groups it is the last one", TRAILING),
    Case("{{{a}{?, {b}?}}}", "{x, y}", {"a": "x", "b": "y"}, "?}}} ends a group, and a literal brace follows"),
]  # fmt: skip

BYTES = [
    Case("{a} {b}", b"x\xff\xc3 y", {"a": "x\ufffd\ufffd", "b": "y"}, "bytes that are not UTF-8 become U+FFFD, which is no corruption"),
    Case("{a}→{b}", b"x\xe2\x86\xe2\x86\x92y", {"a": "x\ufffd", "b": "y"}, "... and literals are found among them"),
    Case("{n:int} {b}", b"1\xff y", bad(n=None, b="y"), "... but U+FFFD is no digit"),
    Case("{a} {b}", b"\x00 \r", {"a": "\x00", "b": "\r"}, "control characters are text"),
]  # fmt: skip

COLUMNS = [
    Case("{a} {n:int} {b}", "x y", {"a": "x"}, "a line is judged by the structure up to the last selected column", {"columns": ["a"]}),
    Case("{a} {n:int} {b}", "x", CORRUPT, "... and what ends it", {"columns": ["a"]}),
    Case("{a} {n:int} {b}", "x y z", {"b": "z"}, "types are judged of selected columns only", {"columns": ["b"]}),
    Case("{a} {n:int} {b}", "x y z", bad(b="z"), "... unless the line is judged whole", {"columns": ["b"], "judge_whole": True}),
    Case("{a} {n:int} {b}", "x 1", CORRUPT, "judged whole: structure", {"columns": ["a"], "judge_whole": True}),
    Case("{a} {n:int} {b}", "x 1 z", {"b": "z", "a": "x"}, "columns come in the order selected", {"columns": ["b", "a"]}),
    Case("{a}:{b}]", "x:y] more", {"a": "x"}, "text after the last field is beyond what is judged", {"columns": ["a"]}),
    Case("{a}:{b}]", "x:y] more", CORRUPT, "... but with the last column selected, nothing is", {"columns": ["b"]}),
    Case("{q:quoted}{? |{b}?}", '"x" y', CORRUPT, "what ends a selected field is judged: here neither the group nor the end", {"columns": ["q"]}),
    Case("{a}", "", {}, "with no column selected no line is judged", {"columns": []}),
    Case("{a}{? b={b}?}", "x b=", {"b": ""}, "a column of a group", {"columns": ["b"]}),
    Case("{a}{?[{p}]?}: {m:int}", "x[1]; y", {"p": "1"}, "a column of a group within a line: up to what ends it", {"columns": ["p"]}),
    Case("{a}{?[{p}]?}: {m:int}", "x: y", {"p": None}, "... if the group is absent, up to the text that follows instead of it", {"columns": ["p"]}),
    Case("[{a}]{? <{p}>?} {m}", "[x]y", CORRUPT, "... which must be something that may", {"columns": ["p"]}),
    Case("[{a}]{? <{p}>?}{? {m}?}", "[x]y", CORRUPT, "... another group or the line's end, too", {"columns": ["p"]}),
    Case("[{a}]{? <{p}>?}{? {m}?}", "[x] y", {"p": None}, "... here it is another group", {"columns": ["p"]}),
    Case("[{a}]{? <{p}>?}{m}", "[x]y", {"p": None}, "... and where a field comes next, anything may", {"columns": ["p"]}),
]  # fmt: skip

SCHEMA_TYPES = [
    Case("{a} {b}", "12 x", {"a": 12, "b": "x"}, "a schema's type replaces the template's for conversion", {"types": {"a": "int"}}),
    Case("{a} {b}", "y x", bad(a=None, b="x"), "... and for judging", {"types": {"a": "int"}}),
    Case("{n:int} {b}", "y x", {"n": "y", "b": "x"}, "... so anything is a string", {"types": {"n": "string"}}),
    Case("{b} {a}", "x 1 2", bad(b="x", a=None), "extents stay: the last string takes the rest", {"types": {"a": "int"}}),
    Case("{t:timestamp} {b}", "2026-11-22 10:00 x", {"t": "2026-11-22 10:00", "b": "x"}, "... and a timestamp its own", {"types": {"t": "string"}}),
    Case("{t:timestamp} {b}", "yesterday x", {"t": "yesterday", "b": "x"}, "... or, where it has none, up to the literal", {"types": {"t": "string"}}),
    Case("{q:quoted}", '"12"', {"q": 12}, "what is converted is the text inside the quotes", {"types": {"q": "int"}}),
    Case("{q:quoted}", r'"\x312"', {"q": 12}, "... unescaped", {"types": {"q": "int"}}),
    Case("{q:quoted?}", '"-"', {"q": None}, "? stays", {"types": {"q": "int"}}),
    Case("{q:quoted} {b}", "12 x", bad(q=None, b="x"), "quotes stay needed", {"types": {"q": "int"}}),
]  # fmt: skip

CASES = [
    *LITERALS, *LAST, *NULLS, *TYPES, *OWN_SYNTAX, *PATTERNS, *ESCAPES, *GROUPS, *GROUPS_WITHIN, *BYTES, *COLUMNS, *SCHEMA_TYPES,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.template} :: {case.rule}")
def test_a_line_gives(case: Case) -> None:
    line = case.line.encode() if isinstance(case.line, str) else case.line
    row = reference_parse(case.template, line, **case.options)
    if case.values is CORRUPT:
        assert row.corrupt
        assert all(value is None for value in row.values.values())
    else:
        assert list(row.values) == list(case.values), "the columns and their order"
        assert all(same(row.values[name], value) for name, value in case.values.items()), row
        assert row.corrupt == isinstance(case.values, bad)
    assert row.corrupt == bool(row.reason)


REFUSED = [
    ("{a", "an open brace"),
    ("a}", "a brace that closes nothing"),
    ("{a b}", "a name with a space"),
    ("{a:zzz}", "an unknown type"),
    ("{:int}", "a type without a name"),
    ("{a:int(3)}", "an argument for a type that takes none"),
    ("{a:decimal}", "a decimal without precision"),
    ("{a:decimal(39,0)}", "too much precision"),
    ("{a:decimal(2,3)}", "a scale beyond the precision"),
    ("{a:epoch(h)}", "an unknown unit"),
    ("{a:list()}", "a list without a separator"),
    ("{a:timestamp(%Q)}", "an unknown directive"),
    ("{a:timestamp(%Y%)}", "half a directive"),
    ("{a:timestamp(%S %f %L)}", "two directives for the part of a second"),
    ("{a} {a}", "a name twice"),
    ("{a} {A}", "... names match without case"),
    ("{a}{b}", "two fields side by side, where the first does not delimit itself"),
    ("{a:map}{b}", "a map does not"),
    ("{}{b}", "nor does a skip"),
    ("{a}{? b", "a group that is not closed"),
    ("{a} b?}", "a group that is not opened"),
    ("{a}{?{b}?}", "a group that starts with a field"),
    ("{a}{??}", "an empty group"),
    ("{a}{? b?}{c}", "a field after a group that follows a field"),
    ("{a}{? b?}{? c?}{d}", "... or several groups"),
    ("{?<{a}?}{b}", "a field after a group that ends in a field"),
    ("{?<{a}{?:?}?}{b}", "... or in a group after a field"),
    ("{?{?<?}{a}?} {b}", "a group that starts with a group"),
    ("{a>}", "a last occurrence of nothing"),
    ("{a>}{~}{b}", "... or of blanks"),
    ("{a>} {b}{~}{c}", "... before blanks"),
    ("{a>}{? {b}?}", "... of a group"),
    ("{a>} {b}{?x?}", "... before a group"),
    ("{a:date>} {b}", "... after a field that delimits itself"),
    ("{a?>} {b}", "marks in the wrong order"),
    ("{a:enum(b||c)}", "an empty text among several"),
    ("{a:enum(b c|d)} {e}", "a text with the delimiter after it"),
    ("{a:enum(b|c-)}-", "... or with a part of it that makes it begin earlier"),
    ("{a:enum(b\tc|d)}{~}{e}", "... also of blanks"),
    ("{a:enum(b c|d)}{? {e}?}", "... and of an optional group"),
]


def test_a_brace_after_a_question_mark_is_a_brace() -> None:
    assert parse_template("{a}{? x?}}{b}?}")[1] == Group(Literal(" x?}"), [Literal(" x?}"), Field("b", Type("string"))])
    assert parse_template("{a}?}}}}")[1:] == [Literal("?}}")]
    assert parse_template("{a}{? x?}}}")[1:] == [Group(Literal(" x"), [Literal(" x")]), Literal("}")]
    assert parse_template("{a}{? x?}}}}}")[1:] == [Group(Literal(" x"), [Literal(" x")]), Literal("}}")]


@pytest.mark.parametrize(("template", "why"), REFUSED, ids=lambda text: text)
def test_notation_is_refused(template: str, why: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the project's own to choose
        parse_template(template)


def test_notation_becomes_segments() -> None:
    assert parse_template("{{[{a:int?}]{~}{}{? x={b:list(})}{? ??}?}") == [
        Literal("{["),
        Field("a", Type("int"), nullable=True),
        Literal("]"),
        Blanks(),
        Field(None, Type("string")),
        Group(Literal(" x="), [Literal(" x="), Field("b", Type("list", "}")), Group(Literal(" ?"), [Literal(" ?")])]),
    ]


def test_a_backslash_in_a_literal_cannot_be_told_from_an_escape() -> None:
    assert reference_parse("{a}\\{b}", b"x\\y").values == {"a": "x", "b": "y"}
    with pytest.raises(ValueError, match="backslash"):
        reference_parse("{a}\\{b}", b"x\\y", escape="backslash")


def test_a_column_that_the_template_lacks_is_an_error() -> None:
    with pytest.raises(ValueError, match="no"):
        reference_parse("{a}", b"x", columns=["b"])


@pytest.mark.parametrize(
    ("data", "lines", "rule"),
    [
        (b"a\nb\n", [(0, b"a"), (2, b"b")], "a line ends at \\n"),
        (b"a\r\nb\r\n", [(0, b"a"), (3, b"b")], "... or at \\r\\n"),
        (b"a\nb", [(0, b"a"), (2, b"b")], "the last one with or without"),
        (b"\n\r\na\n\n", [(3, b"a")], "blank lines are not records"),
        (b" \n\t \r\na", [(6, b"a")], "... and neither are those of spaces and tabs"),
        (b" a\n", [(0, b" a")], "... but spaces before text are text"),
        (b"\0\0a\n\0\n", [(2, b"a")], "zero bytes at the beginning of a line are padding"),
        (b"a\0b\0\nb\0\0", [(0, b"a\0b\0"), (5, b"b")], "... and at the end of a file without a line end"),
        (b"a\r\r\n", [(0, b"a\r")], "one \\r is stripped"),
        (b"a\rb\n", [(0, b"a\rb")], "a \\r elsewhere is text"),
        (b"a\nb\r", [(0, b"a"), (2, b"b\r")], "... without a \\n it ends nothing"),
        (b"a\rb\r", [(0, b"a"), (2, b"b")], "... unless there is no \\n at all"),
        (b"\xef\xbb\xbfa\nb", [(3, b"a"), (5, b"b")], "a byte order mark at the file's start is skipped"),
        (b"a\n\xef\xbb\xbfb", [(0, b"a"), (2, b"\xef\xbb\xbfb")], "... and elsewhere is text"),
        (b"\xef\xbb\xbf\r\na", [(5, b"a")], "... and makes no line of its own"),
        (b"", [], "an empty file has no records"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_records_of_a_file(data: bytes, lines: list[tuple[int, bytes]], rule: str) -> None:
    assert reference_lines(data) == lines


# ------------------------------------------------------------------------------------------------ laws


@given(strategies.rendered())
def test_what_is_rendered_reads_back(case: strategies.Rendered) -> None:
    row = reference_parse(case.template, case.line, **case.options)
    assert row == Row(row.values), row
    assert list(row.values) == list(case.values)
    for name, value in case.values.items():
        assert same(row.values[name], value), (name, row.values[name], value)


@given(strategies.cases())
def test_any_line_gives_a_row(case: strategies.Case) -> None:
    for line in case.lines:
        row = reference_parse(case.template, line, **case.options)
        assert row.corrupt == bool(row.reason)


@given(strategies.cases())
def test_fewer_columns_give_the_same_values(case: strategies.Case) -> None:
    """Column pruning changes no value of a line whose structure matches, and reports no error that the whole line lacks."""
    for line in case.lines:
        whole = reference_parse(case.template, line, **case.options)
        for name in whole.values:
            one = reference_parse(case.template, line, columns=[name], **case.options)
            judged = reference_parse(case.template, line, columns=[name], judge_whole=True, **case.options)
            assert judged.corrupt or not one.corrupt
            assert judged.values[name] is None or same(judged.values[name], one.values[name])
            assert same(judged.values[name], whole.values[name])


@given(strategies.cases())
def test_the_lines_of_a_file(case: strategies.Case) -> None:
    records = reference_lines(case.data)
    assert [line for _, line in records] == case.lines
    assert all(case.data[offset : offset + len(line)] == line for offset, line in records)


def test_every_type_is_generated() -> None:
    assert {kind.name for kind in strategies.KINDS} == PLAIN | set(ARGUMENTS)


@pytest.mark.parametrize(
    ("template", "line", "values"),
    [
        ("{m>} ({c:class})", "a (b) (c) (d.E)", ["a (b) (c)", "d.E"]),
        ("{m>} ({c})", "a (b)", ["a", "b"]),
        ("{m>}.", "a.b.", ["a.b"]),
        ("{a>} {b}", "x y z", ["x y", "z"]),
        ("{a>} {b>} {c}", "w x y z", ["w x", "y", "z"]),
        ("[{t>}:{c:class}@{n:int}] {m}", "[a@b:1:C@7] x:y@9] z", ["a@b:1", "C", 7, "x:y@9] z"]),
        ("{>} {b}", "x y z", ["z"]),
        ("{a>?} {b}", "- z", [None, "z"]),
        ("{a}{?[{b>}:{c}]?} {d}", "x[1:2:3] y", ["x", "1:2", "3", "y"]),
    ],
)
def test_field_ends_at_the_last_occurrence_before_the_end_of_the_next(
    template: str, line: str, values: list[object]
) -> None:
    row = reference_parse(template, line.encode())
    assert (list(row.values.values()), row.corrupt) == (values, False)


@pytest.mark.parametrize("line", ["a (b) c", "a", "a (b", "a (b) (c d)", "a ()"])
def test_line_without_the_last_occurrence_is_corrupt(line: str) -> None:
    assert reference_parse("{m>} ({c:class})", line.encode()).corrupt
