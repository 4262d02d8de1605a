"""The commit protocol: staged files become visible all at once, whatever crashes.

::

    result = commit(store, job, files)        # a driver, with what its tasks staged
    abort(store, job, files)                  # ... or that it does not want them, or commit() raised
    recover(store, root)                      # anybody, later: decides what drivers left undecided
    vacuum(store, root)                       # anybody: what no one needs any more

The commit of a job is one create-only write of its record; everything before it can be undone by anybody who finds the
job's intent, everything after it can be finished. ``DESIGN`` describes it in "Commit: presumed abort, one decision
record"; the order of the requests here is that order, and tests explore it request by request.

Inside, imports run one way: ``driver``, ``recovery``, ``leftovers`` -> ``claims``, ``publication``, ``decisions``,
``retention`` -> ``settings``, ``parallel``.
"""

from __future__ import annotations

from pyspark_logs.commit.driver import abort, commit
from pyspark_logs.commit.leftovers import VacuumReport, vacuum
from pyspark_logs.commit.recovery import RecoverReport, recover
from pyspark_logs.commit.settings import ALREADY_COMMITTED, COMMITTED, CommitResult, CommitSettings

__all__ = [
    "ALREADY_COMMITTED",
    "COMMITTED",
    "CommitResult",
    "CommitSettings",
    "RecoverReport",
    "VacuumReport",
    "abort",
    "commit",
    "recover",
    "vacuum",
]
