"""The entry: finds the sample, starts the server and Spark, and takes both down again however it ends."""

from __future__ import annotations

import argparse
import importlib.util
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pyspark_logs
from pyspark_logs.demo.bucket import serve
from pyspark_logs.demo.crash import killer
from pyspark_logs.demo.live import landing, say_now, watch
from pyspark_logs.demo.screen import say
from pyspark_logs.demo.session import spark_session
from pyspark_logs.demo.steps import STEPS
from pyspark_logs.demo.tour import DemoError, Tour, take


def main(arguments: list[str] | None = None) -> int:
    """Run the demo.

    Returns:
        The exit code: 0; 1 where a figure is wrong or something is missing; 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="python -m pyspark_logs.demo", description="Show pyspark-logs at work.")
    parser.add_argument("--data", type=Path, help="the sample's folder (sample_data of the repository)")
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
    """Start what is needed, show everything, stop it all."""
    check_installed()
    start = time.perf_counter()
    expected: dict[str, Any] = json.loads((data / "expected.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="pyspark-logs-demo-", ignore_cleanup_errors=True) as scratch:
        log = Path(scratch) / "spark.log"
        try:
            with serve(data) as bucket:
                say(f"pyspark-logs {pyspark_logs.__version__}: an S3 server runs at {bucket.endpoint}; starting Spark")
                with spark_session(Path(scratch)) as spark:
                    names = {
                        "spark": spark,
                        "kill_after_files": killer(bucket),
                        "data_files": bucket.data_files,
                        "landing": landing(bucket),
                        "watch": watch,
                        "say_now": say_now,
                        "checkpoint": str(Path(scratch) / "checkpoint"),
                    }
                    take(Tour(bucket, expected, names), STEPS)
        except DemoError:
            raise
        except Exception:
            if log.exists():
                sys.stderr.write(f"\nThe end of Spark's log:\n{log.read_text(errors='replace')[-4000:]}\n")
            raise
    say()
    say(f"All figures are those of {data.name}/expected.json. {time.perf_counter() - start:.0f} seconds.")
    return 0


def find_sample(given: Path | None) -> Path:
    """The folder of the sample: the one given, else the repository's.

    Raises:
        DemoError: it is not there.
    """
    folder = given or Path(__file__).resolve().parents[3] / "sample_data"
    if not (folder / "expected.json").is_file():
        raise DemoError(
            f"there is no sample in {folder} (no expected.json). Run from a checkout of the repository, or name the"
            " folder: python -m pyspark_logs.demo --data sample_data"
        )
    return folder


def check_installed() -> None:
    """Look for the packages that only the demo needs all of.

    Raises:
        DemoError: some are missing.
    """
    missing = [name for name in ("pyspark", "s3fs", "moto", "flask") if importlib.util.find_spec(name) is None]
    if missing:
        raise DemoError(
            f"{', '.join(missing)} not installed: pip install 'pyspark-logs[s3,spark]' 'moto[server]', or `make demo`"
        )


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
