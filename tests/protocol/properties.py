"""Properties that hold in every state: the rules that the explorer checks at the end of actors and of writers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

from pyspark_logs import commit as protocol
from pyspark_logs.jobs import Claim, Intent, Job, Record, Replaced, StagedFile, intent_key, job_of, record_key
from pyspark_logs.jobs.names import claim_key
from tests.protocol.actors import ABOVE, DIRECTORIES, ROOT, SETTINGS, SWEEPING, Reader, View, Writer, writer
from tests.protocol.settings import Ghost, Setting, Violation
from tests.protocol.store import Item, ProtocolStore, World, document

# Jobs that no actor runs, by Setting.foreign, and a file outside the root that their documents name.
FOREIGN = {
    kind: Job.start(ROOT, random=kind, now_us=0, mode=mode)
    for kind, mode in (("intent", "append"), ("fence", "overwrite"), ("record", "overwrite"))
}
OUTSIDE = ABOVE + "victim.gz"


def foreign_documents(kind: str, seen: View) -> dict[str, Item]:
    """Returns the documents of a foreign job, which name the visible files and one outside the root, and that file."""
    job = FOREIGN[kind]
    named = [*((path.removeprefix(ROOT), etag) for path, etag in sorted(seen)), ("../victim.gz", "victim")]
    staged = tuple(StagedFile(key, "u", ("p1",), 1, 1) for key, _ in named)
    documents = {intent_key(job.id): Intent(0, job.mode, None, staged).to_json()}
    if kind == "fence":
        documents[claim_key("overwrite", (1,))] = Claim(job.id).to_json()
    if kind == "record":
        documents[record_key(job.id)] = Record("committed", tuple(Replaced(*file) for file in named)).to_json()
    return {OUTSIDE: Item(b"", 1, "victim")} | {ROOT + key: document(data) for key, data in documents.items()}


def check_deletion(before: World, after: World, ghost: Ghost, path: str) -> None:
    """Checks that a request deletes no visible file, and no file outside the root."""
    # The literal path of S3; "s3://b/t/../victim.gz" is the file outside on a server that resolves it.
    if path.startswith(f"{ROOT}../"):
        raise Violation(f"a request names {path}, which is outside the root")
    if path in before.files and path not in after.files:
        if (path, before.files[path].etag) in ghost.seen:
            raise Violation(f"a request deletes {path.removeprefix(ROOT)}, which is visible")
        if not path.startswith(ROOT):
            raise Violation(f"a request deletes {path}, which is outside the root")


def viewed(outcome: tuple[str, Any]) -> Any:
    """Returns the view of a reader, or of the poll of a stream that also read its batch."""
    return outcome[1][0] if outcome[0] == "read" else outcome[1]


class Properties:
    """The properties of a setting, and the texts of its traces."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.names = {actor.job.id: actor.name for actor in setting.actors if isinstance(actor, Writer)}

    def check_reader(self, reader: Reader, outcome: tuple[str, Any], views: Sequence[View]) -> None:
        """Checks that a reader saw the view of a moment between its start and its end."""
        if outcome[0] == "read":
            self._check_batch(*outcome[1])
        if outcome[0] == "failed":
            raise Violation(
                f"{reader.name} fails again after each restart; its batch has {self.format_view(outcome[1])}"
            )
        if outcome[0] not in ("saw", "read"):
            return
        view = viewed(outcome)
        views = [reader.part_of(seen) for seen in self._views_across_roots(views)]
        if view in views:
            return
        if any(actor.kind == "other program" for actor in self.setting.actors):
            # Files of other programs are not ordered with the jobs of a listing.
            view, *views = (frozenset(item for item in seen if job_of(item[0])) for seen in (view, *views))
            if view in views:
                return
        if self.setting.page_size < 1000 or not self.setting.in_order:
            # A listing of several pages is exact for each job, but not for the order of jobs decided during it.
            new = {job_of(path) for seen in views for path, _ in seen} - {job_of(path) for path, _ in views[0]}
            new = {job for job in new if job is not None and job.endswith("a")}
            rest = {frozenset(item for item in seen if job_of(item[0]) not in new) for seen in views}
            directories = sum((ROOT + directory).startswith(reader.paths) for directory in DIRECTORIES)
            whole = all(len([1 for path, _ in view if job_of(path) == job]) in (0, directories) for job in new)
            if whole and frozenset(item for item in view if job_of(item[0]) not in new) in rest:
                return
        raise Violation(
            f"a reader saw {self.format_view(view)}; expected {' | '.join(self.format_view(seen) for seen in views)}"
        )

    def _check_batch(self, planned: View, read: frozenset[str]) -> None:
        """Checks that the rows of a batch are those of whole jobs."""
        for job in {job_of(path) for path, _ in planned} - {None}:
            files = {path for path, _ in planned if job_of(path) == job}
            if files & read not in (set(), files):
                raise Violation(
                    f"a batch has {len(files & read)} of the {len(files)} files of {self.names.get(job, job)}"
                )

    def _views_across_roots(self, views: Sequence[View]) -> Sequence[View]:
        """Returns the views that may be seen when the commits of several roots are read one after another.

        The decisions of one root are seen in their order, and as a whole; those of different roots in any order.
        """
        roots = {actor.job.id: actor.job.root for actor in self.setting.actors if isinstance(actor, Writer)}
        if len(set(roots.values())) < 2:
            return views
        decisions: dict[str, list[tuple[View, View]]] = {root: [] for root in roots.values()}
        for before, after in pairwise(views):
            # A decision without new files is that of an overwrite without files.
            new = (job_of(path) for path, _ in after - before)
            job = next((name for name in new if name in roots), "") or next(
                name for name in roots if name.endswith("o")
            )
            decisions[roots[job]].append((after - before, before - after))
        seen = []
        for counts in product(*(range(len(of_root) + 1) for of_root in decisions.values())):
            chosen = [one for count, of_root in zip(counts, decisions.values(), strict=True) for one in of_root[:count]]
            added = views[0].union(*(new for new, _ in chosen))
            seen.append(added.difference(*(gone for _, gone in chosen)))
        return seen

    def check_writer(self, actor: Writer, outcome: tuple[str, str], ghost: Ghost) -> None:
        """Checks that a writer reports the decision on its job."""
        how, what = outcome
        transaction = actor.job.transaction
        same = {
            other.job.id
            for other in self.setting.actors
            if isinstance(other, Writer) and transaction is not None and other.job.transaction == transaction
        } | {actor.job.id}
        if how == "returned" and not same & set(ghost.committed):
            raise Violation(f"{actor.name} returned {what}, and it is not committed")
        if how == "returned" and what == "committed" and actor.job.id not in ghost.committed:
            raise Violation(f"{actor.name} returned committed, and another job is")
        failures = ("CommitConflictError", "SnapshotChangedError", "StoreError", "UnreadableResponseError")
        if what in failures and actor.job.id in ghost.committed:
            raise Violation(f"{actor.name} raised {what}, and it is committed")

    def check_end(self, world: World, ghost: Ghost) -> None:
        """Checks that recovery and vacuum leave the committed files and nothing else, after every writer ended or died."""
        store = ProtocolStore(world.copy(), in_order=self.setting.in_order, page_size=self.setting.page_size)
        replayed = [store] if self.setting.replay else []
        store = ProtocolStore(world.copy(), in_order=self.setting.in_order, page_size=self.setting.page_size)
        foreign = {FOREIGN[self.setting.foreign].id} if self.setting.foreign else set()
        roots = {ROOT, *(actor.job.root for actor in self.setting.actors if isinstance(actor, Writer))}
        for root in sorted(roots):
            report = protocol.recover(store, root, older_than_us=0, settings=SETTINGS)
            protocol.vacuum(store, root, older_than_us=0, settings=SWEEPING)
            if {job for job, _ in report.failed} != foreign:
                raise Violation(f"recovery of {root} failed: {report.failed}; expected {sorted(foreign)}")
        stored = frozenset(
            (path, item.etag)
            for path, item in store.world.files.items()
            if path.startswith(ROOT + "p=") and "/_" not in path
        )
        if foreign and OUTSIDE not in store.world.files:
            raise Violation("recovery deleted a file outside the root")
        if stored != ghost.seen:
            raise Violation(
                f"after recovery the store holds {self.format_view(stored)}; committed is {self.format_view(ghost.seen)}"
            )
        if store.world.uploads:
            raise Violation(f"after recovery and vacuum uploads are open: {sorted(store.world.uploads)}")
        left = [path for path in store.paths(ROOT) if path.endswith("~intent.json")]
        if left != [ROOT + intent_key(job) for job in foreign]:
            raise Violation(f"after recovery intents are left: {left}")
        for actor in self.setting.actors:
            if (
                actor.kind == "writer"
                and actor.job.id in ghost.committed
                and not store.paths(actor.job.root + "_commits/")
            ):
                raise Violation(
                    f"after recovery and vacuum {actor.job.root} has no _commits/: readers search for a root"
                )
        if self.setting.foreign == "record":
            return  # Readers refuse to go on, and name the record.
        for reader in {Reader(), *(actor for actor in self.setting.actors if isinstance(actor, Reader))}:
            if viewed(reader.run(store)) != reader.part_of(ghost.seen):
                raise Violation(f"after recovery {reader.name} does not see what is committed")
        if self.setting.replay:
            for again in (*replayed, store):
                self._replay(again, ghost)

    def _replay(self, store: ProtocolStore, ghost: Ghost) -> None:
        """Checks that a new driver can attempt each transaction once more."""
        writers = [
            actor for actor in self.setting.actors if isinstance(actor, Writer) and actor.job.transaction is not None
        ]
        newest = max((actor.job.transaction.batch or 0 for actor in writers), default=0)
        for transaction in {actor.job.transaction for actor in writers}:
            if (transaction.batch or 0) < newest:
                continue  # A newer batch excludes it.
            again = writer(4, writers[0].job.mode, transaction=transaction)
            for file in again.files:
                store.world.uploads[ROOT + file.key, file.upload_id] = (1, again.job.id)
            done = {actor.job.id for actor in writers if actor.job.transaction == transaction} & set(ghost.committed)
            result = protocol.commit(store, again.job, again.files, SETTINGS)
            if (result.outcome == "already_committed") != bool(done):
                raise Violation(f"a replay of {transaction} is {result.outcome}; committed before: {bool(done)}")
            if done and store.world.uploads.keys() & {(ROOT + file.key, file.upload_id) for file in again.files}:
                raise Violation(f"a replay of {transaction} left uploads")

    def name_request(self, call: tuple[Any, ...]) -> str:
        """Returns the text of a request for traces."""
        path = str(call[1]).removeprefix(ROOT)
        for job, name in self.names.items():
            path = path.replace(job, name)
        more = (
            f" {Record.from_json(call[2], path).state}"
            if call[0] == "create" and path.endswith(".json") and "~" not in path
            else ""
        )
        return f"{call[0]} {path}{more}"

    def format_view(self, view: View) -> str:
        names = sorted(
            self.names.get(job_of(path) or "", path.removeprefix(ROOT)) + f"({path.removeprefix(ROOT)[:3]})"
            for path, _ in view
        )
        return "{" + " ".join(names) + "}"
