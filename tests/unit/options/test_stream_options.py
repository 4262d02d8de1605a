"""Options of a stream: values, errors, and archive directories inside load paths."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pyspark_logs.errors import OptionError
from pyspark_logs.options import OPTIONS, StreamOptions, parse_read_options, parse_write_options
from pyspark_logs.options.containment import is_inside

BASE: dict[str, Any] = {"path": "s3://logs/app", "template": "{m}"}
HOUR_US = 3_600_000_000
NOON_MS = 1_795_348_800_000


def parse(**options: Any) -> StreamOptions:
    return parse_read_options({**BASE, **options}).stream


def test_the_defaults() -> None:
    assert parse() == StreamOptions(
        starting="earliest",
        starting_ms=None,
        max_files=1000,
        max_bytes=None,
        lateness_us=HOUR_US,
        full_listing_us=HOUR_US,
        settle_us=0,
        allow_overwrites=False,
        clean_source="off",
        archive_dir=None,
        clean_retention_us=0,
    )


@pytest.mark.parametrize(
    ("name", "values", "field", "expected"),
    [
        ("startingPosition", ["latest", " Latest "], "starting", "latest"),
        ("startingPosition", ["EARLIEST"], "starting", "earliest"),
        ("startingPosition", ["2026-11-22T12:00:00Z", "2026-11-22", date(2026, 11, 22)], "starting", "time"),
        ("maxFilesPerTrigger", ["7", 7], "max_files", 7),
        ("maxBytesPerTrigger", ["1g", 1 << 30], "max_bytes", 1 << 30),
        ("lateness", ["1d", timedelta(days=1)], "lateness_us", 24 * HOUR_US),
        ("lateness", ["0s"], "lateness_us", 0),
        ("fullListingInterval", ["30m", timedelta(minutes=30)], "full_listing_us", HOUR_US // 2),
        ("fullListingInterval", ["off", " OFF "], "full_listing_us", None),
        ("fullListingInterval", ["0s"], "full_listing_us", 0),
        ("settle", ["5s", timedelta(seconds=5)], "settle_us", 5_000_000),
        ("allowOverwrites", ["true", True], "allow_overwrites", True),
        ("cleanSource", ["DELETE", "delete"], "clean_source", "delete"),
        ("cleanSourceRetention", ["1h"], "clean_retention_us", HOUR_US),
    ],
)
def test_strings_and_natural_types_are_equivalent(name: str, values: list[Any], field: str, expected: object) -> None:
    for value in values:
        parsed = parse(**{name: value})
        assert getattr(parsed, field) == expected
        assert parse(**{name.lower(): value}) == parsed
        assert pickle.loads(pickle.dumps(parsed)) == parsed


@pytest.mark.parametrize(
    ("value", "zone", "expected"),
    [
        ("2026-11-22T12:00:00Z", "Europe/Berlin", NOON_MS),
        ("2026-11-22 13:00", "Europe/Berlin", NOON_MS),
        ("2026-11-22 12:00", "UTC", NOON_MS),
        (datetime(2026, 11, 22, 12, tzinfo=timezone.utc), "Asia/Tokyo", NOON_MS),
        # Rounded up to the next millisecond.
        ("2026-11-22T12:00:00.000001Z", "UTC", NOON_MS + 1),
    ],
)
def test_a_starting_time_is_in_the_option_time_zone(value: Any, zone: str, expected: int) -> None:
    parsed = parse(startingPosition=value, timeZone=zone)
    assert (parsed.starting, parsed.starting_ms) == ("time", expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"startingPosition": "yesterday"},
            "option 'startingPosition': 'yesterday' is not earliest, latest or a time such as",
        ),
        ({"startingPosition": ""}, "'startingPosition': '' is not a time"),
        ({"startingPosition": 7}, "'startingPosition': 7 is not a time"),
        ({"startingPosition": "2026-02-30"}, "is not a time that exists"),
        ({"maxFilesPerTrigger": "0"}, "is not a whole number of one or more"),
        ({"maxBytesPerTrigger": 0}, "is not a size above zero"),
        ({"lateness": "1"}, "option 'lateness': '1' is not a duration such as '1h'"),
        ({"fullListingInterval": "never"}, "option 'fullListingInterval': 'never' is not a duration"),
        ({"settle": timedelta(-1)}, "is not a duration of zero or more"),
        ({"allowOverwrites": "yes"}, "is not 'true' or 'false'"),
        ({"cleanSource": "move"}, "is not one of off, archive, delete"),
        ({"cleanSource": "archive"}, "cleanSource=archive and 'sourceArchiveDir' belong together"),
        ({"sourceArchiveDir": "s3://old"}, "belong together; only one of them is given"),
        ({"cleanSource": "delete", "sourceArchiveDir": "s3://old"}, "belong together"),
        ({"cleanSource": "archive", "sourceArchiveDir": " "}, "'sourceArchiveDir': is empty"),
    ],
)
def test_bad_values_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        parse(**options)


class TestArchives:
    @pytest.mark.parametrize(
        ("directory", "load_path"),
        [
            ("s3://logs/app", "s3://logs/app"),
            ("s3://logs/app/", "s3://logs/app"),
            ("s3a://logs/app/old", "s3://logs/app/"),
            ("S3://logs/app/_old", "s3n://logs/app"),
            ("s3://logs/app", "s3://logs"),
            ("/logs/app/old", "/logs/app"),
            ("/logs/x/../app/old", "file:///logs/app"),
            ("file:/logs/app/old", "/logs/app"),
            ("file://localhost/logs/app", "/logs"),
            ("old", "."),
            ("/logs", "/"),
            ("memory://logs/old", "memory://logs"),
            ("s3://logs/app/eu/old", "s3://logs/*/eu"),
            ("s3://logs/old", "s3://logs/o?d"),
            ("s3://logs/old/x", "s3://logs/{app,{new,old}}"),
            ("s3://logs/a,b", "s3://logs/a,b*"),
            ("s3://logs/b/old", "s3://logs/[a-c]"),
            ("s3://logs/b/old", "s3://logs/[!x]"),
            ("s3://logs/^]", "s3://logs/[]^]]*"),
            ("s3://logs/a*/old", "s3://logs/a\\*"),
            ("s3://logs/[a]/old", "s3://logs/[a]"),
        ],
    )
    def test_a_directory_inside_a_load_path_is_refused(self, directory: str, load_path: str) -> None:
        assert is_inside(directory, load_path)
        with pytest.raises(OptionError, match=r"'sourceArchiveDir': .* lies inside the load path .* read again"):
            parse(path=None, paths=["s3://elsewhere", load_path], cleanSource="archive", sourceArchiveDir=directory)

    @pytest.mark.parametrize(
        ("directory", "load_path"),
        [
            ("s3://logs/app-old", "s3://logs/app"),
            ("s3://logs", "s3://logs/app"),
            ("s3://old/app", "s3://logs/app"),
            ("gs://logs/app", "s3://logs/app"),
            ("/logs/app/../old", "/logs/app"),
            ("/logs/app", "s3://logs/app"),
            ("s3://logs/app/us/old", "s3://logs/*/eu"),
            ("s3://logs/app", "s3://logs/*/eu"),
            ("s3://logs/d/old", "s3://logs/[a-c]"),
            ("s3://logs/x/old", "s3://logs/[!x]"),
            ("s3://logs/ab/old", "s3://logs/a\\*"),
            ("s3://logs/ab/old", "s3://logs/{a,b"),
        ],
    )
    def test_a_directory_outside_of_a_load_path(self, directory: str, load_path: str) -> None:
        assert not is_inside(directory, load_path)
        parsed = parse(
            path=load_path,
            cleanSource="archive",
            sourceArchiveDir=Path(directory) if "//" not in directory else directory,
        )
        assert parsed.archive_dir == directory


def test_writers_ignore_options_of_streams() -> None:
    streams = {option.name: "?" for option in OPTIONS if (option.read or "").startswith("stream.")} | {
        "startingPosition": "?"
    }
    assert len(streams) == 11
    assert parse_write_options({**BASE, **streams}) == parse_write_options(BASE)
