"""The commit protocol step by step: what is written, what is asked for, what it costs, what it says when it fails."""

from __future__ import annotations

import json
import logging
import pickle
import re
import threading
import time
from collections import Counter
from dataclasses import replace

import pytest

from pyspark_logs.commit import CommitSettings, Table, abort, claims, commit, recover, retention, vacuum
from pyspark_logs.errors import (
    AccessDeniedError,
    CommitConflictError,
    CommitStateUnknownError,
    CorruptFileError,
    ReadOnlyStoreError,
    SnapshotChangedError,
    StoreError,
)
from pyspark_logs.jobs import (
    Intent,
    Job,
    Record,
    SingleRoot,
    StagedFile,
    Transaction,
    intent_key,
    new_job_id,
    part_name,
    record_key,
    take_snapshot,
)
from pyspark_logs.jobs.snapshots import list_all
from pyspark_logs.layout import Layout
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import Store
from pyspark_logs.store.parallel import in_parallel
from tests.protocol.store import ProtocolStore, document

ROOT = "s3://b/t/"
DAY_MS = 86_400_000
HOUR_US = 3_600_000_000
SETTINGS = CommitSettings(threads=1)
DATA = {"CREATE", "PART", "COMPLETE"}
BATCH = [Transaction.of_batch("q", number) for number in range(10)]


def start(number: int, mode="append", transaction=None, scope="table", root=ROOT) -> Job:
    return Job.start(root, random=f"seed{number}", now_us=number, mode=mode, scope=scope, transaction=transaction)


def stage(store: Store, job: Job, directories=("p=1/", "p=2/"), *, attempt=0, data=b"line\n") -> tuple[StagedFile, ...]:
    """A file of one part in each directory."""
    files = []
    for task, directory in enumerate(directories):
        key = directory + part_name(task, attempt, job.id, 0, "log")
        upload = store.start_upload(job.root + key, token=job.id, staging=job.staging)
        part = store.upload_part(job.root + key, upload, 1, data)
        files.append(StagedFile(key, upload, (part,), len(data), 1))
    return tuple(files)


def write(store: Store, number: int, settings=SETTINGS, **arguments) -> Job:
    job = start(number, **arguments)
    commit(store, job, stage(store, job), settings)
    return job


def seen(store: Store, root=ROOT) -> set[str]:
    """Jobs of which a reader sees a file; all of their files, or this fails."""

    def data() -> list:
        return [file for file in list_all(store, root) if "/_" not in file.path and "/." not in file.path]

    files = take_snapshot(store, SingleRoot(root), data).files
    counts = Counter(
        file.path.rpartition("/")[2].split("-")[3] if "part-" in file.path else file.path for file in files
    )
    assert all(count == 2 or "/" in name for name, count in counts.items()), counts
    return set(counts)


def documents(store: ProtocolStore) -> list[str]:
    return [path.removeprefix(ROOT) for path in store.paths(ROOT + "_")]


@pytest.fixture
def store() -> ProtocolStore:
    return ProtocolStore()


# --- what is written --------------------------------------------------------------------------------------------------


def test_an_append(store):
    job = start(1)
    files = stage(store, job)
    result = commit(store, job, files, SETTINGS)
    assert (result.outcome, result.job, result.files, result.replaced) == ("committed", job.id, 2, 0)
    assert documents(store) == [record_key(job.id)]
    assert store.json(ROOT + record_key(job.id)) == {"state": "committed", "replaces": []}
    assert store.world.uploads == {}
    assert seen(store) == {job.id}


def test_the_order_of_an_append(store):
    job = start(1)
    files = stage(store, job, ("",))
    requests = []
    store.before = lambda name, *args: requests.append((name, args[0].removeprefix(ROOT)))
    commit(store, job, files, SETTINGS)
    assert requests == [
        ("create", intent_key(job.id)),
        ("create", intent_key(job.id)),  # the probe: refused
        ("complete_upload", files[0].key),
        ("create", record_key(job.id)),
        ("list_page", "_commits/"),  # the intent is still there
        ("list_uploads", ""),
        ("remove", intent_key(job.id)),
    ]


def test_the_intent_tells_all_that_is_needed(store):
    job = start(1, transaction=BATCH[3])
    files = stage(store, job, ("p=1/",))
    store.before = lambda name, *args: (_ for _ in ()).throw(KeyboardInterrupt) if name == "list_page" else None
    with pytest.raises(KeyboardInterrupt):
        commit(store, job, files, SETTINGS)
    assert store.json(ROOT + intent_key(job.id)) == {
        "version": 1,
        "created": 1,
        "mode": "append",
        "transaction": {"chain": "query-q", "batch": 3},
        "files": [{"key": files[0].key, "upload_id": files[0].upload_id}],
    }


def test_an_intent_is_sent_once(store):
    job = start(1)
    files = stage(store, job, [f"p={number}/" for number in range(2000)])
    sent = []
    store.before = lambda name, *args: sent.append(len(args[1])) if name == "create" and "~intent" in args[0] else None
    commit(store, job, files, SETTINGS)
    assert len(sent) == 2
    assert sent[0] < 40_000  # compressed
    assert sent[1] < 100  # the probe


def test_a_large_intent_is_rolled_back(store):
    job = start(1)
    files = stage(store, job, [f"p={number}/" for number in range(2000)])
    dying(store, "complete_upload")
    with pytest.raises(KeyboardInterrupt):
        commit(store, job, files, SETTINGS)
    assert len(recover(revived(store), ROOT, older_than_us=0).files) == 2000
    assert store.world.uploads == {}


def test_claims_of_a_stream(store):
    jobs = [write(store, number, transaction=BATCH[number]) for number in range(3)]
    claims = {path: store.json(ROOT + path) for path in documents(store) if path.startswith("_claims/")}
    assert claims == {f"_claims/query-q/{number}.1": {"job": job.id} for number, job in enumerate(jobs)}
    assert seen(store) == {job.id for job in jobs}


def test_an_overwrite_with_a_transaction_claims_its_transaction_first(store):
    job = start(1, "overwrite", Transaction.of_id("x"))
    claims = []
    store.before = lambda name, *args: claims.append(args[0]) if name == "create" and "_claims/" in args[0] else None
    commit(store, job, stage(store, job), SETTINGS)
    assert claims == [ROOT + "_claims/txn-x/1", ROOT + "_claims/overwrite/1"]


def test_an_overwrite_replaces_what_is_visible(store):
    first = write(store, 1)
    store.put(ROOT + "theirs.log", b"theirs")
    store.put(ROOT + "p=1/_hidden", b"hidden")
    store.put(ROOT + ".crc/x", b"hidden")
    running = start(2)
    stray = stage(store, running)
    store.create(ROOT + intent_key(running.id), b"{}")
    store.complete_upload(ROOT + stray[0].key, stray[0].upload_id, stray[0].parts, size=5)
    job = start(3, "overwrite")
    result = commit(store, job, stage(store, job), SETTINGS)
    record = store.json(ROOT + record_key(job.id))
    replaced = {file["key"] for file in record["replaces"]}
    assert replaced == {"theirs.log", *(path for path in replaced if first.id in path)}
    assert result.replaced == len(replaced) == 3
    assert ROOT + stray[0].key in store.world.files
    assert ROOT + "p=1/_hidden" in store.world.files
    assert seen(store) == {job.id}


def test_an_overwrite_of_partitions_leaves_the_others(store):
    for directory in ("p=1/", "p=1/deep/", "p=2/", "p=3/", ""):
        store.put(f"{ROOT}{directory}old.log", b"x")
    job = start(1, "overwrite", scope="partitions")
    commit(store, job, stage(store, job), SETTINGS)
    assert [path for path in store.paths(ROOT) if path.endswith("old.log")] == [ROOT + "old.log", ROOT + "p=3/old.log"]


def test_an_overwrite_of_partitions_replaces_all_spellings_of_a_directory(store):
    layout = Layout.parse("year={yyyy}/month={MM}/day={dd}")
    for directory in ("month=01/day=05", "month=1/day=5", "month=1/day=05", "month=1/day=6", "month=10/day=05"):
        store.put(f"{ROOT}year=2026/{directory}/old.log", b"x")
    job = start(1, "overwrite", scope="partitions")
    table = Table(layout.matches, layout.spellings)
    result = commit(store, job, stage(store, job, ("year=2026/month=01/day=05/",)), SETTINGS, table=table)
    assert result.replaced == 3
    assert [path.removeprefix(ROOT) for path in store.paths(ROOT) if path.endswith("old.log")] == [
        "year=2026/month=1/day=6/old.log",
        "year=2026/month=10/day=05/old.log",
    ]


def test_nested_partitions_are_listed_once(store):
    store.put(ROOT + "p=1/deep/old.log", b"x")
    job = start(1, "overwrite", scope="partitions")
    result = commit(store, job, stage(store, job, ("p=1/", "p=1/deep/", "p=10/")), SETTINGS)
    assert result.replaced == 1


def test_an_overwrite_replaces_only_keys_of_the_table(store):
    for name in ("a.log", "README"):
        store.put(ROOT + name, b"x")
    job = start(1, "overwrite")
    commit(store, job, stage(store, job), SETTINGS, table=Table(lambda key: key.endswith(".log")))
    assert ROOT + "README" in store.world.files
    assert ROOT + "a.log" not in store.world.files


def test_an_overwrite_below_a_root_that_knows_its_files_is_refused(store):
    outer = start(1)
    files = stage(store, outer)
    store.after = lambda name, *args: stop() if name == "complete_upload" and args[0].endswith(files[1].key) else None

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commit(store, outer, files, SETTINGS)
    store.after = lambda *args: None
    inner = start(2, "overwrite", root=ROOT + "p=1/")
    with pytest.raises(
        CommitConflictError, match=r"Overwrite s3://b/t/ itself, with overwriteScope=partitions"
    ) as caught:
        commit(store, inner, stage(store, inner, ("",)), SETTINGS)
    assert caught.value.job == inner.id
    assert [path for path in store.paths(ROOT + "p=") if "/_" not in path] == [ROOT + file.key for file in files]


@pytest.mark.parametrize("directory", ["a/", "a/2026/"])
def test_an_overwrite_of_partitions_in_a_root_of_its_own_is_refused(store, directory):
    class DiedError(BaseException):
        pass

    def stop(name, *args):
        if name == "create" and args[0].endswith(f"{inner.id}.json"):
            raise DiedError

    inner = start(1, root=ROOT + directory)
    files = stage(store, inner, ("2026/11/p=1/", "2026/11/p=2/"))
    store.before = stop
    with pytest.raises(DiedError):
        commit(store, inner, files, SETTINGS)  # all files are published, and the job is undecided
    store.before = lambda *args: None
    outer = start(2, "overwrite", scope="partitions")
    with pytest.raises(CommitConflictError, match=f"its directory {ROOT}{directory} is a root of its own"):
        commit(store, outer, stage(store, outer, (f"{directory}2026/11/p=1/",)), SETTINGS)
    assert len([path for path in store.paths(inner.root) if "part-" in path]) == 2


def test_an_overwrite_of_partitions_costs_no_further_request_if_its_root_knows_the_files(store):
    lists = []
    write(store, 1)
    store.before = lambda name, *args: lists.append(args[0]) if name == "list_page" else None
    job = start(2, "overwrite", scope="partitions")
    commit(store, job, stage(store, job, ("a/b/p=1/",)), SETTINGS)
    assert f"{ROOT}a/_commits/" not in lists


def test_an_overwrite_below_a_root_that_has_forgotten_its_files(store):
    outer = write(store, 1)
    store.remove(ROOT + record_key(outer.id))
    inner = start(2, "overwrite", root=ROOT + "p=1/")
    assert commit(store, inner, stage(store, inner, ("",)), SETTINGS).replaced == 1


def test_an_overwrite_asks_the_roots_above_only_for_files_that_its_own_root_does_not_know(store):
    write(store, 1, mode="overwrite")
    lists = []
    store.before = lambda name, *args: lists.append(args[0]) if name == "list_page" else None
    write(store, 2, mode="overwrite")
    assert "s3://b/_commits/" not in lists
    write(store, 3, mode="overwrite")
    for path in store.paths(ROOT + "_commits/"):
        store.remove(path)
    write(store, 4, mode="overwrite")
    assert lists.count("s3://b/_commits/") == 1


def test_an_overwrite_whose_rights_end_at_its_root_warns_of_roots_above(store, caplog):
    outer = write(store, 1)

    def refuse(name, *args):
        if name == "list_page" and args[0] == ROOT + "_commits/":
            raise AccessDeniedError("no")

    store.before = refuse
    inner = start(2, "overwrite", root=ROOT + "p=1/")
    assert commit(store, inner, stage(store, inner, ("",)), SETTINGS).replaced == 1
    (record,) = caplog.records
    assert f"of job {outer.id}, and s3://b/t/ may not be listed" in record.message


def test_an_overwrite_with_nothing_leaves_nothing(store):
    write(store, 1)
    job = start(2, "overwrite")
    assert commit(store, job, (), SETTINGS).replaced == 2
    assert seen(store) == set()
    assert store.paths(ROOT + "p=") == []


def test_a_new_version_of_a_replaced_file_stays(store):
    store.put(ROOT + "theirs.log", b"one")
    job = start(1, "overwrite")
    files = stage(store, job)

    def rewrite(name, *args):
        if name == "create" and args[0] == ROOT + record_key(job.id):
            store.world.files[ROOT + "theirs.log"] = document(b"two")

    store.before = rewrite
    commit(store, job, files, SETTINGS)
    assert store.get(ROOT + "theirs.log") == b"two"
    assert seen(store) == {job.id, ROOT + "theirs.log"}


def test_an_append_of_nothing_asks_for_nothing(store):
    assert commit(store, start(1), (), SETTINGS).files == 0
    assert store.counted == {}
    assert commit(store, start(2, transaction=BATCH[0]), (), SETTINGS).outcome == "committed"
    assert commit(store, start(3, transaction=BATCH[0]), (), SETTINGS).outcome == "already_committed"


# --- what must happen once --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transaction", [Transaction.of_id("x"), BATCH[1]])
@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_a_transaction_commits_once(store, transaction, mode):
    first = write(store, 1, mode=mode, transaction=transaction)
    again = start(2, mode, transaction)
    files = stage(store, again)
    result = commit(store, again, files, SETTINGS)
    assert (result.outcome, result.job, result.files) == ("already_committed", first.id, 0)
    assert seen(store) == {first.id}
    assert store.world.uploads == {}
    assert ROOT + intent_key(again.id) not in store.world.files
    abort(store, again, files, SETTINGS)
    assert seen(store) == {first.id}


def test_an_aborted_job_does_not_bar_its_transaction(store):
    first = start(1, transaction=BATCH[1])
    files = stage(store, first)
    dying(store, "complete_upload")
    with pytest.raises(KeyboardInterrupt):
        commit(store, first, files, SETTINGS)
    second = write(revived(store), 2, transaction=BATCH[1])
    assert seen(store) == {second.id}
    # It was undone by the second one, so that nothing is left to recover.
    assert store.world.uploads == {}
    assert recover(store, ROOT, older_than_us=0).rolled_back == ()
    # The first driver comes back.
    assert commit(store, first, files, SETTINGS).job == second.id
    assert seen(store) == {second.id}


def test_an_older_batch_is_refused(store):
    newer = write(store, 1, transaction=BATCH[5])
    older = start(2, transaction=BATCH[4])
    with pytest.raises(
        CommitConflictError, match=rf"batch 5 was claimed by job {newer.id}, and this is batch 4"
    ) as raised:
        commit(store, older, stage(store, older), SETTINGS)
    assert raised.value.job == older.id
    assert pickle.loads(pickle.dumps(raised.value)).job == older.id
    assert seen(store) == {newer.id}
    assert store.world.uploads == {}


def test_a_later_overwrite_ends_an_undecided_one(store):
    first = start(1, "overwrite")
    files = stage(store, first)
    dying(store, "complete_upload")
    with pytest.raises(KeyboardInterrupt):
        commit(store, first, files, SETTINGS)
    second = write(revived(store), 2, mode="overwrite")
    assert store.json(ROOT + record_key(first.id)) == {"state": "aborted"}
    assert seen(store) == {second.id}
    assert store.world.uploads == {}


def test_what_cannot_be_undone_of_an_undecided_one_is_left_to_recover(store, caplog):
    first = start(1, "overwrite")
    files = stage(store, first)
    dying(store, "complete_upload")
    with pytest.raises(KeyboardInterrupt):
        commit(store, first, files, SETTINGS)
    failing(revived(store), "abort_upload")
    second = write(store, 2, mode="overwrite")
    assert "could not undo" in caplog.text
    revived(store)
    assert recover(store, ROOT, older_than_us=0).rolled_back == (first.id,)
    assert store.world.uploads == {}
    assert seen(store) == {second.id}


def test_another_wins_the_number(store):
    job, other = start(1, "overwrite"), start(2, "overwrite")
    files = stage(store, job)

    def claim(name, *args):
        if name == "create" and "_claims/" in args[0]:
            store.world.do("create", args[0], json.dumps({"job": other.id}).encode())

    store.before = claim
    with pytest.raises(CommitConflictError, match=rf"job {other.id} claimed _claims/overwrite/1 at the same moment"):
        commit(store, job, files, SETTINGS)
    assert seen(store) == set()
    assert store.world.uploads == {}


def test_a_claim_above_ours_wins(store):
    job, other = start(1, "overwrite"), start(2, "overwrite")
    files = stage(store, job)

    def claim(name, *args):
        if name == "create" and "_claims/" in args[0]:
            store.world.do("create", ROOT + "_claims/overwrite/2", json.dumps({"job": other.id}).encode())

    store.before = claim
    with pytest.raises(CommitConflictError, match="a newer claim exists"):
        commit(store, job, files, SETTINGS)


def test_a_claim_that_goes_while_it_is_looked_at(store):
    first = write(store, 1, mode="overwrite")

    def drop(name, *args):
        if name == "get" and args[0].endswith("/overwrite/1"):
            store.world.files.pop(args[0], None)

    store.before = drop
    second = write(store, 2, mode="overwrite")
    assert store.paths(ROOT + "_claims/") == [ROOT + "_claims/overwrite/1"]
    assert seen(store) == {second.id}
    assert first.id != second.id


def test_a_claim_whose_answer_was_lost_is_ours(store):
    job = start(1, "overwrite")
    files = stage(store, job)
    repeated(store, "create")
    commit(store, job, files, SETTINGS)
    assert seen(store) == {job.id}


def test_a_commit_that_is_called_again_claims_no_second_number(store):
    job = start(1, "overwrite", BATCH[1])
    files = stage(store, job)
    failing(store, "complete_upload")
    with pytest.raises(StoreError, match="injected"):
        commit(store, job, files, SETTINGS)
    commit(revived(store), job, files, SETTINGS)
    assert store.paths(ROOT + "_claims/") == [ROOT + "_claims/overwrite/1", ROOT + "_claims/query-q/1.1"]
    assert seen(store) == {job.id}


def test_others_decide_as_fast_as_it_looks(store):
    numbers = iter(range(100, 10_000))

    def claim(name, *args):
        if name == "list_page" and "_claims/" in args[0]:
            number = next(numbers)
            other = new_job_id("overwrite", number, f"r{number}")
            store.world.do("put", ROOT + intent_key(other), Intent(number, "overwrite", None, ()).to_json())
            store.world.do("put", f"{ROOT}_claims/overwrite/{number}", json.dumps({"job": other}).encode())

    job = start(1, "overwrite")
    files = stage(store, job)
    store.before = claim
    with pytest.raises(CommitConflictError, match="other jobs were decided while it waited"):
        commit(store, job, files, SETTINGS)


# --- what goes wrong --------------------------------------------------------------------------------------------------


def dying(store, name):
    """The process dies at a request of this kind."""

    def die(called, *args):
        if called == name:
            raise KeyboardInterrupt

    store.before = die


# Of a store, and of a driver that cannot read a response.
FAILURES = [StoreError, KeyError]


def failing(store, name, what="", *, applied=False, times=1000, failure=StoreError):
    """Requests of this kind raise, for paths with this in them."""
    left = iter(range(times))

    def fail(called, *args):
        if called == name and what in args[0] and next(left, None) is not None:
            raise failure("injected")

    if applied:
        store.after = fail
    else:
        store.before = fail


def repeated(store, name):
    """Every request of this kind is applied, its answer lost, and made again by the transport."""
    store.before = lambda called, *args: store.world.do(called, *args) if called == name else None


def revived(store):
    store.before = store.after = lambda name, *args: None
    return store


@pytest.mark.parametrize("name", ["create", "complete_upload", "remove", "abort_upload"])
@pytest.mark.parametrize(("mode", "transaction"), [("append", None), ("append", BATCH[2]), ("overwrite", None)])
def test_lost_answers(store, name, mode, transaction):
    write(store, 1)
    repeated(store, name)
    job = write(store, 2, mode=mode, transaction=transaction)
    assert job.id in seen(store)
    assert not any(path.endswith("~intent.json") for path in store.paths())


def test_an_upload_that_was_aborted_loses_the_job(store):
    job = start(1)
    files = stage(store, job)
    store.abort_upload(ROOT + files[1].key, files[1].upload_id)
    with pytest.raises(CommitConflictError, match=r"the upload of s3://b/t/p=2/.* was aborted.*incomplete uploads"):
        commit(store, job, files, SETTINGS)
    assert store.paths(ROOT + "p=") == []
    assert documents(store) == [record_key(job.id)]
    assert store.json(ROOT + record_key(job.id)) == {"state": "aborted"}


def test_a_file_of_another_size_or_token_is_not_ours(store):
    job = start(1)
    for change in ({"size": 6}, {"token": "other"}):
        files = stage(store, job)
        path = ROOT + files[0].key
        store.complete_upload(path, files[0].upload_id, files[0].parts, size=5)
        store.world.files[path] = store.world.files[path]._replace(**change)
        with pytest.raises(CommitConflictError, match="was aborted"):
            commit(store, job, files, SETTINGS)
        job = start(2)


def test_a_job_that_was_rolled_back_meanwhile(store):
    job = start(1)
    files = stage(store, job)

    def roll_back(name, *args):
        if name == "create" and args[0] == ROOT + record_key(job.id):
            revived(store)
            assert recover(store, ROOT, job=job.id).rolled_back == (job.id,)

    store.before = roll_back
    with pytest.raises(CommitConflictError, match=r"was rolled back by a recovery or a later writer"):
        commit(store, job, files, SETTINGS)
    assert store.paths(ROOT + "p=") == []


def test_a_job_that_was_rolled_back_before_its_probe(store):
    job = start(1)
    files = stage(store, job)
    creates = []

    def roll_back(name, *args):
        if name == "create" and args[0] == ROOT + intent_key(job.id):
            creates.append(name)
            if len(creates) == 2:
                recover(store, ROOT, job=job.id)

    store.before = roll_back
    with pytest.raises(CommitConflictError, match=r"was rolled back by a recovery before it could commit"):
        commit(store, job, files, SETTINGS)
    assert documents(store) == [record_key(job.id)]
    assert store.world.uploads == {}


def test_a_store_that_ignores_the_condition_is_refused(store):
    job = start(1)
    files = stage(store, job)
    store.conditional = False
    with pytest.raises(ReadOnlyStoreError, match="this store ignores If-None-Match, so commits would not be atomic"):
        commit(store, job, files, SETTINGS)
    assert store.world.uploads == {}
    assert store.paths(ROOT + "p=") == []
    assert intent_key(job.id) not in documents(store)


@pytest.mark.parametrize("transaction", [BATCH[1], None])
def test_a_store_that_ignores_the_condition_is_refused_to_every_job(store, transaction):
    store.conditional = False
    for number in (1, 2):
        job = start(number, "overwrite", transaction)
        with pytest.raises(ReadOnlyStoreError):
            commit(store, job, stage(store, job), SETTINGS)


def test_a_read_only_store(tmp_path):
    class ReadOnly(Store):
        page = head = read = None

    ReadOnly.__abstractmethods__ = frozenset()
    with pytest.raises(ReadOnlyStoreError):
        commit(ReadOnly("gs", StoreOptions()), start(1), (StagedFile("k", "u", (), 0, 0),), SETTINGS)


def test_two_jobs_of_one_id(store):
    job = start(1)
    store.create(ROOT + intent_key(job.id), b"other")
    with pytest.raises(StoreError, match="two jobs share the id"):
        commit(store, job, stage(store, job), SETTINGS)


@pytest.mark.parametrize("failure", FAILURES)
def test_the_record_is_written_though_the_request_failed(store, failure):
    job = start(1)
    files = stage(store, job)
    failing(store, "create", record_key(job.id), applied=True, failure=failure)
    assert commit(store, job, files, SETTINGS).outcome == "committed"
    assert seen(revived(store)) == {job.id}


def test_the_record_is_not_written_and_no_other_request_for_it_succeeds(store):
    job = start(1)
    files = stage(store, job)
    failing(store, "create", record_key(job.id))
    with pytest.raises(CommitStateUnknownError, match="injected"):
        commit(store, job, files, SETTINGS)
    assert abort(revived(store), job, files, SETTINGS)
    assert store.paths(ROOT + "p=") == []
    assert documents(store) == [record_key(job.id)]


def test_the_request_for_the_record_is_refused(store):
    job = start(1)
    files = stage(store, job)

    def refuse(name, *args):
        if name == "create" and args[0] == ROOT + record_key(job.id):
            raise AccessDeniedError("refused")

    store.before = refuse
    with pytest.raises(AccessDeniedError, match="refused"):
        commit(store, job, files, SETTINGS)
    assert not store.world.files.get(ROOT + record_key(job.id))


@pytest.mark.parametrize("failure", FAILURES)
def test_a_request_for_the_record_that_failed_cannot_commit_any_more(store, failure):
    job = start(1)
    files = stage(store, job)
    sent = []

    def fail_once(name, *args):
        if name == "create" and args[0] == ROOT + record_key(job.id) and not sent:
            sent.append(args)
            raise failure("injected")

    store.before = fail_once
    with pytest.raises(failure, match="injected"):
        commit(store, job, files, SETTINGS)
    assert not store.create(*sent[0])
    assert abort(store, job, files, SETTINGS)
    assert store.paths(ROOT + "p=") == []


def test_a_request_for_the_record_that_lands_before_the_rollback_is_a_commit(store):
    job = start(1)
    files = stage(store, job)
    sent = []

    def land_late(name, *args):
        if name == "create" and args[0] == ROOT + record_key(job.id):
            if not sent:
                sent.append(args)
                raise StoreError("injected")
            store.world.do("create", *sent[0])

    store.before = land_late
    assert commit(store, job, files, SETTINGS).outcome == "committed"
    assert seen(store) == {job.id}


def test_abort_says_that_a_job_is_committed(store, caplog):
    job = start(1)
    files = stage(store, job)

    def fail(name, *args):
        if name in ("create", "get") and args[0] == ROOT + record_key(job.id):
            raise StoreError("injected")

    store.after = fail
    with pytest.raises(CommitStateUnknownError):
        commit(store, job, files, SETTINGS)
    assert not abort(revived(store), job, files, SETTINGS)
    assert f"job {job.id} at {ROOT} is committed and cannot be aborted" in caplog.text
    assert seen(store) == {job.id}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("applied", [False, True])
def test_nobody_knows_whether_the_record_is_written(store, applied, failure):
    job = start(1)
    files = stage(store, job)

    def fail(name, *args):
        if name in ("create", "get") and args[0] == ROOT + record_key(job.id):
            raise failure("injected")

    if applied:
        store.after = fail
    else:
        store.before = fail
    with pytest.raises(
        CommitStateUnknownError, match=r"is committed: (KeyError: ')?injected.*pyspark-logs recover s3://b/t/"
    ) as raised:
        commit(store, job, files, SETTINGS)
    assert pickle.loads(pickle.dumps(raised.value)).job == job.id
    abort(revived(store), job, files, SETTINGS)
    recover(store, ROOT, older_than_us=0)
    assert seen(store) == ({job.id} if applied else set())


def test_the_record_comes_and_goes(store):
    job = start(1)
    files = stage(store, job)

    def flicker(name, *args):
        if args[0] == ROOT + record_key(job.id):
            if name == "create":
                store.world.files[args[0]] = document(Record("aborted").to_json())
            elif name == "get":
                store.world.files.pop(args[0], None)

    store.before = flicker
    with pytest.raises(CommitStateUnknownError, match="its record could neither be created nor read"):
        commit(store, job, files, SETTINGS)
    with pytest.raises(StoreError, match="its record could neither be created nor read"):
        abort(store, job, files, SETTINGS)


@pytest.mark.parametrize("published", [True, False])
def test_others_decided_long_ago(store, published):
    """The driver sleeps before its decision; a recovery rolls the job back, and in the end its record is dropped."""
    job = start(1)
    files = stage(store, job)

    def sleep(name, *args):
        if name == "create" and args[0] == ROOT + record_key(job.id):
            revived(store)
            store.world.files.pop(ROOT + intent_key(job.id))
            if not published:
                store.world.files.pop(ROOT + files[0].key)

    store.before = sleep
    if published:
        assert commit(store, job, files, SETTINGS).outcome == "committed"
    else:
        with pytest.raises(CommitStateUnknownError, match="not all of its files exist"):
            commit(store, job, files, SETTINGS)


@pytest.mark.parametrize("failure", FAILURES)
def test_the_store_fails_after_the_decision(store, failure):
    job = start(1)
    files = stage(store, job)
    failing(store, "list_page", "_commits/", failure=failure)
    with pytest.raises(CommitStateUnknownError, match="injected"):
        commit(store, job, files, SETTINGS)
    abort(revived(store), job, files, SETTINGS)
    assert seen(store) == {job.id}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("name", ["list_uploads", "remove"])
@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_nothing_raises_once_it_is_committed(store, name, mode, failure, caplog):
    write(store, 1)
    job = start(2, mode)
    files = stage(store, job)
    failing(store, name, failure=failure)
    result = commit(store, job, files, SETTINGS)
    assert result.outcome == "committed"
    assert f"job {job.id} at {ROOT}: could not" in caplog.text
    assert ("Traceback" in caplog.text) == (failure is KeyError)
    report = recover(revived(store), ROOT, older_than_us=0)
    assert report.rolled_forward == ((job.id,) if name == "remove" else ())
    assert len(store.paths(ROOT + "p=")) == (4 if mode == "append" else 2)
    assert not any(path.endswith("~intent.json") for path in store.paths())


def test_an_overwrite_that_cannot_list_is_rolled_back(store):
    job = start(1, "overwrite")
    files = stage(store, job)
    numbers = iter(range(100, 200))

    def overwrite(name, *args):
        if name == "list_page" and args[0] == ROOT:
            other = new_job_id("overwrite", 1, f"r{next(numbers)}")
            store.world.do("put", ROOT + record_key(other), Record("committed").to_json())

    store.before = overwrite
    with pytest.raises(SnapshotChangedError, match="snapshotRetries"):
        commit(store, job, files, replace(SETTINGS, snapshot_retries=2))
    assert store.world.uploads == {}
    assert store.json(ROOT + record_key(job.id)) == {"state": "aborted"}


def test_a_failed_rollback_does_not_hide_why(store, caplog):
    job = start(1)
    files = stage(store, job)
    store.abort_upload(ROOT + files[1].key, files[1].upload_id)
    failing(store, "create", record_key(job.id))
    with pytest.raises(CommitConflictError):
        commit(store, job, files, SETTINGS)
    assert "could not roll back" in caplog.text
    assert recover(revived(store), ROOT, older_than_us=0).rolled_back == (job.id,)
    assert store.paths(ROOT + "p=") == []


# --- abort ------------------------------------------------------------------------------------------------------------


def test_abort_before_the_intent_writes_nothing(store):
    job, other = start(1), start(2)
    files = stage(store, job)
    stage(store, job, attempt=1)  # of tasks that failed: their messages never came
    theirs = stage(store, other)
    for _ in range(2):
        abort(store, job, files[:1], SETTINGS)
        assert store.world.uploads.keys() == {(ROOT + file.key, file.upload_id) for file in theirs}
        assert store.world.files == {}


def test_abort_after_the_commit_changes_nothing(store):
    job = start(1)
    files = stage(store, job)
    commit(store, job, files, SETTINGS)
    before = dict(store.world.files)
    abort(store, job, files, SETTINGS)
    assert store.world.files == before


@pytest.mark.parametrize("name", ["create", "complete_upload", "list_page", "list_uploads", "remove"])
@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_abort_decides_whatever_came_before(store, name, mode):
    """The driver is interrupted at the first request of each kind; abort() then undoes it, or finds it committed."""
    job = start(1, mode)
    files = stage(store, job)
    dying(store, name)
    with pytest.raises(KeyboardInterrupt):
        commit(store, job, files, SETTINGS)
    for _ in range(2):
        abort(revived(store), job, files, SETTINGS)
    committed = (
        ROOT + record_key(job.id) in store.world.files and store.json(ROOT + record_key(job.id))["state"] == "committed"
    )
    assert seen(store) == ({job.id} if committed else set())
    assert store.world.uploads == {}
    assert committed == (name in ("list_uploads", "remove") or (name == "list_page" and mode == "append"))


def test_losers_are_aborted_after_the_commit_and_nobody_else(store):
    job, other = start(1), start(2)
    files = stage(store, job)
    stage(store, job, attempt=1)
    theirs = stage(store, other)
    foreign = store.start_upload(ROOT + "theirs.log", token="", staging="")
    commit(store, job, files, SETTINGS)
    assert store.world.uploads.keys() == {
        *((ROOT + file.key, file.upload_id) for file in theirs),
        (ROOT + "theirs.log", foreign),
    }


# --- recover and vacuum -----------------------------------------------------------------------------------------------


def crash(store, number, name, **arguments):
    job = start(number, **arguments)
    files = stage(store, job)
    dying(store, name)
    with pytest.raises(KeyboardInterrupt):
        commit(store, job, files, SETTINGS)
    revived(store)
    return job


def test_recover_decides_what_drivers_left(store):
    done = write(store, 1)
    undecided = crash(store, 2, "complete_upload")
    decided = crash(store, 3, "list_uploads")
    stage(store, undecided, attempt=1)
    stage(store, decided, attempt=1)
    preview = recover(store, ROOT, older_than_us=0, dry_run=True)
    report = recover(store, ROOT, older_than_us=0)
    assert (report.rolled_back, report.rolled_forward) == ((undecided.id,), (decided.id,))
    assert (report.young, report.failed, report.uploads) == ((), (), 4)
    assert report == preview
    assert seen(store) == {done.id, decided.id}
    assert store.world.uploads == {}
    assert recover(store, ROOT, older_than_us=0) == type(report)()


def test_recover_finishes_an_overwrite(store):
    write(store, 1)
    job = crash(store, 2, "remove", mode="overwrite")
    assert len(store.paths(ROOT + "p=")) == 4
    assert seen(store) == {job.id}
    assert recover(store, ROOT, older_than_us=0).rolled_forward == (job.id,)
    assert len(store.paths(ROOT + "p=")) == 2


def test_recover_leaves_the_young_alone(store):
    job = crash(store, 1, "complete_upload")
    store.now_ms += 3_600_000 - 1
    assert recover(store, ROOT, older_than_us=HOUR_US).young == (job.id,)
    assert not any("~clock" in path for path in store.paths())
    store.now_ms += 1
    assert recover(store, ROOT, older_than_us=HOUR_US).rolled_back == (job.id,)


def test_a_dry_run_writes_nothing(store):
    job = crash(store, 1, "complete_upload")
    store.counted.clear()
    # Its clock is this machine's, and the store's is in 2027 here.
    assert recover(store, ROOT, older_than_us=HOUR_US, dry_run=True).young == (job.id,)
    vacuum(store, ROOT, older_than_us=HOUR_US, dry_run=True)
    assert set(store.counted) <= {"LIST", "GET", "UPLOADS"}


def test_recover_one_job_at_once(store):
    one, two = crash(store, 1, "complete_upload"), crash(store, 2, "complete_upload")
    assert recover(store, ROOT, job=one.id).rolled_back == (one.id,)
    assert recover(store, ROOT, job=one.id).rolled_back == ()
    assert store.paths(ROOT + intent_key(two.id)) != []


def test_recover_goes_on_after_a_failure(store, caplog):
    one, two = crash(store, 1, "complete_upload"), crash(store, 2, "complete_upload")
    store.put(ROOT + intent_key(one.id), b"garbage")
    report = recover(store, ROOT, older_than_us=0)
    assert report.rolled_back == (two.id,)
    ((failed, reason),) = report.failed
    assert failed == one.id
    assert "is not a document of a write job" in reason
    assert f"cannot recover job {one.id}" in caplog.text


def test_recover_without_the_right_to_list_uploads(store, caplog):
    job = crash(store, 1, "complete_upload")
    failing(store, "list_uploads")
    assert recover(store, ROOT, older_than_us=0).rolled_back == (job.id,)
    assert "pyspark-logs vacuum" in caplog.text


def test_recover_of_a_later_version_says_so(store):
    job = start(1)
    store.put(ROOT + intent_key(job.id), b'{"version":2}')
    store.put(ROOT + record_key(job.id), Record("aborted").to_json())
    assert "Upgrade" in recover(store, ROOT, older_than_us=0).failed[0][1]
    with pytest.raises(CorruptFileError, match="Upgrade"):
        abort(store, job, (), SETTINGS)


def test_vacuum_removes_staged_leftovers_of_dead_jobs_only(store):
    done, dead, waiting = start(1), start(2), start(3)
    commit(store, done, stage(store, done), SETTINGS)
    late = stage(store, done, attempt=1)
    gone = stage(store, dead)
    kept = stage(store, waiting)
    dying(store, "complete_upload")
    with pytest.raises(KeyboardInterrupt):
        commit(store, waiting, kept, SETTINGS)
    revived(store)
    foreign = store.start_upload(ROOT + "theirs.log", token="", staging="")
    assert vacuum(store, ROOT, older_than_us=HOUR_US).uploads == ()
    store.now_ms += 3_600_000
    preview = vacuum(store, ROOT, older_than_us=0, dry_run=True)
    report = vacuum(store, ROOT, older_than_us=HOUR_US)
    assert report == preview
    assert set(report.uploads) == {ROOT + file.key for file in (*late, *gone)}
    assert store.world.uploads.keys() == {
        *((ROOT + file.key, file.upload_id) for file in kept),
        (ROOT + "theirs.log", foreign),
    }


def test_vacuum_lets_records_and_claims_go(store):
    plain = write(store, 1)
    old = [write(store, number, transaction=BATCH[number]) for number in (2, 3)]
    first, second = write(store, 4, mode="overwrite"), write(store, 5, mode="overwrite")
    named = write(store, 6, transaction=Transaction.of_id("x"))
    undecided = crash(store, 7, "complete_upload")
    assert vacuum(store, ROOT) == vacuum(store, ROOT, dry_run=True) == type(vacuum(store, ROOT))()
    store.now_ms += DAY_MS
    report = vacuum(store, ROOT)
    assert set(report.records) == {plain.id, old[0].id, first.id}
    assert report.claims == ("_claims/overwrite/1", "_claims/query-q/2.1")
    assert seen(store) == {second.id, named.id}
    store.now_ms += 29 * DAY_MS
    report = vacuum(store, ROOT)
    assert (report.records, report.claims) == ((named.id,), ("_claims/txn-x/1",))
    assert documents(store) == [
        "_claims/overwrite/2",
        "_claims/query-q/3.1",
        record_key(old[1].id),
        record_key(second.id),
        intent_key(undecided.id),
    ]
    # After txnRetention, the same id is a new transaction.
    again = write(store, 8, transaction=Transaction.of_id("x"))
    assert again.id in seen(store)


def test_vacuum_removes_temporary_files_of_dead_processes(store):
    write(store, 1, transaction=BATCH[1])
    names = [f"_claims/query-q/.tmp-{'a' * 32}", f"_claims/~clock-{'b' * 32}", f"_commits/.tmp-{'c' * 32}"]
    others = ["_claims/~clock-x", "_commits/.tmp-x", f"p=1/.tmp-{'d' * 32}"]
    for name in (*names, *others):
        store.put(ROOT + name, b"")
    assert vacuum(store, ROOT, older_than_us=HOUR_US).temporary == ()
    store.now_ms += 3_600_000
    assert vacuum(store, ROOT, older_than_us=0, dry_run=True).temporary == tuple(names)
    assert vacuum(store, ROOT, older_than_us=HOUR_US).temporary == tuple(names)
    left = store.paths(ROOT)
    assert not {ROOT + name for name in names} & set(left)
    assert {ROOT + name for name in others} <= set(left)


def test_vacuum_keeps_a_chain_that_began_anew(store):
    named = write(store, 1, transaction=Transaction.of_id("x"))
    write(store, 3)
    store.now_ms += 30 * DAY_MS
    other = json.dumps({"job": start(2, transaction=Transaction.of_id("x")).id}).encode()

    def anew(name, *args):
        if name == "remove" and args[0] == ROOT + "_claims/txn-x/1":
            store.world.do("put", args[0], other)

    store.before = anew
    assert vacuum(store, ROOT).records == (named.id,)
    assert store.get(ROOT + "_claims/txn-x/1") == other


@pytest.mark.parametrize("transaction", [None, Transaction.of_id("x")])
def test_vacuum_keeps_the_newest_record_so_that_the_root_is_known(store, transaction):
    write(store, 1)
    last = write(store, 2, transaction=transaction)
    store.now_ms += 40 * DAY_MS
    vacuum(store, ROOT)
    assert [path for path in documents(store) if "_commits" in path] == [record_key(last.id)]
    assert vacuum(store, ROOT).records == ()
    later = write(store, 3)
    assert [path for path in documents(store) if "_commits" in path] == [record_key(later.id)]


def test_a_chain_with_an_undecided_job_stays(store):
    job = crash(store, 1, "complete_upload", transaction=Transaction.of_id("x"))
    store.now_ms += 31 * DAY_MS
    assert vacuum(store, ROOT, older_than_us=100 * DAY_MS * 1000).claims == ()
    assert recover(store, ROOT).rolled_back == (job.id,)


def test_vacuum_meets_a_claim_that_goes(store):
    write(store, 1, mode="overwrite")
    store.before = lambda name, *args: (
        store.world.files.pop(args[0]) if name == "get" and "_claims" in args[0] else None
    )
    assert vacuum(store, ROOT).claims == ()


# --- stores whose listings are not strongly consistent ----------------------------------------------------------------


def hide_from_listings(store, monkeypatch, hides):
    """Lets listings miss the files whose key matches a regular expression."""
    list_page = type(store).list_page

    def stale(self, prefix, **arguments):
        page = list_page(self, prefix, **arguments)
        files = tuple(file for file in page.files if not re.fullmatch(hides, file.path.removeprefix(ROOT)))
        return replace(page, files=files)

    monkeypatch.setattr(type(store), "list_page", stale)


@pytest.mark.parametrize("arguments", [{"mode": "overwrite"}, {"transaction": BATCH[1]}])
def test_a_listing_without_the_new_claim_refuses_the_store(store, monkeypatch, arguments):
    job = start(1, **arguments)
    files = stage(store, job)
    with monkeypatch.context() as patch:
        hide_from_listings(store, patch, "_claims/.*")
        with pytest.raises(
            ReadOnlyStoreError, match=r"a listing that began later does not show it.*strongly consistent"
        ):
            commit(store, job, files, SETTINGS)
    assert seen(store) == set()
    assert store.world.uploads == {}


def test_a_listing_without_the_new_record_is_reported(store, monkeypatch, caplog):
    job = start(1)
    files = stage(store, job)
    with monkeypatch.context() as patch:
        hide_from_listings(store, patch, "_commits/[^~]*")
        assert commit(store, job, files, SETTINGS).outcome == "committed"
    assert f"job {job.id} is committed, but a listing" in caplog.text
    assert "not strongly consistent" in caplog.text
    assert seen(store) == {job.id}


@pytest.mark.parametrize("function", [recover, vacuum])
def test_maintenance_refuses_a_store_whose_listings_miss_a_new_file(store, monkeypatch, function):
    write(store, 1)
    crash(store, 2, "complete_upload")
    hide_from_listings(store, monkeypatch, "_claims/~clock.*")
    with pytest.raises(StoreError, match=r"cannot read the store's time.*strongly consistent"):
        function(store, ROOT)
    assert not any("~clock" in path for path in store.paths())


# --- retention in a commit --------------------------------------------------------------------------------------------


def test_a_commit_drops_what_may_go(store):
    plain = write(store, 1)
    batch = write(store, 2, transaction=BATCH[2])
    named = write(store, 3, transaction=Transaction.of_id("x"))
    over = write(store, 4, mode="overwrite")
    store.now_ms += DAY_MS - 1
    young = write(store, 5)
    assert record_key(plain.id) in documents(store)
    store.now_ms += 1
    write(store, 6)
    left = documents(store)
    assert record_key(plain.id) not in left
    assert {record_key(job.id) for job in (batch, named, over, young)} <= set(left)
    next_batch = write(store, 7, transaction=BATCH[3])
    assert record_key(batch.id) not in documents(store)
    assert "_claims/query-q/2.1" not in documents(store)
    store.now_ms += 29 * DAY_MS
    write(store, 8)
    left = documents(store)
    assert record_key(named.id) not in left
    assert {record_key(job.id) for job in (next_batch, over)} <= set(left)
    later = write(store, 9, mode="overwrite")
    assert record_key(over.id) not in documents(store)
    assert seen(store) == {later.id}
    assert len([path for path in documents(store) if path.startswith("_claims/overwrite/")]) == 1


def test_the_root_keeps_the_longest_retention_that_a_writer_asked_for(store):
    lasting = CommitSettings(threads=1, record_retention_us=3 * DAY_MS * 1000, txn_retention_us=60 * DAY_MS * 1000)
    short = CommitSettings(threads=1, record_retention_us=1_000_000, txn_retention_us=1_000_000)
    plain = write(store, 1, lasting)
    named = write(store, 2, lasting, transaction=Transaction.of_id("x"))
    marker = "_commits/.retention-259200000000-5184000000000"
    assert [name for name in documents(store) if "retention" in name] == [marker]
    store.now_ms += 2 * DAY_MS
    write(store, 3, short)
    vacuum(store, ROOT, settings=short)
    assert {record_key(plain.id), record_key(named.id)} <= set(documents(store))
    store.now_ms += DAY_MS
    write(store, 4, short)
    assert record_key(plain.id) not in documents(store)
    store.now_ms += 50 * DAY_MS
    vacuum(store, ROOT, settings=short)
    again = start(5, transaction=Transaction.of_id("x"))
    assert commit(store, again, stage(store, again), short).outcome == "already_committed"
    store.now_ms += 7 * DAY_MS
    vacuum(store, ROOT, settings=short)
    assert record_key(named.id) not in documents(store)
    assert marker in documents(store)


def test_a_marker_of_retentions_costs_a_plain_append_no_request(store):
    lasting = CommitSettings(threads=1, record_retention_us=3 * DAY_MS * 1000)
    write(store, 1, lasting)
    counts = []
    for number, settings in ((2, SETTINGS), (3, lasting)):
        store.counted.clear()
        write(store, number, settings)
        counts.append(store.counted.total())
    assert counts[0] == counts[1]


def test_a_commit_keeps_records_whose_intent_is_there(store):
    job = crash(store, 1, "list_uploads")
    store.now_ms += 2 * DAY_MS
    write(store, 2)
    assert {record_key(job.id), intent_key(job.id)} <= set(documents(store))


def keep_records(store, count: int) -> None:
    """Puts records of ``txnId`` jobs, which are the oldest and are kept for long."""
    for number in range(count):
        job = new_job_id("append", number, f"r{number}", f"txn-{number}")
        store.put(ROOT + record_key(job), Record("committed").to_json())


@pytest.mark.parametrize("kept", [20, 200])
def test_records_behind_others_that_are_kept_go_in_the_end(store, kept):
    keep_records(store, kept)
    plain = [new_job_id("append", 1000 + number, f"r{number}") for number in range(5)]
    for job in plain:
        store.put(ROOT + record_key(job), Record("committed").to_json())
    store.page_size = 5
    store.now_ms += DAY_MS
    most = 0
    for number in range(kept // 2):
        store.counted.clear()
        write(store, 10_000 + number)
        most = max(most, store.counted["LIST"])
    assert most == 2
    assert not [job for job in plain if ROOT + record_key(job) in store.world.files]
    assert len(store.paths(ROOT + "_commits/.next-")) <= 1
    # The first page is found again when the records in it may go.
    store.now_ms += 29 * DAY_MS
    store.page_size = 1000
    write(store, 100_000)
    assert len(store.paths(ROOT + "_commits/")) == 1 + len(store.paths(ROOT + "_commits/.next-"))


def test_records_of_a_query_that_ended_go_except_for_its_last_one(store):
    jobs = [write(store, number, transaction=BATCH[number]) for number in range(5)]
    store.now_ms += DAY_MS
    write(store, 10)
    assert {record_key(job.id) for job in jobs} <= set(documents(store))
    store.now_ms += DAY_MS
    counts = []
    for number in (11, 12):
        store.counted.clear()
        write(store, number)
        counts.append(store.counted["LIST"])
    assert [name for name in documents(store) if name in {record_key(job.id) for job in jobs}] == [
        record_key(jobs[-1].id)
    ]
    assert max(counts) <= 3
    replayed = start(20, transaction=BATCH[4])
    assert commit(store, replayed, stage(store, replayed), SETTINGS).outcome == "already_committed"


def test_records_of_overwrites_that_ended_go_except_for_the_last_one(store):
    jobs = [write(store, number, mode="overwrite") for number in range(3)]
    store.now_ms += 2 * DAY_MS
    write(store, 10)
    write(store, 11)
    left = set(documents(store))
    assert [record_key(job.id) in left for job in jobs] == [False, False, True]


def test_lists_of_a_batch_do_not_follow_the_history_of_its_query(store, monkeypatch):
    monkeypatch.setattr(retention, "_MOST_CLAIMS", 5)
    store.page_size = 10
    lists = []
    for number in range(60):
        store.now_ms += DAY_MS // 40
        store.counted.clear()
        write(store, number, transaction=Transaction.of_batch("q", number))
        lists.append(store.counted["LIST"])
    assert max(lists) <= 4
    assert len(store.paths(ROOT + "_claims/")) == 6
    replayed = start(100, transaction=Transaction.of_batch("q", 59))
    assert commit(store, replayed, stage(store, replayed), SETTINGS).outcome == "already_committed"


def test_replaced_files_of_jobs_are_deleted_many_at_a_time(store):
    first = start(1)
    commit(store, first, stage(store, first, [f"p={number}/" for number in range(1001)]), SETTINGS)
    store.put(ROOT + "theirs.log", b"theirs")
    store.put(ROOT + "changed.log", b"first")

    def change(name, *args):
        if name == "create" and args[0].endswith("o.json"):
            store.world.do("put", ROOT + "changed.log", b"second")

    store.before = change
    store.counted.clear()
    second = write(store, 2, mode="overwrite")
    assert seen(store) == {second.id, ROOT + "changed.log"}  # of other programs, only the version that was listed
    assert store.counted["DELETE"] == 2 + 2 + 1


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_records_of_transactions_are_not_in_the_way_of_readers(store, mode):
    store.page_size = 10
    names = [Transaction.of_id(f"t{number}") for number in range(100)]
    jobs = []
    for number, name in enumerate(names):
        store.now_ms += DAY_MS // 10
        store.counted.clear()
        jobs.append(write(store, number, transaction=name, mode=mode))
        assert mode == "overwrite" or store.counted["LIST"] <= 4  # overwrites list what they replace
    store.counted.clear()
    take_snapshot(store, SingleRoot(ROOT), list)
    assert store.counted["LIST"] <= 4
    assert seen(store) == ({job.id for job in jobs} if mode == "append" else {jobs[-1].id})
    for number, name in enumerate(names, 1000):
        again = start(number, mode, name)
        result = commit(store, again, stage(store, again), SETTINGS)
        assert (result.outcome, result.job) == ("already_committed", jobs[number - 1000].id)


def test_vacuum_moves_decisions_of_records_that_do_not_name_their_claims(store):
    jobs = [start(number, transaction=Transaction.of_id(f"t{number}")) for number in range(20)]
    for job in jobs:
        store.put(f"{ROOT}_claims/{job.chain}/1", json.dumps({"job": job.id}).encode())
        store.put(ROOT + record_key(job.id), b'{"state":"committed","replaces":[]}')
    store.page_size = 10
    store.now_ms += DAY_MS
    assert vacuum(store, ROOT, dry_run=True).records == ()  # measured by the clock of this machine
    write(store, 100)
    assert {record_key(job.id) for job in jobs} <= set(documents(store))  # a commit does not know their claims
    assert set(vacuum(store, ROOT).records) == {job.id for job in jobs}
    assert store.json(f"{ROOT}_claims/txn-t3/1") == {"job": jobs[3].id, "state": "committed"}
    again = start(200, transaction=Transaction.of_id("t3"))
    assert commit(store, again, stage(store, again), SETTINGS).job == jobs[3].id


def test_a_damaged_record_does_not_keep_others(store, caplog):
    store.page_size = 4
    jobs = [write(store, number, transaction=Transaction.of_id(f"t{number}")) for number in range(6)]
    store.put(ROOT + record_key(jobs[0].id), b'{"state":"committed","replaces":[],"claims":["../1"]}')
    store.now_ms += DAY_MS
    for number in range(10, 14):
        write(store, number)
    assert record_key(jobs[0].id) in documents(store)
    assert not {record_key(job.id) for job in jobs[1:]} & set(documents(store))
    assert "cannot drop the record" in caplog.text


def test_old_records_that_cannot_be_listed_do_not_keep_the_intent(store, caplog):
    for number in range(10):
        store.put(ROOT + record_key(new_job_id("append", number, f"r{number}", "txn-1")), Record("committed").to_json())
    store.page_size = 4
    store.now_ms += DAY_MS
    job = start(1000)
    files = stage(store, job)

    def fail(name, *args):
        if name == "list_page" and args[2] is not None:
            raise StoreError("injected")

    store.before = fail
    commit(store, job, files, SETTINGS)
    assert "could not find expired records" in caplog.text
    assert intent_key(job.id) not in documents(store)


# --- what it costs ----------------------------------------------------------------------------------------------------


def control(counted: Counter[str]) -> Counter[str]:
    return Counter({kind: count for kind, count in counted.items() if kind not in DATA})


@pytest.mark.parametrize(
    ("mode", "transaction", "most"),
    [
        ("append", None, 6),
        ("append", "batch", 10),
        ("append", "id", 10),
        ("overwrite", None, 15),
        ("overwrite", "id", 19),
    ],
)
def test_requests_of_a_commit(store, mode, transaction, most, record_property):
    """The first job of a root, and jobs once there are old records and claims to drop. Deletes of what is replaced aside."""
    for number in range(4):
        of = {"batch": BATCH[number], "id": Transaction.of_id(f"t{number}"), None: None}[transaction]
        job = start(number, mode, of)
        files = stage(store, job)
        store.counted.clear()
        replaced = commit(store, job, files, SETTINGS).replaced
        asked = control(store.counted)
        asked["DELETE"] -= replaced > 0  # one request for all of them
        record_property(f"job {number}", dict(asked))
        assert sum(asked.values()) <= most, dict(asked)
        assert store.counted["COMPLETE"] == 2
        assert len([path for path in documents(store) if path.startswith("_commits/")]) <= 5
        store.now_ms += DAY_MS
    assert asked["DELETE"] == 1


def test_requests_of_an_append_among_chains(store):
    for number in range(4):
        write(store, number, transaction=BATCH[number])
    write(store, 5)
    store.now_ms += DAY_MS
    store.counted.clear()
    write(store, 6)
    assert control(store.counted) == {"PUT": 3, "LIST": 1, "UPLOADS": 1, "DELETE": 1}


def test_requests_of_a_batch(store):
    write(store, 1, transaction=BATCH[1])
    write(store, 2)
    store.now_ms += DAY_MS
    store.counted.clear()
    write(store, 3, transaction=BATCH[2])
    assert control(store.counted) == {"PUT": 3, "LIST": 3, "GET": 2, "UPLOADS": 1, "DELETE": 1}
    assert len(documents(store)) == 2


# --- threads ----------------------------------------------------------------------------------------------------------


def test_files_are_published_side_by_side(store):
    job = start(1)
    files = stage(store, job, [f"p={number}/" for number in range(8)])
    together = threading.Barrier(4, timeout=20)
    store.before = lambda name, *args: together.wait() if name == "complete_upload" else None
    assert commit(store, job, files, CommitSettings(threads=4)).files == 8


def test_a_failure_stops_the_rest():
    calls = []

    def call(number):
        calls.append(number)
        time.sleep(0.01)
        if number == 0:
            raise StoreError("injected")

    with pytest.raises(StoreError):
        in_parallel(call, range(200), 2)
    assert len(calls) < 100
    assert in_parallel(lambda number: number * 2, range(5), 3) == [0, 2, 4, 6, 8]


def test_nothing_is_logged_where_all_is_well(store, caplog):
    caplog.set_level(logging.INFO)
    write(store, 1)
    recover(store, ROOT)
    vacuum(store, ROOT)
    assert caplog.records == []


def test_a_transaction_id_used_again_after_its_retention_writes_no_record_for_the_old_job() -> None:
    # The record's time would be now, and streams take it for the time of the old job's files.
    store = ProtocolStore()
    transaction = Transaction.of_id("daily")
    old = write(store, 1, transaction=transaction)
    store.now_ms += 40 * DAY_MS
    write(store, 2)  # deletes the expired record
    assert store.get(ROOT + record_key(old.id)) is None
    again = write(store, 3, transaction=transaction)
    assert store.get(ROOT + record_key(old.id)) is None
    assert old.id in seen(store)
    assert again.id in seen(store)


@pytest.mark.parametrize("names", ["{:06}", "{:06x}"])
def test_chains_of_old_transactions_go_in_the_end(store, names):
    def name(number):  # growing names, or names in no order
        return names.format(number if names == "{:06}" else number * 7919 % 2**20)

    store.page_size = 20
    lists = []
    for number in range(400):
        store.now_ms += DAY_MS
        store.counted.clear()
        write(store, number, transaction=Transaction.of_id(name(number)))
        lists.append(store.counted["LIST"])
    assert max(lists) <= 4
    assert len(store.paths(ROOT + "_claims/")) < 100  # 30 of the last days, and those of which the turn comes
    again = start(1000, transaction=Transaction.of_id(name(375)))
    assert commit(store, again, stage(store, again), SETTINGS).outcome == "already_committed"


def test_a_chain_with_an_undecided_job_or_a_damaged_claim_does_not_end(store, caplog):
    write(store, 1, transaction=Transaction.of_id("a"))
    undecided = start(2, transaction=Transaction.of_id("b"))
    store.put(f"{ROOT}_claims/txn-b/1", json.dumps({"job": undecided.id}).encode())
    store.put(ROOT + intent_key(undecided.id), Intent(2, "append", undecided.transaction, ()).to_json())
    store.put(f"{ROOT}_claims/txn-c/1", b"[")
    store.now_ms += 40 * DAY_MS
    write(store, 3, transaction=Transaction.of_id("z"))  # one of the jobs that search for chains
    assert [path for path in documents(store) if "_claims/" in path] == [
        "_claims/txn-b/1",
        "_claims/txn-c/1",
        "_claims/txn-z/1",
    ]
    assert "cannot drop the claims of txn-c" in caplog.text


def test_a_claim_is_settled_only_in_the_version_that_was_read(store):
    transaction = Transaction.of_id("t")
    job = write(store, 1, transaction=transaction)
    path = f"{ROOT}_claims/{transaction.chain}/1"
    other = start(2, transaction=transaction)

    def begin_anew(name, *args):
        if name == "replace":
            store.world.do("put", path, json.dumps({"job": other.id}).encode())

    store.before = begin_anew
    assert claims.settle_claims(store, ROOT, job.id)
    assert store.json(path) == {"job": other.id}


def test_a_record_stays_if_the_store_does_not_replace_its_claim(store, monkeypatch):
    transaction = Transaction.of_id("t")
    job = write(store, 1, transaction=transaction)
    monkeypatch.setattr(store, "replace", lambda path, data, *, etag: False)  # compares another etag than it lists
    for number in range(2, 5):
        write(store, number)
    store.page_size = 2  # with more records, a vacuum settles claims
    store.now_ms += 10 * DAY_MS
    assert not claims.settle_claims(store, ROOT, job.id)
    assert job.id not in vacuum(store, ROOT).records
    again = start(9, transaction=transaction)
    assert commit(store, again, stage(store, again), SETTINGS).outcome == "already_committed"


def test_a_chain_that_ends_and_begins_anew_while_a_job_claims_it(store):
    transaction = Transaction.of_id("t")
    old, other, late = (start(number, transaction=transaction) for number in (1, 2, 3))
    path = f"{ROOT}_claims/{transaction.chain}/"
    store.put(path + "1", json.dumps({"job": old.id}).encode())

    def begin_anew(name, *args):
        if name == "create" and args[0] == path + "2":
            store.before = lambda *_: None
            store.remove(path + "1")
            assert commit(store, other, stage(store, other), SETTINGS).job == other.id

    store.before = begin_anew
    with pytest.raises(CommitConflictError, match="because txnRetention is over"):
        commit(store, late, stage(store, late), SETTINGS)
    assert seen(store) == {other.id}
    again = start(4, transaction=transaction)
    assert commit(store, again, stage(store, again), SETTINGS).job == other.id


def test_a_failed_record_of_a_job_that_others_decided_long_ago(store):
    job = start(1)
    files = stage(store, job)

    def fail(name, *args):
        if name == "create" and args[0] == ROOT + record_key(job.id):
            store.before = store.after = lambda *_: None
            recover(store, ROOT, job=job.id)
            store.remove(ROOT + record_key(job.id))  # after recordRetention
            raise StoreError("lost")

    store.after = fail
    with pytest.raises(CommitStateUnknownError, match="another process decided it earlier"):
        commit(store, job, files, SETTINGS)
    assert seen(store) == {job.id}
