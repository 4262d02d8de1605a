"""Files in memory."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest

from pyspark_logs.errors import StoreError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import open_store
from tests.unit.store.read_suite import MemoryReadSuite
from tests.unit.store.write_suite import WriteSuite

_roots = itertools.count()


class TestReads(MemoryReadSuite):
    scheme = "memory"

    @pytest.fixture(autouse=True)
    def prepare(self):
        self.root = f"{self.scheme}://reads{next(_roots)}/"
        self.store = open_store(self.root, StoreOptions())


class TestWrites(WriteSuite):
    @pytest.fixture(autouse=True)
    def prepare(self):
        self.root = f"memory://writes{next(_roots)}/"
        self.store = open_store(self.root, StoreOptions())

    def test_a_repeated_part_replaces_the_first(self):
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

    def test_other_libraries_see_the_files(self):
        from fsspec.implementations.memory import MemoryFileSystem

        self.complete("dt=1/a", b"x")
        assert MemoryFileSystem().cat_file(self.root + "dt=1/a") == b"x"
        assert MemoryFileSystem().find(self.root) == [f"/{self.root.split('://')[1]}dt=1/a"]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_forked_child_can_acquire_the_lock(self):
        # In a new process, because the coverage measurement has a lock that a forked child would inherit.
        code = """
import os, threading, warnings
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import open_store

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12+ warns of forks with threads
store, done = open_store("memory://x/", StoreOptions()), threading.Event()
store.put("memory://x/a", b"x")  # imports all modules before the thread starts

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
