r"""Detects notations of other tools in the option ``template``, in which their signs would be literal text that no line has.

A template may have such text: ``%{facility}-{severity}`` describes lines of Cisco. A notation is therefore recognised only if
all fields are in it, or if the template has no field.
"""

from __future__ import annotations

import re

from pyspark_logs.errors import FormatError

_NAMED_GROUP = re.compile(r"\(\?P?<[^\W\d]\w*>")
# A field, the sign of another notation before it, and the conversion that Apache writes after it.
_FIELD = re.compile(
    r"(?P<sign>%[-.\d]*[A-Za-z]*|\$|)(?<!\{)\{(?P<inside>[^{}?~][^{}]*)\}(?!\})(?P<letter>[A-Za-z]?)", re.ASCII
)
_GROK = re.compile(r"[A-Z][A-Z0-9_]*(?::(?P<name>[\w.\-]+)(?::\w+)?)?")
_STRPTIME = re.compile(r"%Y\W?%m\W?%d\S*(?:\s+%H\S*)?|%d\W%b\W%Y\S*|%H:%M\S*")
_JAVA_TIME = re.compile(r"yyyy\W?MM\W?dd|HH:mm|dd\WMMM\Wyyyy")
_NGINX = re.compile(r"\$(?:remote_addr|remote_user|time_local|time_iso8601|request|status|msec|http_\w+)\b")
_CONVERSION = re.compile(r"%[-.\d<>]*[A-Za-z]")

# Placeholders of other notations, each with one group for the name.
_PLACEHOLDERS = (
    re.compile(r"%\((\w+)\)[-.\d]*[a-z]"),  # Python's logging
    re.compile(r"\{\{\s*(\w+)\s*\}\}"),  # Jinja, Mustache
    re.compile(r"\$(\w*[^\W\d]\w*)"),  # shells, nginx
    re.compile(r"<([^\W\d][\w.-]*)>"),
)
_PASTED = "write apache= for a LogFormat of Apache, or logback= for a pattern of Logback or Log4j 2"


def refuse_foreign_notation(text: str) -> None:
    """Checks that a template is not written in the notation of another tool.

    Raises:
        FormatError: it is; the message names the option that takes the notation, or shows the template.

    >>> refuse_foreign_notation("{ts:timestamp} %{facility}-{severity:int}: {message}")
    >>> refuse_foreign_notation("<level> <message>")
    Traceback (most recent call last):
    ...
    pyspark_logs.errors.FormatError: template '<level> <message>' has no field, because fields are in braces. Write {level} {message}
    """
    problem = _problem(text)
    if problem is not None:
        raise FormatError(f"template {text!r} {problem}")


def _problem(text: str) -> str | None:
    if _NAMED_GROUP.search(text):
        return "is a regular expression; write regex= for it, or fields as {name} or {name:type} here"
    fields = list(_FIELD.finditer(text))
    literal = re.sub(r"\{[^{}]*\}", "", text)
    if _STRPTIME.search(literal) or _JAVA_TIME.search(literal):
        found = _STRPTIME.search(literal)
        pattern = found[0].rstrip(":,;]") if found else "%Y-%m-%d %H:%M:%S"
        return f"has the pattern of a time as text; write {{ts:timestamp({pattern})}} for a time"
    if not fields:
        return _problem_without_fields(text)
    if not all(field["sign"] for field in fields):
        return None
    return _problem_of_signs(text, fields)


def _problem_of_signs(text: str, fields: list[re.Match[str]]) -> str:
    """Returns the problem of a template in which all fields follow a sign."""
    if any(field["sign"][-1].isalpha() for field in fields):
        return f"has fields after {fields[0]['sign']!r}, which is a conversion of another notation; {_PASTED}"
    if any(field["letter"] for field in fields) and fields[0]["sign"] == "%":
        return f"has fields as %{{name}}{fields[-1]['letter']}; {_PASTED}"
    grok = [_GROK.fullmatch(field["inside"]) for field in fields]
    ours = _FIELD.sub(lambda field: f"{{{_name(field['inside'])}}}", text)
    if fields[0]["sign"] == "%" and all(grok):
        return f"is grok; write grok= for it, or {ours} here"
    return f"has fields as {fields[0][0]}, in which {fields[0]['sign']!r} is text. Write {ours}"


def _name(inside: str) -> str:
    """Returns the field of ``{...}`` in grok, or as it is."""
    grok = _GROK.fullmatch(inside)
    return inside if grok is None else grok["name"] or inside.lower()


def _problem_without_fields(text: str) -> str | None:
    word = text.strip()
    if re.fullmatch(r"\S+\.(conf|cfg|txt|ya?ml|json|log)|[.~]?/\S+", word):
        return f"is the name of a file, and the option takes the text of a template; write open({word!r}).read() for its content"
    if _NGINX.search(text):
        return "has variables of nginx; write nginx= for a log_format of nginx, or fields as {name} or {name:type} here"
    for placeholder in _PLACEHOLDERS:
        if placeholder.search(text):
            ours = placeholder.sub(r"{\1}", text)
            return f"has no field, because fields are in braces. Write {ours}"
    if _CONVERSION.search(text):
        return (
            f"has conversions of another notation and no field; {_PASTED}, or fields as {{name}} or {{name:type}} here"
        )
    return None
