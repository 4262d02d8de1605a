"""The commands that read: preview, convert, check, plan, tail."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pyspark_logs.cli import main
from pyspark_logs.cli.output import FAILED, INTERRUPTED, REFUSED
from pyspark_logs.cli.progress import show_progress
from tests.support.trials import tries

LINES = (
    "2026-11-22T01:00:11Z INFO 7 started\n2026-11-22T01:00:12Z WARN x \x1b[31mslow\n2026-11-22T03:00:12Z INFO 9 ended\n"
)
FORMAT = ["--template", "{ts:timestamp} {level} {n:int} {message}"]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    path = tmp_path / "in" / "2026" / "11" / "22"
    path.mkdir(parents=True)
    (path / "a.log").write_text(LINES)
    return str(tmp_path / "in")


def test_preview(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["head", folder, *FORMAT, "-n", "2", "--columns", "n,MESSAGE"]) == 0
    assert capsys.readouterr().out.splitlines() == ["   n  message", "   7  started", "NULL  \\x1b[31mslow"]
    assert main(["preview", folder, *FORMAT, "--where", "n > 7", "--format", "csv"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["ts", "level", "n", "message"], ["2026-11-22T03:00:12+00:00", "INFO", "9", "ended"]]
    assert main(["preview", folder, *FORMAT, "--json", "-n", "1"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "ts": "2026-11-22T01:00:11+00:00", "level": "INFO", "n": 7, "message": "started",
    }  # fmt: skip


def test_the_format_is_detected(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", folder, "-o", "endTime=2026-11-22T02:00:00Z", "--columns", "level"]) == 0
    found = capsys.readouterr()
    assert found.err.startswith("format: ")
    assert "layout {yyyy}/{MM}/{dd}" in found.err
    assert found.out.split() == ["level", "INFO", "WARN"]


def test_no_format_is_detected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text("")
    assert main(["preview", str(tmp_path / "a.log")]) == REFUSED
    assert "the line format is not detected (no candidate). Name it with --preset" in capsys.readouterr().err


def test_a_column_that_is_not_there(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", folder, *FORMAT, "--columns", "levle"]) == REFUSED
    assert "column 'levle' is not there; did you mean level?" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["parquet", "json", "csv"])
def test_convert(folder: str, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / f"out.{suffix}"
    arguments = ["convert", folder, *FORMAT, "--to", str(target), "--columns", "n,level"]
    assert main(arguments) == 0
    assert "3 rows written to" in (err := capsys.readouterr().err)
    assert "1 of them from records that do not match" in err
    if suffix == "parquet":
        assert pq.read_table(target)["n"].to_pylist() == [7, None, 9]
    else:
        expected = {"json": '{"n": 7, "level": "INFO"}', "csv": "7,INFO"}[suffix]
        assert expected in target.read_text().splitlines()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", target.name]


@tries(
    "escape sequences in rows of `preview`, and formulas in CSV",
    "escaped in JSON, and in CSV on a terminal; a `'` before formulas with `--escape-formulas`",
)
def test_control_characters_and_formulas_of_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, target = tmp_path / "a.log", tmp_path / "a.csv"
    path.write_text('{"=k": "=1+1", "b": "\x9b31m", "n": -1}\n')
    schema = ["-o", "json=true", "-o", "schema=`=k` string, b string, n int"]
    arguments = [str(path), *schema]
    for kind in ("json", "csv", "table"):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        assert main(["preview", *arguments, "--format", kind]) == 0
        assert "\x9b" not in (out := capsys.readouterr().out)
        assert kind != "json" or json.loads(out) == {"=k": "=1+1", "b": "\x9b31m", "n": -1}
    assert main(["convert", *arguments, "--to", str(target)]) == 0
    assert target.read_text() == "=k,b,n\n=1+1,\x9b31m,-1\n"
    assert main(["convert", *arguments, "--to", str(target), "--escape-formulas"]) == 0
    assert target.read_text() == "'=k,b,n\n'=1+1,\x9b31m,-1\n"
    assert main(["preview", *arguments, "--json", "--escape-formulas"]) == REFUSED
    assert "--escape-formulas belongs to CSV, and the output is json" in capsys.readouterr().err


def test_a_failed_conversion_leaves_the_old_file(
    folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.json"
    target.write_text("old")
    assert main(["convert", folder, *FORMAT, "--to", str(target), "-o", "mode=FAILFAST"]) == REFUSED
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.json"]
    assert main(["convert", folder, *FORMAT, "--to", str(tmp_path / "a.xlsx")]) == REFUSED
    assert "its suffix is none of .parquet" in capsys.readouterr().err
    assert main(["convert", folder, *FORMAT, "--to", str(tmp_path / "nothing" / "a.json")]) == REFUSED
    assert f"there is no directory {tmp_path}/nothing; create it" in capsys.readouterr().err


def test_a_closed_pipe(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class ClosedPipe(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", ClosedPipe())
    assert main(["preview", folder, *FORMAT]) == 0
    assert sys.stdout is None  # Python flushes it at exit


def test_check(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", folder, *FORMAT, "-o", "layout={yyyy}/{MM}/{dd}", "-o", "mode=DROPMALFORMED"]) == FAILED
    out = capsys.readouterr().out
    assert out.startswith("3 records in 1 file (108 B), 1 corrupt (33.33%), in ")
    assert "1  field 'n': not a whole number" in out
    assert "\n2026-11-22T01:00:12Z WARN x \\x1b[31mslow\n" in out
    first = next(line.split() for line in out.splitlines() if line.startswith("2026-11-22 0"))
    assert first == ["2026-11-22", "01:00", "2", "1", "#" * 40]
    assert main(["check", folder, *FORMAT, "--json", "--where", "n = 7"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["summary"]["records"], report["summary"]["corrupt"], report["summary"]["filtered"]) == (3, 0, 2)


def test_plan(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    layout = ["-o", "layout={yyyy}/{MM}/{dd}"]
    assert main(["plan", folder, *FORMAT, *layout, "--columns", "n"]) == 0
    out = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines() if not line.startswith(" "))
    assert out["files to read"].strip() == "1, 108 B"
    assert out["columns parsed"].strip() == "n"
    assert main(["plan", folder, *FORMAT, *layout, "-o", "startTime=2027-01-01", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["tasks"], report["get_requests"], report["report"]["files_planned"]) == (0, 0, 0)


@pytest.mark.parametrize("arguments", [["convert", "--to"], ["tail", "--once", "--checkpoint"]])
def test_a_file_in_a_missing_directory(
    arguments: list[str], folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *options = arguments
    assert main([command, folder, *FORMAT, *options, f"{tmp_path}/none/out.csv"]) == REFUSED
    captured = capsys.readouterr()
    assert f"{options[-1]} '{tmp_path}/none/out.csv': there is no directory {tmp_path}/none; create it" in captured.err
    assert captured.out == ""


def test_tail_goes_on_at_its_checkpoint(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["tail", folder, *FORMAT, "--once", "--columns", "message", "--checkpoint", str(tmp_path / "offset")]
    assert main([*arguments, "--where", "n IS NOT NULL"]) == 0
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == ["started", "ended"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == ""
    (Path(folder) / "2026" / "11" / "22" / "b.log").write_text("2026-11-22T03:00:12Z INFO 9 new\n")
    assert main(arguments) == 0
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == ["new"]
    (tmp_path / "offset").write_text("nonsense")
    assert main(arguments) == REFUSED
    assert "cannot read the checkpoint" in capsys.readouterr().err


def test_tail_warns_of_a_file_that_grew(folder: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    arguments = ["tail", folder, *FORMAT, "--once", "--checkpoint", str(tmp_path / "offset")]
    assert main(arguments) == 0
    path = Path(folder) / "2026" / "11" / "22" / "a.log"
    path.write_text(f"{LINES}2026-11-22T03:00:13Z INFO 10 more\n")
    os.utime(path, (path.stat().st_mtime + 5, path.stat().st_mtime + 5))
    assert main(arguments) == 0
    assert f"{path} was changed after it was read, and is not read again" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["preview", "-n", "-1"], "argument -n/--rows: '-1' is not a whole number of zero or more"),
        (["tail", "--interval", "nan"], "argument --interval: 'nan' is not a number of seconds"),
        (
            ["preview", "-o", "mode=FAILFAST", "-o", "MODE=x"],
            "--option 'MODE' is given twice, as 'FAILFAST' and as 'x'",
        ),
        (["preview", "-o", "Template={a}"], "--template and --option template=... are both given; keep one"),
        (["convert", "--to", "{folder}"], "its suffix is none of .parquet"),
        (["tail", "--checkpoint", "{folder}"], "is a directory; name a file in it"),
    ],
)
def test_mistakes_in_arguments(
    arguments: list[str], message: str, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *options = (argument.replace("{folder}", folder) for argument in arguments)
    try:
        code = main([command, folder, *FORMAT, *options])
    except SystemExit as end:  # of argparse
        code = int(str(end.code))
    assert code == REFUSED
    assert message in capsys.readouterr().err


def test_conditions_of_both_kinds_are_combined(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", folder, *FORMAT, "--json", "--where", "n > 7", "-o", "WHERE=level = 'INFO' OR n = 9"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["filtered"] == 2


def test_an_interrupted_command(
    folder: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pyspark_logs.api.check.check", interrupt)
    assert main(["check", folder, *FORMAT]) == INTERRUPTED
    assert capsys.readouterr().err == "\npyspark-logs check: interrupted\n"


def test_many_intervals_without_records_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text("2026-11-22T01:00:11Z INFO 7 a\n2026-11-22T23:00:11Z INFO 8 b\n")
    assert main(["check", str(tmp_path), *FORMAT]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()[-2:]] == [
        ["...", "21", "more", "0", "0"],
        ["2026-11-22", "23:00", "1", "0", "#" * 40],
    ]


def test_no_progress_on_a_dumb_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    with show_progress(argparse.Namespace(command="check")) as show:
        assert show is None


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "preview" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.startswith("pyspark-logs ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample_data/app"], "a command comes first, such as pyspark-logs preview sample_data/app"),
        (["previw", "a.log"], "did you mean preview?"),
        (["preview", "a.log", "--limit", "5"], "write -n N"),
        (["tail", "a.log", "-f"], "`tail` follows the path without it"),
        (["preview", "a.log", "--startTime=2026-11-22"], "is written -o startTime=2026-11-22"),
        (["check", "a.log", "--max-record-bytes", "5"], "is written -o maxRecordBytes=VALUE"),
        (["check", "a.log", "--where", "level", "=", "ERROR"], "a value with blanks is written in quotes"),
        (["preview", "a.log", "--columns", "a,", "b"], "several names with commas between them"),
        (["presets", "--list"], "without a name, the command lists all"),
        (["vacuum", "a", "--force"], "`pyspark-logs COMMAND --help` lists the arguments"),
    ],
)
def test_wrong_arguments_say_what_to_write(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == REFUSED
    assert message in capsys.readouterr().err


def test_options_that_are_arguments(folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", folder, "-o", "Path=x"]) == REFUSED
    assert "--option 'Path' is an argument of the command; write x without -o" in capsys.readouterr().err
    assert main(["preview", folder, "-o", "preset"]) == REFUSED
    assert "write -o preset=VALUE" in capsys.readouterr().err
    assert main(["convert", folder, *FORMAT, "--to", "s3://bucket/a.parquet"]) == REFUSED
    assert "is not a local path" in capsys.readouterr().err
