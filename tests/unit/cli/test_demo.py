"""The command ``demo``: how it finds and starts ``examples/demo``. tests/unit/test_demo.py runs the demo itself."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from pyspark_logs.cli import demo, main

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import sys
from demo_exit_code import CODE
if __name__ == "__main__":
    print(*sys.argv[1:])
    sys.exit(CODE)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package without a demo."""
    path = tmp_path / "lib" / "site-packages" / "pyspark_logs"
    path.mkdir(parents=True)
    monkeypatch.setattr(demo, "_PACKAGE", path)
    monkeypatch.setattr(sys, "argv", ["pyspark-logs"])
    return path


def test_a_checkout_runs_the_source() -> None:
    assert demo.demo_directory() == ROOT / "examples" / "demo"


def test_a_wheel_runs_its_copy(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (package / "_demo").mkdir()
    (package / "_demo" / "__main__.py").write_text(PROGRAM)
    (package / "_demo" / "demo_exit_code.py").write_text("CODE = 3")
    assert main(["demo", "--data", "x"]) == 3
    assert main(["demo", "--serve", "--port", "0"]) == 3
    assert capsys.readouterr().out == "--data x\n--serve --port 0\n"
    assert sys.argv == ["pyspark-logs"]


def test_an_installation_without_the_demo_is_an_error(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 1
    error = capsys.readouterr().err
    assert "this installation has no demo" in error
    assert "pip install --force-reinstall pyspark-logs" in error


def test_missing_packages_are_named_with_the_command_that_installs_them() -> None:
    code = f"""
import importlib.util, runpy, sys
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("moto", "flask") else find_spec(name, *rest)
sys.argv = ["demo"]
runpy.run_path({str(ROOT / "examples" / "demo")!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("demo: not installed: ")
    assert "moto, flask" in done.stderr
    assert 'pip install "pyspark-logs[spark,s3]" "moto[server]"' in done.stderr


@pytest.mark.parametrize("command", [["-m", "pyspark_logs", "demo"], [str(ROOT / "examples" / "demo")]])
def test_both_ways_to_start_it_name_a_missing_sample(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *command, "--data", str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"demo: there is no sample in {tmp_path}")


def test_the_sample_is_served_until_ctrl_c() -> None:
    pytest.importorskip("moto.server")
    command = [sys.executable, "-m", "pyspark_logs", "demo", "--serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().strip() for _ in range(5)]
        url = lines[3].removeprefix("export AWS_ENDPOINT_URL=")
        with urllib.request.urlopen(f"{url}/acme-logs?list-type=2&prefix=app/") as listing:
            assert listing.read().count(b"<Key>") == 68
        server.send_signal(signal.SIGINT)
        output, errors = server.communicate(timeout=60)
    assert lines[4] == "export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo-secret"
    assert (server.returncode, errors) == (0, "")
    assert output == "\nThe server is stopped, and what was written to it is gone.\n"


def test_a_port_in_use_is_an_error_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        command = [sys.executable, "-m", "pyspark_logs", "demo", "--serve", "--port", str(other.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "cannot be used" in done.stderr
    assert "--port 0 chooses a free one" in done.stderr
