"""The command ``tail``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyspark_logs.cli.arguments import seconds
from pyspark_logs.cli.formats import (
    add_path_and_options,
    add_where_and_columns,
    columns_of,
    path_of,
    read_options,
    with_condition,
)
from pyspark_logs.cli.output import add_escape_formulas, check_directory, row_writer_name
from pyspark_logs.errors import StoreError
from pyspark_logs.terminal_text import printable

if TYPE_CHECKING:
    from pyspark_logs.api.follow import Follower


def add_commands(commands: Any) -> None:
    """Adds the command to a parser."""
    text = "print the rows of new files as they come, by the offset of a stream"
    command = commands.add_parser(
        "tail",
        help=text,
        description=f"{text}. A file is read once: lines that are appended to it later are not printed. Stops at Ctrl-C.",
    )
    add_path_and_options(command)
    add_where_and_columns(command)
    command.add_argument("--checkpoint", metavar="FILE", help="file that keeps the offset, so that a later run goes on")
    command.add_argument(
        "--interval", type=seconds, default=10.0, metavar="SECONDS", help="time between polls (default: %(default)s)"
    )
    command.add_argument("--once", action="store_true", help="print the rows of the files that are there, and stop")
    command.add_argument("--format", choices=("json", "csv"), default="json", help="output (default: %(default)s)")
    command.add_argument("--json", action="store_const", dest="format", const="json", help="short for --format json")
    add_escape_formulas(command)
    command.set_defaults(run=_tail)


def _tail(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.dataset import dataset, select_columns
    from pyspark_logs.api.follow import Follower
    from pyspark_logs.rendering.row_writers import ROW_WRITERS

    kind = row_writer_name(parsed, parsed.format)
    if parsed.checkpoint is not None:
        check_directory("--checkpoint", parsed.checkpoint)
    given = with_condition(read_options(parsed, options), parsed.where)
    if (columns := columns_of(parsed)) is not None:
        given["schema"] = select_columns(dataset(path_of(parsed), **given).schema, columns)
    follower = Follower(path_of(parsed), parsed.checkpoint, **given)
    write = ROW_WRITERS[kind](sys.stdout, follower.schema.names)
    try:
        while True:
            if not _poll(follower, write, raises=parsed.once):
                if parsed.once:
                    return 0
                time.sleep(parsed.interval)
    except KeyboardInterrupt:
        return 0


def _poll(follower: Follower, write: Callable[[Any], None], *, raises: bool) -> bool:
    """Prints the rows of new files; False if there are no new files, or the store failed and ``raises`` is False."""
    try:
        for batch in follower.poll():
            write(batch)
    except StoreError as error:
        if raises:
            raise
        print(f"pyspark-logs tail: {printable(str(error))} The next poll tries again.", file=sys.stderr)
        return False
    sys.stdout.flush()
    return follower.commit()
