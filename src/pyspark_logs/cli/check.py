"""The command ``check``."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyspark_logs.cli.arguments import add_json
from pyspark_logs.cli.formats import add_path_and_options, path_of, read_options
from pyspark_logs.cli.output import FAILED, print_report, terminal_width

if TYPE_CHECKING:
    from pyspark_logs.api.check import CheckProgress


def add_commands(commands: Any) -> None:
    """Adds the command to a parser."""
    text = "parse log files as a whole, and report the records that do not match: by reason, over time, by file"
    command = commands.add_parser(
        "check", help=text, description=f"{text}. The exit code is 1 if a record does not match."
    )
    add_path_and_options(command)
    command.add_argument("--where", metavar="CONDITION", help="check only the records for which a condition is true")
    add_json(command)
    command.set_defaults(run=_check)


def _check(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.check import check

    where = {} if parsed.where is None else {"where": parsed.where}
    shows = sys.stderr.isatty() and not parsed.json
    report = check(path_of(parsed), progress=_show if shows else None, **{**read_options(parsed, options), **where})
    if shows:
        sys.stderr.write("\r\x1b[K")
    print_report(parsed, asdict(report), report.lines(terminal_width()))
    return FAILED if report.summary.corrupt or report.summary.damaged else 0


def _show(progress: CheckProgress) -> None:
    """Writes the state of the check over the last one."""
    from pyspark_logs.rendering.units import format_bytes, format_seconds

    rate = progress.done / progress.seconds if progress.seconds else 0
    remaining = "" if progress.remaining_s is None else f", {format_seconds(progress.remaining_s)} left"
    sys.stderr.write(
        f"\r\x1b[K{format_bytes(progress.done)} of {format_bytes(progress.total)} ({format_bytes(rate)}/s{remaining}),"
        f" {progress.records} records, {progress.corrupt} corrupt"
    )
    sys.stderr.flush()
