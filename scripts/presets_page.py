"""Writes docs/presets.md from the table of presets; a test compares the page with the table.

python scripts/presets_page.py
"""

from __future__ import annotations

from pathlib import Path

from pyspark_logs.preset_listing import PresetDescription, list_presets
from pyspark_logs.terminal_text import format_count

PAGE = Path(__file__).resolve().parents[1] / "docs" / "presets.md"

HEAD = """\
# Presets

A preset is a line format that ships with pyspark-logs:

```python
spark.read.format("logs").option("preset", "aws_alb").load("s3://acme-logs/lb")
```

Columns are named as in the provider's documentation: JSON keys unchanged, other names in lower case with underscores. A
text that combines several values (`client:port`) has a column for each value.

- A file may mix lines of older and newer versions of a format. Fields that a line does not have are null. Fields that a
  provider appends to a cloud log in the future are ignored.
- If files name their fields (CloudFront, VPC flow logs, IIS), the header of each file determines the fields of its lines.
- In formats that separate values by one space (load balancers, S3, flow logs, IIS, HAProxy, access logs, CRI, RFC 5424),
  two spaces in a row make a line corrupt, so that no value is read into the wrong column. In logs of S3 and load
  balancers, a missing value is detected if the values after it do not have the form of their columns.
- Times without a zone are in the time zone of the option `timeZone`, except in CloudFront, IIS and Network Load Balancer
  logs, which are in UTC. Times without a year get [the year of their file](template.md#timestamps).
- All presets can be written except `aws_cloudtrail` and `aws_cloudwatch_subscription`, whose files are JSON documents, and
  `mysql_slow`. If a format has several variants, the first variant that holds the value without loss is written.
- Presets in JSON read files of [any shape](json.md#values-over-several-lines): an object a line, several objects in a line,
  pretty-printed objects, and arrays. `aws_cloudtrail` reads documents with `Records`, events a line, and arrays of events.
- `requestParts=true` adds the [method, path, query and protocol](reading.md#parts-of-requests) of requests.
- Records of `mysql_slow` have several lines; its files are read as a whole.
- `cri` and `docker_json` [join the parts of a line](reading.md#parts-of-lines) that the container runtime cut.
- The layout describes the directories and file names of the provider. It is not applied automatically: pass it as the
  option `layout`, and include your prefix in the path that you load.

`pyspark-logs presets` prints the same list, `pyspark-logs presets NAME` prints one preset.
"""


def page() -> str:
    """Returns the whole page, as Markdown."""
    presets = list_presets()
    rows = "\n".join(
        f"| [`{preset.name}`](#{preset.name}) | {preset.about} | {len(preset.columns)} |" for preset in presets
    )
    table = f"| preset | written by | columns |\n| --- | --- | ---: |\n{rows}\n"
    return "\n".join([HEAD, table, *(_section(preset) for preset in presets)])


def _section(preset: PresetDescription) -> str:
    sample = "\n".join(preset.sample)
    columns = "\n".join(f"| `{name}` | `{column_type}` |" for name, column_type in preset.columns)
    layout = f"Layout: `{preset.layout}`\n\n" if preset.layout else ""
    return (
        f"## {preset.name}\n\n{preset.about}.\n\nSource: {_source(preset.source)}\n\n{layout}```text\n{sample}\n```\n\n"
        f'<details markdown="1">\n<summary>{format_count(len(preset.columns), "column")}</summary>\n\n'
        f"| column | type |\n| --- | --- |\n{columns}\n\n</details>\n"
    )


def _source(text: str) -> str:
    """Returns the source of a preset as Markdown, with Markdown's own characters escaped and the address as a link."""
    words, colon, address = text.rpartition(": https://")
    words = (words if colon else address).replace("_", "\\_").replace("*", "\\*").replace("<", "\\<")
    return f"{words}: <https://{address}>" if colon else words


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
