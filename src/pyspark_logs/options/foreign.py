"""Options of other readers that this one spells otherwise or does not need, each with the advice to give."""

from __future__ import annotations

_SKIP = "write commentPrefix for lines that are not records, or header=first for a line of names"

_LIMIT = "use limit(n) on the result, or dataset(...).head(n)"
_MODE = "write mode=DROPMALFORMED, FAILFAST or PERMISSIVE for records that do not match"
_COLUMNS = "name the columns in a schema, as in .schema('ts timestamp, level string')"
_PATTERN = "write the pattern in the template, as in {ts:timestamp(%d/%b/%Y:%H:%M:%S %z)}"
_LOGGING = "the logger pyspark_logs has all messages; set its level with logging.getLogger"
_TLS = "https:// or http:// in endpoint decides; caBundle names certificates to trust"
_PATH = "write it in the path: s3://bucket/directory"
_THREADS = "scan(..., threads=4) has this argument; in Spark, tasks run in parallel"

# Name in lower case -> the end of a sentence that begins with "unknown option ...: ".
ADVICE = {
    "latestfirst": "a stream reads files in the order of their times; start later with startingPosition",
    "recursivefilelookup": "directories are always read with all that is below them; leave it out",
    "linesep": "lines end with \\n, \\r\\n or \\r; leave it out, or name the first line of a record with multiLine",
    "maxfileage": "a stream reads every new file; startingPosition=2026-11-22T00:00:00Z leaves older files out",
    "recursive": "directories are always read with all that is below them; leave it out",
    "basepath": "partition columns come from the load path and layout; leave it out",
    "partitionby": "name the directories in layout, as in layout={team}/{yyyy}/{MM}/{dd}",
    **dict.fromkeys(
        ("partition_cols", "partition_by", "partition_on"), "name the directories in layout, as in layout={team}/{yyyy}"
    ),
    "olderthan": "the argument is older_than",
    "dryrun": "the argument is dry_run",
    "partitioning": "name the directories in layout, as in layout={team}/{yyyy}/{MM}/{dd}",
    "hive_partitioning": "directories such as team=search are columns without it; other names are given by layout",
    "filesystem": "the scheme of the path names the store; write endpoint, profile or storageOptions for its settings",
    "recordstart": "write multiLine, with a regular expression that matches in the first line of a record",
    "logformat": "write nginx, apache or logback, with the pasted configuration as the value",
    "log_format": "write nginx, apache or logback, with the pasted configuration as the value",
    "skip_rows": _SKIP,
    "skip_lines": _SKIP,
    "skiprows": _SKIP,
    "skipfooter": _SKIP,
    "ignoreleadingwhitespace": "{name:type} takes the text between its literals; write the spaces in the template",
    "ignoretrailingwhitespace": "{name:type} takes the text between its literals; write the spaces in the template",
    "primitivesasstring": "give a schema with string columns",
    "infer_schema_length": "write samplingBytes",
    "samplingratio": "write samplingBytes",
    "maxcharspercolumn": "write maxRecordBytes",
    "batch_size": "batches have the size that is fastest; leave it out",
    "batchsize": "batches have the size that is fastest; leave it out",
    "chunksize": "batches have the size that is fastest; leave it out",
    "tz": "write timeZone",
    "key": "write accessKey",
    "aws_access_key_id": "write accessKey",
    "aws_secret_access_key": "write secretKey",
    "aws_session_token": "write sessionToken",
    "token": "write sessionToken",
    "anon": "write anonymous",
    "client_kwargs": "write storageOptions, a JSON object",
    "startingoffsets": "write startingPosition",
    "startingtimestamp": "write startingPosition, with the time as the value",
    "maxoffsetspertrigger": "write maxFilesPerTrigger or maxBytesPerTrigger",
    "failondataloss": "a planned file that is gone is an error; ignoreMissingFiles=true passes over it",
    "sep": "write delimited=, with the separator as the value",
    "separator": "write delimited=, with the separator as the value",
    "delimiter": "write delimited=, with the separator as the value",
    "wholetext": "a record is a line, or several with multiLine; spark.read.text reads whole files",
    "columns": "name the columns in a schema, as in .schema('ts timestamp, level string')",
    "usecols": "name the columns in a schema, as in .schema('ts timestamp, level string')",
    "overwrite": "write .mode('overwrite') in Spark, or write(..., mode='overwrite')",
    "n_rows": "use limit(n) on the result, or dataset(...).head(n)",
    "nrows": "use limit(n) on the result, or dataset(...).head(n)",
    "limit": "use limit(n) on the result, or dataset(...).head(n)",
    "inferschema": "columns of JSON and logfmt are inferred without it; leave it out, or give a schema",
    "location": "it comes from CREATE TABLE; in SQL, write CREATE TEMPORARY VIEW ... USING logs OPTIONS (path '...')",
    "format": "the line format is an option of its own, such as preset, template or json",
    "charset": "write encoding",
    "nullvalues": "write nullValue",
    "null_values": "write nullValue",
    "na_values": "write nullValue",
    "has_header": "write header=first",
    "corruptrecordcolumn": "write columnNameOfCorruptRecord",
    "dateformat": "write the pattern in the template, as in {day:timestamp(%d/%m/%Y)}",
    "timestampformat": "write the pattern in the template, as in {ts:timestamp(%d/%b/%Y:%H:%M:%S %z)}",
    "pattern": "write regex, grok or template",
    "filter": "write where",
    "mergeschema": "columns are merged by name without it; leave it out",
    "checkpointlocation": "it belongs to writeStream",
    **dict.fromkeys(("since", "from", "begin"), "write startTime"),
    **dict.fromkeys(("until", "to", "stop"), "write endTime"),
    **dict.fromkeys(("errors", "on_error", "on_bad_lines", "error_bad_lines", "ignore_errors", "ignoreerrors"), _MODE),
    **dict.fromkeys(("strict", "permissive", "skipbad", "drop_corrupt", "dropmalformed", "failfast"), _MODE),
    **dict.fromkeys(("dtype", "dtypes", "names", "fields", "select", "column_types", "new_columns"), _COLUMNS),
    **dict.fromkeys(
        ("parse_dates", "date_format", "datetime_format", "ts_format", "time_format", "timestamp_format"), _PATTERN
    ),
    **dict.fromkeys(("max_rows", "maxrows", "head", "top", "rows", "n", "num"), _LIMIT),
    **dict.fromkeys(
        ("query", "sql", "predicate", "condition"), "write where, with a condition such as level = 'ERROR'"
    ),
    **dict.fromkeys(("verbose", "debug", "log_level", "loglevel"), _LOGGING),
    **dict.fromkeys(("verify", "ssl", "use_ssl", "tls"), _TLS),
    **dict.fromkeys(("bucket", "prefix"), _PATH),
    **dict.fromkeys(("workers", "num_threads", "n_jobs", "parallelism", "max_workers", "concurrency"), _THREADS),
    **dict.fromkeys(("json_lines", "ndjson", "jsonl", "jsonlines"), "write json=true"),
    **dict.fromkeys(("csv", "tsv"), "write delimited=, with the separator as the value"),
    **dict.fromkeys(("gzip", "gz", "zstd"), "leave it out: the first bytes of a file tell its compression"),
    **dict.fromkeys(("tail", "follow"), "`pyspark-logs tail` and spark.readStream read new files"),
    **dict.fromkeys(("path_style_access", "path_style", "pathstyleaccess"), "write addressingStyle=path"),
    **dict.fromkeys(("user", "username"), "write accessKey, or storageOptions for other stores than S3"),
    **dict.fromkeys(("password", "passwd"), "write secretKey, or storageOptions for other stores than S3"),
    **dict.fromkeys(("host", "port"), "write endpoint, with a URL such as http://127.0.0.1:9000"),
    "glob": "write it in the path, or pathGlobFilter for names of files",
    "skip_blank_lines": "blank lines are never records; leave it out",
    "lineterminator": "lines end with \\n, \\r\\n or \\r; leave it out",
    "engine": "the fastest engine that supports the format is used; leave it out",
    "memory_map": "files are not mapped; leave it out",
    "chunk_size": "batches have the size that is fastest; leave it out",
    "file_format": "the line format is an option of its own, such as preset, template or json",
    "corrupt": "write columnNameOfCorruptRecord for a column with the text of records that do not match",
    "trigger": "write .trigger(availableNow=True) on writeStream",
}
# Prefixes of options, likewise.
PREFIX_ADVICE = {
    "cloudfiles.": "this source is not Auto Loader: it finds new files by listing; leave the option out",
    "fs.s3a.": "the bucket is not read by Hadoop: write endpoint, region, accessKey, secretKey or profile",
    "spark.": "set it on the session, as in spark.conf.set(...)",
}


def advice(name: str) -> str | None:
    """Returns the advice for an option of another reader; None if the name is not known.

    >>> advice("n_rows")
    'use limit(n) on the result, or dataset(...).head(n)'
    """
    lower = name.lower()
    by_prefix = (text for prefix, text in PREFIX_ADVICE.items() if lower.startswith(prefix))
    return ADVICE.get(lower) or next(by_prefix, None)
