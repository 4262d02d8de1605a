"""The documents below ``auditPath``, as they are read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyspark_logs.auditing.documents import AuditedFile, PlanRecord, TaskRecord, files_key, plan_key, tasks_prefix
from pyspark_logs.auditing.encoding import decode_files, decode_plan, decode_task
from pyspark_logs.errors import CorruptFileError, PathNotFoundError
from pyspark_logs.store import Store, join
from pyspark_logs.store.parallel import in_parallel

_THREADS = 16


@dataclass(frozen=True)
class PlanDocuments:
    """A plan with its files and the reports of its tasks.

    Attributes:
        plan: the plan.
        files: files of the plan.
        tasks: reports of all attempts.
    """

    plan: PlanRecord
    files: tuple[AuditedFile, ...]
    tasks: tuple[TaskRecord, ...]


def find_plans(store: Store, directory: str, query: str | None = None) -> list[PlanRecord]:
    """Returns the plans below a directory, ordered by query and time.

    Args:
        store: store of the directory.
        directory: normalised ``auditPath``.
        query: id of a query; None for all queries.

    Raises:
        CorruptFileError: an object is not a plan.
        PathNotFoundError: there is no plan.
        StoreError: the store refused or failed.
    """
    prefix = join(directory, "plans/") if query is None else join(directory, f"plans/query={query}/")
    paths = [path for path in _paths(store, prefix) if path.endswith(".json")]
    if not paths:
        what = "no query has" if query is None else f"no query {query!r} has"
        raise PathNotFoundError(
            f"{what} written an audit below {directory}: there is no object below {prefix}. Give the directory of the option auditPath"
        )
    plans = in_parallel(lambda path: decode_plan(_get(store, path), path), paths, _THREADS)
    return sorted(plans, key=lambda plan: (plan.query, plan.created_ms, plan.batch))


def read_documents(store: Store, directory: str, plan: PlanRecord) -> PlanDocuments:
    """Returns a plan with its files and the reports of its tasks.

    Raises:
        CorruptFileError: an object is damaged, or files of the plan are missing.
        StoreError: the store refused or failed.
    """
    names = [join(directory, files_key(plan, part)) for part in range(plan.parts)]
    parts = in_parallel(lambda path: tuple(decode_files(_get(store, path), path)), names, _THREADS)
    files = tuple(file for part in parts for file in part)
    return PlanDocuments(plan, files, read_task_records(store, directory, plan))


def read_plan(store: Store, directory: str, query: str, batch: str) -> PlanRecord | None:
    """Returns the plan of a batch; None if there is none.

    Raises:
        CorruptFileError: the object is damaged.
        StoreError: the store refused or failed.
    """
    path = join(directory, plan_key(query, batch))
    data = store.get(path)
    return None if data is None else decode_plan(data, path)


def read_task_records(store: Store, directory: str, plan: PlanRecord) -> tuple[TaskRecord, ...]:
    """Returns the reports of all attempts at the tasks of a plan.

    Raises:
        CorruptFileError: an object is damaged.
        StoreError: the store refused or failed.
    """
    paths = list(_paths(store, join(directory, tasks_prefix(plan.query, plan.name))))
    return tuple(in_parallel(lambda path: decode_task(_get(store, path), path), paths, _THREADS))


def _paths(store: Store, prefix: str) -> Iterator[str]:
    token: str | None = None
    while True:
        page = store.list_page(prefix, recursive=True, token=token)
        yield from (file.path for file in page.files)
        token = page.next_token
        if token is None:
            return


def _get(store: Store, path: str) -> bytes:
    data = store.get(path)
    if data is None:
        raise CorruptFileError(
            f"{path} is missing, so the audit is incomplete: restore it, or remove the plan of its query"
        )
    return data
