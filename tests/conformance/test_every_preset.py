"""Every preset in the suite that all formats inherit: the lines of its sample, and their rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyspark_logs.errors import RecordError
from pyspark_logs.formats.presets import PRESETS, cloud_json, servers_json
from tests.conformance.suite import EXAMPLES, HOSTILE, LONG, UNFRIENDLY, FormatConformance
from tests.support.effort import extent
from tests.support.preset_lines import at

ELEVEN = at(2026, 11, 22, 1, 0, 11)
ALB_GROUP = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/shop/73e2d6bc24d8a067"
AGENT = "Mozilla/5.0 (X11; Linux x86_64)"

# Expected values of the columns that differ between the lines of a sample. Times without a year depend on the file, so they
# are not here.
ROWS: dict[str, list[dict[str, Any]]] = {
    "apache_common": [
        {"remote_host": "192.0.2.7", "remote_logname": "unknown", "remote_user": "frank", "time": ELEVEN, "request": "GET /index.html HTTP/1.1", "status": 200, "bytes": 5120},
    ],
    "apache_combined": [
        {"remote_host": "192.0.2.7", "time": ELEVEN, "status": 200, "bytes": 5120, "referer": "https://example.com/start", "user_agent": AGENT},
    ],
    "apache_error": [
        {"time": at(2026, 11, 22, 1, 0, 11, 902022), "module": "core", "level": "error", "pid": 35708, "tid": 4328636416, "client": "192.0.2.7:51012", "error_status": None, "message": "AH00128: File does not exist: /srv/www/favicon.ico"},
        {"time": at(2026, 11, 22, 1, 0, 11, 903417), "module": "proxy", "level": "error", "pid": 35708, "tid": 4328636416, "client": "192.0.2.7:51013", "error_status": "(111)Connection refused", "message": "AH01102: error reading from remote server"},
        {"time": at(2026, 11, 22, 1, 0, 12), "module": None, "level": "error", "pid": None, "tid": None, "client": "192.0.2.7", "error_status": None, "message": "File does not exist: /srv/www/favicon.ico"},
    ],
    "nginx_combined": [
        {"remote_addr": "192.0.2.7", "remote_user": None, "time_local": ELEVEN, "request": "GET /index.html HTTP/1.1", "status": 200, "body_bytes_sent": 5120, "http_referer": None, "http_user_agent": "curl/8.5.0"},
        {"remote_addr": "192.0.2.8", "remote_user": None, "time_local": at(2026, 11, 22, 1, 0, 12), "request": None, "status": 400, "body_bytes_sent": 0, "http_referer": None, "http_user_agent": None},
        {"remote_addr": "10.0.0.1", "remote_user": None, "time_local": at(2026, 11, 22, 1, 0, 13), "request": "GET / HTTP/1.1", "status": 200, "body_bytes_sent": 612, "http_referer": None, "http_user_agent": "curl/8.5.0", "http_x_forwarded_for": "192.0.2.7, 10.0.0.9"},
    ],
    "nginx_error": [
        {"time": ELEVEN, "level": "error", "pid": 123, "tid": 456, "connection": 789, "message": 'open() "/srv/www/favicon.ico" failed (2: No such file or directory)', "client": "192.0.2.7", "server": "example.com", "request": "GET /favicon.ico HTTP/1.1", "host": "example.com"},
        {"time": at(2026, 11, 22, 1, 0, 12), "level": "notice", "pid": 123, "tid": 123, "connection": None, "message": "signal process started", "client": None, "server": None, "request": None, "host": None},
    ],
    "aws_alb": [
        {"type": "https", "time": at(2026, 11, 22, 1, 0, 11, 186641), "client_ip": "192.0.2.7", "client_port": 51012, "target_ip": "10.0.0.1", "target_processing_time": 0.048, "sent_bytes": 57, "user_agent": "curl/8.5.0", "target_group_arn": ALB_GROUP, "request_creation_time": at(2026, 11, 22, 1, 0, 11, 14000), "actions_executed": "authenticate,forward", "redirect_url": None, "conn_trace_id": "TID_1234abcd5678ef90", "alb_node_ip": None},
    ],
    "aws_alb_connection": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 514108), "client_ip": "192.0.2.7", "client_port": 36280, "listener_port": 443, "tls_protocol": "TLSv1.2", "tls_handshake_latency": 4.036, "leaf_client_cert_serial_number": "FEF257372D5C14D4", "tls_verify_status": "Success", "conn_trace_id": "TID_3180a73013c8ca4bac2f731159d4b0fe", "tls_keyexchange": None},
        {"timestamp": at(2026, 11, 22, 1, 0, 12, 271), "client_port": 36281, "tls_protocol": None, "tls_handshake_latency": None, "leaf_client_cert_subject": None, "tls_verify_status": "Failed:UnmappedConnectionError", "conn_trace_id": "TID_1234abcd5678ef90"},
    ],
    "aws_nlb": [
        {"type": "tls", "version": "2.0", "time": ELEVEN, "listener": "g3d4b5e8bb8464cd", "client_port": 51341, "destination_ip": "10.0.0.1", "tls_handshake_time": 2, "incoming_tls_alert": None, "domain_name": "shop.example.com", "alpn_client_preference_list": '"h2","http/1.1"', "tls_connection_creation_time": at(2026, 11, 22, 1, 0, 10)},
    ],
    "aws_elb_classic": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 123456), "elb": "shop", "client_ip": "192.0.2.7", "client_port": 2817, "backend_port": 80, "request_processing_time": 0.000086, "sent_bytes": 57, "user_agent": "curl/8.5.0", "ssl_protocol": "TLSv1.2"},
    ],
    "aws_s3_access": [
        {"bucket": "acme-data", "time": ELEVEN, "remote_ip": "192.0.2.7", "requester": "arn:aws:iam::123456789012:user/ana", "operation": "REST.GET.OBJECT", "key": "reports/2026.csv", "http_status": 200, "error_code": None, "total_time": 7, "user_agent": "S3Console/0.4", "tls_version": "TLSv1.2", "acl_required": None, "source_region": "us-west-1"},
    ],
    "aws_waf": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 45000), "formatVersion": 1, "action": "BLOCK", "ruleGroupList": "[]", "labels": [{"name": "awswaf:managed:token"}], "responseCodeSent": None},
    ],
    "aws_cloudtrail": [
        {"eventVersion": "1.08", "eventTime": ELEVEN, "eventName": "StartInstances", "readOnly": False, "responseElements": None, "requestParameters": '{"instancesSet":{"items":[{"instanceId":"i-ebeaf9e2"}]}}', "tlsDetails": {"tlsVersion": "TLSv1.2", "cipherSuite": None, "clientProvidedHostHeader": None}},
    ],
    "aws_route53_resolver": [
        {"query_timestamp": ELEVEN, "query_name": "example.com.", "rcode": "NOERROR", "answers": [{"Rdata": "192.0.2.9", "Type": "A", "Class": "IN"}], "firewall_rule_action": None},
    ],
    "aws_cloudfront": [
        {"timestamp": ELEVEN, "time": "01:00:11", "x_edge_location": "LAX1", "sc_bytes": 2390282, "cs_host": "d111111abcdef8.cloudfront.net", "cs_referer": None, "time_taken": 0.001, "c_port": 11040, "sc_content_len": 78, "sc_range_end": None},
    ],
    "aws_vpc_flow": [
        {"version": 5, "srcaddr": "172.31.16.139", "dstaddr": "52.95.129.1", "srcport": 20641, "protocol": 6, "bytes": 4249, "start": ELEVEN, "end": at(2026, 11, 22, 1, 1, 10), "action": "ACCEPT", "log_status": "OK", "tcp_flags": 3, "type": "IPv4", "sublocation_type": None, "pkt_src_aws_service": None, "pkt_dst_aws_service": "S3", "flow_direction": "egress", "traffic_path": 8},
        {"version": 5, "srcaddr": None, "srcport": None, "protocol": None, "bytes": None, "start": ELEVEN, "end": at(2026, 11, 22, 1, 1, 10), "action": None, "log_status": "NODATA", "instance_id": None, "az_id": "use2-az1", "traffic_path": None},
    ],
    "w3c_iis": [
        {"timestamp": ELEVEN, "s_ip": "10.0.0.1", "cs_uri_query": "q=1", "s_port": 443, "cs_username": None, "cs_user_agent": "Mozilla/5.0+(Windows+NT+10.0)", "sc_status": 200, "time_taken": 46},
    ],
    "syslog_rfc3164": [
        {"facility": 4, "severity": 2, "hostname": "web-1", "tag": "su", "pid": None, "message": "'su root' failed for lonvick on /dev/pts/8"},
        {"facility": None, "severity": None, "hostname": "web-1", "tag": "sshd", "pid": 4721, "message": "Accepted publickey for deploy from 192.0.2.7 port 51012 ssh2"},
        {"facility": None, "severity": None, "timestamp": at(2026, 11, 22, 0, 0, 13, 45123), "tag": "systemd", "pid": 1, "message": "Started nginx.service."},
        {"facility": 23, "severity": 5, "message_counter": 643, "sequence_number": 104, "origin_id": "router-1", "hostname": None, "tag": "%SYS-5-CONFIG_I", "message": "Configured from console by console"},
        {"octet_count": None, "facility": 2, "severity": 5, "hostname": "web-1", "tag": "sm-mta", "pid": 2794, "message": "x"},
        {"octet_count": 58, "facility": 4, "severity": 2, "hostname": "web-1", "tag": "su", "pid": None, "message": "failed for ana on /dev/pts/8"},
    ],
    "syslog_rfc5424": [
        {"facility": 20, "severity": 5, "timestamp": at(2026, 11, 22, 1, 0, 11, 3000), "app_name": "evntslog", "procid": None, "msgid": "ID47", "structured_data": [("exampleSDID@32473.iut", "3"), ("exampleSDID@32473.eventSource", "Application")], "message": "An application event log entry"},
        {"facility": 4, "severity": 2, "timestamp": at(2026, 11, 22, 1, 0, 12), "app_name": "su", "procid": "4721", "msgid": None, "structured_data": None, "message": "'su root' failed for lonvick on /dev/pts/8"},
        {"facility": 5, "severity": 0, "timestamp": at(2026, 11, 22, 1, 0, 13), "app_name": "heroku", "procid": "web.3", "msgid": None, "structured_data": None, "message": "State changed from starting to up"},
    ],
    "cef": [
        {"pri": None, "host": "fw-1", "version": 0, "device_vendor": "Security", "name": "worm successfully stopped", "severity": "10", "extension": [("src", "192.0.2.7"), ("dst", "198.51.100.1"), ("spt", "1232"), ("msg", "a value with = and blanks")]},
    ],
    "haproxy_http": [
        {"process_name": "haproxy", "pid": 14389, "client_ip": "10.0.1.2", "accept_date": at(2026, 11, 22, 1, 0, 14, 655000), "server_name": "srv1", "time_duration": 109, "status_code": 200, "captured_request_cookie": None, "captured_request_headers": "1wt.eu", "http_request": "GET /index.html HTTP/1.1"},
        {"pid": 14389, "client_port": 33319, "accept_date": at(2026, 11, 22, 1, 0, 15, 412000), "frontend_name": "https-in~", "captured_request_headers": None, "http_request": "GET / HTTP/2.0", "ssl_fc_sni": "shop.example.com", "ssl_version": "TLSv1.3", "ssl_ciphers": "TLS_AES_256_GCM_SHA384"},
        {"pid": 14389, "client_ip": "192.0.2.4", "frontend_name": "fe", "bind_name": "1", "backend_name": None, "status_code": None, "http_request": None, "message": "SSL handshake failure"},
    ],
    "haproxy_tcp": [
        {"pid": 14387, "client_port": 33313, "accept_date": at(2026, 11, 22, 1, 0, 12, 443000), "frontend_name": "fnt", "backend_name": "bck", "time_duration": 5007, "bytes_read": 212, "termination_state": "--", "retries": 3},
        {"pid": 14387, "client_port": 50033, "frontend_name": "fe", "bind_name": "1", "backend_name": None, "bytes_read": None, "message": "Connection closed during SSL handshake"},
    ],
    "envoy": [
        {"start_time": at(2026, 11, 22, 1, 0, 11, 310000), "method": "POST", "path": "/api/v1/locations", "protocol": "HTTP/2", "response_code": 204, "response_flags": None, "bytes_received": 154, "duration": 226, "user_agent": "curl/8.5.0", "authority": "shop.example.com", "upstream_host": "10.0.2.1:80"},
        {"start_time": at(2026, 11, 22, 1, 0, 12, 45000), "method": None, "path": None, "protocol": None, "response_code": 0, "response_flags": "UF,URX", "duration": 31, "x_envoy_upstream_service_time": None, "user_agent": None, "upstream_host": "10.0.2.1:5432"},
    ],
    "postgres": [
        {"log_time": at(2026, 11, 22, 1, 0, 11, 45000), "time_zone": "UTC", "process_id": 123, "user_name": None, "error_severity": "LOG", "message": "database system is ready to accept connections"},
        {"log_time": at(2026, 11, 22, 1, 0, 12, 310000), "time_zone": "UTC", "process_id": 456, "user_name": "ana", "error_severity": "ERROR", "message": 'relation "orders" does not exist at character 15'},
        {"log_time": at(2026, 11, 22, 1, 0, 13), "process_id": 456, "session_line_num": 7, "user_name": "ana", "application_name": "psql", "connection_from": "192.0.2.7", "error_severity": "LOG", "message": "duration: 0.612 ms"},
        {"log_time": at(2026, 11, 22, 1, 0, 14), "time_zone": "UTC", "session_id": None, "process_id": 18762, "user_name": "ana", "database_name": "shop", "connection_from": "10.0.0.1(48808)", "error_severity": "LOG", "message": "duration: 3.685 ms"},
        {"log_time": at(2026, 11, 22, 1, 0, 15), "time_zone": "UTC", "session_id": "65604d0f.1ba5", "process_id": None, "user_name": None, "error_severity": "LOG", "message": "checkpoint starting: time"},
    ],
    "redis": [
        {"pid": 123, "role": "M", "time": at(2026, 11, 22, 1, 0, 11, 45000), "level": "*", "message": "Ready to accept connections tcp"},
    ],
    "mongodb_json": [
        {"t": at(2026, 11, 22, 1, 0, 11, 45000), "s": "I", "c": "NETWORK", "id": 22943, "msg": "Connection accepted", "attr": '{"remote":"192.0.2.7:51012","connectionId":12}', "size": None},
    ],
    "mongodb_text": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 45000), "severity": "I", "component": "NETWORK", "context": "listener", "message": "waiting for connections on port 27017"},
        {"timestamp": at(2026, 11, 22, 1, 0, 12, 310000), "severity": "D1", "component": "COMMAND", "context": "conn12", "message": "run command admin.$cmd { ping: 1 }"},
        {"timestamp": at(2026, 11, 22, 1, 0, 13, 2000), "severity": "W", "component": None, "context": "conn12", "message": "slow query"},
    ],
    "log4j": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 45000), "level": "INFO", "thread": "main", "logger": "org.example.shop.Checkout", "message": "order 1399 accepted"},
        {"timestamp": at(2026, 11, 22, 1, 0, 12, 310000), "level": "ERROR", "thread": "pool-1-thread-2", "logger": "org.example.shop.Ledger", "message": "cannot post"},
    ],
    "spring_boot": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 45000), "level": "INFO", "pid": 1234, "application_name": None, "thread": "main", "trace_id": None, "logger": "o.s.b.d.f.logexample.MyApplication", "message": "Starting"},
        {"timestamp": at(2026, 11, 22, 1, 0, 12, 310000), "level": "ERROR", "application_name": "shop", "application_group": None, "thread": "nio-8080-exec-1", "logger": "o.a.c.c.C.[Tomcat].[localhost].[/]", "message": "no answer"},
        {"timestamp": at(2026, 11, 22, 1, 0, 13, 2000), "level": "INFO", "application_name": "shop", "application_group": "payments", "thread": "main", "trace_id": "803b448a0489f84084905d3093480352", "span_id": "3425f23bb2432450", "logger": "org.example.shop.Checkout", "message": "order accepted"},
    ],
    "python_logging": [
        {"asctime": at(2026, 11, 22, 1, 0, 11, 45000), "name": "shop.checkout", "levelname": "INFO", "message": "order 1399 accepted"},
    ],
    "klog": [
        {"severity": "I", "thread_id": 1, "file": "controller.go", "line": 116, "message": "Starting workers"},
    ],
    "glog": [
        {"severity": "W", "time": at(2026, 11, 22, 1, 0, 11, 45123), "thread_id": 12345, "file": "checkout.cc", "line": 116, "message": "queue is almost full"},
        {"severity": "I", "thread_id": 12345, "file": "checkout.cc", "line": 120, "message": "done"},
    ],
    "cri": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 45123), "stream": "stdout", "tags": "F", "log": "order 1399 accepted"},
        {"timestamp": at(2026, 11, 22, 1, 0, 12, 310000), "stream": "stderr", "tags": "F", "log": "cannot post"},
    ],
    "docker_json": [
        {"log": "order 1399 accepted\n", "stream": "stdout", "time": at(2026, 11, 22, 1, 0, 11, 45123), "attrs": None},
        {"log": "cannot post\n", "stream": "stderr", "time": at(2026, 11, 22, 1, 0, 12, 310000), "attrs": [("tag", "shop")]},
    ],
    "gelf": [
        {"version": "1.1", "host": "web-1", "short_message": "order accepted", "timestamp": at(2026, 11, 22, 1, 0, 11, 45000), "level": 6, "facility": None},
    ],
    "cloudfront_json": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 45000), "time": "01:00:11", "x_edge_location": "LAX1", "sc_bytes": 2390282, "cs_host": "d111111abcdef8.cloudfront.net", "cs_referer": "-", "sc_status": 200, "time_taken": 0.001, "sc_range_start": None, "asn": 64496, "c_country": None},
    ],
    "aws_cloudwatch_export": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 45000), "message": "START RequestId: 1a2b Version: 7"},
        {"timestamp": at(2026, 11, 22, 1, 0, 12, 310000), "message": "END RequestId: 1a2b"},
    ],
    "aws_cloudwatch_subscription": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 45000), "message": "order 1399 accepted", "owner": "123456789012", "logGroup": "/shop/checkout", "logStream": "web-1", "extractedFields": None},
    ],
    "gcp_logging": [
        {"timestamp": at(2026, 11, 22, 1, 0, 11, 45123), "severity": "ERROR", "textPayload": "cannot post", "jsonPayload": None, "labels": [("app", "ledger")], "httpRequest": None, "traceSampled": True},
        {"timestamp": at(2026, 11, 22, 1, 0, 12, 310000), "severity": "INFO", "textPayload": None, "jsonPayload": '{"statusDetails":"response_sent_by_backend"}', "labels": None, "spanId": "1", "traceSampled": None},
    ],
    "azure_diagnostics": [
        {"time": at(2026, 11, 22, 1, 0, 11, 45123), "operationName": "VaultGet", "category": "AuditEvent", "durationMs": "78", "callerIpAddress": "192.0.2.7", "identity": '{"claim":{"appid":"d9da5125"}}', "level": None},
    ],
    "cloudflare": [
        {"EdgeStartTimestamp": ELEVEN, "EdgeEndTimestamp": at(2026, 11, 22, 1, 0, 12), "RayID": "8a1b2c3d4e5f6a7b", "ClientIP": "192.0.2.7", "ClientRequestURI": "/cart?id=10", "EdgeResponseStatus": 200, "EdgeResponseBytes": 5120, "BotScore": None},
    ],
    "fastly": [
        {"timestamp": ELEVEN, "client_ip": "192.0.2.7", "geo_city": "paris", "request_referer": "", "response_state": "HIT", "response_status": 200, "response_body_size": 5120, "fastly_is_edge": True},
    ],
    "k8s_audit": [
        {"requestReceivedTimestamp": at(2026, 11, 22, 1, 0, 11, 45123), "stageTimestamp": at(2026, 11, 22, 1, 0, 11, 310000), "level": "Metadata", "stage": "ResponseComplete", "verb": "get", "sourceIPs": ["192.0.2.7"], "impersonatedUser": None, "annotations": [("authorization.k8s.io/decision", "allow"), ("authorization.k8s.io/reason", "")]},
    ],
    "traefik": [
        {"StartUTC": at(2026, 11, 22, 1, 0, 11, 45123), "time": ELEVEN, "Duration": 1250000, "RouterName": "shop@docker", "ServiceURL": "http://10.0.0.1:80", "ClientHost": "192.0.2.7", "DownstreamStatus": 200, "RequestCount": 1399, "GzipRatio": None},
    ],
    "caddy": [
        {"ts": at(2026, 11, 22, 1, 0, 11, 45123), "level": "info", "msg": "handled request", "duration": 0.000929675, "size": 10900, "status": 200, "resp_headers": [("Server", ["Caddy"])], "error": None},
    ],
    "vault_audit": [
        {"time": at(2026, 11, 22, 1, 0, 11, 45123), "type": "request", "response": None, "error": None},
        {"time": at(2026, 11, 22, 1, 0, 11, 310000), "type": "response", "response": '{"mount_type":"kv","data":{"data":"hmac-sha256:9c0d"}}', "error": "permission denied"},
    ],
}  # fmt: skip


# A line that does not match. These presets begin with a text, so the suite's usual broken line would match.
BROKEN = dict.fromkeys(["aws_cloudwatch_export", "cri", "redis", "syslog_rfc3164"], "\x01")


class PresetConformance(FormatConformance):
    """The suite for one preset."""

    @pytest.mark.slow  # tests/conformance/test_presets_laws.py draws lines of the same samples
    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.data())
    def test_the_engines_say_what_the_exact_parser_says(self, data: st.DataObject) -> None:
        self.check_engines(data)


# Presets whose lines are JSON as those of others, on which a test of long lines is run once.
LIKE_OTHERS = {preset.name for family in (cloud_json, servers_json) for preset in family.PRESETS} - {
    "aws_cloudwatch_export"
}
LONG_LINES = "test_a_million_of_anything_takes_no_longer_than_a_million"
# Tests of line ends, blocks and splits, whose subject is the JSON of the lines: `make test` runs them for the presets that
# differ from these, and for the option `json`.
JSON_LINES = [
    "test_line_ends_and_byte_order_marks", "test_blank_lines_are_no_records", "test_lines_of_spaces_and_tabs_are_no_records",
    "test_padding_of_preallocated_and_truncated_files_is_no_record", "test_compressed", "test_blocks_of_any_size",
    "test_splits_of_any_size", "test_files_without_a_record", "test_a_line_of_a_megabyte",
    "test_a_record_that_is_too_long_is_one_corrupt_row",
]  # fmt: skip


def _suite(name: str) -> type[PresetConformance]:
    sample = PRESETS[name].sample
    head = [line for line in sample if line.startswith(("#", "version account-id"))]
    known: dict[str, Any] = {
        "options": {"preset": name},
        "head": "".join(line + "\n" for line in head),
        "lines": [line for line in sample if line not in head],
        "rows": ROWS[name],
        "broken": BROKEN.get(name, PresetConformance.broken),
        "__module__": __name__,
        **({LONG_LINES: None} if name in LIKE_OTHERS else {}),
        **dict.fromkeys(JSON_LINES if name in LIKE_OTHERS and extent(bounded=1, full=0) else []),
    }
    return type(f"Test_{name}", (PresetConformance,), known)


# Presets of documents: text before the records, and text after them.
DOCUMENTS = {
    "aws_cloudtrail": ('{"Records":[', "]}"),
    "aws_cloudwatch_subscription": (PRESETS["aws_cloudwatch_subscription"].sample[0].partition("[{")[0] + "[", "]}"),
    "azure_diagnostics": ('{"records":[', "]}"),
}
SEVERAL_LINES = "mysql_slow"  # see tests/unit/formats/presets/test_mysql_slow.py
globals().update({f"Test_{name}": _suite(name) for name in PRESETS if name not in (*DOCUMENTS, SEVERAL_LINES)})


class DocumentConformance(PresetConformance):
    """Records are the elements of an array, so separators are between elements instead of lines."""

    envelope: ClassVar[tuple[str, str]]
    text_column: ClassVar[str]  # column of any string, filled in the first line
    writes: ClassVar[bool] = False

    def file(self, lines: list[str] | None = None, end: str = "\n") -> str:
        head, tail = self.envelope
        return f"{head}{end}" + f",{end}".join(self.lines if lines is None else lines) + f"{tail}{end}"

    def test_blank_lines_are_no_records(self, tmp_path: Path) -> None:
        text = self.file(["\n\r\n" + line + "\n\n" for line in self.lines])
        assert self.read(tmp_path, text) == self.read(tmp_path, self.file(), "b")

    def test_lines_of_spaces_and_tabs_are_no_records(self, tmp_path: Path) -> None:
        text = self.file([" \n\t\r\n" + line + "\n  \t\n" for line in self.lines]) + " \n \n\t"
        assert self.read(tmp_path, text) == self.read(tmp_path, self.file(), "b")

    def test_files_without_a_record(self, tmp_path: Path) -> None:
        for text in ("", "\n\n", self.file([]), self.file(["\n\n"])):
            assert self.read(tmp_path, text, schema=self.schema()) == []

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        good = self.read(tmp_path, self.file(), schema=self.judged())
        text = self.file([self.with_text("a@b"), *self.lines]).encode().replace(b"a@b", b"a\xff\xfeb")
        found = self.read(tmp_path, text, "b", schema=self.judged())
        assert found == [{**good[0], self.text_column: "a\ufffd\ufffdb"}, *good]

    def test_a_broken_line(self, tmp_path: Path) -> None:
        text = self.file([*self.lines, self.broken or "", *self.lines])
        good = self.read(tmp_path, self.file(), schema=self.judged())
        found = self.read(tmp_path, text, "b", schema=self.judged())
        bad = found[len(good)]["bad"]
        assert found == [*good, {**dict.fromkeys(self.schema().names), "bad": bad}, *good]
        assert bad == self.broken or ("parent" in bad and bad.endswith((self.broken or "")[1:]))
        assert self.read(tmp_path, text, "b", schema=self.judged(), mode="DROPMALFORMED") == good * 2
        with pytest.raises(RecordError, match=rf"b: record at byte {text.index(self.broken or '')} "):
            self.read(tmp_path, text, "b", schema=self.judged(), mode="FAILFAST")

    def test_a_truncated_last_record(self, tmp_path: Path) -> None:
        good = self.read(tmp_path, self.file(), schema=self.judged())
        last = self.lines[0]
        for size in (1, len(last) // 3, len(last) - 1):
            whole = self.file([*self.lines, last])
            found = self.read(tmp_path, whole[: whole.rindex(last) + size], "b", schema=self.judged())
            assert found[: len(good)] == good
            assert len(found) == len(good) + 1
            assert found[-1]["bad"] is not None

    def with_text(self, text: str) -> str:
        return json.dumps({**json.loads(self.lines[0]), self.text_column: text})

    def test_a_line_of_a_megabyte(self, tmp_path: Path) -> None:
        good = self.read(tmp_path, self.file(), schema=self.judged())
        for long in ("x" * LONG, '"' * LONG):
            found = self.read(tmp_path, self.file([self.with_text(long), *self.lines]), "b", schema=self.judged())
            assert found == [{**good[0], self.text_column: long}, *good]

    def test_a_record_that_is_too_long_is_one_corrupt_row(self, tmp_path: Path) -> None:
        good = self.read(tmp_path, self.file(), schema=self.judged())
        most = max(len(self.lines[0]), len(self.envelope[0]))
        long = self.with_text("x" * most)
        found = self.read(tmp_path, self.file([long, *self.lines]), "b", schema=self.judged(), maxRecordBytes=most)
        assert found[1:] == good
        assert {**found[0], "bad": None} == dict.fromkeys(self.judged().names)
        assert long.startswith(found[0]["bad"])

    def test_a_million_of_anything_takes_no_longer_than_a_million(self, tmp_path: Path) -> None:
        units = [(unit, LONG) for unit in HOSTILE] + [(unit, LONG // 16) for unit in UNFRIENDLY]
        agents = [unit * (size // len(unit)) for unit, size in units]
        found = self.read(tmp_path, self.file([*map(self.with_text, agents), *self.lines]), schema=self.judged())
        assert [row[self.text_column] for row in found[: len(agents)]] == agents
        # Outside of strings, unclosed brackets make the records after them part of one or more corrupt rows.
        for unit in ("[", "{", '"', '{"a":', "]", "}"):
            text = self.file([unit * (LONG // 16), *self.lines])
            bad = [row["bad"] for row in self.read(tmp_path, text, "b", schema=self.judged())]
            assert any(bad), unit


def _document_suite(name: str, key: str, text_column: str, **known: Any) -> type[DocumentConformance]:
    document = json.loads(PRESETS[name].sample[0])
    options: dict[str, Any] = {
        "options": {"preset": name},
        "lines": [json.dumps(record) for record in document.get(key, [document])],
        "rows": ROWS[name],
        "broken": f'{{"{text_column}": no}}',
        "envelope": DOCUMENTS[name],
        "text_column": text_column,
        "__module__": __name__,
        **known,
    }
    return type(f"Test_{name}", (DocumentConformance,), options)


Test_aws_cloudtrail = _document_suite("aws_cloudtrail", "Records", "userAgent")
Test_aws_cloudwatch_subscription = _document_suite("aws_cloudwatch_subscription", "logEvents", "message")
Test_azure_diagnostics = _document_suite("azure_diagnostics", "records", "category", writes=True)


def test_every_preset_is_in_the_suite() -> None:
    suites = [one for one in globals().values() if isinstance(one, type) and one.__name__.startswith("Test_")]
    assert {suite.options["preset"] for suite in suites if issubclass(suite, PresetConformance)} == set(PRESETS) - {
        SEVERAL_LINES
    }
