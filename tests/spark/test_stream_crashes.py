"""A query from the source to the sink of this project that is killed repeatedly during other writes: each row once.

The other writes are objects that are put, large uploads that become visible long after their modification time, and jobs of
many files, some of whose drivers are killed.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")

import pyspark_logs
from tests.spark.copy_stream import run_query
from tests.spark.programs import Program
from tests.spark.s3_requests import CLAIM, COMPLETE, INTENT, LOST, PART, RECORD, Hold, after, at
from tests.spark.write_targets import WriteTarget
from tests.support.fault_proxy import FaultProxy
from tests.support.s3_server import S3Bucket
from tests.support.trials import tries

TEMPLATE = {"template": "{ts:timestamp} {n:long} {message}"}
LAYOUT = "{yyyy}/{MM}/{dd}/{HH}"
SOURCE = {**TEMPLATE, "layout": LAYOUT}
# Uploads stay open for up to six seconds, and the machine may stall.
READ = {"lateness": "1m", "fullListingInterval": "3s", "maxFilesPerTrigger": "8"}
ROWS = 20  # per file
PATIENCE_S = 300  # a busy machine takes a minute to start Spark
# Spark waits ten seconds for the Python process with which it plans, and no setting changes that. On a busy machine, a
# program may die of it, which is a death like others: the query must go on after it.
STARVED = "Python worker failed to connect back"


@pytest.fixture
def uploads_are_dated_by_their_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets moto date multipart objects by the start of their upload, as AWS does, instead of the end."""
    from moto.s3.models import FakeKey

    make = FakeKey.__init__

    def make_as_aws(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        if self.multipart is not None:
            self.last_modified = self.multipart.initiated.replace(tzinfo=self.last_modified.tzinfo)

    monkeypatch.setattr(FakeKey, "__init__", make_as_aws)


@dataclass
class Others:
    """Other writers to the source, each in a thread, until :meth:`stop`.

    Attributes:
        files: keys of objects that other programs put or uploaded, by first number.
        late_s: seconds for which each upload was open.
        committed: jobs whose driver reported success, by first number.
        killed: jobs whose driver was killed, by first number.
    """

    s3: S3Bucket
    proxy: FaultProxy
    folder: Path
    seed: int
    files: dict[int, str] = field(default_factory=dict)
    late_s: list[float] = field(default_factory=list)
    committed: dict[int, int] = field(default_factory=dict)
    killed: dict[int, int] = field(default_factory=dict)
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _errors: list[BaseException] = field(default_factory=list)

    @property
    def target(self) -> WriteTarget:
        return WriteTarget.on_s3(self.s3, self.proxy.endpoint)

    def start(self) -> None:
        for number, work in enumerate([self._put, self._upload, self._write]):
            chance = random.Random(self.seed * 10 + number)
            thread = threading.Thread(target=self._guarded, args=(work, chance), name=work.__name__)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for error in self._errors:
            raise error

    def die_undecided(self) -> int:
        """Runs one more job, whose driver dies after all files are published and before the decision."""
        first, count = self._numbers(4 * ROWS), 4 * ROWS
        self._write_and_kill(first, count, random.Random(self.seed), at(RECORD, 1), LOST)
        return first

    # --- the three writers

    def _put(self, chance: random.Random) -> None:
        while not self._stop.wait(chance.uniform(0.5, 2)):
            first, key, data = self._file(chance, "put")
            self.s3.put(key, data)
            self.files[first] = key

    def _upload(self, chance: random.Random) -> None:
        import boto3

        client = boto3.client(
            "s3", "us-east-1", endpoint_url=self.s3.endpoint, aws_access_key_id="testing", aws_secret_access_key="x"
        )
        opened: list[tuple[float, float, Callable[[], Any], int, str]] = []
        while opened or not self._stop.is_set():
            if not self._stop.is_set():
                first, key, data = self._file(chance, "upload")
                name = {"Bucket": self.s3.bucket, "Key": key}
                begin = time.monotonic()
                name["UploadId"] = client.create_multipart_upload(**name)["UploadId"]
                part = client.upload_part(**name, PartNumber=1, Body=data)["ETag"]

                def complete(name: dict[str, str] = name, part: str = part) -> None:
                    parts = [{"PartNumber": 1, "ETag": part}]
                    client.complete_multipart_upload(**name, MultipartUpload={"Parts": parts})

                opened.append((begin + chance.uniform(0.5, 6), begin, complete, first, key))
                opened.sort(key=lambda upload: upload[0])
            while opened and (opened[0][0] <= time.monotonic() or self._stop.is_set()):
                _, begin, complete, first, key = opened.pop(0)
                complete()
                self.late_s.append(time.monotonic() - begin)
                self.files[first] = key
            self._stop.wait(chance.uniform(0.5, 2))
        client.close()

    def _write(self, chance: random.Random) -> None:
        moments = [
            at(INTENT, 1),
            at(PART, 2),
            *(at(COMPLETE, number) for number in (1, 3)),
            at(RECORD, 1),
            after(RECORD),
        ]
        while not self._stop.wait(chance.uniform(3, 8)):
            first, count = self._numbers(4 * ROWS), 4 * ROWS
            if chance.random() < 0.5:
                self._write_and_kill(first, count, chance, chance.choice(moments), chance.choice([LOST, None]))
                if chance.random() < 0.5:
                    pyspark_logs.recover(self.target.url, "0s", **self.target.direct_options)
                continue
            program = self._program(first, count, chance)
            if is_starved(program):
                self.killed[first] = count
                continue
            program.answer()
            self.committed[first] = count

    def _write_and_kill(self, first: int, count: int, chance: random.Random, here: Any, then: Any) -> None:
        self.killed[first] = count
        hold = Hold(self.proxy, here, then)
        program = self._program(first, count, chance)
        until = time.monotonic() + PATIENCE_S
        while not hold.reached.wait(0.1) and not (program.process.poll() is not None and is_starved(program)):
            assert time.monotonic() < until, program.log.read_text()[-4000:]
        program.kill()
        hold.go_on()
        time.sleep(0.2)  # requests in flight arrive or are lost before the next job uses the proxy
        self.proxy.choose = lambda method: None

    def _program(self, first: int, count: int, chance: random.Random) -> Program:
        hours: dict[dt.datetime, None] = {}  # one file per hour, so the job has a third file at which it can be killed
        while len(hours) < 4:
            hours[self._hour(chance)] = None
        given = {"first": first, "count": count, "hours": [hour.isoformat() for hour in hours]}
        options = {**self.target.options, **SOURCE}
        return Program.start("write_logs_program.py", self.folder, url=self.target.url, options=options, **given)

    # --- helpers

    def _file(self, chance: random.Random, kind: str) -> tuple[int, str, bytes]:
        first, hour = self._numbers(ROWS), self._hour(chance)
        lines = [f"{hour:%Y-%m-%dT%H:%M:%SZ} {n} {kind} {first}\n" for n in range(first, first + ROWS)]
        return first, f"app/{hour:%Y/%m/%d/%H}/{kind}-{first:06}.log", "".join(lines).encode()

    def _hour(self, chance: random.Random) -> dt.datetime:
        """Returns mostly the current hour, otherwise an hour of the last days."""
        now = dt.datetime.now(dt.timezone.utc).replace(minute=0, second=0, microsecond=0)
        return now - dt.timedelta(hours=chance.choice([0, 0, 1, chance.randint(2, 60)]))

    def _numbers(self, count: int) -> int:
        with self._lock:
            self._next += count
            return self._next - count

    def _guarded(self, work: Callable[[random.Random], None], chance: random.Random) -> None:
        try:
            work(chance)
        except BaseException as error:  # noqa: BLE001 (raised by stop)
            self._errors.append(error)


def is_starved(program: Program) -> bool:
    """Waits for the end of a program, and returns True if it died because Spark waited too long for a process."""
    return program.process.wait(PATIENCE_S) != 0 and STARVED in program.log.read_text(errors="replace")


def newest(checkpoint: Path, log: str) -> int:
    """Returns the newest batch in a log of a checkpoint, -1 if there is none."""
    folder = checkpoint / log
    return max((int(path.name) for path in folder.glob("*") if path.name.isdigit()), default=-1)


def sunk(target: WriteTarget) -> Counter[int]:
    """Returns the numbers that a reader of the sink finds, with their counts."""
    table = pyspark_logs.scan(target.url, mode="FAILFAST", **target.direct_options, **TEMPLATE).read_all()
    return Counter(table["n"].to_pylist())


def finish_by_program(folder: Path, given: dict[str, Any]) -> int:
    """Continues the query in a driver of its own until all rows are written; returns the number of drivers that died by themselves."""
    died = 0
    while is_starved(program := Program.start("copy_stream_program.py", folder, finish=True, **given)):
        died += 1
    program.answer()
    return died


def check_kills(
    s3: S3Bucket,
    proxy: FaultProxy,
    folder: Path,
    kills: int,
    seed: int,
    finish: Callable[[Path, dict[str, Any]], int] = finish_by_program,
) -> None:
    chance = random.Random(seed)
    source = WriteTarget.on_s3(s3)
    sink = WriteTarget(f"{s3.url}/sink", source.store_options, source.options)
    checkpoint = folder / "checkpoint"
    given = {
        "source": source.url,
        "url": sink.url,
        "checkpoint": str(checkpoint),
        "read": {**source.options, **SOURCE, **READ},
        "write": {**sink.options, **TEMPLATE},
    }
    others = Others(s3, proxy, folder, seed)
    s3.put("app/2026/01/01/00/first.log", b"")  # the first poll needs an object
    others.start()
    died: Counter[str] = Counter()
    try:
        for _ in range(kills):
            before, began = newest(checkpoint, "commits"), time.monotonic()
            program = Program.start("copy_stream_program.py", folder, finish=False, **given)
            while newest(checkpoint, "commits") <= before and time.monotonic() < began + PATIENCE_S:
                if program.process.poll() is not None:
                    assert is_starved(program), program.log.read_text()[-8000:]
                    died["by themselves on a busy machine"] += 1
                    began = time.monotonic()
                    program = Program.start("copy_stream_program.py", folder, finish=False, **given)
                time.sleep(0.05)
            time.sleep(chance.choice([chance.uniform(0, 0.5), chance.uniform(0, 4)]))
            program.kill()
            planned, done = newest(checkpoint, "offsets"), newest(checkpoint, "commits")
            died["in a batch" if planned > done else "between batches"] += 1
            assert done > before, program.log.read_text()[-8000:]
            assert set(sunk(sink).values()) <= {1}
            if chance.random() < 0.3:
                time.sleep(chance.uniform(0, 3))  # time without a driver
    finally:
        others.stop()
    undecided = others.die_undecided()
    given["read"]["maxFilesPerTrigger"] = "100"
    died["by themselves on a busy machine"] += finish(folder, given)
    found = sunk(sink)
    assert set(found.values()) == {1}
    assert undecided not in found

    # The rows of the source's files, after all jobs are decided and leftovers are removed.
    pyspark_logs.recover(source.url, "0s", **source.direct_options)
    pyspark_logs.vacuum(source.url, "0s", **source.direct_options)
    assert source.unfinished() == []
    table = pyspark_logs.scan(source.url, mode="FAILFAST", **source.direct_options, **SOURCE).read_all()
    there = set(table["n"].to_pylist())
    assert len(there) == table.num_rows
    assert set(found) == there

    # They are the rows that the writers report.
    plain = {n for first in others.files for n in range(first, first + ROWS)}
    told = {n for first, count in others.committed.items() for n in range(first, first + count)}
    assert plain | told <= there
    survived = [first for first, count in others.killed.items() if first in there]
    assert there - plain - told == {n for first in survived for n in range(first, first + others.killed[first])}
    assert sorted(int(line.split(" ")[1]) for line in sink.lines()) == sorted(there) or sink.unfinished()
    pyspark_logs.recover(sink.url, "0s", **sink.direct_options)
    pyspark_logs.vacuum(sink.url, "0s", **sink.direct_options)
    assert sorted(int(line.split(" ")[1]) for line in sink.lines()) == sorted(there)
    assert sink.unfinished() == []
    uploads = len(others.late_s)
    print(  # noqa: T201
        f"\n{kills} kills ({', '.join(f'{count} {where}' for where, count in died.items())}), {newest(checkpoint, 'commits') + 1} batches: "
        f"{len(there)} rows in, {sum(found.values())} out; {len(others.files) - uploads} files put, {uploads} uploaded (visible up to "
        f"{max(others.late_s):.1f} s late), {len(others.committed)} jobs committed, {len(others.killed)} killed, of which "
        f"{len(survived)} had committed"
    )


@tries("a query from logs to logs that is killed once", "each row once; `recover` and `vacuum` leave nothing")
@pytest.mark.usefixtures("uploads_are_dated_by_their_begin")
def test_one_kill(spark: Any, s3: S3Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    def finish(folder: Path, given: dict[str, Any]) -> int:
        run_query(spark, {**given, "finish": True})
        return 0

    # Another driver continues the query: the shared session, which runs already.
    check_kills(s3, proxy, tmp_path, kills=1, seed=7, finish=finish)


@tries("a query from logs to logs that is killed twenty times", "each row once; `recover` and `vacuum` leave nothing")
@pytest.mark.slow
@pytest.mark.usefixtures("uploads_are_dated_by_their_begin")
def test_twenty_kills(s3: S3Bucket, proxy: FaultProxy, tmp_path: Path) -> None:
    check_kills(s3, proxy, tmp_path, kills=20, seed=20)


@tries(
    "a driver of a stream that is killed while it claims a batch",
    "no row of the batch, and each row once after the query goes on; `vacuum` leaves nothing",
)
@pytest.mark.slow
@pytest.mark.parametrize("arrives", [True, False], ids=["the claim arrives", "the claim is lost"])
def test_a_stream_is_killed_while_it_claims(s3: S3Bucket, proxy: FaultProxy, tmp_path: Path, arrives: bool) -> None:
    source, sink = WriteTarget.on_s3(s3), WriteTarget.on_s3(s3, proxy.endpoint)
    sink = WriteTarget(f"{s3.url}/sink", sink.store_options, sink.options)
    lines = [f"2026-11-22T00:00:00Z {n} text\n" for n in range(2 * ROWS)]
    s3.put("app/2026/11/22/00/a.log", "".join(lines[:ROWS]).encode())
    s3.put("app/2026/11/22/00/b.log", "".join(lines[ROWS:]).encode())
    given = {
        "source": source.url, "url": sink.url, "checkpoint": str(tmp_path / "checkpoint"), "finish": True,
        "read": {**source.options, **SOURCE, "maxFilesPerTrigger": "1"}, "write": {**sink.options, **TEMPLATE},
    }  # fmt: skip
    hold = Hold(proxy, at(CLAIM, 2), None if arrives else LOST)  # the claim of the second batch
    program = Program.start("copy_stream_program.py", tmp_path, **given)
    assert hold.reached.wait(PATIENCE_S), program.log.read_text()[-4000:]
    program.kill()
    hold.go_on()
    until = time.monotonic() + 10
    while sum(key.startswith("_claims/") for key in sink.listing()) < 1 + arrives and time.monotonic() < until:
        time.sleep(0.05)
    assert hold.kinds.count(RECORD) == 1
    assert sum(sunk(sink).values()) == ROWS
    assert sink.unfinished() != []

    proxy.choose = lambda method: None
    Program.start("copy_stream_program.py", tmp_path, **given).answer()
    assert sorted(sunk(sink).elements()) == list(range(2 * ROWS))
    pyspark_logs.recover(sink.url, "0s", **sink.direct_options)
    pyspark_logs.vacuum(sink.url, "0s", **sink.direct_options)
    assert sorted(sunk(sink).elements()) == list(range(2 * ROWS))
    assert sink.unfinished() == []
    assert len(sink.lines()) == 2 * ROWS
