"""The commands ``preview`` (also ``head``) and ``convert``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark_logs.cli.arguments import whole_number
from pyspark_logs.cli.formats import add_path_and_options, add_where_and_columns, columns_of, path_of, read_options
from pyspark_logs.cli.output import add_escape_formulas, check_directory, print_text, row_writer_name
from pyspark_logs.cli.progress import show_progress
from pyspark_logs.errors import OptionError
from pyspark_logs.terminal_text import format_count

_SUFFIXES = {".parquet": "parquet", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".csv": "csv"}


def add_commands(commands: Any) -> None:
    """Adds the commands to a parser."""
    text = "show the first rows of log files"
    command = commands.add_parser("preview", aliases=["head"], help=text, description=text)
    add_path_and_options(command)
    add_where_and_columns(command)
    command.add_argument("-n", "--rows", type=whole_number, default=10, metavar="N", help="rows (default: %(default)s)")
    command.add_argument(
        "--format", choices=("table", "json", "csv"), default="table", help="output (default: %(default)s)"
    )
    command.add_argument("--json", action="store_const", dest="format", const="json", help="short for --format json")
    add_escape_formulas(command)
    command.set_defaults(run=_preview)

    text = "write the rows of log files to a file: Parquet, JSON lines or CSV, by its suffix"
    command = commands.add_parser("convert", help=text, description=text)
    add_path_and_options(command)
    add_where_and_columns(command)
    command.add_argument("--to", required=True, metavar="FILE", help=f"file with a suffix of {', '.join(_SUFFIXES)}")
    command.add_argument("-n", "--rows", type=whole_number, metavar="N", help="maximum number of rows (default: all)")
    add_escape_formulas(command)
    command.set_defaults(run=_convert)


def _preview(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.preview import preview
    from pyspark_logs.rendering.row_writers import ROW_WRITERS

    kind = row_writer_name(parsed, parsed.format)
    given = read_options(parsed, options)
    with show_progress(parsed):
        found = preview(path_of(parsed), parsed.rows, columns=columns_of(parsed), where=parsed.where, **given).table
    if parsed.format == "table":
        rows = found.to_pylist()
        print_text(lambda output: output.table(rows, found.column_names))
        return 0
    write = ROW_WRITERS[kind](sys.stdout, found.column_names)
    for batch in found.to_batches():
        write(batch)
    return 0


def _convert(parsed: argparse.Namespace, options: dict[str, str]) -> int:
    from pyspark_logs.api.dataset import dataset
    from pyspark_logs.api.scan import ScanSummary

    target = Path(parsed.to)
    kind = _SUFFIXES.get(target.suffix.lower())
    if kind is None:
        raise OptionError(f"--to {parsed.to!r}: its suffix is none of {', '.join(_SUFFIXES)}")
    kind = row_writer_name(parsed, kind)
    check_directory("--to", parsed.to)
    summary, given = ScanSummary(), read_options(parsed, options)
    # The file appears only when it is complete.
    temporary = target.with_name(f".{target.name}.tmp")
    rows = 0
    try:
        with show_progress(parsed) as progress:
            logs = dataset(path_of(parsed), **given)
            reader = logs.scan(
                columns=columns_of(parsed), where=parsed.where, limit=parsed.rows, summary=summary, progress=progress
            )
            with _open_writer(kind, temporary, reader.schema) as write, reader:
                for batch in reader:
                    write(batch)
                    rows += batch.num_rows
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    corrupt = f", {summary.corrupt} of them from records that do not match" if summary.corrupt else ""
    print(f"{format_count(rows, 'row')} written to {target}{corrupt}", file=sys.stderr)
    return 0


@contextmanager
def _open_writer(kind: str, path: Path, schema: Any) -> Iterator[Callable[[Any], None]]:
    """Opens a file, and yields a function that writes a batch to it."""
    from pyspark_logs.rendering.row_writers import ROW_WRITERS

    if kind == "parquet":
        import pyarrow.parquet as pq

        with pq.ParquetWriter(path, schema) as writer:
            yield writer.write_batch
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        yield ROW_WRITERS[kind](file, schema.names)
