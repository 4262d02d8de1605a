"""The position of a stream and the rule by which a poll advances it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pyspark_logs.offsets.encoding import VERSION, Seen, pack_batch, pack_seen, read_parts
from pyspark_logs.offsets.files import EMPTY_BATCH, BatchPlan, FullListing, StreamFile

# Start of the year 1, before the modification time of any file.
BEGINNING_MS = -62_135_596_800_000


@dataclass(frozen=True)
class PollRules:
    """Window and limits of a poll.

    Attributes:
        window_ms: distance of the floor from the position: ``lateness_ms`` plus the longest time between two full listings.
        lateness_ms: maximum time between a file's modification and the moment at which it becomes visible. Versions of a
            file whose modification times are at most this far apart count as one.
        settle_ms: minimum age of a file; 0 takes files of any age.
        max_files: maximum number of files in a batch; None for no limit.
        max_bytes: maximum stored size of a batch; a batch has at least one file, however large. None for no limit.
    """

    window_ms: int
    lateness_ms: int
    settle_ms: int = 0
    max_files: int | None = None
    max_bytes: int | None = None


@dataclass(frozen=True)
class Offset:
    """A position in a stream of files; see the package. Equal offsets have equal dicts.

    Attributes:
        root: identification of the load paths.
        identity: ``key`` or ``key+etag``, the identity of a file.
        ts_ms: newest modification time processed, milliseconds since the epoch.
        floor_ms: lower bound of the modification times that are still read.
        from_us: earliest layout time, in microseconds since the epoch, of a file that was listed and not taken; None if
            all were taken.
        seen: processed files as (second of modification, 64-bit hash), sorted, each hash once.
        batch: files of the batch that ends at this offset.
        full_listing: last full listing whose files the offset accounts for; None if there was none.
    """

    root: str
    identity: str
    ts_ms: int
    floor_ms: int
    from_us: int | None = None
    seen: Seen = ()
    batch: BatchPlan = EMPTY_BATCH
    full_listing: FullListing | None = None

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
        """Returns the offset at which a new query starts.

        Args:
            root: identification of the load paths.
            identity: ``key`` or ``key+etag``.
            starting: ``earliest`` for the offset before all files, ``latest`` for the offset after the listed files, or
                ``time`` for ``starting_ms``.
            starting_ms: earliest modification time that is read, for ``time``.
            listing: all existing files, for ``latest``.
            now_ms: time at which the listing began, milliseconds since the epoch.
            window_ms: window of the poll, for ``latest``; see :class:`PollRules`.
        """
        start = cls(root, identity, BEGINNING_MS, BEGINNING_MS)
        if starting == "latest":
            # Equals the offset after one batch of all files: the position follows the files, not this clock, which may be
            # ahead of the store's.
            start = poll(start, listing, now_ms, PollRules(window_ms, lateness_ms=window_ms))
            return replace(start, batch=EMPTY_BATCH)
        if starting == "time" and starting_ms is not None:
            return replace(start, ts_ms=min(starting_ms, now_ms), floor_ms=starting_ms)
        return start

    @property
    def is_initial(self) -> bool:
        """True if no file has been processed up to this offset."""
        return not self.seen and not self.batch.files

    @cached_property
    def seconds(self) -> Mapping[int, int]:
        """Mapping of ``seen`` from hash to second."""
        return {hashed: second for second, hashed in self.seen}

    def to_dict(self) -> dict[str, Any]:
        """Returns the offset as JSON primitives, for a checkpoint."""
        return {
            "v": VERSION,
            "root": self.root,
            "identity": self.identity,
            "ts": self.ts_ms,
            "floor": self.floor_ms,
            # Spark's offsets hold numbers and strings, but no nulls.
            "from": "" if self.from_us is None else self.from_us,
            "seen": pack_seen(self.seen),
            "batch": pack_batch(self.batch),
            "full": "" if self.full_listing is None else self.full_listing.started_ms,
            "took": "" if self.full_listing is None else self.full_listing.took_ms,
        }

    @classmethod
    def from_dict(cls, value: object, *, root: str, identity: str) -> Offset:
        """Returns the offset that :meth:`to_dict` encoded.

        Args:
            value: offset from a checkpoint.
            root: root of this query.
            identity: identity of files in this query.

        Raises:
            OptionError: the value is not an offset, is damaged, or belongs to another version, root or identity.

        >>> offset = Offset("s3://logs/app", "key", ts_ms=1_000, floor_ms=0, seen=((1, 42),))
        >>> Offset.from_dict(offset.to_dict(), root="s3://logs/app", identity="key") == offset
        True
        """
        return cls(root, identity, *read_parts(value, root, identity))


def poll(offset: Offset, listing: Iterable[StreamFile], now_ms: int, rules: PollRules) -> Offset:
    """Returns the offset after the next batch, or ``offset`` itself if no file is new.

    Args:
        offset: current offset.
        listing: existing files in any order. Files under a layout time before :func:`lowest_layout_us` may be missing;
            processed files may be included.
        now_ms: time at which the listing began, milliseconds since the epoch.
        rules: window and limits.

    Returns:
        New offset whose ``batch`` holds the files taken; the caller adds the batch's columns and slack.
    """
    unread = sorted(_unread(offset, listing, rules).items(), key=lambda item: _order(item[1]))
    ready = [item for item in unread if _is_settled(item[1], now_ms, rules)]
    taken = ready[: _batch_size(ready, rules)]
    if not taken:
        return offset
    hashes = {hashed for hashed, _ in taken}
    left = [file for hashed, file in unread if hashed not in hashes]
    ts_ms = max(offset.ts_ms, min(taken[-1][1].modified_ms, now_ms))
    floor_ms = max(offset.floor_ms, min([ts_ms - rules.window_ms, *(file.modified_ms for file in left)]))
    seconds = {**offset.seconds, **{hashed: file.modified_ms // 1000 for hashed, file in taken}}
    return Offset(
        offset.root,
        offset.identity,
        ts_ms,
        floor_ms,
        min((file.layout_start_us for file in left if file.layout_start_us is not None), default=None),
        tuple(
            sorted(
                (s, hashed) for hashed, s in seconds.items() if _same_version_until_ms(s, rules.lateness_ms) >= floor_ms
            )
        ),
        BatchPlan(files=tuple(file for _, file in taken)),
        offset.full_listing,
    )


def is_seen(offset: Offset, file: StreamFile, lateness_ms: int) -> bool:
    """True if a file above the floor was processed, in this version or in one that counts as the same.

    Args:
        offset: current offset.
        file: listed file.
        lateness_ms: see :class:`PollRules`.
    """
    return _counts_as_seen(offset, _hash(file, offset.identity), file, lateness_ms)


def lowest_layout_us(
    offset: Offset, previous_poll_ms: int | None, lateness_us: int, slack_us: int, settle_us: int = 0
) -> int | None:
    """Returns the layout time from which prefixes must be listed to find every new file.

    Args:
        offset: current offset.
        previous_poll_ms: time at which the last listing of this query began, milliseconds since the epoch; None if the
            query has not listed since it started.
        lateness_us: maximum time between a file's modification and the moment at which it becomes visible.
        slack_us: maximum time between the end of a file's layout interval and its modification.
        settle_us: minimum age of files in the previous poll; younger files were skipped and are not in the offset.

    Returns:
        Microseconds since the epoch; None if all prefixes must be listed. Files under earlier layout times are found by
        full listings: the first one after a start, and one per interval that the window includes.
    """
    reached_ms = max(offset.ts_ms, BEGINNING_MS if previous_poll_ms is None else previous_poll_ms)
    if reached_ms == BEGINNING_MS:
        return None
    fresh_us = reached_ms * 1000 - lateness_us - settle_us - slack_us
    return fresh_us if offset.from_us is None else min(offset.from_us, fresh_us)


def _unread(offset: Offset, listing: Iterable[StreamFile], rules: PollRules) -> dict[int, StreamFile]:
    """Returns unprocessed files by hash; of a file listed twice because it was overwritten, the newer version."""
    found: dict[int, StreamFile] = {}
    for file in listing:
        if file.modified_ms >= offset.floor_ms:
            hashed = _hash(file, offset.identity)
            if not _counts_as_seen(offset, hashed, file, rules.lateness_ms):
                found[hashed] = max(file, found.get(hashed, file), key=_order)
    return found


def _counts_as_seen(offset: Offset, hashed: int, file: StreamFile, lateness_ms: int) -> bool:
    second = offset.seconds.get(hashed)
    return second is not None and file.modified_ms <= _same_version_until_ms(second, lateness_ms)


def _order(file: StreamFile) -> tuple[int, str, str]:
    return file.modified_ms, file.key, file.etag


def _is_settled(file: StreamFile, now_ms: int, rules: PollRules) -> bool:
    # With settle=0, files with a modification time in the future are taken, too.
    return rules.settle_ms == 0 or file.modified_ms <= now_ms - rules.settle_ms


def _batch_size(ready: list[tuple[int, StreamFile]], rules: PollRules) -> int:
    """Returns the number of files that the limits allow in a batch."""
    most = len(ready) if rules.max_files is None else min(rules.max_files, len(ready))
    if rules.max_bytes is None:
        return most
    sizes = itertools.accumulate(file.size for _, file in ready[:most])
    return min(most, max(1, sum(size <= rules.max_bytes for size in sizes)))


def _same_version_until_ms(second: int, lateness_ms: int) -> int:
    """Returns the latest modification time of versions that count as the one modified in a second."""
    return second * 1000 + 999 + lateness_ms


def _hash(file: StreamFile, identity: str) -> int:
    # File names that are not UTF-8 hold surrogates in Python (PEP 383).
    name = file.key if identity == "key" else f"{file.key}\0{file.etag}"
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
