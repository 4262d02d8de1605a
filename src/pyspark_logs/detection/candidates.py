"""What a file may be: the formats that ship, those that servers are often configured for, and general ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from pyspark_logs.detection.proposal import propose
from pyspark_logs.detection.shapes import KEY
from pyspark_logs.formats.presets import PRESETS

_MOST_COLUMNS_APART = 0.6  # of the columns that a preset's own sample fills, what JSON must fill to be of it
_NAME = re.compile(r"[A-Za-z_][\w .()/-]*")
_FEWEST_VALUES = 3
_LONGEST = 2048  # characters of a line in which keys are looked for
_COMBINED = '"$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'

# Configurations that are so common that nobody looks them up: what nginx, Apache, Spring Boot, Logback and Log4j document
# as their defaults or as an example.
_MOST_TEMPLATES = 2  # beyond that they only say less and less
DIALECTS: tuple[Mapping[str, str], ...] = (
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
    {"logback": "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %5p ${PID:- } --- [%15.15t] %-40.40logger{39} : %m%n"},
    {"logback": "%d{yyyy-MM-dd HH:mm:ss.SSS} %5p ${PID:- } --- [%15.15t] %-40.40logger{39} : %m%n"},
)


# Of formats with the same lines: what only the one of them would write. An nginx knows a status of its own, writes an
# empty request as such, and bytes in capital hex; Apache escapes quotes, and writes a dash where there are no bytes.
TELLS = {
    "nginx_combined": re.compile(r'" 499 \d|\] "" \d{3} |\\x[0-9A-F]*[A-F]'),
    "apache_combined": re.compile(r'\\"|" \d{3} - "|\\x[0-9a-f]*[a-f]'),
}


def presets() -> Iterator[Mapping[str, str]]:
    """The formats that ship."""
    for name in PRESETS:
        yield {"preset": name}


def general(lines: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Formats that say how a line is built and not what is in it."""
    first = lines[0] if lines else ""
    if first.lstrip().startswith("{"):
        yield {"json": "true"}
    # A long word is tried from each of its places up to its end, so not more of a line than costs nothing.
    if KEY.match(first) and len(KEY.findall(first, 0, _LONGEST)) > 1:
        yield {"logfmt": "true"}
    for separator in (",", "\t", ";", "|"):
        if any(line.startswith("#Fields:") for line in lines[:10]):
            yield {"delimited": separator, "header": "fields"}
        names = first.split(separator)
        if len(names) >= _FEWEST_VALUES and all(_NAME.fullmatch(name.strip(' "')) for name in names):
            yield {"delimited": separator, "header": "first"}


def fits(rows: pa.Table, own: pa.Table) -> bool:
    """Whether JSON records are a preset's: they fill most of the columns that those of its own sample fill."""
    filled, usual = (sum(len(part) - part.column(i).null_count for i in range(part.num_columns)) / len(part)
                     for part in (rows, own))  # fmt: skip
    return filled >= _MOST_COLUMNS_APART * usual


def templates(lines: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Templates made for these very lines, unless they are JSON."""
    if lines and lines[0].lstrip().startswith("{") and lines[0].rstrip().endswith("}"):
        return
    for template in propose(lines)[:_MOST_TEMPLATES]:
        yield {"template": template}
