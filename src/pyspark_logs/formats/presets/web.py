"""Web servers: Apache HTTP Server, nginx."""

from __future__ import annotations

from pyspark_logs.formats.presets.entry import Preset, TemplateForm
from pyspark_logs.formats.template.composite_fields import CompositeField, FieldPart
from pyspark_logs.formats.template.nginx_error import MessageAndContext
from pyspark_logs.formats.types.escape_styles import APACHE
from pyspark_logs.formats.types.multi_pattern_timestamp import ISO_8601, MultiPatternTimestamp
from pyspark_logs.formats.types.server import UserName
from pyspark_logs.formats.types.text import Quoted, Text

_CLF_TIME = "[{time:timestamp(%d/%b/%Y:%H:%M:%S %z)?}]"
# Apache, "Log Files": a hyphen means that the information is not available. A user's name may contain blanks; the bracket of
# the time ends it.
_COMMON = (
    "{remote_host?} {remote_logname?} {remote_user?} " + _CLF_TIME + " {request:quoted?} {status:int?} {bytes:long?}"
)
_TYPES = {**dict.fromkeys(("request", "referer", "user_agent"), Quoted(APACHE)), "remote_user": UserName()}

_ERROR_TIME = "%a %b %d %H:%M:%S.%f %Y"
# %{u}t and %t, %{cu}t and %{c}t, and the time of access logs, which some configurations use.
_ERROR_TIMES = (_ERROR_TIME, "%a %b %d %H:%M:%S %Y", ISO_8601, "%d/%b/%Y:%H:%M:%S %z")
# Apache HTTP Server 2.4, "Core", LogLevel; most levels of nginx have the same names.
_LEVELS = "emerg|alert|crit|error|warn|notice|info|debug|trace[1-8]"
_MODULE_LEVEL = CompositeField(
    rf"(?:(?P<module>[^: ]*):)?(?P<level>{_LEVELS})",
    (FieldPart("module", Text(), after=":"), FieldPart("level", Text())),
)
# In the order of do_errorlog_default() in server/log.c. Without a client, the source and the status cannot be distinguished
# from the message.
_SOURCE_CLIENT = CompositeField(
    r"(?:(?:(?P<source>[^\s:()\[\]]+\(\d+\)): )?(?:(?P<error_status>\(\d+\)[^\[\]]*): )?"
    r"\[(?:client|remote) (?P<client>[^\]]*)\] )?(?P<message>.*)",
    (
        FieldPart("source", Text(), after=": "),
        FieldPart("error_status", Text(), after=": "),
        FieldPart("client", Text(), before="[client ", after="] "),
        FieldPart("message", Text()),
    ),
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        "apache_common",
        TemplateForm(_COMMON, types=_TYPES, may_be_blank=()),
        about="Apache HTTP Server: access log, Common Log Format",
        source='Apache HTTP Server 2.4, "Log Files", Common Log Format: https://httpd.apache.org/docs/2.4/logs.html#common',
        sample=('192.0.2.7 unknown frank [22/Nov/2026:01:00:11 +0000] "GET /index.html HTTP/1.1" 200 5120',),
    ),
    Preset(
        "apache_combined",
        TemplateForm(_COMMON + " {referer:quoted?} {user_agent:quoted?}", types=_TYPES, may_be_blank=()),
        about="Apache HTTP Server: access log, Combined Log Format with referer and user agent",
        source='Apache HTTP Server 2.4, "Log Files", Combined Log Format:'
        " https://httpd.apache.org/docs/2.4/logs.html#combined",
        sample=(
            (
                '192.0.2.7 unknown frank [22/Nov/2026:01:00:11 +0000] "GET /index.html HTTP/1.1" 200 5120'
                ' "https://example.com/start" "Mozilla/5.0 (X11; Linux x86_64)"'
            ),
        ),
    ),
    Preset(
        "apache_error",
        TemplateForm(
            "[{time:timestamp}] [{module_level}] {?[pid {pid:int}{?:tid {tid:long}?}] ?}{rest}",
            types={"time": MultiPatternTimestamp(_ERROR_TIME, patterns=_ERROR_TIMES)},
            composite_fields={"module_level": _MODULE_LEVEL, "rest": _SOURCE_CLIENT},
        ),
        about="Apache HTTP Server: error log",
        source="Apache HTTP Server 2.4, the default ErrorLogFormat, and the format of version 2.2:"
        " https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat",
        sample=(
            (
                "[Sun Nov 22 01:00:11.902022 2026] [core:error] [pid 35708:tid 4328636416] [client 192.0.2.7:51012]"
                " AH00128: File does not exist: /srv/www/favicon.ico"
            ),
            (
                "[Sun Nov 22 01:00:11.903417 2026] [proxy:error] [pid 35708:tid 4328636416] (111)Connection refused:"
                " [client 192.0.2.7:51013] AH01102: error reading from remote server"
            ),
            "[Sun Nov 22 01:00:12 2026] [error] [client 192.0.2.7] File does not exist: /srv/www/favicon.ico",
        ),
    ),
    Preset(
        "nginx_combined",
        TemplateForm(
            "{remote_addr:word} - {remote_user?} [{time_local:timestamp(%d/%b/%Y:%H:%M:%S %z)}] {request:quoted?}"
            " {status:int?} {body_bytes_sent:long?} {http_referer:quoted?} {http_user_agent:quoted?}"
            "{? {http_x_forwarded_for:quoted?}?}",
            types={"remote_user": UserName()},
            may_be_blank=(),
        ),
        about="nginx: access log with the predefined format combined",
        source='nginx, ngx_http_log_module, log_format "combined"; with "$http_x_forwarded_for" as the last value, log_format'
        ' "main" of the default nginx.conf:'
        " https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format",
        sample=(
            '192.0.2.7 - - [22/Nov/2026:01:00:11 +0000] "GET /index.html HTTP/1.1" 200 5120 "-" "curl/8.5.0"',
            '192.0.2.8 - - [22/Nov/2026:01:00:12 +0000] "" 400 0 "-" "-"',
            '10.0.0.1 - - [22/Nov/2026:01:00:13 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8.5.0" "192.0.2.7, 10.0.0.9"',
        ),
    ),
    Preset(
        "nginx_error",
        TemplateForm(
            "{time:timestamp(%Y/%m/%d %H:%M:%S)} [{level:enum(debug|info|notice|warn|error|crit|alert|emerg)}]"
            " {pid:int}#{tid:int}: {?*{connection:long} ?}{rest}",
            composite_fields={"rest": MessageAndContext()},
        ),
        about="nginx: error log",
        source="nginx, error_log, as written by ngx_log_error_core() and ngx_http_log_error_handler():"
        " https://nginx.org/en/docs/ngx_core_module.html#error_log",
        sample=(
            (
                '2026/11/22 01:00:11 [error] 123#456: *789 open() "/srv/www/favicon.ico" failed (2: No such file or'
                ' directory), client: 192.0.2.7, server: example.com, request: "GET /favicon.ico HTTP/1.1",'
                ' host: "example.com"'
            ),
            "2026/11/22 01:00:12 [notice] 123#123: signal process started",
        ),
    ),
)
