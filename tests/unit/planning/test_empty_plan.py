"""The explanation of a plan without files."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pyspark_logs import scan
from pyspark_logs.errors import OptionError
from pyspark_logs.options import parse_read_options
from pyspark_logs.planning import FileFilters, Window, plan
from pyspark_logs.planning.empty_plan import MAX_LISTS
from pyspark_logs.store import StoredFile
from pyspark_logs.stream import LogStream
from tests.support.key_store import KeyStore
from tests.support.log_files import write
from tests.support.plans import HOURLY, ROOT, options

KEYS = ["web/2026/01/05/06/a.gz", "web/2026/01/05/07/b.gz"]
TEAMS = "{team}/" + HOURLY


@pytest.mark.parametrize(
    ("keys", "given", "allowed", "reason"),
    [
        (KEYS, {"layout": HOURLY}, {}, ("an existing file, 'web/2026/01/05/06/a.gz', does not fit the layout '{yyyy}/{MM}/{dd}/{HH}', which"
         " expects keys such as '2026/11/22/06/...'")),
        (KEYS, {"layout": TEAMS, "startTime": "2025-03-01T00:00:00Z", "endTime": "2025-03-01T02:00:00Z"}, {}, ("is not in the time range from"
         " 2025-02-28T23:00:00Z to 2025-03-01T03:00:00Z, layoutSlack included; expected are keys such as '{team}/2025/02/28/23/...'")),
        (KEYS, {"layout": TEAMS, "endTime": "2025-03-01T02:00:00Z"}, {}, "keys such as '{team}/2025/03/01/02/...'"),
        (KEYS, {"layout": TEAMS}, {"team": ["db"]}, "is of another partition than the condition or the filters select (team = 'db')"),
        (KEYS, {"layout": TEAMS}, {"team": []}, "(team = no value)"),
        (KEYS, {"layout": TEAMS}, {"team": lambda value: value == "db"}, "filters select (team)"),
        (KEYS, {"pathGlobFilter": "*.log"}, {}, "does not match pathGlobFilter '*.log'"),
        (KEYS, {"modifiedAfter": "2026-01-01"}, {}, "was modified at 1970-01-01T00:00:01Z, outside of modifiedAfter and modifiedBefore"),
        (["_tmp/a", "_SUCCESS"], {}, {}, "'_SUCCESS', has a hidden name"),
        ({"a.log": 0}, {}, {}, "'a.log', has no content"),
        (["_commits/x"], {}, {}, "there is no file in it"),
        ([f"{n:03}/_x" for n in range(50)], {}, {}, "has a hidden name"),
    ],
)  # fmt: skip
def test_the_reason_has_an_example(
    keys: list[str] | dict[str, int], given: dict[str, str], allowed: dict[str, object], reason: str
) -> None:
    store = KeyStore.from_keys(keys)
    found = plan(store, options(**given), FileFilters(allowed=allowed))
    assert found.tasks == ()
    assert found.empty_reason.startswith("no file is read from s3://b/app: ")
    assert reason in found.empty_reason
    assert store.counted["LIST"] - found.report.list_calls <= MAX_LISTS + 2  # and the inference of the layout


def test_a_plan_with_files_has_no_reason() -> None:
    assert plan(KeyStore.from_keys(KEYS), options()).empty_reason == ""


def test_ranges_without_a_common_instant() -> None:
    found = plan(KeyStore.from_keys(KEYS), options(startTime="2026-01-01"), FileFilters(Window(None, 0)))
    assert "have no instant in common" in found.empty_reason


def test_a_range_of_modification_times_without_a_layout() -> None:
    found = plan(KeyStore.from_keys(KEYS), options(startTime="2026-01-01"), FileFilters(whole_files=True))
    assert "it was modified at 1970-01-01T00:00:01Z" in found.empty_reason


def test_a_named_file() -> None:
    store = KeyStore([StoredFile(f"{ROOT}a.log", 0, 1000, "")])
    assert "'a.log', has no content" in plan(store, options(ROOT + "a.log")).empty_reason


def test_scan_warns_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, {"web/a.log": "x\n", "db/b.log": "y\n"})
    with caplog.at_level(logging.WARNING):
        assert scan(tmp_path, template="{m}", layout="{yyyy}").read_all().num_rows == 0
    (record,) = caplog.records
    assert "does not fit the layout '{yyyy}'" in record.getMessage()
    with pytest.raises(OptionError, match=r"no file to infer the columns from: .* does not fit the layout"):
        scan(tmp_path, json=True, layout="{yyyy}")


def test_a_stream_warns_at_its_first_listing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, {"web/a.log": "x\n"})
    stream = LogStream(
        parse_read_options({"path": str(tmp_path), "template": "{m}", "where": "team = 'db'", "layout": "{team}"}),
        "m string",
    )
    start = stream.initial_offset()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert stream.latest_offset(start, max_files=None, max_bytes=None) is start
    (record,) = caplog.records
    assert "waits for its first file" in record.getMessage()
    assert "team = 'db'" in record.getMessage()
