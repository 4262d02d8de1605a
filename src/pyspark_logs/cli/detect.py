"""The command ``detect``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pyspark_logs.cli.arguments import add_json, add_option, whole_number
from pyspark_logs.cli.output import FAILED, print_report
from pyspark_logs.cli.progress import show_progress
from pyspark_logs.rendering.report_output import ReportOutput
from pyspark_logs.terminal_text import format_count


def add_commands(commands: Any) -> None:
    """Adds the command to a parser."""
    text = "find the format of a file: presets, common configurations, or a template derived from its lines"
    command = commands.add_parser("detect", help=text, description=text)
    command.add_argument("file", help="a file; of a directory or a glob, up to eight of its files")
    command.add_argument(
        "--rows", type=whole_number, default=5, metavar="N", help="rows of the preview (default: %(default)s)"
    )
    command.add_argument(
        "--code",
        choices=("python", "sql", "scan", "none"),
        default="python",
        help="code that reads the file, as the best candidate: for Spark in Python or SQL, or for scan() without Spark"
        " (default: %(default)s)",
    )
    add_json(command)
    add_option(command, "an option of the reader, such as encoding=latin-1 or endpoint=http://127.0.0.1:9000")
    command.set_defaults(run=_detect)


def _detect(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.detect import GOOD_SHARE, LANGUAGES, detect
    from pyspark_logs.api.preview import preview

    with show_progress(parsed):
        candidates = detect(parsed.file, **options)
        is_detected = any(candidate.share >= GOOD_SHARE for candidate in candidates)
        rows = None
        if candidates and parsed.rows > 0:
            rows = preview(parsed.file, parsed.rows, **{**options, **candidates[0].options}).table

    def write_to(output: ReportOutput) -> None:
        if not is_detected:
            output.line(
                f"{parsed.file}: no known format matches"
                + ("" if candidates else ", and no template fits; the file may be empty or prose")
            )
        for candidate in candidates:
            records = f"{candidate.matched} of {format_count(candidate.records, 'record')}"
            columns = format_count(len(candidate.columns), "column")
            output.line(f"{candidate.share:7.1%}  {candidate.name}  ({records}, {columns})")
        if candidates and parsed.code != "none":
            for line in ("", "Code that reads the first format:", "", *candidates[0].code(parsed.code).split("\n")):
                output.line(line)
        if rows is not None:
            for line in ("", f"The first rows as {candidates[0].name}:", ""):
                output.line(line)
            output.table(rows.to_pylist(), rows.column_names)

    report = [
        {
            **asdict(candidate),
            "code": {name: candidate.code(name) for name in LANGUAGES},
            "share": round(candidate.share, 4),
            "specificity": round(candidate.specificity, 2),
        }
        for candidate in candidates
    ]
    print_report(parsed, {"candidates": report}, write_to)
    return 0 if is_detected else FAILED
