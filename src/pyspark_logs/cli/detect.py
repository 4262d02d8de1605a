"""The command ``detect``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pyspark_logs.cli.arguments import add_json, add_option
from pyspark_logs.cli.output import FAILED, print_report, terminal_width
from pyspark_logs.rendering.text_table import table


def add_commands(commands: Any) -> None:
    """Adds the command to a parser."""
    text = "find the format of a file: presets, common configurations, or a template derived from its lines"
    command = commands.add_parser("detect", help=text, description=text)
    command.add_argument("file", help="a file; of a directory or a glob, up to eight of its files")
    command.add_argument("--rows", type=int, default=5, metavar="N", help="rows of the preview (default: %(default)s)")
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

    candidates = detect(parsed.file, **options)
    is_detected = any(candidate.share >= GOOD_SHARE for candidate in candidates)
    lines = []
    if not is_detected:
        lines.append(
            f"{parsed.file}: no known format matches"
            + ("" if candidates else ", and no template fits; the file may be empty or prose")
        )
    for candidate in candidates:
        records = f"{candidate.matched} of {candidate.records} records, {len(candidate.columns)} columns"
        lines.append(f"{candidate.share:7.1%}  {candidate.name}  ({records})")
    if candidates and parsed.code != "none":
        lines += ["", "Code that reads the first format:", "", *candidates[0].code(parsed.code).split("\n")]
    if candidates and parsed.rows > 0:
        best = candidates[0]
        rows = preview(parsed.file, parsed.rows, **{**options, **best.options}).table
        title = f"The first rows as {best.name}:"
        lines += ["", title, "", *table(rows.to_pylist(), rows.column_names, terminal_width())]
    report = [
        {
            **asdict(candidate),
            "code": {name: candidate.code(name) for name in LANGUAGES},
            "share": round(candidate.share, 4),
            "specificity": round(candidate.specificity, 2),
        }
        for candidate in candidates
    ]
    print_report(parsed, {"candidates": report}, lines)
    return 0 if is_detected else FAILED
