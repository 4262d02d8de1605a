"""Detection of files whose lines have several formats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.detection.mixed import FoundFormat, mixed_format

TIME = pa.timestamp("us", "UTC")
APP = [f"2026-11-22T01:00:{n:02d}Z INFO [cart] order {n} accepted" for n in range(40)]
JSON = [f'{{"ts": {1795305600 + n}, "level": "WARN", "n": {n}}}' for n in range(20)]
TRACE = ["java.lang.IllegalStateException: no", "\tat com.acme.Cart.order(Cart.java:17)"] * 10
TEMPLATE = {"template": "{ts:timestamp} {level} [{service}] {message}"}


def find_format(lines: Sequence[str]) -> FoundFormat | None:
    """Returns the format of lines of one kind, as the ranking would."""
    if all(line in JSON for line in lines):
        return FoundFormat({"json": "true"}, pa.schema([("ts", pa.int64()), ("level", pa.string()), ("n", pa.int64())]))
    if all(line in APP for line in lines):
        schema = pa.schema([("ts", TIME), ("level", pa.string()), ("service", pa.string()), ("message", pa.string())])
        return FoundFormat({**TEMPLATE, "multiLine": "true"}, schema)
    return None


def test_a_list_of_formats_is_proposed_for_mixed_lines(tmp_path: Path) -> None:
    """The time of the template has another type than the key of the same name, and gets another name."""
    (tmp_path / "a.log").write_text("\n".join([*APP[:20], *TRACE, *JSON, *APP[20:]]) + "\n")
    best, *others = pyspark_logs.detect(tmp_path / "a.log")
    members = json.loads(best.options["anyOf"])
    assert [next(iter(member)) for member in members] == ["template", "json"]
    assert "{ts_2:timestamp}" in members[0]["template"]
    assert best.options["multiLine"] == "true"
    assert best.share == 1
    assert any("multiLine" in each.options for each in others)
    table = pyspark_logs.scan(str(tmp_path / "a.log"), **best.options, mode="FAILFAST").read_all()
    assert table["n"].null_count == 40
    assert all(name in best.code(language) for name in ("anyOf", "ts_2") for language in ("python", "sql", "scan"))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([*APP, *JSON], [{"template": "{ts_2:timestamp} {level} [{service}] {message}"}, {"json": "true"}]),
        ([*APP, *TRACE], None),  # continuations are of no format
        ([*APP, *JSON[:2]], None),  # too few lines
        (APP, None),
        ([], None),
        ([*APP, *["x 10:00:00 y"] * 9], None),  # lines of which no format is known
    ],
    ids=["mixed", "traces", "few", "one", "none", "unknown"],
)
def test_lines_of_several_formats(lines: list[str], expected: object) -> None:
    found = mixed_format(lines, {**TEMPLATE, "multiLine": "true"}, find_format)
    assert (found and json.loads(found["anyOf"])) == expected
