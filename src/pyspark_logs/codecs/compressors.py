"""Compressors: from chunks of text to the bytes of a file.

gzip, and zstd and lz4 at their default level, write a single member, because some readers stop after the first one. The other
codecs and levels write one member per ``BLOCK_BYTES`` of text, so that a compressor holds no more than one block between two
calls at any level, and many files can be open. An empty text is written as one empty member.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from pyspark_logs.codecs.deflate import new_gzip_deflate

BytesLike: TypeAlias = "bytes | bytearray | memoryview"

# Text per member. With a quarter of it, the output of zstd at its higher levels is 5 to 10% larger.
BLOCK_BYTES = 1 << 20
SLICE_BYTES = 64 << 10  # text fed to Arrow at once; Arrow's buffers grow with the input, for lz4 tenfold
ARROW_LEVEL = 1  # level of Arrow's streams, for zstd and lz4
# Memory of zlib at its default memLevel, whatever the compression level (zlib.h: 256 KiB "plus a few kilobytes").
GZIP_BYTES = 272 << 10
# Memory of a zstd stream at level 1, measured.
ZSTD_BYTES = 5 << 18


class Compressor(Protocol):
    """A compressor of one file, used by one thread at a time."""

    def feed(self, data: BytesLike) -> bytes | memoryview:
        """Compresses text and returns the next bytes of the file, possibly none.

        Text in a ``memoryview`` must not be changed afterwards.
        """

    def finish(self) -> bytes:
        """Returns the last bytes of the file. ``feed`` must not be called afterwards."""


class PlainCompressor:
    """A compressor that returns its input, without copying it unless it may be changed."""

    def __init__(self, level: int) -> None:
        """Ignores the level."""

    def feed(self, data: BytesLike) -> bytes | memoryview:
        return bytes(data) if isinstance(data, bytearray) else data

    def finish(self) -> bytes:
        return b""


class GzipCompressor:
    """A gzip compressor; its single member has neither a file name nor a time in its header."""

    def __init__(self, level: int) -> None:
        self._deflate = new_gzip_deflate(level)

    def feed(self, data: BytesLike) -> bytes:
        return self._deflate.compress(data)

    def finish(self) -> bytes:
        return self._deflate.flush()


class _Blocks:
    """A compressor that writes one member per block of text."""

    def __init__(self, compress: Callable[[BytesLike], bytes]) -> None:
        self._compress = compress
        self._held = bytearray()
        self._is_empty = True

    def feed(self, data: BytesLike) -> bytes:
        members: list[bytes] = []
        remaining = memoryview(data)
        while len(self._held) + len(remaining) >= BLOCK_BYTES:
            missing = BLOCK_BYTES - len(self._held)
            if self._held:
                self._held += remaining[:missing]
                members.append(self._compress(self._held))
                self._held = bytearray()
            else:
                members.append(self._compress(remaining[:missing]))
            remaining = remaining[missing:]
            self._is_empty = False
        self._held += remaining
        return b"".join(members)

    def finish(self) -> bytes:
        held, self._held = self._held, bytearray()
        return self._compress(held) if held or self._is_empty else b""


class _Sink(io.RawIOBase):
    """File object that collects the bytes that Arrow writes."""

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
    """A compressor that writes one frame with an Arrow stream, which supports the default level only."""

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
    """Creates a zstd compressor: one frame at Arrow's default level, else one frame per block."""
    return _ArrowStream("zstd") if level == ARROW_LEVEL else _arrow_blocks("zstd", level)


def lz4_compressor(level: int) -> Compressor:
    """Creates an lz4 compressor: one frame at Arrow's default level, else one frame per block."""
    return _ArrowStream("lz4") if level == ARROW_LEVEL else _arrow_blocks("lz4", level)


def bzip2_compressor(level: int) -> Compressor:
    """Creates a bzip2 compressor: one stream per block."""
    import bz2

    return _Blocks(lambda data: bz2.compress(data, level))


def xz_compressor(level: int) -> Compressor:
    """Creates an xz compressor: one stream per block."""
    import lzma

    # A dictionary larger than a block is never filled, but takes memory: 94 MiB at level 6.
    filters = [{"id": lzma.FILTER_LZMA2, "preset": level, "dict_size": BLOCK_BYTES}]
    return _Blocks(lambda data: lzma.compress(data, filters=filters))
