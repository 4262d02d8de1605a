"""Single lines of presets, as tests ask for them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from tests.conformance.test_presets_laws import decoded, decoder_of


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type, misc]


def row(preset: str, line: str) -> dict[str, Any]:
    """What is not null of a line that is of the format; a file written in 2026 has it."""
    (found,), (corrupt,) = decoded(decoder_of(preset), preset, line.encode())
    assert not corrupt, line
    return {name: value for name, value in found.items() if value is not None}


def is_corrupt(preset: str, line: str) -> bool:
    return decoded(decoder_of(preset), preset, line.encode())[1] == [True]
