"""Members of zip and tar archives, one after another, through the standard library.

A tar archive is read as a stream. A zip archive has its directory at the end, so that it is read through a file object with
``seek``. Memory depends neither on the size of an archive nor on that of a member, except for the directory of a zip.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, BinaryIO, NoReturn, cast

from pyspark_logs.codecs.exhaustion import raise_if_exhausted
from pyspark_logs.errors import CorruptFileError, LogSourceError

try:
    from lzma import LZMAError
except ImportError:  # lzma is not part of every Python build
    LZMAError = zlib.error  # type: ignore[misc, assignment]

ARCHIVES = {"zip": (".zip",), "tar": (".tar", ".tgz", ".tbz2", ".txz", ".tzst")}
_PIECE_BYTES = 1 << 20
_TAR_READ_BYTES = 128 << 10
# Errors that zipfile, tarfile and the decompressors raise for damaged, encrypted and unsupported archives.
_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, LZMAError, struct.error, EOFError, OSError, RuntimeError, ValueError,
    IndexError,
)  # fmt: skip

Members = Iterator[tuple[str, Iterator[bytes]]]


def zip_members(file: BinaryIO, path: str) -> Members:
    """Yields name and content of each file in a zip archive, in the order of their bytes.

    Args:
        file: the archive, seekable.
        path: path of the archive, for messages.

    Raises:
        CorruptFileError: the archive is damaged, encrypted, or compressed by an unsupported method.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
                if not info.is_dir() and info.file_size:
                    with archive.open(info) as member:
                        yield info.filename, _pieces(cast("BinaryIO", member), f"{path}!/{info.filename}")
    except _DAMAGE as error:
        _raise_corrupt(path, "zip", error)


def tar_members(chunks: Iterator[bytes], path: str) -> Members:
    """Yields name and content of each regular file in a tar archive; a member must be read before the next one.

    Args:
        chunks: the archive, uncompressed.
        path: path of the archive, for messages.

    Raises:
        CorruptFileError: the archive is damaged or truncated.
    """
    try:
        source = cast("Any", _ChunkReader(chunks))
        with tarfile.open(fileobj=source, mode="r|", bufsize=_TAR_READ_BYTES, tarinfo=_StrictTarInfo) as archive:
            while (info := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # otherwise it keeps every header
                if info.isreg() and info.size:
                    member = archive.extractfile(info)
                    yield info.name, _pieces(cast("BinaryIO", member), f"{path}!/{info.name}")
    except _DAMAGE as error:
        _raise_corrupt(path, "tar", error)
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


def _pieces(member: BinaryIO, path: str) -> Iterator[bytes]:
    try:
        while piece := member.read(_PIECE_BYTES):
            yield piece
    except _DAMAGE as error:
        _raise_corrupt(path, "a member", error)


def _raise_corrupt(path: str, what: str, error: Exception) -> NoReturn:
    """Raises CorruptFileError; an error of this package, such as one of the store, is raised unchanged."""
    if isinstance(error, LogSourceError):
        raise error
    raise_if_exhausted(error, path)
    raise CorruptFileError(
        f"{path}: cannot be read as {what} of an archive: {error}. Deliver the file again, extract it, or set"
        " ignoreCorruptFiles=true to read the text before the damage"
    ) from error


class _StrictTarInfo(tarfile.TarInfo):
    """A header that is damaged or cut is an error; tarfile takes it for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile: Any) -> _StrictTarInfo:
        try:
            return super().fromtarfile(tarfile)
        except (_InvalidHeaderError, _TruncatedHeaderError) as error:
            raise _ReadError(f"{error}, at byte {tarfile.offset}") from error


_InvalidHeaderError = tarfile.InvalidHeaderError  # type: ignore[attr-defined]
_TruncatedHeaderError = tarfile.TruncatedHeaderError  # type: ignore[attr-defined]
_ReadError = tarfile.ReadError


class _ChunkReader:
    """File object over chunks, for tarfile to read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            if not self._rest and not (rest := next(self._chunks, b"")):
                break
            if not self._rest:
                self._rest = rest
            parts.append(self._rest[:size])
            self._rest = self._rest[size:]
            size -= len(parts[-1])
        return b"".join(parts)

    def close(self) -> None:
        """Does nothing; the owner of the chunks closes them."""


class RangedFile(io.RawIOBase):
    """A seekable file over ranged reads; consecutive reads share a request.

    Args:
        read: function that yields the bytes from an offset to the end of the file, in chunks.
        size: size of the file in bytes.
    """

    _SKIPPED_BYTES = 1 << 20  # longest gap that is read instead of being skipped by a further request

    def __init__(self, read: Any, size: int) -> None:
        super().__init__()
        self._read, self._size = read, size
        self._chunks: Generator[bytes, None, None] | None = None
        self._rest = b""
        self._position = self._at = 0  # of the next byte to return, and of the next byte in the open request

    def readable(self) -> bool:
        """Returns True."""
        return True

    def seekable(self) -> bool:
        """Returns True."""
        return True

    def tell(self) -> int:
        """Returns the offset of the next byte."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to an offset; sends no request."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(f"negative offset {base + offset}")  # zipfile expects this error for short files
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Reads at most as many bytes as fit into the buffer."""
        if self._position >= self._size:
            return 0
        self._move()
        while not self._rest:
            self._rest = next(self._chunks or iter(()), b"")
            if not self._rest:
                return 0
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._position += count
        self._at = self._position
        return count

    def _move(self) -> None:
        """Makes ``_rest`` begin at the position, by reading on or by a new request."""
        gap = self._position - self._at
        while self._chunks is not None and 0 < gap <= self._SKIPPED_BYTES:
            self._rest = self._rest or next(self._chunks, b"")
            if not self._rest:
                break
            skipped = min(gap, len(self._rest))
            self._rest, gap = self._rest[skipped:], gap - skipped
        if self._chunks is None or gap:
            self.close_request()
            self._chunks = self._read(self._position)
        self._at = self._position

    def close_request(self) -> None:
        """Ends the open request."""
        if self._chunks is not None:
            self._chunks.close()
        self._chunks, self._rest = None, b""

    def close(self) -> None:
        """Ends the open request and closes the file."""
        self.close_request()
        super().close()


def open_zip(read: Any, size: int, path: str) -> Members:
    """Yields the members of a zip archive that ranged reads give; see :class:`RangedFile`."""
    with closing(RangedFile(read, size)) as raw:
        yield from zip_members(io.BufferedReader(raw, 64 << 10), path)
