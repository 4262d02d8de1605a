"""The actors of the explorer: writers, readers, recoveries and vacuums, which run the code of the package.

An actor is run with a :class:`ReplayStore`, which returns the answers that the actor has had so far and stops it at its next
request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pyspark_logs import commit as protocol
from pyspark_logs.commit import CommitSettings, publication
from pyspark_logs.errors import AccessDeniedError, LogSourceError, PathNotFoundError, SnapshotChangedError, StoreError
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.jobs import Job, StagedFile, Transaction, part_name
from pyspark_logs.layout import LayoutMatch, hive_layout
from pyspark_logs.offsets import BatchPlan
from pyspark_logs.options import ReadOptions, parse_read_options
from pyspark_logs.planning import FileFilters, list_files, resolve_layout
from pyspark_logs.split_reader import SplitObserver, SplitReader
from pyspark_logs.store import StoredFile
from pyspark_logs.stream import missing_files
from pyspark_logs.stream.batch_planning import batch_tasks
from pyspark_logs.task_reader import ReadTask
from tests.protocol.store import NOW_MS, RequestStore

ABOVE = "s3://b/"
ROOT = "s3://b/t/"
DIRECTORIES = ("p=1/", "p=2/")
NESTED_ROOT = ROOT + "p=1/"
COMMITS = ROOT + "_commits/"
ENDED = Transaction.of_id("ended")
SETTINGS = CommitSettings(threads=1, snapshot_retries=1)
# Retention of zero: records are dropped as soon as the protocol allows it. The explorer enforces its assumption about time.
LASTING = CommitSettings(threads=1, record_retention_us=10**17, txn_retention_us=10**17)
SWEEPING = CommitSettings(threads=1, record_retention_us=0, txn_retention_us=10**18)


# Path and etag of each visible file.
View = frozenset[tuple[str, str]]


class Ask(BaseException):
    """The next request of an actor: a BaseException, which no handler of the code under test catches."""

    def __init__(self, call: tuple[Any, ...]) -> None:
        self.call = call


class UnreadableResponseError(Exception):
    """An error of another class than those of stores, such as the KeyError of a driver that cannot read a response."""


@dataclass(frozen=True)
class Raised:
    """An answer that raises an error of a class."""

    failure: type[Exception] = StoreError


class ReplayStore(RequestStore):
    """A store that returns given answers and stops the actor at the request after them."""

    def __init__(self, answers: list[Any], in_order: bool, page_size: int) -> None:
        # super().__init__() is not called: it takes longer than a run of an actor.
        self.answers = iter(answers)
        self.in_order = in_order
        self.page_size = page_size

    @property
    def lists_in_order(self) -> bool:
        return self.in_order

    @property
    def request_counts(self) -> Counter[str]:
        return Counter()

    def _request(self, name: str, *args: Any) -> Any:
        for answer in self.answers:
            if isinstance(answer, Raised):
                raise answer.failure("injected")
            return answer
        raise Ask((name, *args))


class RestrictedStore(RequestStore):
    """A store that refuses the listings of an actor whose rights end at a prefix."""

    def __init__(self, store: RequestStore, rights: str) -> None:
        self.store = store
        self.rights = rights
        self.page_size = store.page_size

    @property
    def lists_in_order(self) -> bool:
        return self.store.lists_in_order

    @property
    def request_counts(self) -> Counter[str]:
        return Counter()

    def _request(self, name: str, *args: Any) -> Any:
        if name == "list_page" and not args[0].startswith(self.rights):
            raise AccessDeniedError(f"cannot list {args[0]}")
        return self.store._request(name, *args)


@dataclass(frozen=True)
class Writer:
    """A driver that calls commit(), and abort() if commit() raises, as Spark does.

    Attributes:
        name: name in traces.
        job: job of the driver.
        files: staged files.
        settings: settings of the commit.
    """

    name: str
    job: Job
    files: tuple[StagedFile, ...]
    settings: CommitSettings = SETTINGS

    kind = "writer"

    def run(self, store: RequestStore) -> tuple[str, str]:
        try:
            result = protocol.commit(store, self.job, self.files, self.settings)
        except (LogSourceError, OSError, UnreadableResponseError) as error:
            try:
                protocol.abort(store, self.job, self.files, self.settings)
            except (StoreError, UnreadableResponseError):
                return "raised and not aborted", type(error).__name__
            return "raised", type(error).__name__
        return "returned", result.outcome


@cache
def _read_options(paths: tuple[str, ...], layout: str | None) -> ReadOptions:
    given = {"json": "true", "paths": list(paths), "snapshotRetries": "0"}
    return parse_read_options(given if layout is None else {**given, "layout": layout})


@dataclass(frozen=True)
class Reader:
    """A reader, or a poll of a stream. Runs ``planning.list_files`` with one list request at a time.

    Attributes:
        name: name in traces.
        paths: load paths.
        layout: layout option; ``None`` for a flat layout.
        allowed: partition column with its selected values, for which the walk constructs prefixes, or with a predicate,
            for which it discovers them.
        rights: prefix at which the rights of the reader end; empty without a limit.
        missing_ok: True if a load path may be missing, as in a running stream.
    """

    name: str = "reader"
    paths: tuple[str, ...] = (ROOT,)
    layout: str | None = "p={p}"
    allowed: tuple[str, Any] | None = ("p", ("1", "2"))
    rights: str = ""
    missing_ok: bool = False

    kind = "reader"

    def run(self, store: RequestStore) -> tuple[str, Any]:
        if self.rights:
            store = RestrictedStore(store, self.rights)
        options = _read_options(self.paths, self.layout)
        layout = hive_layout((), "UTC") if self.layout is None else resolve_layout(store, options)
        filters = FileFilters(allowed=dict([self.allowed] if self.allowed else []))
        try:
            files = list_files(store, options, layout, filters, missing_ok=self.missing_ok, threads=1).files
        except SnapshotChangedError:
            return "starts again", None
        except PathNotFoundError:
            files = []
        return "saw", frozenset((file.path, file.etag) for file, _ in files)

    def part_of(self, view: View) -> View:
        """Returns the part of a view that is below the load paths."""
        return frozenset(item for item in view if item[0].startswith(self.paths))


def flat_reader(name: str, *paths: str) -> Reader:
    """Returns a reader that lists each load path as a whole."""
    return Reader(name, paths, None, None)


def reader_above(name: str = "reader") -> Reader:
    """Returns a reader of the directory above the root, which discovers the root and its directories."""
    return Reader(name, (ABOVE,), "{root}/{directory}", ("directory", _is_data_directory))


def _is_data_directory(name: str | None) -> bool:
    return name is not None and name.startswith("p=")


@dataclass(frozen=True)
class StreamReader(Reader):
    """A stream with ``ignoreMissingFiles`` that takes one batch, with a task for each file.

    A query that failed is started again: it plans the same batch again, whose files its checkpoint holds.
    """

    name: str = "stream"

    def run(self, store: RequestStore) -> tuple[str, Any]:
        how, view = super().run(store)
        if how != "saw" or not view:
            return how, view
        files = [(StoredFile(path, 1, NOW_MS, etag), LayoutMatch()) for path, etag in sorted(view)]
        options = _stream_options()
        planned = batch_tasks(BatchPlan(), files, options.plan, splittable=lambda _: False)
        assert len(planned) == len(files)
        for _ in range(1 + len(files)):  # each failure is that of another file
            try:
                return "read", (
                    view,
                    frozenset(_read_tasks(store, missing_files.skip_missing_files(store, planned, 1))),
                )
            except SnapshotChangedError:
                continue
        return "failed", view


class _SkipObserver(SplitObserver):
    """Counts the files that a split reader skips."""

    def __init__(self) -> None:
        self.skipped: set[str] = set()

    def record_skip(self, path: str, problem: str) -> None:
        self.skipped.add(path)


def _read_tasks(store: RequestStore, tasks: Iterable[ReadTask]) -> set[str]:
    """Reads the splits of tasks one after another; returns the paths of the files that were read."""
    options, observer = _stream_options(), _SkipObserver()
    form, context = resolve_format(options.format), TimestampContext()
    paths = set()
    for task in tasks:
        for split in task.remaining_splits():
            for _ in SplitReader(form, options, store, split, context, None, task.in_stream, observer).blocks():
                pass
            paths.add(split.path)
    return paths - observer.skipped


@cache
def _stream_options() -> ReadOptions:
    # Files have no content here, which is no text of gzip.
    given = {
        "json": "true",
        "path": ROOT,
        "ignoreMissingFiles": "true",
        "maxPartitionBytes": "1",
        "compression": "none",
    }
    return parse_read_options(given)


@dataclass(frozen=True)
class OverwriteReader(Reader):
    """An overwrite that only lists the files that it would replace."""

    def run(self, store: RequestStore) -> tuple[str, Any]:
        job = Job.start(ROOT, random="reader", now_us=9, mode="overwrite", scope="partitions")
        files = [StagedFile(directory + "file", "", (), 1, 1) for directory in DIRECTORIES]
        settings = CommitSettings(threads=1, snapshot_retries=0)
        try:
            replaced = publication.find_replaced(store, job, files, settings, publication.Table())
        except SnapshotChangedError:
            return "starts again", None
        return "saw", frozenset((ROOT + file.key, file.etag) for file in replaced)


@dataclass(frozen=True)
class Recovery:
    """A recovery of all jobs of the root, or of one job."""

    name: str = "recovery"
    job: str | None = None

    kind = "recovery"

    def run(self, store: RequestStore) -> tuple[str, Any]:
        report = protocol.recover(store, ROOT, older_than_us=0, job=self.job, settings=SETTINGS)
        return "recovered", bool(report.failed)


@dataclass(frozen=True)
class Vacuum:
    """A vacuum that drops everything as soon as the protocol allows it."""

    name: str = "vacuum"

    kind = "vacuum"

    def run(self, store: RequestStore) -> tuple[str, Any]:
        protocol.vacuum(store, ROOT, older_than_us=0, settings=SWEEPING)
        return "vacuumed", None


@dataclass(frozen=True)
class OtherProgram:
    """Another program, which writes a new version of a file that no job wrote."""

    name: str = "other program"

    kind = "other program"

    def run(self, store: RequestStore) -> tuple[str, Any]:
        store.put(ROOT + "p=1/unmanaged.log", b"second")
        return "wrote", None


Actor = Writer | Reader | Recovery | Vacuum | OtherProgram


def writer(
    number: int,
    mode: str = "append",
    *,
    transaction: Transaction | None = None,
    files: int = 2,
    scope: str = "partitions",
    settings: CommitSettings = SETTINGS,
    root: str = ROOT,
    directory: str = "",
) -> Writer:
    """Returns a writer of one staged file in each of the first ``files`` directories, or in a directory of another root."""
    job = Job.start(root, random=f"seed{number}", now_us=number, mode=mode, scope=scope, transaction=transaction)
    staged = tuple(
        StagedFile(f"{directory}{part_name(0, 0, job.id, n, 'gz')}", f"u{number}.{n}", ("p1",), 1, 1)
        for n, directory in enumerate(DIRECTORIES[:files] if root == ROOT else (directory,) * files)
    )
    return Writer("ABCD"[number - 1], job, staged, settings)
