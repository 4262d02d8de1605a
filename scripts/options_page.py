"""Writes docs/options.md from the table of options.

python scripts/options_page.py
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from pyspark_logs.options import FORMATS, OPTIONS, Option
from pyspark_logs.options.table import COMBINED

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "options.md"

HEAD = """\
# Options

Names match without case. An unknown name is an error that suggests the nearest known name. The line after the description of an
option has its users, its default, an example and the release in which it appeared.

- Booleans are `true` or `false`.
- Sizes are numbers of bytes, or `128m`, `16 MiB`, `1g` with powers of 1024.
- Durations are written `1h`, `90s`, `1d`, `1h 30m` or `0s`.
- Times are written `2026-11-22T06:00:00Z`, `2026-11-22 06:00:00+01:00` or `2026-11-22`. Times without a zone are in `timeZone`.

`pyspark_logs.scan` and `pyspark_logs.write` also accept values of the natural Python type: `True`, `16 << 20`, `timedelta`, `datetime`.

The same options may be given to a reader and a writer: each ignores the options that only the other uses.
"""

GROUPS = {
    "line": ("The line format", "Exactly one of these must be given. See [Line formats](template.md)."),
    "format": ("Details of the format", "See [Line formats](template.md#other-options-of-a-format)."),
    "records": ("Rows", "See [Reading](reading.md#lines-that-do-not-match)."),
    "time": ("Time", "See [Layouts and time](layouts.md#a-range-of-time)."),
    "plan": ("Files", "See [Reading](reading.md#files) and [Layouts and time](layouts.md)."),
    "fetch": ("Fetching", "See [Reading](reading.md#fetching)."),
    "stream": ("Streams", "Batch reads ignore these. See [Streaming](streaming.md)."),
    "report": ("Reports", "See [Audit](audit.md)."),
    "rules": ("Writing", "See [Writing](writing.md)."),
    "store": ("The store", "See [S3 and other stores](s3.md)."),
    "schema": ("Without Spark", "With Spark, use `.schema(...)`."),
}


def groups() -> dict[str, list[Option]]:
    """Returns the options by group, in the order of the table."""
    result: dict[str, list[Option]] = {name: [] for name in GROUPS}
    pending: list[Option] = []
    for option in OPTIONS:
        if option.name in FORMATS:
            result["line"].append(option)
        elif option.read == COMBINED:  # in the group of the next option
            pending.append(option)
        else:
            result[(option.read or option.write or "").partition(".")[0]] += [*pending, option]
            pending.clear()
    return result


def users(option: Option) -> str:
    """Returns the users of an option: ``reader and writer``, ``reader`` or ``writer``."""
    return (
        "reader and writer"
        if None not in (option.read, option.write)
        else "reader"
        if option.write is None
        else "writer"
    )


def page() -> str:
    """Returns the page as Markdown."""
    parts = [HEAD]
    for name, options in groups().items():
        title, text = GROUPS[name]
        index = " ·\n".join(f"[`{option.name}`](#{option.name.lower()})" for option in options)
        parts.append(f"## {title}\n\n{text}\n\n{index}\n")
        parts += [_section(option) for option in options]
    return "\n".join(parts)


def _section(option: Option) -> str:
    """Returns the section of an option, whose heading is the anchor of links to it."""
    from scripts.option_examples import EXAMPLES, FIRST_RELEASE, SINCE

    text, default = split_default(option.doc)
    facts = [users(option), *([f"default: {default}"] if default else [])]
    facts += [
        f"example: {_code(f'{option.name}={EXAMPLES[option.name]}')}",
        f"since {SINCE.get(option.name, FIRST_RELEASE)}",
    ]
    return f"### {option.name}\n\n{text[0].upper()}{text[1:]}.\n\n{' · '.join(facts)}\n"


def split_default(doc: str) -> tuple[str, str]:
    """Returns the description of an option without its default, and the default; empty if there is none.

    >>> split_default("records (of all) in a file (`0`)"), split_default("an expression (RE2) of it")
    (('records (of all) in a file', '`0`'), ('an expression (RE2) of it', ''))
    """
    found = re.fullmatch(r"(.*) \(([^()]*)\)", doc)
    return (doc, "") if found is None else (found[1], found[2])


def _code(text: str) -> str:
    """Returns a text as code in Markdown."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(page(), encoding="utf-8")
