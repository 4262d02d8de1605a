"""The targets hold for the committed corpus, a few random changes of it, and the inputs of a bounded search.

``make fuzz`` searches longer.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zlib
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import search
from tests.fuzz.mutation import mutate
from tests.fuzz.search import ROOT
from tests.fuzz.targets import CORPUS, TARGETS, inputs
from tests.support.effort import examples

_CHANGED = examples(24)  # inputs of each target
_SLOW = {"detect": 8, "file": 2, "preset": 2}  # targets of which one input takes as long as many of others


def test_each_target_has_a_corpus_of_small_inputs() -> None:
    assert sorted(path.name for path in CORPUS.iterdir()) == sorted(TARGETS)
    assert all(0 < path.stat().st_size <= 2048 for target in TARGETS for path in inputs(target))


@pytest.mark.parametrize("target", TARGETS)
def test_corpus(target: str) -> None:
    paths = inputs(target)
    assert paths
    for path in paths:
        TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_changed_inputs(target: str) -> None:
    raws = [path.read_bytes() for path in inputs(target)]
    random = Random(zlib.crc32(target.encode()))
    for _ in range(max(1, _CHANGED // _SLOW.get(target, 1))):
        raw = mutate(random, random.choice(raws), random.choice(raws))
        try:
            TARGETS[target](raw)
        except Exception as error:
            error.add_note(f"input: {raw!r}") if hasattr(error, "add_note") else None
            raise


def test_bounded_search() -> None:
    """A search guided by coverage, of a fixed number of runs from a fixed seed, so that it does not depend on the machine.

    One process searches all targets, because it takes ten seconds to instrument the modules.
    """
    command = [sys.executable, "-m", "tests.fuzz", "--bounded"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        pytest.fail(f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}", pytrace=False)
    assert done.stdout.count("== ") == len(TARGETS) == len(search.RUNS)


def test_what_a_search_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the target, the file with the input, its bytes, and the command that reproduces it."""
    path = tmp_path / "json-crash-1"
    path.write_bytes(b"{}\xff")
    monkeypatch.setattr(search, "ROOT", tmp_path)
    lines = str(search.Broken("json", path)).split("\n")
    assert lines == [
        "target json is broken by an input of 3 bytes: json-crash-1",
        "  the input in base64: e33/",
        "  to reproduce it: make fuzz TARGET=json INPUT=json-crash-1",
    ]


def test_a_random_search_keeps_the_input_that_breaks_a_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(raw: bytes) -> None:
        assert len(raw) < 3

    monkeypatch.setitem(TARGETS, "json", fail)
    monkeypatch.setattr(search, "KEPT", tmp_path)
    found = [search._search_at_random("json", search.Limit(bounded=True)) for _ in range(2)]
    assert found[0] is not None
    assert found[0] == found[1]
    assert found[0].path.parent == tmp_path
    assert len(found[0].path.read_bytes()) >= 3


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_a_guided_search_keeps_the_input_that_breaks_a_target(tmp_path: Path) -> None:
    program = f"""if True:
        import pathlib
        from tests.fuzz import search, targets

        def fail(raw):
            assert len(raw) < 3, "injected"

        targets.TARGETS["lines"] = fail
        search.ROOT = search.KEPT = pathlib.Path({str(tmp_path)!r})
        print(search._search_guided("lines", search.Limit(bounded=True)))
    """
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    (kept,) = tmp_path.iterdir()
    assert f"target lines is broken by an input of {kept.stat().st_size} bytes: {kept.name}\n" in done.stdout
    assert f"make fuzz TARGET=lines INPUT={kept.name}\n" in done.stdout
    assert "AssertionError: injected" in done.stdout + done.stderr
