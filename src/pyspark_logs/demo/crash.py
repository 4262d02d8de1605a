"""A writer in a process of its own, killed in the middle of publishing its files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from pyspark_logs.demo.bucket import Bucket
from pyspark_logs.demo.tour import DemoError

_LONGEST_S = 60.0


def killer(bucket: Bucket) -> Callable[[int, str, Mapping[str, Any]], None]:
    """A function that runs a program and kills it once the server has completed so many of its uploads."""

    def kill_after_files(files: int, program: str, app: Mapping[str, Any]) -> None:
        bucket.forget()
        # That some lines of the sample do not match was shown before, and need not be said again.
        quiet = "import logging; logging.disable(logging.WARNING)"
        command = [sys.executable, "-c", f"{quiet}\napp = {dict(app)!r}\n{program}"]
        with subprocess.Popen(command) as process:  # noqa: S603 - our own
            deadline = time.monotonic() + _LONGEST_S
            while bucket.writes().count("complete") < files:
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    raise DemoError("the writer ended before it could be killed")
                time.sleep(0.001)
            os.kill(process.pid, signal.SIGKILL)

    return kill_after_files
