"""Proxies: HAProxy, Envoy."""

from __future__ import annotations

from pyspark_logs.formats.presets.entry import Preset, TemplateForm
from pyspark_logs.formats.template.composite_fields import CompositeField, ConditionalText, FieldPart
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.server import LineRest, ProxyFrontend, RawQuoted, TruncatedQuoted
from pyspark_logs.formats.types.text import Text
from pyspark_logs.formats.types.validated_text import ValidatedText

# Files of a syslog daemon have a syslog header; HAProxy's standard output does not.
_PROCESS_AND_CLIENT = CompositeField(
    r"(?:(?:(?P<syslog_header>(?:[^:]|:[^ ])*) )?(?P<process_name>[^\s\[\]:]+)(?:\[(?P<pid>\d{1,9})\])?: )?"
    r"(?:-|(?P<client_ip>[0-9A-Za-z_\[:][0-9A-Za-z_.:%\[\]-]*)):(?P<client_port>\d{1,5})",
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

_PROXY_HEAD = (
    "{client} [{accept_date:timestamp(%d/%b/%Y:%H:%M:%S.%f)}] {frontend}{?: {message}?}{? {backend_name}/{server_name} "
)
# "Error log format": the message is about a connection that failed before there was a request.
# HAProxy, "Proxies": names have letters, digits, "-", "_", "." and ":"; <NOSRV> and <STATS> stand for a missing server.
_PROXY_NAMES = {
    "frontend": ProxyFrontend(),
    "message": LineRest(),
    **dict.fromkeys(("backend_name", "server_name"), ValidatedText(form="[^ /]+", excluded=b" /", is_exact=True)),
}
_FRONTEND = CompositeField(
    "(?P<frontend_name>[^/]+)(?:/(?P<bind_name>.+))?",
    (FieldPart("frontend_name", Text()), FieldPart("bind_name", Text(), before="/")),
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

PRESETS: tuple[Preset, ...] = (
    Preset(
        "haproxy_http",
        TemplateForm(
            _PROXY_HEAD
            + "{time_request:int}/{time_queue:int}/{time_backend_connect:int}/{time_backend_response:int}/{time_duration:int}"
            " {status_code:int} {bytes_read:long} {captured_request_cookie?} {captured_response_cookie?}"
            " {termination_state} " + _PROXY_COUNTS + "{? {{{captured_request_headers}}}?}"
            "{? {{{captured_response_headers}}}?} {request}" + _PROXY_TLS + "?}",
            types={**_PROXY_NAMES, **_TLS_NAMES, "request": TruncatedQuoted()},
            composite_fields={"client": _PROCESS_AND_CLIENT, "frontend": _FRONTEND, "request": _REQUEST},
            may_be_blank=("captured_request_headers", "captured_response_headers"),
        ),
        about="HAProxy: log of HTTP requests (option httplog)",
        source='HAProxy Configuration Manual, "HTTP log format" (option httplog) and, with the fields after the request,'
        ' "HTTPS log format" (option httpslog); the timers TR, Tw, Tc, Tr and Ta (Tq and Tt before 1.7)'
        ' are named by their meaning, because SQL does not distinguish TR and Tr; lines in the "Error log format" have bind_name'
        " and message:"
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
            "Nov 22 01:00:16 localhost haproxy[14389]: 192.0.2.4:50033 [22/Nov/2026:01:00:16.123] fe/1: SSL handshake failure",
        ),
    ),
    Preset(
        "haproxy_tcp",
        TemplateForm(
            _PROXY_HEAD + "{time_queue:int}/{time_backend_connect:int}/{time_duration:int} {bytes_read:long}"
            " {termination_state} " + _PROXY_COUNTS + "?}",
            types=_PROXY_NAMES,
            composite_fields={"client": _PROCESS_AND_CLIENT, "frontend": _FRONTEND},
            may_be_blank=(),
        ),
        about="HAProxy: log of TCP connections (option tcplog)",
        source='HAProxy Configuration Manual, "TCP log format" (option tcplog); the timers Tw, Tc and Tt are named by their meaning;'
        ' lines in the "Error log format" have bind_name and message:'
        " https://docs.haproxy.org/2.8/configuration.html#8.2.2",
        sample=(
            (
                "Nov 22 01:00:12 localhost haproxy[14387]: 10.0.1.2:33313 [22/Nov/2026:01:00:12.443] fnt bck/srv1 0/0/5007"
                " 212 -- 0/0/0/0/3 0/0"
            ),
            "Nov 22 01:00:16 localhost haproxy[14387]: 192.0.2.4:50033 [22/Nov/2026:01:00:16.123] fe/1: Connection closed during SSL handshake",
        ),
    ),
    Preset(
        "envoy",
        TemplateForm(
            '[{start_time:timestamp}] "{method?} {path?} {protocol?}" {response_code:int?} {response_flags?} {bytes_received:long?}'
            " {bytes_sent:long?} {duration:long?} {x_envoy_upstream_service_time:long?} {x_forwarded_for:quoted?}"
            " {user_agent:quoted?} {x_request_id:quoted?} {authority:quoted?} {upstream_host:quoted?}",
            types={
                "method": ValidatedText(form="[!#$%&'*+.^_`|~0-9A-Za-z-]+"),
                "protocol": ValidatedText(form="HTTP/[0-9.]+"),
                "response_flags": ValidatedText(form="[A-Za-z0-9]+(?:,[A-Za-z0-9]+)*"),
                # Envoy does not escape quotes in values.
                **dict.fromkeys(
                    ("x_forwarded_for", "user_agent", "x_request_id", "authority", "upstream_host"), RawQuoted()
                ),
            },
            may_be_blank=(),
        ),
        about="Envoy and Istio: access log in Envoy's default format",
        source='Envoy, "Access logging", Default format string; a TCP proxy has no method, path and protocol:'
        " https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#default-format-string",
        sample=(
            (
                '[2026-11-22T01:00:11.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "192.0.2.7" "curl/8.5.0"'
                ' "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "shop.example.com" "10.0.2.1:80"'
            ),
            '[2026-11-22T01:00:12.045Z] "- - -" 0 UF,URX 0 0 31 - "-" "-" "-" "-" "10.0.2.1:5432"',
        ),
    ),
)
