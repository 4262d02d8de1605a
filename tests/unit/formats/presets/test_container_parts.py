"""Parts of lines that a container runtime cut: each record is one row, with the fields of its first part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyspark_logs import ScanSummary, scan
from pyspark_logs.errors import FormatError, OptionError, RecordError
from pyspark_logs.formats.presets.container_parts import CriParts, DockerParts
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import PartRule, join_parts, read_lines
from tests.support.formats import line_format
from tests.support.log_files import read, write

TIME = "2026-11-22T01:00:{:02}.5Z"
Entry = tuple[int, str, bool, str]  # second, stream, whether the line is complete, text


def cri_line(entry: Entry) -> str:
    second, stream, complete, text = entry
    return f"{TIME.format(second)} {stream} {'F' if complete else 'P'} {text}"


def docker_line(entry: Entry) -> str:
    second, stream, complete, text = entry
    fields = {"log": text + "\n" * complete, "stream": stream, "time": TIME.format(second)}
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


entries = st.tuples(
    st.integers(0, 59), st.sampled_from(["stdout", "stderr"]), st.booleans(),
    st.sampled_from(["", "a", 'x" y', "\\", "\\n", " stdout P ", '","stream":"std', "é€", '{"log":"'])
)  # fmt: skip


def joined_entries(lines: list[Entry | None]) -> list[tuple[int, Entry]]:
    """Returns the records with the index of their first line, in the order of these indices."""
    found: list[tuple[int, list[Entry]]] = []
    unfinished: dict[str, list[Entry]] = {}
    for index, entry in enumerate(lines):
        if entry is None:
            continue
        if entry[1] in unfinished:
            unfinished[entry[1]].append(entry)
        else:
            unfinished[entry[1]] = [entry]
            found.append((index, unfinished[entry[1]]))
        if entry[2]:
            del unfinished[entry[1]]
    return [(index, (p[0][0], p[0][1], p[-1][2], "".join(part[3] for part in p))) for index, p in found]


class TestJoining:
    @pytest.mark.parametrize(("rule", "line"), [(CriParts(), cri_line), (DockerParts(), docker_line)])
    @given(lines=st.lists(st.none() | entries, max_size=12), block_bytes=st.sampled_from([1, 60, 200, 1 << 20]))
    @example(lines=[(1, "stdout", True, "\\"), (2, "stdout", True, "\\n")], block_bytes=200)
    @example(lines=[(1, "stdout", False, "\\n"), (2, "stdout", True, "\\n")], block_bytes=200)
    def test_blocks_give_each_record_once(
        self, rule: PartRule, line: Any, lines: list[Entry | None], block_bytes: int
    ) -> None:
        texts = ["no container line" if entry is None else line(entry) for entry in lines]
        content = "".join(text + "\n" for text in texts).encode()
        offsets = [0]
        for text in texts:
            offsets.append(offsets[-1] + len(text.encode()) + 1)
        joined: list[tuple[int, int]] = []
        blocks = join_parts(
            read_lines(iter([content]), block_bytes=block_bytes), rule, on_join=lambda *args: joined.append(args)
        )
        found = [(int(lines.offsets[row]), lines.record(row).decode()) for lines in blocks for row in range(len(lines))]
        expected = [(offsets[index], line(entry)) for index, entry in joined_entries(lines)]
        expected += [(offsets[index], texts[index]) for index, entry in enumerate(lines) if entry is None]
        assert sorted(found) == sorted(expected)
        assert sum(count for count, _ in joined) == len(lines) - len(expected)

    @pytest.mark.parametrize(("rule", "line"), [(CriParts(), cri_line), (DockerParts(), docker_line)])
    def test_blocks_without_parts_are_not_copied(self, rule: PartRule, line: Any) -> None:
        content = "".join(line((n % 60, "stdout", True, "text")) + "\n" for n in range(100)).encode()
        (lines,) = read_lines(iter([content]))
        (found,) = join_parts(iter([lines]), rule)
        assert found is lines

    @pytest.mark.parametrize(("rule", "line"), [(CriParts(), cri_line), (DockerParts(), docker_line)])
    def test_after_a_missing_last_part_only_lines_of_its_stream_are_parsed(
        self, rule: PartRule, line: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parsed: list[bytes] = []
        original = rule.parse

        def counted(text: bytes) -> Any:
            parsed.append(text)
            return original(text)

        monkeypatch.setattr(rule, "parse", counted)
        written = [(0, "stderr", False, "cut"), *((1, "stdout", True, f"{n}") for n in range(100))]
        content = "".join(line(entry) + "\n" for entry in [*written, (2, "stdout", True, "stderr")]).encode()
        blocks = list(join_parts(read_lines(iter([content]), block_bytes=500), rule))
        assert sum(map(len, blocks)) == 102
        assert len(parsed) == 2


CRI = [
    "2026-11-22T01:00:11.045Z stdout P one, ",
    "2026-11-22T01:00:12.045Z stderr F between",
    "2026-11-22T01:00:13.045Z stdout P two, ",
    "2026-11-22T01:00:14.045Z stdout F:x three",
    "2026-11-22T01:00:15.045Z stdout F whole",
    "2026-11-22T01:00:16.045Z stderr P the end is missing",
]
CRI_ROWS = [(11, "stdout", "F:x", "one, two, three"), (12, "stderr", "F", "between"), (15, "stdout", "F", "whole"),
            (16, "stderr", "P", "the end is missing")]  # fmt: skip


def cri_rows(path: object, **options: Any) -> list[tuple[Any, ...]]:
    rows = read(path, preset="cri", **options)
    return sorted((row["timestamp"].second, row["stream"], row["tags"], row["log"]) for row in rows)


class TestReading:
    @pytest.mark.parametrize("name", ["a.log", "a.log.gz", "a.log.zst"])
    @pytest.mark.parametrize("size", [40, 10_000])
    def test_cri(self, name: str, size: int, tmp_path: Path) -> None:
        write(tmp_path, {name: "\n".join(CRI)})
        summary = ScanSummary()
        assert cri_rows(tmp_path, maxPartitionBytes=size, mode="FAILFAST", summary=summary) == CRI_ROWS
        assert (summary.records, summary.joined, summary.corrupt) == (4, 2, 0)
        rows = read(tmp_path, preset="cri", metadata=True, maxPartitionBytes=size)
        text = "\n".join(CRI)
        offsets = {row["log"]: row["_metadata"]["record_offset"] for row in rows}
        assert offsets == {row[3]: text.index(f"01:00:{row[0]}") - len("2026-11-22T") for row in CRI_ROWS}

    def test_parts_stay_rows_on_request(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "\n".join(CRI)})
        for size in (40, 10_000):
            rows = cri_rows(tmp_path, joinParts=False, maxPartitionBytes=size)
            assert [row[3] for row in rows] == ["one, ", "between", "two, ", "three", "whole", "the end is missing"]
        assert len(cri_rows(tmp_path, multiLine=True)) == 6

    def test_parts_of_another_file_are_not_joined(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "\n".join(CRI[:1]), "b.log": "\n".join(CRI[2:4])})
        assert [row[3] for row in cri_rows(tmp_path)] == ["one, ", "two, three"]

    def test_a_character_that_was_cut(self, tmp_path: Path) -> None:
        head, tail = "grün".encode()[:3], "grün".encode()[3:]
        lines = [CRI[0].removesuffix("one, ").encode() + head, CRI[3].removesuffix("three").encode() + tail]
        write(tmp_path, {"a.log": b"\n".join(lines)})
        assert cri_rows(tmp_path) == [(11, "stdout", "F:x", "grün")]

    def test_docker(self, tmp_path: Path) -> None:
        lines = [
            r'{"log":"{\"a\": \"","stream":"stdout","attrs":{"tag":"shop"},"time":"2026-11-22T01:00:11Z"}',
            r'{"log":"between\n","stream":"stderr","time":"2026-11-22T01:00:12Z"}',
            r'{"log":"x\\n","stream":"stdout","time":"2026-11-22T01:00:11Z"}',
            r'{"log":"y\"}\n","stream":"stdout","time":"2026-11-22T01:00:13Z"}',
            r'{"log":"whole\n","stream":"stdout","time":"2026-11-22T01:00:14Z"}',
        ]
        write(tmp_path, {"a-json.log": "\n".join(lines)})
        rows = read(tmp_path, preset="docker_json", mode="FAILFAST", maxPartitionBytes=50)
        found = sorted((row["time"].second, row["log"], row["stream"], row["attrs"]) for row in rows)
        assert found == [
            (11, '{"a": "x\\ny"}\n', "stdout", {"tag": "shop"}),
            (12, "between\n", "stderr", None),
            (14, "whole\n", "stdout", None),
        ]
        assert len(read(tmp_path, preset="docker_json", joinParts="false")) == 5

    def test_a_filter_sees_the_joined_record(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "\n".join(CRI)})
        assert cri_rows(tmp_path, where="log LIKE '%two, three'") == CRI_ROWS[:1]

    def test_a_record_that_is_too_long(self, tmp_path: Path) -> None:
        parts = [f"2026-11-22T01:00:{n:02}Z stdout P {'x' * 90}" for n in range(30)]
        write(tmp_path, {"a.log": "\n".join([CRI[4], *parts, "2026-11-22T01:00:40Z stdout F end", CRI[1]])})
        rows = read(tmp_path, preset="cri", maxRecordBytes=1000, columnNameOfCorruptRecord="raw")
        assert [(row["log"], row["raw"]) for row in rows] == [
            ("whole", None), (None, ("2026-11-22T01:00:00Z stdout F " + "x" * 2700)[:1000]), ("between", None),
        ]  # fmt: skip
        with pytest.raises(RecordError, match="the record has 2733 bytes, more than"):
            read(tmp_path, preset="cri", maxRecordBytes=1000, mode="FAILFAST")

    def test_options_that_contradict_are_refused(self, tmp_path: Path) -> None:
        write(tmp_path, {"a.log": "\n".join(CRI)})
        with pytest.raises(FormatError, match="'joinParts' belongs to the presets cri and docker_json"):
            scan(tmp_path, preset="klog", joinParts=True)
        with pytest.raises(FormatError, match="'joinParts' and 'multiLine' both decide"):
            scan(tmp_path, preset="cri", joinParts=True, multiLine=True)
        with pytest.raises(OptionError, match="'joinParts' belongs to preset"):
            scan(tmp_path, json=True, joinParts=True)


@pytest.mark.parametrize(
    ("preset", "values", "column"),
    [
        ("cri", {"timestamp": 0, "stream": "stdout", "tags": "P", "log": "a"}, "tags"),
        ("docker_json", {"log": "a", "stream": "stdout", "time": 0}, "log"),
    ],
)
def test_parts_are_not_written(preset: str, values: dict[str, Any], column: str) -> None:
    """A reader would join the row to the next one."""
    types = {int: pa.timestamp("us", "UTC"), str: pa.string()}
    batch = pa.RecordBatch.from_arrays(
        [pa.array([value], types[type(value)]) for value in values.values()], names=list(values)
    )
    encoder = line_format(FormatOptions("preset", preset)).encoder(batch.schema)
    with pytest.raises(RecordError, match=f"column '{column}': .* makes a part of a line"):
        encoder.encode(batch)
