"""The report of a run: machine, versions and commit, all comparisons as Markdown, and a plot of their ratios."""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib.metadata
import io
import math
import os
import platform
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from benchmarks.timing import Comparison

PACKAGES = ("pyspark-logs", "pyspark", "pyarrow", "numpy", "isal", "zlib-ng", "s3fs", "duckdb", "polars")
_LEFT, _WIDTH, _ROW = 420, 460, 18  # pixels
_STYLE = (
    "text{font:12px sans-serif;fill:#222}.title{font-weight:bold}.caption{fill:#666;font-size:11px}.page{fill:#fff}"
    ".longer{fill:#2a78b5}.shorter{fill:#c0504d}line{stroke:#888}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.caption{fill:#999}.page{fill:#1e1e24}.longer{fill:#5ba3dc}"
    ".shorter{fill:#e0807d}}"
)


def environment() -> str:
    """Returns machine, versions and commit, as one line of Markdown."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"without {package}")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    ).stdout.strip()
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{_processor()}, {processors} processors; Python {platform.python_version()}, {', '.join(versions)}; commit"
        f" {commit or 'unknown'}"
    )


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


@contextlib.contextmanager
def copy_of_output() -> Iterator[io.StringIO]:
    """Context that yields a copy of the standard output."""
    copied = io.StringIO()
    shown = sys.stdout

    class Both(io.TextIOBase):
        def write(self, text: str, /) -> int:
            copied.write(text)
            return shown.write(text)

        def flush(self) -> None:
            shown.flush()

    with contextlib.redirect_stdout(Both()):
        yield copied


def write(directory: Path, comparisons: Sequence[Comparison], printed: Mapping[str, str]) -> None:
    """Writes ``results.md``, the plot ``ratios.svg`` of all comparisons, and ``overview.svg`` of those that read all columns.

    Args:
        directory: directory of the files.
        comparisons: all comparisons.
        printed: output of each part, by its name.
    """
    directory.mkdir(parents=True, exist_ok=True)
    today = f"{dt.datetime.now(dt.timezone.utc):%Y-%m-%d}"
    head = (
        f"# Benchmarks of {today}\n\n{environment()}.\n\nA ratio says how many times longer a contender takes than the one with"
        " ratio 1: the median of the paired rounds.\n\n![ratios](ratios.svg)\n"
    )
    parts = "\n".join(f"## {name}\n\n{_as_markdown(text)}" for name, text in printed.items())
    (directory / "results.md").write_text(f"{head}\n{parts}", encoding="utf-8")
    caption = f"{today}; {environment()}"
    overview = [comparison for comparison in comparisons if ": all columns" in comparison.title]
    for name, shown in (("ratios.svg", comparisons), ("overview.svg", overview)):
        (directory / name).write_text(plot(shown, caption), encoding="utf-8")


def _as_markdown(text: str) -> str:
    """Returns the output of a part with its tables of Markdown as they are, and other lines as they were printed."""
    blocks = text.strip("\n").split("\n\n")
    marked = (block if block.startswith(("| ", "**")) else f"```text\n{block}\n```" for block in blocks)
    return "\n\n".join(marked) + "\n"


def plot(comparisons: Sequence[Comparison], caption: str) -> str:
    """Returns a bar for each ratio on a logarithmic scale, as SVG in the colours of the reader's theme."""
    ratios = [ratio for comparison in comparisons for ratio in comparison.ratios().values()]
    low, high = min([0.5, *ratios]), max([2.0, *ratios])

    def x(ratio: float) -> float:
        return _LEFT + _WIDTH * math.log(ratio / low) / math.log(high / low)

    parts: list[str] = []
    y = 40

    def text(left: float, content: str, *, style: str = "", anchor: str = "start") -> None:
        parts.append(f'<text x="{left:.0f}" y="{y}" class="{style}" text-anchor="{anchor}">{escape(content)}</text>')

    for comparison in comparisons:
        text(10, comparison.title, style="title")
        y += _ROW
        for name, ratio in comparison.ratios().items():
            text(_LEFT - 8, f"{name} / {comparison.against}", anchor="end")
            left, right = sorted((x(1), x(ratio)))
            style = "longer" if ratio >= 1 else "shorter"
            parts.append(
                f'<rect x="{left:.0f}" y="{y - 11}" width="{right - left + 1:.0f}" height="13" class="{style}"/>'
            )
            text(right + 5, f"{ratio:.2f} x")
            y += _ROW
        y += _ROW // 2
    parts.append(f'<line x1="{x(1):.0f}" x2="{x(1):.0f}" y1="30" y2="{y}"/>')
    for line in textwrap.wrap(caption, 130):
        y += _ROW
        text(10, line, style="caption")
    width, height = _LEFT + _WIDTH + 80, y + _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f"<style>{_STYLE}</style>\n"
        '<rect width="100%" height="100%" class="page"/>\n<text x="10" y="18">Times as long as pyspark-logs (logarithmic scale):'
        " longer bars are better for it</text>\n" + "\n".join(parts) + "\n</svg>\n"
    )
