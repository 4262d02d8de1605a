"""Lines of presets with a value too many, a value too few, or the text of a delimiter in a value.

Each such line is corrupt, or has the right values: no value is read as its neighbour. A value may contain more or less text
where the line has it, and a value that is not recognised any more is null if the message has its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.presets.entry import DelimitedForm
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.segments import Group, Literal, Segment
from pyspark_logs.options import FormatOptions
from tests.conformance.test_presets_laws import TEMPLATES, decoded, decoder_of
from tests.support.formats import line_format

TABLES = [name for name, preset in PRESETS.items() if isinstance(preset.form, DelimitedForm)]
ADDED = ("x7y", "77", "-", "192.0.2.99", "INFO")
Row = dict[str, Any]

# Columns between which a value cannot be told from its neighbour, and the reason.
_OPTIONAL = "quoted values and words that later versions appended, all of them optional and of any text"
AMBIGUOUS: dict[str, tuple[tuple[str, ...], str]] = {
    "apache_common": (("remote_host", "remote_logname", "remote_user"), "a user name may contain spaces"),
    "apache_combined": (("remote_host", "remote_logname", "remote_user"), "a user name may contain spaces"),
    "apache_error": (("error_status", "client", "message"), "any text follows what is optional, in brackets or not"),
    "nginx_combined": (("http_referer", "http_user_agent", "http_x_forwarded_for"), "the last one is optional"),
    "aws_alb": (
        ("actions_executed", "redirect_url", "error_reason", "target_port_list", "target_status_code_list",
         "classification", "classification_reason", "conn_trace_id", "transformed_host", "transformed_uri",
         "request_transform_status", "alb_node_ip"), _OPTIONAL,
    ),
    "aws_elb_classic": (("ssl_cipher", "ssl_protocol"), "both are optional"),
    "aws_s3_access": (("acl_required", "source_region"), _OPTIONAL),
    "syslog_rfc3164": (
        ("facility", "severity", "hostname", "tag", "pid", "message"),
        "host and tag are optional words before any text, and <mail.notice> after a host is a message",
    ),
    "syslog_rfc5424": (
        ("timestamp", "hostname", "app_name", "procid", "msgid", "structured_data", "message"),
        "Heroku omits a value, so that any text may follow the words of the header",
    ),
    "cef": (("time", "host", "header", "extension"), "the header before CEF: is any text, and so are values after it"),
    "haproxy_http": (("syslog_header", "process_name"), "the header of the syslog daemon is any text"),
    "haproxy_tcp": (("syslog_header", "process_name"), "the header of the syslog daemon is any text"),
    "postgres": (
        ("process_id", "session_line_num", "application_name", "connection_from"),
        "a name of an application may contain commas, and two prefixes differ by the number of a process",
    ),
    "redis": (("level", "message"), "a dash is a level"),
    "spring_boot": (("logger", "message"), "a logger may come without its padding, and any text follows"),
    "log4j": (("level", "logger", "message"), "a level may precede any text"),
}  # fmt: skip


class Change(NamedTuple):
    """A changed line, and the text that was added to or removed from it."""

    line: str
    added: str = ""
    removed: str = ""


def lines_of(name: str) -> tuple[list[str], list[str]]:
    """Returns the header lines and the records of the sample of a preset."""
    sample = PRESETS[name].sample
    heads = [line for line in sample if line.startswith(("#", "version account-id"))]
    return heads, [line for line in sample if line not in heads]


def separator_of(name: str) -> str:
    form = PRESETS[name].form
    return form.spec.separator if isinstance(form, DelimitedForm) else " "


def with_one_value_more(line: str, separator: str) -> Iterator[Change]:
    words = line.split(separator)
    for index in range(len(words) + 1):
        for added in ADDED:
            yield Change(separator.join([*words[:index], added, *words[index:]]), added=added)


def with_one_value_less(line: str, separator: str) -> Iterator[Change]:
    words = line.split(separator)
    for index, word in enumerate(words):
        yield Change(separator.join([*words[:index], *words[index + 1 :]]), removed=word)


def literals_of(segments: tuple[Segment, ...]) -> set[str]:
    """Returns the literals of a template, those of groups included."""
    found: set[str] = set()
    for segment in segments:
        if isinstance(segment, Group):
            found |= literals_of(segment.segments)
        elif isinstance(segment, Literal):
            found.add(segment.text)
    return found


def with_literals_in_texts(name: str, line: str, row: Row) -> Iterator[Change]:
    """Yields lines with each literal of the template, and each character of one, within each string value."""
    template = line_format(FormatOptions("preset", name))
    assert isinstance(template, TemplateFormat)
    literals = literals_of(template.template.segments)
    for value in row.values():
        if isinstance(value, str) and len(value) > 1 and line.count(value) == 1:
            for literal in sorted(literals | {character for text in literals for character in text}):
                middle = line.index(value) + len(value) // 2
                yield Change(line[:middle] + literal + line[middle:], added=literal)


def is_right(before: Row, after: Row, change: Change) -> bool:
    """Returns True if the values differ only where the text of the line does.

    One value has the text that was added, or lacks the text that was removed. Values that are null have their text in
    that value, or in the text that was removed.
    """
    changed = [name for name in before if repr(before[name]) != repr(after[name])]
    lost = [name for name in changed if after[name] is None and before[name] is not None]
    edited = [name for name in changed if name not in lost]
    if len(edited) > 1 or not all(is_edited(before[name], after[name], change) for name in edited):
        return False
    left = squeezed(change.removed) + "".join(squeezed(after[name]) for name in edited)
    return all(
        not isinstance(before[name], str) or is_edited(before[name], left, change) or squeezed(before[name]) in left
        for name in lost
    )


def is_edited(before: Any, after: Any, change: Change) -> bool:
    """Returns True if a value has the text that was added, or lacks the text that was removed."""
    old, new = squeezed(before), squeezed(after)
    if change.added:
        added = squeezed(change.added)
        return any(new[:at] + new[at + len(added) :] in old or old in new for at in occurrences(new, added))
    removed = squeezed(change.removed)
    return (
        old in new or new in old or any(old[:at] + old[at + len(removed) :] in new for at in occurrences(old, removed))
    )


def occurrences(text: str, part: str) -> list[int]:
    return [at for at in range(len(text) + 1) if text.startswith(part, at)]


def squeezed(value: Any) -> str:
    """Returns the letters and digits of a value; null has none."""
    return "" if value is None else re.sub(r"[\W_]", "", str(value))


def check(name: str, changes: list[Change], before: Row, heads: list[str]) -> tuple[list[str], int]:
    """Returns the changed lines with shifted values, and the number of corrupt lines."""
    changes = [change for change in changes if change.line.strip()]
    raw = "\n".join([*heads, *(change.line for change in changes)]).encode()
    rows, corrupt = decoded(decoder_of(name), name, raw)
    assert len(rows) == len(changes)
    wrong = [
        f"{change.line}\n    {differences(before, row)}"
        for change, row, bad in zip(changes, rows, corrupt, strict=True)
        if not bad and not is_right(before, row, change) and not is_ambiguous(name, before, row)
    ]
    return wrong, sum(corrupt)


def is_ambiguous(name: str, before: Row, after: Row) -> bool:
    """Returns True if only values differ that cannot be told from each other."""
    columns, _ = AMBIGUOUS.get(name, ((), ""))
    return set(differences(before, after)) <= set(columns)


def differences(before: Row, after: Row) -> dict[str, Any]:
    return {key: (before[key], after[key]) for key in before if repr(before[key]) != repr(after[key])}


@pytest.mark.parametrize("name", [*TEMPLATES, *TABLES])
def test_no_value_is_read_as_its_neighbour(name: str) -> None:
    heads, lines = lines_of(name)
    wrong, corrupt = [], 0
    for line in lines:
        rows, _ = decoded(decoder_of(name), name, "\n".join([*heads, line]).encode())
        separator = separator_of(name)
        changes = [*with_one_value_more(line, separator), *with_one_value_less(line, separator)]
        if name in TEMPLATES:
            changes += with_literals_in_texts(name, line, rows[0])
        found, count = check(name, changes, rows[0], heads)
        wrong += found
        corrupt += count
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong)
    assert corrupt
