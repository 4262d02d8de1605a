"""Write docs/options.md from the table of options, so that the page and the code cannot differ.

python scripts/options_page.py
"""

from __future__ import annotations

from pathlib import Path

from pyspark_logs.options import FORMATS, OPTIONS, Option
from pyspark_logs.options.table import APART

PAGE = Path(__file__).resolve().parents[1] / "docs" / "options.md"

HEAD = """\
# Options

Names match without case. An unknown name is an error that gives the nearest known one. The defaults are in
parentheses.

- Booleans are `true` or `false`.
- Sizes are bytes, or `128m`, `16 MiB`, `1g`: powers of 1024.
- Durations are `1h`, `90s`, `1d`, `1h 30m`, `0s`.
- Times are `2026-11-22T06:00:00Z`, `2026-11-22 06:00:00+01:00` or `2026-11-22`; without a zone they are in `timeZone`.

In `pyspark_logs.scan` values may also be of the natural Python type: `True`, `16 << 20`, `timedelta`, `datetime`.

One set of options may serve a reader and a writer: each ignores what only the other one uses.
"""

GROUPS = {
    "line": ("The line format", "Exactly one of these. See [Line formats](template.md)."),
    "format": ("Details of the format", "See [Line formats](template.md#other-options-of-a-format)."),
    "records": ("Rows", "See [Reading](reading.md#lines-that-do-not-match)."),
    "time": ("Time", "See [Layouts and time](layouts.md#a-range-of-time)."),
    "plan": ("Files", "See [Reading](reading.md#files) and [Layouts and time](layouts.md)."),
    "stream": ("Streams", "What a stream reads, and when. Batch reads ignore these."),
    "rules": ("Writing", "What becomes of files that are written."),
    "store": ("The store", "See [S3 and other stores](s3.md)."),
    "schema": ("Without Spark", "With Spark, use `.schema(...)`."),
}


def groups() -> dict[str, list[Option]]:
    """The options by group, in the order of their table."""
    found: dict[str, list[Option]] = {name: [] for name in GROUPS}
    waiting: list[Option] = []
    for option in OPTIONS:
        if option.name in FORMATS:
            found["line"].append(option)
        elif option.read == APART:  # it stands before those it belongs to
            waiting.append(option)
        else:
            found[(option.read or option.write or "").partition(".")[0]] += [*waiting, option]
            waiting.clear()
    return found


def users(option: Option) -> str:
    """Who uses an option."""
    return "both" if None not in (option.read, option.write) else "reader" if option.write is None else "writer"


def page() -> str:
    """The whole page, as Markdown."""
    parts = [HEAD]
    for name, options in groups().items():
        title, text = GROUPS[name]
        rows = "\n".join(f"| `{option.name}` | {users(option)} | {option.doc} |" for option in options)
        parts.append(f"## {title}\n\n{text}\n\n| option | for | what it does |\n| --- | --- | --- |\n{rows}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
