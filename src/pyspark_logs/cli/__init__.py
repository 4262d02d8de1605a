"""The command ``pyspark-logs``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. Results go to standard output, errors to standard error.

    Returns:
        The exit code: 0, or a constant of :mod:`pyspark_logs.cli.output`. argparse exits with 2 for wrong arguments.
    """
    from pyspark_logs.cli import demo, detect, maintenance, presets
    from pyspark_logs.cli.arguments import parse_options
    from pyspark_logs.cli.output import REFUSED
    from pyspark_logs.errors import LogSourceError

    parser = argparse.ArgumentParser(
        prog="pyspark-logs",
        description="Detect the format of log files, and maintain directories that pyspark-logs writes to.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (maintenance, detect, presets, demo):
        module.add_commands(commands)
    parsed = parser.parse_args(arguments)
    try:
        return int(parsed.run(parsed, parse_options(parsed.option)))
    except LogSourceError as error:
        print(f"pyspark-logs {parsed.command}: {error}", file=sys.stderr)
        return REFUSED
