"""Planning: which files a query reads, found with few list requests, cut and packed into tasks.

::

    layout = resolve_layout(store, options)
    plan = plan(store, options, layout=layout, allowed={"team": {"web"}})

Inside, imports run one way: this module -> ``snapshot`` -> ``roots`` -> ``listing`` -> ``selection`` -> ``globs``;
``packing`` stands beside them.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark_logs.errors import PathNotFoundError
from pyspark_logs.layout import Layout, LayoutMatch, hive_layout, is_hidden
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning.globs import Glob, is_glob
from pyspark_logs.planning.listing import Found, Place, Walk, work_through
from pyspark_logs.planning.packing import FileSplit, Task, pack, split_files
from pyspark_logs.planning.roots import Root, exists, find_roots
from pyspark_logs.planning.selection import Allowed, Selection, Window
from pyspark_logs.planning.snapshot import visible_found
from pyspark_logs.store import Page, Store, StoredFile

__all__ = [
    "Allowed",
    "FileSplit",
    "Listing",
    "Plan",
    "PlanReport",
    "Task",
    "list_files",
    "pack",
    "plan",
    "plan_files",
    "resolve_layout",
    "split_files",
]

_log = logging.getLogger(__name__)

PlannedFile = tuple[StoredFile, LayoutMatch]


@dataclass(frozen=True)
class PlanReport:
    """What planning did and what it left out.

    ``skipped_*`` and ``pruned_*`` count files that were listed and are not read; what lies below
    prefixes that were never listed is not counted, that is the point of not listing them.

    Attributes:
        list_calls: list requests.
        prefixes_listed: the prefixes asked for, sorted, at most ``MOST_PREFIXES`` of them.
        files_listed: files that listings brought.
        files_planned: files that are read.
        bytes_planned: their size as stored.
        directories_pruned: directories seen and not entered.
        skipped_empty: files of no bytes.
        skipped_hidden: names that begin with ``_`` or ``.``.
        skipped_by_layout: keys that do not fit the layout.
        pruned_by_time: files outside the time range.
        pruned_by_partition: files of other partitions.
        pruned_by_glob: names that ``pathGlobFilter`` does not match.
        pruned_by_modified: files not modified in the range asked for.
        skipped_uncommitted: files of write jobs that are not committed (yet), and files that an overwrite replaced.
        duplicates: files that several load paths named; read once.
    """

    list_calls: int = 0
    prefixes_listed: tuple[str, ...] = ()
    files_listed: int = 0
    files_planned: int = 0
    bytes_planned: int = 0
    directories_pruned: int = 0
    skipped_empty: int = 0
    skipped_hidden: int = 0
    skipped_by_layout: int = 0
    pruned_by_time: int = 0
    pruned_by_partition: int = 0
    pruned_by_glob: int = 0
    pruned_by_modified: int = 0
    skipped_uncommitted: int = 0
    duplicates: int = 0


MOST_PREFIXES = 100


@dataclass(frozen=True)
class Plan:
    """What to read: one :class:`Task` per Spark partition."""

    tasks: tuple[Task, ...]
    report: PlanReport
    layout: Layout

    @property
    def layout_columns(self) -> tuple[str, ...]:
        """Names of the values in :attr:`FileSplit.partition_values`."""
        return self.layout.columns


def resolve_layout(store: Store, options: ReadOptions) -> Layout:
    """The layout given as an option, else that of Hive's ``key=value`` directories, else flat.

    Directories count as Hive's if all that are at their level are named by one key and no data file
    lies beside them: then no file is left out for not fitting.

    Raises:
        LayoutError: the option is malformed.
    """
    zone = options.time.zone
    if options.plan.layout is not None:
        return Layout.parse(options.plan.layout, zone)
    roots, _ = find_roots(store, options.plan.paths[:1])
    prefix = next((root.path for root in roots if root.file is None), None)
    keys: list[str] = []
    while prefix is not None:
        page = store.page(prefix, recursive=False)
        key = None if any(file.size and not is_hidden(_name(file.path)) for file in page.files) else _hive_key(page)
        if key is None or key.lower() in (known.lower() for known in keys):
            break
        keys.append(key)
        prefix = next(path for path in page.directories if not is_hidden(_name(path)))
    return hive_layout(keys, zone)


def _hive_key(page: Page) -> str | None:
    """The key that all directories of a page are named by, as ``key=value``."""
    pairs = [_name(path).partition("=") for path in page.directories if not is_hidden(_name(path))]
    keys = {key for key, equals, value in pairs if equals and value}
    whole = all(equals and value for _, equals, value in pairs)
    return keys.pop() or None if whole and len(keys) == 1 else None


@dataclass(frozen=True)
class Listing:
    """The files of one listing, as one moment shows them.

    Attributes:
        files: sorted by path, each with what the layout says about it.
        report: what it took, and what was left out.
        decided_ms: job of ours -> when its record was written, by the store's clock; only while the record is kept.
    """

    files: list[PlannedFile]
    report: PlanReport
    decided_ms: Mapping[str, int]


def plan_files(
    store: Store,
    options: ReadOptions,
    layout: Layout,
    *,
    start_us: int | None = None,
    end_us: int | None = None,
    allowed: Mapping[str, Allowed] | None = None,
    whole_files: bool = False,
) -> tuple[list[PlannedFile], PlanReport]:
    """The files to read and what planning them took: :func:`list_files` without the rest."""
    listing = list_files(
        store, options, layout, start_us=start_us, end_us=end_us, allowed=allowed, whole_files=whole_files
    )
    return listing.files, listing.report


def list_files(
    store: Store,
    options: ReadOptions,
    layout: Layout,
    *,
    start_us: int | None = None,
    end_us: int | None = None,
    allowed: Mapping[str, Allowed] | None = None,
    whole_files: bool = False,
) -> Listing:
    """The files to read, of each write job all or none.

    Args:
        store: where the load paths are.
        options: load paths, file filters, ``startTime``/``endTime``, slack.
        layout: from :func:`resolve_layout`.
        start_us: narrows the time range of the options, from pushed filters.
        end_us: likewise, exclusive.
        allowed: partition column to wanted values (a collection, or a test); None is the null
            partition. Names match without case, those the layout lacks are left alone.
        whole_files: the format has no time column, so files are filtered whole: a file counts at the
            start of its layout interval, else at its modification time, without slack.

    Raises:
        PathNotFoundError: a load path is not there, or a glob matches nothing.
        OptionError: a malformed glob.
        SnapshotChangedError: writers overwrote what was listed, each time it was listed.
        StoreError: the store refused or failed.
    """
    window = _range(options, start_us, end_us)
    walk = Walk(store, _selection(options, layout, window, allowed or {}, whole_files))
    roots, calls = find_roots(store, options.plan.paths)

    def walk_all() -> Found:
        found = Found()
        if not window.is_empty:
            places = [Place(root.path, root.path, source=root.source) for root in roots if root.file is None]
            for more in work_through(walk.visit, places):
                found.merge(more)
        for root in (*roots, *_check_unseen(store, options.plan.paths, roots, found)):
            if root.file is not None:
                found.merge(walk.take_named(root.file, root.source))
        return found

    found = visible_found(store, options.plan, roots, walk_all)
    found.counts += calls

    # Overlapping load paths find a file more than once: the first of them says how it is read.
    found.files.sort(key=lambda item: (item[0].path, item[2]))
    files = {file.path: (file, match) for file, match, _ in reversed(found.files)}
    _log_unmatched(found, layout)
    report = _report(found, [file for file, _ in files.values()])
    return Listing(sorted(files.values(), key=lambda item: item[0].path), report, found.decided_ms)


def plan(
    store: Store,
    options: ReadOptions,
    *,
    layout: Layout | None = None,
    start_us: int | None = None,
    end_us: int | None = None,
    allowed: Mapping[str, Allowed] | None = None,
    whole_files: bool = False,
    splittable: Callable[[str], bool] | None = None,
) -> Plan:
    """Everything from load paths to tasks: :func:`plan_files`, then cut and packed.

    Args:
        store: where the load paths are.
        options: as for :func:`plan_files`, and the sizes of tasks.
        layout: from :func:`resolve_layout`, which is asked if it is not given.
        start_us: as for :func:`plan_files`.
        end_us: as for :func:`plan_files`.
        allowed: as for :func:`plan_files`.
        whole_files: as for :func:`plan_files`.
        splittable: whether a path's file can be read from the middle: it is not compressed. Not given: none can.

    Raises:
        PathNotFoundError: a load path is not there, or a glob matches nothing.
    """
    layout = resolve_layout(store, options) if layout is None else layout
    files, report = plan_files(
        store, options, layout, start_us=start_us, end_us=end_us, allowed=allowed, whole_files=whole_files
    )
    limit = options.plan.max_partition_bytes
    splits = split_files(files, max_bytes=limit, splittable=splittable or (lambda _: False))
    return Plan(pack(splits, max_bytes=limit, open_cost_bytes=options.plan.open_cost_bytes), report, layout)


def _range(options: ReadOptions, start_us: int | None, end_us: int | None) -> Window:
    """The time asked for by options and filters together, without slack."""
    starts = [value for value in (options.time.start_us, start_us) if value is not None]
    ends = [value for value in (options.time.end_us, end_us) if value is not None]
    return Window(max(starts, default=None), min(ends, default=None))


def _selection(
    options: ReadOptions, layout: Layout, window: Window, allowed: Mapping[str, Allowed], whole_files: bool
) -> Selection:
    given = options.time.slack_us
    slack_us = 0 if whole_files else layout.default_slack_us if given is None else given
    lower = {name.lower(): values for name, values in allowed.items()}
    glob = options.plan.path_glob
    return Selection(
        layout=layout,
        window=window.widen(slack_us),  # the one place where slack comes in
        allowed={name: lower[name.lower()] for name in layout.columns if name.lower() in lower},
        by_start=whole_files,
        name=None if glob is None else Glob(glob),
        modified_after_ms=options.plan.modified_after_ms,
        modified_before_ms=options.plan.modified_before_ms,
    )


def _check_unseen(store: Store, paths: Sequence[str], roots: Sequence[Root], found: Found) -> list[Root]:
    """Check the load paths of which no listing saw anything; the roots that are files after all.

    Raises:
        PathNotFoundError: nothing is at one of them.
    """
    seen = found.sources | {root.source for root in roots if root.known}
    doubtful = [root for root in roots if root.source not in seen]
    files: list[Root] = []
    for root, (file, is_directory, calls) in work_through(lambda root: ((root, exists(store, root)), ()), doubtful):
        found.counts["list_calls"] += calls
        if file is not None:
            files.append(Root(file.path, root.source, file))
        if file is not None or is_directory:
            seen.add(root.source)
    for source, path in enumerate(paths):
        if source not in seen:
            what = "the glob matches nothing" if is_glob(path) else "there is no such file or directory"
            raise PathNotFoundError(
                f"cannot read {path}: {what}. Check the spelling of bucket and directory; for data that comes later, "
                "name a parent directory that is there, with startTime and a layout."
            )
    return files


def _report(found: Found, files: Sequence[StoredFile]) -> PlanReport:
    names = {field.name for field in dataclasses.fields(PlanReport)}
    return PlanReport(
        **{name: count for name, count in found.counts.items() if name in names},
        prefixes_listed=tuple(sorted(found.prefixes)[:MOST_PREFIXES]),
        files_planned=len(files),
        bytes_planned=sum(file.size for file in files),
        duplicates=len(found.files) - len(files),
    )


def _log_unmatched(found: Found, layout: Layout) -> None:
    count = found.counts["skipped_by_layout"]
    if count:
        _log.warning(
            "%d of %d files listed do not fit the layout %r and are not read, %s among them",
            count, found.counts["files_listed"], layout.text, found.unmatched,
        )  # fmt: skip


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
