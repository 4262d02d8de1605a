"""Logs of six real systems against header fields that people split out by hand (the Loghub collection).

The logs are not part of the project: they are looked for beside it, and without them nothing runs here. See
https://github.com/logpai/loghub; Jieming Zhu, Shilin He, Pinjia He, Jinyang Liu, Michael R. Lyu: Loghub: A Large
Collection of System Log Datasets for AI-driven Log Analytics. ISSRE, 2023.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.formats.chain import ChainEngine
from pyspark_logs.formats.kinds import compile_decoder, format_schema
from pyspark_logs.formats.timestamps import Moment
from pyspark_logs.options import FormatOptions, parse_read_options
from pyspark_logs.reader import LogReader
from pyspark_logs.records import find_lines
from pyspark_logs.tally import Tally

CORPUS = Path(__file__).parents[1] / ".." / "shared" / "corpus" / "loghub"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the Loghub logs are not beside the project")


class System(NamedTuple):
    """A template whose fields are named as the columns of the truth, and its time as the truth writes it."""

    template: str
    time: Callable[[datetime], dict[str, str]]


def millis(time: datetime) -> str:
    return f"{time:%H:%M:%S},{time.microsecond // 1000:03}"


SYSTEMS = {
    "Apache": System(
        "[{ts:timestamp(%a %b %d %H:%M:%S %Y)}] [{Level}] {Content}",
        lambda time: {"Time": f"{time:%a %b %d %H:%M:%S %Y}"},
    ),
    "HDFS": System(
        "{ts:timestamp(%y%m%d %H%M%S)} {Pid:int} {Level} {Component}: {Content}",
        lambda time: {"Date": f"{time:%y%m%d}", "Time": f"{time:%H%M%S}"},
    ),
    "Spark": System(
        "{ts:timestamp(%y/%m/%d %H:%M:%S)} {Level} {Component}: {Content}",
        lambda time: {"Date": f"{time:%y/%m/%d}", "Time": f"{time:%H:%M:%S}"},
    ),
    "Zookeeper": System(
        "{ts:timestamp} - {Level}{~}[{Node}:{Component}@{Id:int}] - {Content}",
        lambda time: {"Date": f"{time:%Y-%m-%d}", "Time": millis(time)},
    ),
    "OpenSSH": System(
        "{ts:timestamp(%b %d %H:%M:%S)} {Component} sshd[{Pid:int}]: {Content}",
        lambda time: {"Date": f"{time:%b}", "Day": f"{time.day}", "Time": f"{time:%H:%M:%S}"},
    ),
    "Hadoop": System(
        "{ts:timestamp} {Level} [{Process}] {Component}: {Content}",
        lambda time: {"Date": f"{time:%Y-%m-%d}", "Time": millis(time)},
    ),
}
systems = pytest.mark.parametrize("name", SYSTEMS)


def one_blank(text: str) -> str:
    """The truth has some runs of blanks collapsed, and none at the ends."""
    return re.sub(r"\s+", " ", text).strip()


def truth_of(name: str) -> list[dict[str, str]]:
    with (CORPUS / f"{name}_2k.log_structured.csv").open(encoding="utf-8", newline="") as file:
        return [
            {key: value for key, value in row.items() if key not in ("LineId", "EventId", "EventTemplate")}
            for row in csv.DictReader(file)
        ]


@systems
def test_every_header_field_is_the_truth(name: str) -> None:
    system = SYSTEMS[name]
    path = CORPUS / f"{name}_2k.log"
    rows = (
        pyspark_logs.scan(str(path), template=system.template, columnNameOfCorruptRecord="bad").read_all().to_pylist()
    )
    truth = truth_of(name)
    assert len(rows) == len(truth) == len(path.read_bytes().splitlines())
    for row, expected in zip(rows, truth, strict=True):
        assert row.pop("bad") is None
        found: dict[str, Any] = {**system.time(row.pop("ts")), **row}
        assert {key: one_blank(str(value)) for key, value in found.items()} == {
            key: one_blank(value) for key, value in expected.items()
        }


@systems
@pytest.mark.parametrize("judged", ["HDFS", "Zookeeper"])
@pytest.mark.parametrize("mode", ["PERMISSIVE", "DROPMALFORMED"])
def test_rows_and_rejects_are_the_records(name: str, judged: str, mode: str) -> None:
    """Whichever template reads whichever log."""
    path = CORPUS / f"{name}_2k.log"
    options = parse_read_options({"path": str(path), "template": SYSTEMS[judged].template, "mode": mode})
    reader = LogReader(options, "ts timestamp, Component string, Content string")
    tally = Tally()
    rows = sum(batch.num_rows for task in reader.plan().tasks for batch in reader.read_task(task, tally))
    assert tally.records == tally.rows + tally.dropped == len(path.read_bytes().splitlines())
    assert rows == tally.rows
    assert tally.corrupt == (0 if name == judged else tally.records)
    assert tally.dropped == (tally.corrupt if mode == "DROPMALFORMED" else 0)


@systems
def test_the_fast_engine_takes_them_all(name: str) -> None:
    options = FormatOptions("template", SYSTEMS[name].template)
    decoder = compile_decoder(options, format_schema(options) or pa.schema([]), judge_whole=True)
    chain = next(engine for engine in decoder.engines if isinstance(engine, ChainEngine))
    lines = find_lines((CORPUS / f"{name}_2k.log").read_bytes(), 0)
    sure = chain.parse(lines.block, lines.starts, lines.ends, Moment(year_bound_us=1_795_350_896_000_000))
    assert sure.rows is None
