"""Values: from text, or the natural Python type, to what a field holds.

A parser takes the option's name and its value, and raises an OptionError that says what was expected.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Callable, Mapping

from pyspark_logs.errors import OptionError


def bad_value(name: str, value: object, expected: str) -> OptionError:
    """The error that says what was expected."""
    return OptionError(f"option {name!r}: {value!r} is not {expected}")


def parse_text(name: str, value: object) -> str:
    """Any text, spaces and all."""
    if not isinstance(value, str):
        raise bad_value(name, value, "a string")
    return value


def parse_name(name: str, value: object) -> str:
    """Text that is not blank, without the spaces around it."""
    text = parse_text(name, value).strip()
    if not text:
        raise OptionError(f"option {name!r}: is empty; give a value or leave the option out")
    return text


def parse_id(name: str, value: object) -> str:
    """Text as it is; blanks around it, which would be hard to see, are refused."""
    text = parse_text(name, value)
    if text != parse_name(name, text):
        raise bad_value(name, value, "a text without blanks around it")
    return text


def parse_prefix(name: str, value: object) -> str:
    """Text within one line, not empty."""
    text = parse_text(name, value)
    if not text or "\n" in text or "\r" in text:
        raise bad_value(name, value, "a non-empty prefix without line ends")
    return text


def parse_separator(name: str, value: object) -> str:
    r"""What stands between values: any text within one line; ``\\t`` (a backslash and a t) is a tab."""
    text = parse_text(name, value).replace("\\t", "\t")
    if not text or "\n" in text or "\r" in text:
        raise bad_value(name, value, "a non-empty separator without line ends")
    return text


def parse_quote(name: str, value: object) -> str | None:
    """One character; None for an empty text."""
    text = parse_text(name, value)
    if len(text) > 1 or text in ("\n", "\r"):
        raise bad_value(name, value, "one character, or empty")
    return text or None


def parse_class(name: str, value: object) -> str:
    """``module:Class``."""
    text = parse_name(name, value)
    if not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*", text):
        raise bad_value(name, value, "a class as 'module:Class'")
    return text


def parse_definitions(name: str, value: object) -> str:
    """Lines of ``NAME pattern``, or a mapping of names to patterns (as JSON text, too)."""
    parsed = value
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            parsed = json.loads(value)
        except ValueError as error:
            raise bad_value(name, value, "a JSON object of names and patterns") from error
    if isinstance(parsed, Mapping):
        parsed = "\n".join(f"{key} {pattern}" for key, pattern in parsed.items())
    return parse_name(name, parsed)


def parse_multi_line(name: str, value: object) -> str | None:
    """``true``, a regular expression, or None for ``false``."""
    text = str(value) if isinstance(value, bool) else parse_text(name, value)
    return {"true": "true", "false": None}.get(parse_name(name, text).lower(), text)


def parse_secret(name: str, value: object) -> str:
    """A credential; no message shows it."""
    if not isinstance(value, str) or not value.strip():
        raise OptionError(f"option {name!r}: is empty or not a string (value hidden)")
    return value


def parse_boolean(name: str, value: object) -> bool:
    """``true``/``false`` in any case; nothing else, so that ``"no"`` is never read as true."""
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in ("true", "false"):
        raise bad_value(name, value, "'true' or 'false'")
    return text == "true"


_DURATION_US = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "min": 60_000_000}
_DURATION_US |= {"h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}


def parse_duration_us(name: str, value: object) -> int:
    """A duration such as ``1h``, ``90s``, ``1d`` or ``1h 30m`` (or a timedelta), in microseconds."""
    if isinstance(value, dt.timedelta):
        micros = value // dt.timedelta(microseconds=1)
        if micros < 0:
            raise bad_value(name, value, "a duration of zero or more")
        return micros
    text = value.strip().lower() if isinstance(value, str) else ""
    if not re.fullmatch(r"(\d+\s*(us|ms|s|min|m|h|d|w)\s*)+", text):
        raise bad_value(name, value, "a duration such as '1h', '30m', '90s' or '1d'")
    parts = re.findall(r"(\d+)\s*(us|ms|s|min|m|h|d|w)", text)
    return sum(int(number) * _DURATION_US[unit] for number, unit in parts)


def parse_positive_duration_us(name: str, value: object) -> int:
    """A duration of more than nothing, in microseconds."""
    micros = parse_duration_us(name, value)
    if micros == 0:
        raise bad_value(name, value, "a duration above zero")
    return micros


def parse_interval_us(name: str, value: object) -> int | None:
    """A duration in microseconds; None, which is never, for ``off``."""
    is_off = isinstance(value, str) and value.strip().lower() == "off"
    return None if is_off else parse_duration_us(name, value)


def parse_seconds(name: str, value: object) -> float:
    """A duration of more than nothing, in seconds."""
    return parse_positive_duration_us(name, value) / 1e6


def parse_bytes(name: str, value: object) -> int:
    """A size such as ``128m``, ``16 MiB``, ``1g`` or plain bytes; units are powers of 1024."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        text = value.strip().lower() if isinstance(value, str) else ""
        match = re.fullmatch(r"(\d+)\s*(b|k|kb|kib|m|mb|mib|g|gb|gib|t|tb|tib)?", text)
        if match is None:
            raise bad_value(name, value, "a size in bytes such as '128m' or '1048576'")
        number = int(match[1]) << 10 * " kmgt".index((match[2] or " ")[0].replace("b", " "))
    if number <= 0:
        raise bad_value(name, value, "a size above zero")
    return number


def parse_bytes_or_zero(name: str, value: object) -> int:
    """A size as :func:`parse_bytes` reads it, or ``0``."""
    none = value == 0 if isinstance(value, int) and not isinstance(value, bool) else str(value).strip() == "0"
    return 0 if none else parse_bytes(name, value)


def parse_count(name: str, value: object) -> int:
    """A whole number of zero or more."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d+\s*", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise bad_value(name, value, "a whole number of zero or more")


def parse_positive_count(name: str, value: object) -> int:
    """A whole number of one or more."""
    number = parse_count(name, value)
    if number == 0:
        raise bad_value(name, value, "a whole number of one or more")
    return number


def parse_most_records(name: str, value: object) -> int | None:
    """A number of records; None, which is no limit, for ``0`` and ``none``."""
    return None if _is_no_limit(value) else parse_count(name, value)


def parse_most_bytes(name: str, value: object) -> int | None:
    """A size as :func:`parse_bytes` reads it; None, which is no limit, for ``0`` and ``none``."""
    return None if _is_no_limit(value) else parse_bytes(name, value)


def _is_no_limit(value: object) -> bool:
    text = str(value).strip().lower() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text in ("0", "none")


def parse_level(name: str, value: object) -> int:
    """A whole number, below zero too: zstd has such levels."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d+\s*", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise bad_value(name, value, "a whole number")


def one_of(*choices: str) -> Callable[[str, object], str]:
    """A parser that takes one of these words, in any case."""

    def parse(name: str, value: object) -> str:
        for choice in choices:
            if isinstance(value, str) and value.strip().lower() == choice.lower():
                return choice
        raise bad_value(name, value, "one of " + ", ".join(choices))

    return parse


def parse_time_zone(name: str, value: object) -> str:
    """The name of a time zone that this machine knows."""
    from zoneinfo import ZoneInfo

    text = parse_name(name, value)
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise bad_value(name, value, "a time zone such as 'UTC' or 'Europe/Berlin'") from error
    return text


def parse_encoding(name: str, value: object) -> str:
    """A text encoding, by the name that Python's codecs give it."""
    import codecs

    text = parse_name(name, value)
    try:
        info = codecs.lookup(text)
        "".encode(text)
        codecs.getincrementaldecoder(text)
    except (LookupError, TypeError, ValueError) as error:
        raise bad_value(name, value, "a text encoding such as 'utf-8' or 'latin-1'") from error
    return info.name.removesuffix("-sig")  # a byte order mark is skipped anyway


def parse_storage_options(name: str, value: object) -> str:
    """A JSON object or a mapping, as JSON text; no message shows it."""
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
        if isinstance(parsed, Mapping):
            return json.dumps(dict(parsed), sort_keys=True)
    except (TypeError, ValueError):
        pass  # the error that follows shows nothing of the value, so neither may its cause
    raise OptionError(f"option {name!r}: is not a JSON object (value hidden, it may be secret)")


def parse_schema(name: str, value: object) -> str:
    """Spark DDL, or a ``pyarrow.Schema`` written as DDL."""
    if isinstance(value, str):
        return parse_name(name, value)
    if getattr(value, "names", None) == []:
        return ""  # a pyarrow.Schema without columns: the rows are counted
    from pyspark_logs.schema import to_ddl

    return to_ddl(value)


def parse_path(name: str, value: object) -> str:
    """A path, as text or as ``pathlib`` has it."""
    return parse_name(name, os.fspath(value) if isinstance(value, os.PathLike) else value)


def parse_instant_us(name: str, value: object, zone: str) -> int:
    """An ISO 8601 instant, date-time or date (or a datetime/date), in microseconds since the epoch.

    Zoneless values are wall-clock times in ``zone``.
    """
    from zoneinfo import ZoneInfo

    context: dt.datetime
    if isinstance(value, dt.datetime):
        context = value
    elif isinstance(value, dt.date):
        context = dt.datetime(value.year, value.month, value.day)
    else:
        text = value.strip() if isinstance(value, str) else ""
        shape = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d)?)?"
        if not re.fullmatch(shape, text):
            raise bad_value(name, value, "a time such as '2026-11-22T00:00:00Z' or '2026-11-22'")
        # Python 3.10's fromisoformat knows neither Z, nor +0100, nor a fraction that is not 3 or 6 digits.
        text = re.sub(r"\s*Z$", "+00:00", text)
        text = re.sub(r"\s*([+-]\d\d):?(\d\d)$", r"\1:\2", text) if len(text) > 10 else text
        text = re.sub(r"[.,](\d{1,9})", lambda m: "." + m[1].ljust(6, "0")[:6], text)
        try:
            context = dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise bad_value(name, value, "a time that exists in the calendar") from error
    if context.tzinfo is None:
        context = context.replace(tzinfo=ZoneInfo(zone))
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    return (context - epoch) // dt.timedelta(microseconds=1)
