"""Publication of staged files, and the files that an overwrite replaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pyspark_logs.commit.decisions import is_published
from pyspark_logs.commit.settings import CommitSettings
from pyspark_logs.errors import AccessDeniedError, CommitConflictError
from pyspark_logs.jobs import (
    COMMITS,
    CommitListing,
    Job,
    Replaced,
    SingleRoot,
    StagedFile,
    find_roots_below,
    job_of,
    read_commits,
    take_snapshot,
)
from pyspark_logs.jobs.roots import parent_directories
from pyspark_logs.jobs.snapshots import list_all
from pyspark_logs.layout.names import is_hidden_key
from pyspark_logs.store import Store, StoredFile
from pyspark_logs.store.parallel import in_parallel
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)


def is_data(key: str) -> bool:
    """True if no segment of a key, relative to the root, has a hidden name."""
    return not is_hidden_key(key)


@dataclass(frozen=True)
class Table:
    """The files of a table, for overwrites; keys and directories are relative to the root.

    Attributes:
        holds: predicate on keys, true for those that readers of the table read.
        spellings: function from a directory to all directories that readers take for the same partition, itself included.
    """

    holds: Callable[[str], bool] = is_data
    spellings: Callable[[str], Iterable[str]] = lambda directory: (directory,)


def find_replaced(
    store: Store, job: Job, files: Sequence[StagedFile], settings: CommitSettings, table: Table
) -> tuple[Replaced, ...]:
    """Returns the file versions that an overwrite replaces: those a reader sees now, within the job's scope.

    Raises:
        CommitConflictError: a directory below the root is a root of its own, a root above wrote some of the files, or a
            file is reached through a symbolic link.
        SnapshotChangedError: other overwrites were decided during each of the listings.
        StoreError: the store refused or failed.
    """
    directories = {""}
    if job.scope == "partitions":
        written = {file.key.rpartition("/")[0] for file in files}
        directories = {spelling for directory in written for spelling in table.spellings(directory)}
    prefixes = [directory + "/" if directory else "" for directory in sorted(directories)]
    prefixes = [
        prefix for prefix in prefixes if not any(prefix != other and prefix.startswith(other) for other in prefixes)
    ]

    def list_data() -> list[StoredFile]:
        found = in_parallel(lambda prefix: _list_below(store, job.root, prefix, settings), prefixes, settings.threads)
        listed = [(file, file.path.removeprefix(job.root)) for files in found for file in files]
        _check_no_root_inside(job, (key for _, key in listed))
        return [file for file, key in listed if table.holds(key)]

    snapshot = take_snapshot(
        store,
        SingleRoot(job.root),
        list_data,
        retries=settings.snapshot_retries,
        longest_s=settings.record_retention_us / 2e6,
    )
    known = snapshot.commits[job.root].listing
    _check_no_root_above(store, job, snapshot.files, known)
    _check_no_root_between(store, job, snapshot.files, known, prefixes, settings)
    _check_inside(store, job, snapshot.files)
    return tuple(sorted(Replaced(file.path.removeprefix(job.root), file.etag) for file in snapshot.files))


def _check_no_root_above(store: Store, job: Job, files: Iterable[StoredFile], known: CommitListing) -> None:
    """Raises CommitConflictError if the commits of a directory above decide on any of the files.

    Such a job may be undecided; it would then commit without the files that were deleted here. The commits above are read
    after the files were listed, and intents before records, so that a job that ends meanwhile is found, too. Costs one LIST
    for each directory above, and only if there are files of jobs that the root itself does not know.
    """
    unknown = _unknown_jobs(files, known)
    for directory in parent_directories(job.root) if unknown else ():
        try:
            commits = read_commits(store, directory, intents_first=True)
        except AccessDeniedError:
            # Rights that end at the root are common, and most jobs of roots above are decided long before. Whether this job
            # is decided cannot be known without the commits above.
            name = min(unknown)
            _log.warning(
                "the overwrite of %s replaces files of jobs that its own commits do not know, such as %s of job %s, and %s"
                " may not be listed: it is not checked whether a job that wrote to a directory above is undecided. Such a job"
                " would commit without these files. Grant the right to list %s%s, or make sure that nothing writes above.",
                job.root, unknown[name], name, directory, directory, COMMITS,
            )  # fmt: skip
            return
        writer = next((name for name in sorted(unknown) if commits.knows(name)), None)
        if writer is not None:
            raise CommitConflictError(
                f"cannot overwrite {job.root}: job {writer} of {directory} wrote {unknown[writer]}, and the commits of"
                f" {directory} decide on it. Overwrite {directory} itself, with overwriteScope=partitions to replace only some of"
                " its directories; none of the files of this job are visible",
                job.id,
            )


def _check_no_root_between(
    store: Store,
    job: Job,
    files: Iterable[StoredFile],
    known: CommitListing,
    prefixes: Sequence[str],
    settings: CommitSettings,
) -> None:
    """Raises CommitConflictError if a directory between the root and a listed partition is a root of its own.

    The listings of partitions do not show such directories. The job of a file there may be undecided; it would then commit
    without the files that were deleted here. Costs one LIST for each of the directories, after the files were listed, and
    only if there are files of jobs that the root itself does not know.
    """
    if not _unknown_jobs(files, known):
        return
    directories = {parent_directories(job.root + prefix)[0] for prefix in prefixes if prefix}
    inside = min(find_roots_below(store, job.root, directories, settings.threads), default=None)
    if inside is not None:
        raise _root_inside(job, inside)


def _check_inside(store: Store, job: Job, files: Iterable[StoredFile]) -> None:
    """Raises CommitConflictError for a file below a symbolic link: the job could hide the file, and never delete it."""
    outside = next((file.path for file in files if not store.is_inside(job.root, file.path)), None)
    if outside is not None:
        raise CommitConflictError(
            f"cannot overwrite {job.root}: {outside} is reached through a symbolic link, and nothing is deleted through"
            " links below the directory that is written to. Replace the link by a directory; none of the files of this job are visible",
            job.id,
        )


def _check_no_root_inside(job: Job, keys: Iterable[str]) -> None:
    """Raises CommitConflictError if files of another root are among the keys: that root decides their visibility."""
    inside = next((key for key in keys if f"/{COMMITS}" in key), None)
    if inside is not None:
        raise _root_inside(job, job.root + inside[: inside.index(f"/{COMMITS}") + 1])


def _root_inside(job: Job, directory: str) -> CommitConflictError:
    return CommitConflictError(
        f"cannot overwrite {job.root}: its directory {directory} is a root of its own (it has a {COMMITS}). Overwrite that"
        " directory, or write everything to one of the two; none of the files of this job are visible",
        job.id,
    )


def _unknown_jobs(files: Iterable[StoredFile], known: CommitListing) -> dict[str, str]:
    """Returns the jobs that wrote the files and that the commits of the root do not know, each with the path of a file."""
    return {name: file.path for file in files if (name := job_of(file.path)) is not None and not known.knows(name)}


def _list_below(store: Store, root: str, prefix: str, settings: CommitSettings) -> list[StoredFile]:
    """Returns all files below a directory; the top level of a root is listed separately to skip ``_commits/`` and others."""
    if prefix:
        return list_all(store, root + prefix)
    files: list[StoredFile] = []
    directories: list[str] = []
    token: str | None = None
    while True:
        page = store.list_page(root, recursive=False, token=token)
        files += page.files
        directories += [
            directory for directory in page.directories if is_data(directory.removeprefix(root).rstrip("/"))
        ]
        token = page.next_token
        if token is None:
            break
    for found in in_parallel(lambda directory: list_all(store, directory), directories, settings.threads):
        files += found
    return files


def publish(store: Store, job: Job, files: Sequence[StagedFile], settings: CommitSettings) -> None:
    """Completes every upload, which makes its file appear. Uploads that were completed before are skipped.

    Raises:
        CommitConflictError: an upload does not exist, and neither does its file.
        StoreError: the store refused or failed; some files may have appeared.
    """
    in_parallel(lambda file: _publish(store, job, file), files, settings.threads)


def _publish(store: Store, job: Job, file: StagedFile) -> None:
    path = job.root + file.key
    if store.complete_upload(path, file.upload_id, file.parts, size=file.size):
        return
    if not is_published(store, job.root, job.id, file):
        raise CommitConflictError(
            f"job {job.id} cannot commit: the upload of {path} was aborted, by a recovery of this job or by a rule of the bucket "
            "for incomplete uploads (it must allow more days than a job can take). None of the job's files are visible; run the "
            "job again.",
            job.id,
        )
