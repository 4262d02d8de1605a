"""Compression codecs: a table with one row per codec, for reading and writing.

Decompression turns an iterator of compressed chunks into an iterator of text chunks of at most ``PIECE_BYTES``, whatever the
compression ratio. Files of several members (gzip, bzip2 and xz streams, zstd and lz4 frames) are read as one text, as the
command line tools read them. An empty file is an empty text.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from pyspark_logs.codecs.compressors import (
    ARROW_LEVEL,
    BLOCK_BYTES,
    GZIP_BYTES,
    ZSTD_BYTES,
    Compressor,
    GzipCompressor,
    PlainCompressor,
    bzip2_compressor,
    lz4_compressor,
    xz_compressor,
    zstd_compressor,
)
from pyspark_logs.errors import CorruptFileError, OptionError

__all__ = ["BLOCK_BYTES", "CODECS", "FOREIGN", "NONE", "PIECE_BYTES", "Codec", "Compressor", "codec_for", "decompress"]

PIECE_BYTES = 1 << 20
# zlib is faster if the input and the inflated output fit into the processor's cache.
FEED_BYTES = 64 << 10
# A read by Arrow that meets damage discards its data. Blocks of zstd and lz4 are a multiple of this size, so no text before
# the damage is lost.
ARROW_READ_BYTES = 16 << 10
ARROW_PIECE_BYTES = 256 << 10
# Limit of the dictionary size that an xz header declares; `xz -9` needs 65 MiB.
XZ_MEMORY_BYTES = 512 << 20


@dataclass(frozen=True)
class Codec:
    """A compression codec.

    Attributes:
        name: value of the option ``compression``.
        suffixes: suffixes of file names; a writer appends the first one.
        engine: function that decompresses chunks.
        new_compressor: function that creates a compressor for a level; None if files cannot be written.
        levels: supported levels; empty for a codec without levels.
        default_level: default level, chosen for speed because a writer waits for the compressor.
        held_bytes: maximum memory that a compressor holds between two calls, at any level.
    """

    name: str
    suffixes: tuple[str, ...]
    engine: Callable[[Codec, Iterator[bytes], str], Iterator[bytes]]
    new_compressor: Callable[[int], Compressor] | None = None
    levels: range = range(0)
    default_level: int = 0
    held_bytes: int = BLOCK_BYTES

    @property
    def suffix(self) -> str:
        """Suffix that a writer appends to a file name; empty for ``none``."""
        return self.suffixes[0] if self.suffixes else ""

    @property
    def splittable(self) -> bool:
        """True if reading can begin in the middle of a file."""
        return self.name == "none"

    def decompress(self, chunks: Iterator[bytes], *, path: str) -> Iterator[bytes]:
        """Yields the text of a compressed file in chunks.

        Args:
            chunks: bytes of the file in chunks of any size; a generator is closed at the end.
            path: path of the file, for messages.

        Raises:
            CorruptFileError: the bytes are damaged, truncated, or of another codec. The text before the damage has been
                yielded (for zstd and lz4 files of several frames, except for up to 16 KiB). Errors that ``chunks`` raises are
                passed on unchanged.
        """
        try:
            yield from self.engine(self, chunks, path)
        finally:
            if isinstance(chunks, Generator):
                chunks.close()

    def compressor(self, level: int | None = None) -> Compressor:
        r"""Creates a compressor.

        Args:
            level: one of ``levels``, or ``None`` for the default: gzip 1, zstd 1, bzip2 9, lz4 1, xz 1. On logs, gzip at
                level 1 is 2.5 times as fast as at level 6, with files that are a sixth larger; zstd at level 1 is three times
                as fast as gzip at level 1, with smaller files.

        Raises:
            OptionError: the codec does not have the level, or cannot be written.

        Example:
            >>> compressor = codec_for("app.gz").compressor()
            >>> data = compressor.feed(b"a line\n") + compressor.finish()
            >>> b"".join(decompress("gzip", iter([data]), path="app.gz"))
            b'a line\n'
        """
        if self.new_compressor is None:
            raise OptionError(f"option 'compression': {self.name} files cannot be written; give one of {_names()}")
        if level is not None and level not in self.levels:
            allowed = (
                f"has levels {self.levels[0]} to {self.levels[-1]}" if self.levels else "has none; remove the option"
            )
            raise OptionError(f"option 'compressionLevel': {level} is not a level of {self.name}, which {allowed}")
        return self.new_compressor(self.default_level if level is None else level)


def codec_for(path: str, option: str | None = None) -> Codec:
    """Returns the codec that the option ``compression`` names, else the codec of the path's suffix, else ``none``.

    >>> codec_for("s3://logs/app.log.GZ").name, codec_for("app.log").name, codec_for("app.gz", "none").name
    ('gzip', 'none', 'none')
    """
    if option is not None:
        for codec in CODECS:
            if codec.name == option.lower():
                return codec
        raise OptionError(f"option 'compression': {option!r} is not a codec; give one of {_names()}")
    for codec in (*CODECS, FOREIGN):
        if path.lower().endswith(codec.suffixes):
            return codec
    return NONE


def decompress(codec_name: str, chunks: Iterator[bytes], *, path: str) -> Iterator[bytes]:
    r"""Yields the text of a file compressed by the codec of a name; see :meth:`Codec.decompress`.

    >>> import gzip
    >>> b"".join(decompress("gzip", iter([gzip.compress(b"a line\n")]), path="app.log.gz"))
    b'a line\n'
    """
    return codec_for(path, codec_name).decompress(chunks, path=path)


def _names() -> str:
    return ", ".join(codec.name for codec in CODECS)


def _corrupt(codec: Codec, path: str, what: str, position: int) -> CorruptFileError:
    return CorruptFileError(
        f"{path}: cannot be decompressed as {codec.name}: {what}, at or before byte {position} of the compressed "
        "file. Deliver the file again, set the option 'compression' to its codec, or set "
        "ignoreCorruptFiles=true to read the text before the damage"
    )


# --- none -----------------------------------------------------------------------------------------


def _uncompressed(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:  # noqa: ARG001 (an engine)
    yield from chunks


# --- codecs of the standard library: one decompressor object per member ----------------------------


class _Member(Protocol):
    """Common interface of bz2.BZ2Decompressor and lzma.LZMADecompressor."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipMember:
    """zlib's decompressor with the interface of the other codecs."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        text = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        # After a full chunk, zlib may hold more text although all input is consumed.
        self.needs_input = len(text) < max_length and not self._inflate.unconsumed_tail
        return text


def _decompress_members(
    new_member: Callable[[], _Member], damage: type[Exception], codec: Codec, chunks: Iterator[bytes], path: str
) -> Iterator[bytes]:
    """Decompresses member after member; zero bytes between and after members are padding."""
    member: _Member | None = None
    members = position = 0
    for chunk in chunks:
        for begin in range(0, len(chunk), FEED_BYTES):
            data = chunk[begin : begin + FEED_BYTES]
            position += len(data)
            while data or (member is not None and not member.needs_input):
                if member is None:
                    data = data.lstrip(b"\0") if members else data
                    if not data:
                        break
                    member = new_member()
                    members += 1
                try:
                    text = member.decompress(data, PIECE_BYTES)
                except damage as error:
                    raise _corrupt(codec, path, str(error), position) from error
                data = b""
                if text:
                    yield text
                if member.eof:
                    data = member.unused_data
                    member = None
    if member is not None:
        raise _corrupt(codec, path, "the file is truncated", position)


def _gzip(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    return _decompress_members(_GzipMember, zlib.error, codec, chunks, path)


def _bzip2(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    import bz2  # bz2 and lzma are not part of every Python build

    return _decompress_members(bz2.BZ2Decompressor, OSError, codec, chunks, path)


def _xz(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    import lzma

    def new_member() -> _Member:
        # The older .lzma container has neither a checksum nor magic bytes, and a file of zeros would read as empty.
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)

    return _decompress_members(new_member, lzma.LZMAError, codec, chunks, path)


# --- codecs of Arrow, which reads the compressed bytes itself, frame after frame -------------------


class _Source(io.RawIOBase):
    """File object over the compressed chunks, for Arrow to read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = b""
        self.position = 0
        self.failed = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            self.failed = True  # stays True if the next line raises
            chunk = next(self._chunks, None)
            self.failed = False
            if chunk is None:
                return b""
            self._rest = chunk
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        self.position += len(data)
        return data


def _decompress_by_arrow(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    source = _Source(chunks)
    damage: str | None = None
    with pa.CompressedInputStream(pa.PythonFile(source, mode="r"), codec.name) as stream:
        while damage is None:
            parts: list[bytes] = []
            try:
                while len(parts) * ARROW_READ_BYTES < ARROW_PIECE_BYTES and (part := stream.read(ARROW_READ_BYTES)):
                    parts.append(part)
            except (OSError, pa.ArrowException) as error:
                if source.failed:  # the error is the store's and was passed through Arrow
                    raise
                damage = str(error)
            if parts:
                yield b"".join(parts)
            elif damage is None:
                return
    raise _corrupt(codec, path, damage, source.position)


def _refuse(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:  # noqa: ARG001 (an engine)
    raise CorruptFileError(
        f"{path}: the suffix is that of an unsupported compression (supported: {_names()}). Exclude such files with "
        "pathGlobFilter, or set option('compression', 'none') if they are plain text"
    )


# --- the table -----------------------------------------------------------------------------------

NONE = Codec("none", (), _uncompressed, PlainCompressor, held_bytes=0)
# Suffixes of compressed files that would give meaningless rows if they were read as text.
FOREIGN = Codec("unsupported", (".snappy", ".sz", ".z", ".zip", ".7z", ".lzma", ".br", ".lzo", ".rar"), _refuse)

CODECS = (
    NONE,
    Codec("gzip", (".gz", ".gzip"), _gzip, GzipCompressor, range(10), 1, GZIP_BYTES),
    Codec(
        "zstd", (".zst", ".zstd"), _decompress_by_arrow, zstd_compressor, range(-131_072, 23), ARROW_LEVEL, ZSTD_BYTES
    ),
    Codec("bzip2", (".bz2", ".bzip2"), _bzip2, bzip2_compressor, range(1, 10), 9),
    Codec("lz4", (".lz4",), _decompress_by_arrow, lz4_compressor, range(1, 13), ARROW_LEVEL),
    Codec("xz", (".xz",), _xz, xz_compressor, range(10), 1),
)
