"""Local files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pyspark_logs.errors import (
    AccessDeniedError,
    PathNotFoundError,
    ReadOnlyStoreError,
    SnapshotChangedError,
    StoreError,
    TruncatedBodyError,
)
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import open_store
from tests.support.trials import tries
from tests.unit.store.read_suite import ReadSuite, read_all
from tests.unit.store.write_suite import JOB, WriteSuite, in_another_process


class TestReads(ReadSuite):
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path):
        self.root = f"{tmp_path}/"
        self.store = open_store(self.root, StoreOptions())

    def put(self, name, data):
        path = Path(self.root + name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def test_chunks_end_at_a_line_end_if_one_is_near(self):
        lines = [b"%d\n" % number for number in range(3000)]
        path = self.put("a.log", b"".join(lines) + b"x" * 20_000 + b"\nend")
        chunks = list(self.store.read(path, 2, None, chunk_bytes=1000))
        assert b"".join(chunks) == b"".join(lines)[2:] + b"x" * 20_000 + b"\nend"
        ended = [chunk.endswith(b"\n") for chunk in chunks]
        assert all(ended[: len(b"".join(lines)) // 1000])
        assert {len(chunk) for chunk in chunks if set(chunk) == {ord("x")}} == {1000}

    @tries("pipes and devices", "not opened")
    def test_links_are_followed_and_cycles_end(self, tmp_path):
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "o.log").write_bytes(b"o")
        self.put("app/a.log", b"x")
        (tmp_path / "app" / "link").symlink_to(outside)
        (tmp_path / "app" / "file.log").symlink_to(outside / "o.log")
        (tmp_path / "app" / "up").symlink_to(tmp_path / "app")
        (tmp_path / "app" / "broken").symlink_to(tmp_path / "none")
        os.mkfifo(tmp_path / "app" / "pipe")
        assert self.names("app/", recursive=True)[0] == ["app/a.log", "app/file.log", "app/link/o.log"]
        assert self.store.head(f"{self.root}app/pipe") is None
        assert read_all(self.store, f"{self.root}app/file.log") == b"o"

    def test_a_file_that_changes_while_it_is_read(self):
        path = self.put("a.log", b"x" * 1000)
        etag = self.store.head(path).etag
        body = self.store.read(path, chunk_bytes=600, etag=etag)
        assert len(next(body)) == 600
        with Path(path).open("ab") as file:
            file.write(b"more")
        with pytest.raises(SnapshotChangedError, match=r"a\.log"):
            list(body)

    def test_a_file_that_shrinks_while_it_is_read(self):
        path = self.put("a.log", b"x" * 1000)
        body = self.store.read(path, chunk_bytes=600)
        assert len(next(body)) == 600
        os.truncate(path, 700)
        assert len(next(body)) == 100
        with pytest.raises(TruncatedBodyError, match="byte 700, 1000 were there"):
            next(body)

    def test_file_urls(self):
        self.put("a.log", b"x")
        url = f"file://{self.root}a.log"
        assert read_all(open_store(url, StoreOptions()), url) == b"x"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_no_permission(self, tmp_path):
        path = self.put("app/a.log", b"x")
        (tmp_path / "app").chmod(0)
        try:
            with pytest.raises(AccessDeniedError, match="app/"):
                self.store.list_page(self.root, recursive=True)
            with pytest.raises(AccessDeniedError, match=r"a\.log"):
                list(self.store.read(path))
        finally:
            (tmp_path / "app").chmod(0o700)

    def test_other_failures_are_named(self, monkeypatch):
        def fail(_: object) -> None:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "scandir", fail)
        with pytest.raises(StoreError, match=r"cannot list .*Input/output error"):
            self.store.list_page(self.root, recursive=True)

    @pytest.mark.skipif(not hasattr(os, "RWF_NOWAIT"), reason="only Linux tells")
    def test_bytes_in_memory(self, monkeypatch):
        path = self.root + "a"
        Path(path).write_bytes(b"x")
        os.mkfifo(self.root + "pipe")
        for missing, offset in ((path, 1), (path, -1), (self.root + "b", 0), (self.root + "pipe", 0), (self.root, 0)):
            assert not self.store.is_cached(missing, offset)

        def would_wait(*_):
            raise BlockingIOError

        monkeypatch.setattr(os, "preadv", lambda _, buffers, offset, flags: len(buffers[0]))
        assert self.store.is_cached(f"file://{path}", 0)
        monkeypatch.setattr(os, "preadv", would_wait)
        assert not self.store.is_cached(path, 0)


class TestWrites(WriteSuite):
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path):
        self.base = tmp_path / "table"
        self.root = f"{self.base}/"
        self.store = open_store(self.root, StoreOptions())

    def names(self, directory: str = "") -> list[str]:
        return sorted(entry.name for entry in (self.base / directory).iterdir())

    def test_staging_directories_are_removed(self):
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

    def test_uploads_below_links_are_not_listed(self, tmp_path: Path):
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

    def test_staging_below_a_link_is_rejected(self, tmp_path: Path):
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

    def test_the_root_may_be_a_link(self, tmp_path: Path):
        (tmp_path / "real").mkdir()
        self.base.symlink_to(tmp_path / "real")
        path = self.complete("dt=1/part-0.gz", b"x")
        assert self.store.is_inside(self.root, path)
        self.store.abort_upload(*self.stage("part-1.gz", b"x")[:2])
        assert self.names() == ["dt=1"]

    @pytest.mark.parametrize("key", ["../x", "a/../../x", "a//x", "/x", "./x", "", "a/", "a\0b"])
    def test_paths_that_are_not_normalised_are_not_inside(self, key: str):
        assert not self.store.is_inside(self.root, self.root + key)

    def test_temporary_files_are_removed(self, monkeypatch):
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

    def test_content_is_synchronised_before_it_is_visible(self, monkeypatch):
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

    def test_large_parts_are_synchronised_when_they_are_written(self, monkeypatch):
        synced = []
        monkeypatch.setattr("pyspark_logs.store.local._SYNCHRONISED_BYTES", 4)
        monkeypatch.setattr(
            "pyspark_logs.store.local._SYNCHRONISE", lambda descriptor: synced.append(os.fstat(descriptor).st_size)
        )
        path, upload_id, etags = self.stage("part-0", b"xyz", b"four", b"more than four", b"end")
        assert synced == [7, 21]
        assert self.store.complete_upload(path, upload_id, etags, size=24)

    def test_short_writes_are_continued(self, monkeypatch):
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

    def test_a_failed_part_leaves_no_bytes(self, monkeypatch):
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

    def test_a_duplicate_part_is_detected(self):
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
    def test_missing_write_permission(self, monkeypatch, method):
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

    def test_removed_staging_directories_are_created_again(self, monkeypatch):
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

    def test_other_files_in_staging_are_not_uploads(self):
        path, upload_id, _ = self.stage("dt=1/part-0.gz", b"x")
        for name in ("_staging/a", "_staging/job/b"):
            self.store.put(self.root + name, b"x")
        assert [(item.path, item.upload_id) for item in self.uploads()] == [(path, upload_id)]

    def test_the_target_directory_is_removed_during_completion(self, monkeypatch):
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

    def test_an_abort_during_completion(self, monkeypatch):
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
