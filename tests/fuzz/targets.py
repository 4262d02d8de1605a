"""The table of targets.

A target takes any bytes. It returns, or raises an AssertionError for a broken promise; an error of this package is a result,
any other error is a fault.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pyspark_logs import detect
from pyspark_logs.errors import LogSourceError
from tests.fuzz import descriptions, documents, engines, streams

CORPUS = Path(__file__).parent / "corpus"


def detect_format(raw: bytes) -> None:
    """Detects the format of a file."""
    with tempfile.TemporaryDirectory(dir=engines._memory_folder()) as folder:
        path = Path(folder) / "a.log"
        path.write_bytes(raw)
        os.utime(path, (1_795_348_800, 1_795_348_800))
        with contextlib.suppress(LogSourceError):
            for candidate in detect(path):
                assert 0 < candidate.share <= 1
                assert candidate.columns


TARGETS: dict[str, Callable[[bytes], None]] = {
    "template": engines.decode_by("template"),
    "preset": engines.decode_preset,
    "json": engines.decode_open("json"),
    "logfmt": engines.decode_open("logfmt"),
    "delimited": engines.decode_by("delimited"),
    "regex": engines.decode_by("regex"),
    "grok": engines.decode_by("grok"),
    "nginx": engines.decode_by("nginx"),
    "apache": engines.decode_by("apache"),
    "logback": engines.decode_by("logback"),
    "file": engines.read_file,
    "write": engines.write_values,
    "codec": streams.decompress,
    "content": streams.read_content,
    "lines": streams.split_lines,
    "quotes": streams.join_quotes,
    "json_documents": streams.find_documents,
    "encoding": streams.decode_text,
    "layout": descriptions.match_layout,
    "glob": descriptions.match_glob,
    "where": descriptions.filter_rows,
    "options": descriptions.parse_options,
    "schema": descriptions.parse_schema,
    "offset": documents.read_offset,
    "commit": documents.read_document,
    "keys": documents.split_keys,
    "detect": detect_format,
}

_DECODES = "all engines give the values, corrupt rows and reasons of the line parser"
# Promise of each target, in Markdown, for docs/promises.md.
DESCRIPTIONS: dict[str, str] = {
    **dict.fromkeys(TARGETS, _DECODES),
    "file": "splits of a few bytes, with and without compiled engines, give the rows of the whole file",
    "write": "a written value reads back equal, or is refused; it forges no record",
    "codec": "damaged streams give the same text and error in pieces of any size; pieces of text are bounded",
    "content": "files of any name and content are read, or are corrupt files",
    "lines": "blocks, pieces and splits of any size give the lines of the whole text",
    "quotes": "blocks of any size give the same records of several lines",
    "json_documents": "pieces of any size give the same records",
    "encoding": "a text decodes to the same characters in pieces of any size",
    "layout": "what matches a layout renders and reads back; no value leaves the directory",
    "glob": "names match as by backtracking",
    "where": "a condition has the same truth for any part of the rows, and implies its predicates for pruning",
    "options": "options are parsed, or refused by an error",
    "schema": "a schema reads back from its text",
    "offset": "an offset reads back, or is refused; a poll from it does not lower its floor",
    "commit": "a document reads back, or is refused; it names nothing outside of the root",
    "keys": "a key is that of a job, or of another program",
    "detect": "files of any content have candidates, or none",
}


def inputs(target: str) -> list[Path]:
    """Returns the inputs of a target in the corpus."""
    return sorted((CORPUS / target).glob("*"))
