"""Options of a reader: values of all kinds, error messages, and secrets."""

from __future__ import annotations

import pickle
import re
from dataclasses import fields
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pyspark_logs.errors import OptionError
from pyspark_logs.options import OPTIONS, ReadOptions, StoreOptions, parse_read_options
from pyspark_logs.options.foreign import ADVICE

BASE: dict[str, Any] = {"path": "/logs", "template": "{m}"}
HOUR = datetime(2026, 11, 22, 7, tzinfo=timezone.utc)
HOUR_US = 1_795_330_800_000_000


def parse(**options: Any) -> ReadOptions:
    return parse_read_options({**BASE, **options})


class TestNames:
    def test_names_match_without_case(self) -> None:
        assert parse(MAXPARTITIONBYTES="1k", MaxRecordBytes=7) == parse(maxPartitionBytes=1024, maxrecordbytes="7")

    @pytest.mark.parametrize(
        ("name", "near"),
        [
            ("layuot", "layout"),
            ("STARTTIMES", "startTime"),
            ("maxPartitionByte", "maxPartitionBytes"),
            ("anonym", "anonymous"),
        ],
    )
    def test_an_unknown_name_suggests_the_nearest(self, name: str, near: str) -> None:
        with pytest.raises(OptionError, match=f"^unknown option '{name}'; did you mean '{near}'\\?$"):
            parse(**{name: "x"})

    @pytest.mark.parametrize(
        ("name", "advice"),
        [
            ("recursiveFileLookup", "leave it out"),
            ("sep", "write delimited="),
            ("cloudFiles.format", "not Auto Loader"),
            ("n_rows", r"limit\(n\)"),
            ("fs.s3a.endpoint", "write endpoint"),
            ("anon", "write anonymous"),
            ("skip_rows", "commentPrefix"),
            ("partitionBy", "layout="),
            ("tz", "write timeZone"),
        ],
    )
    def test_options_of_other_readers_are_answered_with_advice(self, name: str, advice: str) -> None:
        with pytest.raises(OptionError, match=f"^unknown option '{re.escape(name)}': .*{advice}"):
            parse(**{name: "true"})

    def test_advice_is_for_names_that_are_no_options(self) -> None:
        assert not set(ADVICE) & {option.name.lower() for option in OPTIONS}

    def test_values_of_other_readers_are_answered_with_advice(self) -> None:
        with pytest.raises(OptionError, match="'true' is not one of none, first, fields; write header=first"):
            parse(header="true")
        with pytest.raises(OptionError, match="'newest' is not earliest, latest or a time"):
            parse(startingPosition="newest")

    @pytest.mark.parametrize(
        ("endpoint", "example"), [("127.0.0.1:9000", "http://127.0.0.1:9000,"), ("u:p@host", "http://127.0.0.1:9000,")]
    )
    def test_an_endpoint_is_a_url(self, endpoint: str, example: str) -> None:
        with pytest.raises(OptionError, match=re.escape(f"http:// or https://; write {example}")) as raised:
            parse(endpoint=endpoint)
        assert "u:p" not in str(raised.value)

    @pytest.mark.parametrize("proxy", ["secret:pw@host", "ftp://secret@host"])
    def test_a_proxy_is_a_url_that_no_message_shows(self, proxy: str) -> None:
        with pytest.raises(OptionError, match="'proxy': is not a URL such as http://") as raised:
            parse(proxy=proxy)
        assert "secret" not in str(raised.value)

    def test_a_role_is_named_by_its_arn(self) -> None:
        with pytest.raises(OptionError, match="'roleArn': 'reader' is not the ARN of a role such as 'arn:"):
            parse(roleArn="reader")
        assert parse(roleArn="arn:minio:iam:::role/x").store.role_arn == "arn:minio:iam:::role/x"

    def test_an_unknown_name_without_a_near_one(self) -> None:
        with pytest.raises(OptionError, match=r"^unknown option 'zzz'\. Known options: "):
            parse(zzz="x")

    def test_options_of_writers_and_none_values_are_ignored(self) -> None:
        assert parse(txnId="t", partSize="8m", layout=None, mode=None) == parse()

    def test_every_option_has_a_field_and_every_field_an_option(self) -> None:
        known = {option.read for option in OPTIONS if option.read}
        # Fields without an option of their own: set from several options, or by formats.
        known |= {
            "format.kind",
            "format.spec",
            "format.banners",
            "format.members",
            "records.corrupt_column_given",
            "plan.paths",
        }
        known |= {"time.start_us", "time.end_us", "plan.modified_after_ms", "plan.modified_before_ms"}
        known |= {"stream.starting", "stream.starting_ms", "store.connections"}
        known |= {"store.storage_class", "store.object_tags"}  # of writers, which have the same group
        options = parse()
        groups = {
            f"{group}.{field.name}"
            for group in ("format", "records", "time", "plan", "fetch", "store", "stream", "report")
            for field in fields(getattr(options, group))
        }
        assert groups | {"schema"} == known


class TestValues:
    @pytest.mark.parametrize(
        ("name", "values", "field"),
        [
            ("metadata", [True, "true", " TRUE "], "records.metadata"),
            ("maxPartitionBytes", [1 << 20, "1m", "1 MiB", "1048576", "1024k", "1MB", "1048576b"], "plan.max_partition_bytes"),
            ("fetchThreads", [2, "2"], "fetch.threads"),
            ("maxInflateRatio", [5000, "5000"], "fetch.max_ratio"),
            ("prefetchBytes", [0, "0"], "fetch.max_bytes"),
            ("layoutSlack", [timedelta(minutes=90), "1h 30m", "90m", "5400s", "1h30min"], "time.slack_us"),
            ("layoutSlack", [timedelta(0), "0s"], "time.slack_us"),
            ("requestTimeout", [timedelta(seconds=1.5), "1500ms", "1s 500000us"], "store.request_timeout_s"),
            ("maxRetries", [3, "3", " 3 "], "store.max_retries"),
            ("mode", ["FAILFAST", "failfast", "FailFast "], "records.mode"),
            ("encoding", ["utf-8", "UTF8", "utf-8-sig"], "format.encoding"),
            ("startTime", [
                HOUR, "2026-11-22T07:00:00Z", "2026-11-22 07:00", "2026-11-22T07:00:00.000000000Z", "2026-11-22 08:00:00+01:00",
                "2026-11-22T02:00:00,0-0500", datetime(2026, 11, 22, 7), HOUR.astimezone(timezone(timedelta(hours=3))),
            ], "time.start_us"),
            ("startTime", [date(2026, 11, 22), "2026-11-22", datetime(2026, 11, 22)], "time.start_us"),
            ("modifiedAfter", [HOUR + timedelta(microseconds=1), "2026-11-22T07:00:00.001Z"], "plan.modified_after_ms"),
            ("storageOptions", [{"a": {"b": 1}}, '{"a": {"b": 1}}', ' {"a":{"b":1}}'], "store.storage_options"),
            ("schema", [pa.schema([("a", pa.int32())]), "a int"], "schema"),
            ("path", ["/a/b", Path("/a/b"), " /a/b "], "plan.paths"),
            ("paths", [["/a", "/b"], ("/a", Path("/b")), '["/a", "/b"]'], "plan.paths"),
        ],
    )  # fmt: skip
    def test_strings_and_natural_types_are_equivalent(self, name: str, values: list[Any], field: str) -> None:
        parsed = []
        for value in values:
            parsed.append(parse(**{name: value}))
            assert parsed[-1] == parsed[0], value
        group, _, attribute = field.partition(".")
        inner = getattr(parsed[0], group)
        assert (getattr(inner, attribute) if attribute else inner) not in (None, ())

    def test_times_without_a_zone_are_in_the_option_time_zone(self) -> None:
        assert parse(startTime="2026-11-22T08:00:00", timeZone="Europe/Berlin").time.start_us == HOUR_US
        assert parse(startTime=datetime(2026, 11, 22, 8), timeZone="Europe/Berlin").time.start_us == HOUR_US
        assert parse(startTime=HOUR, timeZone="Europe/Berlin").time.start_us == HOUR_US
        assert parse(endTime="2026-11-22T07:00:00.123456789Z").time.end_us == HOUR_US + 123_456

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("metadata", "yes", "option 'metadata': 'yes' is not 'true' or 'false'"),
            ("metadata", 1, "is not 'true' or 'false'"),
            ("allowTrailing", "", "'' is not 'true' or 'false'"),
            ("maxPartitionBytes", "0", "is not a size above zero"),
            ("maxPartitionBytes", -1, "is not a size above zero"),
            ("maxPartitionBytes", "1.5m", "is not a size in bytes such as '128m'"),
            ("maxPartitionBytes", True, "is not a size in bytes"),
            ("layoutSlack", "1", "is not a duration such as '1h'"),
            ("layoutSlack", "-1h", "is not a duration"),
            ("layoutSlack", timedelta(seconds=-1), "is not a duration of zero or more"),
            ("requestTimeout", "0s", "is not a duration above zero"),
            ("maxRetries", "-1", "is not a whole number of zero or more"),
            ("maxRetries", 1.5, "is not a whole number"),
            ("mode", "LENIENT", "is not one of PERMISSIVE, DROPMALFORMED, FAILFAST"),
            ("compression", "snappy", "is not one of none, gzip, zstd, bzip2, lz4, xz"),
            ("timeZone", "Mars/Base", "is not a time zone such as 'UTC'"),
            ("timeZone", "../UTC", "is not a time zone"),
            ("encoding", "klingon", "is not a text encoding"),
            ("encoding", "base64", "is not a text encoding"),
            ("startTime", "yesterday", "is not a time such as"),
            ("startTime", "2026-02-30", "is not a time that exists in the calendar"),
            ("startTime", 1_795_330_800, "is not a time such as"),
            ("commentPrefix", "", "is not a non-empty prefix"),
            ("commentPrefix", "a\nb", "without line ends"),
            ("layout", " ", "option 'layout': is empty"),
            ("schema", 5, "5 is neither Spark DDL such as 'level string' nor a pyarrow.Schema"),
            ("columnNameOfCorruptRecord", "", "is empty"),
            ("path", 7, "option 'path': 7 is not a string"),
            ("path", " ", "option 'path': is empty"),
            ("paths", "/a", "is not a JSON list of paths"),
            ("paths", '{"a": 1}', "is not a list of paths"),
            ("paths", [""], "option 'paths': is empty"),
            ("template", 5, "option 'template': 5 is not a string"),
        ],
    )
    def test_bad_values_are_refused(self, name: str, value: Any, message: str) -> None:
        with pytest.raises(OptionError, match=message):
            parse(**{name: value})


class TestCombinations:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"template": None}, "exactly one of template, preset, nginx, apache, logback, grok, regex, json, logfmt, delimited, anyOf, formatClass must name the line format; none is given"),
            ({"json": True}, "template and json are given"),
            ({"template": None, "json": False}, "none is given"),
            ({"path": None}, "no path: give load"),
            ({"startTime": HOUR, "endTime": HOUR}, r"is not before endTime .*half-open \[start, end\)"),
            ({"accessKey": "a"}, "'accessKey' and 'secretKey' belong together"),
            ({"sessionToken": "a"}, "'sessionToken' needs 'accessKey'"),
            ({"anonymous": True, "defaultCredential": True}, "anonymous and defaultCredential contradict"),
            ({"accessKey": "a", "secretKey": "b", "anonymous": "true"}, "contradict each other"),
            ({"commentPrefix": "→", "encoding": "latin-1"}, "'→' has a character that encoding=iso8859-1 lacks"),
            ({"template": None, "regex": "(?P<a>.)", "rescuedDataColumn": "r"}, "'rescuedDataColumn' belongs to template, preset, .*, delimited, anyOf, and means nothing for regex"),
            ({"samplingBytes": "1m"}, "option 'samplingBytes' belongs to json, logfmt, anyOf, and means nothing for template"),
            ({"template": None, "json": True, "nullValue": "x"}, "option 'nullValue' belongs to template, preset, nginx, .*, and means nothing for json"),
            ({"template": None, "json": True, "escape": "none"}, "'escape' belongs to template, preset, delimited, and means"),
            ({"template": None, "json": True, "allowTrailing": True}, "'allowTrailing' belongs to template, preset, nginx"),
            ({"template": None, "logfmt": True, "header": "first"}, "'header' belongs to delimited, and means nothing for logfmt"),
            ({"logfmt": True}, "exactly one of .*; template and logfmt are given"),
        ],
    )  # fmt: skip
    def test_contradictory_options_are_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(OptionError, match=message):
            parse(**options)

    def test_the_cost_of_opening_a_file_may_be_zero(self) -> None:
        assert [parse(openCostInBytes=cost).plan.open_cost_bytes for cost in (0, "0", " 0 ", "1k")] == [0, 0, 0, 1024]
        for cost in (-1, False, "", "0x0"):
            with pytest.raises(OptionError, match="openCostInBytes"):
                parse(openCostInBytes=cost)

    def test_json_false_selects_no_format(self) -> None:
        assert parse(json="false") == parse()


class TestSecrets:
    SECRETS = ("hunter2", "t0ken")

    def options(self) -> ReadOptions:
        storage = {"client_kwargs": {"aws_session_token": "t0ken"}, "password": "hunter2"}
        return parse(accessKey="AKIA", secretKey="hunter2", sessionToken="t0ken", storageOptions=storage)

    def test_no_secret_is_in_a_repr(self) -> None:
        options = self.options()
        for value in (options, options.store, pickle.loads(pickle.dumps(options)), StoreOptions(secret_key="hunter2")):
            assert not any(secret in f"{value!r} {value}" for secret in self.SECRETS)
        assert pickle.loads(pickle.dumps(options)) == options

    @pytest.mark.parametrize(
        "bad",
        [
            {"secretKey": b"hunter2"}, {"storageOptions": '{"password": "hunter2"'}, {"storageOptions": {"password": {"hunter2"}}},
            {"storageOptions": '["hunter2"]'}, {"accessKey": None}, {"anonymous": True}, {"sessionTokn": "t0ken"}, {"secretKey": " "},
        ],
    )  # fmt: skip
    def test_no_secret_is_in_an_error(self, bad: dict[str, Any]) -> None:
        with pytest.raises(OptionError) as caught:
            parse(**{"accessKey": "AKIA", "secretKey": "hunter2", "sessionToken": "t0ken", **bad})
        error: BaseException | None = caught.value
        while error is not None:
            assert not any(secret in f"{error!r}" for secret in self.SECRETS)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_one_option_in_two_spellings_is_refused() -> None:
    with pytest.raises(OptionError, match="'mode' is given twice"):
        parse_read_options({"path": "x", "template": "{a}", "mode": "FAILFAST", "Mode": "PERMISSIVE"})
