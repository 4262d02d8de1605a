"""Programs beside this file that run Spark in processes of their own: started, watched and killed by tests.

A program gets its arguments from :func:`arguments`, and gives its answer by :func:`tell`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ANSWER = "ANSWER "


# --- in the test ------------------------------------------------------------------------------------------------------


@dataclass
class Program:
    """A program that runs.

    Attributes:
        process: its process.
        log: what it prints.
    """

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, name: str, folder: Path, **arguments: Any) -> Program:
        """Start a program of this folder; its working directory is that of the test."""
        log = folder / f"{name}-{uuid.uuid4().hex[:8]}.log"
        command = [sys.executable, str(Path(__file__).with_name(name)), json.dumps(arguments)]
        with log.open("wb") as output:
            return cls(subprocess.Popen(command, cwd=folder, stdout=output, stderr=output), log)

    def answer(self, timeout_s: float = 240.0) -> Any:
        """Wait for its end; what it told last."""
        try:
            status = self.process.wait(timeout_s)
        except BaseException:
            self.kill()
            raise
        text = self.log.read_text(errors="replace")
        assert status == 0, text[-8000:]
        return [json.loads(line.removeprefix(_ANSWER)) for line in text.splitlines() if line.startswith(_ANSWER)][-1]

    def kill(self) -> None:
        """SIGKILL: the program, its JVM and all of its workers, as if the machine went down."""
        for number, _ in self._family():
            _kill(number)
        self.process.wait()

    def kill_driver(self) -> list[int]:
        """SIGKILL what runs the driver. What was forked to commit for it goes on, and is given back: end it."""
        family = self._family()
        # Workers last, and their parent first: it would end them.
        doomed = [number for number, depth in family if depth <= _DAEMON]
        for number in reversed(doomed):
            _kill(number)
        self.process.wait()
        return [number for number, depth in family if depth > _DAEMON]

    def _family(self) -> list[tuple[int, int]]:
        """The process and all below it, each with how far below."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        rows = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
        family = [(self.process.pid, 0)]
        for number, depth in family:
            family += [(child, depth + 1) for child, parent in rows if parent == number]
        return family


_DAEMON = 2  # below the program is its JVM, below that the daemon that forks workers


def end(numbers: list[int], after_s: float = 0.0) -> bool:
    """Wait for processes to end; those that do not are killed. Whether all ended by themselves."""
    until = time.monotonic() + after_s
    while time.monotonic() < until and any(map(_runs, numbers)):
        time.sleep(0.05)
    left = [number for number in numbers if _runs(number)]
    for number in left:
        _kill(number)
    return not left


def _runs(number: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True, check=False).stdout
    return found.strip() != "" and not found.startswith("Z")


def _kill(number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


def run(name: str, folder: Path, **arguments: Any) -> Any:
    """Run a program to its end; what it tells."""
    return Program.start(name, folder, **arguments).answer()


# --- in the program ---------------------------------------------------------------------------------------------------


def arguments() -> dict[str, Any]:
    """What the test gave."""
    return json.loads(sys.argv[1])


def tell(answer: Any) -> None:
    """Answer the test."""
    sys.stdout.write(_ANSWER + json.dumps(answer) + "\n")
    sys.stdout.flush()


def session(master: str = "local[2]", **settings: str) -> Any:
    """A session as tests want it, with the format registered."""
    from pyspark.sql import SparkSession

    import pyspark_logs

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder
    builder = builder.remote("local[2]") if master == "connect" else builder.master(master)
    for key, value in {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.host": "127.0.0.1",
        # They live for seconds: a JVM that compiles little starts in half the time.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        **settings,
    }.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    pyspark_logs.register(spark)
    return spark
