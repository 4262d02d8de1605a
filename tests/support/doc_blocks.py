"""Code blocks of Markdown pages, and code cells of notebooks, for the tests that run them.

An HTML comment before a block, which readers of the page do not see, states that the block is not run, and the reason::

    <!-- not run: needs Databricks -->

A block whose fence has a title is a file of this name, and is not run. The output of a block is shown within it, if it is a console session, or else by a block of plain text that follows without
other text between them.
"""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "sample_data" / "README.md",
    *sorted((ROOT / "examples").glob("*.ipynb")),
]

# Languages whose blocks are run, and those of data, configuration and output.
RUN = frozenset({"python", "console", "sql"})
SHOWN = frozenset({"text", "json", "xml", "mermaid", "ini", "yaml", "ruby"})

_FENCE = re.compile(
    r"(?:<!-- not run: (?P<reason>[^>]*?) -->\s*?\n\s*)?"
    r'^(?P<indent> *)```(?P<language>\w*)(?: title="(?P<title>[^"\n]*)")?\n(?P<text>.*?)^(?P=indent)```$',
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class CodeBlock:
    """A code block of a page, or a code cell of a notebook.

    Attributes:
        page: path of the page.
        line: number of the first line of the code; the number of a cell of a notebook.
        language: language that the fence names; may be empty.
        text: the code.
        output: output that the page shows for the block; None: the page shows none.
        file_name: title of the block, the name of a file; None: the block is no file.
        not_run: reason why the block is not run; None: it is run.
    """

    page: Path
    line: int
    language: str
    text: str
    output: str | None
    file_name: str | None
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> list[tuple[list[str], str | None]]:
        """Returns the commands of a console session as words, each with the output shown for it."""
        sessions = re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]
        commands = []
        for session in sessions:
            # A backslash continues a command in the next line.
            command, _, shown = session.replace("\\\n", "").partition("\n")
            commands.append((shlex.split(command, comments=True), shown if shown.strip() else None))
        return commands


def code_blocks(page: Path) -> list[CodeBlock]:
    """Returns the code blocks of a page in order."""
    if page.suffix == ".ipynb":
        return _cells(page)
    markdown = page.read_text(encoding="utf-8")
    found = list(_FENCE.finditer(markdown))
    blocks = []
    for index, match in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        shows_output = (
            match["language"] in {"python", "sql"}
            and following is not None
            and following["language"] == "text"
            and not following["title"]
            and not markdown[match.end() : following.start()].strip()
        )
        blocks.append(
            CodeBlock(
                page,
                markdown[: match.start("text")].count("\n") + 1,
                match["language"],
                textwrap.dedent(match["text"]),
                textwrap.dedent(following["text"]) if shows_output and following is not None else None,
                match["title"],
                match["reason"],
            )
        )
    return blocks


def _cells(page: Path) -> list[CodeBlock]:
    """Returns the code cells of a notebook, with their texts of standard output."""
    cells = [cell for cell in json.loads(page.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    blocks = []
    for number, cell in enumerate(cells, 1):
        output = "".join(text for part in cell["outputs"] for text in part.get("text", ()))
        blocks.append(CodeBlock(page, number, "python", "".join(cell["source"]), output or None, None, None))
    return blocks


def shows(shown: str, output: str) -> bool:
    r"""Returns True if an output is the shown one, in which a line ``...`` stands for any lines.

    Runs of spaces and line ends are equal, because pages wrap long lines.

    >>> shows("a b\n...\nd", "\na  \nb\nc\nd\n"), shows("...\nd", "c\nd\n")
    (True, True)
    """
    parts = re.split(r"^ *\.\.\. *$", shown, flags=re.MULTILINE)
    pattern = r"(?:.* )?".join("".join(f"{re.escape(word)} " for word in part.split()) for part in parts)
    return re.fullmatch(pattern, " ".join(output.split()) + " ") is not None
