"""Names and documents of jobs, and which files a reader sees."""

from __future__ import annotations

import json
import pickle
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.errors import CorruptFileError, OptionError, SnapshotChangedError
from pyspark_logs.jobs import (
    Claim,
    CommitListing,
    CommitsAfter,
    CommitsBefore,
    Intent,
    Job,
    Record,
    Replaced,
    SingleRoot,
    StagedFile,
    Transaction,
    find_commit_root,
    holds_job_files,
    intent_key,
    job_of,
    new_job_id,
    part_name,
    read_commits_before,
    record_key,
    take_snapshot,
    visible_files,
)
from pyspark_logs.jobs.names import (
    chain_of,
    claim_key,
    created_us_of,
    is_job_id,
    mode_of,
    split_claim_key,
    split_document_key,
    tag_of,
)
from pyspark_logs.jobs.roots import parent_directories
from pyspark_logs.store import StoredFile
from tests.protocol.store import ProtocolStore

ROOT = "s3://b/t/"
times = st.integers(0, 4_000_000_000_000_000)
modes = st.sampled_from(["append", "overwrite"])
chains = st.sampled_from(["", "txn-a", "txn-b", "query-a"])


def job_id(number: int, mode: str = "append", chain: str = "") -> str:
    return new_job_id(mode, 1_800_000_000_000_000 + number, f"seed{number}", chain)


# --- names ------------------------------------------------------------------------------------------------------------


@given(times, times, modes, modes, chains, chains)
def test_job_ids_sort_by_time_and_have_one_form(one, two, mode_one, mode_two, chain_one, chain_two):
    a, b = new_job_id(mode_one, one, b"a", chain_one), new_job_id(mode_two, two, b"b", chain_two)
    assert len(a) == len(b)
    assert set(a) <= set(string.digits + string.ascii_lowercase)
    assert a[-1] == mode_one[0]
    assert is_job_id(a)
    assert created_us_of(a) == one
    assert mode_of(a) == mode_one
    assert (tag_of(a) == tag_of(b)) == (chain_one == chain_two)
    if one != two:
        assert (a < b) == (one < two)


def test_a_job_id_is_made_of_its_arguments_alone():
    assert job_id(1) == job_id(1)
    assert new_job_id("append", 1, "seed") == new_job_id("append", 1, b"seed")
    assert new_job_id("append", 1, "seed") != new_job_id("append", 1, "seed2")


def test_a_record_is_followed_by_its_intent_in_key_order():
    ids = [job_id(number, mode) for number in range(3) for mode in ("append", "overwrite")]
    keys = sorted(key(job) for job in ids for key in (intent_key, record_key))
    assert keys == [key for job in sorted(ids) for key in (record_key(job), intent_key(job))]


def test_keys_are_taken_apart():
    job = job_id(1)
    assert split_document_key(record_key(job)) == (job, False)
    assert split_document_key(intent_key(job)) == (job, True)
    for other in ("_commits/x.json", record_key(job) + ".tmp", f"_commits/a/{job}.json", "", record_key(job)[:-1]):
        assert split_document_key(other) is None
    assert split_claim_key("_claims/query-a/12.3") == ("query-a", (12, 3))
    assert split_claim_key(claim_key("overwrite", (7,))) == ("overwrite", (7,))
    for other in ("_claims/7", "_claims/a/b", "_claims/a/1.", "_claims/a/1.2.3", "_claims/~clock-1", "_claims/a/b/1"):
        assert split_claim_key(other) is None


@given(
    st.integers(0, 200_000),
    st.integers(0, 2**63),
    st.integers(0, 10_000),
    st.sampled_from(["log.gz", "json", "", "a-b"]),
    chains,
)
def test_a_file_tells_its_job(task, attempt, number, extension, chain):
    job = job_id(1, "append", chain)
    name = part_name(task, attempt, job, number, extension)
    assert job_of(name) == job
    assert job_of(f"s3://b/part-x/{name}") == job
    assert job_of(name + "/part-0") is None


@pytest.mark.parametrize(
    "name",
    [
        "part-00000-0-x-0.gz",
        "part-00000-2c5ed5f4-1f1f-4b1e-8b42-3d5e6ad8e4aa-c000.snappy.parquet",
        "2026-11-24.log",
        "part-00000-0-" + job_id(1)[:-1] + "b-0.gz",
        "part-00000-0-" + job_id(1)[:-1] + "-0.gz",
        "part-00000-0-" + job_id(1),
        "x-part-00000-0-" + job_id(1) + "-0.gz",
        "",
    ],
)
def test_files_of_others_have_no_job(name):
    assert job_of(name) is None


@given(st.text(max_size=300), st.text(max_size=300))
def test_chain_names_are_safe_and_different(one, two):
    name = chain_of("txn", one)
    assert set(name) <= set(string.ascii_letters + string.digits + "._-")
    assert len(name) <= 160
    assert (name == chain_of("txn", two)) == (one == two)
    assert split_claim_key(claim_key(name, (1,))) == (name, (1,))


def test_chain_names_are_read_easily():
    assert Transaction.of_id("2026-11-24") == Transaction("txn-2026-11-24")
    assert Transaction.of_batch("8c1f", 3) == Transaction("query-8c1f", 3)
    assert chain_of("txn", "x" * 200) != chain_of("txn", "x" * 201)


# --- jobs and documents -----------------------------------------------------------------------------------------------


def test_a_job_knows_its_chains():
    plain = Job.start(ROOT, random="r", now_us=5)
    assert (plain.chains, plain.chain, plain.created_us, plain.staging) == ((), "", 5, f"{ROOT}_staging/{plain.id}")
    both = Job.start(ROOT, random="r", now_us=5, mode="overwrite", transaction=Transaction.of_id("x"))
    assert both.chains == ("txn-x", "overwrite")
    assert pickle.loads(pickle.dumps(both)) == both


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"id": "x"}, "not a job id"),
        ({"id": job_id(1), "mode": "overwrite"}, "not made for mode 'overwrite'"),
        ({"id": job_id(1), "transaction": Transaction.of_id("x")}, "chain 'txn-x'"),
        ({"id": job_id(1), "root": "s3://b/t"}, "must end in a slash"),
    ],
)
def test_a_job_is_what_its_id_says(arguments, text):
    with pytest.raises(OptionError, match=text):
        Job(**{"root": ROOT, **arguments})


staged = st.builds(
    StagedFile,
    st.text(),
    st.text(),
    st.lists(st.text(), max_size=3).map(tuple),
    st.integers(0, 2**50),
    st.integers(0, 2**50),
)
transactions = st.one_of(st.none(), st.builds(Transaction, st.text(), st.one_of(st.none(), st.integers(0, 2**60))))
intents = st.builds(Intent, times, modes, transactions, st.lists(staged, max_size=3).map(tuple))
records = st.one_of(
    st.just(Record("aborted")),
    st.builds(Record, st.just("committed"), st.lists(st.builds(Replaced, st.text(), st.text()), max_size=3).map(tuple)),
)


@given(st.one_of(intents, records, st.just(Claim(job_id(1)))))
def test_documents_survive_json(document):
    data = document.to_json()
    assert type(document).from_json(data, "p") == document
    assert data.isascii()


def test_documents_are_as_described():
    assert json.loads(Record("aborted").to_json()) == {"state": "aborted"}
    assert json.loads(Record("committed").to_json()) == {"state": "committed", "replaces": []}
    assert json.loads(Record("committed", (Replaced("a", "e"),)).to_json()) == {
        "state": "committed",
        "replaces": [{"key": "a", "etag": "e"}],
    }
    assert json.loads(Claim("j").to_json()) == {"job": "j"}
    intent = Intent(1, "append", Transaction("query-a", 2), (StagedFile("k", "u", ("p",), 3, 4),))
    assert json.loads(intent.to_json()) == {
        "version": 1,
        "created": 1,
        "mode": "append",
        "transaction": {"chain": "query-a", "batch": 2},
        "files": [{"key": "k", "upload_id": "u", "parts": ["p"], "size": 3, "rows": 4}],
    }


@pytest.mark.parametrize("kind", [Record, Intent, Claim])
@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"[]", b"{}", b"null", b'{"state":"maybe"}', b'{"job":"x"}', b'{"job":1}']
)
def test_what_is_no_document_is_named(kind, data):
    with pytest.raises(CorruptFileError, match=r"s3://b/x is not a document of a write job"):
        kind.from_json(data, "s3://b/x")


@pytest.mark.parametrize("kind", [Record, Intent, Claim])
def test_a_later_version_is_refused(kind):
    with pytest.raises(CorruptFileError, match=r"s3://b/x has version 2; .* Upgrade"):
        kind.from_json(b'{"version":2,"state":"aborted","job":"x"}', "s3://b/x")


# --- what is visible --------------------------------------------------------------------------------------------------


def rule_of_the_model(look_one, data, look_two, mode):
    """``Model.visible`` of the checked model, as it stands there for the protocol that was checked.

    Looks: ``("R", job) -> (state, replaced)`` and ``("I", job) -> None``; data: (job or "F", number).
    """
    for key, value in look_two.items():
        if key[0] == "R" and key not in look_one and value[0] == "C" and mode[key[1]] == "overwrite":
            return None
    hidden, seen = set(), set()
    for key in look_one:
        if key[0] == "I" and look_one.get(("R", key[1]), (None,))[0] == "C":
            hidden |= look_one["R", key[1]][1]
    for job in {name for name, _ in data}:
        if job == "F":
            ok = True
        elif ("I", job) in look_one:
            ok = look_one.get(("R", job), (None,))[0] == "C"
        else:
            ok = ("R", job) in look_one or not (("I", job) in look_two or ("R", job) in look_two)
        if ok:
            seen |= {item for item in data if item[0] == job}
    return seen - hidden


JOBS = [job_id(number, mode) for number in range(2) for mode in ("append", "overwrite")]
ITEMS = [(job, number) for job in [*JOBS, "F"] for number in (0, 1)]


def path_of(item):
    job, number = item
    return f"{ROOT}f{number}.log" if job == "F" else f"{ROOT}d/" + part_name(number, 0, job, 0, "gz")


def key_of(item):
    return path_of(item).removeprefix(ROOT)


looks = st.dictionaries(
    st.tuples(st.sampled_from("RI"), st.sampled_from(JOBS)),
    st.tuples(st.sampled_from("CA"), st.frozensets(st.sampled_from(ITEMS))),
)


@given(looks, st.frozensets(st.sampled_from(ITEMS)), looks)
def test_the_rule_is_that_of_the_checked_model(look_one, data, look_two):
    def record(value):
        state, replaced = value
        replaces = tuple(Replaced(key_of(item), "e") for item in sorted(replaced)) if state == "C" else ()
        return Record("committed" if state == "C" else "aborted", replaces)

    def listing(look):
        return CommitListing(*({job: 0 for kind, job in look if kind == wanted} for wanted in "RI"))

    first = CommitsBefore(
        listing(look_one), {job: record(look_one["R", job]) for job in listing(look_one).jobs_to_read}
    )
    mode = {job: mode_of(job) for job in JOBS}
    late = [job for kind, job in look_two if kind == "R" and ("R", job) not in look_one and mode[job] == "overwrite"]
    second = CommitsAfter(listing(look_two), any(look_two["R", job][0] == "C" for job in late))
    files = [StoredFile(path_of(item), 1, 0, "e") for item in sorted(data)]
    expected = rule_of_the_model(look_one, data, look_two, mode)
    found = visible_files({ROOT: files}, {ROOT: first}, {ROOT: second})
    assert (found is None) == (expected is None)
    if found is not None:
        assert [file.path for file in found] == [path_of(item) for item in sorted(data) if item in expected]


def test_only_the_version_that_was_replaced_is_hidden():
    job = job_id(1, "overwrite")
    first = CommitsBefore(
        CommitListing({job: 0}, {job: 0}), {job: Record("committed", (Replaced("a", "e1"), Replaced("b", "e1")))}
    )
    files = [StoredFile(ROOT + "a", 1, 0, "e1"), StoredFile(ROOT + "b", 1, 0, "e2")]
    assert visible_files({ROOT: files}, {ROOT: first}, {ROOT: CommitsAfter(first.listing)}) == files[1:]


def test_items_that_are_more_than_files():
    files = [(StoredFile(ROOT + "a", 1, 0, ""), "more")]
    assert visible_files({ROOT: files}, {ROOT: CommitsBefore()}, {ROOT: CommitsAfter()}, lambda item: item[0]) == files


# --- looks over a store -----------------------------------------------------------------------------------------------


def put_file(store, job, number=0):
    path = ROOT + "d/" + part_name(number, 0, job, 0, "gz")
    store.put(path, b"x")
    return path


def list_data(store):
    return lambda: store.page(ROOT + "d/", recursive=True).files


def seen(store, **arguments):
    return [file.path for file in take_snapshot(store, SingleRoot(ROOT), list_data(store), **arguments).files]


def test_a_directory_of_others_costs_two_empty_lists():
    store = ProtocolStore()
    store.put(ROOT + "d/a.log", b"x")
    store.counted.clear()
    snapshot = take_snapshot(store, SingleRoot(ROOT), list_data(store))
    assert [file.path for file in snapshot.files] == [ROOT + "d/a.log"]
    assert snapshot.hidden == 0
    assert store.counted == {"LIST": 3}
    assert not holds_job_files(file.path for file in snapshot.files)


def test_where_listings_have_no_order_a_look_is_two_passes():
    store = ProtocolStore(in_order=False)
    requests = []
    store.before = lambda name, *args: requests.append(args[0])
    take_snapshot(store, SingleRoot(ROOT), list_data(store))
    # The first look needs no second pass where the first one shows nothing.
    assert requests == [ROOT + "_commits/", ROOT + "d/"] + [ROOT + "_commits/"] * 2
    store.world.do("put", ROOT + record_key(job_id(1)), Record("committed").to_json())
    requests.clear()
    take_snapshot(store, SingleRoot(ROOT), list_data(store))
    assert requests == [ROOT + "_commits/"] * 2 + [ROOT + "d/"] + [ROOT + "_commits/"] * 2


@pytest.mark.parametrize("in_order", [True, False])
def test_the_order_of_the_passes(in_order):
    """The record comes while `_commits/` is listed: too late for a first look, in time for a second."""
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
def test_states_of_a_job(in_order, page_size):
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
            page = store.page(ROOT + "d/", recursive=True, token=token)
            files += page.files
            token = page.next_token
            if token is None:
                return files

    snapshot = take_snapshot(store, SingleRoot(ROOT), list_data_paged)
    assert {job_of(file.path) for file in snapshot.files} == {committed, cleaned, aborted, gone}
    assert snapshot.hidden == 2


def test_a_record_that_goes_during_the_first_look_starts_it_again():
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
    """Lists the data; the first ``times`` times, an overwrite is decided meanwhile."""
    count = iter(range(1000))

    def listing():
        number = next(count)
        if number < times:
            job = job_id(number, "overwrite")
            store.put(ROOT + record_key(job), Record("committed").to_json())
        return ()

    return listing


def test_a_reader_starts_again_when_an_overwrite_is_decided_meanwhile():
    store = ProtocolStore()
    take_snapshot(store, SingleRoot(ROOT), overwritten_while_listing(store, 3), retries=3)
    assert store.counted == {"PUT": 3, "LIST": 8, "GET": 3}
    store = ProtocolStore()
    with pytest.raises(
        SnapshotChangedError, match=r"s3://b/t/: it was overwritten during each of 3 listings.*snapshotRetries"
    ):
        take_snapshot(store, SingleRoot(ROOT), overwritten_while_listing(store, 3), retries=2)


@pytest.mark.parametrize(("state", "again"), [("aborted", False), ("committed", True), ("gone", True)])
def test_only_a_committed_overwrite_matters(state, again):
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


def test_a_late_append_is_no_reason_to_start_again():
    store, job = ProtocolStore(), job_id(1)

    def listing():
        store.put(ROOT + record_key(job), Record("committed").to_json())
        put_file(store, job)
        return list_data(store)()

    snapshot = take_snapshot(store, SingleRoot(ROOT), listing)
    assert snapshot.files == ()
    assert store.counted == {"PUT": 2, "LIST": 3}


def test_a_listing_that_takes_too_long():
    store = ProtocolStore()
    clock = iter([0.0, 11.0, 20.0, 25.0])
    assert (
        take_snapshot(store, SingleRoot(ROOT), lambda: (), retries=1, longest_s=10, clock=lambda: next(clock)).files
        == ()
    )
    clock = iter([0.0, 11.0, 20.0, 32.0])
    with pytest.raises(SnapshotChangedError, match=r"it took 12 s, and after 10 s \(half of recordRetention\)"):
        take_snapshot(store, SingleRoot(ROOT), lambda: (), retries=1, longest_s=10, clock=lambda: next(clock))


# --- a sub-directory as load path -------------------------------------------------------------------------------------


def test_the_nearest_root_above():
    store, job = ProtocolStore(), job_id(1)
    path = put_file(store, job)
    assert holds_job_files([path])
    assert find_commit_root(store, ROOT + "d/") is None
    store.put("s3://b/" + record_key(job), b"")
    assert find_commit_root(store, ROOT + "d/") == "s3://b/"
    store.put(ROOT + intent_key(job), b"")
    assert find_commit_root(store, ROOT + "d/") == ROOT
    assert find_commit_root(store, ROOT) == "s3://b/"
    assert find_commit_root(store, "s3://b/") is None


@pytest.mark.parametrize(
    ("path", "above"),
    [
        ("s3://b/", []),
        ("s3a://b/x/y/", ["s3a://b/x/", "s3a://b/"]),
        ("/logs/a/", ["/logs/", "/"]),
        ("memory://a/b/", ["memory://a/", "memory://"]),
        ("/", []),
    ],
)
def test_directories_above(path, above):
    assert parent_directories(path) == above
