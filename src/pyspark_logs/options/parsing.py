"""From raw options to checked ones: what is given, what goes together, and who is to have it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import Any

from pyspark_logs.errors import OptionError
from pyspark_logs.options.containment import is_inside
from pyspark_logs.options.groups import (
    FormatOptions,
    PlanOptions,
    ReadOptions,
    RecordOptions,
    StoreOptions,
    StreamOptions,
    TimeOptions,
    WriteOptions,
    WriteRules,
)
from pyspark_logs.options.table import APART, FORMATS, ONLY_OF, OPTIONS, PATHS, SPARKS_OWN, SWITCHES
from pyspark_logs.options.values import bad_value, parse_boolean, parse_instant_us, parse_path

_BY_NAME = {option.name.lower(): option for option in OPTIONS}
_SPELLINGS = {name.lower(): name for name in (*(option.name for option in OPTIONS), *PATHS, *SPARKS_OWN)}
_KNOWN = sorted([option.name for option in OPTIONS] + [*PATHS])
_GLOB = re.compile(r"[*?\[\]{}\\]")


def parse_read_options(raw: Mapping[str, object]) -> ReadOptions:
    """Check all options of a reader and sort them into :class:`ReadOptions`.

    Args:
        raw: option names (any case) to values: strings, or the natural Python type. None is as if
            not given; what only writers use is ignored.

    Raises:
        OptionError: an unknown option (with the nearest known one), one in two spellings, a bad value,
            no or several line formats, no path, contradictory credentials, an empty time range, or a place for archived files or
            bad records that would be read again.
    """
    values = _given(raw)
    used = {name: value for name, value in values.items() if name in PATHS or _target(name, "read") is not None}
    fields = _fields(used, "read")
    fields["format"] |= _line_format(used)
    fields["records"]["corrupt_column_given"] = "columnNameOfCorruptRecord" in used
    fields["plan"]["paths"] = _load_paths(used)
    _add_times(fields, used)
    return ReadOptions(
        format=_checked_format(fields["format"]),
        records=_checked_records(fields["records"], fields["plan"]["paths"]),
        time=TimeOptions(**fields["time"]),
        plan=PlanOptions(**fields["plan"]),
        store=_checked_store(fields["store"]),
        stream=_checked_stream(fields["stream"], fields["plan"]["paths"]),
        **fields[""],
    )


def parse_write_options(raw: Mapping[str, object]) -> WriteOptions:
    """Check all options of a writer and sort them into :class:`WriteOptions`.

    Args:
        raw: as :func:`parse_read_options` takes it; what only readers use is ignored.

    Raises:
        OptionError: an unknown option (with the nearest known one), one in two spellings, a bad value,
            no or several line formats, not exactly one path, a glob, or contradictory credentials.

    >>> parse_write_options({"path": "s3://logs/app", "json": "true", "partsize": "16m"}).rules.part_bytes
    16777216
    """
    values = _given(raw)
    used = {name: value for name, value in values.items() if name in PATHS or _target(name, "write") is not None}
    fields = _fields(used, "write")
    fields["format"] |= _line_format(used)
    return WriteOptions(
        format=_checked_format(fields["format"]),
        path=_save_path(used),
        store=_checked_store(fields["store"]),
        rules=WriteRules(**fields["rules"]),
        **fields[""],
    )


# --- what is given --------------------------------------------------------------------------------


def _given(raw: Mapping[str, object]) -> dict[str, object]:
    """The options that have a value, by their documented names."""
    values: dict[str, object] = {}
    for key, value in raw.items():
        if value is None:
            continue
        name = _SPELLINGS.get(key.lower())
        if name is None:
            raise _unknown(key)
        if name in values:
            raise OptionError(f"option {name!r} is given twice, in spellings that differ in case only; keep one")
        values[name] = value
    return values


def _unknown(name: str) -> OptionError:
    lower = {known.lower(): known for known in _KNOWN}
    near = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.6)
    hint = f"; did you mean {lower[near[0]]!r}?" if near else "."
    return OptionError(f"unknown option {name!r}{hint} Known options: {', '.join(_KNOWN)}")


def _target(name: str, side: str) -> str | None:
    option = _BY_NAME.get(name.lower())
    return None if option is None else option.read if side == "read" else option.write


def _fields(values: Mapping[str, object], side: str) -> dict[str, dict[str, Any]]:
    """Group to field to parsed value; the group ``""`` has the fields that are in none."""
    fields: dict[str, dict[str, Any]] = {
        group: {} for group in ("", "format", "records", "time", "plan", "store", "stream", "rules")
    }
    for option in OPTIONS:
        target = _target(option.name, side)
        if option.name in values and target is not None and target != APART:
            group, _, attribute = target.rpartition(".")
            fields[group][attribute] = option.parse(option.name, values[option.name])
    return fields


# --- the line format ------------------------------------------------------------------------------


def _line_format(values: Mapping[str, object]) -> dict[str, str]:
    given = [name for name in FORMATS if name in values]
    given = [name for name in given if name not in SWITCHES or parse_boolean(name, values[name])]
    if len(given) != 1:
        what = "none is given" if not given else " and ".join(given) + " are given"
        raise OptionError(f"exactly one of {', '.join(FORMATS)} must name the line format; {what}")
    kind = given[0]
    strange = [name for name, kinds in ONLY_OF.items() if name in values and kind not in kinds]
    if strange:
        only = ", ".join(ONLY_OF[strange[0]])
        raise OptionError(f"option {strange[0]!r} belongs to {only}, and means nothing for {kind}; leave it out")
    return {"kind": kind, "spec": "" if kind in SWITCHES else _BY_NAME[kind.lower()].parse(kind, values[kind])}


def _checked_format(fields: Mapping[str, Any]) -> FormatOptions:
    described = FormatOptions(**fields)
    try:
        (described.comment_prefix or "").encode(described.encoding)
    except UnicodeError as error:
        raise OptionError(
            f"option 'commentPrefix': {described.comment_prefix!r} has a character that encoding={described.encoding} lacks"
        ) from error
    return described


# --- the store and its paths ----------------------------------------------------------------------


def _checked_store(fields: Mapping[str, Any]) -> StoreOptions:
    store = StoreOptions(**fields)
    if (store.access_key is None) != (store.secret_key is None):
        raise OptionError("options 'accessKey' and 'secretKey' belong together; only one of them is given")
    if store.session_token is not None and store.access_key is None:
        raise OptionError("option 'sessionToken' needs 'accessKey' and 'secretKey'")
    given = [name for name, on in (("anonymous", store.anonymous), ("defaultCredential", store.default_credential),
                                   ("accessKey", store.access_key is not None)) if on]  # fmt: skip
    if len(given) > 1:
        raise OptionError(f"options {' and '.join(given)} contradict each other; give one kind of credential")
    return store


def _paths(values: Mapping[str, object]) -> list[str]:
    found: list[str] = []
    if "path" in values:
        found.append(parse_path("path", values["path"]))
    paths = values.get("paths")
    if isinstance(paths, str):  # Spark: load([...]) arrives as a JSON list
        try:
            paths = json.loads(paths)
        except ValueError as error:
            raise bad_value("paths", paths, "a JSON list of paths") from error
    if paths is not None and not isinstance(paths, (list, tuple)):
        raise bad_value("paths", paths, "a list of paths")
    return found + [parse_path("paths", path) for path in paths or ()]


def _load_paths(values: Mapping[str, object]) -> tuple[str, ...]:
    found = _paths(values)
    if not found:
        raise OptionError("no path: give load(path), or option 'path', a directory, file or glob to read")
    return tuple(found)


def _save_path(values: Mapping[str, object]) -> str:
    found = _paths(values)
    if len(found) != 1:
        what = "no path" if not found else f"{len(found)} paths ({', '.join(found)})"
        raise OptionError(f"{what}: give save(path), or option 'path', one directory to write to")
    special = _GLOB.search(found[0])
    if special is not None:
        raise OptionError(
            f"path {found[0]!r}: {special[0]!r} makes it a glob, and one directory is needed to write to;"
            " what is in the data goes into option 'layout'"
        )
    return found[0]


# --- bad records ----------------------------------------------------------------------------------


def _checked_records(fields: Mapping[str, Any], load_paths: tuple[str, ...]) -> RecordOptions:
    records = RecordOptions(**fields)
    special = _GLOB.search(records.bad_path or "")
    if special is not None:
        raise OptionError(
            f"option 'badRecordsPath': {special[0]!r} makes {records.bad_path!r} a glob; give one directory to write to"
        )
    for path in load_paths:
        if records.bad_path is not None and is_inside(records.bad_path, path):
            raise OptionError(
                f"option 'badRecordsPath': {records.bad_path} lies inside the load path {path}, so that bad records"
                " would be read as logs; give a directory outside of it"
            )
    return records


# --- streams --------------------------------------------------------------------------------------


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


# --- times ----------------------------------------------------------------------------------------


def _add_times(fields: dict[str, dict[str, Any]], values: Mapping[str, object]) -> None:
    zone = fields["time"].get("zone", "UTC")
    start_at = values.get("startingPosition")
    if isinstance(start_at, str) and start_at.strip().lower() in ("earliest", "latest"):
        fields["stream"]["starting"] = start_at.strip().lower()
    elif start_at is not None:
        fields["stream"]["starting"] = "time"
    for name, group, attribute, unit in (("startTime", "time", "start_us", 1), ("endTime", "time", "end_us", 1),
                                         ("modifiedAfter", "plan", "modified_after_ms", 1000),
                                         ("modifiedBefore", "plan", "modified_before_ms", 1000),
                                         ("startingPosition", "stream", "starting_ms", 1000)):  # fmt: skip
        if name in values and (group != "stream" or fields[group]["starting"] == "time"):
            # Rounded up: a bound that lies within a millisecond must not take in what came before it.
            fields[group][attribute] = -(-parse_instant_us(name, values[name], zone) // unit)
    start, end = fields["time"].get("start_us"), fields["time"].get("end_us")
    if start is not None and end is not None and start >= end:
        raise OptionError(
            f"startTime {values['startTime']} is not before endTime {values['endTime']}; the range is half-open [start, end)"
        )
