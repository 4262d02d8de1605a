"""The beginnings of files: their text and its encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from pyspark_logs.errors import CorruptFileError, FormatError
from pyspark_logs.file_content import ignore_notice, read_texts
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning import FileFilters, FileSplit, resolve_layout
from pyspark_logs.planning.empty_plan import explain_empty
from pyspark_logs.planning.file_listing import list_files
from pyspark_logs.reader import LogReader
from pyspark_logs.records import preserves_lines
from pyspark_logs.store import Store, StoredFile, open_store
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)

_MAX_FILES = 8
# All control characters but tabs, line ends, and the escapes of terminal colours.
_CONTROL_CHARACTERS = bytes({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\b\x1b"))
_MIN_BYTES_PER_CONTROL = 20
# First bytes of files -> their format.
_BINARY = {
    b"PAR1": "a Parquet file", b"ORC": "an ORC file", b"Obj\x01": "an Avro file", b"ARROW1": "an Arrow file",
    b"SQLite format 3\x00": "a SQLite database", b"%PDF-": "a PDF document", b"\x7fELF": "a program",
    b"ElfFile\x00": "an event log of Windows (EVTX)",
}  # fmt: skip
# Share of zero bytes in every other byte of UTF-16, and of such bytes between them.
_MIN_ZEROS, _MAX_OTHER_ZEROS = 0.6, 0.05
_EIGHT_BIT = ("latin-1", "windows-1252")
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
# Letters of Western languages stand alone; characters of two bytes or more, as of GBK, follow one another.
_MAX_RUN_BYTES = 1.5


@dataclass(frozen=True)
class FileHead:
    """The beginning of a file, decompressed.

    Attributes:
        path: path of the file.
        text: whole lines, or a part of the first line if that is too long; b"" for an empty file.
        modified_ms: modification time of the file in milliseconds since the epoch.
    """

    path: str
    text: bytes
    modified_ms: int


@dataclass(frozen=True)
class FileHeads:
    """The beginnings of some files of a load path.

    Attributes:
        heads: beginnings of files that are not empty, by path, which may end within a line; none if all files are empty.
        keys: keys below the load path of all files of a directory that have text or a size.
        head_bytes: maximum size of the beginning of a file, unless its first line is longer.
    """

    heads: tuple[FileHead, ...]
    keys: tuple[str, ...]
    head_bytes: int

    def whole_lines(self, encoding: str) -> tuple[FileHead, ...]:
        """Returns the heads cut after a line, in an encoding."""
        return tuple(
            replace(head, text=_drop_partial_line(head.text, self.head_bytes, encoding)) for head in self.heads
        )


def read_heads(options: ReadOptions, max_bytes: int) -> FileHeads:
    """Reads the beginnings of at most eight files, which are spread evenly over the paths.

    Args:
        options: options of a reader; the line format is not used.
        max_bytes: maximum size of all texts in bytes.

    Raises:
        PathNotFoundError: there is no file.
        StoreError: the store refused or failed.
        CorruptFileError: none of the files can be decompressed.
    """
    options = LogReader(options, "").options  # with normalised paths
    store = open_store(options.plan.paths[0], options.store)
    listing = list_files(store, options, resolve_layout(store, options), FileFilters(whole_files=True))
    files = listing.files
    if not len(files):
        _log.warning("%s", explain_empty(store, options, listing.selection))
    chosen = sorted({index * len(files) // _MAX_FILES for index in range(_MAX_FILES)} if len(files) else ())
    head_bytes = max_bytes // max(1, len(chosen))
    heads, damage = [], None
    for row in chosen:
        try:
            head = _read_head(store, files.file(row), options, head_bytes)
        except CorruptFileError as error:
            damage = error
            _log.warning("%s is left out of the sample: %s", files.paths[row], error)
            continue
        if head.text:
            heads.append(head)
    if damage is not None and not heads:
        raise damage
    directories = {directory for _, directory in files.origins}
    keys = tuple(path.removeprefix(*directories) for path in files.paths) if len(directories) == 1 else ()
    return FileHeads(tuple(heads), keys, head_bytes)


def _read_head(store: Store, file: StoredFile, options: ReadOptions, max_bytes: int) -> FileHead:
    whole = FileSplit(file.path, 0, file.size, file.size, file.modified_ms, file.etag, None, None, ())
    texts = read_texts(store, whole, options.plan.compression, splittable=True, has_marks=False, notice=ignore_notice)
    chunks = (chunk for each in texts for chunk in each.chunks)
    text = b""
    try:
        for chunk in chunks:
            text += chunk
            if len(text) > max_bytes:  # more than the limit, or the last line would pass for a whole one
                break
    except CorruptFileError:
        if not text:  # otherwise the text before the damage is the sample
            raise
    finally:
        if isinstance(chunks, Generator):
            chunks.close()
    return FileHead(file.path, text, file.modified_ms)


def _drop_partial_line(text: bytes, max_bytes: int, encoding: str) -> bytes:
    """Returns the whole lines within the limit; all of the text if it is within the limit or is one line."""
    if len(text) <= max_bytes:
        return text
    if preserves_lines(encoding):
        end = text.rfind(b"\n", 0, max_bytes) + 1
        return text[:end] if end else text
    decoded = text[:max_bytes].decode(encoding, "replace")
    return decoded[: decoded.rfind("\n") + 1].encode(encoding, "replace") if "\n" in decoded else text


def text_heads(heads: Sequence[FileHead]) -> list[FileHead]:
    """Returns the heads that look like text.

    Raises:
        FormatError: no file looks like text.
    """
    found, problem = [], None
    for head in heads:
        if detect_encoding([head]) in (None, *_EIGHT_BIT) and (text := _control_problem(head)) is not None:
            problem = problem or text
            continue
        found.append(head)
    if problem is not None and not found:
        raise FormatError(problem)
    if problem is not None:
        _log.warning("a file is left out of the sample: %s", problem)
    return found


def detect_encoding(heads: Sequence[FileHead]) -> str | None:
    """Returns the encoding of files; None for UTF-8, or if it is unknown.

    UTF-16 and UTF-32 are known by their byte order marks, UTF-16 also by the zero bytes of ASCII characters. Text with more
    bytes that are invalid in UTF-8 than characters that are valid is taken for Latin-1 or Windows-1252 if these bytes stand
    alone, as letters of Western languages do.

    >>> detect_encoding([FileHead("a.log", "a line".encode("utf-16"), 0)])
    'utf-16'
    >>> detect_encoding([FileHead("a.log", "a line".encode("utf-16-le"), 0)])
    'utf-16-le'
    >>> detect_encoding([FileHead("a.log", "déjà vu".encode("latin-1"), 0)])
    'latin-1'
    """
    first = heads[0].text if heads else b""
    # UTF-32 is tested first, because its little-endian mark begins with that of UTF-16.
    if first.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = (first[start::2].count(0) / max(1, len(first) // 2) for start in (0, 1))
    if odd >= _MIN_ZEROS and even <= _MAX_OTHER_ZEROS:
        return "utf-16-le"
    if even >= _MIN_ZEROS and odd <= _MAX_OTHER_ZEROS:
        return "utf-16-be"
    return _eight_bit_encoding(b"\n".join(head.text for head in heads))


def _eight_bit_encoding(text: bytes) -> str | None:
    decoded = text.decode("utf-8", "replace")
    invalid = decoded.count("\ufffd")
    if not invalid or 2 * invalid <= sum(not char.isascii() for char in decoded):
        return None
    runs = _NOT_ASCII.findall(text)
    if sum(map(len, runs)) > _MAX_RUN_BYTES * len(runs):
        return None
    return "windows-1252" if re.search(rb"[\x80-\x9f]", text) else "latin-1"


def _control_problem(head: FileHead) -> str | None:
    """Returns a message if the file does not look like text."""
    controls = len(head.text) - len(head.text.translate(None, _CONTROL_CHARACTERS))
    if controls * _MIN_BYTES_PER_CONTROL <= len(head.text):
        return None
    known = next((name for magic, name in _BINARY.items() if head.text.startswith(magic)), None)
    hint = f"; it begins like {known}, which has readers of its own" if known else ""
    return (
        f"{head.path} does not look like text: {controls} of the {len(head.text)} bytes at its beginning are control"
        f" characters{hint}. If it is text in another encoding, give the encoding (encoding=utf-16-le); if it is compressed"
        " and its name does not say so, give the compression (compression=gzip); other files need a class (formatClass)"
    )
