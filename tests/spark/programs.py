"""Programs of this directory that run Spark in separate processes; tests start, observe and kill them.

A program gets its arguments from :func:`arguments` and returns its result by :func:`tell`.
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
_ROOT = Path(__file__).resolve().parents[2]


# --- in the test ------------------------------------------------------------------------------------------------------


@dataclass
class Program:
    """A running program.

    Attributes:
        process: its process.
        log: file with its output.
    """

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, name: str, folder: Path, **arguments: Any) -> Program:
        """Starts a program of this directory, with the directory of the test as working directory."""
        log = folder / f"{name}-{uuid.uuid4().hex[:8]}.log"
        command = [sys.executable, str(Path(__file__).with_name(name)), json.dumps(arguments)]
        path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": path}
            )
        return cls(process, log)

    def answer(self, timeout_s: float = 240.0) -> Any:
        """Waits for the end of the program, and returns its last result."""
        try:
            status = self.process.wait(timeout_s)
        except BaseException:
            self.kill()
            raise
        text = self.log.read_text(errors="replace")
        assert status == 0, text[-8000:]
        return [json.loads(line.removeprefix(_ANSWER)) for line in text.splitlines() if line.startswith(_ANSWER)][-1]

    def kill(self) -> None:
        """Kills the program, its JVM and all of its workers with SIGKILL, like a failure of the machine."""
        for number, _ in self._family():
            _kill(number)
        self.process.wait()

    def kill_driver(self) -> list[int]:
        """Kills the driver with SIGKILL; returns the forked processes that commit for it and keep running, for :func:`end`."""
        family = self._family()
        # The daemon first: it would end its workers after the end of the JVM.
        doomed = [number for number, depth in family if depth <= _DAEMON]
        for number in reversed(doomed):
            _kill(number)
        self.process.wait()
        return [number for number, depth in family if depth > _DAEMON]

    def _family(self) -> list[tuple[int, int]]:
        """Returns the process and its descendants, each with its depth."""
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        rows = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
        family = [(self.process.pid, 0)]
        for number, depth in family:
            family += [(child, depth + 1) for child, parent in rows if parent == number]
        return family


_DAEMON = 2  # depth 1 is the JVM of the program, depth 2 the daemon that forks workers


def end(numbers: list[int], after_s: float = 0.0) -> bool:
    """Waits for processes to end and kills the remaining ones; returns True if all ended by themselves."""
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


def run(name: str, folder: Path, timeout_s: float = 240.0, **arguments: Any) -> Any:
    """Runs a program to its end and returns its result."""
    return Program.start(name, folder, **arguments).answer(timeout_s)


# --- in the program ---------------------------------------------------------------------------------------------------


def arguments() -> dict[str, Any]:
    """Returns the arguments that the test passed."""
    return json.loads(sys.argv[1])


def tell(answer: Any) -> None:
    """Sends a result to the test."""
    sys.stdout.write(_ANSWER + json.dumps(answer) + "\n")
    sys.stdout.flush()


def session(master: str = "local[2]", **settings: str) -> Any:
    """Returns a session with the settings of tests and the format registered."""
    import pyspark_logs
    from tests.support.spark_session import start_session

    spark = start_session(master, **settings)
    pyspark_logs.register(spark)
    return spark
