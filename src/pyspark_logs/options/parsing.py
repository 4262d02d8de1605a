"""Parsing of all options of a reader or a writer, and checks of their combinations."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyspark_logs.errors import OptionError
from pyspark_logs.options.containment import is_inside
from pyspark_logs.options.foreign import advice
from pyspark_logs.options.groups import (
    FetchOptions,
    FormatOptions,
    PlanOptions,
    ReadOptions,
    RecordOptions,
    ReportOptions,
    StoreOptions,
    StreamOptions,
    TimeOptions,
    WriteOptions,
    WriteRules,
)
from pyspark_logs.options.line_formats import parse_line_format, parse_members
from pyspark_logs.options.table import COMBINED, OPTIONS, PATH_OPTIONS, SPARK_OPTIONS
from pyspark_logs.options.text import bad_value, parse_path, refuse_credentials
from pyspark_logs.options.times import parse_instant_us
from pyspark_logs.terminal_text import nearest_name

_BY_NAME = {option.name.lower(): option for option in OPTIONS}
_DOCUMENTED_NAMES = {
    name.lower(): name for name in (*(option.name for option in OPTIONS), *PATH_OPTIONS, *SPARK_OPTIONS)
}
_KNOWN = sorted([option.name for option in OPTIONS] + [*PATH_OPTIONS])
_WILDCARD = re.compile(r"[*?\[\]{}\\]")


def parse_read_options(raw: Mapping[str, object]) -> ReadOptions:
    """Parses and checks the options of a reader.

    Args:
        raw: values by option name in any case. Values are strings or of the natural Python type; options with the value
            None, and options that only writers use, are ignored.

    Raises:
        OptionError: an unknown option, an option in two spellings, a bad value, no or several line formats, no path,
            contradictory credentials, an empty time range, or a directory for archived files or bad records inside
            a load path.
    """
    values = _by_documented_name(raw)
    relevant = {
        name: value for name, value in values.items() if name in PATH_OPTIONS or _target(name, "read") is not None
    }
    fields = _fields(relevant, "read")
    fields["format"] |= parse_line_format(relevant)
    fields["records"]["corrupt_column_given"] = "columnNameOfCorruptRecord" in relevant
    fields["plan"]["paths"] = _load_paths(relevant)
    _add_times(fields, relevant)
    return ReadOptions(
        format=_checked_format(fields["format"]),
        records=_checked_records(fields["records"], fields["plan"]["paths"]),
        time=TimeOptions(**fields["time"]),
        plan=PlanOptions(**fields["plan"]),
        fetch=FetchOptions(**fields["fetch"]),
        store=_checked_store(fields["store"]),
        stream=_checked_stream(fields["stream"], fields["plan"]["paths"]),
        report=_checked_report(fields["report"], fields["plan"]["paths"]),
        **fields[""],
    )


def parse_write_options(raw: Mapping[str, object]) -> WriteOptions:
    """Parses and checks the options of a writer.

    Args:
        raw: values by option name, as in :func:`parse_read_options`; options that only readers use are ignored.

    Raises:
        OptionError: an unknown option, an option in two spellings, a bad value, no or several line formats, no or
            several paths, a glob, or contradictory credentials.

    >>> parse_write_options({"path": "s3://logs/app", "json": "true", "partsize": "16m"}).rules.part_bytes
    16777216
    """
    values = _by_documented_name(raw)
    relevant = {
        name: value for name, value in values.items() if name in PATH_OPTIONS or _target(name, "write") is not None
    }
    fields = _fields(relevant, "write")
    fields["format"] |= parse_line_format(relevant)
    rules = WriteRules(**fields["rules"])
    return WriteOptions(
        format=_checked_format(fields["format"]),
        path=_save_path(relevant),
        store=_with_connections(_checked_store(fields["store"]), rules.commit_threads),
        rules=rules,
        **fields[""],
    )


def _by_documented_name(raw: Mapping[str, object]) -> dict[str, object]:
    """Returns the options that have a value, by their documented names."""
    values: dict[str, object] = {}
    for key, value in raw.items():
        if value is None:
            continue
        name = _DOCUMENTED_NAMES.get(key.lower())
        if name is None:
            raise _unknown_option(key)
        if name in values:
            raise OptionError(f"option {name!r} is given twice, in spellings that differ in case only; keep one")
        values[name] = value
    return values


def _unknown_option(name: str) -> OptionError:
    if (text := advice(name)) is not None:
        return OptionError(f"unknown option {name!r}: {text}")
    nearest = nearest_name(name, _KNOWN)
    if nearest is not None:
        return OptionError(f"unknown option {name!r}; did you mean {nearest!r}?")
    return OptionError(f"unknown option {name!r}. Known options: {', '.join(_KNOWN)}")


def _target(name: str, side: str) -> str | None:
    option = _BY_NAME.get(name.lower())
    return None if option is None else option.read if side == "read" else option.write


def _fields(values: Mapping[str, object], side: str) -> dict[str, dict[str, Any]]:
    """Returns the parsed values by group and field; the group ``""`` has the fields of the options' own class."""
    fields: dict[str, dict[str, Any]] = {
        group: {} for group in ("", "format", "records", "time", "plan", "fetch", "store", "stream", "report", "rules")
    }
    for option in OPTIONS:
        target = _target(option.name, side)
        if option.name in values and target is not None and target != COMBINED:
            group, _, attribute = target.rpartition(".")
            fields[group][attribute] = option.parse(option.name, values[option.name])
    return fields


def _checked_format(fields: Mapping[str, Any]) -> FormatOptions:
    options = FormatOptions(**fields)
    if options.kind == "anyOf":
        options = replace(options, members=parse_members(options.spec, options))
    for prefix in (options.comment_prefix, *(member.options.comment_prefix for member in options.members)):
        try:
            (prefix or "").encode(options.encoding)
        except UnicodeError as error:
            raise OptionError(
                f"option 'commentPrefix': {prefix!r} has a character that encoding={options.encoding} lacks; check both"
                " options, since no line can begin with this prefix"
            ) from error
    return options


def _with_connections(store: StoreOptions, threads: int) -> StoreOptions:
    # Equal for usual numbers of threads, so that readers and writers of a process share their connections.
    return replace(store, connections=max(store.connections, threads))


def _checked_store(fields: Mapping[str, Any]) -> StoreOptions:
    store = StoreOptions(**fields)
    if (store.access_key is None) != (store.secret_key is None):
        raise OptionError("options 'accessKey' and 'secretKey' belong together; only one of them is given")
    if store.session_token is not None and store.access_key is None:
        raise OptionError("option 'sessionToken' needs 'accessKey' and 'secretKey'")
    credentials = [name for name, given in (("anonymous", store.anonymous), ("credential", store.credential is not None),
                                   ("defaultCredential", store.default_credential),
                                   ("accessKey", store.access_key is not None),
                                   ("credentialsProvider", store.credentials_provider is not None)) if given]  # fmt: skip
    if len(credentials) > 1:
        raise OptionError(f"options {' and '.join(credentials)} contradict each other; give one kind of credential")
    _check_role(store)
    if store.kms_key_id is not None and store.sse not in ("aws:kms", "aws:kms:dsse"):
        raise OptionError("option 'kmsKeyId' needs sse=aws:kms or aws:kms:dsse")
    if store.bucket_key is not None and store.sse != "aws:kms":
        raise OptionError("option 'bucketKey' needs sse=aws:kms")
    return store


def _check_role(store: StoreOptions) -> None:
    if store.role_arn is None:
        given = (("roleSessionName", store.role_session_name), ("externalId", store.external_id),
                 ("roleDuration", store.role_duration_s), ("stsEndpoint", store.sts_endpoint))  # fmt: skip
        unused = [name for name, value in given if value is not None]
        if unused:
            raise OptionError(
                f"option {unused[0]!r} needs 'roleArn', the role to assume; give it, or leave {unused[0]} out"
            )
    elif store.anonymous:
        raise OptionError("options 'anonymous' and 'roleArn' contradict each other; a role is assumed with credentials")
    duration = store.role_duration_s
    if duration is not None and not 900 <= duration <= 43_200:
        raise OptionError(f"option 'roleDuration': {duration:g} s is not between 15m and 12h, the limits of AWS")


def _paths(values: Mapping[str, object]) -> list[str]:
    result: list[str] = []
    if "path" in values:
        result.append(parse_path("path", values["path"]))
    paths = values.get("paths")
    if isinstance(paths, str):  # Spark passes load([...]) as a JSON list
        refuse_credentials("paths", paths)
        try:
            paths = json.loads(paths)
        except ValueError as error:
            raise bad_value("paths", paths, "a JSON list of paths") from error
    if paths is not None and not isinstance(paths, (list, tuple)):
        raise bad_value("paths", paths, "a list of paths")
    return result + [parse_path("paths", path) for path in paths or ()]


def _load_paths(values: Mapping[str, object]) -> tuple[str, ...]:
    paths = _paths(values)
    if not paths:
        raise OptionError("no path: give load(path), or option 'path', a directory, file or glob to read")
    return tuple(paths)


def _save_path(values: Mapping[str, object]) -> str:
    paths = _paths(values)
    if len(paths) != 1:
        what = "no path" if not paths else f"{len(paths)} paths ({', '.join(paths)})"
        raise OptionError(f"{what}: give save(path), or option 'path', one directory to write to")
    wildcard = _WILDCARD.search(paths[0])
    if wildcard is not None:
        raise OptionError(
            f"path {paths[0]!r}: {wildcard[0]!r} makes it a glob, and one directory is needed to write to;"
            " directories for values of columns belong into option 'layout'"
        )
    return paths[0]


def _checked_records(fields: Mapping[str, Any], load_paths: tuple[str, ...]) -> RecordOptions:
    records = RecordOptions(**fields)
    _check_outside("badRecordsPath", records.bad_path, load_paths, "bad records")
    return records


def _checked_report(fields: Mapping[str, Any], load_paths: tuple[str, ...]) -> ReportOptions:
    report = ReportOptions(**fields)
    _check_outside("auditPath", report.audit_path, load_paths, "the audit")
    return report


def _check_outside(name: str, directory: str | None, load_paths: tuple[str, ...], content: str) -> None:
    """Raises OptionError for a directory to write to that is a glob, or lies inside a load path."""
    if directory is None:
        return
    wildcard = _WILDCARD.search(directory)
    if wildcard is not None:
        raise OptionError(
            f"option {name!r}: {wildcard[0]!r} makes {directory!r} a glob; give one directory to write to"
        )
    for path in load_paths:
        if is_inside(directory, path):
            raise OptionError(
                f"option {name!r}: {directory} lies inside the load path {path}, so that {content}"
                " would be read as logs; give a directory outside of it"
            )


def _checked_stream(fields: Mapping[str, Any], load_paths: tuple[str, ...]) -> StreamOptions:
    stream = StreamOptions(**fields)
    if (stream.clean_source == "archive") != (stream.archive_dir is not None):
        raise OptionError(
            "options cleanSource=archive and 'sourceArchiveDir' belong together; only one of them is given"
        )
    for path in load_paths:
        if stream.archive_dir is not None and is_inside(stream.archive_dir, path):
            raise OptionError(
                f"option 'sourceArchiveDir': {stream.archive_dir} lies inside the load path {path}, so that archived"
                " files would be read again; give a directory outside of it"
            )
    return stream


def _add_times(fields: dict[str, dict[str, Any]], values: Mapping[str, object]) -> None:
    zone = fields["time"].get("zone", "UTC")
    position = values.get("startingPosition")
    if isinstance(position, str) and position.strip().lower() in ("earliest", "latest"):
        fields["stream"]["starting"] = position.strip().lower()
    elif position is not None:
        if isinstance(position, str) and position.strip().isalpha():
            raise bad_value("startingPosition", position, "earliest, latest or a time such as 2026-11-22T00:00:00Z")
        fields["stream"]["starting"] = "time"
    for name, group, attribute, unit in (("startTime", "time", "start_us", 1), ("endTime", "time", "end_us", 1),
                                         ("modifiedAfter", "plan", "modified_after_ms", 1000),
                                         ("modifiedBefore", "plan", "modified_before_ms", 1000),
                                         ("startingPosition", "stream", "starting_ms", 1000)):  # fmt: skip
        if name in values and (group != "stream" or fields[group]["starting"] == "time"):
            # Rounded up: a bound within a millisecond must not include times before it.
            fields[group][attribute] = -(-parse_instant_us(name, values[name], zone) // unit)
    start, end = fields["time"].get("start_us"), fields["time"].get("end_us")
    if start is not None and end is not None and start >= end:
        raise OptionError(
            f"startTime {values['startTime']} is not before endTime {values['endTime']}; the range is half-open [start, end), so give a"
            " later endTime"
        )
