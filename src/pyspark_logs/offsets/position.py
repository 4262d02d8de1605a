"""The position of a stream and the rule by which a poll advances it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pyspark_logs.offsets.encoding import (
    VERSION,
    VERSION_WITH_KEY,
    Seen,
    pack_batch,
    pack_key,
    pack_seen,
    read_parts,
)
from pyspark_logs.offsets.files import (
    EMPTY_BATCH,
    BatchPlan,
    FullListing,
    StreamFile,
    file_order,
    identity_hash,
    same_version_until_ms,
)

# Start of the year 1, before the modification time of any file.
BEGINNING_MS = -62_135_596_800_000

# Default of PollRules.max_seen: an offset takes about eleven bytes for each file, so less than 1 MB.
MAX_SEEN = 90_000
# Default of PollRules.clock_error_ms. AWS refuses requests that are signed with a clock that differs by more than 15 minutes:
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, RequestTimeTooSkewed.
CLOCK_ERROR_MS = 900_000


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
        max_seen: maximum number of files in ``seen``; None for no limit. Files that would exceed it are taken once no other
            file can become visible at their time or before, because ``seen`` does not need them then.
        clock_error_ms: maximum time by which the clock of this process is ahead of the store's. Only a poll that would
            exceed ``max_seen`` depends on it.
    """

    window_ms: int
    lateness_ms: int
    settle_ms: int = 0
    max_files: int | None = None
    max_bytes: int | None = None
    max_seen: int | None = MAX_SEEN
    clock_error_ms: int = CLOCK_ERROR_MS


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
        floor_key: greatest key of the files at ``floor_ms`` that are not read any more; empty if all of them are read.
        layout: digest of the layout by which files were listed; empty if unknown. With another layout, ``from_us`` and
            ``full_listing`` do not tell which prefixes hold files that are not processed yet.
    """

    root: str
    identity: str
    ts_ms: int
    floor_ms: int
    from_us: int | None = None
    seen: Seen = ()
    batch: BatchPlan = EMPTY_BATCH
    full_listing: FullListing | None = None
    floor_key: str = ""
    layout: str = ""

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
        max_seen: int | None = MAX_SEEN,
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
            max_seen: twice the maximum number of files in ``seen``, for ``latest``; None for no limit. Of more files in the
                window, the newest are kept, and the floor passes the others: files that become visible later with a modification time
                below the floor are not read.
        """
        start = cls(root, identity, BEGINNING_MS, BEGINNING_MS)
        if starting == "latest":
            return _after_all(start, listing, now_ms, PollRules(window_ms, lateness_ms=window_ms, max_seen=max_seen))
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

    @property
    def floor(self) -> tuple[int, str]:
        """Modification time and key up to which files are not read; see ``floor_ms`` and ``floor_key``."""
        return self.floor_ms, self.floor_key

    def to_dict(self) -> dict[str, Any]:
        """Returns the offset as JSON primitives, for a checkpoint."""
        value: dict[str, Any] = {
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
            "layout": self.layout,
        }
        # A release that does not know the key would read files at the floor again, so that it must refuse the offset.
        return {**value, "v": VERSION_WITH_KEY, "floor_key": pack_key(self.floor_key)} if self.floor_key else value

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


def poll(
    offset: Offset, listing: Iterable[StreamFile], now_ms: int, rules: PollRules, *, omitted_ms: int | None = None
) -> Offset:
    """Returns the offset after the next batch, or ``offset`` itself if no file is taken.

    Args:
        offset: current offset.
        listing: existing files in any order. Files under a layout time before :func:`lowest_layout_us` may be missing;
            processed files may be included.
        now_ms: time at which the listing began, milliseconds since the epoch.
        rules: window and limits.
        omitted_ms: earliest modification time of new files that were listed and are not in ``listing``, which must be later
            in the order of modification time and key than all new files in it; None if there are none.

    Returns:
        New offset whose ``batch`` holds the files taken; the caller adds the batch's columns and slack. The batch is empty if
        ``max_seen`` allows none of the files, and the offset holds their layout time so that they are listed again.
    """
    unread = sorted(_unread(offset, listing, rules).items(), key=lambda item: file_order(item[1]))
    # Files with later modification times settle later: those that are ready come first.
    ready = [item for item in unread if _is_settled(item[1], now_ms, rules)]
    count = _batch_size(ready, rules)
    if not count:
        return offset
    after = _take(offset, unread, count, now_ms, rules, omitted_ms)
    if rules.max_seen is None or len(after.seen) <= rules.max_seen:
        return after
    # The store's clock is at least at this time. Files that had not settled were listed and are not in the offset.
    reached_ms = max(offset.ts_ms, now_ms - rules.clock_error_ms - rules.settle_ms)
    closed_ms = reached_ms - rules.window_ms
    floor_ms = max(offset.floor_ms, min(closed_ms, unread[0][1].modified_ms))
    remembered = sum(same_version_until_ms(second, rules.lateness_ms) >= floor_ms for second, _ in offset.seen)
    closed = sum(_is_closed(file, closed_ms, rules) for _, file in ready[:count])
    count = min(count, closed + max(0, rules.max_seen - remembered))
    if count:
        return _take(offset, unread, count, now_ms, rules, omitted_ms, reached_ms)
    from_us = _earliest_layout_us(unread, offset.from_us)
    return offset if from_us == offset.from_us else replace(offset, from_us=from_us, batch=EMPTY_BATCH)


def is_new(offset: Offset, file: StreamFile, lateness_ms: int) -> bool:
    """True if no batch has processed a file, in this version or in one that counts as the same, and the floor is below it.

    Args:
        offset: current offset.
        file: listed file.
        lateness_ms: see :class:`PollRules`.
    """
    return (file.modified_ms, file.key) > offset.floor and not _counts_as_seen(
        offset, identity_hash(file, offset.identity), file, lateness_ms
    )


def is_changed(offset: Offset, file: StreamFile) -> bool:
    """True if a file was modified after the last batch, and an earlier version of it was processed.

    Always false where versions are files of their own (``allowOverwrites``), because the hash of a version contains its etag.

    Args:
        offset: current offset.
        file: listed file.
    """
    if file.modified_ms <= offset.ts_ms:
        return False
    second = offset.seconds.get(identity_hash(file, offset.identity))
    return second is not None and file.modified_ms // 1000 != second


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


def _after_all(start: Offset, listing: Iterable[StreamFile], now_ms: int, rules: PollRules) -> Offset:
    """Returns the offset after one batch of all listed files, without the batch.

    The position follows the files, not the clock of this process, which may be ahead of the store's. Only an offset that
    would exceed ``max_seen`` depends on the clock, as for polls.
    """
    unread = sorted(_unread(start, listing, rules).items(), key=lambda item: file_order(item[1]))
    if not unread:
        return start
    after = replace(_take(start, unread, len(unread), now_ms, rules, None), batch=EMPTY_BATCH)
    # The other half is for new files, which would wait for the old ones to expire.
    limit = len(unread) if rules.max_seen is None else rules.max_seen // 2
    if len(after.seen) <= limit:
        return after
    reached_ms = now_ms - rules.clock_error_ms
    after = replace(_take(start, unread, len(unread), now_ms, rules, None, reached_ms), batch=EMPTY_BATCH)
    kept = [(hashed, file) for hashed, file in unread if hashed in after.seconds]
    passed = [item for item in kept[: max(0, len(kept) - limit)] if item[1].modified_ms <= after.ts_ms]
    if not passed:  # files dated ahead are kept: a floor at their time would hide all files before that time
        return after
    last = passed[-1][1]
    floor_ms, floor_key = max(after.floor, (last.modified_ms, last.key))
    hashes = {hashed for hashed, _ in passed}
    return replace(
        after,
        floor_ms=floor_ms,
        floor_key=floor_key,
        seen=tuple(item for item in after.seen if item[1] not in hashes),
    )


def _take(
    offset: Offset,
    unread: Sequence[tuple[int, StreamFile]],
    count: int,
    now_ms: int,
    rules: PollRules,
    omitted_ms: int | None,
    reached_ms: int = BEGINNING_MS,
) -> Offset:
    """Returns the offset after a batch of the first files that are not read yet.

    Args:
        offset: current offset.
        unread: files that are not read yet, each with its hash, in the order of modification time and key.
        count: number of files to take.
        now_ms: see :func:`poll`.
        rules: see :func:`poll`.
        omitted_ms: see :func:`poll`.
        reached_ms: lower bound of the store's clock at the listing; the position is another one.
    """
    taken, left = unread[:count], unread[count:]
    last = taken[-1][1]
    ts_ms = max(offset.ts_ms, min(last.modified_ms, now_ms))
    # No further file becomes visible with a modification time before this one.
    closed_ms = max(ts_ms, reached_ms) - rules.window_ms
    next_ms = left[0][1].modified_ms if left else omitted_ms
    floor = (closed_ms, "")
    if next_ms is not None and next_ms < closed_ms:
        floor = (next_ms, last.key if last.modified_ms == next_ms else "")
    floor = max(offset.floor, floor)
    seconds = {
        hashed: second for second, hashed in offset.seen if same_version_until_ms(second, rules.lateness_ms) >= floor[0]
    }
    for hashed, file in taken:
        if (file.modified_ms, file.key) > floor or not _is_closed(file, closed_ms, rules):
            seconds[hashed] = file.modified_ms // 1000
        else:
            seconds.pop(hashed, None)
    return Offset(
        offset.root,
        offset.identity,
        ts_ms,
        floor[0],
        _earliest_layout_us(left),
        tuple(sorted((second, hashed) for hashed, second in seconds.items())),
        BatchPlan(files=tuple(file for _, file in taken)),
        offset.full_listing,
        floor[1],
        offset.layout,
    )


def _earliest_layout_us(files: Iterable[tuple[int, StreamFile]], than_us: int | None = None) -> int | None:
    """Returns the earliest layout time of files, or an earlier time; None if there is neither."""
    times = [file.layout_start_us for _, file in files if file.layout_start_us is not None]
    return min(times if than_us is None else [*times, than_us], default=None)


def _is_closed(file: StreamFile, closed_ms: int, rules: PollRules) -> bool:
    """True if no version of a file that counts as this one can become visible any more."""
    return same_version_until_ms(file.modified_ms // 1000, rules.lateness_ms) < closed_ms


def _unread(offset: Offset, listing: Iterable[StreamFile], rules: PollRules) -> dict[int, StreamFile]:
    """Returns unprocessed files by hash; of a file listed twice because it was overwritten, the newer version."""
    found: dict[int, StreamFile] = {}
    for file in listing:
        if (file.modified_ms, file.key) > offset.floor:
            hashed = identity_hash(file, offset.identity)
            if not _counts_as_seen(offset, hashed, file, rules.lateness_ms):
                found[hashed] = max(file, found.get(hashed, file), key=file_order)
    return found


def _counts_as_seen(offset: Offset, hashed: int, file: StreamFile, lateness_ms: int) -> bool:
    second = offset.seconds.get(hashed)
    return second is not None and file.modified_ms <= same_version_until_ms(second, lateness_ms)


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
