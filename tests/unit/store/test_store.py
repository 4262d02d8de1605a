"""Every store passes the same suite; S3 also meets every fault a network has."""

from __future__ import annotations

import gc
import itertools
import json
import os
import pickle
import random
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pyspark_logs.errors import (
    AccessDeniedError,
    CircuitOpenError,
    LogSourceError,
    OptionError,
    PathNotFoundError,
    SnapshotChangedError,
    StoreError,
    TruncatedBodyError,
)
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import Page, Store, StoredFile, join, normalise, open_store, split_scheme
from pyspark_logs.store.circuit_breaker import CircuitBreaker
from pyspark_logs.store.error_codes import CATEGORIES, classify_error
from pyspark_logs.store.paths import split_bucket
from pyspark_logs.store.s3_connection import _MAX_SHARED, connection_arguments, shared_filesystem
from tests.support.fault_proxy import (
    ConnectionReset,
    DroppedHeader,
    ErrorResponse,
    FaultProxy,
    StalledBody,
    TruncatedBody,
)
from tests.support.s3_server import S3Bucket

MIB = 1 << 20
DATA = random.Random(7).randbytes(3 * MIB + 17)


def all_pages(store: Store, prefix: str, *, recursive: bool) -> tuple[list[StoredFile], list[str], int]:
    files: list[StoredFile] = []
    directories: list[str] = []
    token, pages = None, 0
    while True:
        page = store.list_page(prefix, recursive=recursive, token=token)
        files += page.files
        directories += page.directories
        token, pages = page.next_token, pages + 1
        if token is None:
            return files, directories, pages


def read_all(store: Store, path: str, *args: int | None, **kwargs: object) -> bytes:
    return b"".join(store.read(path, *args, **kwargs))


def in_forked_child(work) -> str:
    """What ``work()`` returns in a forked child, or the traceback of what it raised."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12+ on forks beside threads; Spark does that
        pid = os.fork()
    if pid == 0:
        try:
            text = str(work())
        except BaseException:  # noqa: BLE001 - it is the parent that reports it
            text = traceback.format_exc()
        os.write(writing, text.encode()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(pid, 0)
    return text


class StoreSuite:
    """What holds for every store. A subclass gives ``store``, ``root`` (ends in a slash) and ``put``."""

    store: Store
    root: str

    def put(self, name: str, data: bytes) -> str:
        raise NotImplementedError

    def names(self, prefix: str, *, recursive: bool) -> tuple[list[str], list[str]]:
        files, directories, _ = all_pages(self.store, self.root + prefix, recursive=recursive)
        return [file.path.removeprefix(self.root) for file in files], [d.removeprefix(self.root) for d in directories]

    def put_tree(self) -> None:
        for name in ("app/dt=1/a.log", "app/dt=1/b.log", "app/dt=2/a.log", "app/top.log", "apple.log", "z.log"):
            self.put(name, name.encode())

    def test_recursive_listing(self):
        self.put_tree()
        assert self.names("app/", recursive=True) == (
            ["app/dt=1/a.log", "app/dt=1/b.log", "app/dt=2/a.log", "app/top.log"],
            [],
        )

    def test_listing_one_level(self):
        self.put_tree()
        assert self.names("app/", recursive=False) == (["app/top.log"], ["app/dt=1/", "app/dt=2/"])
        assert self.names("", recursive=False) == (["apple.log", "z.log"], ["app/"])

    def test_a_prefix_without_slash_is_any_path_that_starts_so(self):
        self.put_tree()
        assert self.names("app", recursive=False) == (["apple.log"], ["app/"])
        assert self.names("app/dt=", recursive=False) == ([], ["app/dt=1/", "app/dt=2/"])
        assert self.names("app/dt=1", recursive=True) == (["app/dt=1/a.log", "app/dt=1/b.log"], [])
        assert self.names("app/dt=1/a", recursive=True) == (["app/dt=1/a.log"], [])
        assert self.names("app/dt=1/a.log", recursive=False) == (["app/dt=1/a.log"], [])

    def test_nothing_below_is_an_empty_page(self):
        self.put("app/a.log", b"x")
        for prefix in ("nothing/", "app/nothing", "app/nothing/deep/", "app/a.log/"):
            for recursive in (True, False):
                assert self.store.list_page(self.root + prefix, recursive=recursive) == Page((), (), None)

    def test_order_is_that_of_paths(self):
        names = ["b.log", "b/a.log", "b-c.log", "b/a/x", "a"]
        for name in names:
            self.put(name, b"x")
        assert self.names("", recursive=True)[0] == sorted(names)

    def test_a_listing_tells_what_head_tells(self):
        before = time.time() * 1000
        path = self.put("app/a.log", b"four")
        (file,) = self.store.list_page(self.root + "app/", recursive=True).files
        assert file == self.store.head(path)
        assert file.path == path
        assert file.size == 4
        assert before - 2000 <= file.modified_ms <= time.time() * 1000 + 2000
        assert file.etag
        assert '"' not in file.etag

    def test_head_of_what_is_not_a_file(self):
        self.put("app/a.log", b"x")
        for name in ("none", "app", "app/", "app/a.log/", "app/a.log/x", "none/none"):
            assert self.store.head(self.root + name) is None

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (0, None),
            (0, 0),
            (0, 1),
            (1, 3),
            (5, None),
            (9, 10),
            (9, 99),
            (10, None),
            (10, 12),
            (50, None),
            (50, 60),
            (3, 2),
        ],
    )
    def test_ranges_are_slices(self, start, end):
        data = b"0123456789"
        path = self.put("a.log", data)
        etag = self.store.head(path).etag
        assert read_all(self.store, path, start, end) == data[start:end]
        assert read_all(self.store, path, start, end, etag=etag) == data[start:end]

    @pytest.mark.parametrize("chunk_bytes", [1000, 65_536, MIB, 16 * MIB])
    def test_chunks_are_no_larger_than_asked_for(self, chunk_bytes):
        path = self.put("a.log", DATA[: 100_000 if chunk_bytes == 1000 else None])
        chunks = list(self.store.read(path, chunk_bytes=chunk_bytes))
        assert b"".join(chunks) == DATA[: 100_000 if chunk_bytes == 1000 else None]
        assert max(map(len, chunks)) <= chunk_bytes
        assert all(chunks)
        assert b"".join(self.store.read(path, 7, 99_000, chunk_bytes=chunk_bytes)) == DATA[7:99_000]

    def test_an_empty_file(self):
        path = self.put("a.log", b"")
        assert self.store.head(path).size == 0
        for end in (None, 0, 5):
            assert list(self.store.read(path, 0, end)) == []

    def test_a_missing_file_is_named(self):
        for etag in ("", "0123"):
            with pytest.raises(PathNotFoundError, match=r"none\.log") as caught:
                list(self.store.read(self.root + "none.log", etag=etag))
            assert isinstance(caught.value, FileNotFoundError)

    def test_another_version_is_never_read(self):
        path = self.put("a.log", b"old")
        etag = self.store.head(path).etag
        assert read_all(self.store, path, etag=etag) == b"old"
        self.put("a.log", b"newer")
        assert self.store.head(path).etag != etag
        with pytest.raises(SnapshotChangedError, match=r"a\.log"):
            list(self.store.read(path, etag=etag))
        with pytest.raises(SnapshotChangedError):
            list(self.store.read(path, 1, 2, etag=etag))
        assert read_all(self.store, path) == b"newer"

    @pytest.mark.parametrize(
        "name", ["a b+c%25&=#?.log", "übung/日本.log", "k=v/x'y\"z.log", "[a]{b}*.log", "~a$!@,;().log"]
    )
    def test_odd_names(self, name):
        path = self.put(name, b"x")
        assert self.names("", recursive=True)[0] == [name]
        assert self.store.head(path).path == path
        assert read_all(self.store, path) == b"x"

    def test_pickling_carries_options_only(self):
        path = self.put("a.log", b"x")
        assert read_all(self.store, path) == b"x"
        copy = pickle.loads(pickle.dumps(self.store))
        assert type(copy) is type(self.store)
        assert copy.options == self.store.options
        assert copy._handles == {}
        assert copy.request_counts == {}
        assert read_all(copy, path) == b"x"

    def test_a_forked_child_works_and_leaves_its_parent_alone(self):
        path = self.put("a.log", DATA)
        body = self.store.read(path, chunk_bytes=MIB)
        parts = [next(body)]

        def work() -> int:
            found = len(read_all(self.store, path)) + len(all_pages(self.store, self.root, recursive=True)[0])
            body.close()
            self.store._handles.clear()
            gc.collect()
            return found

        assert in_forked_child(work) == str(len(DATA) + 1)
        parts += body
        assert b"".join(parts) == DATA
        assert read_all(self.store, path) == DATA

    def test_threads_share_a_store(self):
        paths = [self.put(f"{number}.log", b"%d" % number * 1000) for number in range(20)]
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda path: read_all(self.store, path), paths))
        assert found == [b"%d" % number * 1000 for number in range(20)]
        assert self.store.request_counts["GET"] == 20

    def test_calls_are_counted(self):
        path = self.put("a.log", b"x")
        self.store.list_page(self.root, recursive=False)
        self.store.head(path)
        list(self.store.read(path))
        assert self.store.request_counts["LIST"] == 1
        assert self.store.request_counts["GET"] == 1
        assert self.store.request_counts["HEAD"] >= 1


class TestLocal(StoreSuite):
    @pytest.fixture(autouse=True)
    def prepare(self, tmp_path: Path):
        self.root = f"{tmp_path}/"
        self.store = open_store(self.root, StoreOptions())

    def put(self, name, data):
        path = Path(self.root + name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return str(path)

    def test_a_chunk_ends_with_a_line_where_one_is_near(self):
        lines = [b"%d\n" % number for number in range(3000)]
        path = self.put("a.log", b"".join(lines) + b"x" * 20_000 + b"\nend")
        chunks = list(self.store.read(path, 2, None, chunk_bytes=1000))
        assert b"".join(chunks) == b"".join(lines)[2:] + b"x" * 20_000 + b"\nend"
        ended = [chunk.endswith(b"\n") for chunk in chunks]
        assert all(ended[: len(b"".join(lines)) // 1000])
        assert {len(chunk) for chunk in chunks if set(chunk) == {ord("x")}} == {1000}

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


_roots = itertools.count()


class TestMemory(StoreSuite):
    scheme = "memory"

    @pytest.fixture(autouse=True)
    def prepare(self):
        self.root = f"{self.scheme}://root{next(_roots)}/"
        self.store = open_store(self.root, StoreOptions())

    def put(self, name, data):
        from fsspec.implementations.memory import MemoryFileSystem

        MemoryFileSystem().pipe_file("memory://" + (self.root + name).split("://")[1], data)
        return self.root + name

    # These happen in the driver's shared dictionary, not in a request.
    def test_short_pieces_are_an_error(self, monkeypatch):
        path = self.put("a.log", b"x" * 100)
        etag = self.store.head(path).etag
        monkeypatch.setattr(type(self.store._filesystem(path)), "cat_file", lambda *args, **kwargs: b"x")
        with pytest.raises(TruncatedBodyError, match="1 bytes came"):
            list(self.store.read(path, etag=etag))


class TestOtherFileSystems(TestMemory):
    """What gs:// and abfs:// go through, on a driver made for the test."""

    scheme = "logstest"

    @pytest.fixture(autouse=True)
    def prepare(self):
        import fsspec
        from fsspec.implementations.memory import MemoryFileSystem

        class Driver(MemoryFileSystem):
            protocol = "logstest"

            @classmethod
            def _strip_protocol(cls, path):
                return MemoryFileSystem._strip_protocol(path.replace("logstest://", "memory://")).lstrip("/")

            def _with_version(self, entry):
                modified = self.store["/" + entry["name"].lstrip("/")].modified if entry["type"] == "file" else None
                versions = {
                    "updated": modified and modified.isoformat(),
                    "etag": modified and f'"{modified.timestamp()}"',
                }
                return entry | {"name": entry["name"].lstrip("/")} | versions

            def ls(self, path, detail=True, **kwargs):
                found = [self._with_version(e) for e in MemoryFileSystem().ls("/" + path, detail=True)]
                return found if detail else [entry["name"] for entry in found]

            def info(self, path, **kwargs):
                return self._with_version(MemoryFileSystem().info("/" + path))

            def cat_file(self, path, start=None, end=None, **kwargs):
                return MemoryFileSystem().cat_file("/" + path, start=start, end=end)

        fsspec.register_implementation("logstest", Driver, clobber=True)
        self.root = f"{self.scheme}://root{next(_roots)}/"
        self.store = open_store(self.root, StoreOptions())
        self.put("zz-keeps-the-bucket", b"")
        self.root += "dir/"

    def test_a_missing_bucket_is_an_error(self):
        with pytest.raises(PathNotFoundError, match="logstest://none/x"):
            self.store.list_page("logstest://none/x/", recursive=True)

    def test_a_row_of_failures_opens_the_circuit(self, monkeypatch):
        def fail(*args, **kwargs):
            raise ConnectionError("unreachable")

        monkeypatch.setattr(type(self.store._filesystem(self.root)), "ls", fail)
        for _ in range(4):
            with pytest.raises(StoreError, match="unreachable"):
                self.store.list_page(self.root, recursive=True)
        for _ in range(2):
            with pytest.raises(CircuitOpenError, match="5 requests in a row"):
                self.store.list_page(self.root, recursive=True)

    def test_options_of_s3_are_refused(self):
        store = open_store(self.root, StoreOptions(endpoint="http://x"))
        with pytest.raises(OptionError, match="storageOptions"):
            store.head(self.root + "x")


class TestS3(StoreSuite):
    @pytest.fixture(autouse=True)
    def prepare(self, s3: S3Bucket):
        self.s3 = s3
        self.root = s3.url + "/"
        self.store = open_store(self.root, s3.options)

    def put(self, name, data):
        return self.s3.put(name, data)

    def test_paging(self):
        names = [f"p/{number:03}/x.log" for number in range(25)]
        for name in names:
            self.put(name, b"x")
        self.store.page_size = 10
        files, directories, pages = all_pages(self.store, self.root + "p/", recursive=True)
        assert [file.path.removeprefix(self.root) for file in files] == names
        assert (directories, pages) == ([], 3)
        files, directories, pages = all_pages(self.store, self.root + "p/", recursive=False)
        assert (files, pages) == ([], 3)
        assert directories == [self.root + name.removesuffix("x.log") for name in names]

    @pytest.mark.slow
    def test_more_keys_than_one_page_can_hold(self):
        for number in range(1005):
            self.put(f"{number:05}.log", b"")
        files, _, pages = all_pages(self.store, self.root, recursive=True)
        assert (len(files), pages) == (1005, 2)

    def test_directory_markers_are_not_files(self):
        self.put("app/", b"")
        self.put("app/sub/", b"marker")
        self.put("app/a.log", b"x")
        assert self.names("app/", recursive=True) == (["app/a.log"], [])
        assert self.names("app/", recursive=False) == (["app/a.log"], ["app/sub/"])
        assert self.store.head(self.root + "app/") is None

    @pytest.mark.parametrize("scheme", ["s3a", "s3n"])
    def test_schemes_stay_as_they_are_written(self, scheme):
        self.put("app/sub/a.log", b"x")
        root = self.root.replace("s3://", f"{scheme}://")
        store = open_store(root, self.s3.options)
        (file,) = store.list_page(root + "app/", recursive=True).files
        assert file.path == f"{root}app/sub/a.log"
        assert store.list_page(root + "app/", recursive=False).directories == (f"{root}app/sub/",)
        assert store.head(file.path) == file
        assert read_all(store, file.path) == b"x"

    def test_slashes_in_keys_are_part_of_them(self):
        path = self.put("app//x/a.log", b"x")
        assert self.names("app/", recursive=False) == ([], ["app//"])
        assert self.names("app//", recursive=True)[0] == ["app//x/a.log"]
        assert read_all(self.store, path) == b"x"

    def test_a_missing_bucket_is_an_error(self):
        with pytest.raises(PathNotFoundError, match=r"bucket-missing.*NoSuchBucket.*region"):
            self.store.list_page("s3://bucket-missing/app/", recursive=True)
        with pytest.raises(PathNotFoundError, match="NoSuchBucket"):
            list(self.store.read("s3://bucket-missing/a"))

    def test_a_bucket_without_slash_is_its_root(self):
        self.put("a.log", b"x")
        assert [file.path for file in self.store.list_page(self.s3.url, recursive=True).files] == [self.root + "a.log"]


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
    @pytest.fixture(autouse=True)
    def prepare(self, s3: S3Bucket, faulty: FaultProxy):
        self.s3, self.faulty = s3, faulty
        self.options = replace(s3.options, endpoint=faulty.endpoint)
        self.path = s3.put("app/a.log", DATA)
        self.root = s3.url + "/"

    def store(self, **changes) -> Store:
        return open_store(self.root, replace(self.options, **changes))

    @pytest.mark.parametrize(
        "fault",
        [
            ErrorResponse(503, "SlowDown"),
            ErrorResponse(503, "ServiceUnavailable"),
            ErrorResponse(500, "InternalError"),
            ErrorResponse(429, "TooManyRequests"),
            ConnectionReset(),
        ],
        ids=lambda fault: getattr(fault, "code", "reset"),
    )
    def test_faults_that_pass_are_retried(self, fault):
        store = self.store()
        self.faulty.inject(fault, fault)
        assert store.head(self.path).size == len(DATA)
        self.faulty.inject(fault, fault)
        assert len(store.list_page(self.root, recursive=True).files) == 1
        self.faulty.inject(fault, fault)
        assert read_all(store, self.path) == DATA
        # aiohttp itself tries once more, unseen, when a connection that was open before turns out to be dead
        seen = 2 if fault == ConnectionReset() else 3
        assert store.request_counts == {"HEAD": seen, "LIST": seen, "GET": seen}
        assert self.faulty.count("GET") == 3

    @pytest.mark.parametrize(
        "fault", [ErrorResponse(500, "InternalError"), ErrorResponse(429, "TooManyRequests"), ConnectionReset()]
    )
    def test_retries_are_bounded(self, fault):
        self.faulty.inject(then=fault)
        with pytest.raises(
            StoreError, match=r"cannot list s3://.*endpoint http://127.*maxRetries|requestTimeout"
        ) as caught:
            self.store(max_retries=2).list_page(self.root, recursive=True)
        assert not isinstance(caught.value, CircuitOpenError)
        assert self.faulty.count("GET") == (6 if fault == ConnectionReset() else 3)

    def test_no_retries(self):
        self.faulty.inject(then=ErrorResponse(503, "SlowDown"))
        with pytest.raises(StoreError):
            self.store(max_retries=0).head(self.path)
        assert self.faulty.count("HEAD") == 1

    @pytest.mark.parametrize(
        "fault",
        [TruncatedBody(MIB), TruncatedBody(0), TruncatedBody(1_500_000, reset=True), TruncatedBody(1_500_000)],
        ids=str,
    )
    def test_a_broken_body_is_resumed_where_it_broke(self, fault):
        self.faulty.inject(fault, fault)
        assert read_all(self.store(), self.path, chunk_bytes=MIB) == DATA
        first, *resumed = [headers for _, _, headers in self.faulty.requests]
        assert "Range" not in first
        assert len(resumed) >= 1
        etag = self.store().head(self.path).etag
        assert all(headers["If-Match"] == f'"{etag}"' for headers in resumed)
        assert all(headers["Range"].endswith(f"-{len(DATA) - 1}") for headers in resumed)

    def test_a_broken_range_is_resumed(self):
        self.faulty.inject(TruncatedBody(100), TruncatedBody(100))
        assert read_all(self.store(), self.path, 1000, 500_000) == DATA[1000:500_000]
        assert self.faulty.requests[0][2]["Range"] == "bytes=1000-499999"
        assert self.faulty.count("GET") == 3

    def test_a_body_that_stalls_is_resumed(self):
        self.faulty.inject(StalledBody(100_000, seconds=30.0))
        began = time.monotonic()
        assert read_all(self.store(request_timeout_s=0.4), self.path) == DATA
        assert time.monotonic() - began < 5

    def test_a_body_that_always_breaks_is_an_error(self):
        self.faulty.inject(then=TruncatedBody(1000))
        received = []
        with pytest.raises(TruncatedBodyError, match=rf"a\.log.*of {len(DATA)}") as caught:
            received.extend(self.store(max_retries=3).read(self.path))
        assert len(b"".join(received)) <= 4000
        assert DATA.startswith(b"".join(received))
        assert self.faulty.count("GET") == 4
        assert isinstance(pickle.loads(pickle.dumps(caught.value)), TruncatedBodyError)

    def test_progress_renews_the_retries(self):
        # Each request brings some whole chunks before it breaks: slow, but it gets there.
        self.faulty.inject(then=TruncatedBody(700_000))
        assert read_all(self.store(max_retries=1), self.path, chunk_bytes=100_000) == DATA
        assert self.faulty.count("GET") >= 5

    def test_a_file_replaced_while_its_body_breaks(self):
        self.faulty.inject(TruncatedBody(MIB))
        body = self.store().read(self.path, chunk_bytes=MIB // 2)
        received = [next(body)]
        self.s3.put("app/a.log", b"other" * len(DATA))
        with pytest.raises(SnapshotChangedError, match=r"a\.log"):
            received.extend(body)
        assert DATA.startswith(b"".join(received))

    def test_a_file_deleted_while_its_body_breaks(self):
        self.faulty.inject(TruncatedBody(MIB))
        body = self.store().read(self.path, chunk_bytes=MIB // 2)
        next(body)
        self.s3.delete("app/a.log")
        with pytest.raises(SnapshotChangedError, match=r"a\.log"):
            list(body)

    def test_servers_that_ignore_conditions_or_ranges(self):
        self.faulty.inject(then=DroppedHeader(name="If-Match"))
        with pytest.raises(SnapshotChangedError, match="'0123' expected"):
            list(self.store().read(self.path, etag="0123"))
        self.faulty.inject(then=DroppedHeader(name="Range"))
        with pytest.raises(StoreError, match="ignores byte ranges"):
            list(self.store().read(self.path, 10, 20))
        assert read_all(self.store(), self.path, 0, 20) == DATA[:20]

    @pytest.mark.parametrize("code", ["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "ExpiredToken"])
    def test_wrong_credentials_fail_at_once(self, code):
        for act in (
            lambda store: store.list_page(self.root, recursive=True),
            lambda store: list(store.read(self.path)),
            lambda store: store.head(self.path),
        ):
            self.faulty.inject(then=ErrorResponse(403, code))
            with pytest.raises(AccessDeniedError, match="s3://") as caught:
                act(self.store())
            assert isinstance(caught.value, PermissionError)
            assert len(self.faulty.requests) == 1

    def test_answers_that_do_not_pass_never_open_the_circuit(self):
        store = self.store(max_consecutive_failures=2)
        self.faulty.inject(then=ErrorResponse(403, "AccessDenied"))
        for _ in range(4):
            with pytest.raises(AccessDeniedError):
                store.head(self.path)
        self.faulty.inject()
        assert store.head(self.path) is not None

    def test_a_store_that_stays_down_opens_the_circuit(self):
        store = self.store(max_retries=2, max_consecutive_failures=5)
        self.faulty.inject(then=ErrorResponse(503, "SlowDown"))
        with pytest.raises(StoreError, match="fewer requests") as caught:
            store.head(self.path)
        assert not isinstance(caught.value, CircuitOpenError)
        with pytest.raises(
            CircuitOpenError, match=r"5 requests in a row failed.*SlowDown.*maxConsecutiveFailures"
        ) as caught:
            store.list_page(self.root, recursive=True)
        assert caught.value.__cause__ is not None
        assert len(self.faulty.requests) == 5
        for _ in range(3):  # the store is not asked any more
            with pytest.raises(CircuitOpenError):
                list(store.read(self.path))
        assert len(self.faulty.requests) == 5

    def test_success_closes_the_row(self):
        store = self.store(max_retries=2, max_consecutive_failures=3)
        for _ in range(4):
            self.faulty.inject(ErrorResponse(503, "SlowDown"), ConnectionReset())
            assert store.head(self.path) is not None

    def test_bodies_that_break_count(self):
        self.faulty.inject(then=TruncatedBody(0))
        with pytest.raises(TruncatedBodyError):
            list(self.store(max_retries=1, max_consecutive_failures=9).read(self.path))
        self.faulty.inject(TruncatedBody(0), then=ErrorResponse(503, "SlowDown"))
        with pytest.raises(CircuitOpenError):
            list(self.store(max_retries=4, max_consecutive_failures=3).read(self.path))
        assert len(self.faulty.requests) == 3

    def test_bodies_are_closed_when_the_consumer_stops_early(self):
        store = self.store()
        for number in range(50):
            body = store.read(self.path, chunk_bytes=1000)
            next(body)
            if number % 2:
                body.close()
            del body  # by reference count, or as a task that forgets its generator
        assert store.head(self.path) is not None
        assert read_all(store, self.path) == DATA
        for _ in range(100):
            if self.faulty.open_connections <= 2:
                break
            time.sleep(0.02)
        assert self.faulty.open_connections <= 2

    def test_whole_bodies_reuse_one_connection(self):
        store = self.store()
        for _ in range(20):
            assert len(read_all(store, self.path, 0, 1000)) == 1000
        assert self.faulty.open_connections == 1

    def test_a_bad_network(self):
        dice = random.Random(11)
        faults = [
            ErrorResponse(503, "SlowDown"),
            ErrorResponse(500, "InternalError"),
            ConnectionReset(),
            TruncatedBody(70_000),
            TruncatedBody(10, reset=True),
        ]
        self.faulty.choose = lambda method: dice.choice(faults) if dice.random() < 0.2 else None
        store = self.store(max_retries=6, max_consecutive_failures=8)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda start: read_all(store, self.path, start, start + 100_000), range(80)))
        assert found == [DATA[start : start + 100_000] for start in range(80)]

    def test_explicit_credentials_never_mix_with_those_around(self, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AMBIENT")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient-secret")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "ambient-token")
        self.faulty.inject()
        self.store().head(self.path)
        with pytest.raises(AccessDeniedError):  # the object is private
            self.store(access_key=None, secret_key=None, anonymous=True).head(self.path)
        self.store(access_key=None, secret_key=None, default_credential=True).head(self.path)
        self.store(session_token="mine").head(self.path)
        explicit, anonymous, default, token = [headers for _, _, headers in self.faulty.requests]
        assert "Credential=testing/" in explicit["Authorization"]
        assert "X-Amz-Security-Token" not in explicit
        assert "Authorization" not in anonymous
        assert "Credential=AMBIENT/" in default["Authorization"]
        assert default["X-Amz-Security-Token"] == "ambient-token"
        assert token["X-Amz-Security-Token"] == "mine"

    def test_stores_share_a_connection_and_nothing_else(self):
        first, second = self.store(), self.store()
        assert first.head(self.path) == second.head(self.path)
        assert first._filesystem() is second._filesystem()
        assert first.request_counts == second.request_counts == {"HEAD": 1}
        self.faulty.inject(then=ErrorResponse(503, "SlowDown"))
        with pytest.raises(CircuitOpenError):
            self.store(max_consecutive_failures=1).head(self.path)
        self.faulty.inject()
        assert self.store(max_consecutive_failures=1).head(self.path) is not None

    def test_refused_credentials_are_looked_for_again(self):
        refused = self.store()
        self.faulty.inject(ErrorResponse(403, "ExpiredToken"))
        with pytest.raises(AccessDeniedError, match="expired"):
            refused.list_page(self.root, recursive=True)
        again = self.store()
        assert again.head(self.path) is not None
        assert again._filesystem() is not refused._filesystem()

    def test_a_connection_in_use_outlives_its_place_among_the_kept(self):
        store = self.store()
        body = store.read(self.path, chunk_bytes=1000)
        parts = [next(body)]
        for number in range(_MAX_SHARED):
            shared_filesystem(replace(self.options, max_retries=90 + number))
        gc.collect()
        assert b"".join([*parts, *body]) == DATA
        assert shared_filesystem(self.options) is not store._filesystem()

    def test_no_credentials_at_all(self):
        with pytest.raises(AccessDeniedError, match="anonymous=true"):
            self.store(access_key=None, secret_key=None).head(self.path)
        with pytest.raises(AccessDeniedError, match="profile"):
            self.store(access_key=None, secret_key=None, profile="no-such-profile").head(self.path)

    def test_secrets_never_show(self, caplog):
        caplog.set_level("INFO")
        secret, token, other = "s3cr3t/Value+1", "t0ken-value", "0ther-s3cret"
        store = self.store(
            secret_key=secret,
            session_token=token,
            storage_options=json.dumps({"config_kwargs": {"proxies": {}}, "password": other}),
        )
        message = f"bad {secret} {token} {other}"
        shown = [repr(store), repr(store.options), str(store)]
        for fault in (
            ErrorResponse(403, "AccessDenied", message),
            ErrorResponse(500, "InternalError", message),
            ErrorResponse(404, "NoSuchBucket", message),
        ):
            self.faulty.inject(then=fault)
            with pytest.raises(LogSourceError, match=r"bad \*\*\* \*\*\* \*\*\*") as caught:
                store.list_page(self.root, recursive=True)
            shown += traceback.format_exception(caught.value)
        text = "".join(shown) + caplog.text
        assert not [value for value in (secret, token, other) if value in text]


def test_an_endpoint_that_nobody_serves(s3: S3Bucket):
    store = open_store("s3://b", replace(s3.options, endpoint="http://127.0.0.1:1", max_retries=1))
    with pytest.raises(
        StoreError, match=r"cannot list s3://bkt/x .*127\.0\.0\.1:1.*Check the network and the endpoint"
    ):
        store.list_page("s3://bkt/x", recursive=True)


@pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
def test_a_store_that_stays_down_is_given_up_in_bounded_time(s3: S3Bucket, faulty: FaultProxy, code: str):
    store = open_store(s3.url, replace(s3.options, endpoint=faulty.endpoint, max_retries=3, max_consecutive_failures=3))
    faulty.inject(then=ErrorResponse(503, code))
    began = time.monotonic()
    with pytest.raises(CircuitOpenError):
        store.list_page(s3.url, recursive=True)
    assert time.monotonic() - began < 15
    assert len(faulty.requests) == 3


class TestCircuitBreaker:
    def test_failures_side_by_side_are_one(self):
        breaker = CircuitBreaker(3)
        for _ in range(2):
            tickets = [breaker.ticket() for _ in range(30)]
            for ticket in tickets:
                breaker.record_failure(ticket, "SlowDown")
        assert not breaker.is_open
        breaker.record_failure(breaker.ticket(), "SlowDown")
        assert breaker.is_open

    def test_throttling_pauses_everyone_and_success_shortens_it(self, monkeypatch):
        monkeypatch.setattr("pyspark_logs.store.circuit_breaker._jitter", lambda low, high: high)
        breaker = CircuitBreaker(100)
        assert breaker.delay_s() == 0
        pauses = []
        for _ in range(12):
            breaker.record_failure(breaker.ticket(), "SlowDown", throttled=True)
            pauses.append(breaker._pause_s)
        assert pauses[:3] == [0.2, 0.4, 0.8]
        assert pauses[-1] == 20.0
        assert 0 < breaker.delay_s() <= 30.0
        breaker.record_success()
        assert breaker._pause_s == 10.0

    def test_zero_switches_it_off(self):
        breaker = CircuitBreaker(0)
        for _ in range(100):
            breaker.record_failure(breaker.ticket(), "SlowDown")
        assert not breaker.is_open

    def test_counts_from_threads(self):
        breaker = CircuitBreaker(1)
        threads = [
            threading.Thread(target=lambda: [breaker.count_request("GET") for _ in range(2000)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert breaker.request_counts["GET"] == 8000


class TestErrorCategories:
    def test_the_code_counts_not_the_builtin_around_it(self):
        cause = Exception("as botocore raises it")
        cause.response = {"Error": {"Code": "SlowDown", "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
        error = PermissionError("wrapped")
        error.__cause__ = cause
        code, fault = classify_error(error)
        assert code == "SlowDown"
        assert fault.throttled

    def test_an_error_that_our_caller_handles_is_not_the_cause(self):
        error = ZeroDivisionError("inner")
        error.__context__ = FileNotFoundError("outer")
        assert classify_error(error)[0] == "ZeroDivisionError"

    def test_a_cycle_of_causes_ends(self):
        first, second = ValueError("a"), ValueError("b")
        first.__cause__, second.__cause__ = second, first
        assert classify_error(first)[0] == "ValueError"

    def test_only_transient_faults_throttle_and_each_gives_advice(self):
        for fault in set(CATEGORIES.values()):
            assert fault.transient or not fault.throttled
            assert fault.advice.endswith(".")
            assert not (fault.transient and issubclass(fault.error, (AccessDeniedError, PathNotFoundError)))


class TestConnectionArguments:
    def test_options_overrule_storage_options(self):
        given = {
            "key": "K",
            "secret": "S",
            "token": "T",
            "endpoint_url": "http://old",
            "client_kwargs": {"region_name": "old", "aws_access_key_id": "K2", "verify": False},
            "config_kwargs": {"read_timeout": 1, "s3": {"payload_signing_enabled": True}},
            "use_listings_cache": True,
            "requester_pays": True,
        }
        found = connection_arguments(
            StoreOptions(
                endpoint="http://new",
                region="new",
                access_key="A",
                secret_key="B",
                request_timeout_s=7.0,
                storage_options=json.dumps(given),
            )
        )
        assert (found["key"], found["secret"], found["token"], found["anon"]) == ("A", "B", None, False)
        assert found["endpoint_url"] == "http://new"
        assert found["client_kwargs"] == {"region_name": "new", "verify": False}
        assert found["config_kwargs"]["read_timeout"] == 7.0
        assert found["config_kwargs"]["s3"] == {"addressing_style": "path", "payload_signing_enabled": True}
        assert found["config_kwargs"]["retries"] == {"mode": "standard", "total_max_attempts": 5}
        assert found["use_listings_cache"] is False
        assert found["requester_pays"] is True

    def test_storage_options_fill_what_is_not_given(self):
        found = connection_arguments(StoreOptions(storage_options='{"key": "K", "config_kwargs": {"read_timeout": 1}}'))
        assert found["key"] == "K"
        assert found["config_kwargs"]["read_timeout"] == 1
        assert "endpoint_url" not in found
        assert "s3" not in found["config_kwargs"]

    def test_a_default_timeout_for_connecting_is_short(self):
        config = connection_arguments(StoreOptions())["config_kwargs"]
        assert (config["connect_timeout"], config["read_timeout"]) == (10.0, 60.0)

    def test_unknown_arguments_are_named(self, s3: S3Bucket):
        store = open_store("s3://b", replace(s3.options, storage_options='{"no_such": 1}'))
        with pytest.raises(OptionError, match="no_such"):
            store.head("s3://b/x")


class TestOpenStore:
    @pytest.mark.parametrize("path", ["nosuch://b/x", "bogus+x://b"])
    def test_unknown_schemes_tell_what_works(self, path):
        with pytest.raises(OptionError, match=r"unknown scheme .*s3://.*memory://"):
            open_store(path, StoreOptions())

    @pytest.mark.parametrize(
        ("path", "package"), [("gs://b/x", "gcsfs"), ("abfs://c@a.dfs.core.windows.net/x", "adlfs")]
    )
    def test_missing_drivers_are_named(self, path, package, monkeypatch):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(OptionError, match=f"pip install {package}"):
            open_store(path, StoreOptions())

    def test_missing_s3fs_is_named(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "s3fs", None)
        with pytest.raises(OptionError, match=r"pip install 'pyspark-logs\[s3\]'"):
            open_store("s3://b/x", StoreOptions())

    def test_credentials_in_an_endpoint_are_refused(self):
        with pytest.raises(OptionError, match="accessKey") as caught:
            open_store("s3://b/x", StoreOptions(endpoint="http://user:pass@host"))
        assert "pass@" not in str(caught.value)

    def test_importing_and_opening_load_no_driver(self):
        code = """
import sys, pyspark_logs.store as store
from pyspark_logs.options import StoreOptions
first = sorted({name.split(".")[0] for name in sys.modules} & {"s3fs", "fsspec", "botocore", "aiobotocore", "pyarrow"})
store.open_store("s3://b/x", StoreOptions()); store.open_store("/x", StoreOptions())
then = sorted({name.split(".")[0] for name in sys.modules} & {"s3fs", "fsspec", "botocore", "aiobotocore", "pyarrow"})
print(first, then)
"""
        assert (
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[] []\n"
        )


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "canonical"),
        [
            ("/var/log", "/var/log"),
            ("/var/log//", "/var/log/"),
            ("/var//log/../x", "/var/x"),
            ("/", "/"),
            ("file:///var/log", "/var/log"),
            ("file:/var/log/", "/var/log/"),
            ("file://localhost/var", "/var"),
            ("s3://b", "s3://b"),
            ("s3://b/", "s3://b/"),
            ("S3A://b/app//x///", "s3a://b/app//x/"),
            ("s3://b/dt={2026,2027}/*", "s3://b/dt={2026,2027}/*"),
            ("memory://x/y", "memory://x/y"),
            ("memory:///x", "memory:///x"),
            ("gs://b/x", "gs://b/x"),
        ],
    )
    def test_normalise(self, path, canonical):
        assert normalise(path) == canonical
        assert normalise(canonical) == canonical

    def test_relative_paths_become_absolute(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert normalise("logs/a") == f"{tmp_path}/logs/a"
        assert normalise("a:b/c") == f"{tmp_path}/a:b/c"

    @pytest.mark.parametrize(
        ("path", "problem"),
        [
            ("", "empty path"),
            ("s3://", "no bucket"),
            ("s3:///key", "no bucket"),
            ("gs:///key", "no bucket"),
            ("hdfs:/x", "one slash"),
            ("file://host/x", "host"),
            ("zip://a::s3://b/c.zip", "chained"),
        ],
    )
    def test_normalise_refuses(self, path, problem):
        with pytest.raises(OptionError, match=problem):
            normalise(path)

    def test_split_and_join(self):
        assert split_scheme("s3://b/k") == ("s3", "b/k")
        assert split_scheme("file:///x") == ("", "/x")
        assert split_scheme("/a:b") == ("", "/a:b")
        assert join("s3://b/", "k") == join("s3://b", "k") == "s3://b/k"
        assert split_bucket("s3://b") == ("s3://b/", "b", "")
        assert split_bucket("s3a://b/k/l/") == ("s3a://b/", "b", "k/l/")
        arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/logs"
        assert split_bucket(f"s3://{arn}/k/l") == (f"s3://{arn}/", arn, "k/l")
        with pytest.raises(OptionError, match="no bucket"):
            split_bucket("s3://")
