"""The texts of a file: decompressed, by member if it is an archive, with the encoding that its first bytes declare.

Without the option ``compression``, the first bytes of a file decide how it is read, and its name only where they do not: names
lie (a rotated ``app.log.gz.1``, an upload that was compressed or decompressed on its way), while no text begins as compressed
data does. A file whose name promises plain text may be planned as several splits; if its first bytes show another kind of file,
the first split reads the whole file and the others read nothing.
"""

from __future__ import annotations

import codecs
import io
import posixpath
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

from pyspark_logs.codecs import ARCHIVE, FOREIGN, NONE, Codec, codec_for
from pyspark_logs.codecs.archives import Members, open_zip, tar_members, zip_members
from pyspark_logs.codecs.expansion import ExpansionLimit
from pyspark_logs.codecs.signatures import HEAD_BYTES, looks_like_text, marked_encoding, recognise
from pyspark_logs.errors import CorruptFileError
from pyspark_logs.layout import is_hidden_key
from pyspark_logs.planning import FileSplit
from pyspark_logs.records import BLOCK_BYTES, ends_in_carriage_returns
from pyspark_logs.store import Store
from pyspark_logs.terminal_text import format_count

_PAST_END_BYTES = 256 << 10  # read past a split's end for its last record, in steps
_COMPRESSED_CHUNK_BYTES = 1 << 20
_WHOLE_ZIP_BYTES = 4 << 20  # size up to which a zip archive is held in memory
_MOST_LAYERS = 4  # of compression and archives
_FIRST_BYTES = 4 << 10  # read by the splits that do not begin with the file

Notice = Callable[[str, str], None]
"""Function of a kind of notice, and its message."""


def ignore_notice(kind: str, message: str) -> None:
    """Ignores a notice."""


@dataclass(frozen=True)
class FileText:
    r"""One text of a file.

    Attributes:
        chunks: bytes of the text; of the split and what follows it if ``is_split``, else of the whole text.
        member: name in the archive; "" if the file is not an archive.
        encoding: encoding that a byte order mark declares; None: there is no mark, or that of UTF-8.
        is_split: True if the split is a part of the file, so that offsets in the text are offsets in the file.
        in_carriage_returns: True if lines end in ``\r`` alone; None: unknown, and the chunks begin with the text.
        joints: offsets in the text at which members of the compressed file begin, as far as chunks were taken.
        head: beginning of the file if the chunks do not begin with it; None: they do.
    """

    chunks: Iterator[bytes]
    member: str = ""
    encoding: str | None = None
    is_split: bool = False
    in_carriage_returns: bool | None = None
    joints: list[int] = field(default_factory=list)
    head: bytes | None = None


def read_texts(
    store: Store,
    split: FileSplit,
    compression: str | None,
    *,
    splittable: bool,
    has_marks: bool,
    notice: Notice,
    head_bytes: int = 0,
    max_ratio: int | None = None,
) -> Iterator[FileText]:
    """Yields the texts of a file, one after another; each must be read before the next one is taken.

    Args:
        store: store of the file.
        split: split of the file.
        compression: codec of the file; None: its first bytes and its name decide.
        splittable: True if the format allows to read splits.
        has_marks: True if a byte order mark declares the encoding; False if an option gives it.
        notice: function that is called if the first bytes and the name disagree.
        head_bytes: size of the beginning of the file that a later split of it needs.
        max_ratio: largest text as a multiple of the size of the file, see :class:`ExpansionLimit`; None for no limit.

    Raises:
        CorruptFileError: the file is damaged, of an unsupported compression, or its text exceeds ``max_ratio``.
    """
    codec = codec_for(split.path, compression)
    splittable = splittable and codec.splittable
    limit = ExpansionLimit(split.path, split.size, max_ratio)
    unpacker = _Unpacker(split.path, notice, limit, has_marks=has_marks)
    if split.start > 0:
        yield from _read_later_split(store, split, compression, has_marks=has_marks, head_bytes=head_bytes)
        return
    if compression is not None:
        joints: list[int] = []
        chunks = read_past_end(store, split, codec)
        chunks = chunks if codec is NONE else limit.check(codec.decompress(chunks, path=split.path, members=joints))
        head, chunks = peek(chunks, HEAD_BYTES)
        text = FileText(chunks, is_split=splittable, joints=joints)
        yield unpacker.with_encoding(text, head, split.path)
        return

    def open_archive(chunks: Iterator[bytes]) -> Members:
        if split.size <= _WHOLE_ZIP_BYTES:  # one request for the whole file, instead of one for each end of it
            return zip_members(io.BytesIO(b"".join(chunks)), split.path)
        _close(chunks)
        return open_zip(
            lambda start: store.read(split.path, start, split.size, etag=split.etag, chunk_bytes=256 << 10),
            split.size, split.path,
        )  # fmt: skip

    text = FileText(read_past_end(store, split, codec), is_split=splittable)
    yield from unpacker.unpack(text, codec, open_archive)


def _read_later_split(
    store: Store, split: FileSplit, compression: str | None, *, has_marks: bool, head_bytes: int
) -> Iterator[FileText]:
    """Yields the text of a split that does not begin with the file, if the first bytes of the file are text."""
    beginning, chunks = peek(read_head(store, split), max(HEAD_BYTES, head_bytes))
    with closing(chunks):
        head = beginning[:HEAD_BYTES]
        if (compression is None and recognise(head) is not None) or (has_marks and marked_encoding(head) is not None):
            return
        in_carriage_returns = ends_in_carriage_returns(chunks)
    yield FileText(read_past_end(store, split), is_split=True, in_carriage_returns=in_carriage_returns, head=beginning)


class _Unpacker:
    """Removes compression and archives, layer after layer."""

    def __init__(self, path: str, notice: Notice, limit: ExpansionLimit, *, has_marks: bool) -> None:
        self.path, self.notice, self.limit, self.has_marks = path, notice, limit, has_marks

    def unpack(
        self,
        text: FileText,
        expected: Codec,
        open_archive: Callable[[Iterator[bytes]], Members] | None,
        layers: int = _MOST_LAYERS,
    ) -> Iterator[FileText]:
        """Yields the texts of a file or of a member.

        Args:
            text: the file or member as it is.
            expected: codec by the name.
            open_archive: function that opens a zip archive, which cannot be read as a stream, given its chunks; None within
                other layers.
            layers: number of layers that may be removed.
        """
        path = f"{self.path}!/{text.member}" if text.member else self.path
        head, chunks = peek(text.chunks, HEAD_BYTES)
        text = replace(text, chunks=chunks)
        found = recognise(head)
        if found is None:
            yield from self._unrecognised(text, head, expected, path)
            return
        if found != expected.name and expected is not ARCHIVE:
            self._disagree(path, expected, found, is_inner=layers < _MOST_LAYERS and not text.member)
        if layers == 0:
            raise CorruptFileError(f"{path}: is compressed more than {_MOST_LAYERS} times; extract the file")
        if found in ("zip", "tar"):
            yield from self._members(text, found, path, open_archive, layers)
            return
        joints: list[int] = []
        inner = self.limit.check(codec_for("", found).decompress(text.chunks, path=path, members=joints))
        inner_text = replace(text, chunks=inner, is_split=False, joints=joints)
        yield from self.unpack(inner_text, _inner_codec(path, expected), None, layers - 1)

    def _unrecognised(self, text: FileText, head: bytes, expected: Codec, path: str) -> Iterator[FileText]:
        """Yields data that begins as no codec does: text, or damaged data of the codec of the name."""
        if expected is not NONE and (expected is FOREIGN or not looks_like_text(head)):
            chunks = self.limit.check(expected.decompress(text.chunks, path=path))
            yield replace(text, chunks=chunks, is_split=False)
            return
        if expected is not NONE:
            self._disagree(path, expected, "text", is_inner=False)
        yield self.with_encoding(text, head, path)

    def with_encoding(self, text: FileText, head: bytes, path: str) -> FileText:
        """Returns the text with the encoding that its byte order mark declares."""
        encoding = marked_encoding(head) if self.has_marks else None
        if encoding is None:
            return text
        self.notice(
            f"mark of {encoding}",
            f"{path}: begins with the byte order mark of {encoding} and is read as such; files without the mark need the option"
            f" encoding={encoding}-le",
        )
        return replace(text, encoding=encoding, is_split=False)

    def _members(
        self,
        text: FileText,
        kind: str,
        path: str,
        open_archive: Callable[[Iterator[bytes]], Members] | None,
        layers: int,
    ) -> Iterator[FileText]:
        if kind == "tar":
            members = tar_members(text.chunks, path)
        elif open_archive is not None:
            members = open_archive(text.chunks)
        else:
            raise CorruptFileError(
                f"{path}: is a zip archive within compressed data, which is read only by itself; extract it"
            )
        hidden = []
        for full_name, chunks in members:
            name = _member_key(full_name)
            if is_hidden_key(name):
                if not name.startswith("__MACOSX/"):  # metadata that macOS adds to each archive
                    hidden.append(name)
                continue
            member = f"{text.member}!/{name}" if text.member else name
            content = self.limit.check(chunks) if kind == "zip" else chunks
            yield from self.unpack(FileText(content, member), codec_for(name), None, layers - 1)
        if hidden:
            self.notice(
                "hidden members",
                f"{path}: {format_count(len(hidden), 'member is', 'members are')} not read, because names that begin with '.' or '_' are those of"
                f" hidden files: {hidden[0]}",
            )

    def _disagree(self, path: str, expected: Codec, found: str, *, is_inner: bool) -> None:
        name = f"a {expected.name} file" if expected is not NONE else "text"
        why = "its content is compressed again" if is_inner else f"its name says {name}"
        self.notice(
            f"{expected.name} {found} {is_inner}",
            f"{path}: {why}, its first bytes are those of {found}: it is read as {found}. The option compression, which holds"
            " for all files, prevents this",
        )


def _member_key(name: str) -> str:
    """Returns the name of a member as a key: ``./a`` and ``/a`` are ``a``, and ``..`` does not leave the archive."""
    return posixpath.normpath(f"/{name}").lstrip("/")


def _inner_codec(path: str, codec: Codec) -> Codec:
    """Returns the kind of compressed content that a name indicates: ``a.tar.gz`` and ``a.tgz`` contain an archive."""
    if codec is ARCHIVE:
        return ARCHIVE
    suffix = next((suffix for suffix in codec.suffixes if path.lower().endswith(suffix)), "")
    return ARCHIVE if suffix and codec_for(path[: -len(suffix)]) is ARCHIVE else NONE


def peek(chunks: Iterator[bytes], size: int) -> tuple[bytes, Generator[bytes, None, None]]:
    """Returns the first bytes, ``size`` of them if there are as many, and all chunks.

    The number of bytes does not depend on the chunks, so all splits of a file decide by the same bytes. An error of the chunks is
    raised after the bytes before it have been yielded.
    """
    parts: list[bytes] = []
    error: CorruptFileError | None = None
    try:
        while sum(map(len, parts)) < size and (chunk := next(chunks, None)) is not None:
            parts.append(chunk)
    except CorruptFileError as raised:
        error = raised

    def all_chunks() -> Generator[bytes, None, None]:
        try:
            yield b""  # a generator that has begun closes the chunks when it is closed
            yield from parts
            parts.clear()
            if error is not None:
                raise error
            yield from chunks
        finally:
            _close(chunks)

    head, following = b"".join(parts)[:size], all_chunks()
    next(following)
    return head, following


def _close(chunks: Iterator[bytes]) -> None:
    if isinstance(chunks, Generator):
        chunks.close()


def without_inner_marks(chunks: Iterator[bytes], joints: list[int]) -> Iterator[bytes]:
    """Yields a text in which byte order marks at the beginning of members are replaced by line ends.

    Args:
        chunks: the text, of which each member begins a chunk; a generator is closed at the end.
        joints: offsets at which members begin; grows while chunks are taken.
    """
    offset = checked = 0
    try:
        for chunk in chunks:
            text = chunk
            while checked < len(joints) and joints[checked] <= offset:
                if joints[checked] == offset and text.startswith(codecs.BOM_UTF8):
                    text = b"\n" * len(codecs.BOM_UTF8) + text[len(codecs.BOM_UTF8) :]
                checked += 1
            offset += len(chunk)
            yield text
    finally:
        _close(chunks)


def read_head(store: Store, split: FileSplit) -> Iterator[bytes]:
    """Yields the beginning of the file of a split, in few requests, as far as the caller iterates."""
    offset, end = 0, _FIRST_BYTES
    while offset < min(split.size, BLOCK_BYTES):
        end = min(end, split.size, BLOCK_BYTES)
        yield from store.read(split.path, offset, end, etag=split.etag, chunk_bytes=BLOCK_BYTES)
        offset, end = end, 16 * end


def read_past_end(store: Store, split: FileSplit, codec: Codec = NONE) -> Iterator[bytes]:
    """Yields the bytes of a split and the byte before it; then, as long as the caller iterates, the bytes after it."""
    offset = max(split.start - 1, 0)
    end = min(split.start + split.length, split.size)
    step = _PAST_END_BYTES
    chunk_bytes = BLOCK_BYTES if codec is NONE else _COMPRESSED_CHUNK_BYTES
    while offset < split.size:
        yield from store.read(split.path, offset, end, etag=split.etag, chunk_bytes=chunk_bytes)
        offset, end, step = end, min(end + step, split.size), 2 * step
