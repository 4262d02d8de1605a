"""Listings for polls: the prefixes that can still receive files at each poll, and all prefixes once per interval.

A full listing of a large bucket takes long. Except for the first one it runs in a thread while the polls continue. Files
that were listed and not taken are kept for the following polls: taking a second batch from one listing is equivalent to
having polled twice at the time of that listing.
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

# Maximum number of listed files that are kept for later polls; the oldest files are kept.
MAX_PENDING = 100_000
# Maximum age of kept files. A file that is deleted after it was listed fails its batch, so the age is bounded.
PENDING_MS = 600_000
# A full listing starts after this fraction of fullListingInterval, so that it ends within the interval.
_EARLY_FRACTION = 0.75
# A full listing runs in its own thread only if the time between polls is below this fraction of fullListingInterval;
# otherwise its files would wait too long for the next poll.
_FREQUENT_FRACTION = 0.1


@dataclass(frozen=True)
class StreamRoot:
    """The load paths of a stream, and the keys of files below them in offsets.

    Attributes:
        text: identification of the load paths.
        prefix: common prefix of all paths, which keys omit.
    """

    text: str
    prefix: str

    @classmethod
    def of(cls, paths: Sequence[str]) -> StreamRoot:
        """Returns the root of normalised load paths. With several paths, keys are whole paths."""
        if len(paths) != 1:
            return cls(json.dumps(list(paths)), "")
        (path,) = paths
        special = _GLOB.search(path)
        return cls(path, path.rstrip("/") + "/" if special is None else path[: path.rfind("/", 0, special.start()) + 1])

    def key_of(self, path: str) -> str:
        """Returns the key of a path. A path that is not below the prefix (a file as load path) gets a leading NUL."""
        return path[len(self.prefix) :] if path.startswith(self.prefix) else f"\0{path}"

    def path_of(self, key: str) -> str:
        """Returns the path of a key, the inverse of :meth:`key_of`.

        >>> root = StreamRoot.of(["s3://logs/app"])
        >>> root.key_of("s3://logs/app//a.gz"), root.path_of("/a.gz"), root.path_of(root.key_of("s3://logs/app"))
        ('/a.gz', 's3://logs/app//a.gz', 's3://logs/app')
        """
        return key[1:] if key.startswith("\0") else self.prefix + key


@dataclass(frozen=True)
class PollListing:
    """Listed files for one poll.

    Attributes:
        files: listed files; processed files may be included.
        listed_ms: time at which the listing began, milliseconds since the epoch.
        columns: names of the partition columns whose values the files hold.
        slack_us: maximum distance of a record's time from the time in its path, in microseconds.
        remaining_from_us: earliest layout time of listed files that ``files`` omits; None if it omits none.
    """

    files: Sequence[StreamFile]
    listed_ms: int
    columns: tuple[str, ...]
    slack_us: int
    remaining_from_us: int | None = None

    def with_remainder(self, offset: Offset) -> Offset:
        """Returns an offset completed with columns, slack, and the layout time of files that the poll did not receive."""
        if self.remaining_from_us is not None:
            early = self.remaining_from_us if offset.from_us is None else min(offset.from_us, self.remaining_from_us)
            offset = replace(offset, from_us=early)
        return replace(offset, batch=replace(offset.batch, columns=self.columns, slack_us=self.slack_us))


@dataclass
class _PendingFiles:
    """Files of a listing that no batch has taken, in order of their modification time.

    Attributes:
        files: the files.
        listed_ms: time at which the listing began, milliseconds since the epoch.
        remaining_from_us: see :class:`PollListing`.
    """

    files: list[StreamFile]
    listed_ms: int
    remaining_from_us: int | None


@dataclass
class _FullListing:
    """A full listing in a thread of its own: running, completed or failed."""

    thread: threading.Thread | None = None
    files: list[StreamFile] | None = None
    error: Exception | None = None


@dataclass
class Listings:
    """Listings of a stream's load paths, with the state that saves requests.

    Attributes:
        store: store of the load paths.
        options: options of the stream.
        root: mapping between keys and paths.
        layout: layout of the paths.
        whole_files: True if the format has no time column.
    """

    store: Store
    options: ReadOptions
    root: StreamRoot
    layout: Layout
    whole_files: bool
    _polled_ms: int | None = None
    _full_ms: int | None = None
    _full_took_ms: int = 0
    _full: _FullListing = field(default_factory=_FullListing)
    _pending: _PendingFiles | None = None
    _frozen: _PendingFiles | None = None
    _was_found: bool = False
    _newest: StreamFile | None = None
    _waiting: int = 0

    def poll(self, offset: Offset, max_files: int | None) -> PollListing:
        """Returns the files from which the next batch may be taken, listing only if too few are kept."""
        if self._frozen is not None:
            self._frozen.files = [file for file in self._frozen.files if self._may_be_new(file, offset)]
            self._waiting = len(self._frozen.files)
            return self._found(self._frozen)
        now_ms = _now_ms()
        pending = self._enough_pending(offset, max_files, now_ms)
        if pending is None:
            files = self._list(offset, now_ms)
            pending = self._pending_of(files, offset, now_ms)
            self._pending = pending
            self._newest = max(files, key=_order, default=self._newest)
        self._waiting = len(pending.files)
        return self._found(pending)

    def list_everything(self, now_ms: int) -> list[StreamFile]:
        """Lists all prefixes and returns all files."""
        started = _now_ms()
        self._full_ms = now_ms
        files = self._stream_files(self._listing(None, None), now_ms)
        self._full_took_ms = _now_ms() - started
        return files

    def freeze(self) -> None:
        """Lists all prefixes and restricts later polls to the files found."""
        now_ms = _now_ms()
        files = sorted(self.list_everything(now_ms), key=_order)
        self._frozen = _PendingFiles(files, now_ms, None)
        self._newest = files[-1] if files else None

    def newest(self) -> dict[str, Any] | None:
        """Returns the newest file of the last listing and the number of files waiting at the last poll, as primitives."""
        if self._newest is None:
            return None
        return {"ts": self._newest.modified_ms, "key": self._newest.key, "waiting": self._waiting}

    def window_ms(self) -> int:
        """Returns the maximum time between a file's modification and its listing, under any layout time.

        This is the window of ``Offset.floor_ms``: ``lateness``, plus the time from the start of a full listing to the end
        of the next one.
        """
        stream = self.options.stream
        every_ms = 0 if stream.full_listing_us is None else max(stream.full_listing_us // 1000, 3 * self._full_took_ms)
        return -(-stream.lateness_us // 1000) + every_ms

    # --- pending files -------------------------------------------------------------------------------------------

    def _enough_pending(self, offset: Offset, max_files: int | None, now_ms: int) -> _PendingFiles | None:
        """Returns the pending files if they fill a batch and were listed recently."""
        pending = self._pending
        if pending is None or max_files is None or not 0 <= now_ms - pending.listed_ms <= PENDING_MS:
            return None
        pending.files = [file for file in pending.files if self._may_be_new(file, offset)]
        return pending if len(pending.files) >= max_files else None

    def _pending_of(self, files: Iterable[StreamFile], offset: Offset, now_ms: int) -> _PendingFiles:
        """Returns the unprocessed files, oldest first, at most ``MAX_PENDING`` of them."""
        waiting = sorted((file for file in files if self._may_be_new(file, offset)), key=_order)
        rest = [file.layout_start_us for file in waiting[MAX_PENDING:] if file.layout_start_us is not None]
        return _PendingFiles(waiting[:MAX_PENDING], now_ms, min(rest, default=None))

    def _may_be_new(self, file: StreamFile, offset: Offset) -> bool:
        lateness_ms = -(-self.options.stream.lateness_us // 1000)
        return file.modified_ms >= offset.floor_ms and not is_seen(offset, file, lateness_ms)

    def _found(self, pending: _PendingFiles) -> PollListing:
        given = self.options.time.slack_us
        slack = given if given is not None else self.layout.default_slack_us
        return PollListing(pending.files, pending.listed_ms, self.layout.columns, slack, pending.remaining_from_us)

    # --- listing -------------------------------------------------------------------------------------------------

    def _list(self, offset: Offset, now_ms: int) -> list[StreamFile]:
        previous, self._polled_ms = self._polled_ms, now_ms
        self._warn_of_gap(previous, now_ms)
        if self._full_ms is None or not self.layout.granularity_us:
            # The first poll after a start lists all prefixes. Without a time in the paths no prefix can be omitted.
            return self.list_everything(now_ms)
        if self._is_due(now_ms):
            if (
                previous is None
                or now_ms - previous > _FREQUENT_FRACTION * (self.options.stream.full_listing_us or 0) / 1000
            ):
                return self.list_everything(now_ms)
            self._start_full_listing(now_ms)
        slack = self.options.time.slack_us
        slack = self.layout.default_slack_us if slack is None else slack
        stream = self.options.stream
        low = lowest_layout_us(offset, previous, stream.lateness_us, slack, stream.settle_us)
        # Files under future layout times are found by the full listings, unless these are off.
        high = now_ms * 1000 + 1 if self.options.stream.full_listing_us is not None else None
        fresh = self._stream_files(self._listing(low, high), now_ms)
        return list({file.key: file for file in (*self._take_full_listing(), *fresh)}.values())

    def _is_due(self, now_ms: int) -> bool:
        interval_us = self.options.stream.full_listing_us
        if interval_us is None or self._full_ms is None or self._full.thread is not None:
            return False
        return now_ms - self._full_ms >= _EARLY_FRACTION * interval_us / 1000 - self._full_took_ms

    def _start_full_listing(self, now_ms: int) -> None:
        """Starts a full listing in a thread."""
        full = self._full

        def run() -> None:
            try:
                full.files = self.list_everything(now_ms)
            except Exception as error:  # noqa: BLE001 - raised by the poll that takes the files
                full.error = error

        full.thread = threading.Thread(target=run, name="pyspark-logs-full-listing", daemon=True)
        full.thread.start()

    def _take_full_listing(self) -> list[StreamFile]:
        """Returns the files of a full listing that has ended, or raises its error."""
        full = self._full
        if full.thread is None or full.thread.is_alive():
            return []
        self._full = _FullListing()
        if full.error is not None:
            self._full_ms = None  # makes the next poll list all prefixes itself
            raise full.error
        return full.files or []

    def _listing(self, low_us: int | None, high_us: int | None) -> Listing | None:
        """Lists a range of layout times; None if a load path disappeared after an earlier listing found it."""
        try:
            listing = list_files(
                self.store, self.options, self.layout, start_us=low_us, end_us=high_us, whole_files=self.whole_files
            )
        except PathNotFoundError:
            if not self._was_found:
                raise
            return None
        self._was_found = True
        return listing

    def _stream_files(self, listing: Listing | None, now_ms: int) -> list[StreamFile]:
        if listing is None:
            return []
        return [
            StreamFile(
                self.root.key_of(file.path), file.size, _effective_ms(file.path, file.modified_ms, listing.decided_ms),
                file.etag, match.start_us, match.end_us, match.values,
            )
            for file, match in listing.files
        ]  # fmt: skip

    def _warn_of_gap(self, previous: int | None, now_ms: int) -> None:
        retention_ms = self.options.plan.record_retention_us // 1000
        if previous is not None and now_ms - previous > retention_ms:
            _log.warning(
                "%s: %d s passed between two polls, more than recordRetention (%d s): files of pyspark-logs writers that were"
                " decided in this time count at the time at which their upload began, and are read only if that time is within"
                " lateness. Poll more often, raise recordRetention in the writer, or raise lateness in this query.",
                self.root.text, (now_ms - previous) // 1000, retention_ms // 1000,
            )  # fmt: skip


def _effective_ms(path: str, modified_ms: int, decided_ms: Mapping[str, int]) -> int:
    """Returns the later of a file's modification and the decision on its job.

    The modification time of an S3 object is the time at which its upload began, possibly long before the decision.
    """
    job = job_of(path)
    return modified_ms if job is None else max(modified_ms, decided_ms.get(job, modified_ms))


def _order(file: StreamFile) -> tuple[int, str]:
    return file.modified_ms, file.key


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
