"""Searches for inputs that break a target, guided by coverage: ``make fuzz TARGET=template SECONDS=60``.

Without the package atheris, for which there are wheels for Linux, the changes are random. The search starts from the corpus and the
inputs that earlier searches kept in ``.fuzz/<target>``. An input that breaks the target is written to ``.fuzz`` and shown.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.fuzz.search import Limit, search_all

CORPUS = Path(__file__).parent / "corpus"


def main() -> int:
    """Searches the targets one after another; returns 1 if a target is broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help="directories of the corpus; all by default")
    parser.add_argument("--seconds", type=int, default=0, help="for each target; 0: until interrupted")
    parser.add_argument("--bounded", action="store_true", help="search as the tests do: the same inputs in each run")
    parser.add_argument("--input", type=Path, help="run one target on the input in this file, and search nothing")
    given = parser.parse_args()
    known = sorted(path.name for path in CORPUS.iterdir())
    targets = given.targets or known
    if unknown := set(targets) - set(known):
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(known)}")
    if given.input is not None:
        if len(given.targets) != 1:
            parser.error("--input needs the name of one target")
        from tests.fuzz.targets import TARGETS

        TARGETS[targets[0]](given.input.read_bytes())
        print(f"{given.input} does not break {targets[0]}")
        return 0
    if given.bounded and os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets, which the coverage of some inputs depends on.
        command = [sys.executable, "-m", "tests.fuzz", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, "PYTHONHASHSEED": "0"})
    broken = search_all(targets, Limit(given.seconds, given.bounded))
    print(f"broken: {', '.join(found.target for found in broken)}" if broken else "no target is broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
