"""The code of README.md and of the documentation runs as printed, in the order of each page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.doc_blocks import PAGES, ROOT, RUN, code_blocks

pytest.importorskip("pyspark")
pytest.importorskip("moto.server")

RUNNABLE = [page for page in PAGES if any(b.language in RUN and b.not_run is None for b in code_blocks(page))]


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Results of the selected pages, which one process runs with one Spark session."""
    selected = [item.callspec.params["page"] for item in request.session.items if item.path == request.path]
    from tests.docs.pages_program import RESULT

    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.pages_program", *(str(page.relative_to(ROOT)) for page in selected)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    lines = [line.removeprefix(RESULT) for line in done.stdout.splitlines() if line.startswith(RESULT)]
    assert len(lines) == len(selected), done.stderr[-4000:]
    assert "replaced a statically registered data source" not in done.stderr
    return {result["page"]: result for result in map(json.loads, lines)}


@pytest.mark.spark
@pytest.mark.parametrize("page", RUNNABLE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_blocks_of_a_page_run_in_order(page: Path, results: dict[str, Any]) -> None:
    error = results[page.relative_to(ROOT).as_posix()]["error"]
    assert error is None, error
