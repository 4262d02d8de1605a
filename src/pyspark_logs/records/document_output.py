"""Records that a reader of JSON documents finds, corrupt ones included, and their blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pyspark_logs.records.blocks import record_head
from pyspark_logs.records.document_text import DocumentText
from pyspark_logs.records.lines import Lines

_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")
_BLANK = b" \t\r\n\0"
_MAX_PARENT_BYTES = 16 << 10  # of the values beside records, which are repeated in each record


@dataclass(frozen=True)
class DocumentRule:
    """The rule by which a format finds records in documents.

    Attributes:
        path: keys from a document to its records; empty: the documents, or the elements of their arrays, are the records.
        bare_key: key of documents that are records themselves, without the path; None: there are none.
        ignored: key and value of documents without records; None: there are none.
        parent: key under which each record has the scalars beside the records, by their paths in the document; None: it does not
            have them.
        is_written: True if a document a line is the usual form, so that rows can be written as lines.
        is_general: False if only files of values that extend over several lines are read as documents, and the lines of other
            files are the records.
    """

    path: tuple[str, ...] = ()
    bare_key: str | None = None
    ignored: tuple[str, str] | None = None
    parent: str | None = None
    is_written: bool = False
    is_general: bool = True

    def missing(self) -> str:
        """Returns the reason of a corrupt document that lacks the path."""
        return f"a JSON document without records at {'.'.join(self.path)!r}"


@dataclass
class DocumentRecord:
    """A record, or the first bytes of one that exceeds the limit.

    Attributes:
        text: text without line ends.
        offset: offset in the file.
        damage: reason why the record is corrupt; None: decoding tells.
        full_length: length if it exceeds the limit; else None.
    """

    text: bytes
    offset: int
    damage: str | None = None
    full_length: int | None = None


@dataclass
class Envelope:
    """The document whose records are being read.

    Attributes:
        head: text before the records.
        offset: offset of the document.
        scalars: level, key and value of the scalars beside the records, as they are in the text.
        records: records that wait for the scalars after them.
        size: bytes of these records.
        known: number of scalars that records have which were passed on because the document is too long; None: records wait
            for all scalars.
    """

    head: bytes = b""
    offset: int = 0
    scalars: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    records: list[DocumentRecord] = field(default_factory=list)
    size: int = 0
    known: int | None = None


class RecordOutput:
    """Collects records.

    Args:
        text: text of the file.
        rule: rule of the format.
        limit: length of the longest record.

    Attributes:
        envelope: the document that is being read.
        size: bytes of the records that are ready.
    """

    def __init__(self, text: DocumentText, rule: DocumentRule, limit: int) -> None:
        self.text, self.rule, self.limit = text, rule, limit
        self.envelope = Envelope()
        self.records: list[DocumentRecord] = []
        self.size = 0
        self._waits = rule.parent is not None or rule.ignored is not None
        self._run_end = 0  # length of the open corrupt record

    def begin_document(self) -> Envelope:
        """Begins the document at the position."""
        self.envelope = Envelope(offset=self.text.offset + self.text.position)
        return self.envelope

    def accept(self, start: int, end: int, damage: str | None = None) -> None:
        """Adds the record in a range of the text; with a reason if it is corrupt."""
        self.end_run()
        text, offset = self.text.text[start:end], self.text.offset + start
        if len(text) > self.limit:
            self.add(DocumentRecord(record_head(text, self.limit), offset, None, len(text)))
            return
        if self.text.has_line_end(start, end):
            text = text.translate(_LINE_ENDS)
        self.add(DocumentRecord(text.rstrip(_BLANK), offset, damage))

    def accept_document(self, start: int, end: int) -> None:
        """Adds a document that is a record itself, so that no values are beside it, unless such documents have no records."""
        if not self.is_ignored():
            self.envelope.scalars.clear()
            self.accept(start, end)
            self.release()

    def add(self, record: DocumentRecord) -> None:
        """Adds a record, which waits for the values after it if they are part of it."""
        if not self._waits:
            self.records.append(record)
            self.size += len(record.text)
            return
        envelope = self.envelope
        envelope.records.append(record)
        envelope.size += len(record.text)
        if envelope.size > self.limit:
            self.release()
            envelope.known = len(envelope.scalars)

    def release(self) -> None:
        """Passes on the records that wait, with the scalars beside them."""
        envelope = self.envelope
        known = envelope.scalars[: envelope.known]
        late = envelope.scalars[len(known) :]
        if envelope.records and not self.is_ignored():
            parent = _parent_text(self.rule, known)
            if len(parent) > _MAX_PARENT_BYTES:
                reason = f"the values beside the records have {len(parent)} bytes, more than {_MAX_PARENT_BYTES}"
                head = record_head(envelope.head.translate(_LINE_ENDS), self.limit)
                self.records.append(DocumentRecord(head, envelope.offset, reason))
                parent = b""
            for record in envelope.records:
                if parent and record.full_length is None:
                    record.text = _with_parent(record.text, parent)
                self.records.append(record)
                self.size += len(record.text)
        envelope.records, envelope.size = [], 0
        if late and self.rule.parent is not None:
            names = b",".join(key + b":" + value for _, key, value in late)
            reason = "values after the records of a document that is longer than maxRecordBytes"
            self.records.append(DocumentRecord(names.translate(_LINE_ENDS), envelope.offset, reason))

    def is_ignored(self) -> bool:
        """Returns True if the document is one without records."""
        if self.rule.ignored is None:
            return False
        name, value = self.rule.ignored
        return any(
            level == 0 and is_string(key, name) and is_string(text, value) for level, key, text in self.envelope.scalars
        )

    def reject_line(self, *, begins_run: bool) -> None:
        """Adds the rest of the line at the mark as a corrupt record, and moves to the end of the line.

        Args:
            begins_run: True if the lines after it belong to the same record as long as they are not values.
        """
        text = self.text
        end = self._line_end()
        if end is not None and not text.text[text.mark : end].strip(_BLANK):
            # The line ends after the last complete value; a comma after it may be in a later line.
            rest = text.text[text.mark : text.position]
            blank = len(rest) - len(rest.lstrip(_BLANK))
            if blank < len(rest):
                text.mark += blank
                end = self._line_end()
        if end is None:
            self._skip_long_line()
            return
        is_damage = text.damage is not None and end == len(text.text)  # reported by its own error
        if not is_damage and not text.text[text.mark : end].strip(_BLANK):
            self.reject_head()
        elif not is_damage:
            begins_run = begins_run or text.run is not None
            text.run = text.mark if text.run is None else text.run
            self._run_end = end - text.run
            if not begins_run or self._run_end > self.limit:
                self.end_run()
        text.position = text.mark = end

    def reject_head(self) -> None:
        """Adds the text before the records of a document that was cut off, to an open corrupt record if there is one."""
        if self.text.run is not None:
            self._run_end = self.text.position - self.text.run
            return
        head = record_head(self.envelope.head.translate(_LINE_ENDS), self.limit)
        self.records.append(DocumentRecord(head, self.envelope.offset, "a JSON document that was cut off"))

    def reject_document(self, start: int, end: int) -> None:
        """Adds a document that lacks the path, to an open corrupt record if there is one."""
        text = self.text
        if text.run is not None:
            self._run_end = end - text.run
            return
        if end - start > self.limit:
            self.accept(start, end)
            return
        record = text.text[start:end].translate(_LINE_ENDS)
        self.records.append(DocumentRecord(record, text.offset + start, self.rule.missing()))
        self.size += len(record)

    def end_run(self) -> None:
        """Ends the open corrupt record, if there is one."""
        text = self.text
        if text.run is None:
            return
        record = text.text[text.run : text.run + self._run_end].rstrip(b"\r\n\0").translate(_LINE_ENDS)
        full_length = len(record) if len(record) > self.limit else None
        if full_length is not None:
            record = record_head(record, self.limit)
        offset = text.offset + text.run
        self.records.append(DocumentRecord(record, offset, None if full_length else "not a JSON value", full_length))
        self.size += len(record)
        text.run = None

    def _line_end(self) -> int | None:
        """Returns the index of the end of the line at the mark; None if the line exceeds the limit, however much is held."""
        end = self.text.line_end()
        return None if end is None or end - self.text.mark > self.limit else end

    def _skip_long_line(self) -> None:
        """Adds the first bytes of a line that exceeds the limit, and moves to its end."""
        text = self.text
        self.end_run()
        offset, head, length = text.offset + text.mark, record_head(text.text[text.mark :], self.limit), 0
        while True:
            end = text.line_end()
            stop = len(text.text) if end is None else end
            length += stop - text.mark
            text.position = text.mark = stop
            if end is not None:
                break
        self.records.append(DocumentRecord(head, offset, None, length))

    def blocks(self) -> Iterator[Lines]:
        """Yields the records that were read, as blocks; a corrupt record is a block."""
        output, self.records, self.size = self.records, [], 0
        run: list[DocumentRecord] = []
        for record in output:
            if record.damage is None and record.full_length is None:
                run.append(record)
                continue
            yield from _block(run)
            run = []
            yield from _block([record])
        yield from _block(run)


def _block(records: list[DocumentRecord]) -> Iterator[Lines]:
    if not records:
        return
    sizes = np.array([len(record.text) for record in records], np.int64)
    ends = np.cumsum(sizes + 1) - 1
    origins = np.array([record.offset for record in records], np.int64)
    first = records[0]
    yield Lines(
        b"\n".join(record.text for record in records),
        (ends - sizes).astype(np.int32),
        ends.astype(np.int32),
        first.offset,
        first.full_length,
        origins,
        damage=first.damage,
        is_whole=True,
    )


def is_string(token: bytes, name: str | None) -> bool:
    """Returns True if a JSON string is a name."""
    if name is None or token[:1] != b'"':
        return False
    if b"\\" not in token:
        return token[1:-1] == name.encode()
    try:
        return bool(json.loads(token) == name)
    except ValueError:
        return False


def _parent_text(rule: DocumentRule, scalars: list[tuple[int, bytes, bytes]]) -> bytes:
    """Returns the member that each record gets, as JSON: the scalars beside the records, by their paths in the document."""
    if rule.parent is None or not scalars:
        return b""
    text = b""
    for level in reversed(range(len(rule.path))):
        members = [key + b":" + value for at, key, value in scalars if at == level]
        if text:
            members.append(json.dumps(rule.path[level]).encode() + b":" + text)
        text = b"{" + b",".join(members) + b"}" if members else b""
    return json.dumps(rule.parent).encode() + b":" + text


def _with_parent(record: bytes, parent: bytes) -> bytes:
    """Returns the text of a record with a further member at its beginning."""
    if not record.startswith(b"{"):
        return record
    rest = record[1:]
    return b"{" + parent + (b"" if rest.lstrip(_BLANK).startswith(b"}") else b",") + rest
