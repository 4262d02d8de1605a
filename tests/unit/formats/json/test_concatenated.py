"""Lines with several JSON values: each value, and each element of an array, is a record."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.formats.json.concatenated import split_values
from pyspark_logs.records import find_lines
from tests.conformance.test_engines import thorough
from tests.support.records import scan_rows

words = st.text(st.sampled_from('a"\\{}[], é'), max_size=5)
values = st.recursive(
    st.none() | st.integers(-9, 9) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=4,
)
objects = st.dictionaries(words, values, max_size=3)
blanks = st.sampled_from(["", "", " ", "  \t"])


@st.composite
def lines_of_values(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A line of objects, or a line that begins with an array, and the text of its records."""
    line, records = draw(blanks), list[str]()
    begins_with_array = draw(st.booleans())
    line = "" if begins_with_array else line
    for index in range(draw(st.integers(1, 3))):
        texts = [json.dumps(value, ensure_ascii=draw(st.booleans())) for value in draw(st.lists(objects, max_size=3))]
        if begins_with_array and (index == 0 or draw(st.booleans())):
            line += (
                "[" + ",".join(draw(blanks) + text + draw(blanks) for text in texts) + draw(blanks) * (not texts) + "]"
            )
        else:
            texts = texts or ["{}"]
            line += "".join(texts)
        records += texts
        line += draw(blanks) if begins_with_array else ""
    return line, records or [line.strip(" \t")]  # a line of empty arrays is one record, which is corrupt


def records_of(text: str) -> list[str]:
    found = split_values(find_lines(text.encode(), 7, seeks_values=True))
    unknown = split_values(find_lines(text.encode(), 7))
    assert (found.starts.tolist(), found.ends.tolist()) == (unknown.starts.tolist(), unknown.ends.tolist())
    assert (found.offsets == found.starts + 7).all()
    return [found.record(row).decode().strip(" \t") for row in range(len(found))]


@thorough
@given(st.lists(lines_of_values(), max_size=4))
def test_the_values_are_the_records(lines: list[tuple[str, list[str]]]) -> None:
    assert records_of("\n".join(line for line, _ in lines)) == [record for _, records in lines for record in records]


@pytest.mark.parametrize(
    ("line", "records"),
    [
        ('{"a":1}{"a":2}{"a":', ['{"a":1}', '{"a":2}', '{"a":']),
        ('{"a":1}{"a":2}}', ['{"a":1}{"a":2}}']),
        ('{"a":1}x{"a":2}{}', ['{"a":1}', 'x{"a":2}', "{}"]),
        ('{"a":"}{"}', ['{"a":"}{"}']),
        ('{"a":"\\"}{"}{"a":"}{"}', ['{"a":"\\"}{"}', '{"a":"}{"}']),
        ('{"a":1} {"a":2}', ['{"a":1} {"a":2}']),
        ("[]", ["[]"]),
        ("[] []", ["[] []"]),
        ("[][{}]", ["{}"]),
        ("[1, [2]]", ["1", "[2]"]),
        ("[{}", ["[{}"]),
        ("[{},]", ["[{},]"]),
        ("[{}}", ["[{}}"]),
        ("[{}] x", ["{}", "x"]),
        ("[", ["["]),
    ],
)
def test_damaged_lines(line: str, records: list[str]) -> None:
    assert records_of(line) == records


def test_offsets_of_replaced_bytes_are_kept() -> None:
    lines = find_lines(b'#\n{"a":1}{"a":2}\n{}\n', 10, b"#", cut_comments=True)
    assert split_values(lines).offsets.tolist() == [12, 19, 27]
    assert split_values(lines.select(np.array([1]))).offsets.tolist() == [27]


def test_files_of_firehose(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a":1,"m":"x"}{"a":2,"m":"}{"}{"a":3}\n[{"a":4}, {"a":"x"}]\n')
    rows = scan_rows(
        tmp_path, json=True, schema="a int, _corrupt_record string, _metadata struct<record_offset:bigint>"
    )
    assert [(row["a"], row["_metadata"]["record_offset"]) for row in rows] == [
        (1, 0),
        (2, 15),
        (3, 31),
        (4, 40),
        (None, 49),
    ]
    assert [row["_corrupt_record"] for row in rows] == [None] * 4 + ['{"a":"x"}']
    assert scan_rows(tmp_path, json=True)[0] == {"a": "1", "m": "x"}


@thorough
@given(st.lists(lines_of_values(), min_size=1, max_size=3), st.data())
def test_invalid_utf8_anywhere_in_the_block_shifts_no_record(
    lines: list[tuple[str, list[str]]], data: st.DataObject
) -> None:
    """Bytes are replaced by longer text; the records of the lines before and after keep their text and their offsets."""
    damaged = data.draw(
        st.sampled_from([b"\xbd", b"\x9d\xbd\xff", b'{"a":"\xe4"}{"b":1}', b'[{"a":"\xff\xff"}, \xbd]'])
    )
    row = data.draw(st.integers(0, len(lines)))
    before, after = lines[:row], lines[row:]
    block = b"".join(line.encode() + b"\n" for line, _ in before) + damaged + b"\n"
    block += b"".join(line.encode() + b"\n" for line, _ in after)
    records = split_values(find_lines(block, 0))
    texts = [records.record(index) for index in range(len(records))]
    stripped = [text.decode("utf-8", "replace").strip(" \t") for text in texts]
    expected_before = [text for _, records_of in before for text in records_of]
    expected_after = [text for _, records_of in after for text in records_of]
    first_after = len(texts) - len(expected_after)
    assert stripped[: len(expected_before)] == expected_before
    assert stripped[first_after:] == expected_after
    for index in (*range(len(expected_before)), *range(first_after, len(texts))):
        offset = int(records.offsets[index])
        assert block[offset : offset + len(texts[index])] == texts[index]


def test_records_after_an_invalid_byte_in_their_own_line(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"a":"\xe4"}{"a":"b"}\n[{"a":"\xff\xff"}, {"a":"c"}]\n[x\x9d\xbdl] (y) z')
    rows = scan_rows(tmp_path, json="true", schema="a string, _corrupt_record string")
    assert [row["a"] for row in rows[:4]] == ["\ufffd", "b", "\ufffd\ufffd", "c"]
    assert all(row["_corrupt_record"] for row in rows[4:])
