"""JSON documents: their records are what a JSON parser says they are, at any size of pieces, whole or cut off."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.errors import RecordError
from pyspark_logs.formats import registry
from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.json.format import documented
from pyspark_logs.records import DocumentRule, document_records
from tests.conformance.test_engines import thorough
from tests.support.effort import extent
from tests.support.growth import assert_linear_time


def records(
    document: bytes, key: str = "Records", size: int = 1 << 20, most: int = 16 << 20, **rule: Any
) -> list[tuple[int, bytes]]:
    """Offset and text of each record; the text of a corrupt record that may be JSON begins with an exclamation mark."""
    chunks = (document[place : place + size] for place in range(0, len(document), size))
    found = []
    rules = DocumentRule(tuple(key.split(".")) if key else (), **rule)
    for lines in document_records(chunks, rules, max_record_bytes=most, read_bytes=size):
        mark = b"!" if lines.damage is not None and is_object(lines.record(0)) else b""
        found += [(int(lines.offsets[row]), mark + lines.record(row)) for row in range(len(lines))]
    return found


def texts(document: str, key: str = "", **options: Any) -> list[str]:
    """Text of each record, which is the same for any size of pieces."""
    found = [text.decode() for _, text in records(document.encode(), key, **options)]
    assert [text.decode() for _, text in records(document.encode(), key, size=1, **options)] == found
    return found


def is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text.decode("utf-8", "replace")), dict)
    except (ValueError, RecursionError):
        return False


words = st.text(st.sampled_from('ab"\\{}[],: \té\U0001f600'), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
elements = st.dictionaries(words, values, max_size=4)
others = st.dictionaries(words.filter(lambda word: word != "Records"), values, max_size=2)
spaces = st.text(" \t\r\n", max_size=3)


@st.composite
def documents(draw: st.DrawFn, key: str) -> tuple[bytes, list[tuple[int, bytes]]]:
    """A document, and its records with their offsets."""
    text = draw(st.sampled_from(["", "\ufeff"])) + draw(spaces)
    expected = []
    indent = draw(st.sampled_from([None, 0, 2]))
    plain = draw(st.booleans())

    def dump(value: Any) -> str:
        return json.dumps(value, indent=indent, ensure_ascii=plain)

    if key:
        text += "{" + "".join(f"{dump(name)}{draw(spaces)}:{dump(value)}," for name, value in draw(others).items())
        text += f"{draw(spaces)}{json.dumps(key)}{draw(spaces)}:{draw(spaces)}"
    array_offset = len(text.encode())
    text += "["
    for number, element in enumerate(draw(st.lists(elements, max_size=5))):
        text += ("," if number else "") + draw(spaces)
        expected.append((len(text.encode()), dump(element).encode().replace(b"\n", b" ").replace(b"\r", b" ")))
        text += dump(element) + draw(spaces)
    text += draw(spaces) + "]" + draw(spaces)
    if not key and not expected:
        expected.append((array_offset, b"[]"))  # a corrupt record, as it is in a line
    if key:
        text += "".join(f",{dump(name)}:{dump(value)}" for name, value in draw(others).items()) + "}" + draw(spaces)
    return text.encode(), expected


@pytest.mark.parametrize("key", ["Records", "", 'a "key"'])
@given(data=st.data(), size=st.integers(1, 40) | st.just(1 << 20))
@thorough
def test_the_elements_are_the_records(key: str, data: st.DataObject, size: int) -> None:
    document, expected = data.draw(documents(key))
    assert records(document, key, size) == expected


@given(document=documents("Records"), cut=st.integers(0, 10**6), size=st.integers(1, 40))
@thorough
def test_a_document_that_was_cut_off_says_so(
    document: tuple[bytes, list[tuple[int, bytes]]], cut: int, size: int
) -> None:
    whole, expected = document
    text = whole[: cut % len(whole)]
    found = records(text, size=size)
    assert [pair for pair in found if is_object(pair[1])] == [
        (offset, record) for offset, record in expected if offset + len(record) <= len(text)
    ]
    bad = [record for _, record in found if not is_object(record)]
    if not text.strip(b"\xef\xbb\xbf \t\r\n"):
        assert not bad or text in (b"\xef", b"\xef\xbb")  # half a byte order mark is none
    elif not is_object(text.removeprefix(b"\xef\xbb\xbf")):
        (shown,) = bad
        assert shown in text.replace(b"\n", b" ").replace(b"\r", b" ")


BAD = [
    (b'{"other": {"Records": [{"a":1}]}}', 1),
    (b'{"digest": 1}\n', 1),
    (b'{"Records": null}', 1),
    (b'{"Records": {"a": [1]}}', 1),
    (b'[{"a":1}]', 1),
    (b'[{"other":[{"a":1}]}]', 1),
    (b'"Records"', 1),
    (b'x {"Records":[{"a":1}]}', 1),
    (b"{}", 1),
    (b"{\n\n}\n", 1),
    (b'{"Records" [', 1),
    (b'{"Records": 1 [{"a":1}]}', 1),
]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(("document", "count"), BAD)
def test_without_the_array_a_document_is_one_record_that_is_no_object(document: bytes, count: int, size: int) -> None:
    found = records(document, size=size)
    assert len(found) == count
    assert not is_object(found[0][1])
    shown = found[0][1].removeprefix(b"!")
    assert shown in document.strip().replace(b"\n", b" ")
    assert len(document.strip()) - len(shown) <= 2  # the brackets of an array of documents


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("document", "bad"),
    [
        (b'{"Records":[{"a":1}]}} {"Records":[{"a":2}]}', b'} {"Records":[{"a":2}]}'),
        (b'{"a":1} {"Records":[{"a":2}]}', b'!{"a":1}'),
        (b'{"a":1} }', b"}"),
        (b'{"Records":[{"a":1}]x}', b"x}"),
        (b'{"Records":[{"a":1}],"more"}', b',"more"}'),
        (b'{"Records":[{"a":1}}, {"b":2}]}', b'}, {"b":2}]}'),
        (b'{"Records":[{"a":1},12,"x y",{"a":', b"12"),
        (b'{"Records":[{"a":1},{"a":2]}]}', b'{"a":2]'),
        (b'{"Records":[{"a":1}{"a":2}]}', b'{"a":1}{"a":2}'),
    ],
)
def test_what_is_out_of_place_is_a_record_of_its_own(document: bytes, bad: bytes, size: int) -> None:
    found = [record for _, record in records(document, size=size)]
    assert bad in found
    assert not is_object(bad)


def test_documents_one_after_another() -> None:
    assert texts('[{"a":1}]\n{"a":2}\n') == ['{"a":1}', '{"a":2}']
    envelopes = '{"Records":[{"a":1}]}{"Records":[]}\n\n{"Records":[{"a":2},\n{"a":3}]} [{"Records":[{"a":4}]}]'
    assert texts(envelopes, "Records") == ['{"a":1}', '{"a":2}', '{"a":3}', '{"a":4}']


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{\n "a": 1\n}\n{"b":\n[2]}{"c":3}\n', ['{  "a": 1 }', '{"b": [2]}', '{"c":3}']),
        ('[\n{"a":1},\n{"a":\n2}\n]\n{"b":3}', ['{"a":1}', '{"a": 2}', '{"b":3}']),
        # A line that was cut off takes no line after it.
        ('{"a":\n{"b":1}\n{"c":2}\n', ['{"a":', '{"b":1}', '{"c":2}']),
        ('{"a":"x\n{"b":1}\n', ['{"a":"x', '{"b":1}']),
        ('{"a":[\n' * 3 + '{"b":1}\n', ['{"a":[ {"a":[ {"a":[', '{"b":1}']),
        ('[{"a":1},{"b":\n{"c":2}\n{"d":3}\n', ['{"a":1}', '{"b":', '{"c":2}', '{"d":3}']),
        ('[{"a":1}\n{"b":2}\n', ['{"a":1}', "[", '{"b":2}']),
        # Lines of a damaged value are one record, without the lines that are values.
        ('{\n"a":1\n"b":2\n}\n{"c":3}\nx\ny\n', ['{ "a":1 "b":2 }', '{"c":3}', "x", "y"]),
        ('{\n"a":1\n"b":\n{"c":2}\n}\n', ['{ "a":1 "b":', '{"c":2}', "}"]),
        ('[\n{"a":1\n"b":2},\n{"c":3}\n]', ['{"a":1 "b":2}', '{"c":3}']),
    ],
)
def test_values_over_several_lines(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize("text", ['{\n"a":1\n}\n{\n"a":2\n}\n', '[{"a":1},\n{"a":2}\n]'])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_values_over_several_lines_after_a_byte_order_mark(tmp_path: Path, text: str, compress: Any) -> None:
    (tmp_path / "a.json").write_bytes(compress(("\ufeff" + text).encode()))
    found = pyspark_logs.scan(str(tmp_path), json="true", mode="FAILFAST").read_all()
    assert found.to_pylist() == [{"a": 1}, {"a": 2}]


def test_a_document_that_ends_after_a_comma_takes_no_other_document() -> None:
    assert texts('{"Records":[{"a":1},\n{"Records":[{"a":2}]}\n', "Records") == ['{"a":1}', '{"Records":[', '{"a":2}']


def test_paths_of_several_keys_and_values_beside_the_records() -> None:
    text = '{"o":"x","a":{"y":2,"b":[{"q":1},{ }],"list":[1]},"z":"\\u00e9"}{"a":{"b":[{"q":2}]}}'
    assert texts(text, "a.b") == ['{"q":1}', "{ }", '{"q":2}']
    assert texts(text, "a.b", parent="parent") == [
        '{"parent":{"o":"x","z":"\\u00e9","a":{"y":2}},"q":1}',
        '{"parent":{"o":"x","z":"\\u00e9","a":{"y":2}} }',
        '{"q":2}',
    ]


def test_values_beside_the_records_of_a_document_that_cannot_be_held() -> None:
    found = texts('{"o":1,"r":[' + '{"q":"xxxxxxxxxx"},' * 9 + '{}],"z":2}', "r", parent="parent", most=40)
    assert found[0] == '{"parent":{"o":1},"q":"xxxxxxxxxx"}'
    assert found[-1] == '"z":2'
    long = '{"o":"' + "x" * 20_000 + '","r":[{"q":1}]}'
    assert [text[:9] for text in texts(long, "r", parent="parent")] == ['{"o":"xxx', '{"q":1}']


def test_documents_without_records_that_are_not_corrupt() -> None:
    control = '{"type":"CONTROL","r":[{"m":"check"}]}\n{"r":[{"m":"a"}],"type":"DATA"}{"type":"CONTROL"}'
    assert texts(control, "r", ignored=("type", "CONTROL")) == ['{"m":"a"}']
    bare = '{"version":1,"a":2}\n{"a":3}\n[{"version":\n4}]{"r":[{"a":5}]}'
    assert texts(bare, "r", bare_key="version") == ['{"version":1,"a":2}', '!{"a":3}', '{"version": 4}', '{"a":5}']


def test_nothing_is_no_record() -> None:
    assert records(b"") == []
    assert records(b" \n") == []
    assert records(b'{"Records":[]}') == []
    assert records(b'{"Records":[ \n ]}\n') == []


def test_what_is_too_long_to_be_held_is_a_head_of_a_record() -> None:
    head = b'{"other": "' + b"x" * 500 + b'", "Records": [{"a":1}]}'
    tail = b'{"Records": [{"a":1}], "other": "' + b"x " * 500 + b'"}'
    assert [is_object(record) for _, record in records(head, most=100, size=50)] == [False]
    assert [is_object(record) for _, record in records(tail, most=100, size=50)] == [True, False]
    long = b'{"Records": [{"a":1}, {"a":"' + b"x" * 500 + b'"}, {"a":2}]}'
    assert [is_object(record) for _, record in records(long, most=100, size=50)] == [True, False, True]


SIZE = extent(bounded=20_000, full=40_000)


@pytest.mark.parametrize(
    "before", ["", '{"Records":[', '{"Records":[{"a":1}], ', '{"Records":[{"a":"', '{"Records":[{"a":1}', '{"']
)
@pytest.mark.parametrize(
    "sign", ["[", "{", '"', "\\", '\\"', " ", ",", "]", "\n", "}", "[]", '"a":', "{}", "[\n", '{"a":\n', "x\n"]
)
def test_hostile_text_takes_linear_time(sign: str, before: str) -> None:
    assert_linear_time(lambda size: records((before + sign * (size // len(sign))).encode(), size=16 << 10), SIZE)


# --- through the door ------------------------------------------------------------------------------------------

FIELDS = [
    JsonField("eventTime", "timestamp"),
    JsonField("user", path="userIdentity.userName"),
    JsonField("request", "json"),
]
RULE = DocumentRule(("Records",))


@pytest.fixture
def trail(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(registry.FORMATS, "preset", lambda options: documented(options, FIELDS, documents=RULE))
    registry.resolve_format.cache_clear()
    yield
    registry.resolve_format.cache_clear()


EVENTS = [
    {"eventTime": "2026-11-22T10:00:00Z", "userIdentity": {"userName": "ann"}, "request": {"a": [1, "é"]}, "id": 1},
    {"eventTime": "2026-11-22T10:00:01Z", "userIdentity": {}, "request": None, "id": 2},
]


def read(path: Path, **options: Any) -> list[dict[str, Any]]:
    return pyspark_logs.scan(str(path), preset="trail", **options).read_all().to_pylist()


@pytest.mark.usefixtures("trail")
class TestThroughScan:
    @pytest.mark.parametrize("indent", [None, 1])
    @pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
    def test_rows_and_their_places(self, tmp_path: Path, name: str, indent: int | None) -> None:
        text = json.dumps({"Records": EVENTS}, indent=indent).encode()
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
        rows = read(tmp_path, metadata=True, maxPartitionBytes=7)
        assert [(row["user"], row["request"]) for row in rows] == [("ann", '{"a":[1,"é"]}'), (None, None)]
        decoder = json.JSONDecoder()
        places = [row["_metadata"]["record_offset"] for row in rows]
        assert [decoder.raw_decode(text[place:].decode())[0] for place in places] == EVENTS

    def test_other_keys_can_be_asked_for_and_time_ranges_hold(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text(json.dumps({"Records": EVENTS}))
        assert read(tmp_path, schema="id int", startTime="2026-11-22T10:00:01Z") == [{"id": 2}]

    def test_other_encodings(self, tmp_path: Path) -> None:
        for encoding in ("utf-16", "gbk", "latin-1"):
            (tmp_path / "a.json").write_bytes(json.dumps({"Records": EVENTS}, ensure_ascii=False).encode(encoding))
            assert read(tmp_path, encoding=encoding, mode="FAILFAST", schema="request string")[0] == {
                "request": '{"a":[1,"é"]}'
            }

    def test_a_file_that_is_something_else_is_a_corrupt_row(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text('{"awsAccountId": "1", "eventTime": "2026-11-22T10:00:00Z"}')
        rows = read(tmp_path, columnNameOfCorruptRecord="bad")
        assert [row["bad"] for row in rows] == ['{"awsAccountId": "1", "eventTime": "2026-11-22T10:00:00Z"}']
        assert rows[0]["eventTime"] is None
        with pytest.raises(RecordError, match=r"record at byte 0.*without records at 'Records'"):
            read(tmp_path, mode="FAILFAST")

    def test_bytes_that_are_no_utf8(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_bytes(
            b'{"Records":[{"userIdentity":{"userName":"\xff"}},{"userIdentity":{"userName":"x"}}]}'
        )
        assert [row["user"] for row in read(tmp_path, mode="FAILFAST")] == ["\ufffd", "x"]


@pytest.mark.parametrize(
    "text",
    [b'"d"en \x08\x14\xfb' + b"\0" * 9, b"{\n" + b"x" * 20 + b"\n{}"],
)
def test_a_broken_line_is_too_long_however_the_text_is_divided(text: bytes) -> None:
    """A line longer than the limit was corrupt for another reason if the text that was held contained its end."""
    found = [
        [(lines.record(row), lines.full_length, lines.damage) for lines in blocks for row in range(len(lines))]
        for blocks in (
            document_records(iter([text]), DocumentRule(), max_record_bytes=16),
            document_records((text[at : at + 3] for at in range(0, len(text), 3)), DocumentRule(), max_record_bytes=16, read_bytes=4),
        )
    ]  # fmt: skip
    assert found[0] == found[1]


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_damaged_element_ends_at_the_same_byte_however_the_text_is_divided(size: int) -> None:
    """An escape that the held text cut in two ended the string before it."""
    for text in (b'{"a":{"k":1,"b":[{"c":1}{"\\}}', b'{"a":{"b":[1 "\\"]" , 2, "\\\\", 3 "x]"]}}'):
        rule = DocumentRule(("a", "b"), parent="p")
        pieces = (text[at : at + size] for at in range(0, len(text), size))
        found = [
            [(lines.record(row), lines.damage) for lines in blocks for row in range(len(lines))]
            for blocks in (document_records(iter([text]), rule), document_records(pieces, rule, read_bytes=1))
        ]
        assert found[0] == found[1]


@pytest.mark.parametrize("more", [{}, {"parent": "p"}, {"ignored": ("t", "x")}])
def test_documents_that_are_records_are_kept_with_any_rule(more: dict[str, Any]) -> None:
    rule = DocumentRule(("Records",), bare_key="k", **more)
    text = b'{"k":1}{"Records":[{"a":1}]}\n{"k":2,"t":"y"}'
    blocks = list(document_records(iter([text]), rule))
    found = [lines.record(row) for lines in blocks for row in range(len(lines))]
    assert found == [b'{"k":1}', b'{"a":1}', b'{"k":2,"t":"y"}']
