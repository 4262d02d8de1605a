"""The public function ``plan``: the prefixes and files of a load, without reading the files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark_logs.api.dataset import select_columns
from pyspark_logs.api.loads import resolve_load
from pyspark_logs.planning import PlanReport, processors
from pyspark_logs.reader import LogReader
from pyspark_logs.rendering.html import html_table
from pyspark_logs.rendering.report_output import PlainOutput, ReportOutput
from pyspark_logs.rendering.units import format_bytes
from pyspark_logs.schema import parse_ddl, to_ddl
from pyspark_logs.store import S3_SCHEMES, split_scheme
from pyspark_logs.terminal_text import printable

# Prices of S3 Standard in us-east-1: https://aws.amazon.com/s3/pricing/
_USD_PER_LIST = 0.005 / 1000
_USD_PER_GET = 0.0004 / 1000
_SHOWN_PREFIXES = 20


@dataclass(frozen=True, repr=False)
class LoadPlan:
    """The plan of a load. Prints as text, and shows as a table in notebooks.

    Attributes:
        layout: layout of the paths; empty if the paths have no structure.
        report: counts of the listing, and the listed prefixes.
        tasks: number of tasks, which are the partitions of the DataFrame on a Spark with as many processors as this machine.
        splits: number of byte ranges of files.
        columns: names of the columns that are parsed.
        is_s3: True if all paths are on S3, whose requests have a price.
    """

    layout: str
    report: PlanReport
    tasks: int
    splits: int
    columns: tuple[str, ...]
    is_s3: bool = False

    @property
    def get_requests(self) -> int:
        """Number of GET requests, without retries and without those of the schema's inference."""
        return self.splits

    @property
    def request_cost_usd(self) -> float | None:
        """Cost of the LIST and GET requests in US dollars at the prices of S3 Standard in us-east-1; None: not on S3."""
        if not self.is_s3:
            return None
        return self.report.list_calls * _USD_PER_LIST + self.get_requests * _USD_PER_GET

    def rows(self) -> list[tuple[str, str]]:
        """Returns the plan as pairs of name and value."""
        report, cost = self.report, self.request_cost_usd
        skipped = {
            "outside of the time range": report.pruned_by_time,
            "of other partitions": report.pruned_by_partition,
            "not of the layout": report.skipped_by_layout,
            "not matched by pathGlobFilter": report.pruned_by_glob,
            "outside of the modification times": report.pruned_by_modified,
            "hidden": report.skipped_hidden,
            "empty": report.skipped_empty,
            "of jobs that are not committed": report.skipped_uncommitted,
        }
        omitted = ", ".join(f"{count} {reason}" for reason, count in skipped.items() if count)
        prefixes = list(report.prefixes_listed[:_SHOWN_PREFIXES])
        if len(report.prefixes_listed) > _SHOWN_PREFIXES:
            prefixes.append(f"and at least {len(report.prefixes_listed) - _SHOWN_PREFIXES} more")
        return [
            ("layout", printable(self.layout or "none")),
            ("prefixes listed", str(len(report.prefixes_listed))),
            *(("", printable(prefix)) for prefix in prefixes),
            ("directories pruned", str(report.directories_pruned)),
            ("files listed", str(report.files_listed)),
            ("files omitted", omitted or "none"),
            ("files to read", f"{report.files_planned}, {format_bytes(report.bytes_planned)}"),
            ("splits, tasks", f"{self.splits}, {self.tasks}"),
            ("requests", f"{report.list_calls} LIST, about {self.get_requests} GET"),
            *(
                []
                if cost is None
                else [("cost of requests", f"{cost:.6f} USD at the prices of S3 Standard in us-east-1")]
            ),
            ("columns parsed", printable(", ".join(self.columns)) or "none"),
        ]

    def write_to(self, output: ReportOutput) -> None:
        """Writes the plan to an output."""
        output.pairs(self.rows())

    def __repr__(self) -> str:
        output = PlainOutput(120)
        self.write_to(output)
        return "\n".join(output.lines)

    def _repr_html_(self) -> str:
        return html_table([{"": name, "plan": value} for name, value in self.rows()], ["", "plan"])


def plan(path: str | os.PathLike[str] | list[str], *, columns: Sequence[str] | None = None, **options: Any) -> LoadPlan:
    r"""Lists the files of a load, and returns its plan.

    Args:
        path: directory, file or glob, or a list of them.
        columns: names of the columns to read; None: all columns.
        **options: options of :func:`pyspark_logs.scan`.

    Raises:
        LogSourceError: as :func:`pyspark_logs.scan`.

    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "app.log").write_text("INFO started\n")
    >>> found = plan(folder, template="{level} {message}")
    >>> found.report.files_planned, found.tasks, found.columns
    (1, 1, ('level', 'message'))
    """
    parsed, schema = resolve_load(path, options)
    reader = LogReader(parsed, schema)
    if columns is not None:
        selected = select_columns(parse_ddl(schema), columns)
        reader = reader if reader.form.has_positional_columns else LogReader(parsed, to_ddl(selected))
    found = reader.plan(processors())
    return LoadPlan(
        layout=found.layout,
        report=found.report,
        tasks=len(found.tasks),
        splits=sum(len(task.splits) for task in found.tasks),
        columns=tuple(reader.columns(found.path_columns).record_columns.names),
        is_s3=all(split_scheme(path)[0] in S3_SCHEMES for path in reader.options.plan.paths),
    )
