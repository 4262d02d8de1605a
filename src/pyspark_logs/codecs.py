"""Decompression: one table, one row for each codec.

Every codec turns an iterator of compressed pieces into an iterator of text pieces of at most
``PIECE_BYTES``, however much the input inflates. Files of several members (gzip, bzip2, xz streams,
zstd and lz4 frames) read as one text, as their command line tools read them. A file of no bytes is
an empty text.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

from pyspark_logs.errors import CorruptFileError, OptionError

PIECE_BYTES = 1 << 20
# zlib is faster with pieces that, with what they inflate to, stay in the processor's cache.
FEED_BYTES = 64 << 10
# A read by Arrow that meets damage loses what it had; blocks of zstd and lz4 are a multiple of this, so that is nothing.
ARROW_READ_BYTES = 16 << 10
ARROW_PIECE_BYTES = 256 << 10
# The header of an xz file says how large its dictionary is; `xz -9` takes 65 MiB.
XZ_MEMORY_BYTES = 512 << 20


@dataclass(frozen=True)
class Codec:
    """One way to compress a file.

    Attributes:
        name: what the option ``compression`` calls it.
        suffixes: how names of such files end; the first is what a writer appends.
    """

    name: str
    suffixes: tuple[str, ...]
    engine: Callable[[Codec, Iterator[bytes], str], Iterator[bytes]]

    @property
    def splittable(self) -> bool:
        """Whether reading may begin in the middle of a file."""
        return self.name == "none"

    def decompress(self, chunks: Iterator[bytes], *, path: str) -> Iterator[bytes]:
        """The text of a compressed file, in pieces.

        Args:
            chunks: the file's bytes in pieces of any size; a generator is closed at the end.
            path: the file, for messages.

        Raises:
            CorruptFileError: the bytes are damaged, cut off, or of another codec. The text before the
                damage has been given by then (zstd, lz4: except up to 16 KiB where a file has several
                frames). Errors that ``chunks`` raises pass unchanged.
        """
        try:
            yield from self.engine(self, chunks, path)
        finally:
            if isinstance(chunks, Generator):
                chunks.close()


def codec_for(path: str, option: str | None = None) -> Codec:
    """The codec that the option ``compression`` names, else the one of the path's suffix, else none.

    >>> codec_for("s3://logs/app.log.GZ").name, codec_for("app.log").name, codec_for("app.gz", "none").name
    ('gzip', 'none', 'none')
    """
    if option is not None:
        for codec in CODECS:
            if codec.name == option.lower():
                return codec
        known = ", ".join(codec.name for codec in CODECS)
        raise OptionError(f"option 'compression': {option!r} is not a codec; give one of {known}")
    for codec in (*CODECS, FOREIGN):
        if path.lower().endswith(codec.suffixes):
            return codec
    return NONE


def decompress(codec_name: str, chunks: Iterator[bytes], *, path: str) -> Iterator[bytes]:
    r"""The text of a file compressed by the codec of that name; see :meth:`Codec.decompress`.

    >>> import gzip
    >>> b"".join(decompress("gzip", iter([gzip.compress(b"a line\n")]), path="app.log.gz"))
    b'a line\n'
    """
    return codec_for(path, codec_name).decompress(chunks, path=path)


def _corrupt(codec: Codec, path: str, what: str, position: int) -> CorruptFileError:
    return CorruptFileError(
        f"{path}: cannot be decompressed as {codec.name}: {what}, at or before byte {position} of the compressed "
        "file. Deliver the file again, name its codec with option 'compression', or set "
        "ignoreCorruptFiles=true to read the part before the damage"
    )


# --- none -----------------------------------------------------------------------------------------


def _as_it_is(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:  # noqa: ARG001 (an engine)
    yield from chunks


# --- the standard library's: one object a member, fed by us ----------------------------------------


class _Member(Protocol):
    """What bz2.BZ2Decompressor and lzma.LZMADecompressor have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _GzipMember:
    """zlib's decompressor with the interface of the other two."""

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
        # A full piece may leave text inside zlib although all input is consumed.
        self.needs_input = len(text) < max_length and not self._inflate.unconsumed_tail
        return text


def _by_member(
    new_member: Callable[[], _Member], damage: type[Exception], codec: Codec, chunks: Iterator[bytes], path: str
) -> Iterator[bytes]:
    """Member after member; zero bytes between and after them are padding."""
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
        raise _corrupt(codec, path, "it ends too early", position)


def _gzip(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    return _by_member(_GzipMember, zlib.error, codec, chunks, path)


def _bzip2(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    import bz2  # like lzma, not part of every Python build

    return _by_member(bz2.BZ2Decompressor, OSError, codec, chunks, path)


def _xz(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    import lzma

    def new_member() -> _Member:
        # Not the older .lzma container: it has neither checksum nor magic, and reads a file of zeros as empty.
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY_BYTES)

    return _by_member(new_member, lzma.LZMAError, codec, chunks, path)


# --- Arrow's: it pulls the compressed bytes itself, frame after frame ------------------------------


class _Source(io.RawIOBase):
    """The compressed pieces as the file that Arrow reads."""

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
            self.failed = True  # stays so if the next line raises
            chunk = next(self._chunks, None)
            self.failed = False
            if chunk is None:
                return b""
            self._rest = chunk
        size = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:size], self._rest[size:]
        self.position += len(data)
        return data


def _by_arrow(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    import pyarrow as pa

    source = _Source(chunks)
    damage: str | None = None
    with pa.CompressedInputStream(pa.PythonFile(source, mode="r"), codec.name) as stream:
        while damage is None:
            parts: list[bytes] = []
            try:
                while len(parts) * ARROW_READ_BYTES < ARROW_PIECE_BYTES and (part := stream.read(ARROW_READ_BYTES)):
                    parts.append(part)
            except (OSError, pa.ArrowException) as error:
                if source.failed:  # it is the store that failed: its own error came through Arrow
                    raise
                damage = str(error)
            if parts:
                yield b"".join(parts)
            elif damage is None:
                return
    raise _corrupt(codec, path, damage, source.position)


def _refuse(codec: Codec, chunks: Iterator[bytes], path: str) -> Iterator[bytes]:  # noqa: ARG001 (an engine)
    supported = ", ".join(known.name for known in CODECS)
    raise CorruptFileError(
        f"{path}: the suffix is that of a compression that is not supported (supported: {supported}). Leave such files "
        "out with pathGlobFilter, or say option('compression', 'none') if they are plain text"
    )


NONE = Codec("none", (), _as_it_is)
# Read as text, these would be rows of garbage.
FOREIGN = Codec("unsupported", (".snappy", ".sz", ".z", ".zip", ".7z", ".lzma", ".br", ".lzo", ".rar"), _refuse)

CODECS = (
    NONE,
    Codec("gzip", (".gz", ".gzip"), _gzip),
    Codec("zstd", (".zst", ".zstd"), _by_arrow),
    Codec("bzip2", (".bz2", ".bzip2"), _bzip2),
    Codec("lz4", (".lz4",), _by_arrow),
    Codec("xz", (".xz",), _xz),
)
