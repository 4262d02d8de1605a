"""Parsed options: frozen dataclasses of plain, picklable values, one for each group of options."""

from __future__ import annotations

from dataclasses import dataclass, field

MIB = 1 << 20
HOUR_US = 3_600_000_000
DAY_US = 86_400_000_000


@dataclass(frozen=True)
class FormatOptions:
    """The line format of readers and writers.

    Attributes:
        kind: name of the option that selects the format: ``template``, ``preset``, ``json``...
        spec: value of that option; "" if the value is ``true``.
        null_value: text that means null.
        encoding: text encoding, a name of Python's codecs.
        comment_prefix: prefix of lines that are not records; None if there are no such lines.
        escape: ``none`` or ``backslash``.
        allow_trailing: True if text after the last field is allowed.
        max_record_bytes: size above which a record is corrupt.
        sampling_bytes: bytes of text that are read to infer the columns of JSON and logfmt.
        max_inferred_columns: columns that are inferred at most, fields of nested objects included.
        rescued_column: column for values that the schema lacks; None if there is no such column.
        quote: quote character of delimited values; None if values are not quoted.
        header: ``none``, ``first`` (line) or ``fields`` (a ``#Fields:`` line).
        grok_patterns: user-defined grok patterns, one ``NAME pattern`` a line.
        multi_line: None if a record is a line; ``true`` if lines that do not match continue the record before them; else
            a regular expression that matches in the first line of each record.
        request_parts: True if columns with the parts of HTTP requests are added.
        join_parts: True if parts of lines are joined; None: the preset and ``multi_line`` decide.
        records_path: keys from a JSON document to its records, joined by dots; None: the documents are the records.
        banners: prefixes of lines at the start of a file that are not records, such as glog's. Formats set this, not
            users.
        members: formats of the option ``anyOf`` in the order in which they are tried; empty for other formats.
        format_column: column for the name of the member that matched; None if there is no such column.
    """

    kind: str
    spec: str
    null_value: str = "-"
    encoding: str = "utf-8"
    comment_prefix: str | None = None
    escape: str = "none"
    allow_trailing: bool = False
    max_record_bytes: int = 16 * MIB
    sampling_bytes: int = 8 * MIB
    max_inferred_columns: int = 10_000
    rescued_column: str | None = None
    quote: str | None = '"'
    header: str = "none"
    grok_patterns: str | None = None
    multi_line: str | None = None
    request_parts: bool = False
    join_parts: bool | None = None
    records_path: str | None = None
    banners: tuple[str, ...] = ()
    members: tuple[FormatMember, ...] = ()
    format_column: str | None = None


@dataclass(frozen=True)
class FormatMember:
    """A format of the option ``anyOf``.

    Attributes:
        name: name in the column ``formatColumn`` and in messages.
        options: options of the format, including those of the load that apply to all members.
        schema: columns as DDL, of a member whose lines do not name their values; None if the format knows them.
    """

    name: str
    options: FormatOptions
    schema: str | None = None


@dataclass(frozen=True)
class RecordOptions:
    """Condition on records, treatment of bad records, and columns added to all records.

    Attributes:
        where: text of a condition; None for all records.
        mode: ``PERMISSIVE``, ``DROPMALFORMED`` or ``FAILFAST``.
        corrupt_column: name of the column for the text of bad records.
        corrupt_column_given: True if the user named the column, which adds it to ``schema()``. A column of the default
            name exists only if the user's schema has it.
        metadata: True if the column ``_metadata`` is added.
        bad_path: directory to which bad records are written as JSON lines; None if they are not written.
    """

    where: str | None = None
    mode: str = "PERMISSIVE"
    corrupt_column: str = "_corrupt_record"
    corrupt_column_given: bool = False
    metadata: bool = False
    bad_path: str | None = None


@dataclass(frozen=True)
class ReportOptions:
    """Options of reports about reading.

    Attributes:
        audit_path: directory to which the plan of a query and the outcome of its splits are written; None if they are not
            written.
        profile: True to measure and log the seconds of each phase of reading.
        quiet: True to log the warnings of tasks at level ``DEBUG``.
    """

    audit_path: str | None = None
    profile: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class TimeOptions:
    """Time range and time zone. Instants are microseconds since the epoch in UTC; the range is half-open.

    Attributes:
        start_us: start of the range; None for no bound.
        end_us: end of the range, exclusive; None for no bound.
        slack_us: largest difference between the time of a record and the time in its path; None for the layout's unit.
        column: column to which the range applies; None for the first timestamp.
        zone: zone of timestamps without a zone and of layout times.
    """

    start_us: int | None = None
    end_us: int | None = None
    slack_us: int | None = None
    column: str | None = None
    zone: str = "UTC"

    @property
    def is_bounded(self) -> bool:
        """True if the range has a start or an end."""
        return self.start_us is not None or self.end_us is not None


@dataclass(frozen=True)
class PlanOptions:
    """Selection of files and their division into partitions.

    Attributes:
        paths: load paths: directories, files or globs.
        layout: text of the layout; None if the paths have none.
        path_glob: glob that file names must match.
        modified_after_ms: earliest modification time, inclusive, in milliseconds since the epoch.
        modified_before_ms: latest modification time, exclusive, in milliseconds since the epoch.
        ignore_missing: True if files deleted since planning are skipped.
        ignore_corrupt: True if files that cannot be decompressed are read up to the error.
        max_partition_bytes: size of a partition; None: 128 MiB, or less for at least ``min_partitions``.
        min_partitions: number of partitions to aim at; None: as many as run at the same time, unless ``max_partition_bytes`` is
            given.
        open_cost_bytes: cost of opening a file, in bytes. Spark's default is 4 MiB; a task of this reader fetches several
            files at the same time.
        compression: name of a codec; None to choose it by the suffix of each file.
        filter_pushdown: True if Spark's filters are evaluated by the reader.
        snapshot_retries: number of times that a listing is repeated because of a concurrent write.
        record_retention_us: time for which writers keep their decisions; a listing may take half of it.
    """

    paths: tuple[str, ...] = ()
    layout: str | None = None
    path_glob: str | None = None
    modified_after_ms: int | None = None
    modified_before_ms: int | None = None
    ignore_missing: bool = False
    ignore_corrupt: bool = False
    max_partition_bytes: int | None = None
    min_partitions: int | None = None
    open_cost_bytes: int = 1 * MIB
    compression: str | None = None
    filter_pushdown: bool = False
    snapshot_retries: int = 3
    record_retention_us: int = DAY_US


@dataclass(frozen=True)
class FetchOptions:
    """Fetching and decompression of files ahead of parsing.

    Attributes:
        threads: number of files of a task that are fetched and decompressed at the same time; None: eight, or none for local
            files if no processor is free.
        max_bytes: size of the text that a task holds ahead of parsing; 0: only that of the file that is parsed.
        max_ratio: largest text of a compressed file as a multiple of the size of the file, beyond the first 64 MiB; None for
            no limit.
    """

    threads: int | None = None
    max_bytes: int = 64 * MIB
    max_ratio: int | None = 1000


@dataclass(frozen=True)
class StoreOptions:
    """Address and credentials of the store, timeouts and retries. Secrets are not in the repr.

    Attributes:
        credential: name of a service credential of Unity Catalog.
        credentials_provider: ``module:callable`` that returns keys.
        role_arn: role to assume with the credentials.
        role_duration_s: lifetime of the role's keys in seconds; None for the default of the service.
        sts_endpoint: URL of the service that assumes roles; None: the endpoint, or that of AWS.
        object_tags: JSON object of the tags of data files.
        operation_timeout_s: longest time of a request with all its retries, in seconds.
        direct_reads: True if objects on S3 are read and listed without s3fs where possible.
        connections: size of the connection pool of S3. With less than the default, concurrent list requests wait for open
            response bodies.
    """

    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None
    anonymous: bool = False
    default_credential: bool = False
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    storage_options: str | None = field(default=None, repr=False)
    request_timeout_s: float = 60.0
    max_retries: int = 4
    max_consecutive_failures: int = 5
    connections: int = 32
    operation_timeout_s: float = 600.0
    credential: str | None = None
    credentials_provider: str | None = None
    role_arn: str | None = None
    role_session_name: str | None = None
    external_id: str | None = field(default=None, repr=False)
    role_duration_s: float | None = None
    sts_endpoint: str | None = None
    addressing_style: str | None = None
    ca_bundle: str | None = None
    proxy: str | None = field(default=None, repr=False)
    requester_pays: bool = False
    direct_reads: bool = True
    sse: str | None = None
    kms_key_id: str | None = None
    bucket_key: bool | None = None
    acl: str | None = None
    storage_class: str | None = None
    object_tags: str | None = None


@dataclass(frozen=True)
class StreamOptions:
    """Files of a stream's batches. Durations are in microseconds.

    Attributes:
        starting: start of a new query: ``earliest``, ``latest`` or ``time``.
        starting_ms: earliest modification time of files for ``time``, in milliseconds since the epoch.
        max_files: number of files in a batch.
        max_bytes: stored bytes of a batch, which has at least one file of any size; None for no limit.
        lateness_us: longest time between the modification of a file and its visibility.
        full_listing_us: interval of listings of all prefixes, which find files under old layout times; None for never.
        settle_us: minimum age of a file.
        max_tracked_files: number of processed files that an offset holds; further files of its window wait.
        allow_overwrites: True if a file is identified by key and etag, False if by its key alone.
        clean_source: ``off``, ``archive`` or ``delete``: treatment of files whose batch is done.
        archive_dir: directory of archived files; None unless ``clean_source`` is ``archive``.
        clean_retention_us: time from the end of a batch to the cleaning of its files.
    """

    starting: str = "earliest"
    starting_ms: int | None = None
    max_files: int = 1000
    max_bytes: int | None = None
    lateness_us: int = HOUR_US
    full_listing_us: int | None = HOUR_US
    settle_us: int = 0
    max_tracked_files: int = 90_000
    allow_overwrites: bool = False
    clean_source: str = "off"
    archive_dir: str | None = None
    clean_retention_us: int = 0


@dataclass(frozen=True)
class ReadOptions:
    """All options of a reader.

    Attributes:
        format: line format.
        records: bad records and added columns.
        time: time range and zone.
        plan: files and partitions.
        fetch: fetching and decompression.
        store: access to the store.
        stream: batches of streams.
        report: options of reports about reading.
        schema: requested columns as DDL, of ``scan``; None for all.
    """

    format: FormatOptions
    records: RecordOptions = RecordOptions()
    time: TimeOptions = TimeOptions()
    plan: PlanOptions = PlanOptions()
    fetch: FetchOptions = FetchOptions()
    store: StoreOptions = StoreOptions()
    stream: StreamOptions = StreamOptions()
    report: ReportOptions = ReportOptions()
    schema: str | None = None


@dataclass(frozen=True)
class WriteRules:
    """Rules for writing and committing files. Sizes are in bytes, durations in microseconds.

    Attributes:
        compression: name of a codec.
        compression_level: level of the codec; None for the codec's default.
        max_file_bytes: compressed size; the record that reaches it is the last of its file. None for no limit.
        max_records_per_file: exact limit of records; None for no limit.
        max_open_files: number of files that a task writes at the same time.
        part_bytes: size of the parts of an upload; parts are smaller if many files are open.
        commit_threads: number of concurrent requests of a commit.
        on_unwritable: ``fail``, ``null`` or ``space``: treatment of values that would not read back.
        overwrite_scope: ``table``, or the ``partitions`` to which a job writes.
        txn_id: id of a transaction; a second job with the same id does nothing.
        txn_retention_us: time for which the id is remembered.
        record_retention_us: time for which decisions are kept for readers that began before them.
        snapshot_retries: number of times that the listing of an overwrite is repeated because of a concurrent write.
    """

    compression: str = "gzip"
    compression_level: int | None = None
    max_file_bytes: int | None = 128 * MIB
    max_records_per_file: int | None = None
    max_open_files: int = 64
    part_bytes: int = 8 * MIB
    commit_threads: int = 16
    on_unwritable: str = "fail"
    overwrite_scope: str = "table"
    txn_id: str | None = None
    txn_retention_us: int = 30 * DAY_US
    record_retention_us: int = DAY_US
    snapshot_retries: int = 3


@dataclass(frozen=True)
class WriteOptions:
    """All options of a writer.

    Attributes:
        format: line format.
        path: directory to write to, as given.
        layout: text of the layout; None if all files are written to ``path`` itself.
        time_column: column for the times of the layout; None for the format's first timestamp.
        zone: zone of timestamps without a zone and of layout times.
        store: access to the store.
        rules: rules for files and commits.
    """

    format: FormatOptions
    path: str
    layout: str | None = None
    time_column: str | None = None
    zone: str = "UTC"
    store: StoreOptions = StoreOptions()
    rules: WriteRules = WriteRules()
