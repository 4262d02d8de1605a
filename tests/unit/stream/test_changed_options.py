"""Streams that are restarted with the checkpoint of another run and with other options: each row once, or an error."""

from __future__ import annotations

import json
import os
import random
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pyspark_logs.errors import OptionError, SchemaError
from pyspark_logs.options import parse_read_options
from pyspark_logs.stream import LogStream
from tests.support.effort import extent

NOW_S = int(time.time())
HOURS = "{team}/{yyyy}/{MM}/{dd}/{HH}"
DAYS = "{team}/{yyyy}/{MM}/{dd}"
TEMPLATE = {"template": "{level} {message}"}
FILES = 6


def put(root: Path, name: str, *, hours: float, age_s: int) -> None:
    """Writes a file of one row under the prefix of an hour, some hours ago."""
    at = datetime.fromtimestamp(NOW_S, timezone.utc) - timedelta(hours=hours)
    path = root / f"logs/web/{at:%Y/%m/%d/%H}/{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{name} m\n")
    os.utime(path, (NOW_S - age_s, NOW_S - age_s))


def put_backlog(root: Path) -> None:
    """Writes files of old prefixes that were modified in the last hours, as by a backfill."""
    for number in range(FILES):
        put(root, str(number), hours=9000 - number, age_s=3 * 3600 - 900 * number)


def open_stream(root: Path, options: dict[str, Any], ddl: str = "level string") -> LogStream:
    given = {"path": f"{root}/logs", **TEMPLATE, **options}
    if "paths" in given:
        given = {**given, "paths": [str(root / path) for path in given["paths"]]}
        del given["path"]
    if {"regex", "delimited"} & given.keys():
        del given["template"]
    return LogStream(parse_read_options(given), ddl)


def poll(stream: LogStream, start: dict[str, Any]) -> dict[str, Any]:
    """Returns the next offset as a checkpoint would, with the limit of the query."""
    limit = stream.options.stream.max_files
    return json.loads(json.dumps(stream.latest_offset(start, max_files=limit, max_bytes=None)))  # type: ignore[no-any-return]


def read(stream: LogStream, start: dict[str, Any], end: dict[str, Any]) -> list[str]:
    tasks = stream.plan_batch(start, end)
    return [str(row) for task in tasks for batch in stream.reader.read_task(task) for row in batch["level"].to_pylist()]


def drain(stream: LogStream, start: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    rows: list[str] = []
    while (end := poll(stream, start)) != start:
        rows += read(stream, start, end)
        start = end
    return rows, start


@dataclass
class Change:
    """Options and schema before and after a restart; the error if the query is refused."""

    name: str
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    ddl: str = "level string"
    ddl_after: str = "level string"
    refused: str = ""
    error: type[Exception] = OptionError


ACCEPTED = [
    Change("a layout is added", {}, {"layout": HOURS}),
    Change("a layout is added, and no full listings", {}, {"layout": HOURS, "fullListingInterval": "off"}),
    Change("a layout is removed", {"layout": HOURS}, {}),
    Change("shorter intervals", {"layout": DAYS}, {"layout": HOURS}),
    Change("longer intervals", {"layout": HOURS}, {"layout": DAYS}),
    Change("other names of columns", {"layout": HOURS}, {"layout": HOURS.replace("team", "service")}),
    Change("a zone in the east", {"layout": HOURS}, {"layout": HOURS, "timeZone": "Asia/Tokyo"}),
    Change("a zone in the west", {"layout": HOURS}, {"layout": HOURS, "timeZone": "America/Los_Angeles"}),
    Change("full listings off", {"layout": HOURS}, {"layout": HOURS, "fullListingInterval": "off"}),
    Change("full listings on", {"layout": HOURS, "fullListingInterval": "off"}, {"layout": HOURS}),
    Change("less slack", {"layout": HOURS, "layoutSlack": "1d"}, {"layout": HOURS, "layoutSlack": "0s"}),
    Change("a path column", {"layout": HOURS}, {"layout": HOURS}, ddl_after="level string, team string"),
    Change("no path column", {"layout": HOURS}, {"layout": HOURS}, ddl="level string, team string"),
    Change("a column is added", ddl_after="level string, message string"),
    Change("a column is removed", ddl="level string, message string"),
    Change("a column of another type", ddl_after="level int"),
    Change("another template", {}, {"template": "{level:int} {word}"}),
    Change("another format", {}, {"regex": r"(?P<level>\S+) (?P<word>.*)"}),
    Change("a format of columns", {}, {"delimited": " "}, ddl_after="level string, word string"),
    Change("another encoding", {}, {"encoding": "iso-8859-1"}),
    Change("records of several lines", {}, {"multiLine": r"^\d"}),
    Change("records of one line", {"multiLine": r"^\d"}, {}),
    Change("a codec", {}, {"compression": "none"}),
    Change("more files in a batch", {}, {"maxFilesPerTrigger": "3"}),
    Change("a file in a batch", {"maxFilesPerTrigger": "4"}, {"maxFilesPerTrigger": "1"}),
    Change("the latest position", {}, {"startingPosition": "latest"}),
    Change("a later position", {}, {"startingPosition": "2200-01-01T00:00:00Z"}),
    Change("a longer lateness", {"lateness": "1m"}, {"lateness": "1d"}),
    Change("a shorter lateness", {"lateness": "1d"}, {"lateness": "1m"}),
    Change("a longer settle", {"settle": "10m"}, {"settle": "1h"}),
    Change("fewer tracked files", {}, {"maxTrackedFiles": "2", "lateness": "1m"}),
    Change("other spelling of the path", {}, {"path": "file://{root}/logs"}),
    Change("missing files", {}, {"ignoreMissingFiles": "true"}),
    Change("metadata", {}, {"metadata": "true"}),
]

REFUSED = [
    Change("another path", {}, {"path": "{root}/other"}, refused="the checkpoint belongs to a stream over"),
    Change("a directory below", {}, {"path": "{root}/logs/web"}, refused="the checkpoint belongs to a stream over"),
    Change("a slash at the end", {}, {"path": "{root}/logs/"}, refused="the checkpoint belongs to a stream over"),
    Change("a glob", {}, {"path": "{root}/lo*"}, refused="the checkpoint belongs to a stream over"),
    Change("one more path", {}, {"paths": ["logs", "other"]}, refused="the checkpoint belongs to a stream over"),
    Change(
        "paths in another order",
        {"paths": ["logs", "other"]},
        {"paths": ["other", "logs"]},
        refused="the checkpoint belongs to a stream over",
    ),
    Change("versions", {}, {"allowOverwrites": "true"}, refused="written with allowOverwrites=false"),
    Change("no versions", {"allowOverwrites": "true"}, {}, refused="written with allowOverwrites=true"),
    Change(
        "a layout with a column that the batch lacks",
        {},
        {"layout": HOURS},
        ddl_after="level string, team string",
        refused=r"planned with another layout, which has no column 'team'\. Restart the query with the earlier layout",
    ),
    Change(
        "a condition on a column that the batch lacks",
        {"layout": HOURS},
        {"layout": HOURS.replace("team", "service"), "where": "service = 'web'"},
        refused="planned with another layout, which has no column 'service'",
    ),
]


def begin(root: Path, change: Change) -> tuple[list[str], list[dict[str, Any]]]:
    """Runs a query that stops in its second batch; returns the rows of the first batch, and the offsets."""
    put_backlog(root)
    (root / "other").mkdir()
    stream = open_stream(root, {"maxFilesPerTrigger": "2", **change.before}, change.ddl)
    start = stream.initial_offset()
    first = poll(stream, start)
    second = poll(stream, first)
    assert second != first
    return read(stream, start, first), [json.loads(json.dumps(start)), first, second]


def restart(root: Path, change: Change) -> LogStream:
    after = {**change.after}
    if "path" in after:
        after["path"] = after["path"].format(root=root)
    return open_stream(root, {"maxFilesPerTrigger": "2", **after}, change.ddl_after)


@pytest.mark.parametrize("change", ACCEPTED, ids=lambda change: change.name)
def test_a_changed_query_reads_each_row_once(tmp_path: Path, change: Change) -> None:
    rows, offsets = begin(tmp_path, change)
    stream = restart(tmp_path, change)
    rows += read(stream, offsets[1], offsets[2])
    put(tmp_path, "99", hours=12, age_s=0)  # not in the future in any time zone
    first, last = drain(stream, offsets[2])
    if stream.options.stream.settle_us:
        assert "99" not in first  # it is too young
        rows += ["99"]
    assert sorted(rows + first) == [*map(str, range(FILES)), "99"]
    # Nothing is left for the next run, whatever its options are.
    assert drain(open_stream(tmp_path, {}), last)[0] in ([], ["99"])


@pytest.mark.parametrize("change", REFUSED, ids=lambda change: change.name)
def test_a_changed_query_is_refused(tmp_path: Path, change: Change) -> None:
    _, offsets = begin(tmp_path, change)
    with pytest.raises(change.error, match=change.refused):
        read(restart(tmp_path, change), offsets[1], offsets[2])
    # The query of before continues.
    again = open_stream(tmp_path, {"maxFilesPerTrigger": "2", **change.before}, change.ddl)
    assert read(again, offsets[1], offsets[2]) == ["2", "3"]


def test_a_layout_with_a_new_column_continues_after_a_complete_batch(tmp_path: Path) -> None:
    change = Change("", {}, {"layout": HOURS}, ddl_after="level string, team string")
    _, offsets = begin(tmp_path, change)
    assert drain(restart(tmp_path, change), offsets[2])[0] == ["4", "5"]


def test_a_removed_layout_does_not_leave_its_columns_to_the_query(tmp_path: Path) -> None:
    """The columns of the last batch are those of Hive directories only if no layout was given."""
    change = Change("", {"layout": HOURS}, {}, "level string, team string", "level string, team string")
    _, offsets = begin(tmp_path, change)
    stream = restart(tmp_path, change)
    assert read(stream, offsets[1], offsets[2]) == ["2", "3"]  # the values of the earlier layout
    with pytest.raises(SchemaError, match="column 'team' is not there"):
        poll(stream, offsets[2])


@pytest.mark.parametrize("restarts", [False, True])
def test_files_of_future_prefixes_wait_without_being_lost(tmp_path: Path, restarts: bool) -> None:
    """Paths in local time that are read as UTC are in the future, also those of a backlog that several batches take."""
    for number in range(FILES - 1):
        put(tmp_path, str(number), hours=-6, age_s=4 * 3600 - 60 * number)
    options = {"layout": HOURS, "maxFilesPerTrigger": "2", "lateness": "1m"}
    stream = open_stream(tmp_path, options)
    start = stream.initial_offset()
    first = poll(stream, start)
    second = poll(stream, first)
    rows = read(stream, start, first) + read(stream, first, second)
    put(tmp_path, "99", hours=0, age_s=0)
    stream = open_stream(tmp_path, options) if restarts else stream
    assert sorted(rows + drain(stream, second)[0]) == ["0", "1", "2", "3", "4", "99"]


def test_an_offset_without_a_layout_is_listed_fully(tmp_path: Path) -> None:
    """Offsets of earlier builds do not tell their layout."""
    change = Change("", {"layout": HOURS}, {"layout": HOURS})
    _, offsets = begin(tmp_path, change)
    old = {name: value for name, value in offsets[2].items() if name != "layout"}
    stream = restart(tmp_path, change)
    assert drain(stream, old)[0] == ["4", "5"]


def test_a_restart_with_the_same_layout_makes_no_full_listing(tmp_path: Path) -> None:
    change = Change("", {"layout": HOURS}, {"layout": HOURS, "maxFilesPerTrigger": "100"})
    _, offsets = begin(tmp_path, change)
    _, last = drain(restart(tmp_path, change), offsets[2])
    for layout, is_full in ((HOURS, False), (DAYS, True)):
        stream = open_stream(tmp_path, {"layout": layout})
        assert poll(stream, last) == last
        assert (stream._lists()._full_listing is not None) == is_full


@pytest.mark.parametrize("seed", range(extent(bounded=25, full=300)))
def test_restarts_with_random_layouts_zones_and_limits(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    written = 0

    def write(count: int, most_age_s: int) -> None:
        nonlocal written
        for _ in range(count):
            put(tmp_path, str(written), hours=chance.choice([0, 1, 30, 9000]), age_s=chance.randrange(most_age_s))
            written += 1

    write(chance.randrange(1, 12), 6 * 3600)  # a backlog before the first poll
    rows: list[str] = []
    offset: dict[str, Any] | None = None
    for _ in range(12):
        options = {"maxFilesPerTrigger": str(chance.choice([1, 2, 100])), "lateness": "1h"}
        if layout := chance.choice([None, HOURS, DAYS]):
            options |= {"layout": layout, "timeZone": chance.choice(["UTC", "Asia/Tokyo", "America/Los_Angeles"])}
        stream = open_stream(tmp_path, options)
        offset = stream.initial_offset() if offset is None else offset
        for _ in range(chance.randrange(1, 4)):
            end = poll(stream, offset)
            rows += read(stream, offset, end)
            offset = end
        write(chance.randrange(4), 3000)  # modified within lateness before they appear
    assert offset is not None
    rows += drain(open_stream(tmp_path, {"lateness": "1h"}), offset)[0]
    assert sorted(rows, key=int) == [str(number) for number in range(written)]
