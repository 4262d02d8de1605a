"""Listing of the files that a query reads, with each write job's files complete or absent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark_logs.errors import PathNotFoundError
from pyspark_logs.jobs import Snapshot, take_snapshot
from pyspark_logs.layout import Layout
from pyspark_logs.options import ReadOptions
from pyspark_logs.planning.commit_roots import LoadPathRoots
from pyspark_logs.planning.file_table import FileTable
from pyspark_logs.planning.globs import Glob, is_glob
from pyspark_logs.planning.listing_result import ListedFile, ListingResult
from pyspark_logs.planning.listing_tree import ListingNode, ListingTree
from pyspark_logs.planning.load_paths import LoadPath, find_load_path, resolve_load_paths
from pyspark_logs.planning.prefix_walk import PrefixWalk
from pyspark_logs.planning.selection import NO_FILTERS, UNBOUNDED, FileFilters, Selection, Window
from pyspark_logs.planning.threads import LIST_THREADS, run_in_threads
from pyspark_logs.store import Store, StoredFile
from pyspark_logs.store.parallel import in_parallel
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)

# Prefixes kept in a report.
MAX_PREFIXES = 100


@dataclass(frozen=True)
class PlanReport:
    """Counts of a listing.

    ``skipped_*`` and ``pruned_*`` count listed files that are not read. Files below prefixes that were never listed are
    not counted.

    Attributes:
        list_calls: list requests.
        prefixes_listed: listed prefixes, sorted, at most ``MAX_PREFIXES``.
        files_listed: listed files.
        files_planned: files to read.
        bytes_planned: stored size of the files to read.
        directories_pruned: directories that were seen and not listed.
        skipped_empty: files of size 0.
        skipped_hidden: files with a name in their path that begins with ``_`` or ``.``.
        skipped_links: symbolic links without a target, or to a directory above them, on local file systems.
        skipped_by_layout: files that do not fit the layout.
        pruned_by_time: files outside the time range.
        pruned_by_partition: files of other partitions.
        pruned_by_glob: files that ``pathGlobFilter`` does not match.
        pruned_by_modified: files outside the range of modification times.
        skipped_uncommitted: files of write jobs that are not committed, and files that an overwrite replaced.
        duplicates: files listed again below another load path.
        skipped_unwanted: files that the caller does not want; a stream does not want those that it has processed.
    """

    list_calls: int = 0
    prefixes_listed: tuple[str, ...] = ()
    files_listed: int = 0
    files_planned: int = 0
    bytes_planned: int = 0
    directories_pruned: int = 0
    skipped_empty: int = 0
    skipped_hidden: int = 0
    skipped_links: int = 0
    skipped_by_layout: int = 0
    pruned_by_time: int = 0
    pruned_by_partition: int = 0
    pruned_by_glob: int = 0
    pruned_by_modified: int = 0
    skipped_uncommitted: int = 0
    duplicates: int = 0
    skipped_unwanted: int = 0


@dataclass(frozen=True)
class Listing:
    """The files of one listing, consistent with one moment.

    Attributes:
        files: files sorted by path, each with its layout match.
        report: counts of the listing.
        decided_ms: modification time of each job's record by the store's clock, by job id, for records still kept.
        selection: criteria of the files, without those of the caller's ``wanted``.
    """

    files: FileTable
    report: PlanReport
    decided_ms: Mapping[str, int]
    selection: Selection


def list_files(
    store: Store,
    options: ReadOptions,
    layout: Layout,
    filters: FileFilters = NO_FILTERS,
    *,
    open_window: Window = UNBOUNDED,
    missing_ok: bool = False,
    wanted: Callable[[StoredFile], bool] | None = None,
    threads: int = LIST_THREADS,
) -> Listing:
    """Lists the files to read; the files of a write job are all included, or none of them.

    Args:
        store: store of the load paths.
        options: load paths, file filters, ``startTime`` and ``endTime``, slack.
        layout: layout from :func:`~pyspark_logs.planning.layout_inference.resolve_layout`.
        filters: filters of the query, which narrow those of the options.
        open_window: time range of the layout intervals that can have received files since an earlier listing.
        wanted: predicate that is false for files to omit, so that they take no memory; None if there are none.
        missing_ok: True to treat load paths that do not exist, and globs that match nothing, as empty.
        threads: number of list requests at the same time.

    Raises:
        PathNotFoundError: a load path does not exist, or a glob matches nothing, and ``missing_ok`` is False.
        OptionError: a glob is malformed.
        SnapshotChangedError: overwrites were committed during each listing, or each listing took too long.
        StoreError: the store refused or failed.
    """
    selection = _selection(options, layout, filters, open_window)
    walk = PrefixWalk(store, ListingTree(dataclasses.replace(selection, wanted=wanted)))
    load_paths, calls = resolve_load_paths(store, options.plan.paths, threads)

    def list_data() -> ListingResult:
        result = ListingResult()
        if not selection.window.is_empty:
            nodes = [
                ListingNode(path.path, path.path, load_path=path.index) for path in load_paths if path.file is None
            ]
            for part in run_in_threads(walk.visit, nodes, threads):
                result.merge(part)
        unlisted_files = _check_unlisted(store, options.plan.paths, load_paths, result, threads, missing_ok=missing_ok)
        for path in (*load_paths, *unlisted_files):
            if path.file is not None:
                result.merge(walk.select_named(path.file, path.index))
        return result

    snapshot = take_snapshot(
        store,
        LoadPathRoots(store, load_paths, threads),
        list_data,
        retries=options.plan.snapshot_retries,
        longest_s=options.plan.record_retention_us / 2e6,
        threads=threads,
    )
    snapshot.listing.counts += calls
    return _listing_of(snapshot, layout, selection)


def _listing_of(snapshot: Snapshot[ListingResult, ListedFile], layout: Layout, selection: Selection) -> Listing:
    """Returns the visible files with their report, and logs the files that the layout or the file system excluded."""
    result = snapshot.listing
    result.counts["list_calls"] += snapshot.list_calls
    result.counts["skipped_uncommitted"] += snapshot.hidden
    if snapshot.files:  # the explanation of a listing without files names an example, too
        _warn_of_unmatched(result, layout)
    _warn_of_skipped_links(result)
    files = result.files.distinct(listed.row for listed in snapshot.files)
    report = _report(result, files, len(snapshot.files) - len(files))
    decided_ms: dict[str, int] = {}
    for commits in snapshot.commits.values():
        decided_ms |= commits.listing.records
    return Listing(files, report, decided_ms, selection)


def _selection(options: ReadOptions, layout: Layout, filters: FileFilters, open_window: Window) -> Selection:
    """Returns the criteria of :func:`list_files`, which has the same arguments."""
    window = Window(options.time.start_us, options.time.end_us).intersect(filters.window)
    given = options.time.slack_us
    slack_us = 0 if filters.whole_files else layout.default_slack_us if given is None else given
    lower = {name.lower(): values for name, values in filters.allowed.items()}
    glob = options.plan.path_glob
    return Selection(
        layout=layout,
        window=window.widen(slack_us),
        allowed={name: lower[name.lower()] for name in layout.columns if name.lower() in lower},
        open_window=open_window,
        by_start=filters.whole_files,
        name=None if glob is None else Glob(glob),
        modified_after_ms=options.plan.modified_after_ms,
        modified_before_ms=options.plan.modified_before_ms,
    )


def _check_unlisted(
    store: Store,
    paths: Sequence[str],
    load_paths: Sequence[LoadPath],
    result: ListingResult,
    threads: int,
    *,
    missing_ok: bool,
) -> list[LoadPath]:
    """Checks that the load paths without any listed file or directory exist; returns those that are files.

    Raises:
        PathNotFoundError: a load path does not exist, and ``missing_ok`` is False.
    """
    existing = result.load_paths | {path.index for path in load_paths if path.is_known}
    unlisted = [path for path in load_paths if path.index not in existing]
    files: list[LoadPath] = []
    found = in_parallel(lambda path: find_load_path(store, path), unlisted, threads)
    for path, (file, is_directory, calls) in zip(unlisted, found, strict=True):
        result.counts["list_calls"] += calls
        if file is not None:
            files.append(LoadPath(file.path, path.index, file))
        if file is not None or is_directory:
            existing.add(path.index)
    for index, text in enumerate(paths):
        if index not in existing and not missing_ok:
            problem = "the glob matches nothing" if is_glob(text) else "there is no such file or directory"
            raise PathNotFoundError(
                f"cannot read {text}: {problem}. {_advice(text)}Check the spelling of bucket and directory; for data that comes later,"
                " name a parent directory that is there, with startTime and a layout."
            )
    return files


def _advice(path: str) -> str:
    """Returns the advice for a path that does not exist, if its text shows the mistake; else an empty string."""
    if "**" in path:
        return "'**' matches within one directory, as '*' does; a directory is read with all that is below it. "
    if "," in path and "{" not in path:
        return 'The comma is part of the name; several paths are a list: ["a", "b"]. '
    if is_glob(path):
        return "If the characters * ? [ { \\ are part of the name, write a backslash before each of them. "
    return ""


def _report(result: ListingResult, files: FileTable, duplicates: int) -> PlanReport:
    names = {field.name for field in dataclasses.fields(PlanReport)}
    return PlanReport(
        **{name: count for name, count in result.counts.items() if name in names},
        prefixes_listed=tuple(sorted(result.prefixes)[:MAX_PREFIXES]),
        files_planned=len(files),
        bytes_planned=sum(files.sizes),
        duplicates=duplicates,
    )


def _warn_of_unmatched(result: ListingResult, layout: Layout) -> None:
    count = result.counts["skipped_by_layout"]
    if count:
        _log.warning(
            "%d of %d files listed do not fit the layout %r and are not read, %r among them",
            count, result.counts["files_listed"], layout.text, result.unmatched_path,
        )  # fmt: skip


def _warn_of_skipped_links(result: ListingResult) -> None:
    if result.skipped_link:
        _log.warning(
            "%d symbolic links have no target or lead to a directory above them and are not read, %r among them",
            result.counts["skipped_links"], result.skipped_link,
        )  # fmt: skip
