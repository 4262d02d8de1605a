"""Arguments that several commands share."""

from __future__ import annotations

import argparse
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
        OptionError: a value has no ``=``.
    """
    options = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise OptionError(f"--option {text!r} is not of the form name=value")
        options[name] = value
    return options
