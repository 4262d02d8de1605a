"""Cloud services that deliver JSON: CloudFront, CloudWatch Logs, Google Cloud Logging, Azure Monitor, Cloudflare, Fastly."""

from __future__ import annotations

from pyspark_logs.formats.delimited.header import column_name
from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.presets.delimited import CLOUDFRONT, CLOUDFRONT_V2
from pyspark_logs.formats.presets.entry import JsonForm, Preset, TemplateForm
from pyspark_logs.records import DocumentRule

_CLOUDFRONT_TYPES = {
    "date": "date", "sc-bytes": "bigint", "sc-status": "int", "cs-bytes": "bigint", "time-taken": "double",
    "fle-encrypted-fields": "int", "c-port": "int", "time-to-first-byte": "double", "sc-content-len": "bigint",
    "sc-range-start": "bigint", "sc-range-end": "bigint", "origin-fbl": "double", "origin-lbl": "double", "asn": "bigint",
}  # fmt: skip


def _cloudfront_field(name: str) -> JsonField:
    """Returns a field of strings, in which "-" means null."""
    if name == "timestamp(ms)":
        return JsonField("timestamp", "epoch(ms)", (name,), numerals=True, null_text="-")
    dtype = _CLOUDFRONT_TYPES.get(name, "string")
    is_number = dtype not in ("string", "date")
    return JsonField(column_name(name), dtype, (name,), numerals=is_number, null_text="-" if is_number else None)


_GCP_REQUEST = (
    "struct<requestMethod:string,requestUrl:string,requestSize:string,status:int,responseSize:string,userAgent:string,"
    "remoteIp:string,serverIp:string,referer:string,latency:string,cacheLookup:boolean,cacheHit:boolean,"
    "cacheValidatedWithOriginServer:boolean,cacheFillBytes:string,protocol:string>"
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        "cloudfront_json",
        JsonForm(tuple(map(_cloudfront_field, (*CLOUDFRONT_V2[:1], *CLOUDFRONT, *CLOUDFRONT_V2[1:])))),
        about="Amazon CloudFront: standard access log (v2) as JSON",
        source='AWS, "Configure standard logging (v2)", output format JSON; columns are named as those of aws_cloudfront, values are'
        " strings, and `-` is null in columns of numbers:"
        " https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html",
        sample=(
            (
                '{"timestamp(ms)":"1795309211045","date":"2026-11-22","time":"01:00:11","x-edge-location":"LAX1","sc-bytes":'
                '"2390282","c-ip":"192.0.2.7","cs-method":"GET","cs(Host)":"d111111abcdef8.cloudfront.net","cs-uri-stem":'
                '"/cart","sc-status":"200","cs(Referer)":"-","cs(User-Agent)":"curl/8.5.0","x-edge-result-type":"Hit",'
                '"x-edge-request-id":"EXAMPLE==","cs-protocol":"https","cs-bytes":"23","time-taken":"0.001","c-port":'
                '"11040","sc-content-type":"text/html","sc-content-len":"78","sc-range-start":"-","asn":"64496"}'
            ),
        ),
        layout="AWSLogs/{account}/CloudFront/{distribution}/{yyyy}/{MM}/{dd}/{HH}",
    ),
    Preset(
        "aws_cloudwatch_export",
        TemplateForm("{timestamp:timestamp(%Y-%m-%dT%H:%M:%S.%3f%z)} {message}"),
        about="Amazon CloudWatch Logs: log groups exported to S3",
        source="AWS, CloudWatch Logs, export to S3: the time before each message; lines of a message that has several begin"
        " without it, and belong to their record with multiLine=true:"
        " https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html",
        sample=(
            "2026-11-22T01:00:11.045Z START RequestId: 1a2b Version: 7",
            "2026-11-22T01:00:12.310Z END RequestId: 1a2b",
        ),
    ),
    Preset(
        "aws_cloudwatch_subscription",
        JsonForm(
            (
                JsonField("timestamp", "epoch(ms)"),
                JsonField("message"),
                JsonField("id"),
                JsonField("owner", path="parent.owner"),
                JsonField("logGroup", path="parent.logGroup"),
                JsonField("logStream", path="parent.logStream"),
                JsonField("extractedFields", "map<string,string>"),
            ),
            documents=DocumentRule(("logEvents",), parent="parent", ignored=("messageType", "CONTROL_MESSAGE")),
        ),
        about="Amazon CloudWatch Logs: subscription delivered by Firehose",
        source='AWS, CloudWatch Logs, "Log group-level subscription filters"; each log event is a record, and control messages are'
        " not: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html",
        sample=(
            (
                '{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/shop/checkout","logStream":"web-1",'
                '"subscriptionFilters":["to-lake"],"logEvents":[{"id":"31953106606966983378809025079804211143289615424298221568",'
                '"timestamp":1795309211045,"message":"order 1399 accepted"}]}'
            ),
        ),
    ),
    Preset(
        "gcp_logging",
        JsonForm(
            (
                JsonField("timestamp", "timestamp"),
                JsonField("receiveTimestamp", "timestamp"),
                JsonField("severity"),
                JsonField("logName"),
                JsonField("insertId"),
                JsonField("resource", "struct<type:string,labels:map<string,string>>"),
                JsonField("labels", "map<string,string>"),
                JsonField("textPayload"),
                JsonField("jsonPayload", "json"),
                JsonField("protoPayload", "json"),
                JsonField("httpRequest", _GCP_REQUEST),
                JsonField("operation", "struct<id:string,producer:string,first:boolean,last:boolean>"),
                JsonField("sourceLocation", "struct<file:string,line:string,function:string>"),
                JsonField("trace"),
                JsonField("spanId"),
                JsonField("traceSampled", "boolean"),
                JsonField("split", "struct<uid:string,index:int,totalSplits:int>"),
            )
        ),
        about="Google Cloud Logging: entries routed to Cloud Storage",
        source="Google Cloud Logging, LogEntry, as routed to Cloud Storage:"
        " https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry",
        sample=(
            (
                '{"insertId":"1a2b3c","logName":"projects/acme/logs/stdout","receiveTimestamp":"2026-11-22T01:00:12.310000001Z",'
                '"resource":{"type":"k8s_container","labels":{"cluster_name":"shop","project_id":"acme"}},"severity":"ERROR",'
                '"textPayload":"cannot post","timestamp":"2026-11-22T01:00:11.045123456Z","labels":{"app":"ledger"},'
                '"trace":"projects/acme/traces/06796866738c859f2f19b7cfb3214824","spanId":"000000000000004a","traceSampled":true}'
            ),
            (
                '{"httpRequest":{"latency":"0.048s","protocol":"HTTP/1.1","remoteIp":"192.0.2.7","requestMethod":"GET",'
                '"requestSize":"57","requestUrl":"https://example.com/cart","status":200},"insertId":"1a2b3d","jsonPayload":'
                '{"statusDetails":"response_sent_by_backend"},"logName":"projects/acme/logs/requests","receiveTimestamp":'
                '"2026-11-22T01:00:13Z","resource":{"type":"http_load_balancer","labels":{"zone":"global"}},"severity":"INFO",'
                '"spanId":"1","timestamp":"2026-11-22T01:00:12.31Z","trace":"projects/acme/traces/2"}'
            ),
        ),
        layout="{log}/{yyyy}/{MM}/{dd}",
    ),
    Preset(
        "azure_diagnostics",
        JsonForm(
            (
                JsonField("time", "timestamp"),
                JsonField("resourceId"),
                JsonField("tenantId"),
                JsonField("operationName"),
                JsonField("operationVersion"),
                JsonField("category"),
                JsonField("resultType"),
                JsonField("resultSignature"),
                JsonField("resultDescription"),
                JsonField("durationMs"),
                JsonField("callerIpAddress"),
                JsonField("correlationId"),
                JsonField("identity", "json"),
                JsonField("level"),
                JsonField("location"),
                JsonField("properties", "json"),
            ),
            documents=DocumentRule(("records",), bare_key="time", is_written=True),
        ),
        about="Azure Monitor: resource logs exported to storage",
        source='Microsoft, Azure Monitor, "Common and service-specific schemas for resource logs"; a line is a record, or a document'
        " has them in the array records: https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs-schema",
        sample=(
            (
                '{"time":"2026-11-22T01:00:11.0451234Z","resourceId":"/SUBSCRIPTIONS/1A2B/RESOURCEGROUPS/SHOP/PROVIDERS/'
                'MICROSOFT.KEYVAULT/VAULTS/SHOP","operationName":"VaultGet","operationVersion":"2015-06-01","category":'
                '"AuditEvent","resultType":"Success","resultSignature":"OK","resultDescription":"","durationMs":"78",'
                '"callerIpAddress":"192.0.2.7","correlationId":"6a2b","identity":{"claim":{"appid":"d9da5125"}},"properties":'
                '{"clientInfo":"azure-resource-manager/2.0","httpStatusCode":200}}'
            ),
        ),
        layout=("{container}/resourceId={resource}/y={yyyy}/m={MM}/d={dd}/h={HH}/m={mm}"),
    ),
    Preset(
        "cloudflare",
        JsonForm(
            (
                JsonField("EdgeStartTimestamp", "timestamp"),
                JsonField("EdgeEndTimestamp", "timestamp"),
                JsonField("RayID"),
                JsonField("ParentRayID"),
                JsonField("ZoneName"),
                JsonField("ClientIP"),
                JsonField("ClientSrcPort", "int"),
                JsonField("ClientASN", "bigint"),
                JsonField("ClientCountry"),
                JsonField("ClientDeviceType"),
                JsonField("ClientIPClass"),
                JsonField("ClientRequestMethod"),
                JsonField("ClientRequestScheme"),
                JsonField("ClientRequestHost"),
                JsonField("ClientRequestPath"),
                JsonField("ClientRequestURI"),
                JsonField("ClientRequestProtocol"),
                JsonField("ClientRequestReferer"),
                JsonField("ClientRequestUserAgent"),
                JsonField("ClientRequestBytes", "bigint"),
                JsonField("ClientSSLProtocol"),
                JsonField("ClientSSLCipher"),
                JsonField("EdgeResponseStatus", "int"),
                JsonField("EdgeResponseBytes", "bigint"),
                JsonField("EdgeResponseContentType"),
                JsonField("EdgeColoCode"),
                JsonField("EdgeServerIP"),
                JsonField("EdgeTimeToFirstByteMs", "bigint"),
                JsonField("CacheCacheStatus"),
                JsonField("CacheResponseBytes", "bigint"),
                JsonField("CacheResponseStatus", "int"),
                JsonField("OriginIP"),
                JsonField("OriginResponseStatus", "int"),
                JsonField("OriginResponseDurationMs", "bigint"),
                JsonField("BotScore", "int"),
                JsonField("SecurityAction"),
                JsonField("SecurityRuleID"),
                JsonField("WAFAttackScore", "int"),
                JsonField("WorkerStatus"),
                JsonField("RequestHeaders", "map<string,string>"),
                JsonField("ResponseHeaders", "map<string,string>"),
                JsonField("Cookies", "map<string,string>"),
            )
        ),
        about="Cloudflare Logpush: HTTP requests",
        source="Cloudflare, Logpush, fields of http_requests with times in RFC 3339; a job selects fields, and a schema can name"
        " others: https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/zone/http_requests/",
        sample=(
            (
                '{"CacheCacheStatus":"hit","CacheResponseBytes":5120,"ClientASN":64496,"ClientCountry":"fr","ClientIP":"192.0.2.7",'
                '"ClientRequestHost":"example.com","ClientRequestMethod":"GET","ClientRequestURI":"/cart?id=10",'
                '"ClientRequestUserAgent":"curl/8.5.0","ClientSSLProtocol":"TLSv1.3","EdgeColoCode":"CDG","EdgeEndTimestamp":'
                '"2026-11-22T01:00:12Z","EdgeResponseBytes":5120,"EdgeResponseStatus":200,"EdgeStartTimestamp":'
                '"2026-11-22T01:00:11Z","OriginResponseStatus":0,"RayID":"8a1b2c3d4e5f6a7b"}'
            ),
        ),
        layout="{yyyyMMdd}",
    ),
    Preset(
        "fastly",
        JsonForm(
            (
                JsonField("timestamp", "timestamp"),
                JsonField("client_ip"),
                JsonField("geo_country"),
                JsonField("geo_city"),
                JsonField("host"),
                JsonField("url"),
                JsonField("request_method"),
                JsonField("request_protocol"),
                JsonField("request_referer"),
                JsonField("request_user_agent"),
                JsonField("response_state"),
                JsonField("response_status", "int"),
                JsonField("response_reason"),
                JsonField("response_body_size", "bigint"),
                JsonField("fastly_server"),
                JsonField("fastly_is_edge", "boolean"),
            )
        ),
        about="Fastly: access log in the JSON format of its example",
        source="Fastly, real-time log streaming to Amazon S3, the example of a JSON format; a service chooses its format, and a schema"
        " can name other keys: https://www.fastly.com/documentation/guides/integrations/logging-endpoints/amazon-s3/",
        sample=(
            (
                '{"timestamp":"2026-11-22T01:00:11+0000","client_ip":"192.0.2.7","geo_country":"france","geo_city":"paris",'
                '"host":"example.com","url":"/cart","request_method":"GET","request_protocol":"HTTP/1.1","request_referer":"",'
                '"request_user_agent":"curl/8.5.0","response_state":"HIT","response_status":200,"response_reason":"OK",'
                '"response_body_size":5120,"fastly_server":"cache-par-lfpg1960024-PAR","fastly_is_edge":true}'
            ),
        ),
    ),
)
