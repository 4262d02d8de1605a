"""What a file may be: the formats that ship, those that servers are often configured for, and general ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pyspark_logs.detection.proposal import propose
from pyspark_logs.formats.presets import PRESETS

# Configurations that are so common that nobody looks them up. Documented by the servers themselves.
_MOST_TEMPLATES = 2  # beyond that they only say less and less
DIALECTS: tuple[Mapping[str, str], ...] = ()


def presets() -> Iterator[Mapping[str, str]]:
    """The formats that ship."""
    for name in PRESETS:
        yield {"preset": name}


def general(lines: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Formats that say how a line is built and not what is in it."""
    first = lines[0] if lines else ""
    if first.lstrip().startswith("{"):
        yield {"json": "true"}


def templates(lines: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Templates made for these very lines."""
    for template in propose(lines)[:_MOST_TEMPLATES]:
        yield {"template": template}
