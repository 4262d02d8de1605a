"""Amount of work of tests that draw examples or generate large inputs.

``make test`` runs a fifth of the examples, inputs of an eighth of the length, and a part of long searches; ``make test-all``
sets ``TEST_EFFORT=full``.
Hypothesis takes ``--hypothesis-seed`` to draw other examples, and ``TEST_EFFORT=10`` draws ten times as many.
"""

from __future__ import annotations

import os

_EFFORT = os.environ.get("TEST_EFFORT", "bounded")
_FACTOR = {"bounded": 1 / 5, "full": 1.0}.get(_EFFORT) or float(_EFFORT)


def examples(full: int) -> int:
    """Returns the number of examples of a property for which a full run draws ``full``."""
    return max(5, round(full * _FACTOR))


def length(full: int) -> int:
    """Returns the length of a long input, which has ``full`` bytes in a full run."""
    return full if _FACTOR >= 1 else full // 8


def extent(*, bounded: int, full: int) -> int:
    """Returns the extent of a search: ``full`` in a full run, otherwise ``bounded``."""
    return full if _FACTOR >= 1 else bounded
