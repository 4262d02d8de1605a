"""Completion: values of options, and the shells that are installed."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

import pyspark_logs
from pyspark_logs.cli import build_parser
from pyspark_logs.cli.completion import _actions, _completer, complete_option
from pyspark_logs.options import OPTIONS
from pyspark_logs.preset_listing import list_presets

argcomplete = pytest.importorskip("argcomplete")

# A tab after a beginning that has one completion. The shell adds what is missing, and a space unless a value follows.
TYPED = (
    "pyspark-logs preview lo\t --format c\t --preset haproxy_ht\t -o requesterP\ttr\t -o mode=DROP\t -o timeZone=Europe/Be\trlin\t"
    " -o auditPath=./au\t"
)
COMPLETED = [
    "preview", "logs.txt", "--format", "csv", "--preset", "haproxy_http", "-o", "requesterPays=true", "-o", "mode=DROPMALFORMED",
    "-o", "timeZone=Europe/Berlin", "-o", "auditPath=./audit/",
]  # fmt: skip
START = {
    "bash": (["--noprofile", "--rcfile", "setup", "-i"], ""),
    "zsh": (["-i"], "autoload -U compinit; compinit -u -D\n"),
    "fish": (["--private", "--init-command", "source setup"], ""),
}


def found(text: str) -> list[str]:
    return list(complete_option(text, lambda prefix: [f"{prefix}x"]))


def test_names_and_values_of_options() -> None:
    assert found("COMP") == ["compression=", "compressionLevel="]
    assert found("json=") == ["json=true", "json=false"]
    assert found("Header=") == ["Header=none", "Header=first", "Header=fields"]
    assert {f"preset={preset.name}" for preset in list_presets()} == set(found("preset="))
    assert "timeZone=Asia/Kathmandu" in found("timeZone=")
    assert found("startingPosition=") == ["startingPosition=earliest", "startingPosition=latest"]
    assert found("badRecordsPath=b") == ["badRecordsPath=bx"]
    assert found("template=") == found("nothing=") == []


def test_descriptions_are_plain_text() -> None:
    texts = [*complete_option("", list).values(), *complete_option("preset=", list).values()]
    assert len(texts) > len(OPTIONS)
    assert not [text for text in texts if not text or "`" in text or "](" in text or "\n" in text]


def test_the_values_that_the_table_names_are_accepted() -> None:
    for option in OPTIONS:
        assert [option.parse(option.name, word) for word in option.choices] == [
            {"true": True, "false": False}.get(word, word) for word in option.choices
        ]


def test_each_argument_is_completed_by_a_path_or_its_values() -> None:
    """An argument that is no path offers no files."""

    def values(action: argparse.Action) -> object:
        if action.choices is not None:
            return "choices"
        completer = _completer(action, lambda prefix, **_: ["files"])
        return next(iter(completer(prefix="", action=action)), None)

    actions = list(_actions(build_parser()))
    kinds = {action.dest: values(action) for action in actions if action.nargs != 0}
    assert {name for name, kind in kinds.items() if kind == "files"} == {
        "path", "file", "root", "to", "checkpoint", "data",
    }  # fmt: skip
    assert {name for name, kind in kinds.items() if kind == "choices"} == {"format", "code"}
    assert kinds["query"] == "latest"
    assert kinds["option"] == "template="
    assert kinds["preset"] == kinds["name"] == list_presets()[0].name
    assert {name for name, kind in kinds.items() if kind is None} == {
        "rows", "limit", "where", "columns", "template", "interval", "older_than", "job", "port",
    }  # fmt: skip


@pytest.mark.parametrize("shell", [shell for shell in START if shutil.which(shell)])
def test_a_shell_completes_what_is_typed(shell: str, tmp_path: Path) -> None:
    arguments, setup = START[shell]
    (tmp_path / "logs.txt").touch()
    (tmp_path / "audit").mkdir()
    command = tmp_path / "bin" / "pyspark-logs"
    command.parent.mkdir()
    command.write_text(
        f"#!{sys.executable}\nimport json, os, pathlib, sys\n"
        f"sys.path.insert(0, {str(Path(pyspark_logs.__file__).parents[1])!r})\n"
        "from pyspark_logs.cli import main\n"
        "if '_ARGCOMPLETE' in os.environ:\n    main()\n"
        "pathlib.Path('typed.tmp').write_text(json.dumps(sys.argv[1:]))\n"
        "pathlib.Path('typed.tmp').rename('typed.json')\n"
    )
    command.chmod(0o755)
    code = argcomplete.shellcode(["pyspark-logs"], shell="fish" if shell == "fish" else "bash")
    (tmp_path / ("setup" if shell != "zsh" else ".zshrc")).write_text(setup + code)
    environment = {
        **os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path), "TERM": "xterm",
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    assert typed(shutil.which(shell), arguments, environment, tmp_path) == COMPLETED


def typed(shell: Any, arguments: list[str], environment: dict[str, str], folder: Path) -> list[str]:
    """Types into a shell on a terminal, and returns the arguments that the command gets."""
    ours, theirs = pty.openpty()
    # The terminal controls the session of the shell, which fish requires.
    with subprocess.Popen(
        [shell, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no thread holds a lock that it needs
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            for part in (*TYPED.split("\t"), "\n"):
                os.write(ours, part.encode() + (b"" if part == "\n" else b"\t"))
                shown += quiet_output(ours)
            deadline = time.monotonic() + 30
            while not (folder / "typed.json").exists():
                assert time.monotonic() < deadline, shown.decode(errors="replace")
                shown += quiet_output(ours)
            return json.loads((folder / "typed.json").read_text())
        finally:
            process.kill()
            os.close(ours)


def quiet_output(terminal: int) -> bytes:
    """Reads until a terminal shows nothing more for a while."""
    shown = b""
    while select.select([terminal], [], [], 0.3)[0]:
        try:
            shown += os.read(terminal, 1 << 16)
        except OSError:  # the shell has ended
            return shown
    return shown
