"""Apache's ``%`` directives: their columns, types and modifiers.

Source: Apache HTTP Server 2.4, "Apache Module mod_log_config" (Custom Log Formats, Modifiers), "Apache Module mod_logio",
"Apache Module mod_ssl" (Custom Log Formats).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.dialects.apache_times import TimeDirective, time_directive
from pyspark_logs.formats.dialects.config_text import ConfigText, suggestion
from pyspark_logs.formats.dialects.directives import Directive
from pyspark_logs.formats.types.escape_styles import APACHE
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.server import UserName
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.types.validated_text import word

_TEXT, _INT, _LONG = Text(APACHE), Integer(32), Integer(64)

# Directive without an argument -> column and type.
SIMPLE: dict[str, tuple[str, FieldType]] = {
    "a": ("client_ip", _TEXT), "A": ("local_ip", _TEXT), "B": ("bytes", _LONG), "b": ("bytes", _LONG),
    "D": ("duration_us", _LONG), "f": ("filename", _TEXT), "h": ("remote_host", _TEXT),
    "H": ("request_protocol", _TEXT), "I": ("bytes_received", _LONG), "k": ("keepalive_requests", _INT),
    "l": ("remote_logname", _TEXT), "L": ("request_log_id", _TEXT), "m": ("request_method", _TEXT),
    "O": ("bytes_sent", _LONG), "p": ("server_port", _INT), "P": ("process_id", _LONG), "q": ("query_string", _TEXT),
    "r": ("request", _TEXT), "R": ("handler", _TEXT), "s": ("status", _INT), "S": ("bytes_transferred", _LONG),
    "T": ("duration_s", _LONG), "u": ("remote_user", _TEXT), "U": ("url_path", _TEXT), "v": ("server_name", _TEXT),
    "V": ("host_name", _TEXT), "^FB": ("first_byte_us", _LONG), "X": ("connection_status", _TEXT),
}  # fmt: skip
# Directive whose argument is a keyword -> keyword -> column and type.
KEYWORDS: dict[str, dict[str, tuple[str, FieldType]]] = {
    "a": {"c": ("peer_ip", _TEXT)},
    "h": {"c": ("peer_host", _TEXT)},
    "p": {"canonical": ("server_port", _INT), "local": ("local_port", _INT), "remote": ("remote_port", _INT)},
    "P": {"pid": ("process_id", _LONG), "tid": ("thread_id", _LONG), "hextid": ("thread_id_hex", _TEXT)},
    "T": {"ms": ("duration_ms", _LONG), "us": ("duration_us", _LONG), "s": ("duration_s", _LONG)},
    "L": {"c": ("connection_log_id", _TEXT)},
}
# Directive whose argument is the name of a header, cookie or variable -> prefix of the column.
NAMED = {
    "C": "cookie_", "e": "env_", "i": "", "n": "note_", "o": "response_", "^ti": "trailer_", "^to": "response_trailer_",
    "x": "", "c": "ssl_",
}  # fmt: skip
# mod_log_config, Modifiers: these look at the original request by default, all others at the final request.
_OF_ORIGINAL_REQUEST = frozenset("UTDr")
# Values without spaces.
_WORDS = frozenset(
    {"client_ip", "peer_ip", "local_ip", "remote_host", "peer_host", "server_name", "host_name", "request_method",
     "request_protocol", "connection_status", "request_log_id", "connection_log_id", "handler"}
)  # fmt: skip
_BARE_TYPES: dict[str, FieldType] = {"remote_user": UserName(APACHE), **dict.fromkeys(_WORDS, word(APACHE))}
_LIST_COLUMNS = frozenset({"x_forwarded_for"})
_ALL = (*SIMPLE, "t", *(f"{{...}}{letter}" for letter in (*KEYWORDS, *NAMED, "t")))


@dataclass(frozen=True)
class ApacheDirective(Directive):
    """A directive of a ``LogFormat``.

    Attributes:
        modifier: ``>`` for the final request, ``<`` for the original request, or empty.
        time: time that ``%t`` or ``%{format}t`` writes; None for other directives.
    """

    modifier: str = ""
    time: TimeDirective | None = None


def parse_directives(config: ConfigText) -> list[str | ApacheDirective]:
    """Returns the literal text and the directives of a format string, in order.

    No two strings are adjacent, so that a quote is found next to its directive.

    Raises:
        FormatError: a directive is not known or not complete.
    """
    items: list[str | ApacheDirective] = []
    offset, text = 0, config.text
    while offset < len(text):
        percent = text.find("%", offset)
        end = len(text) if percent < 0 else percent
        _append_text(items, text[offset:end])
        if percent < 0:
            break
        if text.startswith("%%", percent):
            _append_text(items, "%")
            offset = percent + 2
            continue
        directive, offset = _parse_directive(config, percent)
        brackets = "[]" if directive.text.endswith("t") and "{" not in directive.text else ""  # %t writes [time]
        _append_text(items, brackets[:1])
        items.append(directive)
        _append_text(items, brackets[1:])
    if items and isinstance(items[-1], str):
        items[-1] = items[-1].rstrip("\n")
    return items


def _append_text(items: list[str | ApacheDirective], text: str) -> None:
    if items and isinstance(items[-1], str):
        items[-1] += text
    elif text:
        items.append(text)


def _parse_directive(config: ConfigText, start: int) -> tuple[ApacheDirective, int]:
    """Returns the directive at an offset and its end; modifiers and the argument come in any order."""
    text = config.text
    offset, modifier, argument = start + 1, "", None
    while text[offset : offset + 1] and (text[offset] in "<>!,{" or text[offset].isdecimal()):
        if text[offset] == "{":
            close = text.find("}", offset)
            if close < 0:
                raise config.error(start, text[start:], "'{' is not closed with '}'")
            argument, offset = text[offset + 1 : close], close
        elif text[offset] in "<>":
            modifier = text[offset]
        offset += 1
    letter = text[offset : offset + 3] if text.startswith("^", offset) else text[offset : offset + 1]
    end = offset + len(letter)
    if not letter:
        raise config.error(start, text[start:end], "is not followed by a directive; write %% for a percent sign")
    try:
        time = time_directive(argument) if letter == "t" else None
        column, field_type = _column(letter, argument) if time is None else (time.column, time.type)
    except FormatError as error:
        raise config.error(start, text[start:end], str(error)) from error
    if modifier == ">" and letter in _OF_ORIGINAL_REQUEST:
        column = f"final_{column}"
    elif modifier == "<" and letter not in _OF_ORIGINAL_REQUEST:
        column = f"original_{column}"
    directive = ApacheDirective(
        text[start:end], start, column, field_type, is_list=column in _LIST_COLUMNS, modifier=modifier, time=time,
        bare_type=_BARE_TYPES.get(column),
    )  # fmt: skip
    return directive, end


def _column(letter: str, argument: str | None) -> tuple[str, FieldType]:
    """Returns column and type of a directive.

    Raises:
        FormatError: the directive is not known, or its argument is not known, missing or superfluous.
    """
    if argument is None:
        if letter in SIMPLE:
            return SIMPLE[letter]
        if letter in NAMED:
            raise FormatError(f"needs a name in braces: %{{...}}{letter}")
        raise _unknown(letter)
    if letter in KEYWORDS:
        keywords = KEYWORDS[letter]
        if argument.lower() in keywords:
            return keywords[argument.lower()]
        known = ", ".join(f"%{{{keyword}}}{letter}" for keyword in keywords)
        raise FormatError(f"{argument!r} is not known here{suggestion(argument, keywords)}; known are {known}")
    if letter in NAMED:
        name = re.sub(r"\W+", "_", argument.strip()).strip("_").lower()
        if not name:
            raise FormatError("has no name in its braces")
        return NAMED[letter] + name, _TEXT
    if letter in SIMPLE:
        raise FormatError(f"takes nothing in braces; write %{letter}")
    raise _unknown(letter)


def _unknown(letter: str) -> FormatError:
    other = letter.swapcase()
    hint = f"; did you mean '%{other}'?" if other in SIMPLE or other == "t" else ""
    known = " ".join(f"%{one}" for one in _ALL)
    return FormatError(f"is not a known directive{hint}; known are {known}, and %% for a percent sign")
