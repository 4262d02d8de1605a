"""Other fsspec file systems, with a driver defined for the tests."""

from __future__ import annotations

import itertools

import pytest

from pyspark_logs.errors import CircuitOpenError, OptionError, PathNotFoundError, ReadOnlyStoreError, StoreError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import open_store
from tests.unit.store.read_suite import MemoryReadSuite

_roots = itertools.count()


class TestReads(MemoryReadSuite):
    """The code path of gs:// and abfs://, with a driver defined here."""

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
        self.root = f"{self.scheme}://generic{next(_roots)}/"
        self.store = open_store(self.root, StoreOptions())
        self.put("zz-keeps-the-bucket", b"")
        self.root += "dir/"

    def test_a_missing_bucket_is_an_error(self):
        with pytest.raises(PathNotFoundError, match="logstest://none/x"):
            self.store.list_page("logstest://none/x/", recursive=True)

    def test_the_search_for_an_empty_bucket_is_counted(self):
        calls = []
        cls = type(self.store._filesystem(self.root))
        with pytest.MonkeyPatch.context() as patch:
            ls = cls.ls
            patch.setattr(cls, "ls", lambda *args, **kwargs: calls.append(args) or ls(*args, **kwargs))
            for _ in range(2):
                assert self.store.list_page(f"{self.root}none/", recursive=True).files == ()
        assert self.store.request_counts["LIST"] == len(calls) == 3

    @pytest.mark.parametrize("error", [TypeError("no"), KeyError("x"), AssertionError("wrong")])
    def test_a_defect_of_a_program_is_raised_as_it_is(self, monkeypatch, error):
        cause = ValueError("the reason")

        def fail(*args, **kwargs):
            raise error from cause

        monkeypatch.setattr(type(self.store._filesystem(self.root)), "ls", fail)
        with pytest.raises(type(error)) as caught:
            self.store.list_page(self.root, recursive=True)
        assert caught.value is error
        assert caught.value.__cause__ is cause

    def test_a_failure_of_the_store_behind_a_type_error_is_translated(self, monkeypatch):
        def fail(*args, **kwargs):
            raise TypeError("no response") from ConnectionError("unreachable")

        monkeypatch.setattr(type(self.store._filesystem(self.root)), "ls", fail)
        with pytest.raises(StoreError, match="unreachable"):
            self.store.list_page(self.root, recursive=True)

    @pytest.mark.parametrize(
        ("scheme", "advice"), [("hdfs", "set JAVA_HOME"), ("dbfs", "write /dbfs/"), ("logstest", "in storageOptions")]
    )
    def test_a_driver_that_cannot_be_created_is_an_error_with_advice(self, monkeypatch, scheme, advice):
        def fail(*args, **kwargs):
            raise TypeError("missing\n" * 100)

        import fsspec

        monkeypatch.setattr(type(self.store._filesystem(self.root)), "__init__", fail)
        monkeypatch.setattr(
            fsspec, "get_filesystem_class", lambda scheme, cls=fsspec.get_filesystem_class: cls("logstest")
        )
        with pytest.raises(
            OptionError, match=rf"driver of {scheme}:// cannot be created: missing .{{190,200}}…\. .*{advice}"
        ):
            open_store(f"{scheme}://a/b", StoreOptions()).list_page(f"{scheme}://a/b/", recursive=True)

    def test_consecutive_failures_open_the_circuit(self, monkeypatch):
        def fail(*args, **kwargs):
            raise ConnectionError("unreachable")

        monkeypatch.setattr(type(self.store._filesystem(self.root)), "ls", fail)
        for _ in range(4):
            with pytest.raises(StoreError, match="unreachable"):
                self.store.list_page(self.root, recursive=True)
        for _ in range(2):
            with pytest.raises(CircuitOpenError, match="5 requests in a row"):
                self.store.list_page(self.root, recursive=True)

    def test_options_for_s3_are_rejected(self):
        store = open_store(self.root, StoreOptions(endpoint="http://x"))
        with pytest.raises(OptionError, match="storageOptions"):
            store.head(self.root + "x")

    def test_files_are_read_and_not_written(self):
        path = self.put("a", b"x")
        assert self.store.get(path) == b"x"
        assert self.store.get(path + "b") is None
        with pytest.raises(ReadOnlyStoreError, match="logstest:// is read-only here"):
            self.store.create(path, b"x")
