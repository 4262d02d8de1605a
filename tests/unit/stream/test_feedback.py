"""A streaming query that reads its own output is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pyspark_logs.errors import OptionError
from pyspark_logs.options import StoreOptions, parse_read_options
from pyspark_logs.stream import LogStream
from pyspark_logs.stream.feedback import check_feedback


def checkpoint(folder: Path, *load_paths: str) -> str:
    """Writes the offsets of batch 3 as Spark does, and returns the checkpoint."""
    where = {"path": load_paths[0]} if len(load_paths) == 1 else {"paths": list(load_paths)}
    stream = LogStream(parse_read_options({**where, "template": "{message}", "layout": "{yyyy}"}), "message string")
    offsets = folder / "checkpoint" / "offsets" / "3"
    offsets.parent.mkdir(parents=True)
    other = {"sourceVersion": 1, "root": "/elsewhere"}
    offsets.write_text("\n".join(["v1", "{}", json.dumps(other), json.dumps(stream.initial_offset()), "-"]))
    return str(folder / "checkpoint")


@pytest.mark.parametrize(
    ("load_paths", "sink"),
    [
        (["/logs/app"], "/logs/app"),
        (["/logs/app"], "/logs/app/out/"),
        (["/logs/a", "/logs/b"], "/logs/b"),
        (["/logs/*"], "/logs/app"),
        (["s3a://logs/app"], "s3://logs/app"),
    ],
)
def test_a_sink_inside_of_the_source_is_refused(tmp_path: Path, load_paths: list[str], sink: str) -> None:
    with pytest.raises(OptionError, match=r"the stream reads .* and writes to .*; write to a directory outside"):
        check_feedback(checkpoint(tmp_path, *load_paths), 3, sink, StoreOptions())


@pytest.mark.parametrize(("load_path", "sink"), [("logs", "link"), ("link", "logs"), ("link/*", "logs/app")])
def test_a_sink_behind_a_symbolic_link_is_refused(tmp_path: Path, load_path: str, sink: str) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "logs")
    with pytest.raises(OptionError, match="would be read again as new files"):
        check_feedback(checkpoint(tmp_path, f"{tmp_path}/{load_path}"), 3, f"{tmp_path}/{sink}/", StoreOptions())


@pytest.mark.parametrize(
    ("load_path", "sink"),
    [
        ("/logs/app", "/logs/app-copy"),
        ("/logs/app", "/logs"),
        ("/logs/app", "/logs/app/_copy"),
        ("/logs/*", "/logs/app/_copy"),
        ("/elsewhere/x", "/elsewhere/y"),
    ],
)
def test_another_sink_is_accepted(tmp_path: Path, load_path: str, sink: str) -> None:
    check_feedback(checkpoint(tmp_path, load_path), 3, sink, StoreOptions())


@pytest.mark.parametrize("location", ["missing", "hdfs://namenode/checkpoint", "nosuch://x/y"])
def test_a_checkpoint_that_cannot_be_read_is_not_checked(tmp_path: Path, location: str) -> None:
    path = location if "://" in location else str(tmp_path / location)
    check_feedback(path, 3, "/logs/app", StoreOptions())
