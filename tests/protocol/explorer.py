"""Explores the code of the commit protocol request by request, as a model checker explores a model.

The actors (writers, a recovery, a vacuum, readers) run the real functions, over a store whose every request is a step of
the world. An actor is replayed from its start with the answers it has had so far, until it asks for one more; actors with
the same answers are in the same state, so each run is made once. A state is the world, what each actor has been answered,
and what may still go wrong: an answer that is lost (the transport asks again), a request that raises (applied or not),
an actor that dies. All orders of steps are visited, or random ones.

Beside the world runs what a correct reader would see, by the order of the decisions: ``Ghost``. What must hold is said
in ``Ghost.decide``, ``Explorer._judge_reader``, ``Explorer._judge_writer`` and ``Explorer._judge_end``.
"""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any

from pyspark_logs import commit as protocol
from pyspark_logs.commit import CommitSettings, publication
from pyspark_logs.errors import LogSourceError, PathNotFoundError, SnapshotChangedError, StoreError
from pyspark_logs.jobs import Job, Record, StagedFile, Transaction, intent_key, job_of, part_name, record_key
from pyspark_logs.jobs.names import split_document_key
from pyspark_logs.layout import hive_layout
from pyspark_logs.options import ReadOptions, parse_read_options
from pyspark_logs.planning import list_files, resolve_layout
from tests.protocol.store import Item, ProtocolStore, RequestStore, World, document

ABOVE = "s3://b/"
ROOT = "s3://b/t/"
DIRECTORIES = ("p=1/", "p=2/")
COMMITS = ROOT + "_commits/"
MUTATING = {"put", "create", "remove", "complete_upload", "abort_upload"}
SETTINGS = CommitSettings(threads=1, snapshot_retries=1)
# Whatever is there may go as soon as the protocol allows it; the explorer keeps to the one assumption about time.
SWEEPING = CommitSettings(threads=1, record_retention_us=0, txn_retention_us=10**18)

View = frozenset[tuple[str, str]]


class Violation(Exception):  # noqa: N818 - it is found, not made
    """Something that must never happen."""


class Ask(BaseException):
    """An actor's next request. No handler of the code under test may stop it."""

    def __init__(self, call: tuple[Any, ...]) -> None:
        self.call = call


@dataclass(frozen=True)
class Raised:
    """An answer that is an exception."""

    text: str = "injected"


class ReplayStore(RequestStore):
    """Gives the answers it was made with, then stops the actor at its next request."""

    def __init__(self, answers: list[Any], in_order: bool) -> None:
        # Without super().__init__: it costs more than a run of an actor.
        self.answers = iter(answers)
        self.in_order = in_order

    @property
    def lists_in_order(self) -> bool:
        return self.in_order

    @property
    def calls(self) -> Counter[str]:
        return Counter()

    def _request(self, name: str, *args: Any) -> Any:
        for answer in self.answers:
            if isinstance(answer, Raised):
                raise StoreError(answer.text)
            return answer
        raise Ask((name, *args))


# --- who acts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Writer:
    """A driver: commit(), and abort() if that raises, as Spark does."""

    name: str
    job: Job
    files: tuple[StagedFile, ...]
    settings: CommitSettings = SETTINGS

    kind = "writer"

    def run(self, store: RequestStore) -> tuple[str, str]:
        try:
            result = protocol.commit(store, self.job, self.files, self.settings)
        except (LogSourceError, OSError) as error:
            try:
                protocol.abort(store, self.job, self.files, self.settings)
            except StoreError:
                return "raised and not aborted", type(error).__name__
            return "raised", type(error).__name__
        return "returned", result.outcome


@cache
def _read_options(paths: tuple[str, ...], layout: str | None) -> ReadOptions:
    given = {"json": "true", "paths": list(paths), "snapshotRetries": "0"}
    return parse_read_options(given if layout is None else {**given, "layout": layout})


@dataclass(frozen=True)
class Reader:
    """A reader or a poll of a stream: it runs ``planning.list_files``, with one list request at a time.

    Attributes:
        name: name in traces.
        paths: load paths.
        layout: layout option; ``None`` for a flat layout.
        allowed: partition column and its selected values, or a predicate: the walk constructs or discovers prefixes.
    """

    name: str = "reader"
    paths: tuple[str, ...] = (ROOT,)
    layout: str | None = "p={p}"
    allowed: tuple[str, Any] | None = ("p", ("1", "2"))

    kind = "reader"

    def run(self, store: RequestStore) -> tuple[str, Any]:
        options = _read_options(self.paths, self.layout)
        layout = hive_layout((), "UTC") if self.layout is None else resolve_layout(store, options)
        allowed = dict([self.allowed] if self.allowed else [])
        try:
            files = list_files(store, options, layout, allowed=allowed, threads=1).files
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
class OverwriteReader(Reader):
    """The listing by which an overwrite finds the files that it replaces."""

    def run(self, store: RequestStore) -> tuple[str, Any]:
        job = Job.start(ROOT, random="reader", now_us=9, mode="overwrite", scope="partitions")
        files = [StagedFile(directory + "file", "", (), 1, 1) for directory in DIRECTORIES]
        settings = CommitSettings(threads=1, snapshot_retries=0)
        try:
            replaced = publication.find_replaced(store, job, files, settings, publication.is_data)
        except SnapshotChangedError:
            return "starts again", None
        return "saw", frozenset((ROOT + file.key, file.etag) for file in replaced)


@dataclass(frozen=True)
class Recovery:
    name: str = "recovery"
    job: str | None = None

    kind = "recovery"

    def run(self, store: RequestStore) -> tuple[str, Any]:
        report = protocol.recover(store, ROOT, older_than_us=0, job=self.job, settings=SETTINGS)
        return "recovered", bool(report.failed)


@dataclass(frozen=True)
class Vacuum:
    name: str = "vacuum"

    kind = "vacuum"

    def run(self, store: RequestStore) -> tuple[str, Any]:
        protocol.vacuum(store, ROOT, older_than_us=0, settings=SWEEPING)
        return "vacuumed", None


@dataclass(frozen=True)
class Foreigner:
    """Somebody else, who writes a new version of a file of theirs."""

    name: str = "foreigner"

    kind = "foreigner"

    def run(self, store: RequestStore) -> tuple[str, Any]:
        store.put(ROOT + "p=1/theirs.log", b"second")
        return "wrote", None


Actor = Writer | Reader | Recovery | Vacuum | Foreigner


def writer(
    number: int,
    mode: str = "append",
    *,
    transaction: Transaction | None = None,
    files: int = 2,
    scope: str = "partitions",
    settings: CommitSettings = SETTINGS,
) -> Writer:
    """A writer of one file in each of the first directories; they are staged already."""
    job = Job.start(ROOT, random=f"seed{number}", now_us=number, mode=mode, scope=scope, transaction=transaction)
    staged = tuple(
        StagedFile(f"{directory}{part_name(0, 0, job.id, n, 'gz')}", f"u{number}.{n}", ("p1",), 1, 1)
        for n, directory in enumerate(DIRECTORIES[:files])
    )
    return Writer("ABCD"[number - 1], job, staged, settings)


@dataclass(frozen=True)
class Setting:
    """What is explored.

    Attributes:
        actors: who acts.
        lost: how many answers may be lost.
        raised: how many requests of writers may raise.
        crashes: whether writers and recoveries may die.
        before: whether files of an earlier job, long done, are there.
        record_kept: whether the record of that job is there, too.
        theirs: whether a file of somebody else is there.
        in_order: whether listings see keys in order.
        page_size: keys a page of a listing.
        replay: whether at the end each transaction is tried once more.
        patient: whether records outlive those who are about to decide their job; without it only readers may be misled.
    """

    actors: tuple[Actor, ...]
    lost: int = 0
    raised: int = 0
    crashes: bool = True
    before: bool = False
    record_kept: bool = False
    theirs: bool = False
    in_order: bool = True
    page_size: int = 1000
    replay: bool = False
    patient: bool = True


# --- what a correct reader would see ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ghost:
    """What a correct reader would see now, and the jobs committed, in the order of their decisions."""

    seen: View
    committed: tuple[str, ...] = ()

    def decide(self, setting: Setting, world: World, job: str, record: Record) -> Ghost:
        """The record of a job was just written, for the first time."""
        writers = {actor.job.id: actor for actor in setting.actors if isinstance(actor, Writer)}
        if not record.committed or job in self.committed or job not in writers:
            return self
        if f"{COMMITS}{job}~intent.json" not in world.files:
            return self  # no decision: the job was decided long ago, and its writer finds that out
        made = writers[job]
        transaction = made.job.transaction
        for other in self.committed:
            if transaction is not None and other in writers and writers[other].job.transaction == transaction:
                raise Violation(f"{made.name} commits {transaction}, which {writers[other].name} has committed")
        replaced = {(ROOT + file.key, file.etag) for file in record.replaces}
        view = (self.seen - replaced) | published(made)
        if made.job.mode == "overwrite":
            for other in self.committed:
                if other in writers and writers[other].job.mode == "overwrite" and view & published(writers[other]):
                    raise Violation(f"two overwrites are visible together: {made.name} and {writers[other].name}")
        return Ghost(view, (*self.committed, job))


def published(made: Writer) -> View:
    return frozenset((ROOT + file.key, "e-" + file.upload_id) for file in made.files)


# --- exploring --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Status:
    """An actor's part of a state.

    Attributes:
        node: of the tree of answers; -1: dead.
        views: what a reader that began when this one did may see; for an overwrite: what was seen when it began.
        fresh: records born since this actor took its first look: by assumption, they outlive its listing.
        half: what an unordered listing saw in its first half.
    """

    node: int
    views: tuple[View, ...] = ()
    fresh: frozenset[str] = frozenset()
    half: Any = None


State = tuple[int, tuple[Status, ...], int, int]


@dataclass
class Report:
    """What was explored, and what was found: message -> the steps that lead there."""

    states: int = 0
    steps: int = 0
    ends: int = 0
    full: bool = True
    seconds: float = 0.0
    runs: int = 0
    violations: dict[str, list[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        found = "".join(f"\n{text}\n    " + "\n    ".join(trace) for text, trace in self.violations.items())
        return (
            f"{self.states} states, {self.steps} steps, {self.ends} ends, {self.runs} runs of actors, {self.seconds:.1f} s"
            f"{'' if self.full else ' (not all)'}{found}"
        )


class Explorer:
    """All states of a setting, or random ways through them."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.worlds: list[tuple[World, Ghost]] = []
        self.world_ids: dict[Any, int] = {}
        self.parents: list[tuple[int, Any]] = []  # node -> the node before, and the answer since
        self.children: dict[tuple[int, Any], int] = {}
        self.calls: list[tuple[Any, ...] | None] = []
        self.outcomes: list[Any] = []
        self.effects: dict[tuple[int, Any], Any] = {}
        self.ended: dict[int, str | None] = {}
        self.runs = 0
        self.roots: list[int] = []
        self.names = {actor.job.id: actor.name for actor in setting.actors if isinstance(actor, Writer)}

    # --- the start --------------------------------------------------------------------------------

    def start(self) -> State:
        files: dict[str, Item] = {}
        if self.setting.before:
            job = Job.start(ROOT, random="before", now_us=0).id
            for n, directory in enumerate(DIRECTORIES):
                files[f"{ROOT}{directory}{part_name(0, 0, job, n, 'gz')}"] = Item(b"", 1, f"before{n}")
            if self.setting.record_kept:
                files[ROOT + record_key(job)] = document(Record("committed").to_json())
        if self.setting.theirs:
            files[f"{ROOT}p=1/theirs.log"] = Item(b"first", 5, "first")
        uploads = {
            (ROOT + file.key, file.upload_id): (file.size, actor.job.id)
            for actor in self.setting.actors
            if isinstance(actor, Writer)
            for file in actor.files
        }
        seen = frozenset((path, item.etag) for path, item in files.items() if not path.startswith(COMMITS))
        world = self._intern(World(files, uploads), Ghost(seen))
        self.roots = []
        for index in range(len(self.setting.actors)):
            self.parents.append((-1 - index, None))
            self.calls.append(None)
            self.outcomes.append(None)
            self.roots.append(len(self.parents) - 1)
        for index, node in enumerate(self.roots):
            self._run(node, index)
        return world, tuple(Status(node) for node in self.roots), self.setting.lost, self.setting.raised

    def _intern(self, world: World, ghost: Ghost) -> int:
        key = (world.key, ghost)
        if key not in self.world_ids:
            self.world_ids[key] = len(self.worlds)
            self.worlds.append((world, ghost))
        return self.world_ids[key]

    # --- actors -----------------------------------------------------------------------------------

    def _child(self, node: int, answer: Any, index: int) -> int:
        key = (node, answer)
        if key not in self.children:
            self.children[key] = len(self.parents)
            self.parents.append((node, answer))
            self.calls.append(None)
            self.outcomes.append(None)
            self._run(self.children[key], index)
        return self.children[key]

    def _run(self, node: int, index: int) -> None:
        """Run an actor with the answers of a node, up to its next request or its end."""
        answers = []
        at = node
        while self.parents[at][0] >= 0:
            before, answer = self.parents[at]
            answers.append(answer)
            at = before
        self.runs += 1
        try:
            self.outcomes[node] = self.setting.actors[index].run(ReplayStore(answers[::-1], self.setting.in_order))
        except Ask as ask:
            self.calls[node] = ask.call

    # --- steps ------------------------------------------------------------------------------------

    def steps(self, state: State) -> Iterator[tuple[str, State | Violation]]:
        world, statuses, lost, raised = state
        for index, status in enumerate(statuses):
            if status.node < 0 or self.calls[status.node] is None:
                continue
            actor, call = self.setting.actors[index], self.calls[status.node]
            label = f"{actor.name}: {self._name(call)}"
            if self._waits(state, index, call):
                continue
            if call[0] == "page" and not self.setting.in_order:
                yield from self._unordered(state, index, label)
                continue
            try:
                after, answer, record, view = self._effect(world, call)
            except Violation as violation:
                yield label, violation
                continue
            yield self._step(state, index, label, after, answer, record, view)
            if call[0] in MUTATING:
                if lost and after != world and actor.kind != "foreigner":
                    moved = self._spread(statuses, index, status, record, view)
                    yield f"{label} [answer lost]", (after, moved, lost - 1, raised)
                if raised and actor.kind == "writer" and after != world:
                    yield self._step(
                        state, index, f"{label} [done, then raises]", after, Raised(), record, view, cost=1
                    )
            if raised and actor.kind == "writer":
                yield self._step(state, index, f"{label} [raises]", world, Raised(), None, None, cost=1)
            if self.setting.crashes and actor.kind in ("writer", "recovery") and self._has_just_changed(status.node):
                dead = (*statuses[:index], Status(-1), *statuses[index + 1 :])
                yield f"{actor.name} dies", (world, dead, lost, raised)

    def _has_just_changed(self, node: int) -> bool:
        """Whether the last request changed something: dying later, before the next one that does, is no different."""
        before = self.parents[node][0]
        call = self.calls[before] if before >= 0 else None
        return call is not None and call[0] in MUTATING

    def _effect(self, world: int, call: tuple[Any, ...]) -> tuple[int, Any, str | None, View | None]:
        """The world after a request, its answer, the record it made, and the view if that was a commit."""
        key = (world, call)
        if key not in self.effects:
            before, ghost = self.worlds[world]
            after = before.copy()
            answer = after.do(*call, page_size=self.setting.page_size)
            record = view = None
            made = ghost
            name, path = call[0], call[1]
            if (name == "create" and answer) or name == "put":
                document = split_document_key(path.removeprefix(ROOT))
                if document is not None and not document[1]:
                    record = path
                    made = ghost.decide(self.setting, after, document[0], Record.from_json(call[2], path))
                    view = made.seen if made is not ghost else None
                elif not path.startswith((COMMITS, ROOT + "_claims/")):
                    old = {item for item in ghost.seen if item[0] == path}
                    made = replace(ghost, seen=(ghost.seen - old) | {(path, after.files[path].etag)})
                    view = made.seen
            self.effects[key] = self._intern(after, made), answer, record, view
        return self.effects[key]

    def _step(
        self,
        state: State,
        index: int,
        label: str,
        after: int,
        answer: Any,
        record: str | None,
        view: View | None,
        cost: int = 0,
    ) -> tuple[str, State | Violation]:
        world, statuses, lost, raised = state
        status = statuses[index]
        actor, call = self.setting.actors[index], self.calls[status.node]
        seen = self.worlds[world][1].seen
        if not status.views and (actor.kind == "reader" or (actor.kind == "writer" and actor.job.mode == "overwrite")):
            status = replace(status, views=(seen,))
        if (
            record is not None
            and view is not None
            and actor.kind == "writer"
            and actor.job.mode == "overwrite"
            and status.views
        ):
            left = view & status.views[0]
            if left and call[0] in ("create", "put") and self.setting.actors[index].job.id in call[1]:
                return label, Violation(
                    f"{actor.name} commits and leaves what was visible when it began: {sorted(left)}"
                )
        node = self._child(status.node, answer, index)
        status = replace(status, node=node, half=None)
        if actor.kind == "writer" and status.fresh and call[0] in ("complete_upload", "abort_upload"):
            status = replace(status, fresh=frozenset())
        outcome = self.outcomes[node]
        if outcome is not None:
            try:
                if actor.kind == "reader":
                    self._judge_reader(actor, outcome, self._views(status, view))
                elif actor.kind == "writer":
                    self._judge_writer(actor, outcome, self.worlds[after][1])
            except Violation as violation:
                return label, violation
            status = Status(node=self._end(outcome, index))
        return label, (after, self._spread(statuses, index, status, record, view), lost, raised - cost)

    def _end(self, outcome: Any, index: int) -> int:
        """One node for all ways to the same outcome."""
        key = (-2 - index, outcome[0])
        if key not in self.children:
            self.children[key] = len(self.parents)
            self.parents.append((-1, None))
            self.calls.append(None)
            self.outcomes.append(outcome)
        return self.children[key]

    def _views(self, status: Status, view: View | None) -> tuple[View, ...]:
        return status.views if view is None or view in status.views else (*status.views, view)

    def _spread(
        self, statuses: tuple[Status, ...], index: int, status: Status, record: str | None, view: View | None
    ) -> tuple[Status, ...]:
        """Let all that are looking at the store know of a decision."""
        moved = []
        for other, kept in enumerate(statuses):
            current = status if other == index else kept
            actor = self.setting.actors[other]
            if current.node >= 0 and self.calls[current.node] is not None:
                if actor.kind == "reader" and current.views:
                    current = replace(current, views=self._views(current, view))
                if record is not None and self._is_looking(current, actor):
                    current = replace(current, fresh=current.fresh | {record})
            moved.append(current)
        return tuple(moved)

    def _is_looking(self, status: Status, actor: Actor) -> bool:
        """Whether an actor is between its first look and its second: a reader all the time, an overwrite while it lists."""
        if actor.kind == "reader":
            return bool(status.views)
        if actor.kind != "writer" or actor.job.mode != "overwrite":
            return False
        at, seen = status.node, False
        while at >= 0 and self.parents[at][0] >= 0:
            at = self.parents[at][0]
            call = self.calls[at]
            if call[0] in ("complete_upload", "abort_upload"):
                return False
            seen = seen or (call[0] == "page" and call[1] == COMMITS)
        return seen

    def _unordered(self, state: State, index: int, label: str) -> Iterator[tuple[str, State | Violation]]:
        """A listing that sees each key at a moment of its own, between a first and a last."""
        world, statuses, lost, raised = state
        status, call = statuses[index], self.calls[statuses[index].node]
        _, answer, _, _ = self._effect(world, call)
        if status.half is None:
            seen = self.worlds[world][1].seen
            if not status.views and self.setting.actors[index].kind == "reader":
                status = replace(status, views=(seen,))
            status = replace(status, half=answer)
            yield f"{label} [begins]", (world, (*statuses[:index], status, *statuses[index + 1 :]), lost, raised)
            return
        if status.half == answer:
            yield self._step(state, index, label, world, answer, None, None)
            return
        early, late = ({file.path: file for file in page.files} for page in (status.half, answer))
        differing = sorted(path for path in early.keys() | late.keys() if early.get(path) != late.get(path))
        for choice in product((early, late), repeat=len(differing)):
            picked = {**late, **{path: side.get(path) for path, side in zip(differing, choice, strict=True)}}
            files = tuple(picked[path] for path in sorted(picked) if picked[path] is not None)
            yield self._step(state, index, label, world, replace(answer, files=files), None, None)

    # --- the assumption about time ------------------------------------------------------------------

    def _waits(self, state: State, index: int, call: tuple[Any, ...]) -> bool:
        """Whether a request cannot come now: a record goes only when it is older than any listing or stalled decision."""
        if call[0] != "remove":
            return False
        document = split_document_key(call[1].removeprefix(ROOT))
        if document is None or document[1] or call[1] not in self.worlds[state[0]][0].files:
            return False
        job = document[0]
        for other, status in enumerate(state[1]):
            if other == index or status.node < 0 or (pending := self.calls[status.node]) is None:
                continue
            actor = self.setting.actors[other]
            if call[1] in status.fresh:
                return True
            if not self.setting.patient:
                continue
            if actor.kind == "writer" and actor.job.id == job:
                return True
            # It has seen the job undecided, and is about to decide it, or to look at what it decided.
            if actor.kind != "reader" and pending[0] in ("create", "get") and f"{COMMITS}{job}" in pending[1]:
                return True
            if actor.kind == "recovery" and self._is_to_decide(status.node, job):
                return True
        return False

    def _is_to_decide(self, node: int, job: str) -> bool:
        """True if a recovery has listed the intent of a job and has not yet asked for its record."""
        while self.parents[node][0] >= 0:
            before, answer = self.parents[node]
            call = self.calls[before]
            if call[:2] == ("get", ROOT + record_key(job)):
                return False
            if call[:2] == ("page", COMMITS) and any(file.path == ROOT + intent_key(job) for file in answer.files):
                return True
            node = before
        return False

    # --- what must hold -------------------------------------------------------------------------------

    def _judge_reader(self, reader: Reader, outcome: tuple[str, Any], views: Sequence[View]) -> None:
        if outcome[0] != "saw":
            return
        view = outcome[1]
        views = [reader.part_of(seen) for seen in views]
        if view in views:
            return
        if any(actor.kind == "foreigner" for actor in self.setting.actors):
            # What others write while a reader lists is in no order with what our jobs do.
            view, *views = (frozenset(item for item in seen if job_of(item[0])) for seen in (view, *views))
            if view in views:
                return
        if self.setting.page_size < 1000 or not self.setting.in_order:
            # A look of several pages is exact for each job, not for the order of jobs decided during it.
            new = {job_of(path) for seen in views for path, _ in seen} - {job_of(path) for path, _ in views[0]}
            new = {job for job in new if job is not None and job.endswith("a")}
            rest = {frozenset(item for item in seen if job_of(item[0]) not in new) for seen in views}
            directories = sum((ROOT + directory).startswith(reader.paths) for directory in DIRECTORIES)
            whole = all(len([1 for path, _ in view if job_of(path) == job]) in (0, directories) for job in new)
            if whole and frozenset(item for item in view if job_of(item[0]) not in new) in rest:
                return
        raise Violation(f"a reader saw {self._view(view)}; right were {' | '.join(self._view(seen) for seen in views)}")

    def _judge_writer(self, actor: Writer, outcome: tuple[str, str], ghost: Ghost) -> None:
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
        if what in ("CommitConflictError", "SnapshotChangedError") and actor.job.id in ghost.committed:
            raise Violation(f"{actor.name} raised {what}, and it is committed")

    def _judge_end(self, world: int) -> None:
        """Once every writer is done or dead: recovery and vacuum leave what is committed, and nothing else."""
        found, ghost = self.worlds[world]
        store = ProtocolStore(found.copy(), in_order=self.setting.in_order, page_size=self.setting.page_size)
        replayed = [store] if self.setting.replay else []
        store = ProtocolStore(found.copy(), in_order=self.setting.in_order, page_size=self.setting.page_size)
        report = protocol.recover(store, ROOT, older_than_us=0, settings=SETTINGS)
        protocol.vacuum(store, ROOT, older_than_us=0, settings=SWEEPING)
        if report.failed:
            raise Violation(f"recovery failed: {report.failed}")
        there = frozenset((path, item.etag) for path, item in store.world.files.items() if path.startswith(ROOT + "p="))
        if there != ghost.seen:
            raise Violation(
                f"after recovery the store holds {self._view(there)}; committed is {self._view(ghost.seen)}"
            )
        if store.world.uploads:
            raise Violation(f"after recovery and vacuum uploads are open: {sorted(store.world.uploads)}")
        if left := [path for path in store.paths(COMMITS) if path.endswith("~intent.json")]:
            raise Violation(f"after recovery intents are left: {left}")
        for reader in {Reader(), *(actor for actor in self.setting.actors if isinstance(actor, Reader))}:
            if reader.run(store)[1] != reader.part_of(ghost.seen):
                raise Violation(f"after recovery {reader.name} does not see what is committed")
        if self.setting.replay:
            for again in (*replayed, store):
                self._replay(again, ghost)

    def _replay(self, store: ProtocolStore, ghost: Ghost) -> None:
        """Each transaction once more, by a new driver."""
        writers = [
            actor for actor in self.setting.actors if isinstance(actor, Writer) and actor.job.transaction is not None
        ]
        newest = max((actor.job.transaction.batch or 0 for actor in writers), default=0)
        for transaction in {actor.job.transaction for actor in writers}:
            if (transaction.batch or 0) < newest:
                continue  # a newer batch bars it, rightly
            again = writer(4, writers[0].job.mode, transaction=transaction)
            for file in again.files:
                store.world.uploads[ROOT + file.key, file.upload_id] = (1, again.job.id)
            done = {actor.job.id for actor in writers if actor.job.transaction == transaction} & set(ghost.committed)
            result = protocol.commit(store, again.job, again.files, SETTINGS)
            if (result.outcome == "already_committed") != bool(done):
                raise Violation(f"a replay of {transaction} is {result.outcome}; committed before: {bool(done)}")
            if done and store.world.uploads.keys() & {(ROOT + file.key, file.upload_id) for file in again.files}:
                raise Violation(f"a replay of {transaction} left uploads")

    # --- the search -----------------------------------------------------------------------------------

    def explore(self, *, most_states: int = 10_000_000, most_s: float = 600.0, stop: bool = False) -> Report:
        """Breadth first, so that what is found is found on a shortest way.

        Args:
            most_states: where to give up.
            most_s: when to give up.
            stop: at the first violation.
        """
        began = time.monotonic()
        start = self.start()
        reached: dict[State, tuple[State, str] | None] = {start: None}
        queue = deque([start])
        report = Report()
        while queue:
            state = queue.popleft()
            if (problem := self._end_of(state)) is not None:
                report.violations.setdefault(problem, self._trace(reached, state))
            for label, after in self.steps(state):
                report.steps += 1
                if isinstance(after, Violation):
                    report.violations.setdefault(str(after), [*self._trace(reached, state), label])
                elif after not in reached:
                    reached[after] = (state, label)
                    queue.append(after)
            if (report.violations and stop) or len(report.violations) >= 5:
                report.full = False
                break
            if len(reached) > most_states or (report.steps & 0xFF < 8 and time.monotonic() - began > most_s):
                report.full = False
                break
        report.states, report.ends, report.runs = len(reached), len(self.ended), self.runs
        report.seconds = time.monotonic() - began
        return report

    def walk(self, seed: int, *, walks: int, most_s: float = 60.0) -> Report:
        """Random ways from the start to the end."""
        began = time.monotonic()
        choose = random.Random(seed)
        start = self.start()
        report = Report(full=False)
        seen: set[State] = set()
        for _ in range(walks):
            state, trace = start, []
            while options := list(self.steps(state)):
                report.steps += 1
                # Failures are half of all steps, and would leave no way long.
                well = [option for option in options if not option[0].endswith(("dies", "]"))]
                label, after = choose.choice(well if well and choose.random() < 0.9 else options)
                trace.append(label)
                if isinstance(after, Violation):
                    report.violations.setdefault(str(after), list(trace))
                    break
                state = after
                seen.add(state)
                if (problem := self._end_of(state)) is not None:
                    report.violations.setdefault(problem, list(trace))
                    break
            if report.violations or time.monotonic() - began > most_s:
                break
        report.states, report.ends, report.runs = len(seen), len(self.ended), self.runs
        report.seconds = time.monotonic() - began
        return report

    def _end_of(self, state: State) -> str | None:
        world, statuses, _, _ = state
        for actor, status in zip(self.setting.actors, statuses, strict=True):
            if actor.kind == "writer" and status.node >= 0 and self.calls[status.node] is not None:
                return None
        if world not in self.ended:
            try:
                self._judge_end(world)
                self.ended[world] = None
            except (Violation, LogSourceError) as problem:
                self.ended[world] = str(problem)
        return self.ended[world]

    # --- saying it -------------------------------------------------------------------------------------

    def _trace(self, reached: dict[State, tuple[State, str] | None], state: State) -> list[str]:
        labels = []
        while (step := reached[state]) is not None:
            state, label = step
            labels.append(label)
        return labels[::-1]

    def _name(self, call: tuple[Any, ...]) -> str:
        path = str(call[1]).removeprefix(ROOT)
        for job, name in self.names.items():
            path = path.replace(job, name)
        more = (
            f" {Record.from_json(call[2], path).state}"
            if call[0] == "create" and path.endswith(".json") and "~" not in path
            else ""
        )
        return f"{call[0]} {path}{more}"

    def _view(self, view: View) -> str:
        names = sorted(
            self.names.get(job_of(path) or "", path.removeprefix(ROOT)) + f"({path.removeprefix(ROOT)[:3]})"
            for path, _ in view
        )
        return "{" + " ".join(names) + "}"
