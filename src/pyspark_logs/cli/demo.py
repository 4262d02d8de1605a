"""The command ``demo``, which runs the program ``examples/demo``."""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path
from typing import Any

from pyspark_logs.cli.output import FAILED

_PACKAGE = Path(__file__).resolve().parents[1]


def add_commands(commands: Any) -> None:
    """Adds the command to a parser."""
    text = "write sample logs to an S3 server on this machine, and read, write and stream them with Spark"
    command = commands.add_parser("demo", help=text, description=text)
    command.add_argument("--data", metavar="DIRECTORY", help="directory of the sample (default: the one that ships)")
    command.set_defaults(run=_demo, option=[])


def demo_directory() -> Path:
    """Returns the directory of the program: the copy in the wheel, or the source in a checkout."""
    bundled = _PACKAGE / "_demo"
    return bundled if bundled.is_dir() else _PACKAGE.parents[1] / "examples" / "demo"


def _demo(parsed: argparse.Namespace, _: dict[str, str]) -> int:
    directory = demo_directory()
    if not (directory / "__main__.py").is_file():
        print(
            f"pyspark-logs demo: this installation has no demo (no {directory}); install the wheel of the release with pip install"
            " --force-reinstall pyspark-logs, or run the command in a checkout of the sources",
            file=sys.stderr,
        )
        return FAILED
    arguments = sys.argv
    sys.argv = [str(directory), *(["--data", parsed.data] if parsed.data is not None else [])]
    try:
        runpy.run_path(str(directory), run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    finally:
        sys.argv = arguments
    return 0
