"""Encodings: validation of UTF-8, replacement of invalid bytes, and transcoding."""

from __future__ import annotations

import codecs
import functools
from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pyspark_logs.errors import CorruptFileError
from pyspark_logs.records.lines import Lines


def is_ascii(text: bytes) -> bool:
    """True if all bytes are ASCII; on whole blocks three times as fast as ``bytes.isascii``."""
    return not text or bool(np.frombuffer(text, np.uint8).max() < 0x80)


def is_utf8(text: bytes) -> bool:
    r"""True if the bytes are valid UTF-8.

    >>> is_utf8("ä".encode()), is_utf8(b"\xe4")
    (True, False)
    """
    if is_ascii(text):
        return True
    # Four times as fast as bytes.decode on text that is not plain ASCII.
    offsets = pa.py_buffer(np.array([0, len(text)], dtype=np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(text)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def sanitise(lines: Lines, encoding: str = "utf-8") -> Lines:
    r"""Returns the records over a block of valid UTF-8, with U+FFFD for bytes that are invalid in the encoding.

    Number, order and ``offsets`` of the records do not change. A record must begin at the start of a line and end at the end
    of a line. A block that is valid UTF-8 is returned unchanged.

    Args:
        lines: records of one block.
        encoding: encoding of the block, one for which :func:`preserves_lines` is true.

    >>> from pyspark_logs.records.lines import find_lines
    >>> lines = sanitise(find_lines(b"a\xff\nb\n", 0))
    >>> lines.record(0).decode(), lines.record(1).decode(), lines.offsets.tolist()
    ('a\ufffd', 'b', [0, 3])
    """
    if lines.is_ascii or is_ascii(lines.block) or (encoding == "utf-8" and is_utf8(lines.block)):
        return lines

    def line_ends(text: bytes) -> npt.NDArray[np.int64]:
        newlines = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 0x0A)
        return np.append(newlines, len(text)).astype(np.int64)

    # A line end always decodes to itself, whatever precedes it. Both texts therefore have the same lines, and the distance
    # between the end of a record and the end of its line (a \r) does not change.
    text = lines.block.decode(encoding, "replace").encode()
    before, after = line_ends(lines.block), line_ends(text)
    shifts = after - before
    first = np.searchsorted(before, lines.starts)
    last = np.searchsorted(before, lines.ends)
    starts = lines.starts + np.where(first > 0, shifts[first - 1], 0)
    ends = lines.ends + shifts[last]
    return replace(
        lines,
        block=text,
        starts=starts.astype(np.int32),
        ends=ends.astype(np.int32),
        origins=lines.offsets,
        is_single=False,
    )


@functools.cache
def preserves_lines(encoding: str) -> bool:
    """True if a newline is encoded as the byte 0x0A and this byte always is a newline: UTF-8, Latin-1, GBK.

    >>> [preserves_lines(name) for name in ("utf-8", "iso8859-1", "gbk", "utf-16", "utf-7", "cp037")]
    [True, True, True, False, False, False]
    """
    every = [bytes([byte]) for byte in range(256)]
    try:
        texts = [byte.decode(encoding, "replace") for byte in every]
    except UnicodeError:  # such as idna, which has no replacement for invalid bytes
        return False
    plain = all(len(text) == 1 for text in texts) and all(texts[byte] == chr(byte) for byte in range(128))
    # The first byte of a longer character must not consume a line end either.
    return plain and all((byte + b"\r\n").decode(encoding, "replace")[-2:] == "\r\n" for byte in every)


@functools.cache
def preserves_ascii(encoding: str) -> bool:
    """True if a byte below 128 always is the ASCII character, also after any other byte; requires ``preserves_lines``.

    >>> [preserves_ascii(name) for name in ("utf-8", "iso8859-1", "gbk", "shift_jis")]
    [True, True, False, False]
    """
    printable = [bytes([byte]) for byte in range(0x20, 0x7F)]
    return all(
        (bytes([lead]) + byte).decode(encoding, "replace").endswith(byte.decode())
        for lead in range(128, 256)
        for byte in printable
    )


def transcode(chunks: Iterator[bytes], encoding: str, path: str = "") -> Iterator[bytes]:
    r"""Yields text of another encoding as UTF-8, with U+FFFD for invalid bytes.

    UTF-8 passes unchanged (see :func:`sanitise`). The function serves encodings for which :func:`preserves_lines` is false: the
    offsets of records are then offsets in the transcoded text, and such a file cannot be split.

    Raises:
        CorruptFileError: the text is not in the encoding, which has no replacement for invalid bytes or needs a mark; names
            ``path``.

    >>> b"".join(transcode(iter([b"\xe4\n"]), "latin-1")).decode()
    'ä\n'
    """
    try:
        if codecs.lookup(encoding).name == "utf-8":
            yield from chunks
            return
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        for chunk in chunks:
            # Some encodings can represent half of a surrogate pair, which UTF-8 cannot.
            if text := decoder.decode(chunk):
                yield text.encode("utf-8", "replace")
        if text := decoder.decode(b"", final=True):
            yield text.encode("utf-8", "replace")
    except UnicodeError as error:
        needs_mark = codecs.lookup(encoding).name in ("utf-16", "utf-32")
        advice = (
            f"give the encoding of text without a mark, {encoding}-le or {encoding}-be"
            if needs_mark
            else "give another encoding"
        )
        raise CorruptFileError(f"{path}: cannot be decoded as {encoding}: {error}; {advice}") from error
    finally:
        if isinstance(chunks, Generator):
            chunks.close()
