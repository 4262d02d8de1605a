"""Every store that can be written to passes the same suite; S3 also loses answers, and local disks fill up."""

from __future__ import annotations

import errno
import itertools
import json
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from pyspark_logs.errors import (
    AccessDeniedError,
    CircuitOpenError,
    CorruptFileError,
    PathNotFoundError,
    ReadOnlyStoreError,
    SnapshotChangedError,
    StoreError,
)
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import OpenUpload, Store, StoredFile, UploadPage, open_store
from tests.support.fault_proxy import (
    CannedResponse,
    ConnectionReset,
    DroppedHeader,
    ErrorResponse,
    FaultProxy,
    LostResponse,
)
from tests.support.key_store import KeyStore
from tests.support.s3_server import S3Bucket

MIB = 1 << 20
JOB = "2026112200000000000000abcdefa"


class WriteSuite:
    """What holds for every store that can be written to. A subclass gives ``store`` and ``root``, which ends in a slash."""

    store: Store
    root: str

    def stage(self, name: str, *parts: bytes, store: Store | None = None, job: str = JOB) -> tuple[str, str, list[str]]:
        """Path, upload id and etags of a file that is staged in these parts."""
        store = store or self.store
        path = self.root + name
        upload_id = store.start_upload(path, token=job, staging=f"{self.root}_staging/{job}")
        return path, upload_id, [store.upload_part(path, upload_id, n, part) for n, part in enumerate(parts, 1)]

    def complete(self, name: str, *parts: bytes) -> str:
        path, upload_id, etags = self.stage(name, *parts)
        assert self.store.complete_upload(path, upload_id, etags, size=sum(map(len, parts)))
        return path

    def visible(self) -> list[str]:
        """What a reader would take for data, and the protocol's own files."""
        files = self.store.list_page(self.root, recursive=True).files
        names = [file.path.removeprefix(self.root) for file in files]
        return [name for name in names if not name.startswith("_staging/")]

    def uploads(self) -> list[OpenUpload]:
        found: list[OpenUpload] = []
        token = None
        while True:
            page = self.store.list_uploads(self.root, token)
            assert isinstance(page, UploadPage)
            assert len(page.uploads) <= self.store.page_size
            found += page.uploads
            token = page.next_token
            if token is None:
                return found

    # --- small files ---

    def test_it_says_that_it_can_be_written_to(self):
        assert self.store.writable

    @pytest.mark.parametrize("data", [b"", b"x", b"\x00\xff\n" * 100_000])
    def test_put_and_get(self, data):
        path = self.root + "_commits/j.json"
        assert self.store.get(path) is None
        self.store.put(path, data)
        assert self.store.get(path) == data
        found = self.store.head(path)
        assert found is not None
        assert (found.size, found.token) == (len(data), "")
        self.store.put(path, b"other")
        assert self.store.get(path) == b"other"
        assert self.visible() == ["_commits/j.json"]

    def test_put_makes_another_version(self):
        path = self.root + "a"
        self.store.put(path, b"one")
        first = self.store.head(path)
        self.store.put(path, b"two")
        assert self.store.head(path).etag != first.etag

    def test_nothing_is_got_where_nothing_is(self):
        self.store.put(self.root + "a/b", b"x")
        assert self.store.get(self.root + "a/c") is None
        assert self.store.get(self.root + "c/d") is None

    def test_get_stops_at_a_limit(self):
        path = self.root + "_commits/j.json"
        self.store.put(path, b"x" * 100)
        assert self.store.get(path, max_bytes=100) == b"x" * 100
        with pytest.raises(CorruptFileError, match=rf"{path} is larger than 99 bytes"):
            self.store.get(path, max_bytes=99)
        assert self.store.get(self.root + "none", max_bytes=1) is None

    def test_files_of_a_root_are_inside(self):
        path, upload_id, _ = self.stage("dt=1/part-0.gz", b"x")
        assert self.store.is_inside(self.root, path)
        assert self.store.is_upload_inside(self.root, path, upload_id)

    @pytest.mark.parametrize("data", [b"", b'{"state":"committed"}'])
    def test_create(self, data):
        path = self.root + "_commits/j.json"
        assert self.store.create(path, data) is True
        assert self.store.create(path, b"other") is False
        assert self.store.create(path, data) is False
        assert self.store.get(path) == data
        assert self.visible() == ["_commits/j.json"]

    def test_create_after_remove(self):
        path = self.root + "a"
        assert self.store.create(path, b"1")
        assert self.store.remove(path)
        assert self.store.create(path, b"2")
        assert self.store.get(path) == b"2"

    def test_of_eight_who_create_one_wins(self):
        for number in range(5):
            path = f"{self.root}_commits/{number}.json"
            start = threading.Barrier(8)

            def create(writer: int, path=path, start=start) -> bool:
                start.wait()
                return self.store.create(path, f"writer {writer} ".encode() * 1000)

            with ThreadPoolExecutor(8) as pool:
                won = list(pool.map(create, range(8)))
            assert won.count(True) == 1
            assert self.store.get(path) == f"writer {won.index(True)} ".encode() * 1000
        assert len(self.visible()) == 5

    def test_whoever_looks_sees_a_whole_file_or_none(self):
        path = self.root + "_commits/j.json"
        done = threading.Event()
        seen = set()

        def look() -> None:
            while not done.is_set():
                seen.add(self.store.get(path))
                seen.update(self.store.get(file.path) for file in self.store.list_page(path, recursive=True).files)

        with ThreadPoolExecutor(1) as pool:
            looking = pool.submit(look)
            for data in (b"1" * MIB, b"2" * MIB):
                self.store.create(path, data)
                self.store.remove(path)
            done.set()
            looking.result()
        assert seen <= {None, b"1" * MIB, b"2" * MIB}

    def test_remove(self):
        path = self.root + "dt=1/a"
        self.store.put(path, b"x")
        assert self.store.remove(path) is True
        assert self.store.head(path) is None
        assert self.store.remove(path) is True
        assert self.store.remove(self.root + "none/none") is True

    def test_remove_of_one_version(self):
        path = self.root + "a"
        self.store.put(path, b"one")
        etag = self.store.head(path).etag
        self.store.put(path, b"two")
        assert self.store.remove(path, etag=etag) is False
        assert self.store.get(path) == b"two"
        assert self.store.remove(path, etag=self.store.head(path).etag) is True
        assert self.store.get(path) is None
        assert self.store.remove(path, etag=etag) is True

    def test_a_directory_is_no_file_to_remove(self):
        self.store.put(self.root + "a/b", b"x")
        assert self.store.remove(self.root + "a") is True
        assert self.store.get(self.root + "a/b") == b"x"

    def test_remove_all(self):
        names = ["a", "dt=1/b", "dt=1/c é+&%20<", "d"]
        for name in names:
            self.store.put(self.root + name, b"x")
        self.store.remove_all([self.root + name for name in [*names[:3], "none", "none/none", names[0]]])
        assert self.visible() == ["d"]
        before = sum(self.store.request_counts.values())
        self.store.remove_all([])
        assert sum(self.store.request_counts.values()) == before

    # --- uploads ---

    def test_what_is_staged_is_not_visible(self):
        path, upload_id, etags = self.stage("dt=1/part-0.gz", b"one ")
        assert self.visible() == []
        assert self.store.head(path) is None
        assert self.store.get(path) is None
        assert self.store.complete_upload(path, upload_id, etags, size=4) is True
        assert self.visible() == ["dt=1/part-0.gz"]
        assert self.store.get(path) == b"one "

    @pytest.mark.parametrize("rest", [(b"",), (b"x",), (b"a" * MIB,), (b"", b""), (b"1", b"2", b"3" * 100_000)])
    def test_parts_of_any_size(self, rest):
        parts = [bytes([65 + n]) * self.store.min_part_bytes for n in range(len(rest) - 1)] + [rest[-1]]
        path = self.complete("part-0.gz", *parts)
        assert self.store.get(path) == b"".join(parts)
        assert self.store.head(path).size == sum(map(len, parts))

    def test_more_than_one_part_has_the_smallest_size(self):
        part = b"p" * self.store.min_part_bytes
        path = self.complete("part-0.gz", part, part, b"end")
        assert self.store.get(path) == part + part + b"end"

    def test_the_token_is_in_the_head_or_nowhere(self):
        path = self.complete("part-0.gz", b"x")
        found = self.store.head(path)
        assert found.token == (JOB if type(self.store).__name__ == "S3Store" else "")
        (listed,) = (file for file in self.store.list_page(self.root + "part", recursive=True).files)
        assert listed == replace(found, token="")

    def test_complete_twice(self):
        path, upload_id, etags = self.stage("a/part-0.gz", b"one")
        assert self.store.complete_upload(path, upload_id, etags, size=3) is True
        assert self.store.complete_upload(path, upload_id, etags, size=3) is False
        assert self.store.get(path) == b"one"

    def test_of_many_who_complete_one_does(self):
        path, upload_id, etags = self.stage("a/part-0.gz", b"one")
        start = threading.Barrier(6)

        def complete(_: int) -> bool:
            start.wait()
            return self.store.complete_upload(path, upload_id, etags, size=3)

        with ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(complete, range(6))) == [False] * 5 + [True]
        assert self.store.get(path) == b"one"
        assert self.uploads() == []

    def test_complete_after_abort(self):
        path, upload_id, etags = self.stage("part-0.gz", b"one")
        self.store.abort_upload(path, upload_id)
        assert self.store.complete_upload(path, upload_id, etags, size=3) is False
        assert self.store.head(path) is None

    def test_abort_twice_and_after_complete(self):
        path, upload_id, etags = self.stage("part-0.gz", b"one")
        self.store.abort_upload(path, upload_id)
        self.store.abort_upload(path, upload_id)
        path, upload_id, etags = self.stage("part-1.gz", b"one")
        self.store.complete_upload(path, upload_id, etags, size=3)
        self.store.abort_upload(path, upload_id)
        assert self.store.get(path) == b"one"

    def test_no_part_after_the_end(self):
        path, upload_id, etags = self.stage("part-0.gz", b"one")
        self.store.complete_upload(path, upload_id, etags, size=3)
        with pytest.raises(PathNotFoundError, match=r"cannot upload to .*part-0\.gz.*recover"):
            self.store.upload_part(path, upload_id, 2, b"two")
        path, upload_id, _ = self.stage("part-1.gz", b"one")
        self.store.abort_upload(path, upload_id)
        with pytest.raises(PathNotFoundError):
            self.store.upload_part(path, upload_id, 2, b"two")
        assert self.visible() == ["part-0.gz"]

    def test_two_uploads_of_one_path(self):
        path, lost, _ = self.stage("part-0.gz", b"lost")
        _, upload_id, etags = self.stage("part-0.gz", b"kept")
        assert lost != upload_id
        assert self.store.complete_upload(path, upload_id, etags, size=4)
        self.store.abort_upload(path, lost)
        assert self.store.get(path) == b"kept"

    def test_parts_that_do_not_fit_are_refused(self):
        path, upload_id, etags = self.stage("part-0.gz", b"one")
        for wrong in ([], ["0" * 32]):
            with pytest.raises(StoreError, match=r"cannot complete the upload to .*part-0\.gz"):
                self.store.complete_upload(path, upload_id, wrong, size=3)
        assert self.store.head(path) is None
        assert self.store.complete_upload(path, upload_id, etags, size=3)

    def test_list_uploads(self):
        assert self.store.list_uploads(self.root) == UploadPage((), None)
        before = time.time() * 1000
        staged = [self.stage(f"dt={n % 2}/part-{n}.gz", b"x", job=f"job{n % 3}") for n in range(7)]
        self.store.put(self.root + "other", b"x")
        self.store.page_size = 3
        found = self.uploads()
        assert sorted((item.path, item.upload_id) for item in found) == sorted((path, id_) for path, id_, _ in staged)
        assert all(before - 2000 <= item.started_ms <= time.time() * 1000 + 2000 for item in found)
        assert len(self.store.list_uploads(self.root).uploads) == 3
        self.store.complete_upload(*staged[0], size=1)
        for path, upload_id, _ in staged[2:]:
            self.store.abort_upload(path, upload_id)
        assert [(item.path, item.upload_id) for item in self.uploads()] == [staged[1][:2]]

    def test_list_uploads_of_another_root_are_not_seen(self):
        self.stage("part-0.gz", b"x")
        assert self.store.list_uploads(self.root.rstrip("/") + "2/").uploads == ()

    def test_what_is_staged_here_is_completed_elsewhere(self):
        travelled: Store = pickle.loads(pickle.dumps(self.store))
        path, upload_id, etags = self.stage("part-0.gz", b"one", store=travelled)
        other = open_store(self.root, self.store.options)
        assert [item.upload_id for item in other.list_uploads(self.root).uploads] == [upload_id]
        assert other.complete_upload(path, upload_id, etags, size=3)
        assert self.store.get(path) == b"one"

    def test_many_uploads_at_once(self):
        def write(number: int) -> str:
            path, upload_id, etags = self.stage(f"dt={number % 5}/part-{number}.gz", b"%d" % number)
            if number % 3:
                assert self.store.complete_upload(path, upload_id, etags, size=len(b"%d" % number))
            else:
                self.store.abort_upload(path, upload_id)
            return f"dt={number % 5}/part-{number}.gz"

        with ThreadPoolExecutor(8) as pool:
            names = list(pool.map(write, range(60)))
        assert self.visible() == sorted(name for number, name in enumerate(names) if number % 3)
        assert self.uploads() == []

    def test_requests_are_counted(self):
        store = self.store
        path, upload_id, etags = self.stage("part-0.gz", b"one")
        store.complete_upload(path, upload_id, etags, size=3)
        store.abort_upload(path, upload_id)
        store.list_uploads(self.root)
        store.put(self.root + "a", b"x")
        store.create(self.root + "b", b"x")
        store.get(self.root + "a")
        store.remove(self.root + "a")
        store.remove_all([self.root + "a", self.root + "b"])
        assert dict(store.request_counts) == {
            "CREATE": 1, "PART": 1, "COMPLETE": 1, "ABORT": 1, "UPLOADS": 1, "PUT": 2, "GET": 1, "DELETE": 2
        }  # fmt: skip

    def test_a_completed_file_takes_the_place_of_what_was_there(self):
        self.complete("part-0.gz", b"one")
        self.complete("part-0.gz", b"other")
        assert self.store.get(self.root + "part-0.gz") == b"other"
        assert self.visible() == ["part-0.gz"]


class TestLocal(WriteSuite):
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path):
        self.base = tmp_path / "table"
        self.root = f"{self.base}/"
        self.store = open_store(self.root, StoreOptions())

    def names(self, directory: str = "") -> list[str]:
        return sorted(entry.name for entry in (self.base / directory).iterdir())

    def test_nothing_is_left_of_staging(self):
        self.complete("dt=1/hr=2/part-0.gz", b"x")
        path, upload_id, _ = self.stage("dt=1/part-1.gz", b"x")
        other = self.stage("part-2.gz", b"x", job="other")
        self.store.abort_upload(path, upload_id)
        assert self.names("_staging") == ["other"]
        self.store.abort_upload(*other[:2])
        assert self.names() == ["dt=1"]
        assert self.names("dt=1") == ["hr=2"]

    @pytest.mark.parametrize(
        "upload_id",
        [
            "{outside}/victim.log",
            "{outside}/../outside/victim.log",
            "{root}_staging/j/r/../../../../outside/victim.log",
            "{root}_staging/j/link/victim.log",
            "{root}_staging/j/file/victim.log",
            "{root}_staging/j/victim.log",
            "{root}_staging/j/r/other.log",
            "{root}j/r/victim.log",
            "{outside}/_staging/j/r/victim.log",
            "",
            "nul\0",
        ],
    )
    def test_only_staged_files_are_uploads(self, tmp_path: Path, upload_id: str):
        outside = tmp_path / "outside"
        for name in ("victim.log", "_staging/j/r/victim.log"):
            (outside / name).parent.mkdir(parents=True, exist_ok=True)
            (outside / name).write_bytes(b"x")
        staging = self.base / "_staging" / "j"
        (staging / "file").mkdir(parents=True)
        (staging / "link").symlink_to(outside)
        (staging / "file" / "victim.log").symlink_to(outside / "victim.log")
        upload_id = upload_id.format(outside=outside, root=self.root)
        path = self.root + "victim.log"
        assert not self.store.is_upload_inside(self.root, path, upload_id)
        with pytest.raises(StoreError, match="is not the staged file of"):
            self.store.complete_upload(path, upload_id, ["1-1"], size=1)
        with pytest.raises(StoreError, match="is not the staged file of"):
            self.store.abort_upload(path, upload_id)
        assert not Path(path).exists()
        assert (outside / "victim.log").read_bytes() == (outside / "_staging/j/r/victim.log").read_bytes() == b"x"
        assert (staging / "file" / "victim.log").is_symlink()

    def test_open_uploads_are_not_behind_links(self, tmp_path: Path):
        outside = tmp_path / "outside"
        (outside / "r").mkdir(parents=True)
        (outside / "r" / "part-0.gz").write_bytes(b"x")
        staging = self.base / "_staging"
        (staging / "j").mkdir(parents=True)
        (staging / "j" / "r").symlink_to(outside / "r")
        (staging / "k").symlink_to(outside)
        assert self.uploads() == []
        (staging / "j" / "r").unlink()
        (staging / "j").rmdir()
        (staging / "k").unlink()
        staging.rmdir()
        staging.symlink_to(outside.parent)
        assert self.uploads() == []
        with pytest.raises(StoreError, match="is a symbolic link"):
            self.stage("part-1.gz", b"x")

    def test_nothing_is_staged_for_a_directory_behind_a_link(self, tmp_path: Path):
        self.base.mkdir()
        (tmp_path / "outside").mkdir()
        (self.base / "dt=1").symlink_to(tmp_path / "outside")
        path = self.root + "dt=1/part-0.gz"
        assert not self.store.is_inside(self.root, path)
        with pytest.raises(
            StoreError, match=r"cannot write .*dt=1/part-0.gz: a directory between .* is a symbolic link"
        ):
            self.stage("dt=1/part-0.gz", b"x")
        assert self.names() == ["dt=1"]

    def test_a_root_behind_a_link_is_as_good_as_another(self, tmp_path: Path):
        (tmp_path / "real").mkdir()
        self.base.symlink_to(tmp_path / "real")
        path = self.complete("dt=1/part-0.gz", b"x")
        assert self.store.is_inside(self.root, path)
        self.store.abort_upload(*self.stage("part-1.gz", b"x")[:2])
        assert self.names() == ["dt=1"]

    @pytest.mark.parametrize("key", ["../x", "a/../../x", "a//x", "/x", "./x", "", "a/", "a\0b"])
    def test_other_spellings_of_paths_are_not_inside(self, key: str):
        assert not self.store.is_inside(self.root, self.root + key)

    def test_nothing_is_left_of_temporary_files(self, monkeypatch):
        self.store.create(self.root + "a", b"x")
        self.store.create(self.root + "a", b"y")
        self.store.put(self.root + "a", b"z")

        def fail(_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        for write in (self.store.create, self.store.put):
            with pytest.raises(StoreError, match=r"No space left on device.*free some"):
                write(self.root + "b", b"x")
        assert self.names() == ["a"]

    def test_all_of_it_is_on_the_disk_before_it_is_visible(self, monkeypatch):
        synced = []
        fsync = os.fsync

        def record(descriptor: int) -> None:
            synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
            fsync(descriptor)

        if not Path("/proc/self/fd").exists():
            pytest.skip("needs /proc")
        monkeypatch.setattr(os, "fsync", record)
        for write in (self.store.put, self.store.create):
            write(f"{self.root}{write.__name__}", b"x")
            assert synced[0].startswith(f"{self.root}.tmp-")
            assert synced[1:] == [str(self.base)]
            synced.clear()
        path, upload_id, etags = self.stage("dt=1/part-0.gz", b"x")
        self.store.complete_upload(path, upload_id, etags, size=1)
        assert synced == [upload_id, str(self.base / "dt=1")]

    def test_short_writes_go_on(self, monkeypatch):
        import io

        class Drip(io.FileIO):
            def write(self, data: memoryview) -> int:
                return super().write(data[:7])

        monkeypatch.setattr(Path, "open", lambda path, mode="r", buffering=-1: Drip(path, mode.replace("b", "")))
        self.store.put(self.root + "a", b"0123456789" * 10)
        self.complete("b", b"one" * 10, b"two" * 10)
        monkeypatch.undo()
        assert self.store.get(self.root + "a") == b"0123456789" * 10
        assert self.store.get(self.root + "b") == b"one" * 10 + b"two" * 10

    def test_a_part_is_there_or_not(self, monkeypatch):
        path, upload_id, etags = self.stage("part-0.gz", b"one")

        def half(file, data: bytes) -> None:
            file.write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("pyspark_logs.store.local.write_all", half)
        with pytest.raises(StoreError, match="There is no space left"):
            self.store.upload_part(path, upload_id, 2, b"second")
        monkeypatch.undo()
        etags.append(self.store.upload_part(path, upload_id, 2, b"second"))
        assert self.store.complete_upload(path, upload_id, etags, size=9)
        assert self.store.get(path) == b"onesecond"

    def test_a_part_that_came_twice_is_noticed(self):
        path, upload_id, etags = self.stage("part-0.gz", b"one", b"two", b"two")
        with pytest.raises(StoreError, match="2 parts of 6 bytes were expected, 9 bytes are staged"):
            self.store.complete_upload(path, upload_id, etags[:2], size=6)

    @pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
    def test_a_file_system_without_links(self, monkeypatch, code):
        def refuse(*_: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "link", refuse)
        with pytest.raises(ReadOnlyStoreError, match=r"cannot create .*a: its file system has no hard links"):
            self.store.create(self.root + "a", b"x")
        assert self.names() == []

    def test_other_failures_of_links(self, monkeypatch):
        def refuse(*_: object) -> None:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "link", refuse)
        with pytest.raises(StoreError, match=r"cannot create .*Input/output error"):
            self.store.create(self.root + "a", b"x")

    def test_a_file_where_a_directory_is_needed(self):
        self.store.put(self.root + "a", b"x")
        for write in (self.store.put, self.store.create):
            with pytest.raises(StoreError, match=r"a/b"):
                write(self.root + "a/b", b"x")
        path, upload_id, etags = self.stage("a/part-0.gz", b"x")
        with pytest.raises(StoreError, match="There is a file where a directory is needed"):
            self.store.complete_upload(path, upload_id, etags, size=1)
        (self.base / "directory").mkdir()
        with pytest.raises(StoreError, match="There is a file where a directory is needed, or the reverse"):
            self.store.put(self.root + "directory", b"x")
        assert self.store.create(self.root + "directory", b"x") is False

    @pytest.mark.parametrize("name", ["x" * 300, "dt=" + "y" * 300 + "/a"])
    def test_names_that_are_too_long(self, name):
        path = self.root + name
        for write in (self.store.put, self.store.create):
            with pytest.raises(StoreError, match=r"ENAMETOOLONG.*shorten"):
                write(path, b"x")
        with pytest.raises(StoreError, match=r"ENAMETOOLONG.*shorten"):
            self.stage(name, b"x")
        assert self.visible() == []

    def test_the_longest_name_there_is(self):
        self.complete("x" * 255, b"x")
        assert self.store.create(self.root + "y" * 255, b"x")
        self.store.put(self.root + "z" * 255, b"x")

    @pytest.mark.parametrize("method", ["put", "create", "stage", "remove", "complete", "abort"])
    def test_where_writing_is_not_allowed(self, monkeypatch, method):
        self.store.put(self.root + "there", b"x")
        path, upload_id, etags = self.stage("part-0.gz", b"x")

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        for name in ("mkdir", "unlink", "replace"):
            monkeypatch.setattr(Path, name, refuse)
        calls = {
            "put": lambda: self.store.put(self.root + "a/b", b"x"),
            "create": lambda: self.store.create(self.root + "a/b", b"x"),
            "stage": lambda: self.stage("part-1.gz"),
            "remove": lambda: self.store.remove(self.root + "there"),
            "complete": lambda: self.store.complete_upload(path, upload_id, etags, size=1),
            "abort": lambda: self.store.abort_upload(path, upload_id),
        }
        with pytest.raises(AccessDeniedError, match=r"Permission denied.*allow writing to the directory"):
            calls[method]()

    def test_a_read_only_file_system(self, monkeypatch):
        def refuse(*_: object, **__: object) -> None:
            raise OSError(errno.EROFS, "Read-only file system")

        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(ReadOnlyStoreError, match="mounted read-only: choose another path"):
            self.store.put(self.root + "a", b"x")

    def test_directories_that_vanish_are_made_again(self, monkeypatch):
        touch, fails = Path.touch, [3]

        def vanish(path: Path, *args: object, **kwargs: object) -> None:
            if fails[0]:
                fails[0] -= 1
                path.parent.rmdir()
            touch(path, *args, **kwargs)

        monkeypatch.setattr(Path, "touch", vanish)
        self.complete("part-0.gz", b"x")
        fails[0] = 1000
        with pytest.raises(PathNotFoundError, match="cannot start an upload"):
            self.stage("part-1.gz", b"x")

    def test_staging_is_below_the_root(self):
        for path, staging in ((self.root + "a", "/tmp/x"), ("/elsewhere/a", f"{self.root}_staging/{JOB}")):
            with pytest.raises(ValueError, match="_staging/<job>"):
                self.store.start_upload(path, token=JOB, staging=staging)

    def test_what_else_lies_in_staging_is_no_upload(self):
        path, upload_id, _ = self.stage("dt=1/part-0.gz", b"x")
        for name in ("_staging/a", "_staging/job/b"):
            self.store.put(self.root + name, b"x")
        assert [(item.path, item.upload_id) for item in self.uploads()] == [(path, upload_id)]

    def test_the_target_directory_goes_away_during_completion(self, monkeypatch):
        path, upload_id, etags = self.stage("dt=1/part-0.gz", b"x")
        mkdir = Path.mkdir

        def and_away(directory: Path, *args: object, **kwargs: object) -> None:
            mkdir(directory, *args, **kwargs)
            directory.rmdir()

        monkeypatch.setattr(Path, "mkdir", and_away)
        with pytest.raises(PathNotFoundError, match="nothing removes the directory"):
            self.store.complete_upload(path, upload_id, etags, size=1)
        monkeypatch.undo()
        assert self.store.complete_upload(path, upload_id, etags, size=1)

    def test_aborted_during_completion(self, monkeypatch):
        path, upload_id, etags = self.stage("part-0.gz", b"x")
        fsync = os.fsync

        def and_away(descriptor: int) -> None:
            fsync(descriptor)
            Path(upload_id).unlink()

        monkeypatch.setattr(os, "fsync", and_away)
        assert self.store.complete_upload(path, upload_id, etags, size=1) is False
        assert self.store.head(path) is None

    def test_file_urls(self):
        url = f"file://{self.root}"
        store = open_store(url, StoreOptions())
        upload_id = store.start_upload(url + "a", token=JOB, staging=f"{url}_staging/{JOB}")
        etag = store.upload_part(url + "a", upload_id, 1, b"x")
        assert [item.path for item in store.list_uploads(url).uploads] == [self.root + "a"]
        assert store.complete_upload(url + "a", upload_id, [etag], size=1)
        assert store.create(url + "b", b"x")
        store.put(url + "c", b"x")
        store.remove_all([url + "c"])
        assert store.remove(url + "b")
        assert store.get(url + "a") == b"x"

    def test_another_process_completes(self):
        path, upload_id, etags = self.stage("part-0.gz", b"one")
        in_another_process(self.store, path, upload_id, etags, size=3)
        assert self.store.get(path) == b"one"


_roots = itertools.count()


class TestMemory(WriteSuite):
    @pytest.fixture(autouse=True)
    def prepare(self):
        self.root = f"memory://writes{next(_roots)}/"
        self.store = open_store(self.root, StoreOptions())

    def test_a_part_again_takes_the_place_of_the_first(self):
        path, upload_id, etags = self.stage("a", b"one", b"two")
        etags[1] = self.store.upload_part(path, upload_id, 2, b"other")
        with pytest.raises(StoreError, match=r"2 parts of 6 bytes were expected, 2 of 8 bytes are staged"):
            self.store.complete_upload(path, upload_id, etags, size=6)
        assert self.store.complete_upload(path, upload_id, etags, size=8)

    def test_a_file_where_a_directory_is_needed(self):
        self.store.put(self.root + "a", b"x")
        with pytest.raises(StoreError, match="There is a file where a directory is needed"):
            self.store.put(self.root + "a/b", b"x")
        assert self.store.create(self.root.rstrip("/"), b"x") is False

    def test_other_libraries_see_it(self):
        from fsspec.implementations.memory import MemoryFileSystem

        self.complete("dt=1/a", b"x")
        assert MemoryFileSystem().cat_file(self.root + "dt=1/a") == b"x"
        assert MemoryFileSystem().find(self.root) == [f"/{self.root.split('://')[1]}dt=1/a"]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_forked_child_is_not_left_with_a_taken_lock(self):
        # By a Python of its own: what measures the coverage here has a lock as well, and leaves it to the child.
        code = """
import os, threading, warnings
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import open_store

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12+ on forks beside threads; Spark does that
store, done = open_store("memory://x/", StoreOptions()), threading.Event()
store.put("memory://x/a", b"x")  # what is to be imported is, before there are threads

def write():
    while not done.is_set():
        store.put("memory://x/a", b"x" * 1000)

writer = threading.Thread(target=write)
writer.start()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        os._exit(7 if store.create("memory://x/b", b"x") else 8)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
done.set()
writer.join()
assert store.get("memory://x/b") is None
print("fine")
"""
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert (ran.stdout, ran.stderr) == ("fine\n", "")


def in_another_process(store: Store, path: str, upload_id: str, etags: list[str], size: int) -> None:
    """Complete an upload by a Python that knows no more of it than this."""
    code = (
        "import json, pickle, sys; path, upload_id, etags, size = json.loads(sys.argv[1]);"
        "store = pickle.load(sys.stdin.buffer);"
        "assert store.complete_upload(path, upload_id, etags, size=size)"
    )
    arguments = json.dumps([path, upload_id, etags, size])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        [sys.executable, "-c", code, arguments], input=pickle.dumps(store), check=True, env=environment, timeout=60
    )


class TestS3(WriteSuite):
    @pytest.fixture(autouse=True)
    def prepare(self, s3: S3Bucket):
        self.s3 = s3
        self.root = f"{s3.url}/app/"
        self.store = open_store(self.root, s3.options)

    def test_what_s3_has_more(self):
        assert self.store.lists_in_order
        assert self.store.min_part_bytes == 5 * MIB

    def test_another_process_completes(self):
        path, upload_id, etags = self.stage("part-0.gz", b"one")
        in_another_process(self.store, path, upload_id, etags, size=3)
        assert self.store.head(path).token == JOB

    def test_parts_that_are_too_small(self):
        path, upload_id, etags = self.stage("part-0.gz", b"one", b"two")
        with pytest.raises(StoreError, match=r"EntityTooSmall.*partSize"):
            self.store.complete_upload(path, upload_id, etags, size=6)

    def test_the_scheme_stays_as_given(self):
        store = open_store("s3a://x/", self.s3.options)
        root = self.root.replace("s3://", "s3a://")
        upload_id = store.start_upload(root + "a", token=JOB, staging="")
        (found,) = store.list_uploads(root).uploads
        assert (found.path, found.upload_id) == (root + "a", upload_id)

    def test_a_thousand_at_once(self, monkeypatch):
        monkeypatch.setattr("pyspark_logs.store.s3._MAX_DELETE_KEYS", 2)
        for name in "abcde":
            self.store.put(self.root + name, b"x")
        other = replace(self.s3, bucket=self.s3.bucket + "-2")
        other.create()
        other.put("a", b"x")
        self.store.remove_all([self.root + name for name in "abcd"] + [f"{other.url}/a"])
        assert self.store.request_counts["DELETE"] == 3
        assert self.visible() == ["e"]
        assert self.store.head(f"{other.url}/a") is None

    def test_a_missing_bucket(self):
        for call in (
            lambda: self.store.put("s3://no-such-bucket/a", b"x"),
            lambda: self.store.create("s3://no-such-bucket/a", b"x"),
            lambda: self.store.start_upload("s3://no-such-bucket/a", token=JOB, staging=""),
            lambda: self.store.list_uploads("s3://no-such-bucket/"),
        ):
            with pytest.raises(PathNotFoundError, match=r"NoSuchBucket.*Check the bucket's name"):
                call()

    def test_a_botocore_that_knows_no_conditions(self, monkeypatch):
        self.store.put(self.root + "a", b"x")
        etag = self.store.head(self.root + "a").etag
        monkeypatch.setattr(type(self.store), "_supports_parameter", lambda *_: False)
        with pytest.raises(ReadOnlyStoreError, match=r"pip install --upgrade"):
            self.store.create(self.root + "b", b"x")
        monkeypatch.setattr(type(self.store), "_is_aws", lambda _: True)
        assert self.store.remove(self.root + "a", etag="other") is False
        assert self.store.remove(self.root + "a", etag=etag) is True

    @pytest.mark.parametrize(
        ("endpoint", "is_aws"),
        [
            (None, True),
            ("https://vpce-1.s3.eu-west-1.vpce.amazonaws.com", True),
            ("https://minio.amazonaws.com.x", False),
        ],
    )
    def test_who_is_aws(self, endpoint, is_aws):
        store = open_store("s3://b/", replace(self.s3.options, endpoint=endpoint))
        assert store._is_aws() is is_aws
        assert store._supports_parameter("PutObject", "IfNoneMatch")

    def test_aws_deletes_a_version_by_one_request(self, monkeypatch):
        monkeypatch.setattr(type(self.store), "_is_aws", lambda _: True)
        self.test_remove_of_one_version()
        assert self.store.request_counts["HEAD"] == 2  # the test's own
        assert self.store.request_counts["DELETE"] == 3


@pytest.fixture
def faulty(s3: S3Bucket) -> Iterator[FaultProxy]:
    server = FaultProxy(s3.endpoint)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def no_backoff(monkeypatch):
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    monkeypatch.setattr("pyspark_logs.store.circuit_breaker.FIRST_PAUSE_S", 0.001)


@pytest.mark.usefixtures("no_backoff")
class TestFaults:
    """A network and servers that fail; each request has three tries."""

    @pytest.fixture(autouse=True)
    def prepare(self, s3: S3Bucket, faulty: FaultProxy):
        self.s3, self.faulty = s3, faulty
        self.root = f"{s3.url}/app/"
        self.store = open_store(self.root, replace(s3.options, endpoint=faulty.endpoint))
        self.direct = open_store(self.root, s3.options)

    def stage(self, name: str = "part-0.gz", data: bytes = b"one") -> tuple[str, str, list[str]]:
        path = self.root + name
        upload_id = self.direct.start_upload(path, token=JOB, staging="")
        return path, upload_id, [self.direct.upload_part(path, upload_id, 1, data)]

    @pytest.mark.parametrize(
        "fault", [ErrorResponse(503, "SlowDown"), ErrorResponse(500, "InternalError"), ConnectionReset()]
    )
    def test_what_passes_is_tried_again(self, fault):
        store, path = self.store, self.root + "a"
        self.faulty.inject(fault, fault)
        assert store.create(path, b"x") is True
        assert self.faulty.count("PUT") == 3
        self.faulty.inject(fault, fault)
        store.put(path, b"y")
        self.faulty.inject(fault, fault)
        assert store.get(path) == b"y"
        self.faulty.inject(fault, fault)
        upload_id = store.start_upload(path, token=JOB, staging="")
        self.faulty.inject(fault, fault)
        etag = store.upload_part(path, upload_id, 1, b"z" * MIB)
        self.faulty.inject(fault, fault)
        assert [item.upload_id for item in store.list_uploads(self.root).uploads] == [upload_id]
        self.faulty.inject(fault, fault)
        assert store.complete_upload(path, upload_id, [etag], size=MIB) is True
        assert self.faulty.count("POST") == 3
        self.faulty.inject(fault, fault)
        store.abort_upload(path, upload_id)
        self.faulty.inject(None, fault, fault)
        assert store.remove(path, etag=store.head(path).etag)
        self.faulty.inject(fault, fault)
        store.remove_all([path])

    @pytest.mark.parametrize("code", ["BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"])
    def test_bytes_that_are_damaged_on_the_way_are_sent_again(self, code):
        self.faulty.inject(ErrorResponse(400, code), ErrorResponse(400, code))
        self.store.put(self.root + "a", b"x")
        self.faulty.inject(then=ErrorResponse(400, code))
        with pytest.raises(StoreError, match=f"{code}.*changed in transit"):
            self.store.put(self.root + "b", b"x")
        assert self.faulty.count("PUT") == 3

    @pytest.mark.parametrize("fault", [ErrorResponse(503, "SlowDown"), ConnectionReset()])
    def test_what_stays_is_an_error(self, fault):
        self.faulty.inject(then=fault)
        with pytest.raises(StoreError, match=r"cannot create .*app/a \(endpoint") as caught:
            self.store.create(self.root + "a", b"x")
        assert not isinstance(caught.value, CircuitOpenError)
        with pytest.raises(CircuitOpenError, match="gave up trying to start an upload"):
            self.store.start_upload(self.root + "a", token=JOB, staging="")
        self.faulty.inject()
        with pytest.raises(CircuitOpenError):
            self.store.remove(self.root + "a")
        assert self.faulty.requests == []

    # --- answers that get lost after the request was applied ---

    def test_a_lost_answer_to_create_is_a_no_to_be_read_back(self):
        self.faulty.inject(LostResponse())
        assert self.store.create(self.root + "a", b"mine") is False
        assert self.faulty.count("PUT") == 2
        assert self.store.get(self.root + "a") == b"mine"

    def test_all_answers_to_create_get_lost(self):
        self.faulty.inject(then=LostResponse())
        with pytest.raises(StoreError, match="cannot create"):
            self.store.create(self.root + "a", b"mine")
        assert self.direct.get(self.root + "a") == b"mine"

    def test_a_lost_answer_to_complete_is_a_no_to_look_after(self):
        path, upload_id, etags = self.stage()
        self.faulty.inject(LostResponse())
        assert self.store.complete_upload(path, upload_id, etags, size=3) is False
        found = self.store.head(path)
        assert (found.token, found.size) == (JOB, 3)

    def test_a_lost_answer_to_start_leaves_an_upload_that_can_be_found(self):
        self.faulty.inject(LostResponse())
        upload_id = self.store.start_upload(self.root + "a", token=JOB, staging="")
        found = [item.upload_id for item in self.store.list_uploads(self.root).uploads]
        assert len(found) == 2
        assert upload_id in found

    def test_other_lost_answers_do_not_matter(self):
        path, upload_id, etags = self.stage()
        self.faulty.inject(LostResponse())
        assert self.store.upload_part(path, upload_id, 1, b"one") == etags[0]
        self.faulty.inject(LostResponse())
        self.store.abort_upload(path, upload_id)
        assert self.store.list_uploads(self.root).uploads == ()
        self.faulty.inject(LostResponse())
        self.store.put(path, b"two")
        etag = self.store.head(path).etag
        self.faulty.inject(None, LostResponse())
        assert self.store.remove(path, etag=etag) is True
        self.store.put(path, b"three")
        self.faulty.inject(LostResponse())
        self.store.remove_all([path])
        assert self.store.head(path) is None

    # --- answers of servers ---

    def test_a_conflict_is_tried_again(self):
        conflict = ErrorResponse(409, "ConditionalRequestConflict")
        self.faulty.inject(conflict, conflict)
        assert self.store.create(self.root + "a", b"x") is True
        self.faulty.inject(then=conflict)
        with pytest.raises(StoreError, match=r"ConditionalRequestConflict.*try again"):
            self.store.create(self.root + "b", b"x")
        assert self.faulty.count("PUT") == 3
        for _ in range(5):  # an answer is no failure: the circuit stays closed
            with pytest.raises(StoreError, match="ConditionalRequestConflict"):
                self.store.create(self.root + "b", b"x")

    def test_an_error_in_an_answer_of_200_is_an_error(self):
        path, upload_id, etags = self.stage()
        self.faulty.inject(ErrorResponse(200, "InternalError"))
        assert self.store.complete_upload(path, upload_id, etags, size=3) is True
        path, upload_id, etags = self.stage("part-1.gz")
        self.faulty.inject(then=ErrorResponse(200, "InternalError"))
        with pytest.raises(StoreError, match=r"cannot complete .*InternalError"):
            self.store.complete_upload(path, upload_id, etags, size=3)
        assert self.direct.head(path) is None

    @pytest.mark.parametrize("fault", [ErrorResponse(501, "NotImplemented"), ErrorResponse(405, "MethodNotAllowed")])
    def test_a_server_without_what_a_commit_needs(self, fault):
        self.faulty.inject(then=fault)
        for call in (
            lambda: self.store.create(self.root + "a", b"x"),
            lambda: self.store.start_upload(self.root + "a", token=JOB, staging=""),
        ):
            with pytest.raises(ReadOnlyStoreError, match="If-None-Match"):
                call()

    def test_access_denied(self):
        path, upload_id, etags = self.stage()
        for call in (
            lambda: self.store.create(path, b"x"),
            lambda: self.store.put(path, b"x"),
            lambda: self.store.remove(path),
            lambda: self.store.remove_all([path]),
            lambda: self.store.start_upload(path, token=JOB, staging=""),
            lambda: self.store.upload_part(path, upload_id, 1, b"x"),
            lambda: self.store.complete_upload(path, upload_id, etags, size=1),
            lambda: self.store.abort_upload(path, upload_id),
            lambda: self.store.list_uploads(self.root),
        ):
            self.faulty.inject(then=ErrorResponse(403, "AccessDenied"))
            with pytest.raises(AccessDeniedError, match="Allow s3:PutObject"):
                call()
            assert len(self.faulty.requests) == 1

    def test_a_name_that_is_too_long(self):
        self.faulty.inject(then=ErrorResponse(400, "KeyTooLongError"))
        with pytest.raises(StoreError, match=r"1,024 bytes a key"):
            self.store.put(self.root + "x" * 2000, b"")

    def test_a_server_that_ignores_the_condition_of_a_delete(self):
        path = self.root + "a"
        self.store.put(path, b"one")
        etag = self.store.head(path).etag
        self.store.put(path, b"two")
        self.faulty.inject(then=DroppedHeader(name="If-Match"))
        assert self.store.remove(path, etag=etag) is False
        assert self.store.get(path) == b"two"

    def test_a_server_that_refuses_the_condition_of_a_delete(self):
        path = self.root + "a"
        self.store.put(path, b"one")
        etag = self.store.head(path).etag
        self.faulty.inject(None, ErrorResponse(501, "NotImplemented"))
        assert self.store.remove(path, etag=etag) is True
        assert self.direct.head(path) is None
        assert [method for method, _, _ in self.faulty.requests] == ["HEAD", "DELETE", "DELETE"]
        self.store.put(path, b"one")
        self.faulty.inject(None, ErrorResponse(403, "AccessDenied"))
        with pytest.raises(AccessDeniedError):
            self.store.remove(path, etag=etag)

    def test_another_version_came_between_the_look_and_the_delete(self):
        path = self.root + "a"
        self.store.put(path, b"one")
        etag = self.store.head(path).etag
        self.faulty.inject(None, ErrorResponse(412, "PreconditionFailed"))
        assert self.store.remove(path, etag=etag) is False
        self.faulty.inject(None, ErrorResponse(404, "NoSuchKey"))
        assert self.store.remove(path, etag=etag) is True

    def test_a_missing_file_is_deleted_on_servers_that_mind(self):
        self.faulty.inject(ErrorResponse(404, "NoSuchKey"))
        assert self.store.remove(self.root + "a") is True

    _REFUSED: ClassVar[str] = "<Error><Key>app/{}</Key><Code>{}</Code><Message>why</Message></Error>"

    def refusal(self, **codes: str) -> CannedResponse:
        errors = "".join(self._REFUSED.format(name, code) for name, code in codes.items())
        return CannedResponse(f'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{errors}</DeleteResult>')

    def test_some_of_many_are_not_deleted(self):
        paths = [self.store.put(self.root + name, b"x") or self.root + name for name in "abc"]
        busy = self.refusal(b="SlowDown", c="InternalError", a="NoSuchKey")
        self.faulty.inject(busy, busy)
        self.store.remove_all(paths)
        assert self.faulty.count("POST") == 3
        assert [file.path for file in self.direct.list_page(self.root, recursive=True).files] == paths[:1]
        self.faulty.inject(then=busy)
        with pytest.raises(StoreError, match="SlowDown: why"):
            self.store.remove_all(paths)
        assert self.faulty.count("POST") == 3
        self.faulty.inject(then=self.refusal(a="SlowDown", b="AccessDenied"))
        with pytest.raises(AccessDeniedError, match="s3:DeleteObject"):
            self.store.remove_all(paths)
        assert self.faulty.count("POST") == 1

    @pytest.mark.parametrize("fault", [ErrorResponse(501, "NotImplemented"), ErrorResponse(400, "MissingContentMD5")])
    def test_a_server_that_deletes_one_by_one(self, fault):
        paths = [self.store.put(self.root + name, b"x") or self.root + name for name in "abc"]
        self.faulty.inject(fault)
        self.store.remove_all(paths)
        assert self.faulty.count("DELETE") == 3
        assert self.direct.list_page(self.root, recursive=True).files == ()

    def test_a_server_that_does_not_say_where_the_next_page_begins(self):
        body = "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>"
        self.faulty.inject(CannedResponse(body))
        with pytest.raises(StoreError, match="further pages but no continuation token"):
            self.store.list_uploads(self.root)

    def test_a_file_that_changes_while_it_is_got(self):
        from tests.support.fault_proxy import TruncatedBody

        path = self.root + "a"
        self.store.put(path, b"1" * MIB)
        self.faulty.inject(TruncatedBody(1000), ErrorResponse(412, "PreconditionFailed"))
        with pytest.raises(SnapshotChangedError):
            self.store.get(path)

    def test_secrets_are_masked(self):
        secret = self.s3.options.secret_key
        calls = [
            lambda: self.store.put(self.root + "a", b"x"),
            lambda: self.store.create(self.root + "a", b"x"),
            lambda: self.store.remove_all([self.root + "a"]),
            lambda: self.store.list_uploads(self.root),
        ]
        for call in calls:
            self.faulty.inject(then=ErrorResponse(403, "AccessDenied", f"the secret is {secret}"))
            with pytest.raises(AccessDeniedError, match=r"the secret is \*\*\*") as caught:
                call()
            assert secret not in repr(caught.value) + str(caught.value.__cause__)
        assert secret not in repr(self.store)

    def test_errors_travel(self):
        self.faulty.inject(then=ErrorResponse(501, "NotImplemented"))
        with pytest.raises(ReadOnlyStoreError) as caught:
            self.store.create(self.root + "a", b"x")
        copy = pickle.loads(pickle.dumps(caught.value))
        assert (type(copy), str(copy)) == (ReadOnlyStoreError, str(caught.value))


class TestReadOnly:
    """Stores that cannot be written to say so, and make no request."""

    @pytest.fixture(autouse=True)
    def prepare(self):
        self.path = "s3://b/app/a"
        self.store = KeyStore([StoredFile(self.path, 1, 0, "e")])

    def test_every_writing_method_refuses(self):
        store, path = self.store, self.path
        assert not store.writable
        for call in (
            lambda: store.put(path, b"x"),
            lambda: store.create(path, b"x"),
            lambda: store.remove(path),
            lambda: store.remove(path, etag="e"),
            lambda: store.remove_all([path]),
            lambda: store.start_upload(path, token=JOB, staging=""),
            lambda: store.upload_part(path, "id", 1, b""),
            lambda: store.complete_upload(path, "id", ["e"], size=0),
            lambda: store.abort_upload(path, "id"),
            lambda: store.list_uploads("s3://b/app/"),
        ):
            with pytest.raises(ReadOnlyStoreError, match=r"s3://b/app/.*read-only here.*memory://"):
                call()
        store.remove_all([])
        assert sum(store.request_counts.values()) == 0

    def test_other_file_systems_can_be_read_and_not_written(self):
        from tests.unit.store.test_store import TestOtherFileSystems

        suite = TestOtherFileSystems()
        TestOtherFileSystems.prepare.__wrapped__(suite)
        path = suite.put("a", b"x")
        assert suite.store.get(path) == b"x"
        assert suite.store.get(path + "b") is None
        with pytest.raises(ReadOnlyStoreError, match="logstest:// is read-only here"):
            suite.store.create(path, b"x")
