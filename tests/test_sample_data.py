"""The committed sample is what its script makes, so that figures quoted about it can be trusted."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter
from pathlib import Path

import pytest

from sample_data.make_sample_data import sample_files

FOLDER = Path(__file__).resolve().parents[1] / "sample_data"


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return sample_files()


def committed() -> dict[str, bytes]:
    paths = [path for name in ("app", "lb") for path in (FOLDER / name).rglob("*") if path.is_file()]
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in [*paths, FOLDER / "expected.json"]}


def text_of(name: str, data: bytes) -> bytes:
    return gzip.decompress(data) if name.endswith(".gz") else data


def test_every_run_makes_the_same_bytes(made: dict[str, bytes]) -> None:
    assert sample_files() == made


def test_the_committed_files_are_what_the_script_makes(made: dict[str, bytes]) -> None:
    kept = committed()
    assert kept.keys() == made.keys()
    for name, data in made.items():
        assert text_of(name, kept[name]) == text_of(name, data), name
    if "ng" not in zlib.ZLIB_RUNTIME_VERSION:  # zlib-ng packs the same text into other bytes
        assert kept == made


def test_the_sample_is_small(made: dict[str, bytes]) -> None:
    assert sum(map(len, made.values())) < 2 << 20


def test_gzip_headers_carry_no_time_and_no_name(made: dict[str, bytes]) -> None:
    for name, data in made.items():
        if name.endswith(".gz"):
            assert data[3:8] == bytes(5), name


def test_what_is_counted_is_there(made: dict[str, bytes]) -> None:
    expected = json.loads(made["expected.json"])
    app = b"".join(text_of(name, data) for name, data in made.items() if name.startswith("app/")).decode()
    record = re.compile(r"^\S+Z (\w+) \[\w+\] req=\w+ user=(-|\d+) took=(-|[\d.]+)ms .*$", re.MULTILINE)
    levels = Counter(match[1] for match in record.finditer(app))
    assert levels == expected["app"]["level"]
    others = [line for line in app.splitlines() if line and not record.match(line)]
    assert len(others) == expected["app"]["broken_lines"] + expected["app"]["continuation_lines"]

    lb = b"".join(text_of(name, data) for name, data in made.items() if name.startswith("lb/")).decode()
    widths = Counter(str(len(re.findall(r'"[^"]*"|\S+', line))) for line in lb.splitlines())
    assert widths == expected["lb"]["fields"]
