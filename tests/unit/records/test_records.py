"""Any cut of a file into splits, chunks and blocks gives the records of the whole file, once each."""

from __future__ import annotations

import itertools
from unittest import mock

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyspark_logs.records import (
    HEAD_BYTES,
    MAX_LINES,
    Block,
    blocks,
    find_lines,
    is_utf8,
    read_lines,
    sanitise,
    transcode,
)

BOM = b"\xef\xbb\xbf"

tokens = st.sampled_from(
    [
        b"\n",
        b"\r\n",
        b"\r",
        b"#",
        b"##",
        b"a",
        b"line of text",
        b"\xff",
        b"\xc3",
        "é€".encode(),
        BOM,
        b" ",
        b"\t",
        b"\0",
    ]
)
contents = st.lists(tokens, max_size=40).map(b"".join)
sizes = st.lists(st.integers(1, 30), min_size=1, max_size=8)


def reference(content, prefix=None, blanks=b"", most=1 << 20):
    """(offset, record) of every record, the plain way."""
    found, offset = [], 0
    for line in content.split(b"\n"):
        at, text = offset, line.removesuffix(b"\r")
        offset += len(line) + 1
        if at == 0 and text.startswith(BOM):
            at, text = 3, text[3:]
        at, text = at + len(text) - len(text.lstrip(b"\0")), text.lstrip(b"\0")
        if offset > len(content) and len(text) <= most:
            text = text.rstrip(b"\0")
        if text.strip(blanks or b"\n") and not (prefix and text.startswith(prefix)):
            found.append((at, text))
    return found


def cut(content, pieces):
    """The content in pieces whose sizes go round."""
    position, index = 0, 0
    while position < len(content):
        size = pieces[index % len(pieces)]
        yield content[position : position + size]
        position, index = position + size, index + 1


def records_of(content, start, length, pieces, **options):
    """(offset, bytes kept, full length) of what one split gives."""
    for lines in read_lines(cut(content[max(start - 1, 0) :], pieces), start=start, length=length, **options):
        for index, offset in enumerate(lines.offsets.tolist()):
            record = lines.record(index)
            yield offset, record, lines.full_length or len(record)


class TestSplits:
    @given(
        contents,
        st.lists(st.integers(0, 300), max_size=6),
        sizes,
        st.integers(1, 60),
        st.sampled_from([None, b"#", b"##"]),
        st.sampled_from([b"", b" \t"]),
        st.sampled_from([1, 2, 3, MAX_LINES]),
    )
    @example(b"a\r\nb", [2], [1], 1, None, b"", MAX_LINES)
    @example(BOM + b"\na", [1, 2, 3, 4], [2], 5, None, b"", MAX_LINES)
    @example(b"a\n\0\0\0b\n\0", [4], [2], 5, None, b" \t", MAX_LINES)
    def test_splits_give_each_record_once(self, content, cuts, pieces, block_bytes, prefix, blanks, most):
        bounds = sorted({0, len(content), *(c for c in cuts if c < len(content))})
        splits = [(a, b - a) for a, b in itertools.pairwise(bounds)]
        options = {"block_bytes": block_bytes, "comment_prefix": prefix, "blanks": blanks}
        with mock.patch("pyspark_logs.records.blocks.MAX_LINES", most):
            found = [
                record for start, length in splits for record in records_of(content, start, length, pieces, **options)
            ]
        assert found == [(at, text, len(text)) for at, text in reference(content, prefix, blanks)]

    @pytest.mark.parametrize("setting", ["0", ""])
    @pytest.mark.parametrize("line", [b"\n", b"a\n", b"\0\n", b"ab\r\n", b"0123456789\n"])
    def test_short_lines_bound_a_block_before_its_bytes_do(self, monkeypatch, setting, line):
        monkeypatch.setenv("PYSPARK_LOGS_COMPILED", setting)
        content = line * (3 * MAX_LINES + 1)
        found = list(read_lines(cut(content, [1 << 20]), all_blocks=True))
        assert max(len(lines) for lines in found) <= MAX_LINES
        assert b"".join(lines.block for lines in found) == content.replace(b"\0", b"\n")
        offsets = np.concatenate([lines.offsets for lines in found])
        expected = np.arange(3 * MAX_LINES + 1) * len(line) if line.strip(b"\0\n") else np.zeros(0)
        assert np.array_equal(offsets, expected)

    @given(contents, st.integers(0, 300), sizes)
    def test_an_open_split_reads_to_the_end(self, content, start, pieces):
        start = min(start, len(content))
        found = [(at, text) for at, text, _ in records_of(content, start, None, pieces)]
        first = 0 if start == 0 else content.find(b"\n", start - 1) + 1 or len(content) + 1
        assert found == [(at, text) for at, text in reference(content) if at >= first]

    def test_a_split_within_a_line_owns_nothing(self):
        assert list(blocks(iter([b"a long line\n"]), start=3, length=4)) == []
        assert list(blocks(iter([b"a long line\n"]), start=0, length=0)) == []
        assert list(blocks(iter([]), start=0, length=10)) == []

    def test_no_more_is_taken_than_the_split_needs(self):
        taken = []

        def chunks(text):
            for byte in text:
                taken.append(byte)
                yield bytes([byte])

        assert [b.data for b in blocks(chunks(b"x\naaa\nbbb\nccc\n"[1:]), start=2, length=3)] == [b"aaa\n"]
        assert bytes(taken) == b"\naaa\n"
        taken.clear()
        assert list(blocks(chunks(b"no line begins in it"), start=1, length=4)) == []
        assert bytes(taken) == b"no l"

    def test_the_source_is_closed_however_it_ends(self):
        closed = []

        def chunks():
            try:
                while True:
                    yield b"line\n"
            finally:
                closed.append(True)

        list(blocks(chunks(), length=10))
        reading = blocks(chunks(), block_bytes=10)
        next(reading)
        reading.close()
        assert closed == [True, True]

    def test_pieces_of_whole_lines_are_blocks_as_they_are(self):
        pieces = [b"one\ntwo\n", b"three\nfour\n", b"five\n"]
        found = [block.data for block in blocks(iter(pieces), block_bytes=10)]
        assert found == pieces
        assert all(data is piece for data, piece in zip(found, pieces, strict=True))

    def test_a_byte_order_mark_elsewhere_is_text(self):
        (lines,) = read_lines(iter([BOM + b"a\n" + BOM + b"b"]))
        assert [lines.record(0), lines.record(1)] == [b"a", BOM + b"b"]
        assert lines.offsets.tolist() == [3, 5]


class TestLongRecords:
    @given(
        contents,
        st.lists(st.integers(0, 300), max_size=4),
        sizes,
        st.integers(1, 60),
        st.integers(1, 20),
        st.sampled_from([None, b"##"]),
    )
    @example(b"12345\r\n12345\n123456\r\n", [], [1], 60, 5, None)
    @example(b"12345\r\n12345\n123456\r\n", [], [100], 60, 5, None)
    @example(b"\rlong\n", [], [1], 1, 1, None)
    def test_no_record_is_lost_and_no_length_wrong(self, content, cuts, pieces, block_bytes, most, prefix):
        bounds = sorted({0, len(content), *(c for c in cuts if c < len(content))})
        found = []
        for start, stop in itertools.pairwise(bounds):
            found += records_of(
                content,
                start,
                stop - start,
                pieces,
                block_bytes=block_bytes,
                max_record_bytes=most,
                comment_prefix=prefix,
            )
        wanted = reference(content, prefix, most=max(most, len(prefix or b"")))
        assert [(at, full) for at, _, full in found] == [(at, len(text)) for at, text in wanted]
        most = max(most, len(prefix or b""))
        for (_, kept, full), (_, text) in zip(found, wanted, strict=True):
            assert text.startswith(kept)
            assert kept == text if full <= most else max(1, most - 3) <= len(kept) <= most

    def test_only_what_is_longer_than_the_limit_is_cut(self):
        text = b"x" * 100
        for end in (b"", b"\n", b"\r\n"):
            for pieces in ([1], [1000]):
                assert list(blocks(cut(text + end, pieces), max_record_bytes=100)) == [Block(0, text + end)]
                assert list(blocks(cut(text + b"x" + end, pieces), max_record_bytes=100)) == [Block(0, text, 101)]

    def test_memory_is_bounded(self):
        taken = 0

        def chunks():
            nonlocal taken
            for _ in range(1000):
                taken += 1
                yield b"x" * 10_000
            yield b"\nnext\n"

        limit = 100_000
        cut_record, rest = blocks(chunks(), block_bytes=20_000, max_record_bytes=limit)
        assert cut_record == Block(0, b"x" * HEAD_BYTES, 10_000_000)
        assert rest == Block(10_000_001, b"next\n")
        assert taken == 1000

    @given(contents, sizes, st.integers(1, 60), st.integers(1, 30))
    def test_blocks_stay_small(self, content, pieces, block_bytes, most):
        for block in blocks(cut(content, pieces), block_bytes=block_bytes, max_record_bytes=most):
            assert 0 < len(block.data) <= max(block_bytes, most + 2) + block_bytes

    def test_the_head_ends_with_a_whole_character(self):
        (block,) = blocks(iter(["ä€😀".encode() * 10]), max_record_bytes=8)
        assert block.data.decode() == "ä€"
        (block,) = blocks(iter([b"\x80" * 20]), max_record_bytes=8)
        assert block == Block(0, b"\x80" * 5, 20)

    def test_a_long_comment_is_still_a_comment(self):
        lines = list(read_lines(iter([b"# " + b"x" * 100 + b"\nrecord\n"]), max_record_bytes=10, comment_prefix=b"#"))
        assert [(one.record(0), one.full_length) for one in lines] == [(b"record", None)]


class TestLines:
    def test_types_and_shape(self):
        lines = find_lines(b"one\r\n\r\n\n#c\ntwo", 5_000_000_000, b"#")
        assert lines.starts.dtype == lines.ends.dtype == np.int32
        assert lines.offsets.dtype == np.int64
        assert lines.offsets.tolist() == [5_000_000_000, 5_000_000_011]
        assert len(lines) == 2
        assert lines.full_length is None

    def test_an_empty_block(self):
        lines = find_lines(b"", 7)
        assert len(lines) == 0
        assert lines.offsets.tolist() == []
        assert sanitise(lines) is lines

    @given(contents, st.data())
    def test_select_keeps_offsets(self, content, data):
        lines = sanitise(find_lines(content, 11))
        keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines))), dtype=bool)
        for which in (keep, np.flatnonzero(keep)):
            some = lines.select(which)
            assert some.block is lines.block
            assert some.offsets.tolist() == lines.offsets[keep].tolist()
            assert [some.record(i) for i in range(len(some))] == [lines.record(i) for i in np.flatnonzero(keep)]


class TestSanitise:
    @given(st.one_of(contents, st.binary(max_size=60)), st.data())
    def test_each_record_decodes_as_it_would_alone(self, content, data):
        lines = find_lines(content, 100)
        keep = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
        lines = lines.select(np.array(keep, dtype=bool))
        clean = sanitise(lines)
        assert is_utf8(clean.block)
        assert clean.offsets.tolist() == lines.offsets.tolist()
        assert clean.starts.dtype == clean.ends.dtype == np.int32
        for index in range(len(lines)):
            assert clean.record(index).decode() == lines.record(index).decode("utf-8", "replace")

    def test_twice_is_once(self):
        lines = sanitise(find_lines(b"\xff\xff\n\xff\n", 0))
        assert sanitise(lines) is lines
        assert lines.offsets.tolist() == [0, 3]

    @given(
        st.one_of(st.binary(max_size=12), st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")))
    )
    @example("\ud800".encode("utf-8", "surrogatepass"))
    @example(b"\xc0\x80")
    def test_valid_is_what_python_can_decode(self, text):
        try:
            text.decode()
        except UnicodeDecodeError:
            assert not is_utf8(text)
        else:
            assert is_utf8(text)


class TestTranscode:
    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "gb18030", "shift_jis", "utf-7"]
    )
    @given(text=st.text(st.sampled_from("aé\n\r ,+日本"), max_size=40), pieces=sizes)
    def test_valid_text(self, encoding, text, pieces):
        if encoding == "shift_jis":
            text = text.replace("é", "")
        assert b"".join(transcode(cut(text.encode(encoding), pieces), encoding)).decode() == text

    @pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252", "utf-16-le", "utf-8-sig"])
    @given(raw=st.binary(max_size=60), pieces=sizes)
    def test_any_bytes(self, encoding, raw, pieces):
        assert b"".join(transcode(cut(raw, pieces), encoding)) == raw.decode(encoding, "replace").encode()

    def test_utf8_passes_unchanged_even_if_invalid(self):
        assert list(transcode(iter([b"\xff", b"a"]), "UTF8")) == [b"\xff", b"a"]

    def test_half_a_surrogate_pair_does_not_stop_it(self):
        assert b"".join(transcode(iter([b"a\\ud800b"]), "unicode_escape")) == b"a?b"

    def test_utf16_records(self):
        raw = "ä\r\n\nb".encode("utf-16")
        lines = list(read_lines(transcode(cut(raw, [3]), "utf-16")))
        assert [one.record(i).decode() for one in lines for i in range(len(one))] == ["ä", "b"]

    def test_the_source_is_closed(self):
        closed = []

        def chunks():
            try:
                yield b"a"
                yield b"b"
            finally:
                closed.append(True)

        for encoding in ("utf-8", "latin-1"):
            reading = transcode(chunks(), encoding)
            next(reading)
            reading.close()
        assert closed == [True, True]
