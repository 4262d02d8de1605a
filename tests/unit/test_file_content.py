"""Files are read by their first bytes: wrong and missing suffixes, several compressions, archives, marks, line ends."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs import ScanSummary
from pyspark_logs.codecs.archives import RangedFile, open_zip
from pyspark_logs.codecs.signatures import looks_like_text, recognise
from pyspark_logs.errors import CorruptFileError
from pyspark_logs.file_content import peek
from tests.support.log_files import CODECS, read
from tests.support.s3_server import S3Bucket

LINES = [f"user{n} {n}" for n in range(400)]
TEXT = ("\n".join(LINES) + "\n").encode()
ROWS = [{"a": f"user{n}", "b": n} for n in range(400)]


def rows(path: Path, **options: Any) -> list[dict[str, Any]]:
    found = read(path, template="{a} {b:int}", mode="FAILFAST", **options)
    return sorted(found, key=lambda row: (row["b"] is None, row["b"]))


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def tar(members: dict[str, bytes], mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("codec", [name for name in CODECS if name != "none"])
class TestSuffixes:
    def test_the_first_bytes_decide(self, codec: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        data = CODECS[codec][1](TEXT)
        for name in ("app.log", "app", "app.log.1", "wrong.gz" if codec != "gzip" else "wrong.bz2", "app.z"):
            caplog.clear()
            path = put(tmp_path, name, data)
            assert rows(path) == ROWS, name
            assert [message for message in caplog.messages if name in message and codec in message]

    def test_a_file_that_was_planned_as_splits(self, codec: str, tmp_path: Path) -> None:
        path = put(tmp_path, "app.log", CODECS[codec][1](TEXT))
        for size in (10, 300):
            assert rows(path, maxPartitionBytes=size, openCostInBytes=1) == ROWS

    def test_compressed_twice(self, codec: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        suffix, compress = CODECS[codec]
        assert rows(put(tmp_path, f"a.log{suffix}", compress(gzip.compress(TEXT)))) == ROWS
        assert [message for message in caplog.messages if "compressed again" in message]

    def test_text_that_is_called_compressed(self, codec: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """As after a client that decodes Content-Encoding."""
        suffix = CODECS[codec][0]
        assert rows(put(tmp_path, f"a.log{suffix}", TEXT), maxPartitionBytes=100) == ROWS
        assert [message for message in caplog.messages if "read as text" in message]

    def test_an_option_is_obeyed(self, codec: str, tmp_path: Path) -> None:
        suffix, compress = CODECS[codec]
        with pytest.raises(CorruptFileError, match=codec):
            rows(put(tmp_path, f"a{suffix}", TEXT), compression=codec)
        path = put(tmp_path, "b.log", compress(b"x"))
        assert len(read(path, template="{m}", compression="none")) >= 1
        assert read(path, template="{m}") == [{"m": "x"}]

    def test_damage_is_damage(self, codec: str, tmp_path: Path) -> None:
        suffix, compress = CODECS[codec]
        data = compress(TEXT)
        for damaged in (b"\x00\x01" + data[2:], data[:-3], bytes(100)):
            with pytest.raises(CorruptFileError, match=codec):
                rows(put(tmp_path, f"a{suffix}", damaged))


def test_a_notice_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for n in range(5):
        put(tmp_path, f"{n}.log", gzip.compress(TEXT))
    assert len(rows(tmp_path, maxPartitionBytes=300)) == 5 * len(ROWS)
    assert len(caplog.messages) == 1


def test_no_request_more_for_files_that_are_what_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark_logs.store.local import LocalStore

    put(tmp_path, "a.log", TEXT)
    put(tmp_path, "b.log.gz", gzip.compress(TEXT))
    requests: list[tuple[Any, ...]] = []
    original = LocalStore.read

    def counted(self: LocalStore, *args: Any, **kwargs: Any) -> Any:
        requests.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(LocalStore, "read", counted)
    assert len(rows(tmp_path)) == 2 * len(ROWS)
    assert len(requests) == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_the_mark_of_an_encoding(encoding: str, suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "é 1\r\nß 2\r\n".encode(encoding)
    path = put(tmp_path, f"a.log{suffix}", gzip.compress(text) if suffix else text)
    for size in (1, 5, 1000):
        assert rows(path, maxPartitionBytes=size, openCostInBytes=1) == [{"a": "é", "b": 1}, {"a": "ß", "b": 2}]
    assert encoding in caplog.messages[0]
    caplog.clear()
    assert rows(path, encoding=encoding) == [{"a": "é", "b": 1}, {"a": "ß", "b": 2}]
    assert caplog.messages == []
    assert len(read(path, template="{a}", encoding="latin-1")) > 0  # where these bytes are text


def test_all_splits_decide_by_the_same_bytes(tmp_path: Path) -> None:
    """The zero byte that shows UTF-16 is after the bytes by which the splits decide."""
    path = put(tmp_path, "a.log", ("\ufeff" + "字" * 600 + "\nx 1\n" * 200).encode("utf-16-le"))
    whole = read(path, template="{a}")
    for size in (300, 600):
        found = read(path, template="{a}", maxPartitionBytes=size, openCostInBytes=1)
        assert sorted(row["a"] for row in found) == sorted(row["a"] for row in whole), size


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "idna"])
def test_text_that_an_encoding_cannot_have(encoding: str, tmp_path: Path) -> None:
    path = put(tmp_path, "a.log", "x 1\r\n".encode("utf-16-le") + b"\xff\xff..xn--a-\n")
    with pytest.raises(CorruptFileError, match=rf"a\.log: cannot be decoded as {encoding}"):
        rows(path, encoding=encoding)


class TestArchives:
    MEMBERS = {  # noqa: RUF012
        "logs/one.log": TEXT[:1000].rpartition(b"\n")[0],
        "logs/empty.log": b"",
        "__MACOSX/._one.log": b"\0\1",
        "logs/two.log.gz": gzip.compress(TEXT[1000:][TEXT[1000:].index(b"\n") + 1 :]),
    }
    EXPECTED = TEXT[:1000].count(b"\n") + TEXT[1000:].count(b"\n") - 1

    @pytest.mark.parametrize("name", ["a.tar", "a.zip", "a.log", "a.tar.gz", "a.tgz", "stored.zip", "a.tar.xz"])
    def test_member_by_member(self, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        if "zip" in name:
            data = zipped(self.MEMBERS, zipfile.ZIP_STORED if "stored" in name else zipfile.ZIP_DEFLATED)
        else:
            data = tar(self.MEMBERS)
        compress = {".gz": gzip.compress, ".tgz": gzip.compress, ".xz": CODECS["xz"][1]}.get(Path(name).suffix, bytes)
        path = put(tmp_path, name, compress(data))
        found = read(path, template="{a} {b:int}", metadata=True, maxPartitionBytes=700, openCostInBytes=1)
        assert len(found) == self.EXPECTED
        assert not [row for row in found if row["b"] is None]
        paths = [row["_metadata"]["file_path"] for row in found]
        assert list(dict.fromkeys(paths)) == [f"file://{path}!/logs/one.log", f"file://{path}!/logs/two.log.gz"]
        names = {row["_metadata"]["file_name"] for row in found}
        assert names == {"one.log", "two.log.gz"}
        assert [row["_metadata"]["record_offset"] for row in found][:2] == [0, 8]
        assert bool(caplog.messages) == (name == "a.log")

    def test_on_s3(self, tmp_path: Path, s3: S3Bucket) -> None:
        for name, data in (("a.zip", zipped(self.MEMBERS)), ("b.tar.gz", gzip.compress(tar(self.MEMBERS)))):
            s3.put(name, data)
        options = {"endpoint": s3.endpoint, "region": "us-east-1", "accessKey": "testing", "secretKey": "test-secret"}
        found = read(s3.url, template="{a} {b:int}", **options)
        assert len(found) == 2 * self.EXPECTED

    def test_lines_are_joined_within_a_member(self, tmp_path: Path) -> None:
        path = put(tmp_path, "a.zip", zipped({"1": b"A one\n more\n", "2": b"A two\n more\n", "3": b"A three"}))
        found = read(path, template="{a:enum(A)} {m}", multiLine="^A")
        assert [row["m"] for row in found] == ["one\n more", "two\n more", "three"]

    def test_corrupt_records_name_the_member(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        put(tmp_path, "a.zip", zipped({"x/1": b"a 1\n", "x/2": b"a 1\nb c\n"}))
        bad = tmp_path / "bad"
        assert len(read(tmp_path / "a.zip", template="{a} {b:int}", badRecordsPath=str(bad))) == 3
        assert "a.zip!/x/2 at byte 4" in caplog.text
        assert "a.zip!/x/2" in "".join(file.read_text() for file in bad.rglob("*.json"))

    def test_rows_that_a_search_finds_name_the_member(self, tmp_path: Path) -> None:
        text = b"INFO 1\n" * 1000
        path = put(tmp_path, "a.zip", zipped({"x/1": text + b"ERROR 2\n", "x/2": text + b"ERROR 3\n" + text}))
        found = read(path, template="{a} {b:int}", where="a = 'ERROR'", metadata=True)
        origins = [(row["_metadata"]["file_path"], row["_metadata"]["record_offset"]) for row in found]
        assert origins == [(f"file://{path}!/x/1", len(text)), (f"file://{path}!/x/2", len(text))]

    @pytest.mark.parametrize("kind", ["zip", "tar"])
    def test_members_with_relative_and_absolute_names(self, kind: str, tmp_path: Path) -> None:
        names = ["./1.log", "a/./2.log", "a/../3.log", "../4.log", "/5.log"]
        data = (zipped if kind == "zip" else tar)({name: name[-5:].encode() + b"\n" for name in names})
        found = read(put(tmp_path, f"a.{kind}", data), template="{m}", metadata=True)
        assert [row["m"] for row in found] == ["1.log", "2.log", "3.log", "4.log", "5.log"]
        members = [row["_metadata"]["file_path"].partition("!/")[2] for row in found]
        assert members == ["1.log", "a/2.log", "3.log", "4.log", "5.log"]

    def test_members_that_are_not_read_are_named(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = put(tmp_path, "a.tar", tar({"x/.hidden": b"1\n", "_y/z.log": b"2\n", "z.log": b"3\n"}))
        assert [row["m"] for row in read(path, template="{m}")] == ["3"]
        assert "2 members are not read" in caplog.text
        assert "x/.hidden" in caplog.text

    def test_an_empty_and_a_short_zip(self, tmp_path: Path) -> None:
        assert read(put(tmp_path, "a.zip", zipped({})), template="{m}", schema="m string") == []
        path = put(tmp_path, "b.zip", zipped({"x": b"1\n"})[:15])
        with pytest.raises(CorruptFileError, match=r"b\.zip"):
            read(path, template="{m}", schema="m string")
        assert read(path, template="{m}", schema="m string", ignoreCorruptFiles=True) == []

    @pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
    def test_a_damaged_archive(self, kind: str, tmp_path: Path) -> None:
        members = {f"{n}.log": os.urandom(2000).hex().encode() + b"\n" for n in range(5)}
        data = zipped(members) if kind == "zip" else tar(members)
        pieces = [data[:-500] if kind == "zip" else data[: len(data) // 2 + 100]]
        if kind != "zip":
            pieces.append(data[:4608] + b"damaged!" * 64 + data[4608 + 512 :])
        for damaged in pieces:
            path = put(tmp_path, f"a.{kind}", gzip.compress(damaged) if kind == "tar.gz" else damaged)
            with pytest.raises(CorruptFileError, match=rf"a\.{kind}"):
                read(path, template="{m}")
            assert len(read(path, template="{m}", ignoreCorruptFiles=True)) < 5

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_a_damaged_member_of_a_zip(self, method: int, tmp_path: Path) -> None:
        for at in (40, 60, 100):
            data = bytearray(zipped({"a.log": TEXT}, method))
            data[at : at + 8] = b"\xff" * 8
            path = put(tmp_path, "a.zip", bytes(data))
            with pytest.raises(CorruptFileError, match=r"a\.zip"):
                read(path, template="{m}")
            assert len(read(path, template="{m}", schema="m string", ignoreCorruptFiles=True)) <= len(LINES)

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_each_byte_of_a_zip_may_be_damaged(self, method: int) -> None:
        data = zipped({"a.log": b"one\n" * 9, "b/c": b"two\n"}, method)
        outcomes = set()
        for at in range(len(data)):
            for value in (0, 0x80, 0xFF):
                damaged = data[:at] + bytes([value]) + data[at + 1 :]
                try:
                    members = open_zip(partial(_ranged, damaged), len(damaged), "a.zip")
                    outcomes.add(b"".join(piece for _, pieces in members for piece in pieces))
                except CorruptFileError:
                    outcomes.add(b"")
        assert {b"", b"one\n" * 9 + b"two\n"} <= outcomes

    def test_an_encrypted_member(self, tmp_path: Path) -> None:
        data = bytearray(zipped({"a": b"x\n"}, zipfile.ZIP_STORED))
        for at in (6, data.index(b"PK\1\2") + 8):
            data[at] |= 1
        with pytest.raises(CorruptFileError, match="encrypted"):
            read(put(tmp_path, "a.zip", bytes(data)), template="{m}")

    def test_a_zip_within_compressed_data(self, tmp_path: Path) -> None:
        with pytest.raises(CorruptFileError, match="extract it"):
            read(put(tmp_path, "a.gz", gzip.compress(zipped({"a": b"x\n"}))), template="{m}")


def _ranged(data: bytes, start: int) -> Generator[bytes, None, None]:
    yield from (data[at : at + 64] for at in range(start, len(data), 64))


@given(
    st.binary(max_size=300),
    st.lists(st.tuples(st.integers(0, 320), st.integers(1, 60)), max_size=20),
    st.integers(1, 50),
)
def test_a_ranged_file_reads_as_a_file(data: bytes, steps: list[tuple[int, int]], size: int) -> None:
    def ranged(start: int) -> Any:
        yield from (data[at : at + size] for at in range(start, len(data), size))

    plain = io.BytesIO(data)
    file = io.BufferedReader(RangedFile(ranged, len(data)), 16)
    for position, count in steps:
        assert file.seek(position) == plain.seek(position)
        assert file.read(count) == plain.read(count)


@settings(suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(["a 1", "b 22", "c 333", ""]), max_size=8), st.integers(1, 9), st.booleans())
def test_carriage_returns_alone_end_lines(tmp_path: Path, lines: list[str], size: int, ended: bool) -> None:
    for header in ({}, {"delimited": " ", "header": "first"}):
        text = "\r".join([*(["x y"] if header else []), *lines]) + ("\r" if ended else "")
        put(tmp_path, "a.log", text.encode())
        if not any(lines):
            continue
        options = header or {"template": "{x} {y}"}
        found = (
            pyspark_logs.scan(str(tmp_path), maxPartitionBytes=size, openCostInBytes=1, metadata=True, **options)
            .read_all()
            .to_pylist()
        )
        found.sort(key=lambda row: row["_metadata"]["record_offset"])
        assert [f"{row['x']} {row['y']}" for row in found] == [line for line in lines if line]


def test_text_is_not_taken_for_something_else(caplog: pytest.LogCaptureFixture) -> None:
    for text in ("BZh9 is how bzip2 begins", "PK", "PK\n", "x" * 257 + "ustar" + "x" * 300):
        head = text if isinstance(text, bytes) else text.encode()
        assert recognise(head) is None
        assert looks_like_text(head)
    assert caplog.messages == []


def test_chunks_are_closed_however_far_they_are_read() -> None:
    closed = []

    def chunks() -> Any:
        try:
            yield b"one"
            yield b"two"
        finally:
            closed.append(True)

    for taken in range(3):
        head, following = peek(chunks(), 2)
        assert head == b"on"
        for _ in range(taken):
            next(following)
        following.close()
    assert closed == [True] * 3


class TestExpansionLimit:
    """Small files that give much text."""

    BOMB = bytes(2 << 20)

    @pytest.fixture(autouse=True)
    def small_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pyspark_logs.codecs.expansion.FREE_BYTES", 1 << 20)

    @pytest.mark.parametrize("kind", ["gzip", "zstd", "gzip twice", "zip", "tar.gz"])
    def test_a_bomb(self, kind: str, tmp_path: Path) -> None:
        text = TEXT + self.BOMB
        data = {
            "gzip": lambda: gzip.compress(text),
            "zstd": lambda: CODECS["zstd"][1](text),
            "gzip twice": lambda: gzip.compress(gzip.compress(text)),
            "zip": lambda: zipped({str(n): TEXT + bytes(1 << 19) for n in range(4)}),
            "tar.gz": lambda: gzip.compress(tar({"a": text})),
        }[kind]()
        path = put(tmp_path, "a.log", data)
        with pytest.raises(CorruptFileError, match=f"its {len(data)} bytes give more than .* maxInflateRatio"):
            rows(path, maxInflateRatio=10)
        summary = ScanSummary()
        found = rows(path, maxInflateRatio=10, ignoreCorruptFiles=True, summary=summary)
        # Of a tar archive, the piece that meets the limit is lost, as it is at any other damage.
        assert {row["b"] for row in found} == (set() if kind == "tar.gz" else set(range(len(ROWS))))
        assert summary.damaged == 1
        for limit in (0, 10_000):
            assert rows(path, maxInflateRatio=limit)[-1] == ROWS[-1]

    def test_a_large_text_that_is_not_compressed(self, tmp_path: Path) -> None:
        path = put(tmp_path, "a.log", TEXT * 200)
        assert len(rows(path, maxInflateRatio=1)) == 200 * len(ROWS)

    def test_a_user_defined_format(self, tmp_path: Path) -> None:
        path = put(tmp_path, "a.log.gz", gzip.compress((struct.pack(">Iq", 9, 0) + b"x") * 200_000))
        with pytest.raises(CorruptFileError, match="maxInflateRatio"):
            read(path, formatClass="tests.support.length_prefixed:LengthPrefixed", maxInflateRatio=10)
