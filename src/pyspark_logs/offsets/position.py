"""The position of a stream, and the one rule by which it moves."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pyspark_logs.offsets.encoding import VERSION, Seen, pack_batch, pack_seen, read_parts
from pyspark_logs.offsets.files import NOTHING, BatchPlan, StreamFile

# The year 1: no file is older.
BEGINNING_MS = -62_135_596_800_000


@dataclass(frozen=True)
class PollRules:
    """What a poll goes by. Milliseconds.

    Attributes:
        window_ms: the distance of the floor: ``lateness_ms``, and the longest time between two listings of everything.
        lateness_ms: how long after its modification time a file may become visible; versions of a file that lie no
            further apart are one.
        settle_ms: files younger than this wait; 0: none does.
        max_files: of a batch; None: no limit.
        max_bytes: of a batch, but one file is taken however large it is; None: no limit.
    """

    window_ms: int
    lateness_ms: int
    settle_ms: int = 0
    max_files: int | None = None
    max_bytes: int | None = None


@dataclass(frozen=True)
class Offset:
    """A position in a stream of files; see the module. Equal offsets have equal dicts.

    Attributes:
        root: names the load paths.
        identity: ``key`` or ``key+etag``: what a file is known by.
        ts_ms: the newest modification time processed.
        floor_ms: nothing older is read.
        from_us: earliest layout time of a file that was listed and not read; None: there was none.
        seen: what was processed, as (second of modification, 64-bit hash), sorted, each hash once.
        batch: the files that were taken to get here.
    """

    root: str
    identity: str
    ts_ms: int
    floor_ms: int
    from_us: int | None = None
    seen: Seen = ()
    batch: BatchPlan = NOTHING

    @classmethod
    def initial(
        cls,
        root: str,
        identity: str,
        *,
        starting: str,
        starting_ms: int | None = None,
        listing: Iterable[StreamFile] = (),
        now_ms: int,
        window_ms: int,
    ) -> Offset:
        """Where a new query begins.

        Args:
            root: names the load paths.
            identity: ``key`` or ``key+etag``.
            starting: ``earliest``: before all files; ``latest``: behind those listed; ``time``: see ``starting_ms``.
            starting_ms: for ``time``: files modified then or later are read.
            listing: for ``latest``: all that is there.
            now_ms: when that was listed.
            window_ms: for ``latest``: see :class:`PollRules`.
        """
        start = cls(root, identity, BEGINNING_MS, BEGINNING_MS)
        if starting == "latest":
            # As if all had been read at once. The position is that of files, not of this clock, which may run ahead.
            start = poll(start, listing, now_ms, PollRules(window_ms, lateness_ms=window_ms))
            return replace(start, batch=NOTHING)
        if starting == "time" and starting_ms is not None:
            return replace(start, ts_ms=min(starting_ms, now_ms), floor_ms=starting_ms)
        return start

    @cached_property
    def seconds(self) -> Mapping[int, int]:
        """``seen``, as hash to second."""
        return {hashed: second for second, hashed in self.seen}

    def to_dict(self) -> dict[str, Any]:
        """The offset as JSON primitives, for a checkpoint."""
        return {
            "v": VERSION,
            "root": self.root,
            "identity": self.identity,
            "ts": self.ts_ms,
            "floor": self.floor_ms,
            # Spark's offsets hold numbers and texts, no nulls.
            "from": "" if self.from_us is None else self.from_us,
            "seen": pack_seen(self.seen),
            "batch": pack_batch(self.batch),
        }

    @classmethod
    def from_dict(cls, value: object, *, root: str, identity: str) -> Offset:
        """The offset that :meth:`to_dict` wrote.

        Args:
            value: from a checkpoint.
            root: of this query.
            identity: of this query.

        Raises:
            OptionError: it is no offset, is damaged, or belongs to another version, root or identity.

        >>> offset = Offset("s3://logs/app", "key", ts_ms=1_000, floor_ms=0, seen=((1, 42),))
        >>> Offset.from_dict(offset.to_dict(), root="s3://logs/app", identity="key") == offset
        True
        """
        return cls(root, identity, *read_parts(value, root, identity))


def poll(offset: Offset, listing: Iterable[StreamFile], now_ms: int, rules: PollRules) -> Offset:
    """The offset behind the next batch; ``offset`` itself if there is nothing to take.

    Args:
        offset: where the stream is.
        listing: files that are there, in any order. Those under a layout time before :func:`lowest_layout_us` may be
            left out; files that were read may be among them.
        now_ms: when the listing began.
        rules: window and limits.

    Returns:
        The new offset. Its ``batch`` has the files taken, and neither columns nor slack, which are not known here.
    """
    unread = sorted(_unread(offset, listing, rules).items(), key=lambda item: _order(item[1]))
    ready = [item for item in unread if _is_settled(item[1], now_ms, rules)]
    taken = ready[: _most(ready, rules)]
    if not taken:
        return offset
    hashes = {hashed for hashed, _ in taken}
    left = [mark for hashed, mark in unread if hashed not in hashes]
    ts_ms = max(offset.ts_ms, min(taken[-1][1].modified_ms, now_ms))
    floor_ms = max(offset.floor_ms, min([ts_ms - rules.window_ms, *(mark.modified_ms for mark in left)]))
    seconds = {**offset.seconds, **{hashed: mark.modified_ms // 1000 for hashed, mark in taken}}
    return Offset(
        offset.root,
        offset.identity,
        ts_ms,
        floor_ms,
        min((mark.layout_start_us for mark in left if mark.layout_start_us is not None), default=None),
        tuple(sorted((s, hashed) for hashed, s in seconds.items() if _same_until_ms(s, rules.lateness_ms) >= floor_ms)),
        BatchPlan(files=tuple(mark for _, mark in taken)),
    )


def is_seen(offset: Offset, mark: StreamFile, lateness_ms: int) -> bool:
    """Whether a file above the floor was processed, in this version or in one that it counts as.

    Args:
        offset: where the stream is.
        mark: a listed file.
        lateness_ms: see :class:`PollRules`.
    """
    return _counts_as_seen(offset, _hash(mark, offset.identity), mark, lateness_ms)


def lowest_layout_us(
    offset: Offset, previous_poll_ms: int | None, lateness_us: int, slack_us: int, settle_us: int = 0
) -> int | None:
    """The layout time from which prefixes must be listed, lest a fresh file is missed.

    Args:
        offset: where the stream is.
        previous_poll_ms: when the listing of this query began that was polled last with this offset, or led to it;
            None: not since the query started.
        lateness_us: how long after its modification time a file may become visible.
        slack_us: how far before its modification time a file's layout interval may end.
        settle_us: files younger than this were left by that poll without a trace in the offset.

    Returns:
        Microseconds since the epoch; None: everything must be listed. Files under earlier layout times are found
        by listings of everything: the first one after a start, and one in each interval that the window allows for.
    """
    reached_ms = max(offset.ts_ms, BEGINNING_MS if previous_poll_ms is None else previous_poll_ms)
    if reached_ms == BEGINNING_MS:
        return None
    fresh_us = reached_ms * 1000 - lateness_us - settle_us - slack_us
    return fresh_us if offset.from_us is None else min(offset.from_us, fresh_us)


def _unread(offset: Offset, listing: Iterable[StreamFile], rules: PollRules) -> dict[int, StreamFile]:
    """By hash; of a file that is listed twice, while it was overwritten, the newer version."""
    found: dict[int, StreamFile] = {}
    for mark in listing:
        if mark.modified_ms >= offset.floor_ms:
            hashed = _hash(mark, offset.identity)
            if not _counts_as_seen(offset, hashed, mark, rules.lateness_ms):
                found[hashed] = max(mark, found.get(hashed, mark), key=_order)
    return found


def _counts_as_seen(offset: Offset, hashed: int, mark: StreamFile, lateness_ms: int) -> bool:
    second = offset.seconds.get(hashed)
    return second is not None and mark.modified_ms <= _same_until_ms(second, lateness_ms)


def _order(mark: StreamFile) -> tuple[int, str, str]:
    return mark.modified_ms, mark.key, mark.etag


def _is_settled(mark: StreamFile, now_ms: int, rules: PollRules) -> bool:
    # Without settle files are taken as they come, those that are dated ahead, too.
    return rules.settle_ms == 0 or mark.modified_ms <= now_ms - rules.settle_ms


def _most(ready: list[tuple[int, StreamFile]], rules: PollRules) -> int:
    """How many of the files the limits allow."""
    most = len(ready) if rules.max_files is None else min(rules.max_files, len(ready))
    if rules.max_bytes is None:
        return most
    sizes = itertools.accumulate(mark.size for _, mark in ready[:most])
    return min(most, max(1, sum(size <= rules.max_bytes for size in sizes)))


def _same_until_ms(second: int, lateness_ms: int) -> int:
    """Up to when a version of a file counts as the one that was modified in that second."""
    return second * 1000 + 999 + lateness_ms


def _hash(mark: StreamFile, identity: str) -> int:
    # File systems have names that are not UTF-8; Python spells those with surrogates.
    name = mark.key if identity == "key" else f"{mark.key}\0{mark.etag}"
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
