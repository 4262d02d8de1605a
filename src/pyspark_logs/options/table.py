"""The table of all options: their users, the fields that take their values, their parsers and descriptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyspark_logs.options import numbers, text, times

# Instead of a field: options.parsing combines the option with others.
COMBINED = ""


@dataclass(frozen=True)
class Option:
    """A row of the table.

    Attributes:
        name: documented name, which matches without case.
        read: field of :class:`ReadOptions` as ``group.field``; ``COMBINED``; None if readers ignore the option.
        write: field of :class:`WriteOptions`, likewise.
        parse: function of name and value that returns the value of the field.
        doc: description in Markdown, with the default in parentheses.
    """

    name: str
    read: str | None
    write: str | None
    parse: Callable[[str, object], Any]
    doc: str

    @property
    def choices(self) -> tuple[str, ...]:
        """Values of an option that takes only a few."""
        if self.parse is numbers.parse_boolean:
            return ("true", "false")
        return self.parse.choices if isinstance(self.parse, text.OneOf) else ()


def _unparsed(_name: str, value: object) -> object:
    return value  # options.parsing parses times, which need timeZone


_COMPRESSIONS = ("none", "gzip", "zstd", "bzip2", "lz4", "xz")
_ACLS = (
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
)
# Classes whose objects can be read at once.
_STORAGE_CLASSES = (
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "OUTPOSTS",
    "SNOW",
)
_MODES = ("PERMISSIVE", "DROPMALFORMED", "FAILFAST")
_MODE_ADVICE = {
    **dict.fromkeys(("ignore", "skip", "drop", "warn"), "write DROPMALFORMED"),
    **dict.fromkeys(("strict", "fail", "raise", "error", "abort"), "write FAILFAST"),
    **dict.fromkeys(("null", "nulls", "keep", "lenient"), "write PERMISSIVE"),
}
# Values of the option of the same name in other readers.
_HEADER_ADVICE = {"true": "write header=first", "false": "write header=none"}
_COMPRESSION_ADVICE = {
    **dict.fromkeys(("auto", "infer", "detect"), "leave it out: readers go by the first bytes of each file"),
    **dict.fromkeys(("zip", "tar", "tgz"), "leave it out: readers recognise archives, which are not written"),
    "deflate": "write gzip",
    "zlib": "write gzip",
}

# fmt: off
OPTIONS: tuple[Option, ...] = (
    Option("template", COMBINED, COMBINED, text.parse_text, "line format in this project's notation"),
    Option("preset", COMBINED, COMBINED, text.parse_name, "a named line format of this project"),
    Option("nginx", COMBINED, COMBINED, text.parse_name, "an nginx `log_format`, pasted from the configuration"),
    Option("apache", COMBINED, COMBINED, text.parse_name, "an Apache `LogFormat`, pasted from the configuration"),
    Option("logback", COMBINED, COMBINED, text.parse_name, "a PatternLayout of Logback or Log4j 2"),
    Option("grok", COMBINED, COMBINED, text.parse_text, "a grok pattern such as `%{PATTERN:name:type}`; reads only"),
    Option("regex", COMBINED, COMBINED, text.parse_text, "a regular expression (RE2) with named groups; reads only"),
    Option("json", COMBINED, COMBINED, numbers.parse_boolean, "`true`: one JSON object a line"),
    Option("logfmt", COMBINED, COMBINED, numbers.parse_boolean, "`true`: `key=value` pairs"),
    Option("delimited", COMBINED, COMBINED, text.parse_separator, "values between separators; the value is the separator"),
    Option("anyOf", COMBINED, COMBINED, text.parse_members, "a JSON list of formats, each an object of options, which are tried in order for each line; reads only; see [Several formats](anyof.md)"),
    Option("formatClass", COMBINED, COMBINED, text.parse_class, "a user-defined format, as `module:Class`"),
    Option("formatColumn", "format.format_column", None, text.parse_name, "anyOf: column for the name of the format that matched"),
    Option("quote", "format.quote", "format.quote", text.parse_quote, "delimited: quote character of values that contain the separator; empty: none (`\"`)"),
    Option("header", "format.header", "format.header", text.one_of("none", "first", "fields", advice=_HEADER_ADVICE), "delimited: source of the column names: `none`, the `first` line, or a `#Fields:` line (`fields`) (`none`)"),
    Option("grokPatterns", "format.grok_patterns", "format.grok_patterns", text.parse_definitions, "grok: user-defined patterns, one `NAME pattern` a line"),
    Option("multiLine", "format.multi_line", None, text.parse_multi_line, "records of several lines: `true`, or a regular expression that matches in the first line of a record (`false`)"),
    Option("requestParts", "format.request_parts", None, numbers.parse_boolean, "add the columns `request_method`, `request_path`, `request_query` and `request_protocol`; see [Parts of requests](reading.md#parts-of-requests) (`false`)"),
    Option("joinParts", "format.join_parts", None, numbers.parse_boolean, "presets `cri` and `docker_json`: join the parts of a line that the runtime cut (`true`, without `multiLine`)"),
    Option("nullValue", "format.null_value", "format.null_value", text.parse_text, "text that means null; in templates, in `?` fields (`-`)"),
    Option("encoding", "format.encoding", "format.encoding", text.parse_encoding, "text encoding (`utf-8`)"),
    Option("commentPrefix", "format.comment_prefix", "format.comment_prefix", text.parse_prefix, "prefix of lines that are not records"),
    Option("escape", "format.escape", "format.escape", text.one_of("none", "backslash"), "escapes in unquoted strings of templates; delimited: `backslash` escapes the quote within quotes (`none`)"),
    Option("allowTrailing", "format.allow_trailing", "format.allow_trailing", numbers.parse_boolean, "allow text after the last field (`false`)"),
    Option("maxRecordBytes", "format.max_record_bytes", "format.max_record_bytes", numbers.parse_bytes, "size above which a record is a corrupt row (`16m`)"),
    Option("recordsPath", "format.records_path", None, text.parse_keys, "JSON: keys from a document to the array of its records, such as `Records` or `a.b`; see [Documents](json.md#documents)"),
    Option("samplingBytes", "format.sampling_bytes", None, numbers.parse_bytes, "bytes of text that are read to infer the columns of JSON or logfmt, alone or in `anyOf` (`8m`)"),
    Option("maxInferredColumns", "format.max_inferred_columns", None, numbers.parse_positive_count, "JSON, logfmt: number of inferred columns, nested fields included, above which keys are taken for data and a schema is required (`10000`)"),
    Option("rescuedDataColumn", "format.rescued_column", None, text.parse_name, "JSON, logfmt: column for values that the schema lacks; templates, delimited: column `map<string,string>` for fields after the last one, by position"),
    Option("where", "records.where", None, text.parse_condition, "condition on the rows in Spark's SQL, evaluated while reading; see [Conditions](reading.md#conditions-while-reading)"),
    Option("mode", "records.mode", None, text.one_of(*_MODES, advice=_MODE_ADVICE), "treatment of records that do not match: `PERMISSIVE`, `DROPMALFORMED` or `FAILFAST` (`PERMISSIVE`)"),
    Option("columnNameOfCorruptRecord", "records.corrupt_column", None, text.parse_name, "column for the text of corrupt rows"),
    Option("badRecordsPath", "records.bad_path", None, text.parse_path, "directory to which records that do not match are written as JSON lines"),
    Option("auditPath", "report.audit_path", None, text.parse_path, "directory to which the plan of the query and the outcome of each split are written; see [Audit](audit.md)"),
    Option("profileTasks", "report.profile", None, numbers.parse_boolean, "log the seconds that each task spends in each [phase](performance.md#where-the-time-is-spent) of reading (`false`)"),
    Option("quiet", "report.quiet", None, numbers.parse_boolean, "log the warnings of tasks at level `DEBUG` (`false`)"),
    Option("metadata", "records.metadata", None, numbers.parse_boolean, "add the column `_metadata` to a load without a schema; a schema names it itself (`false`)"),
    Option("startTime", COMBINED, None, _unparsed, "start of the range, inclusive"),
    Option("endTime", COMBINED, None, _unparsed, "end of the range, exclusive"),
    Option("layoutSlack", "time.slack_us", None, times.parse_duration_us, "largest difference between the time of a record and the time in its path"),
    Option("timeColumn", "time.column", "time_column", text.parse_name, "column of the range, or of the layout's time (first timestamp)"),
    Option("timeZone", "time.zone", "zone", times.parse_time_zone, "zone of timestamps without a zone and of layout times (`UTC`)"),
    Option("layout", "plan.layout", "layout", text.parse_name, "position of times and partition columns in the path"),
    Option("compression", "plan.compression", "rules.compression", text.one_of(*_COMPRESSIONS, advice=_COMPRESSION_ADVICE), "codec of all files (reading: by the first bytes of each file; writing: `gzip`)"),
    Option("pathGlobFilter", "plan.path_glob", None, text.parse_glob, "glob that file names must match"),
    Option("modifiedAfter", COMBINED, None, _unparsed, "only files modified at or after this time"),
    Option("modifiedBefore", COMBINED, None, _unparsed, "only files modified before this time"),
    Option("ignoreMissingFiles", "plan.ignore_missing", None, numbers.parse_boolean, "skip files that were deleted after planning; a stream also skips files that changed (`false`)"),
    Option("ignoreCorruptFiles", "plan.ignore_corrupt", None, numbers.parse_boolean, "read files that cannot be decompressed up to the error (`false`)"),
    Option("maxPartitionBytes", "plan.max_partition_bytes", None, numbers.parse_bytes, "bytes read by a task (`128m`, or less for `minPartitions`)"),
    Option("minPartitions", "plan.min_partitions", None, numbers.parse_positive_count, "Spark: number of tasks to aim at, each of less than `maxPartitionBytes` (as many as run at the same time, if `maxPartitionBytes` is not given; in streams `1`)"),
    Option("openCostInBytes", "plan.open_cost_bytes", None, numbers.parse_bytes_or_zero, "cost of opening a file, in bytes, which counts against `maxPartitionBytes` (`1m`)"),
    Option("filterPushdown", "plan.filter_pushdown", None, numbers.parse_boolean, "Spark: evaluate filters while reading; the load is for one query only (`false`)"),
    Option("snapshotRetries", "plan.snapshot_retries", "rules.snapshot_retries", numbers.parse_count, "repetitions of a listing that a concurrent write disturbed (`3`)"),
    Option("recordRetention", "plan.record_retention_us", "rules.record_retention_us", times.parse_positive_duration_us, "time for which writers keep decisions; a listing may take half of it; writers keep them for `1d` at least (`1d`)"),
    Option("fetchThreads", "fetch.threads", None, numbers.parse_positive_count, "files of a task that are fetched and decompressed at the same time, ahead of parsing (`8`; of local files none by `scan` if it reads on all processors, and in Spark none of plain files that the system has in memory)"),
    Option("prefetchBytes", "fetch.max_bytes", None, numbers.parse_bytes_or_zero, "size of the text of these files that a task holds ahead of parsing; `0`: only that of the file being parsed (`64m`)"),
    Option("maxInflateRatio", "fetch.max_ratio", None, numbers.parse_count_limit, "largest text of a compressed file, as a multiple of the size of the file, beyond the first 64 MiB; a file with more is a `CorruptFileError`; `0`: no limit (`1000`)"),
    Option("startingPosition", COMBINED, None, _unparsed, "start of a new query: `earliest`, `latest` or a time (`earliest`)"),
    Option("maxFilesPerTrigger", "stream.max_files", None, numbers.parse_positive_count, "files in a batch (`1000`)"),
    Option("maxBytesPerTrigger", "stream.max_bytes", None, numbers.parse_bytes, "stored bytes of a batch, which has at least one file (no limit)"),
    Option("lateness", "stream.lateness_us", None, times.parse_duration_us, "longest time between the modification of a file and its visibility (`1h`)"),
    Option("fullListingInterval", "stream.full_listing_us", None, times.parse_interval_us, "interval of searches for files under old layout times; `off`: never (`1h`)"),
    Option("settle", "stream.settle_us", None, times.parse_duration_us, "minimum age of a file (`0s`)"),
    Option("maxTrackedFiles", "stream.max_tracked_files", None, numbers.parse_positive_count, "processed files that an offset holds, about 11 bytes each; further files of its window wait (`90000`)"),
    Option("allowOverwrites", "stream.allow_overwrites", None, numbers.parse_boolean, "read each version of a file; `false`: skip versions that come within `lateness` of one that was read (`false`)"),
    Option("cleanSource", "stream.clean_source", None, text.one_of("off", "archive", "delete"), "treatment of files that were read: `off`, `archive` or `delete` (`off`)"),
    Option("sourceArchiveDir", "stream.archive_dir", None, text.parse_path, "directory for `cleanSource=archive`, outside of all load paths"),
    Option("cleanSourceRetention", "stream.clean_retention_us", None, times.parse_duration_us, "time before files that were read are archived or deleted (`0s`)"),
    Option("compressionLevel", None, "rules.compression_level", numbers.parse_level, "level of the codec (default of the codec)"),
    Option("maxFileBytes", None, "rules.max_file_bytes", numbers.parse_byte_limit, "approximate compressed size of a file; `0`: no limit (`128m`)"),
    Option("maxRecordsPerFile", None, "rules.max_records_per_file", numbers.parse_count_limit, "records in a file; `0`: no limit (`0`)"),
    Option("maxOpenFiles", None, "rules.max_open_files", numbers.parse_positive_count, "files that a task writes at the same time; above it, the least recently written file is closed (`64`)"),
    Option("partSize", None, "rules.part_bytes", numbers.parse_bytes, "size of the parts of an upload; smaller if many files are open (`8m`)"),
    Option("onUnwritable", None, "rules.on_unwritable", text.one_of("fail", "null", "space"), "treatment of values that would not read back: `fail`, or write `null` or spaces (`space`) (`fail`)"),
    Option("overwriteScope", None, "rules.overwrite_scope", text.one_of("table", "partitions"), "files that an overwrite replaces: those of the `table`, or of the `partitions` it writes (`table`)"),
    Option("commitThreads", None, "rules.commit_threads", numbers.parse_positive_count, "concurrent requests of a commit (`16`)"),
    Option("txnId", None, "rules.txn_id", text.parse_id, "id of a transaction; a job with the id of a committed job does nothing"),
    Option("txnRetention", None, "rules.txn_retention_us", times.parse_duration_us, "time for which a `txnId` is remembered, `30d` at least (`30d`)"),
    Option("endpoint", "store.endpoint", "store.endpoint", text.parse_url, "URL of an S3-compatible server"),
    Option("region", "store.region", "store.region", text.parse_name, "region of the bucket"),
    Option("profile", "store.profile", "store.profile", text.parse_name, "profile of the shared credentials file"),
    Option("anonymous", "store.anonymous", "store.anonymous", numbers.parse_boolean, "unsigned requests (`false`)"),
    Option("defaultCredential", "store.default_credential", "store.default_credential", numbers.parse_boolean, "use only the default credential chain (`false`)"),
    Option("credential", "store.credential", "store.credential", text.parse_name, "service credential of Databricks' Unity Catalog"),
    Option("credentialsProvider", "store.credentials_provider", "store.credentials_provider", text.parse_callable, "function that returns keys, as `module:callable`"),
    Option("roleArn", "store.role_arn", "store.role_arn", text.parse_role, "role to assume with the credentials of the other options"),
    Option("roleSessionName", "store.role_session_name", "store.role_session_name", text.parse_name, "name of the role's sessions (`pyspark-logs`)"),
    Option("externalId", "store.external_id", "store.external_id", text.parse_secret, "external id that the role requires"),
    Option("roleDuration", "store.role_duration_s", "store.role_duration_s", times.parse_seconds, "lifetime of the role's keys, which are renewed (`1h`)"),
    Option("stsEndpoint", "store.sts_endpoint", "store.sts_endpoint", text.parse_name, "URL of the server that assumes roles (`endpoint`, or the one of AWS)"),
    Option("accessKey", "store.access_key", "store.access_key", text.parse_secret, "explicit access key"),
    Option("secretKey", "store.secret_key", "store.secret_key", text.parse_secret, "explicit secret key"),
    Option("sessionToken", "store.session_token", "store.session_token", text.parse_secret, "token of temporary credentials"),
    Option("storageOptions", "store.storage_options", "store.storage_options", text.parse_storage_options, "JSON object of options for fsspec"),
    Option("addressingStyle", "store.addressing_style", "store.addressing_style", text.one_of("auto", "path", "virtual"), "bucket in the `path` of a URL or in the host name (`virtual`) (`path` with `endpoint`, else `auto`)"),
    Option("caBundle", "store.ca_bundle", "store.ca_bundle", text.parse_name, "file with the certificates of the authorities that are trusted; on each executor"),
    Option("proxy", "store.proxy", "store.proxy", text.parse_proxy, "URL of an HTTP proxy for all requests"),
    Option("requesterPays", "store.requester_pays", "store.requester_pays", numbers.parse_boolean, "pay for requests to a bucket of another account (`false`)"),
    Option("directReads", "store.direct_reads", "store.direct_reads", numbers.parse_boolean, "read and list objects on S3 by urllib3, in less processor time than by s3fs, which makes all other requests (`true`)"),
    Option("sse", "store.sse", "store.sse", text.one_of("AES256", "aws:kms", "aws:kms:dsse"), "encryption of written files by the server: `AES256`, `aws:kms` or `aws:kms:dsse` (that of the bucket)"),
    Option("kmsKeyId", "store.kms_key_id", "store.kms_key_id", text.parse_name, "key of `sse=aws:kms` and `aws:kms:dsse`"),
    Option("bucketKey", "store.bucket_key", "store.bucket_key", numbers.parse_boolean, "use a bucket key with `sse=aws:kms` (that of the bucket)"),
    Option("acl", "store.acl", "store.acl", text.one_of(*_ACLS), "canned ACL of written files, such as `bucket-owner-full-control`"),
    Option("storageClass", None, "store.storage_class", text.one_of(*_STORAGE_CLASSES), "storage class of data files, such as `STANDARD_IA` (`STANDARD`)"),
    Option("objectTags", None, "store.object_tags", text.parse_tags, "tags of data files, as a JSON object"),
    Option("requestTimeout", "store.request_timeout_s", "store.request_timeout_s", times.parse_seconds, "longest time of an attempt, with one second more for each 32 KiB of a body (`60s`)"),
    Option("operationTimeout", "store.operation_timeout_s", "store.operation_timeout_s", times.parse_seconds, "longest time of a request with all its retries, with one second more for each 32 KiB of a body (`10m`)"),
    Option("maxRetries", "store.max_retries", "store.max_retries", numbers.parse_count, "retries of a failed request (`4`)"),
    Option("maxConsecutiveFailures", "store.max_consecutive_failures", "store.max_consecutive_failures", numbers.parse_count, "consecutive failed requests that stop a task (`5`)"),
    Option("schema", "schema", None, text.parse_schema, "scan() only: a DDL string or a pyarrow.Schema"),
)
# fmt: on

# A load may have several paths, which Spark passes as a JSON list.
PATH_OPTIONS = ("path", "paths")

# Options that Spark itself adds to those of a stream.
SPARK_OPTIONS = ("checkpointLocation", "queryName")

FORMATS = (
    "template", "preset", "nginx", "apache", "logback", "grok", "regex", "json", "logfmt", "delimited", "anyOf",
    "formatClass",
)  # fmt: skip
BOOLEAN_FORMATS = ("json", "logfmt")

_DIALECTS = ("nginx", "apache", "logback")
_LINE_FORMATS = tuple(name for name in FORMATS if name != "formatClass")
# Options that apply only to some formats. For other formats they are errors.
APPLICABLE_FORMATS: dict[str, tuple[str, ...]] = {
    "encoding": _LINE_FORMATS,
    "commentPrefix": _LINE_FORMATS,
    "multiLine": _LINE_FORMATS,
    "requestParts": ("template", "preset", "nginx", "apache"),
    "joinParts": ("preset", "anyOf"),
    "maxRecordBytes": _LINE_FORMATS,
    "mode": _LINE_FORMATS,
    "columnNameOfCorruptRecord": _LINE_FORMATS,
    "badRecordsPath": _LINE_FORMATS,
    "nullValue": ("template", "preset", *_DIALECTS, "grok", "regex", "logfmt", "delimited"),
    "escape": ("template", "preset", "delimited"),
    "allowTrailing": ("template", "preset", *_DIALECTS, "delimited"),
    "rescuedDataColumn": ("template", "preset", *_DIALECTS, "json", "logfmt", "delimited", "anyOf"),
    "recordsPath": ("json",),
    "samplingBytes": ("json", "logfmt", "anyOf"),
    "maxInferredColumns": ("json", "logfmt", "anyOf"),
    "formatColumn": ("anyOf",),
    "quote": ("delimited",),
    "header": ("delimited",),
    "grokPatterns": ("grok",),
}

# Formats that the members of ``anyOf`` may have, and their further options; all others apply to the files of the load.
MEMBER_FORMATS = tuple(name for name in _LINE_FORMATS if name != "anyOf")
MEMBER_OPTIONS = ("nullValue", "escape", "allowTrailing", "commentPrefix", "quote", "grokPatterns", "requestParts")
