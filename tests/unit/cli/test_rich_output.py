"""Reports and progress on terminals: with rich, without it, and if there is no terminal."""

from __future__ import annotations

import argparse
import io
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pyspark_logs.api.read_progress import ReadProgress
from pyspark_logs.cli import main
from pyspark_logs.cli.progress import show_progress
from pyspark_logs.cli.rich_output import RichOutput, open_console
from pyspark_logs.store.local import LocalStore
from tests.support.trials import tries

HOSTILE = "[red]a[/red] :smile: \x1b[31m\x9b1m\r\n"
SHOWN = r"[red]a[/red] :smile: \x1b[31m\x9b1m\r\n"


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        """Returns the text without the sequences of rich."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Makes standard output and standard error one terminal. A fixture could not, because pytest sets both before the test."""
    pytest.importorskip("rich")
    stream = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("columns", [2, 40])
def test_tables_fit_the_terminal(width: int, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    rows: list[dict[str, Any]] = [{f"c{n}": "x" * 30 if n % 2 else n for n in range(columns)}, {"c1": "日本" * 9}]
    RichOutput(open_console(terminal, width)).table(rows, list(rows[0]))
    lines = terminal.text().splitlines()
    assert all(sum(1 + (c in "日本") for c in line.rstrip()) <= width for line in lines)
    assert lines[0].split()[:2] == ["c0", "c1"]
    assert ("more columns" in lines[-1]) == (columns == 40)


@tries("markup of rich and escape sequences in rows and reports on a terminal", "shown as text")
def test_text_of_data_is_no_markup_and_no_escape_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    output = RichOutput(open_console(terminal, 80))
    output.line(HOSTILE)
    output.table([{HOSTILE: HOSTILE}], [HOSTILE])
    output.pairs([(HOSTILE, HOSTILE)])
    assert terminal.text().count(SHOWN) == 5
    assert not {"\x9b", "\r"} & set(terminal.getvalue())


def test_a_command_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["presets", "cri"]) == 0
    lines = terminal.text().splitlines()
    assert [line.split() for line in lines[2:5]] == [["column", "type"], ["─" * 20], ["timestamp", "timestamp"]]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("reason", ["no terminal", "TERM=dumb", "no rich"])
def test_plain_text(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    if reason == "no terminal":
        monkeypatch.setattr(terminal, "isatty", lambda: False)
    elif reason == "TERM=dumb":
        monkeypatch.setenv("TERM", "dumb")
    else:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    assert open_console(terminal) is None
    assert main(["presets", "cri"]) == 0
    assert "\x1b" not in terminal.getvalue()
    assert "column     type\ntimestamp  timestamp\n" in terminal.getvalue()


def show(seconds: float, json: bool = False) -> bool:
    """Shows a state of a command, and returns True if there is a terminal for it."""
    with show_progress(argparse.Namespace(command="check", json=json)) as progress:
        if progress is not None:
            progress(ReadProgress(3 << 20, 12 << 20, 1, 1, seconds))
        return progress is not None


def test_progress_has_the_rate_and_the_remaining_time(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    assert show(0.9)
    assert terminal.getvalue() == ""
    assert show(2.0)
    text = terminal.text()
    assert "3.0/12.0 MiB" in text
    assert "1 record, 1 corrupt" in text


def test_progress_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert show(2.0)
    assert "3.0 MiB of 12.0 MiB (1.5 MiB/s, 6.0 s left), 1 record, 1 corrupt" in terminal.text()


@pytest.mark.parametrize("command", ["recover", "vacuum", "jobs", "plan", "detect", "preview", "check"])
def test_a_command_that_waits_for_the_store_shows_its_requests(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = open_terminal(monkeypatch)
    (tmp_path / "app.log").write_text("INFO started\n")
    monkeypatch.setattr("pyspark_logs.cli.progress._PATIENCE_S", 0.0)
    monkeypatch.setattr("pyspark_logs.cli.progress._INTERVAL_S", 0.001)
    shown = threading.Event()
    write, list_page = terminal.write, LocalStore.list_page

    def watch(text: str) -> int:
        if re.search(rf"{command}: .*LIST.* requests?, \d+ s", text):
            shown.set()
        return write(text)

    def list_slowly(*arguments: Any, **options: Any) -> Any:
        page = list_page(*arguments, **options)
        shown.wait(30)
        return page

    monkeypatch.setattr(terminal, "write", watch)
    monkeypatch.setattr(LocalStore, "list_page", list_slowly)
    main([command, str(tmp_path), *(["--preset", "cri"] if command in ("plan", "preview", "check") else [])])
    assert shown.is_set()
    assert terminal.getvalue().rindex("\r\x1b[K") > terminal.getvalue().rindex(" s\r")  # erased
    assert "pyspark-logs-progress" not in {thread.name for thread in threading.enumerate()}


def test_no_progress_in_pipes_and_with_json(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = open_terminal(monkeypatch)
    assert not show(2.0, json=True)
    monkeypatch.setattr(terminal, "isatty", lambda: False)
    assert not show(2.0)
    assert terminal.getvalue() == ""
