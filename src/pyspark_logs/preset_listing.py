"""The presets that ship, as a list for people: columns, sample, layout and where the provider documents them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.formats.presets import PRESETS, preset
from pyspark_logs.formats.registry import format_schema
from pyspark_logs.options import FormatOptions
from pyspark_logs.schema import to_ddl


@dataclass(frozen=True)
class Listed:
    """One preset.

    Attributes:
        name: as the option ``preset`` takes it.
        columns: names and Spark types, in order.
        layout: where the provider puts time and partitions into keys, as the option ``layout``; None: nowhere.
        sample: a small file's lines, with invented values.
        source: where the provider documents the format.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    layout: str | None
    sample: tuple[str, ...]
    source: str


def list_presets() -> list[Listed]:
    """All presets, family by family."""
    return [listed(name) for name in PRESETS]


def listed(name: str) -> Listed:
    """One preset.

    Raises:
        FormatError: there is none of that name; the message gives the nearest.

    >>> listed("cri").columns
    (('timestamp', 'timestamp'), ('stream', 'string'), ('tags', 'string'), ('log', 'string'))
    """
    entry = preset(name)
    own = name.strip().lower()
    schema = format_schema(FormatOptions("preset", own))
    columns = tuple(
        (field.name, to_ddl(pa.schema([field.with_name("x")])).removeprefix("x ")) for field in schema or ()
    )
    return Listed(own, columns, entry.layout, entry.sample, entry.source)
