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
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pyspark_logs
from bucket import serve
from crash import killer
from live import landing, watch
from screen import say
from session import logging_to, spark_session
from steps import FIRST_STEPS, SPARK_STEPS
from tour import DemoError, Tour, run_steps


def main(arguments: list[str] | None = None) -> int:
    """Runs the demo.

    Returns:
        The exit code: 0; 1 if a figure is wrong or a package or the sample is missing; 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="pyspark-logs demo", description="Show pyspark-logs at work.")
    parser.add_argument("--data", type=Path, help="directory of the sample (sample_data in the repository)")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return run(find_sample(parser.parse_args(arguments).data))
    except DemoError as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ndemo: interrupted; server and Spark are stopped\n")
        return 130


def run(data: Path) -> int:
    """Starts the server and Spark, runs all steps, and stops both."""
    check_installed()
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


def check_installed() -> None:
    """Checks that the packages which only the demo needs are installed.

    Raises:
        DemoError: packages are missing.
    """
    missing = [name for name in ("pyspark", "s3fs", "moto", "flask") if importlib.util.find_spec(name) is None]
    if missing:
        raise DemoError(
            f"not installed: {', '.join(missing)}. Install them with"
            ' pip install "pyspark-logs[spark,s3]" "moto[server]"; in a checkout, `make demo` does it'
        )


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
