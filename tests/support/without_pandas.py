"""A program that reads and writes in many ways, and prints what first imported pandas; nothing if nothing did.

``pyarrow.array``, ``pyarrow.scalar``, ``Array.to_numpy`` and kernels with Python values import it, see ``arrow_values``.
"""

from __future__ import annotations

import gzip
import logging
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa

import pyspark_logs
from pyspark_logs.arrow_values import from_numpy, from_texts

TEMPLATE = "{ts:timestamp} {level} {n:int} {d:double} {day:date} {m}"
LINES = "".join(f"2026-11-22T07:{n % 60:02}:00Z INFO {n} 1.5 2026-11-22 text {n}\n" for n in range(100))
CORRUPT = f"""{LINES}garbage
2026-11-22T07:00:00Z INFO x 1.5 2026-11-22 a
2026-02-30T07:00:00Z INFO 1 1.5 2026-11-22 a
2026-11-22T07:00:00Z INFO 1 1.5 2026-13-22 a
2026-11-22T07:00:00Z INFO 99999999999999 1.5 2026-11-22 a
"""
JSON = "".join(
    f'{{"a": {n}, "b": "x{n}", "t": "2026-11-22T07:00:00Z", "o": {{"k": 1.5}}, "l": ["u", null]}}\n' for n in range(100)
)
JSON_SCHEMA = "a bigint, b string, t timestamp, o struct<k:double>, l array<string>"
CONDITION = (
    "level = 'INFO' AND n > 5 AND m LIKE '%text%' AND day >= DATE'2026-01-01' AND n IN (7, 8, 9) AND NOT (d <=> 2.5)"
    " AND ts > TIMESTAMP'2026-11-22 07:05:00' AND d IS NOT NULL"
)
REQUESTS = '1.2.3.4 - - [22/Nov/2026:07:00:00 +0000] "GET /a?b=1 HTTP/1.1" 200 12 "-" "ua"\n'
SYSLOG = '<13>1 2026-11-22T07:00:00Z host app 1 ID [a b="c"] text\n'
WORDS = "1.2.3.4 GET 7\nx\n"

READS: dict[str, tuple[str | bytes, dict[str, Any]]] = {
    "plain": (LINES, {"template": TEMPLATE, "startTime": "2026-11-22T07:30:00Z"}),
    "gzip": (gzip.compress(LINES.encode()), {"template": TEMPLATE}),
    "metadata": (LINES, {"template": TEMPLATE, "metadata": True}),
    "layout": (LINES, {"template": TEMPLATE, "layout": "{svc}", "schema": "n int, svc int", "where": "svc = 7"}),
    "where": (LINES, {"template": TEMPLATE, "where": CONDITION}),
    "corrupt": (CORRUPT, {"template": TEMPLATE, "schema": "ts timestamp, n int, _corrupt_record string"}),
    "dropped": (CORRUPT, {"template": TEMPLATE, "mode": "DROPMALFORMED"}),
    "zone": (LINES.replace("Z INFO", " INFO"), {"template": TEMPLATE, "timeZone": "Europe/Berlin"}),
    "local": (LINES, {"template": TEMPLATE, "timeZone": "Europe/Berlin", "schema": "ts timestamp_ntz, day date"}),
    "lines joined": (LINES.replace("\n", "\n  at x\n"), {"template": TEMPLATE, "multiLine": True}),
    "json": (JSON, {"json": True, "schema": JSON_SCHEMA}),
    "json inferred": (JSON, {"json": True}),
    "json corrupt": (JSON + '{"a": "x"}\n{"z": 1}\n{bad\n', {"json": True, "schema": JSON_SCHEMA}),
    "logfmt": ('a=1 b="x y"\na=z b="\\n"\n', {"logfmt": True, "schema": "a bigint, b string"}),
    "delimited": ('a,b\n1,x\n"2",\nz,"y\n"\n', {"delimited": ",", "header": "first", "schema": "a int, b string"}),
    "combined": (REQUESTS * 9 + REQUESTS.replace("200", "abc"), {"preset": "apache_combined"}),
    "syslog": (SYSLOG * 9 + "x\n", {"preset": "syslog_rfc5424"}),
    "grok": (WORDS, {"grok": "%{IP:ip} %{WORD:verb} %{NUMBER:n:int}"}),
    "regex": (WORDS, {"regex": r"^(?P<ip>\S+) (?P<verb>\w+) (?P<n>\d+)$"}),
}
TABLE = pa.table(
    [
        from_numpy(np.arange(100) * 1_000_000).cast(pa.timestamp("us", "UTC")),
        from_texts([None, *(f"text {n}" for n in range(1, 100))]),
        from_numpy(np.arange(100) / 4),
    ],
    names=["ts", "m", "d"],
)
WRITES: dict[str, dict[str, Any]] = {
    "template": {"template": "{ts:timestamp} {d:double} {m?}", "layout": "{yyyy}/{MM}/{dd}/{HH}"},
    "json": {"json": True, "compression": "gzip"},
    "logfmt": {"logfmt": True},
    "delimited": {"delimited": ",", "header": "first"},
}


class PandasFinder:
    """Notes the calls that first import pandas."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.reached = ""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Finds nothing, so that the next finder is asked."""
        del path, target
        if name == "pandas" and not self.calls:
            frames = [frame for frame in traceback.extract_stack() if "/pyspark_logs/" in frame.filename]
            self.calls = [f"{self.reached}: {Path(one.filename).name}:{one.lineno} {one.line}" for one in frames[-3:]]
        return None


def main() -> None:
    """Runs all reads and writes."""
    logging.disable(logging.WARNING)
    finder = PandasFinder()
    sys.meta_path.insert(0, finder)
    with tempfile.TemporaryDirectory() as directory:
        for name, (content, options) in READS.items():
            finder.reached = f"read {name}"
            file = Path(directory, "in", name, "7", "a.log")
            file.parent.mkdir(parents=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
            given = {**options, "badRecordsPath": f"{directory}/bad"} if name == "dropped" else options
            assert pyspark_logs.scan(file.parents[1], **given).read_all().num_rows > 0
        for name, options in WRITES.items():
            finder.reached = f"write {name}"
            pyspark_logs.write(TABLE, Path(directory, "out", name), **options)
        finder.reached = "check"
        pyspark_logs.check(Path(directory, "in", "corrupt"), template=TEMPLATE)
    sys.stdout.write("\n".join(finder.calls))


if __name__ == "__main__":
    main()
