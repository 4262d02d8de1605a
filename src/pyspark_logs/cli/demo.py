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
    command.add_argument(
        "--serve",
        action="store_true",
        help="only serve the sample as the bucket acme-logs, until Ctrl-C, for programs of your own",
    )
    command.add_argument("--port", type=int, metavar="N", help="port of --serve; 0: any free one (default: 9090)")
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
    given = {"--data": parsed.data, "--port": parsed.port}
    sys.argv = [str(directory), *(["--serve"] if parsed.serve else [])]
    sys.argv += [text for name, value in given.items() if value is not None for text in (name, str(value))]
    try:
        runpy.run_path(str(directory), run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    finally:
        sys.argv = arguments
    return 0
