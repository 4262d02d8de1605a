"""Staging: what a task writes comes back line for line; files end where they must; nothing leaks, memory is bounded."""

from __future__ import annotations

import json
import logging
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs import staging
from pyspark_logs.codecs import codec_for
from pyspark_logs.errors import OptionError, StoreError
from pyspark_logs.jobs import Job, StagedFile, job_of
from pyspark_logs.options import StoreOptions, WriteRules
from pyspark_logs.staging import TaskFiles
from pyspark_logs.store import Store, open_store
from tests.support.s3_server import S3Bucket

MIB = 1 << 20
PLAIN = WriteRules(compression="none")


def job_in(root: str) -> Job:
    return Job.start(root.rstrip("/") + "/", random="seed", now_us=1_795_305_600_000_000)


def to_bytes(lines: pa.StringArray) -> bytes:
    return "".join(lines.to_pylist()).encode()


def lines_of(*texts: str) -> pa.StringArray:
    return pa.array([text + "\n" for text in texts], pa.string())


class Task:
    """A task's files below one root, and what a reader sees of them once they are published."""

    def __init__(self, store: Store, root: str, rules: WriteRules = PLAIN, task: int = 3, attempt: int = 1) -> None:
        self.store, self.job, self.rules = store, job_in(root), rules
        suffix = "log" + "".join(codec_for("", rules.compression).suffixes[:1])
        self.files = TaskFiles(
            store, job=self.job, task=task, attempt=attempt, rules=rules, suffix=suffix, to_bytes=to_bytes
        )

    def publish(self, staged: Sequence[StagedFile]) -> None:
        for file in staged:
            assert self.store.complete_upload(self.job.root + file.key, file.upload_id, file.parts, size=file.size)

    def texts(self, staged: Sequence[StagedFile]) -> list[list[str]]:
        """The lines of each file, after it was published."""
        self.publish(staged)
        found = []
        for file in staged:
            path = self.job.root + file.key
            data = self.store.get(path)
            assert data is not None
            assert len(data) == file.size
            text = b"".join(codec_for(path).decompress(iter([data]), path=path))
            found.append(text.decode().splitlines())
            assert len(found[-1]) == file.rows
        return found


@pytest.fixture
def local(tmp_path: Path) -> Callable[..., Task]:
    def make(rules: WriteRules = PLAIN, **arguments: Any) -> Task:
        store = arguments.pop("store", None) or open_store(str(tmp_path), StoreOptions())
        return Task(store, str(tmp_path), rules, **arguments)

    return make


def open_uploads(task: Task) -> int:
    return len(task.store.list_uploads(task.job.root).uploads)


class TestFiles:
    def test_a_file_a_directory_named_for_its_place(self, local: Callable[..., Task]) -> None:
        task = local()
        task.files.write("a/x", lines_of("1", "2"))
        task.files.write("", lines_of("3"))
        task.files.write("a/x", lines_of("4"))
        staged = task.files.close()
        job = task.job.id
        assert [file.key for file in staged] == [f"a/x/part-00003-1-{job}-0.log", f"part-00003-1-{job}-1.log"]
        assert [job_of(file.key) for file in staged] == [job, job]
        assert [file.rows for file in staged] == [3, 1]
        assert task.texts(staged) == [["1", "2", "4"], ["3"]]

    def test_nothing_is_there_before_it_is_published(self, local: Callable[..., Task]) -> None:
        task = local()
        task.files.write("a", lines_of("1"))
        staged = task.files.close()
        root = Path(task.job.root)
        assert {path.relative_to(root).parts[0] for path in root.rglob("*") if path.is_file()} == {"_staging"}
        task.publish(staged)
        assert [path.name for path in root.iterdir()] == ["a"]

    def test_no_rows_no_file_and_no_request(self, local: Callable[..., Task]) -> None:
        task = local()
        task.files.write("a", lines_of())
        assert task.files.close() == ()
        assert task.store.request_counts == Counter()

    @pytest.mark.parametrize("compression", ["none", "gzip", "zstd", "bzip2", "lz4", "xz"])
    def test_every_codec(self, local: Callable[..., Task], compression: str) -> None:
        task = local(WriteRules(compression=compression))
        task.files.write("a", lines_of("é", "日"))
        task.files.write("a", lines_of(""))
        staged = task.files.close()
        assert staged[0].key.endswith("-0.log" + "".join(codec_for("", compression).suffixes[:1]))
        assert task.texts(staged) == [["é", "日", ""]]

    def test_a_level_is_the_codecs(self, local: Callable[..., Task]) -> None:
        rng = random.Random(1)
        lines = lines_of(*(f"{rng.getrandbits(30)} GET /{rng.getrandbits(8)}" for _ in range(20_000)))
        sizes = []
        for level in (1, 9):
            task = local(WriteRules(compression="gzip", compression_level=level), attempt=level)
            task.files.write("a", lines)
            sizes.append(task.files.close()[0].size)
        assert sizes[0] > sizes[1]

    @pytest.mark.parametrize("dtype", [pa.string(), pa.large_string()])
    def test_lines_of_every_array(self, local: Callable[..., Task], dtype: pa.DataType) -> None:
        task = local(WriteRules(compression="none", max_records_per_file=2))
        task.files.write("a", lines_of("0", "1", "2", "3").cast(dtype).slice(1))
        assert task.texts(task.files.close()) == [["1", "2"], ["3"]]

    def test_lines_travel_as_the_format_encodes_them(self, local: Callable[..., Task]) -> None:
        task = local()
        task.files = TaskFiles(
            task.store, job=task.job, task=0, attempt=0, rules=PLAIN, suffix="log",
            to_bytes=lambda lines: memoryview("".join(lines.to_pylist()).encode("utf-16-le")),
        )  # fmt: skip
        task.files.write("", lines_of("é"))
        (file,) = task.files.close()
        task.publish([file])
        assert (Path(task.job.root) / file.key).read_bytes() == "é\n".encode("utf-16-le")


class TestEnds:
    @pytest.mark.parametrize(("most", "batches"), [(1, [3]), (2, [5]), (5, [5, 5]), (4, [3, 3, 3]), (1000, [3000, 1])])
    def test_records_are_counted_exactly(self, local: Callable[..., Task], most: int, batches: list[int]) -> None:
        task = local(WriteRules(compression="gzip", max_records_per_file=most))
        for rows in batches:
            task.files.write("a", lines_of(*map(str, range(rows))))
        rows = sum(batches)
        staged = task.files.close()
        assert [file.rows for file in staged] == [most] * (rows // most) + [rows % most] * (rows % most > 0)
        assert list(chain(*task.texts(staged))) == [str(row) for rows in batches for row in range(rows)]

    def test_plain_text_ends_with_the_record_that_reaches_the_size(self, local: Callable[..., Task]) -> None:
        task = local(WriteRules(compression="none", max_file_bytes=100))
        for rows in (7, 1, 20):
            task.files.write("a", lines_of(*["x" * 29] * rows))
        staged = task.files.close()
        assert [file.size for file in staged] == [120] * 7
        # The very size is enough.
        task = local(WriteRules(compression="none", max_file_bytes=90), attempt=2)
        task.files.write("a", lines_of(*["x" * 29] * 7))
        assert [file.size for file in task.files.close()] == [90, 90, 30]

    def test_compressed_files_end_near_the_size(self, local: Callable[..., Task]) -> None:
        rng = random.Random(2)
        lines = lines_of(*(f"{rng.getrandbits(60):x}" for _ in range(200_000)))
        task = local(WriteRules(compression="gzip", compression_level=1, max_file_bytes=300_000))
        task.files.write("a", lines)
        sizes = [file.size for file in task.files.close()]
        assert len(sizes) > 3
        # What a compressor still holds, and a slice of text, come on top.
        assert all(300_000 <= size < 400_000 for size in sizes[:-1])

    def test_the_least_recently_written_gives_its_place(self, local: Callable[..., Task]) -> None:
        task = local(WriteRules(compression="gzip", max_open_files=2))
        for directory in ("a", "b", "a", "c", "a", "b"):
            task.files.write(directory, lines_of(directory))
        staged = task.files.close()
        # b gave way to c, and c to b.
        assert [file.key.split("/")[0] for file in staged] == ["a", "b", "c", "b"]
        assert task.texts(staged) == [["a", "a", "a"], ["b"], ["c"], ["b"]]

    def test_a_file_with_all_the_parts_there_can_be(
        self, local: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(staging, "MAX_PARTS", 3)
        task = local(WriteRules(compression="none", part_bytes=10, max_file_bytes=None))
        for row in range(8):
            task.files.write("a", lines_of(f"{row:09}"))
        staged = task.files.close()
        assert all(len(file.parts) <= 3 for file in staged)
        assert list(chain(*task.texts(staged))) == [f"{row:09}" for row in range(8)]

    @given(
        writes=st.lists(st.tuples(st.sampled_from(["a", "b", "c", ""]), st.lists(st.integers(0, 60), max_size=9)), max_size=9),
        most_bytes=st.none() | st.integers(1, 200),
        most_records=st.none() | st.integers(1, 7),
        most_open=st.integers(1, 4),
        part_bytes=st.integers(1, 100),
        compression=st.sampled_from(["none", "gzip"]),
    )  # fmt: skip
    def test_what_was_written_comes_back(
        self, tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[str, list[int]]], compression: str,
        most_bytes: int | None, most_records: int | None, most_open: int, part_bytes: int,
    ) -> None:  # fmt: skip
        root = str(tmp_path_factory.mktemp("root"))
        rules = WriteRules(
            compression=compression, max_file_bytes=most_bytes, max_records_per_file=most_records,
            max_open_files=most_open, part_bytes=part_bytes,
        )  # fmt: skip
        task = Task(open_store(root, StoreOptions()), root, rules)
        wanted: dict[str, list[str]] = {}
        for number, (directory, sizes) in enumerate(writes):
            texts = [f"{number}-{row}-" + "x" * size for row, size in enumerate(sizes)]
            task.files.write(directory, lines_of(*texts))
            wanted.setdefault(directory, []).extend(texts)
        staged = task.files.close()
        found: dict[str, list[str]] = {}
        for file, texts in zip(staged, task.texts(staged), strict=True):
            found.setdefault(file.key.rpartition("/")[0], []).extend(texts)
            assert 0 < file.rows <= (most_records or file.rows)
            if compression == "none" and most_bytes is not None:
                assert file.size - len(texts[-1]) - 1 < most_bytes
        assert found == {directory: texts for directory, texts in wanted.items() if texts}
        assert open_uploads(task) == 0


class TestUploads:
    def test_a_small_file_takes_two_requests_and_one_to_publish(self, s3: S3Bucket) -> None:
        task = Task(open_store(s3.url, s3.options), f"{s3.url}/app", WriteRules())
        for directory in ("a", "b"):
            task.files.write(directory, lines_of("1", "2"))
        staged = task.files.close()
        assert task.store.request_counts == Counter(CREATE=2, PART=2)
        assert task.texts(staged) == [["1", "2"]] * 2

    def test_parts_are_sent_as_they_fill(self, s3: S3Bucket) -> None:
        task = Task(open_store(s3.url, s3.options), f"{s3.url}/app", replace(PLAIN, part_bytes=5 * MIB))
        lines = lines_of(*["x" * 1023] * 1024)
        for _ in range(12):
            task.files.write("a", lines)
        (file,) = task.files.close()
        assert len(file.parts) == 3
        assert task.store.request_counts == Counter(CREATE=1, PART=3)
        task.publish([file])
        head = task.store.head(task.job.root + file.key)
        assert head is not None
        assert (head.size, head.token) == (12 * MIB, task.job.id)

    def test_parts_too_small_for_the_store_are_refused(self, s3: S3Bucket) -> None:
        with pytest.raises(
            OptionError,
            match=r"'partSize': 1048576 bytes are too few, s3:// requires parts of at least 5242880 bytes.* 5m",
        ):
            Task(open_store(s3.url, s3.options), f"{s3.url}/app", replace(PLAIN, part_bytes=MIB))

    def test_a_level_that_is_none_is_refused_before_any_row(self, local: Callable[..., Task]) -> None:
        with pytest.raises(OptionError, match="'compressionLevel': 77 is not a level of gzip"):
            local(WriteRules(compression_level=77))

    def test_discarded_is_gone(self, s3: S3Bucket) -> None:
        task = Task(open_store(s3.url, s3.options), f"{s3.url}/app", WriteRules(max_open_files=1))
        for directory in ("a", "b", "c"):
            task.files.write(directory, lines_of("1"))
        task.files.discard()
        assert open_uploads(task) == 0
        with pytest.raises(RuntimeError, match="aborted"):
            task.files.write("a", lines_of("1"))

    @pytest.mark.parametrize("times", [1, 2])
    def test_discarded_after_its_end_too(self, local: Callable[..., Task], times: int) -> None:
        task = local()
        task.files.write("a", lines_of("1"))
        assert len(task.files.close()) == 1
        assert open_uploads(task) == 1
        for _ in range(times):
            task.files.discard()
        assert open_uploads(task) == 0


class Failing(Store):
    """A local store in which a request fails, and requests take time."""

    def __init__(self, inner: Store, fail: Callable[[str, str], bool], delay_s: float = 0.0) -> None:
        super().__init__("", StoreOptions())
        self.inner, self.fail, self.delay_s = inner, fail, delay_s
        self.most = self.busy = 0
        self.guard = threading.Lock()

    min_part_bytes = 1

    def call(self, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
        with self.guard:
            self.busy += 1
            self.most = max(self.most, self.busy)
        try:
            time.sleep(self.delay_s)
            if self.fail(method, path):
                raise StoreError(f"{method} {path} failed")
            return getattr(self.inner, method)(path, *args, **kwargs)
        finally:
            with self.guard:
                self.busy -= 1

    def start_upload(self, path: str, **kwargs: Any) -> str:
        return self.call("start_upload", path, **kwargs)

    def upload_part(self, path: str, *args: Any) -> str:
        return self.call("upload_part", path, *args)

    def abort_upload(self, path: str, upload_id: str) -> None:
        self.call("abort_upload", path, upload_id)

    def list_uploads(self, prefix: str, token: str | None = None) -> Any:
        return self.inner.list_uploads(prefix, token)

    list_page = head = read = complete_upload = None  # type: ignore[assignment]


class TestErrors:
    @pytest.fixture
    def failing(self, tmp_path: Path, local: Callable[..., Task]) -> Callable[..., Task]:
        def make(fail: Callable[[str, str], bool], rules: WriteRules = PLAIN, delay_s: float = 0.0) -> Task:
            return local(rules, store=Failing(open_store(str(tmp_path), StoreOptions()), fail, delay_s))

        return make

    @pytest.mark.parametrize("method", ["start_upload", "upload_part"])
    def test_an_error_comes_out_and_nothing_stays(self, failing: Callable[..., Task], method: str) -> None:
        task = failing(lambda called, path: called == method and "/b/" in path)
        for directory in ("a", "b", "c"):
            task.files.write(directory, lines_of("1"))
        with pytest.raises(StoreError, match=f"^{method} .*/b/"):
            task.files.close()
        task.files.discard()
        assert open_uploads(task) == 0

    def test_an_error_in_the_background_stops_the_next_write(self, failing: Callable[..., Task]) -> None:
        task = failing(lambda called, path: "/a/" in path, replace(PLAIN, part_bytes=1))
        task.files.write("a", lines_of("1"))
        deadline = time.monotonic() + 20
        while task.files._queue._error is None and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(StoreError, match="/a/"):
            task.files.write("b", lines_of("1"))
        task.files.discard()
        assert open_uploads(task) == 0

    def test_discarding_goes_on_after_an_error(
        self, failing: Callable[..., Task], caplog: pytest.LogCaptureFixture
    ) -> None:
        task = failing(lambda called, path: called == "abort_upload" and "/b/" in path)
        for directory in ("a", "b", "c"):
            task.files.write(directory, lines_of("1"))
        task.files.close()
        with caplog.at_level(logging.WARNING, "pyspark_logs.staging.uploads"):
            task.files.discard()
        assert open_uploads(task) == 1
        assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
            "its upload could not be aborted; `pyspark-logs vacuum` removes it"
        ]

    def test_what_waits_behind_an_error_is_not_sent(self, failing: Callable[..., Task]) -> None:
        task = failing(lambda called, path: False)
        queue, upload = task.files._queue, staging.uploads.Upload(task.job, "a/x.log")
        queue._error, queue._sending = StoreError("failed"), {upload: 1}
        queue._run(upload, b"1")
        assert open_uploads(task) == 0
        assert queue._sending == {}

    def test_requests_run_side_by_side_but_not_too_many(self, failing: Callable[..., Task]) -> None:
        task = failing(lambda called, path: False, delay_s=0.02)
        for number in range(16):
            task.files.write(f"{number}", lines_of("1"))
        assert len(task.files.close()) == 16
        assert task.store.most == staging.uploads.THREADS

    def test_what_is_on_its_way_is_bounded_in_bytes(
        self, failing: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(staging.uploads, "MAX_SENDING_BYTES", 150)
        task = failing(lambda called, path: False, replace(PLAIN, part_bytes=1), delay_s=0.005)
        for number in range(8):
            # 100 bytes a part: two would be too many.
            task.files.write(f"{number}", lines_of("x" * 99))
        task.files.close()
        assert task.store.most == 1


class TestMemory:
    def test_what_waits_is_sent_or_ended(self, local: Callable[..., Task], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(staging, "MAX_WAITING_BYTES", 1000)
        task = local(replace(PLAIN, part_bytes=10_000))
        monkeypatch.setattr(type(task.store), "min_part_bytes", 400)
        waits = []
        for number in range(40):
            # "a" grows fast, and gets parts; the others never reach one.
            task.files.write("a", lines_of("x" * 149))
            task.files.write(f"b{number % 5}", lines_of("x" * 49))
            waits.append(sum(file.waiting for file in task.files._open.values()))
        assert max(waits) <= 1000
        staged = task.files.close()
        (in_a,) = (file for file in staged if file.key.startswith("a/"))
        assert len(in_a.parts) > 3
        assert {len(file.parts) for file in staged if file is not in_a} == {1}
        assert 6 < len(staged) < 20
        assert sum(file.rows for file in staged) == 80

    def test_of_files_too_small_for_a_part_one_not_written_for_a_while_is_ended(
        self, local: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(staging, "MAX_WAITING_BYTES", 1000)
        task = local(replace(PLAIN, part_bytes=10_000))
        monkeypatch.setattr(type(task.store), "min_part_bytes", 5_000)
        for directory, size in (("idle", 400), ("tiny", 1), ("busy", 500), ("new", 200)):
            task.files.write(directory, lines_of("x" * (size - 1)))
        assert list(task.files._open) == ["tiny", "busy", "new"]

    def test_a_task_with_many_directories_open_stays_small(self, s3: S3Bucket) -> None:
        code = f"""
import json, random
import pyarrow as pa
from pyspark_logs.jobs import Job
from pyspark_logs.options import StoreOptions, WriteRules
from pyspark_logs.staging import TaskFiles
from pyspark_logs.store import open_store

options = StoreOptions(endpoint={s3.endpoint!r}, region="us-east-1", access_key="testing", secret_key="secret")
store = open_store({s3.url!r}, options)
job = Job.start({s3.url!r} + "/app/", random="seed", now_us=1_795_305_600_000_000)
files = TaskFiles(store, job=job, task=0, attempt=0, rules=WriteRules(compression_level=1), suffix="log.gz",
                  to_bytes=lambda lines: b"".join(line.as_buffer() for line in lines))
# Beyond the window in which gzip finds what repeats: only the hexadecimal digits shrink, to a bit more than half.
lines = pa.array([random.Random(n).randbytes(128).hex() + "\\n" for n in range(2000)])
for turn in range(7):
    for number in range(64):
        files.write(f"k={{number}}", lines)
staged = files.close()
status = open("/proc/self/status").read()
print(json.dumps({{
    "peak_kib": int(status.partition("VmHWM:")[2].split()[0]),
    "files": len(staged), "rows": sum(file.rows for file in staged), "bytes": sum(file.size for file in staged),
}}))
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["rows"] == 7 * 64 * 2000
        assert found["bytes"] > 110 * MIB  # more than may wait
        assert found["files"] > 64
        assert found["peak_kib"] < 400 << 10
