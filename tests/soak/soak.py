"""Writers, streams and sinks under faults and kills for a given time: rows in are rows out, and no process grows.

Two pairs of a writer and a stream run on one source. The processes of the first pair are killed in turn, those of the
second are not, so that their memory and descriptors can be observed. All requests go through a proxy that makes one in
twenty of them fail.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyspark_logs
from pyspark_logs.jobs.snapshots import list_all
from pyspark_logs.store import open_store
from tests.soak.program import FORMAT, ROWS
from tests.soak.samples import Sample, Series
from tests.support.fault_proxy import Fault, FaultProxy
from tests.support.faults import FAULTS
from tests.support.s3_server import S3Bucket

PROGRAM = Path(__file__).with_name("program.py")
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Plan:
    """Parameters of a run.

    Attributes:
        seconds: time until the writers stop.
        kill_every_s: time between two kills; a program is killed after it has committed something.
        kills: number of kills before which the run does not end.
        steady: True for the pair that is not killed, too.
        fault_rate: share of the requests that fail.
        pause_s: pause of a program after a job, and after a poll without new files.
        sample_every_s: time between two samples.
        seed: seed of the faults and kills.
    """

    seconds: float
    kill_every_s: float = 60.0
    kills: int = 1
    steady: bool = True
    fault_rate: float = 0.05
    pause_s: float = 0.5
    sample_every_s: float = 2.0
    seed: int = 1


@dataclass
class Result:
    """Result of a run.

    Attributes:
        rows_in: number of rows of committed jobs.
        rows_out: number of rows by sink.
        kills: number of kills by program.
        requests: number of requests through the proxy.
        faults: number of injected faults by name.
        errors: number of errors of the package by class, each of which was followed by a repetition.
        series: samples of the processes that were not killed.
    """

    rows_in: int = 0
    rows_out: dict[str, int] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    series: list[Series] = field(default_factory=list)


class Soak:
    """A run in a directory, on a bucket."""

    def __init__(self, plan: Plan, bucket: S3Bucket, folder: Path) -> None:
        self.plan, self.bucket, self.folder = plan, bucket, folder
        self.chance = random.Random(plan.seed)
        self.result = Result()
        self.proxy = FaultProxy(bucket.endpoint, choose=self._choose)
        self.source = f"{bucket.url}/source"
        pairs = ["killed", "steady"] if plan.steady else ["killed"]
        self.sinks = {pair: f"{bucket.url}/sink-{pair}" for pair in pairs}
        self.given = {f"{pair} {work}": {"work": work, "name": pair} for pair in pairs for work in ("write", "copy")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.done_at_start: dict[str, int] = {}
        self.series = {name: Series(name) for name in self.given if not name.startswith("killed")}
        self.series["proxy"] = Series("proxy")

    def run(self) -> Result:
        """Runs the programs, stops them, and checks the rows."""
        self.bucket.put("source/2026/01/01/00/00/first.log", b"")  # the first poll needs an object
        self.proxy.start()
        try:
            for name in self.given:
                self._start(name)
            self._go_on()
            self._stop()
        finally:
            for process in self.processes.values():
                process.kill()
                process.wait()
            self.proxy.stop()
        self._check()
        self.result.series = list(self.series.values())
        return self.result

    # --- while the programs run

    def _choose(self, method: str) -> Fault | None:
        self.result.requests += 1
        self.proxy.requests.clear()  # a record of all requests would grow
        if self.chance.random() >= self.plan.fault_rate:
            return None
        name = self.chance.choice(list(FAULTS))
        self.result.faults[name] += 1
        return FAULTS[name](self.chance)

    def _options(self, endpoint: str) -> dict[str, str]:
        keys = self.bucket.options
        return {"endpoint": endpoint, "region": keys.region, "accessKey": keys.access_key, "secretKey": keys.secret_key,
                "requestTimeout": "2s", "maxRetries": "6"}  # fmt: skip

    def _start(self, name: str) -> None:
        self.done_at_start[name] = self._done(name)
        given: dict[str, Any] = {
            **self.given[name], "source": self.source, "sink": self.sinks[self.given[name]["name"]],
            "progress": str(self._progress(name)), "stop": str(self._stop_file(name)), "pause_s": self.plan.pause_s,
            "options": self._options(self.proxy.endpoint),
        }  # fmt: skip
        with self._log(name).open("ab") as log:
            command = [sys.executable, str(PROGRAM), json.dumps(given)]
            self.processes[name] = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)

    def _go_on(self) -> None:
        killed = [name for name in self.given if name.startswith("killed")]
        started = time.monotonic()
        next_kill, next_sample = self.plan.kill_every_s, 0.0
        while (now := time.monotonic() - started) < self.plan.seconds or self.result.kills.total() < self.plan.kills:
            for name, process in self.processes.items():
                assert process.poll() is None, (name, self._log(name).read_text()[-4000:])
            assert now < self.plan.seconds + PATIENCE_S, (self.result, self.done_at_start)
            if now >= next_sample:
                self._sample()
                next_sample += self.plan.sample_every_s
            name = killed[self.result.kills.total() % len(killed)]
            if now >= next_kill and self._done(name) > self.done_at_start[name]:
                self.processes[name].kill()
                self.processes[name].wait()
                self.result.kills[name] += 1
                self._start(name)
                next_kill = now + self.plan.kill_every_s * self.chance.uniform(0.8, 1.2)
            time.sleep(0.05)

    def _sample(self) -> None:
        pids = {**{name: process.pid for name, process in self.processes.items()}, "proxy": os.getpid()}
        for name, series in self.series.items():
            sample = Sample.of(pids[name])
            if sample is not None:
                series.samples.append(sample)

    def _stop(self) -> None:
        """Stops the writers, and the streams when they have read all files, while requests still fail."""
        for work in ("write", "copy"):
            names = [name for name in self.given if self.given[name]["work"] == work]
            for name in names:
                self._stop_file(name).touch()
            for name in names:
                assert self.processes[name].wait(PATIENCE_S) == 0, (name, self._log(name).read_text()[-4000:])

    # --- afterwards

    def _check(self) -> None:
        options, template = self._options(self.bucket.endpoint), {"template": FORMAT["template"], "mode": "FAILFAST"}
        expected: Counter[tuple[str, int]] = Counter()
        for name, given in self.given.items():
            kept = json.loads(self._progress(name).read_text())
            self.result.errors.update(kept["errors"])
            if given["work"] == "write":
                expected.update((given["name"], n) for n in range(kept["jobs"] * ROWS))
        self.result.rows_in = expected.total()
        for name, root in {"source": self.source, **self.sinks}.items():
            for step in (lambda: None, lambda root=root: pyspark_logs.recover(root, "0s", **options),
                         lambda root=root: pyspark_logs.vacuum(root, "0s", **options)):  # fmt: skip
                step()
                found = pyspark_logs.scan(root, **options, **template).read_all()
                rows = Counter(zip(found["writer"].to_pylist(), found["n"].to_pylist(), strict=True))
                assert rows == expected, (name, len(rows - expected), len(expected - rows))
            self.result.rows_out[name] = rows.total()
            store = open_store(root, self.bucket.options)
            left = [
                file.path for file in list_all(store, f"{root}/") if "/_staging/" in file.path or "~intent" in file.path
            ]
            left += [upload.path for upload in store.list_uploads(f"{root}/").uploads if "/~probe-" not in upload.path]
            assert left == [], (name, left)

    def _done(self, name: str) -> int:
        """Returns the number of jobs or batches that a program has committed."""
        path = self._progress(name)
        values = json.loads(path.read_text()) if path.exists() else {}
        return values.get("jobs", 0) + values.get("batch", 0)

    def _progress(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-')}.json"

    def _stop_file(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-')}.stop"

    def _log(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-')}.log"
