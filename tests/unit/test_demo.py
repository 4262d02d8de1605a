"""The demo as users run it, and the example of README.md."""

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
    environment = {**os.environ, "COLUMNS": "80", **(env or {})}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=600, check=False, env=environment
    )


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of the demo on a machine with misleading settings of its own."""
    folder = tmp_path_factory.mktemp("scratch")
    misleading = {
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "SPARK_HOME": "/nonexistent",
        "PYSPARK_PYTHON": "/nonexistent/python",
        "TMPDIR": str(folder),
    }
    done = run(env=misleading)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert [path.name for path in folder.iterdir() if path.name.startswith("pyspark-logs-demo")] == []
    return done.stdout


@pytest.mark.spark
def test_all_steps_fit_the_width_of_a_terminal(output: str) -> None:
    assert re.findall(r"^(\d+)  .* -+$", output, re.MULTILINE) == [str(n) for n in range(1, 13)]
    assert [line for line in output.splitlines() if len(line) > 80] == []
    assert "WARN " not in re.sub(r"Z WARN \[", "", output)  # no output of Spark's log
    assert "\x1b" not in output
    assert "\n\n\n" not in output
    assert re.search(r"^All figures are those of sample_data/expected.json. \d+ seconds.$", output, re.MULTILINE)


@pytest.mark.spark
def test_the_figures_equal_those_of_plain_python(output: str) -> None:
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
        assert re.search(rf"\| *(payments|search)\| *{service}\| +{count}\| +{errors[service]}\| ", output), service

    expected = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))
    assert "5,699 rows in all" in output
    assert "planned  8 of 68 files" in output
    assert "counted  by the S3 server: 9 LIST requests, 8 objects fetched" in output
    assert "606 lines did not match: 18 broken ones, 588 of stack traces" in output
    for status, count in expected["lb"]["status"].items():
        (column,) = [
            index
            for line in output.splitlines()
            if line.startswith("| target_ip|200|")
            for index, cell in enumerate(line.split("|"))
            if cell.strip() == status
        ]
        cells = [
            line.split("|")[column] for line in output.splitlines() if re.match(r"\|( +NULL|192\.0\.2\.\d+)\|", line)
        ]
        assert sum(map(int, cells)) == count, status
    assert "5,093 records are 5,093 rows" in output
    assert "where            14 rows from  4 objects" in output
    assert "filter of Spark  14 rows from 68 objects, the same ones" in output
    (written,) = re.findall(r"^ +(\d+) uploads completed +the files are there", output, re.MULTILINE)
    assert f"{written} uploads begun, {written} parts sent" in output
    assert "0 rows are seen by Spark, 0 without it" in output
    assert re.search(r"^rolled back: [0-9a-z]{35}$", output, re.MULTILINE)
    assert "It was to write 12 files." in output
    assert "8 files landed, 800 rows are in the sink, each once" in output


@pytest.mark.spark
def test_the_readme_quotes_the_demo(output: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (quoted,) = (text for text in re.findall(r"```text\n(.*?)```", readme, re.DOTALL) if "by_service" in text)
    for line in quoted.splitlines():
        if line != "...":
            assert line in output.splitlines()


@pytest.mark.spark
@pytest.mark.slow
def test_a_wrong_figure_ends_the_demo_with_a_message(tmp_path: Path) -> None:
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
@pytest.mark.parametrize("context", ["Spark starts", "logs.select("])  # while the JVM starts; before a job runs
def test_ctrl_c_stops_server_and_spark(tmp_path: Path, context: str) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if context in line:
                break
        time.sleep(1)
        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does
        _, errors = demo.communicate(timeout=120)
    assert demo.returncode == 130
    assert errors.splitlines()[-1] == "demo: interrupted; server and Spark are stopped"
    assert "Traceback" not in errors
    assert not list(tmp_path.glob("pyspark-logs-demo-*"))
    assert is_gone(demo.pid)


def is_gone(group: int) -> bool:
    """Returns True if all processes of a group end within ten seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_a_missing_sample_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    done = run("--data", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"demo: there is no sample in {tmp_path}")
    assert "--data sample_data" in done.stderr


@pytest.mark.spark
@pytest.mark.slow
def test_the_example_of_the_readme_runs() -> None:
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
