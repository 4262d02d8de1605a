"""Compression codecs: a table with one row per codec, for reading and writing.

Decompression turns an iterator of compressed chunks into an iterator of text chunks of at most ``PIECE_BYTES``, whatever the
compression ratio. Files of several members (gzip, bzip2 and xz streams, zstd and lz4 frames) are read as one text, as the
command line tools read them. An empty file is an empty text.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from pyspark_logs.codecs.archives import ARCHIVES
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
from pyspark_logs.codecs.decompressors import PIECE_BYTES, arrow_codec, bzip2, gzip, uncompressed, xz
from pyspark_logs.errors import CorruptFileError, OptionError

__all__ = [
    "ARCHIVE",
    "BLOCK_BYTES",
    "CODECS",
    "FOREIGN",
    "NONE",
    "PIECE_BYTES",
    "Codec",
    "Compressor",
    "codec_for",
    "decompress",
]


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
    engine: Callable[[str, Iterator[bytes], str, list[int]], Iterator[bytes]]
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

    def decompress(self, chunks: Iterator[bytes], *, path: str, members: list[int] | None = None) -> Iterator[bytes]:
        """Yields the text of a compressed file in chunks.

        Args:
            chunks: bytes of the file in chunks of any size; a generator is closed at the end.
            path: path of the file, for messages.
            members: list to which the offset in the text is appended at which each member after the first begins.

        Raises:
            CorruptFileError: the bytes are damaged, truncated, or of another codec. The text before the damage has been
                yielded, except for the piece that the decompressor discards: up to 256 KiB of gzip, 1 MiB of bzip2 and xz, and
                16 KiB of zstd and lz4 files of several frames. Nothing of a truncated gzip, bzip2 or
                xz file is discarded. Errors that ``chunks`` raises are passed on unchanged.
        """
        try:
            yield from self.engine(self.name, chunks, path, [] if members is None else members)
        finally:
            if isinstance(chunks, Generator):
                chunks.close()

    def compressor(self, level: int | None = None) -> Compressor:
        r"""Creates a compressor.

        Args:
            level: one of ``levels``, or ``None`` for the default: gzip 1, zstd 1, bzip2 9, lz4 1, xz 1. On an
                application log (see ``deflate``), gzip at level 1 is 3.5 times as fast as at level 6, with files that are 29 %
                larger; with the extra ``fast`` it is nine times as fast as at level 6. zstd at level 1 is three times as fast
                as zlib's gzip at level 1, with smaller files.

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
    for codec in (*CODECS, ARCHIVE, FOREIGN):
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


def _refuse(name: str, chunks: Iterator[bytes], path: str, members: list[int]) -> Iterator[bytes]:  # noqa: ARG001
    raise CorruptFileError(
        f"{path}: the suffix is that of an unsupported compression (supported: {_names()}). Exclude such files with "
        "pathGlobFilter, or set option('compression', 'none') if they are plain text"
    )


def _refuse_archive(name: str, chunks: Iterator[bytes], path: str, members: list[int]) -> Iterator[bytes]:  # noqa: ARG001
    raise CorruptFileError(
        f"{path}: the suffix is that of an archive, but the content does not begin as one, or the format does not read lines."
        " Exclude such files with pathGlobFilter, or set option('compression') to their codec"
    )


# --- the table -----------------------------------------------------------------------------------

NONE = Codec("none", (), uncompressed, PlainCompressor, held_bytes=0)
# Suffixes of compressed files that would give meaningless rows if they were read as text.
FOREIGN = Codec("unsupported", (".snappy", ".sz", ".z", ".7z", ".lzma", ".br", ".lzo", ".rar"), _refuse)
# Archives have several texts, which ``archives`` tells apart.
ARCHIVE = Codec("archive", tuple(suffix for suffixes in ARCHIVES.values() for suffix in suffixes), _refuse_archive)

CODECS = (
    NONE,
    Codec("gzip", (".gz", ".gzip"), gzip, GzipCompressor, range(10), 1, GZIP_BYTES),
    Codec("zstd", (".zst", ".zstd"), arrow_codec, zstd_compressor, range(-131_072, 23), ARROW_LEVEL, ZSTD_BYTES),
    Codec("bzip2", (".bz2", ".bzip2"), bzip2, bzip2_compressor, range(1, 10), 9),
    Codec("lz4", (".lz4",), arrow_codec, lz4_compressor, range(1, 13), ARROW_LEVEL),
    Codec("xz", (".xz",), xz, xz_compressor, range(10), 1),
)
