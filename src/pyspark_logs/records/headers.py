r"""Lines that name the columns of the lines after them: a file's first, or ``#Fields:`` lines wherever they stand.

Such a line is no record. The records after it carry it as ``Lines.header``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pyspark_logs.errors import FormatError
from pyspark_logs.records.lines import Lines, begins_with

FIELDS = b"#Fields:"
DIRECTIVE = b"#"  # lines that begin so are no records where there are ``#Fields:`` lines


@dataclass(frozen=True)
class HeaderRule:
    """Where the headers of a format's files are.

    Attributes:
        by_fields: in ``#Fields:`` lines, each for what follows it; else the first record of a file is one.
        accepts: of a first record, whether it is a header indeed.
    """

    by_fields: bool
    accepts: Callable[[str], bool] = lambda _: True


@dataclass(frozen=True)
class FirstLine:
    """The first record of a file.

    Attributes:
        text: of it.
        offset: where it begins in the uncompressed file.
    """

    text: str
    offset: int


def first_line(lines: Lines, encoding: str, path: str) -> FirstLine:
    """The first record of a block that begins a file.

    Raises:
        FormatError: it is longer than ``maxRecordBytes``, so it cannot be read as a header.
    """
    if lines.full_length is not None:
        raise FormatError(
            f"{path}: the first line, its header, has {lines.full_length} bytes, more than maxRecordBytes"
        )
    return FirstLine(_text(lines.record(0), encoding), int(lines.offsets[0]))


def under_headers(
    found: Iterator[Lines], rule: HeaderRule, *, path: str, encoding: str = "utf-8", first: FirstLine | None = None
) -> Iterator[Lines]:
    r"""The records of one split, each with the header that it is under.

    Args:
        found: the split's lines, comments of ``DIRECTIVE`` among them where the rule is ``by_fields``.
        rule: where headers are.
        path: of the file, for messages.
        encoding: of the lines.
        first: the first record of the file, if the split does not begin with it.

    Where a header has no record after it, lines without a record carry it.

    >>> from pyspark_logs.records.lines import read_lines
    >>> [(one.header, len(one)) for one in under_headers(read_lines(iter([b"a,b\n1,2\n3,4\n"])), HeaderRule(False), path="x")]
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
    unused: Lines | None = None  # what carries a header that no record has come after
    for lines in found:
        marked = begins_with(lines.block, lines.starts, lines.ends, DIRECTIVE)
        if not marked.any():
            yield replace(lines, header=header)
            unused = None
            continue
        forbidden_prefixes = np.flatnonzero(begins_with(lines.block, lines.starts, lines.ends, FIELDS)).tolist()
        if forbidden_prefixes and lines.full_length is not None:
            raise FormatError(f"{path}: a #Fields: line has {lines.full_length} bytes, more than maxRecordBytes")
        texts = {head: _text(lines.record(head)[len(FIELDS) :], encoding) for head in forbidden_prefixes}
        # Most of a file's headers are the one before them again, and change nothing.
        before = [header, *texts.values()]
        changes = [head for head, old in zip(forbidden_prefixes, before[:-1], strict=True) if texts[head] != old]
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
