"""Checks of an installed wheel, by the Python of an environment with the core dependencies only.

``scripts/check-package`` builds the wheel and runs this program, which ends with an error at the first difference.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

SCRIPTS = Path(sys.executable).parent
IMPORT_MS = 50.0
ABSENT = ("pyspark", "s3fs", "rich", "argcomplete", "pandas")


def main() -> None:
    """Runs all checks."""
    for name in ABSENT:
        require(importlib.util.find_spec(name) is None, f"{name} is installed, and is no core dependency")
    check_metadata()
    cost_ms = import_ms()
    require(
        cost_ms <= IMPORT_MS, f"import pyspark_logs took {cost_ms:.0f} ms of processor time, more than {IMPORT_MS:.0f}"
    )
    check_commands()
    check_missing_packages()
    check_reading()
    print(f"package: the wheel works with its core dependencies; import pyspark_logs takes {cost_ms:.0f} ms")  # noqa: T201


def require(condition: bool, message: str) -> None:
    """Ends the program if a condition is false."""
    if not condition:
        sys.exit(f"check-package: {message}")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command, and returns its exit code and output."""
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def run_code(code: str) -> str:
    """Returns the output of a program, of both streams."""
    done = run(sys.executable, "-c", code)
    return done.stdout + done.stderr


def import_ms() -> float:
    """Returns the processor time of the import in milliseconds, the least of five processes."""
    code = "import time; start = time.process_time(); import pyspark_logs; print((time.process_time() - start) * 1000)"
    return min(float(run_code(code)) for _ in range(5))


def check_metadata() -> None:
    """Checks the addresses of the project, and that the wheel has the files of the package and no others."""
    metadata = importlib.metadata.metadata("pyspark-logs")
    names = {text.partition(",")[0] for text in metadata.get_all("Project-URL") or ()}
    require({"Homepage", "Documentation", "Changelog", "Issues"} <= names, f"Project-URL has {names} only")
    files = {str(path) for path in importlib.metadata.files("pyspark-logs") or ()}
    own = ("pyspark_logs/", f"pyspark_logs-{metadata['Version']}.dist-info/", "../")  # the last one: the command
    stray = {name for name in files if not name.startswith(own) or name.endswith((".c", ".pxd")) or "/test" in name}
    require(not stray, f"the wheel has {sorted(stray)}")
    for name in (
        f"pyspark_logs-{metadata['Version']}.dist-info/licenses/LICENSE",
        "pyspark_logs/py.typed",
        "pyspark_logs/_demo/__main__.py",
        "pyspark_logs/_demo/sample_data/expected.json",
    ):
        require(name in files, f"the wheel lacks {name}")


def check_commands() -> None:
    """Checks that the command starts in both ways, and prints its version and its help."""
    for command in ([str(SCRIPTS / "pyspark-logs")], [sys.executable, "-m", "pyspark_logs"]):
        version, bare = run(*command, "--version"), run(*command)
        expected = f"pyspark-logs {importlib.metadata.version('pyspark-logs')}\n"
        require(version.stdout == expected, f"{command} --version printed {version.stdout + version.stderr!r}")
        require(bare.returncode == 0 and "preview" in bare.stdout, f"{command} printed {bare.stdout + bare.stderr!r}")


def check_missing_packages() -> None:
    """Checks that each missing package is named with the command that installs it."""
    for code, remedy in (
        ("import pyspark_logs; pyspark_logs.register", "pip install 'pyspark-logs[spark]'"),
        ("import pyspark_logs; pyspark_logs.scan('s3://b/k', template='{a}')", "pip install 'pyspark-logs[s3]'"),
        ("from pyspark_logs.cli import main; main(['demo'])", 'pip install "pyspark-logs[spark,s3]" "moto[server]"'),
    ):
        output = run_code(code)
        require(remedy in output, f"{code!r} printed {output!r}")


def check_reading() -> None:
    """Checks that a file is read, by the function and by the command."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "app.log")
        path.write_text("2026-11-22T01:00:11Z INFO started\n", encoding="utf-8")
        code = f"import pyspark_logs; print(pyspark_logs.scan({str(path)!r}, template='{{ts:timestamp}} {{level}} {{m}}').read_all()['m'])"
        require("started" in (output := run_code(code)), f"scan() printed {output!r}")
        done = run(str(SCRIPTS / "pyspark-logs"), "preview", str(path), "--template", "{ts:timestamp} {level} {m}")
        require("INFO   started" in done.stdout, f"preview printed {done.stdout + done.stderr!r}")


if __name__ == "__main__":
    main()
