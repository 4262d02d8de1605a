"""S3 servers as processes: free ports, start, readiness, and end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.s3_server import request

PATIENCE_S = 90.0
_PR_SET_PDEATHSIG = 1


def free_ports(count: int) -> list[int]:
    """Returns ports of this machine that no program uses."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def running(
    command: list[str], folder: Path, endpoint: str | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a server in a directory until the end of the block.

    Args:
        command: program and arguments.
        folder: working directory; the output is written to a file in it.
        endpoint: URL at which the server must serve writes before the block is entered; None to wait for nothing.
        environment: variables besides those of this process.
    """
    log = folder / f"{Path(command[0]).name}-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        # A process group of its own, so that the processes that the server starts end with it.
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, env={**os.environ, **(environment or {})},
            start_new_session=True, preexec_fn=_end_with_parent,  # noqa: PLW1509 - no threads take locks in it
        )  # fmt: skip
    try:
        if endpoint is not None:
            wait_until_ready(endpoint, process, log)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _end_with_parent() -> None:
    """Lets the kernel kill this process when the tests are killed, which run no finalizers then. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until_ready(endpoint: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until a server creates a bucket and an object.

    Raises:
        RuntimeError: the process ended, or the server was not ready in time.
    """
    until, answer = time.monotonic() + PATIENCE_S, "no answer"
    while time.monotonic() < until and process.poll() is None:
        try:
            created = request(endpoint, "PUT", "/is-ready")
            written = request(endpoint, "PUT", "/is-ready/object", b"x")
        except OSError as error:
            answer = repr(error)
        else:
            if written[0] == 200:
                return
            answer = f"{created} {written}"
        time.sleep(0.05)
    text = log.read_text(errors="replace")[-4000:]
    raise RuntimeError(f"{endpoint} was not ready (status {process.poll()}, {answer}):\n{text}")
