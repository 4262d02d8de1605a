"""An exhaustive search through the interleavings of the commit protocol, as a model checker does it with a model.

The actors (writers, a recovery, a vacuum, readers) run the code of the package over a store in which each request is one
step. An actor is replayed from its start with the answers it has had so far, until it makes one more request; actors with the
same answers are in the same state, so each run is ghost_after once. A state consists of the store, the answers of each actor, and
the failures that may still happen: an answer that is lost (the transport repeats the request), a request that raises (applied
or not), an actor that dies. The search visits all orders of steps, or random ones.

Beside the store, :class:`~tests.protocol.settings.Ghost` keeps the view of a correct reader, by the order of the decisions.
The properties are checked in ``Ghost.decide`` and in :mod:`tests.protocol.properties`.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, NamedTuple

from pyspark_logs.errors import LogSourceError
from pyspark_logs.jobs import Claim, Job, Record, intent_key, part_name, record_key
from pyspark_logs.jobs.names import claim_key
from tests.protocol.actors import (
    COMMITS,
    DIRECTORIES,
    ENDED,
    NESTED_ROOT,
    ROOT,
    Actor,
    Ask,
    Raised,
    ReplayStore,
    View,
    Writer,
)
from tests.protocol.properties import Properties, check_deletion, foreign_documents
from tests.protocol.settings import Ghost, Setting, Violation, split_document_path
from tests.protocol.store import NOW_MS, Item, World, document

LONG_AGO_MS = 2 * 10**15  # longer than any retention of the actors that drop records

MUTATING = {"put", "replace", "create", "remove", "complete_upload", "abort_upload"}


class Status(NamedTuple):
    """The state of an actor, a tuple because millions of them are copied and hashed.

    Attributes:
        node: index in the tree of answers; -1 if the actor died.
        views: views that a reader may return; for an overwrite, the view at its start.
        fresh: records created since the actor read the commits before its listing: by assumption they outlive the listing.
        half: answer at the start of an unordered listing.
    """

    node: int
    views: tuple[View, ...] = ()
    fresh: frozenset[str] = frozenset()
    half: Any = None


State = tuple[int, tuple[Status, ...], int, int]


@dataclass
class Report:
    """The extent and the findings of a search.

    Attributes:
        states: number of states.
        steps: number of steps.
        ends: number of worlds in which every writer had ended or died.
        full: True if all states were visited.
        seconds: duration.
        runs: number of runs of actors.
        violations: steps that lead to each violation, by its message.
    """

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
    """The search through all states of a setting, or along random walks."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.worlds: list[tuple[World, Ghost]] = []
        self.world_ids: dict[Any, int] = {}
        self.parents: list[tuple[int, Any]] = []  # Node -> its parent, and the answer that leads to it.
        self.children: dict[tuple[int, Any], int] = {}
        self.calls: list[tuple[Any, ...] | None] = []
        self.outcomes: list[Any] = []
        self.effects: dict[tuple[int, Any], Any] = {}
        self.ended: dict[int, str | None] = {}
        self.labels: dict[tuple[Any, ...], str] = {}
        self.runs = 0
        self.roots: list[int] = []
        self.properties = Properties(setting)
        self.failure = Raised(setting.failure)

    # --- the start --------------------------------------------------------------------------------

    def start(self) -> State:
        files: dict[str, Item] = {}
        if self.setting.before:
            job = Job.start(ROOT, random="before", now_us=0).id
            for n, directory in enumerate(DIRECTORIES):
                files[f"{ROOT}{directory}{part_name(0, 0, job, n, 'gz')}"] = Item(b"", 1, f"before{n}")
            if self.setting.record_kept:
                files[ROOT + record_key(job)] = document(Record("committed").to_json())
        if self.setting.newer_record:
            newer = Job.start(ROOT, random="newer", now_us=9).id
            files[ROOT + record_key(newer)] = document(Record("committed").to_json())
        if self.setting.inner_root:
            inner = Job.start(NESTED_ROOT, random="inner", now_us=0).id
            files[NESTED_ROOT + record_key(inner)] = document(Record("committed").to_json())
        if self.setting.ended_claim:
            job = Job.start(ROOT, random="ended", now_us=0, transaction=ENDED)
            claim = Claim(job.id).to_json()
            files[ROOT + claim_key(job.chain, (1,))] = document(claim, NOW_MS - LONG_AGO_MS)
        if self.setting.other_file:
            files[f"{ROOT}p=1/unmanaged.log"] = Item(b"first", 5, "first")
        seen = frozenset((path, item.etag) for path, item in files.items() if "/_" not in path)
        if self.setting.foreign:
            files |= foreign_documents(self.setting.foreign, seen)
        uploads = {
            (actor.job.root + file.key, file.upload_id): (file.size, actor.job.id)
            for actor in self.setting.actors
            if isinstance(actor, Writer)
            for file in actor.files
        }
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
        """Runs an actor with the answers of a node, up to its next request or its end."""
        answers = []
        at = node
        while self.parents[at][0] >= 0:
            before, answer = self.parents[at]
            answers.append(answer)
            at = before
        self.runs += 1
        try:
            store = ReplayStore(answers[::-1], self.setting.in_order, self.setting.page_size)
            self.outcomes[node] = self.setting.actors[index].run(store)
        except Ask as ask:
            self.calls[node] = ask.call

    # --- steps ------------------------------------------------------------------------------------

    def steps(self, state: State) -> Iterator[tuple[str, State | Violation]]:
        world, statuses, lost, raised = state
        for path, data in sorted(self.worlds[world][0].late):
            label = f"{self.properties.name_request(('create', path, data))} [lands]"
            try:
                after, _, record, view = self._effect(world, ("land", path, data))
            except Violation as violation:
                yield label, violation
                continue
            yield label, (after, self._notify(statuses, -1, Status(-1), record, view), lost, raised)
        for index, status in enumerate(statuses):
            if status.node < 0 or self.calls[status.node] is None:
                continue
            actor, call = self.setting.actors[index], self.calls[status.node]
            label = f"{actor.name}: {self._name_request(call)}"
            if self._waits(state, index, call):
                continue
            if call[0] == "list_page" and not self.setting.in_order:
                yield from self._unordered(state, index, label)
                continue
            try:
                after, answer, record, view = self._effect(world, call)
            except Violation as violation:
                yield label, violation
                continue
            yield self._step(state, index, label, after, answer, record, view)
            if call[0] in MUTATING:
                if lost and after != world and actor.kind != "other program":
                    notified = self._notify(statuses, index, status, record, view)
                    yield f"{label} [answer lost]", (after, notified, lost - 1, raised)
                if raised and actor.kind == "writer" and after != world:
                    yield self._step(
                        state, index, f"{label} [done, then raises]", after, self.failure, record, view, cost=1
                    )
            if raised and actor.kind == "writer":
                yield self._step(state, index, f"{label} [raises]", world, self.failure, None, None, cost=1)
            if self.setting.late and actor.kind == "writer" and self._commits(call):
                after, _, _, _ = self._effect(world, ("delay", *call[1:]))
                yield self._step(state, index, f"{label} [raises, lands later]", after, self.failure, None, None)
            if self.setting.crashes and actor.kind in ("writer", "recovery") and self._has_just_changed(status.node):
                dead = (*statuses[:index], Status(-1), *statuses[index + 1 :])
                yield f"{actor.name} dies", (world, dead, lost, raised)

    def _name_request(self, call: tuple[Any, ...]) -> str:
        if call not in self.labels:
            self.labels[call] = self.properties.name_request(call)
        return self.labels[call]

    def _commits(self, call: tuple[Any, ...]) -> bool:
        """True if a request would create the record of a committed job."""
        document = split_document_path(call[1]) if call[0] == "create" else None
        return document is not None and not document[2] and Record.from_json(call[2], call[1]).committed

    def _has_just_changed(self, node: int) -> bool:
        """True if the last request changed the store: a death later, before the next change, leads to the same states."""
        before = self.parents[node][0]
        call = self.calls[before] if before >= 0 else None
        return call is not None and call[0] in MUTATING

    def _effect(self, world: int, call: tuple[Any, ...]) -> tuple[int, Any, str | None, View | None]:
        """Returns the world after a request, its answer, the record it created, and the view if that was a commit."""
        key = (world, call)
        if key not in self.effects:
            before, ghost = self.worlds[world]
            after = before.copy()
            answer = after.do(*call, page_size=self.setting.page_size)
            record = view = None
            ghost_after = ghost
            name, path = call[0], call[1]
            check_deletion(before, after, ghost, path)
            if (name in ("create", "land") and answer) or name == "put":
                document = split_document_path(path)
                if document is not None and not document[2]:
                    record = path
                    ghost_after = ghost.decide(self.setting, after, *document[:2], Record.from_json(call[2], path))
                    view = ghost_after.seen if ghost_after is not ghost else None
                elif "/_" not in path:
                    old = {item for item in ghost.seen if item[0] == path}
                    ghost_after = replace(ghost, seen=(ghost.seen - old) | {(path, after.files[path].etag)})
                    view = ghost_after.seen
            self.effects[key] = self._intern(after, ghost_after), answer, record, view
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
            status = status._replace(views=(seen,))
        if (
            record is not None
            and view is not None
            and actor.kind == "writer"
            and actor.job.mode == "overwrite"
            and status.views
        ):
            left = {item for item in view & status.views[0] if item[0].startswith(actor.job.root)}
            if left and call[0] in ("create", "put") and self.setting.actors[index].job.id in call[1]:
                return label, Violation(
                    f"{actor.name} commits and leaves what was visible when it started: {sorted(left)}"
                )
        node = self._child(status.node, answer, index)
        status = status._replace(node=node, half=None)
        if actor.kind == "writer" and status.fresh and call[0] in ("complete_upload", "abort_upload"):
            status = status._replace(fresh=frozenset())
        outcome = self.outcomes[node]
        if outcome is not None:
            try:
                if actor.kind == "reader":
                    self.properties.check_reader(actor, outcome, self._views(status, view))
                elif actor.kind == "writer":
                    self.properties.check_writer(actor, outcome, self.worlds[after][1])
            except Violation as violation:
                return label, violation
            status = Status(node=self._end(outcome, index))
        return label, (after, self._notify(statuses, index, status, record, view), lost, raised - cost)

    def _end(self, outcome: Any, index: int) -> int:
        """Returns the node of an outcome, which all paths to the outcome share."""
        key = (-2 - index, outcome[0])
        if key not in self.children:
            self.children[key] = len(self.parents)
            self.parents.append((-1, None))
            self.calls.append(None)
            self.outcomes.append(outcome)
        return self.children[key]

    def _views(self, status: Status, view: View | None) -> tuple[View, ...]:
        return status.views if view is None or view in status.views else (*status.views, view)

    def _notify(
        self, statuses: tuple[Status, ...], index: int, status: Status, record: str | None, view: View | None
    ) -> tuple[Status, ...]:
        """Returns the statuses after a decision, which extends the views of readers that are listing."""
        notified = []
        for other, kept in enumerate(statuses):
            current = status if other == index else kept
            actor = self.setting.actors[other]
            if current.node >= 0 and self.calls[current.node] is not None:
                if actor.kind == "reader" and current.views:
                    current = current._replace(views=self._views(current, view))
                if record is not None and self._is_listing(current, actor):
                    current = current._replace(fresh=current.fresh | {record})
            notified.append(current)
        return tuple(notified)

    def _is_listing(self, status: Status, actor: Actor) -> bool:
        """True if an actor is between reading commits before and after a listing: a reader always, an overwrite at times."""
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
            seen = seen or (call[0] == "list_page" and call[1] == actor.job.root + "_commits/")
        return seen

    def _unordered(self, state: State, index: int, label: str) -> Iterator[tuple[str, State | Violation]]:
        """Yields the steps of a listing that sees each key at any moment between its start and its end."""
        world, statuses, lost, raised = state
        status, call = statuses[index], self.calls[statuses[index].node]
        _, answer, _, _ = self._effect(world, call)
        if status.half is None:
            seen = self.worlds[world][1].seen
            if not status.views and self.setting.actors[index].kind == "reader":
                status = status._replace(views=(seen,))
            status = status._replace(half=answer)
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
        """True if a request cannot happen now: a record is dropped only if it is older than any listing or decision."""
        if call[0] != "remove" or self.setting.hasty:
            return False
        document = split_document_path(call[1])
        if document is None or document[2] or call[1] not in self.worlds[state[0]][0].files:
            return False
        job = document[1]
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
            # The actor has seen the job undecided, and is about to decide it or to read the decision.
            decides = actor.kind != "reader" and pending[0] in ("create", "get") and f"_commits/{job}" in pending[1]
            if decides and not self._reads_holder(status.node, pending):
                return True
            if actor.kind == "recovery" and self._is_to_decide(status.node, job):
                return True
        return False

    def _reads_holder(self, node: int, pending: tuple[Any, ...]) -> bool:
        """True if a writer has read the holder of a claim, and is about to ask for the holder's decision.

        It may stall there: a record is dropped only after the decision is in the claim, which the writer reads again.
        """
        before = self.calls[self.parents[node][0]] if self.parents[node][0] >= 0 else None
        if pending[0] != "get" or before is None:
            return False
        return before[0] == "head" or (before[0] == "get" and "/_claims/" in before[1])

    def _is_to_decide(self, node: int, job: str) -> bool:
        """True if a recovery has listed the intent of a job and has not yet asked for its record."""
        while self.parents[node][0] >= 0:
            before, answer = self.parents[node]
            call = self.calls[before]
            if call[:2] == ("get", ROOT + record_key(job)):
                return False
            if call[:2] == ("list_page", COMMITS) and any(file.path == ROOT + intent_key(job) for file in answer.files):
                return True
            node = before
        return False

    # --- the search -----------------------------------------------------------------------------------

    def explore(
        self, *, most_states: int = 10_000_000, most_s: float = 600.0, stop: bool = False, depth_first: bool = False
    ) -> Report:
        """Visits states breadth first, so that the trace of a violation is a shortest one.

        Args:
            most_states: number of states after which to give up.
            most_s: seconds after which to give up.
            stop: True to stop at the first violation.
            depth_first: True to follow each run to its end first. A violation is found in fewer states, by a longer trace.
        """
        started = time.monotonic()
        start = self.start()
        reached: dict[State, tuple[State, str] | None] = {start: None}
        queue = deque([start])
        report = Report()
        while queue:
            state = queue.pop() if depth_first else queue.popleft()
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
            if len(reached) > most_states or (report.steps & 0xFF < 8 and time.monotonic() - started > most_s):
                report.full = False
                break
        report.states, report.ends, report.runs = len(reached), len(self.ended), self.runs
        report.seconds = time.monotonic() - started
        return report

    def walk(self, seed: int, *, walks: int, most_s: float = 60.0) -> Report:
        """Takes random walks from the start until nothing can happen any more."""
        started = time.monotonic()
        choose = random.Random(seed)
        start = self.start()
        report = Report(full=False)
        seen: set[State] = set()
        for _ in range(walks):
            state, trace = start, []
            while options := list(self.steps(state)):
                report.steps += 1
                # Half of the steps are failures; with all of them, walks would be short.
                successes = [option for option in options if not option[0].endswith(("dies", "]"))]
                label, after = choose.choice(successes if successes and choose.random() < 0.9 else options)
                trace.append(label)
                if isinstance(after, Violation):
                    report.violations.setdefault(str(after), list(trace))
                    break
                state = after
                seen.add(state)
                if (problem := self._end_of(state)) is not None:
                    report.violations.setdefault(problem, list(trace))
                    break
            if report.violations or time.monotonic() - started > most_s:
                break
        report.states, report.ends, report.runs = len(seen), len(self.ended), self.runs
        report.seconds = time.monotonic() - started
        return report

    def _end_of(self, state: State) -> str | None:
        world, statuses, _, _ = state
        for actor, status in zip(self.setting.actors, statuses, strict=True):
            if actor.kind == "writer" and status.node >= 0 and self.calls[status.node] is not None:
                return None
        if world not in self.ended:
            try:
                self.properties.check_end(*self.worlds[world])
                self.ended[world] = None
            except (Violation, LogSourceError) as problem:
                self.ended[world] = str(problem)
        return self.ended[world]

    def _trace(self, reached: dict[State, tuple[State, str] | None], state: State) -> list[str]:
        labels = []
        while (step := reached[state]) is not None:
            state, label = step
            labels.append(label)
        return labels[::-1]
