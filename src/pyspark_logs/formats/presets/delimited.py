"""Formats with a header that names the fields: CloudFront, VPC flow logs, IIS."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark_logs.formats.delimited.header import NameIndex, column_name
from pyspark_logs.formats.delimited.spec import DelimitedField, DelimitedSpec
from pyspark_logs.formats.presets.entry import DelimitedForm, Preset
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Floating, Integer
from pyspark_logs.formats.types.temporal import Date, Epoch, Timestamp
from pyspark_logs.formats.types.text import Text

_INT, _LONG, _DOUBLE, _TEXT = Integer(32), Integer(64), Floating(), Text()


def _fields(names: str, types: dict[str, FieldType]) -> tuple[DelimitedField, ...]:
    """Returns the fields of space-separated header names."""
    return tuple(DelimitedField(column_name(name), types.get(name, _TEXT), values=(name,)) for name in names.split())


# CloudFront and IIS write date and time in UTC; together they are also one timestamp.
_W3C_TIME = DelimitedField("timestamp", Timestamp(), values=("date", "time"), suffix="Z")

_CLOUDFRONT_NAMES = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent)"
    " cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken"
    " x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status"
    " fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len"
    " sc-range-start sc-range-end"
)
# Fields that can be selected in standard logging v2 only.
_CLOUDFRONT_V2_NAMES = "timestamp(ms) DistributionId origin-fbl origin-lbl asn c-country cache-behavior-path-pattern"
CLOUDFRONT, CLOUDFRONT_V2 = tuple(_CLOUDFRONT_NAMES.split()), tuple(_CLOUDFRONT_V2_NAMES.split())
_CLOUDFRONT_TYPES: dict[str, FieldType] = {
    "date": Date(), "sc-bytes": _LONG, "sc-status": _INT, "cs-bytes": _LONG, "time-taken": _DOUBLE,
    "fle-encrypted-fields": _INT, "c-port": _INT, "time-to-first-byte": _DOUBLE, "sc-content-len": _LONG,
    "sc-range-start": _LONG, "sc-range-end": _LONG, "timestamp(ms)": Epoch("ms"), "origin-fbl": _DOUBLE,
    "origin-lbl": _DOUBLE, "asn": _LONG,
}  # fmt: skip

_FLOW_V2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
_FLOW_V5 = (
    # version 3
    " vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr"
    # version 4
    " region az-id sublocation-type sublocation-id"
    # version 5
    " pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path"
)
_FLOW_LATER = (
    # version 7
    " ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id"
    " ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id"
    # versions 8 to 10
    " reject-reason resource-id encryption-status"
    # transit gateway flow logs, version 6
    " resource-type tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id"
    " tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id"
    " packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired"
)
_FLOW_TYPES: dict[str, FieldType] = {
    "version": _INT, "srcport": _INT, "dstport": _INT, "protocol": _INT, "packets": _LONG, "bytes": _LONG,
    "start": Epoch("s"), "end": Epoch("s"), "tcp-flags": _INT, "traffic-path": _INT,
    "encryption-status": _INT, "packets-lost-no-route": _LONG, "packets-lost-blackhole": _LONG,
    "packets-lost-mtu-exceeded": _LONG, "packets-lost-ttl-expired": _LONG,
}  # fmt: skip


@dataclass(frozen=True)
class _FlowSpec(DelimitedSpec):
    """A spec whose first line is a header if it contains the name of any field.

    No value equals a name, and AWS adds fields, so unknown names do not make the line a record.
    """

    known_names_only: bool = True

    def is_header(self, line: str) -> bool:
        known = NameIndex([name for field in self.fields for name in field.value_names])
        return any(known.find(name) is not None for name in self.splitter.header_names(line))


_IIS = (
    "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status"
    " sc-substatus sc-win32-status time-taken"
)
# Fields that IIS does not log by default.
_IIS_OPTIONAL = "s-sitename s-computername cs-version cs-host cs(Cookie) sc-bytes cs-bytes X-Forwarded-For"
_IIS_TYPES: dict[str, FieldType] = {
    "date": Date(), "s-port": _INT, "sc-status": _INT, "sc-substatus": _INT, "sc-win32-status": _LONG,
    "time-taken": _LONG, "sc-bytes": _LONG, "cs-bytes": _LONG,
}  # fmt: skip

PRESETS: tuple[Preset, ...] = (
    Preset(
        "aws_cloudfront",
        DelimitedForm(
            DelimitedSpec(
                "\t",
                header="fields",
                fields=(_W3C_TIME, *_fields(f"{_CLOUDFRONT_NAMES} {_CLOUDFRONT_V2_NAMES}", _CLOUDFRONT_TYPES)),
                headerless_names=tuple(_CLOUDFRONT_NAMES.split()),
            )
        ),
        about="Amazon CloudFront: standard access log with a header",
        source='AWS, "Standard logging reference" of CloudFront; values remain URL-encoded, as in the file:'
        " https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html",
        sample=(
            "#Version: 1.0",
            f"#Fields: {_CLOUDFRONT_NAMES}",
            (
                "2026-11-22\t01:00:11\tLAX1\t2390282\t192.0.2.7\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\t"
                "Mozilla/5.0%20(X11;%20Linux)\tq=1\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\t"
                "d111111abcdef8.cloudfront.net\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t"
                "-\t11040\t0.001\tHit\ttext/html\t78\t-\t-"
            ),
        ),
        layout="{distribution}.{yyyy-MM-dd-HH}.*",
    ),
    Preset(
        "aws_vpc_flow",
        DelimitedForm(
            _FlowSpec(
                " ",
                header="first",
                fields=_fields(_FLOW_V2 + _FLOW_V5 + _FLOW_LATER, _FLOW_TYPES),
                headerless_names=tuple(_FLOW_V2.split()),
                checks_count=True,
            )
        ),
        about="Amazon VPC and Transit Gateway: flow log of network traffic",
        source='AWS, "Flow log records" and "Transit Gateway Flow Log records"; files without a header have version 2:'
        " https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html",
        sample=(
            _FLOW_V2 + _FLOW_V5,
            (
                "5 123456789012 eni-1235b8ca123456789 172.31.16.139 52.95.129.1 20641 443 6 20 4249 1795309211 1795309270"
                " ACCEPT OK vpc-0a1b2c3d4e5f60718 subnet-0a1b2c3d4e5f60718 i-0a1b2c3d4e5f60718 3 IPv4 172.31.16.139 52.95.129.1"
                " us-east-2 use2-az1 - - - S3 egress 8"
            ),
            (
                "5 123456789012 eni-1235b8ca123456789 - - - - - - - 1795309211 1795309270 - NODATA vpc-0a1b2c3d4e5f60718"
                " subnet-0a1b2c3d4e5f60718 - - - - - us-east-2 use2-az1 - - - - - -"
            ),
        ),
        layout="AWSLogs/{account}/vpcflowlogs/{region}/{yyyy}/{MM}/{dd}",
    ),
    Preset(
        "w3c_iis",
        DelimitedForm(
            DelimitedSpec(
                " ",
                header="fields",
                fields=(_W3C_TIME, *_fields(f"{_IIS} {_IIS_OPTIONAL}", _IIS_TYPES)),
                headerless_names=tuple(_IIS.split()),
                checks_count=True,
                aliases=(("cs(referrer)", "cs(Referer)"),),  # spelling in the samples of Microsoft's documentation
            )
        ),
        about="Microsoft IIS: access log in the W3C extended format",
        source='Microsoft, "W3C Logging" of IIS; date and time are in UTC:'
        " https://learn.microsoft.com/en-us/windows/win32/http/w3c-logging",
        sample=(
            "#Software: Microsoft Internet Information Services 10.0",
            "#Version: 1.0",
            "#Date: 2026-11-22 01:00:00",
            f"#Fields: {_IIS}",
            (
                "2026-11-22 01:00:11 10.0.0.1 GET /index.html q=1 443 - 192.0.2.7 Mozilla/5.0+(Windows+NT+10.0)"
                " https://example.com/ 200 0 0 46"
            ),
        ),
    ),
)
