"""The commit protocol: the staged files of a job become visible all at once, or not at all.

::

    commit(store, job, files)     # driver: makes the files that its tasks staged visible
    abort(store, job, files)      # driver: discards them, also after commit() raised
    recover(store, root)          # any process, later: decides and finishes jobs whose driver died
    vacuum(store, root)           # any process: deletes uploads, records and claims that are no longer needed

The decision on a job is a single create-only write of its record. Work before the decision can be undone from the job's
intent; work after the decision can be finished from the record. ``docs/commits.md`` describes the protocol. The tests in
``tests/protocol`` explore the order of the requests exhaustively, with a crash or a lost response at each request.

Import direction: ``driver``, ``recovery``, ``leftovers`` -> ``expiry`` -> ``claims``, ``publication`` -> ``decisions``,
``retention``, ``stray_uploads`` -> ``settings``.
"""

from __future__ import annotations

from pyspark_logs.commit.driver import abort, commit
from pyspark_logs.commit.leftovers import VacuumReport, vacuum
from pyspark_logs.commit.publication import Table
from pyspark_logs.commit.recovery import RecoverReport, recover
from pyspark_logs.commit.settings import ALREADY_COMMITTED, COMMITTED, CommitResult, CommitSettings

__all__ = [
    "ALREADY_COMMITTED",
    "COMMITTED",
    "CommitResult",
    "CommitSettings",
    "RecoverReport",
    "Table",
    "VacuumReport",
    "abort",
    "commit",
    "recover",
    "vacuum",
]
