"""The rule of visibility, compared with the checked model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.jobs import (
    CommitListing,
    CommitsAfter,
    CommitsBefore,
    Record,
    Replaced,
    part_name,
    visible_files,
)
from pyspark_logs.jobs.names import mode_of
from pyspark_logs.store import StoredFile
from tests.support.job_ids import job_id

ROOT = "s3://b/t/"


def rule_of_the_model(before, data, after, mode):
    """Returns the visible items by ``Model.visible`` of the model with which the protocol was checked.

    Args:
        before: listing of commits before the data: ``("R", job) -> (state, replaced)`` and ``("I", job) -> None``.
        data: listed items, (job or "F", number).
        after: listing of commits after the data.
        mode: mode of each job.
    """
    for key, value in after.items():
        if key[0] == "R" and key not in before and value[0] == "C" and mode[key[1]] == "overwrite":
            return None
    hidden, seen = set(), set()
    for key in before:
        if key[0] == "I" and before.get(("R", key[1]), (None,))[0] == "C":
            hidden |= before["R", key[1]][1]
    for job in {name for name, _ in data}:
        if job == "F":
            ok = True
        elif ("I", job) in before:
            ok = before.get(("R", job), (None,))[0] == "C"
        else:
            ok = ("R", job) in before or not (("I", job) in after or ("R", job) in after)
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


commit_listings = st.dictionaries(
    st.tuples(st.sampled_from("RI"), st.sampled_from(JOBS)),
    st.tuples(st.sampled_from("CA"), st.frozensets(st.sampled_from(ITEMS))),
)


@given(commit_listings, st.frozensets(st.sampled_from(ITEMS)), commit_listings)
def test_the_rule_equals_that_of_the_checked_model(before, data, after):
    def record(value):
        state, replaced = value
        replaces = tuple(Replaced(key_of(item), "e") for item in sorted(replaced)) if state == "C" else ()
        return Record("committed" if state == "C" else "aborted", replaces)

    def listing(look):
        return CommitListing(*({job: 0 for kind, job in look if kind == wanted} for wanted in "RI"))

    commits_before = CommitsBefore(
        listing(before), {job: record(before["R", job]) for job in listing(before).jobs_to_read}
    )
    mode = {job: mode_of(job) for job in JOBS}
    late = [job for kind, job in after if kind == "R" and ("R", job) not in before and mode[job] == "overwrite"]
    commits_after = CommitsAfter(listing(after), any(after["R", job][0] == "C" for job in late))
    files = [StoredFile(path_of(item), 1, 0, "e") for item in sorted(data)]
    expected = rule_of_the_model(before, data, after, mode)
    found = visible_files({(ROOT,): files}, {ROOT: commits_before}, {ROOT: commits_after})
    assert (found is None) == (expected is None)
    if found is not None:
        assert [file.path for file in found] == [path_of(item) for item in sorted(data) if item in expected]


def test_only_the_replaced_version_is_hidden():
    job = job_id(1, "overwrite")
    commits_before = CommitsBefore(
        CommitListing({job: 0}, {job: 0}), {job: Record("committed", (Replaced("a", "e1"), Replaced("b", "e1")))}
    )
    files = [StoredFile(ROOT + "a", 1, 0, "e1"), StoredFile(ROOT + "b", 1, 0, "e2")]
    assert (
        visible_files({(ROOT,): files}, {ROOT: commits_before}, {ROOT: CommitsAfter(commits_before.listing)})
        == files[1:]
    )


def test_each_root_decides_on_its_files():
    """A job is undecided in one root and ended long ago in the other; an overwrite of either restarts both."""
    job, inner = job_id(1), ROOT + "inner/"
    files = [StoredFile(root + part_name(0, 0, job, 0, "gz"), 1, 0, "") for root in (ROOT, inner)]
    unmanaged = StoredFile(ROOT + "a.log", 1, 0, "")
    undecided = CommitListing(intents={job: 0})
    before = {ROOT: CommitsBefore(undecided), inner: CommitsBefore()}
    after = {ROOT: CommitsAfter(undecided), inner: CommitsAfter()}
    by_root = {(): [unmanaged], (ROOT,): files[:1], (inner,): files[1:]}
    assert visible_files(by_root, before, after) == [unmanaged, files[1]]
    assert visible_files(by_root, before, {**after, inner: CommitsAfter(overwritten=True)}) is None


def test_a_file_below_several_roots_is_visible_if_each_root_shows_it():
    """The outer root decides on a file in the directory of the inner root; neither root knows the jobs of the other."""
    inner = ROOT + "inner/"
    outer_job, inner_job = job_id(1), job_id(2)
    files = [StoredFile(inner + part_name(0, 0, job, 0, "gz"), 1, 0, "") for job in (outer_job, inner_job)]
    undecided = {ROOT: CommitListing(intents={outer_job: 0}), inner: CommitListing(intents={inner_job: 0})}
    for hiding, visible in (((), files), ((ROOT,), files[1:]), ((inner,), files[:1]), ((ROOT, inner), [])):
        known = {root: undecided[root] if root in hiding else CommitListing() for root in undecided}
        before = {root: CommitsBefore(listing) for root, listing in known.items()}
        after = {root: CommitsAfter(listing) for root, listing in known.items()}
        assert visible_files({(inner, ROOT): files}, before, after) == visible
