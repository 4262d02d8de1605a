"""Snapshots: requests, restarts and visible files."""

from __future__ import annotations

import pytest

from pyspark_logs.errors import SnapshotChangedError
from pyspark_logs.jobs import (
    Record,
    SingleRoot,
    holds_job_files,
    intent_key,
    job_of,
    part_name,
    read_commits_before,
    record_key,
    take_snapshot,
)
from tests.protocol.store import ProtocolStore
from tests.support.job_ids import job_id

ROOT = "s3://b/t/"


def put_file(store, job, number=0):
    path = ROOT + "d/" + part_name(number, 0, job, 0, "gz")
    store.put(path, b"x")
    return path


def list_data(store):
    return lambda: store.list_page(ROOT + "d/", recursive=True).files


def seen(store, **arguments):
    return [file.path for file in take_snapshot(store, SingleRoot(ROOT), list_data(store), **arguments).files]


def test_a_directory_without_jobs_costs_two_empty_lists():
    store = ProtocolStore()
    store.put(ROOT + "d/a.log", b"x")
    store.counted.clear()
    snapshot = take_snapshot(store, SingleRoot(ROOT), list_data(store))
    assert [file.path for file in snapshot.files] == [ROOT + "d/a.log"]
    assert snapshot.hidden == 0
    assert store.counted == {"LIST": 3}
    assert not holds_job_files(file.path for file in snapshot.files)


def test_unordered_stores_are_listed_twice():
    store = ProtocolStore(in_order=False)
    requests = []
    store.before = lambda name, *args: requests.append(args[0])
    take_snapshot(store, SingleRoot(ROOT), list_data(store))
    # An empty first pass before the data needs no second pass.
    assert requests == [ROOT + "_commits/", ROOT + "d/"] + [ROOT + "_commits/"] * 2
    store.world.do("put", ROOT + record_key(job_id(1)), Record("committed").to_json())
    requests.clear()
    take_snapshot(store, SingleRoot(ROOT), list_data(store))
    assert requests == [ROOT + "_commits/"] * 2 + [ROOT + "d/"] + [ROOT + "_commits/"] * 2


@pytest.mark.parametrize("in_order", [True, False])
def test_records_are_listed_before_intents(in_order):
    """A record is written while `_commits/` is listed, which is too late for the commits read before the data."""
    store, job = ProtocolStore(in_order=in_order), job_id(1)
    store.put(ROOT + intent_key(job), b"{}")
    lists = []

    def decide(name, *args):
        if args[0] == ROOT + "_commits/":
            lists.append(name)
            if len(lists) in (1, 3) and not in_order:
                store.world.do("put", ROOT + record_key(job), Record("aborted").to_json())
                store.world.do("remove", ROOT + intent_key(job), "")

    store.after = decide
    first = read_commits_before(store, ROOT)
    assert first.listing.records == {}
    assert set(first.listing.intents) == (set() if not in_order else {job})


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_visibility_in_each_state_of_a_job(in_order, page_size):
    store = ProtocolStore(in_order=in_order, page_size=page_size)
    running, committed, cleaned, aborting, aborted, gone = (job_id(number) for number in range(6))
    for job in (running, committed, cleaned, aborting, aborted, gone):
        put_file(store, job)
    for job in (running, committed, aborting):
        store.put(ROOT + intent_key(job), b"{}")
    for job in (committed, cleaned):
        store.put(ROOT + record_key(job), Record("committed").to_json())
    for job in (aborting, aborted):
        store.put(ROOT + record_key(job), Record("aborted").to_json())

    def list_data_paged():
        files, token = [], None
        while True:
            page = store.list_page(ROOT + "d/", recursive=True, token=token)
            files += page.files
            token = page.next_token
            if token is None:
                return files

    snapshot = take_snapshot(store, SingleRoot(ROOT), list_data_paged)
    assert {job_of(file.path) for file in snapshot.files} == {committed, cleaned, aborted, gone}
    assert snapshot.hidden == 2


def test_a_record_that_disappears_restarts_the_snapshot():
    store, job = ProtocolStore(), job_id(1)
    path = put_file(store, job)
    store.put(ROOT + intent_key(job), b"{}")
    store.put(ROOT + record_key(job), Record("committed").to_json())

    def vacuum(name, *args):
        if name == "get":
            store.world.files.pop(ROOT + record_key(job), None)
            store.world.files.pop(ROOT + intent_key(job), None)

    store.before = vacuum
    assert seen(store) == [path]
    assert store.counted == {"PUT": 3, "LIST": 4, "GET": 1}


def overwritten_while_listing(store, times):
    """Returns a listing during which, for the first ``times`` calls, an overwrite is committed."""
    count = iter(range(1000))

    def listing():
        number = next(count)
        if number < times:
            job = job_id(number, "overwrite")
            store.put(ROOT + record_key(job), Record("committed").to_json())
        return ()

    return listing


def test_an_overwrite_during_the_listing_restarts_the_snapshot():
    store = ProtocolStore()
    take_snapshot(store, SingleRoot(ROOT), overwritten_while_listing(store, 3), retries=3)
    assert store.counted == {"PUT": 3, "LIST": 8, "GET": 3}
    store = ProtocolStore()
    with pytest.raises(
        SnapshotChangedError, match=r"s3://b/t/: it was overwritten during each of 3 listings.*snapshotRetries"
    ):
        take_snapshot(store, SingleRoot(ROOT), overwritten_while_listing(store, 3), retries=2)


@pytest.mark.parametrize(("state", "again"), [("aborted", False), ("committed", True), ("gone", True)])
def test_only_a_committed_overwrite_restarts_the_snapshot(state, again):
    store, job = ProtocolStore(), job_id(1, "overwrite")
    listings = []

    def listing():
        if not listings:
            store.put(ROOT + record_key(job), Record("aborted" if state == "aborted" else "committed").to_json())
        listings.append(1)
        return ()

    if state == "gone":
        store.before = lambda name, *args: name == "get" and store.world.files.pop(ROOT + record_key(job), None)
    take_snapshot(store, SingleRoot(ROOT), listing)
    assert len(listings) == (2 if again else 1)


def test_an_append_during_the_listing_is_hidden():
    store, job = ProtocolStore(), job_id(1)

    def listing():
        store.put(ROOT + record_key(job), Record("committed").to_json())
        put_file(store, job)
        return list_data(store)()

    snapshot = take_snapshot(store, SingleRoot(ROOT), listing)
    assert snapshot.files == ()
    assert store.counted == {"PUT": 2, "LIST": 3}


def test_a_listing_that_takes_too_long_is_an_error():
    store = ProtocolStore()
    clock = iter([0.0, 11.0, 20.0, 25.0])
    assert (
        take_snapshot(store, SingleRoot(ROOT), lambda: (), retries=1, longest_s=10, clock=lambda: next(clock)).files
        == ()
    )
    clock = iter([0.0, 11.0, 20.0, 32.0])
    with pytest.raises(SnapshotChangedError, match=r"it took 12 s, and after 10 s \(half of recordRetention\)"):
        take_snapshot(store, SingleRoot(ROOT), lambda: (), retries=1, longest_s=10, clock=lambda: next(clock))
