"""The command ``plan``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pyspark_logs.cli.arguments import add_json
from pyspark_logs.cli.formats import (
    add_path_and_options,
    add_where_and_columns,
    columns_of,
    path_of,
    read_options,
    with_condition,
)
from pyspark_logs.cli.output import print_report
from pyspark_logs.cli.progress import show_progress


def add_commands(commands: Any) -> None:
    """Adds the command to a parser."""
    text = "show what a load lists and reads: prefixes, files, splits, requests and their cost"
    command = commands.add_parser("plan", help=text, description=text)
    add_path_and_options(command)
    add_where_and_columns(command)
    add_json(command)
    command.set_defaults(run=_plan)


def _plan(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.plan import plan

    given = with_condition(read_options(parsed, options), parsed.where)
    with show_progress(parsed):
        found = plan(path_of(parsed), columns=columns_of(parsed), **given)
    report = {**asdict(found), "get_requests": found.get_requests, "request_cost_usd": found.request_cost_usd}
    print_report(parsed, report, found.write_to)
    return 0
