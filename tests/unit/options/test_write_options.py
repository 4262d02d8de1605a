"""Options of a writer: values, errors, and options that only readers or only writers use."""

from __future__ import annotations

import pickle
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pyspark_logs.errors import OptionError
from pyspark_logs.options import (
    OPTIONS,
    FormatOptions,
    PlanOptions,
    StoreOptions,
    WriteOptions,
    WriteRules,
    parse_read_options,
    parse_write_options,
)

BASE: dict[str, Any] = {"path": "/logs", "template": "{m}"}
MIB = 1 << 20
DAY_US = 86_400_000_000


def parse(**options: Any) -> WriteOptions:
    return parse_write_options({**BASE, **options})


class TestValues:
    def test_the_defaults(self) -> None:
        assert parse() == WriteOptions(
            format=FormatOptions("template", "{m}"),
            path="/logs",
            layout=None,
            time_column=None,
            zone="UTC",
            store=StoreOptions(),
            rules=WriteRules(
                compression="gzip",
                compression_level=None,
                max_file_bytes=128 * MIB,
                max_records_per_file=None,
                max_open_files=64,
                part_bytes=8 * MIB,
                commit_threads=16,
                on_unwritable="fail",
                overwrite_scope="table",
                txn_id=None,
                txn_retention_us=30 * DAY_US,
                record_retention_us=DAY_US,
                snapshot_retries=3,
            ),
        )

    @pytest.mark.parametrize(
        ("name", "values", "field", "expected"),
        [
            ("compression", ["zstd", " ZSTD "], "rules.compression", "zstd"),
            ("compressionLevel", ["9", 9, " +9 "], "rules.compression_level", 9),
            ("compressionLevel", ["-5", -5], "rules.compression_level", -5),
            ("maxFileBytes", ["64m", 64 * MIB, "64 MiB"], "rules.max_file_bytes", 64 * MIB),
            ("maxFileBytes", ["0", 0, "none", " None "], "rules.max_file_bytes", None),
            ("maxRecordsPerFile", ["1000", 1000], "rules.max_records_per_file", 1000),
            ("maxRecordsPerFile", ["0", 0, "none"], "rules.max_records_per_file", None),
            ("maxOpenFiles", ["8", 8], "rules.max_open_files", 8),
            ("partSize", ["16m", 16 * MIB], "rules.part_bytes", 16 * MIB),
            ("commitThreads", ["4", 4], "rules.commit_threads", 4),
            ("onUnwritable", ["NULL", "null"], "rules.on_unwritable", "null"),
            ("overwriteScope", ["Partitions"], "rules.overwrite_scope", "partitions"),
            ("txnId", ["load-7"], "rules.txn_id", "load-7"),
            ("txnRetention", ["7d", timedelta(days=7)], "rules.txn_retention_us", 7 * DAY_US),
            ("txnRetention", ["0s"], "rules.txn_retention_us", 0),
            ("recordRetention", ["2h", timedelta(hours=2)], "rules.record_retention_us", DAY_US // 12),
            ("snapshotRetries", ["5", 5], "rules.snapshot_retries", 5),
            ("layout", ["{yyyy}/{MM}"], "layout", "{yyyy}/{MM}"),
            ("timeColumn", ["at"], "time_column", "at"),
            ("timeZone", ["Europe/Berlin"], "zone", "Europe/Berlin"),
            ("path", [Path("/a/b"), " /a/b "], "path", "/a/b"),
            ("escape", ["BackSlash"], "format.escape", "backslash"),
            ("nullValue", ["NULL"], "format.null_value", "NULL"),
            ("encoding", ["UTF8", "utf-8"], "format.encoding", "utf-8"),
            ("region", ["eu-central-1"], "store.region", "eu-central-1"),
        ],
    )  # fmt: skip
    def test_strings_and_natural_types_are_equivalent(
        self, name: str, values: list[Any], field: str, expected: object
    ) -> None:
        for value in values:
            parsed: Any = parse(**{name: value})
            assert parsed == parse(**{name.lower(): value})
            for part in field.split("."):
                parsed = getattr(parsed, part)
            assert parsed == expected, value

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("compression", "snappy", "is not one of none, gzip, zstd, bzip2, lz4, xz"),
            ("compressionLevel", "high", "option 'compressionLevel': 'high' is not a whole number"),
            ("compressionLevel", True, "is not a whole number"),
            ("maxFileBytes", "-1", "is not a size in bytes"),
            ("maxFileBytes", False, "is not a size in bytes"),
            ("maxRecordsPerFile", "-1", "is not a whole number of zero or more"),
            ("maxRecordsPerFile", "1k", "is not a whole number"),
            ("maxOpenFiles", "0", "is not a whole number of one or more"),
            ("commitThreads", 0, "is not a whole number of one or more"),
            ("partSize", "0", "is not a size above zero"),
            ("onUnwritable", "ignore", "is not one of fail, null, space"),
            ("overwriteScope", "partition", "is not one of table, partitions"),
            ("txnId", "  ", "option 'txnId': is empty"),
            ("txnRetention", "30", "is not a duration such as '1h'"),
            ("recordRetention", "0s", "is not a duration above zero"),
            ("path", "s3://logs/*/app", r"path 's3://logs/\*/app': '\*' makes it a glob"),
            ("path", "/logs/{a,b}", "'{' makes it a glob"),
            ("path", "/logs/[ab]", "makes it a glob"),
            ("path", "/logs/a?", "makes it a glob"),
            ("path", None, "^no path: give save"),
            ("paths", '["/b"]', r"^2 paths \(/logs, /b\): give save\(path\), or option 'path', one directory"),
            (
                "template",
                None,
                "exactly one of template, preset, nginx, apache, logback, grok, regex, json, logfmt, delimited, anyOf, formatClass must name the line format; none is given",
            ),
            ("json", "true", "template and json are given"),
            ("accessKey", "a", "'accessKey' and 'secretKey' belong together"),
            ("commentPrefix", "", "is not a non-empty prefix"),
        ],
    )
    def test_bad_values_are_refused(self, name: str, value: Any, message: str) -> None:
        with pytest.raises(OptionError, match=message):
            parse(**{name: value})

    def test_a_list_of_one_path(self) -> None:
        assert parse(path=None, paths='["/logs"]') == parse()

    def test_options_of_other_formats_are_refused(self) -> None:
        with pytest.raises(
            OptionError, match="'escape' belongs to template, preset, delimited, and means nothing for json"
        ):
            parse(template=None, json=True, escape="none")

    def test_options_are_picklable_and_show_no_secret(self) -> None:
        options = parse(accessKey="AKIA", secretKey="hunter2", sessionToken="t0ken")
        assert pickle.loads(pickle.dumps(options)) == options
        assert not any(secret in repr(options) for secret in ("hunter2", "t0ken"))


class TestNames:
    @pytest.mark.parametrize(
        ("name", "near"),
        [("maxFileByte", "maxFileBytes"), ("txn", "txnId"), ("partsizes", "partSize"), ("layuot", "layout")],
    )
    @pytest.mark.parametrize("parser", [parse_read_options, parse_write_options])
    def test_an_unknown_name_suggests_the_nearest(self, parser: Any, name: str, near: str) -> None:
        with pytest.raises(OptionError, match=f"^unknown option '{name}'; did you mean '{near}'"):
            parser({**BASE, name: "x"})

    @pytest.mark.parametrize(("one", "other"), [("partSize", "partsize"), ("mode", "MODE"), ("path", "Path")])
    def test_an_option_in_two_spellings_is_refused(self, one: str, other: str) -> None:
        with pytest.raises(OptionError, match=f"option '{one}' is given twice"):
            parse_write_options({"template": "{m}", one: "8m", other: "8m"})

    def test_none_values_are_ignored(self) -> None:
        assert parse(txnId=None, maxOpenFiles=None, layout=None) == parse()

    def test_readers_and_writers_ignore_each_others_options(self) -> None:
        # "?" is a bad value of most options.
        read_only = {option.name: "?" for option in OPTIONS if option.write is None}
        write_only = {option.name: "?" for option in OPTIONS if option.read is None}
        assert {"mode", "startTime", "metadata", "schema", "rescuedDataColumn"} <= set(read_only)
        assert {"txnId", "partSize", "onUnwritable", "commitThreads"} <= set(write_only)
        assert parse(**read_only) == parse()
        assert parse_read_options({**BASE, **write_only}) == parse_read_options(BASE)
        assert not set(read_only) & set(write_only)

    @pytest.mark.parametrize("parser", [parse_read_options, parse_write_options])
    def test_options_that_spark_adds_are_ignored(self, parser: Any) -> None:
        assert parser({**BASE, "checkpointlocation": "/c", "queryname": "q"}) == parser(BASE)

    def test_every_option_has_a_field_and_every_field_an_option(self) -> None:
        known = {option.write for option in OPTIONS if option.write}
        # Fields without an option of their own, or with an option of readers only.
        known |= {
            "format.kind",
            "format.spec",
            "format.sampling_bytes",
            "format.max_inferred_columns",
            "format.rescued_column",
        }
        known |= {
            "format.multi_line",
            "format.join_parts",
            "format.records_path",
            "format.request_parts",
            "format.banners",
            "format.members",
            "format.format_column",
            "path",
            "store.connections",
        }
        options = parse()
        groups = ("format", "store", "rules")
        inner = {f"{group}.{field.name}" for group in groups for field in fields(getattr(options, group))}
        assert inner | {field.name for field in fields(options) if field.name not in groups} == known

    def test_shared_options_have_the_same_default(self) -> None:
        rules, plan = WriteRules(), PlanOptions()
        assert (rules.record_retention_us, rules.snapshot_retries) == (plan.record_retention_us, plan.snapshot_retries)
        both = parse_read_options({**BASE, "recordRetention": "3h", "snapshotRetries": 0}).plan
        assert (both.record_retention_us, both.snapshot_retries) == (DAY_US // 8, 0)
