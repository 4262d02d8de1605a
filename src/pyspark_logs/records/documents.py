"""Records of JSON documents: values one after another, over any number of lines, and the elements of arrays in them.

A file is a sequence of documents, with or without line ends between them. The records of a document are the elements of
the array at a path of keys. Without a path each document is a record, and so is each element of an array. The
elements of an array are yielded while the document is read; no document is held as a whole unless it is a record.

Text that is not JSON is a corrupt record, and reading continues in the line after the one in which the damaged value begins:
lines are joined only if they are a valid value together. The lines after a damaged value that are not values either belong to
the same corrupt record. A damaged element of an array ends where its line or its brackets say so, and the elements after it are
read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from pyspark_logs.records.blocks import BLOCK_BYTES, record_head
from pyspark_logs.records.document_output import DocumentRecord, DocumentRule, RecordOutput, is_string
from pyspark_logs.records.document_text import DocumentText
from pyspark_logs.records.lines import Lines

_BRACE, _BRACE_END, _BRACKET, _BRACKET_END, _COMMA, _COLON, _QUOTE = b'{}[],:"'
_TOKEN = re.compile(rb'"[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*"?|[{}\[\],\r\n]')
_STRING_REST = re.compile(rb'[^"\\\r\n]*(?:\\[^\r\n][^"\\\r\n]*)*("?)')


def document_records(
    chunks: Iterator[bytes], rule: DocumentRule, *, max_record_bytes: int = 16 << 20, read_bytes: int = 1 << 20
) -> Iterator[Lines]:
    r"""Yields the records of documents in blocks.

    A record longer than ``max_record_bytes`` is a block of its first bytes with its full length. Memory is bounded by a few times
    ``max_record_bytes``; the time is linear in the size of the text.

    Args:
        chunks: text in UTF-8, in chunks of any size; a generator is closed at the end.
        rule: the rule of the format.
        max_record_bytes: length of the longest record, and of the text of a document before its records.
        read_bytes: number of bytes that are read at once.

    Raises:
        CorruptFileError: ``chunks`` raised it; the records before have been yielded.

    >>> text = b'{"Records": [{"a":\n1}, {"a":2}]}{"Records": [{"a":3}]}'
    >>> blocks = document_records(iter([text]), DocumentRule(("Records",)))
    >>> [block.record(row) for block in blocks for row in range(len(block))]
    [b'{"a": 1}', b'{"a":2}', b'{"a":3}']
    """
    try:
        yield from _DocumentReader(DocumentText(chunks, max_record_bytes, read_bytes), rule, max_record_bytes).records()
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


class _BrokenValueError(Exception):
    """The text is not the value that was expected.

    Attributes:
        resumes: True if the text at the position can begin a document; False if the line of the value is skipped.
        is_reported: True if the broken value is a record already.
    """

    def __init__(self, *, resumes: bool = False, is_reported: bool = False) -> None:
        super().__init__()
        self.resumes, self.is_reported = resumes, is_reported


@dataclass
class _Nesting:
    """Position in the objects around the records.

    Attributes:
        level: number of objects that are open within the document; -1 after its end.
        after_value: True if a value was read, so that a comma or the end of the object follows.
        after_comma: True if a comma was read, so that a key follows.
    """

    level: int = 0
    after_value: bool = False
    after_comma: bool = False


class _DocumentReader:
    """Reads documents value by value; nested objects and arrays are passed over by their brackets."""

    def __init__(self, text: DocumentText, rule: DocumentRule, limit: int) -> None:
        self.text, self.rule, self.limit = text, rule, limit
        self.output = RecordOutput(text, rule, limit)
        self.error_offset = -1  # of the last error that was found within a value, in the file

    def records(self) -> Iterator[Lines]:
        """Yields all records in blocks."""
        text, output = self.text, self.output
        while (sign := text.next_sign()) is not None:
            text.mark = text.position
            output.begin_document()
            try:
                if sign == _BRACE:
                    yield from self._document()
                elif sign == _BRACKET:
                    yield from self._elements(are_documents=bool(self.rule.path))
                else:
                    raise _BrokenValueError
            except _BrokenValueError as broken:
                output.release()
                if broken.resumes:
                    output.reject_head()
                elif not broken.is_reported:
                    output.reject_line(begins_run=sign in (_BRACE, _BRACKET))
            if output.size > BLOCK_BYTES:
                yield from output.blocks()
        output.end_run()
        yield from output.blocks()
        if text.damage is not None:
            raise text.damage

    # --- documents ------------------------------------------------------------------------------------------

    def _document(self) -> Iterator[Lines]:
        """Reads the document at the position."""
        text, output, path = self.text, self.output, self.rule.path
        text.mark = text.position
        if not path:
            end = self._value_end()
            output.accept(text.position, end)
            text.position = text.mark = end
            return
        envelope = output.begin_document()
        nesting, is_found, is_bare = _Nesting(), False, False
        text.position += 1
        while (key := self._next_key(nesting)) is not None:
            sign, level = self._sign(), nesting.level
            is_bare = is_bare or (level == 0 and is_string(key, self.rule.bare_key))
            is_last = level + 1 == len(path)
            if is_string(key, path[level]) and sign == _BRACE and not is_last:
                text.position += 1
                nesting.level, nesting.after_value = level + 1, False
                continue
            if is_string(key, path[level]) and is_last and sign == _BRACKET:
                if not is_found:
                    if text.position - text.mark > self.limit:
                        raise _BrokenValueError
                    envelope.head = text.text[text.mark : text.position + 1]
                is_found = True
                text.mark = text.position
                yield from self._elements(are_documents=False)
            else:
                self._pass_over(sign, level, key)
            if is_found:
                text.mark = text.position
        if is_found:
            self.output.release()
        elif is_bare:
            self.output.accept_document(text.mark, text.position)
        elif not self.output.is_ignored():
            self.output.reject_document(text.mark, text.position)
        text.mark = text.position

    def _next_key(self, nesting: _Nesting) -> bytes | None:
        """Moves past commas and the ends of objects to the value of the next key; None: the document ends before."""
        while nesting.level >= 0:
            sign = self._sign()
            if sign == _BRACE_END and not nesting.after_comma:
                self.text.position += 1
                nesting.level -= 1
                nesting.after_value = True
            elif nesting.after_value:
                self._expect(sign, _COMMA)
                nesting.after_value, nesting.after_comma = False, True
            else:
                key = self._key(sign)
                nesting.after_value, nesting.after_comma = True, False
                return key
        return None

    def _key(self, sign: int) -> bytes:
        """Returns the key at the position, and moves past the colon after it."""
        key = self.text.scalar() if sign == _QUOTE else None
        if key is None:
            raise _BrokenValueError
        self._expect(self._sign(), _COLON)
        return key

    def _pass_over(self, sign: int, level: int, key: bytes) -> None:
        """Moves past a value beside the records."""
        if sign in (_BRACE, _BRACKET):
            self.text.position = self._value_end()
            return
        value = self.text.scalar()
        if value is None:
            raise _BrokenValueError
        self.output.envelope.scalars.append((level, key, value))

    def _sign(self) -> int:
        sign = self.text.next_sign()
        if sign is None:
            raise _BrokenValueError
        return sign

    def _expect(self, sign: int, expected: int) -> None:
        if sign != expected:
            raise _BrokenValueError
        self.text.position += 1

    def _value_end(self) -> int:
        """Returns the index after the object or array at the position.

        A value within a line is not validated: decoding tells whether it is JSON, and its end is certain in any case.
        """
        close = self.text.closing_bracket()
        if close is None or self._has_error(close + 1):
            raise _BrokenValueError
        return close + 1

    def _has_error(self, end: int) -> bool:
        """Returns True if the value at the position extends over several lines and is not JSON.

        A value that contains a known error is not parsed again, so that the time is linear for any nesting of broken values.
        """
        text, start = self.text, self.text.position
        if not text.has_line_end(start, end):
            return False
        if text.offset + start < self.error_offset < text.offset + end:
            return True
        error = text.find_error(start, end)
        if error is not None:
            self.error_offset = text.offset + error
        return error is not None

    # --- elements -------------------------------------------------------------------------------------------

    def _elements(self, *, are_documents: bool) -> Iterator[Lines]:
        """Reads the elements of the array at the position."""
        text = self.text
        output = self.output
        if not output.envelope.head:
            output.envelope.head = text.text[text.mark : text.position + 1]
        envelope = output.envelope
        offset = text.offset + text.position
        text.position += 1
        text.mark = text.position
        sign = self._sign()
        if sign == _BRACKET_END:
            text.position += 1
            if not self.rule.path:
                # An empty array is a corrupt record, as it is in a line.
                output.end_run()
                output.add(DocumentRecord(b"[]", offset))
            return
        while True:
            if are_documents and sign == _BRACE:
                yield from self._document()
                output.envelope = envelope
            elif are_documents:
                self._pass_over_element(sign)
            else:
                self._element(sign)
            if output.size > BLOCK_BYTES:
                yield from output.blocks()
            sign = self._sign()
            if sign == _BRACKET_END:
                text.position += 1
                text.mark = text.position
                return
            self._expect(sign, _COMMA)
            sign = self._sign()

    def _pass_over_element(self, sign: int) -> None:
        """Moves past an element that is not a document; such an element is a corrupt record."""
        text = self.text
        text.mark = text.position
        if sign == _BRACKET:
            text.position = self._value_end()
        elif text.scalar() is None:
            raise _BrokenValueError
        self.output.reject_document(text.mark, text.position)
        text.mark = text.position

    def _element(self, sign: int) -> None:
        """Reads the element at the position, which may be damaged."""
        text = self.text
        text.mark = text.position
        if sign in (_BRACE, _BRACKET):
            close = text.closing_bracket()
            if close is None:
                self._damaged_element()
                return
            if self._begins_other_document():
                raise _BrokenValueError(resumes=True)
            end = close + 1
            is_broken = self._has_error(end)
        else:
            if sign in (_BRACKET_END, _BRACE_END, _COMMA) or text.scalar() is None:
                self._damaged_element()
                return
            end, is_broken = text.position, False
        length = end - text.mark
        text.position = end
        following = text.next_sign()
        end = text.mark + length
        if following in (_COMMA, _BRACKET_END):
            self.output.accept(text.mark, end, "not a JSON value" if is_broken else None)
        elif is_broken:
            raise _BrokenValueError
        elif following in (None, _BRACE_END) or text.has_line_end(end, text.position):
            self.output.accept(text.mark, end)
            text.mark = end
        else:
            self._damaged_element()
            return
        text.mark = end

    def _begins_other_document(self) -> bool:
        """Returns True if the element is a document: the one before it was cut off after a comma."""
        text, path = self.text, self.rule.path
        if len(path) != 1:
            return False
        key = json.dumps(path[0]).encode()
        return re.compile(rb"\{\s*" + re.escape(key) + rb"\s*:\s*\[").match(text.text, text.position) is not None

    def _damaged_element(self) -> None:
        """Passes over the text from the mark to the end of the element as its brackets say, within the line."""
        text = self.text
        text.position = text.mark
        offset = text.offset + text.mark
        head, length = self._find_damaged_end()
        at_line_end = text.text[text.position : text.position + 1] in (b"", b"\r", b"\n")
        if head:
            self.output.end_run()
            text.drop_read_text()
            self.output.add(DocumentRecord(head, offset, None, length))
            if at_line_end:
                raise _BrokenValueError(is_reported=True)
            return
        if at_line_end:
            raise _BrokenValueError
        if text.position == text.mark:
            raise _BrokenValueError  # a comma or a closing bracket where an element should be
        self.output.accept(text.mark, text.position, "not a JSON value")
        text.mark = text.position

    def _find_damaged_end(self) -> tuple[bytes, int]:
        """Moves to the end of a damaged element; returns its first bytes and its length if it is too long to be held."""
        text = self.text
        head, length, depth, is_open = b"", 0, 0, False
        while True:
            if is_open:
                is_open = self._is_string_open()
            token = None if is_open else _TOKEN.search(text.text, text.position)
            # An escape whose second byte is not held may be in the token.
            is_cut = token is not None and text.text[token.end() : token.end() + 2] in (b"", b"\\")
            if token is None or is_cut:
                # The text that is held ends here: what is before the token is counted if the element is too long to be held.
                stop = text.position if is_open else len(text.text) if token is None else token.start()
                if head or stop - text.mark > self.limit:
                    head = head or record_head(text.text[text.mark : stop], self.limit)
                    length += stop - text.mark
                    text.mark = stop
                next_offset = text.offset + stop
                if text.read_more():
                    text.position = next_offset - text.offset
                    continue
                if token is None:
                    text.position = len(text.text)
                    break
            sign = token[0][0]
            text.position = token.start()
            if (sign in (_COMMA, _BRACKET_END, _BRACE_END) and depth == 0) or sign in b"\r\n":
                break
            text.position = token.end()
            is_open = sign == _QUOTE and is_cut
            depth += 1 if sign in (_BRACE, _BRACKET) else -1 if sign in (_BRACE_END, _BRACKET_END) else 0
        return head, length + (text.position - text.mark) * bool(head)

    def _is_string_open(self) -> bool:
        """Moves past the rest of a string; returns True if the text that is held ends within the string."""
        text = self.text
        rest = _STRING_REST.match(text.text, text.position)
        text.position = rest.end() if rest is not None else text.position
        is_closed = rest is not None and bool(rest[1])
        return not is_closed and text.text[text.position :] in (b"", b"\\")
