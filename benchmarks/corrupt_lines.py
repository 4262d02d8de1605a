"""Lines of which a value is not of its type: lines per second of processor time, and peak memory, of ``scan(threads=1)``.

Each input is read by a process of its own. All wrong values differ from each other.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

LINES = 1_000_000
READINGS = 3


class Input(NamedTuple):
    """Lines with a wrong value.

    Attributes:
        name: name in the table.
        line: template of the lines, by ``str.format``: ``n`` is the number of the line, ``word`` a text that is no number, ``large``
            a number that does not fit in 64 bits, ``clock`` a time of the day.
        options: options of the reader.
    """

    name: str
    line: str
    options: Mapping[str, str]


_COMBINED = {"preset": "apache_combined"}
_COMBINED_LINE = '192.0.2.7 - - [{time}] "GET /a/{{n}} HTTP/1.1" {status} {{n}} "-" "Mozilla/5.0 (X11; Linux x86_64)"'
_APP = {"template": "{time:timestamp} {level} [{thread}] {logger}: took {took:int} ms for {path}"}
_APP_LINE = "{time} INFO [worker-1] com.example.Orders: took {took} ms for /api/orders/{{n}}"
_CSV = {"delimited": ",", "schema": "id long, time timestamp, took int, name string"}
_JSON = {"json": "true", "schema": "time timestamp, level string, took int, path string"}
_JSON_LINE = '{{{{"time":"{time}","level":"INFO","took":{took},"path":"/api/orders/{{n}}"}}}}'
_PAIRS = {"logfmt": "true", "schema": "time timestamp, level string, took int, path string"}
_PAIRS_LINE = 'time={time} level=info msg="order placed" took={took} path=/api/orders/{{n}}'
INPUTS = [
    Input("Apache combined, text as status", _COMBINED_LINE.format(time="22/Nov/2026:{clock} +0000", status="{word}"), _COMBINED),
    Input("Apache combined, 30 February", _COMBINED_LINE.format(time="30/Feb/2026:{clock} +0000", status="200"), _COMBINED),
    Input("application log, text as `int`", _APP_LINE.format(time="2026-11-22T{clock}Z", took="{word}"), _APP),
    Input("application log, large number as `int`", _APP_LINE.format(time="2026-11-22T{clock}Z", took="{large}"), _APP),
    Input("application log, 30 February", _APP_LINE.format(time="2026-02-30T{clock}Z", took="{n}"), _APP),
    Input("delimited, text as `int`", "{n},2026-11-22T{clock}Z,{word},name {n}", _CSV),
    Input("JSON, text as `int`", _JSON_LINE.format(time="2026-11-22T{clock}Z", took='"{word}"'), _JSON),
    Input("JSON, large number as `int`", _JSON_LINE.format(time="2026-11-22T{clock}Z", took="{large}"), _JSON),
    Input("JSON, 30 February", _JSON_LINE.format(time="2026-02-30T{clock}Z", took="{n}"), _JSON),
    Input("`key=value`, text as `int`", _PAIRS_LINE.format(time="2026-11-22T{clock}Z", took="{word}"), _PAIRS),
    Input("`key=value`, large number as `int`", _PAIRS_LINE.format(time="2026-11-22T{clock}Z", took="{large}"), _PAIRS),
    Input("`key=value`, 30 February", _PAIRS_LINE.format(time="2026-02-30T{clock}Z", took="{n}"), _PAIRS),
]  # fmt: skip


def run(count: int = LINES) -> None:
    """Prints a table with a row for each input."""
    print("lines with a wrong value, `scan(threads=1)`\n")
    print(
        "| input | lines/s of processor time | peak MiB | with `badRecordsPath` | peak MiB |\n| --- | ---: | ---: | ---: | ---: |"
    )
    for given in INPUTS:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "a.log"
            with path.open("w") as file:
                for n in range(count):
                    clock = f"{n // 3_600_000 % 24:02}:{n // 60_000 % 60:02}:{n // 1000 % 60:02}"
                    file.write(given.line.format(n=n, word=f"v{n}", large=10**11 + n, clock=clock) + "\n")
            cells = [_read(path, given.options), _read(path, {**given.options, "badRecordsPath": f"{scratch}/bad"})]
        shown = " | ".join(f"{count / seconds:,.0f} | {kib >> 10}" for seconds, kib in cells)
        print(f"| {given.name} | {shown} |", flush=True)
    print()


def _read(path: Path, options: Mapping[str, str]) -> tuple[float, int]:
    """Returns the shortest processor time, and the peak memory in KiB."""
    command = [sys.executable, "-m", "benchmarks", "--corrupt", str(path), json.dumps(dict(options))]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(out[0]), int(out[1])


def child(path: str, options: str) -> None:
    """Reads an input; prints the shortest processor time in seconds and the peak memory in KiB."""
    import pyspark_logs

    given: dict[str, Any] = json.loads(options)
    seconds = []
    for _ in range(READINGS):
        started, summary = time.process_time(), pyspark_logs.ScanSummary()
        for _ in pyspark_logs.scan(path, threads=1, summary=summary, **given):
            pass
        seconds.append(time.process_time() - started)
        if summary.corrupt != summary.records:
            raise SystemExit(f"{path}: only {summary.corrupt} of {summary.records} lines are corrupt")
    # VmHWM instead of ru_maxrss, which a process inherits from its parent.
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    print(min(seconds), peak)
