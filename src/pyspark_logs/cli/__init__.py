"""``pyspark-logs``: what is done by hand, or by a timer.

Exit codes: 0: done; 1: a job could not be dealt with, run it again, or no format was found; 2: bad arguments, or the
store said no.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyspark_logs.cli.text_table import table
from pyspark_logs.errors import LogSourceError, OptionError

if TYPE_CHECKING:
    from pyspark_logs.preset_listing import Listed

FAILED, REFUSED = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what it did goes to standard output, what went wrong to standard error."""
    parsed = _parser().parse_args(arguments)
    try:
        options = dict(_option(text) for text in parsed.option)
        return int(parsed.run(parsed, options))
    except LogSourceError as error:
        print(f"pyspark-logs {parsed.command}: {error}", file=sys.stderr)
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pyspark-logs", description="Look at log files, and keep up places that pyspark-logs writes to."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("root", help="the directory that was written to, e.g. s3://acme-logs/app")
    common.add_argument(
        "--older-than", default="1d", metavar="AGE", help="leave alone what is younger: 30m, 1d (default: %(default)s)"
    )
    common.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument(
        "-o", "--option", action="append", default=[], metavar="NAME=VALUE",
        help="an option of the reader or writer, such as endpoint=http://127.0.0.1:9000; may be repeated",
    )  # fmt: skip
    text = "decide the jobs that died before they were done: roll back what has no decision, finish what has"
    command = commands.add_parser("recover", parents=[common], help=text, description=text)
    command.add_argument("--job", metavar="ID", help="this job only, whatever its age")
    command.set_defaults(run=_recover)
    text = "remove staged leftovers of dead jobs, and records that nobody needs any more; no visible file goes"
    commands.add_parser("vacuum", parents=[common], help=text, description=text).set_defaults(run=_vacuum)
    _add_detect(commands)
    _add_presets(commands)
    return parser


def _add_detect(commands: Any) -> None:
    text = "find out which format a file has: presets, common configurations, or a template made for its lines"
    command = commands.add_parser("detect", help=text, description=text)
    command.add_argument("file", help="a file; of a directory or a glob, its first file")
    command.add_argument("--rows", type=int, default=5, metavar="N", help="rows of the preview (default: %(default)s)")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument(
        "-o", "--option", action="append", default=[], metavar="NAME=VALUE",
        help="an option of the reader, such as encoding=latin-1 or endpoint=http://127.0.0.1:9000; may be repeated",
    )  # fmt: skip
    command.set_defaults(run=_detect)


def _add_presets(commands: Any) -> None:
    text = "list the formats that ship, or show one: its columns, a sample, where its files lie, and its source"
    command = commands.add_parser("presets", help=text, description=text)
    command.add_argument("name", nargs="?", help="a preset; without one, all of them are listed")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=_presets, option=[])


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise OptionError(f"--option {text!r} is not of the form name=value")
    return name, value


def _recover(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.maintenance import recover

    report = recover(parsed.root, parsed.older_than, job=parsed.job, dry_run=parsed.dry_run, **options)
    would = "would be " if parsed.dry_run else ""
    _print(
        parsed,
        asdict(report),
        [
            *(f"{would}rolled back      {job}" for job in report.rolled_back),
            *(f"{would}finished         {job}" for job in report.rolled_forward),
            *(f"left alone, young {job}" for job in report.young),
            *(f"failed           {job}: {why}" for job, why in report.failed),
            (
                f"{len(report.rolled_back)} rolled back, {len(report.rolled_forward)} finished, {len(report.young)} too young,"
                f" {len(report.failed)} failed; {report.uploads} uploads of lost task attempts aborted"
            ),
        ],
    )
    return FAILED if report.failed else 0


def _vacuum(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.maintenance import vacuum

    report = vacuum(parsed.root, parsed.older_than, dry_run=parsed.dry_run, **options)
    would = "would be " if parsed.dry_run else ""
    _print(
        parsed,
        asdict(report),
        [
            *(f"{would}removed upload {path}" for path in report.uploads),
            *(f"{would}removed record of {job}" for job in report.records),
            *(f"{would}removed claim {key}" for key in report.claims),
            f"{len(report.uploads)} uploads, {len(report.records)} records, {len(report.claims)} claims {would}removed",
        ],
    )
    return 0


def _detect(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.detection import GOOD_SHARE, detect, preview

    found = detect(parsed.file, **options)
    good = [one for one in found if one.share >= GOOD_SHARE]
    report = [{**asdict(one), "share": round(one.share, 4), "specificity": round(one.specificity, 2)} for one in found]
    lines = (
        [f"{parsed.file}: no known format matches" + ("" if found else ", and no template fits")] if not good else []
    )
    for one in found:
        records = f"{one.matched} of {one.records} records, {len(one.columns)} columns"
        lines.append(f"{one.share:7.1%}  {one.name}  ({records})")
    if found and parsed.rows > 0:
        best = found[0]
        rows = preview(parsed.file, best.options, parsed.rows, **options)
        width = shutil.get_terminal_size((120, 24)).columns
        lines += ["", f"The first rows as {best.name}:", "", *table(rows.to_pylist(), rows.column_names, width)]
    _print(parsed, {"candidates": report}, lines)
    return 0 if good else FAILED


def _presets(parsed: argparse.Namespace, _: dict[str, str]) -> int:
    from pyspark_logs.preset_listing import list_presets, listed

    width = shutil.get_terminal_size((120, 24)).columns
    if parsed.name is not None:
        one = listed(parsed.name)
        _print(parsed, _preset_report(one), _preset_lines(one, width))
        return 0
    found = list_presets()
    rows = [{"preset": one.name, "columns": len(one.columns), "layout": one.layout or ""} for one in found]
    _print(
        parsed, {"presets": [_preset_report(one) for one in found]}, table(rows, ["preset", "columns", "layout"], width)
    )
    return 0


def _preset_report(one: Listed) -> dict[str, Any]:
    return {**asdict(one), "columns": [{"name": name, "type": kind} for name, kind in one.columns]}


def _preset_lines(one: Listed, width: int) -> list[str]:
    columns = [{"column": name, "type": kind} for name, kind in one.columns]
    return [
        one.name,
        "",
        *table(columns, ["column", "type"], width),
        "",
        "sample",
        *(f"    {line}" for line in one.sample),
        "",
        f"layout  {one.layout or 'none'}",
        f"source  {one.source}",
    ]


def _print(parsed: argparse.Namespace, report: dict[str, Any], lines: Sequence[str]) -> None:
    sys.stdout.write((json.dumps(report) if parsed.json else "\n".join(lines)) + "\n")
