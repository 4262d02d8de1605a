"""Joined lines of records whose quoted values contain line ends, compared with a definition by single characters."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyspark_logs.records import QuoteRule, SearchedText, align_split, join_quoted, read_lines, sanitise
from tests.support.growth import assert_linear_time
from tests.support.trials import tries

_MALFORMED, _OPEN = -1, -2


def end_of(text: str, start: int, separator: str, quote: str, *, escapes: bool) -> int:
    """Returns the end of the record at an offset; or the reason why it has none."""
    at = start
    while True:
        if text.startswith(quote, at):
            at += 1
            while True:
                if at >= len(text):
                    return _OPEN
                is_escape = escapes and text[at] == "\\" and text[at + 1 : at + 2] in ("\\", quote)
                if is_escape or text[at : at + 2] == 2 * quote:
                    at += 2
                elif text[at] == quote:
                    at += 1
                    break
                else:
                    at += 1
            if at == len(text) or text[at] == "\n" or text[at : at + 2] == "\r\n":
                return at
            if not text.startswith(separator, at):
                return _MALFORMED
        else:
            while at < len(text) and text[at] != "\n" and not text.startswith(separator, at):
                at += 1
            if at == len(text) or text[at] == "\n":
                return at - text.endswith("\r", start, at)
        at += len(separator)


def reference(text: str, rule: QuoteRule, limit: int, comment: str | None) -> list[str]:
    records, at = [], 0
    while at < len(text):
        line_end = text.find("\n", at) if "\n" in text[at:] else len(text)
        line = text[at:line_end].removesuffix("\r")
        if line and not (comment and line.startswith(comment)):
            for escapes in (True,) if rule.escapes else (False, True):
                end = end_of(text, at, rule.separator, rule.quote, escapes=escapes)
                if at <= end <= at + limit:
                    line, line_end = text[at:end], text.find("\n", end) if "\n" in text[end:] else len(text)
                    break
            records.append(line)
        at = line_end + 1
    return records


def joined(text: str, rule: QuoteRule, *, block_bytes: int = 1 << 20, limit: int = 1 << 20, comment: str | None = None) -> list[str]:  # fmt: skip
    prefix = comment.encode() if comment else None
    blocks = read_lines(iter([text.encode()]), block_bytes=block_bytes, comment_prefix=prefix, all_blocks=True)
    found = join_quoted(blocks, rule, comment_prefix=prefix, max_record_bytes=limit)
    return [lines.record(row).decode() for lines in found for row in range(len(lines))]


@settings(max_examples=250, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    st.lists(st.sampled_from(['"', '"', '""', ",", ",", "\n", "\n", "\r\n", "a", "#", "\\", '\\"', '",', ',"', '"\n']), max_size=16).map("".join),
    st.booleans(), st.sampled_from([",", "||"]), st.sampled_from([1, 4, 1 << 20]), st.sampled_from([6, 1 << 20]), st.sampled_from([None, "#"]),
    st.sampled_from([0, 80]),
)  # fmt: skip
def test_records_are_those_of_the_definition(
    text: str, escapes: bool, separator: str, block_bytes: int, limit: int, comment: str | None, unquoted: int
) -> None:
    # Where most lines have no quotes, only the others are examined.
    around = "f\n" * unquoted
    text = around + text.replace(",", separator) + ("\n" + around if around else "")
    rule = QuoteRule(separator, '"', escapes)
    if any(len(line) > limit for line in text.split("\n")):
        limit = 1 << 20  # the first bytes of a longer line are read in another way
    expected = reference(text, rule, limit, comment)
    assert joined(text, rule, block_bytes=block_bytes, limit=limit, comment=comment) == expected


COMMA = QuoteRule(",", '"')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1,"a\nb",2\n3\n', ['1,"a\nb",2', "3"]),
        ('1,"a\r\nb"\r\n3\r\n', ['1,"a\r\nb"', "3"]),
        ('1,"a\n\n#b\n"\n', ['1,"a\n\n#b\n"']),
        ('5" x,"a\nb"\n1\n', ['5" x,"a\nb"', "1"]),
        ('1,""\n2,"a\nb"', ['1,""', '2,"a\nb"']),
        ('1,"open\n2,b\n3,c', ['1,"open', "2,b", "3,c"]),
        ('1,"open\n2,"b"\n3,""\n', ['1,"open', '2,"b"', '3,""']),
        ('1,"open\n2,"a\nb"\n', ['1,"open', '2,"a\nb"']),
        ('"a \\"q\nz\\" b",2\n1\n', ['"a \\"q\nz\\" b",2', "1"]),
    ],
)
def test_a_quote_joins_lines_only_if_the_record_is_correct(text: str, expected: list[str]) -> None:
    for block_bytes in (1, 1 << 20):
        assert joined(text, COMMA, block_bytes=block_bytes) == expected


def test_offsets_and_reported_lines() -> None:
    reported: list[tuple[int, int]] = []
    blocks = read_lines(iter([b'a\n1,"x\ny"\nz\n']), block_bytes=3, all_blocks=True)
    found = join_quoted(blocks, COMMA, on_join=lambda count, offset: reported.append((count, offset)))
    assert [offset for lines in found for offset in lines.offsets.tolist()] == [0, 2, 10]
    assert reported == [(1, 2)]


@tries("20,000 lines with quotes that never close", "linear time")
def test_stray_quotes_take_linear_time() -> None:
    """Each line opens a quote that its successor closes, and none of the records ends."""

    def join(lines: int) -> None:
        assert len(joined('x","y\n' * lines, COMMA, block_bytes=1 << 14)) == lines

    assert_linear_time(join, 20_000)


@settings(max_examples=250, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    st.lists(st.sampled_from(['"', '""', ",", ",", "\n", "\n", "\r\n", "a", "\\", '\\"', '",', ',"', '"\n']), max_size=20).map("".join),
    st.booleans(), st.integers(1, 9), st.integers(1, 5), st.sampled_from([8, 1 << 20]),
)  # fmt: skip
def test_splits_together_have_the_records_of_the_file(
    text: str, escapes: bool, size: int, chunk: int, limit: int
) -> None:
    rule = QuoteRule(",", '"', escapes)
    raw = text.encode()
    if any(len(line) > limit for line in text.split("\n")):
        limit = 1 << 20
    found: list[str] = []
    for start in range(0, len(raw), size):
        begin = max(start - 1, 0)
        chunks = (raw[at : at + chunk] for at in range(begin, len(raw), chunk))
        offset, aligned = align_split(chunks, start, size, rule, max_record_bytes=limit)
        lines = read_lines(aligned, start=offset, all_blocks=True)
        blocks = join_quoted(lines, rule, max_record_bytes=limit)
        for block in blocks:
            assert [raw[at : at + len(block.record(row))] for row, at in enumerate(block.offsets.tolist())] == [
                block.record(row) for row in range(len(block))
            ]
            found += [block.record(row).decode() for row in range(len(block))]
    assert found == joined(text, rule, limit=limit)


@tries(
    "a line of 64 MiB in splits of 1 MiB of a file with quoted values",
    "4 MiB of memory; a split within the line reads no further than its end",
)
@pytest.mark.parametrize("start", [0, 1 << 20])
def test_a_line_of_any_length_is_not_held(start: int) -> None:
    """A split within the line reads no further than its end; the split of its beginning passes the line on."""
    size, line, taken, passed = 1 << 20, 64, 0, 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(line):
            taken += 1
            yield b"x" * (1 << 20)
        yield b'\n1,"a"\n'

    tracemalloc.start()
    offset, aligned = align_split(chunks(), start, size, COMMA)
    for piece in aligned:
        passed += len(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
    if start == 0:
        assert (offset, passed) == (0, (line << 20) + 1)
    else:
        assert (offset, passed, taken) == (start + size, 0, 1)


def test_text_without_quotes_is_counted_and_released_as_it_is_read() -> None:
    """Lines without quotes have no proof, so the search for the first record reads as much as the longest record may have."""
    piece, limit, start = b"1,2\n" * 1024, 64 << 10, 16 << 10
    chunks = (piece for _ in range(1000))
    searched = SearchedText()
    offset, aligned = align_split(chunks, start, limit, COMMA, max_record_bytes=limit, searched=searched)
    assert offset == start + 3  # after the line end in the chunk that begins at start - 1
    assert limit <= searched.size + len(piece) <= limit + 2 * len(piece)
    sizes = []
    for part in itertools.islice(aligned, 10):
        assert len(part) <= len(piece)
        sizes.append(searched.size)
    assert sizes[-1] <= searched.size + len(piece)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] - sizes[-1] >= 8 * len(piece)


@pytest.mark.parametrize(("encoding", "value"), [("utf-8", "\ufffd"), ("latin-1", "\xe9")])
@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_a_value_that_begins_in_a_block_of_ascii(block_bytes: int, encoding: str, value: str) -> None:
    blocks = read_lines(iter([b'1,"x\n\xe9"\nz\n']), block_bytes=block_bytes, all_blocks=True)
    found = [sanitise(lines, encoding) for lines in join_quoted(blocks, COMMA, encoding=encoding)]
    assert b"".join(lines.record(0) for lines in found[:1]).decode() == f'1,"x\n{value}"'


@pytest.mark.parametrize("block_bytes", [1, 4, 1 << 20])
def test_an_escaped_quote_at_the_end_of_a_block(block_bytes: int) -> None:
    r"""A line that ends with \"" is complete with escapes; without them, it is open, and the lines after it decide."""
    rule = QuoteRule(",", '"')
    for text, expected in (
        (b'"a\\""\n"\n2\n', [b'"a\\""\n"', b"2"]),
        (b'"a\\""\n"b" c\n2\n', [b'"a\\""', b'"b" c', b"2"]),
    ):
        blocks = read_lines(iter([text]), block_bytes=block_bytes, all_blocks=True)
        found = [lines.record(row) for lines in join_quoted(blocks, rule) for row in range(len(lines))]
        assert found == expected
