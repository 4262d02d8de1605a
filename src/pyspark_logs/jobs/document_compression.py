"""Compression of large documents with gzip, and their expansion within a limit."""

from __future__ import annotations

import gzip
import zlib

_MIN_COMPRESSED_BYTES = 64 << 10  # smaller documents stay readable for people
_LEVEL = 6
_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS


def compress_document(data: bytes) -> bytes:
    """Returns a document as it is stored: equal documents give equal bytes."""
    return gzip.compress(data, _LEVEL, mtime=0) if len(data) > _MIN_COMPRESSED_BYTES else data


def expand_document(data: bytes, max_bytes: int) -> bytes:
    """Returns the JSON text of a stored document.

    Raises:
        ValueError: the document is damaged, or its text has more than ``max_bytes`` bytes, of which no more are expanded.
    """
    if not data.startswith(_MAGIC):
        return data
    expander = zlib.decompressobj(_GZIP)
    try:
        text = expander.decompress(data, max_bytes + 1)
    except zlib.error as error:
        raise ValueError(f"damaged gzip data: {error}") from error
    if len(text) > max_bytes:
        raise ValueError(f"more than {max_bytes} bytes after decompression")
    if not expander.eof or expander.unused_data:
        raise ValueError("truncated gzip data" if not expander.eof else "bytes after the gzip data")
    return text


def expanded_size(data: bytes) -> int:
    """Returns the number of bytes of the JSON text of a document that :func:`compress_document` returned."""
    # The last four bytes of gzip data are the size of the text: RFC 1952, section 2.3.1.
    return int.from_bytes(data[-4:], "little") if data.startswith(_MAGIC) else len(data)
