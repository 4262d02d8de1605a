"""Reads the records of one split: fetches, decompresses, finds lines, and joins lines to records.

Files that are missing or damaged are skipped with a warning where an option allows it.
"""

from __future__ import annotations

import codecs
import functools
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar, cast

import pyarrow as pa

from pyspark_logs.codecs import NONE, codec_for
from pyspark_logs.codecs.expansion import ExpansionLimit
from pyspark_logs.errors import CorruptFileError, PathNotFoundError, SnapshotChangedError
from pyspark_logs.file_content import FileText, ignore_notice, peek, read_past_end, read_texts, without_inner_marks
from pyspark_logs.formats.interface import Format
from pyspark_logs.formats.multiline import RecordStarts
from pyspark_logs.formats.record_rules import RecordRules
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.jobs import job_of
from pyspark_logs.options import FormatOptions, ReadOptions
from pyspark_logs.planning import FileSplit
from pyspark_logs.prefetch import Prefetcher
from pyspark_logs.profiling import FETCH, INFLATE, LINES, Profile
from pyspark_logs.records import (
    DocumentRule,
    Extent,
    FirstLine,
    Lines,
    OnJoin,
    PartRule,
    align_split,
    assign_headers,
    begins_value_of_several_lines,
    document_records,
    first_line,
    join_parts,
    join_quoted,
    preserves_ascii,
    preserves_lines,
    read_lines,
    sanitise,
    transcode,
    unify_line_ends,
)
from pyspark_logs.store import Store
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_HEAD_BYTES = 64 << 10  # read of a file's beginning for its header, in steps


def is_splittable(form: Format, options: ReadOptions, path: str) -> bool:
    """Returns True if reading a file may begin in its middle: its format and its compression allow it."""
    return form.is_splittable and codec_for(path, options.plan.compression).splittable


class _Closable(Protocol[T_co]):
    """An iterator that its reader closes."""

    def __iter__(self) -> Iterator[T_co]: ...
    def __next__(self) -> T_co: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class _TimedStore:
    """A store whose reads are a phase of a profile."""

    store: Store
    profile: Profile

    def read(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
        """Reads as :meth:`Store.read <pyspark_logs.store.Store.read>`."""
        return self.profile.timed(self.store.read(*arguments, **options), FETCH)


@dataclass(frozen=True)
class SplitReader:
    """Reads one split; the :class:`~pyspark_logs.formats.interface.SplitSource` of its format.

    With a prefetcher, the file is fetched and decompressed in one of its threads as soon as :meth:`blocks` is called.

    Attributes:
        form: format of the file.
        options: options of the reader.
        store: store of the file.
        split: the split.
        context: time zone and year bound of the file's records.
        prefetcher: threads that fetch and decompress files ahead; None: the file is read as its blocks are taken.
        in_stream: True for a split of a streaming batch, whose files are fixed by the checkpoint.
        on_damage: function that is called with path, offset in the uncompressed file, and reason, if a damaged file was read
            up to the damage.
        on_skip: function that is called with path and problem if a file that is missing or changed is skipped.
        on_join: function that is called with path, number of lines that were joined to the record before them, and offset of
            the first of these lines in the uncompressed file; called for each block that has such lines.
        warn: function that logs a warning, as ``Logger.warning``.
        notice: function that is called with a kind and a message if the first bytes of the file and its name disagree.
        profile: seconds by phase; None: they are not measured.
    """

    form: Format
    options: ReadOptions
    store: Store
    split: FileSplit
    context: TimestampContext
    prefetcher: Prefetcher | None = None
    in_stream: bool = False
    on_damage: Callable[[str, int, str], None] | None = None
    on_skip: Callable[[str, str], None] | None = None
    on_join: Callable[[str, int, int], None] | None = None
    warn: Callable[..., None] = _log.warning
    notice: Callable[[str, str], None] = ignore_notice
    profile: Profile | None = None

    def blocks(self) -> Generator[Any, None, None]:
        """Returns the blocks of the split, as its format reads them.

        Raises:
            SnapshotChangedError: the file changed or went away since planning.
            CorruptFileError: the file cannot be decompressed or decoded, unless ``ignoreCorruptFiles``.
            StoreError: the store refused or failed.
        """
        return self.form.read(self)

    def lines(self, options: FormatOptions, rules: RecordRules) -> Generator[Lines, None, None]:
        """Returns the records of the split, in blocks: the lines, or joined lines and parts."""
        return self._records(
            self._prefetched(self._timed(self._find_lines(options, rules), LINES), _held_bytes), options, rules
        )

    def _records(
        self, found: _Closable[Lines], options: FormatOptions, rules: RecordRules
    ) -> Generator[Lines, None, None]:
        with closing(found):
            blocks = self._skip_bad_file(found)
            if rules.starts is not None:
                blocks = self._join(blocks, functools.partial(self._join_lines, rules.starts))
            elif rules.parts is not None:
                blocks = self._join(blocks, functools.partial(self._join_parts, rules.parts, options))
            yield from blocks

    def batches(
        self, decode: Callable[[Iterator[bytes], str], Iterator[pa.RecordBatch]]
    ) -> Generator[tuple[pa.RecordBatch, str], None, None]:
        """Returns the batches that ``decode`` makes of the decompressed bytes of the whole file, and the file's path."""
        return self._decoded(self._prefetched(self._content(), len), decode)

    def _decoded(
        self, chunks: _Closable[bytes], decode: Callable[[Iterator[bytes], str], Iterator[pa.RecordBatch]]
    ) -> Generator[tuple[pa.RecordBatch, str], None, None]:
        path = self.split.path
        with closing(chunks):
            yield from ((batch, path) for batch in self._skip_bad_file(decode(chunks, path)))

    # --- bytes ----------------------------------------------------------------------------------------------

    def _prefetched(self, items: Iterator[T], size: Callable[[T], int]) -> _Closable[T]:
        return (item for item in items) if self.prefetcher is None else self.prefetcher.add(items, size)

    def _timed(self, items: Iterator[T], phase: str) -> Iterator[T]:
        return items if self.profile is None else self.profile.timed(items, phase)

    def _content(self) -> Iterator[bytes]:
        """Returns the decompressed bytes of the whole file."""
        split = self.split
        chunks = self.store.read(split.path, 0, split.size, etag=split.etag)
        codec = codec_for(split.path, self.options.plan.compression)
        text = codec.decompress(chunks, path=split.path)
        if codec is NONE:
            return text
        return ExpansionLimit(split.path, split.size, self.options.fetch.max_ratio).check(text)

    def _skip_bad_file(self, items: Iterator[T]) -> Iterator[T]:
        """Yields the items of a file until it is found to be missing or damaged, where an option allows that."""
        path, is_read, offset = self.split.path, False, self.split.start
        try:
            for item in items:
                is_read = True
                if isinstance(item, Lines):
                    offset = item.offset + len(item.block)
                yield item
        except (PathNotFoundError, SnapshotChangedError) as error:
            problem = "was deleted" if isinstance(error, PathNotFoundError) else "changed"
            if self._may_skip(error) and not is_read:
                self.warn("%s: %s after planning, skipped (ignoreMissingFiles)", path, problem)
                if self.on_skip is not None:
                    self.on_skip(path, f"{problem} after planning")
            elif self.in_stream:
                raise SnapshotChangedError(_stream_advice(path, problem)) from error
            elif isinstance(error, SnapshotChangedError):
                raise
            else:
                advice = "" if job_of(path) else ", or set ignoreMissingFiles=true to read without such files"
                raise SnapshotChangedError(
                    f"{path}: was deleted after the query was planned. Load it again (a Spark frame keeps its plan){advice}"
                ) from error
        except CorruptFileError as error:
            if not self.options.plan.ignore_corrupt:
                raise
            self.warn("%s: damaged, read up to the damage (ignoreCorruptFiles)", path, exc_info=True)
            if self.on_damage is not None:
                self.on_damage(path, offset, str(error))

    def _may_skip(self, error: PathNotFoundError | SnapshotChangedError) -> bool:
        """True if an option allows to read without a file that is missing or, in a stream, changed.

        The files of a job are read as a whole or not at all. A batch query never skips one of them; a stream has decided on
        all of them before their first split is read (``reader``).
        """
        if not self.options.plan.ignore_missing or job_of(self.split.path):
            return False
        return self.in_stream or isinstance(error, PathNotFoundError)

    # --- lines ----------------------------------------------------------------------------------------------

    def _join(
        self, blocks: Iterator[Lines], join: Callable[[Iterator[Lines], Extent, OnJoin | None], Iterator[Lines]]
    ) -> Iterator[Lines]:
        """Joins the lines of each text under each header to records by a function."""
        following: Lines | None = next(blocks, None)
        while following is not None:
            extent, first, following = following.extent, following, None

            def of_text(first: Lines = first, extent: Extent = extent) -> Iterator[Lines]:
                nonlocal following
                yield first
                for lines in blocks:
                    if lines.extent != extent or lines.header != first.header:
                        following = lines
                        return
                    yield lines

            path = f"{self.split.path}!/{extent.member}" if extent.member else self.split.path
            on_join = None if self.on_join is None else functools.partial(self.on_join, path)
            header = first.header
            for records in join(of_text(), extent, on_join):
                yield replace(records, extent=extent, header=header)

    def _join_lines(
        self, starts: RecordStarts, blocks: Iterator[Lines], extent: Extent, on_join: OnJoin | None
    ) -> Iterator[Lines]:
        return starts.join(blocks, self.context, extent.start, extent.length, on_join)

    def _join_parts(
        self, rule: PartRule, options: FormatOptions, blocks: Iterator[Lines], extent: Extent, on_join: OnJoin | None
    ) -> Iterator[Lines]:
        return join_parts(blocks, rule, max_record_bytes=options.max_record_bytes, on_join=on_join)

    def _find_lines(self, options: FormatOptions, rules: RecordRules) -> Iterator[Lines]:
        """Yields the lines of the split. With ``multiLine`` they continue after its end, as long as the caller iterates."""
        texts = read_texts(
            self.store if self.profile is None else cast("Store", _TimedStore(self.store, self.profile)),
            self.split,
            self.options.plan.compression,
            splittable=self.form.is_splittable,
            has_marks=options.encoding == "utf-8",
            notice=self.notice,
            head_bytes=_HEAD_BYTES if rules.documents is not None else 0,
            max_ratio=self.options.fetch.max_ratio,
        )
        with closing(cast("Generator[FileText, None, None]", texts)):
            for text in texts:
                inflated = text if self.profile is None else replace(text, chunks=self._timed(text.chunks, INFLATE))
                yield from self._find_lines_of(inflated, options, rules)

    def _find_lines_of(self, text: FileText, options: FormatOptions, rules: RecordRules) -> Iterator[Lines]:
        """Yields the lines of one text of the file."""
        path = f"{self.split.path}!/{text.member}" if text.member else self.split.path
        if text.encoding is not None:
            options = replace(options, encoding=text.encoding)
        start, length = (self.split.start, self.split.length) if text.is_split else (0, None)
        # If line ends can be found without decoding the text, offsets are those of the file, and it can be split.
        undecoded = preserves_lines(options.encoding) and not self.form.reads_documents
        undecoded = undecoded or options.encoding == "utf-8"
        joints = text.joints if undecoded else []  # offsets in the text before it is transcoded
        chunks = (
            without_inner_marks(text.chunks, joints) if undecoded else transcode(text.chunks, options.encoding, path)
        )
        if rules.documents is not None:
            is_whole, chunks = _find_documents(rules.documents, text, chunks)
            if is_whole and start == 0:
                chunks = transcode(chunks, options.encoding, path) if undecoded else chunks
                extent = Extent(text.member)
                records = document_records(chunks, rules.documents, max_record_bytes=options.max_record_bytes)
                yield from (replace(lines, extent=extent) for lines in records)
            if is_whole:
                return
        chunks = unify_line_ends(chunks, text.in_carriage_returns)
        rule = rules.header
        encoding = options.encoding if undecoded else "utf-8"
        first_start = start
        if rules.quotes is not None and length is not None and (start > 0 or length < self.split.size):
            start, chunks = align_split(
                chunks, start, length, rules.quotes, encoding=encoding, max_record_bytes=options.max_record_bytes
            )
            length = None
        prefix = (options.comment_prefix or "").encode(encoding) or None
        to_join = rules.starts is not None  # such lines are sanitised after they are joined
        blocks = read_lines(
            chunks, start=start, length=length, max_record_bytes=options.max_record_bytes,
            comment_prefix=None if rule is not None and rule.by_fields else prefix,
            banners=tuple(text.encode(encoding) for text in options.banners), blanks=rules.blanks.encode(encoding),
            to_join=to_join, all_blocks=rules.quotes is not None,
        )  # fmt: skip
        if rules.quotes is not None:
            if not preserves_ascii(encoding) and not to_join:  # a byte of a longer character may equal a separator
                blocks, encoding = (sanitise(lines, options.encoding) for lines in blocks), "utf-8"
            blocks = join_quoted(
                blocks, rules.quotes, encoding=encoding, comment_prefix=prefix,
                max_record_bytes=options.max_record_bytes,
                on_join=None if self.on_join is None else functools.partial(self.on_join, path), to_join=to_join,
            )  # fmt: skip
        if rule is not None:
            first = self._first_line(text, prefix, options, rules) if first_start > 0 else None
            blocks = assign_headers(
                blocks, rule, path=path, encoding=encoding, first=first, joints=joints, to_join=to_join,
                is_whole=not text.is_split or (self.split.start == 0 and self.split.length >= self.split.size),
            )  # fmt: skip
        sanitises = encoding != "utf-8" and not to_join
        extent = Extent(text.member, start, length)
        for lines in blocks:
            yield replace(sanitise(lines, encoding) if sanitises else lines, extent=extent)

    def _first_line(
        self, text: FileText, prefix: bytes | None, options: FormatOptions, rules: RecordRules
    ) -> FirstLine | None:
        """Returns the first record of the file, which may be its header, by a read of the file's beginning."""
        blocks = read_lines(
            unify_line_ends(
                read_past_end(self.store, replace(self.split, start=0, length=_HEAD_BYTES)), text.in_carriage_returns
            ),
            block_bytes=_HEAD_BYTES,
            max_record_bytes=options.max_record_bytes,
            comment_prefix=prefix,
            all_blocks=rules.quotes is not None,
        )
        records = blocks
        if rules.quotes is not None:
            records = join_quoted(
                blocks, rules.quotes, encoding=options.encoding, comment_prefix=prefix,
                max_record_bytes=options.max_record_bytes,
            )  # fmt: skip
        lines = next(records, None)
        if isinstance(blocks, Generator):
            blocks.close()
        return None if lines is None else first_line(lines, options.encoding, self.split.path)


def _held_bytes(lines: Lines) -> int:
    """Returns the memory of a block and of the offsets of its lines."""
    return len(lines.block) + lines.starts.nbytes + lines.ends.nbytes


def _find_documents(rule: DocumentRule, text: FileText, chunks: Iterator[bytes]) -> tuple[bool, Iterator[bytes]]:
    """Returns True if a text is read as documents, and its chunks. The beginning of the file decides for all of its splits."""
    head, chunks = peek(chunks, _HEAD_BYTES) if text.head is None else (text.head, chunks)
    is_longer = len(head) == _HEAD_BYTES
    head = head.removeprefix(codecs.BOM_UTF8)
    # Firehose and exports write objects, or an array, without any line end.
    is_one_line = is_longer and b"\n" not in head and (b"}{" in head or head.lstrip()[:1] == b"[")
    return rule.is_general or is_one_line or begins_value_of_several_lines(head), chunks


def _stream_advice(path: str, problem: str) -> str:
    scope = "all files of its job in this batch" if job_of(path) else "it"
    return (
        f"{path}: {problem} after its batch was planned, and the checkpoint keeps the plan of the batch. Restore the file, or"
        f" restart the query with ignoreMissingFiles=true, which passes over {scope}"
    )
