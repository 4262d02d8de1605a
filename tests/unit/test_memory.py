"""Memory of reading lines of a few bytes, of which a block has many: bounds of what is held, and the peak of a process."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pyspark_logs
from pyspark_logs import batch_builder
from pyspark_logs.formats.decoding.decoder import LineBlockDecoder
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import MAX_LINES, Lines

MIB = 1 << 20
LIMIT_MIB = 400  # of a worker, for any input
COLUMNS = ", ".join(f"c{n} string" for n in range(40))
# Each took 400 to 920 MiB when only the bytes of a block were bounded, and quoted text was held several times by each thread.
INPUTS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "lines of two bytes": (b"a\n", {"template": "{a}"}),
    "values of one byte": (b"1,2\n", {"delimited": ",", "schema": "a timestamp, b timestamp"}),
    "values that lack": (b"1,2\n", {"delimited": ",", "schema": COLUMNS}),
    "empty values": (b"," * 39 + b"\n", {"delimited": ",", "schema": COLUMNS}),
    "empty objects": (b"{}\n", {"json": True, "schema": COLUMNS}),
    "pairs of three bytes": (b"a=1\n", {"logfmt": True, "schema": f"a int, {COLUMNS}"}),
    "text without quotes": (b"2026-11-22T10:11:12Z,INFO,worker-1\n", {"delimited": ",", "schema": "t timestamp, level string, w string"}),
}  # fmt: skip
CHILD = """
import json, sys
from pathlib import Path
import pyspark_logs
for batch in pyspark_logs.scan(sys.argv[1], threads=1, fetchThreads=8, **json.loads(sys.argv[2])):
    pass
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


class _Sizes:
    """Records the number of lines that are decoded at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: list[int] = []
        decode = LineBlockDecoder.decode

        def recorded(decoder: LineBlockDecoder, block: Lines, context: TimestampContext) -> Any:
            self.lines.append(len(block))
            return decode(decoder, block, context)

        monkeypatch.setattr(LineBlockDecoder, "decode", recorded)


@pytest.mark.parametrize("many", [False, True], ids=["one file", "many files"])
@pytest.mark.parametrize("columns", [1, 40, 1500])
def test_lines_and_values_that_are_decoded_at_once(
    columns: int, many: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = MAX_LINES + 1 if columns < 100 else 10_000
    for number in range(20 if many else 1):
        (tmp_path / f"{number}.json").write_bytes(b"{}\n" * (count // (20 if many else 1)))
    sizes = _Sizes(monkeypatch)
    schema = ", ".join(f"c{n} string" for n in range(columns))
    rows = sum(batch.num_rows for batch in pyspark_logs.scan(str(tmp_path), threads=1, json=True, schema=schema))
    assert rows == sum(sizes.lines) >= count - 20
    assert max(sizes.lines) <= MAX_LINES
    assert max(sizes.lines) * columns <= batch_builder._MAX_VALUES


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", INPUTS)
def test_the_peak_of_a_process_that_reads_ahead(name: str, compressed: bool, tmp_path: Path) -> None:
    line, options = INPUTS[name]
    text = line * (64 * MIB // len(line))
    path = tmp_path / ("a.log.gz" if compressed else "a.log")
    path.write_bytes(gzip.compress(text, 1) if compressed else text)
    command = [sys.executable, "-c", CHILD, str(path), json.dumps(options)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert int(out) >> 10 < LIMIT_MIB
