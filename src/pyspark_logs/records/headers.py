r"""Header lines, which name the columns of the following lines: the first line of a file, or any ``#Fields:`` line.

A header is not a record. The records after it carry it as ``Lines.header``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pyspark_logs.errors import FormatError
from pyspark_logs.records.lines import Lines, begins_with

FIELDS = b"#Fields:"
DIRECTIVE = b"#"  # in files with ``#Fields:`` lines, lines with this prefix are not records


@dataclass(frozen=True)
class HeaderRule:
    """The rule by which a format's files have headers.

    Attributes:
        by_fields: True if each ``#Fields:`` line is a header; False if the first record of a file may be one.
        accepts: predicate that tells whether a first record is a header.
    """

    by_fields: bool
    accepts: Callable[[str], bool] = lambda _: True


@dataclass(frozen=True)
class FirstLine:
    """The first record of a file.

    Attributes:
        text: decoded text of the record.
        offset: offset of the record in the uncompressed file.
    """

    text: str
    offset: int


def first_line(lines: Lines, encoding: str, path: str) -> FirstLine:
    """Returns the first record of a block at the beginning of a file.

    Raises:
        FormatError: the record is longer than ``maxRecordBytes`` and cannot be read as a header.
    """
    if lines.full_length is not None:
        raise FormatError(
            f"{path}: the header in the first line has {lines.full_length} bytes, more than maxRecordBytes"
        )
    return FirstLine(_text(lines.record(0), encoding), int(lines.offsets[0]))


def assign_headers(
    found: Iterator[Lines], rule: HeaderRule, *, path: str, encoding: str = "utf-8", first: FirstLine | None = None
) -> Iterator[Lines]:
    r"""Yields the records of a split with the header above them.

    Args:
        found: lines of the split, including lines with the prefix ``DIRECTIVE`` if the rule is ``by_fields``.
        rule: rule of the headers.
        path: path of the file, for messages.
        encoding: encoding of the lines.
        first: first record of the file, if the split does not begin with it.

    A header without a record after it is carried by ``Lines`` without records.

    >>> from pyspark_logs.records.lines import read_lines
    >>> [(one.header, len(one)) for one in assign_headers(read_lines(iter([b"a,b\n1,2\n3,4\n"])), HeaderRule(False), path="x")]
    [('a,b', 2)]
    """
    return _under_fields(found, path, encoding) if rule.by_fields else _under_first(found, rule, path, encoding, first)


def _under_first(
    found: Iterator[Lines], rule: HeaderRule, path: str, encoding: str, first: FirstLine | None
) -> Iterator[Lines]:
    header: str | None = None
    known = False
    for lines in found:
        if first is None:
            first = first_line(lines, encoding, path)
        if not known:
            header, known = (first.text if rule.accepts(first.text) else None), True
        is_first = header is not None and int(lines.offsets[0]) == first.offset
        yield replace(lines.select(np.arange(1, len(lines))) if is_first else lines, header=header)


def _under_fields(found: Iterator[Lines], path: str, encoding: str) -> Iterator[Lines]:
    header: str | None = None
    unused: Lines | None = None  # carries a header that has no record so far
    for lines in found:
        marked = begins_with(lines.block, lines.starts, lines.ends, DIRECTIVE)
        if not marked.any():
            yield replace(lines, header=header)
            unused = None
            continue
        headers = np.flatnonzero(begins_with(lines.block, lines.starts, lines.ends, FIELDS)).tolist()
        if headers and lines.full_length is not None:
            raise FormatError(f"{path}: a #Fields: line has {lines.full_length} bytes, more than maxRecordBytes")
        texts = {row: _text(lines.record(row)[len(FIELDS) :], encoding) for row in headers}
        # Most headers of a file repeat the previous one.
        before = [header, *texts.values()]
        changes = [row for row, old in zip(headers, before[:-1], strict=True) if texts[row] != old]
        for begin, end in zip([0, *changes], [*changes, len(lines)], strict=True):
            header = texts.get(begin, header)
            piece = lines.select(_records(marked, begin, end))
            if len(piece):
                yield replace(piece, header=header)
                unused = None
            elif header is not None:
                unused = replace(piece, header=header)
    if unused is not None:
        yield unused


def _records(marked: npt.NDArray[np.bool_], begin: int, end: int) -> npt.NDArray[np.int64]:
    return begin + np.flatnonzero(~marked[begin:end])


def _text(raw: bytes, encoding: str) -> str:
    return raw.decode(encoding, "replace")
