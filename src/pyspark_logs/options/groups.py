"""What options become: frozen dataclasses of plain, picklable values, one for each thing they are about."""

from __future__ import annotations

from dataclasses import dataclass, field

MIB = 1 << 20
HOUR_US = 3_600_000_000
DAY_US = 86_400_000_000


@dataclass(frozen=True)
class FormatOptions:
    """What a line looks like, to readers and writers.

    Attributes:
        kind: the option that names the format: ``template``, ``preset``, ``json`` ...
        spec: its value; "" where that is no more than ``true``.
        quote: of delimited values; None: there is none.
        header: ``none``, ``first`` (line) or ``fields`` (a ``#Fields:`` line).
        grok_patterns: definitions of one's own, ``NAME pattern`` a line.
        multi_line: None: a record is a line; ``true``: lines that do not match go on the record before them; else a
            regular expression that is found in the first line of each record.
        banners: what further lines begin with that are no records: a program says there what it is, at the beginning of
            a file. A format says so, not a user.
        document: None: a record is a line; else a file is one JSON document, whose records are the elements of the
            array under this key, or the document itself is the array (``""``). A format says so, not a user.
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
    rescued_column: str | None = None
    quote: str | None = '"'
    header: str = "none"
    grok_patterns: str | None = None
    multi_line: str | None = None
    document: str | None = None
    banners: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordOptions:
    """What becomes of records: the bad ones, and the columns added to each.

    ``bad_path`` is a directory that gets the records that do not match, as JSON lines.

    ``corrupt_column_given`` tells a column the user asked for (it joins ``schema()``) from the
    default name (used only where a user schema has it).
    """

    mode: str = "PERMISSIVE"
    corrupt_column: str = "_corrupt_record"
    corrupt_column_given: bool = False
    metadata: bool = False
    bad_path: str | None = None


@dataclass(frozen=True)
class TimeOptions:
    """Time range and zones. Instants are microseconds since the epoch, UTC; ranges half-open."""

    start_us: int | None = None
    end_us: int | None = None
    slack_us: int | None = None
    column: str | None = None
    zone: str = "UTC"


@dataclass(frozen=True)
class PlanOptions:
    """Which files are read and how they are cut. Modification times in milliseconds.

    ``snapshot_retries`` is how often a listing starts again when a write changed what it saw;
    ``record_retention_us`` how long writers keep their decisions, of which a listing may take half.
    """

    paths: tuple[str, ...] = ()
    layout: str | None = None
    path_glob: str | None = None
    modified_after_ms: int | None = None
    modified_before_ms: int | None = None
    ignore_missing: bool = False
    ignore_corrupt: bool = False
    max_partition_bytes: int = 128 * MIB
    open_cost_bytes: int = 4 * MIB
    compression: str | None = None
    filter_pushdown: bool = False
    snapshot_retries: int = 3
    record_retention_us: int = DAY_US


@dataclass(frozen=True)
class StoreOptions:
    """How to reach the store. Secrets never show in a repr. Timeouts in seconds."""

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


@dataclass(frozen=True)
class StreamOptions:
    """Which files a stream takes, and when. Durations in microseconds; None is no limit, or never.

    Attributes:
        starting: ``earliest``, ``latest`` or ``time``: where a new query begins.
        starting_ms: that time, in milliseconds since the epoch; files modified then or later are read.
        max_files: of a batch.
        max_bytes: of a batch, as stored; one file is taken however large it is.
        lateness_us: how long after its modification time a file may become visible.
        full_listing_us: how often all prefixes are listed, for files that land under old layout times.
        settle_us: how old a file must be to be taken.
        allow_overwrites: a file is known by key and etag, not by its key alone.
        clean_source: ``off``, ``archive`` or ``delete``, for files whose batch is done.
        archive_dir: where they are archived; set if ``clean_source`` is ``archive``, and only then.
        clean_retention_us: how long they stay before that.
    """

    starting: str = "earliest"
    starting_ms: int | None = None
    max_files: int = 1000
    max_bytes: int | None = None
    lateness_us: int = HOUR_US
    full_listing_us: int | None = HOUR_US
    settle_us: int = 0
    allow_overwrites: bool = False
    clean_source: str = "off"
    archive_dir: str | None = None
    clean_retention_us: int = 0


@dataclass(frozen=True)
class ReadOptions:
    """Everything a reader needs to know, as plain picklable values."""

    format: FormatOptions
    records: RecordOptions = RecordOptions()
    time: TimeOptions = TimeOptions()
    plan: PlanOptions = PlanOptions()
    store: StoreOptions = StoreOptions()
    stream: StreamOptions = StreamOptions()
    schema: str | None = None


@dataclass(frozen=True)
class WriteRules:
    """How files are made and committed. Sizes in bytes, durations in microseconds; None is no limit.

    Attributes:
        compression: a codec's name.
        compression_level: of that codec; None is the codec's own choice.
        max_file_bytes: a file ends with the record that takes it to this size, compressed.
        max_records_per_file: exact.
        max_open_files: by one task.
        part_bytes: of an upload; parts are smaller where many files are open.
        commit_threads: requests that a commit has under way at once.
        on_unwritable: ``fail``, ``null`` or ``space``, for a value that would not read back.
        overwrite_scope: ``table``, or the ``partitions`` that a job wrote.
        txn_id: a second job with this id is a no-op.
        txn_retention_us: for so long.
        record_retention_us: how long decisions are kept for readers that began before them.
        snapshot_retries: as in :class:`PlanOptions`, for the listing of what an overwrite replaces.
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
    """Everything a writer needs to know, as plain picklable values.

    Attributes:
        path: the directory to write to, as given.
        layout: the layout's text; None: all files go into ``path`` itself.
        time_column: what a layout's time is taken from; None: the format's first timestamp.
        zone: of zoneless timestamps and layout tokens.
    """

    format: FormatOptions
    path: str
    layout: str | None = None
    time_column: str | None = None
    zone: str = "UTC"
    store: StoreOptions = StoreOptions()
    rules: WriteRules = WriteRules()
