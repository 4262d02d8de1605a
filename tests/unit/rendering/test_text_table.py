"""Tables for a terminal."""

from __future__ import annotations

import pytest

from pyspark_logs.rendering.text_table import table


@pytest.mark.parametrize("width", [20, 40, 60, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    rows = [{"a": "x" * 100, "b": 1, "c": None, "d": "日本" * 20, "e\n": "\t"}]
    for line in table(rows, list(rows[0]), width):
        assert sum(2 if "日" <= c <= "本" else 1 for c in line) <= width
