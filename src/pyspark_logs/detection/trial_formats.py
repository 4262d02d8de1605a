"""Formats that detection tries: presets, common configurations of servers, general formats, proposed templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pyspark_logs.detection.envelopes import find_records_path
from pyspark_logs.detection.proposal import propose_templates
from pyspark_logs.detection.value_patterns import KEY
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.records import begins_value_of_several_lines

_HEADER_NAME = re.compile(r"[A-Za-z_][\w .()/-]*")
_MIN_DELIMITED_COLUMNS = 3
# The search for keys tries every suffix of a long word, so it is limited to the beginning of a line.
_MAX_SEARCHED_CHARS = 2048
_FEW_LINES = 4
_CHECKED_LINES = 100
_MAX_TEMPLATES = 2  # further ones are prefixes that tell less

_COMBINED = '"$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
# Configurations that nginx, Apache, Logback and Log4j document as defaults or examples.
SERVER_CONFIGURATIONS: tuple[Mapping[str, str], ...] = (
    {"nginx": f"$remote_addr - $remote_user [$time_local] {_COMBINED} $request_time"},
    {"nginx": f"$remote_addr - $remote_user [$time_local] {_COMBINED} $request_time $upstream_response_time"},
    {
        "nginx": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer"'
        ' "$http_user_agent" $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name]'
        " $upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id"
    },
    {"apache": '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"'},
    {"apache": '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D'},
    {"apache": '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O'},
    {"logback": "%d{HH:mm:ss.SSS} [%thread] %-5level %logger{36} -%kvp- %msg%n"},
    {"logback": "%d{HH:mm:ss.SSS} [%thread] %-5level %logger{36} - %msg%n"},
    {"logback": "%d{yyyy-MM-dd HH:mm:ss.SSS} [%thread] %-5level %logger{36} - %msg%n"},
)

# Text that only one of the servers with the same log format writes. nginx has the status 499, logs an empty request as
# "", and escapes bytes in upper-case hexadecimal. Apache escapes quotes by a backslash, and logs "-" for zero bytes.
# Lambda writes such lines to CloudWatch Logs, whose exports have times of milliseconds in UTC before each message.
SIGNATURES = {
    "aws_cloudwatch_export": re.compile(
        r"^[\d-]{10}T[\d:]{8}\.\d{3}Z (?:INIT_START|START|END|REPORT) (?:RequestId|Runtime)"
    ),
    "nginx_combined": re.compile(r'" 499 \d|\] "" \d{3} |\\x[0-9A-F]*[A-F]'),
    "apache_combined": re.compile(r'\\"|" \d{3} - "|\\x[0-9a-f]*[a-f]'),
}


def preset_formats() -> Iterator[Mapping[str, str]]:
    """Yields the options of each preset."""
    for name in PRESETS:
        yield {"preset": name}


def general_formats(lines: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Yields the options of those of JSON, logfmt and delimited values that the first lines look like."""
    first = lines[0] if lines else ""
    if first.lstrip().startswith(("{", "[")):
        yield {"json": "true"}
        if (path := find_records_path("\n".join(lines))) is not None:
            yield {"json": "true", "recordsPath": path}
    if KEY.match(first) and len(KEY.findall(first, 0, _MAX_SEARCHED_CHARS)) > 1:
        yield {"logfmt": "true"}
    for separator in (",", "\t", ";", "|"):
        if any(line.startswith(("#Fields:", "#fields" + separator)) for line in lines[:10]):
            yield {"delimited": separator, "header": "fields"}
        names = first.split(separator)
        is_header = all(_HEADER_NAME.fullmatch(name.strip(' "')) for name in names)
        if is_header and (len(names) >= _MIN_DELIMITED_COLUMNS or _has_two_columns(names, lines, separator)):
            yield {"delimited": separator, "header": "first"}


def _has_two_columns(names: Sequence[str], lines: Sequence[str], separator: str) -> bool:
    """Returns True if two names are identifiers, and other lines contain the separator; prose begins otherwise."""
    return (
        len(names) == 2
        and all(name.strip('"').isidentifier() for name in names)
        and len(lines) > 1
        and all(separator in line for line in lines[:_CHECKED_LINES])
    )


def _is_json(lines: Sequence[str]) -> bool:
    """Returns True if the first line is a JSON object or array of objects, or begins a value of several lines."""
    first = lines[0].strip()
    if first.startswith(("{", "[{")) and first.endswith(("}", "}]")):
        return True
    head = "\n".join(lines[:_FEW_LINES]).lstrip()
    return head[:1] in ("{", "[") and begins_value_of_several_lines(head.encode("utf-8", "replace") + b"\n")


def proposed_formats(lines: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Yields the options of templates proposed for the lines; none if these are JSON."""
    if lines and ((lines[0].lstrip().startswith("{") and lines[0].rstrip().endswith("}")) or _is_json(lines)):
        return
    for template in propose_templates(lines)[:_MAX_TEMPLATES]:
        yield {"template": template}
