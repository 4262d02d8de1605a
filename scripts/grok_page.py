"""Writes the tables of docs/grok.md from the pattern library, so that the page matches the code.

python scripts/grok_page.py
"""

from __future__ import annotations

import itertools
from pathlib import Path

from pyspark_logs.formats.regex.grok_library import grok_library

PAGE = Path(__file__).resolve().parents[1] / "docs" / "grok.md"
MARK = "<!-- generated from here on: python scripts/grok_page.py -->\n"


def page() -> str:
    """Returns the page as Markdown: the hand-written part of the file and the generated tables."""
    sections = [PAGE.read_text(encoding="utf-8").partition(MARK)[0] + MARK]
    for title, patterns in itertools.groupby(grok_library().values(), key=lambda pattern: pattern.group):
        rows = "\n".join(f"| `{pattern.name}` | {pattern.description} |" for pattern in patterns)
        sections.append(f"### {title}\n\n| pattern | what it matches |\n| --- | --- |\n{rows}\n")
    return "\n".join(sections)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
