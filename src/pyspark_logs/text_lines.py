"""The lines of one text of a file: decoded, aligned with the split, joined within quotes, and under their headers."""

from __future__ import annotations

import codecs
import functools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace

from pyspark_logs.file_content import FileText, peek, without_inner_marks
from pyspark_logs.formats.record_rules import RecordRules
from pyspark_logs.options import FormatOptions
from pyspark_logs.planning import FileSplit
from pyspark_logs.records import (
    DocumentRule,
    Extent,
    FirstLine,
    HeaderRule,
    Lines,
    QuoteRule,
    SearchedText,
    align_split,
    assign_headers,
    begins_value_of_several_lines,
    document_records,
    first_line,
    join_quoted,
    preserves_ascii,
    preserves_lines,
    read_lines,
    sanitise,
    transcode,
    unify_line_ends,
)

HEAD_BYTES = 64 << 10  # read of a file's beginning, which decides about documents and may hold the header


@dataclass(frozen=True)
class TextLines:
    """Finds the lines of a text.

    Attributes:
        text: the text.
        split: split of the file, which owns the lines that begin in it if the text is split.
        options: options of the format, with the encoding of the text.
        rules: rules of the records.
        reads_documents: True if the format reads JSON documents, whose text is decoded first.
        read_head: function that returns the first ``HEAD_BYTES`` of the file, and the rest of a line that begins there.
        on_join: function that is called with path, number of lines joined within quotes, and offset of the first of them.
        searched: receiver of the size of the text that is held to find the first record of the split.
    """

    text: FileText
    split: FileSplit
    options: FormatOptions
    rules: RecordRules
    reads_documents: bool
    read_head: Callable[[], Iterator[bytes]]
    on_join: Callable[[str, int, int], None]
    searched: SearchedText

    @property
    def path(self) -> str:
        """Path of the file, with the member of an archive after ``!/``."""
        return f"{self.split.path}!/{self.text.member}" if self.text.member else self.split.path

    @property
    def _keeps_offsets(self) -> bool:
        """True if line ends are found without decoding the text: offsets are those of the file, and it can be split."""
        encoding = self.options.encoding
        return encoding == "utf-8" or (preserves_lines(encoding) and not self.reads_documents)

    @property
    def _encoding(self) -> str:
        """Encoding of the bytes in which lines are found."""
        return self.options.encoding if self._keeps_offsets else "utf-8"

    @property
    def _comment_prefix(self) -> bytes | None:
        return (self.options.comment_prefix or "").encode(self._encoding) or None

    @property
    def _to_join(self) -> bool:
        """True if the lines are joined later, and sanitised after that."""
        return self.rules.starts is not None

    def blocks(self) -> Iterator[Lines]:
        """Yields blocks of lines, or of documents. With ``multiLine`` they continue after the split while the caller iterates."""
        chunks = (
            without_inner_marks(self.text.chunks, self.text.joints)
            if self._keeps_offsets
            else transcode(self.text.chunks, self.options.encoding, self.path)
        )
        start, length = (self.split.start, self.split.length) if self.text.is_split else (0, None)
        if self.rules.documents is not None:
            is_whole, chunks = _find_documents(self.rules.documents, self.text, chunks)
            if is_whole and start == 0:
                yield from self._document_blocks(chunks, self.rules.documents)
            if is_whole:
                return
        chunks = unify_line_ends(chunks, self.text.in_carriage_returns)
        yield from self._line_blocks(chunks, start, length)

    def _document_blocks(self, chunks: Iterator[bytes], rule: DocumentRule) -> Iterator[Lines]:
        if self._keeps_offsets:
            chunks = transcode(chunks, self.options.encoding, self.path)
        extent = Extent(self.text.member)
        records = document_records(chunks, rule, max_record_bytes=self.options.max_record_bytes)
        yield from (replace(lines, extent=extent) for lines in records)

    def _line_blocks(self, chunks: Iterator[bytes], start: int, length: int | None) -> Iterator[Lines]:
        """Yields the lines that begin in ``[start, start + length)``, or to the end of the text if the length is None."""
        rules, encoding = self.rules, self._encoding
        is_later_split = start > 0
        if rules.quotes is not None and length is not None and (is_later_split or length < self.split.size):
            start, chunks = align_split(
                chunks, start, length, rules.quotes, encoding=encoding, max_record_bytes=self.options.max_record_bytes,
                searched=self.searched,
            )  # fmt: skip
            length = None
        blocks = read_lines(
            chunks, start=start, length=length, max_record_bytes=self.options.max_record_bytes,
            comment_prefix=None if rules.header is not None and rules.header.by_fields else self._comment_prefix,
            banners=tuple(text.encode(encoding) for text in self.options.banners), blanks=rules.blanks.encode(encoding),
            to_join=self._to_join, all_blocks=rules.quotes is not None, seeks_values=rules.splits_values,
        )  # fmt: skip
        if rules.quotes is not None:
            if not preserves_ascii(encoding) and not self._to_join:
                # A byte of a longer character may equal a separator.
                blocks, encoding = (sanitise(lines, self.options.encoding) for lines in blocks), "utf-8"
            blocks = self._join_quoted(blocks, rules.quotes, encoding)
        if rules.header is not None:
            first = self._first_line(rules.header) if is_later_split else None
            blocks = self._assign_headers(blocks, rules.header, encoding, first)
        sanitises = encoding != "utf-8" and not self._to_join
        extent = Extent(self.text.member, start, length)
        for lines in blocks:
            yield replace(sanitise(lines, encoding) if sanitises else lines, extent=extent)

    def _join_quoted(self, blocks: Iterator[Lines], rule: QuoteRule, encoding: str) -> Iterator[Lines]:
        return join_quoted(
            blocks, rule, encoding=encoding, comment_prefix=self._comment_prefix,
            max_record_bytes=self.options.max_record_bytes, on_join=functools.partial(self.on_join, self.path), to_join=self._to_join,
        )  # fmt: skip

    def _assign_headers(
        self, blocks: Iterator[Lines], rule: HeaderRule, encoding: str, first: FirstLine | None
    ) -> Iterator[Lines]:
        split = self.split
        return assign_headers(
            blocks, rule, path=self.path, encoding=encoding, first=first,
            joints=self.text.joints if self._keeps_offsets else [],  # offsets in the text before it is transcoded
            to_join=self._to_join,
            is_whole=not self.text.is_split or (split.start == 0 and split.length >= split.size),
        )  # fmt: skip

    def _first_line(self, rule: HeaderRule) -> FirstLine | None:
        """Returns the first record of the file, which may be its header, by a read of the file's beginning."""
        options, quotes = self.options, self.rules.quotes
        blocks = read_lines(
            unify_line_ends(self.read_head(), self.text.in_carriage_returns),
            block_bytes=HEAD_BYTES,
            max_record_bytes=options.max_record_bytes,
            comment_prefix=self._comment_prefix,
            all_blocks=quotes is not None,
        )
        records = blocks
        if quotes is not None:
            records = join_quoted(
                blocks, quotes, encoding=options.encoding, comment_prefix=self._comment_prefix,
                max_record_bytes=options.max_record_bytes,
            )  # fmt: skip
        lines = next(records, None)
        if isinstance(blocks, Generator):
            blocks.close()
        return None if lines is None else first_line(lines, rule, options.encoding, self.split.path)


def _find_documents(rule: DocumentRule, text: FileText, chunks: Iterator[bytes]) -> tuple[bool, Iterator[bytes]]:
    """Returns True if a text is read as documents, and its chunks. The beginning of the file decides for all of its splits."""
    head, chunks = peek(chunks, HEAD_BYTES) if text.head is None else (text.head, chunks)
    is_longer = len(head) == HEAD_BYTES
    head = head.removeprefix(codecs.BOM_UTF8)
    # Firehose and exports write objects, or an array, without any line end.
    is_one_line = is_longer and b"\n" not in head and (b"}{" in head or head.lstrip()[:1] == b"[")
    return rule.is_general or is_one_line or begins_value_of_several_lines(head), chunks
