"""A streaming query: offsets from listings, and tasks from offsets."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pyspark_logs.auditing import StreamBatch, offset_digest, stream_id, stream_identity
from pyspark_logs.layout import Layout, hive_layout
from pyspark_logs.offsets import CLOCK_ERROR_MS, BatchPlan, Offset, PollRules, StreamFile, poll
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning import PlanReport, resolve_layout
from pyspark_logs.reader import LogReader, ReadPlan
from pyspark_logs.store import Store, normalise, open_store
from pyspark_logs.stream.batch_planning import batch_files, batch_tasks, check_path_columns
from pyspark_logs.stream.batch_summary import log_summary
from pyspark_logs.stream.cleaning import CLEAN_THREADS, Cleaner
from pyspark_logs.stream.listings import Listings
from pyspark_logs.stream.missing_files import skip_missing_files
from pyspark_logs.stream.rotation import original_of
from pyspark_logs.stream.stream_root import StreamRoot
from pyspark_logs.task_reader import ReadTask
from pyspark_logs.telemetry import start_span
from pyspark_logs.terminal_text import format_count, get_logger

_log = get_logger(__name__)


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class LogStream:
    """A streaming query over the files that appear below its load paths.

    Args:
        options: checked options.
        schema_ddl: requested columns as Spark DDL.
    """

    def __init__(self, options: ReadOptions, schema_ddl: str) -> None:
        self.reader = LogReader(options, schema_ddl)
        self.options = self.reader.options
        self.root = StreamRoot.of(self.options.plan.paths)
        self.identity = "key+etag" if self.options.stream.allow_overwrites else "key"
        self._reset_caches()

    def _reset_caches(self) -> None:
        """Initializes the state that saves requests. It is not pickled."""
        self._lock = threading.Lock()
        self._initial: dict[str, Any] | None = None
        self._listings: Listings | None = None
        self._cleaner: Cleaner | None = None
        self._cleaned_batch = ""
        self._summarised_batch = ""
        self._is_full = False
        self._has_warned_of_copy = False

    def __getstate__(self) -> dict[str, Any]:
        return {"options": self.options, "schema_ddl": self.reader.schema_ddl}

    def __setstate__(self, state: dict[str, Any]) -> None:
        LogStream.__init__(self, state["options"], state["schema_ddl"])

    # --- offsets -----------------------------------------------------------------------------------------------

    def initial_offset(self) -> dict[str, Any]:
        """Returns the offset at which a new query starts, by ``startingPosition``. Repeated calls return the same offset.

        Raises:
            PathNotFoundError: a load path does not exist.
            StoreError: the store refused or failed.
        """
        with self._lock:
            if self._initial is None:
                starting, listed_ms = self.options.stream.starting, now_ms()
                files: list[StreamFile] = []
                full_listing = None
                if starting == "latest":
                    files, full_listing = self._lists().list_everything(listed_ms)
                initial = Offset.initial(
                    self.root.text,
                    self.identity,
                    starting=starting,
                    starting_ms=self.options.stream.starting_ms,
                    listing=files,
                    now_ms=listed_ms,
                    window_ms=self._lists().window_ms(),
                    max_seen=self.options.stream.max_tracked_files,
                )
                if starting == "latest":
                    self._warn_of_raised_floor(initial, listed_ms)
                layout = self._lists().layout.digest
                self._initial = replace(initial, full_listing=full_listing, layout=layout).to_dict()
            return self._initial

    def latest_offset(self, start: dict[str, Any], *, max_files: int | None, max_bytes: int | None) -> dict[str, Any]:
        """Polls for new files and returns the offset after the next batch, or ``start`` itself if no file is new.

        Args:
            start: current offset.
            max_files: maximum number of files in the batch; None for no limit.
            max_bytes: maximum stored size of the batch, which has at least one file; None for no limit.

        Raises:
            OptionError: ``start`` is not an offset of this query.
            PathNotFoundError: a load path does not exist.
            SnapshotChangedError: see :func:`pyspark_logs.planning.list_files`.
            StoreError: the store refused or failed.
        """
        with (
            self._lock,
            start_span("pyspark_logs.poll", {"pyspark_logs.paths": self.options.plan.paths}, current=True) as span,
        ):
            offset = self._offset(start)
            # Spark does not commit the last batch of Trigger.AvailableNow, nor a batch after which the query was stopped.
            # Both are complete when Spark asks for the offset after them.
            self.commit_batch(start)
            listings = self._lists(offset)
            found = listings.poll(offset, max_files, max_bytes)
            rules = self._rules(listings.window_ms(offset), max_files, max_bytes)
            after = poll(offset, found.files, found.listed_ms, rules, omitted_ms=found.omitted_ms)
            self._warn_of_full_offset(offset, after, found.files)
            taken = () if after is offset else after.batch.files
            self._warn_of_copy(after, taken)
            backlog = listings.record_batch(taken)
            span.set(
                {
                    "pyspark_logs.files": len(taken),
                    "pyspark_logs.bytes": sum(file.size for file in taken),
                    "pyspark_logs.files_waiting": backlog.files,
                    "pyspark_logs.bytes_waiting": backlog.bytes,
                }
            )
            if after is offset:
                return start
            _log.info(
                "%s: the next batch has %s of %s; %s of %s wait, the oldest for %d s",
                self.root.text, format_count(len(taken), "file"), format_count(sum(file.size for file in taken), "byte"),
                format_count(backlog.files, "file"), format_count(backlog.bytes, "byte"), backlog.age_ms // 1000,
            )  # fmt: skip
            return found.with_remainder(after).to_dict()

    def _rules(self, window_ms: int, max_files: int | None, max_bytes: int | None) -> PollRules:
        stream = self.options.stream
        return PollRules(
            window_ms=window_ms,
            lateness_ms=-(-stream.lateness_us // 1000),
            settle_ms=-(-stream.settle_us // 1000),
            max_files=max_files,
            max_bytes=max_bytes,
            max_seen=stream.max_tracked_files,
        )

    def _warn_of_full_offset(self, offset: Offset, after: Offset, files: Sequence[StreamFile]) -> None:
        """Warns once if the offset cannot hold further files, until a batch has files again."""
        limit = self.options.stream.max_tracked_files
        is_full = len(offset.seen) >= limit and bool(files) and (after is offset or not after.batch.files)
        if is_full and not self._is_full:
            _log.warning(
                "%s: at least %d new files wait, because the offset holds %d processed files, and the files of a window that"
                " long cannot be told apart with less. They are read once no other file can become visible at their time:"
                " after twice lateness, plus fullListingInterval and 15 minutes. Lower lateness or fullListingInterval, or raise"
                " maxTrackedFiles (%d), of which each takes about 11 bytes in every offset of the checkpoint.",
                self.root.text, len(files), len(offset.seen), limit,
            )  # fmt: skip
        self._is_full = is_full

    def _warn_of_copy(self, after: Offset, files: Sequence[StreamFile]) -> None:
        """Warns once of a file whose rows were read before, under the name that it had before a log rotation."""
        if self._has_warned_of_copy:
            return
        copies = ((file.key, original_of(after, file)) for file in files)
        key, original = next(((key, found) for key, found in copies if found is not None), ("", ""))
        if original:
            self._has_warned_of_copy = True
            _log.warning(
                "%s seems to be %s, which a log rotation renamed or compressed after it was read: it has the same modification"
                " time. A file is identified by its path, so its rows are read again. Read only files that have their last"
                " name, for example with pathGlobFilter=*.gz.",
                self.root.path_of(key), self.root.path_of(original),
            )  # fmt: skip

    def _warn_of_raised_floor(self, initial: Offset, listed_ms: int) -> None:
        """Warns if the first offset of ``startingPosition=latest`` cannot hold the files of its window."""
        if initial.floor_ms > max(initial.ts_ms, listed_ms - CLOCK_ERROR_MS) - self._lists().window_ms():
            floor = dt.datetime.fromtimestamp(initial.floor_ms / 1000, dt.timezone.utc)
            _log.warning(
                "%s: more files than half of maxTrackedFiles (%d) were modified before the start, in the time that lateness"
                " and fullListingInterval cover, so the offset does not hold all of them. Files that become visible from now on, but were modified"
                " before %s, are not read. Raise maxTrackedFiles or lower lateness to read them.",
                self.root.text, self.options.stream.max_tracked_files, floor.isoformat(timespec="seconds"),
            )  # fmt: skip

    def freeze(self) -> None:
        """Restricts all polls to the files of the next listing, for ``Trigger.AvailableNow``."""
        with self._lock:
            self._lists().freeze()

    def newest(self) -> dict[str, Any] | None:
        """Returns the newest file of the last listing and the backlog, for the query's progress.

        None before the first listing. The keys do not depend on the number of files, so that progress reports stay small.
        """
        return None if self._listings is None else self._listings.newest()

    # --- batches -----------------------------------------------------------------------------------------------

    def plan_batch(self, start: dict[str, Any], end: dict[str, Any]) -> tuple[ReadTask, ...]:
        """Returns the tasks of the batch between two offsets. The result depends on the arguments only.

        Makes no request, except that ``auditPath`` writes the plan of the batch there, and that ``ignoreMissingFiles`` finds
        out which files the tasks pass over.

        Raises:
            OptionError: ``end`` is not an offset of this query, or its batch was planned with another layout, which lacks a
                requested column.
            SchemaError: neither the format nor the path has a requested column.
            StoreError: the store of ``auditPath`` refused or failed.
        """
        if start == end:
            return ()
        with start_span("pyspark_logs.plan", {"pyspark_logs.paths": self.options.plan.paths}, current=True) as span:
            plan, identity = self._plan_batch(start, end, span.header())
            span.set(
                {
                    "pyspark_logs.files": len(plan.files),
                    "pyspark_logs.bytes": sum(file.size for file, _ in plan.files),
                    "pyspark_logs.tasks": len(plan.tasks),
                }
            )
            return self.reader.start_audit(plan, identity).tasks

    def _plan_batch(self, start: dict[str, Any], end: dict[str, Any], trace: str) -> tuple[ReadPlan, StreamBatch]:
        """Returns the plan of a batch with its files, and its identity."""
        batch = self._offset(end).batch
        self._check_columns(batch)
        files = batch_files(batch, self.root)
        tasks = batch_tasks(batch, files, self.options.plan, splittable=self.reader.is_splittable, trace=trace)
        if self.options.plan.ignore_missing:
            tasks = skip_missing_files(self._store(), tasks)
        identity = StreamBatch(stream_identity(self.root.text, self.identity), start, end)
        return ReadPlan(tasks, PlanReport(), files=files), identity

    def _check_columns(self, batch: BatchPlan) -> None:
        """Raises OptionError or SchemaError if a batch lacks a requested column."""
        condition, layout = self.reader.condition, self.options.plan.layout
        requested = [*self.reader.target().names, *(() if condition is None else condition.column_types())]
        if layout is not None:
            check_path_columns(batch, Layout.parse(layout, self.options.time.zone), requested)
        self.reader.columns(batch.columns)

    def commit_batch(self, end: dict[str, Any]) -> None:
        """Archives or deletes the files of a completed batch, by ``cleanSource``. Failures are logged, not raised.

        A batch that was cleaned last is not cleaned again. With ``auditPath``, also logs the counts of the batch.
        """
        self._log_summary(end)
        if self.options.stream.clean_source == "off" or end.get("batch") == self._cleaned_batch:
            return
        self._open_cleaner().committed(self._offset(end).batch, now_ms())
        self._cleaned_batch = end.get("batch", "")

    def _log_summary(self, end: dict[str, Any]) -> None:
        """Logs the counts of a completed batch once."""
        directory, batch = self.options.report.audit_path, end.get("batch", "")
        if directory is None or not batch or batch == self._summarised_batch:
            return
        self._summarised_batch = batch
        directory, query = normalise(directory), stream_id(stream_identity(self.root.text, self.identity))
        log_summary(open_store(directory, self.options.store), directory, query, offset_digest(end))

    # --- parts -------------------------------------------------------------------------------------------------

    def _offset(self, value: dict[str, Any]) -> Offset:
        return Offset.from_dict(value, root=self.root.text, identity=self.identity)

    def _store(self) -> Store:
        return open_store(self.options.plan.paths[0], self.options.store)

    def _open_cleaner(self) -> Cleaner:
        if self._cleaner is None:
            store = self.options.store
            pooled = replace(store, connections=max(store.connections, CLEAN_THREADS))
            self._cleaner = Cleaner(open_store(self.options.plan.paths[0], pooled), self.root, self.options.stream)
        return self._cleaner

    def _lists(self, offset: Offset | None = None) -> Listings:
        if self._listings is None:
            store = self._store()
            layout: Layout = resolve_layout(store, self.options)
            if offset is not None and not layout.columns and self.options.plan.layout is None:
                # All files may have been deleted since the last batch, whose columns then tell the Hive directories.
                known = hive_layout(offset.batch.columns, self.options.time.zone)
                layout = known if offset.layout in ("", known.digest) else layout
            # These are created here, too, so that an impossible schema or archive fails before the first batch.
            columns = self.reader.columns(layout.columns)
            if self.options.stream.clean_source != "off":
                self._open_cleaner()
            filters = self.reader.file_filters(columns)
            self._listings = Listings(store, self.options, self.root, layout, filters)
        return self._listings
