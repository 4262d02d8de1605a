"""The slow query log of MySQL and MariaDB, whose records have several lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.multiline import RecordStarts
from pyspark_logs.formats.presets.entry import Preset, check_ineffective, check_rescued_column
from pyspark_logs.formats.regex.expression import Expression, parse_regex
from pyspark_logs.formats.regex.format import RegexFormat
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.multi_pattern_timestamp import ISO_8601, MultiPatternTimestamp
from pyspark_logs.formats.types.numeric import Floating, Integer
from pyspark_logs.formats.types.temporal import Epoch
from pyspark_logs.formats.types.text import Text
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

_TIME, _USER = b"# Time: ", b"# User@Host: "
# Lines that the server writes when it opens the log.
_BANNERS = (
    "/usr/sbin/mysqld, Version: ", "/usr/libexec/mysqld, Version: ", "/usr/sbin/mariadbd, Version: ",
    "/rdsdbbin/mysql/bin/mysqld, Version: ", "mysqld, Version: ", "Tcp port: ", "Time                 Id Command",
)  # fmt: skip
_END = r"\r?\n"
_REST = r"[^\r\n]*"
_RECORD = (
    rf"^(?:# Time: (?P<time>{_REST}){_END})?"
    rf"# User@Host: (?P<user>[^\r\n\[]*)\[(?P<priv_user>[^\r\n\]]*)\] @ (?P<host>[^\r\n ]*) \[(?P<ip>[^\r\n\]]*)\]"
    rf"(?: +(?:Id|thread_id): +(?P<id>\d+))?{_REST}{_END}"
    rf"(?:# (?P<session>[^Q]{_REST}(?:{_END}# [^Q]{_REST})*){_END})?"
    r"# Query_time: (?P<query_time>[0-9.]+) +Lock_time: (?P<lock_time>[0-9.]+) +Rows_sent: (?P<rows_sent>\d+)"
    rf" +Rows_examined: (?P<rows_examined>\d+) *(?:{_END}# )?(?P<attributes>{_REST}(?:{_END}# {_REST})*){_END}"
    rf"(?:use (?P<database>[^\r\n;]*);{_END})?(?:SET {_REST}timestamp=(?P<timestamp>\d+);{_END})?"
    rf"(?P<statement>.*)$"
)
_TYPES: dict[str, FieldType] = {
    "time": MultiPatternTimestamp(patterns=(ISO_8601, "%y%m%d %H:%M:%S")),
    "id": Integer(64),
    "query_time": Floating(),
    "lock_time": Floating(),
    "rows_sent": Integer(64),
    "rows_examined": Integer(64),
    "timestamp": Epoch("s"),
}


class SlowLogStarts(RecordStarts):
    """Rule of records that begin with the time, or with the user if the line before is not the time.

    Servers before MySQL 5.7, and MariaDB, write the time only if it differs from that of the record before.
    """

    def rule(self, context: TimestampContext) -> Callable[[Lines], Bool]:
        """Returns a function for the blocks of a file in order."""
        follows_time = False

        def starts(lines: Lines) -> Bool:
            nonlocal follows_time
            view = spans.terminated_view(lines.block)
            times = spans.literal_at(view, lines.starts, _TIME)
            found: Bool = times | (spans.literal_at(view, lines.starts, _USER) & ~np.append(follows_time, times[:-1]))
            follows_time = bool(times[-1])
            return found

        return starts


@dataclass(frozen=True)
class SlowLogFormat(RegexFormat):
    """Records of the slow query log."""

    @property
    def is_splittable(self) -> bool:
        """False: the line before a split would determine whether its first line begins a record."""
        return False

    def record_starts(self) -> RecordStarts:
        """Returns the rule by which lines are joined to records."""
        return SlowLogStarts(self.options, None)


@dataclass(frozen=True)
class SlowLogForm:
    """Form of the preset."""

    def resolve(self, options: FormatOptions, name: str) -> LineFormat:
        check_rescued_column(options, name)
        check_ineffective(
            name,
            multiLine=options.multi_line is not None,
            escape=options.escape != FormatOptions.escape,
            allowTrailing=options.allow_trailing,
            nullValue=options.null_value != FormatOptions.null_value,
            requestParts=options.request_parts,
        )
        return SlowLogFormat(_expression(), replace(options, multi_line=_TIME.decode(), banners=_BANNERS))


def _expression() -> Expression:
    """Returns the expression of a record, with the types of its columns."""
    parsed = parse_regex(_RECORD)
    groups = (replace(one, type=_TYPES.get(one.name, Text()), optional=True) for one in parsed.groups)
    return replace(parsed, text="mysql_slow", groups=tuple(groups))


PRESETS: tuple[Preset, ...] = (
    Preset(
        "mysql_slow",
        SlowLogForm(),
        about="MySQL, MariaDB and Percona Server: slow query log",
        source='MySQL, "The Slow Query Log"; also records of MariaDB and Percona Server, whose further lines are in session and'
        " attributes, and records without a time, which follow one of the same second:"
        " https://dev.mysql.com/doc/refman/8.4/en/slow-query-log.html",
        sample=(
            (
                "# Time: 2026-11-22T01:00:11.045123Z\n"
                "# User@Host: ana[ana] @ localhost [127.0.0.1]  Id:    12\n"
                "# Query_time: 2.000123  Lock_time: 0.000045 Rows_sent: 1  Rows_examined: 1000\n"
                "use shop;\n"
                "SET timestamp=1795309209;\n"
                "SELECT *\n"
                "  FROM orders;"
            ),
            (
                "# User@Host: ana[ana] @  [192.0.2.7]\n"
                "# Thread_id: 13  Schema: shop  QC_hit: No\n"
                "# Query_time: 3.500000  Lock_time: 0.000062  Rows_sent: 5  Rows_examined: 42\n"
                "# Rows_affected: 0  Bytes_sent: 120\n"
                "SET timestamp=1795309211;\n"
                "SELECT 1;"
            ),
        ),
    ),
)
