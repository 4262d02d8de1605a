"""Damaged and random files: detection returns candidates or raises a ``LogSourceError``, never another error."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.detection.proposal import propose_templates
from pyspark_logs.errors import LogSourceError
from pyspark_logs.formats.presets import PRESETS
from tests.support.effort import examples

# A run of detect() tries all formats, which takes some tenths of a second; proposals alone take milliseconds.
_FILES, _PROPOSALS = examples(8), examples(150)

samples = st.sampled_from(
    [line for preset in PRESETS.values() for line in preset.sample if len(line) < 600]
    + [
        "2026-11-22 01:00:11,045 [main] user=17 INFO acme.Cart: order 1399 accepted",
        "1795305611.25 t=3ms u=- v=3.2 w",
        '[x] (y) <3> "q" a|b|c|d',
    ]
)
junk = st.sampled_from(["?? junk", "", " ", "}", '"', "\x00", "\x1b[0m", "é", "{", "["])


@st.composite
def damaged_lines(draw: st.DrawFn) -> list[str]:
    """Lines of a format, of which some are cut, extended or replaced."""
    line = draw(samples)
    lines = [line] * draw(st.sampled_from([1, 2, 5, 40]))
    for _ in range(draw(st.integers(0, 3))):
        index, cut = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(line)))
        text = lines[index]
        lines[index] = draw(
            st.sampled_from(
                [text[:cut], text[cut:], text[:cut] + draw(junk) + text[cut:], draw(junk), text + draw(samples)[:cut]]
            )
        )
    return lines


@settings(max_examples=_PROPOSALS, deadline=None)
@given(damaged_lines())
def test_proposals_for_damaged_lines(lines: list[str]) -> None:
    assert all(isinstance(template, str) for template in propose_templates(lines))


@settings(max_examples=_FILES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged_lines(), st.binary(max_size=40), st.booleans())
def test_files_of_damaged_lines_and_bytes(tmp_path: Path, lines: list[str], data: bytes, is_binary: bool) -> None:
    text = b"" if is_binary else "\n".join(lines).encode()
    (tmp_path / "a.log").write_bytes(text[: len(text) // 2] + data + text[len(text) // 2 :])
    with contextlib.suppress(LogSourceError):
        for candidate in pyspark_logs.detect(tmp_path / "a.log"):
            assert 0 < candidate.share <= 1
            assert candidate.columns
