"""A tour of pyspark-logs: an S3 server in this process, read, written and streamed with Spark and without.

Run ``make demo``, ``pyspark-logs demo``, or ``python examples/demo``. The code that is printed is the code that runs,
and each result is compared with the known contents of the sample.

Imports between the files of this directory: ``__main__`` -> ``steps`` -> ``tour`` -> ``bucket``, ``screen``;
``__main__`` -> ``session``, ``crash``, ``live``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import signal
import socket
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pyspark_logs
from bucket import BUCKET, serve
from crash import killer
from live import landing, watch
from screen import say
from session import logging_to, spark_session
from steps import FIRST_STEPS, SPARK_STEPS
from tour import DemoError, Tour, run_steps

DEFAULT_PORT = 9090


def main(arguments: list[str] | None = None) -> int:
    """Runs the demo.

    Returns:
        The exit code: 0; 1 if a figure is wrong or a package or the sample is missing; 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="pyspark-logs demo", description="Show pyspark-logs at work.")
    parser.add_argument("--data", type=Path, help="directory of the sample (sample_data in the repository)")
    parser.add_argument("--serve", action="store_true", help="only serve the sample, until Ctrl-C")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port of --serve")
    signal.signal(signal.SIGTERM, _interrupt)
    parsed = parser.parse_args(arguments)
    try:
        sample = find_sample(parsed.data)
        return run_server(sample, parsed.port) if parsed.serve else run(sample)
    except DemoError as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ndemo: interrupted; server and Spark are stopped\n")
        return 130


def run(data: Path) -> int:
    """Starts the server and Spark, runs all steps, and stops both."""
    check_installed("pyspark", "s3fs", "moto", "flask")
    start = time.perf_counter()
    expected: dict[str, Any] = json.loads((data / "expected.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="pyspark-logs-demo-", ignore_cleanup_errors=True) as scratch:
        log = Path(scratch) / "spark.log"
        try:
            with logging_to(log), serve(data) as bucket, ThreadPoolExecutor(1) as executor:
                say(f"pyspark-logs {pyspark_logs.__version__}: an S3 server runs at {bucket.endpoint}")
                say("Spark starts in the meantime; the first steps do without it.")
                tour = Tour(bucket, expected)
                # In a thread, because only the main thread can defer Ctrl-C until Spark has started.
                first_steps = executor.submit(run_steps, tour, FIRST_STEPS)
                with spark_session(Path(scratch)) as spark:
                    first_steps.result()
                    tour.names |= {
                        "spark": spark,
                        "kill_after_files": killer(bucket),
                        "data_files": bucket.data_files,
                        "landing": landing(bucket),
                        "watch": watch,
                        "checkpoint": str(Path(scratch) / "checkpoint"),
                    }
                    run_steps(tour, SPARK_STEPS, first=len(FIRST_STEPS) + 1)
        except DemoError:
            raise
        except Exception:
            if log.exists():
                sys.stderr.write(f"\nThe end of Spark's log:\n{log.read_text(errors='replace')[-4000:]}\n")
            raise
    say()
    say(f"All figures are those of {data.name}/expected.json. {time.perf_counter() - start:.0f} seconds.")
    return 0


def run_server(data: Path, port: int) -> int:
    """Serves the sample until Ctrl-C, and prints the variables by which other programs find the server."""
    check_installed("moto", "flask")
    if port:
        # The server would end its thread without an error that this thread sees.
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise DemoError(f"port {port} cannot be used ({error}); --port 0 chooses a free one") from error
    with serve(data, port) as bucket:
        say(f"An S3 server with the bucket {BUCKET} runs until Ctrl-C. For programs in another\nterminal:\n")
        say(f"  export AWS_ENDPOINT_URL={bucket.endpoint}")
        say("  export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo-secret")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("\nThe server is stopped, and what was written to it is gone.")
    return 0


def find_sample(directory: Path | None) -> Path:
    """Returns the directory of the sample: the given one, the copy in the wheel, or the one in the repository.

    Raises:
        DemoError: the directory holds no sample.
    """
    here = Path(__file__).resolve().parent
    if directory is None:
        directory = here / "sample_data" if (here / "sample_data").is_dir() else here.parents[1] / "sample_data"
    if not (directory / "expected.json").is_file():
        raise DemoError(
            f"there is no sample in {directory} (no expected.json). Run from a checkout of the repository, or name the"
            " directory: pyspark-logs demo --data sample_data"
        )
    return directory


def check_installed(*names: str) -> None:
    """Checks that packages which only the demo needs are installed.

    Raises:
        DemoError: packages are missing.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise DemoError(
            f"not installed: {', '.join(missing)}. Install them with"
            ' pip install "pyspark-logs[spark,s3]" "moto[server]"; in a checkout, `make demo` does it'
        )


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
