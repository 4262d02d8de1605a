"""The batches of a Spark checkpoint, compared with those that have an audit.

Spark writes the end offsets of a batch to ``<checkpoint>/offsets/<number>`` before the batch runs, one line for each source after
two lines of its own, and creates ``<checkpoint>/commits/<number>`` when the batch is complete. It keeps the last hundred.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pyspark_logs.auditing.comparison import CHAIN, Finding
from pyspark_logs.auditing.documents import PlanRecord, offset_digest, stream_id, stream_identity
from pyspark_logs.errors import PathNotFoundError
from pyspark_logs.store import Store, join
from pyspark_logs.store.parallel import in_parallel

_THREADS = 16


@dataclass(frozen=True)
class CheckpointBatch:
    """A complete batch of a checkpoint, for one source.

    Attributes:
        number: number of the batch.
        query: id of the source's stream in an audit.
        start: digest of the offset before the batch.
        end: digest of the offset after the batch.
    """

    number: int
    query: str
    start: str
    end: str


def read_checkpoint(store: Store, checkpoint: str) -> list[CheckpointBatch]:
    """Returns the complete batches of a checkpoint that have data of this package's sources.

    Args:
        store: store of the checkpoint.
        checkpoint: normalised ``checkpointLocation``.

    Raises:
        PathNotFoundError: the directory is not a checkpoint, or is empty.
        StoreError: the store refused or failed.
    """
    numbers = sorted(_numbers(store, join(checkpoint, "offsets/")))
    if not numbers:
        raise PathNotFoundError(
            f"there is no batch in {checkpoint}: expected files in {join(checkpoint, 'offsets/')}. Give the checkpointLocation of"
            " the streaming query"
        )
    texts = in_parallel(lambda number: _read(store, join(checkpoint, f"offsets/{number}")), numbers, _THREADS)
    committed = set(_numbers(store, join(checkpoint, "commits/")))
    return list(parse_batches(dict(zip(numbers, texts, strict=True)), committed))


def parse_batches(texts: Mapping[int, str], committed: set[int]) -> Iterator[CheckpointBatch]:
    """Yields the complete batches with a known start offset and end offset, in their order.

    Args:
        texts: content of the offset files by number.
        committed: numbers of the complete batches.
    """
    offsets = {number: _offsets(texts[number]) for number in sorted(texts)}
    for before, number in pairwise(offsets):
        if number not in committed or number != before + 1:
            continue
        for query, end in offsets[number].items():
            start = offsets[before].get(query)
            if start is not None and start != end:
                yield CheckpointBatch(number, query, start, end)


def compare_checkpoint(batches: Sequence[CheckpointBatch], plans: Sequence[PlanRecord]) -> Iterator[Finding]:
    """Yields the batches of a checkpoint, from the first one with an audit on, that have no audit."""
    audited = {(plan.query, plan.start, plan.end) for plan in plans}
    ends = {(plan.query, plan.end) for plan in plans}
    has_begun: set[str] = set()
    for batch in batches:
        if (batch.query, batch.start, batch.end) in audited:
            has_begun.add(batch.query)
        elif batch.query in has_begun or (batch.query, batch.start) in ends:
            has_begun.add(batch.query)
            yield Finding(CHAIN, "", f"batch {batch.number} of the checkpoint is complete and has no audit")
    for query in sorted({batch.query for batch in batches} - has_begun):
        yield Finding(CHAIN, "", f"no batch of the checkpoint's {query} has an audit here")


def _offsets(text: str) -> dict[str, str]:
    """Returns the digest of each offset of this package by the id of its stream."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        try:
            value: Any = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and isinstance(value.get("root"), str) and isinstance(value.get("identity"), str):
            found[stream_id(stream_identity(value["root"], value["identity"]))] = offset_digest(value)
    return found


def _numbers(store: Store, prefix: str) -> Iterator[int]:
    token: str | None = None
    while True:
        page = store.list_page(prefix, recursive=True, token=token)
        names = (file.path.removeprefix(prefix) for file in page.files)
        yield from (int(name) for name in names if name.isdecimal())
        token = page.next_token
        if token is None:
            return


def _read(store: Store, path: str) -> str:
    return (store.get(path) or b"").decode("utf-8", "replace")
