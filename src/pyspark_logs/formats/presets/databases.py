"""Proxies and databases: HAProxy, PostgreSQL, Redis, MongoDB."""

from __future__ import annotations

from dataclasses import replace

from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.presets.entry import JsonForm, Preset, TemplateForm
from pyspark_logs.formats.template.composite_fields import CompositeField, ConditionalText, FieldPart
from pyspark_logs.formats.template.zone_abbreviation import TimeAndZone
from pyspark_logs.formats.types.multi_pattern_timestamp import MultiPatternTimestamp
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.server import TruncatedQuoted
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.types.validated_text import ValidatedText

# Files of a syslog daemon have a syslog header; HAProxy's standard output does not.
_PROCESS_AND_CLIENT = CompositeField(
    r"(?:(?:(?P<syslog_header>.*) )?(?P<process_name>[^\s\[\]:]+)(?:\[(?P<pid>\d{1,9})\])?: )?"
    r"(?:-|(?P<client_ip>[0-9A-Za-z_.\[:][0-9A-Za-z_.:%\[\]-]*)):(?P<client_port>\d{1,5})",
    (
        FieldPart("syslog_header", Text(), after=" "),
        FieldPart("process_name", Text()),
        FieldPart("pid", Integer(32), before="[", after="]"),
        ConditionalText(": ", "process_name"),
        FieldPart("client_ip", Text()),
        ConditionalText("-", "client_ip", if_null=True),
        ConditionalText(":", "client_port"),
        FieldPart("client_port", Integer(32)),
    ),
)
# HAProxy cuts a long request, and the closing quote with it.
_REQUEST = CompositeField('"(?P<http_request>[^"]*)"?', (FieldPart("http_request", Text(), before='"', after='"'),))

_PROXY_HEAD = "{client} [{accept_date:timestamp(%d/%b/%Y:%H:%M:%S.%f)}] {frontend_name} {backend_name}/{server_name} "
# HAProxy, "Proxies": names have letters, digits, "-", "_", "." and ":"; <NOSRV> and <STATS> stand for a missing server.
_PROXY_NAMES = dict.fromkeys(
    ("backend_name", "server_name"), ValidatedText(form="[^ /]+", excluded=b" /", is_exact=True)
)
_TLS_NAMES = {
    "ssl_fc_sni": ValidatedText(form="[^ /]+", excluded=b" /", is_exact=True),
    "ssl_version": ValidatedText(form="(?:TLS|SSL)v[0-9.]+"),
    "ssl_ciphers": ValidatedText(form="[0-9A-Za-z_:-]+"),
}
_PROXY_COUNTS = (
    "{actconn:int}/{feconn:int}/{beconn:int}/{srv_conn:int}/{retries:int} {srv_queue:int}/{backend_queue:int}"
)

_PROXY_TLS = (
    "{? {fc_err:long?}/{ssl_fc_err?}/{ssl_c_err:long?}/{ssl_c_ca_err:long?}/{ssl_fc_is_resumed:int?}"
    " {ssl_fc_sni?}/{ssl_version?}/{ssl_ciphers?}?}"
)

# log_line_prefix after the time: '[%p] ', '[%p-%l] %q%u@%d ', or the prefix that pgBadger's documentation recommends, with or
# without '[%l-1] ', application and client.
_PROCESS, _LINE_NUM = (
    FieldPart("process_id", Integer(32)),
    FieldPart("session_line_num", Integer(64), before="-", also=("num",)),
)
_SEVERITY = FieldPart("error_severity", Text())
# PostgreSQL, "Error Reporting and Logging", Message Severity Levels, and the kinds of line that follow a message
# (send_message_to_server_log() in elog.c).
_SEVERITIES = (
    "DEBUG[1-5]|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT|LOCATION|BACKTRACE|STATEMENT"
)
_SESSION = CompositeField(
    r"(?P<process_id>\d+)(?:-(?P<session_line_num>\d+))?\]:? (?:\[(?P<num>\d+)-\d+\] ?)?"
    r"(?:user=(?P<user>[^,]*),db=(?P<db>[^,]*)(?:,app=(?P<application_name>.*?))?(?:,client=(?P<connection_from>[^ ,]*))? "
    rf"|(?P<user_name>\[unknown\]|[^@ \[]*)@(?P<database_name>[^ ]*) )?(?P<error_severity>{_SEVERITIES})",
    (
        replace(_PROCESS, after="]: "),
        replace(_LINE_NUM, before="[", after="-1] "),
        ConditionalText("user=", "error_severity"),
        FieldPart("user_name", Text(), also=("user",)),
        ConditionalText(",db=", "error_severity"),
        FieldPart("database_name", Text(), also=("db",)),
        FieldPart("application_name", Text(), before=",app="),
        FieldPart("connection_from", Text(), before=",client="),
        ConditionalText(" ", "error_severity"),
        _SEVERITY,
    ),
    short_parts=(
        _PROCESS,
        _LINE_NUM,
        ConditionalText("] ", "process_id"),
        FieldPart("user_name", Text(), after="@"),
        FieldPart("database_name", Text(), after=" "),
        _SEVERITY,
    ),
)

_REDIS_PROCESS = CompositeField(
    r"(?:\[(?P<old_pid>\d{1,9})\]|(?P<pid>\d{1,9}):(?P<role>[A-Z]?|signal-handler))",
    (FieldPart("pid", Integer(32), after=":", also=("old_pid",)), FieldPart("role", Text())),
)
_REDIS_TIME = "%d %b %Y %H:%M:%S.%f"
# serverLogRawFromHandler() writes the time as epoch seconds in parentheses, and no level.
_REDIS_EVENT = CompositeField(
    "(?:(?P<level>[.*#-]) )?(?P<message>.*)", (FieldPart("level", Text(), after=" "), FieldPart("message", Text()))
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        "haproxy_http",
        TemplateForm(
            _PROXY_HEAD
            + "{time_request:int}/{time_queue:int}/{time_backend_connect:int}/{time_backend_response:int}/{time_duration:int}"
            " {status_code:int} {bytes_read:long} {captured_request_cookie?} {captured_response_cookie?}"
            " {termination_state} " + _PROXY_COUNTS + "{? {{{captured_request_headers}}}?}"
            "{? {{{captured_response_headers}}}?} {request}" + _PROXY_TLS,
            types={**_PROXY_NAMES, **_TLS_NAMES, "request": TruncatedQuoted()},
            composite_fields={"client": _PROCESS_AND_CLIENT, "request": _REQUEST},
            may_be_blank=("captured_request_headers", "captured_response_headers"),
        ),
        source='HAProxy Configuration Manual, "HTTP log format" (option httplog) and, with the fields after the request,'
        ' "HTTPS log format" (option httpslog); the timers TR, Tw, Tc, Tr and Ta (Tq and Tt before 1.7)'
        " are named by their meaning, because SQL does not distinguish TR and Tr:"
        " https://docs.haproxy.org/2.8/configuration.html#8.2.3",
        sample=(
            (
                "Nov 22 01:00:14 localhost haproxy[14389]: 10.0.1.2:33317 [22/Nov/2026:01:00:14.655] http-in static/srv1"
                ' 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"'
            ),
            (
                "Nov 22 01:00:15 localhost haproxy[14389]: 10.0.1.2:33319 [22/Nov/2026:01:00:15.412] https-in~ static/srv1"
                ' 0/0/1/4/5 200 310 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/2.0" 0/0000000000000000/0/0/0'
                " shop.example.com/TLSv1.3/TLS_AES_256_GCM_SHA384"
            ),
        ),
    ),
    Preset(
        "haproxy_tcp",
        TemplateForm(
            _PROXY_HEAD + "{time_queue:int}/{time_backend_connect:int}/{time_duration:int} {bytes_read:long}"
            " {termination_state} " + _PROXY_COUNTS,
            types=_PROXY_NAMES,
            composite_fields={"client": _PROCESS_AND_CLIENT},
            may_be_blank=(),
        ),
        source='HAProxy Configuration Manual, "TCP log format" (option tcplog); the timers Tw, Tc and Tt are named by their meaning:'
        " https://docs.haproxy.org/2.8/configuration.html#8.2.2",
        sample=(
            (
                "Nov 22 01:00:12 localhost haproxy[14387]: 10.0.1.2:33313 [22/Nov/2026:01:00:12.443] fnt bck/srv1 0/0/5007"
                " 212 -- 0/0/0/0/3 0/0"
            ),
        ),
    ),
    Preset(
        "postgres",
        TemplateForm(
            "{stamp} [{session}:  {message}",
            composite_fields={"stamp": TimeAndZone("log_time", "time_zone"), "session": _SESSION},
        ),
        source="PostgreSQL, log_line_prefix '%m [%p] ' (the default), '%m [%p-%l] %q%u@%d ', or pgBadger's '%t [%p]: [%l-1]"
        " user=%u,db=%d,app=%a,client=%h '; columns are named as in the CSV log:"
        " https://www.postgresql.org/docs/current/runtime-config-logging.html",
        sample=(
            "2026-11-22 01:00:11.045 UTC [123] LOG:  database system is ready to accept connections",
            '2026-11-22 01:00:12.310 UTC [456] ana@shop ERROR:  relation "orders" does not exist at character 15',
            "2026-11-22 01:00:13 UTC [456]: [7-1] user=ana,db=shop,app=psql,client=192.0.2.7 LOG:  duration: 0.612 ms",
        ),
    ),
    Preset(
        "redis",
        TemplateForm(
            "{process} {time:timestamp} {event}",
            types={
                "time": MultiPatternTimestamp(
                    _REDIS_TIME,
                    patterns=(_REDIS_TIME, "%d %b %H:%M:%S.%f", "%d %b %Y %H:%M:%S", "%d %b %H:%M:%S"),
                    seconds=True,
                )
            },
            composite_fields={"process": _REDIS_PROCESS, "event": _REDIS_EVENT},
        ),
        source="Redis, serverLogRaw() in server.c: pid:role day month year time level message; before 3.0 [pid], without a year:"
        " https://redis.io/docs/latest/operate/oss_and_stack/management/",
        sample=("123:M 22 Nov 2026 01:00:11.045 * Ready to accept connections tcp",),
    ),
    Preset(
        "mongodb_json",
        JsonForm(
            (
                JsonField("t", "timestamp", "t.$date"),
                JsonField("s"),
                JsonField("c"),
                JsonField("id", "int"),
                JsonField("ctx"),
                JsonField("svc"),
                JsonField("msg"),
                JsonField("attr", "json"),
                JsonField("tags", "array<string>"),
                JsonField("truncated", "json"),
                JsonField("size", "json"),
            )
        ),
        source='MongoDB, "Log Messages", structured logging (4.4 and later):'
        " https://www.mongodb.com/docs/manual/reference/log-messages/",
        sample=(
            (
                '{"t":{"$date":"2026-11-22T01:00:11.045+00:00"},"s":"I","c":"NETWORK","id":22943,"ctx":"listener",'
                '"msg":"Connection accepted","attr":{"remote":"192.0.2.7:51012","connectionId":12}}'
            ),
        ),
    ),
)
