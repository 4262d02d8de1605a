"""The targets hold for the committed corpus, and for a few random changes of it: ``make fuzz`` searches longer."""

from __future__ import annotations

import zlib
from random import Random

import pytest

from tests.fuzz.mutation import mutate
from tests.fuzz.targets import CORPUS, TARGETS, inputs
from tests.support.effort import examples

_CHANGED = examples(24)  # inputs of each target
_SLOW = {"detect": 8, "file": 2, "preset": 2}  # targets of which one input takes as long as many of others


def test_each_target_has_a_corpus_of_small_inputs() -> None:
    assert sorted(path.name for path in CORPUS.iterdir()) == sorted(TARGETS)
    assert all(0 < path.stat().st_size <= 2048 for target in TARGETS for path in inputs(target))


@pytest.mark.parametrize("target", TARGETS)
def test_corpus(target: str) -> None:
    paths = inputs(target)
    assert paths
    for path in paths:
        TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_changed_inputs(target: str) -> None:
    raws = [path.read_bytes() for path in inputs(target)]
    random = Random(zlib.crc32(target.encode()))
    for _ in range(max(1, _CHANGED // _SLOW.get(target, 1))):
        raw = mutate(random, random.choice(raws), random.choice(raws))
        try:
            TARGETS[target](raw)
        except Exception as error:
            error.add_note(f"input: {raw!r}") if hasattr(error, "add_note") else None
            raise
