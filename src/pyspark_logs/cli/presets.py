"""The command ``presets``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyspark_logs.cli.arguments import add_json
from pyspark_logs.cli.output import print_report, terminal_width
from pyspark_logs.rendering.text_table import table

if TYPE_CHECKING:
    from pyspark_logs.preset_listing import PresetDescription


def add_commands(commands: Any) -> None:
    """Adds the command to a parser."""
    text = "list the presets, or show one: its columns, a sample, the usual layout of its files, and its source"
    command = commands.add_parser("presets", help=text, description=text)
    command.add_argument("name", nargs="?", help="a preset; without a name, all presets are listed")
    add_json(command)
    command.set_defaults(run=_presets, option=[])


def _presets(parsed: argparse.Namespace, _: dict[str, str]) -> int:
    from pyspark_logs.preset_listing import describe_preset, list_presets

    if parsed.name is not None:
        preset = describe_preset(parsed.name)
        print_report(parsed, _report(preset), _lines(preset))
        return 0
    presets = list_presets()
    rows = [{"preset": preset.name, "written by": preset.about} for preset in presets]
    lines = table(rows, ["preset", "written by"], terminal_width())
    print_report(parsed, {"presets": [_report(preset) for preset in presets]}, lines)
    return 0


def _report(preset: PresetDescription) -> dict[str, Any]:
    return {**asdict(preset), "columns": [{"name": name, "type": kind} for name, kind in preset.columns]}


def _lines(preset: PresetDescription) -> list[str]:
    columns = [{"column": name, "type": kind} for name, kind in preset.columns]
    return [
        f"{preset.name}: {preset.about}",
        "",
        *table(columns, ["column", "type"], terminal_width()),
        "",
        "sample",
        *(f"    {line}" for line in preset.sample),
        "",
        f"layout  {preset.layout or 'none'}",
        f"source  {preset.source}",
    ]
