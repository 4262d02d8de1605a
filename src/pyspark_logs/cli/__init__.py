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
    from pyspark_logs.cli.arguments import parse_options
    from pyspark_logs.cli.completion import complete
    from pyspark_logs.cli.output import INTERRUPTED, REFUSED
    from pyspark_logs.cli.streams import prepare_streams
    from pyspark_logs.errors import LogSourceError
    from pyspark_logs.terminal_text import printable

    prepare_streams()
    parser = build_parser()
    complete(parser)
    parsed = parser.parse_args(arguments)
    if parsed.command is None:
        parser.print_help()
        return 0
    try:
        code = int(parsed.run(parsed, parse_options(parsed.option)))
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"\npyspark-logs {parsed.command}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe, such as head, has enough. Python would report the failed flush at exit.
        sys.stdout = None
        return 0
    except (LogSourceError, OSError) as error:
        # Some messages point at a position in a second line.
        lines = f"pyspark-logs {parsed.command}: {error}".split("\n")
        print("\n".join(map(printable, lines)), file=sys.stderr)
        return REFUSED
    return code


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of all commands."""
    from pyspark_logs import __version__
    from pyspark_logs.cli import audit, check, demo, detect, jobs, maintenance, plan, presets, preview, tail
    from pyspark_logs.cli.command_parser import CommandParser

    parser = CommandParser(
        prog="pyspark-logs",
        description="Read log files without Spark, detect their format, and maintain directories that pyspark-logs writes to.",
        epilog="`pyspark-logs COMMAND --help` describes a command.",
    )
    parser.add_argument("--version", action="version", version=f"pyspark-logs {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for module in (detect, preview, check, plan, tail, presets, audit, jobs, maintenance, demo):
        module.add_commands(commands)
    return parser
