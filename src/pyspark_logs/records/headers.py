r"""Header lines, which name the columns of the following lines: the first line of a file, or any ``#Fields:`` line.

A header is not a record. The records after it carry it as ``Lines.header``. Where files were concatenated, further lines are
headers: a line of names that a format documents, a line that repeats the header or has its names in another order, and a line of
names at the beginning of a member of a compressed file.

Zeek begins the line of names with ``#fields`` without a colon, https://docs.zeek.org/en/master/log-formats.html. Such a header
is carried with this word, because it implies other rules for the values than a ``#Fields:`` line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pyspark_logs.errors import FormatError
from pyspark_logs.records.lines import Lines, begins_with, cut_lines, remove_lines

_FIELDS = re.compile(rb"#fields(?::|(?=\W))", re.IGNORECASE)
_START_BYTES = 4
DIRECTIVE = b"#"  # in files with ``#Fields:`` lines, lines with this prefix are not records
_DIRECTIVE_LINE = re.compile(r"#(?:[A-Z][A-Za-z-]*:|separator |fields\W)")


@dataclass(frozen=True)
class HeaderRule:
    """The rule by which a format's files have headers.

    Attributes:
        by_fields: True if each ``#Fields:`` line is a header; False if the first record of a file may be one.
        accepts: predicate that tells whether a first record is a header.
        known_starts: first four bytes of the lines that may be headers anywhere in a file if ``accepts`` says so; empty:
            headers stand only at the beginning of a file or of a member.
        resembles: predicate of a line at the beginning of a member, and of the header before it, which tells whether the line
            is a header: the beginning of a member may also be a record, because writers begin members anywhere.
        repeats: predicate of a text and of the first header of the file, which tells whether the text is a header although it
            continues the last line of the member before it.
        is_same: predicate of a line and of the first header, which tells whether the line is the header again.
        is_reordered: predicate of a line and of the first header, which tells whether the line has its names in another order.
        is_preamble: predicate of a first record that is neither a header nor a record; the header follows it.
    """

    by_fields: bool
    accepts: Callable[[str], bool] = lambda _: True
    known_starts: frozenset[bytes] = frozenset()
    resembles: Callable[[str, str], bool] = lambda _, __: False
    repeats: Callable[[str, str], bool] = lambda _, __: False
    is_same: Callable[[str, str], bool] = lambda _, __: False
    is_reordered: Callable[[str, str], bool] = lambda _, __: False
    is_preamble: Callable[[str], bool] = lambda _: False

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

    def find_same(self, lines: Lines, header: str, encoding: str) -> dict[int, str]:
        """Returns the texts of the lines that are the header again, also in another order, by index.

        A byte order mark before the header is that of a file that was appended.
        """
        raw_header = header.encode(encoding, "replace")
        if lines.full_length is not None:
            return {}
        sizes = lines.ends - lines.starts
        rows = np.flatnonzero((sizes == len(raw_header)) | (sizes == len(raw_header) + len(codecs.BOM_UTF8)))
        if not len(rows):
            return {}
        # Few lines are as long as the header, and of these few begin with one of its characters and end with another.
        is_in_header = np.zeros(256, np.bool_)
        is_in_header[list(raw_header + codecs.BOM_UTF8)] = True
        raw = np.frombuffer(lines.block, np.uint8)
        rows = rows[is_in_header[raw[lines.starts[rows]]] & is_in_header[raw[lines.ends[rows] - 1]]]
        texts = ((row, _text(lines.record(row), encoding).removeprefix("\ufeff")) for row in rows.tolist())
        return {row: text for row, text in texts if self.is_same(text, header) or self.is_reordered(text, header)}


@dataclass(frozen=True)
class FirstLine:
    """The first record of a file, or the one after its preamble.

    Attributes:
        text: decoded text of the record.
        offset: offset of the first record in the uncompressed file.
        rows: number of records up to this one.
    """

    text: str
    offset: int
    rows: int = 1


def first_line(lines: Lines, rule: HeaderRule, encoding: str, path: str) -> FirstLine:
    """Returns the first record of a block at the beginning of a file, without a preamble.

    Raises:
        FormatError: the record is longer than ``maxRecordBytes`` and cannot be read as a header.
    """
    if lines.full_length is not None:
        raise FormatError(
            f"{path}: the header in the first line has {lines.full_length} bytes, more than maxRecordBytes"
        )
    rows = 2 if len(lines) > 1 and rule.is_preamble(_text(lines.record(0), encoding)) else 1
    return FirstLine(_text(lines.record(rows - 1), encoding), int(lines.offsets[0]), rows)


def assign_headers(
    found: Iterator[Lines],
    rule: HeaderRule,
    *,
    path: str,
    encoding: str = "utf-8",
    first: FirstLine | None = None,
    joints: Sequence[int] = (),
    to_join: bool = False,
    is_whole: bool = True,
) -> Iterator[Lines]:
    r"""Yields the records of a split with the header above them.

    Args:
        found: lines of the split, including lines with the prefix ``DIRECTIVE`` if the rule is ``by_fields``.
        rule: rule of the headers.
        path: path of the file, for messages.
        encoding: encoding of the lines.
        first: first record of the file, if the split does not begin with it.
        joints: offsets in the text at which members of a compressed file begin, ascending; may grow while lines are found.
        to_join: True if :func:`join_lines` joins the records: headers are removed from the text between records, too.
        is_whole: True if the split is the whole file; the splits after a header in another order would not know it.

    Raises:
        FormatError: a split that is not the whole file contains a header in another order.

    A header without a record after it is carried by ``Lines`` without records.

    >>> from pyspark_logs.records.lines import read_lines
    >>> [(one.header, len(one)) for one in assign_headers(read_lines(iter([b"a,b\n1,2\n3,4\n"])), HeaderRule(False), path="x")]
    [('a,b', 2)]
    """
    members = _Members(joints, encoding)
    return (
        _under_fields(found, path, encoding, members, to_join=to_join)
        if rule.by_fields
        else _under_first(found, rule, path, encoding, first, members, to_join=to_join, is_whole=is_whole)
    )


def _under_first(
    found: Iterator[Lines], rule: HeaderRule, path: str, encoding: str, first: FirstLine | None, members: _Members, *,
    to_join: bool, is_whole: bool,
) -> Iterator[Lines]:  # fmt: skip
    header: str | None = None
    first_header: str | None = None
    known = False

    def repeats(text: str) -> bool:
        return first_header is not None and rule.repeats(text, first_header)

    for block in found:
        if not len(block):
            if to_join and known:
                yield replace(block, header=header)
            continue
        if first is None:
            first = first_line(block, rule, encoding, path)
        if not known:
            header = first_header = first.text if rule.accepts(first.text) else None
            known = True
        is_first = header is not None and int(block.offsets[0]) == first.offset
        lines, starts = members.divide(_piece(block, first.rows, len(block), to_join) if is_first else block, repeats)
        headers = rule.find_known(lines, encoding) if len(lines) else {}
        if first_header is not None and len(lines):
            same = rule.find_same(lines, first_header, encoding)
            if not is_whole:
                _refuse_reordered(lines, same, rule, first_header, path)
            headers |= same
        begin = 0
        for row in sorted({*headers, *starts}):
            text = headers[row] if row in headers else _text(lines.record(row), encoding)
            is_preamble = row in starts and rule.is_preamble(text)
            if row not in headers and (header is None or not (is_preamble or rule.resembles(text, header))):
                continue
            if row > begin:
                yield replace(_piece(lines, begin, row, to_join), header=header)
            header, begin = header if is_preamble else text, row + 1
        yield replace(_piece(lines, begin, len(lines), to_join) if begin else lines, header=header)


def _refuse_reordered(lines: Lines, headers: dict[int, str], rule: HeaderRule, first_header: str, path: str) -> None:
    for row, text in headers.items():
        if rule.is_reordered(text, first_header):
            raise FormatError(
                f"{path}: the line at byte {lines.offsets[row]} has the names of the header {first_header!r} in another order:"
                f" {text!r}. The parts of the file that other tasks read do not have this header; read the file in one part"
                " (maxPartitionBytes larger than the file, and no minPartitions), or compress it"
            )


def _piece(lines: Lines, start: int, stop: int, to_join: bool) -> Lines:
    return cut_lines(lines, start, stop) if to_join else lines.select(np.arange(start, stop))


class _Members:
    """Beginnings of the members of a compressed file in its lines.

    Args:
        joints: offsets in the text at which members begin, ascending; may grow while lines are found.
        encoding: encoding of the lines.
    """

    def __init__(self, joints: Sequence[int], encoding: str) -> None:
        self.joints, self.encoding = joints, encoding
        self._next = 0  # index of the first joint that is in no earlier block

    def divide(self, lines: Lines, is_header: Callable[[str], bool]) -> tuple[Lines, list[int]]:
        """Returns the lines of a block, and the indices of those with which members begin.

        Writers begin members anywhere, so a member that begins within a line continues the line. If a header begins there, the
        member before it lacks its last line end; the line is divided.

        Args:
            lines: lines of a block.
            is_header: predicate of the text from the beginning of a member to the end of the line.
        """
        if self._next == len(self.joints) or not len(lines) or lines.full_length is not None:
            return lines, []
        joints = np.array(self.joints[self._next :])
        following = np.searchsorted(lines.offsets, joints)  # first line that begins at or after each joint
        before = np.maximum(following - 1, 0)
        positions = lines.starts[before] + (joints - lines.offsets[before])
        is_within = (following > 0) & (positions < lines.ends[before])
        is_reached = is_within | (following < len(lines))
        self._next += int(np.count_nonzero(is_reached))
        begins = joints[is_reached & ~is_within].tolist()
        # From the last to the first, so that the indices and positions of the others remain valid.
        for index in np.flatnonzero(is_within)[::-1].tolist():
            row, position = int(before[index]), int(positions[index])
            if is_header(_text(lines.block[position : lines.ends[row]], self.encoding)):
                lines = _insert_line_end(lines, row, position)
                begins.append(int(joints[index]))
        return lines, np.unique(np.searchsorted(lines.offsets, begins)).tolist()


def _insert_line_end(lines: Lines, row: int, position: int) -> Lines:
    """Returns the lines with one of them divided by a line end at a position in the block."""
    offset = lines.offsets[row] + (position - lines.starts[row])
    starts, ends = lines.starts.copy(), lines.ends.copy()
    starts[row + 1 :] += 1
    ends[row:] += 1
    return replace(
        lines,
        block=lines.block[:position] + b"\n" + lines.block[position:],
        starts=np.insert(starts, row + 1, position + 1),
        ends=np.insert(ends, row, position),
        origins=np.insert(lines.offsets, row + 1, offset),
    )


def _under_fields(
    found: Iterator[Lines], path: str, encoding: str, members: _Members, *, to_join: bool
) -> Iterator[Lines]:
    header: str | None = None
    unused: Lines | None = None  # carries a header that has no record so far
    for block in found:
        if not len(block):
            if to_join:
                yield replace(block, header=header)
            continue
        lines, _ = members.divide(block, lambda text: _DIRECTIVE_LINE.match(text) is not None)
        marked = begins_with(lines.block, lines.starts, lines.ends, DIRECTIVE)
        if not marked.any():
            yield replace(lines, header=header)
            unused = None
            continue
        matches = [(row, _FIELDS.match(lines.record(row))) for row in np.flatnonzero(marked).tolist()]
        found_headers = {row: match for row, match in matches if match is not None}
        headers = list(found_headers)
        if headers and lines.full_length is not None:
            raise FormatError(f"{path}: a #Fields: line has {lines.full_length} bytes, more than maxRecordBytes")
        texts = {
            row: _text(match.string[match.end() :] if match[0].endswith(b":") else match.string, encoding)
            for row, match in found_headers.items()
        }
        # Most headers of a file repeat the previous one.
        before = [header, *texts.values()]
        changes = [row for row, old in zip(headers, before[:-1], strict=True) if texts[row] != old]
        for begin, end in zip([0, *changes], [*changes, len(lines)], strict=True):
            header = texts.get(begin, header)
            if to_join:
                piece = remove_lines(cut_lines(lines, begin, end), marked[begin:end])
            else:
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
