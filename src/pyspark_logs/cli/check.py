"""The command ``check``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pyspark_logs.cli.arguments import add_json
from pyspark_logs.cli.formats import add_path_and_options, path_of, read_options, with_condition
from pyspark_logs.cli.output import FAILED, print_report
from pyspark_logs.cli.progress import show_progress


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

    given = with_condition(read_options(parsed, options), parsed.where)
    with show_progress(parsed) as progress:
        report = check(path_of(parsed), progress=progress, **given)
    print_report(parsed, asdict(report), report.write_to)
    return FAILED if report.summary.corrupt or report.summary.damaged else 0
