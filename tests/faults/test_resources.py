"""A full disk, a read-only directory, few descriptors, and a clock that is an hour off: right, or an error and nothing lost."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from pyspark_logs import recover, scan, vacuum, write
from pyspark_logs.errors import LogSourceError, ReadOnlyStoreError, StoreError
from pyspark_logs.options import parse_read_options, parse_write_options
from pyspark_logs.store import local, local_files
from pyspark_logs.stream import LogStream, listings, log_stream
from pyspark_logs.writer import LogWriter
from tests.support.s3_server import S3Bucket

FORMAT = {"template": "{job} {n:long}"}
HOUR_NS = 3_600_000_000_000


def rows(job: str, count: int = 20, width: int = 0) -> pa.Table:
    """Returns rows of a job; with a width, each has this many random characters."""
    return pa.table({"job": [job + os.urandom(width // 2).hex() for _ in range(count)], "n": range(count)})


def jobs_at(root: Path) -> dict[str, int]:
    """Returns the number of rows by job that a reader finds."""
    found = scan(root, mode="FAILFAST", **FORMAT).read_all()["job"].to_pylist()
    return {job: found.count(job) for job in found}


def staged_files(root: Path) -> list[Path]:
    return [path for path in root.glob("_staging/**/*") if path.is_file()]


# --- disks


def test_no_space_from_each_write_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk stays full during the abort. Later the space is there again."""
    write_all = local_files.write_all
    for allowed in itertools.count():
        root, count = tmp_path / str(allowed), itertools.count()
        write(rows("old"), root, **FORMAT)

        def fill(file: Any, data: bytes, count: Iterator[int] = count, allowed: int = allowed) -> None:
            if next(count) >= allowed:
                write_all(file, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            write_all(file, data)

        with monkeypatch.context() as patch:
            for module in (local, local_files):
                patch.setattr(module, "write_all", fill)
            try:
                write(rows("new"), root, **FORMAT)
            except LogSourceError as error:
                assert "no space left" in str(error)  # noqa: PT017 - the loop ends when there is no error
            else:
                break
        assert jobs_at(root) == {"old": 20}
        recover(root, "0s")
        vacuum(root, "0s")
        assert staged_files(root) == []
        write(rows("new"), root, **FORMAT)
        assert jobs_at(root) == {"old": 20, "new": 20}
    assert allowed >= 3  # a part, the intent, the record


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    folder, mount = tmp_path / "disk", shutil.which("mount")
    folder.mkdir()
    command = [str(mount), "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_is_full_and_later_read_only(small_disk: Path) -> None:
    root = small_disk / "out"
    write(rows("old"), root, **FORMAT)
    with pytest.raises(StoreError, match="no space left"):
        write(rows("new", 2000, width=1000), root, **FORMAT)
    assert staged_files(root) == []
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    with pytest.raises(StoreError, match="no space left"):
        write(rows("new"), root, **FORMAT)
    recover(root, "0s")
    vacuum(root, "0s")
    assert (jobs_at(root), staged_files(root)) == ({"old": 20}, [])
    filler.unlink()
    write(rows("new"), root, **FORMAT)

    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert jobs_at(root) == {"old": 20, "new": 20}
    with pytest.raises(ReadOnlyStoreError, match="mounted read-only"):
        write(rows("third"), root, **FORMAT)
    with pytest.raises(ReadOnlyStoreError, match="mounted read-only"):
        vacuum(root, "0s")


# --- descriptors

_FEW_DESCRIPTORS = """
import json, resource, sys
import pyarrow as pa
from pyspark_logs import scan, write
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
table = pa.table({"n": range(160), "part": [f"p{n % 80}" for n in range(160)]})
for root, options in json.loads(sys.argv[1]):
    options = {**options, "template": "{n:long}", "layout": "{part}"}
    write(table, root, **options)
    found = scan(root, mode="FAILFAST", **options).read_all()
    assert sorted(found["n"].to_pylist()) == list(range(160)), found.num_rows
"""


def test_64_descriptors_suffice_for_80_directories(s3: S3Bucket, tmp_path: Path) -> None:
    keys = {"endpoint": s3.endpoint, "region": "us-east-1", "accessKey": "testing", "secretKey": "test-secret"}
    roots = json.dumps([(str(tmp_path / "out"), {}), (f"{s3.url}/out", keys)])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _FEW_DESCRIPTORS, roots]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr[-4000:]


# --- memory

_LITTLE_MEMORY = """
import os, resource, signal, sys, traceback
from pathlib import Path
import pyarrow as pa
import pyspark_logs.reader, pyspark_logs.api.scan
root, rows = sys.argv[1], int(sys.argv[2])
outcomes = []
for extra in [2**20 * n for n in (0, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 1024)]:
    child = os.fork()
    if child == 0:
        size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        signal.alarm(20 if extra < 2**30 else 0)  # the last attempt has enough memory, and does not hang
        resource.setrlimit(resource.RLIMIT_AS, (size + extra, size + extra))
        try:
            found = pyspark_logs.scan(root, template="{n:long} {message}", ignoreCorruptFiles=True, fetchThreads=1)
            numbers = sorted(n for batch in found for n in batch["n"].to_pylist())
            os._exit(0 if numbers == list(range(rows)) else 1)
        except BaseException:
            if extra == 2**30:
                traceback.print_exc()
            os._exit(2)
    status = os.waitpid(child, 0)[1]
    outcomes.append("hang" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM else "crash" if os.WIFSIGNALED(status) else ("right", "wrong", "error")[min(os.WEXITSTATUS(status), 2)])
print(*outcomes)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does")
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd", "bzip2", "xz", "lz4"])
def test_a_reader_with_little_memory_loses_no_row(tmp_path: Path, compression: str) -> None:
    """With ``ignoreCorruptFiles``, because a damaged file would be passed over.

    An attempt may also crash, or hang: Python waits for the start of a thread that has no memory to start.
    """
    root = tmp_path / "out"
    table = pa.table({"n": range(40_000), "message": [os.urandom(40).hex() for _ in range(40_000)]})
    write(table, root, template="{n:long} {message}", compression=compression, maxRecordsPerFile=20_000)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "ARROW_DEFAULT_MEMORY_POOL": "system"}
    command = [sys.executable, "-c", _LITTLE_MEMORY, str(root), "40000"]
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=600, check=False
    )  # 14 attempts may hang
    outcomes = ended.stdout.split()
    assert "wrong" not in outcomes, outcomes
    assert outcomes[-1] == "right", (outcomes, ended.stderr[-4000:])
    assert outcomes[0] != "right", outcomes


# --- clocks


@contextlib.contextmanager
def clock_off_by(hours: int) -> Iterator[None]:
    """Moves the clock of writers in this process. The times of files stay those of the store."""
    clock = SimpleNamespace(time_ns=lambda: time.time_ns() + hours * HOUR_NS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pyspark_logs.writer.time", clock)
        yield


@pytest.mark.parametrize("hours", [1, -1])
def test_writers_whose_clocks_differ_by_two_hours(tmp_path: Path, hours: int) -> None:
    root = tmp_path / "out"
    with clock_off_by(hours):
        write(rows("first"), root, **FORMAT)
    with clock_off_by(-hours):
        write(rows("second"), root, mode="overwrite", **FORMAT)
    assert jobs_at(root) == {"second": 20}
    with clock_off_by(hours):
        write(rows("third"), root, mode="overwrite", **FORMAT)
    assert jobs_at(root) == {"third": 20}
    for shift in (-hours, hours, -hours):
        with clock_off_by(shift):
            write(rows("once"), root, txnId="x", **FORMAT)
    assert jobs_at(root) == {"third": 20, "once": 20}


@pytest.mark.parametrize("hours", [1, -1])
def test_a_running_job_is_not_old_by_the_clock_of_its_writer(tmp_path: Path, hours: int) -> None:
    """Ages are those of the store: maintenance of jobs older than half an hour leaves a job alone that has just begun."""
    root = tmp_path / "out"
    write(rows("old"), root, **FORMAT)
    with clock_off_by(hours):
        writer = LogWriter(parse_write_options({"path": str(root), **FORMAT}), "job string, n bigint")
        job = writer.job()
    output = writer.write_task(rows("slow").to_batches(), job)
    assert recover(root, "30m").rolled_back == ()
    vacuum(root, "30m")
    writer.commit_job(job, [output])
    assert jobs_at(root) == {"old": 20, "slow": 20}


@pytest.mark.parametrize("hours", [1, -1])
def test_a_stream_whose_clock_is_an_hour_off(tmp_path: Path, hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files have the times of the store, an hour before or after the clock of the driver. Each is read once."""

    def now_ms() -> int:
        return (time.time_ns() + hours * HOUR_NS) // 1_000_000

    monkeypatch.setattr(log_stream, "now_ms", now_ms)
    monkeypatch.setattr(listings, "_now_ms", now_ms)
    root = tmp_path / "out"
    write(rows("0"), root, **FORMAT)
    stream = LogStream(parse_read_options({"path": str(root), **FORMAT}), "job string, n bigint")
    offset, found = stream.initial_offset(), []
    for number in range(1, 6):
        end = stream.latest_offset(offset, max_files=None, max_bytes=None)
        for task in stream.plan_batch(offset, end):
            found += [job for batch in stream.reader.read_task(task) for job in batch["job"].to_pylist()]
        offset = end
        write(rows(str(number)), root, **FORMAT)
    assert found == [str(number) for number in range(5) for _ in range(20)]
