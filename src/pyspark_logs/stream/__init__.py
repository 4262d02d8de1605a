"""Streams: new files as they land. It knows no Spark.

::

    stream = LogStream(options, "ts timestamp, message string")
    start = stream.initial_offset()
    end = stream.latest_offset(start, max_files=1000, max_bytes=None)
    tasks = stream.plan_batch(start, end)      # lists nothing: the batch is in the offset
    stream.commit_batch(end)

What an offset is and promises stands in :mod:`pyspark_logs.offsets`; here it is fed with listings. What is kept in
memory only saves listings: a stream that starts anew from an offset gives the same files.

Inside, imports run one way: this module -> ``listings``, ``cleaning``.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from pyspark_logs.column_sources import resolve_columns
from pyspark_logs.layout import Layout, LayoutMatch
from pyspark_logs.offsets import Offset, PollRules, poll
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning import pack, resolve_layout, split_files
from pyspark_logs.reader import LogReader, ReadTask
from pyspark_logs.store import Store, StoredFile, open_store
from pyspark_logs.stream.cleaning import Cleaner
from pyspark_logs.stream.listings import Listings, Root

_log = logging.getLogger(__name__)


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class LogStream:
    """One streaming query over files that land below its load paths.

    Args:
        options: checked options.
        schema_ddl: the columns asked for, as Spark DDL.
    """

    def __init__(self, options: ReadOptions, schema_ddl: str) -> None:
        self.reader = LogReader(options, schema_ddl)
        self.options = self.reader.options
        self.root = Root.of(self.options.plan.paths)
        self.identity = "key+etag" if self.options.stream.allow_overwrites else "key"
        self._forget()

    def _forget(self) -> None:
        """State that saves requests; none of it travels."""
        self._lock = threading.Lock()
        self._initial: dict[str, Any] | None = None
        self._listings: Listings | None = None
        self._cleaner: Cleaner | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"options": self.options, "schema_ddl": self.reader.schema_ddl}

    def __setstate__(self, state: dict[str, Any]) -> None:
        LogStream.__init__(self, state["options"], state["schema_ddl"])

    # --- where the stream is ---------------------------------------------------------------------------------

    def initial_offset(self) -> dict[str, Any]:
        """Where a new query begins: before everything, after what is there, or at a time. It does not move.

        Raises:
            PathNotFoundError: a load path is not there.
            StoreError: the store refused or failed.
        """
        with self._lock:
            if self._initial is None:
                starting, context = self.options.stream.starting, now_ms()
                listing = self._lists().everything(context) if starting == "latest" else ()
                self._initial = Offset.initial(
                    self.root.text,
                    self.identity,
                    starting=starting,
                    starting_ms=self.options.stream.starting_ms,
                    listing=listing,
                    now_ms=context,
                    window_ms=self._rules(None, None).window_ms,
                ).to_dict()
            return self._initial

    def latest_offset(self, start: dict[str, Any], *, max_files: int | None, max_bytes: int | None) -> dict[str, Any]:
        """Poll: the offset behind the next batch, or ``start`` itself where nothing is new.

        Args:
            start: where the query is.
            max_files: of the batch; None: all there are.
            max_bytes: as stored; one file at least, however large.

        Raises:
            OptionError: ``start`` is not an offset of this query.
            PathNotFoundError: a load path is not there.
            SnapshotChangedError: see :func:`pyspark_logs.planning.list_files`.
            StoreError: the store refused or failed.
        """
        with self._lock:
            offset = self._offset(start)
            found = self._lists().poll(offset, max_files)
            after = poll(offset, found.files, found.listed_ms, self._rules(max_files, max_bytes))
            if after is offset:
                return start
            return found.with_rest(after).to_dict()

    def freeze(self) -> None:
        """From now on, only what is there now: ``Trigger.AvailableNow`` ends when that is read."""
        with self._lock:
            self._lists().freeze()

    def newest(self) -> dict[str, Any] | None:
        """How far the stream could be by its last listing, for the progress of the query; None: nothing was listed yet."""
        return None if self._listings is None else self._listings.newest()

    # --- batches -----------------------------------------------------------------------------------------------

    def plan_batch(self, start: dict[str, Any], end: dict[str, Any]) -> tuple[ReadTask, ...]:
        """The tasks of the batch between two offsets: a function of its arguments, which asks no store.

        Raises:
            OptionError: ``end`` is not an offset of this query.
            SchemaError: a column that neither the format nor the path has.
        """
        if start == end:
            return ()
        batch = self._offset(end).batch
        target = self.reader.target()
        resolve_columns(self.options, target, batch.columns)
        files = [
            (
                StoredFile(self.root.path_of(mark.key), mark.size, mark.modified_ms, mark.etag),
                LayoutMatch(mark.layout_start_us, mark.layout_end_us, mark.values),
            )
            for mark in batch.files
        ]
        plan = self.options.plan
        splits = split_files(files, max_bytes=plan.max_partition_bytes, splittable=self.reader.text.splittable)
        tasks = pack(splits, max_bytes=plan.max_partition_bytes, open_cost_bytes=plan.open_cost_bytes)
        return tuple(ReadTask(task.splits, batch.columns, batch.slack_us) for task in tasks)

    def commit_batch(self, end: dict[str, Any]) -> None:
        """A batch is done: archive or delete its files, if that is asked for. Never fails; what went wrong is logged."""
        if self.options.stream.clean_source == "off":
            return
        if self._cleaner is None:
            self._cleaner = Cleaner(self._store(), self.root, self.options.stream)
        self._cleaner.committed(self._offset(end).batch, now_ms())

    # --- parts -------------------------------------------------------------------------------------------------

    def _offset(self, value: dict[str, Any]) -> Offset:
        return Offset.from_dict(value, root=self.root.text, identity=self.identity)

    def _rules(self, max_files: int | None, max_bytes: int | None) -> PollRules:
        return PollRules(
            window_ms=self._lists().window_ms(),
            lateness_ms=-(-self.options.stream.lateness_us // 1000),
            settle_ms=-(-self.options.stream.settle_us // 1000),
            max_files=max_files,
            max_bytes=max_bytes,
        )

    def _store(self) -> Store:
        return open_store(self.options.plan.paths[0], self.options.store)

    def _lists(self) -> Listings:
        if self._listings is None:
            store = self._store()
            layout: Layout = resolve_layout(store, self.options)
            # Checked here, too, so that what cannot work fails before any batch.
            columns = resolve_columns(self.options, self.reader.target(), layout.columns)
            self._listings = Listings(store, self.options, self.root, layout, whole_files=columns.time is None)
        return self._listings
