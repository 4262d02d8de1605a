"""Write docs/presets.md from the table of presets, so that the page and the code cannot differ.

python scripts/presets_page.py
"""

from __future__ import annotations

from pathlib import Path

from pyspark_logs.preset_listing import PresetDescription, list_presets

PAGE = Path(__file__).resolve().parents[1] / "docs" / "presets.md"

HEAD = """\
# Presets

A preset is a line format that ships:

```python
spark.read.format("logs").option("preset", "aws_alb").load("s3://acme-logs/lb")
```

Columns are those of the provider's documentation: keys of JSON as they are, other names in lower case with
underscores. Where a text is several things (`client:port`), each is a column.

- Lines of older and newer generations may be mixed in a file: what a line lacks is null, and what a provider will
  append to a cloud log is passed over.
- Where files name their fields (CloudFront, VPC flow logs, IIS), each file's own header says what its lines have.
- Where values stand between single spaces (load balancers, S3, flow logs, IIS, HAProxy, access logs, CRI, RFC 5424), two in a
  row make a line corrupt: what stands behind them is never read as its neighbour. In logs of S3 and load balancers a missing
  one is found where the values behind it are not of their form.
- Times without a zone are in `timeZone`, but for those of CloudFront, IIS and Network Load Balancers, which are UTC. Times
  without a year get [the year of their file](template.md#timestamps).
- All presets can be written, but for `aws_cloudtrail`, whose files are documents. Where a format has several
  dialects, the first one that can hold the value without loss is written.
- The layout is where the provider puts its files. It is not applied by itself: give it as `layout`, with your prefix in
  the path that is loaded.

The same list is printed by `pyspark-logs presets`, one of them by `pyspark-logs presets NAME`.
"""


def page() -> str:
    """The whole page, as Markdown."""
    found = list_presets()
    rows = "\n".join(
        f"| [`{one.name}`](#{one.name}) | {len(one.columns)} | {f'`{one.layout}`' if one.layout else ''} |"
        for one in found
    )
    table = f"| preset | columns | layout |\n| --- | --- | --- |\n{rows}\n"
    return "\n".join([HEAD, table, *(_section(one) for one in found)])


def _section(one: PresetDescription) -> str:
    sample = "\n".join(one.sample)
    columns = "\n".join(f"| `{name}` | `{kind}` |" for name, kind in one.columns)
    layout = f"Layout: `{one.layout}`\n\n" if one.layout else ""
    return (
        f"## {one.name}\n\n{_source(one.source)}\n\n{layout}```text\n{sample}\n```\n\n"
        f"| column | type |\n| --- | --- |\n{columns}\n"
    )


def _source(text: str) -> str:
    """As Markdown: what looks like its marks stands as code, an address is a link."""
    words, colon, address = text.rpartition(": https://")
    words = (words if colon else address).replace("_", "\\_").replace("*", "\\*").replace("<", "\\<")
    return f"{words}: <https://{address}>" if colon else words


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
