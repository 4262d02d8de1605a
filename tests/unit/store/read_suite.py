"""Tests of reading that all stores inherit."""

from __future__ import annotations

import gc
import os
import pickle
import random
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from pyspark_logs.errors import PathNotFoundError, SnapshotChangedError, TruncatedBodyError
from pyspark_logs.store import Page, Store, StoredFile

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
    """Returns the result of ``work()`` in a forked child, or the traceback of its exception."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12+ warns of forks with threads
        pid = os.fork()
    if pid == 0:
        try:
            text = str(work())
        except BaseException:  # noqa: BLE001 - the parent reports it
            text = traceback.format_exc()
        os.write(writing, text.encode()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(pid, 0)
    return text


class ReadSuite:
    """Tests of all stores. A subclass defines ``store``, ``root`` (ending in a slash) and ``put``."""

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

    def test_a_prefix_need_not_end_at_a_slash(self):
        self.put_tree()
        assert self.names("app", recursive=False) == (["apple.log"], ["app/"])
        assert self.names("app/dt=", recursive=False) == ([], ["app/dt=1/", "app/dt=2/"])
        assert self.names("app/dt=1", recursive=True) == (["app/dt=1/a.log", "app/dt=1/b.log"], [])
        assert self.names("app/dt=1/a", recursive=True) == (["app/dt=1/a.log"], [])
        assert self.names("app/dt=1/a.log", recursive=False) == (["app/dt=1/a.log"], [])

    def test_listing_an_unused_prefix_is_empty(self):
        self.put("app/a.log", b"x")
        for prefix in ("nothing/", "app/nothing", "app/nothing/deep/", "app/a.log/"):
            for recursive in (True, False):
                assert self.store.list_page(self.root + prefix, recursive=recursive) == Page((), (), None)

    def test_listings_are_in_the_order_of_paths(self):
        names = ["b.log", "b/a.log", "b-c.log", "b/a/x", "a"]
        for name in names:
            self.put(name, b"x")
        assert self.names("", recursive=True)[0] == sorted(names)

    def test_listing_and_head_describe_a_file_alike(self):
        before = time.time() * 1000
        path = self.put("app/a.log", b"four")
        (file,) = self.store.list_page(self.root + "app/", recursive=True).files
        assert file == self.store.head(path)
        assert file.path == path
        assert file.size == 4
        assert before - 2000 <= file.modified_ms <= time.time() * 1000 + 2000
        assert file.etag
        assert '"' not in file.etag

    def test_head_of_missing_files_and_directories(self):
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
    def test_chunks_have_a_maximum_size(self, chunk_bytes):
        path = self.put("a.log", DATA[: 100_000 if chunk_bytes == 1000 else None])
        chunks = list(self.store.read(path, chunk_bytes=chunk_bytes))
        assert b"".join(chunks) == DATA[: 100_000 if chunk_bytes == 1000 else None]
        assert max(map(len, chunks)) <= chunk_bytes
        assert all(chunks)
        assert b"".join(self.store.read(path, 7, 99_000, chunk_bytes=chunk_bytes)) == DATA[7:99_000]

    def test_reading_an_empty_file(self):
        path = self.put("a.log", b"")
        assert self.store.head(path).size == 0
        for end in (None, 0, 5):
            assert list(self.store.read(path, 0, end)) == []

    def test_reading_a_missing_file_names_it(self):
        for etag in ("", "0123"):
            with pytest.raises(PathNotFoundError, match=r"none\.log") as caught:
                list(self.store.read(self.root + "none.log", etag=etag))
            assert isinstance(caught.value, FileNotFoundError)

    def test_reading_another_version_fails(self):
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
    def test_names_with_special_characters(self, name):
        path = self.put(name, b"x")
        assert self.names("", recursive=True)[0] == [name]
        assert self.store.head(path).path == path
        assert read_all(self.store, path) == b"x"

    def test_pickles_hold_only_options(self):
        path = self.put("a.log", b"x")
        assert read_all(self.store, path) == b"x"
        copy = pickle.loads(pickle.dumps(self.store))
        assert type(copy) is type(self.store)
        assert copy.options == self.store.options
        assert copy._handles == {}
        assert copy.request_counts == {}
        assert read_all(copy, path) == b"x"

    def test_a_forked_child_does_not_disturb_its_parent(self):
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

    def test_requests_are_counted(self):
        path = self.put("a.log", b"x")
        self.store.list_page(self.root, recursive=False)
        self.store.head(path)
        list(self.store.read(path))
        assert self.store.request_counts["LIST"] == 1
        assert self.store.request_counts["GET"] == 1
        assert self.store.request_counts["HEAD"] >= 1


class MemoryReadSuite(ReadSuite):
    """Reads of files in fsspec's memory file system. A subclass defines ``scheme`` as well."""

    scheme: str

    def put(self, name, data):
        from fsspec.implementations.memory import MemoryFileSystem

        MemoryFileSystem().pipe_file("memory://" + (self.root + name).split("://")[1], data)
        return self.root + name

    def test_short_responses_are_an_error(self, monkeypatch):
        path = self.put("a.log", b"x" * 100)
        etag = self.store.head(path).etag
        monkeypatch.setattr(type(self.store._filesystem(path)), "cat_file", lambda *args, **kwargs: b"x")
        with pytest.raises(TruncatedBodyError, match="1 bytes came"):
            list(self.store.read(path, etag=etag))
