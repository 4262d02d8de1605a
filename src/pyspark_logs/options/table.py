"""The one table of options: what exists, who uses it, how its value is read, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyspark_logs.options import values as v

# In the place of a field: not a field's text alone, so the parser of all options treats it itself.
APART = ""


@dataclass(frozen=True)
class Option:
    """One option, and where its value goes.

    Attributes:
        name: as documented; it matches without case.
        read: the field of :class:`ReadOptions`, as ``group.field``; ``APART``; None: readers ignore it.
        write: the same of :class:`WriteOptions`.
        parse: (name, value) to what the field holds, or an OptionError.
        doc: what it does, with the default in parentheses.
    """

    name: str
    read: str | None
    write: str | None
    parse: Callable[[str, object], Any]
    doc: str


def _later(_name: str, value: object) -> object:
    return value  # a time needs timeZone: it is parsed once that is known


_COMPRESSIONS = ("none", "gzip", "zstd", "bzip2", "lz4", "xz")
_MODES = ("PERMISSIVE", "DROPMALFORMED", "FAILFAST")

# fmt: off
OPTIONS: tuple[Option, ...] = (
    Option("template", APART, APART, v.parse_text, "line format in this project's notation"),
    Option("preset", APART, APART, v.parse_name, "a named line format that ships"),
    Option("nginx", APART, APART, v.parse_name, "an nginx `log_format`, as it stands in the configuration"),
    Option("apache", APART, APART, v.parse_name, "an Apache `LogFormat`, as it stands in the configuration"),
    Option("logback", APART, APART, v.parse_name, "a PatternLayout of Logback or Log4j 2"),
    Option("grok", APART, APART, v.parse_text, "a grok pattern: `%{PATTERN:name:type}`; reads only"),
    Option("regex", APART, APART, v.parse_text, "a regular expression (RE2) with named groups; reads only"),
    Option("json", APART, APART, v.parse_boolean, "'true': one JSON object a line"),
    Option("logfmt", APART, APART, v.parse_boolean, "'true': `key=value` pairs"),
    Option("delimited", APART, APART, v.parse_separator, "values between separators; the separator"),
    Option("formatClass", APART, APART, v.parse_class, "a format of one's own, as `module:Class`"),
    Option("quote", "format.quote", "format.quote", v.parse_quote, "delimited: what stands around a value that holds the separator; empty: nothing (`\"`)"),
    Option("header", "format.header", "format.header", v.one_of("none", "first", "fields"), "delimited: whether the first line, or a `#Fields:` line, names the columns (`none`)"),
    Option("grokPatterns", "format.grok_patterns", "format.grok_patterns", v.parse_definitions, "grok: patterns of one's own, `NAME pattern` a line"),
    Option("multiLine", "format.multi_line", None, v.parse_multi_line, "records of several lines: `true`, or a regular expression that begins one (`false`)"),
    Option("nullValue", "format.null_value", "format.null_value", v.parse_text, "text that means null, in templates in `?` fields (`-`)"),
    Option("encoding", "format.encoding", "format.encoding", v.parse_encoding, "text encoding (`utf-8`)"),
    Option("commentPrefix", "format.comment_prefix", "format.comment_prefix", v.parse_prefix, "lines that start so are not records"),
    Option("escape", "format.escape", "format.escape", v.one_of("none", "backslash"), "escapes in unquoted strings (`none`)"),
    Option("allowTrailing", "format.allow_trailing", "format.allow_trailing", v.parse_boolean, "text after the last field is fine (`false`)"),
    Option("maxRecordBytes", "format.max_record_bytes", "format.max_record_bytes", v.parse_bytes, "longer records are corrupt rows (`16m`)"),
    Option("samplingBytes", "format.sampling_bytes", None, v.parse_bytes, "text read to find the columns of JSON or logfmt (`8m`)"),
    Option("rescuedDataColumn", "format.rescued_column", None, v.parse_name, "JSON, logfmt: column for what the schema lacks"),
    Option("mode", "records.mode", None, v.one_of(*_MODES), "rows that do not match (`PERMISSIVE`)"),
    Option("columnNameOfCorruptRecord", "records.corrupt_column", None, v.parse_name, "column for the raw text of corrupt rows"),
    Option("badRecordsPath", "records.bad_path", None, v.parse_path, "directory that gets the records that do not match, as JSON lines"),
    Option("metadata", "records.metadata", None, v.parse_boolean, "append the `_metadata` column (`false`)"),
    Option("startTime", APART, None, _later, "first instant of the range, inclusive"),
    Option("endTime", APART, None, _later, "end of the range, exclusive"),
    Option("layoutSlack", "time.slack_us", None, v.parse_duration_us, "how far records drift from their path's time"),
    Option("timeColumn", "time.column", "time_column", v.parse_name, "column that the range, or the layout's time, is about (first timestamp)"),
    Option("timeZone", "time.zone", "zone", v.parse_time_zone, "zone of zoneless timestamps and layout tokens (`UTC`)"),
    Option("layout", "plan.layout", "layout", v.parse_name, "where time and partition columns are in the path"),
    Option("compression", "plan.compression", "rules.compression", v.one_of(*_COMPRESSIONS), "codec of all files (reading: by suffix; writing: `gzip`)"),
    Option("pathGlobFilter", "plan.path_glob", None, v.parse_name, "glob that file names must match"),
    Option("modifiedAfter", APART, None, _later, "only files modified at or after this time"),
    Option("modifiedBefore", APART, None, _later, "only files modified before this time"),
    Option("ignoreMissingFiles", "plan.ignore_missing", None, v.parse_boolean, "files gone since planning are skipped (`false`)"),
    Option("ignoreCorruptFiles", "plan.ignore_corrupt", None, v.parse_boolean, "files that cannot be decompressed end early (`false`)"),
    Option("maxPartitionBytes", "plan.max_partition_bytes", None, v.parse_bytes, "bytes a task reads (`128m`)"),
    Option("openCostInBytes", "plan.open_cost_bytes", None, v.parse_bytes_or_zero, "what opening a file costs, in bytes (`4m`)"),
    Option("filterPushdown", "plan.filter_pushdown", None, v.parse_boolean, "Spark: filters work while reading; one query a load (`false`)"),
    Option("snapshotRetries", "plan.snapshot_retries", "rules.snapshot_retries", v.parse_count, "how often a listing that a write disturbed starts again (`3`)"),
    Option("recordRetention", "plan.record_retention_us", "rules.record_retention_us", v.parse_positive_duration_us, "how long writers keep decisions; a listing may take half of it (`1d`)"),
    Option("startingPosition", APART, None, _later, "where a new query begins: `earliest`, `latest` or a time (`earliest`)"),
    Option("maxFilesPerTrigger", "stream.max_files", None, v.parse_positive_count, "files of a batch (`1000`)"),
    Option("maxBytesPerTrigger", "stream.max_bytes", None, v.parse_bytes, "bytes of a batch, as stored; one file at least (no limit)"),
    Option("lateness", "stream.lateness_us", None, v.parse_duration_us, "how long after its modification time a file may become visible (`1h`)"),
    Option("fullListingInterval", "stream.full_listing_us", None, v.parse_interval_us, "how often files under old layout times are looked for; `off`: never (`1h`)"),
    Option("settle", "stream.settle_us", None, v.parse_duration_us, "how old a file must be to be read (`0s`)"),
    Option("allowOverwrites", "stream.allow_overwrites", None, v.parse_boolean, "read each version of a file; `false`: not those that come within `lateness` of one that was read (`false`)"),
    Option("cleanSource", "stream.clean_source", None, v.one_of("off", "archive", "delete"), "what becomes of files that were read (`off`)"),
    Option("sourceArchiveDir", "stream.archive_dir", None, v.parse_path, "where `cleanSource=archive` moves them; outside of all load paths"),
    Option("cleanSourceRetention", "stream.clean_retention_us", None, v.parse_duration_us, "how long they stay first (`0s`)"),
    Option("compressionLevel", None, "rules.compression_level", v.parse_level, "the codec's level (the codec's own default)"),
    Option("maxFileBytes", None, "rules.max_file_bytes", v.parse_most_bytes, "a file ends at about this size, compressed; `0`: never (`128m`)"),
    Option("maxRecordsPerFile", None, "rules.max_records_per_file", v.parse_most_records, "a file ends after so many records; `0`: never (`0`)"),
    Option("maxOpenFiles", None, "rules.max_open_files", v.parse_positive_count, "files a task writes at once; the least recently written one is closed (`64`)"),
    Option("partSize", None, "rules.part_bytes", v.parse_bytes, "parts of an upload; smaller when many files are open (`8m`)"),
    Option("onUnwritable", None, "rules.on_unwritable", v.one_of("fail", "null", "space"), "a value that would not read back: stop, or write null or spaces (`fail`)"),
    Option("overwriteScope", None, "rules.overwrite_scope", v.one_of("table", "partitions"), "what an overwrite replaces: all, or the partitions it writes (`table`)"),
    Option("commitThreads", None, "rules.commit_threads", v.parse_positive_count, "requests of a commit at once (`16`)"),
    Option("txnId", None, "rules.txn_id", v.parse_id, "a job with the id of one that has committed does nothing"),
    Option("txnRetention", None, "rules.txn_retention_us", v.parse_duration_us, "how long a `txnId` is remembered (`30d`)"),
    Option("endpoint", "store.endpoint", "store.endpoint", v.parse_name, "URL of an S3-compatible server"),
    Option("region", "store.region", "store.region", v.parse_name, "region of the bucket"),
    Option("profile", "store.profile", "store.profile", v.parse_name, "profile of the shared credentials file"),
    Option("anonymous", "store.anonymous", "store.anonymous", v.parse_boolean, "unsigned requests (`false`)"),
    Option("defaultCredential", "store.default_credential", "store.default_credential", v.parse_boolean, "insist on the default credential chain"),
    Option("accessKey", "store.access_key", "store.access_key", v.parse_secret, "explicit access key"),
    Option("secretKey", "store.secret_key", "store.secret_key", v.parse_secret, "explicit secret key"),
    Option("sessionToken", "store.session_token", "store.session_token", v.parse_secret, "token of temporary credentials"),
    Option("storageOptions", "store.storage_options", "store.storage_options", v.parse_storage_options, "JSON passed on to fsspec"),
    Option("requestTimeout", "store.request_timeout_s", "store.request_timeout_s", v.parse_seconds, "how long one request may take (`60s`)"),
    Option("maxRetries", "store.max_retries", "store.max_retries", v.parse_count, "further tries after a failed request (`4`)"),
    Option("maxConsecutiveFailures", "store.max_consecutive_failures", "store.max_consecutive_failures", v.parse_count, "failed requests in a row that stop a task (`5`)"),
    Option("schema", "schema", None, v.parse_schema, "scan() only: a DDL string or a pyarrow.Schema"),
)
# fmt: on

# Where the files are. A load may have several places, as a JSON list.
PATHS = ("path", "paths")

# What Spark itself puts among the options of a stream.
SPARKS_OWN = ("checkpointLocation", "queryName")

FORMATS = (
    "template", "preset", "nginx", "apache", "logback", "grok", "regex", "json", "logfmt", "delimited", "formatClass",
)  # fmt: skip
SWITCHES = ("json", "logfmt")  # whose value is 'true'

# Options that would be without effect on other formats than these.
_PASTED = ("nginx", "apache", "logback")
_OF_LINES = tuple(name for name in FORMATS if name != "formatClass")
ONLY_OF: dict[str, tuple[str, ...]] = {
    "encoding": _OF_LINES,
    "commentPrefix": _OF_LINES,
    "multiLine": _OF_LINES,
    "maxRecordBytes": _OF_LINES,
    "mode": _OF_LINES,
    "columnNameOfCorruptRecord": _OF_LINES,
    "badRecordsPath": _OF_LINES,
    "nullValue": ("template", "preset", *_PASTED, "grok", "regex", "logfmt", "delimited"),
    "escape": ("template", "preset"),
    "allowTrailing": ("template", "preset", *_PASTED, "delimited"),
    "rescuedDataColumn": ("json", "logfmt", "preset"),
    "samplingBytes": ("json", "logfmt"),
    "quote": ("delimited",),
    "header": ("delimited",),
    "grokPatterns": ("grok",),
}
