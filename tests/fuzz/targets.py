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


def inputs(target: str) -> list[Path]:
    """Returns the inputs of a target in the corpus."""
    return sorted((CORPUS / target).glob("*"))
