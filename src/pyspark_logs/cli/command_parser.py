"""Parser of the command line, whose errors say what to write."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import NoReturn

_PROGRAM = "pyspark-logs"
# Arguments of other tools -> the advice to give.
_ADVICE = {
    **dict.fromkeys(("--limit", "--head", "--lines", "--max-rows", "--num", "-l"), "write -n N"),
    **dict.fromkeys(("--filter", "--query", "--grep", "-w", "-q"), "write --where CONDITION"),
    **dict.fromkeys(("--select", "--fields", "--cols", "-c"), "write --columns NAMES"),
    **dict.fromkeys(("--output", "--out", "--target", "-O"), "`convert` takes --to FILE"),
    **dict.fromkeys(("-p",), "write --preset NAME"),
    **dict.fromkeys(("-t",), "write --template TEXT"),
    **dict.fromkeys(("-f", "--follow", "-F"), "`tail` follows the path without it"),
    **dict.fromkeys(("--csv", "--table", "--jsonl"), "write --format, with json, csv or table as the value"),
    **dict.fromkeys(("--list", "--all"), "without a name, the command lists all"),
}


class CommandParser(argparse.ArgumentParser):
    """Parser of the program and, as the parser class of its commands, of each command."""

    def error(self, message: str) -> NoReturn:
        """Prints the usage and the error with its advice, and exits with 2."""
        hint = self._choice_advice(message) or _unknown_advice(message)
        super().error(f"{message}{'; ' if hint else ''}{hint}")

    def _choice_advice(self, message: str) -> str:
        """Returns the nearest choice, or the way to write a path without a command."""
        from pyspark_logs.terminal_text import nearest_name

        found = re.search(r"argument COMMAND: invalid choice: '([^']*)'", message)
        if found is None:
            return ""
        word = found[1]
        if "/" in word or Path(word).exists():
            return f"a command comes first, such as {_PROGRAM} preview {word}"
        commands = [name for action in self._actions if isinstance(action.choices, dict) for name in action.choices]
        near = nearest_name(word, commands)
        return f"did you mean {near}?" if near else ""


def _unknown_advice(message: str) -> str:
    """Returns the advice for an argument that a command does not have."""
    from pyspark_logs.options import OPTIONS

    found = re.match(r"unrecognized arguments: (\S+)", message)
    if found is None:
        return ""
    name, equals, value = found[1].partition("=")
    if (known := _ADVICE.get(name)) is not None:
        return known
    if not name.startswith("-"):
        return "a value with blanks is written in quotes, and several names with commas between them"
    plain = re.sub(r"[-_]", "", name).lower()
    option = next((option.name for option in OPTIONS if option.name.lower() == plain), None)
    if option is not None:
        return f"an option of the reader is written -o {option}={value if equals else 'VALUE'}"
    return f"`{_PROGRAM} COMMAND --help` lists the arguments"
