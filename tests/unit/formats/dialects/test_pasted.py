"""Formats from the configuration of nginx, Apache, Logback and Log4j 2, and errors that point into it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import FormatError, OptionError, RecordError
from pyspark_logs.formats.dialects.java_dates import fixed_width, to_strptime
from pyspark_logs.formats.template.engine import TemplateEngine
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines
from tests.conformance.test_engines import rows_of
from tests.support.formats import compile_decoder, compile_encoder, format_schema

UTC = timezone.utc
AT = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
CLF = "22/Nov/2026:10:00:00 +0000"


def columns(option: str, spec: str) -> dict[str, str]:
    """Returns the columns of a format and their types."""
    schema = format_schema(FormatOptions(option, spec))
    assert schema is not None
    return {field.name: str(field.type) for field in schema}


def rows(option: str, spec: str, *lines: str) -> list[dict[str, Any]]:
    """Returns the rows of valid lines."""
    options = FormatOptions(option, spec)
    schema = format_schema(options)
    assert schema is not None
    decoder = compile_decoder(options, schema, judge_whole=True)
    found, corrupt = rows_of(decoder, iter([find_lines("\n".join(lines).encode(), 0)]), TimestampContext())
    reasons = [decoder.line_parser.parse(line, TimestampContext()).reason for line in lines]
    assert corrupt == [False] * len(lines), reasons
    return [dict(zip(schema.names, row, strict=True)) for row in found]


def is_refused(option: str, spec: str, line: str) -> bool:
    """Returns True if a line is corrupt."""
    options = FormatOptions(option, spec)
    decoder = compile_decoder(options, format_schema(options), judge_whole=True)
    return bool(decoder.line_parser.parse(line, TimestampContext()).reason)


def written(option: str, spec: str, row: dict[str, Any]) -> str:
    """Returns the line of a row."""
    options = FormatOptions(option, spec)
    schema = format_schema(options)
    assert schema is not None
    batch = pa.RecordBatch.from_pylist([{name: row.get(name) for name in schema.names}], schema=schema)
    return str(compile_encoder(options, schema).encode(batch)[0]).removesuffix("\n")


def error(option: str, spec: str) -> str:
    """Returns the message of the error about a format string."""
    with pytest.raises(FormatError) as caught:
        format_schema(FormatOptions(option, spec))
    return str(caught.value)


class TestNginx:
    def test_directive_of_several_lines_with_comments_and_both_quotes(self) -> None:
        spec = """
        log_format  main  '$remote_addr \\'x\\' ' # who
                          "$status \\"$request\\"\\t" ; # that is all
        """
        assert rows("nginx", spec, "10.0.0.1 'x' 200 \"GET /\"\t") == [
            {"remote_addr": "10.0.0.1", "status": 200, "request": "GET /"}
        ]

    def test_strings_without_the_directive(self) -> None:
        assert list(columns("nginx", "'$remote_addr '\n '\"$request\"';")) == ["remote_addr", "request"]

    def test_combined_is_predefined_and_equals_the_preset(self) -> None:
        preset = format_schema(FormatOptions("preset", "nginx_combined"))
        assert preset is not None
        # The preset also reads the format "main" of the default nginx.conf, which ends in this value.
        assert {**columns("nginx", "combined"), "http_x_forwarded_for": "string"} == {
            field.name: str(field.type) for field in preset
        }

    def test_variables_in_braces_and_custom_variables(self) -> None:
        found = columns("nginx", "${status}ms $my_own_2 $cookie_sid $status")
        assert found == {"status": "int32", "my_own_2": "string", "cookie_sid": "string", "status_2": "int32"}

    def test_types(self) -> None:
        spec = (
            "$time_iso8601 $msec $status $bytes_sent $connection_requests $remote_port $request_time $upstream_status|"
            "$upstream_response_time"
        )
        assert [*columns("nginx", spec).values()] == [
            "timestamp[us, tz=UTC]", "timestamp[us, tz=UTC]", "int32", "int64", "int64", "int32", "double", "string",
            "string",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("line", "value"),
        [
            (f'- [{CLF}] "-"', None),
            (f'- [{CLF}] ""', None),
            (f'- [{CLF}] "GET /\\x22\\x22 HTTP/1.1"', 'GET /"" HTTP/1.1'),
            (f'- [{CLF}] "\\x16\\x03\\x01"', "\x16\x03\x01"),
            (f'- [{CLF}] "\\xE2\\x82\\xAC \\x5Cn"', "€ \\n"),
            (f'- [{CLF}] "\\xFF"', "\ufffd"),
            (f'- [{CLF}] "GET /\\" HTTP/1.0"', 'GET /" HTTP/1.0'),
        ],
    )
    def test_escape_default(self, line: str, value: str | None) -> None:
        assert rows("nginx", '$remote_user [$time_local] "$request"', line)[0]["request"] == value

    def test_values_are_written_with_the_escapes_of_nginx(self) -> None:
        row = {"request": 'GET /"\\\n\x7fЖ', "status": 200, "remote_user": "a b"}
        line = written("nginx", 'x "$request" $status $remote_user', row)
        assert line == 'x "GET /\\x22\\x5C\\x0A\\x7F\\xD0\\x96" 200 a b'
        assert written("nginx", "$remote_user $status", {**row, "status": None}) == "a\\x20b -"

    def test_address_before_its_port_may_contain_colons(self) -> None:
        spec = '$remote_addr:$remote_port "$server_addr:$server_port" $host:$server_port'
        assert columns("nginx", spec) == {
            "remote_addr": "string", "remote_port": "int32", "server_addr": "string", "server_port": "int32",
            "host": "string", "server_port_2": "int32",
        }  # fmt: skip
        lines = [
            '10.0.0.1:51012 "::1:443" a:443',
            'unix:: "unix:/run/x.sock:" a:443',
            '-:- "-" a:443',
            '-:7 "fe80::1:-" a:443',
        ]
        found = [list(row.values())[:4] for row in rows("nginx", spec, *lines)]
        assert found == [
            ["10.0.0.1", 51012, "::1", 443],
            ["unix:", None, "unix:/run/x.sock", None],
            [None, None, None, None],
            [None, 7, "fe80::1", None],
        ]
        for line, row in zip(lines[:2], rows("nginx", spec, *lines[:2]), strict=True):
            assert written("nginx", spec, row) == line
        assert written("nginx", "$remote_addr:$remote_port", {"remote_addr": None, "remote_port": None}) == "-:-"
        with pytest.raises(RecordError, match="remote_addr"):
            written("nginx", "$remote_addr:$remote_port", {"remote_addr": "-", "remote_port": 1})
        options = FormatOptions("nginx", "$remote_addr:$remote_port x")
        schema = pa.schema({"remote_port": pa.string(), "remote_addr": pa.string()})
        decoder = compile_decoder(options, schema, judge_whole=True)
        block = find_lines(b"::1:80 x\n10.0.0.1 x\n10.0.0.1:http x", 0)
        assert rows_of(decoder, iter([block]), TimestampContext()) == (
            [["80", "::1"], [None, None], [None, None]],
            [False, True, True],
        )
        assert "nothing separates it from '$uri'" in error("nginx", "$remote_addr:$remote_port$uri")

    def test_list_of_upstreams_contains_spaces(self) -> None:
        spec = "$upstream_addr $upstream_status $foo"
        line = "10.0.0.1:80, 10.0.0.2:80 : unix:/tmp/s 502, 502 : 200 abc"
        assert rows("nginx", spec, line) == [
            {"upstream_addr": "10.0.0.1:80, 10.0.0.2:80 : unix:/tmp/s", "upstream_status": "502, 502 : 200",
             "foo": "abc"}
        ]  # fmt: skip
        assert written("nginx", spec, rows("nginx", spec, line)[0]) == line
        odd = {"upstream_addr": "a b", "upstream_status": "c,", "foo": ": d"}
        assert written("nginx", spec, odd) == "a\\x20b c\\x2c \\x3a d"
        assert rows("nginx", spec, written("nginx", spec, odd)) == [odd]

    def test_keys_of_a_json_object_are_columns(self) -> None:
        spec = """escape=json '{ "@timestamp":"$time_iso8601", "http.status" : $status, "both": "$host$uri","n":1 }'"""
        assert columns("nginx", spec) == {
            "@timestamp": "timestamp[us, tz=UTC]", "http.status": "int32", "both": "string", "n": "string",
        }  # fmt: skip
        line = '{ "@timestamp":"2026-11-22T10:00:00+00:00", "http.status" : 200, "both": "x\\n/","n":1 }'
        row = {"@timestamp": AT, "http.status": 200, "both": "x\n/", "n": "1"}
        assert rows("nginx", spec, line) == [row]
        assert written("nginx", spec, row) == line

    def test_json_with_another_layout(self) -> None:
        spec = 'escape=json {"status": $status, "uri": "$uri", "ok": "$x"}'
        assert rows("nginx", spec, '{"uri":"/\\u00e9","status":"200","more":[1],"ok":true}', '{"ok":null}') == [
            {"status": 200, "uri": "/é", "ok": "true"},
            {"status": None, "uri": None, "ok": None},
        ]

    def test_json_with_any_layout_begins_a_record(self, tmp_path: Path) -> None:
        (tmp_path / "a.log").write_text('{"s": 1, "u": "a"}\n{"u":"b","s":2}\n ...\n')
        spec = 'escape=json {"s": $status, "u": "$uri"}'
        read = pyspark_logs.scan(str(tmp_path / "a.log"), nginx=spec, multiLine="true", columnNameOfCorruptRecord="bad")
        assert [row["s"] for row in read.read_all().to_pylist()] == [1, None]
        read = pyspark_logs.scan(str(tmp_path / "a.log"), nginx=spec)
        assert [row["s"] for row in read.read_all().to_pylist()] == [1, 2, None]

    def test_json_with_other_escapes(self) -> None:
        spec = '{"t": "$msec", "ua": "$http_user_agent", "n": $bytes_sent}'
        line = '{"t": "1795341600.000", "ua": "a\\x22b", "n": -}'
        assert rows("nginx", spec, line) == [{"t": AT, "ua": 'a"b', "n": None}]
        raw = '{"t": "1795341600.000", "ua": "a"b", "n": 5}'
        assert rows("nginx", f"escape=none {spec}", raw) == [{"t": AT, "ua": 'a"b', "n": 5}]
        assert list(columns("nginx", "{ $status }")) == ["status"]

    def test_null_is_written_as_valid_json(self) -> None:
        spec = 'escape=json {"status":$status,"uri":"$uri","t":"$msec","u":$upstream_status}'
        assert written("nginx", spec, {}) == '{"status":null,"uri":"","t":"","u":null}'

    @pytest.mark.parametrize(
        ("spec", "character", "words"),
        [
            ("$remote_addr$status", 1, "'$remote_addr': nothing separates it from '$status'"),
            ("$a $-", 4, "'$': is not followed by the name of a variable"),
            ("log_format main;", 17, "log_format needs a name and a format"),
            ('log_format main "$a', 17, "opens a string that is not closed"),
            ("log_format main escape=jason '$a';", 17, "'escape=jason': is not known; did you mean 'json'"),
            ("log_format a '$a'; log_format b '$b';", 20, "'log_format': follows the directive"),
            ('escape=json {"a": {"b": "$c"}}', 19, "the value of 'a' is an object"),
            ('escape=json {"a": "$c"', 23, "not a JSON object: expected '}' here"),
            ('escape=json {"a$b": "$c"}', 14, "a key contains a variable"),
            ("no variable", 1, "has no variable"),
            (
                "http {\n  log_format a '$a';\n}",
                10,
                "'log_format': is within other configuration; paste this directive",
            ),
        ],
    )
    def test_errors_show_the_position(self, spec: str, character: int, words: str) -> None:
        message = error("nginx", spec)
        assert message.startswith(f"option 'nginx': at character {character}: ")
        assert words in message
        assert message.splitlines()[-1].strip(" ").strip("^") == ""


class TestApache:
    def test_address_before_a_port_may_contain_colons(self) -> None:
        spec = '%v:%p %a:%{remote}p "%h:%{local}p" %s'
        assert rows("apache", spec, 'web:80 2001:db8::7:51012 "::1:443" 200') == [
            {
                "server_name": "web", "server_port": 80, "client_ip": "2001:db8::7", "remote_port": 51012,
                "remote_host": "::1", "local_port": 443, "status": 200,
            }
        ]  # fmt: skip
        assert "'%a:%{remote}p': nothing separates it from '%s'" in error("apache", "%a:%{remote}p%s")

    COMBINED = r'LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined'

    def test_combined_equals_the_preset(self) -> None:
        preset = format_schema(FormatOptions("preset", "apache_combined"))
        assert preset is not None
        assert columns("apache", self.COMBINED) == {field.name: str(field.type) for field in preset}
        lines = [
            f'10.0.0.1 - bob [{CLF}] "GET /a\\"b HTTP/1.1" 200 5 "-" "\\x22x"',
            f'::1 - - [{CLF}] "-" 408 - "-" "-"',
        ]
        decoder = compile_decoder(FormatOptions("preset", "apache_combined"), preset)
        found, _ = rows_of(decoder, iter([find_lines("\n".join(lines).encode(), 0)]), TimestampContext())
        assert [tuple(row.values()) for row in rows("apache", self.COMBINED, *lines)] == [tuple(row) for row in found]

    @pytest.mark.parametrize(
        "spec",
        [
            r'LogFormat "%h \"%r\"" x', r'CustomLog logs/access_log "%h \"%r\"" env=!no', r'"%h \"%r\"" combined',
            r"%h \"%r\"", '%h "%r"', r'CustomLog "|/usr/bin/rotate \"a\" 5" "%h \"%r\""', "logformat '%h \"%r\"' x",
        ],
    )  # fmt: skip
    def test_directive_and_bare_argument(self, spec: str) -> None:
        assert rows("apache", spec, '10.0.0.1 "GET /"') == [{"remote_host": "10.0.0.1", "request": "GET /"}]

    def test_directives(self) -> None:
        spec = (
            "%a|%{c}a|%A|%B|%b|%{V}C|%D|%{V}e|%f|%h|%{c}h|%H|%{X-Y}i|%k|%l|%L|%m|%{V}n|%{V}o|%p|%{local}p|%{remote}p|%P|"
            "%{tid}P|%{hextid}P|%q|%r|%R|%s|%t|%T|%{ms}T|%{us}T|%u|%U|%v|%V|%X|%I|%O|%S|%{V}^ti|%{V}^to|%^FB|%{SSL_CIPHER}x|"
            "%{version}c|100%%"
        )
        assert list(columns("apache", spec)) == [
            "client_ip", "peer_ip", "local_ip", "bytes", "bytes_2", "cookie_v", "duration_us", "env_v", "filename",
            "remote_host", "peer_host", "request_protocol", "x_y", "keepalive_requests", "remote_logname",
            "request_log_id", "request_method", "note_v", "response_v", "server_port", "local_port", "remote_port",
            "process_id", "thread_id", "thread_id_hex", "query_string", "request", "handler", "status", "time",
            "duration_s", "duration_ms", "duration_us_2", "remote_user", "url_path", "server_name", "host_name",
            "connection_status", "bytes_received", "bytes_sent", "bytes_transferred", "trailer_v", "response_trailer_v",
            "first_byte_us",
            "ssl_cipher", "ssl_version",
        ]  # fmt: skip

    def test_modifiers(self) -> None:
        found = columns("apache", "%!200,304{User-agent}i %400,501{Referer}i %<s %>s %s %>U %<u %>200s")
        assert list(found) == [
            "user_agent", "referer", "original_status", "status", "original_status_2", "final_url_path",
            "original_remote_user", "status_2",
        ]  # fmt: skip
        assert columns("apache", "%s %U") == {"status": "int32", "url_path": "string"}

    @pytest.mark.parametrize(
        ("spec", "text", "time"),
        [
            ("%t", f"[{CLF}]", AT),
            ("%{%Y-%m-%dT%H:%M:%S%z}t", "2026-11-22T11:00:00+0100", AT),
            ("%{%d/%b/%Y %T}t.%{msec_frac}t", "22/Nov/2026 10:00:00.123", AT + timedelta(milliseconds=123)),
            (
                "%{%d/%b/%Y %T}t.%{usec_frac}t %{%z}t",
                "22/Nov/2026 10:00:00.000123 +0000",
                AT + timedelta(microseconds=123),
            ),
            ("%{sec}t", "1795341600", AT),
            ("%{%s}t", "1795341600", AT),
            ("%{msec}t", "1795341600123", AT + timedelta(milliseconds=123)),
            ("%{usec}t", "1795341600000123", AT + timedelta(microseconds=123)),
            ("%{sec}t.%{msec_frac}t", "1795341600.123", AT + timedelta(milliseconds=123)),
            ("%{begin:%F}t-%{begin:%T}t", "2026-11-22-10:00:00", AT),
        ],
    )
    def test_times(self, spec: str, text: str, time: datetime) -> None:
        row = {"time": time, "status": 200}
        assert rows("apache", f"{spec} %s", f"{text} 200") == [row]
        assert rows("apache", f"{spec} %s", written("apache", f"{spec} %s", row)) == [row]

    def test_times_of_different_events_are_separate_columns(self) -> None:
        assert columns("apache", "%{begin:sec}t %{end:sec}t %{msec_frac}t %{%T}t") == {
            "time": "timestamp[us, tz=UTC]", "end_time": "timestamp[us, tz=UTC]", "time_msec": "int32",
            "time_2": "string",
        }  # fmt: skip

    def test_fraction_with_too_many_digits_is_not_written(self) -> None:
        with pytest.raises(RecordError, match="column 'time'"):
            written(
                "apache", "%{%F %T}t.%{msec_frac}t %h", {"time": AT + timedelta(microseconds=1), "remote_host": "x"}
            )

    def test_values_are_written_with_the_escapes_of_apache(self) -> None:
        row = {"request": 'GET /"\\\n\x7fЖ', "user_agent": "a b", "remote_host": "x"}
        assert written("apache", '"%r" %{User-Agent}i|%h', row) == '"GET /\\"\\\\\\n\\x7f\\xd0\\x96" a b|x'

    @pytest.mark.parametrize(
        ("spec", "character", "words"),
        [
            (
                'LogLevel warn\n  LogFormat "%h" a',
                17,
                "'LogFormat': is within other configuration; paste this line alone",
            ),
            ("%h %d", 4, "'%d': is not a known directive; did you mean '%D'?"),
            ("%h %{x}h", 4, "'%{x}h': 'x' is not known here; known are %{c}h"),
            ("%h %{remot}p", 4, "did you mean 'remote'?"),
            ("%i", 1, "needs a name in braces"),
            ("%{a}D", 1, "takes nothing in braces"),
            ("%h %{sex}t", 4, "'sex' is not a time; did you mean 'sec'"),
            ("%h %{%Q}t", 4, "unknown directive '%Q'"),
            ("%h%u", 1, "'%h': nothing separates it from '%u'"),
            ("%h %{Referer", 4, "is not closed"),
            ("%h %", 4, "is not followed by a directive"),
            ("LogFormat combined", 11, "'combined': is the nickname of a format"),
            ('ErrorLogFormat "%t"', 1, "is the format of another log"),
            ('LogFormat "%h', 11, "opens a string that is not closed"),
            ("plain", 1, "has no directive"),
        ],
    )
    def test_errors_show_the_position(self, spec: str, character: int, words: str) -> None:
        message = error("apache", spec)
        assert message.startswith(f"option 'apache': at character {character}: ")
        assert words in message

    def test_errors_show_the_position_in_the_directive(self) -> None:
        message = error("apache", r'LogFormat "%h \"%r\" %d" x')
        assert "at character 22: '%d'" in message
        shown, caret = message.splitlines()[-2:]
        assert shown[caret.index("^") :].startswith("%d")


class TestLogback:
    @pytest.mark.parametrize(
        ("java", "pattern"),
        [
            ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "%Y-%m-%dT%H:%M:%S.%3f%:z"),
            ("dd MMM yyyy; HH:mm:ss,SSSSSS", "%d %b %Y; %H:%M:%S,%6f"),
            ("EEE, d MMMM yy hh:mm a z", "%a, %d %B %y %I:%M %p %Z"),
            ("HH 'o''clock' ''ss% Z", "%H o'clock '%S%% %z"),
            ("yyyyMMddHHmmssnnnnnnnnn", "%Y%m%d%H%M%S%9f"),
        ],
    )
    def test_java_patterns(self, java: str, pattern: str) -> None:
        assert to_strptime(java) == pattern

    def test_names_of_zones(self) -> None:
        pattern = "%d{yyyy-MM-dd HH:mm:ss.SSS zzz} %p %m%n"
        (found,) = rows("logback", pattern, "2026-07-22 01:00:11.045 CEST INFO x")
        assert found["timestamp"] == datetime(2026, 7, 21, 23, 0, 11, 45000, tzinfo=UTC)

    @pytest.mark.parametrize("java", ["yyyy-QQ", "X", "HH:mm 'open", "[HH:mm]", "yyyyy", "SSSSSSSSSS", "HH HH"])
    def test_java_patterns_without_a_translation(self, java: str) -> None:
        with pytest.raises(FormatError):
            to_strptime(java)

    def test_width_of_a_time(self) -> None:
        assert [fixed_width(pattern) for pattern in ("%Y-%m-%d %H:%M:%S,%3f", "%d%%%b", "%B")] == [23, 6, None]

    @pytest.mark.parametrize(
        ("date", "text", "time"),
        [
            ("%d", "2026-11-22 10:00:00,123", AT + timedelta(milliseconds=123)),
            ("%date{ISO8601}", "2026-11-22T10:00:00,123", AT + timedelta(milliseconds=123)),
            ("%d{DATE}", "22 Nov 2026 10:00:00,123", AT + timedelta(milliseconds=123)),
            ("%d{COMPACT}", "20261122100000123", AT + timedelta(milliseconds=123)),
            ("%d{UNIX}", "1795341600", AT),
            ("%d{UNIX_MILLIS}", "1795341600123", AT + timedelta(milliseconds=123)),
            ("%d{yyyy-MM-dd HH:mm:ss,SSS}", "2026-11-22 10:00:00,123", AT + timedelta(milliseconds=123)),
            ('%d{"yyyy-MM-dd HH:mm:ss,SSS"}', "2026-11-22 10:00:00,123", AT + timedelta(milliseconds=123)),
            ("%d{yyyy-MM-dd HH:mm:ss, Europe/Berlin}", "2026-11-22 11:00:00", AT),
            ("%d{yyyy-MM-dd HH:mm:ss,SSS, Europe/Berlin, de-DE}", "2026-11-22 11:00:00,000", AT),
            ("%d{yyyy-MM-dd HH:mm:ss}{GMT+1}", "2026-11-22 11:00:00", AT),
            ("%d{ISO8601}{Europe/Berlin}", "2026-11-22 11:00:00,000", AT),
            ("%30d{yyyy-MM-dd HH:mm:ss}", " " * 11 + "2026-11-22 10:00:00", AT),
            ("%-21d{yyyy-MM-dd HH:mm:ss}", "2026-11-22 10:00:00  ", AT),
        ],
    )
    def test_dates(self, date: str, text: str, time: datetime) -> None:
        row = {"timestamp": time, "message": "m"}
        assert rows("logback", f"{date} %m", f"{text} m") == [row]
        assert rows("logback", f"{date} %m", written("logback", f"{date} %m", row)) == [row]

    def test_time_without_a_day_is_a_string(self) -> None:
        assert columns("logback", "%d{HH:mm:ss.SSS} %m") == {"time": "string", "message": "string"}
        assert columns("logback", "%d{ABSOLUTE} %m") == {"time": "string", "message": "string"}

    def test_conversion_words(self) -> None:
        spec = (
            "%d %p %c %C %t %L %F %M %l %X{user} %X %x %marker %r %pid %T %tp %kvp %K{k} %property{app} %cn %sn %u %i"
            " %endOfBatch %level %msg%n"
        )
        assert list(columns("logback", spec)) == [
            "timestamp", "level", "logger", "class", "thread", "line", "file", "method", "location", "user", "mdc",
            "ndc", "marker", "relative_ms", "pid", "thread_id", "thread_priority", "kvp", "k", "app", "context_name",
            "sequence_number", "uuid", "index", "end_of_batch", "level_2", "message",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "spec",
        [
            "%p %m%n", "%p %m%n%ex", "%p %m%n%xEx{5}%n", "%p %m%ex{short}%n", "%p %m %nopex%n", "%p %m\\n", "%p %m\n%ex",
            "<pattern>%p %m%n</pattern>", "log4j.appender.A.layout.ConversionPattern=%p %m%n", "%highlight(%p) %m%n",
            "%highlight{%p}{FATAL=red blink, ERROR=red} %style{%m}{cyan}%n", "%(%p) %boldRed(%cyan(%m))%n",
            "${P:-%p} ${Q:-${R:-%m}}%n", "%p %replace(%m){'a', 'b'}%n", "%p\\_ %m",
        ],
    )  # fmt: skip
    def test_patterns_with_the_same_meaning(self, spec: str) -> None:
        assert rows("logback", spec, "INFO hello ")[0]["message"].startswith("hello")
        assert list(columns("logback", spec)) == ["level", "message"]

    def test_parentheses_and_percent_signs(self) -> None:
        assert (
            rows("logback", r"%p (%F:%L) 5%% \(%m\)", "INFO (A.java:7) 5% (x)")
            == [{"level": "INFO", "file": "A.java", "line": 7, "message": "x"}]
            or rows("logback", r"%p (%F:%L) 5%% \(%m\)", "INFO (A.java:7) 5% (x)")[0]["file"] == "A.java"
        )

    def test_missing_keys_are_written_as_their_default(self) -> None:
        spec = "[%X{a},%X{b:-none}] %L %m"
        assert written("logback", spec, {"message": "m"}) == "[,none] ? m"
        assert rows("logback", spec, "[,none] ? m") == [{"a": None, "b": None, "line": None, "message": "m"}]

    def test_last_occurrence_of_the_text_after_a_message_or_thread(self) -> None:
        kafka = "[%d] %p %m (%c)%n"
        line = "[2026-11-22 10:00:00,000] INFO Opening socket (unknown error) (org.example.ClientCnxn)"
        row = {
            "timestamp": AT,
            "level": "INFO",
            "message": "Opening socket (unknown error)",
            "logger": "org.example.ClientCnxn",
        }
        assert rows("logback", kafka, line) == [row]
        assert written("logback", kafka, row) == line
        zookeeper = "%d{ISO8601} - %-5p [%t:%C{1}@%L] - %m%n"
        line = "2026-11-22 10:00:00,000 - INFO  [/192.0.2.7:3888:Manager$Listener@493] - from [a:b@1] - c"
        row = {
            "timestamp": AT, "level": "INFO", "thread": "/192.0.2.7:3888", "class": "Manager$Listener", "line": 493,
            "message": "from [a:b@1] - c",
        }  # fmt: skip
        assert rows("logback", zookeeper, line) == [row]
        assert written("logback", zookeeper, row) == line
        several = "%p %m (%c) [%t]%n"
        assert rows("logback", several, "INFO a (b) [c] (d) [e] f]") == [
            {"level": "INFO", "message": "a (b) [c]", "logger": "d", "thread": "e] f"}
        ]
        with pytest.raises(RecordError):
            written("logback", zookeeper, {**row, "thread": "a:b@c"})

    def test_class_and_level_are_words(self) -> None:
        for line in ("INFO  a.B: x", "INFO main a.B: x", "a.B (x): y"):
            assert is_refused("logback", "%p %c: %m", line)
        assert rows("logback", "%p %c: %m", "INFO : x") == [{"level": "INFO", "logger": None, "message": "x"}]

    def test_widths(self) -> None:
        spec = "%-5level|%5p|%-6.6c %m"
        row = {"level": "INFO", "level_2": "INFO", "logger": "ab", "message": "  m"}
        assert written("logback", spec, row) == "INFO | INFO|ab       m"
        assert rows("logback", spec, "INFO | INFO|ab       m", "INFO|INFO|ab m")[0] == row
        assert rows("logback", spec, "INFO|INFO|ab m")[0] == {**row, "message": "m"}
        with pytest.raises(RecordError, match=r"column 'logger'.*longer than the 6 characters"):
            written("logback", spec, {**row, "logger": "com.example"})
        with pytest.raises(RecordError, match="'x ' is not a value that a field of type word can write"):
            written("logback", spec, {**row, "level": "x "})
        with pytest.raises(RecordError, match="would lose a space to the padding"):
            written("logback", "%-5X{id}|%m", {"id": "x ", "message": "m"})

    def test_blank_before_the_line_end(self) -> None:
        spec = "%-4relative [%thread] - %msg %n"
        row = {"relative_ms": 17, "thread": "main", "message": "one and two"}
        assert rows("logback", spec, "17   [main] - one and two ") == [row]
        assert rows("logback", spec, written("logback", spec, row)) == [row]
        with pytest.raises(RecordError, match="would lose a space to the padding"):
            written("logback", spec, {**row, "message": "x "})

    def test_group_with_a_width(self) -> None:
        spec = "%-30(%d{HH:mm:ss} [%thread]) %20(%p in %F) %m"
        row = {"time": "10:00:00", "thread": "main", "level": "INFO", "file": "A.java", "message": "m"}
        line = "10:00:00 [main]                       INFO in A.java m"
        assert rows("logback", spec, line) == [row]
        assert rows("logback", spec, written("logback", spec, row)) == [row]

    @pytest.mark.parametrize(
        ("spec", "character", "words"),
        [
            ("%p %levl", 4, "'%levl': is not a known conversion word; did you mean 'level'?"),
            ("%d{yyyy-QQ} %m", 1, "'QQ' has no meaning here"),
            ("%p %d{HH:mm}{Nowhere/City} %m", 4, "'Nowhere/City' is not a time zone"),
            ("%t%m", 1, "'%t': nothing separates it from '%m'"),
            ("%m%n%t", 3, "begins another line of the record"),
            ("%m\n%t", 3, "begins another line of the record"),
            ("%ex %m", 1, "is followed by other fields"),
            ("%p ${X} %m", 4, "'${X}': has no default"),
            ("%m %", 4, "is not followed by a conversion word"),
            ("%p %(%m", 5, "is not closed with ')'"),
            ("%p %X{a", 4, "is not closed with '}'"),
            ("%caller{2} %m", 1, "writes several lines"),
            ("%p %esb(){APPLICATION_NAME}[%t] %m", 4, "'%esb': writes the application's name only if one is set"),
            ("%highlight %m", 1, "needs the elements that it encloses"),
            ("%-9(%p %t)%m", 1, "needs a space after it"),
            ("%20d{MMMM} %m", 1, "has no fixed width"),
            ("%p %-10000m", 4, "'%-10000': has a width of more than 4 digits"),
            ("%p %.1234567890m", 4, "'%.1234567890': has a width of more than 9 digits"),
            ("%d{HH:mm}:%m", 1, "a time without a day is a string"),
            ("plain", 1, "has no conversion word"),
        ],
    )
    def test_errors_show_the_position(self, spec: str, character: int, words: str) -> None:
        message = error("logback", spec)
        assert message.startswith(f"option 'logback': at character {character}: ")
        assert words in message

    @pytest.mark.parametrize("spec", ["%d %-5p [%t] %c - %m%n%ex", "%-6r %d %5p [%t] %c - %m%n"])
    def test_exceptions_are_appended_to_the_message(self, spec: str, tmp_path: Path) -> None:
        begin = "17     " if spec.startswith("%-6r") else ""
        level = "ERROR"
        first = f"{begin}2026-11-22 10:00:00,123 {level} [main] a.B - failed"
        trace = "java.lang.IllegalStateException: x\n\tat a.B.c(B.java:7)\n\t... 3 more"
        (tmp_path / "a.log").write_text(f"{first}\n{trace}\n{first}\n")
        read = pyspark_logs.scan(str(tmp_path / "a.log"), logback=spec, multiLine="true", mode="FAILFAST").read_all()
        assert read["message"].to_pylist() == [f"failed\n{trace}", "failed"]
        assert read["level"].to_pylist() == ["ERROR", "ERROR"]

    def test_deep_nesting_is_an_error(self) -> None:
        assert "nested deeper" in error("logback", "%(" * 500 + "%m")
        assert "'${' is not closed" in error("logback", "${a:-" * 500 + "%m" + "}" * 500)


@pytest.mark.parametrize(
    ("option", "spec", "line"),
    [
        ("nginx", '$remote_addr [$time_local] "$request" $status $upstream_addr $http_x', f'::1 [{CLF}] "GET /" 200 a:1 x'),
        ("nginx", 'escape=json {"t":"$time_iso8601","s":$status,"r":"$request"}',
         '{"t":"2026-11-22T10:00:00+00:00","s":200,"r":"GET /"}'),
        ("apache", '%h %t "%r" %>s %b %D %{X-Forwarded-For}i %u', f'::1 [{CLF}] "GET /" 200 - 12 10.0.0.1 bob'),
        ("logback", "%d %-5p [%15.15t] %-40.40logger{39} : %m%n", "2026-11-22 10:00:00,123 INFO  [           main] "
         + "a.B".ljust(40) + " : hello"),
    ],
)  # fmt: skip
def test_template_engine_parses_all_valid_lines(option: str, spec: str, line: str) -> None:
    options = FormatOptions(option, spec)
    schema = format_schema(options)
    assert schema is not None
    decoder = compile_decoder(options, schema)
    chain = next(engine for engine in decoder.engines if isinstance(engine, TemplateEngine))
    block = find_lines("\n".join([line] * 100).encode(), 0)
    sure = chain.parse(block.block, block.starts, block.ends, TimestampContext())
    assert sure.rows is None


def test_rows_are_read_and_written(tmp_path: Path) -> None:
    spec = TestApache.COMBINED
    line = f'10.0.0.1 - bob [{CLF}] "GET / HTTP/1.1" 200 5 "-" "curl/8"\n'
    (tmp_path / "a.log").write_text(line)
    table = pyspark_logs.scan(str(tmp_path / "a.log"), apache=spec).read_all()
    assert table["user_agent"].to_pylist() == ["curl/8"]
    pyspark_logs.write(table.to_batches(), str(tmp_path / "out"), apache=spec, schema=table.schema, compression="none")
    assert [path.read_text() for path in (tmp_path / "out").glob("*.log")] == [line]


def test_option_without_effect_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x\n")
    with pytest.raises(OptionError, match="escape"):
        pyspark_logs.scan(str(tmp_path / "a.log"), nginx="$a", escape="backslash")


# --- Log4j 2: words that leave text out, or replace it ---

LEVEL_AND_TIME = {"timestamp": AT, "level": "INFO"}
START = "2026-11-22 10:00:00 INFO"
OPTIONAL = {
    "%d{yyyy-MM-dd HH:mm:ss} %p%notEmpty{ [%marker]} %m%n": (
        {f"{START} [M] hello": {"marker": "M", "message": "hello"}, f"{START} hello [x]": {"marker": None, "message": "hello [x]"}}
    ),
    "%d{yyyy-MM-dd HH:mm:ss} %p %equals{[%marker]}{[]}{}%c - %m%n": (
        {
            f"{START} [M]a.B - x": {"marker": "M", "logger": "a.B", "message": "x"},
            f"{START} a.B - x": {"marker": None, "logger": "a.B", "message": "x"},
        }
    ),
    "%d{yyyy-MM-dd HH:mm:ss} %p%varsNotEmpty{ (%X{id}/%X{user})} - %m%n%notEmpty{%ex}": (
        {
            f"{START} (7/ana) - x": {"id": "7", "user": "ana", "message": "x"},
            f"{START} - x": {"id": None, "user": None, "message": "x"},
        }
    ),
    "%d{yyyy-MM-dd HH:mm:ss} %p %equalsIgnoreCase{%X{user}}{}{none} %m%n": (
        {f"{START} ana x": {"user": "ana", "message": "x"}, f"{START} none x": {"user": None, "message": "x"}}
    ),
    "%d{yyyy-MM-dd HH:mm:ss} %p %equals{%X{role}}{administrator}{admin} %replace{%m}{\\s+}{ }%n": (
        {f"{START} admin x y": {"role": "admin", "message": "x y"}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("pattern", OPTIONAL)
def test_optional_and_replaced_text(pattern: str) -> None:
    lines = OPTIONAL[pattern]
    found = rows("logback", pattern, *lines)
    assert found == [{**LEVEL_AND_TIME, **row} for row in lines.values()]
    assert [written("logback", pattern, row) for row in found] == list(lines)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("%notEmpty{%marker }%m%n", "'%notEmpty{%marker }': begins with a value"),
        ("%p %notEmpty", "'%notEmpty': needs the elements that it encloses"),
        ("%p %5notEmpty{ [%marker]} %m", "'%5notEmpty{ [%marker]}': %notEmpty has a width"),
        ("%equals{%p}{INFO} %m", "needs three arguments: %equals{pattern}{test}{substitution}"),
        ("%equals{[%p]}{[INFO]}{<i>} %m", "'%equals{[%p]}{[INFO]}{<i>}': is not read by its pattern"),
        ("%equals{%p %c}{INFO a}{} %m", "is not read by its pattern"),
        ("%p %notEmpty{ (%notEmpty{ [%marker]})} %m", "encloses a group that is padded or may be missing"),
        ("%replace{%c %m}{a}{b}", "may enclose exactly one conversion word here"),
    ],
)
def test_conditions_that_cannot_be_read(pattern: str, message: str) -> None:
    assert message in error("logback", pattern)
