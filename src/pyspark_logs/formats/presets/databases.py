"""Databases: PostgreSQL, Redis, MongoDB."""

from __future__ import annotations

from dataclasses import replace

from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.presets.entry import JsonForm, Preset, TemplateForm
from pyspark_logs.formats.template.composite_fields import CompositeField, ConditionalText, FieldPart
from pyspark_logs.formats.template.zone_abbreviation import TimeAndZone, TimeAndZoneText
from pyspark_logs.formats.types.multi_pattern_timestamp import ISO_8601, MultiPatternTimestamp
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.text import PaddedText, Text

# log_line_prefix after the time: ' [%p] ', ' [%p-%l] %q%u@%d ', the prefix that pgBadger's documentation recommends, with or
# without '[%l-1] ', application and client; those of pganalyze, Google Cloud SQL, Amazon RDS (':%r:%u@%d:[%p]:') and Azure ('-%c-'). The name
# of a user may be an e-mail address.
_PROCESS, _LINE_NUM = (
    FieldPart("process_id", Integer(32), before=" [", also=("rds_process_id",)),
    FieldPart("session_line_num", Integer(64), before="-", also=("num",)),
)
_SESSION_ID = FieldPart("session_id", Text(), before="-", after="-")
_USER, _DATABASE = (
    FieldPart("user_name", Text(), after="@", also=("user", "sql_user", "pg_user", "rds_user")),
    FieldPart("database_name", Text(), after=" ", also=("db", "sql_db", "pg_db", "rds_db")),
)
_SEVERITY = FieldPart("error_severity", Text())
# PostgreSQL, "Error Reporting and Logging", Message Severity Levels, and the kinds of line that follow a message
# (send_message_to_server_log() in elog.c).
_SEVERITIES = (
    "DEBUG[1-5]|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|QUERY|CONTEXT|LOCATION|BACKTRACE|STATEMENT"
)
_SESSION = CompositeField(
    r"(?: \[(?P<process_id>\d+)(?:-(?P<session_line_num>\d+))?\]:? (?:\[(?P<num>\d+)-\d+\] ?)?"
    r"(?:user=(?P<user>[^,]*),db=(?P<db>[^,]*)(?:,app=(?P<application_name>.*?))?(?:,client=(?P<connection_from>[^ ,]*))? "
    r"|db=(?P<sql_db>[^,]*),user=(?P<sql_user>[^ ,]*) "
    r"|\[user=(?P<pg_user>[^,]*),db=(?P<pg_db>[^,]*),app=(?P<pg_application>.*?)\] "
    r"|(?P<user_name>\[unknown\]|[^ \[=]*)@(?P<database_name>[^ @]*) )?"
    r"|:(?P<remote>\[local\]|(?:[0-9A-Za-z_.:%-]+\(\d+\))?):(?P<rds_user>[^:]*)@(?P<rds_db>[^:@]*):\[(?P<rds_process_id>\d+)\]:"
    rf"|-(?P<session_id>[0-9a-f]+\.[0-9a-f]+)-)(?P<error_severity>{_SEVERITIES})",
    (
        _SESSION_ID,
        replace(_PROCESS, after="]: "),
        replace(_LINE_NUM, before="[", after="-1] "),
        ConditionalText("user=", "error_severity"),
        replace(_USER, after=""),
        ConditionalText(",db=", "error_severity"),
        replace(_DATABASE, after=""),
        FieldPart("application_name", Text(), before=",app=", also=("pg_application",)),
        FieldPart("connection_from", Text(), before=",client=", also=("remote",)),
        ConditionalText(" ", "error_severity"),
        _SEVERITY,
    ),
    short_parts=(_SESSION_ID, _PROCESS, _LINE_NUM, ConditionalText("] ", "process_id"), _USER, _DATABASE, _SEVERITY),
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

# MongoDB 2.6 writes neither severity nor component, and versions before 4.2 one letter for each severity. A message without a
# component has "-".
_MONGODB_EVENT = CompositeField(
    r"(?:(?P<severity>[FEWI]|D[1-5]?) {1,2}(?:(?P<component>[A-Z0-9_]+)|-) +)?\[(?P<context>[^\]]*)\] (?P<message>.*)",
    (
        FieldPart("severity", PaddedText(width=2), after=" "),
        FieldPart("component", PaddedText(width=8), after=" "),
        ConditionalText("-        ", "component", if_null=True),
        FieldPart("context", Text(), before="[", after="] "),
        FieldPart("message", Text()),
    ),
    short_parts=(FieldPart("context", Text(), before="[", after="] "), FieldPart("message", Text())),
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        "postgres",
        TemplateForm(
            "{stamp}{session}:  {message}",
            types={"stamp": TimeAndZoneText()},
            composite_fields={"stamp": TimeAndZone("log_time", "time_zone"), "session": _SESSION},
        ),
        about="PostgreSQL: server log in stderr format",
        source="PostgreSQL, log_line_prefix '%m [%p] ' (the default), '%m [%p-%l] %q%u@%d ', pgBadger's '%t [%p]: [%l-1]"
        " user=%u,db=%d,app=%a,client=%h ', Amazon RDS's '%t:%r:%u@%d:[%p]:', Azure's '%t-%c-', Google Cloud SQL's"
        " '%m [%p]: [%l-1] db=%d,user=%u ' and pganalyze's '%m [%p] %q[user=%u,db=%d,app=%a] '; columns are named as in the CSV log:"
        " https://www.postgresql.org/docs/current/runtime-config-logging.html",
        sample=(
            "2026-11-22 01:00:11.045 UTC [123] LOG:  database system is ready to accept connections",
            '2026-11-22 01:00:12.310 UTC [456] ana@shop ERROR:  relation "orders" does not exist at character 15',
            "2026-11-22 01:00:13 UTC [456]: [7-1] user=ana,db=shop,app=psql,client=192.0.2.7 LOG:  duration: 0.612 ms",
            "2026-11-22 01:00:14 UTC:10.0.0.1(48808):ana@shop:[18762]:LOG:  duration: 3.685 ms",
            "2026-11-22 01:00:15 UTC-65604d0f.1ba5-LOG:  checkpoint starting: time",
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
        about="Redis: server log",
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
        about="MongoDB 4.4 and later: server log as JSON",
        source='MongoDB, "Log Messages", structured logging (4.4 and later):'
        " https://www.mongodb.com/docs/manual/reference/log-messages/",
        sample=(
            (
                '{"t":{"$date":"2026-11-22T01:00:11.045+00:00"},"s":"I","c":"NETWORK","id":22943,"ctx":"listener",'
                '"msg":"Connection accepted","attr":{"remote":"192.0.2.7:51012","connectionId":12}}'
            ),
        ),
    ),
    Preset(
        "mongodb_text",
        TemplateForm(
            "{timestamp:timestamp} {event}",
            types={"timestamp": MultiPatternTimestamp(patterns=(ISO_8601, "%a %b %d %H:%M:%S.%f"))},
            composite_fields={"event": _MONGODB_EVENT},
        ),
        about="MongoDB before 4.4: server log as text",
        source='MongoDB, "Log Messages" before 4.4: timestamp (iso8601-local, iso8601-utc or ctime), severity, component, [context]'
        " and message: https://www.mongodb.com/docs/v4.2/reference/log-messages/",
        sample=(
            "2026-11-22T01:00:11.045+0000 I  NETWORK  [listener] waiting for connections on port 27017",
            "2026-11-22T01:00:12.310+0000 D1 COMMAND  [conn12] run command admin.$cmd { ping: 1 }",
            "2026-11-22T01:00:13.002+0000 W -        [conn12] slow query",
        ),
    ),
)
