"""Exit codes of the commands, and their output as text or JSON."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyspark_logs.cli.rich_output import RichOutput, open_console
from pyspark_logs.errors import OptionError
from pyspark_logs.rendering.report_output import PlainOutput, ReportOutput

# FAILED: records do not match, no format matches, a query is wrong or unfinished, a job is damaged or was neither rolled back nor finished, or a claim cannot be
# read. REFUSED: a bad option, an error of the store, or a file that cannot be written.
# INTERRUPTED: as shells report a process that ended by SIGINT.
FAILED, REFUSED, INTERRUPTED = 1, 2, 130


def print_report(parsed: argparse.Namespace, report: dict[str, Any], write_to: Callable[[ReportOutput], None]) -> None:
    """Writes a report to standard output: as JSON with ``--json``, else as text.

    Args:
        parsed: arguments of the command.
        report: report as JSON values.
        write_to: function that writes the report to an output.
    """
    if parsed.json:
        sys.stdout.write(json.dumps(report) + "\n")
    else:
        print_text(write_to)


def print_text(write_to: Callable[[ReportOutput], None]) -> None:
    """Writes a report to standard output as text without control characters of data, with rich on terminals."""
    console = open_console(sys.stdout, terminal_width())
    if console is not None:
        write_to(RichOutput(console))
        return
    output = PlainOutput(terminal_width())
    write_to(output)
    sys.stdout.write("".join(f"{line}\n" for line in output.lines))


def check_directory(option: str, file: str) -> None:
    """Checks that the directory of a file to write exists, before anything is read.

    Raises:
        OptionError: there is no such directory, or the file is a directory.
    """
    if "://" in file:
        raise OptionError(
            f"{option} {file!r} is not a local path, and files are written to this machine only; write a local file and copy it. Spark"
            " and pyspark_logs.write() write log files to stores"
        )
    if Path(file).is_dir():
        raise OptionError(f"{option} {file!r} is a directory; name a file in it")
    directory = Path(file).absolute().parent
    if not directory.is_dir():
        raise OptionError(f"{option} {file!r}: there is no directory {directory}; create it, or name another file")


def terminal_width() -> int:
    """Returns the width of the terminal in characters; 120 if there is no terminal."""
    return shutil.get_terminal_size((120, 24)).columns


def add_escape_formulas(command: argparse.ArgumentParser) -> None:
    """Adds the argument ``--escape-formulas`` of commands that write CSV."""
    command.add_argument(
        "--escape-formulas",
        action="store_true",
        help="CSV: put ' before text that a spreadsheet would take for a formula",
    )


def row_writer_name(parsed: argparse.Namespace, kind: str) -> str:
    """Returns the key in ``ROW_WRITERS`` of an output format.

    Raises:
        OptionError: ``--escape-formulas`` is given, and the format is not CSV.
    """
    if not parsed.escape_formulas:
        return kind
    if kind != "csv":
        raise OptionError(f"--escape-formulas belongs to CSV, and the output is {kind}; remove it")
    return "csv without formulas"
