"""Syslog: RFC 3164 and its variants, RFC 5424, and CEF, which syslog often carries."""

from __future__ import annotations

from pyspark_logs.formats.presets.entry import Preset, TemplateForm
from pyspark_logs.formats.template.composite_fields import CompositeField, ConditionalText, FieldPart
from pyspark_logs.formats.template.syslog_body import SyslogBody
from pyspark_logs.formats.template.syslog_priority import Priority
from pyspark_logs.formats.template.syslog_time import SyslogTime, SyslogTimeText
from pyspark_logs.formats.timestamps.zone_names import NAMES
from pyspark_logs.formats.types.cef import CefExtension, CefHeader, CefSeverity
from pyspark_logs.formats.types.multi_pattern_timestamp import ISO_8601, MultiPatternTimestamp
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.syslog import (
    FACILITY,
    SEVERITY,
    CiscoPrefix,
    HostAfterTime,
    OctetCount,
    VerbosePriority,
)
from pyspark_logs.formats.types.text import Text

# Cisco IOS writes a year before or after the date, and a zone; UCS Manager a blank before the colon. The colon after the zone is
# required, because %Z also matches the names of hosts.
_DATES = ("%b %d %Y %H:%M:%S", "%Y %b %d %H:%M:%S", "%b %d %H:%M:%S")
_RFC3164_TIME = MultiPatternTimestamp(
    patterns=(
        ISO_8601,
        *(date + rest for date in _DATES for rest in (".%f %Z:", ".%f %Z :", " %Z:", " %Z :", ".%f", "")),
    )
)
_CISCO = CompositeField(
    r"(?:(?::|(?P<message_counter>0|[1-9]\d*):)? *(?:(?P<sequence_number>\d+): +)?(?:(?P<origin_id>[^\s:*%]+): +)?)?[*.]?",
    (
        ConditionalText(": ", "message_counter", if_null=True),
        FieldPart("message_counter", Integer(64), after=": "),
        FieldPart("sequence_number", Integer(64), after=": "),
        FieldPart("origin_id", Text(), after=": "),
    ),
)

# A word that ends in a colon is the tag; the host before it is optional. Brackets belong to the tag, except around a process
# number. RFC 3164, 4.1.3, ends the tag at the first character that is not alphanumeric, so the message may follow without a
# blank; but `10:23`, `fe80::1` and `http://` contain no tag. A word with a process number is a tag without a colon, too.
_TAG = (
    r"(?:(?P<tag>[^\s:\[]+)(?:\[(?P<pid>\d{1,9})\])?|(?P<whole_tag>[^\s:\[]+\[[^\s\[\]]*\])):(?: |$)"
    r"|(?P<close_tag>[^\s:\[\d][^\s:\[]*)(?:\[(?P<close_pid>\d{1,9})\])?:\b"
    r"|(?P<bare_tag>[^\s:\[]+)\[(?P<bare_pid>\d{1,9})\] "
)
# Characters of host names and addresses (RFC 1123, 2.1; RFC 4291, 2.2), also in brackets; a word that ends in a colon is a tag.
# With the exact forms of addresses a scan takes three times as long.
_HOST = r"(?:(?:::)?[0-9A-Za-z_\x80-\x{10ffff}](?:[0-9A-Za-z_.:%\x80-\x{10ffff}-]*[0-9A-Za-z_.%\x80-\x{10ffff}-])?|\[[0-9A-Fa-f:.]+\])"
# Neither the prefix of a CEF or LEEF event nor the beginning of a JSON object is a tag.
_EVENT = r'(?:(?:CEF|LEEF):[0-9.]+\||[{"])'
_HEADER_AND_MESSAGE = CompositeField(
    rf"(?:(?P<hostname>{_HOST})(?: |$))?(?:(?P<event>{_EVENT}.*)|(?: *(?:: )?(?:{_TAG})|:(?: |$))?(?P<message>.*))",
    (
        FieldPart("hostname", HostAfterTime(), after=" "),
        FieldPart("tag", Text(), also=("whole_tag", "close_tag", "bare_tag")),
        FieldPart("pid", Integer(32), before="[", after="]", also=("close_pid", "bare_pid")),
        ConditionalText(": ", "tag"),
        FieldPart("message", Text(), also=("event",)),
    ),
)

# RFC 6587, 3.4.1: the length of a message is before it in streams with octet counts, which Heroku's drains send.
_OCTET_COUNT = CompositeField(
    r"(?:(?P<octet_count>[1-9]\d{0,8}) )?", (FieldPart("octet_count", Integer(32), after=" "),)
)
_VERBOSE_PRIORITY = CompositeField(
    r"(?: <(?P<facility>[^.]+)\.(?P<severity>[^>]+)>)?",
    (
        FieldPart("facility", FACILITY, before=" <"),
        ConditionalText(".", "facility"),
        FieldPart("severity", SEVERITY, after=">"),
    ),
)

# The text before "CEF:" is a syslog header, or empty. The abbreviation of a zone may follow the time if a host follows it.
_CEF_DATE = r"[A-Z][a-z][a-z] [ \d]\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?"
# Written as in RFC 3339, the only one of these patterns with year, zone and fraction.
_CEF_TIME = MultiPatternTimestamp(
    patterns=(
        ISO_8601,
        *(date + rest for date in ("%b %d %Y %H:%M:%S", "%b %d %H:%M:%S") for rest in (".%f %Z", " %Z", ".%f", "")),
    )
)
_CEF_HEADER = CompositeField(
    r"(?:(?:(?P<octet_count>[1-9]\d{0,8}) )?<(?P<pri>\d{1,3})>(?:1 | )?)?"
    rf"(?:(?P<zoned>{_CEF_DATE} (?:{'|'.join(NAMES)}|CST|IST)) (?P<zoned_host>[^ ]+) |(?P<time>{_CEF_DATE}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?) (?:(?P<host>[^ ]+) )?)?(?P<header>.*)",
    (
        FieldPart("octet_count", Integer(32), after=" "),
        FieldPart("pri", Integer(32), before="<", after=">"),
        FieldPart("time", _CEF_TIME, after=" ", also=("zoned",)),
        FieldPart("host", Text(), after=" ", also=("zoned_host",)),
        FieldPart("header", Text()),
    ),
)
_CEF_FIELDS = ("device_vendor", "device_product", "device_version", "device_event_class_id", "name", "severity")

PRESETS: tuple[Preset, ...] = (
    Preset(
        "syslog_rfc3164",
        TemplateForm(
            "{count?}{?<{pri}>?}{? ?}{counted?}{stamp:timestamp}{verbose?}{?:?}{? {rest}?}",
            types={
                "count": OctetCount(),
                "counted": CiscoPrefix(),
                "stamp": SyslogTimeText(patterns=_RFC3164_TIME.patterns),
                "verbose": VerbosePriority(),
            },
            composite_fields={
                "count": _OCTET_COUNT,
                "pri": Priority(),
                "counted": _CISCO,
                "stamp": SyslogTime("timestamp", "time_zone", _RFC3164_TIME),
                "verbose": _VERBOSE_PRIORITY,
                "rest": _HEADER_AND_MESSAGE,
            },
        ),
        about="syslog daemons and network devices: BSD syslog",
        source="RFC 3164, 4 and 5.4; also times of rsyslog (RSYSLOG_FileFormat: RFC 3339) and Cisco (with year and zone), the"
        " message numbers that Cisco IOS writes before the time, facility and severity that syslogd -v of FreeBSD writes after"
        " the time (syslogd(8)), octet counts (RFC 6587, 3.4.1), and files without PRI, host, tag or pid:"
        " https://www.rfc-editor.org/rfc/rfc3164#section-4",
        sample=(
            "<34>Nov 22 01:00:11 web-1 su: 'su root' failed for lonvick on /dev/pts/8",
            "Nov  2 01:00:12 web-1 sshd[4721]: Accepted publickey for deploy from 192.0.2.7 port 51012 ssh2",
            "2026-11-22T01:00:13.045123+01:00 web-1 systemd[1]: Started nginx.service.",
            "<189>643: 000104: router-1: *Nov 22 01:00:14.295: %SYS-5-CONFIG_I: Configured from console by console",
            "Nov 22 01:00:15 <mail.notice> web-1 sm-mta[2794]: x",
            "58 <34>Nov 22 01:00:16 web-1 su: failed for ana on /dev/pts/8",
        ),
    ),
    Preset(
        "syslog_rfc5424",
        TemplateForm(
            "{count?}<{pri}>{version:int} {timestamp:timestamp?} {hostname?} {app_name?} {procid?} {msgid?} {rest?}",
            composite_fields={"count": _OCTET_COUNT, "pri": Priority(), "rest": SyslogBody()},
            may_be_blank=("count", "rest"),
        ),
        about="syslog daemons: syslog with structured data",
        source="RFC 5424, 6; also messages of Heroku's log drains, which omit structured data and have octet counts (RFC 6587, 3.4.1):"
        " https://www.rfc-editor.org/rfc/rfc5424#section-6",
        sample=(
            (
                '<165>1 2026-11-22T01:00:11.003Z web-1.example.com evntslog - ID47 [exampleSDID@32473 iut="3"'
                ' eventSource="Application"] An application event log entry'
            ),
            "<34>1 2026-11-22T01:00:12Z web-1 su 4721 - - 'su root' failed for lonvick on /dev/pts/8",
            "<40>1 2026-11-22T01:00:13.000000+00:00 host heroku web.3 - State changed from starting to up",
        ),
    ),
    Preset(
        "cef",
        TemplateForm(
            "{before?}CEF:{? ?}{version:int}|" + "|".join(f"{{{name}}}" for name in _CEF_FIELDS) + "{?|{extension}?}",
            types={**dict.fromkeys(_CEF_FIELDS, CefHeader()), "severity": CefSeverity(), "extension": CefExtension()},
            composite_fields={"before": _CEF_HEADER},
            null_value="",
        ),
        about="ArcSight and other security products: Common Event Format",
        source='ArcSight, "Implementing ArcSight Common Event Format (CEF)", version 26: header, extension, escapes',
        sample=(
            (
                "Nov 22 01:00:11 fw-1 CEF:0|Security|threatmanager|1.0|100|worm successfully stopped|10|"
                r"src=192.0.2.7 dst=198.51.100.1 spt=1232 msg=a value with \= and blanks"
            ),
        ),
    ),
)
