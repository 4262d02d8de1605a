"""Writes the tables of docs/promises.md from the tests: what they try, in how many cases, and the outcome.

python scripts/promises_page.py
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "promises.md"
_FAILURES = (
    "tests.unit.store.test_s3_retries",
    "tests.unit.store.test_s3_read_faults",
    "tests.unit.store.test_s3_credentials",
    "tests.unit.store.test_s3_network",
    "tests.unit.codecs.test_exhaustion",
)
_SPARK = (
    "tests.spark.test_cluster_faults", "tests.spark.test_writing", "tests.spark.test_write_crashes", "tests.spark.test_stream_crashes",
    "tests.spark.test_secrets",
)  # fmt: skip
_HOSTILE = (
    "tests.unit.test_hostile_input", "tests.unit.store.test_local", "tests.unit.records.test_quoting", "tests.unit.cli.test_reading",
    "tests.unit.cli.test_rich_output", "tests.unit.commit.test_untrusted_documents",
)  # fmt: skip


def faults() -> str:
    """Returns the table of the faults that are injected at random, and the numbers of cases."""
    from tests.support.faults import FAULTS
    from tests.support.trials import cases_of

    module, servers = (importlib.import_module(f"tests.{name}.test_faults") for name in ("faults", "servers"))
    each, slow = cases_of(module.test_one_request_in_ten_fails), cases_of(module.test_requests_fail)
    on_servers = cases_of(servers.test_one_request_in_ten_fails) + cases_of(servers.test_three_requests_in_ten_fail)
    rows = [(fault.what, fault.injected, fault.outcome) for fault in FAULTS.values()]
    return (
        f"{_table(('fault', 'injected', 'outcome'), rows)}\n{each} cases in each run of the tests, {slow} in the slow tests, and "
        f"{on_servers} on each of the servers of other programs.\n"
    )


def _trials(modules: tuple[str, ...], first: str) -> str:
    from tests.support.trials import trials

    rows = [
        (trial.tried, trial.outcome, str(trial.cases), f"`{trial.test}`")
        for name in modules
        for trial in trials(importlib.import_module(name))
    ]
    return _table((first, "outcome", "cases", "test"), rows)


def targets() -> str:
    """Returns the table of the targets of the fuzzer."""
    from tests.fuzz.targets import DESCRIPTIONS, TARGETS, inputs

    rows = [(f"`{name}`", DESCRIPTIONS[name], str(len(inputs(name)))) for name in TARGETS]
    return _table(("target", "promise", "inputs"), rows)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


SECTIONS: dict[str, Callable[[], str]] = {
    "faults": faults,
    "failures": lambda: _trials(_FAILURES, "failure"),
    "faults of Spark": lambda: _trials(_SPARK, "fault"),
    "hostile input": lambda: _trials(_HOSTILE, "input"),
    "targets": targets,
}


def page() -> str:
    """Returns the page: the hand-written text of the file and the generated tables."""
    text = PAGE.read_text(encoding="utf-8")
    for name, write in SECTIONS.items():
        begin, end = f"<!-- {name}: python scripts/promises_page.py -->\n", f"<!-- end of {name} -->\n"
        before, found, rest = text.partition(begin)
        _, also_found, after = rest.partition(end)
        if not (found and also_found):
            raise ValueError(f"{PAGE} must have the lines {begin.strip()} and {end.strip()}")
        text = f"{before}{begin}\n{write()}\n{end}{after}"
    return text


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(page(), encoding="utf-8")
