"""The code of the commit protocol, explored request by request: see ``protocol_explorer``.

The settings are those of the model that the protocol was checked with. What is explored whole, and how many states that
are, is in the properties of each test (``pytest --junit-xml``), and with ``-s`` on the screen.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from pyspark_logs.commit import claims, decisions, driver, leftovers, publication, recovery
from pyspark_logs.errors import CommitConflictError
from pyspark_logs.jobs import Record, Transaction, intent_key, record_key, snapshots, visibility
from pyspark_logs.jobs.visibility import CommitsBefore, split_listing
from pyspark_logs.planning import commit_roots
from pyspark_logs.planning.commit_roots import LoadPathRoots
from tests.protocol.explorer import (
    ABOVE,
    ROOT,
    SWEEPING,
    Explorer,
    Foreigner,
    OverwriteReader,
    Reader,
    Recovery,
    Setting,
    Vacuum,
    flat_reader,
    reader_above,
    writer,
)

FIRST, SECOND = Transaction.of_batch("q", 1), Transaction.of_batch("q", 2)
NAMED = Transaction.of_id("x")

BELOW = flat_reader("reader", ROOT + "p=1/")
BOTH = flat_reader("reader", ROOT + "p=1/", ROOT + "p=2/")
OVERLAPPING = flat_reader("reader", ROOT, ROOT + "p=1/")

# Explored whole by default, together in some 15 seconds. What the mutants below are found with is part of these.
WHOLE = {
    "an append": Setting((writer(1), Reader(), Recovery()), lost=1),
    "an append that raises": Setting((writer(1), Recovery()), lost=1, raised=2),
    "an append and a vacuum": Setting((writer(1), Recovery(), Vacuum()), lost=1),
    "an append, and stalls beyond all assumptions": Setting((writer(1), Recovery(), Vacuum()), lost=1, patient=False),
    "an append and pages of one key": Setting((writer(1), Reader(), Recovery()), page_size=1),
    "an append and unordered listings": Setting((writer(1), Reader()), in_order=False),
    "an overwrite": Setting((writer(1, "overwrite"), Reader(), Recovery()), before=True, theirs=True),
    "an overwrite of the table": Setting(
        (writer(1, "overwrite", scope="table"), Recovery()), before=True, theirs=True, lost=1
    ),
    "an overwrite of a file that changes": Setting(
        (writer(1, "overwrite"), Recovery(), Foreigner()), before=True, theirs=True, lost=1
    ),
    "two appends": Setting((writer(1), writer(2), Recovery("recovery", writer(1).job.id))),
    "an append and an overwrite": Setting((writer(1), writer(2, "overwrite")), before=True, theirs=True),
    "two overwrites": Setting((writer(1, "overwrite"), writer(2, "overwrite")), before=True),
    "the same batch twice": Setting((writer(1, transaction=FIRST), writer(2, transaction=FIRST)), replay=True, lost=1),
    "the same txnId twice": Setting((writer(1, transaction=NAMED), writer(2, transaction=NAMED)), replay=True),
    "appends that drop old records": Setting((writer(1), writer(2, settings=SWEEPING), Recovery()), crashes=False),
    "an older batch and a newer one": Setting(
        (writer(1, transaction=FIRST), writer(2, transaction=SECOND)), replay=True, lost=1
    ),
    # Readers in their other roles. The number of states is in parentheses.
    # The listing of an overwrite (188, 644).
    "an append and the listing of an overwrite": Setting((writer(1), OverwriteReader())),
    "an overwrite and the listing of another": Setting(
        (writer(1, "overwrite"), OverwriteReader()), before=True, theirs=True
    ),
    # A load path below the root: the reader searches for the root above (32,203; 2,181; 668).
    "an append and a reader below": Setting((writer(1), BELOW, Recovery()), before=True),
    "an overwrite and a reader below, pages of one key": Setting(
        (writer(1, "overwrite"), BELOW), before=True, theirs=True, page_size=1
    ),
    "an append and a reader below, unordered listings": Setting((writer(1), BELOW), in_order=False),
    # Several load paths, which are below the root, or are the root and a directory below it (1,130; 6,602; 1,847).
    "an append and a reader of two directories": Setting((writer(1), BOTH)),
    "an overwrite and a reader of two directories": Setting((writer(1, "overwrite"), BOTH), before=True, theirs=True),
    "an append and a reader of overlapping paths": Setting((writer(1), OVERLAPPING)),
    # A load path above the root: the reader finds the root in its listing (847; 5,817).
    "an append and a reader above": Setting((writer(1), reader_above()), before=True, record_kept=True),
    "an overwrite and a reader above": Setting(
        (writer(1, "overwrite"), reader_above()), before=True, record_kept=True, theirs=True
    ),
}

# Explored as far as a minute or two goes.
DEEP = {
    "batches that drop old records and claims": Setting(
        (
            writer(1, transaction=FIRST, files=0),
            writer(2, transaction=FIRST, files=0),
            writer(3, transaction=SECOND, files=0, settings=SWEEPING),
        ),
        crashes=False,
    ),
    "the same batch twice, raising": Setting(
        (writer(1, transaction=FIRST), writer(2, transaction=FIRST)), replay=True, raised=1
    ),
    "an append, unordered listings": Setting((writer(1), Reader(), Recovery()), in_order=False),
    "an append, all": Setting((writer(1), Reader(), Recovery(), Vacuum()), lost=1),
    "an append that raises, read": Setting((writer(1), Reader(), Recovery()), lost=1, raised=1),
    "an append, two readers": Setting((writer(1), Reader("one"), Reader("two"), Recovery())),
    "an append, two vacuums": Setting((writer(1), Recovery(), Vacuum("one"), Vacuum("two"))),
    "an append, stalls, raising": Setting((writer(1), Recovery(), Vacuum()), lost=1, raised=1, patient=False),
    "appends that drop old records, read": Setting((writer(1), writer(2, settings=SWEEPING), Reader())),
    "batches that drop old records, read": Setting(
        (writer(1, transaction=FIRST), writer(2, transaction=SECOND, settings=SWEEPING), Reader()), replay=True
    ),
    "two appends, read": Setting((writer(1), writer(2), Reader())),
    "two appends, pages of one key": Setting((writer(1), writer(2), Reader()), page_size=1, crashes=False),
    "two appends, unordered listings": Setting((writer(1), writer(2), Reader()), in_order=False, crashes=False),
    "an overwrite, all": Setting((writer(1, "overwrite"), Reader(), Recovery(), Vacuum()), before=True, theirs=True),
    "an overwrite that raises": Setting((writer(1, "overwrite"), Recovery()), before=True, lost=1, raised=2),
    "an overwrite, unordered listings": Setting(
        (writer(1, "overwrite"), Reader(), Recovery()), before=True, in_order=False
    ),
    "an append and an overwrite, read": Setting((writer(1), writer(2, "overwrite"), Reader()), before=True),
    "an append and an overwrite, recovered": Setting((writer(1), writer(2, "overwrite"), Recovery()), before=True),
    "two overwrites, read": Setting((writer(1, "overwrite"), writer(2, "overwrite"), Reader()), before=True),
    "two overwrites, recovered": Setting((writer(1, "overwrite"), writer(2, "overwrite"), Recovery()), before=True),
    "two overwrites, vacuumed": Setting((writer(1, "overwrite"), writer(2, "overwrite"), Vacuum()), before=True),
    "two overwrites of one batch": Setting(
        (writer(1, "overwrite", transaction=FIRST), writer(2, "overwrite", transaction=FIRST)), before=True, replay=True
    ),
    "the same batch twice, recovered": Setting(
        (writer(1, transaction=FIRST), writer(2, transaction=FIRST), Recovery()), replay=True
    ),
    "the same batch twice, read": Setting(
        (writer(1, transaction=FIRST), writer(2, transaction=FIRST), Reader()), replay=True
    ),
    "the same batch twice, stalls": Setting(
        (writer(1, transaction=FIRST), writer(2, transaction=FIRST), Vacuum()), patient=False
    ),
    "batches and a vacuum": Setting(
        (writer(1, transaction=FIRST), writer(2, transaction=SECOND), Vacuum()), replay=True
    ),
    "a batch twice, the next one, and a vacuum": Setting(
        (
            writer(1, transaction=FIRST, files=0),
            writer(2, transaction=FIRST, files=0),
            writer(3, transaction=SECOND, files=0),
            Vacuum(),
        )
    ),
    # 103,967; 120,614; more than 735,090; 15,233; 83,891; 541,125; 475,476; more than 1,500,000 states.
    "an overwrite and a reader below": Setting((writer(1, "overwrite"), BELOW, Recovery()), before=True, theirs=True),
    "an append and a reader of two directories, recovered": Setting((writer(1), BOTH, Recovery())),
    "an overwrite and a reader of two directories, recovered": Setting(
        (writer(1, "overwrite"), BOTH, Recovery()), before=True, theirs=True
    ),
    "an overwrite and a reader of overlapping paths": Setting(
        (writer(1, "overwrite"), OVERLAPPING), before=True, theirs=True
    ),
    "an append and a reader above, recovered": Setting(
        (writer(1), reader_above(), Recovery()), before=True, record_kept=True
    ),
    "an overwrite and a reader above, recovered": Setting(
        (writer(1, "overwrite"), reader_above(), Recovery()), before=True, record_kept=True, theirs=True
    ),
    "an append, an overwrite and a reader below": Setting(
        (writer(1), writer(2, "overwrite"), BELOW), before=True, crashes=False
    ),
    "an append, an overwrite and a reader of two directories": Setting(
        (writer(1), writer(2, "overwrite"), BOTH), before=True, crashes=False
    ),
}

# Too large to explore whole: random ways.
WIDE = {
    "three appends and all the rest": Setting(
        (writer(1), writer(2), writer(3), Reader("one"), Reader("two"), Recovery(), Vacuum()), lost=1, raised=1
    ),
    "overwrites and an append": Setting(
        (writer(1, "overwrite"), writer(2, "overwrite"), writer(3), Reader(), Recovery(), Vacuum(), Foreigner()),
        before=True, theirs=True, lost=1, raised=1,
    ),
    "batches and overwrites": Setting(
        (
            writer(1, transaction=FIRST), writer(2, transaction=FIRST), writer(3, "overwrite", transaction=SECOND),
            Reader(), Recovery(), Vacuum(),
        ),
        before=True, lost=1, raised=1,
    ),
    "unordered listings": Setting(
        (writer(1, "overwrite"), writer(2), Reader(), Recovery(), Vacuum()), before=True, in_order=False, lost=1
    ),
    "pages of one key": Setting(
        (writer(1, "overwrite"), writer(2), Reader(), Recovery(), Vacuum()), before=True, page_size=1, lost=1
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def quiet():
    """The failures that are injected are logged by the thousand."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def check(report, record_property):
    record_property("explored", str(report))
    print(report)  # noqa: T201 - with -s
    assert not report.violations, str(report)
    assert report.ends > 0 or not report.full


@pytest.mark.parametrize("name", WHOLE)
def test_every_way(name, record_property):
    report = Explorer(WHOLE[name]).explore()
    check(report, record_property)
    assert report.full


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP)
def test_every_way_as_far_as_time_goes(name, record_property):
    check(Explorer(DEEP[name]).explore(most_states=1_500_000, most_s=100), record_property)


@pytest.mark.parametrize("name", WIDE)
def test_random_ways(name, record_property):
    check(Explorer(WIDE[name]).walk(seed=20261124, walks=150), record_property)


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("seed", range(3))
def test_many_random_ways(name, seed, record_property):
    check(Explorer(WIDE[name]).walk(seed=seed, walks=5000, most_s=60), record_property)


def test_what_is_explored_is_reached():
    """The explorer is not blind: each outcome that should occur, occurs."""
    explorer = Explorer(Setting((writer(1, transaction=FIRST), writer(2, transaction=FIRST))))
    explorer.explore()
    committed = {ghost.committed for _, ghost in explorer.worlds}
    jobs = [actor.job.id for actor in explorer.setting.actors]
    assert committed == {(), (jobs[0],), (jobs[1],)}
    assert {outcome for outcome in explorer.outcomes if outcome is not None} == {
        ("returned", "committed"),
        ("returned", "already_committed"),
        ("raised", "CommitConflictError"),
    }


# --- mutants: what the explorer must find -----------------------------------------------------------------------------


def files_before_uploads(patch):
    def undo(store, root, job, settings):
        if (intent := decisions.read_intent(store, root, job)) is not None:
            decisions.remove_files(store, [root + file.key for file in intent.files])
            decisions.abort_uploads(store, root, intent.files, settings)
            store.remove(root + intent_key(job))

    for module in (decisions, recovery, claims):
        patch.setattr(module, "undo", undo)


def intent_before_files(patch):
    def undo(store, root, job, settings):
        if (intent := decisions.read_intent(store, root, job)) is not None:
            store.remove(root + intent_key(job))
            decisions.abort_uploads(store, root, intent.files, settings)
            decisions.remove_files(store, [root + file.key for file in intent.files])

    for module in (decisions, recovery, claims):
        patch.setattr(module, "undo", undo)


def intent_before_replaced_files(patch):
    clean = driver._clean

    def intent_first(store, job, *arguments):
        store.remove(job.root + intent_key(job.id))
        clean(store, job, *arguments)

    patch.setattr(driver, "_clean", intent_first)


def no_second_list_of_the_chain(patch):
    patch.setattr(claims, "_confirm", lambda store, job, chain, number, proven: claims.ClaimResult("", proven, ()))


def no_fence(patch):
    read = claims.read_record
    patch.setattr(claims, "_fence", lambda *arguments: None)
    patch.setattr(claims, "read_record", lambda store, root, job: read(store, root, job) or Record("aborted"))


def claims_that_overwrite(patch):
    class Overwriting:
        def __init__(self, store):
            self.store = store

        def __getattr__(self, name):
            return getattr(self.store, name)

        def create(self, path, data):
            if path.rpartition("/")[0].endswith("query-q"):
                self.store.put(path, data)
                return True
            return self.store.create(path, data)

    claim = claims.claim
    patch.setattr(driver, "claim", lambda store, *arguments: claim(Overwriting(store), *arguments))


def a_transaction_is_not_recognised(patch):
    patch.setattr(claims, "_same_transaction", lambda *arguments: False)


def a_record_that_overwrites(patch):
    patch.setattr(
        driver, "commit_record", lambda store, root, job, record: store.put(root + record_key(job), record.to_json())
    )


def a_refused_record_is_a_loss(patch):
    def commit_record(store, root, job, record):
        if not store.create(root + record_key(job), record.to_json()):
            raise CommitConflictError("lost", job)

    patch.setattr(driver, "commit_record", commit_record)


def no_look_at_the_intent_after_the_decision(patch):
    confirm = driver._confirm
    patch.setattr(driver, "_confirm", lambda *arguments: replace(confirm(*arguments), intent=True))


def undo_by_an_intent_read_before_the_decision(patch):
    settle, read = recovery._settle, decisions.read_intent

    def settle_early(store, root, job, settings):
        early = read(store, root, job)
        patch.setattr(decisions, "read_intent", lambda *arguments: early)
        try:
            return settle(store, root, job, settings)
        finally:
            patch.setattr(decisions, "read_intent", read)

    patch.setattr(recovery, "_settle", settle_early)


def rolled_back_without_a_decision(patch):
    for module in (decisions, recovery):
        patch.setattr(module, "decide_aborted", lambda *arguments: Record("aborted"))


def a_lost_upload_is_published(patch):
    patch.setattr(publication, "is_published", lambda *arguments: True)


def replaced_files_go_in_any_version(patch):
    def remove(store, root, replaced, settings):
        for file in replaced:
            store.remove(root + file.key)

    patch.setattr(driver, "remove_replaced", remove)


def replaced_files_listed_before_the_claim(patch):
    files = {actor.job.id: actor.files for actor in (writer(1, "overwrite"), writer(2, "overwrite"))}
    claim, early = claims.claim, {}

    def list_first(store, job, chain, settings):
        early[job.id] = publication.find_replaced(store, job, files[job.id], settings, publication.is_data)
        return claim(store, job, chain, settings)

    patch.setattr(driver, "claim", list_first)
    patch.setattr(driver, "find_replaced", lambda store, job, *arguments: early[job.id])


def a_late_record_is_trusted(patch):
    def is_visible(first, second, job):
        if job in first.listing.intents:
            return (job in first.decided and first.decided[job].committed) or job in second.listing.records
        return job in first.listing.records or not second.listing.knows(job)

    patch.setattr(visibility, "is_visible", is_visible)


def no_second_look(patch):
    def is_visible(first, second, job):
        return first.decided[job].committed if job in first.decided else job not in first.listing.intents

    patch.setattr(visibility, "is_visible", is_visible)


def no_new_start_after_an_overwrite(patch):
    patch.setattr(snapshots, "new_overwrites", lambda first, second: [])


def one_pass_over_a_directory(patch):
    def read_commits(store, root, *, intents_first=False):
        return split_listing(root, snapshots.list_all(store, root + "_commits/"))

    patch.setattr(snapshots, "read_commits", read_commits)


def records_go_though_claims_name_them(patch):
    patch.setattr(leftovers, "_read_chains", lambda *arguments: [])


def revealed_roots_read_after_the_listing(patch):
    """Uses the commits of a root that a listing revealed without listing the data again."""
    extend = LoadPathRoots.extend

    def read_late(self, listing, files, before, after):
        if extend(self, listing, files, before, after):
            for root in self.paths - before.keys():
                before[root] = snapshots.read_commits_before(self._store, root) or CommitsBefore()
                after[root] = snapshots.read_commits_after(self._store, root, before[root])
            files.clear()
            files.update(self.group(listing))
        return False

    patch.setattr(LoadPathRoots, "extend", read_late)


def no_search_above_load_paths(patch):
    patch.setattr(commit_roots, "find_commit_root", lambda store, path: None)


def one_search_above_each_load_path(patch):
    search = LoadPathRoots._search_above

    def search_once(self, directories):
        searched = self.__dict__.setdefault("searched", set())
        new = [directory for directory in directories if directory not in searched]
        searched.update(new)
        return bool(new) and search(self, new)

    patch.setattr(LoadPathRoots, "_search_above", search_once)


def nested_roots_ignored(patch):
    extend = LoadPathRoots.extend
    patch.setattr(
        LoadPathRoots,
        "extend",
        lambda self, listing, *rest: extend(self, replace(listing, nested_roots=set()), *rest),
    )


def no_new_start_after_an_overwrite_of_one_root(patch):
    """Only the commits of the first root are compared with the commits read after the listing."""
    read_all = snapshots._read_all_after

    def read_first(store, before, threads):
        after = read_all(store, before, threads)
        return {
            root: commits if root == min(after) else replace(commits, overwritten=False)
            for root, commits in after.items()
        }

    patch.setattr(snapshots, "_read_all_after", read_first)


APPEND = Setting((writer(1), Reader(), Recovery()))
OVERWRITE = Setting((writer(1, "overwrite"), Reader(), Recovery()), before=True, theirs=True)
OVERWRITES = Setting((writer(1, "overwrite"), writer(2, "overwrite")), before=True)
STALLED = Setting((writer(1), Recovery(), Vacuum()), patient=False)
TWICE = Setting((writer(1, transaction=FIRST), writer(2, transaction=FIRST)), replay=True)
EMPTY = Setting(
    (
        writer(1, transaction=FIRST, files=0),
        writer(2, transaction=FIRST, files=0),
        writer(3, transaction=SECOND, files=0),
        Vacuum(),
    ),
    crashes=False,
)

MUTANTS = [
    (files_before_uploads, APPEND),
    (intent_before_files, APPEND),
    (intent_before_replaced_files, Setting((writer(1, "overwrite"),), before=True)),
    (no_second_list_of_the_chain, EMPTY),
    (no_fence, TWICE),
    (claims_that_overwrite, TWICE),
    (a_transaction_is_not_recognised, TWICE),
    (a_record_that_overwrites, APPEND),
    (a_refused_record_is_a_loss, Setting((writer(1),), lost=1)),
    (no_look_at_the_intent_after_the_decision, STALLED),
    (undo_by_an_intent_read_before_the_decision, STALLED),
    (rolled_back_without_a_decision, APPEND),
    (a_lost_upload_is_published, Setting((writer(1), Vacuum()))),
    (replaced_files_go_in_any_version, Setting((writer(1, "overwrite"), Foreigner()), before=True, theirs=True)),
    (replaced_files_listed_before_the_claim, OVERWRITES),
    (a_late_record_is_trusted, APPEND),
    (no_second_look, APPEND),
    (no_new_start_after_an_overwrite, OVERWRITE),
    (one_pass_over_a_directory, Setting((writer(1), Reader()), in_order=False)),
    (records_go_though_claims_name_them, Setting((writer(1, transaction=FIRST), Vacuum()), replay=True)),
    (no_search_above_load_paths, WHOLE["an append and a reader of two directories"]),
    (one_search_above_each_load_path, WHOLE["an overwrite and a reader of two directories"]),
    (nested_roots_ignored, WHOLE["an append and a reader above"]),
    (no_new_start_after_an_overwrite_of_one_root, WHOLE["an overwrite and a reader above"]),
    # The same fault is found in both roles in which a listing reveals roots.
    (revealed_roots_read_after_the_listing, WHOLE["an append and a reader of two directories"]),
    (revealed_roots_read_after_the_listing, WHOLE["an append and a reader above"]),
]


@pytest.mark.parametrize(("mutant", "setting"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS])
def test_the_explorer_finds(mutant, setting, monkeypatch, record_property):
    with monkeypatch.context() as patch:
        mutant(patch)
        report = Explorer(setting).explore(stop=True, most_s=60)
    record_property("found", str(report))
    assert report.violations, str(report)


# --- known limits -----------------------------------------------------------------------------------------------------

# Readers whose load path is not the root know less about commits. In these settings the explorer finds a violation; a
# change that removes a limit moves its setting to those above.
LIMITS = {
    # A root without `_commits/` (no job for longer than recordRetention) gets its first intent after the reader has
    # listed the root's names: nothing in the listing reveals the root.
    "a reader above a root that had no commits": Setting((writer(1), reader_above()), before=True),
    # The layout gives the names below the root, so the reader never lists the root and does not see its `_commits/`.
    "a reader above that constructs the prefixes below the root": Setting(
        (writer(1), Reader("reader", (ABOVE,), "{root}/p={p}")), before=True, record_kept=True
    ),
    # No file below the load path carries a job, so nothing makes the reader search for a root; an overwrite of the table
    # has replaced the files of others there, and has not deleted them yet.
    "a reader of a directory that only has files of others": Setting(
        (writer(1, "overwrite", scope="table", files=0), BELOW), theirs=True
    ),
    # A recovery stalls for half of recordRetention between its decision and the deletion of files. Then the record is
    # dropped after the reader has listed the files and before it searches for the root.
    "a reader below, and a stalled recovery": Setting((writer(1), BELOW, Recovery(), Vacuum()), crashes=False),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if "stalled" in name else name for name in LIMITS]
)
def test_known_limits(name, record_property):
    report = Explorer(LIMITS[name]).explore(stop=True, most_s=60)
    record_property("found", str(report))
    assert report.violations, str(report)
