"""The command ``audit``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pyspark_logs.cli.arguments import add_json, add_option
from pyspark_logs.cli.output import FAILED, print_report
from pyspark_logs.cli.progress import show_progress


def add_commands(commands: Any) -> None:
    """Adds the command to a parser."""
    text = "prove that each byte of each listed file was read once, from the documents of the option auditPath"
    command = commands.add_parser(
        "audit",
        help=text,
        description=f"{text}. The exit code is 1 if a query is wrong, or unfinished without --allow-unfinished.",
    )
    command.add_argument("path", metavar="PATH", help="directory of the option auditPath")
    command.add_argument("--query", metavar="ID", help="id of a query, or `latest` (default: all queries)")
    command.add_argument(
        "--checkpoint",
        metavar="PATH",
        help="checkpointLocation of a streaming query, whose complete batches must have an audit",
    )
    command.add_argument(
        "--allow-unfinished", action="store_true", help="exit with 0 although queries run, failed or were stopped"
    )
    add_json(command)
    add_option(command, "an option of the reader, such as endpoint=http://127.0.0.1:9000")
    command.set_defaults(run=_audit)


def _audit(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.audit import audit

    with show_progress(parsed):
        report = audit(parsed.path, query=parsed.query, checkpoint=parsed.checkpoint, **options)
    result = {"path": report.path, "state": report.state, "queries": [asdict(query) for query in report.queries]}
    print_report(parsed, result, report.write_to)
    allowed = ("complete", "unfinished") if parsed.allow_unfinished else ("complete",)
    return 0 if report.state in allowed else FAILED
