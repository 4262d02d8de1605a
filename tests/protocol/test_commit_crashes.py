"""Drivers and recoveries that die at each of their requests, on real stores, followed by a recovery.

Each test records the number of requests at which a process died as the property ``points``, and prints it with ``-s``.
"""

from __future__ import annotations

import itertools

import pytest

from pyspark_logs.commit import CommitSettings, abort, commit, recover, vacuum
from pyspark_logs.errors import CommitConflictError
from pyspark_logs.jobs import (
    Job,
    Record,
    SingleRoot,
    StagedFile,
    Transaction,
    intent_key,
    job_of,
    part_name,
    read_record,
    record_key,
    take_snapshot,
)
from pyspark_logs.jobs.snapshots import list_all
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import Store, open_store
from tests.support.crashing_store import Crash, CrashingStore
from tests.support.effort import extent

# Coverage would double the duration of these tests, and other tests reach the same code.
pytestmark = pytest.mark.no_cover

SETTINGS = CommitSettings(threads=1)
BATCH = Transaction.of_batch("q", 7)
KINDS = {
    "append": ("append", None),
    "batch": ("append", BATCH),
    "overwrite": ("overwrite", None),
    "overwrite of a txnId": ("overwrite", Transaction.of_id("x")),
}
_roots = itertools.count(1)


# Each of these tests takes about ten seconds on the S3 server; one of each kind of job runs by default.
@pytest.fixture(params=["local", "memory", pytest.param("s3", marks=pytest.mark.slow)])
def storage(request, tmp_path) -> tuple[Store, str]:
    """Returns a store and one of its directories, which ends in a slash."""
    if request.param == "s3":
        bucket = request.getfixturevalue("s3")
        return open_store(bucket.url, bucket.options), bucket.url + "/"
    root = f"{tmp_path}/" if request.param == "local" else f"memory://crashes-{next(_roots)}/"
    return open_store(root, StoreOptions()), root


class Scene:
    """A new root with a file that no job wrote and a committed job, and a second job, which is staged."""

    def __init__(self, store: Store, storage: str, kind: str) -> None:
        mode, transaction = KINDS[kind]
        self.store = store
        self.root = f"{storage}{next(_roots)}/"
        self.before = self.start("before", 1)
        for path in (self.root + "p=1/theirs.log", self.root + "p=1/" + part_name(0, 0, self.before.id, 0, "log")):
            store.put(path, b"x\n")
        store.create(self.root + record_key(self.before.id), Record("committed").to_json())
        self.old = {path for path, _ in self.files()}
        self.job = self.start("job", 2, mode, transaction)
        self.staged = self.stage(self.job)
        self.stage(self.job, attempt=1)  # An attempt of a task that was not chosen.
        self.new = {self.root + file.key for file in self.staged}

    def start(self, random, now_us, mode="append", transaction=None) -> Job:
        return Job.start(self.root, random=random, now_us=now_us, mode=mode, transaction=transaction)

    def stage(self, job, attempt=0) -> tuple[StagedFile, ...]:
        files = []
        for task, directory in enumerate(("p=1/", "p=2/")):
            key = directory + part_name(task, attempt, job.id, 0, "log")
            upload = self.store.start_upload(job.root + key, token=job.id, staging=job.staging)
            part = self.store.upload_part(job.root + key, upload, 1, b"line\n")
            files.append(StagedFile(key, upload, (part,), 5, 1))
        return tuple(files)

    def files(self) -> set[tuple[str, int]]:
        found = list_all(self.store, self.root + "p=1/") + list_all(self.store, self.root + "p=2/")
        return {(file.path, file.size) for file in found}

    def seen(self) -> set[str]:
        def data():
            return list_all(self.store, self.root + "p=1/") + list_all(self.store, self.root + "p=2/")

        return {file.path for file in take_snapshot(self.store, SingleRoot(self.root), data).files}

    def is_committed(self, job: Job | None = None) -> bool:
        record = read_record(self.store, self.root, (job or self.job).id)
        return record is not None and record.committed

    def expected(self) -> set[str]:
        if not self.is_committed():
            return self.old
        return self.new if self.job.mode == "overwrite" else self.old | self.new

    def check(self) -> None:
        """Checks that a reader sees all files of the job or none."""
        assert self.seen() == self.expected()

    def check_done(self) -> None:
        """Checks that the store holds the visible files and nothing else."""
        self.check()
        assert {path for path, _ in self.files()} == self.expected()
        assert self.store.head(self.root + intent_key(self.job.id)) is None
        assert [upload for upload in self.store.list_uploads(self.root).uploads if job_of(upload.path)] == []
        assert [file.path for file in list_all(self.store, self.root + "_staging/")] == []


# `make test` kills every third request where the S3 server or the number of pairs of requests takes the time.
STRIDE = extent(bounded=3, full=1)


def each_death(scene_of, act, stride=1):
    """Yields scenes on which ``act`` died at its first request, its second, and so on, until ``act`` completes.

    The requests at which it died are first not applied, then applied.

    Args:
        scene_of: function that returns a new scene.
        act: function of a scene and of a store that dies.
        stride: number of requests from one death to the next.
    """
    for applied in (False, True):
        for at in itertools.count(1 + applied % stride, stride):
            scene = scene_of()
            dying = CrashingStore(scene.store, at, applied=applied)
            try:
                act(scene, dying)
            except Crash:
                yield scene
            else:
                break


@pytest.mark.parametrize("kind", KINDS)
def test_a_driver_dies_at_each_request(storage, kind, record_property):
    die_at_each_request(storage, kind, record_property)


@pytest.mark.parametrize("kind", ["append", "overwrite"])
def test_a_driver_dies_at_each_request_to_s3(s3, kind, record_property):
    die_at_each_request((open_store(s3.url, s3.options), s3.url + "/"), kind, record_property, STRIDE)


def die_at_each_request(storage, kind, record_property, stride=1):
    store, root = storage
    points, committed = 0, 0

    def act(scene, dying):
        commit(dying, scene.job, scene.staged, SETTINGS)

    for scene in each_death(lambda: Scene(store, root, kind), act, stride):
        points += 1
        scene.check()
        recover(store, scene.root, older_than_us=0)
        vacuum(store, scene.root, older_than_us=0)
        scene.check_done()
        committed += scene.is_committed()
    record_property("points", points)
    print(f"{points} points, {committed} of them after the commit")  # noqa: T201 - with -s
    assert 0 < committed < points
    assert points * stride >= 20


@pytest.mark.parametrize("kind", ["append", "overwrite"])
def test_abort_after_a_death_at_each_request(storage, kind, record_property):
    """Spark calls abort() when commit() raises."""
    store, root = storage
    points = 0

    def act(scene, dying):
        commit(dying, scene.job, scene.staged, SETTINGS)

    for scene in each_death(lambda: Scene(store, root, kind), act):
        points += 1
        abort(store, scene.job, scene.staged, SETTINGS)
        scene.check()
        if scene.is_committed():
            recover(store, scene.root, older_than_us=0)
        scene.check_done()
    record_property("points", points)
    assert points >= 20


@pytest.mark.parametrize("kind", ["append", "overwrite"])
@pytest.mark.parametrize("storage", ["memory"], indirect=True)
def test_a_recovery_dies_at_each_request(storage, kind, record_property):
    """A recovery dies at each of its requests, after a driver died at each of its requests."""
    store, root = storage
    points = 0
    for at in itertools.count(1, STRIDE):

        def scene_of(at=at):
            scene = Scene(store, root, kind)
            try:
                commit(CrashingStore(store, at, applied=True), scene.job, scene.staged, SETTINGS)
            except Crash:
                scene.died = True
            return scene

        for scene in each_death(scene_of, lambda scene, dying: recover(dying, scene.root, older_than_us=0)):
            points += 1
            scene.check()
            recover(store, scene.root, older_than_us=0)
            vacuum(store, scene.root, older_than_us=0)
            scene.check_done()
        if not hasattr(scene_of(), "died"):
            break
    record_property("points", points)
    print(f"{points} points")  # noqa: T201 - with -s
    assert points * STRIDE >= 100


@pytest.mark.parametrize("kind", ["batch", "overwrite of a txnId"])
def test_a_second_driver_after_a_death_at_each_request(storage, kind, record_property):
    """A second job of a transaction commits it exactly once, without a recovery in between."""
    store, root = storage
    points, first = 0, 0

    def act(scene, dying):
        commit(dying, scene.job, scene.staged, SETTINGS)

    for scene in each_death(lambda: Scene(store, root, kind), act):
        points += 1
        again = scene.start("again", 3, scene.job.mode, scene.job.transaction)
        files = scene.stage(again)
        was_committed = scene.is_committed()
        result = commit(store, again, files, SETTINGS)
        assert (result.outcome == "already_committed") == was_committed
        assert scene.is_committed(again) != was_committed
        recover(store, scene.root, older_than_us=0)
        vacuum(store, scene.root, older_than_us=0)
        if was_committed:
            scene.check_done()
            first += 1
        else:
            new = {scene.root + file.key for file in files}
            assert scene.seen() == (new if again.mode == "overwrite" else scene.old | new)
    record_property("points", points)
    assert 0 < first < points


def test_a_later_overwrite_after_a_death_at_each_request(storage, record_property):
    store, root = storage
    points = 0

    def act(scene, dying):
        commit(dying, scene.job, scene.staged, SETTINGS)

    for scene in each_death(lambda: Scene(store, root, "overwrite"), act):
        points += 1
        again = scene.start("again", 3, "overwrite")
        files = scene.stage(again)
        commit(store, again, files, SETTINGS)
        assert scene.seen() == {scene.root + file.key for file in files}
        # The first driver was slow, not dead.
        if not scene.is_committed():
            try:
                commit(store, scene.job, scene.staged, SETTINGS)
            except CommitConflictError:
                assert scene.seen() == {scene.root + file.key for file in files}
            else:
                # Its intent had not been written, so the job started anew.
                assert scene.seen() <= scene.new
        recover(store, scene.root, older_than_us=0)
        vacuum(store, scene.root, older_than_us=0)
        assert [upload for upload in store.list_uploads(scene.root).uploads if job_of(upload.path)] == []
    record_property("points", points)
    assert points >= 20


@pytest.mark.parametrize("threads", [1, 8])
def test_a_commit_and_its_replay(storage, threads):
    store, root = storage
    settings = CommitSettings(threads=threads)
    scene = Scene(store, root, "overwrite of a txnId")
    result = commit(store, scene.job, scene.staged, settings)
    assert (result.outcome, result.files, result.replaced) == ("committed", 2, 2)
    scene.check_done()
    again = scene.start("again", 3, "overwrite", scene.job.transaction)
    assert commit(store, again, scene.stage(again), settings).outcome == "already_committed"
    scene.check_done()


def test_number_of_requests_of_a_commit(s3, record_property):
    store, root = open_store(s3.url, s3.options), s3.url + "/t/"
    for number in range(3):
        job = Job.start(root, random=f"r{number}", now_us=number, transaction=Transaction.of_batch("q", number))
        key = part_name(0, 0, job.id, 0, "log")
        upload = store.start_upload(root + key, token=job.id, staging=job.staging)
        part = store.upload_part(root + key, upload, 1, b"x")
        store.request_counts.clear()
        commit(store, job, (StagedFile(key, upload, (part,), 1, 1),), CommitSettings())
        requests = {kind: count for kind, count in store.request_counts.items() if kind != "COMPLETE"}
        record_property(f"batch {number}", requests)
        assert sum(requests.values()) <= 10, requests
