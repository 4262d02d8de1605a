"""Decompression: from the chunks of a compressed file to chunks of its text.

Each function takes the name of its codec, the chunks, the path of the file for messages, and a list to which it appends the
offset in the text at which each member after the first begins, before it yields text of that member. Files of several members
(gzip, bzip2 and xz streams, zstd and lz4 frames) are read as one text.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

import pyarrow as pa

from pyspark_logs.codecs.deflate import GZIP_WBITS, zlib_library
from pyspark_logs.codecs.exhaustion import raise_if_exhausted
from pyspark_logs.errors import CorruptFileError

PIECE_BYTES = 1 << 20
# zlib is faster if the input and the inflated output fit into the processor's cache.
FEED_BYTES = 64 << 10
GZIP_PIECE_BYTES = 256 << 10
# A read by Arrow that meets damage discards its data. Blocks of zstd and lz4 are a multiple of this size, so no text before
# the damage is lost.
ARROW_READ_BYTES = 16 << 10
ARROW_PIECE_BYTES = 256 << 10
# Limit of the dictionary size that an xz header declares; `xz -9` needs 65 MiB.
XZ_MEMORY_BYTES = 512 << 20


def corrupt_file(name: str, path: str, what: str, position: int) -> CorruptFileError:
    """Returns the error for a file that is damaged at or before a byte, or of another codec."""
    return CorruptFileError(
        f"{path}: cannot be decompressed as {name}: {what}, at or before byte {position} of the compressed "
        "file. Deliver the file again, set the option 'compression' to its codec, or set "
        "ignoreCorruptFiles=true to read the text before the damage"
    )


# --- none -----------------------------------------------------------------------------------------


def uncompressed(name: str, chunks: Iterator[bytes], path: str, members: list[int]) -> Iterator[bytes]:  # noqa: ARG001
    """Yields the chunks."""
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
    """A decompressor of zlib with the interface of the other codecs, for versions of Python whose zlib has none of its own."""

    def __init__(self, library: Any) -> None:
        self._inflate = library.decompressobj(wbits=GZIP_WBITS)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        text: bytes = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        # After a full chunk, zlib may hold more text although all input is consumed.
        self.needs_input = len(text) < max_length and not self._inflate.unconsumed_tail
        return text


def _new_gzip_member(library: Any) -> _Member:
    """Creates a decompressor of zlib or zlib-ng.

    Unlike ``decompressobj``, whose output begins with 16 KiB and is doubled, this class allocates the output at once. Its module
    exports it under this name only: it is that of the module ``gzip`` since Python 3.12.
    """
    new_member = getattr(library, "_ZlibDecompressor", None)
    return _GzipMember(library) if new_member is None else cast("_Member", new_member(wbits=GZIP_WBITS))


@dataclass(frozen=True)
class _MemberFormat:
    """A format of compressed members.

    Attributes:
        magic: first bytes of each member.
        new_member: function that creates a decompressor of one member.
        damage: error that the decompressor raises.
        piece_bytes: size of the text that is decompressed at once, which is lost if it meets damage.
    """

    magic: bytes
    new_member: Callable[[], _Member]
    damage: type[Exception]
    piece_bytes: int = PIECE_BYTES


class _MemberReader:
    """Decompresses member after member; zero bytes between and after members are padding."""

    def __init__(self, kind: _MemberFormat, name: str, path: str, members: list[int]) -> None:
        self.kind, self.name, self.path, self.members = kind, name, path, members
        self.member: _Member | None = None
        self.position = self.length = self.count = 0
        self.pending = b""  # beginning of what may be a member, shorter than its magic bytes

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields the text of the next bytes of the file."""
        self.position += len(data)
        while data or (self.member is not None and not self.member.needs_input):
            if self.member is None:
                data = self._open(data)
                if self.member is None:
                    return
            try:
                text = self.member.decompress(data, self.kind.piece_bytes)
            except self.kind.damage as error:
                raise_if_exhausted(error, self.path)
                raise corrupt_file(self.name, self.path, str(error), self.position) from error
            data = b""
            if text:
                self.length += len(text)
                yield text
            if self.member.eof:
                data = self.member.unused_data
                self.member = None

    def _open(self, data: bytes) -> bytes:
        """Begins a member and returns its bytes so far; begins none if the bytes are padding, or too few to tell."""
        if self.count:
            data = self.pending + data
            data = data if self.pending else data.lstrip(b"\0")
            self.pending = b""
            if data[: len(self.kind.magic)] != self.kind.magic[: len(data)]:
                raise corrupt_file(
                    self.name, self.path, f"there is data after the end of the {self.name} stream, all text of which was read",
                    self.position - len(data),
                )  # fmt: skip
            if len(data) < len(self.kind.magic):
                self.pending = data
                return b""
            self.members.append(self.length)
        self.member = self.kind.new_member()
        self.count += 1
        return data

    def finish(self) -> None:
        """Raises CorruptFileError if the file ends within a member."""
        if self.member is not None or self.pending:
            raise corrupt_file(self.name, self.path, "the file is truncated", self.position)


def _decompress_members(
    kind: _MemberFormat, name: str, chunks: Iterator[bytes], path: str, members: list[int]
) -> Iterator[bytes]:
    reader = _MemberReader(kind, name, path, members)
    for chunk in chunks:
        for begin in range(0, len(chunk), FEED_BYTES):
            yield from reader.feed(chunk[begin : begin + FEED_BYTES])
    reader.finish()


def gzip(name: str, chunks: Iterator[bytes], path: str, members: list[int]) -> Iterator[bytes]:
    """Decompresses the members of a gzip file (RFC 1952), one after another.

    Args:
        name: name of the codec, for messages.
        chunks: bytes of the file, in pieces of any size.
        path: path of the file, for messages.
        members: list to which the offset in the decompressed text of each member after the first is appended.

    Raises:
        CorruptFileError: the file is damaged or truncated.
    """
    library = zlib_library()
    kind = _MemberFormat(b"\x1f\x8b", functools.partial(_new_gzip_member, library), library.error, GZIP_PIECE_BYTES)
    return _decompress_members(kind, name, chunks, path, members)


def bzip2(name: str, chunks: Iterator[bytes], path: str, members: list[int]) -> Iterator[bytes]:
    """Decompresses bzip2 streams."""
    import bz2  # bz2 and lzma are not part of every Python build

    return _decompress_members(_MemberFormat(b"BZh", bz2.BZ2Decompressor, OSError), name, chunks, path, members)


def xz(name: str, chunks: Iterator[bytes], path: str, members: list[int]) -> Iterator[bytes]:
    """Decompresses xz streams."""
    import lzma

    def new_member() -> _Member:
        # The older .lzma container has neither a checksum nor magic bytes, and a file of zeros would read as empty.
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)

    kind = _MemberFormat(b"\xfd7zXZ\0", new_member, lzma.LZMAError)
    return _decompress_members(kind, name, chunks, path, members)


# --- codecs of Arrow, which reads the compressed bytes itself, frame after frame -------------------


# The first bytes of frames of versions before 0.8, from 2016 and earlier, by the sources of zstd:
# https://github.com/facebook/zstd/blob/v1.5.6/lib/legacy/zstd_legacy.h. Arrow's build of zstd reads a truncated frame
# of them as an empty text, if the frame is not read in small pieces.
_OLD_ZSTD = (b"\xfd\x2f\xb5\x1e", *(bytes([version]) + b"\xb5\x2f\xfd" for version in range(0x22, 0x28)))


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

    def begins_with(self, magics: tuple[bytes, ...]) -> bool:
        """True if the file begins with one of the given bytes, of equal length; reads chunks, which Arrow gets afterwards."""
        while len(self._rest) < len(magics[0]) and (chunk := next(self._chunks, None)) is not None:
            self._rest += chunk
        return self._rest.startswith(magics)


def arrow_codec(name: str, chunks: Iterator[bytes], path: str, members: list[int]) -> Iterator[bytes]:  # noqa: ARG001
    """Decompresses zstd or lz4 frames, whose boundaries Arrow does not tell."""
    source = _Source(chunks)
    if name == "zstd" and source.begins_with(_OLD_ZSTD):
        raise corrupt_file(name, path, "a version of zstd before 0.8 wrote it, whose format is not supported", 0)
    damage: str | None = None
    with pa.CompressedInputStream(pa.PythonFile(source, mode="r"), name) as stream:
        while damage is None:
            parts: list[bytes] = []
            try:
                while len(parts) * ARROW_READ_BYTES < ARROW_PIECE_BYTES and (part := stream.read(ARROW_READ_BYTES)):
                    parts.append(part)
            except (OSError, pa.ArrowException) as error:
                if source.failed:  # the error is the store's and was passed through Arrow
                    raise
                raise_if_exhausted(error, path)
                damage = str(error)
            if parts:
                yield b"".join(parts)
            elif damage is None:
                return
    raise corrupt_file(name, path, damage, source.position)
