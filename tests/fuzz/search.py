"""Searches of a target for an input that breaks it: guided by coverage with atheris, or by random changes without it.

A search of atheris needs a process, which the search ends. Modules are instrumented once, and each search is a fork.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import importlib
import importlib.machinery
import importlib.util
import logging
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".fuzz"
SEED = 1
# Runs of a bounded search of a target: about half a second of processor time, and at least the inputs of its corpus.
RUNS = {
    "apache": 40, "codec": 3000, "commit": 10_000, "content": 2000, "delimited": 45, "detect": 6, "encoding": 6000,
    "file": 20, "glob": 1500, "grok": 45, "json": 40, "json_documents": 400, "keys": 5000, "layout": 1500, "lines": 200,
    "logback": 50, "logfmt": 40, "nginx": 40, "offset": 3000, "options": 400, "preset": 48, "quotes": 300, "regex": 45,
    "schema": 2000, "template": 40, "where": 75, "write": 45,
}  # fmt: skip
# Packages whose coverage guides a search. Instrumenting all of them takes twice the time.
_MEASURED = tuple(
    f"pyspark_logs.{name}" for name in ("formats", "records", "codecs", "layout", "conditions", "jobs", "offsets", "predicates", "schema", "file_content")
)  # fmt: skip
_NOT_MEASURED = "pyspark_logs.formats.presets"  # tables


@dataclass(frozen=True)
class Limit:
    """End of a search.

    Attributes:
        seconds: time of a search that finds other inputs in each run, and keeps interesting ones; 0 for a search without end.
        bounded: True for a search of a fixed number of runs, which tries the same inputs in each run.
    """

    seconds: int = 0
    bounded: bool = False

    def runs(self, target: str) -> int:
        """Returns the number of runs of a bounded search."""
        return RUNS[target]


@dataclass(frozen=True)
class Broken:
    """A target that an input breaks.

    Attributes:
        target: name of the target.
        path: file with the input; None if the search failed without one.
    """

    target: str
    path: Path | None

    def __str__(self) -> str:
        if self.path is None:
            return f"target {self.target}: the search failed without an input"
        raw, name = self.path.read_bytes(), self.path.relative_to(ROOT)
        return (
            f"target {self.target} is broken by an input of {len(raw)} bytes: {name}\n"
            f"  the input in base64: {base64.b64encode(raw).decode()}\n"
            f"  to reproduce it: make fuzz TARGET={self.target} INPUT={name}"
        )


def search_all(targets: list[str], limit: Limit) -> list[Broken]:
    """Searches targets one after another; prints and returns the broken ones."""
    if is_guided := importlib.util.find_spec("atheris") is not None:
        _instrument()
    else:
        print("atheris is not installed: random changes of the corpus, without coverage", flush=True)
    broken = []
    for target in targets:
        print(f"== {target}", flush=True)
        began = _processor_s()
        found = _search_guided(target, limit) if is_guided else _search_at_random(target, limit)
        print(f"   {_processor_s() - began:.1f} seconds of processor time", flush=True)
        if found is not None:
            print(found, flush=True)
            broken.append(found)
    return broken


def _processor_s() -> float:
    return sum(os.times()[:4])  # of this process and its children


def _keep(target: str, kind: str, raw: bytes) -> Path:
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{target}-{kind}-{hashlib.sha1(raw).hexdigest()}"
    path.write_bytes(raw)
    return path


# --- guided by coverage


def _instrument() -> None:
    """Imports the modules whose coverage guides a search."""
    import atheris
    from atheris.import_hook import AtherisSourceFileLoader

    class InstrumentedLoader(importlib.machinery.SourceFileLoader):
        def get_code(self, fullname):
            return AtherisSourceFileLoader(self.name, self.path, True).get_code(fullname)

    import pyspark_logs

    warnings.simplefilter("ignore")
    logging.disable()
    folder = Path(pyspark_logs.__file__).parent
    paths = [path.relative_to(folder.parent).with_suffix("") for path in sorted(folder.rglob("*.py"))]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    measured = [name for name in names if name.startswith(_MEASURED) and not name.startswith(_NOT_MEASURED)]
    with atheris.instrument_imports(
        include=["pyspark_logs"], exclude=sorted({*names} - {*measured}), enable_loader_override=False
    ):
        from tests.support import interpreted

        interpreted.LOADER = InstrumentedLoader
        interpreted.interpreted_machines()
        for name in measured:
            if not name.startswith("pyspark_logs.formats.compiled."):  # most of them are shared libraries
                importlib.import_module(name)


def _search_guided(target: str, limit: Limit) -> Broken | None:
    with tempfile.TemporaryDirectory() as folder:
        artifacts = Path(folder, "artifacts")
        artifacts.mkdir()
        status = _in_fork(lambda: _fuzz(target, limit, Path(folder)))
        if status == 0:
            return None
        # libFuzzer also leaves the inputs that took longest, which are no faults.
        names = sorted(path.name for path in artifacts.iterdir() if not path.name.startswith("slow-unit-"))
        for name in names:
            return Broken(target, _keep(target, name.partition("-")[0], (artifacts / name).read_bytes()))
    return Broken(target, None)


def _fuzz(target: str, limit: Limit, folder: Path) -> None:
    """Runs libFuzzer, which ends the process. See https://llvm.org/docs/LibFuzzer.html#options."""
    import atheris

    from tests.fuzz.targets import CORPUS, TARGETS

    if limit.bounded:
        # An input takes longer on a busy machine, which is no fault.
        bounds, kept = [f"-seed={SEED}", f"-runs={limit.runs(target)}", "-timeout=600"], folder / "kept"
    else:
        bounds, kept = [f"-max_total_time={limit.seconds}", "-timeout=20"], KEPT / target
    kept.mkdir(parents=True, exist_ok=True)
    arguments = ["fuzz", *bounds, "-max_len=2048", "-rss_limit_mb=3000", "-print_final_stats=0",
                 f"-artifact_prefix={folder}/artifacts/", str(kept), str(CORPUS / target)]  # fmt: skip
    atheris.Setup(arguments, TARGETS[target])
    atheris.Fuzz()


def _in_fork(work: Callable[[], object]) -> int:
    """Returns the exit status of a fork of this process that does the work."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        _end(work)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _end(work: Callable[[], object]) -> NoReturn:
    """Does the work of a fork, and ends it as C does: libFuzzer writes the input after an error in Python at this moment."""
    status = 1
    try:
        work()
        status = 0
    except SystemExit as end:
        status = 1 if end.code else 0
    except BaseException:  # noqa: BLE001 - the process ends
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).exit(status)
    os._exit(status)


# --- at random


def _search_at_random(target: str, limit: Limit) -> Broken | None:
    """Runs a target on random changes of its corpus."""
    from tests.fuzz.mutation import mutate
    from tests.fuzz.targets import TARGETS, inputs

    random, raws = Random(SEED if limit.bounded else None), [path.read_bytes() for path in inputs(target)]
    until = time.monotonic() + (limit.seconds or float("inf"))
    count = 0
    while (not limit.bounded or count < limit.runs(target)) and time.monotonic() < until:
        raw = mutate(random, random.choice(raws), random.choice(raws))
        count += 1
        try:
            TARGETS[target](raw)
        except Exception:  # noqa: BLE001 - of any kind
            traceback.print_exc()
            return Broken(target, _keep(target, "crash", raw))
    return None
