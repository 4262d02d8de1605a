"""The result of :func:`pyspark_logs.check`, as text and as HTML for notebooks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pyspark_logs.api.scan import ScanSummary
from pyspark_logs.rendering.html import bar_chart, html_table
from pyspark_logs.rendering.report_output import PlainOutput, ReportOutput
from pyspark_logs.rendering.units import format_bytes, format_seconds, format_time
from pyspark_logs.terminal_text import format_count

_SHOWN_FILES = 10
_OUTLIERS, _UNTIMED = "outliers", "without a time"
_SHOWN_EMPTY = 3  # empty intervals in sequence that are shown one by one


@dataclass(frozen=True)
class CorruptSample:
    """The first record of a reason for which records do not match.

    Attributes:
        reason: the reason, without values of the record.
        records: number of records with the reason.
        path: path of the file of the first of these records.
        offset: offset of the first byte of that record in the uncompressed file.
        text: text of that record, cut at 200 characters.
    """

    reason: str
    records: int
    path: str
    offset: int
    text: str


@dataclass(frozen=True)
class FileCheck:
    """The numbers of one file.

    Attributes:
        path: path of the file.
        size: stored size in bytes.
        records: number of records.
        corrupt: number of records that do not match.
        seconds: time for parsing, and for waiting for the file, which is fetched while files before it are parsed.
    """

    path: str
    size: int
    records: int
    corrupt: int
    seconds: float


@dataclass(frozen=True)
class Interval:
    """One bar of the histogram.

    Attributes:
        start_us: start of the interval, microseconds since the epoch.
        records: number of records with a time in the interval. A record without a time counts at the time in the path of its file.
        corrupt: number of these records that do not match.
    """

    start_us: int
    records: int
    corrupt: int


@dataclass(frozen=True)
class RecordCount:
    """A number of records.

    Attributes:
        records: number of records.
        corrupt: number of these records that do not match.
    """

    records: int = 0
    corrupt: int = 0


@dataclass(frozen=True, repr=False)
class CheckReport:
    """The result of a check. Prints as text; in notebooks, shows tables and a bar chart.

    Attributes:
        summary: numbers of records.
        samples: reasons for which records do not match, the most frequent first.
        histogram: records over time, in intervals of equal width without gaps.
        files: the files in the order of their paths.
        seconds: duration of the check.
        earlier: records long before the histogram, which would stretch it, with the time of the first one; None: no such records.
        later: the same after the histogram.
        untimed: records without a time in the record or in the path.
    """

    summary: ScanSummary
    samples: tuple[CorruptSample, ...] = ()
    histogram: tuple[Interval, ...] = ()
    files: tuple[FileCheck, ...] = ()
    seconds: float = 0.0
    earlier: Interval | None = None
    later: Interval | None = None
    untimed: RecordCount = RecordCount()

    def heading(self) -> str:
        """Returns the numbers of records and files in one line."""
        size = sum(file.size for file in self.files)
        counts = self.summary
        share = f" ({counts.corrupt / counts.records:.2%})" if counts.corrupt else ""
        filtered = f", {counts.filtered} filtered" if counts.filtered else ""
        joined = f", {format_count(counts.joined, 'line')} joined to the record before" if counts.joined else ""
        damaged = f", {format_count(counts.damaged, 'damaged file')}" if counts.damaged else ""
        return (
            f"{format_count(counts.records, 'record')} in {format_count(len(self.files), 'file')} ({format_bytes(size)}),"
            f" {counts.corrupt} corrupt{share}"
            f"{filtered}{joined}{damaged}, in {format_seconds(self.seconds)}"
        )

    def write_to(self, output: ReportOutput) -> None:
        """Writes the report to an output."""
        output.line(self.heading())
        if self.samples:
            output.line()
            rows = [{"records": sample.records, "reason": sample.reason} for sample in self.samples]
            output.table(rows, ["records", "reason"])
            output.line()
            for sample in self.samples:
                output.line(f"{sample.path} at byte {sample.offset}")
                output.line(sample.text)
        if self.histogram:
            output.line()
            output.table(self._bars(), ["time (UTC)", "records", "corrupt", ""])
        if len(self.files) > 1:
            output.line()
            output.table(self._file_rows(), ["seconds", "share", "size", "records", "corrupt", "file"])
            if len(self.files) > _SHOWN_FILES:
                output.line(f"and {format_count(len(self.files) - _SHOWN_FILES, 'more file')}")

    def _bars(self) -> list[dict[str, Any]]:
        """Returns a row with a bar for each interval, one row for many empty ones in sequence, and rows for other records."""
        most = max(interval.records for interval in self.histogram)
        rows = _outlier_rows(self.earlier)
        for is_empty, group in itertools.groupby(self.histogram, key=lambda interval: interval.records == 0):
            intervals = list(group)
            if is_empty and len(intervals) > _SHOWN_EMPTY:
                rows.append({"time (UTC)": f"... {len(intervals)} more", "records": 0, "corrupt": 0, "": ""})
                continue
            rows += [
                {
                    "time (UTC)": format_time(interval.start_us),
                    "records": interval.records,
                    "corrupt": interval.corrupt,
                    "": "#" * -(-interval.records * 40 // most),
                }
                for interval in intervals
            ]
        rows += _outlier_rows(self.later)
        if self.untimed.records:
            rows.append({"time (UTC)": _UNTIMED, **asdict(self.untimed), "": ""})
        return rows

    def _file_rows(self) -> list[dict[str, Any]]:
        total = sum(file.seconds for file in self.files) or 1.0
        # Paths are shown relative to their common directory, so that they fit on a line of a terminal.
        common = _common_directory([file.path for file in self.files])
        ranked = sorted(self.files, key=lambda file: (-file.corrupt, -file.seconds))[:_SHOWN_FILES]
        return [
            {
                "seconds": f"{file.seconds:.2f}",
                "share": f"{file.seconds / total:.0%}",
                "size": format_bytes(file.size),
                "records": file.records,
                "corrupt": file.corrupt,
                "file": file.path[common:],
            }
            for file in ranked
        ]

    def __repr__(self) -> str:
        output = PlainOutput(120)
        self.write_to(output)
        return "\n".join(output.lines)

    def _repr_html_(self) -> str:
        bars = [(format_time(one.start_us), one.records, one.corrupt) for one in self.histogram]
        samples = [
            {"records": s.records, "reason": s.reason, "first": f"{s.path} at byte {s.offset}", "record": s.text}
            for s in self.samples
        ]
        parts = [f"<p>{self.heading()}</p>"]
        if bars:
            most = format_count(max(records for _, records, _ in bars), "record")
            title = f"records from {bars[0][0]} to {bars[-1][0]} UTC, at most {most} in a bar, corrupt ones in red"
            parts.append(bar_chart(bars, title))
            others = [row for row in self._bars() if row[""] == _OUTLIERS or row["time (UTC)"] == _UNTIMED]
            parts.append(html_table(others, ["time (UTC)", "records", "corrupt", ""]) if others else "")
        if samples:
            parts.append(html_table(samples, ["records", "reason", "first", "record"]))
        parts.append(html_table(self._file_rows(), ["seconds", "share", "size", "records", "corrupt", "file"]))
        return "".join(parts)


def _outlier_rows(outliers: Interval | None) -> list[dict[str, Any]]:
    if outliers is None:
        return []
    time = format_time(outliers.start_us)
    return [{"time (UTC)": time, "records": outliers.records, "corrupt": outliers.corrupt, "": _OUTLIERS}]


def _common_directory(paths: Sequence[str]) -> int:
    """Returns the length of the longest directory, with its slash, of all paths; 0 for a single path."""
    first, last = min(paths, default=""), max(paths, default="")
    shared = next((index for index, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), 0)
    return first.rfind("/", 0, shared) + 1
