r"""Records: from a stream of bytes to blocks of whole records.

A record is a line. It ends at ``\n`` or ``\r\n``; the last line of a file may lack the line end, and a ``\r`` at its end
counts as the first half of a truncated ``\r\n``. If there is no ``\n`` in the first block, a ``\r`` ends a line. Empty lines
and lines that begin with the comment prefix are not records.

A file can be read in splits. The split ``[start, start + length)`` owns the lines whose first byte lies in it: it skips the
line that began before ``start`` and reads beyond its end to complete its last line. Any division of a file into splits
yields each record exactly once.

Lines can be joined into records of several lines, see :func:`join_lines`; a split then owns the records whose first line
begins in it. The records of JSON documents are found by ``documents`` instead.

A block is one buffer, and records are offsets into it: no record is copied.

Values between separators may be quoted and then contain line ends, see :func:`join_quoted`.

Import direction: ``encodings``, ``headers``, ``parts``, ``quoted_splits`` -> ``quoting`` -> ``joining`` -> ``lines`` -> ``blocks``;
``line_ends`` -> ``blocks`` -> ``byte_search``; ``literal_lines`` -> ``byte_search``; ``documents`` -> ``document_output`` -> ``document_text`` -> ``brackets``.
"""

from __future__ import annotations

from pyspark_logs.records.blocks import (
    BLOCK_BYTES,
    HEAD_BYTES,
    LARGEST_RECORD_BYTES,
    MAX_LINES,
    Block,
    blocks,
)
from pyspark_logs.records.brackets import begins_value_of_several_lines
from pyspark_logs.records.byte_search import byte_offsets, has_pair, rows_beginning_with
from pyspark_logs.records.document_output import DocumentRule
from pyspark_logs.records.documents import document_records
from pyspark_logs.records.encodings import is_utf8, preserves_ascii, preserves_lines, sanitise, transcode
from pyspark_logs.records.headers import FirstLine, HeaderRule, assign_headers, first_line
from pyspark_logs.records.joining import OnJoin, join_lines
from pyspark_logs.records.line_ends import ends_in_carriage_returns, unify_line_ends
from pyspark_logs.records.lines import Extent, Lines, cut_lines, find_lines, read_lines
from pyspark_logs.records.literal_lines import lines_containing
from pyspark_logs.records.parts import LinePart, PartRule, join_parts
from pyspark_logs.records.quoted_splits import SearchedText, align_split
from pyspark_logs.records.quoting import QuoteRule, join_quoted

__all__ = [
    "BLOCK_BYTES",
    "HEAD_BYTES",
    "LARGEST_RECORD_BYTES",
    "MAX_LINES",
    "Block",
    "DocumentRule",
    "Extent",
    "FirstLine",
    "HeaderRule",
    "LinePart",
    "Lines",
    "OnJoin",
    "PartRule",
    "QuoteRule",
    "SearchedText",
    "align_split",
    "assign_headers",
    "begins_value_of_several_lines",
    "blocks",
    "byte_offsets",
    "cut_lines",
    "document_records",
    "ends_in_carriage_returns",
    "find_lines",
    "first_line",
    "has_pair",
    "is_utf8",
    "join_lines",
    "join_parts",
    "join_quoted",
    "lines_containing",
    "preserves_ascii",
    "preserves_lines",
    "read_lines",
    "rows_beginning_with",
    "sanitise",
    "transcode",
    "unify_line_ends",
]
