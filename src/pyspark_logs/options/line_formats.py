"""The option that names the line format, and the members of the option ``anyOf``, each of which names one, too."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pyspark_logs.errors import OptionError
from pyspark_logs.options.groups import FormatMember, FormatOptions
from pyspark_logs.options.numbers import parse_boolean
from pyspark_logs.options.table import (
    APPLICABLE_FORMATS,
    BOOLEAN_FORMATS,
    FORMATS,
    MEMBER_FORMATS,
    MEMBER_OPTIONS,
    OPTIONS,
)
from pyspark_logs.options.text import parse_name, parse_schema
from pyspark_logs.terminal_text import nearest_name

_BY_NAME = {option.name.lower(): option for option in OPTIONS}
# Fields of the load's options that apply to all members, because they decide on records before a member is tried.
_OF_LOAD = ("encoding", "max_record_bytes", "sampling_bytes", "max_inferred_columns", "multi_line")
# Keys of a member that are not options.
_NAME, _SCHEMA = "name", "schema"
_MEMBER_KEYS = (*MEMBER_FORMATS, *MEMBER_OPTIONS, _NAME, _SCHEMA)
_REFUSED = {
    "anyOf": "lists of formats cannot be nested; put its members into this list",
    "formatClass": "a class decodes whole files, not lines; read these files in a separate load",
    "header": "the columns of lines below a header depend on the header; read files with headers in a separate load, or"
    " give delimited lines a 'schema'",
    "recordsPath": "a line of a document is not a record; read documents in a separate load",
    "multiLine": "it decides where records begin, before a member is tried; give it beside anyOf",
    "formatColumn": "it applies to all members; give it beside anyOf, and 'name' in the member",
}


def parse_line_format(values: Mapping[str, object], formats: Sequence[str] = FORMATS) -> dict[str, str]:
    """Returns the fields ``kind`` and ``spec`` of :class:`FormatOptions`.

    Args:
        values: values by documented names of options.
        formats: names of options that may name the format.

    Raises:
        OptionError: none or several options name a format, its value is wrong, or an option does not apply to it.
    """
    given = [name for name in formats if name in values]
    given = [name for name in given if name not in BOOLEAN_FORMATS or parse_boolean(name, values[name])]
    if len(given) != 1:
        what = "none is given" if not given else " and ".join(given) + " are given"
        what += "; `pyspark-logs detect PATH` or pyspark_logs.detect(path) finds that of files" if not given else ""
        raise OptionError(f"exactly one of {', '.join(formats)} must name the line format; {what}")
    kind = given[0]
    for name, kinds in APPLICABLE_FORMATS.items():
        if name in values and kind not in kinds:
            is_of_member = kind == "anyOf" and name in MEMBER_OPTIONS
            advice = "put it into the members of anyOf" if is_of_member else "leave it out"
            raise OptionError(f"option {name!r} belongs to {', '.join(kinds)}, and means nothing for {kind}; {advice}")
    return {"kind": kind, "spec": "" if kind in BOOLEAN_FORMATS else _BY_NAME[kind.lower()].parse(kind, values[kind])}


def parse_members(spec: str, load: FormatOptions) -> tuple[FormatMember, ...]:
    """Returns the members of ``anyOf``.

    Args:
        spec: value of the option as JSON text.
        load: options of the load, some of which apply to all members.

    Raises:
        OptionError: a member is wrong; names its index.

    >>> [member.name for member in parse_members('[{"json": true}, {"preset": "klog"}]', FormatOptions("anyOf", ""))]
    ['json', 'klog']
    """
    members = tuple(_parse_member(index, raw, load) for index, raw in enumerate(json.loads(spec)))
    if load.format_column is not None:
        _check_names([member.name for member in members])
    return members


def _parse_member(index: int, raw: Mapping[str, object], load: FormatOptions) -> FormatMember:
    try:
        values = _known_values(raw)
        form = parse_line_format(values, MEMBER_FORMATS)
        fields: dict[str, Any] = {**form, **{name: getattr(load, name) for name in _OF_LOAD}}
        for name in MEMBER_OPTIONS:
            if name in values:
                option = _BY_NAME[name.lower()]
                fields[(option.read or "").rpartition(".")[2]] = option.parse(name, values[name])
        schema = parse_schema(_SCHEMA, values[_SCHEMA]) if _SCHEMA in values else None
        _check_schema(form["kind"], schema)
        title = parse_name(_NAME, values[_NAME]) if _NAME in values else None
    except OptionError as error:
        raise OptionError(f"option 'anyOf', member {index}: {error}") from error
    kind = form["kind"]
    return FormatMember(title or (form["spec"] if kind == "preset" else kind), FormatOptions(**fields), schema)


def _known_values(raw: Mapping[str, object]) -> dict[str, object]:
    """Returns the values of a member by the documented names of their keys."""
    documented = {name.lower(): name for name in _MEMBER_KEYS}
    values: dict[str, object] = {}
    for key, value in raw.items():
        if value is None:
            continue
        name = documented.get(key.lower())
        if name is None:
            raise _unknown_key(key, documented)
        if name in values:
            raise OptionError(f"{name!r} is given twice, in spellings that differ in case only; keep one")
        values[name] = value
    return values


def _unknown_key(key: str, documented: Mapping[str, str]) -> OptionError:
    option = _BY_NAME.get(key.lower())
    if option is not None:
        return OptionError(
            f"option {option.name!r}: "
            + _REFUSED.get(option.name, "it applies to whole files, not to a member; give it beside anyOf")
        )
    nearest = nearest_name(key, documented.values())
    hint = f"; did you mean {nearest!r}?" if nearest else "."
    return OptionError(f"unknown key {key!r}{hint} A member may have {', '.join(_MEMBER_KEYS)}")


def _check_schema(kind: str, schema: str | None) -> None:
    if kind == "delimited" and not schema:
        raise OptionError(
            "delimited lines do not name their values; give the member a 'schema' of all values of a line, in their order:"
            ' {"delimited": "|", "schema": "ts timestamp, level string"}'
        )
    if kind != "delimited" and schema is not None:
        raise OptionError(
            f"'schema' belongs to delimited members; {kind} lines name their values, of which the schema of the load selects"
        )


def _check_names(names: Collection[str]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in seen:
            raise OptionError(
                f"option 'anyOf': members {seen[name]} and {index} are both named {name!r} in the column formatColumn; give"
                " one of them another 'name'"
            )
        seen[name] = index
