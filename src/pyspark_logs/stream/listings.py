"""Listings for polls: the prefixes that can still receive files at each poll, and all prefixes once per interval.

A full listing of a large bucket takes long. Except for the first one it runs in a thread while the polls continue. Files
that were listed and not taken are kept for the following polls: taking a second batch from one listing is equivalent to
having polled twice at the time of that listing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyspark_logs.jobs import job_of
from pyspark_logs.layout import Layout
from pyspark_logs.offsets import FullListing, Offset, StreamFile, is_changed, is_new, lowest_layout_us
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning import UNBOUNDED, FileFilters, Listing, Window, explain_empty, list_files
from pyspark_logs.store import Store, StoredFile
from pyspark_logs.stream.pending import Backlog, IsNew, PendingFiles
from pyspark_logs.stream.stream_root import StreamRoot
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)

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
class PollListing:
    """Listed files for one poll.

    Attributes:
        files: listed files; processed files may be included.
        listed_ms: time at which the listing began, milliseconds since the epoch.
        columns: names of the partition columns whose values the files hold.
        slack_us: maximum distance of a record's time from the time in its path, in microseconds.
        remaining_from_us: earliest layout time of listed files that ``files`` omits; None if it omits none.
        full_listing: last full listing whose files earlier polls or this one received; None if there was none.
        omitted_ms: earliest modification time of new files that were listed and are not kept; None if all are.
        layout: digest of the layout.
    """

    files: Sequence[StreamFile]
    listed_ms: int
    columns: tuple[str, ...]
    slack_us: int
    remaining_from_us: int | None = None
    full_listing: FullListing | None = None
    omitted_ms: int | None = None
    layout: str = ""

    def with_remainder(self, offset: Offset) -> Offset:
        """Returns an offset completed with layout, columns, slack, the full listing, and the layout time of omitted files."""
        offset = replace(offset, layout=self.layout)
        if self.full_listing is not None:
            offset = replace(offset, full_listing=self.full_listing)
        if self.remaining_from_us is not None:
            early = self.remaining_from_us if offset.from_us is None else min(offset.from_us, self.remaining_from_us)
            offset = replace(offset, from_us=early)
        return replace(offset, batch=replace(offset.batch, columns=self.columns, slack_us=self.slack_us))


@dataclass
class _BackgroundListing:
    """A full listing in a thread of its own: running, completed or failed."""

    thread: threading.Thread
    result: tuple[list[StreamFile], FullListing] | None = None
    error: Exception | None = None


@dataclass
class Listings:
    """Listings of a stream's load paths, with the state that saves requests.

    A poll depends on its offset and on what this process listed for earlier polls. A listing that was made for another
    purpose, such as the initial offset of ``startingPosition=latest``, counts only through the offset that carries it.

    Attributes:
        store: store of the load paths.
        options: options of the stream.
        root: mapping between keys and paths.
        layout: layout of the paths.
        filters: filters of the query on files.
    """

    store: Store
    options: ReadOptions
    root: StreamRoot
    layout: Layout
    filters: FileFilters
    _polled_ms: int | None = None
    _full_listing: FullListing | None = None
    _background: _BackgroundListing | None = None
    _has_failed: bool = False  # True after a failed background listing, until a poll lists all prefixes itself
    _pending: PendingFiles | None = None
    _is_frozen: bool = False
    _was_found: bool = False
    _has_warned_of_change: bool = False
    _newest: StreamFile | None = None
    _waiting: int = 0
    _backlog: Backlog = field(default_factory=Backlog)

    def poll(self, offset: Offset, max_files: int | None, max_bytes: int | None = None) -> PollListing:
        """Returns the files from which the next batch may be taken, listing only if too few are pending."""
        now_ms = _now_ms()
        is_new = self._is_new(offset)
        pending = self._pending
        if pending is not None:
            pending.skip_processed(is_new)
        if pending is None or not (self._is_frozen or self._is_enough(pending, max_files, now_ms)):
            listed = self._list(offset, now_ms)
            self._newest = max(listed, key=_order, default=self._newest)
            limit = None if self._is_frozen else MAX_PENDING
            pending = self._pending = PendingFiles(filter(is_new, listed), now_ms, limit)
        files, remaining_from_us = pending.candidates(is_new, max_files, max_bytes)
        self._waiting = len(pending)
        return PollListing(
            files,
            pending.listed_ms,
            self.layout.columns,
            self._slack_us(),
            remaining_from_us,
            self._full_listing,
            pending.omitted_ms,
            self.layout.digest,
        )

    def list_everything(
        self, now_ms: int, *, missing_ok: bool = False, offset: Offset | None = None
    ) -> tuple[list[StreamFile], FullListing]:
        """Lists all prefixes; returns the files that may be new, and time and duration of the listing.

        Args:
            now_ms: time of the poll, milliseconds since the epoch.
            missing_ok: True to treat load paths without objects as empty.
            offset: offset of the poll; None to return all files.
        """
        started_ms = _now_ms()
        is_first = not self._was_found and (offset is None or offset.is_initial)
        listing = self._listing(UNBOUNDED, missing_ok=missing_ok, offset=offset)
        files = self._stream_files(listing)
        if is_first and not files and not listing.report.skipped_unwanted:
            reason = explain_empty(self.store, self.options, listing.selection)
            _log.warning("the stream waits for its first file: %s", reason)
        return files, FullListing(now_ms, _now_ms() - started_ms)

    def freeze(self) -> None:
        """Restricts all polls to the files of the next listing, which the first of them makes."""
        self._is_frozen, self._pending = True, None

    def record_batch(self, taken: Sequence[StreamFile]) -> Backlog:
        """Records the files that the last poll took, and returns those that wait after them."""
        self._backlog = Backlog() if self._pending is None else self._pending.backlog(taken)
        return self._backlog

    def newest(self) -> dict[str, Any] | None:
        """Returns the newest file of the last listing and the backlog, as values of JSON.

        ``waiting`` is the number of files that waited before the last batch was taken; ``files``, ``bytes``, ``oldest`` (a time in
        milliseconds) and ``age`` (milliseconds) are about those that wait after it.
        """
        if self._newest is None:
            return None
        backlog = self._backlog
        return {
            "ts": self._newest.modified_ms,
            "key": self._newest.key,
            "waiting": self._waiting,
            "files": backlog.files,
            "bytes": backlog.bytes,
            "oldest": backlog.oldest_ms,
            "age": backlog.age_ms,
        }

    def window_ms(self, offset: Offset | None = None) -> int:
        """Returns the maximum time between a file's modification and its listing, under any layout time.

        This is the window of ``Offset.floor_ms``: ``lateness``, plus the time from the start of a full listing to the end
        of the next one.
        """
        stream = self.options.stream
        # Without a time in the paths, each listing is a full one.
        if stream.full_listing_us is None or not self.layout.granularity_us:
            return self._lateness_ms()
        last = self._last_full_listing(offset)
        if last is None:
            return self._lateness_ms() + stream.full_listing_us // 1000
        # A full listing that takes longer than expected leaves the last one older than the interval.
        age_ms = _now_ms() - last.started_ms
        return self._lateness_ms() + max(stream.full_listing_us // 1000, 3 * last.took_ms, age_ms)

    # --- pending files -------------------------------------------------------------------------------------------

    def _is_enough(self, pending: PendingFiles, max_files: int | None, now_ms: int) -> bool:
        """True if the pending files fill a batch and were listed recently."""
        return max_files is not None and 0 <= now_ms - pending.listed_ms <= PENDING_MS and len(pending) >= max_files

    def _is_new(self, offset: Offset) -> IsNew:
        lateness_ms = self._lateness_ms()
        return lambda file: is_new(offset, file, lateness_ms)

    def _may_be_new(self, offset: Offset) -> Callable[[StoredFile], bool]:
        """Returns a predicate that is false for files that no later offset takes either."""
        is_new, key_of = self._is_new(offset), self.root.key_of

        def may_be_new(file: StoredFile) -> bool:
            # The files of a job count from the decision on it, which is not known during the listing.
            stream_file = StreamFile(key_of(file.path), file.size, file.modified_ms, file.etag)
            if is_new(stream_file) or job_of(file.path) is not None:
                return True
            if not self._has_warned_of_change and is_changed(offset, stream_file):
                self._has_warned_of_change = True
                _log.warning(
                    "%s was changed after it was read, and is not read again: a stream reads each file once, so what was added"
                    " is not among the rows, here and in other files that grow. Move complete files into the directory, or set"
                    " allowOverwrites=true, which reads each version of a file as a whole.",
                    file.path,
                )  # fmt: skip
            return False

        return may_be_new

    def _lateness_ms(self) -> int:
        return -(-self.options.stream.lateness_us // 1000)

    def _slack_us(self) -> int:
        slack_us = self.options.time.slack_us
        return self.layout.default_slack_us if slack_us is None else slack_us

    # --- listing -------------------------------------------------------------------------------------------------

    def _list(self, offset: Offset, now_ms: int) -> list[StreamFile]:
        previous, self._polled_ms = self._polled_ms, now_ms
        self._warn_of_gap(offset, previous, now_ms)
        interval_us = self.options.stream.full_listing_us
        last = self._last_full_listing(offset)
        # Without a time in the paths no prefix can be omitted.
        is_first = offset.is_initial or not self._is_of_layout(offset)
        if not self.layout.granularity_us or (last is None and (is_first or interval_us is not None)):
            return self._list_fully(offset, now_ms)
        if last is not None and interval_us is not None and self._is_due(last, interval_us, now_ms):
            is_rare = previous is None or now_ms - previous > _FREQUENT_FRACTION * interval_us / 1000
            if is_rare or self._has_failed:
                return self._list_fully(offset, now_ms)
            self._start_full_listing(offset, now_ms)
        stream = self.options.stream
        low = lowest_layout_us(offset, previous, stream.lateness_us, self._slack_us(), stream.settle_us)
        # Files under future layout times are found by the full listings, unless these are off. A file that was found must be
        # listed until a batch takes it, because the floor may pass files that are not listed.
        finds_later = interval_us is not None and offset.from_us is None
        high = now_ms * 1000 + 1 + self._slack_us() if finds_later else None
        completed = self._take_full_listing()
        missing_ok = self._was_found or not offset.is_initial
        listing = self._listing(Window(low, high), missing_ok=missing_ok, offset=offset)
        return list({file.key: file for file in (*completed, *self._stream_files(listing))}.values())

    def _list_fully(self, offset: Offset, now_ms: int) -> list[StreamFile]:
        missing_ok = self._was_found or not offset.is_initial
        files, self._full_listing = self.list_everything(now_ms, missing_ok=missing_ok, offset=offset)
        self._background, self._has_failed = None, False
        return files

    def _last_full_listing(self, offset: Offset | None) -> FullListing | None:
        """Returns the later one of the full listings of this process and of the offset."""
        carried = None if offset is None or not self._is_of_layout(offset) else offset.full_listing
        known = [listing for listing in (self._full_listing, carried) if listing is not None]
        return max(known, key=lambda listing: listing.started_ms, default=None)

    def _is_of_layout(self, offset: Offset) -> bool:
        """True if an offset knows by this layout which prefixes hold files that are not processed yet."""
        return offset.layout == self.layout.digest

    def _is_due(self, last: FullListing, interval_us: int, now_ms: int) -> bool:
        if self._background is not None:
            return False
        # A negative age means that the offset was written by a process with another clock.
        age_ms = now_ms - last.started_ms
        return age_ms < 0 or age_ms >= _EARLY_FRACTION * interval_us / 1000 - last.took_ms

    def _start_full_listing(self, offset: Offset, now_ms: int) -> None:
        """Starts a full listing in a thread."""

        def run() -> None:
            try:
                background.result = self.list_everything(now_ms, missing_ok=True, offset=offset)
            except Exception as error:  # noqa: BLE001 - raised by the poll that takes the files
                background.error = error

        background = _BackgroundListing(threading.Thread(target=run, name="pyspark-logs-full-listing", daemon=True))
        self._background = background
        background.thread.start()

    def _take_full_listing(self) -> list[StreamFile]:
        """Returns the files of a background listing that has ended, or raises its error."""
        background = self._background
        if background is None or background.thread.is_alive():
            return []
        self._background = None
        if background.error is not None:
            self._has_failed = True
            raise background.error
        files, self._full_listing = background.result or ([], self._full_listing)
        return files

    def _listing(self, open_window: Window, *, missing_ok: bool, offset: Offset | None) -> Listing:
        """Lists the prefixes that may have received files in a range of layout times; keeps the files that may be new."""
        listing = list_files(
            self.store,
            self.options,
            self.layout,
            self.filters,
            open_window=open_window,
            missing_ok=missing_ok,
            wanted=None if offset is None else self._may_be_new(offset),
        )
        self._was_found = True
        return listing

    def _stream_files(self, listing: Listing) -> list[StreamFile]:
        return [
            StreamFile(
                self.root.key_of(file.path), file.size, _effective_ms(file.path, file.modified_ms, listing.decided_ms),
                file.etag, match.start_us, match.end_us, match.values,
            )
            for file, match in listing.files
        ]  # fmt: skip

    def _warn_of_gap(self, offset: Offset, previous: int | None, now_ms: int) -> None:
        """Warns if records of jobs may have been written and deleted since the last poll, of this process or before it."""
        if previous is None:
            if offset.is_initial:
                return
            carried_ms = 0 if offset.full_listing is None else offset.full_listing.started_ms
            previous = max(offset.ts_ms, carried_ms)
        retention_ms = self.options.plan.record_retention_us // 1000
        if now_ms - previous > retention_ms:
            _log.warning(
                "%s: %d s passed since the last poll that is known, more than recordRetention (%d s): files of pyspark-logs"
                " writers that were decided in this time count at the time at which their upload began, and are read only if"
                " that time is within lateness. Poll more often, raise recordRetention in the writer, or raise lateness in this"
                " query.",
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
