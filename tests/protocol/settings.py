"""Configurations of the explorer, and the state that a correct implementation has."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark_logs.errors import StoreError
from pyspark_logs.jobs import COMMITS, Record, intent_key
from pyspark_logs.jobs.names import split_document_key
from tests.protocol.actors import Actor, View, Writer
from tests.protocol.store import World


class Violation(Exception):  # noqa: N818 - a finding, not an error
    """A state or outcome that must never occur."""


@dataclass(frozen=True)
class Setting:
    """A configuration to explore.

    Attributes:
        actors: actors, all of which start at once.
        lost: number of answers that may be lost.
        raised: number of requests of writers that may raise.
        failure: class of the errors that they raise.
        late: True if the create request of a writer's record may raise in the writer and reach the store at any later time.
        crashes: True if writers and recoveries may die.
        before: True to start with files of a job that ended long ago.
        record_kept: True to start with the record of that job, too.
        newer_record: True to start with the record of a newer job, so that a vacuum may drop the records of all writers.
        inner_root: True to start with the record of a job of a root in the first directory, which has no files any more.
        ended_claim: True to start with the claim of a job that was aborted long ago: the chain of ``txnId`` x has ended.
        other_file: True to start with a file that no job wrote.
        foreign: document of a job that no actor runs, present at the start. It names the files of the job of ``before``
            and a file outside the root: ``intent``; ``fence``, the intent of an overwrite that holds the newest claim;
            ``record``, the record of an overwrite that is committed.
        in_order: True if listings are in key order.
        page_size: number of keys in a page of a listing.
        replay: True to attempt each transaction once more at the end.
        patient: True if records outlive the actors that are about to decide their job; otherwise a decision may come
            after the job's record was dropped.
        hasty: True if records may be dropped at any time, as by a writer that asked for a very short retention.
    """

    actors: tuple[Actor, ...]
    lost: int = 0
    raised: int = 0
    failure: type[Exception] = StoreError
    late: bool = False
    crashes: bool = True
    before: bool = False
    record_kept: bool = False
    newer_record: bool = False
    inner_root: bool = False
    ended_claim: bool = False
    other_file: bool = False
    foreign: str = ""
    in_order: bool = True
    page_size: int = 1000
    replay: bool = False
    patient: bool = True
    hasty: bool = False


@dataclass(frozen=True)
class Ghost:
    """The state by the order of decisions, beside the state of the store.

    Attributes:
        seen: view of a correct reader.
        committed: committed jobs, in the order of their decisions.
    """

    seen: View
    committed: tuple[str, ...] = ()

    def decide(self, setting: Setting, world: World, root: str, job: str, record: Record) -> Ghost:
        """Returns the state after the first record of a job was written.

        Raises:
            Violation: the decision breaks a rule.
        """
        writers = {actor.job.id: actor for actor in setting.actors if isinstance(actor, Writer)}
        if not record.committed or job in self.committed or job not in writers:
            return self
        if root + intent_key(job) not in world.files:
            return self  # The job was decided long ago; its writer finds out by the missing intent.
        decided = writers[job]
        transaction = decided.job.transaction
        for other in self.committed:
            if transaction is not None and other in writers and writers[other].job.transaction == transaction:
                raise Violation(f"{decided.name} commits {transaction}, which {writers[other].name} has committed")
        replaced = {(root + file.key, file.etag) for file in record.replaces}
        view = (self.seen - replaced) | published(decided)
        if decided.job.mode == "overwrite":
            for other in self.committed:
                if other in writers and writers[other].job.mode == "overwrite" and view & published(writers[other]):
                    raise Violation(f"two overwrites are visible together: {decided.name} and {writers[other].name}")
        return Ghost(view, (*self.committed, job))


def split_document_path(path: str) -> tuple[str, str, bool] | None:
    """Returns root and job of a document's path, and True for an intent; ``None`` for other paths."""
    root, _, name = path.rpartition(COMMITS)
    document = split_document_key(name) if root else None
    return None if document is None else (root, *document)


def published(decided: Writer) -> View:
    """Returns the view of the files of a writer."""
    return frozenset((decided.job.root + file.key, "e-" + file.upload_id) for file in decided.files)
