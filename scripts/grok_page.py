"""Write the tables of docs/grok.md from the library of patterns, so that the page and the code cannot differ.

python scripts/grok_page.py
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyspark_logs.formats.regex.grok_core import NETWORK, PATHS, TIMES, WORDS
from pyspark_logs.formats.regex.grok_ecs import ECS
from pyspark_logs.formats.regex.grok_pattern import Pattern
from pyspark_logs.formats.regex.grok_servers import AWS, HTTPD, JAVA, PROXIES, STORES, SYSLOG

PAGE = Path(__file__).resolve().parents[1] / "docs" / "grok.md"
MARK = "<!-- from here on: python scripts/grok_page.py -->\n"

GROUPS: dict[str, Sequence[Pattern]] = {
    "Words and numbers": WORDS,
    "Networks": NETWORK,
    "Paths": PATHS,
    "Times": TIMES,
    "Apache": HTTPD,
    "AWS": AWS,
    "Proxies": PROXIES,
    "Syslog": SYSLOG,
    "Java": JAVA,
    "Redis, MongoDB, PostgreSQL, BIND": STORES,
    "Elastic Common Schema": ECS,
}


def page() -> str:
    """The whole page, as Markdown: what is written by hand, and the tables."""
    parts = [PAGE.read_text(encoding="utf-8").partition(MARK)[0] + MARK]
    for title, patterns in GROUPS.items():
        rows = "\n".join(f"| `{pattern.name}` | {pattern.meaning} |" for pattern in patterns)
        parts.append(f"### {title}\n\n| pattern | what it matches |\n| --- | --- |\n{rows}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
