"""Advice for conditions in the notation of other languages, and for SQL that conditions do not support."""

from __future__ import annotations

import re

SUPPORTED = (
    "supported are = <=> <> < <= > >=, IN, BETWEEN, LIKE, RLIKE, IS [NOT] NULL, AND, OR, NOT and parentheses, between columns,"
    " strings, numbers, TRUE, FALSE, NULL, DATE '...' and TIMESTAMP '...'; functions and arithmetic are not: filter by them in Spark"
)
_ARITHMETIC = "arithmetic is not supported: filter by it in Spark, or in the query of the result"
_PARAMETER = "write the value itself; there are no parameters"
# The beginning of a text that has no token -> the advice. Longer beginnings come first.
_SIGNS = (
    ("::", "leave the cast out: a quoted literal has the type of the column that it is compared with"),
    ("&", "write AND"),
    ("|", "write OR"),
    ("~", "write RLIKE for regular expressions, LIKE for patterns"),
    (";", "leave the semicolon out"),
    ("?", _PARAMETER),
    (":", _PARAMETER),
    ("[", "write a list in parentheses: IN ('a', 'b')"),
    ("{", "write a list in parentheses: IN ('a', 'b')"),
    *((sign, "write straight quotes: 'text'") for sign in "‘’“”´"),
    *((sign, _ARITHMETIC) for sign in "*/%"),
)
_CONTAINS, _EXPRESSION = "write LIKE '%text%'", "write RLIKE 'expression' or LIKE 'a%'"
_LITERAL_TIME = "write the time itself, such as TIMESTAMP '2026-11-22 07:30:00'"
_CASE = "write RLIKE '(?i)text', which does not distinguish case"
_COUNT = "the condition is evaluated for each row: count the rows of the result"
# Words of other languages, in lower case: operators, clauses, functions and methods.
_WORDS = {
    **dict.fromkeys(("ilike", "lower", "upper", "lcase", "ucase", "casefold"), _CASE),
    **dict.fromkeys(("contains", "instr", "locate", "charindex", "find"), _CONTAINS),
    **dict.fromkeys(("startswith", "starts_with"), "write LIKE 'text%'"),
    **dict.fromkeys(("endswith", "ends_with"), "write LIKE '%text'"),
    **dict.fromkeys(("matches", "match", "similar", "regex", "glob", "regexp_like", "regexp_extract"), _EXPRESSION),
    **dict.fromkeys(("limit", "order", "group", "having"), "the option takes the condition alone"),
    **dict.fromkeys(
        ("now", "current_timestamp", "current_date", "timestamp", "to_timestamp", "getdate"), _LITERAL_TIME
    ),
    **dict.fromkeys(("interval", "ago"), _LITERAL_TIME),
    **dict.fromkeys(
        ("date", "to_date", "year", "month", "day", "hour", "date_trunc", "trunc"),
        "write a range of the column: ts >= '2026-11-22' AND ts < '2026-11-23'",
    ),
    **dict.fromkeys(("count", "sum", "avg", "max", "min"), _COUNT),
    **dict.fromkeys(("isin", "is_in"), "write column IN ('a', 'b')"),
    **dict.fromkeys(("isnull", "isnotnull", "isna", "notna", "is_null"), "write column IS NULL or column IS NOT NULL"),
    **dict.fromkeys(("col", "column", "field", "f"), "write the name of the column alone"),
    **dict.fromkeys(("none", "nan", "nil"), "write IS NULL or IS NOT NULL"),
}
_CLAUSES = ("where", "select", "filter")
_UNQUOTED_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[T ][0-9]{1,2}:[0-9:.]*)?")


def of_clause(text: str) -> str | None:
    """Returns the advice for a condition that begins with a keyword of a query; None: it does not."""
    word = re.match(r"\s*(\w*)", text)
    first = "" if word is None else word[1].lower()
    return f"write the condition alone, without {first.upper()}" if first in _CLAUSES else None


def of_sign(text: str, position: int) -> str | None:
    """Returns the advice for a text in which no token begins at a position.

    >>> of_sign("level = 'A' && n > 1", 12), of_sign("n = 1k", 4)
    ('write AND', None)
    """
    call = re.search(r"(\w+)\s*\($", text[:position])
    if call is not None and text[position] == "*":
        return of_word(call[1])
    date = _date_around(text, position)
    return date or next((advice for sign, advice in _SIGNS if text.startswith(sign, position)), None)


def of_word(word: str) -> str | None:
    """Returns the advice for an operator, a function or a method of another language; None: unknown."""
    return _WORDS.get(word.lower())


def of_date(text: str, position: int) -> str | None:
    """Returns the advice for a time without quotes that begins at a position; None: there is none."""
    date = _UNQUOTED_DATE.match(text, position)
    return None if date is None else f"a time is written TIMESTAMP '{date[0]}', and a date DATE '{date[0][:10]}'"


def _date_around(text: str, position: int) -> str | None:
    return next(
        (
            of_date(text, date.start())
            for date in _UNQUOTED_DATE.finditer(text)
            if date.start() <= position < date.end()
        ),
        None,
    )
