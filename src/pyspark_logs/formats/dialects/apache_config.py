r"""The format string of Apache's ``LogFormat`` or ``CustomLog`` directive, without the configuration around it.

Source: Apache HTTP Server 2.4, "Apache Module mod_log_config" (``LogFormat``, ``CustomLog``, Custom Log Formats),
"Configuration Files" (Syntax of the Configuration Files).
"""

from __future__ import annotations

import re

from pyspark_logs.formats.dialects.config_text import ConfigText, error_at

_DIRECTIVE = re.compile(r"\s*(LogFormat|CustomLog|GlobalLog|TransferLog|ErrorLogFormat)\s+", re.IGNORECASE)
_DIRECTIVE_WITHIN = re.compile(r"\n\s*(LogFormat|CustomLog)\s", re.IGNORECASE)
_OTHER_DIRECTIVES = {
    "transferlog": "names a file, not a format; paste the LogFormat",
    "errorlogformat": "is the format of another log, with other directives; read error logs with preset=apache_error",
}
_ESCAPED = {"t": "\t", "n": "\n", '"': '"', "'": "'", "\\": "\\"}


def read_log_format(source: str) -> ConfigText:
    r"""Returns the format string of a directive, or of its bare argument, with ``\" \\ \t \n`` unescaped.

    Raises:
        FormatError: the directive defines no access log format, or a string is not closed.
    """
    directive = _DIRECTIVE.match(source)
    if directive is None:
        if (within := _DIRECTIVE_WITHIN.search(source)) is not None:
            problem = "is within other configuration; paste this line alone"
            raise error_at("apache", source, within.start(1), within[1], problem)
        return _read_argument(source)
    name, offset = directive[1].lower(), directive.end()
    if name in _OTHER_DIRECTIVES:
        raise error_at("apache", source, directive.start(1), directive[1], _OTHER_DIRECTIVES[name])
    if name in ("customlog", "globallog"):
        _, offset = _argument_range(source, offset)
        while offset < len(source) and source[offset].isspace():
            offset += 1
    (start, end), _ = _argument_range(source, offset)
    config = _unescape(source, start, end)
    if "%" in source[end:] and source[offset] not in ('"', "'"):
        raise error_at("apache", source, start, source[start:end], "ends at a blank; put the whole format into quotes")
    if "%" not in config.text:
        problem = "is the nickname of a format; paste the LogFormat that defines it"
        raise error_at("apache", source, start, config.text, problem)
    return config


def _read_argument(source: str) -> ConfigText:
    """Returns the format string of a value without a directive's name.

    Quotes around the value belong to the configuration if the string contains escaped quotes, or if nothing follows it
    and it contains several directives; otherwise the log lines themselves have the quotes. A nickname may follow.
    """
    closing = _closing_quote(source, 0) if source[:1] in ('"', "'") else -1
    rest = source[closing + 1 :].strip()
    escaped = source[:1] == '"' and '\\"' in source[:closing]
    if closing > 0 and "%" not in rest and (escaped or (not rest and source.count("%") > 1)):
        return _unescape(source, 1, closing)
    return _unescape(source, 0, len(source))


def _argument_range(source: str, offset: int) -> tuple[tuple[int, int], int]:
    """Returns the range of an argument without its quotes, and the offset after the argument."""
    if source[offset : offset + 1] in ('"', "'"):
        end = _closing_quote(source, offset)
        if end < 0:
            raise error_at("apache", source, offset, source[offset], "opens a string that is not closed")
        return (offset + 1, end), end + 1
    end = next((at for at in range(offset, len(source)) if source[at].isspace()), len(source))
    return (offset, end), end


def _closing_quote(source: str, opening: int) -> int:
    """Returns the offset of the quote that closes the string opened at an offset, or -1."""
    offset = opening + 1
    while offset < len(source):
        if source[offset] == "\\":
            offset += 2
        elif source[offset] == source[opening]:
            return offset
        else:
            offset += 1
    return -1


def _unescape(source: str, start: int, end: int) -> ConfigText:
    """Returns a range of the source without its escapes; an unknown escape keeps its backslash."""
    text, offsets = "", list[int]()
    offset = start
    while offset < end:
        offsets.append(offset)
        if source[offset] == "\\" and offset + 1 < end:
            character = source[offset + 1]
            text += _ESCAPED.get(character, "\\" + character)
            offsets += [offset + 1] * (character not in _ESCAPED)
            offset += 2
        else:
            text += source[offset]
            offset += 1
    return ConfigText("apache", source, text, tuple(offsets))
