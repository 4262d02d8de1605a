"""The lines of one split: fetched, decompressed, found, and joined where records have several.

What the options say may be missing or damaged is left out here, and logged.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from pyspark_logs.codecs import codec_for
from pyspark_logs.errors import CorruptFileError, PathNotFoundError, SnapshotChangedError
from pyspark_logs.formats.multiline import record_starts
from pyspark_logs.formats.registry import header_rule, resolve_custom_format, resolve_line_format
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.jobs import job_of
from pyspark_logs.options import FormatOptions, ReadOptions
from pyspark_logs.planning import FileSplit
from pyspark_logs.records import (
    BLOCK_BYTES,
    FirstLine,
    Lines,
    assign_headers,
    document_lines,
    first_line,
    preserves_lines,
    read_lines,
    sanitise,
    transcode,
)
from pyspark_logs.store import Store

_log = logging.getLogger(__name__)

T = TypeVar("T")

_HEAD_BYTES = 64 << 10  # read of a file's beginning for its header, in steps
_BEHIND_BYTES = 256 << 10  # read past a split's end for its last record, in steps


@dataclass(frozen=True)
class SplitReader:
    """Reads the text of splits, by a reader's options."""

    options: ReadOptions

    def splittable(self, path: str) -> bool:
        """Whether reading a file may begin in its middle, where a header may stand that is for what follows it."""
        fmt, rule = self.options.format, header_rule(self.options.format)
        if resolve_custom_format(fmt) is not None or resolve_line_format(fmt).options.document is not None:
            return False
        if rule is not None and rule.by_fields:
            return False
        return preserves_lines(fmt.encoding) and codec_for(path, self.options.plan.compression).splittable

    def joined(self, split: FileSplit, blocks: Iterator[Lines], context: TimestampContext) -> Iterator[Lines]:
        """The records of the lines of a split: the lines themselves, unless ``multiLine`` is given."""
        starts = record_starts(self.options.format)
        return blocks if starts is None else starts.join(blocks, context, *self._range(split))

    def _range(self, split: FileSplit) -> tuple[int, int | None]:
        """Start and length of a split in the text that its offsets are about."""
        return (split.start, split.length) if self.splittable(split.path) else (0, None)

    def lines(self, store: Store, split: FileSplit) -> Iterator[Lines]:
        """The lines of one split, in blocks; without what the options say may be missing or damaged.

        With ``multiLine`` they go on behind the split, for as long as somebody asks.

        Raises:
            SnapshotChangedError, CorruptFileError, StoreError: as :meth:`read_task`.
        """
        yield from self.tolerant(split, self._blocks(store, split))

    def tolerant(self, split: FileSplit, items: Iterator[T]) -> Iterator[T]:
        """The same, without what the options say may be missing or damaged."""
        try:
            yield from items
        except PathNotFoundError as error:
            # A job is seen whole or not at all: a file of one is missing because an overwrite replaced them all.
            if not self.options.plan.ignore_missing or job_of(split.path):
                advice = "" if job_of(split.path) else ", or set ignoreMissingFiles=true to read without such files"
                raise SnapshotChangedError(
                    f"{split.path}: was deleted after the query was planned. Load it again (a Spark frame keeps its plan){advice}"
                ) from error
            _log.warning("%s: gone since planning, skipped (ignoreMissingFiles)", split.path)
        except CorruptFileError:
            if not self.options.plan.ignore_corrupt:
                raise
            _log.warning("%s: damaged, read up to the damage (ignoreCorruptFiles)", split.path, exc_info=True)

    def _blocks(self, store: Store, split: FileSplit) -> Iterator[Lines]:
        fmt = resolve_line_format(self.options.format).options
        # Where a line can be found without decoding it, offsets are those of the file, and it can be split.
        by_line = preserves_lines(fmt.encoding) and (fmt.document is None or fmt.encoding == "utf-8")
        if self.splittable(split.path):
            chunks = _range_and_behind(store, split)
        else:
            chunks = self.whole(store, split)
            chunks = chunks if by_line else transcode(chunks, fmt.encoding)
            if fmt.document is not None:
                chunks = document_lines(chunks, fmt.document, max_record_bytes=fmt.max_record_bytes)
        start, length = self._range(split)
        encoding = fmt.encoding if by_line else "utf-8"
        prefix = (fmt.comment_prefix or "").encode(encoding) or None
        rule = header_rule(self.options.format)
        to_join = fmt.multi_line is not None  # such lines are joined as they are
        found = read_lines(
            chunks, start=start, length=length, max_record_bytes=fmt.max_record_bytes,
            comment_prefix=None if rule is not None and rule.by_fields else prefix,
            banners=tuple(text.encode(encoding) for text in fmt.banners), to_join=to_join,
        )  # fmt: skip
        if rule is not None:
            first = _first_line(store, split, prefix, fmt) if start > 0 else None
            found = assign_headers(found, rule, path=split.path, encoding=encoding, first=first)
        for lines in found:
            yield sanitise(lines, fmt.encoding) if by_line and fmt.encoding != "utf-8" and not to_join else lines

    def whole(self, store: Store, split: FileSplit) -> Iterator[bytes]:
        """The bytes of a file, decompressed."""
        codec = codec_for(split.path, self.options.plan.compression)
        return codec.decompress(store.read(split.path, 0, split.size, etag=split.etag), path=split.path)


def _first_line(store: Store, split: FileSplit, prefix: bytes | None, fmt: FormatOptions) -> FirstLine | None:
    """The first record of a file that a split is of; its beginning is read for that."""
    head = replace(split, start=0, length=_HEAD_BYTES)
    found = read_lines(
        _range_and_behind(store, head),
        block_bytes=_HEAD_BYTES,
        max_record_bytes=fmt.max_record_bytes,
        comment_prefix=prefix,
    )
    lines = next(found, None)
    if isinstance(found, Generator):
        found.close()
    return None if lines is None else first_line(lines, fmt.encoding, split.path)


def _range_and_behind(store: Store, split: FileSplit) -> Iterator[bytes]:
    """The bytes of a split, from the byte before it; then, as far as somebody asks, those behind it."""
    place = max(split.start - 1, 0)
    end = min(split.start + split.length, split.size)
    step = _BEHIND_BYTES
    while place < split.size:
        yield from store.read(split.path, place, end, etag=split.etag, chunk_bytes=BLOCK_BYTES)
        place, end, step = end, min(end + step, split.size), 2 * step
