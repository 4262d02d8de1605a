"""The public function ``preview``: the first rows of log files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pyspark_logs.api.dataset import dataset
from pyspark_logs.api.scan import ScanSummary
from pyspark_logs.rendering.html import html_table
from pyspark_logs.rendering.text_table import table as text_table


@dataclass(frozen=True, repr=False)
class Preview:
    """The first rows of log files. Prints as a text table, and shows as a table in notebooks.

    Attributes:
        table: the rows.
        summary: numbers of the records that were read; with batches of rows, these are more than the rows.
    """

    table: pa.Table
    summary: ScanSummary

    def __repr__(self) -> str:
        return "\n".join(text_table(self.table.to_pylist(), self.table.column_names))

    def _repr_html_(self) -> str:
        return html_table(self.table.to_pylist(), self.table.column_names)


def preview(
    path: str | os.PathLike[str] | list[str],
    rows: int = 10,
    *,
    columns: Sequence[str] | None = None,
    where: str | None = None,
    **options: Any,
) -> Preview:
    r"""Returns the first rows of log files.

    Args:
        path: directory, file or glob, or a list of them.
        rows: maximum number of rows.
        columns: names of the columns; None: all columns.
        where: condition on the rows, as in the option ``where``.
        **options: options of :func:`pyspark_logs.scan`.

    Raises:
        LogSourceError: as :func:`pyspark_logs.scan`.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "app.log")
    >>> _ = file.write_text("INFO started\nWARN slow\n")
    >>> preview(file, template="{level} {message}")
    level  message
    INFO   started
    WARN   slow
    """
    summary = ScanSummary()
    found = dataset(path, **options).head(rows, columns=columns, where=where, summary=summary)
    return Preview(found, summary)
