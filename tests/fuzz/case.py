r"""Inputs of targets: options as text, an empty line, and data.

::

    {ts:timestamp} {level} {message}
    escape=backslash

    2026-11-22T06:00:00Z INFO started

The first line is the main description, such as a template. Each further line is an option of the format. The notation is for
people: an input of the corpus can be read, and written by hand. Unknown options and bytes that are not UTF-8 are no errors.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

# Options that name no path, class or server.
_OPTIONS = (
    "allowTrailing", "commentPrefix", "encoding", "escape", "formatColumn", "grokPatterns", "header", "joinParts", "multiLine",
    "nullValue", "quote", "recordsPath", "requestParts", "rescuedDataColumn", "schema", "timeZone",
)  # fmt: skip
_BY_NAME = {name.lower(): name for name in _OPTIONS}


@dataclass(frozen=True)
class Case:
    """A parsed input.

    Attributes:
        first: first line.
        options: options by their documented names.
        data: bytes after the first empty line.
        lottery: number that depends on all bytes, for choices that are the same in each run.
    """

    first: str
    options: dict[str, Any]
    data: bytes
    lottery: int

    @classmethod
    def parse(cls, raw: bytes) -> Case:
        """Returns the parsed input."""
        head, _, data = raw.partition(b"\n\n")
        first, *lines = head.decode("utf-8", "replace").split("\n")
        pairs = (line.partition("=") for line in lines)
        options = {_BY_NAME[name.lower()]: value for name, _, value in pairs if name.lower() in _BY_NAME}
        return cls(first, options, data, zlib.crc32(raw))

    @property
    def lines(self) -> list[str]:
        """Lines of the data."""
        return self.data.decode("utf-8", "replace").split("\n")
