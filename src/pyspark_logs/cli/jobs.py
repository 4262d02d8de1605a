"""The command ``jobs``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pyspark_logs.cli.arguments import add_json, add_option
from pyspark_logs.cli.output import FAILED, print_report
from pyspark_logs.cli.progress import show_progress
from pyspark_logs.rendering.report_output import ReportOutput
from pyspark_logs.terminal_text import format_count


def add_commands(commands: Any) -> None:
    """Adds the command to a parser."""
    text = "list the write jobs of a directory: state, age, files"
    command = commands.add_parser("jobs", help=text, description=f"{text}. The exit code is 1 if a job is damaged.")
    command.add_argument("root", help="directory that jobs write to, e.g. s3://acme-logs/app")
    command.add_argument("-n", "--limit", type=int, default=100, metavar="N", help="jobs (default: %(default)s)")
    add_json(command)
    add_option(command, "an option of the reader or writer, such as endpoint=http://127.0.0.1:9000")
    command.set_defaults(run=_jobs)


def _jobs(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.job_list import list_jobs
    from pyspark_logs.rendering.units import format_seconds, format_time

    with show_progress(parsed):
        found = list_jobs(parsed.root, limit=parsed.limit, **options)
    rows = [
        {
            "job": job.job, "state": job.state, "mode": job.mode, "age": format_seconds(max(job.age_s, 0.0)),
            "files": "" if job.files is None else job.files,
            "created (UTC)": format_time(job.created_us // 1_000_000 * 1_000_000),
        }
        for job in found
    ]  # fmt: skip
    undecided = sum(job.state == "undecided" for job in found)

    def write_to(output: ReportOutput) -> None:
        if not rows:
            output.line("no job has documents here")
            return
        # The id is the argument of `recover --job`.
        output.table(rows, list(rows[0]), whole=["job"])
        output.line()
        output.line(f"{format_count(len(found), 'job')} with documents, {undecided} of them undecided")
        if undecided:
            output.line(f"`pyspark-logs recover {parsed.root}` decides the jobs whose driver died")
        for job in found:
            if job.error:
                output.line(f"{job.job}: {job.error}")

    print_report(parsed, {"jobs": [asdict(job) for job in found]}, write_to)
    return FAILED if any(job.error for job in found) else 0
