r"""From a stream of bytes to blocks of whole records.

A record is a line. It ends at ``\n`` or ``\r\n``, the last one of a file with or without; a
``\r`` that ends the last line counts as half of an interrupted ``\r\n``. Lines without a byte and
lines that begin with the comment prefix are no records.

A file may be read in splits. A split ``[start, start + length)`` owns the lines whose first byte lies
in it: it skips the line that began before it and reads past its end to finish its last one. So any
cut of a file gives each record exactly once.

Lines may be joined into records of several lines, see :func:`join_lines`; then a split owns the records whose first
line begins in it. In a JSON document that holds its records in an array, these are made lines first (``documents``).

Inside, imports run one way: ``encodings``, ``headers``, ``joining`` -> ``lines`` -> ``blocks``.

Nothing here copies a record out of its block: a block is one buffer, records are offsets into it.
"""

from __future__ import annotations

from pyspark_logs.records.blocks import BLOCK_BYTES, HEAD_BYTES, LARGEST_RECORD_BYTES, Block, blocks, byte_offsets
from pyspark_logs.records.documents import document_lines
from pyspark_logs.records.encodings import is_utf8, keeps_lines, sanitise, transcode
from pyspark_logs.records.headers import FirstLine, HeaderRule, first_line, under_headers
from pyspark_logs.records.joining import join_lines
from pyspark_logs.records.lines import Lines, find_lines, read_lines

__all__ = [
    "BLOCK_BYTES",
    "HEAD_BYTES",
    "LARGEST_RECORD_BYTES",
    "Block",
    "FirstLine",
    "HeaderRule",
    "Lines",
    "blocks",
    "byte_offsets",
    "document_lines",
    "find_lines",
    "first_line",
    "is_utf8",
    "join_lines",
    "keeps_lines",
    "read_lines",
    "sanitise",
    "transcode",
    "under_headers",
]
