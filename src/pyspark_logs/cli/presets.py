"""The command ``presets``."""

from __future__ import annotations

import argparse
import functools
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pyspark_logs.cli.arguments import add_json
from pyspark_logs.cli.output import print_report
from pyspark_logs.rendering.report_output import ReportOutput

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
        print_report(parsed, _report(preset), functools.partial(_write_preset, preset))
        return 0
    presets = list_presets()
    rows = [{"preset": preset.name, "written by": preset.about} for preset in presets]
    report = {"presets": [_report(preset) for preset in presets]}
    print_report(parsed, report, lambda output: output.table(rows, ["preset", "written by"], whole=["preset"]))
    return 0


def _report(preset: PresetDescription) -> dict[str, Any]:
    return {**asdict(preset), "columns": [{"name": name, "type": kind} for name, kind in preset.columns]}


def _write_preset(preset: PresetDescription, output: ReportOutput) -> None:
    columns = [{"column": name, "type": kind} for name, kind in preset.columns]
    output.line(f"{preset.name}: {preset.about}")
    output.line()
    output.table(columns, ["column", "type"])
    output.line()
    output.line("sample")
    for line in preset.sample:
        output.line(f"    {line}")
    output.line()
    output.pairs([("layout", preset.layout or "none"), ("source", preset.source)])
