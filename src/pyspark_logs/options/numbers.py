"""Parsers of option values that are booleans or numbers; see :mod:`pyspark_logs.options.text`."""

from __future__ import annotations

import re

from pyspark_logs.options.text import bad_value


def parse_boolean(name: str, value: object) -> bool:
    """Returns a boolean. Strings are ``true`` or ``false`` in any case; ``"no"`` and other strings are errors."""
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in ("true", "false"):
        raise bad_value(name, value, "'true' or 'false'")
    return text == "true"


def parse_bytes(name: str, value: object) -> int:
    """Returns a size in bytes, from a number or a string such as ``128m``, ``16 MiB`` or ``1g``; units are powers of 1024."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        text = value.strip().lower() if isinstance(value, str) else ""
        match = re.fullmatch(r"(\d{1,20})\s*(b|k|kb|kib|m|mb|mib|g|gb|gib|t|tb|tib)?", text)
        if match is None:
            raise bad_value(name, value, "a size in bytes such as '128m' or '1048576'")
        number = int(match[1]) << 10 * " kmgt".index((match[2] or " ")[0].replace("b", " "))
    if number <= 0:
        raise bad_value(name, value, "a size above zero")
    return number


def parse_bytes_or_zero(name: str, value: object) -> int:
    """Returns a size in bytes as :func:`parse_bytes` does, or 0."""
    is_zero = value == 0 if isinstance(value, int) and not isinstance(value, bool) else str(value).strip() == "0"
    return 0 if is_zero else parse_bytes(name, value)


def parse_count(name: str, value: object) -> int:
    """Returns a whole number of zero or more."""
    return _parse_whole(name, value, 0, "a whole number of zero or more")


def _parse_whole(name: str, value: object, least: int, expected: str) -> int:
    number: object = value
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,20}\s*", value):
        number = int(value)
    if isinstance(number, int) and not isinstance(number, bool) and number >= least:
        return number
    raise bad_value(name, value, expected)


def parse_positive_count(name: str, value: object) -> int:
    """Returns a whole number of one or more."""
    return _parse_whole(name, value, 1, "a whole number of one or more")


def parse_count_limit(name: str, value: object) -> int | None:
    """Returns a limit that is a whole number; None (no limit) for ``0`` and ``none``."""
    return None if _is_no_limit(value) else parse_count(name, value)


def parse_byte_limit(name: str, value: object) -> int | None:
    """Returns a limit in bytes as :func:`parse_bytes` does; None (no limit) for ``0`` and ``none``."""
    return None if _is_no_limit(value) else parse_bytes(name, value)


def _is_no_limit(value: object) -> bool:
    text = str(value).strip().lower() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text in ("0", "none")


def parse_level(name: str, value: object) -> int:
    """Returns a whole number, which may be negative: zstd has negative levels."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,20}\s*", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise bad_value(name, value, "a whole number")
