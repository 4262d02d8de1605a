"""Single lines of presets, as tests ask for them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from tests.conformance.test_presets_laws import decoded, decoder_of


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type, misc]


def row(preset: str, line: str) -> dict[str, Any]:
    """Returns the values that are not null of a line that matches, in a file modified in 2026."""
    (found,), (corrupt,) = decoded(decoder_of(preset), preset, line.encode())
    assert not corrupt, line
    return {name: value for name, value in found.items() if value is not None}


def is_corrupt(preset: str, line: str) -> bool:
    return decoded(decoder_of(preset), preset, line.encode())[1] == [True]
