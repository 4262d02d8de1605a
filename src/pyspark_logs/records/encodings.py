"""What the bytes of a text are: UTF-8, something else, or broken."""

from __future__ import annotations

import codecs
import functools
from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pyspark_logs.records.lines import Lines


def is_ascii(text: bytes) -> bool:
    """Whether all bytes are ASCII; on whole blocks three times as fast as ``bytes.isascii``."""
    return not text or bool(np.frombuffer(text, np.uint8).max() < 0x80)


def is_utf8(text: bytes) -> bool:
    r"""Whether the bytes are valid UTF-8.

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
    r"""The same records over a block that is valid UTF-8; what is not valid in its encoding is U+FFFD.

    The number and the order of records stay, and so do their ``offsets``. Records must begin where a
    line begins and end where one ends. A block that is valid UTF-8 already is returned as it is.

    Args:
        lines: records of one block.
        encoding: of the block; one that :func:`keeps_lines`.

    >>> from pyspark_logs.records.lines import find_lines
    >>> lines = sanitise(find_lines(b"a\xff\nb\n", 0))
    >>> lines.record(0).decode(), lines.record(1).decode(), lines.offsets.tolist()
    ('a\ufffd', 'b', [0, 3])
    """
    if is_ascii(lines.block) or (encoding == "utf-8" and is_utf8(lines.block)):
        return lines

    def line_ends(text: bytes) -> npt.NDArray[np.int64]:
        newlines = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 0x0A)
        return np.append(newlines, len(text)).astype(np.int64)

    # A line end always decodes to itself, whatever comes before it. So both texts have the same lines, and
    # what is between a record's end and its line's end (a \r) has the same length.
    text = lines.block.decode(encoding, "replace").encode()
    before, after = line_ends(lines.block), line_ends(text)
    moved = after - before
    first = np.searchsorted(before, lines.starts)
    last = np.searchsorted(before, lines.ends)
    starts = lines.starts + np.where(first > 0, moved[first - 1], 0)
    ends = lines.ends + moved[last]
    return replace(
        lines,
        block=text,
        starts=starts.astype(np.int32),
        ends=ends.astype(np.int32),
        origins=lines.offsets,
    )


@functools.cache
def keeps_lines(encoding: str) -> bool:
    """Whether a newline is the byte 0x0A, and that byte a newline wherever it stands: UTF-8, Latin-1, GBK.

    >>> [keeps_lines(name) for name in ("utf-8", "iso8859-1", "gbk", "utf-16", "utf-7", "cp037")]
    [True, True, True, False, False, False]
    """
    every = [bytes([byte]) for byte in range(256)]
    texts = [byte.decode(encoding, "replace") for byte in every]
    plain = all(len(text) == 1 for text in texts) and all(texts[byte] == chr(byte) for byte in range(128))
    # Nor may the first byte of a longer character swallow a line end.
    return plain and all((byte + b"\r\n").decode(encoding, "replace")[-2:] == "\r\n" for byte in every)


def transcode(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    r"""Text of another encoding as UTF-8; what is not valid in it becomes U+FFFD.

    UTF-8 passes unchanged (see :func:`sanitise`). This is for encodings that do not :func:`keeps_lines`:
    offsets of records are then those in the transcoded text, and such a file cannot be split.

    >>> b"".join(transcode(iter([b"\xe4\n"]), "latin-1")).decode()
    'ä\n'
    """
    try:
        if codecs.lookup(encoding).name == "utf-8":
            yield from chunks
            return
        decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        for chunk in chunks:
            # Some encodings can spell half a surrogate pair, which UTF-8 cannot.
            if text := decoder.decode(chunk):
                yield text.encode("utf-8", "replace")
        if text := decoder.decode(b"", final=True):
            yield text.encode("utf-8", "replace")
    finally:
        if isinstance(chunks, Generator):
            chunks.close()
