"""Lines of small plain files, found at once.

A file of a few lines costs less to parse than to send through the layers that remove compression, archives, encodings, headers
and joined lines. A file that needs none of them, as its name, its first bytes and the rules of its format tell, is read whole.
"""

from __future__ import annotations

import codecs

from pyspark_logs.codecs import NONE, codec_for
from pyspark_logs.codecs.signatures import HEAD_BYTES, marked_encoding, recognise
from pyspark_logs.errors import LogSourceError
from pyspark_logs.formats.record_rules import RecordRules
from pyspark_logs.options import FormatOptions
from pyspark_logs.planning import FileSplit
from pyspark_logs.records import DocumentRule, Lines, begins_value_of_several_lines, find_lines
from pyspark_logs.store import Store

MAX_FILE_BYTES = 64 << 10


def is_small(split: FileSplit) -> bool:
    """Returns True if a split is a whole file of at most ``MAX_FILE_BYTES``."""
    return split.start == 0 and split.length >= split.size and split.size <= MAX_FILE_BYTES


def read_plain_lines(
    store: Store, split: FileSplit, compression: str | None, options: FormatOptions, rules: RecordRules
) -> Lines | None:
    """Returns the lines of a small file, as :class:`~pyspark_logs.text_lines.TextLines` finds them.

    Args:
        store: store of the file.
        split: split of the whole file.
        compression: option ``compression``.
        options: options of the format.
        rules: rules of the records.

    Returns:
        The lines; None if the file needs other steps, or could not be read, which the reader of other files reports.
    """
    if (
        (rules.header, rules.starts, rules.parts, rules.quotes) != (None, None, None, None)
        or options.encoding != "utf-8"
        or codec_for(split.path, compression) is not NONE
    ):
        return None
    try:
        text = b"".join(store.read(split.path, 0, split.size, etag=split.etag, chunk_bytes=MAX_FILE_BYTES))
    except LogSourceError:
        return None
    head = text[:HEAD_BYTES]
    if (
        (compression is None and recognise(head) is not None)
        or text.startswith(codecs.BOM_UTF8)
        or marked_encoding(head) is not None
        or (b"\r" in text and b"\n" not in text)
        or len(text) > options.max_record_bytes
        or (rules.documents is not None and _may_be_documents(rules.documents, text))
    ):
        return None
    prefixes = (*((options.comment_prefix,) if options.comment_prefix else ()), *options.banners)
    return find_lines(
        text,
        0,
        tuple(prefix.encode() for prefix in prefixes),
        blanks=rules.blanks.encode(),
        seeks_values=rules.splits_values,
    )


def _may_be_documents(rule: DocumentRule, text: bytes) -> bool:
    return rule.is_general or len(text) == MAX_FILE_BYTES or begins_value_of_several_lines(text)
