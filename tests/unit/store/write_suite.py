"""Tests of writing that all writable stores inherit."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pyspark_logs.errors import CorruptFileError, PathNotFoundError, StoreError
from pyspark_logs.store import OpenUpload, Store, UploadPage, open_store

MIB = 1 << 20
JOB = "2026112200000000000000abcdefa"


def in_another_process(store: Store, path: str, upload_id: str, etags: list[str], size: int) -> None:
    """Completes an upload in a new Python process that knows only these arguments."""
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


class WriteSuite:
    """Tests of all writable stores. A subclass defines ``store`` and ``root``, which ends in a slash."""

    store: Store
    root: str

    def stage(self, name: str, *parts: bytes, store: Store | None = None, job: str = JOB) -> tuple[str, str, list[str]]:
        """Stages a file in these parts; returns its path, upload id and etags."""
        store = store or self.store
        path = self.root + name
        upload_id = store.start_upload(path, token=job, staging=f"{self.root}_staging/{job}")
        return path, upload_id, [store.upload_part(path, upload_id, n, part) for n, part in enumerate(parts, 1)]

    def complete(self, name: str, *parts: bytes) -> str:
        path, upload_id, etags = self.stage(name, *parts)
        assert self.store.complete_upload(path, upload_id, etags, size=sum(map(len, parts)))
        return path

    def visible(self) -> list[str]:
        """Returns the keys of all files outside ``_staging/``."""
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

    def test_uploads_are_listed_by_a_prefix(self):
        assert self.store.lists_uploads_by_prefix(self.root, probe=True)
        assert self.uploads() == []

    # --- small files ---

    def test_the_store_is_writable(self):
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

    def test_put_changes_the_etag(self):
        path = self.root + "a"
        self.store.put(path, b"one")
        first = self.store.head(path)
        self.store.put(path, b"two")
        assert self.store.head(path).etag != first.etag

    def test_get_of_a_missing_file(self):
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

    def test_one_of_eight_concurrent_creates_succeeds(self):
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

    def test_concurrent_readers_see_complete_files(self):
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

    def test_replace_of_one_version(self):
        path = self.root + "dt=1/a"
        assert self.store.replace(path, b"none", etag="0") is False
        assert self.visible() == []
        self.store.put(path, b"one")
        etag = self.store.head(path).etag
        assert self.store.replace(path, b"two!", etag=etag) is True
        assert self.store.replace(path, b"three", etag=etag) is False
        assert self.store.get(path) == b"two!"

    def test_remove_versions(self):
        names = ["a", "dt=1/b", "c"]
        for name in names:
            self.store.put(self.root + name, b"x")
        versions = [(self.root + name, self.store.head(self.root + name).etag) for name in names]
        self.store.put(self.root + "c", b"newer")
        assert self.store.remove_versions([*versions, (self.root + "none", "0")]) == [True, True, False, True]
        assert self.visible() == ["c"]

    def test_remove_ignores_directories(self):
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

    def test_staged_files_are_not_visible(self):
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

    def test_several_parts_of_the_minimum_size(self):
        part = b"p" * self.store.min_part_bytes
        path = self.complete("part-0.gz", part, part, b"end")
        assert self.store.get(path) == part + part + b"end"

    def test_only_head_on_s3_returns_the_token(self):
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

    def complete_concurrently(self) -> list[bool]:
        """Results of six concurrent completions of one upload of b"one", sorted."""
        path, upload_id, etags = self.stage("a/part-0.gz", b"one")
        start = threading.Barrier(6)

        def complete(_: int) -> bool:
            start.wait()
            return self.store.complete_upload(path, upload_id, etags, size=3)

        with ThreadPoolExecutor(6) as pool:
            results = sorted(pool.map(complete, range(6)))
        assert self.store.get(path) == b"one"
        assert self.uploads() == []
        return results

    def test_concurrent_completions_create_the_file(self):
        assert any(self.complete_concurrently())

    def test_one_of_six_concurrent_completions_succeeds(self):
        assert self.complete_concurrently() == [False] * 5 + [True]

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

    def test_parts_after_the_end_are_rejected(self):
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

    def test_wrong_parts_are_rejected(self):
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

    def test_uploads_of_another_root_are_not_listed(self):
        self.stage("part-0.gz", b"x")
        assert self.store.list_uploads(self.root.rstrip("/") + "2/").uploads == ()

    def test_another_store_completes_an_upload(self):
        travelled: Store = pickle.loads(pickle.dumps(self.store))
        path, upload_id, etags = self.stage("part-0.gz", b"one", store=travelled)
        other = open_store(self.root, self.store.options)
        assert [item.upload_id for item in other.list_uploads(self.root).uploads] == [upload_id]
        assert other.complete_upload(path, upload_id, etags, size=3)
        assert self.store.get(path) == b"one"

    def test_many_concurrent_uploads(self):
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

    def test_completion_replaces_an_existing_file(self):
        self.complete("part-0.gz", b"one")
        self.complete("part-0.gz", b"other")
        assert self.store.get(self.root + "part-0.gz") == b"other"
        assert self.visible() == ["part-0.gz"]
