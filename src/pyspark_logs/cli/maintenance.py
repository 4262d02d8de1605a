"""The commands ``recover`` and ``vacuum``."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pyspark_logs.cli.arguments import add_json, add_option
from pyspark_logs.cli.output import FAILED, print_report
from pyspark_logs.cli.progress import show_progress
from pyspark_logs.rendering.report_output import ReportOutput
from pyspark_logs.terminal_text import format_count


def add_commands(commands: Any) -> None:
    """Adds the commands to a parser."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("root", help="directory that jobs write to, e.g. s3://acme-logs/app")
    common.add_argument(
        "--older-than", default="1d", metavar="AGE", help="skip what is younger: 30m, 1d (default: %(default)s)"
    )
    common.add_argument("--dry-run", action="store_true", help="report what would be done, and change nothing")
    add_json(common)
    add_option(common, "an option of the reader or writer, such as endpoint=http://127.0.0.1:9000")
    text = "decide jobs that died: roll back those without a decision, finish those with one"
    command = commands.add_parser("recover", parents=[common], help=text, description=text)
    command.add_argument("--job", metavar="ID", help="this job only, whatever its age")
    command.set_defaults(run=_recover)
    text = "remove staged leftovers of dead jobs, and records that are no longer needed; visible files stay"
    commands.add_parser("vacuum", parents=[common], help=text, description=text).set_defaults(run=_vacuum)


def _recover(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.maintenance import recover

    with show_progress(parsed):
        report = recover(parsed.root, parsed.older_than, job=parsed.job, dry_run=parsed.dry_run, **options)
    would = "would be " if parsed.dry_run else ""
    lines = [
        *(f"{would}rolled back      {job}" for job in report.rolled_back),
        *(f"{would}finished         {job}" for job in report.rolled_forward),
        *(f"left alone, young {job}" for job in report.young),
        *(f"failed           {job}: {why}" for job, why in report.failed),
        *(f"would be removed {path}" for path in report.files if parsed.dry_run),
        (
            f"{len(report.rolled_back)} rolled back, {len(report.rolled_forward)} finished, {len(report.young)} too young,"
            f" {len(report.failed)} failed; {format_count(report.uploads, 'upload')} of lost task attempts {would}aborted"
        ),
    ]
    print_report(parsed, asdict(report), functools.partial(_write_lines, lines))
    return FAILED if report.failed else 0


def _vacuum(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.maintenance import vacuum

    with show_progress(parsed):
        report = vacuum(parsed.root, parsed.older_than, dry_run=parsed.dry_run, **options)
    would = "would be " if parsed.dry_run else ""
    lines = [
        *(f"{would}removed upload {path}" for path in report.uploads),
        *(f"{would}removed record of {job}" for job in report.records),
        *(f"{would}removed claim {key}" for key in report.claims),
        *(f"{would}removed temporary file {key}" for key in report.temporary),
        *(f"failed: its chain and the records it may need are kept: {reason}" for _, reason in report.failed),
        (
            f"{format_count(len(report.uploads), 'upload')}, {format_count(len(report.records), 'record')},"
            f" {format_count(len(report.claims), 'claim')} {would}removed"
        ),
    ]
    print_report(parsed, asdict(report), functools.partial(_write_lines, lines))
    return FAILED if report.failed else 0


def _write_lines(lines: Sequence[str], output: ReportOutput) -> None:
    for line in lines:
        output.line(line)
