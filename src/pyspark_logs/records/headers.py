r"""Header lines, which name the columns of the following lines: the first line of a file, or any ``#Fields:`` line.

A header is not a record. The records after it carry it as ``Lines.header``. Where files were concatenated, further lines are
headers: a line of names that a format documents, and a line of names at the beginning of a member of a compressed file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pyspark_logs.errors import FormatError
from pyspark_logs.records.lines import Lines, begins_with

FIELDS = b"#Fields:"
_START_BYTES = 4
DIRECTIVE = b"#"  # in files with ``#Fields:`` lines, lines with this prefix are not records


@dataclass(frozen=True)
class HeaderRule:
    """The rule by which a format's files have headers.

    Attributes:
        by_fields: True if each ``#Fields:`` line is a header; False if the first record of a file may be one.
        accepts: predicate that tells whether a first record is a header.
        known_starts: first four bytes of the lines that may be headers anywhere in a file if ``accepts`` says so; empty:
            headers stand only at the beginning of a file or of a member.
        resembles: predicate of a line at the beginning of a member, and of the header before it, which tells whether the line
            is a header: the beginning of a member may also be a record, as writers begin members anywhere.
    """

    by_fields: bool
    accepts: Callable[[str], bool] = lambda _: True
    known_starts: frozenset[bytes] = frozenset()
    resembles: Callable[[str, str], bool] = lambda _, __: False

    @property
    def stands_anywhere(self) -> bool:
        """True if a header may stand in the middle of an uncompressed file."""
        return self.by_fields or bool(self.known_starts)

    def find_known(self, lines: Lines, encoding: str) -> dict[int, str]:
        """Returns the texts of the lines that consist of documented names, by index."""
        if not self.known_starts or lines.full_length is not None:
            return {}
        raw = np.frombuffer(lines.block, np.uint8)
        # Nearly all lines differ from all headers in their first byte.
        is_first = np.zeros(256, np.bool_)
        is_first[[start[0] for start in self.known_starts]] = True
        candidates = np.flatnonzero(is_first[raw[lines.starts]])
        texts: dict[int, str] = {}
        for row in candidates.tolist():
            start = lines.starts[row]
            if lines.block[start : start + _START_BYTES] in self.known_starts:
                text = _text(lines.record(row), encoding)
                if self.accepts(text):
                    texts[row] = text
        return texts


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
    found: Iterator[Lines],
    rule: HeaderRule,
    *,
    path: str,
    encoding: str = "utf-8",
    first: FirstLine | None = None,
    joints: Sequence[int] = (),
) -> Iterator[Lines]:
    r"""Yields the records of a split with the header above them.

    Args:
        found: lines of the split, including lines with the prefix ``DIRECTIVE`` if the rule is ``by_fields``.
        rule: rule of the headers.
        path: path of the file, for messages.
        encoding: encoding of the lines.
        first: first record of the file, if the split does not begin with it.
        joints: offsets in the text at which members of a compressed file begin, ascending; may grow while lines are found.

    A header without a record after it is carried by ``Lines`` without records.

    >>> from pyspark_logs.records.lines import read_lines
    >>> [(one.header, len(one)) for one in assign_headers(read_lines(iter([b"a,b\n1,2\n3,4\n"])), HeaderRule(False), path="x")]
    [('a,b', 2)]
    """
    return (
        _under_fields(found, path, encoding)
        if rule.by_fields
        else _under_first(found, rule, path, encoding, first, joints)
    )


def _under_first(
    found: Iterator[Lines], rule: HeaderRule, path: str, encoding: str, first: FirstLine | None, joints: Sequence[int]
) -> Iterator[Lines]:
    members = _MemberStarts(joints)
    header: str | None = None
    known = False
    for block in found:
        if first is None:
            first = first_line(block, encoding, path)
        if not known:
            header, known = (first.text if rule.accepts(first.text) else None), True
        is_first = header is not None and int(block.offsets[0]) == first.offset
        lines = block.select(np.arange(1, len(block))) if is_first else block
        headers = rule.find_known(lines, encoding) if len(lines) else {}
        if header is not None and lines.full_length is None:
            for row in members.rows(lines):
                text = _text(lines.record(row), encoding)
                if rule.resembles(text, header):
                    headers[row] = text
        begin = 0
        for row in sorted(headers):
            if row > begin:
                yield replace(lines.select(np.arange(begin, row)), header=header)
            header, begin = headers[row], row + 1
        yield replace(lines.select(np.arange(begin, len(lines))) if headers else lines, header=header)


class _MemberStarts:
    """Finds the first record of each member of a compressed file."""

    def __init__(self, joints: Sequence[int]) -> None:
        self.joints = joints
        self._next = 0  # index of the first joint after which no record was found so far

    def rows(self, lines: Lines) -> list[int]:
        """Returns the indices of the records of a block that are the first ones of members."""
        if self._next == len(self.joints) or not len(lines):
            return []
        joints = np.array(self.joints[self._next :])
        reached = int(np.searchsorted(joints, lines.offsets[-1], "right"))
        self._next += reached
        return np.unique(np.searchsorted(lines.offsets, joints[:reached])).tolist()


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
