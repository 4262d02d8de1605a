"""Targets of bytes: compressed streams, files of any content, and the records of a text."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from pyspark_logs.codecs import CODECS, PIECE_BYTES
from pyspark_logs.errors import CorruptFileError, LogSourceError
from pyspark_logs.file_content import read_texts
from pyspark_logs.planning import FileSplit
from pyspark_logs.records import (
    DocumentRule,
    Lines,
    QuoteRule,
    document_records,
    join_quoted,
    read_lines,
    sanitise,
    transcode,
)
from pyspark_logs.store import Store
from tests.fuzz.case import Case

_MOST_TEXT = 8 << 20
_RATIO = 1000


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Yields bytes in pieces."""
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


def decompress(raw: bytes) -> None:
    """Decompresses bytes at once and in small pieces: the same text and the same error, in bounded pieces.

    The first byte chooses the codec, the second the size of the pieces. libbz2 gives the text of a block before it compares the
    checksum of the block, so that the text of a damaged block depends on the pieces.
    """
    if len(raw) < 2:
        return
    codec, size, data = CODECS[raw[0] % len(CODECS)], 1 + raw[1] % 32, raw[2:]
    results = []
    for chunks in (iter([data]), pieces(data, size)):
        text, error, length = b"", None, 0
        try:
            for piece in codec.decompress(chunks, path="a"):
                assert len(piece) <= PIECE_BYTES
                length += len(piece)
                text += piece if length <= _MOST_TEXT else b""
                if length > _MOST_TEXT:
                    break
        except CorruptFileError as caught:
            error = type(caught)
        results.append((text, error, error is None and length <= _MOST_TEXT))
    (whole, failed, is_complete), (divided, also_failed, _) = results
    assert failed == also_failed, (failed, also_failed)
    if codec.name == "bzip2" and not is_complete:
        return
    assert whole == divided if failed is None else (whole.startswith(divided) or divided.startswith(whole))


@dataclass(frozen=True)
class _OneFile:
    data: bytes

    def read(self, path: str, start: int, end: int | None = None, **_: object) -> Iterator[bytes]:
        yield from pieces(self.data[start:end], 1 << 16)


def read_content(raw: bytes) -> None:
    """Reads a file of any content: compression, archives and marks are recognised by its first bytes.

    The first line is the name of the file.
    """
    first, _, data = raw.partition(b"\n")
    name = first.decode("utf-8", "replace")
    split = FileSplit(name, 0, len(data), len(data), 0, "", None, None, ())
    store = cast("Store", _OneFile(data))
    total = 0
    with contextlib.suppress(LogSourceError):
        for found in read_texts(
            store, split, None, splittable=True, has_marks=True, notice=lambda kind, message: None, max_ratio=_RATIO
        ):
            for piece in found.chunks:
                total += len(piece)
                if total > _MOST_TEXT:
                    return


# --- records --------------------------------------------------------------------------------------------------


def _records(blocks: Iterator[Lines]) -> list[tuple[int, bytes, int | None, str | None]]:
    return [
        (int(offset), lines.record(row), lines.full_length, lines.damage)
        for lines in blocks
        for row, offset in enumerate(lines.offsets)
    ]


def split_lines(raw: bytes) -> None:
    """Finds the lines of a text whole, in blocks and pieces of a few bytes, and in splits.

    The first byte is the size of a split, the second of a block, the third the limit of a record.
    """
    if len(raw) < 3:
        return
    size, block, limit, data = 1 + raw[0] % 40, 1 + raw[1] % 40, 1 + raw[2] % 60, raw[3:]
    options = {"comment_prefix": b"#", "blanks": b" \t", "max_record_bytes": limit}
    whole = _records(read_lines(iter([data]), **options))
    assert _records(read_lines(pieces(data, 3), block_bytes=block, **options)) == whole
    found = []
    # A \r ends lines if the text has no \n, which is known for a whole text only.
    if b"\r" not in data:
        for start in range(0, len(data), size):
            first = max(start - 1, 0)
            found += _records(read_lines(iter([data[first:]]), start=start, length=size, **options))
        assert found == whole
    for lines in read_lines(iter([data]), **options):
        clean = sanitise(lines)
        assert len(clean) == len(lines)
        assert clean.offsets.tolist() == lines.offsets.tolist()
        for row in range(len(clean)):
            assert clean.record(row) == lines.record(row).decode("utf-8", "replace").encode()


def join_quotes(raw: bytes) -> None:
    """Joins lines within quotes: the same records for blocks of any size."""
    if len(raw) < 3:
        return
    block, limit, flags, data = 1 + raw[0] % 40, 1 + raw[1], raw[2], raw[3:]
    rule = QuoteRule(",", '"', escapes=bool(flags & 1))
    results = [
        _records(
            join_quoted(
                read_lines(pieces(data, step), block_bytes=size, all_blocks=True, max_record_bytes=limit),
                rule,
                comment_prefix=b"#" if flags & 2 else None,
                max_record_bytes=limit,
            )
        )
        for step, size in ((len(data) + 1, 1 << 20), (3, block))
    ]
    assert results[0] == results[1]


_RULES = (
    DocumentRule(),
    DocumentRule(("Records",)),
    DocumentRule(("a", "b"), parent="p"),
    DocumentRule(("Records",), bare_key="k", ignored=("t", "x")),
)


def find_documents(raw: bytes) -> None:
    """Finds the records of JSON documents: the same records for pieces of any size, unless one is longer than the limit.

    Where a value ends that is longer than the limit and not JSON depends on the text that is held.
    """
    if len(raw) < 2:
        return
    rule, limit, data = _RULES[raw[0] % len(_RULES)], 16 + raw[1], raw[2:]
    whole, divided = (
        [record[1:] for record in _records(document_records(chunks, rule, read_bytes=size))]
        for chunks, size in ((iter([data]), 1 << 20), (pieces(data, 3), 7))
    )
    assert whole == divided, (whole, divided)
    for _, text, _, _ in _records(document_records(pieces(data, 3), rule, max_record_bytes=limit, read_bytes=7)):
        assert len(text) <= limit or rule.parent is not None


def decode_text(raw: bytes) -> None:
    """Transcodes a text at once and byte by byte; the first line is the encoding."""
    from pyspark_logs.options.text import parse_encoding

    case = Case.parse(raw)
    with contextlib.suppress(LogSourceError):
        encoding = parse_encoding("encoding", case.first)
        results = []
        for chunks in (iter([case.data]), pieces(case.data, 1)):
            try:
                results.append(b"".join(transcode(chunks, encoding, "a")))
            except CorruptFileError:
                results.append(b"error")
        assert results[0] == results[1]
