"""A writer in a separate process that is killed while it publishes its files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from bucket import Bucket
from tour import DemoError

_TIMEOUT_S = 60.0


def killer(bucket: Bucket) -> Callable[[int, str, Mapping[str, Any]], None]:
    """Returns a function that runs a program and kills it when the server has completed a number of uploads."""

    def kill_after_files(files: int, program: str, app: Mapping[str, Any]) -> None:
        bucket.clear_requests()
        # Step 4 has shown the lines that do not match; their warnings would repeat it.
        preamble = "import logging; logging.disable(logging.WARNING)"
        command = [sys.executable, "-c", f"{preamble}\napp = {dict(app)!r}\n{program}"]
        with subprocess.Popen(command) as process:  # noqa: S603 - a fixed program
            deadline = time.monotonic() + _TIMEOUT_S
            while bucket.writes().count("complete") < files:
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    raise DemoError("the writer ended before it could be killed")
                time.sleep(0.001)
            os.kill(process.pid, signal.SIGKILL)

    return kill_after_files
