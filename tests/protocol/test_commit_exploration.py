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
from pyspark_logs.jobs.visibility import split_listing
from tests.protocol.explorer import SWEEPING, Explorer, Foreigner, Reader, Recovery, Setting, Vacuum, writer

FIRST, SECOND = Transaction.of_batch("q", 1), Transaction.of_batch("q", 2)
NAMED = Transaction.of_id("x")

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
]


@pytest.mark.parametrize(("mutant", "setting"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS])
def test_the_explorer_finds(mutant, setting, monkeypatch, record_property):
    with monkeypatch.context() as patch:
        mutant(patch)
        report = Explorer(setting).explore(stop=True, most_s=60)
    record_property("found", str(report))
    assert report.violations, str(report)
