"""AWS services that write text logs to a bucket: load balancers and S3."""

from __future__ import annotations

from pyspark_logs.formats.presets.entry import Preset, TemplateForm
from pyspark_logs.formats.template.composite_fields import Address
from pyspark_logs.formats.types.server import OptionallyQuoted, RawQuoted, Requester
from pyspark_logs.formats.types.temporal import Timestamp
from pyspark_logs.formats.types.validated_text import VALIDATED_TEXTS, ValidatedText

# ALB fields that examples in AWS's documentation show without quotes, or whose quotes it does not document.
_QUOTES_OPTIONAL = (
    "target_port_list", "target_status_code_list", "transformed_host", "transformed_uri", "request_transform_status",
)  # fmt: skip
# Quoted protocols separated by commas; AWS cuts the list after 256 bytes.
_PROTOCOL_LIST = '(?:"[^" ]*",)*"[^" ]*"?|(?:"[^" ]*",)+'
_LOAD_BALANCER_LAYOUT = "AWSLogs/{account}/elasticloadbalancing/{region}/{yyyy}/{MM}/{dd}"


def _with_appended(first: str, *appended: str) -> str:
    """Returns a template in which each appended field begins an optional group.

    The documentation does not say which of the fields were appended together. The last group takes fields that will be
    appended in future.
    """
    return first + "".join("{? " + field for field in (*appended, "{}")) + "?}" * (len(appended) + 1)


PRESETS: tuple[Preset, ...] = (
    Preset(
        "aws_alb",
        TemplateForm(
            _with_appended(
                "{type} {time:timestamp} {elb} {client?} {target?} {request_processing_time:double?}"
                " {target_processing_time:double?} {response_processing_time:double?} {elb_status_code:int?}"
                " {target_status_code:int?} {received_bytes:long?} {sent_bytes:long?} {request:quoted?}"
                " {user_agent:quoted?} {ssl_cipher?} {ssl_protocol?} {target_group_arn?} {trace_id:quoted?}",
                "{domain_name:quoted?}",
                "{chosen_cert_arn:quoted?}",
                "{matched_rule_priority:int?}",
                "{request_creation_time:timestamp?}",
                "{actions_executed:quoted?}",
                "{redirect_url:quoted?}",
                "{error_reason:quoted?}",
                "{target_port_list:quoted?}",
                "{target_status_code_list:quoted?}",
                "{classification:quoted?}",
                "{classification_reason:quoted?}",
                "{conn_trace_id?}",
                "{transformed_host:quoted?}",
                "{transformed_uri:quoted?}",
                "{request_transform_status:quoted?}",
                "{alb_node_ip?}",
            ),
            types=dict.fromkeys(_QUOTES_OPTIONAL, OptionallyQuoted()),
            composite_fields={
                "client": Address("client_ip", "client_port"),
                "target": Address("target_ip", "target_port"),
            },
            allow_trailing=True,
            may_be_blank=(),
        ),
        about="AWS Application Load Balancer: access log",
        source='AWS, "Access logs for your Application Load Balancer":'
        " https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html",
        sample=(
            (
                "https 2026-11-22T01:00:11.186641Z app/shop/50dc6c495c0c9188 192.0.2.7:51012 10.0.0.1:80 0.086 0.048 0.037"
                ' 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/8.5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2'
                " arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/shop/73e2d6bc24d8a067"
                ' "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com"'
                ' "arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1'
                ' 2026-11-22T01:00:11.014000Z "authenticate,forward" "-" "-" "10.0.0.1:80" "200" "-" "-"'
                " TID_1234abcd5678ef90"
            ),
        ),
        layout=_LOAD_BALANCER_LAYOUT,
    ),
    Preset(
        "aws_alb_connection",
        TemplateForm(
            _with_appended(
                "{timestamp:timestamp} {client_ip} {client_port:int} {listener_port:int} {tls_protocol?} {tls_cipher?}"
                " {tls_handshake_latency:double?} {leaf_client_cert_subject:quoted?} {leaf_client_cert_validity?}"
                " {leaf_client_cert_serial_number?} {tls_verify_status?}",
                "{conn_trace_id?}",
                "{tls_keyexchange?}",
            ),
            types={
                "client_ip": VALIDATED_TEXTS["ip"],
                "tls_protocol": ValidatedText(form="(?:TLS|SSL)v[0-9.]+"),
                "tls_cipher": ValidatedText(form="[0-9A-Za-z_-]+"),
                # The documentation does not say whether a subject may have quotes, or come without them.
                "leaf_client_cert_subject": OptionallyQuoted(),
                "leaf_client_cert_validity": ValidatedText(form="NotBefore=[0-9TZ:.-]+;NotAfter=[0-9TZ:.-]+"),
                "leaf_client_cert_serial_number": ValidatedText(form="[0-9A-Fa-f:]+"),
                "tls_verify_status": ValidatedText(form="Success|Failed:[^ ]+"),
                "conn_trace_id": ValidatedText(form="TID_[0-9a-f]{16}(?:[0-9a-f]{16})?"),
            },
            allow_trailing=True,
            may_be_blank=(),
        ),
        about="AWS Application Load Balancer: connection log",
        source='AWS, "Connection logs for your Application Load Balancer":'
        " https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html",
        sample=(
            (
                "2026-11-22T01:00:11.514108Z 192.0.2.7 36280 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 4.036"
                ' "CN=shop.example.com,O=Example,L=Seattle,ST=Washington,C=US"'
                " NotBefore=2026-01-21T22:43:21Z;NotAfter=2027-06-17T22:43:21Z FEF257372D5C14D4 Success"
                " TID_3180a73013c8ca4bac2f731159d4b0fe"
            ),
            '2026-11-22T01:00:12.000271Z 192.0.2.8 36281 443 - - - "-" - - Failed:UnmappedConnectionError TID_1234abcd5678ef90',
        ),
        layout=_LOAD_BALANCER_LAYOUT,
    ),
    Preset(
        "aws_nlb",
        TemplateForm(
            _with_appended(
                "{type} {version} {time:timestamp} {elb} {listener} {client?} {destination?} {connection_time:long?}"
                " {tls_handshake_time:long?} {received_bytes:long?} {sent_bytes:long?} {incoming_tls_alert:int?}"
                " {chosen_cert_arn?} {chosen_cert_serial?} {tls_cipher?} {tls_protocol_version?} {tls_named_group?}"
                " {domain_name?}",
                "{alpn_fe_protocol?}",
                "{alpn_be_protocol?}",
                "{alpn_client_preference_list?}",
                "{tls_connection_creation_time:timestamp?}",
            ),
            types={
                # These times are UTC and have no zone designator.
                **dict.fromkeys(("time", "tls_connection_creation_time"), Timestamp(zone="UTC")),
                # Most other values may be "-", so that only these show that a line has a value too many or too few.
                "chosen_cert_arn": ValidatedText(form="arn:[^ ]+"),
                "tls_protocol_version": ValidatedText(form="[Tt][Ll][Ss][Vv][0-9.]+"),
                **dict.fromkeys(("alpn_fe_protocol", "alpn_be_protocol"), ValidatedText()),
                "alpn_client_preference_list": ValidatedText(form=_PROTOCOL_LIST),
            },
            composite_fields={
                "client": Address("client_ip", "client_port"),
                "destination": Address("destination_ip", "destination_port"),
            },
            allow_trailing=True,
            may_be_blank=(),
        ),
        about="AWS Network Load Balancer: access log of TLS listeners",
        source='AWS, "Access logs for your Network Load Balancer" (TLS listeners):'
        " https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html",
        sample=(
            (
                "tls 2.0 2026-11-22T01:00:11 net/shop/c6e77e28c25b2234 g3d4b5e8bb8464cd 192.0.2.7:51341 10.0.0.1:443 5 2 98"
                " 246 - arn:aws:acm:us-east-2:123456789012:certificate/2a108f19-aded-46b0-8493-c63eb1ef4a99 -"
                ' ECDHE-RSA-AES128-SHA tlsv12 - shop.example.com h2 h2 "h2","http/1.1" 2026-11-22T01:00:10'
            ),
        ),
        layout=_LOAD_BALANCER_LAYOUT,
    ),
    Preset(
        "aws_elb_classic",
        TemplateForm(
            _with_appended(
                "{timestamp:timestamp} {elb} {client?} {backend?} {request_processing_time:double?}"
                " {backend_processing_time:double?} {response_processing_time:double?} {elb_status_code:int?}"
                " {backend_status_code:int?} {received_bytes:long?} {sent_bytes:long?} {request:quoted?}",
                "{user_agent:quoted?}",
                "{ssl_cipher?}",
                "{ssl_protocol?}",
            ),
            types={
                **dict.fromkeys(("request", "user_agent"), RawQuoted()),
                "ssl_cipher": ValidatedText(form="[A-Z0-9_-]+"),
                "ssl_protocol": ValidatedText(form="(?:TLS|SSL)v[0-9.]+"),
            },
            composite_fields={
                "client": Address("client_ip", "client_port"),
                "backend": Address("backend_ip", "backend_port"),
            },
            allow_trailing=True,
            may_be_blank=(),
        ),
        about="AWS Classic Load Balancer: access log",
        source='AWS, "Access logs for your Classic Load Balancer":'
        " https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html",
        sample=(
            (
                "2026-11-22T01:00:11.123456Z shop 192.0.2.7:2817 10.0.0.1:80 0.000086 0.001048 0.001337 200 200 0 57"
                ' "GET https://www.example.com:443/ HTTP/1.1" "curl/8.5.0" DHE-RSA-AES128-SHA TLSv1.2'
            ),
        ),
        layout=_LOAD_BALANCER_LAYOUT,
    ),
    Preset(
        "aws_s3_access",
        TemplateForm(
            _with_appended(
                "{owner?} {bucket:word?} [{time:timestamp(%d/%b/%Y:%H:%M:%S %z)}] {remote_ip?} {requester?} {request_id?}"
                " {operation?} {key?} {request_uri:quoted?} {http_status:int?} {error_code?} {bytes_sent:long?}"
                " {object_size:long?} {total_time:long?} {turn_around_time:long?} {referer:quoted?} {user_agent:quoted?}",
                "{version_id?}",
                "{host_id?}",
                "{signature_version?}",
                "{cipher_suite?}",
                "{authentication_type?}",
                "{host_header?}",
                "{tls_version?}",
                "{access_point_arn?}",
                "{acl_required?}",
                "{source_region?}",
            ),
            types={
                **dict.fromkeys(("request_uri", "referer", "user_agent"), RawQuoted()),
                "requester": Requester(),
                "signature_version": ValidatedText(form="Sig[A-Za-z0-9]+"),
                "authentication_type": ValidatedText(form="[A-Za-z]+"),
                "tls_version": ValidatedText(form="(?:TLS|SSL)[A-Za-z0-9.]+"),
                "access_point_arn": ValidatedText(form="arn:.+"),
                "acl_required": ValidatedText(form="[A-Za-z]+"),
            },
            allow_trailing=True,
            may_be_blank=(),
            request_columns=("request_uri",),
        ),
        about="Amazon S3: server access log of a bucket",
        source='AWS, "Amazon S3 server access log format":'
        " https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html",
        sample=(
            (
                "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be acme-data [22/Nov/2026:01:00:11 +0000]"
                " 192.0.2.7 arn:aws:iam::123456789012:user/ana 3E57427F33A59F07 REST.GET.OBJECT reports/2026.csv"
                ' "GET /acme-data/reports/2026.csv HTTP/1.1" 200 - 113 113 7 6 "-" "S3Console/0.4" -'
                " s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4"
                " ECDHE-RSA-AES128-GCM-SHA256 AuthHeader acme-data.s3.us-west-1.amazonaws.com TLSv1.2 - - us-west-1"
            ),
        ),
        layout="{yyyy-MM-dd-HH}-*",
    ),
)
