"""Reads the records of one split: fetches, decompresses, finds lines, and joins lines to records.

Files that are missing or damaged are skipped with a warning where an option allows it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar, cast

import pyarrow as pa

from pyspark_logs.codecs import NONE, codec_for
from pyspark_logs.codecs.expansion import ExpansionLimit
from pyspark_logs.errors import CorruptFileError, PathNotFoundError, SnapshotChangedError
from pyspark_logs.file_content import FileText, read_past_end, read_texts
from pyspark_logs.formats.interface import Format
from pyspark_logs.formats.multiline import RecordStarts
from pyspark_logs.formats.record_rules import RecordRules
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.jobs import job_of
from pyspark_logs.options import FormatOptions, ReadOptions
from pyspark_logs.planning import FileSplit
from pyspark_logs.prefetch import Prefetcher
from pyspark_logs.profiling import FETCH, INFLATE, LINES, Profile
from pyspark_logs.records import BLOCK_BYTES, Extent, Lines, OnJoin, PartRule, SearchedText, join_parts
from pyspark_logs.small_files import is_small, read_plain_lines
from pyspark_logs.store import Store
from pyspark_logs.terminal_text import get_logger
from pyspark_logs.text_lines import HEAD_BYTES, TextLines

_log = get_logger(__name__)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


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


class SplitObserver:
    """Receives the events of reading a split's file. This class logs warnings, and ignores other events."""

    def warn(self, message: str, *arguments: Any, **options: Any) -> None:
        """Logs a warning, as ``Logger.warning``."""
        _log.warning(message, *arguments, **options)

    def notice(self, kind: str, message: str) -> None:
        """Receives a notice of some kind, such as that the first bytes of the file and its name disagree."""

    def record_skip(self, path: str, problem: str) -> None:
        """Receives a file that is skipped because it is missing or changed."""
        self.warn("%s: %s, skipped (ignoreMissingFiles)", path, problem)

    def record_damage(self, path: str, offset: int, reason: str) -> None:
        """Receives a damaged file that was read up to an offset in its uncompressed text. Called as the error is handled."""
        self.warn("%s: damaged, read up to the damage (ignoreCorruptFiles)", path, exc_info=True)

    def record_join(self, path: str, count: int, offset: int) -> None:
        """Receives the lines of a block that were joined to the record before them.

        Args:
            path: path of the file.
            count: number of these lines.
            offset: offset of the first of them in the uncompressed file.
        """


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
        observer: receiver of the events of reading the file.
        profile: seconds by phase; None: they are not measured.
    """

    form: Format
    options: ReadOptions
    store: Store
    split: FileSplit
    context: TimestampContext
    prefetcher: Prefetcher | None = None
    in_stream: bool = False
    observer: SplitObserver = SplitObserver()  # noqa: RUF009 - without state
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
        if self.prefetcher is None and self.profile is None and self.store.is_local and is_small(self.split):
            lines = read_plain_lines(self.store, self.split, self.options.plan.compression, options, rules)
            if lines is not None:
                return (block for block in (lines,) if len(block))
        searched = SearchedText()
        found = self._timed(self._find_lines(options, rules, searched), LINES)
        # The search for the first record of a split may hold as much text as the longest record has.
        searches = rules.quotes is not None and not self.split.is_whole
        item_bytes = BLOCK_BYTES + min(options.max_record_bytes, self.split.size) * searches
        blocks = self._prefetched(found, lambda lines: _held_bytes(lines) + searched.size, item_bytes)
        return self._records(blocks, options, rules)

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

    def _prefetched(self, items: Iterator[T], size: Callable[[T], int], item_bytes: int | None = None) -> _Closable[T]:
        return (item for item in items) if self.prefetcher is None else self.prefetcher.add(items, size, item_bytes)

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
                self.observer.record_skip(path, f"{problem} after planning")
            elif self.in_stream:
                ignores = self.options.plan.ignore_missing
                raise SnapshotChangedError(_stream_advice(path, problem, ignores=ignores)) from error
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
            self.observer.record_damage(path, offset, str(error))

    def _may_skip(self, error: PathNotFoundError | SnapshotChangedError) -> bool:
        """True if an option allows to read without a file that is missing or, in a stream, changed.

        The files of a job are read as a whole or not at all. A batch query never skips one of them. A stream decides on them,
        and on files of several splits, when it plans the batch (``stream.missing_files``), and never after that.
        """
        if not self.options.plan.ignore_missing or job_of(self.split.path):
            return False
        return self.split.is_whole if self.in_stream else isinstance(error, PathNotFoundError)

    # --- lines ----------------------------------------------------------------------------------------------

    def _join(
        self, blocks: Iterator[Lines], join: Callable[[Iterator[Lines], Extent, OnJoin], Iterator[Lines]]
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
            header = first.header
            for records in join(of_text(), extent, functools.partial(self.observer.record_join, path)):
                yield replace(records, extent=extent, header=header)

    def _join_lines(
        self, starts: RecordStarts, blocks: Iterator[Lines], extent: Extent, on_join: OnJoin
    ) -> Iterator[Lines]:
        return starts.join(blocks, self.context, extent.start, extent.length, on_join)

    def _join_parts(
        self, rule: PartRule, options: FormatOptions, blocks: Iterator[Lines], extent: Extent, on_join: OnJoin
    ) -> Iterator[Lines]:
        return join_parts(blocks, rule, max_record_bytes=options.max_record_bytes, on_join=on_join)

    def _find_lines(self, options: FormatOptions, rules: RecordRules, searched: SearchedText) -> Iterator[Lines]:
        """Yields the lines of the split. With ``multiLine`` they continue after its end, as long as the caller iterates."""
        texts = read_texts(
            self.store if self.profile is None else cast("Store", _TimedStore(self.store, self.profile)),
            self.split,
            self.options.plan.compression,
            splittable=self.form.is_splittable,
            has_marks=options.encoding == "utf-8",
            notice=self.observer.notice,
            head_bytes=HEAD_BYTES if rules.documents is not None else 0,
            max_ratio=self.options.fetch.max_ratio,
        )
        with closing(cast("Generator[FileText, None, None]", texts)):
            for text in texts:
                inflated = text if self.profile is None else replace(text, chunks=self._timed(text.chunks, INFLATE))
                given = options if text.encoding is None else replace(options, encoding=text.encoding)
                yield from TextLines(
                    inflated, self.split, given, rules, self.form.reads_documents, self._read_head,
                    self.observer.record_join, searched,
                ).blocks()  # fmt: skip

    def _read_head(self) -> Iterator[bytes]:
        return read_past_end(self.store, replace(self.split, start=0, length=HEAD_BYTES))


def _held_bytes(lines: Lines) -> int:
    """Returns the memory of a block and of the offsets of its lines."""
    return len(lines.block) + lines.starts.nbytes + lines.ends.nbytes


def _stream_advice(path: str, problem: str, *, ignores: bool) -> str:
    scope = "all files of its job in this batch" if job_of(path) else "it"
    if ignores:  # the file was there when the batch was planned, and other tasks may have read a part of it
        return (
            f"{path}: {problem} while its batch was read. Restart the query: it plans the batch again, and"
            f" ignoreMissingFiles=true then passes over {scope}"
        )
    return (
        f"{path}: {problem} after its batch was planned, and the checkpoint keeps the plan of the batch. Restore the file, or"
        f" restart the query with ignoreMissingFiles=true, which passes over {scope}"
    )
