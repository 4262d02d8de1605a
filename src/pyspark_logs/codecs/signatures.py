"""Recognition of compressed data, archives and encodings by the first bytes of a file.

Sources: RFC 1952 (gzip), RFC 8878 (zstd), the xz and LZ4 frame formats, bzip2's block header, PKWARE's APPNOTE 4.3 (zip), and
POSIX.1 ustar, whose header has a checksum. None of these beginnings is text in UTF-8.
"""

from __future__ import annotations

import re
import tarfile

HEAD_BYTES = 512  # a tar header

_SIGNATURES = (
    ("gzip", re.compile(rb"\x1f\x8b\x08")),
    ("zstd", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")),  # a frame, or a skippable frame
    ("bzip2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")),  # a block, or the end of an empty stream
    ("lz4", re.compile(rb"\x04\x22\x4d\x18")),
    ("xz", re.compile(rb"\xfd7zXZ\x00")),
    ("zip", re.compile(rb"PK(?:\x03\x04|\x05\x06)")),  # a member, or the end of an empty archive
)
# The marks of UTF-32 come first: that of UTF-32-LE begins with that of UTF-16-LE.
_MARKS = ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\f\r\x1b")


def recognise(head: bytes) -> str | None:
    r"""Returns the codec, or ``zip`` or ``tar``, of data with these first bytes; None if it is another or text.

    >>> recognise(b"\x1f\x8b\x08\0"), recognise(b"2026-11-22 INFO started")
    ('gzip', None)
    """
    for name, signature in _SIGNATURES:
        if signature.match(head):
            return name
    return "tar" if _is_tar(head) else None


def _is_tar(head: bytes) -> bool:
    if head[257:262] != b"ustar" or len(head) < HEAD_BYTES:
        return False
    try:
        tarfile.TarInfo.frombuf(head[:HEAD_BYTES], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def marked_encoding(head: bytes) -> str | None:
    r"""Returns the encoding that a byte order mark declares; None for UTF-8, or without a mark.

    >>> marked_encoding("line".encode("utf-16")), marked_encoding(b"\xef\xbb\xbfline")
    ('utf-16', None)
    >>> marked_encoding(b"\xff\xfe"), marked_encoding(b"")
    ('utf-16', None)
    """
    mark, encoding = next((item for item in _MARKS if head.startswith(item[0])), (b"", None))
    # The marks of UTF-16 are letters of Latin-1. In UTF-16, spaces, digits and line ends have a zero byte. A file without text has
    # only the mark.
    return encoding if b"\0" in head or head == mark else None


def looks_like_text(head: bytes) -> bool:
    r"""Returns True if the bytes have no control characters other than those of text, or begin with a byte order mark.

    Of compressed data, one in nine bytes is such a control character.

    >>> looks_like_text("naïve\n".encode()), looks_like_text(b"\x1f\x8b\x08\0")
    (True, False)
    """
    return marked_encoding(head) is not None or len(head.translate(None, _CONTROLS)) == len(head) > 0
