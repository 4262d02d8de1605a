"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable

from pyspark_logs.errors import OptionError


def add_json(command: argparse.ArgumentParser) -> None:
    """Adds ``--json``."""
    command.add_argument("--json", action="store_true", help="print JSON")


def add_option(command: argparse.ArgumentParser, explanation: str) -> None:
    """Adds ``--option NAME=VALUE``, which may be repeated."""
    command.add_argument(
        "-o", "--option", action="append", default=[], metavar="NAME=VALUE", help=f"{explanation}; may be repeated"
    )


def parse_options(texts: Iterable[str]) -> dict[str, str]:
    """Returns the values of ``--option`` by name.

    Raises:
        OptionError: a value has no ``=``, or a name is given twice.
    """
    options: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f"--option {text!r} is not of the form name=value; write -o {name}=VALUE")
        if name.lower() in ("path", "paths", "to"):
            raise OptionError(f"--option {name!r} is an argument of the command; write {value} without -o")
        before = next((known for given, known in options.items() if given.lower() == name.lower()), None)
        if before is not None:
            raise OptionError(f"--option {name!r} is given twice, as {before!r} and as {value!r}; keep one")
        options[name] = value
    return options


def whole_number(text: str) -> int:
    """Returns a number of rows or jobs.

    Raises:
        argparse.ArgumentTypeError: the text is not a whole number of zero or more.
    """
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of zero or more")
    return int(text)


def seconds(text: str) -> float:
    """Returns a time in seconds.

    Raises:
        argparse.ArgumentTypeError: the text is not a number of zero or more, or it is more than a year.
    """
    if not re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,9})?|\.[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, such as 10 or 0.5")
    return float(text)
