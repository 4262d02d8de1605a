"""Compression: from text, fed in pieces, to the bytes of a file.

What is written is the same text however it is cut into calls. gzip, and zstd and lz4 at their default level, write one
member, since some readers stop after the first. Elsewhere it is a member for each ``BLOCK_BYTES`` of text, so that a
compressor keeps no more than that between two calls, at any level: many files can be open. A text of no bytes is one
empty member.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

BytesLike: TypeAlias = "bytes | bytearray | memoryview"

# Of text, a member. With a quarter of it, zstd at its higher levels would write 5 to 10% more.
BLOCK_BYTES = 1 << 20
SLICE_BYTES = 64 << 10  # fed to Arrow at once: its buffers grow with what they are given, for lz4 tenfold
ARROW_LEVEL = 1  # of its streams, zstd and lz4 alike
# What zlib asks for at its default memLevel, whatever the level (zlib.h: 256 KiB, "plus a few kilobytes").
GZIP_BYTES = 272 << 10
# Measured for a stream at level 1.
ZSTD_BYTES = 5 << 18


class Compressor(Protocol):
    """A file that is being compressed. Used once, by one thread at a time."""

    def feed(self, data: BytesLike) -> bytes:
        """The next bytes of the file, perhaps none, after this text."""

    def finish(self) -> bytes:
        """The last bytes of the file. Nothing may be fed after this."""


class PlainCompressor:
    """No compression."""

    def __init__(self, level: int) -> None:
        """There is only one level."""

    def feed(self, data: BytesLike) -> bytes:
        return bytes(data)

    def finish(self) -> bytes:
        return b""


class GzipCompressor:
    """One member, whose header says neither a name nor a time."""

    def __init__(self, level: int) -> None:
        self._deflate = zlib.compressobj(level, wbits=zlib.MAX_WBITS | 16)

    def feed(self, data: BytesLike) -> bytes:
        return self._deflate.compress(data)

    def finish(self) -> bytes:
        return self._deflate.flush()


class _Blocks:
    """A member for each block of text."""

    def __init__(self, compress: Callable[[BytesLike], bytes]) -> None:
        self._compress = compress
        self._held = bytearray()
        self._is_empty = True

    def feed(self, data: BytesLike) -> bytes:
        members: list[bytes] = []
        rest = memoryview(data)
        while len(self._held) + len(rest) >= BLOCK_BYTES:
            room = BLOCK_BYTES - len(self._held)
            if self._held:
                self._held += rest[:room]
                members.append(self._compress(self._held))
                self._held = bytearray()
            else:
                members.append(self._compress(rest[:room]))
            rest = rest[room:]
            self._is_empty = False
        self._held += rest
        return b"".join(members)

    def finish(self) -> bytes:
        held, self._held = self._held, bytearray()
        return self._compress(held) if held or self._is_empty else b""


class _Sink(io.RawIOBase):
    """The file that Arrow writes to."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


class _ArrowStream:
    """One frame; Arrow's streams know only the default level."""

    def __init__(self, name: str) -> None:
        self._sink = _Sink()
        self._stream = pa.CompressedOutputStream(pa.PythonFile(self._sink, mode="w"), name)

    def feed(self, data: BytesLike) -> bytes:
        text = memoryview(data)
        for begin in range(0, len(text), SLICE_BYTES):
            self._stream.write(text[begin : begin + SLICE_BYTES])
        return self._sink.take()

    def finish(self) -> bytes:
        self._stream.close()
        return self._sink.take()


def _arrow_blocks(name: str, level: int) -> Compressor:
    codec = pa.Codec(name, compression_level=level)
    return _Blocks(lambda data: codec.compress(data, asbytes=True))


def zstd_compressor(level: int) -> Compressor:
    """One frame, or at other levels than Arrow's a frame for each block."""
    return _ArrowStream("zstd") if level == ARROW_LEVEL else _arrow_blocks("zstd", level)


def lz4_compressor(level: int) -> Compressor:
    """One frame, or at other levels than Arrow's a frame for each block."""
    return _ArrowStream("lz4") if level == ARROW_LEVEL else _arrow_blocks("lz4", level)


def bzip2_compressor(level: int) -> Compressor:
    """A stream for each block."""
    import bz2

    return _Blocks(lambda data: bz2.compress(data, level))


def xz_compressor(level: int) -> Compressor:
    """A stream for each block."""
    import lzma

    # A dictionary larger than what there is to look back to is memory for nothing: 94 MiB at level 6.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": level, "dict_size": BLOCK_BYTES}]
    return _Blocks(lambda data: lzma.compress(data, filters=filters))
