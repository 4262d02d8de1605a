"""What a poll gets to see: listings of the prefixes that can still receive files, and now and then of everything.

A full listing of a large bucket takes long, so but for the first one it runs in a thread beside the polls. What a
listing found and no batch has taken yet is kept, and serves the polls that follow: to take more of one listing is the
same as to have polled more often at its time.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyspark_logs.errors import PathNotFoundError
from pyspark_logs.jobs import job_of
from pyspark_logs.layout import Layout
from pyspark_logs.offsets import Offset, StreamFile, is_seen, lowest_layout_us
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning import Listing, list_files
from pyspark_logs.store import Store

_log = logging.getLogger(__name__)

_GLOB = re.compile(r"[*?\[{]")

MOST_KEPT = 100_000  # files of a listing that are kept for later polls, the oldest ones
KEPT_MS = 600_000  # for so long: a file that is deleted meanwhile is an error of its batch
# A full listing begins when so much of the interval is over, so that it ends in time ...
_EARLY = 0.75
# ... and beside the polls only if they come so often: else its files would wait for the next poll for too long.
_OFTEN = 0.1


@dataclass(frozen=True)
class Root:
    """The load paths of a stream, and how files below them are named in offsets.

    Attributes:
        text: identifies the load paths.
        prefix: what all paths begin with and keys leave out.
    """

    text: str
    prefix: str

    @classmethod
    def of(cls, paths: Sequence[str]) -> Root:
        """The root of normalised load paths: of one directory, that directory; of several, nothing is left out."""
        if len(paths) != 1:
            return cls(json.dumps(list(paths)), "")
        (path,) = paths
        special = _GLOB.search(path)
        return cls(path, path.rstrip("/") + "/" if special is None else path[: path.rfind("/", 0, special.start()) + 1])

    def key_of(self, path: str) -> str:
        """The key of a path; of one that is not below the prefix (the load path is a file), the path with a mark."""
        return path[len(self.prefix) :] if path.startswith(self.prefix) else f"\0{path}"

    def path_of(self, key: str) -> str:
        """The inverse of :meth:`key_of`.

        >>> root = Root.of(["s3://logs/app"])
        >>> root.key_of("s3://logs/app//a.gz"), root.path_of("/a.gz"), root.path_of(root.key_of("s3://logs/app"))
        ('/a.gz', 's3://logs/app//a.gz', 's3://logs/app')
        """
        return key[1:] if key.startswith("\0") else self.prefix + key


@dataclass(frozen=True)
class Found:
    """What one poll sees.

    Attributes:
        files: listed files; those seen before may be among them.
        listed_ms: when the listing began.
        columns: partition columns, of the values of ``files``.
        slack_us: how far records drift from their path's time.
        rest_us: earliest layout time of files that were listed and are not in ``files``; None: there are none.
    """

    files: Sequence[StreamFile]
    listed_ms: int
    columns: tuple[str, ...]
    slack_us: int
    rest_us: int | None = None

    def with_rest(self, offset: Offset) -> Offset:
        """The offset of a poll, with what it could not know: the columns, and files that it was not shown."""
        if self.rest_us is not None:
            early = self.rest_us if offset.from_us is None else min(offset.from_us, self.rest_us)
            offset = replace(offset, from_us=early)
        return replace(offset, batch=replace(offset.batch, columns=self.columns, slack_us=self.slack_us))


@dataclass
class _Kept:
    """What is left of a listing: files in order of time, and when it was made."""

    files: list[StreamFile]
    listed_ms: int
    rest_us: int | None


@dataclass
class _Full:
    """A full listing under way in its thread, or done."""

    thread: threading.Thread | None = None
    files: list[StreamFile] | None = None
    error: Exception | None = None


@dataclass
class Listings:
    """Lists for polls, and remembers what saves the next listing.

    Attributes:
        store: of the load paths.
        options: of the stream.
        root: names files.
        layout: of the paths.
        whole_files: the format has no time column.
    """

    store: Store
    options: ReadOptions
    root: Root
    layout: Layout
    whole_files: bool
    _polled_ms: int | None = None
    _full_ms: int | None = None
    _full_took_ms: int = 0
    _full: _Full = field(default_factory=_Full)
    _kept: _Kept | None = None
    _frozen: _Kept | None = None
    _is_there: bool = False
    _newest: StreamFile | None = None
    _behind: int = 0

    def poll(self, offset: Offset, max_files: int | None) -> Found:
        """What the next batch may be taken from."""
        if self._frozen is not None:
            self._frozen.files = [mark for mark in self._frozen.files if self._may_be_new(mark, offset)]
            self._behind = len(self._frozen.files)
            return self._found(self._frozen)
        context = _now_ms()
        kept = self._still_enough(offset, max_files, context)
        if kept is None:
            files = self._list(offset, context)
            kept = self._left_of(files, offset, context)
            self._kept = kept
            self._newest = max(files, key=_order, default=self._newest)
        self._behind = len(kept.files)
        return self._found(kept)

    def everything(self, context: int) -> list[StreamFile]:
        """All files that are there."""
        started = _now_ms()
        self._full_ms = context
        files = self._marks(self._listing(None, None), context)
        self._full_took_ms = _now_ms() - started
        return files

    def freeze(self) -> None:
        """List everything, and show no later file to any poll."""
        context = _now_ms()
        files = sorted(self.everything(context), key=_order)
        self._frozen = _Kept(files, context, None)
        self._newest = files[-1] if files else None

    def newest(self) -> dict[str, Any] | None:
        """Of the last listing: the newest file, and how many were waiting at the last poll, as primitives."""
        if self._newest is None:
            return None
        return {"ts": self._newest.modified_ms, "key": self._newest.key, "waiting": self._behind}

    def window_ms(self) -> int:
        """How long after its modification a file may be found, whatever layout time it lies under: see ``Offset.floor_ms``.

        From the begin of one full listing to the end of the next no more may pass than is allowed for.
        """
        stream = self.options.stream
        every_ms = 0 if stream.full_listing_us is None else max(stream.full_listing_us // 1000, 3 * self._full_took_ms)
        return -(-stream.lateness_us // 1000) + every_ms

    # --- what is kept --------------------------------------------------------------------------------------------

    def _still_enough(self, offset: Offset, max_files: int | None, context: int) -> _Kept | None:
        """What is kept, if it fills a batch and is fresh enough."""
        kept = self._kept
        if kept is None or max_files is None or context - kept.listed_ms > KEPT_MS or context < kept.listed_ms:
            return None
        kept.files = [mark for mark in kept.files if self._may_be_new(mark, offset)]
        return kept if len(kept.files) >= max_files else None

    def _left_of(self, files: Iterable[StreamFile], offset: Offset, context: int) -> _Kept:
        """What batches can be taken from: unread files, the oldest first, at most ``MOST_KEPT`` of them."""
        waiting = sorted((mark for mark in files if self._may_be_new(mark, offset)), key=_order)
        rest = [mark.layout_start_us for mark in waiting[MOST_KEPT:] if mark.layout_start_us is not None]
        return _Kept(waiting[:MOST_KEPT], context, min(rest, default=None))

    def _may_be_new(self, mark: StreamFile, offset: Offset) -> bool:
        lateness_ms = -(-self.options.stream.lateness_us // 1000)
        return mark.modified_ms >= offset.floor_ms and not is_seen(offset, mark, lateness_ms)

    def _found(self, kept: _Kept) -> Found:
        given = self.options.time.slack_us
        slack = given if given is not None else self.layout.default_slack_us
        return Found(kept.files, kept.listed_ms, self.layout.columns, slack, kept.rest_us)

    # --- listing -------------------------------------------------------------------------------------------------

    def _list(self, offset: Offset, context: int) -> list[StreamFile]:
        previous, self._polled_ms = self._polled_ms, context
        self._warn_of_gap(previous, context)
        if self._full_ms is None or not self.layout.granularity_us:
            # The first poll after a start looks everywhere; without time in the paths there is nothing to leave out.
            return self.everything(context)
        if self._is_due(context):
            if previous is None or context - previous > _OFTEN * (self.options.stream.full_listing_us or 0) / 1000:
                return self.everything(context)
            self._look_everywhere_beside(context)
        slack = self.options.time.slack_us
        slack = self.layout.default_slack_us if slack is None else slack
        stream = self.options.stream
        low = lowest_layout_us(offset, previous, stream.lateness_us, slack, stream.settle_us)
        # What lies under a time that is yet to come is found by the full listings, if there are any.
        high = context * 1000 + 1 if self.options.stream.full_listing_us is not None else None
        fresh = self._marks(self._listing(low, high), context)
        return list({mark.key: mark for mark in (*self._taken_from_full(), *fresh)}.values())

    def _is_due(self, context: int) -> bool:
        interval_us = self.options.stream.full_listing_us
        if interval_us is None or self._full_ms is None or self._full.thread is not None:
            return False
        return context - self._full_ms >= _EARLY * interval_us / 1000 - self._full_took_ms

    def _look_everywhere_beside(self, context: int) -> None:
        """Begin a full listing in a thread."""
        full = self._full

        def run() -> None:
            try:
                full.files = self.everything(context)
            except Exception as error:  # noqa: BLE001 - raised again by the poll that asks for the files
                full.error = error

        full.thread = threading.Thread(target=run, name="pyspark-logs-full-listing", daemon=True)
        full.thread.start()

    def _taken_from_full(self) -> list[StreamFile]:
        """What a full listing brought that has ended since; its error is the poll's."""
        full = self._full
        if full.thread is None or full.thread.is_alive():
            return []
        self._full = _Full()
        if full.error is not None:
            self._full_ms = None  # the next poll looks everywhere itself
            raise full.error
        return full.files or []

    def _listing(self, low_us: int | None, high_us: int | None) -> Listing | None:
        """One listing; None where a load path has gone, which after the first listing is no error: it was cleaned."""
        try:
            listing = list_files(
                self.store, self.options, self.layout, start_us=low_us, end_us=high_us, whole_files=self.whole_files
            )
        except PathNotFoundError:
            if not self._is_there:
                raise
            return None
        self._is_there = True
        return listing

    def _marks(self, listing: Listing | None, context: int) -> list[StreamFile]:
        if listing is None:
            return []
        return [
            StreamFile(
                self.root.key_of(file.path), file.size, _counts_ms(file.path, file.modified_ms, listing.decided_ms),
                file.etag, match.start_us, match.end_us, match.values,
            )
            for file, match in listing.files
        ]  # fmt: skip

    def _warn_of_gap(self, previous: int | None, context: int) -> None:
        retention_ms = self.options.plan.record_retention_us // 1000
        if previous is not None and context - previous > retention_ms:
            _log.warning(
                "%s: %d s lie between two polls, more than recordRetention (%d s): files of our own writers that were decided"
                " meanwhile count at the time their upload began, and are read only if that is within lateness. Poll more"
                " often, or raise recordRetention where this is written, or lateness here.",
                self.root.text, (context - previous) // 1000, retention_ms // 1000,
            )  # fmt: skip


def _counts_ms(path: str, modified_ms: int, decided_ms: Mapping[str, int]) -> int:
    """A file of our own counts when its job was decided: on S3 it was modified when its upload began."""
    job = job_of(path)
    return modified_ms if job is None else max(modified_ms, decided_ms.get(job, modified_ms))


def _order(mark: StreamFile) -> tuple[int, str]:
    return mark.modified_ms, mark.key


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
