"""Every codec passes the same suite; what it reads was written by another implementation where there is one."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import lzma
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tracemalloc
import weakref
import zlib

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyspark_logs.codecs import BLOCK_BYTES, CODECS, FOREIGN, PIECE_BYTES, codec_for, decompress, decompressors, deflate
from pyspark_logs.errors import CorruptFileError, OptionError, TruncatedBodyError
from tests.support.effort import examples

random.seed(7)
LONG = b"".join(b"10.0.0.%d GET /items/%d 200\n" % (n % 256, random.randrange(10**9)) for n in range(130_000))
TEXT = LONG[:100_000]
PATH = "s3://bucket/app.log"


def cut(data, size):
    return iter([data[i : i + size] for i in range(0, len(data), size)])


def arrow_compress(codec, text):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(text)
    return sink.getvalue().to_pybytes()


def write(name, pieces, level=None):
    """A file as our compressor writes it."""
    compressor = codec_for("", name).compressor(level)
    return b"".join([*map(compressor.feed, pieces), compressor.finish()])


class CodecSuite:
    """What holds for every codec. A subclass names it, compresses one member, and reads files, by other libraries."""

    name: str
    suffixes: tuple[str, ...]

    def compress(self, text):
        raise NotImplementedError

    def decompress(self, data):
        raise NotImplementedError

    levels: tuple[int, ...]
    compressed: float  # TEXT is smaller than this share of itself at the default level

    @pytest.mark.parametrize("length", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, len(LONG)])
    @pytest.mark.parametrize("size", [5000, BLOCK_BYTES, 1 << 24])
    def test_files_of_one_block_and_of_several(self, length, size):
        data = write(self.name, cut(LONG[:length], size))
        assert self.read(data) == self.decompress(data) == LONG[:length]
        assert data == write(self.name, cut(LONG[:length], size))

    def test_whatever_holds_bytes_can_be_fed(self):
        kinds = (bytes, bytearray, memoryview, pa.py_buffer, lambda text: memoryview(pa.py_buffer(text)))
        assert len({write(self.name, [kind(TEXT), kind(b"")]) for kind in kinds}) == 1

    def test_every_level(self):
        for level in self.levels:
            assert self.decompress(write(self.name, [TEXT], level)) == TEXT
        assert len(write(self.name, [TEXT])) <= self.compressed * len(TEXT)
        codec = codec_for("", self.name)
        if self.levels:
            assert write(self.name, [TEXT]) == write(self.name, [TEXT], codec.default_level)
            assert (self.levels[0], self.levels[-1]) == (codec.levels[0], codec.levels[-1])

    def test_levels_that_there_are_not(self):
        codec = codec_for("", self.name)
        limits = f"has levels {self.levels[0]} to {self.levels[-1]}" if self.levels else "has none"
        for level in (self.levels[0] - 1, self.levels[-1] + 1) if self.levels else (0, 1):
            with pytest.raises(
                OptionError, match=f"'compressionLevel': {level} is not a level of {self.name}, which {limits}"
            ):
                codec.compressor(level)

    def test_the_suffix_of_what_is_written(self):
        codec = codec_for("", self.name)
        assert codec_for(f"part-0.log{codec.suffix}").name == self.name

    def test_an_open_file_takes_little_memory(self):
        codec = codec_for("", self.name)
        open_files = [codec.compressor(level) for level in (self.levels or [None])]
        tracemalloc.start()
        arrow_before = pa.total_allocated_bytes()
        try:
            for compressor in open_files:
                compressor.feed(LONG[: 2 * BLOCK_BYTES - 1])
            held, _ = tracemalloc.get_traced_memory()
            held += pa.total_allocated_bytes() - arrow_before
        finally:
            tracemalloc.stop()
        assert held <= len(open_files) * (codec.held_bytes * 1.2 + 10_000)  # a bytearray grows by an eighth

    def test_what_is_compressed_comes_while_there_is_more_to_come(self):
        compressor = codec_for("", self.name).compressor()
        assert len(compressor.feed(LONG)) > 0.5 * len(self.compress(LONG))

    def read(self, data, size=1 << 20):
        return b"".join(decompress(self.name, cut(data, size), path=PATH))

    @pytest.mark.parametrize("size", [1, 2, 7, 1000, 65_536, 1 << 20])
    def test_round_trip(self, size):
        assert self.read(self.compress(TEXT), size) == TEXT

    def test_a_text_larger_than_a_piece(self):
        assert len(LONG) > 4 * PIECE_BYTES
        data = self.compress(LONG)
        for size in (1000, len(data)):
            pieces = list(decompress(self.name, cut(data, size), path=PATH))
            assert b"".join(pieces) == LONG
            assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces if self.name != "none")

    def test_empty_inputs(self):
        assert self.read(b"") == b""
        assert self.read(self.compress(b"")) == b""
        assert b"".join(decompress(self.name, iter([b"", b""]), path=PATH)) == b""

    def test_empty_chunks_between(self):
        chunks = [piece for chunk in cut(self.compress(TEXT), 999) for piece in (b"", chunk, b"")]
        assert b"".join(decompress(self.name, iter(chunks), path=PATH)) == TEXT

    @pytest.mark.parametrize("size", [1, 3, 1000, 1 << 20])
    def test_members_one_after_another(self, size):
        one, two, none = self.compress(b"one\n"), self.compress(b"two\n" * 1000), self.compress(b"")
        assert self.read(one + two, size) == b"one\n" + b"two\n" * 1000
        assert self.read(none + none + one + none + none + two + none, size) == b"one\n" + b"two\n" * 1000

    def test_text_of_exactly_one_piece(self):
        for extra in (-1, 0, 1):
            text = bytes(PIECE_BYTES + extra)
            assert self.read(self.compress(text)) == text
            assert self.read(self.compress(text) * 2, 100) == text * 2

    def test_the_suffix_names_it(self):
        for suffix in self.suffixes:
            assert codec_for("dir/app.log" + suffix).name == self.name
            assert codec_for("dir/APP.LOG" + suffix.upper()).name == self.name
        assert codec_for("app.gz", self.name).name == self.name
        assert codec_for("app.bz2", self.name.upper()).name == self.name

    def test_it_travels(self):
        codec = codec_for("x", self.name)
        assert pickle.loads(pickle.dumps(codec)) == codec
        assert codec.splittable == (self.name == "none")

    @pytest.mark.parametrize("kind", [OSError, ValueError, TruncatedBodyError, KeyboardInterrupt])
    def test_errors_of_the_source_pass_unchanged(self, kind):
        failure = kind("the store failed")

        def chunks():
            yield self.compress(TEXT)[:100]
            raise failure

        with pytest.raises(kind) as caught:
            list(decompress(self.name, chunks(), path=PATH))
        assert caught.value is failure
        assert "chunks" in [entry.name for entry in caught.traceback]

    def test_the_source_is_closed_however_it_ends(self):
        closed = []

        def chunks(data):
            try:
                yield from cut(data, 1000)
            finally:
                closed.append(True)

        list(decompress(self.name, chunks(self.compress(TEXT)), path=PATH))
        reading = decompress(self.name, chunks(self.compress(TEXT)), path=PATH)
        next(reading)
        reading.close()
        assert closed == [True, True]

    def test_nothing_is_kept(self):
        class Chunks:
            def __init__(self, data):
                self.rest = cut(data, 1000)

            def __iter__(self):
                return self

            def __next__(self):
                return next(self.rest)

        chunks = Chunks(self.compress(TEXT))
        alive = weakref.ref(chunks)
        reading = decompress(self.name, chunks, path=PATH)
        del chunks
        next(reading)
        reading.close()
        del reading
        gc.collect()
        assert alive() is None


class CompressingSuite(CodecSuite):
    """What holds where there is something to be corrupt."""

    garbage = b"\xf7this was never compressed by anything\n" * 100

    may_lose = 0  # bytes of text right before the damage

    def corrupt(self, data, size, text):
        """Reading gives a beginning of the text, then an error that says where and what to do."""
        before = b""
        reading = decompress(self.name, cut(data, size), path=PATH)
        with pytest.raises(CorruptFileError) as caught:  # noqa: PT012 (what came before the error matters)
            for piece in reading:
                before += piece
        for part in (PATH, self.name, " byte ", "ignoreCorruptFiles", "compression"):
            assert part in str(caught.value)
        assert text.startswith(before)
        return len(before)

    @pytest.mark.parametrize("size", [1, 1 << 20])
    def test_truncated_at_any_byte(self, size):
        data = self.compress(b"one line\n")
        for length in range(1, len(data)):
            self.corrupt(data[:length], size, b"one line\n")
            assert self.corrupt(data + data[:length], size, b"one line\n" * 2) >= 9 - self.may_lose

    def test_truncated_after_much(self):
        data = self.compress(LONG)
        assert self.corrupt(data[: len(data) * 3 // 4], 1000, LONG) > len(LONG) // 2
        with pytest.raises(CorruptFileError, match=f" byte {len(data) - 5} "):
            self.read(data[:-5])

    @pytest.mark.parametrize("size", [1, 10, 1 << 20])
    def test_garbage(self, size):
        assert self.corrupt(self.garbage, size, b"") == 0
        assert self.corrupt(bytes(100), size, b"") == 0
        good = self.compress(TEXT)
        assert self.corrupt(good + self.garbage, size, TEXT) >= len(TEXT) - self.may_lose

    def test_damage_is_noticed(self):
        data = bytearray(self.compress(TEXT))
        for index in range(len(data) // 2, len(data) // 2 + 200):
            data[index] ^= 0xFF
        with pytest.raises(CorruptFileError):
            self.read(bytes(data))

    def test_a_bomb_is_taken_in_pieces(self):
        bomb = self.compress(bytes(64 << 20))
        tracemalloc.start()
        arrow_before = pa.total_allocated_bytes()
        try:
            total = arrow = 0
            for piece in decompress(self.name, iter([bomb]), path=PATH):
                assert len(piece) <= PIECE_BYTES
                total += len(piece)
                arrow = max(arrow, pa.total_allocated_bytes() - arrow_before)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert total == 64 << 20
        assert peak + arrow < 6 * PIECE_BYTES


class TestNone(CodecSuite):
    name = "none"
    suffixes = (".log", "", ".txt")

    levels = ()
    compressed = 1.0

    def compress(self, text):
        return text

    def decompress(self, data):
        return data


class PaddedSuite(CompressingSuite):
    @pytest.mark.parametrize("size", [1, 10, 1 << 20])
    def test_zero_bytes_after_a_member_are_padding(self, size):
        data = self.compress(b"one\n")
        assert self.read(data + bytes(512), size) == b"one\n"
        assert self.read(data + bytes(512) + data + bytes(4), size) == b"one\none\n"

    @pytest.mark.parametrize("size", [1, 10, 1 << 20])
    @pytest.mark.parametrize("extra", [b"\n", b"#", b"a line\n" * 20])
    def test_data_after_the_last_member(self, extra, size):
        data = self.compress(b"one\n") * 2 + bytes(4)
        text = b""
        message = (
            f"data after the end of the {self.name} stream, all text of which was read, at or before byte {len(data)} "
        )
        with pytest.raises(CorruptFileError, match=message):  # noqa: PT012 (the text before the error matters)
            for piece in decompress(self.name, cut(data + extra, size), path=PATH):
                text += piece
        assert text == b"one\none\n"

    @pytest.mark.parametrize("size", [1, 10, 1 << 20])
    def test_members_begin_at_these_offsets_of_the_text(self, size):
        data = b"".join(map(self.compress, (b"one\n", b"", b"three\n"))) + bytes(8) + self.compress(b"four")
        members: list[int] = []
        text = b""
        for piece in codec_for("", self.name).decompress(cut(data, size), path=PATH, members=members):
            assert max(members, default=0) <= len(text)
            text += piece
        assert text == b"one\nthree\nfour"
        assert members == [4, 4, 10]


class TestGzip(PaddedSuite):
    name = "gzip"
    suffixes = (".gz", ".gzip")

    levels = tuple(range(10))
    compressed = 0.45

    def compress(self, text):
        return gzip.compress(text)

    def decompress(self, data):
        return gzip.decompress(data)

    @pytest.mark.skipif(shutil.which("zcat") is None, reason="needs zcat")
    def test_zcat_reads_what_is_written(self):
        data = write(self.name, cut(LONG, 100_000))
        assert subprocess.run(["zcat"], input=data, stdout=subprocess.PIPE, check=True).stdout == LONG

    def test_one_member_without_a_name_and_a_time(self):
        data = write(self.name, cut(LONG, 100_000))
        assert data[:8] == b"\x1f\x8b\x08\0" + bytes(4)
        inflate = zlib.decompressobj(wbits=31)
        inflate.decompress(data)
        assert inflate.eof
        assert inflate.unused_data == b""

    def test_the_default_level_is_not_larger_than_that_of_zlib(self):
        packer = zlib.compressobj(1, wbits=31)
        assert len(write(self.name, [LONG])) <= 1.01 * len(packer.compress(LONG) + packer.flush())

    def test_a_name_in_the_header_and_stored_blocks(self):
        header = b"\x1f\x8b\x08\x08" + bytes(4) + b"\x00\x03" + b"app.log\x00"
        packer = zlib.compressobj(0, zlib.DEFLATED, -15)
        body = packer.compress(TEXT) + packer.flush()
        data = header + body + struct.pack("<II", zlib.crc32(TEXT), len(TEXT))
        assert self.read(data, 5) == TEXT

    def test_the_checksum_is_checked(self):
        data = bytearray(self.compress(TEXT))
        data[-6] ^= 1
        self.corrupt(bytes(data), 1 << 20, TEXT)


@pytest.fixture
def only_zlib(monkeypatch):
    """No faster library is installed."""
    for name in ("zlib_library", "isal_library"):
        getattr(deflate, name).cache_clear()
    monkeypatch.setitem(sys.modules, "isal", None)
    monkeypatch.setitem(sys.modules, "zlib_ng", None)
    yield
    for name in ("zlib_library", "isal_library"):
        getattr(deflate, name).cache_clear()


@pytest.mark.usefixtures("only_zlib")
class TestGzipOfZlib(TestGzip):
    """gzip without the extra ``fast``."""

    def test_no_other_library_is_used(self):
        assert deflate.zlib_library() is zlib
        assert deflate.isal_library() is None


def test_the_faster_libraries_are_used():
    assert deflate.zlib_library().__name__ == "zlib_ng.zlib_ng"
    assert deflate.isal_library().__name__ == "isal.isal_zlib"


def _text_and_error(library, data, size):
    """What is read of a file by a library: its text, and its error."""
    text = b""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decompressors, "zlib_library", lambda: library)
        try:
            for piece in decompress("gzip", cut(data, size), path=PATH):
                text += piece
        except CorruptFileError as error:
            return text, str(error)
    return text, None


@settings(max_examples=examples(100))
@given(st.data())
def test_every_library_reads_damaged_files_alike(data):
    length = data.draw(st.sampled_from([0, 10, 3000, 50_000, 300_000]))  # 300,000 bytes are more than a piece
    member = gzip.compress(LONG[:length], data.draw(st.sampled_from([0, 1, 6])))
    file = bytearray(
        member * data.draw(st.integers(1, 2)) + data.draw(st.sampled_from([b"", b"", bytes(5), b"garbage"]))
    )
    for offset in data.draw(st.lists(st.integers(-12, 12) | st.integers(0, len(file) - 1), max_size=3)):
        file[offset] ^= 1 << data.draw(st.integers(0, 7))
    file = bytes(file[: data.draw(st.sampled_from([len(file), len(file), data.draw(st.integers(1, len(file)))]))])
    size = data.draw(st.sampled_from([100, 1000, 1 << 20]))
    assert _text_and_error(deflate.zlib_library(), file, size) == _text_and_error(zlib, file, size)


class TestBzip2(PaddedSuite):
    name = "bzip2"
    suffixes = (".bz2",)

    levels = tuple(range(1, 10))
    compressed = 0.35

    def compress(self, text):
        return bz2.compress(text, 1)

    def decompress(self, data):
        return bz2.decompress(data)


class TestXz(PaddedSuite):
    name = "xz"
    suffixes = (".xz",)

    levels = tuple(range(10))
    compressed = 0.4

    def compress(self, text):
        return lzma.compress(text, preset=0)

    def decompress(self, data):
        return lzma.decompress(data, lzma.FORMAT_XZ)

    def test_what_is_written_asks_readers_for_little_memory(self):
        assert lzma.decompress(write(self.name, [TEXT], 9), memlimit=BLOCK_BYTES + (256 << 10)) == TEXT

    def test_streams_that_want_too_much_memory_are_refused(self, monkeypatch):
        monkeypatch.setattr("pyspark_logs.codecs.decompressors.XZ_MEMORY_BYTES", 1 << 20)
        with pytest.raises(CorruptFileError, match=r"[Mm]emory"):
            self.read(lzma.compress(TEXT, preset=6))


class FrameSuite(CompressingSuite):
    def decompress_one(self, data):
        raise NotImplementedError

    def test_readers_that_stop_after_a_frame_get_all_of_it(self):
        assert self.decompress_one(write(self.name, cut(LONG, 100_000))) == LONG

    may_lose = 16 << 10
    skippable = struct.pack("<II", 0x184D2A53, 5) + b"abcde"

    @pytest.mark.parametrize("size", [1, 6, 1 << 20])
    def test_skippable_frames(self, size):
        frame = self.compress(b"one\n")
        skip = self.skippable
        assert self.read(skip + frame + skip + skip + frame + skip, size) == b"one\none\n"
        assert self.read(skip, size) == b""
        self.corrupt(frame + skip[:-1], size, b"one\n")


class TestZstd(FrameSuite):
    name = "zstd"
    suffixes = (".zst", ".zstd")

    def compress(self, text):
        return pytest.importorskip("zstandard").ZstdCompressor(write_checksum=True).compress(text)

    levels = (-131_072, -5, 0, 1, 3, 9, 15, 19, 22)
    compressed = 0.45

    def decompress_one(self, data):
        return pytest.importorskip("zstandard").ZstdDecompressor().stream_reader(data).read()

    def decompress(self, data):
        reader = pytest.importorskip("zstandard").ZstdDecompressor().stream_reader(data, read_across_frames=True)
        return reader.read()

    @pytest.mark.parametrize("size", [1, 3, 1 << 20])
    @pytest.mark.parametrize(
        "magic", [b"\xfd\x2f\xb5\x1e", *(bytes([byte]) + b"\xb5\x2f\xfd" for byte in range(0x22, 0x28))]
    )
    def test_frames_of_versions_before_0_8_are_refused(self, magic, size):
        with pytest.raises(CorruptFileError, match=r"a version of zstd before 0\.8 wrote it"):
            self.read(magic + b" h\xed\xb7\x00", size)

    def test_a_single_frame_loses_nothing(self):
        data = self.compress(LONG)
        cut_short = data[: len(data) // 2]
        wanted = pytest.importorskip("zstandard").ZstdDecompressor().decompressobj().decompress(cut_short)
        assert self.corrupt(cut_short, 1000, LONG) == len(wanted)

    def test_frames_without_content_size(self):
        assert self.read(arrow_compress("zstd", TEXT) * 2, 100) == TEXT * 2


class TestLz4(FrameSuite):
    name = "lz4"
    suffixes = (".lz4",)

    def compress(self, text):
        return pytest.importorskip("lz4.frame").compress(text, content_checksum=True)

    levels = tuple(range(1, 13))
    compressed = 0.75

    def decompress_one(self, data):
        return pytest.importorskip("lz4.frame").decompress(data)

    def decompress(self, data):
        with pytest.importorskip("lz4.frame").open(io.BytesIO(data)) as file:
            return file.read()

    def test_frames_as_arrow_writes_them(self):
        assert self.read(arrow_compress("lz4", TEXT) * 2, 100) == TEXT * 2


def test_streams_of_arrow_are_of_the_default_level():
    for name in ("zstd", "lz4"):
        assert pa.Codec.default_compression_level(name) == codec_for("", name).default_level


SUITES = (TestNone, TestGzip, TestBzip2, TestXz, TestZstd, TestLz4)


@given(st.sampled_from(SUITES), st.booleans(), st.lists(st.binary(max_size=200)))
def test_what_is_written_reads_back_however_it_is_cut(suite, at_best, pieces):
    level = suite.levels[-1] if at_best and suite.levels else None
    data = write(suite.name, pieces, level)
    assert suite().read(data) == suite().decompress(data) == b"".join(pieces)


def test_every_codec_has_a_suite():
    tested = {suite.name for suite in SUITES}
    assert {codec.name for codec in CODECS} == tested


def test_what_is_not_supported_is_not_written():
    with pytest.raises(OptionError, match=r"cannot be written; give one of none, gzip, zstd, bzip2, lz4, xz"):
        FOREIGN.compressor()


def test_suffixes_are_of_one_codec_each():
    suffixes = [suffix for codec in CODECS for suffix in codec.suffixes]
    assert len(suffixes) == len(set(suffixes))


def test_an_unknown_codec_is_an_error_that_lists_the_known():
    with pytest.raises(OptionError, match=r"'rar'.*none, gzip, zstd, bzip2, lz4, xz"):
        codec_for("app.log", "rar")


def test_the_codecs_are_those_of_the_option():
    from pyspark_logs.options import parse_read_options

    for codec in CODECS:
        options = parse_read_options({"path": "p", "preset": "klog", "compression": codec.name})
        assert options.plan.compression == codec.name


@pytest.mark.parametrize("suffix", [".snappy", ".Z", ".zip", ".lzma"])
def test_a_compression_that_is_not_supported_is_no_text(suffix: str) -> None:
    codec = codec_for(f"app.log{suffix}")
    assert not codec.splittable
    with pytest.raises(CorruptFileError, match="pathGlobFilter"):
        list(codec.decompress(iter([b"x"]), path=f"app.log{suffix}"))
    assert codec_for(f"app.log{suffix}", "none").name == "none"
