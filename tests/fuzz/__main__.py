"""Searches for inputs that break a target, guided by coverage: ``make fuzz TARGET=template SECONDS=60``.

Without the package atheris, for which there are wheels for Linux, the changes are random. The search starts from the corpus and the
inputs that earlier searches kept in ``.fuzz/<target>``. An input that breaks the target is written to ``.fuzz`` and shown.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import logging
import subprocess
import sys
import time
import warnings
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).parent / "corpus"
KEPT = ROOT / ".fuzz"


def search(target: str, seconds: int) -> None:
    """Searches in this process, which ends with the search."""
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: random changes of the corpus, without coverage", flush=True)
        search_at_random(target, seconds)
        sys.exit(0)
    import atheris  # instruments modules while they are imported
    from atheris.import_hook import AtherisSourceFileLoader

    warnings.simplefilter("ignore")
    logging.disable()
    with atheris.instrument_imports(include=["pyspark_logs"], enable_loader_override=False):
        from tests.support import interpreted

        class InstrumentedLoader(importlib.machinery.SourceFileLoader):
            def get_code(self, fullname):
                return AtherisSourceFileLoader(self.name, self.path, True).get_code(fullname)

        interpreted.LOADER = InstrumentedLoader
        from tests.fuzz.targets import TARGETS

        run = TARGETS[target]
        for path in sorted((CORPUS / target).glob("*"))[:20]:  # modules that are imported on first use
            run(path.read_bytes())
    kept = KEPT / target
    kept.mkdir(parents=True, exist_ok=True)
    arguments = ["fuzz", f"-max_total_time={seconds}", "-max_len=2048", "-timeout=20", "-rss_limit_mb=3000", "-print_final_stats=0",
                 f"-artifact_prefix={KEPT}/{target}-", str(kept), str(CORPUS / target)]  # fmt: skip
    atheris.Setup(arguments, run)
    atheris.Fuzz()


def search_at_random(target: str, seconds: int) -> None:
    """Runs a target on random changes of its corpus."""
    from tests.fuzz.mutation import mutate
    from tests.fuzz.targets import TARGETS, inputs

    random, raws = Random(), [path.read_bytes() for path in inputs(target)]
    until = time.monotonic() + (seconds or float("inf"))
    while time.monotonic() < until:
        raw = mutate(random, random.choice(raws), random.choice(raws))
        try:
            TARGETS[target](raw)
        except Exception:
            print(f"input: {raw!r}", flush=True)
            raise


def main() -> int:
    """Searches the targets one after another; returns 1 if a target is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="directories of the corpus; all by default")
    parser.add_argument("--seconds", type=int, default=0, help="for each target; 0: until interrupted")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    known = sorted(path.name for path in CORPUS.iterdir())
    targets = given.targets or known
    if unknown := set(targets) - set(known):
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(known)}")
    if given.here:
        search(targets[0], given.seconds)
    broken = []
    for target in targets:
        print(f"== {target}", flush=True)
        command = [sys.executable, "-m", "tests.fuzz", target, "--here", "--seconds", str(given.seconds)]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            broken.append(target)
    print(f"broken: {', '.join(broken)}" if broken else "no target is broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
