"""nginx: the lines that a ``log_format`` writes.

Source: nginx.org, "Module ngx_http_log_module" (``log_format``, ``escape``), "Embedded Variables" of the modules
``http_core``, ``upstream``, ``ssl``, ``realip``, ``gzip``, ``stream_core`` and ``stream_upstream``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.dialects.config_text import ConfigText
from pyspark_logs.formats.dialects.directives import Directive, build_segments, merge_addresses
from pyspark_logs.formats.dialects.json_object import JsonObjectFormat
from pyspark_logs.formats.dialects.json_template import parse_json_template
from pyspark_logs.formats.dialects.nginx_config import ESCAPE_STYLES, read_log_format
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.notation import make_template
from pyspark_logs.formats.template.segments import Field, Segment
from pyspark_logs.formats.types.escape_styles import EscapeStyle
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Floating, Integer
from pyspark_logs.formats.types.server import UserName
from pyspark_logs.formats.types.temporal import Epoch, Timestamp
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.types.validated_text import word
from pyspark_logs.options import FormatOptions

_INT, _LONG, _DOUBLE = Integer(32), Integer(64), Floating()
# The predefined format.
_COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)

# Variable -> type; all other variables are strings, among them those of upstreams, which are lists.
TYPES: Mapping[str, FieldType] = {
    "time_local": Timestamp("%d/%b/%Y:%H:%M:%S %z"),
    "time_iso8601": Timestamp("%Y-%m-%dT%H:%M:%S%:z"),
    "msec": Epoch("s", digits=3),
    **dict.fromkeys(("request_time", "session_time", "connection_time", "gzip_ratio"), _DOUBLE),
    **dict.fromkeys(
        ("status", "remote_port", "server_port", "request_port", "proxy_port", "proxy_protocol_port",
         "proxy_protocol_server_port", "realip_remote_port", "pid"), _INT,
    ),
    **dict.fromkeys(
        ("body_bytes_sent", "bytes_sent", "bytes_received", "request_length", "content_length", "connection",
         "connection_requests", "connections_active", "connections_reading", "connections_writing",
         "connections_waiting", "limit_rate", "tcpinfo_rtt", "tcpinfo_rttvar", "tcpinfo_snd_cwnd", "tcpinfo_rcv_space"),
        _LONG,
    ),
}  # fmt: skip
# Values without spaces; nginx validates those that are sent by clients (ngx_http_parse_request_line(),
# ngx_http_validate_host()).
_WORDS = frozenset(
    {"remote_addr", "realip_remote_addr", "proxy_protocol_addr", "proxy_protocol_server_addr", "server_addr", "host",
     "hostname", "server_name", "scheme", "https", "request_method", "server_protocol", "request_id", "pipe", "protocol",
     "ssl_protocol", "ssl_cipher", "ssl_session_reused", "upstream_cache_status"}
)  # fmt: skip
_LISTS = re.compile(r"(?:http|proxy_add)_x_forwarded_for|upstream_(?:addr|status|\w+_time|\w+_length|bytes_\w+)")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)


def nginx_format(options: FormatOptions) -> LineFormat:
    """Returns the format of the lines that a ``log_format`` writes.

    Raises:
        FormatError: the format string is not understood; the message shows the position.
    """
    config, escape = read_log_format(_COMBINED if options.spec == "combined" else options.spec)
    escape_style = ESCAPE_STYLES[escape]
    name = f"nginx {config.text!r}"
    if config.text.lstrip().startswith("{") and not config.text.lstrip().startswith("{$"):
        try:
            segments = parse_json_template(config, _VARIABLE, TYPES, escape_style)
        except FormatError:  # with other escapes the braces may be literal text
            if escape == "json":
                raise
        else:
            _check_columns(config, segments)
            return JsonObjectFormat(make_template(config.text, segments), options, name)
    items = merge_addresses(_parse_variables(config, escape_style), _belong_together)
    segments, composite_fields = build_segments(config, items, escape_style)
    _check_columns(config, segments)
    return TemplateFormat(make_template(config.text, segments), options, name, composite_fields)


def _check_columns(config: ConfigText, segments: Sequence[Segment]) -> None:
    if not any(isinstance(segment, Field) for segment in segments):
        problem = "has no variable, so there are no columns; variables are written $status or ${status}"
        raise config.no_columns(problem)


def _belong_together(address: str, port: str) -> bool:
    """Returns true for ``remote_addr`` and ``remote_port``, and for similar pairs of variables."""
    return address.endswith("_addr") and port == f"{address.removesuffix('addr')}port"


def _parse_variables(config: ConfigText, escape_style: EscapeStyle | None) -> list[str | Directive]:
    """Returns the literal text and the variables of a format string, in order.

    Raises:
        FormatError: a dollar sign without the name of a variable.
    """
    items: list[str | Directive] = []
    offset, text = 0, config.text
    while offset < len(text):
        dollar = text.find("$", offset)
        end = len(text) if dollar < 0 else dollar
        if end > offset:
            items.append(text[offset:end])
        if dollar < 0:
            break
        variable = _VARIABLE.match(text, dollar)
        if variable is None:
            problem = "is not followed by the name of a variable (letters, digits and '_'), as $status or ${status}"
            raise config.error(dollar, "$", problem)
        name = variable[1] or variable[2]
        field_type = TYPES.get(name) or Text(escape_style)
        is_list = _LISTS.fullmatch(name) is not None
        items.append(
            Directive(variable[0], dollar, name, field_type, is_list, bare_type=_bare_type(name, escape_style))
        )
        offset = variable.end()
    return items


def _bare_type(name: str, escape_style: EscapeStyle | None) -> FieldType | None:
    """Returns the type of a variable whose value is neither in quotes nor a list; None: it is any text."""
    if name == "remote_user":
        return UserName(escape_style)
    return word(escape_style) if name in _WORDS else None
