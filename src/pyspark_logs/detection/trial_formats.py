"""Formats that detection tries: presets, common configurations of servers, general formats, proposed templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pyspark_logs.detection.proposal import propose_templates
from pyspark_logs.detection.value_patterns import KEY
from pyspark_logs.formats.presets import PRESETS

_HEADER_NAME = re.compile(r"[A-Za-z_][\w .()/-]*")
_MIN_DELIMITED_COLUMNS = 3
# The search for keys tries every suffix of a long word, so it is limited to the beginning of a line.
_MAX_SEARCHED_CHARS = 2048
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
SIGNATURES = {
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
    if first.lstrip().startswith("{"):
        yield {"json": "true"}
    if KEY.match(first) and len(KEY.findall(first, 0, _MAX_SEARCHED_CHARS)) > 1:
        yield {"logfmt": "true"}
    for separator in (",", "\t", ";", "|"):
        if any(line.startswith(("#Fields:", "#fields" + separator)) for line in lines[:10]):
            yield {"delimited": separator, "header": "fields"}
        names = first.split(separator)
        if len(names) >= _MIN_DELIMITED_COLUMNS and all(_HEADER_NAME.fullmatch(name.strip(' "')) for name in names):
            yield {"delimited": separator, "header": "first"}


def proposed_formats(lines: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Yields the options of templates proposed for the lines; none if these are JSON."""
    if lines and lines[0].lstrip().startswith("{") and lines[0].rstrip().endswith("}"):
        return
    for template in propose_templates(lines)[:_MAX_TEMPLATES]:
        yield {"template": template}
