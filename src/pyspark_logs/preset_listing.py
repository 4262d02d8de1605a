"""Listing of the presets for users: columns, sample, layout and source of each."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from pyspark_logs.formats.presets import PRESETS, find_preset
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.options import FormatOptions
from pyspark_logs.schema import to_ddl


@dataclass(frozen=True)
class PresetDescription:
    """Description of a preset.

    Attributes:
        name: value of the option ``preset``.
        about: programs or services that write the format, and what they write.
        columns: names and Spark types of the columns, in order.
        layout: value of the option ``layout`` for the provider's paths; None if the paths contain no time or partition.
        sample: lines of a small file, with invented values.
        source: the provider's documentation of the format.
    """

    name: str
    about: str
    columns: tuple[tuple[str, str], ...]
    layout: str | None
    sample: tuple[str, ...]
    source: str


def list_presets() -> list[PresetDescription]:
    """Returns the descriptions of all presets, grouped by family."""
    return [describe_preset(name) for name in PRESETS]


def preset_summaries() -> dict[str, str]:
    """Returns the programs or services that write each preset, by its name."""
    return {name: preset.about for name, preset in PRESETS.items()}


def describe_preset(name: str) -> PresetDescription:
    """Returns the description of a preset.

    Raises:
        FormatError: there is no such preset; the message names the nearest one.

    >>> describe_preset("cri").columns
    (('timestamp', 'timestamp'), ('stream', 'string'), ('tags', 'string'), ('log', 'string'))
    """
    entry = find_preset(name)
    key = name.strip().lower()
    schema = resolve_format(FormatOptions("preset", key)).schema()
    columns = tuple(
        (field.name, to_ddl(pa.schema([field.with_name("x")])).removeprefix("x ")) for field in schema or ()
    )
    return PresetDescription(key, entry.about, columns, entry.layout, entry.sample, entry.source)
