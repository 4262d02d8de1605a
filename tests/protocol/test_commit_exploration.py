"""Exploration of the commit protocol, request by request, with :mod:`tests.protocol.explorer`.

The settings of writers are those of the model with which the protocol was checked. Each test records the number of its states
as a property (``pytest --junit-xml``), and prints it with ``-s``.
"""

from __future__ import annotations

import logging
import uuid

import pytest

from pyspark_logs.jobs import Transaction
from tests.protocol import mutants
from tests.protocol.actors import (
    ABOVE,
    ENDED,
    LASTING,
    NESTED_ROOT,
    ROOT,
    SWEEPING,
    OtherProgram,
    OverwriteReader,
    Reader,
    Recovery,
    StreamReader,
    UnreadableResponseError,
    Vacuum,
    flat_reader,
    reader_above,
    writer,
)
from tests.protocol.explorer import Explorer
from tests.protocol.settings import Setting
from tests.support.effort import extent

# Coverage would double the duration of these tests, and other tests reach the same code.
pytestmark = pytest.mark.no_cover

FIRST, SECOND = Transaction.of_batch("q", 1), Transaction.of_batch("q", 2)
NAMED = Transaction.of_id("x")

BELOW = flat_reader("reader", ROOT + "p=1/")
BOTH = flat_reader("reader", ROOT + "p=1/", ROOT + "p=2/")
CONSTRUCTING = Reader("reader", (ABOVE,), "{root}/p={p}")
OVERLAPPING = flat_reader("reader", ROOT, ROOT + "p=1/")
OF_TWO_ROOTS = Reader("reader", (NESTED_ROOT + "x/", ROOT + "p=2/"), None, None, missing_ok=True)

NESTED_OVERWRITE = writer(2, "overwrite", scope="table", files=1, root=NESTED_ROOT)

# Explored completely by `make test-all`. `make test` visits the first states of each setting, which are all states of a third
# of the settings, and takes some random walks, which reach the ends of the others. The mutants are found in parts of these
# settings.
WHOLE = {
    "an append": Setting((writer(1), Reader(), Recovery()), lost=1),
    "an append that raises": Setting((writer(1), Recovery()), lost=1, raised=2),
    # Drivers raise errors of any class: none makes a committed job fail.
    "an append whose driver cannot read responses": Setting(
        (writer(1), Recovery()), raised=2, failure=UnreadableResponseError
    ),
    "an overwrite whose driver cannot read responses": Setting(
        (writer(1, "overwrite"),), before=True, late=True, raised=1, failure=UnreadableResponseError
    ),
    "an append whose record is late": Setting((writer(1), Reader(), Recovery()), late=True),
    "an append whose record is late, and requests that raise": Setting((writer(1),), late=True, raised=2),
    "an overwrite whose record is late": Setting((writer(1, "overwrite"), Reader()), before=True, late=True),
    "an append and a vacuum": Setting((writer(1), Recovery(), Vacuum()), newer_record=True, lost=1),
    "an append, and stalls beyond all assumptions": Setting(
        (writer(1), Recovery(), Vacuum()), newer_record=True, lost=1, patient=False
    ),
    "an append and pages of one key": Setting((writer(1), Reader(), Recovery()), page_size=1),
    "an append and unordered listings": Setting((writer(1), Reader()), in_order=False),
    "an overwrite": Setting((writer(1, "overwrite"), Reader(), Recovery()), before=True, other_file=True),
    "an overwrite of the table": Setting(
        (writer(1, "overwrite", scope="table"), Recovery()), before=True, other_file=True, lost=1
    ),
    "an overwrite of a file that changes": Setting(
        (writer(1, "overwrite"), Recovery(), OtherProgram()), before=True, other_file=True, lost=1
    ),
    # A stream plans and reads a batch while its files are replaced.
    "an overwrite and a stream": Setting((writer(1, "overwrite"), StreamReader()), before=True),
    "an overwrite, a stream and a recovery": Setting((writer(1, "overwrite"), StreamReader(), Recovery()), before=True),
    "an overwrite, a stream and a file that changes": Setting(
        (writer(1, "overwrite"), StreamReader(), OtherProgram()), before=True, other_file=True, crashes=False
    ),
    "two appends": Setting((writer(1), writer(2), Recovery("recovery", writer(1).job.id))),
    "an append and an overwrite": Setting((writer(1), writer(2, "overwrite")), before=True, other_file=True),
    # A directory below a root that is overwritten as a root of its own, while a job of the root above is undecided.
    "an append and an overwrite of a directory below its root": Setting(
        (writer(1), NESTED_OVERWRITE, Recovery()), before=True, record_kept=True
    ),
    "an append that raises and an overwrite of a directory below its root": Setting(
        (writer(1), NESTED_OVERWRITE), other_file=True, lost=1, raised=1
    ),
    "an append and an overwrite of a directory below its root, unordered listings": Setting(
        (writer(1), NESTED_OVERWRITE), before=True, in_order=False
    ),
    "two overwrites": Setting((writer(1, "overwrite"), writer(2, "overwrite")), before=True),
    "the same batch twice": Setting((writer(1, transaction=FIRST), writer(2, transaction=FIRST)), replay=True, lost=1),
    "the same txnId twice": Setting((writer(1, transaction=NAMED), writer(2, transaction=NAMED)), replay=True),
    "appends that drop old records": Setting((writer(1), writer(2, settings=SWEEPING), Recovery()), crashes=False),
    # One writer asks for a long retention; another one, or a vacuum, would drop every record at once.
    "a lasting append and one that drops all records": Setting(
        (writer(1, settings=LASTING), writer(2, settings=SWEEPING), Reader()), crashes=False, hasty=True
    ),
    "a lasting append and a vacuum that drops all records": Setting(
        (writer(1, settings=LASTING), Vacuum(), Reader()), newer_record=True, hasty=True
    ),
    "a query that ended, and an append that drops its records": Setting(
        (
            writer(1, transaction=FIRST, files=0),
            writer(2, transaction=FIRST, files=0),
            writer(3, files=1, settings=SWEEPING),
        ),
        crashes=False,
        replay=True,
    ),
    # Where records fill more than a page, the decision of a txnId, or of an overwrite, moves from the record to the claim.
    "the same txnId twice, and an append that drops its record": Setting(
        (
            writer(1, transaction=NAMED, files=0),
            writer(2, transaction=NAMED, files=0),
            writer(3, files=1, settings=SWEEPING),
        ),
        crashes=False,
        replay=True,
        page_size=3,
    ),
    "an older batch and a newer one": Setting(
        (writer(1, transaction=FIRST), writer(2, transaction=SECOND)), replay=True, lost=1
    ),
    # One vacuum lists the record beside an intent, the other one lists it without (1,965).
    "an append and two vacuums": Setting(
        (writer(1, files=1), Vacuum("one"), Vacuum("two")), newer_record=True, crashes=False
    ),
    # Readers in other roles, with the numbers of states in parentheses.
    # The listing of an overwrite (188, 644).
    "an append and the listing of an overwrite": Setting((writer(1), OverwriteReader())),
    "an overwrite and the listing of another": Setting(
        (writer(1, "overwrite"), OverwriteReader()), before=True, other_file=True
    ),
    # A load path below the root: the reader searches for the root above (32,203; 2,181; 678).
    "an append and a reader below": Setting((writer(1), BELOW, Recovery()), before=True),
    "an overwrite and a reader below, pages of one key": Setting(
        (writer(1, "overwrite"), BELOW), before=True, other_file=True, page_size=1
    ),
    "an append and a reader below, unordered listings": Setting((writer(1), BELOW), in_order=False),
    # A reader whose rights end at the root, while a vacuum drops records (3,469).
    "an append, a vacuum and a reader whose rights end at the root": Setting(
        (writer(1), Reader(rights=ROOT), Vacuum()), before=True
    ),
    # Several load paths, which are below the root, or are the root and a directory below it (1,130; 5,128; 6,602; 1,847).
    "an append and a reader of two directories": Setting((writer(1), BOTH)),
    "an append and a reader of two directories, unordered listings": Setting((writer(1), BOTH), in_order=False),
    "an overwrite and a reader of two directories": Setting(
        (writer(1, "overwrite"), BOTH), before=True, other_file=True
    ),
    "an append and a reader of overlapping paths": Setting((writer(1), OVERLAPPING)),
    # A foreign document that names the files of another job and a file outside the root (21,170; 55,106; 13,842).
    "an append and a foreign intent": Setting((writer(1), Reader(), Recovery()), before=True, foreign="intent"),
    "an overwrite that fences a foreign intent": Setting(
        (writer(1, "overwrite"), Recovery()), before=True, foreign="fence", lost=1
    ),
    "an append and a foreign record": Setting((writer(1), Recovery(), Vacuum()), before=True, foreign="record"),
    # A load path above the root: the reader finds the root in its listing (847; 5,817), or by a search from the
    # directories of the files (1,614; 939; 1,222; 4,350; 2,771).
    "an append and a reader above": Setting((writer(1), reader_above()), before=True, record_kept=True),
    "an overwrite and a reader above": Setting(
        (writer(1, "overwrite"), reader_above()), before=True, record_kept=True, other_file=True
    ),
    # The root has no `_commits/` when the reader lists its names, so only the files of jobs reveal it.
    "an append and a reader above a root that had no commits": Setting((writer(1), reader_above()), before=True),
    # The layout gives the names below the root: the reader never lists the root, and searches the directories of files.
    "an append and a reader above that constructs prefixes": Setting((writer(1), CONSTRUCTING), before=True),
    "an append and a reader above that constructs prefixes, with a record": Setting(
        (writer(1), CONSTRUCTING), before=True, record_kept=True
    ),
    "an overwrite and a reader above that constructs prefixes": Setting(
        (writer(1, "overwrite"), CONSTRUCTING), before=True, record_kept=True, other_file=True
    ),
    "an append and a reader above that constructs prefixes, unordered listings": Setting(
        (writer(1), CONSTRUCTING), in_order=False
    ),
    # A job writes to a directory that is a root itself: the commits of both roots decide there (1,929; 1,145; 512).
    "an append and a reader of a root with another root inside": Setting(
        (writer(1), Reader()), before=True, inner_root=True
    ),
    "an append and a reader above a root with another root inside": Setting(
        (writer(1), reader_above()), before=True, record_kept=True, inner_root=True
    ),
    "an append and a reader of a root and of another root inside": Setting(
        (writer(1), OVERLAPPING), before=True, inner_root=True
    ),
    # The load path becomes a root after the reader has found the root above (2,306).
    "an overwrite of a root inside another root, and a reader of the inner root": Setting(
        (NESTED_OVERWRITE, BELOW, Recovery()), before=True, newer_record=True
    ),
}

# Explored for at most 100 s each.
DEEP = {
    "batches that drop old records and claims": Setting(
        (
            writer(1, transaction=FIRST, files=0),
            writer(2, transaction=FIRST, files=0),
            writer(3, transaction=SECOND, files=0, settings=SWEEPING),
        ),
        crashes=False,
    ),
    "the same txnId twice, and a vacuum that drops its record": Setting(
        (writer(1, transaction=NAMED, files=0), writer(2, transaction=NAMED, files=0), Vacuum()),
        newer_record=True,
        replay=True,
        page_size=3,
    ),
    "the same txnId twice, and an append that drops its record, recovered": Setting(
        (
            writer(1, transaction=NAMED, files=0),
            writer(2, transaction=NAMED, files=0),
            writer(3, files=0, settings=SWEEPING),
            Recovery(),
        ),
        replay=True,
        page_size=3,
    ),
    # The chain of a txnId ended, and begins anew while it is dropped by another commit, or by a vacuum (227,250; 164,241).
    "the same txnId twice after its retention, and a commit that drops its claim": Setting(
        (
            writer(1, transaction=ENDED, files=0),
            writer(2, transaction=ENDED, files=0),
            writer(3, transaction=NAMED, files=0, settings=SWEEPING),
        ),
        crashes=False,
        ended_claim=True,
        replay=True,
    ),
    "the same txnId twice after its retention, and a vacuum that drops its claim": Setting(
        (writer(1, transaction=ENDED, files=0), writer(2, transaction=ENDED, files=0), Vacuum()),
        crashes=False,
        newer_record=True,
        ended_claim=True,
        replay=True,
    ),
    "two overwrites, and an append that drops their records": Setting(
        (writer(1, "overwrite"), writer(2, "overwrite"), writer(3, files=0, settings=SWEEPING)),
        crashes=False,
        page_size=3,
    ),
    "a txnId and an append that drops its record, read": Setting(
        (writer(1, transaction=NAMED), writer(3, settings=SWEEPING), Reader()), page_size=3, replay=True
    ),
    "the same batch twice, raising": Setting(
        (writer(1, transaction=FIRST), writer(2, transaction=FIRST)), replay=True, raised=1
    ),
    "an append, unordered listings": Setting((writer(1), Reader(), Recovery()), in_order=False),
    "an append, all": Setting((writer(1), Reader(), Recovery(), Vacuum()), newer_record=True, lost=1),
    "an append that raises, read": Setting((writer(1), Reader(), Recovery()), lost=1, raised=1),
    "an append, two readers": Setting((writer(1), Reader("one"), Reader("two"), Recovery())),
    "an append, two vacuums": Setting((writer(1), Recovery(), Vacuum("one"), Vacuum("two")), newer_record=True),
    "an append, stalls, raising": Setting(
        (writer(1), Recovery(), Vacuum()), newer_record=True, lost=1, raised=1, patient=False
    ),
    "appends that drop old records, read": Setting((writer(1), writer(2, settings=SWEEPING), Reader())),
    "batches that drop old records, read": Setting(
        (writer(1, transaction=FIRST), writer(2, transaction=SECOND, settings=SWEEPING), Reader()), replay=True
    ),
    "two appends, read": Setting((writer(1), writer(2), Reader())),
    "two appends, pages of one key": Setting((writer(1), writer(2), Reader()), page_size=1, crashes=False),
    "two appends, unordered listings": Setting((writer(1), writer(2), Reader()), in_order=False, crashes=False),
    "an overwrite, all": Setting(
        (writer(1, "overwrite"), Reader(), Recovery(), Vacuum()), before=True, other_file=True
    ),
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
        (writer(1, transaction=FIRST), writer(2, transaction=FIRST), Vacuum()), newer_record=True, patient=False
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
    # 103,967; 120,614; more than 735,090; 15,233; 336,410; 112,627; 83,891; 541,125; 475,476; more than 1,500,000 states.
    "an overwrite and a reader below": Setting(
        (writer(1, "overwrite"), BELOW, Recovery()), before=True, other_file=True
    ),
    "an append and a reader of two directories, recovered": Setting((writer(1), BOTH, Recovery())),
    "an overwrite and a reader of two directories, recovered": Setting(
        (writer(1, "overwrite"), BOTH, Recovery()), before=True, other_file=True
    ),
    "an overwrite and a reader of overlapping paths": Setting(
        (writer(1, "overwrite"), OVERLAPPING), before=True, other_file=True
    ),
    # Since a vacuum keeps the newest record, the root is found although the record of the stalled recovery is dropped.
    "a reader below, and a stalled recovery": Setting(
        (writer(1), BELOW, Recovery(), Vacuum()), newer_record=True, crashes=False
    ),
    "an append and a reader above that constructs prefixes, recovered": Setting(
        (writer(1), CONSTRUCTING, Recovery()), before=True
    ),
    "an append and a reader above, recovered": Setting(
        (writer(1), reader_above(), Recovery()), before=True, record_kept=True
    ),
    "an overwrite and a reader above, recovered": Setting(
        (writer(1, "overwrite"), reader_above(), Recovery()), before=True, record_kept=True, other_file=True
    ),
    "an append, an overwrite and a reader below": Setting(
        (writer(1), writer(2, "overwrite"), BELOW), before=True, crashes=False
    ),
    "an append, an overwrite and a reader of two directories": Setting(
        (writer(1), writer(2, "overwrite"), BOTH), before=True, crashes=False
    ),
    # 223,164; 88,885; more than 423,872; more than 694,263; 66,128 states.
    "an append and a reader of a root with another root inside, recovered": Setting(
        (writer(1), Reader(), Recovery()), before=True, inner_root=True
    ),
    "an append, an append to a root inside its root, and a reader": Setting(
        (writer(1), writer(2, files=1, root=NESTED_ROOT), Reader()), crashes=False
    ),
    "an append, an overwrite of a root inside its root, and a reader": Setting(
        (writer(1), NESTED_OVERWRITE, Reader()), before=True
    ),
    "an append, an overwrite of a root inside its root, and a reader of two directories": Setting(
        (writer(1), NESTED_OVERWRITE, BOTH), before=True, crashes=False
    ),
    "appends to two roots, and a reader of a directory of each": Setting(
        (writer(1), writer(2, files=1, root=NESTED_ROOT, directory="x/"), OF_TWO_ROOTS), before=True, crashes=False
    ),
}

# Too large for a complete exploration: random walks.
WIDE = {
    "three appends and all the rest": Setting(
        (writer(1), writer(2), writer(3), Reader("one"), Reader("two"), Recovery(), Vacuum()), lost=1, raised=1
    ),
    "overwrites and an append": Setting(
        (writer(1, "overwrite"), writer(2, "overwrite"), writer(3), Reader(), Recovery(), Vacuum(), OtherProgram()),
        before=True, other_file=True, lost=1, raised=1,
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
def quiet(monkeypatch):
    """Disables logging, as injected failures would be logged thousands of times, and makes the names of files repeatable."""
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=0))
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def check(report, record_property):
    record_property("explored", str(report))
    print(report)  # noqa: T201 - with -s
    assert not report.violations, str(report)
    assert report.ends > 0 or not report.full


MOST_STATES = extent(bounded=3000, full=10_000_000)


@pytest.mark.parametrize("name", WHOLE)
def test_all_interleavings(name, record_property):
    explorer = Explorer(WHOLE[name])
    report = explorer.explore(most_states=MOST_STATES)
    check(report, record_property)
    assert report.full or report.states > MOST_STATES
    if not report.full:
        check(explorer.walk(seed=20261124, walks=20), record_property)


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP)
def test_most_interleavings_of_large_settings(name, record_property):
    """The first states, and, as these are not the ends of runs, random walks to the ends."""
    explorer = Explorer(DEEP[name])
    report = explorer.explore(most_states=400_000, most_s=100)
    check(report, record_property)
    if not report.full:
        walked = explorer.walk(seed=20261124, walks=400, most_s=30)
        check(walked, record_property)
        assert walked.ends > 0


@pytest.mark.parametrize("name", WIDE)
def test_random_walks(name, record_property):
    check(Explorer(WIDE[name]).walk(seed=20261124, walks=extent(bounded=50, full=150)), record_property)


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("seed", range(3))
def test_many_random_walks(name, seed, record_property):
    check(Explorer(WIDE[name]).walk(seed=seed, walks=5000, most_s=60), record_property)


def test_all_outcomes_are_reached():
    """Two attempts at one batch reach each possible outcome."""
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


# --- mutants ----------------------------------------------------------------------------------------------------------

APPEND = Setting((writer(1), Reader(), Recovery()))
OVERWRITE = Setting((writer(1, "overwrite"), Reader(), Recovery()), before=True, other_file=True)
OVERWRITES = Setting((writer(1, "overwrite"), writer(2, "overwrite")), before=True)
STALLED = Setting((writer(1), Recovery(), Vacuum()), newer_record=True, patient=False)
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
    (mutants.files_before_uploads, APPEND),
    (mutants.intent_before_files, APPEND),
    (mutants.intent_before_replaced_files, Setting((writer(1, "overwrite"),), before=True)),
    (mutants.no_second_list_of_the_chain, EMPTY),
    (mutants.no_fence, TWICE),
    (mutants.claims_that_overwrite, TWICE),
    (mutants.transactions_not_recognised, TWICE),
    (mutants.records_that_overwrite, APPEND),
    (mutants.refused_records_taken_for_a_loss, Setting((writer(1),), lost=1)),
    (mutants.late_records_taken_for_failures, Setting((writer(1),), late=True)),
    (mutants.intent_not_checked_after_the_decision, STALLED),
    (mutants.rollback_by_an_intent_read_before_the_decision, STALLED),
    (mutants.rollback_without_a_decision, APPEND),
    (mutants.lost_uploads_taken_for_published, Setting((writer(1), Vacuum()))),
    (
        mutants.replaced_files_deleted_in_any_version,
        Setting((writer(1, "overwrite"), OtherProgram()), before=True, other_file=True),
    ),
    (
        mutants.roots_above_overwrites_ignored,
        WHOLE["an append and an overwrite of a directory below its root"],
    ),
    (mutants.replaced_files_listed_before_the_claim, OVERWRITES),
    (mutants.late_records_trusted, APPEND),
    (mutants.commits_after_the_listing_ignored, APPEND),
    (mutants.no_restart_after_an_overwrite, OVERWRITE),
    (mutants.each_task_decides_which_files_are_missing, WHOLE["an overwrite and a stream"]),
    (mutants.files_of_jobs_skipped_after_the_decision, WHOLE["an overwrite and a stream"]),
    (mutants.files_of_jobs_skipped_one_by_one, WHOLE["an overwrite and a stream"]),
    (mutants.one_pass_over_unordered_listings, Setting((writer(1), Reader()), in_order=False)),
    (
        mutants.claimed_records_dropped,
        Setting((writer(1, transaction=FIRST), Vacuum()), newer_record=True, replay=True),
    ),
    (mutants.retention_of_each_writer, WHOLE["a lasting append and one that drops all records"]),
    (mutants.retention_of_each_writer, WHOLE["a lasting append and a vacuum that drops all records"]),
    (mutants.last_record_of_an_idle_chain_dropped, WHOLE["a query that ended, and an append that drops its records"]),
    (mutants.records_dropped_without_a_note, WHOLE["the same txnId twice, and an append that drops its record"]),
    (
        mutants.chains_that_begin_anew_not_noticed,
        DEEP["the same txnId twice after its retention, and a vacuum that drops its claim"],
    ),
    (mutants.claims_not_read_again, WHOLE["the same txnId twice, and an append that drops its record"]),
    (mutants.last_record_dropped, Setting((writer(1), Vacuum()))),
    (mutants.newest_record_dropped_beside_an_intent, WHOLE["an append and two vacuums"]),
    (mutants.foreign_intents_believed, WHOLE["an append and a foreign intent"]),
    (mutants.foreign_intents_believed, WHOLE["an overwrite that fences a foreign intent"]),
    (mutants.foreign_records_believed, WHOLE["an append and a foreign record"]),
    (mutants.no_search_above_load_paths, WHOLE["an append and a reader of two directories"]),
    (mutants.no_search_below_load_paths, WHOLE["an append and a reader above that constructs prefixes"]),
    (mutants.one_search_above_each_load_path, DEEP["appends to two roots, and a reader of a directory of each"]),
    (
        mutants.load_paths_that_become_roots_ignored,
        WHOLE["an overwrite of a root inside another root, and a reader of the inner root"],
    ),
    (mutants.nested_roots_ignored, WHOLE["an append and a reader above"]),
    (mutants.only_the_innermost_root_decides, WHOLE["an append and a reader of a root with another root inside"]),
    (mutants.restart_after_an_overwrite_of_the_first_root_only, WHOLE["an overwrite and a reader above"]),
    # The same fault is found in both roles in which a listing reveals roots.
    (mutants.revealed_roots_read_after_the_listing, WHOLE["an append and a reader of two directories"]),
    (mutants.revealed_roots_read_after_the_listing, WHOLE["an append and a reader above"]),
    (
        mutants.one_pass_in_the_search_for_roots,
        WHOLE["an append and a reader above that constructs prefixes, unordered listings"],
    ),
]


def search_breadth_first(explorer):
    return explorer.explore(stop=True)


def search_depth_first(explorer):
    return explorer.explore(stop=True, depth_first=True)


def search_at_random(explorer):
    return explorer.walk(seed=20261124, walks=1500)


# The cheapest search that finds the mutant: most are found at the end of some run. `make test-all` finds shortest traces.
SEARCHES = {
    mutants.one_search_above_each_load_path: search_breadth_first,  # 10,742 states, and 36,625 depth first
    mutants.no_second_list_of_the_chain: search_at_random,  # 2,732 states, and 313,429 breadth first
}


@pytest.mark.parametrize(("mutant", "setting"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS])
def test_mutants_are_found(mutant, setting, monkeypatch, record_property):
    search = search_breadth_first if extent(bounded=0, full=1) else SEARCHES.get(mutant, search_depth_first)
    with monkeypatch.context() as patch:
        mutant(patch)
        report = search(Explorer(setting))
    record_property("found", str(report))
    assert report.violations, str(report)


# --- known limits -----------------------------------------------------------------------------------------------------

# In these settings the explorer finds a violation; whoever removes a limit moves its setting to those above. Readers whose load
# path is not the root know less about commits.
LIMITS = {
    # Two jobs use a txnId again at the moment at which its chain ends after txnRetention, and the one that loses dies before it
    # deletes its claim: a third job takes the loser's claim for the last one.
    "the same txnId twice after its retention, and a crash": Setting(
        (writer(1, transaction=ENDED, files=0), writer(2, transaction=ENDED, files=0), Vacuum()),
        newer_record=True,
        ended_claim=True,
        replay=True,
    ),
    # The rights of the reader end below the root, so it cannot know the commits.
    "a reader below whose rights end there": Setting(
        (writer(1), Reader("reader", (ROOT + "p=1/",), None, None, ROOT + "p=1/")), before=True
    ),
    # No file below the load path carries a job, so nothing makes the reader search for a root; an overwrite of the table
    # has replaced the files of others there, and has not deleted them yet.
    "a reader of a directory that only has files of others": Setting(
        (writer(1, "overwrite", scope="table", files=0), BELOW), other_file=True
    ),
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * ("crash" in name)) for name in LIMITS])
def test_known_limits(name, record_property):
    report = Explorer(LIMITS[name]).explore(stop=True)
    record_property("found", str(report))
    assert report.violations, str(report)
