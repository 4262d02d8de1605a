"""The demo, as a visitor runs it; and the example on the front page, word for word."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("pyspark")
pytest.importorskip("moto.server")

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample_data"
COMMAND = [sys.executable, "-m", "pyspark_logs", "demo"]


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", **(env or {})}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=600, check=False, env=environment
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the demo prints, on a machine whose own settings would lead it astray."""
    folder = tmp_path_factory.mktemp("scratch")
    astray = {
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "SPARK_HOME": "/nonexistent",
        "PYSPARK_PYTHON": "/nonexistent/python",
        "TMPDIR": str(folder),
    }
    done = run(env=astray)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [path.name for path in folder.iterdir() if path.name.startswith("pyspark-logs-demo")] == []
    return done.stdout


@pytest.mark.spark
def test_all_steps_are_shown_within_a_terminal(shown: str) -> None:
    assert re.findall(r"^(\d+)  .* -+$", shown, re.MULTILINE) == [str(n) for n in range(1, 12)]
    assert [line for line in shown.splitlines() if len(line) > 100] == []
    assert "WARN " not in re.sub(r"Z WARN \[", "", shown)  # none of Spark's log
    assert "\x1b" not in shown
    assert "\n\n\n" not in shown
    assert re.search(r"^All figures are those of sample_data/expected.json. \d+ seconds.$", shown, re.MULTILINE)


@pytest.mark.spark
def test_the_figures_are_those_of_the_sample_counted_by_plain_python(shown: str) -> None:
    errors: Counter[str] = Counter()
    records: Counter[str] = Counter()
    for path in (SAMPLE / "app").rglob("*.log*"):
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        for level, service in re.findall(
            r"^2026-11-22T13:\S+Z (\w+) \[(\w+)\] req=\w+ user=(?:-|\d+) ", text, re.MULTILINE
        ):
            records[service] += 1
            errors[service] += level == "ERROR"
    assert len(records) == 6
    for service, count in records.items():
        assert re.search(rf"\| *(payments|search)\| *{service}\| +{count}\| +{errors[service]}\| ", shown), service

    expected = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))
    assert "5,699 rows in all" in shown
    assert "planned  8 of 68 files" in shown
    assert "counted  by the S3 server: 9 LIST requests, 8 objects fetched" in shown
    assert "606 lines did not match: 18 broken ones, 588 of stack traces" in shown
    for status, count in expected["lb"]["status"].items():
        (column,) = [
            index
            for line in shown.splitlines()
            if line.startswith("| target_ip|200|")
            for index, cell in enumerate(line.split("|"))
            if cell.strip() == status
        ]
        cells = [
            line.split("|")[column] for line in shown.splitlines() if re.match(r"\|( +NULL|192\.0\.2\.\d+)\|", line)
        ]
        assert sum(map(int, cells)) == count, status
    assert "5,093 records are 5,093 rows" in shown
    assert "with pushdown  14 rows from  4 objects" in shown
    assert "without        14 rows from 68 objects, the same ones" in shown
    assert "\n*(1) Filter" not in shown
    (written,) = re.findall(r"^ +(\d+) uploads completed +the files are there", shown, re.MULTILINE)
    assert f"{written} uploads begun, {written} parts sent" in shown
    assert "0 rows are seen by Spark, 0 by scan()" in shown
    assert re.search(r"^rolled back: [0-9a-z]{35}$", shown, re.MULTILINE)
    assert "It was to write 56 files." in shown
    assert "8 files landed, 800 rows are in the sink, each once" in shown


@pytest.mark.spark
def test_the_front_page_quotes_the_demo(shown: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (quoted,) = re.findall(r"```text\n(.*?)```", readme, re.DOTALL)
    for line in quoted.splitlines():
        if line != "...":
            assert line in shown.splitlines()


@pytest.mark.spark
@pytest.mark.slow
def test_a_wrong_figure_ends_it_with_a_message(tmp_path: Path) -> None:
    data = tmp_path / "sample"
    shutil.copytree(SAMPLE, data)
    expected = json.loads((data / "expected.json").read_text(encoding="utf-8"))
    expected["app"]["records"] += 1
    (data / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
    done = run("--data", str(data))
    assert done.returncode == 1
    assert done.stderr == "demo: rows of all application logs: found 5699, but it should be 5700\n"


@pytest.mark.spark
@pytest.mark.slow
@pytest.mark.parametrize("context", ["starting Spark", "logs.drop("])  # its JVM is on its way; a job is about to run
def test_ctrl_c_takes_server_and_spark_down(tmp_path: Path, context: str) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if context in line:
                break
        time.sleep(1)
        os.killpg(demo.pid, signal.SIGINT)  # what a terminal does
        _, said = demo.communicate(timeout=120)
    assert demo.returncode == 130
    assert said.splitlines()[-1] == "demo: interrupted; server and Spark are stopped"
    assert "Traceback" not in said
    assert not list(tmp_path.glob("pyspark-logs-demo-*"))
    assert is_gone(demo.pid)


def is_gone(group: int) -> bool:
    """Whether no process of a group is left, soon."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_without_a_sample_it_says_how_to_get_one(tmp_path: Path) -> None:
    done = run("--data", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"demo: there is no sample in {tmp_path}")
    assert "--data sample_data" in done.stderr


@pytest.mark.spark
@pytest.mark.slow
def test_the_front_page_example_runs_word_for_word() -> None:
    script = f"""
import os, re, sys, tempfile
from pathlib import Path
sys.path.insert(0, {str(ROOT / "examples" / "demo")!r})
from bucket import serve
from session import spark_session

(example, *_) = re.findall(r"```python\\n(.*?)```", Path({str(ROOT / "README.md")!r}).read_text(), re.DOTALL)
with tempfile.TemporaryDirectory() as folder, serve(Path({str(SAMPLE)!r})) as bucket:
    os.environ.update(AWS_ENDPOINT_URL=bucket.endpoint, AWS_ACCESS_KEY_ID="demo", AWS_SECRET_ACCESS_KEY="demo")
    with spark_session(Path(folder)) as spark:
        exec(example)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    counts: Counter[tuple[str, str]] = Counter()
    for path in (SAMPLE / "app").rglob("*.log*"):
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        team = path.relative_to(SAMPLE / "app").parts[0]
        for service in re.findall(r"^2026-11-22T0[0-5]:\S+Z ERROR \[(\w+)\]", text, re.MULTILINE):
            counts[team, service] += 1
    rows = re.findall(r"^\| *(payments|search)\| *(\w+)\| *(\d+)\|$", done.stdout, re.MULTILINE)
    assert {(team, service): int(count) for team, service, count in rows} == counts
