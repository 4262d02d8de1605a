"""Names in paths: hidden names, and Hive's escaping of partition values."""

from __future__ import annotations

import re

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_UNFINISHED = "._COPYING_"  # suffix of files that Hadoop is still copying

_MAY_HIDE = re.compile(r"(?:\A|/)[_.]|\._COPYING_")
_ESCAPED = re.compile(r"[\x00-\x1f\x7f-\x9f\"#%'*/:=?\\{}\[\]^]")


def is_hidden(name: str) -> bool:
    """True if a directory or file name is never data, by the rule of Spark's ``HadoopFSUtils.shouldFilterOutPathName``.

    Example:
        >>> [is_hidden(name) for name in ("_SUCCESS", ".crc", "_year=2026", "a.log")]
        [True, True, False, False]
    """
    if name.startswith("_"):
        return "=" not in name and not name.startswith(HIVE_NULL)
    return name.startswith(".") or name.endswith(_UNFINISHED)


def is_hidden_key(key: str) -> bool:
    """True if any segment of a relative key is hidden.

    Example:
        >>> is_hidden_key("2026/_temporary/part-0.log")
        True
    """
    # The search avoids splitting most of the keys of a large listing.
    return _MAY_HIDE.search(key) is not None and any(map(is_hidden, key.split("/")))


def unescape_value(text: str) -> str | None:
    """Returns a partition value from a path with each ``%XX`` unescaped, as Hive and Spark do.

    Example:
        >>> unescape_value("a%2Fb"), unescape_value("__HIVE_DEFAULT_PARTITION__")
        ('a/b', None)
    """
    if text == HIVE_NULL:
        return None
    return re.sub("%([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text) if "%" in text else text


def escape_value(value: str | None, *, first: bool = False, stop: str = "") -> str:
    """Returns a partition value as it is written in a path.

    Args:
        value: value; None is written as ``__HIVE_DEFAULT_PARTITION__``, and a value of this text is escaped.
        first: True if the value begins the name: a leading ``_`` or ``.`` would hide the name and is escaped.
        stop: further characters to escape, because they would end the value too early.

    Example:
        >>> escape_value("_a:b", first=True), escape_value("a-b", stop="-")
        ('%5Fa%3Ab', 'a%2Db')
        >>> escape_value(None), escape_value("__HIVE_DEFAULT_PARTITION__")
        ('__HIVE_DEFAULT_PARTITION__', '%5F_HIVE_DEFAULT_PARTITION__')
    """
    if value is None:
        return HIVE_NULL
    # Characters above 255 have no %XX form; Hive does not escape them.
    text = "".join(f"%{ord(c):02X}" if (_ESCAPED.match(c) or c in stop) and ord(c) < 256 else c for c in value)
    if text.endswith(_UNFINISHED):
        text = text[:-1] + "%5F"
    hides = first and text[:1] in ("_", ".")
    return f"%{ord(text[0]):02X}{text[1:]}" if hides or value == HIVE_NULL else text
