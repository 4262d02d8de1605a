"""Options: parsed and checked once, here, into frozen dataclasses.

After this module no code touches a raw option. ``OPTIONS`` is the one table of what exists; an
unknown name is an error that gives the nearest known one. Names match without case, because Spark
hands them over in lower case.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyspark_logs.errors import OptionError

MIB = 1 << 20


@dataclass(frozen=True)
class FormatOptions:
    """What a record looks like. ``kind`` is ``template``, ``preset`` or ``json``."""

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


@dataclass(frozen=True)
class RecordOptions:
    """What becomes of records: the bad ones, and the columns added to each.

    ``corrupt_column_given`` tells a column the user asked for (it joins ``schema()``) from the
    default name (used only where a user schema has it).
    """

    mode: str = "PERMISSIVE"
    corrupt_column: str = "_corrupt_record"
    corrupt_column_given: bool = False
    metadata: bool = False


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
    """Which files are read and how they are cut. Modification times in milliseconds."""

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
class ReadOptions:
    """Everything a reader needs to know, as plain picklable values."""

    format: FormatOptions
    records: RecordOptions = RecordOptions()
    time: TimeOptions = TimeOptions()
    plan: PlanOptions = PlanOptions()
    store: StoreOptions = StoreOptions()
    schema: str | None = None


# --- value parsers: (option name, value) -> value, or OptionError ------------------------------


def _fail(name: str, value: object, expected: str) -> OptionError:
    return OptionError(f"option {name!r}: {value!r} is not {expected}")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _fail(name, value, "a string")
    return value


def _name(name: str, value: object) -> str:
    text = _text(name, value).strip()
    if not text:
        raise OptionError(f"option {name!r}: is empty; give a value or leave the option out")
    return text


def _character_prefix(name: str, value: object) -> str:
    text = _text(name, value)
    if not text or "\n" in text or "\r" in text:
        raise _fail(name, value, "a non-empty prefix without line ends")
    return text


def _secret(name: str, value: object) -> str:
    # The value must not appear in the message.
    if not isinstance(value, str) or not value.strip():
        raise OptionError(f"option {name!r}: is empty or not a string (value hidden)")
    return value


def parse_boolean(name: str, value: object) -> bool:
    """``true``/``false`` in any case; nothing else, so that ``"no"`` is never read as true."""
    if isinstance(value, bool):
        return value
    text = value.strip().lower() if isinstance(value, str) else ""
    if text not in ("true", "false"):
        raise _fail(name, value, "'true' or 'false'")
    return text == "true"


_DURATION_US = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "min": 60_000_000}
_DURATION_US |= {"h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}


def parse_duration_us(name: str, value: object) -> int:
    """A duration such as ``1h``, ``90s``, ``1d`` or ``1h 30m`` (or a timedelta), in microseconds."""
    if isinstance(value, dt.timedelta):
        micros = value // dt.timedelta(microseconds=1)
        if micros < 0:
            raise _fail(name, value, "a duration of zero or more")
        return micros
    text = value.strip().lower() if isinstance(value, str) else ""
    if not re.fullmatch(r"(\d+\s*(us|ms|s|min|m|h|d|w)\s*)+", text):
        raise _fail(name, value, "a duration such as '1h', '30m', '90s' or '1d'")
    parts = re.findall(r"(\d+)\s*(us|ms|s|min|m|h|d|w)", text)
    return sum(int(number) * _DURATION_US[unit] for number, unit in parts)


def _seconds(name: str, value: object) -> float:
    micros = parse_duration_us(name, value)
    if micros == 0:
        raise _fail(name, value, "a duration above zero")
    return micros / 1e6


def parse_bytes(name: str, value: object) -> int:
    """A size such as ``128m``, ``16 MiB``, ``1g`` or plain bytes; units are powers of 1024."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        text = value.strip().lower() if isinstance(value, str) else ""
        match = re.fullmatch(r"(\d+)\s*(b|k|kb|kib|m|mb|mib|g|gb|gib|t|tb|tib)?", text)
        if match is None:
            raise _fail(name, value, "a size in bytes such as '128m' or '1048576'")
        number = int(match[1]) << 10 * " kmgt".index((match[2] or " ")[0].replace("b", " "))
    if number <= 0:
        raise _fail(name, value, "a size above zero")
    return number


def _count(name: str, value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*\d+\s*", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _fail(name, value, "a whole number of zero or more")


def _choice(*choices: str) -> Callable[[str, object], str]:
    def parse(name: str, value: object) -> str:
        for choice in choices:
            if isinstance(value, str) and value.strip().lower() == choice.lower():
                return choice
        raise _fail(name, value, "one of " + ", ".join(choices))

    return parse


def _time_zone(name: str, value: object) -> str:
    from zoneinfo import ZoneInfo

    text = _name(name, value)
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise _fail(name, value, "a time zone such as 'UTC' or 'Europe/Berlin'") from error
    return text


def _encoding(name: str, value: object) -> str:
    import codecs

    text = _name(name, value)
    try:
        info = codecs.lookup(text)
        "".encode(text)
        codecs.getincrementaldecoder(text)
    except (LookupError, TypeError, ValueError) as error:
        raise _fail(name, value, "a text encoding such as 'utf-8' or 'latin-1'") from error
    return info.name.removesuffix("-sig")  # a byte order mark is skipped anyway


def _storage_options(name: str, value: object) -> str:
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
        if isinstance(parsed, Mapping):
            return json.dumps(dict(parsed), sort_keys=True)
    except (TypeError, ValueError):
        pass  # the error that follows shows nothing of the value, so neither may its cause
    raise OptionError(f"option {name!r}: is not a JSON object (value hidden, it may be secret)")


def _schema(name: str, value: object) -> str:
    if isinstance(value, str):
        return _name(name, value)
    if getattr(value, "names", None) == []:
        return ""  # a pyarrow.Schema without columns: the rows are counted
    from pyspark_logs.schema import to_ddl

    return to_ddl(value)


def parse_instant_us(name: str, value: object, zone: str) -> int:
    """An ISO 8601 instant, date-time or date (or a datetime/date), in microseconds since the epoch.

    Zoneless values are wall-clock times in ``zone``.
    """
    from zoneinfo import ZoneInfo

    moment: dt.datetime
    if isinstance(value, dt.datetime):
        moment = value
    elif isinstance(value, dt.date):
        moment = dt.datetime(value.year, value.month, value.day)
    else:
        text = value.strip() if isinstance(value, str) else ""
        shape = r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d)?)?"
        if not re.fullmatch(shape, text):
            raise _fail(name, value, "a time such as '2026-11-22T00:00:00Z' or '2026-11-22'")
        # Python 3.10's fromisoformat knows neither Z, nor +0100, nor a fraction that is not 3 or 6 digits.
        text = re.sub(r"\s*Z$", "+00:00", text)
        text = re.sub(r"\s*([+-]\d\d):?(\d\d)$", r"\1:\2", text) if len(text) > 10 else text
        text = re.sub(r"[.,](\d{1,9})", lambda m: "." + m[1].ljust(6, "0")[:6], text)
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise _fail(name, value, "a time that exists in the calendar") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
    return (moment - epoch) // dt.timedelta(microseconds=1)


# --- the table ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """One option: its name as documented, where its value goes, how it is parsed, what it does."""

    name: str
    target: str  # "group.field" in ReadOptions, or "" where parse_read_options treats it itself
    parse: Callable[[str, object], Any]
    doc: str


def _instant_later(_name: str, value: object) -> object:
    return value  # needs timeZone: parsed by parse_read_options once that is known


_COMPRESSIONS = ("none", "gzip", "zstd", "bzip2", "lz4", "xz")

# fmt: off
OPTIONS: tuple[Option, ...] = (
    Option("template", "", _text, "line format in this project's notation"),
    Option("preset", "", _name, "a named line format that ships"),
    Option("json", "", parse_boolean, "'true': one JSON object a line"),
    Option("nullValue", "format.null_value", _text, "text that means null in `?` fields (`-`)"),
    Option("encoding", "format.encoding", _encoding, "text encoding (`utf-8`)"),
    Option("commentPrefix", "format.comment_prefix", _character_prefix, "lines that start so are not records"),
    Option("escape", "format.escape", _choice("none", "backslash"), "escapes in unquoted strings (`none`)"),
    Option("allowTrailing", "format.allow_trailing", parse_boolean, "text after the last field is fine (`false`)"),
    Option("maxRecordBytes", "format.max_record_bytes", parse_bytes, "longer records are corrupt rows (`16m`)"),
    Option("samplingBytes", "format.sampling_bytes", parse_bytes, "text read to infer a JSON schema (`8m`)"),
    Option("rescuedDataColumn", "format.rescued_column", _name, "JSON: column for what the schema lacks"),
    Option("mode", "records.mode", _choice("PERMISSIVE", "DROPMALFORMED", "FAILFAST"), "rows that do not match (`PERMISSIVE`)"),
    Option("columnNameOfCorruptRecord", "records.corrupt_column", _name, "column for the raw text of corrupt rows"),
    Option("metadata", "records.metadata", parse_boolean, "append the `_metadata` column (`false`)"),
    Option("startTime", "", _instant_later, "first instant of the range, inclusive"),
    Option("endTime", "", _instant_later, "end of the range, exclusive"),
    Option("layoutSlack", "time.slack_us", parse_duration_us, "how far records drift from their path's time"),
    Option("timeColumn", "time.column", _name, "column that the range applies to (first timestamp)"),
    Option("timeZone", "time.zone", _time_zone, "zone of zoneless timestamps and layout tokens (`UTC`)"),
    Option("layout", "plan.layout", _name, "where time and partition columns are in the path"),
    Option("pathGlobFilter", "plan.path_glob", _name, "glob that file names must match"),
    Option("modifiedAfter", "", _instant_later, "only files modified at or after this time"),
    Option("modifiedBefore", "", _instant_later, "only files modified before this time"),
    Option("ignoreMissingFiles", "plan.ignore_missing", parse_boolean, "files gone since planning are skipped (`false`)"),
    Option("ignoreCorruptFiles", "plan.ignore_corrupt", parse_boolean, "files that cannot be decompressed end early (`false`)"),
    Option("maxPartitionBytes", "plan.max_partition_bytes", parse_bytes, "bytes a task reads (`128m`)"),
    Option("openCostInBytes", "plan.open_cost_bytes", parse_bytes, "what opening a file costs, in bytes (`4m`)"),
    Option("filterPushdown", "plan.filter_pushdown", parse_boolean, "Spark: filters work while reading; one query a load (`false`)"),
    Option("compression", "plan.compression", _choice(*_COMPRESSIONS), "codec of all files (by suffix)"),
    Option("endpoint", "store.endpoint", _name, "URL of an S3-compatible server"),
    Option("region", "store.region", _name, "region of the bucket"),
    Option("profile", "store.profile", _name, "profile of the shared credentials file"),
    Option("anonymous", "store.anonymous", parse_boolean, "unsigned requests (`false`)"),
    Option("defaultCredential", "store.default_credential", parse_boolean, "insist on the default credential chain"),
    Option("accessKey", "store.access_key", _secret, "explicit access key"),
    Option("secretKey", "store.secret_key", _secret, "explicit secret key"),
    Option("sessionToken", "store.session_token", _secret, "token of temporary credentials"),
    Option("storageOptions", "store.storage_options", _storage_options, "JSON passed on to fsspec"),
    Option("requestTimeout", "store.request_timeout_s", _seconds, "how long one request may take (`60s`)"),
    Option("maxRetries", "store.max_retries", _count, "further tries after a failed request (`4`)"),
    Option("maxConsecutiveFailures", "store.max_consecutive_failures", _count, "failed requests in a row that stop a task (`5`)"),
    Option("schema", "schema", _schema, "scan() only: a DDL string or a pyarrow.Schema"),
)
# fmt: on

# Written by the same user into the same options dictionary; a reader has no use for them.
WRITE_OPTIONS: tuple[str, ...] = ("compressionLevel", "maxFileBytes", "maxRecordsPerFile", "maxOpenFiles", "partSize")
WRITE_OPTIONS += ("commitThreads", "onUnwritable", "overwriteScope", "txnId", "txnRetention", "recordRetention")

FORMATS = ("template", "preset", "json")

# Options that would be without effect on the other formats (a preset is a template).
_ONLY_OF = {"nullValue": "template", "escape": "template", "allowTrailing": "template", "rescuedDataColumn": "json"}

_BY_NAME = {option.name.lower(): option for option in OPTIONS}
_KNOWN = sorted([option.name for option in OPTIONS] + ["path", "paths", *WRITE_OPTIONS])


def _unknown(name: str) -> OptionError:
    lower = {known.lower(): known for known in _KNOWN}
    near = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.6)
    hint = f"; did you mean {lower[near[0]]!r}?" if near else "."
    return OptionError(f"unknown option {name!r}{hint} Known options: {', '.join(_KNOWN)}")


def _path(name: str, value: object) -> str:
    return _name(name, os.fspath(value) if isinstance(value, os.PathLike) else value)


def _load_paths(values: Mapping[str, object]) -> tuple[str, ...]:
    found: list[str] = []
    if values.get("path") is not None:
        found.append(_path("path", values["path"]))
    paths = values.get("paths")
    if isinstance(paths, str):  # Spark: load([...]) arrives as a JSON list
        try:
            paths = json.loads(paths)
        except ValueError as error:
            raise _fail("paths", paths, "a JSON list of paths") from error
    if paths is not None and not isinstance(paths, (list, tuple)):
        raise _fail("paths", paths, "a list of paths")
    found.extend(_path("paths", path) for path in paths or ())
    if not found:
        raise OptionError("no path: give load(path), or option 'path', a directory, file or glob to read")
    return tuple(found)


def _format(values: Mapping[str, object]) -> tuple[str, str]:
    given = [name for name in FORMATS if name in values]
    if "json" in given and not parse_boolean("json", values["json"]):
        given.remove("json")
    if len(given) != 1:
        what = "none is given" if not given else " and ".join(given) + " are given"
        raise OptionError(f"exactly one of {', '.join(FORMATS)} must name the line format; {what}")
    kind = given[0]
    lines = "json" if kind == "json" else "template"
    strange = [name for name, only in _ONLY_OF.items() if name in values and only != lines]
    if strange:
        raise OptionError(
            f"option {strange[0]!r} belongs to {_ONLY_OF[strange[0]]}, and means nothing for {kind}; leave it out"
        )
    return kind, "" if kind == "json" else _BY_NAME[kind].parse(kind, values[kind])


def _check_prefix(described: FormatOptions) -> None:
    try:
        (described.comment_prefix or "").encode(described.encoding)
    except UnicodeError as error:
        raise OptionError(
            f"option 'commentPrefix': {described.comment_prefix!r} has a character that encoding={described.encoding} lacks"
        ) from error


def _check_credentials(store: StoreOptions) -> None:
    if (store.access_key is None) != (store.secret_key is None):
        raise OptionError("options 'accessKey' and 'secretKey' belong together; only one of them is given")
    if store.session_token is not None and store.access_key is None:
        raise OptionError("option 'sessionToken' needs 'accessKey' and 'secretKey'")
    given = [name for name, on in (("anonymous", store.anonymous), ("defaultCredential", store.default_credential),
                                   ("accessKey", store.access_key is not None)) if on]  # fmt: skip
    if len(given) > 1:
        raise OptionError(f"options {' and '.join(given)} contradict each other; give one kind of credential")


def parse_read_options(raw: Mapping[str, object]) -> ReadOptions:
    """Check all options of a reader and sort them into :class:`ReadOptions`.

    Args:
        raw: option names (any case) to values: strings, or the natural Python type.

    Raises:
        OptionError: an unknown option (with the nearest known one), a bad value, no or several
            line formats, no path, contradictory credentials, or an empty time range.
    """
    values: dict[str, object] = {}
    ignored = {name.lower() for name in WRITE_OPTIONS}
    for key, value in raw.items():
        lower = key.lower()
        if value is None or lower in ignored:
            continue
        known = lower if lower in ("path", "paths") or lower not in _BY_NAME else _BY_NAME[lower].name
        if known in values:
            raise OptionError(f"option {known!r} is given twice, in spellings that differ in case only; keep one")
        if lower in ("path", "paths"):
            values[lower] = value
        elif lower in _BY_NAME:
            values[_BY_NAME[lower].name] = value
        else:
            raise _unknown(key)

    kind, spec = _format(values)
    fields: dict[str, dict[str, Any]] = {
        "format": {"kind": kind, "spec": spec},
        "records": {},
        "time": {},
        "plan": {},
        "store": {},
    }
    schema: str | None = None
    for option in OPTIONS:
        if option.name not in values or not option.target:
            continue
        parsed = option.parse(option.name, values[option.name])
        group, _, attribute = option.target.partition(".")
        if option.name == "schema":
            schema = parsed
        else:
            fields[group][attribute] = parsed
    fields["records"]["corrupt_column_given"] = "columnNameOfCorruptRecord" in values
    fields["plan"]["paths"] = _load_paths(values)

    zone = fields["time"].get("zone", "UTC")
    for name, group, attribute, unit in (("startTime", "time", "start_us", 1), ("endTime", "time", "end_us", 1),
                                         ("modifiedAfter", "plan", "modified_after_ms", 1000),
                                         ("modifiedBefore", "plan", "modified_before_ms", 1000)):  # fmt: skip
        if name in values:
            # Rounded up: a bound that lies within a millisecond must not take in what came before it.
            fields[group][attribute] = -(-parse_instant_us(name, values[name], zone) // unit)
    start, end = fields["time"].get("start_us"), fields["time"].get("end_us")
    if start is not None and end is not None and start >= end:
        raise OptionError(
            f"startTime {values['startTime']} is not before endTime {values['endTime']}; the range is half-open [start, end)"
        )

    store = StoreOptions(**fields["store"])
    _check_credentials(store)
    described = FormatOptions(**fields["format"])
    _check_prefix(described)
    return ReadOptions(
        format=described,
        records=RecordOptions(**fields["records"]),
        time=TimeOptions(**fields["time"]),
        plan=PlanOptions(**fields["plan"]),
        store=store,
        schema=schema,
    )
