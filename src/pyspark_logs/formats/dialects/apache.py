"""Apache HTTP Server: the lines that a ``LogFormat`` writes.

Source: Apache HTTP Server 2.4, "Apache Module mod_log_config" (Custom Log Formats, Modifiers, Format Notes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyspark_logs.formats.dialects.apache_config import read_log_format
from pyspark_logs.formats.dialects.apache_directives import ApacheDirective, parse_directives
from pyspark_logs.formats.dialects.apache_times import combine_times
from pyspark_logs.formats.dialects.directives import build_segments, merge_addresses
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.notation import make_template
from pyspark_logs.formats.template.segments import Field
from pyspark_logs.formats.types.escape_styles import APACHE
from pyspark_logs.options import FormatOptions

_ADDRESSES = frozenset({"client_ip", "peer_ip", "local_ip", "remote_host", "peer_host"})
_PORTS = frozenset({"remote_port", "server_port", "local_port"})


def apache_format(options: FormatOptions) -> LineFormat:
    """Returns the format of the lines that a ``LogFormat`` writes.

    Raises:
        FormatError: the format string is not understood; the message shows the position.
    """
    config = read_log_format(options.spec)
    items = _name_statuses(_merge_urls(_merge_times(parse_directives(config))))
    merged = merge_addresses(items, lambda host, port: host in _ADDRESSES and port in _PORTS)
    segments, composite_fields = build_segments(config, merged, APACHE)
    if not any(isinstance(segment, Field) for segment in segments):
        raise config.no_columns("has no directive, so there are no columns; directives begin with '%'")
    return TemplateFormat(make_template(config.text, segments), options, f"apache {config.text!r}", composite_fields)


def _merge_times(items: Sequence[str | ApacheDirective]) -> list[str | ApacheDirective]:
    """Returns the items with time directives that together write one time merged into one directive."""
    merged: list[str | ApacheDirective] = []
    for item in items:
        separator = merged[-1] if merged and isinstance(merged[-1], str) else ""
        index = len(merged) - (2 if separator else 1)
        first = merged[index] if index >= 0 else None
        if isinstance(item, ApacheDirective) and item.time and isinstance(first, ApacheDirective) and first.time:
            time = combine_times(first.time, separator, item.time)
            if time is not None:
                text = first.text + separator + item.text
                merged[index:] = [replace(first, text=text, type=time.type, time=time)]
                continue
        merged.append(item)
    return merged


def _merge_urls(items: Sequence[str | ApacheDirective]) -> list[str | ApacheDirective]:
    """Returns the items with each ``%U%q`` merged into ``url``: the query begins with ``?`` unless it is empty."""
    merged: list[str | ApacheDirective] = []
    for item in items:
        path = merged[-1] if merged else ""
        if (
            isinstance(item, ApacheDirective)
            and isinstance(path, ApacheDirective)
            and (path.column, item.column) == ("url_path", "query_string")
        ):
            merged[-1] = replace(path, text=path.text + item.text, column="url")
        else:
            merged.append(item)
    return merged


def _name_statuses(items: Sequence[str | ApacheDirective]) -> list[str | ApacheDirective]:
    """Returns the items with ``%s`` as ``original_status`` if the format has the final status ``%>s``, too."""

    def is_status(item: str | ApacheDirective, *, final: bool) -> bool:
        return isinstance(item, ApacheDirective) and item.column == "status" and (item.modifier == ">") == final

    if not any(is_status(item, final=True) for item in items):
        return list(items)
    return [
        replace(item, column="original_status")
        if isinstance(item, ApacheDirective) and is_status(item, final=False)
        else item
        for item in items
    ]
