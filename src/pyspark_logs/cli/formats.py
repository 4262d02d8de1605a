"""The line format of commands that read: named by options, or detected."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from pyspark_logs.cli.arguments import add_option
from pyspark_logs.cli.progress import show_progress
from pyspark_logs.errors import OptionError
from pyspark_logs.terminal_text import printable

_SELECTIONS = frozenset(("starttime", "endtime", "where", "schema", "timecolumn", "mode", "columnnameofcorruptrecord"))


def add_path_and_options(command: argparse.ArgumentParser) -> None:
    """Adds the arguments that all commands which read have: paths, and the options of the reader."""
    command.add_argument("path", nargs="+", help="directories, files or globs, e.g. s3://acme-logs/app")
    command.add_argument("--preset", metavar="NAME", help="short for -o preset=NAME")
    command.add_argument("--template", metavar="TEXT", help="short for -o template=TEXT")
    add_option(
        command,
        "an option of the reader, such as layout={yyyy}/{MM}/{dd} or startTime=2026-11-22; without a line format, the format is"
        " detected",
    )


def add_where_and_columns(command: argparse.ArgumentParser) -> None:
    """Adds ``--where`` and ``--columns``."""
    command.add_argument(
        "--where", metavar="CONDITION", help="""condition in Spark's SQL, e.g. "status >= 500" """.strip()
    )
    command.add_argument("--columns", metavar="NAMES", help="columns, separated by commas (default: all)")


def with_condition(options: dict[str, Any], where: str | None) -> dict[str, Any]:
    """Returns options with the condition of ``--where``, in addition to that of the option ``where``."""
    if where is None:
        return options
    given = {name: value for name, value in options.items() if name.lower() == "where"}
    others = {name: value for name, value in options.items() if name not in given}
    return {
        **others,
        "where": " AND ".join(f"({condition})" for condition in (*given.values(), where)) if given else where,
    }


def columns_of(parsed: argparse.Namespace) -> list[str] | None:
    """Returns the names given by ``--columns``."""
    return None if parsed.columns is None else [name.strip() for name in parsed.columns.split(",")]


def path_of(parsed: argparse.Namespace) -> str | list[str]:
    """Returns the path, or the list of paths."""
    paths: list[str] = parsed.path
    return paths[0] if len(paths) == 1 else paths


def read_options(parsed: argparse.Namespace, options: dict[str, str]) -> dict[str, Any]:
    """Returns the options of the reader, with the detected format if none is given.

    Raises:
        OptionError: no format is given, and none is detected.
    """
    from pyspark_logs.api.detect import GOOD_SHARE, detect
    from pyspark_logs.options import FORMATS

    for name in ("preset", "template"):
        if getattr(parsed, name) and name in map(str.lower, options):
            raise OptionError(f"--{name} and --option {name}=... are both given; keep one")
    given = {**options, **{name: getattr(parsed, name) for name in ("preset", "template") if getattr(parsed, name)}}
    known = {name.lower() for name in FORMATS}
    if any(name.lower() in known for name in given):
        return given
    # The time range needs the layout, which is detected together with the format.
    unselected = {name: value for name, value in given.items() if name.lower() not in _SELECTIONS}
    with show_progress(parsed):
        candidates = detect(parsed.path[0], **unselected)
    if not candidates or candidates[0].share < GOOD_SHARE:
        best = (
            f"the best candidate, {candidates[0].name}, matches {candidates[0].share:.0%}"
            if candidates
            else "no candidate"
        )
        raise OptionError(
            f"{parsed.path[0]}: the line format is not detected ({best}). Name it with --preset or --template;"
            " `pyspark-logs detect` shows the candidates"
        )
    print(
        f"format: {printable(candidates[0].name)} (detected; {candidates[0].share:.0%} of the sample)", file=sys.stderr
    )
    return {**candidates[0].options, **given}
